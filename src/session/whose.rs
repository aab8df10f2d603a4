//! Whether what is stored is what is meant now, and if not, in what it differs: a token of another
//! place or client, or that was asked for otherwise, is neither served nor spent. A grant without a
//! person brings another one; a person is told which login would bring the right one.

use std::collections::BTreeMap;

use crate::config::GrantKind;
use crate::error::Error;
use crate::protocol::binding::is_dpop;
use crate::secret::hash;
use crate::session::bound::Moved;
use crate::session::record::Record;
use crate::session::{Who, inputs, no_token};
use crate::store::StoreKind;
use crate::text::safe;
use crate::world::World;

/// Why there is no token: the configuration is wrong, so that no login would bring one; or what is
/// stored is another one than is asked for; or nothing is stored.
pub(super) fn none_of_use(world: &World, who: &Who, record: Option<&Record>) -> Error {
    if let Err(e) = who.raw_provider() {
        return e;
    }
    let Some(record) = record.filter(|r| r.token.is_some()) else { return no_token(world, who) };
    let what = match differs(who, record) {
        Some(Differs::Moved(moved)) => return moved.refused(&who.typed),
        Some(Differs::Grant(grant)) => format!("was not obtained by the grant `{}`", grant.name()),
        Some(Differs::Scopes(scopes)) => format!("was not asked for with the scope `{}`", safe(&scopes)),
        Some(Differs::With(key)) => format!("was not asked for with this `{}`", safe(&key)),
        None if !is_as_wanted(who, record) => "is not bound to a key".to_owned(),
        None => return no_token(world, who),
    };
    Error::login_first(&who.typed, format!("the token that is stored for `{}` {what}", who.name))
}

/// Those that were said, by flag, variable or configuration: of a grant without a person.
const SCOPES: &str = "scopes";

/// What the provider's file adds to the request.
const FILE: &str = "token.params";

/// In what a record is another's than what is meant now.
enum Differs {
    Moved(Moved),
    Grant(GrantKind),
    /// What was not asked for then; of a grant without a person all that is asked for now.
    Scopes(String),
    /// A key of the configuration, or a flag.
    With(String),
}

/// The record, if it is what is meant now: what was obtained in the same place, by the same client
/// and grant, and asked for with the same words. What a grant exchanges is read for it. A person's
/// login in another place ends it: nothing takes its place.
pub fn ours<'a>(world: &mut World, who: &mut Who, record: Option<&'a Record>) -> Result<Option<&'a Record>, Error> {
    let grant = who.grant(None, record);
    who.asked_with = Some(asked_with(world, who, grant)?);
    let Some(record) = record else { return Ok(None) };
    match differs(who, record) {
        Some(Differs::Moved(moved)) if grant.needs_person() => Err(moved.refused(&who.typed)),
        None if is_as_wanted(who, record) => Ok(Some(record)),
        _ => Ok(None),
    }
}

/// In what place, or by which client, a record's tokens were obtained, if not as is meant now.
pub fn elsewhere(who: &Who, record: &Record) -> Option<Moved> {
    match differs(who, record)? {
        Differs::Moved(moved) => Some(moved),
        _ => None,
    }
}

/// Why a record's token is not the one that is meant now; `None`: it is.
pub fn not_meant(world: &World, who: &Who, record: &Record) -> Option<Error> {
    let other = record.token.is_some() && (differs(who, record).is_some() || !is_as_wanted(who, record));
    other.then(|| none_of_use(world, who, Some(record)))
}

fn differs(who: &Who, record: &Record) -> Option<Differs> {
    // nothing is known of a token from outside
    if who.store.kind() == StoreKind::Environment || record.token.is_none() {
        return None;
    }
    if let Some(moved) = who.moved_by_file(record) {
        return Some(Differs::Moved(moved));
    }
    if let (Some(said), Some(kept)) = (&who.profile.client_id, &record.client_id)
        && said != kept
    {
        return Some(Differs::Moved(Moved::Client { was: kept.clone(), is: said.clone() }));
    }
    if let (Some(said), Some(kept)) = (who.profile.grant, record.grant)
        && said != kept
    {
        return Some(Differs::Grant(said));
    }
    let by_person = who.grant(None, Some(record)).needs_person();
    if let Some(scopes) = scopes_differ(who, record, by_person) {
        return Some(Differs::Scopes(scopes));
    }
    if file_differs(who, record) {
        return Some(Differs::With(FILE.to_owned()));
    }
    let (kept, now) = (record.asked_with.as_ref()?, who.asked_with.as_ref()?);
    // those two are judged above
    let mut keys = kept.keys().chain(now.keys()).filter(|key| *key != SCOPES && *key != FILE);
    keys.find(|key| kept.get(*key) != now.get(*key)).cloned().map(Differs::With)
}

