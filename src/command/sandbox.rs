//! `sandbox`: practice without an account anywhere, against a server inside this binary.

use std::ffi::OsString;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use clap::Subcommand;

use crate::command::practice::VARIABLE;
use crate::command::{print, values};
use crate::error::{Error, Kind};
use crate::sandbox::{Manners, Options, Server, StartError, provider_overrides};
use crate::world::World;
use crate::world::http_server::loopback::ListenError;

#[derive(Debug, Subcommand)]
pub enum SandboxVerb {
    /// Serve the manners of a provider on loopback until interrupted, for others to test against.
    #[command(after_help = "Examples:
  oauthctl sandbox serve --as getresponse --port 8080")]
    Serve {
        /// Whose manners.
        #[arg(long = "as", value_name = "PROVIDER", default_value = "sandbox", value_parser = values::manners())]
        manners: Manners,
        /// The port; any free one if none is given.
        #[arg(long)]
        port: Option<u16>,
        /// A redirect URL registered for the practice app beside the usual ones; may be given
        /// several times.
        #[arg(long = "redirect-uri", value_name = "URL", value_parser = address)]
        redirect_uris: Vec<String>,
        /// How long an access token lives.
        #[arg(long, value_name = "TIME", value_parser = super::duration)]
        access_life: Option<Duration>,
        /// Leave lifetime and scopes out of the token answer, where the token's own claims tell
        /// them (Constant Contact).
        #[arg(long)]
        claims_only: bool,
        /// How long each answer takes.
        #[arg(long, value_name = "MILLISECONDS")]
        latency: Option<u64>,
    },
    /// Run a command, or a shell, in which the providers' names mean practice servers.
    #[command(after_help = "Examples:
  oauthctl sandbox run
  oauthctl sandbox run -- oauthctl provider list")]
    Run {
        /// The command and its arguments [default: `sh`, a shell to practise in]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
}

fn address(text: &str) -> Result<String, String> {
    url::Url::parse(text).map(|_| text.to_owned()).map_err(|e| e.to_string())
}

impl From<StartError> for Error {
    fn from(e: StartError) -> Error {
        let error = Error::new(Kind::TryLater, "the practice server can't be started").cause(&e);
        match e {
            StartError::Listen(ListenError::PortTaken { .. } | ListenError::Reserved(_)) => {
                error.hint("another port with `--port`; without it any free one is taken")
            }
            StartError::Listen(e) => Error { hints: Error::from(e).hints, ..error },
            StartError::State { .. } => Error { kind: Kind::Store, ..error }
                .hint("mend the permissions, or name another folder with OAUTHCTL_STATE_DIR"),
            StartError::Thread(_) => error,
        }
    }
}

pub fn run(verb: SandboxVerb, world: &mut World) -> Result<u8, Error> {
    match verb {
        SandboxVerb::Serve { manners, port, redirect_uris, access_life, claims_only, latency } => {
            let mut options = Options::new(manners);
            options.port = port;
            options.claims_only = claims_only;
            for client in &mut options.clients {
                client.redirects.also(&redirect_uris);
            }
            if let Some(life) = access_life {
                options.access_life = Some(life.as_secs() as i64);
                options.client_credentials_life = life.as_secs() as i64;
            }
            options.latency = Duration::from_millis(latency.unwrap_or(0));
            serve(world, options)
        }
        SandboxVerb::Run { command } if command.is_empty() => {
            run_command(world, &[if cfg!(windows) { "cmd" } else { "sh" }.into()])
        }
        SandboxVerb::Run { command } => run_command(world, &command),
    }
}

/// The provider file for this server goes to stdout, so that it can be put into a configuration as
/// it is.
fn serve(world: &mut World, options: Options) -> Result<u8, Error> {
    let manners = options.manners;
    let clients = options.clients.clone();
    let server = Server::start(options, world.clock.clone(), &*world.random)?;
    let (signals, waiting) = channel();
    world.signals.watch(signals);
    world.say(&format!("{} listens on {} until Ctrl-C", manners.behaviour().practice_name(), server.base()));
    for client in &clients {
        world.say(&format!("  app: {}, {}", client.in_words(), client.redirects.in_words()));
    }
    for fact in manners.behaviour().not_verified {
        world.say(&format!("  not verified: {fact}"));
    }
    world.say(&format!(
        "Its provider file follows on standard output: as `providers/{0}.toml` in the configuration folder it makes `{0}` mean this server.",
        manners.name()
    ));
    print(world, provider_overrides(&server.base(), manners).as_bytes())?;
    let signal = waiting.recv().unwrap_or(15);
    world.signals.release();
    drop(server);
    Ok(ended_by(signal))
}

/// No variable of this program's own is needed: the command gets a configuration folder in which
/// the built-in names stand for the practice servers.
fn run_command(world: &mut World, command: &[OsString]) -> Result<u8, Error> {
    let folder = world.env.temp_dir().join(format!("oauthctl-sandbox-{}", crate::session::random_hex(world)));
    let failed = |e: std::io::Error| Error::new(Kind::Store, "the practice configuration can't be written").cause(e);
    // from here on nothing ends this process but the command's own end, so that the folder doesn't
    // stay
    let (signals, heard) = channel();
    world.signals.watch(signals);
    let made = crate::world::files::make_folder(&folder.join("config/providers"));
    let result =
        made.map_err(|e| failed(std::io::Error::other(e))).and_then(|_| run_in(world, command, &folder, &heard));
    let _ = std::fs::remove_dir_all(&folder);
    world.signals.release();
    result
}

fn run_in(world: &mut World, command: &[OsString], folder: &Path, heard: &Receiver<i32>) -> Result<u8, Error> {
    let failed = |e: std::io::Error| Error::new(Kind::Store, "the practice configuration can't be written").cause(e);
    let mut servers = Vec::new();
    for manners in Manners::ALL {
        let server = Server::start(Options::new(manners), world.clock.clone(), &*world.random)?;
        let file = folder.join("config/providers").join(format!("{}.toml", manners.name()));
        std::fs::write(file, provider_overrides(&server.base(), manners)).map_err(failed)?;
        servers.push((manners, server));
    }
    world.say("Here the providers' names mean practice servers. Opened in a browser, each shows its apps:");
    for (manners, server) in &servers {
        world.say(&format!("  {:22} {}", manners.name(), server.base()));
    }
    world.say("Client id: practice-client, client secret: practice-secret. Try: oauthctl login getresponse");
    if is_shell(world, command) {
        world.say("`exit` ends the practice, and with it all that was stored here.");
    }
    let environment = environment(world, command, folder);
    if let Ok(signal) = heard.try_recv() {
        return Ok(ended_by(signal));
    }
    // from here on a signal is for the command; this process ends when it does
    world.programs.run(command, &environment).map_err(|e| {
        Error::usage(format!("`{}` can't be run", crate::text::safe(&command[0].to_string_lossy()))).cause(e)
    })
}

/// A shell that a person is going to type into.
fn is_shell(world: &World, command: &[OsString]) -> bool {
    let name = command.first().map(Path::new).and_then(Path::file_name).and_then(|name| name.to_str());
    command.len() == 1
        && name.is_some_and(|name| ["sh", "ash", "bash", "dash", "ksh", "zsh"].contains(&name))
        && world.terminal.stdin_is_terminal()
}

fn environment(world: &World, command: &[OsString], folder: &Path) -> Vec<(String, OsString)> {
    let mut environment = vec![
        ("OAUTHCTL_CONFIG_DIR".to_owned(), folder.join("config").into_os_string()),
        ("OAUTHCTL_STATE_DIR".to_owned(), folder.join("state").into_os_string()),
        ("OAUTHCTL_STORE".to_owned(), OsString::from("file")),
        (VARIABLE.to_owned(), OsString::from("1")),
    ];
    environment.extend(world.programs.path_with_own(&folder.join("bin")).map(|path| ("PATH".to_owned(), path)));
    if is_shell(world, command) {
        // what a shell without settings of its own shows; it stays after `clear`
        environment.push(("PS1".to_owned(), OsString::from("(practice) $ ")));
    }
    environment
}

fn ended_by(signal: i32) -> u8 {
    if signal == 2 { Kind::Interrupted.exit_code() } else { Kind::Terminated.exit_code() }
}
