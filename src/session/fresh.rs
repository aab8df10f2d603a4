//! A token that is fresh, whatever it takes short of a person; and the only place that keeps one.

use std::collections::BTreeMap;

use crate::config::proofs::Proofs;
use crate::config::{Asks, GrantKind};
use crate::error::{Error, Kind};
use crate::grant::offers;
use crate::grant::{self, Aim, unattended};
use crate::protocol::answer::Answer;
use crate::protocol::explain::{Line, Step};
use crate::protocol::token_request::Client;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::session::lock::Lock;
use crate::session::record::Record;
use crate::session::renewal::Held;
use crate::session::whose::{elsewhere, none_of_use, ours, recorded};
use crate::session::{Session, Who, copy, inputs, lock, no_token, renewal, without_a_person};
use crate::store::StoreKind;
use crate::text::safe;
use crate::token::{Freshness, TokenSet};
use crate::world::World;

/// What the caller asks of the token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// Seconds it must still be valid.
    pub min_ttl: Option<i64>,
    /// Renew even what is fresh.
    pub force: bool,
    /// Never renew.
    pub no_refresh: bool,
    /// Scopes, id token and extra members are wanted too: the kernel's copy has none of them.
    pub whole: bool,
    /// A person asked for it here and now: trouble of a moment ago doesn't count.
    pub insists: bool,
}

/// A sibling's renewal counts as ours if it came so many seconds ago while we waited (T-61).
const JUST_NOW: i64 = 10;

/// The freshest token set there is, renewed if need be. Never opens a browser, never asks.
pub fn fresh(world: &mut World, session: &mut Session, want: Want) -> Result<TokenSet, Error> {
    obtain(world, session, want, None)
}

/// Another token than the one the API has just refused: a sibling's, if there is one by now, else a renewed one. A hundred
/// processes that meet the same refusal cause one renewal (T-61).
pub fn instead_of(world: &mut World, session: &mut Session, refused: &TokenSet) -> Result<TokenSet, Error> {
    copy::forget(world, session);
    obtain(world, session, Want { force: true, ..Want::default() }, Some(&refused.access_token))
}

fn obtain(world: &mut World, session: &mut Session, want: Want, refused: Option<&Secret>) -> Result<TokenSet, Error> {
    if let Some(set) = from_copy(world, session, want) {
        at_hand(world, &session.name, "the copy that the kernel keeps has it");
        return Ok(set);
    }
    if session.store.kind() == StoreKind::None {
        return unkept(world, session, None);
    }
    // GNOME Keyring aborts under many readers at once: with the copy to go by, they come one after the other
    let one_by_one = session.store.kind() == StoreKind::Keychain && session.cache && !want.force && !want.no_refresh;
    if one_by_one || (refused.is_some() && session.store.kind() != StoreKind::Environment) {
        match session.lock(world) {
            Ok(lock) => return renew_under(lock, world, session, want, None, refused),
            // nowhere to lock: what is fresh can be had all the same
            Err(e) if e.kind == Kind::Store || e.kind == Kind::Usage => {}
            Err(e) => return Err(e),
        }
    }
    if session.store.kind() == StoreKind::Environment
        && let Some(moved) = session.said_elsewhere()
    {
        return Err(moved.refused(&session.typed));
    }
    let record = match session.load() {
        Ok(record) => record,
        Err(e) => return without_store(world, session, e),
    };
    let mine = ours(world, session, record.as_ref())?;
    if let Some(set) = mine.and_then(|r| r.token.as_ref()) {
        match usable(world, set, want) {
            Usable::Yes => {
                let set = set.clone();
                at_hand(world, &session.name, "the store has it");
                refill_copy(world, session, record.as_ref());
                return Ok(set);
            }
            Usable::No if want.no_refresh => return Err(too_old(session)),
            Usable::No => {}
        }
    } else if want.no_refresh {
        return Err(none_of_use(world, session, record.as_ref()));
    }
    if session.store.kind() == StoreKind::Environment {
        return Err(no_token(world, session));
    }
    if record.as_ref().is_none_or(|r| r.token.is_none()) && session.grant(None, record.as_ref()).needs_person() {
        return Err(none_of_use(world, session, record.as_ref()));
    }
    renew(world, session, want, record.as_ref())
}

