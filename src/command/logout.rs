//! `logout`: revokes the tokens if the provider supports it, then deletes them. Where that can't be
//! tried, or may succeed later, they are kept for another `logout`.

use clap::Args;

use crate::command::{Global, WhoArgs, every_profile, register, sandbox_session};
use crate::error::{Error, Kind};
use crate::session::lock::Lock;
use crate::session::matching::elsewhere;
use crate::session::paths::Paths;
use crate::session::record::Record;
use crate::session::{Overrides, Session, forget, migration, orphan, sealed_files};
use crate::store::StoreKind;
use crate::text::{pasted, safe};
use crate::world::World;

/// The fate of a token that is not revoked.
pub const STAYS_VALID: &str = "it stays valid until it expires, or until you remove the app in your account there";

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl logout work
  oauthctl logout work --local-only
  oauthctl logout --all")]
pub struct LogoutArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// Every profile.
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
    /// Delete the tokens here; don't contact the provider.
    #[arg(long)]
    pub local_only: bool,
}

pub fn run(args: LogoutArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    if !args.all {
        let session = one(world, args.who.choice(global), args.local_only)?;
        for orphan in orphan::aside(world, &session) {
            world.say(&told(&orphan));
        }
        return Ok(0);
    }
    let mut all = every_profile(world, global, &args.who.flags)?;
    let paths = Paths::find(&*world.env);
    let (orphans, troubles) =
        orphan::all(world, &paths, paths.readable_config().as_ref(), args.who.flags.profile.store);
    for orphan in orphans {
        // a job with a configuration of its own must not delete records of the user's others
        if world.env.var("OAUTHCTL_CONFIG_DIR").is_some() {
            world.say(&told(&orphan));
            continue;
        }
        let base = Overrides { implied: true, no_cache: global.no_cache, ..Overrides::default() };
        all.push((orphan.name.clone(), orphan.choice(base)));
    }
    let mut failed = Vec::new();
    for (name, choice) in all {
        if let Err(e) = one(world, choice, args.local_only) {
            failed.push((name, e));
        }
    }
    for e in troubles.iter().filter(|_| failed.is_empty()) {
        world.say(&format!("{}: other records in this store can't be listed", e));
    }
    if let Ok(store) = sealed_files(world, &paths)
        && !store.has_passphrase().unwrap_or(true)
    {
        // nothing is left that its key opens
        store.lock();
    }
    Error::if_any(failed, "not every profile could be logged out").map(|()| 0)
}

fn one(world: &mut World, choice: Overrides, local_only: bool) -> Result<Session, Error> {
    let mut session = sandbox_session::open(world, Overrides { leaving: true, ..choice })?;
    session.look_further(world)?;
    if let Some(variant) = &session.variant {
        return Err(Error::usage(format!("`{}` is for another token of the login", variant.words()))
            .because("a logout ends the login with all its tokens")
            .hint(format!("oauthctl logout {}", pasted(&session.name))));
    }
    let name = session.name.clone();
    let kind = session.store.kind();
    if matches!(kind, StoreKind::Environment | StoreKind::None) {
        return keeps_nothing(world, &session).map(|()| session);
    }
    // a refresh in another process ends first, so that its token is revoked too
    let lock = match session.lock(world) {
        // the lease of a team's record is in it: where it can't be read, there is none to wait for
        Err(e) if local_only && e.kind == Kind::Store => session.lock_here(world)?,
        lock => lock?,
    };
    let record = match session.load_if_any(world) {
        Ok(record) => record,
        // a record that can't be read can be deleted
        Err(e) if local_only && e.kind == Kind::Store => {
            session.delete(world, &lock)?;
            world.say(&format!("{name}: deleted here, unread ({})", e));
            return Ok(session);
        }
        Err(e) => return Err(e),
    };
    if let Some(record) = record.as_ref().filter(|_| !local_only)
        && let Some(place) = migration::lives_in(world, &session, record)?
    {
        session.delete(world, &lock)?;
        world.say(&format!("{name}: deleted in {}; the login goes on in {place}", session.store.in_words()));
        return Ok(session);
    }
    let record = match record {
        Some(record) if record.token.is_some() => record,
        // a logout of before could not revoke them
        Some(mut record) if !record.unrevoked.is_empty() => Record { token: record.unrevoked.pop(), ..record },
        record => return without_token(world, &session, record, &lock).map(|()| session),
    };
    // what a flag or a variable says is said for this command
    if !local_only && session.said_client_id(world).is_none() && elsewhere(&session, &record).is_some() {
        session.go_back(&record);
        session = sandbox_session::served(session);
    }
    if let Some(moved) = elsewhere(&session, &record).filter(|_| !local_only) {
        let mut refused = moved.refused(&session.typed);
        let delete = format!("`{} --local-only` deletes it here, and revokes nothing", session.typed.line("logout"));
        refused.hints.insert(0, delete);
        return Err(refused);
    }
    end(world, &mut session, (record, &lock), local_only).map(|()| session)
}

