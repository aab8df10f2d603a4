//! Fills `{var}` in a provider's strings from the profile, and checks the values.
//!
//! A value from a user, a redirect or a token response decides which host gets secrets. So it is
//! judged by its position: a whole base address, in a host name, in a path. It can never change the
//! end of the host.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schema::{StringKind, Strings};
use super::{Provider, Var, VarFrom};
use crate::address::{self, UrlFault, check_url, fits_host, is_host, is_of_app};
use crate::text::safe;

/// The redirect address of the login, which a refresh may have to repeat.
pub const REDIRECT_URI: &str = "redirect_uri";

/// The variable that every provider has: the client's id.
pub const CLIENT_ID: &str = "client_id";

/// Why a provider's strings can't be filled. No message repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    #[error("the provider `{provider}` needs the variable `{name}`{}", .prompt.as_ref().map(|p| format!(" ({p})")).unwrap_or_default())]
    Missing { provider: String, name: String, prompt: Option<String> },
    #[error("the variable `{name}` {why}")]
    Value { name: String, why: String },
    #[error("the redirect's `{name}` {why}")]
    TokenHost { name: String, why: String },
    #[error("`{key}` of the provider `{provider}` {fault}")]
    Url { provider: String, key: String, fault: UrlFault },
}

/// [`check_url`] for a string with unfilled `{var}`.
pub fn check_url_template(text: &str) -> Result<(), UrlFault> {
    let mut plain = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => plain.push_str(text),
            Piece::Var(_) if plain.is_empty() => plain.push_str("https://x.invalid"),
            // a port, or a part of a name; a digit is valid in both, but not at a name's end
            Piece::Var(_) if plain.ends_with(':') => plain.push('1'),
            Piece::Var(_) => plain.push('x'),
        }
    }
    check_url(&plain).map(|_| ())
}

/// A part of a template.
pub enum Piece<'a> {
    Text(&'a str),
    Var(&'a str),
}

/// Splits a string at its `{name}`s. Braces around anything but a name are text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|i| at + i) {
        let Some(close) = text[open..].find('}').map(|i| open + i) else { break };
        let name = &text[open + 1..close];
        if is_name(name) {
            if from < open {
                out.push(Piece::Text(&text[from..open]));
            }
            out.push(Piece::Var(name));
            from = close + 1;
            at = from;
        } else {
            at = open + 1;
        }
    }
    if from < text.len() {
        out.push(Piece::Text(&text[from..]));
    }
    out
}

/// Letters, digits, `_`, `-`, and `.` for a reference to a key of the file (`{api.base-url}`).
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// The variables that a text names.
pub fn unfilled(text: &str) -> Vec<&str> {
    pieces(text).into_iter().filter_map(|p| if let Piece::Var(name) = p { Some(name) } else { None }).collect()
}

