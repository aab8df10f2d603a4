//! A provider's file promises the same at every endpoint and in every command: what it says goes
//! before the server's document, what the person says goes before the file, and what an answer
//! brings is used by the command that asked for it.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::manners::{Seen, bodies, laid, login, pairs, says, server, tokens, with_keys};
use crate::world::serve::{Request, Response};
use crate::world::{Odd, Person, answer, robot};

/// A server with a document, and a file that leaves every address to it.
fn announced(me: &mut Person, more: &Value) -> (Odd, Seen) {
    let base = Arc::new(Mutex::new(String::new()));
    let (own, more) = (base.clone(), more.clone());
    let (server, seen) = server(me, "", move |r| {
        let base = own.lock().unwrap().clone();
        match r.path.as_str() {
            "/.well-known/openid-configuration" => answer(404, "text/plain", ""),
            "/.well-known/oauth-authorization-server" => {
                let endpoint = |name: &str| format!("{base}/{name}");
                let mut document = json!({
                    "issuer": base, "authorization_endpoint": endpoint("authorize"), "token_endpoint": endpoint("token"),
                    "revocation_endpoint": endpoint("revoke"), "introspection_endpoint": endpoint("introspect"),
                    "device_authorization_endpoint": endpoint("device"),
                    "backchannel_authentication_endpoint": endpoint("ciba"),
                });
                document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                says(&document)
            }
            "/device" | "/ciba" => says(&json!({
                "device_code": "d-1", "auth_req_id": "r-1", "user_code": "AB", "verification_uri": base,
                "expires_in": 600, "interval": 1,
            })),
            "/introspect" => says(&json!({ "active": true })),
            "/token" => tokens(&json!({})),
            _ => says(&json!({})),
        }
    });
    base.lock().unwrap().clone_from(&server.base);
    me.set("OAUTHCTL_ODD_CLIENT_SECRET", "the+secret");
    (server, seen)
}

/// A file with an issuer in the place of the addresses.
fn by_issuer(base: &str, keys: &str) -> String {
    let file = format!(
        "id = \"odd\"\nname = \"Odd\"\nsources = [\"a test\"]\nchecked = \"2026-11-21\"\nclient-id = \"an-app\"\nissuer = \"{0}\"\n\
         redirect.loopback = \"any_port\"\npkce.mode = \"off\"\napi.base-url = \"{0}/api\"\n",
        base
    );
    laid(&file, keys)
}

/// How the client proved itself: by `basic`, `post`, or not at all.
fn proofs(seen: &Seen, path: &str) -> Vec<String> {
    let way =
        |r: &Request| match (r.header("authorization"), String::from_utf8_lossy(&r.body).contains("client_secret=")) {
            (Some(basic), false) if basic.starts_with("Basic ") => "basic".to_owned(),
            (None, true) => "post".to_owned(),
            (None, false) => "none".to_owned(),
            both => format!("{both:?}"),
        };
    seen.lock().unwrap().iter().filter(|r| r.path == path).map(way).collect()
}

