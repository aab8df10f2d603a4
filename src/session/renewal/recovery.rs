//! The journal of an earlier run, always read under the lock:
//!
//! | journal | store | action |
//! |---|---|---|
//! | empty | any | as usual |
//! | the response to generation n | n | it is judged and stored now |
//! | anything about generation n | newer than n | dropped: a refresh, login or logout came later |
//! | generation n unanswered | n | the token is sent once more, and only once |
//! | torn | n | as unanswered |
//!
//! Sending once more is right in all cases: the token is still good if the server never saw it, or
//! grants a grace period; if not, the login is lost already: no process has the successor.

use super::Renewal;
use crate::error::{Error, Fate};
use crate::grant;
use crate::session::state::StateFiles;
use crate::session::state::journal::{self, Found, Intent};
use crate::session::{Lock, Record, Session};
use crate::token::TokenSet;
use crate::wire::Response;
use crate::world::World;

pub(super) enum Recovered {
    Kept(Box<TokenSet>),
    /// How often the token was sent without a response.
    Unanswered(u8),
}

/// Finishes what a crash left, for a command that changes the record; the record as it is then.
pub fn settle(world: &mut World, session: &mut Session, record: Record, lock: &Lock) -> Result<Record, Error> {
    let Ok(StateFiles { journal, .. }) = session.files() else { return Ok(record) };
    if record.token.is_some()
        && let Found::Answered(..) = journal.find(record.journal_key.as_ref()).unwrap_or(Found::Torn)
    {
        Renewal::new(world, session, record.clone(), lock)?.recover(world)?;
        return session.load().map(|r| r.unwrap_or(record));
    }
    Ok(record)
}

/// Loads the record and finishes what a crash left. A login that the provider ended is no error.
pub fn settled(world: &mut World, session: &mut Session, lock: &Lock) -> Result<Option<Record>, Error> {
    let Some(record) = session.load()? else { return Ok(None) };
    match settle(world, session, record, lock) {
        Err(e) if e.fate == Fate::Refused => session.load(),
        record => record.map(Some),
    }
}

impl Renewal<'_> {
    /// Whether the journal may have a response that is not stored yet, or can't be read.
    pub(super) fn is_answered(&self) -> bool {
        !matches!(
            self.files.journal.find(self.record.journal_key.as_ref()),
            Ok(Found::Nothing | Found::Unanswered(_) | Found::Torn)
        )
    }

    /// Looks into the journal of an earlier run.
    pub(super) fn recover(&mut self, world: &mut World) -> Result<Option<Recovered>, Error> {
        let found = self.files.find(self.record.journal_key.as_ref())?;
        let spent = grant::refresh::spendable(&self.asking.provider, &self.old).map(journal::hash);
        let generation = self.record.generation;
        let current = |intent: &Intent| intent.generation == generation && Some(&intent.token) == spent.as_ref();
        match &found {
            Found::Nothing => Ok(None),
            Found::Torn => {
                world.step(|| "an earlier refresh was cut off: its journal is torn".to_owned());
                Ok(Some(Recovered::Unanswered(1)))
            }
            Found::Unanswered(intent) if current(intent) && intent.sent > 0 => {
                world.step(|| "an earlier refresh got no response: the token is sent once more".to_owned());
                Ok(Some(Recovered::Unanswered(intent.sent)))
            }
            Found::Answered(intent, response) if current(intent) => self.finish_answered(world, response, intent),
            Found::Unanswered(_) | Found::Answered(..) => {
                if matches!(found, Found::Answered(..)) && self.session.store.shared().is_some() {
                    world.say("An answer that came too late is dropped: another machine has renewed the login since.");
                }
                let _ = self.files.journal.clear();
                Ok(None)
            }
        }
    }

    /// Stores what the journal's response brought, for whichever token it was asked.
    fn finish_answered(
        &mut self,
        world: &mut World,
        response: &Response,
        intent: &Intent,
    ) -> Result<Option<Recovered>, Error> {
        let wanted = std::mem::replace(&mut self.variant, intent.variant.clone());
        let done = self.finish(world, response, intent);
        let another = std::mem::replace(&mut self.variant, wanted) != self.variant;
        match done {
            Ok(Some(Recovered::Kept(_))) if another => Ok(None),
            done => done,
        }
    }

    /// Judges the journal's response. A response that brought nothing and spent nothing is dropped.
    fn finish(
        &mut self,
        world: &mut World,
        response: &Response,
        &Intent { sent, at, .. }: &Intent,
    ) -> Result<Option<Recovered>, Error> {
        world.step(|| "an earlier refresh was cut off after its response: it is stored now".to_owned());
        let read = self.read(world, response, at);
        if let Some(successor) = self.successor.take() {
            return self.store_successor(world, successor).map(|()| None);
        }
        match read.as_ref().map_err(|e| e.fate) {
            Err(Fate::Gateway | Fate::MayHoldTokens) => Ok(Some(Recovered::Unanswered(sent))),
            Err(fate) if fate != Fate::Refused || self.variant.is_some() => {
                let _ = self.files.journal.clear();
                Ok(None)
            }
            _ => self.conclude(world, read).map(|set| Some(Recovered::Kept(Box::new(set)))),
        }
    }
}
