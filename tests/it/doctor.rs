//! `doctor`: checks the requirements of a login and suggests fixes.

use std::sync::Arc;

use base64::Engine as _;
use oauthctl::sandbox::Manners;
use oauthctl::wire::{Request, Response};
use oauthctl::world::{Clock, Http, HttpError, KeychainError, Streamed, Upload};
use serde_json::json;

use crate::world::robot::{allows, go};
use crate::world::{Fault, Person, START, answer, own_port};

#[test]
fn a_machine_where_all_is_well() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.types("doctor").is(
        0,
        "
        ok    program        /usr/bin/oauthctl: a Debian package
        ok    configuration  ~/config/oauthctl: 0 profiles
        ok    keychain       Secret Service: wrote, read and deleted a test item
        ok    file store     not used: there is a keychain
        ok    store in use   keychain
        ok    kernel copy    the kernel's keyring keeps a copy of fresh access tokens
        ok    clock          2026-11-21T22:00:00Z
        ok    listener       http://127.0.0.1:PORT could be bound
        ok    browser        BROWSER names `firefox`
        ok    environment    no variable of this program is set
        note  network        not checked
                             do: name a profile to check its provider: `oauthctl doctor PROFILE`
    ",
        "",
    );
    assert!(me.keychain.accounts().is_empty(), "the test item is gone");
}

#[test]
fn what_is_missing_is_told_with_what_to_do() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
    me.set("CI", "true").set("OAUTHCTL_CLIENT_SECRET", "hush-hush-hush");
    me.types("doctor")
        .is(
            0,
            "
        ok    program        /usr/bin/oauthctl: a Debian package
        ok    configuration  ~/config/oauthctl: 0 profiles
        note  keychain       there is no keychain: no session bus
                             do: start one; without it, tokens are stored in sealed files (`--store file`)
        ok    file store     ~/state/oauthctl/store: wrote, read and deleted a test record
        note  store in use   none is chosen, and there is no keychain: `login` uses sealed files
                             do: `--store file` or OAUTHCTL_STORE=file chooses them
        ok    kernel copy    the kernel's keyring keeps a copy of fresh access tokens
        ok    clock          2026-11-21T22:00:00Z
        ok    listener       http://127.0.0.1:PORT could be bound
        note  browser        none is opened here: CI or OAUTHCTL_NO_INPUT is set
        ok    environment    set: CI, OAUTHCTL_CLIENT_SECRET
        note  network        not checked
                             do: name a profile to check its provider: `oauthctl doctor PROFILE`
    ",
            "",
        )
        .tells_nothing_of("hush-hush-hush");
}

// what `login` does there: it ends with 5, and seals nothing
#[test]
fn a_keychain_that_is_there_and_does_not_open_is_no_keychain_that_is_missing() {
    for (fault, told, advice) in [
        (KeychainError::Locked, "the keychain (Secret Service) is locked", "unlock the keyring"),
        (
            KeychainError::TimedOut(3),
            "the keychain (Secret Service) did not answer within 3 seconds",
            "answer it if it asks something",
        ),
        (
            KeychainError::Denied("no".to_owned()),
            "access to the keychain (Secret Service: no) was denied",
            "allow this program",
        ),
    ] {
        let mut me = Person::new();
        me.set("BROWSER", "firefox");
        me.keychain.fault(Fault::Always(fault));
        let done = me.types("doctor");
        assert_eq!(done.code, 5, "{}", done.out);
        assert!(done.out.contains(&format!("FAIL  keychain       {told}\n{:21}do: {advice}", "")), "{}", done.out);
        assert!(done.out.contains("FAIL  store in use   the keychain, and it does not work"), "{}", done.out);
        assert!(!done.out.contains("uses sealed files") && !done.out.contains("oauthctl doctor`\n"), "{}", done.out);
        assert!(!me.path("state/oauthctl/store").exists(), "nothing is sealed, so no key is made");
        assert_eq!(me.types("login sandbox").code, 5);
        // who keeps nothing there need not care
        let done = me.set("OAUTHCTL_STORE", "file").types("doctor");
        assert_eq!(done.code, 0, "{}", done.out);
        assert!(done.out.contains(&format!("note  keychain       {told}\n")), "{}", done.out);
    }
}

