//! Public knowledge about an authorization server and its API: facts, never code.
//!
//! A provider is one TOML file, built in (`catalogue/*.toml`) or the user's own. Every key is
//! optional but `id` and one of `issuer` and `token.url`; every default is what the RFCs say. A key
//! is one field of the structures here: `catalogue/README.md`, the reader, `provider show` and the
//! filling of `{var}` follow from it.

mod api;
pub mod catalogue;
mod checks;
mod client_auth;
pub mod expand;
pub mod hints;
pub mod resolve;
mod schema;
mod show;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::{self, Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize, Serializer};

pub use api::{Api, ApiAuth, ApiAuthPlace, ErrorRule, ErrorsAt, Limits, Means, PageBy, Pages, Whoami};
pub use checks::{is_audience, is_provider_name};
pub use client_auth::{ClientAuth, auth_from_name, auth_name, auth_names, from_registered_name, registered_name};
pub use schema::StringKind;

use crate::layers::de::range;
use schema::schema;

schema! {
    /// A provider with everything filled in: `extends` and the environment merged, `refresh` and
    /// `client-credentials` completed from `token`. Strings may still hold `{var}` until
    /// [`Provider::expand`].
    pub struct Provider {
        /// The name on the command line; the file has the same name.
        pub id: String,
        /// The name that is shown.
        pub name: String,
        /// Other names on the command line.
        #[serde(deserialize_with = "checks::aliases")]
        pub aliases: Vec<String>,
        /// Another provider, whose keys this one inherits and overrides.
        #[serde(skip_serializing)]
        pub extends: IgnoredAny = IgnoredAny,
        /// `"2.0"`; anything else is refused.
        #[serde(skip_serializing, deserialize_with = "checks::oauth")]
        pub oauth: (),
        /// The provider's documentation.
        pub docs: Option<String> as Url,
        /// The page where an app is registered.
        pub console_url: Option<String> as Url,
        /// What to choose on that page: the kind of app, and where it stands.
        pub console_choice: Option<String>,
        /// The same for a login by device code. Without it, nothing is said there.
        pub console_choice_device: Option<String>,
        /// Whether that page asks for a redirect URL.
        pub console_redirect_url: bool = true,
        /// This is a practice server: the app to use there, in words.
        pub practice: Option<String>,
        /// Its discovery document is read; keys given here win.
        #[serde(deserialize_with = "checks::issuer")]
        pub issuer: Option<String> as Url,
        /// A public client that the provider knows already; used where the profile has none.
        #[serde(deserialize_with = "checks::filled")]
        pub client_id: Option<String> as Text,
        /// Variables (`vars.NAME`).
        pub vars: BTreeMap<String, Var>,
        /// A table for each environment (`environments.sandbox`), of any of these keys, laid over
        /// the rest. Not `id`, `extends`, `aliases`.
        #[serde(skip_serializing, deserialize_with = "checks::names")]
        pub environments: Vec<String>,
        /// The authorize request.
        pub authorize: Authorize as Table,
        /// The redirect that answers it.
        pub callback: Callback as Table,
        /// Scopes.
        pub scopes: Scopes as Table,
        /// PKCE (RFC 7636).
        pub pkce: Pkce,
        /// The token endpoint.
        pub token: Token as Table,
        /// Renewals. The keys of `token` too: one given here replaces the token endpoint's whole.
        pub refresh: Refresh as Table,
        /// The token answer.
        pub response: ResponseShape,
        /// The device authorization endpoint (RFC 8628); `auth` and `headers` as `token`.
        pub device: Option<Device> as Table,
        /// The revocation endpoint (RFC 7009); `auth` and `headers` as `token`.
        pub revoke: Option<Revoke> as Table,
        /// Client credentials. An endpoint's keys too: one given here replaces the token endpoint's
        /// whole.
        pub client_credentials: ClientCredentials as Table,
        /// Where the provider tells what it knows of a token (RFC 7662); `auth` and `headers` as
        /// `token`.
        pub introspect: Option<Endpoint> as Table,
        /// ID tokens.
        pub identity ("id-token"): OpenId as Table,
        /// OpenID Connect's userinfo endpoint.
        pub userinfo: Userinfo as Table,
        /// The implicit grant.
        pub implicit: Implicit,
        /// The redirect address.
        pub redirect: Redirect as Table,
        /// The API behind the tokens.
        pub api: Api as Table,
        /// A cheap request that checks a token and tells the account.
        pub whoami: Option<Whoami> as Table,
        /// What an error means; the first rule that fits and has a meaning wins.
        pub errors: Vec<ErrorRule>,
        /// A built-in provider whose hints on errors are this one's too.
        pub hints_of: Option<String>,
        /// How much may be asked.
        pub limits: Limits,
        /// Shown by `provider show`.
        pub notes: Vec<String>,
        /// How sure the addresses of its endpoints are.
        pub addresses: Option<Addresses>,
        /// Where the facts were read.
        pub sources: Vec<String>,
        /// The day they were checked, `YYYY-MM-DD`.
        #[serde(deserialize_with = "checks::day")]
        pub checked: Option<String>,
        /// Facts that nobody has verified.
        pub not_verified: Vec<String>,
        /// The values of `grant_type` that the server takes; wins over its metadata's
        /// `grant_types_supported`.
        pub grant_types: Option<Vec<String>>,
        /// The audience of assertions: `issuer`, `token-endpoint` or a URL. Otherwise the client's
        /// own name the issuer if it is known, and a grant's the token endpoint. A profile's key
        /// comes before it.
        #[serde(deserialize_with = "checks::audience")]
        pub assertion_audience: Option<String> as Text,
        /// Pushed authorization requests (RFC 9126): `"auto"` where the server's metadata wants
        /// them, `true`, `false`.
        pub par: When,
        /// Where they are pushed.
        pub par_url: Option<String> as Url,
        /// Signed authorize requests (RFC 9101): `"auto"` where the server's metadata wants them,
        /// `true`, `false`.
        pub request_object: When,
        /// The backchannel authentication endpoint (CIBA); `auth` and `headers` as `token`.
        pub ciba: Option<Endpoint> as Table,
        /// Dynamic registration (RFC 7591).
        pub registration_url: Option<String> as Url,
        /// The server takes no authorize request that was not pushed
        /// (`require_pushed_authorization_requests`).
        #[serde(skip)]
        pub par_required: bool,
        /// The server takes no authorize request that is not signed
        /// (`require_signed_request_object`).
        #[serde(skip)]
        pub request_object_required: bool,
        /// The server speaks OpenID Connect, by its metadata.
        #[serde(skip)]
        pub openid: bool,
        /// What the server's own document says of keys and proofs.
        #[serde(skip)]
        pub announced: Announced,
    }

    /// A variable, `{NAME}` in other keys.
    pub struct Var {
        /// The question that is asked.
        pub prompt: Option<String>,
        /// The value without asking.
        pub default: Option<String>,
        /// `host`, `digits`, `word`, or a text with one `*`, which stands for letters, digits, `.`,
        /// `-`, `_`.
        #[serde(deserialize_with = "checks::pattern")]
        pub pattern: Option<String>,
        /// The values that are allowed.
        pub one_of ("enum"): Vec<String>,
        /// It is asked without echo, kept in the store and shown nowhere.
        pub secret: bool,
        /// Where its value comes from.
        pub from: VarFrom,
        /// Its place in the file, which decides when it is asked for.
        #[serde(skip)]
        pub line: Line,
        /// The path of its value in the token answer or in the answer of `whoami`; the redirect's
        /// parameter. The variable's own name otherwise.
        pub path: Option<String>,
    }

    /// The authorize request.
    pub struct Authorize {
        /// The authorize endpoint.
        pub url: Option<String> as Url,
        /// Extra parameters; `""` drops a standard one.
        pub params: BTreeMap<String, String> as Text,
        /// Standard name → theirs.
        pub rename: BTreeMap<String, String>,
        /// Whether `redirect_uri` is sent.
        pub send_redirect_uri: bool = true,
        /// Whether `state` comes back.
        pub state: StateEcho,
        /// Where its parameters stand.
        pub params_in: AuthorizeParamsIn,
        /// Parameters that are not percent-encoded.
        pub raw: Vec<String>,
        /// What stands behind `#` (WeChat: `wechat_redirect`), before `?` and the
        /// parameters if they are in the fragment (Apollo: `/oauth/authorize`).
        pub fragment: Option<String> as Text,
    }

    /// The redirect that brings the code.
    pub struct Callback {
        /// The parameter that holds the code.
        pub code_param: String = "code".to_owned(),
        /// The parameter that names the token host: all that the file says of the token endpoint's
        /// own host is asked there, from the exchange of the code on.
        pub token_host_from: Option<String>,
        /// The hosts that it may name; `*.` at the start: one label or more.
        pub token_host_allow: Vec<String> as Host,
    }

    /// Scopes.
    pub struct Scopes {
        /// For completion, and to find a mistyped scope.
        pub known: Vec<String> as Text,
        /// Asked for when the user asks for none.
        pub default: Vec<String> as Text,
        /// Lists of scopes with names for `login --preset`.
        pub presets: BTreeMap<String, Vec<String>> as Text,
        /// What a scope or a preset allows, in words, shown where a person chooses.
        pub about: BTreeMap<String, String>,
        /// Always added.
        pub always: Vec<String> as Text,
        /// Added when a refresh token is wanted.
        #[serde(deserialize_with = "checks::filled")]
        pub offline: Option<String> as Text,
        /// What stands between two scopes.
        pub separator: String = " ".to_owned(),
        /// The parameter's name.
        pub param: String = "scope".to_owned(),
    }

    /// PKCE (RFC 7636).
    pub struct Pkce {
        /// Whether it is used.
        pub mode: PkceMode,
        /// How the challenge is made.
        pub method: PkceMethod,
    }

    /// An endpoint of the authorization server.
    pub struct Endpoint {
        /// Its address.
        pub url: Option<String> as Url,
        /// The request's method.
        pub method: Method,
        /// How the client proves itself: the first way that can be used.
        // RFC 6749, section 2.3.1: a server must support Basic for clients with a secret
        #[serde(deserialize_with = "checks::auth")]
        pub auth: Vec<ClientAuth> = vec![ClientAuth::Basic, ClientAuth::None],
        /// Where parameters stand.
        pub params_in: ParamsIn,
        /// Extra parameters; `""` drops a standard one.
        pub params: BTreeMap<String, String> as Text,
        /// Standard name → theirs.
        pub rename: BTreeMap<String, String>,
        /// Extra headers.
        #[serde(deserialize_with = "checks::headers")]
        pub headers: BTreeMap<String, String> as Text,
        /// Statuses that mean success.
        #[serde(deserialize_with = "checks::statuses")]
        pub ok_status: Vec<u16> = vec![200],
    }

    /// The token endpoint.
    pub struct Token {
        /// The keys of an endpoint.
        pub endpoint ("*endpoint"): Endpoint as Table,
        /// Whether `redirect_uri` is sent with the code.
        pub send_redirect_uri: bool = true,
    }

    /// The token endpoint as it renews.
    pub struct Refresh {
        /// The keys of an endpoint.
        pub endpoint ("*endpoint"): Endpoint as Table,
        /// Whether `redirect_uri` is sent.
        pub with_redirect_uri ("send-redirect-uri"): bool,
        /// Whether the provider renews tokens.
        pub supported: bool = true,
        /// The value of `grant_type`.
        pub grant_type: String = "refresh_token".to_owned(),
        /// The parameter that holds the token.
        pub token_param: String = "refresh_token".to_owned(),
        /// Which token is exchanged.
        pub source: TokenKind,
        /// Whether a renewal brings another refresh token.
        pub rotates: Rotates,
        /// Whether a renewal may ask for scopes and services that the login didn't: all that the
        /// person ever granted.
        pub any_scope: bool,
        /// Seconds after which an unused refresh token expires.
        #[serde(deserialize_with = "range::<1, { i64::MAX }, _, _>")]
        pub max_idle_s: Option<i64>,
        /// Seconds after the login at which every refresh token expires.
        #[serde(deserialize_with = "range::<1, { i64::MAX }, _, _>")]
        pub max_age_s: Option<i64>,
    }

    /// Client credentials.
    pub struct ClientCredentials {
        /// The keys of an endpoint.
        pub endpoint ("*endpoint"): Endpoint as Table,
        /// Whether the provider gives tokens for them.
        pub supported: bool = true,
        /// They act for the account that the app belongs to, so that nobody needs a browser for
        /// that one.
        pub own_account: bool,
    }

    /// Where the members of a token answer stand. A path is member names joined by `.`.
    pub struct ResponseShape {
        /// Where the token answer starts: a path, or several, the first that holds the access token
        /// (`""`: the whole).
        #[serde(deserialize_with = "checks::paths")]
        pub root: Vec<String>,
        /// The path of the access token.
        pub access_token: String = "access_token".to_owned(),
        /// The path of the refresh token.
        pub refresh_token: String = "refresh_token".to_owned(),
        /// The path of the lifetime.
        pub expires_in: String = "expires_in".to_owned(),
        /// The path of the granted scopes.
        pub scope: String = "scope".to_owned(),
        /// The path of the token type.
        pub token_type: String = "token_type".to_owned(),
        /// For answers without a token type, which are refused otherwise.
        #[serde(deserialize_with = "checks::usual_kind")]
        pub default_token_type: Option<String>,
        /// Other words for the type `Bearer` (eBay: `User Access Token`).
        pub bearer_types: Vec<String>,
        /// What `expires-in` counts.
        pub expires_unit: ExpiresUnit,
        /// The path of the refresh token's lifetime; the usual members otherwise.
        pub refresh_expires_in: Option<String>,
        /// What it counts.
        pub refresh_expires_unit: ExpiresUnit,
        /// What stands between two scopes; `scopes.separator` otherwise.
        pub scope_separator: Option<String>,
        /// Seconds, where neither the answer nor `claims-from-jwt` tells a lifetime.
        #[serde(deserialize_with = "range::<0, { i64::MAX }, _, _>")]
        pub default_expires_s: Option<i64>,
        /// When a token of lifetime 0 expires.
        pub zero_expires: ZeroExpires,
        /// Expiry and scopes come from the access token's own claims where the answer leaves them
        /// out.
        pub claims_from_jwt: bool,
        /// The path of a member that tells success, whatever the error's paths say.
        pub ok_field: Option<String>,
        /// Its value then: a text or an integer (Lark: 0).
        #[serde(deserialize_with = "checks::scalar")]
        pub ok_value: String = "true".to_owned(),
        /// Paths of the error; the first that exists.
        pub error: Vec<String> = vec!["error".to_owned()],
        /// Paths of its description; the first that exists.
        pub error_description: Vec<String> = vec!["error_description".to_owned()],
        /// Variable → path.
        pub capture: BTreeMap<String, String>,
    }

    /// The device authorization endpoint (RFC 8628).
    pub struct Device {
        /// The keys of an endpoint.
        pub endpoint ("*endpoint"): Endpoint as Table,
        /// The value of `grant_type` at the token endpoint.
        pub grant_type: String = "urn:ietf:params:oauth:grant-type:device_code".to_owned(),
        /// Where the token is asked for, if not at the token endpoint.
        pub poll_url: Option<String> as Url,
        /// Standard member → theirs.
        pub fields: BTreeMap<String, String>,
    }

    /// The revocation endpoint (RFC 7009).
    pub struct Revoke {
        /// The keys of an endpoint.
        pub endpoint ("*endpoint"): Endpoint as Table,
        /// The parameter that holds the token.
        pub token_param: String = "token".to_owned(),
        /// Which tokens are sent, in order.
        #[serde(deserialize_with = "checks::tokens")]
        pub tokens: Vec<TokenKind> = vec![TokenKind::RefreshToken, TokenKind::AccessToken],
        /// Which tokens a success ends.
        pub kills: Kills,
        /// The token is the address's last segment, and no parameter (HubSpot).
        pub token_in_path: bool,
        /// The client id is a parameter beside the client's proof (Square, Stripe).
        pub send_client_id: bool,
        /// The header that takes `Authorization`'s place (Fillout).
        #[serde(deserialize_with = "checks::header_name")]
        pub auth_header: Option<String>,
    }

    /// How the provider tells who signed in (OpenID Connect), and with which algorithms it signs.
    /// Empty lists: it announced none.
    pub struct OpenId {
        /// Where the keys are that ID tokens are signed with; found by `issuer` otherwise.
        pub jwks_uri: Option<String> as Url,
        /// The only algorithms with which an ID token may be signed; otherwise the announced ones,
        /// else `["RS256"]`.
        pub algorithms: Vec<String>,
        /// Audiences beside the client's own that an ID token may name.
        pub audiences: Vec<String> as Text,
        /// The issuer that ID tokens name, where it isn't `issuer`; `{tenantid}` stands for the
        /// token's `tid` (Microsoft). Its document says it too.
        pub issuer: Option<String>,
        /// Whether an ID token repeats the login's nonce.
        pub nonce: NonceEcho,
        /// Of signed answers of the authorize endpoint (JARM).
        #[serde(skip)]
        pub jarm_algorithms: Vec<String>,
        /// Of signed userinfo answers.
        #[serde(skip)]
        pub userinfo_algorithms: Vec<String>,
        /// Of signed introspection answers.
        #[serde(skip)]
        pub introspection_algorithms: Vec<String>,
    }

    /// OpenID Connect's userinfo endpoint.
    pub struct Userinfo {
        /// Its address.
        pub url: Option<String> as Url,
    }

    /// The implicit grant.
    pub struct Implicit {
        /// For information: a command line has no use for it.
        pub supported: bool,
    }

    /// The redirect address.
    pub struct Redirect {
        /// Which addresses of this machine the provider takes.
        pub loopback: LoopbackMode,
        /// What is sent in the redirect address's place (eBay's RuName).
        pub alias: Option<String> as Text,
        /// The host to register; `127.0.0.1` otherwise, `localhost` with `https`.
        pub host: Option<RedirectHost>,
        /// The ports to register: the first free one is used. Any otherwise.
        #[serde(deserialize_with = "range::<1, 65535, _, _>")]
        pub ports: Vec<u16>,
        /// The path to register, `/callback` otherwise. A `*` in it is drawn anew for each login.
        #[serde(deserialize_with = "checks::path")]
        pub path: Option<String> as Text,
        /// The page that shows the code, or `oob`: it is the redirect address, and the person
        /// pastes the code. Or an app's own address (`com.example.app:/cb`): the person pastes
        /// the one that the browser can't open. A profile's own redirect address or port comes
        /// before it.
        pub paste: Option<String> as Page,
    }
}

