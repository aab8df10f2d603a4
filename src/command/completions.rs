//! Completions and the manual page, for packagers; the files in `completions/` are these. Static: nothing of them runs the
//! store (H-18).

use clap::Args;
use clap_complete::Shell;

use crate::command::{definition, manual, print};
use crate::error::{Error, Kind};
use crate::world::World;

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    #[arg(value_enum)]
    pub shell: Shell,
}

pub fn run(args: CompletionsArgs, world: &mut World) -> Result<u8, Error> {
    print(world, &script(args.shell))?;
    Ok(0)
}

/// The completion script of a shell.
pub fn script(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut definition(), "oauthctl", &mut text);
    text
}

pub fn man(world: &mut World) -> Result<u8, Error> {
    let text = manual::page().map_err(|e| Error::new(Kind::Other, "the manual page could not be made").cause(e))?;
    print(world, &text)?;
    Ok(0)
}
