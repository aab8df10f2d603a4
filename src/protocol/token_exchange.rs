//! Exchanges one token for another (RFC 8693): the subject, the actor, and the requested token.

use crate::protocol::token_request::Param;
use crate::secret::Secret;
use crate::text::safe;

const PREFIX: &str = "urn:ietf:params:oauth:token-type:";

/// RFC 8693, section 3.
pub const SHORT_NAMES: [&str; 6] = ["access_token", "refresh_token", "id_token", "saml1", "saml2", "jwt"];

/// A token type that is neither a known word nor a URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no type of token; it is one of {} or a URI", SHORT_NAMES.join(", "))]
pub struct UnknownType {
    name: String,
}

/// A token and its type's URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    pub token: Secret,
    pub kind: String,
}

/// The parameters of a token exchange (RFC 8693, section 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub subject: Typed,
    pub actor: Option<Typed>,
    pub requested: Option<String>,
}

/// A short name (`access_token`, `id-token`, …), or any URI unchanged.
pub fn type_uri(name: &str) -> Result<String, UnknownType> {
    if name.contains(':') {
        return Ok(name.to_owned());
    }
    let short = name.replace('-', "_").to_lowercase();
    match SHORT_NAMES.contains(&short.as_str()) {
        true => Ok(format!("{PREFIX}{short}")),
        false => Err(UnknownType { name: safe(name) }),
    }
}

/// The short name of one of the RFC's types, or any other text unchanged.
pub fn short(uri: &str) -> &str {
    uri.strip_prefix(PREFIX).filter(|s| SHORT_NAMES.contains(s)).unwrap_or(uri)
}

/// Whether the type `issued` satisfies the request. An access token may be a JWT, and a JWT an
/// access token (RFC 8693, section 3).
pub fn serves(issued: &str, requested: &str) -> bool {
    let either = ["access_token", "jwt"];
    issued == requested || (either.contains(&short(issued)) && either.contains(&short(requested)))
}

/// RFC 8693, section 2.1. The caller adds `resource` and `audience`, which may repeat.
pub fn request<'a>(grant_type: &'a str, exchange: &Exchange) -> Vec<Param<'a>> {
    let mut params = vec![
        ("grant_type", Secret::unlisted(grant_type)),
        ("subject_token", exchange.subject.token.clone()),
        ("subject_token_type", Secret::unlisted(exchange.subject.kind.as_str())),
    ];
    if let Some(actor) = &exchange.actor {
        params.push(("actor_token", actor.token.clone()));
        params.push(("actor_token_type", Secret::unlisted(actor.kind.as_str())));
    }
    if let Some(requested) = &exchange.requested {
        params.push(("requested_token_type", Secret::unlisted(requested.as_str())));
    }
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_go_by_short_names_and_by_uris() {
        assert_eq!(type_uri("access_token").unwrap(), "urn:ietf:params:oauth:token-type:access_token");
        assert_eq!(type_uri("ID-Token").unwrap(), "urn:ietf:params:oauth:token-type:id_token");
        assert_eq!(type_uri("urn:example:mine").unwrap(), "urn:example:mine");
        assert!(type_uri("acess_token").unwrap_err().to_string().contains("saml2"));
        assert_eq!(short("urn:ietf:params:oauth:token-type:jwt"), "jwt");
        assert_eq!(short("urn:example:mine"), "urn:example:mine");
        let uri = |short: &str| type_uri(short).unwrap();
        assert!(serves(&uri("jwt"), &uri("access_token")) && serves(&uri("saml2"), &uri("saml2")));
        assert!(!serves(&uri("saml2"), &uri("access_token")) && !serves("jwt", "saml2"));
    }

    // RFC 8693, section 2.3: its example, without the actor and with one
    #[test]
    fn a_request_says_what_the_rfcs_example_says() {
        let typed = |token: &str, kind: &str| Typed { token: token.into(), kind: type_uri(kind).unwrap() };
        let mut exchange = Exchange {
            subject: typed("accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC", "access_token"),
            actor: None,
            requested: None,
        };
        let sent = |exchange: &Exchange| -> Vec<(String, String)> {
            request("g", exchange).into_iter().map(|(n, v)| (n.to_owned(), v.expose().to_owned())).collect()
        };
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        let first = [
            pair("grant_type", "g"),
            pair("subject_token", "accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC"),
            pair("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ];
        assert_eq!(sent(&exchange), first);
        exchange.actor = Some(typed("actor-token", "jwt"));
        exchange.requested = Some("urn:x".into());
        assert_eq!(
            sent(&exchange)[3..],
            [
                pair("actor_token", "actor-token"),
                pair("actor_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                pair("requested_token_type", "urn:x")
            ]
        );
    }
}
