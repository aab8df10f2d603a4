//! VerticalResponse's classic API (v1): the token comes by GET with the secret in the query and no
//! `grant_type`, `state` is never returned, and tokens never expire and carry a `user_id`. Sources:
//! VerticalResponse's authentication page
//! (<https://developer.verticalresponse.com/docs/read/Authentication>) and public clients.

use std::io;

use serde_json::{Value, json};

use super::client::{Client, Redirects};
use super::consent;
use super::data::{self, CREATED};
use super::logins::{Grant, Shown};
use super::message::{Ask, Params, json, ok, with_header};
use super::page::{self, not_allowed};
use super::server::{Desk, Proof};
use super::tickets::Asked;
use super::{Behaviour, USUAL};
use crate::secret::sha256;
use crate::world::http_server::serve::Response;

/// VerticalResponse's classic API.
pub const BEHAVIOUR: Behaviour = Behaviour {
    name: "verticalresponse",
    title: "VerticalResponse (classic)",
    not_verified: NOT_VERIFIED,
    documented: |options| options.access_life = None,
    clients: || {
        // no source mentions registered addresses; both requests must have the same one
        vec![Client {
            redirects: Redirects::Loopback(Vec::new()),
            ..Client::confidential("practice-client", false, &[])
        }]
    },
    addresses: &[
        ("authorize", "url", "/api/v1/oauth/authorize"),
        ("token", "url", "/api/v1/oauth/access_token"),
        ("api", "base-url", "/api/v1"),
        ("whoami", "url", "/api/v1/users/{user_id}"),
    ],
    refresh_tokens: false,
    answer,
    ..USUAL
};

const NOT_VERIFIED: &[&str] = &[
    "Whether the service still answers.",
    "The exact names in the token answer: access_token, token_type and user_id here (user_id from public clients).",
    "The errors of the OAuth addresses: clients expect HTML; here a page with \"invalid token\", status 400.",
    "How a refusal comes back from the authorize page: as error in the redirect's query (RFC 6749).",
    "Whether the redirect address is compared with a registered one: any on this machine is taken here, if both requests name \
     the same.",
    "Whether the token address takes a POST: it does here, since several public clients send one.",
    "What index counts from: the first item is 1 here.",
    "The members of contacts and lists, the status for a wrong token (401 here), and rate limits.",
];

const DEFAULT_LIMIT: u64 = 50;
const MOST: u64 = 500;

fn answer(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    match (ask.method, ask.path) {
        (_, "/api/v1/oauth/authorize") => consent::authorize(desk, ask, || asked(desk, &ask.query)),
        ("GET" | "POST", "/api/v1/oauth/access_token") => token(desk, ask),
        (_, "/api/v1/oauth/access_token") => Ok(not_allowed("GET, POST")),
        (_, path) if path.starts_with("/api/v1/") => api(desk, ask),
        _ => Ok(page::problem(404, "There is nothing at this address.")),
    }
}

/// Checks an authorization request. It needs no `response_type`, and its `state` is dropped.
fn asked(desk: &Desk, query: &Params) -> Result<Asked, Response> {
    let (_, asked) = consent::asked(desk, query)?;
    Ok(Asked { state: None, ..asked })
}

fn token(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    let params = ask.query.and(&ask.form);
    let invalid = || page::problem(400, "invalid token");
    let Some((client, Proof::Parameters)) = desk.authenticate(ask, &params) else { return Ok(invalid()) };
    let code = params.get("code").unwrap_or_default();
    let shown = Shown { code, client: &client.id, redirect_uri: params.get("redirect_uri"), verifier: None };
    let redeemed = desk.book.redeem(&shown, desk.now(), |_| Ok(desk.minted(desk.hex40(), None)))?;
    Ok(redeemed.map_or_else(
        |_| invalid(),
        |issued| {
            ok(json!({ "access_token": issued.access, "token_type": "bearer", "user_id": user_id(&issued.grant) }))
        },
    ))
}

