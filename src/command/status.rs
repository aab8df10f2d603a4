//! `status`: one profile in full, and the next step. No part of a secret is printed.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::command::{Global, TextOrJson as Format, WhoArgs, duration, fitted, list, print};
use crate::error::{Error, Kind};
use crate::protocol::dpop::Dpop;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::session::record::{End, Record};
use crate::session::standing::{Standing, standing};
use crate::session::variant::Beside;
use crate::session::{Session, rule};
use crate::store::StoreKind;
use crate::text::safe;
use crate::text::times::{self, rfc3339};
use crate::token::Freshness;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl status work
  oauthctl status work --format json
  oauthctl status work --check --within 7d")]
pub struct StatusArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// The form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
    /// Print nothing if no person is needed; otherwise exit with code 4 and say why.
    #[arg(long, conflicts_with = "format")]
    pub check: bool,
    /// With `--check`: nor within this time: `12h`, `7d`.
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "check")]
    pub within: Option<Duration>,
}

/// Exit code 0: `token` needs no login. 4: a login is needed. 5: the store can't be read.
pub fn run(args: StatusArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let choice = args.who.choice(global);
    let names_place = choice.names_place();
    let mut session = Session::open(world, choice)?;
    if names_place {
        session.shared_provider()?;
    }
    session.look_further(world)?;
    let standing = standing(world, &session);
    let kept = standing.record.as_ref().is_some_and(|r| r.token.is_some() || r.unfinished.is_some());
    if standing.trouble.is_none() && !kept {
        // an error that no login can fix comes first
        session.raw_provider()?;
    }
    let next = next(world, &session, &standing);
    if args.check {
        return match next.login_needed {
            true => Err(Error::new(Kind::LoginFirst, format!("`{}` needs a person", session.name)).hint(next.words)),
            false => check(world, &session, standing, args.within.unwrap_or_default()),
        };
    }
    list::warn_of_end(world, &standing);
    let text = match args.format {
        Format::Json => {
            let mut object = json!(list::Shown::of(world, &standing));
            object["place"] = standing.place.as_str().into();
            if let Some(rule) = rule::of(world, &session) {
                object["chosen_by"] = rule.into();
            }
            object["other_tokens"] = beside(&standing).map(as_json).collect();
            object["next"] = next.words.as_str().into();
            if let Some(until) = session.store.unlocked_until() {
                object["unlocked_until"] = rfc3339(until).into();
            }
            format!("{object}\n")
        }
        Format::Text => fitted(world, &text(world, &session, &standing, &next.words), 15),
    };
    print(world, text.as_bytes())?;
    Ok(match (&standing.trouble, next.login_needed) {
        (Some(e), _) => e.kind.exit_code(),
        (None, true) => Kind::LoginFirst.exit_code(),
        (None, false) => 0,
    })
}

/// An error if a person must sign in within this time.
fn check(world: &World, session: &Session, standing: Standing, within: Duration) -> Result<u8, Error> {
    let renewable = renewable(session, &standing);
    let alone = standing.record.and_then(|r| r.token).filter(|_| !renewable).and_then(|set| set.expires_at);
    let alone = alone.map(|at| End { at, life: 0, unused: false });
    match (standing.trouble, standing.ends.or(alone)) {
        (Some(e), _) => Err(e),
        (None, Some(end)) if end.at.saturating_sub(world.clock.now()) <= within.as_secs() as i64 => {
            let now = world.clock.now();
            let verb = if end.at > now { "ends" } else { "ended" };
            let words = format!("the login of `{}` {verb} {}", session.name, in_time(&end, now));
            Err(Error::login_first(&session.typed, words))
        }
        _ => Ok(0),
    }
}

/// Whether another token is obtained without a person, as far as this machine knows.
fn renewable(session: &Session, standing: &Standing) -> bool {
    if session.store.kind() == StoreKind::Lent {
        return true;
    }
    if went_to(standing).is_some() {
        return false;
    }
    let by_refresh = |p: Provider| standing.record.as_ref().is_some_and(|record| record.is_refreshable(&p));
    !standing.grant.needs_person() || session.raw_provider().map_or(true, by_refresh)
}

/// Who got the login by `export --to`, and renews it.
fn went_to(standing: &Standing) -> Option<&str> {
    standing.record.as_ref().and_then(|record| record.moved_to.as_deref())
}

struct Next {
    words: String,
    login_needed: bool,
}

impl Next {
    fn login(words: String) -> Next {
        Next { words, login_needed: true }
    }

