//! Reads a token response (RFC 6749, sections 5.1 and 5.2). The members that are used are read
//! strictly, the others leniently: an odd `expires_in` must not lose a token that the server has
//! issued.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::protocol::api_error::{self, ApiError};
use crate::protocol::form;
use crate::protocol::jose;
use crate::provider::expand::at_path as at;
use crate::provider::{ExpiresUnit, ResponseShape, ZeroExpires};
use crate::secret::{Secret, WipedJson};
use crate::token::TokenSet;
use crate::wire::{Response, Written};

/// The longest accepted token, in bytes (T-53).
pub const LONGEST_TOKEN: usize = 64 * 1024;

/// Members that limit the life of a refresh token: common ones, Intuit's, and those of
/// draft-ietf-oauth-refresh-token-expiration.
const REFRESH_LIVES: [&str; 5] = [
    "refresh_token_expires_in",
    "refresh_expires_in",
    "x_refresh_token_expires_in",
    "refresh_token_timeout",
    "authorization_expires_in",
];

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
    /// The same in words that no member of RFC 6749 holds; a rule of the provider's file knows
    /// them.
    #[error("the server answered with status {status}: {}", crate::text::safe(said))]
    InItsWords { status: u16, said: String },
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
pub enum TokenType {
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
    pub wanted: TokenType,
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
        let written = written(response);
        let clash = written.as_ref().ok().and_then(clash);
        let whole = written.map(|written| WipedJson(Value::Object(written.0.into_iter().collect())));
        if !self.ok_status.contains(&status) {
            return Err(match refusal(response, shape, whole.as_deref().ok()) {
                // T-10: a token never comes with this status, whatever the body holds
                AnswerError::Status(_) | AnswerError::Html(_) if (200..300).contains(&status) => {
                    AnswerError::NotOk(status)
                }
                refusal => refusal,
            });
        }
        let whole = whole?;
        if let Some(name) = clash {
            return Err(AnswerError::Duplicate(name));
        }
        // GitHub and Slack refuse with status 200 (T-08)
        let is_refused = match &shape.ok_field {
            Some(path) => text_at(&whole, path).as_ref() != Some(&shape.ok_value),
            None => error_at(&whole, shape).is_some(),
        };
        if is_refused {
            return Err(refusal(response, shape, Some(&whole)));
        }
        let found = |path: &String| if path.is_empty() { Some(&*whole) } else { at(&whole, path) };
        let mut roots = shape.root.iter().filter_map(found).filter(|root| !root.is_null()).peekable();
        let root = match (shape.root.first(), roots.peek().copied()) {
            (None, _) => &whole,
            (Some(first), None) => return Err(AnswerError::Missing(first.clone())),
            // Slack: the user's token and the bot's lie in different places, and both are there
            (_, Some(first)) => roots.find(|root| at(root, &shape.access_token).is_some()).unwrap_or(first),
        };
        self.set(root, &whole)
    }

    fn set(&self, root: &Value, whole: &Value) -> Result<Answer, AnswerError> {
        let (shape, now) = (self.shape, self.now);
        let mut warnings = Vec::new();
        let access_token = token(root, &shape.access_token, "access_token")?
            .ok_or_else(|| AnswerError::Missing(shape.access_token.clone()))?;
        let refresh_token = token(root, &shape.refresh_token, "refresh_token")?;
        // other JSON can't be a token: its check refuses it later, and the tokens beside it are not
        // lost (T-49)
        let mut id_token = text_at(root, "id_token");
        if id_token.as_deref().is_some_and(|text| !is_id_token(text)) {
            warnings.push("the answer's `id_token` is too long, or no token at all: it is not stored".to_owned());
            id_token = None;
        }
        let token_type = self.token_type(root)?;
        // the token came over TLS from its own issuer: a claim that it can't prove harms nobody
        // else
        let claims = shape.claims_from_jwt.then(|| jose::unverified_claims(access_token.expose()).ok()).flatten();
        let claimed_end = || claims.as_ref().and_then(|claims| claims.get("exp").and_then(seconds));
        let expires_at = match at(root, &shape.expires_in).filter(|v| !v.is_null()) {
            None => claimed_end().or_else(|| shape.default_expires_s.map(|s| now.saturating_add(s))),
            Some(value) => expiry(value, shape.expires_unit, shape.zero_expires, now).unwrap_or_else(|()| {
                let instead = shape.default_expires_s.map(|s| now.saturating_add(s));
                let then =
                    instead.map_or("the token is used until it is refused", |_| "that of the provider's file counts");
                warnings.push(format!("the answer's lifetime can't be read: {then}"));
                instead
            }),
        };
        let separator = shape.scope_separator.as_deref().unwrap_or(self.separator);
        let mut scopes = scopes(at(root, &shape.scope), separator);
        if let Some(claims) = &claims {
            let claimed = claims.get("scp").or_else(|| claims.get("scope"));
            scopes = scopes.or_else(|| self::scopes(claimed, separator));
        }
        let lives = REFRESH_LIVES.iter().filter_map(|name| at(root, name).and_then(seconds));
        let refresh_expires_at = match &shape.refresh_expires_in {
            Some(path) => at(root, path)
                .and_then(|life| expiry(life, shape.refresh_expires_unit, ZeroExpires::Never, now).ok()?),
            None => lives.filter(|s| *s > 0).min().map(|s| now.saturating_add(s)),
        };
        let (extra, id_token) = (self.extra(root, whole), id_token.map(Secret::from));
        let set = TokenSet::new(access_token, token_type, now);
        let set = TokenSet { refresh_token, expires_at, refresh_expires_at, scopes, id_token, extra, ..set };
        Ok(Answer { set, warnings })
    }

    fn token_type(&self, root: &Value) -> Result<String, AnswerError> {
        let is = |kind: &str, wanted: &str| kind.eq_ignore_ascii_case(wanted);
        let missing = || AnswerError::Missing(self.shape.token_type.clone());
        let of_wanted = |kind: &String| is(kind, "dpop") == (self.wanted == TokenType::Dpop);
        match (self.wanted, text_at(root, &self.shape.token_type)) {
            (TokenType::Dpop, Some(kind)) if is(&kind, "dpop") => Ok(kind),
            (TokenType::Dpop, Some(kind)) => Err(AnswerError::NotBound(kind)),
            (TokenType::Bearer, Some(kind)) if is(&kind, "bearer") => Ok(kind),
            (TokenType::Bearer, Some(kind)) if self.shape.bearer_types.iter().any(|it| is(it, &kind)) => {
                Ok("Bearer".to_owned())
            }
            // RFC 8693, section 2.2.1: the issued token is no access token
            (TokenType::Bearer, Some(kind)) if is(&kind, "N_A") && root.get("issued_token_type").is_some() => Ok(kind),
            (TokenType::Bearer, Some(kind)) => Err(AnswerError::TokenType(kind)),
            (_, None) => self.shape.default_token_type.clone().filter(of_wanted).ok_or_else(missing),
        }
    }

    /// Members outside the token set, and those that the provider's entry names.
    fn extra(&self, root: &Value, whole: &Value) -> Map<String, Value> {
        let shape = self.shape;
        let known = [&shape.access_token, &shape.refresh_token, &shape.expires_in, &shape.scope, &shape.token_type];
        let is_extra = |(n, v): &(&String, &Value)| {
            !known.contains(n) && *n != "id_token" && !v.is_null() && !shape.error.contains(n)
        };
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

/// The error that a body states, if any.
fn error_at<'a>(whole: &'a Value, shape: &ResponseShape) -> Option<&'a Value> {
    shape.error.iter().filter_map(|path| at(whole, path)).find(|error| !is_nothing(error))
}

