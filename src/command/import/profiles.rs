//! Profiles that `export` printed. What runs programs, reads files or names hosts is not taken.

use super::printed_there;
use crate::config::{self, Config};
use crate::error::Error;
use crate::session::paths::Paths;
use crate::text::{pasted, safe};
use crate::world::World;

/// Adds the profiles of a text. `name`: of a single one.
pub fn add(world: &mut World, text: &str, name: Option<&str>) -> Result<u8, Error> {
    let dir = Paths::find(&*world.env).require_config()?;
    let told = Config::from_text(&dir, text).map_err(|e| Error::from(e).context("that is no exported profile"))?;
    if told.profiles.is_empty() || (name.is_some() && told.profiles.len() > 1) {
        let what = if told.profiles.is_empty() { "no profile" } else { "several profiles, and `--profile` names one" };
        return Err(Error::usage(format!("there is {what} in it")).hint("oauthctl export PROFILE"));
    }
    let mut added = Vec::new();
    for (own, profile) in told.profiles {
        let name = name.map_or(own, str::to_owned);
        config::check_profile_name(&name)?;
        let provider = profile.provider.clone().unwrap_or_else(|| name.clone());
        config::provider(&dir, &provider, profile.environment.as_deref())
            .map_err(|e| Error::from(e).hint(printed_there(&provider)))?;
        added.push((name, profile.shared()));
    }
    config::edit(&dir, |editor| {
        for (name, shared) in &added {
            editor.vacant(name)?;
            editor.set_all(name, shared.clone())?;
        }
        Ok(())
    })?;
    for (name, _) in added {
        world.say(&format!("{}: the profile is there. Next: oauthctl login {}", safe(&name), pasted(&name)));
    }
    Ok(0)
}
