//! The built-in providers: a file each in `catalogue/`. The build lays them end to end, with an
//! index: a name is looked up there, and only the text that is asked for is read.

use crate::{address, text};

const TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/catalogue.toml"));
const INDEX: &str = include_str!(concat!(env!("OUT_DIR"), "/catalogue.index"));

const WITHOUT_OAUTH: &str = include_str!("without_oauth.toml");

/// The providers that most people look for.
pub const WELL_KNOWN: [&str; 15] = [
    "google",
    "google-mail",
    "microsoft",
    "microsoft-mail",
    "github",
    "gitlab",
    "dropbox",
    "slack",
    "spotify",
    "notion",
    "zoom",
    "atlassian",
    "mailchimp",
    "getresponse",
    "constantcontact",
];

/// A line of the index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listed {
    /// The file's name, the provider's `id`.
    pub id: &'static str,
    /// The name that is shown.
    pub name: &'static str,
    /// How sure its addresses are, as in the file.
    pub addresses: &'static str,
    aliases: &'static str,
    span: (usize, usize),
}

impl Listed {
    /// Reads a line; `None`: it is not one.
    fn of(line: &'static str) -> Option<Listed> {
        let mut parts = line.split('\t');
        let (id, from, to) = (parts.next()?, parts.next()?, parts.next()?);
        let span = (from.parse().ok()?, to.parse().ok()?);
        Some(Listed { id, span, name: parts.next()?, addresses: parts.next()?, aliases: parts.next()? })
    }

    /// Its other names.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.aliases.split_whitespace()
    }

    /// The hosts of its endpoints and its API; one with a variable is equal to no real one.
    fn hosts(&self) -> impl Iterator<Item = &'static str> + use<> {
        const KEYS: [&str; 3] = ["url", "issuer", "base-url"];
        let addresses = self.text().lines().filter_map(|line| {
            let (key, value) = line.split_once(" = \"https://")?;
            KEYS.contains(&key).then_some(value)
        });
        addresses.filter_map(|rest| rest.split(['/', '"', ':', '?']).next())
    }

    /// The TOML text.
    pub fn text(&self) -> &'static str {
        &TEXTS[self.span.0..self.span.1]
    }
}

/// All built-in providers, sorted by name.
pub fn all() -> impl Iterator<Item = Listed> {
    INDEX.lines().filter_map(Listed::of)
}

/// The names of all built-in providers, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|it| it.id)
}

/// The built-in provider of that name, no alias.
pub fn named(name: &str) -> Option<Listed> {
    let is = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('\t'));
    INDEX.lines().find(is).and_then(Listed::of)
}

/// A built-in provider's name and text, by name or alias.
pub fn find(name: &str) -> Option<(&'static str, &'static str)> {
    let found = named(name).or_else(|| all().find(|it| it.aliases().any(|alias| alias == name)));
    found.map(|it| (it.id, it.text()))
}

/// The built-in providers with an address on this host.
pub fn of_host(host: &str) -> Vec<Listed> {
    all().filter(|it| it.hosts().any(|own| own == host)).collect()
}

/// Those that are called like its site (`gmail.com`), then those with an address there.
pub fn of_site(host: &str) -> Vec<Listed> {
    let site = address::site(host);
    let label = site.split('.').next().unwrap_or_default();
    let is_named = |it: &Listed| it.id == label || it.aliases().any(|alias| alias == label);
    let is_there = |it: &Listed| it.hosts().any(|own| address::site(own) == site);
    let others = all().filter(|it| !is_named(it) && is_there(it));
    all().filter(is_named).chain(others).collect()
}

/// What to use instead at a service that has no OAuth 2.0.
pub fn without_oauth(name: &str) -> Option<&'static str> {
    let said = |line: &'static str| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"');
    WITHOUT_OAUTH.lines().find_map(said)
}

