//! Who is meant: what was typed, over the environment, over the configuration.

use std::path::{Path, PathBuf};

use super::paths::Paths;
use super::{alias, no_input, open_file_store};
use crate::config::proofs::Proofs;
use crate::config::{self, Asks, Config, GrantKind, IMPLICIT_REFUSED, Profile, SecretSource};
use crate::error::Error;
use crate::provider::expand::with_scheme;
use crate::secret::hash;
use crate::store::{self, Store, StoreKind};
use crate::text::{TOKEN_ON_STDIN, Typed, may_be_token, nearest, pasted, safe};
use crate::world::World;

/// What was typed, before the configuration and the environment have their say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    pub profile: Option<String>,
    /// The profile is one of several that are gone through, or another one's subject: nobody named it, and the variables that
    /// are for the profile named on the command line are not for it.
    pub implied: bool,
    pub provider: Option<String>,
    pub environment: Option<String>,
    /// The provider's variables.
    pub vars: Vec<(String, String)>,
    pub grant: Option<GrantKind>,
    pub client_id: Option<String>,
    /// A file's name, or `-` for standard input.
    pub client_secret_file: Option<String>,
    pub scopes: Vec<String>,
    pub params: Vec<(String, String)>,
    pub redirect_uri: Option<String>,
    pub port: Option<u16>,
    pub store: Option<StoreKind>,
    pub no_cache: bool,
    pub allow_private: bool,
    pub proofs: Proofs,
    pub asks: Asks,
}

impl Choice {
    /// The flags that were told to read standard input, which can be read once.
    pub fn from_stdin(&self) -> Vec<&'static str> {
        let dash =
            |source: &Option<SecretSource>| matches!(source, Some(SecretSource::File(f)) if f.as_os_str() == "-");
        [
            ("--client-secret-file", self.client_secret_file.as_deref() == Some("-")),
            ("--client-key-file", dash(&self.proofs.key)),
            ("--assertion-file", dash(&self.asks.assertion)),
            ("--subject-token-file", dash(&self.asks.subject_token)),
            ("--actor-token-file", dash(&self.asks.actor_token)),
            ("--password-file", dash(&self.asks.password)),
            ("--id-token-hint-file", dash(&self.asks.id_token_hint)),
            ("--login-hint-token-file", dash(&self.asks.login_hint_token)),
        ]
        .into_iter()
        .filter_map(|(flag, reads)| reads.then_some(flag))
        .collect()
    }

    /// The options of a command line that say all this again, with their values. No secret is ever one of them.
    pub fn options(&self) -> Vec<(String, String)> {
        let one = |name: &'static str, value: Option<&str>| value.map(|value| (name.to_owned(), value.to_owned()));
        let pairs = |name: &'static str, list: &[(String, String)]| -> Vec<(String, String)> {
            list.iter().map(|(key, value)| (name.to_owned(), format!("{key}={value}"))).collect()
        };
        let each = |name: &'static str, list: &[String]| -> Vec<(String, String)> {
            list.iter().map(|value| (name.to_owned(), value.clone())).collect()
        };
        let port = self.port.map(|port| port.to_string());
        let mut out = Vec::new();
        out.extend(one("--provider", self.provider.as_deref().filter(|provider| *provider != NOBODY)));
        out.extend(one("--environment", self.environment.as_deref()));
        out.extend(pairs("--var", &self.vars));
        out.extend(one("--grant", self.grant.map(GrantKind::name)));
        out.extend(one("--client-id", self.client_id.as_deref()));
        // what came from standard input came once
        out.extend(one("--client-secret-file", self.client_secret_file.as_deref().filter(|file| *file != "-")));
        out.extend(each("--scope", &self.scopes));
        out.extend(pairs("--param", &self.params));
        out.extend(one("--redirect-uri", self.redirect_uri.as_deref()));
        out.extend(one("--port", port.as_deref()));
        out.extend(one("--store", self.store.map(StoreKind::name)));
        out.extend(one("--allow-private", self.allow_private.then_some("")));
        out.extend(each("--resource", &self.asks.resources));
        out.extend(each("--audience", &self.asks.audiences));
        // the others are keys of a profile, named as the options are
        let keys = [self.proofs.changes(&Proofs::default()), self.asks.changes(&Asks::default())].concat();
        out.extend(keys.into_iter().filter(|(key, _)| key != "resource" && key != "audience").map(|(key, value)| {
            let value = if key == "dpop" { String::new() } else { value };
            (format!("--{}", key.replace(".file", "-file")), value)
        }));
        out
    }
}

