//! `helper`: the credential source of other programs, each by its own protocol, a file each.
//!
//! A protocol is a reader and a writer. Which profile may answer, and with which token, is decided
//! for all of them in `chosen`.

mod cargo;
mod chosen;
mod docker;
mod git;

use std::ffi::OsString;

use clap::Subcommand;

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
}

pub fn run(verb: HelperVerb, global: &Global, world: &mut World) -> Result<u8, Error> {
    match verb {
        HelperVerb::Git(args) => git::run(&args, global, world),
        HelperVerb::Docker(args) => docker::run(&args, global, world),
        HelperVerb::Cargo(args) => cargo::run(&args, global, world),
    }
}

/// The command line that is meant: cargo starts any provider with one word of its own.
pub fn meant(args: Vec<OsString>) -> Vec<OsString> {
    match &args[..] {
        [program, word] if word == "--cargo-plugin" => vec![program.clone(), "helper".into(), "cargo".into()],
        _ => args,
    }
}
