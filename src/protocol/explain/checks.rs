//! Describes each check of signed data for `--explain`: the compared claims, and the key that
//! verified the signature. The verdict is the judge's; this module only words it.

use serde_json::Value;

use super::{Line, Step};
use crate::protocol::id_token::{Expected, Fault, OLDEST, TOLERANCE, half_hash, other_acr};
use crate::protocol::jose::trust::SignedError;
use crate::protocol::jose::{Header, JwkSet, Members};
use crate::secret::fingerprint;
use crate::text::safe;

/// The claims of a login's ID token. `algorithm`: the header's. `fault`: the judge's finding.
pub fn id_token(algorithm: &str, claims: &Members, expected: &Expected<'_>, fault: Option<&Fault>) -> Step {
    let mut held = basics(claims, expected);
    held.add("nonce", hidden, expected.nonce.map(|n| format!("must be {}: sent with the request", shown(n))));
    held.hashes(algorithm, expected);
    held.add(
        "auth_time",
        |v| when(v, expected.now),
        expected.max_age.map(|age| format!("at most {age} s ago (`max_age`), give or take {TOLERANCE} s")),
    );
    if !expected.acr_values.is_empty() {
        held.add("acr", plain, Some(format!("one of {} (`acr_values`)", safe(&expected.acr_values.join(", ")))));
    }
    let mut lines = held.lines(fault);
    // not a fault, but shown all the same
    if let Some(Line::Compared(_, _, _, holds)) =
        lines.iter_mut().find(|line| matches!(line, Line::Compared(name, ..) if name == "acr"))
    {
        *holds = other_acr(claims, expected.acr_values).is_none();
    }
    Step {
        title: "Checking the claims of the ID token",
        section: "OpenID Connect Core 1.0, section 3.1.3.7",
        why: "it names the account: it must be from this server, for this client, for this login, and recent",
        lines,
    }
}

/// The claims of a refresh's ID token; `of_login`: the login's token, if there is one.
pub fn renewed_id_token(
    algorithm: &str,
    (claims, of_login): (&Members, Option<&Members>),
    expected: &Expected<'_>,
    fault: Option<&Fault>,
) -> Step {
    let mut held = Held { claims, lines: Vec::new() };
    for name in ["sub", "azp", "nonce"] {
        let show = if name == "azp" { plain } else { hidden };
        if let Some(login) = of_login.and_then(|old| old.get(name)) {
            held.add(name, show, Some(format!("must be {}: the login's", show(login))));
        }
    }
    let mut rest = basics(claims, expected);
    rest.lines.retain(|(name, ..)| !held.lines.iter().any(|(known, ..)| known == name));
    held.lines.append(&mut rest.lines);
    held.hashes(algorithm, expected);
    Step {
        title: "Checking the claims of the refreshed ID token",
        section: "OpenID Connect Core 1.0, section 12.2",
        why: "a refresh may change the times, but never the account, the issuer or the audience",
        lines: held.lines(fault),
    }
}

/// The claims of a signed authorization response, without the response's parameters.
pub fn signed_answer(claims: &Members, issuer: &str, client_id: &str, now: i64, fault: Option<&Fault>) -> Step {
    let mut held = Held { claims, lines: Vec::new() };
    held.add("iss", plain, Some(format!("must be {}", safe(issuer))));
    held.add("aud", plain, Some(format!("must be {} alone", safe(client_id))));
    held.times(now);
    Step {
        title: "Checking the claims of the signed response",
        section: "JWT Secured Authorization Response Mode (JARM), section 2.4",
        why: "it came through the browser: the signature shows that it was not changed and is for this client",
        lines: held.lines(fault),
    }
}

/// Cached keys that are still fresh. `left`: seconds until they expire.
pub fn kept_keys(uri: &str, keys: &JwkSet, left: i64) -> Step {
    let good = if left > 0 { format!("valid for another {left} s") } else { "expired".to_owned() };
    Step {
        title: "Using the stored public keys of the server",
        section: "RFC 7517, section 5",
        why: "they came from the server's own address for them, and are fetched again when they expire",
        lines: vec![
            Line::Compared("jwks_uri".to_owned(), safe(uri), good, true),
            Line::Compared("keys".to_owned(), names(keys), String::new(), true),
        ],
    }
}

/// A token names a key outside the cached set.
pub fn unknown_key(kid: Option<&str>, keys: &JwkSet) -> Step {
    Step {
        title: "The key is not among the stored ones",
        section: "OpenID Connect Core 1.0, section 10.1.1",
        why: "a server changes its keys now and then: they are fetched once more, and not a second time",
        lines: vec![Line::Compared(
            "kid".to_owned(),
            kid.map_or_else(|| "(none)".to_owned(), safe),
            format!("stored: {}", names(keys)),
            false,
        )],
    }
}

