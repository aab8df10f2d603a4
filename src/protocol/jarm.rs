//! A signed authorization response (JWT Secured Authorization Response Mode, JARM): the parameter
//! `response` is a JWT with the parameters as claims. `redirect` judges them like those of a plain
//! response.

use serde_json::{Map, Value};

use crate::protocol::form;
use crate::protocol::id_token::{Fault, audiences, times};
use crate::text::safe;

/// Values of `response_mode` for JARM that reach a listener; a fragment never leaves the browser.
pub const MODES: [&str; 3] = ["jwt", "query.jwt", "form_post.jwt"];

/// The JWT of a response; `None` if the response is plain or has more than one.
pub fn response(query: &str) -> Option<String> {
    let mut found = form::decode(query)?.into_iter().filter(|(name, _)| name == "response").map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

/// Judges verified claims (section 2.4) and returns the response's parameters as in a query.
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

/// The parameters among the claims: texts and numbers, without the JWT's own claims.
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
