//! `status`: one profile in full, and what will happen next. Never any part of a secret.

use clap::Args;

use crate::command::{Global, TextOrJson as Format, WhoArgs, fitted, list, print};
use crate::error::{Error, Kind};
use crate::protocol::dpop::Dpop;
use crate::session::Session;
use crate::session::standing::{Standing, standing};
use crate::store::StoreKind;
use crate::text::safe;
use crate::text::times;
use crate::token::Freshness;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl status work
  oauthctl status work --format json")]
pub struct StatusArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// The form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
}

/// Exit 0 when there is a token that can be had without a person, 4 when a login is needed, 5 when
/// the store can't be read.
pub fn run(args: StatusArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut session = Session::open(world, args.who.choice(global))?;
    session.look_further(world)?;
    let standing = standing(world, &session);
    let kept = standing.record.as_ref().is_some_and(|r| r.token.is_some() || r.unfinished.is_some());
    if standing.trouble.is_none() && !kept {
        // what no login can mend is no matter of signing in
        session.raw_provider()?;
    }
    let next = next(world, &session, &standing);
    let text = match args.format {
        Format::Json => {
            let mut object = list::as_json(world, &standing);
            object["place"] = standing.place.as_str().into();
            object["next"] = next.words.as_str().into();
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

struct Next {
    words: String,
    login_needed: bool,
}

fn next(world: &World, session: &Session, standing: &Standing) -> Next {
    let login = |why: &str| Next { words: format!("{why}: {}", session.typed.login()), login_needed: true };
    let renews = |words: String| Next { words, login_needed: false };
    if let Some(e) = &standing.trouble {
        return Next {
            words: e.hints.first().cloned().unwrap_or_else(|| "oauthctl doctor".to_owned()),
            login_needed: false,
        };
    }
    let set = standing.record.as_ref().and_then(|r| r.token.as_ref());
    let by_itself = !standing.grant.needs_person();
    let from_outside = session.store.kind() == StoreKind::Environment;
    let variable = session.token_variable(world);
    let Some(set) = set else {
        if from_outside {
            return Next { words: format!("set {variable}"), login_needed: true };
        }
        return match session.store.kind() {
            _ if by_itself => {
                renews(format!("`token` fetches one by itself, by the grant `{}`", standing.grant.name()))
            }
            // a login that keeps nothing leads back here
            StoreKind::None => {
                let words = format!("with a store: {}", session.typed.login_with(&[("--store", "STORE")]));
                Next { words, login_needed: true }
            }
            _ => login("sign in"),
        };
    };
    let provider = session.raw_provider().ok();
    let renewable = by_itself || provider.as_ref().is_none_or(|p| crate::grant::refresh::spendable(p, set).is_some());
    let now = world.clock.now();
    match (set.freshness(now, None), renewable) {
        (Freshness::Unknown, _) if from_outside => {
            renews(format!("the token is used until the provider refuses it; then set {variable} to a new one"))
        }
        (Freshness::Unknown, _) => {
            renews("the token is used until the provider refuses it; then sign in again".to_owned())
        }
        (Freshness::Fresh, true) => renews(match set.expires_at {
            Some(at) => {
                format!("`token` prints it as it is, and renews it from {} on", times::rfc3339(at - set.margin()))
            }
            None => "`token` prints it as it is".to_owned(),
        }),
        (Freshness::Stale | Freshness::Expired, true) => renews("the next `token` renews it".to_owned()),
        (Freshness::Fresh | Freshness::Stale, false) => {
            renews("the token can't be renewed: when it expires, sign in again".to_owned())
        }
        (Freshness::Expired, false) => login("it can't be renewed; sign in again"),
    }
}

fn text(world: &World, session: &Session, s: &Standing, next: &str) -> String {
    let mut lines: Vec<(&str, String)> = vec![
        ("profile", s.profile.clone()),
        (
            "provider",
            session
                .raw_provider()
                .map_or_else(|_| safe(&s.provider), |p| format!("{} ({})", safe(&s.provider), safe(&p.name))),
        ),
        ("grant", s.grant.name().to_owned()),
        ("store", format!("{}: {}", s.store, s.place)),
    ];
    lines.extend(session.proof_words().map(|words| ("client proof", words)));
    if let Some(e) = &s.trouble {
        lines.push(("trouble", e.message.clone()));
    }
    if let Some(record) = &s.record {
        lines.extend(record.account.as_ref().map(|a| ("account", safe(a))));
        lines.extend(record.client_id.as_ref().map(|id| ("client id", safe(id))));
        lines.extend(
            record
                .client_secret
                .as_ref()
                .map(|secret| ("client secret", format!("in the store, {}", secret.fingerprint()))),
        );
        lines.extend(record.unfinished.as_ref().map(|_| {
            (
                "unfinished",
                format!(
                    "what was typed for a login is kept: `{}` goes on with it, `{}` forgets it",
                    session.typed.login(),
                    session.typed.line("logout")
                ),
            )
        }));
        lines.extend(
            record
                .dpop_key
                .as_ref()
                .and_then(|key| Dpop::read(key.clone(), Default::default()).ok())
                .map(|dpop| ("bound to", format!("a key in the store (DPoP), thumbprint {}", dpop.thumbprint()))),
        );
        lines.extend(record.login_at.map(|at| ("signed in", times::rfc3339(at))));
    }
    match s.record.as_ref().and_then(|r| r.token.as_ref()) {
        None if s.trouble.is_some() => lines.push(("token", "not known".to_owned())),
        None => lines.push(("token", "none".to_owned())),
        Some(set) => {
            lines.push((
                "token",
                format!("{}, {}", set.access_token.fingerprint(), times::good_until(set.expires_at, world.clock.now())),
            ));
            let refresh =
                set.refresh_token.as_ref().map_or_else(|| "none".to_owned(), crate::secret::Secret::fingerprint);
            lines.push((
                "refresh token",
                match set.refresh_expires_at {
                    Some(at) => format!("{refresh}, until {}", times::rfc3339(at)),
                    None => refresh,
                },
            ));
            lines.extend(set.scopes.as_ref().map(|s| ("scopes", safe(&s.join(" ")))));
        }
    }
    lines.push(("next", next.to_owned()));
    lines.iter().map(|(name, value)| format!("{name:14} {value}\n")).collect()
}
