//! What a login asks the person: the provider's variables, client id and secret, and whether it is really their account.

use super::LoginArgs;
use crate::command::may_ask;
use crate::error::{Error, Kind};
use crate::grant::redirect_plan::Plan;
use crate::protocol::token_request::{Client, RequestError, usable_auth};
use crate::provider::{ClientAuth, Endpoint, Provider};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::record::Record;
use crate::store::StoreKind;
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::World;

/// The provider's variables that only the person knows.
pub(super) fn ask_vars(world: &mut World, session: &mut Session) -> Result<(), Error> {
    let raw = session.raw_provider()?;
    let missing: Vec<(String, String)> = raw
        .missing_vars(&session.profile.vars)
        .into_iter()
        .filter(|(name, _)| *name != "base")
        .map(|(name, var)| {
            let prompt = var.prompt.clone().unwrap_or_else(|| name.to_owned());
            let allowed = if var.one_of.is_empty() { String::new() } else { format!(" [{}]", var.one_of.join(", ")) };
            (name.to_owned(), format!("{prompt}{allowed}"))
        })
        .collect();
    for (name, prompt) in missing {
        if !may_ask(world) {
            return Err(Error::usage(format!("provider `{}` needs `{name}`: {}", raw.id, safe(&prompt)))
                .hint(format!("oauthctl profile set {} vars.{name} VALUE", session.name)));
        }
        let value = ask(world, &safe(&prompt))?;
        session.profile.vars.insert(name, value);
    }
    Ok(())
}

/// Whether this program is to be registered first: no client id is known, the server takes registrations, and the person wants
/// it or is asked.
pub(super) fn registers(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    old: Option<&Record>,
    args: &LoginArgs,
) -> Result<bool, Error> {
    let alone = session.store.kind() == StoreKind::None;
    if args.no_register || provider.registration_url.is_none() || session.client(world, provider, old)?.is_some() {
        return Ok(false);
    }
    if args.register {
        return match alone {
            false => Ok(true),
            true => Err(Error::usage("the store `none` keeps nothing: a registration would be lost at once")),
        };
    }
    if alone || !may_ask(world) {
        return Ok(false);
    }
    let question = format!(
        "No client id is known for {}. It takes registrations: register this program there now? [Y/n]: ",
        safe(&provider.name)
    );
    let _ = world.err.show(&question);
    let answer = world.terminal.read_line().unwrap_or_default();
    Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes"))
}

/// Client id and secret, asked for at the terminal where they are missing.
pub(super) fn complete_client(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    old: Option<&Record>,
    endpoint: &Endpoint,
    plan: Option<&Plan>,
) -> Result<Client, Error> {
    let known = session.client(world, provider, old)?;
    if let Some(client) = &known
        && (client.secret.is_some() || client.proofs.key.is_some() || usable_auth(endpoint, client).is_ok())
    {
        warn_of_none(world, session, provider, usable_auth(endpoint, client).ok());
        return Ok(client.clone());
    }
    if let Some(client) = &known
        && let Err(e @ (RequestError::NeedsKey | RequestError::NeedsCertificate)) = usable_auth(endpoint, client)
    {
        // nobody types one in
        return Err(e.into());
    }
    if !may_ask(world) {
        return match known {
            None => Err(unregistered(session, provider, plan)),
            Some(client) => usable_auth(endpoint, &client).map(|_| client.clone()).map_err(Error::from),
        };
    }
    introduce(world, provider, plan);
    let id = match known {
        Some(client) => client.id,
        None => ask(world, "Client id")?,
    };
    let public_too = usable_auth(endpoint, &Client::plain(id.clone(), None)).is_ok();
    let question =
        if public_too { "Client secret (not shown; Enter if the app has none)" } else { "Client secret (not shown)" };
    let secret = ask_hidden(world, question)?;
    let secret = (!secret.is_empty()).then_some(secret);
    if secret.is_none() && !public_too {
        return Err(
            Error::usage("this provider wants a client secret").hint(format!("oauthctl login {}", session.name))
        );
    }
    if let Some(secret) = &secret {
        session.set_secret(secret.clone());
    }
    session.profile.client_id = Some(id.clone());
    session.client_with(world, provider, old, id, secret)
}

