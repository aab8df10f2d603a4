//! Provider files and profiles that a team keeps: `registries/NAME/` has the providers of one, as
//! they were at the pinned commit. The user's own files and the built-in ones come before them. Its
//! profiles are copied to `config.toml`, where they are the user's own from then on.
//!
//! Whoever can write to the team's place could name other servers and lure secrets there. So
//! nothing is taken that is not shown first, no built-in name is, and no secret is in it; and a
//! login's tokens go only to the places that they were obtained for, whatever a file says later.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use url::Url;

use super::providers::{REGISTRIES as FOLDER, folders, own_text, registries, resolve_with, taken_anew, toml_files};
use super::{Config, ConfigError, FILE, file, write_copy};
use crate::layers::tree::{self, Entry, Table, Value};
use crate::provider::{Provider, StringKind, catalogue, is_provider_name};
use crate::secret::hex;
use crate::text::safe;

/// The file with the place and the commit.
const PIN: &str = "registry.toml";

/// Where a registry comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    pub source: String,
    /// A commit of git, or `sha256:` and the digest of a folder's files.
    pub commit: String,
    /// Of the files that were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The digest of a registry's files.
pub fn digest(files: &BTreeMap<String, String>) -> String {
    let mut all = Context::new(&SHA256);
    for (path, text) in files {
        all.update(format!("{path}\0{}\0{text}", text.len()).as_bytes());
    }
    format!("sha256:{}", hex(all.finish().as_ref()))
}

type Values = Vec<(String, toml_edit::Value)>;

/// A registry whose files are valid.
pub struct Registry {
    pub pin: Pin,
    /// The texts, by their path.
    files: BTreeMap<String, String>,
    pub providers: BTreeMap<String, Provider>,
    /// What providers extend: the name, and its entry.
    bases: BTreeMap<String, (String, Provider)>,
    pub profiles: BTreeMap<String, Values>,
}

/// Whether a registry may have this file; the others are not read.
pub fn is_of_registry(path: &str) -> bool {
    path == FILE || provider_of(path).is_some()
}

fn provider_of(path: &str) -> Option<&str> {
    path.strip_prefix("providers/")?.strip_suffix(".toml").filter(|name| is_provider_name(name))
}

impl Registry {
    /// Reads the files of a registry that is to be called `name`.
    pub fn of(dir: &Path, name: &str, pin: Pin, mut files: BTreeMap<String, String>) -> Result<Registry, ConfigError> {
        files.retain(|path, _| is_of_registry(path));
        let (providers, bases) = Default::default();
        let mut registry = Registry { pin, providers, bases, profiles: BTreeMap::new(), files };
        let texts = |id: &str| registry.files.get(&format!("providers/{id}.toml")).cloned();
        let own = |id: &str| texts(id).map_or_else(|| own_text(dir, id), |text| Ok(Some(text)));
        for (path, text) in &registry.files {
            let Some(id) = provider_of(path) else { continue };
            let table = tree::parse(path, text)?;
            has_no_secret("", &table)?;
            let provider = resolve_with(id, &own)?;
            for known in provider.aliases.iter().map(String::as_str).chain([id]) {
                is_free(dir, known, name)?;
            }
            registry.providers.insert(id.to_owned(), provider);
            if let Some(Value::Text(base)) = table.get("extends").map(|entry| &entry.value) {
                registry.bases.insert(id.to_owned(), (base.clone(), resolve_with(base, &own)?));
            }
        }
        registry.profiles = match registry.files.get(FILE) {
            Some(text) => profiles(dir, text)?,
            None => BTreeMap::new(),
        };
        if registry.providers.is_empty() && registry.profiles.is_empty() {
            return Err(ConfigError::with_hint(
                "there is no provider and no profile in it",
                "it has `providers/NAME.toml` files, and profiles in a `config.toml`",
            ));
        }
        Ok(registry)
    }

