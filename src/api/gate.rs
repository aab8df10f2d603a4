//! The gate of `proxy`: which requests go on to the provider's API, and with which credentials.
//!
//! Every page in a browser and every user of the machine reaches a port of its loopback. So a
//! request must name the proxy's secret path, connect to it by one of its own names (against DNS
//! rebinding), and come from no other site's page.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use url::Url;

use super::hosts;
use super::path_rule::{Rule, has_hidden_dots};
use super::rate_limit::Pace;
use super::request::present;
use super::retry;
use super::send::means_expired;
use crate::error::{Error, Kind};
use crate::protocol::api_error;
use crate::protocol::authorization_response::same;
use crate::protocol::sender_constrained::Binding;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::text::safe;
use crate::token::{Freshness, TokenSet};
use crate::wire::{Draw, Request};
use crate::world::relay::{Desk, Done, Head, Judged, Refusal, Way};
use crate::world::{Clock, HttpError};

/// Headers by which a request asks some servers for another method or path than it names.
const DISGUISES: [&str; 5] =
    ["x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"];

/// Seconds after which a renewal that brought nothing is tried again.
const AGAIN_AFTER: i64 = 5;

/// The credentials that requests get, or why there are none.
pub struct Held {
    /// Each renewal has a higher one.
    pub number: u64,
    pub provider: Provider,
    pub credentials: Result<(TokenSet, Binding), Error>,
    /// When a renewal brought nothing fresh, in Unix seconds.
    pub failed: Option<i64>,
}

/// Asks for other credentials than those of a number.
pub struct Renewal {
    pub number: u64,
    /// The API refused them.
    pub refused: bool,
    pub done: Done,
}

/// Carries out renewals, one after the other.
pub type Keeper = Box<dyn Fn(Renewal) + Send + Sync>;

pub struct Gate {
    /// `http://127.0.0.1:PORT`.
    origin: String,
    /// The values of `Host` that name the proxy.
    names: [String; 2],
    /// The first segment of each path.
    word: Secret,
    /// Empty: every request may pass.
    rules: Vec<Rule>,
    /// The provider names limits.
    paces: bool,
    pace: Mutex<Pace>,
    held: RwLock<Arc<Held>>,
    keeper: Keeper,
    clock: Arc<dyn Clock>,
    /// Makes the identifier of each proof.
    random: [u8; 16],
    drawn: AtomicU64,
    log: Option<Log>,
    /// Whether there was a request since this was asked last.
    used: AtomicBool,
}

/// What a gate is made of, besides its first credentials.
pub struct Posts {
    pub port: u16,
    pub word: Secret,
    pub rules: Vec<Rule>,
    /// Shared by all processes of the profile.
    pub pace: Pace,
    pub clock: Arc<dyn Clock>,
    pub random: [u8; 16],
    /// Where a line for each request goes, if they are to be seen.
    pub log: Option<Log>,
}

pub type Log = Box<dyn Fn(String) + Send + Sync>;

impl Held {
    /// `now`: when they were obtained.
    pub fn new(number: u64, provider: Provider, credentials: Result<(TokenSet, Binding), Error>, now: i64) -> Held {
        let fresh = |set: &TokenSet| matches!(set.freshness(now, None), Freshness::Fresh | Freshness::Unknown);
        let failed = (!credentials.as_ref().is_ok_and(|(set, _)| fresh(set))).then_some(now);
        Held { number, provider, credentials, failed }
    }
}

impl Gate {
    pub fn new(posts: Posts, held: Held, keeper: Keeper) -> Gate {
        let Posts { port, word, rules, pace, clock, random, log } = posts;
        let limits = &held.provider.limits;
        Gate {
            origin: format!("http://127.0.0.1:{port}"),
            names: [format!("127.0.0.1:{port}"), format!("localhost:{port}")],
            word,
            rules,
            paces: limits.per_second.is_some() || limits.per_day.is_some(),
            pace: Mutex::new(pace),
            held: RwLock::new(Arc::new(held)),
            keeper,
            clock,
            random,
            drawn: AtomicU64::new(0),
            log,
            used: AtomicBool::new(false),
        }
    }

    /// The address that stands for the API's.
    pub fn address(&self) -> Secret {
        Secret::new(format!("{}/{}", self.origin, self.word.expose()))
    }

