//! The user confirms the sign-in on a device of their own (OpenID CIBA, poll mode). This program
//! opens no browser; it polls for the response.

use std::sync::mpsc::channel;
use std::time::Duration;

use crate::config::GrantKind;
use crate::error::Error;
use crate::grant::Asking;
use crate::grant::poll::{self, Polling};
use crate::protocol::ciba::{self, Hint, More};
use crate::protocol::token_response::Answer;
use crate::secret::Secret;
use crate::text::safe;
use crate::world::World;

/// The account, the request, and how long to wait for the user.
pub struct Wish<'a> {
    pub scopes: &'a [String],
    pub hint: &'a Hint,
    pub more: &'a More,
    pub timeout: Duration,
}

/// Asks the user on another device, and polls for the decision.
pub fn obtain(
    world: &mut World,
    asking: &Asking,
    Wish { scopes, hint, more, timeout }: Wish<'_>,
) -> Result<Answer, Error> {
    let provider = &asking.provider;
    let Some(endpoint) = &provider.ciba else {
        let refused = format!("provider `{}` offers no sign-in on another device (CIBA)", safe(&provider.id));
        return Err(Error::usage(refused).hint(asking.profile.login()));
    };
    let mut scopes = scopes.to_vec();
    // section 7.1: `openid` is required
    if !scopes.iter().any(|s| s == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    let scope = (provider.scopes.param.as_str(), scopes.join(&provider.scopes.separator));
    let request = asking.request("backchannel authentication", endpoint, ciba::request(scope, hint, more))?;
    let started = poll::start(world, asking, &request, |response| ciba::read_start(response, &endpoint.ok_status))?;
    let (to, signals) = channel();
    world.signals.watch(to);
    world.say(&format!("{} asks for your consent on a device of yours.", safe(&provider.name)));
    if let Some(message) = &more.binding_message {
        world.say(&format!("It shows there:  {}", safe(message)));
    }
    poll::say_limit(world, started.expires_in);
    let polling = Polling {
        endpoint: provider.token.endpoint.clone(),
        params: vec![
            ("grant_type", Secret::unlisted(GrantKind::Ciba.grant_type())),
            ("auth_req_id", started.auth_req_id.clone()),
        ],
        interval: started.interval,
        expires_in: started.expires_in,
        timeout,
        undecided: "nobody confirmed the sign-in in time",
    };
    poll::until_decided(world, asking, &polling, &signals)
}
