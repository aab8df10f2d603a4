//! What is public knowledge about an authorization server and its API: facts, never code.
//!
//! A provider is one TOML file, built in (`catalogue/*.toml`) or the person's own. Every key is optional but `id` and one of
//! `issuer` and `token.url`; every default is what the RFCs say. `catalogue/README.md` is the schema.

mod api;
mod bare;
pub mod catalogue;
mod client_auth;
pub mod expand;
mod keys;
pub mod read;
mod show;
mod wanted;

use std::collections::BTreeMap;

pub use api::{Api, ApiAuth, ApiAuthPlace, ErrorRule, Limits, Means, PageBy, Pages, Whoami};
pub use client_auth::{ClientAuth, auth_from_name, auth_name, auth_names, from_registered_name, registered_name};
pub use wanted::Wanted;

/// A provider with everything filled in: `extends` and the environment merged, `refresh` and `client-credentials` completed
/// from `token`. Strings may still hold `{var}` until [`Provider::expand`].
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub docs: Option<String>,
    pub console_url: Option<String>,
    /// This is a practice server: the app to use there, in words.
    pub practice: Option<String>,
    pub aliases: Vec<String>,
    pub issuer: Option<String>,
    /// A public client that the provider knows already (the practice server's own): used when the profile names none.
    pub client_id: Option<String>,
    pub vars: BTreeMap<String, Var>,
    /// Names of the environments (`max`, `sandbox`, …) that the file offers.
    pub environments: Vec<String>,
    pub authorize: Authorize,
    pub callback: Callback,
    pub scopes: Scopes,
    pub pkce: Pkce,
    pub token: Endpoint,
    pub refresh: Refresh,
    pub response: ResponseShape,
    pub device: Option<Device>,
    pub revoke: Option<Revoke>,
    /// `None`: the provider is known not to offer it.
    pub client_credentials: Option<Endpoint>,
    /// Client credentials act for the account that the app belongs to.
    pub own_account: bool,
    /// Whether the implicit grant is offered; for information, a command line has no use for it.
    pub implicit: bool,
    pub redirect: Redirect,
    pub api: Api,
    pub whoami: Option<Whoami>,
    pub errors: Vec<ErrorRule>,
    pub limits: Limits,
    pub notes: Vec<String>,
    /// Where the facts were read, and the day they were checked (`YYYY-MM-DD`).
    pub sources: Vec<String>,
    pub checked: Option<String>,
    /// Facts that nobody has verified: said to the person, not relied on.
    pub not_verified: Vec<String>,
    /// The values of `grant_type` that the server takes; `None`: it doesn't say.
    pub grant_types: Option<Vec<String>>,
    /// Pushed authorization requests (RFC 9126): where to, and whether.
    pub par_url: Option<String>,
    pub par: Wanted,
    /// The server takes no authorize request that was not pushed (`require_pushed_authorization_requests`).
    pub par_required: bool,
    /// Signed authorize requests (RFC 9101).
    pub request_object: Wanted,
    /// The server takes no authorize request that is not signed (`require_signed_request_object`).
    pub request_object_required: bool,
    /// CIBA's backchannel authentication endpoint.
    pub ciba: Option<Endpoint>,
    /// Dynamic registration (RFC 7591).
    pub registration_url: Option<String>,
    /// The server speaks OpenID Connect, by its metadata.
    pub openid: bool,
    pub identity: Identity,
    /// Where the provider tells what it knows of a token (RFC 7662).
    pub introspect: Option<Endpoint>,
    /// What the server's own document says of keys and proofs: never written in a file.
    pub announced: Announced,
}

/// What a server announces of how clients prove themselves (RFC 8414, RFC 8705, RFC 9101, RFC 9449).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Announced {
    /// A document was read: what it leaves out is not offered.
    pub known: bool,
    /// `token_endpoint_auth_methods_supported`; `None`: not said.
    pub auth_methods: Option<Vec<String>>,
    /// `token_endpoint_auth_signing_alg_values_supported`.
    pub auth_algorithms: Option<Vec<String>>,
    /// `dpop_signing_alg_values_supported`; `None`: it does not offer DPoP.
    pub dpop_algorithms: Option<Vec<String>>,
    /// `request_object_signing_alg_values_supported`.
    pub request_object_algorithms: Option<Vec<String>>,
    /// From an endpoint's address to the one where a certificate is asked for.
    pub mtls_aliases: BTreeMap<String, String>,
    /// `tls_client_certificate_bound_access_tokens`.
    pub certificate_bound: bool,
    pub offers: Offers,
}

/// What a server announces of sign-ins. `None`: it doesn't say, or the provider's own entry has the endpoint, which speaks for
/// itself.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Offers {
    /// `response_types_supported`.
    pub response_types: Option<Vec<String>>,
    /// `response_modes_supported`.
    pub response_modes: Option<Vec<String>>,
    /// `code_challenge_methods_supported`.
    pub pkce_methods: Option<Vec<String>>,
    /// `request_parameter_supported` (RFC 9101).
    pub request_parameter: Option<bool>,
    /// `authorization_details_types_supported` (RFC 9396).
    pub details_types: Option<Vec<String>>,
    /// `backchannel_token_delivery_modes_supported` (CIBA).
    pub ciba_modes: Option<Vec<String>>,
}

