//! Sign-ins on another device: starts one, and polls the token endpoint until the user decides,
//! never sooner than the server said (RFC 8628, section 3.5; CIBA, section 11).

use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::error::{Asked, Error, Kind, unanswered};
use crate::grant::{Aim, Asking, read, redirected, send, taught};
use crate::protocol::api_error::{Told, is_wrong_client};
use crate::protocol::device::{self, Poll, StartError};
use crate::protocol::retry_after;
use crate::protocol::token_request::{Param, targets};
use crate::protocol::token_response::Answer;
use crate::provider::Endpoint;
use crate::secret::Secret;
use crate::wire::{Request, Response};
use crate::world::{Unanswered, World};

/// The longest pause while the network is in trouble.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Sends the request that starts a sign-in on another device, and reads the response.
pub fn start<T>(
    world: &mut World,
    asking: &Asking,
    request: &Request,
    read: impl FnOnce(&Response) -> Result<T, StartError>,
) -> Result<T, Error> {
    let message = "the sign-in on another device can't be started";
    let response = send(world, request)?;
    if let Some(error) = redirected(&response, message) {
        return Err(error);
    }
    read(&response).map_err(|e| {
        let StartError::Refused { status, code, .. } = &e else { return Error::new(Kind::Unsafe, message).cause(e) };
        let code = code.as_deref().unwrap_or_default();
        let kind = match code {
            _ if *status == 429 || *status >= 500 => Kind::TryLater,
            "access_denied" | "invalid_scope" | "unknown_user_id" | "expired_login_hint_token" => Kind::Refused,
            _ => Kind::Usage,
        };
        let hint = match code {
            "unknown_user_id" => "name the account as the provider knows it: `--login-hint`".to_owned(),
            _ => format!("with a browser: {}", asking.profile.login_by("authorization-code")),
        };
        let wrong_client = is_wrong_client(code, *status);
        let told = Told::by_token((response.status, &response.body), (Some(code), None));
        let error = Error { wrong_client, ..Error::new(kind, message) }.cause(e).hint(hint);
        taught(error, &asking.provider, &told)
    })
}

/// A started sign-in, as the token endpoint is polled for it.
pub struct Polling<'a> {
    pub endpoint: Endpoint,
    pub params: Vec<Param<'a>>,
    /// Seconds between two requests.
    pub interval: u64,
    /// Seconds until the server forgets the sign-in.
    pub expires_in: u64,
    /// The user's own limit.
    pub timeout: Duration,
    /// The error's message if the user does not decide in time.
    pub undecided: &'static str,
}

/// The token request's parameters. `by`: the name and the value that the sign-in is known by.
pub fn params<'a>(grant_type: &str, by: (&'a str, &Secret), aim: Aim<'_>) -> Vec<Param<'a>> {
    let mut params = vec![("grant_type", Secret::unlisted(grant_type)), (by.0, by.1.clone())];
    params.extend(targets(&aim.profile.target.resource, &aim.profile.target.audience));
    params
}

/// Tells the user how long the sign-in is waited for.
pub fn say_limit(world: &mut World, expires_in: u64) {
    let minutes = expires_in.div_ceil(60);
    world.say(&format!("Only if you began this sign-in yourself. Waiting for at most {minutes} min."));
}

/// Polls the token endpoint until the user decides. `signals` come from `world.signals`, which an
/// error releases.
pub fn until_decided(
    world: &mut World,
    asking: &Asking,
    polling: &Polling<'_>,
    signals: &Receiver<i32>,
) -> Result<Answer, Error> {
    let answer = poll(world, asking, polling, signals);
    if answer.is_err() {
        world.signals.release();
    }
    answer
}

fn poll(world: &mut World, asking: &Asking, polling: &Polling<'_>, signals: &Receiver<i32>) -> Result<Answer, Error> {
    let endpoint = &polling.endpoint;
    let over = |error: Error| error.hint(asking.profile.login());
    let expired = || over(Error::new(Kind::NobodyAnswered, polling.undecided));
    let deadline = world.clock.elapsed() + Duration::from_secs(polling.expires_in).min(polling.timeout);
    let mut interval = Duration::from_secs(polling.interval);
    let mut pause = interval;
    loop {
        let next = (world.clock.elapsed() + pause).min(deadline);
        wait(world, signals, next)?;
        if next == deadline {
            return Err(expired());
        }
        // a new request each time: a client's proof or assertion is valid once
        let request = asking.request("token", endpoint, polling.params.clone())?;
        let longer = (pause * 2).min(LONGEST_PAUSE);
        let response = match send(world, &request) {
            Ok(response) => response,
            // section 3.5: back off when the network is in trouble
            Err(e) if e.kind == Kind::TryLater => {
                pause = longer;
                world.step(|| format!("{}: asking again in {} s", e, pause.as_secs()));
                continue;
            }
            Err(e) => return Err(e),
        };
        let now = world.clock.now();
        // T-54: the pause that the server asks for is kept, up to a minute
        let wanted = Duration::from_secs(retry_after::of(&response, now).unwrap_or_default());
        // the error decides, not the status: GitHub says `authorization_pending` with 200 (T-08)
        pause = match device::judge(&response, &endpoint.ok_status, &asking.provider.response) {
            Poll::Pending => interval,
            Poll::SlowDown => {
                interval += Duration::from_secs(5);
                interval
            }
            Poll::Denied => {
                let refused = Error::new(Kind::Refused, "the sign-in was refused");
                return Err(over(Error { said_no: true, ..refused }));
            }
            Poll::Expired => return Err(expired()),
            Poll::Other if response.is_unavailable() && wanted <= LONGEST_PAUSE => longer,
            Poll::Given | Poll::Other => return read(world, asking, (Asked::Code, endpoint), (&response, now)),
        };
        pause = pause.max(wanted.min(LONGEST_PAUSE));
    }
}

/// Waits by the clock that goes on while the machine sleeps; a signal ends it.
fn wait(world: &mut World, signals: &Receiver<i32>, until: Duration) -> Result<(), Error> {
    loop {
        if let Ok(signal) = signals.try_recv() {
            if world.terminal.stderr_is_terminal() {
                // the terminal has shown `^C`
                let _ = world.err.show("\n");
            }
            return Err(unanswered(Unanswered::Signal(signal), "nobody was signed in"));
        }
        let left = until.saturating_sub(world.clock.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        world.clock.sleep(left.min(Duration::from_millis(200)));
    }
}