// "A provider file wins over the metadata", key by key
#[test]
fn a_way_of_client_authentication_of_the_file_goes_before_the_documents() {
    for (listed, keys, wanted) in [
        ("client_secret_post", "", ["post", "post", "post", "post"]),
        ("client_secret_post", "token.auth = [\"basic\"]", ["basic", "basic", "basic", "basic"]),
        ("client_secret_basic", "token.auth = [\"post\"]", ["post", "post", "post", "post"]),
        ("client_secret_post", "refresh.auth = [\"basic\"]", ["post", "basic", "post", "post"]),
        ("client_secret_post", "revoke.auth = [\"basic\"]", ["post", "post", "basic", "post"]),
        ("client_secret_post", "introspect.auth = [\"basic\"]", ["post", "post", "post", "basic"]),
        ("client_secret_post", "revoke.url = \"BASE/revoke\"", ["post", "post", "post", "post"]),
    ] {
        let mut me = Person::new();
        let (server, seen) = announced(&mut me, &json!({ "token_endpoint_auth_methods_supported": [listed] }));
        me.config("providers/odd.toml", &by_issuer(&server.base, &keys.replace("BASE", &server.base)));
        let done = me.browser(|url| vec![robot::go(url)]).types("login odd");
        assert_eq!(done.code, 0, "{keys}: {}", done.err);
        for line in ["refresh odd", "introspect odd", "logout odd"] {
            let done = me.types(line);
            assert_eq!(done.code, 0, "{keys}: {line}: {}", done.err);
        }
        let mut got = proofs(&seen, "/token");
        got.push(proofs(&seen, "/revoke")[0].clone());
        got.extend(proofs(&seen, "/introspect"));
        assert_eq!(got, wanted, "{listed} {keys}");
    }
    // client credentials have a key of their own
    let mut me = Person::new();
    let (server, seen) =
        announced(&mut me, &json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
    me.config("providers/odd.toml", &by_issuer(&server.base, "client-credentials.auth = [\"basic\"]"));
    assert_eq!(me.types("token odd --grant client-credentials").code, 0);
    assert_eq!(proofs(&seen, "/token"), ["basic"]);
}

// RFC 8414, section 2
#[test]
fn each_endpoint_announces_its_own_ways_of_client_authentication() {
    let mut me = Person::new();
    let (server, seen) = announced(
        &mut me,
        &json!({
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic"],
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        }),
    );
    me.config("providers/odd.toml", &by_issuer(&server.base, ""));
    assert_eq!(me.browser(|url| vec![robot::go(url)]).types("login odd").code, 0);
    assert_eq!(me.types("introspect odd").code, 0);
    assert_eq!(me.types("logout odd").code, 0);
    assert_eq!(proofs(&seen, "/token"), ["post"]);
    let others = [proofs(&seen, "/revoke"), proofs(&seen, "/introspect")].concat();
    assert!(others.iter().all(|way| way == "basic"), "{others:?}");
}

#[test]
fn a_section_without_an_address_takes_it_from_the_document() {
    let mut me = Person::new();
    let (server, seen) = announced(&mut me, &json!({}));
    let keys = "revoke.tokens = [\"refresh_token\"]\nintrospect.params = { row = \"1\" }\ndevice.params = { row = \"2\" }\n\
        ciba.params = { row = \"3\" }";
    me.config("providers/odd.toml", &by_issuer(&server.base, keys));
    for (grant, path, row) in [("device-code", "/device", "row=2"), ("ciba --login-hint ann", "/ciba", "row=3")] {
        let done = me.types(&format!("login odd --grant {grant}"));
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(bodies(&seen, path)[0].contains(row), "{:?}", bodies(&seen, path));
    }
    assert_eq!(me.types("introspect odd").code, 0);
    assert!(bodies(&seen, "/introspect")[0].contains("row=1"));
    let done = me.types("logout odd");
    assert_eq!(done.code, 0, "{}", done.err);
    let revoked = bodies(&seen, "/revoke");
    assert!(revoked.len() == 1 && revoked[0].contains("token=refresh-1"), "{revoked:?}");
    // a document that names none: nothing can be revoked, and the logout says so
    let mut me = Person::new();
    let (server, _) = announced(&mut me, &json!({ "revocation_endpoint": null }));
    me.config("providers/odd.toml", &by_issuer(&server.base, keys));
    assert_eq!(me.browser(|url| vec![robot::go(url)]).types("login odd").code, 0);
    let done = me.types("logout odd");
    assert_eq!(done.code, 0, "{}", done.err);
}

// a job has no login that brings them: Salesforce's `instance_url`
#[test]
fn a_job_calls_where_its_first_token_says() {
    let keys = |from: &str| {
        format!("vars.place.from = \"{from}\"\napi.base-url = \"BASE/api/{{place}}\"\n")
            + if from == "whoami" { "vars.place.path = \"place\"\nwhoami.url = \"BASE/me\"\n" } else { "" }
    };
    let captured = "response.capture = { place = \"place\" }\napi.headers = { Place = \"{place}\" }\napi.base-url = \"BASE/api/p-1\"";
    for keys in [keys("token"), keys("whoami"), captured.to_owned()] {
        for store in ["none", "file"] {
            let mut me = Person::new();
            let (server, seen) = server(&mut me, "", |r| match r.path.as_str() {
                "/token" => tokens(&json!({ "place": "p-1", "refresh_token": null })),
                "/me" => says(&json!({ "place": "p-1" })),
                _ => says(&json!({ "done": true })),
            });
            let mut file: toml_edit::DocumentMut = with_keys(&server, &keys).parse().unwrap();
            if keys.contains("whoami") {
                file["api"]["hosts"] =
                    toml_edit::value(toml_edit::Array::from_iter([server.base.replace("http://", "")]));
            }
            me.config("providers/odd.toml", &file.to_string());
            me.set("OAUTHCTL_STORE", store)
                .set("OAUTHCTL_GRANT", "client-credentials")
                .set("OAUTHCTL_CLIENT_SECRET", "s");
            let done = me.types("call odd /x --dry-run");
            assert_eq!((done.code, bodies(&seen, "/token").len()), (4, 0), "a dry run sends nothing: {}", done.err);
            for _ in 0..2 {
                let done = me.types("call odd /x");
                assert_eq!(done.code, 0, "{store} {keys}: {}", done.err);
            }
            let seen = seen.lock().unwrap();
            let called: Vec<&Request> = seen.iter().filter(|r| r.path == "/api/p-1/x").collect();
            assert_eq!(called.len(), 2, "{store} {keys}");
            assert!(!keys.contains("headers") || called.iter().all(|r| r.header("place") == Some("p-1")));
            let asked = seen.iter().filter(|r| r.path == "/token").count();
            assert_eq!(asked, if store == "none" { 2 } else { 1 }, "one token for each call without a store");
        }
    }
}

#[test]
fn what_the_person_says_goes_before_the_files_parameters() {
    for (grant, section, path) in [
        ("client-credentials", "client-credentials", "/token"),
        ("client-credentials", "token", "/token"),
        ("device-code", "device", "/start"),
        ("ciba --login-hint ann", "ciba", "/start"),
    ] {
        let mut me = Person::new();
        let (server, seen) = server(&mut me, "", |r| match r.path.as_str() {
            "/start" => says(&json!({
                "device_code": "d-1", "auth_req_id": "r-1", "user_code": "AB", "verification_uri": "https://x.example",
                "expires_in": 600, "interval": 1,
            })),
            _ => tokens(&json!({})),
        });
        let keys = format!(
            "device.url = \"BASE/start\"\nciba.url = \"BASE/start\"\ntoken.auth = [\"none\"]\n\
             {section}.params = {{ row = \"file\", audience = \"file\", scope = \"file\", other = \"file\" }}"
        );
        me.config("providers/odd.toml", &with_keys(&server, &keys));
        let done = me.types(&format!("login odd --grant {grant} --param row=own --audience own --scope own"));
        assert_eq!(done.code, 0, "{section}: {}", done.err);
        let sent = pairs(&bodies(&seen, path)[0]);
        for (name, value) in [("row", "own"), ("audience", "own"), ("other", "file")] {
            let values: Vec<&str> = sent.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
            assert_eq!(values, [value], "{section} {name}: {sent:?}");
        }
        let scope = sent.iter().find(|(n, _)| n == "scope").unwrap();
        assert!(scope.1.contains("own") && !scope.1.contains("file"), "{section}: {scope:?}");
    }
}

// the exchange and the renewal repeat the login's
#[test]
fn what_the_person_says_holds_at_the_exchange_and_at_the_renewal() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
    me.config(
        "providers/odd.toml",
        &with_keys(&server, "token.params = { row = \"file\", other = \"file\", audience = \"file\", scope = \"\" }"),
    );
    me.config("config.toml", "[profiles.p]\nprovider = \"odd\"\nparams = { row = \"own\" }\n");
    let done = me.browser(|url| vec![robot::go(url)]).types("login p --audience own --scope own");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(me.types("refresh p").code, 0);
    assert_eq!(bodies(&seen, "/token").len(), 2);
    for body in bodies(&seen, "/token") {
        for (part, is_there) in [("row=own", true), ("other=file", true), ("audience=own", true), ("scope", false)] {
            assert_eq!(body.contains(part), is_there, "{part}: {body}");
        }
    }
}

