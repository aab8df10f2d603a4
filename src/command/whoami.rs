//! `whoami`: the account of the token, by the provider's cheapest check.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::api;
use crate::api::send::{Aftermath, means_expired};
use crate::api::whoami::Told;
use crate::command::call::answer::{self, Who};
use crate::command::{Global, TextOrJson as Format, WhoArgs, pace, print, sandbox_session, userinfo};
use crate::error::{Error, Kind};
use crate::protocol::id_token;
use crate::provider::{Provider, Whoami};
use crate::session::Session;
use crate::session::fresh::{FreshnessPolicy, fresh, instead_of};
use crate::session::matching::matching;
use crate::session::record::Record;
use crate::store::StoreKind;
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl whoami work
  oauthctl whoami work --format json")]
pub struct WhoamiArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// The form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
}

pub fn run(args: WhoamiArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut session = sandbox_session::open(world, args.who.choice(global))?;
    let record = session.load().ok().flatten();
    let record = matching(world, &session, record.as_ref())?.cloned();
    let provider = session.provider(world, record.as_ref())?;
    let account = match &provider.whoami {
        Some(check) => by_check(world, &mut session, (&provider, check), record.as_ref())?,
        None => by_userinfo(world, &mut session, record.as_ref())?,
    };
    let text = match (args.format, &account) {
        (Format::Json, _) => {
            json!({ "profile": session.name, "provider": provider.id, "account": account, "token": "works" })
                .to_string()
        }
        (Format::Text, Some(account)) => safe(account),
        // some checks prove the token, but name no account
        (Format::Text, None) => {
            world.say(&format!(
                "the token of `{}` works; {} doesn't name its account",
                session.name,
                safe(&provider.name)
            ));
            return Ok(0);
        }
    };
    print(world, format!("{text}\n").as_bytes())?;
    Ok(0)
}

/// The account by the userinfo endpoint of an OpenID server.
fn by_userinfo(world: &mut World, session: &mut Session, record: Option<&Record>) -> Result<Option<String>, Error> {
    let provider = session.whole_provider(world, record)?;
    session.unmoved("userinfo.url")?;
    if provider.userinfo.url.is_none() {
        return Err(Error::usage(format!("no check of the account is known for `{}`", safe(&provider.id)))
            .hint("add `[whoami] url = …` or `[userinfo] url = …` to the provider's file"));
    }
    userinfo::claims(world, session).map(|claims| id_token::account(&claims))
}

/// A token from the environment lacks the other values of a login.
fn needs_login(world: &World, session: &Session, e: Error) -> Error {
    match e.kind {
        Kind::LoginFirst if session.store.kind() == StoreKind::Environment => {
            let variable = session.token_variable(world);
            e.hint(format!("unset {variable}, then `{}`", session.typed.login()))
        }
        Kind::LoginFirst => e.hint(session.typed.login()),
        _ => e,
    }
}

/// The account by the check in the provider's file.
fn by_check(
    world: &mut World,
    session: &mut Session,
    (provider, check): (&Provider, &Whoami),
    record: Option<&Record>,
) -> Result<Option<String>, Error> {
    let mut set = fresh(world, session, FreshnessPolicy::default())?;
    let kept = record.and_then(|r| r.token.as_ref());
    // a token from the environment can't be refreshed
    let from_store = session.store.kind() != StoreKind::Environment;
    let mut renewable = from_store;
    let mut pace = pace(session, provider);
    loop {
        // the kernel's copy has the token alone; the URL needs the other values of the login
        if let Some(kept) = kept.filter(|_| set.extra.is_empty()) {
            set.extra.clone_from(&kept.extra);
        }
        let binding = session.binding(world, &set)?;
        let told = api::whoami::ask(world, provider, check, (&set, &binding), &mut pace, Duration::MAX);
        match told.map_err(|e| needs_login(world, session, e))? {
            Told::Account(account, _) => return Ok(account),
            // T-61: revoked before it expired; one refresh, one more attempt
            Told::Refused { status, headers, body }
                if renewable && means_expired(provider, status, &headers, &body) =>
            {
                world.step(|| "the API says that the token has expired: refreshing it once".to_owned());
                set = instead_of(world, session, &set)?;
                renewable = false;
            }
            Told::Refused { status, headers, body } => {
                let who = Who {
                    profile: session.typed.clone(),
                    token_variable: (!from_store).then(|| session.token_variable(world)),
                    stranger: false,
                    is_job: !session.grant(Some(provider), record).needs_person(),
                    scopes: Vec::new(),
                    aftermath: Aftermath::default(),
                };
                let refusal = answer::Refusal { status, headers: &headers, body: &body, with_body: false };
                let error = refusal.error(&who, provider, world.clock.now());
                return Err(error.reworded(format!("the check of the token answered {status}")));
            }
        }
    }
}
