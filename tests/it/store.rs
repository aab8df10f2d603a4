//! `store`: tries a store, and moves records from one to another.

use oauthctl::world::KeychainError;

use crate::world::robot::allows;
use crate::world::{Fault, Person};

/// Somebody with two logins in the keychain.
fn two() -> Person {
    let mut me = Person::new();
    for name in ["one", "two"] {
        let done = me.browser(allows).types(&format!("login {name} --provider sandbox"));
        assert_eq!(done.code, 0, "{}", done.err);
    }
    me
}

fn token(me: &mut Person, line: &str) -> String {
    let done = me.types(line);
    assert_eq!(done.code, 0, "{}", done.err);
    done.out
}

#[test]
fn a_store_is_tried_with_a_record_that_does_not_stay() {
    let mut me = Person::new();
    for line in ["store test", "store test file"] {
        let done = me.types(line);
        assert!(
            done.code == 0 && done.out.contains(": written in ") && done.out.contains(" ms, deleted in "),
            "{}",
            done.out
        );
    }
    assert!(me.keychain.accounts().is_empty());
    me.keychain.fault(Fault::Always(KeychainError::Locked));
    assert_eq!(me.types("store test").code, 5);
    me.keychain.fault(Fault::Forgets);
    assert_eq!(me.types("store test").code, 5);
    me.types("store test none").fails(5, "error: the store `none` keeps nothing\nhint: choose another one: unset OAUTHCTL_STORE or the variable that holds the token, or add `--store` where the command takes it\n");
}

#[test]
fn all_records_move_and_stay_the_same_logins() {
    let mut me = two();
    let before = [token(&mut me, "token one"), token(&mut me, "token two")];
    me.types("store migrate keychain file").is(0, "", "Moved 2 profiles to `file`: `one`, `two`.\n");
    assert!(me.keychain.accounts().is_empty());
    assert_eq!(me.config_text().matches("store = \"file\"").count(), 2, "{}", me.config_text());
    assert_eq!([token(&mut me, "token one"), token(&mut me, "token two")], before);
    assert_eq!(me.types("refresh one").code, 0);
    assert_ne!(token(&mut me, "token one"), before[0]);
    me.types("store migrate keychain file").is(0, "", "No profile has the store `keychain`.\n");
    let renewed = token(&mut me, "token one --no-cache");
    me.types("store migrate file keychain").is(0, "", "Moved 2 profiles to `keychain`: `one`, `two`.\n");
    assert_eq!(token(&mut me, "token one --no-cache"), renewed);
    assert_eq!(me.types("logout --all").code, 0);
}

#[test]
fn a_store_that_fails_in_the_middle_leaves_all_where_it_was() {
    let mut me = two();
    let mut other = me.record("two");
    let moved = me.types("store migrate keychain file");
    assert_eq!(moved.code, 0, "{}", moved.err);
    let (one, config) = (token(&mut me, "token one --no-cache"), me.config_text());
    // another login under the second name is no copy
    other["login_at"] = 7.into();
    me.keychain.put("two", &other.to_string());
    let refused = me.types("store migrate file keychain");
    assert!(refused.code == 5 && refused.err.contains("another login under the name `two`"), "{}", refused.err);
    assert!(refused.err.contains("hint: `oauthctl logout two --store keychain` ends that one"), "{}", refused.err);
    assert_eq!(me.keychain.accounts(), ["two"]);
    assert_eq!(me.config_text(), config);
    assert_eq!(token(&mut me, "token one --no-cache"), one);
    me.keychain.fault(Fault::Writes(KeychainError::Locked));
    assert_eq!(me.types("store migrate file keychain").code, 5);
    me.keychain.fault(Fault::None);
    assert_eq!(me.config_text(), config);
}

