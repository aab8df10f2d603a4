//! Times in words, for people, and in RFC 3339, for programs.

/// `2026-11-21T22:00:00Z`.
pub fn rfc3339(at: i64) -> String {
    let days = at.div_euclid(86_400);
    let second = at.rem_euclid(86_400);
    // civil date from days since 1970-01-01 (Hinnant's algorithm)
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// `59 s`, `12 min`, `3 h 20 min`, `5 days`.
pub fn span(seconds: i64) -> String {
    match seconds {
        ..=0 => "0 s".to_owned(),
        1..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => match (seconds / 3600, seconds / 60 % 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The hint for a server that asks for a wait. Nobody waits for years: a wait of more than a day is
/// told as what the server said.
pub fn again_in(seconds: u64) -> String {
    match i64::try_from(seconds).unwrap_or(i64::MAX) {
        0 => "run the command again".to_owned(),
        ..=3600 => format!("run the command again in {seconds} s"),
        wait @ ..=86_400 => format!("run the command again in {}", span(wait)),
        wait @ ..=31_536_000 => format!("run the command again later (the server asks for a wait of {})", span(wait)),
        _ => "run the command again later (the server asks for a wait of more than a year)".to_owned(),
    }
}

/// `expires in 59 min, at 2026-11-21T22:00:00Z`.
pub fn good_until(expires_at: Option<i64>, now: i64) -> String {
    match expires_at {
        None => "has no known expiry".to_owned(),
        Some(at) if at <= now => format!("expired at {}", rfc3339(at)),
        Some(at) => format!("expires in {}, at {}", span(at - now), rfc3339(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_825_600), "2000-02-29T12:00:00Z");
        assert_eq!(rfc3339(1_795_298_400), "2026-11-21T22:00:00Z");
        assert_eq!(rfc3339(4_107_542_399), "2100-02-28T23:59:59Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        assert_eq!(
            [span(-3), span(59), span(3599), span(3600), span(12_000), span(86_400 * 5)],
            ["0 s", "59 s", "59 min", "60 min", "3 h 20 min", "5 days"].map(str::to_owned)
        );
    }
}
