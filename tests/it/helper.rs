//! `helper`: what the tools' own protocols get, and for which hosts. `tests/real/helpers.py` runs
//! the tools themselves.

use oauthctl::protocol::jose::base64url;
use serde_json::json;

use crate::world::{Odd, Output, Person, START, answer};

const GIT: &str = "protocol=https\nhost=git.example\n\n";

/// Signed in as `work` at a server that numbers its tokens; `more` is what the profile says beside.
pub fn signed_in(more: &str) -> (Person, Odd) {
    let mut me = Person::new();
    let count = std::sync::atomic::AtomicUsize::new(0);
    let server = me.odd("acme", move |_| {
        let number = 1 + count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let body = json!({
            "access_token": format!("access-{number}"), "refresh_token": format!("refresh-{number}"),
            "token_type": "Bearer", "expires_in": 600,
        });
        answer(200, "application/json", &body.to_string())
    });
    me.config("providers/acme.toml", &server.provider("acme").replace("[api]", "[refresh]\nrotates = \"yes\"\n[api]"));
    me.config("config.toml", &format!("[profiles.work]\nprovider = \"acme\"\nclient-id = \"app\"\n{more}\n"));
    me.answers("ann").answers_hidden("a-password-0123");
    let done = me.types("login work --grant password");
    assert_eq!(done.code, 0, "{}", done.err);
    (me, server)
}

/// The login brought an ID token too.
pub fn with_id_token(me: &Person) -> String {
    with_id_token_of(me, "work")
}

