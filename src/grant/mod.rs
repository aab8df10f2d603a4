//! The ways to obtain a token set, one file each. A grant stores nothing: it returns the tokens,
//! and `session` stores them.

pub mod authorization_code;
pub mod authorization_url;
pub mod ciba;
pub mod device;
pub mod discover;
pub mod explain;
pub mod find;
pub mod introspect;
pub mod jarm;
pub mod jwks;
pub mod password;
pub mod poll;
pub mod redirect_plan;
pub mod refresh;
pub mod register;
pub mod revoke;
pub mod signed_in_as;
pub mod stand_in;
pub mod support;
pub mod token_exchange;
pub mod tunnel;
pub mod unattended;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::config::Profile;
use crate::error::{Asked, Error, Fate, Kind, token_answer, told_by_rule, unbuilt};
use crate::protocol::api_error::{self, Told};
use crate::protocol::authorization_request::{AuthorizeError, is_reserved};
use crate::protocol::client::Client;
use crate::protocol::jose::base64url;
use crate::protocol::retry_after::http_date;
use crate::protocol::token_request::{Param, Target, targets};
use crate::protocol::token_response::{Answer, AnswerError, Reader, TokenType, in_its_words};
use crate::protocol::trace;
use crate::provider::{Endpoint, ErrorsAt, Provider, VarFrom, hints};
use crate::secret::Secret;
use crate::text::{Typed, safe};
use crate::wire::{Again, Draw, Request, Response};
use crate::world::World;

/// The client of a request, the provider, and the profile.
#[derive(Clone, Debug)]
pub struct Asking {
    pub profile: Typed,
    pub provider: Provider,
    pub client: Client,
    /// The parameters that the person set: they go before those of the provider's file. `None`: as
    /// the request has it.
    pub said: BTreeMap<String, Option<String>>,
}

impl Asking {
    /// The same, with the values that the redirect brought.
    pub fn taught(&self, redirect: &[(String, String)]) -> Result<Asking, Error> {
        let told = self.provider.told_by_redirect(redirect);
        let provider = self.provider.filled_upto(VarFrom::Callback, &told)?;
        Ok(Asking { provider, ..self.clone() })
    }

    /// A request to an endpoint with client authentication; `name` is the endpoint in errors.
    pub fn request(&self, name: &'static str, endpoint: &Endpoint, params: Vec<Param<'_>>) -> Result<Request, Error> {
        let mut endpoint = endpoint.clone();
        let given = |name: &str| params.iter().any(|(given, _)| *given == name);
        let said = |name: &str| ["resource", "audience"].contains(&name) || self.said.contains_key(name);
        // one that the file leaves out stays left out: the server takes none
        endpoint.params.retain(|name, value| value.is_empty() || !(said(name) && given(name)));
        for (name, value) in endpoint.params.iter_mut().filter(|(_, value)| !value.is_empty()) {
            if let Some(Some(own)) = self.said.get(name) {
                value.clone_from(own);
            }
        }
        let target = Target { name, endpoint: &endpoint, client: &self.client, bearer: None };
        target.request(params).map_err(|e| unbuilt(e, &self.profile))
    }
}

/// The services that a token is for, its scopes there, and the profile's own parameters.
#[derive(Clone, Copy, Debug)]
pub struct Aim<'a> {
    pub scopes: &'a [String],
    pub profile: &'a Profile,
}

impl<'a> Aim<'a> {
    /// Adds all of it to the request that a grant begins with.
    fn add_to(self, provider: &'a Provider, params: &mut Vec<Param<'a>>) -> Result<(), Error> {
        let (facts, own) = (&provider.scopes, params.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        if !self.scopes.is_empty() {
            params.push((facts.param.as_str(), Secret::unlisted(self.scopes.join(&facts.separator))));
        }
        params.extend(targets(&self.profile.target.resource, &self.profile.target.audience));
        for (name, value) in &self.profile.params {
            if is_reserved(name) || own.contains(&name.as_str()) {
                return Err(AuthorizeError::Reserved(name.clone()).into());
            }
            params.retain(|(known, _)| known != name);
            params.extend((!value.is_empty()).then(|| (name.as_str(), Secret::unlisted(value.as_str()))));
        }
        Ok(())
    }
}

/// The kind of a request, and the endpoint that it goes to.
pub type Question<'a> = (Asked, &'a Endpoint);

/// Requests a token: the grant's parameters, then those of the aim.
fn obtain(
    world: &mut World,
    asking: &Asking,
    question: Question<'_>,
    (params, aim): (Vec<Param<'_>>, Aim<'_>),
) -> Result<Answer, Error> {
    let mut params = params;
    aim.add_to(&asking.provider, &mut params)?;
    let request = asking.request("token", question.1, params)?;
    ask(world, asking, question, &request)
}

/// Sends one request to a token endpoint and reads the response.
fn ask(world: &mut World, asking: &Asking, question: Question<'_>, request: &Request) -> Result<Answer, Error> {
    let response = send(world, request)?;
    let now = world.clock.now();
    warn_of_skew(world, &response, now);
    read(world, asking, question, (&response, now))
}

/// Warns of a clock that is off: it makes every expiry wrong (T-70).
pub fn warn_of_skew(world: &mut World, response: &Response, now: i64) {
    if let Some(skew) = skew(response, now) {
        world.warn(&skew);
    }
}

