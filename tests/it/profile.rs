//! `profile`: changes without an editor; the user's own text in `config.toml` survives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oauthctl::session::lock;
use oauthctl::session::paths::Paths;
use oauthctl::session::record::Renaming;
use oauthctl::store::file::Openers;
use oauthctl::store::{self, StoreKind};
use oauthctl::world::KeychainError;
use serde_json::json;

use crate::store_contract::FakeEnv;
use crate::world::robot::allows;
use crate::world::{Fault, Person, shown};

const MINE: &str = "# mine\ndefault-profile = \"work\" # usual\n\n[profiles.work] # the company's\nprovider = \"getresponse\"\nclient-id = \"abc\" # from the console\n\n# and the other\n[profiles.home]\nprovider = \"sandbox\"\n";

fn mine() -> Person {
    let me = Person::new();
    me.config("config.toml", MINE);
    me
}

#[test]
fn a_key_is_set_and_taken_away_and_comments_survive() {
    let mut me = mine();
    me.types("profile set work client-id xyz").is(0, "", "work: client-id is set\n");
    assert_eq!(me.config_text(), MINE.replace("\"abc\"", "\"xyz\""));
    me.runs(&["profile", "set", "work", "scopes", "a b"]).is(0, "", "work: scopes is set\n");
    me.types("profile set work vars.domain mail.example.com").is(0, "", "work: vars.domain is set\n");
    assert!(
        me.config_text().contains("scopes = [\"a\", \"b\"]")
            && me.config_text().contains("domain = \"mail.example.com\"")
    );
    me.types("profile unset work scopes").is(0, "", "work: scopes is removed\n");
    me.types("profile unset work scopes").is(0, "", "work: scopes was not set\n");
    me.types("profile unset work vars.domain").is(0, "", "work: vars.domain is removed\n");
    for part in ["# mine", "# usual", "# the company's", "# from the console", "# and the other"] {
        assert!(me.config_text().contains(part), "{part} is gone from\n{}", me.config_text());
    }
}

