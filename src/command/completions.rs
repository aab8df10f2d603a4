//! `completions` and `man`. The scripts ask the program (`complete`), so they stay up to date.

use clap::{Args, ValueEnum};

use crate::command::{manual, print};
use crate::error::Error;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = PLACES)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The place of the script for each shell.
const PLACES: &str = "Where they belong (a new shell loads them):
  bash
    oauthctl completions bash > ~/.local/share/bash-completion/completions/oauthctl
  zsh, with `fpath=(~/.zfunc $fpath)` in ~/.zshrc before `compinit`
    oauthctl completions zsh > ~/.zfunc/_oauthctl
  fish
    oauthctl completions fish > ~/.config/fish/completions/oauthctl.fish
  powershell, in the file that $PROFILE names
    oauthctl completions powershell | Out-String | Invoke-Expression
  elvish, in ~/.config/elvish/rc.elv
    eval (oauthctl completions elvish | slurp)

Examples:
  source <(oauthctl completions bash)";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

pub fn run(args: CompletionsArgs, world: &mut World) -> Result<u8, Error> {
    let script = match args.shell {
        Shell::Bash => include_str!("../../completions/oauthctl.bash"),
        Shell::Elvish => include_str!("../../completions/oauthctl.elv"),
        Shell::Fish => include_str!("../../completions/oauthctl.fish"),
        Shell::Powershell => include_str!("../../completions/_oauthctl.ps1"),
        Shell::Zsh => include_str!("../../completions/_oauthctl"),
    };
    print(world, script.as_bytes())?;
    Ok(0)
}

pub fn man(world: &mut World) -> Result<u8, Error> {
    print(world, manual::page().as_bytes())?;
    Ok(0)
}
