//! Providers with manners of their own, each told by keys of a provider's file: what a login
//! teaches is used from then on, and no `{variable}` leaves the program.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::world::robot;
use crate::world::serve::{Request, Response};
use crate::world::{Odd, Output, Person, START, answer};

pub type Seen = Arc<Mutex<Vec<Request>>>;

/// A server whose sign-in page sends the browser back at once, with `more` in the redirect.
pub fn server(
    me: &mut Person,
    more: &str,
    answers: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> (Odd, Seen) {
    let (seen, more) = (Seen::default(), more.to_owned());
    let to = seen.clone();
    let odd = me.odd("a provider with manners", move |request| {
        to.lock().unwrap().push(request.clone());
        let asked = |name: &str| pairs(&request.query).into_iter().find(|(n, _)| n == name).map(|(_, v)| v);
        match (request.path.as_str(), asked("redirect_uri")) {
            ("/authorize", Some(back)) => {
                let mut redirect = answer(302, "text/plain", "");
                let state = asked("state").unwrap_or_default();
                redirect.headers.push(("Location".into(), format!("{back}?code=the-code&state={state}{more}")));
                redirect
            }
            _ => answers(request),
        }
    });
    (odd, seen)
}

pub fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

pub fn says(value: &Value) -> Response {
    answer(200, "application/json", &value.to_string())
}

/// A token answer with more members.
pub fn tokens(more: &Value) -> Response {
    let mut token =
        json!({ "access_token": "access-1", "token_type": "bearer", "refresh_token": "refresh-1", "expires_in": 3600 });
    token.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    says(&token)
}

/// Signs in with a browser to the provider `odd`, with these keys beside the server's own.
pub fn login(me: &mut Person, server: &Odd, keys: &str) -> Output {
    me.config("providers/odd.toml", &with_keys(server, keys));
    me.browser(|url| vec![robot::go(url)]).types("login odd")
}

/// The provider's file; keys given here replace those of [`Odd::provider`].
pub fn with_keys(server: &Odd, keys: &str) -> String {
    laid(&server.provider("odd"), &keys.replace("BASE", &server.base))
}

/// A file with these keys laid over its own.
pub fn laid(file: &str, keys: &str) -> String {
    let mut file: toml_edit::DocumentMut = file.parse().unwrap();
    let more: toml_edit::DocumentMut = keys.parse().unwrap();
    fn lay(over: &mut toml_edit::Table, more: &toml_edit::Table) {
        for (key, item) in more.iter() {
            match (over.get_mut(key).and_then(|it| it.as_table_mut()), item.as_table()) {
                (Some(over), Some(more)) => lay(over, more),
                _ => drop(over.insert(key, item.clone())),
            }
        }
    }
    lay(file.as_table_mut(), more.as_table());
    file.to_string()
}

fn paths(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap().iter().map(|r| r.path.clone()).filter(|path| path != "/authorize").collect()
}

pub fn bodies(seen: &Seen, path: &str) -> Vec<String> {
    let text = |r: &Request| String::from_utf8(r.body.clone()).unwrap();
    seen.lock().unwrap().iter().filter(|r| r.path == path).map(text).collect()
}

// VK's `device_id`, QuickBooks' `realmId`, Shopify's `shop`
#[test]
fn what_the_redirect_brings_fills_the_exchange_and_all_that_comes_after() {
    for (keys, redirect, path, sent) in [
        (
            "token.params = { device_id = \"{device_id}\" }\nvars.device_id.from = \"callback\"\napi.base-url = \"BASE/api\"",
            "&device_id=D-1",
            "/token",
            "device_id=D-1",
        ),
        (
            "token.url = \"BASE/{realm}/token\"\nvars.realm = { from = \"callback\", path = \"realmId\" }\napi.base-url = \"BASE/{realm}\"",
            "&realmId=77",
            "/77/token",
            "code=the-code",
        ),
        (
            "token.params = { shop = \"{shop}\" }\nvars.shop = { from = \"callback\", default = \"none\" }",
            "&shop=mine",
            "/token",
            "shop=mine",
        ),
        (
            "token.params = { shop = \"{shop}\" }\nvars.shop = { from = \"callback\", default = \"none\" }",
            "",
            "/token",
            "shop=none",
        ),
    ] {
        let mut me = Person::new();
        let (server, seen) =
            server(
                &mut me,
                redirect,
                |r| if r.path.ends_with("token") { tokens(&json!({})) } else { says(&json!([])) },
            );
        let done = login(&mut me, &server, keys);
        assert_eq!(done.code, 0, "{keys}: {}", done.err);
        assert!(bodies(&seen, path)[0].contains(sent), "{keys}: {:?}", bodies(&seen, path));
        assert_eq!(me.types("call odd /x").code, 0, "{keys}");
        me.later(4000);
        assert_eq!(me.types("token odd").code, 0);
        let renewed = bodies(&seen, path).pop().unwrap();
        assert!(renewed.contains("grant_type=refresh_token") && !renewed.contains("%7B"), "{renewed}");
    }
}

#[test]
fn a_variable_that_nothing_brings_never_leaves_the_program() {
    for (keys, code) in [
        ("token.params = { device_id = \"{device_id}\" }\nvars.device_id.from = \"callback\"", 4),
        ("token.headers = { X-Device = \"{device_id}\" }\nvars.device_id.from = \"callback\"", 4),
        ("authorize.params = { device = \"{device_id}\" }\nvars.device_id.from = \"callback\"", 2),
    ] {
        let mut me = Person::new();
        let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
        let done = match code {
            4 => login(&mut me, &server, keys),
            _ => {
                me.config("providers/odd.toml", &with_keys(&server, keys));
                assert_eq!(robot::get(&format!("{}/authorize", server.base)).status, 200);
                me.types("login odd")
            }
        };
        assert_eq!(done.code, code, "{keys}: {}", done.err);
        assert!(done.err.contains("`{device_id}` is not known"), "{}", done.err);
        assert!(seen.lock().unwrap().iter().all(|r| r.path != "/token"), "{keys}");
    }
    for keys in
        ["api.base-url = \"BASE/{dc}\"", "api.headers = { X-Dc = \"{dc}\" }", "revoke = { url = \"BASE/{dc}/revoke\" }"]
    {
        let mut me = Person::new();
        let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
        let done = login(&mut me, &server, &format!("{keys}\nvars.dc.from = \"token\""));
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains("warning: the sign-in did not bring `dc`"), "{}", done.err);
        let done = me.types(if keys.starts_with("api") { "call odd /lists" } else { "logout odd" });
        assert_eq!(done.code, 4, "{}", done.err);
        assert_eq!(paths(&seen), ["/token"], "{keys}");
    }
}

