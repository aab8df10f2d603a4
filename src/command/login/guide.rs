//! A guided login: `init`, and the first `login` at a terminal. It asks what nothing else tells:
//! whose account, which scopes. In CI, where nobody answers, `init` prints what the job needs.

use clap::{Args, Command};

use super::browser::{Attempt, browser_is_here};
use super::prompt::{ask_or, chosen, list, open, unregistered};
use crate::api::format::table::aligned;
use crate::command::token::TokenArgs;
use crate::command::{may_ask, no_input, print};
use crate::config::{GrantKind, Profile, same_provider};
use crate::error::Error;
use crate::provider::Provider;
use crate::session::record::Record;
use crate::session::{Session, unfinished};
use crate::store::StoreKind;
use crate::store::environment::upper;
use crate::text::{is_secret_var, safe};
use crate::world::World;

/// Begins: is this login guided, and by which grant?
pub(super) fn begin(
    world: &mut World,
    session: &mut Session,
    of: (&Provider, Option<&Record>),
    (attempt, no_browser): (&mut Attempt, bool),
) -> Result<(), Error> {
    attempt.guided |= attempt.plain && is_begun(world, session, of);
    attempt.opens = attempt.guided && !no_browser && browser_is_here(world, session);
    match attempt.guided && attempt.led {
        true => choose_grant(world, session, of),
        false => Ok(()),
    }
}

/// Whether a login without options is guided: the first one, for which an app must be registered;
/// or one that was guided, and left.
fn is_begun(world: &World, session: &Session, (known, old): (&Provider, Option<&Record>)) -> bool {
    let left = unfinished::of(session, old).is_some_and(|kept| kept.grant.is_some() || kept.scopes.is_some());
    let first =
        session.paths.readable_config().is_some_and(|(rest, stores)| stores.is_empty() && rest.faults.is_empty());
    let has_client = known.client_id.is_some() || session.said_client_id(world).is_some();
    may_ask(world) && (left || first) && !has_client && session.store.kind() != StoreKind::None
}

/// Chooses the grant that fits, if none is named: for the person's own account the one without a
/// browser, elsewhere than at a desk the one by code.
fn choose_grant(
    world: &mut World,
    session: &mut Session,
    (known, old): (&Provider, Option<&Record>),
) -> Result<(), Error> {
    if session.profile.grant.is_some() || !may_ask(world) {
        return Ok(());
    }
    let facts = &known.client_credentials;
    let grant = if facts.supported && facts.own_account && known.authorize.url.is_some() {
        let kept = unfinished::of(session, old).and_then(|kept| kept.grant);
        let usually = kept.is_none_or(|kept| kept == GrantKind::ClientCredentials.name());
        let question = "Is the token for your own account? Then neither a browser nor a redirect URL is needed";
        let own = world.ask_whether(question, usually).map_err(open)?;
        if own { GrantKind::ClientCredentials } else { GrantKind::AuthorizationCode }
    } else if known.device.is_some() && !browser_is_here(world, session) {
        let other = session.typed.login_by(GrantKind::AuthorizationCode.name());
        world.say(&format!("No browser opens over SSH: you will sign in by a code, elsewhere. The other way: {other}"));
        GrantKind::DeviceCode
    } else {
        return Ok(());
    };
    unfinished::keep(world, session, |kept| kept.grant = Some(grant.name().to_owned()));
    if grant != GrantKind::AuthorizationCode {
        session.profile.grant = Some(grant);
        session.choice.flags.grant = Some(grant);
    }
    Ok(())
}

