//! The refresh: one request for any number of processes, and no refresh token lost.
//!
//! Under the credential's lock: finish what an earlier run left in the journal ([`recovery`]); make
//! sure that the successor can be stored (journal on the disk, store writable); only then spend the
//! refresh token; commit the response to the journal before judging it; save; clear the journal.
//! Where the system can fork, a helper does this, which outlives the command.

mod recovery;

use std::io::Read;
use std::time::Duration;

use recovery::Recovered;
pub use recovery::{settle, settled};

use crate::error::{Error, Fate, Kind, ended_by};
use crate::grant::jwks::KeyRing;
use crate::grant::refresh::Wanted;
use crate::grant::{self, Asking, signed_in_as};
use crate::protocol::token_response::Answer;
use crate::provider::Rotates;
use crate::provider::expand::REDIRECT_URI;
use crate::secret::Secret;
use crate::session::fresh::FreshnessPolicy;
use crate::session::keep::keep;
use crate::session::state::StateFiles;
use crate::session::state::journal::{self, Intent};
use crate::session::variant::Variant;
use crate::session::{Lock, Record, Session, lease, no_token};
use crate::text::times;
use crate::token::{Freshness, TokenSet};
use crate::wire::Response;
use crate::world::World;
use crate::world::fork::Forked;

/// The pauses before a request that was not sent is tried again (T-01).
const RETRY_DELAYS: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1000)];
/// No more tries after this time: the last one ends before the waiters give up.
const RETRY_WINDOW: Duration = Duration::from_secs(4);
/// The timeout for the server's keys, where a refreshed ID token needs new ones.
const KEYS_WITHIN: Duration = Duration::from_secs(5);
/// No keys are fetched after this time, for the waiters' sake.
const KEY_FETCH_WINDOW: Duration = Duration::from_secs(20);
/// The pauses before a response that could be stored nowhere is stored again.
const SAVE_RETRY_DELAYS: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1500)];

/// Refreshes a record that was loaded under its lock, in a helper where that is possible.
pub fn refresh(
    world: &mut World,
    session: &mut Session,
    (record, lock): (Record, Lock),
    want: FreshnessPolicy,
) -> Result<TokenSet, Error> {
    let mut renewal = Renewal::new(world, session, record, &lock)?;
    // a thousand waiters for the same failure need no helpers
    if let Some(e) = renewal.files.trouble.still(world.clock.now(), want.insists)
        && !renewal.is_answered()
    {
        return Err(e);
    }
    match world.programs.part() {
        Forked::Unsupported => {
            // a Ctrl-C waits until the successor is stored
            let (signals, heard) = std::sync::mpsc::channel();
            world.signals.watch(signals);
            let outcome = renewal.run(world, want);
            world.signals.release();
            drop(lock);
            match (outcome, heard.try_recv()) {
                (Ok(_), Ok(signal)) => Err(ended_by(signal, "the refreshed token is stored")),
                (outcome, _) => outcome,
            }
        }
        Forked::Child(helper) => {
            let outcome = renewal.run(world, want);
            drop(lock);
            helper.finish(&encode(&outcome));
            outcome
        }
        Forked::Parent(mut answer) => {
            let name = session.name.clone();
            lock.hand_over();
            let mut words = zeroize::Zeroizing::new(Vec::new());
            let read = answer.read_to_end(&mut words);
            drop(answer);
            read.ok().and_then(|_| decode(&words)).unwrap_or_else(|| {
                Err(Error::new(Kind::TryLater, format!("the process that refreshed the token of `{name}` was ended"))
                    .hint("run the command again: it goes on where that one stopped"))
            })
        }
    }
}

fn encode(outcome: &Result<TokenSet, Error>) -> zeroize::Zeroizing<Vec<u8>> {
    zeroize::Zeroizing::new(serde_json::to_vec(outcome).unwrap_or_default())
}

fn decode(words: &[u8]) -> Option<Result<TokenSet, Error>> {
    serde_json::from_slice(words).ok()
}

