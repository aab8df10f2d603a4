//! `introspect`: asks the provider about the stored token, without a refresh; prints JSON.

use clap::Args;
use serde_json::Value;

use crate::command::{Global, WhoArgs, print, sandbox_session};
use crate::error::{Error, Kind};
use crate::grant::introspect;
use crate::session::matching::must_be_ours;
use crate::session::no_token;
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl introspect work
  oauthctl introspect work --refresh-token")]
pub struct IntrospectArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// Ask about the refresh token.
    #[arg(long)]
    pub refresh_token: bool,
    /// Accept only a signed response (RFC 9701).
    #[arg(long)]
    pub signed: bool,
}

/// Exit code 0: the token is active. 4: the provider says that it isn't.
pub fn run(args: IntrospectArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut session = sandbox_session::open(world, args.who.choice(global))?;
    let record = session.load_if_any(world)?;
    session.choose_variant(world, record.as_ref())?;
    must_be_ours(world, &session, record.as_ref())?;
    let provider = session.provider_with(world, record.as_ref(), |provider| {
        provider.introspect.as_ref().is_some_and(|it| it.url.is_some()) && provider.identity.jwks_uri.is_some()
    })?;
    session.unmoved("introspect.url")?;
    let main = record.as_ref().and_then(|r| r.token.as_ref()).ok_or_else(|| no_token(world, &session))?;
    let set = match &session.variant {
        Some(variant) => record.as_ref().and_then(|r| r.beside(variant)).ok_or_else(|| session.none_beside(variant))?,
        None => main,
    };
    let missing = || Error::usage(format!("`{}` has no refresh token", session.name));
    let about = match args.refresh_token {
        true => (set.refresh_token.as_ref().ok_or_else(missing)?, "refresh_token"),
        false => (&set.access_token, "access_token"),
    };
    let Some(endpoint) = provider.introspect.as_ref().filter(|it| it.url.is_some()) else {
        return Err(Error::usage(format!("no introspection endpoint is known for `{}`", safe(&provider.id)))
            .hint("add `[introspect] url = …` to the provider's file, if the provider has one"));
    };
    let client = session.require_client(world, record.as_ref())?;
    let mut ring = session.key_ring();
    let asking = session.asking_with(&provider, &client);
    let members = introspect::ask(world, &asking, endpoint, &mut ring, about, args.signed)
        .map_err(|e| e.or_hint(|| format!("`{} -v` shows request and response", asking.profile.line("introspect"))))?;
    let active = members.get("active") == Some(&Value::Bool(true));
    print(world, format!("{}\n", Value::Object(members)).as_bytes())?;
    if !active {
        world.say("the provider says that this token is not active");
    }
    Ok(if active { 0 } else { Kind::LoginFirst.exit_code() })
}
