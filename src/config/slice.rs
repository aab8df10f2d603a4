//! Finds one profile among ten thousand, without parsing the others.
//!
//! `token` has a millisecond or two. So the file is cut at its section headers, and the parser gets
//! only the top and the sections of one profile. A text that this could misread (a string over
//! several lines, `profiles` without sections, an escaped name) is parsed whole.

/// The text without the sections of other profiles; `None`: parse the whole.
pub(super) fn slice(text: &str, profile: &str) -> Option<String> {
    let mut out = String::new();
    each_section(text, |owner, section| match owner {
        Owner::Profile(name) if name != profile => {}
        _ => out.push_str(section),
    })?;
    Some(out)
}

/// The top of the text, and the sections of the profiles by name; `None`: parse the whole.
pub(super) fn sections(text: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    let (mut top, mut profiles, mut others) = ("", Vec::new(), false);
    each_section(text, |owner, section| match owner {
        Owner::Top => top = section,
        Owner::Profile(name) => profiles.push((name, section)),
        Owner::Rule | Owner::Other => others = true,
    })?;
    // the sections of one profile stay in their order
    profiles.sort_by_key(|(name, _)| *name);
    (!others).then_some((top, profiles))
}

/// Gives the sections of the profiles whose names begin so, in the order of the file; `None`: parse
/// the whole.
pub(super) fn beginning<'t>(text: &'t str, begin: &str, mut take: impl FnMut(&'t str, &'t str)) -> Option<()> {
    let mut others = false;
    each_section(text, |owner, section| match owner {
        Owner::Profile(name) if name.starts_with(begin) => take(name, section),
        Owner::Profile(_) | Owner::Rule | Owner::Top => {}
        Owner::Other => others = true,
    })?;
    (!others).then_some(())
}

/// The part of the file that a section belongs to.
#[derive(Clone, Copy)]
enum Owner<'t> {
    Top,
    Profile(&'t str),
    Rule,
    Other,
}

/// Cuts the text at its section headers; `None`: that could misread it.
fn each_section<'t>(text: &'t str, mut take: impl FnMut(Owner<'t>, &'t str)) -> Option<()> {
    if holds_long_string(text.as_bytes()) {
        return None;
    }
    let bytes = text.as_bytes();
    let (mut start, mut owner, mut top) = (0, Owner::Top, None);
    let mut from = 0;
    while let Some(open) = text[from..].find('[').map(|i| from + i) {
        from = open + 1;
        // most brackets open a list: the byte before shows it
        let before = bytes[..open].iter().rposition(|b| !matches!(b, b' ' | b'\t'));
        let line_start = match before {
            Some(at) if bytes[at] == b'\n' => at + 1,
            Some(_) => continue,
            None => 0,
        };
        top.get_or_insert(&text[..line_start]);
        take(owner, &text[start..line_start]);
        (start, owner) = (line_start, owner_of(&text[open..])?);
    }
    take(owner, &text[start..]);
    // `profiles.x.provider = …` or `profiles = {…}` above the sections
    let names_profiles = |line: &str| {
        let line = line.trim_start_matches(['\u{feff}', ' ', '\t']);
        let escaped = line.starts_with('"') && line.contains('\\');
        escaped || line.trim_start_matches(['"', '\'']).starts_with("profiles")
    };
    (!top.unwrap_or(text).lines().any(names_profiles)).then_some(())
}

/// The owner of the section with the header at the text's beginning; `None`: no plain header.
fn owner_of(header: &str) -> Option<Owner<'_>> {
    let rest = header.strip_prefix('[')?;
    if rest.starts_with('[') {
        return rest.starts_with("[when]]").then_some(Owner::Rule);
    }
    let Some(rest) = rest.strip_prefix("profiles") else {
        // `[ profiles.x]` and `["profiles".x]` need the parser; other sections stay, to be checked
        return rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).then_some(Owner::Other);
    };
    let Some(rest) = rest.strip_prefix('.') else {
        // `[profiles]` and `[profiles-x]` are checked too, `[profiles . x]` needs the parser
        return rest.starts_with([']', '-', '_']).then_some(Owner::Other);
    };
    let (name, rest) = match rest.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let inner = &rest[1..];
            let end = inner.find(char::from(*quote))?;
            if inner[..end].contains(['\\', '\n']) {
                return None;
            }
            (&inner[..end], &inner[end + 1..])
        }
        _ => {
            let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')))?;
            (&rest[..end], &rest[end..])
        }
    };
    rest.starts_with(['.', ']']).then_some(Owner::Profile(name))
}

/// Whether `"""` or `'''` occurs. Blocks are read to their ends, for vector code.
fn holds_long_string(bytes: &[u8]) -> bool {
    let (Some(second), Some(third)) = (bytes.get(1..), bytes.get(2..)) else { return false };
    let blocks = bytes.chunks(4096).zip(second.chunks(4096)).zip(third.chunks(4096));
    blocks.into_iter().any(|((first, second), third)| {
        first.iter().zip(second).zip(third).fold(0, |found, ((a, b), c)| {
            let same = u8::from(a == b) & u8::from(b == c);
            found | same & (u8::from(*a == b'"') | u8::from(*a == b'\''))
        }) != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_top_and_the_sections_of_one_profile() {
        let text = "store = \"file\"\n\n[profiles.a]\nport = 1\n[profiles.a.vars]\nx = \"y\"\n[profiles.b]\nport = 2\n# [profiles.a]\n\
                    [profiles.\"b c\"]\nport = 3\n[profiles.'a'.params]\nz = \"1\"\n[other]\n";
        let slice = slice(text, "a").unwrap();
        assert_eq!(
            slice,
            "store = \"file\"\n\n[profiles.a]\nport = 1\n[profiles.a.vars]\nx = \"y\"\n[profiles.'a'.params]\nz = \"1\"\n[other]\n"
        );
    }

    #[test]
    fn gives_up_on_everything_unusual() {
        for text in [
            "x = \"\"\"\n[profiles.a]\n\"\"\"",
            "x = '''\n[profiles.a]\n'''",
            "profiles.a.port = 1\n",
            "profiles = { a = { port = 1 } }\n",
            "\"\\u0070rofiles\".a.port = 1\n",
            "[[profiles]]\n",
            "[ profiles.a]\n",
            "[profiles .a]\n",
            "[profiles.a .vars]\n",
            "[\"profiles\".a]\n",
            "[profiles.\"\\u0061\"]\n",
            "[profiles.\"a]\n",
        ] {
            assert_eq!(slice(text, "a"), None, "{text}");
        }
    }
}
