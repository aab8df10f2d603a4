//! `token`: prints only the token, at once, and may do anything for it but ask the user. The
//! doubles fail a test that opens a browser or asks a question.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauthctl::sandbox::{Manners, Options};
use oauthctl::world::KeychainError;
use serde_json::{Value, json};

use crate::world::robot::allows;
use crate::world::{Fault, Person, START, answer};

fn signed_in() -> Person {
    let mut me = Person::new();
    me.signed_in();
    me
}

#[test]
fn prints_the_token_and_a_newline_and_nothing_else() {
    let mut me = signed_in();
    let token = me.kept("sandbox", "access_token");
    let reads = me.keychain.reads();
    let done = me.types("token sandbox");
    done.is(0, &format!("{token}\n"), "");
    assert!(done.sent.is_empty());
    assert_eq!(me.keychain.reads(), reads, "the kernel's copy answered");
    me.copies.clear();
    me.types("token sandbox").is(0, &format!("{token}\n"), "");
    assert_eq!(me.keychain.reads(), reads + 1, "one read of the store");
    // the only profile needs no name
    me.types("token").is(0, &format!("{token}\n"), "");
}

#[test]
fn a_template_has_the_members_of_the_json_form_and_no_gap() {
    let mut me = signed_in();
    let token = me.kept("sandbox", "access_token");
    me.later(10);
    let mut fill = |template: &str| me.runs(&["token", "sandbox", "--format", "template", "--template", template]);
    for (template, out) in [
        ("t={{ access_token }}\nu={{ profile | upper }}", format!("t={token}\nu=SANDBOX\n")),
        ("{{ {'a': access_token, 'in': expires_in} | tojson }}", format!("{{\"a\": \"{token}\", \"in\": 590}}\n")),
        ("{% for s in scope | split(' ') %}<{{ s }}>{% endfor %}", "<profile><email><offline_access>\n".to_owned()),
        ("{{ scope | urlencode }} {{ nothing | default('-') }}", "profile%20email%20offline_access -\n".to_owned()),
    ] {
        fill(template).is(0, &out, "");
    }
    let names = "hint: its variables are profile, access_token, token_type, expires_at, expires_in, scope\n";
    let wrong = "error: the template can't be filled\ncaused by: ";
    for (template, why) in [
        ("a\n{{ refresh_token }}", "undefined value (line 2)"),
        ("{{ access_token", "unexpected end of input, expected end of variable block (line 1)"),
        ("{% include '/etc/passwd' %}", "unknown statement include (line 1)"),
    ] {
        fill(template).is(2, "", &format!("{wrong}{why}\n{names}"));
    }
    let done = me.types("token sandbox --format template");
    done.is(2, "", "error: `--format template` needs `--template`\n");
    let done = me.types("token sandbox --template x");
    done.is(2, "", "error: `--template` is not for `--format text`\n");
}

