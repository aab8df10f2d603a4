//! The system's keychain through the keyring project's API (`keyring-core`), the same on all
//! systems.
//!
//! The Keychain and the Credential Manager take no deadline. So each call there runs in its own
//! thread, and a call that takes too long is abandoned. Our Secret Service client keeps the
//! deadline itself and needs no thread.
//!
//! macOS: the items lie in the login keychain, a file. A program without a provisioning profile
//! can't use the other kind ("data protection"), so there are no access groups (TN3137). An item
//! lets the program in that made it. For another, which a new build without Apple's signature is
//! too, the system opens a window, as it does to unlock: it waits for the login password, and
//! "always allow" adds the program. So somebody at the terminal gets time for it, and a script gets
//! `errSecInteractionNotAllowed` in place of the window, as over SSH. An item has no limit in size.
//!
//! Two questions have no call in that API and go to our client directly: whether a value could be
//! written now (`ready`), and which of several keychains this is (`scope`).

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
#[cfg(target_os = "macos")]
use security_framework::os::macos::keychain::{SecKeychain, SecPreferencesDomain};

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
        let patience = if asks() { TIME_TO_ANSWER } else { super::DEADLINE };
        match result.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(KeychainError::TimedOut(patience.as_secs())),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(KeychainError::Failed("the system's library panicked".to_owned()))
            }
        }
    }
}

/// The longest time of a call that may open a window: somebody types a password there.
#[cfg(any(target_os = "macos", windows))]
const TIME_TO_ANSWER: std::time::Duration = std::time::Duration::from_secs(60);

/// Whether the system may open a window and wait for an answer.
#[cfg(any(target_os = "macos", windows))]
fn asks() -> bool {
    use std::io::IsTerminal;
    cfg!(target_os = "macos") && std::io::stderr().is_terminal()
}

/// One item per profile, found by service and account. (No attributes: neither system needs them.)
#[cfg(target_os = "macos")]
fn open() -> Result<Arc<CredentialStore>, Error> {
    if !asks() {
        // it holds for the process, whose every call is one of a script
        std::mem::forget(SecKeychain::disable_user_interaction());
    }
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
    match number(&format!("{why:?}")) {
        // errSecNotAvailable, errSecNoSuchKeychain, errSecInvalidKeychain, errSecNoDefaultKeychain;
        // ERROR_NO_SUCH_LOGON_SESSION
        Some(-25291 | -25294 | -25295 | -25307 | 1312) => KeychainError::Absent(told),
        // errSecInteractionNotAllowed, errSecInteractionRequired, errSecInDarkWake: nobody can be
        // asked
        Some(-25308 | -25315 | -25320) => KeychainError::Locked,
        // errSecUserCanceled, errSecAuthFailed; errSecDuplicateItem: an item that may not be read
        // is made a second time by the library
        Some(-128 | -25293 | -25299) => KeychainError::Denied(told),
        _ if refused => KeychainError::Denied(told),
        _ => KeychainError::Failed(told),
    }
}

/// The system's error number, the first one in the debug form of its error, and only there.
fn number(debug: &str) -> Option<i32> {
    let start = debug.find(|c: char| c.is_ascii_digit())?;
    let start = start - usize::from(debug[..start].ends_with('-'));
    let rest = &debug[start..];
    rest[..rest.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
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

    /// An unlocked keychain stays as it is. To unlock a locked one, the system asks or refuses.
    #[cfg(target_os = "macos")]
    fn ready(&self) -> Result<(), KeychainError> {
        self.with_store(|_| {
            let unlocked =
                SecKeychain::default_for_domain(SecPreferencesDomain::User).and_then(|mut it| it.unlock(None));
            unlocked.map_err(apple_native_keyring_store::keychain::decode_error)
        })
    }

    /// Looks for a missing item: proves that a keychain answers, and changes nothing. The system
    /// doesn't tell without a write whether one would be allowed.
    #[cfg(windows)]
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

    /// macOS's error, in whose words a number may stand too.
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by its debug form")]
    struct Apples {
        code: i32,
        message: &'static str,
    }

    /// Windows'.
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by its debug form")]
    struct Windows(u32);

    macro_rules! error {
        ($($kind:ty),*) => { $(
            impl std::fmt::Display for $kind {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("what happened")
                }
            }
            impl std::error::Error for $kind {}
        )* };
    }
    error!(Apples, Windows);

    fn kind(error: Error) -> &'static str {
        match explain(error) {
            KeychainError::Absent(_) => "absent",
            KeychainError::Locked => "locked",
            KeychainError::Denied(_) => "denied",
            _ => "failed",
        }
    }

    #[test]
    fn a_mac_without_a_keychain_is_told_from_a_locked_one_and_from_a_refusal() {
        let apples = |code| Box::new(Apples { code, message: "the keychain of user 1312" });
        for (codes, expected) in [
            // a user of a service, who never had a keychain; one whose file was removed
            (&[-25307, -25294, -25295, -25291][..], "absent"),
            // over SSH; in a script; while the Mac sleeps with its lid closed
            (&[-25308, -25315, -25320], "locked"),
            // who said no; a wrong password; who said no while an item was replaced
            (&[-128, -25293, -25299], "denied"),
            (&[-50, -12, -1280, -34018], "failed"),
        ] {
            for &code in codes {
                assert_eq!(kind(Error::PlatformFailure(apples(code))), expected, "{code}");
            }
        }
        // read-only; and one that the library tells so, which is no refusal
        assert_eq!(
            [-25292, -61, -25291].map(|code| kind(Error::NoStorageAccess(apples(code)))),
            ["denied", "denied", "absent"]
        );
    }

    #[test]
    fn a_windows_session_without_credentials_has_no_keychain() {
        let codes = [1312, 5, 13121].map(|code| kind(Error::PlatformFailure(Box::new(Windows(code)))));
        assert_eq!(codes, ["absent", "failed", "failed"]);
    }
}
