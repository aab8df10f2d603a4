//! `profile`: changes profiles without an editor; comments in the file survive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::Subcommand;

use crate::command::logout::told;
use crate::command::{Global, may_ask, practice};
use crate::config::{self, Profile};
use crate::error::Error;
use crate::secret::Secret;
use crate::session::paths::Paths;
use crate::session::record::Record;
use crate::session::renaming::Renaming;
use crate::session::whose::elsewhere;
use crate::session::{Choice, Session, copy, lock, nobodys, orphan, profile_called, renewal, secret_from_file};
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
        /// `provider`, `environment`, `client-id`, `grant`, `scopes`, `redirect-uri`, `port`,
        /// `store`, `vars.NAME`, `params.NAME`
        key: String,
        /// The value; several scopes are separated by spaces.
        value: String,
    },
    /// Keep a client secret in the store: asked for without echo, or read from a file or (`-`) from
    /// standard input.
    #[command(after_help = "Examples:
  oauthctl profile set-secret work
  oauthctl profile set-secret work secret.txt")]
    SetSecret {
        /// The profile.
        profile: String,
        /// The file, or `-` [default: a question at the terminal]
        file: Option<String>,
        /// A secret variable of the provider instead; one that lies in config.toml is moved.
        #[arg(long, value_name = "NAME")]
        var: Option<String>,
    },
    /// Take a key away.
    #[command(after_help = "Examples:
  oauthctl profile unset work scopes")]
    Unset {
        /// The profile.
        profile: String,
        /// The key, as in `profile set`.
        key: String,
    },
    /// Make a profile the one that is meant when none is named.
    #[command(after_help = "Examples:
  oauthctl profile default work")]
    Default {
        /// The profile.
        profile: String,
    },
    /// Forget a profile whole: its configuration, its tokens, its client secret. Revokes nothing.
    #[command(after_help = "Examples:
  oauthctl profile remove work")]
    Remove {
        /// The profile.
        profile: String,
    },
    /// Give a profile another name; its tokens come along.
    #[command(after_help = "Examples:
  oauthctl profile rename work office")]
    Rename {
        /// Its name now.
        #[arg(value_name = "PROFILE")]
        from: String,
        /// Its new name.
        #[arg(value_name = "NAME")]
        to: String,
    },
}

pub fn run(verb: ProfileVerb, global: &Global, world: &mut World) -> Result<u8, Error> {
    let paths = Paths::find(&*world.env);
    let dir = paths.require_config()?;
    match verb {
        ProfileVerb::Set { profile, key, value } => {
            let of = (key == "provider").then(|| value.clone());
            let profile = profile_called(world, &paths, profile, of)?;
            if key == "provider" {
                // a name that means nothing would be found out at the next login only
                config::provider(&dir, &value, None)?;
            } else {
                require(&dir, &profile)?;
            }
            if let Some(name) = key.strip_prefix("vars.") {
                refuse_secret_var(world, global, &dir, &profile, name)?;
            }
            config::edit(&dir, |editor| editor.set(&profile, &key, &value))?;
            world.say(&format!("{}: {} is set", safe(&profile), safe(&key)));
        }
        ProfileVerb::SetSecret { profile, file, var: None } => set_secret(world, global, profile, file)?,
        ProfileVerb::SetSecret { profile, file, var: Some(name) } => set_var(world, global, profile, file, &name)?,
        ProfileVerb::Unset { profile, key } => {
            let profile = profile_called(world, &paths, profile, None)?;
            require(&dir, &profile)?;
            if key == "provider" && config::provider(&dir, &profile, None).is_err() {
                return Err(Error::usage(format!(
                    "without it, profile `{}` would not say whose it is",
                    safe(&profile)
                ))
                .hint(format!("another one: `oauthctl profile set {} provider NAME`", pasted(&profile)))
                .hint(format!("the whole profile: `oauthctl profile remove {}`", pasted(&profile))));
            }
            if config::edit(&dir, |editor| editor.unset(&profile, &key))? {
                world.say(&format!("{}: {} is taken away", safe(&profile), safe(&key)));
            } else {
                world.say(&format!("{}: {} was not set", safe(&profile), safe(&key)));
            }
        }
        ProfileVerb::Default { profile } => {
            let profile = profile_called(world, &paths, profile, None)?;
            require(&dir, &profile)?;
            config::edit(&dir, |editor| editor.set_top("default-profile", &profile))?;
            world.say(&format!("`{}` is meant when no profile is named", safe(&profile)));
        }
        ProfileVerb::Remove { profile } => remove(world, global, profile)?,
        ProfileVerb::Rename { from, to } => rename(world, global, from, to)?,
    }
    Ok(0)
}