// Salesforce's `instance_url`; nested members; a list
#[test]
fn what_the_token_answer_brings_is_where_the_api_is() {
    for (keys, members) in [
        ("response.capture = { inst = \"instance\" }\napi.base-url = \"{inst}/v1\"", json!({ "instance": "BASE" })),
        (
            "response.capture = { inst = \"team.urls.0\" }\napi.base-url = \"{inst}/v1\"",
            json!({ "team": { "urls": ["BASE"] } }),
        ),
        (
            "vars.inst = { from = \"token\", path = \"host.api\" }\napi.base-url = \"{inst}/v1\"",
            json!({ "host": { "api": "BASE" } }),
        ),
        ("vars.v = { from = \"token\", pattern = \"digits\" }\napi.base-url = \"BASE/v{v}\"", json!({ "v": 1 })),
    ] {
        let mut me = Person::new();
        let base = Arc::new(Mutex::new(String::new()));
        let own = base.clone();
        let (server, seen) = server(&mut me, "", move |r| match r.path.as_str() {
            "/token" => {
                tokens(&serde_json::from_str(&members.to_string().replace("BASE", &own.lock().unwrap())).unwrap())
            }
            _ => says(&json!([])),
        });
        *base.lock().unwrap() = server.base.clone();
        let done = login(&mut me, &server, keys);
        assert_eq!(done.code, 0, "{keys}: {}", done.err);
        let done = me.types("call odd /x");
        assert_eq!(done.code, 0, "{keys}: {}", done.err);
        assert_eq!(paths(&seen), ["/token", "/v1/x"], "{keys}");
    }
}

// Mailchimp's `dc`, Xero's tenant, Atlassian's cloud id
#[test]
fn what_whoami_brings_is_asked_once_and_kept() {
    for (keys, told, path) in [
        ("vars.dc.from = \"whoami\"\napi.base-url = \"BASE/{dc}/3.0\"", json!({ "dc": "us6" }), "/us6/3.0/x"),
        (
            "vars.tenant = { from = \"whoami\", path = \"0.tenantId\" }\napi.base-url = \"BASE/{tenant}\"",
            json!([{ "tenantId": "t-1" }]),
            "/t-1/x",
        ),
        (
            "vars.cloud = { from = \"whoami\", path = \"sites.1.id\" }\napi.base-url = \"BASE/ex/{cloud}\"",
            json!({ "sites": [{ "id": "a" }, { "id": "b" }] }),
            "/ex/b/x",
        ),
        (
            "vars.n = { from = \"whoami\", path = \"account.id\", default = \"0\" }\napi.base-url = \"BASE/{n}\"",
            json!({ "account": { "id": 7 } }),
            "/7/x",
        ),
        (
            "vars.n = { from = \"whoami\", path = \"account.id\", default = \"0\" }\napi.base-url = \"BASE/{n}\"",
            json!({}),
            "/0/x",
        ),
    ] {
        let mut me = Person::new();
        let (server, seen) = server(&mut me, "", move |r| match r.path.as_str() {
            "/token" => tokens(&json!({})),
            "/me" => says(&told),
            _ => says(&json!([])),
        });
        let done = login(&mut me, &server, &format!("{keys}\nwhoami.url = \"BASE/me\""));
        assert_eq!(done.code, 0, "{keys}: {}", done.err);
        assert_eq!(me.types("call odd /x").code, 0, "{keys}");
        me.later(4000);
        let done = me.types("call odd /x");
        assert_eq!(done.code, 0, "{keys}: {}", done.err);
        assert_eq!(paths(&seen), ["/token", "/me", path, "/token", path], "{keys}");
    }
}

// Zoho's `accounts-server`, pCloud's `hostname`
#[test]
fn the_redirect_names_the_token_host_and_all_goes_there() {
    for named in ["HOST", "http://HOST", "http://HOST/"] {
        let mut me = Person::new();
        let there = me.odd("the account's own host", |r| match r.path.as_str() {
            "/token" => tokens(&json!({})),
            "/revoke" => says(&json!({})),
            _ => says(&json!([])),
        });
        let host = there.base.trim_start_matches("http://").to_owned();
        let (server, seen) =
            server(&mut me, &format!("&server={}", named.replace("HOST", &host)), |_| answer(500, "text/plain", ""));
        let keys = format!(
            "callback = {{ token-host-from = \"server\", token-host-allow = [\"{host}\"] }}\nrevoke = {{ url = \"BASE/revoke\", tokens = [\"access_token\"] }}"
        );
        let done = login(&mut me, &server, &keys);
        assert_eq!(done.code, 0, "{named}: {}", done.err);
        assert_eq!(me.types("call odd /x").code, 0);
        me.later(4000);
        let done = me.types("token odd");
        assert_eq!(done.code, 0, "{}", done.err);
        // the file that is written anew is no other provider
        me.config("providers/odd.toml", &format!("{}# a word\n", with_keys(&server, &keys)));
        assert_eq!(me.types("token odd").code, 0);
        assert_eq!(me.types("logout odd").code, 0);
        assert_eq!(there.asked(), 4, "exchange, call, renewal, revocation");
        assert_eq!(paths(&seen), [""; 0]);
    }
}

#[test]
fn a_token_host_that_is_not_allowed_gets_nothing() {
    for (named, allowed) in [
        ("evil.example", "accounts.zoho.example"),
        ("https%3A%2F%2Faccounts.zoho.example.evil.example", "*.zoho.example"),
        ("https%3A%2F%2Fzoho.example", "*.zoho.example"),
        ("http%3A%2F%2F127.0.0.1%3A1%2Fx", "127.0.0.1:1"),
        ("x%40127.0.0.1%3A1", "127.0.0.1:1"),
        ("127.0.0.1%3A1%23", "127.0.0.1:1"),
        ("127.0.0.1", "127.0.0.1:1"),
        ("", "127.0.0.1:1"),
    ] {
        let mut me = Person::new();
        let (server, seen) = server(&mut me, &format!("&server={named}"), |_| tokens(&json!({})));
        let done = login(
            &mut me,
            &server,
            &format!("callback = {{ token-host-from = \"server\", token-host-allow = [\"{allowed}\"] }}"),
        );
        assert_eq!(done.code, 7, "{named}: {}", done.err);
        assert_eq!(paths(&seen), [""; 0], "{named}");
    }
}