/// All that a token is asked with, to be recorded beside it: `with` the provider's file.
pub fn recorded(who: &Who, grant: GrantKind, mut with: BTreeMap<String, String>) -> BTreeMap<String, String> {
    with.extend(of_file(who, grant).map(|told| (FILE.to_owned(), told)));
    with
}

/// The parameters and headers that the provider's file adds to a request without a person, by
/// fingerprint: they may decide which token comes back.
fn of_file(who: &Who, grant: GrantKind) -> Option<String> {
    let provider = who.raw_provider().ok().filter(|_| !grant.needs_person())?;
    let own = provider.client_credentials.offered().filter(|_| grant == GrantKind::ClientCredentials);
    let endpoint = own.unwrap_or(&provider.token);
    let added = !endpoint.params.is_empty() || !endpoint.headers.is_empty();
    added.then(|| hash(serde_json::json!([endpoint.params, endpoint.headers]).to_string().as_bytes()))
}

/// While the file is the same, word for word, so are its parameters.
fn file_differs(who: &Who, record: &Record) -> bool {
    let Some(kept) = record.asked_with.as_ref().filter(|_| !who.is_described(record)) else { return false };
    of_file(who, who.grant(None, Some(record))).as_ref() != kept.get(FILE)
}

/// A person may have signed in for more than is wanted now; a job asks for what it wants.
fn scopes_differ(who: &Who, record: &Record, by_person: bool) -> Option<String> {
    if by_person {
        let said = who.profile.scopes.as_deref()?;
        return said.iter().find(|scope| !record.asked.contains(scope)).cloned();
    }
    // the same words, over the same usual scopes
    if who.is_described(record)
        && record.asked_with.as_ref().map(|with| with.get(SCOPES))
            == who.asked_with.as_ref().map(|with| with.get(SCOPES))
    {
        return None;
    }
    let now = who.scopes(&who.raw_provider().ok()?, who.grant(None, Some(record)));
    let same = now.len() == record.asked.len() && now.iter().all(|scope| record.asked.contains(scope));
    (!same).then(|| now.join(" "))
}

/// What else than scopes decides which token comes back, by the keys of the configuration: inputs
/// by fingerprint.
pub fn asked_with(world: &mut World, who: &Who, grant: GrantKind) -> Result<BTreeMap<String, String>, Error> {
    let asks = who.profile.asks.clone();
    let mut with = who.profile.deciding();
    if grant.needs_person() {
        with.extend(who.profile.params.iter().map(|(name, value)| (format!("params.{name}"), value.clone())));
        return Ok(with);
    }
    with.extend(who.profile.scopes.as_ref().map(|scopes| (SCOPES.to_owned(), scopes.join(" "))));
    let inputs =
        [("assertion", &asks.assertion), ("subject token", &asks.subject_token), ("actor token", &asks.actor_token)];
    for (what, source) in inputs {
        let told = inputs::told_apart(world, who, what, source)?;
        with.extend(told.map(|told| (what.replace(' ', "-"), told)));
    }
    if grant == GrantKind::JwtBearer {
        with.extend(
            who.profile
                .proofs
                .assertion_audience
                .as_ref()
                .map(|to| ("assertion-audience".to_owned(), format!("{to:?}"))),
        );
    }
    if let Some(profile) = &asks.subject_profile {
        with.insert("subject-profile".to_owned(), inputs::of_sign_in(world, who, profile)?);
    }
    Ok(with)
}

/// Who wants bound tokens has no use for one that any thief could use.
pub(super) fn is_as_wanted(who: &Who, record: &Record) -> bool {
    who.profile.proofs.dpop != Some(true) || record.token.as_ref().is_none_or(is_dpop)
}
