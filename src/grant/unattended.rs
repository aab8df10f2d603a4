//! The grants that need no person: whoever has what they exchange asks again whenever a token is wanted. Client credentials
//! are one of them, with a file of their own; here are the endpoint and the parameters that they share.

use crate::error::Error;
use crate::grant::{Asking, client_credentials, jwt_bearer, saml2_bearer, token_exchange};
use crate::protocol::answer::Answer;
use crate::protocol::token_exchange::Exchange;
use crate::protocol::token_request::{Param, targets};
use crate::provider::{Endpoint, Provider};
use crate::secret::Secret;
use crate::world::World;

/// What is exchanged, read and made before.
#[derive(Clone, Debug)]
pub enum Given {
    Credentials,
    Jwt(Secret),
    Saml(Secret),
    Token(Exchange),
}

/// Where the token is to be good.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aim<'a> {
    pub scopes: &'a [String],
    pub resources: &'a [String],
    pub audiences: &'a [String],
}

pub fn obtain(world: &mut World, asking: &Asking<'_>, given: &Given, aim: Aim<'_>) -> Result<Answer, Error> {
    match given {
        Given::Credentials => client_credentials::obtain(world, asking, aim),
        Given::Jwt(assertion) => jwt_bearer::obtain(world, asking, assertion, aim),
        Given::Saml(assertion) => saml2_bearer::obtain(world, asking, assertion, aim),
        Given::Token(exchange) => token_exchange::obtain(world, asking, exchange, aim),
    }
}

impl Aim<'_> {
    /// The scope parameter and its value, if any is asked for.
    pub(super) fn scope<'a>(&self, provider: &'a Provider) -> Option<(&'a str, String)> {
        let facts = &provider.scopes;
        (!self.scopes.is_empty()).then(|| (facts.param.as_str(), self.scopes.join(&facts.separator)))
    }

    pub(super) fn targets<'a>(&self) -> Vec<Param<'a>> {
        targets(self.resources, self.audiences)
    }
}

/// The token endpoint, as a grant without a redirect uses it.
pub(super) fn endpoint(provider: &Provider) -> Endpoint {
    Endpoint { send_redirect_uri: false, ..provider.token.clone() }
}
