//! Input at a question: secrets are hidden, answers outlive a failed login, and an unanswered
//! question ends in one sentence.

use oauthctl::sandbox::Manners;
use serde_json::json;

use crate::world::robot::{allows, decided, denies, go, with};
use crate::world::{Fault, Person, START, answer, own_port};

fn looks(_: &str) -> Vec<crate::world::robot::Page> {
    Vec::new()
}

const SECRET: &str = "practice-secret";

#[test]
fn ctrl_c_and_ctrl_d_end_every_question_of_a_login_in_one_sentence_and_what_was_typed_is_kept() {
    for (ends, code, words) in [
        ((|me| me.presses_ctrl_c()) as fn(&mut Person) -> &mut Person, 130, "interrupted"),
        (|me| me.presses_ctrl_d(), 6, "the input ended before the question was answered"),
    ] {
        let mut me = Person::new();
        let _server = me.practice(Manners::GetResponse);
        let first = ends(&mut me).types("login getresponse");
        let end = format!("\n\nClient id (Enter opens that page): \nerror: {words}; nobody was signed in\n");
        assert_eq!(first.code, code, "{}", first.err);
        assert!(first.err.ends_with(&end), "{}", first.err);
        assert!(me.keychain.accounts().is_empty());
        me.answers("practice-client");
        let second = ends(&mut me).types("login getresponse");
        let end = format!(
            "Client secret (not shown): \nerror: {words}; nobody was signed in\n\
             hint: your input is kept (the client id): `oauthctl login getresponse` offers it\n"
        );
        assert_eq!(second.code, code, "{}", second.err);
        assert!(second.err.ends_with(&end), "{}", second.err);
        // neither a login nor a profile
        assert_eq!(me.config_text(), "");
        assert!(!me.types("list").out.contains("getresponse"));
        let status = me.types("status getresponse");
        assert_eq!(status.code, 4);
        assert!(
            status.out.contains("\ntoken          none\n") && status.out.contains("\nunfinished "),
            "{}",
            status.out
        );
        assert_eq!(me.types("token getresponse").code, 4);
        assert_eq!(me.types("token getresponse --grant client-credentials").code, 2, "nothing but a login uses it");
    }
}

#[test]
fn what_was_typed_is_offered_until_a_login_succeeds() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    let expired = |url: &str| with(&decided(url, "allow"), "code", Some("it-has-expired"));
    me.answers("practice-client").answers_hidden(SECRET).browser(looks).pastes(expired);
    let failed = me.types("login getresponse");
    assert_eq!(failed.code, 4, "{}", failed.err);
    assert!(
        failed.err.ends_with(
            "hint: your input is kept (the client id, the client secret): `oauthctl login getresponse` offers it\n"
        ),
        "{}",
        failed.err
    );
    // the secret in the store alone
    assert_eq!(me.config_text(), "");
    assert_eq!(me.record("getresponse")["unfinished"]["client_secret"], SECRET);
    let again = me.answers("").answers_hidden("").browser(looks).pastes(|url| decided(url, "allow"));
    let again = again.types("login getresponse");
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("\nClient id [practice-client]: \n"), "{}", again.err);
    assert!(again.err.contains("\nClient secret (not shown; Enter takes the stored one): \n"), "{}", again.err);
    assert!(!again.err_raw.contains(SECRET));
    let record = me.record("getresponse");
    assert_eq!((&record["unfinished"], &record["client_secret"]), (&json!(null), &json!(SECRET)));
    // nothing is asked any more
    let third = me.browser(looks).pastes(|url| decided(url, "allow")).types("login getresponse");
    assert_eq!(third.code, 0, "{}", third.err);
}

