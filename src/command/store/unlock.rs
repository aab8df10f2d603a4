//! `store unlock` and `store lock`: the key of the sealed files is in the kernel for a while.

use std::time::Duration;

use clap::Args;

use super::of_a_new_login;
use crate::command::{may_ask, patience};
use crate::error::{Error, Kind};
use crate::secret::Secret;
use crate::session::paths::Paths;
use crate::session::{kernel_cache, passphrase, sealed_files};
use crate::store::file::{BY_AGE, FileStore};
use crate::store::{Store as _, StoreError, StoreKind};
use crate::text::safe;
use crate::text::times::rfc3339;
use crate::world::World;

/// How often a passphrase may be typed.
const TRIES: u32 = 3;

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
    if let Some(opener) = store.opened_otherwise()? {
        let hint = match opener {
            BY_AGE => "`store-identity` in config.toml names the file of that key, and no passphrase is needed",
            _ => "to seal a login with a passphrase, set OAUTHCTL_STORE_PASSPHRASE for its next `login` or `refresh`",
        };
        let why = format!("there is nothing to unlock: {opener} opens `{}`", store.place());
        return Err(Error::usage(why).hint(hint));
    }
    let until = world.clock.now().saturating_add(args.time.as_secs() as i64);
    let said = passphrase(world)?;
    let unopened = match &said {
        Some(passphrase) => store.unlock(passphrase, (until, args.time)).map_err(|e| wrong_variable(world, e))?,
        None => ask(world, &store, (until, args.time))?,
    };
    for profile in unopened {
        world.warn(&format!("the record of `{}` is sealed with another passphrase", safe(&profile)));
    }
    world.say(&format!("Unlocked until {}. `oauthctl store lock` ends it.", rfc3339(until)));
    if said.is_some() {
        world.say("Commands whose variables have the passphrase don't need it: they derive the key each time.");
    }
    say_other_store(world)?;
    Ok(0)
}

/// Asks for the passphrase until it is the right one, and unlocks with it. A passphrase that no
/// record can prove is typed twice.
fn ask(world: &mut World, store: &FileStore, time: (i64, Duration)) -> Result<Vec<String>, Error> {
    if !may_ask(world) {
        let needed = StoreError::NeedsPassphrase(format!("`{}`", store.place()));
        return Err(Error::of(Kind::Store, needed).hints([
            "run this at a terminal, where it asks for the passphrase",
            "or set OAUTHCTL_STORE_PASSPHRASE, or OAUTHCTL_STORE_PASSPHRASE_FILE to a file that holds it",
        ]));
    }
    for _ in 1..TRIES {
        match store.unlock(&typed(world, store)?, time) {
            Err(StoreError::WrongPassphrase(place)) => world.warn(&format!("that passphrase does not open {place}")),
            done => return Ok(done?),
        }
    }
    store.unlock(&typed(world, store)?, time).map_err(|e| match e {
        StoreError::WrongPassphrase(_) => {
            Error::of(Kind::Store, e).hint("run the command again with the passphrase that the record was sealed with")
        }
        e => e.into(),
    })
}

fn typed(world: &mut World, store: &FileStore) -> Result<Secret, Error> {
    let passphrase = world.ask_hidden("Passphrase of the sealed files (not shown)")?;
    if passphrase.is_empty() {
        return Err(Error::usage("no passphrase was typed; nothing was done"));
    }
    if !store.has_passphrase()? && world.ask_hidden("No record has one yet: the same once more")? != passphrase {
        return Err(Error::usage("that was another passphrase; nothing was done"));
    }
    Ok(passphrase)
}

fn wrong_variable(world: &World, e: StoreError) -> Error {
    if !matches!(e, StoreError::WrongPassphrase(_)) {
        return e.into();
    }
    let (variable, whose) = match world.env.var("OAUTHCTL_STORE_PASSPHRASE") {
        Some(_) => ("OAUTHCTL_STORE_PASSPHRASE", "OAUTHCTL_STORE_PASSPHRASE"),
        None => ("OAUTHCTL_STORE_PASSPHRASE_FILE", "the file that OAUTHCTL_STORE_PASSPHRASE_FILE names"),
    };
    Error::of(Kind::Store, e)
        .hint(format!("{whose} holds another passphrase: correct it, or unset {variable} to be asked at a terminal"))
}

/// The key is of no use to a command that keeps its records elsewhere.
fn say_other_store(world: &mut World) -> Result<(), Error> {
    let kind = of_a_new_login(world)?;
    if kind == StoreKind::File {
        return Ok(());
    }
    world.say(&match world.env.var("OAUTHCTL_STORE") {
        Some(_) => format!("OAUTHCTL_STORE chooses the store `{}`: no command opens the sealed files.", kind.name()),
        None => format!("Only profiles with the store `file` use the key: the others have `{}`.", kind.name()),
    });
    Ok(())
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
