//! What is public knowledge about an authorization server and its API: facts, never code.
//!
//! A provider is one TOML file, built in (`catalogue/*.toml`) or the person's own. Every key is optional but `id` and one of
//! `issuer` and `token.url`; every default is what the RFCs say. `catalogue/README.md` is the schema.

pub mod catalogue;
pub mod expand;
mod keys;
pub mod read;
mod show;
pub mod tree;
mod wanted;

use std::collections::BTreeMap;

pub use wanted::Wanted;

/// A provider with everything filled in: `extends` and the environment merged, `refresh` and `client-credentials` completed
/// from `token`. Strings may still hold `{var}` until [`Provider::expand`].
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub docs: Option<String>,
    pub console_url: Option<String>,
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

#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    pub base_url: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub auth: ApiAuth,
    /// Hosts beside the base's own to which the token may go; `*.` at the start stands for one label or more.
    pub hosts: Vec<String>,
    pub pages: Pages,
}

/// How long lists are cut into pages.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pages {
    pub by: PageBy,
    /// Where a page's records stand; `None`: where an array is found.
    pub items: Option<String>,
    /// Paths of the next page's address, or of its cursor; the first that exists.
    pub next: Vec<String>,
    /// The parameter of the query that takes the page's number, the cursor or the offset.
    pub param: Option<String>,
    /// The parameter that takes the number of records to a page, and how many are asked for.
    pub size_param: Option<String>,
    pub size: Option<u32>,
    /// The first page's number or offset.
    pub start: Option<u32>,
    /// The header that tells the number of pages.
    pub total_header: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PageBy {
    /// The `Link` header (RFC 8288).
    #[default]
    Link,
    /// The next page's number in the query.
    Page,
    /// How many records come before the page.
    Offset,
    /// An address in the body.
    Url,
    /// A text in the body that goes into the query.
    Cursor,
    /// There are no pages.
    None,
}

impl Pages {
    /// The parameter's name, the usual one where none is given.
    pub fn param(&self) -> &str {
        self.param.as_deref().unwrap_or(match self.by {
            PageBy::Cursor => "cursor",
            PageBy::Offset => "offset",
            _ => "page",
        })
    }