    fn alone(words: impl Into<String>) -> Next {
        Next { words: words.into(), login_needed: false }
    }

    fn sign_in(session: &Session, standing: &Standing, why: &str) -> Next {
        let place = if reads_only(standing) { ", on a machine that may renew it" } else { "" };
        Next::login(format!("{why}{place}: {}", session.typed.login()))
    }
}

fn reads_only(standing: &Standing) -> bool {
    standing.record.as_ref().is_some_and(|record| record.withheld.is_some())
}

fn next(world: &World, session: &Session, standing: &Standing) -> Next {
    if let Some(e) = &standing.trouble {
        return Next::alone(e.hints.first().map_or("oauthctl doctor", String::as_str));
    }
    let from_outside = session.store.kind() == StoreKind::Environment;
    let Some(set) = standing.record.as_ref().and_then(|r| r.token.as_ref()) else {
        return without_token(world, session, standing);
    };
    if session.store.kind() == StoreKind::Lent {
        return Next::alone("each command asks the machine that lends it, which refreshes it");
    }
    if !from_outside && let Err(e) = session.raw_provider() {
        return Next::alone(e.hints.last().cloned().unwrap_or_else(|| e.to_string()));
    }
    let freshness = set.freshness(world.clock.now(), None);
    if let Some(to) = went_to(standing) {
        let words = format!(
            "the login went to {}, and is renewed there; `{}` renews it here again",
            safe(to),
            session.typed.line("refresh")
        );
        return Next { words, login_needed: freshness == Freshness::Expired };
    }
    if reads_only(standing) {
        return Next::alone(for_a_reader(freshness, renewable(session, standing)));
    }
    match (freshness, renewable(session, standing)) {
        (Freshness::Unknown, true) if !from_outside => Next::alone(format!(
            "the token is used until the provider refuses it; then `call` refreshes it, and so does `{}`",
            session.typed.line("refresh")
        )),
        (Freshness::Unknown, _) => Next::alone(match from_outside {
            true => {
                let variable = session.token_variable(world);
                format!("the token is used until the provider refuses it; then set {variable} to a new one")
            }
            false => "the token is used until the provider refuses it; then sign in again".to_owned(),
        }),
        (Freshness::Fresh, true) => Next::alone(match set.expires_at {
            Some(at) => format!("`token` prints it, and refreshes it from {} on", rfc3339(at - set.margin())),
            None => "`token` prints it".to_owned(),
        }),
        (Freshness::Stale | Freshness::Expired, true) => Next::alone("the next `token` refreshes it"),
        (Freshness::Fresh | Freshness::Stale, false) => {
            Next::alone("the token can't be refreshed: when it expires, sign in again")
        }
        (Freshness::Expired, false) => Next::sign_in(session, standing, "it can't be refreshed; sign in again"),
    }
}

fn without_token(world: &World, session: &Session, standing: &Standing) -> Next {
    let ended = standing.record.as_ref().is_some_and(|r| r.ended.is_some());
    match session.store.kind() {
        StoreKind::Environment => Next::login(format!("set {}", session.token_variable(world))),
        _ if !standing.grant.needs_person() => {
            Next::alone(format!("`token` requests one with the grant `{}`", standing.grant.name()))
        }
        // a login with this store would lead here again
        StoreKind::None => Next::login(format!("with a store: {}", session.typed.login_with(&[("--store", "STORE")]))),
        _ if ended => Next::sign_in(session, standing, "the provider ended the login; sign in again"),
        _ => Next::sign_in(session, standing, "sign in"),
    }
}

/// For a job that may only read a shared login.
fn for_a_reader(freshness: Freshness, renewable: bool) -> String {
    let now = match freshness {
        Freshness::Fresh | Freshness::Unknown => "`token` prints it",
        Freshness::Stale | Freshness::Expired => "`token` waits for another one, half a minute at most",
    };
    let renewer = match renewable {
        true => "a machine that may renew it does so: `oauthctl refresh --all --due`",
        false => "it can't be refreshed: who may renew it signs in again when it expires",
    };
    format!("{now}; {renewer}")
}

/// `in 3 days, at 2026-11-24T22:00:00Z`.
pub fn in_time(&End { at, unused, .. }: &End, now: i64) -> String {
    let span =
        if at > now { format!("in {}", times::span(at - now)) } else { format!("{} ago", times::span(now - at)) };
    format!("{span}, at {}{}", rfc3339(at), if unused { ", if it is not used" } else { "" })
}

