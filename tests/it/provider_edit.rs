//! `provider edit` and `provider check`: a file that is never lost, and addresses that are reached.

use serde_json::json;

use crate::world::{Person, answer};

const MINE: &str =
    "id = \"mine\"\n[authorize]\nurl = \"https://mine.example/a\"\n[token]\nurl = \"https://mine.example/t\"\n";

fn file(me: &Person, name: &str) -> Option<String> {
    std::fs::read_to_string(me.path("config/oauthctl/providers").join(name)).ok()
}

#[test]
fn a_valid_text_replaces_the_file_and_a_wrong_one_can_be_edited_again() {
    let mut me = Person::new();
    me.config("providers/mine.toml", MINE);
    me.set("EDITOR", "an-editor --wait");
    // wrong, and edited again
    me.edits(|text| text.replace("url", "ulr"))
        .edits(|text| text.replace("ulr", "url").replace("mine.example/a", "mine.example/b"));
    let done = me.answers("").types("provider edit mine");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("ulr") && done.err.contains("Edit it again? [Y/n]: "), "{}", done.err);
    assert_eq!(file(&me, "mine.toml").as_deref(), Some(&*MINE.replace("mine.example/a", "mine.example/b")));
    assert_eq!(file(&me, "mine.toml.edit"), None);
    // given up: the file is as it was, and the text waits
    let before = file(&me, "mine.toml");
    type Leaves = fn(&mut Person) -> &mut Person;
    for ends in [(|me| me.answers("n")) as Leaves, Person::presses_ctrl_c, Person::presses_ctrl_d] {
        me.edits(|text| text.replace("url", "ulr"));
        ends(&mut me);
        let left = me.types("provider edit mine");
        assert!(left.code != 0 && left.err.contains("hint: your text is kept in "), "{}", left.err);
        assert_eq!(file(&me, "mine.toml"), before);
        let done = me.edits(|text| text.replace("ulr", "url").replace("/t\"", "/u\"")).types("provider edit mine");
        assert!(done.code == 0 && done.err.contains("This is your text of the last time"), "{}", done.err);
        me.config("providers/mine.toml", before.as_deref().expect("a file"));
    }
    // without a terminal the error says it
    let left = me.edits(|_| String::from("nonsense")).types("provider edit mine");
    assert!(left.code == 2 && left.err.contains("hint: your text is kept in "), "{}", left.err);
    assert_eq!(file(&me, "mine.toml.edit").as_deref(), Some("nonsense"));
    assert_eq!(me.types("doctor").code, 0, "the copy is no provider");
    // a text that was begun before the file changed replaces nothing
    me.config("providers/mine.toml", &MINE.replace("mine.example/a", "mine.example/c"));
    let late = me.types("provider edit mine");
    assert!(late.code == 2 && late.err.contains("was changed since") && late.err.contains("diff "), "{}", late.err);
    assert!(file(&me, "mine.toml").is_some_and(|text| text.contains("mine.example/c")));
    // and one that is no text says what to type
    let copy = me.path("config/oauthctl/providers/mine.toml.edit");
    std::fs::write(&copy, [0xff, 0xfe]).unwrap();
    let left = me.types("provider edit mine");
    assert!(left.code != 0 && left.err.contains("hint: rm "), "{}", left.err);
}

#[test]
fn a_built_in_provider_gets_a_file_of_ones_own_and_an_untouched_one_none() {
    let mut me = Person::new();
    me.set("VISUAL", "an-editor").set("EDITOR", "ed");
    let done = me.edits(str::to_owned).types("provider edit gr");
    assert!(done.code == 0 && done.err.contains("getresponse: nothing was changed\n"), "{}", done.err);
    assert_eq!((file(&me, "getresponse.toml"), file(&me, "getresponse.toml.edit")), (None, None));
    let done = me.edits(|text| format!("{text}name = \"Ours\"\n")).types("provider edit gr");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(me.types("provider show getresponse").out.contains("name = \"Ours\"\n"));
    assert_eq!(me.types("provider edit nobody").code, 2);
    me.unset("VISUAL").unset("EDITOR");
    let none = me.types("provider edit gr");
    assert!(none.code == 2 && none.err.contains("hint: set EDITOR; the file is "), "{}", none.err);
}

#[test]
fn a_file_that_somebody_else_changed_meanwhile_is_not_overwritten() {
    let mut me = Person::new();
    me.config("providers/mine.toml", MINE);
    me.set("EDITOR", "an-editor");
    let path = me.path("config/oauthctl/providers/mine.toml");
    me.edits(move |text| {
        std::fs::write(&path, format!("{MINE}\n# theirs\n")).expect("written");
        text.replace("/a\"", "/b\"")
    });
    let done = me.types("provider edit mine");
    assert!(done.code == 2 && done.err.contains("was changed by somebody else meanwhile"), "{}", done.err);
    assert!(file(&me, "mine.toml").expect("there").ends_with("# theirs\n"));
    assert!(file(&me, "mine.toml.edit").expect("kept").contains("/b\""));
}