// T-08: the file says where an error stands, at each endpoint of the authorization server
#[test]
fn an_error_is_found_where_the_file_says_it_stands() {
    let refusal = |code: &str| answer(400, "application/json", &json!({ "fault": { "kind": code } }).to_string());
    for grant in ["device-code", "ciba --login-hint ann"] {
        let mut me = Person::new();
        let left = Mutex::new(vec![tokens(&json!({})), refusal("slow_down"), refusal("authorization_pending")]);
        let (server, seen) = server(&mut me, "", move |r| match r.path.as_str() {
            "/start" => says(&json!({
                "device_code": "d-1", "auth_req_id": "r-1", "user_code": "AB", "verification_uri": "https://x.example",
                "expires_in": 600, "interval": 1,
            })),
            _ => left.lock().unwrap().pop().unwrap(),
        });
        let keys = "device.url = \"BASE/start\"\nciba.url = \"BASE/start\"\nresponse.error = [\"fault.kind\"]";
        me.config("providers/odd.toml", &with_keys(&server, keys));
        let done = me.types(&format!("login odd --grant {grant}"));
        assert_eq!((done.code, bodies(&seen, "/token").len()), (0, 3), "{grant}: {}", done.err);
    }
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", move |_| refusal("invalid_scope"));
    me.config(
        "providers/odd.toml",
        &with_keys(&server, "par-url = \"BASE/par\"\npar = true\nresponse.error = [\"fault.kind\"]"),
    );
    let done = me.types("login odd");
    assert!(done.code == 3 && done.err.contains("invalid_scope"), "{}: {}", done.code, done.err);
}

