//! What a person typed is not lost with a login that fails: it waits in the profile's record, in
//! the store that the login has chosen, for the next `login`, and nothing else ever uses it. A
//! login that succeeds, a person who says no, `logout` and `profile remove` forget it.

use crate::error::{Error, Kind};
use crate::provider::{Endpoint, Provider};
use crate::session::record::{Record, Unfinished};
use crate::session::{Session, may_ask};
use crate::store::StoreKind;
use crate::text::safe;
use crate::world::World;

/// What waits for this very provider.
pub fn of(session: &Session, old: Option<&Record>) -> Option<Unfinished> {
    old?.unfinished
        .clone()
        .filter(|kept| kept.provider == session.provider_name() && kept.environment == session.profile.environment)
}

/// The address that a client's id and secret are typed for: the token endpoint, and the one of the
/// grant where that is another server's. They are offered for no other.
pub fn place(provider: &Provider, endpoint: &Endpoint) -> Option<String> {
    let origin = |url: &Option<String>| url::Url::parse(url.as_deref()?).ok().map(|url| url.origin());
    match origin(&endpoint.url) == origin(&provider.token.url) {
        true => provider.token.url.clone(),
        false => endpoint.url.clone(),
    }
}

/// Keeps what was just typed. That it can't be kept is no reason to end the login.
pub fn keep(world: &mut World, session: &Session, change: impl FnOnce(&mut Unfinished)) {
    if !matches!(session.store.kind(), StoreKind::Keychain | StoreKind::File) {
        return;
    }
    if let Err(e) = try_keep(world, session, change) {
        world.step(|| format!("what was typed is not kept: {}", e.message));
    }
}

fn try_keep(world: &mut World, session: &Session, change: impl FnOnce(&mut Unfinished)) -> Result<(), Error> {
    let lock = session.lock(world)?;
    let before = session.load()?;
    let mut unfinished = of(session, before.as_ref()).unwrap_or_else(|| Unfinished {
        provider: session.provider_name().to_owned(),
        environment: session.profile.environment.clone(),
        ..Unfinished::default()
    });
    change(&mut unfinished);
    let mut record = before.unwrap_or_default();
    if record.unfinished.as_ref() == Some(&unfinished) {
        return Ok(());
    }
    // the tokens beside it are the same: no other generation
    record.unfinished = Some(unfinished);
    session.save(&record, &lock).map_err(Error::from)
}

/// How a login that failed goes on: which of what was typed is kept; and where the server refused
/// the client, that the next `login` asks for it again.
pub fn after(world: &mut World, session: &Session, asked: Option<&Asked>, mut e: Error) -> Error {
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
    let vars = kept.vars.keys().map(|name| safe(name));
    let client = [
        kept.client_id.is_some().then(|| "the client id".to_owned()),
        kept.client_secret.is_some().then(|| "the client secret".to_owned()),
    ];
    let things: Vec<String> = vars.chain(client.into_iter().flatten()).collect();
    if e.said_no {
        if forget(world, session) && !things.is_empty() {
            e.message = format!("{}; what you typed is forgotten ({})", e.message, things.join(", "));
        }
        return e;
    }
    match things.is_empty() || kept.refused {
        true => e,
        false => e.hint(format!("what you typed is kept ({}): `{login}` offers it", things.join(", "))),
    }
}

/// The person wants none of it any more. Says whether it is gone.
fn forget(world: &mut World, session: &Session) -> bool {
    let forgotten = session.lock(world).and_then(|lock| {
        let Some(record) = session.load()? else { return Ok(()) };
        let rest = Record { unfinished: None, ..record };
        match rest == Record::default() {
            true => session.store.delete(&session.name).map(drop)?,
            false => session.save(&rest, &lock)?,
        }
        Ok(())
    });
    if let Err(e) = &forgotten {
        world.step(|| format!("what was typed is not forgotten: {}", e.message));
    }
    forgotten.is_ok()
}

/// The client that a login went on with, where a person may be asked for another one, and the
/// address it was for.
pub struct Asked {
    pub client_id: String,
    pub place: Option<String>,
}
