//! A server's metadata: OpenID Connect Discovery 1.0 and RFC 8414. The document fills gaps in the
//! provider's entry and never overrides it: several well-known servers publish wrong metadata.

use serde_json::{Map, Value};

use crate::address::check_url;
use crate::provider::{Announced, ClientAuth, Device, Offers, Provider, Revoke, registered_name};
use crate::text::safe;

/// The longest accepted document, in bytes (D-04).
pub const LONGEST: usize = 1 << 20;
/// How long a document stays cached if the server names no time, in seconds.
const USUAL_LIFE: i64 = 86_400;
/// The longest time in the cache, in seconds.
const LONGEST_LIFE: i64 = 7 * 86_400;

/// Why a metadata document can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("it is not a JSON object")]
    NotJson,
    #[error("it names the issuer `{found}`, but `{asked}` was asked")]
    Issuer { asked: String, found: String },
    #[error("its `{key}` {why}")]
    Endpoint { key: String, why: String },
}

/// A checked document, with its members unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata(Map<String, Value>);

/// Members that are URLs: each must be safe for secrets and for a browser.
const ENDPOINTS: [&str; 10] = [
    "authorization_endpoint",
    "token_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "pushed_authorization_request_endpoint",
    "backchannel_authentication_endpoint",
];

/// Other members that are used.
const KEPT: [&str; 24] = [
    "issuer",
    "authorization_response_iss_parameter_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "dpop_signing_alg_values_supported",
    "request_object_signing_alg_values_supported",
    "mtls_endpoint_aliases",
    "tls_client_certificate_bound_access_tokens",
    "grant_types_supported",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "response_types_supported",
    "response_modes_supported",
    "request_parameter_supported",
    "authorization_details_types_supported",
    "backchannel_token_delivery_modes_supported",
    "subject_types_supported",
    "introspection_endpoint_auth_methods_supported",
    "id_token_signing_alg_values_supported",
    "userinfo_signing_alg_values_supported",
    "introspection_signing_alg_values_supported",
    "authorization_signing_alg_values_supported",
];

/// The document's possible URLs in the order to try: OpenID's, RFC 8414's (before the issuer's
/// path), and the same name after the path, as some servers have it.
pub fn places(issuer: &str) -> Vec<String> {
    let trimmed = issuer.trim_end_matches('/');
    let mut places = vec![format!("{trimmed}/.well-known/openid-configuration")];
    if let Ok(url) = url::Url::parse(trimmed) {
        let path = url.path().trim_end_matches('/').to_owned();
        let mut root = url.clone();
        root.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
        places.push(root.to_string());
        if !path.is_empty() {
            places.push(format!("{trimmed}/.well-known/oauth-authorization-server"));
        }
    }
    places
}

/// Reads and checks a document (D-01, D-02). Its issuer must equal the requested one exactly.
pub fn read(body: &[u8], issuer: &str) -> Result<Metadata, MetadataError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => check(members, issuer),
        _ => Err(MetadataError::NotJson),
    }
}

fn check(members: Map<String, Value>, issuer: &str) -> Result<Metadata, MetadataError> {
    let found = members.get("issuer").and_then(Value::as_str).unwrap_or("");
    if found != issuer {
        return Err(MetadataError::Issuer { asked: safe(issuer), found: safe(found) });
    }
    for key in ENDPOINTS {
        match members.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(url)) => {
                check_url(url)
                    .map_err(|fault| MetadataError::Endpoint { key: key.to_owned(), why: fault.to_string() })?;
            }
            Some(_) => return Err(MetadataError::Endpoint { key: key.to_owned(), why: "is not a text".to_owned() }),
        }
    }
    Ok(Metadata(members))
}

/// Seconds that a document may stay cached, by its `Cache-Control`.
pub fn life(cache_control: Option<&str>) -> i64 {
    let said = cache_control.and_then(|text| {
        let text = text.to_lowercase();
        text.split(',').find_map(|part| part.trim().strip_prefix("max-age=").and_then(|n| n.parse::<i64>().ok()))
    });
    said.unwrap_or(USUAL_LIFE).clamp(60, LONGEST_LIFE)
}

impl Metadata {
    /// The members that a login stores: only those that are used, since keychain items are small.
    pub fn to_value(&self) -> Value {
        let kept = |name: &str| ENDPOINTS.contains(&name) || KEPT.contains(&name);
        Value::Object(self.0.iter().filter(|(name, _)| kept(name)).map(|(n, v)| (n.clone(), v.clone())).collect())
    }

