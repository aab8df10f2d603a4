//! The client's own token, without a person (RFC 6749, section 4.4): what CI jobs use.

use crate::error::{Asked, Error};
use crate::grant::unattended::Aim;
use crate::grant::{Asking, ask};
use crate::protocol::answer::Answer;
use crate::protocol::token_request;
use crate::world::World;

pub fn obtain(world: &mut World, asking: &Asking<'_>, aim: Aim<'_>) -> Result<Answer, Error> {
    let provider = asking.provider;
    let Some(endpoint) = &provider.client_credentials else {
        return Err(Error::usage(format!("provider `{}` gives no token for client credentials", provider.id))
            .hint(asking.profile.login_by("authorization-code")));
    };
    let scope = aim.scope(provider).map(|(_, scope)| scope);
    let mut params = token_request::client_credentials(&provider.scopes.param, scope.as_deref());
    params.extend(aim.targets());
    let request = asking.request("token", endpoint, params)?;
    ask(world, asking, Asked::ClientCredentials, endpoint, &request)
}
