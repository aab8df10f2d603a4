//! `import`: logins of other programs, stored before they are spent.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::world::{Odd, Person, answer, serve};

/// The state of the server.
#[derive(Default)]
struct Server {
    /// What it was sent, in order.
    seen: Mutex<Vec<String>>,
    count: AtomicUsize,
    busy: AtomicBool,
    wants_secret: AtomicBool,
    refuses_client: AtomicBool,
}

/// A server that replaces each refresh token, and refuses one that begins with `dead`.
fn server(me: &mut Person) -> (Odd, Arc<Server>) {
    let state = Arc::new(Server::default());
    let its = state.clone();
    let server = me.odd("acme", move |request: &serve::Request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let busy = its.busy.load(Ordering::SeqCst);
        let number = its.count.fetch_add(usize::from(!busy), Ordering::SeqCst) + 1;
        let has_secret = request.header("authorization").is_some() || body.contains("client_secret=");
        let (status, said) = match () {
            () if body.contains("refresh_token=dead") => (400, json!({ "error": "invalid_grant" })),
            () if its.refuses_client.load(Ordering::SeqCst) => (401, json!({ "error": "invalid_client" })),
            () if its.wants_secret.load(Ordering::SeqCst) && !has_secret => (401, json!({ "error": "invalid_client" })),
            () if busy => (503, json!({})),
            () => {
                let token = |kind: &str| format!("{kind}-{number}");
                (
                    200,
                    json!({ "access_token": token("access"), "refresh_token": token("refresh"), "token_type": "Bearer",
                        "expires_in": 600 }),
                )
            }
        };
        its.seen.lock().unwrap().push(body);
        answer(status, "application/json", &said.to_string())
    });
    for name in ["acme", "dropbox", "google-drive", "google"] {
        let text = server
            .provider(name)
            .replace("client-id = \"an-app\"\n", "")
            .replace("[api]", "[refresh]\nrotates = \"yes\"\n[api]");
        me.config(&format!("providers/{name}.toml"), &text);
    }
    (server, state)
}

const TOKEN: &str = "import refresh-token --profile work --provider acme --client-id app";

#[test]
fn a_refresh_token_becomes_a_login_and_is_spent_once() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let done = me.stdin("refresh-of-another\n").types(TOKEN);
    done.is(0, "", "Imported: the token of `work` expires in 10 min, at 2026-11-21T22:10:00Z.\n");
    assert_eq!(state.seen.lock().unwrap().len(), 1);
    let sent = state.seen.lock().unwrap()[0].clone();
    assert!(sent.contains("refresh_token=refresh-of-another") && sent.contains("client_id=app"), "{sent}");
    me.types("token work").is(0, "access-1\n", "");
    assert_eq!(me.kept("work", "refresh_token"), "refresh-1");
    me.later(600);
    me.types("token work").is(0, "access-2\n", "");

    let done = me.stdin("refresh-token-of-nobody").types(TOKEN);
    assert!(done.code == 2 && done.err.contains("`work` has a login already"), "{}", done.err);
    assert_eq!(me.kept("work", "refresh_token"), "refresh-2");
    let done = me.stdin("refresh-token-of-nobody").types("import refresh-token --profile two --provider acme");
    assert!(done.code == 2 && done.err.contains("belongs to a client"), "{}", done.err);
    assert_eq!(state.seen.lock().unwrap().len(), 2);
    for (line, says) in [
        ("import refresh-token --profile two --provider nobody", "`nobody`"),
        ("import firefox", "`firefox`"),
        (
            "import refresh-token --profile two --provider acme --client-id app --grant client-credentials",
            "needs no login",
        ),
    ] {
        let done =
            if line.contains("refresh") { me.stdin("refresh-token-x-of-nobody").types(line) } else { me.types(line) };
        assert!(done.code == 2 && done.err.contains(says), "{line}: {}", done.err);
    }
}

#[test]
fn what_was_taken_over_once_is_not_sent_again() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    assert_eq!(me.stdin("refresh-of-another\n").types(TOKEN).code, 0);
    let sent = state.seen.lock().unwrap().len();
    // the token that came, and the one that took its place
    for token in ["refresh-of-another", "refresh-1"] {
        me.stdin(token).types(&TOKEN.replace("work", "two")).fails(
            2,
            "
            error: that login is here already, as `work`
            caused by: a refresh token that is sent a second time may end it
            hint: to give it another name: oauthctl profile rename work NEW
        ",
        );
    }
    assert_eq!(state.seen.lock().unwrap().len(), sent, "nothing was sent");
    // one that was refused for want of a secret is tried again with it
    state.wants_secret.store(true, Ordering::SeqCst);
    let line = TOKEN.replace("work", "two");
    let done = me.stdin("refresh-of-two").types(&line);
    let hint = "hint: the login is stored: `oauthctl profile set-secret two` gives it a client secret, then `oauthctl refresh \
                two` tries it again\nhint: if the client id is wrong: the same `import` again, with `--client-id ID`\n";
    assert!(done.code == 2 && done.err.contains(hint), "{}", done.err);
    std::fs::write(me.path("secret"), "the-secret-of-acme\n").unwrap();
    let file = me.path("secret").display().to_string();
    assert_eq!(me.stdin("refresh-of-two").types(&format!("{line} --client-secret-file {file}")).code, 0);
    me.later(600);
    assert_eq!(me.types("token two").code, 0, "the secret is stored with it");
    // and so does what the hints say
    assert_eq!(me.stdin("refresh-of-three").types(&TOKEN.replace("work", "three")).code, 2);
    let told = "FAIL  login          the login of `three` was imported, and could not be refreshed yet\n";
    let doctor = me.types("doctor");
    assert!(doctor.out.contains(told) && doctor.out.contains("do: oauthctl refresh three\n"), "{}", doctor.out);
    assert_eq!(me.types(&format!("profile set-secret three {file}")).code, 0);
    assert_eq!(me.types("refresh three").code, 0);
    me.later(600);
    assert_eq!(me.types("token three").code, 0);
    assert_eq!(me.stdin("refresh-of-four").types(&TOKEN.replace("work", "four")).code, 2);
    let line = format!("{} --client-secret-file {file}", TOKEN.replace("work", "four").replace("app", "another"));
    assert_eq!(me.stdin("refresh-of-four").types(&line).code, 0);
    state.wants_secret.store(false, Ordering::SeqCst);
    assert_eq!(me.types("logout two --local-only").code, 0);
    // an ended login may come back
    assert_eq!(me.types("logout work --local-only").code, 0);
    assert_eq!(me.stdin("refresh-of-another").types(&TOKEN.replace("work", "two")).code, 0);
}

