//! Proof key for code exchange (RFC 7636).

use crate::protocol::jose::sha256;
use crate::provider::PkceMethod;
use crate::secret::Secret;

/// The challenge of a verifier (RFC 7636, section 4.2).
pub fn challenge(verifier: &Secret, method: PkceMethod) -> String {
    match method {
        PkceMethod::S256 => sha256(verifier.expose().as_bytes()),
        PkceMethod::Plain => verifier.expose().to_owned(),
    }
}

/// `code_challenge_method`'s value.
pub fn method_name(method: PkceMethod) -> &'static str {
    match method {
        PkceMethod::S256 => "S256",
        PkceMethod::Plain => "plain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jose::base64url;

    // RFC 7636, appendix B
    #[test]
    fn the_rfc_example_holds() {
        let bytes = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = Secret::new(base64url(bytes));
        assert_eq!(verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier, PkceMethod::S256), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