/// A signature and its verdict.
pub fn signature(header: &Header, announced: &[String], symmetric: bool, fault: Option<&SignedError>) -> Step {
    let names = if announced.is_empty() { "RS256".to_owned() } else { announced.join(", ") };
    let key = match (symmetric, header.kid.as_deref()) {
        (true, _) => ("client_secret", "(the client's own)".to_owned()),
        (false, Some(kid)) => ("kid", safe(kid)),
        (false, None) => ("kid", "(none)".to_owned()),
    };
    let says = fault.map_or_else(|| "verifies with that key".to_owned(), |e| safe(&e.to_string()));
    let alg_is_bad = matches!(fault, Some(SignedError::Algorithm(_)));
    Step {
        title: "Checking the signature",
        section: if symmetric {
            "OpenID Connect Core 1.0, section 10.1; RFC 7515, section 5.2"
        } else {
            "RFC 7515, section 5.2; RFC 8725, section 3.1"
        },
        why: "the server announced the algorithm; the token can't choose it",
        lines: vec![
            Line::Compared("alg".to_owned(), safe(&header.alg), format!("announced: {}", safe(&names)), !alg_is_bad),
            Line::Compared(key.0.to_owned(), key.1, String::new(), true),
            Line::Compared("signature".to_owned(), says, String::new(), fault.is_none()),
        ],
    }
}

/// The checked claims, in the judge's order.
struct Held<'a> {
    claims: &'a Members,
    /// Name, meaning, required value.
    lines: Vec<(&'static str, String, String)>,
}

impl Held<'_> {
    /// `wanted`: the required value; `None`: the claim is checked only if it should be absent.
    fn add(&mut self, name: &'static str, show: impl Fn(&Value) -> String, wanted: Option<String>) {
        let found = self.claims.get(name).filter(|v| !v.is_null()).map(show);
        self.lines.push((name, found.unwrap_or_default(), wanted.unwrap_or_default()));
    }

    fn times(&mut self, now: i64) {
        self.add("exp", |v| when(v, now), Some(format!("ahead, or at most {TOLERANCE} s ago")));
        self.add("iat", |v| when(v, now), Some(format!("past, or at most {TOLERANCE} s ahead")));
        self.add("nbf", |v| when(v, now), Some(format!("past, or at most {TOLERANCE} s ahead")));
    }

    fn hashes(&mut self, algorithm: &str, expected: &Expected<'_>) {
        for (name, what, value) in expected.hashed() {
            let ours = value.and_then(|value| half_hash(algorithm, value));
            self.add(name, hidden, ours.map(|ours| format!("must be {}: half the hash of the {what}", shown(&ours))));
        }
    }

    /// The claims up to the one at fault: the judge read no further.
    fn lines(self, fault: Option<&Fault>) -> Vec<Line> {
        let bad = fault.map(Fault::claim);
        let mut out = Vec::new();
        for (name, found, wanted) in self.lines {
            let holds = bad != Some(name);
            if found.is_empty() && holds {
                continue;
            }
            let found = if found.is_empty() { "(not there)".to_owned() } else { found };
            let wanted = if wanted.is_empty() { "none was expected".to_owned() } else { wanted };
            out.push(Line::Compared(name.to_owned(), super::cut(found), super::cut(wanted), holds));
            if !holds {
                break;
            }
        }
        out
    }
}

fn basics<'a>(claims: &'a Members, expected: &Expected<'_>) -> Held<'a> {
    let mut held = Held { claims, lines: Vec::new() };
    let client = safe(expected.client_id);
    held.add("iss", plain, Some(format!("must be {}", safe(expected.issuer))));
    held.add("sub", hidden, Some("the account: 1 to 255 characters".to_owned()));
    let others = match expected.audiences {
        [] => "and no other".to_owned(),
        trusted => format!("and no other but {}", safe(&trusted.join(", "))),
    };
    held.add("aud", plain, Some(format!("must hold {client}, {others}")));
    held.add("azp", plain, Some(format!("must be {client}")));
    held.times(expected.now);
    for (_, _, wanted) in held.lines.iter_mut().filter(|(name, ..)| *name == "iat") {
        *wanted = format!("at most {OLDEST} s ago, and at most {TOLERANCE} s ahead");
    }
    held
}

/// A claim without personal data.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => safe(text),
        Value::Array(list) => {
            safe(&list.iter().map(|v| v.as_str().unwrap_or("(no text)")).collect::<Vec<_>>().join(", "))
        }
        other => safe(&other.to_string()),
    }
}

/// A claim that is shown only as its fingerprint.
fn hidden(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text),
        other => shown(&other.to_string()),
    }
}

