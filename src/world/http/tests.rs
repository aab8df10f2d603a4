//! Against servers that follow a script, on real sockets.

#[path = "../../../tests/it/world/itself.rs"]
mod itself;
mod uploads;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use base64::Engine as _;

use itself::itself;

use super::*;

const CANARY: &str = "CANARY-in-a-query";

/// A port without a listener, which the system never assigns by itself.
const NOBODY: &str = "127.0.0.1:1";

/// A loopback server that runs the script on each connection, after the request's head was read.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: mpsc::Receiver<String>,
}

#[expect(clippy::disallowed_methods, reason = "a server for a test")]
fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port")
}

impl Server {
    fn start(script: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Server {
        let listener = listener();
        let address = listener.local_addr().expect("its address");
        let connections = Arc::new(AtomicUsize::new(0));
        let (to, heads) = mpsc::channel();
        let counted = Arc::clone(&connections);
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (script, to) = (Arc::clone(&script), to.clone());
                thread::spawn(move || {
                    let mut stream = stream;
                    let head = head(&mut stream);
                    let _ = to.send(head.clone());
                    script(&mut stream, &head);
                });
            }
        });
        Server { address, connections, heads }
    }

    /// A server with the same response to every request.
    fn answering(answer: &str) -> Server {
        let answer = answer.to_owned();
        Server::start(move |stream, _| {
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    fn url(&self) -> String {
        format!("http://{}/token?client_secret={CANARY}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Up to the empty line, byte by byte so that the body stays on the stream.
fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Nothing takes so long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

fn post(url: &str, timeout: Duration) -> Request {
    let mut request = Request::new("POST", url).header("content-type", "application/x-www-form-urlencoded");
    request.body = Some("grant_type=client_credentials".into());
    request.timeout = timeout;
    request
}

fn exchange(url: &str) -> Result<Response, HttpError> {
    let answer = Real::default().exchange(&post(url, PATIENCE));
    if let Err(error) = &answer {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(CANARY) && !shown.contains("client_secret"), "{shown}");
    }
    answer
}

#[test]
fn a_stream_that_never_pauses_ends_with_its_time() {
    let server = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'a'; 1024]).is_ok() {}
    });
    let mut request = Request::new("GET", server.url());
    request.within = Some(Duration::from_secs(2));
    let mut answer = Real::default().stream(&request, None).expect("an answer");
    let error = io::copy(&mut answer.body, &mut io::sink()).expect_err("it never ends");
    assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::TimedOut, "the time for all of it is over"));
}

#[test]
fn hundreds_of_headers_are_read_and_thousands_are_refused_in_words() {
    let with = |count: usize| {
        let more: String = (0..count).map(|n| format!("X-{n}: a\r\n")).collect();
        Server::answering(&format!("HTTP/1.1 200 OK\r\nX-Name: caf\u{e9}\r\n{more}Content-Length: 2\r\n\r\nok"))
    };
    let get = |server: &Server| Real::default().exchange(&Request::new("GET", format!("http://{}/", server.address)));
    let answer = get(&with(500)).expect("an answer");
    assert_eq!((answer.headers.len(), answer.body.as_slice()), (502, b"ok".as_slice()));
    for many in [with(600), with(40_000)] {
        assert!(matches!(get(&many), Err(HttpError::HeadTooLarge { .. })));
    }
}

#[test]
fn a_header_in_latin_1_is_read_as_that() {
    let server = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nX-Name: caf\xe9\r\nX-Other: caf\xc3\xa9\r\n\r\n");
    });
    let answer = Real::default().exchange(&Request::new("GET", format!("http://{}/", server.address)));
    let answer = answer.expect("an answer");
    assert_eq!((answer.header("x-name"), answer.header("x-other")), (Some("caf\u{e9}"), Some("caf\u{e9}")));
}

