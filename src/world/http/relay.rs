//! A reverse proxy on loopback: hyper's server, and behind it the client that all requests of the
//! program use. Its [`Desk`] decides which request goes on, and with which credentials. Bodies pass
//! as they come, in both directions, and so does a connection that changes its protocol
//! (WebSocket).

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::TcpStream;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};
use url::Url;

use super::driver::Driver;
use super::upload::InTurn;
use super::{MOST_HEADERS, Real, carry, headers, told, unreadable};
use crate::wire::Request;
use crate::world::HttpError;
use crate::world::http_server::listening::Bound;
use crate::world::http_server::listening::peer;

/// The head of a request, as a client of the proxy sent it.
pub struct Head<'a> {
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The value of a header, by its name in lower case; empty if it is no text.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The authority of a target that is a whole address.
    pub authority: Option<&'a str>,
}

/// Where a request goes.
pub struct Way {
    pub url: Url,
    /// The number of the credentials at that time.
    pub number: u64,
}

/// What happens to a request.
pub enum Judged {
    /// It goes on: method, address and the headers that the proxy adds. The number is that of the
    /// credentials in it.
    Pass(Box<Request>, u64),
    Refused(Refusal),
    /// First the credentials of this number must be replaced ([`Desk::renew`]).
    Wait(u64),
}

