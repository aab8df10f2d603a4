//! The interfaces to everything outside: clock, HTTP, browser, keychain, loopback listener,
//! terminal, random numbers, programs, environment, streams. `main` builds the real world; a test
//! builds its own and runs the whole program in it.

pub mod apart;
mod browser;
mod clock;
mod env;
pub mod files;
pub mod fork;
mod hardening;
mod http;
pub mod http_server;
mod installed;
pub mod kernel_keyring;
pub mod keychain;
pub mod local_socket;
mod programs;
mod question;
pub(crate) mod random;
pub mod repository;
mod signals;
#[cfg(target_os = "linux")]
mod start;
mod streams;
mod terminal;
pub mod users;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::secret::{Secret, redact};
use crate::text::wrapped;
use crate::wire;

pub use hardening::guarded;
pub use http::proxy::{NoProxy, Proxy, usable as usable_proxy, usable_for as usable_proxy_for};
pub use http::relay;
pub use http::roots::{NoAuthorities, authorities};
pub use keychain::program::{Commands, Protocol, StoreProgram, cared as stored_by, decoded, item_name};
pub use question::{Lines, Unanswered};
#[cfg(target_os = "linux")]
pub use start::started;
pub use terminal::read_text;

/// All parts that a test replaces, as one value.
pub struct World {
    pub env: Box<dyn Env>,
    pub clock: Arc<dyn Clock>,
    pub http: Arc<dyn Http>,
    pub browser: Box<dyn Browser>,
    pub keychain: Arc<dyn Keychain>,
    /// The items that another program stores.
    pub stored_by: fn(&'static StoreProgram) -> Arc<dyn Keychain>,
    pub token_copy: Rc<dyn TokenCopy>,
    pub random: Box<dyn Random>,
    pub terminal: Box<dyn Terminal>,
    pub programs: Box<dyn Programs>,
    pub signals: Box<dyn Signals>,
    /// The requested data only.
    pub out: Box<dyn Write>,
    pub err: Box<dyn Talk>,
    pub verbosity: Verbosity,
    /// How long each question waits for its answer; `None`: forever.
    pub patience: Option<Duration>,
}

/// Standard error; every known secret is removed from the output.
pub trait Talk: Write {
    /// For the few texts that must show a secret to a user or a CI runner: the authorize URL with
    /// its `state`, the mask command of a CI log.
    fn show(&mut self, text: &str) -> std::io::Result<()>;

    /// Another handle to the same.
    fn another(&self) -> Box<dyn Talk>;
}

/// Writes a step under `-v`, for a room that has no world.
pub type Steps = Box<dyn Fn(&str)>;

/// How much is written to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    Quiet,
    Normal,
    /// Each step, each request and each response.
    Verbose,
    /// Each step in plain words (`--explain`): the number of steps so far, and whether in colour.
    Explained {
        steps: u16,
        paint: bool,
    },
}

impl World {
    /// Writes a message to stderr. A closed stderr is no error (L-60).
    pub fn say(&mut self, line: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.insist(line);
        }
    }

    /// Writes a message even under `--quiet`: where secrets are stored otherwise than requested.
    pub fn insist(&mut self, line: &str) {
        let line = self.folded(line);
        let _ = writeln!(self.err, "{line}");
    }

    /// Wraps a text for the screen, between words, each line on its own.
    pub fn folded(&self, text: &str) -> String {
        let width = if self.terminal.stderr_is_terminal() { self.terminal.width() } else { None };
        let Some(width) = width else { return text.to_owned() };
        // a wrapped secret with a blank in it would no longer be recognised
        let text = redact(text);
        let fold = |line: &str| {
            let indent = line.len() - line.trim_start_matches(' ').len();
            wrapped(line, width, indent + 2)
        };
        text.split('\n').map(fold).collect::<Vec<_>>().join("\n")
    }

    /// Writes a warning; `--quiet` silences it.
    pub fn warn(&mut self, line: &str) {
        self.say(&format!("warning: {line}"));
    }

    /// Whether `--explain` was given.
    pub fn explains(&self) -> bool {
        matches!(self.verbosity, Verbosity::Explained { .. })
    }

    /// The number of the next step, and whether to show it in colour; `None` without `--explain`.
    pub fn next_step(&mut self) -> Option<(u16, bool)> {
        let Verbosity::Explained { steps, paint } = &mut self.verbosity else { return None };
        *steps += 1;
        Some((*steps, *paint))
    }

    /// Writes a step under `-v`.
    pub fn step(&mut self, line: impl FnOnce() -> String) {
        if self.verbosity == Verbosity::Verbose {
            write_step(&mut *self.err, &line());
        }
    }

    /// The same for a room below, which has no world: `None` without `-v`.
    pub fn steps(&self) -> Option<Steps> {
        let err = std::cell::RefCell::new(self.err.another());
        (self.verbosity == Verbosity::Verbose)
            .then(|| -> Steps { Box::new(move |line| write_step(&mut **err.borrow_mut(), line)) })
    }
}

