//! The apps registered with a practice server. Their ids and secrets are public and protect
//! nothing.

use crate::address::{Reach, reach};

/// An app as a provider's console would list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: String,
    /// `None`: a public client, which authenticates by PKCE only.
    pub secret: Option<String>,
    pub redirects: Redirects,
    /// Whether the app may use `client_credentials`.
    pub own_tokens: bool,
}

/// The redirect addresses that an app may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// `http` on `127.0.0.1`, `[::1]` or `localhost`, with any port and path (RFC 8252, section
    /// 7.3), and these addresses.
    Loopback(Vec<String>),
    /// One of these addresses, compared byte by byte. The first is the default.
    Exact(Vec<String>),
}

/// A redirect address that the examples of several providers register.
pub const USUAL_REDIRECT: &str = "http://127.0.0.1:8976/callback";

impl Client {
    /// Makes a practice app with a secret.
    pub fn confidential(id: &str, own_tokens: bool, redirects: &[&str]) -> Client {
        Client {
            id: id.to_owned(),
            secret: Some("practice-secret".to_owned()),
            redirects: Redirects::Exact(redirects.iter().map(|&r| r.to_owned()).collect()),
            own_tokens,
        }
    }

    /// Describes the app for a user who configures it.
    pub fn in_words(&self) -> String {
        let secret = self.secret.as_deref().map_or("no client secret".to_owned(), |s| format!("client secret {s}"));
        format!("client id {}, {secret}", self.id)
    }
}

impl Redirects {
    /// Registers more redirect addresses.
    pub fn also(&mut self, uris: &[String]) {
        let (Redirects::Exact(registered) | Redirects::Loopback(registered)) = self;
        registered.splice(0..0, uris.iter().cloned());
    }

    /// Describes the redirect addresses for a user.
    pub fn in_words(&self) -> String {
        match self {
            Redirects::Loopback(more) => {
                [&["redirect to any port of 127.0.0.1".to_owned()], &more[..]].concat().join(" or ")
            }
            Redirects::Exact(registered) if registered.is_empty() => "no login in the browser".to_owned(),
            Redirects::Exact(registered) => format!("redirect to {}", registered.join(" or ")),
        }
    }

    /// Tells whether a response may go to this redirect address.
    pub fn allow(&self, uri: &str) -> bool {
        match self {
            Redirects::Exact(registered) | Redirects::Loopback(registered) if registered.iter().any(|r| r == uri) => {
                true
            }
            Redirects::Exact(_) => false,
            // the URL parser drops line breaks, which must not get into a header
            Redirects::Loopback(_) if !uri.bytes().all(|b| b.is_ascii_graphic()) => false,
            Redirects::Loopback(_) => url::Url::parse(uri).is_ok_and(|url| {
                reach(&url) == Reach::Usual
                    && matches!(url.scheme(), "http" | "https")
                    && url.fragment().is_none()
                    && url.username().is_empty()
                    && url.password().is_none()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_means_this_machine_and_nothing_that_looks_like_it() {
        for (uri, allowed) in [
            ("http://127.0.0.1:5000/cb", true),
            ("http://[::1]:5000/", true),
            ("http://localhost:1/x?y=z", true),
            ("https://localhost:8443/", true),
            ("http://127.0.0.1.example.com/", false),
            ("http://localhost.example.com/", false),
            ("http://user@127.0.0.1/", false),
            ("http://127.0.0.1/#f", false),
            ("http://127.0.0.2/", false),
            ("http://127.0.0.1/\r\nSet-Cookie: a=b", false),
            ("custom:/cb", false),
            ("not a url", false),
        ] {
            assert_eq!(Redirects::Loopback(Vec::new()).allow(uri), allowed, "{uri}");
        }
    }
}
