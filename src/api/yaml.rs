//! YAML in block style. Of the ways to write a value, it uses the one that every reader understands
//! alike.

use std::fmt::Write as _;

use super::value::{Val, text};
use crate::text::quoted;

/// Writes one value in block style at the cursor.
pub fn value(out: &mut String, shown: &Val, depth: usize) {
    let indent = |out: &mut String| {
        let _ = write!(out, "{:1$}", "", 2 * depth);
    };
    match shown {
        Val::Arr(list) if !list.is_empty() => {
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    indent(out);
                }
                out.push_str("- ");
                value(out, item, depth + 1);
            }
        }
        Val::Obj(members) if !members.is_empty() => {
            for (at, (name, item)) in members.iter().enumerate() {
                if at > 0 {
                    indent(out);
                }
                out.push_str(&plain(&text(name)));
                out.push(':');
                let nested =
                    matches!(item, Val::Arr(l) if !l.is_empty()) || matches!(item, Val::Obj(m) if !m.is_empty());
                if nested {
                    let _ = write!(out, "\n{:1$}", "", 2 * (depth + 1));
                } else {
                    out.push(' ');
                }
                value(out, item, depth + 1);
            }
        }
        Val::TStr(_) | Val::BStr(_) => {
            out.push_str(&plain(&text(shown)));
            out.push('\n');
        }
        other => {
            let _ = writeln!(out, "{other}");
        }
    }
}

/// Quotes a text unless every YAML reader takes it for this text.
fn plain(text: &str) -> String {
    let harmless = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || " _-./@+".contains(c))
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if harmless { text.to_owned() } else { quoted(text) }
}
