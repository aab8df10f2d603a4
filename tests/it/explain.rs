//! `--explain`: the text for each grant, which never shows a secret.

use serde_json::json;

use crate::world::op::{Op, Plan};
use crate::world::{Person, answer, robot};

/// Values that must not stand in any explanation.
const CANARIES: [&str; 10] = [
    "Zq7-access-canary",
    "Zq7-refresh-canary",
    "Zq7-device-canary",
    "Zq7-authreq-canary",
    "Zq7-subject-canary",
    "Zq7-actor-canary",
    "Zq7-password-canary",
    "Zq7-secret-canary",
    "Zq7-client-canary",
    "eyJhbGciOiJFUzI1NiJ9",
];

/// Somebody with a server that takes every grant, and files with all that is exchanged.
fn person() -> (Person, crate::world::Odd) {
    let mut me = Person::new();
    let server = me.odd("everything", |request| {
        let body = match request.path.as_str() {
            "/device" => json!({ "device_code": "Zq7-device-canary", "user_code": "ABCD", "verification_uri": "https://as.example/device", "interval": 1 }),
            "/ciba" => json!({ "auth_req_id": "Zq7-authreq-canary", "expires_in": 60, "interval": 1 }),
            "/par" => json!({ "request_uri": "urn:example:1", "expires_in": 60 }),
            _ => json!({
                "access_token": "Zq7-access-canary", "refresh_token": "Zq7-refresh-canary", "token_type": "bearer", "expires_in": 600,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "odd_secret": "Zq7-secret-canary",
            }),
        };
        answer(200, "application/json", &body.to_string())
    });
    let base = &server.base;
    let more = format!("[device]\nurl = \"{base}/device\"\n[ciba]\nurl = \"{base}/ciba\"\n");
    me.config("providers/odd.toml", &format!("par-url = \"{base}/par\"\n{}{more}", server.provider("odd")));
    for (name, text) in [
        ("jwt", "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJtZSJ9.c2ln"),
        ("saml", "<Assertion>Zq7-subject-canary</Assertion>"),
        ("subject", "Zq7-subject-canary"),
        ("actor", "Zq7-actor-canary"),
        ("password", "Zq7-password-canary"),
        ("secret", "Zq7-client-canary"),
    ] {
        std::fs::write(me.path(name), text).unwrap();
    }
    (me, server)
}

/// The titles of the steps, with their sections.
fn titles(err: &str) -> Vec<&str> {
    err.lines().filter(|l| l.starts_with('[')).collect()
}

#[test]
fn every_grant_tells_what_it_sends_and_why_and_no_secret() {
    let (mut me, _server) = person();
    let home = me.path("").display().to_string();
    for (typed, want) in [
        (
            "token odd --store none --grant client-credentials --client-secret-file ~/secret",
            vec!["[1] Asking with the client's own credentials  (RFC 6749, section 4.4.2)"],
        ),
        (
            "token odd --store none --grant jwt-bearer --assertion-file ~/jwt",
            vec!["[1] Exchanging a signed assertion  (RFC 7523, section 2.1)"],
        ),
        (
            "token odd --store none --grant saml2-bearer --assertion-file ~/saml",
            vec!["[1] Exchanging a SAML assertion  (RFC 7522, section 2.1)"],
        ),
        (
            "token odd --store none --grant token-exchange --subject-token-file ~/subject --actor-token-file ~/actor",
            vec!["[1] Exchanging one token for another  (RFC 8693, section 2.1)"],
        ),
        (
            "login odd --grant password --username alice --password-file ~/password",
            vec!["[1] Sending name and password  (RFC 6749, section 4.3.2; RFC 9700, section 2.4)"],
        ),
        (
            "login odd --grant device-code",
            vec![
                "[1] Asking for a code to enter elsewhere  (RFC 8628, section 3.1)",
                "[2] Asking whether the code was entered  (RFC 8628, section 3.4)",
            ],
        ),
        (
            "login odd --grant ciba --login-hint alice",
            vec![
                "[1] Asking for consent on another device  (OpenID CIBA Core 1.0, section 7.1)",
                "[2] Asking whether the user has confirmed  (OpenID CIBA Core 1.0, section 10.1)",
            ],
        ),
        ("token odd", vec![]),
    ] {
        let explain = if typed == "token odd" { typed.to_owned() } else { format!("{typed} --explain") };
        let done = me.types(&explain.replace("~/", &home));
        assert_eq!(done.code, 0, "{typed}: {}", done.err);
        assert_eq!(titles(&done.err), want, "{typed}");
        for canary in CANARIES {
            assert!(!done.err_raw.contains(canary), "{typed} tells {canary}:\n{}", done.err_raw);
        }
        // a pipe gets no colours
        assert!(!done.err_raw.contains('\u{1b}'), "{typed}");
    }
    let stored = me.types("token odd --explain --no-cache");
    assert_eq!(titles(&stored.err), ["[1] A fresh token is at hand: nothing is sent  (RFC 6749, section 5.1)"]);
    assert!(stored.err.contains("the store has it"), "{}", stored.err);
    let renewed = me.types("token odd --explain --force-refresh");
    assert_eq!(titles(&renewed.err), ["[1] Refreshing the token  (RFC 6749, section 6)"]);
}

