//! The questions of a login: the provider's variables, client id and client secret.

use super::Start;
use crate::address::check_url;
use crate::command::{may_ask, register};
use crate::config::GrantKind;
use crate::error::{Error, unanswered};
use crate::grant::redirect_plan::Plan;
use crate::protocol::client::{Client, RequestError};
use crate::protocol::token_request::usable_auth;
use crate::provider::{ClientAuth, Endpoint, Provider, Var};
use crate::secret::{self, Secret};
use crate::session::Session;
use crate::session::bound::Scope;
use crate::session::record::{Record, Unfinished};
use crate::session::unfinished::{self, Asked};
use crate::store::StoreKind;
use crate::text::safe;
use crate::world::{Unanswered, World};

/// A question begins with a capital letter.
fn begun_large(prompt: &str) -> String {
    let mut rest = prompt.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// Asks for the provider's variables that only the user knows.
pub(super) fn ask_vars(world: &mut World, session: &mut Session, old: Option<&Record>) -> Result<(), Error> {
    let raw = session.raw_provider()?;
    let kept = unfinished::of(session, old).unwrap_or_default().vars;
    let stored = session.secret_vars(&raw, old);
    let missing = raw.missing_vars(&session.profile.vars).into_iter();
    let missing = missing.filter(|(name, _)| !session.fills(name) && !stored.contains_key(*name));
    let missing: Vec<(String, Var)> = missing.map(|(name, var)| (name.to_owned(), var.clone())).collect();
    for (name, var) in missing {
        let prompt = safe(var.prompt.as_deref().unwrap_or(&name));
        if !may_ask(world) {
            let allowed = (!var.one_of.is_empty()).then(|| format!(" [{}]", safe(&var.one_of.join(", "))));
            let prompt = prompt + &allowed.unwrap_or_default();
            let wanted = Error::usage(format!("provider `{}` needs `{name}`: {prompt}", raw.id));
            return Err(wanted.hint(session.hint_for_var(&raw, &name)));
        }
        let kept = kept.get(&name).filter(|kept| raw.takes(&name, kept).is_ok());
        let value = loop {
            let value = ask_var(world, &begun_large(&prompt), &var, kept.map(String::as_str))?;
            match raw.takes(&name, &value) {
                Ok(()) => break value,
                Err(why) => world.lead(&format!("`{}` {why}.", safe(&name))),
            }
        };
        unfinished::keep(world, session, |typed| drop(typed.vars.insert(name.clone(), value.clone())));
        session.profile.vars.insert(name, value);
    }
    Ok(())
}

fn ask_var(world: &mut World, prompt: &str, var: &Var, kept: Option<&str>) -> Result<String, Error> {
    if var.secret {
        let (enter, usual) = match kept {
            Some(kept) => ("; Enter takes the stored one", kept),
            None => ("", ""),
        };
        let answer = ask_hidden(world, &format!("{prompt} (not shown{enter})"))?;
        return Ok(if answer.is_empty() { usual } else { answer.expose() }.to_owned());
    }
    if !var.one_of.is_empty() {
        let options: Vec<(String, String)> = var.one_of.iter().map(|value| (value.clone(), String::new())).collect();
        return choose(world, prompt, &options, kept);
    }
    ask_or(world, prompt, kept)
}

/// Asks for one of a list of names with explanations; any other answer is returned as it is.
pub(super) fn choose(
    world: &mut World,
    question: &str,
    options: &[(String, String)],
    usual: Option<&str>,
) -> Result<String, Error> {
    world.lead(&format!("{question}:"));
    list(world, options);
    let answer = ask_or(world, "Number or name", usual)?;
    Ok(chosen(options, &answer).map(|(name, _)| name.clone()).unwrap_or(answer))
}

/// Shows names with explanations: as many as fit on a screen.
pub(super) fn list(world: &mut World, options: &[(String, String)]) {
    let shown = &options[..options.len().min(MOST)];
    let width = shown.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (at, (name, about)) in shown.iter().enumerate() {
        let line = format!("  {:>2}  {:width$}  {}", at + 1, safe(name), safe(about));
        world.lead(line.trim_end());
    }
    if let Some(more) = options.len().checked_sub(MOST + 1) {
        world.lead(&format!("  … and {} more: a part of a name finds them", more + 1));
    }
}

/// The longest list on a screen.
const MOST: usize = 20;

/// The option of a number, of those that are shown.
pub(super) fn chosen<'a>(options: &'a [(String, String)], answer: &str) -> Option<&'a (String, String)> {
    let number = answer.parse::<usize>().ok().filter(|number| *number <= MOST)?;
    options.get(number.checked_sub(1)?)
}

