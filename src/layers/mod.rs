//! TOML files as layers: a tree that keeps the place of every key ([`tree`]), structures read from
//! it by serde ([`de`]) and written as dotted keys ([`ser`]).

pub mod de;
pub mod ser;
pub mod tree;
