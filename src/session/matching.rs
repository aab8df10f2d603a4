//! Whether a stored token is the one that is meant now. A token of another place or client, or one
//! that was asked for in another way, is neither printed nor refreshed. A grant without a person
//! obtains another one; a person is told which login would.

use std::collections::BTreeMap;

use crate::config::{GrantKind, SecretSource};
use crate::error::Error;
use crate::protocol::jose;
use crate::protocol::sender_constrained::is_dpop;
use crate::secret::hash;
use crate::session::bound::{Moved, Scope};
use crate::session::secret_source::read;
use crate::session::{Overrides, Record, Session, Who, no_token};
use crate::store::StoreKind;
use crate::text::safe;
use crate::world::World;

/// What a token is asked with, by the keys of the configuration; inputs by fingerprint.
pub type AskedWith = BTreeMap<String, String>;

/// The scopes of a grant without a person: those of a flag, a variable or the configuration.
const SCOPES: &str = "scopes";

/// The inputs of grants without a person.
const INPUTS: [&str; 3] = ["assertion", "subject token", "actor token"];

fn key_of(input: &str) -> String {
    input.replace(' ', "-")
}

/// In the place of a fingerprint: a login's input came through a pipe, which can't be read again.
/// Who names no input later means that login's token.
const PIPED: &str = "-";

/// What the provider's file adds to the request.
const FILE: &str = "token.params";

/// How a record differs from what is meant now.
#[derive(Debug)]
pub enum Differs {
    Moved(Moved),
    Grant(GrantKind),
    /// A scope that was not asked for; without a person, all scopes that are asked for now.
    Scopes(String),
    /// A key of the configuration, or a flag.
    With(String),
    /// A token that any thief could use, where one that is bound to a key is wanted.
    Unbound,
}

impl Differs {
    /// Why there is no token. A wrong configuration comes first: no login would help.
    pub fn error(self, who: &Who) -> Error {
        if let Err(e) = who.raw_provider() {
            return e;
        }
        let what = match self {
            Differs::Moved(moved) => return moved.refused(&who.typed),
            Differs::Grant(grant) => format!("was not obtained by the grant `{}`", grant.name()),
            Differs::Scopes(scopes) => format!("was not asked for with the scope `{}`", safe(&scopes)),
            Differs::With(key) => format!("was not asked for with this `{}`", safe(&key)),
            Differs::Unbound => "is not bound to a key".to_owned(),
        };
        let is = if who.store.kind() == StoreKind::Lent { "lent" } else { "stored" };
        Error::login_first(&who.typed, format!("the token that is {is} for `{}` {what}", who.name))
    }
}

/// Why nothing that is stored is of use. `differs`: the stored token is another one.
pub(super) fn no_usable_token(world: &World, who: &Who, differs: Option<Differs>) -> Error {
    match differs {
        Some(differs) => differs.error(who),
        None => who.raw_provider().err().unwrap_or_else(|| no_token(world, who)),
    }
}

/// A record compared with what is meant now.
pub(super) struct Compared {
    pub differs: Option<Differs>,
    pub asked_with: AskedWith,
}

/// Compares place, client, grant and parameters, and reads the grant's inputs for it. An error: the
/// sign-in was at another place, and only a login changes that. A job that sends nothing of the
/// profile's gets another token.
pub(super) fn compare(world: &mut World, who: &Who, record: Option<&Record>) -> Result<Compared, Error> {
    let grant = who.grant(None, record);
    flags_serve(who, grant)?;
    who.said_place()?;
    let asked_with = asked_with(world, who, grant)?;
    match record.and_then(|record| differs(who, record, Some(&asked_with))) {
        Some(Differs::Moved(moved))
            if grant.needs_person() || !matches!(moved, Moved::Client { .. }) && who.sends_its_own(world) =>
        {
            Err(moved.refused(&who.typed))
        }
        differs => Ok(Compared { differs, asked_with }),
    }
}

/// An error for a flag that only other grants use.
pub fn flags_serve(who: &Who, grant: GrantKind) -> Result<(), Error> {
    let Some((flag, grants)) = who.choice.flags.of_another_grant(grant) else { return Ok(()) };
    let grants: Vec<String> = grants.iter().map(|grant| format!("`{}`", grant.name())).collect();
    let grants = grants.join(" or ");
    Err(Error::usage(format!("`{flag}` is for the grant {grants}; the grant of `{}` is `{}`", who.name, grant.name()))
        .hint(format!("leave `{flag}` out, or add `--grant`")))
}

/// The record, if it is what is meant now.
pub fn matching<'a>(world: &mut World, who: &Who, record: Option<&'a Record>) -> Result<Option<&'a Record>, Error> {
    let compared = compare(world, who, record)?;
    Ok(record.filter(|_| compared.differs.is_none()))
}

/// An error if the token of a record is not the one that is meant now.
pub fn must_be_ours(world: &mut World, who: &Who, record: Option<&Record>) -> Result<(), Error> {
    compare(world, who, record)?.differs.map_or(Ok(()), |differs| Err(differs.error(who)))
}

