//! `export`: a profile without its secrets, for a colleague's `import profile`.

use clap::Args;

use crate::command::{Global, print};
use crate::config;
use crate::error::Error;
use crate::session::{Overrides, Session};
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "`oauthctl import profile` takes it. Left out are the secrets, and what is this machine's own: files,
programs, the store.

Examples:
  oauthctl export work
  oauthctl export work | ssh host oauthctl import profile"
)]
pub struct ExportArgs {
    /// The profile [default: the only one, or `default-profile`]
    #[arg(value_name = "PROFILE")]
    profile: Option<String>,
}

pub fn run(args: ExportArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let choice = Overrides { profile: args.profile, no_cache: global.no_cache, ..Overrides::default() };
    let session = Session::open(world, choice)?;
    let raw = session.raw_provider()?;
    let Some(mut known) = session.in_config()?.0 else { return Err(config::no_profile(&session.name).into()) };
    known.provider.get_or_insert_with(|| session.provider_name().to_owned());
    let bare: Vec<String> = known.vars.keys().filter(|name| raw.has_secret_var(name)).cloned().collect();
    known.vars.retain(|name, _| !bare.contains(name));
    let shared = known.shared();
    let kept = |key: &String| shared.iter().any(|(shared, _)| shared == key);
    let left = known.values().into_iter().map(|(key, _)| key).filter(|key| !kept(key));
    let left: Vec<String> = left.chain(bare.iter().map(|name| format!("vars.{name}"))).map(|key| safe(&key)).collect();
    let text = config::lines(&session.name, shared.clone()).unwrap_or_default();
    print(world, text.as_bytes())?;
    if !left.is_empty() {
        world.say(&format!("left out: {}", left.join(", ")));
    }
    if !raw.id.contains("://") && !config::is_built_in(&session.paths.require_config()?, &raw.id) {
        world.say(&format!(
            "The provider is a file of your own: `oauthctl provider show {}` prints it for their `providers/{}.toml`.",
            raw.id, raw.id
        ));
    }
    Ok(0)
}
