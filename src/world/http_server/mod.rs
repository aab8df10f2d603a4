//! What answers HTTP on this machine: the listener that catches a redirect ([`loopback`]) and the small
//! server that the practice servers stand on ([`serve`]). Both have one acceptor, one way to bind a
//! port that is reached, and one reader, whose every step has a bound.

mod acceptor;
mod chunks;
mod listening;
pub mod loopback;
pub mod reader;
pub mod serve;
mod stream;