#[test]
fn a_migration_that_was_cut_off_is_finished_and_no_logout_of_its_rest_revokes() {
    let mut me = two();
    let (config, kept) = (me.config_text(), me.keychain.item("one").unwrap());
    assert_eq!(me.types("store migrate keychain file").code, 0);
    // killed before config.toml named the new store: a copy without a profile is there
    let moved = me.config_text();
    me.keychain.put("one", &kept);
    me.config("config.toml", &config);
    let done = me.types("logout one --store file");
    assert!(
        done.code == 0
            && done.err.contains("one: deleted in ")
            && done.err.contains("; the login goes on in the keychain"),
        "{}",
        done.err
    );
    assert!(done.sent.is_empty(), "{:?}", done.sent);
    assert_eq!(me.types("refresh one").code, 0);
    // killed after it: the record of before is there
    let kept = me.keychain.item("one").unwrap();
    assert_eq!(me.types("store migrate keychain file").code, 0);
    me.keychain.put("one", &kept);
    assert!(me.config_text() == moved && me.types("list").err.contains("has the record `one`"));
    me.types("store migrate keychain file").is(0, "", "Moved 1 profile to `file`: `one`.\n");
    assert!(me.keychain.accounts().is_empty());
    assert_eq!(me.types("refresh one").code, 0);
}

#[test]
fn a_logout_asks_the_profiles_own_store_where_there_is_one() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    assert_eq!(me.browser(allows).types("login one --provider sandbox").code, 0);
    me.unset("OAUTHCTL_STORE").keychain.fault(Fault::Always(KeychainError::Locked));
    // what is locked may have the same login
    assert_eq!(me.types("logout one --store file").code, 5);
    me.keychain.fault(Fault::Always(KeychainError::Absent("no bus".to_owned())));
    let done = me.types("logout one --store file");
    assert!(done.code == 0 && done.err.contains("revoked"), "{}", done.err);
}

#[test]
fn a_login_that_a_changed_key_left_behind_is_said_and_moved() {
    let mut me = two();
    let before = token(&mut me, "token one --no-cache");
    let done = me.types("profile set one store file");
    assert!(done.code == 0 && done.err.contains("its login is still in the keychain"), "{}", done.err);
    assert!(done.err.contains("`oauthctl store migrate keychain file` moves it"), "{}", done.err);
    assert_eq!(me.types("profile unset two port").code, 0);
    assert_eq!(me.types("store migrate keychain file").code, 0);
    assert_eq!(token(&mut me, "token one --no-cache"), before);
}

#[test]
fn a_name_that_a_record_of_no_profile_has_is_freed_by_the_command_that_the_error_names() {
    let mut me = two();
    let orphan = me.keychain.item("one").unwrap();
    assert_eq!(me.types("logout one --local-only").code, 0);
    assert_eq!(me.types("profile remove one").code, 0);
    me.keychain.put("one", &orphan);
    me.types("profile rename two one").fails(2, "error: `one` has tokens already\nhint: oauthctl logout one\n");
    assert_eq!(me.types("logout one").code, 0);
    assert_eq!(me.types("profile rename two one").code, 0);
}

#[test]
fn what_moves_nothing_is_a_usage_error() {
    let mut me = Person::new();
    for (line, why) in [
        ("store migrate file file", "both stores are the same"),
        ("store migrate none file", "the store `none` keeps no records"),
        ("store migrate keychain environment", "the store `environment` keeps no records"),
        ("store migrate keychain cloud", "it is one of `keychain`"),
    ] {
        let done = me.types(line);
        assert!(done.code == 2 && done.err.contains(why), "{line}: {}", done.err);
    }
    me.set("OAUTHCTL_STORE", "file");
    let done = me.types("store migrate keychain file");
    assert!(done.code == 2 && done.err.contains("OAUTHCTL_STORE chooses"), "{}", done.err);
}

/// Somebody with a login in files under a passphrase, which no variable has any more.
fn under_a_passphrase() -> Person {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file").set("OAUTHCTL_STORE_PASSPHRASE", "correct horse");
    assert_eq!(me.browser(allows).types("login one --provider sandbox").code, 0);
    me.unset("OAUTHCTL_STORE_PASSPHRASE");
    me
}

