//! `profile`: changes profiles without an editor, and keeps the comments in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::Subcommand;

use crate::command::helper;
use crate::command::logout::told;
use crate::command::{Global, may_ask, sandbox_session};
use crate::config::{self, Config, Profile};
use crate::error::Error;
use crate::secret::Secret;
use crate::session::bound::Scope;
use crate::session::matching::elsewhere;
use crate::session::paths::Paths;
use crate::session::record::{Record, Renaming};
use crate::session::{
    Overrides, Session, kernel_cache, lease, lock, orphan, placeholder_provider, profile_called, renewal, rule,
    secret_to_store,
};
use crate::text::{may_be_token, pasted, safe};
use crate::world::World;

#[derive(Debug, Subcommand)]
pub enum ProfileVerb {
    /// Set a key of a profile: `oauthctl profile set work scopes "a b"`.
    #[command(after_help = "Examples:
  oauthctl profile set work provider getresponse
  oauthctl profile set work scopes read
  oauthctl profile set max vars.domain mail.example.com")]
    Set {
        /// The profile; a new one begins with its `provider`.
        profile: String,
        #[arg(help = format!("The key; {}", config::all_profile_keys()))]
        key: String,
        /// The value; several scopes are separated by spaces.
        value: String,
    },
    /// Store a client secret: typed without echo, or read from a file or (`-`) standard input.
    #[command(after_help = "Examples:
  oauthctl profile set-secret work
  oauthctl profile set-secret work secret.txt")]
    SetSecret {
        /// The profile.
        profile: String,
        /// The file, or `-` [default: a question at the terminal]
        file: Option<String>,
        /// A secret variable of the provider instead; it is moved from config.toml, if set there.
        #[arg(long, value_name = "NAME")]
        var: Option<String>,
    },
    /// Remove a key.
    #[command(after_help = "Examples:
  oauthctl profile unset work scopes")]
    Unset {
        /// The profile.
        profile: String,
        /// The key, as in `profile set`.
        key: String,
    },
    /// Make a profile the default.
    #[command(visible_alias = "use")]
    #[command(after_help = "Examples:
  oauthctl profile default work")]
    Default {
        /// The profile.
        profile: String,
    },
    /// Delete a profile: its configuration, tokens and client secret. Revokes nothing.
    #[command(after_help = "Examples:
  oauthctl profile remove work")]
    Remove {
        /// The profile.
        profile: String,
    },
    /// Rename a profile, with its tokens.
    #[command(after_help = "Examples:
  oauthctl profile rename work office")]
    Rename {
        /// Its present name.
        #[arg(value_name = "PROFILE")]
        from: String,
        /// Its new name.
        #[arg(value_name = "NAME")]
        to: String,
    },
}

/// Sets a key, and names the hosts that `helper-hosts` had before and has no longer.
fn set_key(world: &mut World, dir: &Path, profile: &str, (key, value): (&str, &str)) -> Result<(), Error> {
    let before = helper_hosts(dir, profile)?;
    config::edit(dir, |editor| editor.set(profile, key, value))?;
    world.say(&format!("{}: {} is set", safe(profile), safe(key)));
    let after = helper_hosts(dir, profile)?;
    let dropped: Vec<String> = before.into_iter().filter(|host| !after.contains(host)).collect();
    if !dropped.is_empty() {
        let (had, all) = (safe(&dropped.join(", ")), pasted(&[&dropped[..], &after].concat().join(" ")));
        let profile = pasted(profile);
        world.say(&format!("it had {had} before; both: oauthctl profile set {profile} helper-hosts {all}"));
    }
    Ok(())
}

/// After a change of the store: a login in the other one, and the command that moves it.
fn say_what_stays(world: &mut World, left: &Session) -> Result<(), Error> {
    let (from, now) = (left.store.kind(), left.in_config()?);
    let to = now.0.and_then(|profile| profile.store).or(now.1);
    if let Some(to) = to.filter(|to| *to != from && from.keeps())
        && left.store.load(&left.name).is_ok_and(|record| record.is_some())
    {
        let (place, move_it) = (left.store.in_words(), format!("oauthctl store migrate {} {}", from.name(), to.name()));
        world.say(&format!("its login is still in {place}; `{move_it}` moves it, with those of other profiles"));
    }
    Ok(())
}