#[test]
fn sealed_files_that_a_profile_chose_are_looked_at() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.config("config.toml", "[profiles.sandbox]\nprovider = \"sandbox\"\nstore = \"file\"\n");
    let done = me.types("doctor sandbox");
    assert!(done.out.contains("ok    store in use   file, as chosen\n"), "{}", done.out);
}

#[test]
fn a_file_of_ones_own_may_be_called_like_a_built_in_alias() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.config("providers/cc.toml", "extends = \"constantcontact\"\nname = \"Mine\"\n");
    let done = me.types("doctor");
    assert_eq!(done.code, 0, "{}", done.out);
    assert!(me.types("provider show cc").out.contains("name = \"Mine\""));
    // two of one's own that would each be right are a fault
    me.config("providers/a.toml", "extends = \"constantcontact\"\naliases = [\"x\"]\n");
    me.config("providers/b.toml", "extends = \"constantcontact\"\naliases = [\"x\"]\n");
    let done = me.types("doctor");
    assert!(done.code == 1 && done.out.contains("`x` means the providers `a` and `b`"), "{}", done.out);
}

#[test]
fn authorities_that_are_said_to_be_where_there_are_none_are_told() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    std::fs::write(me.path("empty"), "").unwrap();
    std::fs::write(me.path("text"), "no certificate").unwrap();
    let unread = |name: &str| std::fs::read(me.path(name)).unwrap_err().to_string();
    let nowhere = std::fs::read_dir(me.path("nowhere")).unwrap_err().to_string();
    for (variable, place, why) in [
        ("SSL_CERT_FILE", me.path("nowhere"), unread("nowhere")),
        ("SSL_CERT_FILE", me.path(""), unread("")),
        ("SSL_CERT_FILE", me.path("empty"), "it is empty".into()),
        ("SSL_CERT_FILE", me.path("text"), "it holds none in PEM".into()),
        ("SSL_CERT_DIR", me.path("nowhere"), nowhere),
        ("SSL_CERT_DIR", me.path(""), "it holds none".into()),
    ] {
        let place = place.display().to_string();
        me.set(variable, &place);
        let done = me.types("doctor");
        assert_eq!(done.code, 1, "{}", done.out);
        let line = done.out.lines().find(|line| line.contains("certificates")).unwrap();
        assert!(line.starts_with(&format!("FAIL  certificates   {variable} names `")) && line.contains(&why), "{line}");
        assert!(done.out.contains(&format!("do: unset {variable}, or set it to")), "{}", done.out);
        // before anybody signs in, where it matters
        let done = me.types(&format!("login cc --client-id an-app --port {}", own_port()));
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.starts_with(&format!("error: {variable} names `")), "{}", done.err);
        me.unset(variable);
    }
    let made = rcgen::generate_simple_self_signed(vec!["a.example".into()]).unwrap();
    let body = base64::engine::general_purpose::STANDARD.encode(made.cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    std::fs::write(me.path("good.pem"), pem).unwrap();
    let good = me.path("good.pem").display().to_string();
    let done = me.set("SSL_CERT_FILE", &good).types("doctor");
    assert!(done.code == 0 && done.out.contains("ok    certificates   SSL_CERT_FILE names `"), "{}", done.out);
    let folder = me.path("").display().to_string();
    let done = me.unset("SSL_CERT_FILE").set("SSL_CERT_DIR", &folder).types("doctor");
    assert!(done.code == 0 && done.out.contains("ok    certificates   SSL_CERT_DIR names `"), "{}", done.out);
}

