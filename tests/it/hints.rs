//! Commands in hints work as printed: they repeat the profile's flags, quoted for a shell, and
//! never a secret.

use oauthctl::sandbox::Manners;
use oauthctl::world::KeychainError;

use crate::world::robot::denies;
use crate::world::{Fault, Person};

/// The command of the first hint that is one.
fn next(err: &str) -> String {
    let line = err.lines().filter_map(|line| line.strip_prefix("hint: ")).find_map(|hint| hint.split_once("oauthctl "));
    line.unwrap_or_else(|| panic!("no command is told:\n{err}")).1.trim_matches('`').to_owned()
}

#[test]
fn a_first_login_that_failed_is_told_as_it_was_typed() {
    let mut me = Person::new();
    let done = me.browser(denies).types("login work --provider sandbox --scope profile --param ui=dark");
    assert_eq!(done.code, 3, "{}", done.err);
    let again = next(&done.err);
    assert_eq!(again, "login work --provider sandbox --scope profile --param ui=dark");
    // and it works
    assert_eq!(me.browser(crate::world::robot::allows).types(&again).code, 0);
    let done = me.browser(denies).types("login work");
    assert_eq!(next(&done.err), "login work", "what is kept needs no repeating");
}

#[test]
fn an_issuers_address_is_repeated_and_its_options() {
    let mut me = Person::new();
    let done = me.types("token http://127.0.0.1:9 --client-id an-app --scope openid --no-refresh");
    assert_eq!((done.code, next(&done.err_raw).as_str()), (4, "login http://127.0.0.1:9 --client-id an-app"));
    let done =
        me.runs(&["token", "http://[::1]:9", "--client-id", "my app", "--dpop", "--resource", "https://a.example/?b"]);
    assert_eq!(next(&done.err_raw), "login 'http://[::1]:9' --client-id 'my app' --dpop");
}

#[test]
fn every_command_that_wants_a_login_says_which() {
    let mut me = Person::new();
    for verb in ["token", "refresh", "call", "whoami", "userinfo", "introspect"] {
        let path = if verb == "call" { " /me" } else { "" };
        let done = me.types(&format!("{verb} work{path} --provider sandbox --store keychain"));
        assert_eq!(
            (done.code, next(&done.err).as_str()),
            (4, "login work --provider sandbox --store keychain"),
            "{verb}"
        );
    }
    let done = me.types("status work --provider sandbox");
    assert!(done.out.contains("oauthctl login work --provider sandbox\n"), "{}", done.out);
}

#[test]
fn no_secret_is_repeated_and_standard_input_is_not_read_twice() {
    let mut me = Person::new();
    me.stdin("wrong-secret-0123456789");
    let done = me.browser(denies).types("login work --provider sandbox --client-secret-file -");
    assert_eq!((done.code, next(&done.err).as_str()), (3, "login work --provider sandbox"));
    done.tells_nothing_of("wrong-secret-0123456789");
}

#[test]
fn a_variable_of_the_providers_is_asked_for_where_it_can_be_given() {
    let mut me = Person::new();
    let done = me.types("login max --provider getresponse --environment max --var domain=mail.example.com");
    assert_eq!(done.code, 2);
    assert_eq!(
        next(&done.err),
        "login max --provider getresponse --environment max --var domain=mail.example.com --var api_host=VALUE"
    );
}

