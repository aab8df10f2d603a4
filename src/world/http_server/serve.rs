//! A small HTTP/1.1 server on loopback for the practice server (`sandbox/`).
//!
//! The listener of [`super::loopback`] handles a single redirect and faces every page in the
//! browser. This server serves whole APIs to users who practise.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::acceptor::{Acceptor, Visit};
use super::listening::{self, Address, Host, ListenError};
use super::reader::{self, Limits, RawRequest, Stream as _, TimedStream};

/// Larger than the redirect listener's: a JWT in a header, a batch of contacts in a body.
const LIMITS: Limits =
    Limits { line: 16 << 10, head: 48 << 10, time: Duration::from_secs(5), body: 8 << 20, chunks: true };
const WRITE_TIME: Duration = Duration::from_secs(30);
const MOST_CONNECTIONS: usize = 64;
/// How long a drop waits for unfinished responses.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A whole response; its length is added when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Answers requests, on each connection's own thread, several at a time.
pub type Handler = dyn Fn(&RawRequest) -> Response + Send + Sync;

/// Serves as soon as it exists. Dropping it closes the port after unfinished responses.
pub struct Serving {
    address: SocketAddr,
    _acceptor: Acceptor,
}

/// A bound and reachable port that doesn't serve yet.
pub struct Bound(listening::Bound);

/// Binds `127.0.0.1`, on that port or on any free one.
pub fn bind(port: Option<u16>) -> Result<Bound, ListenError> {
    listening::bind(&Address { host: Host::Literal, ports: port.into_iter().collect(), tls: false }).map(Bound)
}

impl Bound {
    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Starts to serve, including the connections accepted already.
    pub fn serve(self, handler: Arc<Handler>) -> std::io::Result<Serving> {
        let address = self.0.address;
        let handler = move |visit: &_| converse(visit, &*handler);
        Ok(Serving { address, _acceptor: Acceptor::start(self.0, MOST_CONNECTIONS, LAST_WORDS, handler)? })
    }
}

impl Serving {
    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn converse(visit: &Visit, handler: &Handler) {
    let mut stream = TimedStream::new(Arc::clone(&visit.socket), LIMITS.time);
    let read = reader::read_request(&mut stream, &LIMITS);
    visit.set_busy(true);
    let (response, body) = match &read {
        Ok(raw) => {
            let response = handler(raw);
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
    // a client that has gone needs no response
    if reader::write_response(&mut stream, response.status, &headers, &body).is_ok() {
        reader::hang_up(&mut stream);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::thread;

    use super::*;

    fn echo() -> Serving {
        let handler = |r: &RawRequest| Response {
            status: 200,
            headers: vec![("X-Target".into(), format!("{} {}", r.method, r.target.as_str()))],
            body: if r.body.is_empty() { b"no body".to_vec() } else { r.body.to_vec() },
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
            "HTTP/1.1 200 OK\r\nX-Target: DELETE /a?b=c\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
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
        // a process started by another test holds a copy of every socket until its exec
        let until = Instant::now() + Duration::from_secs(5);
        while let Err(error) = bind(Some(address.port())) {
            assert!(Instant::now() < until, "{error}");
            thread::sleep(Duration::from_millis(5));
        }
        assert!(TcpStream::connect(address).is_err());
    }
}
