//! `userinfo`, `introspect` and `inspect`: the facts shown about a user and a token, and the
//! refused ones.

use oauthctl::protocol::jose::base64url;
use serde_json::{Map, Value, json};

use crate::world::op::{ACCESS, CLIENT, Op, Plan, timed};
use crate::world::{Person, START, answer};

pub fn plan() -> Plan {
    Plan { announced: vec!["ES256".into()], ..Plan::default() }
}

pub fn signed_in(plan: Plan) -> (Person, Op) {
    let mut me = Person::new();
    let op = Op::start(&mut me, plan);
    let done = me.browser(op.browser()).types(&op.login());
    assert_eq!(done.code, 0, "{}", done.err);
    (me, op)
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[test]
fn userinfo_is_printed_plain_or_signed_and_only_of_the_person_who_signed_in() {
    let (mut me, op) = signed_in(plan());
    me.types("userinfo op").is(0, "{\"sub\":\"alice\",\"name\":\"Alice Example\"}\n", "");
    let base = op.server.base.clone();
    let signed = |claims: Value| Value::from(op.sign(&plan(), &object(claims)));
    let answers = [
        // oidcc-client-test-userinfo-invalid-sub
        (7, json!({ "sub": "mallory" }), "another user"),
        (7, json!({ "name": "nobody" }), "no `sub`"),
        (0, signed(json!({ "sub": "alice", "iss": base, "aud": CLIENT })), ""),
        (7, signed(json!({ "sub": "mallory", "iss": base, "aud": CLIENT })), "another user"),
        (7, signed(json!({ "sub": "alice", "iss": "https://other.example", "aud": CLIENT })), "its `iss`"),
        (7, signed(json!({ "sub": "alice", "iss": base, "aud": "other" })), "its `aud`"),
        // RFC 7519, section 4.1.4
        (0, signed(json!({ "sub": "alice", "exp": START + 5 })), ""),
        (7, signed(json!({ "sub": "alice", "exp": 5 })), "it expired"),
        (7, signed(json!({ "sub": "alice", "nbf": START + 900 })), "`nbf`"),
        (
            7,
            Value::from(op.sign(&Plan { spoiled: true, ..plan() }, &object(json!({ "sub": "alice" })))),
            "signature is wrong",
        ),
        (
            7,
            Value::from(op.sign(&Plan { algorithm: "none".into(), ..plan() }, &object(json!({ "sub": "alice" })))),
            "not signed",
        ),
    ];
    for (code, answer, says) in answers {
        op.plan.lock().unwrap().userinfo = answer.clone();
        let done = me.types("userinfo op");
        assert_eq!(done.code, code, "{answer}: {}", done.err);
        assert!(done.err.contains(says), "{answer}: {}", done.err);
        assert_eq!(done.out.is_empty(), code != 0);
    }
}

// T-61; RFC 6750, section 3.1
#[test]
fn a_token_that_userinfo_takes_no_more_is_renewed_once() {
    const INVALID: &str = "Bearer error=\"invalid_token\", error_description=\"revoked\"";
    const REFUSED: &str = "error: the provider refuses to tell who is signed in\ncaused by: it answered ";
    for (refused, code, err, renewals) in [
        ((1, 401, INVALID), 0, String::new(), 1),
        ((1, 401, "Bearer"), 0, String::new(), 1),
        ((2, 401, INVALID), 4, format!("{REFUSED}invalid_token: revoked\nhint: oauthctl login op\n"), 1),
        (
            (1, 403, "Bearer error=\"insufficient_scope\", scope=\"openid\""),
            3,
            format!("{REFUSED}insufficient_scope\nhint: oauthctl login op --scope openid\n"),
            0,
        ),
        (
            (1, 403, "Bearer"),
            3,
            format!("{REFUSED}status 403\nhint: `oauthctl userinfo op -v` shows request and response\n"),
            0,
        ),
    ] {
        let (mut me, op) = signed_in(Plan { userinfo_refused: refused, ..plan() });
        let done = me.types("userinfo op");
        assert_eq!((done.code, done.err.as_str()), (code, err.as_str()), "{refused:?}");
        let asked = op.seen().iter().filter(|line| *line == "POST /token").count();
        assert_eq!(asked, 1 + renewals, "{refused:?}: {:?}", op.seen());
        assert_eq!(done.out.is_empty(), code != 0, "{refused:?}");
    }
    // a token from outside is nobody's to renew
    let (mut me, _op) = signed_in(Plan { userinfo_refused: (1, 401, INVALID), ..plan() });
    let done = me.set("OAUTHCTL_OP_TOKEN", "outside-0123456789").types("userinfo op");
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.err.contains("the token comes from the variable OAUTHCTL_OP_TOKEN: set another"), "{}", done.err);
}

// RFC 7662, section 2.3
#[test]
fn introspection_that_does_not_believe_the_client_is_a_mistake_of_the_call() {
    let mut me = Person::new();
    let odd = me.odd("odd", |_| answer(401, "application/json", "{\"error\":\"invalid_client\"}"));
    me.config(
        "providers/odd.toml",
        &format!("{}[introspect]\nurl = \"{}/introspect\"\n", odd.provider("odd"), odd.base),
    );
    let token = json!({ "access_token": "access-0123456789", "token_type": "Bearer", "received_at": START, "expires_at": START + 3600 });
    let record = json!({ "oauthctl": 1, "generation": 1, "provider": "odd", "client_id": "an-app", "token": token });
    me.keychain.put("odd", &record.to_string());
    me.types("introspect odd").fails(
        2,
        "
        error: the provider does not tell the state of the token
        caused by: it answered invalid_client
        hint: check the client id, and whether the app has a client secret (`--client-secret-file FILE`)
    ",
    );
}

