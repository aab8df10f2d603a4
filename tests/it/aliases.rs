//! A provider's alias (`gr`) names the profile named after the provider, in every command and
//! variable. A profile with that very name stays reachable.

use oauthctl::sandbox::{Manners, Server};
use serde_json::Value;

use crate::world::Person;

/// Somebody who typed the first of these names at the login.
fn signed_in(name: &str) -> (Person, Server) {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.stdin("practice-secret");
    let line = format!("login {name} --grant client-credentials --client-id practice-client --client-secret-file -");
    let done = me.types(&line);
    assert_eq!(done.code, 0, "{}", done.err);
    (me, server)
}

#[test]
fn an_alias_and_the_providers_name_mean_one_profile_in_every_command() {
    for (typed, other) in [("getresponse", "gr"), ("gr", "getresponse")] {
        let (mut me, _server) = signed_in(typed);
        assert_eq!(me.keychain.accounts(), ["getresponse"], "login {typed}");
        assert!(me.config_text().contains("[profiles.getresponse]"), "{}", me.config_text());
        let token = me.kept("getresponse", "access_token");
        me.types(&format!("token {other}")).is(0, &format!("{token}\n"), "");
        // the kernel's copy answers for both words
        me.types(&format!("token {other}")).is(0, &format!("{token}\n"), "");
        me.types(&format!("token {other} --no-cache")).is(0, &format!("{token}\n"), "");
        assert_eq!(me.types(&format!("call {other} /campaigns")).code, 0);
        assert_eq!(me.types(&format!("whoami {other}")).out, "alice@example.test\n");
        assert!(me.types(&format!("status {other}")).out.starts_with("profile        getresponse\n"));
        me.set("OAUTHCTL_PROFILE", other);
        assert_eq!(me.types("refresh").err, "getresponse: refreshed, expires in 24 h, at 2026-11-22T22:00:00Z\n");
        me.unset("OAUTHCTL_PROFILE");
        me.types(&format!("profile default {other}")).is(0, "", "`getresponse` is the default profile\n");
        assert!(me.types(&format!("doctor {other}")).out.contains("has the record of `getresponse`"));
        let done = me.types(&format!("logout {other}"));
        assert!(done.err.starts_with("getresponse: deleted here"), "{}", done.err);
        assert_eq!(me.types(&format!("token {other} --no-refresh")).code, 4);
    }
}

#[test]
fn the_profile_verbs_follow_an_alias_too() {
    let (mut me, _server) = signed_in("getresponse");
    me.types("profile set gr port 8123").is(0, "", "getresponse: port is set\n");
    me.types("profile unset gr port").is(0, "", "getresponse: port is removed\n");
    me.stdin("another-secret-0123");
    assert!(me.types("profile set-secret gr -").err.starts_with("getresponse: the client secret is stored in"));
    me.types("profile rename gr work").is(0, "", "getresponse is renamed work\n");
    // a name that is given stays as it was given
    me.types("profile rename work gr").is(0, "", "work is renamed gr\n");
    assert_eq!(me.keychain.accounts(), ["gr"]);
    assert!(me.types("status gr").out.starts_with("profile        gr\n"));
    assert_eq!(me.types("profile remove gr").code, 0);
    assert!(me.keychain.accounts().is_empty());
}

#[test]
fn a_profile_that_is_really_called_so_keeps_its_name() {
    let (mut me, _server) = signed_in("getresponse");
    let record = me.keychain.item("getresponse").unwrap();
    let mut other: Value = serde_json::from_str(&record).unwrap();
    other["token"]["access_token"] = "of-an-older-version-0123".into();
    // a record alone, as a version left it that took every name as it was typed
    me.keychain.put("gr", &other.to_string());
    me.copies.clear();
    me.types("token gr").is(0, "of-an-older-version-0123\n", "");
    assert!(me.types("status gr").out.starts_with("profile        gr\n"));
    let done = me.types("logout gr --local-only");
    assert!(done.err.starts_with("gr: deleted here"), "{}", done.err);
    assert_eq!(me.types("profile remove gr").code, 0);
    me.types("token gr").is(0, &format!("{}\n", me.kept("getresponse", "access_token")), "");
    // one that can't be read is there all the same, and can be forgotten
    me.keychain.put("gr", "xx");
    me.copies.clear();
    assert_eq!(me.types("token gr").code, 5);
    assert_eq!(me.types("logout gr --local-only").code, 0);

    // configured by an older version
    let mut old = Person::new();
    old.config("config.toml", "[profiles.gr]\nprovider = \"getresponse\"\n");
    old.types("token getresponse").fails(
        4,
        "
        error: no token is stored for `getresponse`
        hint: oauthctl login getresponse
        hint: profiles of that provider: `gr`
    ",
    );
    // configured as another's
    me.config("config.toml", &format!("{}\n[profiles.gr]\nprovider = \"sandbox\"\n", me.config_text()));
    assert!(me.types("status gr").out.contains("provider       sandbox"));
    assert!(me.types("status getresponse").out.contains("provider       getresponse"));
}

