//! HTTP: sends one request and returns its response, nothing more.
//!
//! A token endpoint gets secrets. So no redirect is followed (a 307 would send the body again), no
//! cookie or referer is kept, no connection is reused, and no request is repeated automatically.
//! One deadline covers everything from the name look-up to the last byte. Only `https` is allowed,
//! except to this machine's loopback, which never uses a proxy. An error tells whether a refresh
//! token may be spent; it never contains the URL's query.

mod deadline;
mod driver;
mod names;
pub mod proxy;
pub mod relay;
pub mod roots;
mod upload;

use std::error::Error;
use std::io::{self, Read};
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http_body::Body as _;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Body, Certificate, Client, ClientBuilder};
use url::Url;
use zeroize::Zeroizing;

use self::deadline::Deadline;
use self::driver::Driver;
use self::upload::Patience;
use super::{Http, HttpError, Streamed, Upload};
use crate::address::{is_loopback, parse_safe};
use crate::text;
use crate::wire::{ClientCertificate, MOST_VALUES, Request, Response, json_values};

/// For name, TCP and TLS together: a request that fails by then was never sent, and can be retried.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How many times as long as for the head is waited for more of a streamed body.
const IDLE_TIMES: u32 = 5;

/// The most pages that are fetched in parallel.
const LASTING_CONNECTIONS: usize = 32;

/// Proxies may add a few dozen; the client's buffer bounds their size.
const MOST_HEADERS: usize = 512;

const OWN_NAME: &str = concat!("oauthctl/", env!("CARGO_PKG_VERSION"));

/// Set by this module alone: they decide where the request goes and where it ends.
const OWN_HEADERS: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

/// Builds its clients at the first request.
#[derive(Default)]
pub struct Real {
    driver: OnceLock<Arc<Driver>>,
    clients: Mutex<Vec<(Kind, Client)>>,
}

/// The properties that a client is built with.
#[derive(PartialEq)]
struct Kind {
    way: Way,
    /// Whether its connections are reused.
    reuse: bool,
    /// The client certificate.
    identity: Option<Arc<ClientCertificate>>,
    /// The request's own authorities.
    authorities: Option<Arc<str>>,
}

/// How a request travels.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// `http` to loopback: no certificate authorities are read.
    Plain,
    /// `https` to loopback: no proxy.
    Direct,
    /// `https` to the world, through the system's proxy where there is one.
    World,
}

impl Http for Real {
    fn exchange(&self, request: &Request) -> Result<Response, HttpError> {
        let place = request.place();
        let mut deadline = Deadline::after(request.timeout);
        let driver = self.driver(&place)?;
        let (client, mut sent) = self.prepare(request, request.reuse && driver.keeps_going())?;
        if let Some(body) = &request.body {
            carry(&mut sent, body.expose().to_owned().into());
        }
        let answer = driver.run(deadline.within(client.execute(sent)));
        let answer =
            answer.ok_or_else(|| timed_out(&place, request.timeout))?.map_err(|error| told(&error, request))?;
        let (status, headers) = (answer.status().as_u16(), headers(answer.headers()));
        let whole = Answer { driver, answer, limit: Limit::Until(deadline), rest: Bytes::new() };
        match read_body(whole, request.max_body) {
            Ok(Some(body)) if json_values(&body) > MOST_VALUES => {
                Err(HttpError::TooDense { place, limit: MOST_VALUES })
            }
            Ok(Some(body)) => Ok(Response { status, headers, body }),
            Ok(None) => Err(HttpError::TooLarge { place, limit: request.max_body }),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(timed_out(&place, request.timeout)),
            Err(error) => Err(HttpError::Ambiguous { place, why: innermost(&error) }),
        }
    }

