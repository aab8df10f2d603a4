//! GetResponse: requests without redirect address and scope, Basic at the token endpoint, `"scope":
//! null`, and one error code for both an expired and a wrong token. Sources: GetResponse's own
//! first-steps pages, and <https://apidocs.getresponse.com/v3/oauth2>.

use std::io;

use serde_json::json;

use super::client::{Client, Redirects};
use super::consent;
use super::data::PRACTICE_ACCOUNT;
use super::getresponse_api::unauthenticated;
use super::logins::{Grant, Issued, Minted, Refused, Shown};
use super::message::{Ask, Params, oauth_error, ok};
use super::page::{self, not_allowed};
use super::server::{Desk, Proof};
use super::tickets::Asked;
use super::{Behaviour, DAY, USUAL, getresponse_api};
use crate::world::http_server::serve::Response;

/// GetResponse, or GetResponse MAX if a domain is set.
pub const BEHAVIOUR: Behaviour = Behaviour {
    name: "getresponse",
    title: "GetResponse",
    not_verified: NOT_VERIFIED,
    documented: |options| {
        options.access_life = Some(3600);
        options.client_credentials_life = DAY;
        options.code_life = 600;
    },
    clients: || vec![Client::confidential("practice-client", true, &["https://example.test/gr_callback"])],
    entry: |_| {
        // the environment has its own name
        "\n[environments.max]\nname = \"GetResponse MAX (practice)\"\n".to_owned()
    },
    addresses: &[
        ("authorize", "url", "/oauth2_authorize.html"),
        ("token", "url", "/v3/token"),
        ("api", "base-url", "/v3"),
        ("whoami", "url", "/v3/accounts?fields=accountId,email"),
        ("environments.max.authorize", "url", "/oauth2_authorize.html"),
        ("environments.max.token", "url", "/v3/token"),
        ("environments.max.api", "base-url", "/v3"),
    ],
    answer,
    ..USUAL
};

const NOT_VERIFIED: &[&str] = &[
    "Errors of the token endpoint: wrong credentials are answered with the API's envelope (401, code 1014), anything else in \
     the shape of RFC 6749, so that a client meets both.",
    "How a refusal comes back from the authorize page: as error and state in the redirect's query (RFC 6749).",
    "How long a refresh token lives: 30 days here.",
    "Whether a used refresh token dies at once: here it does, and using it again ends the login.",
    "Whether id and secret in the body work without Basic: refused here.",
    "Whether PKCE parameters are ignored: they are here.",
    "What the rate headers count: requests per second here, as GetResponse's guide for agents says; its API documents speak of \
     ten minutes.",
    "Whether access tokens outlive the refresh that replaced them: here they live until they expire.",
];

fn answer(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    match (ask.method, ask.path) {
        (_, "/oauth2_authorize.html") => consent::authorize(desk, ask, || asked(desk, &ask.query)),
        (_, path) if path.starts_with("/v3/") => match &desk.options.domain {
            // GetResponse MAX needs the header at the token endpoint too
            Some(domain) if ask.request.header("x-domain") != Some(domain) => Ok(unauthenticated(&json!([]))),
            _ if path != "/v3/token" => getresponse_api::answer(desk, ask),
            _ if ask.method == "POST" => token(desk, ask),
            _ => Ok(not_allowed("POST")),
        },
        _ => Ok(page::problem(404, "There is nothing at this address.")),
    }
}

/// Checks an authorization request. The response goes to the app's only registered address.
fn asked(desk: &Desk, query: &Params) -> Result<Asked, Response> {
    let client = consent::app(desk, query)?;
    let registered = match &client.redirects {
        Redirects::Exact(registered) => registered.first(),
        Redirects::Loopback(_) => None,
    };
    let Some(redirect_uri) = registered.cloned() else {
        return Err(page::problem(400, "This app has no redirect URL registered."));
    };
    let state = query.get("state").map(str::to_owned);
    let asked = Asked { client: client.id.clone(), redirect_uri, state, ..Asked::default() };
    match query.get("response_type") {
        Some("code") => Ok(asked),
        _ => Err(asked.refuse("unsupported_response_type", None)),
    }
}

fn token(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let params = ask.form.and(&ask.json);
    let Some((client, Proof::Basic)) = desk.authenticate(ask, &Params::default()) else {
        return Ok(unauthenticated(&json!({ "authenticationType": "oauth2" })));
    };
    match params.get("grant_type") {
        Some("authorization_code") => {
            let code = params.get("code").unwrap_or_default();
            let shown = Shown { code, client: &client.id, redirect_uri: None, verifier: None };
            let redeemed = desk.book.redeem(&shown, desk.now(), |_| Ok(desk.pair()))?;
            Ok(redeemed.map_or_else(refused, |issued| success(&issued, desk.options.access_life)))
        }
        Some("refresh_token") => {
            let renewed = desk.renew(client, &params, |_| Ok(desk.pair()))?;
            Ok(renewed.map_or_else(refused, |issued| success(&issued, desk.options.access_life)))
        }
        Some("client_credentials") if client.own_tokens => own(desk, client),
        Some("client_credentials") => {
            Ok(oauth_error(400, "unauthorized_client", "The grant type is unauthorized for this client_id"))
        }
        _ => Ok(oauth_error(400, "unsupported_grant_type", "Grant type not supported")),
    }
}

fn own(desk: &Desk, client: &Client) -> io::Result<Response> {
    let life = Some(desk.options.client_credentials_life);
    let grant = Grant {
        client: client.id.clone(),
        account: PRACTICE_ACCOUNT.to_owned(),
        scopes: Vec::new(),
        family: desk.hex40(),
    };
    let minted = Minted { access_life: life, ..desk.minted(desk.hex40(), None) };
    Ok(success(&desk.book.issue(grant, desk.now(), minted)?, life))
}

fn refused(_: Refused) -> Response {
    oauth_error(400, "invalid_grant", "The code or refresh token is invalid, expired, or was used before")
}

/// Makes a token response with the documented members in their order.
fn success(issued: &Issued, life: Option<i64>) -> Response {
    let mut answer = json!({
        "access_token": issued.access,
        "expires_in": life,
        "token_type": "Bearer",
        "scope": null,
    });
    if let Some(refresh) = &issued.refresh {
        answer["refresh_token"] = refresh.as_str().into();
    }
    ok(answer)
}
