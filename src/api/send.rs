//! Sends one request of a `call` and handles everything before its response: rate limits, retries,
//! an expired token, redirects on the same host.

use std::io::{Cursor, ErrorKind, Read};
use std::time::Duration;

use url::Url;

use super::body::Body;
use super::cache::{self, Cache, Kept};
use super::cookies::Cookies;
use super::download;
use super::rate_limit::{self, Pace};
use super::redirect::{self, Unfollowed, Way};
use super::request::Draft;
use super::{content_coding, retry};
use crate::error::{Error, Fate, Kind};
use crate::grant::ready;
use crate::protocol::sender_constrained::Binding;
use crate::protocol::{api_error, trace};
use crate::provider::{Means, Provider};
use crate::secret::{Secret, redact};
use crate::text::safe;
use crate::token::TokenSet;
use crate::wire::{Request, header};
use crate::world::{HttpError, Streamed, World};

/// Returns another token set than the refused one.
pub type Renew<'a> = Box<dyn FnMut(&mut World, &TokenSet) -> Result<TokenSet, Error> + 'a>;

/// Returns the token set for the first request, with the key that it is bound to.
pub type Obtain<'a> = Box<dyn FnOnce(&mut World) -> Result<(TokenSet, Binding), Error> + 'a>;

/// The state that all requests of one `call` share.
pub struct Caller<'a> {
    pub provider: &'a Provider,
    pub draft: Draft,
    pub body: Body,
    /// `None`: the token is here, or requests carry none.
    pub obtain: Option<Obtain<'a>>,
    /// `None`: requests carry no token.
    pub set: Option<TokenSet>,
    /// Responses that may be served again.
    pub cache: Option<Cache>,
    /// What is said before the first request.
    pub notice: Option<String>,
    /// `None`: no other token can be obtained, so a refusal is final.
    pub renew: Option<Renew<'a>>,
    pub retries: u32,
    pub pace: Pace,
    /// When all of the call must have ended, by `Clock::elapsed`.
    pub until: Option<Duration>,
    /// The request for a foreign host that the API redirects to. `None`: such redirects are not
    /// followed.
    pub abroad: Option<Draft>,
    pub aftermath: Aftermath,
}

/// Facts about the last response that it doesn't show itself.
#[derive(Clone, Debug, Default)]
pub struct Aftermath {
    /// The token was refreshed too late for this request, which can't be sent again. The next
    /// request will have the new token.
    pub renewed: bool,
    /// The response is a redirect that wasn't followed.
    pub unfollowed: Option<Unfollowed>,
    /// The response comes from a foreign host that the API redirected to.
    pub foreign: bool,
    /// A response with a status of success has `errors` in it.
    pub errors: bool,
}

/// The request and token for the provider's own hosts.
type Own = (Draft, Option<TokenSet>);

/// The attempts at one request so far.
#[derive(Default)]
struct Tries {
    made: u32,
    waited: Duration,
    /// Whether the token was refreshed.
    renewed: bool,
    /// Whether the request was sent again with the server's nonce. Once for each address, or a
    /// server that keeps refusing would cause an endless loop.
    challenged: bool,
    cookies: Cookies,
}

impl Tries {
    /// Waits before another attempt. `false`: the total wait would be too long.
    fn wait(&mut self, world: &mut World, time: Duration, why: impl Fn() -> String, retries: u32) -> bool {
        if self.waited + time > retry::LONGEST_IN_ALL {
            return false;
        }
        rate_limit::wait(world, time, &format!("{} (attempt {} of {})", why(), self.made + 2, retries + 1));
        self.made += 1;
        self.waited += time;
        true
    }
}

/// The most bytes of a response that are read to inspect it.
pub const LOOKED_INTO: u64 = 1 << 20;

const MOST_REDIRECTS: u32 = 10;

