//! Where the secrets of a profile may go: the places of its provider, compared with those that its
//! record is bound to.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::json;

use crate::config::{self, ClientAuthSettings, Profile, same_provider};
use crate::error::Error;
use crate::provider::Provider;
use crate::provider::expand::unfilled;
use crate::secret::hash;
use crate::session::bound::{Bound, Moved, Scope};
use crate::session::server::kept_document;
use crate::session::{Record, Who};
use crate::store::StoreKind;

impl Who {
    /// The places for a secret that is obtained now. `learnt`: the variables that the login taught.
    pub fn bound(&self, provider: &Provider, learnt: &BTreeMap<String, String>) -> Bound {
        let mut vars = learnt.clone();
        vars.extend(self.profile.vars.clone());
        let practice = self.is_practice(provider);
        let provider = provider.at_token_host(&vars);
        let bound = Bound::of(&provider, self.profile.environment.as_deref(), &vars, practice);
        Bound { described: self.described(), ..bound }
    }

    /// A fingerprint of the provider's file and of what the profile says of it.
    fn described(&self) -> Option<String> {
        let parts = (self.meant(), self.profile.vars.clone());
        let Ok(described) = self.shared.described.get(parts, |((name, environment), vars)| {
            let text = config::description(self.config_dir(), name);
            Ok::<_, Infallible>(text.map(|text| hash(json!([name, environment, vars, text]).to_string().as_bytes())))
        });
        described
    }

    /// The places for the tokens of a record. A record of an older version does not say: then those
    /// of its provider in the configuration, with the stored document.
    pub fn bound_of(&self, record: &Record) -> Option<Bound> {
        record.bound.clone().or_else(|| {
            let Profile { environment, vars: own, .. } = self.in_config().ok()?.0.unwrap_or_default();
            let environment = environment.as_deref();
            let mut provider = config::provider(self.config_dir(), record.provider.as_deref()?, environment).ok()?;
            if let Some(document) = provider.issuer.clone().and_then(|issuer| kept_document(Some(record), &issuer)) {
                document.fill(&mut provider);
            }
            let mut vars = record.vars.clone();
            vars.extend(own);
            Some(Bound::of(&provider, environment, &vars, self.is_practice(&provider)))
        })
    }

    /// A record of an older version with its secrets bound; `None`: nothing is to be bound.
    pub(super) fn newly_bound(&self, record: &Record) -> Option<Record> {
        let tokens = record.token.is_some() && record.bound.is_none();
        let secret = record.client_secret.is_some() && record.bound.is_none() && record.secret_bound.is_none();
        if !(tokens || secret) || !self.store.kind().keeps() {
            return None;
        }
        let bound = self.bound_of(record)?;
        let mut record = record.clone();
        record.secret_bound = record.secret_bound.or_else(|| secret.then(|| bound.clone()));
        record.bound = tokens.then_some(bound);
        Some(record)
    }

    /// Whether the provider's file is the same, word for word, as when the tokens were obtained.
    pub(super) fn is_described(&self, record: &Record) -> bool {
        let then = record.bound.as_ref().and_then(|bound| bound.described.as_ref());
        then.is_some_and(|then| self.described().as_ref() == Some(then))
    }

    /// An error if the command names a place that there is not: no token is meant by that.
    pub fn said_place(&self) -> Result<(), Error> {
        // a borrower knows no provider
        match self.choice.names_place() && self.store.kind() != StoreKind::Lent {
            true => self.shared_provider().map(drop),
            false => Ok(()),
        }
    }

    /// How provider and profile differ from what the tokens are bound to. Sends nothing.
    pub fn moved_by_file(&self, record: &Record) -> Option<Moved> {
        if self.is_described(record) {
            return None;
        }
        let bound = self.bound_of(record)?;
        self.moved(&bound, record, &self.raw_provider().ok()?, self.scope())
    }

    /// Why the client secret of a record may not go to the places of `provider`.
    pub fn secret_moved(&self, record: &Record, provider: &Provider, scope: Scope) -> Option<Moved> {
        let bound = record.secret_bound.clone().or_else(|| self.bound_of(record))?;
        self.moved(&bound, record, provider, scope)
    }

