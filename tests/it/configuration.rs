//! `config.toml`: the valid contents, the errors for others, and what survives a command's edit.

use std::fs;
use std::path::{Path, PathBuf};

use oauthctl::config::{Config, GrantKind, SecretSource, check_profile_name, edit, expand_home};
use oauthctl::store::StoreKind;
use proptest::prelude::*;
use tempfile::TempDir;

fn folder(text: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.toml"), text).unwrap();
    dir
}

fn content(dir: &Path) -> String {
    fs::read_to_string(dir.join("config.toml")).unwrap()
}

const FULL: &str = r#"# mine
default-profile = "work"
store = "file"
cache = false

[profiles.work]  # the company's
provider = "getresponse"
environment = "max"
client-id = "abc" # from the console
client-secret = { command = ["pass", "show", "gr"] }
grant = "client_credentials"
scopes = ["a", "b"]
redirect-uri = "https://me.example/cb"
port = 8123
store = "keychain"

[profiles.work.vars]
domain = "mail.example.com"

[profiles.work.params]
prompt = "login"

[profiles."home of two"]
provider = "https://issuer.example"
client-secret.file = "secrets/x"
"#;

#[test]
fn the_whole_file_is_read() {
    let dir = folder(FULL);
    let config = Config::load(dir.path()).unwrap();
    assert_eq!(config.default_profile.as_deref(), Some("work"));
    assert_eq!((config.store, config.cache), (Some(StoreKind::File), Some(false)));
    let work = &config.profiles["work"];
    assert_eq!(work.grant, Some(GrantKind::ClientCredentials));
    assert_eq!(work.target.scopes, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!((work.port.clone(), work.store), (Some("8123".to_owned()), Some(StoreKind::Keychain)));
    assert_eq!(work.vars["domain"], "mail.example.com");
    assert_eq!(work.params["prompt"], "login");
    assert_eq!(
        work.client_secret,
        Some(SecretSource::Command(vec!["pass".to_owned(), "show".to_owned(), "gr".to_owned()]))
    );
    let home = &config.profiles["home of two"];
    assert_eq!(home.client_secret, Some(SecretSource::File(dir.path().join("secrets/x"))));
}

#[test]
fn no_file_means_the_defaults() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Config::load(dir.path()).unwrap(), Config::default());
    assert_eq!(Config::load_for(dir.path(), "x").unwrap(), Config::default());
    assert_eq!(Config::load_for(&dir.path().join("gone"), "x").unwrap(), Config::default());
}

#[test]
fn a_wrong_file_is_told_with_line_key_and_what_was_meant() {
    for (text, message) in [
        ("stor = \"file\"\n", "unknown key `stor` in config.toml, line 1; did you mean `store`?"),
        (
            "\n[profiles.a]\nclientid = \"x\"\n",
            "unknown key `profiles.a.clientid` in config.toml, line 3; did you mean `profiles.a.client-id`?",
        ),
        (
            "[profiles.a]\nport = 0\n",
            "`profiles.a.port` in config.toml, line 2 can't be `0`; it is a port from 1 to 65535, or several, 16 at most: `8976-8980`, `8976,9000`",
        ),
        (
            "[profiles.a]\nstore = \"keychian\"\n",
            "`profiles.a.store` in config.toml, line 2 can't be `keychian`; it is one of `keychain`, `file`, `environment`, \
             `none`, `pass`, `vault`, `docker-credential-NAME`; did you mean `keychain`?",
        ),
        (
            "[profiles.a]\nclient-secret = \"hunter2hunter2\"\n",
            "`profiles.a.client-secret` in config.toml, line 2 contains a secret in plain text",
        ),
        (
            "[profiles.a]\nclient-secret = { comand = [\"x\"] }\n",
            "unknown key `profiles.a.client-secret.comand` in config.toml, line 2; did you mean \
             `profiles.a.client-secret.command`?",
        ),
        (
            "[profiles.a]\nclient-secret = { env = \"A\", file = \"b\" }\n",
            "`profiles.a.client-secret` in config.toml, line 2 must have one of `command`, `file` and `env`",
        ),
        (
            "[profiles.a]\nredirect-uri = \"ftp://cb\"\n",
            "`profiles.a.redirect-uri` in config.toml, line 2 holds `ftp://cb`, which must start with `https://`",
        ),
        ("[profiles]\na = 1\n", "`profiles.a` in config.toml, line 2 must be a table, not an integer"),
    ] {
        let dir = folder(text);
        assert_eq!(Config::load(dir.path()).unwrap_err().message, message, "{text}");
        assert_eq!(Config::load_for(dir.path(), "a").unwrap_err().message, message, "{text}");
    }
}

