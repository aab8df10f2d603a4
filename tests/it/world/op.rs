//! An OpenID provider of a few lines whose every word a test can bend: the keys are made for each,
//! nothing is signed that the test did not describe, and what a client would send secrets to is
//! this machine's loopback.

use std::sync::{Arc, Mutex};

use crate::world::serve;
use oauthctl::protocol::jose::{Algorithm, SigningKey, base64url, sign_with_secret};
use oauthctl::secret::Secret;
use serde_json::{Map, Value, json};

use super::robot::{Page, go, post};
use super::{Odd, Person, START, answer};

pub const CLIENT: &str = "an-app";
/// Long enough for HS256.
pub const CLIENT_SECRET: &str = "a-client-secret-of-more-than-32-bytes";
pub const ACCESS: &str = "access-token-of-alice";

/// What the provider does; every default is right.
#[derive(Clone)]
pub struct Plan {
    /// Claims changed, and claims taken away, in the ID token of a login.
    pub set: Map<String, Value>,
    pub unset: Vec<String>,
    /// The same for the ID token of a renewal.
    pub renewal: bool,
    pub algorithm: String,
    pub announced: Vec<String>,
    pub spoiled: bool,
    pub kid: Option<String>,
    /// How many keys of the kind are published.
    pub keys: usize,
    pub encrypted: bool,
    /// The ID token is in the redirect too.
    pub front: bool,
    /// `iss` of the discovery document, if it lies.
    pub issuer: Option<String>,
    /// Parameters of the redirect changed and taken away.
    pub redirect: Map<String, Value>,
    pub redirect_unset: Vec<String>,
    /// The redirect is a posted form.
    pub form: bool,
    pub userinfo: Value,
    /// How many requests for it are refused first, and with what: status and challenge.
    pub userinfo_refused: (usize, u16, &'static str),
    /// Members added to the discovery document.
    pub document: Value,
    /// The keys can't be had.
    pub keys_away: bool,
    /// The answer as a signed token (JARM).
    pub jarm: bool,
    pub typ: Option<String>,
    /// Members changed in the token endpoint's answer.
    pub answer: Value,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            set: Map::new(),
            unset: Vec::new(),
            renewal: false,
            algorithm: "ES256".into(),
            announced: Vec::new(),
            spoiled: false,
            kid: Some("key-1".into()),
            keys: 1,
            encrypted: false,
            front: false,
            issuer: None,
            redirect: Map::new(),
            redirect_unset: Vec::new(),
            form: false,
            userinfo: json!({ "sub": "alice", "name": "Alice Example" }),
            userinfo_refused: (0, 401, ""),
            document: json!({}),
            keys_away: false,
            jarm: false,
            typ: None,
            answer: json!({}),
        }
    }
}

impl Plan {
    /// A rule of `tests/vectors/`; times written as `now-5` are counted from the clock of the
    /// tests.
    pub fn of_vector(vector: &Value) -> Plan {
        let text = |name: &str| vector[name].as_str().map(str::to_owned);
        let algorithm = text("algorithm").unwrap_or("ES256".into());
        let announced = vector["announced"].as_array().map_or_else(
            || vec![if algorithm == "none" { "ES256".into() } else { algorithm.clone() }],
            |list| list.iter().map(|v| v.as_str().expect("a name").to_owned()).collect(),
        );
        Plan {
            set: timed(&vector["set"]),
            unset: names(&vector["unset"]),
            renewal: vector["renewal"] == true,
            algorithm,
            announced,
            spoiled: vector["signature"] == "wrong",
            kid: (vector["kid"] != "absent").then(|| "key-1".to_owned()),
            keys: vector["keys"].as_u64().unwrap_or(1) as usize,
            encrypted: vector["encrypted"] == true,
            front: vector["front"] == true,
            ..Plan::default()
        }
    }
}

pub fn names(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|v| v.as_str().expect("a name").to_owned()).collect()
}

pub fn timed(value: &Value) -> Map<String, Value> {
    let Some(members) = value.as_object() else { return Map::new() };
    let time = |v: &Value| match v.as_str().and_then(|t| t.strip_prefix("now")) {
        Some(seconds) => (START + seconds.parse::<i64>().expect("seconds")).into(),
        None => v.clone(),
    };
    members.iter().map(|(n, v)| (n.clone(), time(v))).collect()
}

pub struct Op {
    pub server: Odd,
    pub plan: Arc<Mutex<Plan>>,
    state: Arc<Mutex<State>>,
    ring: Arc<Keys>,
}

#[derive(Default)]
struct State {
    base: String,
    nonce: Option<String>,
    /// What was asked: method and path, with `Authorization` where there was one.
    seen: Vec<String>,
    renewals: usize,
    refused: usize,
}

struct Keys {
    ec: Vec<SigningKey>,
    /// The first of them, without its name.
    nameless: SigningKey,
    rsa: SigningKey,
}

