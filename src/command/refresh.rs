//! `refresh`: refreshes the token now, and prints its expiry.

use std::time::Duration;

use clap::Args;

use crate::command::token::warn_of_lifetime;
use crate::command::{Global, WhoArgs, duration, every_profile, sandbox_session};
use crate::error::{Error, Fate, Kind};
use crate::session::Overrides;
use crate::session::fresh::{FreshnessPolicy, fresh};
use crate::text::times;
use crate::world::World;

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
        return one(world, args.who.choice(global), (true, args.due)).map(|()| 0);
    }
    let mut failed = Vec::new();
    for (name, choice) in every_profile(world, global, &args.who.flags)? {
        match one(world, choice, (false, args.due)) {
            Ok(()) => {}
            // a profile without a token is no failure of `--all`
            Err(e) if e.kind == Kind::LoginFirst && e.fate != Fate::Refused => world.say(&format!("{name}: {}", e)),
            Err(e) => failed.push((name, e)),
        }
    }
    Error::if_any(failed, "not every profile could be refreshed").map(|()| 0)
}

/// `takes_back`: even a login that went to another machine. `due`: nothing is done to a token that
/// lives longer.
fn one(world: &mut World, choice: Overrides, (takes_back, due): (bool, Option<Option<Duration>>)) -> Result<(), Error> {
    let mut session = sandbox_session::open(world, choice)?;
    // at least 0: where no refresh succeeds, a token that is still valid is no success
    let min_ttl = due.map(|time| time.unwrap_or_default().as_secs() as i64);
    let want =
        FreshnessPolicy { force: due.is_none(), min_ttl, insists: true, takes_back, ..FreshnessPolicy::default() };
    let began = world.clock.now();
    let set = fresh(world, &mut session, want)?;
    warn_of_lifetime(world, &set, min_ttl);
    let expiry = times::good_until(set.expires_at, world.clock.now());
    let asked = session.variant.as_ref().map(|variant| format!(" ({})", variant.words())).unwrap_or_default();
    let done = if due.is_some() && set.received_at < began { "fresh" } else { "refreshed" };
    world.say(&format!("{}{asked}: {done}, {expiry}", session.name));
    Ok(())
}