struct Renewal<'a> {
    session: &'a Session,
    asking: Asking,
    lock: &'a Lock,
    record: Record,
    /// The tokens of the record.
    old: TokenSet,
    /// What is asked for, if not the main token.
    variant: Option<Variant>,
    files: StateFiles,
    answered: Answered,
    /// The new refresh token of a response that is refused otherwise.
    successor: Option<Secret>,
    /// Another machine has sent the refresh token, and may hold its successor.
    elsewhere: bool,
    started: Duration,
}

/// The response to the request that was sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    No,
    Committed,
    /// It could not be written to the journal.
    Uncommitted,
}

impl<'a> Renewal<'a> {
    fn new(world: &mut World, session: &'a mut Session, record: Record, lock: &'a Lock) -> Result<Renewal<'a>, Error> {
        let old = record.token.clone().ok_or_else(|| no_token(world, session))?;
        let asking = session.asking(world, Some(&record))?;
        let files = session.files()?;
        Ok(Renewal {
            session,
            asking,
            lock,
            record,
            old,
            variant: session.variant.clone(),
            files,
            answered: Answered::No,
            successor: None,
            elsewhere: false,
            started: world.clock.elapsed(),
        })
    }

    fn run(&mut self, world: &mut World, want: FreshnessPolicy) -> Result<TokenSet, Error> {
        let sent_before = match self.recover(world)? {
            Some(Recovered::Kept(set)) => return Ok(*set),
            Some(Recovered::Unanswered(sent)) => sent.max(self.lock.sent()),
            None => {
                self.elsewhere = self.lock.sent() > 0;
                self.lock.sent()
            }
        };
        let provider = &self.asking.provider;
        let Some(spent) = grant::refresh::spendable(provider, &self.old).cloned() else {
            let why =
                if provider.refresh.supported { "has no refresh token" } else { "can't be refreshed at this provider" };
            let expired = self.old.freshness(world.clock.now(), want.min_ttl) == Freshness::Expired;
            let begin = if expired { "has expired and " } else { "" };
            return Err(self.login_first(format!("the token of `{}` {begin}{why}", self.session.name)));
        };
        self.refuse_a_copy(world)?;
        if let Some(e) = self.files.trouble.still(world.clock.now(), want.insists) {
            return Err(e);
        }
        if sent_before >= 2 {
            let why = format!("the refresh of `{}` was cut off twice, and the responses are lost", self.session.name);
            return Err(self.login_first(why).because(
                "a provider may take a refresh token that comes again and again for an attack, and end every login",
            ));
        }
        self.preflight(world, &spent, sent_before)?;
        world.step(|| format!("refreshing the token of `{}`", self.session.name));
        let answer = self.send(world, &spent);
        self.conclude(world, answer)
    }

    /// Makes sure that the successor can be stored, while nothing is spent.
    fn preflight(&mut self, world: &mut World, spent: &Secret, sent: u8) -> Result<(), Error> {
        let nothing_spent =
            |e: Error| Error { fate: Fate::NotSent, ..e.hint("nothing was sent: the stored token is untouched") };
        let record = &mut self.record;
        if record.journal_key.is_none() {
            record.journal_key = Some(new_key(world));
            self.session.save(record, self.lock).map_err(|e| nothing_spent(e.into()))?;
        }
        let intent = Intent {
            generation: record.generation,
            token: journal::hash(spent),
            at: world.clock.now(),
            sent,
            variant: self.variant.clone(),
        };
        self.files.prepare(&intent).map_err(nothing_spent)?;
        if let Err(e) = self.session.store.writable(&self.session.name) {
            let _ = self.files.journal.clear();
            return Err(nothing_spent(e.into()));
        }
        Ok(())
    }

    /// Sends the request, and sends it again only if the server can't have spent the token. The
    /// response is committed to the journal before it is judged.
    fn send(&mut self, world: &mut World, spent: &Secret) -> Result<Answer, Error> {
        let key = self.record.journal_key.clone().ok_or_else(|| no_token(world, self.session))?;
        let mut pauses = RETRY_DELAYS.iter();
        let started = world.clock.elapsed();
        loop {
            let before = self.files.journal.sent();
            // a new request each time: the client's proof or assertion is good once
            let redirect = self.record.vars.get(REDIRECT_URI).map(String::as_str);
            let request = grant::refresh::request(&self.asking, spent, &self.wanted(), redirect)
                .map_err(|e| Error { fate: Fate::NotSent, ..e })?;
            self.files.journal.sending().map_err(|e| Error {
                fate: Fate::NotSent,
                ..Error::new(Kind::Store, "the journal can't be written").cause(e).hint("nothing was sent")
            })?;
            if let Err(e) = self.lock.mark(self.files.journal.sent()) {
                self.set_sent(before);
                return Err(Error { fate: Fate::NotSent, ..Error::from(e).hint("nothing was sent") });
            }
            self.answered = Answered::No;
            let answer = grant::send(world, &request).and_then(|response| {
                self.answered = match self.files.commit(world, &key, &response) {
                    true => Answered::Committed,
                    false => Answered::Uncommitted,
                };
                let now = world.clock.now();
                grant::warn_of_skew(world, &response, now);
                self.read(world, &response, now)
            });
            let in_time = world.clock.elapsed().saturating_sub(started) < RETRY_WINDOW;
            match answer {
                Err(e) if e.fate == Fate::NotSent => {
                    self.set_sent(before);
                    match pauses.next().filter(|_| e.kind == Kind::TryLater && in_time) {
                        Some(pause) => world.clock.sleep(*pause),
                        None => return Err(e),
                    }
                }
                Err(e)
                    if matches!(e.fate, Fate::Unavailable | Fate::Gateway)
                        && e.retry_after.is_none()
                        && pauses.len() > 1
                        && in_time =>
                {
                    pauses.next();
                    if e.fate == Fate::Unavailable {
                        self.set_sent(before);
                    }
                    world.clock.sleep(RETRY_DELAYS[1]);
                }
                answer => return answer,
            }
        }
    }

    /// The login's services, unless others are asked for.
    fn wanted(&self) -> Wanted<'_> {
        let (target, variant) = (&self.session.profile.target, self.variant.as_ref());
        Wanted {
            scopes: variant.map(|variant| &variant.scopes[..]).unwrap_or_default(),
            resource: variant
                .map(|variant| &variant.resource)
                .filter(|said| !said.is_empty())
                .unwrap_or(&target.resource),
            audience: variant
                .map(|variant| &variant.audience)
                .filter(|said| !said.is_empty())
                .unwrap_or(&target.audience),
        }
    }

    /// Corrects how often the token was sent, here and for other machines.
    fn set_sent(&mut self, sent: u8) {
        let _ = self.files.journal.set_sent(sent);
        self.lock.set_sent(sent);
    }

    /// Judges a response that came at `now`, and notes the new refresh token of a refused one.
    fn read(&mut self, world: &mut World, response: &Response, now: i64) -> Result<Answer, Error> {
        let read = grant::refresh::read(world, &self.asking, &self.old, (response, now));
        self.successor = match &read {
            Err(e) if e.fate != Fate::Refused => grant::refresh::successor(&self.asking.provider, response),
            _ => None,
        };
        read
    }

    /// Stores the response, or acts on the refusal.
    fn conclude(&mut self, world: &mut World, answer: Result<Answer, Error>) -> Result<TokenSet, Error> {
        match (answer, self.variant.clone()) {
            (Ok(answer), Some(variant)) => self.store_beside(world, variant, answer.set),
            (Ok(answer), None) => {
                let old = &self.old;
                let mut set = answer.set;
                let mut keys = self.session.key_ring();
                let identity = self.judge_id_token(world, &mut keys, &mut set);
                grant::refresh::inherit(&mut set, old);
                if identity.is_err() {
                    // the old refresh token is spent: only its successor is stored
                    set = TokenSet {
                        refresh_token: set.refresh_token,
                        refresh_expires_at: set.refresh_expires_at,
                        ..old.clone()
                    };
                }
                let set = self.store(world, set, &keys)?;
                if identity.is_ok() {
                    self.warn_of_end(world);
                }
                self.files.trouble.forget();
                identity.map(|()| set)
            }
            // of the main token or of another one: the same refresh token was sent
            (Err(e), _) if e.fate == Fate::Refused && self.elsewhere => {
                // it is not sent a third time: only the other machine's journal can go on
                self.set_sent(2);
                let _ = self.files.journal.clear();
                let why = format!(
                    "the login of `{}` has ended, unless another machine holds its successor",
                    self.session.name
                );
                Err(e
                    .reworded(why)
                    .hint("it was cut off while it refreshed the token: a command there stores what it got"))
            }
            (Err(e), None) if e.fate == Fate::Refused => {
                let e = self.forget_dead(world, e);
                let _ = self.files.journal.clear();
                Err(e)
            }
            (Err(e), variant) => {
                if let Some(successor) = self.successor.take() {
                    self.store_successor(world, successor)?;
                }
                self.after_failure(world, &e);
                let is_refusal = matches!(e.fate, Fate::Refused | Fate::Answered) && e.kind != Kind::TryLater;
                Err(match variant.filter(|_| is_refusal) {
                    Some(variant) => self.session.not_beside(&variant, e),
                    None => e,
                })
            }
        }
    }

    fn warn_of_end(&self, world: &mut World) {
        let now = world.clock.now();
        if let Some(end) = self.record.ends(&self.asking.provider).filter(|end| end.is_near(now)) {
            let left = times::span(end.at - now);
            let (name, login) = (&self.session.name, self.session.typed.login());
            world.warn(&format!("the login of `{name}` ends in {left}: {login}"));
        }
    }

    /// Stores a token beside the main one, whose login gets the new refresh token. An ID token is
    /// the login's, and this response is not one to it.
    fn store_beside(&mut self, world: &mut World, variant: Variant, mut set: TokenSet) -> Result<TokenSet, Error> {
        let (refresh_token, refresh_expires_at) = (set.refresh_token.take(), set.refresh_expires_at.take());
        set.id_token = None;
        if set.scopes.is_none() && !variant.scopes.is_empty() {
            set.scopes = Some(variant.scopes.clone());
        }
        let mut main = TokenSet { refresh_token, refresh_expires_at, ..self.old.clone() };
        grant::refresh::inherit(&mut main, &self.old);
        self.record.keep_beside(variant, set.clone(), world.clock.now());
        let keys = self.session.key_ring();
        self.store(world, main, &keys)?;
        self.files.trouble.forget();
        Ok(set)
    }

    /// Stores a new refresh token beside the old access token.
    fn store_successor(&mut self, world: &mut World, successor: Secret) -> Result<(), Error> {
        world.step(|| "the response is refused, and its refresh token is stored".to_owned());
        let same = self.old.refresh_token.as_ref() == Some(&successor);
        let refresh_expires_at = self.old.refresh_expires_at.filter(|_| same);
        let set = TokenSet { refresh_token: Some(successor), refresh_expires_at, ..self.old.clone() };
        let keys = self.session.key_ring();
        self.store(world, set, &keys).map(drop)
    }

    /// Stores the next generation of the record, and clears the journal.
    fn store(&mut self, world: &mut World, set: TokenSet, keys: &KeyRing) -> Result<TokenSet, Error> {
        let (session, record) = (self.session, &self.record);
        let bound = session.bound_of(record).or_else(|| Some(session.bound(&self.asking.provider, &record.vars)));
        let kept = Record {
            generation: record.generation + 1,
            token: Some(set),
            machine: machine(world).or(record.machine.clone()),
            renewed_by: lease::renewer(world, session),
            metadata: session.metadata().or(record.metadata.clone()),
            bound,
            earlier_client_secret: record.earlier_secret(&self.asking.client),
            keys: keys.kept().or(record.keys.as_ref()).cloned(),
            dpop_nonces: self.asking.client.proofs.dpop.as_ref().map(|dpop| dpop.nonces()).unwrap_or_default(),
            ..record.clone()
        };
        let set = self.keep(world, &kept)?;
        (self.record, self.old) = (kept, set.clone());
        let _ = self.files.journal.clear();
        Ok(set)
    }

    /// Judges the ID token of a response. One that can't be verified now is left out of the set.
    fn judge_id_token(&self, world: &mut World, keys: &mut KeyRing, set: &mut TokenSet) -> Result<(), Error> {
        keys.timeout = KEYS_WITHIN;
        // a response that only this process has, and those who wait for the lock, wait for no keys
        let since = world.clock.elapsed().saturating_sub(self.started);
        keys.may_fetch = self.answered != Answered::Uncommitted && since < KEY_FETCH_WINDOW;
        if !signed_in_as::of_renewal(world, &self.asking, keys, (set, self.old.id_token.as_ref()))? {
            set.id_token = None;
        }
        Ok(())
    }

    fn keep(&self, world: &mut World, kept: &Record) -> Result<TokenSet, Error> {
        let journal = &self.files.journal;
        if self.answered != Answered::Uncommitted {
            return keep(world, self.session, kept, self.lock).map_err(|e| e.hint(journal.keeps_answer()));
        }
        // neither journal nor store has the response: only this process
        let mut pauses = SAVE_RETRY_DELAYS.iter();
        loop {
            match (keep(world, self.session, kept, self.lock), pauses.next()) {
                (Ok(set), _) => return Ok(set),
                (Err(_), Some(pause)) => world.clock.sleep(*pause),
                (Err(e), None) => {
                    return Err(e
                        .because(format!("the journal `{}` could not be written either: at a provider that rotates refresh tokens this login may be lost", journal.path().display()))
                        .hint(format!("mend the disk, then try `{}`; if that fails: `{}`", self.session.typed.line("token"), self.session.typed.login())));
                }
            }
        }
    }

    fn after_failure(&mut self, world: &World, e: &Error) {
        let sent = self.files.journal.sent();
        match e.fate {
            // an earlier run sent it and got no response: that is still open
            Fate::NotSent if sent > 0 => {}
            // no response came: the next run may send it once more
            Fate::Unknown | Fate::Gateway => self.set_sent(if e.kind == Kind::TryLater { 1 } else { sent }),
            Fate::MayHoldTokens => {}
            Fate::NotSent | Fate::Unavailable | Fate::Answered | Fate::Refused => {
                self.set_sent(0);
                let _ = self.files.journal.clear();
            }
        }
        if e.kind == Kind::TryLater {
            self.files.trouble.remember(world.clock.now(), e);
        }
    }

    /// Refuses a store from another machine or a backup: its refresh token may be spent already,
    /// and sending it would end the login of the newer store (T-71).
    fn refuse_a_copy(&self, world: &World) -> Result<(), Error> {
        let record = &self.record;
        if self.asking.provider.refresh.rotates == Rotates::No {
            return Ok(());
        }
        let name = &self.session.name;
        if let (Some(made), Some(here)) = (&record.machine, machine(world))
            && *made != here
            && self.session.store.shared().is_none()
        {
            let why = format!("the login of `{name}` was made on another machine and can't be refreshed here");
            let cause = "each refresh token is good once: two machines that share one end each other's login";
            return Err(self.login_first(why).because(cause));
        }
        let newest = self.files.seen.generation();
        if newest > record.generation {
            let why = format!("the stored login of `{name}` is older than the one last used here");
            return Err(self.login_first(why).because(format!("generation {} came back after {newest}: the store was put back from a backup or a snapshot, and that refresh token is spent", record.generation)));
        }
        Ok(())
    }

    /// Deletes the refused token, unless a newer record came meanwhile (T-56).
    fn forget_dead(&self, world: &mut World, e: Error) -> Error {
        let (session, record) = (self.session, &self.record);
        if let Ok(Some(now)) = session.load()
            && now.generation == record.generation
        {
            let why: String = crate::secret::redact(&e.causes().join(": ")).chars().take(1000).collect();
            let ended = Some(why).filter(|why| !why.is_empty());
            let variants = Vec::new();
            let cleared = Record { token: None, variants, generation: record.generation + 1, ended, ..record.clone() };
            if let Err(why) = session.replace(world, &cleared, self.lock) {
                world.warn(&format!("the dead token could not be cleared: {why}"));
            }
        }
        e.reworded(format!("the login of `{}` has ended: the provider refuses to refresh it", session.name))
    }

    fn login_first(&self, why: String) -> Error {
        Error::login_first(&self.session.typed, why)
    }
}

/// A fresh key for a record's journal.
pub fn new_key(world: &mut World) -> Secret {
    use base64::Engine as _;
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    world.random.fill(&mut *bytes);
    Secret::new(base64::engine::general_purpose::STANDARD.encode(*bytes))
}

/// A fingerprint of this machine's id.
pub fn machine(world: &World) -> Option<String> {
    world.env.machine().map(|id| crate::secret::fingerprint(format!("oauthctl machine {id}").as_bytes()))
}
