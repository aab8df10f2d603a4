//! Profiles, and the user's own providers: `config.toml` and `providers/*.toml`. An unknown key is
//! an error that names the nearest known key, the file and the line.
//!
//! `file` reads files that only this user could have written, `profile` has the keys of a profile
//! and `words` their values, `read` reads `config.toml`, `one` finds one profile in a file of ten
//! thousand, `edit` writes, `providers` finds the user's own providers and the built-in ones,
//! `registry` takes those that a team keeps.

mod edit;
mod file;
mod profile;
mod providers;
mod read;
mod registry;
mod slice;
pub mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use edit::{Editor, edit, lines, profile_keys, try_edit, written};
pub use profile::{ClientAuthSettings, Layer, Profile, SignIn, TokenTarget, all_profile_keys};
pub use providers::{
    Brief, add_provider, aliases, changed_built_in, description, in_brief, is_built_in, kept_copy, own_provider,
    provider, provider_by_alias, provider_files, provider_in_environments, provider_names, registries, remove_copy,
    replace_provider, same_provider, validate_all, write_copy,
};

pub use registry::{Pin, Registry, digest, is_of_registry};

use crate::address::with_scheme;
use crate::layers::tree::ReadError;
use crate::protocol::age::Recipient;
use crate::store::StoreKind;
use crate::text::{TOKEN_ON_STDIN, is_plain, may_be_token, repeated, safe};

/// The file in the configuration folder.
pub const FILE: &str = "config.toml";

/// How many profiles are parsed together: each parse has a cost of its own.
const AT_A_TIME: usize = 100;

/// Longest name of a profile, in characters: names in the keychain contain it.
const LONGEST_NAME: usize = 64;

/// `config.toml`, or the defaults where there is none.
#[derive(Clone, Debug, PartialEq, Default, serde::Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    pub default_profile: Option<String>,
    #[serde(with = "words::store")]
    pub store: Option<StoreKind>,
    /// The file of a private key of age or SSH: sealed files are sealed for it. Absolute, `~/…`, or
    /// beside `config.toml`.
    pub store_identity: Option<PathBuf>,
    /// Who else may open them.
    pub store_recipients: Vec<Recipient>,
    /// `false`: no copy in the kernel's keyring.
    pub cache: Option<bool>,
    /// The first rule that fits chooses the profile, where none is named.
    pub when: Vec<When>,
    // boxed: the map's nodes are half empty, and a file has up to a hundred thousand
    pub profiles: BTreeMap<String, Box<Profile>>,
    /// What is wrong with the profiles that can't be read: these are not in `profiles`.
    #[serde(skip)]
    pub faults: BTreeMap<String, ConfigError>,
}

/// A rule that chooses a profile by the working folder, or by a remote of its git repository.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "read::Rule")]
pub struct When {
    pub profile: String,
    /// A pattern, absolute or `~/…`.
    pub folder: Option<String>,
    /// A pattern of `host/path`.
    pub remote: Option<String>,
}

/// The source of a secret that isn't in the store.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "read::Source", into = "read::Source")]
pub enum SecretSource {
    /// A program and its arguments; the secret is the first line of its output.
    Command(Vec<String>),
    /// Absolute, or `~/…`: see [`expand_home`].
    File(PathBuf),
    /// The name of an environment variable.
    Env(String),
}

/// A way to obtain a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    AuthorizationCode,
    DeviceCode,
    ClientCredentials,
    JwtBearer,
    Saml2Bearer,
    TokenExchange,
    Ciba,
    Password,
}

/// The error for the implicit grant.
pub const IMPLICIT_REFUSED: &str =
    "the implicit grant hands tokens to the browser's history: RFC 9700 forbids it; use `--grant authorization-code`";

impl GrantKind {
    /// All grants.
    pub const ALL: [GrantKind; 8] = [
        GrantKind::AuthorizationCode,
        GrantKind::DeviceCode,
        GrantKind::ClientCredentials,
        GrantKind::JwtBearer,
        GrantKind::Saml2Bearer,
        GrantKind::TokenExchange,
        GrantKind::Ciba,
        GrantKind::Password,
    ];

    /// The name, the `grant_type`, and whether a person signs in.
    fn facts(self) -> (&'static str, &'static str, bool) {
        match self {
            GrantKind::AuthorizationCode => ("authorization-code", "authorization_code", true),
            GrantKind::DeviceCode => ("device-code", "urn:ietf:params:oauth:grant-type:device_code", true),
            GrantKind::ClientCredentials => ("client-credentials", "client_credentials", false),
            GrantKind::JwtBearer => ("jwt-bearer", "urn:ietf:params:oauth:grant-type:jwt-bearer", false),
            GrantKind::Saml2Bearer => ("saml2-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer", false),
            GrantKind::TokenExchange => ("token-exchange", "urn:ietf:params:oauth:grant-type:token-exchange", false),
            GrantKind::Ciba => ("ciba", "urn:openid:params:grant-type:ciba", true),
            GrantKind::Password => ("password", "password", true),
        }
    }