/// Imports at once: each line with its token. Returns how many of them were done.
fn at_once(me: &Person, lines: &[(String, String)]) -> usize {
    let folders = ["config", "state"].map(|name| me.path(name).display().to_string());
    let (folders, keychain) = (&folders, &me.keychain);
    std::thread::scope(|scope| {
        let run = |(line, token): &(String, String)| {
            let (line, token) = (line.clone(), token.clone());
            scope.spawn(move || {
                let mut one = Person::new();
                one.keychain = keychain.clone();
                one.set("XDG_CONFIG_HOME", &folders[0]).set("XDG_STATE_HOME", &folders[1]);
                one.stdin(&token).types(&line).code
            })
        };
        let all: Vec<_> = lines.iter().map(run).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).filter(|code| *code == 0).count()
    })
}

#[test]
fn imports_at_once_take_over_each_login_once_and_lose_none() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let six: Vec<_> =
        (0..6).map(|at| (TOKEN.replace("work", &format!("name-{at}")), "refresh-of-one".to_owned())).collect();
    assert_eq!(at_once(&me, &six), 1);
    assert_eq!(state.seen.lock().unwrap().len(), 1, "one token is sent once");
    let four: Vec<_> = (0..4).map(|at| (TOKEN.to_owned(), format!("refresh-of-{at}-of-four"))).collect();
    assert_eq!(at_once(&me, &four), 1);
    assert_eq!(state.seen.lock().unwrap().len(), 2, "the others are not stored");
}

#[test]
fn what_is_no_login_is_told_without_its_words() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    for (source, text, says) in [
        ("refresh-token", "{\n\"refresh_token\": \"a-secret-word\" }", "no refresh token alone: it begins as JSON"),
        ("refresh-token", "\n", "it is empty"),
        ("rclone", " \r\n", "standard input is empty: there is no login in it"),
        ("rclone", "[a]\ntype = sftp\n", "standard input has no login that can be imported"),
        ("gcloud", "\"a-secret-word\"", "invalid type: text, expected struct Credentials at line 1"),
        ("postman", "{ \"values\": \"a-secret-word\" }", "invalid type: text, expected a sequence"),
        ("oauth2l", "\"a-\\\"secret-word\"", "invalid type: text, expected a map"),
        ("ortie", "accounts = \"a-secret-word\"", "invalid type: text, expected a map"),
        ("login", "-----BEGIN AGE ENCRYPTED FILE-----\n", "that login is still sealed"),
        ("dotenv", "A_REFRESH_TOKEN=a-secret-word\nB_REFRESH_TOKEN=b\n", "several refresh tokens: A_REFRESH_TOKEN,"),
    ] {
        let done = me.stdin(text).types(&format!("import {source} - --provider acme --client-id app"));
        assert!(done.code == 2 && done.err.contains(says), "{source} {text}: {}", done.err);
        done.tells_nothing_of("secret-word");
    }
    assert!(state.seen.lock().unwrap().is_empty());
    // the variables of a provider of one's own are its own
    let text = "ACME_REFRESH_TOKEN=a-secret-word\nACME_CLIENT_ID=c\n";
    let done = me.stdin(text).types("import dotenv - --provider dropbox");
    assert!(done.code == 2 && done.err.contains("the variables are those of `acme`, and"), "{}", done.err);
    let done = me.stdin(text).types("import dotenv -");
    assert!(done.err.contains("Imported: the token of `acme`"), "{}", done.err);
    assert!(state.seen.lock().unwrap().iter().all(|sent| sent.contains("client_id=c")));
    // nothing is promised of a store before the provider's file is read
    me.set("OAUTHCTL_STORE", "file").config("providers/broken.toml", "id = 5\n");
    let done = me.stdin("a-token").types("import refresh-token --provider broken --client-id app --profile b");
    assert!(done.code == 2 && !done.err.contains("sealed files"), "{}", done.err);
    let done = me.stdin("a-token").types("import refresh-token --client-id app --profile b");
    assert!(done.err.contains("hint: `--provider NAME` says at which provider the login was made\n"), "{}", done.err);
}

