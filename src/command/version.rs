//! `version` and `--version`: which build this is, for a report of a fault.

use std::ffi::OsString;

use crate::command::print;
use crate::error::Error;
use crate::world::World;

const SHORT: &str = concat!("oauthctl ", env!("CARGO_PKG_VERSION"), "\n");

/// `build.rs` sets the variables.
const WHOLE: &str = concat!(
    "oauthctl ",
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("BUILT_COMMIT"),
    "\ntarget: ",
    env!("BUILT_TARGET"),
    "\nfeatures: ",
    env!("BUILT_FEATURES"),
    "\ncompiler: ",
    env!("BUILT_COMPILER"),
    "\n"
);

pub fn run(world: &mut World) -> Result<u8, Error> {
    print(world, WHOLE.as_bytes())?;
    Ok(0)
}

/// What a command line with `--version` prints: clap stops at it, before or after `--verbose`.
pub fn text(args: &[OsString]) -> &'static str {
    let short = |arg: &str| !arg.starts_with("--") && arg.starts_with('-') && arg.contains('v');
    match args.iter().filter_map(|arg| arg.to_str()).any(|arg| arg == "--verbose" || short(arg)) {
        true => WHOLE,
        false => SHORT,
    }
}
