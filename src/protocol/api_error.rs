//! What an error answer says, in whichever of the shapes met so far: RFC 6749's flat one, GetResponse's envelope,
//! VerticalResponse's and Google's nested object, Constant Contact's list. HTML says nothing.

use serde_json::Value;

use crate::provider::{ErrorRule, Means};

/// Code and message as the server wrote them: to be made safe before they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    pub code: Option<String>,
    pub message: Option<String>,
}

/// Reads any of the shapes; `None` when the body is none of them.
pub fn read(body: &[u8]) -> Option<ApiError> {
    read_value(&serde_json::from_slice(body).ok()?)
}

/// What a refusal says in its `WWW-Authenticate` header (RFC 6750, section 3), of whatever scheme.
pub fn challenge(headers: &[(String, String)]) -> Option<ApiError> {
    let mut said = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
    said.find_map(|(_, value)| {
        let code = parameter(value, "error")?;
        Some(ApiError { code: Some(code), message: parameter(value, "error_description") })
    })
}

/// A parameter of a challenge: a word, or a text in quotes.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    loop {
        // the scheme, or what separates parameters
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(['=', ' ', '\t', ','])?;
        let (word, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            rest = after;
            continue;
        };
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted_text(quoted)?,
            None => {
                let (value, after) = value.split_at(value.find([' ', '\t', ',']).unwrap_or(value.len()));
                (value.to_owned(), after)
            }
        };
        if word.eq_ignore_ascii_case(name) {
            return (!value.is_empty()).then_some(value);
        }
        rest = after;
    }
}

/// Up to the closing quote, and what comes behind it.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(chars.next()?.1),
            c => out.push(c),
        }
    }
    None
}

/// The same as [`read`] from parsed JSON.
pub fn read_value(value: &Value) -> Option<ApiError> {
    let object = match value {
        Value::Array(list) => return list.iter().find_map(read_value),
        Value::Object(object) => object,
        _ => return None,
    };
    let text = |names: &[&str]| {
        names.iter().find_map(|name| match object.get(*name) {
            Some(Value::String(s)) if !s.is_empty() => Some(s.clone()),
            Some(Value::Number(n)) => Some(n.to_string()),
            _ => None,
        })
    };
    if let Some(nested @ (Value::Object(_) | Value::Array(_))) = object.get("error").or_else(|| object.get("errors")) {
        return read_value(nested);
    }
    let error = ApiError {
        code: text(&["error", "error_key", "code", "errorCode"]),
        message: text(&["error_description", "error_message", "message", "errorSummary", "detail", "title"]),
    };
    (error.code.is_some() || error.message.is_some()).then_some(error)
}

/// What an API's refusal means for the token, by the provider's rules; without one that fits, a 401 means "expired" unless
/// the provider has rules for 401 (GetResponse uses one code for expired and for wrong).
pub fn meaning(rules: &[ErrorRule], status: u16, error: Option<&ApiError>) -> Option<Means> {
    let code = error.and_then(|e| e.code.as_deref());
    let message = error.and_then(|e| e.message.as_deref()).unwrap_or("").to_lowercase();
    let fits = |rule: &&ErrorRule| {
        rule.status.is_none_or(|s| s == status)
            && rule.code.as_deref().is_none_or(|c| Some(c) == code)
            && rule.matches.as_deref().is_none_or(|m| message.contains(&m.to_lowercase()))
    };
    if let Some(rule) = rules.iter().find(fits) {
        return Some(rule.means);
    }
    let ruled = rules.iter().any(|rule| rule.status == Some(401));
    (status == 401 && !ruled).then_some(Means::Expired)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> Option<ApiError> {
        Some(ApiError { code: Some(code.into()), message: (!message.is_empty()).then(|| message.into()) })
    }

    // RFC 6750, section 3, and what other schemes put beside it
    #[test]
    fn a_challenge_says_why() {
        for (value, code, message) in [
            (
                r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#,
                "invalid_token",
                "The access token expired",
            ),
            (r#"Bearer error=insufficient_scope,scope="a b""#, "insufficient_scope", ""),
            (r#"bearer realm="say \"error=x\"", Error="invalid_token""#, "invalid_token", ""),
            (r#"Basic realm="x", DPoP error="invalid_token", algs="ES256""#, "invalid_token", ""),
        ] {
            let said = challenge(&[("www-authenticate".to_owned(), value.to_owned())]).expect(value);
            assert_eq!((said.code.as_deref(), said.message.as_deref().unwrap_or("")), (Some(code), message), "{value}");
        }
        for value in [
            "Bearer",
            "Bearer realm=\"error=invalid_token\"",
            "Bearer error_description=\"x\"",
            "Bearer error=\"x",
            "",
            "error",
        ] {
            assert_eq!(challenge(&[("www-authenticate".to_owned(), value.to_owned())]), None, "{value}");
        }
    }

    #[test]
    fn reads_the_four_shapes() {
        for (body, want) in [
            (r#"{"error":"invalid_grant","error_description":"gone"}"#, error("invalid_grant", "gone")),
            (
                r#"{"httpStatus":401,"code":1014,"message":"The access token provided is expired"}"#,
                error("1014", "The access token provided is expired"),
            ),
            (r#"{"error":{"code":404,"message":"not here"}}"#, error("404", "not here")),
            (r#"[{"error_key":"contacts.api","error_message":"bad"}]"#, error("contacts.api", "bad")),
            (r#"{"message":"Forbidden"}"#, Some(ApiError { code: None, message: Some("Forbidden".into()) })),
            ("<html>", None),
            ("{}", None),
            ("[]", None),
            ("null", None),
        ] {
            assert_eq!(read(body.as_bytes()), want, "{body}");
        }
    }

    #[test]
    fn expired_is_told_from_wrong_by_the_message() {
        let rules = [ErrorRule {
            status: Some(401),
            code: Some("1014".into()),
            matches: Some("expired".into()),
            means: Means::Expired,
        }];
        let say = |message: &str| meaning(&rules, 401, error("1014", message).as_ref());
        assert_eq!(say("The access token provided is Expired"), Some(Means::Expired));
        assert_eq!(say("Unable to authenticate request"), None);
        assert_eq!(meaning(&[], 401, None), Some(Means::Expired));
        assert_eq!(meaning(&[], 403, None), None);
    }
}
