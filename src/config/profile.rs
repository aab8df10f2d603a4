//! The keys of a profile. Each key is one documented field, from which follow how it is read and
//! set, its flag with the help text, how layers combine, and whether a login remembers it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::{self, word};
use super::{GrantKind, SecretSource};
use crate::address::{Service, check_url, is_of_app, with_scheme, written_port};
use crate::layers::ser;
use crate::protocol::jose::Algorithm;
use crate::protocol::{authorization_details, token_request};
use crate::provider::{ClientAuth, When};
use crate::store::StoreKind;
use crate::text::safe;

/// A key as `profile set` and the configuration name it.
pub struct Key {
    /// With `-` between its words.
    pub name: String,
    /// The endings of the name: `.file`, `.NAME`; none for a plain value.
    pub parts: &'static [&'static str],
    /// `decides`: it decides which token is issued. `once`: it is for one command, and not stored.
    /// `own`: it is of this person or this machine, and not shared.
    mark: &'static [&'static str],
}

/// A profile, a part of one, or a value. Flags win over the environment, and that over the file.
pub trait Layer {
    /// Takes each value that `over` has.
    fn lay_over(&mut self, over: &Self);

    /// Makes paths absolute: they are below `folder`, or below the home folder (`~/…`).
    fn root(&mut self, _folder: &Path) {}

    /// Names the key of this value; a part of a profile names its own keys.
    fn keys(field: &str, mark: &'static [&'static str], each: &mut dyn FnMut(Key));
}

/// A value that may be missing.
trait Part: Clone {
    const PARTS: &'static [&'static str] = &[];
    fn root(&mut self, _folder: &Path) {}
}

macro_rules! parts {
    ($($type:ty)*) => { $(impl Part for $type {})* };
}

parts! { String u32 bool Vec<String> GrantKind StoreKind ClientAuth Algorithm When }

impl Part for PathBuf {
    fn root(&mut self, folder: &Path) {
        if !self.starts_with("~") {
            *self = folder.join(&*self);
        }
    }
}

impl Part for SecretSource {
    const PARTS: &'static [&'static str] = &[".command", ".file", ".env"];
    fn root(&mut self, folder: &Path) {
        if let SecretSource::File(path) = self {
            path.root(folder);
        }
    }
}

fn named(field: &str, parts: &'static [&'static str], mark: &'static [&'static str]) -> Key {
    Key { name: field.replace('_', "-"), parts, mark }
}

impl<T: Part> Layer for Option<T> {
    fn lay_over(&mut self, over: &Self) {
        if over.is_some() {
            self.clone_from(over);
        }
    }
    fn root(&mut self, folder: &Path) {
        self.iter_mut().for_each(|part| part.root(folder));
    }
    fn keys(field: &str, mark: &'static [&'static str], each: &mut dyn FnMut(Key)) {
        each(named(field, T::PARTS, mark));
    }
}

impl Layer for Vec<String> {
    fn lay_over(&mut self, over: &Self) {
        if !over.is_empty() {
            self.clone_from(over);
        }
    }
    fn keys(field: &str, mark: &'static [&'static str], each: &mut dyn FnMut(Key)) {
        each(named(field, &[], mark));
    }
}

impl Layer for BTreeMap<String, String> {
    fn lay_over(&mut self, over: &Self) {
        self.extend(over.clone());
    }
    fn keys(field: &str, mark: &'static [&'static str], each: &mut dyn FnMut(Key)) {
        each(named(field, &[".NAME"], mark));
    }
}