#[test]
fn each_format_is_printed_whole() {
    let mut me = signed_in();
    let token = me.kept("sandbox", "access_token");
    me.later(10);
    for (format, out) in [
        ("text", format!("{token}\n")),
        ("header", format!("Authorization: Bearer {token}\n")),
        ("env", format!("export OAUTHCTL_SANDBOX_TOKEN={token}\n")),
        ("dotenv", format!("OAUTHCTL_SANDBOX_TOKEN={token}\n")),
        ("fish", format!("set -gx OAUTHCTL_SANDBOX_TOKEN '{token}'\n")),
        ("powershell", format!("$env:OAUTHCTL_SANDBOX_TOKEN = '{token}'\n")),
        ("curl", format!("header = \"Authorization: Bearer {token}\"\n")),
        ("netrc", format!("machine 127.0.0.1 login oauth2 password {token}\n")),
        (
            "json",
            format!(
                "{}\n",
                json!({
                    "profile": "sandbox", "access_token": token, "token_type": "Bearer",
                    "expires_at": "2026-11-21T22:10:00Z", "expires_in": 590, "scope": "profile email offline_access",
                })
            ),
        ),
        ("bearer", format!("Bearer {token}\n")),
        (
            "sasl-xoauth2 --user ann@mail.example",
            format!("{}\n", STANDARD.encode(format!("user=ann@mail.example\u{1}auth=Bearer {token}\u{1}\u{1}"))),
        ),
        (
            "sasl-oauthbearer --user a=n,n",
            format!("{}\n", STANDARD.encode(format!("n,a=a=3Dn=2Cn,\u{1}auth=Bearer {token}\u{1}\u{1}"))),
        ),
        (
            "sasl-oauthbearer --user ann --server mail.example:993",
            format!(
                "{}\n",
                STANDARD
                    .encode(format!("n,a=ann,\u{1}host=mail.example\u{1}port=993\u{1}auth=Bearer {token}\u{1}\u{1}"))
            ),
        ),
        (
            "sasl-oauthbearer --user ann --server [::1]",
            format!("{}\n", STANDARD.encode(format!("n,a=ann,\u{1}host=::1\u{1}auth=Bearer {token}\u{1}\u{1}"))),
        ),
        ("pgpass --user a:n\\n --server db.example", format!("db.example:5432:*:a\\:n\\\\n:{token}\n")),
        ("pgpass --user ann --server [::1]:5433", format!("\\:\\:1:5433:*:ann:{token}\n")),
        (
            "exec-credential",
            format!(
                "{}\n",
                json!({
                    "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                    "status": { "token": token, "expirationTimestamp": "2026-11-21T22:10:00Z" },
                })
            ),
        ),
    ] {
        me.types(&format!("token sandbox --format {format}")).is(0, &out, "");
    }
    let info = |version: &str| json!({ "apiVersion": version, "kind": "ExecCredential" }).to_string();
    let version = "client.authentication.k8s.io/v1beta1";
    me.set("KUBERNETES_EXEC_INFO", &info(version));
    let done = me.types("token sandbox --format exec-credential");
    assert!(done.code == 0 && done.out.contains(&format!("\"apiVersion\":\"{version}\"")), "{}", done.out);
    me.set("KUBERNETES_EXEC_INFO", &info("client.authentication.k8s.io/v1alpha1"));
    me.types("token sandbox --format exec-credential").fails(
        2,
        "
        error: KUBERNETES_EXEC_INFO asks for the `apiVersion` `client.authentication.k8s.io/v1alpha1`, which is not known
        hint: known are `client.authentication.k8s.io/v1`, `client.authentication.k8s.io/v1beta1`
    ",
    );
    me.set("KUBERNETES_EXEC_INFO", "{");
    let done = me.types("token sandbox --format exec-credential");
    assert!(done.code == 2 && done.err.contains("KUBERNETES_EXEC_INFO can't be read as JSON"), "{}", done.err);
    me.types("token sandbox").is(0, &format!("{token}\n"), "");
    for (line, says) in [
        ("token sandbox --format sasl-xoauth2", "`--format sasl-xoauth2` needs `--user`"),
        ("token sandbox --format pgpass --user ann", "`--format pgpass` needs `--server`"),
        ("token sandbox --user ann", "`--user` is not for `--format text`"),
        ("token sandbox --format sasl-xoauth2 --user ann --server a", "`--server` is not for `--format sasl-xoauth2`"),
        ("token sandbox --format dpop-proof --id-token", "is for an access token, not for an ID token"),
    ] {
        let done = me.types(line);
        assert!(done.code == 2 && done.out.is_empty() && done.err.contains(says), "{line}: {}", done.err);
    }
    for host in ["::1", "h:x", "h:99999", "https://h", "a b", "*", "#h", "h/x", "u@h"] {
        let done = me.runs(&["token", "sandbox", "--format", "pgpass", "--user", "ann", "--server", host]);
        assert!(done.code == 2 && done.out.is_empty(), "{host}: {}{}", done.out, done.err);
    }
    let done = me.runs(&["token", "sandbox", "--format", "pgpass", "--user", "a\nb", "--server", "a"]);
    assert!(done.code == 2 && done.err.contains("one line without control characters"), "{}", done.err);
    me.types("token sandbox --format yaml").fails(
        2,
        "
        error: `yaml` is no value of `--format <FORMAT>`
        hint: one of `text`, `json`, `header`, `bearer`, `env`, `dotenv`, `fish`, `powershell`, `curl`, `netrc`, `sasl-xoauth2`, `sasl-oauthbearer`, `pgpass`, `template`, `exec-credential`, `dpop-proof`
        hint: `oauthctl token --help` shows the usage
    ",
    );
}

