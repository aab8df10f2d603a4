//! Environment variables: their profiles, and their agreement with the flags.

use oauthctl::sandbox::Manners;
use oauthctl::world::KeychainError;

use crate::world::{Fault, Output, Person};

fn ci() -> Person {
    let mut me = Person::new();
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    me.set("OAUTHCTL_STORE", "none");
    me
}

#[track_caller]
fn succeeds(done: &Output) {
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn the_variables_hold_for_a_profile_however_it_is_named() {
    let mut me = ci();
    let _server = me.practice(Manners::GetResponse);
    for line in [
        "token getresponse --grant client-credentials",
        "token --provider getresponse --grant client-credentials",
        "call --provider getresponse --grant client-credentials /campaigns",
    ] {
        succeeds(&me.types(line));
    }
    me.set("OAUTHCTL_PROFILE", "getresponse");
    succeeds(&me.types("token --grant client-credentials"));
    me.set("OAUTHCTL_GRANT", "client-credentials");
    succeeds(&me.types("token"));
    me.set("OAUTHCTL_PROFILE", "work");
    succeeds(&me.types("token --provider getresponse"));
}

#[test]
fn the_variables_are_not_for_a_profile_that_nobody_named() {
    let mut me = ci();
    let _server = me.practice(Manners::GetResponse);
    for top in ["", "default-profile = \"work\"\n"] {
        me.config(
            "config.toml",
            &format!("{top}[profiles.work]\nprovider = \"getresponse\"\ngrant = \"client-credentials\"\n"),
        );
        me.types("token").fails(
            2,
            "
            error: no client id is known for profile `work`
            hint: OAUTHCTL_CLIENT_ID is for the profile that is named: on the command line, or with OAUTHCTL_PROFILE=work
        ",
        );
        succeeds(&me.types("token work"));
    }
    // one of many is not named either
    me.unset("OAUTHCTL_STORE").set("OAUTHCTL_GRANT", "no-such-grant");
    for line in ["refresh --all", "list"] {
        let done = me.types(line);
        assert!(!done.err.contains("OAUTHCTL_GRANT"), "{line}: {}", done.err);
    }
    assert_eq!(me.types("status work").code, 2, "this one is");
}

#[test]
fn a_provider_that_is_named_is_not_looked_for_in_the_usual_profile_of_another() {
    let mut me = ci();
    let _server = me.practice(Manners::GetResponse);
    me.config("config.toml", "default-profile = \"play\"\n[profiles.play]\nprovider = \"sandbox\"\n");
    let done = me.types("token --provider getresponse --grant client-credentials --format json");
    succeeds(&done);
    assert!(done.out.contains("\"profile\":\"getresponse\""), "{}", done.out);
    me.set("OAUTHCTL_CLIENT_ID", "sandbox-ci");
    let done = me.types("token --provider sandbox --grant client-credentials --format json");
    succeeds(&done);
    assert!(done.out.contains("\"profile\":\"play\""), "{}", done.out);
}

#[test]
fn a_flag_wins_over_the_variable_even_over_one_that_means_nothing() {
    let mut me = ci();
    let _server = me.practice(Manners::GetResponse);
    for grant in ["foo", "implicit"] {
        me.set("OAUTHCTL_GRANT", grant);
        succeeds(&me.types("token getresponse --grant client-credentials"));
        assert_eq!(me.types("token getresponse").code, 2, "{grant}");
    }
}

#[test]
fn scopes_from_a_variable_ask_for_another_token_as_the_flag_does() {
    for variable in ["OAUTHCTL_SCOPE", "OAUTHCTL_SANDBOX_SCOPE"] {
        let mut me = ci();
        me.unset("OAUTHCTL_STORE").set("OAUTHCTL_CLIENT_ID", "sandbox-ci");
        me.set("OAUTHCTL_GRANT", "client-credentials").set(variable, "profile");
        let first = me.types("token sandbox");
        assert_eq!(first.code, 0, "{}", first.err);
        assert_eq!(me.types("token sandbox").out, first.out, "the same scopes, the same token");
        me.set(variable, "email");
        let other = me.types("token sandbox");
        assert_eq!(other.code, 0, "{}", other.err);
        assert_ne!(other.out, first.out, "{variable}");
        // two shells in turn: each gets what it asked for, though the store has one record
        let mut before = other.out;
        for (scope, asked) in [("profile", "profile"), ("email", "email"), ("profile,email", "profile")] {
            let done = me.set(variable, scope).types("token sandbox");
            assert_eq!(me.record("sandbox")["asked"][0], asked, "{}", done.err);
            assert_ne!(done.out, before, "{variable}");
            me.types("token sandbox").is(0, &done.out, "");
            before = done.out;
        }
        let by_flag = me.unset(variable).types("token sandbox --scope email");
        assert_ne!(by_flag.out, first.out);
    }
    // a person's login that has not these scopes is neither served nor spent
    let mut me = Person::new();
    me.signed_in();
    let token = me.kept("sandbox", "access_token");
    let done = me.set("OAUTHCTL_SCOPE", "write").types("token sandbox");
    assert_eq!((done.code, done.sent.len(), done.out.as_str()), (4, 0, ""));
    me.set("OAUTHCTL_SCOPE", "email").types("token sandbox").is(0, &format!("{token}\n"), "");
}

/// The folder as it is seen from the working directory of the tests.
#[cfg(unix)]
fn from_here(folder: &std::path::Path) -> std::path::PathBuf {
    let here = std::path::absolute(".").expect("a place");
    let up = here.components().skip(1).map(|_| "..");
    up.collect::<std::path::PathBuf>().join(folder.strip_prefix("/").expect("an absolute folder"))
}

#[cfg(unix)]
#[test]
fn a_relative_folder_is_taken_from_the_working_directory() {
    let mut me = Person::new();
    me.signed_in();
    let (config, state) = (me.path("ci/config"), me.path("ci/state"));
    let (near_config, near_state) = (from_here(&config), from_here(&state));
    me.set("OAUTHCTL_CONFIG_DIR", near_config.to_str().expect("text"));
    me.set("OAUTHCTL_STATE_DIR", near_state.to_str().expect("text")).set("OAUTHCTL_STORE", "file");
    // neither the person's configuration nor their tokens are used
    assert_eq!(me.types("token").code, 2);
    assert_eq!(me.types("token sandbox").code, 4);
    assert_eq!(me.browser(crate::world::robot::allows).types("login sandbox").code, 0);
    assert!(config.join("config.toml").exists() && state.join("store").exists());
    let token = me.types("token sandbox").out;
    // the same place by its whole name: the same store, lock and copy
    let copies = me.copies.texts().len();
    me.set("OAUTHCTL_CONFIG_DIR", config.to_str().expect("text"));
    me.set("OAUTHCTL_STATE_DIR", state.to_str().expect("text"));
    me.types("token sandbox").is(0, &token, "");
    assert_eq!(me.copies.texts().len(), copies);
    // XDG's own rule: what is relative there is ignored
    me.unset("OAUTHCTL_CONFIG_DIR").unset("OAUTHCTL_STATE_DIR").unset("OAUTHCTL_STORE");
    me.set("XDG_CONFIG_HOME", near_config.to_str().expect("text"));
    assert_eq!(me.types("token").code, 2);
}

#[test]
fn no_input_is_said_as_ci_is() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
    for (value, asked) in [("1", false), ("true", false), ("0", true), ("false", true), ("", true)] {
        for variable in ["CI", "OAUTHCTL_NO_INPUT"] {
            me.set(variable, value).at_a_terminal();
            if asked {
                me.answers("an-app");
                me.presses_ctrl_c();
            }
            let done = me.types("login getresponse --no-browser --timeout 1s");
            assert_eq!(done.err.contains("Client id"), asked, "{variable}={value}: {}", done.err);
            me.unset(variable);
        }
    }
}

