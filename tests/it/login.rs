//! `login`: the user's input, the output and questions, and the stored record.

use std::sync::{Arc, Mutex};

use oauthctl::sandbox::Manners;
use oauthctl::secret::fingerprint;
use oauthctl::world::KeychainError;
use serde_json::json;

use crate::world::robot::{allows, decided, denies, get, go, go_with, with};
use crate::world::serve;
use crate::world::{Fault, Person, START, answer, own_port, shown};

fn titles(pages: &[crate::world::robot::Page]) -> Vec<(u16, &str)> {
    pages.iter().map(|p| (p.status, p.title.as_str())).collect()
}

/// A browser opens, and what happens in it is told by the address pasted.
fn looks(_: &str) -> Vec<crate::world::robot::Page> {
    Vec::new()
}

// N-03
#[cfg(target_os = "linux")]
#[test]
fn a_redirect_that_another_user_brings_is_refused_whatever_is_in_it() {
    use crate::world::robot::as_another_user;
    if as_another_user(|| ()).is_none() {
        return;
    }
    let mut me = Person::new();
    let bring = |url: &str| {
        let to = decided(url, "allow");
        let theirs = to.clone();
        let refused = as_another_user(move || crate::world::robot::fresh_get(&theirs)).expect("root");
        assert_eq!((refused.status, refused.title.as_str()), (403, "Another user of this machine waits here"));
        vec![go(&to)]
    };
    let done = me.browser(bring).types("login sandbox");
    assert_eq!(done.code, 0, "{}", done.err);
    let told = "Ignored a call that came to the redirect address: it came from another user of this machine. Still waiting.\n\
        That was user 65534. If the browser is your own: run this as that user.\n";
    assert!(done.err.contains(told), "{}", done.err);
    assert_eq!(titles(&done.pages), [(200, "You're signed in")]);
    // nobody else came
    let clock = me.clock.clone();
    me.browser(move |url| {
        let to = decided(url, "allow");
        let refused = as_another_user(move || crate::world::robot::fresh_get(&to)).expect("root");
        clock.hurry(301);
        vec![refused]
    });
    let done = me.at_a_terminal().types("login sandbox");
    me.clock.hurry(0);
    assert_eq!(done.code, 7, "{}", done.err);
    assert!(
        done.err.contains("open the address above in it yourself, and paste the one that it ends on here"),
        "{}",
        done.err
    );
    assert!(done.err.contains("caused by: it came from another user of this machine"), "{}", done.err);
}

