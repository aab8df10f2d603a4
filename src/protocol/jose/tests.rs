//! The RFCs' own examples, every form of key that tools write, and refused input.

mod test_keys;

use serde_json::json;

use super::*;

/// Name, text, kind. Each pair of neighbours up to the sixth is one key in two forms.
fn keys() -> [(&'static str, String, &'static str); 8] {
    let ((p256, p256_sec1), (p384, p384_sec1)) = (test_keys::p256(), test_keys::p384());
    let (ed25519, certificate, _) = test_keys::ed25519();
    [
        ("rsa.pkcs1", test_keys::rsa_pkcs1(), "RSA"),
        ("rsa.pkcs8", test_keys::rsa_pkcs8(), "RSA"),
        ("p256.sec1, parameters first", p256_sec1, "P-256"),
        ("p256.pkcs8", p256, "P-256"),
        ("p384.sec1, parameters first", p384_sec1, "P-384"),
        ("p384.pkcs8", p384, "P-384"),
        ("ed25519 behind a certificate", format!("{certificate}{ed25519}"), "Ed25519"),
        ("ed25519", ed25519, "Ed25519"),
    ]
}

fn p256() -> SigningKey {
    key(&test_keys::p256().0)
}

fn public(text: &[u8]) -> Jwk {
    Jwk::from_members(&strict::object(text, "key").unwrap()).unwrap()
}

fn key(text: &str) -> SigningKey {
    SigningKey::read(&Secret::unlisted(text)).unwrap()
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A token that nobody signed, of these two parts.
fn token(header: &str, payload: &str) -> String {
    format!("{}.{}.c2ln", base64url(header), base64url(payload))
}

// RFC 7515, appendix A; RFC 7520, section 4; RFC 8037, appendix A
#[test]
fn the_rfcs_own_examples_verify_and_where_nothing_is_random_are_made_again() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("rfc_vectors.json")).unwrap();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let source = vector["source"].as_str().unwrap();
        let token = vector["token"].as_str().unwrap();
        let alg = header(token).unwrap().algorithm().unwrap();
        let shared = vector["key"]["k"].as_str().map(|k| URL_SAFE_NO_PAD.decode(k).unwrap());
        let public = Jwk::from_members(vector["key"].as_object().unwrap());
        let with = match &shared {
            Some(bytes) => VerifyKey::Shared(bytes),
            None => VerifyKey::Public(public.as_ref().unwrap()),
        };
        let (_, payload) = verify_bytes(token, &[alg], with).unwrap_or_else(|e| panic!("{source}: {e}"));
        assert!(payload.len() > 20, "{source}");

        let (input, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[3] ^= 1;
        let changed = format!("{input}.{}", base64url(&bytes));
        assert_eq!(verify_bytes(&changed, &[alg], with), Err(JoseError::Signature), "{source}");
        let others: Vec<Algorithm> = Algorithm::ALL.into_iter().filter(|other| *other != alg).collect();
        assert_eq!(verify_bytes(token, &others, with), Err(JoseError::Algorithm(alg.name().into())), "{source}");

        if shared.is_none() {
            let private = key(&vector["key"].to_string());
            assert_eq!(private.public_jwk().material, public.unwrap().material, "{source}");
            if vector["deterministic"] == true {
                assert_eq!(base64url(private.signature(alg, input.as_bytes()).unwrap()), signature, "{source}");
            }
        }
    }
}

