//! Client authentication by key, and key-bound tokens (RFC 7523, RFC 9449), from the user's view.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use oauthctl::protocol::form;
use oauthctl::protocol::jose::{self, Algorithm, Jwk, SigningKey};
use oauthctl::secret::Secret;
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use serde_json::{Map, Value, json};

use crate::world::op::{Op, Plan};
use crate::world::serve::{Request, Response};
use crate::world::{Odd, Person, START, answer};

/// RFC 7520's own, as JWK; with its name taken away.
fn rsa() -> String {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../src/protocol/jose/rfc_vectors.json")).expect("vectors");
    let mut key = vectors.iter().find(|v| v["source"] == "RFC 7520, 4.1").expect("its key")["key"].clone();
    key.as_object_mut().unwrap().remove("kid");
    key.to_string()
}

/// A new key as PKCS#8.
fn made(kind: &'static rcgen::SignatureAlgorithm) -> String {
    pem("PRIVATE KEY", &rcgen::KeyPair::generate_for(kind).expect("a key").serialize_der())
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!(
        "-----BEGIN {label}-----
{}
-----END {label}-----
",
        lines.join(
            "
"
        )
    )
}

/// An authorization server and an API that check what they are shown, and remember it.
#[derive(Default)]
struct Seen {
    /// Of assertions: header, claims.
    assertions: Vec<(jose::Header, Map<String, Value>)>,
    /// Of proofs: claims, thumbprint of the key.
    proofs: Vec<(Map<String, Value>, String)>,
    forms: Vec<BTreeMap<String, String>>,
    /// Where those were sent.
    paths: Vec<String>,
    authorizations: Vec<String>,
    /// Which nonce the token endpoint and the API want.
    nonces: (Option<&'static str>, Option<&'static str>),
    token_type: &'static str,
    metadata: Value,
    number: u32,
}

type Shared = Arc<Mutex<Seen>>;

fn server(person: &mut Person, token_type: &'static str, metadata: Value, public: Option<Jwk>) -> (Odd, Shared) {
    let seen: Shared = Arc::new(Mutex::new(Seen { token_type, metadata, ..Seen::default() }));
    let shared = seen.clone();
    let odd = person.odd("strict", move |request| respond(&mut shared.lock().unwrap(), request, public.as_ref()));
    (odd, seen)
}