#[test]
fn a_proxy_that_is_dead_is_told_without_its_password() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let (taken, address) = crate::world::serve::taken();
    me.set("HTTPS_PROXY", &format!("http://me:hush-hush-hush@{address}"));
    let done = me.types("doctor");
    assert!(
        done.out_in_words().contains("ok    proxy          `http://127.0.0.1:PORT` (HTTPS_PROXY) takes connections\n"),
        "{}",
        done.out
    );
    drop(taken);
    let done = me.types("doctor");
    assert_eq!(done.code, 1, "{}", done.out);
    let told = "FAIL  proxy          no connection to the proxy `http://127.0.0.1:PORT` (HTTPS_PROXY): ";
    assert!(
        done.out_in_words().contains(told) && done.out.contains("do: start it, or unset HTTPS_PROXY\n"),
        "{}",
        done.out
    );
    done.tells_nothing_of("hush-hush-hush");
}

#[test]
fn without_any_store_it_is_exit_5() {
    let mut me = Person::new();
    me.keychain.fault(Fault::Always(KeychainError::Absent("no session bus".to_owned())));
    me.set("BROWSER", "firefox");
    std::fs::create_dir_all(me.path("state")).unwrap();
    std::fs::write(me.path("state/oauthctl"), "a file where a folder should be").unwrap();
    let done = me.types("doctor");
    assert_eq!(done.code, 5, "{}", done.out);
    assert!(done.out.contains("FAIL  store in use   no store works\n"), "{}", done.out);
}

#[test]
fn the_store_in_use_is_named_and_looked_at() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.set("OAUTHCTL_STORE", "bogus");
    let done = me.types("doctor");
    assert_eq!(done.code, 1, "{}", done.out);
    assert!(done.out.contains("FAIL  store in use   OAUTHCTL_STORE names an unknown store: `bogus`\n"), "{}", done.out);

    // what is chosen must work: another one that works is no comfort
    me.set("OAUTHCTL_STORE", "keychain");
    assert!(me.types("doctor").out.contains("ok    store in use   keychain, as chosen\n"));
    me.keychain.fault(Fault::Always(KeychainError::Locked));
    let done = me.types("doctor");
    assert_eq!(done.code, 5, "{}", done.out);
    let told = "FAIL  store in use   the keychain is chosen, and it does not work\n";
    assert!(done.out.contains(told), "{}", done.out);
    me.set("OAUTHCTL_STORE", "none");
    let done = me.types("doctor");
    assert_eq!(done.code, 0, "{}", done.out);
    assert!(done.out.contains("ok    store in use   none, as chosen\n"), "{}", done.out);
}

#[test]
fn the_only_profile_is_looked_at_unnamed() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let server = me.practice(Manners::GetResponse);
    me.config("config.toml", "[profiles.getresponse]\nprovider = \"getresponse\"\n");
    me.keychain.put("getresponse", "{\"oauthctl\":1,\"generation\":1}");
    let done = me.types("doctor");
    assert!(done.out.contains("ok    store in use   keychain; has the record of `getresponse`\n"), "{}", done.out);
    assert!(done.out.contains(&format!("ok    network        {}/v3/token responds", server.base())), "{}", done.out);
    me.keychain.put("getresponse", "xx");
    let done = me.types("doctor");
    assert_eq!(done.code, 5, "{}", done.out);
    assert!(done.out.contains("FAIL  store in use   keychain; the record of `getresponse`: "), "{}", done.out);
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.config("config.toml", "[profiles.work]\nprovider = \"getrespnse\"\n");
    me.config("providers/mine.toml", "id = \"mine\"\nextends = \"nothing-like-it\"\n");
    let done = me.types("doctor");
    assert_eq!(done.code, 1);
    let line = done.out.lines().find(|line| line.starts_with("FAIL  configuration  ")).expect(&done.out);
    assert!(line.contains("getrespnse") && line.contains("providers/mine.toml"), "{line}");
}

#[test]
fn a_clock_before_this_program_was_written_is_wrong() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    me.later(-START);
    assert_eq!(me.clock.now(), 0);
    let done = me.types("doctor");
    assert_eq!(done.code, 1);
    assert!(done.out.contains("FAIL  clock          says 1970-01-01T00:00:00Z\n"), "{}", done.out);
}