#[test]
fn secrets_go_by_https_or_to_loopback_and_nowhere_else() {
    for url in [
        "https://as.example/token",
        "https://127.0.0.1:1/token",
        "http://127.0.0.1:1/token",
        "http://[::1]:1/token",
        "http://localhost:1/token",
    ] {
        assert!(allowed(url).is_ok(), "{url}");
    }
    for url in [
        "http://as.example/token",
        "http://localhost.example/token",
        "http://0.0.0.0/token",
        "http://[::ffff:127.0.0.1]/token",
        "http://192.168.0.1/token",
        "https://id:secret@as.example/token",
        "https://id@as.example/token",
        "https:///token",
        "file:///etc/passwd",
        "data:,x",
        "token",
    ] {
        // `https:///token` is read as `https://token/`, by every browser too
        assert_eq!(allowed(url).is_ok(), url == "https:///token", "{url}");
    }
}

#[test]
fn loopback_never_goes_through_a_proxy() {
    for url in ["https://127.0.0.1/", "https://[::1]/", "https://localhost/"] {
        assert!(matches!(allowed(url), Ok((_, Way::Direct))), "{url}");
    }
    assert!(matches!(allowed("https://as.example/"), Ok((_, Way::World))));
}

#[test]
fn a_body_is_read_up_to_its_cap() {
    let whole = vec![7; 100_000];
    let read = |cap| read_body(whole.as_slice(), cap);
    assert!(read(100_000).is_ok_and(|body| *body.unwrap() == whole));
    assert!(matches!(read(99_999), Ok(None)));
    assert!(matches!(read(0), Ok(None)));
}

// T-07, T-78, T-75: the request is sent as given, on its own connection
#[test]
fn a_request_is_plain_and_its_connection_used_once() {
    let server =
        Server::answering("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\n{}");
    let http = Real::default();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/token?x=1", server.address.port());
        let answer = http.exchange(&post(&url, PATIENCE).header("x-b", "1").header("x-b", "2")).expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"{}".as_slice()));
        let of_a: Vec<&str> = answer.headers.iter().filter(|(n, _)| n == "x-a").map(|(_, v)| v.as_str()).collect();
        assert_eq!(of_a, ["1", "2"]);
        let sent = server.heads.recv().expect("a request").to_ascii_lowercase();
        assert!(sent.starts_with("post /token?x=1 http/1.1\r\n"), "{sent}");
        for header in [
            "accept-encoding: identity",
            concat!("user-agent: oauthctl/", env!("CARGO_PKG_VERSION")),
            "content-type: application/x-www-form-urlencoded",
            "content-length: 29",
            "x-b: 1\r\nx-b: 2",
        ] {
            assert!(sent.contains(header), "{header}: {sent}");
        }
        assert!(!sent.contains("cookie") && !sent.contains("referer"), "{sent}");
    }
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_head_that_is_no_http_is_no_answer_that_broke_off() {
    for line in ["X Bad Header: 1", "X-Long: a\r\n  b", "Content-Type : text/plain"] {
        let server = Server::answering(&format!("HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: 2\r\n\r\n{{}}"));
        let got = Real::default().stream(&Request::new("POST", server.url()), None);
        assert!(matches!(got, Err(HttpError::Malformed { .. })), "{line}: {:?}", got.err());
    }
}

#[test]
fn a_streamed_body_that_stalls_ends_and_one_that_is_slow_goes_on() {
    let server = Server::start(|stream, head| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
        for part in ["ab", "c", "d"] {
            let _ = stream.write_all(part.as_bytes());
            thread::sleep(Duration::from_millis(400));
        }
        // until the client goes away
        let silent = head.starts_with("PUT");
        let _ = if silent { stream.read(&mut [0]).map(|_| ()) } else { stream.write_all(b"ef") };
    });
    let read = |method: &str| {
        let mut request = Request::new(method, server.url());
        request.timeout = Duration::from_secs(1);
        let mut answer = Real::default().stream(&request, None).unwrap_or_else(|error| panic!("{error}"));
        let mut body = String::new();
        let read = answer.body.read_to_string(&mut body);
        (body, read.map_err(|e| (e.kind(), e.to_string())))
    };
    assert_eq!(read("GET"), ("abcdef".to_owned(), Ok(6)));
    // five times the time of a request
    let why = "nothing came for 5 seconds".to_owned();
    assert_eq!(read("PUT").1, Err((io::ErrorKind::TimedOut, why)));
}

