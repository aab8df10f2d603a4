//! Authorization requests that wait for a decision on a page. The page's form carries only a
//! one-time token, so nobody can press the button with other parameters. A token is valid once, for
//! ten minutes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::message::{see_other, with_query};
use crate::world::http_server::serve::Response;

/// The lifetime of a form's token, in seconds.
const LIFE: i64 = 600;
const MOST: usize = 100;

/// A checked authorization request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub client: String,
    /// The destination of the authorization response.
    pub redirect_uri: String,
    /// The redirect address that the token request must repeat, if it must.
    pub compared_uri: Option<String>,
    /// Returned to the app. `None`: it wasn't sent, or the provider never returns it.
    pub state: Option<String>,
    pub scopes: Vec<String>,
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    /// The issuer to name in the response (RFC 9207).
    pub iss: Option<String>,
}

impl Asked {
    /// Makes the redirect that returns an error.
    pub fn refuse(&self, error: &str, description: Option<&str>) -> Response {
        let mut params = vec![("error", error)];
        params.extend(description.map(|d| ("error_description", d)));
        self.back(params)
    }

    /// Makes the redirect back to the app, with its state.
    pub fn back<'a>(&'a self, mut params: Vec<(&'a str, &'a str)>) -> Response {
        params.extend(self.state.as_deref().map(|s| ("state", s)));
        params.extend(self.iss.as_deref().map(|i| ("iss", i)));
        see_other(&with_query(&self.redirect_uri, &params))
    }
}

/// Open forms by their one-time tokens.
#[derive(Default)]
pub struct Tickets(Mutex<VecDeque<Ticket>>);

struct Ticket {
    token: String,
    /// `None`: the front page's "disconnect".
    asked: Option<Asked>,
    until: i64,
}

impl Tickets {
    /// Stores a request under a one-time token. Above a hundred, the oldest is dropped.
    pub fn put(&self, token: &str, asked: Option<Asked>, now: i64) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.retain(|t| t.until > now);
        if out.len() == MOST {
            out.pop_front();
        }
        out.push_back(Ticket { token: token.to_owned(), asked, until: now + LIFE });
    }

    /// Takes out the request. `None`: the token is unknown or expired.
    pub fn take(&self, token: &str, now: i64) -> Option<Option<Asked>> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = out.iter().position(|t| t.token == token && t.until > now)?;
        out.remove(at).map(|t| t.asked)
    }
}