/// Signs in, lets the token expire, and renews it at a server that answers so.
fn renewed(keys: &str, status: u16, body: &str) -> (Person, Output) {
    let mut me = Person::new();
    let body = body.to_owned();
    let (server, _) = server(&mut me, "", move |r| match String::from_utf8_lossy(&r.body).contains("refresh_token") {
        true => answer(status, "application/json", &body),
        false => tokens(&json!({})),
    });
    let done = login(&mut me, &server, keys);
    assert_eq!(done.code, 0, "{}", done.err);
    me.later(4000);
    let done = me.types("token odd");
    (me, done)
}

// Atlassian, Strava, Fitbit, Withings, Lark, Databricks: each in words of its own
#[test]
fn a_dead_refresh_token_is_told_by_the_providers_rules() {
    for (rule, status, body) in [
        (
            "match = \"refresh_token is invalid\"",
            403,
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
        ),
        (
            "match = \"RefreshToken\"",
            400,
            r#"{"message":"Bad Request","errors":[{"resource":"RefreshToken","field":"refresh_token","code":"invalid"}]}"#,
        ),
        (
            "match = \"refresh token invalid\"",
            400,
            r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid: 0"}],"success":false}"#,
        ),
        (
            "status = 200\nmatch = \"invalid refresh_token\"",
            200,
            r#"{"status":503,"error":"Invalid Params: invalid refresh_token"}"#,
        ),
        ("code = 20037", 200, r#"{"code":20037,"msg":"refresh token expired"}"#),
        ("status = 500\nmatch = \"revoked\"", 500, r#"{"message":"The token was revoked"}"#),
        ("at = \"token\"\ncode = \"gone\"", 410, r#"{"error":"gone"}"#),
        ("at = \"token\"\nmatch = \"invalid\"", 401, r#"{"errors":[{"message":"Refresh token invalid: 1"}]}"#),
        ("at = \"token\"\nmatch = \"dead\"", 401, "the token is dead"),
    ] {
        for means in ["expired", "revoked"] {
            let (mut me, done) = renewed(&format!("[[errors]]\n{rule}\nmeans = \"{means}\""), status, body);
            assert_eq!(done.code, 4, "{rule}: {}", done.err);
            assert!(done.err.contains("error: the login of `odd` has ended"), "{}", done.err);
            let words = ["invalid", "expired", "revoked", "gone", "dead", "Bad Request"];
            assert!(words.iter().any(|word| done.err.contains(word)), "{rule}: {}", done.err);
            assert!(!done.err.contains("invalid_client") && !done.err.contains("access_token"), "{}", done.err);
            assert!(me.record("odd").get("token").is_none(), "{rule}");
            assert_eq!(me.types("token odd").code, 4);
        }
    }
}

#[test]
fn a_rule_of_the_api_or_of_the_client_forgets_no_token() {
    let wrong = r#"{"httpStatus":401,"code":1014,"message":"Unable to authenticate request"}"#;
    for (rule, status, body, code) in [
        ("status = 401\nmeans = \"expired\"", 401, r#"{"error":"invalid_client"}"#, 2),
        ("at = \"api\"\ncode = 1014\nmeans = \"revoked\"", 401, wrong, 2),
        ("code = 1014\nmeans = \"revoked\"", 401, wrong, 4),
        ("code = 1014\nmeans = \"wrong_client\"", 401, wrong, 2),
        ("match = \"slow\"\nmeans = \"throttled\"", 400, r#"{"error":"slow down"}"#, 75),
        ("match = \"scope\"\nmeans = \"scope\"", 400, r#"{"error":"no such scope"}"#, 3),
        ("match = \"other\"\nmeans = \"revoked\"", 400, r#"{"error":"invalid_request"}"#, 2),
    ] {
        let (me, done) = renewed(&format!("[[errors]]\n{rule}"), status, body);
        assert_eq!(done.code, code, "{rule}: {}", done.err);
        assert_eq!(me.kept("odd", "refresh_token"), "refresh-1", "{rule}");
    }
}

#[test]
fn a_rule_explains_a_code_that_is_not_exchanged() {
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", |_| answer(400, "application/json", r#"{"code":77,"msg":"code used"}"#));
    let done = login(&mut me, &server, "[[errors]]\ncode = 77\nmeans = \"expired\"");
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.err.contains("hint: oauthctl login odd"), "{}", done.err);
}

// Google's `oob`, Dropbox, Yandex's page
#[test]
fn a_code_that_a_page_shows_is_pasted_alone() {
    let state = |url: &str| pairs(url.split_once('?').unwrap().1).into_iter().find(|(n, _)| n == "state").unwrap().1;
    for (paste, sent) in [
        ("oob", "urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob"),
        ("https://codes.example/show", "https%3A%2F%2Fcodes.example%2Fshow"),
    ] {
        for (at, form) in [
            "CODE",
            " CODE ",
            "CODE#STATE",
            "code=CODE&state=STATE",
            "https://codes.example/show?code=CODE&state=STATE",
        ]
        .iter()
        .enumerate()
        {
            if paste == "oob" && at == 4 {
                continue;
            }
            let mut me = Person::new();
            let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
            me.config(
                "providers/odd.toml",
                &with_keys(&server, &format!("redirect.paste = \"{paste}\"\npkce.mode = \"supported\"")),
            );
            me.pastes(move |url| form.replace("CODE", "4/0A-x").replace("STATE", &state(url)));
            let done = me.browser(|_| Vec::new()).types("login odd");
            assert_eq!(done.code, 0, "{form}: {}", done.err);
            assert!(done.err.contains("the page shows a code"), "{}", done.err);
            let body = bodies(&seen, "/token").remove(0);
            assert!(body.contains("code=4%2F0A-x&") && body.contains(&format!("redirect_uri={sent}")), "{body}");
        }
    }
}

#[test]
fn a_pasted_code_of_another_sign_in_is_refused_and_no_code_is_asked_for_again() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
    me.config("providers/odd.toml", &with_keys(&server, "redirect.paste = \"oob\"\npkce.mode = \"supported\""));
    me.pastes(|_| "two words".to_owned()).pastes(|_| "CODE#another".to_owned()).pastes(|_| "code=CODE".to_owned());
    let done = me.browser(|_| Vec::new()).pastes(|_| "the-code".to_owned()).types("login odd");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("That is not a code. Paste the code that the page shows:"), "{}", done.err);
    assert!(done.err.contains("its `state` is not this login's. Paste another:"), "{}", done.err);
    assert_eq!(bodies(&seen, "/token").len(), 1);
    // without PKCE nothing ties the code to this sign-in: the person is asked
    me.config("providers/odd.toml", &with_keys(&server, "redirect.paste = \"oob\""));
    let done = me.pastes(|_| "the-code".to_owned()).browser(|_| Vec::new()).answers("n").types("login odd");
    assert_eq!(done.code, 3, "{}", done.err);
}

#[test]
fn a_redirect_address_of_another_program_is_pasted() {
    let uris = ["com.example.app:/callback", "myapp://signed-in", "com.example.app://host/path"];
    for (uri, by_file) in uris.into_iter().flat_map(|uri| [(uri, false), (uri, true)]) {
        let mut me = Person::new();
        let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
        let paste = if by_file { format!("redirect.paste = \"{uri}\"\n") } else { String::new() };
        me.config("providers/odd.toml", &with_keys(&server, &paste));
        me.pastes(move |url| {
            let (_, query) = url.split_once('?').unwrap();
            let state = pairs(query).into_iter().find(|(n, _)| n == "state").unwrap().1;
            format!("{uri}?code=the-code&state={state}")
        });
        let typed = if by_file { String::new() } else { format!(" --redirect-uri {uri}") };
        let done = me.browser(|_| Vec::new()).types(&format!("login odd{typed}"));
        assert_eq!(done.code, 0, "{uri}: {}", done.err);
        assert_eq!(bodies(&seen, "/token").len(), 1);
    }
}

// Constant Contact's 180 days, Databricks' and Intuit's ends
#[test]
fn the_end_of_a_login_is_shown_and_warned_of() {
    const DAY: i64 = 86_400;
    for (keys, members, days) in [
        ("refresh.max-idle-s = 864000", json!({}), 10),
        ("refresh.max-age-s = 864000", json!({}), 10),
        ("refresh = { max-age-s = 8640000, max-idle-s = 864000 }", json!({}), 10),
        ("", json!({ "refresh_token_expires_in": 864_000 }), 10),
        ("", json!({ "x_refresh_token_expires_in": 864_000 }), 10),
        (
            "refresh.max-age-s = 8640000",
            json!({ "refresh_token_timeout": 864_000, "authorization_expires_in": 1_728_000 }),
            10,
        ),
    ] {
        let mut me = Person::new();
        let (server, _) = server(&mut me, "", move |_| tokens(&members));
        let done = login(&mut me, &server, keys);
        assert!(
            done.err.contains(&format!("The login ends in {days} days, at 2026-12-01T22:00:00Z")),
            "{keys}: {}",
            done.err
        );
        let done = me.types("status odd");
        assert!(done.out.contains("login ends     in 10 days, at 2026-12-01T22:00:00Z"), "{}", done.out);
        assert_eq!(done.err, "");
        for line in ["status odd --format json", "list --format json"] {
            let out: Value = serde_json::from_str(&me.types(line).out).unwrap();
            let one = if out.is_array() { &out[0] } else { &out };
            assert_eq!(
                (&one["login_ends_at"], &one["login_ends_in"]),
                (&json!("2026-12-01T22:00:00Z"), &json!(10 * DAY)),
                "{line}"
            );
        }
        for line in ["status odd --check", "status odd --check --within 9d"] {
            me.types(line).is(0, "", "");
        }
        let done = me.types("status odd --check --within 10d");
        let said = "error: the login of `odd` ends in 10 days, at 2026-12-01T22:00:00Z";
        assert!(done.code == 4 && done.err.starts_with(said) && done.out.is_empty(), "{}", done.err);
        assert_eq!(me.types("status odd --within 10d").code, 2);
        me.later(9 * DAY + 3600);
        let said = "warning: the login of `odd` ends in 23 h: oauthctl login odd\n";
        for line in ["status odd", "list"] {
            assert_eq!(me.types(line).err, said, "{keys}: {line}");
        }
        me.later(DAY);
        assert_eq!(me.types("list").err, "warning: the login of `odd` has ended: oauthctl login odd\n");
        assert_eq!(me.types("status odd --check").code, 4);
    }
}

#[test]
fn a_renewal_near_the_end_of_its_login_says_so() {
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", |_| tokens(&json!({})));
    assert_eq!(login(&mut me, &server, "refresh.max-age-s = 864000").code, 0);
    me.later(86_400);
    assert_eq!(me.types("token odd").err, "");
    me.later(86_400 * 8 + 3600);
    let done = me.types("token odd");
    assert_eq!((done.code, done.err.as_str()), (0, "warning: the login of `odd` ends in 23 h: oauthctl login odd\n"));
    assert_eq!(me.types("token odd").err, "", "a fresh token says nothing");
    // a login without a refresh token has no other end than the token's
    let (server, _) = self::server(&mut me, "", |_| {
        says(&json!({ "access_token": "access-1", "token_type": "bearer", "expires_in": 60 }))
    });
    assert!(!login(&mut me, &server, "refresh.max-age-s = 864000").err.contains("The login ends"));
    me.types("status odd --check").is(0, "", "");
    let done = me.types("status odd --check --within 2m");
    assert!(done.code == 4 && done.err.contains("ends in 60 s"), "{}", done.err);
    me.later(60);
    let done = me.types("status odd --check");
    assert!(done.code == 4 && done.err.contains("`odd` needs a person"), "{}", done.err);
}

// refresh.send-redirect-uri, revoke.ok-status, limits.headers, scopes.known, redirect.host
#[test]
fn small_facts_of_a_file_have_an_effect() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |r| match r.path.as_str() {
        "/token" => tokens(&json!({})),
        "/revoke" => answer(404, "application/json", "{}"),
        _ => {
            let mut list = says(&json!([]));
            list.headers.extend([("X-Most".into(), "80".into()), ("X-Left".into(), "12".into())]);
            list
        }
    });
    let keys = "refresh.send-redirect-uri = true\nrevoke = { url = \"BASE/revoke\", ok-status = [200, 404], tokens = [\"access_token\"] }\n\
        scopes.known = [\"contacts\", \"mail\"]\nredirect.host = \"[::1]\"\n[limits.headers]\nlimit = \"X-Most\"\nremaining = \"X-Left\"";
    me.config("providers/odd.toml", &with_keys(&server, keys));
    let done = me.browser(|url| vec![robot::go(url)]).types("login odd --scope contcts");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("warning: the scope `contcts` is not known; did you mean `contacts`?"), "{}", done.err);
    let exchanged = pairs(&bodies(&seen, "/token")[0]);
    let redirect = exchanged.iter().find(|(name, _)| name == "redirect_uri").unwrap();
    assert!(redirect.1.starts_with("http://[::1]:"), "{redirect:?}");
    assert!(me.types("call odd /x -v").err.contains("12 of 80 requests remain"));
    me.later(4000);
    assert_eq!(me.types("token odd").code, 0);
    assert!(pairs(&bodies(&seen, "/token")[1]).contains(redirect), "{:?}", bodies(&seen, "/token"));
    let done = me.types("logout odd");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("has revoked"), "{}", done.err);
}

#[test]
fn a_variable_called_base_is_asked_for() {
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", |_| tokens(&json!({})));
    me.config(
        "providers/odd.toml",
        &with_keys(&server, "token.url = \"{base}/token\"\nvars.base.prompt = \"where it is\""),
    );
    let base = server.base.clone();
    let done = me.answers(&base).browser(|url| vec![robot::go(url)]).types("login odd");
    assert_eq!(done.code, 0, "{}", done.err);
}

// RFC 8414: what the file leaves out stands in the document
#[test]
fn an_issuer_beside_explicit_addresses_tells_the_rest() {
    let mut me = Person::new();
    let base = Arc::new(Mutex::new(String::new()));
    let own = base.clone();
    let (server, seen) = server(&mut me, "", move |r| {
        let base = own.lock().unwrap().clone();
        match r.path.as_str() {
            "/token" => tokens(&json!({})),
            "/device" => says(
                &json!({ "device_code": "d-1", "user_code": "AB", "verification_uri": base, "expires_in": 600, "interval": 1 }),
            ),
            "/revoke" => says(&json!({})),
            "/register" => answer(201, "application/json", &json!({ "client_id": "made" }).to_string()),
            "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => says(&json!({
                "issuer": base, "authorization_endpoint": format!("{base}/other"), "token_endpoint": format!("{base}/other"),
                "revocation_endpoint": format!("{base}/revoke"), "device_authorization_endpoint": format!("{base}/device"),
                "registration_endpoint": format!("{base}/register"), "jwks_uri": format!("{base}/jwks"),
            })),
            _ => answer(404, "text/plain", ""),
        }
    });
    *base.lock().unwrap() = server.base.clone();
    assert_eq!(login(&mut me, &server, "issuer = \"BASE\"").code, 0);
    assert_eq!(paths(&seen), ["/token"], "nothing is read that is not needed");
    let done = me.types("logout odd");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("has revoked the tokens"), "{}", done.err);
    let done = me.types("login odd --grant device-code");
    assert_eq!(done.code, 0, "{}", done.err);
    me.config(
        "providers/two.toml",
        &with_keys(&server, "issuer = \"BASE\"\nid = \"two\"").replace("client-id = \"an-app\"\n", ""),
    );
    let done = me.browser(|url| vec![robot::go(url)]).types("login two --register");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(paths(&seen).iter().any(|path| path == "/register"));
}