#[test]
fn an_exchange_reads_so() {
    let (mut me, _server) = person();
    let subject = me.path("subject").display().to_string();
    let done = me.runs(&[
        "token",
        "odd",
        "--store",
        "none",
        "--grant",
        "token-exchange",
        "--subject-token-file",
        &subject,
        "--audience",
        "api",
        "--explain",
    ]);
    done.is(0, "Zq7-access-canary\n", "
        [1] Exchanging one token for another  (RFC 8693, section 2.1)
            the new token may be narrower, for another service, or in another's name
            > POST http://127.0.0.1:PORT/token
            >   grant_type             urn:ietf:params:oauth:grant-type:token-exchange
            >   subject_token          [sha256:…]  the subject of the new token
            >   subject_token_type     urn:ietf:params:oauth:token-type:access_token
            >   audience               api  the service that the token is for
            >   client_id              an-app  the client; not secret
            < 200: yes
            <   access_token           [sha256:…]  for calls to the API
            <   refresh_token          [sha256:…]  for the next access token
            <   token_type             bearer  how the token is sent
            <   expires_in             600  seconds
            <   issued_token_type      urn:ietf:params:oauth:token-type:access_token  the type of the new token (RFC 8693, section 2.2.1)
            <   odd_secret             [sha256:…]
    ");
}

#[test]
fn a_login_with_a_browser_reads_from_the_address_to_the_token() {
    let mut me = Person::new();
    let done = me.browser(robot::allows).types("login sandbox --explain");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        titles(&done.err),
        [
            "[1] Sending the user to the provider  (RFC 6749, section 4.1.1; RFC 7636, section 4.3)",
            "[2] The browser is back with a code  (RFC 6749, section 4.1.2; RFC 9207, section 2.4)",
            "[3] Exchanging the code for tokens  (RFC 6749, section 4.1.3; RFC 7636, section 4.5)",
            "[4] Asking with the token  (RFC 6750, section 2.1)",
        ]
    );
    // the address with its `state` is shown only to whoever has to open it
    assert!(!done.err.contains("state=STATE") && !done.err.contains("authorize?response_type"), "{}", done.err);
    for which in ["access_token", "refresh_token"] {
        done.tells_nothing_of(&me.kept("sandbox", which));
    }
}

/// The lines in which something was compared with something.
fn compared(err: &str) -> Vec<&str> {
    err.lines().map(str::trim_start).filter(|line| line.starts_with("= ") || line.starts_with("! ")).collect()
}

#[test]
fn checks_of_what_the_server_signed_read_claim_by_claim() {
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], jarm: true, ..Plan::default() });
    let login = format!("{} --response-mode jwt --explain", op.login());
    let done = me.browser(op.browser()).types(&login);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        titles(&done.err)[1..]
            .iter()
            .map(|title| title.split_once("] ").unwrap().1)
            .filter(|title| title.contains("ing the s") || title.starts_with("Check") || title.starts_with("Using"))
            .collect::<Vec<_>>(),
        [
            "Checking the claims of the signed response  (JWT Secured Authorization Response Mode (JARM), section 2.4)",
            "Fetching the server's public keys  (RFC 7517, section 5)",
            "Checking the signature  (RFC 7515, section 5.2; RFC 8725, section 3.1)",
            "Checking the claims of the ID token  (OpenID Connect Core 1.0, section 3.1.3.7)",
            "Using the stored public keys of the server  (RFC 7517, section 5)",
            "Checking the signature  (RFC 7515, section 5.2; RFC 8725, section 3.1)",
        ]
    );
    let names: Vec<&str> = compared(&done.err).iter().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(
        names.join(" "),
        "iss aud exp alg kid signature iss sub aud exp iat nonce jwks_uri keys alg kid signature",
        "{}",
        done.err
    );
    assert!(compared(&done.err).iter().all(|line| line.starts_with("= ")), "{}", done.err);
    let nonce = op.nonce().unwrap();
    for secret in [nonce.as_str(), &me.kept("op", "id_token"), &me.kept("op", "access_token")] {
        assert!(!done.err_raw.contains(secret), "{secret} in {}", done.err);
    }
    // a key that is new, and the claims of a renewal held against the login's
    {
        let mut plan = op.plan.lock().unwrap();
        plan.kid = Some("key-2".into());
        plan.renewal = true;
        plan.jarm = false;
    }
    let renewed = me.types("token op --force-refresh --explain");
    let told = titles(&renewed.err).join("\n");
    for want in [
        "(OpenID Connect Core 1.0, section 12.2)",
        "(OpenID Connect Core 1.0, section 10.1.1)",
        "Fetching the server's",
    ] {
        assert!(told.contains(want), "{want} in {told}");
    }
}

#[test]
fn a_check_that_fails_is_told_at_the_claim() {
    let mut me = Person::new();
    let set = json!({ "azp": "another-client" }).as_object().cloned().unwrap();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], set, ..Plan::default() });
    let done = me.browser(op.browser()).types(&format!("{} --explain", op.login()));
    assert_eq!(done.code, 7, "{}", done.err);
    let bad: Vec<&str> = compared(&done.err).into_iter().filter(|line| line.starts_with("! ")).collect();
    assert_eq!(bad.len(), 1, "{}", done.err);
    assert!(bad[0].starts_with("!   azp") && bad[0].contains("another-client  must be "), "{}", bad[0]);
    assert!(!done.err.contains("Checking the signature"), "{}", done.err);
}

#[test]
fn a_pushed_request_is_explained_before_the_browser_is() {
    let (mut me, _server) = person();
    me.no_browser_found();
    me.clock.hurry(30);
    let done = me.types("login odd --par --explain");
    assert_eq!(done.code, 6, "{}", done.err);
    assert_eq!(
        titles(&done.err),
        [
            "[1] Pushing the authorize request ahead  (RFC 9126, section 2.1)",
            "[2] Sending the user to the provider  (RFC 6749, section 4.1.1; RFC 7636, section 4.3)",
        ]
    );
    // whoever has to open it is shown it: it holds a reference, and no `state`
    assert!(done.err.contains("authorize?client_id=an-app&request_uri="), "{}", done.err);
}