/// Standard input is read by one of them at most.
pub fn one_reads_stdin(flags: &[&str]) -> Result<(), Error> {
    let [first, second, ..] = flags else { return Ok(()) };
    Err(Error::usage(format!("standard input is wanted twice: by `{first} -` and by `{second} -`"))
        .hint("give one of them as a file"))
}

/// The profile that is meant, the other name by which it was, and the configuration read as far as needed.
pub(super) struct Which {
    pub name: String,
    pub alias: Option<String>,
    pub config: Config,
}

/// Which profile.
pub(super) fn which(world: &mut World, paths: &Paths, choice: &Choice) -> Result<Which, Error> {
    let word = choice.profile.clone().or_else(|| world.env.var("OAUTHCTL_PROFILE"));
    match word {
        // `login https://issuer.example`: the profile is called by the issuer's host
        Some(issuer) if choice.profile.is_some() && issuer.contains("://") => {
            let (name, config) = of_issuer(paths, &issuer)?;
            Ok(Which { config, name, alias: None })
        }
        Some(word) => called(world, paths, choice, word),
        None => {
            let (word, config) = unnamed(world, paths, choice)?;
            Ok(match alias::meant(world, paths, choice, &word, &config) {
                Some(name) => Which { name, alias: Some(word), config },
                None => Which { name: word, alias: None, config },
            })
        }
    }
}

/// The profile of that name, or the one of the provider that goes by it.
fn called(world: &mut World, paths: &Paths, choice: &Choice, word: String) -> Result<Which, Error> {
    let config = load_for(paths, &word)?;
    match alias::meant(world, paths, choice, &word, &config) {
        Some(name) => Ok(Which { config: load_for(paths, &name)?, name, alias: Some(word) }),
        None => Ok(Which { name: word, alias: None, config }),
    }
}

/// The name of the profile that a word means, for what changes its configuration. `provider`: what it is to be made of.
pub fn profile_called(
    world: &mut World,
    paths: &Paths,
    word: String,
    provider: Option<String>,
) -> Result<String, Error> {
    called(world, paths, &Choice { provider, ..Choice::default() }, word).map(|which| which.name)
}

fn load_for(paths: &Paths, name: &str) -> Result<Config, Error> {
    let load = |dir: &PathBuf| Config::load_for(dir, name).map_err(|e| in_folder(e, dir));
    Ok(paths.config.as_ref().map(load).transpose()?.unwrap_or_default())
}

/// The usual profile, the provider's, or the only one.
fn unnamed(world: &World, paths: &Paths, choice: &Choice) -> Result<(String, Config), Error> {
    let dir = paths.config.as_deref();
    let config = dir.map(|d| Config::load(d).map_err(|e| in_folder(e, d))).transpose()?.unwrap_or_default();
    if let Some(name) = config.default_profile.clone().filter(|name| may_be_of(dir, &config, name, choice)) {
        return Ok((name, config));
    }
    if let Some(provider) = &choice.provider {
        return match provider.contains("://") {
            true => of_issuer(paths, provider),
            false => Ok((provider.clone(), config)),
        };
    }
    match config.profiles.len() {
        1 => Ok((config.profiles.keys().next().cloned().unwrap_or_default(), config)),
        0 => Err(Error::usage("no profile was named, and there is none yet")
            .hint(match no_input(world) {
                true => "in CI: set OAUTHCTL_PROFILE to the name of a provider",
                false => "oauthctl login sandbox",
            })
            .hint("`oauthctl provider list` names the providers")),
        _ => Err(Error::usage("no profile was named, and there are several")
            .hint(format!("name one of: {}", config.profiles.keys().map(String::as_str).collect::<Vec<_>>().join(", ")))
            .hint("or set `default-profile` in config.toml, or OAUTHCTL_PROFILE")),
    }
}

