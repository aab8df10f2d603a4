//! The people and things that the practice APIs know: any number of them, made from their number alone.

use serde_json::{Value, json};

const FIRST: [&str; 10] = ["Ada", "Ben", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jan"];
const LAST: [&str; 11] =
    ["Adler", "Brandt", "Castro", "Duval", "Eriksen", "Fischer", "Gómez", "Haddad", "Ito", "Jensen", "Kowalska"];

/// The account that the sign-in page fills in.
pub const PRACTICE_ACCOUNT: &str = "alice@example.test";

/// When everything here was made.
pub const CREATED: &str = "2024-01-15T09:30:00Z";

/// A person in the practice APIs' lists.
pub struct Person {
    pub first: &'static str,
    pub last: &'static str,
    pub email: String,
}

/// The person of a number from 1 up.
pub fn person(number: u64) -> Person {
    let index = number.wrapping_sub(1) as usize;
    let (first, last) = (FIRST[index % FIRST.len()], LAST[index % LAST.len()]);
    Person { first, last, email: format!("contact.{number}@example.test") }
}

/// The number in an e-mail address of ours, if there is such a person among `count`.
pub fn number_of(email: &str, count: u64) -> Option<u64> {
    let digits = email.to_ascii_lowercase();
    let number = digits.strip_prefix("contact.")?.strip_suffix("@example.test")?.parse().ok()?;
    (1..=count).contains(&number).then_some(number)
}

/// One page of `count` things, by how many come before it.
pub fn window(before: u64, length: u64, count: u64) -> impl Iterator<Item = u64> {
    before.saturating_add(1)..=before.saturating_add(length).min(count)
}

/// Only the members named, where any are.
pub fn only(value: Value, fields: Option<&str>) -> Value {
    let Some(fields) = fields else { return value };
    let fields: Vec<&str> = fields.split(',').map(str::trim).collect();
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().filter(|(name, _)| fields.contains(&name.as_str())).collect())
        }
        other => other,
    }
}

/// The things of the practice server's own API.
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
