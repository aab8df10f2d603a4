//! The requests of every built-in provider as they leave the program: `tests/it/golden/requests.txt`.
//! A person reads there, in a review, what an entry's keys make of a login.
//! `UPDATE=1 cargo test --test it golden` writes it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauthctl::grant::redirect_plan::{self, Target};
use oauthctl::provider::{ClientAuth, LoopbackMode, Provider, StateEcho, Var, VarFrom, catalogue, resolve};
use oauthctl::wire::{Request, Response};
use oauthctl::world::{Http, HttpError, Streamed, Upload};
use serde_json::{Value, json};

use crate::proofs::pem;
use crate::world::{Output, Person, own_port, shown_url};

/// Writes down what is sent, and answers what leads to the next request.
#[derive(Default)]
struct Recorder {
    issuer: Option<String>,
    device: Value,
    sent: Mutex<Vec<(&'static str, Request)>>,
}

impl Http for Recorder {
    fn exchange(&self, request: &Request) -> Result<Response, HttpError> {
        let answer = |status, body: Value| {
            Ok(Response { status, headers: Vec::new(), body: body.to_string().into_bytes().into() })
        };
        let url = request.url.expose();
        if url.contains("/.well-known/") {
            let issuer = self.issuer.as_deref().unwrap_or_default();
            return answer(
                200,
                json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/(announced)/authorize"),
                    "token_endpoint": format!("{issuer}/(announced)/token"),
                    "device_authorization_endpoint": format!("{issuer}/(announced)/device"),
                    "response_types_supported": ["code"],
                }),
            );
        }
        let sent = format!("{url} {}", request.body.as_ref().map_or("", |body| body.expose()));
        let name =
            [("CODE-OF-LOGIN", "token"), ("CODE-OF-DEVICE", "poll"), ("client_credentials", "client-credentials")];
        let name = name.into_iter().find(|(has, _)| sent.contains(has)).map_or("device", |(_, name)| name);
        self.sent.lock().unwrap().push((name, request.clone()));
        match name {
            "device" => answer(200, self.device.clone()),
            _ => answer(400, json!({ "error": "access_denied" })),
        }
    }

    fn stream(&self, request: &Request, _: Option<Upload>) -> Result<Streamed, HttpError> {
        panic!("a login calls no API: {}", request.place())
    }
}

/// The device endpoint's answer, under the entry's own names.
fn device_answer(provider: &Provider) -> Value {
    let fields = provider.device.as_ref().map(|device| &device.fields);
    let members = [
        ("device_code", json!("CODE-OF-DEVICE")),
        ("user_code", json!("USER-CODE")),
        ("verification_uri", json!("https://device.example")),
        ("interval", json!(1)),
    ];
    let theirs = |name: &str| fields.and_then(|fields| fields.get(name)).map_or(name.to_owned(), String::clone);
    members.into_iter().map(|(name, value)| (theirs(name), value)).collect()
}

/// A value that the variable takes: its own name, as a word, a host, an address or digits.
fn value_of(provider: &Provider, name: &str, var: &Var) -> String {
    if let Some(value) = var.default.as_ref().or(var.one_of.first()) {
        return value.clone();
    }
    let word = name.replace('_', "-").to_lowercase();
    let star = var.pattern.as_deref().filter(|it| it.contains('*')).map(|it| it.replace('*', &word));
    let values = [format!("{word}.example"), format!("https://{word}.example"), "123456".to_owned()];
    let fits = |value: &String| provider.takes(name, value).is_ok();
    let found = star.into_iter().chain([word]).chain(values).find(fits);
    found.unwrap_or_else(|| panic!("no value for the variable `{name}` of `{}`", provider.id))
}

/// A login of one provider, and what it sent.
struct Trial {
    provider: Provider,
    vars: BTreeMap<String, String>,
    me: Person,
    port: u16,
    line: Vec<String>,
}