/// For `--explain`: nothing was sent, and why.
fn at_hand(world: &mut World, profile: &str, where_from: &'static str) {
    grant::explain::step(world, || Step {
        title: "A fresh token is at hand: nothing is sent",
        section: "RFC 6749, section 5.1",
        why: "it lives for longer than the margin that is kept in hand; when it does not, it is renewed",
        lines: vec![Line::In(format!("{where_from}: profile `{}`", safe(profile)))],
    });
}

/// Makes the kernel's copy anew. It was read without the lock: a logout or a login may have come since, and what that one
/// forgot must not come back. So it is written under the lock, if that is free, and only if the record is still the same.
fn refill_copy(world: &mut World, session: &Session, read: Option<&Record>) {
    if !session.cache || session.store.kind() != StoreKind::File {
        return;
    }
    let Some(_lock) = lock::try_acquire(&session.paths, &*session.store, &session.name) else { return };
    if let Ok(Some(now)) = session.load()
        && Some(now.generation) == read.map(|r| r.generation)
        && now.token.is_some()
    {
        copy::write(world, session, &now);
    }
}

fn from_copy(world: &World, session: &Session, want: Want) -> Option<TokenSet> {
    if !session.cache
        || want.force
        || want.whole
        || !copy::may_answer(world, &session.words)
        || session.chose_identity()
    {
        return None;
    }
    let copy = copy::read(world, &session.paths, &session.name)?;
    // where the provider is known already, the token is about to be sent there
    let sent = session.server.as_ref().map(|server| &server.provider);
    let bound = sent.is_none_or(|provider| session.bound(provider, &BTreeMap::new()).fingerprint() == copy.bound);
    (bound && matches!(usable(world, &copy.set, want), Usable::Yes)).then_some(copy.set)
}

/// Whether the kernel's copy, if there is one, may do for a command that sends the token to the provider's API: what else the record says is not
/// needed then. The provider's variables are not filled in yet.
pub fn copy_will_do(world: &World, session: &Session) -> Result<bool, Error> {
    let bound = session.bound(&session.raw_provider()?, &BTreeMap::new()).fingerprint();
    Ok(copy::read(world, &session.paths, &session.name).is_none_or(|copy| copy.bound == bound))
}

enum Usable {
    Yes,
    No,
}

fn usable(world: &World, set: &TokenSet, want: Want) -> Usable {
    let now = world.clock.now();
    match set.freshness(now, want.min_ttl) {
        _ if want.force => Usable::No,
        // a clock that was set back would keep an old token for ever: its lifetime counts from when it came
        Freshness::Fresh if now + JUST_NOW < set.received_at => Usable::No,
        Freshness::Fresh | Freshness::Unknown => Usable::Yes,
        // the usual margin is ours, not the caller's
        Freshness::Stale if want.no_refresh && want.min_ttl.is_none() => Usable::Yes,
        Freshness::Stale | Freshness::Expired => Usable::No,
    }
}

fn too_old(session: &Session) -> Error {
    Error::new(
        Kind::LoginFirst,
        format!("the token of `{}` is not valid for long enough, and `--no-refresh` forbids to renew it", session.name),
    )
    .hint(session.typed.line("refresh"))
}

/// Under the lock: load again, judge again, then one request at most. `first` is what was loaded without the lock, if anything.
fn renew(world: &mut World, session: &mut Session, want: Want, first: Option<&Record>) -> Result<TokenSet, Error> {
    let lock = match session.lock(world) {
        Ok(lock) => lock,
        // a CI job has no folder to lock in, and nothing to lose: each token is a new one
        Err(e) if e.kind == Kind::Store || e.kind == Kind::Usage => {
            return match session.grant(None, first).needs_person() {
                false => unkept(world, session, first),
                true => Err(e),
            };
        }
        Err(e) => return Err(e),
    };
    renew_under(lock, world, session, want, first, None)
}

