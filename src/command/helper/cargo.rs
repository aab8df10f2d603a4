//! Cargo's credential provider protocol, version 1: a JSON object to a line, both ways, several
//! requests to a run. Cargo starts the program with `--cargo-plugin` alone; the words after the
//! program in its configuration come in each request.

use std::io::{BufRead as _, BufReader, Read as _};

use clap::{Args, Parser};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::chosen::Chosen;
use super::{MOST, unread};
use crate::command::{Cli, Global, Verb, known, print};
use crate::error::Error;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`; for any
other registry cargo asks its next provider. At `cargo login` and `cargo logout` it says that it can't.

To set it up:
  oauthctl profile set work helper-hosts registry.example.com
  oauthctl helper install cargo --profile work

Examples:
  oauthctl helper cargo --profile work"
)]
pub struct CargoArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// Cargo's own word, where a script passes it on.
    #[arg(long, hide = true)]
    cargo_plugin: bool,
}

/// A request of cargo's.
#[derive(Deserialize)]
struct Request {
    kind: String,
    registry: Registry,
    /// The words in cargo's configuration.
    #[serde(default)]
    args: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Registry {
    index_url: String,
}

/// Answers until cargo closes standard input.
pub fn run(args: &CargoArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    print(world, b"{\"v\":[1]}\n")?;
    let mut input = BufReader::new(world.terminal.stdin());
    loop {
        let mut line = String::new();
        if input.by_ref().take(MOST as u64).read_line(&mut line).map_err(unread)? == 0 {
            return Ok(0);
        }
        let answer = match serde_json::from_str::<Request>(&line) {
            Ok(request) if request.kind == "get" => get(&request, args, global, world),
            Ok(_) => Ok(refusal("operation-not-supported")),
            Err(e) => Err(unread(e)),
        };
        print(world, answer.unwrap_or_else(|e| told(&e)).as_bytes())?;
    }
}

fn get(request: &Request, args: &CargoArgs, global: &Global, world: &mut World) -> Result<Zeroizing<String>, Error> {
    let address = request.registry.index_url.trim_start_matches("sparse+");
    let own = configured(&request.args)?;
    let chosen = own.as_ref().map_or(&args.chosen, |own| &own.chosen);
    let Some((set, header)) = chosen.header_at(world, global, address)? else {
        return Ok(refusal("url-not-supported"));
    };
    let said = known(json!({
        "kind": "get",
        "token": &*header.value,
        "cache": set.expires_at.map_or("session", |_| "expires"),
        "expiration": set.expires_at,
        "operation_independent": true,
    }));
    Ok(Zeroizing::new(format!("{}\n", json!({ "Ok": said }))))
}

/// The arguments in cargo's configuration; none where they were on the command line.
fn configured(words: &[String]) -> Result<Option<CargoArgs>, Error> {
    if words.is_empty() {
        return Ok(None);
    }
    let wrong = || Error::usage("`credential-provider` in cargo's configuration is no command line of `helper cargo`");
    let line = std::iter::once("oauthctl").chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(line).map_err(|e| wrong().cause(e))?;
    match cli.verb {
        Verb::Helper(super::HelperVerb::Cargo(args)) => Ok(Some(args)),
        _ => Err(wrong()),
    }
}

fn refusal(kind: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{}\n", json!({ "Err": { "kind": kind } })))
}

/// Cargo shows it, with its causes and hints.
fn told(e: &Error) -> Zeroizing<String> {
    let hints = e.hints.iter().map(|hint| format!("hint: {hint}"));
    let causes: Vec<String> = e.causes().into_iter().chain(hints).collect();
    let said = json!({ "kind": "other", "message": e.to_string(), "caused-by": causes });
    Zeroizing::new(format!("{}\n", json!({ "Err": said })))
}
