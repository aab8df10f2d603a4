//! Signed JSON (JWS compact form, JWK, JWT: RFC 7515 to 7519, 8037): it proves a client's key, a
//! token's possession and an identity. Malformed input is refused before its signature is checked.
//! `ring`, which TLS links anyway, makes the signatures; this module adds the serialisation. The
//! crate `jsonwebtoken` was tried for it. It parses a key's DER at each signature, can't hold an
//! RSA key from a JWK, keeps its cryptography in a global of the process, and accepts repeated
//! names and `crit` in a header. Only joining three texts with dots would have been left to it.

mod jwk;
mod key;
mod pem;
mod strict;
#[cfg(test)]
mod tests;
pub mod trust;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::secret::Secret;
pub use jwk::{Jwk, JwkSet, Material};
pub use key::{SigningKey, sign_with_secret};
pub use pem::{certificate_thumbprint, make_a_pair};
pub use strict::object;

/// The members of a header, of claims or of a key.
pub type Members = Map<String, Value>;

/// The longest accepted token, in bytes (C-15: a token of dots must not cost memory).
pub const LONGEST: usize = 256 * 1024;
/// The longest accepted encoded header, in bytes; it may hold a certificate chain.
const LONGEST_HEADER: usize = 32 * 1024;

/// A signature algorithm (RFC 7518, section 3.1; RFC 8037). `none` is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    /// With Ed25519; Ed448 is not supported.
    EdDSA,
    HS256,
    HS384,
    HS512,
}

impl Algorithm {
    /// All supported algorithms, in the order of the enum.
    pub const ALL: [Algorithm; 12] = {
        use Algorithm::*;
        [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, HS256, HS384, HS512]
    };
    const NAMES: [&str; 12] =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"];

    /// The header's `alg`.
    pub fn name(self) -> &'static str {
        Algorithm::NAMES[self as usize]
    }

    /// From the header's `alg`; RFC 9864's `Ed25519` is `EdDSA` by another name.
    pub fn from_name(name: &str) -> Option<Algorithm> {
        match name {
            "Ed25519" => Some(Algorithm::EdDSA),
            _ => Algorithm::ALL.into_iter().find(|alg| alg.name() == name),
        }
    }

    /// Whether the algorithm signs with a shared secret instead of a key pair.
    pub fn is_symmetric(self) -> bool {
        matches!(self, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why signed JSON is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    #[error("it is not a JWT: it has {}, not three", crate::text::count(*.0, "part"))]
    Parts(usize),
    #[error("it is encrypted (JWE), which this program does not read")]
    Encrypted,
    #[error("its {0} is not base64url")]
    Base64(&'static str),
    #[error("its {0} is not a JSON object: {1}")]
    Json(&'static str, String),
    #[error("`{0}` is in it twice")]
    Duplicate(String),
    #[error("its header has no `alg`")]
    NoAlgorithm,
    #[error("its header's `{0}` is not a text")]
    NotText(&'static str),
    #[error("it is not signed (`alg` is `none`)")]
    Unsigned,
    #[error("it is signed with `{0}`, which is not allowed here")]
    Algorithm(String),
    #[error("its header demands that `{0}` is understood (`crit`)")]
    Critical(String),
    #[error("the key is for {key}, not for `{alg}`")]
    KeyMismatch { alg: Algorithm, key: &'static str },
    #[error("the key can't verify signatures: {0}")]
    BadKey(String),
    #[error("its signature is wrong")]
    Signature,
}

/// Why an input is not a private key that this program can sign with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is {0}, not a private key")]
    Found(&'static str),
    #[error("it is an OpenSSH key; `ssh-keygen -p -m PEM -f KEY` writes it in a form that can be read here")]
    OpenSsh,
    #[error(
        "it is encrypted with a passphrase; `openssl pkey -in KEY` opens it, and `client-key = {{ command = … }}` can run that"
    )]
    Encrypted,
    #[error("it is neither PEM nor a JWK; expected a private key as PKCS#8, PKCS#1 or SEC1 PEM, or as a JWK")]
    NotAKey,
    #[error("it is a PEM text of `{0}`; expected a private key as PKCS#8, PKCS#1 or SEC1")]
    Unknown(String),
    #[error("no certificate is in it; expected PEM with `BEGIN CERTIFICATE`")]
    NoCertificate,
    #[error("the certificate is not this key's")]
    NotItsCertificate,
    #[error("it can't be read: {0}")]
    Malformed(String),
    #[error("it is an RSA key of less than 2048 bits, which is too weak")]
    TooSmall,
    #[error("it is an RSA key of more than 4096 bits, which this program does not sign with")]
    TooLarge,
    #[error("it is a key of the kind {0}; expected RSA, P-256, P-384 or Ed25519")]
    Kind(String),
    #[error("its public half is not in it; `openssl pkey -in KEY` writes it whole")]
    NoPublicHalf,
    #[error("its private half does not fit its public one")]
    Inconsistent,
    #[error("it is a {key} key, which can't sign `{alg}`")]
    Algorithm { key: &'static str, alg: Algorithm },
    #[error("the signature could not be made")]
    Signing,
}

/// A strictly read header, not yet verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The name as written; it may be unsupported.
    pub alg: String,
    pub kid: Option<String>,
    pub typ: Option<String>,
    /// Every member, in the order written.
    pub members: Members,
}

impl Header {
    /// The header's algorithm; `None` if it is unsupported.
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::from_name(&self.alg)
    }

    /// The token's type: `at+jwt` for `application/AT+jwt` (RFC 7515, section 4.1.9).
    pub fn media_type(&self) -> Option<String> {
        self.typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ).to_lowercase())
    }
}