// T-20, T-21, T-22, T-23
#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for status in [301, 302, 303, 307, 308] {
        for to in [elsewhere.url(), "http://169.254.169.254/".into(), "file:///etc/passwd".into(), "/other".into()] {
            let server = Server::answering(&format!(
                "HTTP/1.1 {status} X\r\nLocation: {to}\r\nRefresh: 0; url={to}\r\nContent-Length: 0\r\n\r\n"
            ));
            let answer = exchange(&server.url()).expect("the redirect itself");
            assert_eq!((answer.status, answer.header("location")), (status, Some(to.as_str())));
            assert_eq!(server.connections(), 1);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

// T-02, T-03, T-04
#[test]
fn one_deadline_covers_the_whole_exchange() {
    let trickle = |start: &'static str, piece: &'static str| {
        Server::start(move |stream, _| {
            let mut went_well = stream.write_all(start.as_bytes());
            while went_well.is_ok() {
                thread::sleep(Duration::from_millis(50));
                went_well = stream.write_all(piece.as_bytes());
            }
        })
    };
    for server in [
        Server::start(|_, _| thread::sleep(Duration::from_secs(20))),
        trickle("HTTP/1.1 200 OK\r\n", "A: b\r\n"),
        trickle("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "a"),
        trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"),
        trickle("", "HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let start = Instant::now();
        let answer = Real::default().exchange(&post(&server.url(), Duration::from_secs(1)));
        let took = start.elapsed();
        // too many headers, which the count ends before the time does, are refused too
        assert!(
            matches!(answer, Err(HttpError::TimedOut { seconds: 1, .. } | HttpError::Ambiguous { .. })),
            "{:?}",
            answer.err()
        );
        // without it, it takes 20 s or never ends
        assert!(took < Duration::from_secs(15), "{took:?}");
    }
}

// T-77: a response after the deadline is none
#[test]
fn what_comes_late_is_not_taken() {
    let (go_on, awaited) = mpsc::channel();
    let awaited = std::sync::Mutex::new(awaited);
    let (told, answered) = mpsc::channel();
    let server = Server::start(move |stream, _| {
        let _ = awaited.lock().expect("one connection").recv();
        let _ = told.send(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
    });
    let got = Real::default().exchange(&post(&server.url(), Duration::from_secs(1)));
    assert!(matches!(got, Err(HttpError::TimedOut { seconds: 1, .. })), "{:?}", got.err());
    go_on.send(()).expect("a server");
    answered.recv().expect("a server").ok();
    assert_eq!(server.connections(), 1);
}

// T-05
#[test]
fn an_endless_body_is_cut_off_at_the_cap() {
    for start in ["Transfer-Encoding: chunked\r\n\r\n", "Content-Length: 10737418240\r\n\r\n", "\r\n"] {
        let server = Server::start(move |stream, _| {
            let chunk = if start.starts_with('T') {
                format!("10000\r\n{}\r\n", "a".repeat(1 << 16))
            } else {
                "a".repeat(1 << 16)
            };
            let mut went_well = stream.write_all(format!("HTTP/1.1 200 OK\r\n{start}").as_bytes());
            while went_well.is_ok() {
                went_well = stream.write_all(chunk.as_bytes());
            }
        });
        assert!(matches!(exchange(&server.url()), Err(HttpError::TooLarge { limit, .. }) if limit == 1 << 20));
    }
}

// T-04, T-60: once the request was sent, the server's part is unknown
#[test]
fn an_answer_that_breaks_off_is_ambiguous() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"access",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"access",
        "not HTTP at all\r\n\r\n",
    ] {
        let server = Server::answering(answer);
        let got = exchange(&server.url());
        assert!(matches!(got, Err(HttpError::Ambiguous { .. })), "{answer}: {:?}", got.err());
        assert_eq!(server.connections(), 1, "nothing is sent twice by itself");
    }
}

// T-01
#[test]
fn what_never_left_is_told_as_that() {
    let closed = NOBODY;
    for url in [format!("http://{closed}/token?x={CANARY}"), format!("https://{closed}/token?x={CANARY}")] {
        let Err(HttpError::Unsent { place, why }) = exchange(&url) else { panic!("{url}") };
        assert!(place.ends_with("/token"), "{place}");
        assert!(why.to_lowercase().contains("refused"), "{why}");
    }
    let plain = listener();
    let url = format!("https://{}/token?x={CANARY}", plain.local_addr().expect("its address"));
    thread::spawn(move || {
        let (mut stream, _) = plain.accept().expect("a connection");
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = io::copy(&mut stream, &mut io::sink());
    });
    let Err(HttpError::Tls { why, .. }) = exchange(&url) else { panic!("it speaks no TLS") };
    assert_eq!(why, "it does not speak TLS");
}

// T-06
#[test]
fn a_compressed_body_is_handed_on_as_it_is() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x0b12");
    let answer = exchange(&server.url()).expect("an answer");
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.body.as_slice(), b"\x1f\x0b12");
}