#[test]
fn a_login_that_is_dead_or_a_server_that_is_busy_is_told() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    state.busy.store(true, Ordering::SeqCst);
    let done = me.stdin("busy-token").types(TOKEN);
    assert_eq!(done.code, 75, "{}", done.err);
    assert!(done.err.contains("the login is stored: `oauthctl refresh work`"), "{}", done.err);
    me.later(3600);
    state.busy.store(false, Ordering::SeqCst);
    me.types("token work").is(0, "access-1\n", "");
    let done = me.stdin("dead-token").types(&TOKEN.replace("work", "two"));
    assert!(done.code == 4 && !done.err.contains("dead-token"), "{}", done.err);
    assert!(done.err.contains("caused by: nothing was stored: the profile is as it was\n"), "{}", done.err);
    assert!(!me.types("list").out.contains("two"));
    let done = me.types("token two");
    assert_eq!((done.code, &*done.out), (2, ""), "{}", done.err);
    assert_eq!(state.seen.lock().unwrap().iter().filter(|sent| sent.contains("dead-token")).count(), 1);
}

#[test]
fn a_refused_import_leaves_the_profile_as_it_was() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let written = "# mine\n[profiles.work] # of work\nprovider = \"acme\"\nclient-id = \"app\" # by hand\n";
    me.config("config.toml", written);
    std::fs::write(me.path("secret"), "the-secret-of-acme\n").unwrap();
    let file = me.path("secret").display().to_string();
    assert_eq!(me.types(&format!("profile set-secret work {file}")).code, 0);
    let config = |me: &Person| std::fs::read_to_string(me.path("config/oauthctl/config.toml")).unwrap();
    let secret = me.record("work")["client_secret"].clone();
    assert!(secret.is_string());
    // elsewhere: nothing is sent
    for (options, place) in
        [("--provider dropbox --client-id app", "provider `acme`"), ("--client-id another", "client `app`")]
    {
        let done = me.stdin("refresh-of-it").types(&format!("import refresh-token --profile work {options}"));
        let told = format!(
            "error: the configuration of `work` is for the {place} alone\n\
             caused by: this command leads elsewhere; nothing was sent\n\
             hint: a profile of its own: oauthctl import refresh-token --profile ANOTHER\n"
        );
        assert!(done.code == 7 && done.err == told, "{}", done.err);
    }
    assert!(state.seen.lock().unwrap().is_empty());
    // a record without a profile too
    me.config("config.toml", "");
    let done =
        me.stdin("refresh-of-it").types("import refresh-token --profile work --provider dropbox --client-id app");
    assert!(done.code == 7 && done.err.contains("the client secret of `work` is for the provider `acme` alone"));
    me.config("config.toml", written);
    // refused: its token, or its client
    std::fs::write(me.path("another"), "another-secret-of-acme\n").unwrap();
    let another = me.path("another").display().to_string();
    let line = format!("{TOKEN} --scope a --client-secret-file {another}");
    let done = me.stdin("dead-token").types(&line);
    assert!(done.code == 4 && done.err.contains("nothing was stored"), "{}", done.err);
    assert_eq!((config(&me), me.record("work")["client_secret"].clone()), (written.to_owned(), secret.clone()));
    state.refuses_client.store(true, Ordering::SeqCst);
    let done = me.stdin("good-token").types(&line);
    assert!(done.code == 2 && done.err.contains("nothing was stored"), "{}", done.err);
    assert_eq!((config(&me), me.record("work")["client_secret"].clone()), (written.to_owned(), secret.clone()));
    assert!(me.record("work")["token"].is_null());
    state.refuses_client.store(false, Ordering::SeqCst);
    // a server that is busy may have spent the token: it is kept, and so is the secret
    state.busy.store(true, Ordering::SeqCst);
    let done = me.stdin("good-token").types(&line);
    assert!(done.code == 75 && done.err.contains("the login is stored"), "{}", done.err);
    assert_eq!(me.record("work")["earlier_client_secret"], secret);
}