#[test]
fn a_token_from_a_variable_is_trimmed_and_what_can_be_none_is_refused() {
    let mut me = Person::new();
    for value in ["outside-0123456789\n", " outside-0123456789\r\n", "outside-0123456789 \t"] {
        me.set("OAUTHCTL_SANDBOX_TOKEN", value);
        me.types("token sandbox").is(0, "outside-0123456789\n", "");
        me.types("token sandbox --format header").is(0, "Authorization: Bearer outside-0123456789\n", "");
    }
    for value in ["outside-01234\n56789", "outside 0123456789", "outside-\u{7f}0123456789", "outsidé-0123456789"] {
        me.set("OAUTHCTL_SANDBOX_TOKEN", value);
        for line in ["token sandbox", "call sandbox /me", "token sandbox --format curl"] {
            let done = me.types(line);
            done.fails(
                7,
                "
                error: what the variable OAUTHCTL_SANDBOX_TOKEN holds is no token: it has blanks, line breaks or other characters inside that a token can't have
                hint: set OAUTHCTL_SANDBOX_TOKEN to the token alone
            ",
            );
            assert!(done.sent.is_empty(), "{line}");
        }
    }
    me.set("OAUTHCTL_SANDBOX_TOKEN", "\n").types("token sandbox").fails(
        7,
        "
        error: what the variable OAUTHCTL_SANDBOX_TOKEN holds is no token: it is blank
        hint: set OAUTHCTL_SANDBOX_TOKEN to the token alone
    ",
    );
}

#[test]
fn a_token_that_the_chosen_store_can_not_keep_is_told() {
    let mut me = ci();
    let _server = me.practice(Manners::GetResponse);
    me.set("OAUTHCTL_STORE", "file");
    // no folder can be made below a file
    std::fs::write(me.path("occupied"), "").unwrap();
    me.set("OAUTHCTL_STATE_DIR", me.path("occupied/state").to_str().unwrap());
    for line in ["refresh getresponse", "token getresponse"] {
        let done = me.types(&format!("{line} --grant client-credentials"));
        assert_eq!(done.code, 0, "{line}: {}", done.err);
        assert!(done.err.starts_with("warning: the token is not stored: "), "{line}: {}", done.err);
        assert_eq!(done.err.matches("not stored").count(), 1, "{line}: {}", done.err);
        let unkept = me.types(&format!("{line} --grant client-credentials --store none"));
        assert!(unkept.code == 0 && !unkept.err.contains("not stored"), "{line}: {}", unkept.err);
    }
}
