//! A fresh token, stored or refreshed. A token that needs a person is never obtained here.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::config::GrantKind;
use crate::error::{Error, Kind};
use crate::grant::{self, Aim, Asking, support, unattended};
use crate::protocol::explain::{Line, Step};
use crate::protocol::token_response::Answer;
use crate::protocol::{id_token, jose};
use crate::provider::expand::open_variable;
use crate::provider::{Provider, VarFrom};
use crate::secret::Secret;
use crate::session::bound::Scope;
use crate::session::keep::{keep, unrevoked_there};
use crate::session::matching::{
    Compared, Differs, compare, elsewhere, flags_serve, matching, no_usable_token, recorded,
};
use crate::session::unfinished::forgotten;
use crate::session::variant::Variant;
use crate::session::{
    Lock, Record, Session, Who, grant_input, kernel_cache, lease, lock, no_token, renewal, without_a_person,
};
use crate::store::{StoreError, StoreKind};
use crate::text::safe;
use crate::token::{Freshness, TokenSet};
use crate::world::World;

/// The token that the caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreshnessPolicy {
    /// Seconds it must still be valid.
    pub min_ttl: Option<i64>,
    /// Refresh even a fresh one.
    pub force: bool,
    /// Never refresh.
    pub no_refresh: bool,
    /// Scopes, ID token and extra members too: the kernel's copy has none of them.
    pub whole: bool,
    /// A person asked for it here and now: trouble of a moment ago doesn't count.
    pub insists: bool,
    /// The login is renewed here again, though another machine got it.
    pub takes_back: bool,
}

/// Another process's refresh counts as ours if it came so many seconds ago while we waited (T-61).
pub const JUST_NOW: i64 = 10;

/// How long a reader of a shared login waits for another token than one that is about to expire.
const READER_WAIT: Duration = Duration::from_secs(3);

/// The stored token if it is fresh, else a refreshed one. Opens no browser and asks no question.
pub fn fresh(world: &mut World, session: &mut Session, want: FreshnessPolicy) -> Result<TokenSet, Error> {
    obtain(world, session, want, None).inspect(|set| session.warn_of_more(world, set))
}

/// Another token than the one that the API has just refused. A hundred processes that meet the same
/// refusal cause one refresh (T-61).
pub fn instead_of(world: &mut World, session: &mut Session, refused: &TokenSet) -> Result<TokenSet, Error> {
    kernel_cache::forget(world, session);
    obtain(world, session, FreshnessPolicy { force: true, ..FreshnessPolicy::default() }, Some(&refused.access_token))
}

/// The login's ID token in the access token's place. One that is about to expire is refreshed.
pub fn fresh_id_token(world: &mut World, session: &mut Session, want: FreshnessPolicy) -> Result<TokenSet, Error> {
    if session.variant.is_some() {
        session.choose_variant(world, session.load()?.as_ref())?;
    }
    if let Some(variant) = &session.variant {
        return Err(Error::usage(format!("`{}` is for an access token, not for an ID token", variant.words())));
    }
    let started = world.clock.now();
    let set = fresh(world, session, FreshnessPolicy { whole: true, ..want })?;
    let want = FreshnessPolicy { force: false, ..want };
    let mut found = id_token_of(session, &set)?;
    if !is_usable(world, &found, want) && set.received_at < started {
        if want.no_refresh {
            return Err(no_refresh_allowed(session));
        }
        found = match instead_of(world, session, &set) {
            Ok(set) => id_token_of(session, &set)?,
            Err(e) => still_valid(world, Some(&found), want, e)?,
        };
    }
    match found.freshness(world.clock.now(), None) {
        Freshness::Expired => Err(Error::login_first(
            &session.typed,
            format!("the ID token of `{}` has expired, and a refresh brings no other", session.name),
        )),
        _ => Ok(found),
    }
}

fn id_token_of(session: &Session, set: &TokenSet) -> Result<TokenSet, Error> {
    let Some(token) = &set.id_token else { return Err(session.no_id_token()) };
    let claims = jose::unverified_claims(token.expose()).unwrap_or_default();
    let expires_at = id_token::seconds(&claims, "exp").ok().flatten();
    Ok(TokenSet { expires_at, ..TokenSet::new(token.clone(), "N_A", set.received_at) })
}