/// Whether to register this program: without a client id, if server and user agree.
pub(super) fn registers(
    world: &mut World,
    session: &mut Session,
    &Start { provider, old, args, .. }: &Start<'_>,
) -> Result<bool, Error> {
    let alone = session.store.kind() == StoreKind::None;
    if args.no_register || provider.registration_url.is_none() {
        return Ok(false);
    }
    if let Some(client) = session.client(world, old)? {
        let forgotten = !alone && old.is_some_and(|old| old.is_forgotten(&client.id));
        if forgotten {
            world.say(&format!(
                "{} no longer knows the client `{}`: this program is registered there anew.",
                safe(&provider.name),
                safe(&client.id)
            ));
        }
        return Ok(forgotten);
    }
    if args.register {
        return match alone {
            false => Ok(true),
            true => Err(Error::usage(register::NEEDS_STORE)),
        };
    }
    if alone || !may_ask(world) {
        return Ok(false);
    }
    let question = format!(
        "No client id is known for {}. It supports registration: register this program there now?",
        safe(&provider.name)
    );
    world.ask_whether(&question, true).map_err(open)
}

/// What a client is needed for.
pub(super) struct Needed<'a> {
    pub provider: &'a Provider,
    pub old: Option<&'a Record>,
    pub endpoint: &'a Endpoint,
    pub plan: Option<&'a Plan>,
    /// The person is led, and has not said all that there is to say.
    pub guided: bool,
}

