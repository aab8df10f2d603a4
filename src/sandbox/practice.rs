//! The practice server's own manners: everything that the RFCs demand of a good authorization
//! server. Refresh tokens rotate and access tokens live for ten minutes, so users see both in one
//! session.

use std::io;

use serde_json::{Map, Value, json};

use super::client::{Client, Redirects};
use super::consent::{self, scopes_of};
use super::data;
use super::device;
use super::jwt::Signer;
use super::logins::{Grant, Issued, Minted, Refused, Renewal, Shown};
use super::message::{Ask, Params, encoded, json, oauth_error, ok, present, with_header};
use super::page::{self, not_allowed};
use super::server::{Desk, Proof};
use super::tickets::Asked;
use super::{Behaviour, USUAL};
use crate::secret::fingerprint;
use crate::world::http_server::serve::Response;

/// The practice server's own.
pub const BEHAVIOUR: Behaviour = Behaviour {
    name: "sandbox",
    title: "Practice server",
    documented: |options| {
        // short, since users wait for it
        options.device_interval = 2;
    },
    clients: || {
        vec![
            Client {
                id: "oauthctl".into(),
                secret: None,
                redirects: Redirects::Loopback(Vec::new()),
                own_tokens: false,
            },
            Client {
                redirects: Redirects::Loopback(Vec::new()),
                ..Client::confidential("practice-client", false, &[])
            },
            Client::confidential("sandbox-ci", true, &[]),
        ]
    },
    entry: |base| format!("issuer = \"{base}\"\n"),
    addresses: &[
        ("vars.base", "default", ""),
        ("authorize", "url", "/authorize"),
        ("token", "url", "/token"),
        ("device", "url", "/device_authorization"),
        ("revoke", "url", "/revoke"),
        ("introspect", "url", "/introspect"),
        ("id-token", "jwks-uri", "/jwks"),
        ("userinfo", "url", "/api/me"),
        ("api", "base-url", "/api"),
        ("whoami", "url", "/api/me"),
    ],
    answer,
    ..USUAL
};

const SCOPES: [&str; 7] = ["read", "write", "profile", "email", "items", "openid", "offline_access"];
const OPENID: &str = "openid";
const DEVICE: &str = "/device_authorization";
const DEVICE_PAGE: &str = "/device";

fn answer(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    match (ask.method, ask.path) {
        ("GET", "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server") => {
            Ok(ok(metadata(desk)))
        }
        ("GET", "/jwks") => Ok(ok(Signer::of(desk)?.key_set())),
        (_, "/authorize") => consent::authorize(desk, ask, || asked(desk, &ask.query)),
        ("POST", "/token") => token(desk, ask),
        ("POST", "/revoke") => revoke(desk, ask),
        ("POST", "/introspect") => introspect(desk, ask),
        ("POST", DEVICE) => Ok(device::start(desk, ask, DEVICE_PAGE, &SCOPES)),
        (_, DEVICE_PAGE) => Ok(device::at_page(desk, ask)),
        (_, "/token" | "/revoke" | "/introspect" | DEVICE) => Ok(not_allowed("POST")),
        (_, path) if path.starts_with("/api/") => api(desk, ask),
        _ => Ok(page::problem(404, "There is nothing at this address.")),
    }
}

