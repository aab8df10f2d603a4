//! The JSON values that answers are shaped from. Each is its own text, read one level at a time, so
//! numbers keep the digits that they came with.

use serde_json::value::RawValue;

use super::records::{Members, members};
use crate::text::quoted;
use crate::wire::weighed;

/// The most values that stand one after the other in a text.
const MOST_VALUES: usize = 500_000;

/// The memory for an answer or a page that is filtered or shaped, in bytes: 64 MiB with the
/// program's own.
const MOST_MEMORY: usize = 48 << 20;

/// Whether filtering or shaping a text would take too much memory. By measurement an object takes
/// 240 bytes in the filter's tree, a text 85 beside its characters, a decimal number 75 beside its
/// digits, and any value 100 as a row of a table; the text itself is there four times.
pub fn is_too_dense(text: &str) -> bool {
    let weight = |byte| match byte {
        b',' | b'[' => 100,
        b'{' => 240,
        b'"' => 85,
        b'.' => 75,
        _ => 0,
    };
    weighed(text.as_bytes(), weight).unwrap_or(0) + 4 * text.len() > MOST_MEMORY
}

/// Deeper than any API nests; what is deeper would fill the stack.
const DEEPEST: usize = 256;

/// The outermost level of a value.
pub enum View<'a> {
    Text(String),
    List(Vec<&'a RawValue>),
    /// As they stand: a name may come twice.
    Members(Members<'a>),
    Null,
    /// A number or a boolean.
    Plain(&'a str),
}

/// Reads the outermost level of a value.
pub fn view(raw: &RawValue) -> View<'_> {
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'"') => View::Text(serde_json::from_str(json).unwrap_or_default()),
        Some(b'[') => View::List(serde_json::from_str(json).unwrap_or_default()),
        Some(b'{') => View::Members(members(json).unwrap_or_default()),
        Some(b'n') => View::Null,
        _ => View::Plain(json),
    }
}

/// A text without its quotes, any other value as JSON.
pub fn text(raw: &RawValue) -> String {
    match view(raw) {
        View::Text(text) => text,
        _ => {
            let mut out = String::new();
            write(&mut out, raw, Style::default(), 0);
            out
        }
    }
}

/// How JSON is written.
#[derive(Clone, Copy, Default)]
pub struct Style {
    /// Indents, one member to a line.
    pub pretty: bool,
    pub color: bool,
}

/// Writes a value as JSON. `depth`: the indentation that it begins at.
pub fn write(out: &mut String, raw: &RawValue, style: Style, depth: usize) {
    let quote = |text: &str| match style.pretty || style.color {
        true => quoted(text),
        false => serde_json::Value::from(text).to_string(),
    };
    let paint = |out: &mut String, color: &str, text: &str| match style.color {
        true => out.extend(["\x1b[", color, "m", text, "\x1b[0m"]),
        false => out.push_str(text),
    };
    let line = |out: &mut String, depth: usize| {
        if style.pretty {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    };
    match view(raw) {
        View::List(list) if list.is_empty() => out.push_str("[]"),
        View::Members(members) if members.is_empty() => out.push_str("{}"),
        View::List(list) => {
            for (at, item) in list.into_iter().enumerate() {
                out.push(if at > 0 { ',' } else { '[' });
                line(out, depth + 1);
                write(out, item, style, depth + 1);
            }
            line(out, depth);
            out.push(']');
        }
        View::Members(members) => {
            for (at, (name, item)) in members.into_iter().enumerate() {
                out.push(if at > 0 { ',' } else { '{' });
                line(out, depth + 1);
                paint(out, "1;34", &quote(&name));
                out.push_str(if style.pretty { ": " } else { ":" });
                write(out, item, style, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
        View::Text(text) => paint(out, "32", &quote(&text)),
        View::Null => paint(out, "2", "null"),
        View::Plain(plain) => paint(out, "36", plain),
    }
}

/// The values of a text, one after the other; `None` for what isn't JSON, is nested deeper than
/// anything sensible, or has too many values.
pub fn read(json: &str) -> Option<Vec<&RawValue>> {
    if is_too_deep(json) {
        return None;
    }
    let values = serde_json::Deserializer::from_str(json).into_iter().take(MOST_VALUES + 1);
    values.collect::<Result<Vec<_>, _>>().ok().filter(|values| values.len() <= MOST_VALUES)
}

/// Why a text can't be read.
pub fn fault(json: &str) -> &'static str {
    if is_too_deep(json) { "nested too deep (more than 256 levels)" } else { "not JSON" }
}

fn is_too_deep(json: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for b in json.bytes() {
        match b {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted && depth == DEEPEST => return true,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_without_end_is_no_value() {
        assert!(read(&"[".repeat(100_000)).is_none());
        assert!(read(&format!("{}{}", "[".repeat(200), "]".repeat(200))).is_some());
        assert!(read("\"[[[[\"").is_some() && read("<html>").is_none());
        assert_eq!(read("{\"a\":1}\n[2]3 ").unwrap().len(), 3);
    }

    #[test]
    fn a_value_is_written_as_it_came() {
        for (json, want) in [
            ("null", "null"),
            ("[true, -1,12345678901234567890123.10,1e400,[]]", "[true,-1,12345678901234567890123.10,1e400,[]]"),
            ("{\"b\":{},\"a\":\"\\u00e9\\n\\\"\",\"b\":[\"x\"]}", "{\"b\":{},\"a\":\"é\\n\\\"\",\"b\":[\"x\"]}"),
        ] {
            assert_eq!(text(read(json).unwrap()[0]), want);
        }
    }
}
