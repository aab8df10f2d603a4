//! Records without a profile: found by name, listed, and deleted on request.

use oauthctl::sandbox::Manners;
use oauthctl::world::KeychainError;

use crate::world::robot::allows;
use crate::world::{Fault, Person};

/// Typed half of what the login asks for, then Ctrl-C.
fn stranded(more: &str) -> (Person, oauthctl::sandbox::Server) {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let server = me.practice(Manners::GetResponse);
    let line = format!("login p.9 --provider getresponse{more}");
    let failed = me.answers("practice-client").presses_ctrl_c().types(&line);
    assert_eq!(failed.code, 130, "{}", failed.err);
    assert!(failed.err.contains(&format!("`oauthctl {line}` offers it")), "{}", failed.err);
    assert!(kept(&me) && me.config_text().is_empty());
    (me, server)
}

fn kept(me: &Person) -> bool {
    let folder = std::fs::read_dir(me.path("state/oauthctl/store")).into_iter().flatten().flatten();
    let sealed = folder.filter(|file| file.file_name().to_string_lossy().ends_with(".sealed")).count();
    sealed > 0 || !me.keychain.accounts().is_empty()
}

const STORES: [(&str, &str); 2] = [("", "the keychain (Secret Service)"), (" --store file", "~/state/oauthctl/store")];

#[test]
fn what_was_typed_for_a_login_that_is_not_finished_is_found_by_its_name() {
    for (more, place) in STORES {
        for line in ["logout p.9", "logout p.9 --local-only", "profile remove p.9", "logout --all"] {
            let (mut me, _server) = stranded(more);
            let status = me.types("status p.9");
            assert_eq!(status.code, 4, "{}", status.err);
            let words = format!(
                "the answers given to a login are stored: `oauthctl login p.9 --provider getresponse{more}` continues with them, `oauthctl logout p.9` deletes them"
            );
            assert!(status.out.contains(&words), "{}", status.out);
            let told = format!(
                "{place} has the record `p.9`, of a login that is not finished: `oauthctl init p.9` goes on with it; `oauthctl logout \
                 p.9{more}` deletes it\n"
            );
            me.types("list").is(0, "", &told);
            let doctor = me.types("doctor");
            let note = " has the record `p.9`, of a login that is not finished\n";
            assert!(doctor.code == 0 && doctor.out.contains(note), "{}", doctor.out);
            let done = me.types(line);
            assert_eq!(done.code, 0, "{line}: {}", done.err);
            assert!(!kept(&me), "{line}: {}", done.err);
            assert_eq!(me.types("status p.9").code, 2);
        }
    }
}

#[test]
fn it_takes_another_name_and_is_offered_to_the_next_login() {
    for (more, _) in STORES {
        let (mut me, _server) = stranded(more);
        me.config("config.toml", "[profiles.work]\nprovider = \"getresponse\"\n");
        let taken = me.types("profile rename p.9 work");
        assert!(taken.code == 2 && taken.err.contains("there is a profile `work` already"), "{}", taken.err);
        me.types("profile rename p.9 q").is(0, "", "p.9 is renamed q\n");
        let again = me.presses_ctrl_c().types("login q");
        assert!(again.err.contains("Client id [practice-client]: "), "{}", again.err);
        assert_eq!(me.types("profile remove q").code, 0);
        assert!(!kept(&me));
    }
}

#[test]
fn a_providers_name_finds_what_was_typed_for_it_in_any_store() {
    for line in ["logout gr", "profile remove gr", "profile remove getresponse"] {
        for (more, _) in STORES {
            let mut me = Person::new();
            let _server = me.practice(Manners::GetResponse);
            me.answers("practice-client").presses_ctrl_c().types(&format!("login gr{more}"));
            assert!(kept(&me));
            let done = me.types(line);
            assert!(done.code == 0 && !kept(&me), "{line}{more}: {}", done.err);
        }
    }
}

