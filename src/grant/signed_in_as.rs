//! The account, by the ID token of a login or of a refresh (OpenID Connect Core 1.0). Its claims
//! are checked first, then its signature; nothing of it is used before both are right.
//!
//! If the provider's issuer is unknown, its ID token can't be checked: it is stored, and reported
//! as unverified. If the issuer is known, its keys must be known too: section 3.1.3.7 would leave
//! the signature of a token from the token endpoint to TLS, but a script that reads "done" takes
//! the token for verified (C-09).

use crate::error::{Error, Kind};
use crate::grant::jwks::{KeyRing, Unverified};
use crate::grant::{Asking, explain, look_closely};
use crate::protocol::explain::checks;
use crate::protocol::id_token::{self, Expected, Fault};
use crate::protocol::jose::trust::{self, Announced, SignedError, Trust};
use crate::protocol::jose::{self, Members};
use crate::protocol::metadata;
use crate::provider::{NonceEcho, Provider};
use crate::secret::Secret;
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::World;

/// The values that this login sent, and that its ID token must agree with.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub nonce: Option<Secret>,
    pub state: Option<Secret>,
    pub code: Option<Secret>,
    /// Seconds.
    pub max_age: Option<i64>,
    pub acr_values: Vec<String>,
}

impl Sent {
    /// The parameters of the authorization request that an ID token must agree with.
    pub fn of_params<'a>(params: impl Iterator<Item = (&'a str, &'a str)>) -> Sent {
        let mut sent = Sent::default();
        for (name, value) in params {
            match name {
                "max_age" => sent.max_age = value.parse().ok(),
                "acr_values" => sent.acr_values = value.split_whitespace().map(str::to_owned).collect(),
                _ => {}
            }
        }
        sent
    }
}

/// An ID token after its checks.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedInAs {
    pub claims: Members,
    /// Whether its signature is the provider's; if not, the provider's issuer is unknown.
    pub verified: bool,
}

/// The issuer that the token must name. A server for many tenants has one for each, which is made
/// of the token's own `tid`: its keys are the same.
fn issuer(provider: &Provider, token: &Secret) -> Option<String> {
    let issuer = provider.identity.issuer.as_ref().or(provider.issuer.as_ref())?;
    let claims = jose::unverified_claims(token.expose()).ok();
    let tenant = claims.as_ref().and_then(|claims| claims.get("tid")?.as_str()).unwrap_or_default();
    let is_word = !tenant.is_empty() && tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    Some(if is_word { issuer.replace(metadata::TENANT, tenant) } else { issuer.clone() })
}

/// Whether the token has a nonce, or must have one.
fn has_nonce(provider: &Provider, token: &Secret) -> bool {
    provider.identity.nonce == NonceEcho::Required
        || jose::unverified_claims(token.expose()).is_ok_and(|claims| claims.contains_key("nonce"))
}

/// Judges the ID token that came with a login. `None`: there is none, or it can't be judged.
pub fn of_login(
    world: &mut World,
    asking: &Asking,
    ring: &mut KeyRing,
    (set, sent): (&TokenSet, &Sent),
) -> Result<Option<SignedInAs>, Error> {
    let Some(token) = &set.id_token else { return Ok(None) };
    let provider = &asking.provider;
    let Some(issuer) = issuer(provider, token) else {
        world.warn(
            "the ID token is stored unverified: `issuer` of this provider is not known, so nothing says who may sign it",
        );
        return Ok(jose::unverified_claims(token.expose()).ok().map(|claims| SignedInAs { claims, verified: false }));
    };
    let expected = Expected {
        issuer: &issuer,
        nonce: sent.nonce.as_ref().map(Secret::expose).filter(|_| has_nonce(provider, token)),
        max_age: sent.max_age,
        acr_values: &sent.acr_values,
        code: sent.code.as_ref().map(Secret::expose),
        state: sent.state.as_ref().map(Secret::expose),
        ..expected(asking, set)
    };
    let refused = |why: &dyn std::fmt::Display| {
        let error = Error::new(Kind::Unsafe, "the ID token can't be trusted").because(format!("the ID token: {why}"));
        error.hint(look_closely(&asking.profile, "nothing was stored"))
    };
    let trust = trust(asking);
    let (announced, claims) = read(token, &trust).map_err(|e| refused(&e))?;
    let algorithm = announced.algorithm.name();
    let judged = id_token::judge(algorithm, &claims, &expected);
    explain::step(world, || checks::id_token(algorithm, &claims, &expected, judged.as_ref().err()));
    judged.map_err(|e| with_clock(refused(&e), &e))?;
    match ring.verify(world, token.expose(), &trust) {
        Ok(_) => {}
        Err(Unverified::Wrong(e)) => return Err(refused(&e)),
        Err(Unverified::NoKeys(e)) => {
            return Err(e
                .context("the ID token can't be verified")
                .hint(format!("nothing was stored; {}", asking.profile.login())));
        }
    }
    told(world, &announced);
    if let Some(warning) = id_token::other_acr(&claims, &sent.acr_values) {
        world.warn(&warning);
    }
    Ok(Some(SignedInAs { claims, verified: true }))
}

