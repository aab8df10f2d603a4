//! The store of a profile: the one that flags, the environment or the configuration name.

use super::paths::Paths;
use super::{Choice, open_file_store};
use crate::config::words::known_stores;
use crate::config::{Config, Profile};
use crate::error::Error;
use crate::store::{self, Store, StoreKind};
use crate::text::safe;
use crate::world::World;

pub(super) fn store_kind(
    world: &World,
    choice: &Choice,
    profile: &Profile,
    config: &Config,
) -> Result<StoreKind, Error> {
    if let Some(kind) = choice.flags.store {
        return Ok(kind);
    }
    if let Some(name) = world.env.var("OAUTHCTL_STORE") {
        return StoreKind::from_name(&name).ok_or_else(|| {
            Error::usage(format!("OAUTHCTL_STORE names an unknown store: `{}`", safe(&name))).hint(known_stores())
        });
    }
    Ok(profile.store.or(config.store).unwrap_or(StoreKind::Keychain))
}

/// The store of a profile that says nothing about it, and whether somebody chose it.
pub fn usual_store(world: &World, paths: &Paths) -> Result<(StoreKind, bool), Error> {
    let config = paths.config.as_deref().and_then(|dir| Config::load(dir).ok()).unwrap_or_default();
    let kind = store_kind(world, &Choice::default(), &Profile::default(), &config)?;
    Ok((kind, config.store.is_some() || world.env.var("OAUTHCTL_STORE").is_some()))
}

/// The store for a profile: the environment's where a token from outside is set, in this variable,
/// else the one that was chosen.
pub(super) fn store_for(
    world: &World,
    kind: StoreKind,
    token: Option<&str>,
    paths: &Paths,
) -> Result<Box<dyn Store>, Error> {
    match token {
        Some(variable) => Ok(Box::new(store::environment::EnvironmentStore::with(&*world.env, variable))),
        None => store_of(world, kind, paths),
    }
}

pub(super) fn store_of(world: &World, kind: StoreKind, paths: &Paths) -> Result<Box<dyn Store>, Error> {
    Ok(match kind {
        StoreKind::Keychain => Box::new(store::keychain::KeychainStore::new(world.keychain.clone())),
        StoreKind::File => Box::new(open_file_store(world, paths)?),
        StoreKind::Environment => Box::new(store::environment::EnvironmentStore::new(&*world.env)),
        StoreKind::None => Box::new(store::none::NoStore),
    })
}
