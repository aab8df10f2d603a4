//! Reads `config.toml`. An error names file, line and key, and has a hint.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::profile::all_profile_keys;
use super::profile::{Layer, Profile, is_secret};
use super::{Config, ConfigError, FILE, SecretSource, When, check_profile_name};
use crate::layers::de;
use crate::layers::tree::{self, Entry, ReadError, Table, Value};
use crate::text::safe;
use crate::world::repository::pattern_of_place;

const TOP_KEYS: &str = "the keys are default-profile, store, store-identity, store-recipients, cache and the sections \
                        [profiles.NAME] and [[when]]";

/// Reads the text of `<dir>/config.toml`. A profile's fault is the file's.
pub(super) fn config(dir: &Path, text: &str) -> Result<Config, ConfigError> {
    with_faults(dir, text)?.whole()
}

/// The same, with the faults of single profiles among its values.
pub(super) fn with_faults(dir: &Path, text: &str) -> Result<Config, ConfigError> {
    let mut table = tree::parse(FILE, text)?;
    let mut profiles = Table::new();
    if let Some(Entry { value: Value::Table(all), .. }) = table.get_mut("profiles") {
        std::mem::swap(all, &mut profiles);
    }
    for (name, entry) in &profiles {
        check_profile_name(name).map_err(|bad| ConfigError::new(format!("{} ({})", bad.message, entry.at)))?;
    }
    let mut config: Config = de::read(&table, FILE).map_err(|fault| told(fault, None))?;
    if config.store_identity.is_none() && !config.store_recipients.is_empty() {
        return Err(ConfigError::with_hint(
            format!("`store-recipients` in {FILE} needs `store-identity`: the key that opens the records here"),
            "`age-keygen -o FILE` makes one, and `store-identity = \"FILE\"` names it",
        ));
    }
    for (name, entry) in profiles {
        match de::read_entry::<Box<Profile>>(&["profiles", &name], &entry) {
            Ok(mut profile) => {
                profile.root(dir);
                config.profiles.insert(name, profile);
            }
            Err(fault) => {
                let fault = told(fault, Some(&name));
                config.faults.insert(name, fault);
            }
        }
    }
    Ok(config)
}

/// An error with the hint that fits its key. `of`: the profile.
fn told(fault: ReadError, of: Option<&str>) -> ConfigError {
    let is_far = matches!(fault, ReadError::UnknownKey { nearest: None, .. });
    let key = match &fault {
        ReadError::UnknownKey { key, .. } | ReadError::WrongType { key, .. } | ReadError::Refused { key, .. } => key,
        _ => return fault.into(),
    };
    let own = of.and_then(|name| key.strip_prefix(&safe(&format!("profiles.{name}."))));
    let hint = match own.and_then(|own| own.split('.').next()) {
        Some(own) if is_secret(own) => Some(secret_hint(own)),
        Some(_) => is_far.then(all_profile_keys),
        None => is_far.then(|| TOP_KEYS.to_owned()),
    };
    let error = match &fault {
        ReadError::WrongType { key, at, wanted: "a table", found: "a text" } if own.is_some() => {
            ConfigError::new(format!("`{key}` in {at} contains a secret in plain text"))
        }
        _ => ConfigError::from(fault),
    };
    ConfigError { hint: error.hint.or(hint), ..error }
}

fn secret_hint(key: &str) -> String {
    format!(
        "a secret never belongs in the configuration: `{{ command = [\"pass\", \"show\", \"x\"] }}`, `{{ file = \"…\" }}` or \
         `{{ env = \"…\" }}`{}",
        or_at_login(key)
    )
}

/// A client secret may also be in the store.
pub(super) fn or_at_login(key: &str) -> &'static str {
    match key {
        "client-secret" => "; without any, `oauthctl login` asks once and stores it",
        _ => "",
    }
}

/// A source of a secret, as written in the file.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    command: Option<Vec<String>>,
    file: Option<String>,
    env: Option<String>,
}

impl TryFrom<Source> for SecretSource {
    type Error = &'static str;

    fn try_from(source: Source) -> Result<SecretSource, &'static str> {
        match (source.command, source.file, source.env) {
            (Some(command), None, None) if command.first().is_none_or(String::is_empty) => {
                Err("has a `command` that names no program")
            }
            (Some(command), None, None) => Ok(SecretSource::Command(command)),
            (None, Some(file), None) if file.is_empty() => Err("has an empty `file`"),
            (None, Some(file), None) => Ok(SecretSource::File(PathBuf::from(file))),
            (None, None, Some(env)) if env.is_empty() || env.contains(['=', '\0']) => {
                Err("has an `env` that is no name of an environment variable")
            }
            (None, None, Some(env)) => Ok(SecretSource::Env(env)),
            _ => Err("must have one of `command`, `file` and `env`"),
        }
    }
}

impl From<SecretSource> for Source {
    fn from(source: SecretSource) -> Source {
        match source {
            SecretSource::Command(command) => Source { command: Some(command), ..Source::default() },
            SecretSource::File(path) => Source { file: Some(path.display().to_string()), ..Source::default() },
            SecretSource::Env(env) => Source { env: Some(env), ..Source::default() },
        }
    }
}

/// A rule, as written in the file.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Rule {
    profile: String,
    folder: Option<String>,
    remote: Option<String>,
}

impl TryFrom<Rule> for When {
    type Error = &'static str;

    fn try_from(Rule { profile, folder, remote }: Rule) -> Result<When, &'static str> {
        // on Windows too: a file that people have on several systems is no mistake there
        let is_rooted = |folder: &str| folder == "~" || folder.starts_with("~/") || Path::new(folder).has_root();
        match (&folder, &remote) {
            _ if profile.is_empty() => Err("names no `profile`"),
            (None, None) => Err("names neither `folder` nor `remote`"),
            (Some(folder), _) if !is_rooted(folder) => Err("has a `folder` that begins neither with `/` nor with `~/`"),
            (_, Some(remote)) if pattern_of_place(remote).is_none() => {
                Err("has a `remote` that is no `HOST/PATH`, such as `github.com/acme/*`")
            }
            _ => Ok(When { profile, folder, remote }),
        }
    }
}
