//! The record of a profile: the token set, the login that obtained it, and the facts that a later
//! run needs. Stores keep it as one JSON object.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::config::GrantKind;
use crate::config::words::word;
use crate::grant::jwks::KeptKeys;
use crate::protocol::client::Client;
use crate::protocol::registration::Management;
use crate::provider::Provider;
use crate::secret::{Secret, hash};
use crate::session::bound::Bound;
use crate::session::variant::{Beside, Variant};
use crate::store::LONGEST_RECORD;
use crate::stored::{self, Members};
use crate::token::TokenSet;

/// The version of the form. A record with a higher one was written by a newer program and stays as
/// it is.
const VERSION: u64 = 1;

#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Goes up by one with each new token set: tells a newer record from an older one.
    pub generation: u64,
    pub provider: Option<String>,
    pub client_id: Option<String>,
    /// Stored here by default; it stays when the tokens go.
    #[serde(serialize_with = "stored::expose_some")]
    pub client_secret: Option<Secret>,
    /// What `client_secret` replaces, until the server has taken that.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "stored::expose_some")]
    pub earlier_client_secret: Option<Secret>,
    /// The login used a secret of the environment, which stays there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret_not_kept: bool,
    /// The place of the login's client secret, in words. `None`: the login was made without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_from: Option<String>,
    #[serde(with = "word")]
    pub grant: Option<GrantKind>,
    /// The requested scopes.
    #[serde(deserialize_with = "asked", skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// When the user signed in, in Unix seconds: rotated refresh tokens often keep the first one's
    /// lifetime.
    pub login_at: Option<i64>,
    /// The provider's variables learnt at login (`from = "callback"`, `"token"`).
    #[serde(deserialize_with = "stored::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, String>,
    /// The provider's secret variables that the user entered; they stay when the tokens go.
    #[serde(deserialize_with = "stored::map", skip_serializing_if = "BTreeMap::is_empty")]
    #[serde(serialize_with = "stored::expose_map")]
    pub secret_vars: BTreeMap<String, Secret>,
    pub account: Option<String>,
    /// The key of the journal: 32 bytes in base64.
    #[serde(serialize_with = "stored::expose_some")]
    pub journal_key: Option<Secret>,
    /// The machine that made the record, as a fingerprint (T-71).
    pub machine: Option<String>,
    pub token: Option<TokenSet>,
    /// The server's metadata document at login.
    pub metadata: Option<Kept>,
    /// The server's public keys.
    pub keys: Option<KeptKeys>,
    /// The private key that the token is bound to (RFC 9449). In one record with the token, the two
    /// can only be lost together.
    #[serde(serialize_with = "stored::expose_some")]
    pub dpop_key: Option<Secret>,
    /// The newest nonce of each server, by origin.
    #[serde(deserialize_with = "stored::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub dpop_nonces: BTreeMap<String, String>,
    /// Access to this client's registration (RFC 7592).
    pub registration: Option<Management>,
    /// The client was registered from here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// The input for a login that is not finished.
    pub unfinished: Option<Unfinished>,
    /// Where the tokens may go. `None`: an older version made the record. One that can't be read
    /// binds to nowhere.
    #[serde(deserialize_with = "bound")]
    pub bound: Option<Bound>,
    /// Where the client secret may go.
    #[serde(deserialize_with = "bound")]
    pub secret_bound: Option<Bound>,
    /// The rest of the token request beside the scopes: by the keys of the configuration, inputs by
    /// fingerprint. `None`: an older version made the record.
    #[serde(deserialize_with = "asked_with")]
    pub asked_with: Option<BTreeMap<String, String>>,
    /// A change of the profile's name that is under way.
    pub renaming: Option<Renaming>,
    /// A request for a registration that is under way.
    pub registering: Option<Registering>,
    /// Why the provider ended the login.
    pub ended: Option<String>,
    /// Who got the login by `export --to`, and renews it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// The refresh token of another program's that became this login, as a hash: it may be spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<String>,
    /// Who got the token, on which machine, where several share the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed_by: Option<String>,
    /// The tokens of logouts that the provider did not revoke yet: only another logout uses them.
    #[serde(deserialize_with = "stored::one_or_list", skip_serializing_if = "Vec::is_empty")]
    pub unrevoked: Vec<TokenSet>,
    /// The login's further tokens, the newest last.
    #[serde(deserialize_with = "variants", skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Beside>,
    /// The names of the members that the store keeps from this job, which may only read the token.
    /// `None`: this is the whole record.
    #[serde(deserialize_with = "withheld", skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Vec<String>>,
}