/// Lets the person choose scopes: the provider's presets by their names, then its other scopes.
pub(super) fn ask_scopes(
    world: &mut World,
    session: &mut Session,
    (provider, old): (&Provider, Option<&Record>),
) -> Result<(), Error> {
    let facts = &provider.scopes;
    let said = session.profile.target.scopes.is_some() || !session.grant(Some(provider), None).needs_person();
    let unasked = |scope: &&String| {
        let usual = || facts.default.iter().chain(&facts.always).chain(&facts.offline);
        let preset = || facts.presets.values().any(|scopes| scopes.as_slice() == [(*scope).clone()]);
        !usual().any(|known| known == *scope) && !preset()
    };
    let means = |name: &str| facts.means(name).map(str::to_owned);
    // all of them by their meaning, or none
    let in_words = |scopes: &[String]| match scopes.iter().map(|scope| means(scope)).collect::<Option<Vec<_>>>() {
        Some(words) => words.join("; "),
        None => scopes.join(" "),
    };
    let preset =
        |(name, scopes): (&String, &Vec<String>)| (name.clone(), means(name).unwrap_or_else(|| in_words(scopes)));
    let others = facts.known.iter().filter(unasked).map(|scope| (scope.clone(), means(scope).unwrap_or_default()));
    let others: Vec<(String, String)> = facts.presets.iter().map(preset).chain(others).collect();
    if said || others.is_empty() || !may_ask(world) {
        return Ok(());
    }
    let usual = match facts.default.is_empty() {
        true => "what the provider gives unasked".to_owned(),
        false => in_words(&facts.default),
    };
    let all = [vec![(USUAL.to_owned(), usual)], others].concat();
    let kept = unfinished::of(session, old).and_then(|kept| kept.scopes).map(|scopes| scopes.join(" "));
    world.lead("What should the token be good for?");
    let words = ask_words(world, &all, kept.as_deref().filter(|kept| !kept.is_empty()).unwrap_or(USUAL))?;
    let mut scopes: Vec<String> = Vec::new();
    for word in &words {
        let meant = match facts.presets.get(word) {
            Some(scopes) => scopes.clone(),
            None if word == USUAL => facts.default.clone(),
            None => vec![word.clone()],
        };
        scopes.extend(meant.into_iter().filter(|scope| !scopes.contains(scope)).collect::<Vec<_>>());
    }
    unfinished::keep(world, session, |kept| kept.scopes = Some(words.clone()));
    if words != [USUAL] {
        session.profile.target.scopes = Some(scopes.clone());
        session.choice.flags.target.scopes = Some(scopes);
    }
    Ok(())
}

const USUAL: &str = "usual";

