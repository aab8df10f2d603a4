//! Reads a token response (RFC 6749, sections 5.1 and 5.2). The members that are used are read
//! strictly, the others leniently: an odd `expires_in` must not lose a token that the server has
//! issued.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::protocol::{api_error, form, jose, jwt};
use crate::provider::{ExpiresUnit, ResponseShape, ZeroExpires};
use crate::secret::{Secret, WipedJson};
use crate::token::TokenSet;
use crate::wire::Response;

/// The longest accepted token, in bytes (T-53).
const LONGEST_TOKEN: usize = 64 * 1024;

/// A token set, with warnings about the response.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub set: TokenSet,
    /// For `-v` and for a line on stderr; safe to show.
    pub warnings: Vec<String>,
}

/// Why a response can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The server refused, with its own code and message.
    #[error("the server answered `{}`{}", crate::text::safe(error), described(description))]
    OAuth { status: u16, error: String, description: Option<String> },
    #[error("the server answered with status {status}")]
    Unavailable { status: u16, retry_after: Option<String> },
    #[error("the server answered with status {0} and no reason")]
    Status(u16),
    /// T-10: a success status other than the one that carries tokens.
    #[error("the server answered with status {0}, which is not a success at a token endpoint")]
    NotOk(u16),
    /// A redirect is never followed: the request held secrets (T-20).
    #[error("the server answered with a redirect (status {0}), which is never followed with a secret")]
    Redirect(u16),
    #[error("the server answered with a web page (status {0}), not with a token")]
    Html(u16),
    #[error("the answer is not a JSON object: {0}")]
    NotJson(String),
    #[error("the answer has no `{0}`")]
    Missing(String),
    #[error("the answer's `{0}` stands there twice with different values")]
    Duplicate(String),
    #[error("the answer's `{0}` has characters that a token can't have, or is longer than 64 KiB")]
    BadToken(&'static str),
    #[error("the answer's token type is `{}`, which this program can't use", crate::text::safe(.0))]
    TokenType(String),
    /// RFC 9449, section 5: a stolen bearer token works without the key.
    #[error("the answer's token is not bound to the key: its type is `{}`, and `DPoP` was asked for", crate::text::safe(.0))]
    NotBound(String),
}

/// The kind of token that was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Bearer,
    /// RFC 9449.
    Dpop,
}

fn described(description: &Option<String>) -> String {
    description.as_deref().map(|d| format!(": {}", crate::text::safe(d))).unwrap_or_default()
}

/// How to read a response.
pub struct Reader<'a> {
    /// The requested kind of token; every other kind is refused.
    pub wanted: Wanted,
    /// The statuses that mean success here.
    pub ok_status: &'a [u16],
    pub shape: &'a ResponseShape,
    /// Separates scopes.
    pub separator: &'a str,
    /// When the response arrived, in Unix seconds.
    pub now: i64,
}

