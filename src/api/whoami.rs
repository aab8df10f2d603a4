//! The provider's cheap check of a token: who is signed in.

use serde_json::Value;

use crate::error::{Error, Kind};
use crate::grant::send;
use crate::provider::{Provider, Whoami};
use crate::token::TokenSet;
use crate::wire::Request;
use crate::world::World;

/// The account in the provider's own words: its label, else its id.
pub fn ask(world: &mut World, provider: &Provider, whoami: &Whoami, set: &TokenSet) -> Result<Option<String>, Error> {
    let target = fill(&whoami.url, set)
        .ok_or_else(|| Error::new(Kind::Other, "its address needs a fact that the answer didn't bring"))?;
    let url = super::hosts::resolve(provider, &target)?;
    let mut request = Request::new(&whoami.method, url.to_string()).header("accept", "application/json");
    request.timeout = std::time::Duration::from_secs(10);
    for (name, value) in provider.api.headers.iter().chain(&whoami.headers) {
        request = request.header(&name.to_lowercase(), value.as_str());
    }
    request = request.header("authorization", super::items::authorization(provider, set));
    if let Some(body) = &whoami.body {
        request.body = Some(crate::secret::Secret::unlisted(body.as_str()));
    }
    let response = send(world, &request)?;
    if response.status != 200 {
        return Err(Error::new(Kind::Other, format!("the check of the token answered {}", response.status)));
    }
    let Ok(answer) = serde_json::from_slice::<Value>(&response.body) else { return Ok(None) };
    let text = |path: &Option<String>| {
        let path = path.as_deref()?;
        let found = path.split('.').try_fold(&answer, |v, name| match name.parse::<usize>() {
            Ok(index) => v.get(index).or_else(|| v.get(name)),
            Err(_) => v.get(name),
        })?;
        match found {
            Value::String(s) => Some(s.clone()),
            Value::Number(n) => Some(n.to_string()),
            _ => None,
        }
    };
    Ok(text(&whoami.label).or_else(|| text(&whoami.id)))
}

/// `{user_id}` and the like from the token answer's own members.
fn fill(template: &str, set: &TokenSet) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        let value = set.extra.get(name)?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push_str(before);
        out.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}