fn write_step(err: &mut dyn Talk, line: &str) {
    let _ = writeln!(err, "* {line}");
}

/// The environment's variables, and the machine's properties that follow from them.
pub trait Env {
    fn var_os(&self, name: &str) -> Option<OsString>;

    fn home(&self) -> Option<std::path::PathBuf> {
        self.var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).filter(|v| !v.is_empty()).map(Into::into)
    }

    fn temp_dir(&self) -> std::path::PathBuf {
        let (name, usual) = if cfg!(windows) { ("TEMP", "C:\\Windows\\Temp") } else { ("TMPDIR", "/tmp") };
        self.var_os(name).map(std::path::PathBuf::from).filter(|dir| dir.is_absolute()).unwrap_or_else(|| usual.into())
    }

    /// The folder that goes with the user's sessions.
    fn runtime_dir(&self) -> Option<std::path::PathBuf> {
        self.var_os("XDG_RUNTIME_DIR").map(std::path::PathBuf::from).filter(|dir| dir.is_absolute())
    }

    /// The absolute folders of a list, such as `PATH`.
    fn folders(&self, list: &OsStr) -> Vec<std::path::PathBuf> {
        programs::absolute_folders(list).collect()
    }

    /// The working folder.
    fn folder(&self) -> Option<std::path::PathBuf> {
        None
    }

    /// The machine's id, where the system has one.
    fn machine(&self) -> Option<String> {
        None
    }

    /// The machine's name in its network.
    fn host(&self) -> Option<String> {
        self.var(if cfg!(windows) { "COMPUTERNAME" } else { "HOSTNAME" })
    }

    /// The names of all variables, for `doctor` and for the variables of a single profile.
    fn names(&self) -> Cow<'_, [String]>;

    /// A variable that is set, non-empty and valid text.
    fn var(&self, name: &str) -> Option<String> {
        self.var_os(name)?.into_string().ok().filter(|v| !v.is_empty())
    }
}

/// The time of day, a clock for deadlines, and waiting.
pub trait Clock: Send + Sync {
    /// Unix seconds by the wall clock.
    fn now(&self) -> i64;

    /// A monotonic clock that goes on while the machine sleeps; its zero means nothing.
    fn elapsed(&self) -> Duration;

    fn sleep(&self, time: Duration);
}

/// Sends requests to servers.
pub trait Http: Send + Sync {
    /// Sends one request and reads the whole response under the request's cap. Follows no redirect,
    /// keeps no cookie, uses one connection.
    fn exchange(&self, request: &wire::Request) -> Result<wire::Response, HttpError>;

    /// For `call`: returns the response's head at once, its body as a stream. The request's body
    /// may be a stream of known or unknown length.
    fn stream(&self, request: &wire::Request, body: Option<Upload>) -> Result<Streamed, HttpError>;
}

/// A body to send that isn't in memory.
pub struct Upload {
    pub reader: Box<dyn Read + Send>,
    pub length: Option<u64>,
}

/// A response with an unread body.
pub struct Streamed {
    pub status: u16,
    /// `HTTP/1.1`, …
    pub version: String,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    pub body: Box<dyn Read>,
}

