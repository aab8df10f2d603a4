//! The words of `call`: profile, method, path and items, told apart by what they look like.

use crate::error::Error;
use crate::session::profile_of_issuer;
use crate::text::{for_a_shell, safe};
use crate::world::World;

/// The words of the command line by what they are.
pub struct Typed {
    pub profile: Option<String>,
    pub method: Option<String>,
    pub target: String,
    pub items: Vec<String>,
}

/// Those that are known in lower case too.
pub(in crate::command) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn is_target(word: &str) -> bool {
    word.starts_with('/') || word.contains("://")
}

pub fn take_apart(words: &[String]) -> Result<Typed, Error> {
    let is_method = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_uppercase());
    let mut rest = words.iter().map(String::as_str).peekable();
    let profile = rest.next_if(|w| !is_target(w) && !is_method(w)).map(str::to_owned);
    let mut method = rest.next_if(|w| is_method(w)).map(str::to_owned);
    // in lower case it may be a path too: what comes next tells
    let is_word = |w: &str| METHODS.iter().any(|known| known.eq_ignore_ascii_case(w));
    let ahead = rest.clone().nth(1);
    if method.is_none() && ahead.is_some_and(|w| is_target(w) || !w.contains([':', '=', '@', ';'])) {
        method = rest.next_if(|w| is_word(w)).map(str::to_ascii_uppercase);
    }
    let Some(target) = rest.next() else {
        return Err(Error::usage("`call` needs a path").hint("oauthctl call PROFILE [METHOD] /PATH"));
    };
    Ok(Typed { profile, method, target: target.to_owned(), items: rest.map(str::to_owned).collect() })
}

impl Typed {
    /// An issuer in the place of a profile's name is a mistake.
    pub fn no_issuer(&self, world: &World) -> Result<(), Error> {
        let path = self.items.first().filter(|word| is_target(word) || METHODS.contains(&word.as_str()));
        let Some(path) = path.filter(|_| self.profile.is_none() && self.target.contains("://")) else { return Ok(()) };
        let name = profile_of_issuer(world, &self.target)?;
        let rest: Vec<String> = self.items.iter().map(|word| for_a_shell(&safe(word))).collect();
        Err(Error::usage(format!("`{}` stands after an address, which is no profile", safe(path)))
            .hint(format!("a profile made by its issuer goes by name: `oauthctl call {name} {}`", rest.join(" "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_by_what_they_look_like() {
        let apart = |words: &[&str]| {
            let t = take_apart(&words.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).unwrap();
            (t.profile, t.method, t.target, t.items)
        };
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(apart(&["/me"]), (None, None, "/me".into(), vec![]));
        assert_eq!(apart(&["gr", "/me"]), (some("gr"), None, "/me".into(), vec![]));
        assert_eq!(apart(&["POST", "/x", "a=b"]), (None, some("POST"), "/x".into(), vec!["a=b".into()]));
        assert_eq!(
            apart(&["gr", "GET", "https://api.example/x"]),
            (some("gr"), some("GET"), "https://api.example/x".into(), vec![])
        );
        assert_eq!(apart(&["gr", "get", "/x"]), (some("gr"), some("GET"), "/x".into(), vec![]));
        assert_eq!(
            apart(&["gr", "Delete", "x", "q==1"]),
            (some("gr"), some("DELETE"), "x".into(), vec!["q==1".into()])
        );
        assert_eq!(apart(&["gr", "options", "q==1"]), (some("gr"), None, "options".into(), vec!["q==1".into()]));
        assert_eq!(apart(&["gr", "options"]), (some("gr"), None, "options".into(), vec![]));
        assert_eq!(apart(&["gr", "campaigns", "q==1"]), (some("gr"), None, "campaigns".into(), vec!["q==1".into()]));
        assert!(take_apart(&["gr".to_owned()]).is_err());
    }
}
