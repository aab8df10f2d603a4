//! `--jq` in a build without the feature `jq`: an error that says so.

use serde_json::value::RawValue;

use crate::error::Error;

/// There is none.
pub enum Filter {}

impl Filter {
    /// Always an error.
    pub fn new(_code: &str, _variables: &[(String, String)]) -> Result<Filter, Error> {
        Err(Error::usage("this build of oauthctl has no `--jq`: its feature `jq` was left out")
            .hint("build it with the default features, or pipe the answer to `jq`"))
    }

    /// Never reached.
    pub fn run(&self, _: &RawValue, _: &mut Vec<Box<RawValue>>, _: &mut Vec<String>) -> Result<bool, Error> {
        match *self {}
    }
}