/// Whether the body of another endpoint states a refusal: by the member that tells success, if it
/// has that, else by its error.
pub fn states_refusal(body: &Value, shape: &ResponseShape) -> bool {
    match shape.ok_field.as_ref().and_then(|path| text_at(body, path)) {
        Some(told) => told != shape.ok_value,
        None => error_at(body, shape).is_some(),
    }
}

/// The code of the error that a response states, whatever its status.
pub(super) fn stated_error(response: &Response, shape: &ResponseShape) -> Option<String> {
    let whole = WipedJson(Value::Object(written(response).ok()?.0.into_iter().collect()));
    error_at(&whole, shape).map(|error| code_of(error, &whole))
}

/// Huawei writes numbers, Facebook and Google's APIs an object.
fn code_of(error: &Value, whole: &Value) -> String {
    match error {
        Value::String(code) => code.clone(),
        other => api_error::read_value(whole).and_then(|read| read.code).unwrap_or_else(|| other.to_string()),
    }
}

/// Whether a value says that there is no error: some servers send the member with each success. In
/// form encoding each value is a text.
fn is_nothing(error: &Value) -> bool {
    match error {
        Value::Null => true,
        Value::Bool(is_error) => !is_error,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => matches!(text.trim(), "" | "0" | "false" | "null" | "[]" | "{}"),
        Value::Array(list) => list.iter().all(is_nothing),
        Value::Object(members) => members.values().all(is_nothing),
    }
}

