//! VerticalResponse VR2: a token endpoint called "authorize", id and secret in the body, a JWT that
//! outlives its own revocation, a refresh token for one use only, revocation by DELETE with a form.
//! Source: VerticalResponse's own example, <https://github.com/VerticalResponse/vr2_api_example>
//! (commit 15b2bd2).

use std::io;

use serde_json::{Value, json};

use super::client::{Client, USUAL_REDIRECT};
use super::consent;
use super::data;
use super::jwt::Signer;
use super::logins::{Grant, Issued, Minted, Refused, Shown};
use super::message::{Ask, Params, json, oauth_error, ok};
use super::page::{self, not_allowed};
use super::server::{Desk, Proof};
use super::tickets::Asked;
use super::{Behaviour, Rotation, USUAL};
use crate::world::http_server::serve::Response;

/// VerticalResponse's newer API.
pub const BEHAVIOUR: Behaviour = Behaviour {
    name: "verticalresponse-vr2",
    title: "VerticalResponse (VR2)",
    not_verified: NOT_VERIFIED,
    documented: |options| {
        options.access_life = Some(3600);
        options.client_credentials_life = 3600;
        options.rotation = Rotation::Once;
    },
    clients: || {
        vec![Client::confidential("practice-client", true, &[USUAL_REDIRECT, "http://localhost:9190/callback"])]
    },
    addresses: &[
        ("authorize", "url", "/oauth/authorize"),
        ("token", "url", "/api/v1/authorize"),
        ("revoke", "url", "/api/v1/oauth/revoke"),
        ("api", "base-url", "/api/v1"),
        ("whoami", "url", "/api/v1/contacts"),
    ],
    stateless: true,
    answer,
    ..USUAL
};

const NOT_VERIFIED: &[&str] = &[
    "Lifetimes: codes 300 s, access tokens 3600 s, refresh tokens 30 days here.",
    "The claims of the access token, and how it is signed: ES256 here.",
    "Whether reuse of a refresh token ends the login: it doesn't here, only the old token is dead.",
    "The texts of error_description, the status for an unknown client (401 here), and the code of a resource error.",
    "How contacts are paged: all in one answer here, at most 1000.",
    "The two hosts (consent page and revocation, API) are one here.",
    "Scopes and PKCE: ignored here.",
];

const MOST: u64 = 1000;

fn answer(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    match (ask.method, ask.path) {
        (_, "/oauth/authorize") => consent::authorize(desk, ask, || asked(desk, &ask.query)),
        ("POST", "/api/v1/authorize") => token(desk, ask),
        ("DELETE", "/api/v1/oauth/revoke") => revoke(desk, ask),
        (_, "/api/v1/authorize") => Ok(not_allowed("POST")),
        (_, "/api/v1/oauth/revoke") => Ok(not_allowed("DELETE")),
        ("GET", "/api/v1/status/is_alive") => Ok(ok(json!({ "status": "ok" }))),
        (_, path) if path.starts_with("/api/v1/") => api(desk, ask),
        _ => Ok(page::problem(404, "There is nothing at this address.")),
    }
}

/// Checks an authorization request. A wrong redirect address gets an error page, never a redirect.
fn asked(desk: &Desk, query: &Params) -> Result<Asked, Response> {
    let (_, asked) = consent::asked(desk, query)?;
    match query.get("response_type") {
        Some("code") => Ok(asked),
        _ => Err(asked.refuse("unsupported_response_type", None)),
    }
}

fn token(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let form = &ask.form;
    let Some((client, Proof::Parameters)) = desk.authenticate(ask, form) else { return Ok(wrong_client()) };
    let signer = Signer::of(desk)?;
    let mint = |grant: &Grant| minted(desk, &signer, grant, true);
    match form.get("grant_type") {
        Some("authorization_code") => {
            let shown = Shown {
                code: form.get("code").unwrap_or_default(),
                client: &client.id,
                redirect_uri: form.get("redirect_uri"),
                verifier: None,
            };
            let redeemed = desk.book.redeem(&shown, desk.now(), mint)?;
            Ok(redeemed.map_or_else(refused, |issued| success(desk, &issued)))
        }
        Some("refresh_token") => {
            Ok(desk.renew(client, form, mint)?.map_or_else(refused, |issued| success(desk, &issued)))
        }
        Some("client_credentials") if client.own_tokens => own(desk, client, &signer),
        Some("client_credentials") => {
            Ok(oauth_error(400, "unauthorized_client", "This client is not allowed to use this grant."))
        }
        Some(_) => Ok(oauth_error(400, "unsupported_grant_type", "The grant_type is not supported.")),
        None => Ok(oauth_error(400, "invalid_request", "grant_type is missing.")),
    }
}

