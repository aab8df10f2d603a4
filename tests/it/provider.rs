//! `provider`: the catalogue and the user's own providers.

use oauthctl::provider::catalogue;
use serde_json::json;

use crate::world::Person;

#[test]
fn the_catalogue_is_listed_with_the_persons_own() {
    let mut me = Person::new();
    let built_in = me.types("provider list").out;
    assert_eq!(built_in.lines().count(), catalogue::names().count());
    for line in [
        "constantcontact          Constant Contact  (also constant-contact, cc)\n",
        "getresponse              GetResponse  (also gr)\n",
        "sandbox                  Practice server (built in)\n",
        "verticalresponse-vr2     VerticalResponse (VR2)  (also vr2)  [one source]\n",
    ] {
        assert!(built_in.contains(line), "{line} should be in\n{built_in}");
    }
    me.config("providers/mine.toml", "id = \"mine\"\nextends = \"getresponse\"\nname = \"My own\"\naliases = []\n");
    me.config("providers/broken.toml", "id = \"broken\"\nnonsense = 1\n");
    let all = me.types("provider list").out;
    let own = [
        "broken                   broken: unknown key `nonsense` in providers/broken.toml, line 2",
        "mine                     My own  [your own]",
    ];
    let mut lines: Vec<&str> = built_in.lines().chain(own).collect();
    lines.sort_unstable_by_key(|line| line.split(' ').next());
    assert_eq!(all.lines().collect::<Vec<_>>(), lines);
    std::fs::remove_file(me.path("config/oauthctl/providers/broken.toml")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&me.types("provider list --json").out).unwrap();
    let of = |name: &str| list.as_array().unwrap().iter().find(|it| it["provider"] == name).unwrap();
    assert_eq!(
        *of("constantcontact"),
        json!({
            "provider": "constantcontact", "name": "Constant Contact", "aliases": ["constant-contact", "cc"],
            "own": false, "addresses": "two_sources",
        })
    );
    assert_eq!(
        *of("mine"),
        json!({ "provider": "mine", "name": "My own", "aliases": [], "own": true, "addresses": "two_sources" })
    );
    let by_format = me.types("provider list --format json");
    me.types("provider list --json").is(0, &by_format.out, "");
}

#[test]
fn an_alias_of_ones_own_comes_before_a_built_in_one_and_belongs_to_one_file() {
    let mut me = Person::new();
    me.config("providers/grid.toml", "id = \"grid\"\ntoken.url = \"https://grid.example/t\"\naliases = [\"gr\"]\n");
    let shown = me.types("provider show gr");
    assert!(shown.out.starts_with("id = \"grid\"\naliases = [\"gr\"]\n"), "{}", shown.out);
    let listed = me.types("provider list").out;
    assert!(listed.contains("grid                     grid  (also gr)  [your own]\n"), "{listed}");
    assert!(listed.contains("getresponse              GetResponse\n"), "{listed}");
    me.config("providers/ogre.toml", "id = \"ogre\"\ntoken.url = \"https://ogre.example/t\"\naliases = [\"gr\"]\n");
    me.types("provider show gr").fails(
        2,
        "
        error: `gr` means the providers `grid` and `ogre`
        hint: take it out of the `aliases` of one of them
    ",
    );
}

#[test]
fn show_prints_a_file_that_means_the_same() {
    for name in catalogue::names() {
        let mut me = Person::new();
        let shown = me.types(&format!("provider show {name}"));
        assert_eq!((shown.code, shown.err.as_str()), (0, ""), "{name}");
        assert!(shown.out.starts_with(&format!("id = \"{name}\"\n")), "{}", shown.out);
        me.config(&format!("providers/{name}.toml"), &shown.out);
        let copied = me.types(&format!("provider show {name}"));
        // some notes name a port, which `is` would replace
        assert_eq!((copied.code, copied.out, copied.err.as_str()), (0, shown.out, ""), "{name}");
    }
}

