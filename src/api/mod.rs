//! What `call` does: which hosts the token may go to, the request made from what was typed, the answer.

pub mod hosts;
pub mod items;
pub mod whoami;
