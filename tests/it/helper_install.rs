//! `helper install`, `uninstall` and `list`: what they write into the files of other programs, and
//! that it is taken back byte for byte. `tests/real/helpers.py` has the programs read it.

#![cfg(unix)]

use std::path::Path;

use crate::helper::signed_in;
use crate::world::{Output, Person};

const HOSTS: &str = "helper-hosts = [\"git.example\", \"b.example:8443\", \"iam.googleapis.com\"]";

fn prepared() -> Person {
    let (mut me, _server) = signed_in(HOSTS);
    let bin = me.path(".local/bin");
    me.set("PATH", &format!("/usr/bin:{}", bin.display()));
    me
}

fn text(me: &Person, file: &str) -> Option<String> {
    std::fs::read_to_string(me.path(file)).ok()
}

fn put(me: &Person, file: &str, text: &str) {
    let path = me.path(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn done(me: &mut Person, line: &str) -> Output {
    let done = me.types(line);
    assert_eq!(done.code, 0, "{line}: {}", done.err);
    done
}

/// All files below the home, but those of the program's own folders.
fn others(me: &Person) -> Vec<(String, Vec<u8>)> {
    fn below(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.display().to_string();
            if path.is_dir() {
                if !name.ends_with("/oauthctl") {
                    found.push((format!("{name}/"), Vec::new()));
                    below(&path, found);
                }
            } else {
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    below(&me.path(""), &mut found);
    found.sort();
    found
}

/// Tool and options; its file; the file before; what is added at the end, or the whole text after.
const TOOLS: &[(&str, &str, &str, &str)] = &[
    (
        "git --host b.example:8443",
        ".gitconfig",
        "[user]\n\tname = Ann",
        "[user]\n\tname = Ann\n[credential \"https://b.example:8443\"]\n\thelper =\n\t\
         helper = \"!/usr/bin/oauthctl helper git --profile work\"\n",
    ),
    (
        "docker",
        ".docker/config.json",
        "{\n\t\"auths\": {\n\t\t\"a.example\": {}\n\t},\n\t\"credHelpers\": {\n\t\t\"a.example\": \"ecr\"\n\t}\n}",
        "{\n\t\"auths\": {\n\t\t\"a.example\": {}\n\t},\n\t\"credHelpers\": {\n\t\t\"a.example\": \"ecr\",\n\t\t\
         \"git.example\": \"oauthctl-git.example\",\n\t\t\"b.example:8443\": \"oauthctl-b.example_8443\",\n\t\t\
         \"iam.googleapis.com\": \"oauthctl-iam.googleapis.com\"\n\t}\n}",
    ),
    (
        "cargo",
        ".cargo/config.toml",
        "# mine\n[registry]\ndefault = \"x\" # why\n\n[net]\noffline=true\n",
        "# mine\n[registry]\ndefault = \"x\" # why\nglobal-credential-providers = [\"cargo:token\", \"oauthctl-work\"]\n\n\
         [net]\noffline=true\n\n[credential-alias]\n\
         oauthctl-work = [\"/usr/bin/oauthctl\", \"helper\", \"cargo\", \"--profile\", \"work\"]\n",
    ),
    (
        "kubectl -- --access-token",
        ".kube/config",
        "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user: {}\ncontexts: []\n",
        "apiVersion: v1\nkind: Config\nusers:\n- name: oauthctl-work\n  user:\n    exec:\n      \
         apiVersion: client.authentication.k8s.io/v1\n      args:\n      - helper\n      - kubectl\n      - --profile\n      \
         - work\n      - --access-token\n      command: /usr/bin/oauthctl\n      env: null\n      interactiveMode: Never\n      \
         provideClusterInfo: true\n- name: a\n  user: {}\ncontexts: []\n",
    ),
    (
        "goauth",
        "config/go/env",
        "GOPROXY=https://a.example\nGOAUTH=git /home/ann\n",
        "GOPROXY=https://a.example\nGOAUTH=/usr/bin/oauthctl helper goauth --profile work;git /home/ann\n",
    ),
    (
        "pnpm --host git.example",
        ".npmrc",
        "a=b\n",
        "a=b\n//git.example/:tokenHelper=HOME/config/oauthctl/helpers/pnpm-git.example\n",
    ),
    ("terraform", ".terraformrc", "a = {}\n", "a = {}\ncredentials_helper \"oauthctl\" {}\n"),
    (
        "bazel --host b.example:8443",
        ".bazelrc",
        "build -c opt\n",
        "build -c opt\ncommon --credential_helper=b.example=HOME/config/oauthctl/helpers/bazel-b.example_8443\n",
    ),
    (
        "aws -- --region eu-west-1 --role-arn arn:aws:iam::1:role/a",
        ".aws/config",
        "[default]\nregion = x",
        "[default]\nregion = x\n[profile work]\ncredential_process = /usr/bin/oauthctl helper aws --profile work \
         --region eu-west-1 --role-arn arn:aws:iam::1:role/a\n",
    ),
];

#[test]
fn each_helper_is_written_and_taken_back_byte_for_byte() {
    for (words, file, before, after) in TOOLS {
        let mut me = prepared();
        let home = me.path("").display().to_string();
        let after = after.replace("HOME", home.trim_end_matches('/'));
        let tool = words.split(' ').next().unwrap();
        put(&me, file, before);
        let was = others(&me);
        let (name, options) =
            words.split_once(" -- ").map_or((*words, String::new()), |(a, b)| (a, format!(" -- {b}")));
        let line = format!("helper install {name} --profile work --yes{options}");
        done(&mut me, &line);
        assert_eq!(text(&me, file).as_deref(), Some(&*after), "{tool}");
        let again = done(&mut me, &line);
        assert_eq!(again.err, format!("the helper is installed for {tool} already: nothing is changed\n"));
        let listed = done(&mut me, "helper list");
        assert!(listed.out.contains(tool) && listed.out.contains("  installed"), "{}", listed.out);
        // something else is written there
        if *tool != *"docker" {
            put(&me, file, &format!("{after}\n# later\n"));
        }
        done(&mut me, &format!("helper uninstall {tool} --yes"));
        if *tool != *"docker" {
            let mut put_back = text(&me, file).unwrap();
            assert!(put_back.ends_with("\n# later\n"), "{tool}: {put_back}");
            put_back.truncate(put_back.len() - "\n# later\n".len());
            put(&me, file, &put_back);
        }
        assert_eq!(others(&me), was, "{tool}");
        assert_eq!(done(&mut me, "helper list --format json").out, "[]\n", "{tool}");

        // no file was there
        std::fs::remove_file(me.path(file)).unwrap();
        let was = others(&me);
        done(&mut me, &line);
        done(&mut me, &format!("helper uninstall {tool} --yes"));
        assert_eq!(others(&me), was, "{tool}");
    }
}

#[test]
fn a_file_with_line_ends_of_windows_keeps_them() {
    for (words, file, before) in [
        ("cargo", ".cargo/config.toml", "[net]\r\noffline = true # yes\r\n"),
        ("git", ".gitconfig", "[user]\r\n\tname = Ann\r\n"),
        ("goauth", "config/go/env", "A=b\r\n"),
    ] {
        let mut me = prepared();
        put(&me, file, before);
        done(&mut me, &format!("helper install {words} --profile work --yes"));
        let after = text(&me, file).unwrap();
        assert!(after.starts_with(before) && after.replace("\r\n", "").find('\n').is_none(), "{after:?}");
        done(&mut me, &format!("helper uninstall {words} --yes"));
        assert_eq!(text(&me, file).as_deref(), Some(before), "{words}");
    }
}

#[test]
fn cargo_reads_its_older_file_in_the_place_of_the_newer() {
    let mut me = prepared();
    put(&me, ".cargo/config", "[net]\n");
    put(&me, ".cargo/config.toml", "[net]\n");
    done(&mut me, "helper install cargo --profile work --yes");
    assert!(text(&me, ".cargo/config").unwrap().contains("oauthctl-work"));
    assert_eq!(text(&me, ".cargo/config.toml").as_deref(), Some("[net]\n"));
}

#[test]
fn a_profile_with_a_blank_has_a_word_of_its_own_in_each_file() {
    for (words, file, has) in [
        ("cargo", ".cargo/config.toml", "\"oauthctl-wo-rk\"]"),
        ("kubectl", ".kube/config", "- name: oauthctl-wo-rk\n"),
        ("aws -- --region r --role-arn a", ".aws/config", "[profile wo-rk]\n"),
        ("systemd", "config/systemd/user/oauthctl@.service", "'wo-rk=wo rk'"),
    ] {
        let mut me = prepared();
        let config = me.config_text();
        me.config(
            "config.toml",
            &format!("{config}\n[profiles.\"wo rk\"]\nprovider = \"acme\"\n[profiles.wo-rk]\nprovider = \"acme\"\n"),
        );
        let (tool, options) = words.split_once(" -- ").unwrap_or((words, ""));
        let mut line = vec!["helper", "install", tool, "--profile", "wo rk", "--yes", "--"];
        line.extend(options.split_whitespace());
        let said = me.runs(&line);
        assert_eq!(said.code, 0, "{words}: {}", said.err);
        let written = text(&me, file).unwrap();
        assert!(written.contains(has), "{words}: {written}");
        line[4] = "wo-rk";
        let refused = me.runs(&line);
        assert!(
            refused.code == 2 && refused.err.contains("has a helper of this name already"),
            "{words}: {}",
            refused.err
        );
    }
}

#[test]
fn the_file_is_the_one_that_the_tools_own_variable_names() {
    for (variable, below, words) in [
        ("GIT_CONFIG_GLOBAL", "", "git"),
        ("DOCKER_CONFIG", "config.json", "docker"),
        ("CARGO_HOME", "config.toml", "cargo"),
        ("KUBECONFIG", "", "kubectl"),
        ("GOENV", "", "goauth"),
        ("NPM_CONFIG_USERCONFIG", "", "pnpm"),
        ("TF_CLI_CONFIG_FILE", "", "terraform"),
        ("AWS_CONFIG_FILE", "", "aws"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "", "google --host //iam.googleapis.com/projects/1"),
    ] {
        let mut me = prepared();
        let place = me.path("elsewhere/x").display().to_string();
        let list = if variable == "KUBECONFIG" { format!("{place}:/b") } else { place };
        me.set(variable, &list);
        let more = if words == "aws" { " -- --region eu-west-1 --role-arn arn" } else { "" };
        done(&mut me, &format!("helper install {words} --profile work --yes{more}"));
        let file = format!("elsewhere/x/{below}");
        let written = text(&me, file.trim_end_matches('/')).unwrap_or_default();
        assert!(written.contains("oauthctl"), "{variable}: {written}");
        done(&mut me, &format!("helper uninstall {} --yes", words.split(' ').next().unwrap()));
        assert!(!me.path("elsewhere").exists(), "{variable}");
        me.set(variable, "relative");
        let refused = me.types(&format!("helper install {words} --profile work --yes{more}"));
        assert!(
            refused.code == 2 && refused.err.contains(&format!("the variable {variable} is no absolute path")),
            "{}",
            refused.err
        );
    }
}

#[test]
fn the_change_is_shown_and_made_after_a_question() {
    let mut me = prepared();
    put(&me, ".gitconfig", "[user]\n\tname = Ann\n");
    let was = others(&me);
    let line = "helper install git --host git.example";
    let lines = "~/.gitconfig:\n+ [credential \"https://git.example\"]\n+     helper =\n+     helper = \"!/usr/bin/oauthctl helper git\"\n";
    let refused = me.types(line);
    refused.is(
        2,
        "",
        &format!("{lines}error: nothing is changed: there is no terminal to ask at\nhint: `--yes` changes it\n"),
    );
    let said = me.at_a_terminal().answers("n").types(line);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.starts_with(lines) && said.err.contains("Change it? [Y/n]: "), "{}", said.err);
    assert_eq!(others(&me), was);
    let said = me.at_a_terminal().answers("y").types(line);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.ends_with("git: the helper is installed\n"), "{}", said.err);
    let gone = "~/.gitconfig:\n- [credential \"https://git.example\"]\n-     helper =\n-     helper = \"!/usr/bin/oauthctl helper git\"\n";
    let said = me.at_a_terminal().answers("").types("helper uninstall git");
    assert!(said.code == 0 && said.err.starts_with(gone), "{}", said.err);
    assert_eq!(others(&me), was);
    done(&mut me, "helper uninstall git").is(0, "", "no such helper was installed for git: nothing is changed\n");
}

#[test]
fn no_helper_is_installed_for_a_host_that_is_not_the_profiles() {
    let mut me = prepared();
    let was = others(&me);
    for (words, code, why) in [
        ("git --profile work --host evil.example", 7, "no helper may give a token to https://evil.example"),
        ("git --host evil.example", 7, "no profile is for https://evil.example"),
        ("docker --profile work --host git.example:8443", 7, "is no service of `work`"),
        ("google --profile work --host //evil.example/x", 7, "is no service of `work`"),
        ("docker --profile work --host smtp://git.example:465", 2, "is no host for docker"),
        ("git --profile work --host *", 2, "is no host for git"),
        ("git --profile nobody", 2, "there is no profile and no provider called `nobody`"),
        ("cargo --profile nobody", 2, "nobody"),
        ("git", 2, "no host is named that git is to get a token for"),
        ("cargo --profile work --host git.example", 2, "leave `--host` out"),
        ("google --profile work", 2, "one `--host` names the audience"),
        ("systemd", 2, "`--profile` says whose token units get"),
        ("aws --profile work", 2, "--role-arn"),
        ("git --profile work -- --usrname x", 2, "is no command line"),
        ("git --profile work -- get", 2, "is no command line"),
        ("nothing", 2, "nothing"),
    ] {
        let done = me.types(&format!("helper install --yes {words}"));
        assert!(done.code == code && done.err.contains(why), "{words}: {} {}", done.code, done.err);
        assert_eq!(others(&me), was, "{words}");
    }
}

#[test]
fn a_tool_has_helpers_for_several_hosts_and_profiles_and_each_goes_by_itself() {
    let mut me = prepared();
    let config = me.config_text();
    me.config(
        "config.toml",
        &format!("{config}\n[profiles.two]\nprovider = \"acme\"\nhelper-hosts = [\"two.example\"]\n"),
    );
    let was = others(&me);
    done(&mut me, "helper install docker --profile work --host git.example --yes");
    let one = others(&me);
    done(&mut me, "helper install docker --profile two --yes -- --username x");
    let config = text(&me, ".docker/config.json").unwrap();
    assert!(
        config.contains("\"git.example\": \"oauthctl-git.example\",\n\t\t\"two.example\": \"oauthctl-two.example\""),
        "{config}"
    );
    let script = text(&me, ".local/bin/docker-credential-oauthctl-two.example").unwrap();
    assert_eq!(script, "#!/bin/sh\nexec /usr/bin/oauthctl helper docker --profile two --username x \"$@\"\n");
    let refused = me.types("helper install docker --host two.example --yes");
    assert!(
        refused.code == 2 && refused.err.contains("docker has a helper already, for `two` at https://two.example"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("oauthctl helper uninstall docker --host https://two.example"), "{}", refused.err);
    let listed = done(&mut me, "helper list");
    assert_eq!(listed.out.lines().count(), 3, "{}", listed.out);
    done(&mut me, "helper uninstall docker --host two.example --yes");
    assert_eq!(others(&me), one);
    done(&mut me, "helper install docker --profile two --yes");
    done(&mut me, "helper uninstall docker --profile work --yes");
    assert!(!text(&me, ".docker/config.json").unwrap().contains("git.example"));
    // docker writes its file anew, with a member of its own
    let config = text(&me, ".docker/config.json").unwrap();
    let anew = config.replace("\"auths\": {}", "\"auths\": {\n\t\t\"a.example\": {}\n\t}").trim_end().to_owned();
    put(&me, ".docker/config.json", &anew);
    assert!(done(&mut me, "helper list").out.contains("  installed"));
    done(&mut me, "helper uninstall docker --yes");
    assert_eq!(text(&me, ".docker/config.json").unwrap(), "{\n\t\"auths\": {\n\t\t\"a.example\": {}\n\t}\n}");
    std::fs::remove_dir_all(me.path(".docker")).unwrap();
    assert_eq!(others(&me), was);
    // one alone
    done(&mut me, "helper install terraform --profile work --yes");
    assert_eq!(me.types("helper install terraform --profile two --yes").code, 2);
}

#[test]
fn whole_files_of_a_helper_replace_no_other() {
    let mut me = prepared();
    let was = others(&me);
    let google = "helper install google --profile work --host //iam.googleapis.com/projects/1 --yes";
    for (install, file, has) in [
        (
            google,
            "config/gcloud/application_default_credentials.json",
            "\"command\": \"/usr/bin/oauthctl helper google --profile work\"",
        ),
        (
            "helper install systemd --profile work --yes",
            "config/systemd/user/oauthctl@.service",
            "ExecStart=/usr/bin/oauthctl helper systemd work=work\n",
        ),
        (
            "helper install keyring --yes",
            ".local/bin/keyring",
            "#!/bin/sh\nexec /usr/bin/oauthctl helper keyring \"$@\"\n",
        ),
    ] {
        let tool = install.split(' ').nth(2).unwrap();
        done(&mut me, install);
        let written = text(&me, file).unwrap();
        assert!(written.contains(has), "{tool}: {written}");
        // changed by the person: it stays, and that is told
        put(&me, file, "mine\n");
        assert!(done(&mut me, "helper list").out.contains("changed since"), "{tool}");
        let told = done(&mut me, &format!("helper uninstall {tool} --yes"));
        assert!(told.err.contains("not found, since it was changed after it was written"), "{tool}: {}", told.err);
        assert_eq!(text(&me, file).as_deref(), Some("mine\n"), "{tool}");
        let refused = me.types(install);
        assert!(refused.code == 2 && refused.err.contains("already"), "{tool}: {}", refused.err);
        std::fs::remove_file(me.path(file)).unwrap();
        done(&mut me, install);
        done(&mut me, &format!("helper uninstall {tool} --yes"));
        let folders = others(&me);
        let more: Vec<_> = folders.iter().filter(|entry| !was.contains(entry)).collect();
        assert!(more.iter().all(|(name, _)| name.ends_with('/')), "{tool}: {more:?}");
    }
    me.set("PATH", "/usr/bin");
    let refused = me.types("helper install keyring --yes");
    assert!(refused.code == 2 && refused.err.contains("no folder of PATH is yours"), "{}", refused.err);
    assert!(refused.err.contains("hint: add one to PATH, `~/.local/bin` for example"), "{}", refused.err);
    // a link to nothing is the person's too
    let mut me = prepared();
    std::fs::create_dir_all(me.path(".local/bin")).unwrap();
    std::os::unix::fs::symlink("nowhere", me.path(".local/bin/keyring")).unwrap();
    let refused = me.types("helper install keyring --yes");
    assert!(refused.code == 2 && refused.err.contains("is there already"), "{}", refused.err);
}

#[test]
fn what_cannot_be_changed_safely_stays() {
    for (words, file, before, why) in [
        ("docker", ".docker/config.json", "[]", "it is no JSON object"),
        ("docker", ".docker/config.json", "{\"credHelpers\": {\"git.example\": \"ecr\"}}", "has `git.example` already"),
        ("cargo", ".cargo/config.toml", "registry = 1\n", "its `registry` is no table"),
        ("cargo", ".cargo/config.toml", "[", "it is not TOML"),
        ("cargo", ".cargo/config.toml", "a = 1\r\nb = 2\n", "line ends of two kinds"),
        ("kubectl", ".kube/config", "{\"users\": []}", "it is JSON"),
        ("kubectl", ".kube/config", "kind: [\n", "line 1: a bracket doesn't end in its line"),
        ("kubectl", ".kube/config", "a: 1\n---\nb: 1\n", "line 2: it has several documents"),
        ("git", ".gitconfig", "[user]\n\tname = A \\\n", "line 2: a `\\` at its end"),
        ("git", ".gitconfig", "[user]\n\tname = \"A\n", "line 2: a quote doesn't end"),
        ("git", ".gitconfig", "[user", "line 1: the header of a section doesn't end"),
        ("goauth", "config/go/env", "GOAUTH=off\n", "its GOAUTH is `off`"),
        ("kubectl", ".kube/config", "users:\n- name: oauthctl-work\n", "it has a user `oauthctl-work` already"),
        ("terraform", ".terraformrc", "credentials_helper \"x\" {}\n", "takes one alone"),
        ("aws -- --region r --role-arn a", ".aws/config", "[profile work]\n", "it has `[profile work]` already"),
    ] {
        let mut me = prepared();
        put(&me, file, before);
        let (tool, options) = words.split_once(" -- ").unwrap_or((words, ""));
        let was = others(&me);
        let done = me.types(&format!("helper install {tool} --profile work --yes -- {options}"));
        assert!(done.code == 2 && done.err.contains(why), "{words}: {}", done.err);
        assert_eq!(others(&me), was, "{words}");
    }
    // the lines were changed: nothing is written over them
    let mut me = prepared();
    done(&mut me, "helper install git --profile work --host git.example --yes");
    put(&me, ".gitconfig", "[credential \"https://git.example\"]\n\thelper = store\n");
    let refused = me.types("helper install git --profile work --host b.example:8443 --yes");
    assert!(
        refused.code == 2 && refused.err.contains("its lines there were changed since they were written"),
        "{}",
        refused.err
    );
    done(&mut me, "helper uninstall git --yes");
    assert_eq!(text(&me, ".gitconfig").as_deref(), Some("[credential \"https://git.example\"]\n\thelper = store\n"));
}

/// Tool; its file; the file before; what happens to the file that has the helper; what is left.
type Meanwhile = fn(&str) -> String;
const ANEW: &[(&str, &str, &str, Meanwhile, &str)] = &[
    (
        "docker --host git.example",
        ".docker/config.json",
        "{\"auths\":{},\"credHelpers\":{\"a.example\":\"ecr\"}}",
        |_| {
            "{\n\t\"credHelpers\": {\n\t\t\"git.example\": \"oauthctl-git.example\",\n\t\t\"a.example\": \"ecr\"\n\t},\n\t\"x\": 1\n}".to_owned()
        },
        "{\n\t\"credHelpers\": {\n\t\t\"a.example\": \"ecr\"\n\t},\n\t\"x\": 1\n}",
    ),
    (
        "git --host git.example",
        ".gitconfig",
        "[alias]\n\tx = log\n",
        |text| format!("{text}\tusername = bob\n"),
        "[alias]\n\tx = log\n[credential \"https://git.example\"]\n\tusername = bob\n",
    ),
    (
        "git",
        ".gitconfig",
        "",
        |text| {
            text.replacen("\thelper =\n", "\thelper =\n\tuseHttpPath = true\n", 1).replace("helper =\n", "helper = \n")
        },
        "[credential \"https://git.example\"]\n\tuseHttpPath = true\n",
    ),
    (
        "aws -- --region r --role-arn a",
        ".aws/config",
        "[default]\nregion = x\n",
        |text| format!("{text}output = json\n"),
        "[default]\nregion = x\n[profile work]\noutput = json\n",
    ),
    (
        "cargo",
        ".cargo/config.toml",
        "[net]\noffline = true\n",
        |text| format!("{text}other = [\"x\"]\n").replace("[\"cargo:token\", ", "[ \"cargo:token\", \"other\", "),
        "[net]\noffline = true\n\n[registry]\nglobal-credential-providers = [ \"cargo:token\", \"other\"]\n\n\
         [credential-alias]\nother = [\"x\"]\n",
    ),
    (
        "kubectl",
        ".kube/config",
        "apiVersion: v1\nkind: Config\n",
        |text| {
            format!("{text}- name: b\n  user: {{}}\n").replace("interactiveMode: Never", "interactiveMode: IfAvailable")
        },
        "apiVersion: v1\nkind: Config\nusers:\n- name: b\n  user: {}\n",
    ),
    ("goauth", "config/go/env", "", |text| text.replace("netrc", "git /x"), "GOAUTH=git /x\n"),
    ("pnpm --host git.example", ".npmrc", "a=b\n", |text| text.replace('=', " = "), "a = b\n"),
    ("terraform", ".terraformrc", "", |text| format!("a = {{}}\n{}", text.replace(" {}", "  { }")), "a = {}\n"),
    ("bazel --host git.example", ".bazelrc", "", |text| format!("a\n{}", text.replace("common ", "common  ")), "a\n"),
];

#[test]
fn where_the_file_was_laid_out_anew_the_entry_goes_by_what_it_means() {
    for (words, file, before, meanwhile, left) in ANEW {
        let mut me = prepared();
        let (name, options) = words.split_once(" -- ").unwrap_or((words, ""));
        let tool = name.split(' ').next().unwrap();
        put(&me, file, before);
        done(&mut me, &format!("helper install {name} --profile work --yes -- {options}"));
        put(&me, file, &meanwhile(&text(&me, file).unwrap()));
        assert!(done(&mut me, "helper list").out.contains("  installed"), "{words}");
        let told = done(&mut me, &format!("helper uninstall {tool} --yes"));
        assert!(!told.err.contains("not found"), "{words}: {}", told.err);
        assert_eq!(text(&me, file).as_deref(), Some(*left), "{words}");
        assert_eq!(done(&mut me, "helper list --format json").out, "[]\n", "{words}");
        let again = me.types(&format!("helper install {name} --profile work --yes -- {options}"));
        // aws reads no second section of a name
        assert_eq!(again.code, if tool == "aws" { 2 } else { 0 }, "{words}: {}", again.err);
    }
}

#[test]
fn where_an_entry_stays_the_record_and_the_script_stay_and_the_line_is_told() {
    for (words, file, spoiled, line) in [
        (
            "docker --host git.example",
            ".docker/config.json",
            "{\n\"credHelpers\": {\n\"git.example\": \"oauthctl-git.example\",}}",
            "hint: line 3: \"git.example\": \"oauthctl-git.example\",}}\n",
        ),
        (
            "kubectl",
            ".kube/config",
            "users: [{name: oauthctl-work}]\n",
            "hint: line 1: users: [{name: oauthctl-work}]\n",
        ),
        ("cargo", ".cargo/config.toml", "[\na = \"oauthctl-work\"\n", "hint: line 2: a = \"oauthctl-work\"\n"),
        (
            "git --host git.example",
            ".gitconfig",
            "[credential \"https://git.example\"] helper = \"!/usr/bin/oauthctl helper git\"\n",
            "hint: line 1: [credential \"https://git.example\"] helper",
        ),
        ("terraform", ".terraformrc", "credentials_helper \"oauthctl\" {\n}\n", "hint: line 1: credentials_helper"),
    ] {
        let mut me = prepared();
        let tool = words.split(' ').next().unwrap();
        done(&mut me, &format!("helper install {words} --profile work --yes"));
        put(&me, file, spoiled);
        let was = others(&me);
        let refused = me.types(&format!("helper uninstall {tool} --yes"));
        assert!(refused.code == 2 && refused.err.contains(line), "{words}: {}", refused.err);
        assert!(refused.err.contains(&format!("then: oauthctl helper uninstall {tool}")), "{words}: {}", refused.err);
        assert_eq!(others(&me), was, "{words}");
        assert!(done(&mut me, "helper list").out.contains("  changed since"), "{words}");
        // the person deletes it
        put(&me, file, "");
        done(&mut me, &format!("helper uninstall {tool} --yes"));
        assert_eq!(done(&mut me, "helper list --format json").out, "[]\n", "{words}");
    }
}

#[test]
fn a_file_that_the_tool_has_locked_is_not_written() {
    for (words, file) in [("git", ".gitconfig"), ("kubectl", "made/config")] {
        let mut me = prepared();
        let config = me.path("made/config").display().to_string();
        me.set("KUBECONFIG", &config);
        let lock = format!("{file}.lock");
        put(&me, &lock, "theirs");
        let was = others(&me);
        let line = format!("helper install {words} --profile work --yes");
        let refused = me.types(&line);
        assert!(
            refused.code == 1 && refused.err.contains(&format!("so {words} writes it")),
            "{words}: {}",
            refused.err
        );
        assert!(refused.err.contains("hint: type it again"), "{words}: {}", refused.err);
        assert_eq!(others(&me), was, "{words}");
        std::fs::remove_file(me.path(&lock)).unwrap();
        let was = others(&me);
        done(&mut me, &line);
        assert!(text(&me, file).unwrap().contains("oauthctl") && text(&me, &lock).is_none(), "{words}");
        put(&me, &lock, "theirs");
        assert_eq!(me.types(&format!("helper uninstall {words} --yes")).code, 1, "{words}");
        assert!(done(&mut me, "helper list").out.contains("  installed"), "{words}");
        std::fs::remove_file(me.path(&lock)).unwrap();
        done(&mut me, &format!("helper uninstall {words} --yes"));
        assert_eq!(others(&me), was, "{words}");
    }
}

#[test]
fn a_helper_of_a_profile_that_is_renamed_or_removed_is_told() {
    let mut me = prepared();
    done(&mut me, "helper install cargo --profile work --yes");
    let told = done(&mut me, "profile rename work office");
    let warned = "the helper of cargo still names `work`: oauthctl helper uninstall cargo --profile work";
    assert!(told.err.contains(warned), "{}", told.err);
    assert!(done(&mut me, "helper list").out.contains("  no such profile"));
    done(&mut me, "helper uninstall cargo --profile work --yes");
    done(&mut me, "helper install cargo --profile office --yes");
    let told = done(&mut me, "profile remove office");
    assert!(told.err.contains(&warned.replace("work", "office")), "{}", told.err);
}

#[test]
fn contexts_that_name_the_user_that_goes_are_told() {
    let mut me = prepared();
    done(&mut me, "helper install kubectl --profile work --yes");
    let config = text(&me, ".kube/config").unwrap();
    put(&me, ".kube/config", &format!("{config}contexts:\n- context:\n    user: oauthctl-work\n  name: x\n"));
    let told = done(&mut me, "helper uninstall kubectl --yes");
    let warned = "line 5 of `~/.kube/config` still names it: `user: oauthctl-work`";
    assert!(told.err.contains(warned), "{}\n{}", told.err, text(&me, ".kube/config").unwrap());
}
