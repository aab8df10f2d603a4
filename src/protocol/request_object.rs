//! The claims of a signed authorization request (RFC 9101, section 4): every parameter, the issuer
//! and the audience.

use serde_json::{Map, Value, json};

use crate::protocol::jose::members;

/// Seconds until the request expires: the browser opens it at once.
const LIFE: i64 = 300;

/// `params` by their names on the wire; a repeated name becomes a list. `now`: Unix seconds.
pub fn claims(params: &[(String, String)], client_id: &str, audience: &str, now: i64, jti: &str) -> Map<String, Value> {
    let mut claims = Map::new();
    for (name, value) in params {
        let value = typed(name, value);
        match claims.get_mut(name) {
            None => drop(claims.insert(name.clone(), value)),
            Some(Value::Array(list)) if name == "resource" => list.push(value),
            Some(first) => *first = Value::Array(vec![first.clone(), value]),
        }
    }
    claims.extend(members(json!({
        "iss": client_id,
        "aud": audience,
        "client_id": client_id,
        "iat": now,
        "nbf": now,
        "exp": now.saturating_add(LIFE),
        "jti": jti,
    })));
    claims
}

/// Numbers and JSON stay numbers and JSON (RFC 9101, section 4).
fn typed(name: &str, value: &str) -> Value {
    match name {
        "max_age" => value.parse::<u64>().map_or_else(|_| value.into(), Value::from),
        "authorization_details" | "claims" => serde_json::from_str(value).unwrap_or_else(|_| value.into()),
        _ => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_a_claim_of_its_kind() {
        let params = [
            ("response_type", "code"),
            ("max_age", "60"),
            ("resource", "https://a.example"),
            ("resource", "https://b.example"),
            ("authorization_details", r#"[{"type":"x"}]"#),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(
            Value::Object(claims(&params, "me", "https://as.example", 1000, "once")),
            json!({
                "response_type": "code", "max_age": 60, "resource": ["https://a.example", "https://b.example"],
                "authorization_details": [{ "type": "x" }], "iss": "me", "aud": "https://as.example", "client_id": "me",
                "iat": 1000, "nbf": 1000, "exp": 1300, "jti": "once",
            })
        );
    }
}
