//! Asks the token endpoint again and again while a person decides elsewhere, never sooner than the
//! server said (RFC 8628, section 3.5; CIBA, section 11).

use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::error::{Asked, Error, Kind, unanswered};
use crate::grant::{Asking, read, send};
use crate::protocol::answer::Answer;
use crate::protocol::device::{self, Poll};
use crate::protocol::retry_after;
use crate::protocol::token_request::Param;
use crate::provider::Endpoint;
use crate::world::{Unanswered, World};

/// The longest pause while the network is in trouble.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The parameters of a poll.
pub struct Polling<'a> {
    pub endpoint: Endpoint,
    pub params: Vec<Param<'a>>,
    pub interval: Duration,
    /// From now on; what is not decided by then is over.
    pub limit: Duration,
    /// What is said then.
    pub nobody: &'static str,
}

/// Polls the token endpoint until the user decides (RFC 8628, section 3.5).
pub fn until_decided(
    world: &mut World,
    asking: &Asking,
    polling: &Polling<'_>,
    heard: &Receiver<i32>,
) -> Result<Answer, Error> {
    let endpoint = &polling.endpoint;
    let expired = || Error::new(Kind::NobodyAnswered, polling.nobody).hint(asking.profile.login());
    let deadline = world.clock.elapsed() + polling.limit;
    let mut interval = polling.interval;
    let mut pause = interval;
    loop {
        let until = world.clock.elapsed() + pause;
        if until >= deadline {
            wait(world, heard, deadline)?;
            return Err(expired());
        }
        wait(world, heard, until)?;
        // each time anew: a proof or an assertion of the client's is good once
        let request = asking.request("token", endpoint, polling.params.clone())?;
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
        let now = world.clock.now();
        // T-54: what the server asks for is waited, up to a minute
        let asked_for = (response.status == 429 || response.status >= 500)
            .then(|| response.header("retry-after").and_then(|text| retry_after::seconds(text, now)))
            .flatten()
            .map(Duration::from_secs);
        // the error decides, and not the status: GitHub says `authorization_pending` with 200
        // (T-08)
        pause = match device::judge(&response, &endpoint.ok_status) {
            Poll::Pending => interval,
            Poll::SlowDown => {
                interval += Duration::from_secs(5);
                interval
            }
            Poll::Denied => {
                let refused = Error { said_no: true, ..Error::new(Kind::Refused, "the sign-in was refused") };
                return Err(refused.hint(asking.profile.login()));
            }
            Poll::Expired => return Err(expired()),
            Poll::Other
                if (response.status == 429 || response.status >= 500)
                    && asked_for.is_none_or(|wait| wait <= LONGEST_PAUSE) =>
            {
                (pause * 2).min(LONGEST_PAUSE)
            }
            Poll::Given | Poll::Other => {
                return read(world, asking, (Asked::Code, endpoint), (&response, now));
            }
        };
        pause = pause.max(asked_for.unwrap_or_default().min(LONGEST_PAUSE));
    }
}

/// Waits by the clock that goes on while the machine sleeps; a signal ends it.
fn wait(world: &mut World, heard: &Receiver<i32>, until: Duration) -> Result<(), Error> {
    loop {
        if let Ok(signal) = heard.try_recv() {
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