fn respond(seen: &mut Seen, request: &Request, public: Option<&Jwk>) -> Response {
    let base = format!("http://{}", request.header("host").unwrap());
    let json = |status: u16, value: &Value| answer(status, "application/json", &value.to_string());
    if request.path.contains(".well-known") {
        let mut document = json!({ "issuer": base, "token_endpoint": format!("{base}/token") });
        document.as_object_mut().unwrap().extend(seen.metadata.as_object().unwrap().clone());
        return json(200, &document);
    }
    let at_api = request.path.starts_with("/api");
    let wanted = if at_api { seen.nonces.1 } else { seen.nonces.0 };
    if let Some(proof) = request.header("dpop") {
        let head = jose::header(proof).unwrap();
        assert_eq!((head.typ.as_deref(), head.alg.as_str()), (Some("dpop+jwt"), "ES256"));
        let key = Jwk::from_members(head.members["jwk"].as_object().unwrap()).unwrap();
        assert!(!head.members["jwk"].as_object().unwrap().contains_key("d"), "the private half was sent");
        let (_, claims) = jose::verify(proof, &[Algorithm::ES256], &key).unwrap();
        assert_eq!(
            (claims["htm"].as_str(), claims["htu"].as_str()),
            (Some(request.method.as_str()), Some(format!("{base}{}", request.path).as_str()))
        );
        let nonce = claims.get("nonce").and_then(Value::as_str).map(str::to_owned);
        seen.proofs.push((claims, key.thumbprint()));
        if nonce.as_deref() != wanted {
            let mut refused = match at_api {
                true => answer(401, "text/plain", ""),
                false => json(400, &json!({ "error": "use_dpop_nonce" })),
            };
            refused.headers.push(("DPoP-Nonce".into(), wanted.unwrap().into()));
            refused.headers.push(("WWW-Authenticate".into(), "DPoP error=\"use_dpop_nonce\"".into()));
            return refused;
        }
    }
    if at_api {
        seen.authorizations.push(request.header("authorization").unwrap_or("").to_owned());
        return json(200, &json!({ "ok": true }));
    }
    let pairs = form::decode(std::str::from_utf8(&request.body).unwrap()).unwrap();
    let sent: BTreeMap<String, String> = pairs.into_iter().collect();
    if let Some(assertion) = sent.get("client_assertion") {
        assert_eq!(sent["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        let read = match public {
            Some(public) => jose::verify(assertion, &Algorithm::ALL, public),
            None => jose::verify(assertion, &Algorithm::ALL, &Secret::unlisted("a-secret-of-the-client")),
        };
        seen.assertions.push(read.expect("a good signature"));
    }
    seen.forms.push(sent);
    seen.paths.push(request.path.clone());
    seen.number += 1;
    let n = seen.number;
    json(
        200,
        &json!({ "access_token": format!("access-{n}"), "token_type": seen.token_type, "expires_in": 3600, "refresh_token": format!("refresh-{n}") }),
    )
}

/// A provider file with these ways of authentication, and a key in a file.
fn set_up(person: &Person, base: &str, auth: &str, key: &str) -> String {
    person.config(
        "providers/as.toml",
        &format!(
            "id = \"as\"\nname = \"AS\"\nissuer = \"{base}\"\n[authorize]\nurl = \"{base}/authorize\"\n[token]\nurl = \"{base}/token\"\nauth = {auth}\n[api]\nbase-url = \"{base}/api\"\n"
        ),
    );
    let file = person.path("key.pem");
    std::fs::write(&file, key).unwrap();
    file.display().to_string()
}

fn public(key: &str) -> Jwk {
    SigningKey::read(&Secret::unlisted(key)).unwrap().public_jwk()
}

// RFC 7523, section 3; OpenID Connect Core, section 9
#[test]
fn a_client_proves_itself_by_its_key_anew_each_time() {
    for (key, alg) in [
        (rsa(), "RS256"),
        (made(&PKCS_ECDSA_P256_SHA256), "ES256"),
        (made(&PKCS_ECDSA_P384_SHA384), "ES384"),
        (made(&PKCS_ED25519), "EdDSA"),
    ] {
        let key = key.as_str();
        let mut person = Person::new();
        let (odd, seen) = server(&mut person, "Bearer", json!({}), Some(public(key)));
        let file = set_up(&person, &odd.base, "[\"private_key_jwt\"]", key);
        let run = format!("token as --grant client-credentials --client-id me --client-key-file {file}");
        person.types(&run).is(0, "access-1\n", "");
        person.types(&format!("{run} --force-refresh --assertion-audience token-endpoint")).is(0, "access-2\n", "");
        let provider = std::fs::read_to_string(person.path("config/oauthctl/providers/as.toml")).unwrap();
        person.config("providers/as.toml", &format!("assertion-audience = \"token-endpoint\"\n{provider}"));
        person.types(&format!("{run} --force-refresh")).is(0, "access-3\n", "");
        person.types(&format!("{run} --force-refresh --assertion-audience issuer")).is(0, "access-4\n", "");
        let seen = seen.lock().unwrap();
        let [(head, first), (_, second), (_, third), (_, fourth)] = seen.assertions.as_slice() else { panic!("{alg}") };
        assert_eq!(
            (head.alg.as_str(), head.typ.as_deref(), head.kid.as_deref()),
            (alg, Some("client-authentication+jwt"), None)
        );
        for claims in [first, second, third, fourth] {
            assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some("me"), Some("me")));
            assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(START), Some(START + 120)));
        }
        let (issuer, endpoint) = (odd.base.clone(), format!("{}/token", odd.base));
        // rfc7523bis: the issuer, unless profile or provider says otherwise
        for (claims, audience) in [(first, &issuer), (second, &endpoint), (third, &endpoint), (fourth, &issuer)] {
            assert_eq!(claims["aud"], **audience);
        }
        assert_ne!(first["jti"], second["jti"]);
        assert!(first["jti"].as_str().unwrap().len() >= 16);
        assert_eq!(seen.forms[0].get("client_secret"), None);
    }
}

