//! Go's `GOAUTH` command (`go help goauth`): it runs before the first request, and again with the
//! address after a refusal. The answer is addresses, and the header that they get.

use clap::Args;
use zeroize::Zeroizing;

use super::MOST;
use super::chosen::Chosen;
use crate::address::Service;
use crate::command::{Global, print};
use crate::error::Error;
use crate::secret::Secret;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`; any other
host gets none. With `--profile` go has it before its first request, and saves one for each host.

To set it up (go 1.24 or later):
  oauthctl profile set work helper-hosts go.example.com
  go env -w GOAUTH='oauthctl helper goauth --profile work'

Examples:
  oauthctl helper goauth https://go.example.com/private/module"
)]
pub struct GoauthArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// The address that refused a request; go adds it itself.
    #[arg(value_name = "URL")]
    url: Option<String>,
}

pub fn run(args: &GoauthArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let of_web = |service: &Service| service.url().is_some();
    let (services, set) = match &args.url {
        Some(url) => {
            // the response that refused; go ends it, and it tells nothing that is needed
            let _ = world.terminal.read_stdin(MOST);
            (Service::of(url).into_iter().collect(), args.chosen.at(world, global, url)?)
        }
        None if args.chosen.profile.is_none() => return Ok(0),
        None => {
            let services: Vec<Service> = args.chosen.services(world)?.into_iter().filter(of_web).collect();
            let set = match services.first() {
                Some(service) => args.chosen.set(world, global, service)?,
                None => None,
            };
            (services, set)
        }
    };
    let Some(set) = set else { return Ok(0) };
    print(world, answer(&services, &set.access_token).as_bytes()).map(|()| 0)
}

/// Each address in a line, an empty line, the header, an empty line.
fn answer(services: &[Service], token: &Secret) -> Zeroizing<String> {
    let addresses: String = services.iter().map(|service| format!("{service}\n")).collect();
    Zeroizing::new(format!("{addresses}\nAuthorization: Bearer {}\n\n", token.expose()))
}
