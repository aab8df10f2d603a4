//! `userinfo`: the provider's claims about the user who signed in, as JSON.

use clap::Args;
use serde_json::{Map, Value};

use crate::api;
use crate::command::{Global, WhoArgs, print, sandbox_session};
use crate::error::{Error, Kind};
use crate::protocol::jose;
use crate::session::Session;
use crate::session::fresh::{FreshnessPolicy, fresh, instead_of};
use crate::session::matching::matching;
use crate::store::StoreKind;
use crate::token::TokenSet;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl userinfo work")]
pub struct UserinfoArgs {
    #[command(flatten)]
    pub who: WhoArgs,
}

pub fn run(args: UserinfoArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut session = sandbox_session::open(world, args.who.choice(global))?;
    let claims = claims(world, &mut session)?;
    print(world, format!("{}\n", Value::Object(claims)).as_bytes())?;
    Ok(0)
}

/// Asks the provider with a fresh token.
pub fn claims(world: &mut World, session: &mut Session) -> Result<Map<String, Value>, Error> {
    // the kernel's copy doesn't say which other hosts may get the token
    let set = fresh(world, session, FreshnessPolicy { whole: true, ..FreshnessPolicy::default() })?;
    let record = session.load()?;
    let record = matching(world, session, record.as_ref())?.cloned();
    let provider = session.provider_with(world, record.as_ref(), |provider| {
        provider.userinfo.url.is_some() && provider.identity.jwks_uri.is_some()
    })?;
    session.unmoved("userinfo.url")?;
    let client = session.require_client(world, record.as_ref())?;
    let id_token = record.as_ref().and_then(|r| r.token.as_ref()).and_then(|set| set.id_token.as_ref());
    let of_login = id_token.and_then(|token| jose::unverified_claims(token.expose()).ok());
    let mut ring = session.key_ring();
    let typed = session.typed.clone();
    renewed_once(world, session, set, |world, session, set| {
        let binding = session.binding(world, set)?;
        api::userinfo::ask(world, &provider, &client, &mut ring, (set, &binding), of_login.as_ref(), &typed).map_err(
            |e| match e.kind {
                Kind::LoginFirst => e,
                _ => e.or_hint(|| format!("`{} -v` shows request and response", typed.line("userinfo"))),
            },
        )
    })
}

/// Asks with the token, and again with a refreshed one if the provider refuses it (T-61).
fn renewed_once<T>(
    world: &mut World,
    session: &mut Session,
    set: TokenSet,
    mut ask: impl FnMut(&mut World, &mut Session, &TokenSet) -> Result<T, Error>,
) -> Result<T, Error> {
    let refused = match ask(world, session, &set) {
        Err(e) if e.kind == Kind::LoginFirst => e,
        told => return told,
    };
    if session.store.kind() == StoreKind::Environment {
        let variable = session.token_variable(world);
        return Err(refused.hint(format!("the token comes from the variable {variable}: set another")));
    }
    world.step(|| format!("{}: refreshing the token once", refused));
    let set = instead_of(world, session, &set)?;
    ask(world, session, &set).map_err(|e| match e.kind {
        Kind::LoginFirst => e.or_hint(|| session.typed.login()),
        _ => e,
    })
}