#[test]
fn rclones_remotes_are_taken_over_each_under_its_name() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let token = |name: &str| json!({ "access_token": "a", "token_type": "bearer", "refresh_token": name, "expiry": "2020-01-01T00:00:00Z" });
    let conf = format!(
        "# a comment\n[files]\ntype = dropbox\nclient_id = app-1\nclient_secret = a-secret-01\ntoken = {}\n\n\
         [docs]\r\ntype = drive\r\nclient_id = app-2\r\nscope = drive\r\ntoken = {}\r\n\n[local]\ntype = local\n\n\
         [shared]\ntype = drive\nclient_id =\ntoken = {}\n\n[jam]\ntype = jottacloud\nclient_id = x\ntoken = {}\n\n\
         [half]\ntype = dropbox\nclient_id = x\ntoken = {{\"access_token\":\"a\"}}\n",
        token("from-files"),
        token("from-docs"),
        token("x"),
        token("x"),
    );
    me.config("rclone.conf", &conf);
    let file = me.path("config/oauthctl/rclone.conf").display().to_string();
    let done = me.runs(&["import", "rclone", &file]);
    assert_eq!(done.code, 0, "{}", done.err);
    for line in [
        "`shared` is left out: its client is rclone's own; sign in with yours: oauthctl login google-drive",
        "`jam` is left out: `jottacloud` is no back end whose provider is known",
        "`half` is left out: its token can't be read",
        "Imported: the token of `files` expires in",
        "Imported: the token of `docs` expires in",
    ] {
        assert!(done.err.contains(line), "{line}: {}", done.err);
    }
    me.types("token files").is(0, "access-1\n", "");
    me.types("token docs").is(0, "access-2\n", "");
    assert_eq!(state.seen.lock().unwrap().iter().filter(|sent| sent.contains("from-")).count(), 2);
    // a client secret is kept with the login
    me.later(600);
    me.types("token files").is(0, "access-3\n", "");
    let profile: Value = serde_json::from_str(&me.types("list --format json").out).unwrap();
    assert!(profile.to_string().contains("dropbox"), "{profile}");
    let done = me.runs(&["import", "rclone", &file]);
    assert!(done.code == 2 && done.err.contains("has a login already"), "{}", done.err);
    let done = me.runs(&["import", "rclone", &file, "--profile", "nobody"]);
    assert!(done.code == 2 && done.err.contains("chooses one of several: "), "{}", done.err);
    me.config("rclone.conf", "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAAA\n");
    let done = me.runs(&["import", "rclone", &file]);
    assert!(done.code == 2 && done.err.contains("rclone config show | oauthctl import rclone -"), "{}", done.err);
}

#[test]
fn gclouds_and_oidc_agents_logins_are_read() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let adc = json!({ "type": "authorized_user", "client_id": "g", "client_secret": "g-secret-01", "refresh_token": "from-gcloud" });
    me.stdin(&adc.to_string()).types("import gcloud -").is(
        0,
        "",
        "Imported: the token of `gcloud` expires in 10 min, at 2026-11-21T22:10:00Z.\n",
    );
    let account = json!({ "name": "egi", "issuer_url": "https://issuer.example/", "client_id": "o", "client_secret": "",
        "refresh_token": "from-agent", "scope": "openid profile", "redirect_uris": [] });
    let done = me.stdin(&account.to_string()).types("import oidc-agent --provider acme");
    assert_eq!(done.code, 0, "{}", done.err);
    me.types("token egi").is(0, "access-2\n", "");
    assert!(state.seen.lock().unwrap()[1].contains("from-agent"));
    for (line, text, says) in [
        (
            "import gcloud -",
            json!({ "type": "service_account", "private_key": "x" }).to_string(),
            "have no refresh token",
        ),
        ("import gcloud -", "{}".to_owned(), "it is no login of gcloud's"),
        ("import oidc-agent", "no-json-of-the-tests".to_owned(), "it is no login of oidc-agent's"),
    ] {
        let done = me.stdin(&text).types(line);
        assert!(done.code == 2 && done.err.contains(says), "{line}: {}", done.err);
    }
    assert_eq!(state.seen.lock().unwrap().len(), 2);
}

#[test]
fn a_token_file_of_mutts_a_dotenv_and_a_postman_environment_are_read() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let mutt = json!({ "registration": "google", "authflow": "authcode", "email": "ann@example.test", "access_token": "a",
        "access_token_expiration": "2020-01-01T00:00:00", "refresh_token": "from-mutt", "client_id": "m", "client_secret": "m-secret-01" });
    let done = me.stdin(&mutt.to_string()).types("import mutt-oauth2 --provider google");
    assert_eq!(done.code, 0, "{}", done.err);
    me.types("token ann@example.test").is(0, "access-1\n", "");
    let dotenv = "# ours\nexport DROPBOX_CLIENT_ID='d' # the app\nDROPBOX_CLIENT_SECRET=\"d-secret-01\"\nOTHER=1\n\
                  DROPBOX_REFRESH_TOKEN=from-dotenv # kept\n";
    let done = me.stdin(dotenv).types("import dotenv - --provider dropbox");
    assert_eq!(done.code, 0, "{}", done.err);
    let value = |key: &str, value: Value, enabled: bool| json!({ "key": key, "value": value, "enabled": enabled });
    let postman = json!({ "name": "Local", "_postman_variable_scope": "environment", "values": [
        value("refreshToken", json!("not-this-one"), false),
        value("refreshToken", json!("from-postman"), true),
        value("clientId", json!("p"), true),
        value("number", json!(7), true),
    ] });
    let done = me.stdin(&postman.to_string()).types("import postman --provider acme --profile pm");
    assert_eq!(done.code, 0, "{}", done.err);
    let seen = state.seen.lock().unwrap().clone();
    for sent in ["from-mutt", "from-dotenv", "from-postman"] {
        assert_eq!(seen.iter().filter(|body| body.contains(sent)).count(), 1, "{sent}: {seen:?}");
    }
    assert_eq!(me.record("dropbox")["client_id"], "d");
    assert_eq!(me.record("dropbox")["client_secret"], "d-secret-01");
    let done =
        me.stdin("CLIENT_ID=x\nCLIENT_SECRET=hush-hush-9\n").types("import dotenv - --provider acme --profile none");
    let hint = "hint: a client without a login: oauthctl init PROVIDER --client-id ID --client-secret-file FILE\n";
    assert!(done.code == 2 && done.err.ends_with(hint), "{}", done.err);
    // a token goes to its own server, with its own client
    let asked = || state.seen.lock().unwrap().clone();
    let before = asked();
    for (file, says) in [
        ("GOOGLE_REFRESH_TOKEN=g-1\nACME_REFRESH_TOKEN=a-1\n", "GOOGLE_REFRESH_TOKEN, ACME_REFRESH_TOKEN"),
        ("GOOGLE_REFRESH_TOKEN=g-1\nGOOGLE_CLIENT_ID=g\n", "the variables are those of `google`"),
    ] {
        let done = me.stdin(file).types("import dotenv - --provider acme --profile other");
        assert!(done.code == 2 && done.err.contains(says), "{}", done.err);
    }
    assert_eq!(asked(), before);
    let mixed = "X_CLIENT_ID=wrong\nX_CLIENT_SECRET=of-another-1\nACME_CLIENT_ID=right\nACME_REFRESH_TOKEN=from-two\n";
    let done = me.stdin(mixed).types("import dotenv - --provider acme --profile two");
    assert_eq!(done.code, 0, "{}", done.err);
    let sent = asked().pop().expect("a request");
    assert!(sent.contains("client_id=right") && !sent.contains("of-another"), "{sent}");
}

