//! The ways to sign in without a browser on this machine, one function per grant: what each needs
//! before it starts.

use std::time::Duration;

use super::Start;
use super::ask::{Needed, ask, ask_hidden};
use super::ways::{Attempt, Obtained};
use crate::command::may_ask;
use crate::config::GrantKind;
use crate::error::Error;
use crate::grant::Aim;
use crate::grant::ciba::Wish;
use crate::grant::identity::Sent;
use crate::grant::{ciba, device, password};
use crate::protocol::ciba::{Hint, More};
use crate::protocol::client::Client;
use crate::secret::Secret;
use crate::session::fresh::by_grant;
use crate::session::{Session, inputs};
use crate::token::TokenSet;
use crate::world::World;

fn obtained(set: TokenSet, client: Client, asked: Vec<String>) -> Obtained {
    Obtained { set, client, asked, redirect_params: Vec::new(), caught: None, sent: Sent::default(), confirm: false }
}

/// Client credentials, assertions, and the exchange of one token for another.
pub(super) fn unattended(
    world: &mut World,
    session: &mut Session,
    &Start { provider, old, grant, .. }: &Start<'_>,
    attempt: &mut Attempt,
) -> Result<Obtained, Error> {
    let endpoint = match grant {
        GrantKind::ClientCredentials => provider.client_credentials.offered().unwrap_or(&provider.token),
        _ => &provider.token,
    };
    inputs::are_said(session, grant)?;
    let client = match grant {
        // the assertion may speak for itself
        GrantKind::JwtBearer | GrantKind::Saml2Bearer => session.require_client(world, old)?,
        _ => attempt.client(world, session, &Needed { provider, old, endpoint, plan: None })?,
    };
    attempt.say_notice(world);
    let asked = session.scopes(provider, grant);
    let set = by_grant(world, session, &session.asking_with(provider, &client), grant)?.set;
    Ok(obtained(set, client, asked))
}

/// On a machine without a browser: the code is entered anywhere.
pub(super) fn by_device_code(
    world: &mut World,
    session: &mut Session,
    &Start { provider, old, args, .. }: &Start<'_>,
    attempt: &mut Attempt,
) -> Result<Obtained, Error> {
    let endpoint = provider.device.as_ref().map_or(&provider.token.endpoint, |device| &device.endpoint);
    let client = attempt.client(world, session, &Needed { provider, old, endpoint, plan: None })?;
    let asked = session.scopes(provider, GrantKind::DeviceCode);
    let asking = session.asking_with(provider, &client);
    // the server says how long the code is good; `--timeout` can only shorten it
    let timeout = args.timeout.unwrap_or(Duration::from_secs(3600));
    let set = device::obtain(world, &asking, &asked, timeout)?.set;
    Ok(obtained(set, client, asked))
}

/// The person confirms on a device of their own.
pub(super) fn by_ciba(
    world: &mut World,
    session: &mut Session,
    &Start { provider, old, args, .. }: &Start<'_>,
    attempt: &mut Attempt,
) -> Result<Obtained, Error> {
    let hint = hint(world, session)?;
    let endpoint = provider.ciba.as_ref().unwrap_or(&provider.token);
    let client = attempt.client(world, session, &Needed { provider, old, endpoint, plan: None })?;
    let asked = session.scopes(provider, GrantKind::Ciba);
    let asks = &session.profile.asks.sign_in;
    let more = More {
        binding_message: asks.binding_message.clone(),
        requested_expiry: asks.requested_expiry.map(u64::from),
        acr_values: asks.acr_values.clone(),
    };
    let asking = session.asking_with(provider, &client);
    let timeout = args.timeout.unwrap_or(Duration::from_secs(3600));
    let set = ciba::obtain(world, &asking, Wish { scopes: &asked, hint: &hint, more: &more, timeout })?.set;
    Ok(obtained(set, client, asked))
}

/// Who is to be asked: said in one of three ways.
fn hint(world: &mut World, session: &Session) -> Result<Hint, Error> {
    let asks = &session.profile.asks.sign_in;
    let id_token = inputs::read(world, session, "ID token", &asks.id_token_hint)?;
    let login_token = inputs::read(world, session, "login hint token", &asks.login_hint_token)?;
    match (&asks.login_hint, id_token, login_token) {
        (Some(hint), None, None) => Ok(Hint::Login(hint.clone())),
        (None, Some(token), None) => Ok(Hint::IdToken(token)),
        (None, None, Some(token)) => Ok(Hint::LoginToken(token)),
        (None, None, None) if may_ask(world) => {
            ask(world, "Who is to be asked (as the provider knows them)").map(Hint::Login)
        }
        (None, None, None) => {
            Err(Error::usage("nobody is named who could be asked")
                .hint("`--login-hint NAME`, as the provider knows them"))
        }
        _ => Err(Error::usage("who is to be asked is said more than once")
            .hint("one of `--login-hint`, `--id-token-hint-file` and `--login-hint-token-file`")),
    }
}

/// Name and password, for people who have nothing else.
pub(super) fn by_password(
    world: &mut World,
    session: &mut Session,
    &Start { provider, old, .. }: &Start<'_>,
    attempt: &mut Attempt,
) -> Result<Obtained, Error> {
    if session.choice.flags.grant != Some(GrantKind::Password) {
        return Err(Error::usage("a password is sent only where the command itself says so")
            .hint(session.typed.login_by("password")));
    }
    let given = inputs::read(world, session, "password", &session.profile.asks.sign_in.password)?;
    let endpoint = &provider.token;
    let client = attempt.client(world, session, &Needed { provider, old, endpoint, plan: None })?;
    let asking = session.asking_with(provider, &client);
    password::warn(world, &asking);
    let asks = &session.profile.asks;
    let username = match &asks.sign_in.username {
        Some(name) => name.clone(),
        None if may_ask(world) => ask(world, "Your name there")?,
        None => return Err(Error::usage("no name is known to sign in with").hint("`--username NAME`")),
    };
    let password: Secret = match given {
        Some(password) => password,
        None if may_ask(world) => ask_hidden(world, "Your password there (not shown)")?,
        None => {
            return Err(Error::usage("no password is known to sign in with")
                .hint("`--password-file FILE` (`-`: standard input)"));
        }
    };
    let asked = session.scopes(provider, GrantKind::Password);
    let aim = Aim { scopes: &asked, resources: &asks.resource, audiences: &asks.audience };
    let set = password::obtain(world, &asking, (&username, &password), aim)?.set;
    drop(password);
    Ok(obtained(set, client, asked))
}
