//! The profile that a service belongs to, and its token. A token goes to the API that it was
//! obtained for, and to the services that the profile itself names (`helper-hosts`); whatever host
//! a tool asks for, no other gets one.

use std::path::Path;
use std::rc::Rc;

use clap::Args;
use zeroize::Zeroizing;

use crate::address::Service;
use crate::api::hosts;
use crate::command::token::{mask, must_be_presentable, parameter};
use crate::command::{Global, WhoFlags, sandbox_session};
use crate::config::{Config, Profile, TokenTarget};
use crate::error::{Error, Kind};
use crate::protocol::sender_constrained::is_dpop;
use crate::provider::{ApiAuthPlace, VarFrom};
use crate::secret::Secret;
use crate::session::fresh::{FreshnessPolicy, JUST_NOW, fresh, fresh_id_token, instead_of, provider_of_token};
use crate::session::paths::Paths;
use crate::session::{Overrides, Session, Who, profile_called, rule};
use crate::store::StoreKind;
use crate::text::{pasted, safe};
use crate::token::TokenSet;
use crate::world::World;

#[derive(Args, Clone, Debug, Default)]
pub struct Chosen {
    /// The profile [default: the one that the host belongs to]
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Give the login's ID token in the access token's place.
    #[arg(long)]
    pub id_token: bool,
    /// Another token of the login than its main one.
    #[command(flatten)]
    pub target: TokenTarget,
    /// The address of the repository, where git tells it.
    #[arg(skip)]
    pub remote: Option<String>,
}

/// The same for services that take an ID token.
#[derive(Args, Debug)]
pub struct ForIdentity {
    #[command(flatten)]
    chosen: Chosen,
    /// Give the access token [default: the ID token]
    #[arg(long, conflicts_with = "id_token")]
    access_token: bool,
}

impl ForIdentity {
    /// What was chosen; without a profile, `other`.
    pub fn chosen(&self, other: Option<&str>) -> Chosen {
        let profile = self.chosen.profile.as_deref().or(other).map(str::to_owned);
        Chosen { profile, id_token: !self.access_token, ..self.chosen.clone() }
    }
}

/// How a token is presented where a protocol carries the whole header.
pub struct Header {
    pub name: String,
    pub value: Zeroizing<String>,
}

/// The service that a tool names. `None`: no token may go there, which is said.
pub fn known_service(world: &mut World, address: &str, read: Result<Service, &'static str>) -> Option<Service> {
    read.inspect_err(|why| world.say(&format!("no token is given for `{}`: {why}", safe(&place(address))))).ok()
}

/// Scheme and host of an address: the rest may hold a secret.
fn place(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").map_or((None, address), |(scheme, rest)| (Some(scheme), rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    scheme.map_or(host.to_owned(), |scheme| format!("{scheme}://{host}"))
}

impl Chosen {
    /// A fresh token for an address. `None`: it belongs to no profile, which is said.
    pub fn at(&self, world: &mut World, global: &Global, address: &str) -> Result<Option<TokenSet>, Error> {
        match known_service(world, address, Service::of(address)) {
            Some(service) => self.set(world, global, &service),
            None => Ok(None),
        }
    }

    /// The same with the header that presents it.
    pub fn header_at(
        &self,
        world: &mut World,
        global: &Global,
        address: &str,
    ) -> Result<Option<(TokenSet, Header)>, Error> {
        let Some(service) = known_service(world, address, Service::of(address)) else { return Ok(None) };
        let Some((session, set)) = self.given(world, global, &service)? else { return Ok(None) };
        // an ID token is not the API's, and a query is no header
        let (name, value) = match parameter(&session, &set)? {
            (ApiAuthPlace::Header, name, value) if !self.id_token => (name, value),
            _ => ("Authorization".to_owned(), Zeroizing::new(format!("Bearer {}", set.access_token.expose()))),
        };
        Ok(Some((set, Header { name, value })))
    }

    /// A fresh token for a service.
    pub fn set(&self, world: &mut World, global: &Global, service: &Service) -> Result<Option<TokenSet>, Error> {
        Ok(self.given(world, global, service)?.map(|(_, set)| set))
    }

    fn given(
        &self,
        world: &mut World,
        global: &Global,
        service: &Service,
    ) -> Result<Option<(Session, TokenSet)>, Error> {
        let Some(mut session) = self.session(world, global, service)? else { return Ok(None) };
        let set = presentable(world, &mut session, self.id_token)?;
        Ok(Some((session, set)))
    }

