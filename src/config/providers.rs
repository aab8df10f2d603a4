//! The user's own providers, and the built-in ones.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::file::{self, is_nowhere};
use super::{Config, ConfigError, When};
use crate::address::{UrlFault, check_url, with_scheme};
use crate::layers::tree::{self, ReadError, Table, Value};
use crate::provider::{Provider, catalogue, is_provider_name, resolve};
use crate::text::{nearest, safe};
use crate::world::files;

const FOLDER: &str = "providers";

/// The folder of providers that teams keep: see `registry`.
pub(super) const REGISTRIES: &str = "registries";

/// Finds a provider by name or alias: the user's own file (`<dir>/providers/NAME.toml`) or else a
/// registry's first, then the aliases in these files, then the built-in names and aliases. An
/// address is an issuer.
pub fn provider(dir: &Path, name: &str, environment: Option<&str>) -> Result<Provider, ConfigError> {
    if name.contains("://") {
        return of_issuer(name, environment);
    }
    let own = |name: &str| own_text(dir, name);
    if let Some(id) = provider_by_alias(dir, name)? {
        return resolve::resolve(&id, environment, &own).map_err(|e| in_registry(dir, e.into()));
    }
    let unknown = match resolve::resolve(name, environment, &own) {
        Err(ReadError::UnknownProvider { name, nearest }) => (name, nearest),
        other => return other.map_err(|e| in_registry(dir, e.into())),
    };
    if let Some(instead) = catalogue::without_oauth(name) {
        return Err(ConfigError::with_hint(format!("`{}` has no OAuth 2.0 to log in with", safe(name)), instead));
    }
    let files = own_names(dir)?;
    let near = nearest(name, files.iter().map(String::as_str)).map(str::to_owned).or(unknown.1);
    let mut error = ConfigError::from(ReadError::UnknownProvider { name: unknown.0, nearest: near });
    if let Some((base, environment)) = environment_meant(dir, name) {
        error.hint = Some(format!(
            "`{environment}` is an environment of `{base}`: set `environment = \"{environment}\"` in the profile"
        ));
    } else if let Some(issuer) = with_scheme(name) {
        error.hint = Some(format!("did you mean `{}`?", safe(&issuer)));
    }
    Err(error)
}

/// Names the place of a registry's file.
fn in_registry(dir: &Path, mut e: ConfigError) -> ConfigError {
    for registry in registries(dir) {
        for name in toml_files(&dir.join(REGISTRIES).join(&registry).join(FOLDER)).unwrap_or_default() {
            let place = format!("{FOLDER}/{name}.toml");
            if e.message.contains(&place) && !own_file(dir, &name).exists() {
                e.message = e.message.replace(&place, &format!("{REGISTRIES}/{registry}/{place}"));
                e.hint = Some(taken_anew(&registry));
            }
        }
    }
    e
}

/// The provider with this alias; `None`: it is a provider's name, or unknown.
pub fn provider_by_alias(dir: &Path, name: &str) -> Result<Option<String>, ConfigError> {
    let built_in = || catalogue::find(name).map(|(id, _)| id.to_owned()).filter(|id| id != name);
    if !is_provider_name(name) || has_own(dir, name) {
        return Ok(None);
    }
    Ok(own_by_alias(dir, name)?.or_else(built_in))
}

/// Whether the provider of that name is built in, and no file of the user's replaces it.
pub fn is_built_in(dir: &Path, name: &str) -> bool {
    catalogue::named(name).is_some() && !has_own(dir, name) && matches!(own_by_alias(dir, name), Ok(None))
}

/// The TOML text of the provider of that name, the user's own or the built-in one; `None`: it isn't
/// all, because it extends another file, or the name is an alias.
pub fn description(dir: &Path, name: &str) -> Option<String> {
    let built_in = || catalogue::named(name).filter(|_| is_built_in(dir, name)).map(|it| it.text().to_owned());
    let text = own_text(dir, name).ok()?.or_else(built_in)?;
    (!text.contains("extends")).then_some(text)
}

