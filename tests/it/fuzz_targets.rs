//! Properties that hold for all input: one function per entry point for untrusted bytes. `fuzz/`
//! searches for counterexamples; `fuzz_corpus` replays earlier inputs.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use oauthctl::config::Config;
use oauthctl::protocol::authorization_response::{Expected, Verdict};
use oauthctl::protocol::jose::JwkSet;
use oauthctl::protocol::jose::trust::Trust;
use oauthctl::protocol::token_response::{Reader, TokenType};
use oauthctl::protocol::{api_error, authorization_response, form, id_token, jarm, jose, metadata, trace};
use oauthctl::provider::{ExpiresUnit, Provider, ResponseShape, StateEcho, ZeroExpires, resolve};
use oauthctl::secret::Secret;
use oauthctl::wire::Response;
use oauthctl::world::http_server::loopback::judge::judge;
use oauthctl::world::http_server::reader::{Limits, Refusal, Stream, parse_head, read_request};

/// What is shown to a person is one line that can't act on the terminal or on a CI log.
fn shown(text: &str) {
    assert!(text.chars().count() < 2000, "{} characters", text.chars().count());
    // `[::1]` stands in messages of our own
    assert!(!text.replace("[::1]", "").contains("::") && !text.contains("##["), "a command in {text:?}");
    assert!(!text.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{text:?}");
}

/// Bytes that come in pieces of one size.
struct Pieces<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.size.min(buffer.len());
        self.bytes.take(piece as u64).read(&mut buffer[..piece]).inspect(|n| self.bytes = &self.bytes[*n..])
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Pieces<'_> {
    fn end_by(&mut self, _: Instant) {}

    fn end_writing(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// L-29, L-52: the same request or the same refusal however the bytes trickle, within the bounds,
/// and what gets past the judge is for our own name and port.
pub fn request_reader(data: &[u8]) {
    let limits = Limits { body: 4096, ..Limits::default() };
    let read = |size| read_request(&mut Pieces { bytes: data, size }, &limits);
    let whole = read(1 << 20);
    let pieces = read(usize::from(data.first().copied().unwrap_or(1)).max(1));
    match (&whole, &pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces),
        // a refusal may come before the bytes do that another one is given for
        (Err(_), Err(_)) => {}
        _ => panic!("{whole:?} at once, {pieces:?} in pieces"),
    }
    if let Err(refusal @ (Refusal::TooSlow | Refusal::Failed(_))) = &whole {
        panic!("{refusal}");
    }
    let _ = parse_head(data);
    let Ok(request) = whole else { return };
    assert!(request.target.len() <= limits.line && request.headers.len() <= 100 && request.body.len() <= limits.body);
    assert!(request.target.bytes().all(|b| b.is_ascii_graphic()));
    for post in [false, true] {
        let Ok((path, query)) = judge(&request, 4000, false, post) else { continue };
        assert!(path.starts_with('/') && !path.contains('?') && request.target.contains(query));
        let host = request.header("host").expect("a host").to_ascii_lowercase();
        assert!(["127.0.0.1:4000", "localhost:4000", "[::1]:4000"].contains(&host.as_str()), "{host}");
        assert!(request.method == "GET" || post && request.method == "POST");
        assert_eq!(request.count("host"), 1);
    }
}

fn shape(kind: u8) -> ResponseShape {
    ResponseShape {
        root: (kind & 1 != 0).then(|| "data.token".to_owned()).into_iter().collect(),
        access_token: "access_token".into(),
        refresh_token: "refresh_token".into(),
        expires_in: "expires_in".into(),
        scope: "scope".into(),
        token_type: "token_type".into(),
        default_token_type: (kind & 2 != 0).then(|| "Bearer".to_owned()),
        expires_unit: [ExpiresUnit::Seconds, ExpiresUnit::Milliseconds, ExpiresUnit::Epoch, ExpiresUnit::Iso8601]
            [usize::from(kind >> 2 & 3)],
        default_expires_s: (kind & 16 != 0).then_some(3600),
        zero_expires: if kind & 32 != 0 { ZeroExpires::Never } else { ZeroExpires::Now },
        claims_from_jwt: kind & 64 != 0,
        ok_field: (kind & 128 != 0).then(|| "ok".to_owned()),
        error: vec!["error".into(), "error.code".into()],
        error_description: vec!["error_description".into()],
        capture: BTreeMap::from([("user".to_owned(), "user.id".to_owned())]),
        ..ResponseShape::default()
    }
}

fn reader<'a>(shape: &'a ResponseShape, separator: &'a str) -> Reader<'a> {
    Reader { wanted: TokenType::Bearer, ok_status: &[200], shape, separator, now: 1_000_000 }
}

/// T-80: the first two bytes choose status, content type and the provider's shape; the rest is the
/// body.
pub fn token_answer(data: &[u8]) {
    let Some((&[how, kind], body)) = data.split_first_chunk() else { return };
    let status = [200, 201, 400, 401, 429, 503, 302, 404][usize::from(how & 7)];
    let content = ["application/json", "text/html", "application/x-www-form-urlencoded", ""][usize::from(how >> 3 & 3)];
    let headers = vec![("content-type".to_owned(), content.to_owned())];
    let response = Response { status, headers, body: body.to_vec().into() };
    let separator = if how & 128 == 0 { " " } else { "," };
    match reader(&shape(kind), separator).read(&response) {
        Ok(read) => {
            assert_eq!(status, 200);
            let set = read.set;
            for token in [Some(&set.access_token), set.refresh_token.as_ref()].into_iter().flatten() {
                let token = token.expose();
                assert!(!token.is_empty() && token.len() <= 64 << 10 && token.bytes().all(|b| b.is_ascii_graphic()));
            }
            read.warnings.iter().for_each(|w| shown(w));
            let kept = serde_json::to_string(&set).unwrap();
            assert_eq!(serde_json::from_str(&kept).ok(), Some(set), "what is stored reads back");
        }
        Err(error) => shown(&error.to_string()),
    }
    if let Some(error) = api_error::read(body) {
        let _ = api_error::meaning(&[], status, Some(&error));
    }
    trace::response(&response).iter().for_each(|line| shown(line));
}

pub fn jwt_claims(data: &[u8]) {
    let token = String::from_utf8_lossy(data);
    let claims = jose::unverified_claims(&token).ok();
    if claims.is_some() {
        assert!(token.len() <= jose::LONGEST && token.matches('.').count() == 2);
    }
    // the same token in an answer that leaves expiry and scopes to it
    let body = serde_json::json!({ "access_token": token, "token_type": "Bearer" }).to_string();
    let response = Response { status: 200, headers: Vec::new(), body: body.into_bytes().into() };
    if let Ok(read) = reader(&shape(64), " ").read(&response) {
        assert!(claims.is_some() || read.set.expires_at.is_none());
    }
}

/// What is wrong with a person's own file is told in lines that can be shown, and what is right is
/// printed as it reads.
pub fn provider_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match resolve::from_text("mine", text, None) {
        Ok(provider) => {
            let inside: BTreeMap<String, Provider> = provider
                .environments
                .iter()
                .map(|e| (e.clone(), resolve::from_text("mine", text, Some(e)).expect("it is read with the file")))
                .collect();
            let printed = provider.to_toml(&inside);
            let all = inside.iter().map(|(e, p)| (Some(e.as_str()), p)).chain([(None, &provider)]);
            for (environment, expected) in all {
                let again = resolve::from_text("mine", &printed, environment);
                assert_eq!(again.as_ref().ok(), Some(expected), "{:?}\n{printed}", again.as_ref().err());
            }
            let _ =
                provider.expand(&BTreeMap::from([("dc".to_owned(), "us1".to_owned())])).map(|p: Provider| p.api.hosts);
        }
        Err(error) => error.to_string().lines().for_each(shown),
    }
}

