//! A server's metadata: OpenID Connect Discovery 1.0 and RFC 8414. The document fills gaps in the
//! provider's entry and never overrides it: several well-known servers publish wrong metadata.

use serde_json::{Map, Value};

use crate::address::{check_url, site};
use crate::provider::{Announced, ClientAuth, Device, Endpoint, Offers, Provider, Revoke, Token, registered_name};
use crate::text::safe;

/// Stands in the issuer of a document that holds for many tenants (Microsoft's `common`).
pub const TENANT: &str = "{tenantid}";

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

/// A server's endpoints and the URL of its keys: each must be safe for secrets and for a browser.
pub(super) const ENDPOINTS: [&str; 10] = [
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
const KEPT: [&str; 25] = [
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
    "revocation_endpoint_auth_methods_supported",
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
    if let Ok(mut root) = url::Url::parse(trimmed) {
        let path = root.path().trim_end_matches('/').to_owned();
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
    if found != issuer && !is_for_tenants(found, issuer) {
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

/// Whether the document's issuer is the asked one but for the tenant, a segment of the path.
fn is_for_tenants(found: &str, issuer: &str) -> bool {
    let Some((before, after)) = found.split_once(TENANT) else { return false };
    let tenant = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let in_path =
        before.ends_with('/') && before.matches('/').count() > 2 && (after.is_empty() || after.starts_with('/'));
    in_path && tenant.is_some_and(|tenant| !tenant.is_empty() && !tenant.contains(['/', '?', '#']))
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
        let own = ENDPOINTS.iter().filter_map(|name| Some((*name, self.text(name)?)));
        own.chain(self.mtls_aliases())
    }

    fn mtls_aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        let aliases = self.0.get("mtls_endpoint_aliases").and_then(Value::as_object);
        aliases.into_iter().flatten().filter_map(|(name, url)| Some((name.as_str(), url.as_str()?)))
    }

    fn owned(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    /// A member that is a list of texts.
    pub fn list(&self, key: &str) -> Option<Vec<String>> {
        let list = self.0.get(key)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    fn is_true(&self, key: &str) -> bool {
        self.0.get(key) == Some(&Value::Bool(true))
    }

    /// Whether the server announces `iss` in every authorization response (RFC 9207).
    pub fn sends_iss(&self) -> bool {
        self.is_true("authorization_response_iss_parameter_supported")
    }

    /// The token endpoint's host, if its site differs from the issuer's (D-05).
    pub fn foreign_token_endpoint(&self) -> Option<String> {
        let host = |text: &str| url::Url::parse(text).ok().and_then(|u| u.host_str().map(str::to_owned));
        let (issuer, token) = (host(self.text("issuer")?)?, host(self.text("token_endpoint")?)?);
        (site(&issuer) != site(&token)).then_some(token)
    }

    /// The announced ways of client authentication and token binding, and the announced sign-in
    /// options for the endpoints that `provider`'s own entry leaves open.
    fn announced(&self, provider: &Provider) -> Announced {
        let authorize = |key: &str| self.list(key).filter(|_| provider.authorize.url.is_none());
        let of_document = provider.ciba.as_ref().is_none_or(|ciba| ciba.url.is_none());
        let ciba_modes = self.list("backchannel_token_delivery_modes_supported").filter(|_| of_document);
        let request_parameter = self.0.get("request_parameter_supported").and_then(Value::as_bool);
        Announced {
            known: true,
            auth_methods: self.list("token_endpoint_auth_methods_supported"),
            auth_algorithms: self.list("token_endpoint_auth_signing_alg_values_supported"),
            dpop_algorithms: self.list("dpop_signing_alg_values_supported"),
            request_object_algorithms: self.list("request_object_signing_alg_values_supported"),
            mtls_aliases: self
                .mtls_aliases()
                .filter_map(|(name, alias)| Some((self.owned(name)?, alias.to_owned())))
                .filter(|(_, alias)| check_url(alias).is_ok())
                .collect(),
            certificate_bound: self.is_true("tls_client_certificate_bound_access_tokens"),
            offers: Offers {
                response_types: authorize("response_types_supported"),
                response_modes: authorize("response_modes_supported"),
                pkce_methods: authorize("code_challenge_methods_supported"),
                request_parameter: request_parameter.filter(|_| provider.authorize.url.is_none()),
                details_types: authorize("authorization_details_types_supported"),
                ciba_modes,
            },
        }
    }

    /// Fills the gaps in the provider's entry.
    pub fn fill(&self, provider: &mut Provider) {
        provider.announced = self.announced(provider);
        let usual = provider.token.auth.clone();
        self.fill_auth(provider);
        let client_credentials = &mut provider.client_credentials.endpoint;
        for endpoint in [&mut provider.token.endpoint, &mut provider.refresh.endpoint, client_credentials] {
            or(&mut endpoint.url, || self.owned("token_endpoint"));
        }
        or(&mut provider.authorize.url, || self.owned("authorization_endpoint"));
        let token = &provider.token;
        let beside = |name: &str| (self.beside(token, name), (&usual[..], &token.auth[..]));
        let device = |endpoint| Device { endpoint, ..Device::default() };
        complete(&mut provider.device, beside("device_authorization"), device, |device| &mut device.endpoint);
        let revoke = |endpoint| Revoke { endpoint, ..Revoke::default() };
        complete(&mut provider.revoke, beside("revocation"), revoke, |revoke| &mut revoke.endpoint);
        complete(&mut provider.ciba, beside("backchannel_authentication"), |it| it, |it| it);
        complete(&mut provider.introspect, beside("introspection"), |it| it, |it| it);
        self.fill_identity(provider);
        if provider.scopes.known.is_empty() {
            provider.scopes.known = self.list("scopes_supported").unwrap_or_default();
        }
        or(&mut provider.par_url, || self.owned("pushed_authorization_request_endpoint"));
        or(&mut provider.registration_url, || self.owned("registration_endpoint"));
        or(&mut provider.grant_types, || self.list("grant_types_supported"));
        provider.par_required |= self.is_true("require_pushed_authorization_requests");
        provider.request_object_required |= self.is_true("require_signed_request_object");
        // OpenID Connect Discovery, section 3: required there, and unknown to RFC 8414
        provider.openid |= self.0.contains_key("subject_types_supported");
        // without a known API the token may go to the server's own host only
        let own_host = || Some(url::Url::parse(self.text("userinfo_endpoint")?).ok()?.origin().ascii_serialization());
        or(&mut provider.api.base_url, own_host);
    }

    /// Fills the ways of client authentication at the token endpoint that the provider's entry
    /// doesn't name.
    fn fill_auth(&self, provider: &mut Provider) {
        let methods = self.list("token_endpoint_auth_methods_supported").filter(|_| provider.token.url.is_none());
        let (auth, usual) = (known_auth(methods), provider.token.auth.clone());
        if auth.is_empty() || usual != Endpoint::default().auth {
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
        let refresh = (&mut provider.refresh.endpoint.auth, with_public);
        // RFC 6749, section 4.4: for confidential clients only
        let client_credentials = (&mut provider.client_credentials.endpoint.auth, auth);
        for (known, found) in [refresh, client_credentials].into_iter().filter(|(known, _)| **known == usual) {
            *known = found;
        }
    }

    /// Fills the endpoints and algorithms for identity and introspection, also if the provider's
    /// entry has all the rest.
    pub fn fill_identity(&self, provider: &mut Provider) {
        let names = |key: &str| self.list(key).unwrap_or_default();
        let identity = &mut provider.identity;
        or(&mut identity.issuer, || self.owned("issuer").filter(|issuer| issuer.contains(TENANT)));
        or(&mut identity.jwks_uri, || self.owned("jwks_uri"));
        or(&mut provider.userinfo.url, || self.owned("userinfo_endpoint"));
        if identity.algorithms.is_empty() {
            identity.algorithms = names("id_token_signing_alg_values_supported");
        }
        identity.jarm_algorithms = names("authorization_signing_alg_values_supported");
        identity.userinfo_algorithms = names("userinfo_signing_alg_values_supported");
        identity.introspection_algorithms = names("introspection_signing_alg_values_supported");
        let (token, usual) = (&provider.token, &provider.token.auth[..]);
        complete(&mut provider.introspect, (self.beside(token, "introspection"), (usual, usual)), |it| it, |it| it);
    }

    /// The endpoint of that name, with its own ways of client authentication, or the token
    /// endpoint's.
    fn beside(&self, token: &Token, name: &str) -> Option<Endpoint> {
        let mut endpoint = token.beside(self.text(&format!("{name}_endpoint"))?);
        let auth = known_auth(self.list(&format!("{name}_endpoint_auth_methods_supported")));
        if !auth.is_empty() {
            endpoint.auth = auth;
        }
        Some(endpoint)
    }
}

/// Fills in an endpoint, or what its section in the provider's file leaves out. `auth`: the ways of
/// client authentication in a section that names none, before and after the document was read.
fn complete<T>(
    place: &mut Option<T>,
    (found, auth): (Option<Endpoint>, (&[ClientAuth], &[ClientAuth])),
    make: impl FnOnce(Endpoint) -> T,
    endpoint: impl FnOnce(&mut T) -> &mut Endpoint,
) {
    let Some(known) = place.as_mut().map(endpoint) else {
        *place = found.map(make);
        return;
    };
    if known.auth == auth.0 {
        known.auth = found.as_ref().map_or(auth.1, |found| &found.auth).to_vec();
    }
    or(&mut known.url, || found?.url);
}

/// Fills an empty place.
fn or<T>(place: &mut Option<T>, found: impl FnOnce() -> Option<T>) {
    *place = place.take().or_else(found);
}

/// The announced methods that this program supports, the strongest first (RFC 9700, section 2.5).
/// The client's credentials decide which of them can be used.
fn known_auth(announced: Option<Vec<String>>) -> Vec<ClientAuth> {
    let announced = announced.unwrap_or_default();
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
    .filter(|auth| registered_name(*auth).is_some_and(|name| announced.iter().any(|said| said == name)))
    .collect()
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
