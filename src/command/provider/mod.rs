//! `provider`: lists, shows and tries the known authorization servers and their APIs.

mod add;
mod check;
mod diff;
mod edit;
mod trial;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::command::{TextOrJson as Format, fitted, pair, print};
use crate::config::{self, Brief};
use crate::error::{Error, Kind, ended_by};
use crate::session::paths::Paths;
use crate::session::random_hex;
use crate::text::safe;
use crate::world::World;

#[derive(Debug, Subcommand)]
pub enum ProviderVerb {
    /// List every provider: built in, and your own.
    ///
    /// `[one source]`: only one source has the addresses of its endpoints. `[no source]`: none has
    /// them, they are the usual ones of such a server.
    #[command(after_help = "Examples:
  oauthctl provider list
  oauthctl provider list --format json")]
    List {
        /// The form of the output.
        #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
        format: Format,
        /// The same as `--format json`: one array.
        #[arg(long, conflicts_with = "format")]
        json: bool,
    },
    /// Print the TOML file of a provider, complete.
    #[command(after_help = "Examples:
  oauthctl provider show getresponse
  oauthctl provider show getresponse --environment max")]
    Show {
        /// The provider's name, or an alias.
        #[arg(value_name = "PROVIDER")]
        name: String,
        /// One of its environments (`max`, …).
        #[arg(long, value_name = "ENVIRONMENT")]
        environment: Option<String>,
    },
    /// Write the file of a provider of your own.
    Add(add::AddArgs),
    /// Print the keys by which your file differs from the built-in provider.
    #[command(after_help = "Examples:
  oauthctl provider diff getresponse")]
    Diff {
        /// The provider's name, or an alias.
        #[arg(value_name = "PROVIDER")]
        name: String,
    },
    /// Reach each address of a provider, and compare its file with the server's metadata.
    ///
    /// The requests are plain: no client id, no code, no secret. A refusal is fine, since it shows
    /// that the address is right. Exit code 1: an address can't be reached, or contradicts.
    #[command(after_help = "Examples:
  oauthctl provider check getresponse
  oauthctl provider check okta --var domain=dev-1.okta.com")]
    Check {
        /// The provider's name, or an alias.
        #[arg(value_name = "PROVIDER")]
        name: String,
        /// One of its environments (`max`, …).
        #[arg(long, value_name = "ENVIRONMENT")]
        environment: Option<String>,
        /// A variable of the provider (`domain=…`); may be given several times.
        #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
        vars: Vec<(String, String)>,
    },
    /// Open the file of a provider in your editor ($VISUAL, $EDITOR); only a valid one is taken.
    ///
    /// Of a built-in provider it begins a file of your own, which changes single keys. What is
    /// refused is kept, and can be edited again.
    #[command(after_help = "Examples:
  oauthctl provider edit acme
  EDITOR=nano oauthctl provider edit getresponse")]
    Edit {
        /// The provider's name, or an alias.
        #[arg(value_name = "PROVIDER")]
        name: String,
    },
    /// Try every command with a provider, played by its file; nothing leaves this machine.
    ///
    /// The practice server plays the provider by what its file says: addresses, parameters, client
    /// authentication, answers, pages. A request that differs in any part is refused. No browser
    /// opens, and your configuration and logins are neither read nor changed.
    #[command(after_help = "Examples:
  oauthctl provider test getresponse
  oauthctl provider test --all")]
    Test {
        /// The provider's name, or an alias.
        #[arg(value_name = "PROVIDER", required_unless_present = "all")]
        name: Option<String>,
        /// One of its environments (`max`, …).
        #[arg(long, value_name = "ENVIRONMENT", conflicts_with = "all")]
        environment: Option<String>,
        /// Every provider: built in, and your own.
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
}

pub fn run(verb: ProviderVerb, world: &mut World) -> Result<u8, Error> {
    let dir = Paths::find(&*world.env).config.unwrap_or_default();
    match verb {
        ProviderVerb::List { format, json } => {
            let all = listed(&dir)?;
            let text = if json || format == Format::Json {
                let of = |it: &Listed| match &it.found {
                    Ok(p) => json!({
                        "provider": it.name, "name": p.name, "aliases": p.aliases, "own": p.own, "addresses": p.addresses,
                    }),
                    Err(why) => json!({ "provider": it.name, "name": "", "aliases": [], "own": true, "broken": why }),
                };
                format!("{}\n", all.iter().map(of).collect::<Value>())
            } else {
                fitted(world, &all.iter().map(|it| line(it, &all)).collect::<String>(), 25)
            };
            print(world, text.as_bytes())?;
        }
        ProviderVerb::Show { name, environment } => {
            let mut provider = config::provider(&dir, &name, environment.as_deref())?;
            let inside = match environment {
                None => config::provider_in_environments(&dir, &name)?,
                Some(environment) => {
                    // the others would change the entry without this environment
                    provider.environments = vec![environment];
                    BTreeMap::new()
                }
            };
            print(world, provider.to_toml(&inside).as_bytes())?;
        }
        ProviderVerb::Add(args) => return add::run(args, &dir, world),
        ProviderVerb::Check { name, environment, vars } => {
            return check::run((&name, environment.as_deref()), &vars, &dir, world);
        }
        ProviderVerb::Diff { name } => return diff::run(&name, &dir, world),
        ProviderVerb::Edit { name } => return edit::run(&name, &dir, world),
        ProviderVerb::Test { name: Some(name), environment, .. } => {
            let steps = apart(world, |room| tried(&dir, &name, environment.as_deref(), room))??;
            print(world, trial::table(&steps).as_bytes())?;
            if let Some((step, _)) = trial::wrong(&steps) {
                return Err(Error::new(Kind::Other, format!("`{}` goes wrong at `{step}`", safe(&name)))
                    .hint("the entry contradicts itself, or this program doesn't do what it says: please report it"));
            }
        }
        ProviderVerb::Test { name: None, .. } => return test_all(world, &dir),
    }
    Ok(0)
}

/// Gives a new folder, which is deleted afterwards, even if a signal ends the trial.
fn apart<T: Send>(world: &mut World, try_out: impl FnOnce(&trial::Room) -> T + Send) -> Result<T, Error> {
    let folder = world.env.temp_dir().join(format!("oauthctl-test-{}", random_hex(world)));
    let room = trial::Room { folder: &folder, now: world.clock.now(), stopped: &AtomicBool::new(false) };
    let (to, signals) = channel();
    world.signals.watch(to.clone());
    let (signal, result) = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let result = catch_unwind(AssertUnwindSafe(|| try_out(&room)));
            let _ = to.send(OVER);
            result
        });
        let signal = signals.recv().ok().filter(|signal| *signal != OVER);
        room.stopped.store(signal.is_some(), Ordering::SeqCst);
        // a second signal ends all of it at once
        world.signals.release();
        (signal, running.join().unwrap_or_else(Err))
    });
    let _ = std::fs::remove_dir_all(&folder);
    match (signal, result) {
        (_, Err(panic)) => resume_unwind(panic),
        (Some(signal), _) => Err(ended_by(signal, "the trial is not finished")),
        (None, Ok(result)) => Ok(result),
    }
}

