//! Errors that teach: the hints that a provider's file has for the answers of its server.

use oauthctl::protocol::api_error::Told;
use oauthctl::provider::resolve::from_text;
use oauthctl::provider::{ErrorsAt, catalogue, hints as shared};

use crate::world::{Odd, Person, answer, robot};

/// A server that refuses everything in the same words, and its provider with rules.
fn refuses(me: &mut Person, status: u16, body: &'static str, rules: &str) -> Odd {
    let server = me.odd("acme", move |_| answer(status, "application/json", body));
    let device = format!("[device]\nurl = \"{}/device\"\n", server.base);
    me.config("providers/acme.toml", &format!("{}{device}{rules}", server.provider("acme")));
    server
}

/// The hints of a failed command.
fn hints(err: &str) -> Vec<&str> {
    err.lines().filter_map(|line| line.strip_prefix("hint: ")).collect()
}

#[test]
fn what_a_provider_says_is_explained_wherever_it_says_it() {
    const RULES: &str = "[[errors]]\nmatch = \"E50011\"\nhint = \"add the redirect URL\"\n\
        [[errors]]\ncode = \"invalid_client\"\nat = \"token\"\nhint = \"copy the secret's value\"\n\
        [[errors]]\ncode = \"invalid_client\"\nat = \"api\"\nhint = \"never at the token endpoint\"\n\
        [[errors]]\nstatus = 400\nmatch = \"nothing of the kind\"\nhint = \"never\"\n";
    const BODY: &str = r#"{"error":"invalid_client","error_description":"e50011: no such\u001b[2J address"}"#;
    let mut me = Person::new();
    let _server = refuses(&mut me, 400, BODY, RULES);
    let basic = "--client-id app --client-secret-file -";
    for line in
        [format!("token acme --grant client-credentials {basic}"), format!("login acme --grant device-code {basic}")]
    {
        let done = me.stdin("a-secret").types(&line);
        assert_eq!(hints(&done.err)[..2], ["add the redirect URL", "copy the secret's value"], "{line}: {}", done.err);
        assert!(!done.err.contains("never"), "{line}: {}", done.err);
    }
    // by the redirect
    let says = |what: &'static str| {
        move |url: &str| {
            let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
            let back = url.split("redirect_uri=").nth(1).unwrap().split('&').next().unwrap();
            let back = back.replace("%3A", ":").replace("%2F", "/");
            vec![robot::go(&format!("{back}?error=access_denied&error_description={what}&state={state}"))]
        }
    };
    let done = me.browser(says("E50011")).types("login acme");
    assert_eq!((done.code, hints(&done.err)[0]), (3, "add the redirect URL"), "{}", done.err);
    let done = me.browser(says("E50012")).types("login acme");
    assert_eq!(hints(&done.err), ["oauthctl login acme"], "{}", done.err);
}