pub fn config_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let dir = Path::new("/config");
    let whole = Config::from_text(dir, text);
    if let Err(error) = &whole {
        error.to_string().lines().for_each(shown);
    }
    let Ok(mut whole) = whole else { return };
    // one profile read alone is the same as in the whole
    for name in whole.profiles.keys().cloned().chain(["gr".to_owned()]).collect::<Vec<_>>() {
        let one = Config::from_text_for(dir, text, &name).expect("what reads whole reads in parts");
        assert_eq!(one.profiles.get(&name), whole.profiles.get(&name));
        assert_eq!((&one.default_profile, one.store, one.cache), (&whole.default_profile, whole.store, whole.cache));
    }
    whole.profiles.clear();
}

/// L-37, L-52: only what bears this login's `state`, at this login's address, is a code.
pub fn pasted_redirect(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for redirect_uri in [Some("https://app.example/cb"), None] {
        let query = match authorization_response::pasted(&text, redirect_uri) {
            Ok(query) => query,
            Err(error) => {
                shown(&error.to_string());
                continue;
            }
        };
        if redirect_uri.is_some() {
            let is_query = text.split('=').next().is_some_and(|name| !name.contains(['/', ':']));
            let line: String = text.split_whitespace().collect();
            assert!(is_query || line.to_ascii_lowercase().contains("app.example"), "{text}");
        }
        judged(&query);
    }
    judged(&text);
}