#[test]
fn a_provider_that_is_said_decides_whether_a_word_is_a_name() {
    let (mut me, _server) = signed_in("getresponse");
    let token = me.kept("getresponse", "access_token");
    me.types("token gr --provider getresponse").is(0, &format!("{token}\n"), "");
    me.types("token --provider gr").is(0, &format!("{token}\n"), "");
    me.types("token gr --provider sandbox").fails(
        4,
        "
        error: no token is stored for `gr`
        hint: oauthctl login gr --provider sandbox
    ",
    );
    me.types("profile set gr provider sandbox").is(0, "", "gr: provider is set\n");
    assert!(me.types("status gr").out.contains("provider       sandbox"));
}

#[test]
fn an_alias_of_ones_own_is_one_as_well() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    let own = "extends = \"getresponse\"\naliases = [\"letters\", \"gr\"]\n";
    me.config("providers/acme.toml", own);
    me.stdin("practice-secret");
    let line = "login letters --grant client-credentials --client-id practice-client --client-secret-file -";
    assert_eq!(me.types(line).code, 0);
    assert_eq!(me.keychain.accounts(), ["acme"]);
    // one's own come before the built-in ones
    for word in ["acme", "letters", "gr"] {
        me.types(&format!("token {word}")).is(0, &format!("{}\n", me.kept("acme", "access_token")), "");
    }
    drop(server);
}

// a person's file is older than the built-in provider that has taken its name
#[test]
fn an_alias_of_ones_own_comes_before_a_built_in_name() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.config("providers/acme.toml", "extends = \"getresponse\"\naliases = [\"github\", \"gh\"]\n");
    me.stdin("practice-secret");
    let line = "login github --grant client-credentials --client-id practice-client --client-secret-file -";
    assert_eq!(me.types(line).code, 0);
    assert_eq!(me.keychain.accounts(), ["acme"]);
    for word in ["acme", "github", "gh"] {
        me.types(&format!("token {word}")).is(0, &format!("{}\n", me.kept("acme", "access_token")), "");
        assert!(me.types(&format!("provider show {word}")).out.starts_with("id = \"acme\"\n"), "{word}");
    }
    // a profile of that name says no provider
    me.config("config.toml", "[profiles.github]\ngrant = \"client-credentials\"\nclient-id = \"practice-client\"\n");
    me.set("OAUTHCTL_GITHUB_CLIENT_SECRET", "practice-secret");
    let obtained = me.types("token github");
    assert_eq!((obtained.code, obtained.err.as_str()), (0, ""));
    // a file of that name comes first
    me.config("providers/github.toml", "id = \"github\"\ntoken.url = \"https://own.example/t\"\n");
    assert!(me.types("provider show github").out.contains("token.url = \"https://own.example/t\"\n"));
}

#[test]
fn variables_name_a_profile_by_an_alias_too() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.set("OAUTHCTL_GR_CLIENT_ID", "practice-client").set("OAUTHCTL_GR_CLIENT_SECRET", "practice-secret");
    me.set("OAUTHCTL_GR_GRANT", "client-credentials");
    for word in ["getresponse", "gr"] {
        assert_eq!(me.types(&format!("token {word}")).code, 0, "{word}");
    }
    assert_eq!(me.keychain.accounts(), ["getresponse"]);
    // its own name comes first
    me.set("OAUTHCTL_GETRESPONSE_TOKEN", "outside-0123456789");
    me.set("OAUTHCTL_GR_TOKEN", "outside-by-alias-0123");
    me.types("token gr").is(0, "outside-0123456789\n", "");
    me.unset("OAUTHCTL_GETRESPONSE_TOKEN");
    for word in ["getresponse", "gr"] {
        me.types(&format!("token {word}")).is(0, "outside-by-alias-0123\n", "");
        me.types(&format!("logout {word}")).fails(
            2,
            "
            error: the token of `getresponse` comes from the environment
            hint: unset OAUTHCTL_GR_TOKEN
        ",
        );
    }
    // a profile that is really called so has its variables for itself
    me.config("config.toml", "[profiles.gr]\nprovider = \"getresponse\"\n");
    me.types("token gr").is(0, "outside-by-alias-0123\n", "");
    assert_ne!(me.types("token getresponse --grant client-credentials").out, "outside-by-alias-0123\n");
}

#[test]
fn another_profiles_token_is_found_by_an_alias_and_never_by_a_circle() {
    let (mut me, _server) = signed_in("getresponse");
    me.types("profile set gr subject-profile gr").is(0, "", "getresponse: subject-profile is set\n");
    let done = me.types("token gr --grant token-exchange");
    assert!(done.err.contains("leads back to itself"), "{}", done.err);
}

// P-24
#[test]
fn an_alias_that_moves_to_another_provider_takes_no_token_along() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    let own = |aliases: &str| format!("extends = \"getresponse\"\naliases = [{aliases}]\n");
    me.config("providers/acme.toml", &own("\"letters\""));
    me.stdin("practice-secret");
    let line = "login letters --grant client-credentials --client-id practice-client --client-secret-file -";
    assert_eq!(me.types(line).code, 0);
    assert_eq!(me.types("token letters").code, 0);
    me.config("providers/acme.toml", &own(""));
    me.config("providers/other.toml", &own("\"letters\""));
    let done = me.types("token letters");
    assert_eq!((done.code, done.out.as_str()), (4, ""), "{}", done.err);
}