    /// Whether a person signs in. If not, a new token is requested when needed.
    pub fn needs_person(self) -> bool {
        self.facts().2
    }

    /// The grant's name in flags and files.
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// The value of `grant_type`, and of the metadata's `grant_types_supported`.
    pub fn grant_type(self) -> &'static str {
        self.facts().1
    }

    /// Accepts the RFC's spelling (`client_credentials`) and its `urn:…` too.
    pub fn from_name(name: &str) -> Option<GrantKind> {
        let name = name.replace('_', "-");
        let name = ["urn:ietf:params:oauth:grant-type:", "urn:openid:params:grant-type:"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(&name);
        // people type `code` and `device`
        match name {
            "code" => Some(GrantKind::AuthorizationCode),
            "device" => Some(GrantKind::DeviceCode),
            _ => GrantKind::ALL.into_iter().find(|g| g.name() == name),
        }
    }
}

/// An error in the configuration, with the place (file, line).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    pub message: String,
    pub hint: Option<String>,
}

const LOOK_AT_THE_DISK: &str = "look at the disk and at the permissions, and run the command again";

impl ConfigError {
    /// An error without a hint.
    pub fn new(message: impl Into<String>) -> ConfigError {
        ConfigError { message: message.into(), hint: None }
    }

    /// An error with a hint.
    pub fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> ConfigError {
        ConfigError { message: message.into(), hint: Some(hint.into()) }
    }

    /// A second line is the hint.
    fn of_lines(text: String) -> ConfigError {
        match text.split_once('\n') {
            Some((message, hint)) => ConfigError::with_hint(message, hint),
            None => ConfigError::new(text),
        }
    }

    /// An error of the disk or of a permission; `done`: what can't be done (`written`).
    fn of_disk(path: &Path, done: &str, e: &dyn std::fmt::Display) -> ConfigError {
        ConfigError::with_hint(format!("{} can't be {done}: {e}", path.display()), LOOK_AT_THE_DISK)
    }
}

impl From<ReadError> for ConfigError {
    fn from(error: ReadError) -> ConfigError {
        let hint = match &error {
            ReadError::Untrusted { mend, .. } => Some(mend.clone()),
            ReadError::Unreadable { .. } => Some(LOOK_AT_THE_DISK.to_owned()),
            ReadError::UnknownProvider { .. } => Some("`oauthctl provider list` shows all".to_owned()),
            ReadError::UnknownEnvironment { provider, known, .. } if known.is_empty() => {
                Some(format!("the provider `{}` has no environments at all", safe(provider)))
            }
            ReadError::UnknownEnvironment { known, .. } => Some(format!("it has `{}`", safe(&known.join("`, `")))),
            ReadError::Missing { file, key } if key == "id" => {
                let name = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".toml");
                Some(format!("its first line repeats the name of the file: `id = \"{}\"`", safe(name)))
            }
            ReadError::Missing { key, .. } => {
                Some(format!("add `{}`; `oauthctl provider show getresponse` prints a complete provider", safe(key)))
            }
            ReadError::UnknownKey { at, .. } if at.file.starts_with("providers/") => {
                Some("`oauthctl provider show NAME` prints a provider with the keys it may have".to_owned())
            }
            _ => None,
        };
        let own = ConfigError::of_lines(error.to_string());
        ConfigError { hint: own.hint.or(hint), ..own }
    }
}

impl Config {
    /// The whole of `<dir>/config.toml`; the defaults where there is no such file.
    pub fn load(dir: &Path) -> Result<Config, ConfigError> {
        Config::with_faults(dir)?.whole()
    }

    /// The same, if only single profiles have a fault.
    fn with_faults(dir: &Path) -> Result<Config, ConfigError> {
        let mut profiles = BTreeMap::new();
        let rest = Config::each(dir, |one| {
            profiles.extend(std::mem::take(&mut one.profiles));
            Ok::<_, ConfigError>(())
        })?;
        Ok(Config { profiles, ..rest })
    }

    /// Makes the fault of a profile that of the file.
    pub fn whole(mut self) -> Result<Config, ConfigError> {
        self.faults.pop_first().map_or(Ok(self), |(_, fault)| Err(fault))
    }