#[test]
fn an_unlocked_store_opens_without_the_passphrase_until_its_time_is_over() {
    let mut me = under_a_passphrase();
    let refused = me.types("token one --no-cache");
    assert!(refused.code == 5 && refused.err.contains("hint: `oauthctl store unlock` asks for it"), "{}", refused.err);
    let wrong = ["wrong horse"; 3].iter().fold(&mut me, |me, typed| me.answers_hidden(typed)).types("store unlock");
    assert!(wrong.code == 5 && wrong.err.contains("error: the passphrase does not open"), "{}", wrong.err);
    assert!(wrong.err.contains("that passphrase does not open") && !wrong.err.contains("asks for it"), "{}", wrong.err);
    assert_eq!(me.types("token one --no-cache").code, 5, "nothing is kept for a wrong one");
    let done = me.answers_hidden("correct hose").answers_hidden("correct horse").types("store unlock --for 30m");
    assert!(done.code == 0 && done.err.contains("Unlocked until "), "{}", done.err);
    let before = token(&mut me, "token one --no-cache");
    assert_eq!(me.types("refresh one").code, 0);
    assert_ne!(token(&mut me, "token one --no-cache"), before);
    assert!(me.types("status one").out.contains("unlocked       until "));
    assert!(me.types("doctor").out.contains("deleted a test record; unlocked until "));
    // a new login is under the passphrase too
    assert_eq!(me.browser(allows).types("login two --provider sandbox").code, 0);
    assert!(!me.path("state/oauthctl/store/key").exists());
    me.later(31 * 60);
    assert_eq!(me.types("token two --no-cache").code, 5);
    // no weaker key takes over
    let refused = me.types("login three --provider sandbox");
    assert!(refused.code == 5 && !me.path("state/oauthctl/store/key").exists(), "{}", refused.err);
    me.set("OAUTHCTL_STORE_PASSPHRASE", "correct horse");
    assert_eq!(me.types("token two --no-cache").code, 0);
}

#[test]
fn a_lock_leaves_no_token_within_reach() {
    let mut me = under_a_passphrase();
    assert_eq!(me.answers_hidden("correct horse").types("store unlock").code, 0);
    token(&mut me, "token one");
    assert_eq!(me.types("token one").code, 0, "from the kernel's copy");
    me.types("store lock").is(0, "", "Locked.\n");
    assert_eq!(me.types("token one").code, 5);
    let audit = me.types("store audit");
    assert!(audit.code == 5 && audit.err.contains("a store could not be looked at"), "{}", audit.err);
    me.types("store lock").is(0, "", "It was not unlocked.\n");
    // another folder has another salt
    assert_eq!(me.answers_hidden("correct horse").types("store unlock").code, 0);
    std::fs::write(me.path("state/oauthctl/store/salt"), [1; 16]).unwrap();
    assert_eq!(me.types("token one --no-cache").code, 5);
    // the last record takes the key with it
    let kept = |me: &Person| me.copies.all().keys().filter(|name| name.starts_with("kept:")).count();
    assert_eq!(me.answers_hidden("correct horse").types("store unlock").code, 0);
    assert_eq!(kept(&me), 2);
    assert_eq!(me.types("logout --all").code, 0);
    assert_eq!(kept(&me), 1);
}

#[test]
fn a_passphrase_that_nothing_proves_is_typed_twice_and_one_that_changed_is_told() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    let refused = me.types("store unlock");
    assert!(refused.code == 5 && refused.err.contains("a passphrase is needed to open"), "{}", refused.err);
    assert!(refused.err.contains("hint: run this at a terminal"), "{}", refused.err);
    let refused = me.answers_hidden("correct horse").answers_hidden("correct hose").types("store unlock");
    assert!(refused.code == 2 && refused.err.contains("that was another passphrase"), "{}", refused.err);
    let done = me.answers_hidden("correct horse").answers_hidden("correct horse").types("store unlock");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(me.browser(allows).types("login one --provider sandbox").code, 0);
    me.set("OAUTHCTL_STORE_PASSPHRASE", "another horse");
    assert_eq!(me.browser(allows).types("login two --provider sandbox").code, 0);
    let told = me.types("store unlock");
    assert!(told.code == 0 && told.err.contains("the record of `one` is sealed with another"), "{}", told.err);
    assert!(told.err.contains("derive the key each time"), "{}", told.err);
    me.unset("OAUTHCTL_STORE_PASSPHRASE");
    assert_eq!(me.types("token two --no-cache").code, 0);
    assert_eq!(me.types("token one --no-cache").code, 5);
}

