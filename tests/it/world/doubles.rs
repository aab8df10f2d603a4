//! The doubles behind the doors of a [`World`](oauthctl::world::World).

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oauthctl::secret::Secret;
use oauthctl::wire::{Request, Response};
use oauthctl::world::*;
use zeroize::Zeroizing;

use super::robot::{self, Page};
use super::{Paste, in_words_but_tokens, shown_url};

/// Lends a double to the world and keeps it for the test.
pub struct Door<T>(pub Arc<T>);

pub struct Variables(pub BTreeMap<String, OsString>);

impl Env for Variables {
    fn var_os(&self, name: &str) -> Option<OsString> {
        self.0.get(name).cloned()
    }

    fn machine(&self) -> Option<String> {
        self.var("MACHINE_OF_THE_TEST")
    }

    fn folder(&self) -> Option<PathBuf> {
        self.var("FOLDER_OF_THE_TEST").map(PathBuf::from)
    }

    fn names(&self) -> Cow<'_, [String]> {
        self.0.keys().cloned().collect()
    }
}

/// Stands still until it is moved; in a hurry it jumps whenever it is looked at.
pub struct Hand {
    pub now: AtomicI64,
    pub elapsed_ms: AtomicU64,
    pub hurry_ms: AtomicU64,
}

impl Hand {
    pub fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
        // the other clock never goes back
        self.elapsed_ms.fetch_add(u64::try_from(seconds).unwrap_or(0) * 1000, Ordering::SeqCst);
    }

    /// Each look at the clock finds so many seconds gone: how a test waits for minutes.
    pub fn hurry(&self, seconds: u64) {
        self.hurry_ms.store(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.fetch_add(self.hurry_ms.load(Ordering::SeqCst), Ordering::SeqCst))
    }

    fn sleep(&self, time: Duration) {
        self.elapsed_ms.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }
}

/// The real client, to this machine's own loopback and no further.
pub struct AtHome {
    real: Arc<dyn Http>,
    sent: Arc<Mutex<Vec<String>>>,
    /// Answers that are yet to break off.
    cuts: AtomicU64,
}

impl AtHome {
    pub fn new(sent: Arc<Mutex<Vec<String>>>, cuts: u64) -> AtHome {
        AtHome { real: oauthctl::world::real().http, sent, cuts: AtomicU64::new(cuts) }
    }

    fn look(&self, request: &Request) {
        let place = request.place();
        self.sent.lock().unwrap().push(format!("{} {}", request.method, in_words_but_tokens(&place, "\0")));
        let url = url::Url::parse(request.url.expose()).expect("an address");
        assert!(
            matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "api.localhost" | "[::1]")),
            "a request to another machine: {place}"
        );
    }
}

impl Http for AtHome {
    fn exchange(&self, request: &Request) -> Result<Response, HttpError> {
        self.look(request);
        self.real.exchange(request)
    }

    fn stream(&self, request: &Request, body: Option<Upload>) -> Result<Streamed, HttpError> {
        self.look(request);
        let mut answer = self.real.stream(request, body)?;
        if self.cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            let body = std::mem::replace(&mut answer.body, Box::new(io::empty()));
            answer.body = Box::new(body.take(3).chain(Torn));
        }
        Ok(answer)
    }
}

/// Where a connection ends that should not.
struct Torn;

impl Read for Torn {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

/// What is done at the address that opens, and the pages that it ends on.
pub type Act = Box<dyn FnOnce(&str) -> Vec<Page> + Send>;

/// What becomes of an attempt to open the browser.
#[derive(Default)]
pub enum Opens {
    #[default]
    Never,
    Missing,
    /// Once for each.
    Robot(VecDeque<Act>),
}

/// What has not opened yet, and what is open.
pub struct Screen(Mutex<(Opens, Vec<std::thread::JoinHandle<Vec<Page>>>)>);

impl Screen {
    pub fn new(opens: Opens) -> Screen {
        Screen(Mutex::new((opens, Vec::new())))
    }