#[test]
fn signs_in_to_the_practice_server_on_a_fresh_machine() {
    let mut me = Person::new();
    let done = me.browser(allows).types("login sandbox");
    done.is(0, "", "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Your browser should open there now.
        Waiting for the browser to come back.
        Signed in to Practice server (built in) as alice@example.test. The token of `sandbox` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token sandbox   or   oauthctl call sandbox /me
    ");
    assert_eq!(titles(&done.pages), [(200, "You're signed in")]);
    assert!(done.pages[0].url.ends_with("/done"), "the history holds no code: {}", done.pages[0].url);
    assert_eq!(done.sent, ["POST http://127.0.0.1:PORT/token", "GET http://127.0.0.1:PORT/api/me"]);
    assert_eq!(me.keychain.accounts(), ["sandbox"]);
    let mut record = me.record("sandbox");
    let (access, refresh) = (me.kept("sandbox", "access_token"), me.kept("sandbox", "refresh_token"));
    record["token"]["access_token"] = json!("A");
    record["token"]["refresh_token"] = json!("R");
    // made at the first login, to seal the journal with
    assert!(record.as_object_mut().unwrap().remove("journal_key").is_some());
    let bound = record.as_object_mut().unwrap().remove("bound").unwrap();
    assert_eq!((&bound["provider"], &bound["places"]["token.url"]), (&json!("sandbox"), &json!(["practice:/token"])));
    assert_eq!(
        record,
        json!({
            "oauthctl": 1, "generation": 1, "provider": "sandbox", "client_id": "oauthctl", "grant": "authorization-code",
            "account": "alice@example.test", "asked": ["profile", "email", "offline_access"], "login_at": START,
            "asked_with": {},
            "token": {
                "access_token": "A", "token_type": "Bearer", "refresh_token": "R", "received_at": START,
                "expires_at": START + 600, "scopes": ["profile", "email", "offline_access"],
            },
        })
    );
    done.tells_nothing_of(&access).tells_nothing_of(&refresh);
    assert_eq!(me.config_text(), "[profiles.sandbox]\nprovider = \"sandbox\"\n");
    // the kernel's copy: the access token and its times, nothing else
    let copies = me.copies.texts();
    assert!(copies.iter().any(|c| c.contains(&access)) && copies.iter().all(|c| !c.contains(&refresh)), "{copies:?}");
}

#[test]
fn the_person_says_no() {
    let mut me = Person::new();
    let done = me.browser(denies).types("login sandbox");
    done.fails(3, "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Your browser should open there now.
        Waiting for the browser to come back.
        error: the sign-in was refused
        caused by: the provider answered `access_denied`
        hint: oauthctl login sandbox
    ");
    assert_eq!(titles(&done.pages), [(200, "The sign-in did not complete")]);
    assert!(me.keychain.accounts().is_empty());
    assert_eq!(me.config_text(), "");
}

// L-01, L-02: noise never ends a login
#[test]
fn a_wrong_state_and_a_missing_one_are_turned_away_and_the_right_one_is_taken() {
    let mut me = Person::new();
    let act = |url: &str| {
        let back = decided(url, "allow");
        let favicon = url::Url::parse(&back).unwrap().join("/favicon.ico").unwrap();
        vec![
            get(&with(&back, "state", Some("somebody-elses"))),
            get(&with(&back, "state", None)),
            get(&with(&with(&back, "code", None), "error", Some("access_denied")).replace("state=", "state=x")),
            get(favicon.as_str()),
            go(&back),
        ]
    };
    let done = me.browser(act).types("login sandbox");
    done.is(0, "", "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Your browser should open there now.
        Waiting for the browser to come back.
        Ignored a call that came to the redirect address: its `state` is not this login's. Still waiting.
        Signed in to Practice server (built in) as alice@example.test. The token of `sandbox` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token sandbox   or   oauthctl call sandbox /me
    ");
    assert_eq!(done.pages.iter().map(|p| p.status).collect::<Vec<_>>(), [400, 400, 400, 404, 200]);
    assert_eq!(done.sent.iter().filter(|s| s.starts_with("POST")).count(), 1, "the code was exchanged once");
}

/// A browser's other cookies, of this many KiB.
fn cookies(size: usize) -> String {
    format!("id={}", "c".repeat((size << 10) - 3))
}

/// A redirect this many KiB longer.
fn longer(back: &str, size: usize) -> String {
    with(back, "session_state", Some(&"s".repeat(size << 10)))
}

#[test]
fn a_profile_has_a_browser_of_its_own() {
    for (typed, shown) in [
        ("firefox -P work", "firefox|-P|work"),
        (r#"["/opt/my browser", "--profile-directory=Profile 1"]"#, "/opt/my browser|--profile-directory=Profile 1"),
        ("w3m", "w3m"),
    ] {
        let mut me = Person::new();
        assert_eq!(me.types("profile set sandbox provider sandbox").code, 0);
        let set = me.runs(&["profile", "set", "sandbox", "browser", typed]);
        assert_eq!(set.code, 0, "{}", set.err);
        let done = me.no_browser_found().pastes(|url| decided(url, "allow")).types("login sandbox");
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains(&format!("No browser opened here (`{shown}` failed: missing)")), "{}", done.err);
    }
    let mut me = Person::new();
    for nothing in ["[]", r#"["", "x"]"#] {
        me.config("config.toml", &format!("[profiles.sandbox]\nprovider = \"sandbox\"\nbrowser = {nothing}\n"));
        let done = me.types("login sandbox");
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains("browser") && done.err.contains("names no program"), "{}", done.err);
    }
}

// L-29
#[test]
fn the_cookies_of_other_servers_on_localhost_keep_no_redirect_out() {
    for (heavy, long) in [(20, 0), (60, 0), (63, 30), (1, 9), (1, 31)] {
        let mut me = Person::new();
        let act = move |url: &str| vec![go_with(&longer(&decided(url, "allow"), long), "cookie", &cookies(heavy))];
        let done = me.browser(act).types("login sandbox");
        assert_eq!(done.code, 0, "{heavy} KiB, {long} KiB: {}", done.err);
        assert!(!done.err.contains("Ignored"), "{}", done.err);
    }
}

#[test]
fn a_redirect_over_the_bounds_is_told_at_once_with_a_way_out() {
    const COOKIES: &str = "Ignored 2 calls that came to the redirect address: its headers are larger than 64 KiB, or more than 100. Still waiting.\n\
        A browser sends the cookies of all servers on `127.0.0.1`: delete its cookies for `127.0.0.1`, or open the address above in a private window.\n";
    const LINE: &str = "Ignored 2 calls that came to the redirect address: its address is longer than 32 KiB. Still waiting.\n\
        If it came from the provider, its answer is too long: ask for fewer scopes, or for another `--response-mode`.\n";
    for (heavy, long, status, says) in [(100, 0, 431, COOKIES), (300, 0, 431, COOKIES), (1, 40, 414, LINE)] {
        let mut me = Person::new();
        let act = move |url: &str| {
            let back = decided(url, "allow");
            let pause = || std::thread::sleep(std::time::Duration::from_millis(300));
            // what was told just before doesn't put it off
            let noise = get(&with(&back, "state", Some("somebody-elses")));
            pause();
            let refused = go_with(&longer(&back, long), "cookie", &cookies(heavy));
            pause();
            let again = go_with(&longer(&back, long), "cookie", &cookies(heavy));
            pause();
            vec![noise, refused, again, go(&back)]
        };
        let done = me.browser(act).types("login sandbox");
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains(says), "{}", done.err);
        assert_eq!(done.err.matches("Ignored").count(), 2, "the repeat is not told again at once: {}", done.err);
        assert_eq!(done.pages.iter().map(|p| p.status).collect::<Vec<_>>(), [400, status, status, 200]);
        assert_eq!(done.pages[1].title, "Your browser sent too much");
    }
}

#[test]
fn a_form_that_was_not_asked_for_is_told_at_once() {
    let mut me = Person::new();
    let act = |url: &str| {
        let back = decided(url, "allow");
        let (bare, query) = back.split_once('?').unwrap();
        let form: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let posted = crate::world::robot::post(bare, &form);
        std::thread::sleep(std::time::Duration::from_millis(300));
        vec![posted, go(&back)]
    };
    let done = me.browser(act).types("login sandbox");
    assert_eq!(done.code, 0, "{}", done.err);
    let says = "Ignored a call that came to the redirect address: it has a body, and no such form was asked for. Still waiting.\n\
        If it came from the provider: it answers by a form, which `--response-mode form_post` takes.\n";
    assert!(done.err.contains(says), "{}", done.err);
}

// L-06
#[test]
fn a_refusal_without_a_state_is_quoted_as_unproven_and_the_wait_goes_on() {
    for (more, quoted) in [
        ("error=access_denied&error_description=The%20user%20said%20no", "`access_denied` (The user said no)"),
        ("error=server_error&state=", "`server_error`"),
        ("error=temporarily_unavailable&error_uri=https%3A%2F%2Fas.example", "`temporarily_unavailable`"),
    ] {
        let mut me = Person::new();
        let act = move |url: &str| {
            let back = decided(url, "allow");
            let bare = back.split('?').next().unwrap();
            let pages = vec![get(&with(&back, "state", Some("x"))), get(&format!("{bare}?{more}"))];
            pages.into_iter().chain([go(&back)]).collect()
        };
        let done = me.browser(act).types("login sandbox");
        let says = format!(
            "Ignored 2 calls that came to the redirect address: it says {quoted}, but has no `state`, so that it may be from anyone. Still waiting.\n"
        );
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains(&says), "{}", done.err);
        assert_eq!(done.pages.iter().map(|p| p.status).collect::<Vec<_>>(), [400, 400, 200]);
    }
    // a hostile page's text is cut, and steers no terminal
    let mut me = Person::new();
    let act = |url: &str| {
        let back = decided(url, "allow");
        let bare = back.split('?').next().unwrap();
        let long = "a".repeat(9000);
        vec![get(&format!("{bare}?error=%1b%5d0;x%07{long}&error_description={long}")), go(&back)]
    };
    let done = me.browser(act).types("login sandbox");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!done.err.contains('\u{1b}') && !done.err.contains(&"a".repeat(201)), "{}", done.err);
}