/// The files below the folder of the configuration that say what a provider is, and the one that
/// would.
pub fn provider_files(dir: &Path, name: &str) -> Vec<String> {
    let asked = RefCell::new(vec![name.to_owned()]);
    let own = |name: &str| {
        asked.borrow_mut().push(name.to_owned());
        own_text(dir, name)
    };
    let id = provider_by_alias(dir, name).ok().flatten();
    let _ = resolve::resolve(id.as_deref().unwrap_or(name), None, &own);
    let mut names = asked.into_inner();
    names.retain(|name| is_provider_name(name));
    let files = names.iter().flat_map(|name| [Some(format!("{FOLDER}/{name}.toml")), registry_file(dir, name)]);
    let files: BTreeSet<String> = files.flatten().collect();
    files.into_iter().collect()
}

/// The aliases of a provider. Those of a built-in one also lead to the user's file in its place.
pub fn aliases(dir: &Path, name: &str) -> Vec<String> {
    let Ok(provider) = provider(dir, name, None) else { return Vec::new() };
    let mut all = provider.aliases;
    all.extend(catalogue::named(&provider.id).iter().flat_map(|it| it.aliases()).map(str::to_owned));
    all
}

/// The one of the user's own files with this alias. Two of them are an error.
fn own_by_alias(dir: &Path, alias: &str) -> Result<Option<String>, ConfigError> {
    let own = |name: &str| own_text(dir, name);
    // an alias is not inherited: only a file that holds it is read whole
    let names_it = |file: &String| own(file).is_ok_and(|text| text.is_some_and(|text| has_alias(&text, alias)));
    let goes_by =
        |file: &String| resolve::resolve(file, None, &own).is_ok_and(|found| found.aliases.iter().any(|a| a == alias));
    let files = own_names(dir)?;
    let mut found = files.iter().filter(|file| names_it(file) && goes_by(file));
    match (found.next(), found.next()) {
        (Some(one), Some(other)) => Err(ConfigError::with_hint(
            format!("`{}` means the providers `{one}` and `{other}`", safe(alias)),
            "take it out of the `aliases` of one of them",
        )),
        (one, _) => Ok(one.cloned()),
    }
}

/// Whether a file has this alias. What most files lack is looked for first.
fn has_alias(text: &str, alias: &str) -> bool {
    let has = |table: Table| match table.get("aliases").map(|entry| &entry.value) {
        Some(Value::List(aliases)) => aliases.iter().any(|entry| entry.value == Value::Text(alias.to_owned())),
        _ => false,
    };
    text.contains("aliases") && text.contains(alias) && tree::parse("", text).is_ok_and(has)
}

/// The same provider in each of its environments.
pub fn provider_in_environments(dir: &Path, name: &str) -> Result<BTreeMap<String, Provider>, ConfigError> {
    let environments = provider(dir, name, None)?.environments;
    environments.into_iter().map(|e| Ok((e.clone(), provider(dir, name, Some(&e))?))).collect()
}

/// The built-in provider that the user's file changes: the one of its name, else the one that it
/// extends.
pub fn changed_built_in(dir: &Path, id: &str) -> Result<Option<&'static str>, ConfigError> {
    let extended = || resolve::built_in_below(id, &|name| own_text(dir, name));
    catalogue::find(id).map_or_else(extended, |(id, _)| Ok(Some(id))).map_err(ConfigError::from)
}

/// People type `getresponse-max` for `getresponse` with the environment `max`.
fn environment_meant(dir: &Path, name: &str) -> Option<(String, String)> {
    let (base, environment) = name.rsplit_once('-')?;
    let found = resolve::resolve(base, Some(environment), &|n| own_text(dir, n)).ok()?;
    Some((found.id, environment.to_owned()))
}

