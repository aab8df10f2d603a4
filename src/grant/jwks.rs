//! A server's public keys: fetched from the server's own address for them, stored with the login,
//! and fetched again once if a token names another key (rotation). The request holds no secret and
//! follows no redirect.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::{Error, Kind};
use crate::grant::discover::refuse_own;
use crate::grant::{explain, send};
use crate::protocol::explain::checks;
use crate::protocol::jose::trust::{self, SignedError, Trust};
use crate::protocol::jose::{Header, JwkSet};
use crate::protocol::metadata;
use crate::text::safe;
use crate::wire::Request;
use crate::world::World;

/// A stored set of keys, and until when (Unix seconds) it needn't be fetched again.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KeptKeys {
    pub uri: String,
    pub until: i64,
    pub set: Value,
}

/// The keys for one command: the stored ones, or new ones, fetched at most twice.
#[derive(Clone, Debug)]
pub struct KeyRing {
    uri: Option<String>,
    kept: Option<KeptKeys>,
    /// Whether this command has fetched them.
    fetched: bool,
    /// Time for the whole fetch.
    pub timeout: Duration,
    /// `false`: only the stored keys may be used.
    pub may_fetch: bool,
    /// Whether they may be at an address of this network's own services.
    pub allow_private: bool,
    /// Why their address is unknown, if the server's metadata could not be fetched.
    pub unasked: Option<Error>,
}

/// Why a token could not be verified.
#[derive(Debug)]
pub enum Unverified {
    /// Its signature or its header is wrong.
    Wrong(SignedError),
    /// There are no keys.
    NoKeys(Error),
}

impl KeyRing {
    /// `uri`: the keys' address, if it is known.
    pub fn new(uri: Option<&str>, kept: Option<&KeptKeys>) -> KeyRing {
        KeyRing {
            uri: uri.map(str::to_owned),
            kept: kept.filter(|kept| Some(kept.uri.as_str()) == uri).cloned(),
            fetched: false,
            timeout: Duration::from_secs(10),
            may_fetch: true,
            allow_private: false,
            unasked: None,
        }
    }

    /// Whether the keys' address is known.
    pub fn is_known(&self) -> bool {
        self.uri.is_some()
    }

    /// The keys to store with the login.
    pub fn kept(&self) -> Option<&KeptKeys> {
        self.kept.as_ref()
    }

    /// Verifies a token and returns its claims. HS256 needs only the client secret.
    pub fn verify(
        &mut self,
        world: &mut World,
        token: &str,
        trust: &Trust<'_>,
    ) -> Result<(Header, Map<String, Value>), Unverified> {
        let announced = trust::announced(token, trust).map_err(Unverified::Wrong)?;
        let symmetric = announced.algorithm.is_symmetric();
        let outcome = if symmetric {
            trust::verify(token, &JwkSet::default(), trust)
        } else {
            let keys = self.current(world)?;
            match trust::verify(token, &keys, trust) {
                Err(SignedError::UnknownKey { .. }) if !self.fetched && self.may_fetch => {
                    world.step(|| "the token names a key that is not stored: asking the server".to_owned());
                    explain::step(world, || checks::unknown_key(announced.header.kid.as_deref(), &keys));
                    let keys = self.fetch(world)?;
                    trust::verify(token, &keys, trust)
                }
                outcome => outcome,
            }
        };
        explain::step(world, || {
            checks::signature(&announced.header, trust.algorithms, symmetric, outcome.as_ref().err())
        });
        outcome.map_err(Unverified::Wrong)
    }

    /// The stored keys until they expire, else new ones.
    pub fn current(&mut self, world: &mut World) -> Result<JwkSet, Unverified> {
        let now = world.clock.now();
        let good = |kept: &KeptKeys| now < kept.until || !self.may_fetch;
        if let Some(kept) = self.kept.as_ref().filter(|kept| self.fetched || good(kept))
            && let Ok(set) = JwkSet::read(kept.set.to_string().as_bytes())
        {
            if !self.fetched {
                explain::step(world, || checks::kept_keys(&kept.uri, &set, kept.until.saturating_sub(now)));
            }
            return Ok(set);
        }
        self.fetch(world)
    }

    fn fetch(&mut self, world: &mut World) -> Result<JwkSet, Unverified> {
        let Some(uri) = self.uri.clone().filter(|_| self.may_fetch) else {
            return Err(Unverified::NoKeys(match &self.unasked {
                Some(e) if e.kind == Kind::TryLater => e.clone(),
                _ => Error::new(Kind::Unsafe, "the address of the provider's keys is not known")
                    .hint("`[id-token] jwks-uri` in a provider file of your own says it; without its `issuer` nothing is verified"),
            }));
        };
        self.fetched = true;
        refuse_own("the provider's `jwks_uri`", &uri, self.allow_private).map_err(Unverified::NoKeys)?;
        let (set, until) = fetch(world, &uri, self.timeout).map_err(Unverified::NoKeys)?;
        let members: Vec<Value> = set.keys.iter().map(|key| Value::Object(key.to_members())).collect();
        self.kept = Some(KeptKeys { uri, until, set: json!({ "keys": members }) });
        Ok(set)
    }
}

fn fetch(world: &mut World, uri: &str, timeout: Duration) -> Result<(JwkSet, i64), Error> {
    let mut request = Request::new("GET", uri).header("accept", "application/jwk-set+json, application/json;q=0.9");
    request.timeout = timeout;
    request.max_body = 512 << 10;
    let response = send(world, &request)?;
    let what = || format!("the provider's keys at `{}`", safe(&request.place()));
    if response.status != 200 {
        let kind = if response.is_unavailable() { Kind::TryLater } else { Kind::Unsafe };
        return Err(Error::new(kind, format!("{} can't be fetched", what()))
            .because(format!("the server answered with status {}", response.status)));
    }
    let set = JwkSet::read(&response.body)
        .map_err(|e| Error::new(Kind::Unsafe, format!("{} can't be read", what())).cause(e))?;
    Ok((set, world.clock.now() + metadata::life(response.header("cache-control"))))
}
