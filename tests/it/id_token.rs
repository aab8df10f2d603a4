//! ID tokens at login and refresh: every input that the OpenID Foundation's certification suite
//! wants refused (`tests/vectors/`), and the user's view of it.

use serde_json::{Map, Value, json};

use crate::world::op::{ACCESS, CLIENT_SECRET, Op, Plan, names, timed};
use crate::world::robot::{allows, with};
use crate::world::{Person, START, answer};

fn vectors(file: &str) -> Vec<Value> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

/// Somebody whose client has a secret where HS256 needs one.
fn somebody(plan: &Plan) -> Person {
    let mut me = Person::new();
    if plan.algorithm == "HS256" {
        me.set("OAUTHCTL_CLIENT_SECRET", CLIENT_SECRET);
    }
    me
}

// J-01, J-02, J-03, J-04, J-05, J-06, J-07, J-08, J-09, J-10, J-11, J-12, J-13, J-14, J-15, J-16,
// J-17, J-18, J-19, J-20, J-21, J-22, J-23, J-24, J-25
#[test]
fn every_id_token_that_a_login_must_refuse_is_refused_with_nothing_stored() {
    let all = vectors("id_token.json");
    assert_eq!(all.iter().filter_map(|v| v["row"].as_str()).collect::<Vec<_>>().len(), 27);
    // each ends with a second's patience for the browser: side by side
    std::thread::scope(|threads| {
        for vector in all.iter().filter(|v| v["renewal"] != true) {
            threads.spawn(|| refused_at_login(vector));
        }
    });
}

fn refused_at_login(vector: &Value) {
    let name = &vector["name"];
    {
        let plan = Plan::of_vector(vector);
        let mut me = somebody(&plan);
        let op = Op::start(&mut me, plan);
        let done = me.browser(op.browser()).types(&op.login());
        assert_eq!(done.code, 7, "{name}: {}", done.err);
        let says = vector["says"].as_str().expect("words");
        assert!(done.err.contains(says), "{name}: `{says}` should be in {}", done.err);
        assert!(me.keychain.accounts().is_empty(), "{name}: {:?}", me.keychain.accounts());
        assert_eq!(me.config_text(), "", "{name}");
        let page = done.pages.last().expect("a page");
        // the page itself may be gone before a busy machine's browser is there
        match page.location.as_deref() {
            Some(to) => assert_eq!(to, "/failed", "{name}"),
            None => assert_eq!(page.title, "The sign-in did not complete", "{name}"),
        }
        assert!(!op.seen().iter().any(|line| line.contains("userinfo")), "{name}: {:?}", op.seen());
    }
}

// the same tokens before they are bent, in every algorithm that is spoken
#[test]
fn the_right_token_of_each_kind_is_taken_and_says_who_signed_in() {
    for algorithm in ["ES256", "RS256", "RS384", "RS512", "PS256", "PS512", "HS256"] {
        for kid in ["present", "absent"] {
            let mut plan = Plan::of_vector(&json!({ "algorithm": algorithm, "kid": kid }));
            if algorithm.starts_with(['R', 'P']) && kid == "absent" {
                plan.kid = None;
            }
            let mut me = somebody(&plan);
            let op = Op::start(&mut me, plan);
            let done = me.browser(op.browser()).types(&format!("{} -v", op.login()));
            assert_eq!(done.code, 0, "{algorithm} {kid}: {}", done.err);
            assert!(done.err.contains("as alice@example.test"), "{algorithm}: {}", done.err);
            assert!(done.err.contains(&format!("the ID token is right: signed with {algorithm}")), "{}", done.err);
            let nonce = op.nonce().expect("a nonce was sent");
            assert!(nonce.len() == 43, "{nonce}");
            assert_eq!(me.record("op")["account"], "alice@example.test");
            let listed = me.types("list");
            assert!(listed.out.contains("alice@example.test"), "{}", listed.out);
        }
    }
}

