//! Servers that violate the RFCs: at every endpoint the exit code tells a script what to do, and no
//! secret follows a redirect.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::world::op::{Op, Plan};
use crate::world::serve;
use crate::world::{Odd, Output, Person, answer};

/// An answer with headers of its own.
fn with_headers(status: u16, headers: &[(&str, &str)], body: &str) -> serve::Response {
    let more = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    let mut made = answer(status, "application/json", body);
    made.headers.extend(more);
    made
}

/// A server for a login by device code or CIBA that gives these answers at the token endpoint, one
/// after the other, and the seconds between them.
fn polled(answers: Vec<serve::Response>, grant: &str) -> (Output, Vec<u64>) {
    let mut me = Person::new();
    let clock = me.clock.clone();
    let asked_at = Arc::new(Mutex::new(vec![clock.elapsed_ms.load(Ordering::SeqCst)]));
    let (times, left) = (asked_at.clone(), Arc::new(Mutex::new(answers.into_iter())));
    let server = me.odd("polled", move |request| match request.path.as_str() {
        "/start" => {
            let body = json!({
                "device_code": "Zk4-device", "auth_req_id": "Zk4-request", "user_code": "AB-CD", "interval": 1, "expires_in": 600,
                "verification_uri": "https://as.example/device",
            });
            answer(200, "application/json", &body.to_string())
        }
        _ => {
            times.lock().unwrap().push(clock.elapsed_ms.load(Ordering::SeqCst));
            left.lock().unwrap().next().expect("no further question")
        }
    });
    let more = format!("[device]\nurl = \"{0}/start\"\n[ciba]\nurl = \"{0}/start\"\n", server.base);
    me.config("providers/odd.toml", &format!("{}{more}", server.provider("odd")));
    let hint = if grant == "ciba" { "--login-hint alice" } else { "" };
    let done = me.types(&format!("login odd --grant {grant} {hint}"));
    let times = asked_at.lock().unwrap();
    (done, times.windows(2).map(|pair| (pair[1] - pair[0]) / 1000).collect())
}

fn error(status: u16, error: &str) -> serve::Response {
    answer(status, "application/json", &json!({ "error": error }).to_string())
}

fn tokens() -> serve::Response {
    answer(200, "application/json", &json!({ "access_token": "issued-1", "token_type": "bearer" }).to_string())
}

// T-08; RFC 8628, section 3.5; CIBA, section 11: GitHub says all of it with 200
#[test]
fn polling_goes_on_by_the_error_whatever_the_status() {
    for grant in ["device-code", "ciba"] {
        for status in [200, 400] {
            let answers = vec![
                error(status, "authorization_pending"),
                error(status, "slow_down"),
                error(status, "authorization_pending"),
                tokens(),
            ];
            let (done, pauses) = polled(answers, grant);
            assert_eq!(done.code, 0, "{grant} {status}: {}", done.err);
            assert_eq!(pauses, [1, 1, 6, 6], "{grant} {status}");
            for (said, code) in [("access_denied", 3), ("expired_token", 6), ("incorrect_device_code", 1)] {
                let (done, _) = polled(vec![error(status, said)], grant);
                assert_eq!(done.code, code, "{grant} {status} {said}: {}", done.err);
            }
        }
    }
}

// T-54
#[test]
fn a_server_that_is_busy_is_asked_again_when_it_said_and_not_sooner() {
    let busy = |status, wait: &str| with_headers(status, &[("Retry-After", wait)], "");
    for status in [408, 429, 503] {
        let (done, pauses) = polled(vec![busy(status, "17"), busy(status, "60"), tokens()], "device-code");
        assert_eq!((done.code, pauses), (0, vec![1, 17, 60]), "{}", done.err);
        let (done, pauses) = polled(vec![busy(status, "1"), tokens()], "device-code");
        assert_eq!((done.code, pauses), (0, vec![1, 2]), "the pause grows all the same");
        let (done, _) = polled(vec![busy(status, "61")], "device-code");
        assert_eq!(done.code, 75, "{}", done.err);
        assert!(done.err.contains("run the command again in 61 s"), "{}", done.err);
    }
    for (status, error) in [(429, "slow_down"), (400, "slow_down"), (400, "authorization_pending")] {
        let said = with_headers(status, &[("Retry-After", "9")], &json!({ "error": error }).to_string());
        let (done, pauses) = polled(vec![said, tokens()], "device-code");
        assert_eq!((done.code, pauses), (0, vec![1, 9]), "{status} {error}: {}", done.err);
    }
}

