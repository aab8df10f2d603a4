//! `Retry-After` as servers write it (RFC 9110, section 10.2.3): seconds, or a date.

use std::time::Duration;

use crate::wire::Response;

/// The wait that a response asks for, in seconds.
pub fn of(response: &Response, now: i64) -> Option<u64> {
    seconds(response.header("retry-after")?, now)
}

/// The same of the header's text; a part of a second counts as a whole one.
pub fn seconds(text: &str, now: i64) -> Option<u64> {
    let wait = wait(text, now)?;
    Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

/// Reads seconds (also a fraction, also with a unit, as GetResponse writes it), a time in Unix
/// seconds or milliseconds, or a date. `None` if it is none of these, or a date in the past.
pub fn wait(text: &str, now: i64) -> Option<Duration> {
    const LONGEST: f64 = 1e9;
    let first = text.split_whitespace().next()?;
    if !first.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return u64::try_from(http_date(text)? - now).ok().map(Duration::from_secs);
    }
    // a number this large is a time, not a wait of thirty years
    let seconds = match first.parse::<f64>().ok()? {
        n if n > 1e12 => n / 1e3 - now as f64,
        n if n > 1e9 => n - now as f64,
        n => n,
    };
    Some(Duration::from_secs_f64(seconds.clamp(0.0, LONGEST)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as Unix seconds; only the form that servers must send.
pub fn http_date(text: &str) -> Option<i64> {
    let mut parts = text.trim().split_once(", ")?.1.split(' ');
    let (day, month, year, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|m| *m == month)? + 1;
    super::token_response::rfc3339(&format!("{year}-{month:02}-{day:0>2}T{clock}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // T-54
    #[test]
    fn reads_seconds_and_dates_and_nothing_else() {
        for (text, want) in [
            ("5", Some(5)),
            (" 120 ", Some(120)),
            ("1 seconds", Some(1)),
            ("0.5", Some(1)),
            ("1000000000", Some(1_000_000_000)),
            ("784111742", Some(784_111_742)),
            ("1784111742", Some(1_000_000_000)),
            ("-1", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999999", Some(1_000_000_000)),
            ("1.2.3", None),
            (".", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", None),
        ] {
            assert_eq!(seconds(text, 784_111_740), want, "{text}");
        }
    }
}
