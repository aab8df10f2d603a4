//! The store of a profile: the one that flags, the environment or the configuration name.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::lease::user_and_host;
use super::secret_source::read_at_most;
use super::{Overrides, Paths};
use crate::config::words::known_stores;
use crate::config::{Config, Profile, expand_home};
use crate::error::Error;
use crate::protocol::age::Identity;
use crate::secret::Secret;
use crate::store::file::{AgeKeys, FileStore, Openers};
use crate::store::lent::{self, LentStore};
use crate::store::unopened::Unopened;
use crate::store::{self, Store, StoreError, StoreKind, vault};
use crate::text::safe;
use crate::world::World;

/// The time of an engine's token helper.
const HELPER_WITHIN: Duration = Duration::from_secs(30);

pub(super) fn store_kind(
    world: &World,
    choice: &Overrides,
    profile: &Profile,
    config: &Config,
) -> Result<StoreKind, Error> {
    if let Some(kind) = choice.flags.store {
        return Ok(kind);
    }
    if lent::is_named(&*world.env) {
        return Ok(StoreKind::Lent);
    }
    if let Some(name) = world.env.var("OAUTHCTL_STORE") {
        return StoreKind::from_name(&name).ok_or_else(|| {
            Error::usage(format!("OAUTHCTL_STORE names an unknown store: `{}`", safe(&name))).hint(known_stores())
        });
    }
    Ok(profile.store.or(config.store).unwrap_or(StoreKind::Keychain))
}

/// The store of a profile that names none, and whether it was chosen.
pub fn usual_store(world: &World, config: &Config) -> Result<(StoreKind, bool), Error> {
    let kind = store_kind(world, &Overrides::default(), &Profile::default(), config)?;
    Ok((kind, config.store.is_some() || world.env.var("OAUTHCTL_STORE").is_some()))
}

/// Opens a store. Only sealed files need a folder, and may need a passphrase.
pub fn store_of(world: &World, kind: StoreKind, paths: &Paths) -> Result<Rc<dyn Store>, Error> {
    if kind == StoreKind::Lent {
        return Ok(Rc::new(LentStore::new(&*world.env, &world.clock)));
    }
    if let StoreKind::Vault(place) = kind {
        let ask = |argv: &[String]| world.programs.output(argv, HELPER_WITHIN);
        let (env, http, clock) = (&*world.env, world.http.clone(), world.clock.clone());
        let (by, step) = (user_and_host(world), world.steps());
        let doors = vault::Doors { env, http, clock, ask: &ask, by, step };
        return Ok(match vault::open(place, doors) {
            Ok(vault) => Rc::new(vault),
            Err(e) => {
                let e = Error::from(e);
                Rc::new(Unopened { kind, why: e.texts().join(": "), cures: e.hints })
            }
        });
    }
    let (state, openers) = match kind {
        StoreKind::File => (paths.require_state()?, openers(world, paths)?),
        StoreKind::Program(_) => (paths.require_state()?, Openers::default()),
        _ => Default::default(),
    };
    let keychain = match kind {
        StoreKind::Program(program) => (world.stored_by)(program),
        _ => world.keychain.clone(),
    };
    Ok(store::open(kind, &keychain, &*world.env, &state, openers).into())
}

/// The sealed files.
pub fn sealed_files(world: &World, paths: &Paths) -> Result<FileStore, Error> {
    Ok(FileStore::new(store::file::folder(&paths.require_state()?), openers(world, paths)?))
}

fn openers(world: &World, paths: &Paths) -> Result<Openers, StoreError> {
    let (dir, home) = (paths.config.clone(), world.env.home());
    let age = move || dir.as_deref().map_or(Ok(None), |dir| age_keys(dir, home.as_deref()));
    let kernel = Some(world.token_copy.clone());
    Ok(Openers { passphrase: passphrase(world)?, kernel, age: Some(Rc::new(age)) })
}

/// The keys that `config.toml` names. Read when a record is sealed, or was sealed with such.
fn age_keys(dir: &Path, home: Option<&Path>) -> Result<Option<AgeKeys>, StoreError> {
    const LONGEST: usize = 64 * 1024;
    let failed = |of: &str, e: anyhow::Error| StoreError::Failed(format!("reading of {of}"), e);
    let config = Config::load_for(dir, "").map_err(|e| failed("config.toml", e.into()))?;
    let Some(file) = config.store_identity else { return Ok(None) };
    let path = dir.join(expand_home(&file, home));
    let of = format!("the key file `{}`", path.display());
    let text = read_at_most(&path, LONGEST).map_err(|e| failed(&of, e.into()))?;
    let identities = Identity::read(&text).map_err(|why| failed(&of, anyhow::Error::msg(why)))?;
    Ok(Some(AgeKeys { identities, others: config.store_recipients }))
}

/// The passphrase of sealed files, if the environment has one.
pub fn passphrase(world: &World) -> Result<Option<Secret>, StoreError> {
    if let Some(passphrase) = world.env.var("OAUTHCTL_STORE_PASSPHRASE") {
        return Ok(Some(passphrase.into()));
    }
    let file = world.env.var("OAUTHCTL_STORE_PASSPHRASE_FILE");
    file.map(|file| store::file::passphrase_file(Path::new(&file))).transpose()
}
