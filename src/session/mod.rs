//! The life of one profile's token: load, judge, refresh under the lock, keep.
//!
//! A session has stages, each made from the one before it and from the record: [`Who`] is the
//! profile, which `open` chooses, [`Server`] its provider, [`Credentials`] its client. The server
//! is looked up only for a request: a fresh token needs none.

pub mod alias;
mod beside;
mod binding;
pub mod bound;
mod client;
mod configured;
pub mod forget;
pub mod fresh;
pub mod grant_input;
pub mod hand_over;
pub mod keep;
pub mod matching;
pub mod migration;
mod open;
pub mod orphan;
pub mod overrides;
pub mod record;
pub mod registration;
mod renaming;
pub mod renewal;
pub mod rule;
pub mod secret_source;
mod server;
pub mod standing;
pub mod state;
mod stores;
pub mod unfinished;
pub mod variant;
mod who;

use std::collections::BTreeMap;

use crate::config::{self, GrantKind};
use crate::error::{Error, Kind};
use crate::grant::jwks::{KeptKeys, KeyRing};
use crate::protocol::client::Client;
use crate::provider::expand::CLIENT_ID;
use crate::provider::{Provider, VarFrom};
use crate::store::{self, StoreKind};
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::World;
use client::LoadedClient;
pub use open::{placeholder_provider, profile_called, profile_of_issuer};
pub use overrides::Overrides;
use record::{Kept, Record, Unfinished};
use secret_source::read_at_most;
pub use secret_source::{secret_from_file, secret_to_store};
use server::Server;
use state::lock::Lock;
use state::paths::Paths;
pub use state::{kernel_cache, lease, lock, paths};
pub use stores::{passphrase, sealed_files, store_of, usual_store};
pub use who::{MoreVars, Shared, Who};

/// The variable for the address of a server that a command starts by itself.
pub const BASE: &str = "base";

/// A profile, with the server and the client as soon as they are needed.
pub struct Session {
    pub who: Who,
    pub server: Option<Server>,
    /// The token that this command obtained and no store keeps.
    unkept: Option<TokenSet>,
    credentials: LoadedClient,
}

impl std::ops::Deref for Session {
    type Target = Who;

    fn deref(&self) -> &Who {
        &self.who
    }
}

impl std::ops::DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Who {
        &mut self.who
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("name", &self.name).field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl From<Who> for Session {
    fn from(who: Who) -> Session {
        Session { who, server: None, unkept: None, credentials: LoadedClient::default() }
    }
}

impl Session {
    /// See [`Who::open`].
    pub fn open(world: &mut World, choice: Overrides) -> Result<Session, Error> {
        Who::open(world, choice).map(Session::from)
    }

    /// Offers variables that only a running program knows.
    pub fn with_more_vars(self, more: MoreVars) -> Session {
        self.more_vars.replace(Some(more));
        self
    }

    /// Whether a running program offers this variable.
    pub fn fills(&self, var: &str) -> bool {
        self.more_vars.borrow().is_some() && var == BASE
    }

    /// The server, looked up once.
    pub fn server(&mut self, world: &mut World, record: Option<&Record>) -> Result<&mut Server, Error> {
        Server::once(&mut self.server, world, &self.who, record)
    }

    pub fn provider(&mut self, world: &mut World, record: Option<&Record>) -> Result<Provider, Error> {
        self.server(world, record).map(|server| server.provider.clone())
    }

    /// The provider with the variables that a sign-in has brought so far.
    pub fn learn(
        &mut self,
        upto: VarFrom,
        vars: &BTreeMap<String, String>,
        client: &Client,
    ) -> Result<Provider, Error> {
        let mut vars = vars.clone();
        vars.insert(CLIENT_ID.to_owned(), client.id.clone());
        let Some(server) = &mut self.server else { return Err(Error::usage("no provider is known")) };
        server.provider = server.provider.filled_upto(upto, &vars)?;
        Ok(server.provider.clone())
    }

    /// The provider with the address of its keys, if its document names one.
    pub fn whole_provider(&mut self, world: &mut World, record: Option<&Record>) -> Result<Provider, Error> {
        self.provider_with(world, record, |provider| provider.identity.jwks_uri.is_some())
    }

    /// The provider, completed by its document if its own file is not enough.
    pub fn provider_with(
        &mut self,
        world: &mut World,
        record: Option<&Record>,
        enough: impl Fn(&Provider) -> bool,
    ) -> Result<Provider, Error> {
        let server = Server::once(&mut self.server, world, &self.who, record)?;
        if !enough(&server.provider) {
            server.complete(world, &self.who)?;
        }
        Ok(server.provider.clone())
    }