/// A profile that is there, or could be at once: the name of a provider makes one.
fn require(dir: &Path, profile: &str) -> Result<(), Error> {
    if config::Config::load(dir)?.profiles.contains_key(profile) || config::provider(dir, profile, None).is_ok() {
        return Ok(());
    }
    let new = (!may_be_token(profile))
        .then(|| format!("a new one: `oauthctl profile set {} provider NAME`", pasted(profile)));
    Err(Error::from(config::no_profile(profile)).hints(new))
}

fn open(world: &mut World, global: &Global, dir: &Path, profile: String) -> Result<Session, Error> {
    // one that the configuration has keeps its name
    let provider = nobodys(dir, &config::Config::load_for(dir, &profile)?, &profile);
    let flags = Profile { provider, ..Profile::default() };
    practice::open(
        world,
        Choice { profile: Some(profile), implied: false, no_cache: global.no_cache, flags, ..Choice::default() },
    )
}

/// A secret on the command line would lie in the shell's history, and in `config.toml` unsealed.
fn refuse_secret_var(world: &mut World, global: &Global, dir: &Path, profile: &str, name: &str) -> Result<(), Error> {
    let session = open(world, global, dir, profile.to_owned())?;
    match session.raw_provider() {
        Ok(raw) if raw.has_secret_var(name) => {
            Err(Error::usage(format!("`{}` is a secret: it belongs in the store, not in config.toml", safe(name)))
                .hint(format!("{} --var {}", session.typed.line("profile set-secret"), safe(name))))
        }
        _ => Ok(()),
    }
}

/// Where a secret is read from: the file that is named, or a question at the terminal.
fn source(world: &World, session: &Session, file: Option<String>, what: &str, flag: &str) -> Result<String, Error> {
    match file {
        Some(file) => Ok(file),
        None if may_ask(world) => Ok("-".to_owned()),
        None => {
            let line = session.typed.line("profile set-secret");
            Err(Error::usage(format!("no file is named that holds the {what}, and there is no terminal to ask at"))
                .hint(format!("{line} FILE{flag}"))
                .hint(format!("{line} -{flag} < FILE")))
        }
    }
}

/// Keeps a secret variable in the record. One that lies in `config.toml` is what is meant where
/// nothing else is said.
fn set_var(world: &mut World, global: &Global, profile: String, file: Option<String>, name: &str) -> Result<(), Error> {
    let dir = Paths::find(&*world.env).require_config()?;
    let mut session = open(world, global, &dir, profile)?;
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
            let file = source(world, &session, file, &shown, &format!(" --var {shown}"))?;
            secret_from_file(world, &file, &shown)?
        }
    };
    raw.takes(name, value.expose()).map_err(|why| Error::usage(format!("`{shown}` {why}")))?;
    let lock = session.lock(world)?;
    let mut record = renewal::settled(world, &mut session, &lock)?.unwrap_or_default();
    if let Some(moved) = session.secret_moved(&record, &raw) {
        return Err(moved.refused(&session.typed));
    }
    record.secret_bound.get_or_insert_with(|| session.bound(&raw, &BTreeMap::new()));
    record.provider.get_or_insert_with(|| session.provider_name().to_owned());
    let fingerprint = value.fingerprint();
    record.secret_vars.insert(name.to_owned(), value);
    record.generation += 1;
    session.save(&record, &lock)?;
    // only now: at no moment is it nowhere
    if bare {
        config::edit(&dir, |editor| editor.unset(&session.name, &format!("vars.{name}")))?;
    }
    world.say(&format!("{}: `{shown}` is kept in {} ({fingerprint})", session.name, session.store.in_words()));
    Ok(())
}