/// Client id and secret. Asks for missing, refused, and unfinished ones. `opens`: the page where an
/// app is registered may be opened.
pub(super) fn complete_client(
    world: &mut World,
    session: &mut Session,
    (needed, opens): (&Needed<'_>, bool),
) -> Result<(Client, Option<Asked>), Error> {
    let Needed { provider, old, endpoint, plan, .. } = *needed;
    let known = session.client(world, old)?;
    if let Some(why) = known.as_ref().and_then(|client| no_client_id(&client.id, provider, plan)) {
        return Err(Error::usage(why).hint(session.typed.login_with(&[("--client-id", "ID")])));
    }
    let place = unfinished::place(provider, endpoint);
    let asks = may_ask(world) && !session.proves_from_outside(world);
    let waiting = unfinished::of(session, old)
        .filter(|kept| asks && kept.client_id.is_some() && kept.endpoint == place)
        .filter(|kept| session.said_client_id(world).is_none_or(|said| kept.client_id.as_deref() == Some(&said)));
    let asked = |client: &Client| {
        let own = provider.client_id.as_deref() == Some(&client.id);
        (asks && !own).then(|| Asked { client_id: client.id.clone(), place: place.clone() })
    };
    if let Some(client) = known.as_ref().filter(|_| waiting.is_none()) {
        match usable_auth(endpoint, client) {
            Ok(_) if client.secret.is_some() || client.proofs.key.is_some() => {
                return Ok((client.clone(), asked(client)));
            }
            Err(e) if client.secret.is_some() || client.proofs.key.is_some() => return Err(e.into()),
            Ok(_) if asked(client).is_some() && may_have_secret(session, needed, client) => {}
            Ok(auth) => {
                warn_of_none(world, session, provider, Some(auth));
                return Ok((client.clone(), asked(client)));
            }
            // a key or certificate can't be typed
            Err(e @ (RequestError::NeedsKey | RequestError::NeedsCertificate)) => return Err(e.into()),
            Err(e) if !may_ask(world) => return Err(stays_elsewhere(session, needed, e.into())),
            Err(_) => {}
        }
    }
    if !may_ask(world) {
        return Err(stays_elsewhere(session, needed, unregistered(session, provider, (plan, &[]))));
    }
    introduce(world, session, provider, plan);
    let page =
        provider.console_url.as_deref().filter(|page| opens && provider.practice.is_none() && check_url(page).is_ok());
    let client = ask_client(world, session, (needed, page), known, waiting)?;
    let asked = asked(&client);
    Ok((client, asked))
}

/// Whether most apps there have a secret, and nothing says that this one has none.
fn may_have_secret(session: &Session, needed: &Needed<'_>, client: &Client) -> bool {
    let Needed { provider, old, endpoint, guided, .. } = *needed;
    use ClientAuth::{PrivateKeyJwt, SelfSignedTlsClientAuth, TlsClientAuth};
    let by_file = |auth: &ClientAuth| matches!(auth, PrivateKeyJwt | TlsClientAuth | SelfSignedTlsClientAuth);
    let first = endpoint.auth.iter().find(|auth| !by_file(auth));
    let signed_in = |old: &Record| {
        old.client_id.as_deref() == Some(&client.id)
            && (old.registered || old.token.is_some() || old.ended.is_some())
            && !(old.client_secret.is_some() && session.secret_moved(old, provider, Scope::Every).is_some())
    };
    // who types `--client-id` knows of `--client-secret-file`
    let all_typed = session.choice.flags.client_id.is_some() && !guided;
    !all_typed
        && first.is_some_and(|auth| *auth != ClientAuth::None)
        && session.profile.proofs.auth.is_none()
        && !old.is_some_and(signed_in)
}

/// The error with its cause, where the stored client secret is for another place.
fn stays_elsewhere(session: &Session, &Needed { provider, old, .. }: &Needed<'_>, error: Error) -> Error {
    let stored = old.filter(|record| record.client_secret.is_some());
    match stored.and_then(|record| session.secret_moved(record, provider, Scope::Every)) {
        Some(moved) => error.because(format!("the stored client secret is for {} alone", moved.was())).hint(format!(
            "for this one: {}",
            session.typed.login_with(&[("--client-id", "ID"), ("--client-secret-file", "FILE")])
        )),
        None => error,
    }
}

/// Asks. Each answer is stored at once.
fn ask_client(
    world: &mut World,
    session: &mut Session,
    (needed, page): (&Needed<'_>, Option<&str>),
    known: Option<Client>,
    waiting: Option<Unfinished>,
) -> Result<Client, Error> {
    let place = unfinished::place(needed.provider, needed.endpoint);
    let again = waiting.as_ref().is_some_and(|kept| kept.refused);
    if again {
        world.lead("The provider refused this client id or this client secret: check both.");
    } else if waiting.is_some() {
        world.lead("Your last answers are stored: Enter takes them.");
    }
    let kept_id = waiting.as_ref().and_then(|kept| kept.client_id.clone());
    let known_id = known.as_ref().map(|client| client.id.clone());
    let id = match known_id {
        Some(id) if !again && kept_id.as_ref().is_none_or(|kept| *kept == id) => id,
        known_id => {
            let usual = kept_id.or(known_id).filter(|id| no_client_id(id, needed.provider, needed.plan).is_none());
            let mut page = page.filter(|_| usual.is_none());
            loop {
                let id = match page.take() {
                    Some(page) => ask_with_page(world, session, page)?,
                    None => ask_or(world, "Client id", usual.as_deref())?,
                };
                match no_client_id(&id, needed.provider, needed.plan) {
                    Some(why) => world.lead(&format!("{}.", begun_large(&why))),
                    None => break id,
                }
            }
        }
    };
    unfinished::keep(world, session, |typed| {
        if typed.endpoint != place || typed.client_id.as_ref() != Some(&id) {
            typed.client_secret = None;
        }
        typed.client_id = Some(id.clone());
        typed.endpoint.clone_from(&place);
        typed.refused = false;
    });
    session.profile.client_id = Some(id.clone());
    let client = Client { id, ..session.keyed(world, needed.old)? };
    // the secret or the key may come from the environment or from the store
    let stored = session.client(world, needed.old)?.filter(|c| c.secret.is_some() || c.proofs.key.is_some());
    if let Some(stored) = stored.as_ref().filter(|_| waiting.is_none()) {
        return Ok(stored.clone());
    }
    let waiting = waiting.filter(|kept| kept.client_id.as_ref() == Some(&client.id));
    let kept = waiting.and_then(|kept| kept.client_secret).or(stored.and_then(|client| client.secret));
    let public_too = usable_auth(needed.endpoint, &Client::plain(client.id.clone(), None)).is_ok();
    let secret = ask_secret(world, kept, public_too)?;
    unfinished::keep(world, session, |typed| typed.client_secret.clone_from(&secret));
    if let Some(secret) = &secret {
        session.set_secret(secret.clone());
    }
    Ok(Client { secret, ..client })
}

/// Asks for the client id; Enter alone opens the page where an app is registered.
fn ask_with_page(world: &mut World, session: &Session, page: &str) -> Result<String, Error> {
    match world.ask("Client id (Enter opens that page)").map_err(open)?.as_str() {
        "" => {}
        id => return Ok(id.to_owned()),
    }
    let program = session.profile.browser.clone().unwrap_or_default();
    match world.browser.open(page, &program, &|| false) {
        Ok(()) => world.lead("Register an app there, and copy its client id."),
        Err(e) => world.lead(&format!("No browser opened here ({}): open the page yourself.", safe(&e.to_string()))),
    }
    ask(world, "Client id")
}

/// Refuses what was pasted by mistake: a file that a provider's page offers (its text has the
/// secret), the address of that page, or the redirect URL. Other URLs can be client ids (OAuth
/// Client ID Metadata Document).
fn no_client_id(id: &str, provider: &Provider, plan: Option<&Plan>) -> Option<String> {
    let host = |text: &str| {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default().to_lowercase()
    };
    if !id.contains("://") && (id.starts_with(['{', '/', '~']) || id.ends_with(".json")) {
        return Some("that is no client id, but a file with one: copy its `client_id`".to_owned());
    }
    let what = if provider.console_url.as_deref().is_some_and(|page| host(page) == host(id)) {
        format!("the address of a page of {}, which shows the client id", safe(&provider.name))
    } else if plan.is_some_and(|plan| plan.to_register().iter().any(|uri| uri == id)) {
        "the redirect URL, which belongs into the registration of the app".to_owned()
    } else {
        return None;
    };
    Some(format!("`{}` is no client id, but {what}", safe(id)))
}

fn ask_secret(world: &mut World, kept: Option<Secret>, public_too: bool) -> Result<Option<Secret>, Error> {
    let question = match (&kept, public_too) {
        (Some(_), true) => "Client secret (not shown; Enter takes the stored one; `-` if the app has none)",
        (Some(_), false) => "Client secret (not shown; Enter takes the stored one)",
        (None, true) => "Client secret (not shown; Enter if the app has none)",
        (None, false) => "Client secret (not shown)",
    };
    loop {
        let secret = ask_hidden(world, question)?;
        match (secret.expose(), &kept) {
            ("", Some(kept)) => return Ok(Some(kept.clone())),
            ("", None) | ("-", Some(_)) if public_too => return Ok(None),
            ("", None) => world.lead(NOTHING),
            _ => return Ok(Some(secret)),
        }
    }
}

/// Many servers accept clients without a secret and don't list `none`: the attempt is reported.
fn warn_of_none(world: &mut World, session: &Session, provider: &Provider, auth: Option<ClientAuth>) {
    let Some(methods) = &provider.announced.auth_methods else { return };
    let listed = methods.iter().any(|method| method == "none");
    if auth == Some(ClientAuth::None) && !listed && session.profile.proofs.auth.is_none() {
        world.warn(&format!(
            "{} announces no clients without a secret ({}): trying without one; `--auth none` stores that choice",
            safe(&provider.name),
            safe(&methods.join(", "))
        ));
    }
}

/// The error without a client id and without a terminal. `vars`: variables that are missing too.
pub(super) fn unregistered(session: &Session, provider: &Provider, (plan, vars): (Option<&Plan>, &[String])) -> Error {
    let name = &session.name;
    let practise = practice_apps(provider).map(|app| format!("this is practice: use the app {app}"));
    let register = provider.console_url.as_deref().map(|console| {
        let asked = plan.filter(|_| asks_for_redirect(session, provider));
        let uris = asked.map(Plan::to_register).unwrap_or_default().join(" and ");
        let redirect = if uris.is_empty() { uris } else { format!(", with the redirect URL {}", safe(&uris)) };
        format!("register an app at {}{redirect}", safe(console))
    });
    let mut error = Error::usage(format!("no client id is known for `{name}`, and there is no terminal to ask at"));
    let choice = choice_there(session, provider).filter(|_| practise.is_none() && register.is_some());
    let choice = choice.map(|choice| format!("choose there: {}", safe(choice)));
    error.hints.extend(practise.or(register).into_iter().chain(choice));
    if provider.registration_url.is_some() {
        error = error.hint(session.typed.login_with(&[("--register", "")]));
    }
    let vars = vars.iter().map(|var| ("--var", var.as_str()));
    let all: Vec<_> = vars.chain([("--client-id", "ID"), ("--client-secret-file", "FILE")]).collect();
    error.hint(session.typed.login_with(&all)).hint("in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET")
}

/// What to choose where an app is registered, for the grant of this login.
fn choice_there<'a>(session: &Session, provider: &'a Provider) -> Option<&'a str> {
    let choice = match session.grant(Some(provider), None) {
        GrantKind::DeviceCode => &provider.console_choice_device,
        _ => &provider.console_choice,
    };
    choice.as_deref()
}