/// Whether the usual profile is the one meant: not where `--provider` names another provider than its own.
fn may_be_of(dir: Option<&Path>, config: &Config, name: &str, choice: &Choice) -> bool {
    let own = config.profiles.get(name).and_then(|p| p.provider.as_deref()).unwrap_or(name);
    let dir = dir.unwrap_or(Path::new(""));
    choice.provider.as_deref().is_none_or(|said| same_provider(dir, said, own))
}

/// Whether two names mean one provider: `vr2` is typed, `verticalresponse-vr2` is kept.
pub(super) fn same_provider(dir: &Path, one: &str, other: &str) -> bool {
    let id = |name: &str| config::provider(dir, name, None).ok().map(|provider| provider.id);
    one == other || id(one).is_some_and(|one| Some(one) == id(other))
}

/// Whether the person named this profile: by its name, by its provider, or by `OAUTHCTL_PROFILE`, which is as the word typed.
pub(super) fn is_named(world: &World, choice: &Choice) -> bool {
    !choice.implied
        && (choice.profile.is_some() || choice.provider.is_some() || world.env.var("OAUTHCTL_PROFILE").is_some())
}

/// The value of a variable for the profile that goes by these words, and the variable's name: `OAUTHCTL_<PROFILE>_…`, else, where
/// the profile is `named`, `OAUTHCTL_…`.
pub(super) fn variable(world: &World, words: &[String], named: bool, what: &str) -> Option<(String, String)> {
    let own = words.iter().map(|word| format!("OAUTHCTL_{word}_{what}"));
    let for_named = named.then(|| format!("OAUTHCTL_{what}"));
    own.chain(for_named).find_map(|name| Some((world.env.var(&name)?, name)))
}

/// The name of the profile that an issuer's address means.
pub fn profile_of_issuer(world: &World, issuer: &str) -> Result<String, Error> {
    of_issuer(&Paths::find(&*world.env), issuer).map(|(name, _)| name)
}

/// The profile of an issuer's address. Several addresses have one short name: the first one to come has it, every other one its own.
fn of_issuer(paths: &Paths, issuer: &str) -> Result<(String, Config), Error> {
    let short = name_of_issuer(issuer);
    if short.is_empty() {
        // an address of nothing: told as such, not as a name
        config::provider(Path::new(""), issuer, None)?;
    }
    let own = format!("{}-{}", short.chars().take(31).collect::<String>(), hash(plain(issuer).as_bytes()));
    let provider = |config: &Config, name: &str| config.profiles.get(name).map(|p| p.provider.clone());
    let is_this =
        |said: Option<Option<String>>| said.is_some_and(|said| said.is_some_and(|p| plain(&p) == plain(issuer)));
    let config = load_for(paths, &own)?;
    if is_this(provider(&config, &own)) {
        return Ok((own, config));
    }
    let config = load_for(paths, &short)?;
    match provider(&config, &short) {
        None => Ok((short, config)),
        said if is_this(said.clone()) => Ok((short, config)),
        Some(_) => Ok((own.clone(), load_for(paths, &own)?)),
    }
}

/// An address without what makes no difference to it.
fn plain(issuer: &str) -> String {
    url::Url::parse(issuer).map_or_else(|_| issuer.to_owned(), |url| url.to_string()).trim_end_matches('/').to_owned()
}

/// `https://as.example:8443/tenant` makes the profile `as.example-8443-tenant`.
fn name_of_issuer(issuer: &str) -> String {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest).trim_end_matches('/');
    let name: String =
        rest.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' }).collect();
    name.trim_matches('-').chars().take(64).collect()
}

/// A mistake in a file, and which folder's.
fn in_folder(e: config::ConfigError, dir: &std::path::Path) -> Error {
    Error::from(e).hint(format!("the configuration is in {}", safe(&dir.display().to_string())))
}

