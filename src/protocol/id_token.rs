//! Judges an ID token's claims (OpenID Connect Core 1.0, sections 3.1.3.7 and 12.2); `jose`
//! verifies the signature. Clocks differ, so times may be off by [`TOLERANCE`] seconds in either
//! direction. A token issued more than [`OLDEST`] seconds ago is refused, whatever its `exp`.

use ring::digest;
use serde_json::Value;

use crate::protocol::authorization_response::same;
use crate::protocol::jose::{Members, base64url};
use crate::text::safe;

/// Seconds by which the server's clock may differ from ours.
pub const TOLERANCE: i64 = 60;
/// The greatest age of a new token by its `iat`, in seconds: a day.
pub const OLDEST: i64 = 86_400;

/// The login's facts that the token must agree with.
#[derive(Clone, Debug, Default)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Trusted audiences beside the client (`id-token.audiences`).
    pub audiences: &'a [String],
    /// The nonce that was sent; with `None` the token may have none.
    pub nonce: Option<&'a str>,
    /// Seconds, if `max_age` was sent.
    pub max_age: Option<i64>,
    /// The levels requested by `acr_values`; empty if none.
    pub acr_values: &'a [String],
    /// For `at_hash`, `c_hash` and `s_hash`, if the token has them.
    pub access_token: Option<&'a str>,
    pub code: Option<&'a str>,
    pub state: Option<&'a str>,
    /// When the token arrived, in Unix seconds.
    pub now: i64,
}

