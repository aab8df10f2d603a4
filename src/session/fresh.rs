//! A fresh token: the stored one, or a renewed one, but never one for which a person would have to
//! act.

use std::collections::BTreeMap;

use crate::config::GrantKind;
use crate::error::{Error, Kind};

use crate::grant::{self, Aim, Asking, offers, unattended};
use crate::protocol::answer::Answer;
use crate::protocol::explain::{Line, Step};
use crate::secret::Secret;
use crate::session::keep::keep;
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

/// Another token than the one the API has just refused: a sibling's, if there is one by now, else a
/// renewed one. A hundred processes that meet the same refusal cause one renewal (T-61).
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
    // GNOME Keyring aborts under many readers at once: with the copy to go by, they come one after
    // the other
    let one_by_one = session.store.kind() == StoreKind::Keychain && session.cache && !want.force && !want.no_refresh;
    let early = match one_by_one || (refused.is_some() && session.store.kind() != StoreKind::Environment) {
        true => match session.lock(world) {
            Ok(lock) => Some(lock),
            // nowhere to lock: what is fresh can be had all the same
            Err(e) if has_no_place(&e) => None,
            Err(e) => return Err(e),
        },
        false => None,
    };
    let first = match early.is_none() {
        true => match look(world, session, want)? {
            Look::Good(set) => return Ok(*set),
            Look::Stale(stale) => stale.record,
        },
        false => None,
    };
    let lock = match early.map_or_else(|| session.lock(world), Ok) {
        Ok(lock) => lock,
        // a CI job has no folder to lock in, and nothing to lose: each token is a new one
        Err(e) if has_no_place(&e) && !session.grant(None, first.as_deref()).needs_person() => {
            return unkept(world, session, first.as_deref());
        }
        Err(e) => return Err(e),
    };
    let before = Before { first: first.map(|record| record.generation), waited: lock.waited, refused };
    match look_again(world, session, want, &before)? {
        Look::Good(set) => Ok(*set),
        Look::Stale(stale) => renew(world, session, want, (stale, lock)),
    }
}

fn has_no_place(lock: &Error) -> bool {
    matches!(lock.kind, Kind::Store | Kind::Usage)
}

/// What the store has: a token that will do, or a record that has to be renewed.
enum Look {
    Good(Box<TokenSet>),
    Stale(Stale),
}

struct Stale {
    record: Option<Box<Record>>,
    /// Whether the record is of what is meant now.
    mine: bool,
}

/// Loads and judges without the lock.
fn look(world: &mut World, session: &mut Session, want: Want) -> Result<Look, Error> {
    let outside = session.store.kind() == StoreKind::Environment;
    if outside && let Some(moved) = session.said_elsewhere() {
        return Err(moved.refused(&session.typed));
    }
    let record = match session.load() {
        Ok(record) => record,
        Err(e) => return without_store(world, session, e).map(|set| Look::Good(Box::new(set))),
    };
    let mine = ours(world, session, record.as_ref())?;
    if let Some(set) = mine.and_then(|r| r.token.as_ref()) {
        if is_usable(world, set, want) {
            let set = set.clone();
            at_hand(world, &session.name, "the store has it");
            refill_copy(world, session, record.as_ref());
            return Ok(Look::Good(Box::new(set)));
        }
        if want.no_refresh {
            return Err(too_old(session));
        }
    } else if want.no_refresh {
        return Err(none_of_use(world, session, record.as_ref()));
    }
    if outside {
        return Err(no_token(world, session));
    }
    if record.as_ref().is_none_or(|r| r.token.is_none()) && session.grant(None, record.as_ref()).needs_person() {
        return Err(none_of_use(world, session, record.as_ref()));
    }
    let mine = mine.is_some();
    Ok(Look::Stale(Stale { record: record.map(Box::new), mine }))
}

/// What is known from before the lock was held.
struct Before<'a> {
    /// The generation that was loaded without it.
    first: Option<u64>,
    /// Another process held the lock.
    waited: bool,
    /// A token that the API did not take, whatever its expiry says.
    refused: Option<&'a Secret>,
}

/// Loads and judges again, under the lock: another process may have renewed the token by now.
fn look_again(world: &mut World, session: &mut Session, want: Want, before: &Before<'_>) -> Result<Look, Error> {
    if let Some(set) = from_copy(world, session, want) {
        return Ok(Look::Good(Box::new(set)));
    }
    let record = match session.load() {
        Ok(record) => record,
        Err(e) => return without_store(world, session, e).map(|set| Look::Good(Box::new(set))),
    };
    let mine = ours(world, session, record.as_ref())?;
    let is_mine = mine.is_some();
    let Some((mine, set)) = mine.and_then(|r| Some((r, r.token.as_ref()?))) else {
        return match session.grant(None, record.as_ref()).needs_person() {
            true => Err(none_of_use(world, session, record.as_ref())),
            false => Ok(Look::Stale(Stale { record: record.map(Box::new), mine: is_mine })),
        };
    };
    let now = world.clock.now();
    let just_now = (now - JUST_NOW..=now).contains(&set.received_at);
    let by_sibling = match before.refused {
        Some(refused) => {
            set.access_token != *refused && (just_now || is_usable(world, set, Want { force: false, ..want }))
        }
        None => just_now && Some(mine.generation) > before.first && (before.first.is_some() || before.waited),
    };
    if by_sibling || is_usable(world, set, want) {
        let set = Box::new(set.clone());
        copy::write(world, session, mine);
        return Ok(Look::Good(set));
    }
    Ok(Look::Stale(Stale { record: record.map(Box::new), mine: is_mine }))
}

