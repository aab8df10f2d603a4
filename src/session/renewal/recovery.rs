//! What an earlier run left in the journal, always read under the lock:
//!
//! | journal | store | what is done |
//! |---|---|---|
//! | nothing | any | as usual |
//! | the answer to generation n | n | it is judged and kept now |
//! | anything about generation n | newer than n | dropped: a sibling, a login or a logout came later |
//! | generation n unanswered | n | the token is sent once more, and once only |
//! | torn | n | as unanswered |
//!
//! One more send is right in all cases: if the server never saw the first, the token is good; if it
//! grants a grace period, it is good; if neither, the login is lost already, and nobody else holds
//! its successor.

use super::Renewal;
use crate::error::{Error, Fate, Kind};
use crate::grant;
use crate::session::Session;
use crate::session::lock::Lock;
use crate::session::record::Record;
use crate::session::state::StateFiles;
use crate::session::state::journal::{self, Found, Intent};
use crate::token::TokenSet;
use crate::wire::Response;
use crate::world::World;

pub(super) enum Recovered {
    Kept(Box<TokenSet>),
    /// How often the token was sent without an answer.
    Unanswered(u8),
}

/// Finishes what a crash left, for a command that is about to change the record (`logout`): the
/// record as it now stands.
pub fn settle(world: &mut World, session: &mut Session, record: Record, lock: &Lock) -> Result<Record, Error> {
    let Ok(StateFiles { journal, .. }) = session.files() else { return Ok(record) };
    if record.token.is_some()
        && let Found::Answered(..) = journal.find(record.journal_key.as_ref()).unwrap_or(Found::Torn)
        && Renewal::new(world, session, record.clone(), lock)?.recover(world)?.is_some()
    {
        return session.load().map(|r| r.unwrap_or(record));
    }
    Ok(record)
}

/// The record as it stands under the lock, with what a crash left in the journal, for a command
/// that is about to change it. A login that turns out to have ended is no reason not to.
pub fn settled(world: &mut World, session: &mut Session, lock: &Lock) -> Result<Option<Record>, Error> {
    let Some(record) = session.load()? else { return Ok(None) };
    match settle(world, session, record, lock) {
        Err(e) if e.fate == Fate::Refused => session.load(),
        record => record.map(Some),
    }
}

impl Renewal<'_> {
    /// Whether the journal may hold an answer that is not kept yet. What can't be read may.
    pub(super) fn is_answered(&self) -> bool {
        !matches!(
            self.files.journal.find(self.record.journal_key.as_ref()),
            Ok(Found::Nothing | Found::Unanswered(_) | Found::Torn)
        )
    }

    /// Looks into the journal of an earlier run.
    pub(super) fn recover(&mut self, world: &mut World) -> Result<Option<Recovered>, Error> {
        let found = self.files.journal.find(self.record.journal_key.as_ref()).map_err(|e| {
            Error::new(Kind::Store, format!("the journal `{}` can't be read", self.files.journal.path().display()))
                .cause(e)
                .hint("nothing was sent; `oauthctl doctor` looks at every folder")
        })?;
        let spent = grant::refresh::spendable(&self.asking.provider, &self.old).map(journal::hash);
        let generation = self.record.generation;
        let current = |intent: &Intent| intent.generation == generation && Some(&intent.token) == spent.as_ref();
        match found {
            Found::Nothing => Ok(None),
            Found::Torn => {
                world.step(|| "an earlier renewal was cut off: its journal is torn".to_owned());
                Ok(Some(Recovered::Unanswered(1)))
            }
            Found::Unanswered(intent) if current(&intent) && intent.sent > 0 => {
                world.step(|| "an earlier renewal got no answer: the token is sent once more".to_owned());
                Ok(Some(Recovered::Unanswered(intent.sent)))
            }
            Found::Answered(intent, response) if current(&intent) => self.finish_answered(world, &response, intent),
            Found::Unanswered(_) | Found::Answered(..) => {
                let _ = self.files.journal.clear();
                Ok(None)
            }
        }
    }

    /// What the journal's answer comes to. One that gave nothing and took nothing is as good as
    /// none.
    fn finish_answered(
        &mut self,
        world: &mut World,
        response: &Response,
        Intent { sent, at, .. }: Intent,
    ) -> Result<Option<Recovered>, Error> {
        world.step(|| "an earlier renewal was cut off after its answer: it is kept now".to_owned());
        let read = grant::refresh::read(world, &self.asking, response, at);
        match read.as_ref().map_err(|e| e.fate) {
            Err(Fate::Gateway | Fate::MayHoldTokens) => Ok(Some(Recovered::Unanswered(sent))),
            Err(fate) if fate != Fate::Refused => {
                let _ = self.files.journal.clear();
                Ok(None)
            }
            _ => self.conclude(world, read).map(|set| Some(Recovered::Kept(Box::new(set)))),
        }
    }
}