impl Reader<'_> {
    /// Reads a token response, or returns why it can't be used.
    pub fn read(&self, response: &Response) -> Result<Answer, AnswerError> {
        let (status, shape) = (response.status, self.shape);
        if (300..400).contains(&status) {
            return Err(AnswerError::Redirect(status));
        }
        let members = members(response);
        if !self.ok_status.contains(&status) {
            return Err(match refusal(response, shape, members.ok()) {
                // T-10: a token never comes with this status, whatever the body holds
                AnswerError::Status(_) | AnswerError::Html(_) if (200..300).contains(&status) => {
                    AnswerError::NotOk(status)
                }
                refusal => refusal,
            });
        }
        let members = members?;
        if let Some(name) = members.clash() {
            return Err(AnswerError::Duplicate(name));
        }
        let whole = WipedJson(Value::Object(members.into_map()));
        // GitHub and Slack refuse with status 200 (T-08)
        if let Some(error) = shape.error.iter().find_map(|path| at(&whole, path)).filter(|e| !e.is_null()) {
            return Err(oauth_error(status, error, &whole, shape));
        }
        if let Some(path) = &shape.ok_field
            && at(&whole, path) != Some(&Value::Bool(true))
        {
            return Err(refusal(response, shape, None));
        }
        let root = match &shape.root {
            Some(path) => at(&whole, path).ok_or_else(|| AnswerError::Missing(path.clone()))?,
            None => &whole,
        };
        self.set(root, &whole)
    }

    fn set(&self, root: &Value, whole: &Value) -> Result<Answer, AnswerError> {
        let (shape, now) = (self.shape, self.now);
        let mut warnings = Vec::new();
        let access_token = token(root, &shape.access_token, "access_token")?
            .ok_or_else(|| AnswerError::Missing(shape.access_token.clone()))?;
        let refresh_token = token(root, &shape.refresh_token, "refresh_token")?;
        let id_token = match at(root, "id_token") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
            // other JSON can't be a token: its check refuses it later, and the tokens beside it are
            // not lost (T-49)
            Some(other) => Some(other.to_string()),
        };
        if id_token.as_deref().is_some_and(|text| !is_id_token(text)) {
            warnings.push("the answer's `id_token` is too long, or no token at all: it is not kept".to_owned());
        }
        let token_type = self.token_type(root)?;
        let claims = if shape.claims_from_jwt { jwt::claims(access_token.expose()) } else { None };
        let mut expires_at = match at(root, &shape.expires_in).filter(|v| !v.is_null()) {
            None => shape.default_expires_s.map(|s| now.saturating_add(s)),
            Some(value) => expiry(value, shape, now).unwrap_or_else(|()| {
                warnings.push("the answer's lifetime can't be read: the token is used until it is refused".to_owned());
                None
            }),
        };
        let mut scopes = scopes(at(root, &shape.scope), self.separator);
        if let Some(claims) = &claims {
            expires_at = expires_at.or_else(|| claims.get("exp").and_then(seconds));
            let claimed = claims.get("scp").or_else(|| claims.get("scope"));
            scopes = scopes.or_else(|| self::scopes(claimed, self.separator));
        }
        let refresh_expires_at = ["refresh_token_expires_in", "refresh_expires_in"]
            .iter()
            .find_map(|name| at(root, name).and_then(seconds))
            .filter(|s| *s > 0)
            .map(|s| now.saturating_add(s));
        let extra = self.extra(root, whole);
        let id_token = id_token.filter(|text| is_id_token(text)).map(Secret::from);
        let received_at = now;
        let set = TokenSet {
            access_token,
            token_type,
            refresh_token,
            received_at,
            expires_at,
            refresh_expires_at,
            scopes,
            id_token,
            extra,
        };
        Ok(Answer { set, warnings })
    }

    fn token_type(&self, root: &Value) -> Result<String, AnswerError> {
        let missing = || AnswerError::Missing(self.shape.token_type.clone());
        let found = at(root, &self.shape.token_type);
        if self.wanted == Wanted::Dpop {
            return match found {
                Some(Value::String(kind)) if kind.eq_ignore_ascii_case("dpop") => Ok(kind.clone()),
                Some(Value::String(kind)) => Err(AnswerError::NotBound(kind.clone())),
                _ => Err(missing()),
            };
        }
        match found {
            Some(Value::String(kind)) if kind.eq_ignore_ascii_case("bearer") => Ok(kind.clone()),
            // RFC 8693, section 2.2.1: the issued token is no access token
            Some(Value::String(kind))
                if kind.eq_ignore_ascii_case("N_A") && root.get("issued_token_type").is_some() =>
            {
                Ok(kind.clone())
            }
            Some(Value::String(kind)) if !kind.is_empty() => Err(AnswerError::TokenType(kind.clone())),
            None | Some(Value::Null | Value::String(_)) => self.shape.default_token_type.clone().ok_or_else(missing),
            Some(other) => Err(AnswerError::TokenType(other.to_string())),
        }
    }

    /// Members outside the token set, and those that the provider's entry names.
    fn extra(&self, root: &Value, whole: &Value) -> Map<String, Value> {
        let shape = self.shape;
        let known = [&shape.access_token, &shape.refresh_token, &shape.expires_in, &shape.scope, &shape.token_type];
        let is_extra = |(n, v): &(&String, &Value)| !known.contains(n) && *n != "id_token" && !v.is_null();
        let members = root.as_object().into_iter().flatten().filter(is_extra);
        let mut extra: Map<String, Value> = members.map(|(n, v)| (n.clone(), v.clone())).collect();
        for (name, path) in &shape.capture {
            if let Some(value) = at(root, path).or_else(|| at(whole, path)) {
                extra.insert(name.clone(), value.clone());
            }
        }
        extra
    }
}