    pub fn pages(&self, typed: &str) -> Vec<Page> {
        let (waiting, running) = &mut *self.0.lock().unwrap();
        let never = match waiting {
            Opens::Never => true,
            Opens::Missing => false,
            Opens::Robot(acts) => acts.is_empty(),
        };
        assert!(never, "`{typed}` did not open the browser");
        let shown = |thread: std::thread::JoinHandle<Vec<Page>>| {
            thread.join().unwrap_or_else(|_| panic!("the browser of `{typed}` failed"))
        };
        running.drain(..).flat_map(shown).collect()
    }
}

impl Browser for Door<Screen> {
    fn open(&self, url: &str, chosen: &[String], _acted: &dyn Fn() -> bool) -> Result<(), BrowserError> {
        let (waiting, running) = &mut *self.0.0.lock().unwrap();
        match waiting {
            Opens::Missing => {
                *waiting = Opens::Never;
                match chosen.is_empty() {
                    true => Err(BrowserError::NotFound),
                    false => Err(BrowserError::Failed { program: chosen.join("|"), why: "missing".into() }),
                }
            }
            Opens::Robot(acts) if !acts.is_empty() => {
                let (act, url) = (acts.pop_front().expect("one"), url.to_owned());
                running.push(std::thread::spawn(move || act(&robot::entered(&url))));
                Ok(())
            }
            _ => panic!("a browser must not open: {url}"),
        }
    }
}

/// What is wrong with a keychain.
#[derive(Clone, Debug, Default)]
pub enum Fault {
    #[default]
    None,
    /// Whatever is asked.
    Always(KeychainError),
    /// Writing alone: it reads well.
    Writes(KeychainError),
    /// It takes what it is given, and forgets it.
    Forgets,
}

/// A keychain in memory.
#[derive(Default)]
pub struct Chest {
    items: Mutex<BTreeMap<String, String>>,
    fault: Mutex<Fault>,
    pub item_limit: Mutex<Option<usize>>,
    reads: AtomicU64,
}

impl Chest {
    pub fn fault(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    pub fn item(&self, account: &str) -> Option<String> {
        self.items.lock().unwrap().get(account).cloned()
    }

    pub fn put(&self, account: &str, text: &str) {
        self.items.lock().unwrap().insert(account.to_owned(), text.to_owned());
    }

    pub fn accounts(&self) -> Vec<String> {
        self.items.lock().unwrap().keys().cloned().collect()
    }

    /// Reads so far.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    fn reading(&self) -> Result<(), KeychainError> {
        match &*self.fault.lock().unwrap() {
            Fault::Always(e) => Err(e.clone()),
            _ => Ok(()),
        }
    }

    fn writing(&self) -> Result<bool, KeychainError> {
        match &*self.fault.lock().unwrap() {
            Fault::Always(e) | Fault::Writes(e) => Err(e.clone()),
            Fault::Forgets => Ok(false),
            Fault::None => Ok(true),
        }
    }
}

impl Keychain for Chest {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.reading()?;
        Ok(self.item(account).map(Secret::unlisted))
    }

    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError> {
        if self.writing()? {
            let limit = *self.item_limit.lock().unwrap();
            assert!(limit.is_none_or(|limit| value.expose().len() <= limit), "an item longer than this keychain takes");
            self.put(account, value.expose());
        }
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<bool, KeychainError> {
        self.writing()?;
        Ok(self.items.lock().unwrap().remove(account).is_some())
    }

    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        self.reading()?;
        Ok(Chest::accounts(self))
    }

    fn item_limit(&self) -> Option<usize> {
        *self.item_limit.lock().unwrap()
    }

    fn ready(&self) -> Result<(), KeychainError> {
        self.writing().map(drop)
    }

    fn name(&self) -> String {
        "Secret Service".to_owned()
    }

    fn scope(&self) -> String {
        "the test's own".to_owned()
    }
}

/// A copy, and its end by the test's clock.
type Kept = (Vec<u8>, Duration);

/// The kernel's copies, forgotten by the test's clock.
pub struct Copies {
    kept: Mutex<BTreeMap<String, Kept>>,
    clock: Arc<Hand>,
}

impl Copies {
    pub fn new(clock: Arc<Hand>) -> Copies {
        Copies { kept: Mutex::default(), clock }
    }

    pub fn clear(&self) {
        self.kept.lock().unwrap().clear();
    }

    /// All that is kept, to be put back.
    pub fn all(&self) -> BTreeMap<String, Kept> {
        self.kept.lock().unwrap().clone()
    }

    /// Keeps what was forgotten, as a process that writes late would.
    pub fn put_back(&self, all: BTreeMap<String, Kept>) {
        self.kept.lock().unwrap().extend(all);
    }

    /// All that is kept, as text.
    pub fn texts(&self) -> Vec<String> {
        self.kept.lock().unwrap().values().map(|(v, _)| String::from_utf8_lossy(v).into_owned()).collect()
    }
}

impl TokenCopy for Door<Copies> {
    fn read(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        let kept = self.0.kept.lock().unwrap();
        let (value, until) = kept.get(name)?;
        (*until > self.0.clock.elapsed()).then(|| value.clone().into())
    }

    fn write(&self, name: &str, value: &[u8], forget_after: Duration) -> bool {
        assert!(!forget_after.is_zero(), "the kernel would keep it for good");
        self.0.kept.lock().unwrap().insert(name.to_owned(), (value.to_vec(), self.0.clock.elapsed() + forget_after));
        true
    }

    fn forget(&self, name: &str) {
        self.0.kept.lock().unwrap().remove(name);
    }

    fn works(&self) -> bool {
        true
    }
}

