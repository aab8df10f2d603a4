//! `register`: makes a client at a server that takes registrations (RFC 7591), so that nobody needs a console; looks at it,
//! brings it up to date, and ends it (RFC 7592). `login` uses the same where no client id is known.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::command::login::choose_store;
use crate::command::{Global, WhoArgs, practice, print};
use crate::config::words::Word as _;
use crate::config::{self, GrantKind, Profile, SecretSource};
use crate::error::{Error, Kind};
use crate::grant::{redirect_plan, register};
use crate::protocol::registration::{Management, Registered, Wanted};
use crate::protocol::token_request::Client;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::session::lock::Lock;
use crate::session::record::Record;
use crate::session::{Session, inputs, random_hex, renewal};
use crate::store::StoreKind;
use crate::text::times;
use crate::text::{Typed, safe};
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl register https://issuer.example --name mytool
  oauthctl register work --show
  oauthctl register work --delete")]
pub struct RegisterArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// The name that the provider shows when it asks for consent.
    #[arg(long, value_name = "NAME", default_value = "oauthctl")]
    pub name: String,
    /// The redirect address to register [default: this machine's loopback]
    #[arg(long, value_name = "URL", help_heading = "Profile")]
    pub redirect_uri: Option<String>,
    /// The port to listen on.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Profile")]
    pub port: Option<u16>,
    /// A file with the token that some servers want for a registration; `-` reads it from standard input.
    #[arg(long, value_name = "FILE")]
    pub initial_access_token_file: Option<PathBuf>,
    /// Show what the server holds.
    #[arg(long, conflicts_with_all = ["update", "delete"])]
    pub show: bool,
    /// Send name, redirect address and grants again.
    #[arg(long, conflicts_with = "delete")]
    pub update: bool,
    /// End the registration at the server, and forget it.
    #[arg(long)]
    pub delete: bool,
}

pub fn run(args: RegisterArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut choice = args.who.choice(global);
    (choice.flags.redirect_uri, choice.flags.port) = (args.redirect_uri.clone(), args.port);
    let mut session = practice::open(world, choice)?;
    session.raw_provider()?;
    session.signing_in = true;
    let store_notice = choose_store(world, &mut session)?;
    if session.store.kind() == StoreKind::None {
        return Err(Error::usage("the store `none` keeps nothing: a registration would be lost at once"));
    }
    let record = session.load()?;
    if args.show || args.update || args.delete {
        let record = record.ok_or_else(|| unregistered(&session))?;
        let management = record.registration.clone().ok_or_else(|| unregistered(&session))?;
        return match (args.show, args.update) {
            (true, _) => show(world, &mut session, record, &management),
            (_, true) => update(world, &mut session, record, &management, &args.name),
            _ => delete(world, &session, record, &management),
        }
        .map(|()| 0);
    }
    if let Some(record) = record.as_ref().filter(|r| r.registration.is_some()) {
        return Err(Error::usage(format!(
            "`{}` is registered already, as `{}`",
            session.name,
            safe(record.client_id.as_deref().unwrap_or(""))
        ))
        .hint(format!("{} --show", session.typed.line("register")))
        .hint(format!("{} --delete", session.typed.line("register"))));
    }
    let provider = session.provider(world, record.as_ref())?;
    if let Some(notice) = store_notice {
        world.say(&notice);
    }
    let initial = args.initial_access_token_file.clone().map(SecretSource::File);
    let initial = inputs::read(world, &session, "initial access token", &initial)?;
    make(world, &mut session, &provider, &args.name, initial.as_ref())?;
    world.say(&format!("Next: {}", session.typed.login()));
    Ok(0)
}