/// The key that verifies a signature.
#[derive(Clone, Copy, Debug)]
pub enum VerifyKey<'a> {
    Public(&'a Jwk),
    /// A client secret: for HS256, HS384 and HS512 only.
    Shared(&'a [u8]),
}

impl<'a> From<&'a Jwk> for VerifyKey<'a> {
    fn from(key: &'a Jwk) -> VerifyKey<'a> {
        VerifyKey::Public(key)
    }
}

impl<'a> From<&'a Secret> for VerifyKey<'a> {
    fn from(secret: &'a Secret) -> VerifyKey<'a> {
        VerifyKey::Shared(secret.expose().as_bytes())
    }
}

/// Reads a token's header strictly: bounded, no repeated name, nothing in `crit` (no extension is
/// supported; RFC 7515, section 4.1.11).
pub fn header(token: &str) -> Result<Header, JoseError> {
    read_header(split(token)?.0)
}

/// A token's unverified claims: for display only.
pub fn unverified_claims(token: &str) -> Result<Members, JoseError> {
    object(&decoded(split(token)?.1, "payload")?, "payload")
}

/// The same with each value as written: numbers are not rounded, and the order stays.
pub fn written_claims(token: &str) -> Result<BTreeMap<String, Box<RawValue>>, JoseError> {
    let payload = decoded(split(token)?.1, "payload")?;
    // what can't be read as claims can't be read as these
    object(&payload, "payload")?;
    serde_json::from_slice(&payload).map_err(|e| JoseError::Json("payload", e.to_string()))
}

/// Verifies a token's signature and reads its claims. The caller judges the claims (`iss`, `aud`,
/// `exp`).
pub fn verify<'a>(
    token: &str,
    allowed: &[Algorithm],
    key: impl Into<VerifyKey<'a>>,
) -> Result<(Header, Members), JoseError> {
    let (header, payload) = verify_bytes(token, allowed, key)?;
    Ok((header, object(&payload, "payload")?))
}

/// The same for any payload.
pub fn verify_bytes<'a>(
    token: &str,
    allowed: &[Algorithm],
    key: impl Into<VerifyKey<'a>>,
) -> Result<(Header, Vec<u8>), JoseError> {
    let (head, payload, signature) = split(token)?;
    let header = read_header(head)?;
    let alg = match header.algorithm() {
        Some(alg) if allowed.contains(&alg) => alg,
        _ if header.alg.eq_ignore_ascii_case("none") => return Err(JoseError::Unsigned),
        _ => return Err(JoseError::Algorithm(header.alg)),
    };
    let signature = decoded(signature, "signature")?;
    check(alg, key.into(), &token.as_bytes()[..head.len() + 1 + payload.len()], &signature)?;
    Ok((header, decoded(payload, "payload")?))
}

