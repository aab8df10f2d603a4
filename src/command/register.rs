//! `register`: registers a client at a server (RFC 7591), so that no console is needed; shows,
//! updates and deletes it (RFC 7592). `login` without a client id uses it too.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::command::{Global, WhoArgs, print, sandbox_session};
use crate::config::{SecretSource, words};
use crate::error::Error;
use crate::protocol::registration::{ClientMetadata, Registered};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::session::keep::choose_store;
use crate::session::record::Record;
use crate::session::registration::{self, Made, registered_already, unregistered};
use crate::session::{Session, secret_source};
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
    /// The name that the provider shows when it asks for consent [default: oauthctl; with
    /// `--update`: the registered one]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The redirect address to register [default: this machine's loopback]
    #[arg(long, value_name = "URL", help_heading = "Profile")]
    pub redirect_uri: Option<String>,
    /// The port of the redirect address, or several: each is registered (`8976,9000`).
    #[arg(long, value_name = "PORTS", value_parser = words::port, help_heading = "Profile")]
    pub port: Option<String>,
    /// A file with the token that some servers require; `-` reads it from standard input.
    #[arg(long, value_name = "FILE")]
    pub initial_access_token_file: Option<PathBuf>,
    /// Show the registration as the server has it.
    #[arg(long, conflicts_with_all = ["update", "delete"])]
    pub show: bool,
    /// Send name, redirect address and grants again.
    #[arg(long, conflicts_with = "delete")]
    pub update: bool,
    /// Delete the registration at the server and here.
    #[arg(long)]
    pub delete: bool,
}

/// The name of a client without another.
pub const USUAL_NAME: &str = "oauthctl";

/// The error without a store.
pub const NEEDS_STORE: &str = "the store `none` stores nothing: a registration would be lost at once";

pub fn run(args: RegisterArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut choice = args.who.choice(global);
    (choice.flags.redirect_uri, choice.flags.port) = (args.redirect_uri.clone(), args.port.clone());
    choice.signing_in = true;
    let mut session = sandbox_session::open(world, choice)?;
    session.may_move()?;
    session.raw_provider()?;
    let store_notice = choose_store(world, &mut session)?;
    if session.store.kind() == StoreKind::None {
        return Err(Error::usage(NEEDS_STORE));
    }
    let record = session.load()?;
    let registered = record.as_ref().filter(|record| record.registration.is_some());
    if args.show || args.update || args.delete {
        if registered.is_none() {
            return Err(unregistered(&session));
        }
        return match (args.show, args.update) {
            (true, _) => show(world, &mut session),
            (_, true) => update(world, &mut session, args.name),
            _ => delete(world, &session),
        }
        .map(|()| 0);
    }
    if let Some(record) = registered {
        return Err(registered_already(&session, record));
    }
    if record.as_ref().is_some_and(|record| record.token.is_some()) {
        let name = &session.name;
        return Err(Error::usage(format!("`{name}` is signed in: its tokens belong to the client that it has"))
            .hint(format!("`{}` ends that login first", session.typed.line("logout")))
            .hint("or register under another name of a profile, with `--provider`"));
    }
    session.server(world, record.as_ref())?;
    if let Some(notice) = store_notice {
        world.say(&notice);
    }
    let initial = args.initial_access_token_file.clone().map(SecretSource::File);
    let initial = secret_source::read(world, &session, "initial access token", &initial)?;
    make(world, &mut session, args.name.as_deref().unwrap_or(USUAL_NAME), initial.as_ref())?;
    world.say(&format!("Next: {}", session.typed.login()));
    Ok(0)
}

/// Registers, and reports it.
pub fn make(world: &mut World, session: &mut Session, name: &str, initial: Option<&Secret>) -> Result<(), Error> {
    let Made { registered, asked } = registration::make(world, session, name, initial)?;
    let provider = session.provider(world, None)?;
    say(world, session, &provider, &registered);
    if let Some(said) = registered.auth_method.as_ref().filter(|said| **said != asked.auth_method) {
        world.say(&format!(
            "The server registered the client authentication `{}` instead of `{}`: it is used from now on.",
            safe(said),
            asked.auth_method
        ));
    }
    warn_of_missing(world, &registered, &asked);
    Ok(())
}

fn warn_of_missing(world: &mut World, made: &Registered, asked: &ClientMetadata) {
    for lacking in made.lacks(asked) {
        world.warn(&format!("the server registered it without {lacking}"));
    }
}

fn say(world: &mut World, session: &Session, provider: &Provider, made: &Registered) {
    world.say(&format!("Registered at {} as the client `{}`.", safe(&provider.name), safe(&made.client_id)));
    if made.management.is_none() {
        world.warn("the server does not support changing or deleting this registration from here");
    }
    if let Some(at) = made.secret_expires_at.filter(|at| *at > world.clock.now()) {
        world.say(&format!(
            "Its secret expires at {}; then: {} --show",
            times::rfc3339(at),
            session.typed.line("register")
        ));
    }
    warn_of_expired_secret(world, session, made);
}

/// RFC 7591, section 3.2.1: such a secret is of no use, unless a clock is wrong.
fn warn_of_expired_secret(world: &mut World, session: &Session, made: &Registered) {
    let Some(at) = made.secret_expires_at.filter(|at| *at <= world.clock.now()) else { return };
    world.warn(&format!(
        "the client secret has expired at {}, says the server: `{} --show` asks for the newest",
        times::rfc3339(at),
        session.typed.line("register")
    ));
}

fn show(world: &mut World, session: &mut Session) -> Result<(), Error> {
    let (now, response) = registration::manage(world, session, None)?;
    let mut members = response.json();
    for secret in ["client_secret", "registration_access_token"] {
        if let Some(value) = members.get(secret).and_then(Value::as_str) {
            let shown = Secret::new(value).fingerprint();
            members[secret] = json!(shown);
        }
    }
    warn_of_expired_secret(world, session, &now);
    let text = serde_json::to_string_pretty(&members).unwrap_or_default();
    print(world, format!("{text}\n").as_bytes())
}

fn update(world: &mut World, session: &mut Session, name: Option<String>) -> Result<(), Error> {
    // RFC 7592, section 2.2: the server forgets a name that is left out
    let name = match name {
        Some(name) => name,
        None => {
            let (_, response) = registration::manage(world, session, None)?;
            response.json()["client_name"].as_str().unwrap_or(USUAL_NAME).to_owned()
        }
    };
    let (now, asked) = registration::update(world, session, &name)?;
    warn_of_expired_secret(world, session, &now);
    warn_of_missing(world, &now, &asked);
    world.say(&format!("{}: the registration is up to date", session.name));
    Ok(())
}

fn delete(world: &mut World, session: &Session) -> Result<(), Error> {
    let there = registration::delete(world, session)?;
    world.say(&match there {
        true => format!("{}: the registration and its tokens are deleted", session.name),
        false => format!("{}: the registration was unknown at the server; it is deleted here too", session.name),
    });
    Ok(())
}

/// Says that the client remains registered, after `logout`.
pub fn stays(record: &Record, profile: &Typed) -> Option<String> {
    record.registration.as_ref()?;
    let id = safe(record.client_id.as_deref().unwrap_or(""));
    Some(format!(
        "the client `{id}` stays registered at the provider (`{} --delete` deletes it)",
        profile.line("register")
    ))
}
