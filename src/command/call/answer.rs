//! The answer on its way to stdout, and the API's own words on stderr where it refuses.

use std::io::{BufRead, BufReader, Cursor, Read, Write};

use serde_json::value::RawValue;

use super::output::Output;
use super::shaped::{FormatWord, Shaped};
use super::{Call, CallArgs};
use crate::api::send::{Aftermath, Caller, LOOKED_INTO, broken_off, look_into};
use crate::api::{content_coding, graphql, pages, records, retry, value};
use crate::error::{Error, Kind};
use crate::protocol::api_error::{self, ApiError, Told};
use crate::protocol::token_response::LONGEST_TOKEN;
use crate::provider::{ErrorsAt, Means, Provider, hints};
use crate::secret::redact;
use crate::text::times::again_in;
use crate::text::{ForTerminal, Typed, for_a_shell, safe, safe_lines};
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
    /// No person signs in for the token.
    pub is_job: bool,
    /// The scopes of the token, if they are known.
    pub scopes: Vec<String>,
    /// What came of the last request.
    pub aftermath: Aftermath,
}

impl Who {
    /// The same once there is an answer.
    pub fn after(&self, caller: &Caller<'_>) -> Who {
        Who {
            stranger: caller.set.is_none() || caller.aftermath.foreign,
            scopes: caller.set.as_ref().and_then(|set| set.scopes.clone()).unwrap_or_default(),
            aftermath: caller.aftermath.clone(),
            ..self.clone()
        }
    }

