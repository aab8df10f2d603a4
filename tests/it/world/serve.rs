//! A scripted server: `tiny_http` reads the requests, a closure answers them. The program's own
//! reader and server have no part in it, so a mistake that client and reader would share is seen
//! here. Answers that are no HTTP, or that end early or never, are written to raw sockets by their
//! tests.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use tiny_http::{Header, Server, StatusCode};

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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Serves until it is dropped.
pub struct Serving {
    pub address: SocketAddr,
    server: Arc<Server>,
    acceptor: Option<thread::JoinHandle<()>>,
}

/// A port of loopback that somebody else listens on.
#[expect(clippy::disallowed_methods, reason = "another process's listener, played by the test")]
pub fn taken() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// Answers each request on a thread of its own.
pub fn serve(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Serving {
    let (listener, address) = taken();
    let server = Arc::new(Server::from_listener(listener, None).expect("a server"));
    let (requests, handler) = (server.clone(), Arc::new(handler));
    let acceptor = thread::spawn(move || {
        for request in requests.incoming_requests() {
            let handler = handler.clone();
            thread::spawn(move || answer(request, &*handler));
        }
    });
    Serving { address, server, acceptor: Some(acceptor) }
}

fn answer(mut request: tiny_http::Request, handler: &dyn Fn(&Request) -> Response) {
    let mut body = Vec::new();
    // a client that breaks off gets no answer
    if request.as_reader().read_to_end(&mut body).is_err() {
        return;
    }
    let (path, query) = request.url().split_once('?').unwrap_or((request.url(), ""));
    let header = |h: &Header| (h.field.as_str().as_str().to_ascii_lowercase(), h.value.to_string());
    let response = handler(&Request {
        method: request.method().to_string(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: request.headers().iter().map(header).collect(),
        body,
    });
    let reason = StatusCode(response.status).default_reason_phrase();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", response.status);
    response.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    let body = if *request.method() == tiny_http::Method::Head { Vec::new() } else { response.body };
    head += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // Not by `respond`, which tells the real time: the tests' clock is another one. The client may
    // be gone.
    let mut writer = request.into_writer();
    let _ = writer.write_all(&[head.into_bytes(), body].concat()).and_then(|()| writer.flush());
}

impl Request {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.server.unblock();
        let _ = self.acceptor.take().map(thread::JoinHandle::join);
    }
}
