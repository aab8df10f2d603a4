//! The grants that need no user: client credentials (RFC 6749, section 4.4), assertions (RFC 7523
//! and RFC 7522, section 2.1) and the exchange of one token for another. When such a token has
//! expired, the program requests another one.

use crate::config::GrantKind;
use crate::error::{Asked, Error};
use crate::grant::{self, Aim, Asking, token_exchange};
use crate::protocol::token_exchange::Exchange;
use crate::protocol::token_response::Answer;
use crate::secret::Secret;
use crate::world::World;

/// The input of a grant, read or made before.
#[derive(Clone, Debug)]
pub enum GrantInput {
    /// The client's own credentials are enough.
    Credentials,
    /// An assertion of this kind.
    Assertion(GrantKind, Secret),
    Token(Exchange),
}

/// Requests a token.
pub fn obtain(world: &mut World, asking: &Asking, given: &GrantInput, aim: Aim<'_>) -> Result<Answer, Error> {
    match given {
        GrantInput::Credentials => client_credentials(world, asking, aim),
        // RFC 7523, section 2.1; RFC 7522, section 2.1
        GrantInput::Assertion(kind, assertion) => {
            let params = vec![("grant_type", Secret::unlisted(kind.grant_type())), ("assertion", assertion.clone())];
            grant::obtain(world, asking, (Asked::Assertion, &asking.provider.token), (params, aim))
        }
        GrantInput::Token(exchange) => token_exchange::obtain(world, asking, exchange, aim),
    }
}

/// Requests a token for the client itself (RFC 6749, section 4.4.2).
fn client_credentials(world: &mut World, asking: &Asking, aim: Aim<'_>) -> Result<Answer, Error> {
    let Some(endpoint) = asking.provider.client_credentials.offered() else {
        let refused = format!("provider `{}` gives no token for client credentials", asking.provider.id);
        return Err(Error::usage(refused).hint(asking.profile.login_by("authorization-code")));
    };
    let params = vec![("grant_type", Secret::unlisted(GrantKind::ClientCredentials.grant_type()))];
    grant::obtain(world, asking, (Asked::ClientCredentials, endpoint), (params, aim))
}
