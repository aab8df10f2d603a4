//! Checks of values beyond their types: single keys, and several keys together ([`together`]).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny};

use super::expand::{is_pattern, unfilled};
use super::{ClientAuth, Provider, TokenKind, auth_names, catalogue};
use crate::address::check_url;
use crate::layers::de::range;
use crate::layers::tree::{ReadError, Table, Value, look_up, refused, refused_in};
use crate::text::{nearest, safe};

type Text = Option<String>;

/// Sections that take missing keys from `token`.
pub(super) const LIKE_TOKEN: [&str; 2] = ["refresh", "client-credentials"];

/// Optional sections that take `auth` and `headers` from `token`.
pub(super) const BESIDE_TOKEN: [&str; 4] = ["device", "revoke", "ciba", "introspect"];

/// Parameters of the authorize request with which a login knows its own answer.
const OF_EACH_LOGIN: [&str; 4] = ["state", "nonce", "code_challenge", "code_challenge_method"];

/// Whether the name is valid in a file name and on a command line.
pub fn is_provider_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}

fn text<'de, D: Deserializer<'de>>(from: D, good: impl Fn(&str) -> bool, why: &str) -> Result<Text, D::Error> {
    let text = Text::deserialize(from)?;
    if text.as_deref().is_none_or(good) { Ok(text) } else { Err(D::Error::custom(why)) }
}

pub(super) fn issuer<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    // RFC 8414, section 2
    text(from, |url| check_url(url).map_or(true, |url| url.query().is_none()), "may not hold a query (`?`)")
}

pub(super) fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    text(from, is_day, "must be a day, `YYYY-MM-DD`")
}

pub(super) fn pattern<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    text(from, is_pattern, "must be `host`, `digits`, `word`, or a text with one `*`")
}

/// Names that HTTP itself needs: a request has its own.
const OF_HTTP: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "te"];

const NO_HEADER: &str = "must be a header's name: letters, digits, `-`, and none that HTTP itself sets";

/// Whether a request may have a header of this name (RFC 9110, section 5.1).
fn is_header_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(token) && !OF_HTTP.iter().any(|known| name.eq_ignore_ascii_case(known))
}

pub(super) fn header_name<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    text(from, is_header_name, NO_HEADER)
}

pub(super) fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let headers = BTreeMap::<String, String>::deserialize(from)?;
    match headers.keys().find(|name| !is_header_name(name)) {
        Some(bad) => Err(D::Error::custom(format!("holds `{}`; each {NO_HEADER}", safe(bad)))),
        None => Ok(headers),
    }
}

/// A text; `None` if it is empty, which takes back an inherited one.
pub(super) fn filled<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    Ok(Text::deserialize(from)?.filter(|text| !text.is_empty()))
}

pub(super) fn path<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    let good = |path: &str| path.starts_with('/') && !path.contains(['?', '#', ' ']);
    text(from, good, "must start with `/` and hold no `?` and no `#`")
}

/// An `aud` of assertions.
pub fn is_audience(text: &str) -> bool {
    matches!(text, "token-endpoint" | "issuer") || text.contains("://")
}

pub(super) fn audience<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    text(from, is_audience, "must be `token-endpoint`, `issuer` or a URL")
}

pub(super) fn aliases<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    match names.iter().find(|name| !is_provider_name(name)) {
        Some(bad) => Err(D::Error::custom(format!("holds `{}`: lower-case letters, digits, `-`, `_`, `.`", safe(bad)))),
        None => Ok(names),
    }
}

pub(super) fn oauth<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    match String::deserialize(from)? {
        version if version == "2.0" => Ok(()),
        other => Err(D::Error::custom(format!("is `{}`: this program speaks OAuth 2.0 only", safe(&other)))),
    }
}

pub(super) fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(BTreeMap::<String, IgnoredAny>::deserialize(from)?.into_keys().collect())
}

fn some<T, E: Error>(list: Vec<T>, instead: &str) -> Result<Vec<T>, E> {
    if list.is_empty() { Err(E::custom(format!("may not be empty; {instead}"))) } else { Ok(list) }
}

pub(super) fn statuses<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u16>, D::Error> {
    some(range::<100, 599, _, _>(from)?, "no answer would be a success")
}

pub(super) fn auth<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ClientAuth>, D::Error> {
    some(Vec::deserialize(from)?, "`[\"none\"]` sends the client id alone")
}

pub(super) fn tokens<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<TokenKind>, D::Error> {
    some(Vec::deserialize(from)?, "without `[revoke]` no token is revoked")
}

pub(super) fn usual_kind<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    let known = |kind: &str| ["bearer", "dpop"].iter().any(|known| kind.eq_ignore_ascii_case(known));
    text(from, known, "must be `Bearer` or `DPoP`")
}

pub(super) fn scalar<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    code(from).map(Option::unwrap_or_default)
}

/// One text or a list of them.
pub(super) fn paths<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    struct Paths;
    impl<'de> serde::de::Visitor<'de> for Paths {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_str<E>(self, path: &str) -> Result<Vec<String>, E> {
            Ok(vec![path.to_owned()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut paths = Vec::new();
            while let Some(path) = list.next_element()? {
                paths.push(path);
            }
            Ok(paths)
        }
    }
    from.deserialize_any(Paths)
}

/// GetResponse's codes are numbers.
pub(super) fn code<'de, D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    struct Code;
    impl serde::de::Visitor<'_> for Code {
        type Value = Text;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or an integer")
        }

        fn visit_str<E>(self, code: &str) -> Result<Text, E> {
            Ok(Some(code.to_owned()))
        }

        fn visit_i64<E>(self, code: i64) -> Result<Text, E> {
            Ok(Some(code.to_string()))
        }
    }
    from.deserialize_any(Code)
}