/// Why there is no response, by the possible effect on the server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No byte of the request was sent: it may be retried.
    #[error("can't reach {place}: {why}")]
    Unsent { place: String, why: String },
    /// The server may have acted on it: a refresh token may be spent.
    #[error("{place} broke off: {why}")]
    Ambiguous { place: String, why: String },
    #[error("{place} did not answer within {}", crate::text::count(*.seconds, "second"))]
    TimedOut { place: String, seconds: u64 },
    /// The server's certificate or its TLS isn't secure. Nothing was sent.
    #[error("no safe connection to {place}: {why}")]
    Tls { place: String, why: String },
    #[error("the answer of {place} is larger than {limit} bytes")]
    TooLarge { place: String, limit: usize },
    #[error("the answer of {place} has more than {limit} values")]
    TooDense { place: String, limit: usize },
    #[error("the answer of {place} begins with more headers than are read: 512, or 400 KiB of them")]
    HeadTooLarge { place: String },
    /// The request was sent; a repeated one would get the same.
    #[error("the answer of {place} is malformed: {why}")]
    Malformed { place: String, why: String },
    /// Plain `http` to another machine, or an invalid URL.
    #[error("{place} is not an address that a secret may go to: {why}")]
    Forbidden { place: String, why: String },
    /// The configured certificate authorities don't exist. Nothing was sent.
    #[error("{0}")]
    Authorities(NoAuthorities),
    /// A variable names an unusable proxy. Nothing was sent.
    #[error("{0}")]
    Proxy(NoProxy),
}

/// Opens addresses for the user.
pub trait Browser: Send {
    /// Opens one URL, `https` or loopback `http`. Reports a failure that shows within a moment, or
    /// before `acted` tells that the browser has come back. `chosen`: a program and its arguments
    /// in place of the user's browser; empty for that one.
    fn open(&self, url: &str, chosen: &[String], acted: &dyn Fn() -> bool) -> Result<(), BrowserError>;
}

/// Why no browser opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrowserError {
    #[error("no browser was found")]
    NotFound,
    #[error("`{program}` failed: {why}")]
    Failed { program: String, why: String },
    #[error("not an address for a browser: {0}")]
    BadUrl(String),
}

/// The system's keychain: one item per account, under the service `oauthctl`. Values are UTF-8 text
/// (KWallet holds no other). Without a user, no call prompts or takes longer than 3 s.
pub trait Keychain: Send + Sync {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError>;
    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError>;
    fn delete(&self, account: &str) -> Result<bool, KeychainError>;
    fn accounts(&self) -> Result<Vec<String>, KeychainError>;
    /// The longest value of an item, in bytes, if there is a limit (Windows: 2,560).
    fn item_limit(&self) -> Option<usize> {
        None
    }
    /// Whether a value could be written now: the keychain exists and is unlocked.
    fn ready(&self) -> Result<(), KeychainError>;
    /// `Secret Service`, `macOS Keychain`, `Windows Credential Manager`.
    fn name(&self) -> String;
    /// Distinguishes several keychains of one machine (the session bus's address).
    fn scope(&self) -> String {
        self.name()
    }
}

/// Why the keychain did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    #[error("it is locked")]
    Locked,
    #[error("{0}")]
    Absent(String),
    #[error("access was denied: {0}")]
    Denied(String),
    #[error("no answer within {0} seconds")]
    TimedOut(u64),
    /// Another user of the machine listens there. Nothing was sent.
    #[error("{0}")]
    Foreign(String),
    #[error("{0}")]
    Failed(String),
}

/// The kernel's expiring copy of a fresh access token, and the keys of an unlocked store (Linux).
/// Best effort.
pub trait TokenCopy {
    fn read(&self, name: &str) -> Option<Zeroizing<Vec<u8>>>;
    fn write(&self, name: &str, value: &[u8], forget_after: Duration) -> bool;
    fn forget(&self, name: &str);
    /// Whether the kernel offers it, for `doctor`.
    fn works(&self) -> bool;
}

/// Draws random numbers.
pub trait Random {
    /// Fills from the operating system's generator. If that fails, the program ends.
    fn fill(&self, bytes: &mut [u8]);
}