fn no_refresh_allowed(session: &Session) -> Error {
    if let Some(variant) = &session.variant {
        return session.none_beside(variant).because("`--no-refresh` forbids to ask for it");
    }
    let why = format!("the token of `{}` expires too soon, and `--no-refresh` forbids to refresh it", session.name);
    Error::new(Kind::LoginFirst, why).hint(session.typed.line("refresh"))
}

/// Load, judge, lock, load again, judge again, refresh, keep.
fn obtain(
    world: &mut World,
    session: &mut Session,
    want: FreshnessPolicy,
    refused: Option<&Secret>,
) -> Result<TokenSet, Error> {
    if let Some(set) = from_copy(world, session, want) {
        explain_no_request(world, &session.name, "the copy that the kernel keeps has it");
        return Ok(set);
    }
    if let Some(set) = session.unkept.as_ref().filter(|set| is_usable(world, set, want)) {
        return Ok(set.clone());
    }
    match session.store.kind() {
        StoreKind::None => return unkept(world, session, None),
        StoreKind::Lent => return lent(world, session, want, refused),
        _ => {}
    }
    let early = early_lock(world, session, want, refused)?;
    let Stale { record: first, seen } = match early {
        Some(_) => Stale::default(),
        None => match without_lock(world, session, want)? {
            ControlFlow::Break(set) => return Ok(set),
            ControlFlow::Continue(stale) => stale,
        },
    };
    let lock = match early.map_or_else(|| session.lock_here(world), Ok) {
        Ok(lock) => lock,
        // a CI job has no folder to lock in, and nothing to lose: each token is a new one
        Err(e) if has_no_place(&e) && !session.grant(None, first.as_ref()).needs_person() => {
            return unkept(world, session, first.as_ref()).inspect(|_| warn_not_stored(world, &e));
        }
        Err(e) => return Err(e),
    };
    if let Some(set) = from_copy(world, session, want) {
        return Ok(set);
    }
    let before = Before { generation: first.map(|record| record.generation), seen, waited: lock.waited, refused };
    let lock = match in_turn(world, session, lock, (&before, want))? {
        ControlFlow::Break(set) => return Ok(set),
        ControlFlow::Continue(lock) => lock,
    };
    let found = match session.load() {
        Ok(record) => Found::chosen(world, session, record)?,
        Err(e) => return without_store(world, session, e),
    };
    if let Some((record, set)) = found.mine().zip(found.token())
        && (is_usable(world, set, want) || found.is_refreshed_since(world, &before, want))
    {
        kernel_cache::write(world, session, record);
        return Ok(set.clone());
    }
    refresh(world, session, want, (found, lock))
}

/// What was found before the lock was held, and is not fresh.
#[derive(Default)]
struct Stale {
    /// The record, if its token may be refreshed or replaced.
    record: Option<Record>,
    /// The token that was wanted.
    seen: Option<TokenSet>,
}

/// The stored token, if it is fresh.
fn without_lock(
    world: &mut World,
    session: &mut Session,
    want: FreshnessPolicy,
) -> Result<ControlFlow<TokenSet, Stale>, Error> {
    let all = want.whole || session.chose_identity() || session.variant.is_some();
    let found = match if all { session.load() } else { session.glance() } {
        Ok(record) => Found::chosen(world, session, record)?,
        Err(e) => return without_store(world, session, e).map(ControlFlow::Break),
    };
    if let Some(set) = found.token().filter(|set| is_usable(world, set, want)) {
        explain_no_request(world, &session.name, "the store has it");
        refill_copy(world, session, found.record.as_ref(), set);
        return Ok(ControlFlow::Break(set.clone()));
    }
    let seen = found.token().cloned();
    Ok(ControlFlow::Continue(Stale { record: found.refreshable(world, session, want)?, seen }))
}

