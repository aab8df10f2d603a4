//! The secrets that a profile's configuration gives, and variables with its name: they are for the
//! profile as it is configured, and for no place that the options of a command lead to.

use std::collections::BTreeMap;

use crate::config::{self, Profile, same_provider};
use crate::error::{Error, Kind};
use crate::provider::Provider;
use crate::session::bound::{Bound, Moved, Scope};
use crate::session::overrides::variable;
use crate::session::{Record, Who};
use crate::text::{Typed, pasted, safe};
use crate::world::World;

impl Who {
    /// A secret that the command does not give itself stays with the profile as it is configured.
    /// `what` names it.
    pub(super) fn stays_here(&self, what: &str) -> Result<(), Error> {
        let Some(moved) = self.said_elsewhere() else { return Ok(()) };
        let flag = format!("--{}-file", what.to_lowercase().replace(' ', "-"));
        let error = self.is_for(&format!("the {what}"), &moved);
        Err(match self.key_of_secret(&moved) {
            Some(_) => error.hint(self.its_own()),
            None => error.hint(format!("for this one: {}", self.typed.login_with(&[(&flag, "FILE")]))),
        })
    }

    /// The same for what fills the requests: secret variables and parameters.
    pub(super) fn filling_stays_here(&self) -> Result<(), Error> {
        // a command that names no place reads no configuration again
        let said = &self.choice.flags;
        if said.provider.is_none() && said.environment.is_none() && said.vars.is_empty() {
            return Ok(());
        }
        let Some(moved) = self.said_elsewhere() else { return Ok(()) };
        let profile = self.in_config()?.0.unwrap_or_default();
        match self.key_of_filling(&profile, &moved) {
            Some(key) => Err(self.is_for(&format!("`{key}`"), &moved).hint(self.its_own())),
            None => Ok(()),
        }
    }

    /// For a login or a registration, which makes the profile lead where its options say: a secret
    /// of the configuration would be sent there from then on.
    pub fn may_move(&self) -> Result<(), Error> {
        let Some(moved) = self.said_elsewhere() else { return Ok(()) };
        let Some(key) = self.key_of_secret(&moved) else { return Ok(()) };
        let error = self.is_for(&format!("`{key}`"), &moved).hint(self.its_own());
        Err(error.hints(moved.setting().map(|(key, value)| {
            let set = format!("{} {} {}", self.typed.line("profile set"), pasted(&key), pasted(&value));
            format!("or, if the profile is to move and this goes along: `{set}`, then the login")
        })))
    }

    /// The error for a secret that is for another place.
    pub(super) fn is_for(&self, what: &str, moved: &Moved) -> Error {
        Error::new(Kind::Unsafe, format!("{what} of `{}` is for {} alone", safe(&self.name), moved.was()))
            .because("this command leads elsewhere; nothing was sent")
    }

    /// A login of another machine goes to the places that it was obtained for, whatever the
    /// provider is called there. `learnt`: the variables that the login taught.
    pub fn takes_login_of(&self, bound: &Bound, learnt: &BTreeMap<String, String>) -> Result<(), Error> {
        let raw = self.raw_provider()?;
        let bound = Bound { provider: raw.id.clone(), ..bound.clone() };
        let record = Record { vars: learnt.clone(), ..Record::default() };
        let moved = self.moved(&bound, &record, &raw, Scope::Usual);
        moved.map_or(Ok(()), |moved| Err(self.is_for("the login", &moved)))
    }

    /// The login of a new profile with the options of this one.
    pub(super) fn its_own(&self) -> String {
        let mut options = self.choice.options();
        if self.choice.flags.provider.is_none() {
            options.insert(0, ("--provider".to_owned(), self.provider_name().to_owned()));
        }
        format!("a profile of its own: {}", Typed::new("NAME", "NAME", options).login())
    }

    /// The key of a secret that would go along.
    fn key_of_secret(&self, moved: &Moved) -> Option<String> {
        let profile = self.in_config().ok()?.0?;
        profile.key_of_sent().map(str::to_owned).or_else(|| self.key_of_filling(&profile, moved))
    }

