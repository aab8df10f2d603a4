//! `whoami`: the provider is asked, and only what it says is printed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::call::api;
use crate::call_pages::{constantcontact, getresponse, verticalresponse};
use crate::world::{Person, START, answer};
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
        "the token of `constantcontact` works; Constant Contact doesn't say whose it is\n",
    );
    let done = me.types("whoami constantcontact --format json");
    assert_eq!(serde_json::from_str::<Value>(&done.out).unwrap()["account"], Value::Null);
}

#[test]
fn who_cannot_be_asked_or_refuses_is_told() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(403, "application/json", "{}"));
    me.types("whoami odd").fails(
        2,
        "
        error: nobody knows how to ask `odd` whose token it is
        hint: add `[whoami] url = …` to the provider's file
    ",
    );
    me.config("providers/odd.toml", &format!("{}\n[whoami]\nurl = \"/me\"\n", odd.provider("odd")));
    me.types("whoami odd").fails(22, "error: the check of the token answered 403\n");
    assert_eq!(odd.asked(), 1);
}

// T-61
#[test]
fn a_token_that_the_check_takes_no_more_is_renewed_once() {
    for (good, code, renewed) in [("new", 0, 1), ("none", 4, 1)] {
        let mut me = Person::new();
        let odd = me.odd("odd", move |request| match request.path.as_str() {
            "/me" if request.header("authorization") == Some(&format!("Bearer {good}-0123456789")) => {
                answer(200, "application/json", r#"{"mail":"alice@example.test"}"#)
            }
            "/me" => answer(401, "application/json", r#"{"error":"invalid_token"}"#),
            _ => answer(
                200,
                "application/json",
                r#"{"access_token":"new-0123456789","token_type":"Bearer","expires_in":600}"#,
            ),
        });
        me.config(
            "providers/odd.toml",
            &format!("{}[whoami]\nurl = \"{}/me\"\nlabel = \"mail\"\n", odd.provider("odd"), odd.base),
        );
        let record = json!({
            "oauthctl": 1, "generation": 1, "provider": "odd", "client_id": "an-app", "grant": "authorization-code",
            "token": { "access_token": "old-0123456789", "token_type": "Bearer", "refresh_token": "refresh-0123456789", "received_at": START - 60, "expires_at": START + 3600 },
        });
        me.keychain.put("odd", &record.to_string());
        let done = me.types("whoami odd");
        let err = "error: the check of the token answered 401\nhint: oauthctl login odd\n";
        assert_eq!((done.code, done.err.as_str()), (code, if code == 0 { "" } else { err }));
        assert_eq!(odd.asked(), 2 + renewed);
    }
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