    /// Whether an answer with this status is a failure.
    pub fn is_refused(&self, status: u16) -> bool {
        status >= 400 || self.aftermath.unfollowed.is_some() || self.aftermath.errors
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
    let failed = who.is_refused(answer.status);
    if matches!(answer.status, 301..=303 | 307 | 308) && header(&answer.headers, "location").is_none() {
        world.warn(&format!("the API answered {}, a redirect, but not where to", answer.status));
    }
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
    let unprinted = failed && is_kept_from_stdout(args);
    if wanted && !args.head && !unprinted {
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
    if !failed {
        return Ok(0);
    }
    let refusal = Refusal { status: answer.status, headers: &answer.headers, body: &early, with_body: unprinted };
    Err(refusal.error(who, call.provider, world.clock.now()))
}

/// Whether the answer is data for a filter or a format.
pub fn filtered(args: &CallArgs) -> bool {
    args.jq.is_some() || args.format.is_some_and(|format| format != FormatWord::Raw)
}

/// Whether an API's error goes to stderr: a `$(…)` must not take it for data.
pub fn is_kept_from_stdout(args: &CallArgs) -> bool {
    filtered(args) && !args.fail_with_body
}

/// Whether a response has errors in it, as GraphQL has them. It stays readable from its beginning.
pub fn has_errors(answer: &mut Streamed) -> Result<bool, Error> {
    let mut body = Vec::new();
    (&mut answer.body).take(LARGEST_READ).read_to_end(&mut body).map_err(|e| broken_off(&e))?;
    let has_errors = match answer.status {
        400.. => false,
        _ => {
            let text = content_coding::text(&answer.headers, &body, "`--graphql`")?;
            graphql::has_errors(&text).ok_or_else(|| {
                Error::new(Kind::Unsafe, format!("the answer is {}: `--graphql` can't be kept", value::fault(&text)))
            })?
        }
    };
    let rest = std::mem::replace(&mut answer.body, Box::new(std::io::empty()));
    answer.body = Box::new(Cursor::new(body).chain(rest));
    Ok(has_errors)
}

/// Tells that what is printed as it came can't be read by many.
pub fn tell_coding(world: &mut World, args: &CallArgs, headers: &[(String, String)]) {
    if let Some(coding) = content_coding::coding(headers).filter(|_| !asks_for_coding(args)) {
        world.warn(&format!("{}: it is given as it came", content_coding::compressed(&coding, false)));
    }
}

/// Whether the person has sent an `Accept-Encoding`.
pub fn asks_for_coding(args: &CallArgs) -> bool {
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
    let asked = call.args.jq.is_some() || call.args.format.is_some();
    let kind = header(&answer.headers, "content-type").unwrap_or_default().to_ascii_lowercase();
    if !asked && !kind.contains("json") {
        return pass(world, &mut answer.body, out);
    }
    let put = if content_coding::is_lines(&answer.headers) {
        lines(world, answer, (out, &mut shaped))
    } else {
        let mut body = Vec::new();
        (&mut answer.body).take(LARGEST_READ + 1).read_to_end(&mut body).map_err(|e| broken_off(&e))?;
        let text = match content_coding::text(&answer.headers, &body, OPTIONS) {
            _ if body.len() as u64 > LARGEST_READ => Err(unreadable("larger than 16 MiB")),
            Ok(text) if value::is_too_dense(&text) => Err(unreadable(TOO_DENSE)),
            text => text,
        };
        match text.as_deref().map(value::read) {
            Ok(Some(values)) => shaped.put(world, out, &rows(call, answer, &shaped, values)),
            Ok(None) if asked => return Err(unreadable(value::fault(text.as_deref().unwrap_or_default()))),
            Err(_) if asked && !body.is_empty() => return text.map(|_| ()),
            // nothing, or no JSON whatever its type says, or too much to be shown prettily
            _ => return pass(world, &mut Cursor::new(body).chain(&mut answer.body), out),
        }
    };
    shaped.end(world, out, put.is_ok())?;
    put.map(|_| ())
}

const TOO_DENSE: &str = "of too many values for 64 MiB of memory";

const OPTIONS: &str = "`--jq` and `--format`";

fn unreadable(what: &str) -> Error {
    Error::new(Kind::Unsafe, format!("the answer is {what}: it can't be filtered or shaped"))
        .hint(format!("without {OPTIONS} it is printed as it came"))
}

/// Values that come a line each, each shown as it comes.
fn lines(world: &mut World, answer: &mut Streamed, (out, shaped): (&mut Output, &mut Shaped)) -> Result<bool, Error> {
    let mut body = BufReader::new(&mut answer.body);
    let start = body.fill_buf().map_err(|e| broken_off(&e))?;
    // UTF-16, with a mark or with a character of ASCII first
    let wide = matches!(start, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, _, ..] | [_, 0, ..]);
    loop {
        let mut line = Vec::new();
        read_line(&mut (&mut body).take(LARGEST_READ + 1), wide, &mut line).map_err(|e| broken_off(&e))?;
        if line.is_empty() {
            return Ok(true);
        }
        if line.len() as u64 > LARGEST_READ {
            return Err(unreadable("larger than 16 MiB in a line"));
        }
        // RFC 7464 begins each value with a record separator
        let text = content_coding::text(&answer.headers, &line, OPTIONS)?.replace('\u{1e}', " ");
        if value::is_too_dense(&text) {
            return Err(unreadable(TOO_DENSE));
        }
        let values = value::read(&text).ok_or_else(|| unreadable(value::fault(&text)))?;
        let wanted = shaped.put(world, out, &values)?;
        let _ = world.out.flush();
        if !wanted {
            return Ok(false);
        }
    }
}

/// Reads to the end of a line; `wide`: of characters of two bytes.
fn read_line(body: &mut impl BufRead, wide: bool, line: &mut Vec<u8>) -> std::io::Result<()> {
    while body.read_until(b'\n', line)? > 0 && wide {
        if line.len() % 2 == 1 {
            body.take(1).read_to_end(line)?;
        }
        if line.ends_with(b"\0\n") || line.ends_with(b"\n\0") {
            break;
        }
    }
    Ok(())
}

/// The rows of a table are the records of a list, not the envelope around them.
fn rows<'a>(call: &Call<'_>, answer: &Streamed, shaped: &Shaped, values: Vec<&'a RawValue>) -> Vec<&'a RawValue> {
    let data = &call.provider.api.pages;
    match values.as_slice() {
        [one] if call.args.jq.is_none() && shaped.makes_rows() => {
            let found = records::records(data, one.get(), None, pages::told(data, &answer.headers));
            found.map_or(values, |found| found.list)
        }
        _ => values,
    }
}

/// An answer by which the API refuses.
pub struct Refusal<'a> {
    pub status: u16,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
    /// The error has the body too, which is not on stdout.
    pub with_body: bool,
}