impl Caller<'_> {
    /// Makes the request to one address, with the token.
    pub fn request(&self, world: &World, url: &Url) -> Request {
        let mut request = self.draft.request(self.provider, self.set.as_ref(), url);
        request.within = self.time_left(world);
        request
    }

    fn time_left(&self, world: &World) -> Option<Duration> {
        self.until.map(|until| until.saturating_sub(world.clock.elapsed()))
    }

    /// Whether the call's time is longer than this wait.
    fn has_time_for(&self, world: &World, wait: Duration) -> bool {
        self.time_left(world).is_none_or(|left| left > wait)
    }

    /// Obtains the token, unless it is here.
    pub fn begin(&mut self, world: &mut World) -> Result<(), Error> {
        if let Some(notice) = self.notice.take() {
            world.say(&notice);
        }
        if let Some(obtain) = self.obtain.take() {
            let (set, binding) = obtain(world)?;
            (self.set, self.draft.binding) = (Some(set), binding);
        }
        Ok(())
    }

    /// Returns the response to show, with the address it came from: a kept one, or sends until
    /// there is one.
    pub fn send(&mut self, world: &mut World, url: &Url) -> Result<(Url, Streamed), Error> {
        self.aftermath = Aftermath::default();
        let cache = self.cache.as_ref().filter(|_| self.body.is_none());
        let Some((file, time)) = cache.and_then(|cache| Some((cache.place(&self.draft, url)?, cache.time))) else {
            return self.ask(world, url);
        };
        let (now, mut kept) = (world.clock.now(), Kept::read(&file));
        if let Some(kept) = kept.take_if(|kept| kept.is_fresh(now, time)) {
            world.step(|| format!("answered by what is kept of {}", place(url)));
            return self.serve(kept);
        }
        let usual = self.draft.headers.len();
        self.draft.headers.extend(kept.as_ref().and_then(Kept::conditions));
        let answered = self.ask(world, url);
        self.draft.headers.truncate(usual);
        let (from, answer) = answered?;
        if let Some(mut kept) = kept.filter(|_| answer.status == 304) {
            kept.renew(&file, now);
            return self.serve(kept);
        }
        let answer = if self.aftermath.foreign { answer } else { cache::keep(file, (&from, answer), now) };
        Ok((from, answer))
    }

    /// A kept response is in the coding that it came in, if nobody asked for one.
    fn serve(&self, kept: Kept) -> Result<(Url, Streamed), Error> {
        let (url, mut answer) = kept.answer().ok_or_else(|| Error::new(Kind::Other, "what is kept can't be read"))?;
        if self.draft.decompress {
            content_coding::decompress(&mut answer).map_err(|e| broken_off(&e))?;
        }
        Ok((url, answer))
    }

    fn ask(&mut self, world: &mut World, url: &Url) -> Result<(Url, Streamed), Error> {
        self.begin(world)?;
        let mut own = None;
        let answered = self.attempts(world, url.clone(), &mut own);
        if let Some((draft, set)) = own {
            (self.draft, self.set, self.aftermath.foreign) = (draft, set, true);
        }
        answered
    }

    /// `own`: the provider's request and token, set aside while a foreign host is asked.
    fn attempts(&mut self, world: &mut World, mut url: Url, own: &mut Option<Own>) -> Result<(Url, Streamed), Error> {
        let mut tries = Tries::default();
        let mut redirects = 0;
        loop {
            let Some(answer) = self.once(world, &url, &mut tries)? else { continue };
            if answer.status == 206 && !download::is_asked(&self.draft.headers, &answer.headers) {
                return Err(Error::new(Kind::Unsafe, "the API gives a part of the content that was not asked for")
                    .because("status 206 (RFC 9110, section 15.3.7)"));
            }
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
                Way::Away(next) if redact(next.as_str()) != next.as_str() => {
                    return Err(Error::new(
                        Kind::Unsafe,
                        "the API redirects to another host with a secret in the address",
                    )
                    .because(format!("to {}; nothing was sent there", redirect::shown(&next)))
                    .hint("without `--anywhere` the redirect itself is the answer"));
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
            tries.cookies.keep(&url, &answer.headers);
            url = next;
        }
    }

    /// Makes one attempt. `None`: make another one.
    fn once(&mut self, world: &mut World, url: &Url, tries: &mut Tries) -> Result<Option<Streamed>, Error> {
        self.take_slot(world)?;
        let mut request = self.request(world, url);
        tries.cookies.put(url, &mut request);
        let (text, upload) = self.body.open(world)?;
        request.body = text;
        let sent = ready(world, &request)?;
        for line in trace::request(&sent) {
            world.step(|| line);
        }
        let uploads = upload.is_some();
        let mut answer = match world.http.stream(&sent, upload) {
            Ok(answer) => self.readable(answer)?,
            Err(e) => return self.after_failure(world, (e, uploads), tries).map(|()| None),
        };
        world.step(|| format!("< {} {}", answer.version, answer.status));
        for line in trace::headers(&answer.headers) {
            world.step(|| line);
        }
        // a 429 may say in its body how long
        if answer.status != 429 {
            self.heed(world, (answer.status, &answer.headers, b""));
        }
        let at_sending = request.at_sending.as_ref();
        if at_sending.is_some_and(|at| at.learn_from(&request, answer.status, &answer.headers, &[]).is_some())
            && !tries.challenged
            && self.body.can_be_sent_again()
        {
            world.step(|| "the API wants its nonce in the proof: sending it once more with that".to_owned());
            tries.challenged = true;
            return Ok(None);
        }
        let again = self.renews_after(world, &mut answer, tries)? || self.waits_after(world, &mut answer, tries)?;
        Ok((!again).then_some(answer))
    }

    /// `Ok`: another attempt may be made.
    fn after_failure(
        &self,
        world: &mut World,
        (e, uploads): (HttpError, bool),
        tries: &mut Tries,
    ) -> Result<(), Error> {
        if self.may_go_again(tries) && retry::after(&e, &self.draft.method) {
            let time = retry::back_off(tries.made + 1, random(world));
            if self.has_time_for(world, time) && tries.wait(world, time, || safe(&e.to_string()), self.retries) {
                return Ok(());
            }
        }
        Err(self.failure(e, uploads))
    }

    /// The error for a request without an answer, with what can be done about it.
    fn failure(&self, e: HttpError, uploads: bool) -> Error {
        let cut = uploads && matches!(e, HttpError::Ambiguous { .. });
        let longer = match e {
            HttpError::TimedOut { seconds, .. } => Some(format!("`{} TIME` waits longer", self.limit(seconds))),
            _ => None,
        };
        let mut e = Error::from(e);
        if e.fate == Fate::Unknown && !retry::may_be_repeated(&self.draft.method) {
            // it is not simply to be run again
            e.hints = vec![LOOK_FIRST.to_owned()];
        }
        e.hints(cut.then_some(CUT)).hints(longer)
    }

    /// The option that ended a request after this time.
    fn limit(&self, seconds: u64) -> &'static str {
        let each = self.draft.timeout;
        let is_shorter = each.is_zero() || Duration::from_secs(seconds) < each;
        if self.until.is_some() && is_shorter { "--max-time" } else { "--timeout" }
    }

    fn may_go_again(&self, tries: &Tries) -> bool {
        tries.made < self.retries && self.body.can_be_sent_again()
    }

    /// The response in no coding. An error in its body says if something may have been done.
    fn readable(&self, mut answer: Streamed) -> Result<Streamed, Error> {
        // a refusal says that nothing was done
        let unsure = !retry::may_be_repeated(&self.draft.method) && !(400..500).contains(&answer.status);
        let unsure_of = |e| if unsure { perhaps_done(e) } else { e };
        if self.draft.decompress {
            content_coding::decompress(&mut answer).map_err(|e| broken_off(&unsure_of(e)))?;
        }
        if unsure {
            answer.body = Box::new(PerhapsDone(answer.body));
        }
        Ok(answer)
    }

    /// Renews a token that the response refuses. Returns whether the request goes again.
    fn renews_after(&mut self, world: &mut World, answer: &mut Streamed, tries: &mut Tries) -> Result<bool, Error> {
        let may = !tries.renewed && self.set.is_some() && self.renew.is_some();
        if !may || !api_error::may_mean_expired(&self.provider.errors, answer.status) {
            return Ok(false);
        }
        let seen = look_into(answer)?;
        if !means_expired(self.provider, answer.status, &answer.headers, &seen) {
            return Ok(false);
        }
        self.renew(world)?;
        tries.renewed = self.body.can_be_sent_again();
        // else the user's next command uses the new token
        self.aftermath.renewed = !tries.renewed;
        Ok(tries.renewed)
    }

    /// Waits as long as the response asks, if it will pass. Returns whether the request goes again.
    fn waits_after(&mut self, world: &mut World, answer: &mut Streamed, tries: &mut Tries) -> Result<bool, Error> {
        if !retry::passes(answer.status) {
            return Ok(false);
        }
        let seen = look_into(answer)?;
        let asked = retry::asked(&answer.headers, &seen, &self.provider.limits, world.clock.now());
        if answer.status == 429 {
            self.heed(world, (answer.status, &answer.headers, &seen));
        }
        let time = wait_for(world, asked, tries.made);
        let why = || format!("the API answered {}", answer.status);
        let may = retry::may_be_repeated(&self.draft.method) || retry::did_nothing(answer.status);
        let soon = may && time <= retry::LONGEST_WAIT && self.has_time_for(world, time);
        Ok(self.may_go_again(tries) && soon && tries.wait(world, time, why, self.retries))
    }

    /// Prepares for a foreign host: neither the token nor the provider's headers are sent from here
    /// on.
    fn leave(&mut self, world: &mut World, to: &Url, own: &mut Option<Own>) {
        let Some(mut abroad) = self.abroad.clone() else { return };
        // the user typed these credentials for another address
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

    /// Waits until the provider's rate limit admits another request.
    pub fn take_slot(&mut self, world: &mut World) -> Result<(), Error> {
        let longest = self.time_left(world).unwrap_or(Duration::MAX);
        let time = self.pace.take(&*world.clock, longest)?;
        rate_limit::wait(world, time, "the provider's limit on requests");
        Ok(())
    }

    /// Reads what a response says about the rate limit, for all processes.
    pub fn heed(&mut self, world: &mut World, (status, headers, body): (u16, &[(String, String)], &[u8])) {
        let limits = &self.provider.limits;
        let named = |name: &Option<String>| header(headers, &name.as_ref()?.to_lowercase()).map(str::trim);
        let remaining = named(&limits.headers.remaining);
        if let (Some(left), Some(most)) = (remaining, named(&limits.headers.most)) {
            world.step(|| format!("{} of {} requests remain", safe(left), safe(most)));
        }
        self.pace.heed(&*world.clock, limits, (status, headers, body));
    }

    /// Tells whether a request whose response broke off may be sent once more.
    pub fn is_repeatable(&self) -> bool {
        retry::may_be_repeated(&self.draft.method) && self.body.can_be_sent_again()
    }

    /// Waits before a request is repeated whose response broke off. `false`: there were enough
    /// attempts.
    pub fn wait_after_break(&self, world: &mut World, attempts: &mut u32) -> bool {
        let time = wait_for(world, None, *attempts);
        if *attempts >= self.retries || !self.has_time_for(world, time) {
            return false;
        }
        rate_limit::wait(world, time, "the answer broke off");
        *attempts += 1;
        true
    }

    /// Obtains a newer token than the refused one; another process may have obtained it already.
    pub fn renew(&mut self, world: &mut World) -> Result<(), Error> {
        let (Some(refused), Some(renew)) = (self.set.clone(), &mut self.renew) else { return Ok(()) };
        world.step(|| "the API says that the token has expired: refreshing it once".to_owned());
        self.set = Some(renew(world, &refused)?);
        Ok(())
    }
}

