//! The practice server's own manners: each rule of the RFCs that it enforces.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::visitor::{Answer, basic, bearer, claims, code, decide, encode, get, post, send};
use super::{START, start, usual};
use crate::sandbox::log::{Basic, Param};
use crate::sandbox::{Manners, Options, Server};
use crate::secret::fingerprint;

const REDIRECT: &str = "http://127.0.0.1:49152/cb";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const REQUEST: &[(&str, &str)] = &[
    ("response_type", "code"),
    ("client_id", "oauthctl"),
    ("redirect_uri", REDIRECT),
    ("scope", "profile email"),
    ("state", "st&te"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

fn changed<'a>(request: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    request
        .iter()
        .map(|(n, v)| if *n == name { (name, value) } else { (*n, *v) })
        .filter(|(_, v)| !v.is_empty())
        .collect()
}

fn exchange(server: &Server, code: &str) -> Answer {
    let params = [
        ("grant_type", "authorization_code"),
        ("client_id", "oauthctl"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    post(server, "/token", &[], &params)
}

fn login(server: &Server) -> Answer {
    let answer = exchange(server, &code(server, "/authorize", REQUEST));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn refresh(server: &Server, token: &str) -> Answer {
    post(server, "/token", &[], &[("grant_type", "refresh_token"), ("client_id", "oauthctl"), ("refresh_token", token)])
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text("error"))
}

#[test]
fn a_login_brings_a_token_that_the_api_takes() {
    let (server, _) = usual(Manners::Sandbox);
    let back = decide(&server, "/authorize", REQUEST, "allow");
    assert_eq!(back.redirected("state").as_deref(), Some("st&te"));
    assert_eq!(back.redirected("iss"), Some(server.base()));
    let tokens = exchange(&server, &back.redirected("code").unwrap());
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(
        tokens.json(),
        json!({
            "access_token": tokens.text("access_token"),
            "token_type": "Bearer",
            "expires_in": 600,
            "refresh_token": tokens.text("refresh_token"),
            "scope": "profile email",
        })
    );
    let me = get(&server, "/api/me", &[bearer(&tokens.text("access_token"))]);
    assert_eq!(
        me.json(),
        json!({
            "sub": me.text("sub"),
            "email": "alice@example.test",
            "name": "Alice",
            "client_id": "oauthctl",
            "scope": "profile email",
        })
    );
}

#[test]
fn a_refusal_by_the_person_goes_back_to_the_app() {
    let (server, _) = usual(Manners::Sandbox);
    let back = decide(&server, "/authorize", REQUEST, "deny");
    assert_eq!(back.status, 303);
    let expected = [("error", "access_denied"), ("state", "st&te"), ("iss", &server.base())];
    assert_eq!(back.header("location"), format!("{REDIRECT}?{}", encode(&expected)));
}

#[test]
fn the_consent_page_names_what_is_asked_and_loads_nothing() {
    let (server, _) = usual(Manners::Sandbox);
    let page = get(&server, &format!("/authorize?{}", encode(REQUEST)), &[]);
    assert!(page.body.contains("<li><code>profile</code></li>\n<li><code>email</code></li>"), "{}", page.body);
    for forbidden in ["<script", "src=", "<link", "url(", "@import", "st&te", "st&amp;te"] {
        assert!(!page.body.contains(forbidden), "{forbidden} in {}", page.body);
    }
    let style = page.body.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash =
        base64::engine::general_purpose::STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, style.as_bytes()));
    assert_eq!(
        page.header("content-security-policy"),
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self' http://127.0.0.1:49152; \
             frame-ancestors 'none'; base-uri 'none'"
        )
    );
    // a policy can't name an IPv6 address
    let request = changed(REQUEST, "redirect_uri", "http://[::1]:49152/cb");
    let page = get(&server, &format!("/authorize?{}", encode(&request)), &[]);
    assert!(page.header("content-security-policy").contains("form-action 'self' http:;"), "{page:?}");
}

