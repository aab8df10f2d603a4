//! The page on which a user signs in and allows access, and the redirect back to the app.

use std::io;

use super::client::Client;
use super::data::PRACTICE_ACCOUNT;
use super::logins::{CodeTerms, Grant};
use super::message::{Ask, Params};
use super::page::{self, not_allowed};
use super::server::Desk;
use super::tickets::Asked;
use crate::world::http_server::serve::Response;

/// Serves the authorization endpoint: GET shows the page for the request that `check` accepts, POST
/// takes the user's decision.
pub fn authorize(desk: &Desk, ask: &Ask<'_>, check: impl FnOnce() -> Result<Asked, Response>) -> io::Result<Response> {
    match ask.method {
        "GET" => Ok(match check() {
            Ok(asked) => {
                let ticket = desk.hex40();
                desk.tickets.put(&ticket, Some(asked.clone()), desk.now());
                page::consent(&desk.behaviour().sign_in(), ask.path, &ticket, &asked)
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

/// Returns the app that a request names, or the page that says that there is none.
pub fn app<'d>(desk: &'d Desk, query: &Params) -> Result<&'d Client, Response> {
    let client = query.get("client_id").and_then(|id| desk.client(id));
    client.ok_or_else(|| page::problem(400, "No app with this client_id is registered."))
}

/// Reads a request that names one of the app's redirect addresses.
pub fn asked<'d>(desk: &'d Desk, query: &Params) -> Result<(&'d Client, Asked), Response> {
    let client = app(desk, query)?;
    let redirect_uri = match query.get("redirect_uri") {
        Some(uri) if client.redirects.allow(uri) => uri.to_owned(),
        _ => return Err(page::problem(400, "The redirect_uri is not exactly one that this app has registered.")),
    };
    let compared_uri = Some(redirect_uri.clone());
    let state = query.get("state").map(str::to_owned);
    Ok((client, Asked { client: client.id.clone(), redirect_uri, compared_uri, state, ..Asked::default() }))
}

/// Returns the account that a form names.
pub fn account_of(form: &Params) -> String {
    let account = form.get("account").unwrap_or(PRACTICE_ACCOUNT).trim();
    account.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// Returns the requested scopes.
pub fn scopes_of(params: &Params) -> Vec<String> {
    params.get("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Makes the one-time token for the front page's form.
pub fn disconnect_ticket(desk: &Desk) -> String {
    let ticket = desk.hex40();
    desk.tickets.put(&ticket, None, desk.now());
    ticket
}

/// Revokes every login of every app, like a provider's account settings.
pub fn disconnect(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    match ask.form.get("ticket").and_then(|t| desk.tickets.take(t, desk.now())) {
        Some(None) => {
            desk.book.revoke_all()?;
            Ok(page::notice("Disconnected", "All apps are disconnected. Their tokens are refused from now on."))
        }
        _ => Ok(page::problem(400, "This form was used before, or is too old. Go back and try again.")),
    }
}