// Slack refuses with status 200, at revocation and where it tells the account
#[test]
fn a_refusal_with_status_200_is_a_refusal_everywhere() {
    let mut me = Person::new();
    let good = Arc::new(Mutex::new(true));
    let is_good = good.clone();
    let (server, _) = server(&mut me, "", move |r| match r.path.as_str() {
        "/token" => tokens(&json!({ "ok": true })),
        _ if *is_good.lock().unwrap() => says(&json!({ "ok": true, "user": "ann" })),
        _ => says(&json!({ "ok": false, "error": "invalid_auth" })),
    });
    let keys = "response.ok-field = \"ok\"\nrevoke.url = \"BASE/revoke\"\nwhoami = { url = \"BASE/api/me\", label = \"user\" }";
    assert_eq!(login(&mut me, &server, keys).code, 0);
    assert_eq!(me.types("whoami odd").code, 0);
    *good.lock().unwrap() = false;
    let done = me.types("whoami odd");
    assert!(done.code != 0 && done.err.contains("invalid_auth"), "{}: {}{}", done.code, done.out, done.err);
    let done = me.types("logout odd");
    assert!(done.code != 0 && !done.err.contains("has revoked"), "{}: {}", done.code, done.err);
    assert!(done.err.contains("invalid_auth"), "{}", done.err);
}