/// An issuer whose two places for a document answer so, and the code of a command that asks there.
fn discovered(first: serve::Response, second: Option<serve::Response>) -> Output {
    let mut me = Person::new();
    let base = Arc::new(Mutex::new(String::new()));
    let own = base.clone();
    let answers = [Some(first), second];
    let issuer = me.odd("issuer", move |request| {
        let at = usize::from(request.path.contains("oauth-authorization-server"));
        let base = own.lock().unwrap().clone();
        match (request.path.as_str(), &answers[at]) {
            ("/token", _) => tokens(),
            (_, Some(answer)) => answer.clone(),
            (_, None) => {
                let body = json!({ "issuer": base, "token_endpoint": format!("{base}/token") });
                answer(200, "application/json", &body.to_string())
            }
        }
    });
    *base.lock().unwrap() = issuer.base.clone();
    me.set("OAUTHCTL_CLIENT_SECRET", "Zk4-client-secret");
    me.types(&format!("token {} --client-id x --grant client-credentials --store none", issuer.base))
}

// T-20, T-54, D-02
#[test]
fn a_document_that_can_not_be_had_now_is_asked_for_later_and_a_redirect_is_not_followed() {
    let plain = |status| answer(status, "text/plain", "");
    let later = |wait| with_headers(503, &[("Retry-After", wait)], "");
    let led = |status| with_headers(status, &[("Location", "http://127.0.0.1:1/elsewhere")], "");
    for (first, second, code, says) in [
        (plain(500), Some(plain(500)), 75, "hint: run the command again later"),
        (plain(503), Some(plain(404)), 75, "can't be fetched at the moment"),
        (plain(404), Some(plain(502)), 75, "can't be fetched at the moment"),
        (with_headers(429, &[("Retry-After", "40")], ""), Some(plain(404)), 75, "hint: run the command again in 40 s"),
        (later("3601"), Some(plain(404)), 75, "hint: run the command again in 60 min"),
        (later("200000"), Some(plain(404)), 75, "again later (the server asks for a wait of 2 days)"),
        (later("343894769"), Some(plain(404)), 75, "a wait of more than a year)"),
        (later("Fri, 31 Dec 2037 23:59:59 GMT"), Some(plain(404)), 75, "a wait of more than a year)"),
        (later("18446744073709551615"), Some(plain(404)), 75, "a wait of more than a year)"),
        (led(302), Some(led(302)), 7, "a redirect is not followed"),
        (led(307), Some(plain(404)), 7, "a redirect is not followed"),
        (plain(404), Some(plain(404)), 2, "has no metadata: no discovery document was found"),
        (plain(503), None, 0, ""),
        (led(302), None, 0, ""),
    ] {
        let statuses = (first.status, second.as_ref().map(|s| s.status));
        let done = discovered(first, second);
        assert_eq!(done.code, code, "{statuses:?}: {}", done.err);
        assert!(done.err.contains(says), "{statuses:?}: {}", done.err);
    }
}

