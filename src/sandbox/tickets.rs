//! Authorization requests that wait for a decision on a page, each under a one-time token in the form. The page carries
//! nothing else, so that nobody can press the button with other parameters in it. A token is good once, for ten minutes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::exchange::{see_other, with_query};
use crate::world::serve::Response;

/// Seconds.
const LIFE: i64 = 600;
const MOST: usize = 100;

/// A checked authorization request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub client: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// The same, where it must be shown again with the code.
    pub compared_uri: Option<String>,
    /// Given back; `None` where it wasn't sent, or where the provider never gives it back.
    pub state: Option<String>,
    pub scopes: Vec<String>,
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    /// Named in the answer (RFC 9207).
    pub iss: Option<String>,
}

impl Asked {
    /// The way back with an error.
    pub fn refuse(&self, error: &str, description: Option<&str>) -> Response {
        let mut params = vec![("error", error)];
        params.extend(description.map(|d| ("error_description", d)));
        self.back(params)
    }

    /// The redirect back to the app, with the state that it sent.
    pub fn back<'a>(&'a self, mut params: Vec<(&'a str, &'a str)>) -> Response {
        params.extend(self.state.as_deref().map(|s| ("state", s)));
        params.extend(self.iss.as_deref().map(|i| ("iss", i)));
        see_other(&with_query(&self.redirect_uri, &params))
    }
}

/// Forms that are out, by their one-time tokens.
#[derive(Default)]
pub struct Tickets(Mutex<VecDeque<Ticket>>);

struct Ticket {
    token: String,
    /// `None`: the front page's "disconnect".
    asked: Option<Asked>,
    until: i64,
}

impl Tickets {
    /// Keeps a request under a one-time token; the oldest of a hundred goes.
    pub fn put(&self, token: &str, asked: Option<Asked>, now: i64) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.retain(|t| t.until > now);
        if out.len() == MOST {
            out.pop_front();
        }
        out.push_back(Ticket { token: token.to_owned(), asked, until: now + LIFE });
    }

    /// Takes out the request; `None`: there is none, or it is too old.
    pub fn take(&self, token: &str, now: i64) -> Option<Option<Asked>> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = out.iter().position(|t| t.token == token && t.until > now)?;
        out.remove(at).map(|t| t.asked)
    }
}
