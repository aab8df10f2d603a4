//! The page on which a person signs in and allows, and the way back to the app.
//!
//! What was asked for is kept here, under a one-time token in the form: the page carries nothing else, so that nobody can
//! press the button with other words in it. A decision counts once, within ten minutes.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::book::{CodeTerms, Grant};
use super::desk::{Desk, not_allowed};
use super::exchange::{Ask, Params, see_other, with_query};
use super::page;
use crate::world::serve::Response;

/// Seconds.
const LIFE: i64 = 600;
const MOST: usize = 100;
/// The account that is filled in.
pub const PRACTICE_ACCOUNT: &str = "alice@example.test";

/// What an app asked for, checked.
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

    fn back<'a>(&'a self, mut params: Vec<(&'a str, &'a str)>) -> Response {
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
    fn put(&self, token: &str, asked: Option<Asked>, now: i64) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.retain(|t| t.until > now);
        if out.len() == MOST {
            out.pop_front();
        }
        out.push_back(Ticket { token: token.to_owned(), asked, until: now + LIFE });
    }

    fn take(&self, token: &str, now: i64) -> Option<Option<Asked>> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = out.iter().position(|t| t.token == token && t.until > now)?;
        out.remove(at).map(|t| t.asked)
    }
}

/// The authorize address: GET shows the page for what `check` makes of the parameters, POST is the person's decision.
pub fn authorize(desk: &Desk, ask: &Ask<'_>, check: impl FnOnce() -> Result<Asked, Response>) -> io::Result<Response> {
    match ask.method {
        "GET" => Ok(match check() {
            Ok(asked) => {
                let ticket = desk.hex40();
                desk.tickets.put(&ticket, Some(asked.clone()), desk.now());
                page::consent(desk, ask.path, &ticket, &asked)
            }
            Err(refusal) => refusal,
        }),
        "POST" => decide(desk, ask),
        _ => Ok(not_allowed("GET, POST")),
    }
}

fn decide(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let now = desk.now();
    let ticket = ask.form.get("ticket").and_then(|t| desk.tickets.take(t, now));
    let Some(Some(asked)) = ticket else {
        return Ok(page::problem(400, "This form was used before, or is too old. Start the login again."));
    };
    if ask.form.get("decision") != Some("allow") {
        return Ok(asked.refuse("access_denied", None));
    }
    let code = desk.hex40();
    let terms = CodeTerms {
        grant: Grant {
            client: asked.client.clone(),
            account: account_of(&ask.form),
            scopes: asked.scopes.clone(),
            family: desk.hex40(),
        },
        redirect_uri: asked.compared_uri.clone(),
        challenge: asked.challenge.clone(),
        nonce: asked.nonce.clone(),
        expires_at: now + desk.options.code_life,
    };
    desk.book.put_code(&code, terms)?;
    Ok(asked.back(vec![("code", &code)]))
}

/// The account that a form names.
pub fn account_of(form: &Params) -> String {
    let account = form.get("account").unwrap_or(PRACTICE_ACCOUNT).trim();
    account.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// The scopes that are asked for.
pub fn scopes_of(params: &Params) -> Vec<String> {
    params.get("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// The one-time token of the front page's form.
pub fn disconnect_ticket(desk: &Desk) -> String {
    let ticket = desk.hex40();
    desk.tickets.put(&ticket, None, desk.now());
    ticket
}

/// What a person does in a provider's account settings: every login of every app is revoked.
pub fn disconnect(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    match ask.form.get("ticket").and_then(|t| desk.tickets.take(t, desk.now())) {
        Some(None) => {
            desk.book.revoke_all()?;
            Ok(page::notice("Disconnected", "All apps are disconnected. Their tokens are refused from now on."))
        }
        _ => Ok(page::problem(400, "This form was used before, or is too old. Go back and try again.")),
    }
}
