//! Makes a response readable: plain bytes of a compressed one, and UTF-8 of another character set.
//! A retry would get the same bytes, so what can't be read is refused at once.

use std::borrow::Cow;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ruzstd::decoding::errors::FrameDecoderError::ReadFrameHeaderError;
use ruzstd::decoding::errors::ReadFrameHeaderError::SkipFrame;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::error::{Error, Kind};
use crate::text::{count, safe};
use crate::wire::header;
use crate::world::Streamed;

/// The codings that [`decompress`] reads and that are asked for.
pub const CODINGS: &str = "gzip, br, zstd";

/// Returns the content coding of a response, unless it is `identity` (RFC 9110, section 8.4).
pub fn coding(headers: &[(String, String)]) -> Option<String> {
    let lines = headers.iter().filter(|(name, _)| name == "content-encoding").flat_map(|(_, value)| value.split(','));
    let is_one = |coding: &&str| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity");
    let codings: Vec<&str> = lines.map(str::trim).filter(is_one).collect();
    (!codings.is_empty()).then(|| codings.join(", "))
}

/// Returns the message for a compressed response. `asked`: the user sent an `Accept-Encoding`.
pub fn compressed(coding: &str, asked: bool) -> String {
    let why = if asked { "" } else { ", which was not asked for" };
    format!("the answer is compressed ({}){why}", safe(coding))
}

/// A source that notes whether it failed itself.
struct Source {
    body: Box<dyn Read>,
    broken: Arc<AtomicBool>,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer);
        self.broken.fetch_or(read.is_err(), Ordering::Relaxed);
        read
    }
}

/// Plain bytes of a compressed body.
struct Plain {
    decoder: Box<dyn Read>,
    broken: Arc<AtomicBool>,
}

impl Read for Plain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => e,
            _ if self.broken.load(Ordering::Relaxed) => e,
            _ => io::Error::new(io::ErrorKind::InvalidData, e.to_string()),
        })
    }
}

/// The most codings that a body may have, one around the other: each takes memory.
const MOST_CODINGS: usize = 2;

/// Replaces a compressed body by its plain bytes. One in an unknown coding stays as it is.
pub fn decompress(answer: &mut Streamed) -> io::Result<()> {
    let Some(coding) = coding(&answer.headers) else { return Ok(()) };
    let codings: Vec<String> = coding.split(',').map(|coding| coding.trim().to_ascii_lowercase()).collect();
    let known = |coding: &String| matches!(coding.as_str(), "gzip" | "x-gzip" | "deflate" | "br" | "zstd" | "identity");
    if codings.len() > MOST_CODINGS || !codings.iter().all(known) {
        return Ok(());
    }
    let mut body: Box<dyn Read> = std::mem::replace(&mut answer.body, Box::new(io::empty()));
    answer.headers.retain(|(name, _)| !matches!(name.as_str(), "content-encoding" | "content-length"));
    // the empty body of a 204 is no stream of any coding
    let mut first = Vec::new();
    if (&mut body).take(1).read_to_end(&mut first)? == 0 {
        return Ok(());
    }
    body = Box::new(Cursor::new(first).chain(body));
    // the last coding was applied last
    for coding in codings.iter().rev() {
        let broken = Arc::<AtomicBool>::default();
        let source = Source { body, broken: broken.clone() };
        let decoder: Box<dyn Read> = match coding.as_str() {
            "br" => Box::new(brotli_decompressor::Decompressor::new(source, 16 << 10)),
            "deflate" => Box::new(flate2::read::ZlibDecoder::new(source)),
            "zstd" => Box::new(Zstd::of(source)),
            "identity" => Box::new(source),
            _ => Box::new(flate2::read::MultiGzDecoder::new(source)),
        };
        body = Box::new(Plain { decoder, broken });
    }
    answer.body = body;
    Ok(())
}

/// The largest window of zstd, in bytes (RFC 9659, section 3): the decoder holds as much in memory.
const LARGEST_WINDOW: u64 = 8 << 20;

/// The frames of a zstd stream, one after the other (RFC 8878, section 3).
struct Zstd {
    source: Source,
    frame: FrameDecoder,
}

impl Zstd {
    fn of(source: Source) -> Zstd {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(LARGEST_WINDOW);
        Zstd { source, frame }
    }