/// Signs in and renews once where the token endpoint gives these answers.
fn answered(keys: &str, login_says: Response, renewal_says: Response) -> (Person, Output, Output) {
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", move |r| {
        let renews = String::from_utf8_lossy(&r.body).contains("grant_type=refresh_token");
        if renews { renewal_says.clone() } else { login_says.clone() }
    });
    let first = login(&mut me, &server, keys);
    me.later(4000);
    let second = me.types("token odd");
    (me, first, second)
}

fn text(kind: &str, body: &str) -> Response {
    answer(200, kind, body)
}

// Slack, Lark, GitHub, eBay, LinkedIn, Apigee
#[test]
fn token_answers_of_every_shape_are_read() {
    let flat =
        json!({ "access_token": "access-2", "token_type": "bearer", "refresh_token": "refresh-2", "expires_in": 3600 });
    let nested = |name: &str| json!({ "ok": true, "code": 0, name: { "access_token": "access-1", "token_type": "bearer", "refresh_token": "refresh-1", "expires_in": 3600 } });
    let kind = |kind: &str| {
        says(
            &json!({ "access_token": "access-1", "token_type": kind, "refresh_token": "refresh-1", "expires_in": 3600 }),
        )
    };
    for (keys, login_says) in [
        ("response.root = [\"authed_user\", \"\"]", says(&nested("authed_user"))),
        (
            "response = { root = [\"authed_user\", \"\"], bearer-types = [\"bot\"] }",
            says(&json!({
                "ok": true, "access_token": "access-1", "token_type": "bot", "refresh_token": "refresh-1",
                "expires_in": 3600, "authed_user": { "id": "U1" },
            })),
        ),
        ("", text("application/json", &format!("\u{feff}{flat}"))),
        (
            "response = { root = [\"data\", \"\"], ok-field = \"code\", ok-value = 0, error = [\"code\"] }",
            says(&nested("data")),
        ),
        (
            "response = { ok-field = \"status\", ok-value = \"fine\" }",
            says(
                &json!({ "status": "fine", "error": "none", "access_token": "access-1", "token_type": "bearer", "refresh_token": "refresh-1", "expires_in": 3600 }),
            ),
        ),
        ("", text("text/html", "access_token=access-1&token_type=bearer&refresh_token=refresh-1&expires_in=3600")),
        (
            "",
            text("application/json", "access_token=access-1&token_type=bearer&refresh_token=refresh-1&expires_in=3600"),
        ),
        ("response.bearer-types = [\"User Access Token\"]", kind("User Access Token")),
        ("response.bearer-types = [\"BearerToken\", \"user\"]", kind("bearertoken")),
        ("response.bearer-types = [\"bot\"]", kind("bot")),
    ] {
        let renewal_says = match keys {
            keys if keys.contains("ok-value = 0") => {
                says(&json!({ "code": 0, "access_token": "access-2", "token_type": "bearer", "expires_in": 3600 }))
            }
            keys if keys.contains("fine") => says(
                &json!({ "status": "fine", "access_token": "access-2", "token_type": "bearer", "expires_in": 3600 }),
            ),
            _ => says(&flat),
        };
        let (_, first, second) = answered(keys, login_says, renewal_says);
        assert_eq!(first.code, 0, "{keys}: {}", first.err);
        assert_eq!((second.code, second.out.as_str()), (0, "access-2\n"), "{keys}: {}", second.err);
    }
    let (_, first, _) = answered(
        "response = { ok-field = \"code\", ok-value = 0, error = [\"code\"], error-description = [\"msg\"] }",
        says(&json!({ "code": 20_001, "msg": "no such code" })),
        says(&flat),
    );
    assert_eq!(first.code, 1, "{}", first.err);
    assert!(first.err.contains("no such code"), "{}", first.err);
}

