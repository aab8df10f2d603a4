//! Cookies that an API sets beside a redirect: some give the way on only to a client that brings
//! them back. Each goes to the origin that set it, and all are forgotten with the request.

use url::{Origin, Url};

use crate::secret::Secret;
use crate::wire::Request;

/// More than these are the server's mistake.
const MOST: usize = 50;

/// The cookies of one request's redirects.
#[derive(Default)]
pub struct Cookies(Vec<(Origin, String, String)>);

impl Cookies {
    /// Keeps the cookies of a response. One that has ended is forgotten (RFC 6265, section 5.2).
    pub fn keep(&mut self, from: &Url, headers: &[(String, String)]) {
        let lines = headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, line)| line);
        for line in lines {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            self.0.retain(|(origin, known, _)| *origin != from.origin() || known != name);
            let ended = parts.any(|part| {
                let age = part.to_ascii_lowercase();
                age.strip_prefix("max-age=").is_some_and(|age| age.parse::<i64>().is_ok_and(|age| age <= 0))
            });
            if !ended && self.0.len() < MOST {
                self.0.push((from.origin(), name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Adds the cookies of the address's origin to those that the user typed.
    pub fn put(&self, to: &Url, request: &mut Request) {
        let own = self.0.iter().filter(|(origin, ..)| *origin == to.origin());
        let mut pairs: Vec<String> = own.map(|(_, name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() {
            return;
        }
        request.headers.retain(|(name, value)| {
            let typed = name == "cookie";
            if typed {
                pairs.insert(0, value.expose().to_owned());
            }
            !typed
        });
        request.headers.push(("cookie".to_owned(), Secret::unlisted(pairs.join("; "))));
    }
}
