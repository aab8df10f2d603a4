//! What lies on the disk beside a profile's record: the last generation seen here, and the endpoint's trouble of a moment ago.

use crate::error::{Error, Kind};
use crate::session::Session;
use crate::session::fresh::Want;
use crate::session::journal::Journal;
use crate::session::lock::credential_name;
use crate::session::seen::Seen;
use crate::session::trouble::Trouble;

/// What was left on the disk beside the record goes too: a person has put an end to it.
pub fn sweep(session: &Session) {
    sweep_of(session, &session.name);
}

fn sweep_of(session: &Session, name: &str) {
    if let Some(state) = &session.paths.state {
        let name = credential_name(&*session.store, name);
        let _ = Journal::new(state, &name).clear();
        Trouble::of(state, &name).forget();
    }
}

/// The last generation kept on this machine, so that a new login is newer than all.
pub fn newest_seen(session: &Session) -> u64 {
    session
        .paths
        .state
        .as_ref()
        .map_or(0, |state| Seen::of(state, &credential_name(&*session.store, &session.name)).generation())
}

/// Called whenever a record was saved.
pub fn saw(session: &Session, generation: u64) {
    if let Some(state) = &session.paths.state {
        Seen::of(state, &credential_name(&*session.store, &session.name)).note(generation);
    }
}

/// Nothing of the profile that has, or had, this name is left here.
pub fn forget_all(session: &Session, name: &str) {
    sweep_of(session, name);
    if let Some(state) = &session.paths.state {
        Seen::of(state, &credential_name(&*session.store, name)).forget();
    }
}

/// The error of a moment ago, where it still holds.
pub fn trouble(session: &Session, now: i64, want: Want) -> Option<Error> {
    let state = session.paths.state.as_ref()?;
    Trouble::of(state, &credential_name(&*session.store, &session.name)).still(now, want.insists)
}

/// Keeps in mind that the endpoint is in trouble, for the other processes.
pub fn remember_trouble(session: &Session, now: i64, e: &Error) {
    if let (Kind::TryLater, Some(state)) = (e.kind, &session.paths.state) {
        Trouble::of(state, &credential_name(&*session.store, &session.name)).remember(now, e);
    }
}