    fn stream(&self, request: &Request, body: Option<Upload>) -> Result<Streamed, HttpError> {
        let place = request.place();
        let end = End(request.within.map(|time| Instant::now() + time));
        let driver = self.driver(&place)?;
        let (client, mut sent) = self.prepare(request, request.reuse && driver.keeps_going())?;
        let patience = Arc::new(Patience::from_now());
        let body = match body {
            Some(upload) => Some(upload::body(upload, &patience).map_err(|error| HttpError::Unsent {
                place: place.clone(),
                why: format!("the body can't be read: {error}"),
            })?),
            None => request.body.as_ref().map(|body| Body::from(body.expose().to_owned())),
        };
        // RFC 9110, section 8.6: a method that usually has a body announces an empty one
        let body = body.or_else(|| matches!(&*request.method, "POST" | "PUT" | "PATCH").then(|| Body::from("")));
        if let Some(body) = body {
            carry(&mut sent, body);
        }
        // reqwest's own deadline would end the response's body with the head
        let answer = driver.run(async {
            let mut answering = pin!(client.execute(sent));
            let mut wait = request.timeout;
            loop {
                if let Ok(answer) = tokio::time::timeout(end.earlier(wait), answering.as_mut()).await {
                    return answer.map_err(|error| unreadable(told(&error, request)));
                }
                if let Some(time) = request.within.filter(|_| end.is_over()) {
                    return Err(timed_out(&place, time));
                }
                wait = patience.left(request.timeout).ok_or_else(|| timed_out(&place, request.timeout))?;
            }
        })?;
        Ok(Streamed {
            status: answer.status().as_u16(),
            version: format!("{:?}", answer.version()),
            headers: headers(answer.headers()),
            body: Box::new(Answer {
                driver,
                answer,
                limit: Limit::Idle(request.timeout.saturating_mul(IDLE_TIMES), end),
                rest: Bytes::new(),
            }),
        })
    }
}

impl Real {
    /// `reuse`: over a connection that others of its kind may use too.
    fn prepare(&self, request: &Request, reuse: bool) -> Result<(Client, reqwest::Request), HttpError> {
        let forbidden = |why: String| HttpError::Forbidden { place: request.place(), why };
        let (url, way) = allowed(request.url.expose()).map_err(|why| forbidden(why.to_owned()))?;
        if let Way::World = way {
            proxy::usable_for(&super::env::Real, url.as_str()).map_err(HttpError::Proxy)?;
        }
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| forbidden(format!("`{}` is not a method", text::safe(&request.method))))?;
        let mut sent = reqwest::Request::new(method, url);
        sent.headers_mut().insert("accept-encoding", HeaderValue::from_static("identity"));
        if !request.unnamed {
            sent.headers_mut().insert(USER_AGENT, HeaderValue::from_static(OWN_NAME));
        }
        let mut fresh = Vec::new();
        for (name, value) in &request.headers {
            let shown = text::safe(name);
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| forbidden(format!("`{shown}` is not a header's name")))?;
            if OWN_HEADERS.contains(&name.as_str()) {
                return Err(forbidden(format!("the header `{shown}` can't be chosen")));
            }
            let mut value = HeaderValue::from_str(value.expose())
                .map_err(|_| forbidden(format!("the value of `{shown}` has a character that no header may hold")))?;
            value.set_sensitive(true);
            // the first of a name replaces the default, further ones are added
            if fresh.contains(&name) {
                sent.headers_mut().append(name, value);
            } else {
                sent.headers_mut().insert(name.clone(), value);
                fresh.push(name);
            }
        }
        let identity = request.identity.clone().filter(|_| way != Way::Plain);
        let authorities = request.authorities.clone().filter(|_| way != Way::Plain);
        Ok((self.client(Kind { way, reuse, identity, authorities }, request)?, sent))
    }

    fn driver(&self, place: &str) -> Result<Arc<Driver>, HttpError> {
        if let Some(driver) = self.driver.get() {
            return Ok(Arc::clone(driver));
        }
        let unsent = |why: io::Error| HttpError::Unsent { place: place.to_owned(), why: text::safe(&why.to_string()) };
        let made = Driver::new().map_err(unsent)?;
        Ok(Arc::clone(self.driver.get_or_init(|| Arc::new(made))))
    }

    fn client(&self, kind: Kind, request: &Request) -> Result<Client, HttpError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(built, _)| *built == kind) {
            return Ok(client.clone());
        }
        let place = request.place();
        let identity = kind.identity.as_ref().map(|shown| {
            let pem = Zeroizing::new(format!("{}\n{}", shown.certificate, keys_alone(shown.key.expose()).as_str()));
            reqwest::Identity::from_pem(pem.as_bytes())
        });
        let identity = identity.transpose().map_err(|e| HttpError::Forbidden {
            place: place.clone(),
            why: format!("the client certificate or its key can't be used: {}", innermost(&e)),
        })?;
        let client = build(&kind, bundle(&kind, &place)?, identity).map_err(|e| match kind.identity {
            None => HttpError::Tls { place, why: innermost(&e) },
            Some(_) => HttpError::Forbidden {
                place,
                why: format!("the client certificate does not fit its key: {}", innermost(&e)),
            },
        })?;
        clients.push((kind, client.clone()));
        Ok(client)
    }
}

/// The private keys of a PEM text, without other sections (`EC PARAMETERS`, a certificate).
fn keys_alone(pem: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(pem.len()));
    let mut inside = false;
    for line in pem.lines() {
        inside |= line.starts_with("-----BEGIN ") && line.trim_end().ends_with("PRIVATE KEY-----");
        if inside {
            out.push_str(line);
            out.push('\n');
        }
        inside &= !line.starts_with("-----END ");
    }
    out
}