#[test]
fn an_address_that_can_be_no_client_id_is_asked_about_again_and_refused_as_an_option() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    for page in
        ["https://app.getresponse.com/authorizations", "HTTPS://App.GetResponse.com", "app.getresponse.com/api?x"]
    {
        let asked = me.answers(page).presses_ctrl_d().types("login getresponse");
        let why = format!(
            "\n`{page}` is no client id, but the address of a page of GetResponse, which shows the client id.\nClient id: \n"
        );
        assert!(asked.code == 6 && asked.err.contains(&why), "{}", asked.err);
        // nothing of it is kept
        assert!(me.keychain.accounts().is_empty());
        let refused = me.types(&format!("login getresponse --client-id {page}"));
        assert_eq!(refused.code, 2, "{}", refused.err);
        assert!(refused.err.ends_with("\nhint: oauthctl login getresponse --client-id ID\n"), "{}", refused.err);
    }
    let redirect = format!("http://127.0.0.1:{}/cb", own_port());
    let typed = format!("login getresponse --redirect-uri {redirect}");
    let asked = me.answers(&redirect).presses_ctrl_d().types(&typed);
    assert!(asked.err.contains("` is no client id, but the redirect URL, "), "{}", asked.err);
    for file in ["{\"installed\":{\"client_secret\":\"GOCSPX\"}}", "~/client_secret_7.json"] {
        let asked = me.answers(file).presses_ctrl_d().types("login getresponse");
        let why = "\nThat is no client id, but a file with one: copy its `client_id`.\nClient id: \n";
        assert!(asked.err.contains(why) && asked.err.matches("GOCSPX").count() <= 1, "{}", asked.err);
    }
    // an address of the client's own is a client id
    let asked = me.answers("https://client.example/oauth.json").presses_ctrl_d().types("login getresponse");
    assert!(asked.err.contains("your input is kept (the client id)"), "{}", asked.err);
}

#[test]
fn who_says_no_is_offered_nothing() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.answers("practice-client").answers_hidden(SECRET).browser(looks).pastes(|url| decided(url, "deny"));
    let failed = me.types("login getresponse");
    assert_eq!(failed.code, 3, "{}", failed.err);
    assert!(
        failed
            .err
            .contains("error: the sign-in was refused; your input is forgotten (the client id, the client secret)\n"),
        "{}",
        failed.err
    );
    assert!(!failed.err.contains("offers it"), "{}", failed.err);
    assert!(me.keychain.accounts().is_empty());
}

#[test]
fn a_refused_client_is_asked_for_again_at_a_terminal_and_nowhere_else() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    const LOGIN: &str = "login getresponse --grant client-credentials";
    let refused = me.answers("practice-client").answers_hidden("a-wrong-secret").types(LOGIN);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(
        refused.err.ends_with(
            "hint: check the client id and the client secret: `oauthctl login getresponse --grant client-credentials` asks for both again\n"
        ),
        "{}",
        refused.err
    );
    let right = me.answers("").answers_hidden(SECRET).types(LOGIN);
    assert_eq!(right.code, 0, "{}", right.err);
    assert!(right.err.contains("The provider refused this client id or this client secret: check both.\n"));
    // one that was right once, and is not any more
    me.tamper("getresponse", |record| record["client_secret"] = json!("it-was-rolled-over"));
    assert_eq!(me.types(LOGIN).code, 2, "a script is told, and asked nothing");
    assert_eq!(me.at_a_terminal().types(LOGIN).code, 2);
    let before = me.record("getresponse")["token"].clone();
    assert_eq!(me.types(LOGIN).code, 2, "a script is asked nothing after it either");
    let right = me.answers("").answers_hidden(SECRET).types(LOGIN);
    assert_eq!(right.code, 0, "{}", right.err);
    assert_ne!(me.record("getresponse")["token"], before);
    assert_eq!(me.record("getresponse")["client_secret"], SECRET);
}

