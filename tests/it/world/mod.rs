//! A person, and the world they type in: the whole program runs in process, with everything real
//! that is this machine's own (files, the loopback listener, the practice servers) and a double
//! that complains for everything else. No test touches the network, a keychain or a browser, and
//! the clock stands still until it is moved.
//!
//! What isn't said beforehand doesn't happen: a browser that opens, a question, a program that is
//! started, a request to another machine end the test, and so does an answer that was prepared and
//! never asked for.

mod doubles;
mod itself;
pub mod op;
pub mod robot;
pub mod serve;

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use oauthctl::sandbox::{Manners, Options, Server, provider_overrides};
use oauthctl::secret::{fingerprint, redact};
use oauthctl::world::{Http, Peer, Unanswered, Verbosity, World};
use serde_json::Value;

pub use doubles::{Chest, Copies, Fault, Hand};
pub use itself::itself;
use robot::Page;

/// The 21st of November 2026, 22:00:00 UTC.
pub const START: i64 = 1_795_298_400;

/// A port for a redirect address that is said beforehand. The system gives it to nobody by itself,
/// and no two tests get the same.
pub fn own_port() -> u16 {
    use std::net::{Ipv4Addr, TcpStream};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // another run of these tests on this machine has another beginning
    let begin = std::process::id() as usize * 97;
    loop {
        let port = 15_000 + ((begin + NEXT.fetch_add(1, Ordering::SeqCst)) % 15_000) as u16;
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            return port;
        }
    }
}

/// Somebody with a home, a keychain and a clock, all of which last from one command to the next.
pub struct Person {
    home: tempfile::TempDir,
    env: BTreeMap<String, OsString>,
    pub clock: Arc<Hand>,
    pub keychain: Arc<Chest>,
    pub copies: Arc<Copies>,
    random: Arc<AtomicU64>,
    doubles: Vec<Arc<Asked>>,
    next: Next,
}

/// What is prepared for the next command alone.
#[derive(Default)]
struct Next {
    terminal: bool,
    screens: doubles::Screens,
    stdin: Option<String>,
    stdin_file: Option<std::fs::File>,
    peer: Option<Peer>,
    cuts: u64,
    network: Option<Arc<dyn Http>>,
    answers: VecDeque<doubles::Answer>,
    pastes: Vec<Paste>,
    browser: doubles::Opens,
    signal: Option<i32>,
    programs: VecDeque<(Vec<String>, String)>,
    edits: VecDeque<doubles::Edit>,
    stdout: doubles::Stdout,
}

/// Makes the line that is pasted from the authorize address shown.
type Paste = Box<dyn Fn(&str) -> String + Send>;

/// What a command left behind.
pub struct Output {
    pub code: u8,
    pub out: String,
    /// As the person saw it, with what differs from run to run in words (`PORT`, `STATE`,
    /// `sha256:…`, `~`).
    pub err: String,
    /// The same as it came.
    pub err_raw: String,
    /// What the browser showed, in the end.
    pub pages: Vec<Page>,
    /// Every request of ours: method and place, the port as `PORT`.
    pub sent: Vec<String>,
    home: String,
}

/// A server that answers oddly, and complains when it was never asked.
pub struct Odd {
    _serving: serve::Serving,
    pub base: String,
    asked: Arc<Asked>,
}

struct Asked {
    name: String,
    count: AtomicUsize,
}

impl Person {
    pub fn new() -> Person {
        let home = tempfile::tempdir().expect("a folder");
        // another seed for each test, the same one each time: the thread has the test's name
        let name = std::thread::current().name().unwrap_or("main").to_owned();
        let seed = name
            .bytes()
            .fold(14_695_981_039_346_656_037, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(1_099_511_628_211));
        let clock = Arc::new(Hand {
            now: AtomicI64::new(START),
            elapsed_ms: AtomicU64::new(5000),
            hurry_ms: AtomicU64::new(0),
        });
        let mut person = Person {
            env: BTreeMap::new(),
            copies: Arc::new(Copies::new(clock.clone())),
            clock,
            keychain: Arc::default(),
            random: Arc::new(AtomicU64::new(seed)),
            doubles: Vec::new(),
            next: Next::default(),
            home,
        };
        let place = person.home.path().display().to_string();
        person.set(if cfg!(windows) { "USERPROFILE" } else { "HOME" }, &place);
        let place = person.path("config").display().to_string();
        person.set("XDG_CONFIG_HOME", &place);
        let place = person.path("state").display().to_string();
        person.set("XDG_STATE_HOME", &place);
        person
    }