/// Whether a redirect URL is entered there: where the page asks for one, or the person has an own.
fn asks_for_redirect(session: &Session, provider: &Provider) -> bool {
    provider.console_redirect_url || session.profile.redirect_uri.is_some()
}

/// The apps of a practice provider, whose secrets are public, even if another profile stores one.
fn practice_apps(provider: &Provider) -> Option<String> {
    let apps = provider.practice.as_deref()?;
    secret::published(apps);
    Some(safe(apps))
}

/// Says where to register an app; at a practice server, which app to use.
fn introduce(world: &mut World, session: &Session, provider: &Provider, plan: Option<&Plan>) {
    if let Some(app) = practice_apps(provider) {
        world.say(&format!("{}: nothing to register. Use this app:", safe(&provider.name)));
        world.say(&format!("  {}", app.replace("; or ", "\n  or ")));
        world.say("");
        return;
    }
    world.say(&format!(
        "To sign in to {} you need an app of your own there (its client id and client secret).",
        safe(&provider.name)
    ));
    if let Some(console) = &provider.console_url {
        world.say(&format!("  Register it at: {}", safe(console)));
    } else if let Some(docs) = &provider.docs {
        world.say(&format!("  Its documentation says where: {}", safe(docs)));
    }
    if let Some(choice) = choice_there(session, provider) {
        world.say(&format!("  Choose there: {}", safe(choice)));
    }
    if let Some(plan) = plan {
        let uris = match plan.to_register() {
            uris if uris.is_empty() => {
                vec!["any https URL of your own; you paste the browser's last address".to_owned()]
            }
            uris => uris,
        };
        for uri in uris.into_iter().filter(|_| asks_for_redirect(session, provider)) {
            world.say(&format!("  Redirect URL to enter there: {}{}", safe(&uri), plan.compared()));
        }
        if provider.client_credentials.own_account && provider.client_credentials.supported {
            world.say(&format!(
                "  For your own account you need neither that nor a browser: {}",
                session.typed.login_by(GrantKind::ClientCredentials.name())
            ));
        }
    }
    world.say("");
}

const NOTHING: &str = "Nothing was entered. (Ctrl-C ends this.)";

/// The error of a login for an unanswered question.
pub(super) fn open(e: Unanswered) -> Error {
    unanswered(e, "nobody was signed in")
}

/// Asks until an answer is entered.
pub(super) fn ask(world: &mut World, question: &str) -> Result<String, Error> {
    ask_or(world, question, None)
}

/// The same; Enter alone takes the usual answer, if there is one.
pub(super) fn ask_or(world: &mut World, question: &str, usual: Option<&str>) -> Result<String, Error> {
    let shown = usual.map(|usual| format!(" [{}]", safe(usual))).unwrap_or_default();
    loop {
        let answer = world.ask(&format!("{question}{shown}")).map_err(open)?;
        match (answer.as_str(), usual) {
            ("", Some(usual)) => return Ok(usual.to_owned()),
            ("", None) => world.lead(NOTHING),
            _ => return Ok(answer),
        }
    }
}

pub(super) fn ask_hidden(world: &mut World, question: &str) -> Result<Secret, Error> {
    world.ask_hidden(question).map_err(open)
}
