//! Takes tokens back at the provider (RFC 7009, and the shapes that providers made of it).

use url::form_urlencoded::byte_serialize;

use crate::error::{Error, Kind};
use crate::grant::{Asking, redirected, send};
use crate::protocol::token_request::{Client, RequestError};
use crate::protocol::{api_error, token_request};
use crate::provider::{Kills, Revoke};
use crate::secret::Secret;
use crate::text::safe;
use crate::token::TokenSet;
use crate::wire::Request;
use crate::world::World;

/// Revokes what the provider lets revoke; says in words what is dead now.
pub fn revoke(world: &mut World, asking: &Asking<'_>, facts: &Revoke, set: &TokenSet) -> Result<&'static str, Error> {
    let mut sent = false;
    for which in &facts.tokens {
        let (token, hint) = match which.as_str() {
            "access_token" => (Some(&set.access_token), "access_token"),
            _ => (set.refresh_token.as_ref(), "refresh_token"),
        };
        if let Some(token) = token {
            one(world, asking, facts, token, hint)?;
            sent = true;
        }
    }
    if !sent {
        one(world, asking, facts, &set.access_token, "access_token")?;
    }
    Ok(match facts.kills {
        Kills::All => "the provider has revoked the tokens",
        Kills::Refresh => "the provider has revoked the refresh token; the access token stays valid until it expires",
        Kills::Access => "the provider has revoked the access token",
    })
}

fn one(world: &mut World, asking: &Asking<'_>, facts: &Revoke, token: &Secret, hint: &str) -> Result<(), Error> {
    let request = request(facts, asking.client, token, hint)?;
    let response = send(world, &request)?;
    if (200..300).contains(&response.status) {
        return Ok(());
    }
    let failed = "the provider did not revoke the token";
    if let Some(error) = redirected(&response, failed) {
        return Err(error);
    }
    let why = match api_error::read(&response.body) {
        Some(error) => safe(&[error.code, error.message].into_iter().flatten().collect::<Vec<_>>().join(": ")),
        None => format!("status {}", response.status),
    };
    let kind = if response.status == 429 || response.status >= 500 { Kind::TryLater } else { Kind::Other };
    Err(Error::new(kind, failed).cause(format!("it answered {why}")))
}

/// The request in the provider's shape. `hint` names the kind of token (RFC 7009, section 2.1).
fn request(facts: &Revoke, client: &Client, token: &Secret, hint: &str) -> Result<Request, RequestError> {
    let mut endpoint = facts.endpoint.clone();
    let mut params = Vec::new();
    if facts.token_in_path {
        endpoint.url = endpoint.url.map(|url| {
            // listed in this form too: an address is shown with `-v`, up to its query
            let segment = Secret::new(byte_serialize(token.expose().as_bytes()).collect::<String>());
            format!("{}/{}", url.trim_end_matches('/'), segment.expose())
        });
    } else {
        params.push((facts.token_param.as_str(), token.clone()));
        if facts.token_param == "token" {
            params.push(("token_type_hint", Secret::unlisted(hint)));
        }
    }
    if facts.send_client_id {
        params.push(("client_id", Secret::unlisted(client.id.as_str())));
    }
    let mut request = token_request::build("revocation", &endpoint, client, params, Some(token))?;
    if let Some(theirs) = &facts.auth_header {
        for (name, _) in request.headers.iter_mut().filter(|(name, _)| name == "authorization") {
            *name = theirs.to_lowercase();
        }
    }
    // a form with nothing in it is none
    if request.body.as_ref().is_some_and(Secret::is_empty) {
        request.body = None;
        request.headers.retain(|(name, _)| name != "content-type");
    }
    Ok(request)
}
