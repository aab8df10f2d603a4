//! The end of a login: the tokens are revoked at the provider where it can be asked, and forgotten
//! here.

use super::lock::Lock;
use super::record::Record;
use super::{Session, Who, copy, renewal};
use crate::error::{Error, Fate, Kind};
use crate::grant::revoke;
use crate::world::World;

/// The words for what is revoked now; `None`: the provider offers no way.
pub type Revoked = Result<Option<&'static str>, Error>;

/// Revokes the tokens of a record, and of a renewal that was cut off. The record as it stands then,
/// and what the provider said.
pub fn revoke(
    world: &mut World,
    session: &mut Session,
    record: Record,
    lock: &Lock,
) -> Result<(Record, Revoked), Error> {
    match renewal::settle(world, session, record.clone(), lock) {
        Ok(record) => {
            let revoked = at_provider(world, session, &record);
            Ok((record, revoked))
        }
        // the provider ended it before: nothing is left to revoke
        Err(e) if e.fate == Fate::Refused => {
            Ok((session.load()?.unwrap_or(record), Ok(Some("the provider had ended it already"))))
        }
        Err(e) if matches!(e.kind, Kind::Interrupted | Kind::Terminated) => Err(e),
        // what the journal holds can't be kept: what is known is revoked, and all of it forgotten
        Err(e) => {
            let record = session.load()?.unwrap_or(record);
            let revoked = at_provider(world, session, &record);
            Ok((record, revoked.and(Err(e))))
        }
    }
}

fn at_provider(world: &mut World, session: &mut Session, record: &Record) -> Revoked {
    let provider = session.provider(world, Some(record))?;
    let (Some(facts), Some(set)) = (&provider.revoke, &record.token) else { return Ok(None) };
    let asking = session.asking(world, Some(record))?;
    revoke::revoke(world, &asking, facts, set)
}

/// Forgets the tokens; a client secret that was entered by hand stays.
pub fn forget(world: &World, who: &Who, record: &Record, lock: &Lock) -> Result<(), Error> {
    if !record.outlives_its_tokens() {
        who.delete(world, lock)?;
        return Ok(());
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
        ..record.clone()
    };
    who.replace(world, &kept, lock)?;
    who.sweep();
    Ok(())
}

/// Forgets what a refused renewal or an unfinished login left; a client secret that was entered by
/// hand stays.
pub fn leftovers(world: &World, who: &Who, record: Option<Record>, lock: &Lock) -> Result<(), Error> {
    copy::forget(world, who);
    match record {
        Some(record) if !record.outlives_its_tokens() => drop(who.delete(world, lock)?),
        Some(record) if record.unfinished.is_some() => who.save(&Record { unfinished: None, ..record }, lock)?,
        _ => {}
    }
    who.sweep();
    Ok(())
}
