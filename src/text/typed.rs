//! A profile as the user typed it, for hints that show the next command. The profile may not be
//! stored yet, so its name alone may not be enough.

use std::fmt;

use super::{is_unsafe, redact, safe};

/// Options that take their value only after a `=`.
const JOINED: [&str; 2] = ["--par", "--request-object"];

/// Options for the redirect of a browser alone.
const OF_REDIRECT: [&str; 3] = ["--redirect-uri", "--port", "--listen"];

/// A profile's name, the word that the user typed for it, and the options that define it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    name: String,
    /// An alias of the provider, an issuer's address, or the name itself.
    word: String,
    /// Options with their values; an empty value means that the option takes none.
    options: Vec<(String, String)>,
    /// The person typed `init`.
    guided: bool,
    /// Another machine lends its tokens: a login is for there.
    lent: bool,
}

impl Typed {
    /// Makes a profile from its name, the typed word and the options that define it.
    pub fn new(name: &str, word: &str, options: Vec<(String, String)>) -> Typed {
        Typed { name: name.to_owned(), word: word.to_owned(), options, guided: false, lent: false }
    }

    /// Returns `oauthctl VERB PROFILE`, for verbs that need a stored profile.
    pub fn line(&self, verb: &str) -> String {
        let word = if self.word.contains("://") { &self.name } else { &self.word };
        format!("oauthctl {verb} {}", pasted(word))
    }

    /// The word that the user typed for it.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Returns `oauthctl VERB PROFILE` with these options, for where nothing is stored.
    pub fn whole(&self, verb: &str, options: &[(String, String)]) -> String {
        let options = options.iter().map(|(name, value)| option(name, value, &pasted(value)));
        format!("oauthctl {verb} {}{}", pasted(&self.word), options.collect::<String>())
    }

    /// Replaces the options that define it.
    pub fn options_are(&mut self, options: Vec<(String, String)>) {
        self.options = options;
    }

    /// The login command is `init` from now on.
    pub fn is_guided(&mut self) {
        self.guided = true;
    }

    /// The login command is for the machine that lends the tokens from now on.
    pub fn is_lent(&mut self) {
        self.lent = true;
    }

    /// Returns the login command for this profile.
    pub fn login(&self) -> String {
        self.login_with(&[])
    }

    /// Returns the login command with another grant, without the options that it does not take.
    pub fn login_by(&self, grant: &str) -> String {
        let mut typed = self.clone();
        typed.options.retain(|(name, _)| grant == "authorization-code" || !OF_REDIRECT.contains(&name.as_str()));
        typed.login_with(&[("--grant", grant)])
    }

    /// Returns the login command with more options. Each replaces a typed option of its name.
    pub fn login_with(&self, more: &[(&str, &str)]) -> String {
        let verb = if self.guided { "init" } else { "login" };
        let there = if self.lent { "on the machine that lends it: " } else { "" };
        let mut line = format!("{there}oauthctl {verb} {}", pasted(&self.word));
        // a `--var` replaces only a `--var` of the same variable
        let same = |name: &str, value: &str, new: &(&str, &str)| {
            let variable = |text: &str| text.split_once('=').map(|(variable, _)| variable.to_owned());
            new.0 == name && (name != "--var" || variable(new.1) == variable(value))
        };
        let replaced = |name: &str, value: &str| more.iter().any(|new| same(name, value, new));
        let typed = self.options.iter().filter(|(name, value)| !is_secret_var(name, value) && !replaced(name, value));
        for (name, value) in typed {
            line.push_str(&option(name, value, &pasted(value)));
        }
        for (name, value) in more {
            line.push_str(&option(name, value, value));
        }
        line
    }
}

/// Tells whether an option is a variable with a secret value: its fingerprint can't be typed, and
/// `login` asks for it.
pub fn is_secret_var(name: &str, value: &str) -> bool {
    name == "--var" && redact(value) != value
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

/// Returns the user's own word for a command to paste: whole, unless it could act on the terminal
/// or in a CI log.
pub fn pasted(word: &str) -> String {
    let word = redact(word);
    match word.chars().any(is_unsafe) || word.contains("##") {
        true => for_a_shell(&safe(&word)),
        false => for_a_shell(&word),
    }
}

/// Quotes a word with single quotes if a shell would interpret it, be it a word of its own or the
/// value of a variable: there a `~`, and zsh's `=`, are a path behind a `:` or a `=` too.
pub fn for_a_shell(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~:@%+=,".contains(&b);
    let expands = word.starts_with(['~', '=']) || ["=~", ":~", ":="].iter().any(|mark| word.contains(mark));
    match word.bytes().all(plain) && !word.is_empty() && !expands {
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
        for (word, quoted) in [("~/a", true), ("=ls", true), ("a=~/b", true), ("a:~b", true), ("a:=ls", true)]
            .into_iter()
            .chain([("eyJ.a-b~c+d/e==", false), ("https://a.example/~b?", true), ("https://a.example/~b", false)])
        {
            assert_eq!(for_a_shell(word) == format!("'{word}'"), quoted, "{word}");
        }
        drop(crate::secret::Secret::new("pin-0123456789"));
        assert_eq!(
            typed("a", &[("--var", "pin=pin-0123456789"), ("--var", "b=c")]).login(),
            "oauthctl login a --var b=c"
        );
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
        let listens = self::typed("work", &[("--port", "8976"), ("--listen", "0.0.0.0"), ("--scope", "a")]);
        assert_eq!(listens.login_by("device-code"), "oauthctl login work --scope a --grant device-code");
    }
}
