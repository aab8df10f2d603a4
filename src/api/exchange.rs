//! One request of a `call`, with all that may come between it and its answer: the wait for the limit, another attempt, a token that
//! turned out to have expired, a redirect on the same host.

use std::io::{Cursor, Read};
use std::time::Duration;

use url::Url;

use super::body::Body;
use super::pace::{self, Pace};
use super::redirect::{self, Unfollowed, Way};
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
    /// What is sent to a stranger that the API redirects to; `None`: nothing is.
    pub abroad: Option<Draft>,
    pub aftermath: Aftermath,
}

/// What the last answer doesn't say by itself.
#[derive(Clone, Debug, Default)]
pub struct Aftermath {
    /// The token was renewed too late for this request, which can't be sent again: the next one will have the new token.
    pub renewed: bool,
    /// It is a redirect that wasn't followed.
    pub unfollowed: Option<Unfollowed>,
    /// It comes from a stranger, to whom the API had redirected.
    pub foreign: bool,
}

/// What the provider alone is sent.
type Own = (Draft, Option<TokenSet>);

/// The attempts of one request so far.
#[derive(Default)]
struct Tries {
    made: u32,
    waited: Duration,
    /// The token was renewed.
    renewed: bool,
    /// The request went out again with the server's nonce; once for each address, or a nonce that is refused again would be
    /// asked for without end.
    challenged: bool,
}

impl Tries {
    /// Waits before another attempt; `false`: it would take too long in all.
    fn wait(&mut self, world: &mut World, time: Duration, why: impl Fn() -> String, retries: u32) -> bool {
        if self.waited + time > retry::LONGEST_IN_ALL {
            return false;
        }
        pace::wait(world, time, &format!("{} (attempt {} of {})", why(), self.made + 2, retries + 1));
        self.made += 1;
        self.waited += time;
        true
    }
}

/// Of an answer that is looked into, no more than this is read.
const LOOKED_INTO: u64 = 1 << 20;

const MOST_REDIRECTS: u32 = 10;