/// What the environment says of this profile, where no flag says otherwise.
pub(super) fn overlay_environment(
    world: &World,
    words: &[String],
    choice: &Choice,
    profile: &mut Profile,
) -> Result<(), Error> {
    let named = is_named(world, choice);
    let var = |what: &str| variable(world, words, named, what).map(|(value, _)| value);
    if let Some(id) = var("CLIENT_ID") {
        profile.client_id = Some(id);
    }
    if choice.grant.is_none()
        && let Some((grant, name)) = variable(world, words, named, "GRANT")
    {
        if grant == "implicit" {
            return Err(Error::usage(format!("{name}: {IMPLICIT_REFUSED}")));
        }
        profile.grant = Some(GrantKind::from_name(&grant).ok_or_else(|| {
            Error::usage(format!("{name} names an unknown grant: `{}`", safe(&grant))).hint(known_grants())
        })?);
    }
    if let Some(file) = var("CLIENT_KEY_FILE") {
        profile.proofs.key = Some(SecretSource::File(file.into()));
    }
    if let Some(file) = var("CLIENT_CERTIFICATE") {
        profile.proofs.certificate = Some(file.into());
    }
    if let Some(scope) = var("SCOPE") {
        profile.scopes = Some(scope.split([' ', ',']).filter(|s| !s.is_empty()).map(str::to_owned).collect());
    }
    Ok(())
}

pub fn known_grants() -> String {
    format!("grants: {}", GrantKind::ALL.map(GrantKind::name).join(", "))
}

pub(super) fn overlay_flags(choice: &Choice, profile: &mut Profile) {
    if choice.provider.is_some() {
        profile.provider.clone_from(&choice.provider);
    }
    if choice.environment.is_some() {
        profile.environment.clone_from(&choice.environment);
    }
    profile.vars.extend(choice.vars.iter().cloned());
    if choice.grant.is_some() {
        profile.grant = choice.grant;
    }
    if choice.client_id.is_some() {
        profile.client_id.clone_from(&choice.client_id);
    }
    if !choice.scopes.is_empty() {
        profile.scopes = Some(choice.scopes.clone());
    }
    if let Some(uri) = &choice.redirect_uri {
        profile.redirect_uri = Some(uri.clone());
        // an address that names its port wins over the profile's port
        if url::Url::parse(uri).is_ok_and(|url| url.port().is_some()) {
            profile.port = None;
        }
    }
    if choice.port.is_some() {
        profile.port = choice.port;
    }
    profile.proofs.lay_over(&choice.proofs);
    if choice.store.is_some() {
        profile.store = choice.store;
    }
    if choice.allow_private {
        profile.allow_private = Some(true);
    }
    profile.params.extend(choice.params.iter().cloned());
    profile.asks.lay_over(&choice.asks);
}

pub(super) const NOBODY: &str = "-";

/// What stands for the provider of a profile that says none and is called like none, as an editor may leave it: such a profile
/// can be listed, renamed and removed all the same. `None` for every other profile.
pub fn nobodys(dir: &Path, config: &Config, name: &str) -> Option<String> {
    let says_none = config.profiles.get(name).is_some_and(|p| p.provider.is_none());
    (says_none && config::provider(dir, name, None).is_err()).then(|| NOBODY.to_owned())
}

/// Words in a profile's place that are meant as options.
const OPTIONS_MEANT: [(&str, &str); 3] = [("all", "--all"), ("help", "--help"), ("version", "--version")];