/// The token that another machine lends. Only there it is refreshed.
fn lent(
    world: &mut World,
    session: &mut Session,
    want: FreshnessPolicy,
    refused: Option<&Secret>,
) -> Result<TokenSet, Error> {
    let there = format!("on the machine that lends it: `{}`", session.typed.line("refresh"));
    let name = session.name.clone();
    if want.no_refresh || (want.force && refused.is_none()) {
        let option = if want.force { "--force-refresh" } else { "--no-refresh" };
        return Err(
            Error::usage(format!("the token of `{name}` is lent: `{option}` is for a login of one's own")).hint(there)
        );
    }
    session.store.wants(&name, want.min_ttl, refused.is_some());
    let found = session.load().and_then(|record| Found::chosen(world, session, record));
    session.store.wants(&name, None, false);
    let found = found?;
    if let Some(variant) = &found.variant {
        return Err(Error::usage(format!(
            "the main token of `{name}` is lent, and no other one ({})",
            variant.words()
        ))
        .hint("ask for another one on the machine that lends it"));
    }
    match found.token() {
        Some(set) if refused == Some(&set.access_token) => {
            let practice = session.raw_provider().is_ok_and(|provider| provider.practice.is_some());
            let only_there = "a practice server takes only its own tokens: use them where it is".to_owned();
            Err(Error::new(Kind::LoginFirst, format!("the token that is lent for `{name}` was refused"))
                .hint(if practice { only_there } else { there }))
        }
        Some(set) if set.freshness(world.clock.now(), None) == Freshness::Expired => {
            Err(Error::new(Kind::TryLater, format!("the token that is lent for `{name}` has expired")).hint(there))
        }
        Some(set) => Ok(set.clone()),
        None => Err(no_usable_token(world, session, found.differs)),
    }
}

