//! Constant Contact V3, modelled on Okta: the access token is a JWT, `offline_access` brings a
//! refresh token, and an app's type is fixed at registration. Sources:
//! <https://developer.constantcontact.com/api_guide/server_flow.html>, posts of its support staff,
//! and public clients.
//!
//! Two apps are registered: `practice-client` with a secret, and `practice-public` without one
//! (PKCE). Sources contradict each other about PKCE from an app with a secret. This server returns
//! the 400 that one developer reports, the stricter behaviour.

use std::io;

use serde_json::json;

use super::client::{Client, USUAL_REDIRECT};
use super::consent::{self, scopes_of};
use super::device;
use super::jwt::Signer;
use super::logins::{Grant, Issued, Minted, Refused, Shown};
use super::message::{Ask, Params, oauth_error, ok, present};
use super::page::{self, not_allowed};
use super::server::{Desk, Proof};
use super::tickets::Asked;
use super::{Behaviour, DAY, Rotation, USUAL, constantcontact_api};
use crate::world::http_server::serve::Response;

/// Constant Contact V3.
pub const BEHAVIOUR: Behaviour = Behaviour {
    name: "constantcontact",
    title: "Constant Contact",
    not_verified: NOT_VERIFIED,
    documented: |options| {
        options.access_life = Some(DAY);
        options.refresh_life = Some(180 * DAY);
        options.rotation = Rotation::Once;
    },
    clients: || {
        let redirects = [
            USUAL_REDIRECT,
            "https://localhost",
            "https://localhost:8888",
            "https://localhost:8888/callback",
            "http://localhost:8888",
        ];
        vec![
            Client::confidential("practice-client", false, &redirects),
            Client { secret: None, ..Client::confidential("practice-public", false, &redirects) },
        ]
    },
    addresses: &[
        ("authorize", "url", "/oauth2/default/v1/authorize"),
        ("token", "url", "/oauth2/default/v1/token"),
        ("device", "url", "/oauth2/default/v1/device/authorize"),
        ("api", "base-url", "/v3"),
        ("whoami", "url", "/v3/account/user/privileges"),
    ],
    answer,
    ..USUAL
};

const NOT_VERIFIED: &[&str] = &[
    "Whether an app with a secret may send PKCE: sources contradict each other; here the authorize page answers 400.",
    "Whether reuse of a rotated refresh token ends the login: it doesn't here, only the old token is dead.",
    "What happens without state: the authorize page refuses it here, as Okta does.",
    "The signature: ES256 here, RS256 there; the token is padded to the length of a real one.",
    "The texts of errors other than the refresh token's: Okta's usual ones.",
    "The bodies of 403 and 429 (one of the documented shapes each), and the scopes each call needs.",
    "The device flow: whether it gives a refresh token (with offline_access it does here), and who may use it (any app here).",
    "The implicit flow and partner tokens are not offered.",
    "No address for revocation is documented: there is none here.",
];

/// All scopes that Constant Contact documents.
pub const SCOPES: [&str; 7] =
    ["account_read", "account_update", "contact_data", "campaign_data", "billing_data", "offline_access", "openid"];

const DEVICE: &str = "/oauth2/default/v1/device/authorize";
const DEVICE_PAGE: &str = "/activate";

fn answer(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    match (ask.method, ask.path) {
        (_, "/oauth2/default/v1/authorize") => consent::authorize(desk, ask, || asked(desk, &ask.query)),
        ("POST", "/oauth2/default/v1/token") => token(desk, ask),
        ("POST", DEVICE) => Ok(device::start(desk, ask, DEVICE_PAGE, &SCOPES)),
        (_, DEVICE_PAGE) => Ok(device::at_page(desk, ask)),
        (_, "/oauth2/default/v1/token" | DEVICE) => Ok(not_allowed("POST")),
        ("GET", "/oauth2/default/v1/keys") => Ok(ok(Signer::of(desk)?.key_set())),
        (_, path) if path.starts_with("/v3/") => constantcontact_api::answer(desk, ask),
        _ => Ok(page::problem(404, "There is nothing at this address.")),
    }
}

