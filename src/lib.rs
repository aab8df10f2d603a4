//! The house of `oauthctl`.
//!
//! A floor may use the floors below it, never one above, never a neighbour on its own floor:
//!
//! ```text
//! 8  command   sandbox
//! 7  session   api
//! 6  grant
//! 5  error
//! 4  store     config
//! 3  world     protocol
//! 2  provider  token     wire
//! 1  secret    text
//! ```

pub mod provider;
pub mod secret;
pub mod store;
pub mod text;
pub mod token;
pub mod wire;
pub mod world;
pub mod config;
pub mod protocol;

use std::ffi::OsString;

use world::World;

/// The whole program: what was typed and the world go in, an exit code comes out.
pub fn run(_args: impl IntoIterator<Item = OsString>, _world: &mut World) -> u8 {
    unimplemented!()
}