impl Refusal<'_> {
    /// The refusal, with a hint on what to do about it. `now` in Unix seconds.
    pub fn error(&self, who: &Who, provider: &Provider, now: i64) -> Error {
        let error = who.redirect().unwrap_or_else(|| self.explained(who, provider, now));
        let text = || {
            let clean = ForTerminal::default().clean(&content_coding::readable(self.headers, self.body));
            let mut text = redact(safe_lines(&String::from_utf8_lossy(&clean)).trim_end());
            // the beginning of a token, where the body was cut off, is known to nobody
            if self.body.len() as u64 >= LOOKED_INTO {
                text.truncate(text.floor_char_boundary(text.len().saturating_sub(LONGEST_TOKEN)));
            }
            text
        };
        Error { body: self.with_body.then(text).filter(|text| !text.is_empty()), ..error }
    }

    fn explained(&self, who: &Who, provider: &Provider, now: i64) -> Error {
        let wanted = api_error::challenged(self.headers, "error");
        let body = &*content_coding::readable(self.headers, self.body);
        let said = api_error::read(body).or_else(|| api_error::challenge(self.headers));
        let means = match wanted.as_deref() {
            Some("insufficient_scope") => Some(Means::Scope),
            _ => api_error::meaning(&provider.errors, self.status, said.as_ref()),
        };
        let told = Told::by_api(self.status, said.as_ref());
        let with_errors = if who.aftermath.errors { " with errors" } else { "" };
        let mut error = Error::new(Kind::Api, format!("the API answered {}{with_errors}", self.status));
        if let Some(ApiError { code, message, details }) = said {
            let words = [code, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
            let said: Vec<String> = [words].into_iter().filter(|w| !w.is_empty()).chain(details).collect();
            error = error.because(safe(&said.join("; ")));
        }
        if !who.stranger {
            error = error.hints(told.hints(&hints::rules(provider), ErrorsAt::Api).map(safe));
        }
        if matches!(self.status, 429 | 503) {
            error.retry_after =
                retry::asked(self.headers, body, &provider.limits, now).map(|t| t.as_secs_f64().ceil() as u64);
        }
        let retry_after = error.retry_after;
        let name = &who.profile;
        match (means, self.status) {
            (_, 411) => error.hint("the API wants the body's length beforehand: send it from a file, `--input FILE`"),
            (means, status) if who.stranger && means != Some(Means::Throttled) && status != 429 => error,
            _ if wanted.as_deref() == Some("insufficient_user_authentication") && !who.is_job => {
                error.hint(format!("sign in again, as the API requires: {}", self.stronger_login(name)))
            }
            (Some(Means::Expired | Means::Revoked), _) if who.aftermath.renewed => error
                .hint("the token has been refreshed since, and the body from a pipe is gone: run the command again"),
            (Some(Means::Expired | Means::Revoked), _) | (None, 401) if who.token_variable.is_some() => {
                let variable = who.token_variable.as_deref().unwrap_or_default();
                error.hint(format!("the token comes from the variable {variable}: set another"))
            }
            (Some(Means::Expired | Means::Revoked), _) if who.is_job => {
                error.hint("check the client id, the client secret and the scopes: no person signs in for this token")
            }
            (Some(Means::Expired | Means::Revoked), _) => error.hint(format!("sign in again: {}", name.login())),
            (Some(Means::WrongClient), _) => error.hint("check the client id and the client secret"),
            (Some(Means::Scope), _) => {
                let scope = self.wanted_scope(who);
                error.hint(match who.is_job {
                    true => format!("ask for more: `--scope {scope}`, or see which ones the app is allowed"),
                    false => format!("ask for more: {}", name.login_with(&[("--scope", &scope)])),
                })
            }
            (Some(Means::Throttled), _) | (None, 429) => match retry_after {
                Some(seconds) => error.hint(format!("too many requests: {}", again_in(seconds))),
                None => error.hint("too many requests: wait, then run the command again"),
            },
            (None, 503) if let Some(seconds) = retry_after => {
                error.hint(format!("it is not available: {}", again_in(seconds)))
            }
            _ => error,
        }
    }

    /// The scopes of the token and those that the challenge names, as one word of a shell.
    fn wanted_scope(&self, who: &Who) -> String {
        let named = api_error::challenged(self.headers, "scope").unwrap_or_default();
        let mut scopes = who.scopes.clone();
        for scope in named.split(' ').filter(|scope| !scope.is_empty()) {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        match named.trim().is_empty() || named.len() > LONGEST_NAMED || safe(&named) != named {
            true => "…".to_owned(),
            false => for_a_shell(&scopes.join(" ")),
        }
    }

    /// The login that a step up asks for (RFC 9470, section 3).
    fn stronger_login(&self, name: &Typed) -> String {
        let named = |parameter, option| {
            let value = api_error::challenged(self.headers, parameter)?;
            (value.len() <= LONGEST_NAMED && safe(&value) == value).then(|| (option, for_a_shell(&value)))
        };
        let options = [named("acr_values", "--acr-values"), named("max_age", "--max-age")];
        let options: Vec<(&str, String)> = options.into_iter().flatten().collect();
        let options: Vec<(&str, &str)> = options.iter().map(|(option, value)| (*option, value.as_str())).collect();
        name.login_with(&options)
    }
}

/// The longest parameter of a challenge that a command line repeats.
const LONGEST_NAMED: usize = 500;
