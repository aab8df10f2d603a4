//! What is around a secret is no part of it, and a missing secret makes no public client.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::world::{Odd, Person, answer};

/// The secrets that the token endpoint got; "none" for a public client.
type Seen = Arc<Mutex<Vec<String>>>;

fn server(me: &mut Person) -> (Odd, Seen) {
    let seen = Seen::default();
    let keep = seen.clone();
    let odd = me.odd("odd", move |request| {
        let basic = request.header("authorization").and_then(|value| value.strip_prefix("Basic "));
        let basic = basic.map(|text| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap());
        keep.lock().unwrap().push(basic.unwrap_or_else(|| "none".to_owned()));
        let body = json!({ "access_token": "access-0123456789", "refresh_token": "refresh-0123456789",
            "token_type": "Bearer", "expires_in": 600 });
        answer(200, "application/json", &body.to_string())
    });
    let provider = odd.provider("odd").replace("[\"none\", \"basic\"]", "[\"basic\", \"none\"]");
    me.config("providers/odd.toml", &provider);
    (odd, seen)
}

const LINE: &str = "token odd --store none --grant client-credentials";

#[test]
fn blanks_line_ends_and_a_byte_order_mark_are_no_part_of_a_secret() {
    let mut me = Person::new();
    let (_odd, seen) = server(&mut me);
    let around =
        ["s3cret-value", "s3cret-value\r\n", " \ts3cret-value \n\n", "\u{feff}s3cret-value\n", "\n s3cret-value"];
    for text in around {
        me.set("OAUTHCTL_CLIENT_SECRET", text);
        assert_eq!(me.types(LINE).code, 0, "{text:?}");
        me.unset("OAUTHCTL_CLIENT_SECRET").set("OTHER", text);
        me.config("config.toml", "[profiles.odd]\nclient-secret.env = \"OTHER\"\n");
        assert_eq!(me.types(LINE).code, 0, "{text:?}");
        me.config("config.toml", "[profiles.odd]\nclient-secret.command = [\"pass\", \"show\", \"odd\"]\n");
        let notes = format!("{text}\nurl: https://odd.example\nuser: ann\n");
        for prints in [text, &notes] {
            assert_eq!(me.program(&["pass", "show", "odd"], prints).types(LINE).code, 0, "{prints:?}");
        }
        me.config("config.toml", "");
        std::fs::write(me.path("secret"), text).unwrap();
        let file = me.path("secret").display().to_string();
        let words = [LINE.split(' ').collect::<Vec<_>>(), vec!["--client-secret-file", &file]].concat();
        assert_eq!(me.runs(&words).code, 0, "{text:?}");
        assert_eq!(me.stdin(text).types(&format!("{LINE} --client-secret-file -")).code, 0, "{text:?}");
        let utf16: Vec<u8> = format!("\u{feff}{}", text.trim_start_matches('\u{feff}'))
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        std::fs::write(me.path("secret"), utf16).unwrap();
        assert_eq!(me.runs(&words).code, 0, "{text:?}");
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), around.len() * 7);
    assert!(seen.iter().all(|secret| secret == "an-app:s3cret-value"), "{seen:?}");
}

