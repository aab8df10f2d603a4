//! macOS Keychain and Windows Credential Manager, through the keyring project's crates. Both may ask a person, and neither
//! takes a deadline; so each call runs in a thread of its own, and one that takes too long is left behind.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use keyring_core::{CredentialStore, Entry, Error};

use super::super::{Keychain, KeychainError};
use super::{DEADLINE, SERVICE};
use crate::secret::Secret;
use crate::text;

pub struct Native;

/// One item per profile, found by service and account. (No attributes: neither system needs them.)
#[cfg(target_os = "macos")]
fn open() -> Result<Arc<CredentialStore>, Error> {
    let store = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

#[cfg(windows)]
fn open() -> Result<Arc<CredentialStore>, Error> {
    let store = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

/// Runs `work` on the account's entry, and waits for it no longer than the deadline.
fn with_entry<T: Send + 'static>(
    account: &str,
    work: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
) -> Result<T, KeychainError> {
    let account = account.to_owned();
    with_store(move |store| store.build(SERVICE, &account, None).and_then(|entry| work(&entry)))
}

/// The same on the whole keychain.
fn with_store<T: Send + 'static>(
    work: impl FnOnce(&CredentialStore) -> Result<T, Error> + Send + 'static,
) -> Result<T, KeychainError> {
    let (done, result) = mpsc::channel();
    let started = thread::Builder::new().name("keychain".to_owned()).spawn(move || {
        let answer = open().and_then(|store| work(&*store));
        // nobody waits any more when the deadline is over
        let _ = done.send(answer.map_err(explain));
    });
    if let Err(e) = started {
        return Err(KeychainError::Failed(format!("no thread: {e}")));
    }
    match result.recv_timeout(DEADLINE) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(KeychainError::TimedOut(DEADLINE.as_secs())),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(KeychainError::Failed("the system's library panicked".to_owned()))
        }
    }
}

/// `NoEntry` is told apart by the callers, before.
fn explain(error: Error) -> KeychainError {
    // the system's own number stands in the debug form of its error only
    let told = text::safe(&error.to_string());
    match error {
        Error::NoStorageAccess(why) => {
            let code = format!("{why:?}");
            // errSecNoSuchKeychain, errSecInvalidKeychain, errSecNotAvailable; ERROR_NO_SUCH_LOGON_SESSION
            if ["-25294", "-25295", "-25291", "1312"].iter().any(|c| code.contains(c)) {
                KeychainError::Absent(told)
            } else {
                KeychainError::Denied(told)
            }
        }
        Error::PlatformFailure(why) => {
            let code = format!("{why:?}");
            // errSecInteractionNotAllowed: locked, and nobody there to ask
            if code.contains("-25308") {
                KeychainError::Locked
            // errSecUserCanceled, errSecAuthFailed
            } else if code.contains("-128,") || code.contains("-25293") {
                KeychainError::Denied(told)
            } else {
                KeychainError::Failed(told)
            }
        }
        _ => KeychainError::Failed(told),
    }
}

impl Keychain for Native {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        let bytes = with_entry(account, |entry| match entry.get_secret() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NoEntry) => Ok(None),
            Err(e) => Err(e),
        })?;
        let Some(bytes) = bytes else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(_) => Err(KeychainError::Failed("the item's value is not text".to_owned())),
        }
    }

    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError> {
        let value = value.clone();
        // `set_secret`, since `set_password` writes UTF-16 on Windows and halves what an item takes
        with_entry(account, move |entry| entry.set_secret(value.expose().as_bytes()))
    }

    fn delete(&self, account: &str) -> Result<bool, KeychainError> {
        with_entry(account, |entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(e) => Err(e),
        })
    }

    #[cfg(target_os = "macos")]
    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        let found = with_store(|store| store.search(&std::collections::HashMap::from([("service", SERVICE)])))?;
        Ok(found.iter().filter_map(|entry| Some(entry.get_specifiers()?.1)).collect())
    }

    /// Its search goes by regular expressions, a library that is not worth its weight here: what has no profile is found by its name
    /// alone.
    #[cfg(windows)]
    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        Ok(Vec::new())
    }

    /// `CRED_MAX_CREDENTIAL_BLOB_SIZE`, in bytes.
    #[cfg(windows)]
    fn item_limit(&self) -> Option<usize> {
        Some(2560)
    }

    #[cfg(target_os = "macos")]
    fn item_limit(&self) -> Option<usize> {
        None
    }

    /// Looks for an item that isn't there: finds out that there is a keychain that answers, and changes nothing. Neither system
    /// tells without a write whether one would be let through.
    fn ready(&self) -> Result<(), KeychainError> {
        self.get(" ready?").map(drop)
    }

    #[cfg(windows)]
    fn name(&self) -> String {
        "Windows Credential Manager".to_owned()
    }

    #[cfg(target_os = "macos")]
    fn name(&self) -> String {
        "macOS Keychain".to_owned()
    }

    /// One per user on both systems, and locks are per user already.
    fn scope(&self) -> String {
        self.name()
    }
}