#[test]
fn a_refusal_that_is_a_page_leads_to_the_questions_too() {
    let mut me = Person::new();
    let server = me.practice(Manners::VerticalResponse);
    let line = format!("login verticalresponse --redirect-uri http://127.0.0.1:{}/cb", own_port());
    me.answers("practice-client").answers_hidden(SECRET).browser(allows).answers("y");
    assert_eq!(me.types(&line).code, 0);
    me.tamper("verticalresponse", |record| record["client_secret"] = json!("it-was-rolled-over"));
    let refused = me.at_a_terminal().browser(allows).types(&line);
    assert_eq!(refused.code, 7, "{}", refused.err);
    assert!(
        refused.err.contains(": `oauthctl login verticalresponse --redirect-uri http")
            && refused.err.ends_with("/cb` asks for both again\n"),
        "{}",
        refused.err
    );
    me.answers("").answers_hidden(SECRET).browser(allows).answers("y");
    assert_eq!(me.types(&line).code, 0);
    assert_eq!(server.log().iter().filter(|l| l.path == "/api/v1/oauth/access_token").count(), 3);
}

#[test]
fn what_was_typed_for_one_address_is_offered_for_no_other() {
    let mut me = Person::new();
    let first = me.odd("first", |_| answer(401, "application/json", r#"{"error":"temporarily_unavailable"}"#));
    let bare = |text: String| {
        text.replace("client-id = \"an-app\"\n", "").replace("auth = [\"none\", \"basic\"]", "auth = [\"basic\"]")
    };
    me.config("providers/odd.toml", &bare(first.provider("odd")));
    const LOGIN: &str = "login odd --grant client-credentials";
    assert_ne!(me.answers("an-id").answers_hidden("hush-hush-hush").types(LOGIN).code, 0);
    let second = me.odd("second", |request| {
        assert_eq!(request.header("authorization"), Some("Basic YW4taWQ6YW5vdGhlcg=="), "not another server's secret");
        answer(401, "application/json", r#"{"error":"invalid_client"}"#)
    });
    me.config("providers/odd.toml", &bare(second.provider("odd")));
    let asked = me.answers("an-id").answers_hidden("another").types(LOGIN);
    assert!(asked.err.contains("\nClient id: an-id\nClient secret (not shown): \n"), "{}", asked.err);
    // the same name for another provider
    me.practice(Manners::GetResponse);
    let other = me.presses_ctrl_c().types("login odd --provider getresponse --grant client-credentials");
    assert!(other.err.contains("\nClient id: \nerror:"), "{}", other.err);
    // and one that was kept for good goes to no other provider either
    assert_eq!(me.types("profile set odd provider odd").code, 0);
    assert_eq!(me.stdin("the-secret-of-odd\n").types("profile set-secret odd -").code, 0);
    let other = me.types("login odd --provider getresponse --grant client-credentials --client-id an-id");
    assert!(other.code == 2 && other.err.contains("the provider wants a client secret"), "{}", other.err);
}

#[test]
fn logout_and_remove_forget_what_was_typed() {
    for verb in ["logout getresponse", "profile remove getresponse"] {
        let mut me = Person::new();
        let _server = me.practice(Manners::GetResponse);
        me.answers("practice-client").presses_ctrl_c();
        assert_eq!(me.types("login getresponse").code, 130);
        assert_eq!(me.types(verb).code, 0);
        assert!(me.keychain.accounts().is_empty(), "{verb}");
        let asked = me.presses_ctrl_c().types("login getresponse");
        assert!(asked.err.contains("\nClient id (Enter opens that page): \n"), "{}", asked.err);
    }
}

#[test]
fn without_a_keychain_what_was_typed_waits_in_the_sealed_files() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.keychain.fault(Fault::Always(oauthctl::world::KeychainError::Absent("no session bus".to_owned())));
    me.answers("practice-client").presses_ctrl_c();
    let failed = me.types("login getresponse");
    assert!(failed.err.starts_with("No keychain answers here"), "said before anything is kept: {}", failed.err);
    let asked = me.answers("").presses_ctrl_c().types("login getresponse");
    assert!(asked.err.contains("\nClient id [practice-client]: \n"), "{}", asked.err);
    me.types("logout getresponse").is(
        0,
        "",
        "getresponse: no token is stored; the answers given to a login are deleted\n",
    );
    let asked = me.presses_ctrl_c().types("login getresponse");
    assert!(asked.err.contains("\nClient id (Enter opens that page): \n"), "{}", asked.err);
}

#[test]
fn a_login_that_stands_is_not_touched_by_one_that_is_not_finished() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.answers("practice-client").answers_hidden(SECRET).browser(looks).pastes(|url| decided(url, "allow"));
    assert_eq!(me.types("login getresponse").code, 0);
    let before = me.record("getresponse");
    me.tamper("getresponse", |record| {
        record["unfinished"] = json!({ "provider": "getresponse", "client_id": "another", "refused": true });
    });
    assert_eq!(me.types("refresh getresponse").code, 0);
    assert_eq!(me.record("getresponse")["unfinished"]["client_id"], "another", "a renewal leaves it alone");
    assert_ne!(me.record("getresponse")["token"], before["token"]);
    assert_eq!(me.record("getresponse")["client_id"], "practice-client");
}

#[test]
fn an_empty_enter_is_asked_again() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.answers("").answers(" ").answers("practice-client").answers_hidden("").answers_hidden(SECRET);
    let done = me.types("login getresponse --grant client-credentials");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.err.matches("Nothing was entered.").count(), 3, "{}", done.err);
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_asked() {
    let (_taken, address) = crate::world::serve::taken();
    let port = address.port();
    let mut me = Person::new();
    for provider in ["constantcontact", "vr2", "verticalresponse"] {
        let done = me.at_a_terminal().types(&format!("login {provider} --port {port}"));
        assert_eq!(done.code, 75, "{}", done.err);
        assert!(done.err.starts_with(&format!("error: port {port} is taken")), "{}", done.err);
    }
    assert!(me.keychain.accounts().is_empty());
}

