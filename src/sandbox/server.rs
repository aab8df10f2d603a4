//! The state that all manners share (options, book, clock), and their common operations: making
//! tokens, authenticating clients, checking access tokens, limiting requests.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::client::Client;
use super::device_codes::Devices;
use super::log::Log;
use super::logins::{Book, Grant, Issued, Minted, Refused, Renewal};
use super::message::{Ask, Params, form_decoded};
use super::tickets::Tickets;
use super::{Behaviour, Options};
use crate::protocol::jose::base64url;
use crate::secret::hex;
use crate::world::{Clock, Random};

/// A running practice server.
pub struct Desk {
    pub options: Options,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    pub book: Book,
    pub log: Log,
    pub tickets: Tickets,
    pub devices: Devices,
    clock: Arc<dyn Clock>,
    draw: Draw,
    recent: Mutex<VecDeque<Duration>>,
}

/// Unguessable numbers from one seed: HMAC-SHA-256 of a counter. (The world's generator can't be
/// shared by threads.)
struct Draw {
    key: ring::hmac::Key,
    drawn: AtomicU64,
}

/// How a client authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Basic,
    /// Id and secret in the parameters.
    Parameters,
    /// The id alone, from a client without a secret.
    Public,
}

impl Desk {
    /// Opens the logins in the options' folder. Codes and tokens are derived from 32 bytes of
    /// `random`.
    pub fn new(options: Options, base: String, clock: Arc<dyn Clock>, random: &dyn Random) -> io::Result<Desk> {
        let mut seed = [0; 32];
        random.fill(&mut seed);
        let draw = Draw { key: ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &seed), drawn: AtomicU64::new(0) };
        let book = Book::open(options.state.as_deref(), options.manners.behaviour().name)?;
        let log = Log::new(options.watch.clone());
        let (tickets, devices) = (Tickets::default(), Devices::default());
        Ok(Desk { options, base, book, log, tickets, devices, clock, draw, recent: Mutex::default() })
    }

    /// Returns the behaviour of the provider that this server plays.
    pub fn behaviour(&self) -> &'static Behaviour {
        self.options.manners.behaviour()
    }

    /// Waits for the configured latency.
    pub fn wait(&self) {
        self.clock.sleep(self.options.latency);
    }

    /// Returns the time in Unix seconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Returns the time of a monotonic clock that includes suspends.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Returns the issuer.
    pub fn issuer(&self) -> &str {
        self.options.issuer.as_deref().unwrap_or(&self.base)
    }

    /// Returns 32 unguessable bytes.
    pub fn bytes(&self) -> [u8; 32] {
        let number = self.draw.drawn.fetch_add(1, Ordering::SeqCst);
        let tag = ring::hmac::sign(&self.draw.key, &number.to_be_bytes());
        let mut drawn = [0; 32];
        drawn.copy_from_slice(tag.as_ref());
        drawn
    }

    /// Returns 160 bits as 40 hexadecimal digits, the form of GetResponse's codes and tokens.
    pub fn hex40(&self) -> String {
        hex(&self.bytes()[..20])
    }

    /// Returns 42 random characters, the length of Constant Contact's refresh tokens.
    pub fn text42(&self) -> String {
        let mut text = base64url(self.bytes());
        text.truncate(42);
        text
    }

    /// Returns the app with this id.
    pub fn client(&self, id: &str) -> Option<&Client> {
        self.options.clients.iter().find(|c| c.id == id)
    }

    /// Authenticates the client by Basic or by `params`. `None`: it is unknown, its secret is
    /// wrong, or it used no way or two at once.
    pub fn authenticate(&self, ask: &Ask<'_>, params: &Params) -> Option<(&Client, Proof)> {
        if let Some((id, secret)) = &ask.basic {
            let client = self.client(id).or_else(|| self.client(&form_decoded(id)))?;
            let expected = client.secret.as_deref()?;
            let right = secret == expected || form_decoded(secret) == expected;
            let same = params.get("client_id").is_none_or(|id| id == client.id);
            return (right && same && params.get("client_secret").is_none()).then_some((client, Proof::Basic));
        }
        let client = self.client(params.get("client_id")?)?;
        match (&client.secret, params.get("client_secret")) {
            (Some(expected), Some(secret)) if expected == secret => Some((client, Proof::Parameters)),
            (None, None) => Some((client, Proof::Public)),
            _ => None,
        }
    }

    /// Combines token values with the configured lifetimes.
    pub fn minted(&self, access: String, refresh: Option<String>) -> Minted {
        Minted { access, refresh, access_life: self.options.access_life, refresh_life: self.options.refresh_life }
    }

    /// Looks up an access token.
    pub fn look(&self, access: Option<&str>) -> io::Result<Result<Grant, Refused>> {
        let Some(access) = access else { return Ok(Err(Refused::Unknown)) };
        self.book.look(access, self.now(), self.behaviour().stateless)
    }

    /// Exchanges the refresh token of a request for all its scopes. One that stays good comes back.
    pub fn renew(
        &self,
        client: &Client,
        params: &Params,
        mint: impl FnOnce(&Grant) -> io::Result<Minted>,
    ) -> io::Result<Result<Issued, Refused>> {
        let token = params.get("refresh_token").unwrap_or_default();
        let shown = Renewal { token, client: &client.id, scopes: None, rotation: self.options.rotation };
        let renewed = self.book.renew(shown, self.now(), mint)?;
        Ok(renewed.map(|issued| Issued { refresh: issued.refresh.or_else(|| Some(token.to_owned())), ..issued }))
    }

    /// Makes a pair of tokens in GetResponse's form.
    pub fn pair(&self) -> Minted {
        self.minted(self.hex40(), Some(self.hex40()))
    }

    /// Counts an API request. `false`: the limit per second is exceeded.
    pub fn admits(&self) -> bool {
        let Some(most) = self.options.per_second else { return true };
        let now = self.clock.elapsed();
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|&at| now.saturating_sub(at) >= Duration::from_secs(1)) {
            recent.pop_front();
        }
        if recent.len() >= most as usize {
            return false;
        }
        recent.push_back(now);
        true
    }

    /// Returns how many more requests this second allows.
    pub fn remaining(&self) -> u32 {
        let used = self.recent.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.options.per_second.unwrap_or(0).saturating_sub(used as u32)
    }
}
