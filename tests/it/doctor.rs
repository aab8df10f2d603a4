//! `doctor`: tries what a login needs, and says what to do.

use oauthctl::sandbox::Manners;
use oauthctl::world::{Clock, KeychainError};

use crate::world::{Fault, Person, START};

#[test]
fn a_machine_where_all_is_well() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.types("doctor").is(
        0,
        "
        ok    configuration  ~/config/oauthctl: 0 profiles
        ok    keychain       Secret Service: wrote, read and deleted a test item
        ok    file store     not used: there is a keychain
        ok    store in use   keychain
        ok    fast copy      the kernel keeps a copy of fresh access tokens
        ok    clock          2026-11-21T22:00:00Z
        ok    listener       http://127.0.0.1:PORT could be bound
        ok    browser        BROWSER names `firefox`
        ok    environment    nothing set that this program reads
        note  network        not looked at
                             do: name a profile to try its provider: `oauthctl doctor PROFILE`
    ",
        "",
    );
    assert!(me.keychain.accounts().is_empty(), "the test item is gone");
}

#[test]
fn what_is_missing_is_told_with_what_to_do() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Locked));
    me.set("CI", "true").set("OAUTHCTL_CLIENT_SECRET", "hush-hush-hush");
    me.types("doctor")
        .is(
            0,
            "
        ok    configuration  ~/config/oauthctl: 0 profiles
        note  keychain       the keychain (Secret Service) is locked
                             do: unlock or start it; without one, tokens go into sealed files (`--store file`)
        ok    file store     ~/state/oauthctl/store: wrote, read and deleted a test record
        note  store in use   none is chosen, and no keychain answers: `login` uses sealed files
                             do: `--store file` or OAUTHCTL_STORE=file, once you are content with that
        ok    fast copy      the kernel keeps a copy of fresh access tokens
        ok    clock          2026-11-21T22:00:00Z
        ok    listener       http://127.0.0.1:PORT could be bound
        note  browser        none is opened here: CI or OAUTHCTL_NO_INPUT is set
        ok    environment    set: CI, OAUTHCTL_CLIENT_SECRET
        note  network        not looked at
                             do: name a profile to try its provider: `oauthctl doctor PROFILE`
    ",
            "",
        )
        .tells_nothing_of("hush-hush-hush");
}

#[test]
fn without_any_store_it_is_exit_5() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
    me.set("BROWSER", "firefox");
    std::fs::create_dir_all(me.path("state")).unwrap();
    std::fs::write(me.path("state/oauthctl"), "a file where a folder should be").unwrap();
    let done = me.types("doctor");
    assert_eq!(done.code, 5, "{}", done.out);
    assert!(done.out.contains("FAIL  store in use   no store works\n"), "{}", done.out);
}

#[test]
fn the_store_in_use_is_named_and_looked_at() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.set("OAUTHCTL_STORE", "bogus");
    let done = me.types("doctor");
    assert_eq!(done.code, 1, "{}", done.out);
    assert!(done.out.contains("FAIL  store in use   OAUTHCTL_STORE names an unknown store: `bogus`\n"), "{}", done.out);

    // what is chosen must work: another one that works is no comfort
    me.set("OAUTHCTL_STORE", "keychain");
    assert!(me.types("doctor").out.contains("ok    store in use   keychain, as chosen\n"));
    me.keychain.fault(Fault::Always(KeychainError::Locked));
    let done = me.types("doctor");
    assert_eq!(done.code, 5, "{}", done.out);
    let told = "FAIL  store in use   the keychain is chosen, and does not work\n";
    assert!(done.out.contains(told), "{}", done.out);
    me.set("OAUTHCTL_STORE", "none");
    let done = me.types("doctor");
    assert_eq!(done.code, 0, "{}", done.out);
    assert!(done.out.contains("ok    store in use   none, as chosen\n"), "{}", done.out);
}

#[test]
fn the_only_profile_is_looked_at_unnamed() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let server = me.practice(Manners::GetResponse);
    me.config("config.toml", "[profiles.getresponse]\nprovider = \"getresponse\"\n");
    me.keychain.put("getresponse", "{\"oauthctl\":1,\"generation\":1}");
    let done = me.types("doctor");
    assert!(done.out.contains("ok    store in use   keychain; holds `getresponse`\n"), "{}", done.out);
    assert!(done.out.contains(&format!("ok    network        {}/v3/token answers", server.base())), "{}", done.out);
    me.keychain.put("getresponse", "xx");
    let done = me.types("doctor");
    assert_eq!(done.code, 5, "{}", done.out);
    assert!(done.out.contains("FAIL  store in use   keychain; the record of `getresponse`: "), "{}", done.out);
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.config("config.toml", "[profiles.work]\nprovider = \"getrespnse\"\n");
    me.config("providers/mine.toml", "id = \"mine\"\nextends = \"nothing-like-it\"\n");
    let done = me.types("doctor");
    assert_eq!(done.code, 1);
    let line = done.out.lines().next().unwrap();
    assert!(line.starts_with("FAIL  configuration  "), "{line}");
    assert!(line.contains("getrespnse") && line.contains("providers/mine.toml"), "{line}");
}

#[test]
fn a_clock_before_this_program_was_written_is_wrong() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.later(-START);
    assert_eq!(me.clock.now(), 0);
    let done = me.types("doctor");
    assert_eq!(done.code, 1);
    assert!(done.out.contains("FAIL  clock          says 1970-01-01T00:00:00Z\n"), "{}", done.out);
}

#[test]
fn a_providers_network_is_looked_at_when_it_is_named() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let server = me.practice(Manners::GetResponse);
    let done = me.types("doctor getresponse");
    assert!(done.out.contains(&format!("ok    network        {}/v3/token answers", server.base())), "{}", done.out);
    drop(server);
    let done = me.types("doctor getresponse");
    assert_eq!(done.code, 1);
    assert!(done.out.contains("FAIL  network        can't reach "), "{}", done.out);
}