impl<'a> Expected<'a> {
    /// The values whose hashes the token may have: the claim, the value in words, the value.
    pub fn hashed(&self) -> [(&'static str, &'static str, Option<&'a str>); 3] {
        [
            ("at_hash", "access token", self.access_token),
            ("c_hash", "code", self.code),
            ("s_hash", "`state`", self.state),
        ]
    }
}

/// Why an ID token is refused. Every text is safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it has no `{0}`")]
    Missing(&'static str),
    #[error("its `{0}` is not {1}")]
    Kind(&'static str, &'static str),
    #[error("it was issued by `{0}`, not by the expected server")]
    Issuer(String),
    #[error("it is for `{0}`, not for this client")]
    Audience(String),
    #[error("it is for this client and for `{0}`, which is not a trusted audience")]
    SecondAudience(String),
    #[error("its `azp` names `{0}`: it was given to another client")]
    AuthorizedParty(String),
    #[error("it expired {0} s ago")]
    Expired(i64),
    #[error("it was issued {0} s in the future: is a clock wrong?")]
    Future(i64),
    #[error("it was issued {0} s ago and is too old")]
    Old(i64),
    #[error("it is not valid for another {0} s (`nbf`)")]
    NotYet(i64),
    #[error("its `nonce` is not this login's")]
    Nonce,
    #[error("it has a `nonce`, but none was sent: it was made for another login")]
    UnexpectedNonce,
    #[error("its `{0}` does not fit the {1} that came with it")]
    Hash(&'static str, &'static str),
    #[error("the user signed in {0} s ago (`auth_time`), longer than `max_age` allows")]
    AuthTime(i64),
    #[error("the user signed in {0} s in the future (`auth_time`): is a clock wrong?")]
    AuthTimeAhead(i64),
    #[error("its `{0}` is not the one of the login")]
    Changed(&'static str),
}

impl Fault {
    /// The claim at fault.
    pub fn claim(&self) -> &'static str {
        match self {
            Fault::Missing(name) | Fault::Kind(name, _) | Fault::Hash(name, _) | Fault::Changed(name) => name,
            Fault::Issuer(_) => "iss",
            Fault::Audience(_) | Fault::SecondAudience(_) => "aud",
            Fault::AuthorizedParty(_) => "azp",
            Fault::Expired(_) => "exp",
            Fault::Future(_) | Fault::Old(_) => "iat",
            Fault::NotYet(_) => "nbf",
            Fault::Nonce | Fault::UnexpectedNonce => "nonce",
            Fault::AuthTime(_) | Fault::AuthTimeAhead(_) => "auth_time",
        }
    }
}

/// Judges a login's token. `algorithm` is the header's; it selects the hash of `at_hash` and the
/// like.
pub fn judge(algorithm: &str, claims: &Members, expected: &Expected<'_>) -> Result<(), Fault> {
    basics(claims, expected)?;
    match (text(claims, "nonce")?, expected.nonce) {
        (None, None) => {}
        (Some(nonce), Some(sent)) if same(nonce, sent) => {}
        (None, Some(_)) => return Err(Fault::Missing("nonce")),
        (Some(_), Some(_)) => return Err(Fault::Nonce),
        (Some(_), None) => return Err(Fault::UnexpectedNonce),
    }
    hashes(algorithm, claims, expected)?;
    let auth_time = seconds(claims, "auth_time")?;
    if let Some(max_age) = expected.max_age {
        let ago = expected.now.saturating_sub(auth_time.ok_or(Fault::Missing("auth_time"))?);
        if ago > max_age.saturating_add(TOLERANCE) {
            return Err(Fault::AuthTime(ago));
        }
        if ago < -TOLERANCE {
            return Err(Fault::AuthTimeAhead(ago.saturating_neg()));
        }
    }
    text(claims, "acr")?;
    Ok(())
}

/// A warning if the sign-in has none of the levels in `acr_values`. These request a voluntary claim
/// (section 5.5.1.1): a server may omit it or answer with another level.
pub fn other_acr(claims: &Members, acr_values: &[String]) -> Option<String> {
    let acr = claims.get("acr").and_then(Value::as_str);
    if acr_values.is_empty() || acr.is_some_and(|acr| acr_values.iter().any(|asked| asked == acr)) {
        return None;
    }
    let asked = safe(&acr_values.join(" "));
    Some(match acr {
        Some(acr) => format!("the sign-in is at the level `{}`, and `{asked}` was asked for (`acr_values`)", safe(acr)),
        None => format!("the provider does not say whether the sign-in is at a level of `{asked}` (`acr_values`)"),
    })
}

/// Judges a refresh's token against the login's own (section 12.2). `expected.nonce` is ignored:
/// the new token may omit the nonce but may not have another one.
pub fn judge_renewed(
    algorithm: &str,
    claims: &Members,
    of_login: &Members,
    expected: &Expected<'_>,
) -> Result<(), Fault> {
    for name in ["iss", "sub", "azp"] {
        if claims.get(name) != of_login.get(name) {
            return Err(Fault::Changed(name));
        }
    }
    if sorted(audiences(claims)?) != sorted(audiences(of_login)?) {
        return Err(Fault::Changed("aud"));
    }
    if claims.contains_key("nonce") && claims.get("nonce") != of_login.get("nonce") {
        return Err(Fault::Changed("nonce"));
    }
    basics(claims, expected)?;
    hashes(algorithm, claims, expected)
}

/// The token's hashes of the values that came with it.
fn hashes(algorithm: &str, claims: &Members, expected: &Expected<'_>) -> Result<(), Fault> {
    for (name, what, value) in expected.hashed() {
        if let (Some(hash), Some(value)) = (text(claims, name)?, value)
            && !half_hash(algorithm, value).is_some_and(|ours| same(hash, &ours))
        {
            return Err(Fault::Hash(name, what));
        }
    }
    Ok(())
}

/// Issuer, audience and times: required of every token of this kind.
fn basics(claims: &Members, expected: &Expected<'_>) -> Result<(), Fault> {
    let issuer = text(claims, "iss")?.ok_or(Fault::Missing("iss"))?;
    if issuer != expected.issuer {
        return Err(Fault::Issuer(safe(issuer)));
    }
    match text(claims, "sub")? {
        None => return Err(Fault::Missing("sub")),
        // section 2: at most 255 ASCII characters
        Some(sub) if sub.is_empty() || sub.len() > 255 => return Err(Fault::Kind("sub", "1 to 255 characters long")),
        Some(_) => {}
    }
    audience(claims, expected)?;
    times(claims, expected.now)?;
    let iat = seconds(claims, "iat")?.ok_or(Fault::Missing("iat"))?;
    if expected.now.saturating_sub(iat) > OLDEST {
        return Err(Fault::Old(expected.now.saturating_sub(iat)));
    }
    Ok(())
}

/// `aud` names this client and otherwise only trusted audiences; `azp`, if present, is this client.
fn audience(claims: &Members, expected: &Expected<'_>) -> Result<(), Fault> {
    let all = audiences(claims)?;
    if !all.contains(&expected.client_id) {
        return Err(Fault::Audience(safe(all.first().copied().unwrap_or_default())));
    }
    let trusted = |a: &&str| *a == expected.client_id || expected.audiences.iter().any(|t| t == a);
    if let Some(stranger) = all.iter().find(|a| !trusted(a)) {
        return Err(Fault::SecondAudience(safe(stranger)));
    }
    match text(claims, "azp")? {
        Some(azp) if azp != expected.client_id => Err(Fault::AuthorizedParty(safe(azp))),
        _ => Ok(()),
    }
}

/// The audiences of any JWT: one text, or a list of them.
pub fn audiences(claims: &Members) -> Result<Vec<&str>, Fault> {
    match claims.get("aud") {
        None | Some(Value::Null) => Err(Fault::Missing("aud")),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(list)) if !list.is_empty() => {
            list.iter().map(|v| v.as_str().ok_or(Fault::Kind("aud", "a list of texts"))).collect()
        }
        Some(_) => Err(Fault::Kind("aud", "a text or a list of texts")),
    }
}

