//! Keeps credentials fresh while other programs use them: those that `proxy` adds to requests, and
//! files with a token.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::api::gate::{Gate, Held, Log, Posts, Renewal};
use crate::api::hosts;
use crate::api::path_rule::Rule;
use crate::command::token::{mask, presentable};
use crate::command::{pace, provider_to_call, without_port};
use crate::error::{Error, Kind};
use crate::protocol::sender_constrained::Binding;
use crate::secret::Secret;
use crate::session::fresh::{FreshnessPolicy, fresh, fresh_id_token, instead_of};
use crate::session::{Session, random_hex};
use crate::store::StoreKind;
use crate::token::TokenSet;
use crate::world::http_server::loopback::ListenError;
use crate::world::http_server::serve;
use crate::world::relay::{self, Desk, Relaying};
use crate::world::{Verbosity, World, files};

/// What wakes the keeper.
pub enum Event {
    Signal(i32),
    /// The program that all is kept for has ended.
    Ended,
    /// Of the proxy with this number.
    Renewal(usize, Renewal),
    /// For `-v`.
    Line(String),
}

/// How it came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Signal(i32),
    Ended,
}

/// A token may expire soon, and a login may have ended or been made again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Seconds until a file is tried again whose token could not be refreshed.
const TRY_AGAIN: i64 = 15;

pub struct Keeper {
    to: Sender<Event>,
    events: Receiver<Event>,
    proxies: Vec<Proxy>,
    files: Vec<TokenFile>,
}

struct Proxy {
    session: Session,
    gate: Arc<Gate>,
    _relaying: Relaying,
}

/// A file that holds a token and nothing else.
pub struct TokenFile {
    pub path: PathBuf,
    pub session: Session,
    pub want: FreshnessPolicy,
    pub id_token: bool,
    /// The token in it.
    filled: Option<Secret>,
    /// Not tried again before, in Unix seconds.
    rest: i64,
}

impl TokenFile {
    pub fn new(path: PathBuf, session: Session, min_ttl: Option<i64>, id_token: bool) -> TokenFile {
        let want = FreshnessPolicy { min_ttl, ..FreshnessPolicy::default() };
        TokenFile { path, session, want, id_token, filled: None, rest: 0 }
    }

    /// Writes a fresh token, whole or not at all, unless it is there. A login that has ended leaves
    /// no file.
    fn fill(&mut self, world: &mut World) -> Result<TokenSet, Error> {
        let obtain = if self.id_token { fresh_id_token } else { fresh };
        let set = obtain(world, &mut self.session, self.want).inspect_err(|e| {
            if e.kind == Kind::LoginFirst && self.filled.take().is_some() {
                let _ = files::remove(&self.path);
            }
        })?;
        if self.filled.as_ref() != Some(&set.access_token) || !self.path.exists() {
            mask(world, set.access_token.expose());
            files::replace(&self.path, set.access_token.expose().as_bytes())
                .map_err(|e| Error::new(Kind::Store, format!("`{}` can't be written", self.path.display())).cause(e))?;
            self.filled = Some(set.access_token.clone());
        }
        Ok(set)
    }
}

impl Keeper {
    pub fn new() -> Keeper {
        let (to, events) = channel();
        Keeper { to, events, proxies: Vec::new(), files: Vec::new() }
    }

    /// Where events go.
    pub fn events(&self) -> Sender<Event> {
        self.to.clone()
    }

    /// Listens for requests to the provider's API; returns the address that stands for it.
    pub fn serve(
        &mut self,
        world: &mut World,
        mut session: Session,
        (port, rules): (Option<u16>, Vec<Rule>),
    ) -> Result<Secret, Error> {
        let held = first(world, &mut session, 0)?;
        // a mistake in the address is told before anything listens
        hosts::resolve(&held.provider, "")?;
        let bound = serve::bind(port).map_err(not_started)?;
        let mut random = [0; 16];
        world.random.fill(&mut random);
        let to = self.to.clone();
        let log: Log = Box::new(move |line| drop(to.send(Event::Line(line))));
        let posts = Posts {
            port: bound.address.port(),
            word: Secret::new(random_hex(world)),
            rules,
            pace: pace(&session, &held.provider),
            clock: Arc::clone(&world.clock),
            random,
            log: (world.verbosity == Verbosity::Verbose).then_some(log),
        };
        let (to, number) = (self.to.clone(), self.proxies.len());
        // without a keeper, the dropped renewal ends the wait
        let ask = move |renewal| drop(to.send(Event::Renewal(number, renewal)));
        let gate = Arc::new(Gate::new(posts, held, Box::new(ask)));
        let desk: Arc<dyn Desk> = Arc::clone(&gate) as _;
        let _relaying = relay::start(bound, &desk).map_err(|e| not_started(e.into()))?;
        let address = gate.address();
        self.proxies.push(Proxy { session, gate, _relaying });
        Ok(address)
    }

