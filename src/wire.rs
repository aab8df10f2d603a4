//! What goes over HTTP, as plain data: made by `protocol/`, carried by `world/`, so that neither needs the other.

use std::sync::Arc;
use std::time::Duration;

use crate::secret::{Secret, redact};

/// A request whose URL and body may hold secrets; nothing of it is printed but what [`Request::place`] says.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// A secret, since some providers want the client secret and the code in its query (VerticalResponse).
    pub url: Secret,
    /// In order; a name may stand more than once.
    pub headers: Vec<(String, Secret)>,
    pub body: Option<Secret>,
    /// For the whole exchange, from the first look-up to the last byte of the answer.
    pub timeout: Duration,
    /// Bytes of the answer's body past which it is cut off and refused.
    pub max_body: usize,
    /// The client's certificate, shown to the server that asks for one.
    pub identity: Option<Arc<Identity>>,
    pub at_sending: Option<Arc<dyn AtSending>>,
    /// The connection may serve more of this command's requests: pages of one API. Never for a token endpoint (T-75).
    pub reuse: bool,
    /// Without a `User-Agent`, where none is among the headers.
    pub unnamed: bool,
}

impl Request {
    /// The token endpoint's bounds: 30 s, 1 MiB.
    pub fn new(method: &str, url: impl Into<String>) -> Request {
        Request {
            method: method.to_owned(),
            url: Secret::unlisted(url),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(30),
            max_body: 1 << 20,
            identity: None,
            at_sending: None,
            reuse: false,
            unnamed: false,
        }
    }

    /// The request with one more header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        // `Basic` hides the client secret in a form of its own
        let value = if name == "authorization" { Secret::new(value) } else { Secret::unlisted(value) };
        self.headers.push((name.to_owned(), value));
        self
    }

    /// Scheme, host, port and path: what may be shown of the URL. HubSpot's path of a revocation ends in the token.
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

/// The time of a sending, in Unix seconds, and bytes that are drawn for it.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    pub now: i64,
    pub random: [u8; 16],
}

/// What is put into a request at the moment it goes out, anew each time it does: a signed assertion, the proof of a key. Both are
/// good once and for a short time, so that a request made early or sent twice must not hold an old one.
pub trait AtSending: std::fmt::Debug + Send + Sync {
    /// `draw`: its bytes make a name that was never used before.
    fn put_into(&self, request: &mut Request, draw: Draw) -> Result<(), String>;

    /// Looks at an answer to such a request. `true`: the server refused for want of what its answer brings (a nonce), so the
    /// request is to be sent once more.
    fn heard(&self, _request: &Request, _status: u16, _headers: &[(String, String)], _body: &[u8]) -> bool {
        false
    }
}

/// A certificate and its private key, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub certificate: String,
    pub key: Secret,
}

/// A whole answer, read under the request's cap. The body is a secret until it is known to be none.
#[derive(Clone)]
pub struct Response {
    pub status: u16,
    /// Names in lower case, in the order received.
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
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// The first header of that name (lower case).
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}