impl Op {
    pub fn start(me: &mut Person, plan: Plan) -> Op {
        let kept = [(); 2].map(|()| SigningKey::generate_p256().expect("a key"));
        let made = |at: usize, kid: Option<&str>| {
            SigningKey::from_kept(&kept[at]).expect("the key").with_kid(kid.map(str::to_owned))
        };
        let ring = Arc::new(Keys {
            ec: vec![made(0, Some("key-1")), made(1, Some("key-2"))],
            nameless: made(0, None),
            rsa: rsa().with_kid(Some("key-1".to_owned())),
        });
        let plan = Arc::new(Mutex::new(plan));
        let state = Arc::new(Mutex::new(State::default()));
        let (p, s, r) = (plan.clone(), state.clone(), ring.clone());
        let server = me.odd("an OpenID provider", move |request| {
            let plan = p.lock().unwrap().clone();
            respond(request, &plan, &mut s.lock().unwrap(), &r)
        });
        state.lock().unwrap().base = server.base.clone();
        Op { server, plan, state, ring }
    }

    /// The authorize page of a person who is signed in already: remembers the nonce and comes back
    /// at once.
    pub fn browser(&self) -> impl FnOnce(&str) -> Vec<Page> + Send + 'static {
        let (plan, state, ring) = (self.plan.clone(), self.state.clone(), self.ring.clone());
        move |url| {
            let plan = plan.lock().unwrap().clone();
            let url = url::Url::parse(url).expect("an address");
            let asked = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
            let mut state = state.lock().unwrap();
            state.nonce = asked("nonce");
            let base = state.base.clone();
            let mut back = json!({ "code": "the-code", "state": asked("state").expect("a state"), "iss": base });
            if plan.front {
                back["id_token"] = id_token(&plan, &state, &ring, true).into();
            }
            for (name, value) in &plan.redirect {
                back[name.as_str()] = value.clone();
            }
            let back = back.as_object().unwrap().iter().filter(|(n, _)| !plan.redirect_unset.contains(n));
            let mut back: Map<String, Value> = back.map(|(n, v)| (n.clone(), v.clone())).collect();
            if plan.jarm {
                back.insert("aud".into(), CLIENT.into());
                back.insert("exp".into(), (START + 300).into());
                change(&mut back, &plan);
                back = Map::from_iter([("response".to_owned(), signed(&plan, &back, &ring).into())]);
            }
            drop(state);
            let pairs: Vec<(&str, &str)> =
                back.iter().map(|(n, v)| (n.as_str(), v.as_str().expect("a text"))).collect();
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let to = asked("redirect_uri").expect("a redirect address");
            match plan.form {
                true => vec![post(&to, &pairs)],
                false => vec![go(&format!("{to}?{query}"))],
            }
        }
    }

    /// Method and path of what was asked, in order.
    pub fn seen(&self) -> Vec<String> {
        self.state.lock().unwrap().seen.clone()
    }

    pub fn nonce(&self) -> Option<String> {
        self.state.lock().unwrap().nonce.clone()
    }

    /// A token of this provider's.
    pub fn sign(&self, plan: &Plan, claims: &Map<String, Value>) -> String {
        signed(plan, claims, &self.ring)
    }

    /// Words of a login here.
    pub fn login(&self) -> String {
        format!("login op --provider {} --client-id {CLIENT} --scope openid", self.server.base)
    }
}

/// The key of RFC 7520, section 3.4, which is everybody's: nothing here makes new ones of that
/// kind.
fn rsa() -> SigningKey {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../src/protocol/jose/rfc_vectors.json")).expect("JSON");
    let mut keys = vectors.as_array().expect("a list").iter().map(|vector| &vector["key"]);
    let mut key = keys.find(|key| key["kid"] == "bilbo.baggins@hobbiton.example").expect("a key").clone();
    for name in ["kid", "alg", "use"] {
        key.as_object_mut().expect("an object").remove(name);
    }
    SigningKey::read(&Secret::unlisted(key.to_string())).expect("a private key")
}