/// A profile that doesn't exist yet but has a provider's name is that provider's.
pub(super) fn provider_of_new_profile(
    paths: &Paths,
    name: &str,
    config: &Config,
    choice: &Choice,
) -> Result<String, Error> {
    let dir = paths.config.clone().unwrap_or_else(|| PathBuf::from(""));
    if config.profiles.contains_key(name) && config::provider(&dir, name, None).is_err() {
        return Err(Error::usage(format!("profile `{}` does not say whose it is", safe(name)))
            .hint(format!("oauthctl profile set {} provider NAME", pasted(name))));
    }
    let known = config::provider_names(&dir)?;
    if known.iter().any(|(known, _)| known == name) || config::provider(&dir, name, None).is_ok() {
        return Ok(name.to_owned());
    }
    // a broken file of the person's own must be named as such, not called unknown
    if let Err(e) = config::provider(&dir, name, None)
        && !e.message.starts_with("there is no provider")
    {
        return Err(e.into());
    }
    let lower = name.to_lowercase();
    let is_other_name = lower != name && config::provider(&dir, &lower, None).is_ok();
    let everything = Config::load(&dir).unwrap_or_else(|_| config.clone());
    let mut names = everything.profiles.keys().map(String::as_str).chain(known.iter().map(|(n, _)| n.as_str()));
    if may_be_token(name) {
        let error = Error::usage("there is no profile and no provider of that name, which may be a token");
        let near = nearest(name, names).map(|near| format!("did you mean `{near}`?"));
        return Err(error.hints(near).hint(TOKEN_ON_STDIN));
    }
    let error = Error::usage(format!("there is no profile and no provider called `{}`", safe(name)));
    if let Some((_, option)) = OPTIONS_MEANT.iter().find(|(word, _)| *word == name) {
        return Err(error.hint(format!("did you mean `{option}`?")));
    }
    if let Some(issuer) = with_scheme(name) {
        // `www.getresponse.com` is no authorization server
        let of_site = names.find(|known| name.split('.').any(|label| label == *known)).map(str::to_owned);
        return Err(error.hint(match of_site {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("did you mean `{}`?", Typed::new(name, &issuer, choice.options()).login()),
        }));
    }
    Err(match is_other_name.then_some(lower.as_str()).or_else(|| nearest(name, names)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`oauthctl list` names the profiles, `oauthctl provider list` the providers"),
    }
    .hint(format!("a new profile of a provider: `oauthctl login {} --provider NAME`", pasted(name))))
}

pub(super) fn store_kind(
    world: &World,
    choice: &Choice,
    profile: &Profile,
    config: &Config,
) -> Result<StoreKind, Error> {
    if let Some(kind) = choice.store {
        return Ok(kind);
    }
    if let Some(name) = world.env.var("OAUTHCTL_STORE") {
        return StoreKind::from_name(&name).ok_or_else(|| {
            Error::usage(format!("OAUTHCTL_STORE names an unknown store: `{}`", safe(&name))).hint(known_stores())
        });
    }
    Ok(profile.store.or(config.store).unwrap_or(StoreKind::Keychain))
}

/// The store of a profile that says nothing about it, and whether somebody chose it.
pub fn usual_store(world: &World, paths: &Paths) -> Result<(StoreKind, bool), Error> {
    let config = paths.config.as_deref().and_then(|dir| Config::load(dir).ok()).unwrap_or_default();
    let kind = store_kind(world, &Choice::default(), &Profile::default(), &config)?;
    Ok((kind, config.store.is_some() || world.env.var("OAUTHCTL_STORE").is_some()))
}

pub fn known_stores() -> String {
    format!("stores: {}", StoreKind::ALL.map(StoreKind::name).join(", "))
}

/// The store for a profile: the environment's where a token from outside is set, in this variable, else the one that was chosen.
pub(super) fn store_for(
    world: &World,
    kind: StoreKind,
    token: Option<&str>,
    paths: &Paths,
) -> Result<Box<dyn Store>, Error> {
    match token {
        Some(variable) => Ok(Box::new(store::environment::EnvironmentStore::with(&*world.env, variable))),
        None => store_of(world, kind, paths),
    }
}

pub(super) fn store_of(world: &World, kind: StoreKind, paths: &Paths) -> Result<Box<dyn Store>, Error> {
    Ok(match kind {
        StoreKind::Keychain => Box::new(store::keychain::KeychainStore::new(world.keychain.clone())),
        StoreKind::File => Box::new(open_file_store(world, paths)?),
        StoreKind::Environment => Box::new(store::environment::EnvironmentStore::new(&*world.env)),
        StoreKind::None => Box::new(store::none::NoStore),
    })
}
