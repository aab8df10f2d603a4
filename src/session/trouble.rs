//! The memory of a token endpoint in trouble: its `Retry-After`, or that it failed a moment ago. A thousand processes that find
//! the same token stale must not knock a thousand times.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{Error, Kind};
use crate::session::journal::note;
use crate::text::safe;

/// How long the first failure is remembered where the server named no time, in seconds, and each further one in a row twice as
/// long: a script that tries again finds the server that is back, and a crowd knocks three times in 14 s.
const REMEMBERED: i64 = 2;
/// The longest that the program itself puts others off, in seconds.
const LONGEST_OWN: i64 = 30;
/// A failure so long after the last one's end is the first again, in seconds.
const IN_A_ROW: i64 = 60;
/// The longest `Retry-After` that is obeyed, in seconds: a server that says more is not waited for in silence.
const LONGEST: i64 = 3600;

#[derive(Debug)]
pub struct Trouble {
    path: PathBuf,
}

impl Trouble {
    pub fn of(state: &Path, name: &str) -> Trouble {
        Trouble { path: state.join("journal").join(format!("{name}.trouble")) }
    }

    /// The error of before, while it holds. `insists`: a person asked for it now, so only what the server itself said counts.
    pub fn still(&self, now: i64, insists: bool) -> Option<Error> {
        let value: Value = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
        let (at, until) = (value.get("at")?.as_i64()?, value.get("until")?.as_i64()?);
        let said_by_server = value.get("said")?.as_bool()?;
        // a clock that was set back must not make a minute into a year
        if now >= until || now < at || until - now > LONGEST || (insists && !said_by_server) {
            return None;
        }
        let seconds = (until - now) as u64;
        let mut error =
            Error::new(Kind::TryLater, "the token endpoint was in trouble a moment ago and is left alone for now")
                .cause(safe(value.get("why")?.as_str()?))
                .hint(format!("run the command again in {seconds} s"));
        error.retry_after = Some(seconds);
        Some(error)
    }

    pub fn remember(&self, now: i64, e: &Error) {
        let wait = match e.retry_after {
            Some(seconds) => i64::try_from(seconds).unwrap_or(LONGEST).clamp(1, LONGEST),
            None => self.next(now),
        };
        let why = std::iter::once(&e.message).chain(&e.causes).cloned().collect::<Vec<_>>().join(": ");
        let text = json!({ "at": now, "until": now + wait, "said": e.retry_after.is_some(), "why": crate::secret::redact(&why) }).to_string();
        let _ = note(&self.path, &text);
    }

    /// Twice what the last failure was remembered, if it was a moment ago.
    fn next(&self, now: i64) -> i64 {
        let last = || {
            let value: Value = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
            let (at, until) = (value.get("at")?.as_i64()?, value.get("until")?.as_i64()?);
            (at <= now && now - until < IN_A_ROW).then_some(until - at)
        };
        last().map_or(REMEMBERED, |wait: i64| wait.saturating_mul(2).clamp(REMEMBERED, LONGEST_OWN))
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
        let trouble = Trouble::of(dir.path(), "x");
        assert!(trouble.still(100, false).is_none());
        trouble.remember(100, &Error::new(Kind::TryLater, "can't reach it"));
        assert_eq!(trouble.still(101, false).unwrap().retry_after, Some(1));
        assert!(trouble.still(101, true).is_none(), "a person may try at once");
        assert!(trouble.still(102, false).is_none());
        assert!(trouble.still(50, false).is_none(), "the clock was set back");
        let mut said = Error::new(Kind::TryLater, "busy");
        said.retry_after = Some(1_000_000_000);
        trouble.remember(100, &said);
        assert_eq!(trouble.still(100, true).unwrap().retry_after, Some(3600));
        trouble.forget();
        assert!(trouble.still(100, true).is_none());
    }

    #[test]
    fn failures_in_a_row_are_remembered_twice_as_long_each() {
        let dir = tempfile::tempdir().unwrap();
        let trouble = Trouble::of(dir.path(), "x");
        let (mut now, mut waits) = (100, vec![]);
        for _ in 0..6 {
            trouble.remember(now, &Error::new(Kind::TryLater, "can't reach it"));
            let wait = trouble.still(now, false).unwrap().retry_after.unwrap();
            waits.push(wait);
            now += wait as i64;
        }
        assert_eq!(waits, [2, 4, 8, 16, 30, 30]);
        trouble.remember(now + IN_A_ROW, &Error::new(Kind::TryLater, "again"));
        assert_eq!(trouble.still(now + IN_A_ROW, false).unwrap().retry_after, Some(2), "it was long ago");
        trouble.forget();
        trouble.remember(now, &Error::new(Kind::TryLater, "after it went well"));
        assert_eq!(trouble.still(now, false).unwrap().retry_after, Some(2));
    }
}