    pub fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there was a request since the last call.
    pub fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub fn hold(&self, held: Held) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rest of a target after the secret path.
    fn within<'a>(&self, head: &Head<'a>) -> Result<&'a str, Refusal> {
        let host = head.authority.or_else(|| (head.header)("host")).unwrap_or_default();
        if !self.names.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            return Err(refused(421, &format!("the name of this proxy is `{}`", self.names[0])));
        }
        let inside = head.target.strip_prefix('/').unwrap_or_default();
        let (word, rest) = inside.split_at(inside.find(['/', '?']).unwrap_or(inside.len()));
        if !same(word, self.word.expose()) {
            return Err(refused(404, "the path does not begin with the proxy's own secret"));
        }
        let is_own = |origin: &str| origin.strip_prefix("http://").is_some_and(|name| name.eq_ignore_ascii_case(host));
        let foreign = (head.header)("origin").is_some_and(|origin| !is_own(origin));
        let site = (head.header)("sec-fetch-site").is_some_and(|site| !matches!(site, "none" | "same-origin"));
        if foreign || site {
            return Err(refused(403, "a page of another site may not use this proxy"));
        }
        Ok(rest)
    }

    /// The address of the API, if the rules let the request pass.
    fn target(&self, provider: &Provider, head: &Head<'_>) -> Result<Url, Refusal> {
        let rest = self.within(head)?;
        // an answer to TRACE holds the token (RFC 9110, section 9.3.8); CONNECT has no path
        if ["TRACE", "TRACK", "CONNECT"].iter().any(|method| head.method.eq_ignore_ascii_case(method)) {
            return Err(refused(405, &format!("{} does not pass", safe(head.method))));
        }
        if (head.header)("transfer-encoding").is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("chunked")) {
            return Err(refused(501, "a body in a transfer coding but `chunked` does not pass"));
        }
        let other = elsewhere(rest);
        let mut url = hosts::resolve(provider, other.unwrap_or(rest)).map_err(|e| as_refusal(400, &e))?;
        if other.is_some() && (is_of_base(provider, &url) || !self.rules.is_empty()) {
            return Err(refused(403, "a whole address is for the API's other hosts, and not with `--allow`"));
        }
        let path = own_path(provider, &url);
        if has_hidden_dots(path) {
            return Err(refused(400, &format!("{} could leave the provider's API", safe(path))));
        }
        if let Some(name) = DISGUISES.iter().find(|name| !self.rules.is_empty() && (head.header)(name).is_some()) {
            return Err(refused(403, &format!("the header `{name}` could make another request of it")));
        }
        if !self.rules.is_empty() && !self.rules.iter().any(|rule| rule.admits(head.method, path)) {
            return Err(refused(403, &format!("no `--allow` admits {} {}", safe(head.method), safe(path))));
        }
        hosts::add_query(provider, &mut url);
        Ok(url)
    }

    fn request(
        &self,
        held: &Held,
        head: &Head<'_>,
        (url, credentials): (&Url, &(TokenSet, Binding)),
    ) -> Result<Request, Error> {
        let mut request = Request::new(head.method, url.as_str());
        request.reuse = true;
        for (name, value) in &held.provider.api.headers {
            let name = name.to_lowercase();
            if (head.header)(&name).is_none() {
                request = request.header(&name, value);
            }
        }
        let (set, binding) = credentials;
        present(&held.provider, set, binding, &mut request);
        if let Some(at_sending) = request.at_sending.clone() {
            let mut random = self.random;
            let count = self.drawn.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            random.iter_mut().zip(count).for_each(|(byte, more)| *byte ^= more);
            let unsigned = |why: String| Error::usage("the client's key does not sign").because(why);
            at_sending.sign(&mut request, Draw { now: self.clock.now(), random }).map_err(unsigned)?;
        }
        Ok(request)
    }
}

impl Desk for Gate {
    fn way(&self, head: &Head<'_>) -> Result<Way, Refusal> {
        let held = self.held();
        let target = self.target(&held.provider, head);
        if let Some(log) = &self.log
            // the address of the others is not ours to show
            && self.within(head).is_ok()
        {
            let status =
                target.as_ref().map_or_else(|refused| format!("refused: {}", refused.status), |_| "passes".to_owned());
            log(format!("{} {}: {status}", safe(head.method), safe(path_of(self.within(head).unwrap_or_default()))));
        }
        target.map(|url| Way { url, number: held.number })
    }

