//! The user confirms the sign-in on a device of their own (OpenID CIBA, poll mode). This program
//! opens no browser; it polls for the response.

use std::sync::mpsc::channel;
use std::time::Duration;

use crate::config::GrantKind;
use crate::error::Error;
use crate::grant::poll::{self, Polling};
use crate::grant::{Aim, Asking};
use crate::protocol::ciba::{self, Hint, More};
use crate::protocol::token_response::Answer;
use crate::text::safe;
use crate::world::World;

/// The account, the request, and how long to wait for the user.
pub struct Wish<'a> {
    pub aim: Aim<'a>,
    pub hint: &'a Hint,
    pub more: &'a More,
    pub timeout: Duration,
}

/// Asks the user on another device, and polls for the decision.
pub fn obtain(
    world: &mut World,
    asking: &Asking,
    Wish { aim, hint, more, timeout }: Wish<'_>,
) -> Result<Answer, Error> {
    let provider = &asking.provider;
    let Some(endpoint) = &provider.ciba else {
        let refused = format!("provider `{}` offers no sign-in on another device (CIBA)", safe(&provider.id));
        return Err(Error::usage(refused).hint(asking.profile.login()));
    };
    let mut scopes = aim.scopes.to_vec();
    // section 7.1: `openid` is required
    if !scopes.iter().any(|s| s == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    let mut params = ciba::request(hint, more);
    Aim { scopes: &scopes, ..aim }.add_to(provider, &mut params)?;
    let request = asking.request("backchannel authentication", endpoint, params)?;
    let read = |response: &_| ciba::read_start(response, &endpoint.ok_status, &asking.provider.response);
    let started = poll::start(world, asking, &request, read)?;
    let (to, signals) = channel();
    world.signals.watch(to);
    world.say(&format!("{} asks for your consent on a device of yours.", safe(&provider.name)));
    if let Some(message) = &more.binding_message {
        world.say(&format!("It shows there:  {}", safe(message)));
    }
    poll::say_limit(world, started.expires_in);
    let polling = Polling {
        endpoint: provider.token.endpoint.clone(),
        params: poll::params(GrantKind::Ciba.grant_type(), ("auth_req_id", &started.auth_req_id), aim),
        interval: started.interval,
        expires_in: started.expires_in,
        timeout,
        undecided: "nobody confirmed the sign-in in time",
    };
    poll::until_decided(world, asking, &polling, &signals)
}