/// No signal has this number.
const OVER: i32 = 0;

/// Tries one provider.
fn tried(dir: &Path, name: &str, environment: Option<&str>, room: &trial::Room) -> Result<Vec<trial::Step>, Error> {
    let provider = config::provider(dir, name, environment)?;
    let usual = config::provider(dir, name, None)?;
    let text = usual.to_toml(&config::provider_in_environments(dir, name)?);
    let entry = trial::Entry { provider: &provider, environment, text };
    Ok(trial::steps(&entry, room))
}

/// Tries all providers, in all environments, and tells what came of each.
fn test_all(world: &mut World, dir: &Path) -> Result<u8, Error> {
    let mut all: Vec<(String, Option<String>)> = Vec::new();
    for name in config::in_brief(dir)?.into_keys() {
        let environments = config::provider(dir, &name, None).map(|it| it.environments).unwrap_or_default();
        all.push((name.clone(), None));
        all.extend(environments.into_iter().map(|it| (name.clone(), Some(it))));
    }
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get());
    let results = apart(world, |room| {
        let one = |at: usize, name: &str, environment: Option<&str>| {
            if room.stopped.load(Ordering::SeqCst) {
                return (at, Ok(Vec::new()));
            }
            let folder = room.folder.join(at.to_string());
            (at, tried(dir, name, environment, &trial::Room { folder: &folder, ..*room }))
        };
        let part = |number: usize| -> Vec<_> {
            let of = all.iter().enumerate().skip(number).step_by(threads);
            of.map(|(at, (name, it))| one(at, name, it.as_deref())).collect()
        };
        std::thread::scope(|scope| {
            let part = &part;
            let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || part(number))).collect();
            let parts = running.into_iter().map(|part| part.join().unwrap_or_else(|e| resume_unwind(e)));
            parts.flatten().collect::<BTreeMap<_, _>>()
        })
    })?;
    let (mut text, mut left, mut passed, mut wrong) = (String::new(), BTreeMap::new(), 0, 0);
    for ((name, environment), result) in all.iter().zip(results.into_values()) {
        let name = environment.as_ref().map_or_else(|| name.clone(), |it| format!("{name} ({it})"));
        let (mark, why) = match &result {
            Err(e) => ("WRONG", format!("its file can't be used: {e}")),
            Ok(steps) => {
                trial::left(steps).for_each(|(step, why)| *left.entry(format!("{step}: {why}")).or_insert(0) += 1);
                let unplayed = trial::left(steps).find(|(step, _)| *step == "login");
                match (trial::wrong(steps), unplayed) {
                    (Some((step, why)), _) => ("WRONG", format!("{step}: {why}")),
                    (None, Some((_, why))) => ("-", why.to_owned()),
                    (None, None) => ("ok", String::new()),
                }
            }
        };
        passed += usize::from(mark == "ok");
        wrong += usize::from(mark == "WRONG");
        text += &format!("{}\n", format!("{name:28} {mark:6} {}", safe(&why)).trim_end());
    }
    text += &format!("{passed} of {} pass each step that they have\n", all.len());
    text += "not there:\n";
    text += &left.iter().map(|(why, count)| format!("{count:6}  {why}\n")).collect::<String>();
    print(world, text.as_bytes())?;
    match wrong {
        0 => Ok(0),
        wrong => Err(Error::new(Kind::Other, format!("{wrong} of {} providers go wrong", all.len()))
            .hint("oauthctl provider test PROVIDER")),
    }
}