#[test]
fn a_provider_without_an_api_has_no_netrc_entry() {
    let mut me = Person::new();
    let odd = me
        .odd("odd", |_| answer(200, "application/json", r#"{"access_token":"tok-0123456789","token_type":"Bearer"}"#));
    let text = odd.provider("odd");
    me.config("providers/odd.toml", text.split("[api]").next().unwrap());
    let line = "token odd --grant client-credentials --client-id ci --client-secret-file - --format netrc";
    me.stdin("a-secret").types(line).fails(2, "error: provider `odd` names no API host\n");
}

#[test]
fn a_token_about_to_expire_is_renewed_once() {
    let mut me = signed_in();
    let old = me.kept("sandbox", "access_token");
    me.later(539);
    me.types("token sandbox").is(0, &format!("{old}\n"), "");
    me.later(2);
    let done = me.types("token sandbox");
    let new = me.kept("sandbox", "access_token");
    done.is(0, &format!("{new}\n"), "");
    assert_ne!(new, old);
    assert_eq!(done.sent, ["POST http://127.0.0.1:PORT/token"]);
    let again = me.types("token sandbox");
    again.is(0, &format!("{new}\n"), "");
    assert!(again.sent.is_empty());
}

#[test]
fn min_ttl_asks_for_more_than_the_usual_margin() {
    let mut me = signed_in();
    let old = me.kept("sandbox", "access_token");
    me.types("token sandbox --min-ttl 600s").is(0, &format!("{old}\n"), "");
    me.later(1);
    me.types("token sandbox --min-ttl 9m").is(0, &format!("{old}\n"), "");
    let done = me.types("token sandbox --min-ttl 10m");
    assert_ne!(done.out.trim(), old);
    assert_eq!(done.sent.len(), 1);
    // B-06
    for far in ["18446744073709551615s", "9223372036854775807", "99999999999999d", "36526d"] {
        let done = me.types(&format!("token sandbox --min-ttl {far}"));
        assert!(done.code == 2 && done.err.contains("that is longer than a hundred years"), "{far}: {}", done.err);
    }
    me.types("token sandbox --min-ttl soon").fails(
        2,
        "
        error: `soon` is no value of `--min-ttl <TIME>`
        hint: write it as `90s`, `5m`, `2h` or `1d`
        hint: `oauthctl token --help` shows the usage
    ",
    );
}

#[test]
fn a_token_that_never_lives_so_long_is_given_with_a_word() {
    let mut me = signed_in();
    let done = me.types("token sandbox --min-ttl 2h");
    assert_eq!(done.sent.len(), 1);
    done.is(
        0,
        &format!("{}\n", me.kept("sandbox", "access_token")),
        "warning: this token expires in 10 min: the provider issues none with the requested lifetime\n",
    );
}

#[test]
fn force_refresh_renews_even_what_is_fresh() {
    let mut me = signed_in();
    let old = me.kept("sandbox", "access_token");
    let done = me.types("token sandbox --force-refresh");
    done.is(0, &format!("{}\n", me.kept("sandbox", "access_token")), "");
    assert_ne!(done.out.trim(), old);
    me.types("token sandbox --force-refresh --no-refresh").fails(
        2,
        "
        error: `--force-refresh` and `--no-refresh` exclude each other
        hint: `oauthctl token --help` shows the usage
    ",
    );
}

#[test]
fn no_refresh_prints_what_is_valid_and_never_renews() {
    let mut me = signed_in();
    let token = me.kept("sandbox", "access_token");
    me.later(590);
    me.types("token sandbox --no-refresh").is(0, &format!("{token}\n"), "");
    me.types("token sandbox --no-refresh --min-ttl 60s").fails(
        4,
        "
        error: the token of `sandbox` expires too soon, and `--no-refresh` forbids to refresh it
        hint: oauthctl refresh sandbox
    ",
    );
    me.later(20);
    me.types("token sandbox --no-refresh").fails(
        4,
        "
        error: the token of `sandbox` expires too soon, and `--no-refresh` forbids to refresh it
        hint: oauthctl refresh sandbox
    ",
    );
}

// T-45
#[test]
fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let mut me = Person::new();
    let odd = me.odd("odd", |_| {
        answer(
            200,
            "application/json",
            r#"{"access_token":"second-0123456789","token_type":"Bearer","expires_in":"3600"}"#,
        )
    });
    me.config("providers/odd.toml", &odd.provider("odd"));
    me.keychain.put("odd", &record("odd", START - 1).to_string());
    me.types("token odd").is(0, "second-0123456789\n", "");
    assert_eq!(me.kept("odd", "refresh_token"), "refresh-0123456789");
    assert_eq!(me.record("odd")["token"]["scopes"], json!(["a", "b"]));
    assert_eq!(me.record("odd")["token"]["expires_at"], START + 3600);
}

/// A login of before, as it is kept.
fn record(provider: &str, expires_at: i64) -> Value {
    json!({
        "oauthctl": 1, "generation": 4, "provider": provider, "client_id": "an-app", "grant": "authorization_code",
        "token": {
            "access_token": "first-0123456789", "token_type": "Bearer", "refresh_token": "refresh-0123456789",
            "received_at": expires_at - 3600, "expires_at": expires_at, "scopes": ["a", "b"],
        },
    })
}

#[test]
fn every_way_to_have_no_token_is_exit_4_with_the_command_to_type() {
    // never signed in
    let mut me = Person::new();
    me.types("token sandbox").fails(
        4,
        "
        error: no token is stored for `sandbox`
        hint: oauthctl login sandbox
    ",
    );
    me.types("token sandbox --no-refresh").fails(
        4,
        "
        error: no token is stored for `sandbox`
        hint: oauthctl login sandbox
    ",
    );
    // it can't be renewed any more
    let mut me = signed_in();
    me.tamper("sandbox", |r| r["token"]["refresh_token"] = json!("spent-long-ago-0123"));
    me.later(700);
    me.types("token sandbox").fails(
        4,
        "
        error: the login of `sandbox` has ended: the provider refuses to refresh it
        caused by: the server answered `invalid_grant`: the refresh token is unknown
        hint: oauthctl login sandbox
    ",
    );
    // and the dead one is not sent again
    let again = me.types("token sandbox");
    again.fails(
        4,
        "
        error: no token is stored for `sandbox`
        caused by: the provider ended the login
        caused by: the server answered `invalid_grant`: the refresh token is unknown
        hint: oauthctl login sandbox
    ",
    );
    assert!(again.sent.is_empty());
    // expired without a refresh token
    let mut me = signed_in();
    me.tamper("sandbox", |r| drop(r["token"].as_object_mut().unwrap().remove("refresh_token")));
    me.later(700);
    me.types("token sandbox").fails(
        4,
        "
        error: the token of `sandbox` has expired and has no refresh token
        hint: oauthctl login sandbox
    ",
    );
}

#[test]
fn a_token_that_names_no_lifetime_is_used_until_it_is_refused() {
    let mut me = Person::new();
    let _server = me.practice(Manners::VerticalResponse);
    me.answers_hidden("practice-secret").answers("y").browser(allows);
    let port = crate::world::own_port();
    let line = format!(
        "login vr --client-id practice-client --client-secret-file - --redirect-uri http://127.0.0.1:{port}/cb"
    );
    assert_eq!(me.types(&line).code, 0);
    me.later(40 * 86_400);
    me.types("token vr --min-ttl 2h").is(0, &format!("{}\n", me.kept("verticalresponse", "access_token")), "");
    me.types("token vr --force-refresh").fails(
        4,
        "
        error: the token of `verticalresponse` can't be refreshed at this provider
        hint: oauthctl login vr
    ",
    );
}

#[test]
fn a_token_from_outside_is_used_as_it_is() {
    let mut me = Person::new();
    me.set("OAUTHCTL_WORK_2_EU_TOKEN", "outside-0123456789");
    me.types("token work-2.eu --provider getresponse").is(0, "outside-0123456789\n", "");
    me.set("OAUTHCTL_GETRESPONSE_TOKEN", "outside-9876543210");
    me.types("token getresponse").is(0, "outside-9876543210\n", "");
    me.types("token getresponse --format json").is(
        0,
        "{\"profile\":\"getresponse\",\"access_token\":\"outside-9876543210\",\"token_type\":\"Bearer\"}\n",
        "",
    );
    me.types("token getresponse --force-refresh").fails(
        4,
        "
        error: the token of `getresponse` comes from the variable OAUTHCTL_GETRESPONSE_TOKEN: it can't be refreshed here
        hint: set OAUTHCTL_GETRESPONSE_TOKEN to a new one; or unset it, then `oauthctl login getresponse`
    ",
    );
    assert!(me.keychain.accounts().is_empty());
}

#[test]
fn a_ci_job_needs_no_keychain_no_terminal_and_no_file() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
    me.set("CI", "true").set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    let done = me.types("token getresponse --grant client-credentials");
    done.is(0, &done.out.clone(), "");
    assert_eq!(done.out.len(), 41);
    me.set("OAUTHCTL_GRANT", "client-credentials").set("OAUTHCTL_STORE", "none");
    let quiet = me.types("token getresponse");
    quiet.is(0, &quiet.out.clone(), "");
    assert_eq!(server.log().iter().filter(|l| l.path == "/v3/token").count(), 2);
}

