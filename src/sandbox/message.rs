//! Requests, parsed once for all manners, and the response forms that manners share.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::world::http_server::{reader::RawRequest, serve::Response};

/// A request and its parameters, by location.
pub struct Ask<'a> {
    pub request: &'a RawRequest,
    /// `GET` for a `HEAD` request too.
    pub method: &'a str,
    pub path: &'a str,
    pub query: Params,
    /// The body if it is `application/x-www-form-urlencoded`.
    pub form: Params,
    /// The top-level members of a JSON object. Values that aren't strings appear as their JSON.
    pub json: Params,
    /// `Authorization: Basic`, before form-decoding.
    pub basic: Option<(String, String)>,
    /// `Authorization: Bearer`.
    pub bearer: Option<String>,
}

/// Decoded parameters in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(pub Vec<(String, String)>);

impl Params {
    /// Decodes parameters from the form encoding.
    pub fn decode(encoded: &[u8]) -> Params {
        Params(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// Returns the first parameter with this name. An empty value counts as absent (RFC 6749,
    /// section 3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// Returns the name of a repeated parameter, which RFC 6749, section 3.1, forbids.
    pub fn repeated(&self) -> Option<&str> {
        let mut seen = BTreeSet::new();
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| !seen.insert(*name))
    }

    /// Returns the parameter as a number. `None`: it is absent, or not a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// Tells whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends `more`.
    pub fn and(&self, more: &Params) -> Params {
        Params(self.0.iter().chain(&more.0).cloned().collect())
    }
}

impl<'a> Ask<'a> {
    /// Parses the request.
    pub fn new(request: &'a RawRequest) -> Ask<'a> {
        let (path, query) = request.path_and_query();
        let kind = request.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let form = match kind.as_str() {
            "application/x-www-form-urlencoded" => Params::decode(&request.body),
            _ => Params::default(),
        };
        let json = match (kind.as_str(), serde_json::from_slice(&request.body)) {
            ("application/json", Ok(Value::Object(members))) => Params(
                members
                    .into_iter()
                    .filter(|(_, v)| !v.is_null())
                    .map(|(n, v)| (n, v.as_str().map(str::to_owned).unwrap_or_else(|| v.to_string())))
                    .collect(),
            ),
            _ => Params::default(),
        };
        let authorization = |scheme: &str| {
            let (named, value) = request.header("authorization")?.split_once(' ')?;
            named.eq_ignore_ascii_case(scheme).then(|| value.trim().to_owned())
        };
        let basic = authorization("basic").and_then(|encoded| {
            let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (id, secret) = decoded.split_once(':')?;
            Some((id.to_owned(), secret.to_owned()))
        });
        Ask {
            request,
            method: if request.method == "HEAD" { "GET" } else { &request.method },
            path,
            query: Params::decode(query.as_bytes()),
            form,
            json,
            basic,
            bearer: authorization("bearer"),
        }
    }

    /// Returns the body as JSON; `null` if it isn't JSON.
    pub fn body_json(&self) -> Value {
        serde_json::from_slice(&self.request.body).unwrap_or(Value::Null)
    }
}

/// Decodes `%41+b` to `A b`. Clients that follow RFC 6749, section 2.3.1, form-encode the halves of
/// Basic.
pub fn form_decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('&', "%26"));
    Params::decode(pair.as_bytes()).get("x").unwrap_or_default().to_owned()
}

/// Encodes a text in the form encoding.
pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Makes a JSON response that must not be cached (RFC 6749, section 5.1).
pub fn json(status: u16, value: &Value) -> Response {
    Response {
        status,
        headers: vec![
            ("Content-Type".into(), "application/json;charset=utf-8".into()),
            ("Cache-Control".into(), "no-store".into()),
            ("Pragma".into(), "no-cache".into()),
        ],
        body: value.to_string().into_bytes(),
    }
}

/// Makes a JSON response of status 200.
pub fn ok(value: Value) -> Response {
    json(200, &value)
}

/// Drops the members of an object that are null.
pub fn present(mut object: Value) -> Value {
    if let Value::Object(members) = &mut object {
        members.retain(|_, value| !value.is_null());
    }
    object
}

/// Makes an error response of RFC 6749, section 5.2.
pub fn oauth_error(status: u16, error: &str, description: &str) -> Response {
    json(status, &json!({ "error": error, "error_description": description }))
}

/// Adds a header to the response.
pub fn with_header(mut response: Response, name: &str, value: impl Into<String>) -> Response {
    response.headers.push((name.to_owned(), value.into()));
    response
}

/// Makes a 303 redirect, which browsers follow with a GET.
pub fn see_other(location: &str) -> Response {
    Response {
        status: 303,
        headers: vec![
            ("Location".into(), location.into()),
            ("Cache-Control".into(), "no-store".into()),
            ("Referrer-Policy".into(), "no-referrer".into()),
        ],
        body: Vec::new(),
    }
}

/// Appends parameters to the query of `uri`.
pub fn with_query(uri: &str, params: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("{uri}{}{query}", if uri.contains('?') { '&' } else { '?' })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_request_apart() {
        let request = RawRequest {
            method: "POST".into(),
            target: "/t?a=1&a=2&empty=".to_owned().into(),
            minor_version: 1,
            headers: vec![
                ("authorization".into(), format!("basic {}", STANDARD.encode("id:se:cret"))),
                ("content-type".into(), "application/x-www-form-urlencoded; charset=utf-8".into()),
            ],
            body: b"grant_type=x+y".to_vec().into(),
        };
        let ask = Ask::new(&request);
        assert_eq!(ask.query.repeated(), Some("a"));
        assert_eq!((ask.query.get("a"), ask.query.get("empty")), (Some("1"), None));
        assert_eq!(ask.form.get("grant_type"), Some("x y"));
        assert_eq!(ask.basic, Some(("id".into(), "se:cret".into())));
        assert_eq!(ask.bearer, None);
    }

    #[test]
    fn decodes_the_halves_of_basic() {
        assert_eq!(form_decoded("a%2Fb+c&d"), "a/b c&d");
        assert_eq!(form_decoded("plain"), "plain");
    }

    #[test]
    fn adds_parameters_to_a_redirect_address() {
        assert_eq!(with_query("http://x/cb", &[("code", "a b")]), "http://x/cb?code=a+b");
        assert_eq!(with_query("http://x/cb?k=v", &[("code", "c")]), "http://x/cb?k=v&code=c");
    }
}