#[test]
fn an_assertion_by_the_client_secret_does_not_show_it() {
    let mut person = Person::new();
    let (odd, seen) = server(&mut person, "Bearer", json!({}), None);
    set_up(&person, &odd.base, "[\"client_secret_jwt\"]", "");
    person.set("OAUTHCTL_CLIENT_SECRET", "a-secret-of-the-client");
    person.types("token as --grant client-credentials --client-id me").is(0, "access-1\n", "");
    let seen = seen.lock().unwrap();
    assert_eq!(seen.assertions[0].0.alg, "HS256");
    assert!(!seen.forms[0].contains_key("client_secret"));
}

#[test]
fn a_login_remembers_where_the_key_lies_and_never_the_key() {
    let mut person = Person::new();
    let key = made(&PKCS_ECDSA_P256_SHA256);
    let (odd, _seen) = server(&mut person, "Bearer", json!({}), Some(public(&key)));
    let file = set_up(&person, &odd.base, "[\"basic\", \"none\"]", &key);
    let login =
        format!("login as --grant client-credentials --client-id me --client-key-file {file} --auth private-key-jwt");
    assert_eq!(person.types(&login).code, 0);
    // on Windows with backslashes, which TOML quotes otherwise
    let config = person.config_text().replace('\\', "/").replace('\'', "\"");
    assert!(
        config.contains("auth = \"private-key-jwt\"")
            && config.contains(&format!("client-key = {{ file = \"{file}\" }}")),
        "{config}"
    );
    let line = key.lines().nth(1).unwrap();
    assert!(!person.record("as").to_string().contains(line) && !config.contains(line));
    person.types("token as --force-refresh").is(0, "access-2\n", "");
    let status = person.types("status as");
    assert!(status.out.contains("client proof   private-key-jwt, key in "), "{}", status.out);
}

