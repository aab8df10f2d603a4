//! Client registration (RFC 7591, RFC 7592); its secrets are stored in the record.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::thread;

use toml_edit::Value;

use super::keep::{not_saved, write_profile};
use super::record::Registering;
use super::state::StateFiles;
use super::state::journal::{Found, Intent};
use super::{Lock, Record, Session, Who, lock, random_hex, renewal};
use crate::config::words::Word as _;
use crate::config::{self, GrantKind, Profile};
use crate::error::{Error, Fate, Kind, ended_by};
use crate::grant::{redirect_plan, register};
use crate::protocol::client::Client;
use crate::protocol::registration::{self, ClientMetadata, Registered};
use crate::provider::{ClientAuth, Provider, from_registered_name};
use crate::secret::Secret;
use crate::text::safe;
use crate::wire::Response;
use crate::world::World;

/// In the journal, in the place of a token's hash.
const REGISTRATION: &str = "registration";

/// A hint where no answer came.
const UNANSWERED: &str = "the server may have done it all the same: its answer, and what is secret in it, is lost";

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
    let before = renewal::settled(world, session, &lock)?.unwrap_or_default();
    if lock.waited && before.registration.is_some() {
        return Err(registered_already(session, &before));
    }
    session.store.writable(&session.name)?;
    // the port and the client authentication are stored there
    config::try_edit(&session.paths.require_config()?)
        .map_err(|e| Error::from(e).context("the registration could not be stored: nothing was sent"))?;
    let place = (&provider, &before, &lock);
    let mut answer = Pending::of_new_client(world, session, place, (&asked, initial));
    if answer.as_ref().is_err_and(register::is_about_redirect) && session.profile.port.is_none() {
        // a server that compares ports takes no address without one
        session.has_port(redirect_plan::USUAL_PORT);
        (asked, keyed) = wanted(world, session, grant, name)?;
        let uri = asked.redirect_uris.first().map_or("", |uri| uri.as_str());
        world.say(&format!("The server refused the redirect address; it gets one with a port: {}", safe(uri)));
        answer = Pending::of_new_client(world, session, place, (&asked, initial));
    }
    let (pending, made) = answer?;
    let client = Client { id: made.client_id.clone(), secret: made.client_secret.clone(), ..keyed };
    let auth = match register::settled(&provider, Some(&asked.auth_method), &made, &client) {
        Ok(auth) => auth,
        Err(why) => {
            let error = unusable(world, session, &made, &why);
            pending.take_back();
            return Err(error);
        }
    };
    pending.finish(world, &made, auth)?;
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

/// The error for a second registration of a profile.
pub fn registered_already(session: &Session, record: &Record) -> Error {
    let id = safe(record.client_id.as_deref().unwrap_or(""));
    Error::usage(format!("`{}` is registered already, as `{id}`", session.name))
        .hint(format!("{} --show", session.typed.line("register")))
        .hint(format!("{} --delete", session.typed.line("register")))
}

/// A request for a registration whose response must not be lost: it is in the journal before it is
/// judged. The record says so, until it has the response.
struct Pending<'a> {
    session: &'a Session,
    record: Record,
    lock: &'a Lock,
    files: StateFiles,
    /// The signal that came while the server was asked.
    heard: Option<i32>,
}

impl<'a> Pending<'a> {
    fn begin(
        world: &mut World,
        session: &'a Session,
        (record, lock): (&Record, &'a Lock),
        registering: Registering,
    ) -> Result<Pending<'a>, Error> {
        let mut files = session.files()?;
        let record = Record {
            provider: record.provider.clone().or_else(|| Some(session.provider_name().to_owned())),
            journal_key: record.journal_key.clone().or_else(|| Some(renewal::new_key(world))),
            registering: Some(registering),
            metadata: session.metadata().or(record.metadata.clone()),
            ..record.clone()
        };
        let (generation, token) = (record.generation, REGISTRATION.to_owned());
        files.prepare(&Intent { generation, token, at: world.clock.now(), sent: 1, variant: None })?;
        if let Err(e) = session.replace(world, &record, lock) {
            let _ = files.journal.clear();
            return Err(e.into());
        }
        Ok(Pending { session, record, lock, files, heard: None })
    }