/// `refused`: a token that the API would not take, and that is no good whatever its expiry says.
fn renew_under(
    lock: Lock,
    world: &mut World,
    session: &mut Session,
    want: Want,
    first: Option<&Record>,
    refused: Option<&Secret>,
) -> Result<TokenSet, Error> {
    if let Some(set) = from_copy(world, session, want) {
        return Ok(set);
    }
    let record = match session.load() {
        Ok(record) => record,
        Err(e) => return without_store(world, session, e),
    };
    let mine = ours(world, session, record.as_ref())?;
    let current = mine.and_then(|r| r.token.as_ref());
    if let Some(set) = current {
        let now = world.clock.now();
        let just_now = (now - JUST_NOW..=now).contains(&set.received_at);
        let newer = record.as_ref().map(|r| r.generation) > first.map(|r| r.generation);
        let by_sibling = match refused {
            Some(refused) => {
                set.access_token != *refused
                    && (just_now || matches!(usable(world, set, Want { force: false, ..want }), Usable::Yes))
            }
            None => newer && (first.is_some() || lock.waited) && just_now,
        };
        if by_sibling || matches!(usable(world, set, want), Usable::Yes) {
            let set = set.clone();
            if let Some(record) = mine {
                copy::write(world, session, record);
            }
            return Ok(set);
        }
    }
    let grant = session.grant(None, record.as_ref());
    if current.is_none() && grant.needs_person() {
        return Err(none_of_use(world, session, record.as_ref()));
    }
    let provider = session.provider(world, mine)?;
    // whoever can ask again needs no refresh token; where there is one all the same, it is what the server wants used
    let refreshable = grant != GrantKind::ClientCredentials
        && current.is_some_and(|set| grant::refresh::spendable(&provider, set).is_some());
    if !grant.needs_person() && !refreshable {
        if let Some(e) = session.trouble(world.clock.now(), want.insists) {
            return still_valid(world, current, want, e);
        }
        return anew(world, session, &provider, record.as_ref(), &lock).or_else(|e| {
            session.remember_trouble(world.clock.now(), &e);
            still_valid(world, current, want, e)
        });
    }
    match (current.cloned(), record) {
        (Some(old), Some(record)) => renewal::refresh(world, session, Held { record, lock }, want)
            .or_else(|e| still_valid(world, Some(&old), want, e)),
        _ => Err(no_token(world, session)),
    }
}

/// A token that is valid for a while yet is better than none while its endpoint is in trouble.
fn still_valid(world: &mut World, set: Option<&TokenSet>, want: Want, e: Error) -> Result<TokenSet, Error> {
    match set {
        Some(set)
            if e.kind == Kind::TryLater
                && !want.force
                && want.min_ttl.is_none()
                && set.freshness(world.clock.now(), None) == Freshness::Stale =>
        {
            world.warn(&format!("{}: the old token is still valid and is used", e.message));
            Ok(set.clone())
        }
        _ => Err(e),
    }
}

/// Asks for a token by a grant that needs no person, and keeps it.
fn anew(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    record: Option<&Record>,
    lock: &Lock,
) -> Result<TokenSet, Error> {
    let set = ask_anew(world, session, provider, record)?;
    let kept = record.filter(|r| r.token.is_some());
    let mine = ours(world, session, kept)?.is_some();
    // only a login moves it
    let moved = kept.is_some_and(|r| elsewhere(session, r).is_some());
    // a person's login is not for a job to overwrite, nor what the profile usually means for what flags ask for this once
    if kept.is_some_and(|r| !mine && (r.grant.is_none_or(GrantKind::needs_person) || moved || session.chose_identity()))
    {
        world.step(|| "another login is stored under this name: this token is not kept".to_owned());
        return Ok(set);
    }
    let client = session.client(world, record)?;
    let dpop = client.as_ref().and_then(|c| c.proofs.dpop.clone());
    let grant = session.grant(Some(provider), record);
    let before = record.cloned().unwrap_or_default();
    let bound = session.bound(provider, &BTreeMap::new());
    let secret_stays = before.client_secret.is_none() || session.secret_moved(&before, provider).is_some();
    let kept = Record {
        generation: before.generation + 1,
        provider: Some(session.provider_name().to_owned()),
        client_id: client.as_ref().map(|c| c.id.clone()),
        dpop_key: dpop.as_ref().map(|dpop| dpop.kept().clone()),
        dpop_nonces: dpop.as_ref().map(|dpop| dpop.nonces()).unwrap_or_default(),
        grant: Some(grant),
        asked: session.scopes(provider, grant),
        login_at: Some(world.clock.now()),
        token: Some(set.clone()),
        metadata: session.metadata().or(before.metadata.clone()),
        secret_bound: if secret_stays { before.secret_bound.clone() } else { Some(bound.clone()) },
        bound: Some(bound),
        asked_with: session.asked_with.clone().map(|with| recorded(session, grant, with)),
        ..before
    };
    match keep(world, session, &kept, lock) {
        Ok(set) => Ok(set),
        // the next job asks for another one: nothing is lost
        Err(e) => {
            world.warn(&format!("the token is not kept: {}", e.message));
            Ok(set)
        }
    }
}

