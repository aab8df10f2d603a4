//! One test binary; a file per verb or topic, reading as what a person types and sees, and the promises that several rooms share.

mod bad_input;
mod binary;
mod call;
mod completions;
mod configuration;
mod doctor;
mod errors;
mod house;
mod keychain_real;
mod list;
mod login;
mod logout;
mod profile;
mod provider;
mod providers;
mod refresh;
mod store_contract;
mod token;
mod world;