// L-08: the provider's issuer is known here
#[test]
fn another_servers_iss_ends_the_login_before_anything_is_exchanged() {
    let mut me = Person::new();
    let server = me.practice(Manners::Sandbox);
    let wrong = |url: &str| vec![go(&with(&decided(url, "allow"), "iss", Some("https://evil.example")))];
    let done = me.browser(wrong).types("login practice");
    done.fails(7, "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Your browser should open there now.
        Waiting for the browser to come back.
        error: the redirect can't be trusted
        caused by: its `iss` is another server's: the answer may come from an attacker
        hint: nothing was exchanged; run `oauthctl login practice` again, and look closely at where you sign in
    ");
    assert_eq!(titles(&done.pages), [(200, "The sign-in did not complete")]);
    assert!(done.sent.is_empty() && server.log().iter().all(|l| l.path != "/token"));
    assert_eq!(me.browser(allows).types("login practice").code, 0);
}

#[test]
fn nobody_comes_back_in_five_minutes() {
    let mut me = Person::new();
    me.clock.hurry(301);
    me.at_a_terminal().types("login sandbox --no-browser").fails(6, "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Waiting. If the browser can't come back by itself, paste the address it ends on here, and press Enter.
        No browser on this machine? Type `allow` (or `deny`) here and press Enter: that presses the practice page's button. (It isn't shown.)
        error: nobody signed in within 300 s
        hint: oauthctl login sandbox
    ");
    me.at_a_terminal().types("login sandbox --no-browser --quiet --timeout 90s").fails(6, "
        http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256
        error: nobody signed in within 90 s
        hint: oauthctl login sandbox
    ");
    assert!(me.keychain.accounts().is_empty());
}

// L-38: the browser must not open (the double sees to that)
#[test]
fn a_port_that_is_taken_is_named_with_its_holder() {
    let mut me = Person::new();
    let (_taken, address) = serve::taken();
    let port = address.port();
    let done = me.types(&format!("login sandbox --port {port}"));
    assert_eq!(done.code, 75, "{}", done.err);
    let line = done.err.lines().next().unwrap();
    assert!(line.starts_with(&format!("error: port {port} is taken")), "{line}");
    if cfg!(target_os = "linux") {
        assert!(line.contains(&std::process::id().to_string()), "{line}");
    }
    assert!(done.err.contains("\nhint: stop the program that uses it"), "{}", done.err);
}

// databricks/cli#569
#[test]
fn the_first_free_one_of_several_ports_is_taken_and_each_holder_is_named() {
    let mut me = Person::new();
    let ((_held, first), (_held_too, second)) = (serve::taken(), serve::taken());
    let (first, second, free) = (first.port(), second.port(), own_port());
    let done = me.types(&format!("login sandbox --port {first},{second}"));
    assert_eq!(done.code, 75, "{}", done.err);
    for port in [first, second] {
        let holder = if cfg!(target_os = "linux") { " by `" } else { "" };
        assert!(done.err.lines().next().unwrap().contains(&format!("port {port} is taken{holder}")), "{}", done.err);
    }
    let done = me.browser(allows).types(&format!("login sandbox --port {first},{free}"));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err_raw.contains(&format!("127.0.0.1%3A{free}%2F")), "{}", done.err_raw);
    assert!(me.config_text().contains(&format!("port = \"{first},{free}\"\n")), "{}", me.config_text());
}

#[test]
fn behind_a_forwarder_the_listener_is_where_the_user_says() {
    let mut me = Person::new();
    let port = own_port();
    let done = me.browser(allows).types(&format!("login sandbox --listen 0.0.0.0 --port {port}"));
    assert_eq!(done.code, 0, "{}", done.err);
    let warning = "warning: other machines can reach the listener at 0.0.0.0 until this login ends; it takes";
    assert!(done.err_raw.contains(warning), "{}", done.err_raw);
    assert!(done.err_raw.contains(&format!("redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2F")), "{}", done.err_raw);
    assert!(me.config_text().contains("listen = \"0.0.0.0\"\n"), "{}", me.config_text());
    me.types("login sandbox --listen 192.0.2.1").fails(
        2,
        "
        error: this machine does not have the address 192.0.2.1
        hint: `--listen 0.0.0.0` or `--listen [::]` listens at all of its addresses
    ",
    );
    let pasted = me.types("login sandbox --listen 127.0.0.1 --redirect-uri https://me.example/cb");
    assert_eq!(pasted.code, 2, "{}", pasted.err);
    assert!(pasted.err.contains("nothing comes to the address of `--listen`"), "{}", pasted.err);
}

#[test]
fn where_no_browser_is_found_the_address_is_pasted() {
    let mut me = Person::new();
    let done = me.no_browser_found().pastes(|url| decided(url, "allow")).types("login sandbox");
    done.is(0, "", "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        No browser opened here (no browser was found): open the address yourself.
        Waiting. If the browser can't come back by itself, paste the address it ends on here, and press Enter.
        No browser on this machine? Type `allow` (or `deny`) here and press Enter: that presses the practice page's button. (It isn't shown.)
        Signed in to Practice server (built in) as alice@example.test. The token of `sandbox` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token sandbox   or   oauthctl call sandbox /me
    ");
}

#[test]
fn over_ssh_the_tunnel_to_the_port_is_said() {
    let mut me = Person::new();
    me.set("SSH_CONNECTION", "203.0.113.9 51000 192.0.2.7 22");
    me.pastes(|url| decided(url, "allow")).types("login sandbox").is(0, "", "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        This session came over SSH. For the browser on your own machine to reach it, run there:

          ssh -N -L PORT:127.0.0.1:PORT -L PORT:127.0.0.1:PORT 192.0.2.7

        or paste the address that the browser ends on here, and press Enter.
        No browser on this machine? Type `allow` (or `deny`) here and press Enter: that presses the practice page's button. (It isn't shown.)
        Signed in to Practice server (built in) as alice@example.test. The token of `sandbox` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token sandbox   or   oauthctl call sandbox /me
    ");
}

#[test]
fn over_ssh_the_line_can_be_pasted_whatever_the_address_and_the_port() {
    for (connection, user, end) in [
        ("fd00::5 51000 fd00::9 22", "", " fd00::9"),
        ("fd00::5 51000 fd00::9 2222", "ann", " ann@fd00::9"),
        ("203.0.113.9 51000 192.0.2.7 2222", "ann", " ann@192.0.2.7"),
    ] {
        let mut me = Person::new();
        me.set("SSH_CONNECTION", connection).set("USER", user);
        let done = me.pastes(|url| decided(url, "allow")).types("login sandbox");
        let line = done.err.lines().find(|l| l.starts_with("  ssh -N")).unwrap_or_else(|| panic!("{}", done.err));
        assert!(line.ends_with(end), "{line}");
        assert_eq!(line.contains(" -p 2222 -L "), connection.ends_with(" 2222"), "{line}");
    }
}

#[test]
fn ssh_is_known_by_each_of_its_variables_and_a_script_is_not_told_to_paste() {
    for (variable, value, end, display) in [
        ("SSH_CLIENT", "203.0.113.9 51000 2222", " THIS-MACHINE", "DISPLAY"),
        ("SSH_TTY", "/dev/pts/3", " THIS-MACHINE", "WAYLAND_DISPLAY"),
        ("SSH_CONNECTION", "203.0.113.9 51000 192.0.2.7 2222", " 192.0.2.7", "DISPLAY"),
    ] {
        let mut me = Person::new();
        me.set(variable, value).set(display, ":0");
        let done = me.browser(allows).types("login sandbox");
        assert_eq!(done.code, 0, "{}", done.err);
        let line = done.err.lines().find(|l| l.starts_with("  ssh -N")).unwrap_or_else(|| panic!("{}", done.err));
        assert!(line.ends_with(end), "{line}");
        assert_eq!(line.contains(" -p 2222 "), value.ends_with("2222"), "{line}");
        assert!(!done.err.contains("paste"), "{}", done.err);
    }
}

#[test]
fn a_listener_at_ipv6_is_forwarded_in_brackets_and_its_address_is_said_as_it_is() {
    let mut me = Person::new();
    let port = own_port();
    let redirect = format!("http://[::1]:{port}/cb");
    let asked = me.types(&format!("login constantcontact --redirect-uri {redirect}"));
    assert!(asked.err_raw.contains(&format!("with the redirect URL {redirect}\n")), "{}", asked.err_raw);
    me.set("SSH_CONNECTION", "fd00::5 51000 fd00::9 22").clock.hurry(301);
    let done = me.types(&format!("login sandbox --redirect-uri {redirect}"));
    assert!(done.err_raw.contains(&format!("ssh -N -L '{port}:[::1]:{port}' -L ")), "{}", done.err_raw);
}

#[test]
fn in_ci_nothing_is_opened_and_nothing_is_asked() {
    let mut me = Person::new();
    me.set("CI", "true");
    me.clock.hurry(301);
    me.types("login sandbox").fails(6, "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Waiting for the browser to come back.
        No browser on this machine? `oauthctl login sandbox --grant device-code` prints a line for curl.
        error: nobody signed in within 300 s
        hint: oauthctl login sandbox
    ");
    me.types("login getresponse").fails(
        2,
        "
        error: no client id is known for `getresponse`, and there is no terminal to ask at
        hint: register an app at https://app.getresponse.com/authorizations
        hint: choose there: `Profile > Integrations & API > Authorizations`, `Add new app`
        hint: oauthctl login getresponse --client-id ID --client-secret-file FILE
        hint: in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET
    ",
    );
    me.types("login getresponse --client-id an-id").fails(
        2,
        "
        error: the provider wants a client secret
        hint: give it with `--client-secret-file FILE` (`-`: standard input)
        hint: in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET
    ",
    );
}

#[test]
fn a_signal_ends_the_wait_and_nothing_is_stored() {
    for (signal, code, words) in [
        (2, 130, "error: interrupted; nobody was signed in\n"),
        (15, 143, "error: ended by a signal; nobody was signed in\n"),
    ] {
        let mut me = Person::new();
        let done = me.signal(signal).types("login sandbox --no-browser -q");
        assert_eq!((done.code, done.err.split_once("\n").unwrap().1), (code, words));
        assert!(me.keychain.accounts().is_empty());
    }
}

#[test]
fn a_first_login_asks_for_the_app_and_keeps_it() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.answers("practice-client").answers_hidden("practice-secret").browser(looks).pastes(|url| decided(url, "allow"));
    let done = me.types("login getresponse");
    done.is(0, "", "
        To sign in to GetResponse you need an app of your own there (its client id and client secret).
          Register it at: https://app.getresponse.com/authorizations
          Choose there: `Profile > Integrations & API > Authorizations`, `Add new app`
          Redirect URL to enter there: any https URL of your own; you paste the browser's last address
          For your own account you need neither that nor a browser: oauthctl login getresponse --grant client-credentials

        Client id (Enter opens that page): practice-client
        Client secret (not shown): 
        Sign in to GetResponse at this address:

          http://127.0.0.1:PORT/oauth2_authorize.html?response_type=code&client_id=practice-client&state=STATE

        Your browser should open there now.
        When you have signed in, the browser ends on a page of the app's own redirect address.
        Copy that page's whole address, paste it here, and press Enter (it isn't shown):
        Signed in to GetResponse as alice@example.test. The token of `getresponse` expires in 60 min, at 2026-11-21T23:00:00Z.
        It is stored in the keychain (Secret Service).
        Go on with:
          oauthctl token getresponse                                    a fresh access token, and nothing else
          oauthctl call getresponse '/accounts?fields=accountId,email'  a request to the API with it
          oauthctl status getresponse                                   how the login stands, and what comes next
    ");
    assert_eq!(
        me.config_text(),
        "[profiles.getresponse]\nprovider = \"getresponse\"\nclient-id = \"practice-client\"\n"
    );
    assert_eq!(me.record("getresponse")["client_secret"], "practice-secret");
    // neither redirect address nor PKCE nor scope, and the secret nowhere but in Basic
    let asked = server.log().into_iter().find(|l| l.path == "/v3/token").unwrap();
    assert_eq!(asked.form.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["grant_type", "code"]);
    assert_eq!(asked.basic.unwrap().secret, fingerprint(b"practice-secret"));
    // the second one asks nothing
    let again = me.browser(looks).pastes(|url| decided(url, "allow")).types("login getresponse");
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(me.record("getresponse")["generation"], 2);
}

#[test]
fn wrong_addresses_are_told_apart_until_the_right_one_is_pasted() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.answers("practice-client")
        .answers_hidden("practice-secret")
        .browser(looks)
        .pastes(|_| "what is this".to_owned())
        .pastes(|_| "https://example.test/gr_callback".to_owned())
        .pastes(|url| with(&decided(url, "allow"), "state", Some("another")))
        .pastes(|url| with(&decided(url, "allow"), "state", None))
        .pastes(|url| decided(url, "allow"));
    assert_eq!(me.types("login getresponse").code, 0);
    me.browser(looks)
        .pastes(|_| "what is this".to_owned())
        .pastes(|_| "https://example.test/gr_callback".to_owned())
        .pastes(|url| with(&decided(url, "allow"), "state", Some("another")))
        .pastes(|url| decided(url, "deny"));
    me.types("login getresponse").fails(
        3,
        "
        Sign in to GetResponse at this address:

          http://127.0.0.1:PORT/oauth2_authorize.html?response_type=code&client_id=practice-client&state=STATE

        Your browser should open there now.
        When you have signed in, the browser ends on a page of the app's own redirect address.
        Copy that page's whole address, paste it here, and press Enter (it isn't shown):
        That is not an address (https://…?code=…&state=…). Paste the whole address from the browser's address bar:
        That address is not the answer to this sign-in: it has no `state`. Paste another:
        That address is not the answer to this sign-in: its `state` is not this login's. Paste another:
        error: the sign-in was refused
        caused by: the provider answered `access_denied`
        hint: oauthctl login getresponse
    ",
    );
    assert_eq!(me.record("getresponse")["generation"], 1, "the tokens of before are kept");
}