// J-26, J-27: what the server has spent is not lost to what it says beside
#[test]
fn a_renewal_with_a_wrong_id_token_is_refused_and_its_refresh_token_kept() {
    for vector in vectors("id_token.json").iter().filter(|v| v["renewal"] == true) {
        let name = &vector["name"];
        let mut me = Person::new();
        let op = Op::start(&mut me, Plan::of_vector(vector));
        assert_eq!(me.browser(op.browser()).types(&op.login()).code, 0);
        assert_eq!(me.kept("op", "refresh_token"), "refresh-token-0");
        let done = me.types("refresh op");
        assert_eq!(done.code, 7, "{name}: {}", done.err);
        assert!(done.err.contains(vector["says"].as_str().unwrap()), "{name}: {}", done.err);
        assert_eq!(me.kept("op", "refresh_token"), "refresh-token-1", "{name}: the successor is kept");
        assert_eq!(me.kept("op", "access_token"), ACCESS, "{name}: and not the access token that came with it");
        // and the login goes on once the server is right again
        op.plan.lock().unwrap().renewal = false;
        op.plan.lock().unwrap().set = Map::new();
        assert_eq!(me.types("refresh op").code, 0, "{name}");
        assert_eq!(me.kept("op", "refresh_token"), "refresh-token-2");
    }
}

// D-01; L-01, L-02, L-08, L-26
#[test]
fn answers_that_must_be_refused_cost_no_code() {
    for vector in vectors("answers.json").iter().filter(|v| v["what"] != "userinfo") {
        let name = &vector["name"];
        let mut me = Person::new();
        let mut plan = Plan { announced: vec!["ES256".into()], ..Plan::default() };
        match vector["what"].as_str() {
            Some("discovery") => plan.issuer = Some("https://other.example".into()),
            what => {
                plan.redirect = timed(&vector["set"]);
                plan.redirect_unset = names(&vector["unset"]);
                plan.form = what == Some("form");
            }
        }
        let op = Op::start(&mut me, plan);
        if vector["what"] != "discovery" {
            me.browser(op.browser());
        }
        if vector["waits"] == true {
            // the wait goes on until its end
            me.clock.hurry(20);
        }
        let done = me.types(&op.login());
        assert_eq!(u64::from(done.code), vector["code"].as_u64().unwrap(), "{name}: {}", done.err);
        let says = vector["says"].as_str().expect("words");
        assert!(done.err.contains(says), "{name}: `{says}` should be in {}", done.err);
        assert!(!op.seen().iter().any(|line| line == "POST /token"), "{name}: {:?}", op.seen());
        assert!(me.keychain.accounts().is_empty(), "{name}");
    }
}

#[test]
fn keys_that_were_rotated_are_fetched_again_once_and_kept() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], ..Plan::default() });
    assert_eq!(me.browser(op.browser()).types(&op.login()).code, 0);
    let fetched = |op: &Op| op.seen().iter().filter(|l| *l == "GET /jwks").count();
    assert_eq!(fetched(&op), 1);
    assert_eq!(me.types("refresh op").code, 0);
    assert_eq!(fetched(&op), 1, "kept with the login");
    assert_eq!(op.seen().iter().filter(|l| l.contains("well-known")).count(), 1, "and so is the document");
    {
        let mut plan = op.plan.lock().unwrap();
        plan.kid = Some("key-2".into());
        plan.renewal = true;
    }
    let done = me.types("refresh op -v");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(fetched(&op), 2);
    assert!(done.err.contains("by the key `key-2`"), "{}", done.err);
    assert_eq!(me.record("op")["keys"]["set"]["keys"][0]["kid"], "key-2");
    assert_eq!(me.types("refresh op").code, 0);
    assert_eq!(fetched(&op), 2);
}

