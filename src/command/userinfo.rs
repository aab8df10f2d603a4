//! `userinfo`: what the provider tells of whoever signed in, as JSON.

use clap::Args;
use serde_json::Value;

use crate::api;
use crate::command::{Global, WhoArgs, practice, print};
use crate::error::{Error, Kind};
use crate::protocol::jose;
use crate::session::fresh::{Want, fresh};
use crate::world::World;

#[derive(Args, Debug)]
pub struct UserinfoArgs {
    #[command(flatten)]
    pub who: WhoArgs,
}

pub fn run(args: UserinfoArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut session = practice::open(world, args.who.choice(global))?;
    let set = fresh(world, &mut session, Want::default())?;
    let record = session.load()?;
    let provider = session.whole_provider(world, record.as_ref())?;
    let client = session.require_client(world, &provider, record.as_ref())?;
    let id_token = record.as_ref().and_then(|r| r.token.as_ref()).and_then(|set| set.id_token.as_ref());
    let of_login = id_token.and_then(|token| jose::unverified_claims(token.expose()).ok());
    let mut ring = session.key_ring(&provider, record.as_ref());
    let binding = session.binding(world, &set)?;
    let claims = api::userinfo::ask(world, &provider, &client, &mut ring, (&set, &binding), of_login.as_ref())
        .map_err(|e| match e.kind {
            // OpenID Connect Core, section 5.3: the token must have been asked for with `openid`
            Kind::Refused => e.or_hint(|| format!("oauthctl login {} --scope openid", session.name)),
            _ => e.or_hint(|| format!("`oauthctl userinfo {} -v` shows what was sent and answered", session.name)),
        })?;
    print(world, format!("{}\n", Value::Object(claims)).as_bytes())?;
    Ok(0)
}
