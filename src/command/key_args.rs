//! The flags by which a client proves who it is, beyond id and secret.

use std::path::PathBuf;

use clap::Args;

use crate::command::values;
use crate::config::SecretSource;
use crate::config::proofs::{Audience, Proofs};
use crate::provider::ClientAuth;

#[derive(Args, Clone, Debug, Default)]
pub struct KeyFlags {
    /// The way in which the client proves who it is.
    #[arg(long, value_name = "METHOD", value_parser = values::auths(), help_heading = "Client")]
    pub auth: Option<ClientAuth>,
    /// A file with the client's private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from standard input.
    #[arg(long, value_name = "FILE", help_heading = "Client")]
    pub client_key_file: Option<PathBuf>,
    /// A file with the client's certificate, and those that lead to its authority: PEM.
    #[arg(long, value_name = "FILE", help_heading = "Client")]
    pub client_certificate: Option<PathBuf>,
    /// The audience of the client's assertions: `token-endpoint` (the default), `issuer` or a URL.
    #[arg(long, value_name = "AUDIENCE", value_parser = audience, help_heading = "Client")]
    pub assertion_audience: Option<Audience>,
    /// Have the tokens bound to a key of this machine (DPoP), so that whoever steals one can't use it.
    #[arg(long, help_heading = "Client")]
    pub dpop: bool,
}

impl KeyFlags {
    pub fn proofs(&self) -> Proofs {
        Proofs {
            auth: self.auth,
            assertion_audience: self.assertion_audience.clone(),
            key: self.client_key_file.as_ref().map(|file| SecretSource::File(absolute(file))),
            certificate: self.client_certificate.as_ref().map(absolute),
            dpop: self.dpop.then_some(true),
            ..Proofs::default()
        }
    }
}

/// It is remembered, and read later from another folder.
fn absolute(file: &PathBuf) -> PathBuf {
    match file.to_str() {
        Some("-") => file.clone(),
        Some(text) if text.starts_with("~/") => file.clone(),
        _ => std::path::absolute(file).unwrap_or_else(|_| file.clone()),
    }
}

fn audience(text: &str) -> Result<Audience, String> {
    Audience::from_text(text).ok_or_else(|| "it is `token-endpoint`, `issuer` or a URL".to_owned())
}
