//! What a command says about its profile: by flags, and by the variables of the environment.

use crate::config::Profile;
use crate::error::Error;
use crate::world::World;

pub(super) const NOBODY: &str = "-";

/// What was typed, without the environment and the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// The profile's name.
    pub profile: Option<String>,
    /// One of all profiles, or the subject of another: variables for the named one are not for it.
    pub implied: bool,
    pub no_cache: bool,
    /// The command is a login: what an earlier login fixed may change.
    pub signing_in: bool,
    /// The command is a logout: the tokens are revoked where they were obtained.
    pub leaving: bool,
    /// The profiles whose token exchange asks for this one's token, outermost first.
    pub subject_of: Vec<String>,
    /// The flags. They override the profile.
    pub flags: Profile,
}

impl Overrides {
    /// Whether the flags say where the tokens are for.
    pub fn names_place(&self) -> bool {
        let Profile { provider, environment, vars, .. } = &self.flags;
        provider.is_some() || environment.is_some() || !vars.is_empty()
    }

    /// The options of a command line with the same meaning, with their values; never a secret.
    pub fn options(&self) -> Vec<(String, String)> {
        let mut options = self.flags.options();
        options.retain(|(name, value)| name != "--provider" || value != NOBODY);
        options
    }
}

/// Standard input is for one flag at most.
pub fn one_reads_stdin(flags: &[String]) -> Result<(), Error> {
    let [first, second, ..] = flags else { return Ok(()) };
    Err(Error::usage(format!("standard input is wanted twice: by `{first} -` and by `{second} -`"))
        .hint("give one of them as a file"))
}

/// Whether the person named this profile: by its name, by its provider, or by `OAUTHCTL_PROFILE`.
pub(super) fn is_named(world: &World, choice: &Overrides) -> bool {
    !choice.implied
        && (choice.profile.is_some() || choice.flags.provider.is_some() || world.env.var("OAUTHCTL_PROFILE").is_some())
}

/// Value and name of `OAUTHCTL_<WORD>_…`, or of `OAUTHCTL_…` where the profile is `named`.
pub(super) fn variable(world: &World, words: &[String], named: bool, what: &str) -> Option<(String, String)> {
    variable_names(words, named, what).find_map(|name| Some((world.env.var(&name)?, name)))
}

pub(super) fn variable_names(words: &[String], named: bool, what: &str) -> impl Iterator<Item = String> {
    let own = words.iter().map(move |word| format!("OAUTHCTL_{word}_{what}"));
    own.chain(named.then(|| format!("OAUTHCTL_{what}")))
}