    /// The one decision: whether a secret with this `bound` may go to the places of `provider`.
    pub(super) fn moved(&self, bound: &Bound, record: &Record, provider: &Provider, scope: Scope) -> Option<Moved> {
        let now = self.bound(provider, &record.vars);
        bound.moved(&now, &|| self.is_built_in(&bound.provider), |key| scope.counts(key))
    }

    /// The places that count before the provider has the recorded addresses.
    pub(super) fn scope(&self) -> Scope {
        match (self.choice.signing_in, self.choice.leaving) {
            (true, _) => Scope::Every,
            (_, true) => Scope::Nowhere,
            _ => Scope::Usual,
        }
    }

    /// The places that count for a client secret, once the provider has the recorded addresses.
    pub(super) fn scope_of_secret(&self) -> Scope {
        if self.choice.leaving { Scope::Logout } else { Scope::Every }
    }

    /// The same for the tokens of a record, or for its client secret alone, as an error; else puts
    /// in the recorded addresses. Returns the endpoints of one command each that have moved.
    pub(super) fn bind(
        &self,
        provider: &mut Provider,
        record: &Record,
    ) -> Result<BTreeMap<&'static str, Moved>, Error> {
        let bound = match (&record.token, &record.secret_bound) {
            _ if self.choice.signing_in => None,
            (Some(_), _) => self.bound_of(record),
            (None, bound) => bound.clone(),
        };
        let Some(bound) = bound else { return Ok(BTreeMap::new()) };
        let refuse = |provider: &Provider, scope| match self.moved(&bound, record, provider, scope) {
            Some(moved) if record.token.is_some() => Err(moved.refused(&self.typed)),
            _ => Ok(()),
        };
        refuse(provider, self.scope())?;
        let aside = bound.moved_aside(&self.bound(provider, &record.vars), &|| self.is_built_in(&bound.provider));
        // the logout of a token is said where it was obtained; the others ask no place that is gone
        let fits = record.secret_bound.as_ref().is_none_or(|secret| secret.places == bound.places);
        let secrets = record.secret_vars.iter().filter(|_| fits);
        let secrets = secrets.map(|(name, value)| (name.as_str(), value.expose())).collect();
        bound.honour(provider, self.is_practice(provider), &secrets).map_err(|e| Error::usage(e.to_string()))?;
        for (key, _) in aside.iter().filter(|(key, _)| !bound.places.contains_key(**key)) {
            provider.without_endpoint(key);
        }
        if self.choice.leaving {
            refuse(provider, Scope::Logout)?;
            provider.each_string(&mut |key, _, text| match unfilled(text).first() {
                Some(name) if key.ends_with(".url") && Scope::Logout.counts(key) => Err(Error::unfilled(name)),
                _ => Ok(()),
            })?;
        }
        Ok(aside)
    }

    /// Makes the profile that of a record's login, for a logout: the configuration may have changed
    /// since. The secrets that it names now, and the profile's variables, are for what it is now.
    pub fn go_back(&mut self, record: &Record) {
        let kept = record.client_secret.is_some() || record.secret_from.is_none();
        let said = self.choice.flags.client_secret.is_some();
        let Some(bound) = record.bound.clone().filter(|_| kept || said) else { return };
        let same = same_provider(self.config_dir(), self.provider_name(), &bound.provider);
        let proofs = std::mem::take(&mut self.profile.proofs);
        let proofs = ClientAuthSettings { assertion_audience: None, ..proofs };
        self.profile = Profile {
            provider: record.provider.clone(),
            environment: bound.environment,
            vars: bound.vars,
            client_id: record.client_id.clone(),
            grant: record.grant,
            allow_private: self.profile.allow_private,
            proofs: Some(proofs).filter(|_| same).unwrap_or_default(),
            ..Profile::default()
        };
        self.profile.overlay(&self.choice.flags);
        (self.words, self.named) = (Vec::new(), false);
        self.more_vars.replace(None);
    }

    /// Whether it is the practice server that this program starts by itself.
    fn is_practice(&self, provider: &Provider) -> bool {
        provider.practice.is_some() && self.more_vars.borrow().is_some() && self.is_built_in(&provider.id)
    }

    fn is_built_in(&self, provider: &str) -> bool {
        config::is_built_in(self.config_dir(), provider)
    }
}
