//! Describes each request and response for `--explain`: its purpose, its RFC section, and the
//! fingerprint of every value that may be a secret. A request is recognised by its contents, so
//! every request is explained.

pub mod checks;

use serde_json::Value;

use crate::protocol::metadata::ENDPOINTS;
use crate::protocol::{form, trace};
use crate::text::safe;
use crate::wire::{Request, Response};

/// One step, for the user to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub title: &'static str,
    /// The RFC section.
    pub section: &'static str,
    pub why: &'static str,
    pub lines: Vec<Line>,
}

/// A line below a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A request's method and URL, or a response's status.
    Out(String),
    In(String),
    /// A parameter, its value as shown, and its meaning.
    Sent(String, String, &'static str),
    Got(String, String, &'static str),
    /// A name, the value found, the value required, and whether they agree.
    Compared(String, String, String, bool),
}

/// A request's parameters, from its query and its body.
fn params(request: &Request) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Ok(url) = url::Url::parse(request.url.expose())
        && let Some(query) = url.query()
    {
        out.extend(form::decode(query).unwrap_or_default());
    }
    if let Some(body) = &request.body {
        match serde_json::from_str(body.expose()) {
            Ok(Value::Object(members)) => out.extend(members.into_iter().map(|(name, value)| match value {
                Value::String(text) => (name, text),
                other => (name, other.to_string()),
            })),
            _ => out.extend(form::decode(body.expose()).unwrap_or_default()),
        }
    }
    out
}

/// A request's purpose.
pub fn request(request: &Request) -> Step {
    let params = params(request);
    let (title, section, why) = meaning(request, &params);
    let mut lines = vec![Line::Out(format!("{} {}", request.method, safe(&request.place())))];
    for (name, value) in &request.headers {
        let note = match name.as_str() {
            "authorization" if value.expose().starts_with("Basic ") => {
                "the client authenticates (RFC 6749, section 2.3.1)"
            }
            "authorization" => "the token (RFC 6750, section 2.1)",
            "dpop" => "a proof of the key that the token is bound to (RFC 9449, section 4)",
            _ => continue,
        };
        lines.push(Line::Sent(safe(name), format!("[{}]", value.fingerprint()), note));
    }
    lines.extend(params.iter().map(|(name, value)| sent(name, value)));
    Step { title, section, why, lines }
}

/// A sent parameter.
pub fn sent(name: &str, value: &str) -> Line {
    Line::Sent(safe(name), cut(trace::value(name, value)), note(name))
}

/// A received parameter.
pub fn got(name: &str, value: &str) -> Line {
    Line::Got(safe(name), cut(trace::value(name, value)), note(name))
}

/// Describes a response.
pub fn response(response: &Response) -> Vec<Line> {
    let mut lines = vec![Line::In(format!("{}{}", response.status, status_words(response.status)))];
    match serde_json::from_slice(&response.body) {
        Ok(Value::Object(members)) => {
            // a metadata document has a hundred members: later steps show the ones that matter
            let many = members.len() > 20;
            let told = |name: &str| !many || METADATA.contains(&name) || ENDPOINTS.contains(&name);
            for (name, value) in members.iter().filter(|(name, _)| told(name)) {
                let shown = match value {
                    public if trace::is_public(name) => trace::public(public),
                    Value::String(text) => trace::value(name, text),
                    Value::Number(number) => number.to_string(),
                    Value::Bool(flag) => flag.to_string(),
                    other => format!("[{}]", crate::secret::fingerprint(other.to_string().as_bytes())),
                };
                lines.push(Line::Got(safe(name), cut(shown), note(name)));
            }
            if many {
                lines.push(Line::In(format!("{} members in all", members.len())));
            }
        }
        _ if response.body.is_empty() => lines.push(Line::In("nothing more".to_owned())),
        _ => lines.push(Line::In(trace::unread(&response.body))),
    }
    lines
}

/// A server's response may have any length.
fn cut(text: String) -> String {
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Members of a metadata document that are always shown, beside the endpoints.
const METADATA: [&str; 4] =
    ["issuer", "grant_types_supported", "code_challenge_methods_supported", "token_endpoint_auth_methods_supported"];

fn status_words(status: u16) -> &'static str {
    match status {
        200 => ": yes",
        201 => ": made",
        400 => ": no, and the reason",
        401 => ": the client or the token is not accepted",
        403 => ": refused",
        429 => ": too many requests",
        300..=399 => ": a redirect, which is never followed with a secret",
        500..=599 => ": the server can't answer now",
        _ => "",
    }
}