    /// Fills the file, and keeps it fresh from now on.
    pub fn write(&mut self, world: &mut World, mut file: TokenFile) -> Result<TokenSet, Error> {
        let set = file.fill(world)?;
        self.files.push(file);
        Ok(set)
    }

    /// Renews what needs it, until a signal or [`Event::Ended`].
    pub fn run(mut self, world: &mut World) -> Result<End, Error> {
        let (signals, waiting) = channel();
        let to = self.events();
        let carry = move || waiting.into_iter().map(Event::Signal).all(|event| to.send(event).is_ok());
        thread::Builder::new().name("signals".to_owned()).spawn(carry).map_err(|e| not_started(e.into()))?;
        let mut looked = world.clock.elapsed();
        loop {
            // a renewal watches them itself
            world.signals.watch(signals.clone());
            match self.events.recv_timeout(LOOK_EVERY) {
                Ok(Event::Renewal(number, renewal)) => {
                    if let Some(signal) = self.proxies[number].renew(world, renewal) {
                        return Ok(End::Signal(signal));
                    }
                }
                Ok(Event::Signal(signal)) => {
                    world.signals.release();
                    return Ok(End::Signal(signal));
                }
                Ok(Event::Line(line)) => world.step(|| line),
                Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => return Ok(End::Ended),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if world.clock.elapsed() >= looked + LOOK_EVERY {
                looked = world.clock.elapsed();
                if let Some(signal) = self.look(world) {
                    return Ok(End::Signal(signal));
                }
            }
        }
    }

    /// Replaces tokens that expire soon, or that are no longer the login's; with the kernel's copy
    /// that opens nothing. Returns the signal that came meanwhile, if any.
    fn look(&mut self, world: &mut World) -> Option<i32> {
        let now = world.clock.now();
        for file in self.files.iter_mut().filter(|file| file.rest <= now) {
            if let Err(e) = file.fill(world) {
                file.rest = now + TRY_AGAIN;
                tell(world, &e);
                if let Some(signal) = signal_of(&e) {
                    return Some(signal);
                }
            }
        }
        self.proxies.iter_mut().filter(|proxy| proxy.gate.was_used()).find_map(|proxy| proxy.look(world))
    }
}

impl Proxy {
    /// Takes the login's token of now in the place of another one.
    fn look(&mut self, world: &mut World) -> Option<i32> {
        let held = self.gate.held();
        let Ok((set, _)) = &held.credentials else { return None };
        let found = first(world, &mut self.session, held.number + 1);
        match &found {
            Ok(now) if now.credentials.as_ref().is_ok_and(|(found, _)| found.access_token == set.access_token) => None,
            // an error of a moment is one for the request that meets it
            Err(e) if e.kind != Kind::LoginFirst => signal_of(e),
            _ => {
                let provider = held.provider.clone();
                let ended = |e| Held::new(held.number + 1, provider, Err(e), world.clock.now());
                self.gate.hold(found.unwrap_or_else(ended));
                None
            }
        }
    }

    /// The signal that came meanwhile, if any.
    fn renew(&mut self, world: &mut World, Renewal { number, refused, done }: Renewal) -> Option<i32> {
        let held = self.gate.held();
        // another request has asked for the same
        if held.number != number {
            done();
            return None;
        }
        let credentials = renewed(world, &mut self.session, &held, refused);
        let failure = credentials.as_ref().err();
        if let Some(e) = failure {
            tell(world, e);
        }
        let signal = failure.and_then(signal_of);
        let provider = held.provider.clone();
        self.gate.hold(Held::new(number + 1, provider, credentials, world.clock.now()));
        done();
        signal
    }
}

/// A renewal during which a signal comes ends with this error.
pub fn signal_of(e: &Error) -> Option<i32> {
    match e.kind {
        Kind::Interrupted => Some(2),
        Kind::Terminated => Some(15),
        _ => None,
    }
}

fn tell(world: &mut World, e: &Error) {
    world.warn(&e.to_string());
    for hint in &e.hints {
        world.say(&format!("hint: {hint}"));
    }
}

fn not_started(e: ListenError) -> Error {
    without_port(e).context("the proxy can't be started")
}

fn first(world: &mut World, session: &mut Session, number: u64) -> Result<Held, Error> {
    let (provider, _) = provider_to_call(world, session, false)?;
    let set = fresh(world, session, FreshnessPolicy::default())?;
    let credentials = Ok(presentable(world, session, set)?);
    Ok(Held::new(number, provider, credentials, world.clock.now()))
}

fn renewed(world: &mut World, session: &mut Session, held: &Held, refused: bool) -> Result<(TokenSet, Binding), Error> {
    let set = match &held.credentials {
        // a token from outside is used as it is
        Ok((set, _)) if refused && session.store.kind() != StoreKind::Environment => instead_of(world, session, set)?,
        _ => fresh(world, session, FreshnessPolicy::default())?,
    };
    presentable(world, session, set)
}