fn respond(request: &serve::Request, plan: &Plan, state: &mut State, ring: &Keys) -> serve::Response {
    let base = state.base.clone();
    let line = format!("{} {}", request.method, request.path);
    state.seen.push(line.clone());
    let ok = |value: &Value| answer(200, "application/json", &value.to_string());
    match line.as_str() {
        "GET /.well-known/openid-configuration" => {
            let mut document = json!({
                "issuer": plan.issuer.as_deref().unwrap_or(&base),
                "authorization_endpoint": format!("{base}/authorize"),
                "token_endpoint": format!("{base}/token"),
                "userinfo_endpoint": format!("{base}/userinfo"),
                "introspection_endpoint": format!("{base}/introspect"),
                "jwks_uri": format!("{base}/jwks"),
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
                "response_modes_supported": ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"],
                "authorization_response_iss_parameter_supported": !plan.jarm,
                "id_token_signing_alg_values_supported": plan.announced,
                "authorization_signing_alg_values_supported": plan.announced,
                "userinfo_signing_alg_values_supported": plan.announced,
                "introspection_signing_alg_values_supported": plan.announced,
            });
            for (name, value) in plan.document.as_object().into_iter().flatten() {
                document[name.as_str()] = value.clone();
            }
            ok(&document)
        }
        "GET /jwks" if plan.keys_away => answer(503, "text/plain", "later"),
        "GET /jwks" => {
            let mut keys: Vec<Value> =
                ring.ec.iter().take(plan.keys).map(|key| Value::Object(key.public_jwk().to_members())).collect();
            if plan.kid.as_deref() == Some("key-2") {
                keys = vec![Value::Object(ring.ec[1].public_jwk().to_members())];
            }
            keys.push(Value::Object(ring.rsa.public_jwk().to_members()));
            // what this program can't use is passed over
            keys.push(json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "key-1" }));
            ok(&json!({ "keys": keys }))
        }
        "POST /token" => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let renewal = body.contains("grant_type=refresh_token");
            state.renewals += usize::from(renewal);
            let bent = plan.renewal == renewal && !plan.jarm;
            let straight = Plan { announced: plan.announced.clone(), answer: plan.answer.clone(), ..Plan::default() };
            let plan = if bent { plan.clone() } else { straight };
            let mut body = json!({
                "access_token": if renewal { format!("{ACCESS}-{}", state.renewals) } else { ACCESS.to_owned() },
                "token_type": "Bearer", "expires_in": 3600,
                "refresh_token": format!("refresh-token-{}", state.renewals),
                "id_token": id_token(&plan, state, ring, false),
            });
            for (name, value) in plan.answer.as_object().into_iter().flatten() {
                body[name.as_str()] = value.clone();
            }
            ok(&body)
        }
        "GET /userinfo" if state.refused < plan.userinfo_refused.0 => {
            state.refused += 1;
            let (_, status, challenge) = plan.userinfo_refused;
            let mut refusal = answer(status, "text/plain", "");
            refusal.headers.push(("WWW-Authenticate".into(), challenge.into()));
            refusal
        }
        "GET /userinfo" => match &plan.userinfo {
            Value::String(token) => answer(200, "application/jwt", token),
            members => ok(members),
        },
        "POST /introspect" => match &plan.userinfo {
            Value::String(token) => answer(200, "application/token-introspection+jwt", token),
            members => ok(members),
        },
        _ => answer(404, "text/plain", "nothing"),
    }
}

fn id_token(plan: &Plan, state: &State, ring: &Keys, front: bool) -> String {
    if plan.encrypted {
        let header = base64url(r#"{"alg":"RSA1_5","enc":"A128CBC-HS256","kid":"key-1"}"#);
        return format!("{header}.ZW5jcnlwdGVkIGtleQ.aXY.Y2lwaGVydGV4dA.dGFn");
    }
    let mut claims = json!({
        "iss": state.base, "sub": "alice", "aud": CLIENT, "iat": START, "exp": START + 300, "email": "alice@example.test",
    });
    if let Some(nonce) = &state.nonce {
        claims["nonce"] = nonce.as_str().into();
    }
    let Value::Object(mut claims) = claims else { unreachable!() };
    if front {
        claims.insert("at_hash".into(), "x".into());
    }
    change(&mut claims, plan);
    signed(plan, &claims, ring)
}

fn change(claims: &mut Map<String, Value>, plan: &Plan) {
    for (name, value) in &plan.set {
        claims.insert(name.clone(), value.clone());
    }
    for name in &plan.unset {
        claims.remove(name);
    }
}

fn signed(plan: &Plan, claims: &Map<String, Value>, ring: &Keys) -> String {
    let mut header = Map::new();
    if plan.algorithm == "none" {
        return format!("{}.{}.", base64url(r#"{"alg":"none"}"#), base64url(Value::from(claims.clone()).to_string()));
    }
    let algorithm = Algorithm::from_name(&plan.algorithm).expect("an algorithm");
    if let Some(typ) = &plan.typ {
        header.insert("typ".into(), typ.as_str().into());
    }
    let token = match algorithm {
        Algorithm::HS256 => sign_with_secret(algorithm, &Secret::unlisted(CLIENT_SECRET), header, claims),
        Algorithm::ES256 => {
            let key = &ring.ec[usize::from(plan.kid.as_deref() == Some("key-2"))];
            match &plan.kid {
                Some(_) => key.sign_passing(algorithm, header, claims),
                None => ring.nameless.sign_passing(algorithm, header, claims),
            }
        }
        _ => ring.rsa.sign_passing(algorithm, header, claims),
    };
    let token = token.expect("a token").expose().to_owned();
    if !plan.spoiled {
        return token;
    }
    // another byte of the signature, so that it is well-formed and wrong
    let (body, signature) = token.rsplit_once('.').expect("three parts");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{body}.{first}{}", &signature[1..])
}
