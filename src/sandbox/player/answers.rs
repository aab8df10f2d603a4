//! The answers of a played provider, in the form that its entry says.

use serde_json::{Value, json};

use super::{Facts, Player};
use crate::provider::expand::at_path;
use crate::provider::{ErrorRule, ErrorsAt, ExpiresUnit, Means, Provider, TokenKind, VarFrom, ZeroExpires};
use crate::sandbox::logins::Issued;
use crate::sandbox::message::{json as answer, with_header};
use crate::world::http_server::serve::Response;

/// The account that signs in.
pub const ACCOUNT: &str = "player@practice.example";
const ACCOUNT_ID: &str = "practice-1";

/// The lifetime of an access token, where the entry says none, in seconds.
const LIFE: i64 = 3600;
const REFRESH_LIFE: i64 = 30 * 86_400;

/// Puts a value at a path: names of members, or numbers of a list's items, joined by `.`.
pub fn put(into: &mut Value, path: &str, what: Value) {
    let mut at = into;
    for name in path.split('.') {
        at = match name.parse::<usize>() {
            Ok(number) if !at.is_object() => {
                if !at.is_array() {
                    *at = json!([]);
                }
                let list = at.as_array_mut().expect("just made");
                list.resize(list.len().max(number + 1), Value::Null);
                &mut list[number]
            }
            _ => {
                if !at.is_object() {
                    *at = json!({});
                }
                at.as_object_mut().expect("just made").entry(name).or_insert(Value::Null)
            }
        };
    }
    *at = what;
}

/// Seconds until an access token of this provider expires.
pub fn life(facts: &Provider) -> Option<i64> {
    match facts.response.zero_expires {
        ZeroExpires::Never => None,
        ZeroExpires::Now => Some(facts.response.default_expires_s.unwrap_or(LIFE)),
    }
}

fn in_unit(seconds: i64, unit: ExpiresUnit, now: i64) -> Value {
    match unit {
        ExpiresUnit::Seconds => json!(seconds),
        ExpiresUnit::Milliseconds => json!(seconds * 1000),
        ExpiresUnit::Minutes => json!(seconds / 60),
        ExpiresUnit::Epoch => json!(now + seconds),
        ExpiresUnit::EpochMilliseconds => json!((now + seconds) * 1000),
        ExpiresUnit::Iso8601 => json!(crate::text::times::rfc3339(now + seconds)),
    }
}

/// A JSON value that a text of the entry stands for: a number, a boolean or a text.
fn literal(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => json!(text),
    }
}

fn not(value: Value) -> Value {
    match value {
        Value::Bool(yes) => json!(!yes),
        Value::Number(_) => json!(40_105),
        _ => json!("no"),
    }
}

impl Player {
    /// The token answer (RFC 6749, section 5.1), where the entry says that its members stand.
    pub(super) fn granted(&self, facts: &Provider, issued: &Issued, status: u16) -> Response {
        let shape = &facts.response;
        let mut set = json!({});
        put(&mut set, &shape.access_token, json!(issued.access));
        if let Some(refresh) = &issued.refresh {
            put(&mut set, &shape.refresh_token, json!(refresh));
        }
        if shape.default_token_type.is_none() {
            let kind = shape.bearer_types.first().map_or("Bearer", String::as_str);
            put(&mut set, &shape.token_type, json!(kind));
        }
        match life(facts) {
            None => put(&mut set, &shape.expires_in, json!(0)),
            Some(_) if shape.default_expires_s.is_some() => {}
            Some(life) => put(&mut set, &shape.expires_in, in_unit(life, shape.expires_unit, self.now())),
        }
        if let (Some(path), Some(_)) = (&shape.refresh_expires_in, &issued.refresh) {
            put(&mut set, path, in_unit(REFRESH_LIFE, shape.refresh_expires_unit, self.now()));
        }
        if !issued.grant.scopes.is_empty() {
            let separator = shape.scope_separator.as_deref().unwrap_or(&facts.scopes.separator);
            put(&mut set, &shape.scope, json!(issued.grant.scopes.join(separator)));
        }
        let told = facts.vars.iter().filter(|(_, var)| var.from == VarFrom::Token);
        let told = told.map(|(name, var)| (name, var.path.as_ref().unwrap_or(name)));
        for (name, path) in told.chain(&shape.capture) {
            put(&mut set, path, json!(self.taught[name]));
        }
        let mut whole = match shape.root.iter().find(|path| !path.is_empty()) {
            None => set,
            Some(root) => {
                let mut whole = json!({});
                put(&mut whole, root, set);
                whole
            }
        };
        if let Some(path) = &shape.ok_field {
            put(&mut whole, path, literal(&shape.ok_value));
        }
        answer(status, &whole)
    }

