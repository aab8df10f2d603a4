//! The HTTP servers on this machine: the listener for the redirect ([`loopback`]) and the server
//! for the practice servers ([`serve`]). They share the acceptor, the binding of a reachable port,
//! and the reader, in which every step has a bound.

mod acceptor;
mod chunks;
pub(super) mod listening;
pub mod loopback;
pub mod reader;
pub(crate) mod serve;
mod stream;