fn minted(desk: &Desk, signer: &Signer, grant: &Grant, refresh: bool) -> io::Result<Minted> {
    let now = desk.now();
    let claims = json!({
        "iss": desk.base,
        "sub": grant.account,
        "client_id": grant.client,
        "iat": now,
        "exp": desk.options.access_life.map(|life| now + life),
        "jti": desk.hex40(),
    });
    Ok(desk.minted(signer.sign(&claims)?, refresh.then(|| desk.hex40())))
}

fn own(desk: &Desk, client: &Client, signer: &Signer) -> io::Result<Response> {
    let grant =
        Grant { client: client.id.clone(), account: client.id.clone(), scopes: Vec::new(), family: desk.hex40() };
    let minted = minted(desk, signer, &grant, false)?;
    let life = Some(desk.options.client_credentials_life);
    let issued = desk.book.issue(grant, desk.now(), Minted { access_life: life, ..minted })?;
    Ok(ok(json!({ "access_token": issued.access, "token_type": "Bearer", "expires_in": life })))
}

fn success(desk: &Desk, issued: &Issued) -> Response {
    ok(json!({
        "access_token": issued.access,
        "refresh_token": issued.refresh,
        "token_type": "Bearer",
        "expires_in": desk.options.access_life,
    }))
}

fn wrong_client() -> Response {
    oauth_error(401, "invalid_client", "The client_id is unknown, or the client_secret does not match it.")
}

fn refused(why: Refused) -> Response {
    let description = match why {
        // the example names this reason after a revocation
        Refused::Revoked => "access_revoked",
        _ => "The code or refresh token is unknown, expired, revoked, or was issued to another client.",
    };
    oauth_error(400, "invalid_grant", description)
}

/// Revokes a token. All tokens get the same response, so that nobody learns which ones exist.
fn revoke(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let Some((client, Proof::Parameters)) = desk.authenticate(ask, &ask.form) else { return Ok(wrong_client()) };
    desk.book.revoke(ask.form.get("refresh_token").unwrap_or_default(), &client.id)?;
    Ok(ok(json!({ "status": "ok" })))
}

fn failure(status: u16, code: &str, message: &str) -> Response {
    json(status, &json!({ "error": { "code": code, "message": message } }))
}

fn api(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    match desk.look(ask.bearer.as_deref())? {
        Ok(_) => {}
        Err(Refused::Expired) => return Ok(failure(401, "token_expired", "The access token has expired.")),
        Err(_) => return Ok(failure(401, "unauthorized", "The access token is missing or invalid.")),
    }
    if !desk.admits() {
        return Ok(failure(429, "too_many_requests", "Too many requests."));
    }
    let records = desk.options.records.min(MOST);
    let not_found = || failure(404, "not_found", "There is no such resource.");
    let path = ask.path.strip_prefix("/api/v1/").unwrap_or_default().split('/').collect::<Vec<_>>();
    Ok(match (ask.method, path.as_slice()) {
        ("GET", ["contacts"]) => list(desk, "contacts", records, contact),
        ("GET", ["contacts", id]) => match id.parse().ok().filter(|n| (1..=records).contains(n)) {
            Some(number) => {
                let url = format!("{}/api/v1/contacts/{number}", desk.base);
                ok(json!({ "attributes": contact(number), "links": { "self": { "url": url } } }))
            }
            None => not_found(),
        },
        ("GET", ["lists"]) => list(desk, "lists", 2, one_list),
        ("GET", ["lists", id, "contacts"]) if matches!(*id, "1" | "2") => {
            list(desk, &format!("lists/{id}/contacts"), records, contact)
        }
        ("GET", _) => not_found(),
        ("POST", ["contacts"]) => {
            let error = json!({ "code": "validation_failed", "message": "This practice API only reads." });
            json(422, &json!({ "error": error, "failures": { "email": ["can't be saved here"] } }))
        }
        _ => failure(405, "method_not_allowed", "This practice API only reads."),
    })
}

fn list(desk: &Desk, path: &str, count: u64, make: impl Fn(u64) -> Value) -> Response {
    let items: Vec<Value> = data::window(0, count, count).map(|n| json!({ "attributes": make(n) })).collect();
    let url = format!("{}/api/v1/{path}", desk.base);
    ok(json!({ "url": url, "count": count, "items": items }))
}

fn contact(number: u64) -> Value {
    let person = data::person(number);
    json!({ "id": number, "email": person.email, "first_name": person.first, "last_name": person.last })
}

fn one_list(number: u64) -> Value {
    json!({ "id": number, "name": if number == 1 { "Customers" } else { "Newsletter" } })
}