impl Trial {
    fn new(id: &str, environment: Option<&str>) -> Trial {
        let provider = resolve::resolve(id, environment, &|_| Ok(None)).unwrap();
        let mut me = Person::new();
        let port = own_port();
        let mut vars = BTreeMap::new();
        let mut line: Vec<String> =
            ["login", id, "--no-browser", "--no-register", "--yes", "--client-id", "CLIENT"].map(str::to_owned).into();
        if let Some(environment) = environment {
            line.extend(["--environment".to_owned(), environment.to_owned()]);
        }
        for (name, var) in provider.vars.iter().filter(|(_, var)| var.from == VarFrom::User && var.default.is_none()) {
            let value = value_of(&provider, name, var);
            line.extend(["--var".to_owned(), format!("{name}={value}")]);
            vars.insert(name.clone(), value);
        }
        let ways = &provider.token.auth;
        if ways.iter().any(|way| !matches!(way, ClientAuth::None | ClientAuth::PrivateKeyJwt)) {
            me.set("OAUTHCTL_CLIENT_SECRET", "SECRET");
        } else if ways.contains(&ClientAuth::PrivateKeyJwt) {
            let key = rcgen::KeyPair::generate().expect("a key");
            std::fs::write(me.path("key.pem"), pem("PRIVATE KEY", &key.serialize_der())).expect("a file");
            line.extend(["--client-key-file".to_owned(), me.path("key.pem").display().to_string()]);
        }
        Trial { provider, vars, me, port, line }
    }

    /// The login by browser: where it comes back to, its address and its request for the token.
    fn by_browser(&mut self) -> String {
        let facts = &self.provider.redirect;
        let mut line = self.line.clone();
        let profile = oauthctl::config::Profile::default();
        let registers = match redirect_plan::plan(&self.provider, &profile, "RANDOM") {
            Ok(plan) => {
                if let (Target::Listen { .. }, false) = (&plan.target, facts.loopback == LoopbackMode::AnyPort) {
                    line.extend(["--port".to_owned(), self.port.to_string()]);
                }
                plan.to_register().pop()
            }
            Err(_) => {
                let own = "https://app.example/callback";
                line.extend(["--redirect-uri".to_owned(), own.to_owned()]);
                Some(own.to_owned())
            }
        };
        let provider = self.provider.clone();
        self.me.pastes(move |url| came_back(&provider, url));
        let (done, sent) = self.run(&line);
        let Some(url) = shown_url(&done.err_raw) else { return format!("  no login: {}\n", done.err) };
        let registers = registers.unwrap_or_else(|| "(none is sent)".to_owned());
        format!("  comes back to {registers}\n  authorize GET {}\n{sent}", self.in_words(&url))
    }

    /// By another grant, if the entry says that there is one.
    fn by(&mut self, grant: &str) -> String {
        let line = [self.line.clone(), vec!["--grant".to_owned(), grant.to_owned()]].concat();
        let (done, sent) = self.run(&line);
        if sent.is_empty() { format!("  {grant}: {}\n", done.err) } else { sent }
    }

    fn run(&mut self, line: &[String]) -> (Output, String) {
        let issuer = self.provider.filled_upto(VarFrom::User, &self.vars).unwrap().issuer;
        let recorder = Arc::new(Recorder { issuer, device: device_answer(&self.provider), ..Recorder::default() });
        self.me.network(recorder.clone());
        let done = self.me.runs(&line.iter().map(String::as_str).collect::<Vec<_>>());
        let sent = recorder.sent.lock().unwrap();
        let text = sent.iter().map(|(name, request)| self.request(name, request)).collect();
        (done, text)
    }

    fn request(&self, name: &str, request: &Request) -> String {
        let mut text = format!("  {name} {} {}\n", request.method, self.in_words(request.url.expose()));
        let body = request.body.as_ref().map(|body| body.expose()).unwrap_or_default();
        let form = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        for (header, value) in &request.headers {
            let value = value.expose();
            match header.as_str() {
                "accept" if value == "application/json" => {}
                "content-type" if value == form => {}
                _ => {
                    let basic = value.strip_prefix("Basic ").and_then(|it| STANDARD.decode(it).ok());
                    let basic = basic.map(|it| format!("Basic ({})", String::from_utf8_lossy(&it)));
                    text += &format!("    {header}: {}\n", basic.as_deref().unwrap_or(value));
                }
            }
        }
        if !body.is_empty() {
            text += &format!("    {}\n", self.in_words(body));
        }
        text
    }

