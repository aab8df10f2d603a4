//! Finds the key that may have made a signature, by a header (`alg`, `kid`, `typ`) and a server's
//! keys. The token never chooses its algorithm: the server must have announced it, and the key must
//! fit it.

use serde_json::{Map, Value};

use crate::protocol::jose::{self, Algorithm, Header, JoseError, JwkSet, VerifyKey};
use crate::secret::Secret;
use crate::text::safe;

/// The permitted signers and algorithms.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// Names as the server announced them; if empty, OpenID Connect's default, RS256.
    pub algorithms: &'a [String],
    /// The required `typ` (`token-introspection+jwt`); `None`: any type without a kind of its own.
    pub typ: Option<&'a str>,
    /// The client secret, for HS256, HS384 and HS512.
    pub secret: Option<&'a Secret>,
}

/// Why a signed message can't be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    #[error("{0}")]
    Jose(#[from] JoseError),
    #[error("it is signed with `{0}`, which the server did not announce")]
    Algorithm(String),
    #[error("it says that it is a `{0}`")]
    Type(String),
    #[error("it is signed with `{0}`, and this client has no client secret to verify that with")]
    NoSecret(Algorithm),
    /// Cached keys may be older than this one.
    #[error("the server has no key `{}` for `{alg}`", kid.as_deref().unwrap_or("without a name"))]
    UnknownKey { kid: Option<String>, alg: Algorithm },
    #[error("it names no key (`kid`), and the server has {0} that it may be signed with")]
    SeveralKeys(usize),
    #[error("the server has {count} keys `{kid}` that it may be signed with")]
    SameName { kid: String, count: usize },
}

/// A token's algorithm and verification method, before any key is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Announced {
    pub header: Header,
    pub algorithm: Algorithm,
}

/// Reads and judges a token's header.
pub fn announced(token: &str, trust: &Trust<'_>) -> Result<Announced, SignedError> {
    let header = jose::header(token)?;
    if header.alg.eq_ignore_ascii_case("none") {
        return Err(JoseError::Unsigned.into());
    }
    let is_announced = match trust.algorithms {
        [] => header.alg == "RS256",
        list => list.contains(&header.alg),
    };
    if !is_announced {
        return Err(SignedError::Algorithm(safe(&header.alg)));
    }
    let algorithm = header.algorithm().ok_or_else(|| JoseError::Algorithm(safe(&header.alg)))?;
    match (trust.typ, header.media_type().as_deref()) {
        (Some(wanted), Some(typ)) if typ == wanted => {}
        // RFC 8725, section 3.11: a token with another kind's type (`at+jwt`, `logout+jwt`) is
        // refused
        (None, Some(typ)) if !typ.ends_with("+jwt") => {}
        (None, None) => {}
        (_, typ) => return Err(SignedError::Type(safe(typ.unwrap_or("(nothing)")))),
    }
    Ok(Announced { header, algorithm })
}

/// Verifies a token with the one key that fits it, and returns its claims.
pub fn verify(token: &str, keys: &JwkSet, trust: &Trust<'_>) -> Result<(Header, Map<String, Value>), SignedError> {
    let Announced { header, algorithm } = announced(token, trust)?;
    let key = if algorithm.is_symmetric() {
        VerifyKey::from(trust.secret.ok_or(SignedError::NoSecret(algorithm))?)
    } else {
        let mut fit = keys.candidates(algorithm, header.kid.as_deref());
        match (fit.next(), fit.count()) {
            (None, _) => {
                return Err(SignedError::UnknownKey { kid: header.kid.as_deref().map(safe), alg: algorithm });
            }
            (Some(key), 0) => VerifyKey::Public(key),
            (Some(_), more) => {
                let count = more + 1;
                return Err(match header.kid.as_deref() {
                    Some(kid) => SignedError::SameName { kid: safe(kid), count },
                    None => SignedError::SeveralKeys(count),
                });
            }
        }
    };
    Ok(jose::verify(token, &[algorithm], key)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jose::SigningKey;
    use serde_json::json;

    #[test]
    fn of_two_keys_that_fit_none_is_guessed() {
        let key = SigningKey::from_kept(&SigningKey::generate_p256().unwrap()).unwrap();
        let own = key.public_jwk().to_members();
        let keys = |kids: [&str; 2]| {
            let keys = kids.map(|kid| {
                let mut members = own.clone();
                members.insert("kid".into(), json!(kid));
                Value::Object(members)
            });
            JwkSet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
        };
        let header = |kid: &str| json!({ "kid": kid }).as_object().cloned().unwrap();
        let announced = ["ES256".to_owned()];
        let trust = Trust { algorithms: &announced, typ: None, secret: None };
        let judged = |header, kids| {
            let token = key.sign(Algorithm::ES256, header, &Map::new()).unwrap();
            verify(token.expose(), &keys(kids), &trust).map(drop)
        };
        assert_eq!(judged(header("a"), ["a", "b"]), Ok(()));
        assert_eq!(judged(Map::new(), ["a", "b"]), Err(SignedError::SeveralKeys(2)));
        assert_eq!(judged(header("a"), ["a", "a"]), Err(SignedError::SameName { kid: "a".into(), count: 2 }));
    }
}