fn helper_hosts(dir: &Path, profile: &str) -> Result<Vec<String>, Error> {
    let mut profiles = Config::load(dir)?.profiles;
    Ok(profiles.remove(profile).and_then(|profile| profile.helper_hosts).unwrap_or_default())
}

pub fn run(verb: ProfileVerb, global: &Global, world: &mut World) -> Result<u8, Error> {
    let paths = Paths::find(&*world.env);
    let dir = paths.require_config()?;
    match verb {
        ProfileVerb::Set { profile, key, value } => {
            let of = (key == "provider").then(|| value.clone());
            let profile = profile_called(world, &paths, profile, of)?;
            set(world, global, (&dir, &profile), (&key, &value))?;
        }
        ProfileVerb::SetSecret { profile, file, var: None } => {
            let choice = Overrides { profile: Some(profile), no_cache: global.no_cache, ..Overrides::default() };
            let session = sandbox_session::open(world, choice)?;
            set_secret(world, session, file)?;
        }
        ProfileVerb::SetSecret { profile, file, var: Some(name) } => {
            let session = open(world, global, &dir, profile)?;
            set_var(world, session, file, &name)?;
        }
        ProfileVerb::Unset { profile, key } => {
            let profile = profile_called(world, &paths, profile, None)?;
            require(&dir, &profile)?;
            if key == "provider" && config::provider(&dir, &profile, None).is_err() {
                return Err(Error::usage(format!("without it, profile `{}` would have no provider", safe(&profile)))
                    .hint(format!("another one: `oauthctl profile set {} provider NAME`", pasted(&profile)))
                    .hint(format!("the whole profile: `oauthctl profile remove {}`", pasted(&profile))));
            }
            let removed = config::edit(&dir, |editor| editor.unset(&profile, &key))?;
            let done = if removed { "is removed" } else { "was not set" };
            world.say(&format!("{}: {} {done}", safe(&profile), safe(&key)));
        }
        ProfileVerb::Default { profile } => {
            let profile = profile_called(world, &paths, profile, None)?;
            require(&dir, &profile)?;
            config::edit(&dir, |editor| editor.set_default(&profile))?;
            world.say(&format!("`{}` is the default profile", safe(&profile)));
            if !Config::load_for(&dir, &profile)?.profiles.contains_key(&profile) {
                let login = format!("oauthctl login {}", pasted(&profile));
                world.say(&format!("There is no such profile yet, only a provider of that name: `{login}` makes it."));
            }
        }
        ProfileVerb::Remove { profile } => {
            let session = open(world, global, &dir, profile)?;
            remove(world, session, &dir)?;
        }
        ProfileVerb::Rename { from, to } => {
            config::check_profile_name(&to)?;
            let session = open(world, global, &dir, from)?;
            rename(world, session, &dir, to)?;
        }
    }
    Ok(0)
}

fn set(
    world: &mut World,
    global: &Global,
    (dir, profile): (&Path, &str),
    (key, value): (&str, &str),
) -> Result<(), Error> {
    if key == "provider" {
        // otherwise the next login would report an unknown provider
        config::provider(dir, value, None)?;
    } else {
        require(dir, profile)?;
    }
    if let Some(name) = key.strip_prefix("vars.") {
        judge_var(&open(world, global, dir, profile.to_owned())?, name)?;
    }
    let left = (key == "store").then(|| open(world, global, dir, profile.to_owned())).transpose()?;
    let before = config::Config::load_for(dir, profile)?.profiles.remove(profile);
    set_key(world, dir, profile, (key, value))?;
    if let Some(before) = before {
        say_what_goes_along(world, (profile, &before), (key, value));
    }
    left.map_or(Ok(()), |left| say_what_stays(world, &left))
}

