//! `whoami`: whose token it is, asked of the provider by its cheapest check, so that the token is known to work.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::api;
use crate::api::exchange::{Aftermath, means_expired};
use crate::api::whoami::Told;
use crate::command::call::answer::{self, Who};
use crate::command::{Global, TextOrJson as Format, WhoArgs, pace, practice, print};
use crate::error::Error;
use crate::session::fresh::{Want, fresh, instead_of};
use crate::store::StoreKind;
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
pub struct WhoamiArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
}

pub fn run(args: WhoamiArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut session = practice::open(world, args.who.choice(global))?;
    let record = session.load().ok().flatten();
    let provider = session.provider(world, record.as_ref())?;
    let Some(check) = &provider.whoami else {
        return Err(Error::usage(format!("nobody knows how to ask `{}` whose token it is", safe(&provider.id)))
            .hint("add `[whoami] url = …` to the provider's file"));
    };
    let mut set = fresh(world, &mut session, Want::default())?;
    let kept = record.as_ref().and_then(|r| r.token.as_ref());
    // a token from outside is used as it is
    let mut renewable = session.store.kind() != StoreKind::Environment;
    let mut pace = pace(&session, &provider);
    let account = loop {
        // the token's copy has the token alone; what the login brought fills the address
        if let Some(kept) = kept.filter(|_| set.extra.is_empty()) {
            set.extra.clone_from(&kept.extra);
        }
        let binding = session.binding(world, &set)?;
        match api::whoami::ask(world, &provider, check, (&set, &binding), &mut pace, Duration::MAX)? {
            Told::Account(account) => break account,
            // T-61: revoked before its time; one renewal, one more attempt
            Told::Refused { status, body, .. } if renewable && means_expired(&provider, status, &body) => {
                world.step(|| "the API says that the token has expired: renewing it once".to_owned());
                set = instead_of(world, &mut session, &set)?;
                renewable = false;
            }
            Told::Refused { status, headers, body } => {
                let who = Who {
                    profile: session.name.clone(),
                    store: session.store.kind(),
                    stranger: false,
                    aftermath: Aftermath::default(),
                };
                let mut error = answer::refused(&who, &provider, status, &headers, &body, world.clock.now());
                error.message = format!("the check of the token answered {status}");
                return Err(error);
            }
        }
    };
    let text = match (args.format, &account) {
        (Format::Json, _) => {
            json!({ "profile": session.name, "provider": provider.id, "account": account, "token": "works" })
                .to_string()
        }
        (Format::Text, Some(account)) => safe(account),
        // some checks prove the token and say nothing of the person
        (Format::Text, None) => {
            world.say(&format!(
                "the token of `{}` works; {} doesn't say whose it is",
                session.name,
                safe(&provider.name)
            ));
            return Ok(0);
        }
    };
    print(world, format!("{text}\n").as_bytes())?;
    Ok(0)
}