#[test]
fn the_id_token_is_printed_and_refreshed_as_the_access_token_is() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], ..Plan::default() });
    assert_eq!(me.browser(op.browser()).types(&op.login()).code, 0);
    let renewals = |op: &Op| op.seen().iter().filter(|l| *l == "POST /token").count() - 1;
    let first = me.kept("op", "id_token");
    me.types("token op --id-token").is(0, &format!("{first}\n"), "");
    let told = me.types("token op --id-token --format exec-credential");
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["status"], json!({ "token": first, "expirationTimestamp": "2026-11-21T22:05:00Z" }));
    let told: Value = serde_json::from_str(&me.types("token op --id-token --format json").out).unwrap();
    assert_eq!(told["id_token"], first);
    assert_eq!(told.get("access_token"), None);
    me.types("token op --id-token --format header").is(0, &format!("Authorization: Bearer {first}\n"), "");
    assert_eq!(me.types("token op --id-token --format dpop-proof").code, 2);
    assert_eq!(renewals(&op), 0);
    // the access token is fresh, the ID token has expired
    {
        let mut plan = op.plan.lock().unwrap();
        plan.renewal = true;
        plan.set.insert("exp".into(), json!(START + 1000));
    }
    me.later(301);
    assert_eq!(me.types("token op --id-token --no-refresh").code, 4);
    let done = me.types("token op --id-token");
    assert_eq!((done.code, renewals(&op)), (0, 1), "{}", done.err);
    assert!(done.out.trim() == me.kept("op", "id_token") && done.out.trim() != first, "{}", done.out);
    // a refresh without an ID token
    op.plan.lock().unwrap().answer = json!({ "id_token": null });
    for (later, sent) in [(1000, 2), (3600, 3)] {
        me.later(later);
        let done = me.types("token op --id-token");
        assert_eq!((done.code, renewals(&op)), (4, sent), "{}", done.err);
        assert!(done.err.contains("a refresh brings no other\nhint: oauthctl login op"), "{}", done.err);
    }
}

#[test]
fn keys_that_are_away_end_a_login_and_no_renewal() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], keys_away: true, ..Plan::default() });
    let done = me.browser(op.browser()).types(&op.login());
    assert_eq!(done.code, 75, "{}", done.err);
    assert!(me.keychain.accounts().is_empty());
    op.plan.lock().unwrap().keys_away = false;
    assert_eq!(me.browser(op.browser()).types(&op.login()).code, 0);
    let of_login = me.kept("op", "id_token");
    // the keys are too old, and new ones can't be had: the ID token of the login stays, the access
    // token is a new one
    me.later(2 * 86_400);
    op.plan.lock().unwrap().keys_away = true;
    {
        let mut plan = op.plan.lock().unwrap();
        plan.renewal = true;
        plan.set = timed(&json!({ "iat": "now+172800", "exp": "now+173100" }));
    }
    let done = me.types("refresh op -v");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("is not stored, since it can't be verified"), "{}", done.err);
    assert_eq!((me.kept("op", "id_token"), me.kept("op", "access_token")), (of_login, format!("{ACCESS}-1")));
}

#[test]
fn a_token_of_another_kind_and_one_with_an_unknown_demand_are_refused() {
    for typ in ["at+jwt", "logout+jwt", "application/token-introspection+jwt"] {
        let mut me = Person::new();
        let plan = Plan { announced: vec!["ES256".into()], typ: Some(typ.into()), ..Plan::default() };
        let op = Op::start(&mut me, plan);
        let done = me.browser(op.browser()).types(&op.login());
        assert_eq!(done.code, 7, "{typ}: {}", done.err);
        assert!(done.err.contains("it says that it is a"), "{}", done.err);
    }
}

#[test]
fn without_openid_no_nonce_is_sent_and_nobody_can_choose_one() {
    let mut me = Person::new();
    let server = me.practice(oauthctl::sandbox::Manners::Sandbox);
    assert_eq!(me.browser(allows).types("login practice").code, 0);
    assert!(!server.log().iter().any(|asked| format!("{asked:?}").contains("nonce")), "{:?}", server.log());
    let done = me.types("token practice --id-token");
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("hint: oauthctl login practice --scope "), "{}", done.err);
    let done = me.types("login practice --param nonce=mine");
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("`nonce` is set by the program itself"), "{}", done.err);
}

/// The provider's own entry says all that a login needs, and no issuer: there is nothing to verify
/// by.
#[test]
fn a_token_that_nothing_can_verify_is_kept_and_said_to_be_unverified() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { spoiled: true, ..Plan::default() });
    me.config("providers/odd.toml", &op.server.provider("odd"));
    let done = me.browser(op.browser()).types("login odd --scope openid -v");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("the ID token is stored unverified"), "{}", done.err);
    assert!(done.err.contains("Signed in to Odd as alice@example.test (not verified)."), "{}", done.err);
    assert!(!me.kept("odd", "id_token").is_empty());
}