#[test]
fn an_apis_refusal_is_explained_and_another_servers_is_not() {
    const RULES: &str = "[[errors]]\nmatch = \"not been used\"\nat = \"api\"\nhint = \"enable the API\"\n";
    let mut me = Person::new();
    let server = refuses(&mut me, 403, r#"{"error":{"code":403,"message":"It has Not been used"}}"#, RULES);
    me.set("OAUTHCTL_ACME_TOKEN", "a-token-of-the-tests");
    let done = me.types("call acme /x");
    assert_eq!((done.code, hints(&done.err)), (22, vec!["enable the API"]), "{}", done.err);
    let elsewhere = server.base.replace("127.0.0.1", "localhost");
    let done = me.types(&format!("call acme {elsewhere}/x --anywhere"));
    assert_eq!((done.code, hints(&done.err)), (22, vec![]), "{}", done.err);
}

#[test]
fn hints_are_shared_by_name_and_a_rule_says_something() {
    let mut me = Person::new();
    const BODY: &str =
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let server = me.odd("acme", |_| answer(401, "application/json", BODY));
    let line = "token acme --grant client-credentials --client-id app --client-secret-file -";
    me.config("providers/acme.toml", &format!("hints-of = \"microsoft\"\n{}", server.provider("acme")));
    let done = me.stdin("a-secret").types(line);
    assert!(hints(&done.err)[0].starts_with("this is not the secret's value"), "{}", done.err);
    assert!(me.types("provider show acme").out.contains("hints-of = \"microsoft\""));
    for (more, says) in [
        ("hints-of = \"nobody\"\n", "`hints-of`"),
        ("", "needs a `means` or a `hint`"),
        ("", "needs a `status`, a `code` or a `match`"),
    ] {
        let rules = match says {
            "needs a `means` or a `hint`" => "[[errors]]\ncode = \"x\"\n",
            "needs a `status`, a `code` or a `match`" => "[[errors]]\nhint = \"x\"\n",
            _ => "",
        };
        me.config("providers/acme.toml", &format!("{more}{}{rules}", server.provider("acme")));
        let done = me.types("provider show acme");
        assert!(done.code == 2 && done.err.contains(says), "{more}{rules}: {}", done.err);
    }
}

#[test]
fn the_hints_of_the_catalogue_are_one_line_each_and_fit_what_the_servers_say() {
    let mut all = 0;
    for listed in catalogue::all() {
        let (id, text) = catalogue::find(listed.id).unwrap();
        let provider = from_text(id, text, None).unwrap();
        for hint in provider.errors.iter().filter_map(|rule| rule.hint.as_deref()) {
            all += 1;
            assert!(!hint.contains(char::is_control) && hint.len() < 180 && !hint.ends_with('.'), "{id}: {hint}");
        }
    }
    assert!(all > 60, "{all}");
    // a number is another one where it goes on
    let (id, text) = catalogue::find("microsoft").unwrap();
    let rules = shared::rules(&from_text(id, text, None).unwrap());
    for (code, known) in
        [("AADSTS50011: x", true), ("AADSTS500115: x", false), ("AADSTS500115, then AADSTS50011", true)]
    {
        let told = Told::by_redirect("invalid_request", Some(code));
        assert_eq!(told.hints(&rules, ErrorsAt::Token).count() > 0, known, "{code}");
    }
    // the servers' own words, and a part of the hint that they get
    for (id, by, code, words, hint) in [
        (
            "microsoft",
            ErrorsAt::Token,
            "invalid_client",
            "AADSTS7000222: The provided client secret keys for app 'x' are expired.",
            "make a new one",
        ),
        (
            "onedrive",
            ErrorsAt::Token,
            "invalid_request",
            "AADSTS50011: The redirect URI 'http://localhost:1' specified in the request does not match",
            "Mobile and desktop",
        ),
        ("google", ErrorsAt::Token, "invalid_grant", "Token has been expired or revoked.", "7 days"),
        ("youtube", ErrorsAt::Token, "access_denied", "", "Test users"),
        (
            "google-drive",
            ErrorsAt::Api,
            "403",
            "Google Drive API has not been used in project 1 before or it is disabled.",
            "enable the API",
        ),
        ("okta", ErrorsAt::Token, "access_denied", "User is not assigned to the client application.", "Assignments"),
        (
            "auth0",
            ErrorsAt::Token,
            "unauthorized_client",
            "Grant type 'refresh_token' not allowed for the client.",
            "Grant Types",
        ),
        ("keycloak", ErrorsAt::Token, "invalid_grant", "Session not active", "offline_access"),
        (
            "github",
            ErrorsAt::Token,
            "device_flow_disabled",
            "Device Flow must be explicitly enabled for this App",
            "Enable Device Flow",
        ),
    ] {
        let (id, text) = catalogue::find(id).unwrap();
        let rules = shared::rules(&from_text(id, text, None).unwrap());
        let told = Told::by_redirect(code, Some(words));
        assert!(told.hints(&rules, by).any(|said| said.contains(hint)), "{id}: {words}");
    }
}
