//! The person's own providers, and the built-in ones below them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Config, ConfigError};
use crate::provider::expand::check_url;
use crate::provider::tree::ReadError;
use crate::provider::{Provider, catalogue, read};
use crate::text::{nearest, safe};

const FOLDER: &str = "providers";

/// Finds a provider by name or alias: the person's own file first (`<dir>/providers/NAME.toml`), then the catalogue, then
/// the aliases in the person's own files; or by issuer, when `name` is an address.
pub fn provider(dir: &Path, name: &str, environment: Option<&str>) -> Result<Provider, ConfigError> {
    if name.contains("://") {
        return of_issuer(name, environment);
    }
    let own = |name: &str| own_text(dir, name);
    let unknown = match read::resolve(name, environment, &own) {
        Err(ReadError::UnknownProvider { name, nearest }) => (name, nearest),
        other => return Ok(other?),
    };
    // only now is it worth reading all of the person's files
    let files = own_names(dir)?;
    for file in &files {
        if let Ok(found) = read::resolve(file, environment, &own)
            && found.aliases.iter().any(|a| a == name)
        {
            return Ok(found);
        }
    }
    let near = nearest(name, files.iter().map(String::as_str)).map(str::to_owned).or(unknown.1);
    let mut error = ConfigError::from(ReadError::UnknownProvider { name: unknown.0, nearest: near });
    if let Some((base, environment)) = environment_meant(dir, name) {
        error.hint = Some(format!(
            "`{environment}` is an environment of `{base}`: set `environment = \"{environment}\"` in the profile"
        ));
    }
    Err(error)
}

/// `getresponse-max` is what people call `getresponse` with the environment `max`.
fn environment_meant(dir: &Path, name: &str) -> Option<(String, String)> {
    let (base, environment) = name.rsplit_once('-')?;
    let found = read::resolve(base, Some(environment), &|n| own_text(dir, n)).ok()?;
    Some((found.id, environment.to_owned()))
}

fn of_issuer(issuer: &str, environment: Option<&str>) -> Result<Provider, ConfigError> {
    match check_url(issuer) {
        Err(fault) => Err(ConfigError::new(format!("the issuer `{}` {fault}", safe(issuer)))),
        // RFC 8414, section 2
        Ok(url) if url.query().is_some() => {
            Err(ConfigError::new(format!("the issuer `{}` may not hold a query (`?`)", safe(issuer))))
        }
        Ok(_) => match environment {
            Some(name) => {
                Err(ConfigError::new(format!("a provider known by its issuer has no environment `{}`", safe(name))))
            }
            None => Ok(Provider::of_issuer(issuer)),
        },
    }
}

/// Names of the person's own providers and of the built-in ones, sorted; `true`: the person's own. Reads names of files only.
pub fn provider_names(dir: &Path) -> Result<Vec<(String, bool)>, ConfigError> {
    let mut names: BTreeMap<String, bool> = catalogue::names().map(|n| (n.to_owned(), false)).collect();
    names.extend(own_names(dir)?.into_iter().map(|n| (n, true)));
    Ok(names.into_iter().collect())
}

/// Everything that is wrong with the configuration, for `doctor`: `config.toml`, every file of the person's own in every
/// environment, names that mean two providers, issuers that two share, profiles whose provider doesn't exist.
pub fn validate_all(dir: &Path) -> Vec<ConfigError> {
    let mut faults = Vec::new();
    let names = provider_names(dir).unwrap_or_else(|e| {
        faults.push(e);
        catalogue::names().map(|n| (n.to_owned(), false)).collect()
    });
    faults.extend(strangers(dir));
    let mut issuers: BTreeMap<String, String> = BTreeMap::new();
    let mut aliases: BTreeMap<String, String> = BTreeMap::new();
    for (name, own) in &names {
        let base = match provider(dir, name, None) {
            Ok(found) => found,
            Err(e) => {
                faults.push(e);
                continue;
            }
        };
        let mut mine: BTreeSet<String> = base.issuer.iter().cloned().collect();
        for environment in &base.environments {
            match provider(dir, name, Some(environment)) {
                Ok(found) => mine.extend(found.issuer),
                Err(e) if *own => faults.push(e),
                // the built-in ones are tested
                Err(_) => {}
            }
        }
        for issuer in mine {
            if let Some(other) = issuers.insert(issuer.clone(), name.clone()) {
                faults.push(ConfigError::with_hint(
                    format!("the providers `{other}` and `{name}` have the same issuer `{}`", safe(&issuer)),
                    "an answer of one could be taken for the other's: keep one of them",
                ));
            }
        }
        for alias in &base.aliases {
            let other = match names.iter().find(|(n, _)| n == alias) {
                Some((other, _)) => Some(other.clone()),
                None => aliases.insert(alias.clone(), name.clone()),
            };
            if let Some(other) = other {
                faults.push(ConfigError::new(format!("`{alias}` means the providers `{other}` and `{name}`")));
            }
        }
    }
    match Config::load(dir) {
        Err(e) => faults.push(e),
        Ok(config) => faults.extend(profile_faults(dir, &config)),
    }
    faults
}

fn profile_faults(dir: &Path, config: &Config) -> Vec<ConfigError> {
    let mut faults = Vec::new();
    if let Some(name) = &config.default_profile
        && !config.profiles.contains_key(name)
        && provider(dir, name, None).is_err()
    {
        faults.push(ConfigError::new(format!("`default-profile` in config.toml names no profile: `{}`", safe(name))));
    }
    // ten thousand profiles share a handful of providers
    let mut seen = BTreeSet::new();
    for (name, profile) in &config.profiles {
        let of = profile.provider.as_deref().unwrap_or(name);
        if seen.insert((of, profile.environment.as_deref()))
            && let Err(e) = provider(dir, of, profile.environment.as_deref())
        {
            faults.push(ConfigError { message: format!("profile `{}`: {}", safe(name), e.message), hint: e.hint });
        }
    }
    faults
}

/// Files whose names no command could ever ask for.
fn strangers(dir: &Path) -> Vec<ConfigError> {
    let Ok(entries) = std::fs::read_dir(dir.join(FOLDER)) else { return Vec::new() };
    let mut out: Vec<ConfigError> = entries
        .flatten()
        .filter_map(|e| e.file_name().to_str().and_then(|n| n.strip_suffix(".toml")).map(str::to_owned))
        .filter(|name| !read::is_provider_name(name))
        .map(|name| {
            ConfigError::new(format!(
                "`providers/{}.toml` is never read: a provider's name is lower-case letters, digits, `-`, `_`, `.`",
                safe(&name)
            ))
        })
        .collect();
    out.sort_by(|a, b| a.message.cmp(&b.message));
    out
}

fn own_names(dir: &Path) -> Result<Vec<String>, ConfigError> {
    let folder = dir.join(FOLDER);
    let unreadable = |e: std::io::Error| ConfigError::new(format!("{} can't be read: {e}", folder.display()));
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        if let Some(name) = entry.file_name().to_str().and_then(|n| n.strip_suffix(".toml"))
            && read::is_provider_name(name)
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn own_text(dir: &Path, name: &str) -> Result<Option<String>, ReadError> {
    // never a path: `../x` is no name
    if !read::is_provider_name(name) {
        return Ok(None);
    }
    match std::fs::read_to_string(dir.join(FOLDER).join(format!("{name}.toml"))) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(ReadError::Unreadable { file: format!("providers/{name}.toml"), why: e.to_string() }),
    }
}