fn shown(text: &str) -> String {
    format!("[{}]", fingerprint(text.as_bytes()))
}

fn when(value: &Value, now: i64) -> String {
    match value.as_f64().map(|at| (at as i64).saturating_sub(now)) {
        None => plain(value),
        Some(left @ 1..) => format!("in {left} s"),
        Some(0) => "now".to_owned(),
        Some(ago) => format!("{} s ago", ago.unsigned_abs()),
    }
}

fn names(keys: &JwkSet) -> String {
    let names: Vec<&str> = keys.keys.iter().map(|key| key.kid.as_deref().unwrap_or("(without a name)")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        names => super::cut(safe(&names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::id_token::{judge, judge_renewed};

    const NOW: i64 = 1_795_298_400;

    fn claims(change: Value) -> Members {
        let mut claims = json!({
            "iss": "https://as.example", "sub": "alice", "aud": "an-app", "exp": NOW + 300, "iat": NOW, "nonce": "n-1",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object().cloned().unwrap()
    }

    fn expected(nonce: Option<&'static str>) -> Expected<'static> {
        Expected {
            issuer: "https://as.example",
            client_id: "an-app",
            audiences: &[],
            nonce,
            max_age: None,
            acr_values: &[],
            access_token: Some("an-access-token"),
            code: Some("a-code"),
            state: None,
            now: NOW,
        }
    }

    fn compared(step: &Step) -> Vec<(&str, bool)> {
        let one = |line| match line {
            &Line::Compared(ref name, _, _, holds) => (name.as_str(), holds),
            other => panic!("{other:?}"),
        };
        step.lines.iter().map(one).collect()
    }

    #[test]
    fn each_fault_is_told_at_its_claim_and_nothing_below_it() {
        for (change, last) in [
            (json!({ "iss": "https://evil.example" }), "iss"),
            (json!({ "sub": null }), "sub"),
            (json!({ "aud": ["an-app", "other"] }), "aud"),
            (json!({ "azp": "other" }), "azp"),
            (json!({ "exp": NOW - 90 }), "exp"),
            (json!({ "iat": NOW - 700_000 }), "iat"),
            (json!({ "nbf": NOW + 90 }), "nbf"),
            (json!({ "nonce": "n-2" }), "nonce"),
            (json!({ "nonce": null }), "nonce"),
            (json!({ "at_hash": "x" }), "at_hash"),
            (json!({ "c_hash": "x" }), "c_hash"),
        ] {
            let claims = claims(change);
            let expected = expected(Some("n-1"));
            let fault = judge("RS256", &claims, &expected).unwrap_err();
            let step = id_token("RS256", &claims, &expected, Some(&fault));
            let told = compared(&step);
            assert_eq!(told.last(), Some(&(last, false)), "{told:?}");
            assert!(told[..told.len() - 1].iter().all(|(_, holds)| *holds), "{told:?}");
        }
        let step = id_token("RS256", &claims(json!({})), &expected(Some("n-1")), None);
        assert_eq!(
            compared(&step),
            ["iss", "sub", "aud", "exp", "iat", "nonce"].map(|name| (name, true)),
            "what is not there is not told"
        );
        let unasked = id_token("RS256", &claims(json!({})), &expected(None), Some(&Fault::UnexpectedNonce));
        assert!(format!("{:?}", unasked.lines.last()).contains("none was expected"));
    }

    #[test]
    fn a_renewed_one_is_compared_with_the_logins() {
        let old = claims(json!({ "azp": "an-app" }));
        let new = claims(json!({ "sub": "mallory", "azp": "an-app" }));
        let expected = expected(None);
        let fault = judge_renewed("RS256", &new, &old, &expected).unwrap_err();
        let step = renewed_id_token("RS256", (&new, Some(&old)), &expected, Some(&fault));
        assert_eq!(compared(&step), [("sub", false)]);
        let fine = renewed_id_token("RS256", (&old, Some(&old)), &expected, None);
        let names: Vec<&str> = compared(&fine).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["sub", "azp", "nonce", "iss", "aud", "exp", "iat"]);
    }

    #[test]
    fn neither_person_nor_hash_nor_a_line_of_a_strangers_is_told() {
        let claims =
            claims(json!({ "sub": "alice-is-secret", "at_hash": "hash-1", "iss": "https://x\n\u{1b}[31m::error::" }));
        let told = format!(
            "{:?}{:?}",
            id_token("RS256", &claims, &expected(Some("n-1")), None),
            signed_answer(&claims, "https://as.example", "an-app", NOW, None)
        );
        for bad in ["alice-is-secret", "hash-1", "n-1", "an-access-token", "a-code", "\\n", "\\u{1b}"] {
            assert!(!told.contains(bad), "{bad} in {told}");
        }
    }
}
