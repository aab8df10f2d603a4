//! The grants without a local browser: the requests, the stored records and the repeated requests.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::every_option::KEY;
use crate::world::serve;
use crate::world::{Odd, Person, answer};

/// What came in at the token endpoint: the parameters, in order.
type Forms = Arc<Mutex<Vec<Vec<(String, String)>>>>;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

fn form(request: &serve::Request) -> Vec<(String, String)> {
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

/// A server that gives tokens numbered by the request, and whatever `more` adds.
fn tokens(me: &mut Person, more: Value) -> (Odd, Forms) {
    let forms = Forms::default();
    let seen = forms.clone();
    let server = me.odd("tokens", move |request| {
        let mut forms = seen.lock().unwrap();
        forms.push(form(request));
        let mut body = json!({ "access_token": format!("issued-token-{}", forms.len()), "token_type": "Bearer", "expires_in": 600 });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        answer(200, "application/json", &body.to_string())
    });
    me.config("providers/odd.toml", &server.provider("odd"));
    (server, forms)
}

fn value<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

fn file(me: &Person, name: &str, text: &str) -> String {
    let path = me.path(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn an_assertion_from_a_file_needs_no_client_no_store_and_no_login() {
    let mut me = Person::new();
    let (_server, forms) = tokens(&mut me, json!({}));
    let provider = std::fs::read_to_string(me.path("config/oauthctl/providers/odd.toml")).unwrap();
    me.config("providers/odd.toml", &provider.replace("client-id = \"an-app\"\n", ""));
    let jwt = file(&me, "jwt", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJtZSJ9.c2ln\n");
    let words =
        ["token", "odd", "--grant", "jwt-bearer", "--store", "none", "--scope", "a b", "--assertion-file", &jwt];
    me.runs(&words).is(0, "issued-token-1\n", "");
    assert_eq!(
        forms.lock().unwrap()[0],
        [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJtZSJ9.c2ln"),
            ("scope", "a b"),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    let bad = file(&me, "bad", "-----BEGIN PRIVATE KEY-----\n");
    let refused = me.runs(&["token", "odd", "--grant", "jwt-bearer", "--store", "none", "--assertion-file", &bad]);
    refused.fails(
        2,
        "
        error: the assertion of `odd` can't be used
        caused by: it is not a JWT: three parts of base64url with dots between
    ",
    );
    me.types("token odd --grant jwt-bearer --store none").fails(
        2,
        "
        error: `odd` has no assertion
        hint: `--assertion-file FILE` (`-`: standard input)
        hint: oauthctl profile set odd assertion.file FILE
    ",
    );
}

#[test]
fn a_saml_assertion_goes_in_base64url_and_comes_from_standard_input_too() {
    let mut me = Person::new();
    let (_server, forms) = tokens(&mut me, json!({}));
    me.stdin("<Assertion>x</Assertion>\n");
    let done = me.types("token odd --grant saml2-bearer --store none --assertion-file -");
    done.is(0, "issued-token-1\n", "");
    let forms = forms.lock().unwrap();
    assert_eq!(value(&forms[0], "assertion"), Some("PEFzc2VydGlvbj54PC9Bc3NlcnRpb24-"));
    assert_eq!(value(&forms[0], "grant_type"), Some("urn:ietf:params:oauth:grant-type:saml2-bearer"));
    assert_eq!(value(&forms[0], "client_id"), Some("an-app"));
}

#[test]
fn a_login_by_exchange_is_remembered_and_asked_for_again_without_a_person() {
    let mut me = Person::new();
    let more = json!({ "issued_token_type": "urn:ietf:params:oauth:token-type:access_token" });
    let (_server, forms) = tokens(&mut me, more);
    let (subject, actor) = (file(&me, "subject", "q7Zx3vKp9\n"), file(&me, "actor", "h5Wm2bNc8\n"));
    let done = me.runs(&[
        "login",
        "odd",
        "--grant",
        "token-exchange",
        "--subject-token-file",
        &subject,
        "--subject-token-type",
        "id-token",
        "--actor-token-file",
        &actor,
        "--requested-token-type",
        "jwt",
        "--audience",
        "one",
        "--audience",
        "two",
        "--resource",
        "https://a.example/x",
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    let sent: Vec<(String, String)> = forms.lock().unwrap()[0].clone();
    let uri = |short: &str| format!("urn:ietf:params:oauth:token-type:{short}");
    let want = [
        ("grant_type", EXCHANGE.to_owned()),
        ("subject_token", "q7Zx3vKp9".into()),
        ("subject_token_type", uri("id_token")),
        ("actor_token", "h5Wm2bNc8".into()),
        ("actor_token_type", uri("access_token")),
        ("requested_token_type", uri("jwt")),
        ("resource", "https://a.example/x".into()),
        ("audience", "one".into()),
        ("audience", "two".into()),
        ("client_id", "an-app".into()),
    ];
    assert_eq!(sent, want.map(|(n, v)| (n.to_owned(), v)));
    assert_eq!(me.record("odd")["token"]["extra"]["issued_token_type"], uri("access_token"));
    assert_eq!(me.record("odd")["grant"], "token-exchange");
    // fresh: nothing is asked
    me.types("token odd").is(0, "issued-token-1\n", "");
    me.later(700);
    me.types("token odd").is(0, "issued-token-2\n", "");
    assert_eq!(forms.lock().unwrap()[1], sent, "the same again, from the profile");
    done.tells_nothing_of("q7Zx3vKp9");
}

#[test]
fn an_input_that_came_through_a_pipe_serves_until_the_token_expires() {
    for (grant, what, more, missing) in [
        ("jwt-bearer", "assertion", "", "`odd` has no assertion"),
        // a key that could sign one about somebody else
        ("jwt-bearer", "assertion", "--client-key-file ~/key --auth none", "`odd` has no assertion"),
        ("saml2-bearer", "assertion", "", "`odd` has no assertion"),
        ("token-exchange", "subject token", "", "token exchange needs a subject token"),
        ("token-exchange", "actor token", "--subject-token-file ~/jwt", "the login of `odd` had an actor token"),
    ] {
        let mut me = Person::new();
        let (_server, forms) =
            tokens(&mut me, json!({ "issued_token_type": "urn:ietf:params:oauth:token-type:access_token" }));
        let flag = format!("--{}-file", what.replace(' ', "-"));
        file(&me, "jwt", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJzaGUifQ.c2ln\n");
        file(&me, "key", KEY);
        let (mine, other) = match grant {
            "saml2-bearer" => ("<Assertion>me</Assertion>", "<Assertion>you</Assertion>"),
            _ => ("eyJhbGciOiJub25lIn0.eyJpc3MiOiJtZSJ9.c2ln", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ5b3UifQ.c2ln"),
        };
        me.stdin(mine);
        let done = me.types(&format!("login odd --grant {grant} {flag} - {more}"));
        assert_eq!(done.code, 0, "{}", done.err);
        let said = format!("warning: the {what} is not stored: when the token expires, log in again\n");
        assert!(done.err.contains(&said), "{}", done.err);
        me.types("token odd").is(0, "issued-token-1\n", "");
        me.types("token odd --no-cache").is(0, "issued-token-1\n", "");
        let status = me.types("status odd --format json");
        assert!(status.out.contains("\"state\":\"fresh\""), "{}", status.out);
        me.later(700);
        let ended = me.types("token odd");
        assert_eq!((ended.code, ended.err.lines().next()), (4, Some(&*format!("error: {missing}"))), "{}", ended.err);
        assert!(ended.err.contains(&flag), "{}", ended.err);
        assert_eq!(forms.lock().unwrap().len(), 1);
        // another one is another token
        let other = file(&me, "other", other);
        me.runs(&["token", "odd", &flag, &other]).is(0, "issued-token-2\n", "");
    }
}

#[test]
fn a_refresh_token_that_an_exchange_brought_is_used_first() {
    let mut me = Person::new();
    let (_server, forms) = tokens(&mut me, json!({ "refresh_token": "refresh-of-the-exchange" }));
    let subject = file(&me, "subject", "q7Zx3vKp9");
    me.runs(&["login", "odd", "--grant", "token-exchange", "--subject-token-file", &subject]);
    me.later(700);
    me.types("token odd").is(0, "issued-token-2\n", "");
    assert_eq!(value(&forms.lock().unwrap()[1], "grant_type"), Some("refresh_token"));
}

#[test]
fn another_profiles_token_is_exchanged_and_renewed_before_if_need_be() {
    let mut me = Person::new();
    let more = json!({ "issued_token_type": "urn:ietf:params:oauth:token-type:access_token" });
    let (_server, forms) = tokens(&mut me, more);
    me.config(
        "config.toml",
        "[profiles.base]\nprovider = \"odd\"\ngrant = \"client-credentials\"\n\
         [profiles.narrow]\nprovider = \"odd\"\ngrant = \"token-exchange\"\nsubject-profile = \"base\"\naudience = [\"api\"]\n",
    );
    me.types("token narrow").is(0, "issued-token-2\n", "");
    let seen = forms.lock().unwrap().clone();
    assert_eq!(value(&seen[0], "grant_type"), Some("client_credentials"));
    assert_eq!(value(&seen[1], "subject_token"), Some("issued-token-1"));
    me.types("profile set base subject-profile narrow");
    me.types("profile set base grant token-exchange");
    me.later(700);
    me.types("token narrow").fails(
        2,
        "
        error: the subject of `narrow` leads back to itself
        hint: oauthctl profile set base subject-profile OTHER
    ",
    );
}

// RFC 8693, section 2.2.1
#[test]
fn what_type_of_token_was_issued_is_told_where_it_is_another_or_nobody_says() {
    const SAML: &str = "urn:ietf:params:oauth:token-type:saml2";
    for (more, requested, err) in [
        (
            json!({}),
            "access_token",
            "warning: the response does not name the type of the issued token (`issued_token_type`)\n",
        ),
        (
            json!({ "token_type": "N_A", "issued_token_type": SAML }),
            "access_token",
            "warning: a token of the type `access_token` was asked for, and the provider has issued one of the type `saml2`\n",
        ),
        (json!({ "token_type": "N_A", "issued_token_type": SAML }), "saml2", ""),
    ] {
        let mut me = Person::new();
        let (_server, _) = tokens(&mut me, more);
        let subject = file(&me, "subject", "q7Zx3vKp9");
        let words = ["token", "odd", "--grant", "token-exchange", "--store", "none", "--subject-token-file", &subject];
        me.runs(&[&words[..], &["--requested-token-type", requested]].concat()).is(0, "issued-token-1\n", err);
    }
}

#[test]
fn what_was_issued_may_be_no_access_token() {
    let mut me = Person::new();
    let more = json!({ "token_type": "N_A", "issued_token_type": "urn:ietf:params:oauth:token-type:saml2" });
    let (_server, _) = tokens(&mut me, more);
    let subject = file(&me, "subject", "q7Zx3vKp9");
    let words = ["--grant", "token-exchange", "--store", "none", "--subject-token-file", &subject];
    me.runs(&[&["token", "odd"][..], &words].concat()).is(0, "issued-token-1\n", "");
    for asked in [&["token", "odd", "--format", "header"][..], &["call", "odd", "/me"]] {
        me.runs(&[asked, &words].concat()).fails(
            2,
            "
            error: the token of `odd` is no access token: it can't be sent to an API
            caused by: its type is `saml2`
            hint: `oauthctl token odd` prints it
        ",
        );
    }
}

#[test]
fn a_password_is_warned_of_sent_once_and_kept_nowhere() {
    let mut me = Person::new();
    let (_server, forms) = tokens(&mut me, json!({ "refresh_token": "refresh-token-1" }));
    me.answers("alice").answers_hidden("Xq9_Vz7!Kj4w");
    let done = me.types("login odd --grant password");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("warning: with `--grant password` your password for Odd passes through this program"));
    assert!(done.err.contains("`--grant authorization-code`"));
    let sent = forms.lock().unwrap()[0].clone();
    assert_eq!((value(&sent, "username"), value(&sent, "password")), (Some("alice"), Some("Xq9_Vz7!Kj4w")));
    let kept = me.record("odd").to_string() + &me.config_text();
    assert!(!kept.contains("Xq9_Vz"), "{kept}");
    done.tells_nothing_of("Xq9_Vz7!Kj4w");
    // renewed by the refresh token: the password is not needed again
    me.later(700);
    me.types("token odd").is(0, "issued-token-2\n", "");
    me.types("login odd --grant password --username alice").fails(2, "
        warning: with `--grant password` your password for Odd passes through this program, and no second factor protects the sign-in (RFC 9700, section 2.4, rules it out); better, where it is offered: `--grant authorization-code`
        error: no password is given to sign in with
        hint: `--password-file FILE` (`-`: standard input)
    ");
}

#[test]
fn implicit_is_refused_with_the_reason_wherever_it_is_named() {
    let mut me = Person::new();
    let typed = me.types("login sandbox --grant implicit");
    assert_eq!(typed.code, 2);
    assert!(typed.err.contains("RFC 9700") && typed.err.contains("--grant authorization-code"), "{}", typed.err);
    me.set("OAUTHCTL_GRANT", "implicit");
    assert!(me.types("token sandbox").err.contains("RFC 9700"));
    me.unset("OAUTHCTL_GRANT").config("config.toml", "[profiles.sandbox]\ngrant = \"implicit\"\n");
    assert!(me.types("token sandbox").err.contains("RFC 9700"));
}

// CIBA, sections 7.3 and 11: the interval, and five seconds more after `slow_down`
#[test]
fn polling_for_consent_on_another_device_never_beats_the_interval() {
    let mut me = Person::new();
    let clock = me.clock.clone();
    let at = Arc::new(Mutex::new(Vec::new()));
    let times = at.clone();
    let forms = Forms::default();
    let seen = forms.clone();
    let server = me.odd("ciba", move |request| {
        seen.lock().unwrap().push(form(request));
        let now = clock.elapsed_ms.load(std::sync::atomic::Ordering::SeqCst);
        let body = match request.path.as_str() {
            "/backchannel" => json!({ "auth_req_id": "the-request-of-the-test", "expires_in": 300, "interval": 3 }),
            _ => {
                let mut times = times.lock().unwrap();
                times.push(now);
                match times.len() {
                    1 | 3 => json!({ "error": "authorization_pending" }),
                    2 => json!({ "error": "slow_down" }),
                    _ => json!({ "access_token": "issued-token-1", "token_type": "bearer", "expires_in": 600 }),
                }
            }
        };
        answer(if body.get("error").is_some() { 400 } else { 200 }, "application/json", &body.to_string())
    });
    me.config(
        "providers/odd.toml",
        &format!("{}[ciba]\nurl = \"{}/backchannel\"\n", server.provider("odd"), server.base),
    );
    let begun = me.clock.elapsed_ms.load(std::sync::atomic::Ordering::SeqCst);
    let done = me.types("login odd --grant ciba --login-hint alice --binding-message W4SCT");
    done.is(
        0,
        "",
        "
        Odd asks for your consent on a device of yours.
        It shows there:  W4SCT
        Only if you began this sign-in yourself. Waiting for at most 5 min.
        Signed in to Odd. The token of `odd` expires in 10 min, at 2026-11-21T22:10:00Z.
        warning: the provider sent no ID token, though the scope `openid` was requested
        It is stored in the keychain (Secret Service).
        Next: oauthctl token odd
    ",
    );
    let times = at.lock().unwrap();
    let pauses: Vec<u64> = std::iter::once(begun)
        .chain(times.iter().copied())
        .collect::<Vec<_>>()
        .windows(2)
        .map(|w| w[1] - w[0])
        .collect();
    assert!(pauses[0] >= 3000 && pauses[1] >= 3000 && pauses[2] >= 8000 && pauses[3] >= 8000, "{pauses:?}");
    let forms = forms.lock().unwrap();
    assert_eq!((value(&forms[0], "login_hint"), value(&forms[0], "binding_message")), (Some("alice"), Some("W4SCT")));
    assert_eq!(value(&forms[0], "scope"), Some("openid"));
    assert_eq!(value(&forms[1], "auth_req_id"), Some("the-request-of-the-test"));
    assert!(me.config_text().contains("login-hint = \"alice\"") && !me.config_text().contains("W4SCT"));
}

/// A server whose document has these members, and the requests that its token endpoint got.
fn listing(me: &mut Person, members: Value) -> (Odd, Arc<Mutex<Vec<String>>>) {
    let (place, seen) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Vec::new())));
    let (own, asked) = (place.clone(), seen.clone());
    let issuer = me.odd("issuer", move |request| {
        if request.path == "/token" {
            asked.lock().unwrap().push(String::from_utf8_lossy(&request.body).into_owned());
            return answer(200, "application/json", r#"{"access_token":"issued-0123","token_type":"Bearer"}"#);
        }
        let base = own.lock().unwrap().clone();
        let mut body = json!({ "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token") });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        answer(200, "application/json", &body.to_string())
    });
    *place.lock().unwrap() = issuer.base.clone();
    (issuer, seen)
}

#[test]
fn what_the_servers_metadata_leaves_out_is_said_and_asked_for_all_the_same() {
    let by_code = json!(["authorization_code", "refresh_token"]);
    for (members, flags, says) in [
        (
            json!({ "grant_types_supported": by_code }),
            "--grant client-credentials",
            "does not list the grant `client-credentials` (it lists authorization_code, refresh_token)",
        ),
        (
            json!({ "grant_types_supported": [] }),
            "--grant client-credentials",
            "does not list the grant `client-credentials`: ",
        ),
        (
            json!({ "grant_types_supported": by_code }),
            "--grant token-exchange --subject-token-file FILE",
            "does not list the grant `token-exchange`",
        ),
        (
            json!({ "grant_types_supported": by_code }),
            "--grant jwt-bearer --assertion-file FILE",
            "does not list the grant `jwt-bearer`",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["client_secret_basic"] }),
            "--grant client-credentials --auth post",
            "does not list `client_secret_post` (it lists client_secret_basic)",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
            "--grant client-credentials --auth client-secret-jwt",
            "does not list `client_secret_jwt`",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["none"] }),
            "--grant client-credentials --auth basic",
            "does not list `client_secret_basic`",
        ),
        (
            json!({ "scopes_supported": ["read", "write"] }),
            "--grant client-credentials --scope read --scope admin",
            "does not list the scope `admin`: ",
        ),
        (json!({ "scopes_supported": ["openid", "email"] }), "--grant client-credentials --scope admin", ""),
        (json!({ "scopes_supported": ["read", "write"] }), "--grant client-credentials --scope read", ""),
    ] {
        let mut me = Person::new();
        let (issuer, seen) = listing(&mut me, members);
        me.set("OAUTHCTL_CLIENT_SECRET", "q7Zx3vKp9-secret-of-a-client-0123");
        let subject = file(&me, "subject", "e30.e30.c2ln");
        let flags = flags.replace("FILE", &subject);
        let done = me.types(&format!("token {} --client-id x --store none {flags}", issuer.base));
        assert_eq!((done.code, done.out.as_str()), (0, "issued-0123\n"), "{flags}: {}", done.err);
        assert_eq!(done.err.matches("does not list").count(), usize::from(!says.is_empty()), "{flags}: {}", done.err);
        assert!(done.err.contains(says), "{flags}: {}", done.err);
        assert_eq!(seen.lock().unwrap().len(), 1, "{flags}");
    }
}

#[test]
fn what_would_be_less_safe_and_is_left_out_stays_refused() {
    for (members, flags, says) in [
        (
            json!({ "grant_types_supported": ["authorization_code"] }),
            "--grant password --username ann",
            "does not offer the grant `password`; nothing was sent",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
            "--grant client-credentials --auth post",
            "the provider does not take `client_secret_post`",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["tls_client_auth", "private_key_jwt"] }),
            "--grant client-credentials --auth basic",
            "the provider does not take `client_secret_basic`",
        ),
    ] {
        let mut me = Person::new();
        let (issuer, seen) = listing(&mut me, members);
        me.set("OAUTHCTL_CLIENT_SECRET", "q7Zx3vKp9-secret-of-a-client-0123");
        let done = me.types(&format!("login {} --client-id x --store none {flags}", issuer.base));
        assert_eq!(done.code, 2, "{flags}: {}", done.err);
        assert!(done.err.contains(says), "{flags}: {}", done.err);
        assert!(seen.lock().unwrap().is_empty(), "{flags}");
    }
}
