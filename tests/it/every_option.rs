//! Every key of a provider, every key of a profile, every option of every command and every
//! variable has a row here, which changes it from its default and sees the effect: on the wire, in
//! a file or in the output. A new one without a row fails, and so does a row without one.
//!
//! Most rows are run: the lines are typed once with the setting and once without it, and only the
//! first run may say what the row sees (`!…`: only the second). A row for which a scripted server
//! is not enough names a test that sees the effect: the test must exist and name the setting.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use oauthctl::world::Clock as _;
use serde_json::{Value, json};

use crate::manners::laid;
use crate::world::op::{Op, Plan};
use crate::world::serve::{self, Request, Response};
use crate::world::{Person, answer, own_port, robot};

/// One run: the settings and the lines that are typed.
///
/// Lines are separated by `;`. `p` before a line: a browser opens, and the person pastes the
/// redirect; `b`: the browser comes back by itself; `s`: a signal ends the wait; `c`: a question is
/// answered by Ctrl-C; `later SECONDS`: time passes; `< TEXT`: the next line's standard input;
/// `set NAME VALUE`: a variable.
/// `HOME`, `PORT`, `BASE`, `LOCAL` stand for the person's folder, a free port, and the server's
/// address by number and by name.
#[derive(Clone, Default)]
struct Run {
    /// Lines of the provider's file. `# token: JSON`: the server's token answer. `# without: KEY`:
    /// the file has it not.
    provider: Vec<String>,
    /// Lines of the profile.
    profile: String,
    lines: String,
    variable: Option<(String, String)>,
}

impl Run {
    fn of(provider: &[&str], profile: &str, lines: &str) -> Run {
        let provider = provider.iter().map(|&text| text.to_owned()).collect();
        Run { provider, profile: profile.to_owned(), lines: lines.to_owned(), variable: None }
    }

    /// Everything that was seen: each line with its exit code, the output, the requests, and in the
    /// end the files.
    fn text(&self) -> String {
        let mut me = Person::new();
        let (log, base) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(String::new())));
        let said = |mark: &str| {
            let lines = self.provider.iter().flat_map(|text| text.lines());
            lines.filter_map(|line| line.strip_prefix(mark)).next_back().map(str::to_owned)
        };
        let token: Value = said("# token: ").map_or(Value::Null, |text| serde_json::from_str(&text).expect("JSON"));
        let (to, own) = (log.clone(), base.clone());
        let serving = serve::serve(move |request| {
            *to.lock().unwrap() += &logged(request);
            answered(request, &own.lock().unwrap(), &token)
        });
        let server = format!("http://{}", serving.address);
        server.clone_into(&mut base.lock().unwrap());
        let home = me.path("").display().to_string().trim_end_matches('/').to_owned();
        let (port, local) = (own_port().to_string(), server.replace("127.0.0.1", "localhost"));
        let filled = |text: &str| {
            let text = text.replace("HOME", &home).replace("PORT", &port);
            text.replace("BASE", &server).replace("LOCAL", &local)
        };
        files(&me);
        let mut file = FILE.replace("BASE", &server);
        if let Some(key) = said("# without: ") {
            file = file.lines().filter(|line| !line.starts_with(&format!("{key} ="))).collect::<Vec<_>>().join("\n");
        }
        for text in &self.provider {
            file = laid(&file, &filled(text));
        }
        me.config("providers/odd.toml", &file);
        if !self.profile.is_empty() {
            me.config("config.toml", &filled(&format!("[profiles.odd]\nprovider = \"odd\"\n{}\n", self.profile)));
        }
        const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb3cifQ.c2ln";
        if !self.profile.contains("client-secret") && !self.lines.contains("--client-secret") {
            me.set("OAUTHCTL_ODD_CLIENT_SECRET", "env-secret");
        }
        me.set("ROW_SECRET", JWT).set("ROW_KEY", KEY);
        if let Some((name, value)) = &self.variable {
            me.set(name, &filled(value));
        }
        for line in self.lines.split(';').map(|line| filled(line.trim())) {
            let line = match line.split_once(' ') {
                Some(("later", seconds)) => {
                    me.later(seconds.parse().expect("seconds"));
                    continue;
                }
                Some(("<", text)) => {
                    me.stdin(text);
                    continue;
                }
                Some(("set", variable)) => {
                    let (name, value) = variable.split_once(' ').expect("NAME VALUE");
                    me.set(name, value);
                    continue;
                }
                Some(("p", line)) => {
                    me.pastes(pasted).browser(|_| Vec::new());
                    line
                }
                Some(("b", line)) => {
                    me.browser(|url| vec![robot::go(url)]);
                    line
                }
                Some(("c", line)) => {
                    me.presses_ctrl_c();
                    line
                }
                Some(("s", line)) => {
                    me.signal(2);
                    line
                }
                _ => &line,
            };
            for (program, prints) in [("row-secret", JWT), ("row-key", KEY)] {
                if self.profile.contains(&format!("[\"{program}\"]")) {
                    me.program(&[program], prints);
                }
            }
            let done = me.types(line);
            *log.lock().unwrap() += &format!("{line} => {}\n{}{}", done.code, done.out, done.err_raw);
        }
        let record = me.keychain.item("odd").unwrap_or_default();
        let log = log.lock().unwrap();
        let text = format!("{log}--- config.toml\n{}--- record\n{record}\n", me.config_text());
        text.replace(&server, "BASE").replace(&local, "LOCAL").replace(&home, "HOME").replace(&port, "PORT")
    }

    /// The same; `None`: it panicked, or waited for more than was typed.
    fn ends(self) -> Option<String> {
        let (to, text) = std::sync::mpsc::channel();
        std::thread::spawn(move || to.send(self.text()));
        text.recv_timeout(std::time::Duration::from_secs(60)).ok()
    }

    /// Runs it with and without the setting. `sees`: what only the first run says.
    fn shows(self, without: Run, name: &str, sees: &str) -> Result<(), String> {
        let with = self.ends().ok_or_else(|| format!("`{name}`: the run panics, or has no end"))?;
        // without a setting a browser may wait in vain
        let usual = without.ends().unwrap_or_default();
        let (has, lacks, sees) = match sees.strip_prefix('!') {
            Some(sees) => (&usual, &with, sees),
            None => (&with, &usual, sees),
        };
        match (has.contains(sees), lacks.contains(sees)) {
            (true, false) => Ok(()),
            (there, _) => Err(format!(
                "`{name}`: `{sees}` {}\n=== with it\n{with}\n=== without it\n{usual}\n",
                if there { "makes no difference" } else { "is not seen" }
            )),
        }
    }
}

/// RFC 7515, appendix A.3.1
pub const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

const FILE: &str = "id = \"odd\"\nname = \"Odd\"\nsources = [\"a test\"]\nchecked = \"2026-11-21\"\nclient-id = \"an-app\"\n\
    [authorize]\nurl = \"BASE/authorize\"\n[pkce]\nmode = \"off\"\n[token]\nurl = \"BASE/token\"\n\
    [client-credentials]\nsupported = true\n[redirect]\nloopback = \"any_port\"\n[api]\nbase-url = \"BASE/api\"\n";

/// The address that is pasted, with more parameters than a server would send.
fn pasted(url: &str) -> String {
    let state = url.split(['?', '&']).find_map(|pair| pair.strip_prefix("state=")).unwrap_or_default();
    let to =
        url.split(['?', '&']).find_map(|pair| pair.strip_prefix("redirect_uri=")).unwrap_or("http%3A%2F%2F127.0.0.1");
    let to = url::form_urlencoded::parse(to.as_bytes()).next().unwrap().0.into_owned();
    format!("{to}?code=the-code&row_code=row-code&v=of-redirect&w=of-path&state={state}")
}

fn logged(request: &Request) -> String {
    let Request { method, path, query, headers, body } = request;
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{method} {path}{query}\n{headers}{}\n", String::from_utf8_lossy(body))
}

fn answered(request: &Request, base: &str, token: &Value) -> Response {
    let asked = |name: &str| {
        url::form_urlencoded::parse(request.query.as_bytes())
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    };
    let says = |value: &Value| answer(200, "application/json", &value.to_string());
    // `/s299/token` answers as `/token` does, with that status
    let status = request.path.strip_prefix("/s").and_then(|rest| rest.get(..3)?.parse().ok());
    let path = if status.is_some() { &request.path[5..] } else { &request.path };
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let mut response = match path {
        "/authorize" => {
            let state = asked("state").unwrap_or_default();
            let mut redirect = answer(302, "text/plain", "");
            let to = format!("{}?code=the-code&state={state}", asked("redirect_uri").unwrap_or_default());
            redirect.headers.push(("Location".into(), to));
            redirect
        }
        "/start" => says(&json!({
            "device_code": "device-1", "user_code": "USUAL", "their_code": "ROW-CODE", "auth_req_id": "request-1",
            "verification_uri": format!("{base}/enter"), "expires_in": 600, "interval": 1,
        })),
        "/revoke" => says(&json!({})),
        "/introspect" => says(&json!({ "active": true, "scope": "told" })),
        "/userinfo" => says(&json!({ "sub": "user-1", "name": "Ann" })),
        "/me" => says(&json!({ "their-id": "id-7", "their-name": "Ann-7" })),
        "/par" => answer(201, "application/json", r#"{"request_uri":"urn:row:1","expires_in":60}"#),
        "/register" => answer(201, "application/json", r#"{"client_id":"made-1","token_endpoint_auth_method":"none"}"#),
        "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => says(&json!({
            "issuer": base, "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
            "revocation_endpoint": format!("{base}/revoke"),
        })),
        "/api/fault" => answer(403, "application/json", r#"{"error":"row_code","message":"This Row Is Over"}"#),
        "/api/slow" => {
            std::thread::sleep(std::time::Duration::from_secs(2));
            says(&json!({}))
        }
        "/api/graphql" => says(&json!({ "errors": [{ "message": "no such field" }] })),
        "/api/busy" => answer(429, "application/json", "{}"),
        "/api/list" if asked("page").or(asked("p")).is_some_and(|page| page.as_str() > "2") => {
            says(&json!({ "items": [], "more": [] }))
        }
        "/api/list" => {
            let next = asked("page").is_none().then(|| format!("{base}/api/list?page=2"));
            says(&json!({ "items": ["item-1"], "more": ["more-1"], "their-next": next }))
        }
        path if path.starts_with("/api") || path.starts_with("/v9") => {
            says(&json!({ "name": "Ann", "age": 7, "sent": body }))
        }
        _ if token.is_object() => says(token),
        _ => says(&json!({
            "access_token": "access-1", "token_type": "bearer", "refresh_token": "refresh-1", "expires_in": 3600,
        })),
    };
    response.status = status.unwrap_or(response.status);
    for (name, value) in
        [("X-Most", "80"), ("X-Left", "12"), ("X-None", "0"), ("X-Reset", "60"), ("X-Wait", "33"), ("X-Pages", "2")]
    {
        response.headers.push((name.into(), value.into()));
    }
    response
}

