//! Further tokens of one login: for fewer scopes or another service. One refresh token, one lock,
//! and a token for each.

use std::sync::{Arc, Mutex};

use oauthctl::sandbox::{Manners, Options, Rotation};
use serde_json::{Value, json};

use crate::world::robot::allows;
use crate::world::{Fault, Odd, Person, START, answer};

/// A login at a practice server that ends it where a refresh token comes twice.
fn strict() -> (Person, oauthctl::sandbox::Server) {
    let mut me = Person::new();
    let server = me.practice_with(Options { rotation: Rotation::Strict, ..Options::new(Manners::Sandbox) });
    assert_eq!(me.browser(allows).types("login practice").code, 0);
    (me, server)
}

fn token(me: &mut Person, line: &str) -> String {
    let done = me.types(line);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{line}");
    done.out.trim_end().to_owned()
}

#[test]
fn a_narrower_token_is_kept_apart_from_the_main_one() {
    let (mut me, _server) = strict();
    let main = token(&mut me, "token practice");
    let spent = me.kept("practice", "refresh_token");
    let first = me.types("token practice --scope email");
    assert_eq!(first.sent, ["POST http://127.0.0.1:PORT/token"], "{}", first.err);
    let narrow = first.out.trim_end().to_owned();
    assert_ne!(narrow, main);
    assert_ne!(me.kept("practice", "refresh_token"), spent, "the login has the new refresh token");
    // from the store
    let again = me.types("token practice --scope email");
    assert_eq!((again.out.trim_end(), again.sent.len()), (narrow.as_str(), 0));
    assert_eq!(token(&mut me, "token practice"), main, "the main one stays");
    let me_seen = me.types("call practice /me --scope email");
    assert!(me_seen.out.contains("\"scope\":\"email offline_access\""), "{}", me_seen.out);
    assert!(me.types("call practice /me").out.contains("profile email"), "the main one");
    // all that the login has is the main token
    assert_eq!(token(&mut me, "token practice --scope email --scope profile"), main);
    assert!(me.types("token practice --scope email --format json").out.contains("\"scope\":\"email offline_access\""));
}

#[test]
fn an_empty_flag_brings_no_token() {
    let (mut me, server) = strict();
    let asked = server.log().len();
    for flag in ["--scope", "--resource", "--audience"] {
        for value in ["", " "] {
            for verb in ["token", "refresh", "login"] {
                let done = me.runs(&[verb, "practice", flag, value]);
                assert_eq!((done.code, done.out.as_str()), (2, ""), "{verb} {flag} `{value}`: {}", done.err);
            }
        }
    }
    assert_eq!(server.log().len(), asked);
}

#[test]
fn each_is_refreshed_alone_and_the_login_lives_on() {
    let (mut me, _server) = strict();
    for round in 0..4 {
        me.later(if round == 2 { 700 } else { 300 });
        let main = token(&mut me, "token practice");
        let one = token(&mut me, "token practice --scope email");
        let two = token(&mut me, "token practice --scope profile");
        assert!(main != one && one != two && two != main);
        me.types("refresh practice --scope profile").is(
            0,
            "",
            &format!(
                "practice (--scope offline_access --scope profile): refreshed, expires in 10 min, at {}\n",
                ["2026-11-21T22:15:00Z", "2026-11-21T22:20:00Z", "2026-11-21T22:31:40Z", "2026-11-21T22:36:40Z"][round]
            ),
        );
        assert_eq!(token(&mut me, "token practice --scope email"), one);
    }
}

#[test]
fn more_than_the_login_has_needs_a_login() {
    let (mut me, server) = strict();
    let asked = server.log().len();
    me.types("token practice --scope email --scope orders").fails(
        4,
        "
        error: the login of `practice` was not made for `--scope orders`
        hint: oauthctl login practice --add-scope orders
    ",
    );
    assert_eq!(server.log().len(), asked, "nothing was asked");
    me.types("token practice --scope email --no-refresh").fails(
        4,
        "
        error: `practice` has no such token yet (--scope email --scope offline_access)
        caused by: `--no-refresh` forbids to ask for it
        hint: oauthctl token practice --scope email --scope offline_access
    ",
    );
    me.types("introspect practice --scope email").fails(
        4,
        "
        error: `practice` has no such token yet (--scope email --scope offline_access)
        hint: oauthctl token practice --scope email --scope offline_access
    ",
    );
    me.types("token practice --scope email --id-token").fails(
        2,
        "
        error: `--scope email --scope offline_access` is for an access token, not for an ID token
    ",
    );
    // without a login they are of this token, not of the login to come
    me.types("token second --provider practice --scope email").fails(
        4,
        "
        error: no token is stored for `second`
        hint: oauthctl login second --provider practice
        hint: profiles of that provider: `practice`
    ",
    );
}