struct Listed {
    name: String,
    /// Or the error in its file.
    found: Result<Brief, String>,
}

fn listed(dir: &Path) -> Result<Vec<Listed>, Error> {
    let all = config::in_brief(dir)?.into_iter();
    let mut all: Vec<Listed> =
        all.map(|(name, found)| Listed { name, found: found.map_err(|e| safe(&e.message)) }).collect();
    let own = all.iter().flat_map(|it| &it.found).filter(|p| p.own);
    let taken: Vec<String> = own.flat_map(|p| p.aliases.clone()).collect();
    // the user's alias replaces a built-in one
    for provider in all.iter_mut().flat_map(|it| &mut it.found).filter(|p| !p.own) {
        provider.aliases.retain(|alias| !taken.contains(alias));
    }
    Ok(all)
}

fn line(Listed { name, found }: &Listed, all: &[Listed]) -> String {
    match found {
        Ok(p) => {
            let also = match p.aliases.as_slice() {
                [] => String::new(),
                aliases => format!("  (also {})", aliases.join(", ")),
            };
            let whose = match (p.own, p.practice) {
                (true, true) => "  [practice]",
                (true, false) => "  [your own]",
                (false, _) => "",
            };
            let sure = match p.addresses.as_deref() {
                Some("one_source") => "  [one source]",
                Some("no_source") => "  [no source]",
                _ => "",
            };
            format!("{name:24} {}{also}{whose}{sure}\n", safe(&p.name))
        }
        Err(why) => {
            match all.iter().find(|it| it.name != *name && why.contains(&format!("providers/{}.toml", it.name))) {
                // the error is reported there
                Some(base) => format!("{name:24} broken, as `{}` is\n", base.name),
                None => format!("{name:24} broken: {why}\n"),
            }
        }
    }
}