/// Numbers that differ from draw to draw, and are the same each time the test runs.
pub struct Dice(pub Arc<AtomicU64>);

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            // splitmix64
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            part.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..part.len()]);
        }
    }
}

pub enum Answer {
    Shown(String),
    Hidden(String),
    /// Ctrl-C or Ctrl-D, whatever the question.
    None(Unanswered),
    /// None, however long it is waited for.
    Never,
}

/// The end of a question that nobody answers.
fn too_late(wait: Option<Duration>) -> Unanswered {
    Unanswered::TooLate(wait.expect("a question that would wait for ever"))
}

/// The chair at the keyboard.
/// What is looked at, and not piped somewhere.
#[derive(Clone, Copy, Default)]
pub struct Screens {
    pub out: bool,
    pub err: bool,
    /// Columns, where they are known.
    pub width: Option<usize>,
    /// There is no way to the terminal but standard error.
    pub gone: bool,
}

pub struct Seat {
    pub screens: Screens,
    terminal: bool,
    stdin: Mutex<Option<String>>,
    stdin_file: Mutex<Option<std::fs::File>>,
    peer: Option<Peer>,
    answers: Mutex<VecDeque<Answer>>,
    pastes: Mutex<Vec<Paste>>,
    /// Whether the terminal was made ready for a hidden answer, and how much was on the screen then.
    ready: Mutex<Option<(bool, usize)>>,
    screen: Shared,
    /// Kept, so that the input doesn't end.
    open: Mutex<Vec<Sender<Secret>>>,
}

impl Seat {
    pub fn new(
        terminal: bool,
        stdin: Option<String>,
        answers: VecDeque<Answer>,
        pastes: Vec<Paste>,
        screen: Shared,
        screens: Screens,
    ) -> Seat {
        Seat {
            screens,
            terminal,
            stdin: Mutex::new(stdin),
            stdin_file: Mutex::default(),
            peer: None,
            answers: Mutex::new(answers),
            pastes: Mutex::new(pastes),
            screen,
            ready: Mutex::default(),
            open: Mutex::default(),
        }
    }

    /// Standard input is this file, or a connection from there.
    pub fn reading(self, file: Option<std::fs::File>, peer: Option<Peer>) -> Seat {
        Seat { stdin_file: Mutex::new(file), peer, ..self }
    }

    pub fn nothing_left(&self, typed: &str) {
        assert!(self.answers.lock().unwrap().is_empty(), "`{typed}` did not ask all it should: {}", self.screen.text());
        assert!(self.pastes.lock().unwrap().is_empty(), "`{typed}` took no pasted address: {}", self.screen.text());
        assert!(self.stdin.lock().unwrap().is_none(), "`{typed}` did not read its standard input");
    }

    fn was_ready(&self, hidden: bool) {
        let ready = self.ready.lock().unwrap().take();
        let shown = self.screen.text().len();
        assert!(
            ready.is_some_and(|(so, before)| so == hidden && before < shown),
            "the terminal is ready before the question is visible"
        );
    }

    fn question(&self) -> Answer {
        let asked = self.screen.text();
        let asked = asked.lines().last().unwrap_or_default();
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| panic!("a question that nobody answers: {asked}"))
    }
}

impl Terminal for Door<Seat> {
    fn stdin_is_terminal(&self) -> bool {
        self.0.terminal
    }

    fn stdout_is_terminal(&self) -> bool {
        self.0.screens.out
    }

    fn stderr_is_terminal(&self) -> bool {
        self.0.screens.err
    }

    fn read_stdin(&self, limit: usize) -> io::Result<Zeroizing<String>> {
        let text = self.0.stdin.lock().unwrap().take().expect("nothing was piped in");
        assert!(text.len() <= limit);
        Ok(text.into())
    }

    fn stdin(&self) -> Box<dyn Read + Send> {
        let text = self.0.stdin.lock().unwrap().take().expect("nothing was piped in");
        Box::new(io::Cursor::new(text.into_bytes()))
    }

    fn stdin_file(&self) -> Option<std::fs::File> {
        self.0.stdin_file.lock().unwrap().take()
    }

    fn stdin_peer(&self) -> Option<Peer> {
        self.0.peer.clone()
    }

    fn read_line(&self, wait: Option<Duration>) -> Result<String, Unanswered> {
        self.0.was_ready(false);
        match self.0.question() {
            Answer::Shown(text) => {
                // what is typed is seen, and the line ends
                self.0.screen.add(format!("{text}\n").as_bytes());
                Ok(text)
            }
            Answer::Never => Err(too_late(wait)),
            Answer::Hidden(_) => panic!("this was to be asked without echo: {}", self.0.screen.text()),
            Answer::None(why) => Err(why),
        }
    }

    fn ready(&self, hidden: bool) {
        *self.0.ready.lock().unwrap() = Some((hidden, self.0.screen.text().len()));
    }

