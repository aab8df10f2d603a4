//! TLS for registrations that demand `https://localhost`. Key and certificate are made for the
//! listener and kept in memory only. The browser rightly warns about the self-signed certificate;
//! it is never put into a trust store.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Valid from an hour ago, since clocks differ (between a virtual machine and its host), for a day.
const BACKDATED: Duration = Duration::from_secs(3600);
const VALID: Duration = Duration::from_secs(24 * 3600);

/// A configuration with a certificate for `localhost`, made for this run.
pub fn server_config() -> Result<Arc<rustls::ServerConfig>, String> {
    let made = make().map_err(|error| format!("no certificate could be made: {error}"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![made.0], made.1))
        .map_err(|error| format!("no TLS: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // one connection, one page: nothing is resumed
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

type Made = (rustls::pki_types::CertificateDer<'static>, PrivateKeyDer<'static>);

#[expect(clippy::disallowed_methods, reason = "a certificate's days are the machine's own; no token is judged by them")]
fn make() -> Result<Made, rcgen::Error> {
    let key = rcgen::KeyPair::generate()?;
    let mut params = rcgen::CertificateParams::new(["localhost", "127.0.0.1", "::1"].map(str::to_owned))?;
    let mut name = rcgen::DistinguishedName::new();
    name.push(rcgen::DnType::CommonName, "oauthctl, for one login");
    params.distinguished_name = name;
    params.insert_extended_key_usage(rcgen::ExtendedKeyUsagePurpose::ServerAuth);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(BACKDATED);
    params.not_after = epoch + now + VALID;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().clone(), PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))))
}
