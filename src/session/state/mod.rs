//! A profile's state on this machine beside its record: the lock, the journal, the newest
//! generation, the endpoint's last trouble, and the kernel's copy of the token.

mod generation;
pub mod journal;
pub mod kernel_cache;
pub mod lease;
pub mod lock;
mod outage;
pub mod paths;

use std::fs;
use std::path::PathBuf;

use crate::error::{Error, Kind};
use crate::secret::Secret;
use crate::session::Who;
use crate::session::record::Record;
use crate::store::{Store, StoreError};
use crate::wire::Response;
use crate::world::World;
use generation::Generation;
use journal::{Found, Intent, Journal};
use lock::{Lock, credential_name};
use outage::Outage;
use paths::Paths;

/// The files of one credential in the state folder.
pub struct StateFiles {
    pub journal: Journal,
    pub seen: Generation,
    pub trouble: Outage,
    /// The folder of `call --cache`.
    pub answers: PathBuf,
}

impl StateFiles {
    /// Fails if there is no state folder.
    pub fn of(paths: &Paths, store: &dyn Store, profile: &str) -> Result<StateFiles, Error> {
        let state = paths.require_state()?;
        let name = credential_name(store, profile);
        Ok(StateFiles {
            journal: Journal::new(&state, &name),
            seen: Generation::of(&state, &name),
            trouble: Outage::of(&state, &name),
            answers: state.join("answers").join(&name),
        })
    }

    /// Makes the journal, while nothing is sent.
    pub fn prepare(&mut self, intent: &Intent) -> Result<(), Error> {
        let journal = &mut self.journal;
        journal.prepare(intent).map_err(|e| {
            Error::new(Kind::Store, format!("the journal `{}` can't be made", journal.path().display()))
                .cause(e)
                .hint("free some space, or mend the folder's permissions")
        })
    }

    /// Reads what an earlier run left in the journal.
    pub fn find(&self, key: Option<&Secret>) -> Result<Found, Error> {
        self.journal.find(key).map_err(|e| {
            Error::new(Kind::Store, format!("the journal `{}` can't be read", self.journal.path().display()))
                .cause(e)
                .hint("nothing was sent; `oauthctl doctor` looks at every folder")
        })
    }

    /// Writes the response into the journal, before it is judged. `false`: that failed.
    pub fn commit(&mut self, world: &mut World, key: &Secret, response: &Response) -> bool {
        let mut nonce = [0; 24];
        world.random.fill(&mut nonce);
        let committed = self.journal.commit(key, nonce, response);
        if let Err(e) = &committed {
            world.warn(&format!("the answer could not be written to the journal: {e}"));
        }
        committed.is_ok()
    }

    /// Removes what a login left beside its record, once the user has ended it.
    pub fn sweep(&mut self) {
        let _ = fs::remove_dir_all(&self.answers);
        let _ = self.journal.clear();
        self.trouble.forget();
    }

    /// Removes all files of a profile that is gone.
    pub fn forget(&mut self) {
        self.sweep();
        self.seen.forget();
    }
}

impl Who {
    /// Waits for the lock of the profile, on all machines that share its store.
    pub fn lock(&self, world: &mut World) -> Result<Lock, Error> {
        lease::acquire(world, &self.paths, &self.store, &self.name)
    }

    /// The same on this machine alone.
    pub fn lock_here(&self, world: &mut World) -> Result<Lock, Error> {
        lock::acquire(world, &self.paths, &*self.store, &self.name)
    }

    pub fn files(&self) -> Result<StateFiles, Error> {
        StateFiles::of(&self.paths, &*self.store, &self.name)
    }

    /// Saves a record with the same token: the kernel's copy stays.
    pub fn save(&self, record: &Record, lock: &Lock) -> Result<(), StoreError> {
        self.put(record, lock, |store, json| store.save(&self.name, json))
    }

    fn put(
        &self,
        record: &Record,
        lock: &Lock,
        write: impl Fn(&dyn Store, &Secret) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        debug_assert!(lock.is_of(&*self.store, &self.name), "the lock of another profile");
        write(&*self.store, &record.to_json())?;
        if let Ok(files) = self.files() {
            files.seen.note(record.generation);
        }
        Ok(())
    }

    /// Saves a record that has changed, and ends the lease. The kernel's copy goes first: it never
    /// outlives its record.
    pub fn replace(&self, world: &World, record: &Record, lock: &Lock) -> Result<(), StoreError> {
        kernel_cache::forget(world, self);
        self.put(record, lock, |store, json| match store.shared() {
            Some(shared) => shared.commit(&self.name, json),
            None => store.save(&self.name, json),
        })
    }

    /// Removes the record, then the journal, which may hold the only good refresh token until then.
    pub fn delete(&self, world: &World, lock: &Lock) -> Result<bool, StoreError> {
        debug_assert!(lock.is_of(&*self.store, &self.name), "the lock of another profile");
        kernel_cache::forget(world, self);
        let deleted = self.store.delete(&self.name)?;
        self.sweep();
        Ok(deleted)
    }

    /// The newest generation stored on this machine; a new login's is higher.
    pub fn newest_seen(&self) -> u64 {
        self.files().map_or(0, |files| files.seen.generation())
    }

    pub fn sweep(&self) {
        if let Ok(mut files) = self.files() {
            files.sweep();
        }
    }

    /// Removes the files of this profile in the same store.
    pub fn forget_files(&self, name: &str) {
        if let Ok(mut files) = StateFiles::of(&self.paths, &*self.store, name) {
            files.forget();
        }
    }

    /// The endpoint's last trouble, while it holds.
    pub fn trouble(&self, now: i64, insists: bool) -> Option<Error> {
        self.files().ok()?.trouble.still(now, insists)
    }

    /// Remembers the endpoint's trouble for other processes.
    pub fn remember_trouble(&self, now: i64, e: &Error) {
        if let (Kind::TryLater, Ok(files)) = (e.kind, self.files()) {
            files.trouble.remember(now, e);
        }
    }
}