#[test]
fn times_and_scopes_are_read_as_servers_write_them() {
    for (keys, expires) in [
        ("", json!(3600)),
        ("response.expires-unit = \"ms\"", json!(3_600_000)),
        ("response.expires-unit = \"min\"", json!(60)),
        ("response.expires-unit = \"epoch\"", json!(START + 3600)),
        ("response.expires-unit = \"epoch-ms\"", json!((START + 3600) * 1000)),
        ("response.expires-unit = \"epoch-ms\"", json!(((START + 3600) * 1000).to_string())),
        ("response.expires-unit = \"iso8601\"", json!("2026-11-21T23:00:00")),
        ("response.expires-unit = \"iso8601\"", json!("2026-11-21 23:00:00.250")),
        ("response.expires-unit = \"iso8601\"", json!("2026-11-22T00:00:00+01:00")),
    ] {
        let mut me = Person::new();
        let (server, _) = server(&mut me, "", move |_| tokens(&json!({ "expires_in": expires })));
        let done = login(&mut me, &server, keys);
        assert!(done.err.contains("expires in 60 min, at 2026-11-21T23:00:00Z"), "{keys}: {}", done.err);
    }
    for (keys, scope) in [
        ("", json!("repo,gist")),
        ("", json!("repo gist")),
        ("response.scope-separator = \";\"", json!("repo;gist")),
        ("scopes.separator = \",\"\nresponse.scope-separator = \" \"", json!("repo gist")),
        ("scopes.separator = \",\"", json!("repo gist")),
        ("", json!(["repo", "gist"])),
    ] {
        let mut me = Person::new();
        let (server, _) = server(&mut me, "", move |_| tokens(&json!({ "scope": scope })));
        let done = login(&mut me, &server, &format!("scopes.default = [\"repo\", \"gist\"]\n{keys}"));
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(!done.err.contains("not granted"), "{keys}: {}", done.err);
    }
    for (keys, members) in [
        ("response.refresh-expires-in = \"life\"", json!({ "life": 864_000 })),
        (
            "response = { refresh-expires-in = \"rt.until\", refresh-expires-unit = \"epoch\" }",
            json!({ "rt": { "until": START + 864_000 } }),
        ),
        (
            "response = { refresh-expires-in = \"rt\", refresh-expires-unit = \"epoch-ms\" }",
            json!({ "rt": (START + 864_000) * 1000 }),
        ),
    ] {
        let mut me = Person::new();
        let (server, _) = server(&mut me, "", move |_| tokens(&members));
        let done = login(&mut me, &server, keys);
        assert!(done.err.contains("The login ends in 10 days"), "{keys}: {}", done.err);
    }
}

