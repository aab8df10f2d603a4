//! The built-in providers: a file each in `catalogue/`, and a line here.

use crate::layers::tree::{self, Value};
use crate::text;

/// Sorted by name.
const ENTRIES: &[(&str, &str)] = &[
    ("constantcontact", include_str!("catalogue/constantcontact.toml")),
    ("getresponse", include_str!("catalogue/getresponse.toml")),
    ("sandbox", include_str!("catalogue/sandbox.toml")),
    ("verticalresponse", include_str!("catalogue/verticalresponse.toml")),
    ("verticalresponse-vr2", include_str!("catalogue/verticalresponse-vr2.toml")),
];

/// The names of all built-in providers, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|(id, _)| *id)
}

/// A built-in provider's name and text, by name or alias.
pub fn find(name: &str) -> Option<(&'static str, &'static str)> {
    // only a text with the word is worth parsing
    let quoted = format!("\"{name}\"");
    let by_alias = |(id, text): &&(&str, &str)| text.contains(&quoted) && aliases(id, text).iter().any(|a| a == name);
    let entry = ENTRIES.iter().find(|(id, _)| *id == name);
    entry.or_else(|| ENTRIES.iter().find(by_alias)).copied()
}

/// The name or alias nearest to a mistyped one.
pub fn nearest_name(typed: &str) -> Option<String> {
    let known: Vec<String> = ENTRIES
        .iter()
        .flat_map(|(id, text)| aliases(id, text).into_iter().filter(|a| a.len() > 3).chain([(*id).to_owned()]))
        .collect();
    text::nearest(typed, known.iter().map(String::as_str)).map(str::to_owned)
}

/// The other names of a built-in provider.
pub fn aliases_of(name: &str) -> Vec<String> {
    ENTRIES.iter().find(|(id, _)| *id == name).map(|(id, text)| aliases(id, text)).unwrap_or_default()
}

fn aliases(id: &str, text: &str) -> Vec<String> {
    // a test reads every entry, so none fails here
    let entry = tree::parse(id, text).ok().and_then(|mut keys| keys.remove("aliases"));
    let Some(Value::List(list)) = entry.map(|entry| entry.value) else { return Vec::new() };
    let name = |alias: tree::Entry| if let Value::Text(name) = alias.value { Some(name) } else { None };
    list.into_iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::provider::StringKind;
    use crate::provider::expand::check_url_template;
    use crate::provider::{
        ClientAuth, LoopbackMode, Means, Method, ParamsIn, PkceMode, Provider, Rotates, StateEcho, TokenKind, VarFrom,
        resolve,
    };

    fn get(id: &str, environment: Option<&str>) -> Provider {
        resolve::resolve(id, environment, &|_| Ok(None)).unwrap()
    }

    #[test]
    fn no_file_of_the_folder_is_missing_from_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/provider/catalogue");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|e| e.unwrap().file_name().to_str().unwrap().strip_suffix(".toml").map(str::to_owned))
            .collect();
        files.sort();
        assert_eq!(files, names().collect::<Vec<_>>());
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
                assert!(!provider.notes.is_empty(), "{id} has no notes");
                assert!(provider.token.url.is_some() && provider.authorize.url.is_some() && provider.whoami.is_some());
                assert_eq!(provider.id, id);
                provider
                    .each_string(&mut |key, kind, text| {
                        if kind == StringKind::Url {
                            assert_eq!(check_url_template(text), Ok(()), "{id}: {key}");
                            assert!(text.starts_with("https://") || text.starts_with("{base}"), "{id}: {key} = {text}");
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
    fn getresponse_is_as_its_first_steps_pages_say() {
        let p = get("getresponse", None);
        assert_eq!(p.token.auth, [ClientAuth::Basic]);
        assert!(!p.authorize.send_redirect_uri && !p.token.send_redirect_uri);
        assert_eq!(p.refresh.rotates, Rotates::Yes);
        assert_eq!(p.redirect.loopback, LoopbackMode::None);
        assert_eq!(p.client_credentials.endpoint.url.as_deref(), Some("https://api.getresponse.com/v3/token"));
        assert_eq!(p.whoami.unwrap().url, "https://api.getresponse.com/v3/accounts?fields=accountId,email");
        assert_eq!(p.errors[0].code.as_deref(), Some("1014"));
        assert_eq!((p.errors[0].means, p.errors[1].means), (Means::Expired, Means::Revoked));
    }

    #[test]
    fn getresponse_max_asks_for_the_accounts_domain_and_api_host() {
        assert!(get("getresponse", None).missing_vars(&BTreeMap::new()).is_empty());
        let p = get("getresponse", Some("max"));
        let asked: Vec<&str> = p.missing_vars(&BTreeMap::new()).into_iter().map(|(n, _)| n).collect();
        assert_eq!(asked, ["api_host", "domain"]);
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
