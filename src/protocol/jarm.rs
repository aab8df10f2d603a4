//! A signed answer of the authorize endpoint (JWT Secured Authorization Response Mode, JARM): the parameter `response` holds
//! the parameters as claims. What is read out of it goes through the same judge as a plain answer (`redirect`).

use serde_json::{Map, Value};

use crate::protocol::form;
use crate::protocol::id_token::{Fault, audiences, times};
use crate::text::safe;

/// Values of `response_mode` that ask for it, so far as the answer reaches a listener: a fragment never leaves the browser.
pub const MODES: [&str; 3] = ["jwt", "query.jwt", "form_post.jwt"];

/// The token of an answer; `None`: it is a plain one, or has more than one.
pub fn response(query: &str) -> Option<String> {
    let mut found = form::decode(query)?.into_iter().filter(|(name, _)| name == "response").map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

/// Judges verified claims (section 2.4) and gives the answer's parameters as they would stand in a query.
pub fn parameters(
    claims: &Map<String, Value>,
    issuer: &str,
    client_id: &str,
    now: i64,
) -> Result<zeroize::Zeroizing<String>, Fault> {
    match claims.get("iss") {
        Some(Value::String(iss)) if iss == issuer => {}
        Some(Value::String(iss)) => return Err(Fault::Issuer(safe(iss))),
        _ => return Err(Fault::Missing("iss")),
    }
    let audiences = audiences(claims)?;
    if audiences != [client_id] {
        let stranger = audiences.iter().find(|a| **a != client_id).copied().unwrap_or_default();
        return Err(Fault::Audience(safe(stranger)));
    }
    times(claims, now)?;
    Ok(as_query(claims))
}

/// The parameters among the claims: texts and numbers, without what is about the token itself.
pub fn as_query(claims: &Map<String, Value>) -> zeroize::Zeroizing<String> {
    let pairs: Vec<(&str, String)> = claims
        .iter()
        .filter(|(name, _)| !["aud", "exp", "iat", "nbf", "jti"].contains(&name.as_str()))
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name.as_str(), text.clone())),
            Value::Number(number) => Some((name.as_str(), number.to_string())),
            _ => None,
        })
        .collect();
    form::encode(pairs.iter().map(|(name, value)| (*name, value.as_str())))
}
