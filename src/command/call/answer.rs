//! The answer on its way to stdout, and the API's own words on stderr where it refuses.

use std::io::{Cursor, Read};

use super::output::Output;
use super::shaped::Shaped;
use super::{Call, CallArgs};
use crate::api::exchange::{Aftermath, Caller, broken_off, look_into};
use crate::api::{pages, readable, records, retry, value};
use crate::error::{Error, Kind};
use crate::protocol::api_error::{self, ApiError};
use crate::provider::{Means, Provider};
use crate::text::{Typed, safe};
use crate::wire::header;
use crate::world::{Streamed, World};

/// Whose token was shown, for what is to be typed next.
#[derive(Clone)]
pub struct Who {
    pub profile: Typed,
    /// Where the token comes from, if it is from outside.
    pub token_variable: Option<String>,
    /// The request carried no token.
    pub stranger: bool,
    /// What came of the last request.
    pub aftermath: Aftermath,
}

impl Who {
    /// The same once there is an answer.
    pub fn after(&self, caller: &Caller<'_>) -> Who {
        Who {
            stranger: caller.set.is_none() || caller.aftermath.foreign,
            aftermath: caller.aftermath.clone(),
            ..self.clone()
        }
    }

    /// The error that a redirect is which wasn't followed.
    pub fn redirect(&self) -> Option<Error> {
        self.aftermath.unfollowed.as_ref().map(|unfollowed| unfollowed.error(&self.profile))
    }
}

/// An answer of this size is read whole, to be shown prettily or for `--jq` and `--format`; a
/// larger one can only pass through.
const LARGEST_READ: u64 = 16 << 20;

/// Status and headers where asked for, then the body as it comes or as it is to be shaped; from 400
/// up always as it came, and the API's own words on stderr.
pub fn deliver(
    world: &mut World,
    call: &Call<'_>,
    mut answer: Streamed,
    (mut out, shaped): (Output, Option<Shaped>),
) -> Result<u8, Error> {
    let (args, who) = (call.args, call.who);
    let failed = answer.status >= 400 || who.aftermath.unfollowed.is_some();
    let early = if failed { look_into(&mut answer)? } else { Vec::new() };
    let mut wanted = true;
    if args.include || args.head {
        let mut head = format!("{} {}\r\n", answer.version, answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        wanted = out.put(world, head.as_bytes())?;
    }
    if wanted && !args.head {
        let shaped = shaped.filter(|_| !failed || out.is_screen() && args.jq.is_none() && args.format.is_none());
        if shaped.is_none() || args.jq.is_none() && args.format.is_none() {
            tell_coding(world, args, &answer.headers);
        }
        let delivered = match shaped {
            Some(shaped) => shape(world, call, &mut answer, (&mut out, shaped)),
            None => {
                out.show_progress(world, &answer.headers, 0);
                pass(world, &mut answer.body, &mut out)
            }
        };
        if let Err(e) = delivered {
            out.give_up(world);
            return Err(e);
        }
    }
    out.end(world)?;
    if let Some(redirect) = who.redirect() {
        return Err(redirect);
    }
    if !failed {
        return Ok(0);
    }
    let now = world.clock.now();
    let refusal = Refusal { status: answer.status, headers: &answer.headers, body: &early };
    Err(refusal.error(who, call.provider, now))
}

/// Tells that what is printed as it came can't be read by many.
pub fn tell_coding(world: &mut World, args: &CallArgs, headers: &[(String, String)]) {
    if let Some(coding) = readable::coding(headers).filter(|_| !asks_for_coding(args)) {
        world.warn(&format!("{}: it is given as it came", readable::compressed(coding, false)));
    }
}

/// Whether the person has sent an `Accept-Encoding`.
fn asks_for_coding(args: &CallArgs) -> bool {
    let name = |line: &String| line.split([':', ';']).next().unwrap_or_default().trim().to_ascii_lowercase();
    args.words.iter().chain(&args.headers).any(|line| name(line) == "accept-encoding")
}

/// The bytes as they come.
pub fn pass(world: &mut World, body: &mut dyn Read, out: &mut Output) -> Result<(), Error> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) if out.put(world, &buffer[..n])? => {}
            Ok(_) => return Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(broken_off(&e)),
        }
    }
}