/// A provider all of whose endpoints but the authorize and the token endpoint lead elsewhere.
fn leading_astray(me: &mut Person) -> (Odd, Odd) {
    let elsewhere = me.odd("elsewhere", |_| answer(200, "application/json", "{}"));
    let away = format!("{}/take-it", elsewhere.base);
    let server = me.odd("leading astray", move |request| match request.path.as_str() {
        "/token" => answer(
            200,
            "application/json",
            &json!({ "access_token": "issued-1", "token_type": "bearer", "refresh_token": "refresh-1" }).to_string(),
        ),
        _ => with_headers(307, &[("Location", &away)], ""),
    });
    let base = &server.base;
    let more = format!(
        "[device]\nurl = \"{base}/device\"\n[ciba]\nurl = \"{base}/ciba\"\n[revoke]\nurl = \"{base}/revoke\"\n\
         [userinfo]\nurl = \"{base}/userinfo\"\n[introspect]\nurl = \"{base}/introspect\"\n"
    );
    let file =
        format!("par-url = \"{base}/par\"\nregistration-url = \"{base}/register\"\n{}{more}", server.provider("odd"));
    me.config("providers/odd.toml", &file);
    (server, elsewhere)
}

// T-20
#[test]
fn no_endpoint_leads_a_secret_elsewhere() {
    let mut me = Person::new();
    let (server, elsewhere) = leading_astray(&mut me);
    me.set("OAUTHCTL_CLIENT_SECRET", "Zk4-client-secret");
    assert_eq!(me.types("login odd --grant client-credentials").code, 0);
    for (line, hint) in [
        ("login dev --provider odd --grant device-code", "`oauthctl provider show` prints it"),
        ("login ciba --provider odd --grant ciba --login-hint alice", "`oauthctl provider show` prints it"),
        ("login par --provider odd --grant authorization-code --par", "is the provider's `par-url` right?"),
        ("userinfo odd", "`oauthctl provider show` prints it"),
        ("introspect odd", "`oauthctl provider show` prints it"),
        ("register new --provider odd", "`oauthctl provider show` prints it"),
        ("logout odd", "`oauthctl provider show` prints it"),
    ] {
        let done = me.types(line);
        assert_eq!(done.code, 7, "{line}: {}", done.err);
        assert!(
            done.err.contains("redirect (status 307), which is never followed with a secret"),
            "{line}: {}",
            done.err
        );
        assert!(done.err.contains(hint), "{line}: {}", done.err);
    }
    // it is kept for a logout that can revoke it, and is used no more
    assert_eq!(me.types("token odd --no-refresh").code, 4);
    assert_eq!(me.types("logout odd --local-only").code, 0);
    assert!(me.keychain.item("odd").is_none_or(|record| !record.contains("issued-1")), "forgotten here");
    assert_eq!(elsewhere.asked(), 0);
    // the double complains of one that is never asked
    crate::world::robot::get(&elsewhere.base);
    drop(server);
}

// T-10: the status is the trouble, and what came with it is not thrown away
#[test]
fn a_token_that_comes_with_another_status_than_200_is_refused_and_its_status_named() {
    let mut me = Person::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let forms = seen.clone();
    let server = me.odd("another status", move |request| {
        let mut seen = forms.lock().unwrap();
        seen.push(String::from_utf8_lossy(&request.body).into_owned());
        let body = json!({ "access_token": format!("issued-{}", seen.len()), "token_type": "bearer", "expires_in": 60,
            "refresh_token": format!("refresh-{}", seen.len()) });
        answer(if seen.len() == 1 { 200 } else { 201 }, "application/json", &body.to_string())
    });
    me.config("providers/odd.toml", &server.provider("odd"));
    me.stdin("Zk4-password\n");
    assert_eq!(me.types("login odd --grant password --username alice --password-file -").code, 0);
    me.types("refresh odd").fails(
        7,
        "
        error: the token could not be refreshed
        caused by: the server answered with status 201, which is not a success at a token endpoint
        hint: if that status means success there: `ok-status` of `[token]` in a provider file of your own must name 201 too
    ",
    );
    // the first one is spent
    assert_eq!(
        (me.kept("odd", "refresh_token"), me.kept("odd", "access_token")),
        ("refresh-2".into(), "issued-1".into())
    );
    // the person does as the hint says
    let file = server.provider("odd").replace("[token]\n", "[token]\nok-status = [200, 201]\n");
    me.config("providers/odd.toml", &file);
    assert_eq!(me.types("refresh odd").code, 0);
    assert!(seen.lock().unwrap()[2].contains("refresh_token=refresh-2"));
    assert_eq!(
        (me.kept("odd", "refresh_token"), me.kept("odd", "access_token")),
        ("refresh-3".into(), "issued-3".into())
    );
}

