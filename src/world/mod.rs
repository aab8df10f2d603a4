//! The doors to everything outside: clock, HTTP, browser, keychain, loopback listener, terminal, random numbers, programs,
//! environment, streams. `main` builds the real world; a test builds its own, and runs the whole program in it.

mod browser;
mod clock;
mod env;
pub mod files;
mod guard;
pub mod helper;
mod http;
mod http_server;
pub mod keychain;
mod programs;
mod question;
pub(crate) mod random;
mod signals;
mod streams;
mod terminal;
pub mod token_copy;
pub mod users;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::secret::{Secret, redact};
use crate::text::wrapped;
use crate::wire;

pub use guard::guarded;
pub use http::proxy::{NoProxy, Proxy, usable as usable_proxy, usable_for as usable_proxy_for};
pub use http::roots::{NoAuthorities, authorities};
pub(crate) use http_server::serve;
pub use http_server::{loopback, reader as http_reader};
pub use question::{Lines, Unanswered};

/// Everything that can't be real in a test, as one value.
pub struct World {
    pub env: Box<dyn Env>,
    pub clock: Arc<dyn Clock>,
    pub http: Arc<dyn Http>,
    pub browser: Box<dyn Browser>,
    pub keychain: Arc<dyn Keychain>,
    pub token_copy: Box<dyn TokenCopy>,
    pub random: Box<dyn Random>,
    pub terminal: Box<dyn Terminal>,
    pub programs: Box<dyn Programs>,
    pub signals: Box<dyn Signals>,
    /// The data asked for, and nothing else.
    pub out: Box<dyn Write>,
    /// All talk.
    pub err: Box<dyn Talk>,
    pub verbosity: Verbosity,
    /// How long each question waits for its answer; `None`: as long as the person takes.
    pub patience: Option<Duration>,
}

/// Standard error: whatever is written is cleaned of every known secret on its way out.
pub trait Talk: Write {
    /// For the few texts that hold a secret on purpose, because a person or a CI runner needs it: the authorize URL with its
    /// `state`, the mask command of a CI log.
    fn show(&mut self, text: &str) -> std::io::Result<()>;
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    Quiet,
    Normal,
    /// Each step, each request and each answer.
    Verbose,
    /// Each step in a person's words (`--explain`): how many there were, and whether in colour.
    Explained {
        steps: u16,
        paint: bool,
    },
}

impl World {
    /// A line of talk on stderr. A stderr that is closed is no reason to stop (L-60).
    pub fn say(&mut self, line: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.insist(line);
        }
    }

    /// A line that even `--quiet` doesn't silence: where secrets rest otherwise than was asked for.
    pub fn insist(&mut self, line: &str) {
        let line = self.folded(line);
        let _ = writeln!(self.err, "{line}");
    }

    /// Talk as the screen takes it: broken between words, each line on its own.
    pub fn folded(&self, text: &str) -> String {
        let width = if self.terminal.stderr_is_terminal() { self.terminal.width() } else { None };
        let Some(width) = width else { return text.to_owned() };
        // a secret with a blank in it would not be known any more once it is broken
        let text = redact(text);
        let fold = |line: &str| {
            let indent = line.len() - line.trim_start_matches(' ').len();
            wrapped(line, width, indent + 2)
        };
        text.split('\n').map(fold).collect::<Vec<_>>().join("\n")
    }

    /// A warning is talk too: `--quiet` silences it.
    pub fn warn(&mut self, line: &str) {
        self.say(&format!("warning: {line}"));
    }

    /// Whether `--explain` wants to hear.
    pub fn explains(&self) -> bool {
        matches!(self.verbosity, Verbosity::Explained { .. })
    }

    /// The number of the next step, and whether it is shown in colour; `None`: nobody wants to hear.
    pub fn next_step(&mut self) -> Option<(u16, bool)> {
        let Verbosity::Explained { steps, paint } = &mut self.verbosity else { return None };
        *steps += 1;
        Some((*steps, *paint))
    }

    /// A step, shown with `-v`.
    pub fn step(&mut self, line: impl FnOnce() -> String) {
        if self.verbosity == Verbosity::Verbose {
            let _ = writeln!(self.err, "* {}", line());
        }
    }
}

/// The variables of the environment, and what they tell about the machine.
pub trait Env {
    fn var_os(&self, name: &str) -> Option<OsString>;