    /// Where one that is there comes from.
    pub fn pin(dir: &Path, name: &str) -> Result<Pin, ConfigError> {
        if !registries(dir).iter().any(|known| known == name) {
            return Err(ConfigError::with_hint(
                format!("there is no registry `{}`", safe(name)),
                "`oauthctl registry list` names them",
            ));
        }
        let path = format!("{FOLDER}/{name}/{PIN}");
        let pin = file::text(dir, &path)?.and_then(|text| toml_edit::de::from_str(&text).ok());
        pin.ok_or_else(|| {
            ConfigError::with_hint(
                format!("{path} does not say where the registry comes from"),
                format!("`oauthctl registry remove {name}`, then `oauthctl registry add` with its address"),
            )
        })
    }

    /// Reads one that is there.
    pub fn load(dir: &Path, name: &str) -> Result<Registry, ConfigError> {
        let pin = Registry::pin(dir, name)?;
        Registry::copied(dir, name, pin).map_err(|e| {
            let why = format!("the copy of the registry `{name}` in {FOLDER}/{name} can't be used: {}", e.message);
            ConfigError::with_hint(why, taken_anew(name))
        })
    }

    fn copied(dir: &Path, name: &str, pin: Pin) -> Result<Registry, ConfigError> {
        let at = |path: &str| format!("{FOLDER}/{name}/{path}");
        let mut files = BTreeMap::new();
        let providers = toml_files(&dir.join(at("providers")))?;
        let paths = providers.into_iter().map(|id| format!("providers/{id}.toml")).chain([FILE.to_owned()]);
        for path in paths {
            if let Some(text) = file::text(dir, &at(&path))? {
                files.insert(path, text);
            }
        }
        Registry::of(dir, name, pin, files)
    }

    /// Whether somebody has changed the copy here since it was taken.
    pub fn is_edited(&self) -> bool {
        self.pin.digest.as_ref().is_some_and(|taken| *taken != digest(&self.files))
    }

    /// Whether this is the same commit, and the same texts.
    pub fn is(&self, other: &Registry) -> bool {
        self.pin == other.pin && self.files == other.files
    }

    /// Writes it beside the old one, and then puts it in its place. Between the two new names of
    /// the folders there is none of its own: whoever comes then goes on ([`registries`]).
    pub fn save(&self, dir: &Path, name: &str) -> Result<(), ConfigError> {
        let (folder, new, old) = folders(&dir.join(FOLDER), name);
        let failed = |e: std::io::Error| ConfigError::of_disk(&folder, "written", &e);
        sweep(&new, &old);
        let pin = toml_edit::ser::to_string(&self.pin).unwrap_or_default();
        write_copy(&new.join(PIN), &pin)?;
        for (path, text) in &self.files {
            write_copy(&new.join(path), text)?;
        }
        if folder.exists() {
            std::fs::rename(&folder, &old).map_err(failed)?;
        }
        match std::fs::rename(&new, &folder) {
            // another process was first
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && folder.exists() => {}
            done => done.map_err(failed)?,
        }
        sweep(&new, &old);
        Ok(())
    }

    pub fn remove(dir: &Path, name: &str) -> Result<(), ConfigError> {
        let (folder, new, old) = folders(&dir.join(FOLDER), name);
        sweep(&new, &old);
        std::fs::rename(&folder, &old).map_err(|e| ConfigError::of_disk(&folder, "removed", &e))?;
        sweep(&new, &old);
        Ok(())
    }

    /// The profiles of the configuration that name one of its providers, which no other file has.
    pub fn profiles_of_it(&self, dir: &Path) -> Result<Vec<String>, ConfigError> {
        let own = |id: &str| dir.join(format!("providers/{id}.toml")).exists();
        let is_here = |id: &str| self.providers.contains_key(id) && !own(id);
        let named = |name: &str, provider: Option<&str>| is_here(provider.unwrap_or(name));
        let profiles = Config::load(dir)?.profiles;
        let of_it = profiles.iter().filter(|(name, profile)| named(name, profile.provider.as_deref()));
        Ok(of_it.map(|(name, _)| name.clone()).collect())
    }