impl Provider {
    /// The variables without a default that the user must still set, in the order of the file.
    pub fn missing_vars<'a>(&'a self, vars: &BTreeMap<String, String>) -> Vec<(&'a str, &'a Var)> {
        let asked = self.vars.iter().map(|(name, var)| (name.as_str(), var));
        let missing = |(name, var): &(&str, &Var)| {
            var.from == VarFrom::User && var.default.is_none() && !vars.contains_key(*name)
        };
        let mut missing: Vec<_> = asked.filter(missing).collect();
        missing.sort_by_key(|(_, var)| var.line.0);
        missing
    }

    /// The user's variables that a host tells: `acme` of `acme.example.com`, where an address is
    /// `https://{team}.example.com`. The service's own site is nobody's.
    pub fn told_by_host(&self, host: &str) -> BTreeMap<String, String> {
        let site = address::site(host);
        let sites_own = [site.clone(), format!("www.{site}")].iter().any(|own| own == host);
        let endpoints = [&self.authorize.url, &self.token.url, &self.issuer, &self.api.base_url];
        let mut told = BTreeMap::new();
        for template in endpoints.into_iter().flatten().filter(|_| !sites_own) {
            let Some((name, value)) = told_by(template, host) else { continue };
            let asked = self.vars.get(name).is_some_and(|var| var.from == VarFrom::User && !var.secret);
            if asked && self.takes(name, value).is_ok() {
                told.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        told
    }

    /// Whether the user enters this variable and its value must stay secret.
    pub fn has_secret_var(&self, name: &str) -> bool {
        self.vars.get(name).is_some_and(|var| var.secret && var.from == VarFrom::User)
    }

    /// Fills `{var}` in every string. A missing variable of the user's is an error; a variable
    /// that no login has brought stays open.
    pub fn expand(&self, vars: &BTreeMap<String, String>) -> Result<Provider, ExpandError> {
        self.expand_upto(VarFrom::Whoami, vars)
    }

    /// The same for a login that has come so far. A variable of a later step stays open, but for
    /// keys that are needed before that step: those take the default.
    pub fn expand_upto(&self, upto: VarFrom, vars: &BTreeMap<String, String>) -> Result<Provider, ExpandError> {
        if let Some((name, var)) = self.missing_vars(vars).first() {
            let (provider, name) = (self.id.clone(), (*name).to_owned());
            return Err(ExpandError::Missing { provider, name, prompt: var.prompt.clone() });
        }
        self.filled_upto(upto, vars)
    }

    /// The same, as far as the variables are known.
    pub fn filled_upto(&self, upto: VarFrom, vars: &BTreeMap<String, String>) -> Result<Provider, ExpandError> {
        let (mut values, mut later) = (BTreeMap::new(), Vec::new());
        values.extend(vars.get(CLIENT_ID).map(|id| (CLIENT_ID, id.as_str())));
        for (name, var) in &self.vars {
            let Some(value) = vars.get(name).or(var.default.as_ref()) else { continue };
            var.accepts(value).map_err(|why| ExpandError::Value { name: safe(name), why })?;
            values.insert(name.as_str(), value.as_str());
            if var.from > upto && !vars.contains_key(name) {
                later.push((name.as_str(), var.from));
            }
        }
        let captured = self.response.capture.keys().filter_map(|name| Some((name.as_str(), vars.get(name)?.as_str())));
        values.extend(captured);
        let mut out = self.clone();
        if let Some(name) = &self.callback.token_host_from
            && let Some(said) = vars.get(name).filter(|_| upto > VarFrom::User)
        {
            out.go_to_token_host(said).map_err(|why| ExpandError::TokenHost { name: safe(name), why })?;
        }
        out.each_string(&mut |key, kind, text| {
            let mut values = values.clone();
            let needed = needed_at(key);
            values.retain(|name, _| !later.iter().any(|(later, from)| later == name && *from <= needed));
            *text = fill(text, kind, &values)?;
            if kind == StringKind::Url && unfilled(text).is_empty() {
                let (provider, key) = (self.id.clone(), key.to_owned());
                check_url(text).map_err(|fault| ExpandError::Url { provider, key, fault })?;
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// Whether a variable may have this value everywhere; if not, a reason to follow its name.
    pub fn takes(&self, name: &str, value: &str) -> Result<(), String> {
        if let Some(var) = self.vars.get(name) {
            var.accepts(value)?;
        }
        let values = BTreeMap::from([(name, value)]);
        self.clone().each_string(&mut |_, kind, text| match fill(text, kind, &values) {
            Err(ExpandError::Value { why, .. }) => Err(why),
            _ => Ok(()),
        })
    }
}

/// The variables that a login brings.
impl Provider {
    /// The variables that the redirect's parameters bring, and the token host that they name.
    pub fn told_by_redirect(&self, params: &[(String, String)]) -> BTreeMap<String, String> {
        let value = |name: &str| params.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let host = self.callback.token_host_from.iter().map(|name| (name.clone(), name.as_str()));
        let vars = self.vars_from(VarFrom::Callback).chain(host).chain([(REDIRECT_URI.to_owned(), REDIRECT_URI)]);
        vars.filter_map(|(name, path)| Some((name, value(path)?))).collect()
    }

    /// The variables that the members of a token answer bring.
    pub fn told_by_answer(&self, members: &Map<String, Value>) -> BTreeMap<String, String> {
        let members = Value::Object(members.clone());
        let captured = self.response.capture.keys().map(|name| (name.clone(), name.as_str()));
        told(&members, captured.chain(self.vars_from(VarFrom::Token)))
    }

    /// The variables that the answer of `whoami` brings.
    pub fn told_by_whoami(&self, answer: &Value) -> BTreeMap<String, String> {
        told(answer, self.vars_from(VarFrom::Whoami))
    }

    /// The variables that a login should bring, and that this one did not.
    pub fn untaught<'a>(&'a self, vars: &'a BTreeMap<String, String>) -> impl Iterator<Item = &'a str> {
        let known = |name: &str, var: &Var| var.default.is_some() || vars.contains_key(name);
        let open = self.vars.iter().filter(move |(name, var)| var.from != VarFrom::User && !known(name, var));
        open.map(|(name, _)| name.as_str())
    }

    /// Each variable of this source, and its place there.
    fn vars_from(&self, from: VarFrom) -> impl Iterator<Item = (String, &str)> {
        let vars = self.vars.iter().filter(move |(_, var)| var.from == from);
        vars.map(|(name, var)| (name.clone(), var.path.as_deref().unwrap_or(name)))
    }

    /// The provider at the token host of a login that brought these variables.
    pub fn at_token_host(&self, vars: &BTreeMap<String, String>) -> Provider {
        let mut out = self.clone();
        if let Some(said) = self.callback.token_host_from.as_ref().and_then(|name| vars.get(name)) {
            let _ = out.go_to_token_host(said);
        }
        out
    }

    /// Moves every address on the token endpoint's host to the host that the redirect named. The
    /// next sign-in begins at the old one.
    fn go_to_token_host(&mut self, said: &str) -> Result<(), String> {
        let Some(old) = self.token.url.as_deref().map(|url| origin(url).to_owned()) else { return Ok(()) };
        let scheme = if old.starts_with("http://") { "http" } else { "https" };
        let new = if said.contains("://") { said.to_owned() } else { format!("{scheme}://{said}") };
        let new = new.trim_end_matches('/').to_owned();
        let allowed = |url: url::Url| {
            let is_origin = origin(&new) == new && url.query().is_none() && [scheme, "https"].contains(&url.scheme());
            is_origin && self.callback.token_host_allow.iter().any(|pattern| fits_host(pattern, &url))
        };
        if !check_url(&new).is_ok_and(allowed) {
            return Err("names a host that `callback.token-host-allow` does not allow".to_owned());
        }
        self.each_string(&mut |key, kind, text| {
            let before = ["authorize.", "issuer", "redirect."];
            if kind == StringKind::Url && origin(text) == old && !before.iter().any(|it| key.starts_with(it)) {
                *text = format!("{new}{}", &text[old.len()..]);
            }
            Ok(())
        })
    }
}

/// The step of a login that is over when the key is first used.
fn needed_at(key: &str) -> VarFrom {
    match key.split('.').next() {
        Some("authorize") => VarFrom::User,
        Some("whoami") => VarFrom::Token,
        Some("api" | "refresh" | "revoke" | "introspect" | "userinfo") => VarFrom::Whoami,
        _ => VarFrom::Callback,
    }
}

/// Scheme, host and port as a template has them.
fn origin(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    url[from..].find(['/', '?']).map_or(url, |end| &url[..from + end])
}

/// The value at a path: names of members, or numbers of a list's items, joined by `.`.
pub fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    // a member whose own name has a dot comes first
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    })
}

fn told<'a>(answer: &Value, places: impl Iterator<Item = (String, &'a str)>) -> BTreeMap<String, String> {
    let text = |path: &str| match at_path(answer, path)? {
        Value::String(text) => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    };
    places.filter_map(|(name, path)| Some((name, text(path)?))).collect()
}