/// One request at most, under the lock: by the refresh token, or by a grant that needs no person.
fn renew(
    world: &mut World,
    session: &mut Session,
    want: Want,
    (Stale { record, mine }, lock): (Stale, Lock),
) -> Result<TokenSet, Error> {
    let grant = session.grant(None, record.as_deref());
    let mine = record.as_deref().filter(|_| mine);
    let provider = session.provider(world, mine)?;
    let old = mine.and_then(|r| r.token.clone());
    // a grant that can ask again needs no refresh token; one that is there all the same is what the
    // server wants used
    let refreshable = grant != GrantKind::ClientCredentials
        && old.as_ref().is_some_and(|set| grant::refresh::spendable(&provider, set).is_some());
    let renewed = match record {
        record if !grant.needs_person() && !refreshable => match session.trouble(world.clock.now(), want.insists) {
            Some(e) => Err(e),
            None => anew(world, session, record.as_deref(), &lock)
                .inspect_err(|e| session.remember_trouble(world.clock.now(), e)),
        },
        Some(record) if old.is_some() => renewal::refresh(world, session, Held { record: *record, lock }, want),
        _ => return Err(no_token(world, session)),
    };
    renewed.or_else(|e| still_valid(world, old.as_ref(), want, e))
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

/// Makes the kernel's copy anew. It was read without the lock: a logout or a login may have come
/// since, and what that one forgot must not come back. So it is written under the lock, if that is
/// free, and only if the record is still the same.
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
    (bound && is_usable(world, &copy.set, want)).then_some(copy.set)
}

/// Whether the kernel's copy, if there is one, may do for a command that sends the token to the
/// provider's API: what else the record says is not needed then. The provider's variables are not
/// filled in yet.
pub fn copy_will_do(world: &World, session: &Session) -> Result<bool, Error> {
    let bound = session.bound(&session.raw_provider()?, &BTreeMap::new()).fingerprint();
    Ok(copy::read(world, &session.paths, &session.name).is_none_or(|copy| copy.bound == bound))
}

fn is_usable(world: &World, set: &TokenSet, want: Want) -> bool {
    let now = world.clock.now();
    match set.freshness(now, want.min_ttl) {
        _ if want.force => false,
        // a clock that was set back would keep an old token for ever: its lifetime counts from when
        // it came
        Freshness::Fresh => now + JUST_NOW >= set.received_at,
        Freshness::Unknown => true,
        // the usual margin is ours, not the caller's
        Freshness::Stale => want.no_refresh && want.min_ttl.is_none(),
        Freshness::Expired => false,
    }
}

fn too_old(session: &Session) -> Error {
    Error::new(
        Kind::LoginFirst,
        format!("the token of `{}` is not valid for long enough, and `--no-refresh` forbids to renew it", session.name),
    )
    .hint(session.typed.line("refresh"))
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
fn anew(world: &mut World, session: &mut Session, record: Option<&Record>, lock: &Lock) -> Result<TokenSet, Error> {
    let (asking, grant) = asking_anew(world, session, record)?;
    let set = by_grant(world, session, &asking, grant)?.set;
    let kept = record.filter(|r| r.token.is_some());
    let mine = ours(world, session, kept)?.is_some();
    // only a login moves it
    let moved = kept.is_some_and(|r| elsewhere(session, r).is_some());
    // a person's login is not for a job to overwrite, nor what the profile usually means for what
    // flags ask for this once
    if kept.is_some_and(|r| !mine && (r.grant.is_none_or(GrantKind::needs_person) || moved || session.chose_identity()))
    {
        world.step(|| "another login is stored under this name: this token is not kept".to_owned());
        return Ok(set);
    }
    let Asking { provider, client, .. } = &asking;
    let dpop = client.proofs.dpop.as_ref();
    let before = record.cloned().unwrap_or_default();
    let bound = session.bound(provider, &BTreeMap::new());
    let secret_stays = before.client_secret.is_none() || session.secret_moved(&before, provider).is_some();
    let kept = Record {
        generation: before.generation + 1,
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(client.id.clone()).filter(|id| !id.is_empty()),
        dpop_key: dpop.map(|dpop| dpop.kept().clone()),
        dpop_nonces: dpop.map(|dpop| dpop.nonces()).unwrap_or_default(),
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
    let (asking, grant) = asking_anew(world, session, record)?;
    by_grant(world, session, &asking, grant).map(|answer| answer.set)
}

fn asking_anew(
    world: &mut World,
    session: &mut Session,
    record: Option<&Record>,
) -> Result<(Asking, GrantKind), Error> {
    let asking = session.asking(world, record)?;
    let grant = session.grant(Some(&asking.provider), record);
    Ok((asking, grant))
}

/// One token by a grant that needs no person, kept by nobody yet.
pub fn by_grant(world: &mut World, who: &Who, asking: &Asking, grant: GrantKind) -> Result<Answer, Error> {
    offers::offered(&asking.provider, grant, &who.typed)?;
    let given = inputs::given(world, who, asking, grant)?;
    let scopes = who.scopes(&asking.provider, grant);
    let asks = &who.profile.asks;
    let aim = Aim { scopes: &scopes, resources: &asks.resource, audiences: &asks.audience };
    unattended::obtain(world, asking, &given, aim)
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
    // the store is asked again only for a job: a keychain that does not answer takes its three
    // seconds each time
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