/// Files that options name.
fn files(me: &Person) {
    for (name, text) in [
        ("secret", "eyJ-file-secret\n".to_owned()),
        ("body", "file-body".to_owned()),
        ("token", "file-token".to_owned()),
        ("jwt", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb3cifQ.c2ln".to_owned()),
        ("key.json", KEY.to_owned()),
    ] {
        std::fs::write(me.path(name), text).expect("a file");
    }
}

/// Some of the rows of a table, on one of several threads.
fn all<T: Copy + Sync>(rows: &[T], run: impl Fn(T) -> Result<(), String> + Sync) {
    let failed = Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) {
                    failed.lock().unwrap().extend(run(*row).err());
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {} rows:\n{}", failed.len(), rows.len(), failed.join("\n"));
}

/// Every name has a row, and every row a name.
#[track_caller]
fn complete(names: impl IntoIterator<Item = String>, rows: impl IntoIterator<Item = String>) {
    let (names, rows): (BTreeSet<String>, BTreeSet<String>) = (names.into_iter().collect(), rows.into_iter().collect());
    let lacking: Vec<&String> = names.difference(&rows).collect();
    let foreign: Vec<&String> = rows.difference(&names).collect();
    assert!(lacking.is_empty() && foreign.is_empty(), "without a row: {lacking:?}; rows of nothing: {foreign:?}");
}

/// The test that sees the effect exists, and names the setting.
fn names(test: &str, setting: &str) -> Result<(), String> {
    let (file, function) = test.split_once("::").expect("FILE::FUNCTION");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default();
    let word = if file.ends_with(".py") { "def" } else { "fn" };
    let start = text.find(&format!("{word} {function}(")).ok_or_else(|| format!("`{setting}`: no test `{test}`"))?;
    let indent = text[..start].rsplit('\n').next().unwrap_or_default().len();
    let end = if word == "def" { "\n\n\n".to_owned() } else { format!("\n{}}}\n", " ".repeat(indent)) };
    let body = text[start..].split(&end).next().unwrap_or_default();
    body.contains(setting).then_some(()).ok_or_else(|| format!("the test `{test}` does not name `{setting}`"))
}

// key, lines that both runs have, lines that set it, typed, seen
type Key = (&'static str, &'static str, &'static str, &'static str, &'static str);

const LATER: &str = "p login odd; later 4000; token odd";
const PLAIN: &str = "token odd --grant client-credentials --format json";

const KEYS: &[Key] = &[
    (
        "refresh.rotates",
        "",
        "refresh.rotates = \"no\"",
        "set MACHINE_OF_THE_TEST one; p login odd; set MACHINE_OF_THE_TEST two; later 4000; token odd",
        "grant_type=refresh_token",
    ),
    ("id", "", "id = \"odder\"", "provider show odd", "`id` in providers/odd.toml"),
    ("name", "", "name = \"Strange\"", "p login odd", "Sign in to Strange"),
    ("aliases", "", "aliases = [\"od\"]", "provider show od", "show od => 0"),
    ("extends", "", "extends = \"getresponse\"", "provider show odd", "app.getresponse.com"),
    ("oauth", "", "oauth = \"1.0\"", "provider show odd", "show odd => 2"),
    ("docs", "", "docs = \"https://docs.example\"", "provider show odd", "https://docs.example"),
    (
        "console-url",
        "# without: client-id",
        "console-url = \"https://console.example\"",
        "login odd",
        "https://console.example",
    ),
    (
        "console-choice",
        "# without: client-id\nconsole-url = \"https://console.example\"",
        "console-choice = \"the row's kind\"",
        "login odd",
        "choose there: the row's kind",
    ),
    (
        "console-choice-device",
        "# without: client-id\nconsole-url = \"https://console.example\"\ndevice.url = \"BASE/device\"",
        "console-choice-device = \"the row's kind\"",
        "login odd --grant device-code",
        "choose there: the row's kind",
    ),
    (
        "console-redirect-url",
        "# without: client-id\nconsole-url = \"https://console.example\"",
        "console-redirect-url = false",
        "login odd",
        "hint: register an app at https://console.example\n",
    ),
    ("practice", "# without: client-id", "practice = \"the row's app\"", "login odd", "use the app the row's app"),
    ("issuer", "", "issuer = \"BASE\"", "p login odd; logout odd", "POST /revoke"),
    ("client-id", "# without: client-id", "client-id = \"row-app\"", "s login odd --no-browser", "client_id=row-app"),
    ("vars.NAME.prompt", "token.params.v = \"{v}\"", "vars.v.prompt = \"The row?\"", "login odd", "The row?"),
    (
        "vars.NAME.default",
        "token.params.v = \"{v}\"\nvars.v.prompt = \"?\"",
        "vars.v.default = \"usual\"",
        "p login odd",
        "v=usual",
    ),
    (
        "vars.NAME.pattern",
        "token.params.v = \"{v}\"\nvars.v.prompt = \"?\"",
        "vars.v.pattern = \"digits\"",
        "s login odd --no-browser --var v=abc",
        "--var v=abc => 2",
    ),
    (
        "vars.NAME.enum",
        "token.params.v = \"{v}\"\nvars.v.prompt = \"?\"",
        "vars.v.enum = [\"a\"]",
        "s login odd --no-browser --var v=abc",
        "--var v=abc => 2",
    ),
    (
        "vars.NAME.secret",
        "token.params.v = \"{v}\"\nvars.v.prompt = \"?\"",
        "vars.v.secret = true",
        "p login odd --var v=hush-hush-1",
        "\"secret_vars\"",
    ),
    (
        "vars.NAME.from",
        "token.params.v = \"{v}\"\nvars.v.default = \"usual\"",
        "vars.v.from = \"callback\"",
        "p login odd",
        "v=of-redirect",
    ),
    (
        "vars.NAME.path",
        "token.params.v = \"{v}\"\nvars.v.from = \"callback\"",
        "vars.v.path = \"w\"",
        "p login odd",
        "v=of-path",
    ),
    (
        "environments",
        "",
        "environments.max.token.url = \"BASE/max\"",
        "provider show odd --environment max",
        "BASE/max",
    ),
    ("authorize.url", "", "authorize.url = \"BASE/elsewhere\"", "p login odd", "BASE/elsewhere?"),
    ("authorize.params", "", "authorize.params.row = \"1\"", "p login odd", "&row=1"),
    ("authorize.rename", "", "authorize.rename.client_id = \"app\"", "p login odd", "app=an-app"),
    (
        "authorize.send-redirect-uri",
        "token.send-redirect-uri = false",
        "authorize.send-redirect-uri = false",
        "s login odd --no-browser",
        "!redirect_uri=",
    ),
    ("authorize.raw", "", "authorize.raw = [\"redirect_uri\"]", "p login odd", "redirect_uri=http://"),
    ("authorize.params-in", "", "authorize.params-in = \"fragment\"", "s login odd --no-browser", "/authorize#"),
    ("authorize.fragment", "", "authorize.fragment = \"row\"", "p login odd", "#row"),
    ("callback.code-param", "", "callback.code-param = \"row_code\"", "p login odd", "code=row-code"),
    ("scopes.known", "", "scopes.known = [\"contacts\"]", "p login odd --scope contcts", "did you mean `contacts`?"),
    ("scopes.default", "", "scopes.default = [\"rd\"]", "p login odd", "scope=rd"),
    ("scopes.presets", "", "scopes.presets.most = [\"rd\", \"wr\"]", "p login odd --preset most", "scope=rd%20wr"),
    ("scopes.always", "", "scopes.always = [\"rd\"]", "p login odd", "scope=rd"),
    ("scopes.offline", "", "scopes.offline = \"off\"", "p login odd", "scope=off"),
    ("scopes.separator", "", "scopes.separator = \",\"", "p login odd --scope a --scope b", "scope=a%2Cb"),
    ("scopes.param", "scopes.default = [\"rd\"]", "scopes.param = \"perm\"", "p login odd", "perm=rd"),
    ("pkce.mode", "", "pkce.mode = \"supported\"", "p login odd", "code_challenge="),
    (
        "pkce.method",
        "pkce.mode = \"supported\"",
        "pkce.method = \"plain\"",
        "p login odd",
        "code_challenge_method=plain",
    ),
    ("token.send-redirect-uri", "", "token.send-redirect-uri = false", "p login odd", "!code=the-code&redirect_uri="),
    (
        "refresh.send-redirect-uri",
        "",
        "refresh.send-redirect-uri = true",
        LATER,
        "refresh_token=refresh-1&redirect_uri=",
    ),
    ("refresh.supported", "", "refresh.supported = false", LATER, "token odd => 4"),
    ("refresh.grant-type", "", "refresh.grant-type = \"renew\"", LATER, "grant_type=renew"),
    ("refresh.token-param", "", "refresh.token-param = \"rt\"", LATER, "&rt=refresh-1"),
    ("refresh.source", "", "refresh.source = \"access_token\"", LATER, "refresh_token=access-1"),
    (
        "refresh.any-scope",
        "scopes.default = [\"a\"]",
        "refresh.any-scope = true",
        "p login odd; token odd --scope more",
        "scope=more",
    ),
    ("refresh.max-idle-s", "", "refresh.max-idle-s = 864000", "p login odd", "The login ends in 10 days"),
    ("refresh.max-age-s", "", "refresh.max-age-s = 864000", "p login odd", "The login ends in 10 days"),
    (
        "response.root",
        "# token: {\"data\":{\"access_token\":\"inner-1\",\"token_type\":\"bearer\"}}",
        "response.root = \"data\"",
        PLAIN,
        "\"access_token\":\"inner-1\"",
    ),
    (
        "response.access-token",
        "# token: {\"at\":\"inner-1\",\"token_type\":\"bearer\"}",
        "response.access-token = \"at\"",
        PLAIN,
        "\"access_token\":\"inner-1\"",
    ),
    (
        "response.refresh-token",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"rt\":\"inner-2\"}",
        "response.refresh-token = \"rt\"",
        "p login odd",
        "\"refresh_token\":\"inner-2\"",
    ),
    (
        "response.expires-in",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"life\":777}",
        "response.expires-in = \"life\"",
        PLAIN,
        "\"expires_in\":777",
    ),
    (
        "response.scope",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"granted\":\"aa bb\"}",
        "response.scope = \"granted\"",
        PLAIN,
        "\"scope\":\"aa bb\"",
    ),
    (
        "response.token-type",
        "# token: {\"access_token\":\"a-1\",\"kind\":\"bearer\"}",
        "response.token-type = \"kind\"",
        PLAIN,
        "json => 0",
    ),
    (
        "response.default-token-type",
        "# token: {\"access_token\":\"a-1\"}",
        "response.default-token-type = \"bearer\"",
        PLAIN,
        "json => 0",
    ),
    (
        "response.bearer-types",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"user\"}",
        "response.bearer-types = [\"user\"]",
        PLAIN,
        "json => 0",
    ),
    (
        "response.expires-unit",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"expires_in\":60}",
        "response.expires-unit = \"min\"",
        PLAIN,
        "\"expires_in\":3600",
    ),
    (
        "response.refresh-expires-in",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"refresh_token\":\"r-1\",\"life\":864000}",
        "response.refresh-expires-in = \"life\"",
        "p login odd",
        "The login ends in 10 days",
    ),
    (
        "response.refresh-expires-unit",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"refresh_token\":\"r-1\",\"life\":14400}\nresponse.refresh-expires-in = \"life\"",
        "response.refresh-expires-unit = \"min\"",
        "p login odd",
        "The login ends in 10 days",
    ),
    (
        "response.scope-separator",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"scope\":\"aa;bb\"}",
        "response.scope-separator = \";\"",
        PLAIN,
        "\"scope\":\"aa bb\"",
    ),
    (
        "response.default-expires-s",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\"}",
        "response.default-expires-s = 777",
        PLAIN,
        "\"expires_in\":777",
    ),
    (
        "response.zero-expires",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"expires_in\":0}",
        "response.zero-expires = \"never\"",
        PLAIN,
        "!\"expires_in\":0",
    ),
    (
        "response.claims-from-jwt",
        "# token: {\"access_token\":\"eyJhbGciOiJub25lIn0.eyJleHAiOjE3OTUyOTg5MDB9.c2ln\",\"token_type\":\"bearer\"}",
        "response.claims-from-jwt = true",
        PLAIN,
        "\"expires_in\":500",
    ),
    (
        "response.ok-field",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"ok\":true,\"error\":\"none\"}",
        "response.ok-field = \"ok\"",
        PLAIN,
        "json => 0",
    ),
    (
        "response.ok-value",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"ok\":\"fine\"}\nresponse.ok-field = \"ok\"",
        "response.ok-value = \"fine\"",
        PLAIN,
        "json => 0",
    ),
    ("response.error", "# token: {\"fault\":\"row_fault\"}", "response.error = [\"fault\"]", PLAIN, "row_fault"),
    (
        "response.error-description",
        "# token: {\"error\":\"bad\",\"why\":\"the row's reason\"}",
        "response.error-description = [\"why\"]",
        PLAIN,
        "the row's reason",
    ),
    (
        "response.capture",
        "# token: {\"access_token\":\"a-1\",\"token_type\":\"bearer\",\"place\":\"p-1\"}",
        "response.capture.at = \"place\"\napi.base-url = \"BASE/api/{at}\"",
        "p login odd; call odd /x",
        "GET /api/p-1/x",
    ),
    (
        "device.grant-type",
        "device.url = \"BASE/start\"",
        "device.grant-type = \"row\"",
        "login odd --grant device-code",
        "grant_type=row",
    ),
    (
        "device.poll-url",
        "device.url = \"BASE/start\"",
        "device.poll-url = \"BASE/poll\"",
        "login odd --grant device-code",
        "POST /poll",
    ),
    (
        "device.fields",
        "device.url = \"BASE/start\"",
        "device.fields.user_code = \"their_code\"",
        "login odd --grant device-code",
        "enter the code:  ROW-CODE",
    ),
    (
        "revoke.token-param",
        "revoke.url = \"BASE/revoke\"",
        "revoke.token-param = \"dead\"",
        "p login odd; logout odd",
        "dead=refresh-1",
    ),
    (
        "revoke.tokens",
        "revoke.url = \"BASE/revoke\"",
        "revoke.tokens = [\"access_token\"]",
        "p login odd; logout odd",
        "!token=refresh-1",
    ),
    (
        "revoke.kills",
        "revoke.url = \"BASE/revoke\"",
        "revoke.kills = \"refresh\"",
        "p login odd; logout odd",
        "the access token",
    ),
    (
        "revoke.token-in-path",
        "revoke.url = \"BASE/revoke\"",
        "revoke.token-in-path = true",
        "p login odd; logout odd",
        "/revoke/refresh-1",
    ),
    (
        "revoke.send-client-id",
        "revoke.url = \"BASE/revoke\"",
        "revoke.send-client-id = true",
        "p login odd; logout odd",
        "client_id=an-app\n",
    ),
    (
        "revoke.auth-header",
        "revoke.url = \"BASE/revoke\"",
        "revoke.auth-header = \"X-Auth\"",
        "p login odd; logout odd",
        "x-auth: Basic",
    ),
    ("client-credentials.supported", "", "client-credentials.supported = false", PLAIN, "json => 2"),
    (
        "client-credentials.own-account",
        "# without: client-id",
        "client-credentials.own-account = true",
        "c login odd",
        "For your own account",
    ),
    ("userinfo.url", "", "userinfo.url = \"BASE/userinfo\"", "p login odd; userinfo odd", "GET /userinfo"),
    ("implicit.supported", "", "implicit.supported = true", "provider show odd", "implicit.supported = true"),
    ("redirect.loopback", "", "redirect.loopback = \"https\"", "p login odd", "redirect_uri=https%3A%2F%2Flocalhost"),
    ("redirect.alias", "", "redirect.alias = \"Row-Name\"", "s login odd --no-browser", "redirect_uri=Row-Name"),
    ("redirect.host", "", "redirect.host = \"localhost\"", "p login odd", "redirect_uri=http%3A%2F%2Flocalhost"),
    ("redirect.ports", "", "redirect.ports = [PORT]", "p login odd", "redirect_uri=http%3A%2F%2F127.0.0.1%3APORT%2F"),
    ("redirect.path", "", "redirect.path = \"/row\"", "p login odd", "%2Frow&"),
    ("api.base-url", "", "api.base-url = \"BASE/v9\"", "p login odd; call odd /x", "GET /v9/x"),
    ("api.headers", "", "api.headers.X-Row = \"1\"", "p login odd; call odd /x", "x-row: 1"),
    ("api.query", "", "api.query.row = \"1\"", "p login odd; call odd /x", "GET /api/x?row=1"),
    ("api.auth.in", "", "api.auth.in = \"query\"", "p login odd; call odd /x", "GET /api/x?access_token=access-1"),
    (
        "api.auth.name",
        "",
        "api.auth.name = \"X-Row\"",
        "p login odd; call odd /x; token odd --format header",
        "x-row: Bearer access-1",
    ),
    ("api.auth.scheme", "", "api.auth.scheme = \"Row\"", "p login odd; call odd /x", "authorization: Row access-1"),
    (
        "api.hosts",
        "",
        "api.hosts = [\"localhost\"]",
        "p login odd; call odd https://localhost/x --dry-run",
        "--dry-run => 0",
    ),
    (
        "api.pages.by",
        "api.pages.items = \"items\"",
        "api.pages.by = \"page\"",
        "p login odd; call odd /list --paginate",
        "GET /api/list?page=2",
    ),
    (
        "api.pages.items",
        "api.pages.by = \"page\"",
        "api.pages.items = \"more\"",
        "p login odd; call odd /list --paginate",
        "!item-1",
    ),
    (
        "api.pages.next",
        "api.pages.by = \"url\"\napi.pages.items = \"items\"",
        "api.pages.next = [\"their-next\"]",
        "p login odd; call odd /list --paginate",
        "page=2",
    ),
    (
        "api.pages.param",
        "api.pages.by = \"page\"\napi.pages.items = \"items\"",
        "api.pages.param = \"p\"",
        "p login odd; call odd /list --paginate",
        "p=2",
    ),
    (
        "api.pages.size-param",
        "api.pages.by = \"page\"\napi.pages.items = \"items\"\napi.pages.size = 7",
        "api.pages.size-param = \"per\"",
        "p login odd; call odd /list --paginate",
        "per=7",
    ),
    (
        "api.pages.size",
        "api.pages.by = \"page\"\napi.pages.items = \"items\"\napi.pages.size-param = \"per\"",
        "api.pages.size = 7",
        "p login odd; call odd /list --paginate",
        "per=7",
    ),
    (
        "api.pages.start",
        "api.pages.by = \"page\"\napi.pages.items = \"items\"",
        "api.pages.start = 0",
        "p login odd; call odd /list --paginate",
        "?page=1",
    ),
    (
        "api.pages.total-header",
        "api.pages.by = \"page\"\napi.pages.items = \"items\"",
        "api.pages.total-header = \"X-Pages\"",
        "p login odd; call odd /list --paginate",
        "!page=3",
    ),
    ("whoami.url", "", "whoami.url = \"BASE/me\"", "p login odd", "GET /me"),
    ("whoami.method", "whoami.url = \"BASE/me\"", "whoami.method = \"POST\"", "p login odd", "POST /me"),
    ("whoami.headers", "whoami.url = \"BASE/me\"", "whoami.headers.X-Row = \"1\"", "p login odd", "x-row: 1"),
    (
        "whoami.body",
        "whoami.url = \"BASE/me\"\nwhoami.method = \"POST\"",
        "whoami.body = \"row-body\"",
        "p login odd",
        "row-body",
    ),
    ("whoami.id", "whoami.url = \"BASE/me\"", "whoami.id = \"their-id\"", "p login odd", "\"account\":\"id-7\""),
    ("whoami.label", "whoami.url = \"BASE/me\"", "whoami.label = \"their-name\"", "p login odd", "as Ann-7"),
    (
        "errors.status",
        "",
        "[[errors]]\nstatus = 403\nmeans = \"expired\"",
        "p login odd; call odd /fault",
        "grant_type=refresh_token",
    ),
    (
        "errors.code",
        "",
        "[[errors]]\ncode = \"row_code\"\nmeans = \"expired\"",
        "p login odd; call odd /fault",
        "grant_type=refresh_token",
    ),
    (
        "errors.match",
        "",
        "[[errors]]\nmatch = \"row is over\"\nmeans = \"expired\"",
        "p login odd; call odd /fault",
        "grant_type=refresh_token",
    ),
    (
        "errors.at",
        "[[errors]]\ncode = \"row_code\"\nmeans = \"expired\"",
        "[[errors]]\ncode = \"row_code\"\nmeans = \"expired\"\nat = \"token\"",
        "p login odd; call odd /fault",
        "!grant_type=refresh_token",
    ),
    (
        "errors.means",
        "[[errors]]\ncode = \"row_code\"\nmeans = \"expired\"",
        "[[errors]]\ncode = \"row_code\"\nmeans = \"scope\"",
        "p login odd; call odd /fault",
        "ask for more",
    ),
    (
        "limits.headers.limit",
        "limits.headers.remaining = \"X-Left\"",
        "limits.headers.limit = \"X-Most\"",
        "p login odd; call odd /x -v",
        "12 of 80 requests remain",
    ),
    (
        "limits.headers.remaining",
        "limits.headers.limit = \"X-Most\"",
        "limits.headers.remaining = \"X-Left\"",
        "p login odd; call odd /x -v",
        "12 of 80 requests remain",
    ),
    (
        "limits.headers.reset",
        "limits.headers.remaining = \"X-None\"",
        "limits.headers.reset = \"X-Reset\"",
        "p login odd; call odd /x; call odd /y -v",
        "the provider's limit on requests",
    ),
    (
        "limits.headers.retry-after",
        "",
        "limits.headers.retry-after = \"X-Wait\"",
        "p login odd; call odd /busy --retry 0",
        "in 33 s",
    ),
    (
        "limits.per-second",
        "",
        "limits.per-second = 1",
        "p login odd; call odd /x; call odd /y -v",
        "the provider's limit on requests",
    ),
    ("limits.per-day", "", "limits.per-day = 1", "p login odd; call odd /x; call odd /y", "call odd /y => 75"),
    ("notes", "", "notes = [\"a note of the row\"]", "provider show odd", "a note of the row"),
    ("addresses", "", "addresses = \"no_source\"", "provider list", "[your own]  [no source]"),
    ("sources", "", "sources = [\"https://source.example\"]", "provider show odd", "https://source.example"),
    ("checked", "", "checked = \"2026-01-02\"", "provider show odd", "2026-01-02"),
    ("not-verified", "", "not-verified = [\"a doubt of the row\"]", "provider show odd", "a doubt of the row"),
    (
        "grant-types",
        "",
        "grant-types = [\"authorization_code\"]",
        PLAIN,
        "does not list the grant `client-credentials`",
    ),
    ("par", "par-url = \"BASE/par\"", "par = true", "s login odd --no-browser", "POST /par"),
    ("par-url", "par = true", "par-url = \"BASE/par\"", "s login odd --no-browser", "POST /par"),
    (
        "request-object",
        "",
        "request-object = true",
        "s login odd --no-browser --client-key-file HOME/key.json",
        "&request=",
    ),
    (
        "registration-url",
        "# without: client-id",
        "registration-url = \"BASE/register\"",
        "register odd",
        "POST /register",
    ),
];

// endpoint, the address that both runs have, typed, a parameter
const ENDPOINTS: &[(&str, &str, &str, &str)] = &[
    ("token", "/token", "p login odd", "grant_type"),
    ("refresh", "/refresh", LATER, "grant_type"),
    ("device", "/start", "login odd --grant device-code", "client_id"),
    ("revoke", "/revoke", "p login odd; logout odd", "token"),
    ("client-credentials", "/cc", PLAIN, "grant_type"),
    ("introspect", "/introspect", "p login odd; introspect odd", "token"),
    ("ciba", "/start", "login odd --grant ciba --login-hint ann", "login_hint"),
];

/// Keys whose effect an own test sees.
const KEYS_ELSEWHERE: &[(&str, &str)] = &[
    ("assertion-audience", "tests/it/proofs.rs::a_client_proves_itself_by_its_key_anew_each_time"),
    ("authorize.state", "tests/it/typing.rs::what_is_not_kept_is_revoked_where_that_can_be_done"),
    ("callback.token-host-from", "tests/it/manners.rs::the_redirect_names_the_token_host_and_all_goes_there"),
    ("callback.token-host-allow", "tests/it/manners.rs::a_token_host_that_is_not_allowed_gets_nothing"),
    ("scopes.about", "tests/it/init.rs::scopes_are_chosen_by_what_they_allow"),
    ("errors.hint", "tests/it/teaching.rs::what_a_provider_says_is_explained_wherever_it_says_it"),
    ("hints-of", "tests/it/teaching.rs::hints_are_shared_by_name_and_a_rule_says_something"),
    ("id-token.jwks-uri", "tests/it/id_token.rs::a_server_that_names_no_keys_signs_nobody_in"),
    ("id-token.algorithms", "tests/it/every_option.rs::id_tokens_are_judged_by_the_providers_keys"),
    ("id-token.audiences", "tests/it/every_option.rs::id_tokens_are_judged_by_the_providers_keys"),
    ("id-token.issuer", "tests/it/every_option.rs::id_tokens_are_judged_by_the_providers_keys"),
    ("id-token.nonce", "tests/it/every_option.rs::id_tokens_are_judged_by_the_providers_keys"),
    ("redirect.paste", "tests/it/manners.rs::a_code_that_a_page_shows_is_pasted_alone"),
    ("limits.parallel", "tests/it/call_pages.rs::pages_side_by_side_come_in_order_and_together"),
];

const CC: &str = "token odd --grant client-credentials{}";
const SIGN_IN: &str = "s login odd --no-browser{}";
const BY_CIBA: &str = "login odd --grant ciba{}";
const EXCHANGE: &str =
    "token odd --grant token-exchange --subject-token-file HOME/token --actor-token-file HOME/token{}";
const CIBA: &str = "ciba.url = \"BASE/start\"";
const POST: &str = "token.auth = [\"post\"]";

// key, its line, its flag, lines of the provider, typed (the flag at `{}`), seen
type ProfileKey = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const PROFILE_KEYS: &[ProfileKey] = &[
    (
        "provider",
        "[profiles.new]\nprovider = \"odd\"",
        "--provider odd",
        "",
        "token new --grant client-credentials{}",
        "=> 0",
    ),
    (
        "environment",
        "environment = \"max\"",
        "--environment max",
        "environments.max.token.url = \"BASE/max\"",
        CC,
        "POST /max",
    ),
    ("vars.NAME", "vars.v = \"row\"", "--var v=row", "token.params.v = \"{v}\"\nvars.v.default = \"u\"", CC, "v=row"),
    (
        "grant",
        "grant = \"client-credentials\"",
        "--grant client-credentials",
        "",
        "token odd{}",
        "grant_type=client_credentials",
    ),
    ("client-id", "client-id = \"row-app\"", "--client-id row-app", POST, CC, "client_id=row-app"),
    (
        "redirect-uri",
        "redirect-uri = \"http://127.0.0.1:PORT/row\"",
        "--redirect-uri http://127.0.0.1:PORT/row",
        "",
        SIGN_IN,
        "%2Frow&",
    ),
    ("port", "port = PORT", "--port PORT", "", SIGN_IN, "127.0.0.1%3APORT%2F"),
    ("listen", "listen = \"0.0.0.0\"", "--listen 0.0.0.0", "", SIGN_IN, "can reach the listener at 0.0.0.0"),
    ("store", "store = \"file\"", "--store file", "", "p login odd{}", "!--- record\n{"),
    ("scopes", "scopes = [\"rd\"]", "--scope rd", "", CC, "scope=rd"),
    ("params.NAME", "params.row = \"1\"", "--param row=1", "", CC, "row=1"),
    ("auth", "auth = \"post\"", "--auth post", "", CC, "client_secret=env-secret"),
    ("dpop", "dpop = true", "--dpop", "", CC, "dpop: eyJ"),
    ("login-hint", "login-hint = \"ann\"", "--login-hint ann", "", SIGN_IN, "login_hint=ann"),
    ("prompt", "prompt = \"consent\"", "--prompt consent", "", SIGN_IN, "prompt=consent"),
    ("max-age", "max-age = 60", "--max-age 60", "", SIGN_IN, "max_age=60"),
    ("acr-values", "acr-values = \"row\"", "--acr-values row", "", SIGN_IN, "acr_values=row"),
    ("ui-locales", "ui-locales = \"de\"", "--ui-locales de", "", SIGN_IN, "ui_locales=de"),
    (
        "authorization-details",
        "authorization-details = '[{\"type\":\"row\"}]'",
        "--authorization-details [{\"type\":\"row\"}]",
        "",
        SIGN_IN,
        "authorization_details=",
    ),
    (
        "response-mode",
        "response-mode = \"form_post\"",
        "--response-mode form_post",
        "",
        SIGN_IN,
        "response_mode=form_post",
    ),
    ("par", "par = true", "--par", "par-url = \"BASE/par\"", SIGN_IN, "POST /par"),
    (
        "request-object",
        "request-object = true",
        "--request-object",
        "",
        "s login odd --no-browser --client-key-file HOME/key.json{}",
        "&request=",
    ),
    (
        "username",
        "username = \"ann\"",
        "--username ann",
        "",
        "login odd --grant password --password-file HOME/token{}",
        "username=ann",
    ),
    (
        "binding-message",
        "binding-message = \"row\"",
        "--binding-message row",
        CIBA,
        "login odd --grant ciba --login-hint ann{}",
        "binding_message=row",
    ),
    (
        "requested-expiry",
        "requested-expiry = 60",
        "--requested-expiry 60",
        CIBA,
        "login odd --grant ciba --login-hint ann{}",
        "requested_expiry=60",
    ),
    (
        "resource",
        "resource = [\"https://r.example\"]",
        "--resource https://r.example",
        "",
        CC,
        "resource=https%3A%2F%2Fr.example",
    ),
    ("audience", "audience = [\"row\"]", "--audience row", "", CC, "audience=row"),
    (
        "subject",
        "subject = \"row\"",
        "--subject row",
        "",
        "token odd --grant jwt-bearer --client-key-file HOME/key.json -v{}",
        "an assertion about `row`",
    ),
    (
        "assertion-issuer",
        "assertion-issuer = \"row\"",
        "--assertion-issuer row",
        "",
        "token odd --grant jwt-bearer --client-key-file HOME/key.json -v{}",
        "an assertion about `row`",
    ),
    (
        "subject-token-type",
        "subject-token-type = \"jwt\"",
        "--subject-token-type jwt",
        "",
        EXCHANGE,
        "subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt",
    ),
    (
        "subject-profile",
        "subject-profile = \"other\"",
        "--subject-profile other",
        "",
        "profile set other provider odd; profile set other grant client-credentials; token odd --grant token-exchange{}",
        "subject_token=access-1",
    ),
    (
        "actor-token-type",
        "actor-token-type = \"jwt\"",
        "--actor-token-type jwt",
        "",
        EXCHANGE,
        "actor_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt",
    ),
    (
        "requested-token-type",
        "requested-token-type = \"jwt\"",
        "--requested-token-type jwt",
        "",
        EXCHANGE,
        "requested_token_type=",
    ),
];

// key of a secret with `.file`, `.env` and `.command`, the file, lines of the provider, typed, seen
const SOURCES: &[(&str, &str, &str, &str, &str)] = &[
    ("client-secret", "secret", POST, CC, "client_secret=eyJ"),
    ("client-key", "key.json", "token.auth = [\"private_key_jwt\"]", CC, "client_assertion=eyJ"),
    ("password", "jwt", "", "login odd --grant password --username ann{}", "password=eyJ"),
    ("id-token-hint", "jwt", CIBA, BY_CIBA, "id_token_hint=eyJ"),
    ("login-hint-token", "jwt", CIBA, BY_CIBA, "login_hint_token=eyJ"),
    ("assertion", "jwt", "", "token odd --grant jwt-bearer{}", "assertion=eyJ"),
    ("subject-token", "jwt", "", "token odd --grant token-exchange{}", "subject_token=eyJ"),
    ("actor-token", "jwt", "", "token odd --grant token-exchange --subject-token-file HOME/token{}", "actor_token=eyJ"),
];

const PROFILE_KEYS_ELSEWHERE: &[(&str, &str)] = &[
    ("browser", "tests/it/login.rs::a_profile_has_a_browser_of_its_own"),
    ("helper-hosts", "tests/it/helper.rs::git_gets_the_token_for_the_api_and_for_the_hosts_that_the_profile_names"),
    (
        "allow-private",
        "tests/it/id_token.rs::a_document_that_leads_to_this_networks_own_services_is_refused_unless_that_is_allowed",
    ),
    ("earlier-client-secret.command", "tests/it/two_secrets.rs::the_configuration_may_name_two_client_secrets"),
    ("earlier-client-secret.env", "tests/it/two_secrets.rs::the_configuration_may_name_two_client_secrets"),
    ("earlier-client-secret.file", "tests/it/two_secrets.rs::the_configuration_may_name_two_client_secrets"),
    ("maximum-age", "tests/it/refresh.rs::a_profile_may_end_a_token_before_its_server_does"),
    ("client-certificate", "tests/real/bound.py::a_client_shows_the_certificate_that_it_made_itself"),
    ("assertion-audience", "tests/it/proofs.rs::a_client_proves_itself_by_its_key_anew_each_time"),
    ("client-key-id", "tests/it/every_option.rs::the_kid_of_the_configuration_is_in_an_assertion"),
    ("client-key-algorithm", "tests/it/proofs.rs::keys_of_the_configuration_are_read_strictly"),
];

// command, option and its value, lines of the provider, typed (the option at `{}`), seen
type Flag = (&'static str, &'static str, &'static str, &'static str, &'static str);

const FLAGS: &[Flag] = &[
    ("", "--quiet", "", "b login odd{}", "!Signed in"),
    ("", "--verbose", "", CC, "> POST"),
    ("", "--error-format json", "", "token odd{}", "{\"error\""),
    ("login", "--explain", "", "b login odd{}", "RFC 6749, section 4.1.1"),
    ("token", "--format json", "", CC, "\"expires_in\":3600"),
    ("token", "--min-ttl 2h", "", "p login odd; token odd{}", "grant_type=refresh_token"),
    ("token", "--force-refresh", "", "p login odd; token odd{}", "grant_type=refresh_token"),
    ("token", "--no-refresh", "", "p login odd; later 4000; token odd{}", "!grant_type=refresh_token"),
    ("token", "--explain", "", CC, "RFC 6749"),
    (
        "whoami",
        "--format json",
        "whoami = { url = \"BASE/me\", label = \"their-name\" }",
        "p login odd; whoami odd{}",
        "\"token\":\"works\"",
    ),
    (
        "introspect",
        "--refresh-token",
        "introspect.url = \"BASE/introspect\"",
        "p login odd; introspect odd{}",
        "token=refresh-1",
    ),
    (
        "introspect",
        "--signed",
        "introspect.url = \"BASE/introspect\"",
        "p login odd; introspect odd{}",
        "application/token-introspection+jwt",
    ),
    ("inspect", "--format json", "", "inspect eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb3cifQ.c2ln{}", "{\"alg\""),
    (
        "register",
        "--name row",
        "# without: client-id\nregistration-url = \"BASE/register\"",
        "register odd{}",
        "\"client_name\":\"row\"",
    ),
    (
        "register",
        "--redirect-uri http://127.0.0.1:PORT/row",
        "# without: client-id\nregistration-url = \"BASE/register\"",
        "register odd{}",
        "http://127.0.0.1:PORT/row",
    ),
    (
        "register",
        "--port PORT",
        "# without: client-id\nregistration-url = \"BASE/register\"",
        "register odd{}",
        "127.0.0.1:PORT/",
    ),
    (
        "register",
        "--initial-access-token-file HOME/token",
        "# without: client-id\nregistration-url = \"BASE/register\"",
        "register odd{}",
        "authorization: Bearer file-token",
    ),
    ("login", "--add-scope wr", "scopes.default = [\"rd\"]", "s login odd --no-browser{}", "scope=rd%20wr"),
    ("login", "--preset most", "scopes.presets.most = [\"rd\"]", "s login odd --no-browser{}", "scope=rd"),
    (
        "login",
        "--register",
        "# without: client-id\nregistration-url = \"BASE/register\"",
        "s login odd --no-browser{}",
        "POST /register",
    ),
    ("doctor", "--registered http://row.example/x", "", "p login odd; doctor odd{}", "they differ at byte"),
    (
        "provider check",
        "--environment row",
        "environments.row.name = \"Row\"\nenvironments.row.token.url = \"BASE/row\"",
        "provider check odd{}",
        "GET /row",
    ),
    (
        "provider check",
        "--var v=abc",
        "token.url = \"BASE/{v}\"\nvars.v.prompt = \"V?\"",
        "provider check odd{}",
        "GET /abc",
    ),
    ("logout", "--local-only", "revoke.url = \"BASE/revoke\"", "p login odd; logout odd{}", "!POST /revoke"),
    ("list", "--format json", "", "p login odd; list{}", "\"profile\""),
    ("status", "--format json", "", "p login odd; status odd{}", "\"profile\""),
    ("provider list", "--format json", "", "provider list{}", "\"own\":"),
    ("provider list", "--json", "", "provider list{}", "\"own\":"),
    (
        "provider show",
        "--environment max",
        "environments.max.name = \"Row Max\"",
        "provider show odd{}",
        "\nname = \"Row Max\"",
    ),
    (
        "provider test",
        "--environment max",
        "environments.max.token.auth = [\"private_key_jwt\"]",
        "provider test odd{}",
        "prove themselves by a key",
    ),
    ("call", "--method DELETE", "", "p login odd; call odd /x{}", "DELETE /api/x"),
    ("call", "--header X-Row:1", "", "p login odd; call odd /x{}", "x-row: 1"),
    ("call", "--data row=1", "", "p login odd; call odd /x{}", "row=1"),
    ("call", "--input HOME/body", "", "p login odd; call odd /x{}", "file-body"),
    ("call", "--form", "", "p login odd; call odd /x a=b{}", "\na=b\n"),
    ("call", "--json", "", "p login odd; call odd POST /x{}", "\n{}\n"),
    ("call", "--anywhere", "", "p login odd; call odd LOCAL/y{}", "GET /y"),
    ("call", "--cache 5m", "", "p login odd; call odd /x{}; call odd /x -v{}", "answered by what is kept"),
    ("call", "--retry 0", "", "p login odd; call odd /busy -v{}", "!attempt 2"),
    ("call", "--timeout 1s", "", "p login odd; call odd /slow --retry 0{}", "=> 75"),
    ("call", "--max-time 1s", "", "p login odd; call odd /slow --retry 0{}", "=> 75"),
    ("call", "--include", "", "p login odd; call odd /x{}", "HTTP/1.1 200"),
    ("call", "--head", "", "p login odd; call odd /x{}", "HEAD /api/x"),
    ("call", "--output HOME/out", "", "p login odd; call odd /x{}", "!\"age\""),
    ("call", "--jq .age", "", "p login odd; call odd /x{}", "=> 0\n7\n"),
    ("call", "--arg x row", "", "p login odd; call odd /x --jq $x{}", "\"row\""),
    ("call", "--argjson x 17", "", "p login odd; call odd /x --jq $x{}", "=> 0\n17\n"),
    ("call", "--raw-output", "", "p login odd; call odd /x --jq .name{}", "\nAnn\n"),
    ("call", "--format yaml", "", "p login odd; call odd /x{}", "name: Ann"),
    ("call", "--pretty", "", "p login odd; call odd /x{}", "{\n  \"name\""),
    ("call", "--color", "", "p login odd; call odd /x{}", "\u{1b}["),
    ("call", "--fail-with-body", "", "p login odd; call odd /fault --jq .error{}", "\"}error: the API"),
    ("call", "--graphql", "", "p login odd; call odd /graphql{}", "=> 22"),
    (
        "call",
        "--paginate",
        "api.pages.by = \"page\"\napi.pages.items = \"items\"",
        "p login odd; call odd /list{}",
        "GET /api/list?page=2",
    ),
    (
        "call",
        "--slurp",
        "api.pages.by = \"page\"\napi.pages.items = \"items\"",
        "p login odd; call odd /list --paginate{}",
        "=> 0\n[",
    ),
    (
        "call",
        "--limit 1",
        "api.pages.by = \"page\"\napi.pages.items = \"items\"",
        "p login odd; call odd /list --paginate{}",
        "!page=2",
    ),
    ("call", "--dry-run", "", "p login odd; call odd /x{}", "curl"),
];

const FLAGS_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("PROFILE", "--client-certificate", "tests/real/bound.py::a_client_shows_the_certificate_that_it_made_itself"),
    ("", "--no-cache", "tests/it/token.rs::a_token_that_nobody_reads_is_an_error"),
    ("login", "--no-browser", "tests/it/bad_input.rs::ctrl_c"),
    ("login", "--timeout", "tests/it/environment.rs::no_input_is_said_as_ci_is"),
    ("login", "--yes", "tests/it/login.rs::a_sign_in_without_a_state_is_kept_unasked_only_by_a_flag"),
    ("login", "--no-register", "tests/it/every_option.rs::no_register_asks_no_question"),
    ("token", "--user", "tests/it/token.rs::each_format_is_printed_whole"),
    ("token", "--template", "tests/it/token.rs::a_template_has_the_members_of_the_json_form_and_no_gap"),
    ("token", "--server", "tests/it/token.rs::each_format_is_printed_whole"),
    (
        "helper cargo",
        "--cargo-plugin",
        "tests/it/helper.rs::cargo_gets_the_whole_header_and_is_told_what_is_not_for_it",
    ),
    ("export", "--to", "tests/it/import.rs::a_login_goes_to_another_machine_and_is_renewed_there_alone"),
    ("import", "--profile", "tests/it/import.rs::a_refresh_token_becomes_a_login_and_is_spent_once"),
    ("provider add", "--issuer", "tests/it/provider_add.rs::nothing_is_written_over_and_nothing_wrong_is_written"),
    (
        "provider add",
        "--authorize-url",
        "tests/it/provider_add.rs::a_provider_is_written_from_endpoints_and_can_be_logged_in_to",
    ),
    (
        "provider add",
        "--token-url",
        "tests/it/provider_add.rs::a_provider_is_written_from_endpoints_and_can_be_logged_in_to",
    ),
    (
        "provider add",
        "--device-url",
        "tests/it/provider_add.rs::a_provider_is_written_from_endpoints_and_can_be_logged_in_to",
    ),
    (
        "provider add",
        "--revoke-url",
        "tests/it/provider_add.rs::a_provider_is_written_from_endpoints_and_can_be_logged_in_to",
    ),
    (
        "provider add",
        "--api-url",
        "tests/it/provider_add.rs::a_provider_is_written_from_endpoints_and_can_be_logged_in_to",
    ),
    (
        "provider add",
        "--scope",
        "tests/it/provider_add.rs::a_provider_is_written_from_endpoints_and_can_be_logged_in_to",
    ),
    ("provider add", "--extends", "tests/it/provider_add.rs::nothing_is_written_over_and_nothing_wrong_is_written"),
    ("provider add", "--openapi", "tests/it/provider_add.rs::an_openapi_document_tells_the_endpoints"),
    ("TOKEN", "--scope", "tests/it/variant.rs::a_command_and_a_helper_get_another_token_by_the_same_flags"),
    ("TOKEN", "--resource", "tests/it/variant.rs::a_command_and_a_helper_get_another_token_by_the_same_flags"),
    ("TOKEN", "--audience", "tests/it/variant.rs::a_command_and_a_helper_get_another_token_by_the_same_flags"),
    ("run", "--id-token", "tests/it/run.rs::a_command_gets_each_token_in_the_variable_that_is_meant"),
    ("token", "--id-token", "tests/it/id_token.rs::the_id_token_is_printed_and_refreshed_as_the_access_token_is"),
    ("token", "--method", "tests/it/proofs.rs::a_bound_token_says_what_it_needs_beside_it"),
    ("token", "--url", "tests/it/proofs.rs::a_bound_token_says_what_it_needs_beside_it"),
    ("token", "--nonce", "tests/it/proofs.rs::a_bound_token_says_what_it_needs_beside_it"),
    ("refresh", "--due", "tests/real/vault.py::readers_read_the_access_token_and_nothing_else"),
    ("refresh", "--all", "tests/it/refresh.rs::all_renews_every_profile_and_tells_of_each"),
    ("logout", "--all", "tests/it/logout.rs::all_logs_out_everywhere"),
    ("provider test", "--all", "tests/it/provider.rs::every_built_in_provider_passes_its_trial"),
    (
        "inspect",
        "--id-token",
        "tests/it/identity.rs::inspect_decodes_a_token_verifies_it_by_the_kept_keys_and_sends_it_nowhere",
    ),
    (
        "inspect",
        "--signed-for",
        "tests/it/identity.rs::inspect_decodes_a_token_verifies_it_by_the_kept_keys_and_sends_it_nowhere",
    ),
    ("register", "--show", "tests/it/register.rs::a_public_issuer_needs_no_console"),
    ("register", "--update", "tests/it/register.rs::what_registering_leaves_and_what_it_takes_away"),
    ("register", "--delete", "tests/it/register.rs::what_registering_leaves_and_what_it_takes_away"),
    ("status", "--check", "tests/it/manners.rs::the_end_of_a_login_is_shown_and_warned_of"),
    ("store test", "--profile", "tests/real/vault.py::a_job_signs_in_to_the_engine_as_itself"),
    ("store audit", "--format", "tests/it/store.rs::an_audit_finds_what_should_not_be_there_and_says_what_to_do"),
    (
        "store unlock",
        "--for",
        "tests/it/store.rs::an_unlocked_store_opens_without_the_passphrase_until_its_time_is_over",
    ),
    ("status", "--within", "tests/it/manners.rs::the_end_of_a_login_is_shown_and_warned_of"),
    ("profile set-secret", "--var", "tests/it/profile.rs::a_secret_variable_is_kept_in_the_store_and_shown_nowhere"),
    (
        "helper git",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper git",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper docker",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper docker",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper cargo",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper cargo",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper kubectl",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper kubectl",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper goauth",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper goauth",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper keyring",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper keyring",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper pnpm",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper pnpm",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper terraform",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper terraform",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper bazel",
        "--profile",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper bazel",
        "--id-token",
        "tests/it/helper.rs::each_helper_gives_the_id_token_of_a_profile_where_that_is_asked_for",
    ),
    (
        "helper git",
        "--username",
        "tests/it/helper.rs::git_gets_the_token_for_the_api_and_for_the_hosts_that_the_profile_names",
    ),
    (
        "helper docker",
        "--username",
        "tests/it/helper.rs::docker_gets_the_token_in_its_own_form_and_words_that_it_knows_for_none",
    ),
    (
        "helper kubectl",
        "--access-token",
        "tests/it/helper.rs::kubectl_gets_the_id_token_for_the_cluster_that_the_profile_names",
    ),
    ("helper google", "--profile", "tests/it/helper_cloud.rs::google_gets_one_object_and_nothing_else"),
    ("helper google", "--id-token", "tests/it/helper_cloud.rs::google_gets_one_object_and_nothing_else"),
    ("helper google", "--access-token", "tests/it/helper_cloud.rs::google_gets_one_object_and_nothing_else"),
    ("helper aws", "--profile", "tests/it/helper_cloud.rs::aws_gets_the_keys_of_a_role"),
    ("helper aws", "--id-token", "tests/it/helper_cloud.rs::aws_gets_the_keys_of_a_role"),
    ("helper aws", "--access-token", "tests/it/helper_cloud.rs::aws_gets_the_keys_of_a_role"),
    ("helper aws", "--role-arn", "tests/it/helper_cloud.rs::aws_gets_the_keys_of_a_role"),
    ("helper aws", "--region", "tests/it/helper_cloud.rs::aws_gets_the_keys_of_a_role"),
    ("helper aws", "--endpoint-url", "tests/it/helper_cloud.rs::aws_gets_the_keys_of_a_role"),
    ("helper aws", "--session-name", "tests/it/helper_cloud.rs::aws_gets_the_keys_of_a_role"),
    ("helper aws", "--duration", "tests/it/helper_cloud.rs::aws_gets_the_keys_of_a_role"),
    ("helper systemd", "--id-token", "tests/it/helper.rs::systemd_gets_the_token_that_stands_beside_its_credential"),
    ("helper keyring", "--username", "tests/it/helper.rs::pip_and_uv_and_pnpm_get_the_token_for_their_index"),
    ("helper keyring", "--mode", "tests/it/helper.rs::pip_and_uv_and_pnpm_get_the_token_for_their_index"),
    ("helper keyring", "--output", "tests/it/helper.rs::pip_and_uv_and_pnpm_get_the_token_for_their_index"),
    ("helper install", "--profile", "tests/it/helper_install.rs::each_helper_is_written_and_taken_back_byte_for_byte"),
    (
        "helper install",
        "--host",
        "tests/it/helper_install.rs::no_helper_is_installed_for_a_host_that_is_not_the_profiles",
    ),
    ("helper install", "--yes", "tests/it/helper_install.rs::each_helper_is_written_and_taken_back_byte_for_byte"),
    (
        "helper uninstall",
        "--profile",
        "tests/it/helper_install.rs::a_tool_has_helpers_for_several_hosts_and_profiles_and_each_goes_by_itself",
    ),
    (
        "helper uninstall",
        "--host",
        "tests/it/helper_install.rs::a_tool_has_helpers_for_several_hosts_and_profiles_and_each_goes_by_itself",
    ),
    ("helper uninstall", "--yes", "tests/it/helper_install.rs::each_helper_is_written_and_taken_back_byte_for_byte"),
    ("helper list", "--format", "tests/it/helper_install.rs::each_helper_is_written_and_taken_back_byte_for_byte"),
    ("run", "--env", "tests/it/run.rs::a_command_gets_each_token_in_the_variable_that_is_meant"),
    ("run", "--fd", "tests/real/proxy.py::a_command_reads_the_token_from_a_descriptor"),
    ("run", "--file", "tests/real/proxy.py::a_token_file_is_whole_at_each_moment_and_fresh"),
    ("run", "--proxy", "tests/real/proxy.py::a_command_gets_an_address_and_a_file_and_never_the_token"),
    ("run", "--allow", "tests/real/proxy.py::a_command_gets_an_address_and_a_file_and_never_the_token"),
    ("registry add", "--name", "tests/real/registry.py::an_update_shows_the_difference"),
    ("registry add", "--commit", "tests/real/registry.py::an_update_shows_the_difference"),
    ("registry add", "--yes", "tests/real/registry.py::an_update_shows_the_difference"),
    ("registry update", "--commit", "tests/real/registry.py::an_update_shows_the_difference"),
    ("registry update", "--yes", "tests/real/registry.py::an_update_shows_the_difference"),
    ("lend", "--socket", "tests/real/lend.py::an_unsafe_place_is_refused"),
    ("lend", "--confirm", "tests/real/lend.py::each_request_is_asked_at_the_terminal"),
    ("lend", "--for", "tests/real/lend.py::it_ends_after_its_time"),
    ("proxy", "--port", "tests/real/proxy.py::the_proxy_speaks_to_nginx_over_tls"),
    ("proxy", "--allow", "tests/real/proxy.py::rules_let_their_methods_and_paths_pass_alone"),
    ("run", "--min-ttl", "tests/it/run.rs::a_command_gets_each_token_in_the_variable_that_is_meant"),
    ("call", "--parallel", "tests/it/call_pages.rs::a_token_that_expires_in_the_middle_is_renewed"),
    ("sandbox serve", "--as", "tests/it/every_option.rs::a_practice_server_serves_as_it_is_told"),
    ("sandbox serve", "--port", "tests/it/every_option.rs::a_practice_server_serves_as_it_is_told"),
    ("sandbox serve", "--redirect-uri", "tests/it/every_option.rs::a_practice_server_serves_as_it_is_told"),
    ("sandbox serve", "--access-life", "tests/it/every_option.rs::a_practice_server_serves_as_it_is_told"),
    (
        "sandbox serve",
        "--claims-only",
        "tests/real/providers.py::constant_contact_comes_back_over_https_with_a_certificate_made_on_the_spot",
    ),
    ("sandbox serve", "--latency", "tests/it/every_option.rs::a_practice_server_serves_as_it_is_told"),
];

// variable, value, lines of the provider, typed, seen
const VARIABLES: &[(&str, &str, &str, &str, &str)] = &[
    ("OAUTHCTL_CLIENT_ID", "row-app", POST, PLAIN, "client_id=row-app"),
    ("OAUTHCTL_<PROFILE>_CLIENT_ID", "row-app", POST, PLAIN, "client_id=row-app"),
    (
        "OAUTHCTL_CLIENT_SECRET",
        "row-secret",
        POST,
        "token new --provider odd --grant client-credentials",
        "client_secret=row-secret",
    ),
    ("OAUTHCTL_CLIENT_KEY_FILE", "HOME/key.json", "token.auth = [\"private_key_jwt\"]", PLAIN, "client_assertion="),
    ("OAUTHCTL_GRANT", "client-credentials", "", "token odd", "grant_type=client_credentials"),
    ("OAUTHCTL_SCOPE", "aa bb", "", PLAIN, "scope=aa+bb"),
    ("OAUTHCTL_<PROFILE>_TOKEN", "row-token", "", "token odd", "row-token"),
    ("OAUTHCTL_PROFILE", "odd", "", "token --grant client-credentials", "grant_type=client_credentials"),
    ("OAUTHCTL_STORE", "file", "", "p login odd", "!--- record\n{"),
    ("OAUTHCTL_NO_INPUT", "1", "", "s login odd", "Sign in to Odd"),
    ("CI", "true", "", "s login odd", "Sign in to Odd"),
    ("OAUTHCTL_CONFIG_DIR", "HOME/elsewhere", "", PLAIN, "!grant_type=client_credentials"),
    ("OAUTHCTL_STATE_DIR", "HOME/elsewhere", "", "p login odd --store file; status odd", "HOME/elsewhere"),
    ("OAUTHCTL_STORE_PASSPHRASE", "row", "", "p login odd --store file", "passphrase"),
    ("OAUTHCTL_STORE_PASSPHRASE_FILE", "HOME/token", "", "p login odd --store file", "passphrase"),
    ("BROWSER", "firefox", "", "doctor", "BROWSER names `firefox`"),
    ("RCLONE_CONFIG", "HOME/row.conf", "", "import rclone", "HOME/row.conf"),
    ("GH_CONFIG_DIR", "HOME/row", "", "import gh", "HOME/row"),
    ("ORTIE_CONFIG", "HOME/row.toml", "", "import ortie", "HOME/row.toml"),
];

const VARIABLES_ELSEWHERE: &[(&str, &str)] = &[
    (
        "OAUTHCTL_PRACTICE",
        "tests/it/sandbox.rs::inside_sandbox_run_every_command_says_on_a_terminal_that_it_is_practice",
    ),
    ("BAO_ADDR", "tests/real/vault.py::a_fresh_token_over_tls_is_not_slower_than_the_engines_own_program"),
    ("VAULT_ADDR", "tests/real/vault.py::a_job_signs_in_to_the_engine_as_itself"),
    ("HTTPS_PROXY", "tests/real/hostile.py::each_variable_decides_what_goes_through_a_proxy"),
    ("HTTP_PROXY", "tests/real/hostile.py::each_variable_decides_what_goes_through_a_proxy"),
    ("NO_PROXY", "tests/real/hostile.py::each_variable_decides_what_goes_through_a_proxy"),
    ("ALL_PROXY", "tests/real/hostile.py::each_variable_decides_what_goes_through_a_proxy"),
    ("OAUTHCTL_CLIENT_CERTIFICATE", "tests/real/bound.py::a_client_shows_the_certificate_that_it_made_itself"),
    ("OAUTHCTL_SOCKET", "tests/real/lend.py::the_borrowers_own_login_is_left_alone"),
    ("SSH_ASKPASS", "tests/real/lend.py::without_a_terminal_the_askpass_program_is_asked"),
    ("NO_COLOR", "tests/it/call_answer.rs::on_a_screen_json_is_pretty_and_nothing_acts"),
    ("SSL_CERT_FILE", "tests/it/doctor.rs::authorities_that_are_said_to_be_where_there_are_none_are_told"),
    ("SSL_CERT_DIR", "tests/it/doctor.rs::authorities_that_are_said_to_be_where_there_are_none_are_told"),
    ("SSH_CONNECTION", "tests/it/login.rs::ssh_is_known_by_each_of_its_variables_and_a_script_is_not_told_to_paste"),
    ("SSH_CLIENT", "tests/it/login.rs::ssh_is_known_by_each_of_its_variables_and_a_script_is_not_told_to_paste"),
    ("SSH_TTY", "tests/it/login.rs::ssh_is_known_by_each_of_its_variables_and_a_script_is_not_told_to_paste"),
    ("DISPLAY", "tests/it/login.rs::ssh_is_known_by_each_of_its_variables_and_a_script_is_not_told_to_paste"),
    ("WAYLAND_DISPLAY", "tests/it/login.rs::ssh_is_known_by_each_of_its_variables_and_a_script_is_not_told_to_paste"),
    ("DBUS_SESSION_BUS_ADDRESS", "tests/real/storm.py::a_bus_by_another_path_is_the_same_keychain"),
    ("XDG_RUNTIME_DIR", "tests/real/storm.py::homes_that_share_a_keychain_share_the_lock"),
    ("TERM", "tests/it/call_answer.rs::on_a_screen_json_is_pretty_and_nothing_acts"),
    ("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", "tests/it/helper_cloud.rs::google_gets_one_object_and_nothing_else"),
    ("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", "tests/it/helper_cloud.rs::google_gets_one_object_and_nothing_else"),
    ("GOOGLE_EXTERNAL_ACCOUNT_REVOKE", "tests/it/helper_cloud.rs::google_gets_one_object_and_nothing_else"),
    ("GIT_CONFIG_GLOBAL", "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names"),
    ("DOCKER_CONFIG", "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names"),
    ("CARGO_HOME", "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names"),
    ("KUBECONFIG", "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names"),
    ("GOENV", "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names"),
    ("NPM_CONFIG_USERCONFIG", "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names"),
    ("TF_CLI_CONFIG_FILE", "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names"),
    ("AWS_CONFIG_FILE", "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names"),
    (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "tests/it/helper_install.rs::the_file_is_the_one_that_the_tools_own_variable_names",
    ),
    ("PATH", "tests/it/helper_install.rs::whole_files_of_a_helper_replace_no_other"),
    ("KUBERNETES_EXEC_INFO", "tests/it/token.rs::each_format_is_printed_whole"),
    ("GITHUB_ACTIONS", "tests/it/token.rs::github_masks_the_token_before_it_is_printed"),
];

#[test]
fn every_key_of_a_provider_has_a_row() {
    let keys = crate::schema::keys();
    // a table's keys have rows of their own
    let leaves = keys.iter().filter(|key| !keys.iter().any(|other| other.starts_with(&format!("{key}."))));
    let of_endpoints = ENDPOINTS.iter().flat_map(|(endpoint, ..)| {
        ["url", "method", "auth", "params-in", "params", "rename", "headers", "ok-status"]
            .map(|key| format!("{endpoint}.{key}"))
    });
    let rows = KEYS.iter().map(|row| row.0.to_owned()).chain(KEYS_ELSEWHERE.iter().map(|(key, _)| (*key).to_owned()));
    complete(leaves.cloned(), rows.chain(of_endpoints));
    for (key, _, set, ..) in KEYS {
        let last = key.rsplit('.').next().unwrap();
        assert!(set.contains(last) || *key == "environments", "the row of `{key}` does not set it");
    }
}

#[test]
fn every_key_of_a_provider_is_seen() {
    all(KEYS, |(key, given, set, lines, sees)| {
        Run::of(&[given, set], "", lines).shows(Run::of(&[given], "", lines), key, sees)
    });
}

#[test]
fn every_key_of_an_endpoint_is_seen() {
    let mut rows = Vec::new();
    for (endpoint, path, lines, param) in ENDPOINTS {
        let last = lines.rsplit("; ").next().unwrap().trim_start_matches("p ");
        for (key, value, sees) in [
            ("url", "\"BASE/other\"", "/other\n".to_owned()),
            ("method", "\"PUT\"", format!("PUT {path}\n")),
            ("auth", "[\"post\"]", "client_secret=env-secret".to_owned()),
            ("params-in", "\"json\"", "content-type: application/json".to_owned()),
            ("params", "{ row = \"1\" }", "row=1".to_owned()),
            ("rename", &format!("{{ {param} = \"renamed\" }}"), "renamed=".to_owned()),
            ("headers", "{ X-Row = \"1\" }", "x-row: 1".to_owned()),
            ("ok-status", if *endpoint == "revoke" { "[404]" } else { "[299]" }, format!("{last} => 0")),
        ] {
            let path = match key {
                "ok-status" => format!("/s{}{path}", value.trim_matches(['[', ']'])),
                _ => (*path).to_owned(),
            };
            rows.push((*endpoint, *lines, key, value.to_owned(), path, sees));
        }
    }
    let rows: Vec<&_> = rows.iter().collect();
    all(&rows, |(endpoint, lines, key, value, path, sees)| {
        let address = format!("{endpoint}.url = \"BASE{path}\"");
        let given = if *key == "url" { "" } else { &address };
        let set = format!("{endpoint}.{key} = {value}");
        let name = format!("{endpoint}.{key}");
        Run::of(&[given, &set], "", lines).shows(Run::of(&[given], "", lines), &name, sees)
    });
}

#[test]
fn every_key_of_a_profile_has_a_row() {
    let sources = SOURCES.iter().flat_map(|(key, ..)| [".command", ".file", ".env"].map(|part| format!("{key}{part}")));
    let rows = PROFILE_KEYS.iter().map(|row| row.0).chain(PROFILE_KEYS_ELSEWHERE.iter().map(|row| row.0));
    complete(oauthctl::config::profile_keys(), rows.map(str::to_owned).chain(sources));
}

#[test]
fn every_key_of_a_profile_and_its_flag_are_seen() {
    all(PROFILE_KEYS, |(key, line, flag, given, typed, sees)| {
        let usual = || Run::of(&[given], "", &typed.replace("{}", ""));
        // these are for one command
        if !matches!(key, "binding-message") {
            Run::of(&[given], line, &typed.replace("{}", "")).shows(usual(), key, sees)?;
        }
        Run::of(&[given], "", &typed.replace("{}", &format!(" {flag}"))).shows(usual(), flag, sees)
    });
}

#[test]
fn every_source_of_a_secret_is_seen() {
    let with = |key: &str, part: &str, value: &str| format!("{key}.{part} = {value}");
    all(SOURCES, |(key, file, given, typed, sees)| {
        let usual = || Run::of(&[given], "", &typed.replace("{}", ""));
        for line in [
            with(key, "file", &format!("\"HOME/{file}\"")),
            with(key, "env", if key == "client-key" { "\"ROW_KEY\"" } else { "\"ROW_SECRET\"" }),
            with(key, "command", if key == "client-key" { "[\"row-key\"]" } else { "[\"row-secret\"]" }),
        ] {
            Run::of(&[given], &line, &typed.replace("{}", "")).shows(usual(), &line, sees)?;
        }
        let flag = format!(" --{key}-file HOME/{file}");
        Run::of(&[given], "", &typed.replace("{}", &flag)).shows(usual(), &flag, sees)
    });
}

/// The options of each command, those that make a profile once: `("call", "--jq")`; and those for
/// another token of a login once. `init` has those of `login`.
fn options() -> BTreeSet<(String, String)> {
    fn below(command: &clap::Command, path: &str, of_profile: &BTreeSet<String>, out: &mut BTreeSet<(String, String)>) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "init") {
            let path = format!("{path} {}", sub.get_name()).trim().to_owned();
            let has_profile = sub.get_arguments().any(|arg| arg.get_long() == Some("client-id"));
            for (arg, long) in sub.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?))) {
                let long = format!("--{long}");
                if has_profile && of_profile.contains(&long) {
                    continue;
                }
                let path = if arg.get_help_heading() == Some("Token") { "TOKEN" } else { &path };
                out.insert((path.to_owned(), long));
            }
            below(sub, &path, of_profile, out);
        }
    }
    let root = oauthctl::command::definition();
    let token = root.find_subcommand("token").expect("a command");
    let headed = |arg: &&clap::Arg| matches!(arg.get_help_heading(), Some("Profile" | "Client" | "Token" | "Grants"));
    let of_profile =
        token.get_arguments().filter(headed).filter_map(|arg| arg.get_long()).map(|long| format!("--{long}"));
    let of_profile: BTreeSet<String> = of_profile.collect();
    let mut out: BTreeSet<(String, String)> = root
        .get_arguments()
        .filter_map(|arg| arg.get_long())
        .map(|long| (String::new(), format!("--{long}")))
        .chain(of_profile.iter().map(|long| ("PROFILE".to_owned(), long.clone())))
        .collect();
    below(&root, "", &of_profile, &mut out);
    out
}