#[test]
fn an_address_is_taken_as_it_was_copied() {
    for copied in [
        |url: String| format!("\"{url}\""),
        |url: String| format!("<{}>", url.replace("127.0.0.1", "localhost")),
        |url: String| url.replace("http://", ""),
        |url: String| url.split_once('?').expect("a query").1.to_owned(),
    ] {
        let mut me = Person::new();
        let done = me.pastes(move |url| copied(decided(url, "allow"))).types("login sandbox --no-browser");
        assert_eq!(done.code, 0, "{}", done.err);
    }
    let mut me = Person::new();
    let half = |url: &str| {
        let whole = decided(url, "allow");
        let at = whole.find("code=").expect("a code") + 9;
        (whole[..at].to_owned(), whole[at..].to_owned())
    };
    let other = Arc::new(Mutex::new(String::new()));
    let keep = other.clone();
    me.pastes(move |url| {
        let (first, second) = half(url);
        *keep.lock().unwrap() = second;
        first
    });
    let done = me.pastes(move |_| other.lock().unwrap().clone()).types("login sandbox --no-browser");
    assert_eq!(done.code, 0, "{}", done.err);
    // the state is still checked
    let mut me = Person::new();
    let wrong = |url: &str| with(&decided(url, "allow"), "state", Some("another"));
    me.pastes(move |url| wrong(url).split_once('?').expect("a query").1.to_owned());
    let done = me.pastes(|url| decided(url, "allow")).types("login sandbox --no-browser");
    assert!(done.code == 0 && done.err.contains("its `state` is not this login's"), "{}", done.err);
}

