//! The short-lived listener that catches the redirect. It faces every page in the person's browser.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;

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

#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("port {port} is taken{holder}")]
    PortTaken { port: u16, holder: String },
    #[error("can't listen on loopback: {0}")]
    Failed(String),
}

/// Bound and serving from the moment it exists; closed when dropped.
pub struct Loopback {}

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
pub struct Reply {}

/// What a browser is told. All pages are constant bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// 303 to `/done` without the query, so that the history holds no code; `/done` says that the login is complete.
    Done,
    /// 303 to `/failed`: "see your terminal".
    Failed,
    NotFound,
    /// A redirect to the right place that isn't ours (wrong state).
    Refused,
    MethodNotAllowed,
}

impl Loopback {
    /// Binds, checks that it is reached at its own address, and serves.
    pub fn bind(_address: &Address, _requests: Sender<Arrived>, _accept_post: bool) -> Result<Loopback, ListenError> {
        unimplemented!()
    }
    /// The first address bound.
    pub fn address(&self) -> SocketAddr {
        unimplemented!()
    }
    /// `http://127.0.0.1:PORT`, `https://localhost:PORT`, …: the redirect address without its path.
    pub fn origin(&self) -> String {
        unimplemented!()
    }
    /// Serves `/done` or `/failed` for a moment (at most 1 s, ends as soon as it was fetched), then closes.
    pub fn finish(self) {}
}

impl Reply {
    pub fn send(self, _page: Page) {}
}