/// The certificate authorities read here; none for a way without TLS.
fn bundle(kind: &Kind, place: &str) -> Result<Vec<Certificate>, HttpError> {
    if let Way::Plain = kind.way {
        return Ok(Vec::new());
    }
    if let Some(pem) = &kind.authorities {
        let found = Certificate::from_pem_bundle(pem.as_bytes()).ok().filter(|found| !found.is_empty());
        let why = || "the file of its certificate authorities holds none in PEM".to_owned();
        return found.ok_or_else(|| HttpError::Forbidden { place: place.to_owned(), why: why() });
    }
    roots::bundle(&super::env::Real).map_err(HttpError::Authorities)
}

fn build(kind: &Kind, bundle: Vec<Certificate>, identity: Option<reqwest::Identity>) -> reqwest::Result<Client> {
    let builder = || match identity.clone() {
        Some(identity) => builder(kind).identity(identity),
        None => builder(kind),
    };
    // fails if it is installed already
    let _ = rustls::crypto::ring::default_provider().install_default();
    if kind.way == Way::Plain {
        return builder().tls_certs_only([]).build();
    }
    if !bundle.is_empty() {
        match builder().tls_certs_only(bundle).build() {
            // there the platform verifier accepts the same bundle, even with a broken certificate
            Err(_) if cfg!(all(unix, not(target_vendor = "apple"))) => {}
            built => return built,
        }
    }
    builder().build()
}

fn builder(kind: &Kind) -> ClientBuilder {
    let builder = ClientBuilder::new()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        // some servers know the names of headers in their usual form alone
        .http1_title_case_headers()
        .http1_max_headers(MOST_HEADERS)
        .dns_resolver(names::System)
        .pool_max_idle_per_host(if kind.reuse { LASTING_CONNECTIONS } else { 0 })
        .connect_timeout(CONNECT_TIME);
    if kind.way == Way::World {
        return builder.https_only(true);
    }
    builder.no_proxy()
}

/// A body of known length announces it, even an empty one: many servers wait for it.
fn carry(sent: &mut reqwest::Request, body: Body) {
    if let Some(length) = body.size_hint().exact() {
        sent.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *sent.body_mut() = Some(body);
}

/// The URL and its way, or why no secret may go to it.
fn allowed(url: &str) -> Result<(Url, Way), &'static str> {
    let url = parse_safe(url)?;
    let way = match url.scheme() {
        "http" => Way::Plain,
        _ if is_loopback(&url) => Way::Direct,
        _ => Way::World,
    };
    Ok((url, way))
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    // invalid UTF-8 is taken for ISO 8859-1 (RFC 9110, section 5.5), Unicode's first characters
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    map.iter().map(|(n, v)| (n.as_str().to_owned(), text(v.as_bytes()))).collect()
}

fn timed_out(place: &str, timeout: Duration) -> HttpError {
    HttpError::TimedOut { place: place.to_owned(), seconds: timeout.as_secs_f64().ceil() as u64 }
}

/// A head that is no HTTP is malformed: the server would answer the same again. A token's request
/// takes it as any other break.
fn unreadable(error: HttpError) -> HttpError {
    match error {
        // a client's error has no other mark
        HttpError::Ambiguous { place, why } if why.starts_with("invalid ") && why.ends_with(" parsed") => {
            HttpError::Malformed { place, why }
        }
        other => other,
    }
}

/// The error, with the proxy's name.
fn told(error: &reqwest::Error, request: &Request) -> HttpError {
    let place = match proxy::Proxy::of(&super::env::Real, request.url.expose()) {
        Some(proxy) => match proxy.refusal(&innermost(error)).filter(|_| error.is_connect()) {
            Some(refusal) => return HttpError::Proxy(refusal),
            None => format!("{} through the proxy {proxy}", request.place()),
        },
        None => request.place(),
    };
    judge(error, &place, request.timeout)
}

/// The server's part in the error. An error of connecting (name, TCP, proxy, TLS) means that no
/// byte of the request was sent; after that it is unknown.
fn judge(error: &reqwest::Error, place: &str, timeout: Duration) -> HttpError {
    let place = place.to_owned();
    if error.is_connect() {
        return match causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            Some(tls) => HttpError::Tls { place, why: tls_reason(tls) },
            None if error.is_timeout() => {
                HttpError::Unsent { place, why: format!("no connection within {} seconds", CONNECT_TIME.as_secs()) }
            }
            None => HttpError::Unsent { place, why: innermost(error) },
        };
    }
    if error.is_timeout() {
        return timed_out(&place, timeout);
    }
    if error.is_builder() {
        return HttpError::Forbidden { place, why: innermost(error) };
    }
    match innermost(error) {
        // a client's error has no other mark
        why if why == "message head is too large" => HttpError::HeadTooLarge { place },
        why if why.starts_with("invalid HTTP header") => HttpError::Malformed { place, why },
        why => HttpError::Ambiguous { place, why },
    }
}