    /// The person's home folder, where it is known.
    fn home(&self) -> Option<std::path::PathBuf> {
        self.var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).filter(|v| !v.is_empty()).map(Into::into)
    }

    /// Where files that are gone with the command may lie.
    fn temp_dir(&self) -> std::path::PathBuf {
        let (name, usual) = if cfg!(windows) { ("TEMP", "C:\\Windows\\Temp") } else { ("TMPDIR", "/tmp") };
        self.var_os(name).map(std::path::PathBuf::from).filter(|dir| dir.is_absolute()).unwrap_or_else(|| usual.into())
    }

    /// What tells this machine from another: its id, where the system has one.
    fn machine(&self) -> Option<String> {
        None
    }

    /// The names of all variables, for `doctor` and for what depends on a profile's name.
    fn names(&self) -> Vec<OsString>;

    /// A variable that is set, not empty, and text.
    fn var(&self, name: &str) -> Option<String> {
        self.var_os(name)?.into_string().ok().filter(|v| !v.is_empty())
    }
}

/// The time of day, a clock for deadlines, and waiting.
pub trait Clock: Send + Sync {
    /// Unix seconds by the wall clock.
    fn now(&self) -> i64;

    /// A clock that never goes back and that goes on while the machine sleeps; its zero means nothing.
    fn elapsed(&self) -> Duration;

    fn sleep(&self, time: Duration);
}

/// Sends requests to servers.
pub trait Http: Send + Sync {
    /// One request, the whole answer under the request's cap, no redirect followed, no cookie kept, one connection.
    fn exchange(&self, request: &wire::Request) -> Result<wire::Response, HttpError>;

    /// For `call`: the answer's head now, its body as it comes. A body to send may be a stream of known or unknown length.
    fn stream(&self, request: &wire::Request, body: Option<Upload>) -> Result<Streamed, HttpError>;
}

/// A body to send that isn't in memory.
pub struct Upload {
    pub reader: Box<dyn Read + Send>,
    pub length: Option<u64>,
}

/// An answer whose body has not been read yet.
pub struct Streamed {
    pub status: u16,
    /// `HTTP/1.1`, …
    pub version: String,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    pub body: Box<dyn Read>,
}

/// Why there is no answer, told by what may have happened at the server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No byte of the request left: it may be sent again.
    #[error("can't reach {place}: {why}")]
    Unsent { place: String, why: String },
    /// The server may have acted on it: a refresh token sent so may be spent.
    #[error("{place} broke off: {why}")]
    Ambiguous { place: String, why: String },
    #[error("{place} did not answer within {}", crate::text::count(*.seconds, "second"))]
    TimedOut { place: String, seconds: u64 },
    /// The server's certificate or its TLS is not good enough. Nothing was sent.
    #[error("no safe connection to {place}: {why}")]
    Tls { place: String, why: String },
    #[error("the answer of {place} is larger than {limit} bytes")]
    TooLarge { place: String, limit: usize },
    #[error("the answer of {place} begins with more headers than are read: 512, or 400 KiB of them")]
    HeadTooLarge { place: String },
    /// Plain `http` to another machine, or a URL that isn't one.
    #[error("{place} is not an address that a secret may go to: {why}")]
    Forbidden { place: String, why: String },
    /// The authorities that may vouch for a server are said to be where there are none. Nothing was sent.
    #[error("{0}")]
    Authorities(NoAuthorities),
    /// A variable names a proxy that can't be used. Nothing was sent.
    #[error("{0}")]
    Proxy(NoProxy),
}

/// Opens addresses in the person's browser.
pub trait Browser: Send {
    /// Opens one URL, `https` or loopback `http`; says how it went wrong as far as that is known within a moment, or before
    /// `acted` says that somebody has come back from there.
    fn open(&self, url: &str, acted: &dyn Fn() -> bool) -> Result<(), BrowserError>;
}

/// Why no browser opened an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrowserError {
    #[error("no browser was found")]
    NotFound,
    #[error("`{program}` failed: {why}")]
    Failed { program: String, why: String },
    #[error("not an address for a browser: {0}")]
    BadUrl(String),
}

/// The system's keychain: one item per account, the service is always `oauthctl`. Values are UTF-8 text (KWallet holds no other).
/// No call prompts or takes longer than 3 s without a person.
pub trait Keychain: Send + Sync {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError>;
    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError>;
    fn delete(&self, account: &str) -> Result<bool, KeychainError>;
    /// The accounts of all items of this program.
    fn accounts(&self) -> Result<Vec<String>, KeychainError>;
    /// The longest value one item takes, in bytes, where there is such a limit (Windows: 2,560).
    fn item_limit(&self) -> Option<usize>;
    /// Whether a value could be written now: there is a keychain, it is unlocked.
    fn ready(&self) -> Result<(), KeychainError>;
    /// `Secret Service`, `macOS Keychain`, `Windows Credential Manager`.
    fn name(&self) -> String;
    /// What tells this keychain from another on the same machine (the session bus's address).
    fn scope(&self) -> String;
}

