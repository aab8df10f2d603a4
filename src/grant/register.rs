//! Registers this program as a client; reads, changes and deletes the registration (RFC 7591, RFC
//! 7592). It stores nothing.

use crate::config::GrantKind;
use crate::error::{Error, Kind};
use crate::grant::{redirected, send};
use crate::protocol::client::{Client, RequestError};
use crate::protocol::jose::SigningKey;
use crate::protocol::registration::{self, ClientMetadata, Management, Registered, RegistrationError};
use crate::protocol::token_request;
use crate::provider::expand::unfilled;
use crate::provider::{ClientAuth, Endpoint, Provider, from_registered_name, registered_name};
use crate::secret::Secret;
use crate::text::safe;
use crate::wire::Response;
use crate::world::World;

/// The client metadata to request, by the server's abilities and the client's grant. `chosen`: the
/// user's client authentication; `key`: the client's key.
pub fn wanted(
    provider: &Provider,
    grant: GrantKind,
    name: &str,
    redirect_uris: Vec<String>,
    scopes: &[String],
    (chosen, key): (Option<ClientAuth>, Option<&SigningKey>),
) -> Result<ClientMetadata, Error> {
    let auth_method = auth_method(provider, grant, chosen, key.is_some())?;
    let mut grant_types = vec![grant.grant_type().to_owned()];
    if grant.needs_person() && provider.refresh.supported {
        grant_types.push("refresh_token".to_owned());
    }
    Ok(ClientMetadata {
        name: name.to_owned(),
        redirect_uris: match grant {
            GrantKind::AuthorizationCode => redirect_uris,
            _ => Vec::new(),
        },
        grant_types,
        auth_method: auth_method.to_owned(),
        key: key.filter(|_| auth_method == "private_key_jwt").map(SigningKey::public_jwk),
        // RFC 7591, section 2: separated by spaces, with every provider
        scope: (!scopes.is_empty()).then(|| scopes.join(" ")),
    })
}

/// RFC 8252, section 8.4: a program on a user's machine stores no client secret if it can do
/// without.
fn auth_method(
    provider: &Provider,
    grant: GrantKind,
    chosen: Option<ClientAuth>,
    has_key: bool,
) -> Result<&'static str, Error> {
    let takes = |auth: ClientAuth| match &provider.announced.auth_methods {
        Some(names) => registered_name(auth).is_some_and(|ours| names.iter().any(|name| name == ours)),
        None => provider.token.auth.contains(&auth),
    };
    let no_key = || {
        Error::usage("a client that authenticates with a key is registered with it, and none was given")
            .hint("`--client-key-file FILE`: the private key; the server gets its public half")
    };
    match chosen {
        Some(ClientAuth::TlsClientAuth | ClientAuth::SelfSignedTlsClientAuth) => {
            return Err(Error::usage("a client that shows a certificate can't be registered from here")
                .hint("register it at the provider, then log in with `--client-id ID --client-certificate FILE`"));
        }
        Some(ClientAuth::PrivateKeyJwt) if !has_key => return Err(no_key()),
        Some(auth) => return Ok(registered_name(auth).unwrap_or("client_secret_basic")),
        None => {}
    }
    Ok(match grant.needs_person() && takes(ClientAuth::None) {
        _ if has_key && takes(ClientAuth::PrivateKeyJwt) => "private_key_jwt",
        true => "none",
        false if takes(ClientAuth::Basic) => "client_secret_basic",
        false if takes(ClientAuth::Post) => "client_secret_post",
        false if takes(ClientAuth::ClientSecretJwt) => "client_secret_jwt",
        false if takes(ClientAuth::PrivateKeyJwt) => return Err(no_key()),
        false => "client_secret_basic",
    })
}

