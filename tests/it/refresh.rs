//! `refresh`: refreshes now and prints when the token expires.

use std::sync::{Arc, Mutex};

use oauthctl::sandbox::{Manners, Options, Rotation};
use serde_json::{Value, json};

use crate::world::robot::{self, allows};
use crate::world::{Odd, Person, answer};

#[test]
fn renews_and_says_until_when_it_is_good() {
    let mut me = Person::new();
    me.signed_in();
    let (access, refresh) = (me.kept("sandbox", "access_token"), me.kept("sandbox", "refresh_token"));
    me.later(100);
    let done = me.types("refresh sandbox");
    done.is(0, "", "sandbox: refreshed, expires in 10 min, at 2026-11-21T22:11:40Z\n");
    assert_eq!(done.sent, ["POST http://127.0.0.1:PORT/token"]);
    assert_ne!(me.kept("sandbox", "access_token"), access);
    assert_ne!(me.kept("sandbox", "refresh_token"), refresh, "it rotates");
    assert_eq!(me.record("sandbox")["generation"], 2);
    me.types("refresh -q").is(0, "", "");
}

#[test]
fn a_profile_may_end_a_token_before_its_server_does() {
    let mut me = Person::new();
    me.signed_in();
    assert_eq!(me.types("profile set sandbox maximum-age 60").code, 0);
    me.types("refresh sandbox").is(0, "", "sandbox: refreshed, expires in 60 s, at 2026-11-21T22:01:00Z\n");
    let token = me.kept("sandbox", "access_token");
    me.later(30);
    me.types("refresh sandbox --due").is(0, "", "sandbox: fresh, expires in 30 s, at 2026-11-21T22:01:00Z\n");
    me.later(31);
    assert_eq!(me.types("token sandbox").code, 0);
    assert_ne!(me.kept("sandbox", "access_token"), token);
}

#[test]
fn what_can_not_be_renewed_is_exit_4() {
    let mut me = Person::new();
    me.types("refresh sandbox").fails(
        4,
        "
        error: no token is stored for `sandbox`
        hint: oauthctl login sandbox
    ",
    );
    me.types("refresh").fails(
        2,
        "
        error: no profile was named, and there is none yet
        hint: oauthctl login sandbox
        hint: `oauthctl provider list` names the providers
    ",
    );
    me.set("OAUTHCTL_SANDBOX_TOKEN", "outside-0123456789").types("refresh sandbox").fails(
        4,
        "
        error: the token of `sandbox` comes from the variable OAUTHCTL_SANDBOX_TOKEN: it can't be refreshed here
        hint: set OAUTHCTL_SANDBOX_TOKEN to a new one; or unset it, then `oauthctl login sandbox`
    ",
    );
}

// T-56
#[test]
fn a_refresh_token_that_the_server_refuses_is_forgotten_and_the_client_secret_is_not() {
    let mut me = Person::new();
    let redirect = format!("http://127.0.0.1:{}/callback", crate::world::own_port());
    let server = me.practice_for(Options::new(Manners::VerticalResponseVr2), &redirect);
    me.stdin("practice-secret").browser(allows);
    let done =
        me.types(&format!("login vr2 --client-id practice-client --client-secret-file - --redirect-uri {redirect}"));
    assert_eq!(done.code, 0, "{}", done.err);
    server.disconnect_all().unwrap();
    me.types("refresh vr2").fails(
        4,
        "
        error: the login of `verticalresponse-vr2` has ended: the provider refuses to refresh it
        caused by: the server answered `invalid_grant`: access_revoked
        hint: oauthctl login vr2
    ",
    );
    let record = me.record("verticalresponse-vr2");
    assert_eq!((&record["token"], &record["client_secret"]), (&json!(null), &json!("practice-secret")));
}

