//! The keys of `config.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::edit::all_profile_keys;
use super::proofs::Proofs;
use super::{
    Asks, Config, ConfigError, FILE, GrantKind, IMPLICIT_REFUSED, Profile, SecretSource, check_profile_name,
    check_redirect_uri,
};
use crate::layers::tree::{self, Entry, ReadError, Reader, Value};
use crate::store::StoreKind;
use crate::text::safe;

const STORE: [(&str, StoreKind); 4] = [
    ("keychain", StoreKind::Keychain),
    ("file", StoreKind::File),
    ("environment", StoreKind::Environment),
    ("none", StoreKind::None),
];

const SECRET_HINT: &str = "a secret never stands in the configuration: `{ command = [\"pass\", \"show\", \"x\"] }`, \
     `{ file = \"…\" }` or `{ env = \"…\" }`";
const CLIENT_SECRET_HINT: &str = "a secret never stands in the configuration: `{ command = [\"pass\", \"show\", \"x\"] }`, \
     `{ file = \"…\" }` or `{ env = \"…\" }`; without any, `oauthctl login` asks once and keeps it in the store";

/// Reads the text of `<dir>/config.toml`.
pub(super) fn config(dir: &Path, text: &str) -> Result<Config, ConfigError> {
    let table = tree::parse(FILE, text)?;
    let mut r = Reader::new(&table);
    let mut config = Config {
        default_profile: r.text("default-profile")?,
        store: r.choice("store", &STORE)?,
        cache: r.flag("cache")?,
        profiles: BTreeMap::new(),
    };
    for (name, entry) in r.entries("profiles")? {
        if let Err(bad) = check_profile_name(name) {
            return Err(ConfigError::new(format!("{} ({})", bad.message, entry.at)));
        }
        let reader = Reader::of_entry(&format!("profiles.{}", toml_edit::Key::new(name)), entry)?;
        config.profiles.insert(name.to_owned(), profile(dir, reader)?);
    }
    r.finish().map_err(|e| {
        or_hint(e, || "the keys are default-profile, store, cache and the sections [profiles.NAME]".to_owned())
    })?;
    Ok(config)
}

fn profile(dir: &Path, mut r: Reader<'_>) -> Result<Profile, ConfigError> {
    if let Some(Entry { value: Value::Text(grant), at }) = r.get("grant")
        && grant == "implicit"
    {
        return Err(ConfigError::new(format!("`{}` in {at}: {IMPLICIT_REFUSED}", r.key("grant"))));
    }
    let out = Profile {
        provider: r.text("provider")?,
        environment: r.text("environment")?,
        client_id: r.text("client-id")?,
        client_secret: secret_source(dir, &mut r, "client-secret")?,
        grant: r.choice("grant", &GrantKind::ALL.map(|g| (g.name(), g)))?,
        scopes: r.list("scopes")?,
        redirect_uri: r.text("redirect-uri")?,
        port: r.number("port", 1..=65535)?,
        store: r.choice("store", &STORE)?,
        allow_private: r.flag("allow-private")?,
        vars: r.texts("vars")?.unwrap_or_default(),
        params: r.texts("params")?.unwrap_or_default(),
        proofs: Proofs::read(dir, &mut r)?,
        asks: Asks::read(dir, &mut r)?,
    };
    if let Some(uri) = &out.redirect_uri
        && let Err(bad) = check_redirect_uri(uri)
        && let Some(entry) = r.get("redirect-uri")
    {
        return Err(ConfigError { message: format!("{} ({})", bad.message, entry.at), hint: bad.hint });
    }
    r.finish().map_err(|e| or_hint(e, all_profile_keys))?;
    Ok(out)
}

/// A secret by where it comes from: `{ command = […] }`, `{ file = … }` or `{ env = … }`.
pub(super) fn secret_source(
    dir: &Path,
    r: &mut Reader<'_>,
    key: &'static str,
) -> Result<Option<SecretSource>, ConfigError> {
    let Some(entry) = r.get(key) else { return Ok(None) };
    let hint = if key == "client-secret" { CLIENT_SECRET_HINT } else { SECRET_HINT };
    if let Entry { value: Value::Text(_), at } = entry {
        let message = format!("`{}` in {at} holds a secret in plain text", r.key(key));
        return Err(ConfigError::with_hint(message, hint));
    }
    let mut s = r.section(key)?;
    let command = s.list("command")?;
    let file = s.text("file")?;
    let env = s.text("env")?;
    let refuse = |s: &Reader<'_>, key: &str, why: &str| -> Result<Option<SecretSource>, ConfigError> {
        let error = ReadError::Refused { key: s.key(key), at: entry.at.clone(), why: why.to_owned() };
        Err(ConfigError { message: error.to_string(), hint: Some(hint.to_owned()) })
    };
    let source = match (command, file, env) {
        (Some(command), None, None) => {
            if command.first().is_none_or(String::is_empty) {
                return refuse(&s, "command", "names no program");
            }
            SecretSource::Command(command)
        }
        (None, Some(file), None) => {
            if file.is_empty() {
                return refuse(&s, "file", "is empty");
            }
            let path = PathBuf::from(&file);
            SecretSource::File(if path.starts_with("~") { path } else { dir.join(path) })
        }
        (None, None, Some(env)) => {
            if env.is_empty() || env.contains(['=', '\0']) {
                return refuse(&s, "env", "is no name of an environment variable");
            }
            SecretSource::Env(env)
        }
        _ => {
            let message = format!(
                "`{}` in {} must have one of `command`, `file` and `env`",
                safe(r.key(key).trim_end_matches('.')),
                entry.at
            );
            // a misspelt key is told as such
            s.finish().map_err(|e| or_hint(e, || hint.to_owned()))?;
            return Err(ConfigError::with_hint(message, hint));
        }
    };
    s.finish().map_err(|e| or_hint(e, || hint.to_owned()))?;
    Ok(Some(source))
}

/// A key that resembles none is told with those there are.
fn or_hint(e: ReadError, hint: impl FnOnce() -> String) -> ConfigError {
    let far = matches!(e, ReadError::UnknownKey { nearest: None, .. });
    let error = ConfigError::from(e);
    if far { ConfigError { hint: error.hint.or_else(|| Some(hint())), ..error } } else { error }
}
