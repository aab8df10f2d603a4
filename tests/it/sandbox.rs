//! The practice server: without a browser, with OpenID, with the providers' variants, and never
//! mistaken for a real provider.

use oauthctl::sandbox::{Manners, Options};
use serde_json::Value;

use crate::world::robot::{allows, decided};
use crate::world::{Person, answer, own_port};

/// The end of a sign-in whose page nobody pressed.
fn refused(authorize: &str) -> String {
    let url = url::Url::parse(authorize).expect("an address");
    let of = |name: &str| url.query_pairs().find(|(n, _)| n == name).expect(name).1.into_owned();
    format!("{}?error=access_denied&state={}", of("redirect_uri"), of("state"))
}

#[test]
fn where_no_browser_runs_a_typed_word_presses_the_button_of_the_practice_page() {
    let mut me = Person::new();
    me.pastes(|_| "allow".to_owned());
    me.types("login sandbox --no-browser").is(0, "", "
        Sign in to Practice server (built in) at this address:

          http://127.0.0.1:PORT/authorize?response_type=code&client_id=oauthctl&redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback%2FRANDOM&scope=profile%20email%20offline_access&state=STATE&code_challenge=CHALLENGE&code_challenge_method=S256

        Waiting. If the browser can't come back by itself, paste the address it ends on here, and press Enter.
        No browser on this machine? Type `allow` (or `deny`) here and press Enter: that presses the practice page's button. (It isn't shown.)
        Signed in to Practice server (built in) as alice@example.test. The token of `sandbox` expires in 10 min, at 2026-11-21T22:10:00Z.
        It is stored in the keychain (Secret Service).
        Next: oauthctl token sandbox   or   oauthctl call sandbox /me
    ");
    me.pastes(|_| " Deny".to_owned());
    let denied = me.types("login sandbox --no-browser");
    assert!(denied.code == 3 && denied.err.contains("`access_denied`"), "{}", denied.err);
}

#[test]
fn the_word_works_at_the_other_practice_servers_too() {
    let mut me = Person::new();
    let _server = me.said_practice(Manners::GetResponse);
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    me.pastes(|_| "allow".to_owned());
    let done = me.types("login getresponse --no-browser");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("Signed in to GetResponse (practice) as alice@example.test."), "{}", done.err);
}

#[test]
fn at_any_other_provider_the_word_is_a_wrong_paste_even_on_this_machine() {
    let mut me = Person::new();
    let odd = me.odd("never asked for a page", |request| {
        assert_ne!(request.path, "/authorize", "the page was pressed");
        answer(200, "text/plain", "")
    });
    me.config("providers/odd.toml", &odd.provider("odd"));
    me.pastes(|_| "allow".to_owned()).pastes(refused);
    let done = me.types("login odd --no-browser");
    assert!(done.code == 3 && !done.err.contains("No browser on this machine?"), "{}", done.err);
    assert!(done.err.contains("the whole address from the browser's address bar"), "{}", done.err);
    // the double complains where it was never asked at all
    assert_eq!(crate::world::robot::get(&format!("{}/token", odd.base)).status, 200);
}

#[test]
fn a_page_that_refuses_says_why() {
    let mut me = Person::new();
    me.pastes(|_| "allow".to_owned()).pastes(refused);
    let done = me.types("login sandbox --no-browser --client-id nobody");
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("The page says: No app with this client_id is registered."), "{}", done.err);
}

#[test]
fn a_device_code_is_practised_too() {
    let mut me = Person::new();
    // the clock of these tests does not wait for anybody: that it ends well is shown with the real
    // one, in tests/real
    let done = me.at_a_terminal().types("login sandbox --grant device-code");
    for said in [
        "To sign in to Practice server (built in), open this address in a browser on this machine:\n\n  http://127.0.0.1:PORT/device\n",
        "No browser on this machine? Type `allow` (or `deny`) here and press Enter (it isn't shown); or in another terminal of it:",
        "  curl -so /dev/null -d user_code=",
        " -d decision=allow http://127.0.0.1:PORT/device\n",
        "error: nobody entered the code in time\n",
    ] {
        assert!(done.err.contains(said), "`{said}` is missing:\n{}", done.err);
    }
    let done = me.types("login sandbox --grant device-code");
    assert!(done.err.contains("No browser on this machine? In another terminal of it:"), "{}", done.err);
}

#[test]
fn an_app_with_a_secret_signs_in_there_too() {
    let mut me = Person::new();
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret").signed_in();
    assert_eq!(me.types("refresh sandbox").code, 0);
    assert_eq!(me.types("introspect sandbox").code, 0);
    me.types("logout sandbox").is(0, "", "sandbox: deleted here; the provider has revoked the tokens\n");
}

#[test]
fn a_server_that_a_file_of_ones_own_names_is_the_only_one() {
    let mut me = Person::new();
    let server = me.practice(Manners::Sandbox);
    me.config("providers/sandbox.toml", &oauthctl::sandbox::provider_overrides(&server.base(), Manners::Sandbox));
    let done = me.browser(allows).types("login sandbox -v");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!done.err.contains("the practice server listens on"), "{}", done.err);
}