    /// An error if this endpoint has moved since the login.
    pub fn unmoved(&self, key: &str) -> Result<(), Error> {
        let moved = self.server.as_ref().and_then(|server| server.moved.get(key));
        moved.map_or(Ok(()), |moved| Err(moved.refused(&self.typed)))
    }

    /// The server's keys, once the server is known.
    pub fn key_ring(&self) -> KeyRing {
        self.server.as_ref().map_or_else(|| KeyRing::new(None, None), |server| server.key_ring(&self.who))
    }

    /// The server's document, if this command fetched it.
    pub fn metadata(&self) -> Option<Kept> {
        self.server.as_ref()?.metadata.clone()
    }

    /// The server's keys, if this command fetched them.
    pub fn keys(&self) -> Option<KeptKeys> {
        self.server.as_ref()?.keys.clone()
    }

    pub fn keep_keys(&mut self, keys: Option<KeptKeys>) {
        if let Some(server) = self.server.as_mut().filter(|_| keys.is_some()) {
            server.keys = keys;
        }
    }
}

pub fn random_hex(world: &mut World) -> String {
    let mut bytes = [0; 16];
    world.random.fill(&mut bytes);
    crate::secret::hex(&bytes)
}

/// The error for a token that can't be obtained without a person.
pub fn no_token(world: &World, who: &Who) -> Error {
    let name = &who.name;
    let none = Error::new(Kind::LoginFirst, format!("no token is stored for `{name}`"));
    if who.store.kind() != StoreKind::Environment {
        let ended = who.load().ok().flatten().and_then(|record| record.ended);
        let none = match ended {
            Some(why) => none.because("the provider ended the login").because(safe(&why)),
            None => none,
        };
        return none.hints(without_a_person(world, who)).hint(who.typed.login()).hints(others_of_provider(who));
    }
    let variable = who.token_variable(world);
    match who.store.load(name) {
        Ok(Some(_)) => Error::new(
            Kind::LoginFirst,
            format!("the token of `{name}` comes from the variable {variable}: it can't be refreshed here"),
        )
        .hint(format!("set {variable} to a new one; or unset it, then `{}`", who.typed.login())),
        _ => none.hint(format!("set {variable}")),
    }
}

/// The other profiles of the provider, where the named one is not configured.
fn others_of_provider(who: &Who) -> Option<String> {
    let dir = who.paths.config.as_deref().filter(|_| !who.configured)?;
    let id = who.provider_name();
    let names = [config::aliases(dir, id), vec![id.to_owned()]].concat();
    let profiles = config::Config::load(dir).ok()?.profiles;
    let of_it = profiles.iter().filter(|(name, profile)| names.contains(profile.provider.as_ref().unwrap_or(name)));
    let others: Vec<String> = of_it.take(5).map(|(name, _)| format!("`{}`", safe(name))).collect();
    (!others.is_empty()).then(|| format!("profiles of that provider: {}", others.join(", ")))
}

/// A hint for a job without a person.
pub fn without_a_person(world: &World, who: &Who) -> Option<String> {
    if !no_input(world) || who.profile.grant.is_some_and(|grant| !grant.needs_person()) {
        return None;
    }
    let provider = who.raw_provider().ok()?;
    let listed =
        provider.grant_types.as_ref().is_none_or(|list| list.iter().any(|grant| grant == "client_credentials"));
    if !provider.client_credentials.supported || !listed {
        let variable = who.token_variable(world);
        return Some(format!("in CI: set {variable} to a token that was obtained elsewhere"));
    }
    let variable = |what: &str| match who.named {
        true => format!("OAUTHCTL_{what}"),
        false => format!("OAUTHCTL_{}_{what}", store::environment::upper(&who.name)),
    };
    let set = format!("in CI: set {}={}", variable("GRANT"), GrantKind::ClientCredentials.name());
    if who.profile.client_id.is_some() || provider.client_id.is_some() {
        return Some(set);
    }
    let (id, secret) = (variable("CLIENT_ID"), variable("CLIENT_SECRET"));
    Some(format!("{set}, and the client's id and secret in {id} and {secret}"))
}

/// CI jobs, and commands with `OAUTHCTL_NO_INPUT`, ask no questions and open no browser.
pub fn no_input(world: &World) -> bool {
    let said = |name: &str| world.env.var(name).is_some_and(|v| v != "0" && !v.eq_ignore_ascii_case("false"));
    said("CI") || said("OAUTHCTL_NO_INPUT")
}

/// Whether questions may be asked.
pub fn may_ask(world: &World) -> bool {
    world.terminal.stdin_is_terminal() && !no_input(world)
}
