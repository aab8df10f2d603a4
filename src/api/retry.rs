//! Decides whether and when a request is sent again. Idempotent requests may be repeated (RFC 9110,
//! section 9.2.2). Others are repeated only if no byte of them was sent.

use std::time::Duration;

use serde_json::Value;

use crate::protocol::retry_after;
use crate::provider::Limits;
use crate::wire::{MOST_VALUES, header, json_values};
use crate::world::HttpError;

/// The longest wait before one more attempt.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest total wait for all attempts at one request.
pub const LONGEST_IN_ALL: Duration = Duration::from_secs(120);

/// Tells whether repeating this method has no further effect (RFC 9110, section 9.2.2).
pub fn may_be_repeated(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
}

/// Tells whether another attempt may change this status, as curl's `--retry` has it.
pub fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Tells whether a server that answers so has done nothing (RFC 9110, section 15.5.9; RFC 6585,
/// section 4), so that any request may be repeated.
pub fn did_nothing(status: u16) -> bool {
    matches!(status, 408 | 429)
}

/// Tells whether a request without a response is worth another attempt.
pub fn after(error: &HttpError, method: &str) -> bool {
    match error {
        HttpError::Unsent { .. } => true,
        HttpError::Ambiguous { .. } | HttpError::TimedOut { .. } => may_be_repeated(method),
        HttpError::Tls { .. }
        | HttpError::TooLarge { .. }
        | HttpError::TooDense { .. }
        | HttpError::HeadTooLarge { .. }
        | HttpError::Malformed { .. }
        | HttpError::Forbidden { .. }
        | HttpError::Authorities(_)
        | HttpError::Proxy(_) => false,
    }
}

/// Returns how long the server asks clients to wait: by `Retry-After` in all its forms, else by the
/// header with the limit's reset, else by GetResponse's `timeToReset` in the body. `now` is in Unix
/// seconds.
pub fn asked(headers: &[(String, String)], body: &[u8], limits: &Limits, now: i64) -> Option<Duration> {
    let named = |key: &Option<String>, usual: &str| {
        let name = key.as_ref().map_or_else(|| usual.to_owned(), |name| name.to_lowercase());
        header(headers, &name).and_then(|value| retry_after::wait(value, now))
    };
    named(&limits.headers.retry_after, "retry-after")
        .or_else(|| named(&limits.headers.reset, "x-ratelimit-reset"))
        .or_else(|| {
            let body = Some(body).filter(|body| json_values(body) <= MOST_VALUES)?;
            let body: Value = serde_json::from_slice(body).ok()?;
            retry_after::wait(body.get("context")?.get("timeToReset")?.as_str()?, now)
        })
}

/// Returns how many requests the limit still admits, if a header says so.
pub fn remaining(headers: &[(String, String)], limits: &Limits) -> Option<f64> {
    header(headers, &limits.headers.remaining.as_ref()?.to_lowercase())?.trim().parse().ok()
}

/// Returns the wait before attempt `attempt` (from 1) if the server names none. It doubles from
/// half a second on. Half of it is random, so that clients refused together don't return together.
pub fn back_off(attempt: u32, random: u8) -> Duration {
    let full = 500u64 << attempt.saturating_sub(1).min(6);
    Duration::from_millis(full / 2 + full / 2 * u64::from(random) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_298_400;

    // T-54
    #[test]
    fn the_wait_is_read_in_all_forms() {
        let limits = Limits::default();
        let header = |name: &str, value: &str| asked(&[(name.into(), value.into())], b"", &limits, NOW);
        for (name, value, want) in [
            ("retry-after", "5", Some(5.0)),
            ("retry-after", "0.5", Some(0.5)),
            ("retry-after", "1 seconds", Some(1.0)),
            ("retry-after", "Sat, 21 Nov 2026 22:00:07 GMT", Some(7.0)),
            ("retry-after", "1795298409", Some(9.0)),
            ("retry-after", "-1", None),
            ("retry-after", "soon", None),
            ("retry-after", "nan", None),
            ("x-ratelimit-reset", "1 seconds", Some(1.0)),
            ("x-ratelimit-reset", "1795298403", Some(3.0)),
            ("x-ratelimit-reset", "1795298403000", Some(3.0)),
            ("x-ratelimit-reset", "1795298399", Some(0.0)),
            ("x-other", "5", None),
        ] {
            assert_eq!(header(name, value), want.map(Duration::from_secs_f64), "{name}: {value}");
        }
        let body = br#"{"code":1015,"context":{"currentLimit":"80","timeToReset":"100 seconds"}}"#;
        assert_eq!(asked(&[], body, &limits, NOW), Some(Duration::from_secs(100)));
        let mut named = Limits::default();
        named.headers.reset = Some("X-Other".into());
        assert_eq!(asked(&[("x-other".into(), "2".into())], b"", &named, NOW), Some(Duration::from_secs(2)));
    }

    #[test]
    fn only_what_may_be_repeated_is() {
        let place = String::new();
        let unsent = HttpError::Unsent { place: place.clone(), why: String::new() };
        let broken = HttpError::Ambiguous { place, why: String::new() };
        assert!(after(&unsent, "POST") && after(&unsent, "GET") && after(&broken, "GET") && after(&broken, "PUT"));
        assert!(!after(&broken, "POST") && !after(&broken, "PATCH"));
        assert!(back_off(1, 0) == Duration::from_millis(250) && back_off(1, 255) == Duration::from_millis(500));
        assert_eq!(back_off(99, 255), Duration::from_secs(32));
    }
}
