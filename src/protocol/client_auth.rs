//! Client authentication without showing a secret: by a signed assertion (RFC 7523, section 3;
//! rfc7523bis; OpenID Connect Core, section 9) or by a certificate (RFC 8705). Also signs
//! authorization requests (RFC 9101).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::protocol::client::{Client, Credentials, RequestError};
use crate::protocol::form;
use crate::protocol::jose::{self, Algorithm, Members, SigningKey, base64url, members};
use crate::provider::ParamsIn;
use crate::secret::Secret;
use crate::text::safe;
use crate::wire::{Draw, Request, RequestSigner};

/// Seconds until an assertion expires: enough for a clock that is a little off.
const LIFE: i64 = 120;

/// Signed again for each attempt.
#[derive(Clone)]
pub struct Assertion {
    signer: Signer,
    algorithm: Algorithm,
    client_id: String,
    audience: String,
    params_in: ParamsIn,
}

#[derive(Clone)]
enum Signer {
    Key { key: Arc<SigningKey>, certificate_thumbprint: Option<String> },
    Secret(Secret),
}

impl std::fmt::Debug for Assertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "assertion of {} by {}", self.client_id, self.algorithm)
    }
}

impl Assertion {
    /// `private_key_jwt`. `endpoint`: the requested URL, the audience if no other is known.
    pub fn by_key(client: &Client, endpoint: &str, params_in: ParamsIn) -> Result<Assertion, RequestError> {
        let proofs = &client.proofs;
        let key = proofs.key.clone().ok_or(RequestError::NeedsKey)?;
        let algorithm = algorithm(proofs, &key, proofs.announced.auth_algorithms.as_deref())?;
        let certificate_thumbprint = proofs.certificate_thumbprint.clone();
        Ok(Assertion {
            signer: Signer::Key { key, certificate_thumbprint },
            ..of(client, algorithm, endpoint, params_in)
        })
    }

    /// `client_secret_jwt`.
    pub fn by_secret(client: &Client, endpoint: &str, params_in: ParamsIn) -> Result<Assertion, RequestError> {
        if client.secret.is_none() {
            return Err(RequestError::NeedsSecret);
        }
        let taken = client.proofs.announced.auth_algorithms.as_deref();
        let mut all = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512].into_iter();
        let algorithm = all.find(|alg| takes(taken, *alg)).ok_or_else(|| RequestError::Algorithm {
            ours: "HS256, HS384, HS512".to_owned(),
            theirs: safe(&taken.unwrap_or_default().join(", ")),
        })?;
        Ok(of(client, algorithm, endpoint, params_in))
    }

    fn signed(&self, Draw { now, random }: Draw) -> Result<Secret, String> {
        let claims = members(json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": base64url(random),
            "iat": now,
            "exp": now + LIFE,
        }));
        let mut header = members(json!({ "typ": "client-authentication+jwt" }));
        match &self.signer {
            Signer::Secret(secret) => jose::sign_with_secret(self.algorithm, secret, header, &claims),
            Signer::Key { key, certificate_thumbprint } => {
                if let Some(thumbprint) = certificate_thumbprint {
                    header.insert("x5t#S256".to_owned(), thumbprint.as_str().into());
                }
                key.sign(self.algorithm, header, &claims)
            }
        }
        .map_err(|e| e.to_string())
    }
}

fn of(client: &Client, algorithm: Algorithm, endpoint: &str, params_in: ParamsIn) -> Assertion {
    Assertion {
        signer: Signer::Secret(client.secret.clone().unwrap_or_else(|| Secret::unlisted(""))),
        algorithm,
        client_id: client.id.clone(),
        audience: client.proofs.audience.clone().unwrap_or_else(|| endpoint.to_owned()),
        params_in,
    }
}

impl RequestSigner for Assertion {
    fn sign(&self, request: &mut Request, draw: Draw) -> Result<(), String> {
        let assertion = self.signed(draw)?;
        let added = [
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.expose()),
        ];
        let body = request.body.as_ref().map_or("", Secret::expose);
        match self.params_in {
            ParamsIn::Form => {
                let join = if body.is_empty() { "" } else { "&" };
                request.body = Some(Secret::unlisted(format!("{body}{join}{}", form::encode(added).as_str())));
            }
            ParamsIn::Json => {
                let mut object: Members = serde_json::from_str(body).map_err(|e| e.to_string())?;
                object.extend(added.map(|(name, value)| (name.to_owned(), value.into())));
                request.body = Some(Secret::unlisted(Value::Object(object).to_string()));
            }
            ParamsIn::Query => {
                let join = if request.url.expose().contains('?') { '&' } else { '?' };
                let url = format!("{}{join}{}", request.url.expose(), form::encode(added).as_str());
                request.url = Secret::unlisted(url);
            }
        }
        Ok(())
    }
}

/// The claims of an authorization request, signed with the client's key (RFC 9101, section 4).
pub fn request_object(client: &Client, claims: &Members) -> Result<Secret, RequestError> {
    let key = client.proofs.key.clone().ok_or(RequestError::NeedsKey)?;
    let algorithm = algorithm(&client.proofs, &key, client.proofs.announced.request_object_algorithms.as_deref())?;
    let header = members(json!({ "typ": "oauth-authz-req+jwt" }));
    key.sign(algorithm, header, claims).map_err(|e| RequestError::Key(e.to_string()))
}

fn takes(taken: Option<&[String]>, alg: Algorithm) -> bool {
    taken.is_none_or(|names| names.iter().any(|name| Algorithm::from_name(name) == Some(alg)))
}

/// The user's choice, else the key's default, else any of the key's algorithms that the server
/// accepts.
fn algorithm(proofs: &Credentials, key: &SigningKey, taken: Option<&[String]>) -> Result<Algorithm, RequestError> {
    let own = match proofs.algorithm {
        Some(said) => vec![said],
        // the default of each kind comes first there
        None => key.algorithms(),
    };
    own.iter().copied().find(|alg| key.algorithms().contains(alg) && takes(taken, *alg)).ok_or_else(|| {
        RequestError::Algorithm {
            ours: own.iter().map(|alg| alg.name()).collect::<Vec<_>>().join(", "),
            theirs: taken.map_or_else(|| key.kind().to_owned(), |names| safe(&names.join(", "))),
        }
    })
}