// WeChat's fragment, eBay's RuName, Twitch's header, Azure's version
#[test]
fn requests_are_made_as_providers_want_them() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |r| match r.path.as_str() {
        "/token" => tokens(&json!({})),
        "/api/me" => says(&json!({ "name": "ann" })),
        _ => says(&json!([])),
    });
    let keys = "authorize.fragment = \"wechat_redirect\"\nwhoami = { url = \"/me\", label = \"name\" }\n\
        api = { headers = { Client-Id = \"{client_id}\" }, query = { api-version = \"7.0\", lang = \"en\" }, base-url = \"BASE/api?tenant=t1\" }";
    let done = login(&mut me, &server, keys);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err_raw.lines().any(|line| line.trim().starts_with("http") && line.ends_with("#wechat_redirect")),
        "{}",
        done.err
    );
    assert!(done.err.contains("as ann"), "{}", done.err);
    assert_eq!(me.types("call odd /x?lang=de a==1 api-version==8.0").code, 0);
    let asked = seen.lock().unwrap().clone();
    let of = |path: &str| asked.iter().find(|r| r.path == path).unwrap();
    assert_eq!(of("/api/me").query, "tenant=t1&api-version=7.0&lang=en");
    assert_eq!(of("/api/x").query, "lang=de&a=1&api-version=8.0&tenant=t1");
    assert!(["/api/me", "/api/x"].iter().all(|path| of(path).header("client-id") == Some("an-app")));

    for (keys, sent) in [
        ("redirect.alias = \"Ann-RuName-1\"", "Ann-RuName-1"),
        ("redirect.alias = \"{ru}\"\nvars.ru.default = \"Ru-2\"", "Ru-2"),
    ] {
        let mut me = Person::new();
        let (server, seen) = self::server(&mut me, "", |_| tokens(&json!({})));
        me.config("providers/odd.toml", &with_keys(&server, keys));
        let redirect = |url: &str| {
            let (_, query) = url.split_once('?').unwrap();
            let state = pairs(query).into_iter().find(|(n, _)| n == "state").unwrap().1;
            format!("https://mine.example/back?code=the-code&state={state}")
        };
        let done =
            me.pastes(redirect).browser(|_| Vec::new()).types("login odd --redirect-uri https://mine.example/back");
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(bodies(&seen, "/token")[0].contains(&format!("redirect_uri={sent}")), "{:?}", bodies(&seen, "/token"));
        assert!(done.err_raw.contains(&format!("redirect_uri={sent}")), "{}", done.err);
    }
}

// RFC 6749, section 3.1: no parameter may be sent more than once
#[test]
fn a_parameter_of_the_authorization_endpoint_is_sent_once() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
    let url = "BASE/authorize?tenant=t&audience=own&x=%20y&client_id=other&response_type=token&prompt=none";
    let keys = format!("authorize = {{ url = \"{url}\", params = {{ audience = \"x\" }}, fragment = \"#top\" }}");
    me.config("providers/odd.toml", &with_keys(&server, &keys));
    let done = me.browser(|url| vec![robot::go(url)]).types("login odd --param tenant=z --prompt login");
    assert_eq!(done.code, 0, "{}", done.err);
    let asked = seen.lock().unwrap().iter().find(|r| r.path == "/authorize").unwrap().query.clone();
    assert!(asked.starts_with("x=%20y&response_type=code&client_id="), "{asked}");
    for (name, value) in [("tenant", "z"), ("audience", "x"), ("prompt", "login"), ("response_type", "code")] {
        let all: Vec<String> = pairs(&asked).into_iter().filter(|(n, _)| n == name).map(|(_, v)| v).collect();
        assert_eq!(all, [value], "{name}");
    }
    assert!(done.err_raw.contains("#top") && !done.err_raw.contains("##"), "{}", done.err);
}