#[test]
fn introspection_is_printed_plain_or_signed_and_nothing_else_is_believed() {
    let (mut me, op) = signed_in(plan());
    let base = op.server.base.clone();
    let typed = Plan { typ: Some("token-introspection+jwt".into()), ..plan() };
    let claims =
        json!({ "iss": base, "aud": CLIENT, "iat": START, "token_introspection": { "active": true, "sub": "alice" } });
    let with = |name: &str, value: &str| {
        let mut claims = object(claims.clone());
        claims.insert(name.to_owned(), value.into());
        claims
    };
    let (mut old, mut undated) = (object(claims.clone()), object(claims.clone()));
    old.insert("exp".to_owned(), 5.into());
    // RFC 9701, section 5
    undated.remove("iat");
    let answers = [
        ("introspect op", 0, json!({ "active": true, "sub": "alice" }), ""),
        ("introspect op --refresh-token", 4, json!({ "active": false }), "not active"),
        ("introspect op", 7, json!({ "sub": "alice" }), "`active`"),
        ("introspect op --signed", 7, json!({ "active": true }), "it is not signed"),
        ("introspect op --signed", 0, Value::from(op.sign(&typed, &object(claims.clone()))), ""),
        ("introspect op --signed", 7, Value::from(op.sign(&plan(), &object(claims.clone()))), "it says that it is a"),
        ("introspect op --signed", 7, Value::from(op.sign(&typed, &with("aud", "other"))), "its `aud`"),
        ("introspect op --signed", 7, Value::from(op.sign(&typed, &with("iss", "https://other.example"))), "its `iss`"),
        ("introspect op --signed", 7, Value::from(op.sign(&typed, &old)), "it expired"),
        ("introspect op --signed", 7, Value::from(op.sign(&typed, &undated)), "it has no `iat`"),
    ];
    for (typed, code, answer, says) in answers {
        op.plan.lock().unwrap().userinfo = answer.clone();
        let done = me.types(typed);
        assert_eq!(done.code, code, "{typed} {answer}: {}", done.err);
        assert!(done.err.contains(says), "{typed} {answer}: {}", done.err);
    }
}

#[test]
fn inspect_decodes_a_token_verifies_it_by_the_kept_keys_and_sends_it_nowhere() {
    let (mut me, op) = signed_in(plan());
    let token = me.kept("op", "id_token");
    let asked = op.server.asked();
    let signature = token.rsplit('.').next().expect("a signature").to_owned();
    for line in ["inspect op --id-token".to_owned(), format!("inspect {token} --signed-for op")] {
        let done = me.types(&line);
        assert_eq!(done.code, 0, "{line}: {}", done.err);
        for part in
            ["alg", "ES256", "alice@example.test", "(in 5 min, 2026-11-21T22:05:00Z)", "right: by the key `key-1`"]
        {
            assert!(done.out.contains(part), "{part} should be in {}", done.out);
        }
        assert!(!done.out.contains("problem") && !done.out.contains(&signature), "{}", done.out);
    }
    let done = me.stdin(&format!("{token}\n")).types("inspect - --format json");
    let seen: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((&seen["claims"]["sub"], &seen["signature"]["state"]), (&json!("alice"), &json!("not verified")));
    // a changed token, an old one, and one of another provider
    let (body, _) = token.rsplit_once('.').expect("three parts");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let done = me.types(&format!("inspect {body}.{first}{} --signed-for op", &signature[1..]));
    assert_eq!(done.code, 7);
    assert!(done.out.contains("WRONG: its signature is wrong"), "{}", done.out);
    me.later(7200);
    let done = me.types("inspect op --id-token");
    assert!(done.out.contains("expired"), "{}", done.out);
    let strange = op.sign(&plan(), &timed(&json!({ "iss": "https://other.example", "aud": "x", "exp": "now+9000" })));
    let done = me.types(&format!("inspect {strange} --signed-for op"));
    assert!(done.out.contains("its `iss` is not"), "{}", done.out);
    // an access token that is no JWT is the provider's secret
    let done = me.types("inspect op");
    assert_eq!(done.code, 2, "{}", done.out);
    assert!(done.err.contains("is no JWT") && !done.err.contains(ACCESS), "{}", done.err);
    assert_eq!(op.server.asked(), asked, "nothing was asked of anybody");
}

#[test]
fn inspect_shows_claims_as_they_are_written() {
    let payload = r#"{ "n": 1000000000000000000000000000000, "f": 1.10, "deep": { "b": [ 1e300, "a  \"b\"" ], "a": 9007199254740993 },
        "exp": 1795298400.0 }"#;
    let token = format!("{}.{}.c2ln", base64url(r#"{"alg":"ES256"}"#), base64url(payload));
    let done = Person::new().types(&format!("inspect {token}"));
    assert_eq!(done.code, 0, "{}", done.err);
    for line in [
        "  n                  1000000000000000000000000000000",
        "  f                  1.10",
        r#"  deep               {"b":[1e300,"a \"b\""],"a":9007199254740993}"#,
    ] {
        assert!(done.out.lines().any(|l| l == line), "{line} should be in\n{}", done.out);
    }
    assert!(done.out.contains("  exp                1795298400.0 ("), "{}", done.out);
    let done = Person::new().types(&format!("inspect {token} --format json"));
    assert!(done.out.starts_with(r#"{"claims":{"deep":{"b":[1e300,"a  \"b\""],"a":9007199254740993},"exp":1795298400.0,"f":1.10,"n":1000000000000000000000000000000},"header":"#), "{}", done.out);
    assert_eq!(done.out.lines().count(), 1);
}