/// A token for this command alone: `--store none`, or a machine without a store.
fn unkept(world: &mut World, session: &mut Session, record: Option<&Record>) -> Result<TokenSet, Error> {
    let provider = session.provider(world, record)?;
    if session.grant(Some(&provider), record).needs_person() {
        let store = session.store.kind().name();
        let why = format!("the store `{store}` keeps nothing, so `{}` has no token", session.name);
        let error = Error::new(Kind::LoginFirst, why).hints(without_a_person(world, session));
        let error = error.hint(format!("with a store: {}", session.typed.login_with(&[("--store", "STORE")])));
        return Err(match provider.client_credentials.supported {
            true => error.hint("`--grant client-credentials` needs no store"),
            false => error,
        });
    }
    ask_anew(world, session, &provider, record)
}

fn ask_anew(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    record: Option<&Record>,
) -> Result<TokenSet, Error> {
    let grant = session.grant(Some(provider), record);
    let client = session.require_client(world, record)?;
    by_grant(world, session, provider, &client, grant).map(|answer| answer.set)
}

/// One token by a grant that needs no person, kept by nobody yet.
pub fn by_grant(
    world: &mut World,
    session: &Session,
    provider: &Provider,
    client: &Client,
    grant: GrantKind,
) -> Result<Answer, Error> {
    offers::offered(provider, grant, &session.typed)?;
    let given = inputs::given(world, session, provider, client, grant)?;
    let scopes = session.scopes(provider, grant);
    let asks = &session.profile.asks;
    let aim = Aim { scopes: &scopes, resources: &asks.resources, audiences: &asks.audiences };
    let asking = session.asking_with(provider, client);
    unattended::obtain(world, &asking, &given, aim)
}

/// The store doesn't answer: only a grant that needs no person can do without.
fn without_store(world: &mut World, session: &mut Session, e: Error) -> Result<TokenSet, Error> {
    if session.grant(None, None).needs_person() && session.nobody_logged_in(world) {
        return Err(none_of_use(world, session, None));
    }
    if e.kind == Kind::Store && !session.grant(None, None).needs_person() && session.profile.grant.is_some() {
        // its secret may be in there: without it, nothing that the server says is to the point
        if lacks_client(world, session)? && !session.has_no_store() {
            return Err(e);
        }
        // nothing is lost: the next command asks for another one
        world.step(|| format!("{}: the token is not kept", e.message));
        return unkept(world, session, None);
    }
    let mut e = e;
    // the store is asked again only for a job: a keychain that does not answer takes its three seconds each time
    if let Some(instead) = without_a_person(world, session)
        && session.has_no_store()
    {
        e.hints.insert(0, instead);
    }
    Err(e)
}

/// Whether the client is not known whole without a record.
fn lacks_client(world: &mut World, session: &mut Session) -> Result<bool, Error> {
    let provider = session.provider(world, None)?;
    let client = session.client(world, None)?;
    // an assertion or another token may speak for a client without a secret
    let needs_secret = session.grant(Some(&provider), None) == GrantKind::ClientCredentials;
    let speaks_alone = matches!(session.profile.grant, Some(GrantKind::JwtBearer | GrantKind::Saml2Bearer));
    Ok(match client {
        None => !speaks_alone,
        Some(client) => needs_secret && client.secret.is_none() && !session.proves_from_outside(world),
    })
}

/// Saves the record and keeps the kernel's copy true; the token set as it now stands in the store. Whenever this is cut off, no
/// copy speaks for a record that is gone.
/// What a record is too long with is left out, and said; the tokens never are.
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

impl Who {
    /// The scopes to ask for: the person's, else the provider's usual ones, and what it always wants.
    pub fn scopes(&self, provider: &Provider, grant: GrantKind) -> Vec<String> {
        let facts = &provider.scopes;
        let mut scopes = self.profile.scopes.clone().unwrap_or_else(|| facts.default.clone());
        let offline = facts.offline.iter().filter(|_| grant.needs_person() && provider.refresh.supported);
        for scope in facts.always.iter().chain(offline) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }

    /// Whether flags say more than a profile's name: then the kernel's copy can't answer.
    pub(super) fn chose_identity(&self) -> bool {
        let c = &self.choice;
        c.proofs != Proofs::default()
            || c.provider.is_some()
            || c.environment.is_some()
            || !c.vars.is_empty()
            || !c.params.is_empty()
            || c.grant.is_some()
            || c.client_id.is_some()
            || !c.scopes.is_empty()
            || c.store.is_some()
            || c.asks != Asks::default()
    }
}
