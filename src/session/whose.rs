//! Whether what is stored is what is meant now, and if not, in what it differs: a token of another client, or with other scopes, is
//! neither served nor spent, and the person is told which login would bring the right one.

use std::path::Path;

use crate::config::GrantKind;
use crate::error::Error;
use crate::protocol::binding::is_dpop;
use crate::session::choice::same_provider;
use crate::session::record::Record;
use crate::session::{Session, no_token};
use crate::text::safe;
use crate::world::World;

/// Why there is no token: the configuration is wrong, so that no login would bring one; or what is stored is another one than
/// is asked for; or nothing is stored.
pub(super) fn none_of_use(world: &World, session: &Session, record: Option<&Record>) -> Error {
    if let Err(e) = session.raw_provider() {
        return e;
    }
    let Some(record) = record.filter(|r| r.token.is_some()) else { return no_token(world, session) };
    let what = match differs(session, record) {
        Some(Differs::Provider) => format!("is not of provider `{}`", safe(session.provider_name())),
        Some(Differs::Client(id)) => format!("is not of client `{}`", safe(&id)),
        Some(Differs::Grant(grant)) => format!("was not obtained by the grant `{}`", grant.name()),
        Some(Differs::Scopes(missing)) => format!("was not asked for with the scope `{}`", safe(&missing)),
        None if !is_as_wanted(session, record) => "is not bound to a key".to_owned(),
        None => return no_token(world, session),
    };
    Error::login_first(&session.typed, format!("the token that is stored for `{}` {what}", session.name))
}

/// In what a record is another's than who is meant now.
enum Differs {
    Provider,
    Client(String),
    Grant(GrantKind),
    /// A scope that was not asked for then.
    Scopes(String),
}

/// Whether a record belongs to who is meant now: the same provider, client and grant, as far as they were said.
pub(super) fn is_ours(session: &Session, record: &Record) -> bool {
    differs(session, record).is_none()
}

fn differs(session: &Session, record: &Record) -> Option<Differs> {
    if !is_of_provider(session, record) {
        return Some(Differs::Provider);
    }
    if let (Some(said), Some(kept)) = (&session.profile.client_id, &record.client_id)
        && said != kept
    {
        return Some(Differs::Client(said.clone()));
    }
    if let (Some(said), Some(kept)) = (session.profile.grant, record.grant)
        && said != kept
    {
        return Some(Differs::Grant(said));
    }
    let asked = Some(&record.asked).filter(|asked| !asked.is_empty())?;
    scopes_said(session)?.iter().find(|scope| !asked.contains(scope)).cloned().map(Differs::Scopes)
}

/// A secret that was entered for one provider is none of another's.
pub(super) fn is_of_provider(session: &Session, record: &Record) -> bool {
    let name = session.provider_name();
    record.provider.as_deref().is_none_or(|kept| kept == name || means_the_same(session, kept))
}

/// Who wants bound tokens has no use for one that any thief could use.
pub(super) fn is_as_wanted(session: &Session, record: &Record) -> bool {
    session.profile.proofs.dpop != Some(true) || record.token.as_ref().is_none_or(is_dpop)
}

/// Scopes said for this very command: on the command line or in the environment.
fn scopes_said(session: &Session) -> Option<&[String]> {
    session.profile.scopes.as_deref().filter(|_| session.scopes_said)
}

/// One provider has several names: `vr2` is typed, `verticalresponse-vr2` is kept.
fn means_the_same(session: &Session, kept: &str) -> bool {
    let dir = session.paths.config.as_deref().unwrap_or(Path::new(""));
    same_provider(dir, session.provider_name(), kept)
}
