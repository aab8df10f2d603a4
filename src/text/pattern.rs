//! Patterns of paths: `*` is any part of one segment, `**` any number of segments.

pub fn segments(path: &str) -> Vec<String> {
    path.trim_start_matches('/').split('/').map(str::to_owned).collect()
}

/// Whether the whole path is like the pattern.
pub fn matches(pattern: &[String], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, _) => path.is_empty(),
        (Some((first, rest)), _) if first == "**" => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..])),
        (Some((first, rest)), Some((segment, others))) => is_name(first, segment) && matches(rest, others),
        (Some(_), None) => false,
    }
}

/// Whether the path, or one above it, is like the pattern.
pub fn is_within(pattern: &str, path: &str) -> bool {
    is_like(&format!("{pattern}/**"), path)
}

/// Whether the whole path is like the pattern.
pub fn is_like(pattern: &str, path: &str) -> bool {
    let mut pattern = segments(pattern);
    pattern.retain(|segment| !segment.is_empty());
    matches(&pattern, &segments(path))
}

fn is_name(pattern: &str, segment: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == segment,
        Some((start, rest)) => segment.strip_prefix(start).is_some_and(|left| {
            left.char_indices().map(|(at, _)| at).chain([left.len()]).any(|at| is_name(rest, &left[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_holds_for_what_is_below_it_too() {
        for (pattern, path, is) in [
            ("/home/ann/work", "/home/ann/work", true),
            ("/home/ann/work/", "/home/ann/work/x/y", true),
            ("/home/ann/work/**", "/home/ann/work", true),
            ("/home/ann/work", "/home/ann/works", false),
            ("/home/*/work", "/home/ann/work/x", true),
            ("/home/**/api", "/home/a/b/api/src", true),
            ("/home/**/api", "/home/a/b/apis", false),
            ("github.com/acme/*", "github.com/acme/app", true),
            ("github.com/acme/*", "github.com/acme", false),
            ("github.com/acme", "github.com/acme-evil/app", false),
            ("*.example/acme", "git.example/acme/x", true),
            ("/", "/anywhere", true),
        ] {
            assert_eq!(is_within(pattern, path), is, "{pattern} {path}");
        }
    }
}