#[test]
fn what_an_app_calls_itself_cannot_become_part_of_the_page() {
    let mut options = Options::new(Manners::Sandbox);
    options.clients[0].id = "<b>\"x\"</b>".into();
    let (server, _) = start(options);
    let request = changed(REQUEST, "client_id", "<b>\"x\"</b>");
    let page = get(&server, &format!("/authorize?{}", encode(&request)), &[]);
    assert!(page.body.contains("&lt;b&gt;&quot;x&quot;&lt;/b&gt;") && !page.body.contains("<b>"), "{}", page.body);
}

#[test]
fn a_decision_counts_once_and_only_with_the_pages_own_token() {
    let (server, clock) = usual(Manners::Sandbox);
    let page = get(&server, &format!("/authorize?{}", encode(REQUEST)), &[]);
    let ticket = page.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let press = |ticket: &str| post(&server, "/authorize", &[], &[("ticket", ticket), ("decision", "allow")]).status;
    assert_eq!(press("0000"), 400);
    assert_eq!(press(ticket), 303);
    assert_eq!(press(ticket), 400);
    let page = get(&server, &format!("/authorize?{}", encode(REQUEST)), &[]);
    let ticket = page.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    clock.pass(600);
    assert_eq!(press(ticket), 400);
}

#[test]
fn a_wrong_app_or_redirect_is_shown_and_never_followed() {
    let (server, _) = usual(Manners::Sandbox);
    for (name, value) in [
        ("client_id", "unknown"),
        ("client_id", ""),
        ("redirect_uri", "https://example.com/cb"),
        ("redirect_uri", "http://127.0.0.1.example.com/cb"),
        ("redirect_uri", ""),
    ] {
        let page = get(&server, &format!("/authorize?{}", encode(&changed(REQUEST, name, value))), &[]);
        assert_eq!(page.status, 400, "{name}={value}");
    }
}

#[test]
fn any_other_wrong_request_goes_back_to_the_app_with_its_error() {
    let (server, _) = usual(Manners::Sandbox);
    for (name, value, expected) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "profile nonsense", "invalid_scope"),
    ] {
        let back = get(&server, &format!("/authorize?{}", encode(&changed(REQUEST, name, value))), &[]);
        assert_eq!(back.status, 303, "{name}={value}: {back:?}");
        assert_eq!(back.redirected("error").as_deref(), Some(expected), "{name}={value}");
        assert_eq!(back.redirected("state").as_deref(), Some("st&te"), "{name}={value}");
    }
    let mut twice = REQUEST.to_vec();
    twice.push(("state", "other"));
    let back = get(&server, &format!("/authorize?{}", encode(&twice)), &[]);
    assert_eq!(back.redirected("error").as_deref(), Some("invalid_request"));
}

