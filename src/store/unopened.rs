//! A store that can't be opened here: what names it goes on, and whatever needs a record says why.

use super::{Store, StoreError, StoreKind};
use crate::secret::Secret;

pub struct Unopened {
    pub kind: StoreKind,
    pub why: String,
    pub cures: Vec<String>,
}

impl Unopened {
    fn refuse<T>(&self) -> Result<T, StoreError> {
        Err(StoreError::Advised { why: self.why.clone(), cures: self.cures.clone() })
    }
}

impl Store for Unopened {
    fn kind(&self) -> StoreKind {
        self.kind
    }

    fn place(&self) -> String {
        format!("the {}", self.kind.name())
    }

    fn load(&self, _profile: &str) -> Result<Option<Secret>, StoreError> {
        self.refuse()
    }

    fn delete(&self, _profile: &str) -> Result<bool, StoreError> {
        self.refuse()
    }

    fn profiles(&self) -> Result<Vec<String>, StoreError> {
        self.refuse()
    }

    fn writable(&self, _profile: &str) -> Result<(), StoreError> {
        self.refuse()
    }
}