#[test]
fn a_providers_network_is_looked_at_when_it_is_named() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let server = me.practice(Manners::GetResponse);
    let done = me.types("doctor getresponse");
    assert!(done.out.contains(&format!("ok    network        {}/v3/token responds", server.base())), "{}", done.out);
    drop(server);
    let done = me.types("doctor getresponse");
    assert_eq!(done.code, 1);
    assert!(done.out.contains("FAIL  network        can't reach "), "{}", done.out);
    let advice = "do: start the server there; if it runs, bring loopback up (Linux, as root: `ip link set lo up`)\n";
    assert!(done.out.ends_with(advice), "{}", done.out);
}

#[test]
fn a_proxy_that_can_not_be_read_is_told_before_anything_is_sent() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    for value in ["garbage::", "ftp://x", "http://", "socks4://127.0.0.1:1080"] {
        me.set("HTTPS_PROXY", value);
        let done = me.types("doctor");
        assert_eq!(done.code, 1, "{}", done.out);
        assert!(
            done.out.contains("FAIL  proxy          HTTPS_PROXY names no proxy that can be used: "),
            "{}",
            done.out
        );
        assert!(done.out.contains("do: unset HTTPS_PROXY, or set it to `http://HOST:PORT`"), "{}", done.out);
        let done = me.types(&format!("login cc --client-id an-app --port {}", own_port()));
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.starts_with("error: HTTPS_PROXY names no proxy that can be used: "), "{}", done.err);
    }
}

/// Somebody who is signed in at the practice server, whose file has these lines too.
fn signed_in(lines: &str) -> (Person, oauthctl::sandbox::Server, String) {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let server = me.practice(Manners::Sandbox);
    let done = me.browser(allows).types("login practice");
    assert_eq!(done.code, 0, "{}", done.err);
    let file = std::fs::read_to_string(me.path("config/oauthctl/providers/practice.toml")).expect("its file");
    me.config("providers/practice.toml", &(file.clone() + lines));
    (me, server, file)
}

#[test]
fn a_missing_refresh_token_is_told_with_the_scope_or_the_parameter_that_brings_one() {
    for (lines, key, told, cure) in [
        (
            "",
            ("scopes", "profile"),
            "FAIL  refresh token  the login has none: the scope `offline_access` was not asked for\n",
            "do: oauthctl login practice --add-scope offline_access\n",
        ),
        (
            "[authorize.params]\naccess_type = \"offline\"\n",
            ("params.access_type", "online"),
            "FAIL  refresh token  the login has none: the request did not say `access_type=offline`\n",
            "do: oauthctl login practice --param access_type=offline\n",
        ),
        (
            "",
            ("scopes", "profile"),
            "FAIL  refresh token  the login has none, though it was asked for: the app may not be allowed to\n",
            "do: look at the app's settings, then: oauthctl login practice\n",
        ),
    ] {
        let (mut me, _server, _) = signed_in(lines);
        let asked =
            if told.contains("offline_access") { json!(["profile"]) } else { json!(["profile", "offline_access"]) };
        me.tamper("practice", |record| {
            record["asked"] = asked;
            record["token"]["refresh_token"] = json!(null);
        });
        assert_eq!(me.runs(&["profile", "set", "practice", key.0, key.1]).code, 0);
        let done = me.types("doctor practice");
        assert_eq!(done.code, 1, "{}", done.out);
        assert!(done.out.contains(told) && done.out.contains(cure), "{told}{cure} should be in\n{}", done.out);
    }
}