#[test]
fn what_can_not_be_set_is_refused_and_nothing_changes() {
    let mut me = mine();
    me.types("profile set work clientid xyz").fails(
        2,
        "
        error: unknown key `clientid`; did you mean `client-id`?
    ",
    );
    me.types("profile set work nonsense x").fails(
        2,
        "
        error: unknown key `nonsense`
        hint: the keys are provider, environment, vars.NAME, grant, client-id, client-secret, earlier-client-secret, redirect-uri, port, listen, browser, helper-hosts, store, scopes, resource, audience, params.NAME, allow-private, maximum-age, auth, assertion-audience, client-key, client-key-id, client-key-algorithm, client-certificate, dpop, login-hint, prompt, max-age, acr-values, ui-locales, authorization-details, response-mode, par, request-object, username, password, binding-message, id-token-hint, login-hint-token, requested-expiry, assertion, subject, assertion-issuer, subject-token, subject-token-type, subject-profile, actor-token, actor-token-type, requested-token-type
    ",
    );
    me.types("profile set work grant magic").fails(
        2,
        "error: `grant` can't be `magic`; it is one of `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`\n",
    );
    me.types("profile set work grant implicit").fails(
        2,
        "error: `grant` can't be `implicit`; the implicit grant hands tokens to the browser's history: RFC 9700 forbids it; use `--grant authorization-code`\n",
    );
    me.types("profile set work port 70000").fails(
        2,
        "error: `port` can't be `70000`; it is a port from 1 to 65535, or several, 16 at most: `8976-8980`, `8976,9000`\n",
    );
    me.runs(&["profile", "set", "work", "port", "8976 9000"]).is(0, "", "work: port is set\n");
    assert!(me.config_text().contains("port = \"8976,9000\"\n"), "{}", me.config_text());
    assert_eq!(me.types("profile unset work port").code, 0);
    me.types("profile set work store cloud")
        .fails(2, "error: `store` can't be `cloud`; it is one of `keychain`, `file`, `environment`, `none`, `pass`, `vault`, `docker-credential-NAME`\n");
    me.types("profile set work redirect-uri http://evil.example/").fails(
        2,
        "
        error: `redirect-uri` holds `http://evil.example/`, which may be plain `http` to a loopback address only
        hint: did you mean `https://evil.example/`?
    ",
    );
    me.types("profile set work provider getrespnse").fails(
        2,
        "
        error: there is no provider `getrespnse`; did you mean `getresponse`?
        hint: `oauthctl provider list` shows all
    ",
    );
    me.types("profile set work client-secret hush").fails(2, "
        error: `client-secret` is a secret, which never belongs in the configuration
        hint: set `client-secret.command`, `client-secret.file` or `client-secret.env`; without any, `oauthctl login` asks once and stores it
    ");
    me.runs(&["profile", "set", "a/b", "provider", "sandbox"])
        .fails(2, "error: `a/b` is no name for a profile: it contains a slash\nhint: a name of letters, digits, `-`, `_` and `.` always works, such as `work`\n");
    assert_eq!(me.config_text(), MINE);
}

#[test]
fn a_client_secret_is_read_from_a_file_or_a_pipe_and_kept_in_the_store() {
    let mut me = mine();
    me.stdin("the-secret-of-work\n").types("profile set-secret work -").is(
        0,
        "",
        "work: the client secret is stored in the keychain (Secret Service) (sha256:…)\n",
    );
    assert_eq!(me.record("work")["client_secret"], "the-secret-of-work");
    std::fs::write(me.path("secret"), "another-secret\r\n").unwrap();
    let file = me.path("secret").display().to_string();
    let done = me.runs(&["profile", "set-secret", "work", &file]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err_raw.contains(&shown("another-secret")), "{}", done.err_raw);
    assert_eq!(me.record("work")["client_secret"], "another-secret");
    std::fs::write(me.path("secret"), "third-secret-01\n\nurl: https://odd.example\n").unwrap();
    let done = me.runs(&["profile", "set-secret", "work", &file]);
    let note = format!("The client secret is the first line of `{file}`; the other lines are not stored.\n");
    assert!(done.code == 0 && done.err_raw.starts_with(&note), "{}", done.err_raw);
    assert_eq!(me.record("work")["client_secret"], "third-secret-01");
    std::fs::write(me.path("secret"), b"\n another-secret\n \n").unwrap();
    let done = me.runs(&["profile", "set-secret", "work", &file]);
    assert!(done.code == 0 && !done.err.contains("first line"), "{}", done.err);
    for bytes in [&b"caf\xe9\n"[..], b"\xff\xfe\n"] {
        std::fs::write(me.path("secret"), bytes).unwrap();
        let done = me.runs(&["profile", "set-secret", "work", &file]);
        assert!(done.code == 2 && done.err.ends_with("caused by: it is not text in UTF-8\n"), "{}", done.err);
    }
    me.stdin("").types("profile set-secret work -").fails(2, "error: standard input holds no secret: it is empty\n");
    me.types("profile set-secret work /no/such/file").fails(
        2,
        "
        error: the secret can't be read from `/no/such/file`
        caused by: No such file or directory (os error 2)
    ",
    );
    assert_eq!(me.record("work")["client_secret"], "another-secret");
    assert_eq!(me.config_text(), MINE, "nothing of it is in the configuration");
}

#[test]
fn a_default_is_what_is_meant_when_none_is_named() {
    let mut me = mine();
    me.types("profile use dropbox").is(
        0,
        "",
        "
        `dropbox` is the default profile
        There is no such profile yet, only a provider of that name: `oauthctl login dropbox` makes it.
    ",
    );
    me.types("profile use home").is(0, "", "`home` is the default profile\n");
    assert!(me.config_text().starts_with("# mine\ndefault-profile = \"home\" # usual\n"), "{}", me.config_text());
    me.types("token").fails(
        4,
        "
        error: no token is stored for `home`
        hint: oauthctl login home
    ",
    );
    me.types("profile default nobody").fails(
        2,
        "
        error: there is no profile `nobody`
        hint: `oauthctl list` names the profiles
        hint: a new one: `oauthctl profile set nobody provider NAME`
    ",
    );
    me.types("profile default hme").fails(
        2,
        "
        error: there is no profile `hme`
        hint: `oauthctl list` names the profiles
        hint: a new one: `oauthctl profile set hme provider NAME`
    ",
    );
}

/// Killed, or left by a store that did not keep it, between the server's answer and the record.
#[test]
fn what_a_renewal_left_in_the_journal_outlives_a_change_of_the_record() {
    for (line, name) in [("profile rename sandbox play", "play"), ("profile set-secret sandbox secret.txt", "sandbox")]
    {
        let mut me = Person::new();
        me.signed_in();
        let before = me.kept("sandbox", "refresh_token");
        let secret = me.path("secret.txt");
        std::fs::write(&secret, "practice-secret").unwrap();
        me.later(700);
        me.keychain.fault(Fault::Forgets);
        assert_eq!(me.types("token sandbox").code, 74);
        me.keychain.fault(Fault::None);
        let done = me.types(&line.replace("secret.txt", &secret.display().to_string()));
        assert_eq!(done.code, 0, "{line}: {}", done.err);
        assert!(done.sent.is_empty(), "{line}: {:?}", done.sent);
        let after = me.kept(name, "refresh_token");
        assert_ne!(after, before, "{line}: the successor is kept");
        assert_eq!(me.types(&format!("token {name}")).code, 0, "{line}");
    }
}

/// A login under the new name ends first, and is not overwritten.
#[test]
fn a_rename_waits_for_whoever_holds_either_name() {
    for held in ["sandbox", "play"] {
        let mut me = Person::new();
        assert_eq!(me.browser(allows).types("login sandbox --store file").code, 0);
        let keychain: Arc<dyn oauthctl::world::Keychain> = me.keychain.clone();
        let state = me.path("state/oauthctl");
        let store = store::open(StoreKind::File, &keychain, &FakeEnv::default(), &state, Openers::default());
        let paths = Paths { config: None, state: Some(state) };
        let lock = lock::try_acquire(&paths, &*store, held).expect("the lock is free");
        let (released, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let other = std::thread::spawn({
            let (released, done) = (released.clone(), done.clone());
            move || {
                std::thread::sleep(std::time::Duration::from_millis(300));
                assert!(!done.load(Ordering::SeqCst), "it did not wait");
                released.store(true, Ordering::SeqCst);
                drop(lock);
            }
        });
        assert_eq!(me.types("profile rename sandbox play").code, 0);
        done.store(true, Ordering::SeqCst);
        assert!(released.load(Ordering::SeqCst), "{held}");
        other.join().unwrap();
    }
}

/// Which records say that a rename is under way, what `config.toml` says, what is typed, its exit
/// code, and who is left.
const CUT_OFF: [(&str, &str, &str, u8, &str); 16] = [
    ("work", "work", "token work", 0, "work"),
    ("work", "work", "list", 0, "work"),
    ("work", "work", "profile rename work play", 0, "play"),
    ("work play", "work", "token work", 2, "play"),
    ("work play", "work", "token play", 0, "play"),
    ("work play", "work", "list", 0, "play"),
    ("work play", "work", "logout work", 2, "play"),
    ("work play", "work", "login work", 2, "play"),
    ("work play", "work", "profile rename work play", 0, "play"),
    ("work play", "play", "token work --store keychain", 2, "play"),
    ("work play", "play", "token play", 0, "play"),
    ("work play", "play", "logout work", 2, "play"),
    ("work play", "play", "list", 0, "play"),
    ("work play", "play", "profile rename work play", 0, "play"),
    ("play", "play", "token play", 0, "play"),
    ("play", "play", "list", 0, "play"),
];

fn keychain_of(me: &Person) -> Box<dyn store::Store> {
    let keychain: Arc<dyn oauthctl::world::Keychain> = me.keychain.clone();
    store::open(StoreKind::Keychain, &keychain, &FakeEnv::default(), &me.path("state/oauthctl"), Openers::default())
}

// P-19
#[test]
fn a_rename_that_was_cut_off_is_finished_by_the_next_command() {
    let mine = |name: &str| format!("# mine\n[profiles.{name}] # too\nprovider = \"sandbox\"\n");
    for (marked, configured, line, code, left) in CUT_OFF {
        let mut me = Person::new();
        me.config("config.toml", &mine("work"));
        assert_eq!(me.browser(allows).types("login work").code, 0);
        let token = me.kept("work", "access_token");
        let store = keychain_of(&me);
        let record = store.load("work").unwrap().unwrap();
        Renaming { from: "work".into(), to: "play".into() }.begin(&*store, &record).unwrap();
        for gone in ["work", "play"].iter().filter(|name| !marked.contains(*name)) {
            store.delete(gone).unwrap();
        }
        me.config("config.toml", &mine(configured));
        let done = me.types(&format!("{line} --no-cache"));
        let what = format!("{marked}, {configured}: {line}: {}", done.err);
        assert_eq!(done.code, code, "{what}");
        if code == 2 {
            let words =
                "`work` is called `play` now: its renaming was cut off, and is finished\nhint: oauthctl status play\n";
            assert!(done.err.contains(words), "{what}");
        }
        assert_eq!((me.config_text(), me.keychain.accounts()), (mine(left), vec![left.to_owned()]), "{what}");
        assert!(
            me.kept(left, "access_token") == token && !store.load(left).unwrap().unwrap().expose().contains("renaming"),
            "{what}"
        );
    }
}

/// The new name has been given to another profile meanwhile; a login that is not finished has no
/// profile at all.
#[test]
fn a_rename_that_was_cut_off_is_taken_back_where_its_name_is_taken() {
    let both = "[profiles.work]\nprovider = \"sandbox\"\n[profiles.play]\nprovider = \"getresponse\"\n";
    for (config, code, left) in [(both, 2, "work"), ("", 2, "play")] {
        let mut me = Person::new();
        assert_eq!(me.browser(allows).types("login work --provider sandbox").code, 0);
        let store = keychain_of(&me);
        let record = store.load("work").unwrap().unwrap();
        Renaming { from: "work".into(), to: "play".into() }.begin(&*store, &record).unwrap();
        me.config("config.toml", config);
        let done = me.types("token work --no-cache");
        assert_eq!(done.code, code, "{}", done.err);
        assert_eq!(
            (me.config_text(), me.keychain.accounts()),
            (config.to_owned(), vec![left.to_owned()]),
            "{}",
            done.err
        );
        let again = me.types(&format!("token {left} --no-cache"));
        assert_eq!(again.code, 0, "{}", again.err);
    }
}

/// Two processes come to it at once: the old name's waits, the new name's record is as good as
/// ever.
#[test]
fn a_rename_that_another_process_finishes_is_left_to_it() {
    for (line, held, code) in [("refresh work", "play", 75), ("refresh play", "work", 0), ("status work", "work", 0)] {
        let mut me = Person::new();
        assert_eq!(me.browser(allows).types("login work --provider sandbox --store file").code, 0);
        let keychain: Arc<dyn oauthctl::world::Keychain> = me.keychain.clone();
        let state = me.path("state/oauthctl");
        let store_of = || store::open(StoreKind::File, &keychain, &FakeEnv::default(), &state, Openers::default());
        let store = store_of();
        let record = store.load("work").unwrap().unwrap();
        Renaming { from: "work".into(), to: "play".into() }.begin(&*store, &record).unwrap();
        let paths = Paths { config: None, state: Some(state.clone()) };
        // in a thread of its own, as another process would
        let lock = std::thread::scope(|scope| {
            scope.spawn(|| lock::try_acquire(&paths, &*store_of(), held)).join().unwrap().expect("the lock is free")
        });
        let done = me.types(&format!("{line} --store file"));
        assert_eq!(done.code, code, "{line}: {}", done.err);
        drop(lock);
        assert!(store.load("work").unwrap().is_some() && store.load("play").unwrap().is_some(), "{line}");
    }
}

#[test]
fn where_nobody_logged_in_there_is_nothing_to_remove_or_rename() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("there is no session bus".to_owned())));
    for (line, why) in [
        ("profile remove sandbox", "there is no profile `sandbox`"),
        ("profile remove gr", "there is no profile `getresponse`"),
        ("profile rename sandbox q", "there is no profile `sandbox`"),
    ] {
        let done = me.types(line);
        assert!(done.code == 2 && done.err.contains(why) && !done.err.contains("session bus"), "{line}: {}", done.err);
    }
    // a profile may have its tokens in a keychain that is away
    me.config("config.toml", MINE);
    for line in ["profile remove work", "profile rename work q"] {
        assert_eq!(me.types(line).code, 5, "{line}");
    }
    assert_eq!(me.config_text(), MINE);
}

