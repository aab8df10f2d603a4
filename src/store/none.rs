//! The store that keeps nothing: for a CI job that gets a token anew each time.

use super::{Store, StoreError, StoreKind};
use crate::secret::Secret;

pub struct NoStore;

impl Store for NoStore {
    fn kind(&self) -> StoreKind {
        StoreKind::None
    }

    fn place(&self) -> String {
        "nowhere".to_owned()
    }

    fn scope(&self) -> String {
        String::new()
    }

    fn load(&self, _profile: &str) -> Result<Option<Secret>, StoreError> {
        Ok(None)
    }

    /// Says that nothing was kept, rather than that all is well: whoever asked for `none` knows to pass over it.
    fn save(&self, _profile: &str, _record: &Secret) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly("none"))
    }

    fn delete(&self, _profile: &str) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn writable(&self, _profile: &str) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly("none"))
    }
}
