//! pnpm's `tokenHelper`: a program that prints the header's value. pnpm says nothing about the
//! registry, so the command line does.

use clap::Args;
use zeroize::Zeroizing;

use super::chosen::Chosen;
use crate::command::{Global, print};
use crate::error::Error;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`.

To set it up (pnpm runs a script by its whole path, `tokenHelper` in ~/.npmrc):
  oauthctl profile set work helper-hosts npm.example.com
  oauthctl helper install pnpm --profile work

Examples:
  oauthctl helper pnpm --profile work npm.example.com")]
pub struct PnpmArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// The registry whose requests get the token.
    #[arg(value_name = "HOST")]
    host: String,
}

pub fn run(args: &PnpmArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let Some((_, header)) = args.chosen.header_at(world, global, &args.host)? else { return Ok(1) };
    let text = Zeroizing::new(format!("{}\n", *header.value));
    print(world, text.as_bytes()).map(|()| 0)
}