#[test]
fn a_profile_goes_to_a_colleague_without_secrets_and_what_is_this_machines_own() {
    let mut me = Person::new();
    me.config(
        "config.toml",
        "[profiles.work]\nprovider = \"getresponse\"\nenvironment = \"max\"\nclient-id = \"app-1\"\nscopes = [\"a\", \"b\"]\n\
         vars = { domain = \"mail.example.com\", api_host = \"api3.getresponse360.com\" }\nstore = \"file\"\n\
         client-secret = { command = [\"pass\", \"show\", \"x\"] }\nbrowser = [\"firefox\"]\nhelper-hosts = [\"evil.example\"]\n",
    );
    let done = me.types("export work");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.starts_with("[profiles.work]\n") && done.out.contains("client-id = \"app-1\"\n"), "{}", done.out);
    for own in ["pass", "firefox", "evil.example", "store"] {
        assert!(!done.out.contains(own), "{own}: {}", done.out);
    }
    assert!(done.err.contains("left out: ") && done.err.contains("helper-hosts"), "{}", done.err);
    for (key, value) in [("params.api_key", "a-secret-key-1"), ("params.foo", "Bearer a-secret-2")] {
        assert_eq!(me.runs(&["profile", "set", "work", key, value]).code, 0);
        let done = me.types("export work");
        assert!(!done.out.contains("a-secret") && done.err.contains(key), "{}{}", done.out, done.err);
        assert_eq!(me.types(&format!("profile unset work {key}")).code, 0);
    }
    let mut other = Person::new();
    let taken = other.stdin(&done.out).types("import profile");
    taken.is(0, "", "work: the profile is there. Next: oauthctl login work\n");
    assert_eq!(other.types("export work").out, done.out);
    let again = other.stdin(&done.out).types("import profile");
    assert!(again.code == 2 && again.err.contains("there is a profile `work` already"), "{}", again.err);
    assert_eq!(other.stdin(&done.out).types("import profile - --profile two").code, 0);
    // a text from elsewhere runs nothing and sends nothing
    let evil = "[profiles.x]\nprovider = \"getresponse\"\nclient-secret = { command = [\"rm\"] }\nhelper-hosts = [\"evil.example\"]\n";
    assert_eq!(other.stdin(evil).types("import profile").code, 0);
    assert!(
        !other.config_text().contains("evil.example") && !other.config_text().contains("rm"),
        "{}",
        other.config_text()
    );
    for (text, says) in [
        ("", "there is no profile in it"),
        ("[profiles.y]\nprovider = \"nobody\"\n", "oauthctl provider show nobody"),
        ("nonsense", "that is no exported profile"),
    ] {
        let done = other.stdin(text).types("import profile");
        assert!(done.code == 2 && done.err.contains(says), "{text}: {}", done.err);
    }
}

