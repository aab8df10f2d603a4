//! `helper`: the credential source of other programs, each by its own protocol, a file each.
//!
//! A protocol is a reader and a writer. Which profile may answer, and with which token, is decided
//! for all of them in `chosen`.

mod aws;
mod bazel;
mod cargo;
mod chosen;
mod docker;
mod git;
mod goauth;
mod google;
mod install;
mod keyring;
mod kubectl;
mod pnpm;
mod systemd;
mod terraform;

pub use install::tell_of;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::command::Global;
use crate::error::Error;
use crate::world::World;

#[derive(Debug, Subcommand)]
pub enum HelperVerb {
    /// Give git a token (git-credential's protocol).
    Git(git::GitArgs),
    /// Give docker, podman, skopeo and others a token (docker-credential-helpers' protocol).
    Docker(docker::DockerArgs),
    /// Give cargo a token (the credential provider protocol, version 1).
    Cargo(cargo::CargoArgs),
    /// Give kubectl a token (client-go's exec plugins).
    Kubectl(kubectl::KubectlArgs),
    /// Give go a token (GOAUTH).
    Goauth(goauth::GoauthArgs),
    /// Give pip and uv a token (the command line of Python's `keyring`).
    Keyring(keyring::KeyringArgs),
    /// Give pnpm a token (`tokenHelper`).
    Pnpm(pnpm::PnpmArgs),
    /// Give Terraform and OpenTofu a token (credentials helpers).
    Terraform(terraform::TerraformArgs),
    /// Give Bazel a token (credential helpers).
    Bazel(bazel::BazelArgs),
    /// Give Google's libraries, gcloud and bq a token (executable-sourced credentials).
    Google(google::GoogleArgs),
    /// Give the AWS SDKs and aws the keys of a role (`credential_process`).
    Aws(aws::AwsArgs),
    /// Give systemd's units a token (`LoadCredential=`).
    Systemd(systemd::SystemdArgs),
    /// Write a helper into the tool's own configuration.
    Install(install::InstallArgs),
    /// Take a helper out of the tool's configuration.
    Uninstall(install::UninstallArgs),
    /// List the helpers that are installed.
    List(install::ListArgs),
}

/// The command line of a helper, without the other commands: a program starts a helper for each
/// request, and all commands take longer to build than all the rest.
#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: HelperVerb,
}

/// Reads `oauthctl helper NAME …`. `None`: another command, or one that the whole parser has
/// something to say about. A test compares the two.
pub fn alone(args: &[OsString]) -> Option<(HelperVerb, Global)> {
    let (_program, words) = args.split_first()?;
    let Alone { global, verb } = Some(words)
        .filter(|words| words.first().is_some_and(|word| word == "helper"))
        .and_then(|words| Alone::try_parse_from(words).ok())?;
    Some((verb, global))
}

/// The longest request on standard input.
const MOST: usize = 1 << 20;

fn unread(e: impl Into<anyhow::Error>) -> Error {
    Error::usage("the request on standard input can't be read").cause(e)
}

fn only_login_stores() -> Error {
    Error::usage("only `oauthctl login` stores a token: this credential is not stored")
}

pub fn run(verb: HelperVerb, global: &Global, world: &mut World) -> Result<u8, Error> {
    match verb {
        HelperVerb::Git(args) => git::run(&args, global, world),
        HelperVerb::Docker(args) => docker::run(&args, global, world),
        HelperVerb::Cargo(args) => cargo::run(&args, global, world),
        HelperVerb::Kubectl(args) => kubectl::run(&args, global, world),
        HelperVerb::Goauth(args) => goauth::run(&args, global, world),
        HelperVerb::Keyring(args) => keyring::run(&args, global, world),
        HelperVerb::Pnpm(args) => pnpm::run(&args, global, world),
        HelperVerb::Terraform(args) => terraform::run(&args, global, world),
        HelperVerb::Bazel(args) => bazel::run(&args, global, world),
        HelperVerb::Google(args) => google::run(&args, global, world),
        HelperVerb::Aws(args) => aws::run(&args, global, world),
        HelperVerb::Systemd(args) => systemd::run(&args, global, world),
        HelperVerb::Install(args) => install::install(&args, global, world),
        HelperVerb::Uninstall(args) => install::uninstall(&args, world),
        HelperVerb::List(args) => install::list(&args, global, world),
    }
}

/// The command line that is meant: cargo starts any provider with one word of its own.
pub fn meant(args: Vec<OsString>) -> Vec<OsString> {
    match &args[..] {
        [program, word] if word == "--cargo-plugin" => vec![program.clone(), "helper".into(), "cargo".into()],
        _ => args,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Cli, Verb};

    #[test]
    fn a_helper_alone_is_read_as_among_all_commands() {
        for line in [
            "oauthctl helper git get",
            "oauthctl helper git --profile work -q store",
            "oauthctl helper docker --username x --no-cache get",
            "oauthctl helper kubectl --access-token --error-format json",
            "oauthctl helper goauth --profile work https://a.example/x",
        ] {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let (verb, global) = alone(&args).expect(line);
            let whole = Cli::try_parse_from(&args).expect(line);
            let Verb::Helper(among) = whole.verb else { panic!("{line}") };
            assert_eq!(format!("{verb:?} {global:?}"), format!("{among:?} {:?}", whole.global), "{line}");
        }
        for line in
            ["oauthctl", "oauthctl token helper", "oauthctl helper", "oauthctl helper git --help", "oauthctl helper x"]
        {
            assert!(alone(&line.split(' ').map(OsString::from).collect::<Vec<_>>()).is_none(), "{line}");
        }
    }
}
