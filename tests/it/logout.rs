//! `logout`: revokes where the provider supports it, says so where it doesn't, then deletes.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use oauthctl::sandbox::Manners;
use oauthctl::world::KeychainError;
use serde_json::json;

use crate::world::robot::{allows, decided};
use crate::world::serve;
use crate::world::{Fault, Odd, Person, START, answer};

#[test]
fn revokes_at_the_provider_and_forgets_here() {
    let mut me = Person::new();
    me.signed_in();
    let done = me.types("logout sandbox");
    done.is(0, "", "sandbox: deleted here; the provider has revoked the tokens\n");
    assert_eq!(done.sent, ["POST http://127.0.0.1:PORT/revoke"; 2]);
    assert!(me.keychain.accounts().is_empty());
    assert!(me.copies.texts().iter().all(|c| !c.starts_with("1 ")), "the copy is gone: {:?}", me.copies.texts());
    me.types("token sandbox").fails(
        4,
        "
        error: no token is stored for `sandbox`
        hint: oauthctl login sandbox
    ",
    );
    me.types("logout sandbox").is(0, "", "sandbox: no token is stored\n");
}

#[test]
fn a_provider_that_can_not_revoke_is_named_and_the_client_secret_kept() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.answers("practice-client")
        .answers_hidden("practice-secret")
        .browser(|_| Vec::new())
        .pastes(|url| decided(url, "allow"));
    assert_eq!(me.types("login getresponse").code, 0);
    let asked = server.log().len();
    me.types("logout getresponse").is(0, "", "
        getresponse: deleted here; GetResponse does not support revoking a token: it stays valid until it expires, or until you remove the app in your account there; the client secret stays (`oauthctl profile remove getresponse` deletes it)
    ");
    assert_eq!(server.log().len(), asked, "nothing was asked of it");
    let record = me.record("getresponse");
    assert_eq!((&record["token"], &record["client_secret"]), (&json!(null), &json!("practice-secret")));
    // and the next login needs no secret
    me.browser(|_| Vec::new()).pastes(|url| decided(url, "allow"));
    assert_eq!(me.types("login getresponse").code, 0);
}

/// A login of before at VerticalResponse's VR2, whose one redirect address a test can't listen on.
fn vr2() -> serde_json::Value {
    json!({
        "oauthctl": 1, "generation": 1, "provider": "verticalresponse-vr2", "client_id": "practice-client",
        "client_secret": "practice-secret", "grant": "authorization-code",
        "token": { "access_token": "access-0123456789", "token_type": "Bearer", "refresh_token": "refresh-0123456789", "received_at": START, "expires_at": START + 3600 },
    })
}

#[test]
fn vr2_takes_a_delete_and_only_the_refresh_token_dies() {
    let mut me = Person::new();
    let server = me.practice(Manners::VerticalResponseVr2);
    me.config("config.toml", "[profiles.vr2]\nprovider = \"verticalresponse-vr2\"\n");
    me.keychain.put("vr2", &vr2().to_string());
    me.types("logout vr2").is(0, "", "
        vr2: deleted here; the provider has revoked the refresh token; the access token stays valid until it expires; the client secret stays (`oauthctl profile remove vr2` deletes it)
    ");
    let asked = server.log();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].method.as_str(), asked[0].path.as_str(), asked[0].status),
        ("DELETE", "/api/v1/oauth/revoke", 200)
    );
    assert_eq!(
        asked[0].form.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
        ["refresh_token", "client_id", "client_secret"]
    );
}

#[test]
fn local_only_leaves_the_provider_alone() {
    let mut me = Person::new();
    me.signed_in();
    let done = me.types("logout sandbox --local-only");
    done.is(0, "", "sandbox: deleted here; it was not revoked at the provider\n");
    assert!(done.sent.is_empty() && me.keychain.accounts().is_empty());
}