/// How far this machine's clock is from the server's, in words, if that matters.
pub fn skew(response: &Response, now: i64) -> Option<String> {
    let skew = now - http_date(response.header("date")?)?;
    let side = if skew > 0 { "ahead of" } else { "behind" };
    (skew.abs() > 60).then(|| format!("this machine's clock is {} s {side} the server's", skew.abs()))
}

/// Reads a token response that came at `now` (Unix seconds): just now, or earlier by the journal.
pub fn read(
    world: &mut World,
    asking: &Asking,
    (asked, endpoint): Question<'_>,
    (response, now): (&Response, i64),
) -> Result<Answer, Error> {
    let provider = &asking.provider;
    let wanted = if asking.client.proofs.dpop.is_some() { TokenType::Dpop } else { TokenType::Bearer };
    let (ok_status, separator) = (&endpoint.ok_status[..], &provider.scopes.separator[..]);
    let answer =
        Reader { wanted, ok_status, shape: &provider.response, separator, now }.read(response).map_err(|e| {
            let said = match &e {
                AnswerError::OAuth { error, description, .. } => (Some(error.as_str()), description.as_deref()),
                _ => (None, None),
            };
            let told = Told::by_token((response.status, &response.body), said);
            let who = (&asking.profile, &asking.client);
            let error = match told.rule(&provider.errors, ErrorsAt::Token) {
                Some(rule) => told_by_rule(in_its_words(e, response), (rule, response.status), asked, who),
                None => token_answer(e, asked, who, now),
            };
            taught(error, provider, &told)
        })?;
    for warning in &answer.warnings {
        world.warn(warning);
    }
    Ok(answer)
}

/// The error with what the provider's file teaches about the refusal, before the usual hints.
fn taught(mut error: Error, provider: &Provider, told: &Told) -> Error {
    let rules = hints::rules(provider);
    let hints: Vec<String> = told.hints(&rules, ErrorsAt::Token).map(safe).collect();
    error.hints.splice(..0, hints);
    error
}

/// Random bytes as text without characters that need encoding.
fn random_text<const N: usize>(world: &World) -> String {
    base64url(random::<N>(world))
}

fn random<const N: usize>(world: &World) -> [u8; N] {
    let mut bytes = [0; N];
    world.random.fill(&mut bytes);
    bytes
}

/// The hint after a response that may be an attack. `lost`: what was not done.
fn look_closely(profile: &Typed, lost: &str) -> String {
    format!("{lost}; run `{}` again, and look closely at where you sign in", profile.login())
}

/// One exchange, shown with `-v` and explained with `--explain`. If the server refuses it for want
/// of a nonce and sends one, or if it refuses the client and there is an earlier secret, another
/// exchange with that. All of them take no longer than one.
pub fn send(world: &mut World, request: &Request) -> Result<Response, Error> {
    let end = world.clock.elapsed() + request.timeout;
    let mut response = once(world, request)?;
    let mut last = None;
    while let Some(at_sending) = &request.at_sending {
        let again = at_sending.learn_from(request, response.status, &response.headers, &response.body);
        let left = end.saturating_sub(world.clock.elapsed());
        match again {
            _ if again == last || left.is_zero() => break,
            Some(Again::Nonce) => {
                world.step(|| "the server wants its nonce in the proof: sending it once more with that".to_owned());
            }
            Some(Again::EarlierSecret) => world.warn("the provider refuses the client secret: trying the earlier one"),
            None => break,
        }
        last = again;
        response = once(world, &Request { timeout: left, ..request.clone() })?;
    }
    Ok(response)
}

fn once(world: &mut World, request: &Request) -> Result<Response, Error> {
    let request = ready(world, request)?;
    explain::sending(world, &request);
    for line in trace::request(&request) {
        world.step(|| line);
    }
    let response = world.http.exchange(&request)?;
    explain::answered(world, &response);
    for line in trace::response(&response) {
        world.step(|| line);
    }
    Ok(response)
}

/// The request as it is sent now: with a new assertion or proof.
pub fn ready<'a>(world: &World, request: &'a Request) -> Result<Cow<'a, Request>, Error> {
    let Some(at_sending) = &request.at_sending else { return Ok(Cow::Borrowed(request)) };
    let mut sent = request.clone();
    let draw = Draw { now: world.clock.now(), random: random(world) };
    at_sending.sign(&mut sent, draw).map_err(|why| {
        let mut error = Error::usage("the client's key does not sign").because(why).hint("oauthctl doctor");
        error.fate = Fate::NotSent;
        error
    })?;
    Ok(Cow::Owned(sent))
}

/// The error for a redirect: the request held secrets or a token, so it goes nowhere else (T-20).
/// `what`: what failed.
pub fn redirected(response: &Response, what: &str) -> Option<Error> {
    let status = response.status;
    (300..400).contains(&status).then(|| {
        Error::new(Kind::Unsafe, what)
            .because(format!("it answered with a redirect (status {status}), which is never followed with a secret"))
            .hint("is the address right? `oauthctl provider show` prints it")
    })
}

/// A refusal of an endpoint that gives no tokens, in the server's words.
pub fn answered(response: &Response, what: &str) -> Error {
    if let Some(error) = redirected(response, what) {
        return error;
    }
    let said = api_error::challenge(&response.headers).or_else(|| api_error::read(&response.body));
    let why = said.and_then(|error| error.text());
    let why = why.map_or_else(|| format!("status {}", response.status), |text| safe(&text));
    let kind = match response.status {
        401 | 403 => Kind::Refused,
        _ if response.is_unavailable() => Kind::TryLater,
        _ => Kind::Other,
    };
    Error::new(kind, what).because(format!("it answered {why}"))
}
