//! Tokens bound to a key (RFC 9449): the proof in each request, and the nonces that servers require
//! in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::protocol::jose::{Algorithm, KeyError, SigningKey, base64url, members, sha256};
use crate::protocol::token_response::is_opaque;
use crate::secret::{self, Secret};
use crate::wire::{Again, Draw, Request, RequestSigner, header};

/// The longest stored nonce, in characters: it comes from a server and goes into a header.
const LONGEST_NONCE: usize = 1024;

/// The token type as servers write it, and the scheme at the resource.
pub const SCHEME: &str = "DPoP";

/// One profile's key, and the newest nonce of each server.
pub struct Dpop {
    key: SigningKey,
    kept: Secret,
    nonces: Mutex<BTreeMap<String, String>>,
}

impl std::fmt::Debug for Dpop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DPoP key {}", self.key.thumbprint())
    }
}

impl Dpop {
    /// A new P-256 key.
    pub fn generate() -> Result<Dpop, KeyError> {
        Dpop::read(SigningKey::generate_p256()?, BTreeMap::new())
    }

    /// Reads a key from a record.
    pub fn read(kept: Secret, nonces: BTreeMap<String, String>) -> Result<Dpop, KeyError> {
        Ok(Dpop { key: SigningKey::from_kept(&kept)?, kept, nonces: Mutex::new(nonces) })
    }

    /// The private key as a record stores it.
    pub fn kept(&self) -> &Secret {
        &self.kept
    }

    /// Origin of a server → its newest nonce.
    pub fn nonces(&self) -> BTreeMap<String, String> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `dpop_jkt` (section 10).
    pub fn thumbprint(&self) -> String {
        self.key.thumbprint()
    }

    /// The proof for one request (section 4.2).
    pub fn proof(&self, request: &Proof<'_>, Draw { now, random }: Draw) -> Result<Secret, KeyError> {
        let Proof { method, url, token, nonce } = *request;
        let mut claims = json!({ "jti": base64url(random), "htm": method, "htu": place(url), "iat": now });
        if let Some(token) = token {
            claims["ath"] = sha256(token.expose().as_bytes()).into();
        }
        let newest = self.nonces().get(&origin(url)).cloned();
        if let Some(nonce) = nonce.map(str::to_owned).or(newest) {
            claims["nonce"] = nonce.into();
        }
        let mut public = self.key.public_jwk();
        public.kid = None;
        let header = members(json!({ "typ": "dpop+jwt", "jwk": public.to_members() }));
        self.key.sign_passing(Algorithm::ES256, header, &members(claims))
    }

    /// Stores the nonce of a response: the newest wins (section 8.2).
    pub fn hear(&self, url: &str, headers: &[(String, String)]) -> bool {
        let Some(nonce) = header(headers, "dpop-nonce") else { return false };
        if !is_opaque(nonce, LONGEST_NONCE) {
            return false;
        }
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner).insert(origin(url), nonce.to_owned());
        true
    }
}

/// The request that a proof is for.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    pub method: &'a str,
    pub url: &'a str,
    /// At a resource: the request's access token.
    pub token: Option<&'a Secret>,
    /// Replaces the server's newest nonce.
    pub nonce: Option<&'a str>,
}

/// Adds a proof to each request at sending, after the request's other additions.
#[derive(Clone, Debug)]
pub struct Proven {
    pub dpop: Arc<Dpop>,
    /// At a resource: the access token.
    pub token: Option<Secret>,
    pub beside: Option<Arc<dyn RequestSigner>>,
}

impl Proven {
    /// The request with a proof, made at sending.
    pub fn request(dpop: &Arc<Dpop>, token: Option<&Secret>, request: &Request) -> Request {
        let beside = request.at_sending.clone();
        let proven = Proven { dpop: dpop.clone(), token: token.cloned(), beside };
        Request { at_sending: Some(Arc::new(proven)), ..request.clone() }
    }
}

impl RequestSigner for Proven {
    fn sign(&self, request: &mut Request, draw: Draw) -> Result<(), String> {
        if let Some(beside) = &self.beside {
            // two names from one draw: neither reveals the other
            let other = secret::sha256(&draw.random);
            let random = std::array::from_fn(|at| other[at]);
            beside.sign(request, Draw { random, ..draw })?;
        }
        let (method, url) = (&request.method, request.url.expose());
        let sent = Proof { method, url, token: self.token.as_ref(), nonce: None };
        let proof = self.dpop.proof(&sent, draw).map_err(|e| e.to_string())?;
        request.headers.retain(|(name, _)| name != "dpop");
        request.headers.push(("dpop".to_owned(), proof));
        Ok(())
    }

