//! The device authorization grant (RFC 8628), for all manners that support it. The user enters a
//! code on this server's page while the client polls for the decision, no faster than its interval
//! allows.

use std::time::Duration;

use serde_json::json;

use super::client::Client;
use super::consent::{account_of, scopes_of};
use super::device_codes::{Decision, Device};
use super::logins::Grant;
use super::message::{Ask, json, oauth_error};
use super::page::{self, not_allowed};
use super::server::Desk;
use crate::world::http_server::serve::Response;

/// The grant type of RFC 8628, section 3.4.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

const MOST: usize = 100;
/// Letters that form no words and aren't mistaken for each other (section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Added to the interval each time the client polls too soon (section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Issues a device code (section 3.2) whose user code is entered at `page`. `known`: the scopes
/// that exist.
pub fn start(desk: &Desk, ask: &Ask<'_>, page: &str, known: &[&str]) -> Response {
    let Some(client) = ask.form.get("client_id").and_then(|id| desk.client(id)) else {
        return oauth_error(401, "invalid_client", "the client is unknown");
    };
    let scopes = scopes_of(&ask.form);
    if scopes.iter().any(|scope| !known.contains(&scope.as_str())) {
        return oauth_error(400, "invalid_scope", "there is no such scope");
    }
    let interval = desk.options.device_interval;
    let life = desk.options.code_life;
    let mut user_code: String =
        desk.bytes().iter().take(8).map(|b| char::from(LETTERS[usize::from(*b) % 20])).collect();
    user_code.insert(4, '-');
    let device = Device {
        code: desk.hex40(),
        user_code: user_code.clone(),
        client: client.id.clone(),
        scopes,
        until: desk.now() + life,
        interval: Duration::from_secs(interval),
        asked: None,
        decision: Decision::Pending,
    };
    let uri = format!("{}{page}", desk.base);
    let answer = json!({
        "device_code": device.code,
        "user_code": user_code,
        "verification_uri": uri,
        "verification_uri_complete": format!("{uri}?user_code={user_code}"),
        "expires_in": life,
        "interval": interval,
    });
    let mut out = desk.devices.out(desk.now());
    if out.len() == MOST {
        out.pop_front();
    }
    out.push_back(device);
    json(200, &answer)
}

/// Returns the grant, or the error code while there is none (section 3.5).
pub fn poll(desk: &Desk, client: &Client, code: &str) -> Result<Grant, &'static str> {
    let now = desk.now();
    let at = desk.elapsed();
    let mut out = desk.devices.out(now);
    let Some(place) = out.iter().position(|d| d.code == code && d.client == client.id) else {
        return Err("invalid_grant");
    };
    let found = &mut out[place];
    if found.until <= now {
        return Err("expired_token");
    }
    if found.asked.replace(at).is_some_and(|before| at.saturating_sub(before) < found.interval) {
        found.interval += SLOWER;
        return Err("slow_down");
    }
    if matches!(found.decision, Decision::Pending) {
        return Err("authorization_pending");
    }
    // the decision spends the code
    let Some(Device { decision: Decision::Allowed(account), scopes, .. }) = out.remove(place) else {
        return Err("access_denied");
    };
    Ok(Grant { client: client.id.clone(), account, scopes, family: desk.hex40() })
}

/// Returns the response for such an error code, with its description.
pub fn refused(error: &str) -> Response {
    let description = match error {
        "authorization_pending" => "the user has not decided yet",
        "slow_down" => "polled sooner than the interval allows: wait five seconds longer from now on",
        "access_denied" => "the user denied the request",
        "expired_token" => "the code has expired",
        _ => "the device code is unknown, or was used before",
    };
    oauth_error(400, error, description)
}

/// The page: asks for the code, shows the client and its scopes, and takes the decision. A POST
/// with code and decision is enough, so that a user without a browser can decide with curl.
pub fn at_page(desk: &Desk, ask: &Ask<'_>) -> Response {
    let now = desk.now();
    let wrong = || {
        page::code_form(ask.path, Some("No sign-in waits for this code. Codes are good once, and for a few minutes."))
    };
    match ask.method {
        "GET" => match ask.query.get("user_code") {
            None => page::code_form(ask.path, None),
            Some(typed) => match desk.devices.waiting(typed, now) {
                Some(waiting) => page::device(&desk.behaviour().sign_in(), ask.path, &waiting),
                None => wrong(),
            },
        },
        "POST" => {
            let allows = ask.form.get("decision") == Some("allow");
            let decision = if allows { Decision::Allowed(account_of(&ask.form)) } else { Decision::Denied };
            match desk.devices.decide(ask.form.get("user_code").unwrap_or_default(), decision, now) {
                false => wrong(),
                true if allows => page::decided("You’re signed in", "Your device now has access."),
                true => page::decided("Refused", "Your device gets no access."),
            }
        }
        _ => not_allowed("GET, POST"),
    }
}
