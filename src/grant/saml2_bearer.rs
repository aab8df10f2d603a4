//! A SAML 2.0 assertion exchanged for a token (RFC 7522, section 2.1): from an identity provider that speaks nothing newer.

use crate::config::GrantKind;
use crate::error::{Asked, Error};
use crate::grant::unattended::{Aim, endpoint};
use crate::grant::{Asking, ask};
use crate::protocol::answer::Answer;
use crate::protocol::assertion;
use crate::secret::Secret;
use crate::world::World;

pub fn obtain(world: &mut World, asking: &Asking<'_>, saml: &Secret, aim: Aim<'_>) -> Result<Answer, Error> {
    let endpoint = endpoint(asking.provider);
    let mut params = assertion::request(GrantKind::Saml2Bearer.grant_type(), saml, aim.scope(asking.provider));
    params.extend(aim.targets());
    let request = asking.request("token", &endpoint, params)?;
    ask(world, asking, Asked::Assertion, &endpoint, &request)
}
