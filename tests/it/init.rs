//! `init` leads from nothing to a login: how many questions it asks, how it finds the provider, how
//! it is left and taken up again, and what it says where nobody answers.

use std::sync::Arc;

use oauthctl::provider::catalogue;
use oauthctl::sandbox::{Manners, Options, Server};
use oauthctl::wire::{Request, Response};
use oauthctl::world::{Http, HttpError, Streamed, Upload};
use serde_json::json;

use crate::world::robot::{Page, allows, decided, go};
use crate::world::{Person, answer, own_port};

const SECRET: &str = "practice-secret";

fn looks(_: &str) -> Vec<Page> {
    Vec::new()
}

/// The page of the provider's apps, which is not the sign-in.
fn console(url: &str) -> Vec<Page> {
    assert!(!url.contains("client_id="), "{url}");
    Vec::new()
}

#[test]
fn getresponse_takes_six_answers_at_most_and_five_for_ones_own_account() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    // provider, whose account, the page, id, secret
    me.answers("getresponse")
        .answers("")
        .browser(console)
        .answers("")
        .answers("practice-client")
        .answers_hidden(SECRET);
    let done = me.types("init");
    assert_eq!(done.code, 0, "{}", done.err);
    for said in [
        "a redirect URL is needed [Y/n]: \n",
        "\n  Register it at: https://app.getresponse.com/authorizations\n",
        "\nClient id (Enter opens that page): \nRegister an app there, and copy its client id.\nClient id: practice-client\n",
        "\nGo on with:\n  oauthctl token getresponse ",
        "\n  oauthctl call getresponse '/accounts?fields=accountId,email'  a request",
        "\n  oauthctl status getresponse ",
    ] {
        assert!(done.err.contains(said), "{said} should be in\n{}", done.err);
    }
    assert!(me.config_text().contains("\ngrant = \"client-credentials\"\n"), "{}", me.config_text());
    assert_eq!(me.record("getresponse")["client_secret"], SECRET);
    // anyone's account: the sixth answer is the address that the browser ended on
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.answers("getresponse")
        .answers("n")
        .browser(console)
        .answers("")
        .answers("practice-client")
        .answers_hidden(SECRET);
    let done = me.browser(looks).pastes(|url| decided(url, "allow")).types("init");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("Signed in to GetResponse as alice@example.test."), "{}", done.err);
    assert!(!me.config_text().contains("grant"), "{}", me.config_text());
}

fn constant_contact(me: &Person) -> (Server, String) {
    let redirect = format!("https://localhost:{}", own_port());
    (me.practice_for(Options::new(Manners::ConstantContact), &redirect), redirect)
}

#[test]
fn constant_contact_takes_five_answers_at_most() {
    let mut me = Person::new();
    let (_server, redirect) = constant_contact(&me);
    // provider, scopes, the page, id, secret
    me.answers("constantcontact").answers("usual account_update").browser(console).answers("");
    me.answers("practice-client").answers_hidden(SECRET).browser(allows);
    let done = me.types(&format!("init --redirect-uri {redirect}"));
    assert_eq!(done.code, 0, "{}", done.err);
    for said in [
        "What should the token be good for?\n   1  usual           read the account's settings; ",
        "\n   2  account_update  change the account's settings\n",
        "  Redirect URL to enter there: https://localhost:PORT   (exactly so, with the port)\n",
    ] {
        assert!(done.err.contains(said), "{said} should be in\n{}", done.err);
    }
    let scopes = "scopes = [\"account_read\", \"contact_data\", \"campaign_data\", \"account_update\"]\n";
    assert!(me.config_text().contains(scopes), "{}", me.config_text());
    let asked = "&scope=account_read%20contact_data%20campaign_data%20account_update%20offline_access&";
    assert!(done.err.contains(asked), "{}", done.err);
}

