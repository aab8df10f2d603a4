//! The life of one profile's token: load, judge, renew under the lock, keep.
//!
//! [`Session::open`] puts together who is meant: the profile from the configuration, the environment and the flags. The
//! provider is looked up only when something has to be asked of it: a fresh token needs no catalogue.

pub mod alias;
pub mod bound;
pub mod choice;
pub mod fresh;
pub mod inputs;
pub mod orphan;
pub mod proofs;
pub mod record;
pub mod renaming;
pub mod renewal;
pub mod state;
pub mod whose;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{self, Config, GrantKind, Profile};
use crate::error::{Error, Kind};
use crate::grant::keys::{KeptKeys, KeyRing};
use crate::grant::{self, Asking};
use crate::protocol::client_auth::Proofs;
use crate::protocol::dpop::Dpop;
use crate::protocol::metadata;
use crate::protocol::token_request::Client;
use crate::provider::Provider;
use crate::provider::expand::ExpandError;
use crate::secret::Secret;
use crate::store::{self, Store, StoreError, StoreKind};
use crate::text::{Typed, nearest, safe};
use crate::world::World;
pub use choice::{Choice, known_grants, known_stores, nobodys, profile_called, profile_of_issuer, usual_store};
use choice::{
    Which, is_named, overlay_environment, overlay_flags, provider_of_new_profile, store_for, store_kind, store_of,
    variable, which,
};
use paths::Paths;
use record::{Kept, Record};
pub use state::{copy, lock, paths};

/// Variables that only a running program knows (the sandbox's address), asked for when the provider is first needed.
pub type MoreVars = Box<dyn FnMut(&mut World) -> Result<BTreeMap<String, String>, Error>>;

/// A provider's name and environment.
type Meant = (String, Option<String>);

