//! `registry`: provider files and profiles that a team keeps in a git repository or a folder. Each
//! registry is pinned to one commit, and what comes in is shown before it is taken.
//!
//! git only brings objects: nothing of the repository is checked out, so no hook, filter, submodule
//! or link of its acts here. Its texts are read one by one, from the tree of the commit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::address::on_loopback;
use crate::command::{may_ask, print};
use crate::config::{self, Pin, Registry, is_of_registry};
use crate::error::{Error, Kind, unanswered};
use crate::provider::is_provider_name;
use crate::session::paths::Paths;
use crate::session::random_hex;
use crate::text::{pasted, safe};
use crate::world::{Unanswered, World, files};

#[derive(Debug, Subcommand)]
pub enum RegistryVerb {
    /// Take the providers and profiles of a team, after they were shown.
    ///
    /// They are `providers/NAME.toml` files and a `config.toml` with profiles, without secrets:
    /// everyone signs in as himself. Your own files and the built-in providers come first.
    #[command(after_help = "Examples:
  oauthctl registry add https://git.example.com/team/logins.git
  oauthctl registry add git@git.example.com:team/logins.git --name team
  oauthctl registry add /srv/team/logins --yes")]
    Add {
        /// A git repository (`https`, `ssh` or a path), or a folder.
        #[arg(value_name = "ADDRESS")]
        source: String,
        /// What it is called here [default: the last part of its address]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        taking: Taking,
    },
    /// List the registries, and the commit that each is pinned to.
    #[command(after_help = "Examples:
  oauthctl registry list")]
    List,
    /// Show what a registry has.
    #[command(after_help = "Examples:
  oauthctl registry show team")]
    Show {
        /// The registry.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Fetch a registry anew, show the differences to the pinned commit, and take them.
    #[command(after_help = "Examples:
  oauthctl registry update team")]
    Update {
        /// The registry.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        taking: Taking,
    },
    /// Remove a registry's providers; profiles and logins stay.
    #[command(after_help = "Examples:
  oauthctl registry remove team")]
    Remove {
        /// The registry.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Args, Debug)]
pub struct Taking {
    /// Take this commit (its whole number), not the newest of the default branch.
    #[arg(long, value_name = "ID", value_parser = commit)]
    commit: Option<String>,
    /// Take it without a question.
    #[arg(long)]
    yes: bool,
}

fn commit(text: &str) -> Result<String, String> {
    let is_whole = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_whole {
        Ok(text.to_lowercase())
    } else {
        Err("write its whole number, 40 or 64 hexadecimal digits".to_owned())
    }
}

/// How long git may take for one step.
const WITHIN: Duration = Duration::from_secs(120);

/// The most files that a registry has, and the longest of them.
const MOST_FILES: usize = 1000;
const LONGEST_FILE: u64 = 60 << 10;

/// Settings by which git does what it is told and no more.
const HARMLESS: [&str; 8] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "transfer.fsckObjects=true",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
];

pub fn run(verb: RegistryVerb, world: &mut World) -> Result<u8, Error> {
    let dir = Paths::find(&*world.env).require_config()?;
    match verb {
        RegistryVerb::Add { source, name, taking } => {
            let name = name.unwrap_or_else(|| usual_name(&source));
            if !is_provider_name(&name) {
                return Err(Error::usage(format!("`{}` is no name for a registry", safe(&name)))
                    .hint("name it with `--name`: lower-case letters, digits, `-`, `_`, `.`"));
            }
            if config::registries(&dir).contains(&name) {
                return Err(Error::usage(format!("there is a registry `{name}` already"))
                    .hint(format!("oauthctl registry update {name}")));
            }
            take(world, &dir, (&name, &source), &taking, None)?;
        }
        RegistryVerb::Update { name, taking } => {
            let source = Registry::pin(&dir, &name)?.source;
            let old = Registry::load(&dir, &name);
            if let Err(e) = &old {
                world.warn(&e.message);
            }
            take(world, &dir, (&name, &source), &taking, old.ok().as_ref())?;
        }
        RegistryVerb::List => {
            for name in config::registries(&dir) {
                let line = match Registry::load(&dir, &name) {
                    Ok(registry) => {
                        let at = origin(&name, &registry);
                        let names: Vec<String> = registry.providers.into_keys().collect();
                        format!("{name:16} {at}: {}\n", names.join(", "))
                    }
                    Err(e) => {
                        let hint = e.hint.iter().map(|hint| format!("; {hint}")).collect::<String>();
                        format!("{name:16} broken: {}{hint}\n", safe(&e.message))
                    }
                };
                print(world, line.as_bytes())?;
            }
        }
        RegistryVerb::Show { name } => {
            let registry = Registry::load(&dir, &name)?;
            let head = origin(&name, &registry) + "\n";
            let lines = registry
                .changes(None)
                .into_iter()
                .map(|line| format!("{}\n", line.trim_start_matches(['+', '~', ' '])));
            print(world, (head + &lines.collect::<String>()).as_bytes())?;
        }
        RegistryVerb::Remove { name } => remove(world, &dir, &name)?,
    }
    Ok(0)
}

/// Where the copy comes from, and whether it is still that.
fn origin(name: &str, registry: &Registry) -> String {
    let Pin { source, commit, .. } = &registry.pin;
    let edited = match registry.is_edited() {
        true => format!(", changed here since (`oauthctl registry update {name}` takes that back)"),
        false => String::new(),
    };
    format!("{} at {}{edited}", safe(source), safe(commit))
}

/// Removes a registry, a broken one too, and names the profiles that have no provider after it.
fn remove(world: &mut World, dir: &Path, name: &str) -> Result<(), Error> {
    let left = match Registry::load(dir, name) {
        Ok(registry) => registry.profiles_of_it(dir)?,
        Err(e) if !config::registries(dir).iter().any(|known| known == name) => return Err(e.into()),
        Err(_) => Vec::new(),
    };
    Registry::remove(dir, name)?;
    world.say(&format!("{name}: its providers are gone; profiles and logins stay (`oauthctl list`)"));
    for profile in left {
        let remove = format!("oauthctl profile remove {}", pasted(&profile));
        world.say(&format!("  `{}` has no provider any more: {remove}", safe(&profile)));
    }
    Ok(())
}

/// `https://host/team/logins.git` is called `logins`.
fn usual_name(source: &str) -> String {
    let last = source.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    last.trim_end_matches(".git").to_lowercase()
}

/// Fetches, shows, asks and writes.
fn take(
    world: &mut World,
    dir: &Path,
    (name, source): (&str, &str),
    taking: &Taking,
    old: Option<&Registry>,
) -> Result<(), Error> {
    let taken = old.map(|old| old.pin.commit.as_str());
    let Fetched { pin, files, follows } = fetched(world, source, (taking.commit.as_deref(), taken))?;
    let new = Registry::of(dir, name, pin, files).map_err(|e| Error::from(e).context("the registry is not taken"))?;
    let lines = new.changes(old);
    world.say(&format!("{name}: {} at {}", safe(&new.pin.source), safe(&new.pin.commit)));
    if !follows {
        let before = taken.map(safe).unwrap_or_default();
        world.say(&format!("  it does not come after {before}: it is older, or the history was rewritten"));
    }
    for line in &lines {
        world.say(&format!("  {line}"));
    }
    for id in new.providers.keys().filter(|id| dir.join(format!("providers/{id}.toml")).exists()) {
        world.say(&format!("  your own `providers/{id}.toml` comes first, and stays"));
    }
    if old.is_some_and(|old| old.is(&new)) {
        world.say("nothing has changed");
        return Ok(());
    }
    if old.is_some_and(|old| old.pin == new.pin) {
        world.say("  the copy here was changed since it was taken: this takes it back");
    }
    // another commit with the same texts moves the pin alone
    if !lines.is_empty() {
        agreed(world, taking)?;
    }
    let kept = new.put_profiles(dir, old)?;
    new.save(dir, name)?;
    for profile in kept {
        world.say(&format!("  your own profile `{}` stays as it is", safe(&profile)));
    }
    match new.profiles.keys().chain(new.providers.keys()).next().filter(|_| old.is_none()) {
        Some(first) => world.say(&format!("taken. Next: oauthctl login {}", pasted(first))),
        None => world.say("taken; a login's tokens still go only to where they were obtained for"),
    }
    Ok(())
}

/// An error: no.
fn agreed(world: &mut World, taking: &Taking) -> Result<(), Error> {
    const NOT_TAKEN: &str = "the registry was not taken";
    if taking.yes {
        return Ok(());
    }
    if !may_ask(world) {
        return Err(Error::usage(format!("nobody could be asked, so {NOT_TAKEN}"))
            .hint("read the lines above, then add `--yes`"));
    }
    match world.ask_whether("Logins of these go to these hosts. Take them?", false) {
        Ok(true) => Ok(()),
        Ok(false) | Err(Unanswered::Ended) => Err(Error { said_no: true, ..Error::new(Kind::Refused, NOT_TAKEN) }),
        Err(e) => Err(unanswered(e, NOT_TAKEN)),
    }
}

struct Fetched {
    pin: Pin,
    files: BTreeMap<String, String>,
    /// Whether it comes after the commit that was taken before.
    follows: bool,
}

/// `commit`: the one that is wanted, and the one that was taken before.
fn fetched(world: &mut World, source: &str, commits: (Option<&str>, Option<&str>)) -> Result<Fetched, Error> {
    let (commit, taken) = commits;
    match place(source)? {
        Place::Folder(folder) if commit.is_some() => Err(Error::usage(format!(
            "`{}` is no git repository: it has no commits",
            safe(&folder.display().to_string())
        ))),
        Place::Folder(folder) => of_folder(&folder),
        Place::Git(address) => {
            let room = world.env.temp_dir().join(format!("oauthctl-registry-{}", random_hex(world)));
            files::make_folder(&room).map_err(|e| Error::new(Kind::Store, "no folder can be made for git").cause(e))?;
            let fetched = of_git(world, &room, &address, (commit, taken));
            let _ = std::fs::remove_dir_all(&room);
            fetched
        }
    }
}

enum Place {
    Git(String),
    Folder(PathBuf),
}

/// Where a registry is; an address that could run a program or holds a password is refused.
fn place(source: &str) -> Result<Place, Error> {
    const FORMS: &str = "`https://…`, `ssh://…`, `user@host:path`, or a path of this machine";
    let refused =
        |why: &str| Err(Error::usage(format!("`{}` is no place for a registry: {why}", safe(source))).hint(FORMS));
    // not repeated: it may be in it
    let holds =
        |what: &str| Err(Error::usage(format!("the address holds {what}: git has its own credentials")).hint(FORMS));
    if let Ok(url) = url::Url::parse(source)
        && source.contains("://")
    {
        return match url.scheme() {
            _ if url.password().is_some() => holds("a password"),
            "https" | "http" if !url.username().is_empty() => holds("a name, or a token"),
            "https" | "http" if url.query().is_some() => holds("a query, which may be a token"),
            "http" if !on_loopback(source) => refused("`http` is not safe"),
            "https" | "ssh" | "http" if !url.host_str().unwrap_or("-").starts_with('-') => {
                Ok(Place::Git(source.to_owned()))
            }
            _ => refused("its protocol is none of these"),
        };
    }
    let path = std::path::absolute(source).unwrap_or_default();
    if path.is_dir() {
        let is_git = path.join(".git").exists() || path.join("objects").is_dir() && path.join("HEAD").is_file();
        let text = path.to_str().filter(|_| is_git).map(str::to_owned);
        return Ok(text.map_or_else(|| Place::Folder(path.clone()), Place::Git));
    }
    match source.split_once(':') {
        Some((host, path))
            if !host.contains('/') && !host.is_empty() && !source.starts_with('-') && !path.starts_with(':') =>
        {
            Ok(Place::Git(source.to_owned()))
        }
        _ => refused("there is no such folder"),
    }
}

/// The files of a commit. Only git's own objects are brought, into an empty folder.
fn of_git(
    world: &World,
    room: &Path,
    address: &str,
    (commit, taken): (Option<&str>, Option<&str>),
) -> Result<Fetched, Error> {
    let git = |words: &[&str]| git(world, room, on_loopback(address), words);
    git(&["init", "--quiet", "--bare", "--template="])?;
    let wanted = commit.unwrap_or("HEAD");
    let fetch =
        |depth| git(&["fetch", "--quiet", depth, "--no-tags", "--no-recurse-submodules", "--", address, wanted]);
    fetch("--depth=1").map_err(|e| e.context(format!("`{}` can't be fetched", safe(address))))?;
    let found = git(&["rev-parse", "--verify", "--end-of-options", "FETCH_HEAD^{commit}"])?;
    if commit.is_some_and(|commit| commit != found) {
        return Err(Error::new(Kind::Unsafe, format!("another commit came: `{}`", safe(&found))));
    }
    // the history is brought only where it says something
    let comes_after = |taken: &str| {
        let whole = fetch("--depth=2147483647").is_ok();
        whole && git(&["merge-base", "--is-ancestor", taken, &found]).is_ok()
    };
    let follows = taken.is_none_or(|taken| taken == found || comes_after(taken));
    let mut files = BTreeMap::new();
    let listed = git(&["ls-tree", "-r", "-z", "--long", "--full-tree", &found, "--", config::FILE, "providers"])?;
    for line in listed.split('\0').filter(|line| !line.is_empty()) {
        let (about, path) = line.split_once('\t').unwrap_or_default();
        let about: Vec<&str> = about.split_whitespace().collect();
        let &[mode, _, object, length] = &about[..] else { continue };
        if !matches!(mode, "100644" | "100755") {
            return Err(no_plain_file(path));
        }
        if is_of_registry(path) {
            fits(path, length.parse().unwrap_or(u64::MAX), files.len())?;
            files.insert(path.to_owned(), git(&["cat-file", "blob", object])? + "\n");
        }
    }
    let digest = Some(config::digest(&files));
    Ok(Fetched { pin: Pin { source: address.to_owned(), commit: found, digest }, files, follows })
}

fn git(world: &World, room: &Path, loopback: bool, words: &[&str]) -> Result<String, Error> {
    // the settings alone decide, not the caller's variables
    let apart = ["env", "-u", "GIT_ALLOW_PROTOCOL", "-u", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"];
    let mut argv: Vec<String> = apart.iter().filter(|_| cfg!(unix)).map(|word| (*word).to_owned()).collect();
    argv.extend(["git".to_owned(), format!("--git-dir={}", room.display())]);
    let http = Some("protocol.http.allow=always").filter(|_| loopback);
    for setting in HARMLESS.into_iter().chain(http) {
        argv.extend(["-c".to_owned(), setting.to_owned()]);
    }
    argv.extend(words.iter().map(|word| (*word).to_owned()));
    world.programs.output_or_words(&argv, WITHIN).map(|out| out.to_string()).map_err(|e| of_git_itself(&e))
}

/// What git says of a place that can't be reached now, in the words of curl, of ssh and of the
/// system.
const AWAY: [&str; 12] = [
    "Could not resolve host",
    "name resolution",
    "Failed to connect",
    "Couldn't connect",
    "Connection refused",
    "Connection reset",
    "timed out",
    "Network is unreachable",
    "No route to host",
    "returned error: 429",
    "returned error: 5",
    "early EOF",
];

fn of_git_itself(e: &std::io::Error) -> Error {
    let words = e.to_string();
    match e.kind() {
        std::io::ErrorKind::NotFound => Error::new(Kind::Other, "git can't be started").because(safe(&words)),
        std::io::ErrorKind::TimedOut => {
            Error::new(Kind::TryLater, format!("git did not end within {} s", WITHIN.as_secs()))
                .hint("run the command again later")
        }
        _ if AWAY.iter().any(|away| words.contains(away)) => {
            Error::new(Kind::TryLater, format!("git says: {}", safe(&words)))
                .hint("check the network, then run the command again")
        }
        _ => Error::new(Kind::Other, format!("git says: {}", safe(&words)))
            .hint("git signs in by its own credentials: `git ls-remote ADDRESS` tries them"),
    }
}

/// The files of a folder, pinned by their digest.
fn of_folder(folder: &Path) -> Result<Fetched, Error> {
    let unread =
        |e: std::io::Error| Error::usage(format!("`{}` can't be read", safe(&folder.display().to_string()))).cause(e);
    let mut files = BTreeMap::new();
    let providers = folder.join("providers");
    let entries = if providers.is_dir() { Some(std::fs::read_dir(&providers).map_err(unread)?) } else { None };
    let names = entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut paths: Vec<String> =
        names.map(|name| format!("providers/{name}")).filter(|path| is_of_registry(path)).collect();
    paths.push(config::FILE.to_owned());
    paths.sort();
    for path in paths {
        let Ok(about) = folder.join(&path).symlink_metadata() else { continue };
        let links = providers.symlink_metadata().is_ok_and(|about| about.is_symlink());
        if !about.is_file() || links {
            return Err(no_plain_file(&path));
        }
        fits(&path, about.len(), files.len())?;
        let text = std::fs::read_to_string(folder.join(&path)).map_err(unread)?;
        files.insert(path, text);
    }
    let digest = config::digest(&files);
    let pin = Pin { source: folder.display().to_string(), commit: digest.clone(), digest: Some(digest) };
    Ok(Fetched { pin, files, follows: true })
}

fn fits(path: &str, length: u64, files: usize) -> Result<(), Error> {
    match (length, files) {
        (length, _) if length > LONGEST_FILE => {
            Err(Error::new(Kind::Unsafe, format!("`{}` is longer than {} KiB", safe(path), LONGEST_FILE >> 10)))
        }
        (_, MOST_FILES) => Err(Error::new(Kind::Unsafe, format!("the registry has more than {MOST_FILES} files"))),
        _ => Ok(()),
    }
}

fn no_plain_file(path: &str) -> Error {
    Error::new(Kind::Unsafe, format!("`{}` of the registry is no plain file: a link could lead anywhere", safe(path)))
}