/// Takes the lease of a shared store, unless another machine has renewed the token meanwhile: that
/// token. Who may only read waits for it.
fn in_turn(
    world: &mut World,
    session: &Session,
    mut lock: Lock,
    (before, want): (&Before<'_>, FreshnessPolicy),
) -> Result<ControlFlow<TokenSet, Lock>, Error> {
    let Some(shared) = session.store.shared() else { return Ok(ControlFlow::Continue(lock)) };
    let judge = |world: &mut World, text: &Option<Secret>| {
        let record = text.as_ref().map(|text| session.parsed(text)).transpose()?;
        let found = Found::of(world, session, record)?;
        let Some((record, set)) = found.mine().zip(found.token()) else { return Ok(None) };
        let good = is_usable(world, set, want) || found.is_refreshed_since(world, before, want);
        if good {
            kernel_cache::write(world, session, record);
        }
        Ok(good.then(|| set.clone()))
    };
    if lock.waited
        && let Some(set) = judge(world, &shared.peek(&session.name)?)?
    {
        return Ok(ControlFlow::Break(set));
    }
    let turn = lease::take(world, (&session.store, &session.name), &mut lock, |world, seen| {
        let set = judge(world, &seen.record)?;
        if set.is_some() {
            shared.mend(&session.name, seen);
        }
        Ok(set)
    });
    match turn {
        Err(e) if matches!(e.what.downcast_ref(), Some(StoreError::NotAllowed { .. })) => {}
        turn => return turn.map(|set| set.map_or(ControlFlow::Continue(lock), ControlFlow::Break)),
    }
    // readers wait side by side, and in nobody's way
    drop(lock);
    let old = session.glance()?.and_then(|record| record.token);
    let time = reader_waits(world, old.as_ref(), (before, want));
    world.step(|| format!("this job may only read the token: for {} s it waits for one who renews it", time.as_secs()));
    let renewed = lease::poll(world, time, |world| judge(world, &shared.peek(&session.name)?))?;
    let set = renewed.map_or_else(|| still_valid(world, old.as_ref(), want, nobody_renews(session, time)), Ok);
    set.map(ControlFlow::Break)
}

/// How long a reader waits for another token than this one.
fn reader_waits(world: &World, old: Option<&TokenSet>, (before, want): (&Before<'_>, FreshnessPolicy)) -> Duration {
    let valid = |set: &TokenSet| set.freshness(world.clock.now(), None) != Freshness::Expired;
    match before.refused {
        None if old.is_some_and(valid) && want.force => Duration::ZERO,
        None if old.is_some_and(valid) => READER_WAIT,
        _ => lock::LONGEST_WAIT,
    }
}

/// For who may read a shared login and not renew it.
fn nobody_renews(session: &Session, waited: Duration) -> Error {
    let name = &session.name;
    let why = match waited {
        Duration::ZERO => format!("this job may only read the token of `{name}`, which is still valid"),
        _ => format!("nobody renews the token of `{name}`, and this job may only read it"),
    };
    Error::new(Kind::TryLater, why)
        .hint("on a machine that may renew it, by a timer: `oauthctl refresh --all --due`")
        .hint("`oauthctl store policy` prints what it must be allowed")
}

/// GNOME Keyring aborts when many processes read at once, and a program is slow: they come one
/// after the other. And for another token than the refused one, the lock shows whether another
/// process refreshes it.
fn early_lock(
    world: &mut World,
    who: &Who,
    want: FreshnessPolicy,
    refused: Option<&Secret>,
) -> Result<Option<Lock>, Error> {
    let store = who.store.kind();
    let one_by_one =
        matches!(store, StoreKind::Keychain | StoreKind::Program(_)) && who.cache && !want.force && !want.no_refresh;
    if !one_by_one && (refused.is_none() || store == StoreKind::Environment) {
        return Ok(None);
    }
    match who.lock_here(world) {
        // where nothing can be locked, a fresh token can still be read
        Err(e) if has_no_place(&e) => Ok(None),
        lock => lock.map(Some),
    }
}

fn has_no_place(lock: &Error) -> bool {
    matches!(lock.kind, Kind::Store | Kind::Usage)
}

/// What the store has.
struct Found {
    record: Option<Record>,
    /// How the record differs from what is meant now.
    differs: Option<Differs>,
    /// What is wanted, if not the main token.
    variant: Option<Variant>,
}

impl Found {
    fn chosen(world: &mut World, session: &mut Session, record: Option<Record>) -> Result<Found, Error> {
        session.choose_variant(world, record.as_ref())?;
        Found::of(world, session, record)
    }

    fn of(world: &mut World, session: &Session, record: Option<Record>) -> Result<Found, Error> {
        let Compared { differs, .. } = compare(world, session, record.as_ref())?;
        Ok(Found { record, differs, variant: session.variant.clone() })
    }

    /// The record, if it is what is meant now.
    fn mine(&self) -> Option<&Record> {
        self.record.as_ref().filter(|_| self.differs.is_none())
    }

    /// The login's main token.
    fn main(&self) -> Option<&TokenSet> {
        self.mine()?.token.as_ref()
    }

    /// The token that is wanted.
    fn token(&self) -> Option<&TokenSet> {
        match &self.variant {
            Some(variant) => self.mine()?.beside(variant),
            None => self.main(),
        }
    }

    /// Whether another process has refreshed the token meanwhile.
    fn is_refreshed_since(&self, world: &World, before: &Before<'_>, want: FreshnessPolicy) -> bool {
        let Some((record, set)) = self.mine().zip(self.token()) else { return false };
        let now = world.clock.now();
        let just_now = (now - JUST_NOW..=now).contains(&set.received_at);
        match before.refused {
            Some(refused) => {
                set.access_token != *refused
                    && (just_now || is_usable(world, set, FreshnessPolicy { force: false, ..want }))
            }
            None => {
                let newer = Some(record.generation) > before.generation;
                // another token of the login may have been refreshed, and this one not
                let is_another =
                    |seen: &TokenSet| (&seen.access_token, seen.received_at) != (&set.access_token, set.received_at);
                let newer = newer && before.seen.as_ref().is_none_or(is_another);
                just_now && newer && (before.generation.is_some() || before.waited)
            }
        }
    }

    /// The record, if its token may be refreshed or replaced.
    fn refreshable(self, world: &World, who: &Session, want: FreshnessPolicy) -> Result<Option<Record>, Error> {
        let nothing = self.record.as_ref().is_none_or(|r| r.token.is_none());
        match self.main() {
            Some(_) if want.no_refresh => Err(no_refresh_allowed(who)),
            None if want.no_refresh => Err(no_usable_token(world, who, self.differs)),
            _ if who.store.kind() == StoreKind::Environment => Err(no_token(world, who)),
            _ if nothing && who.grant(None, self.record.as_ref()).needs_person() => {
                Err(no_usable_token(world, who, self.differs))
            }
            _ => Ok(self.record),
        }
    }
}

/// What is known from before the lock was held.
struct Before<'a> {
    /// The generation that was loaded without the lock.
    generation: Option<u64>,
    /// The token that was wanted, at that time.
    seen: Option<TokenSet>,
    /// Another process held the lock.
    waited: bool,
    /// A token that the API refused, whatever its expiry says.
    refused: Option<&'a Secret>,
}

/// One request at most, under the lock: by the refresh token, or by a grant that needs no person.
fn refresh(
    world: &mut World,
    session: &mut Session,
    want: FreshnessPolicy,
    (found, lock): (Found, Lock),
) -> Result<TokenSet, Error> {
    let grant = session.grant(None, found.record.as_ref());
    let old = found.token().cloned();
    let main = found.main().cloned();
    if main.is_none() && grant.needs_person() {
        return Err(no_usable_token(world, session, found.differs));
    }
    let mut found = found;
    if let Some(to) = found.record.as_ref().and_then(|record| record.moved_to.clone()) {
        if !want.takes_back {
            let e =
                Error::login_first(&session.typed, format!("the login of `{}` went to {}", session.name, safe(&to)))
                    .because("it is renewed there, and a refresh here may end it");
            let e = e.hint(format!("`{}` renews it here again", session.typed.line("refresh")));
            return still_valid(world, old.as_ref(), want, e);
        }
        found.record.iter_mut().for_each(|record| record.moved_to = None);
    }
    let provider = session.provider(world, found.mine())?;
    // a grant that can ask again needs no refresh token, but uses one that the server gave
    let refreshable = grant != GrantKind::ClientCredentials
        && main.as_ref().is_some_and(|set| grant::refresh::spendable(&provider, set).is_some());
    let refreshed = match found.record {
        record if !grant.needs_person() && !refreshable => match session.trouble(world.clock.now(), want.insists) {
            Some(e) => Err(e),
            None => anew(world, session, record.as_ref(), &lock)
                .inspect_err(|e| session.remember_trouble(world.clock.now(), e)),
        },
        Some(record) => {
            let client_id = record.client_id.clone();
            renewal::refresh(world, session, (record, lock), want)
                .map_err(|e| forgotten(world, session, client_id.as_deref(), e).unwrap_or_else(|e| e))
        }
        None => Err(no_token(world, session)),
    };
    refreshed.or_else(|e| still_valid(world, old.as_ref(), want, e))
}

/// For `--explain`: why nothing was sent.
fn explain_no_request(world: &mut World, profile: &str, where_from: &'static str) {
    grant::explain::step(world, || Step {
        title: "A fresh token is at hand: nothing is sent",
        section: "RFC 6749, section 5.1",
        why: "it expires later than the margin that is kept in hand; within the margin it is refreshed",
        lines: vec![Line::In(format!("{where_from}: profile `{}`", safe(profile)))],
    });
}

/// Writes the kernel's copy again. The record was read without the lock: it is written under the
/// lock, if that is free, and only if no login or logout came since.
fn refill_copy(world: &mut World, session: &Session, record: Option<&Record>, set: &TokenSet) {
    if session.variant.is_some() {
        return;
    }
    if let (StoreKind::Vault(_), Some(record)) = (session.store.kind(), record) {
        return kernel_cache::write(world, session, record);
    }
    if !session.cache || session.store.kind() != StoreKind::File || session.chose_identity() {
        return;
    }
    if kernel_cache::of(world, session).is_some_and(|copy| copy.set.access_token == set.access_token) {
        return;
    }
    let Some(_lock) = lock::try_acquire(&session.paths, &*session.store, &session.name) else { return };
    if let Ok(Some(now)) = session.load()
        && Some(&now) == record
    {
        kernel_cache::write(world, session, &now);
    }
}

fn from_copy(world: &World, session: &Session, want: FreshnessPolicy) -> Option<TokenSet> {
    if !session.cache
        || want.force
        || want.whole
        || session.variant.is_some()
        || session.store.kind() == StoreKind::Environment
        || session.chose_identity()
    {
        return None;
    }
    let copy = kernel_cache::of(world, session)?;
    // if the provider is known already, the token is about to be sent there
    let sent = session.server.as_ref().map(|server| &server.provider);
    let bound = sent.is_none_or(|provider| session.bound(provider, &BTreeMap::new()).fingerprint() == copy.bound);
    (bound && is_usable(world, &copy.set, want)).then_some(copy.set)
}

/// The provider to whose API the token of [`fresh`] may go. If the kernel's copy has that token,
/// the record is read only where `whole` asks for what else a login brought.
pub fn provider_of_token(
    world: &mut World,
    session: &mut Session,
    whole: bool,
) -> Result<(Provider, Option<Record>), Error> {
    let lent = session.store.kind() == StoreKind::Lent;
    let wanted = whole || lent || session.provider_needs_record()? || !copy_will_do(world, session)?;
    let record = match wanted {
        // a lender that refused would be asked again
        true if lent => session.load()?,
        true => session.load().ok().flatten(),
        false => None,
    };
    let record = matching(world, session, record.as_ref())?.cloned();
    Ok((session.provider(world, record.as_ref())?, record))
}

/// Whether a variable of the API's address is open that no sign-in brings: a job that obtains its
/// token itself knows it with the first one.
pub fn lacks_token(session: &Session, provider: &Provider, record: Option<&Record>) -> bool {
    open_variable(&provider.api).is_some() && !session.grant(Some(provider), record).needs_person()
}

/// Whether the kernel's copy, if there is one, is enough to send the token to the provider's API.
fn copy_will_do(world: &World, session: &Session) -> Result<bool, Error> {
    let bound = session.bound(&session.raw_provider()?, &BTreeMap::new()).fingerprint();
    Ok(kernel_cache::of(world, session).is_none_or(|copy| copy.bound == bound))
}

fn is_usable(world: &World, set: &TokenSet, want: FreshnessPolicy) -> bool {
    let now = world.clock.now();
    match set.freshness(now, want.min_ttl) {
        _ if want.force => false,
        // after a clock was set back, an old token would be fresh for ever; another machine's clock
        // may be ahead
        Freshness::Fresh => now + JUST_NOW + lease::SKEW >= set.received_at,
        Freshness::Unknown => true,
        // the usual margin is this program's, not the caller's
        Freshness::Stale => want.no_refresh && want.min_ttl.is_none(),
        Freshness::Expired => false,
    }
}

/// While the endpoint is in trouble, a token that is still valid is used.
fn still_valid(world: &mut World, set: Option<&TokenSet>, want: FreshnessPolicy, e: Error) -> Result<TokenSet, Error> {
    match set {
        Some(set)
            if e.kind == Kind::TryLater
                && !want.force
                && want.min_ttl.is_none()
                && set.freshness(world.clock.now(), None) == Freshness::Stale =>
        {
            world.warn(&format!("{}: the stored token is still valid and is used", e));
            Ok(set.clone())
        }
        _ => Err(e),
    }
}

/// Obtains a token by a grant that needs no person, and stores it.
fn anew(world: &mut World, session: &mut Session, record: Option<&Record>, lock: &Lock) -> Result<TokenSet, Error> {
    let asking = session.asking(world, record)?;
    let Asking { provider, client, .. } = &asking;
    let grant = session.grant(Some(provider), record);
    let set = by_grant(world, session, &asking, grant)?.set;
    let stored = record.filter(|r| r.token.is_some());
    let Compared { differs, asked_with } = compare(world, session, stored)?;
    // a job replaces no login of a person; a login alone moves a profile; and flags of this command
    // do not replace the usual token
    let is_anothers = |r: &Record| {
        r.grant.is_none_or(GrantKind::needs_person) || elsewhere(session, r).is_some() || session.chose_identity()
    };
    if differs.is_some() && stored.is_some_and(is_anothers) {
        world.step(|| "another login is stored under this name: this token is not stored".to_owned());
        return Ok(set);
    }
    let dpop = client.proofs.dpop.as_ref();
    let before = record.cloned().unwrap_or_default();
    let mut vars = before.vars.clone();
    vars.extend(provider.told_by_answer(&set.extra));
    session.learn(VarFrom::Token, &vars, client)?;
    let bound = session.bound(provider, &vars);
    let secret_stays =
        before.client_secret.is_none() || session.secret_moved(&before, provider, Scope::Every).is_some();
    let new = Record {
        generation: before.generation + 1,
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(client.id.clone()).filter(|id| !id.is_empty()),
        secret_from: client.secret_from.clone().or(before.secret_from.clone()),
        dpop_key: dpop.map(|dpop| dpop.kept().clone()),
        dpop_nonces: dpop.map(|dpop| dpop.nonces()).unwrap_or_default(),
        grant: Some(grant),
        asked: session.scopes(provider, grant),
        vars,
        login_at: Some(world.clock.now()),
        token: Some(set.clone()),
        renewed_by: lease::renewer(world, session),
        ended: None,
        earlier_client_secret: before.earlier_secret(client),
        metadata: session.metadata().or(before.metadata.clone()),
        secret_bound: if secret_stays { before.secret_bound.clone() } else { Some(bound.clone()) },
        unrevoked: unrevoked_there(world, &before, (client, &bound)),
        bound: Some(bound),
        asked_with: Some(recorded(session, grant, asked_with)),
        ..before
    };
    keep(world, session, &new, lock).or_else(|e| {
        warn_not_stored(world, &e);
        Ok(set)
    })
}

/// Nothing is lost: the next job obtains another one.
fn warn_not_stored(world: &mut World, e: &Error) {
    world.warn(&format!("the token is not stored: {}", e.texts().join(": ")));
}

/// A token for this command alone: `--store none`, or a machine without a store.
fn unkept(world: &mut World, session: &mut Session, record: Option<&Record>) -> Result<TokenSet, Error> {
    let provider = session.provider(world, record)?;
    let grant = session.grant(Some(&provider), record);
    if grant.needs_person() {
        let store = session.store.kind().name();
        let why = format!("the store `{store}` keeps nothing, so `{}` has no token", session.name);
        let error = Error::new(Kind::LoginFirst, why).hints(without_a_person(world, session));
        let error = error.hint(format!("with a store: {}", session.typed.login_with(&[("--store", "STORE")])));
        return Err(match provider.client_credentials.supported {
            true => error.hint("`--grant client-credentials` needs no store"),
            false => error,
        });
    }
    let asking = session.asking(world, record)?;
    let set = by_grant(world, session, &asking, grant)?.set;
    session.learn(VarFrom::Token, &provider.told_by_answer(&set.extra), &asking.client)?;
    session.unkept = Some(set.clone());
    Ok(set)
}

/// Obtains a token by a grant that needs no person.
pub fn by_grant(world: &mut World, who: &Who, asking: &Asking, grant: GrantKind) -> Result<Answer, Error> {
    flags_serve(who, grant)?;
    support::check_grant(world, &asking.provider, (grant, who.profile.grant == Some(grant)), &who.typed)?;
    support::scopes(world, &asking.provider, who.said_scopes(&asking.provider).as_deref());
    let given = grant_input::gather(world, who, asking, grant)?;
    let scopes = who.scopes(&asking.provider, grant);
    unattended::obtain(world, asking, &given, Aim { scopes: &scopes, profile: &who.profile })
}

/// The store doesn't answer: a grant that needs no person can do without it.
fn without_store(world: &mut World, session: &mut Session, mut e: Error) -> Result<TokenSet, Error> {
    let needs_person = session.grant(None, None).needs_person();
    if needs_person && session.nobody_logged_in(world) {
        return Err(no_usable_token(world, session, None));
    }
    if e.kind == Kind::Store && !needs_person && session.profile.grant.is_some() {
        // the client secret may be in the store: without it the server only refuses
        if lacks_client(world, session)? && !session.has_no_store() {
            return Err(e);
        }
        let set = unkept(world, session, None)?;
        match session.store_is_the_usual(world) {
            // a job needs none
            true => world.step(|| format!("the token is not stored: {e}")),
            false => warn_not_stored(world, &e),
        }
        return Ok(set);
    }
    // asked again only for a job: a keychain that does not answer takes three seconds each time
    if let Some(instead) = without_a_person(world, session)
        && session.has_no_store()
    {
        e.hints.insert(0, instead);
    }
    Err(e)
}

/// Whether the credentials of the client are incomplete without a record.
fn lacks_client(world: &mut World, session: &mut Session) -> Result<bool, Error> {
    let provider = session.provider(world, None)?;
    let client = session.client(world, None)?;
    // an assertion or another token may replace the client's secret
    let needs_secret = session.grant(Some(&provider), None) == GrantKind::ClientCredentials;
    let speaks_alone = matches!(session.profile.grant, Some(GrantKind::JwtBearer | GrantKind::Saml2Bearer));
    Ok(match client {
        None => !speaks_alone,
        Some(client) => needs_secret && client.secret.is_none() && !session.proves_from_outside(world),
    })
}
