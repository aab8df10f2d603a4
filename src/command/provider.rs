//! `provider`: what is known about authorization servers and their APIs.

use clap::Subcommand;
use serde_json::json;

use crate::command::print;
use crate::config;
use crate::error::Error;
use crate::session::paths::Paths;
use crate::text::safe;
use crate::world::World;

#[derive(Debug, Subcommand)]
pub enum ProviderVerb {
    /// Name every provider: built in, and your own.
    List {
        /// One JSON array instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Print all that is known of a provider, as the TOML file that describes it.
    Show {
        /// The provider's name, or another it goes by.
        name: String,
        /// As it is in one of its environments (`max`, …).
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
    },
}

pub fn run(verb: ProviderVerb, world: &mut World) -> Result<u8, Error> {
    let dir = Paths::find(&*world.env).config.unwrap_or_default();
    match verb {
        ProviderVerb::List { json } => {
            let names = config::provider_names(&dir)?;
            let text = if json {
                let list: Vec<_> = names
                    .iter()
                    .map(|(name, own)| {
                        let title = config::provider(&dir, name, None).map(|p| p.name).unwrap_or_default();
                        json!({ "provider": name, "name": title, "own": own })
                    })
                    .collect();
                format!("{}\n", serde_json::Value::Array(list))
            } else {
                let line = |(name, own): &(String, bool)| match config::provider(&dir, name, None) {
                    Ok(p) => {
                        let also = if p.aliases.is_empty() {
                            String::new()
                        } else {
                            format!("  (also {})", p.aliases.join(", "))
                        };
                        format!("{name:24} {}{also}{}\n", safe(&p.name), if *own { "  [your own]" } else { "" })
                    }
                    Err(e) => format!("{name:24} broken: {}\n", safe(&e.message)),
                };
                names.iter().map(line).collect()
            };
            print(world, text.as_bytes())?;
        }
        ProviderVerb::Show { name, environment } => {
            let provider = config::provider(&dir, &name, environment.as_deref())?;
            print(world, provider.to_toml().as_bytes())?;
        }
    }
    Ok(0)
}