    /// The number of the first page, or the offset of the first record.
    pub fn first(&self) -> u64 {
        self.start.map_or(u64::from(self.by == PageBy::Page), u64::from)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApiAuth {
    pub place: ApiAuthPlace,
    pub name: String,
    pub scheme: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiAuthPlace {
    Header,
    Query,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Whoami {
    pub method: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub id: Option<String>,
    pub label: Option<String>,
}

/// What an API error means, told by status, code and message. The first rule that fits wins.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorRule {
    pub status: Option<u16>,
    pub code: Option<String>,
    /// A part of the message, compared without regard to case.
    pub matches: Option<String>,
    pub means: Means,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    Expired,
    Revoked,
    WrongClient,
    Scope,
    Throttled,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Limits {
    /// Names of the headers that tell `limit`, `remaining`, `reset`, `retry-after`.
    pub headers: BTreeMap<String, String>,
    pub per_second: Option<u32>,
    pub per_day: Option<u32>,
    pub parallel: Option<u32>,
}

impl Provider {
    /// A provider of which nothing is known but its name: every other value is what the RFCs say.
    pub fn bare(id: &str) -> Provider {
        let token = Endpoint {
            url: None,
            method: "POST".to_owned(),
            // RFC 6749, section 2.3.1: a server must support Basic for clients with a secret
            auth: vec![ClientAuth::Basic, ClientAuth::None],
            params_in: ParamsIn::Form,
            params: BTreeMap::new(),
            rename: BTreeMap::new(),
            headers: BTreeMap::new(),
            send_redirect_uri: true,
            ok_status: vec![200],
        };
        let mut provider = Provider {
            id: id.to_owned(),
            name: id.to_owned(),
            docs: None,
            console_url: None,
            aliases: Vec::new(),
            issuer: None,
            client_id: None,
            vars: BTreeMap::new(),
            environments: Vec::new(),
            authorize: Authorize {
                url: None,
                params: BTreeMap::new(),
                rename: BTreeMap::new(),
                send_redirect_uri: true,
                state: StateEcho::Required,
                params_in: AuthorizeParamsIn::Query,
                raw: Vec::new(),
            },
            callback: Callback { code_param: "code".to_owned(), token_host_from: None, token_host_allow: Vec::new() },
            scopes: Scopes {
                known: Vec::new(),
                default: Vec::new(),
                always: Vec::new(),
                offline: None,
                separator: " ".to_owned(),
                param: "scope".to_owned(),
            },
            pkce: Pkce { mode: PkceMode::Supported, method: PkceMethod::S256 },
            refresh: Refresh {
                endpoint: token.clone(),
                supported: true,
                grant_type: "refresh_token".to_owned(),
                token_param: "refresh_token".to_owned(),
                source: RefreshSource::RefreshToken,
                rotates: Rotates::Maybe,
                max_idle_s: None,
                max_age_s: None,
            },
            response: ResponseShape {
                root: None,
                access_token: "access_token".to_owned(),
                refresh_token: "refresh_token".to_owned(),
                expires_in: "expires_in".to_owned(),
                scope: "scope".to_owned(),
                token_type: "token_type".to_owned(),
                default_token_type: None,
                expires_unit: ExpiresUnit::Seconds,
                default_expires_s: None,
                zero_expires: ZeroExpires::Now,
                claims_from_jwt: false,
                ok_field: None,
                error: vec!["error".to_owned()],
                error_description: vec!["error_description".to_owned()],
                capture: BTreeMap::new(),
            },
            device: None,
            revoke: None,
            client_credentials: None,
            implicit: false,
            // RFC 8252, section 7.3
            redirect: Redirect {
                loopback: LoopbackMode::AnyPort,
                host: None,
                ports: Vec::new(),
                path: None,
                paste: None,
            },
            api: Api {
                base_url: None,
                headers: BTreeMap::new(),
                auth: ApiAuth {
                    place: ApiAuthPlace::Header,
                    name: "Authorization".to_owned(),
                    scheme: "Bearer".to_owned(),
                },
                hosts: Vec::new(),
                pages: Pages::default(),
            },
            whoami: None,
            errors: Vec::new(),
            limits: Limits::default(),
            notes: Vec::new(),
            sources: Vec::new(),
            checked: None,
            not_verified: Vec::new(),
            announced: Announced::default(),
            grant_types: None,
            par_url: None,
            par: Wanted::Auto,
            par_required: false,
            request_object: Wanted::Auto,
            request_object_required: false,
            ciba: None,
            registration_url: None,
            openid: false,
            identity: Identity::default(),
            introspect: None,
            token,
        };
        provider.complete_from_token();
        provider
    }

    /// A provider known by its issuer alone: its discovery document says the rest.
    pub fn of_issuer(issuer: &str) -> Provider {
        let id = issuer.split_once("://").map_or(issuer, |(_, rest)| rest).trim_end_matches('/');
        Provider { issuer: Some(issuer.to_owned()), ..Provider::bare(id) }
    }

    /// What `refresh` and `client-credentials` are where the file says nothing else: the token endpoint, its address and its
    /// manners.
    fn complete_from_token(&mut self) {
        self.refresh.endpoint = self.like_token();
        self.client_credentials = Some(self.like_token());
    }

    /// The token endpoint as a grant without a redirect uses it.
    fn like_token(&self) -> Endpoint {
        Endpoint { send_redirect_uri: false, ..self.token.clone() }
    }

    /// The token endpoint's manner of knowing the client, for an endpoint with an address and parameters of its own.
    fn beside_token(&self) -> Endpoint {
        Endpoint {
            url: None,
            method: "POST".to_owned(),
            params_in: ParamsIn::Form,
            params: BTreeMap::new(),
            rename: BTreeMap::new(),
            send_redirect_uri: false,
            ok_status: vec![200],
            ..self.token.clone()
        }
    }
}
