//! VerticalResponse VR2's manners, from the authorization page to its API.

use serde_json::{Value, json};

use super::visitor::{Answer, bearer, claims, code, decide, encode, form, get, post};
use super::{START, start, usual};
use crate::sandbox::{Manners, Options, Server};

const REDIRECT: &str = "http://localhost:9190/callback";
const REQUEST: &[(&str, &str)] =
    &[("client_id", "practice-client"), ("redirect_uri", REDIRECT), ("response_type", "code"), ("state", "s")];

fn token(server: &Server, params: &[(&str, &str)]) -> Answer {
    let mut all = vec![("client_id", "practice-client"), ("client_secret", "practice-secret")];
    all.extend(params);
    post(server, "/api/v1/authorize", &[], &all)
}

fn exchange(server: &Server, code: &str, redirect_uri: &str) -> Answer {
    token(server, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)])
}

fn refresh(server: &Server, refresh_token: &str) -> Answer {
    token(server, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
}

fn login(server: &Server) -> Answer {
    exchange(server, &code(server, "/oauth/authorize", REQUEST), REDIRECT)
}

fn pair(answer: &Answer) -> (String, String) {
    let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
    let expected =
        json!({ "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600 });
    assert_eq!((answer.status, answer.json()), (200, expected));
    (access, refresh)
}

#[test]
fn a_login_brings_a_jwt_and_a_refresh_token() {
    let (server, _) = usual(Manners::VerticalResponseVr2);
    let (access, _) = pair(&login(&server));
    let found = claims(&access);
    let expected: Value = json!({
        "iss": server.base(), "sub": "alice@example.test", "client_id": "practice-client",
        "iat": START, "exp": START + 3600, "jti": found["jti"],
    });
    assert_eq!(found, expected);
    let contacts = get(&server, "/api/v1/contacts", &[bearer(&access)]).json();
    assert_eq!((&contacts["count"], contacts["items"].as_array().unwrap().len()), (&json!(120), 120));
    assert_eq!(get(&server, "/api/v1/status/is_alive", &[]).status, 200);
}

#[test]
fn a_redirect_is_compared_whole_and_a_wrong_one_never_followed() {
    let (server, _) = usual(Manners::VerticalResponseVr2);
    let wrong = [
        ("client_id", "practice-client"),
        ("redirect_uri", "http://localhost:9190/callback/"),
        ("response_type", "code"),
    ];
    assert_eq!(get(&server, &format!("/oauth/authorize?{}", encode(&wrong)), &[]).status, 400);
    let code = code(&server, "/oauth/authorize", REQUEST);
    let answer = exchange(&server, &code, "http://localhost:9190/callback/");
    assert_eq!((answer.status, answer.text("error")), (400, "invalid_grant".into()));
    let denied = decide(&server, "/oauth/authorize", REQUEST, "deny");
    assert_eq!(denied.header("location"), format!("{REDIRECT}?error=access_denied&state=s"));
}

#[test]
fn a_refresh_token_is_dead_at_once_and_the_new_one_is_not() {
    let (server, _) = usual(Manners::VerticalResponseVr2);
    let (_, first) = pair(&login(&server));
    let (_, second) = pair(&refresh(&server, &first));
    let again = refresh(&server, &first);
    assert_eq!((again.status, again.text("error")), (400, "invalid_grant".into()));
    pair(&refresh(&server, &second));
}

#[test]
fn revocation_answers_ok_to_anything_and_leaves_the_jwt_alone() {
    let (server, clock) = usual(Manners::VerticalResponseVr2);
    let revoke = |token: &str| {
        let params = [("client_id", "practice-client"), ("client_secret", "practice-secret"), ("refresh_token", token)];
        let answer = form(&server, "DELETE", "/api/v1/oauth/revoke", &[], &params);
        (answer.status, answer.body)
    };
    let ok = (200, "{\"status\":\"ok\"}".to_owned());
    let (access, token) = pair(&login(&server));
    assert_eq!(revoke("never-seen"), ok);
    assert_eq!(revoke(&token), ok);
    let refused = refresh(&server, &token);
    assert_eq!(
        (refused.status, refused.json()),
        (400, json!({ "error": "invalid_grant", "error_description": "access_revoked" }))
    );
    assert_eq!(get(&server, "/api/v1/contacts", &[bearer(&access)]).status, 200);
    clock.pass(3600);
    let expired = get(&server, "/api/v1/contacts", &[bearer(&access)]);
    let expected = json!({ "error": { "code": "token_expired", "message": "The access token has expired." } });
    assert_eq!((expired.status, expired.json()), (401, expected));
}

#[test]
fn a_direct_app_gets_a_token_for_itself() {
    let (server, _) = usual(Manners::VerticalResponseVr2);
    let answer = token(&server, &[("grant_type", "client_credentials")]);
    let access = answer.text("access_token");
    assert_eq!(answer.json(), json!({ "access_token": access, "token_type": "Bearer", "expires_in": 3600 }));
    assert_eq!(get(&server, "/api/v1/lists", &[bearer(&access)]).status, 200);
}

#[test]
fn token_errors_are_flat_and_resource_errors_nested() {
    let (server, _) = start(Options { records: 1, ..Options::new(Manners::VerticalResponseVr2) });
    let wrong = post(
        &server,
        "/api/v1/authorize",
        &[],
        &[("client_id", "practice-client"), ("client_secret", "wrong"), ("grant_type", "client_credentials")],
    );
    assert_eq!((wrong.status, wrong.text("error")), (401, "invalid_client".into()));
    assert_eq!(token(&server, &[("grant_type", "password")]).text("error"), "unsupported_grant_type");
    let (access, _) = pair(&login(&server));
    let missing = get(&server, "/api/v1/lists/9/contacts", &[bearer(&access)]);
    let expected = json!({ "error": { "code": "not_found", "message": "There is no such resource." } });
    assert_eq!((missing.status, missing.json()), (404, expected));
    let one = get(&server, "/api/v1/contacts/1", &[bearer(&access)]).json();
    assert_eq!(one["attributes"]["email"], "contact.1@example.test");
}
