//! A resolved provider as TOML: what `provider show` prints, and what a person copies into a file of their own. Only what
//! differs from the RFCs' defaults is said, one dotted key to a line, and reading it again gives the same provider, in each of
//! its environments too.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{Array, InlineTable, Key, Value};

use super::keys::{
    API_AUTH_PLACE, AUTHORIZE_PARAMS_IN, CLIENT_AUTH, EXPIRES_UNIT, KILLS, LOOPBACK, MEANS, PAGE_BY, PARAMS_IN,
    PKCE_METHOD, PKCE_MODE, REFRESH_SOURCE, ROTATES, STATE, VAR_FROM, Words, ZERO_EXPIRES, default_api_auth,
    default_revoke_tokens,
};
use super::{Endpoint, Provider, Wanted};

/// A line that is longer than this holds a list, and each of its values gets a line of its own.
const LONG: usize = 100;

fn laid_out(key: &str, value: String) -> String {
    match value.parse() {
        Ok(Value::Array(list)) if key.len() + value.len() > LONG => {
            let lines = list.iter().map(|item| format!("    {},\n", item.clone().decorated("", "")));
            format!("[\n{}]", lines.collect::<String>())
        }
        _ => value,
    }
}

impl Provider {
    /// The entry as a TOML file. `inside`: the same provider in its environments, by their names; one that is missing there
    /// is written as one that changes nothing.
    pub fn to_toml(&self, inside: &BTreeMap<String, Provider>) -> String {
        let keys = self.describe(false);
        let mut w = Writer { out: Vec::new(), all: false };
        w.put("id", self.id.as_str());
        w.list("aliases", &self.aliases, &[]);
        w.out.extend(keys.iter().cloned());
        for name in &self.environments {
            let section = format!("environments.{}", Key::new(name));
            let changed = inside.get(name).map(|it| it.beyond(&keys)).unwrap_or_default();
            if changed.is_empty() {
                w.put(&section, InlineTable::new());
            }
            w.out.extend(changed.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
        }
        w.out.into_iter().map(|(key, value)| format!("{key} = {}\n", laid_out(&key, value))).collect()
    }

    /// What has to be laid over a file of the keys `base` to make it this provider. A default is said where the base says
    /// something else; what both leave out follows from the rest in both.
    fn beyond(&self, base: &[(String, String)]) -> Vec<(String, String)> {
        let base: BTreeMap<&str, &str> = base.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let said: BTreeSet<String> = self.describe(false).into_iter().map(|(key, _)| key).collect();
        let differs = |key: &str, value: &str| base.get(key).map_or(said.contains(key), |was| *was != value);
        self.describe(true).into_iter().filter(|(key, value)| differs(key, value)).collect()
    }

    /// Dotted keys and their values as TOML writes them, in the order of the schema, without those that say which provider it
    /// is. `all`: with those that are at their defaults.
    fn describe(&self, all: bool) -> Vec<(String, String)> {
        let d = Provider::bare(&self.id);
        let mut w = Writer { out: Vec::new(), all };
        w.unless("name", &self.name, &d.name);
        w.option("docs", &self.docs);
        w.option("console-url", &self.console_url);
        w.option("practice", &self.practice);
        w.option("issuer", &self.issuer);
        w.option("client-id", &self.client_id);
        for (name, var) in &self.vars {
            let name = Key::new(name).to_string();
            w.option(&format!("vars.{name}.prompt"), &var.prompt);
            w.option(&format!("vars.{name}.default"), &var.default);
            w.option(&format!("vars.{name}.pattern"), &var.pattern);
            w.list(&format!("vars.{name}.enum"), &var.one_of, &[]);
            w.flag(&format!("vars.{name}.secret"), var.secret, false);
            w.put(&format!("vars.{name}.from"), word(VAR_FROM, var.from));
        }
        w.option("authorize.url", &self.authorize.url);
        w.texts("authorize.params", &self.authorize.params, &d.authorize.params);
        w.texts("authorize.rename", &self.authorize.rename, &d.authorize.rename);
        w.flag("authorize.send-redirect-uri", self.authorize.send_redirect_uri, d.authorize.send_redirect_uri);
        w.word("authorize.state", STATE, self.authorize.state, d.authorize.state);
        w.word("authorize.params-in", AUTHORIZE_PARAMS_IN, self.authorize.params_in, d.authorize.params_in);
        w.list("authorize.raw", &self.authorize.raw, &[]);
        w.unless("callback.code-param", &self.callback.code_param, &d.callback.code_param);
        w.option("callback.token-host-from", &self.callback.token_host_from);
        w.list("callback.token-host-allow", &self.callback.token_host_allow, &[]);
        w.list("scopes.known", &self.scopes.known, &[]);
        w.list("scopes.default", &self.scopes.default, &[]);
        w.list("scopes.always", &self.scopes.always, &[]);
        w.option("scopes.offline", &self.scopes.offline);
        w.unless("scopes.separator", &self.scopes.separator, &d.scopes.separator);
        w.unless("scopes.param", &self.scopes.param, &d.scopes.param);
        w.word("pkce.mode", PKCE_MODE, self.pkce.mode, d.pkce.mode);
        w.word("pkce.method", PKCE_METHOD, self.pkce.method, d.pkce.method);
        w.endpoint("token", &self.token, &d.token);
        self.describe_refresh(&mut w, &d);
        self.describe_response(&mut w, &d);
        if let Some(device) = &self.device {
            w.endpoint("device", &device.endpoint, &self.beside_token());
            w.put("device.grant-type", device.grant_type.as_str());
            w.option("device.poll-url", &device.poll_url);
            w.texts("device.fields", &device.fields, &BTreeMap::new());
        }
        if let Some(revoke) = &self.revoke {
            w.endpoint("revoke", &revoke.endpoint, &self.beside_token());
            w.unless("revoke.token-param", &revoke.token_param, "token");
            w.list("revoke.tokens", &revoke.tokens, &default_revoke_tokens());
            w.put("revoke.kills", word(KILLS, revoke.kills));
            w.flag("revoke.token-in-path", revoke.token_in_path, false);
            w.flag("revoke.send-client-id", revoke.send_client_id, false);
            w.option("revoke.auth-header", &revoke.auth_header);
        }
        match &self.client_credentials {
            Some(endpoint) => {
                w.endpoint("client-credentials", endpoint, &self.like_token());
                w.flag("client-credentials.supported", true, true);
                w.flag("client-credentials.own-account", self.own_account, false);
            }
            None => w.put("client-credentials.supported", false),
        }
        if let Some(introspect) = &self.introspect {
            w.endpoint("introspect", introspect, &self.beside_token());
        }
        w.option("id-token.jwks-uri", &self.identity.jwks_uri);
        w.list("id-token.algorithms", &self.identity.algorithms, &[]);
        w.list("id-token.audiences", &self.identity.audiences, &[]);
        w.option("userinfo.url", &self.identity.userinfo_url);
        w.flag("implicit.supported", self.implicit, false);
        w.word("redirect.loopback", LOOPBACK, self.redirect.loopback, d.redirect.loopback);
        w.option("redirect.host", &self.redirect.host);
        w.numbers("redirect.ports", &self.redirect.ports, &[]);
        w.option("redirect.path", &self.redirect.path);
        w.option("redirect.paste", &self.redirect.paste);
        w.option("api.base-url", &self.api.base_url);
        w.texts("api.headers", &self.api.headers, &BTreeMap::new());
        let (name, scheme) = default_api_auth(self.api.auth.place);
        w.word("api.auth.in", API_AUTH_PLACE, self.api.auth.place, d.api.auth.place);
        w.unless("api.auth.name", &self.api.auth.name, name);
        w.unless("api.auth.scheme", &self.api.auth.scheme, scheme);
        w.list("api.hosts", &self.api.hosts, &[]);
        let (pages, d_pages) = (&self.api.pages, &d.api.pages);
        w.word("api.pages.by", PAGE_BY, pages.by, d_pages.by);
        w.option("api.pages.items", &pages.items);
        w.list("api.pages.next", &pages.next, &[]);
        w.option("api.pages.param", &pages.param);
        w.option("api.pages.size-param", &pages.size_param);
        w.number("api.pages.size", pages.size);
        w.number("api.pages.start", pages.start);
        w.option("api.pages.total-header", &pages.total_header);
        if let Some(whoami) = &self.whoami {
            w.unless("whoami.method", &whoami.method, "GET");
            w.put("whoami.url", whoami.url.as_str());
            w.texts("whoami.headers", &whoami.headers, &BTreeMap::new());
            w.option("whoami.body", &whoami.body);
            w.option("whoami.id", &whoami.id);
            w.option("whoami.label", &whoami.label);
        }
        self.describe_errors(&mut w);
        w.texts("limits.headers", &self.limits.headers, &BTreeMap::new());
        w.number("limits.per-second", self.limits.per_second);
        w.number("limits.per-day", self.limits.per_day);
        w.number("limits.parallel", self.limits.parallel);
        w.list("notes", &self.notes, &[]);
        w.list("sources", &self.sources, &[]);
        w.option("checked", &self.checked);
        w.list("not-verified", &self.not_verified, &[]);
        if let Some(grants) = &self.grant_types {
            w.put("grant-types", grants.iter().map(String::as_str).collect::<Array>());
        }
        w.wanted("par", self.par);
        w.option("par-url", &self.par_url);
        w.wanted("request-object", self.request_object);
        if let Some(ciba) = &self.ciba {
            w.endpoint("ciba", ciba, &self.beside_token());
        }
        w.option("registration-url", &self.registration_url);
        w.out
    }

    fn describe_refresh(&self, w: &mut Writer, d: &Provider) {
        let (refresh, d) = (&self.refresh, &d.refresh);
        w.endpoint("refresh", &refresh.endpoint, &self.like_token());
        w.flag("refresh.supported", refresh.supported, d.supported);
        w.unless("refresh.grant-type", &refresh.grant_type, &d.grant_type);
        w.unless("refresh.token-param", &refresh.token_param, &d.token_param);
        w.word("refresh.source", REFRESH_SOURCE, refresh.source, d.source);
        w.word("refresh.rotates", ROTATES, refresh.rotates, d.rotates);
        w.number("refresh.max-idle-s", refresh.max_idle_s);
        w.number("refresh.max-age-s", refresh.max_age_s);
    }

    fn describe_response(&self, w: &mut Writer, d: &Provider) {
        let (response, d) = (&self.response, &d.response);
        w.option("response.root", &response.root);
        w.unless("response.access-token", &response.access_token, &d.access_token);
        w.unless("response.refresh-token", &response.refresh_token, &d.refresh_token);
        w.unless("response.expires-in", &response.expires_in, &d.expires_in);
        w.unless("response.scope", &response.scope, &d.scope);
        w.unless("response.token-type", &response.token_type, &d.token_type);
        w.option("response.default-token-type", &response.default_token_type);
        w.word("response.expires-unit", EXPIRES_UNIT, response.expires_unit, d.expires_unit);
        w.number("response.default-expires-s", response.default_expires_s);
        w.word("response.zero-expires", ZERO_EXPIRES, response.zero_expires, d.zero_expires);
        w.flag("response.claims-from-jwt", response.claims_from_jwt, d.claims_from_jwt);
        w.option("response.ok-field", &response.ok_field);
        w.list("response.error", &response.error, &d.error);
        w.list("response.error-description", &response.error_description, &d.error_description);
        w.texts("response.capture", &response.capture, &d.capture);
    }

    fn describe_errors(&self, w: &mut Writer) {
        let mut rules = Array::new();
        for rule in &self.errors {
            let mut table = InlineTable::new();
            if let Some(status) = rule.status {
                table.insert("status", i64::from(status).into());
            }
            if let Some(code) = &rule.code {
                table.insert("code", code.as_str().into());
            }
            if let Some(text) = &rule.matches {
                table.insert("match", text.as_str().into());
            }
            table.insert("means", word(MEANS, rule.means).into());
            rules.push(table);
        }
        if w.all || !rules.is_empty() {
            w.put("errors", rules);
        }
    }
}

fn word<T: PartialEq + Copy>(words: &Words<T>, value: T) -> &'static str {
    words.iter().find(|(_, v)| *v == value).map_or("", |(name, _)| name)
}

