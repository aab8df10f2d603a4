//! `whoami`: asks the provider and prints only its response.

use std::time::Duration;

use serde_json::{Value, json};

use crate::call::api;
use crate::call_pages::{constantcontact, getresponse, verticalresponse};
use crate::identity::{plan, signed_in};
use crate::world::op::Plan;
use crate::world::{Person, answer};
use oauthctl::sandbox::{Manners, Options};
use oauthctl::world::Clock;

#[test]
fn the_account_is_what_the_provider_says() {
    let mut me = Person::new();
    me.signed_in();
    me.types("whoami").is(0, "alice@example.test\n", "");
    let done = me.types("whoami sandbox --format json");
    let want =
        json!({ "profile": "sandbox", "provider": "sandbox", "account": "alice@example.test", "token": "works" });
    assert_eq!(serde_json::from_str::<Value>(&done.out).unwrap(), want);

    let (mut me, _server) = getresponse(1);
    me.types("whoami getresponse").is(0, "alice@example.test\n", "");
    // the address needs the user's id, which the login brought
    let (mut me, server) = verticalresponse(1);
    assert_eq!(me.types("whoami verticalresponse").code, 0);
    assert!(server.log().last().unwrap().path.starts_with("/api/v1/users/"));
}

#[test]
fn a_check_that_names_nobody_says_so() {
    let (mut me, _server) = constantcontact(Options::new(Manners::ConstantContact));
    me.types("whoami constantcontact").is(
        0,
        "",
        "the token of `constantcontact` works; Constant Contact doesn't name its account\n",
    );
    let done = me.types("whoami constantcontact --format json");
    assert_eq!(serde_json::from_str::<Value>(&done.out).unwrap()["account"], Value::Null);
}

#[test]
fn a_header_of_the_providers_comes_in_place_of_the_usual_one() {
    let mut me = Person::new();
    let odd = api(&mut me, |request| {
        let accepts: Vec<&str> =
            request.headers.iter().filter(|(name, _)| name == "accept").map(|(_, value)| value.as_str()).collect();
        answer(200, "application/json", &json!({ "mail": accepts.join(" and ") }).to_string())
    });
    let check = "\n[whoami]\nurl = \"/me\"\nlabel = \"mail\"\nheaders = { Accept = \"application/x+json\" }\n";
    me.config("providers/odd.toml", &format!("{}{check}", odd.provider("odd")));
    me.types("whoami odd").is(0, "application/x+json\n", "");
}

#[test]
fn who_cannot_be_asked_or_refuses_is_told() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(403, "application/json", "{}"));
    me.types("whoami odd").fails(
        2,
        "
        error: no check of the account is known for `odd`
        hint: add `[whoami] url = …` or `[userinfo] url = …` to the provider's file
    ",
    );
    me.config("providers/odd.toml", &format!("{}\n[whoami]\nurl = \"/me\"\n", odd.provider("odd")));
    me.types("whoami odd").fails(22, "error: the check of the token answered 403\n");
    assert_eq!(odd.asked(), 1);
}

