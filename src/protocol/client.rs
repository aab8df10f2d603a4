//! A request's client: its id, its secret, and the credentials that authenticate it without a
//! secret.

use std::sync::Arc;

use crate::protocol::dpop::Dpop;
use crate::protocol::earlier_secret::{EarlierSecret, Taken};
use crate::protocol::jose::{Algorithm, SigningKey};
use crate::provider::Announced;
use crate::secret::Secret;
use crate::wire::ClientCertificate;

/// The client that a request is made for.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Empty if an assertion identifies the subject alone.
    pub id: String,
    pub secret: Option<Secret>,
    /// What the secret replaces, while the server may still want it.
    pub earlier: Option<EarlierSecret>,
    /// The source of the secret, or of the login's missing one; not the store or the keyboard.
    pub secret_from: Option<String>,
    /// The client used a secret before; it was not stored and is not available now.
    pub secret_not_kept: bool,
    /// A variable has one, and counts only where the profile is named.
    pub secret_unread: bool,
    pub proofs: Credentials,
}

impl Client {
    /// A client with an id and perhaps a secret, and no other credentials.
    pub fn plain(id: impl Into<String>, secret: Option<Secret>) -> Client {
        Client { id: id.into(), secret, ..Client::default() }
    }

    /// Whether the server took the client's present secret, so that the earlier one is of no use.
    pub fn has_proved_its_secret(&self) -> bool {
        self.earlier.as_ref().is_some_and(|earlier| earlier.taken() == Some(Taken::Present))
    }
}

/// A client's credentials beside its id and secret.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub key: Option<Arc<SigningKey>>,
    /// The signing algorithm, if the user names one.
    pub algorithm: Option<Algorithm>,
    pub identity: Option<Arc<ClientCertificate>>,
    /// `x5t#S256` of the certificate.
    pub certificate_thumbprint: Option<String>,
    /// The `aud` of the client's assertions; `None`: the requested URL.
    pub audience: Option<String>,
    pub announced: Announced,
    /// The key that tokens are bound to (RFC 9449).
    pub dpop: Option<Arc<Dpop>>,
}

/// Why no request can be made for this client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("the provider has no {0} address")]
    NoUrl(&'static str),
    #[error("the {0} address is not a URL: {1}")]
    BadUrl(&'static str, String),
    #[error("the provider's `{{{0}}}` is not known")]
    Unfilled(String),
    /// The provider accepts only client authentication with a secret.
    #[error("the provider wants a client secret")]
    NeedsSecret,
    /// The login was made with a secret, from this place.
    #[error("the login was made with a client secret from {0}, which has it no more")]
    SecretNotKept(String),
    /// The same, and the variable counts only where the profile is named.
    #[error("the login was made with a client secret from {0}, which counts only where the profile is named")]
    SecretUnread(String),
    #[error("the provider wants a proof by the client's key")]
    NeedsKey,
    #[error("the provider wants a client certificate")]
    NeedsCertificate,
    #[error("there is a client key, and the provider takes no proof by it")]
    KeyNotTaken,
    #[error("the client signs with {ours}, and the provider takes {theirs}")]
    Algorithm { ours: String, theirs: String },
    #[error("the client's key does not sign: {0}")]
    Key(String),
    #[error("the provider takes no client authentication that this program supports")]
    NoUsableAuth,
}
