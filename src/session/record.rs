//! What is kept for one profile, as one JSON object: the token set, who it belongs to, and what a
//! later run must know.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::config::GrantKind;
use crate::grant::keys::KeptKeys;
use crate::protocol::registration::Management;
use crate::secret::{Secret, WipedJson};
use crate::session::bound::Bound;
use crate::session::renaming::Renaming;
use crate::store::LONGEST_RECORD;
use crate::token::TokenSet;

/// The form's version; a higher one was written by a newer program and is not touched.
const VERSION: u64 = 1;

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Record {
    /// Goes up by one with each new token set: tells a newer record from an older one.
    pub generation: u64,
    pub provider: Option<String>,
    pub client_id: Option<String>,
    /// Kept here by default; it stays when the tokens go.
    pub client_secret: Option<Secret>,
    /// The login was made with a secret of the environment, which stays there.
    pub secret_not_kept: bool,
    pub grant: Option<GrantKind>,
    /// The scopes asked for.
    pub asked: Vec<String>,
    /// When the person signed in, Unix seconds: rotated refresh tokens often keep the first one's
    /// lifetime.
    pub login_at: Option<i64>,
    /// The provider's variables learnt at login (`from = "callback"`, `"token"`).
    pub vars: BTreeMap<String, String>,
    /// The provider's variables that a person entered and that are secret; they stay when the
    /// tokens go.
    pub secret_vars: BTreeMap<String, Secret>,
    pub account: Option<String>,
    /// Seals the journal (32 bytes in base64).
    pub journal_key: Option<Secret>,
    /// Which machine the record was made on, as a fingerprint (T-71).
    pub machine: Option<String>,
    pub token: Option<TokenSet>,
    /// The server's document that the login went by.
    pub metadata: Option<Kept>,
    /// The server's public keys.
    pub keys: Option<KeptKeys>,
    /// The private key that the token is bound to (RFC 9449), in one record with it: who loses the
    /// one has lost the other.
    pub dpop_key: Option<Secret>,
    /// Origin of a server → the newest nonce it gave.
    pub dpop_nonces: BTreeMap<String, String>,
    /// With what this client's registration is managed (RFC 7592).
    pub registration: Option<Management>,
    /// What was typed for a login that is not finished.
    pub unfinished: Option<Unfinished>,
    /// Where the tokens may go; `None`: an older version made the record.
    pub bound: Option<Bound>,
    /// Where the client secret may go.
    pub secret_bound: Option<Bound>,
    /// What else than scopes the token was asked with: by the keys of the configuration, inputs by
    /// fingerprint. `None`: an older version made the record.
    pub asked_with: Option<BTreeMap<String, String>>,
    /// A change of the profile's name that is under way.
    pub renaming: Option<Renaming>,
}

/// What a person typed for a login that did not come to its end, and is offered at the next one.
/// The client's id and secret go nowhere but to the address that they were typed for, and nothing
/// but `login` ever uses them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Unfinished {
    /// Of which provider, and of which environment of it.
    pub provider: String,
    pub environment: Option<String>,
    /// The provider's variables.
    pub vars: BTreeMap<String, String>,
    pub client_id: Option<String>,
    pub client_secret: Option<Secret>,
    /// The endpoint that the client's id and secret are for.
    pub endpoint: Option<String>,
    /// The server said that id or secret are wrong.
    pub refused: bool,
}

impl Unfinished {
    fn to_value(&self) -> Value {
        json!({
            "provider": self.provider, "environment": self.environment, "vars": self.vars, "client_id": self.client_id,
            "client_secret": self.client_secret.as_ref().map(Secret::expose), "endpoint": self.endpoint,
            "refused": self.refused,
        })
    }

    fn from_value(value: &Value) -> Option<Unfinished> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Unfinished {
            provider: text("provider")?,
            environment: text("environment"),
            vars: texts(value, "vars"),
            client_id: text("client_id"),
            client_secret: text("client_secret").map(Secret::new),
            endpoint: text("endpoint"),
            refused: value.get("refused").and_then(Value::as_bool).unwrap_or(false),
        })
    }
}

fn texts(value: &Value, name: &str) -> BTreeMap<String, String> {
    let members = value.get(name).and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(n, v)| Some((n.clone(), v.as_str()?.to_owned()))).collect()
}

/// A discovery document, and until when (Unix seconds) it needn't be fetched again.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub issuer: String,
    pub until: i64,
    pub document: Value,
}

impl Record {
    /// Whether it holds what a person entered, or a registration: it stays when the tokens go.
    pub fn outlives_its_tokens(&self) -> bool {
        self.client_secret.is_some() || self.registration.is_some() || !self.secret_vars.is_empty()
    }