/// Judges the ID token of a refresh against the one of the login. `Ok(false)`: its signature could
/// not be checked, and the rest is right; the login's own ID token is the one to keep.
pub fn of_renewal(
    world: &mut World,
    asking: &Asking,
    ring: &mut KeyRing,
    (new, of_login): (&TokenSet, Option<&Secret>),
) -> Result<bool, Error> {
    let Some(token) = &new.id_token else { return Ok(true) };
    let Some(issuer) = issuer(&asking.provider, token) else {
        world.step(|| "the refreshed ID token is stored unverified: the provider's `issuer` is not known".to_owned());
        return Ok(true);
    };
    let refused = |why: &dyn std::fmt::Display| {
        Error::new(Kind::Unsafe, "the refreshed ID token can't be trusted")
            .because(format!("the ID token: {why}"))
            .hint(format!(
                "the new refresh token is stored, the new access token is not; to sign in again: {}",
                asking.profile.login()
            ))
    };
    let trust = trust(asking);
    let (announced, mut claims) = read(token, &trust).map_err(|e| refused(&e))?;
    let expected = Expected { issuer: &issuer, ..expected(asking, new) };
    let of_login = of_login.and_then(|old| jose::unverified_claims(old.expose()).ok());
    if of_login.is_none() {
        // the login brought no ID token to compare with, so no nonce can be known
        claims.shift_remove("nonce");
    }
    let algorithm = announced.algorithm.name();
    let judged = match &of_login {
        Some(old) => id_token::judge_renewed(algorithm, &claims, old, &expected),
        None => id_token::judge(algorithm, &claims, &expected),
    };
    explain::step(world, || {
        checks::renewed_id_token(algorithm, (&claims, of_login.as_ref()), &expected, judged.as_ref().err())
    });
    judged.map_err(|e| with_clock(refused(&e), &e))?;
    match ring.verify(world, token.expose(), &trust) {
        Ok(_) => {
            told(world, &announced);
            Ok(true)
        }
        Err(Unverified::Wrong(e)) => Err(refused(&e)),
        Err(Unverified::NoKeys(e)) => {
            // the access token works without it: a server's keys that can't be fetched for a minute
            // stop no script
            world.step(|| format!("the refreshed ID token is not stored, since it can't be verified: {}", e));
            Ok(false)
        }
    }
}

/// An ID token's header and claims, not yet verified.
fn read(token: &Secret, trust: &Trust<'_>) -> Result<(Announced, Members), SignedError> {
    Ok((trust::announced(token.expose(), trust)?, jose::unverified_claims(token.expose())?))
}

/// The values that every token of this provider for this client must have.
fn expected<'a>(asking: &'a Asking, set: &'a TokenSet) -> Expected<'a> {
    Expected {
        client_id: &asking.client.id,
        audiences: &asking.provider.identity.audiences,
        access_token: Some(set.access_token.expose()),
        now: set.received_at,
        ..Expected::default()
    }
}

fn trust<'a>(asking: &'a Asking) -> Trust<'a> {
    Trust { algorithms: &asking.provider.identity.algorithms, typ: None, secret: asking.client.secret.as_ref() }
}

fn with_clock(error: Error, fault: &Fault) -> Error {
    match fault {
        Fault::Expired(_) | Fault::Future(_) | Fault::NotYet(_) | Fault::Old(_) | Fault::AuthTimeAhead(_) => {
            error.hint("`oauthctl doctor` compares this machine's clock with the network's")
        }
        _ => error,
    }
}

fn told(world: &mut World, announced: &Announced) {
    let algorithm = announced.algorithm.name();
    world.step(|| match &announced.header.kid {
        Some(kid) => format!("the ID token is right: signed with {algorithm} by the key `{}`", safe(kid)),
        None => format!("the ID token is right: signed with {algorithm}"),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jose::base64url;

    // Microsoft, LinkedIn
    #[test]
    fn the_issuer_is_the_tenants_and_a_nonce_may_be_left_out_where_the_file_says_so() {
        let token =
            |claims: &str| Secret::new(format!("{}.{}.c2ln", base64url(r#"{"alg":"RS256"}"#), base64url(claims)));
        let mut provider = Provider::of_issuer("https://as.example/common/v2.0");
        assert_eq!(issuer(&provider, &token("{}")).as_deref(), Some("https://as.example/common/v2.0"));
        provider.identity.issuer = Some("https://as.example/{tenantid}/v2.0".to_owned());
        for (claims, expected) in [
            (r#"{"tid":"9188-a"}"#, "https://as.example/9188-a/v2.0"),
            (r#"{"tid":"../evil"}"#, "https://as.example/{tenantid}/v2.0"),
            (r#"{"tid":"a.b"}"#, "https://as.example/{tenantid}/v2.0"),
            ("{}", "https://as.example/{tenantid}/v2.0"),
        ] {
            assert_eq!(issuer(&provider, &token(claims)).as_deref(), Some(expected), "{claims}");
        }
        assert!(has_nonce(&provider, &token("{}")));
        provider.identity.nonce = NonceEcho::Optional;
        assert!(!has_nonce(&provider, &token("{}")) && has_nonce(&provider, &token(r#"{"nonce":"n"}"#)));
    }
}
