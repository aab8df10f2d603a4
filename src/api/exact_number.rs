//! Finds numbers that a 64-bit type would change. The body's values are built in a tree with 64-bit
//! numbers (RFC 8259, section 6, leaves the width to each program), which must not alter an
//! identifier of twenty digits.

use serde_json::Number;

/// Returns the first number in `json`, a valid JSON text, that no 64-bit integer or double holds
/// exactly.
pub fn inexact(json: &str) -> Option<&str> {
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
                    .count();
                let literal = &json[at..at + length];
                let held = literal.parse::<Number>().ok().map(|number| decimal(&number.to_string()));
                if held != Some(decimal(literal)) {
                    return Some(literal);
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    None
}

/// Returns the end of the string that opens at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Returns sign, digits without zeros at either end, and the power of ten of the last digit. Equal
/// values have equal results, however they are written.
fn decimal(literal: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let significant = kept.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let dropped = i64::try_from(digits.len() - kept.len()).ok()?;
    let last = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
    Some((negative, significant.to_owned(), last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_held_as_they_are_written_pass() {
        for exact in [
            "0",
            "-0",
            "0.0",
            "7",
            "-12",
            "18446744073709551615",
            "-9223372036854775808",
            "1.5",
            "1.50",
            "0.1",
            "1e3",
            "1E+3",
            "12.5e-3",
            "100000000000000000000",
            "1e22",
            "1e300",
            "[1, 2.25, {\"a\": 3}]",
            "\"98765432109876543210987\"",
            r#"{"12345678901234567891234\"1234567890123456789123": 1}"#,
            "true",
            "null",
            "[]",
            "\"\\\\\"",
        ] {
            serde_json::from_str::<serde_json::Value>(exact).unwrap();
            assert_eq!(inexact(exact), None, "{exact}");
        }
    }

    #[test]
    fn a_number_that_would_be_another_one_is_found() {
        for (json, number) in [
            ("18446744073709551617", "18446744073709551617"),
            ("-9223372036854775809", "-9223372036854775809"),
            ("0.1000000000000000055511", "0.1000000000000000055511"),
            ("3.14159265358979323846", "3.14159265358979323846"),
            (r#"{"id": ["12345678901234567891", 12345678901234567890123]}"#, "12345678901234567890123"),
            (r#"{"a\"": 1, "b": 100000000000000000001.5}"#, "100000000000000000001.5"),
            ("1e-400", "1e-400"),
        ] {
            serde_json::from_str::<serde_json::Value>(json).unwrap();
            assert_eq!(inexact(json), Some(number), "{json}");
        }
    }
}
