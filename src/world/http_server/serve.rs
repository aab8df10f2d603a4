//! A small HTTP/1.1 server on loopback for the practice server (`sandbox/`).
//!
//! The listener of [`super::loopback`] handles a single redirect and faces every page in the
//! browser. This server serves whole APIs to users who practise.

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use super::acceptor::Acceptor;
use super::acceptor::Visit;
use super::listening::{self, Address, Bound, Host, ListenError};
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

/// Binds `127.0.0.1`, on that port or on any free one.
pub fn bind(port: Option<u16>) -> Result<Bound, ListenError> {
    listening::bind(&Address { host: Host::Literal, ports: port.into_iter().collect(), tls: false, bind: None })
}

/// Serves until the result is dropped, and then closes the port after unfinished responses. The
/// handler runs on each connection's own thread, several at a time.
pub fn serve(
    bound: Bound,
    handler: impl Fn(&RawRequest) -> Response + Send + Sync + 'static,
) -> std::io::Result<Acceptor> {
    Acceptor::start(bound, MOST_CONNECTIONS, LAST_WORDS, move |visit| converse(visit, &handler))
}

fn converse(visit: &Visit, handler: &dyn Fn(&RawRequest) -> Response) {
    let mut stream = TimedStream::new(Arc::clone(&visit.socket), LIMITS.time);
    let read = reader::read_request(&mut stream, &LIMITS);
    visit.set_busy(true);
    let response = match &read {
        Ok(raw) if raw.method == "HEAD" => Response { body: Vec::new(), ..handler(raw) },
        Ok(raw) => handler(raw),
        Err(refusal) => {
            let Some(status) = refusal.status() else { return };
            let headers = vec![("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())];
            Response { status, headers, body: format!("{refusal}\n").into_bytes() }
        }
    };
    let headers: Vec<(&str, &str)> = response.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    stream.end_by(Instant::now() + WRITE_TIME);
    // a client that has gone needs no response
    if reader::write_response(&mut stream, response.status, &headers, &response.body).is_ok() {
        reader::hang_up(&mut stream);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};
    use std::thread;

    use super::*;

    struct Echo {
        address: SocketAddr,
        _acceptor: Acceptor,
    }

    fn echo() -> Echo {
        let handler = |r: &RawRequest| Response {
            status: 200,
            headers: vec![("X-Target".into(), format!("{} {}", r.method, r.target.as_str()))],
            body: if r.body.is_empty() { b"no body".to_vec() } else { r.body.to_vec() },
        };
        let bound = bind(None).unwrap();
        Echo { address: bound.address, _acceptor: serve(bound, handler).unwrap() }
    }

    fn say(serving: &Echo, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(serving.address).unwrap();
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
            (0..MOST_CONNECTIONS + 8).map(|_| TcpStream::connect(serving.address).unwrap()).collect();
        let answer = say(&serving, b"GET / HTTP/1.1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        drop(idle);
    }

    #[test]
    fn closes_its_port_when_dropped() {
        let serving = echo();
        let address = serving.address;
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
