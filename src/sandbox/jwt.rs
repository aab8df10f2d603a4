//! Signed JWTs: access tokens of Constant Contact and VR2, ID tokens of the practice server.
//!
//! Each practice server signs with ES256 and its own key. Constant Contact itself uses RS256, but
//! `ring` can't generate RSA keys.

use std::io;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::server::Desk;
use crate::protocol::jose::{base64url, sha256};

/// A server's signing key.
pub struct Signer {
    pair: EcdsaKeyPair,
    kid: String,
}

impl Signer {
    /// Returns the key in the server's book, made at first use.
    pub fn of(desk: &Desk) -> io::Result<Signer> {
        let random = SystemRandom::new();
        let failed = |_| io::Error::other("no signing key could be made");
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(failed)?;
        let pkcs8 = desk.book.key(|| made.as_ref().to_vec())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random)
            .map_err(|_| io::Error::other("the signing key is damaged"))?;
        let kid = sha256(pair.public_key().as_ref());
        Ok(Signer { pair, kid })
    }

    /// Signs claims in the compact form (RFC 7515, section 7.1).
    pub fn sign(&self, claims: &Value) -> io::Result<String> {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid });
        let encode = |value: &Value| base64url(value.to_string());
        let text = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), text.as_bytes())
            .map_err(|_| io::Error::other("the signing key failed"))?;
        Ok(format!("{text}.{}", base64url(signature)))
    }

    /// Returns the public key as a JSON Web Key Set (RFC 7517).
    pub fn key_set(&self) -> Value {
        // an uncompressed point: 0x04, then x and y of 32 bytes each
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": base64url(x), "y": base64url(y),
        }] })
    }
}
