//! The commands: arguments and output, one file each. [`run`] is the whole program.

mod call;
mod complete;
mod completions;
mod doctor;
mod exec_credential;
mod export;
mod habits;
mod help;
mod helper;
mod import;
mod inspect;
mod introspect;
mod keeper;
mod lend;
mod list;
mod login;
mod logout;
mod manual;
mod profile;
mod provider;
mod proxy;
mod refresh;
mod register;
mod registry;
mod run;
mod sandbox;
mod sandbox_session;
mod status;
mod store;
mod token;
mod topics;
mod usage;
mod userinfo;
mod version;
mod whoami;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use serde_json::Value;

pub use crate::session::{may_ask, no_input};
pub use help::definition;

use crate::address::issuer_meant;
use crate::api::rate_limit::Pace;
use crate::config::{Config, Profile, TokenTarget};
use crate::error::{Error, Kind};
use crate::provider::expand::open_variable;
use crate::provider::{Provider, VarFrom};
use crate::secret::redact;
use crate::session::fresh::{FreshnessPolicy, fresh, lacks_token, provider_of_token};
use crate::session::paths::Paths;
use crate::session::record::Record;
use crate::session::{Overrides, Session, lock};
use crate::store::lent;
use crate::text::{ForTerminal, safe, wrapped};
use crate::world::http_server::loopback::ListenError;
use crate::world::{Verbosity, World, files};

/// Obtains OAuth 2.0 tokens, stores and refreshes them, and calls APIs with them.
#[derive(Debug, Parser)]
#[command(name = "oauthctl", version, propagate_version = true, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  oauthctl login sandbox
  oauthctl token sandbox
  oauthctl call sandbox /me

`sandbox` needs no account; `oauthctl provider list` names the other providers.")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// Print errors only.
    #[arg(short, long, global = true, help_heading = "Everywhere", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show each step, request and response, with secrets as fingerprints.
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub verbose: bool,
    /// The format of errors.
    #[arg(long, global = true, help_heading = "Everywhere", value_enum, default_value_t = ErrorFormat::Text, value_name = "FORMAT")]
    pub error_format: ErrorFormat,
    /// Don't use the copy of the access token in the kernel's keyring.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_cache: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// Lines for a person.
    #[default]
    Text,
    /// One object, for a program.
    Json,
}

