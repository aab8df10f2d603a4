//! VerticalResponse's classic manners, from the authorization page to its API.

use serde_json::json;

use super::visitor::{Answer, bearer, code, decide, encode, get};
use super::{start, usual};
use crate::sandbox::{Manners, Options, Server};

const PAGE: &str = "/api/v1/oauth/authorize";
const REDIRECT: &str = "http://localhost:8000/callback";
const REQUEST: &[(&str, &str)] = &[("client_id", "practice-client"), ("redirect_uri", REDIRECT)];

fn exchange(server: &Server, code: &str, redirect_uri: &str, secret: &str) -> Answer {
    let params =
        [("client_id", "practice-client"), ("client_secret", secret), ("redirect_uri", redirect_uri), ("code", code)];
    get(server, &format!("/api/v1/oauth/access_token?{}", encode(&params)), &[])
}

fn login(server: &Server) -> Answer {
    exchange(server, &code(server, PAGE, REQUEST), REDIRECT, "practice-secret")
}

#[test]
fn the_state_never_comes_back() {
    let (server, _) = usual(Manners::VerticalResponse);
    let mut request = REQUEST.to_vec();
    request.push(("state", "sent"));
    let back = decide(&server, PAGE, &request, "allow");
    assert_eq!(back.header("location"), format!("{REDIRECT}?code={}", back.redirected("code").unwrap()));
}

#[test]
fn a_get_with_the_secret_in_the_query_brings_a_token_for_ever_and_the_users_id() {
    let (server, clock) = usual(Manners::VerticalResponse);
    let answer = login(&server);
    let (token, user) = (answer.text("access_token"), answer.json()["user_id"].as_u64().unwrap());
    assert_eq!(answer.json(), json!({ "access_token": token, "token_type": "bearer", "user_id": user }));
    clock.pass(10 * 365 * 86_400);
    let me = get(&server, &format!("/api/v1/users/{user}"), &[bearer(&token)]);
    assert_eq!(me.json()["attributes"]["email"], "alice@example.test");
    assert_eq!(get(&server, &format!("/api/v1/lists?access_token={token}"), &[]).status, 200);
    // the same account has the same id
    assert_eq!(login(&server).json()["user_id"], user);
    server.disconnect_all().unwrap();
    assert_eq!(get(&server, &format!("/api/v1/users/{user}"), &[bearer(&token)]).status, 401);
}

#[test]
fn what_does_not_fit_is_an_invalid_token_page() {
    let (server, clock) = usual(Manners::VerticalResponse);
    let code = code(&server, PAGE, REQUEST);
    let refused = |answer: Answer| {
        assert_eq!(answer.status, 400);
        assert!(answer.header("content-type").starts_with("text/html") && answer.body.contains("invalid token"));
    };
    refused(exchange(&server, &code, "http://localhost:8000/other", "practice-secret"));
    refused(exchange(&server, &code, REDIRECT, "wrong"));
    refused(exchange(&server, "unknown", REDIRECT, "practice-secret"));
    clock.pass(300);
    refused(exchange(&server, &code, REDIRECT, "practice-secret"));
    assert_eq!(get(&server, &format!("{PAGE}?client_id=practice-client"), &[]).status, 400);
}

#[test]
fn lists_come_in_an_envelope_that_links_to_the_next_page() {
    let (server, _) = start(Options { records: 3, ..Options::new(Manners::VerticalResponse) });
    let token = login(&server).text("access_token");
    let base = server.base();
    let page = get(&server, "/api/v1/contacts?index=1&limit=2", &[bearer(&token)]).json();
    let contact = |n: u64, first: &str, last: &str| {
        json!({
            "url": format!("{base}/api/v1/contacts/{n}"),
            "attributes": {
                "id": n, "email": format!("contact.{n}@example.test"), "first_name": first, "last_name": last,
                "created_at": "2024-01-15T09:30:00Z",
            },
        })
    };
    assert_eq!(
        page,
        json!({
            "url": format!("{base}/api/v1/contacts"),
            "items": [contact(1, "Ada", "Adler"), contact(2, "Ben", "Brandt")],
            "links": {
                "up": { "url": format!("{base}/api/v1") },
                "next": { "url": format!("{base}/api/v1/contacts?index=3&limit=2") },
            },
            "success": { "code": 200, "message": "OK" },
        })
    );
    let last = get(&server, "/api/v1/contacts?index=3&limit=2", &[bearer(&token)]).json();
    assert_eq!((last["items"].as_array().unwrap().len(), &last["links"]["next"]), (1, &json!(null)));
    let missing = get(&server, "/api/v1/lists/9", &[bearer(&token)]);
    assert_eq!(
        (missing.status, missing.json()),
        (404, json!({ "url": format!("{base}/api/v1/lists/9"), "error": { "code": 404, "message": "Not found" } }))
    );
}