type Meaning = (&'static str, &'static str, &'static str);

fn meaning(request: &Request, params: &[(String, String)]) -> Meaning {
    let has = |name: &str| params.iter().any(|(n, _)| n == name);
    let value = |name: &str| params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let place = request.place();
    if let Some(grant) = value("grant_type") {
        return of_grant(grant);
    }
    if place.contains("/.well-known/") {
        return (
            "Fetching the server's metadata",
            "OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3",
            "endpoints and features come from the server itself; it must name the issuer that was asked",
        );
    }
    if has("redirect_uris") {
        return (
            "Registering this program as a client",
            "RFC 7591, section 3.1",
            "the server issues a client id, and perhaps a secret, without a form to fill in",
        );
    }
    if has("response_type") || has("request") {
        return (
            "Pushing the authorize request ahead",
            "RFC 9126, section 2.1",
            "the request goes from program to server, so that nothing in the browser can read or change it",
        );
    }
    if has("login_hint") || has("id_token_hint") || has("login_hint_token") {
        return (
            "Asking for consent on another device",
            "OpenID CIBA Core 1.0, section 7.1",
            "the provider asks the user there; this program polls for the response",
        );
    }
    if has("token") && place.contains("introspect") {
        return (
            "Asking for the state of a token",
            "RFC 7662, section 2.1",
            "only the server knows whether it is still valid",
        );
    }
    if has("token") {
        return ("Revoking the token", "RFC 7009, section 2.1", "a token that is no longer needed should be invalid");
    }
    of_place(request, has("client_id") && !has("code"))
}

/// A request whose parameters alone don't tell its purpose. `starts`: it may begin a login on
/// another device.
fn of_place(request: &Request, starts: bool) -> Meaning {
    if request.method == "POST" && starts {
        return (
            "Asking for a code to enter elsewhere",
            "RFC 8628, section 3.1",
            "no browser is needed here: the user opens an address on any device",
        );
    }
    if request.headers.iter().any(|(name, _)| name == "authorization") {
        return (
            "Asking with the token",
            "RFC 6750, section 2.1",
            "a small request that shows the account, and that the token works",
        );
    }
    match request.method.as_str() {
        "GET" => ("Fetching the server's public keys", "RFC 7517, section 5", "they verify the server's signatures"),
        _ => ("Asking the server", "RFC 6749, section 3.2", "a request of this provider's own making"),
    }
}

fn of_grant(grant: &str) -> Meaning {
    match grant {
        "authorization_code" => (
            "Exchanging the code for tokens",
            "RFC 6749, section 4.1.3; RFC 7636, section 4.5",
            "the code went through the browser; it is worthless without the verifier and the client's credentials, which stayed here",
        ),
        "refresh_token" => (
            "Refreshing the token",
            "RFC 6749, section 6",
            "the refresh token stands for the consent of the login; many servers issue a new one each time",
        ),
        "client_credentials" => (
            "Asking with the client's own credentials",
            "RFC 6749, section 4.4.2",
            "no user is involved: the token is the client's own",
        ),
        "password" => (
            "Sending name and password",
            "RFC 6749, section 4.3.2; RFC 9700, section 2.4",
            "for servers that offer nothing else: the password passes through this program once, and is stored nowhere",
        ),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => (
            "Exchanging a signed assertion",
            "RFC 7523, section 2.1",
            "its signer vouches for the subject; the server must trust the signer's key",
        ),
        "urn:ietf:params:oauth:grant-type:saml2-bearer" => (
            "Exchanging a SAML assertion",
            "RFC 7522, section 2.1",
            "an identity provider that speaks SAML vouches for the subject",
        ),
        "urn:ietf:params:oauth:grant-type:token-exchange" => (
            "Exchanging one token for another",
            "RFC 8693, section 2.1",
            "the new token may be narrower, for another service, or in another's name",
        ),
        "urn:ietf:params:oauth:grant-type:device_code" => (
            "Asking whether the code was entered",
            "RFC 8628, section 3.4",
            "until the user decides, the response is `authorization_pending`, or `slow_down` if it comes too soon",
        ),
        "urn:openid:params:grant-type:ciba" => (
            "Asking whether the user has confirmed",
            "OpenID CIBA Core 1.0, section 10.1",
            "until then the response is `authorization_pending`, or `slow_down` if it comes too soon",
        ),
        _ => ("Asking the token endpoint", "RFC 6749, section 4.5", "an extension grant of this provider"),
    }
}

/// The meaning of a parameter or a member.
fn note(name: &str) -> &'static str {
    match name {
        "client_id" => "the client; not secret",
        "client_secret" => "the client authenticates (RFC 6749, section 2.3.1)",
        "client_assertion" => "the client authenticates with its key (RFC 7523, section 2.2)",
        "code" => "from the browser, valid once",
        "code_verifier" => "its hash was sent before: a thief of the code does not have it (RFC 7636)",
        "code_challenge" => "the hash of a secret that stays here (RFC 7636, section 4.2)",
        "state" => "must come back unchanged: ties the response to this login (RFC 6749, section 10.12)",
        "nonce" => "must be in the ID token (OpenID Connect Core, section 3.1.2.1)",
        "redirect_uri" => "where the browser is sent back to: this program listens there",
        "scope" => "requested or granted rights",
        "resource" => "where the token will be used (RFC 8707)",
        "audience" => "the service that the token is for",
        "authorization_details" => "requested or granted rights in detail (RFC 9396)",
        "request" => "the whole request, signed (RFC 9101)",
        "request_uri" => "stands for the whole request; valid once (RFC 9126, section 2.2)",
        "response_mode" => "how the response comes back",
        "prompt" => "whether the user is asked again (OpenID Connect Core, section 3.1.2.1)",
        "iss" => "the server names itself: compared (RFC 9207)",
        "assertion" => "the signed statement",
        "subject_token" => "the subject of the new token",
        "actor_token" => "the party that acts for the subject",
        "device_code" => "this program's half of the code",
        "auth_req_id" => "names this request",
        "user_code" => "the user enters it",
        "interval" => "at least so many seconds between two requests",
        "expires_in" => "seconds",
        "access_token" => "for calls to the API",
        "refresh_token" => "for the next access token",
        "id_token" => "the account, signed by the provider",
        "token_type" => "how the token is sent",
        "issued_token_type" => "the type of the new token (RFC 8693, section 2.2.1)",
        "registration_access_token" => "manages this registration (RFC 7592)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_what_is_in_it() {
        let asked = |method: &str, url: &str, body: &str| {
            let mut sent = Request::new(method, url);
            sent.body = (!body.is_empty()).then(|| body.into());
            request(&sent).title
        };
        for (method, url, body, title) in [
            ("GET", "https://as.example/.well-known/openid-configuration", "", "Fetching the server's metadata"),
            ("POST", "https://as.example/token", "grant_type=refresh_token&refresh_token=x", "Refreshing the token"),
            ("POST", "https://as.example/par", "response_type=code&client_id=x", "Pushing the authorize request ahead"),
            (
                "POST",
                "https://as.example/ciba",
                "scope=openid&login_hint=x&client_id=x",
                "Asking for consent on another device",
            ),
            ("POST", "https://as.example/device", "scope=openid&client_id=x", "Asking for a code to enter elsewhere"),
            ("POST", "https://as.example/revoke", "token=x&client_id=x", "Revoking the token"),
            ("POST", "https://as.example/introspect", "token=x", "Asking for the state of a token"),
            ("POST", "https://as.example/reg", r#"{"redirect_uris":[]}"#, "Registering this program as a client"),
            ("GET", "https://as.example/jwks", "", "Fetching the server's public keys"),
        ] {
            assert_eq!(asked(method, url, body), title, "{body}");
        }
    }

    #[test]
    fn no_value_that_may_be_a_secret_is_told() {
        let mut asked = Request::new("POST", "https://as.example/token?code=the-code-1")
            .header("authorization", "Basic c2VjcmV0LTE=");
        asked.body =
            Some("grant_type=password&password=the-password-1&username=alice-1&client_secret=hush-1&odd=odd-1".into());
        let got = Response {
            status: 200,
            headers: vec![],
            body:
                br#"{"access_token":"at-1","new_member":"nm-1","nested":{"x":"ne-1"},"list":["li-1"],"expires_in":5}"#
                    .to_vec()
                    .into(),
        };
        let told = format!("{:?} {:?}", request(&asked), response(&got));
        for secret in
            ["the-code-1", "c2VjcmV0", "the-password-1", "alice-1", "hush-1", "odd-1", "at-1", "nm-1", "ne-1", "li-1"]
        {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
        assert!(told.contains("RFC 6749, section 4.3.2") && told.contains("\"expires_in\", \"5\""), "{told}");
    }
}
