//! The practice server runs inside the command, from the first request to the provider `sandbox`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::address::on_loopback;
use crate::config;
use crate::error::Error;
use crate::sandbox;
use crate::session::{BASE, Overrides, Session};
use crate::text::safe;
use crate::world::World;

/// The provider inside the binary.
pub const PROVIDER: &str = "sandbox";

/// Opens a session, with the practice server if needed.
pub fn open(world: &mut World, choice: Overrides) -> Result<Session, Error> {
    let session = Session::open(world, choice)?;
    if world.env.var_os(VARIABLE).is_some() {
        must_be_practice(&session)?;
    }
    Ok(served(session))
}

/// In `sandbox run` no command goes to a real provider.
fn must_be_practice(session: &Session) -> Result<(), Error> {
    let Ok(provider) = session.raw_provider() else { return Ok(()) };
    let url = provider.token.url.as_ref().or(provider.issuer.as_ref());
    if provider.practice.is_some() || url.is_none_or(|url| on_loopback(url)) {
        return Ok(());
    }
    let why = format!("`{}` is not practised here: it is the real provider", safe(&provider.id));
    Err(Error::usage(why)
        .because("`sandbox run` is for practice servers, and they are not at that address")
        .hint("those that are: oauthctl help practice")
        .hint(format!("try all verbs of this one: oauthctl provider test {}", safe(&provider.id))))
}

/// The session, with the practice server if needed.
pub fn served(session: Session) -> Session {
    if session.provider_name() != PROVIDER || session.profile.vars.contains_key(BASE) {
        return session;
    }
    let state = session.paths.state.as_ref().map(|dir| dir.join("sandbox"));
    let dir = session.paths.config.clone().unwrap_or_default();
    let running: Rc<RefCell<Option<sandbox::Server>>> = Rc::default();
    session.with_more_vars(Box::new(move |world| {
        // the user's file names another practice server (`sandbox run`, `sandbox serve`)
        if config::provider(&dir, PROVIDER, None)?.vars.get(BASE).is_some_and(|base| base.default.is_some()) {
            return Ok(BTreeMap::new());
        }
        let mut running = running.borrow_mut();
        if running.is_none() {
            *running = Some(sandbox::practice_server(world, state.clone())?);
        }
        let base = running.as_ref().map(sandbox::Server::base).unwrap_or_default();
        world.step(|| format!("the practice server listens on {base}"));
        Ok(BTreeMap::from([(BASE.to_owned(), base)]))
    }))
}

/// `sandbox run` sets it for its command.
pub const VARIABLE: &str = "OAUTHCTL_PRACTICE";

/// In `sandbox run` every command says, at a terminal, that the providers are practice servers.
pub fn mark(world: &mut World) {
    if world.env.var_os(VARIABLE).is_some() && world.terminal.stderr_is_terminal() {
        world.say("practice: nothing here is real");
    }
}
