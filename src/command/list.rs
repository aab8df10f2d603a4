//! `list`: every profile, and the state of its token.

use std::borrow::Cow;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::api::format::table::aligned;
use crate::command::logout::told;
use crate::command::{Global, print, screen};
use crate::config::{Config, Profile};
use crate::error::Error;
use crate::secret::passing;
use crate::session::paths::{Paths, Stores};
use crate::session::record::End;
use crate::session::standing::{Standing, UNREADABLE, standing};
use crate::session::{Overrides, Who, orphan, placeholder_provider, usual_store};
use crate::text::times;
use crate::text::{pasted, safe, wrapped};
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
    // an unknown store in a variable is an error even without a profile
    usual_store(world, &Config::default())?;
    world.keychain = Arc::new(AskedOnce::new(world.keychain.clone()));
    let (mut rows, mut objects) = (vec![HEADS.map(Cow::Borrowed)], "[".to_owned());
    let known = each(world, global, |world, _, standing| {
        warn_of_end(world, &standing);
        if let Some(why) = standing.record.as_ref().and_then(|record| record.ended.as_deref()) {
            let (name, login) = (safe(&standing.profile), pasted(&standing.profile));
            world.warn(&format!("the provider ended the login of `{name}` ({}): oauthctl login {login}", safe(why)));
        }
        match args.format {
            Format::Json => {
                let object = serde_json::to_string(&Shown::of(world, &standing));
                objects.extend([&*object.expect("texts and numbers are JSON"), ","]);
            }
            Format::Table => rows.push(row(world, &standing)),
        }
    })?;
    let faults = known.as_ref().map(|(config, _)| &config.faults).into_iter().flatten();
    let mut failed = Vec::new();
    for (name, fault) in faults {
        let object = json!({ "profile": name, "state": UNREADABLE, "trouble": fault.message });
        objects.push_str(&format!("{object},"));
        rows.push([&safe(name), "-", "-", "-", UNREADABLE, "-", "-"].map(|cell| cell.to_owned().into()));
        failed.push((name.clone(), fault.clone().into()));
    }
    // JSON has the profiles alone; a message names the other records
    let (orphans, _) = orphan::all(world, &paths, known.as_ref(), None);
    for orphan in &orphans {
        world.say(&told(orphan));
    }
    match args.format {
        Format::Json => {
            objects.truncate(objects.trim_end_matches(',').len());
            print(world, (objects + "]\n").as_bytes())?;
        }
        Format::Table if rows.len() == 1 && !orphans.is_empty() => {}
        Format::Table if rows.len() == 1 => world.say("There is no profile yet. To try it: oauthctl login sandbox"),
        Format::Table => print(world, table(&rows, screen(world)).as_bytes())?,
    }
    Error::if_any(failed, "not every profile could be read").map(|()| 0)
}

/// Looks at each profile in turn: of a hundred thousand, neither settings nor records are all held
/// at once. Returns the rest of the configuration, with the faults of profiles that can't be read,
/// and the others' stores.
pub fn each(
    world: &mut World,
    global: &Global,
    mut look: impl FnMut(&mut World, &Who, Standing),
) -> Result<Option<(Config, Stores)>, Error> {
    let paths = Paths::find(&*world.env);
    let (mut stores, shared) = (Stores::new(), Rc::default());
    let mut one = |config: &mut Config| -> Result<(), Error> {
        let Some(name) = config.profiles.keys().next() else { return Ok(()) };
        stores.extend(config.stores());
        let dir = paths.config.as_deref().unwrap_or(Path::new(""));
        let flags = Profile { provider: placeholder_provider(dir, config, name), ..Profile::default() };
        let choice = Overrides {
            profile: Some(name.clone()),
            implied: true,
            no_cache: global.no_cache,
            flags,
            ..Overrides::default()
        };
        let who = Who::open_configured(world, choice, (&paths, config, &shared), name)?;
        let standing = passing(|| standing(world, &who));
        look(world, &who, standing);
        Ok(())
    };
    let dir = paths.config.as_deref();
    Ok(dir.map(|dir| Config::each(dir, |config| one(config))).transpose()?.map(|rest| (rest, stores)))
}

/// Warns of a login that ends soon, or has ended: only the user can sign in again.
pub fn warn_of_end(world: &mut World, s: &Standing) {
    let now = world.clock.now();
    let Some(End { at, .. }) = s.ends.filter(|end| end.is_near(now)) else { return };
    let left = at - world.clock.now();
    let when = if left > 0 { format!("ends in {}", times::span(left)) } else { "has ended".to_owned() };
    world.warn(&format!("the login of `{}` {when}: oauthctl login {}", safe(&s.profile), pasted(&s.profile)));
}