/// The most further tokens that a record keeps.
const MOST_VARIANTS: usize = 8;

fn asked<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    stored::list(from).map(Option::unwrap_or_default)
}

fn variants<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Beside>, D::Error> {
    stored::list(from).map(Option::unwrap_or_default)
}

fn withheld<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    stored::list(from)
}

fn bound<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bound>, D::Error> {
    stored::fitting(from).map(Some)
}

fn asked_with<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    stored::map(from).map(Some)
}

/// The user's input for a login that did not finish; the next login offers it. The client's id and
/// secret go only to the address that they were typed for, and only `login` uses them.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Unfinished {
    pub provider: String,
    /// The provider's environment.
    #[serde(default, deserialize_with = "stored::fitting")]
    pub environment: Option<String>,
    /// The provider's variables.
    #[serde(default, deserialize_with = "stored::map")]
    pub vars: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "stored::fitting")]
    pub client_id: Option<String>,
    #[serde(default, deserialize_with = "stored::fitting", serialize_with = "stored::expose_some")]
    pub client_secret: Option<Secret>,
    /// The endpoint that the client's id and secret are for.
    #[serde(default, deserialize_with = "stored::fitting")]
    pub endpoint: Option<String>,
    /// The server said that the id or the secret is wrong.
    #[serde(default, deserialize_with = "stored::fitting")]
    pub refused: bool,
    /// The grant of a guided login.
    #[serde(default, deserialize_with = "stored::fitting", skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The chosen scopes, or names of presets.
    #[serde(default, deserialize_with = "stored::list", skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// A metadata document and when it expires, in Unix seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub issuer: String,
    pub until: i64,
    pub document: Value,
}

/// A profile's change of name: which name gives way to which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renaming {
    pub from: String,
    pub to: String,
}

/// A registration whose response is not stored yet: the rest of what the response will change.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Registering {
    /// Where the secret of a new client may go. `None`: the client is registered already.
    pub bound: Option<Bound>,
    /// The new client's profile: keys of the configuration, and their values as TOML.
    pub changes: Vec<(String, String)>,
}

/// The end of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub at: i64,
    /// The whole life of the login, in seconds.
    pub life: i64,
    /// A refresh puts the end off.
    pub unused: bool,
}

impl End {
    /// Whether less than a tenth of the life is left.
    pub fn is_near(&self, now: i64) -> bool {
        (self.at - now).saturating_mul(10) < self.life
    }
}

impl Record {
    /// Returns a name for the login that brought the token; another login has another one. A token
    /// from outside is one itself.
    pub fn login(&self) -> String {
        let key = match (&self.login_at, &self.token) {
            (None, Some(set)) => Some(&set.access_token),
            _ => self.journal_key.as_ref(),
        };
        let key = key.map(|key| hash(key.expose().as_bytes()));
        hash(format!("{:?}", (&self.provider, &self.client_id, &self.account, self.login_at, key)).as_bytes())
    }

    /// The end of the login, as far as the provider names it: no refresh token is valid after it.
    pub fn ends(&self, provider: &Provider) -> Option<End> {
        self.all_ends(provider).into_iter().next()
    }

    /// Each end that the provider names: of its age, of its disuse, of this refresh token. The
    /// nearest comes first.
    pub fn all_ends(&self, provider: &Provider) -> Vec<End> {
        let Some(set) = self.token.as_ref().filter(|_| self.is_refreshable(provider)) else { return Vec::new() };
        let end = |from: i64, life: i64, unused: bool| End { at: from.saturating_add(life), life, unused };
        let idle = provider.refresh.max_idle_s.map(|life| end(set.received_at, life, true));
        let age = provider.refresh.max_age_s.zip(self.login_at).map(|(life, at)| end(at, life, false));
        let said = set.refresh_expires_at.map(|at| end(set.received_at, at - set.received_at, false));
        let mut ends: Vec<End> = [idle, age, said].into_iter().flatten().collect();
        ends.sort_by_key(|end| end.at);
        ends
    }

    /// Whether it has what the provider refreshes a token by, for this job or for another.
    pub fn is_refreshable(&self, provider: &Provider) -> bool {
        let own = self.token.as_ref().is_some_and(|set| crate::grant::refresh::spendable(provider, set).is_some());
        own || provider.refresh.supported && self.withholds("refresh_token")
    }

    /// Whether the record has this member, and keeps it from this job.
    pub fn withholds(&self, name: &str) -> bool {
        self.withheld.iter().flatten().any(|withheld| withheld == name)
    }

