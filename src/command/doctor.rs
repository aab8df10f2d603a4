//! `doctor`: tries what a login needs, and says what to do about what fails.

use std::sync::mpsc::channel;
use std::time::Duration;

use clap::Args;

use crate::command::{Global, no_input, print};
use crate::config::{self, Config};
use crate::error::{Error, Kind};
use crate::secret::Secret;
use crate::session::paths::Paths;
use crate::session::{self, Choice, Session};
use crate::store::{Store, StoreKind, keychain::KeychainStore};
use crate::text::safe;
use crate::wire::Request;
use crate::world::World;
use crate::world::loopback::{Address, Host, Loopback};

#[derive(Args, Debug)]
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
    let mut report = String::new();
    let mut bad = false;
    let mut add = |topic: &str, found: Found| {
        let (mark, words, advice) = match found {
            Found::Good(words) => ("ok  ", words, None),
            Found::Note(words, advice) => ("note", words, advice),
            Found::Bad(words, advice) => {
                bad = true;
                ("FAIL", words, advice)
            }
        };
        report.push_str(&format!("{mark}  {topic:14} {words}\n"));
        if let Some(advice) = advice {
            report.push_str(&format!("      {:14} do: {advice}\n", ""));
        }
    };
    add("configuration", configuration(&paths));
    let keychain = probe(&KeychainStore::new(world.keychain.clone()), world);
    let keychain_works = keychain.is_ok();
    add(
        "keychain",
        match keychain {
            Ok(place) => Found::Good(format!("{place}: wrote, read and deleted a test item")),
            Err(e) => Found::Note(
                e.message,
                Some("unlock or start it; without one, tokens go into sealed files (`--store file`)".to_owned()),
            ),
        },
    );
    // a look must not make a key where nothing is sealed yet and nothing will be
    let file_wanted = !keychain_works
        || world.env.var("OAUTHCTL_STORE").as_deref() == Some("file")
        || paths.state.as_ref().is_some_and(|dir| dir.join("store").exists());
    let file = if file_wanted {
        Some(crate::session::open_file_store(world, &paths).and_then(|store| probe(&store, world)))
    } else {
        None
    };
    let file_works = matches!(file, Some(Ok(_)));
    add(
        "file store",
        match file {
            None => Found::Good("not used: there is a keychain".to_owned()),
            Some(Ok(place)) => Found::Good(format!("{place}: wrote, read and deleted a test record")),
            Some(Err(e)) => Found::Note(e.message, e.hints.first().cloned()),
        },
    );
    let choice = Choice { profile: args.profile.clone(), ..Choice::default() };
    // a profile that nobody named is the only one, the default one, or OAUTHCTL_PROFILE's; there may be none
    let (session, unusable) = match Session::open(world, choice.clone()) {
        Ok(session) => (Some(session), None),
        Err(e) if args.profile.is_some() && e.kind != Kind::Store => return Err(e),
        Err(e) => (None, Some(e).filter(|e| e.kind == Kind::Store)),
    };
    let (found, store_works) = match unusable {
        Some(e) => (Found::Bad(e.message, e.hints.into_iter().next()), false),
        None => in_use(world, &paths, session.as_ref(), (keychain_works, file_works)),
    };
    add("store in use", found);
    add(
        "fast copy",
        if world.token_copy.works() {
            Found::Good("the kernel keeps a copy of fresh access tokens".to_owned())
        } else {
            Found::Note("the kernel offers no keyring here: `token` reads the store each time".to_owned(), None)
        },
    );
    add("clock", clock(world));
    add("listener", listener());
    add("browser", browser(world));
    add("environment", environment(world));
    if let Some(found) = session.as_ref().and_then(|session| client_key(world, session)) {
        add("client proof", found);
    }
    let reached = match session {
        Some(_) => reach(world, choice).unwrap_or_else(|e| Found::Bad(e.message, e.hints.into_iter().next())),
        None => Found::Note(
            "not looked at".to_owned(),
            Some("name a profile to try its provider: `oauthctl doctor PROFILE`".to_owned()),
        ),
    };
    add("network", reached);
    print(world, report.as_bytes())?;
    Ok(match (bad, store_works) {
        (_, false) => Kind::Store.exit_code(),
        (true, _) => Kind::Other.exit_code(),
        _ => 0,
    })
}

