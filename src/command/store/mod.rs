//! `store`: tries a store, and moves records from one to another.

mod audit;
mod unlock;

use clap::{Args, Subcommand};

use crate::command::{Global, print};
use crate::config::{self, Config, words};
use crate::error::{Error, Kind};
use crate::session::paths::Paths;
use crate::session::{Overrides, Who, migration, random_hex, store_of, usual_store};
use crate::store::{Shared, StoreError, StoreKind, try_out, vault};
use crate::text::{count, safe};
use crate::world::World;

#[derive(Args, Debug)]
pub struct StoreArgs {
    #[command(subcommand)]
    verb: StoreVerb,
}

#[derive(Subcommand, Debug)]
enum StoreVerb {
    /// Write, read and delete a record, and say how long each took.
    Test(TestArgs),
    /// Print what an engine must allow to readers, and to who may renew a login.
    Policy(PolicyArgs),
    /// Move the records of all profiles from one store to another.
    Migrate(MigrateArgs),
    /// Look for what should not be where records are stored, and say what to do.
    Audit(audit::AuditArgs),
    /// Keep a passphrase's key in the Linux kernel for a while, so that no command asks for it.
    Unlock(unlock::UnlockArgs),
    /// Remove that key at once.
    #[command(after_help = "Examples:
  oauthctl store lock")]
    Lock,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl store test
  oauthctl store test pass
  oauthctl store test --profile work")]
struct TestArgs {
    /// The store [default: that of a new login]
    #[arg(value_name = "STORE", value_parser = words::stores())]
    store: Option<StoreKind>,
    /// The store of this profile. A team's record is read, and the right to write it is checked.
    #[arg(long, value_name = "PROFILE", conflicts_with = "store")]
    profile: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Each policy begins with a comment that names it.

Examples:
  oauthctl store policy
  oauthctl store policy work")]
struct PolicyArgs {
    /// The profile that they are for [default: all]
    #[arg(value_name = "PROFILE")]
    profile: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "All records move, or none. The tokens stay as they are. A command that was cut off is finished
by the same one.

Examples:
  oauthctl store migrate keychain pass
  oauthctl store migrate file keychain")]
struct MigrateArgs {
    /// The store of before.
    #[arg(value_name = "STORE", value_parser = words::stores())]
    from: StoreKind,
    /// The new store.
    #[arg(value_name = "STORE", value_parser = words::stores())]
    to: StoreKind,
}

pub fn run(args: StoreArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    match args.verb {
        StoreVerb::Test(args) => test(&args, global, world),
        StoreVerb::Policy(args) => policy(&args, global, world),
        StoreVerb::Migrate(args) => migrate(&args, global, world),
        StoreVerb::Audit(args) => audit::run(&args, global, world),
        StoreVerb::Unlock(args) => unlock::unlock(&args, world),
        StoreVerb::Lock => unlock::lock(world),
    }
}

fn test(args: &TestArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let paths = Paths::find(&*world.env);
    let store = match &args.profile {
        Some(name) => {
            let who = named(world, global, name)?;
            if let Some(shared) = who.store.shared() {
                return test_shared(world, &who, shared);
            }
            who.store
        }
        None => {
            let kind = args.store.map_or_else(|| of_a_new_login(world), Ok)?;
            store_of(world, kind, &paths)?
        }
    };
    let name = format!("test-{}", &random_hex(world)[..8]);
    let took = try_out(&*store, &name, &|| world.clock.elapsed()).map_err(|e| match e {
        // nobody has a policy for that name
        StoreError::NotAllowed { place, .. } => StoreError::NotAllowed { place, profile: None },
        e => e,
    })?;
    let took = ["written", "read", "deleted"]
        .iter()
        .zip(took)
        .map(|(what, took)| format!("{what} in {} ms", took.as_millis()));
    print(world, format!("{}: {}\n", store.place(), took.collect::<Vec<_>>().join(", ")).as_bytes())?;
    Ok(0)
}

fn named(world: &mut World, global: &Global, name: &str) -> Result<Who, Error> {
    let profile = Some(name.to_owned());
    Who::open(world, Overrides { profile, no_cache: global.no_cache, ..Overrides::default() })
}

/// Where many machines share a record, a job may write that one alone: no other one is tried.
fn test_shared(world: &mut World, who: &Who, shared: &dyn Shared) -> Result<u8, Error> {
    let began = world.clock.elapsed();
    let found = shared.peek(&who.name)?.map_or("no record yet", |_| "read");
    let read = world.clock.elapsed();
    let writes = match who.store.writable(&who.name) {
        Ok(()) => "may be written",
        Err(StoreError::NotAllowed { .. }) => "may not be written by this job",
        Err(e) => return Err(e.into()),
    };
    let took = [read - began, world.clock.elapsed() - read].map(|took| took.as_millis());
    let line = format!("{}: {found} in {} ms, {writes} (asked in {} ms)\n", who.store.place(), took[0], took[1]);
    print(world, line.as_bytes())?;
    Ok(0)
}

fn policy(args: &PolicyArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let kind = match &args.profile {
        Some(name) if is_configured(world, name)? => named(world, global, name)?.store.kind(),
        // a job needs it before its first login
        _ => of_a_new_login(world)?,
    };
    let StoreKind::Vault(place) = kind else {
        return Err(Error::usage(format!("the store `{}` has no policies: only `vault` has", kind.name())));
    };
    print(world, vault::policy(place, args.profile.as_deref()).as_bytes())?;
    Ok(0)
}

fn is_configured(world: &World, name: &str) -> Result<bool, Error> {
    config::check_profile_name(name)?;
    let config = Paths::find(&*world.env).config.map(|dir| Config::load_for(&dir, name)).transpose()?;
    Ok(config.is_some_and(|config| config.profiles.contains_key(name)))
}

/// The store of a profile that names none.
fn of_a_new_login(world: &World) -> Result<StoreKind, Error> {
    let config = Paths::find(&*world.env).config.map_or(Ok(Config::default()), |dir| Config::load(&dir))?;
    Ok(usual_store(world, &config)?.0)
}

fn migrate(args: &MigrateArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let (from, to) = (args.from, args.to);
    if let Some(kind) = [from, to].into_iter().find(|kind| !kind.keeps()) {
        return Err(Error::usage(format!("the store `{}` keeps no records", kind.name())));
    }
    if from == to {
        return Err(Error::usage("both stores are the same"));
    }
    if let Some(name) = world.env.var("OAUTHCTL_STORE") {
        let why = format!("OAUTHCTL_STORE chooses the store `{}` for every command", safe(&name));
        return Err(Error::new(Kind::Usage, why).hint("unset it: each profile names its store then"));
    }
    let base = Overrides { implied: true, no_cache: global.no_cache, ..Overrides::default() };
    let moved = migration::migrate(world, &base, (from, to))?;
    let names: Vec<String> = moved.iter().map(|name| format!("`{}`", safe(name))).collect();
    match names.is_empty() {
        true => world.say(&format!("No profile has the store `{}`.", from.name())),
        false => {
            world.say(&format!("Moved {} to `{}`: {}.", count(names.len(), "profile"), to.name(), names.join(", ")))
        }
    }
    Ok(0)
}