    pub fn path(&self, name: &str) -> PathBuf {
        with_slashes(&self.home.path().join(name).to_string_lossy()).into()
    }

    pub fn set(&mut self, variable: &str, value: &str) -> &mut Person {
        self.env.insert(variable.to_owned(), value.into());
        self
    }

    pub fn unset(&mut self, variable: &str) -> &mut Person {
        self.env.remove(variable);
        self
    }

    /// Writes a file below the configuration folder.
    pub fn config(&self, name: &str, text: &str) {
        let path = self.path("config/oauthctl").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(path, text).expect("the file");
    }

    pub fn config_text(&self) -> String {
        std::fs::read_to_string(self.path("config/oauthctl/config.toml")).unwrap_or_default()
    }

    /// A practice server with these manners, which the provider of that name means from now on. The
    /// practice server's own manners are called `practice`, since `sandbox` starts one by itself.
    pub fn practice(&self, manners: Manners) -> Server {
        self.practice_with(Options::new(manners))
    }

    /// The same, for logins that end at this address.
    pub fn practice_for(&self, mut options: Options, redirect: &str) -> Server {
        options.clients.iter_mut().for_each(|client| client.redirects.also(&[redirect.to_owned()]));
        self.practice_with(options)
    }

    /// The same, as `sandbox run` and `sandbox serve` have it: it says that it is practice.
    pub fn said_practice(&self, manners: Manners) -> Server {
        let server = self.practice(manners);
        self.config(&format!("providers/{}.toml", manners.name()), &provider_overrides(&server.base(), manners));
        server
    }

    pub fn practice_with(&self, options: Options) -> Server {
        let manners = options.manners;
        let server = Server::start(options, self.clock.clone(), &doubles::Dice(self.random.clone())).expect("a server");
        // as the real one is: what says that it is practice is the subject of a few tests, which
        // write the file as it is
        let said = ["name = ", "practice = ", "console-url = "];
        let text = provider_overrides(&server.base(), manners);
        let lines = text.lines().filter(|line| !said.iter().any(|key| line.starts_with(key)));
        let mut text = lines.fold(String::new(), |text, line| text + line + "\n");
        let mut name = manners.name();
        if manners == Manners::Sandbox {
            name = "practice";
            text = text.replace("id = \"sandbox\"", "id = \"practice\"");
        }
        self.config(&format!("providers/{name}.toml"), &text);
        server
    }

    /// A server of a few lines: gets method, path and body, gives status, content type and body.
    pub fn odd(
        &mut self,
        name: &str,
        answer: impl Fn(&serve::Request) -> serve::Response + Send + Sync + 'static,
    ) -> Odd {
        let asked = Arc::new(Asked { name: name.to_owned(), count: AtomicUsize::new(0) });
        let counted = asked.clone();
        let serving = serve::serve(move |request| {
            counted.count.fetch_add(1, Ordering::SeqCst);
            answer(request)
        });
        let base = format!("http://{}", serving.address);
        self.doubles.push(asked.clone());
        Odd { _serving: serving, base, asked }
    }

    /// The next command has a terminal, and nothing is typed but what is said.
    pub fn at_a_terminal(&mut self) -> &mut Person {
        self.next.terminal = true;
        self
    }

    /// The next command's stdout is looked at, not piped.
    pub fn sees_stdout(&mut self) -> &mut Person {
        self.next.screens.out = true;
        self
    }

    /// The next command's stderr is looked at.
    pub fn sees_stderr(&mut self) -> &mut Person {
        self.next.screens.err = true;
        self
    }

    /// The next command's terminal shows nothing but what comes on a stderr that is looked at.
    pub fn sees_no_screen(&mut self) -> &mut Person {
        self.next.screens.gone = true;
        self
    }

    /// The next command's screen has so many columns, and shows stdout and stderr.
    pub fn columns(&mut self, width: usize) -> &mut Person {
        self.next.screens = doubles::Screens { out: true, err: true, width: Some(width), gone: false };
        self
    }

    /// The next command's requests go here, and nowhere else.
    pub fn network(&mut self, network: Arc<dyn Http>) -> &mut Person {
        self.next.network = Some(network);
        self
    }

    /// Answers the next question.
    pub fn answers(&mut self, text: &str) -> &mut Person {
        self.next.answers.push_back(doubles::Answer::Shown(text.to_owned()));
        self.at_a_terminal()
    }

