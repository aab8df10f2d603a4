//! The short-lived listener that catches the redirect. It faces every page in the person's browser.
//!
//! Noise must never end or delay a login, so each connection has a thread of its own (browsers open connections on suspicion and
//! leave them idle), each has 5 s for its request, and when 32 are open the oldest whose request isn't whole yet makes room:
//! never the new one, which may be the redirect. Requests that a page could have forged, or that came under another name (DNS
//! rebinding), end in `judge` and never reach the receiver. What does reach it is well-formed and small; whether path, `state`
//! and `code` are right is for the receiver to say. Everything sent back is constant bytes (`page`), but for the one redirect from
//! an address that this program makes up (`entrance`): a browser's command line is read by every user of the machine, and what
//! stands on it must be good for nobody else. Who may call here is asked of the kernel, where it knows.

mod certificate;
mod connection;
pub mod judge;
mod page;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::BrowserError;
use super::browser;
pub use super::listening::{ListenError, peer::Stranger};
use super::listening::{failed, holder, listen, reached, wake};
use crate::secret::Secret;

/// What the path of a one-time address begins with.
const ENTRANCE: &str = "/sign-in/";

/// Connections open at once.
const MAX_CONNECTIONS: usize = 32;

/// Threads alive at once: those of connections that were just cut need a moment to notice.
const MAX_THREADS: usize = 2 * MAX_CONNECTIONS;

/// A new connection's time for the first bytes of its request, so that many real ones at once don't cut each other off. With
/// a thousand idle ones before it a redirect waits for `1000 / MAX_CONNECTIONS` times this.
const GRACE: Duration = Duration::from_millis(5);

/// Enough for a TLS handshake without optimisation; untouched pages of it cost nothing.
const STACK: usize = 512 << 10;

/// How long [`Loopback::finish`] waits for the browser to follow to `/done`.
const LAST_PAGE: Duration = Duration::from_secs(1);

/// Free ports tried until one is free on both addresses of `localhost`.
const PAIR_TRIES: usize = 16;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: Host,
    /// The ports to try in turn; empty: any free one.
    pub ports: Vec<u16>,
    /// Serve TLS with a certificate made on the spot.
    pub tls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `127.0.0.1`, or `[::1]` where there is no IPv4.
    Literal,
    V6,
    /// The name `localhost`: both addresses are bound, on the same port.
    Localhost,
}

/// Bound and serving from the moment it exists; closed when dropped.
pub struct Loopback {
    shared: Arc<Shared>,
    address: SocketAddr,
    localhost: bool,
    wake: wake::Waker,
    acceptor: Option<thread::JoinHandle<()>>,
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
    closing: AtomicBool,
    table: Mutex<Table>,
    /// Something in the table changed that somebody may wait for.
    changed: Condvar,
}

#[derive(Default)]
struct Table {
    next_id: u64,
    /// The oldest first.
    open: Vec<Open>,
    threads: usize,
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

struct Open {
    id: u64,
    since: Instant,
    socket: Arc<TcpStream>,
    /// Its request is whole and with the receiver: it isn't cut to make room.
    waits: Option<(Sender<Answer>, Zeroizing<String>)>,
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
        let listeners = bind_any(address)?;
        let first = listeners[0].local_addr().map_err(failed)?;
        let tls = if address.tls { Some(certificate::server_config().map_err(ListenError::Failed)?) } else { None };
        let mut early = Vec::new();
        for listener in &listeners {
            listener.set_nonblocking(true).map_err(failed)?;
            early.extend(reached(listener, listener.local_addr().map_err(failed)?)?);
        }
        let shared = Arc::new(Shared {
            port: first.port(),
            tls,
            accept_post,
            requests,
            strangers,
            closing: AtomicBool::new(false),
            table: Mutex::default(),
            changed: Condvar::new(),
        });
        let (wake, sleeper) = wake::pair().map_err(failed)?;
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::Builder::new()
            .name("loopback".into())
            .spawn(move || {
                early.into_iter().for_each(|socket| for_acceptor.admit(socket));
                accept(&listeners, &sleeper, &for_acceptor);
            })
            .map_err(failed)?;
        let localhost = address.host == Host::Localhost;
        Ok(Loopback { shared, address: first, localhost, wake, acceptor: Some(acceptor) })
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
        for (to, _) in table.open.iter().filter_map(|o| o.waits.as_ref()) {
            // one that was answered already takes no second answer
            let _ = to.send(Answer::Unsaid);
        }
        while table.owed > 0 || table.open.iter().any(|o| o.waits.is_some()) {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            table = self.shared.wait(table, left);
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.wake.wake();
        self.shared.changed.notify_all();
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for open in self.shared.table().open.drain(..) {
            let _ = open.socket.shutdown(Shutdown::Both);
        }
    }
}

impl Reply {
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

    fn wait<'a>(&self, table: MutexGuard<'a, Table>, time: Duration) -> MutexGuard<'a, Table> {
        self.changed.wait_timeout(table, time).unwrap_or_else(PoisonError::into_inner).0
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// The login ends with this answer, so the page it leads to must be there before the browser follows.
    fn note_end(&self, id: u64, page: Page) {
        if page::last(page).is_none() {
            return;
        }
        let mut table = self.table();
        table.owed += 1;
        if table.ended.is_none() {
            let target = table.open.iter().find(|o| o.id == id).and_then(|o| o.waits.as_ref());
            let target = target.map(|(_, target)| target.clone()).unwrap_or_default();
            table.ended = Some((page, target));
        }
    }