    fn read_hidden(&self, _: Lines, wait: Option<Duration>) -> Result<Zeroizing<String>, Unanswered> {
        self.0.was_ready(true);
        match self.0.question() {
            Answer::Hidden(text) => Ok(text.into()),
            Answer::None(why) => Err(why),
            Answer::Never => Err(too_late(wait)),
            Answer::Shown(_) => panic!("this was to be asked with echo: {}", self.0.screen.text()),
        }
    }

    /// Pastes what the address shown after this leads to: nobody pastes before they have read it.
    fn lines(&self, to: Sender<Secret>) {
        let pastes = std::mem::take(&mut *self.0.pastes.lock().unwrap());
        if self.0.terminal {
            self.0.open.lock().unwrap().push(to.clone());
        }
        if pastes.is_empty() {
            return;
        }
        let screen = self.0.screen.clone();
        let before = screen.text().len();
        std::thread::spawn(move || {
            let url = loop {
                if let Some(url) = shown_url(&screen.text()[before..]) {
                    break url;
                }
                std::thread::sleep(Duration::from_millis(2));
            };
            for paste in pastes {
                let _ = to.send(Secret::unlisted(paste(&url)));
            }
        });
    }

    fn put(&self, text: &str) -> bool {
        if !self.0.screens.gone {
            self.0.screen.add(text.as_bytes());
        }
        !self.0.screens.gone
    }

    fn width(&self) -> Option<usize> {
        self.0.screens.width
    }
}

/// What an editor makes of a file's text.
pub type Edit = Box<dyn Fn(&str) -> String + Send>;

/// Programs that are to be started, in order, and editors.
pub struct Shell {
    pub programs: Mutex<VecDeque<(Vec<String>, String)>>,
    pub edits: Mutex<VecDeque<Edit>>,
}

impl Programs for Door<Shell> {
    fn output(&self, argv: &[String], _timeout: Duration) -> io::Result<Zeroizing<String>> {
        match self.0.programs.lock().unwrap().pop_front() {
            Some((expected, prints)) if expected == argv => Ok(prints.into()),
            _ => panic!("a program that must not be started: {argv:?}"),
        }
    }

    /// Ends with 7. What such a program prints is the variables that it gets. An editor ends with 0.
    fn run(&self, argv: &[OsString], env: &[(String, OsString)]) -> io::Result<u8> {
        let edit = self.0.edits.lock().unwrap().pop_front();
        if let (Some(edit), Some(file)) = (edit, argv.last()) {
            let text = std::fs::read_to_string(file)?;
            return std::fs::write(file, edit(&text)).map(|()| 0);
        }
        let gets: String = env.iter().map(|(name, value)| format!("{name}={}\n", value.display())).collect();
        match self.0.programs.lock().unwrap().pop_front() {
            Some((expected, prints)) if argv.iter().eq(expected.iter().map(OsStr::new)) && gets == prints => Ok(7),
            _ => panic!("a program that must not be started: {argv:?} with {gets}"),
        }
    }

    fn installed(&self) -> Option<Installed> {
        Some(Installed { file: "/usr/bin/oauthctl".into(), by: "a Debian package" })
    }
}

pub struct Bell {
    pub signal: Option<i32>,
    pub kept: Mutex<Vec<Sender<i32>>>,
}

impl Signals for Bell {
    fn watch(&self, to: Sender<i32>) {
        if let Some(signal) = self.signal {
            let _ = to.send(signal);
        }
        self.kept.lock().unwrap().push(to);
    }

    fn release(&self) {
        self.kept.lock().unwrap().clear();
    }
}

/// What was written, seen from both sides.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).expect("text")
    }

    pub fn add(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }
}

#[derive(Clone, Copy, Default)]
pub enum Stdout {
    #[default]
    Read,
    Closed,
    Full,
}

pub struct Printed {
    pub to: Shared,
    pub kind: Stdout,
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.kind {
            Stdout::Read => self.to.add(bytes),
            Stdout::Closed => return Err(io::ErrorKind::BrokenPipe.into()),
            Stdout::Full => return Err(io::ErrorKind::StorageFull.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard error without the last net: the real one is cleaned of known secrets on its way out,
/// but those are known to the whole process, that is to all tests at once; and what is said should
/// hold none in the first place. (`Output::err_cleaned` does it.)
pub struct Spoken(pub Shared);

impl Write for Spoken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.add(bytes);
        Ok(bytes.len())
    }

    fn write_fmt(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.0.add(text.to_string().as_bytes());
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Talk for Spoken {
    fn show(&mut self, text: &str) -> io::Result<()> {
        self.0.add(text.as_bytes());
        Ok(())
    }

    fn another(&self) -> Box<dyn Talk> {
        Box::new(Spoken(self.0.clone()))
    }
}