/// Why the keychain did not do what it was asked for.
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
    /// Not this person's: who listens there is another user of the machine. Nothing was sent.
    #[error("{0}")]
    Foreign(String),
    #[error("{0}")]
    Failed(String),
}

/// The copy of a fresh access token that the kernel keeps and forgets by itself (Linux). All of it is best effort.
pub trait TokenCopy {
    fn read(&self, name: &str) -> Option<Zeroizing<Vec<u8>>>;
    fn write(&self, name: &str, value: &[u8], forget_after: Duration) -> bool;
    fn forget(&self, name: &str);
    /// Whether the kernel offers it, for `doctor`.
    fn works(&self) -> bool;
}

/// Draws random bytes.
pub trait Random {
    /// Fills from the operating system's generator; a generator that fails ends the program.
    fn fill(&self, bytes: &mut [u8]);
}

/// Standard input, and the person at the terminal.
pub trait Terminal {
    fn stdin_is_terminal(&self) -> bool;
    fn stdout_is_terminal(&self) -> bool;
    fn stderr_is_terminal(&self) -> bool;
    /// All of standard input, for `-`; at most `limit` bytes.
    fn read_stdin(&self, limit: usize) -> std::io::Result<Zeroizing<String>>;
    /// Standard input as a stream, for `call`'s body.
    fn stdin(&self) -> Box<dyn Read + Send>;
    /// Standard input where it is a regular file, which can be read more than once.
    fn stdin_file(&self) -> Option<std::fs::File> {
        None
    }
    /// The answer to a question that has been written already, shown as it is typed; it is waited for so long.
    fn read_line(&self, wait: Option<Duration>) -> Result<String, Unanswered>;
    /// From now on what is typed isn't shown: before a question whose answer is read by `read_hidden`, since people type ahead.
    fn hide(&self);
    /// The same without echo, which `hide` has turned off; the end of the line isn't seen either.
    fn read_hidden(&self, lines: Lines, wait: Option<Duration>) -> Result<Zeroizing<String>, Unanswered>;
    /// Lines typed while something else is waited for, without echo, sent as they come, until the receiver is gone.
    fn lines(&self, to: Sender<Secret>);
    /// Puts a text on the terminal itself, wherever standard error leads; whether that could be done.
    fn put(&self, text: &str) -> bool;
    /// Columns, where known.
    fn width(&self) -> Option<usize>;
}

/// Starts other programs, and the helper.
pub trait Programs {
    /// Runs a program named by the person's configuration (`client-secret = { command = [...] }`); its stdout, without the last
    /// newline. Its stderr and stdin are the person's own.
    fn output(&self, argv: &[String], timeout: Duration) -> std::io::Result<Zeroizing<String>>;
    /// Runs a command in the foreground with variables added; its exit code.
    fn run(&self, argv: &[OsString], env: &[(String, OsString)]) -> std::io::Result<u8>;
    /// A `PATH` on which `oauthctl` is this very program, by a link in a new folder: it may have been started by its place
    /// (`cargo run`), and another one may be installed. `None`: there is no `PATH`, or no link.
    fn path_with_own(&self, _folder: &std::path::Path) -> Option<OsString> {
        None
    }
    /// Parts into the process that a person started and a helper that outlives it, where the system can do that.
    fn part(&self) -> helper::Parted {
        helper::Parted::Alone
    }
}

/// The signals that end a program.
pub trait Signals {
    /// From now on SIGINT, SIGTERM and SIGHUP are sent here instead of ending the program.
    fn watch(&self, to: Sender<i32>);
    /// Back to the default.
    fn release(&self);
    /// As long as a question is asked, a signal ends that, and neither the program nor what is watched for.
    fn ask(&self, _on: bool) {}
}

/// The machine as it is. Nothing is opened, read or started before it is used: this costs a few small allocations.
pub fn real() -> World {
    World {
        env: Box::new(env::Real),
        clock: Arc::new(clock::Real),
        http: Arc::new(http::Real::default()),
        browser: Box::new(browser::Real),
        keychain: keychain::system(&env::Real),
        token_copy: token_copy::system(),
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