    /// Whether the server refused the client that was registered from here: it has forgotten it.
    pub fn is_forgotten(&self, client_id: &str) -> bool {
        let refused = self.unfinished.as_ref().filter(|kept| kept.refused);
        self.registered && refused.and_then(|kept| kept.client_id.as_deref()) == Some(client_id)
    }

    /// The earlier client secret, unless the server took the present one.
    pub fn earlier_secret(&self, client: &Client) -> Option<Secret> {
        self.earlier_client_secret.clone().filter(|_| !client.has_proved_its_secret())
    }

    /// Whether it holds the user's input or a registration: then it stays when the tokens go.
    pub fn outlives_its_tokens(&self) -> bool {
        self.client_secret.is_some()
            || self.registration.is_some()
            || !self.secret_vars.is_empty()
            || !self.unrevoked.is_empty()
    }

    /// The record without the input of an unfinished login. `None`: it has nothing else.
    pub fn without_input(self) -> Option<Record> {
        Some(Record { unfinished: None, ..self }).filter(|rest| *rest != Record::default())
    }

    /// The login's token for this; none without a login.
    pub fn beside(&self, variant: &Variant) -> Option<&TokenSet> {
        self.token.as_ref()?;
        self.variants.iter().find(|beside| beside.variant == *variant).map(|beside| &beside.token)
    }

    /// Keeps a token beside the main one, in the place of the earlier one, of those that have
    /// expired, and of the oldest.
    pub fn keep_beside(&mut self, variant: Variant, token: TokenSet, now: i64) {
        let all = &mut self.variants;
        all.retain(|beside| beside.variant != variant && beside.token.expires_at.is_none_or(|at| at > now));
        all.push(Beside { variant, token });
        all.drain(..all.len().saturating_sub(MOST_VARIANTS));
    }

