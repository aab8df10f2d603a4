//! The user's name and password, given to this program (RFC 6749, section 4.3): for servers that
//! offer nothing else. The user chooses this grant by name, and is warned; the password is sent
//! once and stored nowhere.

use crate::config::GrantKind;
use crate::error::{Asked, Error};
use crate::grant::{self, Aim, Asking};
use crate::protocol::token_response::Answer;
use crate::secret::Secret;
use crate::text::safe;
use crate::world::World;

/// Warns of the risk, and names the other grants.
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
    let params = vec![
        ("grant_type", Secret::unlisted(GrantKind::Password.grant_type())),
        ("username", Secret::unlisted(username)),
        ("password", password.clone()),
    ];
    grant::obtain(world, asking, (Asked::Password, &asking.provider.token), (params, aim))
}
