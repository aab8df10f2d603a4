//! Which profile is meant: its name, what is configured of it, its store and its folders. Found
//! once, before anything is asked.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::choice::{Which, is_named, overlay_environment, provider_of_new_profile, variable, which};
use super::paths::Paths;
use super::record::Record;
use super::stores::{store_for, store_kind, store_of};
use super::{Choice, alias, choice, inputs, lock, orphan, secret_from_file};
use crate::config::{self, Config, GrantKind, Profile, SecretSource};
use crate::error::{Error, Kind};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::store::{self, Store, StoreError, StoreKind};
use crate::text::{Typed, nearest, safe};
use crate::world::World;

/// Variables that only a running program knows (the sandbox's address), asked for when the provider
/// is first needed.
pub type MoreVars = Box<dyn FnMut(&mut World) -> Result<BTreeMap<String, String>, Error>>;

/// A provider's name and environment.
type Meant = (String, Option<String>);

/// One profile, as this command means it.
pub struct Who {
    pub name: String,
    /// The provider's other name by which the profile was named.
    pub alias: Option<String>,
    /// For the command lines that messages tell.
    pub typed: Typed,
    /// The words by which variables name the profile, in capitals.
    pub(super) words: Vec<String>,
    /// Configuration, then environment, then flags.
    pub profile: Profile,
    /// Whether the configuration has this profile.
    pub configured: bool,
    pub paths: Paths,
    pub store: Box<dyn Store>,
    /// Whether the kernel's copy is used.
    pub cache: bool,
    pub choice: Choice,
    /// Whether a person named this profile; otherwise it is the default or the only one.
    pub(super) named: bool,
    /// Secrets that were read from files: standard input can be read once.
    pub(super) read: RefCell<BTreeMap<String, Secret>>,
    pub(super) more_vars: RefCell<Option<MoreVars>>,
    /// The provider's description, and of which provider and environment it is.
    raw: RefCell<Option<(Meant, Provider)>>,
}

impl Who {
    /// Finds out who is meant. Touches no network, and a store only where a name means nothing else
    /// than what one keeps.
    pub fn open(world: &mut World, choice: Choice) -> Result<Who, Error> {
        choice::one_reads_stdin(&choice.flags.from_stdin())?;
        let paths = Paths::find(&*world.env);
        let meant = which(world, &paths, &choice)?;
        Who::of(world, choice, paths, meant)
    }

    /// The same for a profile that the configuration has, which was read already: for whoever opens
    /// all of them.
    pub fn open_configured(world: &mut World, choice: Choice, config: &Config, name: &str) -> Result<Who, Error> {
        let paths = Paths::find(&*world.env);
        let meant = Which { name: name.to_owned(), alias: None, config: config.only(name) };
        Who::of(world, choice, paths, meant)
    }

    fn of(world: &mut World, choice: Choice, paths: Paths, meant: Which) -> Result<Who, Error> {
        let Which { name, alias, config } = meant;
        config::check_profile_name(&name)?;
        let words = alias::words(world, &paths, &choice, &name, alias.as_deref());
        let configured = config.profiles.contains_key(&name);
        let mut profile = config.profiles.get(&name).cloned().unwrap_or_default();
        overlay_environment(world, &words, &choice, &mut profile)?;
        profile.overlay(&choice.flags);
        if profile.provider.is_none() && choice.profile.as_deref().is_some_and(|p| p.contains("://")) {
            profile.provider.clone_from(&choice.profile);
        }
        let kind = store_kind(world, &choice, &profile, &config)?;
        if profile.provider.is_none() {
            profile.provider = match provider_of_new_profile(&paths, &name, &config, &choice) {
                Ok(provider) => Some(provider),
                Err(e) if configured => return Err(e),
                Err(e) => match orphan::called(world, &paths, kind, &name) {
                    Ok(Some(orphan)) => return Who::open(world, orphan.choice(choice)),
                    Ok(None) => return Err(e),
                    Err(why) => {
                        return Err(e.hint(format!(
                            "{}: whether anything of that name is kept there can't be seen",
                            why.message
                        )));
                    }
                },
            };
        }
        let named = is_named(world, &choice);
        let token = variable(world, &words, false, "TOKEN").map(|(_, name)| name);
        let store = store_for(world, kind, token.as_deref(), &paths)?;
        Ok(Who {
            cache: config.cache != Some(false) && !choice.no_cache,
            typed: typed(&name, alias.as_deref(), &choice),
            name,
            alias,
            words,
            profile,
            configured,
            paths,
            store,
            choice,
            named,
            read: RefCell::default(),
            more_vars: RefCell::default(),
            raw: RefCell::default(),
        })
    }

