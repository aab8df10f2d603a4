//! A secret goes only to where it was obtained for, whatever changes after a login. A token is
//! printed only for the request that it was obtained with.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use serde_json::json;

use crate::world::serve;
use crate::world::{Odd, Output, Person, answer};

/// All that came in, as one text per request.
type Seen = Arc<Mutex<Vec<String>>>;

/// A server that gives numbered tokens at every path, and knows every other path.
fn server(me: &mut Person, name: &str) -> (Odd, Seen) {
    let seen = Seen::default();
    let keep = seen.clone();
    let tag = name.to_owned();
    let server = me.odd(name, move |request: &serve::Request| {
        let mut seen = keep.lock().unwrap();
        let headers: Vec<String> = request.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        seen.push(format!("{} {}\n{}\n{}", request.method, request.path, headers.join("\n"), String::from_utf8_lossy(&request.body)));
        let body = json!({
            "access_token": format!("access-{tag}-{}", seen.len()), "refresh_token": format!("refresh-{tag}-{}", seen.len()),
            "token_type": "Bearer", "expires_in": 600, "active": true, "sub": "ann", "email": "ann@example.test",
        });
        answer(200, "application/json", &body.to_string())
    });
    (server, seen)
}

/// A provider of every kind of endpoint; `other` is where its environment `b`, and the host in its
/// variable, lead.
fn provider(base: &str, other: &str) -> String {
    format!(
        "id = \"acme\"\nname = \"Acme\"\nsources = [\"a test\"]\nchecked = \"2026-11-21\"\nclient-id = \"an-app\"\n\
         [vars.base]\ndefault = \"{base}\"\n\
         [authorize]\nurl = \"{{base}}/authorize\"\n[token]\nurl = \"{{base}}/token\"\nauth = [\"basic\", \"none\"]\n\
         [client-credentials]\nsupported = true\n[revoke]\nurl = \"{{base}}/revoke\"\n[introspect]\nurl = \"{{base}}/introspect\"\n\
         [userinfo]\nurl = \"{{base}}/userinfo\"\n[whoami]\nurl = \"{{base}}/api/me\"\nlabel = \"email\"\n[redirect]\nloopback = \"any_port\"\n\
         [api]\nbase-url = \"{{base}}/api\"\n[environments.b.vars.base]\ndefault = \"{other}\"\n"
    )
}

/// `token` from the kernel's copy sends nothing anywhere.
const VERBS: [&str; 8] = [
    "status work",
    "token work --no-cache",
    "refresh work",
    "call work /x",
    "userinfo work",
    "whoami work",
    "introspect work",
    "logout work",
];

/// A logout goes to where the token was obtained, whatever the configuration says now.
const BUT_LOGOUT: &[&str] = VERBS.split_last().unwrap().1;

/// Signed in at the one server by a person, with a client secret; the other one waits.
fn signed_in() -> (Person, (Odd, Seen), (Odd, Seen)) {
    signed_in_at(provider)
}

fn signed_in_at(provider: fn(&str, &str) -> String) -> (Person, (Odd, Seen), (Odd, Seen)) {
    let mut me = Person::new();
    let (ours, theirs) = (server(&mut me, "ours"), server(&mut me, "theirs"));
    me.config("providers/acme.toml", &provider(&ours.0.base, &theirs.0.base));
    me.config("providers/zeta.toml", &provider(&theirs.0.base, &ours.0.base).replace("acme", "zeta"));
    std::fs::write(me.path("secret"), "client-secret-of-ours").unwrap();
    let secret = me.path("secret").display().to_string();
    me.answers("ann").answers_hidden("a-password-0123");
    let done =
        me.runs(&["login", "work", "--provider", "acme", "--grant", "password", "--client-secret-file", &secret]);
    assert_eq!(done.code, 0, "{}", done.err);
    (me, ours, theirs)
}

fn is_refused(done: &Output, why: &str) {
    assert_eq!(done.code, 7, "{why}: {}{}", done.out, done.err);
    assert!((done.out.clone() + &done.err).contains("oauthctl login work"), "{why}: {}{}", done.out, done.err);
    done.tells_nothing_of("access-ours");
}

/// What of the login went to the other server.
fn leaked(theirs: &(Odd, Seen)) -> Vec<String> {
    let secrets = ["access-ours", "refresh-ours", "client-secret-of-ours", "Basic "];
    let seen = theirs.1.lock().unwrap();
    seen.iter().filter(|request| secrets.iter().any(|secret| request.contains(secret))).cloned().collect()
}