#[test]
fn what_is_no_key_is_told_before_anything_is_sent() {
    let mut person = Person::new();
    let file = set_up(
        &person,
        "https://as.example",
        "[\"private_key_jwt\"]",
        &pem("PUBLIC KEY", rcgen::KeyPair::generate().unwrap().public_key_raw()),
    );
    let run = format!("token as --grant client-credentials --client-id me --client-key-file {file}");
    person.types(&run).fails(
        2,
        "
         error: the client key of `as` can't be used
         caused by: it is a public key, not a private key
         hint: wanted is a private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK; RSA from 2048 bits, P-256, P-384, Ed25519
        ",
    );
    person.types("token as --grant client-credentials --client-id me").fails(
        2,
        "
         error: the provider wants a proof by the client's key
         hint: `--client-key-file FILE`: PEM (PKCS#8, PKCS#1, SEC1) or JWK
         hint: `--auth none` sends the client id alone
        ",
    );
    set_up(&person, "https://as.example", "[\"basic\", \"none\"]", &made(&PKCS_ECDSA_P256_SHA256));
    person.types(&run).fails(
        2,
        "
         error: there is a client key, and the provider takes no proof by it
         hint: `--auth private-key-jwt` uses it all the same
         hint: `--auth none` sends the client id alone
        ",
    );
}

// what a server announces is believed before it is asked
#[test]
fn what_the_server_does_not_support_is_said_before_anything_is_sent() {
    let mut person = Person::new();
    let metadata = json!({
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256"],
        "dpop_signing_alg_values_supported": ["RS256"],
    });
    let (odd, seen) = server(&mut person, "Bearer", metadata, Some(public(&rsa())));
    person.config(
        "config.toml",
        &format!("[profiles.p]\nprovider = \"{}\"\ngrant = \"client-credentials\"\nclient-id = \"me\"\n", odd.base),
    );
    let key = person.path("key.pem");
    let flag = format!("--client-key-file {}", key.display());
    std::fs::write(&key, made(&PKCS_ECDSA_P256_SHA256)).unwrap();
    let told = person.types(&format!("token p {flag}"));
    assert_eq!(
        (told.code, told.err.lines().next()),
        (2, Some("error: the client signs with ES256, and the provider takes RS256, PS256"))
    );
    let told = person.types(&format!("token p {flag} --auth tls-client-auth"));
    assert_eq!(
        (told.code, told.err.lines().next()),
        (
            2,
            Some(
                "warning: the provider does not list `tls_client_auth` (it lists private_key_jwt, client_secret_post): used all the same"
            )
        )
    );
    std::fs::write(&key, rsa()).unwrap();
    let told = person.types(&format!("token p {flag} --dpop"));
    assert_eq!(
        (told.code, told.err.lines().next()),
        (2, Some("error: `dpop` is asked for, and the provider takes no proof by ES256"))
    );
    assert!(seen.lock().unwrap().forms.is_empty());
    person.types(&format!("token p {flag}")).is(0, "access-1\n", "");
    person.config("config.toml", &(person.config_text() + "client-key-algorithm = \"PS256\"\n"));
    person.types(&format!("token p {flag} --force-refresh")).is(0, "access-2\n", "");
    let algs: Vec<String> = seen.lock().unwrap().assertions.iter().map(|(head, _)| head.alg.clone()).collect();
    assert_eq!(algs, ["RS256", "PS256"]);
}

// RFC 8705, section 5; RFC 7515, section 4.1.8
#[test]
fn a_certificate_is_named_in_what_its_key_signs_and_shown_where_the_server_wants_it() {
    let made = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["client.example".to_owned()]).unwrap().self_signed(&made);
    let (key, certificate) =
        (pem("PRIVATE KEY", &made.serialize_der()), pem("CERTIFICATE", certificate.unwrap().der()));
    let mut person = Person::new();
    let (odd, seen) = server(&mut person, "Bearer", json!({}), Some(public(&key)));
    seen.lock().unwrap().metadata = json!({
        "token_endpoint_auth_methods_supported": ["tls_client_auth", "private_key_jwt"],
        "mtls_endpoint_aliases": { "token_endpoint": format!("{}/mtls/token", odd.base) },
    });
    let (key_file, certificate_file) = (person.path("key.pem"), person.path("client.pem"));
    std::fs::write(&key_file, key).unwrap();
    std::fs::write(&certificate_file, &certificate).unwrap();
    person.config(
        "config.toml",
        &format!(
            "[profiles.p]\nprovider = \"{}\"\ngrant = \"client-credentials\"\nclient-id = \"me\"\n\
             client-key = {{ file = \"{}\" }}\nclient-certificate = \"{}\"\n",
            odd.base,
            key_file.display(),
            certificate_file.display()
        ),
    );
    person.types("token p --auth tls-client-auth").is(0, "access-1\n", "");
    person.types("token p --auth private-key-jwt --force-refresh").is(0, "access-2\n", "");
    let seen = seen.lock().unwrap();
    assert_eq!(seen.paths, ["/mtls/token", "/token"]);
    let [(head, _)] = seen.assertions.as_slice() else { panic!("{}", seen.assertions.len()) };
    assert_eq!(head.members["x5t#S256"], jose::certificate_thumbprint(&certificate).unwrap());
}

