//! Reads the claims of a JWT without verifying it. The JWT came over TLS from its own issuer, and
//! is read only for facts that the response should have stated (expiry, scopes).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Longer texts are ignored (C-15: a token of dots must not cost memory).
const LONGEST: usize = 64 * 1024;

/// The claims, or `None` when it isn't a JWT in compact form.
pub fn claims(token: &str) -> Option<Map<String, Value>> {
    if token.len() > LONGEST {
        return None;
    }
    let mut parts = token.splitn(4, '.');
    let (_head, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // C-15: a token of dots
    #[test]
    fn reads_claims_and_refuses_what_is_no_jwt() {
        let token =
            format!("{}.{}.sig", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(r#"{"exp":12,"scp":["a"]}"#));
        assert_eq!(claims(&token).unwrap()["exp"], 12);
        for bad in ["", "a.b", "a.b.c.d", "a.!!.c", &".".repeat(10_000_000)] {
            assert!(claims(bad).is_none());
        }
    }
}