    /// Begins the next frame. `false`: the stream has ended.
    fn begin(&mut self) -> io::Result<bool> {
        let mut first = Vec::new();
        if (&mut self.source).take(1).read_to_end(&mut first)? == 0 {
            return Ok(false);
        }
        match self.frame.reset(Cursor::new(first).chain(&mut self.source)) {
            Ok(()) => Ok(true),
            Err(ReadFrameHeaderError(SkipFrame { length, .. })) => {
                io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
                self.begin()
            }
            Err(e) => Err(io::Error::other(e)),
        }
    }
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.frame.can_collect() == 0 {
            if self.frame.is_finished() {
                if !self.begin()? {
                    return Ok(0);
                }
            } else {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.frame.decode_blocks(&mut self.source, one).map_err(io::Error::other)?;
            }
        }
        self.frame.read(buffer)
    }
}

/// Returns the text of a response or page: by its byte order mark, as UTF-8, or by the charset that
/// its headers name. `option`: the flag that needs to read it.
pub fn text(headers: &[(String, String)], bytes: &[u8], option: &str) -> Result<String, Error> {
    let refused = |error: Error| error.hint(format!("without {option} it is printed as it came"));
    if let Some(coding) = coding(headers).filter(|_| !bytes.is_empty()) {
        return Err(refused(Error::new(Kind::Unsafe, format!("the answer is compressed ({})", safe(&coding)))));
    }
    let big = |pair: [u8; 2]| u16::from_be_bytes(pair);
    let little = |pair: [u8; 2]| u16::from_le_bytes(pair);
    let charset = charset(headers);
    let text = match (bytes, charset.as_str()) {
        ([0xfe, 0xff, rest @ ..], _) => utf16(rest, big),
        ([0xff, 0xfe, rest @ ..], _) => utf16(rest, little),
        // without a mark: JSON begins with a character of ASCII
        ([0, _, ..], _) => utf16(bytes, big),
        ([_, 0, ..], _) => utf16(bytes, little),
        // a UTF-8 text with a wrong charset is far likelier than such a text in another one
        (all, charset) => match (std::str::from_utf8(all.strip_prefix(b"\xef\xbb\xbf").unwrap_or(all)), charset) {
            (Ok(text), _) => Some(text.to_owned()),
            (_, "iso-8859-1" | "latin1" | "windows-1252" | "cp1252") => Some(all.iter().map(|b| western(*b)).collect()),
            _ => None,
        },
    };
    text.map(sound).ok_or_else(|| {
        let valid = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), |_| bytes.len());
        let after = format!("after {}", count(valid, "byte"));
        let what = match charset.as_str() {
            "utf-16" | "utf-16le" | "utf-16be" => "its UTF-16 ends within a character".to_owned(),
            "" | "utf-8" => "it is not text in UTF-8, as JSON has to be".to_owned(),
            other => format!("it is not text in UTF-8, and its charset `{}` is not known", safe(other)),
        };
        refused(Error::new(Kind::Unsafe, format!("the answer is malformed: {what}")).because(after))
    })
}

/// A body in UTF-8, if it can be read; otherwise as it came.
pub fn readable<'a>(headers: &[(String, String)], body: &'a [u8]) -> Cow<'a, [u8]> {
    text(headers, body, "").map_or(Cow::Borrowed(body), |text| Cow::Owned(text.into_bytes()))
}

/// Whether each line of a body is a value of its own, by its media type.
pub fn is_lines(headers: &[(String, String)]) -> bool {
    const LINES: [&str; 5] = ["ndjson", "jsonl", "json-lines", "json-seq", "stream+json"];
    let kind = header(headers, "content-type").unwrap_or_default().to_ascii_lowercase();
    LINES.iter().any(|lines| kind.contains(lines))
}

/// Returns the charset of the `Content-Type`, in lower case.
fn charset(headers: &[(String, String)]) -> String {
    let kind = header(headers, "content-type").unwrap_or_default().to_ascii_lowercase();
    let named = kind.split(';').find_map(|part| part.trim().strip_prefix("charset=").map(str::to_owned));
    named.unwrap_or_default().trim_matches(['"', ' ']).to_owned()
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
    let text = units.map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    rest.is_empty().then_some(text)
}