// each key of a profile that is neither a secret nor this machine's own
#[test]
fn no_key_of_a_profile_is_lost_on_the_way_to_a_colleague() {
    let values = [
        ("provider", "constantcontact"),
        ("grant", "authorization-code"),
        ("client-id", "app-1"),
        ("redirect-uri", "https://localhost:8888"),
        ("port", "8888"),
        ("scopes", "a b"),
        ("params.ui", "compact"),
        ("maximum-age", "60"),
        ("auth", "basic"),
        ("assertion-audience", "issuer"),
        ("client-key-algorithm", "ES256"),
        ("dpop", "true"),
        ("resource", "https://api.example/x"),
        ("audience", "api"),
        ("subject", "ann"),
        ("assertion-issuer", "app"),
        ("subject-token-type", "jwt"),
        ("actor-token-type", "jwt"),
        ("requested-token-type", "jwt"),
        ("prompt", "login"),
        ("max-age", "60"),
        ("acr-values", "mfa"),
        ("ui-locales", "de"),
        ("authorization-details", "[{\"type\":\"x\"}]"),
        ("response-mode", "form_post"),
        ("par", "true"),
        ("request-object", "auto"),
        ("requested-expiry", "60"),
    ];
    let mut me = Person::new();
    for (key, value) in values {
        let done = me.runs(&["profile", "set", "work", key, value]);
        assert_eq!(done.code, 0, "{key}: {}", done.err);
    }
    let done = me.types("export work");
    assert_eq!((done.code, &*done.err), (0, ""));
    let mut other = Person::new();
    assert_eq!(other.stdin(&done.out).types("import profile").code, 0);
    for (key, _) in values {
        let name = key.split('.').next_back().expect("a name");
        assert!(other.config_text().contains(&format!("{name} = ")), "{key} is lost: {}", other.config_text());
    }
    assert_eq!(other.types("export work").out, done.out);
    // with those that stay, that is all of them
    let own = 20;
    let vars_and_environment = 2;
    let keys: std::collections::BTreeSet<String> = oauthctl::config::profile_keys()
        .iter()
        .map(|key| key.split('.').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(values.len() + own + vars_and_environment, keys.len(), "{keys:?}");
}

#[test]
fn a_value_that_is_another_variables_is_found_or_the_import_is_refused() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let collection = |variables: Value| json!({ "info": { "name": "ours" }, "variable": variables }).to_string();
    let postman = collection(json!([
        { "key": "acme_refresh_token", "value": "{{ rt }}" }, { "key": "rt", "value": "postman-{{part}}" },
        { "key": "part", "value": "not-this", "disabled": true }, { "key": "part", "value": "whole" },
        { "key": "acme_client_id", "value": "{{cid}}" }, { "key": "cid", "value": "c1" },
    ]));
    for (source, text, token, client) in [
        (
            "dotenv",
            "ACME_CLIENT_ID=${CID}\nCID=c1\nACME_REFRESH_TOKEN=\"a-${RT}\"\nRT=${PART}-z\nPART='${x}'\n",
            "a-%24%7Bx%7D-z",
            "c1",
        ),
        ("dotenv", "ACME_CLIENT_ID=c1\nACME_REFRESH_TOKEN=${unended\nACME_OTHER=${NONE}\n", "%24%7Bunended", "c1"),
        ("postman", &postman, "postman-whole", "c1"),
    ] {
        let done = me.stdin(text).types(&format!("import {source} - --provider acme --profile {source}"));
        assert_eq!(done.code, 0, "{text}: {}", done.err);
        let sent = state.seen.lock().unwrap().last().expect("a request").clone();
        assert!(
            sent.contains(&format!("refresh_token={token}")) && sent.contains(&format!("client_id={client}")),
            "{sent}"
        );
        assert_eq!(me.types(&format!("logout {source} --local-only")).code, 0);
    }
    let asked = state.seen.lock().unwrap().len();
    let unknown =
        collection(json!([{ "key": "refreshToken", "value": "a" }, { "key": "clientId", "value": "{{cid}}" }]));
    for (source, text, says) in [
        (
            "dotenv",
            "A_REFRESH_TOKEN=${OTHER}\n",
            "`A_REFRESH_TOKEN` has the value of `${OTHER}`, which the file does not have",
        ),
        (
            "dotenv",
            "A_REFRESH_TOKEN=${B}\nB=\n",
            "`A_REFRESH_TOKEN` has the value of `${B}`, which the file does not have",
        ),
        (
            "dotenv",
            "A_REFRESH_TOKEN=x\nA_CLIENT_SECRET=x${B}\nB=${B}\n",
            "`B` has the value of `${B}`, which is a part of its own value",
        ),
        ("postman", &unknown, "`clientId` has the value of `{{cid}}`, which the file does not have"),
    ] {
        let done = me.stdin(text).types(&format!("import {source} - --provider acme --profile none"));
        assert!(done.code == 2 && done.err.contains(says), "{text}: {}", done.err);
        assert!(done.err.contains("hint: write the value itself in the place of `"), "{}", done.err);
    }
    assert_eq!(state.seen.lock().unwrap().len(), asked);
}

#[test]
fn a_file_that_begins_with_a_byte_order_mark_is_read() {
    let mut me = Person::new();
    let (_server, _) = server(&mut me);
    let values = json!({ "values": [
        { "key": "acme_refresh_token", "value": "from-postman" },
        { "key": "acme_client_id", "value": "p" },
    ] });
    std::fs::write(me.path("export.json"), format!("\u{feff}{values}")).expect("written");
    let file = me.path("export.json").display().to_string();
    let done = me.types(&format!("import postman {file} --provider acme --profile one"));
    assert_eq!(done.code, 0, "{}", done.err);
}

