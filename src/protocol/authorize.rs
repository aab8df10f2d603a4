//! The authorize request: the URL that the browser opens (RFC 6749, section 4.1.1, and RFC 7636, section 4.3).

use crate::protocol::form;
use crate::protocol::pkce;
use crate::provider::{AuthorizeParamsIn, PkceMethod, Provider};
use crate::secret::Secret;

/// What goes into the URL.
#[derive(Debug)]
pub struct AuthorizeRequest<'a> {
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a [String],
    pub state: &'a Secret,
    pub challenge: Option<(&'a str, PkceMethod)>,
    /// Bound to this login, and comes back in the ID token (OpenID Connect Core, section 3.1.2.1).
    pub nonce: Option<&'a Secret>,
    /// The person's own parameters (`--param`), stronger than the provider's.
    pub params: &'a [(String, String)],
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    #[error("provider `{0}` has no authorize address: it offers no login in a browser")]
    NoUrl(String),
    #[error("the authorize address is not a URL: {0}")]
    BadUrl(String),
    #[error("`{0}` is set by the program itself and can't be given as a parameter")]
    Reserved(String),
}

/// Parameters that a person can't give: each login draws its own, or they would let one login answer for another.
const RESERVED: [&str; 7] =
    ["client_id", "redirect_uri", "state", "nonce", "code_challenge", "code_challenge_method", "response_type"];

/// The URL, each parameter once, in the RFC's order, everything percent-encoded but what the provider wants raw.
pub fn url(provider: &Provider, request: &AuthorizeRequest<'_>) -> Result<Secret, AuthorizeError> {
    let facts = &provider.authorize;
    let base = facts.url.as_deref().ok_or_else(|| AuthorizeError::NoUrl(provider.id.clone()))?;
    let mut params: Vec<(String, String)> =
        vec![("response_type".into(), "code".into()), ("client_id".into(), request.client_id.into())];
    if facts.send_redirect_uri {
        params.push(("redirect_uri".into(), request.redirect_uri.into()));
    }
    if !request.scopes.is_empty() {
        params.push((provider.scopes.param.clone(), request.scopes.join(&provider.scopes.separator)));
    }
    params.push(("state".into(), request.state.expose().into()));
    if let Some(nonce) = request.nonce {
        params.push(("nonce".into(), nonce.expose().into()));
    }
    if let Some((challenge, method)) = request.challenge {
        params.push(("code_challenge".into(), challenge.into()));
        params.push(("code_challenge_method".into(), pkce::method_name(method).into()));
    }
    for (name, value) in &facts.params {
        set(&mut params, name, value);
    }
    for (name, value) in request.params {
        if RESERVED.contains(&name.as_str()) {
            return Err(AuthorizeError::Reserved(name.clone()));
        }
        set(&mut params, name, value);
    }
    let encoded = params
        .iter()
        .map(|(name, value)| {
            let name = facts.rename.get(name).unwrap_or(name);
            if facts.raw.contains(name) {
                format!("{name}={value}")
            } else {
                form::encode_query([(name.as_str(), value.as_str())]).to_string()
            }
        })
        .collect::<Vec<_>>()
        .join("&");
    let mut url = url::Url::parse(base).map_err(|e| AuthorizeError::BadUrl(e.to_string()))?;
    match facts.params_in {
        AuthorizeParamsIn::Query => {
            let joined = match url.query() {
                Some(query) if !query.is_empty() => format!("{query}&{encoded}"),
                _ => encoded,
            };
            url.set_query(Some(&joined));
        }
        AuthorizeParamsIn::Fragment => url.set_fragment(Some(&encoded)),
    }
    Ok(Secret::unlisted(url.to_string()))
}

/// Adds or replaces; an empty value takes the parameter away.
fn set(params: &mut Vec<(String, String)>, name: &str, value: &str) {
    let at = params.iter().position(|(n, _)| n == name);
    match (at, value.is_empty()) {
        (Some(at), true) => {
            params.remove(at);
        }
        (Some(at), false) => params[at].1 = value.to_owned(),
        (None, true) => {}
        (None, false) => params.push((name.to_owned(), value.to_owned())),
    }
}
