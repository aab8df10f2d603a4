//! Opens the profile that is meant: the command line over the environment over the configuration.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::alias::Search;
use super::orphan::Orphan;
use super::overrides::{NOBODY, is_named, one_reads_stdin, variable};
use super::stores::{store_kind, store_of};
use super::variant::Variant;
use super::{Overrides, Paths, Shared, Who, alias, no_input, orphan, rule};
use crate::address::with_scheme;
use crate::config::words::known_grants;
use crate::config::{self, Config, GrantKind, IMPLICIT_REFUSED, Profile, SecretSource};
use crate::error::Error;
use crate::secret::hash;
use crate::store::environment::EnvironmentStore;
use crate::store::{StoreError, StoreKind, lent};
use crate::text::{TOKEN_ON_STDIN, Typed, may_be_token, nearest, pasted, safe};
use crate::world::World;

impl Who {
    /// Finds the profile. A store is read only for a name without a profile and a provider.
    pub fn open(world: &mut World, choice: Overrides) -> Result<Who, Error> {
        one_reads_stdin(&choice.flags.from_stdin())?;
        let paths = Paths::find(&*world.env);
        let Which { name, alias, config } = which(world, Search { choice: &choice, paths: &paths })?;
        Who::of(world, choice, (paths, &config, &Rc::default()), (name, alias))
    }

    /// The same for a profile of a configuration that was read already, one of many.
    pub fn open_configured(
        world: &mut World,
        choice: Overrides,
        (paths, config, shared): (&Paths, &Config, &Rc<Shared>),
        name: &str,
    ) -> Result<Who, Error> {
        Who::of(world, choice, (paths.clone(), config, shared), (name.to_owned(), None))
    }

    fn of(
        world: &mut World,
        choice: Overrides,
        (paths, config, shared): (Paths, &Config, &Rc<Shared>),
        (name, alias): (String, Option<String>),
    ) -> Result<Who, Error> {
        config::check_profile_name(&name)?;
        let words = alias::words(world, Search { choice: &choice, paths: &paths }, &name, alias.as_deref());
        let configured = config.profiles.contains_key(&name);
        alias::is_sole(world, &paths, (&name, &words[0]), config)?;
        let mut profile = config.profiles.get(&name).map(|profile| Profile::clone(profile)).unwrap_or_default();
        let named = is_named(world, &choice);
        overlay_environment(world, (&words, named), &choice, &mut profile)?;
        let mut typed = typed(&name, alias.as_deref(), &choice);
        let (choice, variant) = apart(choice, &profile);
        profile.overlay(&choice.flags);
        if profile.provider.is_none() && choice.profile.as_deref().is_some_and(|p| p.contains("://")) {
            profile.provider.clone_from(&choice.profile);
        }
        let kind = store_kind(world, &choice, &profile, config)?;
        if profile.provider.is_none() {
            profile.provider = match provider_of_new_profile(Search { choice: &choice, paths: &paths }, &name, config) {
                Ok(provider) => Some(provider),
                Err(e) if configured => return Err(e),
                Err(e) => {
                    let found = orphan::called(world, &paths, kind, &name);
                    let by_rule = || (!named).then(|| rule::that_chose(world, config, &name)).flatten();
                    let orphan = orphan_or(e, found, kind, by_rule)?;
                    return Who::open(world, orphan.choice(together(choice, variant)));
                }
            };
        }
        let store = match variable(world, &words, false, "TOKEN") {
            Some((_, token)) => Rc::new(EnvironmentStore::with(&*world.env, &token)),
            None => shared.stores.get(kind, |kind| store_of(world, *kind, &paths))?,
        };
        if store.kind() == StoreKind::Lent {
            typed.is_lent();
        }
        Ok(Who {
            cache: config.cache != Some(false) && !choice.no_cache && kind.is_copied(),
            typed,
            name,
            words,
            profile,
            configured,
            paths,
            store,
            choice,
            variant,
            named,
            read: RefCell::default(),
            more_vars: RefCell::default(),
            shared: Rc::clone(shared),
        })
    }

    /// Changes to the store that has the record of a login that was not finished: to sealed files,
    /// where no keychain answered, or to the store of its flags.
    pub fn look_further(&mut self, world: &World) -> Result<(), Error> {
        let kind = self.store.kind();
        if self.configured
            || self.choice.flags.store.is_some()
            || !kind.keeps()
            || !matches!(self.store.load(&self.name), Ok(None) | Err(StoreError::Absent { .. }))
        {
            return Ok(());
        }
        if let Some(found) = orphan::called(world, &self.paths, kind, &self.name)? {
            self.store = store_of(world, found.kind, &self.paths)?;
            self.choice.flags.store = Some(found.kind);
            self.typed.options_are(self.choice.options());
        }
        Ok(())
    }
}

