//! Docker's credential helper protocol (docker-credential-helpers), which podman, skopeo, helm and
//! others speak too. Messages go to standard output, and the words of some have a meaning.

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::chosen::Chosen;
use super::{MOST, only_login_stores, unread};
use crate::address::Service;
use crate::command::token::{USER, mask_basic};
use crate::command::{Global, one_line, print};
use crate::error::Error;
use crate::secret::Secret;
use crate::world::World;

/// With these words docker goes on without a credential.
const NOT_FOUND: &str = "credentials not found in native keychain";

#[derive(Args, Debug)]
#[command(
    after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`; docker uses
any other registry without one. `store` takes only the token that is stored already, and `erase`
ends no login.

To set it up (docker runs a helper by a name of its own, a script in a folder of PATH):
  oauthctl profile set work helper-hosts registry.example.com
  oauthctl helper install docker --profile work

Examples:
  echo registry.example.com | oauthctl helper docker --profile work get"
)]
pub struct DockerArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// The user name that the registry wants beside the token.
    #[arg(long, value_name = "NAME", value_parser = user_name, default_value = USER)]
    username: String,
    /// What docker wants; it adds the word itself.
    #[arg(value_name = "OPERATION", value_parser = ["get", "store", "erase", "list", "version"])]
    operation: String,
}

pub fn run(args: &DockerArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    match answer(args, global, world) {
        Ok(Some(text)) => print(world, text.as_bytes()).map(|()| 0),
        Ok(None) => print(world, format!("{NOT_FOUND}\n").as_bytes()).map(|()| 1),
        Err(e) => {
            // all that docker shows
            let cure = e.hints.first().map(|hint| format!(" ({hint})")).unwrap_or_default();
            print(world, format!("{e}{cure}\n").as_bytes()).map(|()| 1)
        }
    }
}

fn answer(args: &DockerArgs, global: &Global, world: &mut World) -> Result<Option<Zeroizing<String>>, Error> {
    match args.operation.as_str() {
        "get" => {
            let address = world.terminal.read_stdin(MOST).map_err(unread)?;
            Ok(token(args, global, world, address.trim())?.map(|token| {
                mask_basic(world, &args.username, token.expose());
                let said = json!({ "ServerURL": address.trim(), "Username": args.username, "Secret": token.expose() });
                Zeroizing::new(format!("{said}\n"))
            }))
        }
        "store" => {
            let text = world.terminal.read_stdin(MOST).map_err(unread)?;
            let said: Stored = serde_json::from_str(&text).map_err(unread)?;
            if token(args, global, world, &said.server)?.is_some_and(|token| token == said.secret) {
                return Ok(Some(Zeroizing::default()));
            }
            Err(only_login_stores())
        }
        "version" => Ok(Some(Zeroizing::new(concat!("oauthctl ", env!("CARGO_PKG_VERSION"), "\n").to_owned()))),
        "list" => {
            let web = args.chosen.services(world)?.into_iter().filter(|service| service.url().is_some());
            let names = web.filter_map(|service| Some(service.to_string().split_once("://")?.1.to_owned()));
            let all: Map<String, Value> = names.map(|name| (name, json!(args.username))).collect();
            Ok(Some(Zeroizing::new(format!("{}\n", Value::Object(all)))))
        }
        _ => {
            world.terminal.read_stdin(MOST).map_err(unread)?;
            world.say("the login stays: `oauthctl logout` ends it");
            Ok(Some(Zeroizing::default()))
        }
    }
}

/// A user's name: docker takes the secret of `<token>` for a refresh token.
fn user_name(text: &str) -> Result<String, String> {
    match text {
        "<token>" => Err("to docker it means a refresh token, and no helper gives one".to_owned()),
        _ => one_line(text).map_err(|why| why.to_string()),
    }
}

/// What docker wants to store.
#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "ServerURL")]
    server: String,
    #[serde(rename = "Secret")]
    secret: Secret,
}

fn token(args: &DockerArgs, global: &Global, world: &mut World, address: &str) -> Result<Option<Secret>, Error> {
    if address.is_empty() {
        return Err(Error::usage("no credentials server URL"));
    }
    // docker names a registry without its scheme, and takes plain `http` on loopback
    let plain = Service::of(&format!("http://{address}")).ok().filter(|_| !address.contains("://"));
    let set = match plain {
        Some(service) if args.chosen.services(world)?.contains(&service) => args.chosen.set(world, global, &service)?,
        _ => args.chosen.at(world, global, address)?,
    };
    Ok(set.map(|set| set.access_token))
}