    /// Answers the next question without echo.
    pub fn answers_hidden(&mut self, text: &str) -> &mut Person {
        self.next.answers.push_back(doubles::Answer::Hidden(text.to_owned()));
        self.at_a_terminal()
    }

    /// Presses Ctrl-C at the next question.
    pub fn presses_ctrl_c(&mut self) -> &mut Person {
        self.next.answers.push_back(doubles::Answer::None(Unanswered::Signal(2)));
        self.at_a_terminal()
    }

    /// Presses Ctrl-D at the next question.
    pub fn presses_ctrl_d(&mut self) -> &mut Person {
        self.next.answers.push_back(doubles::Answer::None(Unanswered::Ended));
        self.at_a_terminal()
    }

    /// Leaves the next question open for longer than is waited.
    pub fn stays_silent(&mut self) -> &mut Person {
        self.next.answers.push_back(doubles::Answer::Never);
        self.at_a_terminal()
    }

    /// Pastes a line while the program waits for the redirect; it is made from the address that was
    /// shown.
    pub fn pastes(&mut self, line: impl Fn(&str) -> String + Send + 'static) -> &mut Person {
        self.next.pastes.push(Box::new(line));
        self.at_a_terminal()
    }

    pub fn stdin(&mut self, text: &str) -> &mut Person {
        self.next.stdin = Some(text.to_owned());
        self
    }

    /// The next command's standard input is a file that is open already.
    pub fn stdin_file(&mut self, file: std::fs::File) -> &mut Person {
        self.next.stdin_file = Some(file);
        self
    }

    /// The next command's standard input is a connection, from an address with a name.
    pub fn connected_from(&mut self, name: &str, is_own_or_root: bool) -> &mut Person {
        self.next.peer = Some(Peer { name: name.to_owned(), is_own_or_root });
        self
    }

    /// So many answers of the next command break off after three bytes.
    pub fn cuts(&mut self, answers: u64) -> &mut Person {
        self.next.cuts = answers;
        self
    }

    /// The next command must open the browser, once for each such line; this is what happens there,
    /// on a thread of its own.
    pub fn browser(&mut self, act: impl FnOnce(&str) -> Vec<Page> + Send + 'static) -> &mut Person {
        match &mut self.next.browser {
            doubles::Opens::Robot(acts) => acts.push_back(Box::new(act)),
            other => *other = doubles::Opens::Robot(VecDeque::from([Box::new(act) as doubles::Act])),
        }
        self
    }

    /// The next command looks for a browser and finds none.
    pub fn no_browser_found(&mut self) -> &mut Person {
        self.next.browser = doubles::Opens::Missing;
        self
    }

    /// A signal comes as soon as the next command watches for one.
    pub fn signal(&mut self, signal: i32) -> &mut Person {
        self.next.signal = Some(signal);
        self
    }

    /// The next command starts this program, which prints that.
    pub fn program(&mut self, argv: &[&str], prints: &str) -> &mut Person {
        self.next.programs.push_back((argv.iter().map(|&a| a.to_owned()).collect(), prints.to_owned()));
        self
    }

    /// The next command opens an editor; this is what becomes of the file's text there.
    pub fn edits(&mut self, edit: impl Fn(&str) -> String + Send + 'static) -> &mut Person {
        self.next.edits.push_back(Box::new(edit));
        self
    }

    /// Nobody reads the next command's stdout any more.
    pub fn closed_pipe(&mut self) -> &mut Person {
        self.next.stdout = doubles::Stdout::Closed;
        self
    }

    pub fn full_disk(&mut self) -> &mut Person {
        self.next.stdout = doubles::Stdout::Full;
        self
    }

    /// Types a command: words, with no quotes.
    pub fn types(&mut self, line: &str) -> Output {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.runs(&words)
    }

