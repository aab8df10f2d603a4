//! Dynamic registration: a client is registered without a console, stored, shown and deleted.

use std::sync::{Arc, Mutex};

use oauthctl::world::KeychainError;
use serde_json::{Value, json};

use crate::world::robot::comes_back;
use crate::world::serve::Request;
use crate::world::{Fault, Odd, Person, START, answer, robot};

type Seen = Arc<Mutex<Vec<(String, String, String, String)>>>;

/// An issuer that takes registrations; method, path, authorization and body of each request.
fn issuer(me: &mut Person) -> (Odd, Seen) {
    issuer_that(me, json!({ "token_endpoint_auth_method": "none" }), json!(["none"]))
}

/// The same, with what it registers a client as, and the ways of client authentication that it
/// announces.
fn issuer_that(me: &mut Person, registers: Value, announces: Value) -> (Odd, Seen) {
    issuer_answering(me, announces, move |request, base| {
        let registered = |token: &str| {
            let mut made = json!({
                "client_id": "made-client-1", "registration_access_token": token, "registration_client_uri": format!("{base}/reg/1"),
                "client_name": "oauthctl",
            });
            for (name, value) in registers.as_object().unwrap() {
                made[name] = value.clone();
            }
            made
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/reg") => (201, registered("Vq8-manage-1")),
            ("GET" | "PUT", "/reg/1") => (200, registered("Vq8-manage-2")),
            ("DELETE", "/reg/1") => (204, Value::Null),
            _ => (200, tokens()),
        }
    })
}

fn tokens() -> Value {
    json!({ "access_token": "Vq8-access", "token_type": "bearer", "expires_in": 600, "refresh_token": "Vq8-refresh" })
}

/// An issuer with a document, which gives these answers to everything else. They get its address.
fn issuer_answering(
    me: &mut Person,
    announces: Value,
    answers: impl Fn(&Request, &str) -> (u16, Value) + Send + Sync + 'static,
) -> (Odd, Seen) {
    let seen = Seen::default();
    let place = Arc::new(Mutex::new(String::new()));
    let (log, own) = (seen.clone(), place.clone());
    let server = me.odd("issuer", move |request| {
        let base = own.lock().unwrap().clone();
        let authorization = request.header("authorization").unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        log.lock().unwrap().push((request.method.clone(), request.path.clone(), authorization, body));
        let (status, body) = match request.path.as_str() {
            "/.well-known/openid-configuration" => (
                200,
                json!({
                    "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
                    "registration_endpoint": format!("{base}/reg"), "token_endpoint_auth_methods_supported": announces,
                }),
            ),
            _ => answers(request, &base),
        };
        match body {
            Value::Null => answer(status, "application/json", ""),
            Value::String(page) => answer(status, "text/html", &page),
            body => answer(status, "application/json", &body.to_string()),
        }
    });
    *place.lock().unwrap() = server.base.clone();
    (server, seen)
}

fn straight_back(url: &str) -> Vec<robot::Page> {
    assert!(url.contains("client_id=made-client-1&"), "{url}");
    comes_back(url)
}