fn metadata(desk: &Desk) -> Value {
    let at = |path: &str| format!("{}{path}", desk.base);
    let auth = ["none", "client_secret_basic", "client_secret_post"];
    json!({
        "issuer": desk.issuer(),
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "device_authorization_endpoint": at(DEVICE),
        "userinfo_endpoint": at("/api/me"),
        "jwks_uri": at("/jwks"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", device::GRANT_TYPE],
        "token_endpoint_auth_methods_supported": auth,
        "revocation_endpoint_auth_methods_supported": auth,
        "introspection_endpoint_auth_methods_supported": auth,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })
}

/// Checks an authorization request. Until client and redirect address are known to match, errors
/// appear on a page here. Later errors go to the app (RFC 6749, section 4.1.2.1).
fn asked(desk: &Desk, query: &Params) -> Result<Asked, Response> {
    let client = consent::app(desk, query)?;
    let redirect_uri = match (query.get("redirect_uri"), &client.redirects) {
        (Some(uri), redirects) if redirects.allow(uri) => uri.to_owned(),
        (None, Redirects::Exact(registered)) if registered.len() == 1 => registered[0].clone(),
        (None, _) => return Err(page::problem(400, "The request names no redirect_uri.")),
        _ => return Err(page::problem(400, "The redirect_uri is not one that this app has registered.")),
    };
    let asked = Asked {
        client: client.id.clone(),
        redirect_uri,
        compared_uri: query.get("redirect_uri").map(str::to_owned),
        state: query.get("state").map(str::to_owned),
        challenge: query.get("code_challenge").map(str::to_owned),
        nonce: query.get("nonce").map(str::to_owned),
        iss: Some(desk.issuer().to_owned()),
        scopes: scopes_of(query),
    };
    let refuse = |error: &str, description: &str| Err(asked.refuse(error, Some(description)));
    if let Some(name) = query.repeated() {
        return refuse("invalid_request", &format!("{name} is given more than once"));
    }
    match query.get("response_type") {
        Some("code") => {}
        None => return refuse("invalid_request", "response_type is missing"),
        Some(_) => return refuse("unsupported_response_type", "only code is offered"),
    }
    match (&asked.challenge, query.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) if challenge.len() == 43 => {}
        (None, None) if client.secret.is_some() => {}
        (None, None) => return refuse("invalid_request", "PKCE is required: code_challenge is missing"),
        _ => return refuse("invalid_request", "PKCE wants a code_challenge of method S256"),
    }
    if let Some(unknown) = asked.scopes.iter().find(|s| !SCOPES.contains(&s.as_str())) {
        return refuse("invalid_scope", &format!("there is no scope {}", crate::text::safe(unknown)));
    }
    Ok(asked)
}

fn token(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let form = &ask.form;
    if !ask.query.is_empty() && ["code", "refresh_token", "client_secret"].iter().any(|n| ask.query.get(n).is_some()) {
        return Ok(oauth_error(400, "invalid_request", "parameters belong in the body, not in the URL"));
    }
    if let Some(name) = form.repeated() {
        return Ok(oauth_error(400, "invalid_request", &format!("{name} is given more than once")));
    }
    let Some((client, proof)) = desk.authenticate(ask, form) else { return Ok(wrong_client(ask)) };
    match form.get("grant_type") {
        Some("authorization_code") => redeem(desk, client, form),
        Some("refresh_token") => renew(desk, client, form),
        Some(device::GRANT_TYPE) => by_device(desk, client, form),
        Some("client_credentials") if client.own_tokens && proof != Proof::Public => own(desk, client, form),
        Some("client_credentials") => {
            Ok(oauth_error(400, "unauthorized_client", "this app may not use client_credentials"))
        }
        Some(_) => Ok(oauth_error(400, "unsupported_grant_type", "this grant_type is not offered")),
        None => Ok(oauth_error(400, "invalid_request", "grant_type is missing")),
    }
}

/// Makes the 401 response, with the authentication scheme that the client used (RFC 6749, section
/// 5.2).
fn wrong_client(ask: &Ask<'_>) -> Response {
    let answer = oauth_error(401, "invalid_client", "the client is unknown, or its secret is wrong");
    match ask.request.header("authorization") {
        Some(_) => with_header(answer, "WWW-Authenticate", "Basic realm=\"practice\""),
        None => answer,
    }
}

fn redeem(desk: &Desk, client: &Client, form: &Params) -> io::Result<Response> {
    let Some(code) = form.get("code") else { return Ok(oauth_error(400, "invalid_request", "code is missing")) };
    let shown =
        Shown { code, client: &client.id, redirect_uri: form.get("redirect_uri"), verifier: form.get("code_verifier") };
    match desk.book.redeem(&shown, desk.now(), |_| Ok(desk.pair()))? {
        Ok(issued) => signed_in(desk, &issued),
        Err(refused) => Ok(invalid_grant("code", refused)),
    }
}

/// Handles the device grant (RFC 8628, section 3.4).
fn by_device(desk: &Desk, client: &Client, form: &Params) -> io::Result<Response> {
    match device::poll(desk, client, form.get("device_code").unwrap_or_default()) {
        Ok(grant) => signed_in(desk, &desk.book.issue(grant, desk.now(), desk.pair())?),
        Err(error) => Ok(device::refused(error)),
    }
}

