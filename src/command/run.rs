//! `run`: a command that finds tokens in its environment, in files, or behind an address. It takes
//! this process's place, and so keeps the terminal, the signals and its exit code. A companion
//! keeps files and addresses while the command runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use zeroize::Zeroizing;

use crate::api::path_rule::Rule;
use crate::command::keeper::{Event, Keeper, TokenFile};
use crate::command::token::{mask, warn_of_lifetime};
use crate::command::{Global, WhoFlags, duration, not_run, sandbox_session};
use crate::config::{Config, TokenTarget};
use crate::error::{Error, Kind};
use crate::protocol::sender_constrained::is_dpop;
use crate::secret::Secret;
use crate::session::fresh::{FreshnessPolicy, fresh, fresh_id_token};
use crate::session::paths::Paths;
use crate::session::{Session, random_hex};
use crate::store::environment::variable_name;
use crate::store::lent;
use crate::text::{pasted, safe};
use crate::token::TokenSet;
use crate::world::World;
use crate::world::files::make_folder;
use crate::world::fork::Companion;

#[derive(Args, Debug)]
#[command(
    after_help = "A token in the environment can't be refreshed while the command runs: `--min-ttl` says how long it will
run at least. The token in a file and the one behind an address are refreshed; both end with the
command, whose environment then has no `OAUTHCTL_…_TOKEN`, `…_SECRET` or `…_PASSPHRASE`. The rules
of `--allow` are for each address. Another `oauthctl` below the command uses OAUTHCTL_<PROFILE>_TOKEN as it is.