fn is_day(text: &str) -> bool {
    let parsed = text.parse::<toml_edit::Datetime>();
    parsed.is_ok_and(|it| it.time.is_none() && it.date.is_some_and(|date| date.year >= 2000))
}

/// Checks the keys that depend on others. `table` is the source of `p`; errors name `file`.
pub(super) fn together(p: &Provider, table: &Table, file: &str) -> Result<(), ReadError> {
    let refuse = |key: &str, why: &str| refused_in(table, key, why);
    let missing = |key: &str| Err(ReadError::Missing { file: file.to_owned(), key: key.to_owned() });
    for (name, var) in &p.vars {
        if name.contains('.') || unfilled(&format!("{{{name}}}")) != [name] {
            return refuse(&format!("vars.{name}"), "is no name for a variable: letters, digits, `_`, `-`");
        }
        if let Some(Err(why)) = var.default.as_deref().map(|default| var.accepts(default)) {
            return refuse(&format!("vars.{name}.default"), &why);
        }
    }
    if p.callback.token_host_from.is_some() && p.callback.token_host_allow.is_empty() {
        let why = "needs `callback.token-host-allow`, or secrets go to any host";
        return refuse("callback.token-host-from", why);
    }
    if let Some(name) = OF_EACH_LOGIN.iter().find(|name| p.authorize.params.contains_key(**name)) {
        let why = "can't be set: each login makes its own, and checks it (`pkce.mode` turns PKCE off)";
        return refuse(&format!("authorize.params.{name}"), why);
    }
    // RFC 6749, section 3.1.1: some servers want none, and `id_token` may stand beside `code`
    let brings_code = |kind: &String| kind.is_empty() || kind.split(' ').any(|word| word == "code");
    if !p.authorize.params.get("response_type").is_none_or(brings_code) {
        return refuse("authorize.params.response_type", "must hold `code`: a login takes nothing else");
    }
    if p.api.auth.header().is_some_and(|name| !is_header_name(name)) {
        return refuse("api.auth.name", NO_HEADER);
    }
    if p.api.pages.lacks_next() {
        let why = "needs `api.pages.next`: where the next page's address or cursor stands";
        return refuse("api.pages.by", why);
    }
    if p.hints_of.as_deref().is_some_and(|name| catalogue::find(name).is_none()) {
        return refuse("hints-of", "must be the name of a built-in provider");
    }
    rules(p, table)?;
    let endpoints = [
        ("device.url", p.device.as_ref().map(|device| &device.endpoint)),
        ("revoke.url", p.revoke.as_ref().map(|revoke| &revoke.endpoint)),
        ("ciba.url", p.ciba.as_ref()),
        ("introspect.url", p.introspect.as_ref()),
    ];
    let nowhere = endpoints.iter().find(|(_, it)| p.issuer.is_none() && it.is_some_and(|it| it.url.is_none()));
    match (nowhere, p.whoami.as_ref().map(|whoami| whoami.url.as_str())) {
        (Some((key, _)), _) => missing(key),
        (_, Some("")) => missing("whoami.url"),
        (_, Some(url)) if url.starts_with('/') => missing("api.base-url"),
        _ if p.token.url.is_none() && p.issuer.is_none() => missing("token.url` or `issuer"),
        _ => Ok(()),
    }
}

/// Checks each of `errors`.
fn rules(p: &Provider, table: &Table) -> Result<(), ReadError> {
    let Some(Value::List(rules)) = look_up(table, "errors").map(|entry| &entry.value) else { return Ok(()) };
    for (rule, told) in rules.iter().zip(&p.errors) {
        if told.means.is_none() && told.hint.is_none() {
            return refused("errors", rule, "needs a `means` or a `hint`");
        }
        if told.status.is_none() && told.code.is_none() && told.matches.is_none() {
            let key = if told.means.is_some() { "errors.means" } else { "errors.hint" };
            return refused(key, rule, "needs a `status`, a `code` or a `match` beside it");
        }
    }
    Ok(())
}

/// Refuses unknown client authentication methods, and outside `revoke` the ones that only it has.
pub(super) fn ways(table: &Table) -> Result<(), ReadError> {
    // an error in a key taken from `token` names `token`
    let sections = ["token"].into_iter().chain(LIKE_TOKEN).chain(BESIDE_TOKEN);
    for key in sections.filter(|section| *section != "revoke").map(|section| format!("{section}.auth")) {
        let Some(Value::List(ways)) = look_up(table, &key).map(|entry| &entry.value) else { continue };
        let known: Vec<String> = auth_names().collect();
        for way in ways {
            if let Value::Text(word) = &way.value
                && !known.contains(&word.replace('-', "_"))
            {
                return Err(ReadError::WrongChoice {
                    key,
                    at: way.at.clone(),
                    value: safe(word),
                    known: known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
                    nearest: nearest(word, known.iter().map(String::as_str)).map(str::to_owned),
                });
            }
        }
    }
    Ok(())
}