    /// A member that is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str).filter(|s| !s.is_empty())
    }

    /// Every URL for requests or a browser, by name, with the aliases of RFC 8705, section 5.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, &str)> {
        let aliases = self.0.get("mtls_endpoint_aliases").and_then(Value::as_object);
        let own = ENDPOINTS.iter().filter_map(|name| Some((*name, self.text(name)?)));
        own.chain(aliases.into_iter().flatten().filter_map(|(name, url)| Some((name.as_str(), url.as_str()?))))
    }

    fn list(&self, key: &str) -> Option<Vec<&str>> {
        Some(self.0.get(key)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    /// Whether the server announces `iss` in every authorization response (RFC 9207).
    pub fn sends_iss(&self) -> bool {
        self.0.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true))
    }

    /// The token endpoint's host, if its site differs from the issuer's (D-05).
    pub fn foreign_token_endpoint(&self) -> Option<String> {
        let host = |text: &str| url::Url::parse(text).ok().and_then(|u| u.host().map(|host| host.to_owned()));
        let (issuer, token) = (host(self.text("issuer")?)?, host(self.text("token_endpoint")?)?);
        (site(&issuer) != site(&token)).then(|| token.to_string())
    }

    /// The announced ways of client authentication and token binding.
    fn announced(&self) -> Announced {
        let names = |key: &str| self.list(key).map(|list| list.into_iter().map(str::to_owned).collect::<Vec<String>>());
        let aliases = self.0.get("mtls_endpoint_aliases").and_then(Value::as_object);
        Announced {
            known: true,
            auth_methods: names("token_endpoint_auth_methods_supported"),
            auth_algorithms: names("token_endpoint_auth_signing_alg_values_supported"),
            dpop_algorithms: names("dpop_signing_alg_values_supported"),
            request_object_algorithms: names("request_object_signing_alg_values_supported"),
            mtls_aliases: aliases
                .into_iter()
                .flatten()
                .filter_map(|(name, alias)| Some((self.text(name)?.to_owned(), alias.as_str()?.to_owned())))
                .filter(|(_, alias)| check_url(alias).is_ok())
                .collect(),
            certificate_bound: self.0.get("tls_client_certificate_bound_access_tokens") == Some(&Value::Bool(true)),
            offers: Offers::default(),
        }
    }

    /// The announced sign-in options, for the endpoints that `provider`'s own entry leaves open.
    fn offers(&self, provider: &Provider) -> Offers {
        let names = |key: &str| self.list(key).map(|list| list.into_iter().map(str::to_owned).collect::<Vec<String>>());
        let mut offers = Offers::default();
        if provider.authorize.url.is_none() {
            offers = Offers {
                response_types: names("response_types_supported"),
                response_modes: names("response_modes_supported"),
                pkce_methods: names("code_challenge_methods_supported"),
                request_parameter: self.0.get("request_parameter_supported").and_then(Value::as_bool),
                details_types: names("authorization_details_types_supported"),
                ciba_modes: None,
            };
        }
        if provider.ciba.is_none() {
            offers.ciba_modes = names("backchannel_token_delivery_modes_supported");
        }
        offers
    }

    /// Fills the gaps in the provider's entry.
    pub fn fill(&self, provider: &mut Provider) {
        provider.announced = Announced { offers: self.offers(provider), ..self.announced() };
        self.fill_auth(provider);
        let token_url = self.text("token_endpoint").map(str::to_owned);
        let client_credentials = &mut provider.client_credentials.endpoint;
        for endpoint in [&mut provider.token.endpoint, &mut provider.refresh.endpoint, client_credentials] {
            if endpoint.url.is_none() {
                endpoint.url.clone_from(&token_url);
            }
        }
        if provider.authorize.url.is_none() {
            provider.authorize.url = self.text("authorization_endpoint").map(str::to_owned);
        }
        if provider.device.is_none()
            && let Some(url) = self.text("device_authorization_endpoint")
        {
            provider.device = Some(Device { endpoint: provider.token.beside(url), ..Device::default() });
        }
        if provider.revoke.is_none()
            && let Some(url) = self.text("revocation_endpoint")
        {
            provider.revoke = Some(Revoke { endpoint: provider.token.beside(url), ..Revoke::default() });
        }
        self.fill_identity(provider);
        if provider.scopes.known.is_empty()
            && let Some(scopes) = self.list("scopes_supported")
        {
            provider.scopes.known = scopes.into_iter().map(str::to_owned).collect();
        }
        self.fill_offers(provider);
        if provider.api.base_url.is_none()
            && let Some(userinfo) = self.text("userinfo_endpoint")
            && let Ok(url) = url::Url::parse(userinfo)
        {
            // without a known API the token may go to the server's own host only
            provider.api.base_url = Some(url.origin().ascii_serialization());
        }
    }
}

