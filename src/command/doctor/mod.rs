//! `doctor`: checks the requirements of a login, and suggests a fix for each failure.

pub mod logins;
mod profile;

use std::sync::mpsc::channel;
use std::time::Duration;

use clap::Args;

use crate::command::{Global, fitted, no_input, print, sandbox_session};
use crate::config::{self, Config, ConfigError};
use crate::error::{Error, Kind};
use crate::grant::{self, tunnel::Ssh};
use crate::session::paths::{Paths, Stores};
use crate::session::{self, Overrides, Session, orphan};
use crate::store::{Store, StoreError, StoreKind, file, keychain::KeychainStore, try_out};
use crate::text::times::rfc3339;
use crate::text::{count, safe};
use crate::wire::Request;
use crate::world::http_server::loopback::{Address, Host, Loopback};
use crate::world::{Proxy, World, authorities, usable_proxy};

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl doctor
  oauthctl doctor work
  oauthctl doctor work --registered http://127.0.0.1:8976/callback")]
pub struct DoctorArgs {
    /// Check this profile's provider too.
    #[arg(value_name = "PROFILE")]
    pub profile: Option<String>,
    /// The redirect URL as the provider's page has it: compared with the one that is sent.
    #[arg(long, value_name = "URL", requires = "profile")]
    pub registered: Option<String>,
}

/// The result of one check.
pub struct Found {
    mark: &'static str,
    pub words: String,
    pub advice: Option<String>,
}

fn found(mark: &'static str, words: impl Into<String>) -> Found {
    Found { mark, words: words.into(), advice: None }
}

pub fn good(words: impl Into<String>) -> Found {
    found("ok  ", words)
}

/// Works, with a limit that the user should know.
pub fn note(words: impl Into<String>) -> Found {
    found("note", words)
}

pub fn bad(words: impl Into<String>) -> Found {
    found(FAIL, words)
}

const FAIL: &str = "FAIL";

impl Found {
    pub fn is_bad(&self) -> bool {
        self.mark == FAIL
    }

    /// The same, about this.
    pub fn about(self, what: &str) -> Found {
        Found { words: format!("{what}: {}", self.words), ..self }
    }

    pub fn advice(self, advice: impl Into<String>) -> Found {
        Found { advice: Some(advice.into()), ..self }
    }
}

impl From<Error> for Found {
    fn from(e: Error) -> Found {
        let words = e.texts().join(": ");
        Found { advice: e.advice(), ..bad(words) }
    }
}

/// Exit code 0: a login can work here. 1: something must be fixed first. 5: no store works.
pub fn run(args: DoctorArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let paths = Paths::find(&*world.env);
    let mut report = Report::default();
    report.add_if("program", world.programs.installed().map(|own| good(format!("{}: {}", own.file.display(), own.by))));
    report.add("configuration", configuration(&paths));
    let choice = Overrides { profile: args.profile.clone(), ..Overrides::default() };
    // without a name it is the only profile, the default one or OAUTHCTL_PROFILE's, if there is one
    let (session, unusable) = match Session::open(world, choice) {
        Ok(session) => (Some(session), None),
        Err(e) if args.profile.is_some() && e.kind != Kind::Store => return Err(e),
        Err(e) => (None, Some(e).filter(|e| e.kind == Kind::Store)),
    };
    let config = paths.readable_config();
    let usual = session::usual_store(world, config.as_ref().map_or(&Config::default(), |(config, _)| config));
    let (found, store_works) = stores(world, &paths, (usual, session.as_ref()), &mut report);
    let (found, store_works) = unusable.map_or((found, store_works), |e| (e.into(), false));
    report.add("store in use", found);
    for found in orphans(world, &paths, config.as_ref()).0 {
        report.add("record", found);
    }
    report.add(
        "kernel copy",
        match world.token_copy.works() {
            true => good("the kernel's keyring keeps a copy of fresh access tokens"),
            false => note("the kernel has no keyring here: `token` reads the store each time"),
        },
    );
    report.add("clock", clock(world));
    report.add("listener", listener());
    report.add("browser", browser(world));
    report.add("environment", environment(world));
    report.add_if("certificates", certificates(world));
    report.add_if("proxy", proxy(world));
    report.add_if("client proof", session.as_ref().and_then(|session| client_key(world, session)));
    let logins = logins::look(world, global);
    for found in logins.ends.into_iter().chain(logins.doubles) {
        report.add("login", found);
    }
    match session {
        Some(session) => {
            let mut session = sandbox_session::served(session);
            let found = reach(world, &mut session, &mut report).unwrap_or_else(|e| not_reached(e, None));
            profile::check(world, &mut session, args.registered.as_deref(), &mut report);
            report.add("network", found);
        }
        None => {
            let advice = "name a profile to check its provider: `oauthctl doctor PROFILE`";
            report.add("network", note("not checked").advice(advice));
        }
    }
    print(world, fitted(world, &report.text, 21).as_bytes())?;
    Ok(match (report.bad, store_works) {
        (_, false) => Kind::Store.exit_code(),
        (true, _) => Kind::Other.exit_code(),
        _ => 0,
    })
}