fn configuration(paths: &Paths) -> Found {
    let Some(dir) = &paths.config else {
        return Found::Note(
            "no home folder: nothing is configured".to_owned(),
            Some("set OAUTHCTL_CONFIG_DIR".to_owned()),
        );
    };
    let mut wrong: Vec<String> = config::validate_all(dir).into_iter().map(|e| e.message).collect();
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
        true => Found::Good(match profiles {
            1 => format!("{}: 1 profile", dir.display()),
            n => format!("{}: {n} profiles", dir.display()),
        }),
        false => {
            Found::Bad(wrong.join("; "), Some("mend what is named here; `oauthctl doctor` looks again".to_owned()))
        }
    }
}

/// A real write, read and delete, under a name no profile can have.
fn probe(store: &dyn Store, world: &mut World) -> Result<String, Error> {
    let name = format!("doctor-{}", &crate::session::random_hex(world)[..8]);
    let text = Secret::unlisted(format!("{{\"oauthctl\":1,\"probe\":\"{name}\"}}"));
    store.save(&name, &text)?;
    let back = store.load(&name);
    store.delete(&name)?;
    match back? {
        Some(back) if back == text => Ok(store.place()),
        _ => Err(Error::new(Kind::Store, format!("{} did not give back what was written", store.in_words()))),
    }
}

fn clock(world: &World) -> Found {
    // the year this program was written in
    const WRITTEN: i64 = 1_767_225_600;
    let now = world.clock.now();
    match now < WRITTEN {
        true => Found::Bad(
            format!("says {}", super::times::rfc3339(now)),
            Some("set the clock: tokens are judged by it".to_owned()),
        ),
        false => Found::Good(super::times::rfc3339(now)),
    }
}

fn listener() -> Found {
    let (requests, _inbox) = channel();
    match Loopback::bind(&Address { host: Host::Literal, ports: Vec::new(), tls: false }, requests, false) {
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
    } else if set("SSH_CONNECTION").is_some() {
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
    let plain = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "CI"];
    let mut names: Vec<String> = world.env.names().into_iter().filter_map(|n| n.into_string().ok()).collect();
    names.retain(|n| n.starts_with("OAUTHCTL_") || plain.contains(&n.as_str()));
    names.sort();
    if names.is_empty() {
        Found::Good("nothing set that this program reads".to_owned())
    } else {
        Found::Good(format!("set: {}", names.join(", ")))
    }
}

/// Which store `login` and `token` use here, whether it works, and whether the profile's record can be read from it.
fn in_use(
    world: &World,
    paths: &Paths,
    session: Option<&Session>,
    (keychain_works, file_works): (bool, bool),
) -> (Found, bool) {
    let (usual, chosen) = match session::usual_store(world, paths) {
        Ok(usual) => usual,
        Err(e) => return (Found::Bad(e.message, e.hints.into_iter().next()), true),
    };
    let kind = session.map_or(usual, |session| session.store.kind());
    let chosen = chosen || session.is_some_and(|session| session.profile.store.is_some());
    let words = match (kind, chosen) {
        (StoreKind::Keychain, false) if !keychain_works && file_works => {
            let words = "none is chosen, and no keychain answers: `login` uses sealed files".to_owned();
            return (
                Found::Note(
                    words,
                    Some("`--store file` or OAUTHCTL_STORE=file, once you are content with that".to_owned()),
                ),
                true,
            );
        }
        (StoreKind::Keychain, _) if !keychain_works => {
            let what = if file_works { "the keychain is chosen, and does not work" } else { "no store works" };
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
            let advice = e.hints.into_iter().next();
            (Found::Bad(format!("{words}; the record of `{}`: {}", safe(&session.name), e.message), advice), false)
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
    let mut request = Request::new("GET", url);
    request.timeout = Duration::from_secs(10);
    let place = request.place();
    Ok(match world.http.exchange(&request) {
        Ok(answer) => {
            let clock =
                answer.header("date").map(|date| format!("; its clock says {}", safe(date))).unwrap_or_default();
            Found::Good(format!("{place} answers{clock}"))
        }
        Err(e) => {
            let e = Error::from(e);
            Found::Bad(e.message, e.hints.into_iter().next())
        }
    })
}
