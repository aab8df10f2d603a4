//! The short-lived listener that catches the redirect. It faces every page in the person's browser.
//!
//! Noise must never end or delay a login: browsers open connections on suspicion and leave them idle. So each has 5 s for its
//! request, and when 32 are open the oldest whose request isn't whole yet makes room (`acceptor`). Requests that a page could have forged, or that came under another name (DNS
//! rebinding), end in `judge` and never reach the receiver. What does reach it is well-formed and small; whether path, `state`
//! and `code` are right is for the receiver to say. Everything sent back is constant bytes (`page`), but for the one redirect from
//! an address that this program makes up (`entrance`): a browser's command line is read by every user of the machine, and what
//! stands on it must be good for nobody else. Who may call here is asked of the kernel, where it knows.

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
use super::listening::{self, failed};
pub use super::listening::{Address, Host, ListenError, peer::Stranger};
use crate::secret::Secret;
use crate::world::{BrowserError, browser};

/// What the path of a one-time address begins with.
const ENTRANCE: &str = "/sign-in/";

/// Connections open at once.
const MOST_CONNECTIONS: usize = 32;

/// How long [`Loopback::finish`] waits for the browser to follow to `/done`.
const LAST_PAGE: Duration = Duration::from_secs(1);

/// Bound and serving from the moment it exists; closed when dropped.
pub struct Loopback {
    shared: Arc<Shared>,
    address: SocketAddr,
    localhost: bool,
    _acceptor: Acceptor,
}

/// A request that is well-formed, small, for this host and port. Whether it ends the login is for the receiver to judge.
pub struct Arrived {
    pub method: String,
    /// As it stood in the request line, without the query.
    pub path: String,
    /// Undecoded; empty where there was none.
    pub query: String,
    /// A form posted to us (`response_mode=form_post`), undecoded, at most 16 KiB.
    pub form: Option<String>,
    pub reply: Reply,
}

/// The way back to the browser; dropped unused, the browser gets a plain 404.
pub struct Reply {
    to: Sender<Answer>,
    shared: Arc<Shared>,
    id: u64,
    sent: bool,
}

/// What a browser is told. All pages are constant bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// 303 to `/done` without the query, so that the history holds no code; `/done` says that the login is complete.
    Done,
    /// 303 to `/failed`: "see your terminal".
    Failed,
    /// 303 to `/asked`: "your terminal asks you something".
    Asked,
    NotFound,
    /// A redirect to the right place that isn't ours (wrong state).
    Refused,
    MethodNotAllowed,
}

/// What a waiting connection is told.
enum Answer {
    Page(Page),
    /// The receiver didn't say: the page of the login's end where the request is the same as the one that ended it, else 404.
    Unsaid,
}

/// What the acceptor, the connections and the owner know together.
struct Shared {
    port: u16,
    tls: Option<Arc<rustls::ServerConfig>>,
    accept_post: bool,
    requests: Sender<Arrived>,
    strangers: Sender<Stranger>,
    table: Mutex<Table>,
    /// Something in the table changed that somebody may wait for.
    changed: Condvar,
}

#[derive(Default)]
struct Table {
    /// The connections whose request is with the receiver, each with its target.
    waiting: BTreeMap<u64, (Sender<Answer>, Zeroizing<String>)>,
    /// Set by the first page at which a login ends: which, and for which target.
    ended: Option<(Page, Zeroizing<String>)>,
    /// Redirects to such a page that haven't been followed yet.
    owed: usize,
    finishing: bool,
    entrance: Option<Entrance>,
    saw_tls: bool,
}

/// An address of ours that leads elsewhere, once.
struct Entrance {
    path: String,
    /// Taken by the first visit.
    to: Option<Secret>,
}

impl Loopback {
    /// Binds, checks that it is reached at its own address, and serves. What other users of the machine send is not among the
    /// requests: `strangers` says that they called.
    pub fn bind(
        address: &Address,
        requests: Sender<Arrived>,
        strangers: Sender<Stranger>,
        accept_post: bool,
    ) -> Result<Loopback, ListenError> {
        let bound = listening::bind(address)?;
        let first = bound.address;
        let tls = if address.tls { Some(certificate::server_config().map_err(ListenError::Failed)?) } else { None };
        let shared = Arc::new(Shared {
            port: first.port(),
            tls,
            accept_post,
            requests,
            strangers,
            table: Mutex::default(),
            changed: Condvar::new(),
        });
        let served = Arc::clone(&shared);
        let handler = move |visit: &_| connection::serve(&served, visit);
        let acceptor = Acceptor::start(bound, MOST_CONNECTIONS, Duration::ZERO, handler).map_err(failed)?;
        let localhost = address.host == Host::Localhost;
        Ok(Loopback { shared, address: first, localhost, _acceptor: acceptor })
    }

    /// The first address bound.
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

    /// A short address here that leads to that one, at the first visit only. `name` is drawn for it: whoever has it was told.
    pub fn entrance(&self, name: &str, to: &Secret) -> Result<String, BrowserError> {
        let to = browser::checked(to.expose())?;
        let path = format!("{ENTRANCE}{name}");
        let address = format!("{}{path}", self.origin());
        self.shared.table().entrance = Some(Entrance { path, to: Some(Secret::new(to.as_str())) });
        Ok(address)
    }

    /// Whether somebody greeted this plain port in TLS: the browser was set to try `https` first.
    pub fn saw_tls(&self) -> bool {
        self.shared.table().saw_tls
    }

    /// Serves the last page for a moment (at most 1 s, ends as soon as it was fetched), then closes.
    pub fn finish(self) {
        let until = Instant::now() + LAST_PAGE;
        let mut table = self.shared.table();
        table.finishing = true;
        for (to, _) in table.waiting.values() {
            // one that was answered already takes no second answer
            let _ = to.send(Answer::Unsaid);
        }
        while table.owed > 0 || !table.waiting.is_empty() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            table = self.shared.changed.wait_timeout(table, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Reply {
    /// Answers the browser with this page.
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

    /// The login ends with this answer, so the page it leads to must be there before the browser follows.
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
