//! `store unlock` and `store lock`: the key of the sealed files is in the kernel for a while.

use std::time::Duration;

use clap::Args;

use crate::command::{may_ask, patience};
use crate::error::{Error, Kind};
use crate::secret::Secret;
use crate::session::paths::Paths;
use crate::session::{kernel_cache, passphrase, sealed_files};
use crate::store::Store as _;
use crate::store::StoreError;
use crate::store::file::FileStore;
use crate::text::safe;
use crate::text::times::rfc3339;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The Linux kernel's keyring has the key: every process of yours can open the sealed files until the time is
over, cron jobs and other sessions too. It ends with a restart, and after three days without a command.

Examples:
  oauthctl store unlock
  oauthctl store unlock --for 30m"
)]
pub(super) struct UnlockArgs {
    /// How long the key is kept.
    #[arg(long = "for", value_name = "TIME", default_value = "8h", value_parser = patience)]
    time: Duration,
}

pub(super) fn unlock(args: &UnlockArgs, world: &mut World) -> Result<u8, Error> {
    let store = sealed_files(world, &Paths::find(&*world.env))?;
    if !world.token_copy.works() {
        return Err(Error::new(
            Kind::Store,
            "no key can be kept here: only the Linux kernel has a keyring for it, and a container may forbid it",
        )
        .hint("set OAUTHCTL_STORE_PASSPHRASE, or OAUTHCTL_STORE_PASSPHRASE_FILE to a file that holds it"));
    }
    if store.is_opened_by_key_file()? {
        return Err(Error::usage(format!("there is nothing to unlock: a key file opens `{}`", store.place())).hint(
            "to seal a login with a passphrase, set OAUTHCTL_STORE_PASSPHRASE for its next `login` or `refresh`",
        ));
    }
    let said = passphrase(world)?;
    let from_variable = said.is_some();
    let passphrase = said.map_or_else(|| ask(world, &store), Ok)?;
    let until = world.clock.now().saturating_add(args.time.as_secs() as i64);
    for profile in store.unlock(&passphrase, (until, args.time))? {
        world.warn(&format!("the record of `{}` is sealed with another passphrase", safe(&profile)));
    }
    world.say(&format!("Unlocked until {}. `oauthctl store lock` ends it.", rfc3339(until)));
    if from_variable {
        world.say("Commands whose variables have the passphrase don't need it: they derive the key each time.");
    }
    Ok(0)
}

/// A passphrase that no record can prove is typed twice.
fn ask(world: &mut World, store: &FileStore) -> Result<Secret, Error> {
    if !may_ask(world) {
        return Err(StoreError::NeedsPassphrase(format!("`{}`", store.place())).into());
    }
    let passphrase = world.ask_hidden("Passphrase of the sealed files (not shown)")?;
    if passphrase.is_empty() {
        return Err(Error::usage("no passphrase was typed; nothing was done"));
    }
    if !store.has_passphrase()? && world.ask_hidden("No record has one yet: the same once more")? != passphrase {
        return Err(Error::usage("that was another passphrase; nothing was done"));
    }
    Ok(passphrase)
}

/// Removes the key and the copies of access tokens, which need none.
pub(super) fn lock(world: &mut World) -> Result<u8, Error> {
    let store = sealed_files(world, &Paths::find(&*world.env))?;
    for profile in store.profiles()? {
        kernel_cache::forget_copy(world, &store, &profile);
    }
    world.say(if store.lock() { "Locked." } else { "It was not unlocked." });
    Ok(0)
}
