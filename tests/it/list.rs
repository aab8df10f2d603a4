//! `list` and `status`: each token's state, never any part of a secret.

use oauthctl::sandbox::Manners;
use oauthctl::world::KeychainError;
use serde_json::{Value, json};

use crate::world::robot::{allows, decided};
use crate::world::{Fault, Person, shown};

/// Three profiles: one signed in to the practice server, one at GetResponse in a file, one never
/// used.
fn three() -> (Person, oauthctl::sandbox::Server) {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.signed_in();
    me.answers_hidden("practice-secret").browser(|_| Vec::new()).pastes(|url| decided(url, "allow"));
    let done =
        me.types("login work --provider getresponse --store file --client-id practice-client --client-secret-file -");
    assert_eq!(done.code, 0, "{}", done.err);
    me.config("config.toml", &format!("{}\n[profiles.unused]\nprovider = \"constantcontact\"\n", me.config_text()));
    (me, server)
}

#[test]
fn without_a_profile_the_next_step_is_said() {
    let mut me = Person::new();
    me.types("list").is(0, "", "There is no profile yet. To try it: oauthctl login sandbox\n");
    me.types("list --format json").is(0, "[]\n", "");
}

#[test]
fn each_profile_has_a_line() {
    let (mut me, _server) = three();
    me.types("list").is(
        0,
        "
        PROFILE  PROVIDER         ACCOUNT             GRANT               TOKEN  EXPIRES    STORE
        sandbox  sandbox          alice@example.test  authorization-code  fresh  in 10 min  keychain
        unused   constantcontact  -                   authorization-code  none   -          keychain
        work     getresponse      alice@example.test  authorization-code  fresh  in 60 min  file
    ",
        "",
    );
    me.later(700);
    me.types("list").is(
        0,
        "
        PROFILE  PROVIDER         ACCOUNT             GRANT               TOKEN    EXPIRES    STORE
        sandbox  sandbox          alice@example.test  authorization-code  expired  100 s ago  keychain
        unused   constantcontact  -                   authorization-code  none     -          keychain
        work     getresponse      alice@example.test  authorization-code  fresh    in 48 min  file
    ",
        "",
    );
    me.later(86_400 * 3);
    me.types("list").is(
        0,
        "
        PROFILE  PROVIDER         ACCOUNT             GRANT               TOKEN    EXPIRES     STORE
        sandbox  sandbox          alice@example.test  authorization-code  expired  3 days ago  keychain
        unused   constantcontact  -                   authorization-code  none     -           keychain
        work     getresponse      alice@example.test  authorization-code  expired  2 days ago  file
    ",
        "",
    );
}

#[test]
fn the_same_as_json() {
    let (mut me, _server) = three();
    let token = me.kept("sandbox", "access_token");
    let done = me.types("list --format json");
    let mut list: Value = serde_json::from_str(&done.out).unwrap();
    assert!(list[2]["token"].as_str().unwrap().starts_with("sha256:"));
    list[2]["token"] = "sha256:…".into();
    assert_eq!(
        list,
        json!([
            {
                "profile": "sandbox", "provider": "sandbox", "grant": "authorization-code", "store": "keychain", "state": "fresh",
                "account": "alice@example.test", "client_id": "oauthctl", "token": shown(&token), "renewable": true,
                "expires_at": "2026-11-21T22:10:00Z", "expires_in": 600, "scopes": ["profile", "email", "offline_access"],
            },
            { "profile": "unused", "provider": "constantcontact", "grant": "authorization-code", "store": "keychain", "state": "none" },
            {
                "profile": "work", "provider": "getresponse", "grant": "authorization-code", "store": "file", "state": "fresh",
                "account": "alice@example.test", "client_id": "practice-client", "token": "sha256:…", "renewable": true,
                "expires_at": "2026-11-21T23:00:00Z", "expires_in": 3600,
            },
        ])
    );
}