#[test]
fn answers_for_a_providers_variables_are_judged_as_they_are_typed() {
    let mut me = Person::new();
    me.answers("https://mail.example.com").answers("mail.example.com").answers("7").answers("2").presses_ctrl_c();
    let done = me.types("login max --provider getresponse --environment max");
    assert_eq!(done.code, 130, "{}", done.err);
    for words in [
        "The API host of your account (your account manager tells which)",
        "The domain of your GetResponse MAX account",
        "   1  api3.getresponse360.com\n",
        "Number or name: 7\n`api_host` must be one of",
        "Number or name: 2\n",
        "www.: https://mail.example.com\n`domain` must be a host name, without `https://` and without a path.\n",
        "\nClient id: \nerror: interrupted; nobody was signed in\n",
        "hint: your input is kept (api_host, domain): `oauthctl login max --provider getresponse --environment max` offers it\n",
    ] {
        assert!(done.err.contains(words), "{words}: {}", done.err);
    }
    // offered the next time, by Enter alone
    me.answers("").answers("").presses_ctrl_c();
    let again = me.types("login max --provider getresponse --environment max");
    assert!(again.err.contains("www. [mail.example.com]: \n"), "{}", again.err);
    assert!(again.err.contains("Number or name [api3.getresponse360.pl]: \n"), "{}", again.err);
}

#[test]
fn that_ones_own_account_needs_no_browser_is_said_before_the_first_question() {
    let mut me = Person::new();
    for (login, line) in [
        ("login getresponse", Some("oauthctl login getresponse --grant client-credentials")),
        (
            "login work --provider getresponse",
            Some("oauthctl login work --provider getresponse --grant client-credentials"),
        ),
        ("login vr2 --port PORT", Some("--grant client-credentials")),
        ("login constantcontact --port PORT", None),
    ] {
        // a provider's own port is for the logins of whoever runs this
        let asked = me.presses_ctrl_c().types(&login.replace("PORT", &own_port().to_string()));
        let said = asked.err.lines().find(|l| l.starts_with("  For your own account you"));
        assert_eq!(said.is_some(), line.is_some(), "{login}: {}", asked.err);
        assert!(said.zip(line).is_none_or(|(said, line)| said.ends_with(line)), "{said:?}");
        assert!(asked.err.find("For your own account") < asked.err.find("Client id"), "{}", asked.err);
    }
}