#[test]
fn a_redirect_url_is_compared_byte_by_byte() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let odd = me.odd("odd", |_| crate::world::answer(200, "text/plain", ""));
    me.config("providers/odd.toml", &odd.provider("odd"));
    let other = me.types("doctor odd --registered http://127.0.0.1/callback/");
    let told = format!(
        "FAIL  redirect       sent:       http://127.0.0.1/callback\n{0:21}registered: http://127.0.0.1/callback/\n\
         {0:21}they differ at byte 26: the end is sent, `/` (0x2f) is registered\n",
        ""
    );
    assert!(other.code == 1 && other.out.contains(&told), "{}", other.out);
    assert!(other.out.contains("do: oauthctl login odd --redirect-uri http://127.0.0.1/callback/\n"), "{}", other.out);
    let same = me.types("doctor odd --registered http://127.0.0.1:9/callback");
    assert!(
        same.code == 0 && same.out.contains("ok    redirect       http://127.0.0.1:9/callback is registered"),
        "{}",
        same.out
    );
    // a server that compares ports
    let port = own_port();
    assert_eq!(me.types(&format!("profile set odd redirect-uri http://127.0.0.1:{port}/cb")).code, 0);
    let other = me.types("doctor odd --registered http://127.0.0.1:9/cb");
    assert!(other.code == 1 && other.out.contains("they differ at byte 18: "), "{}", other.out);
    // which compares port 80 too, though no address needs to name it
    assert_eq!(me.types("profile set odd redirect-uri http://127.0.0.1:80/cb").code, 0);
    let named = me.types("doctor odd");
    assert!(named.out.contains("ok    redirect       http://127.0.0.1:80/cb is sent\n"), "{}", named.out);
    let other = me.types("doctor odd --registered http://127.0.0.1/cb");
    assert!(other.code == 1 && other.out.contains("sent:       http://127.0.0.1:80/cb\n"), "{}", other.out);
    // and one whose port is taken
    let (_taken, address) = crate::world::serve::taken();
    assert_eq!(me.types("profile unset odd redirect-uri").code, 0);
    assert_eq!(me.types(&format!("profile set odd port {}", address.port())).code, 0);
    let taken = me.types("doctor odd");
    assert!(taken.out.contains(&format!("FAIL  port           port {} is taken", address.port())), "{}", taken.out);
    assert!(taken.out.contains("do: register another port, then: oauthctl login odd --port 8976"), "{}", taken.out);
}

#[test]
fn a_refused_client_and_one_without_its_secret_are_told() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let _server = me.practice(Manners::GetResponse);
    let none = me.types("doctor getresponse");
    let told =
        "note  client         no client id is known: register an app at https://app.getresponse.com/authorizations\n";
    assert!(none.out.contains(told) && none.out.contains("do: oauthctl init getresponse\n"), "{}", none.out);
    assert_eq!(me.types("profile set getresponse client-id practice-client").code, 0);
    let bare = me.types("doctor getresponse");
    assert!(
        bare.out.contains("FAIL  client         ") && bare.out.contains("is the app of another type?\n"),
        "{}",
        bare.out
    );
    const LOGIN: &str = "login getresponse --grant client-credentials";
    assert_eq!(me.answers_hidden("a-wrong-secret").types(LOGIN).code, 2);
    let refused = me.types("doctor getresponse");
    let told = "FAIL  client         the provider refused `practice-client`, or its secret, at the last login\n";
    assert!(refused.code == 1 && refused.out.contains(told), "{}", refused.out);
}

#[test]
fn a_login_that_has_ended_is_told() {
    let (mut me, _server, file) = signed_in("");
    me.config("providers/practice.toml", &(file + "[refresh]\nmax-age-s = 864000\n"));
    me.later(864_001);
    let done = me.types("doctor");
    let told = "FAIL  login          the login of `practice` has ended\n";
    assert!(done.code == 1 && done.out.contains(told), "{}", done.out);
    let (mut me, _server, _) = signed_in("");
    me.tamper("practice", |record| record["token"]["refresh_token"] = json!("spent-long-ago"));
    assert_eq!(me.types("refresh practice").code, 4);
    let done = me.types("doctor");
    let told = "FAIL  login          the provider ended the login of `practice`: ";
    assert!(done.code == 1 && done.out.contains(told), "{}", done.out);
    assert!(done.out.contains("do: oauthctl login practice\n"), "{}", done.out);
}

