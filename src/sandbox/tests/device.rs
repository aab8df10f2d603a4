//! The device grant, at both manners that support it.

use serde_json::json;

use super::visitor::{Answer, bearer, get, post};
use super::{start, usual};
use crate::sandbox::{Manners, Options, Server};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn begin(server: &Server, scope: &str) -> Answer {
    post(server, "/device_authorization", &[], &[("client_id", "oauthctl"), ("scope", scope)])
}

fn ask(server: &Server, code: &str) -> Answer {
    post(server, "/token", &[], &[("grant_type", GRANT), ("client_id", "oauthctl"), ("device_code", code)])
}

fn decide(server: &Server, user_code: &str, decision: &str) -> Answer {
    post(server, "/device", &[], &[("user_code", user_code), ("decision", decision)])
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text("error"))
}

#[test]
fn a_code_entered_on_the_page_brings_tokens_once() {
    let (server, clock) = usual(Manners::Sandbox);
    let begun = begin(&server, "profile openid");
    let (code, user_code) = (begun.text("device_code"), begun.text("user_code"));
    let page = format!("{}/device", server.base());
    assert_eq!(
        begun.json(),
        json!({
            "device_code": code, "user_code": user_code, "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={user_code}"), "expires_in": 300, "interval": 2,
        })
    );
    assert_eq!(error(&ask(&server, &code)), (400, "authorization_pending".into()));
    let asked = get(&server, "/device", &[]);
    assert!(asked.status == 200 && asked.body.contains("name=\"user_code\""), "{asked:?}");
    // as users type it
    let typed = user_code.to_lowercase().replace('-', "");
    let shown = get(&server, &format!("/device?user_code={typed}"), &[]);
    assert!(shown.status == 200 && shown.body.contains(&user_code) && shown.body.contains("<strong>oauthctl</strong>"));
    let done = decide(&server, &typed, "allow");
    assert!(done.status == 200 && done.body.contains("signed in"), "{done:?}");
    clock.pass(2);
    let tokens = ask(&server, &code);
    assert_eq!((tokens.status, tokens.text("scope").as_str()), (200, "profile openid"));
    assert!(!tokens.text("id_token").is_empty() && !tokens.text("refresh_token").is_empty());
    assert_eq!(get(&server, "/api/me", &[bearer(&tokens.text("access_token"))]).text("email"), "alice@example.test");
    clock.pass(2);
    assert_eq!(error(&ask(&server, &code)), (400, "invalid_grant".into()));
    assert_eq!(decide(&server, &user_code, "allow").status, 400, "a code is good once");
}

#[test]
fn who_asks_too_soon_is_told_to_slow_down_for_good() {
    let (server, clock) = usual(Manners::Sandbox);
    let code = begin(&server, "profile").text("device_code");
    assert_eq!(error(&ask(&server, &code)).1, "authorization_pending");
    clock.pass(1);
    assert_eq!(error(&ask(&server, &code)).1, "slow_down");
    clock.pass(2);
    assert_eq!(error(&ask(&server, &code)).1, "slow_down", "the interval is seven seconds now");
    clock.pass(12);
    assert_eq!(error(&ask(&server, &code)).1, "authorization_pending");
}

#[test]
fn a_refusal_and_the_end_of_the_time_are_told_apart() {
    let (server, clock) = usual(Manners::Sandbox);
    let refused = begin(&server, "profile");
    assert_eq!(decide(&server, &refused.text("user_code"), "deny").status, 200);
    assert_eq!(error(&ask(&server, &refused.text("device_code"))).1, "access_denied");
    let late = begin(&server, "profile");
    clock.pass(300);
    assert_eq!(decide(&server, &late.text("user_code"), "allow").status, 400);
    assert_eq!(error(&ask(&server, &late.text("device_code"))).1, "expired_token");
    assert_eq!(error(&ask(&server, "another")).1, "invalid_grant");
    assert_eq!(error(&begin(&server, "no-such-scope")).1, "invalid_scope");
    let unknown = post(&server, "/device_authorization", &[], &[("client_id", "nobody")]);
    assert_eq!(error(&unknown), (401, "invalid_client".into()));
}

#[test]
fn another_client_can_not_have_the_tokens() {
    let (server, _) = usual(Manners::Sandbox);
    let begun = begin(&server, "profile");
    decide(&server, &begun.text("user_code"), "allow");
    let params = [
        ("grant_type", GRANT),
        ("client_id", "practice-client"),
        ("client_secret", "practice-secret"),
        ("device_code", &begun.text("device_code")),
    ];
    assert_eq!(error(&post(&server, "/token", &[], &params)).1, "invalid_grant");
}

#[test]
fn constant_contact_has_one_too_with_a_refresh_token_where_offline_access_is_asked_for() {
    for (scope, renews) in [("contact_data offline_access", true), ("contact_data", false)] {
        let (server, _) = start(Options { device_interval: 0, ..Options::new(Manners::ConstantContact) });
        let begun = post(
            &server,
            "/oauth2/default/v1/device/authorize",
            &[],
            &[("client_id", "practice-public"), ("scope", scope)],
        );
        assert_eq!(begun.text("verification_uri"), format!("{}/activate", server.base()));
        let form = [("user_code", begun.text("user_code")), ("decision", "allow".to_owned())];
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        assert_eq!(post(&server, "/activate", &[], &form).status, 200);
        let device_code = begun.text("device_code");
        let params = [("grant_type", GRANT), ("client_id", "practice-public"), ("device_code", device_code.as_str())];
        let tokens = post(&server, "/oauth2/default/v1/token", &[], &params);
        assert_eq!((tokens.status, tokens.json().get("refresh_token").is_some()), (200, renews), "{tokens:?}");
    }
}
