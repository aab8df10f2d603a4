//! Parameters of the authorization request, and their forms: pushed, posted back, with
//! authorization details.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::world::serve;
use crate::world::{Odd, Person, answer, robot};

type Forms = Arc<Mutex<Vec<(String, Vec<(String, String)>)>>>;

fn form(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

fn value(form: &[(String, String)], name: &str) -> String {
    form.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default()
}

/// A server that takes pushed requests and gives tokens.
fn server(me: &mut Person, more: &str) -> (Odd, Forms) {
    let forms = Forms::default();
    let seen = forms.clone();
    let server = me.odd("authorization server", move |request: &serve::Request| {
        seen.lock().unwrap().push((request.path.clone(), form(&request.body)));
        let (status, body) = match request.path.as_str() {
            "/par" => (201, json!({ "request_uri": "urn:example:pushed-1", "expires_in": 60 })),
            _ => (
                200,
                json!({ "access_token": "issued-token-1", "token_type": "bearer", "expires_in": 600, "refresh_token": "refresh-1",
                    "scope": "a", "authorization_details": [{ "type": "payment_initiation", "amount": 5 }] }),
            ),
        };
        answer(status, "application/json", &body.to_string())
    });
    let file = format!("par-url = \"{}/par\"\n{more}{}", server.base, server.provider("odd"));
    me.config("providers/odd.toml", &file);
    (server, forms)
}

/// The browser goes straight back with a code.
fn back(redirect_uri: &str, state: &str) -> Vec<robot::Page> {
    vec![robot::go(&format!("{redirect_uri}?code=the-code&state={state}"))]
}

fn query(url: &str) -> Vec<(String, String)> {
    form(url.split_once('?').map_or("", |(_, q)| q).as_bytes())
}

#[test]
fn a_preset_asks_for_the_scopes_that_the_providers_file_has_under_its_name() {
    let mut me = Person::new();
    me.set("OAUTHCTL_GOOGLE_CLIENT_ID", "an-app").set("OAUTHCTL_GOOGLE_CLIENT_SECRET", "a-secret-0123456789");
    let mut scope = |options: &str| {
        let asked = Arc::new(Mutex::new(String::new()));
        let scope = asked.clone();
        me.browser(move |url| {
            let sent = query(url);
            *scope.lock().unwrap() = value(&sent, "scope");
            let (back, state) = (value(&sent, "redirect_uri"), value(&sent, "state"));
            vec![robot::go(&format!("{back}?error=access_denied&state={state}"))]
        });
        assert_eq!(me.types(&format!("login google {options}")).code, 3);
        asked.lock().unwrap().clone()
    };
    let send = "https://www.googleapis.com/auth/gmail.send";
    assert_eq!(scope(""), "openid email");
    assert_eq!(scope("--preset gmail-send"), send);
    let both = format!("openid {send} https://mail.google.com/");
    assert_eq!(scope("--preset gmail-send --scope openid --preset gmail-imap --preset gmail-send"), both);
    me.types("login google --preset gmail-sent").fails(
        2,
        "
        error: `google` has no preset `gmail-sent`; did you mean `gmail-send`?
        hint: `oauthctl provider show google` shows its presets
    ",
    );
    me.types("login getresponse --preset all").fails(
        2,
        "
        error: `getresponse` has no preset `all`
        hint: it has none: `--scope` names scopes
    ",
    );
}

#[test]
fn an_added_scope_is_asked_for_beside_those_that_are_granted() {
    let mut me = Person::new();
    let (_server, _forms) = server(&mut me, "scopes.always = [\"z\"]\nscopes.default = [\"usual\"]\n");
    let mut scope = |line: &str| {
        let asked = Arc::new(Mutex::new(String::new()));
        let scope = asked.clone();
        me.browser(move |url| {
            let sent = query(url);
            *scope.lock().unwrap() = value(&sent, "scope");
            back(&value(&sent, "redirect_uri"), &value(&sent, "state"))
        });
        let done = me.types(line);
        assert_eq!(done.code, 0, "{line}: {}", done.err);
        asked.lock().unwrap().clone()
    };
    assert_eq!(scope("login odd --add-scope b"), "usual z b", "no login yet");
    // the server granted `a` alone
    assert_eq!(scope("login odd --add-scope b --add-scope c"), "a b c z");
    assert_eq!(scope("login odd"), "a b c z", "the profile has them");
    assert_eq!(scope("login two --provider odd --add-scope b"), "usual z b", "another profile's login");
    // all scopes, and one beside them, exclude each other
    let both = me.types("login odd --scope s --add-scope b");
    assert!(both.code == 2 && both.err.contains("`--add-scope") && both.err.contains("--scope"), "{}", both.err);
    let none = me.runs(&["login", "odd", "--add-scope", ""]);
    assert!(none.code == 2 && none.err.contains("it is empty"), "{}", none.err);
}

// RFC 9126
#[test]
fn a_request_that_is_pushed_leaves_the_browser_a_reference_alone() {
    let mut me = Person::new();
    let (_server, forms) = server(&mut me, "");
    let (pushed, all) = (forms.clone(), forms.clone());
    let opened = Arc::new(Mutex::new(String::new()));
    let address = opened.clone();
    me.browser(move |url| {
        *address.lock().unwrap() = url.to_owned();
        let form = pushed.lock().unwrap()[0].1.clone();
        back(&value(&form, "redirect_uri"), &value(&form, "state"))
    });
    let done = me.runs(&[
        "login",
        "odd",
        "--par",
        "--scope",
        "a b",
        "--login-hint",
        "alice",
        "--max-age",
        "60",
        "--prompt",
        "login",
        "--resource",
        "https://a.example/1",
        "--resource",
        "https://a.example/2",
        "--authorization-details",
        r#"{"type":"payment_initiation"}"#,
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("The address is good once, and for 60 s."), "{}", done.err);
    assert!(done.err.contains("Granted in detail: payment_initiation"), "{}", done.err);
    assert!(done.err.contains("warning: not granted: b"), "{}", done.err);
    let names: Vec<String> = query(&opened.lock().unwrap()).into_iter().map(|(n, _)| n).collect();
    assert_eq!(names, ["client_id", "request_uri"]);
    let forms = forms.lock().unwrap().clone();
    let (path, sent) = &forms[0];
    assert_eq!(path, "/par");
    assert_eq!(
        [
            value(sent, "login_hint"),
            value(sent, "max_age"),
            value(sent, "prompt"),
            value(sent, "authorization_details")
        ],
        ["alice", "60", "login", r#"[{"type":"payment_initiation"}]"#]
    );
    let resources = |form: &[(String, String)]| form.iter().filter(|(n, _)| n == "resource").count();
    assert_eq!((resources(sent), resources(&forms[1].1)), (2, 2), "at the authorize and at the token endpoint");
    // remembered, and the resources go along at each renewal; scopes do not, least of all one that
    // was dropped
    let config = me.config_text();
    for kept in ["par = true", "login-hint = \"alice\"", "max-age = 60", "resource = ["] {
        assert!(config.contains(kept), "{config}");
    }
    assert_eq!(me.record("odd")["token"]["extra"]["authorization_details"][0]["amount"], 5);
    assert_eq!(me.types("refresh odd").code, 0);
    let (_, renewal) = all.lock().unwrap().last().unwrap().clone();
    let names: Vec<&str> = renewal.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["grant_type", "refresh_token", "resource", "resource", "client_id"]);
}

#[test]
fn where_pushing_is_refused_or_impossible_it_is_said_before_the_browser_opens() {
    let mut me = Person::new();
    let refusing = me.odd("refusing", |_| {
        answer(400, "application/json", r#"{"error":"invalid_request","error_description":"no"}"#)
    });
    let file = format!("par = true\npar-url = \"{}/par\"\n{}", refusing.base, refusing.provider("odd"));
    me.config("providers/odd.toml", &file);
    me.types("login odd").fails(
        2,
        "
        error: the provider refused the authorization request
        caused by: the server answered `invalid_request`: no
        hint: compare the request (`-v`) with the provider's documents
    ",
    );
    me.config("providers/odd.toml", &refusing.provider("odd"));
    me.types("login odd --par").fails(
        2,
        "
        error: `Odd` has no address to push an authorize request to
        hint: `oauthctl login odd --par=auto`, or `par-url` in a provider file
    ",
    );
}

#[test]
fn an_answer_that_is_posted_is_taken_where_it_was_asked_for() {
    let mut me = Person::new();
    let (_server, forms) = server(&mut me, "");
    me.browser(|url| {
        let asked = query(url);
        assert_eq!(value(&asked, "response_mode"), "form_post");
        vec![robot::post(
            &value(&asked, "redirect_uri"),
            &[("code", "posted-code"), ("state", &value(&asked, "state"))],
        )]
    });
    let done = me.types("login odd --response-mode form_post");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(value(&forms.lock().unwrap()[0].1, "code"), "posted-code");
}

/// The provider's file alone, an environment of it and `--param` ask for the same as the flag, and
/// `--response-mode query` overrides a file.
#[test]
fn a_form_that_the_provider_file_asks_for_is_taken_without_a_flag() {
    let mode = "[authorize.params]\nresponse_mode = \"form_post\"\n";
    let environment = "[environments.dev.authorize.params]\nresponse_mode = \"form_post\"\n";
    for (more, line, asked_for) in [
        (mode, "login odd", "form_post"),
        (environment, "login odd --environment dev", "form_post"),
        ("", "login odd --param response_mode=form_post", "form_post"),
        (mode, "login odd --response-mode query", ""),
        (mode, "login odd --param response_mode=", ""),
    ] {
        let mut me = Person::new();
        let (odd, forms) = server(&mut me, "");
        me.config("providers/odd.toml", &format!("{}{more}", odd.provider("odd")));
        me.browser(move |url| {
            let asked = query(url);
            assert_eq!(value(&asked, "response_mode"), asked_for);
            let (back, state) = (value(&asked, "redirect_uri"), value(&asked, "state"));
            match asked_for {
                "" => vec![robot::go(&format!("{back}?code=the-code&state={state}"))],
                _ => vec![robot::post(&back, &[("code", "the-code"), ("state", &state)])],
            }
        });
        let done = me.types(line);
        assert_eq!(done.code, 0, "{line}: {}", done.err);
        assert_eq!(value(&forms.lock().unwrap()[0].1, "code"), "the-code", "{line}");
    }
}

#[test]
fn details_that_are_no_list_of_typed_objects_are_refused_at_once() {
    let mut me = Person::new();
    for bad in ["{", "[]", r#"[{"typ":"x"}]"#] {
        let refused = me.runs(&["login", "sandbox", "--authorization-details", bad]);
        assert_eq!(refused.code, 2, "{bad}: {}", refused.err);
    }
    assert_eq!(me.types("login sandbox --response-mode fragment").code, 2);
}