/// A closed list of words, the first of which is the default.
macro_rules! words {
    ($(
        $(#[$about:meta])*
        pub enum $name:ident as $case:literal { $( $(#[$says:meta])* $word:ident, )* }
    )*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = $case)]
        pub enum $name { $( $(#[$says])* $word, )* }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$word),*];
        }

        impl Default for $name {
            fn default() -> $name {
                $name::ALL[0]
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                serde::Serialize::serialize(self, f)
            }
        }
    )*};
}

use words;

words! {
    /// How sure the addresses of the endpoints are. Sources copy each other, and nobody has signed
    /// in there with this program.
    pub enum Addresses as "snake_case" {
        /** Two sources or more have them. */ TwoSources,
        /** One source has them. */ OneSource,
        /** No source has them: they are the usual ones of such a server. */ NoSource,
    }

    /// Where a variable's value comes from.
    pub enum VarFrom as "lowercase" {
        /** It is asked. */ User,
        /** A parameter of the redirect. */ Callback,
        /** A member of the token answer. */ Token,
        /** The answer of `whoami`. */ Whoami,
    }

    /// Whether `state` comes back.
    pub enum StateEcho as "snake_case" {
        /** It must. */ Required,
        /** It is sent and never comes back (VerticalResponse classic). */ NotReturned,
    }

    /// Whether an ID token repeats the nonce.
    pub enum NonceEcho as "lowercase" {
        /** It must. */ Required,
        /** One without it is taken (LinkedIn); a wrong one is not. */ Optional,
    }

    /// Where the parameters of the authorize request stand.
    pub enum AuthorizeParamsIn as "lowercase" {
        /** After `?`. */ Query,
        /** After `#`. */ Fragment,
    }

    /// Whether PKCE is used.
    pub enum PkceMode as "snake_case" {
        /** It is. */ Supported,
        /** It is, and must be. */ Required,
        /** It is not. */ Off,
        /** Only by clients without a secret (Constant Contact refuses it otherwise). */ PublicOnly,
    }

    /// How the challenge is made.
    pub enum PkceMethod as "lowercase" {
        /** By SHA-256. */ #[serde(rename = "S256")] S256,
        /** It is the verifier itself. */ Plain,
    }

    /// A request's method.
    pub enum Method as "UPPERCASE" {
        Post,
        Get,
        Put,
        Patch,
        Delete,
    }

    /// Where an endpoint's parameters stand.
    pub enum ParamsIn as "lowercase" {
        /** In the body, form-encoded. */ Form,
        /** In the body, as JSON. */ Json,
        /** In the address. */ Query,
    }

    /// A kind of token.
    pub enum TokenKind as "snake_case" {
        /** The refresh token. */ RefreshToken,
        /** The access token. */ AccessToken,
    }

    /// Whether a renewal brings another refresh token.
    pub enum Rotates as "lowercase" {
        /** It may. */ Maybe,
        /** Always. */ Yes,
        /** Never. */ No,
    }

    /// What a lifetime counts.
    pub enum ExpiresUnit as "lowercase" {
        /** Seconds. */ #[serde(rename = "s")] Seconds,
        /** Milliseconds. */ #[serde(rename = "ms")] Milliseconds,
        /** Minutes. */ #[serde(rename = "min")] Minutes,
        /** Seconds since 1970. */ Epoch,
        /** Milliseconds since 1970. */ #[serde(rename = "epoch-ms")] EpochMilliseconds,
        /** A date, in UTC where it names no zone. */ Iso8601,
    }

    /// When a token of lifetime 0 expires.
    pub enum ZeroExpires as "lowercase" {
        /** It has expired. */ Now,
        /** Never. */ Never,
    }

    /// Which tokens a revocation ends.
    pub enum Kills as "lowercase" {
        /** All of the login (RFC 7009, section 2.1). */ All,
        /** The refresh token alone. */ Refresh,
        /** The access token alone. */ Access,
    }

    /// Which redirect addresses of this machine the provider takes.
    pub enum LoopbackMode as "snake_case" {
        /** Any port is accepted (RFC 8252, section 7.3). */ AnyPort,
        /** The redirect address is compared whole. */ Exact,
        /** `https` on loopback. */ Https,
        /** None: the user pastes the address the browser ended on. */ None,
        /** Nobody knows. */ Unknown,
    }

    /// A name of this machine.
    pub enum RedirectHost as "lowercase" {
        /** IPv4. */ #[serde(rename = "127.0.0.1")] Ipv4,
        /** By name. */ Localhost,
        /** IPv6. */ #[serde(rename = "[::1]")] Ipv6,
    }
}

/// Whether a feature is used that a server may take, want or refuse: `"auto"` follows its metadata,
/// `true` and `false` don't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum When {
    /// As the metadata says.
    #[default]
    Auto,
    /// `true`.
    Always,
    /// `false`.
    Never,
}

impl When {
    /// The word as it is typed.
    pub fn word(self) -> &'static str {
        match self {
            When::Auto => "auto",
            When::Always => "true",
            When::Never => "false",
        }
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            When::Auto => to.serialize_str("auto"),
            When::Always => to.serialize_bool(true),
            When::Never => to.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<When, D::Error> {
        struct AutoOrBool;
        impl de::Visitor<'_> for AutoOrBool {
            type Value = When;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`\"auto\"`, `true` or `false`")
            }

            fn visit_bool<E>(self, yes: bool) -> Result<When, E> {
                Ok(if yes { When::Always } else { When::Never })
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<When, E> {
                if word == "auto" { Ok(When::Auto) } else { Err(E::invalid_value(de::Unexpected::Str(word), &self)) }
            }
        }
        from.deserialize_any(AutoOrBool)
    }
}

impl Scopes {
    /// What a scope or a preset allows, in words.
    pub fn means(&self, name: &str) -> Option<&str> {
        // OpenID Connect Core, sections 5.4 and 11
        const STANDARD: [(&str, &str); 6] = [
            ("openid", "who you are, by a number"),
            ("profile", "your name and picture"),
            ("email", "your e-mail address"),
            ("address", "your postal address"),
            ("phone", "your telephone number"),
            ("offline_access", "tokens that are renewed while you are away"),
        ];
        let standard = || STANDARD.iter().find(|(scope, _)| *scope == name).map(|(_, words)| *words);
        self.about.get(name).map(String::as_str).or_else(standard)
    }
}

/// The line at which a key stands in its file. Two variables are the same wherever they stand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line(pub usize);

impl PartialEq for Line {
    fn eq(&self, _: &Line) -> bool {
        true
    }
}

/// A server's metadata on client authentication (RFC 8414, RFC 8705, RFC 9101, RFC 9449).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Announced {
    /// A document was read: a feature that it leaves out is not offered.
    pub known: bool,
    /// `token_endpoint_auth_methods_supported`; `None`: not said.
    pub auth_methods: Option<Vec<String>>,
    /// `token_endpoint_auth_signing_alg_values_supported`.
    pub auth_algorithms: Option<Vec<String>>,
    /// `dpop_signing_alg_values_supported`; `None`: it does not offer DPoP.
    pub dpop_algorithms: Option<Vec<String>>,
    /// `request_object_signing_alg_values_supported`.
    pub request_object_algorithms: Option<Vec<String>>,
    /// From an endpoint's address to its address for client certificates.
    pub mtls_aliases: BTreeMap<String, String>,
    /// `tls_client_certificate_bound_access_tokens`.
    pub certificate_bound: bool,
    /// Sign-ins.
    pub offers: Offers,
}

