//! The people and objects in the practice APIs, in any number. Each is derived from its number.

use serde_json::{Value, json};

const FIRST: [&str; 10] = ["Ada", "Ben", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jan"];
const LAST: [&str; 11] =
    ["Adler", "Brandt", "Castro", "Duval", "Eriksen", "Fischer", "Gómez", "Haddad", "Ito", "Jensen", "Kowalska"];

/// The account that the sign-in page fills in.
pub const PRACTICE_ACCOUNT: &str = "alice@example.test";

/// The creation time of all objects.
pub const CREATED: &str = "2024-01-15T09:30:00Z";

/// A person in the lists of the practice APIs.
pub struct Person {
    pub first: &'static str,
    pub last: &'static str,
    pub email: String,
}

/// Returns the person with this number, from 1 up.
pub fn person(number: u64) -> Person {
    let index = number.wrapping_sub(1) as usize;
    let (first, last) = (FIRST[index % FIRST.len()], LAST[index % LAST.len()]);
    Person { first, last, email: format!("contact.{number}@example.test") }
}

/// Returns the number in a practice e-mail address, if it is at most `count`.
pub fn number_of(email: &str, count: u64) -> Option<u64> {
    let digits = email.to_ascii_lowercase();
    let number = digits.strip_prefix("contact.")?.strip_suffix("@example.test")?.parse().ok()?;
    (1..=count).contains(&number).then_some(number)
}

/// Returns the numbers on one page of `count` objects, after the first `before`.
pub fn window(before: u64, length: u64, count: u64) -> impl Iterator<Item = u64> {
    before.saturating_add(1)..=before.saturating_add(length).min(count)
}

/// Reduces an object to the named members. `None`: keeps all.
pub fn only(mut value: Value, fields: Option<&str>) -> Value {
    if let (Some(fields), Value::Object(members)) = (fields, &mut value) {
        members.retain(|name, _| fields.split(',').any(|field| field.trim() == name));
    }
    value
}

/// Returns an item of the practice server's own API.
pub fn item(number: u64) -> Value {
    json!({ "id": number, "name": format!("item {number}"), "owner": person(number).email, "created": CREATED })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_there_is_and_no_more() {
        assert_eq!(window(0, 3, 5).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(window(3, 3, 5).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(window(6, 3, 5).count(), 0);
        assert_eq!(window(u64::MAX, u64::MAX, 5).count(), 0);
    }

    #[test]
    fn a_person_is_found_by_e_mail() {
        assert_eq!(number_of(&person(17).email, 20), Some(17));
        assert_eq!(number_of(&person(21).email, 20), None);
        assert_eq!(number_of("alice@example.test", 20), None);
    }
}
