//! The two parts of a record, as JSON: what its readers see, and the whole, with the lease, for
//! those who may renew it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::Secret;
use crate::store::Lease;
use crate::stored;

/// The members of a record that its readers see; any other is kept from them.
const SHOWN: [&str; 18] = [
    "oauthctl",
    "generation",
    "provider",
    "client_id",
    "grant",
    "asked",
    "login_at",
    "vars",
    "account",
    "machine",
    "bound",
    "asked_with",
    "secret_from",
    "secret_not_kept",
    "ended",
    "moved_to",
    "renewed_by",
    "metadata",
];

/// The members of its token set that they see.
const SHOWN_OF_TOKEN: [&str; 6] =
    ["access_token", "token_type", "received_at", "expires_at", "refresh_expires_at", "scopes"];

/// The part for those who may renew the token: the record itself.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Whole {
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "stored::expose_some")]
    pub record: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// How often this record's refresh token was sent without an answer.
    pub sent: u8,
}

/// The part for readers. The token and its end are members of their own, for other programs.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "stored::expose_some")]
    pub record: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "stored::expose_some")]
    pub access_token: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// The version of the whole that this was made from.
    pub of: u64,
}

pub fn json(part: &impl Serialize) -> Secret {
    Secret::unlisted(serde_json::to_string(part).expect("every name is a text"))
}

impl Shown {
    /// What readers see of a record. A text that is no record shows nothing.
    pub fn of(record: &Secret, of: u64) -> Shown {
        let Ok(Value::Object(mut members)) = serde_json::from_str(record.expose()) else {
            return Shown { of, ..Shown::default() };
        };
        let mut token = members.remove("token");
        let mut withheld = keep_only(&mut members, &SHOWN);
        let set = token.as_mut().and_then(Value::as_object_mut);
        let (mut access_token, mut expires_at) = (None, None);
        if let Some(set) = set {
            withheld.extend(keep_only(set, &SHOWN_OF_TOKEN));
            access_token = set.get("access_token").and_then(Value::as_str).map(Secret::unlisted);
            expires_at = set.get("expires_at").and_then(Value::as_i64);
        }
        members.extend(token.map(|token| ("token".to_owned(), token)));
        members.insert("withheld".to_owned(), withheld.into());
        Shown { record: Some(Secret::unlisted(Value::Object(members).to_string())), access_token, expires_at, of }
    }
}

/// Removes the other members. Returns the names of those that said something.
fn keep_only(members: &mut Map<String, Value>, names: &[&str]) -> Vec<String> {
    let (kept, others): (Map<_, _>, Map<_, _>) =
        std::mem::take(members).into_iter().partition(|(name, _)| names.contains(&name.as_str()));
    *members = kept;
    others.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn readers_see_no_other_secret_than_the_access_token_and_the_names_of_the_rest() {
        let record = json!({
            "oauthctl": 1, "client_id": "app", "client_secret": "the-app's-secret", "dpop_key": null, "later": "unknown",
            "token": { "access_token": "the-access-token", "refresh_token": "the-refresh-token", "expires_at": 9, "id_token": null },
        });
        let shown = Shown::of(&Secret::unlisted(record.to_string()), 3);
        let seen: Value = serde_json::from_str(shown.record.unwrap().expose()).unwrap();
        assert_eq!(
            seen,
            json!({
                "oauthctl": 1, "client_id": "app", "token": { "access_token": "the-access-token", "expires_at": 9 },
                "withheld": ["client_secret", "later", "refresh_token"],
            })
        );
        assert_eq!((shown.access_token, shown.expires_at, shown.of), (Some("the-access-token".into()), Some(9), 3));
    }
}