fn renew(desk: &Desk, client: &Client, form: &Params) -> io::Result<Response> {
    let Some(token) = form.get("refresh_token") else {
        return Ok(oauth_error(400, "invalid_request", "refresh_token is missing"));
    };
    let scopes = form.get("scope").map(|s| s.split_whitespace().map(str::to_owned).collect());
    let shown = Renewal { token, client: &client.id, scopes, rotation: desk.options.rotation };
    match desk.book.renew(shown, desk.now(), |_| Ok(desk.pair()))? {
        Ok(issued) => answer_of(desk, &issued, desk.options.access_life, None),
        Err(Refused::WrongScope) => Ok(oauth_error(400, "invalid_scope", "more scopes than were granted")),
        Err(refused) => Ok(invalid_grant("refresh token", refused)),
    }
}

fn own(desk: &Desk, client: &Client, form: &Params) -> io::Result<Response> {
    let scopes = scopes_of(form);
    if scopes.iter().any(|s| !SCOPES.contains(&s.as_str())) {
        return Ok(oauth_error(400, "invalid_scope", "there is no such scope"));
    }
    let grant = Grant { client: client.id.clone(), account: client.id.clone(), scopes, family: desk.hex40() };
    let minted = Minted { access_life: Some(desk.options.client_credentials_life), ..desk.minted(desk.hex40(), None) };
    let issued = desk.book.issue(grant, desk.now(), minted)?;
    answer_of(desk, &issued, Some(desk.options.client_credentials_life), None)
}

fn invalid_grant(what: &str, refused: Refused) -> Response {
    let why = match refused {
        Refused::Unknown | Refused::WrongClient => "is unknown",
        Refused::Expired => "has expired",
        Refused::Spent => "was used before",
        Refused::Revoked => "has been revoked",
        Refused::WrongRedirect => "was issued for another redirect_uri",
        Refused::WrongVerifier => "doesn't match this code_verifier",
        Refused::WrongScope => "was granted fewer scopes",
    };
    oauth_error(400, "invalid_grant", &format!("the {what} {why}"))
}

fn signed_in(desk: &Desk, issued: &Issued) -> io::Result<Response> {
    answer_of(desk, issued, desk.options.access_life, Some(desk.now()))
}

/// `auth_time`: the time of the user's sign-in, if it was just now.
fn answer_of(desk: &Desk, issued: &Issued, life: Option<i64>, auth_time: Option<i64>) -> io::Result<Response> {
    let scopes = &issued.grant.scopes;
    let id_token = match scopes.iter().any(|s| s == OPENID) {
        false => None,
        true => Some(Signer::of(desk)?.sign(&present(json!({
            "iss": desk.issuer(), "sub": subject(&issued.grant), "aud": issued.grant.client,
            "iat": desk.now(), "exp": desk.now() + life.unwrap_or(600), "email": issued.grant.account,
            "nonce": issued.nonce, "auth_time": auth_time,
        })))?),
    };
    Ok(ok(present(json!({
        "access_token": issued.access,
        "token_type": "Bearer",
        "expires_in": life,
        "refresh_token": issued.refresh,
        "scope": Some(scopes.join(" ")).filter(|scope| !scope.is_empty()),
        "id_token": id_token,
    }))))
}

/// Revokes a token. Returns 200 for any token, known or not (RFC 7009).
fn revoke(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let Some((client, _)) = desk.authenticate(ask, &ask.form) else { return Ok(wrong_client(ask)) };
    let Some(token) = ask.form.get("token") else {
        return Ok(oauth_error(400, "invalid_request", "token is missing"));
    };
    desk.book.revoke(token, &client.id)?;
    Ok(Response { status: 200, headers: vec![("Cache-Control".into(), "no-store".into())], body: Vec::new() })
}

/// Tells a client about its own tokens; all other tokens are "not active" (RFC 7662).
fn introspect(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let Some((client, _)) = desk.authenticate(ask, &ask.form) else { return Ok(wrong_client(ask)) };
    let Some(token) = ask.form.get("token") else {
        return Ok(oauth_error(400, "invalid_request", "token is missing"));
    };
    let found = desk.book.about(token, desk.now())?.filter(|(grant, ..)| grant.client == client.id);
    Ok(ok(match found {
        None => json!({ "active": false }),
        Some((grant, expires_at, kind)) => json!({
            "active": true, "iss": desk.issuer(), "client_id": grant.client, "username": grant.account,
            "sub": subject(&grant), "scope": grant.scopes.join(" "), "exp": expires_at, "token_type": kind,
        }),
    }))
}