#[test]
fn logins_that_end_each_other_or_soon_are_told_for_all_profiles() {
    let (mut me, _server, _) = signed_in("");
    assert_eq!(me.browser(allows).types("login work --provider practice").code, 0);
    assert_eq!(me.types("doctor").code, 0);
    let token = me.record("practice")["token"]["refresh_token"].clone();
    me.tamper("work", |record| record["token"]["refresh_token"] = token);
    let done = me.types("doctor");
    let told = "FAIL  login          `practice` and `work` spend one refresh token: a refresh of one ends the login of the other\n";
    assert!(done.code == 1 && done.out.contains(told), "{}", done.out);
    assert!(done.out.contains("do: oauthctl login work\n"), "{}", done.out);
    let (mut me, _server, file) = signed_in("");
    me.config("providers/practice.toml", &(file + "[refresh]\nmax-age-s = 864000\n"));
    assert!(!me.types("doctor").out.contains("ends in"));
    me.later(4 * 86_400);
    let done = me.types("doctor");
    assert!(done.out.contains("note  login          the login of `practice` ends in 6 days, at "), "{}", done.out);
    assert!(done.code == 0 && done.out.contains("do: oauthctl login practice\n"), "{}", done.out);
}

#[test]
fn the_end_of_a_login_by_its_age_is_told_within_a_week_however_short_its_life_is() {
    for (keys, told) in [
        ("max-age-s = 86400\n", Some("ends in 23 h 59 min, at ")),
        ("max-age-s = 604800\n", Some("ends in 6 days, at ")),
        // the end by disuse is nearer, and each refresh puts it off
        ("max-idle-s = 86400\nmax-age-s = 172800\n", Some("ends in 47 h 59 min, at ")),
        ("max-idle-s = 86400\n", None),
        ("max-age-s = 691200\n", None),
    ] {
        let (mut me, _server, file) = signed_in("");
        me.config("providers/practice.toml", &format!("{file}[refresh]\n{keys}"));
        me.later(1);
        let done = me.types("doctor");
        let line = done.out.lines().find(|line| line.starts_with("note  login "));
        match told {
            Some(told) => assert!(line.is_some_and(|line| line.contains(told)), "{keys}{}", done.out),
            None => assert_eq!(line, None, "{keys}{}", done.out),
        }
    }
}

#[test]
fn the_scope_for_a_refresh_token_is_found_among_the_known_ones() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let odd = me.odd("odd", |request| {
        let token = json!({ "access_token": "an-access-token", "token_type": "Bearer", "expires_in": 600 });
        match request.path.as_str() {
            "/token" => answer(200, "application/json", &token.to_string()),
            _ => answer(404, "text/plain", ""),
        }
    });
    me.config("providers/odd.toml", &(odd.provider("odd") + "[scopes]\nknown = [\"read\", \"offline_access\"]\n"));
    let coded = |url: &str| {
        let asked = url::Url::parse(url).expect("an address");
        let value = |name: &str| asked.query_pairs().find(|(n, _)| n == name).expect("a parameter").1.into_owned();
        vec![go(&format!("{}?code=the-code&state={}", value("redirect_uri"), value("state")))]
    };
    assert_eq!(me.browser(coded).types("login odd --scope read").code, 0);
    let done = me.types("doctor odd");
    let told = "FAIL  refresh token  the login has none: the scope `offline_access` was not asked for\n";
    assert!(done.code == 1 && done.out.contains(told), "{}", done.out);
    assert!(done.out.contains("do: oauthctl login odd --add-scope offline_access\n"), "{}", done.out);
    // where nobody knows of a scope, nothing was asked for
    me.config("providers/odd.toml", &odd.provider("odd"));
    let done = me.types("doctor odd");
    let told = "FAIL  refresh token  the login has none, and nothing that is known here asks this provider for one\n";
    assert!(done.code == 1 && done.out.contains(told), "{}", done.out);
    assert!(done.out.contains("then: oauthctl login odd --add-scope SCOPE\n"), "{}", done.out);
    // the server's own document may know
    let issuer = me.odd("knows", |request| {
        let base = format!("http://{}", request.header("host").expect("a host"));
        let document = json!({ "issuer": base, "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": format!("{base}/token"), "scopes_supported": ["openid", "offline_access"] });
        match request.path.contains("/.well-known/") {
            true => answer(200, "application/json", &document.to_string()),
            false => answer(404, "text/plain", ""),
        }
    });
    let file = odd.provider("odd").replacen("id = ", &format!("issuer = \"{}\"\nid = ", issuer.base), 1);
    me.config("providers/odd.toml", &(file + "[scopes]\nknown = [\"read\"]\n"));
    let done = me.types("doctor odd");
    let told = "FAIL  refresh token  the login has none: the scope `offline_access` was not asked for\n";
    assert!(done.code == 1 && done.out.contains(told), "{}", done.out);
}