/// Revokes the tokens, and deletes them.
fn end(
    world: &mut World,
    session: &mut Session,
    (record, lock): (Record, &Lock),
    local_only: bool,
) -> Result<(), Error> {
    let name = session.name.clone();
    let (record, revoked) = match local_only {
        true => (record, Ok(Some("it was not revoked at the provider"))),
        // `export --to` gave it away
        false if record.moved_to.is_some() => (record, Ok(Some("it is another machine's, and was not revoked"))),
        false => forget::revoke(world, session, record, lock)?,
    };
    if let Err(e) = &revoked
        && forget::may_be_mended(e)
    {
        forget::put_off(world, session, record, lock)?;
        let again = session.typed.line("logout");
        return revoked.map(drop).map_err(|e| {
            e.context(format!("`{name}` is logged out here, and its token is not revoked yet"))
                .hint(format!("`{again}` tries again; with `--local-only` it deletes the token, unrevoked"))
        });
    }
    let stays = forget::forget(world, session, &record, lock)?;
    let kept = if stays { kept(session, &record) } else { String::new() };
    match revoked {
        Ok(Some(words)) => world.say(&format!("{name}: deleted here; {words}{kept}")),
        Ok(None) => {
            let provider = session.raw_provider().map_or_else(|_| session.provider_name().to_owned(), |p| p.name);
            world.say(&format!("{name}: deleted here; {}{kept}", irrevocable(&provider)));
        }
        Err(e) => {
            world.say(&format!("{name}: deleted here{kept}"));
            let message = format!("the token of `{name}` was deleted here, but not revoked at the provider");
            // there is no token left for another attempt
            return Err(e.context(message).hint(STAYS_VALID));
        }
    }
    Ok(())
}

/// Says that a token can't be revoked.
pub fn irrevocable(provider: &str) -> String {
    format!("{} does not support revoking a token: {STAYS_VALID}", safe(provider))
}

/// Says what remains after a logout; follows another sentence.
fn kept(session: &Session, record: &Record) -> String {
    let remove = session.typed.line("profile remove");
    let secret = record.client_secret.as_ref().map(|_| format!("; the client secret stays (`{remove}` deletes it)"));
    let client = register::stays(record, &session.typed).map(|stays| format!("; {stays}"));
    secret.into_iter().chain(client).collect()
}

/// Logs out of a store that stores nothing.
fn keeps_nothing(world: &mut World, session: &Session) -> Result<(), Error> {
    let name = &session.name;
    let variable = session.token_variable(world);
    if session.store.kind() == StoreKind::Environment && world.env.var(&variable).is_some() {
        return Err(
            Error::usage(format!("the token of `{name}` comes from the environment")).hint(format!("unset {variable}"))
        );
    }
    session.raw_provider()?;
    world.say(&format!("{name}: the store `{}` has nothing to delete", session.store.kind().name()));
    Ok(())
}

/// Deletes the rest of a refused refresh or of an unfinished login.
fn without_token(world: &mut World, session: &Session, record: Option<Record>, lock: &Lock) -> Result<(), Error> {
    let typed = match record.as_ref().is_some_and(|record| record.unfinished.is_some()) {
        true => "; the answers given to a login are deleted",
        false => "",
    };
    let found = record.is_some();
    forget::leftovers(world, session, record, lock)?;
    if !found {
        session.raw_provider()?;
    }
    world.say(&format!("{}: no token is stored{typed}", session.name));
    Ok(())
}

/// Reports a record without a profile, and what can be done with it.
pub fn told(orphan: &orphan::Orphan) -> String {
    let (words, advice) = orphan.told();
    format!("{words}: {advice}")
}