#[test]
fn a_code_must_come_with_all_it_was_given_for() {
    let (server, clock) = usual(Manners::Sandbox);
    let code = code(&server, "/authorize", REQUEST);
    let right = [
        ("grant_type", "authorization_code"),
        ("client_id", "oauthctl"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    for (name, value, expected) in [
        ("code", "unknown", (400, "invalid_grant")),
        ("code", "", (400, "invalid_request")),
        ("redirect_uri", "http://127.0.0.1:49152/CB", (400, "invalid_grant")),
        ("redirect_uri", "", (400, "invalid_grant")),
        ("code_verifier", "wrong", (400, "invalid_grant")),
        ("code_verifier", "", (400, "invalid_grant")),
        ("client_id", "unknown", (401, "invalid_client")),
        ("client_id", "", (401, "invalid_client")),
        ("grant_type", "", (400, "invalid_request")),
        ("grant_type", "password", (400, "unsupported_grant_type")),
    ] {
        let answer = post(&server, "/token", &[], &changed(&right, name, value));
        assert_eq!(error(&answer), (expected.0, expected.1.to_owned()), "{name}={value}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let in_query = send(&server, "POST", &format!("/token?{}", encode(&right)), &[], "");
    assert_eq!(error(&in_query), (400, "invalid_request".into()));
    clock.pass(299);
    assert_eq!(post(&server, "/token", &[], &right).status, 200);
}

#[test]
fn a_code_lives_for_five_minutes() {
    let (server, clock) = usual(Manners::Sandbox);
    let code = code(&server, "/authorize", REQUEST);
    clock.pass(300);
    let answer = exchange(&server, &code);
    assert_eq!(
        (answer.status, answer.json()),
        (400, json!({ "error": "invalid_grant", "error_description": "the code has expired" }))
    );
}

#[test]
fn a_code_used_twice_revokes_what_it_gave() {
    let (server, _) = usual(Manners::Sandbox);
    let code = code(&server, "/authorize", REQUEST);
    let tokens = exchange(&server, &code);
    assert_eq!(error(&exchange(&server, &code)), (400, "invalid_grant".into()));
    assert_eq!(get(&server, "/api/me", &[bearer(&tokens.text("access_token"))]).status, 401);
    assert_eq!(error(&refresh(&server, &tokens.text("refresh_token"))), (400, "invalid_grant".into()));
}

#[test]
fn an_expired_and_an_unknown_token_are_refused_in_words() {
    let (server, clock) = usual(Manners::Sandbox);
    let access = login(&server).text("access_token");
    clock.pass(599);
    assert_eq!(get(&server, "/api/me", &[bearer(&access)]).status, 200);
    clock.pass(1);
    for (headers, challenge) in [
        (
            vec![bearer(&access)],
            "Bearer realm=\"practice\", error=\"invalid_token\", error_description=\"the access token expired\"",
        ),
        (
            vec![bearer("unknown")],
            "Bearer realm=\"practice\", error=\"invalid_token\", error_description=\"the access token is unknown\"",
        ),
        (vec![], "Bearer realm=\"practice\""),
    ] {
        let answer = get(&server, "/api/me", &headers);
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, challenge));
    }
}

#[test]
fn a_client_of_its_own_gets_a_token_either_way_and_only_with_its_secret() {
    let (server, _) = usual(Manners::Sandbox);
    let grant = ("grant_type", "client_credentials");
    let by_basic = post(&server, "/token", &[basic("sandbox-ci", "practice-secret")], &[grant]);
    let in_form = [grant, ("client_id", "sandbox-ci"), ("client_secret", "practice-secret")];
    for answer in [&by_basic, &post(&server, "/token", &[], &in_form)] {
        let expected =
            json!({ "access_token": answer.text("access_token"), "token_type": "Bearer", "expires_in": 600 });
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
    assert_eq!(get(&server, "/api/me", &[bearer(&by_basic.text("access_token"))]).text("email"), "sandbox-ci");

    let wrong = post(&server, "/token", &[basic("sandbox-ci", "wrong")], &[grant]);
    assert_eq!(error(&wrong), (401, "invalid_client".into()));
    assert_eq!(wrong.header("www-authenticate"), "Basic realm=\"practice\"");
    let two_ways = post(&server, "/token", &[basic("sandbox-ci", "practice-secret")], &in_form);
    assert_eq!(error(&two_ways), (401, "invalid_client".into()));
    let public = post(&server, "/token", &[], &[grant, ("client_id", "oauthctl")]);
    assert_eq!(error(&public), (400, "unauthorized_client".into()));
}

#[test]
fn revocation_ends_a_login_and_answers_alike_for_any_token() {
    let (server, _) = usual(Manners::Sandbox);
    let revoke = |token: &str| post(&server, "/revoke", &[], &[("client_id", "oauthctl"), ("token", token)]).status;
    let tokens = login(&server);
    assert_eq!(revoke("unknown"), 200);
    assert_eq!(get(&server, "/api/me", &[bearer(&tokens.text("access_token"))]).status, 200);
    assert_eq!(revoke(&tokens.text("refresh_token")), 200);
    assert_eq!(get(&server, "/api/me", &[bearer(&tokens.text("access_token"))]).status, 401);
    assert_eq!(error(&refresh(&server, &tokens.text("refresh_token"))), (400, "invalid_grant".into()));

    // revoking an access token keeps its login
    let tokens = login(&server);
    assert_eq!(revoke(&tokens.text("access_token")), 200);
    assert_eq!(get(&server, "/api/me", &[bearer(&tokens.text("access_token"))]).status, 401);
    assert_eq!(refresh(&server, &tokens.text("refresh_token")).status, 200);
}

#[test]
fn a_client_is_told_of_its_own_tokens_alone() {
    let (server, clock) = usual(Manners::Sandbox);
    let ask = |token: &str| post(&server, "/introspect", &[], &[("client_id", "oauthctl"), ("token", token)]).json();
    let tokens = login(&server);
    let (access, refreshing) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let known = ask(&access);
    assert_eq!((&known["active"], &known["scope"]), (&json!(true), &json!("profile email")));
    assert_eq!((&known["exp"], &known["username"]), (&json!(START + 600), &json!("alice@example.test")));
    assert_eq!(ask(&refreshing)["active"], json!(true));
    assert_eq!(ask("unknown"), json!({ "active": false }));
    let other = post(&server, "/introspect", &[basic("sandbox-ci", "practice-secret")], &[("token", &access)]);
    assert_eq!(other.json(), json!({ "active": false }));
    refresh(&server, &refreshing);
    assert_eq!(ask(&refreshing), json!({ "active": false }), "it is spent");
    clock.pass(600);
    assert_eq!(ask(&access), json!({ "active": false }));
}

#[test]
fn the_metadata_is_found_at_both_places_and_tells_the_truth() {
    let (server, _) = usual(Manners::Sandbox);
    let openid = get(&server, "/.well-known/openid-configuration", &[]).json();
    assert_eq!(openid, get(&server, "/.well-known/oauth-authorization-server", &[]).json());
    let base = server.base();
    assert_eq!(openid["issuer"], json!(base));
    assert_eq!(openid["authorization_response_iss_parameter_supported"], json!(true));
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "device_authorization_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
    ] {
        let path = openid[name].as_str().unwrap().strip_prefix(&base).unwrap().to_owned();
        assert_ne!(get(&server, &path, &[]).status, 404, "{name}");
    }
}

#[test]
fn an_id_token_is_signed_by_the_key_that_is_published() {
    let (server, _) = usual(Manners::Sandbox);
    let mut request = changed(REQUEST, "scope", "openid");
    request.push(("nonce", "n-1"));
    let tokens = exchange(&server, &code(&server, "/authorize", &request));
    let jwt = tokens.text("id_token");
    let found = claims(&jwt);
    assert_eq!(
        found,
        json!({
            "iss": server.base(), "sub": found["sub"], "aud": "oauthctl", "iat": START, "exp": START + 600,
            "email": "alice@example.test", "nonce": "n-1", "auth_time": START,
        })
    );
    let key = get(&server, "/jwks", &[]).json()["keys"][0].clone();
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
}

#[test]
fn items_come_in_pages_that_link_to_the_next() {
    let (server, _) = start(Options { records: 5, ..Options::new(Manners::Sandbox) });
    let access = login(&server).text("access_token");
    let page = get(&server, "/api/items?page=2&per_page=2", &[bearer(&access)]);
    let next = format!("{}/api/items?page=3&per_page=2", server.base());
    assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
    let body = page.json();
    assert_eq!((&body["items"][0]["id"], &body["items"][1]["id"]), (&json!(3), &json!(4)));
    assert_eq!((&body["total"], &body["next"]), (&json!(5), &json!(next)));
    let last = get(&server, "/api/items?page=3&per_page=2", &[bearer(&access)]).json();
    assert_eq!((last["items"].as_array().unwrap().len(), &last["next"]), (1, &json!(null)));
}

#[test]
fn echo_shows_what_arrived_and_never_the_token() {
    let (server, _) = usual(Manners::Sandbox);
    let access = login(&server).text("access_token");
    let headers = [bearer(&access), ("Content-Type", "application/json".into()), ("X-Mine", "yes".into())];
    let answer = send(&server, "PUT", "/api/echo?a=1&a=%26", &headers, "{\"b\":[2]}");
    assert!(!answer.body.contains(&access));
    let body = answer.json();
    assert_eq!(body["headers"]["authorization"], fingerprint(access.as_bytes()));
    assert_eq!(
        (&body["method"], &body["query"], &body["body"], &body["headers"]["x-mine"]),
        (&json!("PUT"), &json!(["a=1", "a=%26"]), &json!({ "b": [2] }), &json!("yes"))
    );
}

#[test]
fn any_status_can_be_had_and_a_limit_too() {
    let (server, clock) = start(Options { per_second: Some(2), ..Options::new(Manners::Sandbox) });
    let access = login(&server).text("access_token");
    let answer = get(&server, "/api/status/503", &[bearer(&access)]);
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    assert_eq!(get(&server, "/api/status/204", &[bearer(&access)]).status, 204);
    let limited = get(&server, "/api/me", &[bearer(&access)]);
    assert_eq!((limited.status, limited.header("retry-after")), (429, "1"));
    clock.pass(1);
    assert_eq!(get(&server, "/api/me", &[bearer(&access)]).status, 200);
}

#[test]
fn a_foreign_host_name_is_not_served() {
    // L-05: DNS rebinding
    let (server, _) = usual(Manners::Sandbox);
    for (host, status) in [
        ("rebound.example.com", 421),
        ("127.0.0.1.example.com:80", 421),
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:5", 200),
    ] {
        assert_eq!(get(&server, "/", &[("Host", host.to_owned())]).status, status, "{host}");
    }
}

#[test]
fn the_front_page_names_the_apps_and_disconnects_them() {
    let (server, _) = usual(Manners::Sandbox);
    let empty = get(&server, "/", &[]).body;
    assert!(empty.contains("No app is connected.") && !empty.contains("Disconnect"), "{empty}");
    let tokens = login(&server);
    let page = get(&server, "/", &[]);
    assert!(page.body.contains("<li><code>oauthctl</code> as alice@example.test</li>"), "{}", page.body);
    assert!(page.body.contains("<th scope=\"row\"><code>oauthctl</code></th>"), "{}", page.body);
    assert!(
        page.body.contains("oauthctl") && page.body.contains("sandbox-ci") && page.body.contains("practice-secret")
    );
    assert_eq!(post(&server, "/disconnect", &[], &[("ticket", "no")]).status, 400);
    assert_eq!(get(&server, "/api/me", &[bearer(&tokens.text("access_token"))]).status, 200);
    let ticket = page.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(post(&server, "/disconnect", &[], &[("ticket", ticket)]).status, 200);
    assert_eq!(get(&server, "/api/me", &[bearer(&tokens.text("access_token"))]).status, 401);
    assert_eq!(error(&refresh(&server, &tokens.text("refresh_token"))), (400, "invalid_grant".into()));
}

#[test]
fn the_log_tells_where_things_stood_and_no_value() {
    let (sender, watched) = std::sync::mpsc::channel();
    let (server, _) = start(Options { watch: Some(sender), ..Options::new(Manners::Sandbox) });
    let grant = [("grant_type", "client_credentials")];
    post(&server, "/token?x=y", &[basic("sandbox-ci", "practice-secret")], &grant);
    let mark = |text: &str| fingerprint(text.as_bytes());
    let param = |name: &str, value: &str| Param { name: name.into(), fingerprint: mark(value) };
    let log = server.log();
    assert_eq!(log, watched.try_iter().collect::<Vec<_>>());
    assert_eq!(log.len(), 1);
    let logged = &log[0];
    assert_eq!((logged.method.as_str(), logged.path.as_str(), logged.status), ("POST", "/token", 200));
    assert_eq!(
        (&logged.query, &logged.form),
        (&vec![param("x", "y")], &vec![param("grant_type", "client_credentials")])
    );
    assert_eq!(logged.basic, Some(Basic { id: mark("sandbox-ci"), secret: mark("practice-secret") }));
    assert!(!format!("{log:?}").contains("practice-secret"));
}

#[test]
fn an_answer_is_as_slow_as_asked() {
    let latency = std::time::Duration::from_millis(250);
    let (server, clock) = start(Options { latency, ..Options::new(Manners::Sandbox) });
    get(&server, "/", &[]);
    get(&server, "/", &[]);
    assert_eq!(crate::world::Clock::elapsed(&*clock), latency * 2);
}
