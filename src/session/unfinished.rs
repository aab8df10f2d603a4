//! The input of a login that failed. It waits in the profile's record for the next `login` alone. A
//! login that succeeds, a person who declines, `logout` and `profile remove` delete it.

use crate::error::{Error, Kind};
use crate::provider::{Endpoint, Provider};
use crate::session::{Record, Session, Unfinished, may_ask};
use crate::text::safe;
use crate::world::World;

/// The input that waits for this provider.
pub fn of(session: &Session, old: Option<&Record>) -> Option<Unfinished> {
    old?.unfinished
        .clone()
        .filter(|kept| kept.provider == session.provider_name() && kept.environment == session.profile.environment)
}

/// The address that a client's id and secret are typed for: the token endpoint, or the grant's own
/// endpoint if that is on another server. They are offered for no other address.
pub fn place(provider: &Provider, endpoint: &Endpoint) -> Option<String> {
    let origin = |url: &Option<String>| url::Url::parse(url.as_deref()?).ok().map(|url| url.origin());
    match origin(&endpoint.url) == origin(&provider.token.url) {
        true => provider.token.url.clone(),
        false => endpoint.url.clone(),
    }
}

/// Stores that a login was begun: it was left at its first question.
pub fn begun(world: &mut World, session: &Session, e: &Error) {
    let left = matches!(e.kind, Kind::Interrupted | Kind::NobodyAnswered | Kind::Terminated) && may_ask(world);
    if left && !session.configured && matches!(session.load(), Ok(None)) {
        keep(world, session, |_| {});
    }
}

/// Stores what was just typed. The login goes on without it.
pub fn keep(world: &mut World, session: &Session, change: impl FnOnce(&mut Unfinished)) {
    if !session.store.kind().keeps() {
        return;
    }
    let kept = session.lock(world).and_then(|lock| {
        let before = session.load()?;
        let mut unfinished = of(session, before.as_ref()).unwrap_or_else(|| Unfinished {
            provider: session.provider_name().to_owned(),
            environment: session.profile.environment.clone(),
            ..Unfinished::default()
        });
        change(&mut unfinished);
        let before = before.unwrap_or_default();
        if before.unfinished.as_ref() != Some(&unfinished) {
            // the tokens are the same: so is the generation
            session.save(&Record { unfinished: Some(unfinished), ..before }, &lock)?;
        }
        Ok(())
    });
    if let Err(e) = kept {
        world.step(|| format!("your input is not kept: {}", e));
    }
}

/// The error where the server refused a client that was registered from here: it has forgotten it.
/// That is remembered, and the next `login` registers anew. `Err`: the error is another one.
pub fn forgotten(world: &mut World, session: &Session, client_id: Option<&str>, mut e: Error) -> Result<Error, Error> {
    let registered = || session.load().is_ok_and(|record| record.is_some_and(|record| record.registered));
    // a page in the server's place may refuse too: that is another kind of error
    let Some(client_id) = client_id.filter(|_| e.wrong_client && e.kind == Kind::Usage && registered()) else {
        return Err(e);
    };
    keep(world, session, |kept| {
        kept.client_id = Some(client_id.to_owned());
        kept.refused = true;
    });
    e.hints.clear();
    let login = session.typed.login();
    Ok(e.because(format!("the client `{}`, registered from here, is no longer known there", safe(client_id)))
        .hint(format!("`{login}` registers this program anew")))
}

/// Adds to the error of a failed login which input is kept, or what the next `login` asks again.
pub fn after(world: &mut World, session: &Session, asked: Option<&Asked>, e: Error) -> Error {
    let mut e = match forgotten(world, session, session.profile.client_id.as_deref(), e) {
        Ok(e) => return e,
        Err(e) => e,
    };
    if !may_ask(world) {
        return e;
    }
    let login = session.typed.login();
    if let Some(asked) = asked.filter(|_| e.wrong_client) {
        keep(world, session, |kept| {
            kept.client_id = Some(asked.client_id.clone());
            kept.endpoint.clone_from(&asked.place);
            kept.refused = true;
        });
        if e.kind == Kind::Usage {
            e.hints.clear();
        }
        return e.hint(format!("check the client id and the client secret: `{login}` asks for both again"));
    }
    let Some(kept) = session.load().ok().flatten().and_then(|record| of(session, Some(&record))) else { return e };
    let client = [(kept.client_id.is_some(), "the client id"), (kept.client_secret.is_some(), "the client secret")];
    let client = client.iter().filter(|(typed, _)| *typed).map(|(_, name)| (*name).to_owned());
    let input = kept.vars.keys().map(|name| safe(name)).chain(client).collect::<Vec<_>>().join(", ");
    if e.said_no {
        if forget(world, session) && !input.is_empty() {
            let message = format!("{e}; your input is forgotten ({input})");
            return e.reworded(message);
        }
        return e;
    }
    match input.is_empty() || kept.refused {
        true => e,
        false => e.hint(format!("your input is kept ({input}): `{login}` offers it")),
    }
}

/// Deletes the input; `true`: it is gone.
fn forget(world: &mut World, session: &Session) -> bool {
    let forgotten = session.lock(world).and_then(|lock| {
        let Some(record) = session.load()? else { return Ok(()) };
        match record.without_input() {
            None => session.store.delete(&session.name).map(drop)?,
            Some(rest) => session.save(&rest, &lock)?,
        }
        Ok(())
    });
    forgotten.inspect_err(|e| world.step(|| format!("your input is not forgotten: {}", e))).is_ok()
}

/// The client of a login, where a person may be asked for another one, and the address it was for.
pub struct Asked {
    pub client_id: String,
    pub place: Option<String>,
}