/// A login at the provider whose answer to the code is bent.
fn signed_in(set: Value) -> (Person, Op, Output) {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], answer: set, ..Plan::default() });
    let done = me.browser(op.browser()).types(&op.login());
    (me, op, done)
}

// T-49
#[test]
fn an_id_token_that_is_no_text_ends_a_login_and_costs_a_renewal_no_refresh_token() {
    for bad in [json!(7), json!({ "sub": "alice" }), json!(["a.b.c"]), json!(true)] {
        let (me, _, done) = signed_in(json!({ "id_token": bad }));
        assert_eq!(done.code, 7, "{bad}: {}", done.err);
        assert!(done.err.contains("the ID token can't be trusted"), "{bad}: {}", done.err);
        assert!(me.keychain.accounts().is_empty(), "{bad}");
    }
    let (mut me, op, done) = signed_in(json!({}));
    assert_eq!(done.code, 0, "{}", done.err);
    op.plan.lock().unwrap().answer = json!({ "id_token": 7 });
    let done = me.types("refresh op");
    assert_eq!(done.code, 7, "{}", done.err);
    assert_eq!(me.kept("op", "refresh_token"), "refresh-token-1");
    assert_ne!(me.kept("op", "access_token"), "access-token-of-alice-1");
    // S1: null is absent
    let (_, _, done) = signed_in(json!({ "id_token": null }));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("warning: the provider sent no ID token, though the scope `openid` was requested"),
        "{}",
        done.err
    );
}

/// A login at an issuer that says this of itself, and gets no further than its document.
fn told_first(document: Value, flags: &str) -> Output {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { document, ..Plan::default() });
    let done = me.types(&format!("{} {flags}", op.login()));
    assert_eq!(op.seen(), ["GET /.well-known/openid-configuration"], "nothing else is asked: {}", done.err);
    done
}

// what the server doesn't support is said before anything is sent
#[test]
fn what_a_sign_in_needs_and_the_server_does_not_take_is_said_first() {
    let details = r#"--authorization-details {"type":"t1"}"#;
    for (document, flags, says, hint) in [
        (
            json!({ "grant_types_supported": ["client_credentials"], "response_types_supported": ["token"] }),
            "",
            "does not offer the grant `authorization-code`; nothing was sent",
            "`grant-types = […]` in a provider file",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["tls_client_auth"] }),
            "",
            "the provider wants a client certificate",
            "`--auth none` sends the client id alone",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
            "",
            "the provider wants a proof by the client's key",
            "`--auth none` sends the client id alone",
        ),
        (
            json!({ "response_modes_supported": ["query"] }),
            "--response-mode jwt",
            "does not take `response_mode=jwt`; nothing was sent",
            "leave `--response-mode` out",
        ),
        (
            json!({ "request_parameter_supported": false }),
            "--request-object",
            "takes no signed authorize request; nothing was sent",
            "`request-object = true` in a provider file",
        ),
        (
            json!({ "authorization_details_types_supported": ["t2"] }),
            details,
            "does not take authorization details of the type `t1`; nothing was sent",
            "`[authorize] url` in a provider file",
        ),
        (
            json!({ "backchannel_authentication_endpoint": "http://127.0.0.1:1/ciba", "backchannel_token_delivery_modes_supported": ["push"] }),
            "--grant ciba --login-hint alice",
            "does not take polling for the answer to a sign-in (CIBA); nothing was sent",
            "`[ciba] url` in a provider file",
        ),
        (
            json!({ "code_challenge_methods_supported": ["plain"] }),
            "",
            "does not take PKCE by `S256`; nothing was sent",
            "`[pkce] method = \"plain\"` in a provider file",
        ),
        (
            json!({ "authorization_endpoint": null, "device_authorization_endpoint": "http://127.0.0.1:1/device" }),
            "",
            "has no address to sign in at with a browser",
            "--grant device-code",
        ),
    ] {
        let done = told_first(document.clone(), flags);
        assert_eq!(done.code, 2, "{document}: {}", done.err);
        assert!(done.err.contains(says) && done.err.contains(hint), "{document}: {}", done.err);
    }
}