/// A response of the proxy itself.
pub struct Refusal {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

/// Called when other credentials are there, or the reason why there are none.
pub type Done = Box<dyn FnOnce() + Send>;

/// Decides about the requests. Several threads call it; none of them may be held up for long.
pub trait Desk: Send + Sync {
    /// Where a request goes, by its head. Asked before its body is read.
    fn way(&self, head: &Head<'_>) -> Result<Way, Refusal>;
    fn judge(&self, head: &Head<'_>, way: &Way) -> Judged;
    /// How long a request must wait to keep the provider's limits. Each call takes a turn.
    fn turn(&self) -> Result<Duration, Refusal>;
    /// Replaces the credentials of this number. `refused`: a server refused them.
    fn renew(&self, number: u64, refused: bool, done: Done);
    /// Heeds what a response says about the provider's limits. `headers` copies its headers.
    fn heed(&self, status: u16, headers: &dyn Fn() -> Vec<(String, String)>);
    /// Whether a response with this status may refuse the credentials.
    fn may_refuse(&self, status: u16) -> bool;
    /// Whether it does. The body is its first mebibyte.
    fn refuses(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> bool;
    /// A header of the response from an address, as the client may see it. `None`: not at all.
    fn shown(&self, from: &str, header: (&str, &str)) -> Option<String>;
    /// The response in the place of one that can't be had.
    fn unanswered(&self, why: &HttpError) -> Refusal;
}

/// A larger request isn't kept, and so can't be sent a second time.
const SMALL: u64 = 64 << 10;

/// Bytes of a response that are read to judge it.
const LOOKED_INTO: usize = 1 << 20;

/// For each thread: nginx has 512 unless told otherwise.
const MOST_CONNECTIONS: usize = 512;

/// The longest head of a request, and the most of a body that is read ahead. hyper's own choice
/// would hold 400 KiB of a head that never ends.
const LONGEST_HEAD: usize = 64 << 10;

/// How long a client may keep a connection without a request, as nginx has it.
const IDLE: Duration = Duration::from_secs(75);

/// Headers that belong to one connection (RFC 9110, section 7.6.1), and those that the proxy makes
/// itself.
const OF_CONNECTION: [HeaderName; 10] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];

/// Headers of a client that are for the proxy alone. A browser sends `localhost` the cookies of
/// every program there, and the proxy's address, which is a secret, as the referrer.
const OF_CLIENT: [HeaderName; 7] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::AUTHORIZATION,
    header::COOKIE,
    header::ORIGIN,
    header::REFERER,
    HeaderName::from_static("dpop"),
];

type Response = hyper::Response<Passing>;

/// A response with the part of its body that was read already.
type Answer = (Box<Request>, reqwest::Response, Option<Bytes>);

/// Serves until it is dropped.
pub struct Relaying(#[expect(dead_code, reason = "its end is the threads' end")] watch::Sender<()>);

/// Starts a thread for each core.
pub fn start(bound: Bound, desk: &Arc<dyn Desk>) -> io::Result<Relaying> {
    let (running, stopped) = watch::channel(());
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut early = bound.early;
    for _ in 0..cores {
        let listeners = bound.listeners.iter().map(std::net::TcpListener::try_clone).collect::<io::Result<Vec<_>>>()?;
        let (driver, early, mut stopped) = (Driver::new()?, std::mem::take(&mut early), stopped.clone());
        let worker = Arc::new(Worker { http: Real::default(), desk: Arc::clone(desk) });
        let serve = async move {
            let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
            for stream in early {
                tokio::spawn(Arc::clone(&worker).converse(stream));
            }
            for listener in listeners.into_iter().filter_map(|listener| TcpListener::from_std(listener).ok()) {
                tokio::spawn(Arc::clone(&worker).accept(listener, Arc::clone(&places)));
            }
            // an error: the sender is gone
            while stopped.changed().await.is_ok() {}
        };
        thread::Builder::new().name("relay".to_owned()).spawn(move || driver.run(serve))?;
    }
    Ok(Relaying(running))
}

/// One thread's share.
struct Worker {
    http: Real,
    desk: Arc<dyn Desk>,
}

impl Worker {
    async fn accept(self: Arc<Worker>, listener: TcpListener, places: Arc<Semaphore>) {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
                Ok(stream) => {
                    let conversation = Arc::clone(&self).converse(stream);
                    tokio::spawn(async move {
                        conversation.await;
                        drop(place);
                    });
                }
                // too many open files: the next attempt may find one
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn converse(self: Arc<Worker>, stream: TcpStream) {
        // another user of this machine
        if peer::stranger(&stream).is_some() {
            return;
        }
        let _ = stream.set_nodelay(true);
        let Ok(stream) = stream.set_nonblocking(true).and_then(|()| tokio::net::TcpStream::from_std(stream)) else {
            return;
        };
        let service = service_fn(move |request| {
            let worker = Arc::clone(&self);
            async move { Ok::<_, Infallible>(worker.answer(request).await) }
        });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(IDLE).max_headers(MOST_HEADERS).max_buf_size(LONGEST_HEAD);
        // a client that breaks off gets nothing more
        let _ = server.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    }

    async fn answer(&self, mut incoming: hyper::Request<Incoming>) -> Response {
        let upgrade = incoming.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut incoming));
        let (head, body) = incoming.into_parts();
        let way = match self.desk.way(&as_head(&head, &|name| value(&head, name))) {
            Ok(way) => way,
            Err(refused) => return refusal(refused),
        };
        // an error: the client itself has gone
        let Ok(body) = Sent::of(body).await else { return refusal(bad_body()) };
        let mut turn = Turn { head: &head, way, body, waited: false, renewed: false, challenged: false, broke: false };
        loop {
            if let Some(answer) = self.once(&mut turn).await {
                return match answer {
                    Ok(answer) => self.respond(answer, upgrade).await,
                    Err(refused) => refusal(refused),
                };
            }
        }
    }

    /// One attempt. `None`: there must be another one.
    async fn once(&self, turn: &mut Turn<'_>) -> Option<Result<Answer, Refusal>> {
        // before the credentials are looked at: a proof is for the moment
        if !turn.waited {
            match self.desk.turn() {
                Ok(Duration::ZERO) => {}
                Ok(time) => tokio::time::sleep(time).await,
                Err(refused) => return Some(Err(refused)),
            }
            turn.waited = true;
        }
        let (request, number) = match self.judged(turn) {
            Judged::Pass(request, number) => (request, number),
            Judged::Refused(refused) => return Some(Err(refused)),
            Judged::Wait(number) => {
                self.renew(number, false).await;
                return None;
            }
        };
        let again = turn.body.is_kept();
        turn.waited = false;
        let sent = match self.http.prepare(&request, true) {
            Ok((client, own)) => client.execute(outgoing(own, turn)).await,
            Err(e) => return Some(Err(self.desk.unanswered(&e))),
        };
        let mut answer = match sent {
            Ok(answer) => answer,
            Err(_) if again && !turn.broke && turn.head.method.is_idempotent() => {
                turn.broke = true;
                return None;
            }
            Err(_) if turn.body.has_failed() => return Some(Err(bad_body())),
            Err(e) => return Some(Err(self.desk.unanswered(&unreadable(told(&e, &request))))),
        };
        let status = answer.status().as_u16();
        if let Some(at_sending) = &request.at_sending
            && at_sending.learn_from(&request, status, &headers(answer.headers()), &[]).is_some()
            && again
            && !std::mem::replace(&mut turn.challenged, true)
        {
            return None;
        }
        self.desk.heed(status, &|| headers(answer.headers()));
        let mut first = None;
        if !turn.renewed && self.desk.may_refuse(status) {
            let seen = match look_into(&mut answer).await {
                Ok(seen) => seen,
                Err(e) => return Some(Err(self.desk.unanswered(&told(&e, &request)))),
            };
            if self.desk.refuses(status, &headers(answer.headers()), &seen) {
                turn.renewed = true;
                self.renew(number, true).await;
                if again {
                    return None;
                }
            }
            first = Some(seen);
        }
        Some(Ok((request, answer, first)))
    }

    fn judged(&self, turn: &Turn<'_>) -> Judged {
        self.desk.judge(&as_head(turn.head, &|name| value(turn.head, name)), &turn.way)
    }

    async fn renew(&self, number: u64, refused: bool) {
        let (to, from) = oneshot::channel();
        let done = move || {
            let _ = to.send(());
        };
        self.desk.renew(number, refused, Box::new(done));
        // an error: the desk is gone, and this thread ends with it
        let _ = from.await;
    }

    /// The headers that the client may see. A page of the API is not one of the proxy's origin, and
    /// a cookie would be one of every program on this host.
    fn shown(&self, from: &str, came: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(came.len() + 2);
        for (name, value) in came.iter().filter(|(name, _)| **name != header::SET_COOKIE) {
            let shown = match value.to_str() {
                Ok(text) => {
                    self.desk.shown(from, (name.as_str(), text)).and_then(|text| HeaderValue::from_str(&text).ok())
                }
                Err(_) => Some(value.clone()),
            };
            if let Some(shown) = shown {
                headers.append(name, shown);
            }
        }
        headers.append(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers
    }

    async fn respond(&self, (request, mut answer, first): Answer, upgrade: Option<OnUpgrade>) -> Response {
        let mut headers = std::mem::take(answer.headers_mut());
        let changes = upgrade.filter(|_| answer.status() == hyper::StatusCode::SWITCHING_PROTOCOLS);
        let protocol = headers.get(header::UPGRADE).cloned().filter(|_| changes.is_some());
        if answer.status() == hyper::StatusCode::SWITCHING_PROTOCOLS && changes.is_none() {
            return refusal(self.desk.unanswered(&HttpError::Malformed {
                place: request.place(),
                why: "it changes the protocol, which nobody asked for".to_owned(),
            }));
        }
        leave_out(&mut headers);
        let mut headers = self.shown(request.url.expose(), &headers);
        put_protocol(&mut headers, protocol);
        let mut made = hyper::Response::new(Passing { first, rest: reqwest::Body::default() });
        *made.status_mut() = answer.status();
        *made.headers_mut() = headers;
        match changes {
            Some(client) => drop(tokio::spawn(join(client, answer))),
            None => made.body_mut().rest = hyper::Response::from(answer).into_body(),
        }
        made
    }
}

/// The state of one request.
struct Turn<'a> {
    head: &'a Parts,
    way: Way,
    body: Sent,
    /// Its turn has come, and isn't used.
    waited: bool,
    renewed: bool,
    /// A server wanted its nonce.
    challenged: bool,
    /// A connection broke.
    broke: bool,
}

/// A client's body.
enum Sent {
    Kept(Bytes),
    /// `None`: it has gone. The flag tells whether it failed.
    Stream(Option<Incoming>, Arc<AtomicBool>),
}

impl Sent {
    async fn of(mut body: Incoming) -> Result<Sent, hyper::Error> {
        if body.size_hint().upper().is_none_or(|most| most > SMALL) {
            return Ok(Sent::Stream(Some(body), Arc::default()));
        }
        let mut kept = BytesMut::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            kept.extend(frame?.into_data().ok());
        }
        Ok(Sent::Kept(kept.freeze()))
    }