#[test]
fn status_shows_them_and_logout_takes_them_away() {
    let (mut me, _server) = strict();
    let narrow = token(&mut me, "token practice --scope email");
    let shown = me.types("status practice");
    assert!(shown.out.contains("\nother token    --scope email --scope offline_access: "), "{}", shown.out);
    shown.tells_nothing_of(&narrow);
    let json: Value = serde_json::from_str(&me.types("status practice --format json").out).unwrap();
    assert_eq!(
        json["other_tokens"],
        json!([{ "scope": "email offline_access", "resource": [], "audience": [], "expires_at": "2026-11-21T22:10:00Z" }])
    );
    assert_eq!(me.types("logout practice").code, 0);
    assert!(!me.keychain.accounts().iter().any(|name| name == "practice"));
    me.types("token practice --scope email").fails(
        4,
        "
        error: no token is stored for `practice`
        hint: oauthctl login practice
    ",
    );
}

#[test]
fn a_token_from_a_variable_is_the_only_one() {
    let mut me = Person::new();
    me.config("config.toml", "[profiles.work]\nprovider = \"getresponse\"\n");
    me.set("OAUTHCTL_WORK_TOKEN", "outside-0123456789");
    for flag in ["--scope read", "--resource https://api.example/", "--audience api"] {
        for line in ["token work", "token work --grant client-credentials", "call work GET /accounts", "run work"] {
            let more = if line == "run work" { " -- true" } else { "" };
            me.types(&format!("{line} {flag}{more}")).fails(
                2,
                &format!(
                    "
                error: the token of `work` comes from the variable OAUTHCTL_WORK_TOKEN, which brings no other one ({flag})
                hint: leave `{flag}` out; or unset OAUTHCTL_WORK_TOKEN
            "
                ),
            );
        }
    }
    me.types("token work").is(0, "outside-0123456789\n", "");
    me.unset("OAUTHCTL_WORK_TOKEN").types("token work --store environment --scope read").fails(
        4,
        "
        error: no token is stored for `work`
        hint: set OAUTHCTL_WORK_TOKEN
    ",
    );
}

#[test]
fn a_new_login_begins_without_them() {
    let (mut me, _server) = strict();
    token(&mut me, "token practice --scope email");
    assert_eq!(me.browser(allows).types("login practice").code, 0);
    assert_eq!(me.record("practice")["variants"], json!(null));
}

/// A token endpoint that shows what it was asked, with a login of before.
fn odd(
    more: &str,
    says: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static,
) -> (Person, Odd, Arc<Mutex<Vec<String>>>) {
    let mut me = Person::new();
    let bodies: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = bodies.clone();
    let server = me.odd("odd", move |request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        seen.lock().unwrap().push(body.clone());
        let (status, said) = says(&body);
        answer(status, "application/json", &said.to_string())
    });
    me.config("providers/odd.toml", &(server.provider("odd") + more));
    let audiences: Vec<String> = (0..12).map(|n| format!("a{n}")).chain(["y".to_owned()]).collect();
    let resources = ["https://main.example", "https://x.example"];
    me.config(
        "config.toml",
        &format!("[profiles.odd]\nprovider = \"odd\"\nresource = {resources:?}\naudience = {audiences:?}\n"),
    );
    let record = json!({
        "oauthctl": 1, "generation": 1, "provider": "odd", "client_id": "an-app", "grant": "authorization-code",
        "journal_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "asked": ["a", "b"], "asked_with": { "resource": resources.join(" "), "audience": audiences.join(" ") },
        "token": {
            "access_token": "access-0123456789", "refresh_token": "refresh-1", "token_type": "Bearer",
            "received_at": START, "expires_at": START + 3600,
        },
    });
    me.keychain.put("odd", &record.to_string());
    (me, server, bodies)
}

