//! Reads one HTTP/1.1 request from a client, and writes one response.
//!
//! The client may be hostile: it may send no byte, one byte a second, or a hundred megabytes
//! without a line end. So every step has a bound, and the memory of a connection is known
//! beforehand. `httparse` reads the syntax. This module also refuses valid syntax that isn't
//! needed: chunked bodies at the redirect listener, raw non-ASCII targets, fragments, HTTP versions
//! other than 1.0 and 1.1. The redirect listener and the practice server both use it.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::chunks;
use super::stream::read_some;
pub use super::stream::{Refusal, Stream, TimedStream};

/// More headers are refused with 431. Browsers send about 20.
const MAX_HEADERS: usize = 100;

/// Bytes read and dropped after the response. With unread bytes the kernel would reset the
/// connection, and the client could lose the response.
const DRAIN_BYTES: usize = 256 << 10;
const DRAIN_TIME: Duration = Duration::from_millis(300);

/// A bound for each step. Default: request line 32 KiB, with 64 KiB of headers, since a browser
/// sends the cookies of all servers on localhost; 5 s for the head, no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub line: usize,
    /// Bytes of request line and headers together.
    pub head: usize,
    /// From the call until the head is complete; a body gets the same time again.
    pub time: Duration,
    /// Bytes of the body. A request that announces more is refused before its body is read.
    pub body: usize,
    /// Accept chunked bodies; otherwise a length is required.
    pub chunks: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { line: 32 << 10, head: 96 << 10, time: Duration::from_secs(5), body: 0, chunks: false }
    }
}

/// A request with valid syntax, not judged further. Target and body are wiped when dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRequest {
    pub method: String,
    /// As in the request line: printable ASCII, no fragment.
    pub target: Zeroizing<String>,
    /// 0 or 1: HTTP/1.0 or HTTP/1.1.
    pub minor_version: u8,
    /// Names in lower case, values trimmed, invalid UTF-8 replaced. In the order received.
    pub headers: Vec<(String, String)>,
    /// Empty for GET and HEAD, whatever they announce.
    pub body: Zeroizing<Vec<u8>>,
}

impl RawRequest {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        crate::wire::header(&self.headers, name)
    }

    /// How many headers have that name (lower case).
    pub fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(n, _)| n == name).count()
    }

    /// The target before and after the `?`.
    pub fn path_and_query(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((self.target.as_str(), ""))
    }
}

/// Reads one request. Writes no response, not even a refusal: see [`Refusal::status`]. Bytes after
/// the request are ignored.
pub fn read_request(stream: &mut impl Stream, limits: &Limits) -> Result<RawRequest, Refusal> {
    stream.end_by(Instant::now() + limits.time);
    // allocated once: a buffer that moves isn't wiped
    let mut buffer = Zeroizing::new(vec![0; limits.head + 1]);
    let mut filled = 0;
    let head_end = loop {
        let looked_at = filled;
        filled += read_some(stream, &mut buffer[filled..])?;
        if buffer[0] == 0x16 {
            return Err(Refusal::TlsGreeting);
        }
        if let Some(end) = head_end(&buffer[..filled], looked_at) {
            break end;
        }
        bounds(&buffer[..filled], limits)?;
    };
    bounds(&buffer[..head_end], limits)?;
    let mut request = parse_head(&buffer[..head_end])?;
    if limits.chunks && request.header("content-length").is_none() && is_chunked(&request) {
        stream.end_by(Instant::now() + limits.time);
        request.body = chunks::read(stream, &buffer[head_end..filled], limits.body)?;
        return Ok(request);
    }
    let length = body_length(&request)?;
    if request.method == "GET" || request.method == "HEAD" || length == 0 {
        return Ok(request);
    }
    if length > limits.body {
        return Err(Refusal::BodyTooLarge);
    }
    stream.end_by(Instant::now() + limits.time);
    let mut body = Zeroizing::new(vec![0; length]);
    let mut filled = length.min(filled - head_end);
    body[..filled].copy_from_slice(&buffer[head_end..head_end + filled]);
    while filled < length {
        filled += read_some(stream, &mut body[filled..])?;
    }
    request.body = body;
    Ok(request)
}

/// Exactly one encoding, `chunked`.
fn is_chunked(request: &RawRequest) -> bool {
    request.count("transfer-encoding") == 1
        && request.header("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked"))
}