/// Declares a part of a profile. A field may have a mark: see [`Key`].
macro_rules! layer {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$of:meta])* pub $field:ident: $type:ty $(=> $($mark:ident)+)?,)* }) => {
        $(#[$meta])*
        #[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, rename_all = "kebab-case")]
        pub struct $name { $($(#[$of])* pub $field: $type,)* }

        impl Layer for $name {
            fn lay_over(&mut self, over: &Self) {
                $(Layer::lay_over(&mut self.$field, &over.$field);)*
            }
            fn root(&mut self, folder: &Path) {
                $(Layer::root(&mut self.$field, folder);)*
            }
            fn keys(_: &str, _: &'static [&'static str], each: &mut dyn FnMut(Key)) {
                $(<$type as Layer>::keys(stringify!($field), &[$($(stringify!($mark)),+)?], each);)*
            }
        }
    };
}

layer! {
/// A user or a job at a provider. Every key is optional.
pub struct Profile {
    /// The provider of a new profile: a name, see `oauthctl provider list`.
    #[arg(long, value_name = "PROVIDER", help_heading = "Profile")]
    pub provider: Option<String>,
    /// The provider's environment (`max` of GetResponse, …), see `oauthctl provider show`.
    #[arg(long, value_name = "ENVIRONMENT", help_heading = "Profile")]
    pub environment: Option<String>,
    /// The provider's variables. Their flag is `--var`.
    #[arg(skip)]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, String>,
    /// The way to obtain the token.
    #[arg(long, value_name = "GRANT", value_parser = words::grants(), help_heading = "Profile")]
    #[serde(with = "word")]
    pub grant: Option<GrantKind>,
    /// The client id of your app.
    #[arg(long, value_name = "ID", help_heading = "Profile")]
    pub client_id: Option<String>,
    /// A file with the client secret; `-` reads it from standard input.
    #[arg(long = "client-secret-file", value_name = "FILE", value_parser = as_typed, help_heading = "Profile")]
    pub client_secret: Option<SecretSource> => once,
    /// The secret that `client-secret` replaces, for a provider that does not take the new one yet.
    #[arg(skip)]
    pub earlier_client_secret: Option<SecretSource>,
    /// The redirect address. `login` and `register` have a flag for it.
    #[arg(skip)]
    #[serde(deserialize_with = "redirect_uri")]
    pub redirect_uri: Option<String>,
    /// The port to listen on, or several: the first free one. `login` and `register` have a flag.
    #[arg(skip)]
    #[serde(with = "ports")]
    pub port: Option<String>,
    /// The address to bind, behind a forwarder (`0.0.0.0`). `login` has a flag for it.
    #[arg(skip)]
    #[serde(deserialize_with = "listen")]
    pub listen: Option<String> => own,
    /// The browser to sign in with: a program and its arguments; the address is added to them.
    #[arg(skip)]
    #[serde(deserialize_with = "browser")]
    pub browser: Option<Vec<String>> => own,
    /// Further services whose tools get the token from `helper`: `git.example.com`,
    /// `smtp://mail.example.com:465`.
    #[arg(skip)]
    #[serde(deserialize_with = "services")]
    pub helper_hosts: Option<Vec<String>> => own,
    /// The place where the tokens are stored; also a docker credential helper by its name.
    #[arg(long, value_name = "STORE", value_parser = words::stores(), help_heading = "Profile")]
    #[serde(with = "words::store")]
    pub store: Option<StoreKind> => own,
    /// What the token is for.
    #[command(flatten)]
    #[serde(rename = "*target")]
    pub target: TokenTarget,
    /// Extra parameters of the request that the grant begins with. Their flag is `--param`.
    #[arg(skip)]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// Allow a provider at an address of the local network's services (`169.254.…`, `fe80::…`).
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Profile")]
    pub allow_private: Option<bool> => own,
    /// Renew a token so many seconds after it came, whatever its own lifetime.
    #[arg(skip)]
    pub maximum_age: Option<u32>,
    /// How the client authenticates.
    #[command(flatten)]
    #[serde(rename = "*proofs")]
    pub proofs: ClientAuthSettings,
    /// What is asked for beyond grant and scopes.
    #[command(flatten)]
    #[serde(rename = "*asks")]
    pub asks: RequestOptions,
}
}

layer! {
/// How the client authenticates beyond id and secret (RFC 7523, 8705, 9449).
pub struct ClientAuthSettings {
    /// The method of client authentication.
    #[arg(long, value_name = "METHOD", value_parser = words::auths(), help_heading = "Client")]
    #[serde(with = "word")]
    pub auth: Option<ClientAuth>,
    /// The audience of assertions: `issuer`, `token-endpoint` or a URL [default: the provider's
    /// `assertion-audience`; else the issuer if it is known, and the token endpoint for a grant's]
    #[arg(long, value_name = "AUDIENCE", value_parser = words::audience, help_heading = "Client")]
    #[serde(deserialize_with = "audience")]
    pub assertion_audience: Option<String>,
    /// A file with the client's private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; `-` reads it from
    /// standard input.
    #[arg(long = "client-key-file", value_name = "FILE", value_parser = file, help_heading = "Client")]
    pub client_key: Option<SecretSource>,
    /// The key's `kid`, if its file has none.
    #[arg(skip)]
    pub client_key_id: Option<String> => own,
    /// The algorithm that the key signs with.
    #[arg(skip)]
    #[serde(with = "word")]
    pub client_key_algorithm: Option<Algorithm>,
    /// A file with the client's certificate, and its chain: PEM.
    #[arg(long, value_name = "FILE", value_parser = absolute, help_heading = "Client")]
    #[serde(serialize_with = "path")]
    pub client_certificate: Option<PathBuf> => own,
    /// Bind the tokens to a key of this machine (DPoP), so that a stolen token can't be used.
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Client")]
    pub dpop: Option<bool>,
}
}

layer! {
/// What a token is for. Also flags by themselves, where a command takes no others of a profile.
pub struct TokenTarget {
    /// A scope to ask for; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE", value_parser = words::said, help_heading = "Token")]
    pub scopes: Option<Vec<String>>,
    /// A service that the token is for, by its URL (RFC 8707); may be given several times.
    #[arg(long, value_name = "URL", value_parser = resource, help_heading = "Token")]
    #[serde(deserialize_with = "resources", skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String> => decides,
    /// A service that the token is for (RFC 8693); may be given several times.
    #[arg(long, value_name = "NAME", value_parser = words::said, help_heading = "Token")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String> => decides,
}
}

layer! {
/// The parameters of a sign-in, and the inputs of the grants without a browser.
pub struct RequestOptions {
    /// The parameters of a sign-in. `login` has the flags.
    #[arg(skip)]
    #[serde(rename = "*sign-in")]
    pub sign_in: SignIn,
    /// A file with the assertion to exchange (`jwt-bearer`, `saml2-bearer`); `-` reads it from
    /// standard input.
    #[arg(long = "assertion-file", value_name = "FILE", value_parser = file, help_heading = "Grants")]
    pub assertion: Option<SecretSource>,
    /// The subject of an assertion that is made here (`jwt-bearer` with a client key).
    #[arg(long, value_name = "NAME", help_heading = "Grants")]
    pub subject: Option<String> => decides,
    /// The issuer of that assertion [default: the client id]
    #[arg(long, value_name = "NAME", help_heading = "Grants")]
    pub assertion_issuer: Option<String> => decides,
    /// A file with the token to exchange (`token-exchange`); `-` reads it from standard input.
    #[arg(long = "subject-token-file", value_name = "FILE", value_parser = file, help_heading = "Grants", conflicts_with = "subject_profile")]
    pub subject_token: Option<SecretSource>,
    /// The type of that token: `access_token`, `refresh_token`, `id_token`, `saml1`, `saml2`,
    /// `jwt`, or a URI [default: access_token]
    #[arg(long, value_name = "TYPE", help_heading = "Grants")]
    pub subject_token_type: Option<String> => decides,
    /// Exchange the token of this other profile.
    #[arg(long, value_name = "PROFILE", help_heading = "Grants")]
    pub subject_profile: Option<String> => own,
    /// A file with the actor's token. The actor acts for the subject.
    #[arg(long = "actor-token-file", value_name = "FILE", value_parser = file, help_heading = "Grants")]
    pub actor_token: Option<SecretSource>,
    /// The type of the actor's token [default: access_token]
    #[arg(long, value_name = "TYPE", help_heading = "Grants")]
    pub actor_token_type: Option<String> => decides,
    /// The type of token to request.
    #[arg(long, value_name = "TYPE", help_heading = "Grants")]
    pub requested_token_type: Option<String> => decides,
}
}

layer! {
/// The parameters of a person's sign-in.
pub struct SignIn {
    /// The person who is to sign in, by a name known to the provider.
    #[arg(long, value_name = "NAME", help_heading = "Sign-in")]
    pub login_hint: Option<String> => own,
    /// The pages to show: `login`, `consent`, `select_account` or `none`; several with spaces.
    #[arg(long, value_name = "WORDS", help_heading = "Sign-in")]
    pub prompt: Option<String>,
    /// Ask for the password again if the last sign-in is older than this, in seconds.
    #[arg(long, value_name = "SECONDS", help_heading = "Sign-in")]
    pub max_age: Option<u32>,
    /// The accepted ways of authentication; several with spaces between them.
    #[arg(long, value_name = "VALUES", help_heading = "Sign-in")]
    pub acr_values: Option<String> => decides,
    /// Languages for the provider's pages (`de en`).
    #[arg(long, value_name = "LOCALES", help_heading = "Sign-in")]
    pub ui_locales: Option<String>,
    /// The exact permissions to ask for, as JSON (RFC 9396); `@FILE` reads them from a file.
    #[arg(long, value_name = "JSON", value_parser = details_or_file, help_heading = "Sign-in")]
    #[serde(deserialize_with = "authorization_details")]
    pub authorization_details: Option<String> => decides,
    /// The way in which the response comes back.
    #[arg(long, value_name = "MODE", value_parser = words::response_modes(), help_heading = "Sign-in")]
    #[serde(deserialize_with = "response_mode")]
    pub response_mode: Option<String>,
    /// Push the request to the provider first (RFC 9126); without WHEN: always.
    #[arg(long, value_name = "WHEN", value_parser = words::wanted(), num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Sign-in")]
    pub par: Option<When>,
    /// Sign the request with the client's key (RFC 9101); without WHEN: always.
    #[arg(long, value_name = "WHEN", value_parser = words::wanted(), num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Sign-in")]
    pub request_object: Option<When>,
    /// Your name at the provider (`--grant password`).
    #[arg(long, value_name = "NAME", help_heading = "Sign-in")]
    pub username: Option<String> => decides own,
    /// A file with your password (`--grant password`); `-` reads it from standard input.
    #[arg(long = "password-file", value_name = "FILE", value_parser = file, help_heading = "Sign-in")]
    pub password: Option<SecretSource> => once,
    /// A text for both devices to show (`--grant ciba`).
    #[arg(long, value_name = "TEXT", help_heading = "Sign-in")]
    pub binding_message: Option<String> => once,
    /// A file with an ID token of the person to ask (`--grant ciba`).
    #[arg(long = "id-token-hint-file", value_name = "FILE", value_parser = file, help_heading = "Sign-in")]
    pub id_token_hint: Option<SecretSource> => once,
    /// A file with a token that names the person to ask (`--grant ciba`).
    #[arg(long = "login-hint-token-file", value_name = "FILE", value_parser = file, help_heading = "Sign-in")]
    pub login_hint_token: Option<SecretSource> => once,
    /// The time that the person has to confirm, in seconds (`--grant ciba`).
    #[arg(long, value_name = "SECONDS", help_heading = "Sign-in")]
    pub requested_expiry: Option<u32>,
}
}

/// The keys that serve some grants alone.
const OF_GRANTS: [(&[GrantKind], &[&str]); 7] = {
    use GrantKind::{AuthorizationCode, Ciba, JwtBearer, Password, Saml2Bearer, TokenExchange};
    const CODE: &[&str] = &[
        "redirect-uri",
        "port",
        "listen",
        "prompt",
        "max-age",
        "ui-locales",
        "authorization-details",
        "response-mode",
        "par",
        "request-object",
    ];
    const CIBA: &[&str] = &["binding-message", "id-token-hint", "login-hint-token", "requested-expiry"];
    const EXCHANGE: &[&str] = &[
        "subject-token",
        "subject-token-type",
        "subject-profile",
        "actor-token",
        "actor-token-type",
        "requested-token-type",
    ];
    [
        (&[AuthorizationCode], CODE),
        (&[AuthorizationCode, Ciba], &["login-hint", "acr-values"]),
        (&[Ciba], CIBA),
        (&[Password], &["username", "password"]),
        (&[JwtBearer, Saml2Bearer], &["assertion"]),
        (&[JwtBearer], &["subject", "assertion-issuer"]),
        (&[TokenExchange], EXCHANGE),
    ]
};

/// Standard input, in place of a file.
const STDIN: &str = "-";

/// Whether a parameter or an address, which may hold anything, could hold a secret.
fn may_be_secret(key: &str, value: &toml_edit::Value) -> bool {
    const MARKS: [&str; 8] = ["secret", "key", "token", "password", "passwd", "assertion", "code", "auth"];
    match key.split_once('.') {
        Some(("params", name)) => {
            let name = name.to_lowercase();
            let is_long = texts(value).iter().any(|text| text.len() > 40 || text.starts_with("Bearer "));
            is_long || MARKS.iter().any(|mark| name.contains(mark))
        }
        _ => key == "resource" && texts(value).iter().any(|text| text.contains(['?', '@'])),
    }
}

impl Profile {
    /// All keys, in the order of the fields.
    pub fn keys() -> Vec<Key> {
        let mut keys = Vec::new();
        <Profile as Layer>::keys("", &[], &mut |key| keys.push(key));
        keys
    }

    /// Lays the values of environment or flags over the file's; a value removes those that exclude
    /// it. A client secret is for one command: the profile keeps its own.
    pub fn overlay(&mut self, over: &Profile) {
        let (asks, said) = (&mut self.asks, &over.asks);
        if said.subject_token.is_some() {
            asks.subject_profile = None;
        }
        if said.subject_profile.is_some() {
            asks.subject_token = None;
        }
        let (hints, said) = (&mut asks.sign_in, &said.sign_in);
        if said.login_hint.is_some() || said.id_token_hint.is_some() || said.login_hint_token.is_some() {
            (hints.login_hint, hints.id_token_hint, hints.login_hint_token) = (None, None, None);
        }
        // an address that names its port wins over the profile's port
        if over.redirect_uri.as_deref().is_some_and(|uri| written_port(uri).is_some()) {
            self.port = None;
        }
        let secret = self.client_secret.clone();
        self.lay_over(over);
        self.client_secret = secret;
    }

    /// The sources of secrets that go to the provider, or sign what goes there, each with its key.
    pub fn sent(&self) -> impl Iterator<Item = (&'static str, &SecretSource)> {
        let Profile { client_secret, earlier_client_secret, proofs, asks, .. } = self;
        let RequestOptions { assertion, subject_token, actor_token, sign_in, .. } = asks;
        let SignIn { password, id_token_hint, login_hint_token, .. } = sign_in;
        let sent = [
            ("client-secret", client_secret),
            ("earlier-client-secret", earlier_client_secret),
            ("client-key", &proofs.client_key),
            ("assertion", assertion),
            ("subject-token", subject_token),
            ("actor-token", actor_token),
            ("password", password),
            ("id-token-hint", id_token_hint),
            ("login-hint-token", login_hint_token),
        ];
        sent.into_iter().filter_map(|(key, source)| Some((key, source.as_ref()?)))
    }

    /// The key of a secret that goes to the provider, be it another profile's token.
    pub fn key_of_sent(&self) -> Option<&'static str> {
        let subject = self.asks.subject_profile.as_ref().map(|_| "subject-profile");
        self.sent().next().map(|(key, _)| key).or(subject)
    }

    /// The key of a parameter that may be a secret.
    pub fn secret_param(&self) -> Option<String> {
        let mut values = self.values().into_iter();
        values.find(|(key, value)| key.starts_with("params.") && may_be_secret(key, value)).map(|(key, _)| key)
    }

    /// The values, each by its key as the file has it: `client-key.file`, `vars.NAME`.
    pub fn values(&self) -> Vec<(String, toml_edit::Value)> {
        if *self == Profile::default() { Vec::new() } else { ser::keys(self) }
    }

    /// The values to add to a file with the values `known`, without those for one command.
    pub fn changes(&self, known: &Profile) -> Vec<(String, toml_edit::Value)> {
        let known: BTreeMap<String, String> = known.values().into_iter().map(|(k, v)| (k, v.to_string())).collect();
        let mut changes = self.values();
        let once = marked("once");
        changes.retain(|(key, value)| {
            !is_one_of(key, &once) && !reads_pipe(key, value) && known.get(key) != Some(&value.to_string())
        });
        changes
    }

    /// The values that another person can use: no secret, and no file, program, host or store of
    /// this machine's.
    pub fn shared(&self) -> Vec<(String, toml_edit::Value)> {
        let (once, own) = (marked("once"), marked("own"));
        let stays = |key: &str| {
            is_one_of(key, &once) || is_one_of(key, &own) || is_secret(key.split('.').next().unwrap_or_default())
        };
        let mut values = self.values();
        values.retain(|(key, value)| !stays(key) && !may_be_secret(key, value));
        values
    }

    /// The values that decide which token is issued. Secret inputs are compared elsewhere.
    pub fn deciding(&self) -> BTreeMap<String, String> {
        let decides = marked("decides");
        let values = self.values().into_iter().filter(|(key, _)| is_one_of(key, &decides));
        values.map(|(key, value)| (key, texts(&value).join(" "))).collect()
    }

    /// A flag of another grant, and the grants that it serves.
    pub fn of_another_grant(&self, grant: GrantKind) -> Option<(String, &'static [GrantKind])> {
        self.values().into_iter().find_map(|(key, _)| {
            let name = key.split('.').next().unwrap_or_default();
            let (grants, _) = OF_GRANTS.iter().find(|(_, keys)| keys.contains(&name))?;
            (!grants.contains(&grant)).then(|| (flag(&key), *grants))
        })
    }

    /// The flags that read standard input, which can be read once.
    pub fn from_stdin(&self) -> Vec<String> {
        let reads = self.values().into_iter().filter(|(key, value)| reads_stdin(key, value));
        reads.map(|(key, _)| flag(&key)).collect()
    }

    /// The keys whose values come from a pipe.
    pub fn from_pipes(&self) -> Vec<String> {
        let reads = self.values().into_iter().filter(|(key, value)| reads_pipe(key, value));
        reads.map(|(key, _)| key.trim_end_matches(".file").to_owned()).collect()
    }

    /// The command-line options with these values, without secrets and pipes.
    pub fn options(&self) -> Vec<(String, String)> {
        // none for each profile of a list
        if *self == Profile::default() {
            return Vec::new();
        }
        let mut options = Vec::new();
        for (key, value) in self.values().into_iter().filter(|(key, value)| !reads_pipe(key, value)) {
            let path = toml_edit::Key::parse(&key).unwrap_or_default();
            match path.iter().map(toml_edit::Key::get).collect::<Vec<_>>()[..] {
                ["vars", name] => options.push(("--var".to_owned(), format!("{name}={}", texts(&value).concat()))),
                ["params", name] => options.push(("--param".to_owned(), format!("{name}={}", texts(&value).concat()))),
                ["scopes"] => options.extend(texts(&value).into_iter().map(|scope| ("--scope".to_owned(), scope))),
                ["dpop" | "allow-private"] => options.push((flag(&key), String::new())),
                _ => options.extend(texts(&value).into_iter().map(|text| (flag(&key), text))),
            }
        }
        options
    }

    /// The parameters of the authorization request; `resource` and `audience` may occur several
    /// times.
    pub fn authorize_params(&self) -> Vec<(&'static str, String)> {
        let sign_in = &self.asks.sign_in;
        let texts = [
            ("response_mode", &sign_in.response_mode),
            ("login_hint", &sign_in.login_hint),
            ("prompt", &sign_in.prompt),
            ("acr_values", &sign_in.acr_values),
            ("ui_locales", &sign_in.ui_locales),
            ("authorization_details", &sign_in.authorization_details),
        ];
        let mut out: Vec<(&'static str, String)> =
            texts.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
        out.extend(sign_in.max_age.map(|age| ("max_age", age.to_string())));
        // `query` is the default, and overrides a provider's own mode
        let mode = out.iter_mut().find(|(name, value)| *name == "response_mode" && value == "query");
        mode.into_iter().for_each(|(_, value)| value.clear());
        out.extend(self.target.resource.iter().map(|resource| ("resource", resource.clone())));
        out.extend(self.target.audience.iter().map(|audience| ("audience", audience.clone())));
        out
    }
}

/// Whether the key's value is a source of a secret: a table with `command`, `file` or `env`.
pub(super) fn is_secret(name: &str) -> bool {
    Profile::keys().iter().any(|key| key.name == name && key.parts == SecretSource::PARTS)
}

fn marked(mark: &str) -> Vec<Key> {
    Profile::keys().into_iter().filter(|key| key.mark.contains(&mark)).collect()
}

fn is_one_of(key: &str, keys: &[Key]) -> bool {
    let name = key.split('.').next().unwrap_or_default();
    keys.iter().any(|key| key.name == name)
}

fn reads_stdin(key: &str, value: &toml_edit::Value) -> bool {
    key.ends_with(".file") && value.as_str() == Some(STDIN)
}

/// Whether this command alone can read the file: standard input, or a pipe of the shell's, `<(…)`.
fn reads_pipe(key: &str, value: &toml_edit::Value) -> bool {
    const PIPES: [&str; 3] = ["/dev/stdin", "/dev/fd/", "/proc/self/fd/"];
    let is_pipe = |file: &str| PIPES.iter().any(|pipe| file.starts_with(pipe));
    reads_stdin(key, value) || key.ends_with(".file") && value.as_str().is_some_and(is_pipe)
}

fn flag(key: &str) -> String {
    format!("--{}", key.replace('.', "-"))
}

fn texts(value: &toml_edit::Value) -> Vec<String> {
    match value {
        toml_edit::Value::Array(list) => list.iter().flat_map(texts).collect(),
        toml_edit::Value::String(text) => vec![text.value().clone()],
        other => vec![other.to_string()],
    }
}

/// A file as it was typed.
fn as_typed(text: &str) -> Result<SecretSource, String> {
    Ok(SecretSource::File(PathBuf::from(text)))
}

fn file(text: &str) -> Result<SecretSource, String> {
    absolute(text).map(SecretSource::File)
}

/// The path is stored, and used later from another folder.
fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match text == STDIN || text.starts_with("~/") {
        true => Ok(path),
        false => Ok(std::path::absolute(&path).unwrap_or(path)),
    }
}

fn path<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.display().to_string()).serialize(to)
}

