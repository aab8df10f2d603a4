//! The practice authorization server: everything `oauthctl` does, on a machine without a network and without an account anywhere.
//!
//! It has two uses, and both decide how it is built. A person practises: the pages are pleasant, the errors say what was
//! wrong, the lifetimes are short enough to see a renewal. A test relies on it: the answers are those that a provider
//! documents, member by member, and [`Server::log`] tells what was asked, where each parameter stood, and never a value.
//!
//! [`Manners`] names the provider whose behaviour is shown: the practice server's own (by the RFCs), or one of the three
//! providers', one file each. What no source verifies is listed by [`Behaviour::not_verified`], shown on the server's front page, and chosen so that
//! a client which survives it survives the other possibilities too. Nothing here may be used to guard anything: whoever
//! presses "Allow" is signed in.

mod book;
mod client;
mod consent;
mod constantcontact;
mod constantcontact_api;
mod data;
mod desk;
mod device;
mod device_codes;
mod exchange;
mod front;
mod getresponse;
mod getresponse_api;
mod jwt;
mod log;
mod overrides;
mod page;
mod practice;
#[cfg(test)]
mod tests;
mod tickets;
mod verticalresponse;
mod vr2;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

pub use client::{Client, Redirects};
pub use log::{Basic, Logged, Param};
pub use overrides::provider_overrides;

use crate::world::loopback::ListenError;
use crate::world::serve::{self, Request, Response, Serving};
use crate::world::{Clock, Random, World};
use desk::Desk;
use exchange::{Ask, json};

/// What one provider's practice server does that another one's does not. Each provider's file holds one.
pub struct Behaviour {
    /// The provider's name in the catalogue.
    pub name: &'static str,
    /// The provider's name as the provider writes it, for pages.
    pub title: &'static str,
    /// The same for the provider's entry, which says that it is not the real one.
    pub practice_name: &'static str,
    /// The heading of the page on which a person signs in.
    sign_in: &'static str,
    /// What this server does where no source says what the provider does.
    pub not_verified: &'static [&'static str],
    /// Changes the options to those that the provider documents.
    documented: fn(&mut Options),
    /// The apps that are registered: the README and the front page name them. Their redirect addresses are those that the
    /// provider's own documents and examples register.
    clients: fn() -> Vec<Client>,
    /// Lines of the provider's entry beside its addresses, made from the server's own address.
    entry: fn(&str) -> String,
    /// The provider's addresses: table, key and path.
    addresses: &'static [(&'static str, &'static str, &'static str)],
    /// Whether there are refresh tokens at all.
    refresh_tokens: bool,
    /// Whether an access token stays good after its login was revoked.
    stateless: bool,
    answer: fn(&Desk, &Ask<'_>) -> io::Result<Response>,
}

/// The providers that are played: a new one is its file, which holds its `BEHAVIOUR`, and a line here.
macro_rules! manners {
    ($($(#[$doc:meta])* $name:ident = $file:ident,)*) => {
        /// The provider whose behaviour is shown.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Manners {
            $($(#[$doc])* $name,)*
        }

        impl Manners {
            /// All of them.
            pub const ALL: [Manners; [$(Manners::$name),*].len()] = [$(Manners::$name),*];

            /// The provider's behaviour.
            pub fn behaviour(self) -> &'static Behaviour {
                match self {
                    $(Manners::$name => &$file::BEHAVIOUR,)*
                }
            }
        }
    };
}

manners! {
    /// The practice server's own: the RFCs, with PKCE, `iss`, rotation and revocation.
    Sandbox = practice,
    GetResponse = getresponse,
    /// The classic API (v1).
    VerticalResponse = verticalresponse,
    VerticalResponseVr2 = vr2,
    ConstantContact = constantcontact,
}

impl Manners {
    /// The provider's name in the catalogue.
    pub fn name(self) -> &'static str {
        self.behaviour().name
    }

    /// The provider with this name in the catalogue.
    pub fn from_name(name: &str) -> Option<Manners> {
        Manners::ALL.into_iter().find(|m| m.name() == name)
    }
}

/// What becomes of a refresh token when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It stays good.
    None,
    /// A new one comes with each use; the one just before stays good for so many seconds, as long as its successor is unused.
    /// Any other spent one revokes the whole login.
    Grace(i64),
    /// A new one comes with each use and the old one is dead at once; using it again is refused and changes nothing else.
    Once,
    /// A new one comes with each use; using an old one again revokes the whole login (RFC 9700, section 4.14.2).
    Strict,
}

