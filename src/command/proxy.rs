//! `proxy`: an address on loopback that stands for the provider's API. The token is added here, so
//! that the program that sends the requests never sees it.

use clap::Args;

use crate::api::path_rule::Rule;
use crate::command::keeper::{End, Keeper};
use crate::command::sandbox::ended_by;
use crate::command::{Global, WhoArgs, print, provider_to_call, sandbox_session};
use crate::error::Error;
use crate::text::safe;
use crate::world::World;

#[derive(Args, Debug)]
#[command(after_help = "The address on standard output stands for the API's: whoever knows it can send requests as the
login, until Ctrl-C. A request gets the token, the provider's own headers and, where the token is
bound to a key or a certificate, its proof. `Cookie`, `Authorization`, `Origin` and `Referer` of the
client are left out, and `Set-Cookie` of the API. An expired token is refreshed; a login that ended
or was made again counts at once. The provider's limits are kept as `call` keeps them. Another host
of the API's (`api.hosts`) is asked by its whole address as the path, without `--allow`:
`ADDRESS/https://uploads.example.com/x`. `-v` shows each request.

A rule names a path below the API's address: `*` is a part of one segment, `**` any number of
segments. GET admits HEAD. A server that takes another method from the query is not held by it.

Examples:
  oauthctl proxy work
  oauthctl proxy work --allow GET --allow POST,PUT:/contacts/*/notes")]
pub struct ProxyArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// The port; any free one if none is given.
    #[arg(long)]
    pub port: Option<u16>,
    /// Let only such requests pass: `METHOD:PATH`, or one of the two; may be given several times.
    #[arg(long, value_name = "RULE", value_parser = Rule::parse)]
    pub allow: Vec<Rule>,
}

pub fn run(args: ProxyArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut session = sandbox_session::open(world, args.who.choice(global))?;
    let name = safe(&session.name);
    let mut keeper = Keeper::new();
    let only = args.allow.iter().map(|rule| safe(&rule.to_string())).collect::<Vec<_>>().join(", ");
    let (provider, _) = provider_to_call(world, &mut session, false)?;
    let address = keeper.serve(world, session, (args.port, args.allow))?;
    let api = safe(provider.api.base_url.as_deref().unwrap_or_default());
    let rules = if only.is_empty() { String::new() } else { format!(" ({only})") };
    world.say(&format!("requests to this address go to {api} as `{name}`{rules}, until Ctrl-C"));
    print(world, format!("{}\n", address.expose()).as_bytes())?;
    match keeper.run(world)? {
        End::Signal(signal) => Ok(ended_by(signal)),
        End::Ended => Ok(0),
    }
}
