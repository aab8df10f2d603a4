//! HTTP requests and responses as plain data. `protocol/` makes them and `world/` sends them, so
//! neither needs the other.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::secret::{Secret, redact};

/// A request whose URL and body may hold secrets. Only [`Request::place`] may be printed.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// A secret: some providers want the client secret and the code in the query
    /// (VerticalResponse).
    pub url: Secret,
    /// In order; a name may appear more than once.
    pub headers: Vec<(String, Secret)>,
    pub body: Option<Secret>,
    /// For the whole exchange, from the name look-up to the last byte of the response.
    pub timeout: Duration,
    /// Of a stream, whose `timeout` is for its head: the time for the whole of it.
    pub within: Option<Duration>,
    /// The largest response body, in bytes; a larger one is refused.
    pub max_body: usize,
    /// The client certificate for servers that ask for one.
    pub identity: Option<Arc<ClientCertificate>>,
    /// The only certificate authorities to trust, as PEM, in place of the system's.
    pub authorities: Option<Arc<str>>,
    pub at_sending: Option<Arc<dyn RequestSigner>>,
    /// Whether this command's next requests may use the same connection (pages of an API). Never
    /// for a token endpoint (T-75).
    pub reuse: bool,
    /// Whether to send no `User-Agent`, unless `headers` has one.
    pub unnamed: bool,
}

impl Request {
    /// Makes a request with the token endpoint's bounds: 30 s, 1 MiB.
    pub fn new(method: &str, url: impl Into<String>) -> Request {
        Request {
            method: method.to_owned(),
            url: Secret::unlisted(url),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(30),
            within: None,
            max_body: 1 << 20,
            identity: None,
            authorities: None,
            at_sending: None,
            reuse: false,
            unnamed: false,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        // `Basic` holds the client secret in base64
        let value = if name == "authorization" { Secret::new(value) } else { Secret::unlisted(value) };
        self.headers.push((name.to_owned(), value));
        self
    }

    /// Returns scheme, host, port and path: the part of the URL that may be shown. Known secrets
    /// are redacted, since HubSpot's revocation path ends in the token.
    pub fn place(&self) -> String {
        match url::Url::parse(self.url.expose()) {
            Ok(mut url) => {
                url.set_query(None);
                url.set_fragment(None);
                let _ = url.set_username("");
                let _ = url.set_password(None);
                redact(url.as_str())
            }
            Err(_) => "(not a URL)".to_owned(),
        }
    }
}

/// The time at which a request is sent, in Unix seconds, and fresh random bytes.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    pub now: i64,
    pub random: [u8; 16],
}

/// A part of a request that is made anew each time the request is sent: a signed assertion or a key
/// proof. Both are valid once and for a short time, so an early or repeated request must not hold
/// an old one.
pub trait RequestSigner: std::fmt::Debug + Send + Sync {
    /// Adds the part. `draw.random` makes an identifier that was never used before.
    fn sign(&self, request: &mut Request, draw: Draw) -> Result<(), String>;

    /// Looks at a response, and says why the request is to be sent once more.
    fn learn_from(
        &self,
        _request: &Request,
        _status: u16,
        _headers: &[(String, String)],
        _body: &[u8],
    ) -> Option<Again> {
        None
    }
}

/// Why a request that was refused is sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The refusal brought the nonce that the proof must have.
    Nonce,
    /// The server may take the client's earlier secret.
    EarlierSecret,
}

/// A certificate and its private key, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pub certificate: String,
    pub key: Secret,
}

/// A whole response, read within the request's bounds. The body counts as secret until it is known
/// to be public.
#[derive(Clone)]
pub struct Response {
    pub status: u16,
    /// In the order received, with names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: zeroize::Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &crate::secret::fingerprint(&self.body))
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Tells whether the server can't answer now: the request came too slowly, there were too many,
    /// or the fault is its own.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..)
    }

    /// Returns the first header with this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body's media type with its parameters, in lower case.
    pub fn content_type(&self) -> String {
        self.header("content-type").unwrap_or_default().to_lowercase()
    }

    /// The body; `null` if it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Returns the first header with this name (in lower case).
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

/// A JSON object's members as written, with the repetitions that a map would hide.
#[derive(Debug)]
pub struct Written<T>(pub Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written<T>, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = Written<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written<T>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Written(members))
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// The most values in a response that is read whole: no server's document has so many. A tree of
/// them takes many times the memory of their text.
pub const MOST_VALUES: usize = 50_000;

/// The number of values in a JSON text, with lists and objects; an empty one counts twice. 0: it is
/// no list and no object.
pub fn json_values(text: &[u8]) -> usize {
    weighed(text, |byte| usize::from(matches!(byte, b',' | b'[' | b'{'))).map_or(0, |values| values + 1)
}

/// The sum over the bytes of a JSON text outside of its strings, and over the quotes that open
/// them. `None`: it is no list and no object.
pub fn weighed(text: &[u8], weight: impl Fn(u8) -> usize) -> Option<usize> {
    matches!(text.trim_ascii_start().first(), Some(b'[' | b'{')).then_some(())?;
    let (mut sum, mut quoted, mut escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if quoted => escaped = true,
            b'"' if quoted => quoted = false,
            _ if quoted => {}
            byte => {
                quoted = *byte == b'"';
                sum += weight(*byte);
            }
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts() {
        for (text, count) in [("", 0), ("<a, b>", 0), (" [0,0]", 3), ("[{},{}]", 5), (r#"{"a,[":"\",{"}"#, 2)] {
            assert_eq!(json_values(text.as_bytes()), count, "{text}");
        }
    }
}
