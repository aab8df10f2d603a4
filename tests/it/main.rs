//! One test binary; a file per verb or topic, reading as what a person types and sees, and the promises that several rooms share.

mod bad_input;
mod binary;
mod call;
mod completions;
mod configuration;
mod doctor;
mod errors;
mod fuzz_corpus;
mod fuzz_targets;
mod house;
mod id_token;
mod keychain_real;
mod list;
mod login;
mod logout;
mod loopback;
mod profile;
mod provider;
mod providers;
mod readme;
mod refresh;
mod renewal;
mod revocation;
mod store_contract;
mod token;
mod world;
