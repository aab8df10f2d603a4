//! Whether an answer can be read here at all: not one that is compressed, which nobody asked for, nor one in another character set than
//! JSON's (RFC 8259, section 8.1). It would be the same the next time, so it is not asked for again.

use crate::error::{Error, Kind};
use crate::text::{count, safe};
use crate::wire::header;

/// The coding that has to be undone before an answer can be read (RFC 9110, section 8.4).
pub fn coding(headers: &[(String, String)]) -> Option<&str> {
    header(headers, "content-encoding").map(str::trim).filter(|c| !c.is_empty() && !c.eq_ignore_ascii_case("identity"))
}

/// That an answer is compressed. `asked`: the person has sent an `Accept-Encoding`.
pub fn compressed(coding: &str, asked: bool) -> String {
    let why = if asked { "" } else { ", which was not asked for" };
    format!("the answer is compressed ({}){why}", safe(coding))
}

/// The text of an answer, or of a page. `option`: what wants to read it.
pub fn text(headers: &[(String, String)], bytes: Vec<u8>, asked: bool, option: &str) -> Result<String, Error> {
    let hint = format!("without {option} it is printed as it came");
    if let Some(coding) = coding(headers).filter(|_| !bytes.is_empty()) {
        let kind = if asked { Kind::Other } else { Kind::Unsafe };
        return Err(Error::new(kind, compressed(coding, asked)).hint(hint));
    }
    String::from_utf8(bytes).map_err(|e| {
        Error::new(Kind::Unsafe, "the answer is malformed: it is not text in UTF-8, as JSON has to be")
            .cause(format!("after {}", count(e.utf8_error().valid_up_to(), "byte")))
            .hint(hint)
    })
}
