//! The credentials helper protocol of Terraform and OpenTofu: a word and a host, an object out.

use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::chosen::Chosen;
use super::{MOST, unread};
use crate::command::{Global, print};
use crate::error::Error;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`; for any
other host the answer is empty. `store` takes only the token that is stored already, and `forget`
ends no login.

To set it up (the programs run a script by a name of its own, in ~/.terraform.d/plugins):
  oauthctl profile set work helper-hosts modules.example.com
  oauthctl helper install terraform --profile work

Examples:
  oauthctl helper terraform get modules.example.com"
)]
pub struct TerraformArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// The programs add the word themselves.
    #[arg(value_name = "OPERATION", value_parser = ["get", "store", "forget"])]
    operation: String,
    /// The host, as the programs write it.
    #[arg(value_name = "HOST")]
    host: String,
}

pub fn run(args: &TerraformArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    match args.operation.as_str() {
        "get" => {
            let set = args.chosen.at(world, global, &args.host)?;
            let said = set.map_or_else(|| json!({}), |set| json!({ "token": set.access_token.expose() }));
            print(world, Zeroizing::new(format!("{said}\n")).as_bytes())?;
        }
        "store" => {
            let text = world.terminal.read_stdin(MOST).map_err(unread)?;
            let said: Value = serde_json::from_str(&text).map_err(unread)?;
            let set = args.chosen.at(world, global, &args.host)?;
            // with another member it isn't the stored one either
            if set.is_none_or(|set| said != json!({ "token": set.access_token.expose() })) {
                return Err(super::only_login_stores());
            }
        }
        // the login stays
        _ => {}
    }
    Ok(0)
}