fn asked(desk: &Desk, query: &Params) -> Result<Asked, Response> {
    let (client, asked) = consent::asked(desk, query)?;
    let challenge = query.get("code_challenge");
    if challenge.is_some() && client.secret.is_some() {
        return Err(page::problem(400, "This app has a client secret: PKCE is for apps that were registered for it."));
    }
    let asked = Asked {
        scopes: scopes_of(query),
        challenge: challenge.map(str::to_owned),
        nonce: query.get("nonce").map(str::to_owned),
        ..asked
    };
    let refuse = |error: &str, description: &str| Err(asked.refuse(error, Some(description)));
    if query.get("response_type") != Some("code") {
        let description = "The response type is not supported by the authorization server.";
        return refuse("unsupported_response_type", description);
    }
    if asked.state.is_none() {
        return refuse("invalid_request", "The authentication request has an invalid 'state' parameter.");
    }
    if client.secret.is_none() && (challenge.is_none() || query.get("code_challenge_method") != Some("S256")) {
        let description = "PKCE code challenge is required when the token endpoint authentication method is 'NONE'.";
        return refuse("invalid_request", description);
    }
    if asked.scopes.is_empty() || asked.scopes.iter().any(|s| !SCOPES.contains(&s.as_str())) {
        return refuse("invalid_scope", "One or more scopes are not configured for the authorization server resource.");
    }
    Ok(asked)
}

fn token(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    // the documentation puts the parameters into the query, public clients into the form
    let params = ask.query.and(&ask.form);
    let Some((client, Proof::Basic | Proof::Public)) = desk.authenticate(ask, &params) else {
        return Ok(oauth_error(401, "invalid_client", "Invalid value for 'client_id' parameter."));
    };
    let signer = Signer::of(desk)?;
    let now = desk.now();
    let mint = |grant: &Grant| minted(desk, &signer, grant);
    match params.get("grant_type") {
        Some("authorization_code") => {
            let shown = Shown {
                code: params.get("code").unwrap_or_default(),
                client: &client.id,
                redirect_uri: params.get("redirect_uri"),
                verifier: params.get("code_verifier"),
            };
            let description = match desk.book.redeem(&shown, now, mint)? {
                Ok(issued) => return success(desk, &signer, &issued),
                Err(Refused::WrongVerifier) => "PKCE verification failed.",
                Err(Refused::WrongRedirect) => {
                    "The 'redirect_uri' does not match the redirection URI used in the authorization request."
                }
                Err(_) => "The authorization code is invalid or has expired.",
            };
            Ok(oauth_error(400, "invalid_grant", description))
        }
        Some("refresh_token") => match desk.renew(client, &params, mint)? {
            Ok(issued) => success(desk, &signer, &issued),
            Err(_) => Ok(oauth_error(400, "invalid_grant", "The refresh token is invalid or expired.")),
        },
        Some(device::GRANT_TYPE) => match device::poll(desk, client, params.get("device_code").unwrap_or_default()) {
            Ok(grant) => {
                let minted = mint(&grant)?;
                success(desk, &signer, &desk.book.issue(grant, now, minted)?)
            }
            Err(error) => Ok(device::refused(error)),
        },
        Some(_) => {
            let description = "The grant type is not supported by the authorization server.";
            Ok(oauth_error(400, "unsupported_grant_type", description))
        }
        None => Ok(oauth_error(400, "invalid_request", "The token request must specify a grant type.")),
    }
}

fn minted(desk: &Desk, signer: &Signer, grant: &Grant) -> io::Result<Minted> {
    let now = desk.now();
    let mut claims = json!({
        "ver": 1,
        "jti": format!("AT.{}", desk.hex40()),
        "iss": format!("{}/oauth2/default", desk.base),
        "aud": format!("{}/v3", desk.base),
        "iat": now,
        "exp": now + desk.options.access_life.unwrap_or(86_400),
        "cid": grant.client,
        "uid": "00u1practice0account1",
        "scp": grant.scopes,
        "sub": grant.account,
        "auth_time": now,
    });
    // real tokens have 1000 to 1200 characters, which matters to stores
    let short = 640usize.saturating_sub(claims.to_string().len());
    claims["practice"] = "padded to the length of a real token ".chars().cycle().take(short).collect::<String>().into();
    let offline = grant.scopes.iter().any(|s| s == "offline_access");
    Ok(desk.minted(signer.sign(&claims)?, offline.then(|| desk.text42())))
}

fn success(desk: &Desk, signer: &Signer, issued: &Issued) -> io::Result<Response> {
    let scopes = &issued.grant.scopes;
    let has = |scope: &str| scopes.iter().any(|s| s == scope);
    let id_token = match has("openid") {
        false => None,
        true => Some(signer.sign(&present(json!({
            "iss": format!("{}/oauth2/default", desk.base), "sub": issued.grant.account,
            "aud": issued.grant.client, "iat": desk.now(), "exp": desk.now() + 3600, "nonce": issued.nonce,
        })))?),
    };
    let tells = !desk.options.claims_only;
    Ok(ok(present(json!({
        "access_token": issued.access,
        "token_type": "Bearer",
        "expires_in": desk.options.access_life.filter(|_| tells),
        "scope": tells.then(|| scopes.join(" ")),
        "refresh_token": issued.refresh.as_ref().filter(|_| has("offline_access")),
        "id_token": id_token,
    }))))
}