#[test]
fn a_left_init_is_taken_up_where_it_was_left() {
    type Leaves = fn(&mut Person) -> &mut Person;
    for (leaves, code) in [(Person::presses_ctrl_c as Leaves, 130), (Person::presses_ctrl_d as Leaves, 6)] {
        let mut me = Person::new();
        let (_server, redirect) = constant_contact(&me);
        let line = format!("init --redirect-uri {redirect}");
        assert_eq!(leaves(&mut me).types(&line).code, code);
        assert!(me.types("list").err.starts_with("There is no profile yet."), "nothing is kept before a choice");
        leaves(me.answers("constantcontact"));
        assert_eq!(me.types(&line).code, code);
        let told = " has the record `constantcontact`, of a login that is not finished: `oauthctl init constantcontact` goes on";
        let list = me.types("list");
        assert!(list.err.contains(told), "{}", list.err);
        leaves(me.answers("1").answers("2"));
        assert_eq!(me.types(&line).code, code, "the provider is kept");
        // it stands at the head of the list, and the scopes are offered
        leaves(me.answers("1").answers("").answers("practice-client"));
        let left = me.types(&line);
        assert_eq!(left.code, code, "{}", left.err);
        let hint =
            "hint: your input is kept (the client id): `oauthctl init constantcontact --provider constantcontact ";
        assert!(left.err.contains(hint), "{}", left.err);
        assert!(left.err.contains("\n   1  constantcontact  begun, and not finished\n"), "{}", left.err);
        assert!(left.err.contains(" between them [account_update]: \n"), "{}", left.err);
        assert_eq!(me.config_text(), "");
        me.answers("1").answers("").answers("").answers_hidden(SECRET).browser(allows);
        let done = me.types(&line);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains("\nClient id [practice-client]: \n"), "{}", done.err);
        assert!(me.config_text().contains("scopes = [\"account_update\"]\n"), "{}", me.config_text());
        assert_eq!(me.record("constantcontact")["unfinished"], json!(null));
    }
}

#[test]
fn a_first_login_is_led_and_a_later_one_is_not() {
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.answers("practice-client").answers_hidden(SECRET).browser(looks).pastes(|url| decided(url, "allow"));
    let first = me.types("login getresponse");
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.err.contains("Client id (Enter opens that page): ") && first.err.contains("Go on with:"));
    let later = me.presses_ctrl_c().types("login work --provider getresponse");
    assert!(later.err.contains("\nClient id: \n"), "{}", later.err);
    // `sandbox` has its client: nothing is asked
    let mut me = Person::new();
    let done = me.at_a_terminal().browser(allows).types("login sandbox");
    assert!(done.code == 0 && done.err.contains("\nNext: oauthctl token sandbox "), "{}", done.err);
}

#[test]
fn wrong_numbers_wide_letters_and_long_pastes_are_asked_again() {
    let mut me = Person::new();
    let (_server, redirect) = constant_contact(&me);
    let long = "x".repeat(1000);
    me.answers("0")
        .answers("-1")
        .answers("99999999999999999999")
        .answers("日本語 🦀")
        .answers(&long)
        .answers("\u{202e}");
    me.answers("constantcontact").answers("0").answers("99").answers(&long).answers("日本").answers("1,1 1");
    me.presses_ctrl_d();
    let done = me.types(&format!("init --redirect-uri {redirect}"));
    assert_eq!(done.code, 6, "{}", done.err);
    assert!(done.err.contains("There is no `日本語 🦀`: type a number, a name, or an address."), "{}", done.err);
    assert!(done.err.contains("No scope here is like `99`. Typed again, it is asked for."), "{}", done.err);
    assert!(done.err.lines().all(|line| line.chars().count() < 1100), "{}", done.err);
}

#[test]
fn a_scope_that_is_not_listed_is_asked_for_when_it_is_typed_twice() {
    let mut me = Person::new();
    let (_server, redirect) = constant_contact(&me);
    me.answers("constantcontact").answers("own_scope").answers("own_scope");
    me.answers("practice-client").answers_hidden(SECRET).browser(allows);
    let done = me.types(&format!("init --redirect-uri {redirect}"));
    // the practice server has no such scope
    assert!(done.code == 3 && done.err.contains("&scope=own_scope%20offline_access&"), "{}", done.err);
}

#[test]
fn where_nobody_can_be_asked_every_option_is_named() {
    let mut me = Person::new();
    let done = me.types("init max --provider getresponse --environment max");
    assert_eq!(done.code, 2, "{}", done.err);
    let line = "hint: oauthctl init max --provider getresponse --environment max --var domain=VALUE --var api_host=VALUE \
                --client-id ID --client-secret-file FILE\n";
    assert!(done.err.contains(line), "{}", done.err);
    // and with them, nothing is asked
    let _server = me.practice(Manners::GetResponse);
    std::fs::write(me.path("secret"), SECRET).expect("written");
    let file = me.path("secret").display().to_string();
    let words = [
        "init",
        "getresponse",
        "--grant",
        "client-credentials",
        "--client-id",
        "practice-client",
        "--client-secret-file",
        &file,
    ];
    let done = me.runs(&words);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("Go on with:\n"), "{}", done.err);
    me.types("init").fails(
        2,
        "
        error: no provider is named, and there is no terminal to ask at
        hint: oauthctl init PROVIDER --client-id ID --client-secret-file FILE
        hint: `oauthctl provider list` names the providers
    ",
    );
    let unknown = me.types("init no-such-provider");
    assert!(unknown.code == 2 && unknown.err.contains("called `no-such-provider`"), "{}", unknown.err);
}