#[test]
fn headers_that_decide_where_a_request_goes_cannot_be_given() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for (name, value) in [
        ("Host", "evil.example"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "1"),
        ("X-A", "b\r\nX-C: d"),
        ("X-A\r\nX-C", "b"),
        ("", "b"),
    ] {
        let got = Real::default().exchange(&Request::new("GET", server.url()).header(name, value));
        assert!(matches!(got, Err(HttpError::Forbidden { .. })), "{name}: {value}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_streamed_answer_has_a_deadline_for_its_head_and_none_for_its_body() {
    let slow = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 203 Yes\r\nX-A: b\r\nContent-Length: 30\r\n\r\n");
        for _byte in 0..30 {
            thread::sleep(Duration::from_millis(150));
            let _ = stream.write_all(b"a");
        }
    });
    let mut request = Request::new("GET", slow.url());
    request.timeout = Duration::from_secs(4);
    request.max_body = 1;
    let mut answer = Real::default().stream(&request, None).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((answer.status, answer.version.as_str()), (203, "HTTP/1.1"));
    assert_eq!(crate::wire::header(&answer.headers, "x-a"), Some("b"));
    let mut body = String::new();
    answer.body.read_to_string(&mut body).expect("the body");
    assert_eq!(body, "a".repeat(30));

    let silent = Server::start(|_, _| thread::sleep(Duration::from_secs(20)));
    request.url = silent.url().into();
    let start = Instant::now();
    assert!(matches!(Real::default().stream(&request, None), Err(HttpError::TimedOut { seconds: 4, .. })));
    assert!(start.elapsed() < Duration::from_secs(18));

    let broken = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nabc");
    request.url = broken.url().into();
    let mut answer = Real::default().stream(&request, None).unwrap_or_else(|error| panic!("{error}"));
    let error = answer.body.read_to_string(&mut String::new()).expect_err("cut short").to_string();
    assert!(!error.contains(CANARY) && !error.contains("http"), "{error}");
}

#[test]
fn several_threads_wait_for_their_answers_at_the_same_time() {
    // none is answered before all have asked
    let together = std::sync::Barrier::new(8);
    let server = Server::start(move |stream, _| {
        together.wait();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    });
    let (http, url) = (Real::default(), server.url());
    for reuse in [false, true] {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut request = Request::new("GET", &url);
                    request.reuse = reuse;
                    let mut answer = http.stream(&request, None).unwrap_or_else(|error| panic!("{error}"));
                    let mut body = String::new();
                    answer.body.read_to_string(&mut body).expect("the body");
                    assert_eq!(body, "{}");
                });
            }
        });
    }
}

#[test]
fn a_lasting_connection_that_its_server_has_closed_is_not_used_again() {
    let (told, closed) = mpsc::channel();
    let server = Server::start(move |stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        // closed while no request waits for a response
        thread::sleep(Duration::from_millis(100));
        let _ = stream.shutdown(std::net::Shutdown::Both);
        let _ = told.send(());
    });
    let http = Real::default();
    for n in 1..=3 {
        let mut request = Request::new("POST", server.url());
        request.reuse = true;
        let mut answer = http.stream(&request, None).unwrap_or_else(|error| panic!("{error}"));
        let mut body = String::new();
        answer.body.read_to_string(&mut body).expect("the body");
        assert_eq!((body.as_str(), server.connections()), ("{}", n));
        closed.recv().expect("a server");
        thread::sleep(Duration::from_millis(300));
    }
}