    /// Gives a new connection its thread; when the table is full, at the cost of the oldest whose request isn't whole. When all
    /// are whole and wait for the receiver, the new one waits with the kernel until one was answered.
    fn admit(self: &Arc<Shared>, socket: TcpStream) {
        if socket.set_nonblocking(false).is_err() {
            return;
        }
        // only speed hangs on it
        let _ = socket.set_nodelay(true);
        let socket = Arc::new(socket);
        let mut table = self.table();
        while !self.is_closing() && (table.open.len() >= MAX_CONNECTIONS || table.threads >= MAX_THREADS) {
            let full = table.open.len() >= MAX_CONNECTIONS;
            if !(full && table.cut_oldest()) {
                table = self.wait(table, GRACE);
            }
        }
        if self.is_closing() {
            return;
        }
        let id = table.next_id;
        table.next_id += 1;
        table.open.push(Open { id, since: Instant::now(), socket: Arc::clone(&socket), waits: None });
        table.threads += 1;
        drop(table);
        let shared = Arc::clone(self);
        let thread = thread::Builder::new().name("connection".into()).stack_size(STACK).spawn(move || {
            // counts this thread out, however it ends
            let _counted = Counted { shared: &shared, id };
            connection::serve(&shared, id, socket);
        });
        if thread.is_err() {
            self.forget(id);
        }
    }

    fn forget(&self, id: u64) {
        let mut table = self.table();
        table.open.retain(|o| o.id != id);
        table.threads -= 1;
        self.changed.notify_all();
    }
}

struct Counted<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.shared.forget(self.id);
    }
}

impl Table {
    /// Of those whose request isn't whole, the oldest that has had its [`GRACE`] and has left nothing unread: bytes that came are
    /// about to be looked at, and may be the redirect.
    fn cut_oldest(&mut self) -> bool {
        let now = Instant::now();
        let idle = |o: &Open| o.waits.is_none() && now.duration_since(o.since) >= GRACE && !wake::has_unread(&o.socket);
        let Some(at) = self.open.iter().position(idle) else { return false };
        let _ = self.open.remove(at).socket.shutdown(Shutdown::Both);
        true
    }
}

fn accept(listeners: &[TcpListener], sleeper: &wake::Sleeper, shared: &Arc<Shared>) {
    while !shared.is_closing() {
        sleeper.wait(listeners);
        for listener in listeners {
            if shared.is_closing() {
                return;
            }
            match listener.accept() {
                Ok((socket, _)) => shared.admit(socket),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock
                    | io::ErrorKind::Interrupted
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionReset => {}
                    _ => {
                        // no descriptor or no memory left: make room and try again, the connection is still there
                        shared.table().cut_oldest();
                        thread::sleep(Duration::from_millis(10));
                    }
                },
            }
        }
    }
}

/// The first of the ports that is free; at least one listener.
fn bind_any(address: &Address) -> Result<Vec<TcpListener>, ListenError> {
    if address.ports.is_empty() {
        return bind_free(address.host);
    }
    let mut refused = None;
    for port in &address.ports {
        match bind_one(address.host, *port) {
            Ok(listeners) => return Ok(listeners),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                refused.get_or_insert(ListenError::PortTaken { port: *port, holder: holder::of(*port) });
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                refused.get_or_insert(ListenError::Reserved(*port));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(refused.unwrap_or_else(|| ListenError::Failed("no port to try".to_owned())))
}

fn bind_free(host: Host) -> Result<Vec<TcpListener>, ListenError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_one(host, 0) {
            Ok(listeners) => return Ok(listeners),
            // free on one address of `localhost`, taken on the other
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < PAIR_TRIES => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Port 0: any. On Unix the standard library sets `SO_REUSEADDR`: a port in `TIME_WAIT` can be had again at once, one that is
/// listened on can't (Linux), or only under a wider address than ours, which then gets nothing of what is sent here (BSD).
fn bind_one(host: Host, port: u16) -> io::Result<Vec<TcpListener>> {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    match host {
        Host::V6 => Ok(vec![listen(v6)?]),
        Host::Literal => match listen(v4) {
            Err(error) if no_such_family(&error) => Ok(vec![listen(v6)?]),
            other => Ok(vec![other?]),
        },
        Host::Localhost => {
            let first = match listen(v4) {
                Err(error) if no_such_family(&error) => return Ok(vec![listen(v6)?]),
                other => other?,
            };
            let second = SocketAddr::from((Ipv6Addr::LOCALHOST, first.local_addr()?.port()));
            match listen(second) {
                Err(error) if no_such_family(&error) => Ok(vec![first]),
                other => Ok(vec![first, other?]),
            }
        }
    }
}

fn no_such_family(error: &io::Error) -> bool {
    #[cfg(unix)]
    if matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT)) {
        return true;
    }
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
}
