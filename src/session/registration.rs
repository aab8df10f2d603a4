//! Client registration (RFC 7591, RFC 7592); its secrets are stored in the record.

use std::collections::BTreeMap;

use super::keep::{not_saved, write_profile};
use super::{Lock, Record, Session, random_hex, renewal};
use crate::config::words::Word as _;
use crate::config::{self, GrantKind, Profile};
use crate::error::{Error, Kind};
use crate::grant::{redirect_plan, register};
use crate::protocol::client::Client;
use crate::protocol::registration::{ClientMetadata, Registered};
use crate::secret::Secret;
use crate::text::safe;
use crate::world::World;

/// The registration, and the request for it.
pub struct Made {
    pub registered: Registered,
    pub asked: ClientMetadata,
}

/// Registers, and stores the registration at once: a later failure does not lose it.
pub fn make(world: &mut World, session: &mut Session, name: &str, initial: Option<&Secret>) -> Result<Made, Error> {
    let provider = session.provider(world, None)?;
    let grant = session.grant(Some(&provider), None);
    let (mut asked, mut keyed) = wanted(world, session, grant, name)?;
    let lock = session.lock(world)?;
    let before = session.load()?.unwrap_or_default();
    session.store.writable(&session.name)?;
    // the port and the client authentication are stored there
    config::try_edit(&session.paths.require_config()?)
        .map_err(|e| Error::from(e).context("the registration could not be stored: nothing was sent"))?;
    let made = match register::register(world, &provider, &asked, initial) {
        Err(e) if register::is_about_redirect(&e) && session.profile.port.is_none() => {
            // a server that compares ports takes no address without one
            session.has_port(redirect_plan::USUAL_PORT);
            (asked, keyed) = wanted(world, session, grant, name)?;
            let uri = asked.redirect_uris.first().map_or("", |uri| uri.as_str());
            world.say(&format!("The server refused the redirect address; it gets one with a port: {}", safe(uri)));
            register::register(world, &provider, &asked, initial)?
        }
        made => made?,
    };
    let client = Client { id: made.client_id.clone(), secret: made.client_secret.clone(), ..keyed };
    let auth = match register::settled(&provider, Some(&asked.auth_method), &made, &client) {
        Ok(auth) => auth,
        Err(why) => return Err(unusable(world, session, &made, &why)),
    };
    let record = Record {
        generation: before.generation.max(session.newest_seen()) + 1,
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(made.client_id.clone()),
        client_secret: made.client_secret.clone(),
        secret_bound: made.client_secret.is_some().then(|| session.bound(&provider, &BTreeMap::new())),
        registered: true,
        registration: made.management.clone(),
        // the token is another client's
        token: None,
        ended: None,
        unfinished: None,
        metadata: session.metadata().or(before.metadata.clone()),
        ..before
    };
    save(world, session, &record, &lock)?;
    let mut now = Profile {
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(made.client_id.clone()),
        ..session.to_remember(&provider)
    };
    now.proofs.auth = auth.or(now.proofs.auth);
    let known = session.in_config()?.0.unwrap_or_default();
    write_profile(world, session, now.changes(&known), (&[], false))?;
    session.profile.client_id = Some(made.client_id.clone());
    if let Some(auth) = auth {
        session.authenticates_by(auth)?;
    }
    if let Some(secret) = &made.client_secret {
        session.set_secret(secret.clone());
    }
    drop(lock);
    Ok(Made { registered: made, asked })
}

/// Deletes a registration that can't be used, where the server can delete it.
fn unusable(world: &mut World, session: &Session, made: &Registered, why: &str) -> Error {
    let id = safe(&made.client_id);
    let error = Error::new(Kind::Refused, "the registration can't be used")
        .because(format!("the server wants it to authenticate by {why}"));
    let ended = made.management.as_ref().is_some_and(|management| register::delete(world, management).is_ok());
    let login = session.typed.login_with(&[("--client-id", "ID")]);
    error
        .because(match ended {
            true => format!("the registration as `{id}` was ended again; nothing was stored"),
            false => format!("the client `{id}` stays registered at the provider; nothing was stored here"),
        })
        .hint(format!("with a client registered at the provider's console: {login}"))
}