    fn judge(&self, head: &Head<'_>, way: &Way) -> Judged {
        self.used.store(true, Ordering::Relaxed);
        let (held, now) = (self.held(), self.clock.now());
        // a login that was made again may have its API elsewhere
        let url = match way.number == held.number {
            true => Cow::Borrowed(&way.url),
            false => match self.target(&held.provider, head) {
                Ok(url) => Cow::Owned(url),
                Err(refused) => return Judged::Refused(refused),
            },
        };
        let again = held.failed.is_none_or(|failed| now - failed >= AGAIN_AFTER);
        let credentials = match &held.credentials {
            Err(_) if again => return Judged::Wait(held.number),
            Err(e) => return Judged::Refused(as_refusal(502, e)),
            Ok(credentials) => credentials,
        };
        match credentials.0.freshness(now, None) {
            Freshness::Stale | Freshness::Expired if again => return Judged::Wait(held.number),
            _ => {}
        }
        match self.request(&held, head, (&url, credentials)) {
            Ok(request) => Judged::Pass(Box::new(request), held.number),
            Err(e) => Judged::Refused(as_refusal(502, &e)),
        }
    }

    fn turn(&self) -> Result<Duration, Refusal> {
        if !self.paces {
            return Ok(Duration::ZERO);
        }
        self.pace().take(&*self.clock, retry::LONGEST_WAIT).map_err(|e| as_refusal(429, &e))
    }

    fn renew(&self, number: u64, refused: bool, done: Done) {
        (self.keeper)(Renewal { number, refused, done });
    }

    fn heed(&self, status: u16, headers: &dyn Fn() -> Vec<(String, String)>) {
        let held = self.held();
        let limits = &held.provider.limits;
        if status == 429 || limits.headers.remaining.is_some() {
            self.pace().heed(&*self.clock, limits, (status, &headers(), b""));
        }
    }

    fn may_refuse(&self, status: u16) -> bool {
        api_error::may_mean_expired(&self.held().provider.errors, status)
    }

    fn refuses(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> bool {
        means_expired(&self.held().provider, status, headers, body)
    }

    fn shown(&self, from: &str, (name, value): (&str, &str)) -> Option<String> {
        let held = self.held();
        let token = held.credentials.as_ref().map_or("", |(set, _)| set.access_token.expose());
        let mut value = value.to_owned();
        if ADDRESSES.contains(&name) {
            value = self.own_address(&held.provider, from, (name, value));
            let parameter = format!("{}={token}", held.provider.api.auth.name);
            for (leaked, left) in
                [(format!("{parameter}&"), ""), (format!("?{parameter}"), ""), (format!("&{parameter}"), "")]
            {
                value = value.replace(&leaked, left);
            }
        }
        (token.is_empty() || !value.contains(token)).then_some(value)
    }

    fn unanswered(&self, why: &HttpError) -> Refusal {
        let status = match why {
            HttpError::TimedOut { .. } => 504,
            HttpError::Forbidden { .. } => 400,
            _ => 502,
        };
        as_refusal(status, &Error::from(why.clone()))
    }
}

/// Headers of a response that hold addresses.
const ADDRESSES: [&str; 4] = ["location", "content-location", "link", "refresh"];

impl Gate {
    /// A response's header with the proxy's addresses in the place of the API's.
    fn own_address(&self, provider: &Provider, from: &str, (name, value): (&str, String)) -> String {
        let base = provider.api.base_url.as_deref().unwrap_or_default().trim_end_matches('/');
        let absolute = match name {
            "location" => match Url::parse(from).and_then(|from| from.join(&value)) {
                // another host of the API's
                Ok(url) if url.scheme() == "https" && !is_of_base(provider, &url) && hosts::owns(provider, &url) => {
                    return format!("{}/{url}", self.address().expose());
                }
                Ok(url) => String::from(url),
                Err(_) => value,
            },
            _ => value,
        };
        absolute.replace(&format!("{base}/"), &format!("{}/", self.address().expose()))
    }
}

/// The address of another host of the API's (`api.hosts`) in the place of a path.
fn elsewhere(rest: &str) -> Option<&str> {
    rest.strip_prefix('/').filter(|rest| rest.starts_with("https://"))
}

fn is_of_base(provider: &Provider, url: &Url) -> bool {
    let base = provider.api.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    base.is_some_and(|base| hosts::same_origin(&base, url))
}

/// The path below the API's own.
fn own_path<'a>(provider: &Provider, url: &'a Url) -> &'a str {
    let base = provider.api.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    let base = base.as_ref().map_or("", |base| base.path().trim_end_matches('/'));
    url.path().strip_prefix(base).unwrap_or(url.path())
}

fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

fn refused(status: u16, message: &str) -> Refusal {
    as_refusal(status, &Error::new(Kind::Refused, message))
}

/// The error as `--error-format json` has it.
fn as_refusal(status: u16, e: &Error) -> Refusal {
    let retry = e.retry_after.map(|seconds| ("retry-after", seconds.to_string()));
    Refusal { status, headers: retry.into_iter().collect(), body: e.as_json() }
}