/// Standard input, and the user at the terminal.
pub trait Terminal {
    fn stdin_is_terminal(&self) -> bool;
    fn stdout_is_terminal(&self) -> bool;
    fn stderr_is_terminal(&self) -> bool;
    /// All of standard input, for `-`; at most `limit` bytes.
    fn read_stdin(&self, limit: usize) -> std::io::Result<Zeroizing<String>>;
    /// Standard input as a stream, for `call`'s body.
    fn stdin(&self) -> Box<dyn Read + Send>;
    /// Standard input if it is a regular file, which can be read again.
    fn stdin_file(&self) -> Option<std::fs::File> {
        None
    }
    /// The other end of standard input, if that is a connection from an address of Linux with a
    /// name (unix(7), "abstract").
    fn stdin_peer(&self) -> Option<Peer> {
        None
    }
    /// Reads the answer to a question already written, with echo, for at most `wait`.
    fn read_line(&self, wait: Option<Duration>) -> Result<String, Unanswered>;
    /// Ends `lines`, and turns the echo off for a hidden answer. Called before the question is
    /// visible, since users type ahead.
    fn ready(&self, hidden: bool);
    /// Reads without echo, after `ready`; the line end isn't shown either.
    fn read_hidden(&self, lines: Lines, wait: Option<Duration>) -> Result<Zeroizing<String>, Unanswered>;
    /// Sends lines typed during another wait, without echo, until the receiver is dropped.
    fn lines(&self, to: Sender<Secret>);
    /// Writes to the terminal itself, wherever standard error leads; returns whether that worked.
    fn put(&self, text: &str) -> bool;
    fn width(&self) -> Option<usize>;
}

/// Who connected.
#[derive(Clone, Debug)]
pub struct Peer {
    pub name: String,
    /// Whether it is this process's user or root.
    pub is_own_or_root: bool,
}

/// Starts other programs, and the helper.
pub trait Programs {
    /// Runs a program from the user's configuration (`client-secret = { command = [...] }`).
    /// Returns its stdout without the last newline. It inherits stderr; its stdin is empty.
    fn output(&self, argv: &[String], timeout: Duration) -> std::io::Result<Zeroizing<String>>;
    /// The same; what it prints to stderr is the text of the error.
    fn output_or_words(&self, argv: &[String], timeout: Duration) -> std::io::Result<Zeroizing<String>> {
        self.output(argv, timeout)
    }
    /// Runs a command in the foreground with variables added; its exit code.
    fn run(&self, argv: &[OsString], env: &[(String, OsString)]) -> std::io::Result<u8>;
    /// The same in the place of this process where the system can do that: then signals, the
    /// terminal and the exit code are the command's own, and this returns an error alone.
    /// `without`: variables of this process that the command doesn't get.
    fn run_instead(&self, argv: &[OsString], env: &[(String, OsString)], _without: &[String]) -> std::io::Result<u8> {
        self.run(argv, env)
    }
    /// Opens a descriptor, for the program that takes this process's place, from which these bytes
    /// can be read once.
    fn offer(&self, _descriptor: i32, _bytes: &[u8]) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    /// A `PATH` on which `oauthctl` is this executable, by a link in a new folder: it may have been
    /// started by path (`cargo run`) while another one is installed. `None`: there is no `PATH`, or
    /// no link.
    fn path_with_own(&self, _folder: &std::path::Path) -> Option<OsString> {
        None
    }
    /// Where this program lies; `None`: the system doesn't say.
    fn installed(&self) -> Option<Installed> {
        None
    }
    /// Forks a helper that outlives the process that the user started, if the system can.
    fn part(&self) -> fork::Forked {
        fork::Forked::Unsupported
    }
    /// Forks a companion of this process, if the system can. The folder is deleted when one of the
    /// two has ended.
    fn companion(&self, _folder: Option<&std::path::Path>) -> fork::Companion {
        fork::Companion::Unsupported
    }
}

/// This program's file, and how it came there, in words.
pub struct Installed {
    pub file: std::path::PathBuf,
    pub by: &'static str,
}

/// The signals that end a program.
pub trait Signals {
    /// From now on SIGINT, SIGTERM and SIGHUP are sent here and don't end the program.
    fn watch(&self, to: Sender<i32>);
    fn release(&self);
    /// During a question, a signal ends the question only.
    fn ask(&self, _on: bool) {}
}

/// The real machine. Nothing is opened, read or started before its first use.
pub fn real() -> World {
    World {
        env: Box::new(env::Real),
        clock: Arc::new(clock::Real),
        http: Arc::new(http::Real::default()),
        browser: Box::new(browser::Real),
        keychain: keychain::system(&env::Real),
        stored_by,
        token_copy: kernel_keyring::system(),
        random: Box::new(random::Real),
        terminal: Box::new(terminal::Real),
        programs: Box::new(programs::Real),
        signals: Box::new(signals::Real),
        out: Box::new(streams::Out),
        err: Box::new(streams::Err),
        verbosity: Verbosity::Normal,
        patience: None,
    }
}
