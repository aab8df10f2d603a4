//! The profile or provider of a guided login: a list to search in, or what an address, a domain or
//! an e-mail address leads to.

use std::path::Path;

use super::prompt::choose;
use crate::command::{may_ask, sandbox_session};
use crate::config::{self, Config};
use crate::error::Error;
use crate::grant::find::{self, Found, Place};
use crate::provider::catalogue::{self, Listed};
use crate::session::Overrides;
use crate::session::orphan::{self, Orphan};
use crate::session::paths::Paths;
use crate::session::rule;
use crate::text::{pasted, safe};
use crate::world::World;

/// Completes the choice of profile and provider, by questions where a person is there. `guided`:
/// whatever the configuration says; else only if nothing names one. Returns whether it did.
pub(super) fn find(world: &mut World, choice: &mut Overrides, guided: bool) -> Result<bool, Error> {
    let said = choice.flags.provider.is_some() || world.env.var("OAUTHCTL_PROFILE").is_some();
    if said || (choice.profile.is_some() && !guided) {
        return Ok(false);
    }
    let paths = Paths::find(&*world.env);
    // a job needs neither a home nor a configuration
    let dir = if may_ask(world) { paths.require_config()? } else { paths.config.clone().unwrap_or_default() };
    let config = Config::load(&dir)?;
    if choice.profile.is_none() && guided && !may_ask(world) {
        return Err(Error::usage("no provider is named, and there is no terminal to ask at")
            .hint("oauthctl init PROVIDER --client-id ID --client-secret-file FILE")
            .hint("`oauthctl provider list` names the providers"));
    }
    let by_rule = || rule::chosen(world, &config.when).is_some();
    let one = config.default_profile.is_some() || config.profiles.len() == 1 || by_rule();
    if choice.profile.is_none() && (!may_ask(world) || (one && !guided)) {
        return Ok(false);
    }
    let left = match may_ask(world) {
        true => orphan::all(world, &paths, paths.readable_config().as_ref(), None).0,
        false => Vec::new(),
    };
    let left: Vec<Orphan> = left.into_iter().filter(|orphan| orphan.begun).collect();
    pick(world, choice, (&dir, &config, &left))
}

/// Asks until a profile or a provider is meant.
fn pick(
    world: &mut World,
    choice: &mut Overrides,
    (dir, config, left): (&Path, &Config, &[Orphan]),
) -> Result<bool, Error> {
    let mut options = options(dir, config, left)?;
    let mut question = format!(
        "Sign in to one of these, to any of the {} known providers, or elsewhere: a part of a name, an address or an \
         e-mail address finds it",
        catalogue::all().count()
    );
    let mut typed = choice.profile.take();
    // the address that led to these providers
    let mut led: Option<(Place, Vec<(String, String)>)> = None;
    loop {
        let word = match typed.take() {
            Some(typed) => typed,
            None => choose(world, &std::mem::replace(&mut question, AGAIN.to_owned()), &options, None)?,
        };
        if let Some((place, _)) = led.as_ref().filter(|(_, found)| found.iter().any(|(name, _)| *name == word)) {
            take_vars(choice, (dir, &word), place);
        }
        if let Some(orphan) = left.iter().find(|orphan| orphan.name == word) {
            *choice = orphan.clone().choice(choice.clone());
            return Ok(true);
        }
        if is_known(dir, config, &word) {
            choice.profile = Some(word);
            return Ok(true);
        }
        if let Some(why) = broken(dir, &word).filter(|_| may_ask(world)) {
            world.lead(&format!("`{}` can't be used: {why}.", safe(&word)));
            continue;
        }
        let Some(found) = meant(world, choice, &word)? else { return Ok(true) };
        led = Place::of(&word).map(|place| (place, found.clone()));
        match &found[..] {
            // the error for a name that nobody has
            [] if !may_ask(world) => {
                choice.profile = Some(word);
                return Ok(false);
            }
            [] => world.lead(&nothing(&word)),
            [(name, about)] if Place::of(&word).is_some() => {
                world.say(&format!("`{}` is {} (`{name}`).", safe(&word), safe(about)));
                typed = Some(name.clone());
            }
            _ if !may_ask(world) => {
                let names = found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(Error::usage(format!("`{}` may be one of these: {names}", safe(&word)))
                    .hint(format!("name one: oauthctl init {}", pasted(&found[0].0))));
            }
            _ => options = found,
        }
    }
}

const AGAIN: &str = "Sign in to one of these, or elsewhere";

/// A profile, or a provider by its whole name.
fn is_known(dir: &Path, config: &Config, word: &str) -> bool {
    config.profiles.contains_key(word) || (!word.contains("://") && config::provider(dir, word, None).is_ok())
}

