//! The profile that is meant: its name, configuration, store and folders.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use super::overrides::{Overrides, variable};
use super::variant::Variant;
use super::{Paths, Record, lock};
use crate::config::{self, Config, ConfigError, GrantKind, Profile};
use crate::error::{Error, Kind};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::store::{self, Store, StoreError, StoreKind};
use crate::text::{Typed, nearest, pasted, safe};
use crate::world::World;

/// Variables that only a running program knows (the sandbox's address), for the first request.
pub type MoreVars = Box<dyn FnMut(&mut World) -> Result<BTreeMap<String, String>, Error>>;

/// A provider's name and environment.
type Meant = (String, Option<String>);

/// One profile, as this command means it.
pub struct Who {
    pub name: String,
    /// For the command lines in messages.
    pub typed: Typed,
    /// The words that stand for the profile in the names of variables, in capitals.
    pub(super) words: Vec<String>,
    /// Configuration, then environment, then flags.
    pub profile: Profile,
    /// Whether the configuration has this profile.
    pub configured: bool,
    pub paths: Paths,
    pub store: Rc<dyn Store>,
    /// Whether the kernel's copy is used.
    pub cache: bool,
    pub choice: Overrides,
    /// Flags that ask for another token of the same login than its main one.
    pub variant: Option<Variant>,
    /// Whether a person named this profile; else it is the default or the only one.
    pub(super) named: bool,
    /// Secrets that were read from files: standard input can be read only once.
    pub(super) read: RefCell<BTreeMap<String, Secret>>,
    pub(super) more_vars: RefCell<Option<MoreVars>>,
    pub shared: Rc<Shared>,
}

/// What was read for one profile and serves the next ones of a list.
#[derive(Default)]
pub struct Shared {
    pub(super) stores: Remembered<StoreKind, Rc<dyn Store>>,
    /// The files of providers, with their variables unfilled.
    raw: Remembered<Meant, Rc<Provider>>,
    /// Their fingerprints for [`Who::described`].
    pub(super) described: Remembered<(Meant, BTreeMap<String, String>), Option<String>>,
}

/// Values by what they were made from.
pub(super) struct Remembered<K, V>(RefCell<BTreeMap<K, V>>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Remembered(RefCell::default())
    }
}

impl<K: Ord, V: Clone> Remembered<K, V> {
    /// At most: a hundred thousand profiles may have as many providers.
    const MOST: usize = 100;

    pub fn get<E>(&self, key: K, make: impl FnOnce(&K) -> Result<V, E>) -> Result<V, E> {
        if let Some(known) = self.0.borrow().get(&key) {
            return Ok(known.clone());
        }
        let value = make(&key)?;
        let mut known = self.0.borrow_mut();
        if known.len() == Self::MOST {
            known.clear();
        }
        known.insert(key, value.clone());
        Ok(value)
    }
}

impl Who {
    /// The folder of the configuration; an empty path where there is none.
    pub fn config_dir(&self) -> &Path {
        self.paths.config.as_deref().unwrap_or(Path::new(""))
    }

    /// The profile and the usual store, as `config.toml` has them.
    pub fn in_config(&self) -> Result<(Option<Profile>, Option<StoreKind>), Error> {
        let Some(dir) = &self.paths.config else { return Ok((None, None)) };
        let mut file = Config::load_for(dir, &self.name)?;
        Ok((file.profiles.remove(&self.name).map(|profile| *profile), file.store))
    }

    pub fn provider_name(&self) -> &str {
        self.profile.provider.as_deref().unwrap_or(&self.name)
    }

    /// The secret variables that are stored for this provider.
    pub fn secret_vars(&self, raw: &Provider, record: Option<&Record>) -> BTreeMap<String, Secret> {
        let record = record.filter(|record| self.secret_moved(record, raw, self.scope()).is_none());
        let mut vars = record.map(|record| record.secret_vars.clone()).unwrap_or_default();
        vars.retain(|name, _| raw.has_secret_var(name));
        vars
    }

    /// Secret variables in `config.toml`, where older versions put them.
    pub fn bare_vars(&self, raw: &Provider) -> Result<Vec<String>, Error> {
        if !raw.vars.values().any(|var| var.secret) {
            return Ok(Vec::new());
        }
        let vars = self.in_config()?.0.unwrap_or_default().vars;
        Ok(vars.into_keys().filter(|name| raw.has_secret_var(name)).collect())
    }

