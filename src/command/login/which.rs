//! `login` without a profile, at a terminal: a short list to choose from.

use std::path::Path;

use super::prompt::choose;
use crate::command::{may_ask, sandbox_session};
use crate::config::{self, Config};
use crate::error::Error;
use crate::provider::catalogue::{self, Listed};
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
    let mut options = options(&dir, &config)?;
    loop {
        let chosen =
            choose(world, "Sign in to one of these, or to any provider: a part of its name is enough", &options, None)?;
        let known = options.iter().any(|(name, _)| *name == chosen)
            || chosen.contains("://")
            || config.profiles.contains_key(&chosen)
            || config::provider(&dir, &chosen, None).is_ok();
        if known {
            return Ok(Some(chosen));
        }
        let found = named_like(&chosen.to_lowercase());
        match found.is_empty() {
            false => options = found,
            true => world.lead(&format!(
                "There is no `{}`: type a number, a name, or the URL of an issuer. `oauthctl provider list` names all.",
                safe(&chosen)
            )),
        }
    }
}

/// The built-in providers in whose names the text occurs.
fn named_like(part: &str) -> Vec<(String, String)> {
    let like = |it: &Listed| !part.is_empty() && (it.id.contains(part) || it.name.to_lowercase().contains(part));
    catalogue::all().filter(like).map(|it| (it.id.to_owned(), it.name.to_owned())).collect()
}

/// The profiles, then the user's own providers without a profile of that name, last the one without
/// accounts. The built-in ones are too many.
fn options(dir: &Path, config: &Config) -> Result<Vec<(String, String)>, Error> {
    let practice = |name: &String| name == sandbox_session::PROVIDER;
    let listed = config::provider_names(dir)?.into_iter().filter(|(name, own)| *own || practice(name));
    let mut others: Vec<String> =
        listed.map(|(name, _)| name).filter(|name| !config.profiles.contains_key(name)).collect();
    others.sort_by_key(practice);
    let about = |provider: &str| match provider {
        sandbox_session::PROVIDER => "practice: needs no account".to_owned(),
        _ => config::provider(dir, provider, None).map(|known| known.name).unwrap_or_default(),
    };
    let profiles = config.profiles.iter().map(|(name, profile)| {
        (name.clone(), format!("your profile at {}", profile.provider.as_ref().unwrap_or(name)))
    });
    Ok(profiles.chain(others.into_iter().map(|name| (name.clone(), about(&name)))).collect())
}