/// The first variable that is not filled in, in the strings that are about to become a request.
pub fn open_variable(strings: &(impl Strings + Clone)) -> Option<String> {
    let mut open = None;
    let Ok(()) = strings.clone().each("", StringKind::Table, &mut |_, kind, text| {
        if !matches!(kind, StringKind::Host | StringKind::Long) {
            open = open.take().or(unfilled(text).first().map(|name| (*name).to_owned()));
        }
        Ok::<(), std::convert::Infallible>(())
    });
    open
}

impl Var {
    /// Whether a value fits `enum` and `pattern`; if not, a reason to follow the variable's name.
    pub fn accepts(&self, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Err("may not be empty".to_owned());
        }
        if value.chars().any(char::is_control) {
            return Err("may not hold control characters".to_owned());
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|o| o == value) {
            return Err(format!("must be one of `{}`", self.one_of.join("`, `")));
        }
        let Some(pattern) = self.pattern.as_deref() else { return Ok(()) };
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let (fits, why) = match pattern {
            "host" => (is_host(value), "must be a host name, without `https://` and without a path".to_owned()),
            "digits" => (value.bytes().all(|b| b.is_ascii_digit()), "must be digits".to_owned()),
            "word" => (value.chars().all(word), "must be letters, digits, `-` and `_`".to_owned()),
            _ => {
                let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
                let star = value.strip_prefix(before).and_then(|value| value.strip_suffix(after));
                // `/`, `@` or `?` would reach beyond a host name or a word
                let fits = |star: &str| !star.is_empty() && star.chars().all(|c| word(c) || c == '.');
                (star.is_some_and(fits), format!("must look like `{}`", safe(pattern)))
            }
        };
        if fits { Ok(()) } else { Err(why) }
    }
}

