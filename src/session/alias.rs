//! A provider's aliases. `cc` means the profile `constantcontact`, in every command and in the
//! names of variables. A profile that is really called `cc`, configured or stored, comes first.

use std::path::Path;

use super::lease;
use super::stores::{store_kind, store_of};
use super::{Overrides, Paths};
use crate::config::{self, Config, Profile};
use crate::error::Error;
use crate::store::environment::{PROFILE_VARIABLES, upper};
use crate::store::lent;
use crate::store::{StoreError, StoreKind};
use crate::text::{pasted, safe};
use crate::world::World;

/// What a command says of its profile, and where that is looked up.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub choice: &'a Overrides,
    pub paths: &'a Paths,
}

/// The profile that an alias means. `config` is the configuration for that word.
pub(super) fn meant(world: &mut World, search: Search<'_>, word: &str, config: &Config) -> Option<String> {
    if config.profiles.contains_key(word) {
        return None;
    }
    let dir = search.paths.config.as_deref().unwrap_or(Path::new(""));
    let said = search.choice.flags.provider.as_deref();
    if let Some(said) = said {
        // with `--provider` a word is a new profile's name, unless it is that provider's alias
        if !config::aliases(dir, said).iter().any(|alias| alias == word) {
            return None;
        }
    }
    // a fault in the person's own files is reported when the provider is needed
    let id = config::provider_by_alias(dir, word).ok()??;
    let other = said.is_some_and(|said| !config::same_provider(dir, said, &id));
    (!other && !is_stored(world, search, word, config)).then_some(id)
}

/// Whether a record is stored under that word: of a job, or of an older version.
fn is_stored(world: &mut World, Search { choice, paths }: Search<'_>, word: &str, config: &Config) -> bool {
    let Ok(kind) = store_kind(world, choice, &Profile::default(), config) else { return false };
    let Ok(store) = store_of(world, kind, paths) else { return false };
    // as in `fresh`: GNOME Keyring aborts when many processes read at once
    let _turn = match kind {
        StoreKind::Keychain | StoreKind::Program(_) if !store.scope().is_empty() => {
            lease::acquire(world, paths, &store, word).ok()
        }
        _ => None,
    };
    match store.load(word) {
        Ok(record) => record.is_some(),
        Err(e) => matches!(e, StoreError::Corrupt { .. }),
    }
}

/// The words that stand for a profile in variables (`OAUTHCTL_<WORD>_TOKEN`), its own first. Files
/// are read only if there are variables with other words. `typed`: the alias that was typed.
pub(super) fn words(world: &mut World, search: Search<'_>, name: &str, typed: Option<&str>) -> Vec<String> {
    let mut words = vec![upper(name)];
    let said = said_of_others(world, &words[0]);
    if said.is_empty() {
        return words;
    }
    let dir = search.paths.config.clone().unwrap_or_default();
    for alias in config::aliases(&dir, name).iter().filter(|alias| said.contains(&upper(alias))) {
        let means_it = typed == Some(alias.as_str()) || {
            let config = Config::load_for(&dir, alias).unwrap_or_default();
            let mut choice = search.choice.clone();
            choice.flags.provider = None;
            meant(world, Search { choice: &choice, ..search }, alias, &config).as_deref() == Some(name)
        };
        if means_it {
            words.push(upper(alias));
        }
    }
    words
}

/// An error where a variable brings a secret for this profile and for one at another provider.
pub(super) fn is_sole(world: &World, paths: &Paths, (name, word): (&str, &str), config: &Config) -> Result<(), Error> {
    let named = |what: &str| Some(format!("OAUTHCTL_{word}_{what}")).filter(|name| world.env.var(name).is_some());
    let variable = ["TOKEN", "CLIENT_SECRET"].into_iter().find_map(named);
    let Some((variable, profile)) = variable.zip(config.profiles.get(name)) else { return Ok(()) };
    let dir = paths.config.as_deref().unwrap_or(Path::new(""));
    let own = profile.provider.as_deref().unwrap_or(name);
    let others = Config::names(dir, "").into_iter().filter(|(other, _)| other != name && upper(other) == word);
    let mut others = others.map(|(other, provider)| (provider.unwrap_or_else(|| other.clone()), other));
    let Some((_, other)) = others.find(|(provider, _)| !config::same_provider(dir, provider, own)) else {
        return Ok(());
    };
    Err(Error::usage(format!("the variable {variable} is for two profiles: `{}` and `{}`", safe(name), safe(&other)))
        .because("they are at two providers, and a secret is for one")
        .hint(format!("give one another name: `oauthctl profile rename {} NAME`", pasted(&other))))
}

/// The words in the names of variables, but for this one.
fn said_of_others(world: &World, own: &str) -> Vec<String> {
    let word = |name: &String| {
        let rest = name.strip_prefix("OAUTHCTL_")?;
        let word = PROFILE_VARIABLES.iter().find_map(|what| rest.strip_suffix(what)?.strip_suffix('_'))?;
        (!word.is_empty() && word != own).then(|| word.to_owned())
    };
    world.env.names().iter().filter_map(word).collect()
}

/// The word for a profile in variables, where the fast path may answer: no variable brings a token
/// or a socket, wants it masked, or is another profile's.
pub fn plain_word(world: &World, profile: &str) -> Option<String> {
    let own = upper(profile);
    let set = |name: &str| world.env.var(name).is_some();
    let whole = set("GITHUB_ACTIONS") || set(lent::VARIABLE) || set(&format!("OAUTHCTL_{own}_TOKEN"));
    (!whole && said_of_others(world, &own).is_empty()).then_some(own)
}