/// The records without a profile, and why a store could not be read.
pub fn orphans(world: &World, paths: &Paths, config: Option<&(Config, Stores)>) -> (Vec<Found>, Vec<Error>) {
    let (orphans, troubles) = orphan::all(world, paths, config, None);
    let found = orphans.iter().map(|orphan| {
        let (words, advice) = orphan.told();
        note(words).advice(advice)
    });
    (found.collect(), troubles)
}

/// The lines so far, and whether something must be fixed.
#[derive(Default)]
pub struct Report {
    pub text: String,
    pub bad: bool,
}

impl Report {
    pub fn add(&mut self, topic: &str, Found { mark, words, advice }: Found) {
        self.bad |= mark == FAIL;
        let words = words.replace('\n', &format!("\n{:21}", ""));
        self.text.push_str(&format!("{mark}  {topic:14} {words}\n"));
        if let Some(advice) = advice {
            self.text.push_str(&format!("      {:14} do: {advice}\n", ""));
        }
    }

    fn add_if(&mut self, topic: &str, found: Option<Found>) {
        if let Some(found) = found {
            self.add(topic, found);
        }
    }
}

/// Checks keychain and sealed files. Returns the result for the store in use, and whether it works.
fn stores(
    world: &mut World,
    paths: &Paths,
    (usual, session): (Result<(StoreKind, bool), Error>, Option<&Session>),
    report: &mut Report,
) -> (Found, bool) {
    let kind = session.map(|session| session.store.kind()).or(usual.as_ref().ok().map(|(kind, _)| *kind));
    let keychain = probe(&KeychainStore::new(StoreKind::Keychain, world.keychain.clone()), world);
    let state = match &keychain {
        Ok(_) => Keychain::Works,
        Err(StoreError::Absent { .. }) => Keychain::Absent,
        Err(_) => Keychain::Fails,
    };
    report.add(
        "keychain",
        match keychain {
            Ok(place) => good(format!("{place}: wrote, read and deleted a test item")),
            Err(e @ StoreError::Absent { .. }) => {
                note(e.to_string()).advice("start one; without it, tokens are stored in sealed files (`--store file`)")
            }
            Err(e) if kind != Some(StoreKind::Keychain) => note(e.to_string()),
            Err(e) => Found { words: e.to_string(), ..Error::from(e).into() },
        },
    );
    let (found, file_works) = file_store(world, paths, kind, state);
    report.add("file store", found);
    let mut program_works = true;
    if let Some(kind @ (StoreKind::Program(_) | StoreKind::Vault(_))) = kind {
        let row = if let StoreKind::Vault(_) = kind { "vault" } else { "store program" };
        let found = other_store(world, paths, kind);
        program_works = found.is_ok();
        report.add(row, found.unwrap_or_else(Found::from));
    }
    match usual {
        Ok(usual) => {
            let (found, works) = in_use(usual, session, state, file_works);
            (found, works && program_works)
        }
        Err(e) => (e.into(), true),
    }
}

/// Checks the sealed files, where they are in use or may be. `true`: nothing is wrong with them.
fn file_store(world: &mut World, paths: &Paths, kind: Option<StoreKind>, keychain: Keychain) -> (Found, bool) {
    // a check must not make a key where nothing is sealed, nor will be
    let wanted = (keychain == Keychain::Absent && matches!(kind, None | Some(StoreKind::Keychain)))
        || kind == Some(StoreKind::File)
        || paths.state.as_ref().is_some_and(|dir| file::folder(dir).exists());
    // it may name the keys of the files
    let unknown = paths.config.as_ref().is_some_and(|dir| Config::load_for(dir, "").is_err());
    let file = (wanted && !unknown).then(|| {
        session::store_of(world, StoreKind::File, paths).and_then(|store| probe(&*store, world).map_err(Error::from))
    });
    let works = unknown || matches!(file, Some(Ok(_)));
    let found = match file {
        None if unknown => note("not looked at: config.toml can't be read, which may name its keys"),
        None if keychain == Keychain::Absent => good("not used"),
        None => good("not used: there is a keychain"),
        Some(Ok(place)) => {
            let until = session::sealed_files(world, paths).ok().and_then(|store| store.unlocked_until());
            let until = until.map(|at| format!("; unlocked until {}", rfc3339(at))).unwrap_or_default();
            good(format!("{place}: wrote, read and deleted a test record{until}"))
        }
        Some(Err(e)) => Found { mark: "note", ..e.into() },
    };
    (found, works)
}