/// Where the first empty line ends. It may begin 3 bytes before `looked_at`.
fn head_end(bytes: &[u8], looked_at: usize) -> Option<usize> {
    let from = looked_at.saturating_sub(3);
    (from..bytes.len()).find_map(|at| match &bytes[at..] {
        [b'\n', b'\n', ..] => Some(at + 2),
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

fn bounds(head: &[u8], limits: &Limits) -> Result<(), Refusal> {
    if head.len() <= limits.line {
        return Ok(());
    }
    let line = head.iter().position(|b| *b == b'\n').unwrap_or(head.len());
    if line > limits.line {
        Err(Refusal::LineTooLong)
    } else if head.len() > limits.head {
        Err(Refusal::HeadTooLarge)
    } else {
        Ok(())
    }
}

/// Parses the head with its empty line, without a body. Pure, so that it can be fuzzed.
pub fn parse_head(head: &[u8]) -> Result<RawRequest, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Refusal::Malformed("it ends early")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::Malformed("its version")),
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue) => return Err(Refusal::Malformed("a header")),
        Err(_) => return Err(Refusal::Malformed("its request line")),
    }
    let (Some(method), Some(target), Some(minor_version)) = (request.method, request.path, request.version) else {
        return Err(Refusal::Malformed("its request line"));
    };
    if !target.bytes().all(|b| b.is_ascii_graphic()) || target.contains('#') {
        return Err(Refusal::Malformed("its target"));
    }
    let headers = request
        .headers
        .iter()
        .map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).trim().to_owned()))
        .collect();
    Ok(RawRequest {
        method: method.to_owned(),
        target: Zeroizing::new(target.to_owned()),
        minor_version,
        headers,
        body: Zeroizing::new(Vec::new()),
    })
}

/// RFC 9112, section 6.3. Two lengths, or length and encoding, are request smuggling: refused.
fn body_length(request: &RawRequest) -> Result<usize, Refusal> {
    let length = request.header("content-length");
    if request.count("transfer-encoding") > 0 {
        return Err(if length.is_some() { Refusal::Malformed("two lengths") } else { Refusal::LengthRequired });
    }
    if request.count("content-length") > 1 {
        return Err(Refusal::Malformed("two lengths"));
    }
    match length {
        None => Ok(0),
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().map_err(|_| Refusal::BodyTooLarge)
        }
        Some(_) => Err(Refusal::Malformed("its length")),
    }
}

/// Writes a whole response, adding `Content-Length` and `Connection: close`. A header with a line
/// break is an error, and nothing is written. For HEAD leave `body` empty.
pub fn write_response(stream: &mut impl Write, status: u16, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
    let mut head = Zeroizing::new(format!("HTTP/1.1 {status} {}\r\n", reason(status)));
    for (name, value) in headers {
        if [name, value].iter().any(|text| text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0))) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a line break in a header"));
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if status != 204 && status != 304 {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("Connection: close\r\n\r\n");
    // one write: a browser that gets the head alone may wait too long for the rest
    let mut whole = Zeroizing::new(Vec::with_capacity(head.len() + body.len()));
    whole.extend_from_slice(head.as_bytes());
    whole.extend_from_slice(body);
    stream.write_all(&whole)?;
    stream.flush()
}

/// Ends the writing, then reads a bounded amount of the rest, so that the response arrives.
pub fn hang_up(stream: &mut impl Stream) {
    stream.end_by(Instant::now() + DRAIN_TIME);
    if stream.end_writing().is_ok() {
        drain(stream);
    }
}

/// The second half of [`hang_up`], after the writing has ended.
pub fn drain(stream: &mut impl Stream) {
    stream.end_by(Instant::now() + DRAIN_TIME);
    let mut waste = [0; 4096];
    let mut taken = 0;
    while taken < DRAIN_BYTES {
        match stream.read(&mut waste) {
            Ok(0) | Err(_) => return,
            Ok(n) => taken += n,
        }
    }
}