/// The `--format` of commands with a text or JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For a person.
    Text,
    /// For a program.
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Set up a provider and sign in, led by questions.
    ///
    /// Finds the provider, by a part of its name, an address, a domain or an e-mail address. Says
    /// where to register an app and which redirect URL to enter there, asks for what only you
    /// know, signs in, and shows the commands to go on with. Left at a question, it goes on there
    /// the next time. Every question has an option. In CI it prints the lines that the job needs.
    #[command(
        mut_arg("profile", |arg| arg.value_name("PROVIDER").help("The provider, by its name, address or domain; or the profile")),
        after_help = "Examples:
  oauthctl init
  oauthctl init getresponse
  oauthctl init ann@example.com"
    )]
    Init(Box<login::LoginArgs>),
    /// Sign in and store the tokens.
    Login(Box<login::LoginArgs>),
    /// Print a fresh access token, and nothing else.
    Token(token::TokenArgs),
    /// Refresh the token now.
    Refresh(refresh::RefreshArgs),
    /// Send a request to the provider's API with the token.
    Call(call::CallArgs),
    /// Take over a login of another program.
    Import(Box<import::ImportArgs>),
    /// Print a profile without its secrets, to share it.
    Export(export::ExportArgs),
    /// Ask the provider which user the token belongs to.
    Whoami(whoami::WhoamiArgs),
    /// Print the provider's claims about the user who signed in (OpenID Connect).
    Userinfo(userinfo::UserinfoArgs),
    /// Ask the provider whether the token is valid, and for its scopes and expiry.
    Introspect(introspect::IntrospectArgs),
    /// Decode a JWT and list its errors; nothing is sent.
    Inspect(inspect::InspectArgs),
    /// Register a client at a provider that supports it; show, update or delete it.
    Register(register::RegisterArgs),
    /// Revoke the tokens if the provider supports it, then delete them.
    Logout(logout::LogoutArgs),
    /// List the profiles and the state of their tokens.
    List(list::ListArgs),
    /// Try a store, unlock it, or move the records to another one.
    Store(store::StoreArgs),
    /// Show one profile in full, and the next step.
    Status(status::StatusArgs),
    /// List the providers that are known, or show one.
    #[command(
        subcommand,
        after_help = "Examples:
  oauthctl provider list
  oauthctl provider show getresponse"
    )]
    Provider(provider::ProviderVerb),
    /// Take provider files and profiles that a team keeps in a git repository or a folder.
    #[command(
        subcommand,
        after_help = "Examples:
  oauthctl registry add https://git.example.com/team/logins.git
  oauthctl registry update logins"
    )]
    Registry(registry::RegistryVerb),
    /// Change profiles without an editor.
    #[command(
        subcommand,
        after_help = "Examples:
  oauthctl profile set work scopes read
  oauthctl profile rename work office"
    )]
    Profile(profile::ProfileVerb),
    /// Run a command with fresh tokens in its environment.
    Run(run::RunArgs),
    /// Serve an address on loopback that stands for the provider's API, and adds the token.
    Proxy(proxy::ProxyArgs),
    /// Lend access tokens to another machine or a container, through a socket.
    Lend(lend::LendArgs),
    /// Hand tokens to other programs, by the protocol of each.
    ///
    /// With `--profile`, `--scope`, `--resource` and `--audience` give another token of its login.
    /// See `oauthctl help sign-in`.
    #[command(
        subcommand,
        after_help = "Examples:
  oauthctl helper install git --profile work
  oauthctl helper git --help"
    )]
    Helper(helper::HelperVerb),
    /// Check store, clock, network, browser, listener and configuration, and suggest fixes.
    Doctor(doctor::DoctorArgs),
    /// Practise with the built-in authorization server.
    #[command(
        subcommand,
        after_help = "Examples:
  oauthctl sandbox run -- sh
  oauthctl sandbox serve --as getresponse"
    )]
    Sandbox(sandbox::SandboxVerb),
    /// Print the completions for a shell.
    Completions(completions::CompletionsArgs),
    /// Suggest the next word of a command line.
    #[command(hide = true)]
    Complete(complete::CompleteArgs),
    /// Print the manual page.
    #[command(after_help = "Examples:
  oauthctl man | man -l -")]
    Man,
    /// Print the version, and the commit, target, features and compiler of this build.
    #[command(after_help = "Examples:
  oauthctl version")]
    Version,
}

/// The profile, and the flags that make one, so that a script needs no configuration.
#[derive(Args, Clone, Debug, Default)]
pub struct WhoArgs {
    /// The profile, or a provider, which makes one [default: the only one, or `default-profile`]
    #[arg(value_name = "PROFILE")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub flags: WhoFlags,
}

#[derive(Args, Clone, Debug, Default)]
pub struct WhoFlags {
    #[command(flatten)]
    pub profile: Profile,
    /// A variable of the provider (`domain=…`); may be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair, help_heading = "Profile")]
    pub vars: Vec<(String, String)>,
    /// An extra parameter of the request that the grant begins with; may be given several times.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair, help_heading = "Profile")]
    pub params: Vec<(String, String)>,
}

impl WhoFlags {
    /// The flags of a command that takes no others of a profile.
    pub fn of(target: &TokenTarget) -> WhoFlags {
        WhoFlags { profile: Profile { target: target.clone(), ..Profile::default() }, ..WhoFlags::default() }
    }

    pub fn choice(&self, profile: Option<String>, global: &Global) -> Overrides {
        let mut flags = self.profile.clone();
        flags.provider = flags.provider.map(issuer_meant);
        // for clap a missing switch is `false`
        flags.allow_private = flags.allow_private.filter(|on| *on);
        flags.proofs.dpop = flags.proofs.dpop.filter(|on| *on);
        flags.vars = self.vars.iter().cloned().collect();
        flags.params = self.params.iter().cloned().collect();
        // `--scope "a b"` means two scopes, as documents write them
        let scopes = flags.target.scopes.iter().flatten().flat_map(|s| s.split_whitespace()).map(str::to_owned);
        flags.target.scopes = Some(scopes.collect::<Vec<_>>()).filter(|scopes| !scopes.is_empty());
        Overrides {
            profile: profile.map(issuer_meant),
            implied: false,
            no_cache: global.no_cache,
            flags,
            ..Overrides::default()
        }
    }
}

