//! One test binary; a file per verb or topic, reading as what a person types and sees, and the promises that several rooms share.

mod configuration;
mod keychain_real;
mod login;
mod providers;
mod store_contract;
mod world;