#[test]
fn a_secret_is_hidden_wherever_standard_input_is_a_terminal() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    assert_eq!(me.types("profile set work provider getresponse").code, 0);
    for line in ["profile set-secret work -", "profile set-secret work"] {
        let kept = me.answers_hidden("Zq8-xyzzy-4711").types(line);
        assert_eq!(kept.code, 0, "{}", kept.err);
        kept.tells_nothing_of("Zq8-xyzzy-4711");
        assert!(kept.err.starts_with("Client secret (not shown): \nwork: the client secret is stored"), "{}", kept.err);
        assert_eq!(me.record("work")["client_secret"], "Zq8-xyzzy-4711");
    }
    me.types("profile set-secret work").fails(
        2,
        "
        error: no file with the client secret is named, and there is no terminal to ask at
        hint: oauthctl profile set-secret work FILE
        hint: oauthctl profile set-secret work - < FILE
    ",
    );
    assert_eq!(me.set("CI", "true").at_a_terminal().types("profile set-secret work").code, 2);
    me.unset("CI");
    me.presses_ctrl_c()
        .types("profile set-secret work")
        .fails(130, "Client secret (not shown): \nerror: interrupted; nothing was done\n");
    me.presses_ctrl_d()
        .types("token work --grant client-credentials --client-id practice-client --client-secret-file -")
        .fails(
            6,
            "Client secret (not shown): \nerror: the input ended before the question was answered; nothing was done\n",
        );
    let token = me.answers_hidden(SECRET);
    let token = token.types("token work --grant client-credentials --client-id practice-client --client-secret-file -");
    assert_eq!((token.code, token.err.as_str()), (0, "Client secret (not shown): \n"));
    let inspected = me.answers_hidden("no.token.at-all").types("inspect -");
    assert!(inspected.code == 7 && inspected.err.starts_with("Token (not shown): \n"), "{}", inspected.err);
    for (flag, question) in [
        ("--grant password --username a --password-file -", "Password (not shown): \n"),
        ("--grant jwt-bearer --assertion-file -", "Assertion (not shown; Enter and Ctrl-D end it): \n"),
        ("--grant token-exchange --subject-token-file -", "Subject token (not shown; Enter and Ctrl-D end it): \n"),
        ("--client-key-file -", "Client key (not shown; Enter and Ctrl-D end it): \n"),
    ] {
        let asked = me.presses_ctrl_c().types(&format!("login work --client-id practice-client {flag}"));
        assert!(asked.code == 130 && asked.err.contains(question), "{flag}: {}", asked.err);
    }
}

fn vertical(me: &mut Person, port: u16) -> (oauthctl::sandbox::Server, String) {
    let redirect = format!("http://127.0.0.1:{port}/cb");
    let server = me.practice_for(oauthctl::sandbox::Options::new(Manners::VerticalResponse), &redirect);
    me.config(
        "config.toml",
        &format!(
            "[profiles.verticalresponse]\nprovider = \"verticalresponse\"\nredirect-uri = \"{redirect}\"\n\
             client-id = \"practice-client\"\nclient-secret = {{ env = \"VR_SECRET\" }}\n"
        ),
    );
    me.set("VR_SECRET", SECRET);
    (server, redirect)
}

#[test]
fn where_state_does_not_come_back_the_page_leads_to_the_terminal_and_enter_alone_keeps_nothing() {
    for (say, code) in [("", 3), ("n", 3), ("maybe\n", 3), ("^C", 130), ("^D", 3)] {
        let mut me = Person::new();
        let (_server, _) = vertical(&mut me, own_port());
        me.browser(allows);
        let done = match say {
            "^C" => me.presses_ctrl_c(),
            "^D" => me.presses_ctrl_d(),
            // neither yes nor no: asked again
            "maybe\n" => me.answers("maybe").answers(""),
            say => me.answers(say),
        }
        .types("login verticalresponse");
        assert_eq!(done.code, code, "{say}: {}", done.err);
        assert_eq!(done.pages[0].title, "Go back to your terminal now", "{say}");
        assert!(done.err.contains("It is the account alice@example.test (user_id "), "{}", done.err);
        assert!(done.err.contains("should its token be stored? [y/N]: "), "{}", done.err);
        assert!(
            done.err.contains("the tokens were not stored\ncaused by: VerticalResponse (classic) does not support"),
            "{}",
            done.err
        );
        assert!(me.keychain.accounts().is_empty(), "{say}");
    }
    let mut me = Person::new();
    let (_server, _) = vertical(&mut me, own_port());
    assert_eq!(me.browser(allows).answers("y").types("login verticalresponse").code, 0);
    assert_eq!(me.record("verticalresponse")["login_at"], START);
}

