//! Keeps a record. A login also keeps its profile in `config.toml`, and leaves nothing in a store
//! that the profile moved out of.

use std::collections::BTreeMap;

use crate::config::{self, GrantKind};
use crate::error::{Error, Kind};
use crate::protocol::client::Client;
use crate::provider::{Provider, VarFrom};
use crate::secret::Secret;
use crate::session::bound::Bound;
use crate::session::lock::Lock;
use crate::session::record::Record;
use crate::session::whose::{asked_with, recorded};
use crate::session::{Session, Who, copy, no_token, renewal, store_of};
use crate::store::{Store, StoreError, StoreKind};
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::{Verbosity, World};

/// A login that has succeeded.
pub struct NewLogin<'a> {
    pub provider: &'a Provider,
    /// The record of an earlier login.
    pub old: Option<Record>,
    pub grant: GrantKind,
    pub set: &'a TokenSet,
    pub client: &'a Client,
    /// The scopes that were asked for.
    pub asked: &'a [String],
    pub redirect_params: &'a [(String, String)],
    pub account: Option<String>,
}

/// Keeps a login. Whether a client secret stays outside, and is needed from there at each renewal.
pub fn store_login(world: &mut World, session: &mut Session, login: NewLogin<'_>) -> Result<bool, Error> {
    let NewLogin { provider, old, grant, set, client, asked, redirect_params, account } = login;
    if session.store.kind() == StoreKind::None {
        return Ok(false);
    }
    let lock = session.lock(world)?;
    let now = session.load()?;
    let generation =
        [&now, &old].into_iter().flatten().map(|r| r.generation).chain([session.newest_seen()]).max().unwrap_or(0);
    let before = now.or(old).unwrap_or_default();
    let vars = learnt(provider, set, redirect_params);
    let bound = session.bound(provider, &vars);
    let (kept_secret, secret_bound) = kept_secret(world, session, &before, (client, &bound));
    let secret_not_kept =
        session.profile.client_secret.is_none() && client.secret.is_some() && kept_secret != client.secret;
    let record = Record {
        generation: generation + 1,
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(client.id.clone()),
        client_secret: kept_secret,
        secret_not_kept,
        grant: Some(grant),
        asked: asked.to_vec(),
        login_at: Some(world.clock.now()),
        vars,
        secret_vars: secret_vars(session, provider, &before),
        account,
        journal_key: Some(renewal::new_key(world)),
        machine: renewal::machine(world),
        token: Some(set.clone()),
        metadata: session.metadata().or(before.metadata),
        keys: session.keys().or(before.keys),
        dpop_key: client.proofs.dpop.as_ref().map(|dpop| dpop.kept().clone()),
        dpop_nonces: client.proofs.dpop.as_ref().map(|dpop| dpop.nonces()).unwrap_or_default(),
        unfinished: None,
        renaming: None,
        bound: Some(bound),
        secret_bound,
        asked_with: Some(recorded(session, grant, asked_with(world, session, grant)?)),
        registration: before.registration.filter(|_| before.client_id.as_deref() == Some(&client.id)),
    };
    // the copy comes last: cut off in between, it would speak for a store that config.toml doesn't
    // name yet
    let cache = std::mem::take(&mut session.cache);
    let kept = keep(world, session, &record, &lock);
    session.cache = cache;
    kept?;
    // what an earlier login left on the disk has nothing to say any more
    session.sweep();
    let left = old_store(world, session)?;
    remember_profile(world, session, client)?;
    copy::write(world, session, &record);
    drop(lock);
    leave(world, session, left);
    Ok(secret_not_kept)
}

/// The client secret that is kept, and what it is bound to. One that comes from outside each time
/// stays outside.
fn kept_secret(
    world: &World,
    who: &Who,
    before: &Record,
    (client, bound): (&Client, &Bound),
) -> (Option<Secret>, Option<Bound>) {
    let kept_secret = match who.profile.client_secret.is_some() || who.variable(world, "CLIENT_SECRET").is_some() {
        true => before.client_secret.clone(),
        false => client
            .secret
            .clone()
            .or(before.client_secret.clone().filter(|_| before.client_id.as_deref() == Some(&client.id))),
    };
    let secret_bound = match kept_secret == client.secret {
        true => kept_secret.is_some().then(|| bound.clone()),
        false => before.secret_bound.clone().or_else(|| who.bound_of(before)),
    };
    (kept_secret, secret_bound)
}

/// Saves the record and keeps the kernel's copy true; the token set as it now stands in the store.
/// Whenever this is cut off, no copy speaks for a record that is gone. Members that make the record
/// too long are left out, with a warning; tokens never are.
pub fn keep(world: &mut World, session: &Session, record: &Record, lock: &Lock) -> Result<TokenSet, Error> {
    let mut shorter = record.clone();
    let left_out = shorter.shorten();
    let record = &shorter;
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(|name| format!("`{}`", safe(name))).collect();
        world.warn(&format!("the answer is too large for the store: kept without {}", names.join(", ")));
    }
    session.replace(world, record, lock).map_err(|e| {
        let why = Error::from(e);
        Error {
            kind: Kind::NotSaved,
            message: format!("the new token of `{}` could not be saved", session.name),
            causes: vec![why.message],
            ..why
        }
    })?;
    match &record.token {
        Some(set) => {
            copy::write(world, session, record);
            Ok(set.clone())
        }
        None => {
            copy::forget(world, session);
            Err(no_token(world, session))
        }
    }
}