    /// Gives the configuration with each of its profiles in turn, by name. Returns the rest, with
    /// the faults of single profiles. A hundred thousand profiles are never in memory at once.
    pub fn each<E: From<ConfigError>>(
        dir: &Path,
        mut take: impl FnMut(&mut Config) -> Result<(), E>,
    ) -> Result<Config, E> {
        let Some(text) = text(dir)? else { return Ok(Config::default()) };
        let (top, sections) = slice::sections(&text).unwrap_or_else(|| (&text, Vec::new()));
        // an error in a section is reported with the lines of the whole file
        let read = |part: &str| read::with_faults(dir, part).or_else(|_| read::with_faults(dir, &text));
        let (mut rest, mut sections) = (read(top)?, sections.chunk_by(|(one, _), (next, _)| one == next));
        let (mut profiles, mut faults) = (std::mem::take(&mut rest.profiles), std::mem::take(&mut rest.faults));
        loop {
            for one in profiles {
                rest.profiles = BTreeMap::from([one]);
                take(&mut rest)?;
            }
            // the last line of the file may have no end
            let some = sections.by_ref().take(AT_A_TIME).flatten();
            let some = some.fold(String::new(), |some, (_, section)| some + section + "\n");
            if some.is_empty() {
                break;
            }
            let read = read(&some)?;
            profiles = read.profiles;
            faults.extend(read.faults);
        }
        if !faults.is_empty() {
            // and so are these
            faults = read(&text)?.faults;
        }
        Ok(Config { profiles: BTreeMap::new(), faults, ..rest })
    }

    /// The names of the profiles that begin so, and the provider that each names in a line of its
    /// own. For completion, which has no time to parse ten thousand of them.
    pub fn names(dir: &Path, begin: &str) -> BTreeMap<String, Option<String>> {
        let text = text(dir).ok().flatten().unwrap_or_default();
        let provider = |line: &str| Some(line.strip_prefix("provider = \"")?.split('"').next()?.to_owned());
        let mut names = BTreeMap::new();
        let read = slice::beginning(&text, begin, |name, section| {
            let known = names.entry(name.to_owned()).or_insert(None);
            *known = known.take().or_else(|| section.lines().find_map(provider));
        });
        if read.is_none() {
            let profiles = Config::load(dir).map(|config| config.profiles).unwrap_or_default();
            return profiles.into_iter().map(|(name, profile)| (name, profile.provider)).collect();
        }
        names
    }

    /// The configuration with only one profile (if it exists). The others are not parsed, and their
    /// errors not noticed: ten thousand profiles cost a scan for line starts.
    pub fn load_for(dir: &Path, profile: &str) -> Result<Config, ConfigError> {
        match text(dir)? {
            Some(text) => Config::from_text_for(dir, &text, profile),
            None => Ok(Config::default()),
        }
    }

    /// Reads the text of `<dir>/config.toml`.
    pub fn from_text(dir: &Path, text: &str) -> Result<Config, ConfigError> {
        read::config(dir, text)
    }

    /// The profiles, and the store that each names.
    pub fn stores(&self) -> impl Iterator<Item = (String, Option<StoreKind>)> {
        self.profiles.iter().map(|(name, profile)| (name.clone(), profile.store))
    }

    /// [`Config::load_for`] from the file's text.
    pub fn from_text_for(dir: &Path, text: &str, profile: &str) -> Result<Config, ConfigError> {
        let sliced = slice::slice(text, profile).and_then(|slice| read::config(dir, &slice).ok());
        // an error in the slice is reported with the lines of the whole file
        let mut config = sliced.map_or_else(|| read::with_faults(dir, text), Ok)?;
        config.profiles.retain(|name, _| name == profile);
        std::mem::take(&mut config.faults).remove(profile).map_or(Ok(config), Err)
    }
}

fn text(dir: &Path) -> Result<Option<String>, ConfigError> {
    Ok(file::text(dir, FILE)?)
}

/// The error for a name that no profile has. It may be a token, typed by mistake.
pub fn no_profile(name: &str) -> ConfigError {
    let hint = if may_be_token(name) { TOKEN_ON_STDIN } else { "`oauthctl list` names the profiles" };
    ConfigError::with_hint(format!("there is no profile `{}`", repeated(name)), hint)
}

/// Refuses a name that doesn't fit command lines, file names and the keychain.
pub fn check_profile_name(name: &str) -> Result<(), ConfigError> {
    let why = if name.is_empty() {
        "is empty"
    } else if name.chars().count() > LONGEST_NAME {
        "is longer than 64 characters"
    } else if name.starts_with('-') {
        "starts with `-`"
    } else if name.contains(['/', '\\']) {
        "contains a slash"
    } else if name == "." || name == ".." {
        "is the name of a folder"
    } else if !is_plain(name) && safe(name) != name {
        "contains characters that can't be shown safely, or spaces at its ends"
    } else {
        return Ok(());
    };
    if may_be_token(name) {
        return Err(ConfigError::with_hint(format!("this is no name for a profile: it {why}"), TOKEN_ON_STDIN));
    }
    let hint = with_scheme(name).map(|url| format!("did you mean `{}`?", safe(&url)));
    Err(ConfigError::with_hint(
        format!("`{}` is no name for a profile: it {why}", safe(name)),
        hint.unwrap_or_else(|| "a name of letters, digits, `-`, `_` and `.` always works, such as `work`".to_owned()),
    ))
}

/// `~/…` below `home`; any other path as it is.
pub fn expand_home(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