#[test]
fn every_option_of_every_command_has_a_row() {
    let first = |flag: &str| flag.split(' ').next().unwrap_or_default().to_owned();
    let own = FLAGS.iter().map(|(command, flag, ..)| ((*command).to_owned(), first(flag)));
    let elsewhere = FLAGS_ELSEWHERE.iter().map(|(command, flag, _)| ((*command).to_owned(), (*flag).to_owned()));
    let of_keys =
        PROFILE_KEYS.iter().map(|row| first(row.2)).chain(SOURCES.iter().map(|row| format!("--{}-file", row.0)));
    let of_keys: BTreeSet<String> =
        of_keys.chain(["--allow-private", "--assertion-audience"].map(str::to_owned)).collect();
    let known: BTreeSet<(String, String)> = own.chain(elsewhere).collect();
    let options = options();
    // a flag of a profile's key has that key's row
    let is_of_key =
        |(command, flag): &&(String, String)| (command == "PROFILE" || command == "login") && of_keys.contains(flag);
    let words = |(command, flag): &(String, String)| format!("{command} {flag}");
    let needed = options.iter().filter(|option| !is_of_key(option)).map(words);
    complete(needed, known.iter().filter(|option| !is_of_key(option)).map(words));
}

#[test]
fn every_option_is_seen() {
    all(FLAGS, |(command, flag, given, typed, sees)| {
        let run = |flag: &str| Run::of(&[given], "", &typed.replace("{}", flag));
        run(&format!(" {flag}")).shows(run(""), &format!("{command} {flag}"), sees)
    });
}

