//! `login` without a profile, at a terminal: a short list to choose from.

use std::path::Path;

use super::prompt::choose;
use crate::command::{may_ask, sandbox_session};
use crate::config::{self, Config};
use crate::error::Error;
use crate::session::Overrides;
use crate::session::paths::Paths;
use crate::text::safe;
use crate::world::World;

/// The profile or provider that the user chooses, if nothing else names one.
pub(super) fn offered(world: &mut World, choice: &Overrides) -> Result<Option<String>, Error> {
    let said =
        choice.profile.is_some() || choice.flags.provider.is_some() || world.env.var("OAUTHCTL_PROFILE").is_some();
    if said || !may_ask(world) {
        return Ok(None);
    }
    let dir = Paths::find(&*world.env).require_config()?;
    let config = Config::load(&dir)?;
    if config.default_profile.is_some() || config.profiles.len() == 1 {
        return Ok(None);
    }
    let options = options(&dir, &config)?;
    loop {
        let chosen = choose(world, "Sign in to", &options, None)?;
        let known = options.iter().any(|(name, _)| *name == chosen)
            || chosen.contains("://")
            || config.profiles.contains_key(&chosen)
            || config::provider(&dir, &chosen, None).is_ok();
        if known {
            return Ok(Some(chosen));
        }
        world.lead(&format!(
            "There is no `{}` in the list: type a number, a name, or the URL of an issuer.",
            safe(&chosen)
        ));
    }
}

/// The profiles, then the providers without a profile of that name; last the one without accounts.
fn options(dir: &Path, config: &Config) -> Result<Vec<(String, String)>, Error> {
    let names = config::provider_names(dir)?.into_iter().map(|(name, _)| name);
    let mut others: Vec<String> = names.filter(|name| !config.profiles.contains_key(name)).collect();
    others.sort_by_key(|name| name == sandbox_session::PROVIDER);
    let about = |provider: &str| match provider {
        sandbox_session::PROVIDER => "practice: needs no account".to_owned(),
        _ => config::provider(dir, provider, None).map(|known| known.name).unwrap_or_default(),
    };
    let profiles = config.profiles.iter().map(|(name, profile)| {
        (name.clone(), format!("your profile at {}", profile.provider.as_ref().unwrap_or(name)))
    });
    Ok(profiles.chain(others.into_iter().map(|name| (name.clone(), about(&name)))).collect())
}