// T-61
#[test]
fn a_token_that_has_expired_is_renewed_once() {
    let mut me = Person::new();
    let odd = api(&mut me, |request| match (request.path.as_str(), request.header("authorization")) {
        ("/token", _) => answer(200, "application/json", r#"{"access_token":"new-0123456789","token_type":"Bearer"}"#),
        (_, Some("Bearer new-0123456789")) => answer(200, "application/json", r#"{"mail":"ann@example.test"}"#),
        _ => answer(401, "application/json", r#"{"error":"expired","error_description":"too old"}"#),
    });
    let check = "\n[whoami]\nurl = \"/me\"\nlabel = \"mail\"\n";
    me.config("providers/odd.toml", &format!("{}{check}", odd.provider("odd")));
    me.types("whoami odd").is(0, "ann@example.test\n", "");
    assert_eq!((odd.asked(), me.kept("odd", "access_token").as_str()), (3, "new-0123456789"));
    // a token from outside is nobody's to renew
    me.set("OAUTHCTL_ODD_TOKEN", "from-outside-0123456789");
    me.types("whoami odd").fails(
        22,
        "
        error: the check of the token answered 401
        caused by: expired: too old
        hint: the token comes from the variable OAUTHCTL_ODD_TOKEN: set another
    ",
    );
    assert_eq!(odd.asked(), 4);
}

#[test]
fn each_answer_of_the_check_has_its_own_end() {
    let mut me = Person::new();
    let status = std::sync::Arc::new(std::sync::atomic::AtomicU16::new(204));
    let says = status.clone();
    let odd = api(&mut me, move |_| {
        let mut back = answer(says.load(std::sync::atomic::Ordering::SeqCst), "text/plain", "");
        if back.status == 302 {
            back.headers.push(("Location".into(), "/sign-in?next=x".into()));
        }
        back
    });
    me.config("providers/odd.toml", &format!("{}\n[whoami]\nurl = \"/me\"\n", odd.provider("odd")));
    me.types("whoami odd").is(0, "", "the token of `odd` works; Odd doesn't name its account\n");
    status.store(302, std::sync::atomic::Ordering::SeqCst);
    me.types("whoami odd").fails(
        7,
        "
        error: the check of the token is redirected, which is not followed
        caused by: status 302, to http://127.0.0.1:PORT/sign-in?next=…
    ",
    );
    me.config("providers/odd.toml", &format!("{}\n[whoami]\nurl = \"https://b.example/me\"\n", odd.provider("odd")));
    let done = me.types("whoami odd");
    assert!(done.code == 7 && !done.err.contains("--anywhere"), "{}", done.err);
    assert_eq!(odd.asked(), 2);
}

#[test]
fn a_check_that_needs_what_a_login_brings_asks_for_a_login() {
    let (mut me, _server) = verticalresponse(1);
    me.set("OAUTHCTL_VERTICALRESPONSE_TOKEN", "from-outside-0123456789").types("whoami verticalresponse").fails(
        4,
        "
        error: the provider's `{user_id}` is not known: only a sign-in brings it
        hint: unset OAUTHCTL_VERTICALRESPONSE_TOKEN, then `oauthctl login verticalresponse`
    ",
    );
    let token = "Zk4vXq81Zk4vXq82Zk4vXq83Zk4vXq84Zk4vXq85";
    let done = me.types(&format!("whoami {token}"));
    assert!(done.code == 2 && done.err.contains("into OAUTHCTL_<PROFILE>_TOKEN, for `oauthctl whoami"), "{}", done.err);
    done.tells_nothing_of(token);
}

#[test]
fn the_check_takes_its_turn_in_the_providers_limit() {
    let (mut me, server) = constantcontact(Options { per_second: Some(4), ..Options::new(Manners::ConstantContact) });
    // the login has looked at the account; the checks of one moment come one after the other
    let before = me.clock.elapsed();
    for _ in 0..8 {
        assert_eq!(me.types("whoami constantcontact").code, 0);
    }
    assert!(me.clock.elapsed() - before >= Duration::from_millis(8 * 275), "{:?}", me.clock.elapsed() - before);
    assert!(server.log().iter().all(|l| l.status != 429));
}

#[test]
fn an_openid_server_tells_by_its_userinfo() {
    let (mut me, op) = signed_in(plan());
    op.plan.lock().unwrap().userinfo = json!({ "sub": "alice", "email": "alice@example.test" });
    me.types("whoami op").is(0, "alice@example.test\n", "");
    let done = me.types("whoami op --format json");
    let told = serde_json::from_str::<Value>(&done.out).unwrap();
    assert_eq!((&told["account"], &told["token"]), (&json!("alice@example.test"), &json!("works")));
    // somebody else's answer is not taken
    op.plan.lock().unwrap().userinfo = json!({ "sub": "mallory", "email": "alice@example.test" });
    assert_eq!(me.types("whoami op").code, 7);
}

#[test]
fn a_login_names_the_person_as_whoami_does() {
    let named = Plan {
        userinfo: json!({ "sub": "alice", "email": "alice@example.test" }),
        unset: vec!["email".to_owned()],
        ..plan()
    };
    let (mut me, op) = signed_in(named);
    assert_eq!(me.record("op")["account"], "alice@example.test");
    assert!(me.types("list").out.contains("alice@example.test"));
    // what can't be had is no failure of the login
    let (me, _op) = signed_in(Plan { userinfo_refused: (9, 403, ""), unset: vec!["email".to_owned()], ..plan() });
    assert_eq!(me.record("op")["account"], "alice");
    drop(op);
}