fn shape(
    world: &mut World,
    call: &Call<'_>,
    answer: &mut Streamed,
    (out, mut shaped): (&mut Output, Shaped),
) -> Result<(), Error> {
    let (args, provider) = (call.args, call.provider);
    let asked = args.jq.is_some() || args.format.is_some();
    let kind = header(&answer.headers, "content-type").unwrap_or_default();
    if !asked && !kind.contains("json") {
        return pass(world, &mut answer.body, out);
    }
    let mut body = Vec::new();
    (&mut answer.body).take(LARGEST_READ + 1).read_to_end(&mut body).map_err(|e| broken_off(&e))?;
    let too_large = body.len() as u64 > LARGEST_READ;
    if asked && !too_large {
        let options = "`--jq` and `--format`";
        body = readable::text(&answer.headers, body, asks_for_coding(args), options)?.into_bytes();
    }
    // what is shown as it came is no business of ours, whatever it is
    let text = std::str::from_utf8(&body).ok().filter(|_| !too_large);
    let Some((text, value)) = text.and_then(|text| Some((text, value::read(text)?))) else {
        if asked && !body.is_empty() {
            let what = if too_large { "larger than 16 MiB" } else { "not JSON" };
            return Err(Error::new(Kind::Other, format!("the answer is {what}: it can't be filtered or shaped"))
                .hint("without `--jq` and `--format` it is printed as it came"));
        }
        // nothing, or no JSON whatever its type says
        return pass(world, &mut Cursor::new(body).chain(&mut answer.body), out);
    };
    let data = &provider.api.pages;
    let rows = args.jq.is_none() && shaped.makes_rows();
    // rows are the records of the list, not the envelope around them
    let found = if rows { records::records(data, text, None, pages::told(data, &answer.headers)) } else { None };
    let values = found.map_or_else(|| vec![value], |found| found.list);
    let put = shaped.put(world, out, &values);
    shaped.end(world, out, put.is_ok())?;
    put.map(|_| ())
}

/// An answer by which the API refuses.
pub struct Refusal<'a> {
    pub status: u16,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

impl Refusal<'_> {
    /// The refusal in one line, with a hint on what to do about it. `now` in Unix seconds.
    pub fn error(&self, who: &Who, provider: &Provider, now: i64) -> Error {
        let said = api_error::read(self.body);
        let means = api_error::meaning(&provider.errors, self.status, said.as_ref());
        let mut error = Error::new(Kind::Api, format!("the API answered {}", self.status));
        if let Some(ApiError { code, message, details }) = said {
            let words = [code, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
            let said: Vec<String> = [words].into_iter().filter(|w| !w.is_empty()).chain(details).collect();
            error = error.because(safe(&said.join("; ")));
        }
        if matches!(self.status, 429 | 503) {
            error.retry_after =
                retry::asked(self.headers, self.body, &provider.limits, now).map(|t| t.as_secs_f64().ceil() as u64);
        }
        let retry_after = error.retry_after;
        let name = &who.profile;
        match (means, self.status) {
            (means, status) if who.stranger && means != Some(Means::Throttled) && status != 429 => error,
            (Some(Means::Expired | Means::Revoked), _) if who.aftermath.renewed => {
                error.hint("the token has been renewed since, and the body from a pipe is gone: run the command again")
            }
            (Some(Means::Expired | Means::Revoked), _) | (None, 401) if who.token_variable.is_some() => {
                let variable = who.token_variable.as_deref().unwrap_or_default();
                error.hint(format!("the token comes from the variable {variable}: set another"))
            }
            (Some(Means::Expired | Means::Revoked), _) => error.hint(format!("sign in again: {}", name.login())),
            (Some(Means::WrongClient), _) => error.hint("check the client id and the client secret"),
            (Some(Means::Scope), _) => error.hint(format!("ask for more: {}", name.login_with(&[("--scope", "…")]))),
            (Some(Means::Throttled), _) | (None, 429) => match retry_after {
                Some(seconds) => error.hint(format!("too many requests: wait {seconds} s, then run the command again")),
                None => error.hint("too many requests: wait, then run the command again"),
            },
            _ => error,
        }
    }
}