/// Registers, keeps at once what came back, and says so. Whatever comes after may fail: the registration is not lost.
pub fn make(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    name: &str,
    initial: Option<&Secret>,
) -> Result<(), Error> {
    let grant = session.grant(Some(provider), None);
    let keyed = session.keyed(world, None)?;
    let asked = wanted(world, session, provider, grant, name, &keyed)?;
    let lock = session.lock(world)?;
    let before = session.load()?.unwrap_or_default();
    session.store.writable(&session.name)?;
    let made = register::register(world, provider, &asked, initial)?;
    let client = Client { id: made.client_id.clone(), secret: made.client_secret.clone(), ..keyed };
    let auth = match register::settled(provider, Some(&asked.auth_method), &made, &client) {
        Ok(auth) => auth,
        Err(why) => return Err(unusable(world, session, &made, &why)),
    };
    let record = Record {
        generation: before.generation.max(session.newest_seen()) + 1,
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(made.client_id.clone()),
        client_secret: made.client_secret.clone(),
        secret_bound: made.client_secret.is_some().then(|| session.bound(provider, &BTreeMap::new())),
        registration: made.management.clone(),
        // another client's token is none of this one's
        token: None,
        unfinished: None,
        metadata: session.metadata().or(before.metadata.clone()),
        ..before
    };
    save(world, session, &record, &lock)?;
    let dir = session.paths.require_config()?;
    let mut now = Profile {
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(made.client_id.clone()),
        ..session.to_remember(provider)
    };
    now.proofs.auth = auth.or(now.proofs.auth);
    config::edit(&dir, |editor| {
        let known = editor.config(&dir)?.profiles.remove(&session.name).unwrap_or_default();
        editor.set_all(&session.name, now.changes(&known))
    })?;
    session.profile.client_id = Some(made.client_id.clone());
    if let Some(auth) = auth {
        session.authenticates_by(auth)?;
    }
    if let Some(secret) = &made.client_secret {
        session.set_secret(secret.clone());
    }
    drop(lock);
    say(world, session, provider, &made);
    if let Some(said) = made.auth_method.as_ref().filter(|said| **said != asked.auth_method) {
        world.say(&format!(
            "The server registered it with the client authentication `{}`, not with `{}` as asked for: that is used from now on.",
            safe(said),
            asked.auth_method
        ));
    }
    for lacking in made.lacks(&asked) {
        world.warn(&format!("the server registered it without {lacking}"));
    }
    Ok(())
}

/// A registration that this client can't use is ended again, where the server lets it be ended.
fn unusable(world: &mut World, session: &Session, made: &Registered, why: &str) -> Error {
    let id = safe(&made.client_id);
    let error = Error::new(Kind::Refused, "what the server registered can't be used")
        .cause(format!("the server wants it to authenticate by {why}"));
    let ended = made.management.as_ref().is_some_and(|management| register::delete(world, management).is_ok());
    let error = match ended {
        true => error.cause(format!("the registration as `{id}` was ended again; nothing was stored")),
        false => error.cause(format!("the client `{id}` stays registered at the provider; nothing was stored here")),
    };
    error.hint(format!(
        "with a client registered at the provider's console: {}",
        session.typed.login_with(&[("--client-id", "ID")])
    ))
}

fn say(world: &mut World, session: &Session, provider: &Provider, made: &Registered) {
    world.say(&format!("Registered at {} as the client `{}`.", safe(&provider.name), safe(&made.client_id)));
    if made.management.is_none() {
        world.warn("the server gives no way to change or end this registration from here");
    }
    if let Some(at) = made.secret_expires_at.filter(|at| *at > world.clock.now()) {
        world.say(&format!(
            "Its secret is good until {}; then: {} --show",
            times::rfc3339(at),
            session.typed.line("register")
        ));
    }
    warn_of_expired_secret(world, session, made);
}

/// RFC 7591, section 3.2.1: such a secret proves nothing any more, unless a clock is wrong.
fn warn_of_expired_secret(world: &mut World, session: &Session, made: &Registered) {
    let Some(at) = made.secret_expires_at.filter(|at| *at <= world.clock.now()) else { return };
    world.warn(&format!(
        "the client's secret has expired already, at {}, by the server's word: `{} --show` asks for the newest",
        times::rfc3339(at),
        session.typed.line("register")
    ));
}

fn wanted(
    world: &mut World,
    session: &Session,
    provider: &Provider,
    grant: GrantKind,
    name: &str,
    keyed: &Client,
) -> Result<Wanted, Error> {
    let random = random_hex(world);
    let plan = redirect_plan::plan(provider, session.profile.redirect_uri.as_deref(), session.profile.port, &random)?;
    let scopes = session.profile.scopes.clone().unwrap_or_default();
    let by = (session.profile.proofs.auth, keyed.proofs.key.as_deref());
    register::wanted(provider, grant, name, plan.to_register(), &scopes, by)
}

