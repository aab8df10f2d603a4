//! Revokes tokens at the provider (RFC 7009, and the providers' own variants of it).

use url::form_urlencoded::byte_serialize;

use crate::error::{Error, Kind, check_client};
use crate::grant::{Asking, answered, send};
use crate::protocol::api_error::{self, is_wrong_client};
use crate::protocol::client::{Client, RequestError};
use crate::protocol::token_request::Target;
use crate::protocol::token_response::states_refusal;
use crate::provider::{Endpoint, Kills, Revoke, TokenKind};
use crate::secret::Secret;
use crate::token::TokenSet;
use crate::wire::Request;
use crate::world::World;

/// Revokes the tokens that the provider revokes, and returns in words which are invalid now.
/// `None`: the provider revokes none of them. After a refusal of one token the other is revoked all
/// the same; if the server can't answer now, no further request is sent.
pub fn revoke(
    world: &mut World,
    asking: &Asking,
    facts: &Revoke,
    set: &TokenSet,
) -> Result<Option<&'static str>, Error> {
    let token = |which: &TokenKind| match which {
        TokenKind::AccessToken => Some((&set.access_token, "access_token")),
        TokenKind::RefreshToken => set.refresh_token.as_ref().map(|token| (token, "refresh_token")),
    };
    let mut tokens: Vec<(&Secret, &'static str)> = facts.tokens.iter().filter_map(token).collect();
    if tokens.is_empty() {
        tokens.push((&set.access_token, "access_token"));
    }
    let (mut revoked, mut spared) = (Vec::new(), Vec::new());
    let mut refused = None;
    // a login that was imported has none before its first refresh
    for (token, which) in tokens.into_iter().filter(|(token, _)| !token.is_empty()) {
        match one(world, asking, facts, (token, which)) {
            Ok(Outcome::Revoked) => revoked.push(which),
            Ok(Outcome::NotOfferedForThis) => spared.push(which),
            Err(e) if e.kind == Kind::TryLater => return Err(e),
            Err(e) => refused = refused.or(Some(e)),
        }
    }
    if let Some(e) = refused {
        return Err(e);
    }
    Ok(match (revoked.as_slice(), spared.as_slice()) {
        ([], _) => None,
        (["refresh_token"], [_]) => Some(REFRESH_ALONE),
        (_, [_, ..]) => Some(
            "the provider has revoked the access token; it revokes no refresh tokens: that one stays valid until it expires",
        ),
        _ => Some(match facts.kills {
            Kills::All => "the provider has revoked the tokens",
            Kills::Refresh => REFRESH_ALONE,
            Kills::Access => "the provider has revoked the access token",
        }),
    })
}

const REFRESH_ALONE: &str = "the provider has revoked the refresh token; the access token stays valid until it expires";

enum Outcome {
    Revoked,
    /// RFC 7009, section 2.2.1: `unsupported_token_type`.
    NotOfferedForThis,
}

fn one(world: &mut World, asking: &Asking, facts: &Revoke, (token, hint): (&Secret, &str)) -> Result<Outcome, Error> {
    let request = request(facts, &asking.client, token, hint)?;
    let response = send(world, &request)?;
    let ok = &facts.endpoint.ok_status;
    // without the key any success counts
    let is_ok = ok.contains(&response.status)
        || (*ok == Endpoint::default().ok_status && (200..300).contains(&response.status));
    // Slack refuses with status 200 (T-08)
    if is_ok && !states_refusal(&response.json(), &asking.provider.response) {
        return Ok(Outcome::Revoked);
    }
    let code = api_error::read(&response.body).and_then(|error| error.code);
    if (400..500).contains(&response.status) && code.as_deref() == Some("unsupported_token_type") {
        world.step(|| format!("the provider does not revoke tokens of the kind `{hint}`"));
        return Ok(Outcome::NotOfferedForThis);
    }
    let error = answered(&response, "the provider did not revoke the token");
    Err(match response.status {
        // RFC 6749, section 5.2: the server does not accept the client
        status if status == 401 || code.is_some_and(|code| is_wrong_client(&code, status)) => {
            Error { kind: Kind::Usage, ..error }.hint(check_client(&asking.profile, &asking.client))
        }
        403 => Error { kind: Kind::Other, ..error },
        _ => error,
    })
}

/// The request in the provider's shape. `hint` names the kind of token (RFC 7009, section 2.1).
fn request(facts: &Revoke, client: &Client, token: &Secret, hint: &str) -> Result<Request, RequestError> {
    let mut endpoint = facts.endpoint.clone();
    let mut params = Vec::new();
    if facts.token_in_path {
        endpoint.url = endpoint.url.map(|url| {
            // `-v` shows an address up to its query, so this form has to be redacted too
            let segment = Secret::new(byte_serialize(token.expose().as_bytes()).collect::<String>());
            format!("{}/{}", url.trim_end_matches('/'), segment.expose())
        });
    } else {
        params.push((facts.token_param.as_str(), token.clone()));
        if facts.token_param == "token" {
            params.push(("token_type_hint", Secret::unlisted(hint)));
        }
    }
    if facts.send_client_id {
        params.push(("client_id", Secret::unlisted(client.id.as_str())));
    }
    let mut request =
        Target { name: "revocation", endpoint: &endpoint, client, bearer: Some(token) }.request(params)?;
    if let Some(theirs) = &facts.auth_header {
        for (name, _) in request.headers.iter_mut().filter(|(name, _)| name == "authorization") {
            *name = theirs.to_lowercase();
        }
    }
    // an empty form is not sent
    if request.body.as_ref().is_some_and(Secret::is_empty) {
        request.body = None;
        request.headers.retain(|(name, _)| name != "content-type");
    }
    Ok(request)
}