#[test]
fn the_claims_of_a_token_go_before_the_files_usual_lifetime() {
    let exp = crate::world::START + 120;
    let claims = base64(&json!({ "exp": exp }).to_string());
    let token = json!({ "access_token": format!("eyJhbGciOiJub25lIn0.{claims}.c2ln"), "refresh_token": null, "expires_in": null });
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", move |_| tokens(&token));
    let done = login(&mut me, &server, "response = { claims-from-jwt = true, default-expires-s = 7200 }");
    assert_eq!(done.code, 0, "{}", done.err);
    let told: Value = serde_json::from_str(&me.types("token odd --format json").out).unwrap();
    assert_eq!(told["expires_in"], 120);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn a_lifetime_is_read_as_iso_8601_writes_it() {
    for (written, wanted) in [
        ("2027-01-01T00:00:00+0000", "2027-01-01T00:00:00Z"),
        ("2027-01-01T02:00:00+0200", "2027-01-01T00:00:00Z"),
        ("2026-12-31T22:00:00-02", "2027-01-01T00:00:00Z"),
        ("2027-01-01", "2027-01-01T00:00:00Z"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ] {
        let mut me = Person::new();
        let (server, _) = server(&mut me, "", move |_| tokens(&json!({ "expires_in": written })));
        let done = login(&mut me, &server, "response.expires-unit = \"iso8601\"");
        assert_eq!((done.code, done.err.contains("can't be read")), (0, false), "{written}: {}", done.err);
        let told: Value = serde_json::from_str(&me.types("token odd --format json").out).unwrap();
        assert_eq!(told["expires_at"], wanted, "{written}: {told}");
    }
}

// a mistake in a file is told before a person signs in
#[test]
fn keys_that_no_login_could_use_are_refused_with_the_file() {
    for (keys, why) in [
        ("authorize.params = { state = \"\" }", "authorize.params.state"),
        ("authorize.params = { code_challenge = \"x\" }", "authorize.params.code_challenge"),
        ("authorize.params = { nonce = \"n\" }", "authorize.params.nonce"),
        ("authorize.params = { response_type = \"token\" }", "response_type"),
        ("token.headers = { \"A B\" = \"c\" }", "A B"),
        ("token.headers = { Host = \"c\" }", "Host"),
        ("api.headers = { \"Content-Length\" = \"3\" }", "Content-Length"),
        ("api.auth.name = \"X Auth\"", "api.auth.name"),
        ("token.ok-status = []", "ok-status"),
        ("revoke = { url = \"https://as.example/revoke\", tokens = [] }", "tokens"),
        ("response.default-token-type = \"MAC\"", "default-token-type"),
    ] {
        let mut me = Person::new();
        me.config("providers/odd.toml", &by_issuer("https://as.example", keys));
        let done = me.types("login odd");
        assert!(done.code == 2 && done.err.contains(why), "{keys}: {}: {}", done.code, done.err);
    }
    // two that a server may want
    for keys in ["authorize.params = { response_type = \"code id_token\" }", "token.headers = { \"X_Own.1\" = \"c\" }"]
    {
        let mut me = Person::new();
        let (server, _) = server(&mut me, "", |_| tokens(&json!({})));
        assert_eq!(login(&mut me, &server, keys).code, 0, "{keys}");
    }
}

// an empty text takes back what a file inherits
#[test]
fn an_empty_value_is_none() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
    let done =
        login(&mut me, &server, "scopes = { offline = \"\", always = [\"\", \"al\"], default = [\"x\", \"x\"] }");
    assert_eq!(done.code, 0, "{}", done.err);
    let sent = seen.lock().unwrap().iter().find(|r| r.path == "/authorize").unwrap().query.clone();
    assert!(sent.contains("scope=x%20al&"), "{sent}");
    let mut me = Person::new();
    me.config("providers/odd.toml", &with_keys(&server, "client-id = \"\""));
    let done = me.types("login odd");
    assert!(done.code == 2 && done.err.contains("client id"), "{}: {}", done.code, done.err);
}

#[test]
fn a_variable_that_is_secret_is_never_advised_on_the_command_line() {
    let mut me = Person::new();
    let keys = "vars.key = { secret = true, prompt = \"Key?\" }\ntoken.headers = { Key = \"{key}\" }";
    me.config("providers/odd.toml", &by_issuer("https://as.example", keys));
    let done = me.types("login odd");
    assert!(done.code == 2 && done.err.contains("profile set-secret odd --var key"), "{}", done.err);
    assert!(!done.err.contains("key=VALUE"), "{}", done.err);
}

// a secret that stands beside its id is for that client, in every command
#[test]
fn the_profiles_own_variables_name_a_client_and_its_secret_together() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |_| tokens(&json!({})));
    let keys = "token.auth = [\"post\"]\nrevoke.url = \"BASE/revoke\"";
    me.config("providers/odd.toml", &with_keys(&server, keys));
    me.config("config.toml", "[profiles.p]\nprovider = \"odd\"\nclient-id = \"configured\"\n");
    me.set("OAUTHCTL_P_CLIENT_ID", "other").set("OAUTHCTL_P_CLIENT_SECRET", "its-secret");
    let done = me.browser(|url| vec![robot::go(url)]).types("login p");
    assert_eq!(done.code, 0, "{}", done.err);
    for line in ["refresh p", "token p --grant client-credentials", "logout p"] {
        let done = me.types(line);
        assert_eq!(done.code, 0, "{line}: {}", done.err);
    }
    for body in [bodies(&seen, "/token"), bodies(&seen, "/revoke")].concat() {
        assert!(body.contains("client_id=other") && body.contains("client_secret=its-secret"), "{body}");
    }
    // elsewhere it does not go
    me.config("providers/two.toml", &with_keys(&server, &format!("id = \"two\"\n{keys}")));
    let asked = seen.lock().unwrap().len();
    let done = me.types("token p --provider two --grant client-credentials");
    assert_eq!((done.code, seen.lock().unwrap().len()), (7, asked), "{}", done.err);
}

