//! Public keys as JSON, alone and in sets (RFC 7517, 7518, 8037), and their thumbprints (RFC 7638).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::protocol::jose::{Algorithm, JoseError, Members, base64url, sha256, strict};
use crate::text::safe;

/// The longest accepted set, in bytes.
const LONGEST_SET: usize = 512 * 1024;
/// The most keys of a set; the largest known set has a few dozen.
const MOST_KEYS: usize = 256;

/// A key's material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// Modulus and exponent, big endian, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// The point uncompressed: 0x04, x, y; 65 bytes.
    P256(Vec<u8>),
    /// The same; 97 bytes.
    P384(Vec<u8>),
    /// 32 bytes.
    Ed25519(Vec<u8>),
}

impl Material {
    /// The kind of key in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Material::Rsa { .. } => "RSA",
            Material::P256(_) => "P-256",
            Material::P384(_) => "P-384",
            Material::Ed25519(_) => "Ed25519",
        }
    }

    /// The algorithms whose signatures this key verifies.
    pub fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Material::Rsa { .. } => {
                use Algorithm::*;
                &[RS256, PS256, RS384, PS384, RS512, PS512]
            }
            Material::P256(_) => &[Algorithm::ES256],
            Material::P384(_) => &[Algorithm::ES384],
            Material::Ed25519(_) => &[Algorithm::EdDSA],
        }
    }

    /// The members that RFC 7638, section 3.2 names, in its order.
    fn required(&self) -> Value {
        match self {
            Material::Rsa { n, e } => json!({"e": base64url(e), "kty": "RSA", "n": base64url(n)}),
            Material::P256(point) | Material::P384(point) => {
                let (x, y) = point[1..].split_at(point.len() / 2);
                json!({"crv": self.kind(), "kty": "EC", "x": base64url(x), "y": base64url(y)})
            }
            Material::Ed25519(x) => json!({"crv": "Ed25519", "kty": "OKP", "x": base64url(x)}),
        }
    }
}

/// A public key. Private members are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    pub material: Material,
    pub kid: Option<String>,
    /// The key's only algorithm, if it names one.
    pub alg: Option<String>,
    /// `use`: `sig` or `enc`.
    pub usage: Option<String>,
    /// `key_ops`: the permitted operations, if present.
    pub operations: Option<Vec<String>>,
}

impl Jwk {
    /// A key without an id.
    pub fn new(material: Material) -> Jwk {
        Jwk { material, kid: None, alg: None, usage: None, operations: None }
    }

    /// Reads one key. A shared secret (`oct`) is refused.
    pub fn from_members(members: &Members) -> Result<Jwk, JoseError> {
        let text = |name: &'static str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(JoseError::NotText(name)),
        };
        let bytes = |name: &'static str| {
            let text = text(name)?.ok_or_else(|| JoseError::BadKey(format!("it has no `{name}`")))?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::BadKey(format!("its `{name}` is not base64url")))
        };
        let point = |length: usize| -> Result<Vec<u8>, JoseError> {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != length || y.len() != length {
                return Err(JoseError::BadKey(format!("its point has not {length} bytes each way")));
            }
            Ok([&[4][..], &x, &y].concat())
        };
        let bad = |why: String| Err(JoseError::BadKey(why));
        let crv = text("crv")?.unwrap_or_default();
        let material = match text("kty")? {
            Some("RSA") => {
                // RFC 7518, section 6.3.1.1, forbids leading zeros; some servers write one
                let trimmed = |bytes: Vec<u8>| bytes.into_iter().skip_while(|b| *b == 0).collect::<Vec<u8>>();
                let (n, e) = (trimmed(bytes("n")?), trimmed(bytes("e")?));
                if n.len() < 256 {
                    return bad(format!("it is an RSA key of {} bits; at least 2048 are required", n.len() * 8));
                }
                Material::Rsa { n, e }
            }
            Some("EC") if crv == "P-256" => Material::P256(point(32)?),
            Some("EC") if crv == "P-384" => Material::P384(point(48)?),
            Some("OKP") if crv == "Ed25519" => {
                let x = bytes("x")?;
                if x.len() != 32 {
                    return bad("its point has not 32 bytes".to_owned());
                }
                Material::Ed25519(x)
            }
            Some("EC" | "OKP") => return bad(format!("its curve `{}` is not supported", safe(crv))),
            Some("oct") => return bad("it is a shared secret, not a public key".to_owned()),
            Some(kty) => return bad(format!("its kind `{}` is not supported", safe(kty))),
            None => return bad("it has no `kty`".to_owned()),
        };
        let owned = |name: &'static str| text(name).map(|text| text.map(str::to_owned));
        let operations = members.get("key_ops").map(|ops| {
            ops.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        });
        Ok(Jwk { material, kid: owned("kid")?, alg: owned("alg")?, usage: owned("use")?, operations })
    }

    /// The key as JSON: its material, then `kid`, `alg` and `use` if it has them.
    pub fn to_members(&self) -> Members {
        let Value::Object(mut members) = self.material.required() else { return Members::new() };
        for (name, value) in [("kid", &self.kid), ("alg", &self.alg), ("use", &self.usage)] {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.as_str().into());
            }
        }
        if let Some(operations) = &self.operations {
            members.insert("key_ops".to_owned(), operations.as_slice().into());
        }
        members
    }

    /// Whether the key may verify signatures (RFC 7517, sections 4.2 and 4.3).
    pub fn verifies(&self) -> bool {
        self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.operations.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"))
    }

    /// SHA-256 over the required members, base64url: RFC 7638's thumbprint, RFC 9449's `jkt`.
    pub fn thumbprint(&self) -> String {
        sha256(self.material.required().to_string().as_bytes())
    }
}

/// A server's keys. Unusable keys are counted and skipped (RFC 7517, section 5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
    /// The number of skipped keys: of another kind, or malformed.
    pub passed_over: usize,
}

impl JwkSet {
    /// Reads a key set (RFC 7517, section 5); keys of unknown kinds are left out.
    pub fn read(bytes: &[u8]) -> Result<JwkSet, JoseError> {
        if bytes.len() > LONGEST_SET {
            return Err(JoseError::TooLong(LONGEST_SET));
        }
        let members = strict::object(bytes, "key set")?;
        let Some(Value::Array(list)) = members.get("keys") else {
            return Err(JoseError::Json("key set", "it has no list `keys`".to_owned()));
        };
        if list.len() > MOST_KEYS {
            return Err(JoseError::Json("key set", format!("it has {} keys", list.len())));
        }
        let mut set = JwkSet::default();
        for key in list {
            match key.as_object().map(Jwk::from_members) {
                Some(Ok(key)) => set.keys.push(key),
                _ => set.passed_over += 1,
            }
        }
        Ok(set)
    }

    /// The keys that may have made a signature, in the server's order: with the header's `kid` if
    /// it names one, fit for the algorithm, not reserved for encryption or another algorithm.
    pub fn candidates(&self, alg: Algorithm, kid: Option<&str>) -> impl Iterator<Item = &Jwk> {
        self.keys.iter().filter(move |key| {
            kid.is_none_or(|kid| key.kid.as_deref() == Some(kid))
                && key.material.algorithms().contains(&alg)
                && key.verifies()
                && key.alg.as_deref().is_none_or(|bound| Algorithm::from_name(bound) == Some(alg))
        })
    }
}