    /// Registers a client.
    fn of_new_client(
        world: &mut World,
        session: &'a Session,
        (provider, record, lock): (&Provider, &Record, &'a Lock),
        request: (&ClientMetadata, Option<&Secret>),
    ) -> Result<(Pending<'a>, Registered), Error> {
        let known = session.in_config()?.0.unwrap_or_default();
        let now = Profile { provider: Some(session.provider_name().to_owned()), ..session.to_remember(provider) };
        let changes = now.changes(&known).into_iter().map(|(key, value)| (key, value.to_string())).collect();
        let bound = Some(session.bound(provider, &BTreeMap::new()));
        let pending = Pending::begin(world, session, (record, lock), Registering { bound, changes })?;
        pending.ask(world, |world, answered| register::register(world, provider, request, answered))
    }

    /// Sends the request. After a refusal everything is as before. A Ctrl-C waits for the response,
    /// which no later command could ask for; a second one does not.
    fn ask<T>(
        mut self,
        world: &mut World,
        request: impl FnOnce(&mut World, &mut dyn FnMut(&mut World, &Response)) -> Result<T, Error>,
    ) -> Result<(Pending<'a>, T), Error> {
        let key = self.record.journal_key.clone();
        let (signals, heard) = channel();
        world.signals.watch(signals);
        let first = thread::spawn(move || heard.recv().ok());
        let answer = request(world, &mut |world, response| {
            if let Some(key) = &key {
                self.files.commit(world, key, response);
            }
        });
        world.signals.release();
        self.heard = first.join().ok().flatten();
        match answer {
            Ok(answer) => Ok((self, answer)),
            Err(e) => {
                let e = match e.fate {
                    Fate::Unknown | Fate::Gateway => e.hint(UNANSWERED),
                    _ => e,
                };
                let ended = self.heard.map(|signal| ended_by(signal, "nothing is stored"));
                self.take_back();
                Err(match ended {
                    Some(ended) => Error { kind: ended.kind, ..e.context(ended.to_string()) },
                    None => e,
                })
            }
        }
    }

    fn finish(mut self, world: &mut World, made: &Registered, auth: Option<ClientAuth>) -> Result<(), Error> {
        let session = self.session;
        let (record, changes) = session.with_registration(self.record, made, auth);
        write_profile(world, session, changes, (&[], false))?;
        let id = safe(record.client_id.as_deref().unwrap_or(""));
        session.replace(world, &record, self.lock).map_err(|e| {
            not_saved(e, format!("the registration as `{id}` was made, and could not be saved"))
                .hint(self.files.journal.keeps_answer())
        })?;
        let _ = self.files.journal.clear();
        self.heard.map_or(Ok(()), |signal| Err(ended_by(signal, &format!("the registration as `{id}` is stored"))))
    }

    /// If this fails, the next command does it.
    fn take_back(mut self) {
        let _ = self.session.take_back_registration(self.record, &mut self.files);
    }
}

impl Who {
    /// The record with the response, and the changes of its profile. An authentication that the
    /// server chose is one of them.
    fn with_registration(
        &self,
        record: Record,
        made: &Registered,
        auth: Option<ClientAuth>,
    ) -> (Record, Vec<(String, Value)>) {
        let Registering { bound, changes } = record.registering.clone().unwrap_or_default();
        let changes = changes.into_iter().filter_map(|(key, value)| Some((key, value.parse().ok()?)));
        let id = bound.is_some().then(|| ("client-id".to_owned(), made.client_id.as_str().into()));
        let auth = auth.map(|auth| ("auth".to_owned(), auth.word().into()));
        let changes = changes.chain(id).chain(auth).collect();
        let generation = record.generation.max(self.newest_seen()) + 1;
        let record = match bound {
            Some(bound) => Record {
                client_id: Some(made.client_id.clone()),
                client_secret: made.client_secret.clone(),
                earlier_client_secret: None,
                secret_bound: made.client_secret.is_some().then_some(bound),
                registered: true,
                registration: made.management.clone(),
                // the token is another client's
                token: None,
                ended: None,
                unfinished: None,
                ..record
            },
            None => Record {
                client_secret: made.client_secret.clone().or(record.client_secret),
                registration: made.management.clone().or(record.registration),
                ..record
            },
        };
        (Record { generation, registering: None, ..record }, changes)
    }