fn issued(body: &str) -> (u16, Value) {
    let n = body.len();
    (200, json!({ "access_token": format!("access-of-{n}-bytes"), "token_type": "Bearer", "expires_in": 60 }))
}

#[test]
fn another_service_is_asked_for_in_the_place_of_the_logins() {
    let (mut me, server, bodies) = odd("", issued);
    let one = token(&mut me, "token odd --resource https://x.example --audience y");
    assert_eq!(token(&mut me, "token odd --audience y --resource https://x.example"), one);
    assert_eq!(server.asked(), 1, "the order makes no other token");
    token(&mut me, "token odd --scope b");
    let both = "--resource https://main.example --resource https://x.example";
    assert_eq!(token(&mut me, &format!("token odd {both} --scope a --scope b")), "access-0123456789");
    let refresh = "grant_type=refresh_token&refresh_token=refresh-1";
    let seen = bodies.lock().unwrap().clone();
    assert_eq!(seen[0], format!("{refresh}&resource=https%3A%2F%2Fx.example&audience=y&client_id=an-app"));
    let all = "&scope=b&resource=https%3A%2F%2Fmain.example&resource=https%3A%2F%2Fx.example&audience=a0&audience=a1&";
    assert!(seen[1].starts_with(&format!("{refresh}{all}")), "{seen:?}");
    // the server is not asked for what the login was not made for
    me.types("token odd --scope c --resource https://z.example").fails(
        4,
        "
        error: the login of `odd` was not made for `--scope c --resource https://z.example`
        hint: oauthctl login odd --add-scope c --resource https://main.example --resource https://x.example --resource https://z.example
    ",
    );
    assert_eq!(me.kept("odd", "refresh_token"), "refresh-1");
    assert_eq!(me.record("odd")["generation"], 3, "an older record is one from a backup");
    // no more than a few are kept, and none that has expired
    for n in 0..12 {
        token(&mut me, &format!("token odd --audience a{n}"));
    }
    assert_eq!(me.record("odd")["variants"].as_array().unwrap().len(), 8);
    me.later(61);
    token(&mut me, "token odd --audience a0");
    assert_eq!(me.record("odd")["variants"].as_array().unwrap().len(), 1);
}

#[test]
fn a_command_and_a_helper_get_another_token_by_the_same_flags() {
    let (mut me, server, bodies) = odd("", issued);
    assert_eq!(me.types("profile set odd helper-hosts git.example").code, 0);
    for (flags, sent) in [
        ("--scope b", "scope=b"),
        ("--resource https://x.example", "resource=https%3A%2F%2Fx.example"),
        ("--audience y", "audience=y"),
    ] {
        let other = token(&mut me, &format!("token odd {flags}"));
        assert!(bodies.lock().unwrap().last().unwrap().contains(sent));
        me.program(&["make"], &format!("A={other}\n"));
        me.types(&format!("run odd --env A {flags} -- make")).is(7, "", "");
        let asks = me.stdin("protocol=https\nhost=git.example\n");
        let git = asks.types(&format!("helper git --profile odd {flags} get"));
        assert!(git.out.contains(&format!("password={other}\n")), "{flags}: {}{}", git.out, git.err);
        me.types(&format!("helper pnpm --profile odd {flags} git.example")).is(0, &format!("Bearer {other}\n"), "");
    }
    assert_eq!(server.asked(), 3, "each is obtained once");
    me.program(&["make"], "A=access-0123456789\n");
    me.types("run odd --env A -- make").is(7, "", "");
    me.types("run --env A=odd --env B=work --scope b -- make").fails(
        2,
        "
        error: `--scope` is for one profile, and there are several
        hint: a `run` in another gives the second token: oauthctl run ONE --scope … -- oauthctl run TWO -- COMMAND
    ",
    );
    me.types("helper pnpm --scope b git.example").fails(
        2,
        "
        error: `--scope` is for the login of one profile: `--profile` names it
    ",
    );
    // the ID token is the login's
    me.types("run odd --id-token --audience y -- make").fails(
        2,
        "
        error: `--audience y` is for an access token, not for an ID token
    ",
    );
}