    pub fn runs(&mut self, words: &[&str]) -> Output {
        let next = std::mem::take(&mut self.next);
        let (out, err, sent) =
            (doubles::Shared::default(), doubles::Shared::default(), Arc::new(Mutex::new(Vec::new())));
        let (answers, pastes) = (next.answers, next.pastes);
        let seat = doubles::Seat::new(next.terminal, next.stdin, answers, pastes, err.clone(), next.screens);
        let terminal = Arc::new(seat.reading(next.stdin_file, next.peer));
        let browser = Arc::new(doubles::Screen::new(next.browser));
        let programs = Arc::new(doubles::Shell { programs: Mutex::new(next.programs), edits: Mutex::new(next.edits) });
        let mut world = World {
            env: Box::new(doubles::Variables(self.env.clone())),
            clock: self.clock.clone(),
            http: next.network.unwrap_or_else(|| Arc::new(doubles::AtHome::new(sent.clone(), next.cuts))),
            browser: Box::new(doubles::Door(browser.clone())),
            keychain: self.keychain.clone(),
            token_copy: std::rc::Rc::new(doubles::Door(self.copies.clone())),
            random: Box::new(doubles::Dice(self.random.clone())),
            terminal: Box::new(doubles::Door(terminal.clone())),
            programs: Box::new(doubles::Door(programs.clone())),
            stored_by: oauthctl::world::stored_by,
            signals: Box::new(doubles::Bell { signal: next.signal, kept: Mutex::default() }),
            out: Box::new(doubles::Printed { to: out.clone(), kind: next.stdout }),
            err: Box::new(doubles::Spoken(err.clone())),
            verbosity: Verbosity::Normal,
            patience: None,
        };
        let args = std::iter::once("oauthctl").chain(words.iter().copied()).map(OsString::from);
        let code = oauthctl::run(args, &mut world);
        drop(world);
        let typed = words.join(" ");
        let pages = browser.pages(&typed);
        terminal.nothing_left(&typed);
        let all_started = programs.programs.lock().unwrap().is_empty() && programs.edits.lock().unwrap().is_empty();
        assert!(all_started, "`{typed}` did not start the program it should");
        let home = self.home.path().to_string_lossy().into_owned();
        let err_raw = err.text();
        let sent = sent.lock().unwrap().clone();
        Output { code, out: out.text(), err: in_words(&err_raw, &home), err_raw, pages, sent, home }
    }

    /// What the keychain holds for a profile.
    #[track_caller]
    pub fn record(&self, profile: &str) -> Value {
        let text = self.keychain.item(profile).unwrap_or_else(|| panic!("nothing is kept for `{profile}`"));
        serde_json::from_str(&text).expect("a record")
    }

    /// A token of a record: `access_token`, `refresh_token`.
    #[track_caller]
    pub fn kept(&self, profile: &str, which: &str) -> String {
        self.record(profile)["token"][which].as_str().unwrap_or_else(|| panic!("no {which} is kept")).to_owned()
    }

    /// Changes a profile's record behind the program's back.
    pub fn tamper(&self, profile: &str, change: impl FnOnce(&mut Value)) {
        let mut record = self.record(profile);
        change(&mut record);
        self.keychain.put(profile, &record.to_string());
        self.copies.clear();
    }

    /// Time passes.
    pub fn later(&self, seconds: i64) {
        self.clock.pass(seconds);
    }

    /// Signs in to the practice server, with a browser; no test's subject.
    #[track_caller]
    pub fn signed_in(&mut self) -> &mut Person {
        let done = self.browser(robot::allows).types("login sandbox");
        assert_eq!(done.code, 0, "{}", done.err);
        self
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for double in &self.doubles {
            assert!(double.count.load(Ordering::SeqCst) > 0, "the server `{}` was never asked", double.name);
        }
    }
}

impl Odd {
    pub fn asked(&self) -> usize {
        self.asked.count.load(Ordering::SeqCst)
    }

    /// A provider file whose token endpoint and API are this server's.
    pub fn provider(&self, id: &str) -> String {
        let base = &self.base;
        format!(
            "id = \"{id}\"\nname = \"Odd\"\nsources = [\"a test\"]\nchecked = \"2026-11-21\"\nclient-id = \"an-app\"\n\
             [authorize]\nurl = \"{base}/authorize\"\n[pkce]\nmode = \"off\"\n[token]\nurl = \"{base}/token\"\nauth = [\"none\", \"basic\"]\n\
             [client-credentials]\nsupported = true\n[redirect]\nloopback = \"any_port\"\n[api]\nbase-url = \"{base}/api\"\n"
        )
    }
}

/// An answer of an odd server.
pub fn answer(status: u16, kind: &str, body: &str) -> serve::Response {
    serve::Response { status, headers: vec![("Content-Type".into(), kind.into())], body: body.into() }
}

impl Output {
    /// Exit code, stdout and stderr, each whole.
    #[track_caller]
    pub fn is(&self, code: u8, out: &str, err: &str) -> &Output {
        let out_seen = in_words_but_tokens(&self.out, &self.home);
        let (out, err) = (&dedented(out), &dedented(err));
        assert!(
            (self.code, out_seen.as_str(), self.err.as_str()) == (code, out, err),
            "\n--- expected exit {code}, stdout\n{out}\n--- stderr\n{err}\n--- got exit {}, stdout\n{out_seen}\n--- stderr\n{}\n",
            self.code,
            self.err,
        );
        self
    }

