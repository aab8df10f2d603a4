//! One test binary; a file per verb or topic, reading as what a person types and sees, and the promises that several rooms share.

mod configuration;
mod fuzz_corpus;
mod fuzz_targets;
mod keychain_real;
mod loopback;
mod login;
mod providers;
mod readme;
mod renewal;
mod store_contract;
mod world;
