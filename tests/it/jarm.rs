//! Signed authorization responses (JARM): accepted in each mode. Every one that the certification
//! suite wants refused is refused before its code is exchanged.

use serde_json::{Value, json};

use crate::world::Person;
use crate::world::op::{Op, Plan, timed};

fn plan() -> Plan {
    Plan { announced: vec!["ES256".into()], jarm: true, ..Plan::default() }
}

#[test]
fn a_signed_answer_is_taken_in_each_mode() {
    for mode in ["jwt", "query.jwt", "form_post.jwt"] {
        let mut me = Person::new();
        let op = Op::start(&mut me, Plan { form: mode.starts_with("form"), ..plan() });
        let done = me.browser(op.browser()).types(&format!("{} --response-mode {mode} -v", op.login()));
        assert_eq!(done.code, 0, "{mode}: {}", done.err);
        assert!(done.err.contains("the provider has signed the redirect's response"), "{mode}: {}", done.err);
        assert_eq!(op.seen().iter().filter(|l| *l == "GET /jwks").count(), 1, "one fetch for both signatures");
    }
}

#[test]
fn every_signed_answer_that_must_be_refused_costs_no_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/jarm.json");
    let vectors: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    assert_eq!(vectors.len(), 8);
    std::thread::scope(|threads| {
        for vector in &vectors {
            threads.spawn(|| {
                let name = &vector["name"];
                let mut me = Person::new();
                let op = Op::start(&mut me, Plan { jarm: true, ..Plan::of_vector(vector) });
                let done = me.browser(op.browser()).types(&format!("{} --response-mode jwt", op.login()));
                assert_eq!(done.code, 7, "{name}: {}", done.err);
                let says = vector["says"].as_str().expect("words");
                assert!(done.err.contains(says), "{name}: `{says}` should be in {}", done.err);
                assert!(!op.seen().iter().any(|line| line == "POST /token"), "{name}: {:?}", op.seen());
                assert!(me.keychain.accounts().is_empty(), "{name}");
            });
        }
    });
}

#[test]
fn a_plain_answer_is_refused_where_a_signed_one_was_asked_for() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { jarm: false, ..plan() });
    let done = me.browser(op.browser()).types(&format!("{} --response-mode jwt", op.login()));
    assert_eq!(done.code, 7, "{}", done.err);
    assert!(done.err.contains("it is not signed, though a signed answer was asked for"), "{}", done.err);
    assert!(!op.seen().iter().any(|line| line == "POST /token"));
}

#[test]
fn a_signed_answer_to_another_login_is_noise_and_fetches_nothing() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { set: timed(&json!({ "state": "another" })), ..plan() });
    me.clock.hurry(20);
    let done = me.browser(op.browser()).types(&format!("{} --response-mode jwt", op.login()));
    assert_eq!(done.code, 7, "{}", done.err);
    assert!(!op.seen().iter().any(|line| line == "GET /jwks" || line == "POST /token"), "{:?}", op.seen());
}

#[test]
fn what_can_not_be_verified_is_not_asked_for() {
    let mut me = Person::new();
    let op = Op::start(&mut me, plan());
    me.config("providers/odd.toml", &op.server.provider("odd"));
    let done = me.types("login odd --response-mode jwt");
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("a signed answer can't be verified"), "{}", done.err);
    // the double wants to be asked at least once
    assert_eq!(crate::world::robot::get(&format!("{}/jwks", op.server.base)).status, 200);
}