/// Runs one of the ignored tests below in its own process, since it depends on the environment.
#[expect(clippy::disallowed_methods, reason = "this very program once more")]
fn alone(test: &str, variables: &[(&str, String)]) {
    let output = std::process::Command::new(itself())
        .args(["--exact", "--ignored", "--nocapture", &format!("world::http::tests::{test}")])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .expect("run");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && shown.contains("1 passed"),
        "{shown}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

// T-73
#[test]
fn the_systems_proxy_is_used_for_the_world_and_never_for_loopback() {
    let proxy = Server::answering("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let url = format!("http://name:password@{}", proxy.address);
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let variables: Vec<_> = names.iter().map(|name| (*name, url.clone())).collect();
    alone("with_a_proxy", &variables);
    let head = proxy.heads.recv().expect("one request");
    assert!(head.starts_with("CONNECT as.example:443 HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("token") && !head.contains(CANARY), "{head}");
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn where_a_variable_names_no_proxy_nothing_is_sent() {
    alone("with_no_proxy", &[("HTTPS_PROXY", "socks4://127.0.0.1:9".to_owned())]);
    alone("with_no_proxy", &[("ALL_PROXY", "garbage::".to_owned())]);
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn with_no_proxy() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(exchange(&server.url()).expect("not through the proxy").status, 200);
    assert!(matches!(exchange("https://as.example/token"), Err(HttpError::Proxy(_))));
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn with_a_proxy() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(exchange(&server.url()).expect("not through the proxy").status, 200);
    assert_eq!(exchange(&server.url().replace("127.0.0.1", "localhost")).expect("nor by name").status, 200);
    let Err(HttpError::Proxy(why)) = exchange(&format!("https://as.example/token?x={CANARY}")) else {
        panic!("the proxy refuses")
    };
    let why = format!("{why}: {}", why.advice());
    assert!(why.contains("NAME:PASSWORD@") && !why.contains("name:password"), "{why}");
}

/// A SOCKS5 proxy for one name, with the password `hush`, and the names that it was asked for.
fn socks(to: SocketAddr) -> (SocketAddr, mpsc::Receiver<String>) {
    fn take(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let mut length = [0];
        stream.read_exact(&mut length)?;
        let mut bytes = vec![0; length[0].into()];
        stream.read_exact(&mut bytes).map(|()| bytes)
    }
    let serve = move |mut near: TcpStream, asked: &mpsc::Sender<String>| -> io::Result<()> {
        near.read_exact(&mut [0])?;
        assert!(take(&mut near)?.contains(&2), "a name and a password are offered");
        near.write_all(&[5, 2])?;
        near.read_exact(&mut [0])?;
        let (_, password) = (take(&mut near)?, take(&mut near)?);
        near.write_all(&[1, u8::from(password != b"hush")])?;
        near.read_exact(&mut [0; 4])?;
        let _ = asked.send(String::from_utf8_lossy(&take(&mut near)?).into_owned());
        near.read_exact(&mut [0; 2])?;
        let far = TcpStream::connect(to)?;
        near.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        // shared, not cloned: of a clone's two readings Wine lets one wait for the other
        let (near, far) = (Arc::new(near), Arc::new(far));
        let (home, back) = (Arc::clone(&near), Arc::clone(&far));
        thread::spawn(move || io::copy(&mut &*back, &mut &*home));
        io::copy(&mut &*near, &mut &*far).map(drop)
    };
    let (listener, (to, asked)) = (listener(), mpsc::channel());
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || listener.incoming().flatten().for_each(|near| drop(serve(near, &to))));
    (address, asked)
}

#[test]
fn a_socks_proxy_gets_the_name_and_no_secret() {
    let authority = Authority::new("trusted");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem(&authority.certificate)).expect("written");
    let (proxy, asked) = socks(authority.server("as.example", 2099));
    for (password, at, outcome) in [("hush", proxy, "200"), ("wrong", proxy, "proxy"), ("hush", closed(), "unsent")] {
        let url = format!("socks5h://me:{password}@{at}");
        let file = file.to_str().expect("text").to_owned();
        alone("with_a_socks_proxy", &[("ALL_PROXY", url), ("SSL_CERT_FILE", file), ("OUTCOME", outcome.to_owned())]);
    }
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), ["as.example"]);
}

/// The address of [`NOBODY`].
fn closed() -> SocketAddr {
    NOBODY.parse().expect("an address")
}

#[test]
#[ignore = "run by another test, in a process of its own"]
#[expect(clippy::disallowed_methods, reason = "told by the test that runs it")]
fn with_a_socks_proxy() {
    let outcome = match exchange(&format!("https://as.example/token?x={CANARY}")) {
        Ok(answer) => answer.status.to_string(),
        Err(HttpError::Proxy(_)) => "proxy".to_owned(),
        Err(HttpError::Unsent { place, .. }) if place.contains("the proxy `socks5h://127.0.0.1:1` (ALL_PROXY)") => {
            "unsent".to_owned()
        }
        Err(other) => other.to_string(),
    };
    assert_eq!(outcome, std::env::var("OUTCOME").expect("told"));
}

#[test]
fn any_name_under_localhost_is_this_machine() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let answer = exchange(&server.url().replace("127.0.0.1", "api.localhost"));
    assert_eq!(answer.expect("no look-up").status, 200);
}