/// Takes the variables that the address tells: who types `acme.okta.com` has said the `domain`.
fn take_vars(choice: &mut Overrides, (dir, name): (&Path, &str), place: &Place) {
    let flags = &mut choice.flags;
    let Ok(provider) = config::provider(dir, name, flags.environment.as_deref()) else { return };
    for (var, value) in provider.told_by_host(place.host()) {
        flags.vars.entry(var).or_insert(value);
    }
}

/// What is wrong with a file of the user's own.
fn broken(dir: &Path, name: &str) -> Option<String> {
    config::own_provider(dir, name).ok()?;
    config::provider(dir, name, None).err().map(|e| safe(&e.message))
}

/// The providers that a word may mean; `None`: the choice is made.
fn meant(world: &mut World, choice: &mut Overrides, word: &str) -> Result<Option<Vec<(String, String)>>, Error> {
    let Some(place) = Place::of(word) else { return Ok(Some(named_like(&word.to_lowercase()))) };
    // a whole address may be of a service beside those that are known
    let whole = word.contains("://");
    let mut known = catalogue::of_host(place.host());
    if known.is_empty() && !whole {
        known = catalogue::of_site(place.host());
    }
    if !known.is_empty() {
        return Ok(Some(in_words(known.into_iter())));
    }
    world.say(&format!("Looking for the authorization server of {} …", safe(place.host())));
    let Some(Found { issuer, resource }) = find::server(world, &place)? else {
        let of_site = catalogue::of_site(place.host());
        // an issuer's own error says more than that there is none
        choice.profile = (whole && of_site.is_empty()).then(|| word.to_owned());
        return Ok(choice.profile.is_none().then(|| in_words(of_site.into_iter())));
    };
    let host = url::Url::parse(&issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let known = catalogue::of_host(&host);
    if resource.is_none() && !known.is_empty() {
        return Ok(Some(in_words(known.into_iter())));
    }
    world.say(&format!("Its authorization server is {}.", safe(&issuer)));
    choice.profile = Some(issuer);
    choice.flags.target.resource.extend(resource);
    Ok(None)
}

/// With so many of one's own, no others are shown.
const FEW: usize = 15;

fn nothing(word: &str) -> String {
    let without =
        catalogue::without_oauth(&word.to_lowercase()).map(|instead| format!(" It has no OAuth 2.0: {instead}."));
    format!(
        "There is no `{}`: type a number, a name, or an address.{} `oauthctl provider list` names all.",
        safe(word),
        without.unwrap_or_default()
    )
}

/// The built-in providers in whose names the text occurs.
fn named_like(part: &str) -> Vec<(String, String)> {
    let like = |it: &Listed| it.id.contains(part) || it.name.to_lowercase().contains(part);
    in_words(catalogue::all().filter(|it| !part.is_empty() && like(it)))
}

fn in_words(listed: impl Iterator<Item = Listed>) -> Vec<(String, String)> {
    listed.map(|it| (it.id.to_owned(), it.name.to_owned())).collect()
}

/// The logins that were left, the profiles, then the user's own providers without a profile of that
/// name, the well-known ones if that is short, last the one without accounts.
fn options(dir: &Path, config: &Config, left: &[Orphan]) -> Result<Vec<(String, String)>, Error> {
    let practice = |name: &String| name == sandbox_session::PROVIDER;
    let taken = |name: &String| config.profiles.contains_key(name) || left.iter().any(|left| left.name == *name);
    let own = config::provider_names(dir)?.into_iter().filter(|(_, own)| *own).map(|(name, _)| name);
    let mut others: Vec<String> = own.filter(|name| !taken(name) && !practice(name)).collect();
    let room = FEW.saturating_sub(config.profiles.len() + left.len() + others.len());
    let known: Vec<String> = catalogue::WELL_KNOWN.iter().map(|name| (*name).to_owned()).collect();
    let known = known.into_iter().filter(|name| !taken(name) && !others.contains(name)).take(room);
    others.extend(known.collect::<Vec<_>>());
    others.extend([sandbox_session::PROVIDER.to_owned()].into_iter().filter(|name| !taken(name)));
    let about = |provider: &str| match provider {
        sandbox_session::PROVIDER => "practice: needs no account".to_owned(),
        _ => match config::provider(dir, provider, None) {
            Ok(known) => known.name,
            Err(e) => format!("broken: {}", e.message),
        },
    };
    let begun = left.iter().map(|left| (left.name.clone(), "begun, and not finished".to_owned()));
    let profiles = config.profiles.iter().map(|(name, profile)| {
        (name.clone(), format!("your profile at {}", profile.provider.as_ref().unwrap_or(name)))
    });
    let others = others.into_iter().map(|name| (name.clone(), about(&name)));
    Ok(begun.chain(profiles).chain(others).collect())
}