fn judged(query: &str) {
    let expected = Expected {
        state: "the-state-of-this-login".into(),
        state_echo: StateEcho::Required,
        issuer: Some("https://as.example".into()),
        iss_required: false,
        code_param: "code".into(),
    };
    let verdict = authorization_response::judge(query, &expected);
    let states: Vec<String> =
        form::decode(query).unwrap_or_default().into_iter().filter(|(n, _)| n == "state").map(|(_, v)| v).collect();
    let is_ours = states == ["the-state-of-this-login"];
    match verdict {
        Verdict::Code { code, .. } => {
            assert!(is_ours, "{query}");
            let code = code.expose();
            assert!(!code.is_empty() && code.len() <= 16 << 10 && code.bytes().all(|b| (0x20..=0x7e).contains(&b)));
        }
        Verdict::Refused { .. } | Verdict::Broken(_) => assert!(is_ours, "{query}"),
        Verdict::Noise(why) => shown(why),
        Verdict::Unproven { .. } => assert!(!is_ours, "{query}"),
    }
}

/// D-02: an endpoint that is taken is one that a secret may go to, and what is kept reads back.
pub fn metadata(data: &[u8]) {
    const ISSUER: &str = "https://as.example/tenant";
    let document = match metadata::read(data, ISSUER) {
        Ok(document) => document,
        Err(error) => return shown(&error.to_string()),
    };
    let mut provider = Provider::of_issuer(ISSUER);
    document.fill(&mut provider);
    let device = provider.device.as_ref().and_then(|d| d.endpoint.url.as_ref());
    let introspect = provider.introspect.as_ref().and_then(|e| e.url.as_ref());
    let urls = [&provider.authorize.url, &provider.token.url, &provider.identity.jwks_uri, &provider.userinfo.url];
    for url in urls.into_iter().flatten().chain(device).chain(introspect) {
        assert!(oauthctl::address::check_url(url).is_ok(), "{url}");
    }
    let kept = document.to_value().to_string();
    let again = metadata::read(kept.as_bytes(), ISSUER).expect("what is kept reads back");
    let mut same = Provider::of_issuer(ISSUER);
    again.fill(&mut same);
    assert_eq!(same, provider);
}

/// A set that is read is written and read again as the same keys, and each has a thumbprint.
pub fn jwks(data: &[u8]) {
    match JwkSet::read(data) {
        Ok(set) => {
            let members: Vec<_> = set.keys.iter().map(|key| serde_json::Value::Object(key.to_members())).collect();
            let again =
                JwkSet::read(serde_json::json!({ "keys": members }).to_string().as_bytes()).expect("as written");
            assert_eq!(again.keys, set.keys);
            assert!(set.keys.iter().all(|key| key.thumbprint().len() == 43));
        }
        Err(error) => shown(&error.to_string()),
    }
}

/// No bytes are an ID token or a signed answer: nobody here has signed anything. What the claims
/// alone are worth is bounded.
pub fn jwt(data: &[u8]) {
    const NOW: i64 = 1_795_298_400;
    let token = String::from_utf8_lossy(data);
    let keys = br#"{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
    let keys = JwkSet::read(keys).expect("a set");
    let secret = Secret::unlisted("a-client-secret-that-nobody-guesses");
    let algorithms = ["ES256", "RS256", "HS256", "EdDSA", "none"].map(str::to_owned);
    let trust = Trust { algorithms: &algorithms, typ: None, secret: Some(&secret) };
    match jose::trust::verify(&token, &keys, &trust) {
        Ok(_) => panic!("nobody signed {token}"),
        Err(error) => shown(&error.to_string()),
    }
    let Ok(claims) = jose::unverified_claims(&token) else { return };
    let expected = id_token::Expected {
        issuer: "https://as.example/tenant",
        client_id: "an-app",
        audiences: &[],
        nonce: Some("n-1"),
        max_age: Some(60),
        acr_values: &[],
        access_token: Some("an-access-token"),
        code: None,
        state: None,
        now: NOW,
    };
    match id_token::judge("ES256", &claims, &expected) {
        Ok(()) => {
            assert_eq!((&claims["iss"], &claims["nonce"]), (&expected.issuer.into(), &"n-1".into()));
            assert!(claims["exp"].as_f64().is_some_and(|exp| exp as i64 > NOW - id_token::TOLERANCE));
        }
        Err(fault) => shown(&fault.to_string()),
    }
    match id_token::judge_renewed("ES256", &claims, &claims, &expected) {
        Ok(()) => {}
        Err(fault) => shown(&fault.to_string()),
    }
    match jarm::parameters(&claims, expected.issuer, expected.client_id, NOW) {
        Ok(query) => judged(&query),
        Err(fault) => shown(&fault.to_string()),
    }
}
