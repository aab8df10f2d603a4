//! A request and a response as `-v` shows them: every value that may be a secret becomes its
//! fingerprint, so that the output is safe to publish.

use serde_json::Value;

use crate::protocol::form;
use crate::protocol::metadata::ENDPOINTS;
use crate::secret::fingerprint;
use crate::text::{count, safe};
use crate::wire::{Request, Response};

/// Parameters and members whose values are not secret.
const PLAIN: [&str; 35] = [
    "grant_type",
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "token_type",
    "expires_in",
    "error",
    "error_description",
    "code_challenge_method",
    "refresh_token_expires_in",
    "audience",
    "resource",
    "token_type_hint",
    "httpStatus",
    "code_description",
    "message",
    "iss",
    "error_key",
    "error_message",
    "issued_token_type",
    "subject_token_type",
    "actor_token_type",
    "requested_token_type",
    "client_assertion_type",
    "response_mode",
    "prompt",
    "max_age",
    "acr_values",
    "ui_locales",
    "requested_expiry",
    "interval",
    "token_endpoint_auth_method",
    "client_name",
    "application_type",
];

/// A server's public metadata beside its endpoints and its lists: URLs and facts.
const PUBLIC: [&str; 9] = [
    "issuer",
    "service_documentation",
    "op_policy_uri",
    "op_tos_uri",
    "mtls_endpoint_aliases",
    "end_session_endpoint",
    "check_session_iframe",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
];

/// Whether a member is public metadata.
pub(super) fn is_public(name: &str) -> bool {
    PUBLIC.contains(&name) || ENDPOINTS.contains(&name) || name.ends_with("_supported")
}

/// Public metadata, shown whole.
pub(super) fn public(value: &Value) -> String {
    match value {
        Value::String(text) => safe(text),
        Value::Array(list) => list.iter().map(public).collect::<Vec<_>>().join(", "),
        Value::Object(_) => members(value),
        other => other.to_string(),
    }
}

/// The request's lines, without newlines.
pub fn request(request: &Request) -> Vec<String> {
    let mut lines = vec![format!("> {} {}", request.method, request.place())];
    if let Ok(url) = url::Url::parse(request.url.expose())
        && let Some(query) = url.query()
    {
        lines.push(format!(">   query: {}", pairs(query)));
    }
    for (name, value) in &request.headers {
        let shown = match name.as_str() {
            "accept" | "content-type" | "user-agent" => safe(value.expose()),
            // the scheme is not secret; the fingerprint equals the one in `status`
            "authorization" => match value.expose().split_once(' ') {
                Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                    format!("{scheme} [{}]", fingerprint(rest.as_bytes()))
                }
                _ => format!("[{}]", value.fingerprint()),
            },
            _ => format!("[{}]", value.fingerprint()),
        };
        lines.push(format!(">   {name}: {shown}"));
    }
    if let Some(body) = &request.body {
        let kind = request.headers.iter().find(|(name, _)| name == "content-type");
        let kind = kind.map_or("", |(_, kind)| kind.expose()).to_ascii_lowercase();
        lines.push(format!(">   body: {}", sent(&kind, body.expose())));
    }
    bounded(lines)
}

/// The response's status, headers and members in lines that are safe to show.
pub fn response(response: &Response) -> Vec<String> {
    let mut lines = vec![format!("< {}", response.status)];
    lines.extend(headers(&response.headers));
    lines.push(match serde_json::from_slice(&response.body) {
        Ok(json) => format!("<   body: {}", members(&json)),
        Err(_) => format!("<   body: {}", unread(&response.body)),
    });
    bounded(lines)
}

/// A body by its media type; only forms and JSON show their names.
fn sent(kind: &str, body: &str) -> String {
    if kind.starts_with("application/x-www-form-urlencoded") {
        return pairs(body);
    }
    match serde_json::from_str(body) {
        Ok(json @ (Value::Object(_) | Value::Array(_))) => members(&json),
        _ => unread(body.as_bytes()),
    }
}

/// An unreadable body: its length and fingerprint.
pub(super) fn unread(bytes: &[u8]) -> String {
    format!("{} [{}]", count(bytes.len(), "byte"), fingerprint(bytes))
}

/// The response's informative headers, with names in lower case.
pub fn headers(headers: &[(String, String)]) -> Vec<String> {
    let told = |name: &str| {
        const TOLD: [&str; 7] = [
            "content-type",
            "content-length",
            "content-encoding",
            "retry-after",
            "date",
            "location",
            "www-authenticate",
        ];
        TOLD.contains(&name) || name.contains("ratelimit")
    };
    let lines = headers.iter().filter(|(name, _)| told(name)).map(|(name, value)| match name.as_str() {
        // a redirect's URL may hold a code
        "location" => format!("<   {name}: [{}]", fingerprint(value.as_bytes())),
        _ => format!("<   {}: {}", safe(name), safe(value)),
    });
    bounded(lines.collect())
}