/// A profile's state as an object. What is not known is left out.
#[derive(Serialize)]
pub struct Shown<'a> {
    profile: &'a str,
    provider: &'a str,
    grant: &'a str,
    store: &'a str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reads_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_ends_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_ends_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a Vec<String>>,
}

impl Shown<'_> {
    pub fn of<'a>(world: &World, s: &'a Standing) -> Shown<'a> {
        let record = s.record.as_ref();
        let set = record.and_then(|r| r.token.as_ref());
        let expires_at = set.and_then(|set| set.expires_at);
        let ends_at = s.ends.map(|end| end.at);
        Shown {
            profile: &s.profile,
            provider: &s.provider,
            grant: s.grant.name(),
            store: s.store,
            state: s.state,
            trouble: s.trouble.as_ref().map(ToString::to_string),
            account: record.and_then(|r| r.account.as_ref()),
            client_id: record.and_then(|r| r.client_id.as_ref()),
            token: set.map(|set| set.access_token.fingerprint()),
            renewable: set.zip(record).map(|(set, record)| {
                set.refresh_token.is_some() || record.withholds("refresh_token") || !s.grant.needs_person()
            }),
            reads_only: record.and_then(|record| record.withheld.as_ref()).map(|_| true),
            expires_at: expires_at.map(times::rfc3339),
            expires_in: expires_at.map(|at| at - world.clock.now()),
            login_ends_at: ends_at.map(times::rfc3339),
            login_ends_in: ends_at.map(|at| at - world.clock.now()),
            ended: record.and_then(|r| r.ended.as_ref()),
            scopes: set.and_then(|set| set.scopes.as_ref()),
        }
    }
}

/// Most cells of most rows are words of the program's own.
type Row = [Cow<'static, str>; 7];

const HEADS: [&str; 7] = ["PROFILE", "PROVIDER", "ACCOUNT", "GRANT", "TOKEN", "EXPIRES", "STORE"];

fn row(world: &World, s: &Standing) -> Row {
    let now = world.clock.now();
    let set = s.record.as_ref().and_then(|r| r.token.as_ref());
    let expires = match set.map(|set| set.expires_at) {
        Some(Some(at)) if at > now => format!("in {}", times::span(at - now)).into(),
        Some(Some(at)) => format!("{} ago", times::span(now - at)).into(),
        _ => "-".into(),
    };
    let account = s.record.as_ref().and_then(|r| r.account.as_deref());
    [
        safe(&s.profile).into(),
        safe(&s.provider).into(),
        account.map_or("-".into(), |account| safe(account).into()),
        s.grant.name().into(),
        s.state.into(),
        expires,
        s.store.into(),
    ]
}

/// Shortened where a screen has fewer columns than the table.
fn table(rows: &[Row], width: Option<usize>) -> String {
    let whole = aligned(rows, None);
    let Some(width) = width else { return whole };
    let fits = |text: &str| text.lines().all(|line| line.chars().count() <= width);
    if fits(&whole) {
        return whole;
    }
    // only the account is shortened: the user types the profile's name, the others are words
    let longest = rows.iter().map(|row| row[ACCOUNT].chars().count()).max().unwrap_or_default();
    let shortened = (SHORTEST_ACCOUNT..longest).rev().map(|most| {
        let mut rows = rows.to_vec();
        rows.iter_mut().for_each(|row| row[ACCOUNT] = cut(&row[ACCOUNT], most).into());
        aligned(&rows, None)
    });
    shortened.into_iter().find(|text| fits(text)).unwrap_or_else(|| stacked(rows, width))
}

/// The column of the account.
const ACCOUNT: usize = 2;
/// A shorter account is of no use.
const SHORTEST_ACCOUNT: usize = 12;

fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// The columns of each profile as lines, for a screen too narrow for a table.
fn stacked(rows: &[Row], width: usize) -> String {
    let Some((heads, rows)) = rows.split_first() else { return String::new() };
    let one = |row: &Row| {
        let lines = heads.iter().zip(row).skip(1).filter(|(_, cell)| *cell != "-");
        let lines = lines.map(|(head, cell)| wrapped(&format!("  {:9} {cell}", head.to_lowercase()), width, 12) + "\n");
        format!("{}\n{}", row[0], lines.collect::<String>())
    };
    rows.iter().map(one).collect::<Vec<_>>().join("\n")
}