/// Reads a text and checks it; a second line of the error is its hint.
fn text<'de, D: Deserializer<'de>>(
    from: D,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    check(&text).map_err(serde::de::Error::custom)?;
    Ok(Some(text))
}

/// `https` or an app's own scheme (the user pastes the address), or `http` on loopback.
fn redirect_uri<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, |uri| {
        let hint = match with_scheme(uri) {
            Some(meant) => format!("did you mean `{}`?", safe(&meant)),
            None => "use `https://…`, or `http://127.0.0.1:PORT/…` on this machine".to_owned(),
        };
        if is_of_app(uri) {
            return Ok(());
        }
        check_url(uri).map(|_| ()).map_err(|fault| format!("holds `{}`, which {fault}\n{hint}", safe(uri)))
    })
}

/// A single port is written as a number, several as a text; a list is read too.
mod ports {
    use serde_json::Value;

    use super::*;

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let text = match Value::deserialize(from)? {
            Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(","),
            value => shown(&value),
        };
        words::ports(&text).map_err(|why| serde::de::Error::custom(words::refused(&text, &why)))?;
        Ok(Some(text))
    }

    pub fn serialize<S: Serializer>(text: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
        match text.as_ref().map(|text| text.parse::<u16>()) {
            Some(Ok(port)) => port.serialize(to),
            _ => text.serialize(to),
        }
    }
}

