//! Refuses requests that the server does not accept, before they are sent. Only the server's own
//! statement counts: many documents leave out features that their servers have. A provider file
//! wins over the document.

use crate::config::{GrantKind, SignIn};
use crate::error::Error;
use crate::provider::{PkceMethod, PkceMode, Provider, When};
use crate::text::{Typed, safe};
use crate::world::World;

/// Whether the server offers the grant. One that was asked for by name is sent with a warning, and
/// the server judges: many lists are incomplete. A password goes only where the server takes it.
pub fn check_grant(
    world: &mut World,
    provider: &Provider,
    (grant, by_name): (GrantKind, bool),
    profile: &Typed,
) -> Result<(), Error> {
    let judged = refused(provider, grant, profile);
    let has_place = match grant {
        GrantKind::AuthorizationCode => provider.authorize.url.is_some(),
        GrantKind::DeviceCode => provider.device.is_some(),
        GrantKind::Password | GrantKind::Ciba => false,
        _ => true,
    };
    match judged {
        Err(_) if by_name && has_place => {
            let list = provider.grant_types.as_deref().unwrap_or_default().join(", ");
            let lists = if list.is_empty() { String::new() } else { format!(" (it lists {})", safe(&list)) };
            world.warn(&format!(
                "`{}` does not list the grant `{}`{lists}: asked for all the same",
                safe(&provider.name),
                grant.name()
            ));
            Ok(())
        }
        judged => judged,
    }
}

/// Warns of scopes that were asked for by name and that the server's metadata leaves out.
pub fn scopes(world: &mut World, provider: &Provider, by_name: Option<&[String]>) {
    // a list of OpenID Connect's own scopes says nothing of an API's
    const OPENID: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];
    let known = &provider.scopes.known;
    if !provider.announced.known || known.iter().all(|scope| OPENID.contains(&scope.as_str())) {
        return;
    }
    let left_out: Vec<String> =
        by_name.unwrap_or_default().iter().filter(|s| !known.contains(s)).map(|s| format!("`{}`", safe(s))).collect();
    if !left_out.is_empty() {
        world.warn(&format!(
            "`{}` does not list the scope {}: asked for all the same",
            safe(&provider.name),
            left_out.join(", ")
        ));
    }
}

/// The refusal by the server's own lists.
fn refused(provider: &Provider, grant: GrantKind, profile: &Typed) -> Result<(), Error> {
    if grant == GrantKind::AuthorizationCode && provider.authorize.url.is_none() {
        return Err(no_browser(provider, profile));
    }
    if by_list(provider, grant) {
        return delivered(provider, grant, profile);
    }
    let list = provider.grant_types.as_deref().unwrap_or_default();
    let others: Vec<&str> = list.iter().filter_map(|g| GrantKind::from_name(g)).map(GrantKind::name).collect();
    const BY_BROWSER: &str = "authorization-code";
    let instead = others.iter().find(|other| **other == BY_BROWSER).or(others.first()).copied();
    let error = Error::usage(format!(
        "`{}` does not offer the grant `{}`; nothing was sent",
        safe(&provider.name),
        grant.name()
    ));
    let error = match others.is_empty() {
        true => error.because("its metadata names no grant that this program supports"),
        false => error.because(format!("it offers {}", others.join(", "))),
    };
    Err(error
        .hints(instead.map(|grant| profile.login_by(grant)))
        .hint("if its metadata is wrong: `grant-types = […]` in a provider file of your own wins"))
}

/// Whether the server's lists allow it.
fn by_list(provider: &Provider, grant: GrantKind) -> bool {
    let listed = provider.grant_types.as_ref().map(|list| list.iter().any(|g| g == grant.grant_type()));
    match (grant, listed) {
        (_, Some(true)) => true,
        // an endpoint for it is a statement too
        (GrantKind::DeviceCode, Some(false)) => provider.device.is_some(),
        (GrantKind::Ciba, Some(false)) => provider.ciba.is_some(),
        // RFC 8414, section 2: `response_types_supported` decides for that endpoint
        (GrantKind::AuthorizationCode, _) => match &provider.announced.offers.response_types {
            Some(types) => types.iter().any(|kind| kind == "code"),
            None => true,
        },
        (_, listed) => listed.unwrap_or(true),
    }
}

/// The error for a provider without a login in a browser. A device code is suggested, never used
/// unasked.
fn no_browser(provider: &Provider, profile: &Typed) -> Error {
    let error = Error::usage(format!("`{}` has no address to sign in at with a browser", safe(&provider.name)));
    let with = |grant: GrantKind| profile.login_by(grant.name());
    let error = match provider.device.is_some() {
        true => error.hint(with(GrantKind::DeviceCode)),
        false => error,
    };
    match provider.client_credentials.supported {
        true => error.hint(with(GrantKind::ClientCredentials)),
        false => error.hint("`[authorize] url` in a provider file of your own, if it has one all the same"),
    }
}

