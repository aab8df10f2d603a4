//! `run`: a command that finds tokens in its environment. It takes this process's place, and so
//! keeps the terminal, the signals and its exit code.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use crate::command::token::{mask, warn_of_lifetime};
use crate::command::{Global, WhoFlags, duration, not_run, sandbox_session};
use crate::config::Config;
use crate::error::Error;
use crate::session::fresh::{FreshnessPolicy, fresh, fresh_id_token};
use crate::session::paths::Paths;
use crate::store::environment::variable_name;
use crate::text::{pasted, safe};
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "A token in the environment can't be refreshed while the command runs: `--min-ttl` says how long it will
run at least. Another `oauthctl` below the command uses OAUTHCTL_<PROFILE>_TOKEN as it is.

Examples:
  oauthctl run work -- make deploy
  oauthctl run --env NPM_TOKEN=registry --env GH_TOKEN=work -- npm ci"
)]
pub struct RunArgs {
    /// The profiles whose tokens the command gets [default: the only one, or `default-profile`]
    #[arg(value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// The variable that gets the token, of one of several profiles with its name; may be given
    /// several times [default: OAUTHCTL_<PROFILE>_TOKEN]
    #[arg(long = "env", value_name = "VAR[=PROFILE]", value_parser = variable)]
    pub variables: Vec<(String, Option<String>)>,
    /// Ask for tokens that are valid for at least this time: `60s`, `5m`, `2h`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub min_ttl: Option<Duration>,
    /// Give the profiles' ID tokens in the place of their access tokens.
    #[arg(long)]
    pub id_token: bool,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (name, profile) = text.split_once('=').map_or((text, None), |(name, profile)| (name, Some(profile)));
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.starts_with(|c: char| word(c) && !c.is_ascii_digit()) || !name.chars().all(word) || profile == Some("") {
        return Err("write it as `VARIABLE` or `VARIABLE=PROFILE`".to_owned());
    }
    Ok((name.to_owned(), profile.map(str::to_owned)))
}

pub fn run(args: &RunArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut environment: Vec<(String, OsString)> = Vec::new();
    for (profile, variables) in wanted(args)? {
        let choice = WhoFlags::default().choice(profile, global);
        let mut session = sandbox_session::open(world, choice)?;
        let min_ttl = args.min_ttl.map(|time| time.as_secs() as i64);
        let obtain = if args.id_token { fresh_id_token } else { fresh };
        let set = obtain(world, &mut session, FreshnessPolicy { min_ttl, ..FreshnessPolicy::default() })?;
        warn_of_lifetime(world, &set, min_ttl);
        mask(world, set.access_token.expose());
        let usual = variable_name(&session.name);
        if variables.is_empty() {
            is_for_one(world, &session.name, &usual)?;
        }
        for name in if variables.is_empty() { vec![usual] } else { variables } {
            if environment.iter().any(|(known, _)| *known == name) {
                return Err(Error::usage(format!("`{name}` would hold two tokens"))
                    .hint(format!("--env VARIABLE={}", pasted(&session.name))));
            }
            environment.push((name, set.access_token.expose().into()));
        }
    }
    world.programs.run_instead(&args.command, &environment).map_err(|e| not_run(&args.command, e))
}

/// Another `oauthctl` below the command would take the token for that of a profile whose variable
/// has the same name.
fn is_for_one(world: &World, profile: &str, variable: &str) -> Result<(), Error> {
    let dir = Paths::find(&*world.env).config.unwrap_or_default();
    let profiles = Config::load(&dir)?.profiles;
    match profiles.keys().find(|other| *other != profile && variable_name(other) == variable) {
        None => Ok(()),
        Some(other) => {
            Err(Error::usage(format!("`{variable}` is the variable of `{}` and of `{}`", safe(profile), safe(other)))
                .hint(format!("--env VARIABLE={}", pasted(profile))))
        }
    }
}

/// A profile, and the variables that get its token; where one is missing, the usual one is meant.
type Wanted = (Option<String>, Vec<String>);

/// Each profile once.
fn wanted(args: &RunArgs) -> Result<Vec<Wanted>, Error> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let own = match &args.profiles[..] {
        [] => None,
        [first, ..] => Some(first.clone()),
    };
    let said = args.variables.iter().map(|(name, profile)| (profile.clone(), Some(name)));
    let plain = args.profiles.iter().map(|profile| (Some(profile.clone()), None));
    let nothing = args.profiles.is_empty() && args.variables.is_empty();
    for (profile, name) in said.chain(plain).chain(nothing.then_some((None, None))) {
        if let (None, Some(name)) = (&profile, name)
            && args.profiles.len() > 1
        {
            return Err(Error::usage(format!("`--env {name}` is for one profile, and there are several"))
                .hint(format!("--env {name}={}", safe(&args.profiles[0]))));
        }
        let profile = profile.or_else(|| own.clone());
        let at = wanted.iter().position(|(known, _)| *known == profile).unwrap_or_else(|| {
            wanted.push((profile, Vec::new()));
            wanted.len() - 1
        });
        wanted[at].1.extend(name.cloned());
    }
    Ok(wanted)
}
