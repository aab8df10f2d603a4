//! Refused input: each case gives a clear error with its exit code, stores nothing and loses
//! nothing.

use oauthctl::sandbox::Manners;
use oauthctl::world::http_server::loopback::{Address, Host, Loopback};
use serde_json::{Value, json};

use crate::world::robot::{Page, allows, decided, denies, get, get_if_there, go, with};
use crate::world::{Person, START, answer};

fn redirected(url: &str, query: &str) -> Vec<Page> {
    let asked = url::Url::parse(url).unwrap();
    let of = |name: &str| asked.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
    vec![go(&format!("{}?{query}&state={}", of("redirect_uri"), of("state")))]
}

/// A login of before, whose token must survive whatever happens.
fn before(me: &mut Person) -> Value {
    me.signed_in();
    me.record("sandbox")
}

#[test]
fn unknown_provider() {
    Person::new().types("login getreponse").fails(
        2,
        "
        error: there is no profile and no provider called `getreponse`
        hint: did you mean `getresponse`?
        hint: a new profile of a provider: `oauthctl login getreponse --provider NAME`
    ",
    );
}

#[test]
fn capitals_and_halves_of_addresses() {
    let mut me = Person::new();
    let near = |typed: &str, meant: &str| {
        format!(
            "
        error: there is no profile and no provider called `{typed}`
        hint: did you mean `{meant}`?
        hint: a new profile of a provider: `oauthctl login {typed} --provider NAME`
    "
        )
    };
    for (typed, meant) in [("CC", "cc"), ("Vr2", "vr2"), ("GetResponse", "getresponse")] {
        me.types(&format!("login {typed}")).fails(2, &near(typed, meant));
        me.types(&format!("token {typed}")).fails(2, &near(typed, meant));
    }
    for empty in ["https://", "HTTPS:///"] {
        let done = me.types(&format!("login {empty}"));
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.ends_with("` is not a URL\nhint: write it whole: `https://ISSUER`\n"), "{}", done.err);
    }
    me.types("login //issuer.example").fails(
        2,
        "
        error: `//issuer.example` is no name for a profile: it contains a slash
        hint: did you mean `https://issuer.example`?
    ",
    );
    // a scheme's capitals make no difference
    let in_small = me.types("token http://127.0.0.1:9 --client-id x --no-refresh");
    assert_eq!(in_small.code, 4, "{}", in_small.err);
    assert!(in_small.err.starts_with("error: no token is stored"), "{}", in_small.err);
    let in_capitals = me.types("token HTTP://127.0.0.1:9 --client-id x --no-refresh");
    assert_eq!((in_capitals.code, in_capitals.err), (4, in_small.err));
    me.types("login x --redirect-uri HTTPS://me.example/cb --provider sandbox").fails(
        2,
        "
        error: the redirect address `HTTPS://me.example/cb` must begin with `http://` or `https://`
        hint: did you mean `https://me.example/cb`?
    ",
    );
}

#[test]
fn a_variable_that_the_provider_does_not_have() {
    let mut me = Person::new();
    me.types("login m --provider getresponse --var foo=1").fails(
        2,
        "
        error: the provider `getresponse` has no variable `foo`
        hint: it has none
    ",
    );
    me.types("login m --provider getresponse --var domain=mail.example.com").fails(
        2,
        "
        error: the provider `getresponse` has no variable `domain`
        hint: its environment has it: add `--environment max`
    ",
    );
    me.types("token m --provider getresponse --environment max --grant client-credentials --var domian=x").fails(
        2,
        "
        error: the provider `getresponse` has no variable `domian`; did you mean `domain`?
        hint: it has `api_host`, `domain`
    ",
    );
}

// RFC 8707, section 2
#[test]
fn a_resource_that_is_no_absolute_uri() {
    let mut me = Person::new();
    for bad in ["https://a.example/x#f", "/rel"] {
        let done = me.types(&format!("login sandbox --resource {bad}"));
        assert_eq!((done.code, done.sent.len()), (2, 0), "{}", done.err);
        let done = me.types(&format!("profile set sandbox resource {bad}"));
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains(&format!("`resource` holds `{bad}`: it m")), "{}", done.err);
    }
    me.types("profile set sandbox resource https://a.example/x").is(0, "", "sandbox: resource is set\n");
    me.config(
        "config.toml",
        "[profiles.sandbox]\naudience = [\"not a url\"]\nresource = [\"https://a.example\", \"not a url\"]\n",
    );
    me.types("token sandbox").fails(2, "
        error: `profiles.sandbox.resource` in config.toml, line 3 holds `not a url`: it must be an absolute URI, such as `https://api.example/orders`
        hint: the configuration is in ~/config/oauthctl
    ");
}

