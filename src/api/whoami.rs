//! Checks a token by the provider's cheapest request: which account is signed in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::path_variable::Unfilled;
use super::rate_limit::{self, Pace};
use crate::error::{Error, Kind};
use crate::grant::send;
use crate::protocol::sender_constrained::Binding;
use crate::protocol::token_response::states_refusal;
use crate::provider::expand::{at_path, open_variable, unfilled};
use crate::provider::{Provider, Whoami};
use crate::secret::Secret;
use crate::text::safe;
use crate::token::TokenSet;
use crate::wire::Request;
use crate::world::World;

/// The result of the check.
#[derive(Debug)]
pub enum Told {
    /// The token works. Holds its account, if the response names one, and the provider's variables
    /// that it brings.
    Account(Option<String>, BTreeMap<String, String>),
    Refused {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
}

/// Returns the account as the provider names it: its label, else its id. Takes a slot of the
/// provider's rate limit, but gives up if that is farther away than `longest`.
pub fn ask(
    world: &mut World,
    provider: &Provider,
    whoami: &Whoami,
    (set, binding): (&TokenSet, &Binding),
    pace: &mut Pace,
    longest: Duration,
) -> Result<Told, Error> {
    let mut url = address(provider, whoami, set)?;
    super::hosts::add_query(provider, &mut url);
    if let Some(name) = open_variable(&whoami.headers).or_else(|| open_variable(&provider.api.auth)) {
        return Err(Error::unfilled(&name));
    }
    let mut request = Request::new(&whoami.method.to_string(), url.to_string()).header("accept", "application/json");
    request.timeout = Duration::from_secs(10);
    // the API's own headers may need what this request brings (Xero's tenant): it goes without them
    let usual = provider.api.headers.iter().filter(|(_, value)| unfilled(value).is_empty());
    for (name, value) in usual.chain(&whoami.headers) {
        let name = name.to_lowercase();
        request.headers.retain(|(known, _)| *known != name);
        request = request.header(&name, value.as_str());
    }
    super::request::present(provider, set, binding, &mut request);
    if let Some(body) = &whoami.body {
        request.body = Some(Secret::unlisted(body.as_str()));
    }
    let turn = pace.take(&*world.clock, longest)?;
    rate_limit::wait(world, turn, "the provider's limit on requests");
    let response = send(world, &request)?;
    pace.heed(&*world.clock, &provider.limits, (response.status, &response.headers, &response.body));
    match response.status {
        // Slack refuses with status 200 (T-08)
        200..=299 if !states_refusal(&response.json(), &provider.response) => {}
        status @ 300..=399 => {
            let error = Error::new(Kind::Unsafe, "the check of the token is redirected, which is not followed");
            let to = response.header("location").and_then(|to| url.join(to).ok());
            return Err(error.because(match to {
                Some(to) => format!("status {status}, to {}", super::redirect::shown(&to)),
                None => format!("status {status}"),
            }));
        }
        status => return Ok(Told::Refused { status, headers: response.headers, body: response.body.to_vec() }),
    }
    let answer = serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
    let text = |path: &Option<String>| match at_path(&answer, path.as_deref()?)? {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    };
    Ok(Told::Account(text(&whoami.label).or_else(|| text(&whoami.id)), provider.told_by_whoami(&answer)))
}

/// Returns the address of the check, with the login's values filled in.
fn address(provider: &Provider, whoami: &Whoami, set: &TokenSet) -> Result<Url, Error> {
    let target = super::path_variable::fill(&whoami.url, &|name| {
        let value = set.extra.get(name)?;
        Some(Secret::unlisted(value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    })
    .map_err(|unfilled| match unfilled {
        Unfilled::Unknown(name) => Error::unfilled(&name),
        Unfilled::Dots => Error::new(Kind::Unsafe, format!("`{}` would lead elsewhere", safe(&whoami.url)))
            .because("what a brace stands for is `.` or `..`"),
    })?;
    super::hosts::resolve_before(provider, &target).map_err(|mut e| {
        // the user didn't type this address
        e.hints.clear();
        e.hint("`whoami.url` and `api.hosts` of the provider's file: `oauthctl provider show` prints them")
    })
}