/// The record that was found under a name without profile and provider. `e`: the name's error.
fn orphan_or(
    e: Error,
    found: Result<Option<Orphan>, Error>,
    kind: StoreKind,
    by_rule: impl FnOnce() -> Option<String>,
) -> Result<Orphan, Error> {
    match found {
        Ok(Some(orphan)) => Ok(orphan),
        Ok(None) => Err(e.hints(by_rule().map(|rule| format!("{rule} names it: change its `profile`")))),
        // the lender knows which profiles there are
        Err(why) if kind == StoreKind::Lent => Err(why),
        Err(why) => Err(e.hint(format!("{why}: it can't be searched for a record of that name"))),
    }
}

/// A person's login is one, however its tokens are asked for: the flags for another of them are set
/// apart. To a job and to a login they are flags of the profile.
fn apart(choice: Overrides, profile: &Profile) -> (Overrides, Option<Variant>) {
    let by_person = choice.flags.grant.or(profile.grant).is_none_or(GrantKind::needs_person);
    let mut choice = choice;
    let variant = if choice.signing_in || !by_person { None } else { Variant::taken_from(&mut choice.flags) };
    (choice, variant)
}

/// The command line's own choice again.
fn together(mut choice: Overrides, variant: Option<Variant>) -> Overrides {
    choice.flags.overlay(&variant.map(|variant| variant.as_flags()).unwrap_or_default());
    choice
}

fn typed(name: &str, alias: Option<&str>, choice: &Overrides) -> Typed {
    Typed::new(name, choice.profile.as_deref().or(alias).unwrap_or(name), choice.options())
}

/// The profile that is meant.
struct Which {
    pub name: String,
    /// The alias that was typed.
    pub alias: Option<String>,
    /// The configuration, with this profile at least.
    pub config: Config,
}

fn which(world: &mut World, search: Search<'_>) -> Result<Which, Error> {
    let Search { choice, paths } = search;
    let word = choice.profile.clone().or_else(|| world.env.var("OAUTHCTL_PROFILE"));
    match word {
        // `login https://issuer.example`: the profile is called by the issuer's host
        Some(issuer) if choice.profile.is_some() && issuer.contains("://") => {
            let (name, config) = of_issuer(paths, &issuer)?;
            Ok(Which { config, name, alias: None })
        }
        Some(word) => called(world, search, load_for(paths, &word)?, word),
        None => {
            let (word, config) = unnamed(world, search)?;
            called(world, search, config, word)
        }
    }
}

/// The profile of that name, or of the provider with that alias.
fn called(world: &mut World, search: Search<'_>, config: Config, word: String) -> Result<Which, Error> {
    match alias::meant(world, search, &word, &config) {
        Some(name) => Ok(Which { config: load_for(search.paths, &name)?, name, alias: Some(word) }),
        None => Ok(Which { name: word, alias: None, config }),
    }
}

/// The name of the profile that a word means. `provider`: that of a new profile.
pub fn profile_called(
    world: &mut World,
    paths: &Paths,
    word: String,
    provider: Option<String>,
) -> Result<String, Error> {
    let choice = Overrides { flags: Profile { provider, ..Profile::default() }, ..Overrides::default() };
    called(world, Search { choice: &choice, paths }, load_for(paths, &word)?, word).map(|which| which.name)
}

fn load_for(paths: &Paths, name: &str) -> Result<Config, Error> {
    let load = |dir: &PathBuf| Config::load_for(dir, name).map_err(|e| in_folder(e, dir));
    Ok(paths.config.as_ref().map(load).transpose()?.unwrap_or_default())
}