/// The client authentication from now on: the server may have registered another one than requested
/// (RFC 7591, section 3.2.1). `None`: the one that would be chosen anyway. `client`: with the
/// server's id and secret. An error: one that this client can't use, in words.
pub fn settled(
    provider: &Provider,
    asked: Option<&str>,
    made: &Registered,
    client: &Client,
) -> Result<Option<ClientAuth>, String> {
    let Some(said) = made.auth_method.as_deref().or(asked) else { return Ok(None) };
    let Some(auth) = from_registered_name(said) else {
        return Err(format!("`{}`, which this program does not support", safe(said)));
    };
    let endpoint = Endpoint { auth: vec![auth], ..provider.token.endpoint.clone() };
    token_request::usable_auth(&endpoint, client).map_err(|why| match why {
        RequestError::NeedsSecret => format!("`{said}`, and it gave no client secret"),
        RequestError::NeedsKey => format!("`{said}`, and it knows no key of this client"),
        RequestError::NeedsCertificate => format!("`{said}`, and this client has no certificate"),
        other => format!("`{said}`: {other}"),
    })?;
    Ok(match token_request::usable_auth(&provider.token, client) {
        Ok(usual) if usual == auth => None,
        _ => Some(auth),
    })
}

/// Registers a client (RFC 7591, section 3). `answered` gets the response before it is judged.
pub fn register(
    world: &mut World,
    provider: &Provider,
    (wanted, initial): (&ClientMetadata, Option<&Secret>),
    answered: impl FnOnce(&mut World, &Response),
) -> Result<Registered, Error> {
    let Some(url) = &provider.registration_url else {
        let error = Error::usage(format!("`{}` takes no registrations by itself", safe(&provider.name)));
        return Err(match &provider.console_url {
            Some(console) => error.hint(format!("register an app at {}", safe(console))),
            None => error.hint("`registration-url` in a provider file, if it has one all the same"),
        });
    };
    if let Some(name) = unfilled(url).first() {
        return Err(Error::unfilled(name));
    }
    let response = send(world, &registration::request(url, wanted, initial))?;
    answered(world, &response);
    let failed = "this program could not be registered";
    registration::read(&response).map_err(|e| {
        let wants_token = matches!(&e, RegistrationError::Refused { status: 401 | 403, .. }) && initial.is_none();
        let error = refused(failed, e, &response);
        match wants_token {
            true => error.hint("this server wants an initial access token: `--initial-access-token-file FILE`"),
            false => error.hint("with a client of your own: `login` with `--client-id ID`"),
        }
    })
}

/// Whether the server refused the redirect address (RFC 7591, section 3.2.2).
pub fn is_about_redirect(e: &Error) -> bool {
    let Some(RegistrationError::Refused { said: Some(said), .. }) = e.what.downcast_ref() else { return false };
    said.starts_with("invalid_redirect_uri")
}

/// Reads the registration, or changes it to what is `wanted` (RFC 7592, section 2.2). The response
/// may bring new secrets.
pub fn manage(
    world: &mut World,
    (management, client_id, secret): (&Management, &str, Option<&Secret>),
    wanted: Option<&ClientMetadata>,
    answered: impl FnOnce(&mut World, &Response),
) -> Result<(Registered, Response), Error> {
    let (request, failed) = match wanted {
        Some(wanted) => {
            (registration::update(management, client_id, secret, wanted), "the registration could not be changed")
        }
        None => (registration::look(management), "the registration could not be read"),
    };
    let response = send(world, &request)?;
    answered(world, &response);
    let read = registration::read_again(&response, client_id).map_err(|e| refused(failed, e, &response))?;
    Ok((read, response))
}

/// Deletes the registration. `Ok(false)`: the server had already deleted it.
pub fn delete(world: &mut World, management: &Management) -> Result<bool, Error> {
    let response = send(world, &registration::delete(management))?;
    match response.status {
        200..=299 => Ok(true),
        // section 2.3: an invalid token belongs to a deleted registration
        401 | 404 | 410 => Ok(false),
        _ => Err(refused("the registration could not be ended", registration::refusal(&response), &response)),
    }
}

fn refused(message: &str, e: RegistrationError, response: &Response) -> Error {
    if let Some(error) = redirected(response, message) {
        return error;
    }
    let kind = match &e {
        RegistrationError::Refused { status, .. } if *status == 429 || *status >= 500 => Kind::TryLater,
        RegistrationError::Refused { .. } => Kind::Refused,
        RegistrationError::Missing(_) | RegistrationError::OtherClient(_) => Kind::Unsafe,
    };
    Error::new(kind, message).cause(e)
}