pub struct Session {
    pub name: String,
    /// The provider's other name by which it was meant.
    pub alias: Option<String>,
    /// For the lines that are to be typed next.
    pub typed: Typed,
    /// The words by which variables name it, in capitals.
    words: Vec<String>,
    /// Configuration, then environment, then flags.
    pub profile: Profile,
    /// Whether the configuration has this profile.
    pub configured: bool,
    pub paths: Paths,
    pub store: Box<dyn Store>,
    /// Whether the kernel's copy is used.
    pub cache: bool,
    pub choice: Choice,
    /// Whether the person named this profile, or it is merely the usual or the only one.
    named: bool,
    /// What else than scopes the token is asked with, as far as it was looked at.
    asked_with: Option<BTreeMap<String, String>>,
    /// What was read for a grant without a person: standard input can be read once.
    read: RefCell<BTreeMap<String, Secret>>,
    more_vars: Option<MoreVars>,
    provider: Option<Provider>,
    /// The provider's description, and of which provider and environment it is.
    raw: RefCell<Option<(Meant, Provider)>>,
    client_secret: Option<Secret>,
    /// Where it is from, in words.
    secret_from: Option<String>,
    /// The server's document, if it was fetched by this command.
    pub metadata: Option<Kept>,
    /// The server's keys, if they were fetched by this command.
    pub keys: Option<KeptKeys>,
    /// Why the server's document could not be had, where a login goes on without it.
    no_document: Option<Error>,
    /// The server announced that each authorize answer names it (RFC 9207).
    pub iss_required: bool,
    /// This command is a login: what was pinned before may change.
    pub signing_in: bool,
    proofs: Option<Proofs>,
    /// The key that this command's tokens are bound to.
    dpop: Option<Arc<Dpop>>,
    /// The profiles whose token exchange asks for this one's token, outermost first.
    pub subject_of: Vec<String>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("name", &self.name).field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl Session {
    /// Finds out who is meant. Touches no network, and a store only where a name means nothing else than what one keeps.
    pub fn open(world: &mut World, choice: Choice) -> Result<Session, Error> {
        choice::one_reads_stdin(&choice.from_stdin())?;
        let paths = Paths::find(&*world.env);
        let meant = which(world, &paths, &choice)?;
        Session::of(world, choice, paths, meant)
    }

    /// The same for a profile that the configuration has, which was read already: for whoever opens all of them.
    pub fn open_configured(world: &mut World, choice: Choice, config: &Config, name: &str) -> Result<Session, Error> {
        let paths = Paths::find(&*world.env);
        let meant = Which { name: name.to_owned(), alias: None, config: config.only(name) };
        Session::of(world, choice, paths, meant)
    }

    fn of(world: &mut World, choice: Choice, paths: Paths, meant: Which) -> Result<Session, Error> {
        let Which { name, alias, config } = meant;
        config::check_profile_name(&name)?;
        let words = alias::words(world, &paths, &choice, &name, alias.as_deref());
        let configured = config.profiles.contains_key(&name);
        let mut profile = config.profiles.get(&name).cloned().unwrap_or_default();
        overlay_environment(world, &words, &choice, &mut profile)?;
        overlay_flags(&choice, &mut profile);
        if profile.provider.is_none() && choice.profile.as_deref().is_some_and(|p| p.contains("://")) {
            profile.provider.clone_from(&choice.profile);
        }
        let kind = store_kind(world, &choice, &profile, &config)?;
        if profile.provider.is_none() {
            profile.provider = match provider_of_new_profile(&paths, &name, &config, &choice) {
                Ok(provider) => Some(provider),
                Err(e) if configured => return Err(e),
                Err(e) => match orphan::called(world, &paths, kind, &name) {
                    Ok(Some(orphan)) => return Session::open(world, orphan.choice(choice)),
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
        Ok(Session {
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
            asked_with: None,
            read: RefCell::default(),
            more_vars: None,
            provider: None,
            raw: RefCell::default(),
            client_secret: None,
            secret_from: None,
            metadata: None,
            keys: None,
            no_document: None,
            iss_required: false,
            signing_in: false,
            proofs: None,
            dpop: None,
            subject_of: Vec::new(),
        })
    }

    /// Offers variables that are known only once something runs.
    pub fn with_more_vars(mut self, more: MoreVars) -> Session {
        self.more_vars = Some(more);
        self
    }

    pub fn provider_name(&self) -> &str {
        self.profile.provider.as_deref().unwrap_or(&self.name)
    }

    /// The provider with everything filled in, looked up once. Where the tokens of `record` may not go there, it ends here.
    pub fn provider(&mut self, world: &mut World, record: Option<&Record>) -> Result<Provider, Error> {
        if let Some(provider) = &self.provider {
            return Ok(provider.clone());
        }
        let raw = self.raw_provider()?;
        let mut vars = record.map(|r| r.vars.clone()).unwrap_or_default();
        let kept = self.secret_vars(&raw, record);
        vars.extend(kept.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())));
        vars.extend(self.profile.vars.clone());
        self.warn_of_bare_vars(world, &raw)?;
        if let Some(more) = &mut self.more_vars {
            vars.extend(more(world)?);
        }
        let mut provider = raw.expand(&vars).map_err(|e| match e {
            ExpandError::Missing { ref name, .. } | ExpandError::Value { ref name, .. } => {
                Error::usage(e.to_string()).hint(self.typed.login_with(&[("--var", &format!("{name}=VALUE"))]))
            }
            _ => Error::usage(e.to_string())
                .hint(format!("`{}` sets a variable", self.typed.login_with(&[("--var", "NAME=VALUE")]))),
        })?;
        self.discover(world, &mut provider, record)?;
        if let Some(record) = record {
            self.bind(&mut provider, record)?;
        }
        self.choose_auth(&mut provider)?;
        self.provider = Some(provider.clone());
        Ok(provider)
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

    fn warn_of_bare_vars(&self, world: &mut World, raw: &Provider) -> Result<(), Error> {
        // a login moves them
        for name in self.bare_vars(raw)?.iter().filter(|_| !self.signing_in) {
            let name = safe(name);
            world.warn(&format!(
                "`{name}` of `{}` is a secret and lies unsealed in config.toml; `{} --var {name}` moves it into the store",
                self.name,
                self.typed.line("profile set-secret")
            ));
        }
        Ok(())
    }

    /// Whether [`Session::provider`] comes out otherwise with the record than without: what the login brought fills a variable, or
    /// the document that was kept with it says more.
    pub fn provider_needs_record(&self) -> Result<bool, Error> {
        let raw = self.raw_provider()?;
        let mut names = raw.vars.keys().chain(raw.response.capture.keys());
        Ok(names.any(|name| !self.profile.vars.contains_key(name)) || raw.issuer.is_some())
    }

    /// Fills from the server's own document what the entry leaves open: the one that was kept with the login, or a new one.
    fn discover(&mut self, world: &mut World, provider: &mut Provider, record: Option<&Record>) -> Result<(), Error> {
        let Some(issuer) = provider.issuer.clone() else { return Ok(()) };
        if provider.token.url.is_some() && (provider.authorize.url.is_some() || provider.device.is_some()) {
            // the entry says all that a login needs: the document is asked for by whoever needs the rest of it
            if let Some(document) = kept_document(record, &issuer) {
                document.fill_identity(provider);
            }
            return Ok(());
        }
        self.read_document(world, provider, &issuer, record)
    }

    /// The provider with all that its document says: where its keys and its further endpoints are too. A document that can't
    /// be had is no failure where the provider's own entry names its endpoints.
    pub fn whole_provider(&mut self, world: &mut World, record: Option<&Record>) -> Result<Provider, Error> {
        let mut provider = self.provider(world, record)?;
        let Some(issuer) = provider.issuer.clone() else { return Ok(provider) };
        if provider.identity.jwks_uri.is_some() || self.metadata.is_some() {
            return Ok(provider);
        }
        let iss_required = self.iss_required;
        if let Err(e) = self.read_document(world, &mut provider, &issuer, record) {
            world.step(|| format!("{}: its keys are not known", e.message));
            self.no_document = Some(e);
        }
        // what the entry leaves out of a login is not the document's to add
        self.iss_required = iss_required;
        if let Some(record) = record {
            self.bind(&mut provider, record)?;
        }
        self.provider = Some(provider.clone());
        Ok(provider)
    }

    fn read_document(
        &mut self,
        world: &mut World,
        provider: &mut Provider,
        issuer: &str,
        record: Option<&Record>,
    ) -> Result<(), Error> {
        let issuer = issuer.to_owned();
        let now = world.clock.now();
        let kept = record.and_then(|r| r.metadata.as_ref());
        if let Some(kept) = kept.filter(|k| k.issuer == issuer && now < k.until)
            && let Ok(document) = metadata::read(kept.document.to_string().as_bytes(), &issuer)
        {
            document.fill(provider);
            self.iss_required = document.sends_iss();
            return Ok(());
        }
        let (document, until) = grant::discover::fetch(world, &issuer, self.profile.allow_private == Some(true))?;
        document.fill(provider);
        self.iss_required = document.sends_iss();
        self.metadata = Some(Kept { issuer, until, document: document.to_value() });
        Ok(())
    }

    /// The server's keys: the ones that this command has fetched, else those kept with the login.
    pub fn key_ring(&self, provider: &Provider, record: Option<&Record>) -> KeyRing {
        let kept = self.keys.as_ref().or(record.and_then(|r| r.keys.as_ref()));
        let mut ring = KeyRing::new(provider.identity.jwks_uri.as_deref(), kept);
        ring.allow_private = self.profile.allow_private == Some(true);
        ring.unasked.clone_from(&self.no_document);
        ring
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
        match self.choice.vars.iter().find(|(name, _)| !has(&provider, name)) {
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

    /// The grant this profile uses: what was chosen, else what the record was obtained with, else a login with a browser. Where
    /// the provider offers none, client credentials are what is left; a device code is for whoever asks for it.
    pub fn grant(&self, provider: Option<&Provider>, record: Option<&Record>) -> GrantKind {
        self.profile.grant.or(record.and_then(|r| r.grant)).unwrap_or(match provider {
            Some(p) if p.authorize.url.is_none() && p.device.is_none() && p.client_credentials.supported => {
                GrantKind::ClientCredentials
            }
            _ => GrantKind::AuthorizationCode,
        })
    }

    /// Client id and secret from wherever they come. `None`: no client id is known.
    pub fn client(
        &mut self,
        world: &mut World,
        provider: &Provider,
        record: Option<&Record>,
    ) -> Result<Option<Client>, Error> {
        let secret = self.secret(world, provider, record)?;
        let id = self
            .profile
            .client_id
            .clone()
            .or_else(|| record.filter(|r| self.secret_moved(r, provider).is_none())?.client_id.clone())
            .or_else(|| provider.client_id.clone());
        let Some(id) = id else { return Ok(None) };
        let mut client = self.client_with(world, provider, record, id, secret)?;
        client.secret_from = self.secret_from.clone();
        client.secret_not_kept = client.secret.is_none()
            && record.is_some_and(|r| r.secret_not_kept && r.client_id.as_ref() == Some(&client.id));
        Ok(Some(client))
    }

    /// A client of that id and secret, with what else this profile proves itself with.
    pub fn client_with(
        &mut self,
        world: &mut World,
        provider: &Provider,
        record: Option<&Record>,
        id: String,
        secret: Option<Secret>,
    ) -> Result<Client, Error> {
        Ok(Client { id, secret, proofs: self.proofs(world, provider, record)?, ..Client::default() })
    }

    /// The same, where a missing client id ends it.
    pub fn require_client(
        &mut self,
        world: &mut World,
        provider: &Provider,
        record: Option<&Record>,
    ) -> Result<Client, Error> {
        let client = self.client(world, provider, record)?;
        // an assertion may speak for itself (RFC 7523, section 2.1)
        let alone = matches!(self.grant(Some(provider), record), GrantKind::JwtBearer | GrantKind::Saml2Bearer);
        let client = match client {
            None if alone => Some(self.client_with(world, provider, record, String::new(), None)?),
            client => client,
        };
        client.ok_or_else(|| {
            let error = Error::usage(format!("no client id is known for profile `{}`", self.name));
            if !self.named && world.env.var("OAUTHCTL_CLIENT_ID").is_some() {
                return error.hint(format!(
                    "OAUTHCTL_CLIENT_ID is for the profile that is named: on the command line, or with OAUTHCTL_PROFILE={}",
                    self.name
                ));
            }
            error
                .hint(format!("`{}` asks for it in a terminal, or give `--client-id`", self.typed.login()))
                .hint("in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET")
        })
    }

    /// The provider and the client that asks it; a client id that is not known ends it.
    pub fn asking(&mut self, world: &mut World, record: Option<&Record>) -> Result<Asking, Error> {
        let provider = self.provider(world, record)?;
        let client = self.require_client(world, &provider, record)?;
        Ok(self.asking_with(&provider, &client))
    }

    pub fn asking_with(&self, provider: &Provider, client: &Client) -> Asking {
        Asking { profile: self.typed.clone(), provider: provider.clone(), client: client.clone() }
    }

    fn secret(
        &mut self,
        world: &mut World,
        provider: &Provider,
        record: Option<&Record>,
    ) -> Result<Option<Secret>, Error> {
        if let Some(secret) = &self.client_secret {
            return Ok(Some(secret.clone()));
        }
        let found = self.secret_from_outside(world)?;
        if found.is_some() {
            if !self.signing_in && !self.secret_is_said(world) {
                // it is for the profile as it is configured, and as it has logged in
                let tokens = record.filter(|r| r.token.is_some());
                let moved = self.said_elsewhere().or_else(|| {
                    let record = tokens?;
                    self.moved(&self.bound_of(record)?, record, provider)
                });
                if let Some(moved) = moved {
                    return Err(moved.refused(&self.typed));
                }
            }
            self.client_secret.clone_from(&found);
            return Ok(found);
        }
        let said = self.profile.client_id.as_deref();
        let of_client = |r: &&Record| said.is_none_or(|said| r.client_id.as_deref().is_none_or(|kept| kept == said));
        let Some(record) = record.filter(|r| r.client_secret.is_some()).filter(of_client) else { return Ok(None) };
        match self.secret_moved(record, provider) {
            None => Ok(record.client_secret.clone()),
            Some(_) if self.signing_in => Ok(None),
            Some(moved) => Err(moved.refused(&self.typed)),
        }
    }

    /// Whether the client secret was given for this very command, whatever the profile is.
    fn secret_is_said(&self, world: &World) -> bool {
        let own = variable(world, &self.words, false, "CLIENT_SECRET").is_some();
        self.choice.client_secret_file.is_some() || (!own && self.variable(world, "CLIENT_SECRET").is_some())
    }

    /// From the flag, the environment or the configuration, in this order; not from the store.
    pub fn secret_from_outside(&mut self, world: &mut World) -> Result<Option<Secret>, Error> {
        if let Some(file) = &self.choice.client_secret_file {
            self.secret_from = Some(match file.as_str() {
                "-" => "standard input".to_owned(),
                file => format!("the file `{}`", safe(file)),
            });
            return secret_from_file(world, file, "client secret").map(Some);
        }
        if let Some((secret, name)) = variable(world, &self.words, self.named, "CLIENT_SECRET") {
            self.secret_from = Some(format!("the variable {name}"));
            return Ok(Some(secret.into()));
        }
        if self.profile.client_secret.is_some() {
            self.secret_from = Some("the place that `client-secret` of the configuration names".to_owned());
        }
        inputs::read(world, self, "client secret", &self.profile.client_secret)
    }

    /// What the environment says of this profile: `OAUTHCTL_<PROFILE>_CLIENT_ID` for `CLIENT_ID`, or `OAUTHCTL_CLIENT_ID` where
    /// the profile was named.
    pub fn variable(&self, world: &World, what: &str) -> Option<String> {
        variable(world, &self.words, self.named, what).map(|(value, _)| value)
    }

    /// The variable that a token from outside is in, or would be.
    pub fn token_variable(&self, world: &World) -> String {
        let set = variable(world, &self.words, false, "TOKEN").map(|(_, name)| name);
        set.unwrap_or_else(|| store::environment::variable_name(&self.name))
    }

    /// Whether the secret, or a key in its place, comes from outside the store: what a person types would not be used.
    pub fn proves_from_outside(&self, world: &World) -> bool {
        self.choice.client_secret_file.is_some()
            || self.profile.client_secret.is_some()
            || self.profile.proofs.key.is_some()
            || self.variable(world, "CLIENT_SECRET").is_some()
    }

    /// The client id that was said for this very command.
    pub fn said_client_id(&self, world: &World) -> Option<String> {
        self.choice.client_id.clone().or_else(|| self.variable(world, "CLIENT_ID"))
    }

    /// A secret that was asked for at the terminal.
    pub fn set_secret(&mut self, secret: Secret) {
        self.client_secret = Some(secret);
        self.secret_from = None;
    }

    /// Whether the keychain is meant because nobody said otherwise.
    pub fn store_is_the_usual(&self, world: &World) -> bool {
        self.store.kind() == StoreKind::Keychain
            && self.choice.store.is_none()
            && world.env.var("OAUTHCTL_STORE").is_none()
            && self.profile.store.is_none()
    }

    /// A login that is not finished may have left something in another store than the one that this name alone means: where
    /// no keychain answered it went into sealed files, or its command line said so.
    pub fn look_further(&mut self, world: &World) -> Result<(), Error> {
        let kind = self.store.kind();
        if self.configured
            || self.choice.store.is_some()
            || !matches!(kind, StoreKind::Keychain | StoreKind::File)
            || !matches!(self.store.load(&self.name), Ok(None) | Err(StoreError::Absent { .. }))
        {
            return Ok(());
        }
        if let Some(found) = orphan::called(world, &self.paths, kind, &self.name)? {
            self.store = store_of(world, found.kind, &self.paths)?;
            self.choice.store = Some(found.kind);
            self.typed = typed(&self.name, self.alias.as_deref(), &self.choice);
        }
        Ok(())
    }

    /// What is stored for this profile, if anything. A renaming that was cut off is finished first. A record of an older version,
    /// which does not say where its secrets may go, is bound to its provider as the configuration has it, from its first use on.
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
    fn nobody_logged_in(&self, world: &World) -> bool {
        let chosen = self.choice.store.is_some() || world.env.var("OAUTHCTL_STORE").is_some();
        !self.configured && !chosen && self.has_no_store()
    }

    /// Whether something may be kept for this profile, in a store that forgets and moves it on request.
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

/// The sealed files, with the passphrase from the environment if there is one.
pub fn open_file_store(world: &World, paths: &Paths) -> Result<store::file::FileStore, Error> {
    let state = paths.require_state()?;
    let passphrase = match world.env.var("OAUTHCTL_STORE_PASSPHRASE") {
        Some(passphrase) => Some(Secret::new(passphrase)),
        None => match world.env.var("OAUTHCTL_STORE_PASSPHRASE_FILE") {
            Some(file) => Some(store::file::passphrase_file(std::path::Path::new(&file))?),
            None => None,
        },
    };
    Ok(store::file::FileStore::new(state.join("store"), passphrase))
}

/// What may be longer than a line.
const OF_SEVERAL_LINES: [&str; 3] = ["assertion", "client key", "subject token"];

/// One line's worth: the end of the line that editors add isn't part of it. `what` names it. Where standard input (`-`) is a
/// terminal, what is typed there isn't shown.
pub fn secret_from_file(world: &mut World, file: &str, what: &str) -> Result<Secret, Error> {
    const LONGEST: usize = 64 * 1024;
    let path = match file.strip_prefix("~/").zip(world.env.home()) {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(file),
    };
    // `/dev/stdin` too
    let typed = match file {
        "-" => world.terminal.stdin_is_terminal(),
        _ => std::fs::File::open(&path).is_ok_and(|file| std::io::IsTerminal::is_terminal(&file)),
    };
    if typed {
        return typed_secret(world, what);
    }
    let text = if file == "-" { world.terminal.read_stdin(LONGEST) } else { read_at_most(&path, LONGEST) };
    let what = if file == "-" { "standard input".to_owned() } else { format!("`{}`", safe(file)) };
    let text = text.map_err(|e| Error::usage(format!("the secret can't be read from {what}")).cause(e))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err(Error::usage(format!("{what} holds no secret: it is empty")));
    }
    Ok(Secret::new(secret))
}

fn typed_secret(world: &mut World, what: &str) -> Result<Secret, Error> {
    let mut name = what.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let typed = match OF_SEVERAL_LINES.contains(&what) {
        true => world.ask_hidden_lines(&format!("{name} (not shown; Enter and Ctrl-D end it)"))?,
        false => world.ask_hidden(&format!("{name} (not shown)"))?,
    };
    match typed.is_empty() {
        true => Err(Error::usage(format!("no {what} was entered; nothing was done"))),
        false => Ok(typed),
    }
}

fn read_at_most(path: &std::path::Path, limit: usize) -> std::io::Result<zeroize::Zeroizing<String>> {
    use std::io::Read;
    let mut text = zeroize::Zeroizing::new(String::new());
    std::fs::File::open(path)?.take(limit as u64).read_to_string(&mut text)?;
    Ok(text)
}

pub fn random_hex(world: &mut World) -> String {
    let mut bytes = [0; 16];
    world.random.fill(&mut bytes);
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The document that was kept with a login, however old: where keys are hardly ever changes.
fn kept_document(record: Option<&Record>, issuer: &str) -> Option<metadata::Metadata> {
    let kept = record?.metadata.as_ref().filter(|kept| kept.issuer == issuer)?;
    metadata::read(kept.document.to_string().as_bytes(), issuer).ok()
}

/// The error for a token that can't be had without a person.
pub fn no_token(world: &World, session: &Session) -> Error {
    let name = &session.name;
    let none = Error::new(Kind::LoginFirst, format!("no token is stored for `{name}`"));
    let variable = session.token_variable(world);
    if session.store.kind() != StoreKind::Environment {
        let none = none.hints(without_a_person(world, session)).hint(session.typed.login());
        return none.hints(others_of_provider(session));
    }
    // a login would not be used
    match session.store.load(name) {
        Ok(Some(_)) => Error::new(
            Kind::LoginFirst,
            format!("the token of `{name}` comes from the variable {variable}: it can't be renewed here"),
        )
        .hint(format!("set {variable} to a new one; or unset it, then `{}`", session.typed.login())),
        _ => none.hint(format!("set {variable}")),
    }
}

/// The profiles of the same provider, for who named one that nobody made: an older version called it by the alias that was typed.
fn others_of_provider(session: &Session) -> Option<String> {
    let dir = session.paths.config.as_deref().filter(|_| !session.configured)?;
    let id = session.provider_name();
    let names = [config::aliases(dir, id), vec![id.to_owned()]].concat();
    let of_it = |(name, profile): &(&String, &Profile)| names.contains(profile.provider.as_ref().unwrap_or(name));
    let profiles = config::Config::load(dir).ok()?.profiles;
    let others: Vec<String> =
        profiles.iter().filter(of_it).take(5).map(|(name, _)| format!("`{}`", safe(name))).collect();
    (!others.is_empty()).then(|| format!("profiles of that provider: {}", others.join(", ")))
}

/// What a job can do, which has nobody to sign in.
pub fn without_a_person(world: &World, session: &Session) -> Option<String> {
    if !no_input(world) || session.profile.grant.is_some_and(|grant| !grant.needs_person()) {
        return None;
    }
    let provider = session.raw_provider().ok()?;
    let listed =
        provider.grant_types.as_ref().is_none_or(|list| list.iter().any(|grant| grant == "client_credentials"));
    if !provider.client_credentials.supported || !listed {
        let variable = session.token_variable(world);
        return Some(format!("in CI: set {variable} to a token that was obtained elsewhere"));
    }
    let variable = |what: &str| match session.named {
        true => format!("OAUTHCTL_{what}"),
        false => format!("OAUTHCTL_{}_{what}", store::environment::upper(&session.name)),
    };
    let set = format!("in CI: set {}={}", variable("GRANT"), GrantKind::ClientCredentials.name());
    Some(match session.profile.client_id.is_some() || provider.client_id.is_some() {
        true => set,
        false => format!(
            "{set}, and the client's id and secret in {} and {}",
            variable("CLIENT_ID"),
            variable("CLIENT_SECRET")
        ),
    })
}

/// CI jobs, and whoever says so, are never asked and never shown a browser.
pub fn no_input(world: &World) -> bool {
    let said = |name: &str| world.env.var(name).is_some_and(|v| v != "0" && !v.eq_ignore_ascii_case("false"));
    said("CI") || said("OAUTHCTL_NO_INPUT")
}