#[test]
fn a_job_hears_of_the_grant_that_needs_nobody_and_a_desk_of_no_bus() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    let absent = KeychainError::Absent("there is no session bus".to_owned());
    me.keychain.fault(Fault::Always(absent));
    me.types("token getresponse").fails(
        4,
        "
        error: no token is stored for `getresponse`
        hint: oauthctl login getresponse
    ",
    );
    me.set("CI", "true");
    me.types("token getresponse").fails(
        4,
        "
        error: no token is stored for `getresponse`
        hint: in CI: set OAUTHCTL_GRANT=client-credentials, and the client's id and secret in OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET
        hint: oauthctl login getresponse
    ",
    );
    // the hint works
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    let done = me.types("token getresponse");
    assert!(done.err.contains("in CI: set OAUTHCTL_GRANT=client-credentials\n"), "{}", done.err);
    assert_eq!(me.set("OAUTHCTL_GRANT", "client-credentials").types("token getresponse").code, 0);
    me.unset("OAUTHCTL_GRANT");
    let done = me.set("OAUTHCTL_STORE", "none").types("token getresponse");
    assert!(done.err.contains("hint: in CI: set OAUTHCTL_GRANT=client-credentials\n"), "{}", done.err);
    me.unset("OAUTHCTL_STORE");
    // a profile that somebody made may have its token where no bus leads to
    me.config("config.toml", "[profiles.work]\nprovider = \"getresponse\"\n");
    let done = me.types("token work");
    assert_eq!(done.code, 5, "{}", done.err);
    assert!(done.err.contains("there is no session bus"), "{}", done.err);
    assert!(done.err.contains("hint: in CI: set OAUTHCTL_GRANT=client-credentials\n"), "{}", done.err);
    let done = me.types("token");
    assert!(done.err.contains("OAUTHCTL_WORK_GRANT=client-credentials, and"), "{}", done.err);
}

#[test]
fn a_job_that_named_a_grant_for_persons_or_no_profile_hears_what_to_set() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.set("CI", "1").set("OAUTHCTL_GRANT", "authorization-code");
    let done = me.types("token getresponse");
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.err.contains("hint: in CI: set OAUTHCTL_GRANT=client-credentials"), "{}", done.err);
    me.types("token").fails(
        2,
        "
        error: no profile was named, and there is none yet
        hint: in CI: set OAUTHCTL_PROFILE to the name of a provider
        hint: `oauthctl provider list` names the providers
    ",
    );
    // the hints work
    me.set("OAUTHCTL_PROFILE", "getresponse").set("OAUTHCTL_GRANT", "client-credentials");
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    assert_eq!(me.types("token").code, 0);
}

#[test]
fn a_wrong_secret_is_named_by_where_it_came_from() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    let line = "token w7 --provider getresponse --client-id practice-client --grant client-credentials --store none";
    let hint = |done: &crate::world::Output| {
        assert_eq!(done.code, 2, "{}", done.err);
        done.err.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap_or_default().to_owned()
    };
    me.set("OAUTHCTL_CLIENT_SECRET", "a-wrong-secret");
    let done = me.types(line);
    assert_eq!(hint(&done), "check the client id, and the client secret from the variable OAUTHCTL_CLIENT_SECRET");
    me.set("OAUTHCTL_W7_CLIENT_SECRET", "another-wrong-secret");
    let done = me.types(line);
    assert_eq!(hint(&done), "check the client id, and the client secret from the variable OAUTHCTL_W7_CLIENT_SECRET");
    let done = me.stdin("a-third-wrong-secret").types(&format!("{line} --client-secret-file -"));
    assert_eq!(hint(&done), "check the client id, and the client secret from standard input");
}

#[test]
fn a_variables_wrong_value_is_not_repeated() {
    let mut me = Person::new();
    let line = "login max --provider getresponse --environment max --var domain=mail.example.com --var api_host=x";
    let done = me.types(line);
    assert_eq!(done.code, 2, "{}", done.err);
    assert_eq!(
        next(&done.err),
        "login max --provider getresponse --environment max --var domain=mail.example.com --var api_host=VALUE"
    );
}

#[test]
fn an_issuers_address_in_the_place_of_a_profile_is_told_by_its_name() {
    let mut me = Person::new();
    for (typed, meant) in [
        ("call https://issuer.example /me", "call issuer.example /me"),
        ("call https://issuer.example/t POST /me a=b", "call issuer.example-t POST /me a=b"),
    ] {
        let done = me.types(typed);
        assert_eq!((done.code, next(&done.err_raw).as_str()), (2, meant), "{}", done.err);
    }
    let done = me.types("profile set-secret nope");
    assert!(done.code == 2 && done.err.contains("no profile and no provider called `nope`"), "{}", done.err);
}

#[test]
fn a_job_is_not_sent_to_a_grant_that_the_provider_has_not() {
    let mut me = Person::new();
    me.set("CI", "true");
    let done = me.types("token verticalresponse");
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(!done.err.contains("client-credentials"), "{}", done.err);
    assert!(done.err.contains("in CI: set OAUTHCTL_VERTICALRESPONSE_TOKEN to a token"), "{}", done.err);
}