    fn take_back_registration(&self, record: Record, files: &mut StateFiles) -> Result<(), Error> {
        let rest = Record { registering: None, ..record };
        let empty = Record { provider: None, journal_key: None, metadata: None, ..rest.clone() } == Record::default();
        match empty {
            true => drop(self.store.delete(&self.name)?),
            false => self.store.save(&self.name, &rest.to_json())?,
        }
        let _ = files.journal.clear();
        Ok(())
    }

    /// Finishes a registration that was cut off, unless another process is about to: stores the
    /// journal's response. Without one, everything is as before.
    pub(super) fn finish_registration(&self) -> Result<(), Error> {
        let Some(_lock) = lock::also(&self.paths, &*self.store, &self.name) else { return Ok(()) };
        let Some(record) = self.read()? else { return Ok(()) };
        let Some(registering) = &record.registering else { return Ok(()) };
        let mut files = self.files()?;
        let made = match files.find(record.journal_key.as_ref())? {
            Found::Answered(intent, response) if intent.token == REGISTRATION => match registering.bound {
                Some(_) => registration::read(&response).ok(),
                None => registration::read_again(&response, record.client_id.as_deref().unwrap_or("")).ok(),
            },
            _ => None,
        };
        let Some(made) = made else { return self.take_back_registration(record, &mut files) };
        let auth = made.auth_method.as_deref().and_then(from_registered_name);
        let (record, changes) = self.with_registration(record, &made, auth);
        if let Some(dir) = &self.paths.config {
            // where it can't be written, the record alone has the client
            let _ = config::edit(dir, |editor| editor.set_all(&self.name, changes));
        }
        self.store.save(&self.name, &record.to_json())?;
        files.seen.note(record.generation);
        let _ = files.journal.clear();
        Ok(())
    }
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
pub fn update(world: &mut World, session: &mut Session, name: &str) -> Result<(Registered, ClientMetadata), Error> {
    let record = session.load()?.ok_or_else(|| unregistered(session))?;
    let provider = session.provider(world, Some(&record))?;
    let (asked, _) = wanted(world, session, session.grant(Some(&provider), Some(&record)), name)?;
    let (now, _) = manage(world, session, Some(&asked))?;
    Ok((now, asked))
}

/// Reads the registration, or changes it, and stores what the response changed (RFC 7592, section
/// 3). The old client secret and the old registration access token are dead then.
pub fn manage(
    world: &mut World,
    session: &mut Session,
    asked: Option<&ClientMetadata>,
) -> Result<(Registered, Response), Error> {
    let lock = session.lock(world)?;
    let record = renewal::settled(world, session, &lock)?.ok_or_else(|| unregistered(session))?;
    let management = record.registration.as_ref().ok_or_else(|| unregistered(session))?;
    let provider = session.provider(world, Some(&record))?;
    let keyed = session.keyed(world, Some(&record))?;
    let known = (management, record.client_id.as_deref().unwrap_or_default(), record.client_secret.as_ref());
    let pending = Pending::begin(world, session, (&record, &lock), Registering::default())?;
    let (pending, (now, response)) =
        pending.ask(world, |world, answered| register::manage(world, known, asked, answered))?;
    let secret = now.client_secret.clone().or(record.client_secret.clone());
    let client = Client { id: now.client_id.clone(), secret, ..keyed };
    let auth = register::settled(&provider, asked.map(|asked| asked.auth_method.as_str()), &now, &client);
    let auth = auth.unwrap_or_else(|why| {
        world.warn(&format!("the server now wants the client to authenticate by {}", safe(&why)));
        None
    });
    pending.finish(world, &now, auth)?;
    drop(lock);
    if let Some(auth) = auth {
        session.authenticates_by(auth)?;
        world
            .say(&format!("The server now wants the client authentication `{}`: it is used from now on.", auth.word()));
    }
    Ok((now, response))
}

/// Deletes the registration and its tokens. `true`: the server still had it.
pub fn delete(world: &mut World, session: &Session) -> Result<bool, Error> {
    let lock = session.lock(world)?;
    let record = session.load()?.unwrap_or_default();
    let management = record.registration.as_ref().ok_or_else(|| unregistered(session))?;
    let there = register::delete(world, management)?;
    // first: as long as there is the record, another `--delete` finishes this one
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
    // tokens and secret are gone with the client
    session.delete(world, &lock)?;
    Ok(there)
}

/// The error for a profile without a registration.
pub fn unregistered(session: &Session) -> Error {
    Error::usage(format!("`{}` was not registered from here", session.name)).hint(session.typed.line("register"))
}
