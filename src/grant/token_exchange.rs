//! One token for another (RFC 8693): narrower, for another service, or in another's name.

use crate::config::GrantKind;
use crate::error::{Asked, Error};
use crate::grant::{self, Aim, Asking};
use crate::protocol::token_exchange::{self, Exchange, serves, short};
use crate::protocol::token_response::Answer;
use crate::text::safe;
use crate::world::World;

/// Exchanges the token. Warns of another type than the one asked for.
pub fn obtain(world: &mut World, asking: &Asking, exchange: &Exchange, aim: Aim<'_>) -> Result<Answer, Error> {
    let params = token_exchange::request(GrantKind::TokenExchange.grant_type(), exchange);
    let answer = grant::obtain(world, asking, (Asked::Exchange, &asking.provider.token), (params, aim))?;
    match answer.set.extra.get("issued_token_type").and_then(serde_json::Value::as_str) {
        Some(issued) => {
            let issued = issued.to_owned();
            world.step(|| format!("issued: a token of the type `{}`", safe(short(&issued))));
            if let Some(requested) = exchange.requested.as_deref().filter(|requested| !serves(&issued, requested)) {
                world.warn(&format!(
                    "a token of the type `{}` was asked for, and the provider has issued one of the type `{}`",
                    safe(short(requested)),
                    safe(short(&issued))
                ));
            }
        }
        // section 2.2.1: required, and left out by several servers
        None => world.warn("the response does not name the type of the issued token (`issued_token_type`)"),
    }
    Ok(answer)
}