impl Caller<'_> {
    /// The request to one address, with the token.
    pub fn request(&self, url: &Url) -> Request {
        self.draft.request(self.provider, self.set.as_ref(), url)
    }

    /// Sends until there is an answer to show, and tells where it came from in the end.
    pub fn send(&mut self, world: &mut World, url: &Url) -> Result<(Url, Streamed), Error> {
        self.aftermath = Aftermath::default();
        let mut own = None;
        let answered = self.attempts(world, url.clone(), &mut own);
        if let Some((draft, set)) = own {
            (self.draft, self.set, self.aftermath.foreign) = (draft, set, true);
        }
        answered
    }

    /// `own`: what is put aside on the way to a stranger.
    fn attempts(&mut self, world: &mut World, mut url: Url, own: &mut Option<Own>) -> Result<(Url, Streamed), Error> {
        let mut tries = Tries::default();
        let mut redirects = 0;
        loop {
            let Some(answer) = self.once(world, &url, &mut tries)? else { continue };
            let next = match redirect::judge(&self.draft.method, &url, &answer, self.abroad.is_some())? {
                Way::Here => return Ok((url, answer)),
                Way::Refused(unfollowed) => {
                    self.aftermath.unfollowed = Some(unfollowed);
                    return Ok((url, answer));
                }
                Way::On(next) => {
                    world.step(|| "following a redirect on the same host".to_owned());
                    next
                }
                Way::Away(next) => {
                    self.leave(world, &next, own);
                    next
                }
            };
            if redirects == MOST_REDIRECTS {
                return Err(Error::new(Kind::Unsafe, "the API redirects in a circle"));
            }
            redirects += 1;
            tries.challenged = false;
            url = next;
        }
    }

    /// One attempt; `None`: another one is to be made.
    fn once(&mut self, world: &mut World, url: &Url, tries: &mut Tries) -> Result<Option<Streamed>, Error> {
        self.take_slot(world)?;
        let mut request = self.request(url);
        let (text, upload) = self.body.open(world)?;
        request.body = text;
        let sent = ready(world, &request)?;
        for line in trace::request(&sent) {
            world.step(|| line);
        }
        let repeatable = self.body.can_be_sent_again();
        let again = tries.made < self.retries && repeatable;
        let mut answer = match world.http.stream(&sent, upload) {
            Ok(answer) => answer,
            Err(e) if again && retry::after(&e, &self.draft.method) => {
                let time = retry::back_off(tries.made + 1, random(world));
                let waited = tries.wait(world, time, || safe(&e.to_string()), self.retries);
                return if waited { Ok(None) } else { Err(e.into()) };
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
            && !tries.challenged
            && repeatable
        {
            world.step(|| "the API wants its nonce in the proof: sending it once more with that".to_owned());
            tries.challenged = true;
            return Ok(None);
        }
        if answer.status == 401 && !tries.renewed && self.set.is_some() && self.renew.is_some() {
            let seen = look_into(&mut answer)?;
            if means_expired(self.provider, answer.status, &seen) {
                self.renew(world)?;
                if repeatable {
                    tries.renewed = true;
                    return Ok(None);
                }
                // the command that is run again has the new one
                self.aftermath.renewed = true;
            }
        }
        if retry::passes(answer.status) {
            let seen = look_into(&mut answer)?;
            let asked = retry::asked(&answer.headers, &seen, &self.provider.limits, world.clock.now());
            if answer.status == 429 {
                self.hold(world, &answer.headers, &seen);
            }
            let time = self.wait_for(world, asked, tries.made);
            let why = || format!("the API answered {}", answer.status);
            let soon = retry::may_be_repeated(&self.draft.method) && time <= retry::LONGEST_WAIT;
            if again && soon && tries.wait(world, time, why, self.retries) {
                return Ok(None);
            }
        }
        Ok(Some(answer))
    }

    /// From here on nothing of the provider's goes along: neither the token nor its headers.
    fn leave(&mut self, world: &mut World, to: &Url, own: &mut Option<Own>) {
        let Some(mut abroad) = self.abroad.clone() else { return };
        // what the person typed of this kind was for the address that they typed
        abroad.headers.retain(|(name, _)| !is_credential(name));
        if self.set.is_some() {
            world.say(&format!(
                "`{}` is not a host of `{}`: sent without the token",
                safe(to.host_str().unwrap_or("")),
                self.provider.id
            ));
        }
        let draft = std::mem::replace(&mut self.draft, abroad);
        let set = self.set.take();
        own.get_or_insert((draft, set));
    }

    /// Waits until the provider's limit takes another request.
    pub fn take_slot(&mut self, world: &mut World) -> Result<(), Error> {
        let time = self.pace.take(&*world.clock)?;
        pace::wait(world, time, "the provider's limit on requests");
        Ok(())
    }

    /// What the server says of its limit: where nothing remains, all wait until it starts anew.
    pub fn heed(&mut self, world: &World, headers: &[(String, String)]) {
        let limits = &self.provider.limits;
        let remaining = limits.headers.remaining.as_ref().and_then(|name| header(headers, &name.to_lowercase()));
        if remaining.and_then(|n| n.trim().parse::<f64>().ok()).is_some_and(|n| n < 1.0)
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

    /// A newer token than the one that was refused; a sibling may have fetched it already.
    pub fn renew(&mut self, world: &mut World) -> Result<(), Error> {
        let (Some(refused), Some(renew)) = (self.set.clone(), &mut self.renew) else { return Ok(()) };
        world.step(|| "the API says that the token has expired: renewing it once".to_owned());
        self.set = Some(renew(world, &refused)?);
        Ok(())
    }
}

/// Whether a header of that name tells who asks: a cookie, a key, a token, by whatever name.
fn is_credential(name: &str) -> bool {
    const MARKS: [&str; 9] =
        ["auth", "cookie", "token", "secret", "key", "session", "password", "credential", "signature"];
    MARKS.iter().any(|mark| name.contains(mark))
}

/// Whether a refusal means that another token would be taken.
pub fn means_expired(provider: &Provider, status: u16, body: &[u8]) -> bool {
    let error = api_error::read(body);
    status == 401 && api_error::meaning(&provider.errors, status, error.as_ref()) == Some(Means::Expired)
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

/// The error of an answer that ended too early.
pub fn broken_off(e: &std::io::Error) -> Error {
    Error::new(Kind::TryLater, "the answer broke off").cause(safe(&e.to_string())).hint("run the command again")
}

/// Hides what a URL's query says from messages.
pub fn place(url: &Url) -> String {
    safe(&Request { url: Secret::unlisted(url.as_str()), ..Request::new("GET", "") }.place())
}