/// Checks a program that stores records, or a team's engine.
fn other_store(world: &mut World, paths: &Paths, kind: StoreKind) -> Result<Found, Error> {
    match session::store_of(world, kind, paths).and_then(|store| probe(&*store, world).map_err(Error::from)) {
        Ok(place) => Ok(good(format!("{place}: wrote, read and deleted a test record"))),
        // who may only read a team's tokens
        Err(e) if matches!(e.what.downcast_ref(), Some(StoreError::NotAllowed { .. })) => {
            Ok(note(format!("{e}: it can't be written")).advice("`oauthctl store policy` prints what a renewer may do"))
        }
        Err(e) => Err(e),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keychain {
    Works,
    /// There is none: sealed files replace it, unless the user chose it.
    Absent,
    /// Locked, silent or broken: nothing replaces it.
    Fails,
}

fn configuration(paths: &Paths) -> Found {
    let Some(dir) = &paths.config else {
        return note("no home folder: nothing is configured").advice("set OAUTHCTL_CONFIG_DIR");
    };
    let faults = config::validate_all(dir);
    // a single error has a hint of its own
    let advice = match &faults[..] {
        [ConfigError { hint: Some(hint), .. }] => hint.clone(),
        _ => "fix the errors named here".to_owned(),
    };
    match faults.is_empty() {
        true => {
            let profiles = Config::load(dir).map_or(0, |config| config.profiles.len());
            good(format!("{}: {}", dir.display(), count(profiles, "profile")))
        }
        false => bad(faults.into_iter().map(|e| e.message).collect::<Vec<_>>().join("; ")).advice(advice),
    }
}

/// Writes, reads and deletes a record, under a name that no profile can have.
fn probe(store: &dyn Store, world: &mut World) -> Result<String, StoreError> {
    let name = format!("doctor-{}", &session::random_hex(world)[..8]);
    try_out(store, &name, &|| world.clock.elapsed())?;
    Ok(store.place())
}

/// It decides when tokens expire, and signed assertions.
const SET_THE_CLOCK: &str = match () {
    () if cfg!(windows) => "set the clock: `w32tm /resync`",
    () if cfg!(target_os = "macos") => "set the clock: `sudo sntp -sS time.apple.com`",
    () => "set the clock: `sudo timedatectl set-ntp true`",
};

fn clock(world: &World) -> Found {
    // the year in which this program was written
    const WRITTEN: i64 = 1_767_225_600;
    let now = world.clock.now();
    match now < WRITTEN {
        true => bad(format!("says {}", rfc3339(now))).advice(SET_THE_CLOCK),
        false => good(rfc3339(now)),
    }
}

fn listener() -> Found {
    let ((requests, _inbox), (strangers, _)) = (channel(), channel());
    match Loopback::bind(
        &Address { host: Host::Literal, ports: Vec::new(), tls: false, bind: None },
        requests,
        strangers,
        false,
    ) {
        Ok(listener) => good(format!("{} could be bound", listener.origin())),
        Err(e) => Error::from(e).into(),
    }
}

fn browser(world: &World) -> Found {
    let set = |name: &str| world.env.var(name);
    if no_input(world) {
        note("none is opened here: CI or OAUTHCTL_NO_INPUT is set")
    } else if let Some(browser) = set("BROWSER") {
        good(format!("BROWSER names `{}`", safe(&browser)))
    } else if Ssh::of(&*world.env).is_some() {
        note("this is an SSH session").advice("`login` prints the `ssh -L` line to run on your own machine")
    } else if cfg!(target_os = "linux") && set("DISPLAY").is_none() && set("WAYLAND_DISPLAY").is_none() {
        note("there is no display").advice("open the address that `login` prints elsewhere, and paste its last address")
    } else {
        good("the desktop's own")
    }
}

/// The documented variables that are set. No value is shown: it may be a secret.
fn environment(world: &World) -> Found {
    const OTHERS: &str =
        " HTTPS_PROXY https_proxy ALL_PROXY all_proxy NO_PROXY no_proxy SSL_CERT_FILE SSL_CERT_DIR CI ";
    let mut names = world.env.names().into_owned();
    names.retain(|name| name.starts_with("OAUTHCTL_") || OTHERS.contains(&format!(" {name} ")));
    names.sort();
    match names.is_empty() {
        true => good("no variable of this program is set"),
        false => good(format!("set: {}", names.join(", "))),
    }
}

/// The store that `login` and `token` use; whether it works and the profile's record is readable.
fn in_use(
    (usual, chosen): (StoreKind, bool),
    session: Option<&Session>,
    keychain: Keychain,
    file_works: bool,
) -> (Found, bool) {
    let kind = session.map_or(usual, |session| session.store.kind());
    let chosen = chosen || session.is_some_and(|session| session.profile.store.is_some());
    let words = match (kind, chosen) {
        (StoreKind::Keychain, false) if keychain == Keychain::Absent && file_works => {
            let words = "none is chosen, and there is no keychain: `login` uses sealed files";
            return (note(words).advice("`--store file` or OAUTHCTL_STORE=file chooses them"), true);
        }
        (StoreKind::Keychain, chosen) if keychain != Keychain::Works => {
            let words = match (chosen, keychain) {
                (true, _) => "the keychain is chosen, and it does not work",
                (false, Keychain::Fails) => "the keychain, and it does not work: `login` ends with exit code 5",
                (false, _) => "no store works",
            };
            return (bad(words).advice("fix it, or use `--store none` with client credentials"), false);
        }
        (StoreKind::File, _) if !file_works => {
            return (bad("sealed files are chosen, and they do not work").advice("fix the error above"), false);
        }
        (kind, true) => format!("{}, as chosen", kind.name()),
        (kind, false) => kind.name().to_owned(),
    };
    let Some(session) = session else { return (good(words), true) };
    let name = safe(&session.name);
    match session.load() {
        Err(e) => {
            let words = format!("{words}; the record of `{name}`: {}", e);
            (Found { words, ..e.into() }, false)
        }
        Ok(Some(_)) => (good(format!("{words}; has the record of `{name}`")), true),
        Ok(None) => (good(words), true),
    }
}

/// The client's key, if the profile has one.
fn client_key(world: &mut World, session: &Session) -> Option<Found> {
    session.look_at_key(world).map(|looked| match looked {
        Ok(words) => good(words),
        Err(e) => bad(e.to_string()).advice("give another with `--client-key-file FILE` at the next login"),
    })
}

fn reach(world: &mut World, session: &mut Session, report: &mut Report) -> Result<Found, Error> {
    let provider = session.provider(world, None)?;
    let Some(url) = provider.token.url.clone() else { return Ok(note("the provider has no token endpoint")) };
    let proxy = Proxy::of(&*world.env, &url);
    let mut request = Request::new("GET", url);
    request.timeout = Duration::from_secs(10);
    let place = request.place();
    Ok(match world.http.exchange(&request) {
        Ok(answer) => {
            let skew = grant::skew(&answer, world.clock.now());
            report.add_if("clock", skew.map(|skew| bad(skew).advice(SET_THE_CLOCK)));
            let clock = answer.header("date").map(|date| format!("; its clock says {}", safe(date)));
            good(format!("{place} responds{}", clock.unwrap_or_default()))
        }
        Err(e) => not_reached(e.into(), proxy.as_ref()),
    })
}

fn not_reached(e: Error, proxy: Option<&Proxy>) -> Found {
    let found = Found::from(e);
    if found.advice.is_some() {
        return found;
    }
    match proxy {
        Some(proxy) => found.advice(format!("requests use the proxy: fix it first, or unset {}", proxy.variable())),
        None => found.advice("is the machine on the network, and the address right?"),
    }
}

/// The certificate authorities that the user's variables name.
fn certificates(world: &World) -> Option<Found> {
    match authorities(&*world.env) {
        Ok(place) => place.map(good),
        Err(fault) => Some(bad(fault.to_string()).advice(fault.advice())),
    }
}

/// The proxy for requests, if a variable names one.
fn proxy(world: &World) -> Option<Found> {
    if let Err(fault) = usable_proxy(&*world.env) {
        return Some(bad(fault.to_string()).advice(fault.advice()));
    }
    let proxy = Proxy::named(&*world.env)?;
    Some(match proxy.reach() {
        Ok(()) => good(format!("{proxy} takes connections")),
        Err(e) => bad(format!("no connection to the proxy {proxy}: {}", safe(&e.to_string())))
            .advice(format!("start it, or unset {}", proxy.variable())),
    })
}
