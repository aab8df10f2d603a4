//! One test binary; a file per topic, reading as what a person types and sees, and the promises that several rooms share.

mod configuration;
mod fuzz_corpus;
mod fuzz_targets;
mod keychain_real;
mod loopback;
mod providers;
mod store_contract;