#[test]
fn all_renews_every_profile_and_tells_of_each() {
    let mut me = Person::new();
    me.types("refresh --all").is(0, "", "");
    me.signed_in();
    assert_eq!(me.browser(allows).types("login second --provider sandbox").code, 0);
    me.config("config.toml", &format!("{}\n[profiles.third]\nprovider = \"sandbox\"\n", me.config_text()));
    me.types("refresh --all").is(
        0,
        "",
        "
        sandbox: refreshed, expires in 10 min, at 2026-11-21T22:10:00Z
        second: refreshed, expires in 10 min, at 2026-11-21T22:10:00Z
        third: no token is stored for `third`
    ",
    );
    me.tamper("second", |r| r["token"]["refresh_token"] = json!("spent-long-ago-0123"));
    me.types("refresh --all").fails(
        4,
        "
        sandbox: refreshed, expires in 10 min, at 2026-11-21T22:10:00Z
        third: no token is stored for `third`
        second: error: the login of `second` has ended: the provider refuses to refresh it
        caused by: the server answered `invalid_grant`: the refresh token is unknown
        hint: oauthctl login second
        error: not every profile could be refreshed
    ",
    );
    me.types("refresh sandbox --all").fails(
        2,
        "
        error: `[PROFILE]` and `--all` exclude each other
        hint: `oauthctl refresh --help` shows the usage
    ",
    );
}

#[test]
fn all_tells_of_a_dead_login_each_time_until_a_login_or_a_logout() {
    let mut me = Person::new();
    let server = consenting(&mut me);
    let lines = ["refresh --all -q", "refresh --all --due -q", "refresh --all --due 10m -q"];
    let gives = |token: Value| *server.token.lock().unwrap() = token;
    let refused = json!({ "error": "invalid_grant", "error_description": "the account was closed" });
    // what the login brings; what a refresh brings; why it is dead
    for (brings, then, why) in [
        (json!({ "refresh_token": "refresh-0123" }), refused, "the account was closed"),
        (json!({}), json!({}), "the token of `odd` has expired and has no refresh token"),
    ] {
        gives(brings.clone());
        signs_in(&mut me, "");
        gives(then);
        me.later(700);
        for line in [lines, lines].concat() {
            let done = me.types(line);
            assert_eq!(done.code, 4, "{line}: {}", done.err);
            assert!(done.err.starts_with("odd: error: ") && done.err.contains(why), "{line}: {}", done.err);
            assert!(done.err.contains("hint: oauthctl login odd\n"), "{line}: {}", done.err);
        }
        gives(brings);
        signs_in(&mut me, "");
        me.types(lines[1]).is(0, "", "");
        assert_eq!(me.types("logout odd --local-only").code, 0);
        me.types(lines[0]).is(0, "", "");
    }
    // without a refresh token it is of use until it expires, and is due before
    signs_in(&mut me, "");
    let none = "odd: the token of `odd` has no refresh token\n";
    me.types("refresh --all").is(0, "", none);
    assert_eq!(me.types("refresh --all --due 1h").code, 4);
}

#[test]
fn what_is_due_is_refreshed_and_the_rest_is_told() {
    let mut me = Person::new();
    let server = me.practice(Manners::Sandbox);
    assert_eq!(me.browser(allows).types("login practice").code, 0);
    me.later(1);
    me.types("refresh --all --due").is(0, "", "practice: fresh, expires in 9 min, at 2026-11-21T22:10:00Z\n");
    me.types("refresh --all --due 8m").is(0, "", "practice: fresh, expires in 9 min, at 2026-11-21T22:10:00Z\n");
    me.later(149);
    me.types("refresh --all --due").is(0, "", "practice: fresh, expires in 7 min, at 2026-11-21T22:10:00Z\n");
    me.types("refresh --all --due 8m").is(0, "", "practice: refreshed, expires in 10 min, at 2026-11-21T22:12:30Z\n");
    let short = me.types("refresh practice --due=1h");
    let warns = "warning: this token expires in 10 min: the provider issues none with the requested lifetime\n";
    assert!(short.code == 0 && short.err.starts_with(warns), "{}", short.err);
    // about to expire, and no refresh: no success, though it is still valid
    me.later(560);
    drop(server);
    for line in ["refresh practice --due", "refresh --all --due"] {
        let done = me.types(line);
        assert!(done.code == 75 && !done.err.contains("fresh, "), "{line}: {}", done.err);
    }
    for line in ["refresh --due practice", "refresh -q --due=practice"] {
        me.types(line).fails(
            2,
            "
            error: `practice` is no value of `--due [<TIME>]`
            hint: write it as `90s`, `5m`, `2h` or `1d`
            hint: a profile stands before the option: `oauthctl refresh practice --due`
            hint: `oauthctl refresh --help` shows the usage
        ",
        );
    }
    me.types("refresh practice --due 5x").fails(
        2,
        "
        error: `5x` is no value of `--due [<TIME>]`
        hint: write it as `90s`, `5m`, `2h` or `1d`
        hint: `oauthctl refresh --help` shows the usage
    ",
    );
}

