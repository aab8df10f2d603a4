//! A login on a machine without a browser (RFC 8628): a person opens an address anywhere and enters a code. Chosen by name,
//! never a fallback: whoever is sent such a code by somebody else signs in for them (section 5.4).

use std::time::Duration;

use crate::error::{Asked, Error, Kind};
use crate::grant::{Asking, Commit, read, send};
use crate::protocol::answer::Answer;
use crate::protocol::device::{self, Poll, StartError, Started};
use crate::protocol::token_request;
use crate::provider::{ClientAuth, Device, Endpoint};
use crate::secret::Secret;
use crate::text::safe;
use crate::world::{Verbosity, World};

/// The longest pause while the network is in trouble.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub fn obtain(
    world: &mut World,
    asking: &Asking<'_>,
    scopes: &[String],
    timeout: Duration,
    commit: Commit<'_>,
) -> Result<Answer, Error> {
    let provider = asking.provider;
    let Some(facts) = &provider.device else {
        return Err(Error::usage(format!("provider `{}` offers no login by device code", provider.id))
            .hint(format!("oauthctl login {}", asking.profile)));
    };
    let started = start(world, asking, facts, scopes)?;
    invite(world, asking, &started);
    let (signals, heard) = std::sync::mpsc::channel();
    world.signals.watch(signals);
    let answer = poll(world, asking, facts, &started, timeout, &heard, commit);
    if answer.is_err() {
        world.signals.release();
    }
    answer
}

fn start(world: &mut World, asking: &Asking<'_>, facts: &Device, scopes: &[String]) -> Result<Started, Error> {
    let mut params = Vec::new();
    let scope = scopes.join(&asking.provider.scopes.separator);
    if !scope.is_empty() {
        params.push((asking.provider.scopes.param.as_str(), Secret::unlisted(scope)));
    }
    // section 3.1: the id is a parameter, whatever the authentication
    let auth = token_request::usable_auth(&facts.endpoint, asking.client)?;
    if !matches!(auth, ClientAuth::None | ClientAuth::Post) {
        params.push(("client_id", Secret::unlisted(asking.client.id.as_str())));
    }
    let request = token_request::build("device", &facts.endpoint, asking.client, params, None)?;
    let response = send(world, &request)?;
    device::read_start(&response, facts).map_err(|e| {
        let kind = match &e {
            StartError::Refused { status, .. } if *status == 429 || *status >= 500 => Kind::TryLater,
            StartError::Refused { code: Some(code), .. } if code == "invalid_scope" || code == "access_denied" => {
                Kind::Refused
            }
            StartError::Refused { .. } => Kind::Usage,
            _ => Kind::Unsafe,
        };
        Error::new(kind, "the login by device code can't be started").cause(e)
    })
}

/// The address and the code; as a square to photograph where there is a terminal to draw it on.
fn invite(world: &mut World, asking: &Asking<'_>, started: &Started) {
    let name = safe(&asking.provider.name);
    world.say(&format!("To sign in to {name}, open this address on any device:"));
    world.say(&format!("\n  {}\n", started.verification_uri));
    world.say(&format!("and enter the code:  {}\n", started.user_code));
    if let Some(complete) = &started.complete_uri {
        world.say(&format!("Or, with the code in it:  {complete}\n"));
        if world.terminal.stderr_is_terminal()
            && world.verbosity >= Verbosity::Normal
            && let Ok(code) = fast_qr::QRBuilder::new(complete.as_str()).build()
        {
            world.say(&code.to_str());
        }
    }
    world.say(&format!(
        "Only if you began this sign-in yourself. Waiting for at most {} min.",
        started.expires_in.div_ceil(60)
    ));
}

/// Asks again and again, never sooner than the server said.
fn poll(
    world: &mut World,
    asking: &Asking<'_>,
    facts: &Device,
    started: &Started,
    timeout: Duration,
    heard: &std::sync::mpsc::Receiver<i32>,
    commit: Commit<'_>,
) -> Result<Answer, Error> {
    let provider = asking.provider;
    let endpoint = Endpoint { url: facts.poll_url.clone().or(provider.token.url.clone()), ..provider.token.clone() };
    let expired = || {
        Error::new(Kind::NobodyAnswered, "nobody entered the code in time")
            .hint(format!("oauthctl login {}", asking.profile))
    };
    let deadline = world.clock.elapsed() + Duration::from_secs(started.expires_in).min(timeout);
    let mut interval = Duration::from_secs(started.interval);
    let mut pause = interval;
    loop {
        let until = world.clock.elapsed() + pause;
        if until >= deadline {
            wait(world, heard, deadline)?;
            return Err(expired());
        }
        wait(world, heard, until)?;
        let params = vec![
            ("grant_type", Secret::unlisted(facts.grant_type.as_str())),
            ("device_code", started.device_code.clone()),
        ];
        let request = token_request::build("token", &endpoint, asking.client, params, None)?;
        let response = match send(world, &request) {
            Ok(response) => response,
            // section 3.5: back off when the network is in trouble
            Err(e) if e.kind == Kind::TryLater => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                world.step(|| format!("{}: asking again in {} s", e.message, pause.as_secs()));
                continue;
            }
            Err(e) => return Err(e),
        };
        if endpoint.ok_status.contains(&response.status) {
            commit(&response);
            let now = world.clock.now();
            return read(world, asking, Asked::Code, &endpoint, &response, now);
        }
        pause = match device::judge(&response) {
            Poll::Pending => interval,
            Poll::SlowDown => {
                interval += Duration::from_secs(5);
                interval
            }
            Poll::Denied => {
                return Err(Error::new(Kind::Refused, "the sign-in was refused")
                    .hint(format!("oauthctl login {}", asking.profile)));
            }
            Poll::Expired => return Err(expired()),
            Poll::Other if response.status == 429 || response.status >= 500 => (pause * 2).min(LONGEST_PAUSE),
            Poll::Other => {
                let now = world.clock.now();
                return read(world, asking, Asked::Code, &endpoint, &response, now);
            }
        };
    }
}

/// Waits by the clock that goes on while the machine sleeps; a signal ends it.
fn wait(world: &World, heard: &std::sync::mpsc::Receiver<i32>, until: Duration) -> Result<(), Error> {
    loop {
        if let Ok(signal) = heard.try_recv() {
            let kind = if signal == 2 { Kind::Interrupted } else { Kind::Terminated };
            return Err(Error::new(kind, "interrupted; nothing was stored"));
        }
        let left = until.saturating_sub(world.clock.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        world.clock.sleep(left.min(Duration::from_millis(200)));
    }
}
