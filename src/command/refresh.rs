//! `refresh`: refreshes the token now, and prints its expiry.

use std::time::Duration;

use clap::Args;

use crate::command::token::warn_of_lifetime;
use crate::command::{Global, WhoArgs, duration, every_profile, sandbox_session};
use crate::error::{Error, Kind};
use crate::session::fresh::{FreshnessPolicy, fresh};
use crate::session::standing::standing;
use crate::session::{Overrides, Session};
use crate::text::times;
use crate::token::Freshness;
use crate::world::World;

/// `--due`, with or without a time.
type Due = Option<Option<Duration>>;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl refresh work
  oauthctl refresh --all
  oauthctl refresh --all --due 10m")]
pub struct RefreshArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// Refresh every profile that has a token.
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
    /// Only a token that is about to expire, or that expires within this time: `10m`.
    #[arg(long, value_name = "TIME", value_parser = duration, num_args = 0..=1)]
    pub due: Option<Option<Duration>>,
}

pub fn run(args: RefreshArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    if !args.all {
        let mut session = sandbox_session::open(world, args.who.choice(global))?;
        return one(world, &mut session, (true, args.due)).map(|()| 0);
    }
    let mut failed = Vec::new();
    for (name, choice) in every_profile(world, global, &args.who.flags)? {
        if let Err(e) = one_of_all(world, choice, args.due) {
            failed.push((name, e));
        }
    }
    Error::if_any(failed, "not every profile could be refreshed").map(|()| 0)
}

/// For `--all`: a profile without a login is told, and so is a login that can't be refreshed here
/// and is still of use. A dead login is an error every time: nobody may have seen the first one.
fn one_of_all(world: &mut World, choice: Overrides, due: Due) -> Result<(), Error> {
    let mut session = sandbox_session::open(world, choice)?;
    one(world, &mut session, (false, due)).or_else(|e| {
        if e.kind != Kind::LoginFirst || is_dead(world, &session, due) {
            return Err(e);
        }
        world.say(&format!("{}: {}", session.name, e));
        Ok(())
    })
}

/// Whether the login that could not be refreshed has to be replaced by another one.
fn is_dead(world: &World, session: &Session, due: Due) -> bool {
    let standing = standing(world, session);
    let Some(record) = standing.record else { return standing.trouble.is_some() };
    match &record.token {
        None => record.ended.is_some(),
        // it is renewed on the other machine
        Some(_) if record.moved_to.is_some() => false,
        Some(set) => due.is_some() || set.freshness(world.clock.now(), None) == Freshness::Expired,
    }
}

/// `takes_back`: even a login that went to another machine. `due`: nothing is done to a token that
/// lives longer.
fn one(world: &mut World, session: &mut Session, (takes_back, due): (bool, Due)) -> Result<(), Error> {
    // at least 0: where no refresh succeeds, a token that is still valid is no success
    let min_ttl = due.map(|time| time.unwrap_or_default().as_secs() as i64);
    let want =
        FreshnessPolicy { force: due.is_none(), min_ttl, insists: true, takes_back, ..FreshnessPolicy::default() };
    let began = world.clock.now();
    let set = fresh(world, session, want)?;
    warn_of_lifetime(world, &set, min_ttl);
    let expiry = times::good_until(set.expires_at, world.clock.now());
    let asked = session.variant.as_ref().map(|variant| format!(" ({})", variant.words())).unwrap_or_default();
    let done = if due.is_some() && set.received_at < began { "fresh" } else { "refreshed" };
    world.say(&format!("{}{asked}: {done}, {expiry}", session.name));
    Ok(())
}