fn reason(status: u16) -> &'static str {
    let known = reqwest::StatusCode::from_u16(status).ok();
    known.and_then(|status| status.canonical_reason()).unwrap_or("Status")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// A connection with all its bytes available, in pieces.
    struct Pieces {
        pieces: Vec<Vec<u8>>,
        written: Vec<u8>,
    }

    impl Pieces {
        fn of(bytes: &[u8], size: usize) -> Pieces {
            let mut pieces: Vec<Vec<u8>> = bytes.chunks(size).map(<[u8]>::to_vec).collect();
            pieces.reverse();
            Pieces { pieces, written: Vec::new() }
        }
    }

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(mut piece) = self.pieces.pop() else { return Ok(0) };
            let n = piece.len().min(buffer.len());
            buffer[..n].copy_from_slice(&piece[..n]);
            if n < piece.len() {
                self.pieces.push(piece.split_off(n));
            }
            Ok(n)
        }
    }

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Pieces {
        fn end_by(&mut self, _moment: Instant) {}

        fn end_writing(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn read(bytes: &[u8], body: usize) -> Result<RawRequest, Refusal> {
        let limits = Limits { body, ..Limits::default() };
        let whole = read_request(&mut Pieces::of(bytes, usize::MAX), &limits);
        // the result doesn't depend on how the bytes are split
        let trickled = read_request(&mut Pieces::of(bytes, 1), &limits);
        assert_eq!(format!("{whole:?}"), format!("{trickled:?}"));
        whole
    }

    fn status(bytes: &[u8]) -> Option<u16> {
        read(bytes, 100).expect_err("a refusal").status()
    }

    #[test]
    fn reads_a_request_and_ignores_what_follows_it() {
        // L-35
        let request =
            read(b"GET /cb?code=a&state=b HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Name:  \xff v \r\n\r\nGET /2 HTTP/1.1", 0);
        let request = request.expect("a request");
        assert_eq!(request.method, "GET");
        assert_eq!(request.path_and_query(), ("/cb", "code=a&state=b"));
        assert_eq!(request.header("host"), Some("127.0.0.1:1"));
        assert_eq!(request.header("x-name"), Some("\u{fffd} v"));
        assert!(request.body.is_empty());
        let with_body = read(b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 0).expect("a GET's body is ignored");
        assert!(with_body.body.is_empty());
    }

    #[test]
    fn reads_a_body_of_the_length_told() {
        let request = read(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello!", 5).expect("a request");
        assert_eq!(request.body.as_slice(), b"hello");
    }

    #[test]
    fn refuses_what_is_not_a_small_request() {
        // L-27, L-28, L-29
        let long_line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(32 << 10));
        let fitting_line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat((32 << 10) - 15));
        let large_header = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "a".repeat(1 << 20));
        let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(10_000));
        let hundred_and_one = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert!(read(fitting_line.as_bytes(), 0).is_ok());
        for (bytes, expected) in [
            (long_line.as_bytes(), Some(414)),
            (&[b'a'; 100_000], Some(414)),
            (large_header.as_bytes(), Some(431)),
            (many_headers.as_bytes(), Some(431)),
            (hundred_and_one.as_bytes(), Some(431)),
            (b"", None),
            (b"GET / HT", None),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", None),
            (b"GET /\r\n\r\n", Some(400)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(400)),
            (b"GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n", Some(400)),
            (b"GET / HTTP/1.1\r\na : b\r\n\r\n", Some(400)),
            (b"GET /a\0b HTTP/1.1\r\n\r\n", Some(400)),
            (b"GET /\xc3\xbc HTTP/1.1\r\n\r\n", Some(400)),
            (b"GET /#code=a HTTP/1.1\r\n\r\n", Some(400)),
            (b"\xff\xfe\x00\x80\r\n\r\n", Some(400)),
            (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", Some(400)),
            (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", Some(400)),
            (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Some(400)),
            (b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", Some(400)),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", Some(411)),
            (b"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", Some(413)),
            (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", Some(413)),
            (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell", None),
        ] {
            assert_eq!(status(bytes), expected, "{}", bytes[..bytes.len().min(60)].escape_ascii());
        }
    }

    #[test]
    fn an_answer_cannot_be_split_by_a_header() {
        let mut out = Vec::new();
        let error = write_response(&mut out, 303, &[("Location", "/done\r\nSet-Cookie: a=b")], b"");
        assert_eq!(error.expect_err("refused").kind(), io::ErrorKind::InvalidInput);
        assert!(out.is_empty());
        write_response(&mut out, 404, &[("X-A", "b")], b"no").expect("written");
        assert_eq!(out, b"HTTP/1.1 404 Not Found\r\nX-A: b\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    }
}
