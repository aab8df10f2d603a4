//! The end of a login: the tokens are revoked at the provider, if possible, and deleted here.

use super::keep::old_store;
use super::{Lock, Record, Session, Who, kernel_cache, renewal};
use crate::error::{Error, Fate, Kind, unbuilt};
use crate::grant::{Asking, revoke};
use crate::protocol::token_request::usable_auth;
use crate::provider::{Kills, Revoke, TokenKind};
use crate::world::World;

/// The revoked tokens in words; `None`: the provider can't revoke.
pub type Revoked = Result<Option<&'static str>, Error>;

/// Revokes the tokens of a record and of a refresh that was cut off. The record as it is then too.
/// An error: nothing was sent, and the record is as it was.
pub fn revoke(
    world: &mut World,
    session: &mut Session,
    record: Record,
    lock: &Lock,
) -> Result<(Record, Revoked), Error> {
    if let Err(e) = prepared(world, session, &record)
        && e.kind != Kind::TryLater
    {
        let delete = format!("`{} --local-only` deletes it here, and revokes nothing", session.typed.line("logout"));
        return Err(e.context(format!("the token of `{}` is not revoked, and stays here", session.name)).hint(delete));
    }
    let failed = match renewal::settle(world, session, record.clone(), lock) {
        Ok(mut record) => {
            let revoked = at_provider(world, session, &mut record);
            return Ok((record, revoked));
        }
        Err(e) if matches!(e.kind, Kind::Interrupted | Kind::Terminated) => return Err(e),
        Err(e) => e,
    };
    let mut record = session.load()?.unwrap_or(record);
    let revoked = match failed.fate {
        Fate::Refused => Ok(Some("the provider had ended it already")),
        // the journal's tokens can't be stored: the known ones are revoked, and all deleted
        _ => at_provider(world, session, &mut record).and(Err(failed)),
    };
    Ok((record, revoked))
}

/// All that a revocation needs. `None`: the provider can't revoke.
fn prepared(world: &mut World, session: &mut Session, record: &Record) -> Result<Option<(Asking, Revoke)>, Error> {
    let provider = session.provider_with(world, Some(record), |provider| provider.revocation().is_some())?;
    let Some(facts) = provider.revocation() else { return Ok(None) };
    let asking = session.asking(world, Some(record))?;
    usable_auth(&facts.endpoint, &asking.client).map_err(|e| unbuilt(e, &session.typed))?;
    Ok(Some((asking, facts.clone())))
}

/// Each token is judged by itself, the login's own first: afterwards the record has those that
/// another attempt may revoke.
fn at_provider(world: &mut World, session: &mut Session, record: &mut Record) -> Revoked {
    let Some((asking, facts)) = &prepared(world, session, record)? else { return Ok(None) };
    let own = of_login(world, (asking, facts), record);
    if own.as_ref().is_err_and(may_be_mended) {
        return own;
    }
    let mut failed = None;
    for earlier in std::mem::take(&mut record.unrevoked) {
        if let Err(e) = revoke::revoke(world, asking, facts, &earlier)
            && may_be_mended(&e)
        {
            record.unrevoked.push(earlier);
            failed = Some(e);
        }
    }
    let Some(e) = failed else { return own };
    record.token = None;
    if let Err(refused) = own {
        world.warn(&refused.to_string());
    }
    Err(e)
}

/// Revokes the tokens of the login.
fn of_login(world: &mut World, (asking, facts): (&Asking, &Revoke), record: &Record) -> Revoked {
    let Some(set) = &record.token else { return Ok(None) };
    // a provider that ends a whole login ends its further tokens too
    let by_themselves = facts.kills != Kills::All && facts.tokens.contains(&TokenKind::AccessToken);
    let mut others = Ok(());
    for beside in record.variants.iter().filter(|_| by_themselves) {
        others = others.and(revoke::revoke(world, asking, facts, &beside.token).map(drop));
    }
    let revoked = revoke::revoke(world, asking, facts, set)?;
    others.map(|()| revoked)
}

/// Whether another attempt to revoke may succeed: the server can't answer now, or does not accept
/// the client or the address, which can be mended.
pub fn may_be_mended(e: &Error) -> bool {
    matches!(e.kind, Kind::TryLater | Kind::Usage | Kind::Unsafe)
}

/// Ends the login here, and keeps its tokens for another attempt to revoke them.
pub fn put_off(world: &World, who: &Who, record: Record, lock: &Lock) -> Result<(), Error> {
    let unrevoked = record.unrevoked.iter().chain(&record.token).cloned().collect();
    let kept = Record { generation: record.generation + 1, token: None, unrevoked, ended: None, ..record };
    who.replace(world, &kept, lock)?;
    who.sweep();
    Ok(())
}

/// Whether the rest of a record stays: not in a named store that the profile has left.
fn stays(world: &World, who: &Who, record: &Record) -> bool {
    let is_aside = || who.choice.flags.store.is_some() && old_store(world, who).is_ok_and(|own| own.is_some());
    record.outlives_its_tokens() && !is_aside()
}

/// Deletes the tokens; a client secret that a person entered stays (`true`).
pub fn forget(world: &World, who: &Who, record: &Record, lock: &Lock) -> Result<bool, Error> {
    let record = &Record { unrevoked: Vec::new(), ..record.clone() };
    if !stays(world, who, record) {
        who.delete(world, lock)?;
        return Ok(false);
    }
    let kept = Record {
        generation: record.generation + 1,
        token: None,
        unfinished: None,
        login_at: None,
        account: None,
        vars: Default::default(),
        bound: None,
        secret_bound: record.secret_bound.clone().or_else(|| who.bound_of(record)),
        asked_with: None,
        ended: None,
        variants: Vec::new(),
        ..record.clone()
    };
    who.replace(world, &kept, lock)?;
    who.sweep();
    Ok(true)
}

/// Deletes what a refused refresh or an unfinished login left, but for a client secret.
pub fn leftovers(world: &World, who: &Who, record: Option<Record>, lock: &Lock) -> Result<(), Error> {
    kernel_cache::forget(world, who);
    match record {
        Some(record) if !stays(world, who, &record) => drop(who.delete(world, lock)?),
        Some(record) if record.unfinished.is_some() => who.save(&Record { unfinished: None, ..record }, lock)?,
        _ => {}
    }
    who.sweep();
    Ok(())
}
