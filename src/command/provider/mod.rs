//! `provider`: lists and shows the known authorization servers and their APIs.

mod add;
mod diff;

use std::collections::BTreeMap;
use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::command::{TextOrJson as Format, fitted, print};
use crate::config::{self, Brief};
use crate::error::Error;
use crate::session::paths::Paths;
use crate::text::safe;
use crate::world::World;

#[derive(Debug, Subcommand)]
pub enum ProviderVerb {
    /// List every provider: built in, and your own.
    ///
    /// `[one source]`: only one source has the addresses of its endpoints. `[no source]`: none has
    /// them, they are the usual ones of such a server.
    #[command(after_help = "Examples:
  oauthctl provider list
  oauthctl provider list --format json")]
    List {
        /// The form of the output.
        #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
        format: Format,
        /// The same as `--format json`: one array.
        #[arg(long, conflicts_with = "format")]
        json: bool,
    },
    /// Print the TOML file of a provider, complete.
    #[command(after_help = "Examples:
  oauthctl provider show getresponse
  oauthctl provider show getresponse --environment max")]
    Show {
        /// The provider's name, or an alias.
        #[arg(value_name = "PROVIDER")]
        name: String,
        /// One of its environments (`max`, …).
        #[arg(long, value_name = "ENVIRONMENT")]
        environment: Option<String>,
    },
    /// Write the file of a provider of your own.
    Add(add::AddArgs),
    /// Print the keys by which your file differs from the built-in provider.
    #[command(after_help = "Examples:
  oauthctl provider diff getresponse")]
    Diff {
        /// The provider's name, or an alias.
        #[arg(value_name = "PROVIDER")]
        name: String,
    },
}

pub fn run(verb: ProviderVerb, world: &mut World) -> Result<u8, Error> {
    let dir = Paths::find(&*world.env).config.unwrap_or_default();
    match verb {
        ProviderVerb::List { format, json } => {
            let all = listed(&dir)?;
            let text = if json || format == Format::Json {
                let of = |it: &Listed| match &it.found {
                    Ok(p) => json!({
                        "provider": it.name, "name": p.name, "aliases": p.aliases, "own": p.own, "addresses": p.addresses,
                    }),
                    Err(why) => json!({ "provider": it.name, "name": "", "aliases": [], "own": true, "broken": why }),
                };
                format!("{}\n", all.iter().map(of).collect::<Value>())
            } else {
                fitted(world, &all.iter().map(|it| line(it, &all)).collect::<String>(), 25)
            };
            print(world, text.as_bytes())?;
        }
        ProviderVerb::Show { name, environment } => {
            let mut provider = config::provider(&dir, &name, environment.as_deref())?;
            let inside = match environment {
                None => config::provider_in_environments(&dir, &name)?,
                Some(environment) => {
                    // the others would change the entry without this environment
                    provider.environments = vec![environment];
                    BTreeMap::new()
                }
            };
            print(world, provider.to_toml(&inside).as_bytes())?;
        }
        ProviderVerb::Add(args) => return add::run(args, &dir, world),
        ProviderVerb::Diff { name } => return diff::run(&name, &dir, world),
    }
    Ok(0)
}

struct Listed {
    name: String,
    /// Or the error in its file.
    found: Result<Brief, String>,
}

fn listed(dir: &Path) -> Result<Vec<Listed>, Error> {
    let all = config::in_brief(dir)?.into_iter();
    let mut all: Vec<Listed> =
        all.map(|(name, found)| Listed { name, found: found.map_err(|e| safe(&e.message)) }).collect();
    let own = all.iter().flat_map(|it| &it.found).filter(|p| p.own);
    let taken: Vec<String> = own.flat_map(|p| p.aliases.clone()).collect();
    // the user's alias replaces a built-in one
    for provider in all.iter_mut().flat_map(|it| &mut it.found).filter(|p| !p.own) {
        provider.aliases.retain(|alias| !taken.contains(alias));
    }
    Ok(all)
}

fn line(Listed { name, found }: &Listed, all: &[Listed]) -> String {
    match found {
        Ok(p) => {
            let also = match p.aliases.as_slice() {
                [] => String::new(),
                aliases => format!("  (also {})", aliases.join(", ")),
            };
            let whose = match (p.own, p.practice) {
                (true, true) => "  [practice]",
                (true, false) => "  [your own]",
                (false, _) => "",
            };
            let sure = match p.addresses.as_deref() {
                Some("one_source") => "  [one source]",
                Some("no_source") => "  [no source]",
                _ => "",
            };
            format!("{name:24} {}{also}{whose}{sure}\n", safe(&p.name))
        }
        Err(why) => {
            match all.iter().find(|it| it.name != *name && why.contains(&format!("providers/{}.toml", it.name))) {
                // the error is reported there
                Some(base) => format!("{name:24} broken, as `{}` is\n", base.name),
                None => format!("{name:24} broken: {why}\n"),
            }
        }
    }
}