    /// What comes in, changes or goes, a line each.
    pub fn changes(&self, old: Option<&Registry>) -> Vec<String> {
        let (none, empty) = (BTreeMap::new(), BTreeMap::new());
        let (was, had) = old.map_or((&none, &empty), |old| (&old.providers, &old.profiles));
        let mut lines = Vec::new();
        for (id, provider) in &self.providers {
            match was.get(id) {
                None => {
                    lines.push(format!("+ provider {id} ({}): {}", safe(&provider.name), hosts(provider)));
                    lines.extend(match self.bases.get(id) {
                        Some((base, entry)) => changed(id, (&format!("{} has", safe(base)), entry), provider),
                        None => sent(provider)
                            .map(|(key, value)| format!("+ provider {id}: {key} = {}", marked(&value)))
                            .collect(),
                    });
                }
                Some(before) => lines.extend(changed(id, ("it was", before), provider)),
            }
        }
        lines.extend(was.keys().filter(|id| !self.providers.contains_key(*id)).map(|id| format!("- provider {id}")));
        for (name, values) in &self.profiles {
            let words = in_words(values);
            match had.get(name) {
                None => lines.push(format!("+ profile {}: {words}", safe(name))),
                Some(before) if in_words(before) == words => {}
                Some(before) => {
                    lines.push(format!("~ profile {}: {words}; it was {}", safe(name), in_words(before)));
                }
            }
        }
        let gone = had.keys().filter(|name| !self.profiles.contains_key(*name));
        lines.extend(gone.map(|name| format!("- profile {}: it stays in {FILE}", safe(name))));
        lines
    }

    /// Copies the profiles to `config.toml`. One that the user has made or changed stays as it is;
    /// returns the names of those.
    pub fn put_profiles(&self, dir: &Path, old: Option<&Registry>) -> Result<Vec<String>, ConfigError> {
        super::edit(dir, |editor| {
            let known = editor.config(dir)?.profiles;
            let mut kept = Vec::new();
            for (name, values) in &self.profiles {
                let before = old.and_then(|old| old.profiles.get(name));
                match known.get(name).map(|profile| in_words(&profile.shared())) {
                    Some(now) if now == in_words(values) => {}
                    Some(now) if before.is_none_or(|before| in_words(before) != now) => kept.push(name.clone()),
                    _ => {
                        for (key, _) in before.into_iter().flatten() {
                            editor.unset(name, key)?;
                        }
                        editor.set_all(name, values.clone())?;
                    }
                }
            }
            Ok(kept)
        })
    }
}

/// Deletes what is beside a registry. The new one goes first: it takes no place without the old
/// one.
fn sweep(new: &Path, old: &Path) {
    let _ = std::fs::remove_dir_all(new);
    let _ = std::fs::remove_dir_all(old);
}

/// The values of a profile in a line, for a comparison as well.
fn in_words(values: &Values) -> String {
    let words = values.iter().map(|(key, value)| format!("{key} = {}", value.to_string().trim()));
    safe(&words.collect::<Vec<_>>().join(", "))
}

fn hosts(provider: &Provider) -> String {
    let mut hosts: Vec<String> = Vec::new();
    let Ok(()) = provider.clone().each_string(&mut |_, kind, text| {
        let host = match kind {
            StringKind::Url => text.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(text),
            StringKind::Host => text,
            _ => return Ok::<(), Infallible>(()),
        };
        if !hosts.iter().any(|known| known == host) {
            hosts.push(host.to_owned());
        }
        Ok(())
    });
    hosts.iter().map(|host| marked(host)).collect::<Vec<_>>().join(", ")
}

/// A host, or a value with an address: letters that only look like others are told by the host's
/// other name.
fn marked(value: &str) -> String {
    if value.is_ascii() {
        return safe(value);
    }
    let address = value.trim_matches('"');
    let url = Url::parse(address).or_else(|_| Url::parse(&format!("https://{address}")));
    let other = url.ok().and_then(|url| Some(url.host_str()?.to_owned())).filter(|host| host.contains("xn--"));
    format!("{} ({})", safe(value), other.map_or_else(|| "not ASCII".to_owned(), |host| format!("not ASCII: {host}")))
}

/// What its requests say beside the usual: parameters and headers.
fn sent(provider: &Provider) -> impl Iterator<Item = (String, String)> {
    let is_sent = |key: &str| key.split('.').any(|part| matches!(part, "params" | "headers"));
    let keys = provider.differences(&Provider::default()).into_iter().map(|(key, value, _)| (key, value));
    keys.filter(move |(key, _)| is_sent(key))
}

