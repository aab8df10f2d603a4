//! Errors: exit codes, JSON, and messages for mistyped input.

use oauthctl::error::Kind;
use serde_json::{Value, json};

use crate::world::Person;
use crate::world::robot::denies;

/// The exit codes of `help exit-codes`.
fn documented() -> Vec<u8> {
    let topic = include_str!("../../src/command/topics/exit-codes.md");
    let items = topic.lines().filter_map(|line| line.strip_prefix("- ")?.split(':').next());
    items.flat_map(|codes| codes.split(", ")).map(|code| code.parse().unwrap()).collect()
}

#[test]
fn every_kind_of_error_has_its_row_in_the_table_of_exit_codes() {
    let pinned = [
        (Kind::Other, 1, "other"),
        (Kind::Usage, 2, "usage"),
        (Kind::Refused, 3, "refused"),
        (Kind::LoginFirst, 4, "login_first"),
        (Kind::Store, 5, "store"),
        (Kind::NobodyAnswered, 6, "nobody_answered"),
        (Kind::Unsafe, 7, "unsafe"),
        (Kind::Api, 22, "api"),
        (Kind::NotSaved, 74, "not_saved"),
        (Kind::TryLater, 75, "try_later"),
        (Kind::NotRunnable, 126, "not_runnable"),
        (Kind::NoCommand, 127, "no_command"),
        (Kind::Interrupted, 130, "interrupted"),
        (Kind::Terminated, 143, "terminated"),
    ];
    for (kind, code, name) in pinned {
        assert_eq!((kind.exit_code(), json!(kind)), (code, json!(name)));
    }
    assert_eq!(documented(), [&[0], &pinned.map(|(_, code, _)| code)[..]].concat());
}

#[test]
fn an_error_is_one_json_object_where_that_is_asked_for() {
    let mut me = Person::new();
    for (line, want) in [
        (
            "token sandbox --error-format json",
            json!({ "error": "login_first", "exit_code": 4, "message": "no token is stored for `sandbox`", "causes": [], "hints": ["oauthctl login sandbox"] }),
        ),
        (
            "--error-format=json token --rubbish",
            json!({ "error": "usage", "exit_code": 2, "message": "there is no option `--rubbish`", "causes": [], "hints": ["`oauthctl token --help` shows the usage"] }),
        ),
    ] {
        let done = me.types(line);
        assert_eq!((done.code as i64, done.out.as_str()), (want["exit_code"].as_i64().unwrap(), ""));
        assert_eq!(serde_json::from_str::<Value>(&done.err).unwrap(), want, "{line}");
    }
    let done = me.browser(denies).types("login sandbox --error-format json -q");
    assert_eq!(done.code, 3);
    assert_eq!(
        serde_json::from_str::<Value>(&done.err).unwrap(),
        json!({
            "error": "refused", "exit_code": 3, "message": "the sign-in was refused",
            "causes": ["the provider answered `access_denied`"], "hints": ["oauthctl login sandbox"],
        })
    );
}

#[test]
fn the_errors_of_several_profiles_are_in_one_object_and_quiet_hides_none() {
    let mut me = Person::new();
    me.config("config.toml", "[profiles.a]\nprt = 8\n[profiles.b]\nprovider = \"nowhere\"\n");
    for (line, over, named) in [
        ("refresh --all", "refreshed", vec!["a", "b"]),
        ("logout --all", "logged out", vec!["a", "b"]),
        ("list", "read", vec!["a"]),
    ] {
        let over = format!("not every profile could be {over}");
        let done = me.types(&format!("{line} -q --error-format json"));
        assert_eq!(done.code, 2, "{line}: {}", done.err);
        let told: Value = serde_json::from_str(&done.err).unwrap_or_else(|e| panic!("{line}: {e}: {}", done.err));
        assert_eq!((&told["message"], &told["exit_code"]), (&json!(over), &json!(2)), "{line}");
        let each = told["profiles"].as_array().unwrap();
        assert_eq!(each.iter().map(|one| one["profile"].as_str().unwrap()).collect::<Vec<_>>(), named, "{line}");
        assert_eq!((&each[0]["error"], &each[0]["exit_code"]), (&json!("usage"), &json!(2)), "{line}");
        assert!(each[0]["message"].as_str().unwrap().contains("`profiles.a.prt`"), "{line}: {told}");
        let text = me.types(&format!("{line} -q")).err;
        assert!(text.starts_with("a: error: ") && text.ends_with(&format!("\nerror: {over}\n")), "{line}: {text}");
    }
}

