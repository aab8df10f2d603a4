//! Stores a record. A login also writes its profile, and deletes the record in an earlier store.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use toml_edit::Item;

use crate::config::{self, GrantKind, Profile};
use crate::error::{Error, Kind};
use crate::protocol::client::Client;
use crate::provider::{Provider, Rotates};
use crate::secret::Secret;
use crate::session::bound::Bound;
use crate::session::matching::{elsewhere, of_login, recorded};
use crate::session::{Lock, Record, Session, Who, kernel_cache, lease, no_token, renewal, store_of};
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
    /// Gets the earlier login's refresh token where the response has none.
    pub set: &'a mut TokenSet,
    pub client: &'a Client,
    /// The scopes that were asked for.
    pub asked: &'a [String],
    /// The provider's variables that it brought.
    pub vars: BTreeMap<String, String>,
    pub account: Option<String>,
    /// The refresh token that was taken over, as a hash.
    pub imported: Option<String>,
}

/// Stores a login. `true`: the client secret is not stored, and is needed at each refresh.
pub fn store_login(world: &mut World, session: &mut Session, mut login: NewLogin<'_>) -> Result<bool, Error> {
    if session.store.kind() == StoreKind::None {
        return Ok(false);
    }
    let lock = session.lock(world)?;
    let now = match login.set.refresh_token {
        // what a crash left holds the newest refresh token
        None => renewal::settled(world, session, &lock).or_else(|_| session.load())?,
        Some(_) => session.load()?,
    };
    let newest = [&now, &login.old].into_iter().flatten().map(|r| r.generation).chain([session.newest_seen()]).max();
    let before = now.and_then(Record::without_input).or(login.old.take()).unwrap_or_default();
    let (was, configured) = (before.clone(), session.in_config()?.0.and_then(|profile| profile.client_id));
    let mut record = Record { generation: newest.unwrap_or(0) + 1, ..record_of(world, session, before, &login)? };
    if login.set.refresh_token.is_none() {
        keep_refresh_token(world, session, &was, &mut record);
        *login.set = record.token.clone().unwrap_or_else(|| login.set.clone());
    }
    let record = save(world, session, &record, &lock)?;
    warn_of_lost_input(world, &was, (configured, &record));
    warn_of_a_second_machine(world, session, login.provider);
    // what an earlier login left in the journal
    session.sweep();
    let left = old_store(world, session)?;
    remember_profile(world, session, login.client, left.is_some())?;
    // last: a copy is of the store that config.toml names
    kernel_cache::write(world, session, &record);
    drop(lock);
    leave(world, session, left);
    Ok(record.secret_not_kept)
}

/// The record of a login, in the place of the one before.
fn record_of(world: &mut World, session: &Session, before: Record, login: &NewLogin<'_>) -> Result<Record, Error> {
    let NewLogin { provider, grant, client, .. } = *login;
    let bound = session.bound(provider, &login.vars);
    let (kept_secret, secret_bound) = kept_secret(world, session, &before, (client, &bound));
    let secret_from = client.secret.as_ref().map(|_| match kept_secret == client.secret {
        true => session.store.in_words(),
        false => client.secret_from.clone().unwrap_or_else(|| "the terminal".to_owned()),
    });
    let dpop = client.proofs.dpop.as_ref();
    let same_client = before.client_id.as_deref() == Some(&client.id);
    let unrevoked = unrevoked_there(world, &before, (client, &bound));
    Ok(Record {
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(client.id.clone()),
        earlier_client_secret: earlier_secret(&before, kept_secret.as_ref(), login),
        secret_not_kept: session.profile.client_secret.is_none()
            && client.secret.is_some()
            && kept_secret != client.secret,
        client_secret: kept_secret,
        secret_from,
        grant: Some(grant),
        asked: login.asked.to_vec(),
        login_at: Some(world.clock.now()),
        vars: login.vars.clone(),
        secret_vars: secret_vars(session, provider, &before),
        account: login.account.clone(),
        journal_key: Some(renewal::new_key(world)),
        machine: renewal::machine(world),
        token: Some(login.set.clone()),
        metadata: session.metadata().or(before.metadata),
        keys: session.keys().or(before.keys),
        dpop_key: dpop.map(|dpop| dpop.kept().clone()),
        dpop_nonces: dpop.map(|dpop| dpop.nonces()).unwrap_or_default(),
        imported: login.imported.clone(),
        renewed_by: lease::renewer(world, session),
        bound: Some(bound),
        secret_bound,
        asked_with: Some(recorded(session, grant, of_login(world, session, grant)?)),
        unrevoked,
        registered: before.registered && same_client,
        registration: before.registration.filter(|_| same_client),
        ..Record::default()
    })
}

