//! `list`: every profile and how its token stands.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::api::table::aligned;
use crate::command::logout::told;
use crate::command::{Global, print, screen};
use crate::config::{Config, Profile};
use crate::error::Error;
use crate::session::paths::Paths;
use crate::session::standing::{Standing, standing};
use crate::session::{Choice, Session, nobodys, orphan, usual_store};
use crate::text::times;
use crate::text::{safe, wrapped};
use crate::world::World;
use crate::world::keychain::AskedOnce;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl list
  oauthctl list --format json")]
pub struct ListArgs {
    /// The form of the output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns, for a person.
    Table,
    /// An array, for a program.
    Json,
}

pub fn run(args: ListArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let paths = Paths::find(&*world.env);
    // a variable that names no store is a mistake without a profile too
    usual_store(world, &paths)?;
    let dir = paths.config.clone();
    let config = dir.as_deref().map(Config::load).transpose()?.unwrap_or_default();
    world.keychain = Arc::new(AskedOnce::new(world.keychain.clone()));
    let mut all = Vec::new();
    for name in config.profiles.keys() {
        let provider = dir.as_deref().and_then(|dir| nobodys(dir, &config, name));
        let flags = Profile { provider, ..Profile::default() };
        let choice = Choice {
            profile: Some(name.clone()),
            implied: true,
            no_cache: global.no_cache,
            flags,
            ..Choice::default()
        };
        let session = Session::open_configured(world, choice, &config, name)?;
        all.push(standing(world, &session));
    }
    // JSON is for programs: they get profiles, and a person the rest
    let (orphans, _) = orphan::all(world, &paths, None);
    for orphan in &orphans {
        world.say(&told(orphan));
    }
    match args.format {
        Format::Json => {
            let list: Vec<Value> = all.iter().map(|s| as_json(world, s)).collect();
            print(world, format!("{}\n", Value::Array(list)).as_bytes())?;
        }
        Format::Table if all.is_empty() && !orphans.is_empty() => {}
        Format::Table if all.is_empty() => world.say("There is no profile yet. To try it: oauthctl login sandbox"),
        Format::Table => {
            let text = table(world, &all, screen(world));
            print(world, text.as_bytes())?;
        }
    }
    Ok(0)
}

pub fn as_json(world: &World, s: &Standing) -> Value {
    let mut object = json!({
        "profile": s.profile, "provider": s.provider, "grant": s.grant.name(), "store": s.store, "state": s.state,
    });
    if let Some(e) = &s.trouble {
        object["trouble"] = e.message.as_str().into();
    }
    if let Some(record) = &s.record {
        if let Some(account) = &record.account {
            object["account"] = account.as_str().into();
        }
        if let Some(id) = &record.client_id {
            object["client_id"] = id.as_str().into();
        }
        if let Some(set) = &record.token {
            object["token"] = set.access_token.fingerprint().into();
            object["renewable"] = (set.refresh_token.is_some() || !s.grant.needs_person()).into();
            if let Some(at) = set.expires_at {
                object["expires_at"] = times::rfc3339(at).into();
                object["expires_in"] = (at - world.clock.now()).into();
            }
            if let Some(scopes) = &set.scopes {
                object["scopes"] = scopes.clone().into();
            }
        }
    }
    object
}

/// As wide as it must be, and on a screen of so many columns no wider than that.
fn table(world: &World, all: &[Standing], width: Option<usize>) -> String {
    let now = world.clock.now();
    let heads = ["PROFILE", "PROVIDER", "ACCOUNT", "GRANT", "TOKEN", "EXPIRES", "STORE"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for s in all {
        let set = s.record.as_ref().and_then(|r| r.token.as_ref());
        let expires = match set.map(|set| set.expires_at) {
            Some(Some(at)) if at > now => format!("in {}", times::span(at - now)),
            Some(Some(at)) => format!("{} ago", times::span(now - at)),
            _ => "-".to_owned(),
        };
        rows.push(vec![
            safe(&s.profile),
            safe(&s.provider),
            s.record.as_ref().and_then(|r| r.account.as_deref()).map_or("-".to_owned(), safe),
            s.grant.name().to_owned(),
            s.state.to_owned(),
            expires,
            s.store.to_owned(),
        ]);
    }
    let fits = |rows: &[Vec<String>]| {
        aligned(rows, None).lines().all(|line| line.chars().count() <= width.unwrap_or(usize::MAX))
    };
    if fits(&rows) {
        return aligned(&rows, None);
    }
    // the account alone may be shortened: a profile's name is typed, the others are words
    let longest = rows.iter().map(|row| row[ACCOUNT].chars().count()).max().unwrap_or_default();
    let shortened = (SHORTEST_ACCOUNT..longest).rev().map(|most| {
        let mut rows = rows.clone();
        rows.iter_mut().for_each(|row| row[ACCOUNT] = cut(&row[ACCOUNT], most));
        rows
    });
    match shortened.into_iter().find(|rows| fits(rows)) {
        Some(rows) => aligned(&rows, None),
        None => stacked(&rows, width.unwrap_or_default()),
    }
}

/// The column of the account.
const ACCOUNT: usize = 2;
/// A shorter account says nothing.
const SHORTEST_ACCOUNT: usize = 12;

fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// A profile below the other, its columns as lines, where no table fits.
fn stacked(rows: &[Vec<String>], width: usize) -> String {
    let Some((heads, rows)) = rows.split_first() else { return String::new() };
    let one = |row: &Vec<String>| {
        let lines = heads.iter().zip(row).skip(1).filter(|(_, cell)| *cell != "-");
        let lines = lines.map(|(head, cell)| wrapped(&format!("  {:9} {cell}", head.to_lowercase()), width, 12) + "\n");
        format!("{}\n{}", row[0], lines.collect::<String>())
    };
    rows.iter().map(one).collect::<Vec<_>>().join("\n")
}
