//! Reads a chunked body (RFC 9112, section 7.1). Only the practice servers use it. Its size is
//! bounded like any other body's; extensions and trailers are skipped, but count.

use std::io::{BufRead, BufReader, Read};

use zeroize::Zeroizing;

use super::stream::{Refusal, Stream};

/// Bytes of chunk framing, extensions and trailers together: enough for any client.
const MOST_FRAMING: usize = 64 << 10;
const LONGEST_LINE: usize = 256;

/// `start`: bytes already read after the head. `limit`: bytes of the body.
pub(super) fn read(stream: &mut impl Stream, start: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut source = BufReader::with_capacity(16 << 10, start.chain(stream));
    let mut framing = MOST_FRAMING;
    let mut line = |source: &mut _| line(source, &mut framing);
    // allocated once: a buffer that moves isn't wiped
    let mut body = Zeroizing::new(Vec::with_capacity(limit));
    loop {
        let head = line(&mut source)?;
        let digits = head.split(';').next().unwrap_or_default().trim();
        if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Refusal::Malformed("a chunk's length"));
        }
        let length = usize::from_str_radix(digits, 16).map_err(|_| Refusal::Malformed("a chunk's length"))?;
        if length == 0 {
            while !line(&mut source)?.is_empty() {}
            return Ok(body);
        }
        let at = body.len();
        if at + length > limit {
            return Err(Refusal::BodyTooLarge);
        }
        body.resize(at + length, 0);
        source.read_exact(&mut body[at..])?;
        if !line(&mut source)?.is_empty() {
            return Err(Refusal::Malformed("a chunk's end"));
        }
    }
}

/// Reads a line of the framing and removes its end. `left`: the bytes that the framing may still
/// have.
fn line(source: &mut impl BufRead, left: &mut usize) -> Result<String, Refusal> {
    let mut line = Vec::new();
    let most = (LONGEST_LINE + 1).min(*left);
    let got = source.take(most as u64).read_until(b'\n', &mut line)?;
    *left -= got;
    if line.pop_if(|last| *last == b'\n').is_none() {
        return Err(if got == most { Refusal::HeadTooLarge } else { Refusal::Ended });
    }
    line.pop_if(|last| *last == b'\r');
    String::from_utf8(line).map_err(|_| Refusal::Malformed("a chunk's length"))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Write};
    use std::time::Instant;

    use super::*;

    struct Bytes<'a>(&'a [u8]);

    impl Read for Bytes<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // one byte at a time, to test every boundary
            let count = self.0.len().min(1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    impl Write for Bytes<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Bytes<'_> {
        fn end_by(&mut self, _moment: Instant) {}
        fn end_writing(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn chunks_make_a_body_and_what_is_none_is_refused() {
        let body = |start: &str, rest: &str| {
            read(&mut Bytes(rest.as_bytes()), start.as_bytes(), 10)
                .map(|body| String::from_utf8_lossy(&body).into_owned())
                .map_err(|refusal| refusal.status())
        };
        assert_eq!(body("5\r\nhel", "lo\r\n2;x=\"y\"\r\n, \r\n0\r\nA: b\r\n\r\n"), Ok("hello, ".to_owned()));
        assert_eq!(body("", "0\r\n\r\n"), Ok(String::new()));
        assert_eq!(body("", "A\n0123456789\n0\n\n"), Ok("0123456789".to_owned()));
        for (rest, status) in [
            ("b\r\n01234567890\r\n0\r\n\r\n", Some(413)),
            ("ffffffffffffffff\r\n", Some(400)),
            ("-1\r\n", Some(400)),
            ("\r\n", Some(400)),
            ("1\r\nab\r\n", Some(400)),
            ("1\r\na", None),
            ("0\r\n", None),
        ] {
            assert_eq!(body("", rest), Err(status), "{rest:?}");
        }
        assert_eq!(body("", &format!("1{}\r\n", " ".repeat(300))), Err(Some(431)));
        assert_eq!(body("", &format!("0\r\n{}", "A: b\r\n".repeat(20_000))), Err(Some(431)));
    }
}
