//! Each secret that a profile has beside its tokens goes only to the place that the profile is for:
//! the inputs of grants without a person, parameters, variables of the environment.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::world::{Odd, Output, Person, answer};

const SECRET: &str = "access-ours.of-this.profile-alone";
const CI: &str = "[profiles.ci]\nprovider = \"acme\"\nclient-id = \"an-app\"\n";

/// Two servers that give tokens, each with its provider, and all that the second one has heard.
struct Places {
    me: Person,
    ours: Odd,
    theirs: Odd,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Places {
    fn new() -> Places {
        let mut me = Person::new();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = heard.clone();
        let token = |name: &str| json!({"access_token": format!("token-of-{name}-01234"), "token_type": "Bearer", "expires_in": 600, "active": true});
        let ours = me.odd("ours", move |_| answer(200, "application/json", &token("ours").to_string()));
        let theirs = me.odd("theirs", move |request| {
            let headers: Vec<String> = request.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
            let body = String::from_utf8_lossy(&request.body);
            kept.lock().unwrap().push(format!("{}?{} {} {body}", request.path, request.query, headers.join(" ")));
            answer(200, "application/json", &token("theirs").to_string())
        });
        let places = Places { me, ours, theirs, heard };
        places.leads("acme", &places.ours.base);
        places.leads("zeta", &places.theirs.base);
        std::fs::write(places.me.path("secret"), SECRET).unwrap();
        places
    }

    fn leads(&self, name: &str, base: &str) {
        let text = format!(
            "id = \"{name}\"\n[token]\nurl = \"{base}/token\"\nauth = [\"none\", \"basic\", \"private_key_jwt\"]\nheaders.X-Key = \"{{key}}\"\n\
             [client-credentials]\nsupported = true\n[introspect]\nurl = \"{base}/introspect\"\n[api]\nbase-url = \"{base}/api\"\n\
             [vars.key]\nsecret = true\ndefault = \"none\"\n"
        );
        self.me.config(&format!("providers/{name}.toml"), &text);
    }

    fn secret(&self) -> String {
        self.me.path("secret").display().to_string()
    }

    /// Exit 7, and the other place has heard of no secret.
    fn refuses(&mut self, line: &str) -> Output {
        let done = self.me.types(line);
        assert_eq!(done.code, 7, "{line}: {}{}", done.out, done.err);
        self.is_silent(line);
        done
    }

    fn is_silent(&self, why: &str) {
        let heard = self.heard.lock().unwrap().join("\n");
        let leaks = [SECRET, "token-of-ours", "eyJ", &SECRET.replace('.', "%2E")].iter().any(|it| heard.contains(it));
        assert!(!leaks, "{why}: {heard}");
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // an odd server must be asked
        crate::world::robot::get(&format!("{}/x", self.theirs.base));
        crate::world::robot::get(&format!("{}/x", self.ours.base));
    }
}

fn kinds(places: &Places) -> Vec<(&'static str, String)> {
    let secret = places.secret();
    vec![
        ("token-exchange", format!("subject-token.file = \"{secret}\"\n")),
        ("jwt-bearer", format!("assertion.file = \"{secret}\"\n")),
        ("client-credentials", format!("params = {{ api_key = \"{SECRET}\" }}\n")),
        ("client-credentials", format!("[profiles.ci.vars]\nkey = \"{SECRET}\"\n")),
        ("client-credentials", format!("client-secret.file = \"{secret}\"\n")),
    ]
}

// B-05: found by a tester: only the client secret was held back
#[test]
fn no_input_of_a_job_goes_where_its_provider_leads_now() {
    for change in ["the file", "the profile"] {
        let mut places = Places::new();
        for (grant, lines) in kinds(&places) {
            places.leads("acme", &places.ours.base);
            places.me.config("config.toml", &format!("{CI}grant = \"{grant}\"\n{lines}"));
            // a login would put a variable into the store
            let done = places.me.types("token ci");
            assert_eq!(done.code, 0, "{lines}: {}", done.err);
            match change {
                "the file" => places.leads("acme", &places.theirs.base),
                _ => assert_eq!(places.me.types("profile set ci provider zeta").code, 0),
            }
            for line in ["token ci --force-refresh", "refresh ci", "call ci /x"] {
                let done = places.refuses(line);
                assert!(done.err.contains("if that is right: oauthctl login ci"), "{line}: {}", done.err);
            }
        }
    }
}

// B-05
#[test]
fn what_fills_the_requests_of_a_profile_goes_to_no_other_provider() {
    let mut places = Places::new();
    let file = places.secret();
    for (_, lines) in kinds(&places).into_iter().filter(|(_, lines)| lines.contains(SECRET)) {
        let config = format!("{CI}grant = \"client-credentials\"\n{lines}");
        places.me.config("config.toml", &config);
        for verb in ["token", "login"] {
            for option in ["--provider zeta".to_owned(), format!("--provider zeta --client-secret-file {file}")] {
                let done = places.me.types(&format!("{verb} ci {option}"));
                assert_eq!(done.code, 7, "{lines} {verb} {option}: {}", done.err);
                places.is_silent(&lines);
                assert!(done.err.contains("oauthctl login NAME --provider zeta"), "{}", done.err);
                let now = std::fs::read_to_string(places.me.path("config/oauthctl/config.toml")).unwrap();
                assert_eq!(now, config, "nothing is lost");
            }
        }
    }
}

// B-05: a token from a variable with the profile's name
#[test]
fn a_token_from_outside_goes_to_no_other_provider() {
    let mut places = Places::new();
    places.me.config("config.toml", CI);
    places.me.set("OAUTHCTL_CI_TOKEN", SECRET);
    for line in ["introspect ci", "call ci /x", "token ci"] {
        places.refuses(&format!("{line} --provider zeta"));
    }
    // two profiles with one variable
    places.me.config("config.toml", &format!("{}[profiles.\"c.i\"]\nprovider = \"zeta\"\n", CI.replace(".ci", ".c-i")));
    for (variable, line) in [("TOKEN", "call"), ("CLIENT_SECRET", "token --grant client-credentials --client-id x")] {
        places.me.unset("OAUTHCTL_CI_TOKEN");
        places.me.set(&format!("OAUTHCTL_C_I_{variable}"), SECRET);
        let (verb, rest) = line.split_once(' ').unwrap_or((line, "/x"));
        let done = places.me.types(&format!("{verb} c.i {rest}"));
        assert_eq!(done.code, 2, "{}", done.err);
        let said = format!("the variable OAUTHCTL_C_I_{variable} is for two profiles: `c.i` and `c-i`");
        assert!(done.err.contains(&said), "{}", done.err);
        assert!(done.err.contains("oauthctl profile rename c-i NAME"), "{}", done.err);
        places.is_silent(line);
        places.me.unset(&format!("OAUTHCTL_C_I_{variable}"));
    }
}

#[test]
fn a_profile_that_moves_says_which_secret_goes_along() {
    let mut places = Places::new();
    let file = places.secret();
    places.me.config("config.toml", &format!("{CI}client-secret.file = \"{file}\"\n"));
    let done = places.me.types("profile set ci provider zeta");
    let next = "its `client-secret` stays, and goes there from the next login on; `oauthctl profile unset ci client-secret` takes it out";
    assert!(done.code == 0 && done.err.contains(next), "{}", done.err);
    assert!(!places.me.types("profile set ci provider zeta").err.contains("goes there"));
}

// a configuration that is made by hand, step by step
#[test]
fn half_a_profile_is_finished_by_its_first_login() {
    let mut places = Places::new();
    let file = places.secret();
    let half = format!("[profiles.ci]\nclient-id = \"an-app\"\nclient-secret.file = \"{file}\"\n");
    places.me.config("config.toml", &half);
    let done = places.me.types("login ci --provider acme --grant client-credentials");
    assert_eq!(done.code, 0, "{}", done.err);
    // a profile without a provider that is called like one is that one's
    places.me.config("config.toml", &half.replace(".ci", ".acme"));
    places.refuses("login acme --provider zeta --grant client-credentials");
}

// T-24: the API's own redirect would carry it
#[test]
fn a_redirect_that_carries_a_secret_is_not_followed_elsewhere() {
    let mut places = Places::new();
    let to = places.theirs.base.clone();
    let api = places.me.odd("api", move |request| {
        let mut found = answer(302, "text/plain", "");
        found.headers.push(("location".to_owned(), format!("{to}/x?{}", request.query)));
        found
    });
    let text = format!(
        "id = \"api\"\ntoken.url = \"{0}/token\"\n[api]\nbase-url = \"{0}/api\"\nauth = {{ in = \"query\", name = \"tok\", scheme = \"\" }}\n",
        api.base
    );
    places.me.config("providers/api.toml", &text);
    places.me.set("OAUTHCTL_API_TOKEN", SECRET);
    let done = places.refuses("call api /x --anywhere");
    assert!(done.err.contains("the API redirects to another host with a secret in the address"), "{}", done.err);
}

// the shell's history would keep it
#[test]
fn a_missing_secret_is_asked_for_in_a_file_or_a_terminal() {
    let mut places = Places::new();
    places.me.config("config.toml", &format!("{CI}grant = \"client-credentials\"\n"));
    let file = places.me.path("config/oauthctl/providers/acme.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("default = \"none\"\n", "");
    places.me.config("providers/acme.toml", &text);
    let done = places.me.types("token ci");
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("hint: oauthctl profile set-secret ci --var key\n"), "{}", done.err);
    let secret = places.secret();
    assert_eq!(places.me.runs(&["profile", "set-secret", "ci", &secret, "--var", "key"]).code, 0);
    assert_eq!(places.me.types("token ci").code, 0);
}

