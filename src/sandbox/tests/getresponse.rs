//! GetResponse's manners, from the authorization page to its API.

use serde_json::{Value, json};

use super::visitor::{Answer, basic, bearer, code, decide, get, post, send};
use super::{start, usual};
use crate::sandbox::{Manners, Options, Server};

const PAGE: &str = "/oauth2_authorize.html";
const REQUEST: &[(&str, &str)] =
    &[("response_type", "code"), ("client_id", "practice-client"), ("state", "random_string")];

fn app() -> (&'static str, String) {
    basic("practice-client", "practice-secret")
}

fn login(server: &Server) -> Answer {
    let code = code(server, PAGE, REQUEST);
    post(server, "/v3/token", &[app()], &[("grant_type", "authorization_code"), ("code", &code)])
}

fn hex40(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Compares the response with the documented one, with its own two tokens. Returns them.
fn pair(answer: &Answer) -> (String, String) {
    let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
    assert!(hex40(&access) && hex40(&refresh), "{answer:?}");
    assert_eq!(
        answer.body,
        format!(
            "{{\"access_token\":\"{access}\",\"expires_in\":3600,\"token_type\":\"Bearer\",\"scope\":null,\
             \"refresh_token\":\"{refresh}\"}}"
        )
    );
    (access, refresh)
}

#[test]
fn the_answer_goes_to_the_one_registered_address_whatever_the_request_names() {
    let (server, _) = usual(Manners::GetResponse);
    let mut request = REQUEST.to_vec();
    request.push(("redirect_uri", "http://127.0.0.1:1/elsewhere"));
    let back = decide(&server, PAGE, &request, "allow");
    let code = back.redirected("code").unwrap();
    assert!(hex40(&code));
    let expected = format!("https://example.test/gr_callback?code={code}&state=random_string");
    assert_eq!(back.header("location"), expected);
    let denied = decide(&server, PAGE, REQUEST, "deny");
    assert_eq!(denied.header("location"), "https://example.test/gr_callback?error=access_denied&state=random_string");
}

#[test]
fn a_code_and_a_refresh_token_bring_the_documented_answer() {
    let (server, _) = usual(Manners::GetResponse);
    let (_, refresh) = pair(&login(&server));
    let renewed = post(&server, "/v3/token", &[app()], &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]);
    let (_, next) = pair(&renewed);
    assert_ne!(refresh, next);
    let again = post(&server, "/v3/token", &[app()], &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]);
    assert_eq!((again.status, again.text("error")), (400, "invalid_grant".into()));
}

#[test]
fn client_credentials_bring_a_day_and_no_refresh_token_from_form_or_json() {
    let (server, _) = usual(Manners::GetResponse);
    let as_form = post(&server, "/v3/token", &[app()], &[("grant_type", "client_credentials")]);
    let headers = [app(), ("Content-Type", "application/json;charset=utf-8".to_owned())];
    let as_json = send(&server, "POST", "/v3/token", &headers, "{\n    \"grant_type\" : \"client_credentials\"\n}");
    for answer in [as_form, as_json] {
        let expected = format!(
            "{{\"access_token\":\"{}\",\"expires_in\":86400,\"token_type\":\"Bearer\",\"scope\":null}}",
            answer.text("access_token")
        );
        assert_eq!((answer.status, answer.body), (200, expected));
    }
}

fn unauthenticated(kind: &str) -> Value {
    json!({
        "httpStatus": 401,
        "code": 1014,
        "codeDescription": "Problem during authentication process, check headers!",
        "message": "Unable to authenticate request. Check credentials or authentication method details",
        "moreInfo": "https://apidocs.getresponse.com/en/v3/errors/1014",
        "context": { "authenticationType": kind },
    })
}

#[test]
fn wrong_credentials_and_the_secret_in_the_body_are_refused() {
    let (server, _) = usual(Manners::GetResponse);
    let grant = ("grant_type", "client_credentials");
    let wrong = post(&server, "/v3/token", &[basic("practice-client", "wrong")], &[grant]);
    let in_body = post(
        &server,
        "/v3/token",
        &[],
        &[grant, ("client_id", "practice-client"), ("client_secret", "practice-secret")],
    );
    for answer in [wrong, in_body] {
        assert_eq!((answer.status, answer.json()), (401, unauthenticated("oauth2")));
    }
}