fn listen<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, |address| words::listen(address).map(|_| ()).map_err(|why| words::refused(address, &why)))
}

fn browser<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    let command = Vec::<String>::deserialize(from)?;
    match command.first().is_none_or(String::is_empty) {
        true => Err(serde::de::Error::custom("names no program")),
        false => Ok(Some(command)),
    }
}

fn services<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    let all = Vec::<String>::deserialize(from)?;
    for one in &all {
        let more = if one.contains(',') { " (write several with spaces between them)" } else { "" };
        Service::parse(one).map_err(|why| serde::de::Error::custom(format!("holds `{}`: {why}{more}", safe(one))))?;
    }
    Ok(Some(all))
}

fn response_mode<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, |mode| words::response_mode(mode).map(|_| ()).map_err(|why| words::refused(mode, &why)))
}

fn audience<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, |audience| words::audience(audience).map(|_| ()).map_err(|why| words::refused(audience, &why)))
}

fn authorization_details<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from, |details| authorization_details::check(details).map(|_| ()).map_err(|e| e.to_string()))
}

fn resources<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let all = Vec::<String>::deserialize(from)?;
    for one in &all {
        let refused = |why| serde::de::Error::custom(format!("holds `{}`: it {why}", safe(one)));
        token_request::check_resource(one).map_err(refused)?;
    }
    Ok(all)
}

