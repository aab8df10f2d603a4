//! Remembers that a token endpoint is in trouble: its `Retry-After`, or a failure a moment ago. A
//! thousand processes with the same stale token must not send a thousand requests.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{Error, Kind};
use crate::session::state::journal::note;
use crate::text::safe;
use crate::text::times::again_in;

/// How long a failure is remembered if the server named no time, in seconds.
const REMEMBERED: i64 = 10;
/// It is forgotten earlier after so many seconds without a command: a crowd waits, a later command
/// doesn't.
const QUIET: i64 = 2;
/// The longest `Retry-After` that is obeyed, in seconds.
const LONGEST: i64 = 3600;

#[derive(Debug)]
pub struct Outage {
    path: PathBuf,
}

impl Outage {
    pub fn of(state: &Path, name: &str) -> Outage {
        Outage { path: state.join("journal").join(format!("{name}.trouble")) }
    }

    /// The remembered error, while it holds. `insists`: the user asked for a refresh, so only the
    /// server's own time counts.
    pub fn still(&self, now: i64, insists: bool) -> Option<Error> {
        let mut value: Value = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
        let (at, until) = (value.get("at")?.as_i64()?, value.get("until")?.as_i64()?);
        let said_by_server = value.get("said")?.as_bool()?;
        // a clock that was set back must not make a minute into a year
        if now >= until || now < at || until - now > LONGEST || (insists && !said_by_server) {
            return None;
        }
        let mut seconds = (until - now) as u64;
        if !said_by_server {
            let asked = value.get("asked").and_then(Value::as_i64).unwrap_or(at);
            if now - asked >= QUIET {
                return None;
            }
            seconds = seconds.min(QUIET as u64);
            if now > asked {
                value["asked"] = now.into();
                let _ = note(&self.path, &value.to_string());
            }
        }
        let mut error =
            Error::new(Kind::TryLater, "the token endpoint was in trouble a moment ago and is left alone for now")
                .because(safe(value.get("why")?.as_str()?))
                .hint(again_in(seconds));
        error.retry_after = Some(seconds);
        Some(error)
    }

    pub fn remember(&self, now: i64, e: &Error) {
        let wait = e.retry_after.map_or(REMEMBERED, |s| i64::try_from(s).unwrap_or(LONGEST).clamp(1, LONGEST));
        let why = e.texts().join(": ");
        let text = json!({ "at": now, "until": now + wait, "said": e.retry_after.is_some(), "why": crate::secret::redact(&why) }).to_string();
        let _ = note(&self.path, &text);
    }

    pub fn forget(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_remembered_for_a_while_and_a_servers_own_word_for_longer() {
        let dir = tempfile::tempdir().unwrap();
        let trouble = Outage::of(dir.path(), "x");
        assert!(trouble.still(100, false).is_none());
        trouble.remember(100, &Error::new(Kind::TryLater, "can't reach it"));
        assert_eq!(trouble.still(101, false).unwrap().retry_after, Some(2));
        assert!(trouble.still(101, true).is_none(), "a person may try at once");
        assert!(trouble.still(50, false).is_none(), "the clock was set back");
        let mut said = Error::new(Kind::TryLater, "busy");
        said.retry_after = Some(1_000_000_000);
        trouble.remember(100, &said);
        assert_eq!(trouble.still(100, true).unwrap().retry_after, Some(3600));
        trouble.forget();
        assert!(trouble.still(100, true).is_none());
    }

    #[test]
    fn a_crowd_is_put_off_and_one_who_comes_again_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let trouble = Outage::of(dir.path(), "x");
        let failed = Error::new(Kind::TryLater, "can't reach it");
        trouble.remember(100, &failed);
        assert!(trouble.still(101, false).is_some());
        assert!(trouble.still(103, false).is_none(), "nobody asked for two seconds");
        trouble.remember(200, &failed);
        let tried: Vec<i64> = (200..220).filter(|now| (0..50).any(|_| trouble.still(*now, false).is_none())).collect();
        assert_eq!(tried.first(), Some(&210), "fifty a second are put off for ten");
    }
}
