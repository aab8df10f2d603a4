//! A signed statement exchanged for a token (RFC 7523, section 2.1): service accounts, and jobs whose platform signs for them.

use crate::config::GrantKind;
use crate::error::{Asked, Error};
use crate::grant::unattended::{Aim, endpoint};
use crate::grant::{Asking, ask};
use crate::protocol::answer::Answer;
use crate::protocol::assertion;
use crate::secret::Secret;
use crate::world::World;

pub fn obtain(world: &mut World, asking: &Asking<'_>, jwt: &Secret, aim: Aim<'_>) -> Result<Answer, Error> {
    let endpoint = endpoint(asking.provider);
    let mut params = assertion::request(GrantKind::JwtBearer.grant_type(), jwt, aim.scope(asking.provider));
    params.extend(aim.targets());
    let request = asking.request("token", &endpoint, params)?;
    ask(world, asking, Asked::Assertion, &endpoint, &request)
}