#[test]
fn show_prints_what_each_environment_changes() {
    let mut me = Person::new();
    let max = me.types("provider show getresponse --environment max").out;
    assert!(max.contains("\nenvironments.max = {}\n"), "{max}");
    let shown = me.types("provider show getresponse").out;
    for line in [
        "environments.max.authorize.url = \"https://{domain}/oauth2_authorize.html\"",
        "environments.max.token.headers.X-Domain = \"{domain}\"",
        "environments.max.vars.domain.pattern = \"host\"",
        // follows from `api.base-url` in the built-in file, which says so by a reference
        "environments.max.whoami.url = \"https://{api_host}/v3/accounts?fields=accountId,email\"",
    ] {
        assert!(shown.lines().any(|l| l == line), "{line} should be in\n{shown}");
    }
    // the copy of the one or of the other
    for copy in [&shown, &max] {
        me.config("providers/getresponse.toml", copy);
        me.types("provider show getresponse --environment max").is(0, &max, "");
    }
}

#[test]
fn an_environment_and_an_alias_are_understood() {
    let mut me = Person::new();
    let by_alias = me.types("provider show gr");
    me.types("provider show getresponse").is(0, &by_alias.out, "");
    let max = me.types("provider show getresponse --environment max");
    assert!(max.out.contains("https://{domain}/oauth2_authorize.html"), "{}", max.out);
    me.types("provider show getresponse --environment min").fails(
        2,
        "
        error: the provider `getresponse` has no environment `min`; did you mean `max`?
        hint: it has `max`
    ",
    );
}

#[test]
fn an_unknown_name_is_told_with_the_nearest() {
    let mut me = Person::new();
    me.types("provider show getrespnse").fails(
        2,
        "
        error: there is no provider `getrespnse`; did you mean `getresponse`?
        hint: `oauthctl provider list` shows all
    ",
    );
    me.types("provider show zzz").fails(
        2,
        "
        error: there is no provider `zzz`
        hint: `oauthctl provider list` shows all
    ",
    );
    me.types("login getrespnse").fails(
        2,
        "
        error: there is no profile and no provider called `getrespnse`
        hint: did you mean `getresponse`?
        hint: a new profile of a provider: `oauthctl login getrespnse --provider NAME`
    ",
    );
}

#[test]
fn a_service_without_oauth_says_what_to_use_instead() {
    let mut me = Person::new();
    for line in ["login trello", "provider show trello", "token trello", "call trello /1/members/me"] {
        me.types(line).fails(
            2,
            "
        error: `trello` has no OAuth 2.0 to log in with
        hint: it speaks OAuth 1.0a; its API takes a key and a token of https://trello.com/power-ups/admin in the query, as `key` and `token`
    ",
        );
    }
    me.config("providers/trello.toml", "id = \"trello\"\ntoken.url = \"https://own.example/t\"\n");
    assert_eq!(me.types("provider show trello").code, 0);
}

#[test]
fn what_is_wrong_with_a_file_is_told_once_however_many_extend_it() {
    let mut me = Person::new();
    me.config(
        "providers/zed.toml",
        "id = \"zed\"\nbogus = 1\n[token]\nurl = \"https://zed.example/t\"\n[environments.a]\n",
    );
    for name in ["one", "two"] {
        me.config(&format!("providers/{name}.toml"), "extends = \"zed\"\nname = \"N\"\n");
    }
    me.config("config.toml", "[profiles.p]\nprovider = \"zed\"\n[profiles.q]\nprovider = \"one\"\n");
    let told = me.types("provider list");
    assert_eq!(told.out.matches("bogus").count(), 1, "{}", told.out);
    assert!(told.out.contains("\none                      broken, as `zed` is\n"), "{}", told.out);
    assert!(
        told.out.contains("\nzed                      broken: unknown key `bogus` in providers/zed.toml, line 2\n"),
        "{}",
        told.out
    );
    let told = me.types("doctor");
    assert_eq!(told.out.matches("bogus").count(), 1, "{}", told.out);
}