#[test]
fn a_key_file_leaves_nothing_to_unlock_and_an_unlocked_key_leaves_its_records_there() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    assert_eq!(me.browser(allows).types("login one --provider sandbox").code, 0);
    me.set("OAUTHCTL_STORE_PASSPHRASE", "correct hose");
    let refused = me.types("store unlock");
    assert!(refused.code == 2 && refused.err.contains("there is nothing to unlock: a key file"), "{}", refused.err);
    assert!(refused.err.contains("set OAUTHCTL_STORE_PASSPHRASE for its next"), "{}", refused.err);
    // another login under a passphrase: only that one needs it later
    assert_eq!(me.browser(allows).types("login two --provider sandbox").code, 0);
    assert_eq!(me.types("store unlock").code, 0);
    me.unset("OAUTHCTL_STORE_PASSPHRASE");
    for name in ["one", "two"] {
        assert_eq!(me.types(&format!("refresh {name}")).code, 0, "{name}");
    }
    me.types("store lock").is(0, "", "Locked.\n");
    assert_eq!(me.types("token one --no-cache").code, 0, "it is under the key file still");
    assert_eq!(me.types("token two --no-cache").code, 5, "it is under the passphrase still");
    // what the refusal says is true
    me.set("OAUTHCTL_STORE_PASSPHRASE", "correct hose");
    assert_eq!(me.types("refresh one").code, 0);
    me.unset("OAUTHCTL_STORE_PASSPHRASE");
    assert_eq!(me.types("token one --no-cache").code, 5);
}

#[test]
fn an_unlock_says_which_variable_is_wrong_and_that_another_store_is_in_use() {
    let mut me = under_a_passphrase();
    me.set("OAUTHCTL_STORE_PASSPHRASE", "wrong horse");
    let wrong = me.types("store unlock");
    let used = me.types("token one --no-cache");
    assert!(used.code == 5 && used.err.contains("hint: OAUTHCTL_STORE_PASSPHRASE, or the file that"), "{}", used.err);
    let hint = "hint: OAUTHCTL_STORE_PASSPHRASE holds another passphrase";
    assert!(wrong.code == 5 && wrong.err.contains(hint) && !wrong.err.contains("asks for it"), "{}", wrong.err);
    let file = me.path("passphrase");
    std::fs::write(&file, "wrong horse").unwrap();
    me.unset("OAUTHCTL_STORE_PASSPHRASE").set("OAUTHCTL_STORE_PASSPHRASE_FILE", &file.display().to_string());
    let wrong = me.types("store unlock");
    let hint = "hint: the file that OAUTHCTL_STORE_PASSPHRASE_FILE names holds another";
    assert!(wrong.code == 5 && wrong.err.contains(hint), "{}", wrong.err);
    std::fs::write(&file, "correct horse").unwrap();
    assert!(!me.types("store unlock").err.contains("the store `"));
    let told = me.set("OAUTHCTL_STORE", "none").types("store unlock");
    assert!(told.code == 0 && told.err.contains("OAUTHCTL_STORE chooses the store `none`"), "{}", told.err);
    me.unset("OAUTHCTL_STORE").config("config.toml", "store = \"keychain\"\n");
    let told = me.types("store unlock");
    assert!(told.code == 0 && told.err.contains("the others have `keychain`"), "{}", told.err);
}