fn subject(grant: &Grant) -> String {
    fingerprint(grant.account.as_bytes()).replace("sha256:", "practice-")
}

fn api(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let challenge = |status, error: &str, description: &str| {
        let header = format!("Bearer realm=\"practice\", error=\"{error}\", error_description=\"{description}\"");
        with_header(oauth_error(status, error, description), "WWW-Authenticate", header)
    };
    let Some(token) = &ask.bearer else {
        let answer = oauth_error(401, "unauthorized", "a bearer token is needed");
        return Ok(with_header(answer, "WWW-Authenticate", "Bearer realm=\"practice\""));
    };
    let grant = match desk.look(Some(token))? {
        Ok(grant) => grant,
        Err(Refused::Expired) => return Ok(challenge(401, "invalid_token", "the access token expired")),
        Err(Refused::Revoked) => return Ok(challenge(401, "invalid_token", "the access token was revoked")),
        Err(_) => return Ok(challenge(401, "invalid_token", "the access token is unknown")),
    };
    if !desk.admits() {
        let answer = oauth_error(429, "too_many_requests", "too many requests in this second");
        return Ok(with_header(answer, "Retry-After", "1"));
    }
    Ok(match (ask.method, ask.path) {
        ("GET", "/api/me") => ok(json!({
            "sub": subject(&grant), "email": grant.account, "name": name_of(&grant.account),
            "client_id": grant.client, "scope": grant.scopes.join(" "),
        })),
        ("GET", "/api/items") => items(desk, ask),
        (_, "/api/echo") => echo(ask),
        (_, path) => match path.strip_prefix("/api/status/").and_then(|n| n.parse().ok()) {
            Some(status @ 200..=599) => {
                let answer = json(status, &json!({ "status": status, "message": "as asked" }));
                if matches!(status, 429 | 503) { with_header(answer, "Retry-After", "1") } else { answer }
            }
            _ => oauth_error(404, "not_found", "this API has /api/me, /api/items, /api/echo and /api/status/NNN"),
        },
    })
}

/// Returns `Alice` for `alice@example.test`.
fn name_of(account: &str) -> String {
    let name = account.split('@').next().unwrap_or_default();
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Lists items: `page` from 1, `per_page` up to 100, and the next page both in the body and as a
/// `Link` header (RFC 8288).
fn items(desk: &Desk, ask: &Ask<'_>) -> Response {
    let page = ask.query.number("page").unwrap_or(1).max(1);
    let per_page = ask.query.number("per_page").unwrap_or(20).clamp(1, 100);
    let total = desk.options.records;
    let before = (page - 1).saturating_mul(per_page);
    let items: Vec<Value> = data::window(before, per_page, total).map(data::item).collect();
    let more = before.saturating_add(per_page) < total;
    let next = more.then(|| format!("{}/api/items?page={}&per_page={per_page}", desk.base, page + 1));
    let body = json!({ "items": items, "page": page, "per_page": per_page, "total": total, "next": next });
    match next {
        Some(next) => with_header(ok(body), "Link", format!("<{next}>; rel=\"next\"")),
        None => ok(body),
    }
}

/// Returns the request as it arrived, with the token's fingerprint in place of the token.
fn echo(ask: &Ask<'_>) -> Response {
    let shown = |(name, value): &(String, String)| match name.as_str() {
        "authorization" => (name.clone(), fingerprint(ask.bearer.as_deref().unwrap_or(value).as_bytes()).into()),
        _ => (name.clone(), value.as_str().into()),
    };
    let headers: Map<String, Value> = ask.request.headers.iter().map(shown).collect();
    let query: Vec<Value> = ask.query.0.iter().map(|(n, v)| format!("{}={}", encoded(n), encoded(v)).into()).collect();
    let body = match (ask.body_json(), ask.form.is_empty()) {
        (Value::Null, true) => String::from_utf8_lossy(&ask.request.body).into_owned().into(),
        (Value::Null, false) => ask.form.0.iter().map(|(n, v)| (n.clone(), Value::from(v.as_str()))).collect(),
        (json, _) => json,
    };
    ok(json!({ "method": ask.request.method, "path": ask.path, "query": query, "headers": headers, "body": body }))
}
