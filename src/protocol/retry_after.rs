//! `Retry-After` as servers write it (RFC 9110, section 10.2.3): seconds, or a date.

use crate::wire::Response;

/// The wait that a response asks for, in seconds.
pub fn of(response: &Response, now: i64) -> Option<u64> {
    seconds(response.header("retry-after")?, now)
}

/// Seconds from `now` on; `None` if the value is neither form or lies in the past.
pub fn seconds(text: &str, now: i64) -> Option<u64> {
    let text = text.trim();
    // `1 seconds`: GetResponse writes a unit
    if let Some(number) = text.split_whitespace().next().filter(|w| w.bytes().all(|b| b.is_ascii_digit())) {
        return number.parse().ok();
    }
    u64::try_from(http_date(text)? - now).ok()
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
            ("1000000000", Some(1_000_000_000)),
            ("-1", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999999", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", None),
        ] {
            assert_eq!(seconds(text, 784_111_740), want, "{text}");
        }
    }
}