    pub(super) fn warn_of_bare_vars(&self, world: &mut World, raw: &Provider) -> Result<(), Error> {
        // a login moves them
        for name in self.bare_vars(raw)?.iter().filter(|_| !self.choice.signing_in) {
            let name = safe(name);
            world.warn(&format!(
                "`{name}` of `{}` is a secret and stands unsealed in config.toml; `{} --var {name}` moves it into the store",
                self.name,
                self.typed.line("profile set-secret")
            ));
        }
        Ok(())
    }

    /// Whether the record has a variable that the login taught, or the server's document.
    pub fn provider_needs_record(&self) -> Result<bool, Error> {
        let raw = self.raw_provider()?;
        let mut names = raw.vars.keys().chain(raw.response.capture.keys());
        Ok(names.any(|name| !self.profile.vars.contains_key(name))
            || raw.issuer.is_some()
            || raw.callback.token_host_from.is_some())
    }

    /// The provider's name and environment.
    pub(super) fn meant(&self) -> Meant {
        (self.provider_name().to_owned(), self.profile.environment.clone())
    }

    /// The provider with its `{variables}` unfilled.
    pub fn raw_provider(&self) -> Result<Provider, Error> {
        self.shared_provider().map(Rc::unwrap_or_clone)
    }

    /// A provider that the profile was made with may have gone since, with its file or its
    /// registry.
    fn without_provider(&self, provider: &str, e: ConfigError) -> Error {
        let named = self.configured && self.choice.flags.provider.is_none();
        let is_there =
            config::provider_names(self.config_dir()).is_ok_and(|known| known.iter().any(|(name, _)| name == provider));
        if !named || is_there || provider.contains("://") {
            return e.into();
        }
        let profile = pasted(&self.name);
        Error::from(e).hints([
            "the profile names it: the file or the registry that had it is gone, or its name has changed".to_owned(),
            format!(
                "another one: `oauthctl profile set {profile} provider NAME`; none: `oauthctl profile remove {profile}`"
            ),
        ])
    }

    /// The same, for profiles of one provider.
    pub fn shared_provider(&self) -> Result<Rc<Provider>, Error> {
        let provider = self.shared.raw.get(self.meant(), |(name, environment)| {
            config::provider(self.config_dir(), name, environment.as_deref())
                .map(Rc::new)
                .map_err(|e| self.without_provider(name, e))
        })?;
        for (_, value) in self.profile.vars.iter().filter(|(name, _)| provider.has_secret_var(name)) {
            // registers it: no output shows it from now on
            drop(Secret::new(value.as_str()));
        }
        for name in self.profile.vars.keys() {
            let is_typed = self.choice.flags.vars.contains_key(name);
            // a logout revokes whatever else stands there
            if self.choice.leaving && !is_typed {
                continue;
            }
            let variable = pasted(&format!("vars.{name}"));
            self.refuse_var(&provider, name, is_typed).map_err(|error| match is_typed {
                true => error,
                false => error.hint(format!("oauthctl profile unset {} {variable}", pasted(&self.name))),
            })?;
        }
        Ok(provider)
    }

