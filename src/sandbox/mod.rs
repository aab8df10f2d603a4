//! The practice authorization server: everything that `oauthctl` does, without a network and
//! without an account at a provider.
//!
//! Users practise with it: its errors say what was wrong, and its lifetimes are short enough to see
//! a refresh. Tests rely on it: its responses match the provider's documentation member by member,
//! and [`Server::log`] tells which parameters a request had and where, but never a value.
//!
//! [`Manners`] selects the provider to play: the practice server itself (by the RFCs), or a real
//! one, a file each. [`Behaviour::not_verified`] lists behaviour that no source confirms, for the
//! front page. The server must not protect anything: anyone who presses "Allow" is signed in.

mod client;
mod consent;
mod constantcontact;
mod constantcontact_api;
mod data;
mod device;
mod device_codes;
mod front;
mod getresponse;
mod getresponse_api;
mod jwt;
mod log;
mod logins;
mod message;
mod overrides;
mod page;
pub mod player;
mod practice;
mod server;
#[cfg(test)]
mod tests;
mod tickets;
mod verticalresponse;
mod verticalresponse_vr2;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

pub use client::Client;
pub use log::Logged;
pub use overrides::provider_overrides;

use crate::address::{Reach, reach};
use crate::world::http_server::loopback::ListenError;
use crate::world::http_server::reader::RawRequest;
use crate::world::http_server::serve::{self, Acceptor, Response};
use crate::world::{Clock, Random, World};
use message::{Ask, json};
use server::Desk;

/// The behaviour of one provider's practice server. Each provider's file defines one.
pub struct Behaviour {
    /// The provider's name in the catalogue.
    pub name: &'static str,
    /// The provider's own spelling of its name, for pages.
    pub title: &'static str,
    /// Behaviour that no source confirms.
    pub not_verified: &'static [&'static str],
    /// Sets the options to the provider's documented values.
    documented: fn(&mut Options),
    /// The registered apps, which the README and the front page name. Their redirect addresses are
    /// those of the provider's documentation and examples.
    clients: fn() -> Vec<Client>,
    /// Lines of the provider's entry besides its addresses, made from the server's address.
    entry: fn(&str) -> String,
    /// The provider's addresses: table, key and path.
    addresses: &'static [(&'static str, &'static str, &'static str)],
    /// Whether the provider issues refresh tokens.
    refresh_tokens: bool,
    /// Whether an access token stays valid after its login was revoked.
    stateless: bool,
    answer: fn(&Desk, &Ask<'_>) -> io::Result<Response>,
}

/// What most providers have in common.
const USUAL: Behaviour = Behaviour {
    name: "",
    title: "",
    not_verified: &[],
    documented: |_| (),
    clients: Vec::new,
    entry: |_| String::new(),
    addresses: &[],
    refresh_tokens: true,
    stateless: false,
    answer: |_, _| Ok(page::problem(404, "There is nothing at this address.")),
};

impl Behaviour {
    /// The name in the provider's entry, which says that it isn't the real provider.
    pub fn practice_name(&self) -> String {
        match self.title.strip_suffix(')') {
            _ if self.name == "sandbox" => self.title.to_owned(),
            Some(title) => format!("{title}, practice)"),
            None => format!("{} (practice)", self.title),
        }
    }

    /// The heading of the sign-in page.
    fn sign_in(&self) -> String {
        match self.name {
            "sandbox" => "Sign in to practise".to_owned(),
            _ => format!("Sign in to {}", self.title),
        }
    }
}

/// The providers to play. A new provider needs its file, with its `BEHAVIOUR`, and a line here.
macro_rules! manners {
    ($($(#[$doc:meta])* $name:ident = $file:ident,)*) => {
        /// The provider to play.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Manners {
            $($(#[$doc])* $name,)*
        }

        impl Manners {
            /// All providers.
            pub const ALL: [Manners; [$(Manners::$name),*].len()] = [$(Manners::$name),*];

            /// Returns the provider's behaviour.
            pub fn behaviour(self) -> &'static Behaviour {
                match self {
                    $(Manners::$name => &$file::BEHAVIOUR,)*
                }
            }
        }
    };
}

manners! {
    /// The practice server itself: the RFCs, with PKCE, `iss`, rotation and revocation.
    Sandbox = practice,
    GetResponse = getresponse,
    /// The classic API (v1).
    VerticalResponse = verticalresponse,
    VerticalResponseVr2 = verticalresponse_vr2,
    ConstantContact = constantcontact,
}

impl Manners {
    /// Returns the provider's name in the catalogue.
    pub fn name(self) -> &'static str {
        self.behaviour().name
    }

    /// Returns the provider with this name in the catalogue.
    pub fn from_name(name: &str) -> Option<Manners> {
        Manners::ALL.into_iter().find(|m| m.name() == name)
    }
}

/// The effect of a refresh on its refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The token stays valid.
    None,
    /// Each use brings a new token. The previous one stays valid for this many seconds while its
    /// successor is unused. Reuse of any other spent token revokes the whole login.
    Grace(i64),
    /// Each use brings a new token and invalidates the old one. Reuse is refused, without further
    /// effect.
    Once,
    /// Each use brings a new token. Reuse revokes the whole login (RFC 9700, section 4.14.2).
    Strict,
}