/// The secret that the server took until now: the stored one, where an import brings another.
fn earlier_secret(before: &Record, kept: Option<&Secret>, login: &NewLogin<'_>) -> Option<Secret> {
    match before.client_secret.as_ref() {
        stored if stored == kept => before.earlier_secret(login.client),
        stored => stored.filter(|_| login.imported.is_some()).cloned(),
    }
}

/// Names what a person entered for another client or provider, and the login has replaced.
/// `configured`: the client that it was for, where the record does not say.
fn warn_of_lost_input(world: &mut World, was: &Record, (configured, now): (Option<String>, &Record)) {
    let client = was.client_id.clone().or(configured);
    let same = client == now.client_id && was.provider == now.provider;
    let of = client.map(|id| format!(" of the client `{}`", safe(&id))).unwrap_or_default();
    let lost = |secret: &Option<Secret>| {
        secret.is_some() && *secret != now.client_secret && *secret != now.earlier_client_secret
    };
    if lost(&was.client_secret) && !(same && now.client_secret.is_some()) {
        world.warn(&format!("the client secret{of} is no longer stored"));
    }
    for name in was.secret_vars.keys().filter(|name| !now.secret_vars.contains_key(*name)) {
        let provider = safe(was.provider.as_deref().unwrap_or_default());
        world.warn(&format!("the secret variable `{}` of `{provider}` is no longer stored", safe(name)));
    }
}

/// The tokens that earlier logouts could not revoke, if the next one goes where they were obtained.
pub fn unrevoked_there(world: &mut World, before: &Record, (client, bound): (&Client, &Bound)) -> Vec<TokenSet> {
    let same = before.client_id.as_deref().unwrap_or_default() == client.id
        && before.bound.as_ref().is_some_and(|then| then.places == bound.places);
    if same || before.unrevoked.is_empty() {
        return before.unrevoked.clone();
    }
    world.warn(
        "an earlier logout could not revoke its tokens, which are of another client or place: they stay valid until they expire",
    );
    Vec::new()
}

/// A program that stores records can't compare before it writes.
fn warn_of_a_second_machine(world: &mut World, session: &Session, provider: &Provider) {
    if let (StoreKind::Program(program), true) = (session.store.kind(), provider.refresh.rotates != Rotates::No) {
        world.say(&format!(
            "Use this login on one machine at a time: each refresh may replace the refresh token, and `{}` can't tell two \
             machines apart that refresh at once.",
            safe(&program.name)
        ));
    }
}