/// A server's metadata on sign-ins. `None`: not said, or the provider's own entry has the endpoint.
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

impl Provider {
    /// A provider with a name only, and the RFCs' defaults.
    pub fn bare(id: &str) -> Provider {
        Provider { id: id.to_owned(), name: id.to_owned(), ..Provider::default() }
    }

    /// A provider with an issuer only; its discovery document has the rest.
    pub fn of_issuer(issuer: &str) -> Provider {
        let id = issuer.split_once("://").map_or(issuer, |(_, rest)| rest).trim_end_matches('/');
        Provider { issuer: Some(issuer.to_owned()), ..Provider::bare(id) }
    }
}

impl Deref for Token {
    type Target = Endpoint;

    fn deref(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl DerefMut for Token {
    fn deref_mut(&mut self) -> &mut Endpoint {
        &mut self.endpoint
    }
}

impl Token {
    /// An endpoint with the token endpoint's client authentication.
    pub fn beside(&self, url: &str) -> Endpoint {
        let (auth, headers) = (self.auth.clone(), self.headers.clone());
        Endpoint { url: Some(url.to_owned()), auth, headers, ..Endpoint::default() }
    }
}

impl Provider {
    /// The revocation endpoint, once its address is known.
    pub fn revocation(&self) -> Option<&Revoke> {
        self.revoke.as_ref().filter(|revoke| revoke.endpoint.url.is_some())
    }
}

impl ClientCredentials {
    /// The endpoint, unless the provider is known to refuse client credentials.
    pub fn offered(&self) -> Option<&Endpoint> {
        self.supported.then_some(&self.endpoint)
    }
}