/// A member's value by path; names joined by `.`.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    // a member whose own name has a dot comes first
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    path.split('.').try_fold(value, |v, name| v.get(name))
}

fn token(root: &Value, path: &str, name: &'static str) -> Result<Option<Secret>, AnswerError> {
    match at(root, path) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        // T-42, T-44: a token goes into a header, onto a terminal and into a shell
        Some(Value::String(text))
            if text.len() <= LONGEST_TOKEN && text.bytes().all(|b| (0x21..=0x7e).contains(&b)) =>
        {
            Ok(Some(Secret::new(text.as_str())))
        }
        Some(_) => Err(AnswerError::BadToken(name)),
    }
}

/// Whether a text may be an ID token: longer texts are never read, so a record doesn't hold them.
fn is_id_token(text: &str) -> bool {
    text.len() <= jose::LONGEST && text.bytes().all(|b| (0x21..=0x7e).contains(&b))
}

/// `Ok(None)`: no lifetime; `Err`: there is one that can't be read (T-32).
fn expiry(value: &Value, shape: &ResponseShape, now: i64) -> Result<Option<i64>, ()> {
    if shape.expires_unit == ExpiresUnit::Iso8601 {
        return value.as_str().and_then(rfc3339).map(Some).ok_or(());
    }
    let number = seconds(value).ok_or(())?;
    let lifetime = match shape.expires_unit {
        ExpiresUnit::Epoch => return Ok(Some(number)),
        ExpiresUnit::Milliseconds => number / 1000,
        _ => number,
    };
    if lifetime == 0 && shape.zero_expires == ZeroExpires::Never {
        return Ok(None);
    }
    Ok(Some(now.saturating_add(lifetime.max(0))))
}

/// A number of seconds as servers write it: `3600`, `3600.0`, `"3600"`, `" 3.6e3 "` (T-31). A
/// lifetime of a hundred thousand years or more counts as none.
fn seconds(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(n) => n.as_f64()?,
        Value::String(s) => s.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    (number.is_finite() && number.abs() < 3.2e12).then_some(number as i64)
}

fn scopes(value: Option<&Value>, separator: &str) -> Option<Vec<String>> {
    let list: Vec<String> = match value? {
        Value::String(text) => {
            let parts: Vec<&str> = if separator.trim().is_empty() {
                text.split_whitespace().collect()
            } else {
                text.split(separator.trim()).collect()
            };
            parts.into_iter().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
        }
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return None,
    };
    (!list.is_empty()).then_some(list)
}

/// `2026-11-21T10:00:00Z` or with an offset, as Unix seconds.
pub fn rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(|p| p.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone);
    let mut clock = clock.splitn(3, ':').map(|p| p.split('.').next().and_then(|p| p.parse::<i64>().ok()));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?);
    let offset = match zone.as_bytes().first()? {
        b'Z' | b'z' => 0,
        sign => {
            let (h, m) = zone[1..].split_once(':')?;
            let (h, m) = (h.parse::<i64>().ok()?, m.parse::<i64>().ok()?);
            if !(0..24).contains(&h) || !(0..60).contains(&m) {
                return None;
            }
            let offset = h * 3600 + m * 60;
            if *sign == b'-' { -offset } else { offset }
        }
    };
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    if !(0..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) || !is_time {
        return None;
    }
    // days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's algorithm)
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

