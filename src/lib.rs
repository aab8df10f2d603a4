//! The house of `oauthctl`.
//!
//! A floor may use the floors below it, never one above, never a neighbour on its own floor (`tests/it/house.rs` holds it to
//! that). Modules of one room may use each other.
//!
//! ```text
//! 11 command
//! 10 sandbox
//! 9  session   api
//! 8  grant
//! 7  error
//! 6  config
//! 5  store
//! 4  world     protocol
//! 3  provider
//! 2  layers    token     wire
//! 1  text      address
//! 0  secret
//! ```
//!
//! * `command`: the verbs, what is typed and what is printed, a file each. `sandbox`: the practice authorization server.
//! * `session`: the life of one profile's token: load, judge, renew under the lock, keep. `api`: what `call` does.
//! * `grant`: the ways to obtain a token. `error`: the one error a person sees, with all hints and exit codes.
//! * `config`: profiles, which name their store, and the person's own providers. `store`: where tokens rest.
//! * `world`: the doors to everything outside. `protocol`: what the RFCs say, without I/O.
//! * `provider`: facts about servers, as data. `layers`: TOML files with the places of their keys, laid over each other.
//! * `address`: the addresses that a secret may go to. `token`, `wire`, `secret`, `text`: what passes between the floors.
//!
//! Data flows one way. `login`: `command` parses, `session` resolves profile and provider, a grant acquires (bind, open, wait,
//! judge, exchange), `session` keeps, and only then does the browser hear that it is done. `token`: the kernel's copy, else the
//! store, else a renewal under the lock. `call`: a fresh token, a host that the provider names, the answer streamed.
//!
//! An id like `T-61` in a comment is a row of `tests/real/rows.txt`: a fault or an attack that the program withstands.

pub mod address;
pub mod api;
pub mod command;
pub mod config;
pub mod error;
pub mod grant;
pub mod layers;
pub mod protocol;
pub mod provider;
pub mod sandbox;
pub mod secret;
pub mod session;
pub mod store;
pub mod text;
pub mod token;
pub mod wire;
pub mod world;

pub use command::run;