#[test]
fn one_profile_in_full() {
    let (mut me, _server) = three();
    let (access, refresh) = (me.kept("sandbox", "access_token"), me.kept("sandbox", "refresh_token"));
    let done = me.types("status sandbox");
    assert_eq!(
        done.out,
        format!(
            "profile        sandbox\n\
             provider       sandbox (Practice server (built in))\n\
             grant          authorization-code\n\
             store          keychain: Secret Service\n\
             account        alice@example.test\n\
             client id      oauthctl\n\
             signed in      2026-11-21T22:00:00Z\n\
             token          {}, expires in 10 min, at 2026-11-21T22:10:00Z\n\
             refresh token  {}\n\
             scopes         profile email offline_access\n\
             next           `token` prints it, and refreshes it from 2026-11-21T22:09:00Z on\n",
            shown(&access),
            shown(&refresh)
        )
    );
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    me.types("status unused").is(
        4,
        "
        profile        unused
        provider       constantcontact (Constant Contact)
        grant          authorization-code
        store          keychain: Secret Service
        token          none
        next           sign in: oauthctl login unused
    ",
        "",
    );
    me.types("status nothing").fails(
        2,
        "
        error: there is no profile and no provider called `nothing`
        hint: `oauthctl list` names the profiles, `oauthctl provider list` the providers
        hint: a new profile of a provider: `oauthctl login nothing --provider NAME`
    ",
    );
    me.later(700);
    let stale = me.types("status sandbox");
    assert!(
        stale.out.contains("expired at 2026-11-21T22:10:00Z\n")
            && stale.out.ends_with("the next `token` refreshes it\n"),
        "{}",
        stale.out
    );
    assert_eq!(stale.code, 0);
}

#[test]
fn status_as_json_names_the_place_and_what_comes_next() {
    let (mut me, _server) = three();
    let done = me.types("status sandbox --format json");
    let status: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(status["place"], "Secret Service");
    assert_eq!(status["next"], "`token` prints it, and refreshes it from 2026-11-21T22:09:00Z on");
    assert_eq!(status["state"], "fresh");
}

#[test]
fn no_four_bytes_of_any_secret_are_shown() {
    let (mut me, _server) = three();
    let secrets =
        [me.kept("sandbox", "access_token"), me.kept("sandbox", "refresh_token"), "practice-secret".to_owned()];
    for line in [
        "list",
        "list --format json",
        "status sandbox",
        "status sandbox --format json",
        "status work",
        "status work --format json",
        "list -v",
    ] {
        let done = me.types(line);
        assert_eq!(done.code, 0, "{line}: {}", done.err);
        for secret in &secrets[..2] {
            done.tells_nothing_of(secret);
        }
        assert!(!done.out.contains(&secrets[2]) && !done.err_raw.contains(&secrets[2]), "{line}");
    }
    let file = me.types("token work").out;
    for line in ["list", "list --format json", "status work", "status work --format json"] {
        me.types(line).tells_nothing_of(file.trim());
    }
}

#[test]
fn a_store_that_can_not_be_read_is_told_and_the_others_are_listed() {
    let (mut me, _server) = three();
    me.keychain.fault(Fault::Always(KeychainError::Locked));
    me.types("list").is(
        0,
        "
        PROFILE  PROVIDER         ACCOUNT             GRANT               TOKEN       EXPIRES    STORE
        sandbox  sandbox          -                   authorization-code  unreadable  -          keychain
        unused   constantcontact  -                   authorization-code  unreadable  -          keychain
        work     getresponse      alice@example.test  authorization-code  fresh       in 60 min  file
    ",
        "",
    );
    me.types("status sandbox").is(
        5,
        "
        profile        sandbox
        provider       sandbox (Practice server (built in))
        grant          authorization-code
        store          keychain: Secret Service
        trouble        the keychain (Secret Service) is locked
        token          not known
        next           unlock the keyring (log in to the desktop, or its password manager) and run the command again
    ",
        "",
    );
}