#[test]
fn a_client_credentials_token_is_kept_and_renewed_by_asking_again() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    let first = me.types("token getresponse --grant client-credentials");
    assert_eq!(first.code, 0, "{}", first.err);
    me.types("token getresponse --grant client-credentials").is(0, &first.out, "");
    assert_eq!(server.log().len(), 1);
    assert!(!me.record("getresponse").to_string().contains("practice-secret"), "what comes from outside stays outside");
    me.later(86_400);
    let second = me.types("token getresponse --grant client-credentials");
    assert_eq!((second.code, server.log().len()), (0, 2));
    assert_ne!(first.out, second.out);
}

#[test]
fn github_masks_the_token_before_it_is_printed() {
    let mut me = signed_in();
    let token = me.kept("sandbox", "access_token");
    me.set("GITHUB_ACTIONS", "true");
    me.types("token sandbox").is(0, &format!("{token}\n"), &format!("::add-mask::{token}\n"));
    me.set("GITHUB_ACTIONS", "false");
    me.types("token sandbox").is(0, &format!("{token}\n"), "");
}

/// Its secret may be in there, so nothing else is to be said of it; one that comes from outside
/// needs no store.
#[test]
fn a_client_that_may_be_in_a_locked_keychain_waits_for_it() {
    for client_id in ["", "client-id = \"practice-client\"\n"] {
        let mut me = Person::new();
        let _server = me.practice(Manners::GetResponse);
        let profile = "[profiles.work]\nprovider = \"getresponse\"\ngrant = \"client-credentials\"\n";
        me.config("config.toml", &format!("{profile}{client_id}"));
        me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
        me.keychain.fault(Fault::Always(KeychainError::Locked));
        assert_eq!(me.types("token work").code, 0);
        me.unset("OAUTHCTL_CLIENT_ID").unset("OAUTHCTL_CLIENT_SECRET");
        for line in ["token work", "token work --no-cache", "whoami work --no-cache", "call work /accounts"] {
            let done = me.types(line);
            assert_eq!(done.code, 5, "{line}: {}", done.err);
            assert!(
                done.err.starts_with("error: the keychain (Secret Service) is locked\nhint: unlock"),
                "{}",
                done.err
            );
            assert!(done.sent.is_empty(), "{line}: {:?}", done.sent);
        }
        // where there is none, nothing can be in it
        me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
        assert_eq!(me.types("token work").code, 2, "{client_id}");
    }
}

#[test]
fn a_store_that_fails_is_exit_5_before_anything_is_spent() {
    let mut me = signed_in();
    me.later(700);
    me.keychain.fault(Fault::Always(KeychainError::Locked));
    let unreadable = me.types("token sandbox");
    unreadable.fails(
        5,
        "
        error: the keychain (Secret Service) is locked
        hint: unlock the keyring (log in to the desktop, or its password manager) and run the command again
        hint: or keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it
    ",
    );
    me.keychain.fault(Fault::Writes(KeychainError::Locked));
    let unwritable = me.types("token sandbox");
    unwritable.fails(
        5,
        "
        error: the keychain (Secret Service) is locked
        hint: unlock the keyring (log in to the desktop, or its password manager) and run the command again
        hint: or keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it
        hint: nothing was sent: the stored token is untouched
    ",
    );
    assert!(unreadable.sent.is_empty() && unwritable.sent.is_empty(), "the refresh token was not spent");
    me.keychain.fault(Fault::Always(KeychainError::TimedOut(3)));
    me.types("token sandbox").fails(
        5,
        "
        error: the keychain (Secret Service) did not answer within 3 seconds
        hint: answer it if it asks something, or restart it, and run the command again
        hint: or keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it
    ",
    );
    me.keychain.fault(Fault::None);
    assert_eq!(me.types("token sandbox").code, 0);
}