#[test]
fn an_address_for_another_redirect_is_not_taken() {
    let mut me = Person::new();
    let done = me
        .pastes(|url| decided(url, "allow").replace("/callback/", "/elsewhere/"))
        .pastes(|url| decided(url, "allow"))
        .types("login sandbox --no-browser");
    done.is(0, "", "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Waiting. If the browser can't come back by itself, paste the address it ends on here, and press Enter.
        No browser on this machine? Type `allow` (or `deny`) here and press Enter: that presses the practice page's button. (It isn't shown.)
        That address does not begin with http://127.0.0.1:PORT/callback/RANDOM. Paste the one that the browser ends on:
        Signed in to Practice server (built in) as alice@example.test. The token of `sandbox` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token sandbox   or   oauthctl call sandbox /me
    ");
}

#[test]
fn a_port_that_is_none_is_refused_before_anything_happens() {
    let mut me = Person::new();
    me.types("login sandbox --port 0").fails(
        2,
        "
        error: `0` is no value of `--port <PORTS>`
        hint: it is a port from 1 to 65535, or several, 16 at most: `8976-8980`, `8976,9000`
        hint: `oauthctl login --help` shows the usage
    ",
    );
}

#[test]
fn quiet_still_tells_the_address_where_no_browser_opened() {
    let mut me = Person::new();
    let done = me.pastes(|url| decided(url, "allow")).types("login sandbox -q --no-browser");
    done.is(0, "", "
        http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256
    ");
    me.browser(allows).types("login sandbox -q").is(0, "", "");
}

#[test]
fn where_nothing_can_be_pasted_the_login_ends_at_once() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.stdin("practice-secret").browser(looks);
    me.types("login getresponse -q --client-id practice-client --client-secret-file -").fails(
        6,
        "
        error: the input ended before an address was pasted; nobody was signed in
        hint: run `oauthctl login getresponse --client-id practice-client` in a terminal
    ",
    );
}