    /// Refuses a variable that the provider does not have. A profile may hold one of another
    /// environment, where it is not for now.
    pub fn refuse_var(&self, provider: &Provider, name: &str, for_now: bool) -> Result<(), Error> {
        if provider.vars.contains_key(name) || provider.response.capture.contains_key(name) {
            return Ok(());
        }
        let known: Vec<&str> = provider.vars.keys().map(String::as_str).collect();
        let meant = nearest(name, known.iter().copied()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
        let error =
            Error::usage(format!("the provider `{}` has no variable `{}`{meant}", safe(&provider.id), safe(name)));
        let inside = config::provider_in_environments(self.config_dir(), self.provider_name()).unwrap_or_default();
        Err(match inside.iter().find(|(_, inside)| inside.vars.contains_key(name)) {
            Some(_) if !for_now => return Ok(()),
            Some((environment, _)) => error.hint(format!("its environment has it: add `--environment {environment}`")),
            None if known.is_empty() => error.hint("it has none"),
            None => error.hint(format!("it has `{}`", known.join("`, `"))),
        })
    }

    /// The grant of this profile: the chosen one, else the record's, else a login with a browser;
    /// client credentials where the provider offers neither a browser nor a device code.
    pub fn grant(&self, provider: Option<&Provider>, record: Option<&Record>) -> GrantKind {
        self.profile.grant.or(record.and_then(|r| r.grant)).unwrap_or(match provider {
            Some(p) if p.authorize.url.is_none() && p.device.is_none() && p.client_credentials.supported => {
                GrantKind::ClientCredentials
            }
            _ => GrantKind::AuthorizationCode,
        })
    }

    /// The profile's scopes. `--scope a,b` is two where the provider's own documents write it so.
    pub fn said_scopes(&self, provider: &Provider) -> Option<Vec<String>> {
        self.profile.target.scopes.as_ref().map(|said| Who::split(said, provider))
    }

    pub(super) fn split(said: &[String], provider: &Provider) -> Vec<String> {
        let Some(separator) = Some(provider.scopes.separator.trim()).filter(|s| !s.is_empty()) else {
            return said.to_vec();
        };
        let parts = said.iter().flat_map(|scope| scope.split(separator)).map(str::trim);
        parts.filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
    }

    /// How a person sets a variable. A secret on the command line would be in the shell's history.
    pub fn hint_for_var(&self, provider: &Provider, name: &str) -> String {
        match provider.has_secret_var(name) {
            true => format!("{} --var {}", self.typed.line("profile set-secret"), pasted(name)),
            false => self.typed.login_with(&[("--var", &format!("{name}=VALUE"))]),
        }
    }

    /// The scopes to ask for: the profile's or the usual ones, and those that are always needed.
    pub fn scopes(&self, provider: &Provider, grant: GrantKind) -> Vec<String> {
        let facts = &provider.scopes;
        let mut scopes = self.said_scopes(provider).unwrap_or_else(|| facts.default.clone());
        let offline = facts.offline.iter().filter(|_| grant.needs_person() && provider.refresh.supported);
        scopes.extend(facts.always.iter().chain(offline).cloned());
        // each once
        let mut seen = BTreeSet::from([String::new()]);
        scopes.retain(|scope| seen.insert(scope.clone()));
        scopes
    }

    /// The error for a login that brought no ID token.
    pub fn no_id_token(&self) -> Error {
        let error = Error::usage(format!("`{}` has no ID token", self.name));
        let Ok(provider) = self.raw_provider() else { return error.hint(self.typed.login()) };
        if provider.issuer.is_none()
            && provider.identity.jwks_uri.is_none()
            && !provider.scopes.known.iter().any(|scope| scope == "openid")
        {
            return error.hint("its provider issues none, as far as known");
        }
        let mut scopes = vec!["openid".to_owned()];
        scopes.extend(self.said_scopes(&provider).into_iter().flatten().filter(|scope| scope != "openid"));
        error.hint(self.typed.login_with(&[("--scope", &pasted(&scopes.join(" ")))]))
    }

    /// Whether flags decide which token is meant: then the kernel's copy can't answer.
    pub(super) fn chose_identity(&self) -> bool {
        // these say how a token is asked for
        let how = Profile {
            client_secret: self.choice.flags.client_secret.clone(),
            redirect_uri: self.choice.flags.redirect_uri.clone(),
            port: self.choice.flags.port.clone(),
            listen: self.choice.flags.listen.clone(),
            allow_private: self.choice.flags.allow_private,
            ..Profile::default()
        };
        self.choice.flags != how
    }

    /// The value of `OAUTHCTL_<PROFILE>_…`, or of `OAUTHCTL_…` where the profile was named.
    pub fn variable(&self, world: &World, what: &str) -> Option<String> {
        variable(world, &self.words, self.named, what).map(|(value, _)| value)
    }

    /// The variable for a token from outside.
    pub fn token_variable(&self, world: &World) -> String {
        let set = variable(world, &self.words, false, "TOKEN").map(|(_, name)| name);
        set.unwrap_or_else(|| store::environment::variable_name(&self.name))
    }

    /// Whether the secret, or a key in its place, comes from outside the store.
    pub fn proves_from_outside(&self, world: &World) -> bool {
        self.choice.flags.client_secret.is_some()
            || self.profile.client_secret.is_some()
            || self.profile.proofs.client_key.is_some()
            || self.variable(world, "CLIENT_SECRET").is_some()
    }

    /// The client id that was given for this command.
    pub fn said_client_id(&self, world: &World) -> Option<String> {
        self.choice.flags.client_id.clone().or_else(|| self.variable(world, "CLIENT_ID"))
    }

    /// Whether the keychain is used because no other store was chosen.
    pub fn store_is_the_usual(&self, world: &World) -> bool {
        self.store.kind() == StoreKind::Keychain
            && self.choice.flags.store.is_none()
            && world.env.var("OAUTHCTL_STORE").is_none()
            && self.profile.store.is_none()
    }

    /// The stored record, if any. A renaming or registration that was cut off is finished first. A
    /// record of an older version names no places for its secrets: it is bound to those of the
    /// configuration.
    pub fn load(&self) -> Result<Option<Record>, Error> {
        if self.store.kind() == StoreKind::Environment
            && let Some(moved) = self.said_elsewhere()
        {
            return Err(moved.refused(&self.typed));
        }
        let mut record = self.read()?;
        if let Some(renaming) = record.as_ref().and_then(|record| record.renaming.as_ref()) {
            renaming.finish(self)?;
            record = self.read()?;
        }
        if record.as_ref().is_some_and(|record| record.registering.is_some()) {
            self.finish_registration()?;
            record = self.read()?;
        }
        let Some(bound) = record.as_ref().and_then(|record| self.newly_bound(record)) else { return Ok(record) };
        let Some(_lock) = lock::also(&self.paths, &*self.store, &self.name) else { return Ok(Some(bound)) };
        let Some(record) = self.read()? else { return Ok(None) };
        let Some(bound) = self.newly_bound(&record) else { return Ok(Some(record)) };
        // if the store can't be written now, it is bound the next time
        let _ = self.store.save(&self.name, &bound.to_json());
        Ok(Some(bound))
    }

    /// The record as its readers see it, by one request where the store is shared.
    pub fn glance(&self) -> Result<Option<Record>, Error> {
        let Some(shared) = self.store.shared() else { return self.load() };
        let shown = shared.peek(&self.name).map_err(|e| self.unreadable(e))?;
        // a holder that was ended may have shown nothing yet; what others wrote there is no record
        shown.and_then(|text| self.parsed(&text).ok()).map_or_else(|| self.load(), |record| Ok(Some(record)))
    }

    pub(super) fn read(&self) -> Result<Option<Record>, Error> {
        let text = self.store.load(&self.name).map_err(|e| self.unreadable(e))?;
        text.map(|text| self.parsed(&text)).transpose()
    }

    pub(super) fn parsed(&self, text: &Secret) -> Result<Record, Error> {
        Record::from_json(text).ok_or_else(|| match Record::is_newer(text) {
            true => Error::new(
                Kind::Store,
                format!("the record of `{}` in {} was written by a newer oauthctl", self.name, self.store.in_words()),
            )
            .hint("update this program; it leaves the record as it is"),
            false => self.unreadable(StoreError::Corrupt {
                place: self.store.in_words(),
                profile: self.name.clone(),
                why: "it is not a record of this program".to_owned(),
            }),
        })
    }

    /// The stored record; none where no keychain answers and no login was made here.
    pub fn load_if_any(&self, world: &World) -> Result<Option<Record>, Error> {
        self.load().or_else(|e| if self.nobody_logged_in(world) { Ok(None) } else { Err(e) })
    }

    /// Whether there is no keychain, no chosen store and no profile.
    pub(super) fn nobody_logged_in(&self, world: &World) -> bool {
        let chosen = self.choice.flags.store.is_some() || world.env.var("OAUTHCTL_STORE").is_some();
        !self.configured && !chosen && self.has_no_store()
    }

    /// Whether there may be a record, in a store that can delete and rename it.
    pub fn may_keep(&self, world: &World) -> bool {
        self.store.kind().keeps() && !self.nobody_logged_in(world)
    }

    /// Whether there is no such store here at all.
    pub fn has_no_store(&self) -> bool {
        matches!(self.store.writable(&self.name), Err(StoreError::Absent { .. }))
    }

    /// A damaged record stays until a person deletes it.
    fn unreadable(&self, e: StoreError) -> Error {
        if !matches!(e, StoreError::Corrupt { .. }) {
            return e.into();
        }
        // another program may have written in the place of a team's readers
        let anew = format!("on a machine that may renew it: `{}` writes it anew", self.typed.line("refresh"));
        let forget =
            format!("`{} --local-only` forgets it unread, a client secret in it too", self.typed.line("logout"));
        let hints = self.store.shared().map(|_| anew).into_iter().chain([forget]);
        Error { hints: hints.chain([format!("then: `{}`", self.typed.login())]).collect(), ..e.into() }
    }
}