#[test]
fn what_is_seen_elsewhere_is() {
    all(KEYS_ELSEWHERE, |(key, test)| names(test, key.rsplit('.').next().unwrap()));
    all(PROFILE_KEYS_ELSEWHERE, |(key, test)| names(test, key));
    all(FLAGS_ELSEWHERE, |(_, flag, test)| names(test, flag));
    all(VARIABLES_ELSEWHERE, |(variable, test)| names(test, variable));
}

#[test]
fn every_variable_has_a_row() {
    let topic = include_str!("../../src/command/topics/configuration.md");
    let named = |text: &str| -> Vec<String> {
        let words = text.split('`').skip(1).step_by(2).map(str::trim);
        let is_name = |word: &&str| {
            word.len() > 1
                && !word.starts_with('<')
                && word.chars().all(|c| c.is_ascii_uppercase() || matches!(c, '_' | '<' | '>'))
        };
        words.filter(is_name).map(str::to_owned).collect()
    };
    let of_topic = named(topic.split("## Variables").nth(1).expect("the variables"));
    let read = crate::house::sources();
    let read = read.iter().map(|(_, text)| text.split("#[cfg(test)]").next().unwrap());
    let read = read.flat_map(|text| text.split('"').filter(|word| word.starts_with("OAUTHCTL_")).map(str::to_owned));
    let is_whole = |name: &String| name.chars().all(|c| c.is_ascii_uppercase() || c == '_') && !name.ends_with('_');
    let rows = VARIABLES.iter().map(|row| row.0).chain(VARIABLES_ELSEWHERE.iter().map(|row| row.0)).map(str::to_owned);
    complete(of_topic.into_iter().chain(read.filter(is_whole)), rows);
}