fn of_issuer(issuer: &str, environment: Option<&str>) -> Result<Provider, ConfigError> {
    match check_url(issuer) {
        Err(fault) => Err(ConfigError {
            message: format!("the issuer `{}` {fault}", safe(issuer)),
            hint: with_scheme(issuer)
                .map(|meant| format!("did you mean `{}`?", safe(&meant)))
                .or_else(|| (fault == UrlFault::NotUrl).then(|| "write it whole: `https://ISSUER`".to_owned())),
        }),
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

/// What a list shows of a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// It is the user's own.
    pub own: bool,
    /// The name that is shown.
    pub name: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// How sure its addresses are, as in its file.
    pub addresses: Option<String>,
    /// It is a practice server of the user's own.
    pub practice: bool,
}

/// All providers in brief, by name; an error is one in the user's own file. A built-in one's text
/// is not read.
pub fn in_brief(dir: &Path) -> Result<BTreeMap<String, Result<Brief, ConfigError>>, ConfigError> {
    let built_in = catalogue::all().map(|it| {
        let aliases = it.aliases().map(str::to_owned).collect();
        let addresses = Some(it.addresses.to_owned()).filter(|it| !it.is_empty());
        (it.id.to_owned(), Ok(Brief { own: false, name: it.name.to_owned(), aliases, addresses, practice: false }))
    });
    let own = own_names(dir)?.into_iter().map(|name| {
        let found = provider(dir, &name, None).map(|found| {
            let addresses = found.addresses.map(|it| it.to_string());
            let practice = found.practice.is_some();
            Brief { own: true, name: found.name, aliases: found.aliases, addresses, practice }
        });
        (name, found)
    });
    Ok(built_in.chain(own).collect())
}

/// Names of all providers, sorted; `true`: the user's own. No file is read.
pub fn provider_names(dir: &Path) -> Result<Vec<(String, bool)>, ConfigError> {
    let mut names: BTreeMap<String, bool> = catalogue::names().map(|n| (n.to_owned(), false)).collect();
    names.extend(own_names(dir)?.into_iter().map(|n| (n, true)));
    Ok(names.into_iter().collect())
}

/// All errors of the configuration, for `doctor`: in `config.toml`, in the user's own providers and
/// their environments, names of two providers, shared issuers, profiles of an unknown provider.
pub fn validate_all(dir: &Path) -> Vec<ConfigError> {
    let mut faults = Vec::new();
    let mut names = provider_names(dir).unwrap_or_else(|e| {
        faults.push(e);
        catalogue::names().map(|n| (n.to_owned(), false)).collect()
    });
    faults.extend(strangers(dir));
    let mut issuers: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
    let mut aliases: BTreeMap<String, String> = BTreeMap::new();
    let texts: BTreeMap<&str, &str> = catalogue::all().map(|it| (it.id, it.text())).collect();
    names.sort_by_key(|(_, own)| !own);
    for (name, own) in &names {
        // built-in providers are tested: only an issuer of the user's own can be theirs as well
        let theirs = |text: &str| issuers.keys().any(|issuer| text.contains(&format!("\"{issuer}\"")));
        if !own && !texts.get(name.as_str()).is_some_and(|text| theirs(text)) {
            continue;
        }
        let base = match provider(dir, name, None) {
            Ok(found) => found,
            Err(e) => {
                faults.push(e);
                continue;
            }
        };
        for issuer in issuers_of(dir, (name, *own), &base, &mut faults) {
            // those that share a token endpoint as well are one server
            if let Some((other, url)) = issuers.insert(issuer.clone(), (name.clone(), base.token.url.clone()))
                && (url.is_none() || url != base.token.url)
            {
                faults.push(ConfigError::with_hint(
                    format!("the providers `{other}` and `{name}` have the same issuer `{}`", safe(&issuer)),
                    "an answer of one could be taken for the other's: keep one of them",
                ));
            }
        }
        for alias in &base.aliases {
            let other = match names.iter().find(|(n, theirs)| n == alias && theirs == own) {
                Some((other, _)) => Some(other.clone()),
                None => aliases.insert(alias.clone(), name.clone()),
            };
            // the user's names and aliases come before the built-in ones
            let built_in = |name: &String| names.iter().any(|(n, own)| n == name && !own);
            let other = other.filter(|other| other == alias || built_in(other) == built_in(name));
            if let Some(other) = other {
                faults.push(ConfigError::new(format!("`{alias}` means the providers `{other}` and `{name}`")));
            }
        }
    }
    match Config::with_faults(dir) {
        Err(e) => faults.push(e),
        Ok(config) => profile_faults(dir, &config, &mut faults),
    }
    // an error of a file occurs again in each file that extends it, and in each environment
    let mut told = BTreeSet::new();
    faults.retain(|fault| told.insert(fault.message.clone()));
    faults
}

/// The issuers of a provider, in its environments too. Adds the errors of these.
fn issuers_of(
    dir: &Path,
    (name, own): (&str, bool),
    base: &Provider,
    faults: &mut Vec<ConfigError>,
) -> BTreeSet<String> {
    let mut mine: BTreeSet<String> = base.issuer.iter().cloned().collect();
    for environment in &base.environments {
        match provider(dir, name, Some(environment)) {
            Ok(found) => mine.extend(found.issuer),
            Err(e) if own => faults.push(e),
            // built-in providers are tested
            Err(_) => {}
        }
    }
    // a variable in it may stand for any server
    mine.retain(|issuer| !issuer.contains('{'));
    mine
}

/// Adds the errors of profiles that are not errors of their providers.
fn profile_faults(dir: &Path, config: &Config, faults: &mut Vec<ConfigError>) {
    faults.extend(config.faults.values().cloned());
    let has = |name: &String| config.profiles.contains_key(name) || config.faults.contains_key(name);
    if let Some(name) = &config.default_profile
        && !has(name)
        && provider(dir, name, None).is_err()
    {
        faults.push(ConfigError::new(format!("`default-profile` in config.toml names no profile: `{}`", safe(name))));
    }
    for When { profile, .. } in config.when.iter().filter(|rule| !has(&rule.profile)) {
        if provider(dir, profile, None).is_err() {
            faults
                .push(ConfigError::new(format!("a rule `when` in config.toml names no profile: `{}`", safe(profile))));
        }
    }
    // ten thousand profiles share a few providers
    let mut seen = BTreeSet::new();
    for (name, profile) in &config.profiles {
        let of = profile.provider.as_deref().unwrap_or(name);
        if seen.insert((of, profile.environment.as_deref()))
            && let Err(e) = provider(dir, of, profile.environment.as_deref())
            && !faults.iter().any(|told| told.message == e.message)
        {
            faults.push(ConfigError { message: format!("profile `{}`: {}", safe(name), e.message), hint: e.hint });
        }
    }
}

/// Files whose names are no names of providers.
fn strangers(dir: &Path) -> Vec<ConfigError> {
    let mut names = own_files(dir).unwrap_or_default();
    names.retain(|name| !is_provider_name(name));
    let never = |name: &String| {
        ConfigError::new(format!(
            "`providers/{}.toml` is never read: a provider's name is lower-case letters, digits, `-`, `_`, `.`",
            safe(name)
        ))
    };
    names.iter().map(never).collect()
}

/// The names of the user's own providers, and of the registries'.
fn own_names(dir: &Path) -> Result<Vec<String>, ConfigError> {
    let mut names = own_files(dir)?;
    for registry in registries(dir) {
        names.extend(toml_files(&dir.join(REGISTRIES).join(registry).join(FOLDER))?);
    }
    names.retain(|name| is_provider_name(name));
    names.sort();
    names.dedup();
    Ok(names)
}

/// The names of the registries, sorted.
pub fn registries(dir: &Path) -> Vec<String> {
    let entries = if is_nowhere(dir) { None } else { std::fs::read_dir(dir.join(REGISTRIES)).ok() };
    let names = entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let finished = |name: String| finish(&dir.join(REGISTRIES), &name);
    let of = |name: String| if is_provider_name(&name) { Some(name) } else { finished(name) };
    let mut names: Vec<String> = names.filter_map(of).collect();
    names.sort();
    names.dedup();
    names
}

/// Where a registry is, where a new one is written, and where the old one waits meanwhile.
pub(super) fn folders(of_all: &Path, name: &str) -> (PathBuf, PathBuf, PathBuf) {
    let [new, old] = ["new", "old"].map(|what| of_all.join(format!(".{name}.{what}")));
    (of_all.join(name), new, old)
}

/// Ends a `Registry::save` that was killed between its two renames. `entry`: a name among the
/// registries. Returns the name of the registry that is there now.
fn finish(of_all: &Path, entry: &str) -> Option<String> {
    let name = entry.strip_prefix('.')?.strip_suffix(".old")?;
    // the new one was written whole before the old one got its name
    let (folder, new, old) = folders(of_all, name);
    if folder.exists() || std::fs::rename(new, &folder).is_err() {
        return None;
    }
    let _ = std::fs::remove_dir_all(old);
    Some(name.to_owned())
}

/// The hint for a copy that was changed by hand.
pub(super) fn taken_anew(name: &str) -> String {
    format!("`oauthctl registry update {name}` takes it anew, `oauthctl registry remove {name}` removes it")
}

fn own_files(dir: &Path) -> Result<Vec<String>, ConfigError> {
    if is_nowhere(dir) { Ok(Vec::new()) } else { toml_files(&dir.join(FOLDER)) }
}

/// The names of the TOML files in the folder, sorted.
pub(super) fn toml_files(folder: &Path) -> Result<Vec<String>, ConfigError> {
    let unreadable = |e: std::io::Error| ConfigError::of_disk(folder, "read", &e);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        names.extend(entry.file_name().to_str().and_then(|name| name.strip_suffix(".toml")).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Writes a new file of the user's own, if it is valid and its name is free. Returns its path.
pub fn add_provider(dir: &Path, name: &str, text: &str) -> Result<PathBuf, ConfigError> {
    if !is_provider_name(name) {
        return Err(ConfigError::new(format!(
            "`{}` can't be a provider's name: lower-case letters, digits, `-`, `_`, `.`",
            safe(name)
        )));
    }
    let path = own_file(dir, name);
    let taken = match written(dir, name)? {
        Some(_) => Some(format!("`{}` is there already", path.display())),
        None => catalogue::find(name).map(|_| format!("`{name}` is a built-in provider")),
    };
    if let Some(taken) = taken {
        return Err(ConfigError::with_hint(taken, "choose another name; `--extends` takes over a provider's facts"));
    }
    write_provider(dir, name, text).map_err(|e| of_new_file(e, name, text))?;
    Ok(path)
}

/// A mistake in a file that is not there yet: its line is quoted.
fn of_new_file(e: ConfigError, name: &str, text: &str) -> ConfigError {
    let Some((before, after)) = e.message.split_once(&format!("providers/{name}.toml")) else { return e };
    let numbered =
        after.strip_prefix(", line ").map(|rest| rest.split_at(rest.chars().take_while(char::is_ascii_digit).count()));
    let line = numbered
        .and_then(|(number, rest)| Some((text.lines().nth(number.parse::<usize>().ok()?.checked_sub(1)?)?, rest)));
    let message = match line {
        Some((line, rest)) => format!("{before}the new file (`{}`){rest}", safe(line)),
        None => format!("{before}the new file{after}"),
    };
    ConfigError { message, ..e }
}

/// Writes a file of the user's own, if it is valid in each of its environments.
fn write_provider(dir: &Path, name: &str, text: &str) -> Result<(), ConfigError> {
    let own = |known: &str| if known == name { Ok(Some(text.to_owned())) } else { own_text(dir, known) };
    resolve_with(name, &own)?;
    write_copy(&own_file(dir, name), text)
}

/// A file of the user's own that is edited.
pub struct OwnFile {
    pub name: String,
    pub path: PathBuf,
    /// Its text; of a built-in provider the beginning of a file that changes it.
    pub begins: String,
    is_there: bool,
}

/// The user's own file of a provider, by its name or an alias.
pub fn own_provider(dir: &Path, name: &str) -> Result<OwnFile, ConfigError> {
    // a broken file is there to be edited
    let name = match own_text(dir, name)? {
        Some(_) => name.to_owned(),
        None => provider(dir, name, None)?.id,
    };
    let text = own_text(dir, &name)?;
    let new = || format!("extends = \"{name}\"\n# The keys that differ. `oauthctl provider show {name}` prints all.\n");
    let (path, is_there) = (own_file(dir, &name), written(dir, &name)?.is_some());
    Ok(OwnFile { begins: text.unwrap_or_else(new), name, path, is_there })
}

/// Replaces the file, if the new text is valid and nobody else has changed the file meanwhile.
pub fn replace_provider(dir: &Path, file: &OwnFile, text: &str) -> Result<(), ConfigError> {
    let now = written(dir, &file.name)?;
    if now.as_ref() != Some(&file.begins).filter(|_| file.is_there) {
        return Err(ConfigError::new(format!("`{}` was changed by somebody else meanwhile", file.path.display())));
    }
    write_provider(dir, &file.name, text)
}

/// Writes a file, and its folder.
pub fn write_copy(path: &Path, text: &str) -> Result<(), ConfigError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    files::make_folder(folder).map_err(|e| ConfigError::of_disk(folder, "made", &e))?;
    files::replace_shared(path, text.as_bytes()).map_err(|e| ConfigError::of_disk(path, "written", &e))
}

/// The text of a copy, if there is one.
pub fn kept_copy(path: &Path) -> Result<Option<String>, ConfigError> {
    // an editor may have put a link in its place
    if path.symlink_metadata().is_ok_and(|data| !data.is_file()) {
        return Err(ConfigError::new(format!("{} is not a file", path.display())));
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(ConfigError::of_disk(path, "read", &e)),
    }
}

pub fn remove_copy(path: &Path) -> Result<(), ConfigError> {
    files::remove(path).map(drop).map_err(|e| ConfigError::of_disk(path, "removed", &e))
}

fn has_own(dir: &Path, name: &str) -> bool {
    !is_nowhere(dir) && (own_file(dir, name).exists() || registry_file(dir, name).is_some())
}

fn own_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(FOLDER).join(format!("{name}.toml"))
}

/// The file of the registry that has this provider, below the folder of the configuration.
fn registry_file(dir: &Path, name: &str) -> Option<String> {
    let files = registries(dir).into_iter().map(|registry| format!("{REGISTRIES}/{registry}/{FOLDER}/{name}.toml"));
    files.into_iter().find(|file| dir.join(file).exists())
}

/// The text of the user's own file, or else of a registry's.
pub(super) fn own_text(dir: &Path, name: &str) -> Result<Option<String>, ReadError> {
    match written(dir, name)? {
        None if is_provider_name(name) => registry_file(dir, name).map_or(Ok(None), |file| file::text(dir, &file)),
        own => Ok(own),
    }
}

/// The text of the user's own file alone.
fn written(dir: &Path, name: &str) -> Result<Option<String>, ReadError> {
    // never a path: `../x` is no name
    if !is_provider_name(name) {
        return Ok(None);
    }
    file::text(dir, &format!("{FOLDER}/{name}.toml"))
}

/// Reads a provider in each of its environments, with other texts.
pub(super) fn resolve_with(
    name: &str,
    own: &dyn Fn(&str) -> Result<Option<String>, ReadError>,
) -> Result<Provider, ReadError> {
    let base = resolve::resolve(name, None, own)?;
    for environment in &base.environments {
        resolve::resolve(name, Some(environment), own)?;
    }
    Ok(base)
}

/// Whether two names mean one provider: `vr2` may be typed, and `verticalresponse-vr2` stored.
pub fn same_provider(dir: &Path, one: &str, other: &str) -> bool {
    let id = |name: &str| provider(dir, name, None).ok().map(|provider| provider.id);
    one == other || id(one).is_some_and(|one| Some(one) == id(other))
}
