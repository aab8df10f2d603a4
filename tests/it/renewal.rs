//! A refresh with odd clocks, servers and keychains: one request at most per command. Nothing is
//! spent that can't be stored, nothing is deleted unless the provider ended it, and the user's
//! action wins.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use oauthctl::world::KeychainError;
use serde_json::{Value, json};

use crate::world::{Fault, Odd, Person, START, answer};

const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const YEAR: i64 = 365 * 86_400;

/// A token endpoint that takes each refresh token once.
struct Strict {
    server: Odd,
    state: Arc<Mutex<State>>,
}

struct State {
    number: u64,
    /// As the answer's JSON has it.
    lifetime: Value,
    /// Instead of the server's own answer.
    says: Option<(u16, &'static str)>,
    /// What happens while the request is under way.
    meanwhile: Option<Box<dyn FnMut() + Send>>,
    reuses: u64,
}

impl Strict {
    fn asked(&self) -> usize {
        self.server.asked()
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }
}

/// Somebody whose profile `strict` was signed in to an hour ago less a minute: generation 1,
/// `refresh-1`.
fn signed_in(rotates: &str) -> (Person, Strict) {
    let mut person = Person::new();
    let state =
        Arc::new(Mutex::new(State { number: 1, lifetime: json!(3600), says: None, meanwhile: None, reuses: 0 }));
    let shared = state.clone();
    let server = person.odd("strict", move |request| {
        let mut state = shared.lock().unwrap();
        if let Some(act) = &mut state.meanwhile {
            act();
        }
        if let Some((status, body)) = state.says {
            return answer(status, "application/json", body);
        }
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if !body.contains(&format!("refresh_token=refresh-{}", state.number)) {
            state.reuses += 1;
            return answer(400, "application/json", r#"{"error":"invalid_grant"}"#);
        }
        state.number += 1;
        let n = state.number;
        let token = json!({
            "access_token": format!("access-{n}"), "refresh_token": format!("refresh-{n}"), "token_type": "Bearer",
            "expires_in": state.lifetime,
        });
        answer(200, "application/json", &token.to_string())
    });
    person.config(
        "providers/strict.toml",
        &(server.provider("strict") + &format!("[refresh]\nrotates = \"{rotates}\"\n")),
    );
    person.config("config.toml", "[profiles.strict]\nprovider = \"strict\"\n");
    put(&person, record(1, START, 3600));
    (person, Strict { server, state })
}

fn record(generation: u64, received_at: i64, lifetime: i64) -> Value {
    json!({
        "oauthctl": 1, "generation": generation, "provider": "strict", "client_id": "an-app", "grant": "authorization-code",
        "journal_key": KEY,
        "token": {
            "access_token": format!("access-{generation}"), "refresh_token": format!("refresh-{generation}"), "token_type": "Bearer",
            "received_at": received_at, "expires_at": received_at + lifetime,
        },
    })
}

fn put(person: &Person, record: Value) {
    person.keychain.put("strict", &record.to_string());
    person.copies.clear();
}

#[track_caller]
fn prints(person: &mut Person, token: &str) {
    let done = person.types("token strict");
    assert_eq!((done.code, done.out.as_str()), (0, format!("{token}\n").as_str()), "{}", done.err);
}

// T-70
#[test]
fn no_clock_makes_more_than_one_request_for_a_command_nor_one_for_each() {
    for (moved, requests) in
        [(600, 0), (-5, 0), (-600, 1), (-2 * 86_400, 1), (86_400, 1), (12 * YEAR, 1), (80 * YEAR, 1), (100 - START, 1)]
    {
        let (mut person, server) = signed_in("yes");
        person.clock.now.fetch_add(moved, Ordering::SeqCst);
        for _ in 0..3 {
            prints(&mut person, if requests == 0 { "access-1" } else { "access-2" });
        }
        assert_eq!(server.asked(), requests, "moved by {moved} s");
        // the double wants to be asked
        assert_eq!(person.types("refresh strict").code, 0);
    }
}

// T-70: suspended, or set, while the server is asked
#[test]
fn a_clock_that_jumps_while_the_server_is_asked_makes_no_loop() {
    for jump in [36_000, -36_000, 20 * YEAR] {
        let (mut person, server) = signed_in("yes");
        person.later(4000);
        let clock = person.clock.clone();
        server.set(|s| {
            let mut once = Some(jump);
            s.meanwhile = Some(Box::new(move || {
                clock.now.fetch_add(once.take().unwrap_or(0), Ordering::SeqCst);
            }));
        });
        prints(&mut person, "access-2");
        for _ in 0..3 {
            prints(&mut person, "access-2");
        }
        assert_eq!(server.asked(), 1, "a jump of {jump} s");
        person.clock.now.fetch_sub(jump, Ordering::SeqCst);
        let before = server.asked();
        for _ in 0..3 {
            assert_eq!(person.types("token strict").code, 0);
        }
        assert!(server.asked() <= before + 1, "back again from {jump} s");
    }
}

// T-33, T-34
#[test]
fn a_lifetime_of_nothing_costs_a_request_for_a_command_and_one_of_ten_years_none() {
    for (lifetime, each) in [(json!(0), 1), (json!(1), 0), (json!(10 * YEAR), 0)] {
        let (mut person, server) = signed_in("yes");
        person.later(4000);
        server.set(|s| s.lifetime = lifetime.clone());
        prints(&mut person, "access-2");
        for run in 1..4 {
            assert_eq!(person.types("token strict").code, 0);
            assert_eq!(server.asked(), 1 + run * each, "a lifetime of {lifetime}");
        }
    }
}

// T-71
#[test]
fn a_login_that_was_copied_to_another_machine_is_not_spent_there() {
    let (mut person, server) = signed_in("yes");
    let mut copied = record(1, START, 3600);
    copied["machine"] = json!("sha256:00");
    put(&person, copied);
    // its first use binds it
    person.types("status strict");
    let copied = person.record("strict");
    person.later(4000);
    person.set("MACHINE_OF_THE_TEST", "an id of this machine");
    let said = person.types("token strict");
    assert_eq!((said.code, said.out.as_str()), (4, ""), "{}", said.err);
    assert!(
        said.err.contains("was made on another machine") && said.err.contains("oauthctl login strict"),
        "{}",
        said.err
    );
    assert_eq!(server.asked(), 0);
    assert_eq!(person.record("strict"), copied, "it stays as it is");
    // one that never changes can be shared
    person.config("providers/strict.toml", &(server.server.provider("strict") + "[refresh]\nrotates = \"no\"\n"));
    prints(&mut person, "access-2");
}

// T-71
#[test]
fn a_record_that_was_put_back_from_a_backup_is_not_spent() {
    let (mut person, server) = signed_in("yes");
    person.later(4000);
    let old = person.record("strict");
    prints(&mut person, "access-2");
    put(&person, old);
    let said = person.types("token strict");
    assert_eq!((said.code, said.out.as_str()), (4, ""), "{}", said.err);
    assert!(said.err.contains("is older than the one last used here") && said.err.contains("backup"), "{}", said.err);
    assert_eq!((server.asked(), server.state.lock().unwrap().reuses), (1, 0));
}

// T-66
#[test]
fn a_keychain_that_lies_about_saving_loses_nothing() {
    let (mut person, server) = signed_in("yes");
    person.later(4000);
    person.keychain.fault(Fault::Forgets);
    let said = person.types("token strict");
    assert_eq!((said.code, said.out.as_str()), (74, ""), "{}", said.err);
    assert!(said.err.contains("gives back another") && said.err.contains("the next command saves it"), "{}", said.err);
    assert_eq!(person.types("token strict").code, 74, "as long as it lies");
    person.keychain.fault(Fault::None);
    prints(&mut person, "access-2");
    assert_eq!(server.asked(), 1, "the answer was kept");
    assert_eq!(person.types("refresh strict").code, 0);
    assert_eq!(server.state.lock().unwrap().reuses, 0);
}

// T-64
#[test]
fn a_keychain_that_takes_nothing_is_found_out_before_anything_is_spent() {
    for fault in [
        KeychainError::Locked,
        KeychainError::Denied("by its owner".into()),
        KeychainError::TimedOut(3),
        KeychainError::Absent("no bus".into()),
        KeychainError::Failed("it burns".into()),
    ] {
        for fault in [Fault::Writes(fault.clone()), Fault::Always(fault)] {
            let (mut person, server) = signed_in("yes");
            person.later(4000);
            person.keychain.fault(fault.clone());
            let said = person.types("token strict");
            assert_eq!((said.code, said.out.as_str(), server.asked()), (5, "", 0), "{fault:?}: {}", said.err);
            assert!(said.err.contains("hint: "), "{}", said.err);
            person.keychain.fault(Fault::None);
            prints(&mut person, "access-2");
        }
    }
}

// T-72
#[test]
fn what_a_crash_left_does_not_come_back_after_a_logout_or_a_login() {
    let crashed = || {
        let (mut person, server) = signed_in("yes");
        person.later(4000);
        person.keychain.fault(Fault::Forgets);
        assert_eq!(person.types("token strict").code, 74);
        person.keychain.fault(Fault::None);
        (person, server)
    };
    let (mut person, _server) = crashed();
    assert_eq!(person.types("logout strict --local-only").code, 0);
    let said = person.types("token strict");
    assert_eq!((said.code, said.out.as_str()), (4, ""), "{}", said.err);

    let (mut person, server) = crashed();
    put(&person, record(7, START + 4000, 3600));
    prints(&mut person, "access-7");
    person.later(4000);
    server.set(|s| s.number = 7);
    prints(&mut person, "access-8");
    assert_eq!(server.state.lock().unwrap().reuses, 0);
}

// T-56, C-32
#[test]
fn a_refused_token_is_cleared_once_and_never_one_that_came_meanwhile() {
    let (mut person, server) = signed_in("yes");
    person.later(4000);
    server.set(|s| s.says = Some((400, r#"{"error":"invalid_grant"}"#)));
    for _ in 0..3 {
        let said = person.types("token strict");
        assert_eq!((said.code, said.out.as_str()), (4, ""), "{}", said.err);
        assert!(said.err.contains("oauthctl login strict"), "{}", said.err);
    }
    assert_eq!(server.asked(), 1);
    assert_eq!(person.record("strict")["token"], Value::Null);

    let (mut person, server) = signed_in("yes");
    person.later(4000);
    let keychain = person.keychain.clone();
    server.set(|s| {
        s.says = Some((400, r#"{"error":"invalid_grant"}"#));
        s.meanwhile = Some(Box::new(move || keychain.put("strict", &record(7, START + 4000, 3600).to_string())));
    });
    person.types("token strict");
    assert_eq!(person.kept("strict", "refresh_token"), "refresh-7", "the newer login stays");
}

// T-57, T-58
#[test]
fn no_other_refusal_forgets_a_token() {
    for (status, body, code) in [
        (401, r#"{"error":"invalid_client"}"#, 2),
        (400, r#"{"error":"invalid_client"}"#, 2),
        (400, r#"{"error":"unauthorized_client"}"#, 2),
        (400, r#"{"error":"unsupported_grant_type"}"#, 2),
        (400, r#"{"error":"invalid_scope"}"#, 3),
        (400, r#"{"error":"invalid_request"}"#, 2),
        (400, r#"{"error":"slow_down"}"#, 75),
        (403, "{}", 1),
        (429, "{}", 75),
        (500, "{}", 75),
        (504, "", 75),
        (200, "<html></html>", 7),
        (200, "", 7),
        (200, r#"{"access_token":"half"#, 7),
        (200, r#"{"access_token":"new"}{"#, 7),
    ] {
        let (mut person, server) = signed_in("yes");
        person.types("status strict");
        person.later(4000);
        let before = person.record("strict");
        server.set(|s| s.says = Some((status, body)));
        let said = person.types("token strict");
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{status} {body}: {}", said.err);
        assert_eq!(person.record("strict"), before, "{status} {body}");
        person.later(3700);
        server.set(|s| s.says = None);
        prints(&mut person, "access-2");
    }
}

/// An answer that says yes and can't be read may have cost the token: it is sent once more, and
/// then no more.
#[test]
fn an_answer_that_may_hold_tokens_is_followed_by_one_more_try() {
    let (mut person, server) = signed_in("yes");
    person.later(4000);
    server.set(|s| s.says = Some((200, r#"{"access_token":"half"#)));
    assert_eq!(person.types("token strict").code, 7);
    assert_eq!(person.types("token strict").code, 7);
    let said = person.types("token strict");
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.contains("cut off twice"), "{}", said.err);
    assert_eq!(server.asked(), 2);
    // a page of a gateway's is no such answer, however often it comes
    let (mut person, server) = signed_in("yes");
    person.later(4000);
    server.set(|s| s.says = Some((200, "<!doctype html><h1>back soon</h1>")));
    for _ in 0..4 {
        assert_eq!(person.types("token strict").code, 7);
    }
    server.set(|s| s.says = None);
    prints(&mut person, "access-2");
}

#[test]
fn a_token_that_is_valid_still_is_used_while_its_endpoint_is_down() {
    let (mut person, server) = signed_in("yes");
    person.later(3600 - 30);
    server.set(|s| s.says = Some((503, "{}")));
    let done = person.types("token strict");
    assert_eq!((done.code, done.out.as_str()), (0, "access-1\n"), "{}", done.err);
    assert!(done.err.contains("still valid"), "{}", done.err);
    assert_eq!(person.types("token strict --min-ttl 60s").code, 75);
    assert_eq!(person.types("token strict --force-refresh").code, 75);
    person.later(31);
    assert_eq!(person.types("token strict").code, 75);
}

// B-10
#[test]
fn a_renewal_with_more_than_a_record_takes_keeps_its_tokens() {
    let (mut person, server) = signed_in("yes");
    person.later(4000);
    let large = "x".repeat(600 * 1024);
    let body = format!(
        r#"{{"access_token":"access-2","refresh_token":"refresh-2","token_type":"Bearer","expires_in":3600,"user_id":"17","photo":"{large}"}}"#
    );
    server.set(|s| s.says = Some((200, Box::leak(body.into_boxed_str()))));
    let done = person.types("token strict");
    done.is(0, "access-2\n", "warning: the answer is too large for the store: kept without `photo`\n");
    let kept = person.keychain.item("strict").expect("a record");
    assert!(kept.contains("refresh-2") && kept.contains("user_id") && !kept.contains("xxxx"));
    assert_eq!(person.types("token strict").out, "access-2\n");
    assert_eq!(server.asked(), 1);
}

// B-11
#[test]
fn logout_forgets_even_what_the_journal_can_not_be_settled_for() {
    let (mut person, server) = signed_in("yes");
    person.later(4000);
    // the answer is in the journal, and can't be saved
    person.keychain.fault(Fault::Forgets);
    assert_ne!(person.types("token strict").code, 0);
    assert_eq!(server.asked(), 1);
    let done = person.types("logout strict");
    assert!(person.keychain.item("strict").is_none(), "{}", done.err);
    assert!(done.err.contains("strict: deleted here"), "{}", done.err);
    assert_ne!(done.code, 0, "and that it is not revoked is told: {}", done.err);
    assert_eq!(person.types("token strict").code, 4);
}

#[test]
fn a_refresh_response_without_a_token_type_keeps_the_logins() {
    for member in ["", r#","token_type":null"#, r#","token_type":"""#] {
        let (mut person, server) = signed_in("yes");
        person.later(4000);
        let body = format!(r#"{{"access_token":"access-2","refresh_token":"refresh-2","expires_in":3600{member}}}"#);
        server.set(|s| s.says = Some((200, Box::leak(body.into_boxed_str()))));
        prints(&mut person, "access-2");
        assert_eq!(person.kept("strict", "token_type"), "Bearer", "{member}");
        assert_eq!(person.kept("strict", "refresh_token"), "refresh-2", "{member}");
    }
}

#[test]
fn a_new_refresh_token_is_kept_whatever_else_of_the_response_is_refused() {
    for (status, body) in [
        (200, r#"{"access_token":"access-2","refresh_token":"refresh-2","token_type":"mac"}"#),
        (200, r#"{"access_token":"access-2","refresh_token":"refresh-2","token_type":"DPoP"}"#),
        (200, r#"{"refresh_token":"refresh-2","token_type":"Bearer"}"#),
        (200, r#"{"access_token":"in two","refresh_token":"refresh-2","token_type":"Bearer"}"#),
        (200, r#"{"access_token":"a","refresh_token":"refresh-2","expires_in":1,"expires_in":2}"#),
        (200, r#"{"error":"server_error","refresh_token":"refresh-2"}"#),
        (201, r#"{"access_token":"access-2","refresh_token":"refresh-2","token_type":"Bearer"}"#),
    ] {
        let (mut person, server) = signed_in("yes");
        person.later(4000);
        server.set(|s| (s.says, s.number) = (Some((status, body)), 2));
        let said = person.types("token strict");
        assert!(said.code != 0 && said.out.is_empty(), "{body}: {}", said.err);
        assert_eq!(person.kept("strict", "refresh_token"), "refresh-2", "{body}");
        assert_eq!(person.kept("strict", "access_token"), "access-1", "{body}");
        person.later(3700);
        server.set(|s| s.says = None);
        prints(&mut person, "access-3");
        assert_eq!((server.asked(), server.state.lock().unwrap().reuses), (2, 0), "{body}");
    }
    // the server doesn't say which of two is good, and a refused token is refused
    for (body, code) in [
        (r#"{"refresh_token":"refresh-2","refresh_token":"refresh-3"}"#, 7),
        (r#"{"error":"invalid_grant","refresh_token":"refresh-2"}"#, 4),
    ] {
        let (mut person, server) = signed_in("yes");
        person.later(4000);
        server.set(|s| s.says = Some((200, body)));
        assert_eq!(person.types("token strict").code, code, "{body}");
        assert_ne!(person.record("strict")["token"]["refresh_token"], "refresh-2", "{body}");
    }
}

#[test]
fn an_error_member_that_says_nothing_is_no_error() {
    for nothing in
        ["null", r#""""#, "false", "0", "0.0", "[]", "{}", r#"" ""#, r#"{"code":0,"message":""}"#, r#"[null,""]"#]
    {
        let (mut person, server) = signed_in("yes");
        person.later(4000);
        let body = format!(
            r#"{{"access_token":"access-2","refresh_token":"refresh-2","token_type":"Bearer","expires_in":3600,"error":{nothing}}}"#
        );
        server.set(|s| s.says = Some((200, Box::leak(body.into_boxed_str()))));
        prints(&mut person, "access-2");
        assert_eq!(person.record("strict")["token"]["extra"]["error"], Value::Null, "{nothing}");
    }
    for error in [r#""denied""#, "1", "true", r#"{"code":17}"#, r#"["denied"]"#] {
        let (mut person, server) = signed_in("yes");
        person.later(4000);
        let body = format!(r#"{{"access_token":"access-2","token_type":"Bearer","error":{error}}}"#);
        server.set(|s| s.says = Some((200, Box::leak(body.into_boxed_str()))));
        assert_ne!(person.types("token strict").code, 0, "{error}");
    }
}

#[test]
fn a_server_that_wants_to_see_a_person_gets_exit_4_and_the_way_back() {
    for error in [
        "interaction_required",
        "login_required",
        "consent_required",
        "account_selection_required",
        "insufficient_user_authentication",
        "mfa_required",
    ] {
        for status in [400, 401, 403] {
            let (mut person, server) = signed_in("yes");
            person.later(4000);
            let body = format!(r#"{{"error":"{error}"}}"#);
            server.set(|s| s.says = Some((status, Box::leak(body.into_boxed_str()))));
            let said = person.types("token strict");
            assert_eq!((said.code, said.out.as_str()), (4, ""), "{error}: {}", said.err);
            assert!(said.err.contains("hint: oauthctl login strict\n"), "{}", said.err);
            assert!(!said.err.contains("scope"), "{}", said.err);
            assert_eq!(person.kept("strict", "refresh_token"), "refresh-1", "{error}");
        }
    }
}