    pub fn provider_name(&self) -> &str {
        self.profile.provider.as_deref().unwrap_or(&self.name)
    }

    /// The secret variables that are kept for this very provider.
    pub fn secret_vars(&self, raw: &Provider, record: Option<&Record>) -> BTreeMap<String, Secret> {
        let kept = record.filter(|record| self.secret_moved(record, raw).is_none()).map(|r| r.secret_vars.clone());
        kept.unwrap_or_default().into_iter().filter(|(name, _)| raw.has_secret_var(name)).collect()
    }

    /// Secret variables that lie in `config.toml`, as older versions kept them.
    pub fn bare_vars(&self, raw: &Provider) -> Result<Vec<String>, Error> {
        let Some(dir) = self.paths.config.as_deref().filter(|_| raw.vars.values().any(|var| var.secret)) else {
            return Ok(Vec::new());
        };
        let file = config::Config::load_for(dir, &self.name)?;
        let vars = file.profiles.get(&self.name).map(|profile| profile.vars.keys().cloned()).into_iter().flatten();
        Ok(vars.filter(|name| raw.has_secret_var(name)).collect())
    }

    pub(super) fn warn_of_bare_vars(&self, world: &mut World, raw: &Provider) -> Result<(), Error> {
        // a login moves them
        for name in self.bare_vars(raw)?.iter().filter(|_| !self.choice.signing_in) {
            let name = safe(name);
            world.warn(&format!(
                "`{name}` of `{}` is a secret and lies unsealed in config.toml; `{} --var {name}` moves it into the store",
                self.name,
                self.typed.line("profile set-secret")
            ));
        }
        Ok(())
    }

    /// Whether [`Server::of`] comes out otherwise with the record than without: what the login
    /// brought fills a variable, or the document that was kept with it says more.
    pub fn provider_needs_record(&self) -> Result<bool, Error> {
        let raw = self.raw_provider()?;
        let mut names = raw.vars.keys().chain(raw.response.capture.keys());
        Ok(names.any(|name| !self.profile.vars.contains_key(name)) || raw.issuer.is_some())
    }

    /// The provider with its `{variables}` unfilled: for what is asked before a login.
    pub fn raw_provider(&self) -> Result<Provider, Error> {
        let dir = self.paths.config.as_deref().unwrap_or(std::path::Path::new(""));
        let meant = (self.provider_name().to_owned(), self.profile.environment.clone());
        let known = self.raw.borrow().as_ref().filter(|(of, _)| *of == meant).map(|(_, provider)| provider.clone());
        let provider = match known {
            Some(provider) => provider,
            None => config::provider(dir, &meant.0, meant.1.as_deref())?,
        };
        *self.raw.borrow_mut() = Some((meant, provider.clone()));
        for (_, value) in self.profile.vars.iter().filter(|(name, _)| provider.has_secret_var(name)) {
            // from now on no output shows it
            drop(Secret::new(value.as_str()));
        }
        let has = |provider: &Provider, name: &str| {
            provider.vars.contains_key(name) || provider.response.capture.contains_key(name)
        };
        match self.choice.flags.vars.iter().find(|(name, _)| !has(&provider, name)) {
            None => Ok(provider),
            Some((name, _)) => Err(self.no_such_var(dir, &provider, name)),
        }
    }