#[test]
fn a_token_from_outside_is_listed_as_what_it_is() {
    let mut me = Person::new();
    me.signed_in();
    me.set("OAUTHCTL_SANDBOX_TOKEN", "outside-0123456789");
    me.types("list").is(
        0,
        "
        PROFILE  PROVIDER  ACCOUNT  GRANT               TOKEN            EXPIRES  STORE
        sandbox  sandbox   -        authorization-code  no known expiry  -        environment
    ",
        "",
    );
    let done = me.types("status sandbox");
    assert_eq!(done.code, 0);
    assert!(done.out.contains("store          environment: the variable OAUTHCTL_SANDBOX_TOKEN\n"), "{}", done.out);
}

#[test]
fn the_environment_as_a_store_asks_for_its_variable_and_for_no_login() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "environment");
    let done = me.types("status sandbox");
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.out.contains("next           set OAUTHCTL_SANDBOX_TOKEN\n"), "{}", done.out);
    me.types("login sandbox").fails(
        5,
        "
        error: the store `environment` keeps nothing
        hint: choose another one: unset OAUTHCTL_STORE or the variable that holds the token, or add `--store` where the command takes it
    ",
    );
    // by the variable that is set, whatever the word
    let done =
        me.unset("OAUTHCTL_STORE").set("OAUTHCTL_CC_TOKEN", "outside-0123456789").types("status constantcontact");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("environment: the variable OAUTHCTL_CC_TOKEN\n"), "{}", done.out);
    assert!(done.out.contains("refuses it; then set OAUTHCTL_CC_TOKEN to a new one\n"), "{}", done.out);
}

#[test]
fn where_nobody_logged_in_nobody_asked_for_a_keychain() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("there is no session bus".to_owned())));
    let done = me.types("status sandbox");
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(!done.out.contains("session bus") && done.out.contains("oauthctl login sandbox\n"), "{}", done.out);
    // who chose it is told
    assert_eq!(me.types("status sandbox --store keychain").code, 5);
}

#[test]
fn a_store_that_keeps_nothing_is_left_for_one_that_does() {
    let mut me = Person::new();
    for line in ["status sandbox --store none", "status sandbox"] {
        let done = me.types(line);
        assert_eq!(done.code, 4, "{}", done.err);
        let next = "next           with a store: oauthctl login sandbox --store STORE\n";
        assert!(done.out.contains(next), "{line}: {}", done.out);
        me.set("OAUTHCTL_STORE", "none");
    }
    // what needs nobody needs no store either
    let done = me.set("OAUTHCTL_GRANT", "client-credentials").types("status getresponse");
    assert!(done.code == 0 && done.out.contains("next           `token` requests one with the grant"), "{}", done.out);
}

#[test]
fn account_names_from_a_server_can_not_act_on_the_terminal() {
    let mut me = Person::new();
    me.signed_in();
    me.tamper("sandbox", |r| r["account"] = "evil\u{1b}[2J\u{202e}name\n::stop".into());
    for line in ["list", "status sandbox"] {
        let done = me.types(line);
        assert!(
            done.out.contains("evil [2J name : :stop") && !done.out.contains(['\u{1b}', '\u{202e}']),
            "{}",
            done.out
        );
    }
}

#[test]
fn a_login_without_a_way_to_renew_says_so() {
    let mut me = Person::new();
    let _server = me.practice(Manners::VerticalResponse);
    let port = crate::world::own_port();
    me.answers_hidden("practice-secret").answers("y").browser(allows);
    let line = format!(
        "login vr --client-id practice-client --client-secret-file - --redirect-uri http://127.0.0.1:{port}/cb"
    );
    assert_eq!(me.types(&line).code, 0);
    let done = me.types("status vr");
    assert!(done.out.contains("token is used until the provider refuses it; then sign in again\n"), "{}", done.out);
    assert!(done.out.contains("refresh token  none\n"), "{}", done.out);
}