#[test]
fn a_key_that_resembles_none_is_told_with_those_there_are() {
    for (text, hint) in [
        ("[profiles.a]\nclient-secret = { cmd = [\"x\"] }\n", "`{ command = [\"pass\", \"show\", \"x\"] }`"),
        ("[profiles.a]\nnonsense = 1\n", "the keys are provider, environment, vars.NAME, grant, "),
        ("nonsense = 1\n", "the keys are default-profile, store, store-identity, store-recipients, cache and "),
    ] {
        let dir = folder(text);
        let told = Config::load(dir.path()).unwrap_err();
        assert!(told.message.starts_with("unknown key `"), "{text}: {told:?}");
        assert!(told.hint.as_deref().is_some_and(|h| h.contains(hint)), "{text}: {told:?}");
    }
}

#[test]
fn a_profile_with_a_name_that_means_something_else_is_a_fault_of_the_file() {
    let dir = folder("store = \"file\"\n[profiles.\"a/b\"]\n");
    assert_eq!(
        Config::load(dir.path()).unwrap_err().message,
        "`a/b` is no name for a profile: it contains a slash (config.toml, line 2)"
    );
}

#[test]
fn one_profile_is_read_with_the_lines_of_the_whole_file() {
    let dir = folder("[profiles.b]\nport = 1\n\n[profiles.a]\nprt = 2\n");
    let message = "unknown key `profiles.a.prt` in config.toml, line 5; did you mean `profiles.a.port`?";
    assert_eq!(Config::load_for(dir.path(), "a").unwrap_err().message, message);
    assert_eq!(Config::load_for(dir.path(), "b").unwrap().profiles["b"].port.as_deref(), Some("1"));
}

#[test]
fn secret_files_below_home_are_left_for_home_to_be_known() {
    let dir = folder("[profiles.a]\nclient-secret = { file = \"~/s\" }\n");
    let config = Config::load(dir.path()).unwrap();
    assert_eq!(config.profiles["a"].client_secret, Some(SecretSource::File(PathBuf::from("~/s"))));
    assert_eq!(expand_home(Path::new("~/s"), Some(Path::new("/home/me"))), Path::new("/home/me/s"));
    assert_eq!(expand_home(Path::new("~/s"), None), Path::new("~/s"));
    assert_eq!(expand_home(Path::new("/a/~"), Some(Path::new("/h"))), Path::new("/a/~"));
}