    /// A `--var` that the provider, as it was chosen, has no use for.
    fn no_such_var(&self, dir: &std::path::Path, provider: &Provider, name: &str) -> Error {
        let known: Vec<&str> = provider.vars.keys().map(String::as_str).collect();
        let meant = nearest(name, known.iter().copied()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
        let error =
            Error::usage(format!("the provider `{}` has no variable `{}`{meant}", safe(&provider.id), safe(name)));
        let inside = config::provider_in_environments(dir, self.provider_name()).unwrap_or_default();
        match inside.iter().find(|(_, inside)| inside.vars.contains_key(name)) {
            Some((environment, _)) => error.hint(format!("its environment has it: add `--environment {environment}`")),
            None if known.is_empty() => error.hint("it has none"),
            None => error.hint(format!("it has `{}`", known.join("`, `"))),
        }
    }

    /// The grant this profile uses: what was chosen, else what the record was obtained with, else a
    /// login with a browser. Where the provider offers none, client credentials are what is left; a
    /// device code is for whoever asks for it.
    pub fn grant(&self, provider: Option<&Provider>, record: Option<&Record>) -> GrantKind {
        self.profile.grant.or(record.and_then(|r| r.grant)).unwrap_or(match provider {
            Some(p) if p.authorize.url.is_none() && p.device.is_none() && p.client_credentials.supported => {
                GrantKind::ClientCredentials
            }
            _ => GrantKind::AuthorizationCode,
        })
    }

    /// Whether the client secret was given for this very command, whatever the profile is.
    pub(super) fn secret_is_said(&self, world: &World) -> bool {
        let own = variable(world, &self.words, false, "CLIENT_SECRET").is_some();
        self.choice.flags.client_secret.is_some() || (!own && self.variable(world, "CLIENT_SECRET").is_some())
    }

    /// The client secret from the flag, the environment or the configuration, in this order, and
    /// the place it is from; not from the store.
    pub(super) fn secret_from_outside(&self, world: &mut World) -> Result<Option<(Secret, String)>, Error> {
        if let Some(SecretSource::File(file)) = &self.choice.flags.client_secret {
            let file = file.to_string_lossy();
            let from = match &*file {
                "-" => "standard input".to_owned(),
                file => format!("the file `{}`", safe(file)),
            };
            return secret_from_file(world, &file, "client secret").map(|secret| Some((secret, from)));
        }
        if let Some((secret, name)) = variable(world, &self.words, self.named, "CLIENT_SECRET") {
            return Ok(Some((secret.into(), format!("the variable {name}"))));
        }
        let secret = inputs::read(world, self, "client secret", &self.profile.client_secret)?;
        Ok(secret.map(|s| (s, "the place that `client-secret` of the configuration names".to_owned())))
    }

    /// The scopes to ask for: the person's, else the provider's usual ones, and what it always
    /// wants.
    pub fn scopes(&self, provider: &Provider, grant: GrantKind) -> Vec<String> {
        let facts = &provider.scopes;
        let mut scopes = self.profile.scopes.clone().unwrap_or_else(|| facts.default.clone());
        let offline = facts.offline.iter().filter(|_| grant.needs_person() && provider.refresh.supported);
        for scope in facts.always.iter().chain(offline) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }

    /// Whether flags say more than a profile's name: then the kernel's copy can't answer.
    pub(super) fn chose_identity(&self) -> bool {
        // these say how a token is asked for, not which one it is
        let how = Profile {
            client_secret: self.choice.flags.client_secret.clone(),
            redirect_uri: self.choice.flags.redirect_uri.clone(),
            port: self.choice.flags.port,
            allow_private: self.choice.flags.allow_private,
            ..Profile::default()
        };
        self.choice.flags != how
    }

    /// What the environment says of this profile: `OAUTHCTL_<PROFILE>_CLIENT_ID` for `CLIENT_ID`,
    /// or `OAUTHCTL_CLIENT_ID` where the profile was named.
    pub fn variable(&self, world: &World, what: &str) -> Option<String> {
        variable(world, &self.words, self.named, what).map(|(value, _)| value)
    }

    /// The variable that a token from outside is in, or would be.
    pub fn token_variable(&self, world: &World) -> String {
        let set = variable(world, &self.words, false, "TOKEN").map(|(_, name)| name);
        set.unwrap_or_else(|| store::environment::variable_name(&self.name))
    }

    /// Whether the secret, or a key in its place, comes from outside the store: what a person types
    /// would not be used.
    pub fn proves_from_outside(&self, world: &World) -> bool {
        self.choice.flags.client_secret.is_some()
            || self.profile.client_secret.is_some()
            || self.profile.proofs.client_key.is_some()
            || self.variable(world, "CLIENT_SECRET").is_some()
    }

    /// The client id that was said for this very command.
    pub fn said_client_id(&self, world: &World) -> Option<String> {
        self.choice.flags.client_id.clone().or_else(|| self.variable(world, "CLIENT_ID"))
    }

    /// Whether the keychain is meant because nobody said otherwise.
    pub fn store_is_the_usual(&self, world: &World) -> bool {
        self.store.kind() == StoreKind::Keychain
            && self.choice.flags.store.is_none()
            && world.env.var("OAUTHCTL_STORE").is_none()
            && self.profile.store.is_none()
    }

    /// A login that is not finished may have left something in another store than the one that this
    /// name alone means: where no keychain answered it went into sealed files, or its command line
    /// said so.
    pub fn look_further(&mut self, world: &World) -> Result<(), Error> {
        let kind = self.store.kind();
        if self.configured
            || self.choice.flags.store.is_some()
            || !matches!(kind, StoreKind::Keychain | StoreKind::File)
            || !matches!(self.store.load(&self.name), Ok(None) | Err(StoreError::Absent { .. }))
        {
            return Ok(());
        }
        if let Some(found) = orphan::called(world, &self.paths, kind, &self.name)? {
            self.store = store_of(world, found.kind, &self.paths)?;
            self.choice.flags.store = Some(found.kind);
            self.typed = typed(&self.name, self.alias.as_deref(), &self.choice);
        }
        Ok(())
    }

    /// What is stored for this profile, if anything. A renaming that was cut off is finished first.
    /// A record of an older version, which does not say where its secrets may go, is bound to its
    /// provider as the configuration has it, from its first use on.
    pub fn load(&self) -> Result<Option<Record>, Error> {
        let mut record = self.read()?;
        if let Some(renaming) = record.as_ref().and_then(|record| record.renaming.as_ref()) {
            renaming.finish(self)?;
            record = self.read()?;
        }
        let Some(bound) = record.as_ref().and_then(|record| self.newly_bound(record)) else { return Ok(record) };
        let Some(_lock) = lock::also(&self.paths, &*self.store, &self.name) else { return Ok(Some(bound)) };
        let Some(record) = self.read()? else { return Ok(None) };
        let Some(bound) = self.newly_bound(&record) else { return Ok(Some(record)) };
        // where the store can't be written now, it is bound the next time
        let _ = self.store.save(&self.name, &bound.to_json());
        Ok(Some(bound))
    }

    fn read(&self) -> Result<Option<Record>, Error> {
        let Some(text) = self.store.load(&self.name).map_err(|e| self.unreadable(e))? else { return Ok(None) };
        Record::from_json(&text).map(Some).ok_or_else(|| match Record::is_newer(&text) {
            true => Error::new(
                Kind::Store,
                format!("the record of `{}` in {} was written by a newer oauthctl", self.name, self.store.in_words()),
            )
            .hint("update this program; it leaves the record as it is"),
            false => self.unreadable(StoreError::Corrupt {
                place: self.store.in_words(),
                why: "it is not a record of this program".to_owned(),
            }),
        })
    }

    /// What is stored, where no keychain that answers means that nobody has logged in here.
    pub fn load_if_any(&self, world: &World) -> Result<Option<Record>, Error> {
        self.load().or_else(|e| if self.nobody_logged_in(world) { Ok(None) } else { Err(e) })
    }

    /// Whether there is no keychain, and nobody said that there is a store or a profile.
    pub(super) fn nobody_logged_in(&self, world: &World) -> bool {
        let chosen = self.choice.flags.store.is_some() || world.env.var("OAUTHCTL_STORE").is_some();
        !self.configured && !chosen && self.has_no_store()
    }

    /// Whether something may be kept for this profile, in a store that forgets and moves it on
    /// request.
    pub fn may_keep(&self, world: &World) -> bool {
        matches!(self.store.kind(), StoreKind::Keychain | StoreKind::File) && !self.nobody_logged_in(world)
    }

    /// Whether there is no such store here at all: nothing can be in it.
    pub fn has_no_store(&self) -> bool {
        matches!(self.store.writable(&self.name), Err(StoreError::Absent { .. }))
    }

    /// A damaged record stays until the person says that it may go: it is told how.
    fn unreadable(&self, e: StoreError) -> Error {
        let damaged = matches!(e, StoreError::Corrupt { .. });
        let mut error = Error::from(e);
        if damaged {
            error.hints = vec![
                format!("`{} --local-only` forgets it unread, a client secret in it too", self.typed.line("logout")),
                format!("then: `{}`", self.typed.login()),
            ];
        }
        error
    }
}

fn typed(name: &str, alias: Option<&str>, choice: &Choice) -> Typed {
    Typed::new(name, choice.profile.as_deref().or(alias).unwrap_or(name), choice.options())
}
