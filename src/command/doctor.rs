//! `doctor`: tries what a login needs, and says what to do about what fails.

use std::sync::mpsc::channel;
use std::time::Duration;

use clap::Args;

use crate::command::{Global, fitted, no_input, print};
use crate::config::{self, Config, ConfigError};
use crate::error::{Error, Kind};
use crate::grant::tunnel::Ssh;
use crate::secret::Secret;
use crate::session::paths::Paths;
use crate::session::{self, Choice, Session, orphan};
use crate::store::{Store, StoreError, StoreKind, keychain::KeychainStore};
use crate::text::{count, safe};
use crate::wire::Request;
use crate::world::http_server::loopback::{Address, Host, Loopback};
use crate::world::{Proxy, World, authorities, usable_proxy};

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl doctor
  oauthctl doctor work")]
pub struct DoctorArgs {
    /// Look at this profile's provider too: is it reached?
    #[arg(value_name = "PROFILE")]
    pub profile: Option<String>,
}

/// What one look found.
enum Found {
    Good(String),
    /// Works, but the person should know.
    Note(String, Option<String>),
    Bad(String, Option<String>),
}

/// Exit 0 when a login can work here, 1 when something must be mended first, 5 when no store works.
pub fn run(args: DoctorArgs, _global: &Global, world: &mut World) -> Result<u8, Error> {
    let paths = Paths::find(&*world.env);
    let mut report = Report::default();
    report.add("configuration", configuration(&paths));
    let choice = Choice { profile: args.profile.clone(), ..Choice::default() };
    // a profile that nobody named is the only one, the default one, or OAUTHCTL_PROFILE's; there
    // may be none
    let (session, unusable) = match Session::open(world, choice.clone()) {
        Ok(session) => (Some(session), None),
        Err(e) if args.profile.is_some() && e.kind != Kind::Store => return Err(e),
        Err(e) => (None, Some(e).filter(|e| e.kind == Kind::Store)),
    };
    let (found, store_works) = stores(world, &paths, session.as_ref(), &mut report);
    let (found, store_works) = match unusable {
        Some(e) => (Found::Bad(e.message.clone(), e.advice()), false),
        None => (found, store_works),
    };
    report.add("store in use", found);
    let (orphans, _) = orphan::all(world, &paths, None);
    for orphan in orphans {
        report.add(
            "record",
            Found::Note(
                format!(
                    "{} keeps the record `{}`, which no profile in config.toml names",
                    orphan.place,
                    safe(&orphan.name)
                ),
                Some(format!("`{}` forgets it", orphan.logout())),
            ),
        );
    }
    report.add(
        "fast copy",
        if world.token_copy.works() {
            Found::Good("the kernel keeps a copy of fresh access tokens".to_owned())
        } else {
            Found::Note("the kernel offers no keyring here: `token` reads the store each time".to_owned(), None)
        },
    );
    report.add("clock", clock(world));
    report.add("listener", listener());
    report.add("browser", browser(world));
    report.add("environment", environment(world));
    report.add_if("certificates", certificates(world));
    report.add_if("proxy", proxy(world));
    report.add_if("client proof", session.as_ref().and_then(|session| client_key(world, session)));
    let reached = match session {
        Some(_) => reach(world, choice).unwrap_or_else(|e| not_reached(e, None)),
        None => Found::Note(
            "not looked at".to_owned(),
            Some("name a profile to try its provider: `oauthctl doctor PROFILE`".to_owned()),
        ),
    };
    report.add("network", reached);
    print(world, fitted(world, &report.text, 21).as_bytes())?;
    Ok(match (report.bad, store_works) {
        (_, false) => Kind::Store.exit_code(),
        (true, _) => Kind::Other.exit_code(),
        _ => 0,
    })
}

/// The lines so far, and whether something must be mended.
#[derive(Default)]
struct Report {
    text: String,
    bad: bool,
}

