//! The system's keychain: Secret Service on Linux and the BSDs, Keychain on macOS, Credential
//! Manager on Windows.
//!
//! All three are used through the keyring project's API (`native`). A script never hangs and is
//! never asked: each call ends within [`DEADLINE`]. macOS and Windows use the keyring project's own
//! credential stores. Linux and the BSDs use our small client (`secret_service`, over `dbus`): the
//! usual crates open a window to unlock that may wait forever, spend 7 ms on a key exchange that
//! protects nothing on the user's own bus, and make GNOME Keyring abort under many short-lived
//! readers.

#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd"))]
mod dbus;
#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd", target_os = "macos", windows))]
mod native;
mod nowhere;
mod once;
pub mod program;
#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd"))]
mod secret_service;
#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd"))]
mod values;

use std::sync::Arc;
use std::time::Duration;

use super::{Env, Keychain};
pub use nowhere::Nowhere;
pub use once::AskedOnce;

const SERVICE: &str = "oauthctl";

/// The longest time of one call, on a machine that isn't overloaded.
const DEADLINE: Duration = Duration::from_secs(3);

/// This machine's keychain. It reads the environment (the address of the session bus) now, and
/// connects at the first call.
#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd", target_os = "macos", windows))]
pub fn system(env: &dyn Env) -> Arc<dyn Keychain> {
    Arc::new(native::Native::new(env))
}

/// No supported keychain.
#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd", target_os = "macos", windows)))]
pub fn system(_env: &dyn Env) -> Arc<dyn Keychain> {
    Arc::new(Nowhere)
}
