//! The modules of `oauthctl`, in levels.
//!
//! A module may use the levels below it, never one above or another module of its own level
//! (`tests/it/house.rs` checks this). Parts of one module may use each other, but not in a circle.
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
//! 1  text      address   stored
//! 0  secret
//! ```
//!
//! * `command`: the commands, their arguments and output, a file each. `sandbox`: the practice
//!   authorization server.
//! * `session`: the life of a profile's token: load, check, refresh under the lock, store. `api`:
//!   the work of `call`.
//! * `grant`: the ways to obtain a token. `error`: the one error for users, with hints and exit
//!   codes.
//! * `config`: profiles, which name their store, and the user's own providers. `store`: where
//!   tokens are stored.
//! * `world`: the interfaces to everything outside. `protocol`: the rules of the RFCs, without I/O.
//! * `provider`: facts about servers, as data. `layers`: TOML files with the places of their keys,
//!   laid over each other.
//! * `address`: the addresses that a secret may go to. `stored`: how records are read and written.
//!   `token`, `wire`, `secret`, `text`: the types shared by all levels.
//!
//! Data flows one way. `login`: `command` parses, `session` resolves profile and provider, a grant
//! obtains the token (bind, open, wait, judge, exchange), `session` stores it, and only then the
//! browser gets the last page. `token`: the kernel's copy, else the store, else a refresh under the
//! lock. `call`: a fresh token, a host that the provider names, the response streamed.
//!
//! An id like `T-61` in a comment is a row of `tests/real/rows.txt`: a fault or an attack that the
//! program withstands.

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
pub mod stored;
pub mod text;
pub mod token;
pub mod wire;
pub mod world;

pub use command::run;