/// `exp`, `iat` and `nbf` of any JWT that must expire.
pub fn times(claims: &Members, now: i64) -> Result<(), Fault> {
    match seconds(claims, "exp")? {
        None => Err(Fault::Missing("exp")),
        Some(_) => times_if_any(claims, now),
    }
}

/// The same for a token that may omit each of them (RFC 7519, section 4.1); those present count.
pub fn times_if_any(claims: &Members, now: i64) -> Result<(), Fault> {
    if let Some(exp) = seconds(claims, "exp")?
        && now.saturating_sub(TOLERANCE) >= exp
    {
        return Err(Fault::Expired(now.saturating_sub(exp)));
    }
    for (name, fault) in [("iat", Fault::Future as fn(i64) -> Fault), ("nbf", Fault::NotYet)] {
        if let Some(at) = seconds(claims, name)?
            && at.saturating_sub(TOLERANCE) > now
        {
            return Err(fault(at.saturating_sub(now)));
        }
    }
    Ok(())
}

/// The user's name in its most familiar form: `email`, `preferred_username`, `sub`.
pub fn account(claims: &Members) -> Option<String> {
    ["email", "preferred_username", "sub"]
        .iter()
        .find_map(|name| claims.get(*name).and_then(Value::as_str).filter(|s| !s.is_empty()))
        .map(str::to_owned)
}

/// The left half of a hash, in base64url (section 3.1.3.6). The token's algorithm selects the hash;
/// Ed25519 uses SHA-512.
pub fn half_hash(algorithm: &str, value: &str) -> Option<String> {
    let hash = match algorithm {
        "HS256" | "RS256" | "PS256" | "ES256" => &digest::SHA256,
        "HS384" | "RS384" | "PS384" | "ES384" => &digest::SHA384,
        "HS512" | "RS512" | "PS512" | "EdDSA" | "Ed25519" => &digest::SHA512,
        _ => return None,
    };
    let whole = digest::digest(hash, value.as_bytes());
    let bytes = whole.as_ref();
    Some(base64url(&bytes[..bytes.len() / 2]))
}

fn text<'a>(claims: &'a Members, name: &'static str) -> Result<Option<&'a str>, Fault> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::Kind(name, "a text")),
    }
}

/// Unix seconds; fractions are allowed (RFC 7519, section 2) and cut off.
pub fn seconds(claims: &Members, name: &'static str) -> Result<Option<i64>, Fault> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(n)) => match n.as_f64() {
            // no time lies beyond the year 9999
            Some(n) if (0.0..253_402_300_800.0).contains(&n) => Ok(Some(n as i64)),
            _ => Err(Fault::Kind(name, "a time")),
        },
        Some(_) => Err(Fault::Kind(name, "a number")),
    }
}

