//! The rules of `proxy --allow`: methods, and a pattern of paths.

use std::fmt;

use crate::text::pattern::{matches, segments};

/// Methods and a pattern, one of which may be missing: `GET`, `/contacts/*`,
/// `GET,POST:/contacts/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Empty: any.
    methods: Vec<String>,
    /// Segments; empty: any path.
    pattern: Vec<String>,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.methods[..], &self.pattern[..]) {
            (methods, []) => write!(f, "{}", methods.join(",")),
            ([], path) => write!(f, "/{}", path.join("/")),
            (methods, path) => write!(f, "{}:/{}", methods.join(","), path.join("/")),
        }
    }
}

impl Rule {
    pub fn parse(text: &str) -> Result<Rule, &'static str> {
        const FORM: &str = "write it as `GET`, `/contacts/*` or `GET,POST:/contacts/**`";
        let at = text.find('/').unwrap_or(text.len());
        let (methods, path) = text.split_at(at);
        let path = Some(path).filter(|path| !path.is_empty());
        // a blank does as well as a colon
        let methods = methods.strip_suffix([':', ' ']).filter(|_| path.is_some()).unwrap_or(methods);
        let methods: Vec<String> = match methods {
            "" | "*" if path.is_some() => Vec::new(),
            methods => methods.split(',').map(str::to_owned).collect(),
        };
        let is_method = |word: &String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        if !methods.iter().all(is_method) || path.is_some_and(|path| path.contains(['?', '#', ' '])) {
            return Err(FORM);
        }
        Ok(Rule { methods, pattern: path.map(segments).unwrap_or_default() })
    }

    /// `path`: as it is sent, without dots to resolve.
    pub fn admits(&self, method: &str, path: &str) -> bool {
        let known = |own: &String| own == method || own == "GET" && method == "HEAD";
        if !self.methods.is_empty() && !self.methods.iter().any(known) {
            return false;
        }
        self.pattern.is_empty()
            || means_one_path(path) && !has_hidden_dots(path) && matches(&self.pattern, &segments(path))
    }
}

/// Whether every server takes the path for the same: some decode `%2F`, some decode twice.
fn means_one_path(path: &str) -> bool {
    whole(path).split(['/', '\\']).count() == path.split('/').count()
}

/// Whether a server could resolve dots in the path that an address hides: some decode `%2F`, some
/// decode twice, some leave out what follows a `;` before.
pub fn has_hidden_dots(path: &str) -> bool {
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    whole(path).split(['/', '\\']).any(is_dots)
}

/// The path when nothing in it is left to decode.
fn whole(path: &str) -> String {
    let mut decoded = path.to_owned();
    loop {
        let next = super::file_name::percent_decoded(&decoded);
        if next == decoded {
            break;
        }
        decoded = next;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_admits_its_methods_and_paths_alone() {
        for (rule, method, path, admitted) in [
            ("GET", "GET", "/anything", true),
            ("GET", "HEAD", "/anything", true),
            ("GET", "POST", "/anything", false),
            ("HEAD", "GET", "/anything", false),
            ("POST,PUT:/a", "PUT", "/a", true),
            ("POST,PUT /a", "PUT", "/a/", false),
            ("POST,PUT /a", "PATCH", "/a", false),
            ("*:/a/*", "DELETE", "/a/b", true),
            ("/a/*", "DELETE", "/a/b/c", false),
            ("/a/*", "DELETE", "/a", false),
            ("/a/**", "GET", "/a/b/c", true),
            ("/a/**", "GET", "/a", true),
            ("/a/**", "GET", "/ab", false),
            ("/**/z", "GET", "/x/y/z", true),
            ("/v*/a-*-c", "GET", "/v3/a-b-c", true),
            ("/v*/a-*-c", "GET", "/v3/a-c", false),
            ("/a/*", "GET", "/a/b%2Fc", false),
            ("/a/*", "GET", "/a/%252e%252e", false),
            ("/a/**", "GET", "/a/..;x/admin", false),
            ("/a/**", "GET", "/a/b%5C..%5Cadmin", false),
            ("/a/*", "GET", "/a/b%20c", true),
            ("/a/*", "GET", "/a/b;c=.", true),
            ("GET", "GET", "/a/b%2Fc", true),
        ] {
            let parsed = Rule::parse(rule).expect(rule);
            assert_eq!(parsed.admits(method, path), admitted, "{rule}: {method} {path}");
        }
        for wrong in ["", "get", "GET:", "GET POST:/a", "a/b", "GET,:/a", "/a /b", "GET:/a?b", "*"] {
            assert!(Rule::parse(wrong).is_err(), "{wrong}");
        }
    }
}