// P-01, P-02, P-03, P-04, P-17
#[test]
fn what_was_obtained_in_one_place_goes_to_no_other() {
    type Change = (&'static str, fn(&mut Person, &str, &str), &'static str);
    let changes: [Change; 9] = [
        ("a flag's environment", |_, _, _| (), " --environment b"),
        ("a flag's variable", |_, _, _| (), " --var base=THEIRS"),
        ("a flag's provider", |_, _, _| (), " --provider zeta"),
        ("the profile's environment", |me, _, _| drop(me.types("profile set work environment b")), ""),
        ("the profile's variable", |me, _, to| drop(me.runs(&["profile", "set", "work", "vars.base", to])), ""),
        ("the profile's provider", |me, _, _| drop(me.types("profile set work provider zeta")), ""),
        ("the whole file", |me, us, to| me.config("providers/acme.toml", &provider(to, us)), ""),
        (
            "the API alone",
            |me, us, to| {
                let text = provider(us, to).replace("base-url = \"{base}", &format!("base-url = \"{to}"));
                me.config("providers/acme.toml", &text);
            },
            "",
        ),
        (
            "another folder",
            |me, us, to| {
                std::fs::create_dir_all(me.path("ci/providers")).unwrap();
                std::fs::write(me.path("ci/providers/acme.toml"), provider(to, us)).unwrap();
                std::fs::write(
                    me.path("ci/config.toml"),
                    "[profiles.work]\nprovider = \"acme\"\ngrant = \"password\"\n",
                )
                .unwrap();
                let folder = me.path("ci").display().to_string();
                me.set("OAUTHCTL_CONFIG_DIR", &folder);
            },
            "",
        ),
    ];
    for (what, change, flags) in changes {
        for verb in VERBS {
            if flags.is_empty() && verb.starts_with("logout") {
                // it goes to where the token was obtained
                continue;
            }
            let (mut me, ours, theirs) = signed_in();
            let (us, to) = (ours.0.base.clone(), theirs.0.base.clone());
            let before = me.record("work");
            change(&mut me, &us, &to);
            let done = me.types(&format!("{verb}{}", flags.replace("THEIRS", &to)));
            is_refused(&done, &format!("{what}, {verb}"));
            assert_eq!(leaked(&theirs), Vec::<String>::new(), "{what}, {verb}");
            assert_eq!(me.record("work"), before, "{what}, {verb}: nothing is lost");
            // for the double's own count
            crate::world::robot::get(&format!("{to}/x"));
        }
    }
}

/// The provider with one address elsewhere.
fn with_moved(us: &str, to: &str, path: &str) -> String {
    provider(us, to).replace(&format!("{{base}}/{path}\""), &format!("{to}/{path}\""))
}