/// Keeps the refresh token of the earlier login, for a response without one: some servers (Google)
/// give one only at the first consent of an account to a client.
fn keep_refresh_token(world: &mut World, session: &Session, before: &Record, record: &mut Record) {
    let Some(old) = before.token.as_ref().filter(|old| old.refresh_token.is_some()) else { return };
    let scopes = |record: &Record| record.asked.iter().cloned().collect::<BTreeSet<String>>();
    // a user's id, where the provider's file names it
    let captured = |record: &Record| {
        let names = session.raw_provider().ok()?.response.capture.into_keys();
        let extra = &record.token.as_ref()?.extra;
        Some(names.map(|name| extra.get(&name).cloned()).collect::<Vec<_>>())
    };
    let same_login = before.client_id == record.client_id
        && before.grant == record.grant
        && before.account == record.account
        && captured(before) == captured(record)
        && scopes(before) == scopes(record)
        && elsewhere(session, before).is_none();
    // it is of no use with another key, on another machine, from a backup, or after its end
    let usable = before.dpop_key.is_none()
        && record.dpop_key.is_none()
        && before.machine.as_ref().is_none_or(|machine| record.machine.as_ref() == Some(machine))
        && before.generation >= session.newest_seen()
        && old.refresh_expires_at.is_none_or(|at| at > world.clock.now());
    let anew = match record.grant {
        Some(GrantKind::AuthorizationCode) => {
            format!("; `{}` gets a new one", session.typed.login_with(&[("--prompt", "consent")]))
        }
        _ => String::new(),
    };
    let Some(new) = record.token.as_mut().filter(|_| same_login && usable) else {
        world.say(&format!("The response has no refresh token, and the earlier one is not of this login{anew}."));
        return;
    };
    new.refresh_token = old.refresh_token.clone();
    new.refresh_expires_at = old.refresh_expires_at;
    let unless = match record.account {
        Some(_) => String::new(),
        None => format!(", which is right for the same account alone (`{}` ends both)", session.typed.line("logout")),
    };
    world.say(&format!("The response has no refresh token: that of the earlier login is kept{unless}{anew}."));
}

/// The client secret to store, and the places it is bound to. One from outside is not stored.
fn kept_secret(
    world: &World,
    who: &Who,
    before: &Record,
    (client, bound): (&Client, &Bound),
) -> (Option<Secret>, Option<Bound>) {
    let outside = who.profile.client_secret.is_some() || who.variable(world, "CLIENT_SECRET").is_some();
    let stored = before.client_secret.clone().filter(|_| outside || before.client_id.as_deref() == Some(&client.id));
    let kept_secret = client.secret.clone().filter(|_| !outside).or(stored);
    let secret_bound = match kept_secret == client.secret {
        true => kept_secret.is_some().then(|| bound.clone()),
        false => before.secret_bound.clone().or_else(|| who.bound_of(before)),
    };
    (kept_secret, secret_bound)
}

/// Saves the record, then writes the kernel's copy: no copy is ever of a record that is gone.
pub fn keep(world: &mut World, session: &Session, record: &Record, lock: &Lock) -> Result<TokenSet, Error> {
    let record = save(world, session, record, lock)?;
    kernel_cache::write(world, session, &record);
    record.token.ok_or_else(|| no_token(world, session))
}

/// Saves the record, and returns it as it is stored: what is too long is left out, tokens never.
fn save(world: &mut World, session: &Session, record: &Record, lock: &Lock) -> Result<Record, Error> {
    let mut record = record.clone();
    if let (Some(age), Some(set)) = (session.profile.maximum_age, &mut record.token) {
        let end = set.received_at.saturating_add(age.into());
        set.expires_at = Some(set.expires_at.map_or(end, |at| at.min(end)));
    }
    let left_out = record.shorten();
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(|name| format!("`{}`", safe(name))).collect();
        world.warn(&format!("the answer is too large for the store: kept without {}", names.join(", ")));
    }
    let failed = |e| not_saved(e, format!("the new token of `{}` could not be saved", session.name));
    session.replace(world, &record, lock).map_err(failed)?;
    Ok(record)
}

pub(super) fn not_saved(e: StoreError, message: String) -> Error {
    Error { kind: Kind::NotSaved, ..Error::from(e).context(message) }
}

/// The store that this profile was in until now, if it is another one.
pub(super) fn old_store(world: &World, who: &Who) -> Result<Option<Rc<dyn Store>>, Error> {
    let (Some(profile), usual) = who.in_config()? else { return Ok(None) };
    let old = profile.store.or(usual).unwrap_or(StoreKind::Keychain);
    let moved = old != who.store.kind() && world.env.var("OAUTHCTL_STORE").is_none();
    match old.keeps() && moved {
        true => store_of(world, old, &who.paths).map(Some),
        false => Ok(None),
    }
}

