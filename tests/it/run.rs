//! `run`: a command with tokens in its environment. `tests/real/sandbox.py` has its signals, its
//! terminal and its exit code.

use serde_json::json;

use crate::world::{Odd, Person, answer};

/// Signed in as `work` and as `two` at a server that numbers its tokens.
fn signed_in() -> (Person, Odd) {
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
    me.config("providers/acme.toml", &server.provider("acme"));
    let profile = |name: &str| format!("[profiles.{name}]\nprovider = \"acme\"\n");
    me.config("config.toml", &(profile("work") + &profile("t-wo")));
    for name in ["work", "t-wo"] {
        me.answers("ann").answers_hidden("a-password-0123");
        let done = me.types(&format!("login {name} --grant password"));
        assert_eq!(done.code, 0, "{}", done.err);
    }
    (me, server)
}

#[test]
fn a_command_gets_each_token_in_the_variable_that_is_meant() {
    let (mut me, server) = signed_in();
    for (line, gets) in [
        ("run work", "OAUTHCTL_WORK_TOKEN=access-1\n"),
        ("run work t-wo", "OAUTHCTL_WORK_TOKEN=access-1\nOAUTHCTL_T_WO_TOKEN=access-2\n"),
        ("run work --env A", "A=access-1\n"),
        ("run --env A --env _b2 work", "A=access-1\n_b2=access-1\n"),
        ("run --env A=work --env B=t-wo", "A=access-1\nB=access-2\n"),
        ("run work --env B=t-wo", "B=access-2\nOAUTHCTL_WORK_TOKEN=access-1\n"),
    ] {
        me.program(&["make", "--jobs", "2", "a b"], gets);
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(["--", "make", "--jobs", "2", "a b"]);
        me.runs(&words).is(7, "", "");
    }
    assert_eq!(server.asked(), 2);
    me.set("OAUTHCTL_PROFILE", "work");
    me.later(10);
    me.program(&["make"], "A=access-3\n");
    me.types("run --env A --min-ttl 10m -- make").is(7, "", "");
    assert_eq!(server.asked(), 3);
    me.program(&["make"], "A=access-4\n");
    let done = me.types("run work --env A --min-ttl 2h -- make");
    assert!(done.code == 7 && done.err.contains("issues none with the requested lifetime"), "{}", done.err);
    me.tamper("work", |record| {
        record["token"]["id_token"] = json!("eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTl9.c2ln")
    });
    me.program(&["make"], "A=eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTl9.c2ln\n");
    me.types("run --env A --id-token -- make").is(7, "", "");
    assert_eq!(server.asked(), 4);
}

#[test]
fn nothing_is_run_without_its_tokens() {
    let (mut me, _server) = signed_in();
    let configured = me.config_text();
    me.config("config.toml", &(configured.clone() + "[profiles.\"t.wo\"]\nprovider = \"acme\"\n"));
    for (line, says) in [
        ("run t-wo -- make", "`OAUTHCTL_T_WO_TOKEN` is the variable of `t-wo` and of `t.wo`"),
        ("run --env A=work --env A=t-wo -- make", "`A` would hold two values"),
    ] {
        let done = me.types(line);
        assert!(done.code == 2 && done.err.contains(says), "{line}: {}", done.err);
    }
    me.config("config.toml", &configured);
    let gone = me.types("logout t-wo --local-only");
    assert_eq!(gone.code, 0, "{}", gone.err);
    for (line, code, says) in [
        ("run work t-wo -- make", 4, "no token is stored for `t-wo`"),
        ("run work nobody -- make", 2, "there is no profile and no provider called `nobody`"),
        ("run -- make", 2, "no profile was named, and there are several"),
        ("run work t-wo --env A -- make", 2, "`--env A` is for one profile, and there are several"),
        ("run work t-wo --file A -- make", 2, "`--file A` is for one profile, and there are several"),
        ("run --file A=work --id-token --proxy B=work -- make", 2, "`--id-token` is not for it"),
        // this world has no companion
        ("run --proxy A=work -- make", 2, "`--file` and `--proxy` need Linux"),
        ("run --file 2A=work -- make", 2, "write it as `VARIABLE` or `VARIABLE=PROFILE`"),
        ("run work --allow GET -- make", 2, "--proxy"),
        ("run work --env 2A -- make", 2, "write it as `VARIABLE` or `VARIABLE=PROFILE`"),
        ("run work --env A= -- make", 2, "write it as `VARIABLE` or `VARIABLE=PROFILE`"),
        ("run work --env PATH -- make", 2, "this variable is read by systems: choose another one"),
        ("run --env Ld_Preload=work -- make", 2, "read by loaders"),
        ("run work --env GCONV_PATH -- make", 2, "read by loaders"),
        ("run work --file BASH_ENV -- make", 2, "read by shells"),
        ("run work --env PROMPT_COMMAND -- make", 2, "read by shells"),
        ("run work --env PAGER -- make", 2, "read by programs that start others"),
        ("run work --env PYTHONSTARTUP -- make", 2, "read by Python"),
        ("run work --env NODE_OPTIONS -- make", 2, "read by Node"),
        ("run work --env PERL5OPT -- make", 2, "read by Perl"),
        ("run work --env RUBYOPT -- make", 2, "read by Ruby"),
        ("run work --env JAVA_TOOL_OPTIONS -- make", 2, "read by Java"),
        ("run work --env GIT_SSH_COMMAND -- make", 2, "read by git"),
        ("run --proxy https_proxy=work -- make", 2, "read by clients of a proxy"),
        ("run work --env OAUTHCTL_STORE -- make", 2, "read by this program"),
        ("run work make", 2, "COMMAND"),
    ] {
        let done = me.types(line);
        assert!(done.code == code && done.err.contains(says), "{line}: {}", done.err);
    }
}
