//! The grants that need no person: client credentials (RFC 6749, section 4.4), assertions (RFC 7523
//! and RFC 7522, section 2.1) and the exchange of one token for another. Where one of them gave the
//! token, the program asks again when it has expired.

use crate::config::GrantKind;
use crate::error::{Asked, Error};
use crate::grant::{Aim, Asking, ask, token_endpoint, token_exchange};
use crate::protocol::answer::Answer;
use crate::protocol::token_exchange::Exchange;
use crate::protocol::{assertion, token_request};
use crate::secret::Secret;
use crate::world::World;

/// The input of a grant, read or made before.
#[derive(Clone, Debug)]
pub enum Given {
    /// The client's own credentials are enough.
    Credentials,
    /// An assertion of this kind.
    Assertion(GrantKind, Secret),
    Token(Exchange),
}

/// Asks for a token.
pub fn obtain(world: &mut World, asking: &Asking, given: &Given, aim: Aim<'_>) -> Result<Answer, Error> {
    match given {
        Given::Credentials => client_credentials(world, asking, aim),
        Given::Assertion(kind, assertion) => by_assertion(world, asking, (*kind, assertion), aim),
        Given::Token(exchange) => token_exchange::obtain(world, asking, exchange, aim),
    }
}

fn client_credentials(world: &mut World, asking: &Asking, aim: Aim<'_>) -> Result<Answer, Error> {
    let provider = &asking.provider;
    let Some(endpoint) = provider.client_credentials.offered() else {
        return Err(Error::usage(format!("provider `{}` gives no token for client credentials", provider.id))
            .hint(asking.profile.login_by("authorization-code")));
    };
    let scope = aim.scope(provider).map(|(_, scope)| scope);
    let mut params = token_request::client_credentials(&provider.scopes.param, scope.as_deref());
    params.extend(aim.targets());
    let request = asking.request("token", endpoint, params)?;
    ask(world, asking, (Asked::ClientCredentials, endpoint), &request)
}

fn by_assertion(
    world: &mut World,
    asking: &Asking,
    (kind, assertion): (GrantKind, &Secret),
    aim: Aim<'_>,
) -> Result<Answer, Error> {
    let endpoint = token_endpoint(&asking.provider);
    let mut params = assertion::request(kind.grant_type(), assertion, aim.scope(&asking.provider));
    params.extend(aim.targets());
    let request = asking.request("token", &endpoint, params)?;
    ask(world, asking, (Asked::Assertion, &endpoint), &request)
}