#[test]
fn ghs_accounts_are_taken_over_with_the_tokens_they_have() {
    let mut me = Person::new();
    let odd = me.odd("github", |request| match request.header("authorization") {
        Some("Bearer gho_of_ann_12345") => answer(200, "application/json", "{\"login\":\"ann\"}"),
        _ => answer(401, "application/json", "{}"),
    });
    let file = odd.provider("github").replace("client-id = \"an-app\"\n", "");
    me.config("providers/github.toml", &(file + "[whoami]\nurl = \"{api.base-url}/user\"\nid = \"login\"\n"));
    let hosts = "github.com:\n    users:\n        ann:\n            oauth_token: gho_of_ann_12345\n        bob:\n            \
                 oauth_token: \"gho_of_bob_12345\"\n        eve:\n            oauth_token: ghp_of_eve_12345\n    \
                 git_protocol: https\n    user: ann\n    oauth_token: gho_of_ann_12345\nghe.example:\n    user: x\n    \
                 users:\n        x:\nold.example:\n    user: y\n    oauth_token: gho_of_old_12345\n";
    std::fs::create_dir_all(me.path("config/gh")).unwrap();
    std::fs::write(me.path("config/gh/hosts.yml"), hosts).unwrap();
    let done = me.types("import gh");
    assert_eq!(done.code, 4, "{}", done.err);
    for said in [
        "`ghe.example` is left out: its token is not in the file: gh auth token | oauthctl import gh -\n",
        "`y` is left out: its server has no built-in provider",
        "`eve` is left out: that is no token of a sign-in",
        "Imported: the token of `ann`, of ann, is stored in the keychain",
        "the API refuses the token (401); nothing was stored",
    ] {
        assert!(done.err.contains(said), "{said} should be in\n{}", done.err);
    }
    done.tells_nothing_of("of_ann_12345").tells_nothing_of("of_bob_12345");
    me.types("token ann").is(0, "gho_of_ann_12345\n", "");
    assert_eq!(me.record("ann")["client_id"], "178c6fc778ccc68e1d6a");
    assert_eq!(me.keychain.item("bob"), None);
    // what the keychain has, by a pipe
    let done = me.stdin("gho_of_ann_12345\n").types("import gh - --profile piped");
    assert_eq!(done.code, 0, "{}", done.err);
    let done = me.stdin("ghp_of_eve_12345\n").types("import gh - --profile pat");
    assert!(done.code == 2 && done.err.contains("OAUTHCTL_GITHUB_TOKEN"), "{}", done.err);
    // as an older version wrote it
    let old = "github.com:\n    user: ann\n    oauth_token: gho_of_ann_12345\n";
    let done = me.stdin(old).types("import gh - --profile old");
    assert_eq!(done.code, 0, "{}", done.err);
}

#[test]
fn oauth2ls_cache_has_the_client_in_its_keys() {
    use base64::Engine as _;
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let entry = |credentials: Value, token: Value| {
        let key = json!({ "CredentialsJSON": credentials.to_string(), "Scope": "https://s.example/a https://s.example/b",
            "Audience": "", "APIKey": "" });
        (key.to_string(), base64::engine::general_purpose::STANDARD.encode(token.to_string()))
    };
    let token = |name: &str| json!({ "access_token": "a", "token_type": "Bearer", "refresh_token": name, "expiry": "2020-01-01T00:00:00Z" });
    let entries = [
        entry(
            json!({ "installed": { "client_id": "o-1", "client_secret": "o-secret-01", "token_uri": "https://oauth2.googleapis.com/token" } }),
            token("from-oauth2l"),
        ),
        entry(
            json!({ "installed": { "client_id": "o-2", "token_uri": "https://evil.example/token" } }),
            token("not-googles"),
        ),
        entry(json!({ "type": "service_account", "client_email": "x" }), json!({ "access_token": "a" })),
    ];
    let cache: serde_json::Map<String, Value> = entries.into_iter().map(|(key, value)| (key, value.into())).collect();
    std::fs::write(me.path(".oauth2l"), Value::Object(cache).to_string()).unwrap();
    let done = me.types("import oauth2l --profile google");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("left out: 2 of its entries have no refresh token of Google's\n"), "{}", done.err);
    let sent = state.seen.lock().unwrap().join("\n");
    assert!(sent.contains("refresh_token=from-oauth2l"), "{sent}");
    assert_eq!(me.record("google")["client_id"], "o-1");
    assert!(!sent.contains("not-googles"), "{sent}");
    assert_eq!(me.record("google")["client_secret"], "o-secret-01");
    assert_eq!(me.record("google")["asked"][0], "https://s.example/a");
}

#[test]
fn orties_token_comes_by_a_pipe_and_none_of_its_programs_is_run() {
    let mut me = Person::new();
    let (_server, state) = server(&mut me);
    let config = "[accounts.work]\ndefault = true\nclient-id = \"r-1\"\nclient-secret.raw = \"r-secret-01\"\n\
                  endpoints.authorization = \"https://accounts.google.com/o/oauth2/auth\"\n\
                  endpoints.token = \"https://www.googleapis.com/oauth2/v3/token\"\nscopes = [\"https://mail.google.com\"]\n\
                  storage.read.command = [\"pass\", \"show\", \"ortie/my work\"]\nstorage.write.command = \"x\"\n\
                  [accounts.other]\nclient-id = \"r-2\"\nendpoints.token = \"https://x.example/token\"\nstorage.read.command = \"cat y\"\n";
    std::fs::create_dir_all(me.path("config/ortie")).unwrap();
    std::fs::write(me.path("config/ortie/config.toml"), config).unwrap();
    let asked = me.at_a_terminal().types("import ortie");
    assert_eq!(asked.code, 2, "{}", asked.err);
    for hint in [
        "hint: pass show 'ortie/my work' | oauthctl import ortie --profile work\n",
        "hint: cat y | oauthctl import ortie --profile other\n",
    ] {
        assert!(asked.err.contains(hint), "{hint} should be in\n{}", asked.err);
    }
    let token = json!({ "access_token": "a", "token_type": "bearer", "refresh_token": "from-ortie", "issued_at": 1 });
    let done = me.stdin(&token.to_string()).types("import ortie --profile work");
    assert_eq!(done.code, 0, "{}", done.err);
    let sent = state.seen.lock().unwrap().join("\n");
    assert!(sent.contains("refresh_token=from-ortie"), "{sent}");
    assert_eq!(me.record("work")["client_secret"], "r-secret-01");
    assert_eq!(me.record("work")["provider"], "google");
    let done = me.stdin("{\"access_token\":\"a\"}").types("import ortie --profile other");
    assert!(done.code == 2 && done.err.contains("has no refresh token"), "{}", done.err);
}