// proofs at both servers, each with its own nonce; the key beside the token
#[test]
fn a_bound_token_is_had_with_a_proof_and_used_with_another() {
    let mut person = Person::new();
    let (odd, seen) = server(&mut person, "dpop", json!({}), None);
    seen.lock().unwrap().nonces = (Some("as-nonce"), Some("rs-nonce"));
    set_up(&person, &odd.base, "[\"none\"]", "");
    person.config(
        "config.toml",
        "[profiles.as]\nprovider = \"as\"\ngrant = \"client-credentials\"\nclient-id = \"me\"\ndpop = true\n",
    );
    person.types("token as").is(0, "access-1\n", "");
    let record = person.record("as");
    assert!(record["dpop_key"].as_str().unwrap().len() > 100, "the key lies beside the token");
    assert_eq!(record["dpop_nonces"], json!({ odd.base.clone(): "as-nonce" }));
    person.types("call as /me").is(0, "{\"ok\":true}", "");
    person.types("call as /me").is(0, "{\"ok\":true}", "");
    person.types("token as --force-refresh").is(0, "access-2\n", "");

    let seen = seen.lock().unwrap();
    assert_eq!(seen.authorizations, ["DPoP access-1", "DPoP access-1"]);
    let keys: BTreeSet<&str> = seen.proofs.iter().map(|(_, key)| key.as_str()).collect();
    assert_eq!(keys.len(), 1, "one key for one profile");
    let names: BTreeSet<&str> = seen.proofs.iter().map(|(claims, _)| claims["jti"].as_str().unwrap()).collect();
    assert_eq!(names.len(), seen.proofs.len(), "no `jti` twice");
    let nonces: Vec<Option<&str>> =
        seen.proofs.iter().map(|(claims, _)| claims.get("nonce").and_then(Value::as_str)).collect();
    // the API here is the same origin: its first proof bears the newest nonce of that origin
    assert_eq!(nonces[..2], [None, Some("as-nonce")]);
    assert_eq!(nonces.iter().filter(|n| **n == Some("rs-nonce")).count(), 2);
    let at_api = seen.proofs.iter().filter(|(claims, _)| claims["htu"].as_str().unwrap().contains("/api"));
    for (claims, _) in at_api {
        assert_eq!(claims["ath"], jose::sha256(b"access-1"));
    }
    assert!(!seen.proofs[0].0.contains_key("ath"));
}