#[test]
fn every_variable_is_seen() {
    all(VARIABLES, |(name, value, given, typed, sees)| {
        let usual = Run::of(&[given], "", typed);
        let set = Some((name.replace("<PROFILE>", "ODD"), value.to_owned()));
        Run { variable: set, ..usual.clone() }.shows(usual, name, sees)
    });
}

#[test]
fn id_tokens_are_judged_by_the_providers_keys() {
    for (key, bend) in [
        ("algorithms = [\"RS256\"]", Plan { announced: vec!["ES256".into()], ..Plan::default() }),
        ("audiences = [\"other\"]", bent(&json!({ "aud": ["an-app", "other"] }))),
        ("issuer = \"https://tenant.example\"", bent(&json!({ "iss": "https://tenant.example" }))),
        ("nonce = \"optional\"", Plan { unset: vec!["nonce".into()], ..bent(&json!({})) }),
    ] {
        for set in [false, true] {
            let mut me = Person::new();
            let op = Op::start(&mut me, bend.clone());
            let key = if set { key } else { "" };
            let file =
                format!("id = \"own\"\nissuer = \"{}\"\nclient-id = \"an-app\"\n[id-token]\n{key}\n", op.server.base);
            me.config("providers/own.toml", &file);
            let done = me.browser(op.browser()).types("login own --scope openid");
            // without a key, a usual ID token is taken, and a bent one is not
            let taken = set != (bend.unset.is_empty() && bend.set.is_empty());
            assert_eq!(done.code, if taken { 0 } else { 7 }, "{key} {set}: {}", done.err);
        }
    }
}