// RFC 7638, section 3.1; RFC 8037, appendix A.3
#[test]
fn thumbprints_are_those_of_the_rfcs() {
    let rsa = public(
        br#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
    );
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!((rsa.kid.as_deref(), rsa.alg.as_deref()), (Some("2011-04-29"), Some("RS256")));
    let ed = public(br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#);
    assert_eq!(ed.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // a leading zero in the modulus is no other key
    let mut padded = rsa.to_members();
    let n = URL_SAFE_NO_PAD.decode(padded["n"].as_str().unwrap()).unwrap();
    padded.insert("n".into(), base64url([&[0][..], &n].concat()).into());
    assert_eq!(Jwk::from_members(&padded).unwrap(), rsa);
}

// RFC 7517, appendix A.1
#[test]
fn a_set_is_read_and_what_is_not_understood_is_passed_over() {
    let mut set: Value = json!({"keys": [
        {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},
        {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"},
        {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"b","alg":"EdDSA"},
        {"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"},
        {"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qz"},
        {"kty":"RSA","n":"AQAB","e":"AQAB"},
        {"kty":"EC","crv":"P-256","x":"AA","y":"AA"},
        {"kty":7}, {}, "key",
    ]});
    let read = JwkSet::read(set.to_string().as_bytes()).unwrap();
    assert_eq!((read.keys.len(), read.passed_over), (3, 7));
    let names = |alg, kid| read.candidates(alg, kid).map(|key| key.kid.as_deref().unwrap()).collect::<Vec<_>>();
    assert_eq!(names(Algorithm::EdDSA, None), ["a", "b"]);
    assert_eq!(names(Algorithm::EdDSA, Some("b")), ["b"]);
    assert_eq!(names(Algorithm::ES256, None), Vec::<&str>::new());
    assert_eq!(names(Algorithm::RS256, Some("a")), Vec::<&str>::new());

    set["keys"] = Value::Array(vec![json!({}); 257]);
    for bad in [
        set.to_string(),
        "[]".into(),
        "{}".into(),
        r#"{"keys":{}}"#.into(),
        "nonsense".into(),
        r#"{"keys":[],"keys":[]}"#.into(),
    ] {
        assert!(JwkSet::read(bad.as_bytes()).is_err(), "{bad:.40}");
    }
    assert_eq!(JwkSet::read(&vec![b' '; 1 << 20]), Err(JoseError::TooLong(512 * 1024)));
}

#[test]
fn every_form_of_key_signs_what_its_public_half_verifies() {
    for (name, pem, kind) in keys() {
        let key = key(&pem);
        assert_eq!(key.kind(), kind, "{name}");
        assert_eq!(key.kid, None, "{name}");
        let public = public(Value::Object(key.public_jwk().to_members()).to_string().as_bytes());
        assert_eq!(public.thumbprint(), key.thumbprint(), "{name}");
        for alg in key.algorithms() {
            let token = key.sign(alg, map(json!({"typ": "JWT"})), &map(json!({"iss": "me", "n": 1}))).unwrap();
            let (header, claims) =
                verify(token.expose(), &[alg], &public).unwrap_or_else(|e| panic!("{name}, {alg}: {e}"));
            assert_eq!(Value::Object(header.members), json!({"alg": alg.name(), "typ": "JWT"}));
            assert_eq!(Value::Object(claims), json!({"iss": "me", "n": 1}));
        }
    }
    for pair in keys().chunks(2) {
        assert_eq!(key(&pair[0].1).thumbprint(), key(&pair[1].1).thumbprint(), "{} and {}", pair[0].0, pair[1].0);
    }
}

#[test]
fn a_made_key_reads_back_and_is_no_other() {
    let (one, two) = (SigningKey::generate_p256().unwrap(), SigningKey::generate_p256().unwrap());
    let read = SigningKey::from_kept(&one).unwrap();
    assert_eq!((read.kind(), read.default_algorithm()), ("P-256", Algorithm::ES256));
    assert_eq!(read.thumbprint(), SigningKey::from_kept(&one).unwrap().thumbprint());
    assert_ne!(read.thumbprint(), SigningKey::from_kept(&two).unwrap().thumbprint());
    assert!(!format!("{read:?}").contains(one.expose()));
}

#[test]
fn what_is_no_signing_key_is_called_by_its_name() {
    let (n, d) = ("AQAB", "AQAB");
    for (given, says) in [
        (test_keys::labelled("ENCRYPTED PRIVATE KEY"), "it is encrypted with a passphrase"),
        (test_keys::old_encrypted(), "it is encrypted with a passphrase"),
        (test_keys::rsa_public(), "it is a public key, not a private key"),
        (test_keys::labelled("CERTIFICATE"), "it is a certificate, not a private key"),
        (test_keys::labelled("CERTIFICATE REQUEST"), "it is a certificate request, not a private key"),
        (test_keys::labelled("OPENSSH PRIVATE KEY"), "it is an OpenSSH key"),
        (test_keys::rsa_1024(), "it is an RSA key of less than 2048 bits"),
        (test_keys::p521_sec1(), "it is a key of the kind P-521"),
        (test_keys::p521_pkcs8(), "it is a key of the kind P-521"),
        (test_keys::ed448(), "it is a key of the kind Ed448"),
        (test_keys::rsa_pss(), "it is a key of the kind RSA-PSS"),
        (String::new(), "it is neither PEM nor a JWK"),
        ("hunter2".into(), "it is neither PEM nor a JWK"),
        ("-----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----".into(), "it is a PEM text of `PGP MESSAGE`"),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".into(),
            "it is a key of the kind that is not known",
        ),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----".into(), "it can't be read"),
        ("-----BEGIN PRIVATE KEY-----\n%%%\n-----END PRIVATE KEY-----".into(), "it can't be read"),
        (json!({"kty":"oct","k":"AQAB"}).to_string(), "it is a shared secret"),
        (
            json!({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}).to_string(),
            "it is a public key",
        ),
        (json!({"keys":[]}).to_string(), "it is a set of keys"),
        (json!({"kty":"EC","crv":"P-521","d":d}).to_string(), "it is a key of the kind P-521"),
        (json!({"kty":"RSA","n":n,"e":n,"d":d}).to_string(), "it can't be read: it has no `p`"),
        (
            json!({"kty":"OKP","crv":"Ed25519","x":"AA","d":"!"}).to_string(),
            "it can't be read: its `d` is not base64url",
        ),
        (r#"{"kty":"OKP","kty":"EC"}"#.into(), "it can't be read: `kty` is in it twice"),
        ("{".into(), "it can't be read"),
    ] {
        let error = SigningKey::read(&Secret::unlisted(given.as_str())).unwrap_err().to_string();
        assert!(error.starts_with(says), "{error} is not: {says}");
    }
}

#[test]
fn a_jwk_signs_with_its_name_and_for_its_algorithm_alone() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("rfc_vectors.json")).unwrap();
    let mut jwk = vectors[3]["key"].clone();
    jwk["alg"] = "PS256".into();
    let key = key(&jwk.to_string());
    assert_eq!(key.default_algorithm(), Algorithm::PS256);
    let token = key.sign(Algorithm::PS256, Map::new(), &Map::new()).unwrap();
    assert_eq!(header(token.expose()).unwrap().kid.as_deref(), Some("bilbo.baggins@hobbiton.example"));
    assert_eq!(
        key.sign(Algorithm::RS256, Map::new(), &Map::new()),
        Err(KeyError::Algorithm { key: "RSA", alg: Algorithm::RS256 })
    );
    jwk["alg"] = "ES256".into();
    assert_eq!(
        SigningKey::read(&Secret::unlisted(jwk.to_string())).unwrap_err(),
        KeyError::Kind("RSA for `ES256`".into())
    );
}

// the header is read before any signature is: RFC 7515, sections 4.1.11 and 5.2
#[test]
fn a_header_that_could_be_read_in_two_ways_is_not_read() {
    for (head, says) in [
        (r#"{"alg":"none"}"#, "it is not signed (`alg` is `none`)"),
        (r#"{"alg":"nOnE"}"#, "it is not signed (`alg` is `none`)"),
        (r#"{"alg":"ES512"}"#, "it is signed with `ES512`, which is not allowed here"),
        (r#"{"alg":"HS256"}"#, "it is signed with `HS256`, which is not allowed here"),
        (r#"{"alg":"ES256","alg":"none"}"#, "`alg` is in it twice"),
        (r#"{"alg":"ES256","x":{"a":1,"a":2}}"#, "`a` is in it twice"),
        (r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, "its header demands that `b64` is understood (`crit`)"),
        (r#"{"alg":"ES256","crit":[]}"#, "its header demands that `nothing` is understood (`crit`)"),
        (r#"{"alg":"ES256","kid":7}"#, "its header's `kid` is not a text"),
        (r#"{"kid":"1"}"#, "its header has no `alg`"),
        (r#"["ES256"]"#, "its header is not a JSON object: it is another kind of JSON"),
        (r#"{"alg":"ES256"} x"#, "its header is not a JSON object"),
    ] {
        let public = p256().public_jwk();
        let error = verify(&token(head, "{}"), &[Algorithm::ES256], &public).unwrap_err().to_string();
        assert!(error.starts_with(says), "{head}: {error}");
    }
    for (bad, says) in [
        ("", JoseError::Parts(1)),
        ("a.b", JoseError::Parts(2)),
        ("a.b.c.d", JoseError::Parts(4)),
        ("a.b.c.d.e", JoseError::Encrypted),
        ("!.b.c", JoseError::Base64("header")),
        ("e30=.e30.", JoseError::Base64("header")),
        // C-15
        (&".".repeat(10_000_000), JoseError::TooLong(LONGEST)),
        (&format!("{}.e30.c2ln", "A".repeat(40_000)), JoseError::TooLong(LONGEST_HEADER)),
    ] {
        assert_eq!(header(bad), Err(says), "{bad:.40}");
    }
    let deep = token(&format!("{{\"alg\":\"ES256\",\"x\":{}{}}}", "[".repeat(5000), "]".repeat(5000)), "{}");
    assert!(header(&deep).is_err());
}

// the oldest trick: a public key as an HMAC secret
#[test]
fn a_key_of_one_kind_never_verifies_the_algorithm_of_another() {
    let public = key(&test_keys::rsa_pkcs1()).public_jwk();
    let pem = test_keys::rsa_public();
    let forged = sign_with_secret(Algorithm::HS256, &Secret::unlisted(pem), Map::new(), &Map::new()).unwrap();
    assert_eq!(
        verify(forged.expose(), &Algorithm::ALL, &public),
        Err(JoseError::KeyMismatch { alg: Algorithm::HS256, key: "RSA" })
    );
    let own_key = p256();
    let signed = own_key.sign(Algorithm::ES256, Map::new(), &Map::new()).unwrap();
    assert_eq!(
        verify(signed.expose(), &Algorithm::ALL, &Secret::unlisted("secret")),
        Err(JoseError::KeyMismatch { alg: Algorithm::ES256, key: "a shared secret" })
    );
    assert_eq!(
        verify(signed.expose(), &Algorithm::ALL, &public),
        Err(JoseError::KeyMismatch { alg: Algorithm::ES256, key: "RSA" })
    );
    let own = Jwk { usage: Some("enc".into()), ..own_key.public_jwk() };
    assert!(matches!(verify(signed.expose(), &[Algorithm::ES256], &own), Err(JoseError::BadKey(_))));
    // RFC 7517, section 4.3
    for (operations, verifies) in
        [(json!(["encrypt"]), false), (json!([]), false), (json!("verify"), false), (json!(["sign", "verify"]), true)]
    {
        let mut members = own_key.public_jwk().to_members();
        members.insert("key_ops".into(), operations.clone());
        let own = Jwk::from_members(&members).unwrap();
        assert_eq!(verify(signed.expose(), &[Algorithm::ES256], &own).is_ok(), verifies, "{operations}");
        // and as it is kept with a login
        let set = JwkSet::read(json!({ "keys": [own.to_members()] }).to_string().as_bytes()).unwrap();
        assert_eq!(set.candidates(Algorithm::ES256, None).count(), usize::from(verifies), "{operations}");
    }
    let own = Jwk { alg: Some("ES384".into()), ..own_key.public_jwk() };
    assert!(matches!(verify(signed.expose(), &[Algorithm::ES256], &own), Err(JoseError::BadKey(_))));
}

#[test]
fn a_shared_secret_signs_and_verifies() {
    let secret = Secret::unlisted("a-client-secret");
    for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let token = sign_with_secret(alg, &secret, Map::new(), &map(json!({"sub": "me"}))).unwrap();
        assert_eq!(verify(token.expose(), &[alg], &secret).unwrap().1["sub"], "me");
        assert_eq!(verify(token.expose(), &[alg], &Secret::unlisted("another")), Err(JoseError::Signature));
    }
    assert!(sign_with_secret(Algorithm::RS256, &secret, Map::new(), &Map::new()).is_err());
}

#[test]
fn a_certificates_thumbprint_is_that_of_its_der_form() {
    let (key, certificate, der) = test_keys::ed25519();
    let hash = ring::digest::digest(&ring::digest::SHA256, &der);
    assert_eq!(certificate_thumbprint(&certificate).unwrap(), URL_SAFE_NO_PAD.encode(hash));
    assert_eq!(certificate_thumbprint(&key), Err(KeyError::NoCertificate));
    assert_eq!(make_a_pair(&certificate, &key), Ok(()));
    assert_eq!(make_a_pair(&certificate, &test_keys::p384().0), Err(KeyError::NotItsCertificate));
    assert_eq!(make_a_pair(&key, &key), Err(KeyError::NoCertificate));
}

// a key that was read is not shown, in no part that is long enough to be one
#[test]
fn a_key_that_was_read_is_redacted_line_by_line() {
    let pem = test_keys::p384().0;
    key(&pem);
    let line = pem.lines().nth(1).unwrap();
    assert!(!crate::secret::redact(&format!("it says {line}")).contains(line));
}
