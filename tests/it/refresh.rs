//! `refresh`: refreshes now and prints when the token expires.

use oauthctl::sandbox::{Manners, Options, Rotation};
use serde_json::json;

use crate::world::Person;
use crate::world::robot::allows;

#[test]
fn renews_and_says_until_when_it_is_good() {
    let mut me = Person::new();
    me.signed_in();
    let (access, refresh) = (me.kept("sandbox", "access_token"), me.kept("sandbox", "refresh_token"));
    me.later(100);
    let done = me.types("refresh sandbox");
    done.is(0, "", "sandbox: refreshed, expires in 10 min, at 2026-11-21T22:11:40Z\n");
    assert_eq!(done.sent, ["POST http://127.0.0.1:PORT/token"]);
    assert_ne!(me.kept("sandbox", "access_token"), access);
    assert_ne!(me.kept("sandbox", "refresh_token"), refresh, "it rotates");
    assert_eq!(me.record("sandbox")["generation"], 2);
    me.types("refresh -q").is(0, "", "");
}

#[test]
fn what_can_not_be_renewed_is_exit_4() {
    let mut me = Person::new();
    me.types("refresh sandbox").fails(
        4,
        "
        error: no token is stored for `sandbox`
        hint: oauthctl login sandbox
    ",
    );
    me.types("refresh").fails(
        2,
        "
        error: no profile was named, and there is none yet
        hint: oauthctl login sandbox
        hint: `oauthctl provider list` names the providers
    ",
    );
    me.set("OAUTHCTL_SANDBOX_TOKEN", "outside-0123456789").types("refresh sandbox").fails(
        4,
        "
        error: the token of `sandbox` comes from the variable OAUTHCTL_SANDBOX_TOKEN: it can't be refreshed here
        hint: set OAUTHCTL_SANDBOX_TOKEN to a new one; or unset it, then `oauthctl login sandbox`
    ",
    );
}

// T-56
#[test]
fn a_refresh_token_that_the_server_refuses_is_forgotten_and_the_client_secret_is_not() {
    let mut me = Person::new();
    let redirect = format!("http://127.0.0.1:{}/callback", crate::world::own_port());
    let server = me.practice_for(Options::new(Manners::VerticalResponseVr2), &redirect);
    me.stdin("practice-secret").browser(allows);
    let done =
        me.types(&format!("login vr2 --client-id practice-client --client-secret-file - --redirect-uri {redirect}"));
    assert_eq!(done.code, 0, "{}", done.err);
    server.disconnect_all().unwrap();
    me.types("refresh vr2").fails(
        4,
        "
        error: the login of `verticalresponse-vr2` has ended: the provider refuses to refresh it
        caused by: the server answered `invalid_grant`: access_revoked
        hint: oauthctl login vr2
    ",
    );
    let record = me.record("verticalresponse-vr2");
    assert_eq!((&record["token"], &record["client_secret"]), (&json!(null), &json!("practice-secret")));
}

#[test]
fn all_renews_every_profile_and_tells_of_each() {
    let mut me = Person::new();
    me.types("refresh --all").is(0, "", "");
    me.signed_in();
    assert_eq!(me.browser(allows).types("login second --provider sandbox").code, 0);
    me.config("config.toml", &format!("{}\n[profiles.third]\nprovider = \"sandbox\"\n", me.config_text()));
    me.types("refresh --all").is(
        0,
        "",
        "
        sandbox: refreshed, expires in 10 min, at 2026-11-21T22:10:00Z
        second: refreshed, expires in 10 min, at 2026-11-21T22:10:00Z
        third: no token is stored for `third`
    ",
    );
    me.tamper("second", |r| r["token"]["refresh_token"] = json!("spent-long-ago-0123"));
    me.types("refresh --all").fails(
        4,
        "
        sandbox: refreshed, expires in 10 min, at 2026-11-21T22:10:00Z
        second: error: the login of `second` has ended: the provider refuses to refresh it
        caused by: the server answered `invalid_grant`: the refresh token is unknown
        hint: oauthctl login second
        third: no token is stored for `third`
        error: not every profile could be refreshed
        hint: the lines above say why
    ",
    );
    me.types("refresh sandbox --all").fails(
        2,
        "
        error: `[PROFILE]` and `--all` exclude each other
        hint: `oauthctl refresh --help` shows the usage
    ",
    );
}

#[test]
fn each_rotation_is_followed() {
    for rotation in [Rotation::None, Rotation::Once, Rotation::Strict, Rotation::Grace(30)] {
        let mut me = Person::new();
        let _server = me.practice_with(Options { rotation, ..Options::new(Manners::Sandbox) });
        assert_eq!(me.browser(allows).types("login practice").code, 0);
        for _ in 0..4 {
            me.later(601);
            let done = me.types("refresh practice");
            assert_eq!((done.code, done.sent.len()), (0, 1), "{rotation:?}: {}", done.err);
        }
    }
}