    /// Only a provider's own file says which variables are secret: another one's gets none.
    fn key_of_filling(&self, profile: &Profile, moved: &Moved) -> Option<String> {
        let secret = |name: &&String| match moved {
            Moved::Provider { .. } => true,
            _ => self.raw_provider().is_ok_and(|raw: Provider| raw.has_secret_var(name)),
        };
        let variable = profile.vars.keys().find(secret).map(|name| format!("vars.{name}"));
        variable.or_else(|| profile.secret_param())
    }

    /// Whether a request without a person would send what only the profile has.
    pub(super) fn sends_its_own(&self, world: &World) -> bool {
        let (said, given) = (&self.choice.flags, self.secret_is_said(world));
        let is_said = |source| said.sent().any(|(_, flag)| flag == source);
        let mut sent = self.profile.sent().filter(|(key, _)| !(given && key.ends_with("secret")));
        let own_variable = variable(world, &self.words, false, "CLIENT_SECRET").is_some();
        sent.any(|(_, source)| !is_said(source))
            || (own_variable && !given)
            || (self.profile.asks.subject_profile.is_some() && said.asks.subject_profile.is_none())
            || self.profile.secret_param().is_some()
            || self.raw_provider().is_ok_and(|raw| self.bare_vars(&raw).is_ok_and(|vars| !vars.is_empty()))
    }

    /// How the flags and variables of this command differ from the profile in the configuration. A
    /// sign-in may mend the client id.
    pub(super) fn said_elsewhere(&self) -> Option<Moved> {
        self.said_otherwise().filter(|moved| !(self.choice.signing_in && matches!(moved, Moved::Client { .. })))
    }

    /// The same, with the client at a sign-in too. A sign-in may say for the first time where the
    /// provider is.
    pub(super) fn said_otherwise(&self) -> Option<Moved> {
        let profile = if self.configured { self.in_config().ok()?.0? } else { return None };
        self.differences(&profile).into_iter().find(|moved| !(self.choice.signing_in && self.adds(moved)))
    }

    /// Whether it says what neither the configuration nor an earlier sign-in has said.
    fn adds(&self, moved: &Moved) -> bool {
        let record = self.read().ok().flatten().filter(|record| record.token.is_some());
        let bound = record.and_then(|record| self.bound_of(&record));
        match moved {
            Moved::Environment { was: None, is } => bound.is_none_or(|bound| bound.environment == *is),
            Moved::Var { was: None, name, is } => bound.is_none_or(|bound| bound.vars.get(name) == is.as_ref()),
            _ => false,
        }
    }

    /// The client comes last: its secret goes to the same server.
    fn differences(&self, profile: &Profile) -> Vec<Moved> {
        let by_name = || config::provider(self.config_dir(), &self.name, None).is_ok().then_some(&*self.name);
        let Profile { provider, environment, vars, .. } = &self.choice.flags;
        let of_provider = provider.as_deref().zip(profile.provider.as_deref().or_else(by_name));
        let of_provider = of_provider
            .filter(|(said, own)| !same_provider(self.config_dir(), said, own))
            .map(|(said, own)| Moved::Provider { was: own.to_owned(), is: said.to_owned() });
        let of_environment = (environment.is_some() && *environment != profile.environment)
            .then(|| Moved::Environment { was: profile.environment.clone(), is: environment.clone() });
        let raw = self.raw_provider().ok().filter(|_| !vars.is_empty());
        let usual = |name: &str| raw.as_ref().and_then(|raw| raw.vars.get(name)?.default.clone());
        let own_value = |name: &String| profile.vars.get(name).cloned().or_else(|| usual(name));
        let other = vars.iter().filter(|(name, value)| own_value(name).as_ref() != Some(value));
        let of_vars = other.map(|(name, value)| {
            let was = profile.vars.get(name).cloned();
            Moved::Var { name: name.clone(), was, is: Some(value.clone()) }
        });
        let of_client = profile.client_id.clone().zip(self.profile.client_id.clone()).filter(|(was, is)| was != is);
        let of_client = of_client.map(|(was, is)| Moved::Client { was, is });
        of_provider.into_iter().chain(of_environment).chain(of_vars).chain(of_client).collect()
    }
}