#[test]
fn names_that_would_mean_something_else_are_refused() {
    for good in ["getresponse", "home of two", "café", "a.b", "work@example.com", &"x".repeat(64)] {
        assert!(check_profile_name(good).is_ok(), "{good}");
    }
    for bad in ["", "-x", "a/b", "a\\b", ".", "..", "a\nb", "a\u{202e}b", " a", "a ", "a\0", &"x".repeat(65)] {
        assert!(check_profile_name(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_redirect_address_is_this_machines_a_page_or_an_apps() {
    let dir = folder(FULL);
    let set = |uri: &str| edit(dir.path(), |e| e.set("work", "redirect-uri", uri));
    for good in [
        "https://me.example/cb",
        "http://127.0.0.1:8080/",
        "http://localhost/cb",
        "https://localhost:8888",
        "com.example.app:/cb",
        "app://cb",
        "urn:ietf:wg:oauth:2.0:oob",
    ] {
        assert!(set(good).is_ok(), "{good}");
    }
    for bad in ["file:///x", "javascript:x", "data:x", "app://a b", "http://me.example/cb", "https://a/#x"] {
        assert!(set(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_edit_keeps_comments_and_order() {
    let dir = folder(FULL);
    edit(dir.path(), |e| {
        e.set("work", "client-id", "xyz")?;
        e.set("work", "scopes", "c d")?;
        e.set("work", "vars.other", "1")?;
        e.set("new", "provider", "sandbox")?;
        e.set("new", "params.a", "b")?;
        e.set("new", "client-secret.command", "[\"my prog\", \"x\"]")
    })
    .unwrap();
    let expected = FULL
        .replace("\"abc\" # from", "\"xyz\" # from")
        .replace("[\"a\", \"b\"]", "[\"c\", \"d\"]")
        .replace("domain = \"mail.example.com\"\n", "domain = \"mail.example.com\"\nother = \"1\"\n")
        + "\n[profiles.new]\nprovider = \"sandbox\"\nclient-secret = { command = [\"my prog\", \"x\"] }\n\n[profiles.new.params]\na = \"b\"\n";
    assert_eq!(content(dir.path()), expected);
}

#[test]
fn profiles_are_renamed_in_their_place_and_removed() {
    let dir = folder(FULL);
    edit(dir.path(), |e| e.rename("work", "office")).unwrap();
    assert_eq!(content(dir.path()), FULL.replace("\"work\"", "\"office\"").replace("profiles.work", "profiles.office"));
    let message = |r: Result<(), oauthctl::config::ConfigError>| r.unwrap_err().message;
    assert_eq!(
        message(edit(dir.path(), |e| e.rename("office", "home of two"))),
        "there is a profile `home of two` already"
    );
    assert_eq!(message(edit(dir.path(), |e| e.rename("gone", "x"))), "there is no profile `gone`");
    assert!(edit(dir.path(), |e| e.remove("office")).unwrap());
    assert!(!edit(dir.path(), |e| e.remove("office")).unwrap());
    let config = Config::load(dir.path()).unwrap();
    assert_eq!(config.default_profile, None);
    assert_eq!(config.profiles.keys().collect::<Vec<_>>(), ["home of two"]);
}

#[test]
fn keys_are_unset_one_by_one() {
    let dir = folder(FULL);
    for (key, there) in
        [("port", true), ("port", false), ("vars.domain", true), ("vars.domain", false), ("client-secret", true)]
    {
        assert_eq!(edit(dir.path(), |e| e.unset("work", key)).unwrap(), there, "{key}");
    }
    let work = &Config::load(dir.path()).unwrap().profiles["work"];
    assert!(work.port.is_none() && work.vars.is_empty() && work.client_secret.is_none());
    assert!(edit(dir.path(), |e| e.unset("work", "prt")).unwrap_err().message.contains("did you mean `port`?"));
}

#[test]
fn wrong_values_are_refused_and_nothing_is_written() {
    let dir = folder(FULL);
    for (key, value) in [
        ("client-secret", "hunter2"),
        ("clientid", "x"),
        ("port", "0"),
        ("port", "x"),
        ("grant", "magic"),
        ("grant", "implicit"),
        ("par", "perhaps"),
        ("max-age", "-1"),
        ("response-mode", "fragment"),
        ("authorization-details", "{"),
        ("assertion", "eyJ"),
        ("store", "cloud"),
        ("redirect-uri", "ftp://x"),
        ("scopes", "[1]"),
        ("vars", "x"),
        ("client-secret.command", ""),
    ] {
        let error = edit(dir.path(), |e| e.set("work", key, value)).unwrap_err();
        assert!(!error.message.contains("hunter2"));
        assert_eq!(content(dir.path()), FULL, "{key}");
    }
    assert!(edit(dir.path(), |e| e.set("-x", "port", "1")).is_err());
    assert!(edit(dir.path(), |e| e.set_default("-x")).is_err());
}

#[test]
fn a_broken_file_is_never_written_over() {
    let broken = "[profiles.a\nport = 1\n";
    let dir = folder(broken);
    let error = edit(dir.path(), |e| e.set("a", "port", "2")).unwrap_err();
    assert!(error.message.starts_with("config.toml, line 1 is not TOML: "), "{error}");
    assert_eq!(content(dir.path()), broken);
    // but a key that should not be there can be taken out
    let dir = folder("[profiles.a]\nprt = 1\n");
    assert!(edit(dir.path(), |e| e.set("a", "port", "2")).is_err());
    assert!(edit(dir.path(), |e| e.unset("a", "prt")).unwrap());
    assert_eq!(Config::load(dir.path()).unwrap().profiles.len(), 1);
}

#[test]
fn profiles_written_as_inline_tables_and_dotted_keys_are_edited_as_they_are() {
    for text in [
        "profiles = { a = { port = 1 } }\n",
        "profiles.a.port = 1\n",
        "[profiles]\na.port = 1\n",
        "[profiles]\na = { port = 1 }\n",
    ] {
        let dir = folder(text);
        edit(dir.path(), |e| {
            e.set("a", "port", "2")?;
            e.set("a", "vars.x", "y")?;
            e.set("b", "port", "3")
        })
        .unwrap();
        let config = Config::load(dir.path()).unwrap();
        assert_eq!(config.profiles["a"].port.as_deref(), Some("2"), "{}", content(dir.path()));
        assert_eq!(config.profiles["a"].vars["x"], "y");
        assert_eq!(config.profiles["b"].port.as_deref(), Some("3"));
    }
}

#[test]
fn two_edits_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|s| {
        for thread in 0..4 {
            let dir = dir.path();
            s.spawn(move || {
                for i in 0..5 {
                    edit(dir, |e| e.set(&format!("p{thread}-{i}"), "port", "1")).unwrap();
                }
            });
        }
    });
    assert_eq!(Config::load(dir.path()).unwrap().profiles.len(), 20);
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["config.toml", "config.toml.lock"], "nothing is left behind");
}

/// Killed before the new file had its place; another one is at work.
// P-21
#[test]
fn what_a_killed_edit_left_goes_with_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let part = |name: &str| fs::File::create(dir.path().join(name)).unwrap();
    drop((part(".config.toml.1.new"), part(".config.toml.2.new.mine")));
    let at_work = part(".config.toml.3.new");
    at_work.lock().unwrap();
    edit(dir.path(), |e| e.set("x", "port", "1")).unwrap();
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".config.toml.2.new.mine", ".config.toml.3.new", "config.toml", "config.toml.lock"]);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_the_mode_stays_the_mode() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

    let dir = tempfile::tempdir().unwrap();
    let new = dir.path().join("a/b");
    edit(&new, |e| e.set("x", "port", "1")).unwrap();
    assert_eq!((mode(&new), mode(&new.join("config.toml"))), (0o700, 0o600));

    let elsewhere = tempfile::tempdir().unwrap();
    let real = elsewhere.path().join("dotfile.toml");
    fs::write(&real, "store = \"file\"\n").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, dir.path().join("config.toml")).unwrap();
    edit(dir.path(), |e| e.set("x", "port", "1")).unwrap();
    assert!(fs::symlink_metadata(dir.path().join("config.toml")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "store = \"file\"\n\n[profiles.x]\nport = 1\n");
    assert_eq!(mode(&real), 0o640);

    // a link to what is not there yet
    let other = tempfile::tempdir().unwrap();
    symlink(elsewhere.path().join("later.toml"), other.path().join("config.toml")).unwrap();
    edit(other.path(), |e| e.set("x", "port", "1")).unwrap();
    assert!(elsewhere.path().join("later.toml").is_file());
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("a.b".to_owned()),
        Just("a b".to_owned()),
        "[a-c\"'\\\\#é]{1,3}"
    ]
}

/// A header's key in one of the ways TOML can write it.
fn key() -> impl Strategy<Value = String> {
    (name(), 0..3u8).prop_map(|(name, how)| {
        let bare = name.bytes().all(|b| b.is_ascii_alphanumeric());
        match how {
            0 if bare => name,
            1 if !name.contains('\'') => format!("'{name}'"),
            _ => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    })
}

fn section() -> impl Strategy<Value = String> {
    let body = prop_oneof![
        Just("port = 1\n"),
        Just("scopes = [\n  \"a\", # [profiles.a]\n  \"[profiles.b]\",\n]\n"),
        Just("client-id = \"[profiles.a]\"\n"),
        Just("client-id = '''\n[profiles.a]\nport = 7\n[profiles.q]\n'''\n"),
        Just("client-id = \"\"\"\n[profiles.b]\nport = 8\n[profiles.q]\n\"\"\"\n"),
        Just("provider = \"x\"\n# [profiles.a]\n\n"),
        Just("vars.x = \"]\"\r\n"),
        Just(""),
    ];
    prop_oneof![
        6 => (key(), body.clone()).prop_map(|(k, body)| format!("[profiles.{k}]\n{body}")),
        1 => (key(), body.clone()).prop_map(|(k, body)| format!("  [profiles.{k}] # x\n{body}")),
        1 => (key(), body.clone()).prop_map(|(k, body)| format!("[ profiles . {k} ]\n{body}")),
        1 => (key(), body).prop_map(|(k, body)| format!("[\"profiles\".{k}]\n{body}")),
        1 => key().prop_map(|k| {
            format!("[profiles.{k}.client-secret]\nenv = \"X\"\n[profiles.{k}.params]\nz = \"1\"\n[profiles.{k}.vars]\n")
        }),
        1 => key().prop_map(|k| format!("[profiles]\n{k}.port = 3\n")),
        1 => key().prop_map(|k| format!("[profiles]\n{k} = {{ port = 4 }}\n")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_profile_alone_is_the_same_as_in_the_whole_file(
        top in prop_oneof![
            Just(""), Just("store = \"file\"\n# [profiles.a]\n"), Just("profiles.z.port = 9\n"), Just("\u{feff}cache = true\n"),
            Just("default-profile = \"profiles\"\n"), Just("default-profile = \"\"\"[profiles.a]\"\"\"\n"),
        ],
        sections in proptest::collection::vec(section(), 0..5),
        asked in name(),
    ) {
        let dir = folder(&format!("{top}{}", sections.concat()));
        if let Ok(mut whole) = Config::load(dir.path()) {
            whole.profiles.retain(|n, _| *n == asked);
            prop_assert_eq!(Config::load_for(dir.path(), &asked), Ok(whole), "{}", content(dir.path()));
        }
    }
}

/// Run by hand: `cargo test --release --test it -- --ignored ten_thousand --nocapture`.
#[test]
#[ignore = "a measurement"]
fn ten_thousand_profiles_cost_a_millisecond() {
    use std::fmt::Write;
    let mut text = String::from("store = \"file\"\n");
    for i in 0..10_000 {
        write!(
            text,
            "\n[profiles.p{i}]\nprovider = \"getresponse\"\nclient-id = \"0123456789abcdef\"\nscopes = [\"a\", \"b\"]\n\
             [profiles.p{i}.vars]\ndomain = \"x{i}.example.com\"\n"
        )
        .unwrap();
    }
    let dir = folder(&text);
    let time = |name: &str| {
        let mut all: Vec<_> = (0..50)
            .map(|_| {
                let start = std::time::Instant::now();
                assert_eq!(Config::load_for(dir.path(), name).unwrap().profiles.len(), 1);
                start.elapsed()
            })
            .collect();
        all.sort();
        all[25]
    };
    let (first, last) = (time("p0"), time("p9999"));
    let start = std::time::Instant::now();
    Config::load(dir.path()).unwrap();
    let whole = start.elapsed();
    let line = format!("{} bytes: first {first:?}, last {last:?}, the whole {whole:?}\n", text.len());
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    assert!(last * 5 < whole, "{line}");
}

// N-06, N-07
#[cfg(unix)]
#[test]
fn every_command_refuses_what_others_could_have_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut me = crate::world::Person::new();
    let own = "id = \"own\"\nextends = \"sandbox\"\nname = \"Own\"\n";
    me.config("config.toml", "[profiles.work]\nprovider = \"own\"\nclient-id = \"x\"\n");
    me.config("providers/own.toml", own);
    let places = ["", "/config.toml", "/providers", "/providers/own.toml"];
    let places = places.map(|name| me.path(&format!("config/oauthctl{name}")));
    assert_eq!(me.types("status work").code, 4);
    for place in places {
        let closed = std::fs::metadata(&place).unwrap().permissions();
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(closed.mode() | 0o002)).unwrap();
        for line in
            ["token work", "status work", "login work", "call work /x", "logout work", "profile set work client-id y"]
        {
            if line.starts_with("profile") && place.to_string_lossy().contains("providers") {
                continue;
            }
            let done = me.types(line);
            assert_eq!(done.code, 2, "{line}: {}", done.err);
            let told = format!("hint: `chmod go-w {}`", place.display());
            assert!(done.err_raw.contains(&told), "{line}: {told} should be in {}", done.err_raw);
        }
        std::fs::set_permissions(&place, closed).unwrap();
    }
    assert_eq!(me.types("status work").code, 4);
}