    /// What differs from run to run, in words; so is the redirect address, which stands above.
    fn in_words(&self, text: &str) -> String {
        let rename = &self.provider.authorize.rename;
        let names = [
            ("state", "STATE"),
            ("nonce", "NONCE"),
            ("code_challenge", "CHALLENGE"),
            ("code_verifier", "VERIFIER"),
            ("client_assertion", "ASSERTION"),
            ("redirect_uri", "REDIRECT"),
        ];
        let mut text = text.to_owned();
        for (standard, by) in names {
            for name in [standard].into_iter().chain(rename.get(standard).map(String::as_str)) {
                text = masked(&text, &format!("{name}="), |c| c != '&' && c != '#', by);
            }
            text = masked(&text, &format!("\"{standard}\":\""), |c| c != '"', by);
        }
        text
    }
}

/// Replaces the value that follows each `before` that begins a parameter.
fn masked(text: &str, before: &str, of: impl Fn(char) -> bool, by: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(before) {
        let begins = at == 0 || rest[..at].ends_with(['?', '&', '{', ',']);
        let (head, tail) = rest.split_at(at + before.len());
        out.push_str(head);
        rest = tail;
        if begins {
            out.push_str(by);
            rest = tail.trim_start_matches(&of);
        }
    }
    out + rest
}

/// The address that the browser ends on, by the entry's own words; or the code alone.
fn came_back(provider: &Provider, url: &str) -> String {
    if provider.redirect.paste.is_some() {
        return "CODE-OF-LOGIN".to_owned();
    }
    let query = url.split_once(['?', '#']).map_or("", |(_, query)| query);
    let query = query.rsplit_once('?').map_or(query, |(_, query)| query);
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let sent = |standard: &str| {
        let name = provider.authorize.rename.get(standard).map_or(standard, String::as_str);
        pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let to = sent("redirect_uri")
        .filter(|to| to.contains("://"))
        .unwrap_or_else(|| "https://app.example/callback".to_owned());
    let mut to = url::Url::parse(&to).expect("an address");
    to.query_pairs_mut().append_pair(&provider.callback.code_param, "CODE-OF-LOGIN");
    if let Some(state) = sent("state").filter(|_| provider.authorize.state == StateEcho::Required) {
        to.query_pairs_mut().append_pair("state", &state);
    }
    for (name, var) in provider.vars.iter().filter(|(_, var)| var.from == VarFrom::Callback) {
        to.query_pairs_mut().append_pair(var.path.as_deref().unwrap_or(name), &value_of(provider, name, var));
    }
    if let Some(name) = &provider.callback.token_host_from {
        let host = provider.callback.token_host_allow[0].replace('*', "eu");
        to.query_pairs_mut().append_pair(name, &format!("https://{host}"));
    }
    to.to_string()
}

/// All requests that an entry makes of a login.
fn requests(id: &str, environment: Option<&str>) -> String {
    let mut trial = Trial::new(id, environment);
    let mut text = match environment {
        Some(environment) => format!("{id} ({environment})\n"),
        None => format!("{id}\n"),
    };
    let facts = &trial.provider;
    let (has_page, has_device) = (facts.authorize.url.is_some(), facts.device.is_some());
    // such an entry leaves the page to the server's own document
    if has_page || facts.issuer.is_some() && facts.redirect != Default::default() {
        text += &trial.by_browser();
    } else if !has_device {
        text += &trial.by("client-credentials");
    }
    if has_device {
        text += &trial.by("device-code");
    }
    text
}

#[test]
fn every_built_in_provider_sends_what_was_read_in_a_review() {
    let entries: Vec<(&str, Option<String>)> = catalogue::names()
        .filter(|id| *id != "sandbox")
        .flat_map(|id| {
            let known = resolve::resolve(id, None, &|_| Ok(None)).unwrap().environments;
            std::iter::once((id, None)).chain(known.into_iter().map(move |it| (id, Some(it))))
        })
        .collect();
    // most of the time a login waits for more of what is pasted
    let text = std::thread::scope(|scope| {
        let part = |part: &[(&str, Option<String>)]| {
            part.iter().map(|(id, environment)| requests(id, environment.as_deref())).collect::<Vec<_>>().join("\n")
        };
        let parts: Vec<_> = entries.chunks(40).map(|entries| scope.spawn(move || part(entries))).collect();
        parts.into_iter().map(|it| it.join().expect("a part")).collect::<Vec<_>>().join("\n")
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/requests.txt");
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so, not the program")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        return std::fs::write(file, text).unwrap();
    }
    let golden = std::fs::read_to_string(file).unwrap_or_default();
    let differs = golden.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(
        golden == text,
        "the requests differ; read what changed after `UPDATE=1 cargo test --test it golden`: {differs:?}"
    );
}