/// After a change of the place: a secret that the configuration names, and the command that takes
/// it out.
fn say_what_goes_along(world: &mut World, (name, before): (&str, &Profile), (key, value): (&str, &str)) {
    let was = before.values().into_iter().find(|(known, _)| known == key);
    let was = was.and_then(|(_, was)| Some(was.as_str()?.to_owned()));
    let is_other = match key {
        "provider" => was.is_some_and(|was| was != value),
        _ => (key == "environment" || key.starts_with("vars.")) && was.is_none_or(|was| was != value),
    };
    if let Some(secret) = before.key_of_sent().filter(|_| is_other) {
        world.say(&format!(
            "its `{secret}` stays, and goes there from the next login on; `oauthctl profile unset {} {secret}` takes it out",
            pasted(name)
        ));
    }
}

/// Refuses a name without a profile or a provider, which makes a profile of its name.
fn require(dir: &Path, profile: &str) -> Result<(), Error> {
    if config::Config::load(dir)?.profiles.contains_key(profile) || config::provider(dir, profile, None).is_ok() {
        return Ok(());
    }
    let new = (!may_be_token(profile))
        .then(|| format!("a new one: `oauthctl profile set {} provider NAME`", pasted(profile)));
    Err(Error::from(config::no_profile(profile)).hints(new))
}

fn open(world: &mut World, global: &Global, dir: &Path, profile: String) -> Result<Session, Error> {
    // a configured profile keeps its name
    let provider = placeholder_provider(dir, &config::Config::load_for(dir, &profile)?, &profile);
    let flags = Profile { provider, ..Profile::default() };
    sandbox_session::open(
        world,
        Overrides { profile: Some(profile), implied: false, no_cache: global.no_cache, flags, ..Overrides::default() },
    )
}

/// The provider must have the variable. A secret from the command line would be in the shell's
/// history, and unsealed in `config.toml`.
fn judge_var(session: &Session, name: &str) -> Result<(), Error> {
    match session.raw_provider() {
        Ok(raw) if raw.has_secret_var(name) => {
            Err(Error::usage(format!("`{}` is a secret: it belongs in the store, not in config.toml", safe(name)))
                .hint(format!("{} --var {}", session.typed.line("profile set-secret"), safe(name))))
        }
        Ok(raw) => session.refuse_var(&raw, name, false),
        Err(_) => Ok(()),
    }
}

/// The source of a secret: the file, or (`-`) a question at the terminal.
fn source(world: &World, session: &Session, file: Option<String>, var: Option<&str>) -> Result<String, Error> {
    if let Some(file) = file.or_else(|| may_ask(world).then(|| "-".to_owned())) {
        return Ok(file);
    }
    let line = session.typed.line("profile set-secret");
    let flag = var.map(|name| format!(" --var {name}")).unwrap_or_default();
    let what = var.unwrap_or("client secret");
    Err(Error::usage(format!("no file with the {what} is named, and there is no terminal to ask at"))
        .hint(format!("{line} FILE{flag}"))
        .hint(format!("{line} -{flag} < FILE")))
}

/// Changes the record and saves it.
fn change_record(
    world: &mut World,
    session: &mut Session,
    change: impl FnOnce(&Session, &mut Record) -> Result<(), Error>,
) -> Result<(), Error> {
    let lock = session.lock(world)?;
    let mut record = renewal::settled(world, session, &lock)?.unwrap_or_default();
    change(session, &mut record)?;
    record.generation += 1;
    Ok(session.save(&record, &lock)?)
}

