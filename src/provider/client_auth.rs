//! Client authentication methods, and their names in provider files and flags.

use super::words;

words! {
    /// How a client proves itself.
    pub enum ClientAuth as "snake_case" {
        /** `Authorization: Basic`, id and secret form-encoded first (RFC 6749, section 2.3.1). */ Basic,
        /** The same without the form-encoding. */ BasicRaw,
        /** In the body, or wherever `params-in` puts parameters. */ Post,
        /** In the address. */ Query,
        /** The id alone; used only when there is no secret. */ None,
        /** An assertion signed with the client's own key. */ PrivateKeyJwt,
        /** An assertion signed with the client secret. */ ClientSecretJwt,
        /** By a certificate that an authority made for the client (RFC 8705, section 2.1). */ TlsClientAuth,
        /** By a certificate that the client made and registered (section 2.2). */ SelfSignedTlsClientAuth,
        /** The secret as Basic's user, with an empty password. */ BasicSecretAsUser,
        /** `Authorization: Bearer` with the token that is to be revoked (`revoke` only). */ BearerSelf,
        /** `Authorization: Client <secret>` (`revoke` only). */ ClientSecretScheme,
    }
}

/// The methods that any endpoint may ask for.
fn anywhere() -> impl Iterator<Item = ClientAuth> {
    let only_revoke = |auth: &ClientAuth| matches!(auth, ClientAuth::BearerSelf | ClientAuth::ClientSecretScheme);
    ClientAuth::ALL.iter().copied().filter(move |auth| !only_revoke(auth))
}

/// The method of that name in provider files, if any endpoint may ask for it.
pub fn auth_from_name(name: &str) -> Option<ClientAuth> {
    anywhere().find(|auth| auth_name(*auth) == name)
}

/// The method as a provider's file writes it.
pub fn auth_name(auth: ClientAuth) -> String {
    auth.to_string()
}

/// The names of the methods that any endpoint may ask for.
pub fn auth_names() -> impl Iterator<Item = String> {
    anywhere().map(auth_name)
}

/// The names in RFC 7591's registry, used in metadata and registrations.
const REGISTERED: [(&str, ClientAuth); 7] = [
    ("none", ClientAuth::None),
    ("client_secret_basic", ClientAuth::Basic),
    ("client_secret_post", ClientAuth::Post),
    ("client_secret_jwt", ClientAuth::ClientSecretJwt),
    ("private_key_jwt", ClientAuth::PrivateKeyJwt),
    ("tls_client_auth", ClientAuth::TlsClientAuth),
    ("self_signed_tls_client_auth", ClientAuth::SelfSignedTlsClientAuth),
];

/// The method's registered name; `None`: it has none.
pub fn registered_name(auth: ClientAuth) -> Option<&'static str> {
    let auth = if auth == ClientAuth::BasicRaw { ClientAuth::Basic } else { auth };
    REGISTERED.iter().find(|(_, a)| *a == auth).map(|(name, _)| *name)
}

/// The method with this registered name.
pub fn from_registered_name(name: &str) -> Option<ClientAuth> {
    REGISTERED.iter().find(|(n, _)| *n == name).map(|(_, auth)| *auth)
}
