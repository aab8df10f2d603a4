//! The person confirms on a device of their own (OpenID CIBA, poll mode): nothing opens here, and
//! the answer is polled for.

use std::time::Duration;

use crate::config::GrantKind;
use crate::error::{Error, Kind, is_wrong_client};
use crate::grant::poll::{self, Polling};
use crate::grant::{Asking, redirected, send, token_endpoint};
use crate::protocol::answer::Answer;
use crate::protocol::ciba::{self, Hint, More};
use crate::protocol::device::StartError;
use crate::secret::Secret;
use crate::text::{Typed, safe};
use crate::world::World;

/// Who is asked for what, and how long the answer is waited for.
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
        return Err(Error::usage(format!(
            "provider `{}` offers no sign-in on another device (CIBA)",
            safe(&provider.id)
        ))
        .hint(asking.profile.login()));
    };
    let mut scopes = scopes.to_vec();
    // section 7.1: `openid` is required
    if !scopes.iter().any(|s| s == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    let scope = (provider.scopes.param.as_str(), scopes.join(&provider.scopes.separator));
    let params = ciba::request(scope, hint, more);
    let request = asking.request("backchannel authentication", endpoint, params)?;
    let response = send(world, &request)?;
    if let Some(error) = redirected(&response, "the sign-in on another device can't be started") {
        return Err(error);
    }
    let started = ciba::read_start(&response, &endpoint.ok_status).map_err(|e| refused(e, &asking.profile))?;
    let (signals, heard) = std::sync::mpsc::channel();
    world.signals.watch(signals);
    world.say(&format!("{} asks for your consent on a device of yours.", safe(&provider.name)));
    if let Some(message) = &more.binding_message {
        world.say(&format!("It shows there:  {}", safe(message)));
    }
    world.say(&format!(
        "Only if you began this sign-in yourself. Waiting for at most {} min.",
        started.expires_in.div_ceil(60)
    ));
    let polling = Polling {
        endpoint: token_endpoint(provider),
        params: vec![
            ("grant_type", Secret::unlisted(GrantKind::Ciba.grant_type())),
            ("auth_req_id", started.auth_req_id.clone()),
        ],
        interval: Duration::from_secs(started.interval),
        limit: Duration::from_secs(started.expires_in).min(timeout),
        nobody: "nobody confirmed the sign-in in time",
    };
    let answer = poll::until_decided(world, asking, &polling, &heard);
    if answer.is_err() {
        world.signals.release();
    }
    answer
}

fn refused(e: StartError, profile: &Typed) -> Error {
    let kind = match &e {
        StartError::Refused { status, .. } if *status == 429 || *status >= 500 => Kind::TryLater,
        StartError::Refused { code: Some(code), .. } => match code.as_str() {
            "access_denied" | "invalid_scope" | "unknown_user_id" | "expired_login_hint_token" => Kind::Refused,
            _ => Kind::Usage,
        },
        StartError::Refused { .. } => Kind::Usage,
        _ => Kind::Unsafe,
    };
    let unknown = matches!(&e, StartError::Refused { code: Some(code), .. } if code == "unknown_user_id");
    let wrong_client =
        matches!(&e, StartError::Refused { code: Some(code), status, .. } if is_wrong_client(code, *status));
    let error = Error { wrong_client, ..Error::new(kind, "the sign-in on another device can't be started") }.cause(e);
    match unknown {
        true => error.hint("name the account as the provider knows it: `--login-hint`"),
        false => error.hint(format!("with a browser: {}", profile.login_by("authorization-code"))),
    }
}