/// The options of a server. [`Options::new`] returns the provider's documented behaviour.
#[derive(Clone)]
pub struct Options {
    pub manners: Manners,
    /// The issuer. `None`: the server's own address.
    pub issuer: Option<String>,
    /// `None`: any free port.
    pub port: Option<u16>,
    /// The folder that stores logins between processes, for any number of them at once: hashes,
    /// never a token. `None`: logins live as long as the server.
    pub state: Option<PathBuf>,
    /// The registered apps.
    pub clients: Vec<Client>,
    /// Seconds. `None`: tokens never expire, and responses give no lifetime.
    pub access_life: Option<i64>,
    /// The lifetime of `client_credentials` tokens, in seconds.
    pub client_credentials_life: i64,
    /// Seconds.
    pub code_life: i64,
    /// The shortest time between two polls for a device code, in seconds (RFC 8628).
    pub device_interval: u64,
    /// Seconds since the token was issued. `None`: it never expires.
    pub refresh_life: Option<i64>,
    pub rotation: Rotation,
    /// The delay of each response, by the world's clock.
    pub latency: Duration,
    /// How many contacts (items, for the practice server) the API has at the start.
    pub records: u64,
    /// The API requests per second above which the provider returns 429.
    pub per_second: Option<u32>,
    /// Whether token responses leave out `expires_in` and `scope`, which only the token's claims
    /// then hold (Constant Contact).
    pub claims_only: bool,
    /// The account's domain, which every request must name in `X-Domain` (GetResponse MAX).
    pub domain: Option<String>,
    /// Receives each request after its response.
    pub watch: Option<Sender<Logged>>,
}

impl Options {
    /// Returns the provider's documented options, with logins in memory and any free port.
    pub fn new(manners: Manners) -> Options {
        let mut options = Options {
            manners,
            issuer: None,
            port: None,
            state: None,
            clients: (manners.behaviour().clients)(),
            access_life: Some(600),
            client_credentials_life: 600,
            code_life: 300,
            device_interval: 5,
            refresh_life: Some(30 * DAY),
            rotation: Rotation::Strict,
            latency: Duration::ZERO,
            records: 120,
            per_second: None,
            claims_only: false,
            domain: None,
            watch: None,
        };
        (manners.behaviour().documented)(&mut options);
        options
    }
}

/// Seconds.
const DAY: i64 = 86_400;

/// Why a practice server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("no thread can be had: {0}")]
    Thread(#[source] io::Error),
    #[error("can't keep practice logins in `{}`: {source}", folder.display())]
    State { folder: PathBuf, source: io::Error },
}

/// A running practice server, stopped when dropped.
pub struct Server {
    desk: Arc<Desk>,
    _acceptor: Acceptor,
}

/// The issuer of a server that runs inside a command. It is the same for any port, so that a later
/// command can validate an ID token. The provider's entry names it too.
const ISSUER: &str = "https://practice.invalid";

/// Starts the server of the provider `sandbox` for the length of a command. Logins are stored in
/// `state`.
pub fn practice_server(world: &World, state: Option<PathBuf>) -> Result<Server, StartError> {
    let options = Options { state, issuer: Some(ISSUER.to_owned()), ..Options::new(Manners::Sandbox) };
    Server::start(options, Arc::clone(&world.clock), &*world.random)
}

impl Server {
    /// Listens on `127.0.0.1`, on its own threads. Codes and tokens are derived from 32 bytes of
    /// `random`.
    pub fn start(options: Options, clock: Arc<dyn Clock>, random: &dyn Random) -> Result<Server, StartError> {
        let bound = serve::bind(options.port)?;
        let base = format!("http://{}", bound.address);
        let folder = options.state.clone().unwrap_or_default();
        let desk = Desk::new(options, base, clock, random).map_err(|source| StartError::State { folder, source })?;
        let desk = Arc::new(desk);
        let served = Arc::clone(&desk);
        let acceptor = serve::serve(bound, move |request| answer(&served, request)).map_err(StartError::Thread)?;
        Ok(Server { desk, _acceptor: acceptor })
    }

    /// `http://127.0.0.1:PORT`
    pub fn base(&self) -> String {
        self.desk.base.clone()
    }

    /// Returns the last ten thousand requests, in the order of their responses.
    pub fn log(&self) -> Vec<Logged> {
        self.desk.log.all()
    }

    /// Revokes every login, like "disconnect" in a provider's account settings.
    pub fn disconnect_all(&self) -> io::Result<()> {
        self.desk.book.revoke_all()
    }
}

fn answer(desk: &Desk, request: &RawRequest) -> Response {
    desk.wait();
    let ask = Ask::new(request);
    let response = route(desk, &ask).unwrap_or_else(|why| {
        let why = format!("the practice server can't use its folder: {why}");
        json(500, &serde_json::json!({ "error": "server_error", "error_description": why }))
    });
    desk.log.add(Logged::new(&ask, response.status));
    response
}

fn route(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    // refuses foreign host names that were made to point here (DNS rebinding)
    if !ask.request.header("host").is_some_and(is_loopback) {
        return Ok(page::problem(421, "This server answers to 127.0.0.1 and localhost only."));
    }
    match (ask.method, ask.path) {
        ("GET", "/") => front::page_of(desk),
        ("GET", "/favicon.ico") => Ok(Response { status: 204, headers: Vec::new(), body: Vec::new() }),
        ("POST", "/disconnect") => consent::disconnect(desk, ask),
        _ => (desk.behaviour().answer)(desk, ask),
    }
}

fn is_loopback(host: &str) -> bool {
    url::Url::parse(&format!("http://{host}")).is_ok_and(|url| reach(&url) == Reach::Usual)
}
