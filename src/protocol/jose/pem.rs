//! Reads PEM text by its labels: keys in the three forms that tools write, and certificates. Other
//! input is named in the error.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::protocol::jose::{KeyError, sha256};
use crate::text::safe;

/// The text's private key. The error names any other content.
pub fn private_key(text: &str) -> Result<PrivateKeyDer<'static>, KeyError> {
    let labels = labels(text);
    if text.contains("Proc-Type: 4,ENCRYPTED") || labels.iter().any(|label| label == "ENCRYPTED PRIVATE KEY") {
        return Err(KeyError::Encrypted);
    }
    match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        Ok(key) => Ok(key),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => Err(match labels.first().map(String::as_str) {
            Some("PUBLIC KEY" | "RSA PUBLIC KEY") => KeyError::Found("a public key"),
            Some("CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE") => KeyError::Found("a certificate"),
            Some("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") => KeyError::Found("a certificate request"),
            Some("OPENSSH PRIVATE KEY") => KeyError::OpenSsh,
            Some("EC PARAMETERS") => KeyError::Found("curve parameters without a key"),
            Some(other) => KeyError::Unknown(safe(other)),
            None => KeyError::NotAKey,
        }),
        Err(e) => Err(KeyError::Malformed(safe(&e.to_string()))),
    }
}

/// The text's certificates, the client's own first.
pub fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, KeyError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err(KeyError::NoCertificate),
        Ok(found) => Ok(found),
        Err(e) => Err(KeyError::Malformed(safe(&e.to_string()))),
    }
}

/// Whether TLS can present this certificate with this private key, both PEM: checked before any
/// request.
pub fn make_a_pair(certificate: &str, key: &str) -> Result<(), KeyError> {
    let (chain, key) = (certificates(certificate)?, private_key(key)?);
    match rustls::sign::CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => Err(KeyError::NotItsCertificate),
        Err(e) => Err(KeyError::Malformed(safe(&e.to_string()))),
    }
}

/// SHA-256 over the first certificate's DER form, base64url: `x5t#S256` (RFC 7515, section 4.1.8;
/// RFC 8705, section 3.1).
pub fn certificate_thumbprint(pem: &str) -> Result<String, KeyError> {
    Ok(sha256(&certificates(pem)?[0]))
}

fn labels(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| Some(line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?.to_owned()))
        .collect()
}
