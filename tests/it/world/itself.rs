//! This very program, for a test that starts it once more in a process of its own.

use std::path::PathBuf;

/// A build may replace the file while the tests run: on Linux it is the file that runs.
pub fn itself() -> PathBuf {
    match cfg!(target_os = "linux") {
        true => format!("/proc/{}/exe", std::process::id()).into(),
        false => std::env::current_exe().expect("its own path"),
    }
}
