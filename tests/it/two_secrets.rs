//! A client secret is replaced without an outage: until the server has taken the new one, the
//! earlier one is sent where the new one is refused.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use serde_json::json;

use crate::world::robot::comes_back;
use crate::world::{Odd, Person, START, answer, serve};

/// A token endpoint that takes these client secrets and each refresh token once.
struct Server {
    odd: Odd,
    taken: Arc<Mutex<Vec<&'static str>>>,
    /// The secret of each request, in order.
    sent: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn takes(&self, secrets: &[&'static str]) {
        *self.taken.lock().unwrap() = secrets.to_vec();
    }

    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

/// The client secret of a request, wherever it is.
fn secret_of(request: &serve::Request) -> String {
    let body = String::from_utf8_lossy(&request.body);
    let basic = request.header("authorization").and_then(|value| value.strip_prefix("Basic "));
    if let Some(basic) = basic {
        let pair = base64::engine::general_purpose::STANDARD.decode(basic).unwrap();
        return String::from_utf8(pair).unwrap().split_once(':').unwrap().1.to_owned();
    }
    let text = if body.contains("client_secret") { body.into_owned() } else { request.query.clone() };
    let value = text.split("client_secret=").nth(1).unwrap_or_default();
    value.split('&').next().unwrap_or_default().to_owned()
}

/// Somebody with the profile `odd` at a server that refuses a wrong client like this.
fn at(lines: &str, refusal: (u16, &'static str)) -> (Person, Server) {
    let mut me = Person::new();
    let (taken, sent) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(vec![])));
    let (taken_there, sent_there) = (taken.clone(), sent.clone());
    let number = Mutex::new(1);
    let odd = me.odd("odd", move |request| {
        let secret = secret_of(request);
        let known = taken_there.lock().unwrap().contains(&secret.as_str());
        sent_there.lock().unwrap().push(secret);
        if !known {
            return answer(refusal.0, "application/json", refusal.1);
        }
        if request.path.starts_with("/revoke") {
            return answer(200, "application/json", "{}");
        }
        let mut number = number.lock().unwrap();
        let body = String::from_utf8_lossy(&request.body);
        if body.contains("refresh_token") && !body.contains(&format!("refresh_token=refresh-{number}")) {
            return answer(400, "application/json", r#"{"error":"invalid_grant"}"#);
        }
        *number += 1;
        let token = json!({
            "access_token": format!("access-{number}"), "refresh_token": format!("refresh-{number}"),
            "token_type": "Bearer", "expires_in": 3600,
        });
        answer(200, "application/json", &token.to_string())
    });
    let file = odd.provider("odd").replace("auth = [\"none\", \"basic\"]", lines);
    me.config("providers/odd.toml", &(file + &format!("[revoke]\nurl = \"{}/revoke\"\n", odd.base)));
    me.config("config.toml", "[profiles.odd]\nprovider = \"odd\"\n");
    (me, Server { odd, taken, sent })
}

const BASIC: &str = "auth = [\"basic\"]";
const INVALID: (u16, &str) = (401, r#"{"error":"invalid_client"}"#);

/// A login whose token is about to expire, made with `secret-one`.
fn signed_in(lines: &str) -> (Person, Server) {
    let (me, server) = at(lines, INVALID);
    me.keychain.put(
        "odd",
        &json!({
            "oauthctl": 1, "generation": 1, "provider": "odd", "client_id": "an-app", "client_secret": "secret-one",
            "grant": "authorization_code", "journal_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
            "token": {
                "access_token": "access-1", "refresh_token": "refresh-1", "token_type": "Bearer",
                "received_at": START, "expires_at": START + 3600,
            },
        })
        .to_string(),
    );
    me.later(4000);
    (me, server)
}

fn replaces(me: &mut Person, secret: &str) -> String {
    let done = me.stdin(secret).types("profile set-secret odd -");
    assert_eq!(done.code, 0, "{}", done.err);
    done.err
}

#[test]
fn a_new_client_secret_may_come_before_the_server_knows_it() {
    let (mut me, server) = signed_in(BASIC);
    server.takes(&["secret-one"]);
    let said = replaces(&mut me, "secret-two");
    assert!(said.contains("The earlier one (sha256:…) is sent where the provider refuses this one"), "{said}");
    for token in ["access-2\n", "access-3\n"] {
        let done = me.types("token odd");
        assert_eq!((done.code, done.out.as_str()), (0, token), "{}", done.err);
        assert!(done.err.contains("the provider refuses the client secret: trying the earlier one"), "{}", done.err);
        done.tells_nothing_of("secret-one").tells_nothing_of("secret-two");
        assert_eq!(server.sent(), ["secret-two", "secret-one"]);
        me.later(4000);
    }
    assert!(me.types("status odd").out.contains("earlier secret in the store, sha256:"));
    // both are taken now: the earlier one is of no more use
    server.takes(&["secret-one", "secret-two"]);
    assert_eq!(me.types("token odd").out, "access-4\n");
    assert_eq!(server.sent(), ["secret-two"]);
    assert_eq!(me.record("odd")["earlier_client_secret"], json!(null));
    me.later(4000);
    server.takes(&["secret-one"]);
    assert_eq!(me.types("token odd").code, 2);
    assert_eq!(server.sent(), ["secret-two"]);
}

#[test]
fn a_mistyped_client_secret_ends_no_login() {
    let (mut me, server) = signed_in(BASIC);
    server.takes(&["secret-one"]);
    replaces(&mut me, "secret-mistyped");
    replaces(&mut me, "secret-two");
    assert_eq!(me.record("odd")["earlier_client_secret"], "secret-one", "the last one that was taken");
    replaces(&mut me, "secret-one");
    assert_eq!(me.record("odd")["earlier_client_secret"], json!(null), "it is the present one again");
    replaces(&mut me, "secret-two");
    server.takes(&[]);
    let before = me.record("odd");
    let done = me.types("token odd");
    assert_eq!((done.code, server.sent().len()), (2, 2), "{}", done.err);
    assert_eq!(me.record("odd"), before, "nothing is lost");
    server.takes(&["secret-one"]);
    assert_eq!(me.types("logout odd").code, 0);
    assert_eq!(server.sent(), ["secret-two", "secret-one", "secret-one"], "of two tokens");
    assert_eq!(me.record("odd")["earlier_client_secret"], "secret-one", "it stays with the client secret");
}

#[test]
fn a_login_with_the_new_client_secret_needs_the_earlier_one_no_more() {
    for (taken, kept) in [("secret-one", json!("secret-one")), ("secret-two", json!(null))] {
        let (mut me, server) = signed_in(BASIC);
        replaces(&mut me, "secret-two");
        server.takes(&[taken]);
        let done = me.types("login odd --grant client-credentials");
        assert_eq!(done.code, 0, "{}", done.err);
        assert_eq!(me.record("odd")["client_secret"], "secret-two");
        assert_eq!(me.record("odd")["earlier_client_secret"], kept);
    }
}

#[test]
fn the_configuration_may_name_two_client_secrets() {
    const SAYS: &str = r#"{"ok":false,"error":"no_such_app"}"#;
    const RULE: &str = "auth = [\"post\"]\n[[errors]]\ncode = \"no_such_app\"\nmeans = \"wrong_client\"\n[device]\nurl = \"https://as.example\"";
    for (lines, refusal) in [
        (BASIC, INVALID),
        ("auth = [\"basic_raw\"]", (400, r#"{"error":"invalid_client"}"#)),
        ("auth = [\"post\"]", (401, r#"{"error":"unauthorized_client"}"#)),
        ("auth = [\"query\"]", (401, "<html>no</html>")),
        ("auth = [\"post\"]\nparams-in = \"query\"", (401, "")),
        (RULE, (200, SAYS)),
    ] {
        for place in [
            "earlier-client-secret.file = \"FILE\"",
            "earlier-client-secret.env = \"EARLIER\"",
            "earlier-client-secret.command = [\"echo\", \"secret-one\"]",
        ] {
            let (mut me, server) = at(lines, refusal);
            std::fs::write(me.path("two"), "secret-two\n").unwrap();
            std::fs::write(me.path("one"), "secret-one\n").unwrap();
            me.set("EARLIER", "secret-one");
            if place.contains("command") {
                me.program(&["echo", "secret-one"], "secret-one\n");
            }
            let place = place.replace("FILE", &me.path("one").display().to_string());
            let two = me.path("two").display().to_string();
            me.config(
                "config.toml",
                &format!(
                    "[profiles.odd]\nprovider = \"odd\"\ngrant = \"client-credentials\"\nclient-secret.file = \"{two}\"\n\
                     {place}\n"
                ),
            );
            server.takes(&["secret-one"]);
            let done = me.types("token odd --force-refresh");
            assert_eq!((done.code, done.out.as_str()), (0, "access-2\n"), "{lines} {place}: {}", done.err);
            assert_eq!(server.sent(), ["secret-two", "secret-one"], "{lines} {place}");
            let kept = me.record("odd").to_string();
            assert!(!kept.contains("secret-one") && !kept.contains("secret-two"), "{kept}");
            // a secret that is said for this command stands alone
            let done = me.stdin("secret-three").types("token odd --force-refresh --client-secret-file -");
            assert_ne!(done.code, 0, "{lines}");
            assert_eq!(server.sent(), ["secret-three"], "{lines}: {}", done.err);
        }
    }
}

#[test]
fn an_earlier_client_secret_goes_to_its_own_server_alone() {
    let (mut me, server) = signed_in(BASIC);
    server.takes(&["secret-one"]);
    replaces(&mut me, "secret-two");
    assert_eq!(me.types("token odd").code, 0);
    assert_eq!(me.types("logout odd --local-only").code, 0);
    let other = me.odd("other", |request| {
        assert_eq!(secret_of(request), "secret-three");
        answer(401, "application/json", r#"{"error":"invalid_client"}"#)
    });
    me.config("providers/odd.toml", &other.provider("odd").replace("\"none\", ", ""));
    let typed = me.answers_hidden("secret-three").types("login odd --grant client-credentials");
    assert!(typed.code == 2 && other.asked() == 1, "{}", typed.err);
    replaces(&mut me, "secret-three");
    assert_eq!(me.record("odd")["earlier_client_secret"], json!(null));
    assert_ne!(me.types("login odd --grant client-credentials").code, 0);
    assert_eq!((other.asked(), server.odd.asked()), (2, 2));
}

/// The profile `odd` of a job, whose configuration names the place of the earlier secret.
fn job(place: &str) -> (Person, Server) {
    let (me, server) = at(BASIC, INVALID);
    me.config(
        "config.toml",
        &format!("[profiles.odd]\nprovider = \"odd\"\ngrant = \"client-credentials\"\nearlier-client-secret.{place}\n"),
    );
    (me, server)
}

#[test]
fn the_earlier_secret_of_the_configuration_stands_behind_each_place_of_the_new_one() {
    for variable in ["OAUTHCTL_CLIENT_SECRET", "OAUTHCTL_ODD_CLIENT_SECRET", ""] {
        let (mut me, server) = job("env = \"EARLIER\"");
        me.set("EARLIER", "secret-one");
        match variable {
            "" => drop(replaces(&mut me, "secret-two")),
            variable => drop(me.set(variable, "secret-two")),
        }
        server.takes(&["secret-one"]);
        let done = me.types("token odd");
        assert_eq!((done.code, server.sent().len()), (0, 2), "{variable}: {}", done.err);
    }
}

#[test]
fn an_earlier_secret_that_is_gone_stops_nothing() {
    for place in ["file = \"/no/such/file\"", "env = \"UNSET\""] {
        let (mut me, server) = job(place);
        me.set("OAUTHCTL_CLIENT_SECRET", "secret-two");
        server.takes(&["secret-two"]);
        let done = me.types("token odd");
        assert_eq!((done.code, server.sent()), (0, vec!["secret-two".to_owned()]), "{}", done.err);
        assert!(done.err.contains("profile unset odd earlier-client-secret` takes it out"), "{}", done.err);
    }
}

#[test]
fn a_refusal_by_a_firewall_sends_no_second_secret() {
    let (mut me, server) = at(BASIC, (403, "<html>blocked</html>"));
    me.config("config.toml", "[profiles.odd]\nprovider = \"odd\"\nearlier-client-secret.env = \"EARLIER\"\n");
    me.set("EARLIER", "secret-one").set("OAUTHCTL_CLIENT_SECRET", "secret-two");
    server.takes(&["secret-one"]);
    assert_ne!(me.types("token odd --grant client-credentials").code, 0);
    assert_eq!(server.sent(), ["secret-two"]);
}

#[test]
fn a_login_that_goes_to_another_machine_takes_both_secrets_along() {
    let (mut me, server) = at(BASIC, INVALID);
    me.config("config.toml", "");
    server.takes(&["secret-one"]);
    let login = json!({
        "oauthctl-login": 1, "profile": "[profiles.odd]\nprovider = \"odd\"\n", "client_id": "an-app",
        "client_secret": "secret-two", "earlier_client_secret": "secret-one", "refresh_token": "refresh-1",
        "access_token": null, "scopes": [], "vars": {},
    });
    let done = me.stdin(&login.to_string()).types("import login");
    assert_eq!((done.code, server.sent().len()), (0, 2), "{}", done.err);
    let record = me.record("odd");
    assert_eq!(
        (&record["client_secret"], &record["earlier_client_secret"]),
        (&json!("secret-two"), &json!("secret-one"))
    );
}

#[test]
fn a_login_of_another_client_says_which_secret_it_replaces() {
    let (mut me, server) = signed_in("auth = [\"none\", \"basic\"]");
    server.takes(&["", "secret-one", "secret-two"]);
    std::fs::write(me.path("two"), "secret-two").unwrap();
    let login = |me: &mut Person, options: &str| me.browser(comes_back).types(&format!("login odd {options}"));
    let told = |client: &str| format!("warning: the client secret of the client `{client}` is no longer stored\n");
    // a login that fails loses nothing
    server.takes(&[]);
    let failed = login(&mut me, "--client-id other");
    assert!(failed.code != 0 && !failed.err.contains("no longer stored"), "{}", failed.err);
    assert_eq!(me.record("odd")["client_secret"], "secret-one");
    server.takes(&["", "secret-one", "secret-two"]);
    // one of the same client replaces nothing, or what the person replaces
    let two = format!("--client-secret-file {}", me.path("two").display());
    for options in ["", &*two] {
        let done = login(&mut me, options);
        assert!(done.code == 0 && !done.err.contains("no longer stored"), "{}", done.err);
    }
    let done = login(&mut me, "--client-id other");
    assert!(done.code == 0 && done.err.contains(&told("an-app")), "{}", done.err);
    let done = login(&mut me, &two);
    assert!(done.code == 0 && !done.err.contains("no longer stored"), "{}", done.err);
    let done = login(&mut me, &format!("--client-id third {two}"));
    assert!(done.code == 0 && !done.err.contains("no longer stored"), "the same secret: {}", done.err);
}