#[test]
fn a_profile_that_another_one_acts_for_is_renamed_there_too() {
    let mut me = Person::new();
    let acts = "\n[profiles.narrow]\nprovider = \"sandbox\"\nsubject-profile = \"work\" # hers\n";
    me.config("config.toml", &format!("[profiles.work]\nprovider = \"sandbox\"\n{acts}"));
    me.types("profile rename work play").is(0, "", "work is renamed play\n");
    assert!(me.config_text().ends_with(&acts.replace("work", "play")), "{}", me.config_text());
}

#[test]
fn a_renamed_profile_keeps_its_tokens() {
    let mut me = Person::new();
    me.signed_in();
    let token = me.kept("sandbox", "access_token");
    me.types("profile rename sandbox play").is(0, "", "sandbox is renamed play\n");
    assert_eq!(me.keychain.accounts(), ["play"]);
    assert_eq!(me.config_text(), "[profiles.play]\nprovider = \"sandbox\"\n");
    me.types("token play").is(0, &format!("{token}\n"), "");
    me.types("profile rename play play").fails(2, "error: `play` is its name already\n");
    me.types("token sandbox").fails(
        4,
        "
        error: no token is stored for `sandbox`
        hint: oauthctl login sandbox
        hint: profiles of that provider: `play`
    ",
    );
    assert_eq!(me.browser(allows).types("login sandbox").code, 0);
    me.types("profile rename sandbox play").fails(
        2,
        "
        error: `play` has tokens already
        hint: oauthctl profile remove play
    ",
    );
    me.types("profile rename nobody else").fails(
        2,
        "
        error: there is no profile and no provider called `nobody`
        hint: `oauthctl list` names the profiles, `oauthctl provider list` the providers
        hint: a new profile of a provider: `oauthctl login nobody --provider NAME`
    ",
    );
    me.runs(&["profile", "rename", "play", "a/b"])
        .fails(2, "error: `a/b` is no name for a profile: it contains a slash\nhint: a name of letters, digits, `-`, `_` and `.` always works, such as `work`\n");
    assert_eq!(me.keychain.accounts(), ["play", "sandbox"]);
}

