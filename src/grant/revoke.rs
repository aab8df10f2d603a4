//! Takes tokens back at the provider (RFC 7009, and the shapes that providers made of it).

use crate::error::{Error, Kind};
use crate::grant::{Asking, send};
use crate::protocol::{api_error, token_request};
use crate::provider::{Kills, Revoke};
use crate::secret::Secret;
use crate::text::safe;
use crate::token::TokenSet;
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
    let mut params = vec![(facts.token_param.as_str(), token.clone())];
    if facts.token_param == "token" {
        params.push(("token_type_hint", Secret::unlisted(hint)));
    }
    let request = token_request::build("revocation", &facts.endpoint, asking.client, params, Some(token))?;
    let response = send(world, &request)?;
    if (200..300).contains(&response.status) {
        return Ok(());
    }
    let why = match api_error::read(&response.body) {
        Some(error) => safe(&[error.code, error.message].into_iter().flatten().collect::<Vec<_>>().join(": ")),
        None => format!("status {}", response.status),
    };
    let kind = if response.status == 429 || response.status >= 500 { Kind::TryLater } else { Kind::Other };
    Err(Error::new(kind, "the provider did not revoke the token").cause(format!("it answered {why}")))
}