/// A network without a server.
struct Nowhere;

impl Http for Nowhere {
    fn exchange(&self, _: &Request) -> Result<Response, HttpError> {
        Ok(Response { status: 404, headers: Vec::new(), body: Vec::new().into() })
    }

    fn stream(&self, request: &Request, _: Option<Upload>) -> Result<Streamed, HttpError> {
        panic!("a stream from {}", request.url.expose())
    }
}

#[test]
fn a_client_authentication_that_the_provider_does_not_name_is_told() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let _server = me.practice(Manners::GetResponse);
    me.config("config.toml", "[profiles.getresponse]\nclient-id = \"practice-client\"\nauth = \"post\"\n");
    me.set("OAUTHCTL_GETRESPONSE_CLIENT_SECRET", "practice-secret");
    let done = me.types("doctor getresponse");
    let told = "FAIL  client         `practice-client`, with the client authentication `post`; `post` is sent, and the \
                file of `getresponse` names `basic`\n";
    assert!(done.code == 1 && done.out.contains(told), "{}", done.out);
    assert!(done.out.contains("do: oauthctl profile unset getresponse auth\n"), "{}", done.out);
    // a file of one's own in the built-in one's place
    me.config("config.toml", "[profiles.getresponse]\nclient-id = \"practice-client\"\n");
    me.config("providers/getresponse.toml", "extends = \"getresponse\"\ntoken.auth = [\"post\"]\n");
    let done = me.network(Arc::new(Nowhere)).types("doctor getresponse");
    assert!(done.out.contains("`post` is sent, and the file of `getresponse` names `basic`\n"), "{}", done.out);
    assert!(done.out.contains("do: oauthctl provider edit getresponse\n"), "{}", done.out);
}

#[test]
fn a_registered_address_that_no_login_can_send_is_told_and_none_is_offered_for_a_path_drawn_anew() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let odd = me.odd("odd", |_| crate::world::answer(200, "text/plain", ""));
    me.config("providers/odd.toml", &odd.provider("odd"));
    for registered in ["http://example.com/callback", "nonsense", "ftp://127.0.0.1/callback"] {
        let done = me.types(&format!("doctor odd --registered {registered}"));
        let cure = "do: register http://127.0.0.1/callback: the redirect address `";
        assert!(done.code == 1 && done.out.contains(cure), "{registered}: {}", done.out);
        assert!(!done.out.contains("--redirect-uri"), "{registered}: {}", done.out);
    }
    let done = me.types("doctor sandbox --registered http://anything.example/");
    assert!(done.out.contains("note  redirect "), "{}", done.out);
    assert!(done.out.contains("so that no registered address is compared"), "{}", done.out);
    // the port of an address that is sent as it is registered
    let (_taken, address) = crate::world::serve::taken();
    let uri = format!("http://127.0.0.1:{}/cb", address.port());
    assert_eq!(me.types(&format!("profile set odd redirect-uri {uri}")).code, 0);
    let taken = me.types("doctor odd");
    assert!(taken.out.contains("then: oauthctl login odd --redirect-uri http://127.0.0.1:89"), "{}", taken.out);
}

#[test]
fn a_clock_that_is_not_the_servers_is_told() {
    let mut me = Person::new();
    me.set("BROWSER", "firefox");
    let odd = me.odd("odd", |_| {
        let mut answer = crate::world::answer(200, "text/plain", "");
        answer.headers.push(("Date".into(), "Sat, 21 Nov 2026 21:00:00 GMT".into()));
        answer
    });
    me.config("providers/odd.toml", &odd.provider("odd"));
    let done = me.types("doctor odd");
    let told = "FAIL  clock          this machine's clock is 3600 s ahead of the server's\n";
    assert!(done.code == 1 && done.out.contains(told), "{}", done.out);
    assert!(done.out.contains("do: set the clock: `"), "{}", done.out);
}
