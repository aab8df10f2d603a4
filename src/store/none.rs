//! The store that saves nothing: for a CI job that requests a new token each time.

use super::{Store, StoreError, StoreKind};
use crate::secret::Secret;

/// Loads nothing and refuses each save.
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

    /// Returns an error, since nothing was saved; callers that chose `none` ignore it.
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