// RFC 6749, section 3.2: no parameter twice
#[test]
fn a_client_id_in_the_address_is_not_in_the_body_too() {
    let mut me = Person::new();
    let (server, seen) = server(&mut me, "", |r| match r.path.as_str() {
        "/start" => says(&json!({
            "device_code": "d-1", "user_code": "AB", "verification_uri": "https://x.example", "expires_in": 600, "interval": 1,
        })),
        _ => tokens(&json!({})),
    });
    me.config("providers/odd.toml", &with_keys(&server, "device.url = \"BASE/start\"\ntoken.auth = [\"query\"]"));
    me.set("OAUTHCTL_CLIENT_SECRET", "s");
    let done = me.types("login odd --grant device-code");
    assert_eq!(done.code, 0, "{}", done.err);
    let seen = seen.lock().unwrap();
    let start = seen.iter().find(|r| r.path == "/start").unwrap();
    let all = format!("{}&{}", start.query, String::from_utf8_lossy(&start.body));
    assert_eq!(all.matches("client_id=").count(), 1, "{all}");
}

#[test]
fn the_apis_own_query_goes_to_each_page() {
    let mut me = Person::new();
    let base = Arc::new(Mutex::new(String::new()));
    let own = base.clone();
    let (server, seen) = server(&mut me, "", move |r| match r.path.as_str() {
        "/token" => tokens(&json!({})),
        path => {
            let mut page: Response = says(&json!([{ "path": path }]));
            if !r.query.contains("page=2") {
                let next = format!("<{}/api/list?page=2>; rel=\"next\"", own.lock().unwrap());
                page.headers.push(("Link".into(), next));
            }
            page
        }
    });
    base.lock().unwrap().clone_from(&server.base);
    assert_eq!(login(&mut me, &server, "api.query = { version = \"7\" }").code, 0);
    let done = me.types("call odd /list --paginate");
    assert_eq!(done.code, 0, "{}", done.err);
    let seen = seen.lock().unwrap();
    let lists: Vec<&str> = seen.iter().filter(|r| r.path == "/api/list").map(|r| r.query.as_str()).collect();
    assert!(lists.len() == 2 && lists.iter().all(|query| query.contains("version=7")), "{lists:?}");
}