/// The refresh token of a response that is refused for another reason. It may be the only one that
/// is still good.
pub fn refresh_token(response: &Response, shape: &ResponseShape) -> Option<Secret> {
    let written = written(response).ok().filter(|_| (200..300).contains(&response.status))?;
    let whole = WipedJson(Value::Object(written.0.into_iter().collect()));
    let roots = shape.root.iter().filter_map(|path| at(&whole, path));
    roots.chain([&*whole]).find_map(|place| token(place, &shape.refresh_token, "refresh_token").ok()?)
}

/// A member as a text, other JSON in its written form; `None` if it is empty.
fn text_at(root: &Value, path: &str) -> Option<String> {
    match at(root, path)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

fn token(root: &Value, path: &str, name: &'static str) -> Result<Option<Secret>, AnswerError> {
    match at(root, path) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        // T-42, T-44: a token goes into a header, onto a terminal and into a shell
        Some(Value::String(text)) if is_opaque(text, LONGEST_TOKEN) => Ok(Some(Secret::new(text.as_str()))),
        Some(_) => Err(AnswerError::BadToken(name)),
    }
}

/// Whether a text is not empty, not longer than `longest` bytes, and without blanks and characters
/// that act on a screen.
pub(super) fn is_opaque(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.len() <= longest && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether a text may be an ID token: longer texts are never read, so a record doesn't hold them.
fn is_id_token(text: &str) -> bool {
    is_opaque(text, jose::LONGEST)
}

/// `Ok(None)`: no lifetime; `Err`: there is one that can't be read (T-32).
fn expiry(value: &Value, unit: ExpiresUnit, zero: ZeroExpires, now: i64) -> Result<Option<i64>, ()> {
    if unit == ExpiresUnit::Iso8601 {
        return value.as_str().and_then(iso8601).map(Some).ok_or(());
    }
    let number = seconds(value).ok_or(())?;
    let lifetime = match unit {
        ExpiresUnit::Epoch => return Ok(Some(number)),
        ExpiresUnit::EpochMilliseconds => return Ok(Some(number / 1000)),
        ExpiresUnit::Milliseconds => number / 1000,
        ExpiresUnit::Minutes => number.saturating_mul(60),
        _ => number,
    };
    if lifetime == 0 && zero == ZeroExpires::Never {
        return Ok(None);
    }
    Ok(Some(now.saturating_add(lifetime.max(0))))
}

/// A number, or a text that holds one.
pub(super) fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
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
                // GitHub and LinkedIn answer with commas
                let comma = !text.contains(' ') && text.contains(',');
                text.split(|c: char| c.is_whitespace() || comma && c == ',').collect()
            } else if text.contains(separator.trim()) {
                text.split(separator.trim()).collect()
            } else {
                text.split_whitespace().collect()
            };
            parts.into_iter().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
        }
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return None,
    };
    (!list.is_empty()).then_some(list)
}

/// A time as [`rfc3339`] reads it, or as ISO 8601 also writes it: a day alone, the offset `+0200`
/// or `+02`.
fn iso8601(text: &str) -> Option<i64> {
    let text = text.trim();
    let day = "2026-11-21".len();
    let (time, offset) = text.split_at(text.rfind(['+', '-']).filter(|at| *at > day).unwrap_or(text.len()));
    match offset.len() {
        _ if text.len() == day => rfc3339(&format!("{text}T00:00:00Z")),
        3 => rfc3339(&format!("{time}{offset}:00")),
        5 => rfc3339(&format!("{time}{}:{}", offset.get(..3)?, offset.get(3..)?)),
        _ => rfc3339(text),
    }
}