/// Returns the wait before attempt `attempts + 2`.
fn wait_for(world: &World, asked: Option<Duration>, attempts: u32) -> Duration {
    match asked {
        // a little later than asked, with a random offset against bursts
        Some(asked) => asked + Duration::from_millis(u64::from(random(world))),
        None => retry::back_off(attempts + 1, random(world)),
    }
}

/// Tells whether a header with this name holds a credential: a cookie, a key, a token.
fn is_credential(name: &str) -> bool {
    const MARKS: [&str; 9] =
        ["auth", "cookie", "token", "secret", "key", "session", "password", "credential", "signature"];
    MARKS.iter().any(|mark| name.contains(mark))
}

/// Tells whether a refusal means that another token would be accepted: not where a scope or a
/// stronger sign-in is wanted (RFC 6750, section 3.1; RFC 9470).
pub fn means_expired(provider: &Provider, status: u16, headers: &[(String, String)], body: &[u8]) -> bool {
    let wanted = api_error::challenged(headers, "error");
    if matches!(wanted.as_deref(), Some("insufficient_scope" | "insufficient_user_authentication")) {
        return false;
    }
    let error = api_error::read(&content_coding::readable(headers, body));
    api_error::meaning(&provider.errors, status, error.as_ref()) == Some(Means::Expired)
}

