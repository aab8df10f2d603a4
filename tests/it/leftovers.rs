//! Damaged, unfinished or misplaced files: each error names a fix, and the fix works.

use oauthctl::sandbox::Manners;
use oauthctl::world::KeychainError;

use crate::world::robot::allows;
use crate::world::{Fault, Person, own_port};

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
            hint: keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it
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
        error: without it, profile `work` would have no provider
        hint: another one: `oauthctl profile set work provider NAME`
        hint: the whole profile: `oauthctl profile remove work`
    ",
    );
    // its name says the same
    me.types("profile unset sandbox provider").is(0, "", "sandbox: provider is removed\n");
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
        error: profile `work` names no provider
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
        assert!(done.code == 0 && done.err.starts_with("sandbox: deleted here, unread ("), "{}", done.err);
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
        hint: restore it from a backup, or remove it: then `login` names the records that can't be read any more
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
fn no_new_key_is_made_beside_records_whose_key_file_is_gone() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    let login = |me: &mut Person, name: &str| me.browser(allows).types(&format!("login {name} --provider sandbox"));
    for name in ["one", "two"] {
        assert_eq!(login(&mut me, name).code, 0);
    }
    me.copies.clear();
    let key = me.path("state/oauthctl/store/key");
    let good = std::fs::read(&key).expect("the key");
    std::fs::remove_file(&key).expect("removed");
    let refused = "
        error: there are records that can't be read: their key file `~/state/oauthctl/store/key` is gone
        hint: bring it back, from a backup; nothing was changed
        hint: or forget each of them unread: `oauthctl logout one --local-only`, `oauthctl logout two --local-only`
    ";
    let done = me.types("login three --provider sandbox");
    done.fails(5, refused);
    assert!(done.sent.is_empty() && !key.exists());
    // the key comes back
    std::fs::write(&key, good).expect("written");
    assert_eq!(login(&mut me, "three").code, 0);
    assert!(["one", "two", "three"].into_iter().all(|name| me.types(&format!("token {name}")).code == 0));
    // or the records go
    me.copies.clear();
    std::fs::remove_file(&key).expect("removed");
    for name in ["one", "two", "three"] {
        assert_eq!(me.types("login four --provider sandbox").code, 5);
        assert_eq!(me.types(&format!("logout {name} --local-only")).code, 0);
    }
    assert_eq!(login(&mut me, "four").code, 0);
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

#[test]
fn a_provider_that_is_unknown_or_broken_is_told_where_no_token_is_at_hand() {
    let mut me = Person::new();
    me.config("providers/mine.toml", "id = \"mine\"\nnonsense = 1\n");
    me.config("config.toml", "[profiles.work]\nprovider = \"no-such\"\n\n[profiles.own]\nprovider = \"mine\"\n");
    for (profile, why) in
        [("work", "there is no provider `no-such`"), ("own", "unknown key `nonsense` in providers/mine.toml")]
    {
        for verb in ["token", "refresh", "status", "logout", "login", "token --no-refresh"] {
            let done = me.types(&format!("{verb} {profile}"));
            assert_eq!((done.code, done.out.as_str()), (2, ""), "{verb} {profile}: {}", done.err);
            assert!(done.err.starts_with(&format!("error: {why}")), "{verb} {profile}: {}", done.err);
        }
    }
    // a token that is there is good all the same
    let mut me = Person::new();
    me.signed_in();
    let token = me.kept("sandbox", "access_token");
    me.config("providers/sandbox.toml", "nonsense = 1\n");
    for line in ["token sandbox", "token sandbox --no-cache"] {
        me.types(line).is(0, &format!("{token}\n"), "");
    }
    assert_eq!(me.types("status sandbox").code, 0);
}

#[test]
fn a_token_from_a_variable_is_renewed_by_whoever_set_it() {
    let mut me = Person::new();
    me.set("OAUTHCTL_SANDBOX_TOKEN", "outside-0123456789");
    for line in ["refresh sandbox", "token sandbox --force-refresh"] {
        me.types(line).fails(
            4,
            "
            error: the token of `sandbox` comes from the variable OAUTHCTL_SANDBOX_TOKEN: it can't be refreshed here
            hint: set OAUTHCTL_SANDBOX_TOKEN to a new one; or unset it, then `oauthctl login sandbox`
        ",
        );
    }
    me.unset("OAUTHCTL_SANDBOX_TOKEN").types("token sandbox --store environment").fails(
        4,
        "
        error: no token is stored for `sandbox`
        hint: set OAUTHCTL_SANDBOX_TOKEN
    ",
    );
}

#[test]
fn a_redirect_address_that_names_its_port_wins_over_the_profiles_port() {
    let mut me = Person::new();
    let (old, new) = (own_port(), own_port());
    me.config("config.toml", &format!("[profiles.sandbox]\nprovider = \"sandbox\"\nport = {old}\n"));
    let address = format!("http://127.0.0.1:{new}/cb");
    let done = me.browser(allows).types(&format!("login sandbox --redirect-uri {address}"));
    assert_eq!(done.code, 0, "{}", done.err);
    let kept = format!("[profiles.sandbox]\nprovider = \"sandbox\"\nredirect-uri = \"{address}\"\n");
    assert_eq!(me.config_text(), kept, "and the next login has no two ports");
    assert_eq!(me.browser(allows).types("login sandbox").code, 0);
    // both in the configuration, or both typed: nobody can tell which is meant
    me.config("config.toml", &format!("{kept}port = {old}\n"));
    me.types("login sandbox").fails(
        2,
        &format!(
            "error: the redirect address `http://127.0.0.1:PORT/cb` names port {new}, and `--port` or the profile's `port` another: {old}\nhint: `--redirect-uri URL`: the address as it is registered at the provider\n"
        ),
    );
}

#[test]
fn a_provider_is_kept_by_its_own_name_and_found_by_both() {
    let mut me = Person::new();
    let _server = me.practice(Manners::VerticalResponseVr2);
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    let done = me.types("login vr2 --grant client-credentials");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(me.config_text().contains("provider = \"verticalresponse-vr2\"\n"), "{}", me.config_text());
    let token = me.types("token vr2").out;
    for line in ["token vr2 --provider vr2 --no-cache", "token vr2 --provider verticalresponse-vr2 --no-cache"] {
        me.types(line).is(0, &token, "");
    }
}

#[test]
fn where_nobody_has_logged_in_no_keychain_is_no_trouble() {
    let mut me = without_keychain();
    for line in ["token", "introspect", "inspect", "inspect --id-token"] {
        let done = me.types(&format!("{line} sandbox"));
        assert_eq!(done.code, 4, "{line}: {}", done.err);
        assert!(done.err.starts_with("error: no token is stored for `sandbox`\n"), "{line}: {}", done.err);
    }
    for line in ["logout sandbox", "logout sandbox --local-only"] {
        me.types(line).is(0, "", "sandbox: no token is stored\n");
    }
    // who chose the keychain is told that there is none
    assert_eq!(me.types("logout sandbox --store keychain").code, 5);
}