#[test]
fn a_new_token_that_can_not_be_saved_is_exit_74() {
    let mut me = signed_in();
    me.later(700);
    me.keychain.fault(Fault::Forgets);
    me.types("token sandbox").fails(74, "
        error: the new token of `sandbox` could not be saved
        caused by: the keychain (Secret Service) said that it saved the record, but gives back another
        hint: `oauthctl doctor` looks at every store
        hint: the answer is kept, sealed, in `~/state/oauthctl/journal/dbbb0e54397e5c4c45db794b5beab4f4.journal`: the next command saves it
    ");
}

#[test]
fn a_token_that_nobody_reads_is_an_error() {
    let mut me = signed_in();
    // H-25: for `token` a closed pipe is no quiet success
    for line in ["token sandbox", "token sandbox --no-cache"] {
        me.closed_pipe();
        assert_eq!(me.types(line).code, 1, "{line}");
        me.full_disk();
        assert_eq!(me.types(line).code, 1, "{line}");
    }
}

#[test]
fn a_record_of_another_provider_or_client_is_neither_served_nor_spent() {
    let mut me = signed_in();
    for (flags, differs) in
        [("--grant device-code", "was not obtained by the grant `device-code`"), ("--dpop", "is not bound to a key")]
    {
        let done = me.types(&format!("token sandbox {flags}"));
        let hint = format!("oauthctl login sandbox {flags}");
        done.fails(4, &format!("error: the token that is stored for `sandbox` {differs}\nhint: {hint}\n"));
        assert!(done.sent.is_empty(), "{flags}");
    }
    let done = me.set("OAUTHCTL_SANDBOX_CLIENT_ID", "another-app").types("token sandbox");
    assert_eq!(done.code, 7, "{}", done.err);
    assert!(done.err.contains("not by `another-app`"), "{}", done.err);
    assert!(done.sent.is_empty());
}

#[test]
fn a_token_from_outside_does_not_outlive_its_variable() {
    let mut me = Person::new();
    me.set("OAUTHCTL_GETRESPONSE_TOKEN", "outside-9876543210");
    assert_eq!(me.types("token getresponse").code, 0);
    assert!(me.copies.texts().is_empty());
    me.unset("OAUTHCTL_GETRESPONSE_TOKEN");
    assert_eq!(me.types("token getresponse").code, 4);
}

#[test]
fn a_damaged_record_is_told_and_left_alone() {
    let mut me = signed_in();
    me.copies.clear();
    me.keychain.put("sandbox", "{\"oauthctl\":1,\"token\":{}}");
    me.types("token sandbox").fails(
        5,
        "
        error: the keychain (Secret Service) holds a record that can't be read: it is not a record of this program
        hint: `oauthctl logout sandbox --local-only` forgets it unread, a client secret in it too
        hint: then: `oauthctl login sandbox`
    ",
    );
    me.keychain.put("sandbox", "{\"oauthctl\":99}");
    me.types("token sandbox").fails(
        5,
        "
        error: the record of `sandbox` in the keychain (Secret Service) was written by a newer oauthctl
        hint: update this program; it leaves the record as it is
    ",
    );
}

#[test]
fn a_changed_configuration_is_believed_at_once() {
    let mut me = signed_in();
    let token = me.kept("sandbox", "access_token");
    me.types("token sandbox").is(0, &format!("{token}\n"), "");
    me.config("config.toml", "cache = false\n[profiles.sandbox]\nprovider = \"sandbox\"\n");
    me.copies.clear();
    me.types("token sandbox").is(0, &format!("{token}\n"), "");
    assert!(me.copies.texts().is_empty(), "`cache = false` does without the copy");
}

// P-16, P-20
#[test]
fn no_copy_speaks_for_a_sealed_file_that_is_gone_or_another() {
    let mut me = Person::new();
    me.set("OAUTHCTL_STORE", "file").signed_in();
    let first = me.types("token sandbox").out;
    let of_first = me.copies.all();
    // the configuration stays as it was
    me.types("logout sandbox");
    me.copies.put_back(of_first.clone());
    assert_eq!(me.types("token sandbox").code, 4);
    me.signed_in();
    me.copies.put_back(of_first);
    let second = me.types("token sandbox").out;
    assert_ne!(second, first);
    assert_eq!(second, me.types("token sandbox --no-cache").out);
    // with the system's own tools
    assert_eq!(me.types("token sandbox").out, second);
    for file in std::fs::read_dir(me.path("state/oauthctl/store")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|end| end == "sealed") {
            std::fs::remove_file(file).unwrap();
        }
    }
    assert_eq!(me.types("token sandbox").code, 4);
}

/// Variables with values of the login of [`signed_in`].
const OF_THE_LOGIN: [(&str, &str); 6] = [
    ("OAUTHCTL_CLIENT_ID", "oauthctl"),
    ("OAUTHCTL_SANDBOX_CLIENT_ID", "oauthctl"),
    ("OAUTHCTL_GRANT", "authorization-code"),
    ("OAUTHCTL_SCOPE", "email"),
    ("OAUTHCTL_SCOPE", "profile,email"),
    ("OAUTHCTL_SANDBOX_SCOPE", "email"),
];