#[test]
fn a_removed_profile_is_gone_whole() {
    let mut me = Person::new();
    me.signed_in();
    me.tamper("sandbox", |r| r["client_secret"] = json!("kept-until-now"));
    let done = me.types("profile remove sandbox");
    done.is(
        0,
        "",
        "sandbox: removed; its tokens were not revoked (a `logout` before it does that): they stay valid until they expire\n",
    );
    assert!(done.sent.is_empty());
    assert!(me.keychain.accounts().is_empty());
    assert_eq!(me.config_text(), "");
    me.types("profile remove sandbox").fails(
        2,
        "
        error: there is no profile `sandbox`
        hint: `oauthctl list` names the profiles
    ",
    );
    me.types("token sandbox").fails(
        4,
        "
        error: no token is stored for `sandbox`
        hint: oauthctl login sandbox
    ",
    );
}

#[test]
fn nothing_of_a_profile_is_removed_where_the_configuration_can_not_be_written() {
    let mut me = Person::new();
    me.signed_in();
    let record = me.record("sandbox");
    let lock = me.path("config/oauthctl/config.toml.lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let done = me.types("profile remove sandbox");
    let told = "error: the profile can't be removed: nothing was deleted\ncaused by: ~/config/oauthctl/config.toml.lock can't be ";
    assert!(done.code == 2 && done.err.starts_with(told), "{}", done.err);
    assert_eq!(me.record("sandbox"), record);
    std::fs::remove_dir(&lock).unwrap();
    assert_eq!(me.types("profile remove sandbox").code, 0);
}

#[test]
fn what_names_a_removed_profile_is_told_and_the_comments_of_others_stay() {
    let mut me = Person::new();
    me.config(
        "config.toml",
        "# Managed by Ann\n\n# usual\ndefault-profile = \"p\"\n\n# all of them\n\n# the first\n[profiles.p]\nprovider = \"sandbox\"\n\n\
         [profiles.p.vars]\n\n# the second\n[profiles.q]\nprovider = \"sandbox\"\nsubject-profile = \"p\"\n\n# rules\n\n# of p\n\
         [[when]]\nfolder = \"~/p\"\nprofile = \"p\"\n# the end\n",
    );
    me.types("profile remove p").is(
        0,
        "",
        "
        p: removed
        p: the rule folder = \"~/p\" in config.toml is removed too
        p: it was the default profile: there is none now
        p: `q` still names it as its `subject-profile`; another one: `oauthctl profile set q subject-profile NAME`
    ",
    );
    assert_eq!(
        me.config_text(),
        "# Managed by Ann\n\n# all of them\n\n# the second\n[profiles.q]\nprovider = \"sandbox\"\nsubject-profile = \"p\"\n\n\
         # rules\n\n# the end\n"
    );
    // the head of the file
    let rest = "[profiles.q]\nprovider = \"sandbox\"\n";
    for (first, left) in [
        ("# Managed by Ann\n\n# first\n[profiles.p]\nprovider = \"sandbox\"\n\n", "# Managed by Ann\n\n"),
        ("# of p\n[profiles.p]\nprovider = \"sandbox\"\n\n", "\n"),
    ] {
        me.config("config.toml", &format!("{first}{rest}"));
        assert_eq!(me.types("profile remove p").code, 0);
        assert_eq!(me.config_text(), format!("{left}{rest}"));
    }
}

/// A provider whose address holds a secret of the person's.
const WITH_PIN: &str = "id = \"pinned\"\nname = \"Pinned\"\n[authorize]\nurl = \"https://login.pinned.example/authorize\"\n[token]\nurl = \"https://login.pinned.example/{pin}/token\"\n[api]\nbase-url = \"https://api.pinned.example/{pin}\"\n[vars.pin]\nprompt = \"The PIN\"\nsecret = true\n[vars.site]\nprompt = \"The site\"\ndefault = \"main\"\n";

fn pinned() -> Person {
    let me = Person::new();
    me.config("providers/pinned.toml", WITH_PIN);
    me.config("config.toml", "[profiles.w]\nprovider = \"pinned\"\nclient-id = \"c\"\n");
    me
}

// B-01
#[test]
fn a_secret_variable_is_kept_in_the_store_and_shown_nowhere() {
    let mut me = pinned();
    let refused = me.types("profile set w vars.pin hush-4711");
    refused.fails(
        2,
        "
        error: `pin` is a secret: it belongs in the store, not in config.toml
        hint: oauthctl profile set-secret w --var pin
    ",
    );
    me.types("profile set w vars.site other").is(0, "", "w: vars.site is set\n");
    let kept = me.answers_hidden("hush-4711").types("profile set-secret w --var pin");
    assert!(kept.code == 0 && !kept.err.contains("hush"), "{}", kept.err);
    assert!(!me.config_text().contains("hush"), "{}", me.config_text());
    let shown = me.types("call w /{pin}/x --dry-run");
    assert!(shown.code == 0 && shown.out.contains("https://api.pinned.example/[sha256:"), "{}{}", shown.out, shown.err);
    assert!(!shown.out.contains("hush") && !shown.err.contains("hush"), "{}", shown.out);
    let typed = me.types("call w /x --dry-run --var pin=other-4711");
    assert!(typed.code == 0 && !typed.out.contains("other-4711"), "{}", typed.out);
    me.types("profile set-secret w --var site -").fails(
        2,
        "
        error: `site` is no secret variable of provider `pinned`
        hint: oauthctl profile set w vars.site VALUE
    ",
    );
    // the client's secret goes, and this one stays
    me.types("logout w").is(0, "", "w: no token is stored\n");
    assert_eq!(me.types("call w /x --dry-run").code, 0);
}

// B-01
#[test]
fn a_secret_variable_that_lies_in_the_configuration_works_is_warned_of_and_can_be_moved() {
    let mut me = pinned();
    me.config(
        "config.toml",
        "[profiles.w]\nprovider = \"pinned\"\nclient-id = \"c\"\n[profiles.w.vars]\npin = \"hush-4711\" # mine\n",
    );
    let shown = me.types("call w /x --dry-run");
    assert!(shown.code == 0 && shown.out.contains("[sha256:") && !shown.out.contains("hush"), "{}", shown.out);
    assert!(shown.err.contains("`oauthctl profile set-secret w --var pin` moves it into the store"), "{}", shown.err);
    assert_eq!(me.types("profile set-secret w --var pin").code, 0);
    assert!(!me.config_text().contains("hush"), "{}", me.config_text());
    let shown = me.types("call w /x --dry-run");
    assert!(shown.code == 0 && shown.err.is_empty() && shown.out.contains("[sha256:"), "{}{}", shown.out, shown.err);
}

// B-01
#[test]
fn a_login_asks_for_a_secret_variable_without_echo_and_leaves_none_in_the_configuration() {
    let mut me = Person::new();
    let server = me.practice(oauthctl::sandbox::Manners::Sandbox);
    let path = me.path("config/oauthctl/providers/practice.toml");
    let text = std::fs::read_to_string(&path).expect("the provider");
    std::fs::write(&path, format!("{text}\n[vars.pin]\nprompt = \"The PIN\"\nsecret = true\n")).expect("the provider");
    me.config("config.toml", "[profiles.w]\nprovider = \"practice\"\n[profiles.w.vars]\npin = \"hush-old\"\n");
    assert_eq!(me.browser(allows).types("login w").code, 0);
    assert!(!me.config_text().contains("hush"), "moved by the login: {}", me.config_text());
    assert_eq!(me.browser(allows).types("login w").code, 0, "the record has it");
    let done = me.answers_hidden("hush-4711").browser(allows).types("login other --provider practice");
    assert!(done.code == 0 && !done.err.contains("hush"), "{}", done.err);
    assert!(!me.config_text().contains("hush"), "{}", me.config_text());
    drop(server);
}

#[test]
fn a_word_that_may_be_a_token_is_repeated_by_no_verb_of_profiles() {
    let mut me = Person::new();
    me.signed_in();
    for token in ["eyJhbGciOiJub25lIn0.e30.", "Zq8xyzzy4711Zq8xyzzy4711Zq8"] {
        for line in [
            "show T",
            "set T scopes a",
            "unset T scopes",
            "unset T provider",
            "default T",
            "remove T",
            "rename T b",
            "set-secret T x",
            "set sandbox provider T",
        ] {
            let done = me.types(&format!("profile {}", line.replace('T', token)));
            assert_eq!(done.code, 2, "{line}: {}", done.err);
            done.tells_nothing_of(token);
        }
        let done = me.types(&format!("provider show {token}"));
        assert_eq!(done.code, 2, "{}", done.err);
        done.tells_nothing_of(token);
    }
    me.types("profile default eyJhbGciOiJub25lIn0.e30.").fails(
        2,
        "
        error: there is no profile `…`
        hint: a JWT goes on standard input: `oauthctl inspect -`; any other token into OAUTHCTL_<PROFILE>_TOKEN, for `oauthctl whoami PROFILE`
    ",
    );
}