fn refusal(response: &Response, shape: &ResponseShape, members: Option<Members>) -> AnswerError {
    let status = response.status;
    let retry_after = response.header("retry-after").map(str::to_owned);
    let members = match members {
        Some(members) => Some(members),
        None => self::members(response).ok(),
    };
    let whole = members.map(|m| WipedJson(Value::Object(m.into_map())));
    if let Some(whole) = &whole
        && let Some(error) = shape.error.iter().find_map(|path| at(whole, path)).filter(|e| !e.is_null())
        && status < 500
        && status != 429
    {
        return oauth_error(status, error, whole, shape);
    }
    match status {
        429 | 500..=599 => AnswerError::Unavailable { status, retry_after },
        _ => match api_error::read(&response.body) {
            Some(error) => AnswerError::OAuth {
                status,
                // an envelope without an RFC code: a 401 at a token endpoint concerns the client
                error: if status == 401 {
                    "invalid_client".to_owned()
                } else {
                    error.code.clone().unwrap_or_else(|| status.to_string())
                },
                description: error.message,
            },
            None if status == 401 => {
                AnswerError::OAuth { status, error: "invalid_client".to_owned(), description: None }
            }
            None if looks_like_html(response) => AnswerError::Html(status),
            None => AnswerError::Status(status),
        },
    }
}

fn oauth_error(status: u16, error: &Value, whole: &Value, shape: &ResponseShape) -> AnswerError {
    let description =
        shape.error_description.iter().find_map(|path| at(whole, path)).and_then(Value::as_str).map(str::to_owned);
    match error {
        Value::String(code) => AnswerError::OAuth { status, error: code.clone(), description },
        // Huawei writes numbers, Facebook and Google's APIs an object
        other => {
            let read = api_error::read_value(whole).unwrap_or_default();
            AnswerError::OAuth {
                status,
                error: read.code.unwrap_or_else(|| other.to_string()),
                description: description.or(read.message),
            }
        }
    }
}

fn looks_like_html(response: &Response) -> bool {
    response.header("content-type").is_some_and(|kind| kind.to_lowercase().contains("html"))
        || response.body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<')
}

fn members(response: &Response) -> Result<Members, AnswerError> {
    let kind = response.header("content-type").unwrap_or("").to_lowercase();
    if kind.starts_with("application/x-www-form-urlencoded")
        && let Some(pairs) = std::str::from_utf8(&response.body).ok().and_then(|text| form::decode(text.trim()))
    {
        return Ok(Members(pairs.into_iter().map(|(n, v)| (n, Value::from(v))).collect()));
    }
    match serde_json::from_slice::<Members>(&response.body) {
        Ok(members) => Ok(members),
        Err(_) if looks_like_html(response) => Err(AnswerError::Html(response.status)),
        Err(_) if response.body.is_empty() => Err(AnswerError::NotJson("it is empty".to_owned())),
        // the parser's own words quote nothing of the body but may name a character: place and kind
        // are enough
        Err(e) => Err(AnswerError::NotJson(format!("line {}, column {}", e.line(), e.column()))),
    }
}

/// A JSON object's members with their repetitions, which a map would hide (T-35).
#[derive(Debug)]
struct Members(Vec<(String, Value)>);

impl Members {
    fn clash(&self) -> Option<String> {
        let mut first: HashMap<&str, &Value> = HashMap::with_capacity(self.0.len());
        self.0.iter().find_map(|(name, value)| {
            let known = *first.entry(name).or_insert(value);
            (known != value).then(|| crate::text::safe(name))
        })
    }

    fn into_map(self) -> Map<String, Value> {
        self.0.into_iter().collect()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
