//! `userinfo`: what the provider tells of whoever signed in, as JSON.

use clap::Args;
use serde_json::Value;

use crate::api;
use crate::command::{Global, WhoArgs, practice, print};
use crate::error::{Error, Kind};
use crate::protocol::jose;
use crate::session::fresh::{Want, fresh, instead_of};
use crate::store::{StoreKind, environment};
use crate::world::World;

#[derive(Args, Debug)]
pub struct UserinfoArgs {
    #[command(flatten)]
    pub who: WhoArgs,
}

pub fn run(args: UserinfoArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut session = practice::open(world, args.who.choice(global))?;
    let mut set = fresh(world, &mut session, Want::default())?;
    let record = session.load()?;
    let provider = session.whole_provider(world, record.as_ref())?;
    let client = session.require_client(world, &provider, record.as_ref())?;
    let id_token = record.as_ref().and_then(|r| r.token.as_ref()).and_then(|set| set.id_token.as_ref());
    let of_login = id_token.and_then(|token| jose::unverified_claims(token.expose()).ok());
    let mut ring = session.key_ring(&provider, record.as_ref());
    let name = session.name.clone();
    let from_outside = session.store.kind() == StoreKind::Environment;
    let mut renewed = false;
    let claims = loop {
        let binding = session.binding(world, &set)?;
        let token = (&set, &binding);
        match api::userinfo::ask(world, &provider, &client, &mut ring, token, of_login.as_ref(), &name) {
            Ok(claims) => break claims,
            // T-61: revoked before its time; one renewal, one more attempt
            Err(e) if e.kind == Kind::LoginFirst && !renewed && !from_outside => {
                world.step(|| format!("{}: renewing the token once", e.message));
                set = instead_of(world, &mut session, &set)?;
                renewed = true;
            }
            Err(e) if e.kind == Kind::LoginFirst && from_outside => {
                let variable = environment::variable_name(&name);
                return Err(e.hint(format!("the token comes from the variable {variable}: set another")));
            }
            Err(e) if e.kind == Kind::LoginFirst => return Err(e.hint(format!("oauthctl login {name}"))),
            Err(e) => {
                return Err(e.or_hint(|| format!("`oauthctl userinfo {name} -v` shows what was sent and answered")));
            }
        }
    };
    print(world, format!("{}\n", Value::Object(claims)).as_bytes())?;
    Ok(0)
}