#[test]
fn an_expired_token_is_told_by_the_message_and_echoed() {
    let (server, clock) = usual(Manners::GetResponse);
    let (access, _) = pair(&login(&server));
    assert_eq!(get(&server, "/v3/campaigns/", &[bearer(&access)]).status, 200);
    clock.pass(3600);
    let expired = get(&server, "/v3/from-fields", &[bearer(&access)]);
    assert_eq!(
        (expired.status, expired.json()),
        (
            401,
            json!({
                "httpStatus": 401,
                "code": 1014,
                "codeDescription": "Problem during authentication process, check headers!",
                "message": "The access token provided is expired",
                "moreInfo": "https://apidocs.getresponse.com/en/v3/errors/1014",
                "context": { "sentToken": access },
            })
        )
    );
    assert_eq!(get(&server, "/v3/accounts", &[bearer("unknown")]).json(), unauthenticated("oauth2"));
    assert_eq!(get(&server, "/v3/accounts", &[]).json(), unauthenticated("auth_token"));
}

#[test]
fn a_code_lives_ten_minutes_and_works_once() {
    let (server, clock) = usual(Manners::GetResponse);
    let exchange =
        |code: &str| post(&server, "/v3/token", &[app()], &[("grant_type", "authorization_code"), ("code", code)]);
    let late = code(&server, PAGE, REQUEST);
    clock.pass(599);
    let code = code(&server, PAGE, REQUEST);
    clock.pass(1);
    assert_eq!(exchange(&late).text("error"), "invalid_grant");
    let (access, _) = pair(&exchange(&code));
    assert_eq!(exchange(&code).text("error"), "invalid_grant");
    assert_eq!(get(&server, "/v3/accounts", &[bearer(&access)]).status, 401);
}

#[test]
fn lists_are_paged_and_counted_in_headers() {
    let (server, _) = start(Options { records: 250, ..Options::new(Manners::GetResponse) });
    let (access, _) = pair(&login(&server));
    let ids = |target: &str| {
        let answer = get(&server, target, &[bearer(&access)]);
        let counts = ["totalcount", "totalpages", "currentpage"].map(|h| answer.header(h).to_owned());
        let ids: Vec<String> =
            answer.json().as_array().unwrap().iter().map(|c| c["contactId"].as_str().unwrap().into()).collect();
        (counts, ids)
    };
    let (counts, found) = ids("/v3/contacts?page=3");
    assert_eq!(counts, ["250", "3", "3"]);
    assert_eq!((found.len(), found[0].as_str(), found[49].as_str()), (50, "c201", "c250"));
    let (counts, found) = ids("/v3/contacts?perPage=2&page=2&fields=contactId");
    assert_eq!((counts, found), (["250".into(), "125".into(), "2".into()], vec!["c3".to_owned(), "c4".into()]));
    let (_, found) = ids("/v3/contacts?query%5Bemail%5D=contact.7@example.test");
    assert_eq!(found, ["c7"]);
    let answer = get(&server, "/v3/accounts?fields=accountId,email", &[bearer(&access)]);
    assert_eq!(answer.json(), json!({ "accountId": "pdIhh", "email": "alice@example.test" }));
    for header in ["x-ratelimit-limit", "x-ratelimit-remaining"] {
        answer.header(header);
    }
    assert_eq!(answer.header("x-ratelimit-reset"), "1 seconds");
    let wrong = get(&server, "/v3/contacts?perPage=5000", &[bearer(&access)]);
    assert_eq!((wrong.status, &wrong.json()["code"]), (400, &json!(1000)));
    let missing = get(&server, "/v3/contacts/c251", &[bearer(&access)]);
    assert_eq!((missing.status, &missing.json()["code"]), (404, &json!(1013)));
}

#[test]
fn one_request_too_many_gets_the_documented_429() {
    let (server, _) = start(Options { per_second: Some(1), ..Options::new(Manners::GetResponse) });
    let (access, _) = pair(&login(&server));
    get(&server, "/v3/campaigns", &[bearer(&access)]);
    let answer = get(&server, "/v3/campaigns", &[bearer(&access)]);
    assert_eq!((answer.status, answer.header("retry-after")), (429, "1"));
    assert_eq!(answer.json()["code"], 1015);
    assert_eq!(answer.json()["context"], json!({ "currentLimit": "1", "timeToReset": "1 seconds" }));
}

#[test]
fn a_max_account_wants_its_domain_with_every_request() {
    let (server, _) =
        start(Options { domain: Some("practice.example.test".into()), ..Options::new(Manners::GetResponse) });
    let domain = ("X-Domain", "practice.example.test".to_owned());
    let grant = [("grant_type", "client_credentials")];
    assert_eq!(post(&server, "/v3/token", &[app()], &grant).status, 401);
    let access = post(&server, "/v3/token", &[app(), domain.clone()], &grant).text("access_token");
    assert_eq!(get(&server, "/v3/accounts", &[bearer(&access)]).status, 401);
    assert_eq!(get(&server, "/v3/accounts", &[bearer(&access), domain]).status, 200);
}