#[test]
fn in_ci_it_prints_what_the_job_needs() {
    let mut me = Person::new();
    me.set("CI", "true");
    me.types("init getresponse").is(
        0,
        "
        OAUTHCTL_GRANT=client-credentials
        OAUTHCTL_STORE=none
        OAUTHCTL_CLIENT_ID=
        OAUTHCTL_CLIENT_SECRET=
        oauthctl token getresponse
        ",
        "Into the job, with the client secret as a secret of the platform (`oauthctl help ci`):\n",
    );
    me.set("GITHUB_ACTIONS", "true");
    let done = me.types("init work --provider getresponse --client-id app-1");
    assert_eq!(
        done.out,
        "env:\n  OAUTHCTL_GRANT: client-credentials\n  OAUTHCTL_STORE: none\n  OAUTHCTL_CLIENT_ID: app-1\n  \
         OAUTHCTL_CLIENT_SECRET: ${{ secrets.WORK_CLIENT_SECRET }}\nsteps:\n  - run: oauthctl token work \
         --provider getresponse\n"
    );
    let done = me.types("init constantcontact");
    let line = "env:\n  OAUTHCTL_CONSTANTCONTACT_TOKEN: ${{ secrets.OAUTHCTL_CONSTANTCONTACT_TOKEN }}\n";
    assert!(done.code == 0 && done.out.starts_with(line), "{}", done.out);
}

/// The lines that `init` prints in CI, in a job whose home is empty.
fn in_a_job(line: &str, token_url: &'static str) -> (String, String) {
    let mut me = Person::new();
    let printed = me.set("CI", "1").types(line);
    assert_eq!(printed.code, 0, "{line}: {}", printed.err);
    let mut job = Person::new();
    job.set("CI", "1");
    let (variables, command): (Vec<&str>, Vec<&str>) = printed.out.lines().partition(|line| line.contains("OAUTHCTL_"));
    for variable in variables {
        let (name, value) = variable.split_once('=').expect("a variable");
        job.set(name, if value.is_empty() { "filled-in" } else { value });
    }
    let answer = json!({ "access_token": "filled-in", "token_type": "Bearer", "expires_in": 600 });
    job.network(Arc::new(Net(vec![(token_url, answer.to_string())])));
    let done = job.types(command[0].trim_start_matches("oauthctl "));
    assert!(done.code == 0 && done.out.trim() == "filled-in", "{line}: {}\n{}", command[0], done.err);
    (command[0].to_owned(), printed.out)
}

#[test]
fn the_lines_for_ci_work_as_they_are() {
    let at_getresponse = "https://api.getresponse.com/v3/token";
    for (line, token_url, command) in [
        (
            "init work --provider getresponse --client-id x --scope a --scope b",
            at_getresponse,
            "oauthctl token work --provider getresponse --scope a --scope b",
        ),
        (
            "init getresponse --environment max --var domain=example.com --var api_host=api3.getresponse360.com",
            "https://api3.getresponse360.com/v3/token",
            "oauthctl token getresponse --environment max --var api_host=api3.getresponse360.com --var domain=example.com",
        ),
        (
            "init auth0 --grant client-credentials --var domain=acme.eu.auth0.com --audience https://api/ --client-id x",
            "https://acme.eu.auth0.com/oauth/token",
            "oauthctl token auth0 --var domain=acme.eu.auth0.com --audience https://api/",
        ),
        ("init gr --redirect-uri https://a.example/", at_getresponse, "oauthctl token gr"),
        // the token itself comes from a variable
        ("init work --provider constantcontact --scope a", "-", "oauthctl token work --provider constantcontact"),
        ("init constantcontact --prompt login", "-", "oauthctl token constantcontact"),
    ] {
        assert_eq!(in_a_job(line, token_url).0, command);
    }
    // a preset is the scopes that it stands for
    let (command, _) = in_a_job(
        "init ms --provider microsoft --grant client-credentials --var tenant=contoso.com --preset calendar --client-id x",
        "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
    );
    assert!(command.ends_with(" --scope Calendars.Read"), "{command}");
}

