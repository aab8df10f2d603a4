//! `logout`: revokes where the provider can, says honestly where it can't, then forgets. A person's
//! act wins: a provider that can't be reached is told of, and keeps no token on this machine.

use clap::Args;

use crate::command::{Global, WhoArgs, every_profile, practice, register};
use crate::error::{Error, Kind};
use crate::session::lock::Lock;
use crate::session::paths::Paths;
use crate::session::record::Record;
use crate::session::whose::elsewhere;
use crate::session::{Choice, Session, forget, orphan};
use crate::store::StoreKind;
use crate::text::safe;
use crate::world::World;

/// Of a token that is not revoked.
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
    /// Forget here, and leave the provider alone.
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
    let (orphans, troubles) = orphan::all(world, &Paths::find(&*world.env), args.who.flags.profile.store);
    for orphan in orphans {
        // with a configuration of its own, a job has no say over what the person's other ones have
        // in the same store
        if world.env.var("OAUTHCTL_CONFIG_DIR").is_some() {
            world.say(&told(&orphan));
            continue;
        }
        let base = Choice { implied: true, no_cache: global.no_cache, ..Choice::default() };
        all.push((orphan.name.clone(), orphan.choice(base)));
    }
    let mut failed = None;
    for (name, choice) in all {
        if let Err(e) = one(world, choice, args.local_only) {
            world.say(&format!("{name}: {}", e.as_text(false).trim_end()));
            failed = Some(e.kind);
        }
    }
    for e in troubles.iter().filter(|_| failed.is_none()) {
        world.say(&format!("{}: whether anything is kept there that no profile has can't be seen", e.message));
    }
    match failed {
        None => Ok(0),
        Some(kind) => Err(Error::new(kind, "not every profile could be logged out").hint("the lines above say why")),
    }
}

fn one(world: &mut World, choice: Choice, local_only: bool) -> Result<Session, Error> {
    let mut session = practice::open(world, choice)?;
    session.look_further(world)?;
    let name = session.name.clone();
    let kind = session.store.kind();
    if matches!(kind, StoreKind::Environment | StoreKind::None) {
        return keeps_nothing(world, &session).map(|()| session);
    }
    // a renewal that is under way ends first: its token is revoked too, and nothing comes back
    // afterwards
    let lock = session.lock(world)?;
    let record = match session.load_if_any(world) {
        Ok(record) => record,
        // what can't be read can be forgotten all the same
        Err(e) if local_only && e.kind == Kind::Store => {
            session.delete(world, &lock)?;
            world.say(&format!("{name}: forgotten here, unread ({})", e.message));
            return Ok(session);
        }
        Err(e) => return Err(e),
    };
    let record = match record {
        Some(record) if record.token.is_some() => record,
        record => return without_token(world, &session, record, &lock).map(|()| session),
    };
    if let Some(moved) = elsewhere(&session, &record).filter(|_| !local_only) {
        let mut refused = moved.refused(&session.typed);
        let forget =
            format!("`{} --local-only` forgets it here, and asks nobody to revoke it", session.typed.line("logout"));
        refused.hints.insert(0, forget);
        return Err(refused);
    }
    let (record, revoked) = match local_only {
        true => (record, Ok(Some("the provider was not asked to revoke it"))),
        false => forget::revoke(world, &mut session, record, &lock)?,
    };
    forget::forget(world, &session, &record, &lock)?;
    let kept = what_stays(&session, &record);
    match revoked {
        Ok(Some(words)) => world.say(&format!("{name}: forgotten here; {words}{kept}")),
        Ok(None) => {
            let provider =
                session.raw_provider().map(|p| p.name).unwrap_or_else(|_| session.provider_name().to_owned());
            world.say(&format!(
                "{name}: forgotten here; {} offers no way to revoke a token from outside: {STAYS_VALID}{kept}",
                safe(&provider)
            ));
        }
        Err(e) => {
            world.say(&format!("{name}: forgotten here{kept}"));
            let message = format!("the token of `{name}` was forgotten here, but not revoked at the provider");
            let causes = [vec![e.message.clone()], e.causes.clone()].concat();
            // nothing is left here to try again with
            return Err(Error { message, causes, ..e }.hint(STAYS_VALID));
        }
    }
    Ok(session)
}

/// What a logout leaves, in words that follow others.
fn what_stays(session: &Session, record: &Record) -> String {
    let kept = if record.client_secret.is_some() {
        format!("; the client secret is kept (`{}` forgets it too)", session.typed.line("profile remove"))
    } else {
        String::new()
    };
    match register::stays(record, &session.typed) {
        Some(stays) => format!("{kept}; {stays}"),
        None => kept,
    }
}

/// The stores that nothing is forgotten in.
fn keeps_nothing(world: &mut World, session: &Session) -> Result<(), Error> {
    let name = &session.name;
    let variable = session.token_variable(world);
    if session.store.kind() == StoreKind::Environment && world.env.var(&variable).is_some() {
        return Err(
            Error::usage(format!("the token of `{name}` comes from the environment")).hint(format!("unset {variable}"))
        );
    }
    session.raw_provider()?;
    world.say(&format!("{name}: the store `{}` keeps nothing that could be forgotten", session.store.kind().name()));
    Ok(())
}

/// Forgets what a refused renewal or an unfinished login left.
fn without_token(world: &mut World, session: &Session, record: Option<Record>, lock: &Lock) -> Result<(), Error> {
    let typed = match record.as_ref().is_some_and(|record| record.unfinished.is_some()) {
        true => "; what was typed for a login is forgotten",
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

/// That a record is there which no profile names, and how to forget it.
pub fn told(orphan: &orphan::Orphan) -> String {
    format!(
        "{} keeps the record `{}`, which no profile in config.toml names: `{}` forgets it",
        orphan.place,
        safe(&orphan.name),
        orphan.logout()
    )
}