// a server that is never content is asked twice, not for ever
#[test]
fn a_nonce_that_is_refused_again_ends_it() {
    let mut person = Person::new();
    let odd = person.odd("never", |_| {
        let mut refused = answer(400, "application/json", r#"{"error":"use_dpop_nonce"}"#);
        refused.headers.push(("DPoP-Nonce".into(), "another".into()));
        refused
    });
    set_up(&person, &odd.base, "[\"none\"]", "");
    let told = person.types("token as --grant client-credentials --client-id me --dpop");
    assert_ne!(told.code, 0);
    assert!(told.err.contains("use_dpop_nonce"), "{}", told.err);
    assert_eq!(odd.asked(), 2);
}

// T-37
#[test]
fn a_token_of_another_kind_than_was_asked_for_is_thrown_away() {
    for (says, flags, words) in [
        (
            "Bearer",
            " --dpop",
            "caused by: the answer's token is not bound to the key: its type is `Bearer`, and `DPoP` was asked for",
        ),
        ("DPoP", "", "caused by: the answer's token type is `DPoP`, which this program can't use"),
        ("N_A", "", "caused by: the answer's token type is `N_A`, which this program can't use"),
        (
            "mac",
            " --dpop",
            "caused by: the answer's token is not bound to the key: its type is `mac`, and `DPoP` was asked for",
        ),
    ] {
        let mut person = Person::new();
        let (odd, _seen) = server(&mut person, says, json!({}), None);
        set_up(&person, &odd.base, "[\"none\"]", "");
        let told = person.types(&format!("token as --grant client-credentials --client-id me{flags}"));
        assert_eq!((told.code, told.out.as_str()), (7, ""), "{}", told.err);
        assert!(told.err.contains(words), "{}", told.err);
    }
}

// RFC 9449, section 5.1: the member is optional; T-37: what comes back unbound is not used
#[test]
fn a_server_that_does_not_announce_dpop_is_asked_for_it_all_the_same_and_that_is_said() {
    for (token_type, code) in [("DPoP", 0), ("Bearer", 7)] {
        let mut person = Person::new();
        let methods = json!({ "token_endpoint_auth_methods_supported": ["client_secret_basic"] });
        let (odd, seen) = server(&mut person, token_type, methods, None);
        person.set("OAUTHCTL_CLIENT_SECRET", "a-client-secret-of-the-test");
        let line = format!("token {} --client-id me --grant client-credentials --store none --dpop", odd.base);
        let done = person.types(&line);
        assert_eq!(done.code, code, "{}", done.err);
        assert!(done.err.contains("warning: the provider does not announce DPoP"), "{}", done.err);
        assert_eq!(done.err.contains("not bound to the key"), code == 7, "{}", done.err);
        assert_eq!(seen.lock().unwrap().forms.len(), 1);
    }
}

#[test]
fn a_bound_token_says_what_it_needs_beside_it() {
    let mut person = Person::new();
    let (odd, seen) = server(&mut person, "DPoP", json!({}), None);
    set_up(&person, &odd.base, "[\"none\"]", "");
    person.config(
        "config.toml",
        "[profiles.as]\nprovider = \"as\"\ngrant = \"client-credentials\"\nclient-id = \"me\"\ndpop = true\n",
    );
    let header = person.types("token as --format header");
    assert_eq!((header.code, header.out.as_str()), (0, "Authorization: DPoP access-1\n"));
    for (format, code) in [("header", 0), ("env", 0), ("dotenv", 0), ("fish", 0), ("powershell", 0), ("bearer", 2)] {
        let done = person.types(&format!("token as --format {format}"));
        let warns = done.err.contains("each request needs a `DPoP` header of its own");
        assert_eq!((done.code, warns), (code, code == 0), "{format}: {}", done.err);
    }
    assert_eq!(person.types("token as --format netrc").code, 2);
    let proof = person.types("token as --format dpop-proof --method PUT --url https://api.example/x?y=z#w --nonce n-1");
    assert_eq!((proof.code, proof.err.as_str()), (0, ""));
    let head = jose::header(proof.out.trim_end()).unwrap();
    let key = Jwk::from_members(head.members["jwk"].as_object().unwrap()).unwrap();
    let (_, claims) = jose::verify(proof.out.trim_end(), &[Algorithm::ES256], &key).unwrap();
    assert_eq!(key.thumbprint(), seen.lock().unwrap().proofs[0].1);
    assert_eq!(
        (claims["htm"].as_str(), claims["htu"].as_str(), claims["nonce"].as_str(), claims["ath"].as_str()),
        (Some("PUT"), Some("https://api.example/x"), Some("n-1"), Some(jose::sha256(b"access-1").as_str()))
    );
    assert_eq!(person.types("token as --format dpop-proof").code, 2);
    assert_eq!(person.types("token as --url https://api.example/").code, 2);
    let status = person.types("status as");
    assert!(
        status.out.contains(&format!("bound to       a key in the store (DPoP), thumbprint {}", key.thumbprint())),
        "{}",
        status.out
    );
}

#[test]
fn keys_of_the_configuration_are_read_strictly() {
    let mut person = Person::new();
    set_up(&person, "https://as.example", "[\"none\"]", "");
    for (line, says) in [
        ("auth = \"private-key-jtw\"", "did you mean `private-key-jwt`?"),
        ("assertion-audience = \"me\"", "it is `token-endpoint`, `issuer` or a URL"),
        ("client-key = \"-----BEGIN\"", "contains a secret in plain text"),
        ("client-key-algorithm = \"none\"", "it is one of `RS256`"),
        ("dpop = \"yes\"", "dpop"),
        ("client-kee = 1", "client-key"),
    ] {
        person.config("config.toml", &format!("[profiles.as]\nprovider = \"as\"\n{line}\n"));
        let told = person.types("token as");
        assert_eq!(told.code, 2, "{line}: {}", told.err);
        assert!(told.err.contains(says), "{line}: {}", told.err);
    }
    person.config("config.toml", "[profiles.as]\nprovider = \"as\"\n");
    assert_eq!(person.types("profile set as dpop true").code, 0);
    assert_eq!(person.types("profile set as client-key.file /x/key.pem").code, 0);
    assert_eq!(person.types("profile set as auth private_key_jwt").code, 0);
    assert_ne!(person.types("profile set as client-key x").code, 0);
    assert!(person.config_text().contains("client-key = { file = \"/x/key.pem\" }"), "{}", person.config_text());
}

// what was kept before the profile said `dpop`
#[test]
fn a_token_from_before_is_not_used_where_bound_ones_are_wanted() {
    let mut person = Person::new();
    let (odd, seen) = server(&mut person, "Bearer", json!({}), None);
    set_up(&person, &odd.base, "[\"none\"]", "");
    let profile = |more: &str| {
        format!("[profiles.as]\nprovider = \"as\"\ngrant = \"client-credentials\"\nclient-id = \"me\"\n{more}")
    };
    person.config("config.toml", &profile(""));
    person.types("token as").is(0, "access-1\n", "");
    seen.lock().unwrap().token_type = "DPoP";
    person.config("config.toml", &profile("dpop = true\n"));
    person.types("token as").is(0, "access-2\n", "");
    assert_eq!(person.record("as")["token"]["token_type"], "DPoP");
    assert!(person.record("as")["dpop_key"].is_string());
    person.types("token as").is(0, "access-2\n", "");
}

#[test]
fn doctor_looks_at_the_clients_key() {
    let mut person = Person::new();
    let (odd, _seen) = server(&mut person, "Bearer", json!({}), None);
    let key = set_up(&person, &odd.base, "[\"private_key_jwt\"]", &made(&PKCS_ED25519));
    let profile =
        format!("[profiles.as]\nprovider = \"as\"\nclient-id = \"me\"\nclient-key = {{ file = \"{key}\" }}\n");
    person.config("config.toml", &profile);
    let report = person.types("doctor as").out;
    assert!(report.contains("ok    client proof   key in ") && report.contains(": Ed25519, thumbprint "), "{report}");
    std::fs::write(&key, "no key").unwrap();
    let report = person.types("doctor as").out;
    assert!(
        report.contains("FAIL  client proof   the client key of `as` can't be used: it is neither PEM nor a JWK"),
        "{report}"
    );
}

// RFC 8705, section 5
#[test]
fn with_a_certificate_userinfo_is_asked_where_the_server_wants_one() {
    let made = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["client.example".to_owned()]).unwrap().self_signed(&made);
    let mut me = Person::new();
    let op = Op::start(&mut me, Plan { announced: vec!["ES256".into()], ..Plan::default() });
    let alias = format!("{}/mtls/userinfo", op.server.base);
    op.plan.lock().unwrap().document = json!({
        "mtls_endpoint_aliases": { "userinfo_endpoint": alias },
        "tls_client_certificate_bound_access_tokens": true,
    });
    let (key_file, certificate_file) = (me.path("key.pem"), me.path("client.pem"));
    std::fs::write(&key_file, pem("PRIVATE KEY", &made.serialize_der())).unwrap();
    std::fs::write(&certificate_file, pem("CERTIFICATE", certificate.unwrap().der())).unwrap();
    let by = format!(
        "--auth none --client-key-file {} --client-certificate {}",
        key_file.display(),
        certificate_file.display()
    );
    let done = me.browser(op.browser()).types(&format!("{} {by}", op.login()));
    assert_eq!(done.code, 0, "{}", done.err);
    me.types("userinfo op");
    assert_eq!(op.seen().last().map(|line| line.contains("GET /mtls/userinfo")), Some(true), "{:?}", op.seen());
}