/// The record of an earlier login, in the store that the profile leaves if the new one has none:
/// client secret and registration move with it.
pub fn earlier(world: &World, session: &mut Session) -> Result<Option<Record>, Error> {
    let found = session.load()?;
    let is_first = found.clone().and_then(Record::without_input).is_none();
    let Some(old) = old_store(world, session)?.filter(|_| is_first) else { return Ok(found) };
    // a store that doesn't answer may be the reason for the move
    let left = in_store(session, &old, |session| session.load()).unwrap_or(None);
    let typed = found.as_ref().and_then(|record| record.unfinished.clone());
    Ok(left.map(|left| Record { unfinished: typed.or(left.unfinished.clone()), ..left }).or(found))
}

/// Deletes the record in the old store of a profile that moved (C-30), after any refresh there.
fn leave(world: &mut World, session: &mut Session, old: Option<Rc<dyn Store>>) {
    let Some(old) = old else { return };
    let deleted = in_store(session, &old, |session| {
        let _lock = session.lock(world);
        kernel_cache::forget(world, session);
        let deleted = session.store.delete(&session.name);
        session.forget_files(&session.name);
        deleted
    });
    match deleted {
        Ok(true) => world.say(&format!(
            "The tokens in {} were deleted: this profile's are in {} now.",
            old.in_words(),
            session.store.in_words()
        )),
        Ok(false) | Err(StoreError::Absent { .. }) => {}
        Err(e) => world.warn(&format!("the record in {} could not be deleted: {e}", old.in_words())),
    }
}

/// A profile before an import, which the server may refuse.
pub struct Before {
    /// By store, with the one that the profile leaves.
    records: Vec<(Rc<dyn Store>, Option<Record>)>,
    written: Option<Item>,
}

impl Before {
    pub fn of(world: &World, session: &mut Session) -> Result<Before, Error> {
        let mut records = vec![(session.store.clone(), session.load()?)];
        if let Some(old) = old_store(world, session)? {
            // a store that doesn't answer may be the reason for the move
            let record = in_store(session, &old, |session| session.load()).unwrap_or(None);
            records.extend(record.map(|record| (old, Some(record))));
        }
        Ok(Before { records, written: config::written(&session.paths.require_config()?, &session.name)? })
    }

    /// Whether there was a profile or a record.
    pub fn is_new(&self) -> bool {
        self.written.is_none() && self.records.iter().all(|(_, record)| record.is_none())
    }

    /// Makes record and configuration what they were, unless another login or a logout came
    /// meanwhile.
    pub fn put_back(self, world: &mut World, session: &mut Session, imported: Option<&String>) -> Result<(), Error> {
        let mut is_ours = false;
        for (store, record) in self.records {
            is_ours = in_store(session, &store, |session| {
                let lock = session.lock(world)?;
                // the first store is the one that the login is in
                if !is_ours && session.load()?.is_none_or(|now| now.imported.as_ref() != imported) {
                    return Ok(false);
                }
                if let Some(record) = record {
                    session.replace(world, &Record { generation: session.newest_seen() + 1, ..record }, &lock)?;
                } else {
                    session.delete(world, &lock)?;
                    session.forget_files(&session.name);
                }
                Ok::<_, Error>(true)
            })?;
            if !is_ours {
                return Ok(());
            }
        }
        let (dir, text) = (session.paths.require_config()?, |item: &Option<Item>| item.as_ref().map(Item::to_string));
        if text(&config::written(&dir, &session.name)?) != text(&self.written) {
            config::edit(&dir, |editor| editor.put_back(&session.name, self.written))?;
        }
        Ok(())
    }
}

/// Does something in another store of the profile.
fn in_store<T>(session: &mut Session, store: &Rc<dyn Store>, job: impl FnOnce(&mut Session) -> T) -> T {
    let own = std::mem::replace(&mut session.store, store.clone());
    let done = job(session);
    session.store = own;
    done
}