/// Asks for words of a list, by number, name, or a part of the name, which shows what it may mean.
/// A word that was typed twice is taken as it is.
fn ask_words(world: &mut World, all: &[(String, String)], usual: &str) -> Result<Vec<String>, Error> {
    let mut shown = all.to_vec();
    let mut last = String::new();
    list(world, &shown);
    'again: loop {
        let answer = ask_or(world, "Numbers or names, with spaces between them", Some(usual))?;
        let mut words = Vec::new();
        for word in answer.split([' ', ',']).filter(|word| !word.is_empty()) {
            let known = chosen(&shown, word).or_else(|| all.iter().find(|(name, _)| name == word));
            let word = match known {
                Some((name, _)) => name.clone(),
                None if answer == last || usual == answer => word.to_owned(),
                None => {
                    let small = word.to_lowercase();
                    let like = |(name, about): &&(String, String)| {
                        name.to_lowercase().contains(&small) || about.to_lowercase().contains(&small)
                    };
                    let found: Vec<(String, String)> = all.iter().filter(like).cloned().collect();
                    if found.is_empty() {
                        world.lead(&format!("No scope here is like `{}`. Typed again, it is asked for.", safe(word)));
                        last.clone_from(&answer);
                    } else {
                        list(world, &found);
                        shown = found;
                    }
                    continue 'again;
                }
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if !words.is_empty() {
            return Ok(words);
        }
    }
}

/// The commands to go on with.
pub(super) fn go_on(world: &mut World, session: &Session, call: Option<String>) {
    let line = |verb: &str| session.typed.line(verb);
    let path = call.unwrap_or_else(|| "/PATH".to_owned());
    let rows = [
        [line("token"), "a fresh access token, and nothing else".to_owned()],
        [format!("{} {path}", line("call")), "a request to the API with it".to_owned()],
        [line("status"), "how the login stands, and what comes next".to_owned()],
    ];
    world.say("Go on with:");
    aligned(&rows, None).lines().for_each(|row| world.say(&format!("  {}", row.trim_end())));
}

/// The error where nobody can be asked: it names every option that is missing.
pub(super) fn all_said(
    world: &mut World,
    session: &mut Session,
    (known, old): (&Provider, Option<&Record>),
    attempt: &Attempt,
) -> Result<(), Error> {
    if !attempt.guided || may_ask(world) {
        return Ok(());
    }
    let plan = attempt.waiting.as_ref().map(|(plan, _)| plan);
    let vars = missing(session, known, old);
    match !vars.is_empty() || session.client(world, old)?.is_none() {
        true => Err(unregistered(session, known, (plan, &vars))),
        false => Ok(()),
    }
}

fn missing(session: &Session, known: &Provider, old: Option<&Record>) -> Vec<String> {
    let stored = session.secret_vars(known, old);
    let vars = known.missing_vars(&session.profile.vars).into_iter().map(|(name, _)| name);
    vars.filter(|name| !session.fills(name) && !stored.contains_key(*name)).map(unknown).collect()
}

/// A variable whose value the person fills in.
fn unknown(var: &str) -> String {
    format!("{var}=VALUE")
}

/// Prints what a CI job needs, in the form of its platform.
pub(super) fn for_ci(world: &mut World, session: &Session, known: &Provider) -> Result<u8, Error> {
    let name = upper(&session.name);
    let grant = unattended(session, known);
    let mut lines: Vec<(String, String, bool)> = Vec::new();
    if let Some(grant) = grant {
        lines.push(("OAUTHCTL_GRANT".to_owned(), grant.name().to_owned(), false));
        lines.push(("OAUTHCTL_STORE".to_owned(), StoreKind::None.name().to_owned(), false));
        let id = session.profile.client_id.as_deref().map(safe).unwrap_or_default();
        lines.push(("OAUTHCTL_CLIENT_ID".to_owned(), id, false));
        lines.push(("OAUTHCTL_CLIENT_SECRET".to_owned(), String::new(), true));
    } else {
        lines.push((session.token_variable(world), String::new(), true));
        world.say(&format!(
            "{} is not known to give a token without a person: {} takes one that was obtained elsewhere.",
            safe(&known.name),
            session.token_variable(world)
        ));
    }
    let token = job_line(session, known, grant.is_some());
    let github = world.env.var("GITHUB_ACTIONS").is_some();
    let mut text = if github { "env:\n".to_owned() } else { String::new() };
    for (variable, value, secret) in &lines {
        let own = match variable.contains(&name) {
            true => variable.clone(),
            false => variable.replace("OAUTHCTL", &name),
        };
        text += &match (github, value.as_str(), secret) {
            (true, "", true) => format!("  {variable}: ${{{{ secrets.{own} }}}}\n"),
            (true, "", false) => format!("  {variable}: ${{{{ vars.{own} }}}}\n"),
            (true, value, _) => format!("  {variable}: {value}\n"),
            (false, value, _) => format!("{variable}={value}\n"),
        };
    }
    text += &if github { format!("steps:\n  - run: {token}\n") } else { format!("{token}\n") };
    if grant.is_some() {
        world.say("Into the job, with the client secret as a secret of the platform (`oauthctl help ci`):");
    }
    print(world, text.as_bytes())?;
    Ok(0)
}

/// The grant for a job: the one that was named, if it needs no person, or else the one that fits.
fn unattended(session: &Session, known: &Provider) -> Option<GrantKind> {
    let facts = &known.client_credentials;
    let said = session.profile.grant.filter(|grant| !grant.needs_person());
    said.filter(|grant| *grant != GrantKind::ClientCredentials || facts.supported)
        .or_else(|| (facts.supported && facts.own_account).then_some(GrantKind::ClientCredentials))
}

/// The command of a job, whose home is empty: it says all that the profile has, but what the job's
/// variables say.
fn job_line(session: &Session, known: &Provider, obtains: bool) -> String {
    let Profile { provider, environment, vars, .. } = session.profile.clone();
    let mut flags = match obtains {
        true => session.profile.clone(),
        false => Profile { environment, vars, ..Profile::default() },
    };
    let same = |provider: &String| same_provider(session.config_dir(), session.typed.word(), provider);
    flags.provider = provider.filter(|provider| !same(provider));
    (flags.client_id, flags.client_secret, flags.grant, flags.store) = (None, None, None, None);
    let taken = TokenArgs::augment_args(Command::new("token"));
    let taken: Vec<String> = taken.get_arguments().filter_map(|it| Some(format!("--{}", it.get_long()?))).collect();
    let mut options = flags.options();
    options.retain(|(name, _)| taken.contains(name));
    for (name, value) in &mut options {
        if is_secret_var(name, value) {
            *value = unknown(value.split('=').next().unwrap_or_default());
        }
    }
    if obtains {
        options.extend(missing(session, known, None).into_iter().map(|var| ("--var".to_owned(), var)));
    }
    session.typed.whole("token", &options)
}

/// Whether `init` prints what a job needs, in place of a login.
pub(super) fn is_for_ci(world: &World, init: bool) -> bool {
    init && no_input(world)
}