#[test]
fn the_kernels_copy_answers_where_variables_say_what_the_login_has() {
    for store in ["keychain", "file"] {
        let mut me = Person::new();
        me.set("OAUTHCTL_STORE", store).signed_in();
        let token = me.types("token sandbox").out;
        for (name, value) in OF_THE_LOGIN {
            me.set(name, value);
            // compared with the record once
            me.types("token sandbox").is(0, &token, "");
            let (reads, copies) = (me.keychain.reads(), me.copies.texts());
            for line in ["token sandbox", "token", "token sandbox --min-ttl 60s", "token sandbox --explain"] {
                let done = me.types(line);
                assert_eq!((done.code, &done.out), (0, &token), "{name} {line}: {}", done.err);
                assert!(
                    !line.contains("explain") || done.err.contains("the copy that the kernel keeps"),
                    "{}",
                    done.err
                );
            }
            me.types("token sandbox --format json");
            me.unset(name).types("token sandbox").is(0, &token, "");
            assert_eq!(me.copies.texts(), copies, "{name}");
            assert!(store != "keychain" || me.keychain.reads() == reads + 1, "{name}: JSON alone needs the store");
        }
        assert_eq!(me.copies.texts().len(), 6, "a copy, its usual link, and one for each other request");
        let reads = me.keychain.reads();
        me.set("OAUTHCTL_SCOPE", "").types("token sandbox").is(0, &token, "");
        assert_eq!(me.keychain.reads(), reads, "an empty variable says nothing");
    }
}

#[test]
fn a_request_for_another_token_leaves_the_kernels_copy_alone() {
    for (asks, code) in [
        ("OAUTHCTL_CLIENT_ID=another-app", 7),
        ("OAUTHCTL_SANDBOX_GRANT=device-code", 4),
        ("OAUTHCTL_GRANT=no-such-grant", 2),
        ("OAUTHCTL_SCOPE=write", 4),
        ("--scope write", 4),
        ("--scope email", 0),
    ] {
        for verb in ["token", "call"] {
            let mut me = signed_in();
            let token = me.types("token sandbox").out;
            let copies = me.copies.texts();
            let (variable, flags) = asks.split_once('=').map_or((None, asks), |variable| (Some(variable), ""));
            for _ in 0..2 {
                if let Some((name, value)) = variable {
                    me.set(name, value);
                }
                let path = if verb == "call" { "/me" } else { "" };
                let done = me.types(&format!("{verb} sandbox {path} {flags}"));
                assert_eq!(done.code, code, "{verb} {asks}: {}", done.err);
                assert!(code == 0 || done.out.is_empty(), "{verb} {asks}: {}", done.out);
                if let Some((name, _)) = variable {
                    me.unset(name);
                }
            }
            assert_eq!(me.copies.texts(), copies, "{verb} {asks}");
            let reads = me.keychain.reads();
            me.types("token sandbox").is(0, &token, "");
            assert_eq!(me.keychain.reads(), reads, "{verb} {asks}");
        }
    }
}

/// Each way makes the login of `sandbox` go, and leaves `config.toml` as it was where it can.
#[test]
fn no_link_of_a_login_that_is_gone_serves_a_later_one() {
    for way in ["", "logout sandbox --local-only", "profile remove sandbox", "profile rename sandbox play"] {
        for (name, value) in OF_THE_LOGIN {
            let mut me = Person::new();
            me.set(name, value).signed_in();
            let token = me.types("token sandbox").out;
            me.types("token sandbox").is(0, &token, "");
            me.unset(name).types("token sandbox").is(0, &token, "");
            if !way.is_empty() {
                let done = me.types(way);
                assert_eq!(done.code, 0, "{way}: {}", done.err);
                for set in [true, false] {
                    let done = if set { me.set(name, value) } else { me.unset(name) }.types("token sandbox");
                    assert_eq!((done.code, done.out.as_str()), (4, ""), "{way} {name} {set}: {}", done.err);
                }
            }
            // by a variable, which is not remembered: `email` was not asked for
            me.set("OAUTHCTL_SCOPE", "profile").signed_in();
            let later = me.types("token sandbox").out;
            assert_ne!(later, token, "{way}");
            me.unset("OAUTHCTL_SCOPE").types("token sandbox").is(0, &later, "");
            let done = me.set(name, value).types("token sandbox");
            match value.contains("email") {
                true => assert_eq!((done.code, done.out.as_str()), (4, ""), "{way} {name}: {}", done.err),
                false => drop(done.is(0, &later, "")),
            }
        }
    }
}

#[test]
fn a_logins_flags_say_nothing_of_a_request_by_variables() {
    let mut me = Person::new();
    me.set("OAUTHCTL_SCOPE", "email");
    assert_eq!(me.browser(allows).types("login sandbox --scope profile").code, 0);
    let done = me.types("token sandbox");
    assert_eq!((done.code, done.out.as_str()), (4, ""), "{}", done.err);
    let token = me.kept("sandbox", "access_token");
    me.unset("OAUTHCTL_SCOPE").types("token sandbox").is(0, &format!("{token}\n"), "");
    // the profile is for another client than the variable's, which the login took
    me.types("profile set sandbox client-id another-app");
    me.set("OAUTHCTL_CLIENT_ID", "oauthctl").signed_in();
    let token = me.kept("sandbox", "access_token");
    me.types("token sandbox").is(0, &format!("{token}\n"), "");
    let done = me.unset("OAUTHCTL_CLIENT_ID").types("token sandbox");
    assert_eq!((done.code, done.out.as_str()), (7, ""), "{}", done.err);
}