fn random(world: &World) -> u8 {
    let mut byte = [0];
    world.random.fill(&mut byte);
    byte[0]
}

/// Returns the first mebibyte of a response's body, which stays readable from its beginning.
pub fn look_into(answer: &mut Streamed) -> Result<Vec<u8>, Error> {
    let mut seen = Vec::new();
    if let Err(e) = (&mut answer.body).take(LOOKED_INTO).read_to_end(&mut seen) {
        let e = broken_off(&e);
        // a refusal is one even if its text broke off
        if answer.status < 400 || e.kind != Kind::TryLater {
            return Err(e);
        }
        answer.body = Box::new(std::io::empty());
    }
    let rest = std::mem::replace(&mut answer.body, Box::new(std::io::empty()));
    answer.body = Box::new(Cursor::new(seen.clone()).chain(rest));
    Ok(seen)
}

/// A reset may come before the refusal is read (RFC 9112, section 9.6).
const CUT: &str = "the server may have refused the body, for its size or the token, before it had it all";

const LOOK_FIRST: &str = "it may have been done all the same: look before you send it again";

/// The response's body to a request that must not be sent twice. Its errors say so.
struct PerhapsDone(Box<dyn Read>);

/// An error of such a body.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct PerhapsDoneError(std::io::Error);

impl Read for PerhapsDone {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer).map_err(perhaps_done)
    }
}

fn perhaps_done(e: std::io::Error) -> std::io::Error {
    std::io::Error::new(e.kind(), PerhapsDoneError(e))
}

/// Returns the error for a response that ended too early, is malformed, or can't be decompressed.
pub fn broken_off(e: &std::io::Error) -> Error {
    let (kind, message) = match e.kind() {
        ErrorKind::InvalidData => (Kind::Unsafe, "the answer is malformed: it can't be decompressed"),
        ErrorKind::InvalidInput => (Kind::Unsafe, "the answer is malformed"),
        _ => (Kind::TryLater, "the answer broke off"),
    };
    let error = Error::new(kind, message).because(safe(&e.to_string()));
    match e.get_ref() {
        Some(inner) if inner.is::<PerhapsDoneError>() => error.hint(LOOK_FIRST),
        _ if kind == Kind::TryLater => error.hint("run the command again"),
        _ => error,
    }
}

/// Returns the URL for messages, without its query.
pub fn place(url: &Url) -> String {
    safe(&Request { url: Secret::unlisted(url.as_str()), ..Request::new("GET", "") }.place())
}
