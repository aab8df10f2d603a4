//! A small HTTP/1.1 server on loopback: what the practice server (`sandbox/`) stands on.
//!
//! It is not the listener of [`super::loopback`]: that one catches a single redirect and faces every page in the browser, this
//! one serves whole APIs to whoever practises. What they share is the reader ([`super::http_reader`]) and its distrust: heads and
//! bodies have an end and a deadline. Connections are bounded too; the oldest one without a request makes room.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::http_reader::{self, Limits, RawRequest, Stream as _, TimedStream};
use super::listening::{ListenError, failed, holder, listen, reached, wake};

/// Larger than the redirect listener's: a JWT in a header, a batch of contacts in a body.
const LIMITS: Limits =
    Limits { line: 16 << 10, head: 48 << 10, time: Duration::from_secs(5), body: 8 << 20, chunks: true };
const WRITE_TIME: Duration = Duration::from_secs(30);
const MOST_CONNECTIONS: usize = 64;
/// How long a server that is dropped waits for answers in the making.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A whole request as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// As it stood in the request line, undecoded, without the query.
    pub path: String,
    /// Undecoded; empty where there was none.
    pub query: String,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    fn of(raw: &RawRequest) -> Request {
        let (path, query) = raw.path_and_query();
        Request {
            method: raw.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: raw.headers.clone(),
            body: raw.body.to_vec(),
        }
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        crate::wire::header(&self.headers, name)
    }
}

/// A whole answer; its length is added when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What answers. It is called on the connection's own thread, several at a time.
pub type Handler = dyn Fn(&Request) -> Response + Send + Sync;

/// Serving from the moment it exists; the port is closed when it is dropped, after the answers in the making.
pub struct Serving {
    address: SocketAddr,
    shared: Arc<Shared>,
    wake: wake::Waker,
    acceptor: Option<thread::JoinHandle<()>>,
}

struct Shared {
    handler: Arc<Handler>,
    stopping: AtomicBool,
    open: Mutex<BTreeMap<u64, Connection>>,
    closed: Condvar,
}

struct Connection {
    stream: TcpStream,
    /// A request has arrived whole, and its answer isn't written yet.
    busy: bool,
}

/// A port that is ours and that is reached, where nobody is answered yet.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    /// Who knocked already.
    early: Vec<TcpStream>,
}

/// Binds `127.0.0.1`, on that port or on any free one.
pub fn bind(port: Option<u16>) -> Result<Bound, ListenError> {
    let port = port.unwrap_or(0);
    let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).map_err(|why| match why.kind() {
        std::io::ErrorKind::AddrInUse => ListenError::PortTaken { port, holder: holder::of(port) },
        std::io::ErrorKind::PermissionDenied if port != 0 => ListenError::Reserved(port),
        _ => failed(why),
    })?;
    let address = listener.local_addr().map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let early = reached(&listener, address)?;
    Ok(Bound { listener, address, early })
}

impl Bound {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers from now on, those who knocked before included.
    pub fn serve(self, handler: Arc<Handler>) -> std::io::Result<Serving> {
        let Bound { listener, address, early } = self;
        let shared = Arc::new(Shared {
            handler,
            stopping: AtomicBool::new(false),
            open: Mutex::new(BTreeMap::new()),
            closed: Condvar::new(),
        });
        let (wake, sleeper) = wake::pair()?;
        let acceptor = thread::Builder::new().name("serve".into()).spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, early, &sleeper, &shared)
        })?;
        Ok(Serving { address, shared, wake, acceptor: Some(acceptor) })
    }
}

impl Serving {
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.wake.wake();
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        let end = Instant::now() + LAST_WORDS;
        let mut open = self.shared.open();
        while !open.is_empty() {
            let late = Instant::now() >= end;
            for connection in open.values().filter(|c| late || !c.busy) {
                let _ = connection.stream.shutdown(Shutdown::Both);
            }
            if late {
                break;
            }
            open = wait(&self.shared.closed, open, Duration::from_millis(50));
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn set_busy(&self, number: u64) {
        if let Some(connection) = self.open().get_mut(&number) {
            connection.busy = true;
        }
    }
}

fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>, time: Duration) -> MutexGuard<'a, T> {
    condition.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0
}