    /// Whether it can be sent again.
    fn is_kept(&self) -> bool {
        matches!(self, Sent::Kept(_))
    }

    /// Whether the client broke it off, or sent something else.
    fn has_failed(&self) -> bool {
        matches!(self, Sent::Stream(_, failed) if failed.load(Ordering::Relaxed))
    }

    /// The body to send. `None`: the request has none.
    fn take(&mut self, method: &hyper::Method, announced: bool) -> Option<reqwest::Body> {
        match self {
            Sent::Kept(kept) if kept.is_empty() && method.is_safe() && !announced => None,
            Sent::Kept(kept) => Some(reqwest::Body::from(kept.clone())),
            Sent::Stream(body, failed) => {
                body.take().map(|body| InTurn::with_reading(Streaming(body, Arc::clone(failed))))
            }
        }
    }
}

/// A client's body on its way to the server.
struct Streaming(Incoming, Arc<AtomicBool>);

impl Body for Streaming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Streaming(body, failed) = &mut *self;
        Pin::new(body).poll_frame(context).map_err(|e| {
            failed.store(true, Ordering::Relaxed);
            io::Error::other(e)
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// A response's body on its way to the client.
struct Passing {
    first: Option<Bytes>,
    rest: reqwest::Body,
}

impl Body for Passing {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        match self.first.take().filter(|first| !first.is_empty()) {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.first {
            None => self.rest.size_hint(),
            // the header has the length
            Some(_) => SizeHint::default(),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }
}

fn as_head<'a>(head: &'a Parts, header: &'a dyn Fn(&str) -> Option<&'a str>) -> Head<'a> {
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    Head { method: head.method.as_str(), target, header, authority: head.uri.authority().map(|named| named.as_str()) }
}

/// The value of a header; empty if it is no text, or if there are several.
fn value<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    let mut values = head.headers.get_all(name).iter();
    let first = values.next()?.to_str().unwrap_or_default();
    Some(if values.next().is_some() { "" } else { first })
}

/// The client's request with the headers of our own, which come first.
fn outgoing(mut sent: reqwest::Request, turn: &mut Turn<'_>) -> reqwest::Request {
    let theirs = &turn.head.headers;
    let mut headers = theirs.clone();
    let protocol = theirs.get(header::UPGRADE).cloned();
    leave_out(&mut headers);
    for name in &OF_CLIENT {
        headers.remove(name);
    }
    for (name, value) in sent.headers().iter() {
        // a default, where the client says nothing
        if !matches!(*name, header::USER_AGENT | header::ACCEPT_ENCODING) || !theirs.contains_key(name) {
            headers.insert(name, value.clone());
        }
    }
    put_protocol(&mut headers, protocol);
    *sent.headers_mut() = headers;
    if let Some(body) = turn.body.take(&turn.head.method, theirs.contains_key(header::CONTENT_LENGTH)) {
        carry(&mut sent, body);
    }
    sent
}

/// Leaves out the headers of one connection, and those that `Connection` names.
fn leave_out(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_CONNECTION) {
        headers.remove(name);
    }
}