#[test]
fn each_rotation_is_followed() {
    for rotation in [Rotation::None, Rotation::Once, Rotation::Strict, Rotation::Grace(30)] {
        let mut me = Person::new();
        let _server = me.practice_with(Options { rotation, ..Options::new(Manners::Sandbox) });
        assert_eq!(me.browser(allows).types("login practice").code, 0);
        for _ in 0..4 {
            me.later(601);
            let done = me.types("refresh practice");
            assert_eq!((done.code, done.sent.len()), (0, 1), "{rotation:?}: {}", done.err);
        }
    }
}

/// A server that tells the account and gives what `token` says beside the access token.
struct Consenting {
    _server: Odd,
    account: Arc<Mutex<Value>>,
    token: Arc<Mutex<Value>>,
    spent: Arc<Mutex<Vec<String>>>,
}

fn consenting(me: &mut Person) -> Consenting {
    let (account, token) = (Arc::new(Mutex::new(json!({ "email": "ann@a.example" }))), Arc::new(Mutex::new(json!({}))));
    let spent: Arc<Mutex<Vec<String>>> = Arc::default();
    let (a, t, s) = (account.clone(), token.clone(), spent.clone());
    let server = me.odd("consenting", move |request| {
        if request.path == "/me" {
            return answer(200, "application/json", &a.lock().unwrap().to_string());
        }
        let mut body = json!({ "access_token": "access-0123", "token_type": "Bearer", "expires_in": 600 });
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        s.lock().unwrap().extend(form.into_iter().filter(|(n, _)| n == "refresh_token").map(|(_, v)| v));
        let more = t.lock().unwrap().clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answer(if body["error"].is_null() { 200 } else { 400 }, "application/json", &body.to_string())
    });
    let whoami = format!("[whoami]\nurl = \"{}/me\"\nlabel = \"email\"\n", server.base);
    me.config("providers/odd.toml", &(server.provider("odd") + &whoami));
    Consenting { _server: server, account, token, spent }
}

/// Signs in with the words; what stderr says.
fn signs_in(me: &mut Person, words: &str) -> String {
    me.browser(|url| {
        let asked = url::Url::parse(url).unwrap();
        let value = |name: &str| asked.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
        vec![robot::go(&format!("{}?code=the-code&state={}", value("redirect_uri"), value("state")))]
    });
    let done = me.types(&format!("login odd --yes {words}"));
    assert_eq!(done.code, 0, "{}", done.err);
    done.err
}

#[test]
fn a_second_login_without_a_refresh_token_keeps_that_of_the_same_login() {
    // the second login: its words, its account; whether the refresh token stays
    for (words, account, kept) in [
        ("", json!({ "email": "ann@a.example" }), true),
        ("--prompt login", json!({ "email": "ann@a.example" }), true),
        ("", json!({ "email": "bob@a.example" }), false),
        ("--client-id another", json!({ "email": "ann@a.example" }), false),
        ("--scope a", json!({ "email": "ann@a.example" }), false),
    ] {
        let mut me = Person::new();
        let server = consenting(&mut me);
        *server.token.lock().unwrap() = json!({ "refresh_token": "refresh-0123" });
        signs_in(&mut me, "");
        *server.token.lock().unwrap() = json!({});
        *server.account.lock().unwrap() = account;
        let said = signs_in(&mut me, words);
        let stored = &me.record("odd")["token"]["refresh_token"];
        assert_eq!(stored, &if kept { json!("refresh-0123") } else { Value::Null }, "{words}: {said}");
        assert_eq!(said.contains("that of the earlier login is kept;"), kept, "{words}: {said}");
        assert!(said.contains("--prompt consent` gets a new one"), "{words}: {said}");
        assert_eq!(said.contains("gave no refresh token"), !kept, "{words}: {said}");
        me.later(700);
        let done = me.types("token odd");
        assert_eq!(done.code, if kept { 0 } else { 4 }, "{words}: {}", done.err);
        assert_eq!(server.spent.lock().unwrap().len(), usize::from(kept), "{words}");
    }
    // an account that the server doesn't tell is said
    let mut me = Person::new();
    let server = consenting(&mut me);
    *server.account.lock().unwrap() = json!({});
    *server.token.lock().unwrap() = json!({ "refresh_token": "refresh-0123" });
    signs_in(&mut me, "");
    *server.token.lock().unwrap() = json!({});
    let said = signs_in(&mut me, "");
    assert!(said.contains("right for the same account alone (`oauthctl logout odd` ends both)"), "{said}");
    assert_eq!(me.kept("odd", "refresh_token"), "refresh-0123");
    // one that comes replaces the earlier one
    *server.token.lock().unwrap() = json!({ "refresh_token": "refresh-4567" });
    let said = signs_in(&mut me, "");
    assert!(!said.contains("earlier"), "{said}");
    assert_eq!(me.kept("odd", "refresh_token"), "refresh-4567");
}