    /// Exit code, nothing on stdout, and what stderr says whole.
    #[track_caller]
    pub fn fails(&self, code: u8, err: &str) -> &Output {
        self.is(code, "", err)
    }

    /// Stdout with what differs from run to run in words.
    pub fn out_in_words(&self) -> String {
        in_words(&self.out, &self.home)
    }

    /// What is left of stderr after the last net: server texts that quote a secret.
    pub fn err_cleaned(&self) -> String {
        in_words(&redact(&self.err_raw), &self.home)
    }

    /// No eight bytes of a secret in a row are in stdout or stderr. Four hexadecimal digits stand
    /// in an address by chance.
    #[track_caller]
    pub fn tells_nothing_of(&self, secret: &str) -> &Output {
        for part in secret.as_bytes().windows(8) {
            let part = std::str::from_utf8(part).expect("text");
            for text in [&self.out, &self.err_raw] {
                assert!(!text.contains(part), "`{part}` of a secret is in:\n{text}");
            }
        }
        self
    }
}

/// The line that holds the authorize address.
pub fn shown_url(text: &str) -> Option<String> {
    text.lines().rev().map(str::trim_start).find(|l| l.starts_with("http")).map(str::to_owned)
}

/// What differs from run to run, in words.
fn in_words(text: &str, home: &str) -> String {
    let text = in_words_but_tokens(text, home);
    let word = |c: char| c.is_ascii_alphanumeric() || "-_.~%".contains(c);
    let text = masked(&text, "state=", word, "STATE");
    let text = masked(&text, "code_challenge=", word, "CHALLENGE");
    let text = masked(&text, "%2Fcallback%2F", |c| c.is_ascii_hexdigit(), "RANDOM");
    let text = masked(&text, "/callback/", |c| c.is_ascii_hexdigit(), "RANDOM");
    let text = masked(&text, " -L ", |c| c.is_ascii_digit(), "PORT");
    masked(&text, "sha256:", |c| c.is_ascii_hexdigit(), "…")
}

fn in_words_but_tokens(text: &str, home: &str) -> String {
    let text = text.replace(home, "~").replace(&with_slashes(home), "~");
    let text = if cfg!(windows) { as_on_unix(&text) } else { text };
    ["127.0.0.1:", "127.0.0.1%3A", "localhost:", "localhost%3A"]
        .into_iter()
        .fold(text, |text, before| masked(&text, before, |c| c.is_ascii_digit(), "PORT"))
}

/// A path as TOML's texts and this program's arguments can have it.
fn with_slashes(path: &str) -> String {
    if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() }
}

/// Windows' own words and paths of the home, as they are elsewhere.
fn as_on_unix(text: &str) -> String {
    let of_system = |code| std::io::Error::from_raw_os_error(code).to_string();
    let text = [2, 3]
        .iter()
        .fold(text.to_owned(), |text, code| text.replace(&of_system(*code), "No such file or directory (os error 2)"));
    let text = text.replace("~\\", "~/");
    let mut parts = text.split("~/");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let (path, rest) =
            part.split_at(part.find(|c: char| c.is_whitespace() || "`'\"".contains(c)).unwrap_or(part.len()));
        format!("{out}~/{}{rest}", with_slashes(path))
    })
}

/// Replaces the run of such characters after each `before`, where there is one.
fn masked(text: &str, before: &str, of: impl Fn(char) -> bool, by: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&of);
        out.push_str(before);
        out.push_str(if rest.len() < part.len() { by } else { "" });
        out.push_str(rest);
    }
    out
}

/// A text indented as the code around it: the first line break and the common indentation aren't
/// part of it.
fn dedented(text: &str) -> String {
    let Some(lines) = text.strip_prefix('\n') else { return text.to_owned() };
    let lines = lines.trim_end_matches(' ');
    let indent =
        lines.lines().filter(|l| !l.trim().is_empty()).map(|l| l.len() - l.trim_start().len()).min().unwrap_or(0);
    lines.split_inclusive('\n').map(|l| l.get(indent..).unwrap_or("\n")).collect()
}

/// How a secret is shown.
pub fn shown(secret: &str) -> String {
    fingerprint(secret.as_bytes())
}