impl Report {
    fn add(&mut self, topic: &str, found: Found) {
        let (mark, words, advice) = match found {
            Found::Good(words) => ("ok  ", words, None),
            Found::Note(words, advice) => ("note", words, advice),
            Found::Bad(words, advice) => {
                self.bad = true;
                ("FAIL", words, advice)
            }
        };
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

/// Looks at keychain and sealed files; what is to be said of the store in use, and whether it
/// works.
fn stores(world: &mut World, paths: &Paths, session: Option<&Session>, report: &mut Report) -> (Found, bool) {
    let usual = session::usual_store(world, paths);
    let kind = session.map(|session| session.store.kind()).or(usual.as_ref().ok().map(|(kind, _)| *kind));
    let keychain = probe(&KeychainStore::new(world.keychain.clone()), world);
    let state = match &keychain {
        Ok(_) => Keychain::Works,
        Err(StoreError::Absent { .. }) => Keychain::Absent,
        Err(_) => Keychain::Fails,
    };
    report.add(
        "keychain",
        match keychain {
            Ok(place) => Found::Good(format!("{place}: wrote, read and deleted a test item")),
            Err(e @ StoreError::Absent { .. }) => {
                let advice = "start one; without it, tokens go into sealed files (`--store file`)";
                Found::Note(e.to_string(), Some(advice.to_owned()))
            }
            Err(e) if kind != Some(StoreKind::Keychain) => Found::Note(e.to_string(), None),
            Err(e) => Found::Bad(e.to_string(), Error::from(e).advice()),
        },
    );
    // a look must not make a key where nothing is sealed yet and nothing will be
    let file_wanted = (state == Keychain::Absent && matches!(kind, None | Some(StoreKind::Keychain)))
        || kind == Some(StoreKind::File)
        || paths.state.as_ref().is_some_and(|dir| dir.join("store").exists());
    let file = file_wanted.then(|| {
        session::store_of(world, StoreKind::File, paths).and_then(|store| probe(&*store, world).map_err(Error::from))
    });
    let file_works = matches!(file, Some(Ok(_)));
    report.add(
        "file store",
        match file {
            None if state == Keychain::Absent => Found::Good("not used".to_owned()),
            None => Found::Good("not used: there is a keychain".to_owned()),
            Some(Ok(place)) => Found::Good(format!("{place}: wrote, read and deleted a test record")),
            Some(Err(e)) => Found::Note(e.message.clone(), e.advice()),
        },
    );
    match usual {
        Ok(usual) => in_use(usual, session, state, file_works),
        Err(e) => (Found::Bad(e.message.clone(), e.advice()), true),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keychain {
    Works,
    /// There is none: sealed files take its place where nobody chose it.
    Absent,
    /// Locked, silent or broken: nothing takes its place.
    Fails,
}

fn configuration(paths: &Paths) -> Found {
    let Some(dir) = &paths.config else {
        return Found::Note(
            "no home folder: nothing is configured".to_owned(),
            Some("set OAUTHCTL_CONFIG_DIR".to_owned()),
        );
    };
    let faults = config::validate_all(dir);
    // a file that isn't read at all is one thing to mend, and the line to type is known
    let mend = match &faults[..] {
        [ConfigError { hint: Some(hint), .. }] => hint.clone(),
        _ => "mend what is named here".to_owned(),
    };
    let mut wrong: Vec<String> = faults.into_iter().map(|e| e.message).collect();
    let profiles = match Config::load(dir) {
        Ok(config) => config.profiles.len(),
        Err(e) => {
            if !wrong.contains(&e.message) {
                wrong.push(e.message);
            }
            0
        }
    };
    match wrong.is_empty() {
        true => Found::Good(format!("{}: {}", dir.display(), count(profiles, "profile"))),
        false => Found::Bad(wrong.join("; "), Some(mend)),
    }
}

/// A real write, read and delete, under a name no profile can have.
fn probe(store: &dyn Store, world: &mut World) -> Result<String, StoreError> {
    let name = format!("doctor-{}", &crate::session::random_hex(world)[..8]);
    let text = Secret::unlisted(format!("{{\"oauthctl\":1,\"probe\":\"{name}\"}}"));
    store.save(&name, &text)?;
    let back = store.load(&name);
    store.delete(&name)?;
    match back? {
        Some(back) if back == text => Ok(store.place()),
        _ => Err(StoreError::NotKept(store.in_words())),
    }
}

fn clock(world: &World) -> Found {
    // the year this program was written in
    const WRITTEN: i64 = 1_767_225_600;
    let now = world.clock.now();
    match now < WRITTEN {
        true => Found::Bad(
            format!("says {}", crate::text::times::rfc3339(now)),
            Some("set the clock: tokens are judged by it".to_owned()),
        ),
        false => Found::Good(crate::text::times::rfc3339(now)),
    }
}

fn listener() -> Found {
    let ((requests, _inbox), (strangers, _)) = (channel(), channel());
    match Loopback::bind(&Address { host: Host::Literal, ports: Vec::new(), tls: false }, requests, strangers, false) {
        Ok(listener) => Found::Good(format!("{} could be bound", listener.origin())),
        Err(e) => {
            let e = Error::from(e);
            Found::Bad(e.message, e.hints.into_iter().next())
        }
    }
}

fn browser(world: &World) -> Found {
    let set = |name: &str| world.env.var(name);
    if no_input(world) {
        Found::Note("none is opened here: CI or OAUTHCTL_NO_INPUT is set".to_owned(), None)
    } else if let Some(browser) = set("BROWSER") {
        Found::Good(format!("BROWSER names `{}`", safe(&browser)))
    } else if Ssh::of(&*world.env).is_some() {
        Found::Note(
            "this is an SSH session".to_owned(),
            Some("`login` prints the `ssh -L` line to run on your own machine".to_owned()),
        )
    } else if cfg!(target_os = "linux") && set("DISPLAY").is_none() && set("WAYLAND_DISPLAY").is_none() {
        Found::Note(
            "there is no display".to_owned(),
            Some("open the address that `login` prints elsewhere, and paste back where it ends".to_owned()),
        )
    } else {
        Found::Good("the desktop's own".to_owned())
    }
}

/// Only documented variables are read; here they are (the values of secrets are not shown).
fn environment(world: &World) -> Found {
    const PLAIN: [&str; 9] = [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CI",
    ];
    let mut names: Vec<String> = world.env.names().into_iter().filter_map(|n| n.into_string().ok()).collect();
    names.retain(|n| n.starts_with("OAUTHCTL_") || PLAIN.contains(&n.as_str()));
    names.sort();
    if names.is_empty() {
        Found::Good("nothing set that this program reads".to_owned())
    } else {
        Found::Good(format!("set: {}", names.join(", ")))
    }
}

/// Which store `login` and `token` use here, whether it works, and whether the profile's record can
/// be read from it.
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
            let words = "none is chosen, and no keychain answers: `login` uses sealed files".to_owned();
            return (
                Found::Note(
                    words,
                    Some("`--store file` or OAUTHCTL_STORE=file, once you are content with that".to_owned()),
                ),
                true,
            );
        }
        (StoreKind::Keychain, chosen) if keychain != Keychain::Works => {
            let what = match (chosen, keychain) {
                (true, _) => "the keychain is chosen, and does not work",
                (false, Keychain::Fails) => "the keychain, and it does not work: `login` ends with exit code 5",
                (false, _) => "no store works",
            };
            let advice = "mend what is named above, or use `--store none` with client credentials".to_owned();
            return (Found::Bad(what.to_owned(), Some(advice)), false);
        }
        (StoreKind::File, _) if !file_works => {
            let advice = "mend what is named above".to_owned();
            return (Found::Bad("sealed files are chosen, and do not work".to_owned(), Some(advice)), false);
        }
        (kind, true) => format!("{}, as chosen", kind.name()),
        (kind, false) => kind.name().to_owned(),
    };
    match session.map(|session| (session, session.load())) {
        Some((session, Err(e))) => {
            let words = format!("{words}; the record of `{}`: {}", safe(&session.name), e.message);
            (Found::Bad(words, e.advice()), false)
        }
        Some((session, Ok(Some(_)))) => (Found::Good(format!("{words}; holds `{}`", safe(&session.name))), true),
        _ => (Found::Good(words), true),
    }
}

/// The client's key, where the profile has one.
fn client_key(world: &mut World, session: &Session) -> Option<Found> {
    session.look_at_key(world).map(|looked| match looked {
        Ok(words) => Found::Good(words),
        Err(e) => {
            Found::Bad(e.message, Some("give another with `--client-key-file FILE` at the next login".to_owned()))
        }
    })
}

fn reach(world: &mut World, choice: Choice) -> Result<Found, Error> {
    let mut session = super::practice::open(world, choice)?;
    let provider = session.provider(world, None)?;
    let Some(url) = provider.token.url.clone() else {
        return Ok(Found::Note("the provider has no token address".to_owned(), None));
    };
    let proxy = Proxy::of(&*world.env, &url);
    let mut request = Request::new("GET", url);
    request.timeout = Duration::from_secs(10);
    let place = request.place();
    Ok(match world.http.exchange(&request) {
        Ok(answer) => {
            let clock =
                answer.header("date").map(|date| format!("; its clock says {}", safe(date))).unwrap_or_default();
            Found::Good(format!("{place} answers{clock}"))
        }
        Err(e) => not_reached(e.into(), proxy.as_ref()),
    })
}

fn not_reached(e: Error, proxy: Option<&Proxy>) -> Found {
    let network = proxy.map_or_else(
        || "is the machine on the network, and the address right?".to_owned(),
        |proxy| format!("the way leads through the proxy: mend it first, or unset {}", proxy.variable()),
    );
    Found::Bad(e.message.clone(), e.advice().or(Some(network)))
}

/// Where the person's own variables say that the authorities are.
fn certificates(world: &World) -> Option<Found> {
    match authorities(&*world.env) {
        Ok(place) => place.map(Found::Good),
        Err(fault) => Some(Found::Bad(fault.to_string(), Some(fault.advice()))),
    }
}

/// The proxy that requests go through, where one is named.
fn proxy(world: &World) -> Option<Found> {
    if let Err(fault) = usable_proxy(&*world.env) {
        return Some(Found::Bad(fault.to_string(), Some(fault.advice())));
    }
    let proxy = Proxy::named(&*world.env)?;
    Some(match proxy.reach() {
        Ok(()) => Found::Good(format!("{proxy} takes connections")),
        Err(e) => Found::Bad(
            format!("no connection to the proxy {proxy}: {}", safe(&e.to_string())),
            Some(format!("start it, or unset {}", proxy.variable())),
        ),
    })
}