fn changed(id: &str, (words, before): (&str, &Provider), now: &Provider) -> Vec<String> {
    let keys = now.differences(before).into_iter().filter(|(key, ..)| key != "id");
    let mut lines: Vec<String> = keys
        .map(|(key, is, was)| {
            let was = was.map_or_else(String::new, |was| format!(" ({words} {})", safe(&was)));
            format!("~ provider {id}: {key} = {}{was}", marked(&is))
        })
        .collect();
    let gone = before.differences(now).into_iter().filter(|(.., there)| there.is_none());
    lines.extend(gone.map(|(key, was, _)| format!("~ provider {id}: no {key} ({words} {})", safe(&was))));
    lines
}

/// Refuses a name that is built in, or another registry's.
fn is_free(dir: &Path, name: &str, registry: &str) -> Result<(), ConfigError> {
    let refused =
        |why: &str| ConfigError::new(format!("the registry can't have a provider called `{}`: {why}", safe(name)));
    if catalogue::find(name).is_some() {
        return Err(refused("it is a built-in one's name"));
    }
    let has = |other: &String| dir.join(FOLDER).join(other).join(format!("providers/{name}.toml")).exists();
    match registries(dir).into_iter().find(|other| other != registry && has(other)) {
        Some(other) => Err(refused(&format!("the registry `{other}` has it already"))),
        None => Ok(()),
    }
}

/// Refuses text under a key whose name says that it is a secret.
fn has_no_secret(within: &str, table: &Table) -> Result<(), ConfigError> {
    const NAMES: [&str; 6] = ["secret", "password", "authorization", "apikey", "privatekey", "refreshtoken"];
    for (key, Entry { value, at }) in table {
        let name: String = key.to_lowercase().replace(['-', '_', '.'], "");
        let path = format!("{within}{key}");
        match value {
            Value::Table(inner) => has_no_secret(&format!("{path}."), inner)?,
            Value::Text(text) if !text.is_empty() && NAMES.iter().any(|known| name.contains(known)) => {
                return Err(holds_secret(&safe(&path), at));
            }
            _ => {}
        }
    }
    Ok(())
}

fn holds_secret(what: &str, at: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::with_hint(
        format!("`{what}` ({at}) is a secret, or belongs to one machine: a registry has none of these"),
        "take it out there: everyone enters his own with `oauthctl login`",
    )
}

/// The profiles of a text, if all that they say may be shared.
fn profiles(dir: &Path, text: &str) -> Result<BTreeMap<String, Values>, ConfigError> {
    let table = tree::parse(FILE, text)?;
    if let Some((key, entry)) = table.iter().find(|(key, _)| *key != "profiles") {
        return Err(ConfigError::new(format!(
            "`{}` ({}) is for each user: a registry has profiles alone",
            safe(key),
            entry.at
        )));
    }
    let place = |name: &str, key: &str| {
        let inner = |entry: &Entry, key: &str| match &entry.value {
            Value::Table(table) => table.get(key).cloned(),
            _ => None,
        };
        let profile = inner(table.get("profiles")?, name)?;
        inner(&profile, key.split('.').next()?).map(|entry| entry.at.to_string())
    };
    let mut all = BTreeMap::new();
    for (name, profile) in Config::from_text(dir, text)?.profiles {
        let shared = profile.shared();
        let left = profile.values().into_iter().find(|(key, _)| !shared.iter().any(|(known, _)| known == key));
        if let Some((key, _)) = left {
            let at = place(&name, &key).unwrap_or_else(|| FILE.to_owned());
            return Err(holds_secret(&safe(&format!("profiles.{name}.{key}")), &at));
        }
        let id = |name: &str| catalogue::find(name).map(|(id, _)| id);
        if id(&name).is_some() && id(&name) != profile.provider.as_deref().and_then(id) {
            let why = "it is a built-in provider's name, and the profile is of another one";
            return Err(ConfigError::new(format!("the registry can't have a profile called `{}`: {why}", safe(&name))));
        }
        all.insert(name, shared);
    }
    Ok(all)
}
