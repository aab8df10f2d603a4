//! One request of a `call`, with all that may come between it and its answer: the wait for the limit, another attempt, a token that
//! turned out to have expired, a redirect on the same host.

use std::io::{Cursor, Read};
use std::time::Duration;

use url::Url;

use super::body::Body;
use super::hosts;
use super::pace::{self, Pace};
use super::request::Draft;
use super::retry;
use crate::error::{Error, Kind};
use crate::grant::ready;
use crate::protocol::{api_error, trace};
use crate::provider::{Means, Provider};
use crate::secret::Secret;
use crate::text::safe;
use crate::token::TokenSet;
use crate::wire::{Request, header};
use crate::world::{Streamed, World};

/// Another token than the one that was refused.
pub type Renew<'a> = Box<dyn FnMut(&mut World, &TokenSet) -> Result<TokenSet, Error> + 'a>;

/// Who asks, and how.
pub struct Caller<'a> {
    pub provider: &'a Provider,
    pub draft: Draft,
    pub body: Body,
    /// `None`: without the token.
    pub set: Option<TokenSet>,
    /// `None`: there is no other token to be had, and a refusal is the answer.
    pub renew: Option<Renew<'a>>,
    pub retries: u32,
    pub pace: Pace,
}

/// Of an answer that is looked into, no more than this is read.
const LOOKED_INTO: u64 = 1 << 20;

const MOST_REDIRECTS: u32 = 10;

