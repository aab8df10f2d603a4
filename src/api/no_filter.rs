//! `--jq` in a build without the feature `jq`: an error that says so.

use std::convert::Infallible;

use super::value::Val;
use crate::error::Error;

/// There is none.
pub struct Filter(Infallible);

impl Filter {
    /// Always an error.
    pub fn new(_code: &str) -> Result<Filter, Error> {
        Err(Error::usage("this build of oauthctl has no `--jq`: its feature `jq` was left out")
            .hint("build it with the default features, or pipe the answer to `jq`"))
    }

    /// Never reached.
    pub fn run(&self, _input: Val, _each: &mut dyn FnMut(Val) -> Result<bool, Error>) -> Result<bool, Error> {
        match self.0 {}
    }

    /// Never reached.
    pub fn said(&self) -> Vec<String> {
        match self.0 {}
    }
}