/// Whether [`Var::accepts`] understands the pattern.
pub fn is_pattern(pattern: &str) -> bool {
    matches!(pattern, "host" | "digits" | "word") || pattern.matches('*').count() == 1
}

pub fn fill(text: &str, kind: StringKind, values: &BTreeMap<&str, &str>) -> Result<String, ExpandError> {
    if !text.contains('{') {
        return Ok(text.to_owned());
    }
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Var(name) => match values.get(name) {
                None => out.push_str(&format!("{{{name}}}")),
                Some(value) => {
                    let refused = |why: &str| ExpandError::Value { name: safe(name), why: why.to_owned() };
                    out.push_str(judge(value, kind, &out).map_err(refused)?);
                }
            },
        }
    }
    Ok(out)
}

/// The value in a form to put after `before`, or why it is refused.
fn judge<'a>(value: &'a str, kind: StringKind, before: &str) -> Result<&'a str, &'static str> {
    if value.chars().any(char::is_control) {
        return Err("may not hold control characters");
    }
    match kind {
        StringKind::Text | StringKind::Long | StringKind::Page | StringKind::Table => Ok(value),
        StringKind::Host if is_host_part(value) => Ok(value),
        StringKind::Host => Err("must be (a part of) a host name"),
        StringKind::Url if before.is_empty() => match check_url(value) {
            Ok(url) if url.query().is_none() => Ok(value.trim_end_matches('/')),
            Ok(_) => Err("must be an address without `?`"),
            Err(_) => Err("must be an `https://` address"),
        },
        StringKind::Url => {
            let in_host = before.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
            if in_host {
                return if is_host_part(value) { Ok(value) } else { Err("must be (a part of) a host name") };
            }
            let breaks = |c: char| c.is_whitespace() || matches!(c, '/' | '\\' | '@' | '#' | '?' | '&' | '%');
            if value.is_empty() || value.chars().all(|c| c == '.') || value.contains(breaks) {
                return Err("may not hold `/`, `@`, `#`, `?`, `&`, `%` or blanks");
            }
            Ok(value)
        }
    }
}

/// Letters, digits, `-`, `.` and a port's `:`; no character that ends a host name.
fn is_host_part(value: &str) -> bool {
    !value.is_empty()
        && !value.starts_with('.')
        && !value.contains("..")
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':'))
}

impl Provider {
    /// Takes out an endpoint that a command asks with a token that is stored.
    pub fn without_endpoint(&mut self, key: &str) {
        match key {
            "userinfo.url" => self.userinfo.url = None,
            "introspect.url" => self.introspect = None,
            "revoke.url" => self.revoke = None,
            _ => {}
        }
    }

    /// Visits every string that may contain `{var}`, with its key.
    pub fn each_string<E>(
        &mut self,
        visit: &mut dyn FnMut(&str, StringKind, &mut String) -> Result<(), E>,
    ) -> Result<(), E> {
        let offered = self.client_credentials.supported;
        self.each("", StringKind::Table, &mut |key, kind, text| {
            // an endpoint that isn't offered gets no secret
            if !offered && key.starts_with("client-credentials.") {
                return Ok(());
            }
            let kind = match kind {
                StringKind::Page if text == "oob" || is_of_app(text) => StringKind::Text,
                StringKind::Page => StringKind::Url,
                kind => kind,
            };
            visit(key, kind, text)
        })
    }
}