/// A connection that changes its protocol says it anew.
fn put_protocol(headers: &mut HeaderMap, protocol: Option<HeaderValue>) {
    if let Some(protocol) = protocol {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
    }
}

/// The first mebibyte of a response.
async fn look_into(answer: &mut reqwest::Response) -> Result<Bytes, reqwest::Error> {
    let mut seen = BytesMut::new();
    while seen.len() < LOOKED_INTO
        && let Some(chunk) = answer.chunk().await?
    {
        seen.extend_from_slice(&chunk);
    }
    Ok(seen.freeze())
}

/// Carries bytes in both directions until one end closes.
async fn join(client: OnUpgrade, answer: reqwest::Response) {
    if let (Ok(client), Ok(mut server)) = (client.await, answer.upgrade().await) {
        let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut server).await;
    }
}

/// The client's own mistake.
fn bad_body() -> Refusal {
    let body = "{\"message\":\"the body of the request can't be read\"}\n".to_owned();
    Refusal { status: 400, headers: Vec::new(), body }
}

fn refusal(refused: Refusal) -> Response {
    let mut made = hyper::Response::new(Passing { first: None, rest: refused.body.into() });
    *made.status_mut() = hyper::StatusCode::from_u16(refused.status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    let kind = ("content-type", "application/json".to_owned());
    for (name, value) in refused.headers.into_iter().chain([kind]) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            made.headers_mut().insert(name, value);
        }
    }
    made
}