/// Reads a byte of ISO 8859-1 as browsers do: as one of windows-1252.
fn western(byte: u8) -> char {
    const MORE: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    match byte {
        0x80..=0x9f => MORE.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
        other => char::from(other),
    }
}

/// Replaces the escapes of half a surrogate pair by U+FFFD, as jq does.
fn sound(mut json: String) -> String {
    let half = |json: &str, at: usize| {
        let digits = json.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..0xe000).contains(unit))
    };
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        at += found;
        match (half(&json, at), half(&json, at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at += 12,
            (Some(_), _) => {
                json.replace_range(at + 2..at + 6, "fffd");
                at += 6;
            }
            // an escape of one character, or of another code point
            _ => at += 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(coding: &str, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let headers = vec![("content-encoding".to_owned(), coding.to_owned())];
        let body = Box::new(Cursor::new(bytes.to_owned()));
        let mut answer = Streamed { status: 200, version: String::new(), headers, body };
        decompress(&mut answer)?;
        let mut plain = Vec::new();
        answer.body.read_to_end(&mut plain)?;
        Ok(plain)
    }

    /// A frame with one raw block (RFC 8878, section 3.1.1); `window` as its descriptor.
    fn frame(window: u8, text: &[u8]) -> Vec<u8> {
        let block = (u32::try_from(text.len()).unwrap() << 3 | 1).to_le_bytes();
        [&[0x28, 0xb5, 0x2f, 0xfd, 0, window], &block[..3], text].concat()
    }

    #[test]
    fn each_frame_of_zstd_is_read_and_a_large_window_is_refused() {
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        let frames = [frame(0, b"[1,"), skipped.to_vec(), frame(0x68, b"2"), frame(0, b"]")].concat();
        assert_eq!(plain("zstd", &frames).unwrap(), b"[1,2]");
        // 8 MiB is the most; the next descriptor is 9 MiB
        for (window, ends) in [(0x68, true), (0x69, false), (0x88, false)] {
            assert_eq!(plain("zstd", &frame(window, b"1")).is_ok(), ends, "{window:#x}");
        }
        let cut = plain("zstd", &frames[..frames.len() - 1]).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::InvalidData);
        // more codings than two stay as they are
        assert_eq!(plain("zstd, zstd, zstd", &frames).unwrap(), frames);
    }

    #[test]
    fn half_a_pair_is_no_character() {
        for (json, want) in [
            (r#"["\ud83d\ude00","\uD83D","\ude00x"]"#, r#"["\ud83d\ude00","\ufffd","\ufffdx"]"#),
            (r#"["\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
            (r#"["\\ud83d", "\u00e9\\", "\ud8"]"#, r#"["\\ud83d", "\u00e9\\", "\ud8"]"#),
            ("\"\\", "\"\\"),
        ] {
            assert_eq!(sound(json.to_owned()), want);
        }
    }

    #[test]
    fn a_text_is_read_by_its_mark_or_its_charset() {
        let text = |charset: &str, bytes: &[u8]| {
            let kind = format!("application/json; charset={charset}");
            text(&[("content-type".to_owned(), kind)], bytes, "").map_err(|e| e.kind)
        };
        for (charset, bytes) in [
            ("utf-8", &b"\"\xc3\xa9\""[..]),
            ("UTF-8", b"\xef\xbb\xbf\"\xc3\xa9\""),
            ("iso-8859-1", b"\"\xe9\""),
            ("\"Windows-1252\"", b"\"\xe9\""),
            ("iso-8859-1", b"\"\xc3\xa9\""),
            ("utf-16", b"\xff\xfe\"\0\xe9\0\"\0"),
            ("utf-16", b"\xfe\xff\0\"\0\xe9\0\""),
            ("utf-16le", b"\"\0\xe9\0\"\0"),
        ] {
            assert_eq!(text(charset, bytes).as_deref(), Ok("\"\u{e9}\""), "{charset}");
        }
        assert_eq!(text("latin1", b"\"\x80\x9f\xe9\"").as_deref(), Ok("\"€Ÿé\""));
        for (charset, bytes) in [("utf-8", &b"\"\xe9\""[..]), ("koi8-r", b"\"\xe9\""), ("utf-16", b"\"\0\xe9")] {
            assert_eq!(text(charset, bytes), Err(Kind::Unsafe), "{charset}");
        }
    }
}