/// The variable of an address's host, and its value where the host is this one.
fn told_by<'a>(template: &'a str, host: &'a str) -> Option<(&'a str, &'a str)> {
    let own = template.strip_prefix("https://")?.split(['/', ':', '?']).next()?;
    let (before, rest) = own.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    let value = host.strip_prefix(before)?.strip_suffix(after)?;
    (!value.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_tells_the_variables_of_the_addresses() {
        for (template, host, told) in [
            ("https://{domain}/oauth2", "acme.okta.com", Some(("domain", "acme.okta.com"))),
            ("https://{shop}.shop.example/a", "acme.shop.example", Some(("shop", "acme"))),
            ("https://accounts.zoho.{region}", "accounts.zoho.eu", Some(("region", "eu"))),
            ("https://{shop}.shop.example/a", "shop.example", None),
            ("https://{a}.{b}.example", "one.two.example", None),
            ("https://fixed.example/{tenant}", "fixed.example", None),
        ] {
            assert_eq!(told_by(template, host), told, "{template}");
        }
    }

    #[test]
    fn templates_are_judged_as_if_they_were_filled() {
        for good in ["{base}/x", "https://{a}.{b}/x", "https://{host}:{port}/x", "https://a.example/{id}?x={y}"] {
            assert_eq!(check_url_template(good), Ok(()), "{good}");
        }
        for bad in ["http://{host}/x", "{base}@example.com", "https://example.com/{x}#y", "ftp://{host}"] {
            assert!(check_url_template(bad).is_err(), "{bad}");
        }
    }

    fn with_url(url: &str, var: Var) -> Provider {
        let mut p = Provider::bare("x");
        p.token.url = Some(url.to_owned());
        p.vars.insert("v".to_owned(), var);
        p
    }

    fn expanded(url: &str, value: &str) -> Result<String, ExpandError> {
        let vars = [("v".to_owned(), value.to_owned())].into();
        with_url(url, Var::default()).expand(&vars).map(|p| p.token.endpoint.url.unwrap())
    }

    #[test]
    fn no_value_can_move_the_end_of_the_host() {
        for value in ["a/", "a@b", "a#", "a?", "a b", "a\\", "a\n", "evil.example/.", "", "a%2fb", "..", ".a"] {
            assert!(expanded("https://{v}.example.com/token", value).is_err(), "{value:?}");
        }
        for value in ["a/b", "../x", "..", "a?b", "a#b", "a b", "a&b", "a%2f", ""] {
            assert!(expanded("https://example.com/{v}/token", value).is_err(), "{value:?}");
        }
        for value in ["http://evil.example", "https://a@b.example", "https://a.example?x", "javascript:x", "a.example"]
        {
            assert!(expanded("{v}/token", value).is_err(), "{value:?}");
        }
        assert_eq!(expanded("https://{v}.example.com/token", "eu-1").unwrap(), "https://eu-1.example.com/token");
        assert_eq!(expanded("https://example.com/{v}/token", "t-1").unwrap(), "https://example.com/t-1/token");
        assert_eq!(expanded("{v}/token", "https://a.example:444/").unwrap(), "https://a.example:444/token");
        assert_eq!(expanded("https://a.example:{v}/token", "444").unwrap(), "https://a.example:444/token");
        assert!(expanded("https://a.example:{v}/token", "99999").is_err());
    }

    #[test]
    fn a_missing_variable_is_named_with_its_question() {
        let var = Var { prompt: Some("the account's domain".to_owned()), ..Var::default() };
        let p = with_url("https://{v}/token", var);
        assert_eq!(
            p.expand(&BTreeMap::new()).unwrap_err().to_string(),
            "the provider `x` needs the variable `v` (the account's domain)"
        );
        assert_eq!(p.missing_vars(&BTreeMap::new()).len(), 1);
        let p = with_url("https://{v}/token", Var { default: Some("d.example".to_owned()), ..Var::default() });
        assert!(p.missing_vars(&BTreeMap::new()).is_empty());
        assert_eq!(p.expand(&BTreeMap::new()).unwrap().token.url.as_deref(), Some("https://d.example/token"));
    }

    #[test]
    fn values_must_fit_their_pattern_and_list() {
        let pattern = |p: &str| Var { pattern: Some(p.to_owned()), ..Var::default() };
        for (var, good, bad) in [
            (pattern("host"), "a.example:80", "https://a.example"),
            (pattern("digits"), "123", "12x"),
            (pattern("word"), "a_b-1", "a.b"),
            (
                pattern("https://*.salesforce.example"),
                "https://na1.my.salesforce.example",
                "https://evil.example/.salesforce.example",
            ),
            (pattern("*.example"), "a.example", ".example"),
            (Var { one_of: vec!["a".to_owned(), "b".to_owned()], ..Var::default() }, "b", "c"),
        ] {
            assert_eq!(var.accepts(good), Ok(()), "{var:?}");
            assert!(var.accepts(bad).is_err(), "{var:?}");
        }
    }

    // CVE-2024-50338: a line break in a value makes a second header
    #[test]
    fn a_header_takes_no_line_break_from_a_value() {
        let mut p = with_url("https://a.example", Var::default());
        p.api.headers.insert("X-Domain".to_owned(), "{v}".to_owned());
        for value in ["a\r\nX-Evil: 1", "a\rb", "a\0"] {
            assert!(p.expand(&[("v".to_owned(), value.to_owned())].into()).is_err());
        }
        let p = p.expand(&[("v".to_owned(), "a b/c".to_owned())].into()).unwrap();
        assert_eq!(p.api.headers["X-Domain"], "a b/c");
    }

    #[test]
    fn braces_that_hold_no_name_are_text() {
        assert_eq!(unfilled("{ viewer { id } } {a} {b.c} {} {1} {d"), ["a", "b.c"]);
    }
}