#[test]
fn what_is_not_kept_is_revoked_where_that_can_be_done() {
    let mut me = Person::new();
    let revoked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = revoked.clone();
    let odd = me.odd("odd", move |request| match request.path.as_str() {
        "/token" => answer(200, "application/json", r#"{"access_token":"an-access-token","token_type":"Bearer"}"#),
        "/revoke" => {
            seen.lock().unwrap().push(String::from_utf8_lossy(&request.body).into_owned());
            answer(200, "application/json", "{}")
        }
        other => panic!("{other}"),
    });
    let text = odd.provider("odd").replace("/authorize\"\n", "/authorize\"\nstate = \"not_returned\"\n");
    me.config("providers/odd.toml", &format!("{text}[revoke]\nurl = \"{}/revoke\"\n", odd.base));
    let act = |url: &str| {
        let asked = url::Url::parse(url).unwrap();
        let back = asked.query_pairs().find(|(n, _)| n == "redirect_uri").unwrap().1.into_owned();
        vec![go(&with(&format!("{back}?code=a-code"), "x", None))]
    };
    let done = me.browser(act).answers("").types("login odd");
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("The response names no account. The provider's page"), "{}", done.err);
    assert!(done.err.contains("\ncaused by: the provider has revoked the tokens\n"), "{}", done.err);
    assert_eq!(revoked.lock().unwrap().len(), 1);
    assert!(revoked.lock().unwrap()[0].contains("token=an-access-token"));
}

#[test]
fn without_state_only_this_machine_may_answer() {
    let mut me = Person::new();
    let urls = "authorize.url = \"https://odd.example/a\"\ntoken.url = \"https://odd.example/t\"\n";
    me.config("providers/odd.toml", &format!("id = \"odd\"\nauthorize.state = \"not_returned\"\n{urls}"));
    let done = me.types("login odd --listen 0.0.0.0");
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains(" returns no `state`: only this machine may answer it\n"), "{}", done.err);
}

#[test]
fn login_alone_offers_a_list_at_a_terminal() {
    let mut me = Person::new();
    let alone = me.types("login");
    assert_eq!(alone.code, 2, "{}", alone.err);
    assert!(alone.err.starts_with("error: no profile was named, and there is none yet\n"), "{}", alone.err);
    me.config("providers/mine.toml", "extends = \"getresponse\"\nname = \"My own\"\n");
    me.answers("99").answers("no-such").answers("").answers("Response").answers("sandbox");
    let done = me.browser(allows).types("login");
    assert_eq!(done.code, 0, "{}", done.err);
    for said in [
        "Sign in to one of these, to any of the ",
        "\n   1  mine            My own\n   2  google          Google\n",
        "\n  16  sandbox         practice: needs no account\n",
        "There is no `99`: ",
        "There is no `no-such`: ",
        "\n   1  getresponse           GetResponse\n   2  verticalresponse      VerticalResponse (classic)\n",
    ] {
        assert!(done.err.contains(said), "{said} should be in\n{}", done.err);
    }
    // with one profile that one is meant
    assert_eq!(me.at_a_terminal().browser(denies).types("login").code, 3);
    assert_eq!(me.types("profile set work provider sandbox").code, 0);
    let done = me.answers("2").browser(allows).types("login");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("\n   2  work            your profile at sandbox\n   3  mine            My own\n"),
        "{}",
        done.err
    );
    assert_eq!(me.record("work")["provider"], "sandbox");
    let alone = me.set("OAUTHCTL_NO_INPUT", "1").at_a_terminal().types("login");
    assert_eq!(alone.code, 2, "{}", alone.err);
    assert_eq!(me.unset("OAUTHCTL_NO_INPUT").presses_ctrl_d().types("login").code, 6);
}

