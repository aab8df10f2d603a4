//! Constant Contact's manners, from the authorization page to its API.

use serde_json::{Value, json};

use super::visitor::{Answer, basic, bearer, claims, code, encode, get, post, send};
use super::{START, start, usual};
use crate::sandbox::{Manners, Options, Rotation, Server};

const PAGE: &str = "/oauth2/default/v1/authorize";
const TOKEN: &str = "/oauth2/default/v1/token";
const REDIRECT: &str = "https://localhost";
const REQUEST: &[(&str, &str)] = &[
    ("client_id", "practice-client"),
    ("redirect_uri", REDIRECT),
    ("response_type", "code"),
    ("scope", "account_read contact_data offline_access"),
    ("state", "s"),
];
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn app() -> (&'static str, String) {
    basic("practice-client", "practice-secret")
}

fn with<'a>(name: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    REQUEST.iter().map(|(n, v)| (*n, if *n == name { value } else { v })).filter(|(_, v)| !v.is_empty()).collect()
}

fn exchange(server: &Server, code: &str) -> Answer {
    post(server, TOKEN, &[app()], &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT)])
}

fn refresh(server: &Server, token: &str) -> Answer {
    post(server, TOKEN, &[app()], &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

fn login(server: &Server) -> Answer {
    let answer = exchange(server, &code(server, PAGE, REQUEST));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

#[test]
fn a_login_brings_a_jwt_of_a_day_that_holds_expiry_and_scopes() {
    let (server, _) = usual(Manners::ConstantContact);
    let answer = login(&server);
    let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
    assert_eq!(
        answer.json(),
        json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 86400,
            "scope": "account_read contact_data offline_access",
            "refresh_token": refresh,
        })
    );
    assert_eq!(refresh.len(), 42);
    assert!((1000..=1200).contains(&access.len()), "{}", access.len());
    let found = claims(&access);
    assert_eq!(
        (&found["exp"], &found["scp"], &found["cid"]),
        (&json!(START + 86_400), &json!(["account_read", "contact_data", "offline_access"]), &json!("practice-client"))
    );
}

#[test]
fn expiry_and_scopes_may_stand_in_the_token_alone() {
    let (server, _) = start(Options { claims_only: true, ..Options::new(Manners::ConstantContact) });
    let answer = login(&server);
    let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
    assert_eq!(answer.json(), json!({ "access_token": access, "token_type": "Bearer", "refresh_token": refresh }));
}

#[test]
fn without_offline_access_there_is_no_refresh_token_and_no_error() {
    let (server, _) = usual(Manners::ConstantContact);
    let answer = exchange(&server, &code(&server, PAGE, &with("scope", "contact_data")));
    assert_eq!(
        answer.json(),
        json!({
            "access_token": answer.text("access_token"), "token_type": "Bearer", "expires_in": 86400,
            "scope": "contact_data",
        })
    );
}

#[test]
fn parameters_are_taken_from_the_query_too() {
    let (server, _) = usual(Manners::ConstantContact);
    let code = code(&server, PAGE, REQUEST);
    let params = [("code", code.as_str()), ("redirect_uri", REDIRECT), ("grant_type", "authorization_code")];
    let headers = [app(), ("Content-Type", "application/x-www-form-urlencoded".into())];
    let answer = send(&server, "POST", &format!("{TOKEN}?{}", encode(&params)), &headers, "");
    let renewed = format!(
        "{TOKEN}?{}",
        encode(&[("refresh_token", &answer.text("refresh_token")), ("grant_type", "refresh_token")])
    );
    assert_eq!(send(&server, "POST", &renewed, &headers, "").status, 200);
}

#[test]
fn a_rotated_refresh_token_is_refused_in_the_documented_words() {
    let (server, clock) = usual(Manners::ConstantContact);
    let first = login(&server).text("refresh_token");
    let second = refresh(&server, &first).text("refresh_token");
    assert_ne!(first, second);
    let refused = json!({ "error": "invalid_grant", "error_description": "The refresh token is invalid or expired." });
    let again = refresh(&server, &first);
    assert_eq!((again.status, again.json()), (400, refused.clone()));
    clock.pass(180 * 86_400);
    assert_eq!(refresh(&server, &second).json(), refused);
}

#[test]
fn a_long_lived_refresh_token_returns_as_it_is() {
    let (server, _) = start(Options { rotation: Rotation::None, ..Options::new(Manners::ConstantContact) });
    let token = login(&server).text("refresh_token");
    assert_eq!(refresh(&server, &token).text("refresh_token"), token);
    assert_eq!(refresh(&server, &token).text("refresh_token"), token);
}

#[test]
fn a_public_app_needs_pkce_and_no_secret() {
    let (server, _) = usual(Manners::ConstantContact);
    let public = with("client_id", "practice-public");
    let back = get(&server, &format!("{PAGE}?{}", encode(&public)), &[]);
    assert_eq!(back.redirected("error").as_deref(), Some("invalid_request"));
    let mut request = public;
    request.extend([("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
    let code = code(&server, PAGE, &request);
    let exchange = |verifier: &str| {
        let params = [
            ("grant_type", "authorization_code"),
            ("client_id", "practice-public"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier),
        ];
        post(&server, TOKEN, &[], &params)
    };
    assert_eq!(exchange("wrong").text("error"), "invalid_grant");
    let token = exchange(VERIFIER).text("refresh_token");
    let params = [("grant_type", "refresh_token"), ("client_id", "practice-public"), ("refresh_token", &token)];
    assert_eq!(post(&server, TOKEN, &[], &params).status, 200);
}

#[test]
fn an_app_with_a_secret_may_not_send_pkce() {
    let (server, _) = usual(Manners::ConstantContact);
    let mut request = REQUEST.to_vec();
    request.extend([("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
    assert_eq!(get(&server, &format!("{PAGE}?{}", encode(&request)), &[]).status, 400);
}

#[test]
fn what_is_wrong_is_told_where_okta_tells_it() {
    let (server, clock) = usual(Manners::ConstantContact);
    assert_eq!(
        get(&server, &format!("{PAGE}?{}", encode(&with("redirect_uri", "https://localhost/"))), &[]).status,
        400
    );
    for (name, value, expected) in [
        ("state", "", "invalid_request"),
        ("scope", "contact_data nonsense", "invalid_scope"),
        ("scope", "contact_data+account_read", "invalid_scope"),
        ("response_type", "device", "unsupported_response_type"),
    ] {
        let back = get(&server, &format!("{PAGE}?{}", encode(&with(name, value))), &[]);
        assert_eq!(back.redirected("error").as_deref(), Some(expected), "{name}={value}");
    }
    let code = code(&server, PAGE, REQUEST);
    let params = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT)];
    let wrong = post(&server, TOKEN, &[basic("practice-client", "wrong")], &params);
    assert_eq!((wrong.status, wrong.text("error")), (401, "invalid_client".into()));
    let elsewhere =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", "https://localhost/")];
    assert_eq!(post(&server, TOKEN, &[app()], &elsewhere).text("error"), "invalid_grant");
    clock.pass(300);
    assert_eq!(exchange(&server, &code).text("error"), "invalid_grant");
}

fn api(server: &Server, access: &str, method: &str, target: &str, body: &Value) -> Answer {
    let headers = [bearer(access), ("Content-Type", "application/json".to_owned())];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(server, method, target, &headers, &body)
}

#[test]
fn the_account_is_told_by_what_the_scopes_allow() {
    let (server, _) = usual(Manners::ConstantContact);
    let access = exchange(&server, &code(&server, PAGE, &with("scope", "contact_data"))).text("access_token");
    assert_eq!(get(&server, "/v3/account/user/privileges", &[bearer(&access)]).status, 200);
    let refused = get(&server, "/v3/account/summary", &[bearer(&access)]);
    assert_eq!((refused.status, refused.json()), (403, json!({ "message": "Forbidden" })));
    let access = login(&server).text("access_token");
    let summary = get(&server, "/v3/account/summary", &[bearer(&access)]);
    assert_eq!(summary.text("contact_email"), "alice@example.test");
    let unknown = get(&server, "/v3/contacts", &[bearer("unknown")]);
    assert_eq!(
        (unknown.status, unknown.json()),
        (401, json!({ "error_key": "unauthorized", "error_message": "Unauthorized" }))
    );
}

#[test]
fn contacts_are_paged_by_a_path() {
    let (server, _) = start(Options { records: 5, ..Options::new(Manners::ConstantContact) });
    let access = login(&server).text("access_token");
    let mut target = "/v3/contacts?limit=2&include_count=true".to_owned();
    let mut emails = Vec::new();
    loop {
        let page = get(&server, &target, &[bearer(&access)]).json();
        for contact in page["contacts"].as_array().unwrap() {
            emails.push(contact["email_address"]["address"].as_str().unwrap().to_owned());
        }
        match page["_links"]["next"]["href"].as_str() {
            Some(href) => target = href.to_owned(),
            None => break,
        }
        assert!(target.starts_with("/v3/contacts?"), "{target}");
    }
    let expected: Vec<String> = (1..=5).map(|n| format!("contact.{n}@example.test")).collect();
    assert_eq!(emails, expected);
    let wrong = get(&server, "/v3/contacts?limit=501", &[bearer(&access)]);
    assert_eq!((wrong.status, &wrong.json()[0]["error_key"]), (400, &json!("contacts.api.bad_request")));
}

#[test]
fn a_contact_is_looked_up_then_created_or_overwritten_whole() {
    let (server, _) = start(Options { records: 3, ..Options::new(Manners::ConstantContact) });
    let access = login(&server).text("access_token");
    let call = |method: &str, target: &str, body: Value| api(&server, &access, method, target, &body);
    let found =
        |email: &str| call("GET", &format!("/v3/contacts?email={email}"), Value::Null).json()["contacts"].clone();

    assert_eq!(found("new@example.test"), json!([]));
    let new =
        json!({ "email_address": { "address": "new@example.test" }, "first_name": "New", "create_source": "Account" });
    let created = call("POST", "/v3/contacts", new.clone());
    assert_eq!(created.status, 201);
    assert_eq!(found("NEW@example.test"), json!([created.json()]));
    let id = created.text("contact_id");
    let twice = call("POST", "/v3/contacts", new);
    let message = format!("Email already exists for contact {id}");
    let expected = json!([{ "error_key": "contacts.api.conflict", "error_message": message }]);
    assert_eq!((twice.status, twice.json()), (409, expected));

    // a PUT overwrites everything: omitted properties are lost
    let old = found("contact.2@example.test")[0].clone();
    assert_eq!(old["job_title"], "Practitioner");
    let target = format!("/v3/contacts/{}", old["contact_id"].as_str().unwrap());
    let change = json!({
        "email_address": { "address": "contact.2@example.test" }, "first_name": "Changed", "update_source": "Account",
    });
    assert_eq!(call("PUT", &target, change).status, 200);
    let now = found("contact.2@example.test")[0].clone();
    assert_eq!(
        (&now["first_name"], &now["job_title"], &now["last_name"]),
        (&json!("Changed"), &json!(null), &json!(null))
    );
    assert_eq!(now["created_at"], old["created_at"]);
    let all = call("GET", "/v3/contacts?include_count=true", Value::Null).json();
    assert_eq!((&all["contacts_count"], all["contacts"].as_array().unwrap().len()), (&json!(4), 4));
}

#[test]
fn the_sign_up_form_creates_or_updates_in_one_call() {
    let (server, _) = start(Options { records: 3, ..Options::new(Manners::ConstantContact) });
    let access = login(&server).text("access_token");
    let sign_up = |email: &str| {
        let body = json!({ "email_address": email, "first_name": "Form", "list_memberships": ["a-list"] });
        api(&server, &access, "POST", "/v3/contacts/sign_up_form", &body)
    };
    let created = sign_up("form@example.test");
    let expected = json!({ "contact_id": created.text("contact_id"), "action": "created" });
    assert_eq!((created.status, created.json()), (201, expected));
    let updated = sign_up("contact.1@example.test");
    assert_eq!((updated.status, updated.text("action")), (200, "updated".into()));
    let contact = get(&server, &format!("/v3/contacts/{}", updated.text("contact_id")), &[bearer(&access)]).json();
    assert_eq!((&contact["first_name"], &contact["job_title"]), (&json!("Form"), &json!("Practitioner")));
    let without =
        api(&server, &access, "POST", "/v3/contacts/sign_up_form", &json!({ "email_address": "x@example.test" }));
    assert_eq!(without.status, 400);
}

#[test]
fn a_bulk_import_is_an_activity_to_wait_for() {
    let (server, _) = start(Options { records: 1, ..Options::new(Manners::ConstantContact) });
    let access = login(&server).text("access_token");
    let body = json!({
        "import_data": [{ "email": "a@example.test", "first_name": "A" }, { "email": "contact.1@example.test" }, {}],
        "list_ids": ["a-list"],
    });
    let started = api(&server, &access, "POST", "/v3/activities/contacts_json_import", &body);
    assert_eq!((started.status, started.text("state")), (202, "initialized".into()));
    let href = started.json()["_links"]["self"]["href"].as_str().unwrap().to_owned();
    let look = || get(&server, &href, &[bearer(&access)]).json();
    assert_eq!(look()["state"], "processing");
    let done = look();
    assert_eq!(
        (&done["state"], &done["status"]),
        (&json!("completed"), &json!({ "items_total_count": 3, "items_completed_count": 3, "error_count": 1 }))
    );
    let kept = get(&server, "/v3/contacts?email=contact.1@example.test", &[bearer(&access)]).json();
    assert_eq!(kept["contacts"][0]["job_title"], "Practitioner", "an import changes only what it names");
}

#[test]
fn beyond_the_limit_comes_a_429_that_does_not_say_when() {
    let (server, clock) = start(Options { per_second: Some(4), ..Options::new(Manners::ConstantContact) });
    let access = login(&server).text("access_token");
    let ask = || get(&server, "/v3/account/user/privileges", &[bearer(&access)]);
    for _ in 0..4 {
        assert_eq!(ask().status, 200);
    }
    let limited = ask();
    assert_eq!(limited.status, 429);
    assert!(!limited.headers.iter().any(|(n, _)| n == "retry-after" || n.starts_with("x-ratelimit")), "{limited:?}");
    clock.pass(1);
    assert_eq!(ask().status, 200);
}
