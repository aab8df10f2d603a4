//! Registers this program as a client, and looks after that registration (RFC 7591, RFC 7592). Keeps nothing itself.

use crate::config::GrantKind;
use crate::error::{Error, Kind};
use crate::grant::send;
use crate::protocol::registration::{self, Management, Registered, RegistrationError, Wanted};
use crate::provider::{ClientAuth, Provider};
use crate::secret::Secret;
use crate::text::safe;
use crate::wire::Response;
use crate::world::World;

/// What to ask for, from what the server takes and what the client is for.
pub fn wanted(
    provider: &Provider,
    grant: GrantKind,
    name: &str,
    redirect_uri: Option<String>,
    scopes: &[String],
) -> Wanted {
    let mut grant_types = vec![grant.grant_type().to_owned()];
    if grant.needs_person() && provider.refresh.supported {
        grant_types.push("refresh_token".to_owned());
    }
    Wanted {
        name: name.to_owned(),
        redirect_uris: match grant {
            GrantKind::AuthorizationCode => redirect_uri.into_iter().collect(),
            _ => Vec::new(),
        },
        grant_types,
        auth_method: auth_method(provider, grant).to_owned(),
        scope: (!scopes.is_empty()).then(|| scopes.join(&provider.scopes.separator)),
    }
}

/// RFC 8252, section 8.4: a program on a person's machine keeps no secret of the server's, where it can do without.
fn auth_method(provider: &Provider, grant: GrantKind) -> &'static str {
    let takes = |auth: ClientAuth| provider.token.auth.contains(&auth);
    match grant.needs_person() && takes(ClientAuth::None) {
        true => "none",
        false if takes(ClientAuth::Basic) => "client_secret_basic",
        false if takes(ClientAuth::Post) => "client_secret_post",
        false => "client_secret_basic",
    }
}

pub fn register(
    world: &mut World,
    provider: &Provider,
    wanted: &Wanted,
    initial: Option<&Secret>,
) -> Result<Registered, Error> {
    let Some(url) = &provider.registration_url else {
        let error = Error::usage(format!("`{}` takes no registrations by itself", safe(&provider.name)));
        return Err(match &provider.console_url {
            Some(console) => error.hint(format!("register an app at {}", safe(console))),
            None => error.hint("`registration-url` in a provider file, if it has one all the same"),
        });
    };
    let response = send(world, &registration::request(url, wanted, initial))?;
    let failed = "this program could not be registered";
    registration::read(&response).map_err(|e| {
        let wants_token = matches!(&e, RegistrationError::Refused { status: 401 | 403, .. }) && initial.is_none();
        let error = refused(failed, e, &response);
        match wants_token {
            true => error.hint("this server wants an initial access token: `--initial-access-token-file FILE`"),
            false => error,
        }
    })
}

/// What the server holds now; it may have drawn new secrets.
pub fn look(world: &mut World, management: &Management) -> Result<(Registered, Response), Error> {
    let response = send(world, &registration::look(management))?;
    let read =
        registration::read(&response).map_err(|e| refused("the registration could not be read", e, &response))?;
    Ok((read, response))
}

pub fn update(
    world: &mut World,
    management: &Management,
    client_id: &str,
    secret: Option<&Secret>,
    wanted: &Wanted,
) -> Result<Registered, Error> {
    let response = send(world, &registration::update(management, client_id, secret, wanted))?;
    registration::read(&response).map_err(|e| refused("the registration could not be changed", e, &response))
}

/// `Ok(false)`: the server knew it no more.
pub fn delete(world: &mut World, management: &Management) -> Result<bool, Error> {
    let response = send(world, &registration::delete(management))?;
    match response.status {
        200..=299 => Ok(true),
        // section 2.3: a token that is good no more belongs to a registration that is gone
        401 | 404 | 410 => Ok(false),
        _ => Err(refused("the registration could not be ended", registration::refusal(&response), &response)),
    }
}

fn refused(message: &str, e: RegistrationError, response: &Response) -> Error {
    let kind = match &e {
        RegistrationError::Refused { status, .. } if *status == 429 || *status >= 500 => Kind::TryLater,
        RegistrationError::Refused { .. } => Kind::Refused,
        RegistrationError::Missing(_) => Kind::Unsafe,
    };
    let error = Error::new(kind, message).cause(e);
    match response.header("location") {
        Some(_) => error.cause("it answered with a redirect, which is never followed with a secret"),
        None => error,
    }
}
