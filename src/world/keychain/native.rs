//! The system's keychain through the keyring project's API (`keyring-core`), the same on all
//! systems.
//!
//! The Keychain and the Credential Manager may ask the user, and neither takes a deadline. So each
//! call there runs in its own thread, and a call that takes too long is abandoned. Our Secret
//! Service client keeps the deadline itself and needs no thread.
//!
//! Two questions have no call in that API and go to our client directly: whether a value could be
//! written now (`ready`), and which of several keychains this is (`scope`).

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};

use super::super::{Env, Keychain, KeychainError};
use super::SERVICE;
#[cfg(not(any(target_os = "macos", windows)))]
use super::secret_service::SecretService;
use crate::secret::Secret;
use crate::text;

/// The keychain, through the keyring project's API.
pub struct Native {
    #[cfg(not(any(target_os = "macos", windows)))]
    store: Arc<SecretService>,
}

impl Native {
    #[cfg(not(any(target_os = "macos", windows)))]
    pub fn new(env: &dyn Env) -> Native {
        Native { store: Arc::new(SecretService::new(env)) }
    }

    #[cfg(any(target_os = "macos", windows))]
    pub fn new(_env: &dyn Env) -> Native {
        Native {}
    }

    fn with_entry<T: Send + 'static>(
        &self,
        account: &str,
        work: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let account = account.to_owned();
        self.with_store(move |store| store.build(SERVICE, &account, None).and_then(|entry| work(&entry)))
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    fn with_store<T>(&self, work: impl FnOnce(&CredentialStore) -> Result<T, Error>) -> Result<T, KeychainError> {
        work(&*self.store).map_err(explain)
    }

    /// Runs `work` on the whole keychain, at most until the deadline.
    #[cfg(any(target_os = "macos", windows))]
    fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&CredentialStore) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, KeychainError> {
        use std::sync::mpsc;

        let (done, result) = mpsc::channel();
        let started = std::thread::Builder::new().name("keychain".to_owned()).spawn(move || {
            let answer = open().and_then(|store| work(&*store));
            // fails once the deadline is over
            let _ = done.send(answer.map_err(explain));
        });
        if let Err(e) = started {
            return Err(KeychainError::Failed(format!("no thread: {e}")));
        }
        match result.recv_timeout(super::DEADLINE) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(KeychainError::TimedOut(super::DEADLINE.as_secs())),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(KeychainError::Failed("the system's library panicked".to_owned()))
            }
        }
    }
}

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

/// The callers handle `NoEntry` before.
fn explain(error: Error) -> KeychainError {
    let told = text::safe(&error.to_string());
    let (why, refused) = match error {
        Error::NoStorageAccess(why) => (why, true),
        // our own client has given the reason already
        Error::PlatformFailure(why) => match why.downcast::<KeychainError>() {
            Ok(own) => return *own,
            Err(why) => (why, false),
        },
        _ => return KeychainError::Failed(told),
    };
    // the system's error number is only in the debug form of its error
    let code = format!("{why:?}");
    let is = |codes: &[&str]| codes.iter().any(|c| code.contains(c));
    // errSecNoSuchKeychain, errSecInvalidKeychain, errSecNotAvailable, errSecNoDefaultKeychain,
    // ERROR_NO_SUCH_LOGON_SESSION
    if is(&["-25294", "-25295", "-25291", "-25307", "1312"]) {
        KeychainError::Absent(told)
    // errSecInteractionNotAllowed, errSecInteractionRequired: locked, and no user to ask
    } else if is(&["-25308", "-25315"]) {
        KeychainError::Locked
    // errSecUserCanceled, errSecAuthFailed
    } else if refused || is(&["-128,", "-128 }", "-25293"]) {
        KeychainError::Denied(told)
    } else {
        KeychainError::Failed(told)
    }
}

impl Keychain for Native {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        let bytes = self.with_entry(account, |entry| match entry.get_secret() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NoEntry) => Ok(None),
            Err(e) => Err(e),
        })?;
        let Some(bytes) = bytes else { return Ok(None) };
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| KeychainError::Failed("the item's value is not text".to_owned()))?;
        Ok(Some(Secret::new(text)))
    }

    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError> {
        let value = value.clone();
        // `set_password` writes UTF-16 on Windows, which halves the capacity of an item
        self.with_entry(account, move |entry| entry.set_secret(value.expose().as_bytes()))
    }

    fn delete(&self, account: &str) -> Result<bool, KeychainError> {
        self.with_entry(account, |entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(e) => Err(e),
        })
    }

    #[cfg(not(windows))]
    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        let found = self.with_store(|store| store.search(&std::collections::HashMap::from([("service", SERVICE)])))?;
        Ok(found.iter().filter_map(|entry| Some(entry.get_specifiers()?.1)).collect())
    }

    /// Not searched: the search needs regular expressions, a library not worth its size here. Items
    /// without a profile are found by name alone.
    #[cfg(windows)]
    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        Ok(Vec::new())
    }

    /// `CRED_MAX_CREDENTIAL_BLOB_SIZE`, in bytes.
    #[cfg(windows)]
    fn item_limit(&self) -> Option<usize> {
        Some(2560)
    }

    /// Looks for a missing item: proves that a keychain answers, and changes nothing. Neither
    /// system tells without a write whether one would be allowed.
    #[cfg(any(target_os = "macos", windows))]
    fn ready(&self) -> Result<(), KeychainError> {
        self.get(" ready?").map(drop)
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    fn ready(&self) -> Result<(), KeychainError> {
        self.store.ready()
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    fn name(&self) -> String {
        "Secret Service".to_owned()
    }

    #[cfg(windows)]
    fn name(&self) -> String {
        "Windows Credential Manager".to_owned()
    }

    #[cfg(target_os = "macos")]
    fn name(&self) -> String {
        "macOS Keychain".to_owned()
    }

    /// The others have one per user, and locks are per user already.
    #[cfg(not(any(target_os = "macos", windows)))]
    fn scope(&self) -> String {
        self.store.scope()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has the debug form of macOS's errors, which tells the number alone where it knows no words.
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by its debug form")]
    struct Code {
        code: i32,
    }

    impl std::fmt::Display for Code {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("what happened")
        }
    }

    impl std::error::Error for Code {}

    #[test]
    fn a_mac_without_a_keychain_is_told_from_a_locked_one_and_from_a_refusal() {
        let kind = |code| match explain(Error::PlatformFailure(Box::new(Code { code }))) {
            KeychainError::Absent(_) => "absent",
            KeychainError::Locked => "locked",
            KeychainError::Denied(_) => "denied",
            _ => "failed",
        };
        // a user of a service, who never had one; one over SSH; one who said no; anything else
        assert_eq!([-25307, -25308, -25315, -128, -50].map(kind), ["absent", "locked", "locked", "denied", "failed"]);
        let read_only = explain(Error::NoStorageAccess(Box::new(Code { code: -25292 })));
        assert!(matches!(read_only, KeychainError::Denied(_)), "{read_only:?}");
    }
}