fn check(alg: Algorithm, key: VerifyKey<'_>, signed: &[u8], found: &[u8]) -> Result<(), JoseError> {
    let key = match key {
        VerifyKey::Shared(secret) => {
            let Some(alg) = hmac_algorithm(alg) else {
                return Err(JoseError::KeyMismatch { alg, key: "a shared secret" });
            };
            let key = hmac::Key::new(alg, secret);
            return hmac::verify(&key, signed, found).map_err(|_| JoseError::Signature);
        }
        VerifyKey::Public(key) => key,
    };
    if let Some(bound) = key.alg.as_deref()
        && Algorithm::from_name(bound) != Some(alg)
    {
        return Err(JoseError::BadKey(format!("it is for `{}` alone", crate::text::safe(bound))));
    }
    if !key.verifies() {
        return Err(JoseError::BadKey("it is not for signatures".to_owned()));
    }
    let mismatch = || JoseError::KeyMismatch { alg, key: key.material.kind() };
    let by_point = |how: &'static dyn signature::VerificationAlgorithm, point: &[u8]| {
        signature::UnparsedPublicKey::new(how, point).verify(signed, found)
    };
    let ok = match &key.material {
        Material::Rsa { n, e } => {
            let how: &signature::RsaParameters = match alg {
                Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
                Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
                _ => return Err(mismatch()),
            };
            signature::RsaPublicKeyComponents { n, e }.verify(how, signed, found)
        }
        Material::P256(point) if alg == Algorithm::ES256 => by_point(&signature::ECDSA_P256_SHA256_FIXED, point),
        Material::P384(point) if alg == Algorithm::ES384 => by_point(&signature::ECDSA_P384_SHA384_FIXED, point),
        Material::Ed25519(point) if alg == Algorithm::EdDSA => by_point(&signature::ED25519, point),
        _ => return Err(mismatch()),
    };
    ok.map_err(|_| JoseError::Signature)
}

fn hmac_algorithm(alg: Algorithm) -> Option<hmac::Algorithm> {
    match alg {
        Algorithm::HS256 => Some(hmac::HMAC_SHA256),
        Algorithm::HS384 => Some(hmac::HMAC_SHA384),
        Algorithm::HS512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

fn split(token: &str) -> Result<(&str, &str, &str), JoseError> {
    if token.len() > LONGEST {
        return Err(JoseError::TooLong(LONGEST));
    }
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.count()) {
        (Some(head), Some(payload), Some(signature), 0) => Ok((head, payload, signature)),
        (.., 2) => Err(JoseError::Encrypted),
        (_, None, ..) => Err(JoseError::Parts(1)),
        (_, _, None, _) => Err(JoseError::Parts(2)),
        (.., more) => Err(JoseError::Parts(3 + more)),
    }
}

fn read_header(head: &str) -> Result<Header, JoseError> {
    if head.len() > LONGEST_HEADER {
        return Err(JoseError::TooLong(LONGEST_HEADER));
    }
    let members = object(&decoded(head, "header")?, "header")?;
    let text = |name: &'static str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseError::NotText(name)),
    };
    if let Some(crit) = members.get("crit") {
        let first = crit.as_array().and_then(|names| names.first()).and_then(Value::as_str).unwrap_or("nothing");
        return Err(JoseError::Critical(crate::text::safe(first)));
    }
    Ok(Header { alg: text("alg")?.ok_or(JoseError::NoAlgorithm)?, kid: text("kid")?, typ: text("typ")?, members })
}

fn decoded(text: &str, what: &'static str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Base64(what))
}

/// The members of `json!({ … })`.
pub fn members(object: Value) -> Members {
    if let Value::Object(members) = object { members } else { Members::new() }
}

/// Bytes as JOSE writes them.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256 as JOSE writes it: `ath`, thumbprints, `x5t#S256`.
pub fn sha256(bytes: &[u8]) -> String {
    base64url(ring::digest::digest(&ring::digest::SHA256, bytes))
}