// C-09: the issuer is known, and not where its keys are
#[test]
fn a_server_that_names_no_keys_signs_nobody_in() {
    let mut me = Person::new();
    let plan = Plan { announced: vec!["ES256".into()], document: json!({ "jwks_uri": null }), ..Plan::default() };
    let op = Op::start(&mut me, Plan { spoiled: true, ..plan.clone() });
    let done = me.browser(op.browser()).types(&op.login());
    assert_eq!(done.code, 7, "{}", done.err);
    assert!(done.err.contains("error: the ID token can't be verified"), "{}", done.err);
    assert!(done.err.contains("`[id-token] jwks-uri` in a provider file of your own"), "{}", done.err);
    assert!(me.keychain.accounts().is_empty());
    // the client secret is a key too
    me.set("OAUTHCTL_CLIENT_SECRET", CLIENT_SECRET);
    *op.plan.lock().unwrap() = Plan { algorithm: "HS256".into(), announced: vec!["HS256".into()], ..plan.clone() };
    assert_eq!(me.browser(op.browser()).types(&op.login()).code, 0);
    // a person who knows where the keys are says so
    let base = &op.server.base;
    let own = format!(
        "id = \"own\"\nname = \"Own\"\nissuer = \"{base}\"\nsources = [\"a test\"]\nchecked = \"2026-11-21\"\n[id-token]\njwks-uri = \"{base}/jwks\"\n"
    );
    me.unset("OAUTHCTL_CLIENT_SECRET").config("providers/own.toml", &own);
    *op.plan.lock().unwrap() = plan.clone();
    assert_eq!(me.browser(op.browser()).types("login own --client-id an-app --scope openid").code, 0);
    // a renewal leaves the login's own ID token where it is
    let of_login = me.kept("own", "id_token");
    me.config("providers/own.toml", own.split("[id-token]").next().unwrap());
    *op.plan.lock().unwrap() = Plan { renewal: true, spoiled: true, ..plan };
    let done = me.types("refresh own -v");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("is not stored, since it can't be verified"), "{}", done.err);
    assert_eq!((me.kept("own", "id_token"), me.kept("own", "access_token")), (of_login, format!("{ACCESS}-1")));
}

// a provider file that says all but where the keys are, and a server that can't be asked for that
// now
#[test]
fn a_document_that_is_away_ends_a_login_that_needs_its_keys_for_now() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], ..Plan::default() });
    let away = me.odd("away", |_| answer(503, "text/plain", "later"));
    let file = op.server.provider("odd").replace("[authorize]", &format!("issuer = \"{}\"\n[authorize]", away.base));
    me.config("providers/odd.toml", &file);
    // without a document it signs as every server must be able to
    op.plan.lock().unwrap().algorithm = "RS256".into();
    op.plan.lock().unwrap().set = timed(&json!({ "iss": away.base }));
    op.plan.lock().unwrap().redirect_unset = vec!["iss".into()];
    let done = me.browser(op.browser()).types("login odd --scope openid");
    assert_eq!(done.code, 75, "{}", done.err);
    assert!(done.err.contains("can't be fetched at the moment") && me.keychain.accounts().is_empty(), "{}", done.err);
}

/// The practice server is an OpenID provider too: found by its issuer, its ID token verified.
#[test]
fn the_practice_servers_id_token_is_verified() {
    let mut me = Person::new();
    let server = me.practice(oauthctl::sandbox::Manners::Sandbox);
    let words = format!("login op --provider {} --client-id oauthctl --scope openid -v", server.base());
    let done = me.browser(allows).types(&words);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("the ID token is right: signed with ES256"), "{}", done.err);
    assert_eq!(me.record("op")["account"], "alice@example.test");
    // another login's nonce comes back: what an injected code would bring
    let act = |url: &str| allows(&with(url, "nonce", Some("another-login")));
    let done = me.browser(act).types(&words);
    assert_eq!(done.code, 7, "{}", done.err);
    assert_eq!(me.record("op")["login_at"], START);
}