/// The name or alias nearest to a mistyped one.
pub fn nearest_name(typed: &str) -> Option<String> {
    // a short one is near to anything
    let known = all().flat_map(|it| it.aliases().chain([it.id])).filter(|name| name.len() > 3);
    text::nearest(typed, known).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::provider::StringKind;
    use crate::provider::expand::check_url_template;
    use crate::provider::{
        ClientAuth, LoopbackMode, Means, Method, ParamsIn, PkceMode, Provider, Rotates, StateEcho, TokenKind, Var,
        VarFrom, resolve,
    };

    fn get(id: &str, environment: Option<&str>) -> Provider {
        resolve::resolve(id, environment, &|_| Ok(None)).unwrap()
    }

    #[test]
    fn the_index_says_what_the_files_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/provider/catalogue");
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let files = files.filter(|file| file.extension().is_some_and(|it| it == "toml")).count();
        assert_eq!(all().count(), files);
        for listed in all() {
            let file = std::fs::read_to_string(folder.join(format!("{}.toml", listed.id))).unwrap();
            assert_eq!(listed.text(), file, "{}", listed.id);
            let provider = get(listed.id, None);
            assert_eq!(listed.name, provider.name, "{}", listed.id);
            assert_eq!(listed.aliases().collect::<Vec<_>>(), provider.aliases, "{}", listed.id);
            assert_eq!(
                listed.addresses,
                provider.addresses.map(|it| it.to_string()).unwrap_or_default(),
                "{}",
                listed.id
            );
        }
    }

    #[test]
    fn every_entry_reads_in_every_environment_and_cites_its_sources() {
        for id in names() {
            let base = get(id, None);
            let environments = base.environments.iter().map(|e| Some(e.as_str())).chain([None]);
            for environment in environments {
                let mut provider = get(id, environment);
                let sources = &provider.sources;
                assert!(!sources.is_empty() && sources.iter().all(|s| !s.is_empty()), "{id} cites no source");
                assert!(provider.checked.is_some(), "{id}: when was it checked?");
                assert!(provider.addresses.is_some() || id == "sandbox", "{id}: how sure are its addresses?");
                assert!(provider.token.url.is_some() || provider.issuer.is_some());
                assert_eq!(provider.id, id);
                let vars = provider.vars.clone();
                let leads = |text: &str| {
                    let var = text.strip_prefix('{').and_then(|rest| vars.get(rest.split('}').next()?));
                    let https = |text: &str| text.starts_with("https://");
                    // what a person types is judged as it is filled in
                    let safe = |var: &Var| {
                        var.from == VarFrom::User || var.pattern.iter().chain(&var.one_of).any(|it| https(it))
                    };
                    https(text) || var.is_some_and(safe)
                };
                provider
                    .each_string(&mut |key, kind, text| {
                        if kind == StringKind::Url {
                            assert_eq!(check_url_template(text), Ok(()), "{id}: {key}");
                            assert!(leads(text), "{id}: {key} = {text}");
                        }
                        Ok::<(), ()>(())
                    })
                    .unwrap();
            }
        }
    }

    #[test]
    fn no_name_or_alias_means_two_providers() {
        let mut owner = BTreeMap::new();
        for id in names() {
            for name in get(id, None).aliases.into_iter().chain([id.to_owned()]) {
                assert_eq!(find(&name).map(|(found, _)| found), Some(id), "{name}");
                assert_eq!(owner.insert(name.clone(), id), None, "{name}");
            }
        }
    }

    #[test]
    fn people_find_the_providers_under_the_names_they_type() {
        for (typed, id) in [
            ("gr", "getresponse"),
            ("vr", "verticalresponse"),
            ("vr2", "verticalresponse-vr2"),
            ("cc", "constantcontact"),
            ("constant-contact", "constantcontact"),
        ] {
            assert_eq!(get(typed, None).id, id);
        }
        assert_eq!(nearest_name("getrespnse").as_deref(), Some("getresponse"));
        assert_eq!(nearest_name("constnat-contact").as_deref(), Some("constant-contact"));
    }

    #[test]
    fn a_host_or_its_site_leads_to_its_providers() {
        let ids = |found: Vec<Listed>| found.into_iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!(ids(of_host("app.getresponse.com")), ["getresponse"]);
        assert_eq!(ids(of_host("api.cc.email")), ["constantcontact"]);
        assert_eq!(ids(of_site("gmail.com")), ["google-mail"]);
        assert_eq!(ids(of_site("www.getresponse.com")), ["getresponse"]);
        assert_eq!(ids(of_site("acme.myshopify.com")), ["shopify"]);
        assert!(ids(of_host("accounts.google.com")).contains(&"google"));
        for nobody in ["", "example.com", "com", "co.uk", "127.0.0.1", "[::1]"] {
            assert!(of_host(nobody).is_empty() && of_site(nobody).is_empty(), "{nobody}");
        }
    }

    #[test]
    fn getresponse_is_as_its_first_steps_pages_say() {
        let p = get("getresponse", None);
        assert_eq!(p.token.auth, [ClientAuth::Basic]);
        assert!(!p.authorize.send_redirect_uri && !p.token.send_redirect_uri);
        assert_eq!(p.refresh.rotates, Rotates::Yes);
        assert_eq!(p.redirect.loopback, LoopbackMode::None);
        assert_eq!(p.client_credentials.endpoint.url.as_deref(), Some("https://api.getresponse.com/v3/token"));
        assert_eq!(p.whoami.unwrap().url, "https://api.getresponse.com/v3/accounts?fields=accountId,email");
        assert_eq!(p.errors[0].code.as_deref(), Some("1014"));
        assert_eq!((p.errors[0].means, p.errors[1].means), (Some(Means::Expired), Some(Means::Revoked)));
    }

    #[test]
    fn getresponse_max_asks_for_the_accounts_domain_and_api_host() {
        assert!(get("getresponse", None).missing_vars(&BTreeMap::new()).is_empty());
        let p = get("getresponse", Some("max"));
        let asked: Vec<&str> = p.missing_vars(&BTreeMap::new()).into_iter().map(|(n, _)| n).collect();
        assert_eq!(asked, ["domain", "api_host"], "in the order of the file");
        let vars = [("domain", "mail.example.com"), ("api_host", "api3.getresponse360.pl")];
        let p = p.expand(&vars.map(|(k, v)| (k.to_owned(), v.to_owned())).into()).unwrap();
        assert_eq!(p.authorize.url.as_deref(), Some("https://mail.example.com/oauth2_authorize.html"));
        assert_eq!(p.whoami.unwrap().url, "https://api3.getresponse360.pl/v3/accounts?fields=accountId,email");
        for headers in
            [&p.token.headers, &p.refresh.endpoint.headers, &p.client_credentials.endpoint.headers, &p.api.headers]
        {
            assert_eq!(headers["X-Domain"], "mail.example.com");
        }
        assert_eq!(p.refresh.endpoint.url.as_deref(), Some("https://api3.getresponse360.pl/v3/token"));
    }

    #[test]
    fn verticalresponse_is_as_its_authentication_page_says() {
        let p = get("verticalresponse", None);
        assert_eq!(p.authorize.state, StateEcho::NotReturned);
        assert_eq!(p.authorize.params["response_type"], "");
        assert_eq!((p.token.method, p.token.params_in), (Method::Get, ParamsIn::Query));
        assert_eq!((p.token.auth.as_slice(), p.token.params["grant_type"].as_str()), (&[ClientAuth::Query][..], ""));
        assert!(p.token.send_redirect_uri && !p.refresh.supported && !p.client_credentials.supported);
        assert_eq!(p.response.capture["user_id"], "user_id");
        assert_eq!(p.vars["user_id"].from, VarFrom::Token);
        assert!(p.missing_vars(&BTreeMap::new()).is_empty());
        let before = p.expand(&BTreeMap::new()).unwrap();
        assert!(before.whoami.unwrap().url.ends_with("/users/{user_id}"));
        let after = p.expand(&[("user_id".to_owned(), "815".to_owned())].into()).unwrap();
        assert_eq!(after.whoami.unwrap().url, "https://vrapi.verticalresponse.com/api/v1/users/815");
    }

    #[test]
    fn verticalresponse_vr2_revokes_by_delete() {
        let revoke = get("verticalresponse-vr2", None).revoke.unwrap();
        assert_eq!((revoke.endpoint.method, revoke.token_param.as_str()), (Method::Delete, "refresh_token"));
        assert_eq!(revoke.endpoint.auth, [ClientAuth::Post]);
        assert_eq!(revoke.tokens, [TokenKind::RefreshToken]);
    }

    // S4: codes and refresh tokens stay out of the address
    #[test]
    fn constantcontact_gets_its_parameters_in_the_body() {
        let p = get("constantcontact", None);
        assert_eq!((p.token.params_in, p.refresh.endpoint.params_in), (ParamsIn::Form, ParamsIn::Form));
        assert_eq!((p.pkce.mode, p.redirect.loopback), (PkceMode::PublicOnly, LoopbackMode::Https));
        assert!(p.response.claims_from_jwt);
        assert_eq!(p.scopes.offline.as_deref(), Some("offline_access"));
        assert_eq!(p.device.unwrap().endpoint.auth, [ClientAuth::None]);
    }

    #[test]
    fn the_sandbox_stands_wherever_it_listens() {
        let p = get("sandbox", None);
        let vars = |base: &str| [("base".to_owned(), base.to_owned())].into();
        let there = p.expand(&vars("http://127.0.0.1:8123")).unwrap();
        assert_eq!(there.token.url.as_deref(), Some("http://127.0.0.1:8123/token"));
        assert_eq!(there.whoami.unwrap().url, "http://127.0.0.1:8123/api/me");
        assert_eq!(there.revoke.unwrap().endpoint.url.as_deref(), Some("http://127.0.0.1:8123/revoke"));
        assert_eq!(there.client_id.as_deref(), Some("oauthctl"));
        assert!(p.expand(&vars("http://[::1]:8123")).is_ok());
        assert!(p.expand(&vars("http://example.com")).is_err());
    }
}
