//! A store that is another program, with a guard: most of these programs don't replace a record in
//! one step. `gpg` deletes the old one when the disk is full, a script may be killed in the middle.
//!
//! So the record of before is kept in a sealed file while a new one is written. It is the record as
//! long as the program has none that can be read: a save changes all or nothing here too.

use serde::de::IgnoredAny;

use super::{Store, StoreError, StoreKind};
use crate::secret::Secret;

/// A program's store and its guard.
pub struct Guarded {
    program: Box<dyn Store>,
    /// Holds a record only while another one is written.
    before: Box<dyn Store>,
}

impl Guarded {
    /// `before`: a store on this machine, for this use alone.
    pub fn new(program: Box<dyn Store>, before: Box<dyn Store>) -> Guarded {
        Guarded { program, before }
    }
}

/// A record is JSON; the rest of one that was cut off is not.
fn is_whole(record: &Secret) -> bool {
    serde_json::from_str::<IgnoredAny>(record.expose()).is_ok()
}

impl Store for Guarded {
    fn kind(&self) -> StoreKind {
        self.program.kind()
    }

    fn place(&self) -> String {
        self.program.place()
    }

    fn in_words(&self) -> String {
        self.program.in_words()
    }

    fn scope(&self) -> String {
        self.program.scope()
    }

    fn load(&self, profile: &str) -> Result<Option<Secret>, StoreError> {
        let found = self.program.load(profile);
        match &found {
            Ok(Some(record)) if is_whole(record) => found,
            _ => match self.before.load(profile) {
                Ok(Some(before)) => Ok(Some(before)),
                _ if matches!(found, Err(StoreError::TimedOut(..) | StoreError::Absent { .. })) => found,
                // what was being written is written now; else the trouble is the program's own
                _ => self.program.load(profile),
            },
        }
    }

    fn save(&self, profile: &str, record: &Secret) -> Result<(), StoreError> {
        if let Some(before) = self.load(profile)? {
            self.before.save(profile, &before)?;
        }
        match self.program.save(profile, record) {
            Ok(()) => {}
            // the record of before is still there, or stays with the guard
            Err(e) => {
                if self.program.load(profile).is_ok_and(|now| now == self.before.load(profile).unwrap_or(None)) {
                    let _ = self.before.delete(profile);
                }
                return Err(e);
            }
        }
        self.before.delete(profile).map(drop)
    }

    fn delete(&self, profile: &str) -> Result<bool, StoreError> {
        let guarded = self.before.delete(profile)?;
        Ok(self.program.delete(profile)? || guarded)
    }

    fn profiles(&self) -> Result<Vec<String>, StoreError> {
        self.program.profiles()
    }

    fn writable(&self, profile: &str) -> Result<(), StoreError> {
        self.before.writable(profile)?;
        self.program.writable(profile)
    }
}