#[test]
fn two_homes_never_see_each_others_copy() {
    let mut me = signed_in();
    let other = me.path("other");
    me.set("XDG_STATE_HOME", &other.to_string_lossy());
    let reads = me.keychain.reads();
    assert_eq!(me.types("token sandbox").code, 0);
    assert_eq!(me.keychain.reads(), reads + 1, "the copy of the other home did not answer");
}

#[test]
fn flags_and_environment_do_without_any_configuration() {
    let mut me = Person::new();
    let _server = me.practice(Manners::VerticalResponseVr2);
    me.set("OAUTHCTL_CI_CLIENT_ID", "practice-client").set("OAUTHCTL_CI_CLIENT_SECRET", "practice-secret");
    let done = me.types("token ci --provider verticalresponse-vr2 --grant client_credentials --store none");
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.starts_with("eyJ"), "{}", done.out);
    assert!(!me.path("state").exists(), "nothing was written");
    me.set("OAUTHCTL_CI_GRANT", "magic").types("token ci --provider vr2").fails(
        2,
        "
        error: OAUTHCTL_CI_GRANT names an unknown grant: `magic`
        hint: it is one of `authorization-code`, `device-code`, `client-credentials`, `jwt-bearer`, `saml2-bearer`, `token-exchange`, `ciba`, `password`
    ",
    );
}

#[test]
fn a_client_secret_may_come_from_a_program_a_file_or_a_variable() {
    for (source, variable) in [
        ("{ command = [\"pass\", \"show\", \"gr\"] }", ""),
        ("{ file = \"gr.secret\" }", ""),
        ("{ env = \"MY_SECRET\" }", "MY_SECRET"),
    ] {
        let mut me = Person::new();
        let _server = me.practice(Manners::GetResponse);
        me.config("gr.secret", "practice-secret\n");
        me.config(
            "config.toml",
            &format!("[profiles.ci]\nprovider = \"getresponse\"\ngrant = \"client-credentials\"\nclient-id = \"practice-client\"\nclient-secret = {source}\n"),
        );
        if variable.is_empty() && source.contains("command") {
            me.program(&["pass", "show", "gr"], "practice-secret");
        } else if !variable.is_empty() {
            me.set(variable, "practice-secret");
        }
        let done = me.types("token ci");
        assert_eq!((done.code, done.err.as_str(), done.out.len()), (0, "", 41), "{source}");
        assert!(!me.record("ci").to_string().contains("practice-secret"), "{source}");
    }
    let mut me = Person::new();
    me.config("config.toml", "[profiles.ci]\nprovider = \"getresponse\"\ngrant = \"client-credentials\"\nclient-id = \"x\"\nclient-secret = { env = \"NOT_SET\" }\n");
    me.types("token ci").fails(
        2,
        "
        error: the client secret of `ci` is in the variable `NOT_SET`, which is not set
    ",
    );
}

/// The quick path looks at the words typed and at the kernel's copy; whatever it answers must be
/// what the whole program says.
#[test]
fn the_quick_path_says_what_the_whole_program_says() {
    let forms: [&[&str]; 8] = [
        &["token", "sandbox"],
        &["token"],
        &["token", "--", "sandbox"],
        &["-q", "token", "sandbox"],
        &["token", "other"],
        &["token", "Sandbox"],
        &["token", "sandbox", "--min-ttl", "0s"],
        &["token", ""],
    ];
    let environments: [&[(&str, &str)]; 15] = [
        &[],
        &[("OAUTHCTL_CLIENT_ID", "oauthctl")],
        &[("OAUTHCTL_SANDBOX_GRANT", "authorization-code"), ("OAUTHCTL_SCOPE", "email")],
        &[("OAUTHCTL_SANDBOX_SCOPE", "email"), ("OAUTHCTL_SCOPE", "write")],
        &[("OAUTHCTL_SANDBOX_TOKEN", "")],
        &[("OAUTHCTL_SANDBOX_CLIENT_ID", "another-app")],
        &[("OAUTHCTL_CLIENT_ID", "another-app")],
        &[("OAUTHCTL_SANDBOX_GRANT", "client-credentials")],
        &[("OAUTHCTL_GRANT", "no-such-grant")],
        &[("OAUTHCTL_SCOPE", "write")],
        &[("OAUTHCTL_STORE", "file")],
        &[("OAUTHCTL_STORE", "no-such-store")],
        &[("OAUTHCTL_PROFILE", "sandbox")],
        &[("GITHUB_ACTIONS", "true")],
        &[("OAUTHCTL_SANDBOX_TOKEN", "outside-0123456789")],
    ];
    let configs = [
        "[profiles.sandbox]\nprovider = \"sandbox\"\n",
        "default-profile = \"sandbox\"\ncache = false\n[profiles.sandbox]\nprovider = \"sandbox\"\n",
        "[profiles.sandbox]\nprovider = \"sandbox\"\nstore = \"file\"\n",
        "not toml at all = = =\n",
    ];
    let compare = |me: &mut Person, form: &[&str], told: &str| {
        let quick = me.runs(form);
        for more in [&["--no-cache"][..], &["--format", "text"]] {
            if form.contains(&"--") || more.iter().any(|m| form.contains(m)) {
                continue;
            }
            let whole = me.runs(&[form, more].concat());
            let seen = |o: &crate::world::Output| (o.code, o.out.clone(), o.err.clone());
            assert_eq!(seen(&quick), seen(&whole), "{form:?} {told} against {more:?}");
        }
    };
    let person = || {
        let mut me = signed_in();
        // a token that dies can't be refreshed here: both ways end alike, with nothing spent
        me.tamper("sandbox", |r| drop(r["token"].as_object_mut().unwrap().remove("refresh_token")));
        assert_eq!(me.types("token sandbox").code, 0);
        me
    };
    let mut me = person();
    for form in forms {
        compare(&mut me, form, "");
    }
    for environment in environments {
        for (name, value) in environment {
            me.set(name, value);
        }
        for time in ["first", "then"] {
            compare(&mut me, &["token", "sandbox"], &format!("{environment:?} {time}"));
        }
        for (name, _) in environment {
            me.unset(name);
        }
    }
    for config in configs {
        let mut me = person();
        me.config("config.toml", config);
        compare(&mut me, &["token", "sandbox"], config);
    }
    for later in [545, 700] {
        let mut me = person();
        me.later(later);
        compare(&mut me, &["token", "sandbox"], &format!("after {later} s"));
    }
}