#[test]
fn a_secret_that_stays_in_the_environment_is_said_to_and_asked_for_where_it_is_missing() {
    let mut me = Person::new();
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", SECRET);
    let done = me.browser(allows).types("login sandbox");
    assert_eq!(done.code, 0, "{}", done.err);
    let said = "\nThe client secret is not stored: each refresh needs it in the environment (`oauthctl profile set-secret sandbox` stores it).\n";
    assert!(done.err.contains(said), "{}", done.err);
    assert_eq!(me.types("refresh sandbox").code, 0, "it is there");
    me.types("refresh").fails(
        2,
        "
        error: the login was made with a client secret from the variable OAUTHCTL_CLIENT_SECRET, which counts only where the profile is named
        hint: type the profile's name, or set OAUTHCTL_PROFILE
        hint: or keep it: `oauthctl profile set-secret sandbox` asks for it
    ",
    );
    me.unset("OAUTHCTL_CLIENT_ID").unset("OAUTHCTL_CLIENT_SECRET");
    assert_eq!(me.types("token sandbox").code, 0, "a fresh token needs none");
    let done = me.types("refresh sandbox");
    done.fails(
        2,
        "
        error: the login was made with a client secret from the variable OAUTHCTL_CLIENT_SECRET, which has it no more
        hint: put it there again, or set OAUTHCTL_CLIENT_SECRET
        hint: or keep it: `oauthctl profile set-secret sandbox` asks for it
    ",
    );
    assert!(done.sent.is_empty(), "{:?}", done.sent);
    assert_eq!(me.stdin(SECRET).types("profile set-secret sandbox -").code, 0);
    assert_eq!(me.types("refresh sandbox").code, 0);
    // a login that keeps it says nothing of the environment
    let kept = me.browser(allows).types("login sandbox");
    assert!(kept.code == 0 && !kept.err.contains("environment"), "{}", kept.err);
}

#[test]
fn a_question_waits_no_longer_than_the_timeout_and_nothing_is_half_kept() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    let done = me.stays_silent().types("login getresponse --timeout 90s");
    assert_eq!(done.code, 6, "{}", done.err);
    assert!(done.err.ends_with("page): \nerror: nobody answered within 90 s; nobody was signed in\n"), "{}", done.err);
    assert!(me.keychain.accounts().is_empty() && me.config_text().is_empty());
    // without echo, of a list, and yes or no
    let done = me.answers("practice-client").stays_silent().types("login getresponse --timeout 1m");
    assert_eq!(done.code, 6, "{}", done.err);
    let end = "Client secret (not shown): \nerror: nobody answered within 60 s; nobody was signed in\n\
               hint: your input is kept (the client id): `oauthctl login getresponse` offers it\n";
    assert!(done.err.ends_with(end), "{}", done.err);
    let done = me.stays_silent().types("login --timeout 2s");
    assert!(done.code == 6 && done.err.contains("error: nobody answered within 2 s;"), "{}", done.err);
}

#[test]
fn a_question_that_nobody_can_see_is_not_asked() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    for (line, not_done) in [
        ("profile set-secret getresponse", "nothing was done"),
        ("login getresponse", "nobody was signed in"),
        ("login", "nobody was signed in"),
    ] {
        let done = me.at_a_terminal().sees_no_screen().types(line);
        assert_eq!(done.code, 2, "{}", done.err);
        let end = format!(
            "error: standard error is no terminal, so a question can't be seen; {not_done}\n\
             hint: leave standard error on the terminal\n"
        );
        assert!(done.err.ends_with(&end), "{line}: {}", done.err);
    }
    // standard error is a terminal: the one way is enough
    let done = me.answers_hidden(SECRET).sees_no_screen().sees_stderr().types("profile set-secret getresponse");
    assert_eq!(done.code, 0, "{}", done.err);
}