fn accept(listener: &TcpListener, early: Vec<TcpStream>, sleeper: &wake::Sleeper, shared: &Arc<Shared>) {
    let mut numbers = 0u64..;
    let mut next = || numbers.next().unwrap_or_default();
    for stream in early {
        admit(stream, next(), shared);
    }
    while !shared.stopping() {
        match listener.accept() {
            Ok((stream, _)) => admit(stream, next(), shared),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => sleeper.wait(std::slice::from_ref(listener)),
            // out of descriptors, or the peer was gone already: neither ends a server
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Gives a connection its thread, once there is room for it.
fn admit(stream: TcpStream, number: u64, shared: &Arc<Shared>) {
    let mut open = shared.open();
    while open.len() >= MOST_CONNECTIONS && !shared.stopping() {
        if let Some(idle) = open.values().find(|c| !c.busy) {
            let _ = idle.stream.shutdown(Shutdown::Both);
        }
        open = wait(&shared.closed, open, Duration::from_millis(20));
    }
    let Ok(own) = stream.set_nonblocking(false).and_then(|()| stream.try_clone()) else { return };
    open.insert(number, Connection { stream: own, busy: false });
    drop(open);
    let leaving = Leaving { number, shared: Arc::clone(shared) };
    // a thread that can't be had drops the closure, and with it the connection
    let _ = thread::Builder::new().name("serve-connection".into()).stack_size(512 * 1024).spawn(move || {
        let leaving = leaving;
        converse(stream, leaving.number, &leaving.shared);
    });
}

/// Takes the connection off the list however its thread ends.
struct Leaving {
    number: u64,
    shared: Arc<Shared>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.shared.open().remove(&self.number);
        self.shared.closed.notify_all();
    }
}

/// One request, one answer: a browser or a test that wants more opens another connection.
fn converse(stream: TcpStream, number: u64, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut stream = TimedStream::new(Arc::new(stream), LIMITS.time);
    let read = http_reader::read_request(&mut stream, &LIMITS);
    shared.set_busy(number);
    let (response, body) = match &read {
        Ok(raw) => {
            let response = (shared.handler)(&Request::of(raw));
            let body = if raw.method == "HEAD" { Vec::new() } else { response.body.clone() };
            (response, body)
        }
        Err(refusal) => {
            let Some(status) = refusal.status() else { return };
            let headers = vec![("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())];
            (Response { status, headers, body: Vec::new() }, format!("{refusal}\n").into_bytes())
        }
    };
    let headers: Vec<(&str, &str)> = response.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    stream.end_by(Instant::now() + WRITE_TIME);
    // a peer that has gone away needs no answer
    if http_reader::write_response(&mut stream, response.status, &headers, &body).is_ok() {
        http_reader::hang_up(&mut stream);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn echo() -> Serving {
        let handler = |r: &Request| Response {
            status: 200,
            headers: vec![("X-Path".into(), format!("{} {}|{}", r.method, r.path, r.query))],
            body: if r.body.is_empty() { b"no body".to_vec() } else { r.body.clone() },
        };
        bind(None).unwrap().serve(Arc::new(handler)).unwrap()
    }

    fn say(serving: &Serving, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(serving.address()).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn answers_a_request_whole() {
        let serving = echo();
        assert_eq!(
            say(&serving, b"DELETE /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"),
            "HTTP/1.1 200 OK\r\nX-Path: DELETE /a|b=c\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
        );
        let head = say(&serving, b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    }

    #[test]
    fn refuses_what_is_too_large_or_not_http() {
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(LIMITS.head));
        for (bytes, expected) in [
            (&b"GET /\r\n\r\n"[..], "HTTP/1.1 400 "),
            (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 413 "),
            (long.as_bytes(), "HTTP/1.1 431 "),
        ] {
            let answer = say(&echo(), bytes);
            assert!(answer.starts_with(expected), "{expected} for {:?}: {answer}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn more_idle_connections_than_it_keeps_do_not_stop_it() {
        let serving = echo();
        let idle: Vec<TcpStream> =
            (0..MOST_CONNECTIONS + 8).map(|_| TcpStream::connect(serving.address()).unwrap()).collect();
        let answer = say(&serving, b"GET / HTTP/1.1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        drop(idle);
    }

    #[test]
    fn closes_its_port_when_dropped() {
        let serving = echo();
        let address = serving.address();
        let _idle = TcpStream::connect(address).unwrap();
        drop(serving);
        // another test that starts a process holds a copy of every socket until the program is loaded
        let until = Instant::now() + Duration::from_secs(5);
        while let Err(error) = bind(Some(address.port())) {
            assert!(Instant::now() < until, "{error}");
            thread::sleep(Duration::from_millis(5));
        }
        assert!(TcpStream::connect(address).is_err());
    }
}