/// The store that this profile has been in until now, if it is another one.
fn old_store(world: &World, session: &Session) -> Result<Option<Box<dyn Store>>, Error> {
    let dir = session.paths.require_config()?;
    let file = config::Config::load_for(&dir, &session.name)?;
    let Some(profile) = file.profiles.get(&session.name) else { return Ok(None) };
    let old = profile.store.or(file.store).unwrap_or(StoreKind::Keychain);
    if old == session.store.kind() || world.env.var("OAUTHCTL_STORE").is_some() {
        return Ok(None);
    }
    match old {
        StoreKind::Keychain | StoreKind::File => store_of(world, old, &session.paths).map(Some),
        StoreKind::Environment | StoreKind::None => Ok(None),
    }
}

/// One source of truth: a profile that moved to another store leaves nothing in the old one (C-30),
/// not even what a renewal there is about to save: that one is waited for.
fn leave(world: &mut World, session: &mut Session, old: Option<Box<dyn Store>>) {
    let Some(old) = old else { return };
    let new = std::mem::replace(&mut session.store, old);
    let lock = session.lock(world);
    copy::forget(world, session);
    let deleted = session.store.delete(&session.name);
    session.forget_files(&session.name);
    drop(lock);
    let old = std::mem::replace(&mut session.store, new);
    match deleted {
        Ok(true) => world.say(&format!(
            "The tokens in {} were deleted: this profile's are in {} now.",
            old.in_words(),
            session.store.in_words()
        )),
        Ok(false) => {}
        // an absent keychain holds nothing that could be used
        Err(StoreError::Absent { .. }) => {}
        Err(e) => world.warn(&format!("what {} still holds of this profile could not be deleted: {e}", old.in_words())),
    }
}

/// Variables that the redirect or the answer taught (`from = "callback"`, `"token"`).
fn learnt(provider: &Provider, set: &TokenSet, redirect_params: &[(String, String)]) -> BTreeMap<String, String> {
    provider
        .vars
        .iter()
        .filter_map(|(name, var)| {
            let value = match var.from {
                VarFrom::Callback => redirect_params.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()),
                VarFrom::Token => set.extra.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)),
                VarFrom::User | VarFrom::Whoami => None,
            };
            value.map(|v| (name.clone(), v))
        })
        .collect()
}

/// The secret variables: those said now, and those of an earlier login at the same provider.
fn secret_vars(session: &Session, provider: &Provider, before: &Record) -> BTreeMap<String, Secret> {
    let mut vars = session.secret_vars(provider, Some(before));
    let said = session.profile.vars.iter().filter(|(name, _)| provider.has_secret_var(name));
    vars.extend(said.map(|(name, value)| (name.clone(), value.as_str().into())));
    vars
}

/// Writes what makes the profile into `config.toml`: only what isn't there already.
fn remember_profile(world: &mut World, session: &Session, client: &Client) -> Result<(), Error> {
    let dir = session.paths.require_config()?;
    let file = config::Config::load_for(&dir, &session.name)?;
    let known = file.profiles.get(&session.name).cloned().unwrap_or_default();
    let raw = session.raw_provider()?;
    let mut now = session.to_remember(&raw);
    if session.variable(world, "CLIENT_ID").is_none() {
        now.client_id = Some(client.id.clone()).filter(|id| raw.client_id.as_ref() != Some(id));
    } else {
        now.client_id = None;
    }
    let kind = session.store.kind();
    if kind == StoreKind::File && file.store != Some(kind) && world.env.var("OAUTHCTL_STORE").is_none() {
        now.store = Some(kind);
    }
    let changes = now.changes(&known);
    // they lie in the record by now
    let bare = session.bare_vars(&raw)?;
    // an address that names another port stands against the profile's port, from now on too
    let port_goes = known.port.is_some() && session.profile.port.is_none();
    if changes.is_empty() && !port_goes && bare.is_empty() && session.configured {
        return Ok(());
    }
    let name = session.name.clone();
    config::edit(&dir, |editor| {
        if port_goes {
            editor.unset(&name, "port")?;
        }
        for var in &bare {
            editor.unset(&name, &format!("vars.{var}"))?;
        }
        editor.set_all(&name, changes)
    })?;
    Ok(())
}

/// Where no keychain answers, sealed files do, and the profile keeps to them. What is to be said of
/// it is said once nothing is missing any more, never silently.
pub fn choose_store(world: &mut World, session: &mut Session) -> Result<Option<String>, Error> {
    let name = session.name.clone();
    if session.store.kind() == StoreKind::None {
        return Ok(None);
    }
    match session.store.writable(&name) {
        Ok(()) => sealed_notice(session),
        Err(StoreError::Absent { why, .. }) if session.store_is_the_usual(world) => {
            session.store = store_of(world, StoreKind::File, &session.paths)?;
            session.store.writable(&name)?;
            let notice = format!(
                "No keychain answers here ({why}): the tokens go into sealed files in {}, {}.",
                session.store.in_words(),
                session.store.opened_by()
            );
            if world.verbosity == Verbosity::Quiet {
                world.insist(&notice);
                return Ok(None);
            }
            Ok(Some(notice))
        }
        Err(e) => Err(e.into()),
    }
}

/// Before the first record: where the key to the sealed files comes from.
fn sealed_notice(session: &Session) -> Result<Option<String>, Error> {
    if session.store.kind() != StoreKind::File || session.load()?.is_some() {
        return Ok(None);
    }
    let (place, how) = (session.store.in_words(), session.store.opened_by());
    Ok(Some(format!("The tokens go into sealed files in {place}, {how}.")))
}