// RFC 7591, RFC 7592
#[test]
fn a_public_issuer_needs_no_console() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    let done = me.browser(straight_back).runs(&["login", &server.base, "--register"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("as the client `made-client-1`."), "{}", done.err);
    let name = server.base.replace("http://", "").replace(':', "-");
    let asked: Value = serde_json::from_str(&seen.lock().unwrap()[1].3).unwrap();
    assert_eq!(
        asked,
        json!({
            "client_name": "oauthctl", "redirect_uris": ["http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "application_type": "native",
        })
    );
    assert_eq!(me.record(&name)["registration"]["token"], "Vq8-manage-1");
    assert_eq!(me.record(&name)["token"]["access_token"], "Vq8-access");
    // shown without its secrets; the new token that came with it is kept, since the old one is dead
    let shown = me.types(&format!("register {name} --show"));
    assert_eq!(shown.code, 0, "{}", shown.err);
    let object: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(object["client_id"], "made-client-1");
    assert!(object["registration_access_token"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(me.record(&name)["registration"]["token"], "Vq8-manage-2");
    assert_eq!(seen.lock().unwrap().last().unwrap().2, "Bearer Vq8-manage-1");
    // twice is once too often
    assert_eq!(me.types(&format!("register {name}")).code, 2);
    // logout leaves it, and says so
    let out = me.types(&format!("logout {name} --local-only"));
    assert!(out.err.contains("the client `made-client-1` stays registered at the provider"), "{}", out.err);
    assert_eq!(me.record(&name)["registration"]["token"], "Vq8-manage-2");
    let ended = me.types(&format!("register {name} --delete"));
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(seen.lock().unwrap().last().unwrap().2, "Bearer Vq8-manage-2");
    assert!(me.keychain.item(&name).is_none());
    assert!(!me.config_text().contains("made-client-1"), "{}", me.config_text());
}

#[test]
fn at_a_terminal_a_login_asks_and_no_is_no() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    me.answers("n").answers("my-own-client").answers_hidden("").no_browser_found();
    me.clock.hurry(60);
    let asked = me.runs(&["login", &server.base]);
    assert!(asked.err.contains("It supports registration: register this program there now? [Y/n]"), "{}", asked.err);
    assert!(seen.lock().unwrap().iter().all(|s| s.1 != "/reg"), "nothing is registered behind a person's back");
    me.presses_ctrl_d();
    assert_eq!(me.runs(&["login", &server.base]).code, 6, "a question that is left open is no yes");
    assert!(seen.lock().unwrap().iter().all(|s| s.1 != "/reg"));
    me.set("CI", "true");
    let silent = me.runs(&["login", &server.base]);
    assert_eq!(silent.code, 2);
    assert!(silent.err.contains("--register"), "{}", silent.err);
}

#[test]
fn a_profile_that_goes_leaves_its_client_and_says_so() {
    let mut me = Person::new();
    let (server, _) = issuer(&mut me);
    assert_eq!(me.runs(&["register", &server.base, "--name", "mine"]).code, 0);
    let name = server.base.replace("http://", "").replace(':', "-");
    let removed = me.types(&format!("profile remove {name}"));
    assert!(removed.err.contains("the client `made-client-1` stays registered"), "{}", removed.err);
    let unknown = me.types("register sandbox --show");
    assert_eq!(unknown.code, 2, "{}", unknown.err);
}

// RFC 7591, section 3.2.1: the server may register something else than what was asked for
#[test]
fn a_login_elsewhere_does_not_lose_the_access_to_a_registration() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    assert_eq!(me.runs(&["register", &server.base]).code, 0);
    let name = server.base.replace("http://", "").replace(':', "-");
    let before = seen.lock().unwrap().len();
    let (issuer, host) = (&server.base, server.base.replace("http://", ""));
    for (options, place, own) in [
        (
            "--provider getresponse --client-id x",
            format!("provider `{host}`"),
            "--provider getresponse --client-id x".to_owned(),
        ),
        ("--client-id x", "client `made-client-1`".to_owned(), format!("--provider {issuer} --client-id x")),
    ] {
        let done = me.types(&format!("login {name} {options}"));
        let told = format!(
            "error: the registration of `{name}` is for the {place} alone\n\
             caused by: this command leads elsewhere; nothing was sent\n\
             hint: `oauthctl register {name} --delete` deletes it\n\
             hint: a profile of its own: oauthctl login NAME {own}\n"
        );
        assert!(done.code == 7 && done.err_raw == told, "{}", done.err_raw);
    }
    assert_eq!(seen.lock().unwrap().len(), before, "nothing was sent");
    assert_eq!(me.record(&name)["registration"]["token"], "Vq8-manage-1");
    assert_eq!(me.browser(straight_back).types(&format!("login {name}")).code, 0);
    assert_eq!(me.types(&format!("register {name} --delete")).code, 0);
}

#[test]
fn a_client_says_who_it_is_as_the_server_registered_it() {
    for (registered, sent) in [
        (json!({ "token_endpoint_auth_method": "client_secret_basic", "client_secret": "Vq8-secret" }), "basic"),
        (json!({ "token_endpoint_auth_method": "client_secret_post", "client_secret": "Vq8-secret" }), "post"),
        // a secret that is given and not to be used
        (json!({ "token_endpoint_auth_method": "none", "client_secret": "Vq8-secret" }), "none"),
    ] {
        let mut me = Person::new();
        let announced = json!(["client_secret_basic", "client_secret_post", "none"]);
        let (server, seen) = issuer_that(&mut me, registered, announced);
        let done = me.browser(straight_back).runs(&["login", &server.base, "--register"]);
        assert_eq!(done.code, 0, "{sent}: {}", done.err);
        let told = format!("the client authentication `client_secret_{sent}` instead of `none`");
        assert_eq!(done.err.contains(&told), sent != "none", "{sent}: {}", done.err);
        let name = server.base.replace("http://", "").replace(':', "-");
        assert!(me.config_text().contains(&format!("auth = \"{sent}\"")) || sent == "basic", "{}", me.config_text());
        assert_eq!(me.types(&format!("refresh {name}")).code, 0, "{sent}");
        let seen = seen.lock().unwrap();
        let requests: Vec<_> = seen.iter().filter(|(_, path, ..)| path == "/token").collect();
        assert_eq!(requests.len(), 2, "{sent}: {seen:?}");
        for (_, _, authorization, body) in requests {
            assert_eq!(authorization.starts_with("Basic "), sent == "basic", "{sent}: {authorization}");
            assert_eq!(body.contains("client_secret=Vq8-secret"), sent == "post", "{sent}: {body}");
        }
    }
}

// RFC 7591, section 3.2.1: any of it may be replaced
#[test]
fn what_a_server_left_out_of_a_registration_is_told() {
    let mut me = Person::new();
    let less = json!({ "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"], "scope": "\u{1b}[2Jread" });
    let (server, _seen) = issuer_that(&mut me, less, json!(["none"]));
    let done = me.browser(straight_back).runs(&["login", &server.base, "--register", "--scope", "write"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("warning: the server registered it without the grant type `refresh_token`"),
        "{}",
        done.err
    );
    assert!(done.err.contains("warning: the server registered it without the scope `write`"), "{}", done.err);
    assert!(!done.err.contains("redirect URI"), "{}", done.err);
}

// RFC 7592, section 3
#[test]
fn an_answer_about_another_client_is_not_kept() {
    let mut me = Person::new();
    let other = Arc::new(Mutex::new("made-client-1"));
    let (server, _) = {
        let other = other.clone();
        let place = Arc::new(Mutex::new(String::new()));
        let own = place.clone();
        let server = me.odd("issuer", move |request| {
            let base = own.lock().unwrap().clone();
            let body = match request.path.as_str() {
                "/.well-known/openid-configuration" => json!({
                    "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
                    "registration_endpoint": format!("{base}/reg"), "token_endpoint_auth_methods_supported": ["none"],
                }),
                _ => json!({
                    "client_id": *other.lock().unwrap(), "registration_access_token": format!("Vq8-{}", request.method),
                    "registration_client_uri": format!("{base}/reg/1"), "token_endpoint_auth_method": "none",
                }),
            };
            answer(200, "application/json", &body.to_string())
        });
        *place.lock().unwrap() = server.base.clone();
        (server, place)
    };
    let name = server.base.replace("http://", "").replace(':', "-");
    assert_eq!(me.runs(&["register", &server.base]).code, 0);
    let kept = me.record(&name);
    *other.lock().unwrap() = "somebody-else";
    for flag in ["--show", "--update"] {
        let done = me.types(&format!("register {name} {flag}"));
        assert_eq!((done.code, done.out.as_str()), (7, ""), "{flag}: {}", done.err);
        assert!(
            done.err.contains("the answer is about another client, `somebody-else`; it was not stored"),
            "{flag}: {}",
            done.err
        );
        assert_eq!(me.record(&name), kept, "{flag}");
    }
}

#[test]
fn a_secret_that_has_expired_already_is_told() {
    for (at, says) in [
        (START - 10, "warning: the client secret has expired at 2026-11-21T"),
        (START + 3600, "Its secret expires at 2026-11-21T"),
    ] {
        let mut me = Person::new();
        let registered = json!({
            "token_endpoint_auth_method": "client_secret_basic", "client_secret": "Vq8-secret-of-the-client",
            "client_secret_expires_at": at,
        });
        let (server, _) = issuer_that(&mut me, registered, json!(["client_secret_basic"]));
        let done = me.runs(&["register", &server.base]);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains(says), "{says}: {}", done.err);
        assert_eq!(
            done.err.matches("secret expires at").count() + done.err.matches("has expired").count(),
            1,
            "{}",
            done.err
        );
    }
}