#[test]
fn an_empty_variable_is_said_and_makes_no_public_client() {
    let mut me = Person::new();
    let (odd, _) = server(&mut me);
    for variable in ["OAUTHCTL_CLIENT_SECRET", "OAUTHCTL_ODD_CLIENT_SECRET"] {
        for empty in ["", " ", "\n", "\u{feff}\r\n"] {
            let done = me.set(variable, empty).types(LINE);
            assert_eq!(done.code, 2, "{empty:?}: {}", done.err);
            assert!(done.err.contains(&format!("variable {variable} is for the client secret")), "{}", done.err);
        }
        me.unset(variable);
    }
    me.config("config.toml", "[profiles.odd]\nclient-secret.env = \"OTHER\"\n");
    for empty in ["", " ", "\u{feff}"] {
        let done = me.set("OTHER", empty).types(LINE);
        assert!(done.code == 2 && done.err.contains("`OTHER`, which is empty"), "{}", done.err);
    }
    me.config("config.toml", "[profiles.odd]\nclient-secret.command = [\"pass\"]\n");
    let done = me.program(&["pass"], " \n").types(LINE);
    assert!(done.code == 2 && done.err.contains("it printed nothing"), "{}", done.err);
    assert_eq!(odd.asked(), 0);
    me.config("config.toml", "");
    me.set("OAUTHCTL_CLIENT_SECRET", "");
    assert_eq!(me.types(&format!("{LINE} --auth none")).code, 0, "a public client that is asked for");
    assert_eq!(odd.asked(), 1);
}

#[test]
fn a_login_made_with_a_secret_is_refreshed_with_it_or_not_at_all() {
    let mut me = Person::new();
    let (odd, seen) = server(&mut me);
    let login = "login odd --grant password";
    let refused = |me: &mut Person, place: &str| {
        let before = odd.asked();
        let done = me.types("refresh odd");
        assert!(done.code == 2 && done.err.contains(place), "{place}: {}", done.err);
        assert_eq!(odd.asked(), before, "{place}");
    };
    // a variable
    me.set("OAUTHCTL_CLIENT_SECRET", "s3cret-value").answers("ann").answers_hidden("a-password");
    assert_eq!(me.types(login).code, 0);
    me.unset("OAUTHCTL_CLIENT_SECRET");
    refused(&mut me, "the variable OAUTHCTL_CLIENT_SECRET");
    // the configuration's file is gone, then its key
    std::fs::write(me.path("secret"), "s3cret-value").unwrap();
    let file = me.path("secret").display().to_string();
    me.config("config.toml", &format!("[profiles.odd]\nclient-secret.file = \"{file}\"\n"));
    let done = me.answers("ann").answers_hidden("a-password").types(login);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!done.err.contains("in the environment"), "{}", done.err);
    assert_eq!(me.types("refresh odd").code, 0);
    std::fs::remove_file(me.path("secret")).unwrap();
    refused(&mut me, "~/secret");
    me.config("config.toml", "");
    refused(&mut me, "the configuration");
    // the store
    std::fs::write(me.path("secret"), "s3cret-value").unwrap();
    me.answers("ann").answers_hidden("a-password");
    assert_eq!(me.runs(&["login", "odd", "--grant", "password", "--client-secret-file", &file]).code, 0);
    assert_eq!(me.types("refresh odd").code, 0);
    me.tamper("odd", |record| record["client_secret"] = serde_json::Value::Null);
    refused(&mut me, "the keychain");
    assert!(seen.lock().unwrap().iter().all(|secret| secret == "an-app:s3cret-value"));
}

#[test]
fn scopes_in_one_word_are_told_apart_where_the_provider_has_a_comma() {
    let mut me = Person::new();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = asked.clone();
    let odd = me.odd("odd", move |request| {
        let form = url::form_urlencoded::parse(&request.body).into_owned();
        keep.lock().unwrap().extend(form.filter(|(name, _)| name == "scope").map(|(_, value)| value));
        let body = json!({ "access_token": "access-0123456789", "token_type": "Bearer", "expires_in": 600 });
        answer(200, "application/json", &body.to_string())
    });
    let line = "token odd --store none --client-id an-app --grant client-credentials";
    for (separator, want) in [(",", "repo,gist,user"), (" ", "repo,gist user")] {
        let scopes = format!("[scopes]\nseparator = \"{separator}\"\n");
        me.config("providers/odd.toml", &(odd.provider("odd") + &scopes));
        assert_eq!(me.types(&format!("{line} --scope repo,gist --scope user")).code, 0);
        assert_eq!(asked.lock().unwrap().pop().as_deref(), Some(want));
    }
}
