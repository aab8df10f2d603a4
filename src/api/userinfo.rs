//! Claims of the signed-in user from the userinfo endpoint (OpenID Connect Core 1.0, section 5.3),
//! plain or signed. They must be about the user of the ID token: otherwise one user's token could
//! be passed off as another's.

use serde_json::{Map, Value};

use crate::error::{Error, Kind};
use crate::grant::jwks::{KeyRing, Unverified};
use crate::grant::{answered, send};
use crate::protocol::client::Client;
use crate::protocol::id_token::{audiences, times_if_any};
use crate::protocol::jose::trust::Trust;
use crate::protocol::sender_constrained::Binding;
use crate::protocol::{api_error, jose};
use crate::provider::Provider;
use crate::provider::expand::unfilled;
use crate::text::Typed;
use crate::token::TokenSet;
use crate::wire::{Request, Response};
use crate::world::World;

/// Fetches the claims. `of_login`: the claims of the stored ID token, if there is one. A token that
/// the provider no longer accepts is [`Kind::LoginFirst`], a missing scope [`Kind::Refused`].
pub fn ask(
    world: &mut World,
    provider: &Provider,
    client: &Client,
    ring: &mut KeyRing,
    (set, binding): (&TokenSet, &Binding),
    of_login: Option<&Map<String, Value>>,
    profile: &Typed,
) -> Result<Map<String, Value>, Error> {
    let Some(url) = &provider.userinfo.url else {
        return Err(Error::usage(format!(
            "the userinfo address of `{}` is not known",
            crate::text::safe(&provider.id)
        ))
        .hint("add `[userinfo] url = …` to the provider's file"));
    };
    if let Some(name) = unfilled(url).first() {
        return Err(Error::unfilled(name));
    }
    // RFC 8705, section 5: with a certificate, the server's own alias for it is used
    let alias = provider.announced.mtls_aliases.get(url);
    let by_certificate = binding.identity.is_some() && provider.announced.certificate_bound;
    let url = alias.filter(|_| by_certificate).unwrap_or(url);
    let mut request = Request::new("GET", url.as_str()).header("accept", "application/json, application/jwt");
    super::request::present(provider, set, binding, &mut request);
    let response = send(world, &request)?;
    if response.status != 200 {
        return Err(not_told(&response, profile));
    }
    let kind = response.content_type();
    let claims = match kind.starts_with("application/jwt") {
        true => verified(world, (provider, client), ring, &response.body)?,
        false => jose::object(&response.body, "answer").map_err(|e| refused(&e))?,
    };
    // section 5.3.2
    if claims.get("sub").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(refused(&"it has no `sub`"));
    }
    if of_login.is_some_and(|id| id.get("sub") != claims.get("sub")) {
        return Err(refused(&"its `sub` names another user than the ID token's"));
    }
    Ok(claims)
}

/// The claims of a signed answer (OpenID Connect Core 1.0, section 5.3.2).
fn verified(
    world: &mut World,
    (provider, client): (&Provider, &Client),
    ring: &mut KeyRing,
    body: &[u8],
) -> Result<Map<String, Value>, Error> {
    let text = std::str::from_utf8(body).map_err(|_| refused(&"it is not text"))?.trim();
    let identity = &provider.identity;
    let algorithms = match identity.userinfo_algorithms.as_slice() {
        [] => &identity.algorithms,
        _ => &identity.userinfo_algorithms,
    };
    let trust = Trust { algorithms, typ: None, secret: client.secret.as_ref() };
    let (_, claims) = ring.verify(world, text, &trust).map_err(|e| match e {
        Unverified::Wrong(e) => refused(&e),
        Unverified::NoKeys(e) => e,
    })?;
    if claims.get("iss").is_some_and(|iss| iss.as_str() != provider.issuer.as_deref()) {
        return Err(refused(&"its `iss` is not the provider"));
    }
    if claims.contains_key("aud") && !audiences(&claims).map_err(|e| refused(&e))?.contains(&client.id.as_str()) {
        return Err(refused(&"its `aud` is not this client"));
    }
    times_if_any(&claims, world.clock.now()).map_err(|e| refused(&e))?;
    Ok(claims)
}

fn refused(why: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Unsafe, "the provider's userinfo can't be trusted").because(format!("its answer: {why}"))
}

/// Returns the error for a refusal (RFC 6750, section 3.1).
fn not_told(response: &Response, profile: &Typed) -> Error {
    let error = answered(response, "the provider refuses to tell who is signed in");
    let said = api_error::challenge(&response.headers).or_else(|| api_error::read(&response.body));
    match (response.status, said.and_then(|e| e.code).as_deref()) {
        // OpenID Connect Core, section 5.3: the token must have been requested with `openid`
        (401 | 403, Some("insufficient_scope")) => {
            Error { kind: Kind::Refused, ..error }.hint(profile.login_with(&[("--scope", "openid")]))
        }
        (401, _) => Error { kind: Kind::LoginFirst, ..error },
        _ => error,
    }
}
