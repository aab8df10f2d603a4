//! `sandbox`: practice without an account, with a server inside this binary.

use std::ffi::OsString;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use clap::Subcommand;

use crate::command::sandbox_session::VARIABLE;
use crate::command::{not_run, print, without_port};
use crate::config::words::{Words, none_of};
use crate::error::{Error, Kind};
use crate::provider::catalogue;
use crate::sandbox::{Manners, Options, Server, StartError, provider_overrides};
use crate::world::World;

#[derive(Debug, Subcommand)]
pub enum SandboxVerb {
    /// Serve a practice server with the manners of a provider, on loopback, until interrupted.
    #[command(after_help = "Examples:
  oauthctl sandbox serve --as getresponse --port 8080")]
    Serve {
        /// The provider to imitate.
        #[arg(long = "as", value_name = "PROVIDER", default_value = "sandbox", value_parser = MANNERS)]
        manners: Manners,
        /// The port; any free one if none is given.
        #[arg(long)]
        port: Option<u16>,
        /// Another redirect URL for the practice app; may be given several times.
        #[arg(long = "redirect-uri", value_name = "URL", value_parser = address)]
        redirect_uris: Vec<String>,
        /// The lifetime of an access token.
        #[arg(long, value_name = "TIME", value_parser = super::duration)]
        access_life: Option<Duration>,
        /// Leave lifetime and scopes to the token's claims (Constant Contact).
        #[arg(long)]
        claims_only: bool,
        /// The delay of each response.
        #[arg(long, value_name = "MILLISECONDS")]
        latency: Option<u64>,
    },
    /// Run a command, or a shell, in which the names of five providers mean practice servers.
    #[command(after_help = "Examples:
  oauthctl sandbox run
  oauthctl sandbox run -- oauthctl provider list")]
    Run {
        /// The command and its arguments [default: `sh`, a shell to practise in]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
}

const MANNERS: Words<Manners> = Words {
    read: |text| {
        let name = catalogue::find(text).map_or(text, |(name, _)| name);
        Manners::from_name(name).ok_or_else(|| none_of(text, &Manners::ALL.map(Manners::name)))
    },
    known: &[
        ("sandbox", "the practice server's own"),
        ("getresponse", "GetResponse"),
        ("verticalresponse", "VerticalResponse, classic"),
        ("verticalresponse-vr2", "VerticalResponse, VR2"),
        ("constantcontact", "Constant Contact"),
    ],
};

fn address(text: &str) -> Result<String, String> {
    url::Url::parse(text).map(|_| text.to_owned()).map_err(|e| e.to_string())
}

impl From<StartError> for Error {
    fn from(e: StartError) -> Error {
        let error = match e {
            StartError::Listen(e) => without_port(e),
            StartError::State { .. } => {
                Error::of(Kind::Store, e).hint("fix the permissions, or name another folder with OAUTHCTL_STATE_DIR")
            }
            StartError::Thread(_) => Error::of(Kind::TryLater, e),
        };
        error.context("the practice server can't be started")
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
            if let Some(life) = access_life.map(|life| life.as_secs() as i64) {
                options.access_life = Some(life);
                options.client_credentials_life = life;
            }
            options.latency = Duration::from_millis(latency.unwrap_or(0));
            serve(world, options)
        }
        SandboxVerb::Run { mut command } => {
            if command.is_empty() {
                command.push(if cfg!(windows) { "cmd" } else { "sh" }.into());
            }
            run_command(world, &command)
        }
    }
}

/// Prints the provider file of this server to stdout, ready for a configuration.
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

/// Runs the command with a configuration folder in which the built-in names mean practice servers.
fn run_command(world: &mut World, command: &[OsString]) -> Result<u8, Error> {
    let folder = world.env.temp_dir().join(format!("oauthctl-sandbox-{}", crate::session::random_hex(world)));
    // from here on a signal doesn't end this process, so that the folder is removed
    let (signals, heard) = channel();
    world.signals.watch(signals);
    let made = crate::world::files::make_folder(&folder.join("config/providers")).map_err(unwritten);
    let result = made.and_then(|_| run_in(world, command, &folder, &heard));
    let _ = std::fs::remove_dir_all(&folder);
    world.signals.release();
    result
}

fn unwritten(e: impl Into<anyhow::Error>) -> Error {
    Error::new(Kind::Store, "the practice configuration can't be written").cause(e)
}

fn run_in(world: &mut World, command: &[OsString], folder: &Path, heard: &Receiver<i32>) -> Result<u8, Error> {
    let mut servers = Vec::new();
    for manners in Manners::ALL {
        let server = Server::start(Options::new(manners), world.clock.clone(), &*world.random)?;
        let file = folder.join("config/providers").join(format!("{}.toml", manners.name()));
        std::fs::write(file, provider_overrides(&server.base(), manners)).map_err(unwritten)?;
        servers.push((manners, server));
    }
    world.say("Here these names mean practice servers. In a browser, each shows its apps:");
    for (manners, server) in &servers {
        world.say(&format!("  {:22} {}", manners.name(), server.base()));
    }
    world.say("Client id: practice-client, client secret: practice-secret. Try: oauthctl login getresponse");
    if is_shell(world, command) {
        world.say("`exit` ends the practice, and deletes everything stored here.");
    }
    let environment = environment(world, command, folder);
    if let Ok(signal) = heard.try_recv() {
        return Ok(ended_by(signal));
    }
    // from here on a signal is for the command, and this process ends with it
    world.programs.run(command, &environment).map_err(|e| not_run(command, e))
}

/// Whether the command is a shell for a user to type into.
fn is_shell(world: &World, command: &[OsString]) -> bool {
    let [program] = command else { return false };
    let name = Path::new(program).file_name().and_then(|name| name.to_str());
    let shells = ["sh", "ash", "bash", "dash", "ksh", "zsh"];
    name.is_some_and(|name| shells.contains(&name)) && world.terminal.stdin_is_terminal()
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
        // the prompt of a shell without settings
        environment.push(("PS1".to_owned(), OsString::from("(practice) $ ")));
    }
    environment
}

pub(super) fn ended_by(signal: i32) -> u8 {
    if signal == 2 { Kind::Interrupted.exit_code() } else { Kind::Terminated.exit_code() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_that_is_imitated_is_explained() {
        let names: Vec<&str> = MANNERS.known.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, Manners::ALL.map(Manners::name));
    }
}
