//! The store that saves nothing: for a CI job that requests a new token each time.

use super::{Store, StoreError, StoreKind};
use crate::secret::Secret;

/// Loads nothing and refuses each save; callers that chose it ignore the error.
pub struct NoStore;

impl Store for NoStore {
    fn kind(&self) -> StoreKind {
        StoreKind::None
    }

    fn place(&self) -> String {
        "nowhere".to_owned()
    }

    fn load(&self, _profile: &str) -> Result<Option<Secret>, StoreError> {
        Ok(None)
    }

    fn delete(&self, _profile: &str) -> Result<bool, StoreError> {
        Ok(false)
    }
}
