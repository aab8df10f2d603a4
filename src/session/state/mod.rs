//! What a profile has on this machine beside its record: the lock, the journal, the newest
//! generation, the endpoint's trouble of a moment ago, and the copy that the kernel keeps.

pub mod copy;
pub mod journal;
pub mod lock;
pub mod paths;
mod seen;
mod trouble;

use crate::error::{Error, Kind};
use crate::session::Who;
use crate::session::record::Record;
use crate::store::{Store, StoreError};
use crate::world::World;
use journal::Journal;
use lock::{Lock, credential_name};
use paths::Paths;
use seen::Seen;
use trouble::Trouble;

/// The files of one credential in the state folder.
pub struct StateFiles {
    pub journal: Journal,
    pub seen: Seen,
    pub trouble: Trouble,
}

impl StateFiles {
    /// An error: the state folder has no place.
    pub fn of(paths: &Paths, store: &dyn Store, profile: &str) -> Result<StateFiles, Error> {
        let state = paths.require_state()?;
        let name = credential_name(store, profile);
        Ok(StateFiles {
            journal: Journal::new(&state, &name),
            seen: Seen::of(&state, &name),
            trouble: Trouble::of(&state, &name),
        })
    }

    /// Removes what a renewal left: a person has put an end to it.
    pub fn sweep(&mut self) {
        let _ = self.journal.clear();
        self.trouble.forget();
    }

    /// Removes all of them: the profile is gone.
    pub fn forget(&mut self) {
        self.sweep();
        self.seen.forget();
    }
}

impl Who {
    /// The lock of this profile's credential, waited for.
    pub fn lock(&self, world: &mut World) -> Result<Lock, Error> {
        lock::acquire(world, &self.paths, &*self.store, &self.name)
    }

    pub fn files(&self) -> Result<StateFiles, Error> {
        StateFiles::of(&self.paths, &*self.store, &self.name)
    }

    /// Saves the record. The kernel's copy stays: nothing that it speaks for has changed.
    pub fn save(&self, record: &Record, _lock: &Lock) -> Result<(), StoreError> {
        self.store.save(&self.name, &record.to_json())?;
        if let Ok(files) = self.files() {
            files.seen.note(record.generation);
        }
        Ok(())
    }

    /// Saves a record that says something else than before: no copy speaks for that, whenever this
    /// is cut off.
    pub fn replace(&self, world: &World, record: &Record, lock: &Lock) -> Result<(), StoreError> {
        copy::forget(world, self);
        self.save(record, lock)
    }

    /// Removes the record; and the journal last: until the record is gone, that may hold its only
    /// good successor.
    pub fn delete(&self, world: &World, _lock: &Lock) -> Result<bool, StoreError> {
        copy::forget(world, self);
        let deleted = self.store.delete(&self.name)?;
        self.sweep();
        Ok(deleted)
    }

    /// The newest generation kept on this machine: a new login is newer than that.
    pub fn newest_seen(&self) -> u64 {
        self.files().map_or(0, |files| files.seen.generation())
    }

    pub fn sweep(&self) {
        if let Ok(mut files) = self.files() {
            files.sweep();
        }
    }

    /// Removes the files of the profile that has, or had, this name in the same store.
    pub fn forget_files(&self, name: &str) {
        if let Ok(mut files) = StateFiles::of(&self.paths, &*self.store, name) {
            files.forget();
        }
    }

    /// The endpoint's trouble of a moment ago, where it still holds.
    pub fn trouble(&self, now: i64, insists: bool) -> Option<Error> {
        self.files().ok()?.trouble.still(now, insists)
    }

    /// Keeps in mind that the endpoint is in trouble, for the other processes.
    pub fn remember_trouble(&self, now: i64, e: &Error) {
        if let (Kind::TryLater, Ok(files)) = (e.kind, self.files()) {
            files.trouble.remember(now, e);
        }
    }
}
