//! The address that the browser opens: the parameters alone, signed (RFC 9101), or pushed to the
//! provider first (RFC 9126).

use crate::error::{Asked, Error, token_answer};
use crate::grant::{Asking, random_text, send};
use crate::protocol::authorization_request;
use crate::protocol::client_auth;
use crate::protocol::par;
use crate::protocol::request_object;
use crate::provider::{Endpoint, When};
use crate::secret::Secret;
use crate::text::safe;
use crate::world::World;

/// How the request travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Travel {
    /// The profile's setting; `Auto`: the provider's, then its metadata's.
    pub par: When,
    /// Likewise.
    pub request_object: When,
}

/// The address that the browser opens.
pub struct Address {
    pub url: Secret,
    /// Seconds, if the provider forgets it after a time.
    pub good_for: Option<u64>,
}

/// Makes the address of `params` (final names), and pushes them first if that is wanted.
pub fn address(
    world: &mut World,
    asking: &Asking,
    params: Vec<(String, String)>,
    travel: Travel,
) -> Result<Address, Error> {
    let endpoint = pushed_to(asking, travel)?;
    let params = if signs(asking, travel)? { signed(world, asking, params)? } else { params };
    match endpoint {
        Some(endpoint) => push(world, asking, &endpoint, params),
        None => Ok(Address { url: authorization_request::address(&asking.provider, &params)?, good_for: None }),
    }
}

/// The profile's setting, else the provider's.
fn chosen(own: When, theirs: When) -> When {
    if own == When::Auto { theirs } else { own }
}

/// The endpoint that the request is pushed to, if any. If it has to be pushed and can't, the error
/// comes before any request.
fn pushed_to(asking: &Asking, travel: Travel) -> Result<Option<Endpoint>, Error> {
    let provider = &asking.provider;
    let endpoint = par::endpoint(provider);
    match chosen(travel.par, provider.par) {
        When::Always if endpoint.is_none() => {
            Err(Error::usage(format!("`{}` has no address to push an authorize request to", safe(&provider.name)))
                .hint(format!(
                    "`{}`, or `par-url` in a provider file",
                    asking.profile.login_with(&[("--par", "auto")])
                )))
        }
        When::Always => Ok(endpoint),
        When::Never if provider.par_required => Err(Error::usage(format!(
            "`{}` takes pushed authorize requests only, and `par` is `false`",
            safe(&provider.name)
        ))
        .hint(asking.profile.login_with(&[("--par", "auto")]))),
        When::Never => Ok(None),
        When::Auto => Ok(endpoint.filter(|_| provider.par_required)),
    }
}

/// Whether the request is signed.
fn signs(asking: &Asking, travel: Travel) -> Result<bool, Error> {
    let provider = &asking.provider;
    let signs = match chosen(travel.request_object, provider.request_object) {
        When::Always => true,
        When::Never => false,
        When::Auto => provider.request_object_required,
    };
    if signs && asking.client.proofs.key.is_none() {
        return Err(Error::usage("the authorize request is to be signed, and the client has no key")
            .hint(asking.profile.login_with(&[("--client-key-file", "FILE")]))
            .hint(asking.profile.login_with(&[("--request-object", "false")])));
    }
    Ok(signs)
}

/// All parameters as a signed object, and beside it those that OAuth requires in the open (RFC
/// 9101, section 5; OpenID Connect Core, section 6.1).
fn signed(world: &mut World, asking: &Asking, params: Vec<(String, String)>) -> Result<Vec<(String, String)>, Error> {
    let provider = &asking.provider;
    let now = world.clock.now();
    let audience = provider.issuer.as_deref().or(provider.authorize.url.as_deref()).unwrap_or("");
    let claims = request_object::claims(&params, &asking.client.id, audience, now, &random_text::<16>(world));
    let object = client_auth::request_object(&asking.client, &claims)?;
    world.step(|| "the authorize request is signed".to_owned());
    let beside = |name: &str| ["client_id", "response_type", "scope"].contains(&name);
    let mut out: Vec<(String, String)> = params.into_iter().filter(|(name, _)| beside(name)).collect();
    out.push(("request".to_owned(), object.expose().to_owned()));
    Ok(out)
}

fn push(
    world: &mut World,
    asking: &Asking,
    endpoint: &Endpoint,
    params: Vec<(String, String)>,
) -> Result<Address, Error> {
    // section 2.1: `client_id` is required by RFC 6749, section 4.1.1, with any client
    // authentication
    let body = params.iter().map(|(name, value)| (name.as_str(), Secret::unlisted(value.as_str()))).collect();
    let request = asking.request("pushed authorization request", endpoint, body)?;
    world.step(|| "the authorize request is pushed to the provider first".to_owned());
    let response = send(world, &request)?;
    let now = world.clock.now();
    let pushed = par::read(&response, &endpoint.ok_status, &asking.provider.response)
        .map_err(|e| token_answer(e, Asked::Pushed, (&asking.profile, &asking.client), now))?;
    let short = [
        ("client_id".to_owned(), asking.client.id.clone()),
        ("request_uri".to_owned(), pushed.request_uri.expose().to_owned()),
    ];
    Ok(Address { url: authorization_request::address(&asking.provider, &short)?, good_for: pushed.expires_in })
}