fn show(world: &mut World, session: &mut Session, record: Record, management: &Management) -> Result<(), Error> {
    let (now, response) = register::look(world, management, record.client_id.as_deref().unwrap_or_default())?;
    let mut members: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    for secret in ["client_secret", "registration_access_token"] {
        if let Some(value) = members.get(secret).and_then(Value::as_str) {
            let shown = Secret::new(value).fingerprint();
            members[secret] = json!(shown);
        }
    }
    let provider = session.provider(world, Some(&record))?;
    take_over(world, session, &provider, record, now, None)?;
    let text = serde_json::to_string_pretty(&members).unwrap_or_default();
    print(world, format!("{text}\n").as_bytes())
}

fn update(
    world: &mut World,
    session: &mut Session,
    record: Record,
    management: &Management,
    name: &str,
) -> Result<(), Error> {
    let provider = session.provider(world, Some(&record))?;
    let grant = session.grant(Some(&provider), Some(&record));
    let keyed = session.keyed(world, None)?;
    let asked = wanted(world, session, &provider, grant, name, &keyed)?;
    let id = record.client_id.clone().unwrap_or_default();
    let now = register::update(world, management, &id, record.client_secret.as_ref(), &asked)?;
    let lacking = now.lacks(&asked);
    take_over(world, session, &provider, record, now, Some(&asked.auth_method))?;
    for lacking in lacking {
        world.warn(&format!("the server registered it without {lacking}"));
    }
    world.say(&format!("{}: the registration is up to date", session.name));
    Ok(())
}

/// RFC 7592, section 3: each answer may bring a new secret and a new token, and then the old ones are dead; and another way to
/// say who the client is.
fn take_over(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    record: Record,
    now: Registered,
    asked: Option<&str>,
) -> Result<(), Error> {
    warn_of_expired_secret(world, session, &now);
    let secret = now.client_secret.clone().or(record.client_secret.clone());
    let client = Client { id: now.client_id.clone(), secret, ..session.keyed(world, Some(&record))? };
    match register::settled(provider, asked, &now, &client) {
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

fn delete(world: &mut World, session: &Session, record: Record, management: &Management) -> Result<(), Error> {
    let lock = session.lock(world)?;
    let there = register::delete(world, management)?;
    // with the client its tokens are gone, and its secret is nobody's
    session.delete(world, &lock)?;
    if let Some(dir) = &session.paths.config {
        let id = record.client_id.clone();
        config::edit(dir, |editor| {
            let kept = editor.config(dir)?.profiles.get(&session.name).and_then(|p| p.client_id.clone());
            if kept.is_some() && kept == id {
                editor.unset(&session.name, "client-id")?;
            }
            Ok(())
        })?;
    }
    world.say(&match there {
        true => format!("{}: the registration is ended, and its tokens are forgotten", session.name),
        false => format!("{}: the server knew the registration no more; it is forgotten here too", session.name),
    });
    Ok(())
}

fn save(world: &World, session: &Session, record: &Record, lock: &Lock) -> Result<(), Error> {
    session.replace(world, record, lock).map_err(|e| {
        let why = Error::from(e);
        let id = safe(record.client_id.as_deref().unwrap_or(""));
        Error {
            kind: Kind::NotSaved,
            message: format!("the registration as `{id}` was made, and could not be saved"),
            causes: vec![why.message.clone()],
            ..why
        }
    })
}

fn unregistered(session: &Session) -> Error {
    Error::usage(format!("`{}` was not registered from here", session.name)).hint(session.typed.line("register"))
}

/// What stays at the provider when a profile goes: for `logout` and `profile remove`.
pub fn stays(record: &Record, profile: &Typed) -> Option<String> {
    record.registration.as_ref()?;
    let id = safe(record.client_id.as_deref().unwrap_or(""));
    Some(format!(
        "the client `{id}` stays registered at the provider (`{} --delete` ends it)",
        profile.line("register")
    ))
}
