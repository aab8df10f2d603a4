//! Dynamic registration: a client without a console, kept, shown, and ended.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::world::{Odd, Person, answer, robot};

type Seen = Arc<Mutex<Vec<(String, String, String, String)>>>;

/// An issuer that takes registrations; method, path, authorization and body of each request.
fn issuer(me: &mut Person) -> (Odd, Seen) {
    let seen = Seen::default();
    let place = Arc::new(Mutex::new(String::new()));
    let (log, own) = (seen.clone(), place.clone());
    let server = me.odd("issuer", move |request| {
        let base = own.lock().unwrap().clone();
        let authorization = request.header("authorization").unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        log.lock().unwrap().push((request.method.clone(), request.path.clone(), authorization, body.clone()));
        let registered = |token: &str| {
            json!({
                "client_id": "made-client-1", "registration_access_token": token, "registration_client_uri": format!("{base}/reg/1"),
                "token_endpoint_auth_method": "none", "client_name": "oauthctl",
            })
        };
        let (status, body) = match (request.method.as_str(), request.path.as_str()) {
            (_, "/.well-known/openid-configuration") => (
                200,
                json!({
                    "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
                    "registration_endpoint": format!("{base}/reg"), "token_endpoint_auth_methods_supported": ["none"],
                }),
            ),
            ("POST", "/reg") => (201, registered("Vq8-manage-1")),
            ("GET", "/reg/1") => (200, registered("Vq8-manage-2")),
            ("DELETE", "/reg/1") => (204, Value::Null),
            _ => (200, json!({ "access_token": "Vq8-access", "token_type": "bearer", "expires_in": 600, "refresh_token": "Vq8-refresh" })),
        };
        answer(status, "application/json", &if body.is_null() { String::new() } else { body.to_string() })
    });
    *place.lock().unwrap() = server.base.clone();
    (server, seen)
}

fn straight_back(url: &str) -> Vec<robot::Page> {
    let asked: std::collections::HashMap<String, String> =
        url::Url::parse(url).unwrap().query_pairs().into_owned().collect();
    assert_eq!(asked["client_id"], "made-client-1");
    vec![robot::go(&format!("{}?code=c&state={}", asked["redirect_uri"], asked["state"]))]
}

// RFC 7591, RFC 7592
#[test]
fn a_public_issuer_needs_no_console() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    let done = me.browser(straight_back).runs(&["login", &server.base, "--register"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("as the client `made-client-1`."), "{}", done.err);
    let name = server.base.replace("http://", "").replace(':', "-");
    let asked: Value = serde_json::from_str(&seen.lock().unwrap()[1].3).unwrap();
    assert_eq!(
        asked,
        json!({
            "client_name": "oauthctl", "redirect_uris": ["http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "application_type": "native",
        })
    );
    assert_eq!(me.record(&name)["registration"]["token"], "Vq8-manage-1");
    assert_eq!(me.record(&name)["token"]["access_token"], "Vq8-access");
    // shown without its secrets; the new token that came with it is kept, since the old one is dead
    let shown = me.types(&format!("register {name} --show"));
    assert_eq!(shown.code, 0, "{}", shown.err);
    let object: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(object["client_id"], "made-client-1");
    assert!(object["registration_access_token"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(me.record(&name)["registration"]["token"], "Vq8-manage-2");
    assert_eq!(seen.lock().unwrap().last().unwrap().2, "Bearer Vq8-manage-1");
    // twice is once too often
    assert_eq!(me.types(&format!("register {name}")).code, 2);
    // logout leaves it, and says so
    let out = me.types(&format!("logout {name} --local-only"));
    assert!(out.err.contains("the client `made-client-1` stays registered at the provider"), "{}", out.err);
    assert_eq!(me.record(&name)["registration"]["token"], "Vq8-manage-2");
    let ended = me.types(&format!("register {name} --delete"));
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(seen.lock().unwrap().last().unwrap().2, "Bearer Vq8-manage-2");
    assert!(me.keychain.item(&name).is_none());
    assert!(!me.config_text().contains("made-client-1"), "{}", me.config_text());
}

#[test]
fn at_a_terminal_a_login_asks_and_no_is_no() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    me.answers("n").answers("my-own-client").answers_hidden("").no_browser_found();
    me.clock.hurry(60);
    let asked = me.runs(&["login", &server.base]);
    assert!(asked.err.contains("It takes registrations: register this program there now? [Y/n]"), "{}", asked.err);
    assert!(seen.lock().unwrap().iter().all(|s| s.1 != "/reg"), "nothing is registered behind a person's back");
    me.set("CI", "true");
    let silent = me.runs(&["login", &server.base]);
    assert_eq!(silent.code, 2);
    assert!(silent.err.contains("--register"), "{}", silent.err);
}

#[test]
fn a_profile_that_goes_leaves_its_client_and_says_so() {
    let mut me = Person::new();
    let (server, _) = issuer(&mut me);
    assert_eq!(me.runs(&["register", &server.base, "--name", "mine"]).code, 0);
    let name = server.base.replace("http://", "").replace(':', "-");
    let removed = me.types(&format!("profile remove {name}"));
    assert!(removed.err.contains("the client `made-client-1` stays registered"), "{}", removed.err);
    let unknown = me.types("register sandbox --show");
    assert_eq!(unknown.code, 2, "{}", unknown.err);
}
