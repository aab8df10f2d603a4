//! The grants that need no browser on this machine.

use std::time::Duration;

use super::Start;
use super::browser::{Attempt, Obtained};
use super::prompt::{Needed, ask, ask_hidden};
use crate::command::may_ask;
use crate::config::GrantKind;
use crate::error::Error;
use crate::grant::ciba::Wish;
use crate::grant::signed_in_as::Sent;
use crate::grant::{Aim, Asking, ciba, device, password};
use crate::protocol::ciba::{Hint, More};
use crate::secret::Secret;
use crate::session::fresh::by_grant;
use crate::session::{Session, grant_input, secret_source};
use crate::token::TokenSet;
use crate::world::World;

/// The server says how long it waits; `--timeout` can only shorten that.
const USUAL_WAIT: Duration = Duration::from_secs(3600);

/// Checks the grant's inputs before any question about the client, then obtains the token.
pub(super) fn without_browser(
    world: &mut World,
    session: &mut Session,
    &Start { provider, old, grant, args, .. }: &Start<'_>,
    attempt: &mut Attempt,
) -> Result<Obtained, Error> {
    let mut hint = None;
    let mut password = None;
    let endpoint = match grant {
        GrantKind::DeviceCode => provider.device.as_ref().map_or(&provider.token.endpoint, |device| &device.endpoint),
        GrantKind::Ciba => {
            hint = Some(login_hint(world, session)?);
            provider.ciba.as_ref().unwrap_or(&provider.token)
        }
        GrantKind::Password => {
            password = given_password(world, session)?;
            &provider.token
        }
        _ => {
            grant_input::are_said(session, grant)?;
            let own = provider.client_credentials.offered().filter(|_| grant == GrantKind::ClientCredentials);
            own.unwrap_or(&provider.token)
        }
    };
    let client = match grant {
        // the assertion may name the client
        GrantKind::JwtBearer | GrantKind::Saml2Bearer => {
            let client = session.require_client(world, old)?;
            attempt.say_notice(world);
            client
        }
        _ => {
            let needed = Needed { provider, old, endpoint, plan: None, guided: attempt.guided };
            attempt.client(world, session, &needed)?
        }
    };
    let asked = session.scopes(provider, grant);
    let asking = session.asking_with(provider, &client);
    let timeout = args.timeout.unwrap_or(USUAL_WAIT);
    let aim = Aim { scopes: &asked, profile: &session.profile };
    let set = match (grant, hint) {
        (GrantKind::DeviceCode, _) => device::obtain(world, &asking, aim, timeout)?.set,
        (_, Some(hint)) => {
            let more = on_the_other_device(session);
            ciba::obtain(world, &asking, Wish { aim, hint: &hint, more: &more, timeout })?.set
        }
        (GrantKind::Password, _) => by_password(world, &asking, aim, password)?,
        _ => by_grant(world, session, &asking, grant)?.set,
    };
    Ok(Obtained {
        set,
        client,
        asked,
        redirect_params: Vec::new(),
        caught: None,
        sent: Sent::default(),
        confirm: false,
    })
}

/// What the person sees and does there.
fn on_the_other_device(session: &Session) -> More {
    let asks = &session.profile.asks.sign_in;
    More {
        binding_message: asks.binding_message.clone(),
        requested_expiry: asks.requested_expiry.map(u64::from),
        acr_values: asks.acr_values.clone(),
    }
}

/// The person to ask, named in one of three ways.
fn login_hint(world: &mut World, session: &Session) -> Result<Hint, Error> {
    let asks = &session.profile.asks.sign_in;
    let id_token = secret_source::read(world, session, "ID token hint", &asks.id_token_hint)?;
    let login_token = secret_source::read(world, session, "login hint token", &asks.login_hint_token)?;
    match (&asks.login_hint, id_token, login_token) {
        (Some(hint), None, None) => Ok(Hint::Login(hint.clone())),
        (None, Some(token), None) => Ok(Hint::IdToken(token)),
        (None, None, Some(token)) => Ok(Hint::LoginToken(token)),
        (None, None, None) if may_ask(world) => ask(world, "Person to ask (the name at the provider)").map(Hint::Login),
        (None, None, None) => {
            Err(Error::usage("no person to ask is named").hint("`--login-hint NAME`: the name at the provider"))
        }
        _ => Err(Error::usage("the person to ask is named more than once")
            .hint("one of `--login-hint`, `--id-token-hint-file` and `--login-hint-token-file`")),
    }
}

/// A password is sent only if the command line names the grant.
fn given_password(world: &mut World, session: &Session) -> Result<Option<Secret>, Error> {
    if session.choice.flags.grant != Some(GrantKind::Password) {
        return Err(Error::usage("a password is sent only if the command line asks for it")
            .hint(session.typed.login_by("password")));
    }
    secret_source::read(world, session, "password", &session.profile.asks.sign_in.password)
}

fn by_password(world: &mut World, asking: &Asking, aim: Aim<'_>, given: Option<Secret>) -> Result<TokenSet, Error> {
    password::warn(world, asking);
    let username = match &aim.profile.asks.sign_in.username {
        Some(name) => name.clone(),
        None if may_ask(world) => ask(world, "Your name at the provider")?,
        None => return Err(Error::usage("no name is given to sign in with").hint("`--username NAME`")),
    };
    let password = match given {
        Some(password) => password,
        None if may_ask(world) => ask_hidden(world, "Your password at the provider (not shown)")?,
        None => {
            return Err(Error::usage("no password is given to sign in with")
                .hint("`--password-file FILE` (`-`: standard input)"));
        }
    };
    Ok(password::obtain(world, asking, (&username, &password), aim)?.set)
}
