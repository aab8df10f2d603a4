//! What was left damaged, half done, or without its usual place: each is told with what helps, and that does help.

use oauthctl::world::KeychainError;

use crate::world::robot::allows;
use crate::world::{Fault, Person};

fn without_keychain() -> Person {
    let me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
    me
}

#[test]
fn that_tokens_rest_beside_their_key_is_said_even_quietly() {
    let mut me = without_keychain();
    let done = me.browser(allows).types("login sandbox --quiet");
    assert_eq!(done.code, 0, "{}", done.err);
    let notice = "No keychain answers here (no session bus): the tokens go into sealed files in ~/state/oauthctl/store, their key beside them: whoever can read that folder can read them.";
    assert_eq!(done.err.lines().filter(|line| *line == notice).count(), 1, "{}", done.err);
    assert!(!done.err.contains("Signed in"), "{}", done.err);
    // it is where they were told to go by now
    let again = me.browser(allows).types("login sandbox --quiet");
    assert!(again.code == 0 && !again.err.contains("sealed files"), "{}", again.err);
}

#[test]
fn a_hint_about_the_store_works_with_the_command_that_gave_it() {
    let mut me = without_keychain();
    assert_eq!(me.types("profile set gr2 provider getresponse").code, 0);
    for line in ["profile rename gr2 gr3", "profile remove gr2"] {
        me.types(line).fails(
            5,
            "
            error: there is no keychain: no session bus
            hint: keep tokens in a sealed file instead: set OAUTHCTL_STORE=file
            hint: `oauthctl doctor` looks at every store
        ",
        );
    }
    for line in ["logout gr2 --local-only", "logout --all", "refresh --all"] {
        let done = me.types(line);
        assert!(done.code == 5 && done.err.contains("add `--store file`"), "{line}: {}", done.err);
        let done = me.types(&format!("{line} --store file"));
        assert_eq!(done.code, 0, "{line}: {}", done.err);
    }
    me.set("OAUTHCTL_STORE", "file");
    assert_eq!(me.types("profile rename gr2 gr3").code, 0);
    assert_eq!(me.types("profile remove gr3").code, 0);
    assert!(!me.config_text().contains("gr"), "{}", me.config_text());
}

#[test]
fn a_profile_keeps_its_provider_and_one_without_can_be_put_away() {
    let mut me = Person::new();
    me.config(
        "config.toml",
        "[profiles.work]\nprovider = \"getresponse\"\n\n[profiles.sandbox]\nprovider = \"sandbox\"\n",
    );
    me.types("profile unset work provider").fails(
        2,
        "
        error: without it, profile `work` would not say whose it is
        hint: another one: `oauthctl profile set work provider NAME`
        hint: the whole profile: `oauthctl profile remove work`
    ",
    );
    // its name says the same
    me.types("profile unset sandbox provider").is(0, "", "sandbox: provider is taken away\n");
    // what an editor left
    me.config(
        "config.toml",
        "[profiles.work]\nport = 9000\n\n[profiles.other]\nport = 9001\n\n[profiles.play]\nprovider = \"sandbox\"\n",
    );
    me.types("list").is(
        0,
        "
        PROFILE  PROVIDER  ACCOUNT  GRANT               TOKEN  EXPIRES  STORE
        other    -         -        authorization-code  none   -        keychain
        play     sandbox   -        authorization-code  none   -        keychain
        work     -         -        authorization-code  none   -        keychain
    ",
        "",
    );
    me.types("token work").fails(
        2,
        "
        error: profile `work` does not say whose it is
        hint: oauthctl profile set work provider NAME
    ",
    );
    assert_eq!(me.types("profile rename other another").code, 0);
    assert_eq!(me.types("profile remove work").code, 0);
    assert_eq!(me.types("profile remove another").code, 0);
    assert_eq!(me.config_text().trim_start(), "[profiles.play]\nprovider = \"sandbox\"\n");
}

#[test]
fn a_damaged_record_is_forgotten_when_the_person_says_so_and_a_login_follows() {
    for store in ["keychain", "file"] {
        let mut me = Person::new();
        me.set("OAUTHCTL_STORE", store);
        assert_eq!(me.browser(allows).types("login sandbox").code, 0);
        me.copies.clear();
        match store {
            "keychain" => me.keychain.put("sandbox", "xx"),
            _ => {
                let folder = me.path("state/oauthctl/store");
                let sealed = std::fs::read_dir(&folder).expect("the store").filter_map(Result::ok);
                let sealed = sealed.map(|e| e.path()).find(|p| p.extension().is_some_and(|e| e == "sealed"));
                std::fs::write(sealed.expect("a sealed file"), "xx\n").expect("written");
            }
        }
        for line in ["token sandbox", "login sandbox", "logout sandbox", "status sandbox"] {
            let done = me.types(line);
            assert_eq!(done.code, 5, "{store}: {line}: {}", done.err);
            let told = format!("{}{}", done.out, done.err);
            assert!(
                told.contains("`oauthctl logout sandbox --local-only` forgets it unread, a client secret in it too\n"),
                "{store}: {line}: {told}"
            );
        }
        let done = me.types("logout sandbox --local-only");
        assert!(done.code == 0 && done.err.starts_with("sandbox: forgotten here, unread ("), "{}", done.err);
        assert_eq!(me.browser(allows).types("login sandbox").code, 0, "{store}");
        assert_eq!(me.types("token sandbox").code, 0, "{store}");
    }
}

#[test]
fn a_key_file_without_a_key_is_named() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    assert_eq!(me.browser(allows).types("login sandbox").code, 0);
    me.copies.clear();
    let key = me.path("state/oauthctl/store/key");
    let good = std::fs::read(&key).expect("the key");
    std::fs::write(&key, "short").expect("written");
    me.types("token sandbox").fails(
        5,
        "
        error: the key file `~/state/oauthctl/store/key` holds no key
        hint: put it back from a backup; or remove it and log in again: what is sealed with it can't be read any more
    ",
    );
    std::fs::write(&key, good).expect("written");
    assert_eq!(me.types("token sandbox").code, 0);
    std::fs::remove_file(&key).expect("removed");
    me.copies.clear();
    let done = me.types("login sandbox");
    assert_eq!(done.code, 5, "{}", done.err);
    assert_eq!(me.types("logout sandbox --local-only").code, 0);
    assert_eq!(me.browser(allows).types("login sandbox").code, 0);
}

#[test]
fn what_can_not_be_written_to_stdout_is_told() {
    let mut me = Person::new();
    me.signed_in();
    // the quick way and the whole one
    for line in ["token sandbox", "token sandbox --no-cache"] {
        me.full_disk();
        me.types(line).fails(
            1,
            "
            error: the token could not be written to standard output
            caused by: no storage space
        ",
        );
    }
    for line in ["--help", "--version", "token --help"] {
        me.full_disk();
        let done = me.types(line);
        assert_eq!(done.code, 1, "{line}");
        assert!(done.err.starts_with("error: standard output can't be written\n"), "{line}: {}", done.err);
    }
    me.full_disk();
    let done = me.types("--error-format json --version");
    assert!(done.err.starts_with('{'), "{}", done.err);
}
