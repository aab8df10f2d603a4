//! The keychain of a system without one, and of a world in which no program is started.

use super::super::{Keychain, KeychainError};
use crate::secret::Secret;

/// Holds nothing, and says so.
pub struct Nowhere;

fn absent() -> KeychainError {
    KeychainError::Absent("this system has none that oauthctl knows".to_owned())
}

impl Keychain for Nowhere {
    fn get(&self, _account: &str) -> Result<Option<Secret>, KeychainError> {
        Err(absent())
    }

    fn set(&self, _account: &str, _value: &Secret) -> Result<(), KeychainError> {
        Err(absent())
    }

    fn delete(&self, _account: &str) -> Result<bool, KeychainError> {
        Err(absent())
    }

    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        Err(absent())
    }

    fn ready(&self) -> Result<(), KeychainError> {
        Err(absent())
    }

    fn name(&self) -> String {
        "no keychain".to_owned()
    }
}
