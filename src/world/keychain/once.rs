//! A keychain that lists its items once, for a command that reads every profile and changes none.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::super::{Keychain, KeychainError};
use crate::secret::Secret;

/// Asks only for items that the keychain holds: a hundred thousand profiles are one request.
pub struct AskedOnce {
    keychain: Arc<dyn Keychain>,
    kept: OnceLock<Result<BTreeSet<String>, KeychainError>>,
}

impl AskedOnce {
    /// A keychain that is asked once for all records.
    pub fn new(keychain: Arc<dyn Keychain>) -> AskedOnce {
        AskedOnce { keychain, kept: OnceLock::new() }
    }

    fn kept(&self) -> &Result<BTreeSet<String>, KeychainError> {
        self.kept.get_or_init(|| Ok(self.keychain.accounts()?.into_iter().collect()))
    }
}

impl Keychain for AskedOnce {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        match self.kept() {
            Ok(kept) if !kept.contains(account) => Ok(None),
            // these errors hold for every item, and each would cost the wait again
            Err(e @ (KeychainError::Absent(_) | KeychainError::TimedOut(_) | KeychainError::Foreign(_))) => {
                Err(e.clone())
            }
            _ => self.keychain.get(account),
        }
    }

    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError> {
        self.keychain.set(account, value)
    }

    fn delete(&self, account: &str) -> Result<bool, KeychainError> {
        self.keychain.delete(account)
    }

    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        self.kept().clone().map(|kept| kept.into_iter().collect())
    }

    fn item_limit(&self) -> Option<usize> {
        self.keychain.item_limit()
    }

    fn ready(&self) -> Result<(), KeychainError> {
        self.keychain.ready()
    }

    fn name(&self) -> String {
        self.keychain.name()
    }

    fn scope(&self) -> String {
        self.keychain.scope()
    }
}
