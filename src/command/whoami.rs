//! `whoami`: whose token it is, asked of the provider by its cheapest check, so that the token is known to work.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::api;
use crate::command::userinfo::renewed_once;
use crate::command::{Global, TextOrJson as Format, WhoArgs, pace, practice, print};
use crate::error::Error;
use crate::session::fresh::{Want, fresh};
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
    let set = fresh(world, &mut session, Want::default())?;
    let mut pace = pace(&session, &provider);
    let account = renewed_once(world, &mut session, set, |world, session, set| {
        let mut set = set.clone();
        // the token's copy has the token alone; what the login brought fills the address
        if let Some(kept) = record.as_ref().and_then(|r| r.token.as_ref()).filter(|_| set.extra.is_empty()) {
            set.extra.clone_from(&kept.extra);
        }
        let binding = session.binding(world, &set)?;
        api::whoami::ask(world, &provider, check, (&set, &binding), &mut pace, Duration::MAX)
    })?;
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
