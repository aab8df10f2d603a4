//! The process's own environment.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

use super::Env;

/// The environment of this process.
pub struct Real;

#[expect(clippy::disallowed_methods, reason = "this is the environment")]
impl Env for Real {
    fn var_os(&self, name: &str) -> Option<OsString> {
        // the standard library panics on these, and a name may come from a configuration file
        if name.is_empty() || name.bytes().any(|b| matches!(b, b'=' | 0)) {
            return None;
        }
        std::env::var_os(name)
    }

    #[cfg(target_os = "linux")]
    fn host(&self) -> Option<String> {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }

    fn folder(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }

    fn names(&self) -> Cow<'_, [String]> {
        // it stays as it is, and a list of thousands of profiles asks for each
        static NAMES: LazyLock<Vec<String>> =
            LazyLock::new(|| std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect());
        Cow::Borrowed(&NAMES)
    }

    fn machine(&self) -> Option<String> {
        let files = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
        let id = files.iter().find_map(|file| std::fs::read_to_string(file).ok())?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    }
}
