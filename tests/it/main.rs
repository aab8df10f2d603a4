//! One test binary: what a person types and sees, and the promises that several rooms of the house share.

mod keychain_real;
mod store_contract;