fn text(world: &World, session: &Session, s: &Standing, next: &str) -> String {
    let provider = match session.raw_provider() {
        Ok(p) => format!("{} ({})", safe(&s.provider), safe(&p.name)),
        Err(_) => safe(&s.provider),
    };
    let record = s.record.as_ref();
    let rows = [
        ("profile", Some(s.profile.clone())),
        ("chosen by", rule::of(world, session)),
        ("provider", Some(provider)),
        ("grant", Some(s.grant.name().to_owned())),
        ("store", Some(format!("{}: {}", s.store, s.place))),
        ("unlocked", session.store.unlocked_until().map(|at| format!("until {}", rfc3339(at)))),
        ("client proof", session.proof_words()),
        ("trouble", s.trouble.as_ref().map(|e| e.to_string())),
        ("account", record.and_then(|r| r.account.as_deref()).map(safe)),
        ("client id", record.and_then(|r| r.client_id.as_deref()).map(safe)),
        (
            "client secret",
            record.and_then(|r| r.client_secret.as_ref()).map(|it| format!("in the store, {}", it.fingerprint())),
        ),
        (
            "earlier secret",
            record.and_then(|r| r.earlier_client_secret.as_ref()).map(|it| {
                format!("in the store, {}, until the provider has taken the client secret", it.fingerprint())
            }),
        ),
        (
            "unfinished",
            record.and_then(|r| r.unfinished.as_ref()).map(|_| {
                let (login, logout) = (session.typed.login(), session.typed.line("logout"));
                format!(
                    "the answers given to a login are stored: `{login}` continues with them, `{logout}` deletes them"
                )
            }),
        ),
        ("bound to", record.and_then(bound_to)),
        ("ended", record.and_then(|r| r.ended.as_deref()).map(safe)),
        (
            "this job",
            record.and_then(|r| r.withheld.as_ref()).map(|_| "may only read the access token, not renew it".to_owned()),
        ),
        ("renewed by", record.and_then(|r| r.renewed_by.as_deref()).map(safe)),
        ("signed in", record.and_then(|r| r.login_at).map(rfc3339)),
    ];
    let others = beside(s).map(|other| {
        let expiry = times::good_until(other.token.expires_at, world.clock.now());
        (
            "other token",
            Some(format!("{}: {}, {expiry}", safe(&other.variant.words()), other.token.access_token.fingerprint())),
        )
    });
    let rows = rows.into_iter().chain(token(world, s)).chain(others).chain([("next", Some(next.to_owned()))]);
    rows.filter_map(|(name, value)| Some(format!("{name:14} {}\n", value?))).collect()
}

fn bound_to(record: &Record) -> Option<String> {
    let dpop = Dpop::read(record.dpop_key.clone()?, Default::default()).ok()?;
    Some(format!("a key in the store (DPoP), thumbprint {}", dpop.thumbprint()))
}

/// The login's further tokens.
fn beside(standing: &Standing) -> impl Iterator<Item = &Beside> {
    standing.record.iter().filter(|record| record.token.is_some()).flat_map(|record| &record.variants)
}

fn as_json(Beside { variant, token }: &Beside) -> Value {
    json!({
        "scope": variant.scopes.join(" "),
        "resource": variant.resource,
        "audience": variant.audience,
        "expires_at": token.expires_at.map(rfc3339),
    })
}

/// The rows of the tokens.
fn token(world: &World, s: &Standing) -> [(&'static str, Option<String>); 4] {
    let Some(set) = s.record.as_ref().and_then(|r| r.token.as_ref()) else {
        let token = if s.trouble.is_some() { "not known" } else { "none" };
        return [("token", Some(token.to_owned())), ("refresh token", None), ("login ends", None), ("scopes", None)];
    };
    let expiry = times::good_until(set.expires_at, world.clock.now());
    let refresh = match s.record.as_ref().is_some_and(|record| record.withholds("refresh_token")) {
        true => "there is one, which this job may not read".to_owned(),
        false => set.refresh_token.as_ref().map_or("none".to_owned(), Secret::fingerprint),
    };
    let until = set.refresh_expires_at.map(|at| format!(", expires at {}", rfc3339(at)));
    [
        ("token", Some(format!("{}, {expiry}", set.access_token.fingerprint()))),
        ("refresh token", Some(refresh + &until.unwrap_or_default())),
        ("login ends", s.ends.map(|end| in_time(&end, world.clock.now()))),
        ("scopes", set.scopes.as_ref().map(|scopes| safe(&scopes.join(" ")))),
    ]
}