/// Returns ten digits that depend on the account.
fn user_id(grant: &Grant) -> u64 {
    let number = sha256(grant.account.as_bytes())[..8].iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
    1_000_000_000 + number % 9_000_000_000
}

fn failure(desk: &Desk, ask: &Ask<'_>, status: u16, message: &str) -> Response {
    let url = format!("{}{}", desk.base, ask.path);
    json(status, &json!({ "url": url, "error": { "code": status, "message": message } }))
}

fn api(desk: &Desk, ask: &Ask<'_>) -> io::Result<Response> {
    // the query may carry the token too, the body never
    let Ok(grant) = desk.look(ask.bearer.as_deref().or(ask.query.get("access_token")))? else {
        let answer = failure(desk, ask, 401, "The access token is invalid");
        return Ok(with_header(answer, "WWW-Authenticate", "Bearer realm=\"api.verticalresponse.com\""));
    };
    if !desk.admits() {
        return Ok(failure(desk, ask, 429, "Too many requests"));
    }
    if ask.method != "GET" {
        return Ok(failure(desk, ask, 405, "This practice API only reads"));
    }
    let records = desk.options.records;
    Ok(match ask.path.strip_prefix("/api/v1/").unwrap_or_default().split('/').collect::<Vec<_>>().as_slice() {
        ["users", id] if *id == user_id(&grant).to_string() => single(
            desk,
            &format!("users/{id}"),
            json!({ "id": user_id(&grant), "email": grant.account, "first_name": "Alice", "last_name": "Example" }),
        ),
        ["lists"] => list(desk, ask, 3, one_list),
        ["contacts"] | ["lists", "1" | "2" | "3", "contacts"] => list(desk, ask, records, contact),
        [kind @ ("contacts" | "lists"), id] => {
            let (count, make): (u64, fn(u64) -> Value) =
                if *kind == "lists" { (3, one_list) } else { (records, contact) };
            match id.parse().ok().filter(|n| (1..=count).contains(n)) {
                Some(n) => single(desk, &format!("{kind}/{n}"), make(n)),
                None => failure(desk, ask, 404, "Not found"),
            }
        }
        _ => failure(desk, ask, 404, "Not found"),
    })
}

fn contact(number: u64) -> Value {
    let person = data::person(number);
    json!({
        "id": number,
        "email": person.email,
        "first_name": person.first,
        "last_name": person.last,
        "created_at": CREATED,
    })
}

fn one_list(number: u64) -> Value {
    let name = ["Customers", "Newsletter", "Friends"][(number as usize - 1) % 3];
    json!({ "id": number, "name": name, "created_at": CREATED })
}

fn single(desk: &Desk, path: &str, attributes: Value) -> Response {
    let up = path.rsplit_once('/').map_or(path, |(up, _)| up);
    ok(json!({
        "url": format!("{}/api/v1/{path}", desk.base),
        "attributes": attributes,
        "links": { "up": { "url": format!("{}/api/v1/{up}", desk.base) } },
        "success": { "code": 200, "message": "OK" },
    }))
}

fn list(desk: &Desk, ask: &Ask<'_>, count: u64, make: impl Fn(u64) -> Value) -> Response {
    let index = ask.query.number("index").unwrap_or(1).max(1);
    let limit = ask.query.number("limit").unwrap_or(DEFAULT_LIMIT).clamp(1, MOST);
    let url = format!("{}{}", desk.base, ask.path);
    let kind = ask.path.rsplit('/').next().unwrap_or_default();
    let items: Vec<Value> = data::window(index - 1, limit, count)
        .map(|n| json!({ "url": format!("{}/api/v1/{kind}/{n}", desk.base), "attributes": make(n) }))
        .collect();
    let mut links = json!({ "up": { "url": format!("{}/api/v1", desk.base) } });
    let next = index.saturating_add(limit);
    if next <= count {
        links["next"] = json!({ "url": format!("{url}?index={next}&limit={limit}") });
    }
    ok(json!({ "url": url, "items": items, "links": links, "success": { "code": 200, "message": "OK" } }))
}