#[test]
fn its_id_token_is_verified_at_the_login_at_a_renewal_and_afterwards() {
    let mut me = Person::new();
    let done = me.browser(allows).types("login sandbox --scope openid --max-age 60 -v");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("the ID token is right: signed with ES256"), "{}", done.err);
    let first = me.kept("sandbox", "id_token");
    me.later(30);
    assert_eq!(me.types("refresh sandbox").code, 0);
    assert_ne!(me.kept("sandbox", "id_token"), first, "the server has another port, and is the same one");
    let seen = me.types("inspect sandbox --id-token");
    assert!(seen.code == 0 && seen.out.contains("signature            right: by the key"), "{}", seen.out);
    assert_eq!(me.types("userinfo sandbox").code, 0);
    let known = me.types("introspect sandbox");
    let known: Value = serde_json::from_str(&known.out).expect("JSON");
    assert_eq!((&known["active"], &known["username"]), (&true.into(), &"alice@example.test".into()));
    assert_eq!(me.types("introspect sandbox --refresh-token").code, 0);
}

#[test]
fn inspect_advises_only_what_the_provider_can_do() {
    let mut me = Person::new();
    let _server = me.said_practice(Manners::GetResponse);
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    assert_eq!(me.types("login getresponse --grant client-credentials").code, 0);
    me.types("inspect getresponse").fails(
        2,
        "
        error: the access token of `getresponse` is no JWT: only the provider can read it
        hint: oauthctl whoami getresponse
    ",
    );
    me.types("inspect getresponse --id-token").fails(
        2,
        "
        error: `getresponse` has no ID token
        hint: its provider issues none, as far as known
    ",
    );
    me.unset("OAUTHCTL_CLIENT_ID").unset("OAUTHCTL_CLIENT_SECRET").signed_in();
    me.types("inspect sandbox").fails(
        2,
        "
        error: the access token of `sandbox` is no JWT: only the provider can read it
        hint: oauthctl introspect sandbox
    ",
    );
    me.types("inspect sandbox --id-token").fails(
        2,
        "
        error: `sandbox` has no ID token
        hint: oauthctl login sandbox --scope openid
    ",
    );
}

#[test]
fn an_id_token_that_nothing_vouches_for_is_said_to_be_unverified() {
    let mut me = Person::new();
    // at a port of its own: the provider's is for the logins of whoever runs this
    let redirect = format!("http://127.0.0.1:{}/cb", own_port());
    let _server = me.practice_for(Options::new(Manners::ConstantContact), &redirect);
    me.set("OAUTHCTL_CLIENT_ID", "practice-client").set("OAUTHCTL_CLIENT_SECRET", "practice-secret");
    me.pastes(|url| decided(url, "allow"));
    let done = me.types(&format!(
        "login constantcontact --no-browser --scope openid --scope contact_data --redirect-uri {redirect}"
    ));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("warning: the ID token is stored unverified: `issuer` of this provider is not known"),
        "{}",
        done.err
    );
}

#[test]
fn nobody_takes_practice_for_the_real_thing() {
    let mut me = Person::new();
    let server = me.said_practice(Manners::GetResponse);
    let listed = me.types("provider list");
    assert!(listed.out.contains("GetResponse (practice)") && listed.out.contains("  [practice]\n"), "{}", listed.out);
    assert!(!listed.out.contains("[your own]"), "{}", listed.out);
    assert!(me.types("provider show getresponse").out.contains(&format!("console-url = \"{}/\"\n", server.base())));

    me.answers("practice-client").answers_hidden("practice-secret").pastes(|_| "allow".to_owned());
    let done = me.types("login getresponse --no-browser");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.starts_with(
            "GetResponse (practice): nothing to register. Use this app:\n  client id practice-client, client secret "
        ),
        "{}",
        done.err
    );
}

#[test]
fn inside_sandbox_run_every_command_says_on_a_terminal_that_it_is_practice() {
    let mut me = Person::new();
    me.signed_in();
    me.set("OAUTHCTL_PRACTICE", "1");
    let token = format!("{}\n", me.kept("sandbox", "access_token"));
    for line in ["token sandbox", "token sandbox --no-cache", "list", "status sandbox"] {
        let seen = me.sees_stderr().types(line);
        assert_eq!((seen.code, seen.err.as_str()), (0, "practice: nothing here is real\n"), "{line}");
        let script = me.types(line);
        assert_eq!((script.code, script.err.as_str()), (0, ""), "{line}");
        assert!(!line.starts_with("token") || (seen.out == token && script.out == token), "{line}");
    }
    assert_eq!(me.sees_stderr().types("list --quiet").err, "");
    // a provider that nobody plays there
    for line in ["login google --client-id x --no-browser", "token github", "call slack /x"] {
        let refused = me.types(line);
        assert!(refused.code == 2 && refused.err.contains("it is the real provider"), "{line}: {}", refused.err);
    }
}