impl WhoArgs {
    pub fn choice(&self, global: &Global) -> Overrides {
        self.flags.choice(self.profile.clone(), global)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as `name=value`".to_owned()),
    }
}

const AS_TIME: &str = "write it as `90s`, `5m`, `2h` or `1d`";

/// `90s`, `5m`, `2h`, `1d`, several of them in a row (`1h30m`), or seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let mut seconds = 0_u64;
    let mut rest = text;
    loop {
        let (number, more) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let number: u64 = number.parse().map_err(|_| AS_TIME.to_owned())?;
        let scale = match more.chars().next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            None if rest.len() == text.len() => 1,
            _ => return Err(AS_TIME.to_owned()),
        };
        seconds = seconds.saturating_add(number.saturating_mul(scale));
        rest = more.get(1..).unwrap_or_default();
        if seconds > LONGEST_DURATION {
            return Err("that is longer than a hundred years".to_owned());
        }
        if rest.is_empty() {
            return Ok(Duration::from_secs(seconds));
        }
    }
}

/// A timeout.
pub fn patience(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err(format!("it must be longer than zero: {AS_TIME}")),
        time => Ok(time),
    }
}

/// A timeout that `0` turns off.
pub fn patience_or_none(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Ok(Duration::from_secs(LONGEST_DURATION)),
        time => Ok(time),
    }
}

/// A hundred years, in seconds: added to a time, it can't overflow.
const LONGEST_DURATION: u64 = 36_525 * 86_400;

/// The whole program: arguments and world go in, an exit code comes out.
pub fn run(args: impl IntoIterator<Item = OsString>, world: &mut World) -> u8 {
    let args = helper::meant(args.into_iter().collect());
    if let Some(code) = token::quick(&args, world) {
        sandbox_session::mark(world);
        return code;
    }
    let cli = match token::plain(&args) {
        Some((token, global)) => Cli { global, verb: Verb::Token(token) },
        None => match parse(&args) {
            Ok(cli) => cli,
            Err(e) => {
                let told = not_understood(world, &args, &e);
                return told.unwrap_or_else(|e| report(world, &e, error_format(&args)));
            }
        },
    };
    let explains = match &cli.verb {
        Verb::Init(args) | Verb::Login(args) => args.explain,
        Verb::Token(args) => args.explain,
        _ => false,
    };
    world.verbosity = match (cli.global.quiet, cli.global.verbose) {
        _ if explains => Verbosity::Explained { steps: 0, paint: paints(world, world.terminal.stderr_is_terminal()) },
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    sandbox_session::mark(world);
    let format = cli.global.error_format;
    let done = match cli.verb {
        Verb::Token(args) => token::run(args, &cli.global, world),
        verb => other(verb, &cli.global, world),
    };
    for path in files::closed() {
        let path = safe(&path.display().to_string());
        world.warn(&format!("{path} was open to other users until now, who may have read it"));
    }
    done.unwrap_or_else(|e| report(world, &e, format))
}

fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    if let Some((verb, global)) = helper::alone(args) {
        return Ok(Cli { global, verb: Verb::Helper(verb) });
    }
    let found = definition().try_get_matches_from(args)?;
    Cli::from_arg_matches(&found).map_err(|e| e.format(&mut definition()))
}

