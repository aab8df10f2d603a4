//! The authorities that may vouch for a server, read in one go.
//!
//! The platform verifier asks macOS and Windows, and reads the system's files elsewhere; there it looks through a folder of some
//! 290 files beside the one bundle that holds the same certificates, which is half of a whole exchange's time. So where the
//! distribution keeps a bundle and nobody names another place, the bundle alone is read.

use reqwest::Certificate;

#[cfg(all(unix, not(target_vendor = "apple")))]
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The distribution's bundle. Empty: it is for the platform verifier to find the authorities, which honours `SSL_CERT_FILE` and
/// `SSL_CERT_DIR`.
#[cfg(all(unix, not(target_vendor = "apple")))]
#[expect(clippy::disallowed_methods, reason = "the variables by which authorities are named, as everywhere")]
pub fn bundle() -> Vec<Certificate> {
    if ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some()) {
        return Vec::new();
    }
    let pem = BUNDLES.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
    Certificate::from_pem_bundle(&pem).unwrap_or_default()
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub fn bundle() -> Vec<Certificate> {
    Vec::new()
}