#[test]
fn a_registration_that_cannot_be_used_is_ended_again() {
    for (registered, says) in [
        (
            json!({ "token_endpoint_auth_method": "tls_client_auth" }),
            "by `tls_client_auth`, and this client has no certificate",
        ),
        (
            json!({ "token_endpoint_auth_method": "client_secret_basic" }),
            "by `client_secret_basic`, and it gave no client secret",
        ),
        (
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            "by `private_key_jwt`, and it knows no key of this client",
        ),
        (
            json!({ "token_endpoint_auth_method": "by\u{1b}[31m handshake" }),
            "handshake`, which this program does not support",
        ),
    ] {
        let mut me = Person::new();
        let (server, seen) = issuer_that(&mut me, registered, json!(["none"]));
        let done = me.runs(&["login", &server.base, "--register"]);
        assert_eq!(done.code, 3, "{says}: {}", done.err);
        assert!(done.err.contains(says) && done.err.contains("was ended again"), "{says}: {}", done.err);
        assert!(!done.err.contains('\u{1b}'), "{}", done.err);
        let seen = seen.lock().unwrap();
        assert_eq!(seen.last().map(|(method, path, ..)| (method.as_str(), path.as_str())), Some(("DELETE", "/reg/1")));
        assert!(me.keychain.accounts().is_empty() && !me.config_text().contains("made-client-1"), "{says}");
    }
}

