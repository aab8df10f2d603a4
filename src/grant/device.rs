//! A login on a machine without a browser (RFC 8628): the user opens an address on any device and
//! enters a code. The user chooses this grant by name; it is never a fallback, since a code from a
//! stranger signs the stranger in (section 5.4).

use std::sync::mpsc::channel;
use std::time::Duration;

use crate::error::Error;
use crate::grant::poll::{self, Polling};
use crate::grant::stand_in::{Pressed, StandIn};
use crate::grant::{Aim, Asking};
use crate::protocol::device::{self, Started};
use crate::protocol::token_response::Answer;
use crate::provider::{Device, Endpoint};
use crate::secret::Secret;
use crate::text::safe;
use crate::world::{Verbosity, World};

/// Shows the code, and polls until the user has entered it.
pub fn obtain(world: &mut World, asking: &Asking, aim: Aim<'_>, timeout: Duration) -> Result<Answer, Error> {
    let provider = &asking.provider;
    let Some(facts) = &provider.device else {
        let refused = format!("provider `{}` offers no login by device code", safe(&provider.id));
        return Err(Error::usage(refused).hint(asking.profile.login_by("authorization-code")));
    };
    let started = start(world, asking, facts, aim)?;
    let (to, signals) = channel();
    world.signals.watch(to);
    invite(world, asking, &started);
    stand_in(world, asking, &started);
    let polling = Polling {
        endpoint: Endpoint {
            url: facts.poll_url.clone().or(provider.token.url.clone()),
            ..provider.token.endpoint.clone()
        },
        params: poll::params(&facts.grant_type, ("device_code", &started.device_code), aim),
        interval: started.interval,
        expires_in: started.expires_in,
        timeout,
        undecided: "nobody entered the code in time",
    };
    poll::until_decided(world, asking, &polling, &signals)
}

fn start(world: &mut World, asking: &Asking, facts: &Device, aim: Aim<'_>) -> Result<Started, Error> {
    let mut params = Vec::new();
    aim.add_to(&asking.provider, &mut params)?;
    // section 3.1: the id is always a parameter, with any client authentication
    params.push(("client_id", Secret::unlisted(asking.client.id.as_str())));
    let request = asking.request("device", &facts.endpoint, params)?;
    poll::start(world, asking, &request, |response| device::read_start(response, facts, &asking.provider.response))
}

/// Shows the address and the code, and on a terminal also a QR code.
fn invite(world: &mut World, asking: &Asking, started: &Started) {
    let name = safe(&asking.provider.name);
    let here = url::Url::parse(&started.verification_uri)
        .is_ok_and(|url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")));
    let place = if here { "in a browser on this machine" } else { "on any device" };
    world.say(&format!("To sign in to {name}, open this address {place}:"));
    world.say(&format!("\n  {}\n", started.verification_uri));
    world.say(&format!("and enter the code:  {}\n", started.user_code));
    if let Some(complete) = &started.complete_uri {
        world.say(&format!("Or, with the code in it:  {complete}\n"));
        if !here
            && world.terminal.stderr_is_terminal()
            && world.verbosity >= Verbosity::Normal
            && let Ok(code) = fast_qr::QRBuilder::new(complete.as_str()).build()
        {
            world.say(&code.to_str());
        }
    }
    poll::say_limit(world, started.expires_in);
}

/// Shows the ways to decide without a browser at a practice server: its page is on this machine
/// alone.
fn stand_in(world: &mut World, asking: &Asking, started: &Started) {
    let page = started.complete_uri.as_ref().map(|uri| Secret::unlisted(uri.as_str()));
    let Some(page) = page.and_then(|page| StandIn::at(world, &asking.provider, &page)) else { return };
    // input that is not from a terminal may belong to a script
    let types = world.terminal.stdin_is_terminal();
    let typed_here = match types {
        true => "Type `allow` (or `deny`) here and press Enter (it isn't shown); or in",
        false => "In",
    };
    world.say(&format!(
        "No browser on this machine? {typed_here} another terminal of it:\n\n  \
         curl -so /dev/null -d user_code={} -d decision=allow {}\n",
        started.user_code, started.verification_uri
    ));
    if !types {
        return;
    }
    let (lines, typed) = std::sync::mpsc::channel();
    world.terminal.lines(lines);
    std::thread::spawn(move || {
        typed.iter().take_while(|line| page.hears(line.expose()) != Pressed::Done).for_each(drop)
    });
}