#[test]
fn nothing_is_too_damaged_or_too_old_to_be_forgotten() {
    const MINE: &str = "extends = \"getresponse\"\nname = \"Mine\"\n";
    for line in ["logout p9", "logout p9 --local-only", "profile remove p9", "logout --all"] {
        let mut me = Person::new();
        me.config("providers/mine.toml", MINE);
        me.answers("my-client").presses_ctrl_c().types("login p9 --provider mine");
        assert!(kept(&me));
        std::fs::remove_file(me.path("config/oauthctl/providers/mine.toml")).unwrap();
        let status = me.types("status p9");
        assert!(status.code == 4 && status.out.contains("`oauthctl logout p9` deletes them"), "{}", status.err);
        let done = me.types(line);
        assert!(done.code == 0 && !kept(&me), "{line}: {}", done.err);
    }
    for line in ["logout p9 --local-only", "profile remove p9", "logout --all --local-only"] {
        let mut me = Person::new();
        me.keychain.put("p9", "no record");
        assert_eq!(me.types("status p9").code, 5);
        assert!(me.types("list").err.contains("`oauthctl logout p9` deletes it"));
        let refused = me.types("logout p9");
        let told = "`oauthctl logout p9 --local-only` forgets it unread";
        assert!(refused.code == 5 && refused.err.contains(told), "{}", refused.err);
        let done = me.types(line);
        assert!(done.code == 0 && !kept(&me), "{line}: {}", done.err);
    }
}

/// Killed between record and `config.toml`, or the file was lost.
#[test]
fn tokens_without_a_profile_are_revoked_by_logout() {
    for (more, _) in STORES {
        for line in ["logout p9", "logout --all"] {
            let mut me = Person::new();
            let server = me.practice(Manners::Sandbox);
            assert_eq!(me.browser(allows).types(&format!("login p9 --provider sandbox{more}")).code, 0);
            me.config("config.toml", "");
            let done = me.types(line);
            assert_eq!(done.code, 0, "{}", done.err);
            assert!(done.err.contains("p9: deleted here; the provider has revoked"), "{}", done.err);
            assert!(!kept(&me) && me.copies.texts().is_empty());
            drop(server);
        }
    }
}

/// Killed while it moved from one store to the other.
#[test]
fn what_stayed_behind_in_another_store_is_named() {
    let mut me = Person::new();
    let _server = me.practice(Manners::Sandbox);
    assert_eq!(me.browser(allows).types("login p9 --provider sandbox").code, 0);
    let left = me.keychain.item("p9").unwrap();
    assert_eq!(me.browser(allows).types("login p9 --store file").code, 0);
    me.keychain.put("p9", &left);
    let told = "the keychain (Secret Service) has the record `p9`, which belongs to no profile in config.toml: `oauthctl logout p9 --store keychain` deletes it\n";
    assert!(me.types("list").err.ends_with(told));
    let done = me.types("logout p9");
    assert!(done.code == 0 && done.err.ends_with(told), "{}", done.err);
    let done = me.types("logout p9 --store keychain");
    assert!(done.code == 0 && !kept(&me), "{}", done.err);
    me.keychain.put("p9", &left);
    let done = me.types("profile remove p9");
    assert!(done.code == 0 && done.err.ends_with(told), "{}", done.err);
    assert_eq!(me.types("logout --all").code, 0);
    assert!(!kept(&me));
}

#[test]
fn a_configuration_of_its_own_ends_no_login_of_another_one() {
    let mut me = Person::new();
    let _server = me.practice(Manners::Sandbox);
    assert_eq!(me.browser(allows).types("login p9 --provider sandbox").code, 0);
    let folder = me.path("ci").display().to_string();
    me.set("OAUTHCTL_CONFIG_DIR", &folder);
    let done = me.types("logout --all");
    assert!(done.code == 0 && done.err.contains("`oauthctl logout p9` deletes it"), "{}", done.err);
    assert!(kept(&me));
}

#[test]
fn a_store_that_can_not_say_is_told_of() {
    let (mut me, _server) = stranded("");
    me.keychain.fault(Fault::Always(KeychainError::Locked));
    let done = me.types("logout p.9");
    assert_eq!(done.code, 2);
    assert!(done.err.contains("is locked: it can't be searched for a record of that name"), "{}", done.err);
    let done = me.types("logout --all");
    assert!(done.err.contains("is locked: other records in this store can't be listed"), "{}", done.err);
}