// P-04: the command that would ask it is refused, no other one
#[test]
fn an_endpoint_of_one_command_that_moved_stops_that_command_alone() {
    for (path, asks) in [("userinfo", "userinfo work"), ("introspect", "introspect work"), ("revoke", "-")] {
        for verb in VERBS.into_iter().chain(["token work"]) {
            let (mut me, ours, theirs) = signed_in();
            me.config("providers/acme.toml", &with_moved(&ours.0.base, &theirs.0.base, path));
            let done = me.types(verb);
            match verb == asks {
                true => is_refused(&done, &format!("{path}, {verb}")),
                false => assert_eq!(done.code, 0, "{path}, {verb}: {}", done.err),
            }
            assert_eq!(leaked(&theirs), Vec::<String>::new(), "{path}, {verb}");
            crate::world::robot::get(&format!("{}/x", theirs.0.base));
        }
    }
    // an address that was not known at the login is none for its token either
    let (mut me, ours, theirs) = signed_in();
    let before = provider(&ours.0.base, &theirs.0.base);
    me.config("providers/acme.toml", &before.replace("[userinfo]\nurl = \"{base}/userinfo\"\n", ""));
    me.answers("ann").answers_hidden("a-password-0123");
    assert_eq!(me.types("login work --grant password").code, 0);
    me.config("providers/acme.toml", &with_moved(&ours.0.base, &theirs.0.base, "userinfo"));
    is_refused(&me.types("userinfo work"), "a new one");
    assert_eq!(me.types("refresh work").code, 0);
    assert_eq!(leaked(&theirs), Vec::<String>::new());
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// P-04: a token ends where it was obtained
#[test]
fn a_logout_revokes_where_the_token_was_obtained() {
    // without a variable: its value would count as well
    fn plain(us: &str, _: &str) -> String {
        let text = provider(us, us).replace(&format!("[vars.base]\ndefault = \"{us}\"\n"), "");
        text.split("[environments").next().unwrap().replace("{base}", us)
    }
    for whole in [false, true] {
        let (mut me, ours, theirs) = signed_in_at(plain);
        let (us, to) = (&ours.0.base, &theirs.0.base);
        let text = match whole {
            true => plain(to, us),
            false => plain(us, to).replace(&format!("{us}/revoke"), &format!("{to}/revoke")),
        };
        me.config("providers/acme.toml", &text);
        ours.1.lock().unwrap().clear();
        let done = me.types("logout work");
        assert_eq!(done.code, 0, "{whole}: {}", done.err);
        let seen = ours.1.lock().unwrap().join("\n");
        assert!(seen.contains("POST /revoke") && seen.contains("refresh-ours"), "{whole}: {seen}");
        assert_eq!(leaked(&theirs), Vec::<String>::new());
        crate::world::robot::get(&format!("{to}/x"));
    }
}

// P-01, P-02, P-03: what the configuration says now is for the next login
#[test]
fn a_logout_goes_where_the_token_was_obtained_whatever_the_profile_is_now() {
    let changes = [
        ("environment", "b"),
        ("vars.base", "THEIRS"),
        ("provider", "zeta"),
        ("client-id", "another-app"),
        ("file", ""),
    ];
    for ((key, value), line) in changes.into_iter().zip(["logout work", "logout --all"].into_iter().cycle()) {
        let (mut me, ours, theirs) = signed_in();
        let to = theirs.0.base.clone();
        match key {
            "file" => me.config("providers/acme.toml", &provider(&to, &ours.0.base)),
            key => assert_eq!(me.runs(&["profile", "set", "work", key, &value.replace("THEIRS", &to)]).code, 0),
        }
        me.set("OAUTHCTL_WORK_CLIENT_SECRET", "a-secret-of-today");
        ours.1.lock().unwrap().clear();
        let done = me.types(line);
        assert_eq!(done.code, 0, "{key}: {}", done.err);
        assert!(me.record("work").get("token").is_none(), "{key}");
        let seen = ours.1.lock().unwrap().join("\n");
        let client = base64::engine::general_purpose::STANDARD.encode("an-app:client-secret-of-ours");
        assert!(seen.contains("POST /revoke") && seen.contains("refresh-ours"), "{key}: {seen}");
        assert!(seen.contains(&format!("Basic {client}")), "{key}: {seen}");
        assert_eq!(leaked(&theirs), Vec::<String>::new(), "{key}");
        crate::world::robot::get(&format!("{to}/x"));
    }
    // a secret that is not stored is perhaps for what the profile is now: then nothing is sent
    let (mut me, ours, theirs) = signed_in();
    me.tamper("work", |record| drop(record.as_object_mut().unwrap().remove("client_secret")));
    assert_eq!(me.types("profile set work environment b").code, 0);
    ours.1.lock().unwrap().clear();
    is_refused(&me.types("logout work"), "a secret from elsewhere");
    assert!(ours.1.lock().unwrap().is_empty() && me.types("profile remove work").code == 0);
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// P-04, B-01: a recorded address names its secret variables, and holds no value of theirs
#[test]
fn a_logout_fills_the_secret_variables_of_a_recorded_address() {
    for stored in [true, false] {
        let mut me = Person::new();
        let (ours, theirs) = (server(&mut me, "ours"), server(&mut me, "theirs"));
        let pinned = provider(&ours.0.base, &theirs.0.base).replace("{base}/revoke", "{base}/{pin}/revoke");
        let pinned = format!("{pinned}[vars.pin]\nprompt = \"The PIN\"\nsecret = true\n");
        me.config("providers/acme.toml", &pinned);
        assert_eq!(me.types("profile set work provider acme").code, 0);
        std::fs::write(me.path("pin"), "a-pin-4711").unwrap();
        let pin = me.path("pin").display().to_string();
        assert_eq!(me.runs(&["profile", "set-secret", "work", &pin, "--var", "pin"]).code, 0);
        me.answers("ann").answers_hidden("a-password-0123");
        let done = me.types("login work --grant password");
        assert_eq!(done.code, 0, "{}", done.err);
        // an older version made the record: it is bound without a look at the secrets
        me.tamper("work", |record| record.as_object_mut().unwrap().retain(|name, _| !name.ends_with("bound")));
        assert_eq!(me.types("status work").code, 0);
        me.config("providers/acme.toml", &provider(&ours.0.base, &theirs.0.base));
        if !stored {
            me.tamper("work", |record| drop(record.as_object_mut().unwrap().remove("secret_vars")));
        }
        ours.1.lock().unwrap().clear();
        let done = me.types("logout work");
        let seen = ours.1.lock().unwrap().join("\n");
        assert_eq!((done.code == 0, seen.contains("POST /a-pin-4711/revoke")), (stored, stored), "{}{seen}", done.err);
        assert!(stored || done.err.contains("`{pin}` is not known"), "{}", done.err);
        assert_eq!(leaked(&theirs), Vec::<String>::new());
        crate::world::robot::get(&format!("{}/x", theirs.0.base));
    }
}

// P-05: the cause is the place, not that there is none
#[test]
fn a_login_elsewhere_says_that_the_secret_is_for_another_place() {
    let (mut me, ours, theirs) = signed_in();
    let strict = provider(&theirs.0.base, &ours.0.base).replace("acme", "zeta").replace(", \"none\"]", "]");
    me.config("providers/zeta.toml", &strict);
    let done = me.types("login work --provider zeta --grant client-credentials");
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("the stored client secret is for the provider `acme` alone"), "{}", done.err);
    let next =
        "oauthctl login work --provider zeta --grant client-credentials --client-id ID --client-secret-file FILE";
    assert!(done.err.contains(next), "{}", done.err);
    assert_eq!(leaked(&theirs), Vec::<String>::new());
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// P-05, P-06: a client secret that was entered for one provider is none of another's
#[test]
fn a_client_secret_stays_with_the_provider_that_it_was_entered_for() {
    for line in [
        "token work --provider zeta --grant client-credentials",
        "call work /x --provider zeta --grant client-credentials",
        "token work --environment b --grant client-credentials",
        "login work --provider zeta --grant client-credentials",
        "login work --environment b --grant client-credentials --client-id another",
    ] {
        let (mut me, _ours, theirs) = signed_in();
        let done = me.types(line);
        assert_eq!(leaked(&theirs), Vec::<String>::new(), "{line}: {}", done.err);
        crate::world::robot::get(&format!("{}/x", theirs.0.base));
    }
    // after a logout too
    let (mut me, _ours, theirs) = signed_in();
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
    assert_eq!(me.types("logout work").code, 0);
    me.types("profile set work provider zeta");
    let done = me.types("token work --grant client-credentials");
    assert_eq!(done.code, 7, "{}", done.err);
    assert_eq!(leaked(&theirs), Vec::<String>::new());
    // nor is a secret for the other provider put beside the tokens of this one
    let (mut me, _ours, theirs) = signed_in();
    me.types("profile set work provider zeta");
    me.stdin("client-secret-of-theirs");
    is_refused(&me.types("profile set-secret work -"), "set-secret");
    me.types("profile set work provider acme");
    assert_eq!(me.types("call work /x").code, 0, "the login is still that of the first provider");
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// B-05: what the configuration, or a variable of the profile's name, says is for the profile as it
// is configured
#[test]
fn a_secret_from_outside_the_store_is_for_the_profile_as_it_is_configured() {
    for flags in ["--provider zeta", "--environment b", "--var base=THEIRS", "--client-id another"] {
        for (secret, line) in [
            ("client-secret.file = \"SECRET\"\n", "token work --grant client-credentials"),
            ("client-secret.file = \"SECRET\"\n", "call work /x --grant client-credentials"),
            ("OAUTHCTL_WORK_CLIENT_SECRET", "token work --grant client-credentials"),
            ("OAUTHCTL_WORK_TOKEN", "call work /x"),
            ("OAUTHCTL_WORK_TOKEN", "whoami work"),
        ] {
            let (mut me, _ours, theirs) = signed_in();
            let file = me.path("secret").display().to_string();
            let more = if secret.starts_with("OAUTHCTL") { String::new() } else { secret.replace("SECRET", &file) };
            if secret.ends_with("SECRET") {
                me.set(secret, "client-secret-of-ours");
            } else if secret.ends_with("TOKEN") {
                me.set(secret, "access-ours-from-outside");
            }
            me.config("config.toml", &format!("[profiles.work]\nprovider = \"acme\"\nclient-id = \"an-app\"\n{more}"));
            let done = me.types(&format!("{line} {}", flags.replace("THEIRS", &theirs.0.base)));
            assert_eq!(done.code, 7, "{secret}, {line} {flags}: {}", done.err);
            assert_eq!(leaked(&theirs), Vec::<String>::new(), "{secret}, {line} {flags}");
            crate::world::robot::get(&format!("{}/x", theirs.0.base));
        }
    }
    // nor does it move a login: the file leads elsewhere now
    let (mut me, ours, theirs) = signed_in();
    let file = me.path("secret").display().to_string();
    me.config("config.toml", &format!("[profiles.work]\nprovider = \"acme\"\nclient-secret.file = \"{file}\"\n"));
    assert_eq!(me.types("login work --grant client-credentials").code, 0);
    me.config("providers/acme.toml", &provider(&theirs.0.base, &ours.0.base));
    for verb in BUT_LOGOUT {
        is_refused(&me.types(verb), verb);
    }
    assert_eq!(leaked(&theirs), Vec::<String>::new());
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// B-03: a file that calls itself practice is bound as every other one
#[test]
fn only_the_practice_server_of_this_program_may_be_anywhere() {
    let (mut me, ours, theirs) = signed_in();
    let practice = |base: &str| "practice = \"x\"\n".to_owned() + &provider(base, base);
    me.config("providers/acme.toml", &practice(&ours.0.base));
    let secret = me.path("secret").display().to_string();
    me.answers("ann").answers_hidden("a-password-0123");
    assert_eq!(me.runs(&["login", "work", "--grant", "password", "--client-secret-file", &secret]).code, 0);
    me.config("providers/acme.toml", &practice(&theirs.0.base));
    for verb in BUT_LOGOUT {
        is_refused(&me.types(verb), verb);
    }
    assert_eq!(leaked(&theirs), Vec::<String>::new());
    me.signed_in();
    let done = me.types(&format!("call sandbox /me --var base={}", theirs.0.base));
    assert_eq!(done.code, 7, "{}", done.err);
    assert_eq!(theirs.0.asked(), 0);
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// P-18: the copy alone doesn't know where else a token may go
#[test]
fn a_copy_without_its_record_goes_to_no_userinfo() {
    let (mut me, ours, theirs) = signed_in();
    me.keychain.put("work", "{\"oauthctl\":1}");
    let moved = provider(&ours.0.base, &ours.0.base).replace("{base}/userinfo", &format!("{}/userinfo", theirs.0.base));
    me.config("providers/acme.toml", &moved);
    assert_eq!(me.types("userinfo work").code, 4);
    assert_eq!(theirs.0.asked(), 0);
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// B-01, B-02: another client's
#[test]
fn a_login_is_of_its_client() {
    for verb in VERBS {
        let (mut me, _ours, theirs) = signed_in();
        let before = me.record("work");
        is_refused(&me.types(&format!("{verb} --client-id another")), verb);
        let done = me.set("OAUTHCTL_CLIENT_ID", "another").set("OAUTHCTL_CLIENT_SECRET", "other-9876").types(verb);
        is_refused(&done, verb);
        assert_eq!(me.record("work"), before, "{verb}");
        crate::world::robot::get(&format!("{}/x", theirs.0.base));
    }
}

#[test]
fn a_login_moves_it() {
    let (mut me, _ours, theirs) = signed_in();
    me.types("profile set work environment b");
    is_refused(&me.types("call work /x"), "before");
    assert!(me.types("list").out.contains("elsewhere"));
    let secret = me.path("secret").display().to_string();
    me.answers("ann").answers_hidden("a-password-0123");
    assert_eq!(me.runs(&["login", "work", "--grant", "password", "--client-secret-file", &secret]).code, 0);
    assert_eq!(me.types("call work /x").code, 0);
    assert!(theirs.1.lock().unwrap().iter().any(|request| request.contains("Bearer access-theirs")));
}

// P-09
#[test]
fn two_issuers_never_share_a_profile() {
    for (one, other) in [
        ("/tenant/a", "/tenant:a"),
        ("/tenant/a", "/tenant-a"),
        (&*format!("/{}/one", "x".repeat(70)), &*format!("/{}/two", "x".repeat(70))),
    ] {
        let mut me = Person::new();
        me.config("config.toml", "");
        let (first, second) = (format!("https://as.example{one}"), format!("https://as.example{other}"));
        let name = |me: &mut Person, issuer: &str| {
            let done = me.runs(&["token", issuer, "--format", "json"]);
            let words = done.err.split('`').nth(1).unwrap_or_default().to_owned();
            assert_eq!(done.code, 4, "{}", done.err);
            words
        };
        let short = name(&mut me, &first);
        assert_eq!(name(&mut me, &second), short, "nobody has the name yet");
        me.runs(&["profile", "set", &short, "provider", &first]);
        assert_eq!(name(&mut me, &first), short);
        let own = name(&mut me, &second);
        assert_ne!(own, short, "{one} {other}");
        me.runs(&["profile", "set", &own, "provider", &second]);
        assert_eq!(name(&mut me, &second), own);
        me.runs(&["profile", "remove", &short]);
        assert_eq!(name(&mut me, &second), own, "it keeps its name when the other one goes");
    }
}

/// A server of numbered tokens for a job's grants, and the profile `job` of it.
fn job() -> (Person, (Odd, Seen)) {
    let mut me = Person::new();
    let ours = server(&mut me, "ours");
    me.config("providers/acme.toml", &provider(&ours.0.base, &ours.0.base));
    for (name, text) in [("ann", "token-of-ann"), ("bob", "token-of-bob"), ("secret", "client-secret-of-ours")] {
        std::fs::write(me.path(name), text).unwrap();
    }
    // {"sub":"ann"} and {"sub":"bob"}
    for (name, claims) in [("jwt-ann", "eyJzdWIiOiJhbm4ifQ"), ("jwt-bob", "eyJzdWIiOiJib2IifQ")] {
        std::fs::write(me.path(name), format!("eyJhbGciOiJub25lIn0.{claims}.c2ln")).unwrap();
    }
    (me, ours)
}

// P-10, P-11: the old token is never handed out for the new request
#[test]
fn a_request_that_differs_gets_a_token_of_its_own() {
    let exchange = "--grant token-exchange --subject-token-file ~/ann";
    for (first, then) in [
        (exchange, "--grant token-exchange --subject-token-file ~/bob"),
        (exchange, "--grant token-exchange --subject-token-file ~/ann --actor-token-file ~/bob"),
        (exchange, "--grant token-exchange --subject-token-file ~/ann --requested-token-type jwt"),
        (exchange, "--grant token-exchange --subject-token-file ~/ann --audience a"),
        (exchange, "--grant token-exchange --subject-token-file ~/ann --resource https://a.example"),
        (exchange, "--grant token-exchange --subject-token-file ~/ann --scope read"),
        ("--grant client-credentials --audience a", "--grant client-credentials --audience b"),
        ("--grant client-credentials --audience a", "--grant client-credentials"),
        ("--grant client-credentials", "--grant client-credentials --resource https://b.example"),
        ("--grant client-credentials --scope a", "--grant client-credentials --scope b"),
        ("--grant client-credentials --scope a", "--grant client-credentials"),
        ("--grant client-credentials", "--grant client-credentials --client-id another"),
        ("--grant jwt-bearer --assertion-file ~/jwt-ann", "--grant jwt-bearer --assertion-file ~/jwt-bob"),
    ] {
        let (mut me, _ours) = job();
        let mut token = |flags: &str| {
            let done = me.types(&format!("token acme {flags} --client-secret-file ~/secret"));
            assert_eq!(done.code, 0, "{flags}: {}", done.err);
            done.out
        };
        let (one, two) = (token(first), token(then));
        assert_ne!(one, two, "{first} / {then}");
        assert_eq!(token(first), one, "the first one is still its own: {first}");
    }
}

// P-13
#[test]
fn what_the_configuration_asks_for_now_is_asked_for() {
    for (key, value) in [("audience", "b"), ("resource", "https://b.example"), ("scopes", "b"), ("environment", "b")] {
        let (mut me, _ours) = job();
        let secret = me.path("secret").display().to_string();
        assert_eq!(
            me.runs(&["login", "acme", "--grant", "client-credentials", "--client-secret-file", &secret]).code,
            0
        );
        let one = me.types("token acme").out;
        assert_eq!(me.types("token acme").out, one);
        assert_eq!(me.runs(&["profile", "set", "acme", key, value]).code, 0, "{key}");
        // a job's client stands in the environment
        me.set("OAUTHCTL_CLIENT_ID", "an-app").set("OAUTHCTL_CLIENT_SECRET", "client-secret-of-ours");
        let two = me.types("token acme");
        assert_ne!(two.out, one, "{key}: {}", two.err);
        if key == "environment" {
            continue; // only a login moves it
        }
        assert_ne!(me.types("token acme --scope other").out, two.out, "{key}");
        assert_eq!(me.types("token acme").out, two.out, "{key}: it is kept, whatever was asked for once");
    }
}

// the same file with another person's token in it
#[test]
fn an_input_that_has_changed_is_another_request() {
    let (mut me, _ours) = job();
    let line = "token acme --grant token-exchange --subject-token-file ~/ann --client-secret-file ~/secret";
    let one = me.types(line).out;
    assert_eq!(me.types(line).out, one);
    std::fs::write(me.path("ann"), "token-of-carol").unwrap();
    assert_ne!(me.types(line).out, one);
}

// a person's login: asked for with other words it is told, and never handed out
#[test]
fn a_login_is_not_handed_out_for_what_it_was_not_asked_for_with() {
    for flags in ["--scope admin", "--resource https://b.example", "--audience b", "--param a=b"] {
        let (mut me, _ours, theirs) = signed_in();
        for verb in ["token", "introspect"] {
            let done = me.types(&format!("{verb} work {flags}"));
            assert_eq!(done.code, 4, "{verb} {flags}: {}{}", done.out, done.err);
        }
        let done = me.set("OAUTHCTL_SCOPE", "admin").types("token work");
        assert_eq!((done.code, done.out.as_str()), (4, ""), "{}", done.err);
        crate::world::robot::get(&format!("{}/x", theirs.0.base));
    }
}

// P-12: the subject's profile signs in as another person
#[test]
fn another_subject_is_another_request() {
    let (mut me, _ours, theirs) = signed_in();
    let secret = me.path("secret").display().to_string();
    me.config("config.toml", &(me.config_text() + "[profiles.narrow]\nprovider = \"acme\"\nclient-id = \"job\"\ngrant = \"token-exchange\"\nsubject-profile = \"work\"\n"));
    let one = me.types("token narrow").out;
    assert_eq!(me.types("token narrow").out, one);
    me.later(1);
    me.answers("bob").answers_hidden("a-password-0123");
    let done = me.runs(&["login", "work", "--grant", "password", "--client-secret-file", &secret]);
    assert_eq!(done.code, 0, "{}", done.err);
    let two = me.types("token narrow");
    assert_ne!(two.out, one, "{}", two.err);
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

/// Keys of a profile that decide which token comes back, each with two values; after the one was
/// asked for, the token is not handed out for the other.
const DECIDING: [(&str, &str, &str); 14] = [
    ("provider", "acme", "zeta"),
    ("environment", "a", "b"),
    ("client-id", "one", "two"),
    ("grant", "client-credentials", "jwt-bearer"),
    ("scopes", "a", "b"),
    ("resource", "https://a.example", "https://b.example"),
    ("audience", "a", "b"),
    ("authorization-details", "[{\"type\":\"a\"}]", "[{\"type\":\"b\"}]"),
    ("acr-values", "a", "b"),
    ("requested-token-type", "jwt", "access_token"),
    ("subject-token-type", "jwt", "access_token"),
    ("username", "ann", "bob"),
    ("assertion-issuer", "one", "two"),
    ("assertion-audience", "https://a.example", "https://b.example"),
];
/// Those that a test above walks with the files or the profile that they name.
const BESIDE: [&str; 8] = [
    "assertion",
    "subject-token",
    "subject-profile",
    "actor-token",
    "actor-token-type",
    "subject",
    "vars.NAME",
    "params.NAME",
];
/// Those that decide how a token is asked for, where it rests, or how it is proved whose it is, and
/// not which one it is.
const PASSING: [&str; 28] = [
    "client-secret",
    "earlier-client-secret",
    "redirect-uri",
    "port",
    "listen",
    "browser",
    "helper-hosts",
    "store",
    "allow-private",
    "maximum-age",
    "login-hint",
    "prompt",
    "max-age",
    "ui-locales",
    "response-mode",
    "par",
    "request-object",
    "password",
    "binding-message",
    "id-token-hint",
    "login-hint-token",
    "requested-expiry",
    "auth",
    "client-key",
    "client-key-id",
    "client-key-algorithm",
    "client-certificate",
    "dpop",
];

#[test]
fn every_key_of_a_profile_is_known_to_decide_or_not_to() {
    for key in oauthctl::config::profile_keys() {
        let key = [".command", ".file", ".env"].iter().find_map(|s| key.strip_suffix(s)).unwrap_or(&key);
        let deciding = DECIDING.iter().any(|(name, _, _)| *name == key) || BESIDE.contains(&key);
        assert!(deciding != PASSING.contains(&key), "`{key}`: which of the two is it?");
    }
    for (key, one, two) in DECIDING {
        let (mut me, ours) = job();
        let other = provider(&ours.0.base, &ours.0.base).replace("acme", "zeta");
        me.config("providers/zeta.toml", &other);
        let acme =
            provider(&ours.0.base, &ours.0.base) + "[environments.a.vars.base]\ndefault = \"" + &ours.0.base + "\"\n";
        me.config("providers/acme.toml", &acme);
        let grant = match key {
            "grant" => "",
            "assertion-audience" => "grant = \"jwt-bearer\"\n",
            _ => "grant = \"client-credentials\"\n",
        };
        let of_provider = if key == "provider" { "" } else { "provider = \"acme\"\n" };
        let assertion = me.path("jwt-ann").display().to_string();
        me.config(
            "config.toml",
            &format!(
                "[profiles.work]\n{of_provider}{grant}client-secret.file = \"{}\"\nassertion.file = \"{assertion}\"\n",
                me.path("secret").display()
            ),
        );
        let mut token = |value: &str| {
            assert_eq!(me.runs(&["profile", "set", "work", key, value]).code, 0, "{key}");
            let done = me.types("token work");
            // the configuration's secret is not for another place
            assert!(done.code == 0 || (done.code == 7 && value == two), "{key} = {value}: {}", done.err);
            done.out
        };
        let first = token(one);
        assert_eq!(token(one), first, "{key}: it is kept");
        assert_ne!(token(two), first, "{key}");
    }
}

// P-16: what speaks for a login goes before the login does
#[test]
fn no_copy_speaks_for_a_record_that_is_gone() {
    let (mut me, _ours, theirs) = signed_in();
    assert!(me.copies.texts().iter().any(|text| text.contains("access-ours")));
    me.keychain.fault(crate::world::Fault::Forgets);
    let done = me.types("refresh work");
    assert_ne!(done.code, 0, "{}", done.err);
    assert!(me.copies.texts().iter().all(|text| !text.contains("access-ours")), "{:?}", me.copies.texts());
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// P-22: a record of an older version says nothing of places
#[test]
fn a_record_of_an_older_version_is_bound_at_its_first_use() {
    for first in ["token work", "status work", "list", "call work /x", "introspect work", "userinfo work"] {
        let (mut me, ours, theirs) = signed_in();
        let mut record: serde_json::Value = serde_json::from_str(&me.keychain.item("work").unwrap()).unwrap();
        for member in ["bound", "secret_bound", "asked_with"] {
            record.as_object_mut().unwrap().remove(member);
        }
        me.keychain.put("work", &record.to_string());
        me.copies.clear();
        let done = me.types(first);
        assert_eq!(done.code, 0, "{first}: {}", done.err);
        me.config("providers/acme.toml", &provider(&theirs.0.base, &ours.0.base));
        for verb in BUT_LOGOUT {
            is_refused(&me.types(verb), &format!("{first}, then {verb}"));
        }
        assert_eq!(leaked(&theirs), Vec::<String>::new(), "{first}");
        crate::world::robot::get(&format!("{}/x", theirs.0.base));
    }
}

// P-23: what the provider's file adds to a request is part of it
#[test]
fn a_file_that_adds_another_parameter_makes_another_request() {
    for (key, line) in [
        ("token.params", "auth = [\"basic\", \"none\"]\nparams = { audience = \"VALUE\" }\n"),
        ("token.headers", "auth = [\"basic\", \"none\"]\nheaders = { X-Tenant = \"VALUE\" }\n"),
    ] {
        let (mut me, ours) = job();
        let file = provider(&ours.0.base, &ours.0.base);
        let with = |value: &str| file.replace("auth = [\"basic\", \"none\"]\n", &line.replace("VALUE", value));
        me.config("providers/acme.toml", &with("a"));
        let secret = me.path("secret").display().to_string();
        let login = me.runs(&["login", "acme", "--grant", "client-credentials", "--client-secret-file", &secret]);
        assert_eq!(login.code, 0, "{key}: {}", login.err);
        let one = me.types("token acme --no-cache").out;
        for text in [with("b"), file.clone()] {
            me.config("providers/acme.toml", &text);
            let other = me.types("token acme --no-cache");
            assert!(other.code == 0 && other.out != one, "{key}: {}", other.err);
            assert_eq!(me.types("token acme --no-cache").out, other.out, "{key}: it is kept");
        }
    }
}

// what the configuration names is read anew, and its token takes the old one's place
#[test]
fn the_token_of_an_input_that_has_changed_is_kept() {
    let (mut me, _ours) = job();
    let [secret, ann] = ["secret", "ann"].map(|name| me.path(name).display().to_string());
    let line =
        ["login", "acme", "--grant", "token-exchange", "--client-secret-file", &secret, "--subject-token-file", &ann];
    let login = me.runs(&line);
    assert_eq!(login.code, 0, "{}", login.err);
    let one = me.types("token acme").out;
    std::fs::write(me.path("ann"), "token-of-carol").unwrap();
    let two = me.types("token acme");
    assert!(two.code == 0 && two.out != one, "{}", two.err);
    assert_eq!(me.types("token acme").out, two.out);
}

// B-05: the kind of every secret that the configuration names a place of
#[test]
fn no_secret_of_the_configuration_goes_where_other_options_lead() {
    let (mut me, _ours, theirs) = signed_in();
    let kinds = [
        ("client-credentials", "client-secret", "client secret"),
        ("token-exchange", "subject-token", "subject token"),
        ("token-exchange", "subject-profile", "subject token"),
        ("token-exchange", "actor-token", "actor token"),
        ("jwt-bearer", "assertion", "assertion"),
        ("password", "password", "password"),
    ];
    std::fs::write(me.path("s"), "access-ours.is-a.secret").unwrap();
    let file = me.path("s").display().to_string();
    let (base, zeta) = (theirs.0.base.clone(), "--provider zeta".to_owned());
    let leads = [zeta, "--environment b".to_owned(), format!("--var base={base}"), "--client-id another".to_owned()];
    for (grant, key, what) in kinds {
        let source = if key == "subject-profile" { "\"work\"".to_owned() } else { format!("{{ file = \"{file}\" }}") };
        let mut lines = format!("grant = \"{grant}\"\n{key} = {source}\nclient-id = \"an-app\"\n");
        lines += match key {
            "actor-token" => "subject-token.env = \"NO_SUCH\"\n",
            "password" => "username = \"ann\"\n",
            _ => "",
        };
        let config = format!("[profiles.work]\nprovider = \"acme\"\n[profiles.ci]\nprovider = \"acme\"\n{lines}");
        me.config("config.toml", &config);
        for lead in &leads {
            for verb in ["token", "refresh", "login"] {
                if (verb == "login" || grant == "password") && !lead.contains("--provider") {
                    continue; // the first sign-in may say where the provider is; a password is for logins
                }
                let done = me.types(&format!("{verb} ci {lead} --grant {grant}"));
                assert_ne!(done.code, 0, "{key} {verb} {lead}");
                assert_eq!(leaked(&theirs), Vec::<String>::new(), "{key} {verb} {lead}");
                if verb == "login" {
                    let said = format!("`{key}` of `ci` is for the provider `acme` alone");
                    let first = done.err.contains(&said) || key == "actor-token" && done.err.contains("subject-token");
                    assert_eq!((done.code, first), (7, true), "{}", done.err);
                    assert!(done.err.contains("oauthctl login NAME --provider zeta"), "{}", done.err);
                    assert!(
                        done.err.contains("`oauthctl profile set ci provider zeta`, then the login"),
                        "{}",
                        done.err
                    );
                } else if grant != "password" && key != "actor-token" {
                    let said = done.err.contains(&format!("the {what} of `ci` is for "));
                    assert_eq!((done.code, said), (7, true), "{key} {verb} {lead}: {}", done.err);
                }
            }
        }
        assert_eq!(std::fs::read_to_string(me.path("config/oauthctl/config.toml")).unwrap(), config, "nothing is lost");
    }
    crate::world::robot::get(&format!("{base}/x"));
}

// B-05: the first sign-in says where the provider is; a later one moves no configured secret
#[test]
fn a_login_moves_no_secret_of_the_configuration() {
    let (mut me, ours, theirs) = signed_in();
    let file = me.path("secret").display().to_string();
    let secret = format!("client-id = \"an-app\"\nclient-secret.file = \"{file}\"\n");
    let config = format!("[profiles.ci]\nprovider = \"acme\"\ngrant = \"client-credentials\"\n{secret}");
    me.config("config.toml", &config);
    assert_eq!(me.types(&format!("login ci --var base={}", ours.0.base)).code, 0);
    let given = format!("login ci --var base={} --client-secret-file {file}", theirs.0.base);
    let done = me.types(&given);
    assert_eq!(done.code, 7, "{}", done.err);
    assert!(done.err.contains("`client-secret` of `ci` is for the `base` that was"), "{}", done.err);
    assert_eq!(leaked(&theirs), Vec::<String>::new());
    assert_eq!(me.types("profile unset ci client-secret").code, 0);
    assert_eq!(me.types(&given).code, 0, "it is given for this place");
    assert_eq!(leaked(&theirs).len(), 1);
    // a variable with the profile's name is for the profile as it is configured, too
    let (mut me, _ours, theirs) = signed_in();
    me.config("config.toml", "[profiles.ci]\nprovider = \"acme\"\nclient-id = \"an-app\"\n");
    me.set("OAUTHCTL_CI_CLIENT_SECRET", "client-secret-of-ours");
    let done = me.types("login ci --provider zeta --grant client-credentials");
    assert_eq!(done.code, 7, "{}", done.err);
    let next = "oauthctl login ci --provider zeta --grant client-credentials --client-secret-file FILE";
    assert!(done.err.contains("the client secret of `ci` is for the provider `acme` alone"), "{}", done.err);
    assert!(done.err.contains(next), "{}", done.err);
    assert_eq!(leaked(&theirs), Vec::<String>::new());
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}

// P-02: the copy of the token knows no address
#[test]
fn a_line_with_a_host_names_the_one_that_the_token_is_for() {
    let (mut me, ours, theirs) = signed_in();
    let done = me.types("token work --format netrc");
    assert!(done.out.starts_with("machine 127.0.0.1 login oauth2 password access-ours"), "{}", done.err);
    let moved = provider(&ours.0.base, &theirs.0.base).replace("{base}/api\"", "https://evil.example/v1\"");
    me.config("providers/acme.toml", &moved);
    is_refused(&me.types("token work --format netrc"), "netrc");
    crate::world::robot::get(&format!("{}/x", theirs.0.base));
}