#[test]
fn sources_of_the_built_in_ones_are_for_anybody() {
    let mut me = Person::new();
    for name in catalogue::names() {
        let shown = me.types(&format!("provider show {name}")).out;
        assert!(!shown.contains("seed 0") && !shown.contains("stored id"), "{shown}");
        // a long list has a line for each of its values, none two of them
        assert!(shown.lines().all(|line| line.len() <= 110 || line.matches("\", \"").count() == 0), "{shown}");
    }
}

// B-02
#[test]
fn what_a_file_of_anothers_says_does_nothing_on_a_screen() {
    let mut me = Person::new();
    let text = "id = \"odd\"\nname = \"a\u{202e}b\u{200b}\u{9b}2J\"\n[authorize]\nurl = \"https://x.example/a\"\n[token]\nurl = \"https://x.example/t\"\n";
    me.config("providers/odd.toml", text);
    let shown = me.sees_stdout().types("provider show odd");
    assert!(shown.code == 0 && !shown.out.contains(['\u{202e}', '\u{200b}', '\u{9b}']), "{:?}", shown.out);
    assert!(shown.out.contains("a<U+202E>b<U+200B>"), "{:?}", shown.out);
    assert!(me.types("provider show odd").out.contains('\u{202e}'), "a pipe gets it as it is");
}

#[test]
fn what_a_file_lacks_is_told_with_the_line_to_add() {
    let mut me = Person::new();
    me.config("providers/my-own.toml", "name = \"Mine\"\ntoken.url = \"https://x.example/t\"\n");
    me.types("login my-own").fails(
        2,
        "
        error: providers/my-own.toml has no `id`
        hint: its first line repeats the name of the file: `id = \"my-own\"`
    ",
    );
    me.config("providers/my-own.toml", "id = \"my-own\"\n");
    me.types("token my-own").fails(
        2,
        "
        error: providers/my-own.toml has no `token.url` or `issuer`
        hint: add `token.url` or `issuer`; `oauthctl provider show getresponse` prints a complete provider
    ",
    );
}

#[test]
fn every_built_in_provider_passes_its_trial() {
    let mut me = Person::new();
    let temporary = me.path("");
    me.set("TMPDIR", temporary.to_str().unwrap());
    let tried = me.types("provider test --all");
    let wrong: Vec<&str> = tried.out.lines().filter(|line| line.contains(" WRONG ")).collect();
    assert_eq!((tried.code, wrong), (0, vec![]), "{}", tried.err);
    let not_played: Vec<&str> = tried.out.lines().filter(|line| line.contains("  -  ")).collect();
    assert_eq!(
        not_played,
        ["revolut-business             -      its clients prove themselves by a key or a certificate"]
    );
    assert_eq!(tried.sent, [""; 0]);
    let left: Vec<_> = std::fs::read_dir(me.path("")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_file_of_ones_own_is_tried_step_by_step() {
    let mut me = Person::new();
    me.config(
        "providers/mine.toml",
        "id = \"mine\"\nextends = \"verticalresponse-vr2\"\naliases = [\"my\"]\ndevice.url = \"https://mine.example/device\"\n",
    );
    me.config("config.toml", "[profiles.play]\nprovider = \"nonsense\"\n");
    me.types("provider test my").is(
        0,
        "
        login                ok     exit 0
        token                ok     exit 0
        whoami               ok     exit 0
        call --paginate      ok     exit 0
        expired token        ok     exit 0
        refresh              ok     exit 0
        dead refresh token   ok     exit 4
        login again          ok     exit 0
        logout               ok     exit 0
        token after it       ok     exit 4
        wrong secret         ok     exit 2
        device               ok     exit 0
        ",
        "",
    );
    assert_eq!(me.config_text(), "[profiles.play]\nprovider = \"nonsense\"\n");
    assert_eq!(me.keychain.accounts(), [""; 0]);
    me.types("provider test").fails(
        2,
        "
        error: missing: `<PROVIDER>`
        hint: for example: `oauthctl provider test getresponse`
        hint: `oauthctl provider test --help` shows the usage
    ",
    );
}