#[test]
fn a_client_with_a_key_is_registered_with_its_public_half() {
    let mut me = Person::new();
    let registered = json!({ "token_endpoint_auth_method": "private_key_jwt" });
    let (server, seen) = issuer_that(&mut me, registered, json!(["client_secret_basic", "private_key_jwt"]));
    let key = me.path("key.json").display().to_string();
    // RFC 7515, appendix A.3.1
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    });
    std::fs::write(&key, jwk.to_string()).unwrap();
    let done = me.runs(&["register", &server.base, "--client-key-file", &key]);
    assert_eq!(done.code, 0, "{}", done.err);
    let asked: Value = serde_json::from_str(&seen.lock().unwrap()[1].3).unwrap();
    assert_eq!(asked["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(asked["jwks"]["keys"][0]["x"], jwk["x"]);
    assert!(!seen.lock().unwrap()[1].3.contains("jpsQnnGQmL"), "the private half");
    assert!(me.config_text().contains("client-key"), "{}", me.config_text());
    let other = me.runs(&["register", &server.base, "--provider", &server.base, "--auth", "tls-client-auth"]);
    assert_eq!(other.code, 2, "{}", other.err);
}

// supabase/mcp#355
#[test]
fn a_client_that_the_server_has_forgotten_is_registered_anew_by_the_next_login() {
    let gone = || (401, json!({ "error": "invalid_client" }));
    // a page in the server's place, or a server in trouble, says nothing of the client
    let alarms = [(403, json!("<html>Sign in to this network")), (403, Value::Null), (503, Value::Null)];
    let rows = [(true, gone(), true), (false, gone(), true)].into_iter();
    for (managed, refusal, forgotten) in rows.chain(alarms.map(|alarm| (true, alarm, false))) {
        let mut me = Person::new();
        let count = Arc::new(Mutex::new(0));
        let (registered, refuses) = (count.clone(), refusal.clone());
        let (server, _) = issuer_answering(&mut me, json!(["none"]), move |request, base| {
            let form = String::from_utf8_lossy(&request.body);
            match request.path.as_str() {
                "/reg" => {
                    let mut number = registered.lock().unwrap();
                    *number += 1;
                    let mut made =
                        json!({ "client_id": format!("client-{number}"), "token_endpoint_auth_method": "none" });
                    if managed {
                        made["registration_access_token"] = json!("manage-1");
                        made["registration_client_uri"] = json!(format!("{base}/reg/1"));
                    }
                    (201, made)
                }
                _ if form.contains("client-1") && form.contains("grant_type=refresh_token") => refuses.clone(),
                _ => (200, tokens()),
            }
        });
        let login = |me: &mut Person, line: &[&str]| {
            let done = me.browser(comes_back).runs(line);
            assert_eq!(done.code, 0, "{}", done.err);
            done
        };
        login(&mut me, &["login", "mine", "--provider", &server.base, "--register"]);
        me.later(700);
        let refused = me.types("token mine");
        assert_ne!(refused.code, 0, "{refusal:?}");
        assert_eq!(
            refused.err.contains("the client `client-1`, registered from here, is no longer known there"),
            forgotten,
            "{}",
            refused.err
        );
        assert_eq!(
            refused.err.contains("`oauthctl login mine` registers this program anew"),
            forgotten,
            "{}",
            refused.err
        );
        assert_eq!(*count.lock().unwrap(), 1, "only a person's login registers");
        let done = login(&mut me, &["login", "mine"]);
        let anew = "no longer knows the client `client-1`: this program is registered there anew.";
        assert_eq!(done.err.contains(anew), forgotten, "{}", done.err);
        let (client, other) = if forgotten { ("client-2", "client-1") } else { ("client-1", "client-2") };
        assert_eq!(me.record("mine")["client_id"], client);
        let config = me.config_text();
        assert!(config.contains(client) && !config.contains(other), "{config}");
        if forgotten {
            me.later(700);
            assert_eq!(me.types("token mine").code, 0);
        }
        // and it is registered once
        login(&mut me, &["login", "mine"]);
        assert_eq!(*count.lock().unwrap(), 1 + i32::from(forgotten));
    }
}

// mcp-remote#72
#[test]
fn a_server_that_compares_ports_gets_an_address_with_one() {
    let mut me = Person::new();
    let (server, _) = issuer_answering(&mut me, json!(["none"]), |request, _| {
        match String::from_utf8_lossy(&request.body).contains("http://127.0.0.1:8976/callback") {
            true => (201, json!({ "client_id": "made-client-1", "token_endpoint_auth_method": "none" })),
            false => (400, json!({ "error": "invalid_redirect_uri", "error_description": "port required" })),
        }
    });
    let done = me.runs(&["register", &server.base]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err_raw.contains("it gets one with a port: http://127.0.0.1:8976/callback"), "{}", done.err);
    assert!(me.config_text().contains("port = 8976"), "{}", me.config_text());
}

#[cfg(unix)]
#[test]
fn nothing_is_registered_that_the_configuration_could_not_keep() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    std::fs::create_dir_all(me.path("config/oauthctl")).unwrap();
    std::os::unix::fs::symlink(me.path("gone/config.toml"), me.path("config/oauthctl/config.toml")).unwrap();
    for words in [["register", &server.base, "-q"], ["login", &server.base, "--register"]] {
        let done = me.runs(&words);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains("error: the registration could not be stored: nothing was sent"), "{}", done.err);
        assert!(done.err.contains("gone/config.toml can't be written: "), "{}", done.err);
    }
    assert!(!seen.lock().unwrap().iter().any(|(_, path, ..)| path == "/reg"));
}