fn tls_reason(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return match error {
            rustls::Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
            other => text::safe(&other.to_string()),
        };
    };
    match certificate {
        C::Expired | C::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        C::NotValidYet | C::NotValidYetContext { .. } => "its certificate is not valid yet".to_owned(),
        C::NotValidForName | C::NotValidForNameContext { .. } => "its certificate is for another name".to_owned(),
        C::UnknownIssuer => "its certificate is signed by nobody this system trusts".to_owned(),
        C::Revoked => "its certificate was revoked".to_owned(),
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is an authority's (`CA:TRUE`), which no server may have: give it one with `CA:FALSE`"
                .to_owned()
        }
        other => format!("its certificate is not good: {}", text::safe(&other.to_string())),
    }
}

/// The last cause's message. Only `reqwest::Error` knows the URL, and it is never the last.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let last = causes(error).filter(|cause| !cause.is::<reqwest::Error>()).last();
    last.map_or_else(|| "the exchange failed".to_owned(), |cause| text::safe(&cause.to_string()))
}

/// The error and its causes. The source of an `io::Error` skips the error it wraps: unwrapped here.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    })
}

/// The whole body; `None` if it is too large. A buffer that it outgrows is wiped, since it may hold
/// a token.
fn read_body(mut answer: impl Read, cap: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut body = Zeroizing::new(vec![0; (16 << 10).min(cap + 1)]);
    let mut filled = 0;
    loop {
        if filled == body.len() {
            let mut larger = Zeroizing::new(vec![0; (2 * filled).min(cap + 1)]);
            larger[..filled].copy_from_slice(&body);
            body = larger;
        }
        match answer.read(&mut body[filled..]) {
            Ok(0) => {
                body.truncate(filled);
                return Ok(Some(body));
            }
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if filled > cap {
            return Ok(None);
        }
    }
}

/// How long a response's body is waited for.
enum Limit {
    /// The whole of it.
    Until(Deadline),
    /// Each part of it, as a stream may be long; and the whole, if that has an end.
    Idle(Duration, End),
}

/// The moment at which a stream must have ended, if there is one.
struct End(Option<Instant>);

impl End {
    /// This time, or the time until the end.
    fn earlier(&self, time: Duration) -> Duration {
        self.0.map_or(time, |end| time.min(end.saturating_duration_since(Instant::now())))
    }

    fn is_over(&self) -> bool {
        self.earlier(Duration::MAX).is_zero()
    }
}

/// A response's body; its errors don't name the URL.
struct Answer {
    driver: Arc<Driver>,
    answer: reqwest::Response,
    limit: Limit,
    /// Received, but not read yet.
    rest: Bytes,
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let late = |why: String| io::Error::new(io::ErrorKind::TimedOut, why);
        while self.rest.is_empty() {
            let chunk = self.answer.chunk();
            let chunk = match &mut self.limit {
                Limit::Until(deadline) => self.driver.run(deadline.within(chunk)).ok_or(io::ErrorKind::TimedOut)?,
                Limit::Idle(_, end) if end.is_over() => return Err(late("the time for all of it is over".to_owned())),
                Limit::Idle(idle, end) => match self.driver.run(Deadline::after(end.earlier(*idle)).within(chunk)) {
                    Some(chunk) => chunk,
                    None if end.is_over() => continue,
                    None => return Err(late(format!("nothing came for {} seconds", idle.as_secs_f64().ceil()))),
                },
            };
            match chunk {
                Ok(Some(chunk)) => self.rest = chunk,
                Ok(None) => return Ok(0),
                Err(error) => {
                    let why = innermost(&error);
                    let kind = match &*why {
                        _ if error.is_timeout() => io::ErrorKind::TimedOut,
                        // a client's error has no other mark
                        why if why.to_ascii_lowercase().starts_with("invalid chunk") => io::ErrorKind::InvalidInput,
                        _ => io::ErrorKind::Other,
                    };
                    return Err(io::Error::new(kind, why));
                }
            }
        }
        let n = self.rest.len().min(buffer.len());
        self.rest.copy_to_slice(&mut buffer[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