/// Stores a secret variable in the record. Without a file, a value in `config.toml` is moved there.
fn set_var(world: &mut World, mut session: Session, file: Option<String>, name: &str) -> Result<(), Error> {
    let raw = session.raw_provider()?;
    let shown = safe(name);
    if !raw.has_secret_var(name) {
        return Err(Error::usage(format!("`{shown}` is no secret variable of provider `{}`", safe(&raw.id)))
            .hint(format!("{} vars.{shown} VALUE", session.typed.line("profile set"))));
    }
    session.store.writable(&session.name)?;
    session.load()?;
    let bare = session.bare_vars(&raw)?.iter().any(|bare| bare == name);
    let value = match session.profile.vars.get(name).filter(|_| bare && file.is_none()) {
        Some(value) => Secret::new(value.as_str()),
        None => {
            let file = source(world, &session, file, Some(&shown))?;
            secret_to_store(world, &file, &shown)?
        }
    };
    raw.takes(name, value.expose()).map_err(|why| Error::usage(format!("`{shown}` {why}")))?;
    let fingerprint = value.fingerprint();
    change_record(world, &mut session, |session, record| {
        if let Some(moved) = session.secret_moved(record, &raw, Scope::Every) {
            return Err(moved.refused(&session.typed));
        }
        record.secret_bound.get_or_insert_with(|| session.bound(&raw, &BTreeMap::new()));
        record.provider.get_or_insert_with(|| session.provider_name().to_owned());
        record.secret_vars.insert(name.to_owned(), value);
        Ok(())
    })?;
    // after the record is saved: it is in one of both at any time
    if bare {
        let dir = session.paths.require_config()?;
        config::edit(&dir, |editor| editor.unset(&session.name, &format!("vars.{name}")))?;
    }
    world.say(&format!("{}: `{shown}` is stored in {} ({fingerprint})", session.name, session.store.in_words()));
    Ok(())
}

fn set_secret(world: &mut World, mut session: Session, file: Option<String>) -> Result<(), Error> {
    // errors of provider and store come before any question
    let provider = session.raw_provider()?;
    let file = source(world, &session, file, None)?;
    session.store.writable(&session.name)?;
    session.load()?;
    let secret = secret_to_store(world, &file, "client secret")?;
    let fingerprint = secret.fingerprint();
    let mut earlier = None;
    change_record(world, &mut session, |session, record| {
        // tokens of another server could no longer be refreshed and revoked
        if let Some(moved) = elsewhere(session, record) {
            return Err(moved.refused(&session.typed));
        }
        let same_place = session.secret_moved(record, &provider, Scope::Every).is_none();
        let replaced = record.client_secret.replace(secret);
        // the last one that the provider took
        let taken = record.earlier_client_secret.take().or(replaced);
        earlier = taken.filter(|taken| same_place && Some(taken) != record.client_secret.as_ref());
        record.earlier_client_secret.clone_from(&earlier);
        record.secret_bound = Some(session.bound(&provider, &BTreeMap::new()));
        record.unfinished = None;
        record.provider = Some(session.provider_name().to_owned());
        Ok(())
    })?;
    world.say(&format!(
        "{}: the client secret is stored in {} ({fingerprint})",
        session.name,
        session.store.in_words()
    ));
    if let Some(earlier) = earlier {
        world.say(&format!(
            "The earlier one ({}) is sent where the provider refuses this one, until it has taken this one.",
            earlier.fingerprint()
        ));
    }
    Ok(())
}

/// What else of the configuration names a profile that is removed, in words.
fn references(dir: &Path, name: &str) -> Result<Vec<String>, Error> {
    let config = Config::load(dir)?;
    let mut found = Vec::new();
    if config.profiles.contains_key(name) {
        let rules = config.when.iter().filter(|rule| rule.profile == name);
        found.extend(rules.map(|rule| format!("{} is removed too", rule::words(rule))));
        if config.default_profile.as_deref() == Some(name) {
            found.push("it was the default profile: there is none now".to_owned());
        }
    }
    let subject = |profile: &Profile| profile.asks.subject_profile.as_deref() == Some(name);
    let acting = config.profiles.iter().filter(|(_, profile)| subject(profile));
    found.extend(acting.map(|(other, _)| {
        let set = format!("oauthctl profile set {} subject-profile NAME", pasted(other));
        format!("`{}` still names it as its `subject-profile`; another one: `{set}`", safe(other))
    }));
    Ok(found)
}

