//! `complete`: what the shells offer on Tab. Each test types a line; the word at its end is
//! completed.

use oauthctl::provider::catalogue;

use crate::world::Person;

const CONFIG: &str = "[profiles.work]\nprovider = \"getresponse\"\n[profiles.home]\nprovider = \"constantcontact\"\n";

/// The words offered, without what they are.
fn offered(me: &mut Person, line: &str) -> Vec<String> {
    let (before, word) = line.rsplit_once(' ').unwrap_or(("", line));
    let word = format!("--word={word}");
    let mut words = vec!["complete", word.as_str(), "--"];
    words.extend(before.split_whitespace());
    let told = me.runs(&words);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{line}");
    told.out.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

fn somebody() -> Person {
    let me = Person::new();
    me.config("config.toml", CONFIG);
    me
}

#[test]
fn profiles_come_where_a_profile_goes() {
    let mut me = somebody();
    for line in [
        "token ",
        "refresh ",
        "status ",
        "logout ",
        "whoami ",
        "doctor ",
        "inspect ",
        "profile rename ",
        "run ",
        "run work ",
        "helper git --profile ",
        "login --subject-profile ",
    ] {
        assert_eq!(offered(&mut me, line), ["home", "work"], "{line}");
    }
    assert_eq!(offered(&mut me, "token w"), ["work"]);
    // a login makes new ones, and so does whatever fits no profile
    let login = offered(&mut me, "login ");
    assert!(["home", "work", "getresponse"].iter().all(|name| login.iter().any(|word| word == name)), "{login:?}");
    assert_eq!(offered(&mut me, "token getr"), ["getresponse"]);
    // the second word is none
    assert!(offered(&mut me, "token work w").is_empty());
}

#[test]
fn providers_come_where_a_provider_goes_and_aliases_when_they_are_typed() {
    let mut me = somebody();
    me.config("providers/acme.toml", "id = \"acme\"\nname = \"Acme\"\n[token]\nurl = \"https://acme.example/token\"\n");
    let all = offered(&mut me, "provider show ");
    let mut known: Vec<&str> = catalogue::names().chain(["acme"]).collect();
    known.sort_unstable();
    assert_eq!(all, known);
    for line in ["login --provider ", "token x --provider ", "profile set x provider "] {
        assert_eq!(offered(&mut me, line), all, "{line}");
    }
    assert_eq!(offered(&mut me, "login --provider=get"), ["--provider=getresponse"]);
    assert_eq!(offered(&mut me, "provider show cc"), ["cc"]);
    assert_eq!(offered(&mut me, "login google --preset gmail-s"), ["gmail-send", "gmail-settings"]);
}

#[test]
fn after_call_come_profile_method_and_files_after_an_at_sign() {
    let mut me = somebody();
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    assert_eq!(offered(&mut me, "call work "), methods);
    assert_eq!(offered(&mut me, "call work -X P"), ["POST", "PUT", "PATCH"]);
    let first = offered(&mut me, "call ");
    assert_eq!(first[..2], ["home", "work"]);
    assert_eq!(first[2..], methods);
    assert!(offered(&mut me, "call work GET ").is_empty());
    assert!(offered(&mut me, "call work /contacts ").is_empty());
    let files = |me: &mut Person, line: &str| offered(me, line).iter().any(|word| word == ":files");
    for line in [
        "call work POST /x name@",
        "call work POST /x key=@a",
        "call work /x key==@",
        "call work /x -d @",
        "call work /x --output ",
        "call work /x --input=./",
    ] {
        assert!(files(&mut me, line), "{line}");
    }
    assert!(!files(&mut me, "call work /x -d a"));
}

#[test]
fn values_are_words_of_their_own_kind_and_files_come_only_where_a_file_goes() {
    let mut me = somebody();
    for (line, words) in [
        ("login --grant c", vec!["client-credentials", "ciba"]),
        ("login --store ", vec!["keychain", "file", "environment", "none", "pass", "vault"]),
        ("login --auth p", vec!["post", "private-key-jwt"]),
        ("login --response-mode q", vec!["query", "query.jwt"]),
        ("login --par=", vec!["--par=auto", "--par=true", "--par=false"]),
        ("token work --format e", vec!["env", "exec-credential"]),
        ("--error-format ", vec!["text", "json"]),
        ("login --provider getresponse --environment ", vec!["max"]),
        ("status work --environment ", vec!["max"]),
        ("provider show gr --environment ", vec!["max"]),
        ("login max --provider getresponse --environment max --var ", vec!["api_host=", "domain="]),
        (
            "login work --environment max --var api_host=",
            vec!["api_host=api3.getresponse360.com", "api_host=api3.getresponse360.pl"],
        ),
        ("login home --scope contact", vec!["contact_data"]),
        ("login sandbox --scope off", vec!["offline_access"]),
        ("sandbox serve --as g", vec!["getresponse"]),
        ("completions ", vec!["bash", "elvish", "fish", "powershell", "zsh"]),
        ("profile set work sto", vec!["store"]),
        ("profile set work vars", vec!["vars."]),
        ("profile set work store k", vec!["keychain"]),
        ("profile set work dpop ", vec!["true", "false"]),
        ("profile set work client-secret.file ", vec![":files"]),
        ("login --client-secret-file ", vec![":files"]),
        ("login --client-key-file=", vec![":files"]),
        ("profile set-secret work ", vec![":files"]),
        ("sandbox run ", vec![":commands"]),
        ("helper git --profile work ", vec!["get", "store", "erase", "capability"]),
        ("run work -- ", vec![":commands"]),
        ("run work -- ls -", vec![":files"]),
        ("sandbox run ls -", vec![":files"]),
        ("login --timeout ", vec![]),
        ("login --client-id ", vec![]),
    ] {
        assert_eq!(offered(&mut me, line), words, "{line}");
    }
}

#[test]
fn commands_and_options_come_where_they_can_be_given() {
    let mut me = somebody();
    assert_eq!(offered(&mut me, "s"), ["store", "status", "sandbox"]);
    assert_eq!(offered(&mut me, "help profile re"), ["remove", "rename"]);
    assert_eq!(
        offered(&mut me, "help s"),
        ["store", "status", "sandbox", "sign-in", "ssh", "scripts", "storage", "store-programs"]
    );
    assert_eq!(offered(&mut me, "profile re"), ["remove", "rename"]);
    assert_eq!(offered(&mut me, "login --no-b"), ["--no-browser"]);
    assert!(offered(&mut me, "login --no-browser --no-b").is_empty(), "once is enough");
    assert_eq!(offered(&mut me, "login --scope a --sc"), ["--scope"], "this one may come again");
    assert_eq!(offered(&mut me, "call x /y --form --j"), ["--jq"], "`--json` excludes `--form`");
    assert!(offered(&mut me, "login -- --no").is_empty());
    // nothing is left but options
    assert!(offered(&mut me, "list ").iter().all(|word| word.starts_with("--")));
    let hidden = offered(&mut me, "");
    assert!(!hidden.iter().any(|word| word == "complete") && hidden.iter().any(|word| word == "login"), "{hidden:?}");
}

#[test]
fn a_broken_configuration_costs_its_own_names_alone() {
    let mut me = somebody();
    me.config("config.toml", "[profiles");
    me.config("providers/broken.toml", "id = ");
    assert_eq!(offered(&mut me, "provider show get"), ["getresponse"]);
    assert_eq!(offered(&mut me, "token get"), ["getresponse"]);
}

#[test]
fn every_value_is_of_a_kind_that_is_known() {
    // a value whose name is none of these gets nothing offered: say here that it should, or give it
    // words
    let free = [
        "ADDRESS",
        "ARN",
        "CREDENTIAL=PROFILE",
        "DATA",
        "EXPR",
        "ID",
        "JSON",
        "LINE",
        "LOCALES",
        "METHOD",
        "MODE",
        "MILLISECONDS",
        "N",
        "NAME",
        "NAME=VALUE",
        "NONCE",
        "PORT",
        "PORTS",
        "REGION",
        "SECONDS",
        "TEXT",
        "TIME",
        "URL",
        "VALUES",
        "VAR[=PROFILE]",
        "RECIPIENT",
    ];
    let offered_by_name = [
        "PROFILE",
        "TOKEN|-|PROFILE",
        "PROVIDER",
        "ENVIRONMENT",
        "SCOPE",
        "PRESET",
        "FILE",
        "COMMAND",
        "HOST",
        "HOST[:PORT]",
        "SERVICE",
        "USERNAME",
        "OPERATION",
        "KEY",
        "VALUE",
        "TYPE",
        "AUDIENCE",
        "WORDS",
        "RULE",
        "N[=PROFILE]",
        "WORD",
    ];
    let mut me = Person::new();
    let page = me.types("man").out;
    let named = page.split("\\fI").skip(1).filter_map(|rest| rest.split("\\fR").next());
    let mut names: Vec<String> = named.map(|name| name.replace("\\-", "-")).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let words =
            ["COMMAND", "OPTION", "WORD", "GRANT", "STORE", "WHEN", "FORMAT", "SHELL", "MODE", "OUTPUT", "SOURCE"];
        let known = [&free[..], &offered_by_name[..], &words[..]].concat();
        assert!(known.contains(&name.as_str()), "{name}");
    }
}