/// The profile of a rule, the default one, the provider's, or the only one.
fn unnamed(world: &mut World, Search { choice, paths }: Search<'_>) -> Result<(String, Config), Error> {
    let dir = paths.config.as_deref();
    let config = dir.map(|d| Config::load(d).map_err(|e| in_folder(e, d))).transpose()?.unwrap_or_default();
    let rules = config.when.iter().filter(|rule| default_profile_fits(dir, &config, &rule.profile, choice));
    if let Some(rule) = rule::chosen(world, rules) {
        world.step(|| format!("the profile `{}`, by {}", safe(&rule.profile), rule::words(rule)));
        return Ok((rule.profile.clone(), config));
    }
    if let Some(name) = config.default_profile.clone().filter(|name| default_profile_fits(dir, &config, name, choice)) {
        return Ok((name, config));
    }
    if let Some(provider) = &choice.flags.provider {
        return match provider.contains("://") {
            true => of_issuer(paths, provider),
            false => Ok((provider.clone(), config)),
        };
    }
    match config.profiles.len() {
        1 => Ok((config.profiles.keys().next().cloned().unwrap_or_default(), config)),
        0 if lent::is_named(&*world.env) => Err(Error::usage("no profile was named, and this machine has none")
            .hint("name one of those that `oauthctl lend` names on the machine that lends them")),
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

/// Whether the default profile is meant: not where `--provider` names another provider.
fn default_profile_fits(dir: Option<&Path>, config: &Config, name: &str, choice: &Overrides) -> bool {
    let own = config.profiles.get(name).and_then(|p| p.provider.as_deref()).unwrap_or(name);
    let dir = dir.unwrap_or(Path::new(""));
    choice.flags.provider.as_deref().is_none_or(|said| config::same_provider(dir, said, own))
}

/// The name of the profile that an issuer's address means.
pub fn profile_of_issuer(world: &World, issuer: &str) -> Result<String, Error> {
    of_issuer(&Paths::find(&*world.env), issuer).map(|(name, _)| name)
}

/// The profile of an issuer's address. Several addresses may have one short name: the first one
/// gets it, every other one a name with a fingerprint.
fn of_issuer(paths: &Paths, issuer: &str) -> Result<(String, Config), Error> {
    let short = name_of_issuer(issuer);
    if short.is_empty() {
        // the error for an address, not for a name
        config::provider(Path::new(""), issuer, None)?;
    }
    let own = format!("{}-{}", short.chars().take(31).collect::<String>(), hash(plain(issuer).as_bytes()));
    let is_this = |profile: &Profile| profile.provider.as_deref().is_some_and(|p| plain(p) == plain(issuer));
    let with_own = load_for(paths, &own)?;
    if with_own.profiles.get(&own).is_some_and(|profile| is_this(profile)) {
        return Ok((own, with_own));
    }
    let config = load_for(paths, &short)?;
    match config.profiles.get(&short).is_none_or(|profile| is_this(profile)) {
        true => Ok((short, config)),
        false => Ok((own, with_own)),
    }
}

/// An address without differences that mean nothing.
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

/// A mistake in a file, with the folder of the file.
fn in_folder(e: config::ConfigError, dir: &Path) -> Error {
    Error::from(e).hint(format!("the configuration is in {}", safe(&dir.display().to_string())))
}

/// The profile's variables. Flags override them.
fn overlay_environment(
    world: &World,
    (words, named): (&[String], bool),
    choice: &Overrides,
    profile: &mut Profile,
) -> Result<(), Error> {
    let var = |what: &str| variable(world, words, named, what).map(|(value, _)| value);
    let mut said = Profile { client_id: var("CLIENT_ID"), ..Profile::default() };
    if choice.flags.grant.is_none()
        && let Some((grant, name)) = variable(world, words, named, "GRANT")
    {
        if grant == "implicit" {
            return Err(Error::usage(format!("{name}: {IMPLICIT_REFUSED}")));
        }
        said.grant = Some(GrantKind::from_name(&grant).ok_or_else(|| {
            Error::usage(format!("{name} names an unknown grant: `{}`", safe(&grant))).hint(known_grants())
        })?);
    }
    said.proofs.client_key = var("CLIENT_KEY_FILE").map(|file| SecretSource::File(file.into()));
    said.proofs.client_certificate = var("CLIENT_CERTIFICATE").map(PathBuf::from);
    let words = |scope: String| scope.split([' ', ',']).filter(|s| !s.is_empty()).map(str::to_owned).collect();
    said.target.scopes = var("SCOPE").map(words);
    profile.overlay(&said);
    Ok(())
}

/// The stand-in for the provider of a profile that names none, to list, rename and remove it.
pub fn placeholder_provider(dir: &Path, config: &Config, name: &str) -> Option<String> {
    let says_none = config.profiles.get(name).is_some_and(|p| p.provider.is_none());
    (says_none && config::provider(dir, name, None).is_err()).then(|| NOBODY.to_owned())
}

/// Words in a profile's place that mean options.
const OPTIONS_MEANT: [(&str, &str); 3] = [("all", "--all"), ("help", "--help"), ("version", "--version")];

/// The provider of a profile that names none: the one with the profile's name.
fn provider_of_new_profile(Search { choice, paths }: Search<'_>, name: &str, config: &Config) -> Result<String, Error> {
    let dir = paths.config.as_deref().unwrap_or(Path::new(""));
    let found = config::provider(dir, name, None);
    if config.profiles.contains_key(name) && found.is_err() {
        return Err(Error::usage(format!("profile `{}` names no provider", safe(name)))
            .hint(format!("oauthctl profile set {} provider NAME", pasted(name))));
    }
    let known = config::provider_names(dir)?;
    match found {
        Ok(_) => return Ok(name.to_owned()),
        Err(_) if known.iter().any(|(known, _)| known == name) => return Ok(name.to_owned()),
        // a broken file of the person's own is not an unknown provider
        Err(e) if !e.message.starts_with("there is no provider") => return Err(e.into()),
        Err(_) => {}
    }
    let lower = name.to_lowercase();
    let is_other_name = lower != name && config::provider(dir, &lower, None).is_ok();
    let everything = Config::load(dir).unwrap_or_else(|_| config.clone());
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
