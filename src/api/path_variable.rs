//! Fills `{user_id}` in a path from the token response's members and the provider's variables. A
//! value stays in its path segment, since it is percent-encoded.

use crate::secret::Secret;

/// Why a template can't be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfilled {
    /// No value has this name.
    Unknown(String),
    /// A path segment would become `.` or `..`, which leads elsewhere even when escaped.
    Dots,
}

/// Fills each `{name}`. The error is the first unknown name. Braces around anything but a name
/// (JSON in a query) stay.
pub fn fill(template: &str, known: &dyn Fn(&str) -> Option<Secret>) -> Result<String, Unfilled> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let name = from[1..].split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        let Some(name) = name else {
            out.push('{');
            rest = &from[1..];
            continue;
        };
        let value = known(name).ok_or_else(|| Unfilled::Unknown(name.to_owned()))?;
        for byte in value.expose().bytes() {
            if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        rest = &from[name.len() + 2..];
    }
    out.push_str(rest);
    // no value adds a `/`, so the segments correspond
    let fills_dots = |(before, after): (&str, &str)| before != after && is_dots(after);
    let leads_elsewhere = path(template).zip(path(&out)).any(fills_dots);
    match leads_elsewhere {
        true => Err(Unfilled::Dots),
        false => Ok(out),
    }
}

fn path(text: &str) -> impl Iterator<Item = &str> {
    text.split(['?', '#']).next().unwrap_or_default().split(['/', '\\'])
}

/// Reads dots like RFC 3986, section 5.2.4, and like browsers: an escaped dot is a dot.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    // a value can't leave its segment
    #[test]
    fn names_are_filled_and_values_stay_in_their_segment() {
        let known = |name: &str| match name {
            "user_id" => Some(Secret::unlisted("17")),
            "up" => Some(Secret::unlisted("..")),
            "dot" => Some(Secret::unlisted(".")),
            "odd" => Some(Secret::unlisted("../a b?c")),
            _ => None,
        };
        let fill = |template: &str| fill(template, &known);
        assert_eq!(fill("/users/{user_id}/x"), Ok("/users/17/x".into()));
        assert_eq!(fill("/x/{odd}"), Ok("/x/%2E%2E%2Fa%20b%3Fc".into()));
        assert_eq!(fill("/x?q={\"a\":{}}&r={"), Ok("/x?q={\"a\":{}}&r={".into()));
        assert_eq!(fill("/x/{nobody}"), Err(Unfilled::Unknown("nobody".into())));
        // B-05
        for path in ["/x/{up}/y", "/x/{up}", "/{dot}{dot}/y", "/x/.{dot}?q", "/x/%2e{dot}", "https://a.example/{dot}/x"]
        {
            assert_eq!(fill(path), Err(Unfilled::Dots), "{path}");
        }
        assert_eq!(fill("/x/a{up}?q={up}"), Ok("/x/a%2E%2E?q=%2E%2E".into()));
    }
}