#[test]
fn what_is_typed_wrongly_is_exit_2_on_stderr() {
    let mut me = Person::new();
    me.types("tokn sandbox").fails(
        2,
        "
        error: there is no command `tokn`
        hint: did you mean `token`?
        hint: `oauthctl --help` shows the usage
    ",
    );
    for (typed, meant) in [
        ("login issuer.example", "`oauthctl login https://issuer.example`"),
        ("login issuer.example/tenant --client-id a", "`https://issuer.example/tenant`"),
        ("login localhost:8080 --client-id a", "`oauthctl login http://localhost:8080 --client-id a`"),
        ("login work --provider issuer.example", "`https://issuer.example`"),
        ("login http://issuer.example", "`https://issuer.example`"),
        ("login app.constantcontact.com", "`constantcontact`"),
        ("logout all", "`--all`"),
        ("token help", "`--help`"),
        ("login sandbox --redirect-uri localhost:8888", "`http://localhost:8888`"),
        ("login sandbox --redirect-uri me.example/cb", "`https://me.example/cb`"),
        ("profile set sandbox redirect-uri 127.0.0.1:8888/cb", "`http://127.0.0.1:8888/cb`"),
        ("list --json", "`--format json`"),
    ] {
        let done = me.types(typed);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{typed}: {}", done.err);
        assert!(done.err_raw.contains(&format!("hint: did you mean {meant}?\n")), "{typed}: {}", done.err_raw);
    }
    me.types("token sandbox extra").fails(
        2,
        "
        error: `extra` is one word too many
        hint: `oauthctl token --help` shows the usage
    ",
    );
    me.types("login sandbox --grant implicit").fails(
        2,
        "
        error: `implicit` is no value of `--grant <GRANT>`
        hint: the implicit grant hands tokens to the browser's history: RFC 9700 forbids it; use `--grant authorization-code`
        hint: `oauthctl login --help` shows the usage
    ",
    );
    me.types("login sandbox --grant magic").fails(
        2,
        "
        error: `magic` is no value of `--grant <GRANT>`
        hint: it is one of `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`
        hint: `oauthctl login --help` shows the usage
    ",
    );
    me.types("login sandbox --store cloud").fails(
        2,
        "
        error: `cloud` is no value of `--store <STORE>`
        hint: it is one of `keychain`, `file`, `environment`, `none`, `pass`, `vault`, `docker-credential-NAME`
        hint: `oauthctl login --help` shows the usage
    ",
    );
    me.types("login sandbox --param nothing").fails(
        2,
        "
        error: `nothing` is no value of `--param <NAME=VALUE>`
        hint: write it as `name=value`
        hint: `oauthctl login --help` shows the usage
    ",
    );
    me.types("login sandbox --timeout 5x").fails(
        2,
        "
        error: `5x` is no value of `--timeout <TIME>`
        hint: write it as `90s`, `5m`, `2h` or `1d`
        hint: `oauthctl login --help` shows the usage
    ",
    );
    me.types("-q -v list").fails(
        2,
        "
        error: `--quiet` and `--verbose` exclude each other
        hint: `oauthctl list --help` shows the usage
    ",
    );
    me.runs(&["token", "a/b"]).fails(2, "error: `a/b` is no name for a profile: it contains a slash\nhint: a name of letters, digits, `-`, `_` and `.` always works, such as `work`\n");
    me.runs(&["token", "-x"]).fails(
        2,
        "
        error: there is no option `-x`
        hint: `oauthctl token --help` shows the usage
    ",
    );
    let bare = me.types("");
    assert_eq!((bare.code, bare.out.as_str()), (2, ""));
    assert!(bare.err.contains("Usage: oauthctl [OPTIONS] <COMMAND>"), "{}", bare.err);
}

#[test]
fn help_and_version_go_to_stdout() {
    let mut me = Person::new();
    for line in ["--version", "-V", "token -V", "profile set --version"] {
        me.types(line).is(0, concat!("oauthctl ", env!("CARGO_PKG_VERSION"), "\n"), "");
    }
    let whole = me.types("version").out;
    let lines: Vec<_> = whole.lines().map(|line| line.split([' ', ':']).next().unwrap_or_default()).collect();
    assert_eq!(lines, ["oauthctl", "commit", "target", "features", "compiler"], "{whole}");
    for line in ["--version --verbose", "-v --version", "-Vv", "-vV", "token -vV"] {
        me.types(line).is(0, &whole, "");
    }
    for line in ["--help", "help", "token --help", "help login", "profile --help", "sandbox serve --help"] {
        let done = me.types(line);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{line}");
        assert!(done.out.contains("Usage: oauthctl"), "{line}: {}", done.out);
        assert!(!done.out.contains('\u{1b}'), "no colour but on a terminal");
    }
    me.closed_pipe().types("--help").is(0, "", "");
}

