//! `provider`: the catalogue, and the person's own.

use serde_json::json;

use crate::world::Person;

#[test]
fn the_catalogue_is_listed_with_the_persons_own() {
    let mut me = Person::new();
    me.types("provider list").is(
        0,
        "
        constantcontact          Constant Contact  (also constant-contact, cc)
        getresponse              GetResponse  (also gr)
        sandbox                  Practice server (built in)
        verticalresponse         VerticalResponse (classic)  (also vr)
        verticalresponse-vr2     VerticalResponse (VR2)  (also vr2)
    ",
        "",
    );
    me.config("providers/mine.toml", "id = \"mine\"\nextends = \"getresponse\"\nname = \"My own\"\naliases = []\n");
    me.config("providers/broken.toml", "id = \"broken\"\nnonsense = 1\n");
    me.types("provider list").is(
        0,
        "
        broken                   broken: unknown key `nonsense` in providers/broken.toml, line 2
        constantcontact          Constant Contact  (also constant-contact, cc)
        getresponse              GetResponse  (also gr)
        mine                     My own  [your own]
        sandbox                  Practice server (built in)
        verticalresponse         VerticalResponse (classic)  (also vr)
        verticalresponse-vr2     VerticalResponse (VR2)  (also vr2)
    ",
        "",
    );
    std::fs::remove_file(me.path("config/oauthctl/providers/broken.toml")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&me.types("provider list --json").out).unwrap();
    assert_eq!(
        list,
        json!([
            { "provider": "constantcontact", "name": "Constant Contact", "own": false },
            { "provider": "getresponse", "name": "GetResponse", "own": false },
            { "provider": "mine", "name": "My own", "own": true },
            { "provider": "sandbox", "name": "Practice server (built in)", "own": false },
            { "provider": "verticalresponse", "name": "VerticalResponse (classic)", "own": false },
            { "provider": "verticalresponse-vr2", "name": "VerticalResponse (VR2)", "own": false },
        ])
    );
}

#[test]
fn show_prints_a_file_that_means_the_same() {
    for name in ["getresponse", "verticalresponse", "verticalresponse-vr2", "constantcontact", "sandbox"] {
        let mut me = Person::new();
        let shown = me.types(&format!("provider show {name}"));
        assert_eq!((shown.code, shown.err.as_str()), (0, ""), "{name}");
        assert!(shown.out.starts_with(&format!("id = \"{name}\"\n")), "{}", shown.out);
        me.config(&format!("providers/{name}.toml"), &shown.out);
        me.types(&format!("provider show {name}")).is(0, &shown.out, "");
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
