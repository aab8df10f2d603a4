//! The grants that need no person: whoever has what they exchange asks again whenever a token is wanted. Client credentials
//! are one of them, with a file of their own; here are the endpoint and the parameters that they share.

use crate::config::GrantKind;
use crate::error::Error;
use crate::grant::{Asking, Commit, client_credentials, jwt_bearer, saml2_bearer, token_exchange};
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

pub fn obtain(
    world: &mut World,
    asking: &Asking<'_>,
    given: &Given,
    aim: Aim<'_>,
    commit: Commit<'_>,
) -> Result<Answer, Error> {
    match given {
        Given::Credentials => client_credentials::obtain(world, asking, aim, commit),
        Given::Jwt(assertion) => jwt_bearer::obtain(world, asking, assertion, aim, commit),
        Given::Saml(assertion) => saml2_bearer::obtain(world, asking, assertion, aim, commit),
        Given::Token(exchange) => token_exchange::obtain(world, asking, exchange, aim, commit),
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

/// What a server does not offer is said before anything is sent. Only its own list counts: no list says nothing.
pub fn offered(provider: &Provider, grant: GrantKind, profile: &str) -> Result<(), Error> {
    let Some(list) = &provider.grant_types else { return Ok(()) };
    let known = list.iter().any(|g| g == grant.grant_type())
        || match grant {
            // an address of its own says it as well
            GrantKind::DeviceCode => provider.device.is_some(),
            GrantKind::Ciba => provider.ciba.is_some(),
            GrantKind::AuthorizationCode => provider.authorize.url.is_some(),
            _ => false,
        };
    if known {
        return Ok(());
    }
    let others: Vec<&str> = list.iter().filter_map(|g| GrantKind::from_name(g)).map(GrantKind::name).collect();
    let error = Error::usage(format!(
        "`{}` does not offer the grant `{}`; nothing was sent",
        crate::text::safe(&provider.name),
        grant.name()
    ));
    let error = match others.is_empty() {
        true => error.cause("its metadata names no grant that this program speaks"),
        false => error.cause(format!("it offers {}", others.join(", "))),
    };
    Err(error
        .hint(format!("oauthctl login {profile}"))
        .hint("if its metadata is wrong: `grant-types = […]` in a provider file of your own wins"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_does_not_offer_is_said_first_and_its_silence_says_nothing() {
        let mut provider = Provider::bare("x");
        assert!(offered(&provider, GrantKind::TokenExchange, "p").is_ok());
        provider.grant_types = Some(vec!["authorization_code".into(), "urn:openid:params:grant-type:ciba".into()]);
        assert!(offered(&provider, GrantKind::Ciba, "p").is_ok());
        let refused = offered(&provider, GrantKind::TokenExchange, "p").unwrap_err();
        assert_eq!(refused.causes, ["it offers authorization-code, ciba"]);
        assert!(offered(&provider, GrantKind::DeviceCode, "p").is_err());
    }
}