/// Many a server takes clients without a secret and does not list `none`; a script is told what is tried.
fn warn_of_none(world: &mut World, session: &Session, provider: &Provider, auth: Option<ClientAuth>) {
    let Some(methods) = &provider.announced.auth_methods else { return };
    let listed = methods.iter().any(|method| method == "none");
    if auth == Some(ClientAuth::None) && !listed && session.profile.proofs.auth.is_none() {
        world.warn(&format!(
            "{} announces no clients without a secret ({}): trying without one; `--auth none` says so for good",
            safe(&provider.name),
            safe(&methods.join(", "))
        ));
    }
}

/// No client id, and nobody to ask for one.
fn unregistered(session: &Session, provider: &Provider, plan: Option<&Plan>) -> Error {
    let name = &session.name;
    let practise =
        provider.practice.as_deref().map(|app| format!("this is practice, with an app there is: {}", safe(app)));
    let register = provider.console_url.as_deref().map(|console| {
        let redirect = plan.and_then(Plan::to_register).map(|uri| format!(", with the redirect URL {}", safe(&uri)));
        format!("register an app at {}{}", safe(console), redirect.unwrap_or_default())
    });
    let mut error = Error::usage(format!("no client id is known for `{name}`, and there is no terminal to ask at"));
    error.hints.extend(practise.or(register));
    if provider.registration_url.is_some() {
        error = error.hint(format!("oauthctl login {name} --register"));
    }
    error
        .hint(format!("oauthctl login {name} --client-id ID --client-secret-file FILE"))
        .hint("in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET")
}

/// Where to register, and what to enter there; at a practice server the app to use.
fn introduce(world: &mut World, provider: &Provider, plan: Option<&Plan>) {
    if let Some(app) = &provider.practice {
        world.say(&format!("{}: nothing to register. Enter an app that is there already:", safe(&provider.name)));
        world.say(&format!("  {}", safe(app).replace("; or ", "\n  or ")));
        world.say("");
        return;
    }
    world.say(&format!(
        "To sign in to {} you need an app of your own there (its client id and client secret).",
        safe(&provider.name)
    ));
    if let Some(console) = &provider.console_url {
        world.say(&format!("  Register it at: {}", safe(console)));
    } else if let Some(note) = provider.notes.first() {
        world.say(&format!("  {}", safe(note)));
    }
    if let Some(plan) = plan {
        match plan.to_register() {
            Some(uri) => world.say(&format!("  Redirect URL to enter there: {}", safe(&uri))),
            None => world.say(
                "  Redirect URL to enter there: any https address of your own; you paste back where the browser ends",
            ),
        }
    }
    world.say("");
}

pub(super) fn ask(world: &mut World, question: &str) -> Result<String, Error> {
    let _ = world.err.show(&format!("{question}: "));
    let answer =
        world.terminal.read_line().map_err(|e| Error::new(Kind::Usage, "the terminal could not be read").cause(e))?;
    let answer = answer.trim().to_owned();
    if answer.is_empty() { Err(Error::usage(format!("{question}: nothing was entered"))) } else { Ok(answer) }
}

pub(super) fn ask_hidden(world: &mut World, question: &str) -> Result<Secret, Error> {
    world.terminal.hide();
    let _ = world.err.show(&format!("{question}: "));
    let answer =
        world.terminal.read_hidden().map_err(|e| Error::new(Kind::Usage, "the terminal could not be read").cause(e))?;
    Ok(Secret::new(answer.trim()))
}

/// Nothing ties this redirect to this login (the provider returns no `state`): the person looks at who it is.
pub(super) fn confirm_account(
    world: &mut World,
    session: &Session,
    provider: &Provider,
    account: Option<&str>,
    set: &TokenSet,
) -> Result<(), Error> {
    let id = account
        .map(str::to_owned)
        .or_else(|| set.extra.get("user_id").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)));
    let who = id.map_or_else(|| "an account that is not named".to_owned(), |id| format!("user {}", safe(&id)));
    if !may_ask(world) {
        world.warn(&format!("{} can't prove that this sign-in is yours: it is {who}", safe(&provider.name)));
        return Ok(());
    }
    let _ = world.err.show(&format!(
        "{} can't prove that this sign-in is yours. It is {who}. Keep it? [Y/n]: ",
        safe(&provider.name)
    ));
    let answer = world.terminal.read_line().unwrap_or_default();
    match answer.trim().to_lowercase().as_str() {
        "" | "y" | "yes" => Ok(()),
        _ => {
            Err(Error::new(Kind::Refused, "the sign-in was not kept").hint(format!("oauthctl login {}", session.name)))
        }
    }
}