pub fn with_id_token_of(me: &Person, profile: &str) -> String {
    let claims = base64url(json!({ "exp": START + 300 }).to_string());
    let token = format!("{}.{claims}.c2ln", base64url(r#"{"alg":"RS256"}"#));
    me.tamper(profile, |record| record["token"]["id_token"] = json!(token));
    token
}

fn git(me: &mut Person, line: &str, asks: &str) -> Output {
    me.stdin(asks).types(&format!("helper git {line}"))
}

fn says_basic(token: &str) -> String {
    format!("username=oauth2\npassword={token}\npassword_expiry_utc={}\n", START + 600)
}

#[test]
fn git_gets_the_token_for_the_api_and_for_the_hosts_that_the_profile_names() {
    let (mut me, server) = signed_in("helper-hosts = [\"git.example\", \"smtp://mail.example:465\"]");
    let api = server.base.strip_prefix("http://").unwrap().to_owned();
    for asks in [
        GIT.to_owned(),
        "protocol=https\nhost=GIT.example:443\npath=a.git\nnew=thing\n".to_owned(),
        format!("protocol=http\nhost={api}\n\nprotocol=https\nhost=evil.example\n"),
    ] {
        git(&mut me, "get", &asks).is(0, &says_basic("access-1"), "");
        git(&mut me, "--profile work get", &asks).is(0, &says_basic("access-1"), "");
    }
    let done = git(&mut me, "get", "protocol=smtp\nhost=mail.example:465\nusername=ann@mail.example\n");
    done.is(0, &says_basic("access-1").replace("oauth2", "ann@mail.example"), "");
    let done = git(&mut me, "--username x-token-auth get", GIT);
    done.is(0, &says_basic("access-1").replace("oauth2", "x-token-auth"), "");
    assert_eq!(server.asked(), 1, "a fresh token needs no request");

    for (protocol, host) in [
        ("https", "evil.example"),
        ("https", "git.example.evil.example"),
        ("https", "sub.git.example"),
        ("https", "git.example:8443"),
        ("https", "git.example."),
        ("smtp", "mail.example"),
        ("smtp", "mail.example:587"),
        ("imaps", "mail.example:465"),
        ("https", "mail.example:465"),
        ("https", &api),
    ] {
        let asks = format!("protocol={protocol}\nhost={host}\n");
        let done = git(&mut me, "get", &asks);
        assert_eq!((done.code, &*done.out), (0, ""), "{host}");
        assert!(done.err.starts_with(&format!("no profile is for {protocol}://")), "{host}: {}", done.err);
        let done = git(&mut me, "--profile work get", &asks);
        assert_eq!((done.code, &*done.out), (0, ""), "{host}");
        assert!(done.err.contains("is no service of `work`: no token is given"), "{host}: {}", done.err);
    }
    me.set("OAUTHCTL_PROFILE", "work");
    let done = git(&mut me, "get", "protocol=https\nhost=evil.example\n");
    done.is(
        0,
        "",
        "https://evil.example is no service of `work`: no token is given\n\
         if it is one of yours: oauthctl profile set work helper-hosts 'git.example smtp://mail.example:465 https://evil.example'\n",
    );
    // the host of another profile gets that one's token
    let text = me.config_text();
    me.config(
        "config.toml",
        &format!("{text}\n[profiles.two]\nprovider = \"acme\"\nhelper-hosts = [\"two.example\"]\n"),
    );
    me.set("OAUTHCTL_PROFILE", "two");
    git(&mut me, "get", GIT).is(0, &says_basic("access-1"), "");
    me.set("OAUTHCTL_PROFILE", "work");
    for (asks, code, why) in [
        ("protocol=http\nhost=git.example\n", 0, "a token goes over `https`, `imaps` and `smtp` alone"),
        ("protocol=ssh\nhost=git.example\n", 0, "a token goes over `https`, `imaps` and `smtp` alone"),
        ("protocol=https\nhost=ann@git.example\n", 0, "it is no host"),
        ("protocol=https\nhost=git.example\r\n", 0, "it is no host"),
        ("protocol=https\nhost=git.example/evil\n", 0, "it is no host"),
        ("protocol=https\n", 0, "it is no host"),
        ("nonsense\n", 2, "a line of git's request is no `key=value`"),
    ] {
        let done = git(&mut me, "get", asks);
        assert!(done.code == code && done.out.is_empty() && done.err.contains(why), "{asks}: {}", done.err);
    }
    // an empty name is none, and one with a line end would be two lines
    for name in ["", "bob\r"] {
        let asks = format!("protocol=https\nhost=git.example\nusername={name}\n");
        git(&mut me, "get", &asks).is(0, &says_basic("access-1"), "");
    }
    for (words, says) in [
        (["helper", "git", "--username", "a\npassword=b", "get"], "it must be one line"),
        (["profile", "set", "work", "helper-hosts", "*.git.example"], "it is no host"),
        (["profile", "set", "work", "helper-hosts", "*"], "it is no host"),
    ] {
        let done = me.runs(&words);
        assert!(done.code == 2 && done.out.is_empty() && done.err.contains(says), "{words:?}: {}", done.err);
    }
}

#[test]
fn a_runner_masks_the_token_and_what_each_tool_makes_of_it() {
    let (mut me, _server) = signed_in("helper-hosts = [\"git.example\"]");
    const ANN: &str = "::add-mask::YW5uOmFjY2Vzcy0x\n";
    const OAUTH2: &str = "::add-mask::b2F1dGgyOmFjY2Vzcy0x\n";
    for (line, stdin, basic) in [
        ("helper git get", GIT, OAUTH2),
        ("helper git --username ann get", GIT, ANN),
        ("helper git get", "protocol=https\nhost=git.example\nusername=ann\n", ANN),
        ("helper git get", "protocol=https\nhost=git.example\ncapability[]=authtype\n", OAUTH2),
        ("helper docker get", "git.example", OAUTH2),
        ("helper docker --username ann get", "git.example", ANN),
        ("helper keyring get git.example", "", OAUTH2),
        ("helper keyring get git.example ann", "", ANN),
        ("token work --format netrc", "", OAUTH2),
        ("helper pnpm git.example", "", ""),
    ] {
        let types = |me: &mut Person| if stdin.is_empty() { me.types(line) } else { me.stdin(stdin).types(line) };
        let quiet = types(&mut me);
        assert_eq!((quiet.code, &*quiet.err), (0, ""), "{line}");
        me.set("GITHUB_ACTIONS", "true");
        types(&mut me).is(0, &quiet.out, &format!("::add-mask::access-1\n{basic}"));
        me.unset("GITHUB_ACTIONS");
    }
}

#[test]
fn git_gets_a_bearer_token_where_it_knows_how_and_the_server_asks_for_one() {
    let (mut me, _server) = signed_in("helper-hosts = [\"git.example\"]");
    let knows = "capability[]=authtype\ncapability[]=state\n";
    let says = |scheme: &str, credential: &str| {
        let expiry = START + 600;
        format!(
            "capability[]=authtype\nauthtype={scheme}\ncredential={credential}\nephemeral=1\npassword_expiry_utc={expiry}\n"
        )
    };
    let (bearer, basic) = (says("Bearer", "access-1"), says("Basic", "b2F1dGgyOmFjY2Vzcy0x"));
    for (more, out) in [
        (format!("{knows}wwwauth[]=Basic realm=\"x\"\nwwwauth[]=Bearer realm=\"x\"\n"), &bearer),
        (format!("{knows}wwwauth[]=bearer\n"), &bearer),
        (format!("{knows}wwwauth[]=Basic realm=\"x, y\", Bearer realm=\"z\"\n"), &bearer),
        (format!("{knows}wwwauth[]=Basic realm=\"x, Bearer\", charset=\"UTF-8\"\n"), &basic),
        (format!("{knows}wwwauth[]=Basic realm=\"Bearer\"\n"), &basic),
        (knows.to_owned(), &basic),
        (format!("{knows}wwwauth[]=Bearer\nwwwauth[]=\n"), &basic),
        ("wwwauth[]=Bearer\n".to_owned(), &says_basic("access-1")),
        (format!("{knows}capability[]=\nwwwauth[]=Bearer\n"), &says_basic("access-1")),
    ] {
        git(&mut me, "get", &format!("protocol=https\nhost=git.example\n{more}\n")).is(0, out, "");
    }
    me.types("helper git capability").is(0, "version 0\ncapability authtype\n", "");
    for nothing in ["store", "later"] {
        me.types(&format!("helper git {nothing}")).is(0, "", "");
    }
}

#[test]
fn a_refused_token_is_refreshed_once_and_no_login_ends() {
    let (mut me, server) = signed_in("helper-hosts = [\"git.example\"]");
    let refused = |token: &str| format!("protocol=https\nhost=git.example\nusername=oauth2\npassword={token}\n");
    let says = |how: &str| format!("https://git.example refused the token of `work`: {how}\n");
    git(&mut me, "erase", &refused("access-1")).is(0, "", &says("it was obtained just now, so it may lack a scope"));
    assert_eq!(server.asked(), 1, "a token of just now is not refused for its age");
    me.later(11);
    for other in
        [&refused("access-0"), "protocol=https\nhost=git.example\n", &refused("access-1").replace("git.", "evil.")]
    {
        assert_eq!(git(&mut me, "erase", other).code, 0);
    }
    assert_eq!(server.asked(), 1);
    let of_scheme = |scheme: &str| format!("protocol=https\nhost=git.example\nauthtype={scheme}\ncredential=");
    git(&mut me, "erase", &(of_scheme("Basic") + "b2F1dGgyOmFjY2Vzcy0x\n")).is(
        0,
        "",
        &says("it is refreshed now, try again"),
    );
    git(&mut me, "erase", &(of_scheme("Bearer") + "access-1\n")).is(0, "", "");
    git(&mut me, "erase", &refused("access-1")).is(0, "", "");
    assert_eq!(server.asked(), 2);
    assert!(git(&mut me, "get", GIT).out.contains("password=access-2\n"));

    // nothing to refresh it with: the login stays
    me.tamper("work", |record| record["token"]["refresh_token"] = serde_json::Value::Null);
    me.later(11);
    let done = git(&mut me, "erase", &refused("access-2"));
    assert_eq!((done.code, &*done.out), (4, ""), "{}", done.err);
    assert!(git(&mut me, "get", GIT).out.contains("password=access-2\n"));
    assert_eq!(server.asked(), 2);

    me.set("OAUTHCTL_WORK_TOKEN", "from-outside");
    let stays = says("it is not refreshed here, and stays");
    git(&mut me, "erase", &refused("from-outside")).is(0, "", &stays);
    git(&mut me, "get", GIT).is(0, "username=oauth2\npassword=from-outside\n", "");
    me.set("OAUTHCTL_WORK_TOKEN", "from\nusername=evil");
    let done = git(&mut me, "get", GIT);
    assert!(done.code != 0 && done.out.is_empty(), "{}{}", done.out, done.err);
}

#[test]
fn a_host_of_several_profiles_and_a_login_from_elsewhere_get_nothing() {
    let (mut me, server) = signed_in("helper-hosts = [\"git.example\"]");
    let text = me.config_text();
    me.config(
        "config.toml",
        &format!("{text}\n[profiles.two]\nprovider = \"acme\"\nhelper-hosts = [\"https://git.example\"]\n"),
    );
    git(&mut me, "get", GIT).is(
        0,
        "",
        "https://git.example belongs to several profiles (two, work): `--profile` chooses one, or `oauthctl profile use`, or a rule (`oauthctl help configuration`)\n",
    );
    git(&mut me, "--profile work get", GIT).is(0, &says_basic("access-1"), "");
    let done = git(&mut me, "--profile two get", GIT);
    assert_eq!((done.code, &*done.out), (4, ""), "{}", done.err);

    // the provider's file has another API now: it gets nothing, nor does anybody else
    let other = server.provider("acme").replace(&format!("{}/api", server.base), "https://evil.example");
    assert!(other.contains("evil"), "{other}");
    me.config("providers/acme.toml", &other);
    let done = git(&mut me, "--profile work get", "protocol=https\nhost=evil.example\n");
    assert!(done.code == 7 && done.out.is_empty(), "{}", done.err);
    assert_eq!(server.asked(), 1);
}

#[test]
fn of_several_owners_of_a_host_a_rule_chooses_and_then_the_default_and_no_other_profile() {
    const HOSTS: &str = "helper-hosts = [\"git.example\"]";
    let (mut me, _server) = signed_in(HOSTS);
    let profile =
        |name: &str, more: &str| format!("\n[profiles.{name}]\nprovider = \"acme\"\nclient-id = \"app\"\n{more}\n");
    let profiles = me.config_text() + &profile("two", HOSTS) + &profile("other", "");
    me.config("config.toml", &profiles);
    for (name, token) in [("two", "access-2"), ("other", "access-3")] {
        me.answers("ann").answers_hidden("a-password-0123");
        assert_eq!(me.types(&format!("login {name} --grant password")).code, 0);
        me.types(&format!("token {name}")).is(0, &format!("{token}\n"), "");
    }
    let profiles = me.config_text();
    for (file, text) in [
        ("acme/.git/config", "[remote \"o\"]\nurl = https://git.example/acme/app.git\n"),
        ("new/config", "[remote \"o\"]\nurl = https://git.example/acme/new\n"),
        ("else/file", ""),
    ] {
        let file = me.path(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let of_two = "[[when]]\nremote = \"git.example/acme/*\"\nprofile = \"two\"\n";
    let of_other = "[[when]]\nfolder = \"/\"\nprofile = \"other\"\n";
    let password = |said: Output| {
        let token = said.out.lines().find_map(|line| line.strip_prefix("password=")).unwrap_or("none").to_owned();
        assert_eq!(token == "none", said.err.contains("belongs to several profiles (two, work)"), "{}", said.err);
        token
    };
    const ACME: &str = "protocol=https\nhost=git.example\npath=acme/x.git\n";
    const MINE: &str = "protocol=https\nhost=git.example\npath=mine/x.git\n";
    const LFS: &str = "protocol=https\nhost=git.example\npath=acme/x.git/info/lfs\n";
    for (config, folder, git_dir, asks, token) in [
        ("", "acme", "", GIT, "none"),
        (of_two, "acme", "", GIT, "access-2"),
        (of_two, "else", "", GIT, "none"),
        // git clone
        (of_two, "else", "../new", GIT, "access-2"),
        (of_other, "acme", "", GIT, "none"),
        (&format!("{of_other}{of_two}"), "acme", "", GIT, "access-2"),
        (&format!("default-profile = \"work\"\n{of_two}"), "acme", "", GIT, "access-2"),
        (&format!("default-profile = \"work\"\n{of_two}"), "else", "", GIT, "access-1"),
        ("default-profile = \"other\"\n", "acme", "", GIT, "none"),
        // credential.useHttpPath
        (&format!("default-profile = \"work\"\n{of_two}"), "else", "", ACME, "access-2"),
        (&format!("default-profile = \"work\"\n{of_two}"), "acme", "", MINE, "access-1"),
        (&format!("default-profile = \"work\"\n{of_two}"), "else", "", LFS, "access-2"),
    ] {
        me.config("config.toml", &format!("{config}{profiles}"));
        let folder = me.path(folder).display().to_string();
        me.set("FOLDER_OF_THE_TEST", &folder).set("GIT_DIR", git_dir);
        assert_eq!(password(git(&mut me, "get", asks)), token, "{config} {folder} {asks}");
        if asks == GIT {
            let docker = me.stdin("git.example").types("helper docker get");
            let secret = format!("\"Secret\":\"{token}\"");
            assert_eq!(
                (docker.code, docker.out.contains(&secret)),
                if token == "none" { (1, false) } else { (0, true) }
            );
        }
    }
    // an installed helper serves more folders than this one
    me.set("FOLDER_OF_THE_TEST", &me.path("else").display().to_string());
    for (config, code) in [("", 7), (of_other, 7), (of_two, 0), ("default-profile = \"two\"\n", 0)] {
        me.config("config.toml", &format!("{config}{profiles}"));
        let done = me.types("helper install git --host git.example --yes");
        assert_eq!(done.code, code, "{config}: {}", done.err);
    }
}

#[test]
fn docker_gets_the_token_in_its_own_form_and_words_that_it_knows_for_none() {
    const HOSTS: &str = "helper-hosts = [\"registry.example\", \"docker.example:5000\", \"http://127.0.0.2:5000\", \"https://127.0.0.2:5001\", \"smtp://mail.example:465\"]";
    const NONE: &str = "credentials not found in native keychain\n";
    let (mut me, server) = signed_in(HOSTS);
    let docker = |me: &mut Person, line: &str, says: &str| me.stdin(says).types(&format!("helper docker {line}"));
    for (address, line, user) in [
        ("registry.example\n", "get", "oauth2"),
        ("https://registry.example/v1/", "--profile work get", "oauth2"),
        ("docker.example:5000", "--username oauth2accesstoken get", "oauth2accesstoken"),
        ("127.0.0.2:5000", "get", "oauth2"),
        ("http://127.0.0.2:5000", "--profile work get", "oauth2"),
        ("127.0.0.2:5001", "get", "oauth2"),
    ] {
        let said = json!({ "ServerURL": address.trim(), "Username": user, "Secret": "access-1" });
        docker(&mut me, line, address).is(0, &format!("{said}\n"), "");
    }
    let none = "no profile is for https://evil.example: no token is given\n";
    docker(&mut me, "get", "evil.example").is(1, NONE, none);
    for address in [
        "http://registry.example",
        "registry.example:444",
        "ann@registry.example",
        "https://127.0.0.2:5000",
        "http://127.0.0.2:5001",
        "127.0.0.3:5000",
    ] {
        let done = docker(&mut me, "get", address);
        assert_eq!((done.code, &*done.out), (1, NONE), "{address}");
    }
    let done = docker(&mut me, "get", "\n");
    assert_eq!((done.code, &*done.out), (1, "no credentials server URL\n"));
    let names = ["registry.example", "docker.example:5000", "127.0.0.2:5000", "127.0.0.2:5001"];
    let all = serde_json::Map::from_iter(names.map(|name| (name.to_owned(), json!("oauth2"))));
    let all = serde_json::Value::Object(all);
    me.types("helper docker list").is(0, &format!("{all}\n"), "");
    me.types("helper docker version").is(0, concat!("oauthctl ", env!("CARGO_PKG_VERSION"), "\n"), "");
    let done = me.types("helper docker --username <token> get");
    assert!(done.code == 2 && done.out.is_empty() && done.err.contains("a refresh token"), "{}", done.err);
    me.types("helper docker --profile other list").is(0, "{}\n", "");

    let credential = |secret: &str| json!({ "ServerURL": "registry.example", "Username": "ann", "Secret": secret });
    docker(&mut me, "store", &credential("access-1").to_string()).is(0, "", "");
    let done = docker(&mut me, "store", &credential("a-password").to_string());
    let refused = "only `oauthctl login` stores a token: this credential is not stored\n";
    assert_eq!((done.code, &*done.out, &*done.err), (1, refused, ""));
    docker(&mut me, "erase", "registry.example").is(0, "", "the login stays: `oauthctl logout` ends it\n");
    assert!(docker(&mut me, "get", "registry.example").out.contains("access-1"));
    let gone = docker(&mut me, "get --profile work", "registry.example");
    assert_eq!(gone.code, 0, "{}", gone.err);
    let done = docker(&mut me, "get --profile other", "registry.example");
    assert_eq!((done.code, &*done.err), (1, ""));
    assert!(done.out.starts_with("there is no profile and no provider called `other`"), "{}", done.out);
    assert_eq!(server.asked(), 1);
}

#[test]
fn cargo_gets_the_whole_header_and_is_told_what_is_not_for_it() {
    let (mut me, _server) = signed_in("helper-hosts = [\"registry.example\"]");
    let asks = |index: &str, kind: &str, args: &str| {
        format!(
            "{{\"v\":1,\"kind\":\"{kind}\",\"operation\":\"read\",\"registry\":{{\"index-url\":\"{index}\",\"name\":\"a\"}},\"args\":[{args}],\"new\":1}}\n"
        )
    };
    let token = json!({ "Ok": {
        "kind": "get", "token": "Bearer access-1", "cache": "expires", "expiration": START + 600,
        "operation_independent": true,
    } });
    let token = format!("{token}\n");
    let refused = |kind: &str| format!("{{\"Err\":{{\"kind\":\"{kind}\"}}}}\n");
    const ARGS: &str = "\"helper\",\"cargo\",\"--profile\",\"work\"";
    let several = [
        asks("sparse+https://registry.example/index/", "get", ARGS),
        asks("https://registry.example/git", "get", ""),
        asks("sparse+https://evil.example/", "get", ARGS),
        asks("sparse+http://registry.example/", "get", ARGS),
        asks("sparse+https://registry.example/", "login", ARGS),
        asks("sparse+https://registry.example/", "logout", ARGS),
    ];
    let answers = [
        "{\"v\":[1]}\n",
        &token,
        &token,
        &refused("url-not-supported"),
        &refused("url-not-supported"),
        &refused("operation-not-supported"),
        &refused("operation-not-supported"),
    ];
    for line in ["--cargo-plugin", "helper cargo --profile work", "helper cargo --profile work --cargo-plugin"] {
        let done = me.stdin(&several.concat()).types(line);
        assert_eq!((done.code, &*done.out), (0, &*answers.concat()), "{}", done.err);
    }
    // what is wrong is for cargo to show
    for (line, says) in [
        (asks("sparse+https://registry.example/", "get", "\"token\",\"work\""), "is no command line of `helper cargo`"),
        (
            asks("sparse+https://registry.example/", "get", "\"helper\",\"cargo\",\"--profile\",\"two\""),
            "there is no profile and no provider called `two`",
        ),
        ("nonsense\n".to_owned(), "the request on standard input can't be read"),
    ] {
        let done = me.stdin(&line).types("--cargo-plugin");
        let answer: serde_json::Value = serde_json::from_str(done.out.lines().nth(1).unwrap()).unwrap();
        assert_eq!((done.code, &answer["Err"]["kind"]), (0, &json!("other")), "{line}");
        assert!(answer["Err"]["message"].as_str().unwrap().contains(says), "{answer}");
    }
}

#[test]
fn kubectl_gets_the_id_token_for_the_cluster_that_the_profile_names() {
    let (mut me, server) = signed_in("helper-hosts = [\"k8s.example:6443\"]");
    let id_token = with_id_token(&me);
    let v1 = "client.authentication.k8s.io/v1";
    let info = |version: &str, cluster: serde_json::Value| {
        json!({ "apiVersion": version, "kind": "ExecCredential", "spec": { "interactive": false, "cluster": cluster } })
            .to_string()
    };
    let credential = |version: &str, token: &str, expires_at: &str| {
        let status = json!({ "token": token, "expirationTimestamp": expires_at });
        format!("{}\n", json!({ "apiVersion": version, "kind": "ExecCredential", "status": status }))
    };
    let named = json!({ "server": "https://k8s.example:6443", "config": { "new": 1 } });
    for version in [v1, "client.authentication.k8s.io/v1beta1"] {
        me.set("KUBERNETES_EXEC_INFO", &info(version, named.clone()));
        let said = credential(version, &id_token, "2026-11-21T22:05:00Z");
        me.types("helper kubectl").is(0, &said, "");
        me.types("helper kubectl --profile work --id-token").is(0, &said, "");
        let said = credential(version, "access-1", "2026-11-21T22:10:00Z");
        me.types("helper kubectl --profile work --access-token").is(0, &said, "");
    }
    // the cluster may name the profile, and a flag comes first
    let text = me.config_text();
    me.config(
        "config.toml",
        &format!("{text}\n[profiles.two]\nprovider = \"acme\"\nhelper-hosts = [\"k8s.example:6443\"]\n"),
    );
    let of = |config: serde_json::Value| info(v1, json!({ "server": "https://k8s.example:6443", "config": config }));
    me.set("KUBERNETES_EXEC_INFO", &of(json!({ "profile": "work" })));
    assert_eq!(me.types("helper kubectl").code, 0);
    assert_eq!(me.types("helper kubectl --profile two").code, 4);
    me.set("KUBERNETES_EXEC_INFO", &of(json!({ "profile": 1 })));
    let done = me.types("helper kubectl");
    assert!(done.code == 1 && done.err.contains("belongs to several profiles"), "{}", done.err);
    me.config("config.toml", &text);
    for (cluster, code, says) in [
        (json!({ "server": "https://k8s.example" }), 1, "no profile is for https://k8s.example: no token is given"),
        (json!({ "server": "https://evil.example:6443" }), 1, "no profile is for"),
        (json!({ "server": "http://k8s.example:6443" }), 1, "a token goes over `https`"),
        (json!({ "server": "https://k8s.example:6443", "insecure-skip-tls-verify": true }), 7, "nothing proves that"),
        (json!(null), 2, "doesn't say for which cluster"),
        (json!({ "proxy-url": "http://evil.example" }), 2, "can't be read as JSON"),
    ] {
        me.set("KUBERNETES_EXEC_INFO", &info(v1, cluster.clone()));
        let done = me.types("helper kubectl");
        assert!(done.code == code && done.out.is_empty() && done.err.contains(says), "{cluster}: {}", done.err);
    }
    me.unset("KUBERNETES_EXEC_INFO");
    assert_eq!(me.types("helper kubectl").code, 2);
    assert_eq!(server.asked(), 1);
}

#[test]
fn go_gets_each_host_of_the_profile_first_and_one_that_refused_later() {
    let (mut me, server) = signed_in("helper-hosts = [\"go.example\", \"go.example:8443\", \"imaps://go.example\"]");
    let header = "\nAuthorization: Bearer access-1\n\n";
    me.types("helper goauth --profile work").is(
        0,
        &format!("https://go.example\nhttps://go.example:8443\n{header}"),
        "",
    );
    me.types("helper goauth").is(0, "", "");
    let just_now =
        "https://go.example:8443 refused the token of `work`: it was obtained just now, so it may lack a scope\n";
    for (line, says) in [("helper goauth", ""), ("helper goauth --profile work", just_now)] {
        let asks = format!("{line} https://go.example:8443/private/module?go-get=1");
        let refusal = "HTTP/1.1 401 Unauthorized\nContent-Type: text/plain\n\n";
        me.stdin(refusal).types(&asks).is(0, &format!("https://go.example:8443\n{header}"), says);
    }
    for url in ["https://evil.example/go.example", "http://go.example/", "https://go.example.evil.example/"] {
        let done = me.stdin("").types(&format!("helper goauth --profile work {url}"));
        assert_eq!((done.code, &*done.out), (0, ""), "{url}");
    }
    // what was given before the first request is refused now: only by that host, and only by a 401
    me.later(11);
    let (refused, other) = ("HTTP/1.1 401 Unauthorized\n\n", "HTTP/1.1 404 Not Found\n\n");
    for (line, answered) in [
        ("helper goauth https://go.example/m", refused),
        ("helper goauth --profile work https://go.example/m", other),
        ("helper goauth --profile work https://go.example:444/m", refused),
    ] {
        assert!(!me.stdin(answered).types(line).out.contains("access-2"), "{line}");
    }
    assert_eq!(server.asked(), 1);
    for _ in 0..2 {
        let done = me.stdin(refused).types("helper goauth --profile work https://go.example/m");
        assert!(done.code == 0 && done.out.ends_with("Authorization: Bearer access-2\n\n"), "{}{}", done.out, done.err);
    }
    assert_eq!(server.asked(), 2);
}

#[test]
fn pip_and_uv_and_pnpm_get_the_token_for_their_index() {
    let (mut me, server) = signed_in("helper-hosts = [\"pypi.example\"]");
    for (line, out) in [
        ("keyring get https://pypi.example/simple/ ann", "access-1\n"),
        ("keyring get pypi.example ann", "access-1\n"),
        ("keyring --mode creds get pypi.example", "oauth2\naccess-1\n"),
        ("keyring get https://pypi.example/simple/ --mode creds", "oauth2\naccess-1\n"),
        ("keyring --username __token__ get https://pypi.example --mode creds", "__token__\naccess-1\n"),
        ("keyring get --mode creds pypi.example ann", "ann\naccess-1\n"),
        ("keyring get pypi.example --output json", "{\"password\":\"access-1\"}\n"),
        (
            "keyring get pypi.example --mode creds --output json",
            "{\"username\":\"oauth2\",\"password\":\"access-1\"}\n",
        ),
        ("pnpm pypi.example", "Bearer access-1\n"),
        ("pnpm --profile work https://pypi.example/npm/", "Bearer access-1\n"),
    ] {
        me.types(&format!("helper {line}")).is(0, out, "");
    }
    for line in
        ["keyring get https://evil.example/simple/ ann", "keyring get http://pypi.example ann", "pnpm evil.example"]
    {
        let done = me.types(&format!("helper {line}"));
        assert!(done.code == 1 && done.out.is_empty() && !done.err.is_empty(), "{line}: {}", done.err);
    }
    for address in
        ["https://u:a-password@pypi.example/", "http://pypi.example/x?token=a-password", "ftp://a-password@x"]
    {
        let done = me.types(&format!("helper pnpm {address}"));
        assert!(done.code == 1 && !done.err.contains("a-password"), "{address}: {}", done.err);
    }
    me.types("profile set work helper-hosts npm.example").is(
        0,
        "",
        "work: helper-hosts is set\nit had pypi.example before; both: oauthctl profile set work helper-hosts 'pypi.example npm.example'\n",
    );
    assert_eq!(
        me.runs(&["profile", "set", "work", "helper-hosts", "pypi.example npm.example"]).err,
        "work: helper-hosts is set\n"
    );
    for line in ["keyring set pypi.example ann", "keyring del pypi.example ann"] {
        let done = me.types(&format!("helper {line}"));
        assert!(done.code == 2 && done.err.contains("only `oauthctl login` stores a token"), "{line}: {}", done.err);
    }
    let done = me.runs(&["helper", "keyring", "get", "pypi.example", "a\nb", "--mode", "creds"]);
    assert!(done.code == 2 && done.out.is_empty(), "{}", done.err);
    assert_eq!(server.asked(), 1);
}

#[test]
fn terraform_gets_an_object_and_no_login_is_changed() {
    let (mut me, server) = signed_in("helper-hosts = [\"modules.example\", \"modules.example:8443\"]");
    for host in ["modules.example", "modules.example:8443"] {
        me.types(&format!("helper terraform --profile work get {host}")).is(0, "{\"token\":\"access-1\"}\n", "");
    }
    let none = "no profile is for https://evil.example: no token is given\n";
    me.types("helper terraform get evil.example").is(0, "{}\n", none);
    me.types("helper terraform forget modules.example").is(0, "", "");
    me.stdin("{\"token\":\"access-1\"}").types("helper terraform store modules.example").is(0, "", "");
    for other in ["{\"token\":\"mine\"}", "{\"token\":\"access-1\",\"new\":1}", "{}", "nonsense"] {
        let done = me.stdin(other).types("helper terraform store modules.example");
        assert!(done.code == 2 && done.out.is_empty(), "{other}: {}", done.err);
    }
    assert!(me.types("helper terraform get modules.example").out.contains("access-1"));
    assert_eq!(me.types("helper terraform sign modules.example").code, 2);
    assert_eq!(server.asked(), 1);
}

#[test]
fn bazel_gets_headers_and_their_expiry() {
    let (mut me, server) = signed_in("helper-hosts = [\"cache.example\"]");
    let said = json!({ "headers": { "Authorization": ["Bearer access-1"] }, "expires": "2026-11-21T22:10:00Z" });
    for asks in [
        "{\"uri\":\"https://cache.example/a?b\",\"new\":1}",
        "{\"uri\":\"grpcs://cache.example/google.bytestream.ByteStream/Read\"}\n",
    ] {
        me.stdin(asks).types("helper bazel get").is(0, &format!("{said}\n"), "");
    }
    for (asks, code) in [
        ("{\"uri\":\"https://evil.example/\"}", 1),
        ("{\"uri\":\"grpc://cache.example/\"}", 1),
        ("{\"uri\":\"https://cache.example@evil.example/\"}", 1),
        ("{}", 2),
        ("nonsense", 2),
    ] {
        let done = me.stdin(asks).types("helper bazel get");
        assert!(done.code == code && done.out.is_empty() && !done.err.is_empty(), "{asks}: {}", done.err);
    }
    assert_eq!(server.asked(), 1);
}

#[test]
fn each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for() {
    let (mut me, server) = signed_in("helper-hosts = [\"a.example\"]");
    let id_token = with_id_token(&me);
    let git = "protocol=https\nhost=a.example\n";
    let cargo = "{\"v\":1,\"kind\":\"get\",\"registry\":{\"index-url\":\"sparse+https://a.example/\"}}\n";
    let kubectl = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "spec": { "cluster": { "server": "https://a.example" } },
    });
    me.set("KUBERNETES_EXEC_INFO", &kubectl.to_string());
    for (helper, words, stdin) in [
        ("git", "get", git),
        ("docker", "get", "a.example"),
        ("cargo", "", cargo),
        ("kubectl", "", ""),
        ("goauth", "", ""),
        ("keyring", "get a.example", ""),
        ("pnpm", "a.example", ""),
        ("terraform", "get a.example", ""),
        ("bazel", "get", "{\"uri\":\"https://a.example/\"}"),
    ] {
        let line = format!("helper {helper} --profile work --id-token {words}");
        if !stdin.is_empty() {
            me.stdin(stdin);
        }
        let done = me.types(&line);
        assert!(done.code == 0 && done.out.contains(&id_token), "{line}: {}{}", done.out, done.err);
        assert!(!done.out.contains("access-1"), "{line}: {}", done.out);
    }
    // one that the server refused is refreshed, and not for another's sake
    me.later(11);
    let refused = |token: &str| format!("{git}password={token}\n");
    me.stdin(&refused("access-1")).types("helper git --id-token erase").is(0, "", "");
    assert_eq!(server.asked(), 1);
    let done = me.stdin(&refused(&id_token)).types("helper git --id-token erase");
    assert!(done.code == 0 && done.err.contains("it is refreshed now"), "{}", done.err);
    assert_eq!(server.asked(), 2);
}

#[test]
fn a_whole_header_is_as_the_api_of_the_provider_has_it() {
    let (mut me, server) = signed_in("helper-hosts = [\"a.example\"]");
    let id_token = with_id_token(&me);
    let plain = server.provider("acme");
    let cargo = "{\"v\":1,\"kind\":\"get\",\"registry\":{\"index-url\":\"sparse+https://a.example/\"}}\n";
    for (auth, name, value) in [
        ("scheme = \"token\"", "Authorization", "token access-1"),
        ("name = \"X-Token\"\nscheme = \"\"", "X-Token", "access-1"),
        ("in = \"query\"\nname = \"t\"", "Authorization", "Bearer access-1"),
    ] {
        me.config("providers/acme.toml", &format!("{plain}\n[api.auth]\n{auth}\n"));
        for (line, stdin, says) in [
            ("pnpm a.example", "", format!("{value}\n")),
            ("cargo", cargo, format!("\"token\":\"{value}\"")),
            ("bazel get", "{\"uri\":\"https://a.example/\"}", format!("\"headers\":{{\"{name}\":[\"{value}\"]}}")),
            ("goauth --profile work", "", format!("\n\n{name}: {value}\n\n")),
            ("pnpm --id-token a.example", "", format!("Bearer {id_token}\n")),
        ] {
            if !stdin.is_empty() {
                me.stdin(stdin);
            }
            let done = me.types(&format!("helper {line}"));
            assert!(done.code == 0 && done.out.contains(&says), "{auth} {line}: {}{}", done.out, done.err);
        }
    }
    assert_eq!(server.asked(), 1);
}

#[test]
fn a_rule_for_hosts_is_read_as_people_write_it() {
    let (mut me, _server) = signed_in("");
    for (value, says) in [
        ("[::1]:8443 https://git.example/", "work: helper-hosts is set\n"),
        ("a.example,b.example", "write several with spaces between them"),
        ("https://git.example/team", "leave the path out"),
        ("[a.example, b.example]", "a list as TOML writes it"),
    ] {
        let done = me.runs(&["profile", "set", "work", "helper-hosts", value]);
        assert!(done.err.contains(says), "{value}: {}", done.err);
    }
    for host in ["[::1]:8443", "git.example"] {
        me.types(&format!("helper pnpm {host}")).is(0, "Bearer access-1\n", "");
    }
}

#[test]
fn systemd_gets_the_token_that_stands_beside_its_credential() {
    let (mut me, server) = signed_in("");
    let id_token = with_id_token(&me);
    const FROM: &str = "5f3c/unit/mail@ann.service/token";
    me.connected_from(FROM, true).types("helper systemd other=two token=work").is(0, "access-1", "");
    me.connected_from(FROM, true).types("helper systemd --id-token token=work").is(0, &id_token, "");
    let asked = "the credential `token` of `mail@ann.service`";
    for (from, own, rule, code, says) in [
        (FROM, false, "token=work", 7, format!("another user asks for {asked}")),
        (FROM, true, "tok=work", 2, format!("no profile is for {asked}")),
        (FROM, true, "mail@ann.service/token=work", 2, format!("no profile is for {asked}")),
        ("5f3c/unit/token", true, "token=work", 2, "names no unit and no credential".to_owned()),
        ("5f3c", true, "token=work", 2, "names no unit and no credential".to_owned()),
        (FROM, true, "token=two", 2, "there is no profile and no provider called `two`".to_owned()),
    ] {
        let done = me.connected_from(from, own).types(&format!("helper systemd {rule}"));
        assert!(done.code == code && done.out.is_empty() && done.err.contains(&says), "{from}: {}", done.err);
    }
    for (line, says) in
        [("token=work", "no connection of systemd's"), ("work", "name=value"), ("", "CREDENTIAL=PROFILE")]
    {
        let done = me.types(&format!("helper systemd {line}"));
        assert!(done.code == 2 && done.out.is_empty() && done.err.contains(says), "{line}: {}", done.err);
    }
    assert_eq!(server.asked(), 1);
}