#[test]
fn broken_toml() {
    let mut me = Person::new();
    let kept = before(&mut me);
    for text in
        ["[profiles.sandbox\n", "[profiles.sandbox]\nprovider = sandbox\n", "[profiles.sandbox]\nport = \"x\"\n"]
    {
        me.config("config.toml", text);
        let done = me.types("token sandbox");
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{text}");
        assert!(done.err.starts_with("error: ") && done.err.contains("config.toml, line "), "{text}: {}", done.err);
    }
    me.config("config.toml", "[profiles.sandbox]\nclient-idd = \"x\"\n");
    me.types("token sandbox").fails(2, "
        error: unknown key `profiles.sandbox.client-idd` in config.toml, line 2; did you mean `profiles.sandbox.client-id`?
        hint: the configuration is in ~/config/oauthctl
    ");
    me.config("config.toml", "# a comment\nstroe = \"file\"\n");
    me.types("token sandbox").fails(
        2,
        "
        error: unknown key `stroe` in config.toml, line 2; did you mean `store`?
        hint: the configuration is in ~/config/oauthctl
    ",
    );
    assert_eq!(me.record("sandbox"), kept);
    me.config("config.toml", "");
    me.config("providers/mine.toml", "id = \"mine\"\nname = 7\n");
    me.types("login mine").fails(2, "error: `name` in providers/mine.toml, line 2 must be a text, not an integer\n");
}

#[test]
fn wrong_client_secret() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.answers("practice-client")
        .answers_hidden("wrong-secret-here")
        .browser(|_| Vec::new())
        .pastes(|url| decided(url, "allow"));
    let done = me.types("login getresponse");
    assert_eq!(done.code, 2, "{}", done.err);
    // what was typed waits to be looked at; it is no login, and no profile
    let record = me.record("getresponse");
    assert!(record["token"].is_null() && record["client_secret"].is_null() && me.config_text().is_empty(), "{record}");
    assert_eq!(record["unfinished"]["refused"], true);
}

#[test]
fn access_denied() {
    let mut me = Person::new();
    let kept = before(&mut me);
    assert_eq!(me.browser(denies).types("login sandbox").code, 3);
    assert_eq!(me.record("sandbox"), kept);
}

#[test]
fn wrong_or_missing_state() {
    let mut me = Person::new();
    let kept = before(&mut me);
    let clock = me.clock.clone();
    let act = move |url: &str| {
        let back = decided(url, "allow");
        let missing = get(&with(&back, "state", None));
        let wrong = get(&with(&back, "state", Some("not-this-logins")));
        // nothing else comes: five minutes later the wait is over, at the next noise at the latest
        clock.hurry(301);
        let late = get_if_there(&with(&back, "state", Some("")));
        [missing, wrong].into_iter().chain(late).collect()
    };
    let done = me.browser(act).types("login sandbox");
    me.clock.hurry(0);
    assert_eq!(done.code, 7, "{}", done.err);
    assert!(done.pages.len() >= 2 && done.pages.iter().all(|page| page.status == 400));
    assert!(done.sent.is_empty(), "no code was exchanged");
    assert_eq!(me.record("sandbox"), kept);
}

#[test]
fn port_taken() {
    let mut me = Person::new();
    let (_taken, address) = crate::world::serve::taken();
    let port = address.port();
    assert_eq!(me.types(&format!("login sandbox --redirect-uri http://127.0.0.1:{port}/cb")).code, 75);
    assert_eq!(me.types(&format!("login sandbox --redirect-uri http://localhost:{port}/cb")).code, 75);
}

#[test]
fn no_browser() {
    let mut me = Person::new();
    me.clock.hurry(301);
    let done = me.no_browser_found().types("login sandbox");
    assert_eq!(done.code, 6);
    assert!(
        done.err.contains("No browser opened here (no browser was found): open the address yourself.\n"),
        "{}",
        done.err
    );
}

#[test]
fn timeout() {
    let mut me = Person::new();
    let kept = before(&mut me);
    me.clock.hurry(301);
    assert_eq!(me.types("login sandbox --no-browser").code, 6);
    assert_eq!(me.record("sandbox"), kept);
}

#[test]
fn ctrl_c() {
    let mut me = Person::new();
    let kept = before(&mut me);
    assert_eq!(me.signal(2).types("login sandbox --no-browser").code, 130);
    assert_eq!(me.record("sandbox"), kept);
}