#[test]
fn the_kid_of_the_configuration_is_in_an_assertion() {
    let profile = "client-key.file = \"HOME/key.json\"\nclient-key-id = \"row-kid\"";
    let text = Run::of(&["token.auth = [\"private_key_jwt\"]"], profile, PLAIN).text();
    let (_, assertion) = text.split_once("client_assertion=").expect("an assertion");
    let header = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, assertion.split('.').next().unwrap());
    assert!(String::from_utf8_lossy(&header.unwrap()).contains("row-kid"), "{text}");
}

fn bent(set: &Value) -> Plan {
    Plan { announced: vec!["ES256".into()], set: set.as_object().expect("an object").clone(), ..Plan::default() }
}

#[test]
fn no_register_asks_no_question() {
    let registers = |flag: &str| {
        let lines = format!("login odd {flag}");
        Run::of(
            &["# without: client-id\nregistration-url = \"BASE/register\"\nconsole-url = \"https://console.example\""],
            "",
            &lines,
        )
        .text()
    };
    assert!(registers("").contains("--register"));
    assert!(!registers("--no-register").contains("POST /register"));
}

#[test]
fn a_practice_server_serves_as_it_is_told() {
    let mut me = Person::new();
    let port = own_port();
    let line = format!("sandbox serve --as sandbox --port {port} --redirect-uri https://row.example/back");
    let done = me.signal(2).types(&line);
    assert!(done.err_raw.contains(&format!("listens on http://127.0.0.1:{port}")), "{}", done.err);
    assert_eq!(done.err.matches("https://row.example/back").count(), 3, "every app: {}", done.err);
    let port = own_port();
    let mut serving = Person::new();
    let clock = serving.clock.clone();
    std::thread::spawn(move || serving.types(&format!("sandbox serve --port {port} --access-life 77s --latency 300")));
    let form =
        [("grant_type", "client_credentials"), ("client_id", "sandbox-ci"), ("client_secret", "practice-secret")];
    let url = format!("http://127.0.0.1:{port}/token");
    while robot::get_if_there(&url).is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let began = clock.elapsed();
    let page = robot::post(&url, &form);
    assert!(page.body.contains("77") && (clock.elapsed() - began).as_millis() == 300, "{}", page.body);
    assert!(me.signal(2).types("sandbox serve --as getresponse").out.contains("id = \"getresponse\""));
}