struct Writer {
    out: Vec<(String, String)>,
    /// What is at its default is written too.
    all: bool,
}

impl Writer {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.out.push((key.to_owned(), value.into().to_string().trim().to_owned()));
    }

    fn option(&mut self, key: &str, value: &Option<String>) {
        if let Some(value) = value {
            self.put(key, value.as_str());
        }
    }

    fn unless(&mut self, key: &str, value: &str, default: &str) {
        if self.all || value != default {
            self.put(key, value);
        }
    }

    fn wanted(&mut self, key: &str, value: Wanted) {
        match value {
            Wanted::Auto if self.all => self.put(key, "auto"),
            Wanted::Auto => {}
            Wanted::Always => self.put(key, true),
            Wanted::Never => self.put(key, false),
        }
    }

    fn flag(&mut self, key: &str, value: bool, default: bool) {
        if self.all || value != default {
            self.put(key, value);
        }
    }

    fn number<T: Into<i64>>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.put(key, value.into());
        }
    }

    fn numbers(&mut self, key: &str, values: &[u16], default: &[u16]) {
        if self.all || values != default {
            self.put(key, values.iter().map(|n| i64::from(*n)).collect::<Array>());
        }
    }

    fn list(&mut self, key: &str, values: &[String], default: &[String]) {
        if self.all || values != default {
            self.put(key, values.iter().map(String::as_str).collect::<Array>());
        }
    }

    fn texts(&mut self, key: &str, values: &BTreeMap<String, String>, default: &BTreeMap<String, String>) {
        if values == default && !self.all {
            return;
        }
        if values.is_empty() {
            // said, since the default is not empty
            return self.put(key, InlineTable::new());
        }
        for (name, value) in values {
            self.put(&format!("{key}.{}", Key::new(name)), value.as_str());
        }
    }

    fn word<T: PartialEq + Copy>(&mut self, key: &str, words: &Words<T>, value: T, default: T) {
        if self.all || value != default {
            self.put(key, word(words, value));
        }
    }

    fn endpoint(&mut self, section: &str, it: &Endpoint, default: &Endpoint) {
        if self.all || it.url != default.url {
            self.option(&format!("{section}.url"), &it.url);
        }
        self.unless(&format!("{section}.method"), &it.method, &default.method);
        if self.all || it.auth != default.auth {
            let names = it.auth.iter().map(|a| word(CLIENT_AUTH, *a)).collect::<Array>();
            self.put(&format!("{section}.auth"), names);
        }
        self.word(&format!("{section}.params-in"), PARAMS_IN, it.params_in, default.params_in);
        self.texts(&format!("{section}.params"), &it.params, &default.params);
        self.texts(&format!("{section}.rename"), &it.rename, &default.rename);
        self.texts(&format!("{section}.headers"), &it.headers, &default.headers);
        self.flag(&format!("{section}.send-redirect-uri"), it.send_redirect_uri, default.send_redirect_uri);
        self.numbers(&format!("{section}.ok-status"), &it.ok_status, &default.ok_status);
    }
}