/// CIBA, section 4: this program polls, and accepts no notifications.
fn delivered(provider: &Provider, grant: GrantKind, profile: &Typed) -> Result<(), Error> {
    let modes = provider.announced.offers.ciba_modes.as_deref();
    match modes.filter(|modes| grant == GrantKind::Ciba && !modes.iter().any(|mode| mode == "poll")) {
        None => Ok(()),
        Some(modes) => Err(not_taken(provider, "polling for the answer to a sign-in (CIBA)", modes)
            .hint(format!("with a browser: {}", profile.login_by("authorization-code")))
            .hint("if its metadata is wrong: `[ciba] url` in a provider file of your own goes without it")),
    }
}

/// Whether the server accepts this profile's authorization request.
pub fn check_authorization_request(provider: &Provider, asks: &SignIn) -> Result<(), Error> {
    let offers = &provider.announced.offers;
    const OWN: &str = "if its metadata is wrong: `[authorize] url` in a provider file of your own goes without it";
    if let (Some(taken), Some(mode)) = (&offers.response_modes, &asks.response_mode)
        && mode != "query"
        && !taken.contains(mode)
    {
        return Err(not_taken(provider, &format!("`response_mode={}`", safe(mode)), taken)
            .hint("leave `--response-mode` out, or choose one of them")
            .hint(OWN));
    }
    if let (Some(taken), Some(details)) = (&offers.details_types, &asks.authorization_details)
        && let Ok(details) = serde_json::from_str(details)
        && let Some(kind) =
            crate::protocol::authorization_details::granted(&details).iter().find(|k| !taken.contains(k))
    {
        return Err(
            not_taken(provider, &format!("authorization details of the type `{}`", safe(kind)), taken).hint(OWN)
        );
    }
    // other rules hold for a signed request that is pushed (RFC 9126, section 3)
    let pushed = asks.par == Some(When::Always) || provider.par == When::Always || provider.par_required;
    if offers.request_parameter == Some(false)
        && !pushed
        && asks.request_object == Some(When::Always)
        && provider.request_object == When::Auto
        && !provider.request_object_required
    {
        return Err(Error::usage(format!(
            "`{}` takes no signed authorize request; nothing was sent",
            safe(&provider.name)
        ))
        .because("it announces `request_parameter_supported` as false")
        .hint("leave `--request-object` out")
        .hint("if its metadata is wrong: `request-object = true` in a provider file of your own"));
    }
    // `plain` shows the secret that it should protect, so only the user may choose it
    if let Some(taken) = &offers.pkce_methods
        && !taken.is_empty()
        && provider.pkce.mode == PkceMode::Supported
        && provider.pkce.method == PkceMethod::S256
        && !taken.iter().any(|method| method.eq_ignore_ascii_case("S256"))
    {
        return Err(not_taken(provider, "PKCE by `S256`", taken)
            .hint("`[pkce] method = \"plain\"` in a provider file of your own does with less; `mode = \"required\"` sends `S256` all the same"));
    }
    Ok(())
}

fn not_taken(provider: &Provider, what: &str, announced: &[String]) -> Error {
    let names: Vec<String> = announced.iter().map(|name| format!("`{}`", safe(name))).collect();
    let announces = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Error::usage(format!("`{}` does not take {what}; nothing was sent", safe(&provider.name)))
        .because(format!("it announces {announces}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> Provider {
        let mut provider = Provider::bare("x");
        provider.authorize.url = Some("https://as.example/authorize".into());
        provider
    }

    #[test]
    fn what_the_server_does_not_offer_is_said_first_and_its_silence_says_nothing() {
        let mut provider = provider();
        assert!(refused(&provider, GrantKind::TokenExchange, &Typed::default()).is_ok());
        provider.grant_types = Some(vec!["authorization_code".into(), "urn:openid:params:grant-type:ciba".into()]);
        assert!(refused(&provider, GrantKind::Ciba, &Typed::default()).is_ok());
        let no = refused(&provider, GrantKind::TokenExchange, &Typed::default()).unwrap_err();
        assert_eq!(no.causes(), ["it offers authorization-code, ciba"]);
        assert!(refused(&provider, GrantKind::DeviceCode, &Typed::default()).is_err());
    }

    #[test]
    fn a_code_is_asked_for_where_either_list_or_none_says_so() {
        let lists = |grants: Option<&[&str]>, types: Option<&[&str]>| {
            let owned = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect::<Vec<String>>();
            let mut provider = provider();
            provider.grant_types = grants.map(owned);
            provider.announced.offers.response_types = types.map(owned);
            refused(&provider, GrantKind::AuthorizationCode, &Typed::default()).is_ok()
        };
        assert!(lists(None, None));
        assert!(lists(Some(&["client_credentials"]), None), "its silence about the endpoint that it has says nothing");
        assert!(lists(Some(&["client_credentials"]), Some(&["token", "code"])));
        assert!(lists(Some(&["authorization_code"]), Some(&["token"])));
        assert!(!lists(Some(&["client_credentials"]), Some(&["token"])));
        assert!(!lists(None, Some(&["token", "code id_token"])));
    }
}
