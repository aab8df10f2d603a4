//! Who signed in, by the ID token of a login or of a renewal (OpenID Connect Core 1.0): its claims
//! are judged first, then its signature, and nothing of it is believed until both are right.
//!
//! An ID token of a provider whose issuer is not known can't be judged: it is kept for whoever has
//! a use for it, and said to be unverified. Where the issuer is known, its keys must be too:
//! section 3.1.3.7 would leave the signature of a token that came straight from the token endpoint
//! to TLS, but a script that reads "done" takes it for verified (C-09).

use serde_json::{Map, Value};

use crate::error::{Error, Kind};
use crate::grant::keys::{KeyRing, Unverified};
use crate::grant::{Asking, explain};
use crate::protocol::explain::checks;
use crate::protocol::id_token::{self, Expected, Fault};
use crate::protocol::jose;
use crate::protocol::signed::{self, Trust};
use crate::secret::Secret;
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::World;

/// What this login sent, and its ID token must agree with.
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
    /// What of the authorize request's parameters an ID token must answer for.
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

/// An ID token that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    pub claims: Map<String, Value>,
    /// Whether its signature is the provider's.
    pub verified: bool,
}

/// Judges the ID token that came with a login. `None`: there is none, or it can't be judged.
pub fn of_login(
    world: &mut World,
    asking: &Asking,
    ring: &mut KeyRing,
    set: &TokenSet,
    sent: &Sent,
) -> Result<Option<Identity>, Error> {
    let Some(token) = &set.id_token else { return Ok(None) };
    let provider = &asking.provider;
    let Some(issuer) = provider.issuer.as_deref() else {
        world.warn(
            "the ID token is kept unverified: `issuer` of this provider is not known, so nothing says who may sign it",
        );
        return Ok(jose::unverified_claims(token.expose()).ok().map(|claims| Identity { claims, verified: false }));
    };
    let expected = Expected {
        issuer,
        nonce: sent.nonce.as_ref().map(Secret::expose),
        max_age: sent.max_age,
        acr_values: &sent.acr_values,
        code: sent.code.as_ref().map(Secret::expose),
        state: sent.state.as_ref().map(Secret::expose),
        ..expected(asking, set)
    };
    let refused = |why: &dyn std::fmt::Display| {
        Error::new(Kind::Unsafe, "the ID token can't be trusted").cause(format!("the ID token: {why}")).hint(format!(
            "nothing was stored; run `{}` again, and look closely at where you sign in",
            asking.profile.login()
        ))
    };
    let trust = trust(asking);
    let announced = signed::announced(token.expose(), &trust).map_err(|e| refused(&e))?;
    let claims = jose::unverified_claims(token.expose()).map_err(|e| refused(&e))?;
    let algorithm = announced.algorithm.name();
    let judged = id_token::judge(algorithm, &claims, &expected);
    explain::step(world, || checks::id_token(algorithm, &claims, &expected, judged.as_ref().err()));
    judged.map_err(|e| with_clock(refused(&e), &e))?;
    match ring.verify(world, token.expose(), &trust) {
        Ok(_) => {}
        Err(Unverified::Wrong(e)) => return Err(refused(&e)),
        Err(Unverified::NoKeys(e)) => {
            return Err(Error {
                message: "the ID token can't be verified".to_owned(),
                causes: [vec![e.message.clone()], e.causes.clone()].concat(),
                ..e
            }
            .hint(format!("nothing was stored; {}", asking.profile.login())));
        }
    }
    told(world, announced.algorithm.name(), announced.header.kid.as_deref());
    if let Some(warning) = id_token::other_acr(&claims, &sent.acr_values) {
        world.warn(&warning);
    }
    Ok(Some(Identity { claims, verified: true }))
}

/// Judges the ID token that came with a renewal against the one of the login. `Ok(false)`: it is
/// right so far as it could be looked at, but its signature could not be; the login's own is the
/// one to keep.
pub fn of_renewal(
    world: &mut World,
    asking: &Asking,
    ring: &mut KeyRing,
    new: &TokenSet,
    of_login: Option<&Secret>,
) -> Result<bool, Error> {
    let Some(token) = &new.id_token else { return Ok(true) };
    let Some(issuer) = asking.provider.issuer.as_deref() else {
        world.step(|| "the renewed ID token is kept unverified: `issuer` of this provider is not known".to_owned());
        return Ok(true);
    };
    let refused = |why: &dyn std::fmt::Display| {
        Error::new(Kind::Unsafe, "the renewed ID token can't be trusted").cause(format!("the ID token: {why}")).hint(
            format!(
                "the new refresh token is kept, the new access token is not; to sign in anew: {}",
                asking.profile.login()
            ),
        )
    };
    let trust = trust(asking);
    let announced = signed::announced(token.expose(), &trust).map_err(|e| refused(&e))?;
    let claims = jose::unverified_claims(token.expose()).map_err(|e| refused(&e))?;
    let expected = Expected { issuer, ..expected(asking, new) };
    let of_login = of_login.and_then(|old| jose::unverified_claims(old.expose()).ok());
    let judged = match &of_login {
        Some(old) => id_token::judge_renewed(announced.algorithm.name(), &claims, old, &expected),
        // a login that brought none: nothing to compare with, and no nonce that could be known
        None => id_token::judge(
            announced.algorithm.name(),
            &claims.iter().filter(|(n, _)| *n != "nonce").map(|(n, v)| (n.clone(), v.clone())).collect(),
            &expected,
        ),
    };
    explain::step(world, || {
        checks::renewed_id_token(
            announced.algorithm.name(),
            &claims,
            of_login.as_ref(),
            &expected,
            judged.as_ref().err(),
        )
    });
    judged.map_err(|e| with_clock(refused(&e), &e))?;
    match ring.verify(world, token.expose(), &trust) {
        Ok(_) => {
            told(world, announced.algorithm.name(), announced.header.kid.as_deref());
            Ok(true)
        }
        Err(Unverified::Wrong(e)) => Err(refused(&e)),
        Err(Unverified::NoKeys(e)) => {
            // the access token does not hang on it: a server's keys that are away for a minute stop
            // no script
            world.step(|| format!("the renewed ID token is not kept, since it can't be verified: {}", e.message));
            Ok(false)
        }
    }
}

/// What any token of this provider for this client must say.
fn expected<'a>(asking: &'a Asking, set: &'a TokenSet) -> Expected<'a> {
    Expected {
        issuer: "",
        client_id: &asking.client.id,
        audiences: &asking.provider.identity.audiences,
        nonce: None,
        max_age: None,
        acr_values: &[],
        access_token: Some(set.access_token.expose()),
        code: None,
        state: None,
        now: set.received_at,
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

fn told(world: &mut World, algorithm: &str, kid: Option<&str>) {
    world.step(|| match kid {
        Some(kid) => format!("the ID token is right: signed with {algorithm} by the key `{}`", safe(kid)),
        None => format!("the ID token is right: signed with {algorithm}"),
    });
}
