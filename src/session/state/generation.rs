//! The newest generation of a record that this machine stored. A record with an older one came back
//! from a backup or a snapshot: its refresh token is spent, and sending it would end the whole
//! login at a strict provider.

use std::path::{Path, PathBuf};

use crate::session::state::journal::note;

#[derive(Debug)]
pub struct Generation {
    path: PathBuf,
}

impl Generation {
    pub fn of(state: &Path, name: &str) -> Generation {
        Generation { path: state.join("journal").join(format!("{name}.seen")) }
    }

    /// 0: none was stored.
    pub fn generation(&self) -> u64 {
        std::fs::read_to_string(&self.path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// Goes up after a save, so that it is never newer than the store.
    pub fn note(&self, generation: u64) {
        if generation > self.generation() {
            let _ = note(&self.path, &format!("{generation}\n"));
        }
    }

    pub fn forget(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