// that the real `age` opens it is shown in tests/real/providers.py
#[test]
fn a_login_goes_to_another_machine_and_is_renewed_there_alone() {
    const TO: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    let mut me = Person::new();
    let (ours, state) = server(&mut me);
    assert_eq!(me.stdin("refresh-of-another\n").types(TOKEN).code, 0);
    let done = me.types(&format!("export work --to {TO}"));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{}", done.out);
    assert!(done.err.contains("age -d -i KEYFILE FILE | oauthctl import login\n"), "{}", done.err);
    done.tells_nothing_of("refresh-1");
    // a token of a variable is no login
    me.set("OAUTHCTL_WORK_TOKEN", "from-elsewhere");
    let done = me.types(&format!("export work --to {TO}"));
    assert!(done.code == 2 && done.out.is_empty(), "{}", done.err);
    assert!(done.err.contains("comes from the variable OAUTHCTL_WORK_TOKEN: it is no login"), "{}", done.err);
    me.unset("OAUTHCTL_WORK_TOKEN");
    // the fresh token serves until it expires, and nothing spends the refresh token
    me.types("token work").is(0, "access-1\n", "");
    me.later(3600);
    for line in ["token work", "refresh --all"] {
        let done = me.types(line);
        assert!(done.err.contains(&format!("the login of `work` went to {TO}")), "{line}: {}", done.err);
        assert!(done.out.is_empty() && !done.err.contains("access-"), "{line}: {}", done.err);
    }
    assert_eq!(state.seen.lock().unwrap().len(), 1);
    let status = me.types("status work");
    let next = format!("the login went to {TO}, and is renewed there; `oauthctl refresh work` renews it here again");
    assert!(status.code == 4 && status.out.contains(&next), "{}", status.out);
    // a lost file is made again for the same machine, and for no other
    assert_eq!(me.types(&format!("export work --to {TO}")).code, 0);
    const OTHER: &str = "age1q23l9arx47yzf5vm3sq4na82af9aczem7ly30c9lr832rf065vvsm6uh82";
    me.types(&format!("export work --to {OTHER}")).fails(
        2,
        &format!(
            "
            error: the login of `work` went to {TO} already
            caused by: it is renewed there, and its refresh token may be spent
            hint: `oauthctl refresh work` takes it back, if it is not in use there
        "
        ),
    );
    assert_eq!(me.types("refresh work").code, 0);
    me.types("token work").is(0, "access-2\n", "");
    assert_eq!(me.record("work")["moved_to"], Value::Null);
    // over there, as age has opened it
    let mut login = json!({
        "oauthctl-login": 1, "profile": "[profiles.work]\nprovider = \"acme\"\nmax-age = 60\nbrowser = [\"rm\"]\n",
        "client_id": "app", "client_secret": null, "refresh_token": "refresh-2", "access_token": null,
        "scopes": ["a"], "vars": {},
    });
    let mut other = Person::new();
    let unknown = other.stdin(&login.to_string()).types("import login");
    assert!(
        unknown.code == 2 && unknown.err.contains("hint: its file is printed there by: oauthctl provider show acme\n")
    );
    let (theirs, state) = server(&mut other);
    // what is called so there is somewhere else
    login["bound"] = me.record("work")["bound"].clone();
    let done = other.stdin(&login.to_string()).types("import login");
    assert_eq!((done.code, state.seen.lock().unwrap().len()), (7, 0), "{}", done.err);
    assert!(done.err.contains("the login of `work` is for the "), "{}", done.err);
    assert!(done.err.contains("printed there by: oauthctl provider show acme\n"), "{}", done.err);
    let there = login["bound"].to_string().replace(&ours.base, &theirs.base);
    login["bound"] = serde_json::from_str(&there).unwrap();
    let done = other.stdin(&login.to_string()).types("import login");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(state.seen.lock().unwrap()[0].contains("refresh_token=refresh-2"));
    let config = other.config_text();
    assert!(config.contains("max-age = 60\n") && config.contains("provider = \"acme\"\n"), "{config}");
    assert!(!config.contains("browser"), "{config}");
    for (line, says) in
        [("export work --to age1nobody", "it is no public key of age"), ("import login", "that is no exported login")]
    {
        let done = if line.starts_with("import") { me.stdin("{}").types(line) } else { me.types(line) };
        assert!(done.code == 2 && done.err.contains(says), "{line}: {}", done.err);
    }
}

#[test]
fn a_file_that_is_not_where_the_program_keeps_it_can_be_named() {
    let mut me = Person::new();
    for source in ["gh", "oauth2l", "ortie", "rclone", "gcloud"] {
        let done = me.types(&format!("import {source}"));
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(
            done.err.contains(&format!("hint: if it is elsewhere: `oauthctl import {source} FILE`\n")),
            "{}",
            done.err
        );
    }
    let named = me.types("import gh nowhere.yml");
    assert!(!named.err.contains("if it is elsewhere"), "{}", named.err);
}