/// Apart from `token`, the fast one: the others use 28 KB of stack, a page fault for each page.
#[inline(never)]
fn other(verb: Verb, global: &Global, world: &mut World) -> Result<u8, Error> {
    not_borrowed(&verb, world)?;
    match verb {
        Verb::Init(args) => login::run(*args, true, global, world),
        Verb::Login(args) => login::run(*args, false, global, world),
        Verb::Token(args) => token::run(args, global, world),
        Verb::Refresh(args) => refresh::run(args, global, world),
        Verb::Store(args) => store::run(args, global, world),
        Verb::Call(args) => call::run(args, global, world),
        Verb::Import(args) => import::run(&args, global, world),
        Verb::Export(args) => export::run(args, global, world),
        Verb::Whoami(args) => whoami::run(args, global, world),
        Verb::Userinfo(args) => userinfo::run(args, global, world),
        Verb::Introspect(args) => introspect::run(args, global, world),
        Verb::Inspect(args) => inspect::run(args, global, world),
        Verb::Register(args) => register::run(args, global, world),
        Verb::Logout(args) => logout::run(args, global, world),
        Verb::List(args) => list::run(args, global, world),
        Verb::Status(args) => status::run(args, global, world),
        Verb::Provider(verb) => provider::run(verb, world),
        Verb::Registry(verb) => registry::run(verb, world),
        Verb::Profile(verb) => profile::run(verb, global, world),
        Verb::Run(args) => run::run(&args, global, world),
        Verb::Proxy(args) => proxy::run(args, global, world),
        Verb::Lend(args) => lend::run(args, global, world),
        Verb::Helper(verb) => helper::run(verb, global, world),
        Verb::Doctor(args) => doctor::run(args, global, world),
        Verb::Sandbox(verb) => sandbox::run(verb, world),
        Verb::Completions(args) => completions::run(args, world),
        Verb::Complete(args) => complete::run(args, world),
        Verb::Man => completions::man(world),
        Verb::Version => version::run(world),
    }
}

/// Refuses a command on logins where another machine lends their tokens.
fn not_borrowed(verb: &Verb, world: &World) -> Result<(), Error> {
    let name = match verb {
        Verb::Init(_) => "init",
        Verb::Login(_) => "login",
        Verb::Refresh(_) => "refresh",
        Verb::Logout(_) => "logout",
        Verb::Import(_) => "import",
        Verb::Export(_) => "export",
        Verb::Register(_) => "register",
        Verb::Introspect(_) => "introspect",
        Verb::List(_) => "list",
        Verb::Store(_) => "store",
        Verb::Lend(_) => "lend",
        _ => return Ok(()),
    };
    if !lent::is_named(&*world.env) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "`{name}` is for logins of this machine, and with {} another one lends its tokens",
        lent::VARIABLE
    ))
    .hint(format!("on that machine: oauthctl {name} …"))
    .hint(format!("for a login of this machine: unset {}", lent::VARIABLE)))
}

/// Help and version go to stdout; a mistake is reported like every other error.
fn not_understood(world: &mut World, args: &[OsString], e: &clap::Error) -> Result<u8, Error> {
    let text = e.render();
    if let Some(topic) = help::topic(args, e.kind(), world) {
        print(world, topic?.as_bytes())?;
    } else if e.kind() == ErrorKind::DisplayVersion {
        // the program's version, whatever command precedes the flag
        print(world, version::text(args).as_bytes())?;
    } else if !e.use_stderr() {
        let paints = paints(world, world.terminal.stdout_is_terminal());
        print(world, if paints { text.ansi().to_string() } else { text.to_string() }.as_bytes())?;
    } else if e.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(world.err, "{text}");
        return Ok(Kind::Usage.exit_code());
    } else {
        return Err(usage::error(e, args));
    }
    Ok(0)
}

/// The format of errors, from arguments that could not be parsed.
fn error_format(args: &[OsString]) -> ErrorFormat {
    let json = args.iter().any(|a| a == "--error-format=json")
        || args.windows(2).any(|w| w[0] == "--error-format" && w[1] == "json");
    if json { ErrorFormat::Json } else { ErrorFormat::Text }
}

fn report(world: &mut World, e: &Error, format: ErrorFormat) -> u8 {
    let text = match format {
        ErrorFormat::Json => e.as_json(),
        ErrorFormat::Text => {
            let text = world.folded(&e.as_text(paints(world, world.terminal.stderr_is_terminal())));
            let body = e.body.iter().map(|body| format!("{body}\n"));
            body.chain([text]).collect()
        }
    };
    let _ = world.err.write_all(text.as_bytes());
    e.kind.exit_code()
}

/// The error for a server that `--port` gives a port, or that takes a free one.
fn without_port(e: ListenError) -> Error {
    match e {
        ListenError::PortTaken { .. } | ListenError::Reserved(_) => {
            Error::of(Kind::TryLater, e).hint("choose another port with `--port`; without it a free port is used")
        }
        e => Error { kind: Kind::TryLater, ..Error::from(e) },
    }
}