fn resource(text: &str) -> Result<String, String> {
    token_request::check_resource(text).map(|()| text.to_owned()).map_err(|why| format!("it {why}"))
}

fn details_or_file(text: &str) -> Result<String, String> {
    let read;
    let text = match text.strip_prefix('@') {
        Some(file) => {
            read = std::fs::read_to_string(file).map_err(|e| format!("`{}` can't be read: {e}", safe(file)))?;
            read.as_str()
        }
        None => text,
    };
    authorization_details::check(text).map_err(|e| format!("it {e}"))
}

/// The keys of a profile, for a hint; a source of a secret is named without its parts.
pub fn all_profile_keys() -> String {
    let name = |key: Key| match key.parts {
        [only] => key.name + only,
        _ => key.name,
    };
    format!("the keys are {}", Profile::keys().into_iter().map(name).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::de;

    fn said(profile: &Profile, known: &Profile) -> Vec<String> {
        profile.changes(known).into_iter().map(|(key, value)| format!("{key} = {value}")).collect()
    }

    #[test]
    fn what_is_said_now_wins_and_only_what_is_new_is_remembered() {
        let mut known = Profile::default();
        known.target.resource = vec!["https://a.example".into()];
        (known.asks.sign_in.prompt, known.asks.sign_in.max_age) = (Some("login".into()), Some(5));
        known.proofs.auth = Some(ClientAuth::PrivateKeyJwt);
        let mut now = Profile { client_secret: Some(SecretSource::File("/x/s".into())), ..Profile::default() };
        (now.asks.sign_in.prompt, now.asks.sign_in.max_age) = (Some("consent".into()), Some(5));
        (now.asks.sign_in.par, now.target.audience) = (Some(When::Always), vec!["b c".into()]);
        now.asks.assertion = Some(SecretSource::File("/x/jwt".into()));
        now.asks.subject_token = Some(SecretSource::File("-".into()));
        now.asks.actor_token = Some(SecretSource::File("/dev/fd/63".into()));
        now.asks.sign_in.password = Some(SecretSource::File("/x/p".into()));
        now.proofs.auth = Some(ClientAuth::PrivateKeyJwt);
        now.proofs.assertion_audience = Some("issuer".into());
        now.proofs.dpop = Some(true);
        assert_eq!(
            said(&now, &known),
            [
                "audience = [\"b c\"]",
                "assertion-audience = \"issuer\"",
                "dpop = true",
                "prompt = \"consent\"",
                "par = true",
                "assertion.file = \"/x/jwt\""
            ]
        );
        assert_eq!(now.from_stdin(), ["--subject-token-file"]);
        assert_eq!(now.from_pipes(), ["subject-token", "actor-token"]);
        let mut laid = known.clone();
        laid.overlay(&now);
        assert_eq!(laid.asks.sign_in.prompt.as_deref(), Some("consent"));
        assert_eq!((&laid.target.resource, &laid.target.audience), (&known.target.resource, &now.target.audience));
        assert_eq!(laid.client_secret, None, "it is for one command");
        let by_profile = RequestOptions { subject_profile: Some("work".into()), ..RequestOptions::default() };
        laid.overlay(&Profile { asks: by_profile, ..Profile::default() });
        assert!(laid.asks.subject_token.is_none(), "a profile said now takes the token's place");
        laid.overlay(&now);
        assert!(laid.asks.subject_profile.is_none(), "and a token the profile's");
    }

    #[test]
    fn every_flag_is_a_key_and_is_said_again_by_its_name() {
        let mut profile = Profile { allow_private: Some(true), ..Profile::default() };
        profile.target.scopes = Some(vec!["a".into(), "b".into()]);
        profile.vars.insert("x y".into(), "1 2".into());
        profile.asks.sign_in.par = Some(When::Auto);
        profile.proofs.client_key = Some(SecretSource::File("/x/key".into()));
        profile.asks.assertion = Some(SecretSource::File("-".into()));
        let options: Vec<String> =
            profile.options().into_iter().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(
            options,
            ["--var x y=1 2", "--scope a", "--scope b", "--allow-private ", "--client-key-file /x/key", "--par auto"]
        );
    }

    // a new key is one that another person gets too, unless it is marked
    #[test]
    fn of_all_keys_these_alone_are_not_shared() {
        let keys = Profile::keys();
        let stays = |key: &&Key| key.mark.contains(&"own") || key.mark.contains(&"once") || is_secret(&key.name);
        let own: Vec<&str> = keys.iter().filter(stays).map(|key| key.name.as_str()).collect();
        assert_eq!(
            own,
            [
                "client-secret",
                "earlier-client-secret",
                "listen",
                "browser",
                "helper-hosts",
                "store",
                "allow-private",
                "client-key",
                "client-key-id",
                "client-certificate",
                "login-hint",
                "username",
                "password",
                "binding-message",
                "id-token-hint",
                "login-hint-token",
                "assertion",
                "subject-token",
                "subject-profile",
                "actor-token",
            ]
        );
    }

    layer! {
    /// A part with one key.
    pub struct MadeUp {
        /// It is made up.
        #[arg(long, value_name = "WORD")]
        pub made_up: Option<String> => once,
    }
    }

    // one field with its flag is all that a key takes
    #[test]
    fn a_key_that_is_made_up_is_read_written_layered_and_a_flag() {
        let command = MadeUp::augment_args(clap::Command::new("x"));
        let arg = command.get_arguments().find(|arg| arg.get_long() == Some("made-up")).unwrap();
        assert_eq!(arg.get_help().unwrap().to_string(), "It is made up");
        let table = crate::layers::tree::parse("x.toml", "made-up = \"a\"").unwrap();
        let mut file: MadeUp = de::read(&table, "x.toml").unwrap();
        let found = command.get_matches_from(["x", "--made-up", "b"]);
        file.lay_over(&<MadeUp as clap::FromArgMatches>::from_arg_matches(&found).unwrap());
        assert_eq!(ser::keys(&file)[0].1.to_string(), "\"b\"");
        let mut keys = Vec::new();
        MadeUp::keys("", &[], &mut |key| keys.push((key.name, key.mark)));
        assert_eq!(keys, [("made-up".to_owned(), &["once"][..])]);
    }
}