#[test]
fn an_audit_finds_what_should_not_be_there_and_says_what_to_do() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    for name in ["one", "two"] {
        assert_eq!(me.browser(allows).types(&format!("login {name} --provider sandbox")).code, 0);
    }
    me.types("store audit").is(0, "", "Nothing was found.\n");
    me.types("store audit --format json").is(0, "[]\n", "Nothing was found.\n");
    let state = me.path("state/oauthctl");
    #[cfg(unix)]
    let names = |name: &str| {
        std::fs::read_dir(state.join("store"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.display().to_string().contains(name))
            .unwrap()
    };
    let mut expected = Vec::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let backup = state.with_file_name("oauthctl-backup.tar");
        std::fs::write(&backup, "x").unwrap();
        let backed_up = format!("chmod 600 {}", backup.display());
        for (path, next) in [(&backup, &*backed_up), (&names("one-"), "it is closed now; if others")] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
            expected.push(("permissions", path.display().to_string(), next.to_owned()));
        }
    }
    // a record of a profile that has gone, a half-written file
    let config = me.config_text();
    assert_eq!(me.browser(allows).types("login three --provider sandbox").code, 0);
    me.config("config.toml", &config);
    expected.push(("orphan", "the record `three`".to_owned(), "`oauthctl logout three` deletes it".to_owned()));
    std::fs::write(state.join("store/.one.00.new"), "x").unwrap();
    // where it is quoted, as on Windows, the name is not next to the words about it
    expected.push(("leftover", "was not written to its end".to_owned(), "rm ".to_owned()));
    expected.push(("leftover", ".one.00.new".to_owned(), ".one.00.new".to_owned()));
    // a refresh of a profile, and one of nobody's
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(600);
    let journal = |name: &str, is_old: bool| {
        let file = std::fs::File::create(state.join("journal").join(format!("{name}.journal"))).unwrap();
        if is_old {
            file.set_modified(old).unwrap();
        }
    };
    let seen = std::fs::read_dir(state.join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let of_one = seen
        .filter(|path| path.extension().is_some_and(|it| it == "seen"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    // nobody has their locks: that is certain
    of_one.for_each(|name| journal(&name, false));
    expected.push(("journal", "a refresh of `two` was not ended".to_owned(), "oauthctl refresh two".to_owned()));
    expected.push(("journal", "a refresh of `one` was not ended".to_owned(), "oauthctl refresh one".to_owned()));
    journal("0123", true);
    expected.push(("journal", "is of a refresh that belongs to no profile".to_owned(), "if no other".to_owned()));
    expected.push(("journal", "0123.journal".to_owned(), "if no other".to_owned()));
    journal("4567", false);
    // the next passphrase leaves the key file's records behind
    me.set("OAUTHCTL_STORE_PASSPHRASE", "correct horse");
    expected.push(("seal", "`two` is under the key file".to_owned(), "oauthctl refresh two".to_owned()));
    let found = me.types("store audit --format json");
    assert_eq!(found.code, 1, "{}", found.err);
    let list: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    for (kind, about, next) in expected {
        let is_it = |one: &serde_json::Value| {
            let says = |key: &str, what: &str| one[key].as_str().is_some_and(|text| text.contains(what));
            says("finding", kind) && says("about", &about) && says("do", &next)
        };
        assert!(list.as_array().unwrap().iter().any(is_it), "{kind} {about} {next}: {}", found.out);
    }
    let strange = found.out.matches("is of a refresh that belongs").count();
    assert_eq!(strange, 1, "another configuration's may be under way: {}", found.out);
    let text = me.types("store audit");
    assert!(text.code == 1 && text.out.contains("note  leftover ") && text.out.contains("do: rm "), "{}", text.out);
    // one of them is under it now, and only it seals the other one
    assert_eq!(me.types("refresh one").code, 0);
    me.unset("OAUTHCTL_STORE_PASSPHRASE");
    let text = me.types("store audit").out;
    assert!(text.contains("`two` is under the key file"), "{text}");
    assert!(text.contains("do: set OAUTHCTL_STORE_PASSPHRASE, then: oauthctl refresh two"), "{text}");
}

#[test]
fn an_audit_says_which_store_has_no_list() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "pass");
    let told =
        "`pass` has no list of its records: those without a profile are not looked for there.\nNothing was found.\n";
    me.types("store audit").is(0, "", told);
}

