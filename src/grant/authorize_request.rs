//! The address that the browser opens: the parameters alone, signed (RFC 9101), or pushed to the
//! provider first (RFC 9126).

use crate::error::{Asked, Error, token_answer};
use crate::grant::{Asking, random_text, send};
use crate::protocol::authorize;
use crate::protocol::client_auth;
use crate::protocol::par;
use crate::protocol::request_object;
use crate::protocol::token_request;
use crate::provider::Wanted;
use crate::secret::Secret;
use crate::text::safe;
use crate::world::World;

/// How the request travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Travel {
    /// The profile's setting; `Auto`: the provider's, then its metadata's.
    pub par: Wanted,
    /// Likewise.
    pub request_object: Wanted,
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
    let pushes = pushes(asking, travel)?;
    let params = if signs(asking, travel)? { signed(world, asking, params)? } else { params };
    if !pushes {
        return Ok(Address { url: authorize::address(&asking.provider, &params)?, good_for: None });
    }
    push(world, asking, params)
}

/// Whether the request is pushed. If it has to be and can't, the error comes before any request.
fn pushes(asking: &Asking, travel: Travel) -> Result<bool, Error> {
    let provider = &asking.provider;
    let wanted = match (travel.par, provider.par) {
        (Wanted::Auto, theirs) => theirs,
        (own, _) => own,
    };
    let there = provider.par_url.is_some();
    match wanted {
        Wanted::Always if !there => {
            Err(Error::usage(format!("`{}` has no address to push an authorize request to", safe(&provider.name)))
                .hint(format!(
                    "`{}`, or `par-url` in a provider file",
                    asking.profile.login_with(&[("--par", "auto")])
                )))
        }
        Wanted::Always => Ok(true),
        Wanted::Never if provider.par_required => Err(Error::usage(format!(
            "`{}` takes pushed authorize requests only, and `par` is `false`",
            safe(&provider.name)
        ))
        .hint(asking.profile.login_with(&[("--par", "auto")]))),
        Wanted::Never => Ok(false),
        Wanted::Auto => Ok(provider.par_required && there),
    }
}

/// Whether the request is signed.
fn signs(asking: &Asking, travel: Travel) -> Result<bool, Error> {
    let provider = &asking.provider;
    let wanted = match (travel.request_object, provider.request_object) {
        (Wanted::Auto, theirs) => theirs,
        (own, _) => own,
    };
    let signs = match wanted {
        Wanted::Always => true,
        Wanted::Never => false,
        Wanted::Auto => provider.request_object_required,
    };
    if signs && asking.client.proofs.key.is_none() {
        return Err(Error::usage("the authorize request is to be signed, and the client has no key")
            .hint(asking.profile.login_with(&[("--client-key-file", "FILE")]))
            .hint(asking.profile.login_with(&[("--request-object", "false")])));
    }
    Ok(signs)
}

/// All parameters as a signed object, and beside it those that OAuth requires in the open (RFC 9101,
/// section 5; OpenID Connect Core, section 6.1).
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

fn push(world: &mut World, asking: &Asking, params: Vec<(String, String)>) -> Result<Address, Error> {
    let provider = &asking.provider;
    let missing = || Error::usage(format!("provider `{}` has no address for pushed requests", safe(&provider.id)));
    let endpoint = par::endpoint(provider).ok_or_else(missing)?;
    // the endpoint's own client authentication may add `client_id` too
    let body = params
        .iter()
        .filter(|(name, _)| name != "client_id")
        .map(|(name, value)| (name.as_str(), Secret::unlisted(value.as_str())));
    let mut body: Vec<_> = body.collect();
    let auth = token_request::usable_auth(&endpoint, &asking.client)?;
    if !matches!(auth, crate::provider::ClientAuth::None | crate::provider::ClientAuth::Post) {
        // section 2.1: required by RFC 6749, section 4.1.1, with any client authentication
        body.push(("client_id", Secret::unlisted(asking.client.id.as_str())));
    }
    let request = asking.request("pushed authorization request", &endpoint, body)?;
    world.step(|| "the authorize request is pushed to the provider first".to_owned());
    let response = send(world, &request)?;
    let now = world.clock.now();
    let pushed = par::read(&response, &endpoint.ok_status)
        .map_err(|e| token_answer(e, Asked::Pushed, (&asking.profile, &asking.client), now))?;
    let short = [
        ("client_id".to_owned(), asking.client.id.clone()),
        ("request_uri".to_owned(), pushed.request_uri.expose().to_owned()),
    ];
    Ok(Address { url: authorize::address(provider, &short)?, good_for: pushed.expires_in })
}
