//! How a client says who it is, and the names that provider files and flags have for each way.

use super::keys;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// `Authorization: Basic`, id and secret form-encoded first (RFC 6749, section 2.3.1).
    Basic,
    /// The same without the form-encoding.
    BasicRaw,
    /// In the body, or wherever `params-in` puts parameters.
    Post,
    Query,
    /// The id alone; used only when there is no secret.
    None,
    PrivateKeyJwt,
    /// An assertion signed with the client secret.
    ClientSecretJwt,
    /// By a certificate that an authority made for the client (RFC 8705, section 2.1).
    TlsClientAuth,
    /// By a certificate that the client made and registered (section 2.2).
    SelfSignedTlsClientAuth,
    /// The secret as Basic's user, with an empty password.
    BasicSecretAsUser,
    /// `Authorization: Bearer` with the token that is to be revoked (`revoke` only).
    BearerSelf,
    /// `Authorization: Client <secret>` (`revoke` only).
    ClientSecretScheme,
}

/// A way that any endpoint may ask for, by the name that provider files give it.
pub fn auth_from_name(name: &str) -> Option<ClientAuth> {
    keys::CLIENT_AUTH[..keys::CLIENT_AUTH_ANYWHERE].iter().find(|(n, _)| *n == name).map(|(_, auth)| *auth)
}

pub fn auth_name(auth: ClientAuth) -> &'static str {
    keys::CLIENT_AUTH.iter().find(|(_, a)| *a == auth).map_or("", |(name, _)| name)
}

pub fn auth_names() -> impl Iterator<Item = &'static str> {
    keys::CLIENT_AUTH[..keys::CLIENT_AUTH_ANYWHERE].iter().map(|(name, _)| *name)
}

/// As the registry of RFC 7591 has it, which metadata and registrations speak.
const REGISTERED: [(&str, ClientAuth); 7] = [
    ("none", ClientAuth::None),
    ("client_secret_basic", ClientAuth::Basic),
    ("client_secret_post", ClientAuth::Post),
    ("client_secret_jwt", ClientAuth::ClientSecretJwt),
    ("private_key_jwt", ClientAuth::PrivateKeyJwt),
    ("tls_client_auth", ClientAuth::TlsClientAuth),
    ("self_signed_tls_client_auth", ClientAuth::SelfSignedTlsClientAuth),
];

pub fn registered_name(auth: ClientAuth) -> Option<&'static str> {
    let auth = if auth == ClientAuth::BasicRaw { ClientAuth::Basic } else { auth };
    REGISTERED.iter().find(|(_, a)| *a == auth).map(|(name, _)| *name)
}

pub fn from_registered_name(name: &str) -> Option<ClientAuth> {
    REGISTERED.iter().find(|(n, _)| *n == name).map(|(_, auth)| *auth)
}