impl Caller<'_> {
    pub fn request(&self, url: &Url) -> Request {
        self.draft.request(self.provider, self.set.as_ref(), url)
    }

    /// Sends until there is an answer to show, and tells where it came from in the end.
    pub fn send(&mut self, world: &mut World, url: &Url) -> Result<(Url, Streamed), Error> {
        let mut url = url.clone();
        let (mut attempts, mut waited, mut renewed, mut redirects) = (0, Duration::ZERO, false, 0);
        // once for each address: a nonce that is refused again would be asked for without end
        let mut challenged = false;
        loop {
            self.take_slot(world)?;
            let mut request = self.request(&url);
            let (text, upload) = self.body.open(world)?;
            request.body = text;
            let sent = ready(world, &request)?;
            for line in trace::request(&sent) {
                world.step(|| line);
            }
            let again = attempts < self.retries && self.body.can_be_sent_again();
            let mut answer = match world.http.stream(&sent, upload) {
                Ok(answer) => answer,
                Err(e) if again && retry::after(&e, &self.draft.method) => {
                    let time = retry::back_off(attempts + 1, random(world));
                    if waited + time > retry::LONGEST_IN_ALL {
                        return Err(e.into());
                    }
                    pace::wait(
                        world,
                        time,
                        &format!("{} (attempt {} of {})", safe(&e.to_string()), attempts + 2, self.retries + 1),
                    );
                    attempts += 1;
                    waited += time;
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
            world.step(|| format!("< {} {}", answer.version, answer.status));
            for line in trace::headers(&answer.headers) {
                world.step(|| line);
            }
            self.heed(world, &answer.headers);
            let at_sending = request.at_sending.as_ref();
            if at_sending.is_some_and(|at| at.heard(&request, answer.status, &answer.headers, &[]))
                && !challenged
                && self.body.can_be_sent_again()
            {
                world.step(|| "the API wants its nonce in the proof: sending it once more with that".to_owned());
                challenged = true;
                continue;
            }
            if answer.status == 401 && !renewed && self.set.is_some() && self.renew.is_some() {
                let seen = look_into(&mut answer)?;
                if self.means_expired(answer.status, &seen) {
                    if self.body.can_be_sent_again() {
                        self.renew(world)?;
                        renewed = true;
                        continue;
                    }
                    world.say("the token has expired, and the body came from a pipe: it can't be sent again by itself");
                }
            }
            if retry::passes(answer.status) {
                let seen = look_into(&mut answer)?;
                let asked = retry::asked(&answer.headers, &seen, &self.provider.limits, world.clock.now());
                if answer.status == 429 {
                    self.hold(world, &answer.headers, &seen);
                }
                let time = self.wait_for(world, asked, attempts);
                if again
                    && retry::may_be_repeated(&self.draft.method)
                    && time <= retry::LONGEST_WAIT
                    && waited + time <= retry::LONGEST_IN_ALL
                {
                    let why = format!(
                        "the API answered {} (attempt {} of {})",
                        answer.status,
                        attempts + 2,
                        self.retries + 1
                    );
                    pace::wait(world, time, &why);
                    attempts += 1;
                    waited += time;
                    continue;
                }
            }
            match self.redirected(&url, &answer)? {
                Some(_) if redirects == MOST_REDIRECTS => {
                    return Err(Error::new(Kind::Unsafe, "the API redirects in a circle"));
                }
                Some(next) => {
                    world.step(|| "following a redirect on the same host".to_owned());
                    redirects += 1;
                    challenged = false;
                    url = next;
                }
                None => return Ok((url, answer)),
            }
        }
    }

    pub fn take_slot(&mut self, world: &mut World) -> Result<(), Error> {
        let time = self.pace.take(&*world.clock)?;
        pace::wait(world, time, "the provider's limit on requests");
        Ok(())
    }

    /// What the server says of its limit: where nothing remains, all wait until it starts anew.
    pub fn heed(&mut self, world: &World, headers: &[(String, String)]) {
        let limits = &self.provider.limits;
        let named = |key: &str| limits.headers.get(key).and_then(|name| header(headers, &name.to_lowercase()));
        if named("remaining").and_then(|n| n.trim().parse::<f64>().ok()).is_some_and(|n| n < 1.0)
            && let Some(time) = retry::asked(headers, b"", limits, world.clock.now())
        {
            self.pace.hold(&*world.clock, time);
        }
    }

    /// There were too many requests: everybody waits as long as the server asks, or a second.
    pub fn hold(&mut self, world: &World, headers: &[(String, String)], body: &[u8]) {
        let asked = retry::asked(headers, body, &self.provider.limits, world.clock.now());
        // longer than anybody waits, it is left to the next command to ask again
        let time = asked.unwrap_or(Duration::from_secs(1)).min(retry::LONGEST_WAIT);
        self.pace.hold(&*world.clock, time);
    }

    /// How long to wait before attempt `attempts + 2`.
    pub fn wait_for(&self, world: &World, asked: Option<Duration>, attempts: u32) -> Duration {
        match asked {
            // a little later than asked, and not all at once
            Some(asked) => asked + Duration::from_millis(u64::from(random(world))),
            None => retry::back_off(attempts + 1, random(world)),
        }
    }

    pub fn means_expired(&self, status: u16, body: &[u8]) -> bool {
        let error = api_error::read(body);
        status == 401 && api_error::meaning(&self.provider.errors, status, error.as_ref()) == Some(Means::Expired)
    }

    /// A newer token than the one that was refused; a sibling may have fetched it already.
    pub fn renew(&mut self, world: &mut World) -> Result<(), Error> {
        let (Some(refused), Some(renew)) = (self.set.clone(), &mut self.renew) else { return Ok(()) };
        world.step(|| "the API says that the token has expired: renewing it once".to_owned());
        self.set = Some(renew(world, &refused)?);
        Ok(())
    }

    /// Redirects of the provider's own are followed for reading; one to another host ends here: the token stays (T-24).
    fn redirected(&self, url: &Url, answer: &Streamed) -> Result<Option<Url>, Error> {
        let target = match (answer.status, header(&answer.headers, "location")) {
            (301 | 302 | 303 | 307 | 308, Some(target)) if matches!(self.draft.method.as_str(), "GET" | "HEAD") => {
                target
            }
            _ => return Ok(None),
        };
        let next = url
            .join(target)
            .map_err(|e| Error::new(Kind::Unsafe, "the API redirects to what is no address").cause(e))?;
        if hosts::same_origin(url, &next) && next.username().is_empty() {
            return Ok(Some(next));
        }
        Err(Error::new(Kind::Unsafe, "the API redirects to another host, which must not have the token")
            .cause(format!(
                "status {}, to {}",
                answer.status,
                safe(&format!("{}://{}", next.scheme(), next.host_str().unwrap_or("")))
            ))
            .hint("fetch that address without the token: `oauthctl call --anywhere URL`"))
    }
}

fn random(world: &World) -> u8 {
    let mut byte = [0];
    world.random.fill(&mut byte);
    byte[0]
}

/// The first mebibyte of an answer's body; it is there to be read again.
pub fn look_into(answer: &mut Streamed) -> Result<Vec<u8>, Error> {
    let mut seen = Vec::new();
    (&mut answer.body).take(LOOKED_INTO).read_to_end(&mut seen).map_err(|e| broken_off(&e))?;
    let rest = std::mem::replace(&mut answer.body, Box::new(std::io::empty()));
    answer.body = Box::new(Cursor::new(seen.clone()).chain(rest));
    Ok(seen)
}

pub fn broken_off(e: &std::io::Error) -> Error {
    Error::new(Kind::TryLater, "the answer broke off").cause(safe(&e.to_string())).hint("run the command again")
}

/// Hides what a URL's query says from messages.
pub fn place(url: &Url) -> String {
    safe(&Request { url: Secret::unlisted(url.as_str()), ..Request::new("GET", "") }.place())
}