/// The secret variables that were given now, and those of an earlier login at the same provider.
fn secret_vars(session: &Session, provider: &Provider, before: &Record) -> BTreeMap<String, Secret> {
    let mut vars = session.secret_vars(provider, Some(before));
    let said = session.profile.vars.iter().filter(|(name, _)| provider.has_secret_var(name));
    vars.extend(said.map(|(name, value)| (name.clone(), value.as_str().into())));
    vars
}

impl Session {
    /// The profile for `config.toml`: flags, provider, and variables that are no secrets. A grant
    /// that takes a password is named each time.
    pub fn to_remember(&self, provider: &Provider) -> Profile {
        let mut profile = Profile { provider: self.profile.provider.clone(), ..self.choice.flags.clone() };
        profile.grant = profile.grant.filter(|grant| *grant != GrantKind::Password);
        profile.vars.clone_from(&self.profile.vars);
        profile.vars.retain(|name, _| !provider.has_secret_var(name));
        profile
    }
}

/// Writes the profile into `config.toml`: only the keys that differ. `moves`: to another store,
/// which the next command finds by that file alone.
fn remember_profile(world: &mut World, session: &Session, client: &Client, moves: bool) -> Result<(), Error> {
    let (known, usual) = session.in_config()?;
    let known = known.unwrap_or_default();
    let raw = session.raw_provider()?;
    let mut now = session.to_remember(&raw);
    let from_outside = session.variable(world, "CLIENT_ID").is_some();
    now.client_id = Some(client.id.clone()).filter(|id| !from_outside && raw.client_id.as_ref() != Some(id));
    let kind = session.store.kind();
    if matches!(kind, StoreKind::File | StoreKind::Program(_) | StoreKind::Vault(_))
        && usual != Some(kind)
        && world.env.var("OAUTHCTL_STORE").is_none()
    {
        now.store = Some(kind);
    }
    // the record has them by now
    let mut unset: Vec<String> = session.bare_vars(&raw)?.iter().map(|var| format!("vars.{var}")).collect();
    // the port of the redirect URI overrides the profile's, from now on too
    if known.port.is_some() && session.profile.port.is_none() {
        unset.push("port".to_owned());
    }
    write_profile(world, session, now.changes(&known), (&unset, moves))
}

/// Writes keys of the profile into `config.toml`, and removes the `unset` ones. Where that is not
/// possible, the lines that are missing there are said, unless it `must` be. Some systems make the
/// file (Nix), and let no program write it.
pub(super) fn write_profile(
    world: &mut World,
    session: &Session,
    changes: Vec<(String, toml_edit::Value)>,
    (unset, must): (&[String], bool),
) -> Result<(), Error> {
    let dir = session.paths.require_config()?;
    if changes.is_empty() && unset.is_empty() && session.configured {
        return Ok(());
    }
    let name = &session.name;
    let lines = config::lines(name, changes.clone());
    let written = config::edit(&dir, |editor| {
        for key in unset {
            editor.unset(name, key)?;
        }
        editor.set_all(name, changes)
    });
    let e = match written {
        Ok(()) => return Ok(()),
        Err(e) if must => return Err(e.into()),
        Err(e) => e,
    };
    let lines = lines.map(|lines| format!("; add these lines to it:\n\n{lines}")).unwrap_or_default();
    world.warn(&format!("config.toml lacks the profile: {e}{lines}"));
    Ok(())
}

/// Chooses sealed files where no keychain answers; the profile stays with them. Returns a notice.
pub fn choose_store(world: &mut World, session: &mut Session) -> Result<Option<String>, Error> {
    if session.store.kind() == StoreKind::None {
        return Ok(None);
    }
    match session.store.writable(&session.name) {
        Ok(()) => sealed_notice(session),
        Err(StoreError::Absent { why, .. }) if session.store_is_the_usual(world) => {
            session.store = store_of(world, StoreKind::File, &session.paths)?;
            session.store.writable(&session.name)?;
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