// P-14: where nobody can be asked, only a flag says yes
#[test]
fn a_sign_in_without_a_state_is_kept_unasked_only_by_a_flag() {
    for (flag, code) in [("", 7), (" -q", 7), (" --yes", 0), (" --yes -q", 0)] {
        let mut me = Person::new();
        let _server = me.practice(Manners::VerticalResponse);
        me.stdin("practice-secret");
        let line = format!(
            "login verticalresponse --client-id practice-client --client-secret-file - --redirect-uri http://127.0.0.1:{}/cb{flag}",
            own_port()
        );
        let done = me.browser(allows).types(&line);
        assert_eq!(done.code, code, "{flag}: {}", done.err);
        assert!(done.err.contains("it is alice@example.test (user_id 3693524085)"), "{flag}: {}", done.err);
        assert_eq!(me.keychain.accounts().is_empty(), code != 0, "{flag}");
    }
}

// S6, C-11: nothing ties that redirect to this login, so the person is shown who it is and asked
#[test]
fn verticalresponse_is_signed_in_to_with_a_path_of_ones_own() {
    let mut me = Person::new();
    let server = me.practice(Manners::VerticalResponse);
    let port = own_port();
    let line = format!("login verticalresponse --redirect-uri http://127.0.0.1:{port}/cb");
    me.answers("practice-client").answers_hidden("practice-secret").answers("y").browser(allows);
    let done = me.types(&line);
    assert_eq!(titles(&done.pages), [(200, "Go back to your terminal now")]);
    done.is(0, "", "
        To sign in to VerticalResponse (classic) you need an app of your own there (its client id and client secret).
          Register it at: https://secure.mashery.com/login/developer.verticalresponse.com/
          Redirect URL to enter there: http://127.0.0.1:PORT/cb   (exactly so, with the port)

        Client id: practice-client
        Client secret (not shown): 
        Sign in to VerticalResponse (classic) at this address:

          http://127.0.0.1:PORT/api/v1/oauth/authorize?client_id=practice-client&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcb&state=STATE

        Your browser should open there now.
        Waiting. If the browser can't come back by itself, paste the address it ends on here, and press Enter.
        VerticalResponse (classic) does not return the value that proves that this sign-in began here.
        It is the account alice@example.test (user_id 3693524085).
        Is that your account, and should its token be stored? [y/N]: y
        Signed in to VerticalResponse (classic) as alice@example.test. The token of `verticalresponse` has no known expiry.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token verticalresponse   or   oauthctl call verticalresponse /users/3693524085
    ");
    assert_eq!(me.record("verticalresponse")["token"]["expires_at"], json!(null));
    let asked = server.log().into_iter().find(|l| l.path == "/api/v1/oauth/access_token").unwrap();
    assert_eq!(asked.method, "GET");
    assert_eq!(
        asked.query.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
        ["client_id", "client_secret", "code", "redirect_uri"]
    );
    // another account in the browser: the person says no, and the login of before stays
    let before = me.record("verticalresponse");
    me.answers("n").browser(allows).types("login verticalresponse").fails(3, "
        Sign in to VerticalResponse (classic) at this address:

          http://127.0.0.1:PORT/api/v1/oauth/authorize?client_id=practice-client&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcb&state=STATE

        Your browser should open there now.
        Waiting. If the browser can't come back by itself, paste the address it ends on here, and press Enter.
        VerticalResponse (classic) does not return the value that proves that this sign-in began here.
        It is the account alice@example.test (user_id 3693524085).
        Is that your account, and should its token be stored? [y/N]: n
        error: the tokens were not stored
        caused by: VerticalResponse (classic) does not support revoking a token: it stays valid until it expires, or until you remove the app in your account there
        hint: oauthctl login verticalresponse
    ");
    assert_eq!(me.record("verticalresponse"), before);
}

#[test]
fn constant_contact_comes_back_over_https() {
    let mut me = Person::new();
    let port = own_port();
    let redirect = format!("https://localhost:{port}");
    let _server = me.practice_for(oauthctl::sandbox::Options::new(Manners::ConstantContact), &redirect);
    me.answers("practice-client").answers_hidden("practice-secret").browser(allows);
    let done = me.types(&format!("login constantcontact --redirect-uri {redirect}"));
    done.is(0, "", "
        To sign in to Constant Contact you need an app of your own there (its client id and client secret).
          Register it at: https://app.constantcontact.com/pages/dma/portal/
          Choose there: the flow and the kind of refresh token can't be changed later; an app of type PKCE has no secret
          Redirect URL to enter there: https://localhost:PORT   (exactly so, with the port)

        Client id: practice-client
        Client secret (not shown; Enter if the app has none): 
        Sign in to Constant Contact at this address:

          http://127.0.0.1:PORT/oauth2/default/v1/authorize?response_type=code&client_id=practice-client&redirect_uri=https%3A%2F%2Flocalhost%3APORT&scope=account_read%20contact_data%20campaign_data%20offline_access&state=STATE

        Your browser should open there now.
        The browser will warn of an unknown certificate when it comes back: this program made it just now, for this one answer. Go on past the warning.
        Waiting. If the browser can't come back by itself, paste the address it ends on here, and press Enter.
        Signed in to Constant Contact. The token of `constantcontact` expires in 24 h, at 2026-11-22T22:00:00Z.
        The login ends in 180 days, at 2027-05-20T22:00:00Z, if it is not used.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token constantcontact   or   oauthctl call constantcontact /account/user/privileges
    ");
    assert_eq!(titles(&done.pages), [(200, "You're signed in")]);
    assert!(done.pages[0].url.starts_with("https://localhost"), "{}", done.pages[0].url);
}

#[test]
fn client_credentials_need_no_person() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.stdin("practice-secret\n");
    me.types("login getresponse --grant client-credentials --client-id practice-client --client-secret-file -").is(0, "", "
        Signed in to GetResponse as alice@example.test. The token of `getresponse` expires in 24 h, at 2026-11-22T22:00:00Z.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token getresponse   or   oauthctl call getresponse '/accounts?fields=accountId,email'
    ");
    assert_eq!(me.record("getresponse")["grant"], "client-credentials");
    assert_eq!(me.record("getresponse")["token"]["refresh_token"], json!(null));
    assert_eq!(server.log().len(), 2);
}

#[test]
fn a_wrong_client_secret_is_told_and_nothing_is_stored() {
    let mut me = Person::new();
    let _server = me.practice(Manners::VerticalResponseVr2);
    me.stdin("not-the-right-one\n");
    me.types("login vr2 --grant client-credentials --client-id practice-client --client-secret-file -").fails(2, "
        error: no token was issued for these client credentials
        caused by: the server answered `invalid_client`: The client_id is unknown, or the client_secret does not match it.
        hint: check the client id, and the client secret from standard input
    ");
    assert!(me.keychain.accounts().is_empty());
    let _gr = me.practice(Manners::GetResponse);
    me.stdin("not-the-right-one\n");
    me.types("login getresponse --grant client-credentials --client-id practice-client --client-secret-file -").fails(2, "
        error: no token was issued for these client credentials
        caused by: the server answered `invalid_client`: Unable to authenticate request. Check credentials or authentication method details
        hint: check the client id, and the client secret from standard input
    ");
    assert!(me.keychain.accounts().is_empty());
}

#[test]
fn a_client_secret_on_the_command_line_is_no_flag() {
    let mut me = Person::new();
    me.types("login sandbox --client-secret hush-hush").fails(
        2,
        "
        error: there is no option `--client-secret`
        hint: a secret on the command line is not secret; instead: `--client-secret-file FILE` (`-`: standard input), or OAUTHCTL_CLIENT_SECRET
        hint: `oauthctl login --help` shows the usage
    ",
    );
}

#[test]
fn a_second_login_replaces_the_tokens_only_once_the_new_ones_are_there() {
    let mut me = Person::new();
    me.signed_in();
    let before = me.record("sandbox");
    assert_eq!(me.browser(denies).types("login sandbox").code, 3);
    me.clock.hurry(301);
    assert_eq!(me.types("login sandbox --no-browser").code, 6);
    me.clock.hurry(0);
    assert_eq!(me.record("sandbox"), before, "a login that fails keeps the old tokens");
    me.signed_in();
    let after = me.record("sandbox");
    assert_eq!(after["generation"], 2);
    assert_ne!(after["token"]["access_token"], before["token"]["access_token"]);
}

#[test]
fn a_token_from_outside_makes_a_login_useless_and_the_variable_is_named() {
    let mut me = Person::new();
    me.set("OAUTHCTL_SANDBOX_TOKEN", "from-outside-0123").types("login sandbox").fails(
        2,
        "
        error: the token of `sandbox` comes from the variable OAUTHCTL_SANDBOX_TOKEN: a login would have no effect
        hint: unset OAUTHCTL_SANDBOX_TOKEN
    ",
    );
}

#[test]
fn without_a_keychain_one_line_says_so_and_a_sealed_file_is_used() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
    me.browser(allows).types("login sandbox").is(0, "", "
        No keychain answers here (no session bus): the tokens go into sealed files in ~/state/oauthctl/store, their key beside them: whoever can read that folder can read them.
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Your browser should open there now.
        Waiting for the browser to come back.
        Signed in to Practice server (built in) as alice@example.test. The token of `sandbox` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in ~/state/oauthctl/store.
        Next: oauthctl token sandbox   or   oauthctl call sandbox /me
    ");
    assert!(me.config_text().contains("store = \"file\""), "{}", me.config_text());
    assert_eq!(me.types("token sandbox").code, 0);
    // said once, not each time
    me.browser(allows).types("login sandbox").is(0, "", "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Your browser should open there now.
        Waiting for the browser to come back.
        Signed in to Practice server (built in) as alice@example.test. The token of `sandbox` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in ~/state/oauthctl/store.
        Next: oauthctl token sandbox   or   oauthctl call sandbox /me
    ");
}

#[test]
fn a_keychain_that_was_asked_for_and_is_not_there_is_an_error() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
    me.types("login sandbox --store keychain").fails(
        5,
        "
        error: there is no keychain: no session bus
        hint: keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it
        hint: `oauthctl doctor` looks at every store
    ",
    );
    me.set("OAUTHCTL_STORE", "keychain").types("login sandbox").fails(
        5,
        "
        error: there is no keychain: no session bus
        hint: keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it
        hint: `oauthctl doctor` looks at every store
    ",
    );
    assert!(!me.path("state/oauthctl/store").exists());
}

#[test]
fn a_keychain_that_does_not_serve_ends_the_login_before_the_browser_opens() {
    for (fault, err) in [
        (KeychainError::Locked, "the keychain (Secret Service) is locked"),
        (KeychainError::Denied("no".to_owned()), "access to the keychain (Secret Service: no) was denied"),
        (KeychainError::TimedOut(3), "the keychain (Secret Service) did not answer within 3 seconds"),
        (KeychainError::Failed("broken".to_owned()), "the keychain (Secret Service) failed: broken"),
    ] {
        let mut me = Person::new();
        me.keychain.fault(Fault::Always(fault.clone()));
        let done = me.types("login sandbox");
        assert_eq!((done.code, done.err.lines().next()), (5, Some(format!("error: {err}").as_str())), "{fault:?}");
        assert!(done.err.contains("\nhint: "), "{}", done.err);
    }
}

#[test]
fn tokens_that_can_not_be_kept_are_no_success() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Forgets);
    let done = me.browser(allows).types("login sandbox");
    done.fails(74, "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Your browser should open there now.
        Waiting for the browser to come back.
        error: the new token of `sandbox` could not be saved
        caused by: the keychain (Secret Service) said that it saved the record, but gives back another
        caused by: the provider has revoked the tokens
        hint: `oauthctl doctor` looks at every store
        hint: oauthctl login sandbox
    ");
    assert_eq!(titles(&done.pages), [(200, "The sign-in did not complete")], "the page tells the truth");
    // an earlier login is still stored, and a provider may end it with the new one
    let mut me = Person::new();
    me.signed_in();
    me.keychain.fault(Fault::Forgets);
    let done = me.browser(allows).types("login sandbox");
    assert!(done.code == 74 && !done.err.contains("revoked"), "{}", done.err);
    me.keychain.fault(Fault::None);
    assert_eq!(me.types("refresh sandbox").code, 0);
}

#[test]
fn a_record_too_long_for_one_item_is_kept_in_parts() {
    let mut me = Person::new();
    *me.keychain.item_limit.lock().unwrap() = Some(200);
    me.signed_in();
    assert!(me.keychain.accounts().len() > 2, "{:?}", me.keychain.accounts());
    let token = me.types("token sandbox --no-cache");
    assert_eq!((token.code, token.out.len()), (0, 41));
}

#[test]
fn flags_make_a_profile_that_is_remembered() {
    let mut me = Person::new();
    me.browser(allows).types("login work --provider sandbox --scope read --param prompt=login --store file").is(0, "", "
        The tokens go into sealed files in ~/state/oauthctl/store, their key beside them: whoever can read that folder can read them.
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=read%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256&prompt=login

        Your browser should open there now.
        Waiting for the browser to come back.
        Signed in to Practice server (built in) as alice@example.test. The token of `work` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in ~/state/oauthctl/store.
        Next: oauthctl token work   or   oauthctl call work /me
    ");
    assert_eq!(
        me.config_text(),
        "[profiles.work]\nprovider = \"sandbox\"\nstore = \"file\"\nscopes = [\"read\"]\n\n[profiles.work.params]\nprompt = \"login\"\n"
    );
    assert!(me.keychain.accounts().is_empty());
}

#[test]
fn a_token_answer_that_can_not_be_used_stores_nothing() {
    for (status, kind, body, code) in [
        (200, "text/html", "<html>Welcome</html>", 7),
        (200, "application/json", "", 7),
        (200, "application/json", "[]", 7),
        (200, "application/json", r#"{"token_type":"Bearer"}"#, 7),
        (200, "application/json", r#"{"access_token":"abc-123-def","token_type":"mac"}"#, 7),
        (200, "application/json", r#"{"access_token":"a b","token_type":"Bearer"}"#, 7),
        (302, "text/html", "", 7),
        (400, "application/json", r#"{"error":"invalid_grant"}"#, 4),
        (401, "application/json", r#"{"error":"invalid_client"}"#, 2),
        (503, "text/plain", "down", 75),
        (429, "text/plain", "slow", 75),
    ] {
        let mut me = Person::new();
        let odd = me.odd("odd", move |_| answer(status, kind, body));
        me.config("providers/odd.toml", &odd.provider("odd"));
        let act = |url: &str| {
            let asked = url::Url::parse(url).unwrap();
            let of = |name: &str| asked.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
            vec![go(&format!("{}?code=a-code-of-theirs&state={}", of("redirect_uri"), of("state")))]
        };
        let done = me.browser(act).types("login odd");
        assert_eq!((done.code, odd.asked()), (code, 1), "{status} {body}: {}", done.err);
        assert_eq!(titles(&done.pages), [(200, "The sign-in did not complete")], "{body}");
        assert!(me.keychain.accounts().is_empty(), "{body}");
        assert!(done.err.contains("error: the code could not be exchanged\ncaused by: "), "{}", done.err);
    }
}

#[test]
fn verbose_shows_each_step_and_no_secret() {
    let mut me = Person::new();
    let done = me.browser(allows).types("login sandbox -v");
    assert_eq!(done.code, 0);
    let (access, refresh) = (me.kept("sandbox", "access_token"), me.kept("sandbox", "refresh_token"));
    assert!(done.err_raw.contains(&shown(&access)) && done.err_raw.contains(&shown(&refresh)), "{}", done.err_raw);
    for secret in [access, refresh] {
        assert!(!done.err_raw.contains(&secret[..12]));
    }
    let exchanged = done.err_raw.lines().find(|l| l.starts_with("* >   body: grant_type=authorization_code")).unwrap();
    assert!(exchanged.contains("code=[sha256:") && exchanged.contains("code_verifier=[sha256:"), "{exchanged}");
}

// home-manager#1654: a configuration that another program makes
#[cfg(unix)]
#[test]
fn a_login_whose_profile_cannot_be_written_is_kept_and_says_the_lines() {
    let mut me = Person::new();
    let elsewhere = me.path("made-by-another-program");
    std::fs::create_dir_all(me.path("config/oauthctl")).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("config.toml"), me.path("config/oauthctl/config.toml")).unwrap();
    let done = me.browser(allows).types("login work --provider sandbox --scope email");
    assert_eq!(done.code, 0, "{}", done.err);
    let (said, lines) = done.err.split_once("config.toml lacks the profile: ").unwrap();
    assert!(said.ends_with("warning: "), "{said}");
    let (why, lines) = lines.split_once("; add these lines to it:\n\n").unwrap();
    assert!(why.contains("config.toml"), "{why}");
    let lines: String = lines.lines().take_while(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    assert_eq!(lines, "[profiles.work]\nprovider = \"sandbox\"\nscopes = [\"email\"]\n");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("config.toml"), lines).unwrap();
    me.types("token work").is(0, &format!("{}\n", me.kept("work", "access_token")), "");
}
