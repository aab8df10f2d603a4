//! A world apart from this machine: in the network's and the person's place stands what its maker
//! gives, time passes when somebody waits, and the keychain is in memory. `provider test` runs the
//! whole program in it: nothing of the user's is read or changed, and nothing is sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::keychain::Nowhere;
use super::{
    Browser, BrowserError, Clock, Env, Http, Keychain, KeychainError, Lines, Programs, Signals, Talk, Terminal,
    TokenCopy, Unanswered, Verbosity, World, random,
};
use crate::secret::Secret;

/// Gets a text with the address to sign in at, and returns the line that the person pastes. `None`:
/// the person presses Ctrl-C.
pub type Visit = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The parts of a world apart that last from one command to the next.
pub struct Apart {
    pub clock: Arc<Moved>,
    pub http: Arc<dyn Http>,
    pub visit: Visit,
    pub variables: BTreeMap<String, OsString>,
    chest: Arc<Chest>,
}

/// What a command left behind.
pub struct Left {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Apart {
    pub fn new(clock: Arc<Moved>, http: Arc<dyn Http>, visit: Visit) -> Apart {
        Apart { clock, http, visit, variables: BTreeMap::new(), chest: Arc::default() }
    }

    /// Runs `program` in this world.
    pub fn run(&self, program: impl FnOnce(&mut World) -> u8) -> Left {
        let (out, err) = (Written::default(), Written::default());
        let seat = Arc::new(Seat { visit: Arc::clone(&self.visit), ..Seat::empty() });
        let mut world = World {
            env: Box::new(Variables(self.variables.clone())),
            clock: self.clock.clone(),
            http: Arc::clone(&self.http),
            browser: Box::new(NoBrowser),
            keychain: self.chest.clone(),
            stored_by: |_| Arc::new(Nowhere),
            token_copy: std::rc::Rc::new(NoCopy),
            random: Box::new(random::Real),
            terminal: Box::new(Chair(Arc::clone(&seat))),
            programs: Box::new(NoPrograms),
            signals: Box::new(Bell(Arc::clone(&seat))),
            out: Box::new(out.clone()),
            err: Box::new(Heard { to: err.clone(), seat }),
            verbosity: Verbosity::Normal,
            patience: None,
        };
        let code = program(&mut world);
        drop(world);
        Left { code, out: out.text(), err: err.text() }
    }
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that stands still but for waits. The one for deadlines jumps at each look too, so that
/// a wait for what never comes is over soon.
pub struct Moved {
    start: i64,
    slept_ms: AtomicU64,
    looks: AtomicU64,
}

const JUMP: Duration = Duration::from_secs(10);

impl Moved {
    /// Starts at this time, in Unix seconds.
    pub fn from(start: i64) -> Moved {
        Moved { start, slept_ms: AtomicU64::new(0), looks: AtomicU64::new(0) }
    }

    fn slept(&self) -> Duration {
        Duration::from_millis(self.slept_ms.load(Ordering::Relaxed))
    }
}

impl Clock for Moved {
    fn now(&self) -> i64 {
        self.start.saturating_add(self.slept().as_secs() as i64)
    }

    fn elapsed(&self) -> Duration {
        self.slept() + JUMP * self.looks.fetch_add(1, Ordering::Relaxed) as u32
    }

    fn sleep(&self, time: Duration) {
        self.slept_ms.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }
}

struct Variables(BTreeMap<String, OsString>);

impl Env for Variables {
    fn var_os(&self, name: &str) -> Option<OsString> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Cow<'_, [String]> {
        self.0.keys().cloned().collect()
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8_lossy(&held(&self.0)).into_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        held(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Who sits at the keyboard: pastes what the shown address leads to.
struct Seat {
    visit: Visit,
    lines: Mutex<Option<Sender<Secret>>>,
    signals: Mutex<Option<Sender<i32>>>,
}

impl Seat {
    fn empty() -> Seat {
        Seat { visit: Arc::new(|_| None), lines: Mutex::default(), signals: Mutex::default() }
    }
}

#[derive(Clone)]
struct Heard {
    to: Written,
    seat: Arc<Seat>,
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Talk for Heard {
    fn show(&mut self, text: &str) -> io::Result<()> {
        self.to.write_all(text.as_bytes())?;
        if text.contains("://") {
            // nothing more is typed
            let (lines, signals) = (held(&self.seat.lines).take(), held(&self.seat.signals).clone());
            match ((self.seat.visit)(text.trim()), lines, signals) {
                (Some(line), Some(to), _) => drop(to.send(Secret::unlisted(line))),
                (_, _, Some(to)) => drop(to.send(2)),
                _ => {}
            }
        }
        Ok(())
    }

    fn another(&self) -> Box<dyn Talk> {
        Box::new(self.clone())
    }
}

struct Bell(Arc<Seat>);

impl Signals for Bell {
    fn watch(&self, to: Sender<i32>) {
        *held(&self.0.signals) = Some(to);
    }

    fn release(&self) {
        *held(&self.0.signals) = None;
    }
}

struct Chair(Arc<Seat>);

impl Terminal for Chair {
    fn stdin_is_terminal(&self) -> bool {
        false
    }

    fn stdout_is_terminal(&self) -> bool {
        false
    }

    fn stderr_is_terminal(&self) -> bool {
        false
    }

    fn read_stdin(&self, _limit: usize) -> io::Result<Zeroizing<String>> {
        Ok(Zeroizing::default())
    }

    fn stdin(&self) -> Box<dyn Read + Send> {
        Box::new(io::empty())
    }

    fn read_line(&self, _wait: Option<Duration>) -> Result<String, Unanswered> {
        Err(Unanswered::Ended)
    }

    fn ready(&self, _hidden: bool) {}

    fn read_hidden(&self, _lines: Lines, _wait: Option<Duration>) -> Result<Zeroizing<String>, Unanswered> {
        Err(Unanswered::Ended)
    }

    fn lines(&self, to: Sender<Secret>) {
        *held(&self.0.lines) = Some(to);
    }

    fn put(&self, _text: &str) -> bool {
        false
    }

    fn width(&self) -> Option<usize> {
        None
    }
}

struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _url: &str, _chosen: &[String], _acted: &dyn Fn() -> bool) -> Result<(), BrowserError> {
        Err(BrowserError::NotFound)
    }
}

struct NoPrograms;

impl Programs for NoPrograms {
    fn output(&self, _argv: &[String], _timeout: Duration) -> io::Result<Zeroizing<String>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn run(&self, _argv: &[OsString], _env: &[(String, OsString)]) -> io::Result<u8> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

struct NoCopy;

impl TokenCopy for NoCopy {
    fn read(&self, _name: &str) -> Option<Zeroizing<Vec<u8>>> {
        None
    }

    fn write(&self, _name: &str, _value: &[u8], _forget_after: Duration) -> bool {
        false
    }

    fn forget(&self, _name: &str) {}

    fn works(&self) -> bool {
        false
    }
}

/// A keychain in memory.
#[derive(Default)]
struct Chest(Mutex<BTreeMap<String, Secret>>);

impl Keychain for Chest {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        Ok(held(&self.0).get(account).cloned())
    }

    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError> {
        held(&self.0).insert(account.to_owned(), value.clone());
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<bool, KeychainError> {
        Ok(held(&self.0).remove(account).is_some())
    }

    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        Ok(held(&self.0).keys().cloned().collect())
    }

    fn ready(&self) -> Result<(), KeychainError> {
        Ok(())
    }

    fn name(&self) -> String {
        "memory".to_owned()
    }
}
