//! The answer on its way to stdout, and the API's own words on stderr where it refuses.

use std::io::Read;

use super::CallArgs;
use crate::api::exchange::{broken_off, look_into};
use crate::api::retry;
use crate::error::{Error, Kind};
use crate::protocol::api_error::{self, ApiError};
use crate::provider::{Means, Provider};
use crate::store::{StoreKind, environment};
use crate::text::{ForTerminal, safe};
use crate::world::{Streamed, World};

/// Whose token was shown, for what is to be typed next.
pub struct Who {
    pub profile: String,
    pub store: StoreKind,
}

/// Status and headers where asked for, then the body as it comes; from 400 up the API's own words on stderr.
pub fn deliver(
    world: &mut World,
    args: &CallArgs,
    who: &Who,
    provider: &Provider,
    mut answer: Streamed,
) -> Result<u8, Error> {
    let failed = answer.status >= 400;
    let early = if failed { look_into(&mut answer)? } else { Vec::new() };
    let mut screen = world.terminal.stdout_is_terminal().then(ForTerminal::default);
    let mut wanted = true;
    let mut last = None;
    if args.include || args.head {
        let mut head = format!("{} {}\r\n", answer.version, answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        wanted = put(world, &mut screen, head.as_bytes())?;
    }
    wanted = wanted && !args.head;
    let mut buffer = vec![0; 64 * 1024];
    while wanted {
        match answer.body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                last = buffer[..n].last().copied();
                wanted = put(world, &mut screen, &buffer[..n])?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(broken_off(&e)),
        }
    }
    // on a screen the prompt begins on a line of its own; a pipe gets what the API sent, to the byte
    if world.terminal.stdout_is_terminal() && last.is_some_and(|b| b != b'\n') {
        let _ = put(world, &mut screen, b"\n");
    }
    let _ = world.out.flush();
    if !failed {
        return Ok(0);
    }
    let now = world.clock.now();
    Err(refused(who, provider, answer.status, &answer.headers, &early, now))
}

/// The API's refusal in one line, and what to do about it. `now` in Unix seconds.
pub fn refused(
    who: &Who,
    provider: &Provider,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
    now: i64,
) -> Error {
    let said = api_error::read(body);
    let means = api_error::meaning(&provider.errors, status, said.as_ref());
    let mut error = Error::new(Kind::Api, format!("the API answered {status}"));
    if let Some(ApiError { code, message }) = said {
        let words = [code, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
        error = error.cause(safe(&words));
    }
    if matches!(status, 429 | 503) {
        error.retry_after = retry::asked(headers, body, &provider.limits, now).map(|t| t.as_secs_f64().ceil() as u64);
    }
    let retry_after = error.retry_after;
    let name = &who.profile;
    match (means, status) {
        (Some(Means::Expired | Means::Revoked), _) | (None, 401) if who.store == StoreKind::Environment => {
            error.hint(format!("the token comes from the variable {}: set another", environment::variable_name(name)))
        }
        (Some(Means::Expired | Means::Revoked), _) => error.hint(format!("sign in again: oauthctl login {name}")),
        (Some(Means::WrongClient), _) => error.hint("check the client id and the client secret"),
        (Some(Means::Scope), _) => error.hint(format!("ask for more: oauthctl login {name} --scope …")),
        (Some(Means::Throttled), _) | (None, 429) => match retry_after {
            Some(seconds) => error.hint(format!("too many requests: wait {seconds} s, then run the command again")),
            None => error.hint("too many requests: wait, then run the command again"),
        },
        _ => error,
    }
}

/// Whether the reader still wants more. `screen`: on a terminal the API's bytes are shown, and do nothing.
fn put(world: &mut World, screen: &mut Option<ForTerminal>, bytes: &[u8]) -> Result<bool, Error> {
    let cleaned = screen.as_mut().map(|s| s.clean(bytes));
    match world.out.write_all(cleaned.as_deref().unwrap_or(bytes)) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(Error::new(Kind::Other, "standard output can't be written").cause(e)),
    }
}
