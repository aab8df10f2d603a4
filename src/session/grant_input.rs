//! The inputs of a grant without a browser, read or made just before they are sent.

use crate::config::GrantKind;
use crate::error::{Error, Kind};
use crate::grant::Asking;
use crate::grant::unattended::GrantInput;
use crate::protocol::assertion;
use crate::protocol::jose::SigningKey;
use crate::protocol::token_exchange::{Exchange, Typed, type_uri};
use crate::secret::Secret;
use crate::session::fresh::{FreshnessPolicy, fresh};
use crate::session::matching::{subject, was_piped};
use crate::session::secret_source::read;
use crate::session::{Who, random_hex};
use crate::text::safe;
use crate::world::World;

/// The input of this grant. A program that is asked, and another profile's token, may take a while.
pub fn gather(world: &mut World, who: &Who, asking: &Asking, grant: GrantKind) -> Result<GrantInput, Error> {
    let asks = &who.profile.asks;
    let of_text = match grant {
        GrantKind::JwtBearer => assertion::jwt,
        GrantKind::Saml2Bearer => assertion::saml,
        GrantKind::TokenExchange => return exchange(world, who).map(GrantInput::Token),
        _ => return Ok(GrantInput::Credentials),
    };
    let assertion = match (grant, &asks.assertion, &asking.client.proofs.key) {
        // not in the place of a person's assertion
        (GrantKind::JwtBearer, None, Some(key)) if !was_piped(who, "assertion") => own_jwt(world, who, asking, key)?,
        _ => of_text(&assertion_of(world, who)?)
            .map_err(|e| Error::usage(format!("the assertion of `{}` can't be used", who.name)).cause(e))?,
    };
    Ok(GrantInput::Assertion(grant, assertion))
}

/// What is missing, perhaps since the login's came through a pipe.
fn missing(who: &Who, input: &str, what: String) -> Error {
    Error::new(if was_piped(who, input) { Kind::LoginFirst } else { Kind::Usage }, what)
}

/// An error if the grant's input is missing: before any question.
pub fn are_said(who: &Who, grant: GrantKind) -> Result<(), Error> {
    let asks = &who.profile.asks;
    match (grant, &asks.subject_profile, &asks.subject_token) {
        (GrantKind::TokenExchange, Some(_), Some(_)) => {
            Err(Error::usage("the subject is said twice: by a token and by a profile")
                .hint("give `--subject-token-file` or `--subject-profile`"))
        }
        (GrantKind::TokenExchange, None, None) => Err(no_subject(who)),
        _ => Ok(()),
    }
}

fn no_subject(who: &Who) -> Error {
    missing(who, "subject token", "token exchange needs a subject token".to_owned())
        .hint("`--subject-profile PROFILE`, or `--subject-token-file FILE` (`-`: standard input)")
}

/// An assertion made here with the client's key (RFC 7523, section 3): a new one each time.
fn own_jwt(world: &mut World, who: &Who, asking: &Asking, key: &SigningKey) -> Result<Secret, Error> {
    let (asks, Asking { provider, client, .. }) = (&who.profile.asks, asking);
    let issuer = asks.assertion_issuer.as_deref().or(Some(client.id.as_str())).filter(|i| !i.is_empty());
    let issuer = issuer.ok_or_else(|| {
        Error::usage("an assertion made here needs an issuer").hint("`--assertion-issuer NAME`, or `--client-id ID`")
    })?;
    let audience = who.assertion_audience(provider)?.or_else(|| provider.token.url.clone()).ok_or_else(|| {
        Error::usage(format!("the provider `{}` has no token address to make an assertion for", safe(&provider.id)))
    })?;
    let subject = asks.subject.as_deref().unwrap_or(issuer);
    let jti = random_hex(world);
    let claims =
        assertion::Claims { issuer, subject, audience: &audience, now: world.clock.now(), jti: &jti }.to_members();
    let algorithm = client.proofs.algorithm.unwrap_or_else(|| key.default_algorithm());
    let header = serde_json::Map::from_iter([("typ".to_owned(), "JWT".into())]);
    world.step(|| format!("an assertion about `{}` is signed with {}", safe(subject), algorithm.name()));
    key.sign(algorithm, header, &claims)
        .map_err(|e| Error::usage(format!("the client key of `{}` can't sign", who.name)).cause(e))
}

fn exchange(world: &mut World, who: &Who) -> Result<Exchange, Error> {
    are_said(who, GrantKind::TokenExchange)?;
    let asks = &who.profile.asks;
    let kind = |name: &Option<String>| {
        type_uri(name.as_deref().unwrap_or("access_token")).map_err(|e| Error::usage(e.to_string()))
    };
    let subject_kind = kind(&asks.subject_token_type)?;
    let subject = match (&asks.subject_profile, &asks.subject_token) {
        (Some(profile), None) => {
            if who.choice.flags.asks.subject_profile.is_none() {
                who.stays_here("subject token")?;
            }
            Typed { token: of_profile(world, who, profile, &subject_kind)?, kind: subject_kind }
        }
        _ => {
            let text = read(world, who, "subject token", &asks.subject_token)?;
            Typed { token: trimmed(&text.ok_or_else(|| no_subject(who))?), kind: subject_kind }
        }
    };
    let actor = match read(world, who, "actor token", &asks.actor_token)? {
        Some(token) => Some(Typed { token: trimmed(&token), kind: kind(&asks.actor_token_type)? }),
        // section 2.1: the one is required with the other, and forbidden without
        None if was_piped(who, "actor token") => {
            return Err(missing(who, "actor token", format!("the login of `{}` had an actor token", who.name))
                .hint("`--actor-token-file FILE` (`-`: standard input)"));
        }
        None if asks.actor_token_type.is_some() => {
            return Err(Error::usage("`--actor-token-type` is given without an actor token")
                .hint("add `--actor-token-file FILE`"));
        }
        None => None,
    };
    let requested = asks.requested_token_type.as_deref().map(type_uri).transpose();
    Ok(Exchange { subject, actor, requested: requested.map_err(|e| Error::usage(e.to_string()))? })
}

/// Another profile's token, fresh.
fn of_profile(world: &mut World, who: &Who, profile: &str, kind: &str) -> Result<Secret, Error> {
    world.step(|| format!("the subject is the token of `{}`", safe(profile)));
    let mut other = subject(world, who, profile)?;
    if other.choice.subject_of.contains(&other.name) {
        return Err(Error::usage(format!("the subject of `{}` leads back to itself", safe(profile)))
            .hint(format!("{} subject-profile OTHER", who.typed.line("profile set"))));
    }
    let set = fresh(world, &mut other, FreshnessPolicy { whole: true, ..FreshnessPolicy::default() })?;
    let found = match crate::protocol::token_exchange::short(kind) {
        "id_token" => set.id_token,
        "refresh_token" => set.refresh_token,
        _ => Some(set.access_token),
    };
    found.ok_or_else(|| {
        Error::usage(format!("the profile `{}` has no token of the type `{}`", safe(profile), safe(kind)))
            .hint(other.typed.login())
    })
}

fn trimmed(text: &Secret) -> Secret {
    Secret::new(text.expose().trim())
}

fn assertion_of(world: &mut World, who: &Who) -> Result<Secret, Error> {
    read(world, who, "assertion", &who.profile.asks.assertion)?.ok_or_else(|| {
        missing(who, "assertion", format!("`{}` has no assertion", who.name))
            .hint("`--assertion-file FILE` (`-`: standard input)")
            .hint(format!("{} assertion.file FILE", who.typed.line("profile set")))
    })
}