fn pem(certificate: &rcgen::Certificate) -> String {
    let der = base64::engine::general_purpose::STANDARD.encode(certificate.der());
    format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
}

/// A TLS server, and the certificate of an authority made for this test.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(&key).expect("a certificate");
        Authority { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    fn server(&self, name: &str, last_year: i32) -> SocketAddr {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        serve_tls(&certificate, &key)
    }
}

/// A server with a certificate that it signed itself, by an authority's rights or not.
fn self_signed(is_ca: rcgen::IsCa) -> (SocketAddr, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    params.is_ca = is_ca;
    let certificate = params.self_signed(&key).expect("a certificate");
    (serve_tls(&certificate, &key), pem(&certificate))
}

fn serve_tls(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> SocketAddr {
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .expect("a certificate");
    let (listener, config) = (listener(), Arc::new(config));
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = rustls::StreamOwned::new(tls, stream);
            if !head(&mut stream).is_empty() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    address
}

#[test]
fn a_certificate_is_checked_against_the_systems_authorities_or_the_named_file() {
    let authority = Authority::new("trusted");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    let own = self_signed(rcgen::IsCa::ExplicitNoCa);
    let own_authority = self_signed(rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    let named = format!("{}{}{}", pem(&authority.certificate), own.1, own_authority.1);
    std::fs::write(&file, named).expect("written");
    let url = |address: SocketAddr| format!("https://{address}/token?x={CANARY}");
    let good = url(authority.server("127.0.0.1", 2099));
    let servers = [
        ("GOOD", good.clone()),
        ("EXPIRED", url(authority.server("127.0.0.1", 2021))),
        ("OTHER_NAME", url(authority.server("as.example", 2099))),
        ("UNKNOWN", url(Authority::new("unknown").server("127.0.0.1", 2099))),
        ("OWN", url(own.0)),
        ("OWN_AUTHORITY", url(own_authority.0)),
        ("SSL_CERT_FILE", file.to_str().expect("text").to_owned()),
    ];
    alone("with_certificates", &servers);
    // without the file the same server isn't trusted
    let Err(HttpError::Tls { why, .. }) = exchange(&good) else { panic!("an unknown authority") };
    assert!(why.contains("signed by nobody") || why.contains("No CA certificates"), "{why}");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
#[expect(clippy::disallowed_methods, reason = "told by the test that runs it")]
fn with_certificates() {
    let url = |name: &str| std::env::var(name).expect("told");
    for name in ["GOOD", "OWN"] {
        assert_eq!(exchange(&url(name)).expect("an answer").body.as_slice(), b"{}");
    }
    for (name, reason) in [
        ("EXPIRED", "its certificate has expired"),
        ("OTHER_NAME", "its certificate is for another name"),
        ("UNKNOWN", "its certificate is signed by nobody this system trusts"),
        (
            "OWN_AUTHORITY",
            "its certificate is an authority's (`CA:TRUE`), which no server may have: give it one with `CA:FALSE`",
        ),
    ] {
        let Err(HttpError::Tls { why, .. }) = exchange(&url(name)) else { panic!("{name}") };
        assert_eq!(why, reason, "{name}");
    }
}
