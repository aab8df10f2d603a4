//! YAML in block style. Of the ways to write a value, it uses the one that every reader understands
//! alike.

use serde_json::value::RawValue;

use crate::api::records::once;
use crate::api::value::{View, text, view};
use crate::text::quoted;

/// Writes one value in block style at the cursor.
pub fn value(out: &mut String, shown: &RawValue, depth: usize) {
    let indent = |out: &mut String, depth: usize| out.extend(std::iter::repeat_n("  ", depth));
    match view(shown) {
        View::List(list) if !list.is_empty() => {
            for (at, item) in list.into_iter().enumerate() {
                if at > 0 {
                    indent(out, depth);
                }
                out.push_str("- ");
                value(out, item, depth + 1);
            }
        }
        View::Members(members) if !members.is_empty() => {
            for (at, (name, item)) in once(members).into_iter().enumerate() {
                if at > 0 {
                    indent(out, depth);
                }
                out.push_str(&plain(&name));
                out.push(':');
                let json = item.get();
                // an empty list or object stays on the line
                if json.starts_with(['[', '{']) && !json[1..].trim_start().starts_with([']', '}']) {
                    out.push('\n');
                    indent(out, depth + 1);
                } else {
                    out.push(' ');
                }
                value(out, item, depth + 1);
            }
        }
        View::Text(text) => out.extend([plain(&text).as_str(), "\n"]),
        _ => out.extend([text(shown).as_str(), "\n"]),
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