/// How a server is to behave. [`Options::new`] gives what the provider documents.
#[derive(Clone)]
pub struct Options {
    pub manners: Manners,
    /// Who it says it is; `None`: its own address.
    pub issuer: Option<String>,
    /// `None`: any free one.
    pub port: Option<u16>,
    /// The folder in which logins survive between processes, shared by any number of them: hashes, never a token.
    /// `None`: they live as long as the server.
    pub state: Option<PathBuf>,
    /// The apps that are registered.
    pub clients: Vec<Client>,
    /// Seconds; `None`: never expires, and no answer says when.
    pub access_life: Option<i64>,
    /// Seconds, of a token from the client's own credentials.
    pub client_credentials_life: i64,
    /// Seconds.
    pub code_life: i64,
    /// Seconds between two questions of a client whose person signs in elsewhere (RFC 8628).
    pub device_interval: u64,
    /// Seconds since it was issued; `None`: never expires.
    pub refresh_life: Option<i64>,
    pub rotation: Rotation,
    /// Waited before each answer, by the world's clock.
    pub latency: Duration,
    /// How many contacts (items, for the practice server) the API has from the start.
    pub records: u64,
    /// API requests per second after which the provider's 429 comes.
    pub per_second: Option<u32>,
    /// The answer of the token endpoint leaves out `expires_in` and `scope`: they stand in the token's own claims alone
    /// (Constant Contact).
    pub claims_only: bool,
    /// The account's domain, which every request must then name in `X-Domain` (GetResponse MAX).
    pub domain: Option<String>,
    /// Gets each request as it is answered.
    pub watch: Option<Sender<Logged>>,
}

impl Options {
    /// What the provider documents, in memory, on any port.
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

/// Why there is no practice server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("no thread can be had: {0}")]
    Thread(io::Error),
    #[error("can't keep practice logins in `{}`: {why}", folder.display())]
    State { folder: PathBuf, why: io::Error },
}

/// A practice server: reachable from the moment it exists, gone when dropped.
pub struct Server {
    desk: Arc<Desk>,
    /// Held for its drop.
    _serving: Serving,
}

/// Who the server inside a command is, whatever port it has that time: an ID token of one command is judged by the next. The
/// provider's entry says the same.
const ISSUER: &str = "https://practice.invalid";

/// The server behind the provider `sandbox`, for as long as a command needs it; its logins survive in `state`.
pub fn practice_server(world: &World, state: Option<PathBuf>) -> Result<Server, StartError> {
    let options = Options { state, issuer: Some(ISSUER.to_owned()), ..Options::new(Manners::Sandbox) };
    Server::start(options, Arc::clone(&world.clock), &*world.random)
}

impl Server {
    /// Listens on `127.0.0.1`, on threads of its own. Codes and tokens are derived from 32 bytes of `random`.
    pub fn start(options: Options, clock: Arc<dyn Clock>, random: &dyn Random) -> Result<Server, StartError> {
        let bound = serve::bind(options.port)?;
        let base = format!("http://{}", bound.address());
        let folder = options.state.clone().unwrap_or_default();
        let desk = Desk::new(options, base, clock, random).map_err(|why| StartError::State { folder, why })?;
        let desk = Arc::new(desk);
        let handler = {
            let desk = Arc::clone(&desk);
            move |request: &Request| answer(&desk, request)
        };
        let serving = bound.serve(Arc::new(handler)).map_err(StartError::Thread)?;
        Ok(Server { desk, _serving: serving })
    }

    /// `http://127.0.0.1:PORT`
    pub fn base(&self) -> String {
        self.desk.base.clone()
    }

    /// Every request answered so far (the last ten thousand), in the order of their answers.
    pub fn log(&self) -> Vec<Logged> {
        self.desk.log.all()
    }

    /// What the person's "disconnect" at a provider does: every login is revoked, tokens and all.
    pub fn disconnect_all(&self) -> io::Result<()> {
        self.desk.book.revoke_all()
    }
}

fn answer(desk: &Desk, request: &Request) -> Response {
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
    // a page elsewhere whose name was made to point here (DNS rebinding) is not served
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
    let name = if host.starts_with('[') {
        host.split_inclusive(']').next().unwrap_or_default()
    } else {
        host.split(':').next().unwrap_or_default()
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}
