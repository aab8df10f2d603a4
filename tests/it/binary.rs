//! `main` as a process: the real streams, environment and exit code. All other tests run in
//! process.

use std::process::{Command, Stdio};

#[expect(clippy::disallowed_methods, reason = "the program itself is what is tested here")]
fn oauthctl(home: &std::path::Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("oauthctl"));
    command
        .env_clear()
        .env("HOME", home)
        .env("OAUTHCTL_CONFIG_DIR", home.join("config"))
        .env("OAUTHCTL_STATE_DIR", home.join("state"));
    command.stdin(Stdio::null());
    command
}

#[test]
fn version_help_and_a_mistake() {
    let home = tempfile::tempdir().unwrap();
    let version = oauthctl(home.path()).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(version.stdout).unwrap(), concat!("oauthctl ", env!("CARGO_PKG_VERSION"), "\n"));
    assert!(version.status.success() && version.stderr.is_empty());
    let whole = String::from_utf8(oauthctl(home.path()).arg("version").output().unwrap().stdout).unwrap();
    let features = if cfg!(feature = "jq") { "jq" } else { "none" };
    assert!(whole.contains(&format!("\nfeatures: {features}\ncompiler: rustc 1.")), "{whole}");
    assert!(whole.contains(&format!("\ntarget: {}-", std::env::consts::ARCH)), "{whole}");
    let doctor = String::from_utf8(oauthctl(home.path()).arg("doctor").output().unwrap().stdout).unwrap();
    assert!(doctor.contains(" built here by cargo, not installed\n"), "{doctor}");
    let help = oauthctl(home.path()).arg("--help").output().unwrap();
    assert!(help.status.success() && help.stdout.starts_with(b"Obtains OAuth 2.0 tokens"));
    let wrong = oauthctl(home.path()).args(["token", "nobody-of-that-name"]).output().unwrap();
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
    assert!(wrong.stderr.starts_with(b"error: there is no profile and no provider called `nobody-of-that-name`\n"));
}

#[test]
fn a_token_of_the_environment_comes_out_of_the_process() {
    let home = tempfile::tempdir().unwrap();
    let out = oauthctl(home.path())
        .args(["token", "getresponse", "--no-cache"])
        .env("OAUTHCTL_GETRESPONSE_TOKEN", "outside-0123456789")
        .output()
        .unwrap();
    assert_eq!(
        (out.status.code(), out.stdout.as_slice(), out.stderr.as_slice()),
        (Some(0), &b"outside-0123456789\n"[..], &b""[..])
    );
}

// H-25: whoever reads stdout may go at any moment
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_an_end_without_a_panic() {
    let home = tempfile::tempdir().unwrap();
    for (args, code) in [
        (&["token", "getresponse", "--no-cache"][..], 1),
        (&["--help"], 0),
        (&["provider", "list"], 0),
        (&["completions", "bash"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let out = oauthctl(home.path())
            .args(args)
            .env("OAUTHCTL_GETRESPONSE_TOKEN", "outside-0123456789")
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let err = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(code), "{args:?}: {err}");
        assert!(!err.contains("panicked") && !err.contains("outside-0123456789"), "{err}");
    }
}

#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "the program itself is what is tested here")]
fn a_signal_to_the_sandbox_is_its_commands_and_no_folder_stays() {
    let home = tempfile::tempdir().unwrap();
    let temporary = home.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let started = home.path().join("started");
    let script = format!(": > '{}'; exec sleep 300", started.display());
    let mut running = oauthctl(home.path())
        .args(["sandbox", "run", "-q", "--", "/bin/sh", "-c", &script])
        .env("TMPDIR", &temporary)
        .spawn()
        .unwrap();
    while !started.exists() {
        assert!(running.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 1);
    // a shell has it built in: not every machine has a program of that name
    let sent = Command::new("/bin/sh").args(["-c", &format!("kill -TERM {}", running.id())]).status().unwrap();
    assert!(sent.success());
    assert_eq!(running.wait().unwrap().code(), Some(143));
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

// a loop's list, or a body, is on our standard input
#[cfg(unix)]
#[test]
fn a_command_for_a_secret_gets_nothing_of_our_input() {
    use std::io::{Read as _, Seek as _, Write as _};
    for script in ["cat; echo s3cret-value", "read line; echo s3cret-value$line", "head -c 1; echo s3cret-value"] {
        let home = tempfile::tempdir().unwrap();
        let providers = home.path().join("config/providers");
        std::fs::create_dir_all(&providers).unwrap();
        let file = "id = \"odd\"\nname = \"Odd\"\n[token]\nurl = \"http://127.0.0.1:1/t\"\n[client-credentials]\nsupported = true\n";
        std::fs::write(providers.join("odd.toml"), file).unwrap();
        let config =
            format!("[profiles.odd]\nclient-id = \"c\"\nclient-secret.command = [\"sh\", \"-c\", \"{script}\"]\n");
        std::fs::write(home.path().join("config/config.toml"), config).unwrap();
        let mut input = tempfile::tempfile().unwrap();
        input.write_all(b"first\nsecond\n").unwrap();
        input.rewind().unwrap();
        let mut token = oauthctl(home.path());
        token.args(["token", "odd", "--store", "none", "--grant", "client-credentials", "-v"]);
        let done = token.stdin(input.try_clone().unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(said.contains("asking `sh -c"), "{said}");
        let mut left = String::new();
        input.read_to_string(&mut left).unwrap();
        assert_eq!(left, "first\nsecond\n", "{script}");
    }
}

// a log that holds both streams, as in CI
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a server whose answer ends no line")]
#[test]
fn a_message_begins_a_line_after_data_whose_last_line_has_no_end() {
    use std::io::{Read, Write};
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
        }
    });
    let providers = home.path().join("config/providers");
    std::fs::create_dir_all(&providers).unwrap();
    let file = format!("id = \"odd\"\nname = \"Odd\"\n[token]\nurl = \"{base}/t\"\n[api]\nbase-url = \"{base}\"\n");
    std::fs::write(providers.join("odd.toml"), file).unwrap();
    let mut call = oauthctl(home.path());
    call.args(["call", "odd", "/x", "--no-cache"]).env("OAUTHCTL_ODD_TOKEN", "outside-0123456789");
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut running = call.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    running.wait().unwrap();
    // the command keeps its ends of the pipe open
    drop(call);
    let mut both = String::new();
    reader.read_to_string(&mut both).unwrap();
    assert!(both.starts_with("body\nerror: the API answered 404\n"), "{both}");
    let mut call = oauthctl(home.path());
    call.args(["call", "odd", "/x", "--no-cache"]).env("OAUTHCTL_ODD_TOKEN", "outside-0123456789");
    let apart = call.output().unwrap();
    assert_eq!(apart.stdout, b"body", "what is piped is what the API sent");
    assert!(apart.stderr.starts_with(b"error: "));
    serving.join().unwrap();
}

// the real one goes through the proxy, so that no other machine is asked
#[test]
fn a_network_behind_a_dead_proxy_is_the_proxys_matter() {
    let home = tempfile::tempdir().unwrap();
    let out = oauthctl(home.path())
        .args(["doctor", "getresponse"])
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .output()
        .unwrap();
    let out = String::from_utf8(out.stdout).unwrap();
    assert!(out.ends_with("do: requests use the proxy: fix it first, or unset HTTPS_PROXY\n"), "{out}");
}