    /// A server refused this token: if it is still the stored one, another takes its place. Where
    /// that can't be done, everything stays as it is. `None`: it refused the stored one.
    pub fn refused(
        &self,
        world: &mut World,
        global: &Global,
        (service, token): (&Service, Option<&Secret>),
    ) -> Result<(), Error> {
        let Some(mut session) = self.session(world, global, service)? else { return Ok(()) };
        let stored = FreshnessPolicy { no_refresh: true, whole: self.id_token, ..FreshnessPolicy::default() };
        // one that has expired is refreshed by the next request anyway
        let Ok(set) = fresh(world, &mut session, stored) else { return Ok(()) };
        let given = if self.id_token { set.id_token.as_ref() } else { Some(&set.access_token) };
        if token.is_some() && given != token {
            return Ok(());
        }
        let outcome = if matches!(session.store.kind(), StoreKind::Environment | StoreKind::Lent) {
            "it is not refreshed here, and stays"
        } else if world.clock.now() - set.received_at <= JUST_NOW {
            "it was obtained just now, so it may lack a scope"
        } else {
            instead_of(world, &mut session, &set)?;
            "it is refreshed now, try again"
        };
        world.say(&format!("{service} refused the token of `{}`: {outcome}", session.name));
        Ok(())
    }

    /// Refuses a service whose helper would give no token.
    pub fn must_own(&self, world: &mut World, global: &Global, service: &Service) -> Result<(), Error> {
        let owners = if self.profile.is_some() { Vec::new() } else { owners(world, global, service)? };
        // what is installed here serves other folders too
        if owners.len() > 1 && !choices_among(world, &owners)?.when.is_empty() {
            return Ok(());
        }
        match self.session(world, global, service)? {
            Some(_) => Ok(()),
            None => Err(Error::new(Kind::Unsafe, format!("no helper may give a token to {service}"))),
        }
    }

    /// The services that the profile names, or every profile.
    pub fn services(&self, world: &World) -> Result<Vec<Service>, Error> {
        let dir = Paths::find(&*world.env).config.unwrap_or_default();
        let profiles = Config::load(&dir)?.profiles;
        let meant = profiles.iter().filter(|(name, _)| self.profile.as_ref().is_none_or(|said| said == *name));
        let hosts = meant.flat_map(|(_, profile)| profile.helper_hosts.iter().flatten());
        Ok(hosts.filter_map(|host| Service::parse(host).ok()).collect())
    }

    /// The profiles that own the service; of several the one that is meant here: the rule's, else
    /// the default one.
    fn owners_here(&self, world: &mut World, global: &Global, service: &Service) -> Result<Vec<String>, Error> {
        let owners = owners(world, global, service)?;
        if owners.len() < 2 {
            return Ok(owners);
        }
        let choices = choices_among(world, &owners)?;
        let rule = rule::chosen_for(world, &choices.when, self.remote.as_deref());
        if let Some(rule) = rule {
            world.step(|| format!("the profile `{}`, by {}", safe(&rule.profile), rule::words(rule)));
        }
        let one = rule.map(|rule| rule.profile.clone()).or(choices.default_profile);
        Ok(one.map_or(owners, |name| vec![name]))
    }

    fn session(&self, world: &mut World, global: &Global, service: &Service) -> Result<Option<Session>, Error> {
        let flags = WhoFlags::of(&self.target);
        if let (None, Some((flag, _))) = (&self.profile, flags.profile.options().first()) {
            return Err(Error::usage(format!("`{flag}` is for the login of one profile: `--profile` names it")));
        }
        let open = |world: &mut World, name: &str, implied| {
            let choice = flags.choice(Some(name.to_owned()), global);
            sandbox_session::open(world, Overrides { implied, ..choice })
        };
        let named = self.profile.clone().or_else(|| world.env.var("OAUTHCTL_PROFILE"));
        let mut session = None;
        if let Some(name) = named {
            let opened = session.insert(open(world, &name, false)?);
            if is_owner(world, opened, service)? {
                return Ok(session);
            }
        }
        // the variable is for a whole shell, and this host may be another profile's
        let others = if self.profile.is_some() { Vec::new() } else { self.owners_here(world, global, service)? };
        let session = match (&others[..], session) {
            ([name], _) => {
                let mut session = open(world, name, true)?;
                if is_owner(world, &mut session, service)? {
                    return Ok(Some(session));
                }
                session
            }
            ([], Some(session)) => session,
            ([], None) => {
                world.say(&format!("no profile is for {service}: no token is given"));
                return Ok(None);
            }
            (several, _) => {
                let names = several.iter().map(|name| safe(name)).collect::<Vec<_>>().join(", ");
                world.say(&format!(
                    "{service} belongs to several profiles ({names}): `--profile` chooses one, \
                     or `oauthctl profile use`, or a rule (`oauthctl help configuration`)"
                ));
                return Ok(None);
            }
        };
        world.say(&format!("{service} is no service of `{}`: no token is given", session.name));
        let known = session.profile.helper_hosts.iter().flatten().cloned();
        let hosts = known.chain([service.to_string()]).collect::<Vec<_>>().join(" ");
        let (name, hosts) = (pasted(&session.name), pasted(&hosts));
        world.say(&format!("if it is one of yours: oauthctl profile set {name} helper-hosts {hosts}"));
        Ok(None)
    }
}