    /// Leaves out what no later run needs, the largest first, until it is no longer than a store
    /// takes; the names of what went.
    pub fn shorten(&mut self) -> Vec<String> {
        let mut gone = Vec::new();
        while self.to_json().expose().len() > LONGEST_RECORD {
            let members = self.token.iter().flat_map(|set| &set.extra);
            let largest = members.max_by_key(|(_, value)| value.to_string().len()).map(|(name, _)| name.clone());
            let name = match (largest, &mut self.token) {
                (Some(name), Some(set)) => {
                    set.extra.remove(&name);
                    name
                }
                (_, Some(set)) if set.id_token.is_some() => {
                    set.id_token = None;
                    "id_token".to_owned()
                }
                _ if self.metadata.take().is_some() => "metadata".to_owned(),
                _ if self.keys.take().is_some() => "keys".to_owned(),
                _ => break,
            };
            gone.push(name);
        }
        gone
    }

    pub fn to_json(&self) -> Secret {
        let mut map = Map::new();
        map.insert("oauthctl".into(), VERSION.into());
        map.insert("generation".into(), self.generation.into());
        let mut text = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                map.insert(name.into(), value.into());
            }
        };
        text("provider", self.provider.as_deref());
        text("client_id", self.client_id.as_deref());
        text("client_secret", self.client_secret.as_ref().map(Secret::expose));
        text("grant", self.grant.map(GrantKind::name));
        text("account", self.account.as_deref());
        text("journal_key", self.journal_key.as_ref().map(Secret::expose));
        text("machine", self.machine.as_deref());
        text("dpop_key", self.dpop_key.as_ref().map(Secret::expose));
        if !self.asked.is_empty() {
            map.insert("asked".into(), self.asked.clone().into());
        }
        if let Some(at) = self.login_at {
            map.insert("login_at".into(), at.into());
        }
        if self.secret_not_kept {
            map.insert("secret_not_kept".into(), true.into());
        }
        if !self.vars.is_empty() {
            map.insert("vars".into(), json!(self.vars));
        }
        if !self.secret_vars.is_empty() {
            let shown: BTreeMap<&String, &str> = self.secret_vars.iter().map(|(n, v)| (n, v.expose())).collect();
            map.insert("secret_vars".into(), json!(shown));
        }
        if !self.dpop_nonces.is_empty() {
            map.insert("dpop_nonces".into(), json!(self.dpop_nonces));
        }
        if let Some(kept) = &self.metadata {
            map.insert(
                "metadata".into(),
                json!({ "issuer": kept.issuer, "until": kept.until, "document": kept.document }),
            );
        }
        if let Some(keys) = &self.keys {
            map.insert("keys".into(), json!({ "uri": keys.uri, "until": keys.until, "set": keys.set }));
        }
        if let Some(Management { uri, token }) = &self.registration {
            map.insert("registration".into(), json!({ "uri": uri, "token": token.expose() }));
        }
        if let Some(unfinished) = &self.unfinished {
            map.insert("unfinished".into(), unfinished.to_value());
        }
        for (name, bound) in [("bound", &self.bound), ("secret_bound", &self.secret_bound)] {
            if let Some(bound) = bound {
                map.insert(name.into(), bound.to_value());
            }
        }
        if let Some(with) = &self.asked_with {
            map.insert("asked_with".into(), json!(with));
        }
        if let Some(renaming) = &self.renaming {
            map.insert("renaming".into(), renaming.to_value());
        }
        if let Some(token) = &self.token {
            map.insert("token".into(), token.to_json());
        }
        Secret::unlisted(WipedJson(Value::Object(map)).to_string())
    }

    /// Whether a text that [`Record::from_json`] won't read is a record of a version to come.
    pub fn is_newer(text: &Secret) -> bool {
        let value = serde_json::from_str(text.expose()).map(WipedJson).ok();
        value.and_then(|v| v.get("oauthctl").and_then(Value::as_u64)).is_some_and(|version| version > VERSION)
    }

    pub fn from_json(text: &Secret) -> Option<Record> {
        let value = WipedJson(serde_json::from_str(text.expose()).ok()?);
        // the environment's record has no version: it is made on the spot
        if value.get("oauthctl").map_or(Some(0), Value::as_u64)? > VERSION {
            return None;
        }
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let token = match value.get("token") {
            None => None,
            Some(token) => Some(TokenSet::from_json(token)?),
        };
        Some(Record {
            generation: value.get("generation").and_then(Value::as_u64).unwrap_or(0),
            provider: text("provider"),
            client_id: text("client_id"),
            client_secret: text("client_secret").map(Secret::new),
            secret_not_kept: value.get("secret_not_kept").and_then(Value::as_bool).unwrap_or(false),
            grant: text("grant").and_then(|g| GrantKind::from_name(&g)),
            asked: value
                .get("asked")
                .and_then(Value::as_array)
                .map(|l| l.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
            login_at: value.get("login_at").and_then(Value::as_i64),
            vars: texts(&value, "vars"),
            secret_vars: texts(&value, "secret_vars").into_iter().map(|(n, v)| (n, v.into())).collect(),
            account: text("account"),
            journal_key: text("journal_key").map(Secret::new),
            machine: text("machine"),
            dpop_key: text("dpop_key").map(Secret::new),
            dpop_nonces: texts(&value, "dpop_nonces"),
            token,
            metadata: value.get("metadata").and_then(|m| {
                Some(Kept {
                    issuer: m.get("issuer")?.as_str()?.to_owned(),
                    until: m.get("until")?.as_i64()?,
                    document: m.get("document")?.clone(),
                })
            }),
            keys: value.get("keys").and_then(|k| {
                Some(KeptKeys {
                    uri: k.get("uri")?.as_str()?.to_owned(),
                    until: k.get("until")?.as_i64()?,
                    set: k.get("set")?.clone(),
                })
            }),
            unfinished: value.get("unfinished").and_then(Unfinished::from_value),
            // one that can't be read binds to nowhere
            bound: value.get("bound").map(|b| Bound::from_value(b).unwrap_or_default()),
            secret_bound: value.get("secret_bound").map(|b| Bound::from_value(b).unwrap_or_default()),
            asked_with: value.get("asked_with").map(|_| texts(&value, "asked_with")),
            renaming: value.get("renaming").and_then(Renaming::from_value),
            registration: value.get("registration").and_then(|r| {
                Some(Management { uri: r.get("uri")?.as_str()?.to_owned(), token: r.get("token")?.as_str()?.into() })
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_record_reads_back_and_a_newer_form_is_left_alone() {
        let record = Record {
            generation: 3,
            provider: Some("getresponse".into()),
            client_id: Some("id".into()),
            client_secret: Some("s3cret-value".into()),
            secret_not_kept: true,
            grant: Some(GrantKind::AuthorizationCode),
            asked: vec!["a".into()],
            login_at: Some(7),
            vars: BTreeMap::from([("domain".to_owned(), "x.example".to_owned())]),
            secret_vars: BTreeMap::from([("pin".to_owned(), "s3cret-pin".into())]),
            account: Some("me".into()),
            journal_key: Some("a2V5a2V5a2V5".into()),
            machine: Some("sha256:00".into()),
            token: None,
            dpop_key: Some("a2V5a2V5a2V5a2V5".into()),
            dpop_nonces: BTreeMap::from([("https://as.example".to_owned(), "n-1".to_owned())]),
            metadata: Some(Kept {
                issuer: "https://as.example".into(),
                until: 9,
                document: json!({ "issuer": "https://as.example" }),
            }),
            keys: Some(KeptKeys { uri: "https://as.example/jwks".into(), until: 9, set: json!({ "keys": [] }) }),
            registration: Some(Management { uri: "https://as.example/reg/1".into(), token: "t0ken-value".into() }),
            unfinished: Some(Unfinished {
                provider: "getresponse".into(),
                environment: Some("max".into()),
                vars: BTreeMap::from([("domain".to_owned(), "y.example".to_owned())]),
                client_id: Some("another".into()),
                client_secret: Some("s3cret-of-another".into()),
                endpoint: Some("https://as.example/token".into()),
                refused: true,
            }),
            bound: Some(Bound {
                provider: "getresponse".into(),
                environment: Some("max".into()),
                vars: BTreeMap::from([("domain".to_owned(), "x.example".to_owned())]),
                described: Some("0123".into()),
                places: BTreeMap::from([(
                    "token.url".to_owned(),
                    BTreeSet::from(["https://as.example/token".to_owned()]),
                )]),
            }),
            secret_bound: Some(Bound { provider: "getresponse".into(), ..Bound::default() }),
            asked_with: Some(BTreeMap::from([("audience".to_owned(), "b".to_owned())])),
            renaming: Some(Renaming { from: "work".into(), to: "office".into() }),
        };
        assert_eq!(Record::from_json(&record.to_json()), Some(record));
        assert_eq!(Record::from_json(&Secret::from(r#"{"oauthctl":2}"#)), None);
        assert!(Record::is_newer(&Secret::from(r#"{"oauthctl":2}"#)));
        assert!(!Record::is_newer(&Secret::from(r#"{"oauthctl":1}"#)) && !Record::is_newer(&Secret::from("x")));
        assert_eq!(Record::from_json(&Secret::from(r#"{"oauthctl":1,"token":{"access_token":7}}"#)), None);
    }
}