#[test]
fn a_token_that_has_expired_when_it_comes_is_told() {
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", |_| tokens(&json!({ "expires_in": -1 })));
    assert_eq!(login(&mut me, &server, "").code, 0);
    let done = me.types("token odd");
    assert!(done.code == 0 && done.err.contains("a lifetime that is over already"), "{}", done.err);
}

// the kernel's copy is as good as the files that say where the token may go
#[test]
fn a_kept_copy_ends_with_the_files_of_its_provider() {
    for extends in [false, true] {
        let mut me = Person::new();
        let (server, _) = server(&mut me, "", |_| tokens(&json!({ "expires_in": 7200 })));
        let file = |base: &str| with_keys(&server, &format!("api.base-url = \"{base}\""));
        me.config("providers/odd.toml", &file("https://api.example"));
        let name = if extends { "over" } else { "odd" };
        me.config("providers/over.toml", "extends = \"odd\"\n");
        me.config("config.toml", &format!("[profiles.p]\nprovider = \"{name}\"\n"));
        assert_eq!(me.browser(|url| vec![robot::go(url)]).types("login p").code, 0);
        assert_eq!(me.types("token p").code, 0);
        assert!(!me.copies.texts().is_empty());
        // the same content is no other place
        me.config("providers/odd.toml", &format!("{}# a comment\n", file("https://api.example")));
        assert_eq!(me.types("token p").code, 0);
        me.config("providers/odd.toml", &file("https://elsewhere.example"));
        for line in
            ["token p", "token p --format header", "token p --no-cache", "token p --format json", "run p -- true"]
        {
            let done = me.types(line);
            assert_eq!((done.code, done.out.as_str()), (7, ""), "{name}: {line}: {}", done.err);
        }
    }
}

#[test]
fn a_place_that_there_is_not_gives_no_token() {
    let mut me = Person::new();
    me.signed_in();
    for flags in ["--environment nosuch", "--provider nosuch", "--var nosuch=1"] {
        for verb in ["token", "token --no-cache", "refresh", "call", "status", "run"] {
            let words = if verb == "run" {
                " -- true"
            } else if verb == "call" {
                " /me"
            } else {
                ""
            };
            let (verb, more) = verb.split_once(' ').unwrap_or((verb, ""));
            let done = me.types(&format!("{verb} sandbox {more} {flags}{words}"));
            assert_eq!((done.code, done.out.as_str()), (2, ""), "{verb} {flags}: {}{}", done.out, done.err);
        }
    }
}

// a body is read up to a bound, and a token may begin before it
#[test]
fn no_part_of_a_token_is_shown_where_an_answer_is_cut_off() {
    const TOKEN: &str = "issued-Zk4-token-of-many-letters";
    let mut me = Person::new();
    let (server, _) = server(&mut me, "", |r| match r.path.as_str() {
        "/token" => tokens(&json!({ "access_token": TOKEN })),
        _ => answer(
            400,
            "text/plain",
            &format!("{}{TOKEN} and more", "filler ".repeat(150_000).split_at((1 << 20) - 20).0),
        ),
    });
    assert_eq!(login(&mut me, &server, "").code, 0);
    for line in ["call odd /x --jq .", "call odd /x --jq . --error-format json"] {
        let done = me.types(line);
        assert!(done.code == 22 && done.err.contains("filler"), "{line}: {}", done.code);
        assert!(!done.err.contains("issued-Zk4"), "{line}: {}", &done.err[done.err.len() - 200..]);
    }
}