Examples:
  oauthctl run work -- make deploy
  oauthctl run --env NPM_TOKEN=registry --env GH_TOKEN=work -- npm ci
  oauthctl run --file TOKEN_FILE=work -- ./long-job
  oauthctl run --fd 3=work -- ./reads-descriptor-3
  oauthctl run --proxy API_URL=work --allow GET:/contacts/* -- jupyter lab"
)]
pub struct RunArgs {
    /// The profiles whose tokens the command gets [default: the only one, or `default-profile`]
    #[arg(value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// The variable that gets the token, of one of several profiles with its name; may be given
    /// several times [default: OAUTHCTL_<PROFILE>_TOKEN]
    #[arg(long = "env", value_name = "VAR[=PROFILE]", value_parser = variable)]
    pub variables: Vec<(String, Option<String>)>,
    /// The variable that gets the path of a file with the token, which is kept fresh; may be given
    /// several times (Linux).
    #[arg(long = "file", value_name = "VAR[=PROFILE]", value_parser = variable)]
    pub files: Vec<(String, Option<String>)>,
    /// The variable that gets an address in the place of the API's, where the token is added; may
    /// be given several times (Linux).
    #[arg(long = "proxy", value_name = "VAR[=PROFILE]", value_parser = variable)]
    pub proxies: Vec<(String, Option<String>)>,
    /// The descriptor, from 3 on, from which the command can read the token, once; may be given
    /// several times (not on Windows).
    #[arg(long = "fd", value_name = "N[=PROFILE]", value_parser = descriptor)]
    pub descriptors: Vec<(String, Option<String>)>,
    /// With `--proxy`: let only such requests pass, as `oauthctl proxy` does; may be given several
    /// times.
    #[arg(long, value_name = "RULE", value_parser = Rule::parse, requires = "proxies")]
    pub allow: Vec<Rule>,
    /// Ask for tokens that are valid for at least this time: `60s`, `5m`, `2h`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub min_ttl: Option<Duration>,
    #[command(flatten)]
    pub target: TokenTarget,
    /// Give the profiles' ID tokens in the place of their access tokens.
    #[arg(long)]
    pub id_token: bool,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (name, profile) = text.split_once('=').map_or((text, None), |(name, profile)| (name, Some(profile)));
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.starts_with(|c: char| word(c) && !c.is_ascii_digit()) || !name.chars().all(word) || profile == Some("") {
        return Err("write it as `VARIABLE` or `VARIABLE=PROFILE`".to_owned());
    }
    if let Some(who) = decided_by(name) {
        return Err(format!("this variable is read by {who}: choose another one"));
    }
    Ok((name.to_owned(), profile.map(str::to_owned)))
}

/// Variables by which the loader, a shell, an interpreter, git or a proxy's client finds its way:
/// with a token in one, the command would not start, or the token would be run, looked up or sent
/// somewhere. A name that ends in `*` is the beginning of several.
const DECIDE_WHAT_RUNS: &[(&str, &str)] = &[
    ("systems", "PATH HOME USER LOGNAME PWD TMPDIR PATHEXT COMSPEC SYSTEMROOT"),
    ("loaders", "LD_* DYLD_* GCONV_PATH GLIBC_TUNABLES LOCPATH NLSPATH MALLOC_*"),
    (
        "shells",
        "SHELL IFS ENV BASH_ENV SHELLOPTS BASHOPTS PROMPT_COMMAND PS0 PS1 PS2 PS4 CDPATH ZDOTDIR FPATH BASH_FUNC_*",
    ),
    ("programs that start others", "PAGER MANPAGER LESSOPEN LESSCLOSE EDITOR VISUAL BROWSER SSH_ASKPASS SUDO_ASKPASS"),
    ("Python", "PYTHONSTARTUP PYTHONPATH PYTHONHOME PYTHONWARNINGS PYTHONBREAKPOINT PYTHONINSPECT"),
    ("Node", "NODE_OPTIONS NODE_PATH"),
    ("Perl", "PERL5OPT PERL5LIB PERL5DB PERLLIB"),
    ("Ruby", "RUBYOPT RUBYLIB"),
    ("Java", "JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH"),
    (
        "git",
        "GIT_SSH* GIT_ASKPASS GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_PAGER GIT_PROXY_COMMAND GIT_EXTERNAL_DIFF \
         GIT_EXEC_PATH GIT_CONFIG* GIT_TEMPLATE_DIR GIT_DIR GIT_WORK_TREE",
    ),
    ("clients of a proxy", "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY"),
];

/// Who reads this variable itself.
fn decided_by(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    if name.starts_with("OAUTHCTL_") && !name.ends_with("_TOKEN") {
        return Some("this program");
    }
    let is = |one: &str| one.strip_suffix('*').map_or(name == one, |start| name.starts_with(start));
    DECIDE_WHAT_RUNS.iter().find(|(_, names)| names.split(' ').any(is)).map(|(who, _)| *who)
}

/// What a variable gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gets {
    Token,
    Descriptor,
    File,
    Address,
}

fn descriptor(text: &str) -> Result<(String, Option<String>), String> {
    let (number, profile) = text.split_once('=').map_or((text, None), |(number, profile)| (number, Some(profile)));
    match number.parse::<u16>() {
        Ok(3..=1023) if profile != Some("") => Ok((number.to_owned(), profile.map(str::to_owned))),
        _ => Err("write it as `N` or `N=PROFILE`, with a number from 3 to 1023".to_owned()),
    }
}

pub fn run(args: &RunArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let all = wanted(args)?;
    let (now, kept): (Vec<Wanted>, Vec<Wanted>) = all.into_iter().partition(|wanted| wanted.gets < Gets::File);
    // the companion is forked before there is a thread, or a secret in memory
    let mut environment = if kept.is_empty() { Vec::new() } else { accompany(world, (args, global), &kept)? };
    for Wanted { profile, variables, gets } in now {
        let mut session = open(world, (args, global), profile)?;
        let min_ttl = seconds(args);
        let obtain = if args.id_token { fresh_id_token } else { fresh };
        let set = obtain(world, &mut session, FreshnessPolicy { min_ttl, ..FreshnessPolicy::default() })?;
        warn_of_lifetime(world, &set, min_ttl);
        warn_of_key(world, &set);
        mask(world, set.access_token.expose());
        if gets == Gets::Descriptor {
            offer(world, &variables, set.access_token.expose())?;
            continue;
        }
        let usual = variable_name(&session.name);
        if variables.is_empty() {
            is_for_one(world, &session.name, &usual)?;
        }
        for name in if variables.is_empty() { vec![usual] } else { variables } {
            put(&mut environment, (name, set.access_token.expose()), &session.name)?;
        }
    }
    let without = withheld(world, args, &environment);
    world.programs.run_instead(&args.command, &environment, &without).map_err(|e| not_run(&args.command, e))
}

/// The socket of a lender, and where a command gets a token otherwise, variables that hold secrets:
/// it is not to find more there.
fn withheld(world: &World, args: &RunArgs, given: &[(String, OsString)]) -> Vec<String> {
    const SECRETS: [&str; 5] = ["_TOKEN", "_SECRET", "_PASSPHRASE", "_PASSWORD", "_ASSERTION"];
    let is_secret = |name: &String| name.starts_with("OAUTHCTL_") && SECRETS.iter().any(|end| name.ends_with(end));
    let otherwise = !(args.files.is_empty() && args.proxies.is_empty() && args.descriptors.is_empty());
    let is_given = |name: &String| given.iter().any(|(known, _)| known == name);
    let secrets = |name: &String| otherwise && is_secret(name) && !is_given(name);
    world.env.names().iter().filter(|name| *name == lent::VARIABLE || secrets(name)).cloned().collect()
}

fn offer(world: &World, descriptors: &[String], token: &str) -> Result<(), Error> {
    for number in descriptors {
        let offered = world.programs.offer(number.parse().unwrap_or_default(), token.as_bytes());
        offered.map_err(|e| Error::usage(format!("descriptor {number} can't hold the token")).cause(e))?;
    }
    Ok(())
}

fn open(world: &mut World, (args, global): (&RunArgs, &Global), profile: Option<String>) -> Result<Session, Error> {
    sandbox_session::open(world, WhoFlags::of(&args.target).choice(profile, global))
}

fn seconds(args: &RunArgs) -> Option<i64> {
    args.min_ttl.map(|time| time.as_secs() as i64)
}

/// A program that gets the token alone can't use it.
fn warn_of_key(world: &mut World, set: &TokenSet) {
    if is_dpop(set) {
        world.warn("this token is bound to a key (DPoP), and no API takes it without a proof: use `--proxy`");
    }
}

/// Each variable has one value.
fn put(to: &mut Vec<(String, OsString)>, (name, value): (String, &str), profile: &str) -> Result<(), Error> {
    if to.iter().any(|(known, _)| *known == name) {
        return Err(
            Error::usage(format!("`{name}` would hold two values")).hint(format!("--env VARIABLE={}", pasted(profile)))
        );
    }
    to.push((name, value.into()));
    Ok(())
}

/// Starts the companion; the variables that it gives.
fn accompany(
    world: &mut World,
    (args, global): (&RunArgs, &Global),
    kept: &[Wanted],
) -> Result<Vec<(String, OsString)>, Error> {
    if args.id_token && kept.iter().any(|wanted| wanted.gets == Gets::Address) {
        return Err(Error::usage("`--proxy` adds access tokens: `--id-token` is not for it"));
    }
    let folder = match kept.iter().any(|wanted| wanted.gets == Gets::File) {
        true => Some(make_place(world)?),
        false => None,
    };
    match world.programs.companion(folder.as_deref()) {
        Companion::Unsupported => {
            let _ = folder.map(std::fs::remove_dir_all);
            Err(Error::usage("`--file` and `--proxy` need Linux")
                .hint("`oauthctl proxy` serves the same address from another terminal"))
        }
        Companion::Starter(mut told) => {
            let mut words = Zeroizing::new(Vec::new());
            let read = told.read_to_end(&mut words).ok();
            let told: Option<Result<Vec<(String, String)>, Error>> =
                read.and_then(|_| serde_json::from_slice(&words).ok());
            let died = || Error::new(Kind::TryLater, "the process that keeps the tokens fresh was ended");
            Ok(told.ok_or_else(died)??.into_iter().map(|(name, value)| (name, value.into())).collect())
        }
        Companion::Here(here) => {
            let mut keeper = Keeper::new();
            let made = fill(world, (args, global), (kept, folder.as_deref()), &mut keeper);
            let words = Zeroizing::new(serde_json::to_vec(&made).unwrap_or_default());
            (here.tell)(&words);
            if made.is_ok() {
                let (to, ended) = (keeper.events(), here.ended);
                // without that thread, the end of the command could not be noticed
                let waits = std::thread::Builder::new().name("command".to_owned()).spawn(move || {
                    ended();
                    to.send(Event::Ended)
                });
                let _ = waits.map(|_| keeper.run(world));
            }
            let _ = folder.map(std::fs::remove_dir_all);
            (here.exit)();
            Ok(Vec::new())
        }
    }
}

/// Makes the folder for token files, in memory where the system offers that. Those of runs that
/// were killed with their companions go.
fn make_place(world: &mut World) -> Result<PathBuf, Error> {
    let candidates = [world.env.runtime_dir(), Some("/dev/shm".into()), Some(world.env.temp_dir())];
    let name = format!("{PLACE}{}-{}", std::process::id(), random_hex(world));
    let mut failed = None;
    for base in candidates.into_iter().flatten().filter(|base| base.is_dir()) {
        sweep(&base);
        match make_folder(&base.join(&name)) {
            Ok(_) => return Ok(base.join(&name)),
            Err(e) => failed = Some(e),
        }
    }
    let error = Error::new(Kind::Store, "no folder can be made for the token");
    Err(match failed {
        Some(e) => error.cause(e),
        None => error.because("there is no folder for temporary files"),
    })
}

const PLACE: &str = "oauthctl-run-";

/// A folder's name begins with the process id of its command.
fn sweep(base: &Path) {
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PLACE)?.split('-').next());
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            // another user's stays
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The companion's part: files and addresses, in their variables.
fn fill(
    world: &mut World,
    (args, global): (&RunArgs, &Global),
    (kept, folder): (&[Wanted], Option<&Path>),
    keeper: &mut Keeper,
) -> Result<Vec<(String, String)>, Error> {
    let mut made: Vec<(String, OsString)> = Vec::new();
    for (number, Wanted { profile, variables, gets }) in kept.iter().enumerate() {
        let session = open(world, (args, global), profile.clone())?;
        let name = session.name.clone();
        let value = match gets {
            Gets::Address => keeper.serve(world, session, (None, args.allow.clone()))?,
            _ => {
                let path = folder.unwrap_or(Path::new("")).join(format!("token-{number}"));
                let text = path.to_string_lossy().into_owned();
                let set = keeper.write(world, TokenFile::new(path, session, seconds(args), args.id_token))?;
                warn_of_key(world, &set);
                Secret::unlisted(text)
            }
        };
        for variable in variables {
            put(&mut made, (variable.clone(), value.expose()), &name)?;
        }
    }
    Ok(made.into_iter().map(|(name, value)| (name, value.to_string_lossy().into_owned())).collect())
}

/// Another `oauthctl` below the command would take the token for that of a profile whose variable
/// has the same name.
fn is_for_one(world: &World, profile: &str, variable: &str) -> Result<(), Error> {
    let dir = Paths::find(&*world.env).config.unwrap_or_default();
    let profiles = Config::load(&dir)?.profiles;
    match profiles.keys().find(|other| *other != profile && variable_name(other) == variable) {
        None => Ok(()),
        Some(other) => {
            Err(Error::usage(format!("`{variable}` is the variable of `{}` and of `{}`", safe(profile), safe(other)))
                .hint(format!("--env VARIABLE={}", pasted(profile))))
        }
    }
}

/// A profile, and the variables that get its token, a file or an address; where none is named, the
/// usual one gets the token.
#[derive(Debug)]
struct Wanted {
    profile: Option<String>,
    gets: Gets,
    variables: Vec<String>,
}

/// Each profile once for each kind.
fn wanted(args: &RunArgs) -> Result<Vec<Wanted>, Error> {
    let mut all: Vec<Wanted> = Vec::new();
    let own = args.profiles.first().cloned();
    let kinds = [
        ("--env", Gets::Token, &args.variables),
        ("--fd", Gets::Descriptor, &args.descriptors),
        ("--file", Gets::File, &args.files),
        ("--proxy", Gets::Address, &args.proxies),
    ];
    for (flag, gets, variables) in kinds {
        for (name, profile) in variables {
            if profile.is_none() && args.profiles.len() > 1 {
                return Err(Error::usage(format!("`{flag} {name}` is for one profile, and there are several"))
                    .hint(format!("{flag} {name}={}", safe(&args.profiles[0]))));
            }
            let profile = profile.clone().or_else(|| own.clone());
            match all.iter_mut().find(|known| known.profile == profile && known.gets == gets) {
                Some(known) => known.variables.push(name.clone()),
                None => all.push(Wanted { profile, gets, variables: vec![name.clone()] }),
            }
        }
    }
    let nothing = args.profiles.is_empty() && all.is_empty();
    for profile in args.profiles.iter().cloned().map(Some).chain(nothing.then_some(None)) {
        if all.iter().all(|known| known.profile != profile) {
            all.push(Wanted { profile, gets: Gets::Token, variables: Vec::new() });
        }
    }
    // scopes and services are those of one server
    let of_token = WhoFlags::of(&args.target).profile.options();
    match (of_token.first(), all.windows(2).find(|two| two[0].profile != two[1].profile)) {
        (Some((flag, _)), Some(_)) => Err(Error::usage(format!("`{flag}` is for one profile, and there are several"))
            .hint(format!(
                "a `run` in another gives the second token: oauthctl run ONE {flag} … -- oauthctl run TWO -- COMMAND"
            ))),
        _ => Ok(all),
    }
}