#[test]
fn after_the_end_of_a_login_each_command_says_why() {
    for code in ["invalid_grant", "bad_refresh_token"] {
        let mut me = Person::new();
        let server = consenting(&mut me);
        *server.token.lock().unwrap() = json!({ "refresh_token": "refresh-0123" });
        signs_in(&mut me, "");
        me.later(700);
        *server.token.lock().unwrap() = json!({ "error": code, "error_description": "the account was closed" });
        assert_eq!(me.types("token odd").code, 4);
        for line in ["token odd", "refresh odd", "call odd /x"] {
            let done = me.types(line);
            assert_eq!(done.code, 4, "{line}: {}", done.err);
            let why = format!("the server answered `{code}`: the account was closed");
            assert!(done.err.contains(&why) && done.err.contains("oauthctl login odd"), "{line}: {}", done.err);
        }
        let list = me.types("list");
        assert!(list.out.contains("  ended  "), "{}", list.out);
        let why =
            format!("ended the login of `odd` (the server answered `{code}`: the account was closed): oauthctl login");
        assert!(list.err.contains(&why), "{}", list.err);
        assert!(me.types("list --format json").out.contains("\"state\":\"ended\""));
        let status = me.types("status odd").out;
        assert!(status.contains("the account was closed") && status.contains("ended the login"), "{status}");
        *server.token.lock().unwrap() = json!({ "refresh_token": "refresh-4567" });
        signs_in(&mut me, "");
        assert!(!me.types("status odd").out.contains("ended"));
        assert_eq!(me.types("logout odd --local-only").code, 0);
        assert!(!me.types("token odd").err.contains("closed"));
    }
}

#[test]
fn a_name_with_a_blank_is_quoted_where_a_login_is_to_be_typed() {
    let mut me = Person::new();
    let server = consenting(&mut me);
    *server.token.lock().unwrap() = json!({ "refresh_token": "refresh-0123" });
    signs_in(&mut me, "");
    assert_eq!(me.runs(&["profile", "rename", "odd", "my work"]).code, 0);
    me.later(700);
    *server.token.lock().unwrap() = json!({ "error": "invalid_grant" });
    for words in [&["token", "my work"][..], &["list"]] {
        let done = me.runs(words);
        assert!(done.err.contains("oauthctl login 'my work'"), "{words:?}: {}", done.err);
    }
}

#[test]
fn status_of_a_token_without_expiry_names_the_refresh() {
    let mut me = Person::new();
    let server = consenting(&mut me);
    for (expires_in, refresh, says) in [
        (Value::Null, "refresh-0123", "then `call` refreshes it, and so does `oauthctl refresh odd`"),
        (json!("soon"), "refresh-0123", "then `call` refreshes it, and so does `oauthctl refresh odd`"),
    ] {
        *server.token.lock().unwrap() = json!({ "refresh_token": refresh, "expires_in": expires_in });
        signs_in(&mut me, "");
        let status = me.types("status odd");
        assert!(status.out.contains(says) && !status.out.contains("sign in again"), "{}", status.out);
        assert_eq!(status.code, 0);
    }
}