#[test]
fn each_address_is_reached_without_a_secret_and_what_is_odd_is_told() {
    let mut me = Person::new();
    let odd = me.odd("odd", |request| {
        assert_eq!((request.method.as_str(), request.query.as_str()), ("GET", ""), "{}", request.path);
        assert_eq!(request.header("authorization"), None);
        let base = format!("http://{}", request.header("host").expect("a host"));
        match request.path.as_str() {
            "/.well-known/openid-configuration" => {
                let document = json!({
                    "issuer": base,
                    "authorization_endpoint": format!("{base}/authorize"),
                    "token_endpoint": format!("{base}/other"),
                    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                });
                answer(200, "application/json", &document.to_string())
            }
            "/token" => answer(405, "text/plain", ""),
            "/authorize" => answer(400, "text/html", ""),
            _ => answer(404, "text/plain", ""),
        }
    });
    let base = &odd.base;
    let text = odd.provider("odd").replace("id = \"odd\"\n", &format!("id = \"odd\"\nissuer = \"{base}\"\n"));
    me.config("providers/odd.toml", &format!("{text}[revoke]\nurl = \"{base}/revoke\"\n"));
    let done = me.types("provider check odd");
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    for line in [
        "FAIL  metadata       `token.auth` is none, client_secret_basic, and the metadata name private_key_jwt\n"
            .to_owned(),
        format!("ok    address        authorize.url: {base}/authorize answers 400\n"),
        format!("{base}/token answers 405\n"),
        format!("{base}/revoke answers 404: there is no page to read; is it right?\n"),
        format!(
            "FAIL  metadata       `token.url` is {base}/token, and the metadata name {base}/other: the file's is used\n"
        ),
        "the same: authorize.url\n".to_owned(),
    ] {
        assert!(done.out.contains(&line), "{line} should be in\n{}", done.out);
    }
    drop(odd);
    let gone = me.types("provider check odd");
    assert!(gone.code == 1 && gone.out.contains("FAIL  address        authorize.url: can't reach "), "{}", gone.out);
    let vars = me.types("provider check getresponse --environment max");
    let hint = "hint: oauthctl provider check getresponse --environment max --var domain=VALUE --var api_host=VALUE\n";
    assert!(vars.code == 2 && vars.err.contains(hint), "{}", vars.err);
}

#[test]
fn a_check_tells_the_fault_of_a_document_as_a_login_does() {
    let written = "give the issuer exactly as the provider writes it, slash or no slash at its end";
    let in_a_file = "describe the provider in a file of your own: `[authorize] url`, `[token] url`";
    for (document, why, hint) in [
        ("<!doctype html><html>", "it is not a JSON object", in_a_file),
        ("[1]", "it is not a JSON object", in_a_file),
        (
            "{\"issuer\":\"BASE\",\"token_endpoint\":\"http://as.example/token\"}",
            "its `token_endpoint` may be plain `http` to a loopback address only",
            in_a_file,
        ),
        ("{\"issuer\":\"BASE/\"}", "it names the issuer `BASE/`, but `BASE` was asked", written),
    ] {
        let mut me = Person::new();
        let odd = me.odd("odd", |request| {
            let base = format!("http://{}", request.header("host").expect("a host"));
            answer(200, "text/html", &document.replace("BASE", &base))
        });
        let why = why.replace("BASE", &odd.base);
        me.config("providers/odd.toml", &format!("id = \"odd\"\nissuer = \"{}\"\n", odd.base));
        let message = format!("the metadata of `{}` can't be trusted", odd.base);
        let why = format!("{}/.well-known/openid-configuration: {why}", odd.base);
        let checked = me.types("provider check odd");
        assert_eq!(checked.code, 1, "{}", checked.out);
        assert_eq!(checked.out, format!("FAIL  metadata       {message}: {why}\n                     do: {hint}\n"));
        let login = me.types("login odd --client-id app --no-browser");
        assert_eq!(login.code, 7, "{}", login.err);
        assert!(
            login.err_raw.contains(&format!("error: {message}\ncaused by: {why}\nhint: {hint}\n")),
            "{}",
            login.err_raw
        );
    }
}

// a script reads the exit code alone
#[test]
fn a_check_fails_where_the_metadata_contradict_or_a_server_is_out_of_order() {
    for (other, status, code) in [(false, 405, 0), (true, 405, 1), (false, 500, 1), (false, 503, 1)] {
        let mut me = Person::new();
        let odd = me.odd("odd", move |request| {
            let base = format!("http://{}", request.header("host").expect("a host"));
            match request.path.as_str() {
                "/.well-known/openid-configuration" => {
                    let token = if other { "other" } else { "token" };
                    let document = json!({ "issuer": base, "token_endpoint": format!("{base}/{token}") });
                    answer(200, "application/json", &document.to_string())
                }
                "/token" => answer(status, "text/plain", ""),
                _ => answer(400, "text/plain", ""),
            }
        });
        let issuer = format!("id = \"odd\"\nissuer = \"{}\"\n", odd.base);
        me.config("providers/odd.toml", &odd.provider("odd").replace("id = \"odd\"\n", &issuer));
        let done = me.types("provider check odd");
        assert_eq!(done.code, code, "{other} {status}: {}", done.out);
    }
}
