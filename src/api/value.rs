//! The JSON values that answers are shaped from. Numbers keep the digits that they came with. The
//! type is jaq's own, so that a filter works on what was read; a build without jaq has a stand-in.

#[cfg(feature = "jq")]
pub use jaq_json::{Num, Val};
#[cfg(not(feature = "jq"))]
pub use plain::{Num, Val};

#[cfg(any(test, not(feature = "jq")))]
#[cfg_attr(feature = "jq", allow(dead_code))]
mod plain;

/// Deeper than any API nests; what is deeper would fill the stack.
const DEEPEST: usize = 256;

/// A text without its quotes.
pub fn text(value: &Val) -> String {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => other.to_string(),
    }
}

/// A list of these values. The conversion is jaq's: its lists are shared.
#[cfg_attr(not(feature = "jq"), allow(clippy::useless_conversion))]
pub fn array(list: Vec<Val>) -> Val {
    Val::Arr(list.into())
}

/// JSON as a value; `None` for what isn't JSON, or is nested deeper than anything sensible.
pub fn read(json: &[u8]) -> Option<Val> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for &b in json {
        match b {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    #[cfg(feature = "jq")]
    return jaq_json::read::parse_single(json).ok();
    #[cfg(not(feature = "jq"))]
    plain::read(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_without_end_is_no_value() {
        assert!(read("[".repeat(100_000).as_bytes()).is_none());
        assert!(read(format!("{}{}", "[".repeat(200), "]".repeat(200)).as_bytes()).is_some());
        assert!(read(b"\"[[[[\"").is_some() && read(b"<html>").is_none());
    }

    #[test]
    fn a_build_without_jq_reads_and_writes_the_same() {
        for json in [
            "null",
            "[true,false,-1,12345678901234567890123.10,1e400,[]]",
            "{\"b\":{},\"a\":\"\\u00e9\\n\\\"\",\"b\":[\"x\"]}",
            " [ 1 , { \"a\" : 2.50 } ] ",
        ] {
            let read = read(json.as_bytes()).unwrap().to_string();
            assert_eq!(plain::read(json.as_bytes()).unwrap().to_string(), read);
        }
        assert!(plain::read(b"[1").is_none() && plain::read(b"<html>").is_none());
    }
}