/// A login of before at a provider that answers its revocation endpoint as `answers` says, which
/// gets the kind of token.
fn odd(me: &mut Person, answers: impl Fn(&str) -> serve::Response + Send + Sync + 'static) -> Odd {
    let odd = me.odd("odd", move |request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        answers(body.split("token_type_hint=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or(""))
    });
    me.config("providers/odd.toml", &format!("{}[revoke]\nurl = \"{}/revoke\"\n", odd.provider("odd"), odd.base));
    me.config("config.toml", "[profiles.odd]\nprovider = \"odd\"\n");
    let mut record = vr2();
    record["provider"] = "odd".into();
    record["client_id"] = "an-app".into();
    me.keychain.put("odd", &record.to_string());
    odd
}

// RFC 7009, section 2.2.1
#[test]
fn a_kind_of_token_that_can_not_be_revoked_does_not_save_the_other() {
    const NO: &str = r#"{"error":"unsupported_token_type"}"#;
    const BOTH: &[&str] = &["refresh_token", "access_token"];
    for (refused, says) in [
        (
            &BOTH[..1],
            "the provider has revoked the access token; it revokes no refresh tokens: that one stays valid until it expires",
        ),
        (&BOTH[1..], "the provider has revoked the refresh token; the access token stays valid until it expires"),
        (
            BOTH,
            "Odd does not support revoking a token: it stays valid until it expires, or until you remove the app in your account there",
        ),
    ] {
        let mut me = Person::new();
        let odd = odd(&mut me, move |which| match refused.contains(&which) {
            true => answer(400, "application/json", NO),
            false => answer(200, "text/plain", ""),
        });
        me.types("logout odd").is(
            0,
            "",
            &format!("odd: deleted here; {says}; the client secret stays (`oauthctl profile remove odd` deletes it)\n"),
        );
        assert_eq!(odd.asked(), 2, "{refused:?}");
        assert_eq!(me.record("odd")["token"], json!(null));
    }
}

#[test]
fn a_token_whose_revocation_is_refused_is_told_and_forgotten_all_the_same() {
    let mut me = Person::new();
    let odd = odd(&mut me, |_| answer(400, "application/json", r#"{"error":"invalid_request"}"#));
    me.types("logout odd").fails(
        1,
        "
        odd: deleted here; the client secret stays (`oauthctl profile remove odd` deletes it)
        error: the token of `odd` was deleted here, but not revoked at the provider
        caused by: the provider did not revoke the token
        caused by: it answered invalid_request
        hint: it stays valid until it expires, or until you remove the app in your account there
    ",
    );
    assert_eq!(odd.asked(), 2, "the access token is sent although the refresh token was refused");
    assert_eq!(me.record("odd")["token"], json!(null));
}

// the client's secret can be mended, and a deleted token can't be revoked any more
#[test]
fn a_token_is_kept_for_another_logout_where_the_client_is_refused() {
    for status in [401, 400] {
        let mut me = Person::new();
        let good = Arc::new(AtomicU16::new(status));
        let says = good.clone();
        let odd = odd(&mut me, move |_| match says.load(Ordering::SeqCst) {
            200 => answer(200, "text/plain", ""),
            status => answer(status, "application/json", r#"{"error":"invalid_client"}"#),
        });
        me.types("logout odd").fails(
            2,
            "
            error: `odd` is logged out here, and its token is not revoked yet
            caused by: the provider did not revoke the token
            caused by: it answered invalid_client
            hint: check the client id and the client secret (`oauthctl profile set-secret odd FILE` replaces one that is kept)
            hint: `oauthctl logout odd` tries again; with `--local-only` it deletes the token, unrevoked
        ",
        );
        assert_eq!(me.types("token odd").code, 4, "no command uses it");
        good.store(200, Ordering::SeqCst);
        let done = me.types("logout odd");
        assert!(done.code == 0 && done.err.contains("has revoked"), "{}", done.err);
        assert!(odd.asked() > 2);
    }
}

// exit code 2 is a mistake of the call: nothing has happened
#[test]
fn a_logout_that_can_not_be_tried_changes_nothing() {
    for (flags, more) in [
        (" --environment nosuch", ""),
        (" --provider nosuch", ""),
        (" --var nosuch=1", ""),
        (" --client-secret-file /no/such/file", ""),
        (" --scope read", ""),
        ("", "client-secret = { env = \"NO_SUCH_VARIABLE\" }\n"),
        ("", "client-secret = { file = \"/no/such/file\" }\n"),
        ("", "environment = \"nosuch\"\n"),
    ] {
        let mut me = Person::new();
        let odd = odd(&mut me, |_| answer(200, "text/plain", ""));
        let refresh_token = me.kept("odd", "refresh_token");
        me.config("config.toml", &format!("[profiles.odd]\nprovider = \"odd\"\n{more}"));
        for line in ["logout odd", "logout --all"].iter().take(if flags.is_empty() { 2 } else { 1 }) {
            let done = me.types(&format!("{line}{flags}"));
            assert_eq!(done.code, 2, "{line}{flags} {more}: {}", done.err);
            assert_eq!(
                (odd.asked(), me.kept("odd", "refresh_token")),
                (0, refresh_token.clone()),
                "{line}{flags} {more}"
            );
        }
        // what was mended
        me.config("config.toml", "[profiles.odd]\nprovider = \"odd\"\n");
        let done = me.types("logout odd");
        assert!(done.code == 0 && done.err.contains("has revoked"), "{flags} {more}: {}", done.err);
    }
    let mut me = Person::new();
    let odd = odd(&mut me, |_| answer(200, "text/plain", ""));
    me.config("config.toml", "[profiles.odd]\nprovider = \"odd\"\nenvironment = \"nosuch\"\n");
    let done = me.types("logout odd");
    assert!(done.err.contains("`oauthctl logout odd --local-only` deletes it here"), "{}", done.err);
    assert_eq!(me.types("logout odd --local-only").code, 0);
    assert_eq!(me.record("odd")["token"], json!(null));
    crate::world::robot::get(&odd.base);
}

#[test]
fn a_token_that_could_not_be_revoked_is_revoked_by_the_next_logout() {
    let mut me = Person::new();
    let status = Arc::new(AtomicU16::new(503));
    let says = status.clone();
    let odd = odd(&mut me, move |_| answer(says.load(Ordering::SeqCst), "text/plain", ""));
    let refresh_token = me.kept("odd", "refresh_token");
    me.types("logout odd").fails(
        75,
        "
        error: `odd` is logged out here, and its token is not revoked yet
        caused by: the provider did not revoke the token
        caused by: it answered status 503
        hint: `oauthctl logout odd` tries again; with `--local-only` it deletes the token, unrevoked
    ",
    );
    // of a provider that can't answer now nothing more is asked
    assert_eq!(odd.asked(), 1);
    assert_eq!(me.types("token odd").code, 4, "no command uses it");
    assert_eq!(me.types("logout odd").code, 75);
    assert_eq!(me.record("odd")["unrevoked"][0]["refresh_token"], refresh_token.as_str());
    status.store(200, Ordering::SeqCst);
    let done = me.types("logout odd");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.starts_with("odd: deleted here; the provider has revoked the tokens"), "{}", done.err);
    assert!(!me.keychain.item("odd").unwrap().contains(&refresh_token));
    me.types("logout odd").is(0, "", "odd: no token is stored\n");
}

#[test]
fn a_record_that_can_not_be_read_can_be_forgotten() {
    let mut me = Person::new();
    me.signed_in();
    me.keychain.put("sandbox", "damaged");
    me.types("logout sandbox").fails(
        5,
        "
        error: the keychain (Secret Service) holds a record that can't be read: it is not a record of this program
        hint: `oauthctl logout sandbox --local-only` forgets it unread, a client secret in it too
        hint: then: `oauthctl login sandbox`
    ",
    );
    me.types("logout sandbox --local-only").is(0, "", "
        sandbox: deleted here, unread (the keychain (Secret Service) holds a record that can't be read: it is not a record of this program)
    ");
    assert!(me.keychain.accounts().is_empty());
}

#[test]
fn a_token_from_outside_is_not_ours_to_forget() {
    let mut me = Person::new();
    me.set("OAUTHCTL_SANDBOX_TOKEN", "outside-0123456789").types("logout sandbox").fails(
        2,
        "
        error: the token of `sandbox` comes from the environment
        hint: unset OAUTHCTL_SANDBOX_TOKEN
    ",
    );
}

#[test]
fn where_nothing_is_kept_there_is_nothing_to_forget() {
    let mut me = Person::new();
    for store in ["none", "environment"] {
        me.types(&format!("logout other --provider sandbox --store {store}")).is(
            0,
            "",
            &format!("other: the store `{store}` has nothing to delete\n"),
        );
        assert_eq!(me.set("OAUTHCTL_STORE", store).types("logout sandbox").code, 0);
        assert_eq!(me.types("logout nobodys").code, 2, "a name that means nothing is a mistake all the same");
        me.unset("OAUTHCTL_STORE");
    }
}

#[test]
fn all_logs_out_everywhere() {
    let mut me = Person::new();
    me.signed_in();
    assert_eq!(me.browser(allows).types("login second --provider sandbox").code, 0);
    me.types("logout --all").is(
        0,
        "",
        "
        sandbox: deleted here; the provider has revoked the tokens
        second: deleted here; the provider has revoked the tokens
    ",
    );
    assert!(me.keychain.accounts().is_empty());
    me.signed_in();
    me.keychain.fault(Fault::Always(KeychainError::Locked));
    me.types("logout --all").fails(
        5,
        "
        sandbox: error: the keychain (Secret Service) is locked
        hint: unlock the keyring (log in to the desktop, or its password manager) and run the command again
        hint: or keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it
        second: error: the keychain (Secret Service) is locked
        hint: unlock the keyring (log in to the desktop, or its password manager) and run the command again
        hint: or keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it
        error: not every profile could be logged out
    ",
    );
}

#[test]
fn all_logs_out_of_the_others_where_a_profile_can_not_be_read_and_leaves_its_record() {
    let mut me = Person::new();
    me.signed_in();
    for other in ["other", "third"] {
        assert_eq!(me.browser(allows).types(&format!("login {other} --provider sandbox --store file")).code, 0);
    }
    let before = me.config_text();
    let faulty = "[profiles.other]\nprovider = \"sandbox\"\nstore = { comand = [\"x\"] }\n";
    let (kept, rest) = before.split_once("[profiles.other]").unwrap();
    let rest = &rest[rest.find("[profiles.third]").unwrap()..];
    me.config("config.toml", &format!("{kept}{faulty}{rest}"));
    let line = kept.lines().count() + 3;
    let told = format!(
        "error: `profiles.other.store` in config.toml, line {line} has no key `comand`; did you mean `command`?"
    );
    for (verb, done, over) in [
        ("refresh", "refreshed, expires in 10 min, at 2026-11-21T22:10:00Z", "refreshed"),
        ("logout", "deleted here; the provider has revoked the tokens", "logged out"),
    ] {
        let output = me.types(&format!("{verb} --all"));
        assert_eq!(output.code, 2, "{}", output.err);
        for words in [
            format!("sandbox: {done}"),
            format!("other: {told}"),
            format!("third: {done}"),
            format!("error: not every profile could be {over}"),
        ] {
            assert!(output.err.contains(&words), "{words}: {}", output.err);
        }
    }
    me.config("config.toml", &before);
    let list = me.types("list --format json").out;
    assert_eq!(list.matches("\"fresh\"").count(), 1, "the record of the profile that could not be read: {list}");
}

// nothing is lost: not a token that is still to be revoked
#[test]
fn what_a_logout_could_not_revoke_outlives_the_next_login() {
    for grant in ["authorization-code", "client-credentials"] {
        let mut me = Person::new();
        let status = Arc::new(AtomicU16::new(503));
        let (says, revoked) = (status.clone(), Arc::new(Mutex::new(Vec::new())));
        let seen = revoked.clone();
        let (odd, _) = crate::manners::server(&mut me, "", move |r| match r.path.as_str() {
            "/revoke" => {
                let token = crate::manners::pairs(&String::from_utf8_lossy(&r.body)).swap_remove(0).1;
                let says = says.load(Ordering::SeqCst);
                if says == 200 {
                    seen.lock().unwrap().push(token);
                }
                answer(says, "text/plain", "")
            }
            _ => {
                let number = says.load(Ordering::SeqCst);
                let body =
                    json!({ "access_token": format!("access-{number}"), "token_type": "bearer", "expires_in": 3600 });
                answer(200, "application/json", &body.to_string())
            }
        });
        me.config("providers/odd.toml", &crate::manners::with_keys(&odd, "revoke.url = \"BASE/revoke\""));
        me.set("OAUTHCTL_CLIENT_SECRET", "s");
        let login = |me: &mut Person| {
            if grant == "authorization-code" {
                me.browser(|url| vec![crate::world::robot::go(url)]);
            }
            let done = me.types(&format!("login odd --grant {grant}"));
            assert_eq!(done.code, 0, "{grant}: {}", done.err);
        };
        login(&mut me);
        assert_eq!(me.types("logout odd").code, 75);
        status.store(200, Ordering::SeqCst);
        login(&mut me);
        status.store(503, Ordering::SeqCst);
        assert_eq!(me.types("logout odd").code, 75, "both are kept");
        status.store(200, Ordering::SeqCst);
        let done = me.types("logout odd");
        assert_eq!(done.code, 0, "{}", done.err);
        let mut revoked = revoked.lock().unwrap().clone();
        revoked.sort();
        assert_eq!(revoked, ["access-200", "access-503"], "{grant}");
        assert!(me.types("logout odd").err.contains("no token is stored"));
    }
}

// RFC 7009, section 2.2: a server may refuse a token that is dead already
#[test]
fn one_token_that_can_not_be_revoked_saves_no_other() {
    for (refusal, code, left) in [(400, 0, false), (503, 75, true)] {
        let mut me = Person::new();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, logins) = (asked.clone(), AtomicU16::new(0));
        let (odd, _) = crate::manners::server(&mut me, "", move |r| match r.path.as_str() {
            "/revoke" => {
                let token = crate::manners::pairs(&String::from_utf8_lossy(&r.body)).swap_remove(0).1;
                let mut seen = seen.lock().unwrap();
                seen.push(token.clone());
                let status = if seen.len() == 1 {
                    503
                } else if token == "access-1" {
                    refusal
                } else {
                    200
                };
                answer(
                    status,
                    "application/json",
                    r#"{"error":"invalid_token"}"#.repeat(usize::from(status != 200)).as_str(),
                )
            }
            _ => {
                let number = logins.fetch_add(1, Ordering::SeqCst) + 1;
                let body =
                    json!({ "access_token": format!("access-{number}"), "token_type": "bearer", "expires_in": 3600 });
                answer(200, "application/json", &body.to_string())
            }
        });
        me.config("providers/odd.toml", &crate::manners::with_keys(&odd, "revoke.url = \"BASE/revoke\""));
        for logout in [75, code] {
            let done = me.browser(|url| vec![crate::world::robot::go(url)]).types("login odd");
            assert_eq!(done.code, 0, "{}", done.err);
            let done = me.types("logout odd");
            assert_eq!(done.code, logout, "{refusal}: {}", done.err);
        }
        assert_eq!(*asked.lock().unwrap(), ["access-1", "access-2", "access-1"], "{refusal}: the newest first");
        assert_eq!(me.keychain.item("odd").is_some(), left, "{refusal}");
    }
}