// a login where the app needs no secret any more: the one of the former place is no obstacle
#[test]
fn a_login_without_the_secret_of_the_former_place_is_renewed_without_it() {
    let mut places = Places::new();
    places.me.config("config.toml", &format!("{CI}grant = \"password\"\n"));
    let file = places.secret();
    let login = format!("login ci --grant password --username ann --password-file {}", places.me.path("p").display());
    std::fs::write(places.me.path("p"), "a-password").unwrap();
    assert_eq!(places.me.types(&format!("{login} --client-secret-file {file}")).code, 0);
    places.leads("acme", &format!("{}/v2", places.ours.base));
    let done = places.me.types(&login);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("warning: the stored client secret is for the token endpoint that was http"),
        "{}",
        done.err
    );
    assert_eq!(done.err.matches("the stored client secret").count(), 1, "{}", done.err);
    assert!(done.err.contains("--client-secret-file FILE"), "{}", done.err);
    for line in ["token ci --force-refresh", "logout ci"] {
        let done = places.me.types(line);
        assert!(!done.err.contains("has changed since"), "{line}: {}", done.err);
    }
}

// what a variable gives is not the configuration's; what is usual is no other place
#[test]
fn what_a_command_brings_itself_is_taken() {
    let mut places = Places::new();
    let file = places.secret();
    places.me.config("config.toml", &format!("{CI}grant = \"client-credentials\"\nclient-secret.file = \"{file}\"\n"));
    assert_eq!(places.me.types("token ci").code, 0);
    assert_eq!(places.me.types("token ci --var key=none --force-refresh").code, 0, "the provider's own value");
    let config = format!("{CI}grant = \"client-credentials\"\nclient-key.file = \"{file}\"\n");
    places.me.config("config.toml", &config);
    places.me.set("OAUTHCTL_CLIENT_ID", "another").set("OAUTHCTL_CLIENT_KEY_FILE", "/no/such/key");
    let done = places.me.types("token ci");
    assert!(done.code == 2 && done.err.contains("/no/such/key"), "{}", done.err);
}

// the secret goes to the same server: an id that was mistyped is mended so
#[test]
fn a_login_mends_the_client_id() {
    let mut places = Places::new();
    let file = places.secret();
    places.me.config("config.toml", &format!("{CI}grant = \"client-credentials\"\nclient-secret.file = \"{file}\"\n"));
    let done = places.me.types("login ci --client-id the-app");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        places.me.config_text().contains("client-id = \"the-app\"")
            && places.me.config_text().contains("client-secret")
    );
}