    /// Section 8 (at the token endpoint: 400 and `error`), section 9 (at a resource: 401 and
    /// `WWW-Authenticate`).
    fn learn_from(&self, request: &Request, status: u16, headers: &[(String, String)], body: &[u8]) -> Option<Again> {
        let heard = self.dpop.hear(request.url.expose(), headers);
        let in_body = || serde_json::from_slice::<Value>(body).is_ok_and(|value| value["error"] == "use_dpop_nonce");
        let in_header = || {
            let mut challenges = headers.iter().filter(|(name, _)| name == "www-authenticate");
            challenges.any(|(_, value)| value.to_ascii_lowercase().contains("use_dpop_nonce"))
        };
        if heard && matches!(status, 400 | 401) && (in_header() || in_body()) {
            return Some(Again::Nonce);
        }
        self.beside.as_ref().and_then(|beside| beside.learn_from(request, status, headers, body))
    }
}

/// `htu`: without query and fragment.
fn place(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut url) => {
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        }
        Err(_) => url.to_owned(),
    }
}

fn origin(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ring::rand::{SecureRandom as _, SystemRandom};

    use super::*;
    use crate::protocol::jose::{self, Jwk, Members};

    fn claims(proof: &Secret) -> Members {
        let head = jose::header(proof.expose()).unwrap();
        let key = Jwk::from_members(head.members["jwk"].as_object().unwrap()).unwrap();
        jose::verify(proof.expose(), &[Algorithm::ES256], &key).unwrap().1
    }

    fn get(url: &str) -> Proof<'_> {
        Proof { method: "GET", url, token: None, nonce: None }
    }

    #[test]
    fn ten_thousand_proofs_have_ten_thousand_names() {
        let dpop = Dpop::generate().unwrap();
        let mut names = BTreeSet::new();
        for _ in 0..10_000 {
            let mut random = [0; 16];
            SystemRandom::new().fill(&mut random).unwrap();
            let proof = dpop.proof(&get("https://api.example/"), Draw { now: 1, random }).unwrap();
            let payload = jose::unverified_claims(proof.expose()).unwrap();
            assert!(names.insert(payload["jti"].as_str().unwrap().to_owned()));
        }
    }

    // RFC 9449, sections 4.2 and 7
    #[test]
    fn a_proof_is_for_one_method_and_one_place() {
        let dpop = Dpop::generate().unwrap();
        let token = Secret::unlisted("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
        let request = Proof { token: Some(&token), ..get("https://resource.example.org/protectedresource?a=b#c") };
        let proof = dpop.proof(&request, Draw { now: 1_562_262_618, random: [1; 16] });
        let claims = claims(&proof.unwrap());
        assert_eq!(claims["htu"], "https://resource.example.org/protectedresource");
        assert_eq!((claims["htm"].as_str(), claims["iat"].as_i64()), (Some("GET"), Some(1_562_262_618)));
        // section 7.1's own example
        assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        assert!(!claims.contains_key("nonce"));
    }

    #[test]
    fn the_newest_nonce_of_a_server_is_used_there_and_nowhere_else() {
        let dpop = Dpop::generate().unwrap();
        let says = |nonce: &str| vec![("dpop-nonce".to_owned(), nonce.to_owned())];
        let (server, other) = ("https://as.example/token", "https://api.example/me");
        assert!(dpop.hear(server, &says("one")) && dpop.hear("https://as.example/other", &says("two")));
        let nonce =
            |url: &str| claims(&dpop.proof(&get(url), Draw { now: 1, random: [2; 16] }).unwrap()).get("nonce").cloned();
        assert_eq!((nonce(server), nonce(other)), (Some("two".into()), None));
        for bad in ["", "a b", "a\r\nx", &"n".repeat(2000)] {
            assert!(!dpop.hear(other, &says(bad)), "{bad:.9}");
        }
        assert_eq!(nonce(other), None);
    }

    #[test]
    fn only_a_demand_for_a_nonce_that_brings_one_is_answered() {
        let proven = Proven { dpop: Arc::new(Dpop::generate().unwrap()), token: None, beside: None };
        let request = Request::new("POST", "https://as.example/token");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let nonce = header("dpop-nonce", "n");
        let challenge = header("www-authenticate", "DPoP error=\"use_dpop_nonce\", error_description=\"x\"");
        let wanted = br#"{"error":"use_dpop_nonce"}"#;
        let learns = |status, headers: &[_], body| proven.learn_from(&request, status, headers, body).is_some();
        assert!(learns(400, std::slice::from_ref(&nonce), wanted));
        assert!(learns(401, &[nonce.clone(), challenge.clone()], b""));
        assert!(!learns(400, &[], wanted));
        assert!(!learns(200, &[nonce.clone(), challenge], wanted));
        assert!(!learns(400, &[nonce], br#"{"error":"invalid_dpop_proof"}"#));
    }
}
