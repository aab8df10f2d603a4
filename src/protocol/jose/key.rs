//! A client's private key: reads the forms that tools write, names other input, and signs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::protocol::jose::{Algorithm, Jwk, KeyError, Material, Members, base64url, hmac_algorithm, pem, strict};
use crate::secret::Secret;
use crate::text::safe;

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>, Curve),
    Ed25519(Box<Ed25519KeyPair>),
}

#[derive(Clone, Copy, PartialEq)]
enum Curve {
    P256,
    P384,
}

/// A private key and its name.
pub struct SigningKey {
    pair: Pair,
    /// The JWK's own id or an assigned one. None is invented: a server looks the id up among the
    /// client's keys.
    pub kid: Option<String>,
    /// A JWK's `alg`: the key's only algorithm.
    only: Option<Algorithm>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} key {}", self.kind(), self.thumbprint())
    }
}

impl SigningKey {
    /// Reads PEM (PKCS#8, PKCS#1, SEC1) or a JWK. [`crate::secret::redact`] hides its secret parts
    /// from then on.
    pub fn read(text: &Secret) -> Result<SigningKey, KeyError> {
        let trimmed = text.expose().trim_start_matches('\u{feff}').trim();
        if trimmed.starts_with('{') {
            return from_jwk(trimmed);
        }
        for line in trimmed.lines().filter(|line| line.len() > 20 && !line.starts_with("-----")) {
            // a text with a part of the key holds at least one line of it
            let _ = Secret::new(line.trim());
        }
        match pem::private_key(trimmed)? {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map(rsa).map_err(rejected),
            PrivateKeyDer::Pkcs8(der) => from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Sec1(der) => from_sec1(der.secret_sec1_der()),
            _ => Err(KeyError::NotAKey),
        }
    }

    /// A new P-256 key as PKCS#8 in base64url, for [`SigningKey::from_kept`].
    pub fn generate_p256() -> Result<Secret, KeyError> {
        let made = EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| KeyError::Signing)?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(made.as_ref())))
    }

    /// Reads a key of [`SigningKey::generate_p256`].
    pub fn from_kept(kept: &Secret) -> Result<SigningKey, KeyError> {
        let der = URL_SAFE_NO_PAD.decode(kept.expose()).map(Zeroizing::new).map_err(|_| KeyError::NotAKey)?;
        from_pkcs8(&der)
    }

    /// The key with this id in its signatures.
    pub fn with_kid(mut self, kid: Option<String>) -> SigningKey {
        self.kid = kid.or(self.kid);
        self
    }

    /// `RSA`, `P-256`, …
    pub fn kind(&self) -> &'static str {
        self.public_jwk().material.kind()
    }

    /// The key's algorithms, the default first; or the JWK's own.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        match self.only {
            Some(only) => vec![only],
            None => self.public_jwk().material.algorithms().to_vec(),
        }
    }

    /// The default algorithm of the key's kind (RS256, ES256, ES384, EdDSA), or the JWK's own.
    pub fn default_algorithm(&self) -> Algorithm {
        self.algorithms()[0]
    }

    /// The public half, as a JSON Web Key.
    pub fn public_jwk(&self) -> Jwk {
        let material = match &self.pair {
            Pair::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                Material::Rsa { n, e }
            }
            Pair::Ec(pair, Curve::P256) => Material::P256(pair.public_key().as_ref().to_vec()),
            Pair::Ec(pair, Curve::P384) => Material::P384(pair.public_key().as_ref().to_vec()),
            Pair::Ed25519(pair) => Material::Ed25519(pair.public_key().as_ref().to_vec()),
        };
        Jwk { kid: self.kid.clone(), ..Jwk::new(material) }
    }

    /// RFC 7638, with SHA-256.
    pub fn thumbprint(&self) -> String {
        self.public_jwk().thumbprint()
    }

    /// A signed JWT in compact form. `alg` and the key's `kid`, if any, come before the header's
    /// own members.
    pub fn sign(&self, alg: Algorithm, header: Members, claims: &Members) -> Result<Secret, KeyError> {
        self.sign_passing(alg, header, claims).map(|jwt| Secret::new(jwt.expose()))
    }

    /// The same without listing the JWT for redaction: for short-lived, frequent JWTs (a DPoP proof
    /// is valid for one request).
    pub fn sign_passing(&self, alg: Algorithm, header: Members, claims: &Members) -> Result<Secret, KeyError> {
        if !self.algorithms().contains(&alg) {
            return Err(KeyError::Algorithm { key: self.kind(), alg });
        }
        let input = signing_input(alg, self.kid.as_deref(), header, claims);
        let signature = self.signature(alg, input.as_bytes())?;
        Ok(Secret::unlisted(format!("{input}.{}", base64url(signature))))
    }

    /// The bare signature over some bytes.
    pub(super) fn signature(&self, alg: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &dyn signature::RsaEncoding = match alg {
                    Algorithm::RS256 => &signature::RSA_PKCS1_SHA256,
                    Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_SHA512,
                    _ => return Err(KeyError::Algorithm { key: self.kind(), alg }),
                };
                let mut made = vec![0; pair.public().modulus_len()];
                // ring verifies its signature here, so mismatched halves fail
                pair.sign(padding, &SystemRandom::new(), message, &mut made).map_err(|_| KeyError::Inconsistent)?;
                Ok(made)
            }
            Pair::Ec(pair, _) => {
                let made = pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Signing)?;
                Ok(made.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// A JWT signed with a shared secret (`client_secret_jwt`).
pub fn sign_with_secret(
    alg: Algorithm,
    secret: &Secret,
    header: Members,
    claims: &Members,
) -> Result<Secret, KeyError> {
    let Some(hmac) = hmac_algorithm(alg) else {
        return Err(KeyError::Algorithm { key: "shared", alg });
    };
    let input = signing_input(alg, None, header, claims);
    let key = ring::hmac::Key::new(hmac, secret.expose().as_bytes());
    Ok(Secret::new(format!("{input}.{}", base64url(ring::hmac::sign(&key, input.as_bytes())))))
}

fn signing_input(alg: Algorithm, kid: Option<&str>, header: Members, claims: &Members) -> String {
    let mut members = Members::new();
    members.insert("alg".to_owned(), alg.name().into());
    if let Some(kid) = kid.filter(|_| !header.contains_key("jwk")) {
        members.insert("kid".to_owned(), kid.into());
    }
    members.extend(header);
    let json = |members: &Members| serde_json::to_vec(members).unwrap_or_default();
    format!("{}.{}", base64url(json(&members)), base64url(json(claims)))
}

fn rsa(pair: RsaKeyPair) -> SigningKey {
    SigningKey { pair: Pair::Rsa(Box::new(pair)), kid: None, only: None }
}

fn ec(curve: Curve, pair: EcdsaKeyPair) -> SigningKey {
    SigningKey { pair: Pair::Ec(Box::new(pair), curve), kid: None, only: None }
}

fn ed25519(pair: Ed25519KeyPair) -> SigningKey {
    SigningKey { pair: Pair::Ed25519(Box::new(pair)), kid: None, only: None }
}

fn how(curve: Curve) -> &'static signature::EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
    }
}