/// The request, and the client without id and secret.
fn wanted(
    world: &mut World,
    session: &mut Session,
    grant: GrantKind,
    name: &str,
) -> Result<(ClientMetadata, Client), Error> {
    let provider = session.provider_with(world, None, |provider| provider.registration_url.is_some())?;
    let keyed = session.keyed(world, None)?;
    let random = random_hex(world);
    let profile = &session.profile;
    let plan = redirect_plan::plan(&provider, profile, &random)?;
    let scopes = session.said_scopes(&provider).unwrap_or_default();
    let by = (profile.proofs.auth, keyed.proofs.key.as_deref());
    Ok((register::wanted(&provider, grant, name, plan.to_register(), &scopes, by)?, keyed))
}

/// Sends name, redirect URI and grants again. Returns the new registration and the request.
pub fn update(
    world: &mut World,
    session: &mut Session,
    record: &Record,
    name: &str,
) -> Result<(Registered, ClientMetadata), Error> {
    let provider = session.provider(world, Some(record))?;
    let (asked, _) = wanted(world, session, session.grant(Some(&provider), Some(record)), name)?;
    let management = record.registration.as_ref().ok_or_else(|| unregistered(session))?;
    let id = record.client_id.as_deref().unwrap_or_default();
    let now = register::update(world, management, (id, record.client_secret.as_ref()), &asked)?;
    Ok((now, asked))
}

/// Stores what a response changed (RFC 7592, section 3). The old client secret and the old
/// registration access token are dead then.
pub fn take_over(
    world: &mut World,
    session: &mut Session,
    record: Record,
    (now, asked): (Registered, Option<&str>),
) -> Result<(), Error> {
    let provider = session.provider(world, Some(&record))?;
    let secret = now.client_secret.clone().or(record.client_secret.clone());
    let client = Client { id: now.client_id.clone(), secret, ..session.keyed(world, Some(&record))? };
    match register::settled(&provider, asked, &now, &client) {
        Err(why) => world.warn(&format!("the server now wants the client to authenticate by {}", safe(&why))),
        Ok(None) => {}
        Ok(Some(auth)) => {
            let dir = session.paths.require_config()?;
            config::edit(&dir, |editor| editor.set(&session.name, "auth", &auth.word()))?;
            session.authenticates_by(auth)?;
            world.say(&format!(
                "The server now wants the client authentication `{}`: it is used from now on.",
                auth.word()
            ));
        }
    }
    let lock = session.lock(world)?;
    let record = renewal::settled(world, session, &lock)?.unwrap_or(record);
    let changed = Record {
        client_secret: now.client_secret.or(record.client_secret.clone()),
        registration: now.management.or(record.registration.clone()),
        ..record.clone()
    };
    if changed == record {
        return Ok(());
    }
    save(world, session, &Record { generation: record.generation + 1, ..changed }, &lock)
}

/// Deletes the registration and its tokens. `true`: the server still had it.
pub fn delete(world: &mut World, session: &Session, record: &Record) -> Result<bool, Error> {
    let lock = session.lock(world)?;
    let management = record.registration.as_ref().ok_or_else(|| unregistered(session))?;
    let there = register::delete(world, management)?;
    // tokens and secret are gone with the client
    session.delete(world, &lock)?;
    if let Some(dir) = &session.paths.config {
        config::edit(dir, |editor| {
            let id = editor.config(dir)?.profiles.remove(&session.name).and_then(|profile| profile.client_id);
            if id.is_some() && id == record.client_id {
                // the method of authentication was registered with it
                editor.unset(&session.name, "client-id")?;
                editor.unset(&session.name, "auth")?;
            }
            Ok(())
        })?;
    }
    Ok(there)
}

fn save(world: &World, session: &Session, record: &Record, lock: &Lock) -> Result<(), Error> {
    let id = safe(record.client_id.as_deref().unwrap_or(""));
    let failed = |e| not_saved(e, format!("the registration as `{id}` was made, and could not be saved"));
    session.replace(world, record, lock).map_err(failed)
}

/// The error for a profile without a registration.
pub fn unregistered(session: &Session) -> Error {
    Error::usage(format!("`{}` was not registered from here", session.name)).hint(session.typed.line("register"))
}