#[test]
fn an_answer_that_is_none() {
    for (kind, body) in [
        ("application/json", "not json"),
        ("application/json", "{\"access_token\":"),
        ("text/html", "<!doctype html><title>Sign in</title>"),
        ("application/json", ""),
        ("application/json", "null"),
        (
            "application/json",
            r#"{"access_token":"a-token-0123456","token_type":"Bearer","access_token":"another-one-0123"}"#,
        ),
    ] {
        let mut me = Person::new();
        let odd = me.odd("odd", move |_| answer(200, kind, body));
        me.config("providers/odd.toml", &odd.provider("odd"));
        let done = me.browser(|url| redirected(url, "code=a-code-of-theirs")).types("login odd");
        assert_eq!(done.code, 7, "{body}: {}", done.err);
        assert!(me.keychain.accounts().is_empty());
    }
}

#[test]
fn expires_in_in_every_shape() {
    for (expires_in, expires_at) in [
        (json!(3600), Some(3600)),
        (json!("3600"), Some(3600)),
        (json!(3600.9), Some(3600)),
        (json!("3600.0"), Some(3600)),
        (json!(null), None),
        (json!("soon"), None),
        (json!([]), None),
        (json!(1e300), None),
        (json!(0), Some(0)),
        (json!(-5), Some(0)),
    ] {
        let mut me = Person::new();
        let body =
            json!({ "access_token": "a-token-0123456", "token_type": "Bearer", "expires_in": expires_in }).to_string();
        let odd = me.odd("odd", move |_| answer(200, "application/json", &body));
        me.config("providers/odd.toml", &odd.provider("odd"));
        let done = me.browser(|url| redirected(url, "code=a-code-of-theirs")).types("login odd");
        assert_eq!(done.code, 0, "{expires_in}: {}", done.err);
        assert_eq!(me.record("odd")["token"]["expires_at"], json!(expires_at.map(|s| START + s)), "{expires_in}");
    }
}

#[test]
fn unknown_token_type() {
    let mut me = Person::new();
    let odd =
        me.odd("odd", |_| answer(200, "application/json", r#"{"access_token":"a-token-0123456","token_type":"DPoP"}"#));
    me.config("providers/odd.toml", &odd.provider("odd"));
    let done = me.browser(|url| redirected(url, "code=a-code-of-theirs")).types("login odd -q");
    done.fails(
        7,
        "
        error: the code could not be exchanged
        caused by: the answer's token type is `DPoP`, which this program can't use
    ",
    );
}

#[test]
fn tls_trouble() {
    // a certificate that nobody has signed
    let (requests, _inbox) = std::sync::mpsc::channel();
    let address = Address { host: Host::Literal, ports: Vec::new(), tls: true, bind: None };
    let server = Loopback::bind(&address, requests, std::sync::mpsc::channel().0, false).unwrap();
    let mut me = Person::new();
    me.config(
        "providers/mine.toml",
        &format!(
            "id = \"mine\"\nname = \"Mine\"\nsources = [\"a test\"]\nchecked = \"2026-11-21\"\n[token]\nurl = \"{}/token\"\n[client-credentials]\nsupported = true\n",
            server.origin()
        ),
    );
    me.stdin("a-client-secret");
    me.types("token mine --grant client-credentials --client-id ci --client-secret-file -").fails(7, "
        error: no safe connection to https://127.0.0.1:PORT/token: its certificate is signed by nobody this system trusts
        hint: name your organisation's own certificate with SSL_CERT_FILE; checks can't be turned off
    ");
}

#[test]
fn plain_http_to_another_machine() {
    let mut me = Person::new();
    me.config("providers/mine.toml", "id = \"mine\"\nname = \"Mine\"\nsources = [\"a test\"]\nchecked = \"2026-11-21\"\n[token]\nurl = \"http://as.example/token\"\n");
    me.types("login mine").fails(
        2,
        "
        error: `token.url` in providers/mine.toml, line 6 may be plain `http` to a loopback address only
    ",
    );
}

#[test]
fn a_foreign_api_host() {
    let mut me = Person::new();
    before(&mut me);
    let done = me.types("call sandbox https://evil.example/x");
    done.fails(
        7,
        "
        error: no token is sent to `https://evil.example/x`
        caused by: it is not on the hosts of `sandbox` (127.0.0.1)
        hint: paths are relative to the provider's API: `/campaigns`; `oauthctl provider show` prints its hosts
        hint: `--anywhere` sends the request there without the token
    ",
    );
    assert!(done.sent.is_empty());
}

#[test]
fn a_second_listener_finds_the_first_ones_login_untouched() {
    let mut me = Person::new();
    assert_eq!(me.browser(allows).types("login sandbox").code, 0);
    assert_eq!(me.browser(allows).types("login sandbox").code, 0);
    assert_eq!(me.record("sandbox")["generation"], 2);
}