impl Metadata {
    /// Fills the supported grants and the requirements for authorization requests.
    fn fill_offers(&self, provider: &mut Provider) {
        if provider.ciba.is_none()
            && let Some(url) = self.text("backchannel_authentication_endpoint")
        {
            provider.ciba = Some(provider.token.beside(url));
        }
        if provider.par_url.is_none() {
            provider.par_url = self.text("pushed_authorization_request_endpoint").map(str::to_owned);
        }
        if provider.registration_url.is_none() {
            provider.registration_url = self.text("registration_endpoint").map(str::to_owned);
        }
        if provider.grant_types.is_none() {
            provider.grant_types =
                self.list("grant_types_supported").map(|list| list.into_iter().map(str::to_owned).collect());
        }
        let says = |key: &str| self.0.get(key) == Some(&Value::Bool(true));
        provider.par_required |= says("require_pushed_authorization_requests");
        provider.request_object_required |= says("require_signed_request_object");
        // OpenID Connect Discovery, section 3: required there, and unknown to RFC 8414
        provider.openid |= self.0.contains_key("subject_types_supported");
    }

    /// Fills the ways of client authentication at the token endpoint.
    fn fill_auth(&self, provider: &mut Provider) {
        let methods = self.list("token_endpoint_auth_methods_supported").filter(|_| provider.token.url.is_none());
        let auth = known_auth(&methods.unwrap_or_default());
        if auth.is_empty() {
            return;
        }
        // a client without credentials is a public one: Keycloak, Microsoft and others accept these
        // without listing `none`, a value that OpenID Connect Discovery lacks; a server that
        // accepts no secrets either means its list literally
        let by_secret = [ClientAuth::Basic, ClientAuth::Post, ClientAuth::ClientSecretJwt];
        let lax = !auth.contains(&ClientAuth::None) && by_secret.iter().any(|way| auth.contains(way));
        let public = lax.then_some(ClientAuth::None);
        let with_public: Vec<ClientAuth> = auth.iter().copied().chain(public).collect();
        provider.token.auth.clone_from(&with_public);
        provider.refresh.endpoint.auth = with_public;
        // RFC 6749, section 4.4: for confidential clients only
        provider.client_credentials.endpoint.auth = auth;
    }

    /// Fills the endpoints and algorithms for identity and introspection, also if the provider's
    /// entry has all the rest.
    pub fn fill_identity(&self, provider: &mut Provider) {
        let names =
            |key: &str| -> Vec<String> { self.list(key).unwrap_or_default().into_iter().map(str::to_owned).collect() };
        let identity = &mut provider.identity;
        if identity.jwks_uri.is_none() {
            identity.jwks_uri = self.text("jwks_uri").map(str::to_owned);
        }
        if provider.userinfo.url.is_none() {
            provider.userinfo.url = self.text("userinfo_endpoint").map(str::to_owned);
        }
        if identity.algorithms.is_empty() {
            identity.algorithms = names("id_token_signing_alg_values_supported");
        }
        identity.jarm_algorithms = names("authorization_signing_alg_values_supported");
        identity.userinfo_algorithms = names("userinfo_signing_alg_values_supported");
        identity.introspection_algorithms = names("introspection_signing_alg_values_supported");
        if provider.introspect.is_none()
            && let Some(url) = self.text("introspection_endpoint")
        {
            let mut endpoint = provider.token.beside(url);
            let auth = self.list("introspection_endpoint_auth_methods_supported").map(|m| known_auth(&m));
            if let Some(auth) = auth.filter(|auth| !auth.is_empty()) {
                endpoint.auth = auth;
            }
            provider.introspect = Some(endpoint);
        }
    }
}

/// A host's registrable domain, roughly, for a warning: the last two labels, or three if the last
/// two look like `co.uk`. An IP address is its own site.
fn site(host: &url::Host) -> String {
    let url::Host::Domain(name) = host else { return host.to_string() };
    let labels: Vec<&str> = name.trim_end_matches('.').rsplit('.').collect();
    let shared = matches!(labels.as_slice(), [country, second, ..] if country.len() == 2 && second.len() <= 3);
    labels.iter().take(if shared { 3 } else { 2 }).copied().collect::<Vec<_>>().join(".")
}

/// The announced methods that this program supports, the strongest first (RFC 9700, section 2.5).
/// The client's credentials decide which of them can be used.
fn known_auth(methods: &[&str]) -> Vec<ClientAuth> {
    [
        ClientAuth::PrivateKeyJwt,
        ClientAuth::TlsClientAuth,
        ClientAuth::SelfSignedTlsClientAuth,
        ClientAuth::Basic,
        ClientAuth::Post,
        ClientAuth::ClientSecretJwt,
        ClientAuth::None,
    ]
    .into_iter()
    .filter(|auth| registered_name(*auth).is_some_and(|name| methods.contains(&name)))
    .collect()
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