// D-04
#[test]
fn a_document_without_end_or_too_deep_is_refused() {
    let deep = (0..100_000).fold(String::new(), |text, _| text + "[");
    for (what, document) in [("deep", json!(deep)), ("long", json!("x".repeat(2 << 20)))] {
        let mut me = Person::new();
        let text = document.as_str().expect("a text").to_owned();
        let server = me.odd("a server with a document of its own", move |_| {
            let body = format!("{{\"issuer\":\"x\",\"deep\":{text}");
            crate::world::answer(200, "application/json", &body)
        });
        let done = me.types(&format!("login op --provider {} --client-id an-app", server.base));
        assert_eq!(done.code, 7, "{what}: {}", done.err);
        assert_eq!(server.asked(), 1, "{what}");
    }
}

// D-05, P-07
#[test]
fn a_token_endpoint_on_another_site_is_named_and_one_that_moved_gets_no_token() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], ..Plan::default() });
    let elsewhere = format!("{}/token", op.server.base.replace("127.0.0.1", "localhost"));
    op.plan.lock().unwrap().document = json!({ "token_endpoint": elsewhere });
    let done = me.browser(op.browser()).types(&op.login());
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("is on another site: localhost"), "{}", done.err);
    me.later(8 * 86_400);
    op.plan.lock().unwrap().document = json!({});
    let asked = |op: &Op| op.seen().iter().filter(|l| *l == "POST /token").count();
    let before = asked(&op);
    let done = me.types("refresh op");
    assert_eq!(done.code, 7, "{}", done.err);
    assert!(done.err.contains("has changed since the login"), "{}", done.err);
    assert_eq!(asked(&op), before, "nothing was sent there");
    // the address for clients with a certificate is one too
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], ..Plan::default() });
    let elsewhere = format!("{}/token", op.server.base);
    let aliases =
        |place: &str| json!({ "token_endpoint": elsewhere, "mtls_endpoint_aliases": { "token_endpoint": place } });
    op.plan.lock().unwrap().document = aliases("https://mtls.as.example/token");
    let done = me.browser(op.browser()).types(&op.login());
    assert_eq!(done.code, 0, "{}", done.err);
    me.later(8 * 86_400);
    op.plan.lock().unwrap().document = aliases("https://elsewhere.example/token");
    let done = me.types("refresh op");
    assert!(done.code == 7 && done.err.contains("https://elsewhere.example/token now"), "{}", done.err);
}

// D-06
#[test]
fn a_document_that_leads_to_this_networks_own_services_is_refused_unless_that_is_allowed() {
    for (name, url) in [
        ("revocation_endpoint", "https://169.254.169.254/latest/meta-data/"),
        ("introspection_endpoint", "https://[::ffff:169.254.169.254]/"),
        ("jwks_uri", "https://metadata.google.internal/keys"),
    ] {
        let mut me = Person::new();
        let plan = Plan { announced: vec!["ES256".into()], document: json!({ name: url }), ..Plan::default() };
        let op = Op::start(&mut me, plan);
        let done = me.types(&op.login());
        assert_eq!(done.code, 7, "{name}: {}", done.err);
        assert!(done.err.contains(&format!("the `{name}` of")) && done.err.contains("--allow-private"), "{}", done.err);
        assert_eq!(op.seen().len(), 1, "{name}: {:?}", op.seen());
    }
    let mut me = Person::new();
    let document = json!({ "revocation_endpoint": "https://169.254.169.254/revoke" });
    let plan = Plan { announced: vec!["ES256".into()], document, ..Plan::default() };
    let op = Op::start(&mut me, plan);
    let done = me.browser(op.browser()).types(&format!("{} --allow-private", op.login()));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(me.config_text().contains("allow-private = true"), "{}", me.config_text());
    // the document is asked for again, and the profile remembers
    me.later(2 * 86_400);
    {
        let mut plan = op.plan.lock().unwrap();
        plan.renewal = true;
        plan.set = timed(&json!({ "iat": "now+172800", "exp": "now+173100" }));
    }
    let renewed = me.types("refresh op");
    assert_eq!(renewed.code, 0, "{}", renewed.err);
    assert_eq!(op.seen().iter().filter(|line| line.contains("well-known")).count(), 2, "{:?}", op.seen());
    assert_eq!(me.types("login https://169.254.169.254/ --client-id x").code, 7);
}