/// How the provider tells who signed in (OpenID Connect), and with which algorithms it signs what it says. The lists are as the
/// server announced them; empty: it announced none.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Identity {
    /// Where its public keys are.
    pub jwks_uri: Option<String>,
    pub userinfo_url: Option<String>,
    /// Of ID tokens.
    pub algorithms: Vec<String>,
    /// Audiences beside the client's own that are trusted in an ID token.
    pub audiences: Vec<String>,
    /// Of signed answers of the authorize endpoint (JARM).
    pub jarm_algorithms: Vec<String>,
    pub userinfo_algorithms: Vec<String>,
    pub introspection_algorithms: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Var {
    pub prompt: Option<String>,
    pub default: Option<String>,
    /// A regular expression is more than these need: `host`, `digits`, `word`, or a literal prefix/suffix with one `*`.
    pub pattern: Option<String>,
    pub one_of: Vec<String>,
    pub secret: bool,
    pub from: VarFrom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum VarFrom {
    #[default]
    User,
    /// A parameter of the redirect.
    Callback,
    /// A member of the token answer.
    Token,
    /// The answer of `whoami`.
    Whoami,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Authorize {
    pub url: Option<String>,
    /// Extra parameters; an empty value drops a standard one.
    pub params: BTreeMap<String, String>,
    /// Standard name → theirs.
    pub rename: BTreeMap<String, String>,
    pub send_redirect_uri: bool,
    pub state: StateEcho,
    pub params_in: AuthorizeParamsIn,
    /// Parameters that go into the URL without percent-encoding.
    pub raw: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateEcho {
    Required,
    /// `state` is sent and never comes back (VerticalResponse classic).
    NotReturned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizeParamsIn {
    Query,
    Fragment,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Callback {
    pub code_param: String,
    pub token_host_from: Option<String>,
    pub token_host_allow: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scopes {
    pub known: Vec<String>,
    /// Asked for when the person asks for none.
    pub default: Vec<String>,
    /// Added always.
    pub always: Vec<String>,
    /// Added when a refresh token is wanted.
    pub offline: Option<String>,
    pub separator: String,
    pub param: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pkce {
    pub mode: PkceMode,
    pub method: PkceMethod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkceMode {
    Supported,
    Required,
    Off,
    /// Only for clients without a secret (Constant Contact refuses it otherwise).
    PublicOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkceMethod {
    S256,
    Plain,
}

/// An endpoint that hands out tokens, and how it wants to be spoken to.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub url: Option<String>,
    pub method: String,
    /// The first one that can be used wins.
    pub auth: Vec<ClientAuth>,
    pub params_in: ParamsIn,
    /// Extra parameters; an empty value drops a standard one.
    pub params: BTreeMap<String, String>,
    pub rename: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub send_redirect_uri: bool,
    /// Statuses that mean success.
    pub ok_status: Vec<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamsIn {
    Form,
    Json,
    Query,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Refresh {
    pub endpoint: Endpoint,
    pub supported: bool,
    /// `refresh_token` unless the provider exchanges something else.
    pub grant_type: String,
    pub token_param: String,
    pub source: RefreshSource,
    pub rotates: Rotates,
    /// Seconds after which an unused refresh token dies.
    pub max_idle_s: Option<i64>,
    /// Seconds after the login at which every refresh token dies.
    pub max_age_s: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshSource {
    RefreshToken,
    AccessToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotates {
    Yes,
    No,
    Maybe,
}

/// Where the members of a token answer stand. A path is member names joined by `.`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseShape {
    pub root: Option<String>,
    pub access_token: String,
    pub refresh_token: String,
    pub expires_in: String,
    pub scope: String,
    pub token_type: String,
    /// Used where the answer has no token type; `None`: such an answer is refused.
    pub default_token_type: Option<String>,
    pub expires_unit: ExpiresUnit,
    pub default_expires_s: Option<i64>,
    pub zero_expires: ZeroExpires,
    /// Expiry and scopes are read from the access token's own claims where the answer leaves them out (Constant Contact).
    pub claims_from_jwt: bool,
    pub ok_field: Option<String>,
    pub error: Vec<String>,
    pub error_description: Vec<String>,
    /// Variable → path.
    pub capture: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiresUnit {
    Seconds,
    Milliseconds,
    Epoch,
    Iso8601,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroExpires {
    Never,
    Now,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub endpoint: Endpoint,
    pub grant_type: String,
    pub poll_url: Option<String>,
    /// Standard name → theirs.
    pub fields: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Revoke {
    pub endpoint: Endpoint,
    pub token_param: String,
    /// Which tokens to send, in order: `refresh_token`, `access_token`.
    pub tokens: Vec<String>,
    pub kills: Kills,
    /// The token is the address's last segment, and no parameter (HubSpot).
    pub token_in_path: bool,
    /// The client id is a parameter beside whatever else says who asks (Square, Stripe).
    pub send_client_id: bool,
    /// The header that takes `Authorization`'s place (Fillout).
    pub auth_header: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kills {
    All,
    Refresh,
    Access,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    pub loopback: LoopbackMode,
    /// `127.0.0.1` unless the provider compares another name.
    pub host: Option<String>,
    /// Ports to register, the first free one is used; empty: any.
    pub ports: Vec<u16>,
    /// A `*` in it is drawn anew for each login, where the provider allows any path; `None`: `/callback`.
    pub path: Option<String>,
    /// The page on which the code is shown, or `oob`.
    pub paste: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopbackMode {
    /// Any port is accepted (RFC 8252, section 7.3).
    AnyPort,
    /// The redirect address is compared whole.
    Exact,
    /// `https` on loopback.
    Https,
    /// Refused: the person pastes the address the browser ended on.
    None,
    Unknown,
}
