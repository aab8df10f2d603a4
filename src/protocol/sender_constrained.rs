//! A token's binding, and the credentials that each request to a resource carries for it: the proof
//! of a key (RFC 9449, section 7) or a certificate (RFC 8705, section 3).

use std::sync::Arc;

use crate::protocol::dpop::{Dpop, Proven, SCHEME};
use crate::secret::Secret;
use crate::token::TokenSet;
use crate::wire::{ClientCertificate, Request};

/// Empty for a plain bearer token.
#[derive(Clone, Debug, Default)]
pub struct Binding {
    pub dpop: Option<Arc<Dpop>>,
    pub identity: Option<Arc<ClientCertificate>>,
}

impl Binding {
    /// Adds to a request to a resource all that its token needs: scheme, a proof at each sending,
    /// certificate.
    pub fn put_into(&self, set: &TokenSet, request: &mut Request) {
        if self.identity.is_some() {
            request.identity.clone_from(&self.identity);
        }
        if let Some(dpop) = &self.dpop {
            for (_, value) in request.headers.iter_mut().filter(|(name, _)| name == "authorization") {
                *value = Secret::new(format!("{SCHEME} {}", set.access_token.expose()));
            }
            *request = Proven::request(dpop, Some(&set.access_token), request);
        }
    }
}

/// The token type, in any case of letters.
pub fn is_dpop(set: &TokenSet) -> bool {
    set.token_type.eq_ignore_ascii_case(SCHEME)
}
