//! Name and password of a person, given to this program (RFC 6749, section 4.3): for servers that
//! offer nothing else. Only by name, never without a warning; the password is sent once and kept
//! nowhere.

use crate::config::GrantKind;
use crate::error::{Asked, Error};
use crate::grant::{Aim, Asking, ask, token_endpoint};
use crate::protocol::answer::Answer;
use crate::protocol::token_request;
use crate::secret::Secret;
use crate::text::safe;
use crate::world::World;

/// Why not, and what else.
pub fn warn(world: &mut World, asking: &Asking) {
    let mut others = vec!["`--grant authorization-code`"];
    if asking.provider.device.is_some() {
        others.push("`--grant device-code`");
    }
    world.warn(&format!(
        "with `--grant {}` your password for {} passes through this program, and no second factor protects the sign-in (RFC 9700, \
         section 2.4, rules it out); better, where it is offered: {}",
        GrantKind::Password.name(),
        safe(&asking.provider.name),
        others.join(" or ")
    ));
}

/// Exchanges user name and password (RFC 6749, section 4.3).
pub fn obtain(
    world: &mut World,
    asking: &Asking,
    (username, password): (&str, &Secret),
    aim: Aim<'_>,
) -> Result<Answer, Error> {
    let endpoint = token_endpoint(&asking.provider);
    let mut params = token_request::password(username, password, aim.scope(&asking.provider));
    params.extend(aim.targets());
    let request = asking.request("token", &endpoint, params)?;
    ask(world, asking, (Asked::Password, &endpoint), &request)
}