#[test]
fn an_audit_goes_on_after_a_damaged_record_and_tells_what_is_no_file_of_a_store() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    for name in ["one", "two"] {
        assert_eq!(me.browser(allows).types(&format!("login {name} --provider sandbox")).code, 0);
    }
    let store = me.path("state/oauthctl/store");
    let file = |name: &str| {
        let all = std::fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
        all.into_iter().find(|path| path.display().to_string().contains(name)).unwrap()
    };
    let (one, two) = (file("one-"), file("two-"));
    std::fs::write(&one, "x").unwrap();
    std::fs::remove_file(&two).unwrap();
    std::fs::create_dir(&two).unwrap();
    std::fs::write(store.join("notes.txt"), "x").unwrap();
    std::fs::write(store.join("other-0011223344556677.sealed"), "x").unwrap();
    std::fs::create_dir_all(me.path("state/oauthctl/unfinished/more")).unwrap();
    #[cfg_attr(not(unix), expect(unused_mut, reason = "no symbolic link there"))]
    let mut expected = vec![
        ("unreadable", "one-", "`oauthctl logout one --local-only` forgets it"),
        ("unreadable", "two-", ""),
        ("stranger", "two-3fc4ccfe745870e2.sealed* is a folder", "rm -r"),
        ("stranger", "notes.txt* is no file of this program", "rm "),
        ("stranger", "other-*is a sealed file under the name of no profile", "rm "),
        ("stranger", "more* is a folder", "rm -r"),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/passwd", store.join("key.bak")).unwrap();
        expected.push(("stranger", "key.bak* is a symbolic link", "rm "));
    }
    let found = me.types("store audit --format json");
    assert_eq!(found.code, 1, "{}{}", found.out, found.err);
    let list: Vec<serde_json::Value> = serde_json::from_str(&found.out).unwrap();
    for (kind, about, next) in expected {
        let is_it = |one: &serde_json::Value| {
            let says = |key: &str, what: &str| one[key].as_str().unwrap_or_default().contains(what);
            // where it is quoted, as on Windows, the name is not next to the words about it
            says("finding", kind) && about.split('*').all(|part| says("about", part)) && says("do", next)
        };
        assert_eq!(list.iter().filter(|one| is_it(one)).count(), 1, "{kind} {about} {next}: {}", found.out);
    }
    assert!(!found.out.contains("the sealed record of `one`"), "told twice: {}", found.out);
}

#[test]
#[cfg(unix)]
fn a_file_that_was_open_to_others_is_closed_and_told_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    assert_eq!(me.browser(allows).types("login one --provider sandbox").code, 0);
    let key = me.path("state/oauthctl/store/key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = me.types("token one --no-cache");
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.err.ends_with("store/key was open to other users until now, who may have read it\n"), "{}", told.err);
    assert_eq!(me.types("token one --no-cache").err, "");
}

#[test]
fn records_are_sealed_for_a_key_of_age_and_for_nobody_without_one() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file");
    assert_eq!(me.browser(allows).types("login one --provider sandbox").code, 0);
    let before = token(&mut me, "token one --no-cache");
    me.config("key.txt", "# a comment\nAGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let own = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(me.path("config/oauthctl/key.txt"), own).unwrap();
    }
    let config = me.config_text();
    let recipients = "\"age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\"";
    me.config("config.toml", &format!("store-identity = \"key.txt\"\nstore-recipients = [{recipients}]\n{config}"));
    assert_eq!(token(&mut me, "token one --no-cache"), before, "sealed with the key file before");
    let found = me.types("store audit");
    assert!(
        found.code == 1 && found.out.contains("is not sealed for the key that `store-identity` names"),
        "{}",
        found.out
    );
    assert_eq!(me.types("refresh one").code, 0);
    me.types("store audit").is(0, "", "Nothing was found.\n");
    let refused = me.types("store unlock");
    assert!(
        refused.code == 2 && refused.err.contains("nothing to unlock: a private key of age or SSH opens"),
        "{}",
        refused.err
    );
    assert_ne!(token(&mut me, "token one --no-cache"), before);
    me.config("config.toml", &config);
    me.types("token one --no-cache").fails(5, &format!("error: a private key of age is needed to open `{}`\nhint: `store-identity` in config.toml names the file of the key (`oauthctl help storage`)\n", "~/state/oauthctl/store/one-7692c3ad3540bb80.sealed"));
    for (lines, code, why) in [
        ("store-identity = \"nowhere\"\n", 5, "the reading of the key file"),
        ("store-recipients = [\"age1\"]\nstore-identity = \"key.txt\"\n", 2, "is no public key of age"),
        (&format!("store-recipients = [{recipients}]\n"), 2, "needs `store-identity`"),
    ] {
        me.config("config.toml", &format!("{lines}{config}"));
        let refused = me.types("token one --no-cache");
        assert!(refused.code == code && refused.err.contains(why), "{}", refused.err);
    }
}