/// `2026-11-21T10:00:00Z`, with an offset, or in UTC without one, as Unix seconds. TOML's
/// date-times are RFC 3339's.
pub fn rfc3339(text: &str) -> Option<i64> {
    let at: toml_edit::Datetime = text.trim().parse().ok()?;
    let (date, time) = (at.date?, at.time?);
    let offset = match at.offset {
        None | Some(toml_edit::Offset::Z) => 0,
        Some(toml_edit::Offset::Custom { minutes }) => i64::from(minutes) * 60,
    };
    let (year, month, day) = (i64::from(date.year), i64::from(date.month), i64::from(date.day));
    // days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's algorithm)
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let minutes = days * 1440 + i64::from(time.hour) * 60 + i64::from(time.minute);
    Some(minutes * 60 + i64::from(time.second.unwrap_or(0)) - offset)
}

/// Why the server refuses. `whole`: the body, if it can be read.
pub(super) fn refusal(response: &Response, shape: &ResponseShape, whole: Option<&Value>) -> AnswerError {
    let status = response.status;
    if response.is_unavailable() {
        let retry_after = response.header("retry-after").map(str::to_owned);
        return AnswerError::Unavailable { status, retry_after };
    }
    if let Some(whole) = whole
        && let Some(error) = error_at(whole, shape)
    {
        return oauth_error(status, error, whole, shape);
    }
    match api_error::read(&response.body) {
        // without a code of OAuth's: a 401 at a token endpoint is about the client
        error if status == 401 => AnswerError::OAuth {
            status,
            error: "invalid_client".to_owned(),
            description: error.and_then(|error| error.message),
        },
        Some(ApiError { code, message, .. }) => {
            AnswerError::OAuth { status, error: code.unwrap_or_else(|| status.to_string()), description: message }
        }
        None if looks_like_html(response) => AnswerError::Html(status),
        None => AnswerError::Status(status),
    }
}

/// The refusal that a rule of the provider's file knows, in the words that the server sent.
pub fn in_its_words(e: AnswerError, response: &Response) -> AnswerError {
    const LONGEST: usize = 300;
    let (status, text) = (response.status, String::from_utf8_lossy(&response.body));
    let said = match api_error::read(&response.body).and_then(|error| error.message) {
        _ if matches!(&e, AnswerError::OAuth { error, .. } if text.contains(error.as_str())) => return e,
        Some(message) => message,
        None if looks_like_html(response) || text.trim().is_empty() => return e,
        None => text.trim().chars().take(LONGEST).collect(),
    };
    AnswerError::InItsWords { status, said }
}

fn oauth_error(status: u16, error: &Value, whole: &Value, shape: &ResponseShape) -> AnswerError {
    let description =
        shape.error_description.iter().find_map(|path| at(whole, path)).and_then(Value::as_str).map(str::to_owned);
    let read = || api_error::read_value(whole).filter(|_| !error.is_string())?.message;
    AnswerError::OAuth { status, error: code_of(error, whole), description: description.or_else(read) }
}

fn looks_like_html(response: &Response) -> bool {
    response.content_type().contains("html") || response.body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<')
}

fn written(response: &Response) -> Result<Written<Value>, AnswerError> {
    let kind = response.content_type();
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    let body = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    // some send a form under another type
    let may_be_form = text.contains('=') && !text.contains(|c: char| c.is_whitespace() || "<>{}[]\"".contains(c));
    if (is_form || may_be_form)
        && let Some(pairs) = form::decode(text)
    {
        return Ok(Written(pairs.into_iter().map(|(n, v)| (n, Value::from(v))).collect()));
    }
    serde_json::from_slice(body).map_err(|e| match () {
        () if looks_like_html(response) => AnswerError::Html(response.status),
        () if body.is_empty() => AnswerError::NotJson("it is empty".to_owned()),
        // the parser's own words quote nothing of the body but may name a character: place and kind
        // are enough
        () => AnswerError::NotJson(format!("line {}, column {}", e.line(), e.column())),
    })
}

/// A name with two different values (T-35).
fn clash(written: &Written<Value>) -> Option<String> {
    let mut first: HashMap<&str, &Value> = HashMap::with_capacity(written.0.len());
    written.0.iter().find_map(|(name, value)| {
        let known = *first.entry(name).or_insert(value);
        (known != value).then(|| crate::text::safe(name))
    })
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
