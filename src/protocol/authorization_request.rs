//! The authorization request: the URL that the browser opens (RFC 6749, section 4.1.1, and RFC
//! 7636, section 4.3).

use crate::protocol::form;
use crate::protocol::pkce;
use crate::provider::expand::open_variable;
use crate::provider::{AuthorizeParamsIn, PkceMethod, Provider};
use crate::secret::Secret;

/// The contents of the URL.
#[derive(Debug)]
pub struct AuthorizeRequest<'a> {
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a [String],
    pub state: &'a Secret,
    pub challenge: Option<(&'a str, PkceMethod)>,
    /// Bound to this login; the ID token repeats it (OpenID Connect Core, section 3.1.2.1).
    pub nonce: Option<&'a Secret>,
    /// The user's own parameters (`--param`); they override the provider's.
    pub params: &'a [(String, String)],
    /// The profile's parameters (`login_hint`, `resource`, …): they override the provider's, and
    /// the user's override them. A name may repeat.
    pub asks: &'a [(&'static str, String)],
}

/// Why no authorization request can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    #[error("provider `{0}` has no authorization endpoint: it offers no login in a browser")]
    NoUrl(String),
    #[error("the authorization endpoint is not a URL: {0}")]
    BadUrl(String),
    #[error("the provider's `{{{0}}}` is not known before the sign-in: it needs a `default`")]
    Unfilled(String),
    #[error("`{0}` is set by the program itself and can't be given as a parameter")]
    Reserved(String),
}

/// Parameters that the user can't set: each login generates its own, or one login could answer for
/// another.
const RESERVED: [&str; 11] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "grant_type",
    "redirect_uri",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_type",
];

/// Whether the program itself sets the parameter.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// The parameters by the provider's names, in the RFC's order; only `resource` and `audience` may
/// repeat.
pub fn params(provider: &Provider, request: &AuthorizeRequest<'_>) -> Result<Vec<(String, String)>, AuthorizeError> {
    let facts = &provider.authorize;
    if let Some(name) = open_variable(facts) {
        return Err(AuthorizeError::Unfilled(name));
    }
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
    for (at, (name, value)) in request.asks.iter().enumerate() {
        match request.asks[..at].iter().any(|(earlier, _)| earlier == name) {
            // RFC 8707, section 2: once for each resource
            true => params.push(((*name).to_owned(), value.clone())),
            false => set(&mut params, name, value),
        }
    }
    for (name, value) in request.params {
        if is_reserved(name) {
            return Err(AuthorizeError::Reserved(name.clone()));
        }
        if let Some(first) = params.iter().position(|(n, _)| n == name) {
            let rest = params.split_off(first + 1);
            params.extend(rest.into_iter().filter(|(n, _)| n != name));
        }
        set(&mut params, name, value);
    }
    // OpenID Connect Core, section 11: without `consent` the server ignores it, or refuses the
    // request
    let asks_offline = request.scopes.iter().any(|s| s == "offline_access");
    // `--param prompt=` leaves it out
    let has_prompt = params.iter().chain(request.params).any(|(name, _)| name == "prompt");
    let is_openid = provider.openid || request.scopes.iter().any(|s| s == "openid");
    if asks_offline && is_openid && !has_prompt {
        params.push(("prompt".into(), "consent".into()));
    }
    for (name, _) in &mut params {
        if let Some(theirs) = facts.rename.get(name) {
            theirs.clone_into(name);
        }
    }
    Ok(params)
}

/// The authorization endpoint's URL with these parameters, under their final names. Everything is
/// percent-encoded except the values that the provider wants raw.
pub fn address(provider: &Provider, params: &[(String, String)]) -> Result<Secret, AuthorizeError> {
    let facts = &provider.authorize;
    let base = facts.url.as_deref().ok_or_else(|| AuthorizeError::NoUrl(provider.id.clone()))?;
    let encoded = params
        .iter()
        .map(|(name, value)| {
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
            // none may stand there twice (RFC 6749, section 3.1)
            form::leave_out(&mut url, |name| params.iter().any(|(known, _)| known == name));
            form::add_to_query(&mut url, &encoded);
            url.set_fragment(facts.fragment.as_deref().map(|fragment| fragment.trim_start_matches('#')));
        }
        AuthorizeParamsIn::Fragment => {
            let page = facts.fragment.as_deref().map(|page| format!("{}?", page.trim_start_matches('#')));
            url.set_fragment(Some(&format!("{}{encoded}", page.unwrap_or_default())));
        }
    }
    Ok(Secret::unlisted(url.to_string()))
}

/// Adds or replaces a parameter; an empty value removes it.
fn set(params: &mut Vec<(String, String)>, name: &str, value: &str) {
    match params.iter().position(|(n, _)| n == name) {
        Some(at) if value.is_empty() => drop(params.remove(at)),
        Some(at) => params[at].1 = value.to_owned(),
        None if value.is_empty() => {}
        None => params.push((name.to_owned(), value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(provider: &Provider, scopes: &[&str], asks: &[(&'static str, String)], own: &[(&str, &str)]) -> String {
        let scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
        let own: Vec<(String, String)> = own.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let state = "s".into();
        let request = AuthorizeRequest {
            client_id: "c",
            redirect_uri: "http://127.0.0.1/",
            scopes: &scopes,
            state: &state,
            challenge: None,
            nonce: None,
            params: &own,
            asks,
        };
        let params = params(provider, &request).unwrap();
        params[4..].iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&")
    }

    // OpenID Connect Core, section 11
    #[test]
    fn offline_access_is_asked_for_with_consent_where_the_server_speaks_openid() {
        let mut provider = Provider::bare("x");
        let prompt = |prompt: &str| [("prompt", prompt.to_owned())];
        assert_eq!(sent(&provider, &["offline_access"], &[], &[]), "state=s");
        assert_eq!(sent(&provider, &["openid", "offline_access"], &[], &[]), "state=s&prompt=consent");
        provider.openid = true;
        assert_eq!(sent(&provider, &["offline_access"], &[], &[]), "state=s&prompt=consent");
        assert_eq!(sent(&provider, &["offline_access"], &prompt("login"), &[]), "state=s&prompt=login");
        assert_eq!(sent(&provider, &["offline_access"], &[], &[("prompt", "")]), "state=s");
        provider.authorize.params.insert("prompt".into(), "select_account".into());
        assert_eq!(sent(&provider, &["offline_access"], &[], &[]), "state=s&prompt=select_account");
        assert_eq!(sent(&provider, &["profile"], &prompt("none"), &[]), "state=s&prompt=none");
    }

    // RFC 8707, section 2
    #[test]
    fn several_resources_go_along_and_a_parameter_of_ones_own_replaces_them_all() {
        let provider = Provider::bare("x");
        let resources = ["https://a.example", "https://b.example"].map(|r| ("resource", r.to_owned()));
        assert_eq!(
            sent(&provider, &["a"], &resources, &[]),
            "state=s&resource=https://a.example&resource=https://b.example"
        );
        assert_eq!(sent(&provider, &["a"], &resources, &[("resource", "x")]), "state=s&resource=x");
    }
}
