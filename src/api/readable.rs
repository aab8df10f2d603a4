//! Refuses responses that can't be read here: compressed ones, which nobody requested, and other
//! character sets than JSON's (RFC 8259, section 8.1). A retry would get the same, so none is made.

use crate::error::{Error, Kind};
use crate::text::{count, safe};
use crate::wire::header;

/// Returns the content coding of a response, unless it is `identity` (RFC 9110, section 8.4).
pub fn coding(headers: &[(String, String)]) -> Option<&str> {
    header(headers, "content-encoding").map(str::trim).filter(|c| !c.is_empty() && !c.eq_ignore_ascii_case("identity"))
}

/// Returns the message for a compressed response. `asked`: the user sent an `Accept-Encoding`.
pub fn compressed(coding: &str, asked: bool) -> String {
    let why = if asked { "" } else { ", which was not asked for" };
    format!("the answer is compressed ({}){why}", safe(coding))
}

/// Returns the text of a response or page. `option`: the flag that needs to read it.
pub fn text(headers: &[(String, String)], bytes: Vec<u8>, asked: bool, option: &str) -> Result<String, Error> {
    let hint = format!("without {option} it is printed as it came");
    if let Some(coding) = coding(headers).filter(|_| !bytes.is_empty()) {
        let kind = if asked { Kind::Other } else { Kind::Unsafe };
        return Err(Error::new(kind, compressed(coding, asked)).hint(hint));
    }
    String::from_utf8(bytes).map_err(|e| {
        Error::new(Kind::Unsafe, "the answer is malformed: it is not text in UTF-8, as JSON has to be")
            .because(format!("after {}", count(e.utf8_error().valid_up_to(), "byte")))
            .hint(hint)
    })
}