    /// A refusal of the token endpoint: by the entry's rule for it, else by the RFC's code, where
    /// the entry says that errors stand.
    pub(super) fn refused(&self, means: Means, code: &str) -> Response {
        let rules = &self.facts.after.errors;
        let of_token = |rule: &&ErrorRule| {
            rule.means == Some(means) && rule.at != ErrorsAt::Api && (rule.code.is_some() || rule.matches.is_some())
        };
        let rule = rules.iter().find(of_token);
        let shape = &self.facts.after.response;
        let mut body = json!({});
        if let Some(path) = &shape.ok_field {
            put(&mut body, path, not(literal(&shape.ok_value)));
        }
        let code = rule.and_then(|rule| rule.code.as_deref()).unwrap_or(code);
        if let Some(path) = shape.error.first() {
            put(&mut body, path, json!(code));
        }
        if let Some(path) = shape.error_description.first() {
            let said = rule.and_then(|rule| rule.matches.as_deref()).unwrap_or("refused by the practice server");
            put(&mut body, path, json!(said));
        }
        let usual = match (&shape.ok_field, means) {
            (Some(_), _) => 200,
            (None, Means::WrongClient) => 401,
            _ => 400,
        };
        answer(rule.and_then(|rule| rule.status).unwrap_or(usual), &body)
    }

    /// The API's answer to a token that has expired, by the entry's rule for it.
    pub(super) fn expired_at_api(&self) -> Response {
        let rules = self.facts.after.errors.iter();
        let mut of_api = rules.filter(|rule| rule.at != ErrorsAt::Token && rule.means == Some(Means::Expired));
        let Some(rule) = of_api.next() else {
            let body = json!({ "error": "invalid_token", "error_description": "the access token expired" });
            return with_header(answer(401, &body), "www-authenticate", "Bearer error=\"invalid_token\"");
        };
        let body = json!({
            "code": rule.code.as_deref().map_or(Value::Null, literal),
            "message": rule.matches.as_deref().unwrap_or("the access token expired"),
        });
        answer(rule.status.unwrap_or(401), &body)
    }

    /// The answer of `whoami`, and of the userinfo endpoint.
    pub(super) fn account(&self) -> Response {
        let facts = &self.facts.after;
        let mut body = json!({ "sub": ACCOUNT_ID, "email": ACCOUNT });
        if let Some(whoami) = &facts.whoami {
            body = json!({});
            for (path, value) in [(&whoami.id, ACCOUNT_ID), (&whoami.label, ACCOUNT)] {
                if let Some(path) = path {
                    put(&mut body, path, json!(value));
                }
            }
        }
        for (name, var) in facts.vars.iter().filter(|(_, var)| var.from == VarFrom::Whoami) {
            put(&mut body, var.path.as_ref().unwrap_or(name), json!(self.taught[name]));
        }
        answer(200, &body)
    }

    /// What `whoami` prints then; `None`: the answer names nobody.
    pub fn account_shown(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.account().body).ok()?;
        let Some(whoami) = &self.facts.after.whoami else { return Some(ACCOUNT.to_owned()) };
        [&whoami.label, &whoami.id]
            .into_iter()
            .flatten()
            .find_map(|path| Some(at_path(&body, path)?.as_str()?.to_owned()))
    }
}

impl Facts {
    /// Whether a login brings a token that renews it.
    pub fn renews(&self) -> bool {
        self.after.refresh.supported
    }

    /// Whether such a login has a refresh token of its own.
    pub fn has_refresh_token(&self) -> bool {
        self.renews() && self.after.refresh.source == TokenKind::RefreshToken
    }
}