#[test]
fn a_topic_of_help_is_printed_and_a_wrong_one_is_told_with_the_nearest() {
    let mut me = Person::new();
    let done = me.types("help storage");
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.starts_with("# Where tokens are stored\n\n- `keychain`: "), "{}", done.out);
    let done = me.types("-q help own-provider");
    assert!(done.out.contains("\n    [token]\n") && !done.out.contains("```"), "code is indented: {}", done.out);
    for line in ["help topics", "--help", "help"] {
        assert!(me.types(line).out.contains("\n  exit-codes     Exit codes\n"), "{line}");
    }
    me.types("help configuratoin").fails(
        2,
        "
        error: there is no topic and no command `configuratoin`
        hint: did you mean `oauthctl help configuration`?
        hint: `oauthctl help topics` lists the topics, `oauthctl --help` the commands
    ",
    );
    let done = me.types("help profile lst");
    assert!(done.err.contains("there is no command `lst`"), "{}", done.err);
}

#[test]
fn inspect_says_what_it_expects_and_quotes_no_token() {
    let mut me = Person::new();
    let done = me.types("inspect abc");
    assert_eq!(done.code, 2, "{}", done.err);
    let expected =
        "hint: `inspect` takes a JWT (three parts with dots between), `-` for one on standard input, or a profile\n";
    assert!(done.err.contains("there is no profile and no provider called `abc`") && done.err.ends_with(expected));
    let opaque = "0123456789abcdef".repeat(5);
    let done = me.types(&format!("inspect {opaque}"));
    done.fails(
        7,
        &format!("error: this token can't be read\ncaused by: it is not a JWT: it has 1 part, not three\n{expected}"),
    );
    done.tells_nothing_of(&opaque);
    let done = me.stdin("a.b").types("inspect -");
    assert!(done.err.contains("it has 2 parts, not three"), "{}", done.err);
}

#[test]
fn a_word_that_may_be_a_token_is_never_repeated() {
    let mut me = Person::new();
    for (word, code) in [
        ("5f2ec923dc11f307519590225f1614fa05fddef7", 2),
        ("ya29.A0ARrdaM-1234567890", 2),
        ("Bearer eyJhbGciOiJub25lIn0.e30.", 7),
        ("bearer 5f2ec923", 7),
        ("eyJhbGciOiJkaXIifQ..x.y.z", 7),
        ("eyJhbGciOiJub25lIn0.e30.", 7),
        ("eyJhbGciOiJub25lIn0.e30", 7),
        ("a.b.c", 7),
    ] {
        for line in ["inspect", "token", "status", "refresh", "call", "introspect", "login", "logout"] {
            let words = [line, word, "/me"];
            let done = me.runs(if line == "call" { &words } else { &words[..2] });
            assert_eq!(done.code, if line == "inspect" { code } else { 2 }, "{line} {word}: {}", done.err);
            assert!(!done.err.contains(word) && !done.err.contains("oauthctl login "), "{line} {word}: {}", done.err);
            let told = done.err.contains("`oauthctl inspect -`") || (line == "inspect" && code == 7);
            assert!(told, "{line} {word}: {}", done.err);
        }
    }
    // it is read as on standard input, with its scheme or without
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    let read = me.runs(&["inspect", &format!("Bearer {unsigned}")]);
    assert_eq!(read.out, me.stdin(unsigned).types("inspect -").out);
    assert!(read.out.contains("WRONG"), "{}", read.out);
    // a server's name is one
    let done = me.types("login login.example.com");
    assert!(done.err.contains("`oauthctl login https://login.example.com`"), "{}", done.err);
    let done = me.types("inspect issuer.example");
    assert!(!done.err.contains("oauthctl login "), "{}", done.err);
    // a name that somebody chose is a name
    me.config("config.toml", "[profiles.my-company-production-account-1]\nprovider = \"sandbox\"\n");
    assert_eq!(me.types("token my-company-production-account-1").code, 4);
}
