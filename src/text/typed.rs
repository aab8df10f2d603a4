//! A profile as the person typed it: for the lines that a hint tells them to type next. Nothing may be kept of the profile yet, so
//! that its name alone would lead nowhere.

use std::fmt;

use super::{is_unsafe, redact, safe};

/// Options whose value only stands behind a `=`.
const JOINED: [&str; 2] = ["--par", "--request-object"];

/// A profile's name, the word by which it was meant, and the options that make it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    name: String,
    /// A provider's other name, an issuer's address, or the name itself.
    word: String,
    /// Each with its value; empty: it has none.
    options: Vec<(String, String)>,
}

impl Typed {
    /// A profile, the word by which it was named, and the options that make it.
    pub fn new(name: &str, word: &str, options: Vec<(String, String)>) -> Typed {
        Typed { name: name.to_owned(), word: word.to_owned(), options }
    }

    /// `oauthctl VERB PROFILE`, for what needs the profile to be there.
    pub fn line(&self, verb: &str) -> String {
        let word = if self.word.contains("://") { &self.name } else { &self.word };
        format!("oauthctl {verb} {}", pasted(word))
    }

    /// The login as it was typed, or as it would have to be.
    pub fn login(&self) -> String {
        self.login_with(&[])
    }

    /// The same by another grant.
    pub fn login_by(&self, grant: &str) -> String {
        self.login_with(&[("--grant", grant)])
    }

    /// The same with more options, each in the place of one that was typed.
    pub fn login_with(&self, more: &[(&str, &str)]) -> String {
        let mut line = format!("oauthctl login {}", pasted(&self.word));
        // one variable does not take the place of another, but of its own value before
        let same = |name: &str, value: &str, new: &(&str, &str)| {
            let variable = |text: &str| text.split_once('=').map(|(variable, _)| variable.to_owned());
            new.0 == name && (name != "--var" || variable(new.1) == variable(value))
        };
        let typed = self.options.iter().filter(|(name, value)| !more.iter().any(|new| same(name, value, new)));
        for (name, value) in typed {
            line.push_str(&option(name, value, &pasted(value)));
        }
        for (name, value) in more {
            line.push_str(&option(name, value, value));
        }
        line
    }
}

fn option(name: &str, value: &str, shown: &str) -> String {
    match value {
        "" => format!(" {name}"),
        _ if JOINED.contains(&name) || (value.starts_with('-') && value != "-") => format!(" {name}={shown}"),
        _ => format!(" {name} {shown}"),
    }
}

/// The name alone.
impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A word of the person's own, to be typed again: whole, unless it could act on the terminal or in a CI system's log.
pub fn pasted(word: &str) -> String {
    let word = redact(word);
    match word.chars().any(is_unsafe) || word.contains("##") {
        true => for_a_shell(&safe(&word)),
        false => for_a_shell(&word),
    }
}

/// In single quotes where a shell would read more into it.
pub fn for_a_shell(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~:@%+=,".contains(&b);
    match word.bytes().all(plain) && !word.is_empty() && !word.starts_with(['~', '=']) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(word: &str, options: &[(&str, &str)]) -> Typed {
        Typed::new("name", word, options.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn what_was_typed_comes_back_whole_and_as_a_shell_takes_it() {
        let all =
            [("--client-id", "my app"), ("--scope", "a&b"), ("--dpop", ""), ("--par", "auto"), ("--param", "-x=1")];
        assert_eq!(
            typed("http://[::1]:18080/a", &all).login(),
            "oauthctl login 'http://[::1]:18080/a' --client-id 'my app' --scope 'a&b' --dpop --par=auto --param=-x=1"
        );
        assert_eq!(
            typed("it's", &[("--client-secret-file", "-")]).login(),
            "oauthctl login 'it'\\''s' --client-secret-file -"
        );
        assert_eq!(typed("~a", &[]).line("token"), "oauthctl token '~a'");
        assert_eq!(typed("a\x1b[2Jb", &[]).login(), "oauthctl login 'a [2Jb'");
        assert_eq!(typed("##vso[x]", &[]).login(), "oauthctl login '# #vso[x]'");
    }

    #[test]
    fn what_a_hint_adds_takes_the_place_of_what_was_typed() {
        let typed = typed("work", &[("--grant", "ciba"), ("--scope", "a"), ("--scope", "b")]);
        assert_eq!(
            typed.login_with(&[("--grant", "device-code"), ("--register", "")]),
            "oauthctl login work --scope a --scope b --grant device-code --register"
        );
        assert_eq!(typed.login_with(&[("--scope", "…")]), "oauthctl login work --grant ciba --scope …");
        assert_eq!(typed.to_string(), "name");
    }
}