    /// Removes members that later runs can do without, the largest first, until the record is short
    /// enough for a store. Returns the names of the removed ones.
    pub fn shorten(&mut self) -> Vec<String> {
        let mut gone = Vec::new();
        while self.to_json().expose().len() > LONGEST_RECORD {
            if !self.variants.is_empty() {
                self.variants.remove(0);
                gone.push("variants".to_owned());
                continue;
            }
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

    /// The record as stores keep it.
    pub fn to_json(&self) -> Secret {
        stored::write(self, VERSION).expect("every name is a text")
    }

    /// Whether a text that [`Record::from_json`] can't read is a record of a newer version.
    pub fn is_newer(text: &Secret) -> bool {
        let version = Members::of(text.expose()).and_then(|members| members.get::<u64>("oauthctl")?);
        version.is_some_and(|version| version > VERSION)
    }

    /// Reads the form of [`Record::to_json`].
    pub fn from_json(text: &Secret) -> Option<Record> {
        let members = Members::of(text.expose())?;
        // the environment's record has no version: it is made on the spot
        let is_known = members.get::<u64>("oauthctl").unwrap_or(Some(0))? <= VERSION;
        let has_tokens = members.0.contains_key("token");
        let record: Record = members.read()?;
        (is_known && record.token.is_some() == has_tokens).then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn full() -> Record {
        Record {
            generation: 3,
            provider: Some("getresponse".into()),
            client_id: Some("id".into()),
            client_secret: Some("s3cret-value".into()),
            earlier_client_secret: Some("s3cret-before".into()),
            secret_not_kept: true,
            secret_from: Some("the variable X".into()),
            renewed_by: Some("ci@builder".into()),
            grant: Some(GrantKind::AuthorizationCode),
            asked: vec!["a".into()],
            login_at: Some(7),
            vars: BTreeMap::from([("domain".to_owned(), "x.example".to_owned())]),
            secret_vars: BTreeMap::from([("pin".to_owned(), "s3cret-pin".into())]),
            account: Some("me".into()),
            journal_key: Some("a2V5a2V5a2V5".into()),
            machine: Some("sha256:00".into()),
            token: Some(TokenSet {
                refresh_token: Some("refresh-1".into()),
                expires_at: Some(3605),
                refresh_expires_at: Some(9005),
                scopes: Some(vec!["a".into()]),
                id_token: Some("e30.e30.e30".into()),
                extra: serde_json::from_value(json!({ "user_id": 7 })).unwrap(),
                ..TokenSet::new("access-1".into(), "Bearer", 5)
            }),
            dpop_key: Some("a2V5a2V5a2V5a2V5".into()),
            dpop_nonces: BTreeMap::from([("https://as.example".to_owned(), "n-1".to_owned())]),
            metadata: Some(Kept {
                issuer: "https://as.example".into(),
                until: 9,
                document: json!({ "issuer": "https://as.example" }),
            }),
            keys: Some(KeptKeys { uri: "https://as.example/jwks".into(), until: 9, set: json!({ "keys": [] }) }),
            registered: true,
            registration: Some(Management { uri: "https://as.example/reg/1".into(), token: "t0ken-value".into() }),
            unfinished: Some(Unfinished {
                provider: "getresponse".into(),
                environment: Some("max".into()),
                vars: BTreeMap::from([("domain".to_owned(), "y.example".to_owned())]),
                client_id: Some("another".into()),
                client_secret: Some("s3cret-of-another".into()),
                endpoint: Some("https://as.example/token".into()),
                refused: true,
                grant: Some("device-code".to_owned()),
                scopes: Some(vec!["read".to_owned()]),
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
            registering: Some(Registering {
                bound: Some(Bound::default()),
                changes: vec![("port".to_owned(), "8976".to_owned())],
            }),
            moved_to: Some("age1x".into()),
            imported: Some("0123".into()),
            withheld: Some(vec!["refresh_token".into()]),
            ended: Some("the server answered `invalid_grant`".into()),
            unrevoked: vec![TokenSet::new("access-3".into(), "Bearer", 4)],
            variants: vec![Beside {
                variant: Variant { scopes: vec!["a".into()], ..Variant::default() },
                token: TokenSet { expires_at: Some(99), ..TokenSet::new("access-2".into(), "Bearer", 6) },
            }],
        }
    }

    fn read(value: &Value) -> Option<Record> {
        Record::from_json(&Secret::unlisted(value.to_string()))
    }

    #[test]
    fn a_record_reads_back_and_a_newer_form_is_left_alone() {
        assert_eq!(Record::from_json(&full().to_json()), Some(full()));
        assert_eq!(read(&json!({ "oauthctl": 2 })), None);
        assert!(Record::is_newer(&r#"{"oauthctl":2}"#.into()));
        assert!(!Record::is_newer(&r#"{"oauthctl":1}"#.into()) && !Record::is_newer(&"x".into()));
        assert_eq!(Record::from_json(&"{".into()), None);
        assert_eq!(read(&json!({})), Some(Record::default()), "the environment's has no version");
        assert_eq!(read(&json!({ "oauthctl": 1, "later": { "token": 7 } })), Some(Record::default()));
    }

    #[test]
    fn a_member_of_another_form_costs_only_itself() {
        let whole: Value = serde_json::from_str(full().to_json().expose()).unwrap();
        let names = |at: &str| whole.pointer(at).unwrap().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        for (above, name) in
            ["", "/token", "/unfinished"].into_iter().flat_map(|at| names(at).into_iter().map(move |n| (at, n)))
        {
            let with = |value: Option<Value>| {
                let mut changed = whole.clone();
                let members = changed.pointer_mut(above).unwrap().as_object_mut().unwrap();
                let was = members.remove(&name).unwrap();
                let other = if was.is_string() { json!(7) } else { json!("x") };
                members.extend(value.map(|value| (name.clone(), if value == "other" { other } else { value })));
                read(&changed)
            };
            let expected = match format!("{above}/{name}").as_str() {
                "/oauthctl" | "/token" | "/token/access_token" | "/token/token_type" | "/token/received_at" => None,
                "/bound" => Some(Record { bound: Some(Bound::default()), ..full() }),
                "/secret_bound" => Some(Record { secret_bound: Some(Bound::default()), ..full() }),
                "/asked_with" => Some(Record { asked_with: Some(BTreeMap::new()), ..full() }),
                _ => Some(with(None).unwrap()),
            };
            for wrong in [json!("other"), json!(null), json!(1.5)] {
                assert_eq!(with(Some(wrong.clone())), expected, "{above}/{name}: {wrong}");
            }
        }
        let mixed = json!({ "asked": ["a", 7], "vars": { "a": 7, "b": "c" }, "secret_vars": { "a": null } });
        let kept = Record { asked: vec!["a".into()], vars: [("b".into(), "c".into())].into(), ..Record::default() };
        assert_eq!(read(&mixed), Some(kept));
        // a binding always says its environment
        let bound = json!({ "bound": { "provider": "getresponse", "vars": {}, "places": {} } });
        assert_eq!(read(&bound).unwrap().bound, Some(Bound::default()));
    }
}