#[test]
fn a_narrow_screen_gets_a_shorter_account_then_a_profile_below_the_other_and_a_pipe_gets_all() {
    let (mut me, _server) = three();
    let whole = me.types("list").out;
    let widest = whole.lines().map(|line| line.chars().count()).max().unwrap();
    assert_eq!(me.columns(widest).types("list").out, whole);
    me.columns(widest - 4).types("list").is(
        0,
        "
        PROFILE  PROVIDER         ACCOUNT         GRANT               TOKEN  EXPIRES    STORE
        sandbox  sandbox          alice@example…  authorization-code  fresh  in 10 min  keychain
        unused   constantcontact  -               authorization-code  none   -          keychain
        work     getresponse      alice@example…  authorization-code  fresh  in 60 min  file
    ",
        "",
    );
    me.columns(40).types("list").is(
        0,
        "
        sandbox
          provider  sandbox
          account   alice@example.test
          grant     authorization-code
          token     fresh
          expires   in 10 min
          store     keychain

        unused
          provider  constantcontact
          grant     authorization-code
          token     none
          store     keychain

        work
          provider  getresponse
          account   alice@example.test
          grant     authorization-code
          token     fresh
          expires   in 60 min
          store     file
    ",
        "",
    );
}

#[test]
fn status_breaks_between_words_on_a_screen() {
    let mut me = Person::new();
    me.signed_in();
    let piped = me.types("status sandbox").out;
    let seen = me.columns(60).types("status sandbox").out;
    assert!(seen.lines().all(|line| line.chars().count() <= 60), "{seen}");
    assert!(seen.contains("\nnext           `token` prints it, and refreshes it from\n               2026-"), "{seen}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&seen), words(&piped));
}

#[test]
fn errors_and_hints_break_between_words_and_commands_stay_whole() {
    let mut me = Person::new();
    me.set("NO_COLOR", "1");
    let told = me.columns(50).types("token sandbox --provider nowhere-at-all-of-this");
    assert!(told.err.lines().count() > 2, "{}", told.err);
    let piped = me.types("token sandbox --provider nowhere-at-all-of-this");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&told.err), words(&piped.err));
    let told = me.columns(24).types("token sandbox").err;
    assert!(told.contains("\n  oauthctl login sandbox\n") || told.contains("hint: oauthctl login sandbox\n"), "{told}");
    // JSON is data, whatever it is shown on
    let json = me.columns(24).types("token sandbox --error-format json").err;
    assert_eq!(json.lines().count(), 1, "{json}");
}

#[test]
fn a_store_that_there_is_not_is_a_mistake_without_a_profile_too() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "files");
    for line in ["list", "list --format json"] {
        let done = me.types(line);
        assert!(done.code == 2 && done.out.is_empty(), "{}", done.out);
        assert!(done.err.starts_with("error: OAUTHCTL_STORE names an unknown store: `files`\n"), "{}", done.err);
    }
}

// B-13: the configuration is read once, not once for each profile of it (minutes, for so many)
#[test]
fn twenty_thousand_profiles_are_listed_at_once() {
    let mut me = Person::new();
    let text: String = (0..20_000).map(|n| format!("[profiles.p{n}]\nprovider = \"sandbox\"\n")).collect();
    me.config("config.toml", &text);
    let started = std::time::Instant::now();
    let before = me.keychain.reads();
    let done = me.types("list --format json");
    assert!(done.code == 0 && done.out.matches("\"profile\"").count() == 20_000, "{}", done.err);
    assert_eq!(me.keychain.reads(), before, "questions about what the keychain doesn't keep");
    assert!(started.elapsed() < std::time::Duration::from_secs(30), "{:?}", started.elapsed());
}