#[test]
fn what_a_provider_file_says_wins_over_what_the_server_announces() {
    let document = json!({
        "grant_types_supported": ["client_credentials"], "response_types_supported": ["token"],
        "code_challenge_methods_supported": ["plain"], "response_modes_supported": ["query"],
        "token_endpoint_auth_methods_supported": ["tls_client_auth"],
    });
    for (file, flags, method) in [
        ("grant-types = [\"authorization_code\"]\n[pkce]\nmethod = \"plain\"\n", "--auth none", "plain"),
        ("grant-types = [\"authorization_code\"]\n[pkce]\nmode = \"required\"\n", "--auth none", "S256"),
        (
            "grant-types = [\"authorization_code\"]\n[authorize]\nurl = \"BASE/authorize\"\n[token]\nauth = [\"none\"]\n",
            "--auth none --response-mode form_post",
            "S256",
        ),
    ] {
        let mut me = Person::new();
        let post = flags.contains("form_post");
        let op = Op::start(
            &mut me,
            Plan { document: document.clone(), announced: vec!["ES256".into()], form: post, ..Plan::default() },
        );
        let head =
            "id = \"odd\"\nname = \"Odd\"\nissuer = \"BASE\"\nsources = [\"a test\"]\nchecked = \"2026-11-21\"\n";
        me.config("providers/odd.toml", &format!("{head}{file}").replace("BASE", &op.server.base));
        let sent = Arc::new(Mutex::new(String::new()));
        let (url, act) = (sent.clone(), op.browser());
        me.browser(move |address| {
            *url.lock().unwrap() = address.to_owned();
            act(address)
        });
        let done = me.types(&format!("login odd --client-id an-app --scope openid {flags}"));
        assert_eq!(done.code, 0, "{file}: {}", done.err);
        assert!(sent.lock().unwrap().contains(&format!("code_challenge_method={method}")), "{file}");
    }
}

// Keycloak, Microsoft and GitLab take public clients and do not list `none`
#[test]
fn a_client_without_a_secret_is_tried_where_secrets_are_listed_and_that_is_said() {
    let mut me = Person::new();
    let document = json!({ "token_endpoint_auth_methods_supported": ["client_secret_basic"] });
    let op = Op::start(&mut me, Plan { document, announced: vec!["ES256".into()], ..Plan::default() });
    let done = me.browser(op.browser()).types(&op.login());
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("announces no clients without a secret (client_secret_basic): trying without one"),
        "{}",
        done.err
    );
    let done = me.browser(op.browser()).types(&format!("{} --auth none", op.login()));
    assert!(done.code == 0 && !done.err.contains("announces no clients"), "{}", done.err);
}

// B-17
#[test]
fn a_response_of_many_small_values_is_refused_before_a_tree_is_made() {
    let dense =
        format!("{{\"access_token\":\"issued-1\",\"token_type\":\"bearer\",\"x\":[{}0]}}", "{\"\":0},".repeat(50_000));
    for (path, line) in [
        ("/token", "login odd --grant client-credentials --client-id an-app"),
        ("/.well-known/openid-configuration", "login op --provider BASE --client-id an-app"),
    ] {
        let mut me = Person::new();
        let body = dense.clone();
        let server = me.odd("many values", move |request| match request.path.as_str() {
            at if at == path => answer(200, "application/json", &body),
            _ => answer(404, "application/json", "{}"),
        });
        me.config("providers/odd.toml", &server.provider("odd"));
        let done = me.types(&line.replace("BASE", &server.base));
        assert_eq!(done.code, 7, "{path}: {}", done.err);
        assert!(done.err.contains("has more than 50000 values"), "{path}: {}", done.err);
    }
}
