//! The profile that a rule of `config.toml` chooses by the working folder or a git remote.

use std::fs;

use crate::world::Person;

const CONFIG: &str = "default-profile = \"usual\"\n\n[[when]]\nfolder = \"~/work/*/api\"\nprofile = \"api\"\n\n[profiles.usual]\nprovider = \"sandbox\"\n\n\
    [profiles.api]\nprovider = \"sandbox\"\n\n[[when]]\nremote = \"Git.example/acme/*\"\nprofile = \"acme\"\n\n[profiles.acme]\nprovider = \"sandbox\"\n";

fn person() -> Person {
    let me = Person::new();
    me.config("config.toml", CONFIG);
    for (file, text) in [
        ("work/x/api/src/main", ""),
        ("work/x/apis/main", ""),
        ("own/.git/config", "[remote \"origin\"]\nurl = ssh://git@git.example:22/acme/app.git\n"),
        ("own/src/main", ""),
        ("other/.git/config", "[remote \"origin\"]\nurl = https://git.example/acme-evil/app\n"),
        // a folder brings no rules
        ("other/config.toml", "[[when]]\nfolder = \"/\"\nprofile = \"api\"\n"),
    ] {
        let file = me.path(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    me
}

/// The profile that a command without one means there.
fn meant(me: &mut Person, folder: &str) -> String {
    let folder = me.path(folder).display().to_string();
    let done = me.set("FOLDER_OF_THE_TEST", &folder).types("token");
    let named = done.err.split('`').nth(1).unwrap_or_default().to_owned();
    assert_eq!(done.code, 4, "{}", done.err);
    named
}

#[test]
fn the_first_rule_that_fits_chooses_the_profile() {
    let mut me = person();
    for (folder, profile) in [
        ("work/x/api", "api"),
        ("work/x/api/src", "api"),
        ("work/x/apis", "usual"),
        ("own/src", "acme"),
        ("own", "acme"),
        ("other", "usual"),
        ("", "usual"),
    ] {
        assert_eq!(meant(&mut me, folder), profile, "{folder}");
    }
    // whatever is named comes first
    assert_eq!(meant(&mut me, "own"), "acme");
    assert!(me.types("token usual").err.contains("no token is stored for `usual`"));
    assert!(me.types("token --provider sandbox").err.contains("no token is stored for `acme`"));
    assert!(me.types("token --provider getresponse").err.contains("no token is stored for `getresponse`"));
    assert!(me.set("OAUTHCTL_PROFILE", "usual").types("token").err.contains("no token is stored for `usual`"));
    me.unset("OAUTHCTL_PROFILE");
    let shown = me.types("status").out;
    assert!(shown.contains("\nchosen by      the rule remote = \"Git.example/acme/*\" in config.toml\n"), "{shown}");
    assert!(!me.types("status acme").out.contains("chosen by"));
    assert!(me.types("status --format json").out.contains("\"chosen_by\":\"the rule remote"));
    assert!(me.types("token -v").err.contains("the profile `acme`, by the rule remote = \"Git.example/acme/*\""));
}

#[test]
fn a_star_is_one_name_of_a_remote() {
    let mut me = person();
    for (remote, pattern, fits) in [
        ("https://git.example/acme/a/b", "git.example/acme/*", false),
        ("https://git.example/acme/a/b", "git.example/acme/**", true),
        ("https://git.example/acme/a/b", "git.example/acme", true),
        ("https://git.example/acme/../evil/x", "git.example/acme/*", false),
        ("git@git.example:acme/../evil/x", "git.example/acme", false),
        ("https://git.example:8443/acme/x", "git.example/acme/*", false),
        ("https://git.example:8443/acme/x", "git.example:8443/acme/*", true),
        ("file:///git.example/acme/x", "git.example/acme/*", false),
        ("git@h:x", "*", false),
        ("git@h:x", "*/*", true),
        ("/srv/x.git", "**", false),
    ] {
        fs::write(me.path("own/.git/config"), format!("[remote \"origin\"]\nurl = {remote}\n")).unwrap();
        me.config("config.toml", &CONFIG.replace("Git.example/acme/*", pattern));
        assert_eq!(meant(&mut me, "own"), if fits { "acme" } else { "usual" }, "{remote} {pattern}");
    }
}

#[test]
fn a_rule_for_another_provider_than_the_named_one_is_left_out() {
    let mut me = person();
    me.config(
        "config.toml",
        "[[when]]\nfolder = \"~/own\"\nprofile = \"a\"\n[[when]]\nfolder = \"~/own\"\nprofile = \"b\"\n\
         [profiles.a]\nprovider = \"getresponse\"\n[profiles.b]\nprovider = \"sandbox\"\n",
    );
    assert_eq!(meant(&mut me, "own"), "a");
    assert!(me.types("token --provider sandbox").err.contains("no token is stored for `b`"));
}

#[cfg(unix)]
#[test]
fn a_folder_behind_a_link_is_the_same() {
    let mut me = person();
    let (real, link) = (me.path("work/x/api"), me.path("link"));
    std::os::unix::fs::symlink(real.parent().unwrap().parent().unwrap(), &link).unwrap();
    me.config("config.toml", &CONFIG.replace("~/work/*/api", &format!("{}/*/api", link.display())));
    assert_eq!(meant(&mut me, "work/x/api/src"), "api");
}

#[test]
fn a_rule_follows_its_profile() {
    let mut me = person();
    assert_eq!(me.types("profile rename acme office").code, 0);
    assert_eq!(meant(&mut me, "own"), "office");
    assert_eq!(me.types("profile remove office").code, 0);
    assert_eq!(meant(&mut me, "own"), "usual");
    assert_eq!(meant(&mut me, "work/x/api"), "api", "the other rule stays");
    // the same as a list
    let list =
        "when = [\n  { remote = \"git.example\", profile = \"usual\" },\n]\n[profiles.usual]\nprovider = \"sandbox\"\n";
    me.config("config.toml", &format!("{list}[profiles.b]\nprovider = \"sandbox\"\n"));
    assert_eq!(meant(&mut me, "own"), "usual");
    assert_eq!(me.types("profile rename usual c").code, 0);
    assert_eq!(meant(&mut me, "own"), "c");
    assert_eq!(me.types("profile remove c").code, 0);
    assert!(me.config_text().contains("when = [") && !me.config_text().contains("git.example"), "{}", me.config_text());
}

const NO_PLACE: &str =
    "error: `when` in config.toml, line 1 has a `remote` that is no `HOST/PATH`, such as `github.com/acme/*`\n";

#[test]
fn a_rule_that_can_choose_nothing_is_an_error() {
    let mut me = person();
    for (rule, why) in [
        ("profile = \"api\"", "names neither `folder` nor `remote`"),
        ("folder = \"/\"", "names no `profile`"),
        ("folder = \"work\"\nprofile = \"api\"", "has a `folder` that begins neither with `/` nor with `~/`"),
        ("folder = \"/\"\nprofil = \"api\"", "unknown key `when.profil`"),
        ("remote = \"\"\nprofile = \"api\"", NO_PLACE),
        ("remote = \"[bad\"\nprofile = \"api\"", NO_PLACE),
        ("folder = \"/\"\nremote = \"a b\"\nprofile = \"api\"", NO_PLACE),
    ] {
        me.config("config.toml", &format!("[[when]]\n{rule}\n"));
        let done = me.types("token");
        assert_eq!(done.code, 2, "{rule}: {}", done.err);
        assert!(done.err.contains(why), "{rule}: {}", done.err);
    }
    me.config("config.toml", "[[when]]\nfolder = \"/\"\nprofile = \"nobody\"\n");
    let told = me.set("FOLDER_OF_THE_TEST", "/").types("token").err;
    assert!(told.contains("hint: the rule folder = \"/\" in config.toml names it: change its `profile`\n"), "{told}");
    assert!(!me.types("token nobody").err.contains("the rule"), "the name was typed");
    assert!(me.types("doctor").out.contains("a rule `when` in config.toml names no profile: `nobody`"));
}