#[test]
fn the_request_that_brings_a_variable_goes_without_it() {
    for (keys, is_asked) in [
        ("api = { query = { dc = \"{dc}\" }, base-url = \"BASE/api\" }", true),
        ("api = { auth.scheme = \"{dc}\", base-url = \"BASE/api\" }", false),
        ("api = { headers = { X-Dc = \"{dc}\" }, base-url = \"BASE/api\" }", true),
        ("userinfo.url = \"BASE/userinfo/{dc}\"\napi = { base-url = \"BASE/api\" }", true),
    ] {
        for brings in [true, false] {
            let mut me = Person::new();
            let (server, seen) = server(&mut me, "", move |r| match r.path.as_str() {
                "/token" => tokens(&json!({})),
                "/api/me" if brings => says(&json!({ "dc": "us6" })),
                _ => says(&json!({})),
            });
            let keys =
                format!("whoami = {{ url = \"/me\" }}\nvars.dc = {{ from = \"whoami\", path = \"dc\" }}\n{keys}");
            let done = login(&mut me, &server, &keys);
            assert_eq!(done.code, 0, "{}", done.err);
            let call = me.types("call odd /x");
            let userinfo = me.types("userinfo odd");
            let all = seen.lock().unwrap().clone();
            assert_eq!(all.iter().any(|r| r.path == "/api/me"), is_asked, "{keys}");
            let braces = |text: &str| text.contains("{dc}") || text.contains("%7Bdc%7D") || text.contains("%7bdc%7d");
            let leaks = |r: &Request| braces(&r.path) || braces(&r.query) || r.headers.iter().any(|(_, v)| braces(v));
            assert!(!all.iter().any(leaks), "{keys}");
            if keys.contains("query") || keys.contains("X-Dc") {
                assert_eq!(call.code, if brings { 0 } else { 4 }, "{}", call.err);
            }
            if keys.contains("userinfo") && !brings {
                assert_eq!(userinfo.code, 4, "{}", userinfo.err);
            }
        }
    }
}

#[test]
fn scopes_in_one_word_are_the_same_scopes_at_every_later_request() {
    for (keys, said) in [
        ("scopes.separator = \",\"", "a,b"),
        ("scopes.separator = \"+\"", "a+b"),
        ("scopes = { separator = \",\", default = [\"a\", \"b\"] }", "b,a"),
        ("scopes.separator = \";\"", "a;b"),
    ] {
        let mut me = Person::new();
        let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
        me.config("providers/odd.toml", &with_keys(&server, keys));
        let done = me.browser(|url| vec![robot::go(url)]).types(&format!("login odd --scope {said}"));
        assert_eq!(done.code, 0, "{}", done.err);
        me.copies.clear();
        for line in ["token odd --no-cache".to_owned(), format!("token odd --scope {said}"), "refresh odd".to_owned()] {
            assert_eq!(me.types(&line).code, 0, "{line}");
        }
        assert_eq!(bodies(&seen, "/token").len(), 2, "{keys}");
        assert_eq!(me.types("token odd --scope a --scope c").code, 4);
    }
}

#[test]
fn a_refresh_token_of_another_captured_account_is_not_kept() {
    for (second, kept) in [("1", true), ("2", false)] {
        let mut me = Person::new();
        let logins = Mutex::new(0);
        let (server, _) = server(&mut me, "", move |_| {
            *logins.lock().unwrap() += 1;
            match *logins.lock().unwrap() {
                1 => tokens(&json!({ "user_id": "1" })),
                _ => says(
                    &json!({ "access_token": "access-2", "token_type": "bearer", "expires_in": 3600, "user_id": second }),
                ),
            }
        });
        let keys = "response.capture = { user_id = \"user_id\" }";
        for _ in 0..2 {
            assert_eq!(login(&mut me, &server, keys).code, 0);
        }
        let token = &me.record("odd")["token"];
        assert_eq!(token.get("refresh_token").is_some(), kept, "{token}");
    }
}

// RFC 8707, RFC 8693; Auth0's `audience`
#[test]
fn every_grant_sends_the_services_and_the_parameters_that_were_asked_for() {
    const MORE: &str = "--resource https://r.example --audience there --param row=1";
    for (grant, asks, gives) in [
        ("authorization-code", "/authorize", "/token"),
        ("device-code", "/start", "/token"),
        ("ciba --login-hint ann", "/start", "/token"),
        ("password --username ann --password-file -", "/token", "/token"),
        ("client-credentials", "/token", "/token"),
        ("jwt-bearer --assertion-file -", "/token", "/token"),
    ] {
        let mut me = Person::new();
        let (server, seen) = server(&mut me, "", |r| match r.path.as_str() {
            "/start" => says(&json!({
                "device_code": "d-1", "auth_req_id": "r-1", "user_code": "AB", "verification_uri": "https://x.example",
                "expires_in": 600, "interval": 1,
            })),
            _ => tokens(&json!({})),
        });
        let keys = "device.url = \"BASE/start\"\nciba.url = \"BASE/start\"\ntoken.auth = [\"none\"]";
        me.config("providers/odd.toml", &with_keys(&server, keys));
        if grant.ends_with('-') {
            me.stdin("eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb3cifQ.c2ln");
        }
        if grant == "authorization-code" {
            me.browser(|url| vec![robot::go(url)]);
        }
        let done = me.types(&format!("login odd --grant {grant} {MORE}"));
        assert_eq!(done.code, 0, "{grant}: {}", done.err);
        let texts = |path: &str| -> Vec<String> {
            let text = |r: &Request| format!("{}{}", r.query, String::from_utf8_lossy(&r.body));
            seen.lock().unwrap().iter().filter(|r| r.path == path).map(text).collect()
        };
        let services = ["resource=https%3A%2F%2Fr.example", "audience=there"];
        for (path, parts) in [(asks, [&services[..], &["row=1"]].concat()), (gives, services.to_vec())] {
            for part in parts {
                assert!(texts(path)[0].contains(part), "{grant} {path}: {:?}", texts(path));
            }
        }
        if matches!(grant, "authorization-code" | "device-code") {
            me.later(4000);
            assert_eq!(me.types("token odd").code, 0);
            let renewed = texts("/token").pop().unwrap();
            assert!(services.iter().all(|part| renewed.contains(part)), "{renewed}");
        }
        // another parameter is another token
        let other = me.types("token odd --param row=2");
        let code = if matches!(grant, "client-credentials") { 0 } else { 4 };
        assert!(other.code == code || grant.ends_with('-'), "{grant}: {}", other.err);
    }
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
    me.config("providers/odd.toml", &with_keys(&server, ""));
    for name in ["grant_type", "client_secret", "client_assertion"] {
        let done = me.types(&format!("token odd --grant client-credentials --param {name}=x"));
        assert_eq!(done.code, 2, "{name}: {}", done.err);
    }
    assert!(paths(&seen).is_empty());
    // a flag of another grant
    let done = me.types("token odd --grant client-credentials --subject ann");
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("`--subject` is for the grant `jwt-bearer`"), "{}", done.err);
    assert_eq!(me.types("login odd --grant client-credentials --prompt login").code, 2);
    for line in ["refresh --all --scope x", "logout --all --grant device-code"] {
        let done = me.types(line);
        assert_eq!(done.code, 2, "{line}: {}", done.err);
        assert!(done.err.contains("is for one profile, and `--all` takes each as it is"), "{line}: {}", done.err);
    }
    assert_eq!(me.types("token odd --grant client-credentials").code, 0);
}

