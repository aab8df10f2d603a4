//! Go's `GOAUTH` command (`go help goauth`): it runs before the first request, and again with the
//! address after a refusal. The answer is addresses, and the header that they get.

use clap::Args;
use zeroize::Zeroizing;

use super::MOST;
use super::chosen::{Chosen, Header};
use crate::address::Service;
use crate::command::{Global, print};
use crate::error::Error;
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The token goes to the API that it was obtained for, and to the profile's `helper-hosts`; any other
host gets none. With `--profile` go has it before its first request, and saves one for each host; a
token that is refused then (401) is refreshed, once.

To set it up (go 1.24 or later):
  oauthctl profile set work helper-hosts go.example.com
  oauthctl helper install goauth --profile work

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
    let (services, given) = match &args.url {
        Some(url) => {
            let answered = world.terminal.read_stdin(MOST).unwrap_or_default();
            if let Some(service) = args.has_given(world, url)?.filter(|_| is_unauthorized(&answered)) {
                args.chosen.refused(world, global, (&service, None))?;
            }
            (Service::of(url).into_iter().collect(), args.chosen.header_at(world, global, url)?)
        }
        None if args.chosen.profile.is_none() => return Ok(0),
        None => {
            let services: Vec<Service> = args.chosen.services(world)?.into_iter().filter(of_web).collect();
            let set = match services.first() {
                Some(service) => args.chosen.header_at(world, global, &service.to_string())?,
                None => None,
            };
            (services, set)
        }
    };
    let Some((_, header)) = given else { return Ok(0) };
    print(world, answer(&services, &header).as_bytes()).map(|()| 0)
}

impl GoauthArgs {
    /// The service, if its token was in the answer before the first request.
    fn has_given(&self, world: &World, url: &str) -> Result<Option<Service>, Error> {
        let Ok(service) = Service::of(url) else { return Ok(None) };
        let before = match self.chosen.profile {
            Some(_) => self.chosen.services(world)?,
            None => Vec::new(),
        };
        Ok(Some(service).filter(|service| before.contains(service)))
    }
}

/// Whether the response's status is 401.
fn is_unauthorized(response: &str) -> bool {
    response.split_whitespace().nth(1) == Some("401")
}

/// Each address in a line, an empty line, the header, an empty line.
fn answer(services: &[Service], header: &Header) -> Zeroizing<String> {
    let addresses: String = services.iter().map(|service| format!("{service}\n")).collect();
    Zeroizing::new(format!("{addresses}\n{}: {}\n\n", header.name, *header.value))
}
