//! systemd's `LoadCredential=` with a socket: the service manager connects when a unit starts, from
//! an address that names the unit and the credential, and reads to the end.

use clap::Args;

use super::chosen::of_profile;
use crate::command::{Global, pair, print};
use crate::error::{Error, Kind};
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "systemd listens, and starts this for each unit that asks. The unit gets the token that is fresh then,
of the profile that stands beside its credential; other users than yours and root get nothing.
Without a token the credential is empty, and the journal says why.

To set it up for `systemctl --user`, with oauthctl.socket (`Accept=yes`) and oauthctl@.service
(`StandardInput=socket`), where a unit has `LoadCredential=work:%t/oauthctl`:
  oauthctl helper install systemd --profile work
  systemctl --user enable --now oauthctl.socket

Examples:
  oauthctl helper systemd token=work mail=gmail"
)]
pub struct SystemdArgs {
    /// Give the login's ID token in the access token's place.
    #[arg(long)]
    id_token: bool,
    /// A credential's name in the units, and its profile.
    #[arg(value_name = "CREDENTIAL=PROFILE", value_parser = pair, required = true)]
    rules: Vec<(String, String)>,
}

pub fn run(args: &SystemdArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let Some(peer) = world.terminal.stdin_peer() else {
        return Err(Error::usage("standard input is no connection of systemd's for a credential")
            .hint("set `StandardInput=socket` and `Accept=yes`: `oauthctl helper systemd --help` has the units"));
    };
    // a random number comes first
    let Some((unit, credential)) = peer.name.split_once("/unit/").and_then(|(_, rest)| rest.split_once('/')) else {
        return Err(Error::usage(format!("`{}` names no unit and no credential", safe(&peer.name))));
    };
    let asked = format!("the credential `{}` of `{}`", safe(credential), safe(unit));
    if !peer.is_own_or_root {
        return Err(Error::new(Kind::Unsafe, format!("another user asks for {asked}: no token is given")));
    }
    let Some((_, profile)) = args.rules.iter().find(|(name, _)| name == credential) else {
        return Err(Error::usage(format!("no profile is for {asked}: no token is given")));
    };
    let set = of_profile(world, global, profile, args.id_token)?;
    print(world, set.access_token.expose().as_bytes()).map(|()| 0)
}