/// A response may have any number of members: the line is cut (found by fuzzing).
fn bounded(lines: Vec<String>) -> Vec<String> {
    const LONGEST: usize = 1500;
    let cut = |line: String| match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    };
    lines.into_iter().map(cut).collect()
}

fn pairs(text: &str) -> String {
    match form::decode(text) {
        Some(pairs) => {
            pairs.iter().map(|(n, v)| format!("{}={}", safe(n), value(n, v))).collect::<Vec<_>>().join(" & ")
        }
        None => format!("[{}]", fingerprint(text.as_bytes())),
    }
}

/// A parameter's value as shown: whole if it is known not to be secret, else its fingerprint.
pub(super) fn value(name: &str, value: &str) -> String {
    if PLAIN.contains(&name) { safe(value) } else { format!("[{}]", fingerprint(value.as_bytes())) }
}

fn members(json: &Value) -> String {
    match json {
        Value::Object(object) => {
            let members = object.iter().map(|(n, v)| {
                let shown = match v {
                    Value::Array(_) if is_public(n) => format!("[{}]", public(v)),
                    Value::String(_) if is_public(n) => public(v),
                    Value::String(text) => value(n, text),
                    Value::Object(_) | Value::Array(_) => members(v),
                    Value::Number(number) => number.to_string(),
                    plain => plain.to_string(),
                };
                format!("{}: {shown}", safe(n))
            });
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[ {} ]", list.iter().take(5).map(members).collect::<Vec<_>>().join(", ")),
        Value::String(text) => format!("[{}]", fingerprint(text.as_bytes())),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_itself_in_public_is_shown() {
        let body = r#"{"issuer":"https://as.example","userinfo_endpoint":"https://as.example/me\u001b[2J","access_token":"hush-hush",
            "grant_types_supported":["authorization_code","refresh_token"],"mtls_endpoint_aliases":{"token_endpoint":"https://mtls.as.example/","x":"hush-hush"}}"#;
        let got = Response { status: 200, headers: vec![], body: body.as_bytes().to_vec().into() };
        let shown = response(&got).join("\n");
        for clear in [
            "issuer: https://as.example",
            "userinfo_endpoint: https://as.example/me [2J",
            "grant_types_supported: [authorization_code, refresh_token]",
            "token_endpoint: https://mtls.as.example/",
        ] {
            assert!(shown.contains(clear), "{clear} in {shown}");
        }
        assert!(!shown.contains("hush-hush"), "{shown}");
    }

    #[test]
    fn shows_names_and_fingerprints_and_no_secret() {
        let mut sent =
            Request::new("GET", "https://as.example/token?client_secret=hush-hush&code=the-code&grant_type=x")
                .header("authorization", "Basic aHVzaA==")
                .header("content-type", "application/x-www-form-urlencoded");
        sent.body = Some("refresh_token=old-token&grant_type=refresh_token".into());
        let got = Response {
            status: 200,
            headers: vec![("location".into(), "https://x/?code=the-code".into())],
            body: br#"{"access_token":"new-token","expires_in":5,"nested":{"id_token":"jwt"},"list":["new-token"]}"#
                .to_vec()
                .into(),
        };
        let shown = [request(&sent), response(&got)].concat().join("\n");
        for secret in ["hush-hush", "the-code", "aHVzaA", "old-token", "new-token", "jwt"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("grant_type=refresh_token") && shown.contains("expires_in: 5"), "{shown}");
        assert!(shown.contains(&format!("authorization: Basic [{}]", fingerprint(b"aHVzaA=="))), "{shown}");
    }

    #[test]
    fn a_body_that_is_not_what_it_can_be_read_as_is_a_fingerprint() {
        for (kind, body) in [
            ("", "hunter2secret"),
            ("application/json", "hunter2secret"),
            ("text/plain; charset=utf-8", "hunter2secret=a&b"),
            ("application/json", "\"hunter2secret\""),
            ("", "20022002"),
        ] {
            let shown = sent(kind, body);
            assert_eq!(shown, format!("{} bytes [{}]", body.len(), fingerprint(body.as_bytes())), "{kind}");
        }
        assert_eq!(sent("application/x-www-form-urlencoded", "grant_type=x"), "grant_type=x");
        assert_eq!(sent("", "{\"expires_in\":5}"), "{ expires_in: 5 }");
    }
}