#[test]
fn the_lines_for_ci_name_an_issuer_by_its_address() {
    let mut me = Person::new();
    let server = me.practice(Manners::Sandbox);
    me.set("CI", "1");
    let printed = me.types(&format!("init {} --grant client-credentials --client-id x", server.base()));
    assert_eq!(printed.out.lines().last(), Some(&*format!("oauthctl token {}", server.base())), "{}", printed.err);
}

/// Answers by address; every other one is not there.
struct Net(Vec<(&'static str, String)>);

impl Http for Net {
    fn exchange(&self, request: &Request) -> Result<Response, HttpError> {
        let url = request.url.expose();
        assert!(!url.contains("thunderbird"), "no other domain is asked: {url}");
        let found = self.0.iter().find(|(address, _)| url.starts_with(address));
        let (status, body) = found.map_or((404, ""), |(_, body)| (200, body));
        Ok(Response { status, headers: Vec::new(), body: body.as_bytes().to_vec().into() })
    }

    fn stream(&self, request: &Request, _: Option<Upload>) -> Result<Streamed, HttpError> {
        panic!("a stream from {}", request.url.expose())
    }
}

#[test]
fn an_address_or_an_e_mail_address_leads_to_the_provider() {
    let mut me = Person::new();
    for (typed, said) in [
        ("gmail.com", "`gmail.com` is Gmail (API, IMAP, SMTP) (`google-mail`).\n"),
        ("ann@gmail.com", "`ann@gmail.com` is Gmail (API, IMAP, SMTP) (`google-mail`).\n"),
        ("https://app.getresponse.com/start", "` is GetResponse (`getresponse`).\n"),
        ("accounts.google.com", "\n   1  google "),
    ] {
        let done = me.network(Arc::new(Net(Vec::new()))).presses_ctrl_c().runs(&["init", typed]);
        assert_eq!(done.code, 130, "{}", done.err);
        assert!(done.err.contains(said), "{typed}: {}", done.err);
    }
    // a domain of one's own says where its people sign in
    let finger = json!({ "links": [{ "rel": "http://openid.net/specs/connect/1.0/issuer", "href": "https://id.firm.example" }] });
    let mail = "<clientConfig><oAuth2><issuer>accounts.google.com</issuer></oAuth2></clientConfig>";
    let own = json!({
        "issuer": "https://id.firm.example",
        "authorization_endpoint": "https://id.firm.example/authorize",
        "token_endpoint": "https://id.firm.example/token",
    });
    for (net, said) in [
        (
            vec![
                ("https://firm.example/.well-known/webfinger?resource=acct%3Aann%40firm.example&", finger.to_string()),
                ("https://id.firm.example/.well-known/openid-configuration", own.to_string()),
            ],
            "Its authorization server is https://id.firm.example.\n",
        ),
        (vec![("https://autoconfig.firm.example/mail/config-v1.1.xml", mail.to_owned())], "\n   1  google "),
        (vec![], "There is no `ann@firm.example`: type a number"),
    ] {
        let done = me.network(Arc::new(Net(net))).presses_ctrl_c().types("init ann@firm.example");
        assert!(done.err.contains("Looking for the authorization server of firm.example …\n"), "{}", done.err);
        assert!(done.err.contains(said), "{said} should be in\n{}", done.err);
    }
}

#[test]
fn what_to_choose_where_an_app_is_registered_fits_the_grant() {
    let alone = || Arc::new(Net(Vec::new()));
    let mut me = Person::new();
    let desk = me.network(alone()).answers("1").presses_ctrl_c().types("init google");
    assert!(desk.err.contains("\n  Choose there: `OAuth client ID`, type `Desktop app` "), "{}", desk.err);
    assert!(!desk.err.contains("Redirect URL to enter"), "{}", desk.err);
    let mut me = Person::new();
    me.set("SSH_CONNECTION", "1.2.3.4 5 6.7.8.9 22");
    let far = me.network(alone()).answers("1").presses_ctrl_c().types("init google");
    assert!(far.err.contains("\n  Choose there: `OAuth client ID`, type `TVs and "), "{}", far.err);
    assert!(!far.err.contains("Desktop app"), "{}", far.err);
    let none = me.network(alone()).answers("1").presses_ctrl_c().types("init microsoft --var tenant=common");
    assert!(!none.err.contains("Choose there"), "{}", none.err);
}

#[test]
fn what_an_address_says_is_not_asked_for() {
    let mut me = Person::new();
    // an earlier answer does not come before it
    let left = me.network(Arc::new(Net(Vec::new()))).answers("evil.example").presses_ctrl_c().types("init okta");
    assert!(left.code == 130 && left.err.contains("organization's host name"), "{}", left.err);
    let done = me.network(Arc::new(Net(Vec::new()))).presses_ctrl_c().types("init acme.okta.com");
    assert_eq!(done.code, 130, "{}", done.err);
    assert!(done.err.contains("`acme.okta.com` is Okta (`okta`).\n"), "{}", done.err);
    assert!(!done.err.contains("host name") && !done.err.contains("evil.example"), "{}", done.err);
    assert!(done.err.contains("Register it at: https://acme.okta.com/admin/apps/active\n"), "{}", done.err);
    // the service's own site is nobody's
    let asked = Person::new().network(Arc::new(Net(Vec::new()))).presses_ctrl_c().types("init okta.com");
    assert!(asked.err.contains("organization's host name"), "{}", asked.err);
    for (address, job) in [
        ("acme.okta.com", "oauthctl token okta --var domain=acme.okta.com"),
        ("https://acme.zendesk.com/agent", "oauthctl token zendesk --var subdomain=acme"),
    ] {
        let mut me = Person::new();
        let printed = me.set("CI", "1").network(Arc::new(Net(Vec::new()))).types(&format!("init {address}"));
        assert!(printed.out.contains(job), "{}{}", printed.out, printed.err);
    }
}

#[test]
fn a_protected_resource_names_its_server_and_the_token_is_for_it() {
    let mut me = Person::new();
    let odd = me.odd("odd", move |request| {
        let base = format!("http://{}", request.header("host").expect("a host"));
        let json = |value: serde_json::Value| answer(200, "application/json", &value.to_string());
        match request.path.as_str() {
            "/.well-known/oauth-protected-resource/mcp" => {
                json(json!({ "resource": format!("{base}/mcp"), "authorization_servers": [base] }))
            }
            "/.well-known/openid-configuration" => json(json!({
                "issuer": base,
                "authorization_endpoint": format!("{base}/authorize"),
                "token_endpoint": format!("{base}/token"),
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
            })),
            "/token" => {
                assert!(String::from_utf8_lossy(&request.body).contains("resource=http%3A%2F%2F127.0.0.1"));
                json(json!({ "access_token": "an-access-token", "token_type": "Bearer", "expires_in": 600 }))
            }
            _ => answer(404, "text/plain", ""),
        }
    });
    me.answers("an-app").answers_hidden("").browser(|url| {
        assert!(url.contains("resource=http%3A%2F%2F127.0.0.1"), "{url}");
        let asked = url::Url::parse(url).expect("an address");
        let value = |name: &str| asked.query_pairs().find(|(n, _)| n == name).expect("a parameter").1.into_owned();
        vec![go(&format!("{}?code=the-code&state={}", value("redirect_uri"), value("state")))]
    });
    let done = me.runs(&["init", &format!("{}/mcp", odd.base)]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(me.config_text().contains("resource = [\"http://127.0.0.1:"), "{}", me.config_text());
}

#[test]
fn scopes_are_chosen_by_what_they_allow() {
    let mut me = Person::new();
    let odd = me.odd("odd", |_| answer(404, "text/plain", ""));
    let scopes = "[scopes]\nknown = [\"rd\", \"wr\", \"email\"]\ndefault = [\"rd\"]\npresets.most = [\"rd\", \"wr\"]\n\
                  [scopes.about]\nrd = \"read it\"\nwr = \"write it\"\n";
    me.config("providers/odd.toml", &(odd.provider("odd") + scopes));
    let done = me.presses_ctrl_c().types("init odd --grant authorization-code");
    let shown = "What should the token be good for?\n   1  usual  read it\n   2  most   read it; write it\n   \
                 3  wr     write it\n   4  email  your e-mail address\n";
    assert!(done.err.contains(shown), "{}", done.err);
    me.types("doctor odd");
}

#[test]
fn an_empty_home_is_shown_the_well_known_providers_and_how_to_find_the_others() {
    let mut me = Person::new();
    let done = me.presses_ctrl_c().types("init");
    let count = catalogue::names().count();
    let first = format!(
        "Sign in to one of these, to any of the {count} known providers, or elsewhere: a part of a name, an address or an \
         e-mail address finds it:\n   1  google "
    );
    assert!(done.err.contains(&first), "{}", done.err);
    for known in ["github", "microsoft", "dropbox", "slack", "getresponse"] {
        assert!(done.err.contains(&format!("  {known} ")), "{known} should be in\n{}", done.err);
    }
    assert!(done.err.contains("  sandbox          practice: needs no account\n"), "{}", done.err);
    for name in catalogue::WELL_KNOWN {
        let shown = me.types(&format!("provider show {name}"));
        assert!(shown.out.contains("\nconsole-url = \"https://"), "{name}: {}", shown.out);
    }
}

#[test]
fn a_file_that_is_broken_is_listed_with_the_reason_and_not_taken() {
    let mut me = Person::new();
    me.config("providers/acme.toml", "id = \"acme\"\nnonsense = 1\n");
    me.answers("acme").presses_ctrl_c();
    let done = me.types("init");
    let why = "unknown key `nonsense` in providers/acme.toml, line 2";
    assert!(done.err.contains(&format!("\n   1  acme            broken: {why}\n")), "{}", done.err);
    assert!(done.err.contains(&format!("`acme` can't be used: {why}.\n")), "{}", done.err);
    assert!(!done.err.contains("There is no `acme`"), "{}", done.err);
}

// a stored client id says nothing of a secret
#[test]
fn a_client_id_of_the_configuration_alone_is_asked_for_its_secret_once() {
    let mut me = Person::new();
    let (_server, redirect) = constant_contact(&me);
    let profile = format!(
        "[profiles.work]\nprovider = \"constantcontact\"\nclient-id = \"practice-client\"\nredirect-uri = \"{redirect}\"\n"
    );
    me.config("config.toml", &profile);
    let done = me.answers_hidden(SECRET).browser(allows).types("login work");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("Client secret (not shown; Enter if the app has none): "), "{}", done.err);
    assert_eq!(me.record("work")["client_secret"], SECRET);
    // the secret of one client is offered for no other
    let mut me = Person::new();
    let (_server, redirect) = constant_contact(&me);
    let line = format!("login constantcontact --redirect-uri {redirect}");
    me.answers("one-client").answers_hidden("secret-of-one").browser(looks).signal(2);
    assert_eq!(me.types(&line).code, 130);
    me.answers("practice-client").answers_hidden(SECRET).browser(allows);
    let done = me.types(&line);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains(
            "Client id [one-client]: practice-client\nClient secret (not shown; Enter if the app has none): "
        ),
        "{}",
        done.err
    );
    assert_eq!(me.record("constantcontact")["client_secret"], SECRET);
}

#[test]
fn a_configuration_that_can_not_be_written_is_told_alike_with_and_without_a_terminal() {
    let lines = |me: &mut Person, line: &str| {
        let folder = me.path("config/oauthctl");
        std::fs::create_dir_all(&folder).unwrap();
        // root writes everywhere: a folder in the file's place can't be written by anybody
        std::fs::create_dir_all(folder.join("config.toml.lock")).unwrap();
        let done = me.types(line);
        assert_eq!(done.code, 0, "{}", done.err);
        let told = done.err.split("warning: config.toml lacks the profile: ").nth(1).expect(&done.err).to_owned();
        assert!(told.contains("add these lines to it:\n\n[profiles.getresponse]\n"), "{told}");
        told.split("Signed in").next().unwrap_or_default().to_owned()
    };
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    me.answers("practice-client").answers_hidden(SECRET);
    let asked = lines(&mut me, "login getresponse --grant client-credentials");
    let mut me = Person::new();
    let _server = me.practice(Manners::GetResponse);
    std::fs::write(me.path("secret"), SECRET).expect("written");
    let file = me.path("secret").display().to_string();
    let line =
        format!("init getresponse --grant client-credentials --client-id practice-client --client-secret-file {file}");
    assert_eq!(lines(&mut me, &line), asked);
}

#[test]
fn a_job_without_a_home_is_told_what_it_needs() {
    let mut me = Person::new();
    for name in ["HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"] {
        me.unset(name);
    }
    me.set("CI", "true");
    let done = me.types("init getresponse");
    assert!(done.code == 0 && done.out.starts_with("OAUTHCTL_GRANT=client-credentials\n"), "{}", done.err);
    let none = me.types("init");
    assert!(none.code == 2 && none.err.contains("no provider is named"), "{}", none.err);
    let list = me.types("provider list");
    assert_eq!((list.code, list.out.lines().count()), (0, catalogue::names().count()));
}