/// Colour is for terminals without `NO_COLOR`.
fn paints(world: &World, terminal: bool) -> bool {
    terminal && world.env.var("NO_COLOR").is_none() && world.env.var("TERM").as_deref() != Some("dumb")
}

/// Prints data to stdout. A closed pipe is no error: the reader needs no more data (H-25 has the
/// exception). Control characters don't reach a screen; a pipe gets all bytes.
pub fn print(world: &mut World, data: &[u8]) -> Result<(), Error> {
    let cleaned = world.terminal.stdout_is_terminal().then(|| ForTerminal::default().clean(data));
    match world.out.write_all(cleaned.as_deref().unwrap_or(data)).and_then(|()| world.out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(e) => Err(Error::new(Kind::Other, "standard output can't be written").cause(e)),
    }
}

/// A name that stands in a line of its own, or in a part of one.
fn one_line(name: &str) -> Result<String, &'static str> {
    match name.is_empty() || name.contains(char::is_control) {
        true => Err("it must be one line without control characters"),
        false => Ok(name.to_owned()),
    }
}

/// The JSON object without members that are null.
fn known(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}

/// The columns of the screen; `None`: stdout is a pipe or a file.
fn screen(world: &World) -> Option<usize> {
    world.terminal.width().filter(|_| world.terminal.stdout_is_terminal())
}

/// Folds lines for a screen between words; a continued line begins at column `hang`.
fn fitted(world: &World, text: &str, hang: usize) -> String {
    let Some(width) = screen(world) else { return text.to_owned() };
    let fold = |line: &str| wrapped(&redact(line), width, hang);
    text.split('\n').map(fold).collect::<Vec<_>>().join("\n")
}

/// Every configured profile, for a command with `--all`, which takes each as it is.
pub fn every_profile(world: &World, global: &Global, flags: &WhoFlags) -> Result<Vec<(String, Overrides)>, Error> {
    let Some(dir) = Paths::find(&*world.env).config else { return Ok(Vec::new()) };
    let own = Profile { store: flags.profile.store, ..Profile::default() };
    if let Some((option, _)) = flags.choice(None, global).options().iter().find(|(option, _)| option != "--store") {
        return Err(Error::usage(format!("`{option}` is for one profile, and `--all` takes each as it is"))
            .hint(format!("leave `{option}` out, or name the profile")));
    }
    let choice = Overrides { implied: true, no_cache: global.no_cache, flags: own, ..Overrides::default() };
    let mut names = BTreeSet::new();
    let rest = Config::each(&dir, |one| {
        names.extend(std::mem::take(&mut one.profiles).into_keys());
        Ok::<_, Error>(())
    })?;
    // each tells its own fault
    names.extend(rest.faults.into_keys());
    Ok(names.into_iter().map(|name| (name.clone(), Overrides { profile: Some(name), ..choice.clone() })).collect())
}

/// The error for a command that can't be run, with a shell's exit code.
fn not_run(command: &[OsString], e: std::io::Error) -> Error {
    let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NoCommand } else { Kind::NotRunnable };
    Error::new(kind, format!("`{}` can't be run", safe(&command[0].to_string_lossy()))).cause(e)
}

/// [`provider_of_token`], with the variables of the API's address. A job that has no token yet
/// obtains it for them.
fn provider_to_call(
    world: &mut World,
    session: &mut Session,
    whole: bool,
) -> Result<(Provider, Option<Record>), Error> {
    let (provider, record) = provider_of_token(world, session, whole)?;
    if !lacks_token(session, &provider, record.as_ref()) {
        return Ok((provider, record));
    }
    let set = fresh(world, session, FreshnessPolicy { whole: true, ..FreshnessPolicy::default() })?;
    let (provider, record) = provider_of_token(world, session, whole)?;
    if open_variable(&provider.api).is_some()
        && let Some((_, vars)) = login::account(world, session, &provider, &set)
    {
        let client = session.require_client(world, record.as_ref())?;
        session.learn(VarFrom::Whoami, &vars, &client)?;
    }
    Ok((session.provider(world, record.as_ref())?, record))
}

/// The limit on requests that all processes of the profile share.
pub fn pace(session: &Session, provider: &Provider) -> Pace {
    let name = lock::credential_name(&*session.store, &session.name);
    Pace::new(&provider.limits, session.paths.state.as_ref().map(|state| state.join("limits").join(name)))
}