/// Why the token of a record is not the one that is meant now, as far as the configuration tells.
pub(super) fn not_meant(who: &Who, record: &Record) -> Option<Error> {
    differs(who, record, None).map(|differs| differs.error(who))
}

/// The place or the client of the record's tokens, if it is not the one that is meant now.
pub fn elsewhere(who: &Who, record: &Record) -> Option<Moved> {
    // nothing is known of a token from outside
    if who.store.kind() == StoreKind::Environment || record.token.is_none() {
        return None;
    }
    who.moved_by_file(record).or_else(|| other_client(who, record))
}

fn other_client(who: &Who, record: &Record) -> Option<Moved> {
    let (is, was) = who.profile.client_id.as_ref().zip(record.client_id.as_ref())?;
    (is != was).then(|| Moved::Client { was: was.clone(), is: is.clone() })
}

/// What a person entered or registered that a login elsewhere would lose, and where it is for.
pub fn kept_for_another(who: &Who, record: &Record) -> Option<(&'static str, Moved)> {
    let what = match record {
        Record { registration: Some(_), .. } => "registration",
        Record { client_secret: Some(_), .. } => "client secret",
        record if !record.secret_vars.is_empty() => "secret variable",
        _ => return None,
    };
    let moved = who.secret_moved(record, &who.raw_provider().ok()?, Scope::Every);
    // a secret variable is for any client
    let moved = moved.or_else(|| other_client(who, record).filter(|_| what != "secret variable"))?;
    Some((what, moved))
}

/// For an import: an error where it leads a configured profile elsewhere, or a record with such
/// input. `again`: an import that was not completed, which may have another client.
pub fn must_stay(who: &Who, record: Option<&Record>, again: bool) -> Result<(), Error> {
    let configured = who.said_otherwise().map(|moved| ("configuration", moved));
    let kept = || record.and_then(|record| kept_for_another(who, record));
    match configured.or_else(kept).filter(|(_, moved)| !(again && matches!(moved, Moved::Client { .. }))) {
        Some((what, moved)) => Err(who.is_for(&format!("the {what}"), &moved)),
        None => Ok(()),
    }
}

/// For a login, before anything is sent: an error where it would lose the access to a registration.
pub fn must_keep_registration(who: &Who, record: Option<&Record>) -> Result<(), Error> {
    let known = |record: &&Record| !record.client_id.as_ref().is_some_and(|id| record.is_forgotten(id));
    let Some(record) = record.filter(|record| record.registration.is_some()).filter(known) else { return Ok(()) };
    match kept_for_another(who, record) {
        // the same client of the same provider, which has another address
        None | Some((_, Moved::Place { .. })) => Ok(()),
        Some((what, moved)) => Err(who
            .is_for(&format!("the {what}"), &moved)
            .hint(format!("`{} --delete` deletes it", who.typed.line("register")))
            .hint(who.its_own())),
    }
}

/// How a record differs; without `asked_with` as far as the configuration and the variables tell.
pub(super) fn differs(who: &Who, record: &Record, asked_with: Option<&AskedWith>) -> Option<Differs> {
    let token = record.token.as_ref()?;
    let asked = || asked_otherwise(who, record, asked_with);
    let unbound = || (who.profile.proofs.dpop == Some(true) && !is_dpop(token)).then_some(Differs::Unbound);
    elsewhere(who, record).map(Differs::Moved).or_else(asked).or_else(unbound)
}

fn asked_otherwise(who: &Who, record: &Record, asked_with: Option<&AskedWith>) -> Option<Differs> {
    if who.store.kind() == StoreKind::Environment {
        return None;
    }
    if let (Some(said), Some(kept)) = (who.profile.grant, record.grant)
        && said != kept
    {
        return Some(Differs::Grant(said));
    }
    if let Some(scopes) = scopes_differ(who, record, asked_with) {
        return Some(Differs::Scopes(scopes));
    }
    // while the provider's file is the same, word for word, so are its parameters
    if let Some(kept) = record.asked_with.as_ref().filter(|_| !who.is_described(record))
        && of_file(who, who.grant(None, Some(record))).as_ref() != kept.get(FILE)
    {
        return Some(Differs::With(FILE.to_owned()));
    }
    let (kept, now) = (record.asked_with.as_ref()?, asked_with?);
    // these two are compared above
    let keys = kept.keys().chain(now.keys()).filter(|key| *key != SCOPES && *key != FILE);
    let mut pairs = keys.map(|key| (key, kept.get(key), now.get(key)));
    let other = pairs.find(|(_, was, is)| was != is && !(is.is_none() && was.is_some_and(|was| was == PIPED)));
    other.map(|(key, ..)| Differs::With(key.clone()))
}

/// All that a token is asked with, to be stored beside it: the provider's file included.
pub fn recorded(who: &Who, grant: GrantKind, mut with: AskedWith) -> AskedWith {
    with.extend(of_file(who, grant).map(|told| (FILE.to_owned(), told)));
    with
}

