//! Profiles, and the person's own providers: `config.toml` and `providers/*.toml`. Strict: an unknown key is an error that
//! names the nearest known one, the file and the line. Comments survive when a command edits the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::provider::Provider;
use crate::store::StoreKind;

/// `config.toml`, or the defaults where there is none.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Config {
    pub default_profile: Option<String>,
    pub store: Option<StoreKind>,
    /// `cache = false` does without the kernel's copy.
    pub cache: Option<bool>,
    pub profiles: BTreeMap<String, Profile>,
}

/// Who I am at a provider. Every key is optional: what is missing comes from flags, the environment or the provider.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Profile {
    /// A provider's name, or an issuer's URL.
    pub provider: Option<String>,
    pub environment: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<SecretSource>,
    pub grant: Option<GrantKind>,
    pub scopes: Option<Vec<String>>,
    pub redirect_uri: Option<String>,
    pub port: Option<u16>,
    pub store: Option<StoreKind>,
    pub vars: BTreeMap<String, String>,
    /// Extra parameters of the authorize request.
    pub params: BTreeMap<String, String>,
}

/// Where a client secret comes from when it isn't in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    Command(Vec<String>),
    File(PathBuf),
    Env(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    AuthorizationCode,
    ClientCredentials,
}

impl GrantKind {
    pub const ALL: [GrantKind; 2] = [GrantKind::AuthorizationCode, GrantKind::ClientCredentials];

    pub fn name(self) -> &'static str {
        match self {
            GrantKind::AuthorizationCode => "authorization-code",
            GrantKind::ClientCredentials => "client-credentials",
        }
    }

    /// Accepts the RFC's spelling (`client_credentials`) too.
    pub fn from_name(name: &str) -> Option<GrantKind> {
        let name = name.replace('_', "-");
        GrantKind::ALL.into_iter().find(|g| g.name() == name)
    }
}

/// What is wrong with the configuration, where (file, line), and what was meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    pub message: String,
    pub hint: Option<String>,
}

impl Config {
    pub fn load(_dir: &Path) -> Result<Config, ConfigError> {
        unimplemented!()
    }

    /// The same with only one profile in `profiles` (if it is there), read without parsing the others: ten thousand profiles
    /// cost a scan for line starts.
    pub fn load_for(_dir: &Path, _profile: &str) -> Result<Config, ConfigError> {
        unimplemented!()
    }
}

/// Finds a provider by name or alias: the person's own file first (`<dir>/providers/NAME.toml`), then the catalogue.
pub fn provider(_dir: &Path, _name: &str, _environment: Option<&str>) -> Result<Provider, ConfigError> {
    unimplemented!()
}

/// Names of the person's own providers and of the built-in ones, sorted; `true`: the person's own.
pub fn provider_names(_dir: &Path) -> Result<Vec<(String, bool)>, ConfigError> {
    unimplemented!()
}

/// Edits `config.toml` in place: comments and order survive, the file is replaced whole, two edits at once don't lose one.
pub fn edit<T>(_dir: &Path, _change: impl FnOnce(&mut Editor) -> Result<T, ConfigError>) -> Result<T, ConfigError> {
    unimplemented!()
}

/// What [`edit`] offers.
pub struct Editor;

impl Editor {
    /// Sets one key (`client-id`, `vars.domain`, …) of a profile, made if it isn't there. The value is parsed by the key's type.
    pub fn set(&mut self, _profile: &str, _key: &str, _value: &str) -> Result<(), ConfigError> {
        unimplemented!()
    }
    /// Whether the key was there.
    pub fn unset(&mut self, _profile: &str, _key: &str) -> Result<bool, ConfigError> {
        unimplemented!()
    }
    pub fn remove(&mut self, _profile: &str) -> Result<bool, ConfigError> {
        unimplemented!()
    }
    pub fn rename(&mut self, _from: &str, _to: &str) -> Result<(), ConfigError> {
        unimplemented!()
    }
    /// A top-level key: `default-profile`, `store`, `cache`.
    pub fn set_top(&mut self, _key: &str, _value: &str) -> Result<(), ConfigError> {
        unimplemented!()
    }
}