#[test]
fn a_refusal_ends_no_login() {
    let still_good = "`oauthctl refresh odd` shows whether the login itself is still good";
    for (error, code, flags, hints) in [
        ("invalid_grant", 4, "--scope a", vec!["oauthctl login odd", still_good]),
        ("invalid_scope", 3, "--scope a", vec!["oauthctl login odd --add-scope a"]),
        ("invalid_target", 3, "--resource https://x.example", vec!["ask for another `--resource` or `--audience`"]),
    ] {
        let (mut me, server, _) = odd("", move |_| (400, json!({ "error": error })));
        let hints: String = hints.into_iter().map(|hint| format!("hint: {hint}\n")).collect();
        let told = format!(
            "error: the login of `odd` brings no token for `{flags}`\ncaused by: the server answered `{error}`\n{hints}"
        );
        me.types(&format!("token odd {flags}")).fails(code, &told);
        assert_eq!(token(&mut me, "token odd"), "access-0123456789");
        assert_eq!(me.kept("odd", "refresh_token"), "refresh-1");
        assert_eq!(server.asked(), 1);
        let left = me.path("state/oauthctl/journal").read_dir().unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(left.filter(|path| path.extension().is_some_and(|ext| ext == "journal")).count(), 0, "{error}");
    }
}

#[test]
fn a_provider_that_does_not_narrow_is_told_of_each_time() {
    let (mut me, _server, _) = odd("", |_| {
        (200, json!({ "access_token": "access-of-all", "token_type": "Bearer", "expires_in": 60, "scope": "a b" }))
    });
    for _ in 0..2 {
        me.types("token odd --scope a").is(
            0,
            "access-of-all\n",
            "warning: the provider does not narrow: this token of `odd` has the scope `b` too\n",
        );
    }
}

#[test]
fn a_provider_may_take_scopes_beyond_the_logins() {
    let (mut me, _server, bodies) = odd("[refresh]\nany-scope = true\n", issued);
    token(&mut me, "token odd --scope https://other.example/.default --audience other");
    assert!(bodies.lock().unwrap()[0].contains("scope=https%3A%2F%2Fother.example%2F.default"));
}

#[test]
fn a_provider_that_renews_the_access_token_itself_has_one_alone() {
    let (mut me, server, _) = odd("[refresh]\nsource = \"access_token\"\n", issued);
    me.types("token odd --scope a").fails(
        2,
        "
        error: `odd` has one token alone
        caused by: its provider renews the access token itself, and gives no other one from the same login
    ",
    );
    assert_eq!(server.asked(), 0);
    assert_eq!(me.types("refresh odd").code, 0);
}

/// The answer to the request for one of them came, and the process ended before it was stored.
#[test]
fn what_a_crash_left_goes_where_it_was_asked_for() {
    for (cut, then, requests) in [
        ("token odd --scope a", "token odd --scope a", 0),
        ("token odd --scope a", "token odd --scope b", 1),
        ("token odd --scope a", "refresh odd", 1),
        ("refresh odd", "token odd --scope a", 1),
    ] {
        let number = Mutex::new(1);
        let (mut me, server, _) = odd("", move |body| {
            let mut number = number.lock().unwrap();
            if !body.contains(&format!("refresh_token=refresh-{number}&")) {
                return (400, json!({ "error": "invalid_grant" }));
            }
            *number += 1;
            (
                200,
                json!({
                    "access_token": format!("access-{number}"), "refresh_token": format!("refresh-{number}"),
                    "token_type": "Bearer", "expires_in": 3600,
                }),
            )
        });
        me.keychain.fault(Fault::Forgets);
        assert_eq!(me.types(cut).code, 74, "{cut}");
        me.keychain.fault(Fault::None);
        let asked = server.asked();
        let done = me.types(then);
        assert_eq!((done.code, server.asked() - asked), (0, requests), "{cut}, {then}: {}", done.err);
        let record = me.record("odd");
        let last = 2 + requests;
        assert_eq!(record["token"]["refresh_token"], format!("refresh-{last}"), "{cut}, {then}");
        if cut.starts_with("token") {
            assert_eq!(record["variants"][0]["token"]["access_token"], "access-2", "{cut}, {then}");
            assert_eq!(record["variants"][0]["for"], json!({ "scopes": ["a"] }));
        } else {
            assert_eq!(record["token"]["access_token"], "access-2", "{cut}, {then}");
        }
        assert_eq!(me.types("refresh odd").code, 0, "{cut}, {then}: the login lives");
    }
}