/// Refuses a name that is no profile's.
pub fn must_exist(world: &mut World, global: &Global, profile: &str) -> Result<(), Error> {
    let choice = WhoFlags::default().choice(Some(profile.to_owned()), global);
    sandbox_session::open(world, choice).map(drop)
}

/// A fresh token of a profile, for this machine itself: there is no service to compare.
pub fn of_profile(world: &mut World, global: &Global, profile: &str, id_token: bool) -> Result<TokenSet, Error> {
    let choice = WhoFlags::default().choice(Some(profile.to_owned()), global);
    let mut session = sandbox_session::open(world, choice)?;
    presentable(world, &mut session, id_token)
}

/// A fresh token that another program can present.
fn presentable(world: &mut World, session: &mut Session, id_token: bool) -> Result<TokenSet, Error> {
    let obtain = if id_token { fresh_id_token } else { fresh };
    let set = obtain(world, session, FreshnessPolicy::default())?;
    mask(world, set.access_token.expose());
    if !id_token {
        must_be_presentable(&session.typed, &set)?;
    }
    let name = &session.name;
    if is_dpop(&set) {
        return Err(Error::usage(format!(
            "the token of `{name}` is bound to a key (DPoP): no other program can use it"
        )));
    }
    // in the protocols a line is a value, and a token from outside may be anything
    if !set.access_token.expose().bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::new(Kind::Unsafe, format!("the token of `{name}` has characters that no token has")));
    }
    Ok(set)
}

/// Whether the token may go to the service.
fn is_owner(world: &mut World, session: &mut Session, service: &Service) -> Result<bool, Error> {
    Ok(names(&session.profile, service) || is_of_api(world, session, service)?)
}

/// Whether the profile itself names the service.
fn names(profile: &Profile, service: &Service) -> bool {
    profile.helper_hosts.iter().flatten().any(|host| Service::parse(host).as_ref() == Ok(service))
}

/// Whether the token was obtained for that server.
fn is_of_api(world: &mut World, session: &mut Session, service: &Service) -> Result<bool, Error> {
    let Some(url) = service.url() else { return Ok(false) };
    let (provider, _) = provider_of_token(world, session, false)?;
    Ok(hosts::owns(&provider, &url))
}

/// The configuration, of whose rules and default only those for these profiles are left.
fn choices_among(world: &mut World, profiles: &[String]) -> Result<Config, Error> {
    let paths = Paths::find(&*world.env);
    let mut config = Config::load_for(paths.config.as_deref().unwrap_or(Path::new("")), "")?;
    for word in config.when.iter_mut().map(|rule| &mut rule.profile).chain(&mut config.default_profile) {
        *word = profile_called(world, &paths, std::mem::take(word), None)?;
    }
    config.when.retain(|rule| profiles.contains(&rule.profile));
    config.default_profile.take_if(|name| !profiles.contains(name));
    Ok(config)
}

/// The profiles that name the service; if there are none, those whose provider has its API there.
/// The record of the chosen one has the last word.
fn owners(world: &mut World, global: &Global, service: &Service) -> Result<Vec<String>, Error> {
    let paths = Paths::find(&*world.env);
    let Some(dir) = paths.config.as_deref() else { return Ok(Vec::new()) };
    let (mut own, mut of_api) = (Vec::new(), Vec::new());
    // a profile that can't be read may be the one that names it
    Config::each(dir, |config| {
        own.extend(config.profiles.iter().filter(|(_, profile)| names(profile, service)).map(|(name, _)| name.clone()));
        Ok::<_, Error>(())
    })?
    .whole()?;
    let Some(url) = service.url().filter(|_| own.is_empty()) else { return Ok(own) };
    let shared = Rc::default();
    Config::each(dir, |config| {
        let Some(name) = config.profiles.keys().next().cloned() else { return Ok(()) };
        let choice = Overrides { implied: true, ..WhoFlags::default().choice(Some(name.clone()), global) };
        // a profile with a mistake belongs to nobody
        let Ok(who) = Who::open_configured(world, choice, (&paths, &*config, &shared), &name) else { return Ok(()) };
        let provider = who.raw_provider().ok().and_then(|raw| raw.filled_upto(VarFrom::User, &who.profile.vars).ok());
        if provider.is_some_and(|provider| hosts::owns(&provider, &url)) {
            of_api.push(name);
        }
        Ok::<_, Error>(())
    })?;
    Ok(of_api)
}