fn remove(world: &mut World, mut session: Session, dir: &Path) -> Result<(), Error> {
    if session.configured {
        config::try_edit(dir)
            .map_err(|e| Error::from(e).context("the profile can't be removed: nothing was deleted"))?;
    }
    let references = references(dir, &session.name)?;
    session.look_further(world)?;
    let (mut forgotten, mut valid, mut stays) = (false, false, None);
    if session.may_keep(world) {
        let lock = session.lock(world)?;
        let record = session.load().ok().flatten();
        valid = record.as_ref().is_some_and(|record| record.token.is_some() || !record.unrevoked.is_empty());
        stays = record.filter(|record| record.registration.is_some());
        forgotten = session.delete(world, &lock)?;
        session.forget_files(&session.name);
    }
    let removed = config::edit(dir, |editor| editor.remove(&session.name))?;
    if !removed && !forgotten {
        return Err(config::no_profile(&session.name).into());
    }
    let unrevoked = "; its tokens were not revoked (a `logout` before it does that): they stay valid until they expire";
    world.say(&format!("{}: removed{}", session.name, if valid { unrevoked } else { "" }));
    for reference in references {
        world.say(&format!("{}: {reference}", session.name));
    }
    helper::tell_of(world, &session.name)?;
    for orphan in orphan::aside(world, &session) {
        world.say(&told(&orphan));
    }
    if let Some(record) = stays {
        // its credentials are gone with the record
        let id = safe(record.client_id.as_deref().unwrap_or(""));
        world.warn(&format!("the client `{id}` stays registered at the provider, and can't be deleted from here"));
    }
    Ok(())
}

/// Copies the record, then changes the configuration, then deletes the old record: there is always
/// one, and the next command completes an interrupted renaming.
fn rename(world: &mut World, mut old: Session, dir: &Path, to: String) -> Result<(), Error> {
    if old.name == to {
        return Ok(config::edit(dir, |editor| editor.rename(&to, &to))?);
    }
    old.look_further(world)?;
    let moves = old.may_keep(world);
    // in one order for both directions
    let names = BTreeSet::from([&old.name, &to]);
    let locks = names.iter().filter(|_| moves).map(|name| lease::acquire(world, &old.paths, &old.store, name));
    let locks: Vec<lock::Lock> = locks.collect::<Result<_, _>>()?;
    let renaming = Renaming { from: old.name.clone(), to };
    let Renaming { from, to } = &renaming;
    let was_begun = moves && renaming.was_begun(&*old.store)?;
    // a record that can't be read moves as it is
    let own = locks.iter().find(|lock| lock.is_of(&*old.store, &old.name));
    if let Some(lock) = own.filter(|_| old.load().is_ok()) {
        renewal::settled(world, &mut old, lock)?;
    }
    let record = if moves { old.store.load(from)? } else { None };
    match &record {
        // `load` has completed it
        None if was_begun => {}
        None => config::edit(dir, |editor| editor.rename(from, to))?,
        Some(record) => {
            if old.store.load(to)?.is_some() {
                let taken = Error::usage(format!("`{}` has tokens already", safe(to)));
                return Err(match config::Config::load(dir)?.profiles.contains_key(to) {
                    true => taken.hint(format!("oauthctl profile remove {}", pasted(to))),
                    // of no profile: `logout` finds it in its store
                    false => taken.hint(format!("oauthctl logout {}", pasted(to))),
                });
            }
            config::edit(dir, |editor| editor.vacant(to))?;
            // before the renaming, which may be interrupted: no copy must outlive the old record
            kernel_cache::forget(world, &old);
            // files of an earlier profile of that name
            old.forget_files(to);
            renaming.begin(&*old.store, record)?;
            renaming.complete(&old)?;
        }
    }
    world.say(&format!("{from} is renamed {}", safe(to)));
    helper::tell_of(world, from)
}