fn rejected(e: ring::error::KeyRejected) -> KeyError {
    match e.to_string().as_str() {
        "TooSmall" => KeyError::TooSmall,
        "TooLarge" => KeyError::TooLarge,
        "InconsistentComponents" => KeyError::Inconsistent,
        "PublicKeyIsMissing" => KeyError::NoPublicHalf,
        other => KeyError::Malformed(other.to_owned()),
    }
}

/// The DER object identifiers of the kinds of key, and how each is handled.
const KINDS: [(&[u8], Kind); 9] = [
    (&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], Kind::Ec(Curve::P256)),
    (&[6, 5, 0x2b, 0x81, 4, 0, 0x22], Kind::Ec(Curve::P384)),
    (&[6, 5, 0x2b, 0x81, 4, 0, 0x23], Kind::Not("P-521")),
    (&[6, 5, 0x2b, 0x81, 4, 0, 0x0a], Kind::Not("secp256k1")),
    (&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], Kind::Rsa),
    (&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0a], Kind::Not("RSA-PSS (a plain RSA key signs PS256 too)")),
    (&[6, 3, 0x2b, 0x65, 0x70], Kind::Ed25519),
    (&[6, 3, 0x2b, 0x65, 0x71], Kind::Not("Ed448")),
    (&[6, 3, 0x2b, 0x65, 0x6e], Kind::Not("X25519")),
];

