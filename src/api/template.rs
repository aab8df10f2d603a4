//! `{user_id}` in a path: filled from what is known of the login (the token answer's own members, the provider's variables). A value
//! stays in its segment: it is percent-encoded.

use crate::secret::Secret;

/// The text with each `{name}` filled; the first name that nothing is known of is the error. Braces around anything that is no name
/// (JSON in a query) are left alone.
pub fn fill(template: &str, known: &dyn Fn(&str) -> Option<Secret>) -> Result<String, String> {
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
        let value = known(name).ok_or_else(|| name.to_owned())?;
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
    Ok(out)
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
            "odd" => Some(Secret::unlisted("../a b?c")),
            _ => None,
        };
        let fill = |template: &str| fill(template, &known);
        assert_eq!(fill("/users/{user_id}/x"), Ok("/users/17/x".into()));
        assert_eq!(fill("/x/{odd}"), Ok("/x/%2E%2E%2Fa%20b%3Fc".into()));
        assert_eq!(fill("/x?q={\"a\":{}}&r={"), Ok("/x?q={\"a\":{}}&r={".into()));
        assert_eq!(fill("/x/{nobody}"), Err("nobody".into()));
    }
}