fn sorted(mut list: Vec<&str>) -> Vec<&str> {
    list.sort_unstable();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_298_400;

    fn claims(change: Value) -> Members {
        let mut claims = json!({
            "iss": "https://as.example", "sub": "alice", "aud": "an-app", "exp": NOW + 300, "iat": NOW, "nonce": "n-1",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        match claims {
            // `null` takes a claim away
            Value::Object(map) => map.into_iter().filter(|(_, v)| !v.is_null()).collect(),
            _ => unreachable!(),
        }
    }

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://as.example",
            client_id: "an-app",
            audiences: &[],
            nonce: Some("n-1"),
            max_age: None,
            acr_values: &[],
            access_token: Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            code: Some("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
            state: None,
            now: NOW,
        }
    }

    // OpenID Connect Core 1.0, appendix A.6: a response of `code id_token token`
    #[test]
    fn hashes_are_those_of_the_specifications_own_example() {
        let access = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(half_hash("RS256", access).unwrap(), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(half_hash("RS256", code).unwrap(), "LDktKdoQak3Pk0cnXxCltA");
        let claims = claims(json!({ "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "c_hash": "LDktKdoQak3Pk0cnXxCltA" }));
        assert_eq!(judge("RS256", &claims, &expected()), Ok(()));
        assert_eq!(judge("ES384", &claims, &expected()), Err(Fault::Hash("at_hash", "access token")));
        assert_eq!(half_hash("none", access), None);
    }

    #[test]
    fn the_clock_may_be_a_minute_off_and_no_more() {
        let at = |change| judge("RS256", &claims(change), &expected());
        assert_eq!(at(json!({ "exp": NOW - TOLERANCE + 1 })), Ok(()));
        assert_eq!(at(json!({ "exp": NOW - TOLERANCE })), Err(Fault::Expired(TOLERANCE)));
        assert_eq!(at(json!({ "iat": NOW + TOLERANCE })), Ok(()));
        assert_eq!(at(json!({ "iat": NOW + TOLERANCE + 1 })), Err(Fault::Future(TOLERANCE + 1)));
        assert_eq!(at(json!({ "nbf": NOW + TOLERANCE + 1 })), Err(Fault::NotYet(TOLERANCE + 1)));
        assert_eq!(at(json!({ "iat": NOW - OLDEST })), Ok(()));
        assert_eq!(at(json!({ "iat": NOW - OLDEST - 1 })), Err(Fault::Old(OLDEST + 1)));
        assert_eq!(at(json!({ "iat": NOW as f64 + 0.5 })), Ok(()));
    }

    #[test]
    fn claims_of_another_kind_are_refused_and_none_overflows() {
        for change in [
            json!({ "exp": "1795298700" }),
            json!({ "exp": 1e300 }),
            json!({ "exp": -1 }),
            json!({ "iat": true }),
            json!({ "aud": 7 }),
            json!({ "aud": [] }),
            json!({ "aud": ["an-app", 7] }),
            json!({ "sub": 7 }),
            json!({ "sub": "" }),
            json!({ "sub": "x".repeat(256) }),
            json!({ "iss": ["https://as.example"] }),
            json!({ "nonce": 1 }),
            json!({ "nbf": [] }),
            json!({ "at_hash": 1 }),
            json!({ "azp": {} }),
        ] {
            assert!(judge("RS256", &claims(change.clone()), &expected()).is_err(), "{change}");
        }
        let early = Expected { now: i64::MIN, ..expected() };
        assert!(judge("RS256", &claims(json!({})), &early).is_err());
    }

    #[test]
    fn max_age_and_acr_are_looked_at_where_they_were_asked_for() {
        let asked = ["silver".to_owned(), "gold".to_owned()];
        let expected = Expected { max_age: Some(100), acr_values: &asked, ..expected() };
        let at = |change| judge("RS256", &claims(change), &expected);
        assert_eq!(at(json!({})), Err(Fault::Missing("auth_time")));
        assert_eq!(at(json!({ "auth_time": NOW - 161 })), Err(Fault::AuthTime(161)));
        assert_eq!(at(json!({ "auth_time": NOW - 160, "acr": "gold" })), Ok(()));
        assert_eq!(at(json!({ "auth_time": NOW + TOLERANCE })), Ok(()));
        assert_eq!(at(json!({ "auth_time": NOW + 61 })), Err(Fault::AuthTimeAhead(61)));
        // `acr_values` is a wish: no answer and another one are told alike
        for (claim, says) in [
            (json!({ "acr": "0" }), Some("at the level `0`")),
            (json!({}), Some("does not say")),
            (json!({ "acr": "gold" }), None),
        ] {
            assert_eq!(at(json!({ "auth_time": NOW, "acr": claim["acr"] })), Ok(()));
            let told = other_acr(&claims(claim.clone()), &asked);
            assert_eq!(told.is_some(), says.is_some(), "{claim}");
            assert!(told.is_none_or(|told| told.contains(says.unwrap())), "{claim}");
        }
        assert_eq!(other_acr(&claims(json!({ "acr": "0" })), &[]), None);
    }

    #[test]
    fn a_second_audience_must_be_trusted_and_the_authorized_party_us() {
        let at = |change| judge("RS256", &claims(change), &expected());
        assert_eq!(at(json!({ "aud": ["an-app"] })), Ok(()));
        assert_eq!(at(json!({ "aud": ["an-app", "api"] })), Err(Fault::SecondAudience("api".into())));
        assert_eq!(at(json!({ "aud": ["an-app", "api"], "azp": "an-app" })), Err(Fault::SecondAudience("api".into())));
        assert_eq!(at(json!({ "azp": "other" })), Err(Fault::AuthorizedParty("other".into())));
        let trusted = ["api".to_owned()];
        let expected = Expected { audiences: &trusted, ..expected() };
        assert_eq!(judge("RS256", &claims(json!({ "aud": ["an-app", "api"] })), &expected), Ok(()));
    }

    #[test]
    fn a_renewed_token_is_about_the_same_person_client_and_login() {
        let of_login = claims(json!({}));
        let at = |change| judge_renewed("RS256", &claims(change), &of_login, &expected());
        assert_eq!(at(json!({ "nonce": null })), Ok(()));
        assert_eq!(at(json!({ "aud": ["an-app"] })), Ok(()));
        assert_eq!(at(json!({})), Ok(()));
        assert_eq!(at(json!({ "iss": "https://evil.example" })), Err(Fault::Changed("iss")));
        assert_eq!(at(json!({ "sub": "mallory" })), Err(Fault::Changed("sub")));
        assert_eq!(at(json!({ "aud": "other" })), Err(Fault::Changed("aud")));
        assert_eq!(at(json!({ "azp": "an-app" })), Err(Fault::Changed("azp")));
        assert_eq!(at(json!({ "nonce": "n-2" })), Err(Fault::Changed("nonce")));
        assert_eq!(at(json!({ "exp": NOW - 400 })), Err(Fault::Expired(400)));
        // J-19: the access token that came with this one
        assert_eq!(at(json!({ "at_hash": "77QmUPtjPfzWtF2AnpK9RQ" })), Ok(()));
        assert_eq!(at(json!({ "at_hash": "x" })), Err(Fault::Hash("at_hash", "access token")));
    }

    #[test]
    fn an_account_is_called_what_a_person_knows_best() {
        let of = |value: Value| account(value.as_object().unwrap());
        assert_eq!(
            of(json!({ "sub": "7", "email": "a@b.example", "preferred_username": "al" })).unwrap(),
            "a@b.example"
        );
        assert_eq!(of(json!({ "sub": "7", "email": "", "preferred_username": "al" })).unwrap(), "al");
        assert_eq!(of(json!({ "sub": "7" })).unwrap(), "7");
        assert_eq!(of(json!({})), None);
    }
}