// B-13: a provider's file is read once, not once for each record
#[test]
fn many_records_of_one_provider_cost_little_more_than_one() {
    let mut me = Person::new();
    let more: String =
        (0..400).map(|n| format!("[environments.e{n}.vars.base]\ndefault = \"http://127.0.0.1:1\"\n")).collect();
    me.signed_in();
    me.config("providers/sandbox.toml", &format!("id = \"sandbox\"\nextends = \"sandbox\"\n{more}"));
    let mut time = |count: usize| {
        let started = std::time::Instant::now();
        let done = me.types("list --format json");
        assert!(done.code == 0 && done.out.matches("\"fresh\"").count() == count, "{}{}", done.out, done.err);
        let text: String = (0..200).map(|n| format!("[profiles.p{n}]\nprovider = \"sandbox\"\n")).collect();
        me.config("config.toml", &format!("{}{text}", me.config_text()));
        (0..200).for_each(|n| me.keychain.put(&format!("p{n}"), &me.record("sandbox").to_string()));
        started.elapsed()
    };
    let (one, many) = (time(1), time(201));
    assert!(many < 40 * one, "{one:?}, {many:?}");
}

#[test]
fn a_last_line_without_an_end_is_read_as_any_other() {
    let mut me = Person::new();
    me.config("config.toml", "[profiles.z]\nprovider = \"sandbox\"\n[profiles.a]\nprovider = \"sandbox\"\nport = 8");
    let done = me.types("list --format json");
    assert!(
        done.code == 0 && done.out.starts_with("[{\"profile\":\"a\"") && done.out.ends_with("}]\n"),
        "{}",
        done.out
    );
    assert_eq!(done.out.matches("\"profile\"").count(), 2);
    me.config("config.toml", "[profiles.z]\nprovider = \"sandbox\"\n[profiles.a]\nprt = 8");
    let done = me.types("list");
    assert!(done.code == 2 && done.err.contains("`profiles.a.prt` in config.toml, line 4"), "{}", done.err);
}

#[test]
fn a_profile_that_can_not_be_read_is_told_and_the_others_are_listed() {
    let (mut me, _server) = three();
    let faulty = "[profiles.h]\nprovider = \"sandbox\"\n[profiles.h.store]\ncomand = [\"x\"]\n";
    for (more, line) in [("", 13), ("[[when]]\nprofile = \"work\"\nfolder = \"/w\"\n", 16)] {
        let before = me.config_text();
        me.config("config.toml", &format!("{more}{before}{faulty}[profiles.z]\ngrant = \"x\"\n"));
        let told =
            format!("`profiles.h.store` in config.toml, line {line} has no key `comand`; did you mean `command`?");
        me.types("list").is(
            2,
            "
            PROFILE  PROVIDER         ACCOUNT             GRANT               TOKEN       EXPIRES    STORE
            sandbox  sandbox          alice@example.test  authorization-code  fresh       in 10 min  keychain
            unused   constantcontact  -                   authorization-code  none        -          keychain
            work     getresponse      alice@example.test  authorization-code  fresh       in 60 min  file
            h        -                -                   -                   unreadable  -          -
            z        -                -                   -                   unreadable  -          -
        ",
            &format!("
            h: error: {told}
            z: error: `profiles.z.grant` in config.toml, line {} can't be `x`; it is one of `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`
            error: not every profile could be read
        ", line + 3),
        );
        let list: Value = serde_json::from_str(&me.types("list --format json").out).unwrap();
        assert_eq!(list[3], json!({ "profile": "h", "state": "unreadable", "trouble": told }));
        for (name, fault) in [("h", told.as_str()), ("z", "`profiles.z.grant` in config.toml")] {
            let done = me.types(&format!("token {name}"));
            assert!(done.code == 2 && done.err.contains(fault), "{}", done.err);
        }
        let rows = me.types("doctor").out;
        assert!(rows.contains(&told) && rows.contains("`profiles.z.grant`"), "{rows}");
        me.config("config.toml", &before);
    }
}