#[test]
fn the_lock_is_taken_and_the_store_looked_at_again_before_a_renewal() {
    // a sibling that renewed while this one waited: its token is used, nothing is spent
    let mut me = Person::new();
    let spent = Arc::new(Mutex::new(0));
    let counted = spent.clone();
    let odd = me.odd("odd", move |_| {
        *counted.lock().unwrap() += 1;
        answer(200, "application/json", r#"{"access_token":"renewed-0123456789","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2-0123456"}"#)
    });
    me.config("providers/odd.toml", &odd.provider("odd"));
    me.keychain.put("odd", &record("odd", START - 1).to_string());
    for _ in 0..3 {
        me.types("token odd --no-cache").is(0, "renewed-0123456789\n", "");
    }
    assert_eq!(*spent.lock().unwrap(), 1);
    assert_eq!(me.record("odd")["generation"], 5);
}

// T-70
#[test]
fn a_clock_that_was_set_back_does_not_make_a_dead_token_fresh_for_ever() {
    let mut me = signed_in();
    let token = me.kept("sandbox", "access_token");
    me.later(-86_400);
    me.types("token sandbox").is(0, &format!("{token}\n"), "");
}

#[test]
fn a_server_that_is_down_is_worth_another_try() {
    let mut me = Person::new();
    let server = me.practice_with(Options::new(Manners::GetResponse));
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    drop(server);
    let done = me.types("token getresponse --grant client-credentials");
    assert_eq!(done.code, 75, "{}", done.err);
    assert!(done.err.starts_with("error: can't reach http://127.0.0.1:PORT/v3/token: "), "{}", done.err);
    let mut me = Person::new();
    let odd = me.odd("odd", |_| {
        let mut down = answer(503, "text/html", "<html>down");
        down.headers.push(("Retry-After".into(), "120".into()));
        down
    });
    me.config("providers/odd.toml", &odd.provider("odd"));
    me.keychain.put("odd", &record("odd", START - 1).to_string());
    me.types("token odd").fails(
        75,
        "
        error: the token could not be refreshed
        caused by: the server answered with status 503
        hint: run the command again in 120 s
    ",
    );
    assert_eq!(me.kept("odd", "refresh_token"), "refresh-0123456789", "nothing is thrown away");
    me.types("token odd --error-format json").fails(75, "
        {\"error\":\"try_later\",\"exit_code\":75,\"message\":\"the token endpoint was in trouble a moment ago and is left alone for now\",\"causes\":[\"the token could not be refreshed: the server answered with status 503\"],\"hints\":[\"run the command again in 120 s\"],\"retry_after\":120}
    ");
}

#[test]
fn the_schema_has_each_member_of_the_json_and_says_which_are_always_there() {
    let text = include_str!("../../src/command/token-v1.schema.json");
    let schema: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut me = signed_in();
    me.tamper("sandbox", |record| {
        record["token"]["extra"] = json!({ "issued_token_type": "urn:x", "expires_at": 1, "other_token": "x" })
    });
    let token = crate::helper::with_id_token_of(&me, "sandbox");
    for (words, of) in [("", 0), ("--id-token", 1)] {
        let said: serde_json::Value =
            serde_json::from_str(&me.types(&format!("token sandbox --format json {words}")).out).unwrap();
        let said = said.as_object().unwrap();
        for (name, value) in said {
            let kind = match value {
                serde_json::Value::String(_) => "string",
                serde_json::Value::Number(_) => "integer",
                _ => "another",
            };
            assert_eq!(schema["properties"][name]["type"], kind, "{name}");
        }
        let always =
            schema["required"].as_array().unwrap().iter().chain(schema["oneOf"][of]["required"].as_array().unwrap());
        for name in always {
            assert!(said.contains_key(name.as_str().unwrap()), "{name}: {said:?}");
        }
        assert_eq!(said.get("id_token"), (of == 1).then(|| json!(token)).as_ref());
    }
}
