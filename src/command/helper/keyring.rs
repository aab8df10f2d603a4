//! The command line of Python's `keyring`, as pip and uv run it: an index in, a password out.

use clap::{Args, ValueEnum};
use serde_json::json;
use zeroize::Zeroizing;

use super::chosen::Chosen;
use crate::command::token::{USER, mask_basic};
use crate::command::{Global, one_line, print};
use crate::error::Error;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`; for any
other index nothing is printed, and the exit code is 1.

pip and uv run a program called `keyring` in a folder of PATH, for an index whose address has a user
name (`https://oauth2@pypi.example.com/simple/`), with `PIP_KEYRING_PROVIDER=subprocess` or
`UV_KEYRING_PROVIDER=subprocess`. To set it up:
  oauthctl profile set work helper-hosts pypi.example.com
  oauthctl helper install keyring --profile work

Examples:
  oauthctl helper keyring get https://pypi.example.com/simple/ oauth2"
)]
pub struct KeyringArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// The user name that the index wants beside the token.
    #[arg(long = "username", value_name = "NAME", value_parser = one_line, default_value = USER)]
    name: String,
    /// Print the password alone, or the user name before it.
    #[arg(long, value_enum, default_value_t = Mode::Password)]
    mode: Mode,
    /// Print lines, or a JSON object.
    #[arg(long, value_enum, default_value_t = Output::Plain)]
    output: Output,
    /// pip and uv add the word themselves.
    #[arg(value_name = "OPERATION", value_parser = ["get", "set", "del"])]
    operation: String,
    /// The index, or its host.
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The user name that pip or uv knows already.
    #[arg(value_name = "USERNAME", value_parser = one_line)]
    known: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    Password,
    Creds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Plain,
    Json,
}

pub fn run(args: &KeyringArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    if args.operation != "get" {
        return Err(super::only_login_stores());
    }
    let Some(set) = args.chosen.at(world, global, &args.service)? else { return Ok(1) };
    let token = set.access_token.expose();
    let name = args.known.as_ref().unwrap_or(&args.name);
    mask_basic(world, name, token);
    let text = Zeroizing::new(match (args.output, args.mode) {
        (Output::Plain, Mode::Password) => format!("{token}\n"),
        (Output::Plain, Mode::Creds) => format!("{name}\n{token}\n"),
        (Output::Json, Mode::Password) => format!("{}\n", json!({ "password": token })),
        (Output::Json, Mode::Creds) => format!("{}\n", json!({ "username": name, "password": token })),
    });
    print(world, text.as_bytes()).map(|()| 0)
}
