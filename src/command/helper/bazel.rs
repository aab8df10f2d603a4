//! Bazel's credential helper protocol (EngFlow's credential-helper-spec): an object with the
//! address in, an object with the headers out.

use clap::Args;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::chosen::Chosen;
use super::{MOST, unread};
use crate::command::{Global, known, print};
use crate::error::Error;
use crate::text::times;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`. Any other
address ends with exit code 1, so give Bazel the helper with a pattern of hosts.

To set it up (Bazel runs a script by its whole path, `--credential_helper` in ~/.bazelrc):
  oauthctl profile set work helper-hosts cache.example.com
  oauthctl helper install bazel --profile work

Examples:
  echo '{\"uri\":\"https://cache.example.com/\"}' | oauthctl helper bazel get"
)]
pub struct BazelArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// Bazel adds the word itself.
    #[arg(value_name = "OPERATION", value_parser = ["get"])]
    operation: String,
}

#[derive(Deserialize)]
struct Asked {
    uri: String,
}

pub fn run(args: &BazelArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let text = world.terminal.read_stdin(MOST).map_err(unread)?;
    let asked: Asked = serde_json::from_str(&text).map_err(unread)?;
    // an address of gRPC's names the same server
    let address = asked.uri.replacen("grpcs://", "https://", 1);
    let Some((set, header)) = args.chosen.header_at(world, global, &address)? else { return Ok(1) };
    let said = known(json!({
        "headers": { (header.name): [&*header.value] },
        "expires": set.expires_at.map(times::rfc3339),
    }));
    print(world, Zeroizing::new(format!("{said}\n")).as_bytes()).map(|()| 0)
}