#[test]
fn a_pause_that_a_server_asks_for_is_known_to_the_next_command() {
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", |r| match r.path.as_str() {
        "/api/busy" => {
            let mut busy = answer(429, "application/json", "{}");
            busy.headers.push(("Retry-After".into(), "7".into()));
            busy
        }
        "/token" => tokens(&json!({})),
        _ => says(&json!([])),
    });
    assert_eq!(login(&mut me, &server, "").code, 0);
    assert!(!me.types("call odd /x -v").err.contains("the provider's limit"));
    assert!(!me.path("state/oauthctl/limits").exists(), "no server has asked for anything");
    assert_eq!(me.types("call odd /busy --retry 0").code, 22);
    let done = me.types("call odd /x -v");
    assert!(done.code == 0 && done.err.contains("waiting 7000 ms: the provider's limit"), "{}", done.err);
}

#[test]
fn a_variable_that_the_provider_does_not_have_is_an_error_wherever_it_was_said() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
    let keys = "revoke.url = \"BASE/revoke\"\nvars.domain = { default = \"d\", prompt = \"Domain\" }\n\
        environments.test = { vars = { tenant = { default = \"t\" } } }";
    assert_eq!(login(&mut me, &server, keys).code, 0);
    let config = std::fs::read_to_string(me.path("config/oauthctl/config.toml")).unwrap();
    me.config("config.toml", &format!("{config}vars = {{ domian = \"x\" }}\n"));
    let done = me.types("token odd --force-refresh");
    assert_eq!(done.code, 2, "{}", done.err);
    for part in ["has no variable `domian`; did you mean `domain`?", "hint: oauthctl profile unset odd vars.domian"] {
        assert!(done.err.contains(part), "{}", done.err);
    }
    assert_eq!(me.types("profile unset odd vars.domian").code, 0);
    me.types("profile set odd vars.domian x").fails(
        2,
        "
        error: the provider `odd` has no variable `domian`; did you mean `domain`?
        hint: it has `domain`
    ",
    );
    assert_eq!(me.types("profile set odd vars.tenant x").code, 0);
    me.config("config.toml", &format!("{config}vars = {{ tenant = \"x\" }}\n"));
    assert_eq!(me.types("token odd --force-refresh").code, 0, "another environment has it");
    me.config("config.toml", &format!("{config}vars = {{ domian = \"x\" }}\n"));
    assert_eq!(me.types("logout odd").code, 0);
    assert_eq!(paths(&seen).last().map(String::as_str), Some("/revoke"));
}

// RFC 6761, section 6.3
#[test]
fn a_name_under_localhost_is_this_machine() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |r| match r.path.as_str() {
        "/token" => tokens(&json!({})),
        _ => says(&json!([])),
    });
    let named = server.base.replace("127.0.0.1", "api.localhost");
    let keys = format!("token.url = \"{named}/token\"\napi.base-url = \"{named}/v1\"");
    assert_eq!(login(&mut me, &server, &keys).code, 0);
    assert_eq!(me.types("call odd /x").code, 0);
    assert_eq!(paths(&seen), ["/token", "/v1/x"]);
    let elsewhere = named.replace("localhost", "localhost.example");
    assert_eq!(me.types(&format!("call odd {elsewhere}/v1/x")).code, 7);
}

// T-54
#[test]
fn a_token_endpoint_is_asked_again_as_soon_as_it_allows() {
    for (status, wait, code, says) in [
        (503, "0", 0, ""),
        (500, "Wed, 21 Oct 2015 07:28:00 GMT", 0, ""),
        (503, "1.5", 75, "hint: run the command again in 2 s"),
        (408, "9", 75, "hint: run the command again in 9 s"),
        (408, "soon", 75, "hint: run the command again later"),
    ] {
        let mut me = Person::new();
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let (server, _) =
            server(&mut me, "", move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                1 => {
                    let mut busy = answer(status, "application/json", "{\"error\":\"temporarily_unavailable\"}");
                    busy.headers.push(("Retry-After".into(), wait.into()));
                    busy
                }
                _ => tokens(&json!({})),
            });
        assert_eq!(login(&mut me, &server, "").code, 0);
        me.later(4000);
        let done = me.types("token odd");
        assert_eq!(done.code, code, "{status} {wait}: {}", done.err);
        assert!(done.err.contains(says), "{status} {wait}: {}", done.err);
    }
}

#[test]
fn a_server_that_takes_keys_alone_is_noticed_before_the_sign_in() {
    let mut me = Person::new();
    let base = Arc::new(Mutex::new(String::new()));
    let own = base.clone();
    let (server, seen) = server(&mut me, "", move |_| {
        let base = own.lock().unwrap().clone();
        says(&json!({
            "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        }))
    });
    *base.lock().unwrap() = server.base.clone();
    me.set("OAUTHCTL_CLIENT_SECRET", "a-secret");
    let done = me.types(&format!("login odd --provider {} --client-id app", server.base));
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("--client-key-file"), "{}", done.err);
    assert!(paths(&seen).iter().all(|path| path.contains("well-known")));
}

#[test]
fn a_login_that_is_not_kept_says_how_to_keep_it() {
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", |_| tokens(&json!({})));
    me.config("providers/odd.toml", &with_keys(&server, ""));
    let done = me.browser(|url| vec![robot::go(url)]).types("login odd --store none");
    let next = done.err.lines().find_map(|line| line.strip_prefix("Next: oauthctl ")).expect("the next command");
    let next = next.split("   ").next().unwrap();
    assert_eq!(me.browser(|url| vec![robot::go(url)]).types(next).code, 0, "{next}");
    assert_eq!(me.types("token odd").code, 0);
}

// api.auth
#[test]
fn a_token_is_printed_as_its_api_wants_it() {
    for (keys, header, curl) in [
        ("", "Authorization: Bearer access-1\n", "header = \"Authorization: Bearer access-1\"\n"),
        ("api.auth = { name = \"X-Auth\", scheme = \"\" }", "X-Auth: access-1\n", "header = \"X-Auth: access-1\"\n"),
        ("api.auth.in = \"query\"", "", "url-query = \"access_token=access-1\"\n"),
    ] {
        let mut me = Person::new();
        let (server, _) = server(&mut me, "", |_| tokens(&json!({})));
        assert_eq!(login(&mut me, &server, keys).code, 0);
        assert_eq!(me.types("token odd --format header").out, header, "{keys}");
        assert_eq!(me.types("token odd --format curl").out, curl, "{keys}");
    }
}
