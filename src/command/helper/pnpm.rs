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

pnpm runs a program by its whole path, without arguments. To set it up, with the line
`//npm.example.com/:tokenHelper=/home/ann/.npm-token` in ~/.npmrc:
  oauthctl profile set work helper-hosts npm.example.com
  printf '#!/bin/sh\\nexec oauthctl helper pnpm npm.example.com' > ~/.npm-token
  chmod +x ~/.npm-token

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
