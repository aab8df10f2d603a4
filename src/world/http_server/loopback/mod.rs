//! The short-lived listener for the redirect. Every page in the user's browser can reach it.
//!
//! Noise must never end or delay a login: browsers open connections on suspicion and leave them
//! idle. So each has 5 s for its request, and when 32 are open the oldest incomplete one is closed
//! (`acceptor`). Requests that a page could have forged end in `judge`. The receiver gets
//! well-formed requests of a bounded size, and decides whether path, `state` and `code` are right.
//! Every response is constant bytes (`page`), except the redirect from the one-time address
//! (`entrance`), which exists since every user of the machine can read a browser's command line.
//! The kernel tells which user connects, where it can (`peer`).

mod certificate;
mod connection;
pub mod judge;
mod page;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::acceptor::Acceptor;
use super::listening;
pub use super::listening::{Address, Host, ListenError, peer::Stranger};
use crate::secret::Secret;
use crate::world::{BrowserError, browser};

const ENTRANCE: &str = "/sign-in/";

const MOST_CONNECTIONS: usize = 32;

/// How long [`Loopback::finish`] waits for the browser to follow to `/done`.
const LAST_PAGE: Duration = Duration::from_secs(1);

/// Serves as soon as it exists; dropping it closes it.
pub struct Loopback {
    shared: Arc<Shared>,
    address: SocketAddr,
    localhost: bool,
    _acceptor: Acceptor,
}

/// A well-formed request for this host and port. The receiver decides if it ends the login.
pub struct Arrived {
    /// As in the request line, without the query.
    pub path: String,
    /// Undecoded; empty if absent.
    pub query: String,
    /// A posted form (`response_mode=form_post`), undecoded, at most 16 KiB.
    pub form: Option<String>,
    pub reply: Reply,
}

/// A request that was refused before the receiver could judge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// It came from another user, or from an unknown one.
    Stranger(Stranger),
    TooLarge(Oversize),
}

/// The part of a request that is over its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// The request line: the answer itself.
    Line,
    /// Most likely cookies.
    Headers,
    Form,
    /// A body that was not asked for, or has no length.
    Body,
}

/// The way back to the browser. Dropped unused, it sends a plain 404.
pub struct Reply {
    to: Sender<Answer>,
    shared: Arc<Shared>,
    id: u64,
    sent: bool,
}

/// A page for the browser, constant bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// 303 to `/done` without the query, so that the history holds no code.
    Done,
    /// 303 to `/failed`: "see your terminal".
    Failed,
    /// 303 to `/asked`: "your terminal asks you something".
    Asked,
    NotFound,
    /// A redirect to the right path with the wrong `state`.
    Refused,
}

enum Answer {
    Page(Page),
    /// The receiver gave none. A repeat of the login's final request gets its page, others 404.
    Unsaid,
}

/// State shared by the acceptor, the connections and the owner.
struct Shared {
    port: u16,
    tls: Option<Arc<rustls::ServerConfig>>,
    accept_post: bool,
    requests: Sender<Arrived>,
    unheard: Sender<Unheard>,
    table: Mutex<Table>,
    /// Signals a change in the table.
    changed: Condvar,
}

#[derive(Default)]
struct Table {
    /// The connections whose request is with the receiver, each with its target.
    waiting: BTreeMap<u64, (Sender<Answer>, Zeroizing<String>)>,
    /// The first page that ended a login, and its target.
    ended: Option<(Page, Zeroizing<String>)>,
    /// Redirects to that page that the browser hasn't followed yet.
    owed: usize,
    finishing: bool,
    entrance: Option<Entrance>,
}

/// A local address that redirects once.
struct Entrance {
    path: String,
    /// Taken by the first visit.
    to: Option<Secret>,
}

impl Loopback {
    /// Binds, checks that the listener is reached at its own address, and serves. Requests of other
    /// users of the machine and oversized ones are refused, and reported to `unheard`.
    pub fn bind(
        address: &Address,
        requests: Sender<Arrived>,
        unheard: Sender<Unheard>,
        accept_post: bool,
    ) -> Result<Loopback, ListenError> {
        let bound = listening::bind(address)?;
        let first = bound.address;
        let tls = if address.tls { Some(certificate::server_config().map_err(std::io::Error::other)?) } else { None };
        let shared = Arc::new(Shared {
            port: first.port(),
            tls,
            accept_post,
            requests,
            unheard,
            table: Mutex::default(),
            changed: Condvar::new(),
        });
        let served = Arc::clone(&shared);
        let handler = move |visit: &_| connection::serve(&served, visit);
        let acceptor = Acceptor::start(bound, MOST_CONNECTIONS, Duration::ZERO, handler)?;
        let localhost = address.host == Host::Localhost;
        Ok(Loopback { shared, address: first, localhost, _acceptor: acceptor })
    }

    /// The address on which the listener waits.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, `https://localhost:PORT`, …: the redirect address without its path.
    pub fn origin(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        if self.localhost {
            format!("{scheme}://localhost:{}", self.address.port())
        } else {
            format!("{scheme}://{}", self.address)
        }
    }

    /// A short local address that redirects to `to`, at the first visit only. `name` is random, and
    /// known only to the browser that gets the address.
    pub fn entrance(&self, name: &str, to: &Secret) -> Result<String, BrowserError> {
        let to = browser::checked(to.expose())?;
        let path = format!("{ENTRANCE}{name}");
        let address = format!("{}{path}", self.origin());
        self.shared.table().entrance = Some(Entrance { path, to: Some(Secret::new(to.as_str())) });
        Ok(address)
    }

    /// Serves the last page until the browser has fetched it, at most 1 s, then closes.
    pub fn finish(self) {
        let until = Instant::now() + LAST_PAGE;
        let mut table = self.shared.table();
        table.finishing = true;
        for (to, _) in table.waiting.values() {
            // an answered connection takes no second answer
            let _ = to.send(Answer::Unsaid);
        }
        while table.owed > 0 || !table.waiting.is_empty() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            table = self.shared.changed.wait_timeout(table, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Reply {
    /// Answers the browser.
    pub fn send(mut self, page: Page) {
        self.sent = true;
        self.shared.note_end(self.id, page);
        let _ = self.to.send(Answer::Page(page));
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.sent {
            let _ = self.to.send(Answer::Unsaid);
        }
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This response ends the login; its page must exist before the browser follows the redirect.
    fn note_end(&self, id: u64, page: Page) {
        if page::last(page).is_none() {
            return;
        }
        let mut table = self.table();
        table.owed += 1;
        if table.ended.is_none() {
            let target = table.waiting.get(&id).map(|(_, target)| target.clone()).unwrap_or_default();
            table.ended = Some((page, target));
        }
    }
}