// the page that refuses the address is the browser's: only the user sees it
#[test]
fn a_page_that_refuses_an_address_without_a_port_is_told_how_to_get_one() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    me.clock.hurry(301);
    let done = me.at_a_terminal().runs(&["login", &server.base, "--register", "--no-browser"]);
    assert_eq!(done.code, 6, "{}", done.err);
    let hint = done.err_raw.lines().find(|line| line.starts_with("hint: if the provider's page refused")).unwrap();
    let typed: Vec<&str> = hint.split('`').skip(1).step_by(2).collect();
    let [register, login] = typed[..] else { panic!("{hint}") };
    assert_eq!(me.types(register.trim_start_matches("oauthctl ")).code, 0);
    let sent = seen.lock().unwrap().iter().rfind(|(method, ..)| method == "PUT").unwrap().3.clone();
    assert!(sent.contains("http://127.0.0.1:8976/callback"), "{sent}");
    assert!(login.ends_with(" --port 8976"), "{login}");
}

#[test]
fn of_several_ports_each_is_registered() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    let done = me.runs(&["register", &server.base, "--port", "8976,9000"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let uris = r#""redirect_uris":["http://127.0.0.1:8976/callback","http://127.0.0.1:9000/callback"]"#;
    let sent = seen.lock().unwrap().iter().find(|(_, path, ..)| path == "/reg").unwrap().3.clone();
    assert!(sent.contains(uris), "{sent}");
}

// P-26, RFC 7592: an answer ends the secret and the registration access token of before
#[test]
fn an_answer_that_cannot_be_saved_is_saved_by_the_next_command() {
    let mut me = Person::new();
    let keychain = me.keychain.clone();
    let (server, _) = issuer_answering(&mut me, json!(["none"]), move |request, base| {
        keychain.fault(Fault::Writes(KeychainError::Denied("by its owner".into())));
        let made = json!({
            "client_id": "made-client-1", "token_endpoint_auth_method": "client_secret_post",
            "client_secret": format!("Vq8-secret-{}", request.method),
            "registration_access_token": format!("Vq8-manage-{}", request.method), "registration_client_uri": format!("{base}/reg/1"),
        });
        (200, made)
    });
    let register = format!("register mine --provider {} --port 8123", server.base);
    for (line, method) in
        [(&register[..], "POST"), ("register mine --update --name other", "PUT"), ("register mine --show", "GET")]
    {
        let done = me.types(line);
        assert_eq!((done.code, &done.out[..]), (74, ""), "{line}: {}", done.err);
        assert!(done.err.contains("the next command saves it"), "{line}: {}", done.err);
        assert_eq!(me.types("token mine").code, 5, "{line}: as long as nothing can be saved");
        me.keychain.fault(Fault::None);
        assert_eq!(me.types("token mine").code, 4, "{line}: registered, not signed in");
        let record = me.record("mine");
        assert_eq!(record["client_id"], "made-client-1", "{line}");
        assert_eq!(record["client_secret"], format!("Vq8-secret-{method}"), "{line}");
        assert_eq!(record["registration"]["token"], format!("Vq8-manage-{method}"), "{line}");
        assert!(record["registering"].is_null(), "{line}");
        let config = me.config_text();
        for set in ["port = 8123", "client-id = \"made-client-1\"", "auth = \"post\""] {
            assert!(config.contains(set), "{line}: {set}: {config}");
        }
    }
}

// P-26: no later command could ask for the answer
#[test]
fn an_interrupted_registration_is_stored() {
    let mut me = Person::new();
    let (server, seen) = issuer(&mut me);
    let line = format!("register mine --provider {} --port 8123", server.base);
    for (line, signal, words) in
        [(&line[..], 2, "interrupted"), ("register mine --update --name other", 15, "ended by a signal")]
    {
        let done = me.signal(signal).types(line);
        let said = format!("error: {words}; the registration as `made-client-1` is stored\n");
        assert_eq!((done.code, done.err.ends_with(&said)), (128 + signal as u8, true), "{line}: {}", done.err);
    }
    assert_eq!(me.types("register mine --show").code, 0);
    assert_eq!(seen.lock().unwrap().iter().filter(|request| request.0 == "POST").count(), 1);
}

// P-27: client secret and registration are the profile's, wherever its record is
#[test]
fn a_login_that_moves_to_another_store_takes_the_client_along() {
    let mut me = Person::new();
    let registered = json!({ "token_endpoint_auth_method": "client_secret_post", "client_secret": "Vq8-secret" });
    let (server, seen) = issuer_that(&mut me, registered, json!(["client_secret_post"]));
    let name = server.base.replace("http://", "").replace(':', "-");
    assert_eq!(me.runs(&["register", &server.base]).code, 0);
    let done = me.browser(straight_back).types(&format!("login {name} --store file"));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(me.keychain.item(&name).is_none());
    assert!(seen.lock().unwrap().last().unwrap().3.contains("client_secret=Vq8-secret"));
    let shown = me.types(&format!("register {name} --show"));
    assert_eq!(shown.code, 0, "{}", shown.err);
}

// RFC 7592
#[test]
fn what_registering_leaves_and_what_it_takes_away() {
    let mut me = Person::new();
    let registered = json!({
        "token_endpoint_auth_method": "client_secret_post", "client_secret": "Vq8-secret", "client_name": "mine",
    });
    let (server, seen) = issuer_that(&mut me, registered, json!(["client_secret_basic", "client_secret_post", "none"]));
    let name = server.base.replace("http://", "").replace(':', "-");
    assert_eq!(me.runs(&["register", &server.base, "--name", "mine"]).code, 0);
    assert!(me.config_text().contains("auth = \"post\""), "{}", me.config_text());
    // an update keeps the name that is registered
    assert_eq!(me.types(&format!("register {name} --update")).code, 0);
    let put = |at: usize| {
        let seen = seen.lock().unwrap();
        let puts: Vec<Value> =
            seen.iter().filter(|s| s.0 == "PUT").map(|s| serde_json::from_str(&s.3).unwrap()).collect();
        puts[at]["client_name"].clone()
    };
    assert_eq!(put(0), "mine");
    assert_eq!(me.types(&format!("register {name} --update --name other")).code, 0);
    assert_eq!(put(1), "other");
    // tokens belong to the client: another registration does not throw them away
    assert_eq!(me.browser(straight_back).types(&format!("login {name}")).code, 0);
    let mut record = me.record(&name);
    record["registration"] = Value::Null;
    me.keychain.put(&name, &record.to_string());
    let done = me.types(&format!("register {name}"));
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("is signed in: its tokens belong to the client that it has"), "{}", done.err);
    assert_eq!(me.kept(&name, "access_token"), "Vq8-access");
    assert_eq!(me.types(&format!("logout {name}")).code, 0);
    assert_eq!(me.types(&format!("register {name}")).code, 0);
    assert_eq!(me.types(&format!("register {name} --delete")).code, 0);
    let config = me.config_text();
    assert!(!config.contains("client-id") && !config.contains("auth ="), "{config}");
}