#[derive(Clone, Copy)]
enum Kind {
    Rsa,
    Ec(Curve),
    Ed25519,
    Not(&'static str),
}

fn from_pkcs8(der: &[u8]) -> Result<SigningKey, KeyError> {
    // the identifier is at the front; ring reads the rest and refuses a false front
    let front = &der[..der.len().min(48)];
    let kind = KINDS.iter().find(|(oid, _)| memchr::memmem::find(front, oid).is_some()).map(|(_, kind)| *kind);
    match kind {
        Some(Kind::Rsa) => RsaKeyPair::from_pkcs8(der).map(rsa).map_err(rejected),
        Some(Kind::Ec(curve)) => EcdsaKeyPair::from_pkcs8(how(curve), der, &SystemRandom::new())
            .map(|pair| ec(curve, pair))
            .map_err(rejected),
        Some(Kind::Ed25519) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(ed25519).map_err(rejected),
        Some(Kind::Not(kind)) => Err(KeyError::Kind(kind.to_owned())),
        None => Err(KeyError::Kind("that is not known here".to_owned())),
    }
}

/// RFC 5915's key is the innermost part of PKCS#8, the form that ring reads: this adds the two
/// outer headers.
fn from_sec1(der: &[u8]) -> Result<SigningKey, KeyError> {
    let curve = KINDS.iter().find(|(oid, _)| memchr::memmem::find(der, oid).is_some());
    let Some((oid, Kind::Ec(_))) = curve else {
        return match curve {
            Some((_, Kind::Not(kind))) => Err(KeyError::Kind((*kind).to_owned())),
            _ => Err(KeyError::Kind("that does not name its curve".to_owned())),
        };
    };
    const EC_PUBLIC_KEY: [u8; 9] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    let algorithm = element(0x30, &[&EC_PUBLIC_KEY, *oid]);
    let inner = element(4, &[der]);
    from_pkcs8(&element(0x30, &[&[2, 1, 0], &algorithm, &inner]))
}

fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut made = Zeroizing::new(vec![tag]);
    match length {
        0..0x80 => made.push(length as u8),
        0x80..0x100 => made.extend([0x81, length as u8]),
        _ => made.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    parts.iter().for_each(|part| made.extend_from_slice(part));
    made
}

fn from_jwk(text: &str) -> Result<SigningKey, KeyError> {
    let members = strict::object(text.as_bytes(), "key").map_err(|e| KeyError::Malformed(e.to_string()))?;
    if members.contains_key("keys") {
        return Err(KeyError::Found("a set of keys (expected one of them)"));
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let bytes = |name: &str| -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let text = text(name).ok_or_else(|| KeyError::Malformed(format!("it has no `{name}`")))?;
        if !matches!(name, "n" | "e" | "x" | "y") {
            let _ = Secret::new(text);
        }
        URL_SAFE_NO_PAD
            .decode(text)
            .map(Zeroizing::new)
            .map_err(|_| KeyError::Malformed(format!("its `{name}` is not base64url")))
    };
    if text("kty") == Some("oct") {
        return Err(KeyError::Found("a shared secret (`client-secret` and `client-secret-jwt` are for that)"));
    }
    if text("kty").is_none() {
        return Err(KeyError::NotAKey);
    }
    if members.get("d").is_none() {
        return Err(KeyError::Found("a public key"));
    }
    let by_point = |curve: Curve| {
        let point = [&[4][..], &bytes("x")?, &bytes("y")?].concat();
        EcdsaKeyPair::from_private_key_and_public_key(how(curve), &bytes("d")?, &point, &SystemRandom::new())
            .map(|pair| ec(curve, pair))
            .map_err(rejected)
    };
    let key = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => rsa_from_parts(bytes)?,
        (Some("OKP"), Some("Ed25519")) => {
            Ed25519KeyPair::from_seed_and_public_key(&bytes("d")?, &bytes("x")?).map(ed25519).map_err(rejected)?
        }
        (Some("EC"), Some("P-256")) => by_point(Curve::P256)?,
        (Some("EC"), Some("P-384")) => by_point(Curve::P384)?,
        (kty, crv) => return Err(KeyError::Kind(safe(crv.or(kty).unwrap_or_default()))),
    };
    let only = match text("alg") {
        None => None,
        Some(name) => match Algorithm::from_name(name) {
            Some(alg) if key.public_jwk().material.algorithms().contains(&alg) => Some(alg),
            _ => return Err(KeyError::Kind(format!("{} for `{}`", key.kind(), safe(name)))),
        },
    };
    Ok(SigningKey { kid: text("kid").map(str::to_owned), only, ..key })
}

/// An RSA key from its JWK members (RFC 7518, section 6.3.2).
fn rsa_from_parts(bytes: impl Fn(&str) -> Result<Zeroizing<Vec<u8>>, KeyError>) -> Result<SigningKey, KeyError> {
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: bytes("n")?, e: bytes("e")? },
        d: bytes("d")?,
        p: bytes("p")?,
        q: bytes("q")?,
        dP: bytes("dp")?,
        dQ: bytes("dq")?,
        qInv: bytes("qi")?,
    };
    RsaKeyPair::from_components(&components).map(rsa).map_err(rejected)
}
