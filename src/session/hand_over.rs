//! A login goes to another machine. This one keeps its record, and renews it no more: a provider
//! that replaces refresh tokens would end the login of one of the two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bound::Bound;
use super::{Lock, Record, Session, renewal};
use crate::error::{Error, Kind};
use crate::secret::Secret;
use crate::store::StoreKind;
use crate::stored;
use crate::text::safe;
use crate::world::World;

/// The version of the form.
const VERSION: u64 = 1;

/// A login on its way, as the other machine's `import` reads it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    #[serde(rename = "oauthctl-login")]
    version: u64,
    /// The profile as `export` prints it.
    pub profile: String,
    pub client_id: Option<String>,
    #[serde(serialize_with = "stored::expose_some")]
    pub client_secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "stored::expose_some")]
    pub earlier_client_secret: Option<Secret>,
    #[serde(serialize_with = "stored::expose_some")]
    pub refresh_token: Option<Secret>,
    /// In the place of a refresh token, one that does not expire.
    #[serde(serialize_with = "stored::expose_some")]
    pub access_token: Option<Secret>,
    pub scopes: Vec<String>,
    /// The provider's variables learnt at login.
    pub vars: BTreeMap<String, String>,
    /// The places that it goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
}

impl Login {
    /// Reads the opened text.
    pub fn read(text: &str) -> Option<Login> {
        serde_json::from_str(text).ok().filter(|login: &Login| login.version == VERSION)
    }
}

/// The login of a profile, under its lock, and its record.
pub fn take(
    world: &mut World,
    session: &mut Session,
    (profile, to): (String, &str),
) -> Result<(Login, Record, Lock), Error> {
    if session.store.kind() == StoreKind::Environment {
        let variable = session.token_variable(world);
        let error = format!("the token of `{}` comes from the variable {variable}: it is no login", session.name);
        return Err(Error::usage(error).hint(format!("unset {variable}, if the stored login is meant")));
    }
    let lock = session.lock(world)?;
    let none = |session: &Session| Error::login_first(&session.typed, format!("`{}` has no login", session.name));
    let record = renewal::settled(world, session, &lock)?.ok_or_else(|| none(session))?;
    let set = record.token.clone().ok_or_else(|| none(session))?;
    if let Some(went) = record.moved_to.as_ref().filter(|went| *went != to) {
        return Err(Error::usage(format!("the login of `{}` went to {} already", session.name, safe(went)))
            .because("it is renewed there, and its refresh token may be spent")
            .hint(format!("`{}` takes it back, if it is not in use there", session.typed.line("refresh"))));
    }
    let stays = |why: &str| {
        Err(Error::new(Kind::Usage, format!("the login of `{}` stays here: {why}", session.name))
            .hint("sign in over there: oauthctl login"))
    };
    if record.dpop_key.is_some() {
        return stays("it is bound to a key of this machine");
    }
    let access_token = match (&set.refresh_token, set.expires_at) {
        (None, Some(_)) => return stays("it has no refresh token"),
        (None, None) => Some(set.access_token),
        (Some(_), _) => None,
    };
    let login = Login {
        version: VERSION,
        profile,
        client_id: record.client_id.clone(),
        client_secret: record.client_secret.clone(),
        earlier_client_secret: record.earlier_client_secret.clone(),
        refresh_token: set.refresh_token,
        access_token,
        scopes: record.asked.clone(),
        vars: record.vars.clone(),
        bound: session.bound_of(&record),
    };
    Ok((login, record, lock))
}

/// Remembers where the login went.
pub fn went(session: &Session, record: Record, (to, lock): (&str, &Lock)) -> Result<(), Error> {
    if record.token.as_ref().is_some_and(|set| set.refresh_token.is_none()) {
        return Ok(());
    }
    Ok(session.save(&Record { moved_to: Some(to.to_owned()), ..record }, lock)?)
}