fn set_secret(world: &mut World, global: &Global, profile: String, file: Option<String>) -> Result<(), Error> {
    let choice = Choice { profile: Some(profile), no_cache: global.no_cache, ..Choice::default() };
    let mut session = practice::open(world, choice)?;
    // what can't be kept needn't be typed, nor looked for in a file
    let provider = session.raw_provider()?;
    let file = source(world, &session, file, "client secret", "")?;
    session.store.writable(&session.name)?;
    session.load()?;
    let secret = Some(secret_from_file(world, &file, "client secret")?);
    let lock = session.lock(world)?;
    let old = renewal::settled(world, &mut session, &lock)?.unwrap_or_default();
    // with another place's secret the tokens could be renewed and revoked no more
    if let Some(moved) = elsewhere(&session, &old) {
        return Err(moved.refused(&session.typed));
    }
    let record = Record {
        client_secret: secret,
        secret_bound: Some(session.bound(&provider, &BTreeMap::new())),
        unfinished: None,
        generation: old.generation + 1,
        provider: Some(session.provider_name().to_owned()),
        ..old
    };
    session.save(&record, &lock)?;
    let shown = record.client_secret.as_ref().map(Secret::fingerprint).unwrap_or_default();
    world.say(&format!("{}: the client secret is kept in {} ({shown})", session.name, session.store.in_words()));
    Ok(())
}

fn remove(world: &mut World, global: &Global, profile: String) -> Result<(), Error> {
    let dir = Paths::find(&*world.env).require_config()?;
    let mut session = open(world, global, &dir, profile)?;
    session.look_further(world)?;
    let mut forgotten = false;
    let mut stays = None;
    if session.may_keep(world) {
        let lock = session.lock(world)?;
        stays = session.load().ok().flatten().filter(|record| record.registration.is_some());
        // cut off in between, no copy speaks for what is gone
        forgotten = session.delete(world, &lock)?;
        session.forget_files(&session.name);
    }
    let removed = config::edit(&dir, |editor| editor.remove(&session.name))?;
    match (removed, forgotten) {
        (false, false) => Err(config::no_profile(&session.name).into()),
        _ => {
            world.say(&format!(
                "{}: removed; nothing was revoked at the provider (`oauthctl logout` does that)",
                session.name
            ));
            for orphan in orphan::aside(world, &session) {
                world.say(&told(&orphan));
            }
            if let Some(record) = stays {
                // what could have ended it is gone with the record
                let id = safe(record.client_id.as_deref().unwrap_or(""));
                world.warn(&format!(
                    "the client `{id}` stays registered at the provider, and can't be ended from here any more"
                ));
            }
            Ok(())
        }
    }
}

/// Copies first, then changes the configuration, then deletes: at no moment is there no record, and
/// what is cut off is finished by the next command.
fn rename(world: &mut World, global: &Global, from: String, to: String) -> Result<(), Error> {
    config::check_profile_name(&to)?;
    let dir = Paths::find(&*world.env).require_config()?;
    let mut old = open(world, global, &dir, from)?;
    old.look_further(world)?;
    let moves = old.may_keep(world);
    // both names, in one order whichever way it goes; one name has one lock
    let names = BTreeSet::from([&old.name, &to]);
    let locks = names.iter().filter(|_| moves).map(|name| lock::acquire(world, &old.paths, &*old.store, name));
    let locks: Vec<lock::Lock> = locks.collect::<Result<_, _>>()?;
    let renaming = Renaming { from: old.name.clone(), to };
    let Renaming { from, to } = &renaming;
    let was_begun = moves && renaming.was_begun(&*old.store)?;
    // a record that can't be read moves as it is
    if let Some(lock) = locks.first().filter(|_| old.load().is_ok()) {
        renewal::settled(world, &mut old, lock)?;
    }
    let record = if moves { old.store.load(from)? } else { None };
    match &record {
        // by reading it
        None if was_begun => {}
        None => config::edit(&dir, |editor| editor.rename(from, to))?,
        Some(record) => {
            if old.store.load(to)?.is_some() {
                return Err(Error::usage(format!("`{}` has tokens of its own already", safe(to)))
                    .hint(format!("oauthctl profile remove {}", pasted(to))));
            }
            config::edit(&dir, |editor| editor.vacant(to))?;
            // cut off in between, no copy speaks for what is gone
            copy::forget(world, &old);
            // what is left of who had that name before says nothing of this one
            old.forget_files(to);
            renaming.begin(&*old.store, record)?;
            renaming.complete(&old)?;
        }
    }
    world.say(&format!("{from} is called {} now", safe(to)));
    Ok(())
}