/// A fingerprint of what the provider's file adds to a request without a person.
fn of_file(who: &Who, grant: GrantKind) -> Option<String> {
    let provider = who.raw_provider().ok().filter(|_| !grant.needs_person())?;
    let own = provider.client_credentials.offered().filter(|_| grant == GrantKind::ClientCredentials);
    let endpoint = own.unwrap_or(&provider.token);
    let added = !endpoint.params.is_empty() || !endpoint.headers.is_empty();
    added.then(|| hash(serde_json::json!([endpoint.params, endpoint.headers]).to_string().as_bytes()))
}

/// A person may have signed in for more scopes than are wanted now; a job asks for those it wants.
fn scopes_differ(who: &Who, record: &Record, asked_with: Option<&AskedWith>) -> Option<String> {
    let grant = who.grant(None, Some(record));
    if grant.needs_person() {
        who.profile.target.scopes.as_ref()?;
        let said = who.said_scopes(&who.raw_provider().ok()?)?;
        return said.into_iter().find(|scope| !record.asked.contains(scope));
    }
    // the same words, over the same usual scopes
    let said = |with: &AskedWith| with.get(SCOPES).cloned();
    if who.is_described(record) && record.asked_with.as_ref().map(said) == asked_with.map(said) {
        return None;
    }
    let now = who.scopes(&who.raw_provider().ok()?, grant);
    let same = now.len() == record.asked.len() && now.iter().all(|scope| record.asked.contains(scope));
    (!same).then(|| now.join(" "))
}

/// What decides which token is issued, besides scopes and the provider's file.
fn asked_with(world: &mut World, who: &Who, grant: GrantKind) -> Result<AskedWith, Error> {
    let asks = &who.profile.asks;
    let mut with = who.profile.deciding();
    with.extend(who.profile.params.iter().map(|(name, value)| (format!("params.{name}"), value.clone())));
    if grant.needs_person() {
        return Ok(with);
    }
    with.extend(who.profile.target.scopes.as_ref().map(|scopes| (SCOPES.to_owned(), scopes.join(" "))));
    for (what, source) in INPUTS.into_iter().zip([&asks.assertion, &asks.subject_token, &asks.actor_token]) {
        let told = told_apart(world, who, what, source)?;
        with.extend(told.map(|told| (key_of(what), told)));
    }
    let audience = who.profile.proofs.assertion_audience.as_ref().filter(|_| grant == GrantKind::JwtBearer);
    with.extend(audience.map(|to| ("assertion-audience".to_owned(), to.clone())));
    if let Some(profile) = &asks.subject_profile {
        with.insert("subject-profile".to_owned(), of_sign_in(world, who, profile)?);
    }
    Ok(with)
}

/// The same of a login.
pub fn of_login(world: &mut World, who: &Who, grant: GrantKind) -> Result<AskedWith, Error> {
    let mut with = asked_with(world, who, grant)?;
    with.extend(piped_inputs(who).into_iter().map(|what| (key_of(what), PIPED.to_owned())));
    Ok(with)
}

/// Whether this input of the stored login came through a pipe.
pub fn was_piped(who: &Who, what: &str) -> bool {
    let record = if who.choice.signing_in { None } else { who.load().ok().flatten() };
    record
        .and_then(|record| record.asked_with)
        .is_some_and(|with| with.get(&key_of(what)).is_some_and(|was| was == PIPED))
}

/// The inputs of a grant that came through pipes.
pub fn piped_inputs(who: &Who) -> Vec<&'static str> {
    let keys = who.choice.flags.from_pipes();
    INPUTS.into_iter().filter(|what| keys.contains(&key_of(what))).collect()
}

/// A fingerprint of an input: of a JWT's claims but for its times and its id, of a program's
/// command line, else of the whole input. `None`: there is no input.
fn told_apart(
    world: &mut World,
    who: &Who,
    what: &str,
    source: &Option<SecretSource>,
) -> Result<Option<String>, Error> {
    if let Some(SecretSource::Command(argv)) = source {
        return Ok(Some(hash(argv.join("\0").as_bytes())));
    }
    let Some(text) = read(world, who, what, source)? else { return Ok(None) };
    let claims = jose::unverified_claims(text.expose().trim()).ok().map(|mut claims| {
        for passing in ["exp", "iat", "nbf", "jti"] {
            claims.remove(passing);
        }
        serde_json::Value::Object(claims).to_string()
    });
    Ok(Some(hash(claims.as_deref().unwrap_or(text.expose()).as_bytes())))
}

/// The sign-in of the profile whose token is the subject.
fn of_sign_in(world: &mut World, who: &Who, profile: &str) -> Result<String, Error> {
    let record = subject(world, who, profile)?.load()?;
    let login = record.map(|record| record.login());
    Ok(hash(format!("{profile}\0{login:?}").as_bytes()))
}

/// The profile whose token is the subject.
pub(super) fn subject(world: &mut World, who: &Who, profile: &str) -> Result<Session, Error> {
    let choice = Overrides {
        profile: Some(profile.to_owned()),
        implied: true,
        no_cache: who.choice.no_cache,
        subject_of: [who.choice.subject_of.clone(), vec![who.name.clone()]].concat(),
        ..Overrides::default()
    };
    Session::open(world, choice)
}
