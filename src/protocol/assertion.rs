//! Assertions as grants: a signed statement about the subject is exchanged for a token without a
//! browser (RFC 7521, section 4.1; RFC 7523 for JWT, RFC 7522 for SAML 2.0).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::protocol::jose::{Members, members};
use crate::secret::Secret;

/// Seconds until an assertion expires: enough for a slow network; servers accept an hour at most.
pub const LIFE: i64 = 300;

/// Why a text is not an assertion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    #[error("it is not a JWT: three parts of base64url with dots between")]
    NotAJwt,
    #[error("it is neither XML nor base64 of XML")]
    NotSaml,
}

/// An assertion from a file or a program, without surrounding blanks.
pub fn jwt(text: &Secret) -> Result<Secret, AssertionError> {
    let text = text.expose().trim();
    let parts: Vec<&str> = text.split('.').collect();
    let base64url = |part: &&str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    // RFC 7515 allows an empty signature: the server has to refuse it
    if parts.len() != 3 || parts[..2].iter().any(|p| p.is_empty()) || !parts.iter().all(base64url) {
        return Err(AssertionError::NotAJwt);
    }
    Ok(Secret::new(text))
}

/// Encodes XML as RFC 7522, section 2.1, requires (base64url, no padding, no line breaks). Base64
/// of either alphabet is converted to that form.
pub fn saml(text: &Secret) -> Result<Secret, AssertionError> {
    let text = text.expose().trim_start_matches('\u{feff}').trim();
    if text.starts_with('<') {
        return Ok(Secret::new(URL_SAFE_NO_PAD.encode(text)));
    }
    let packed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
    let standard = packed.replace('-', "+").replace('_', "/");
    let padded = format!("{standard}{}", "=".repeat((4 - standard.len() % 4) % 4));
    match STANDARD.decode(padded) {
        Ok(xml) if xml.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<') => {
            Ok(Secret::new(URL_SAFE_NO_PAD.encode(xml)))
        }
        _ => Err(AssertionError::NotSaml),
    }
}

/// The claims of an assertion that this program signs (RFC 7523, section 3).
pub struct Claims<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
    pub audience: &'a str,
    /// Unix seconds.
    pub now: i64,
    /// New for each assertion.
    pub jti: &'a str,
}

impl Claims<'_> {
    /// The claims by their names.
    pub fn to_members(&self) -> Members {
        members(json!({
            "iss": self.issuer,
            "sub": self.subject,
            "aud": self.audience,
            "iat": self.now,
            "exp": self.now.saturating_add(LIFE),
            "jti": self.jti,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    // RFC 7522, section 2.1: base64url, no padding, no line breaks
    #[test]
    fn a_saml_assertion_is_sent_in_base64url_however_it_came() {
        let xml = "<Assertion>ÿ?>~</Assertion>";
        let want = URL_SAFE_NO_PAD.encode(xml);
        let packed = STANDARD.encode(xml);
        let wrapped = packed.as_bytes().chunks(10).map(|c| String::from_utf8_lossy(c).into_owned());
        for given in [
            xml.to_owned(),
            format!("\u{feff}\n{xml}\n"),
            want.clone(),
            STANDARD.encode(xml),
            wrapped.collect::<Vec<_>>().join("\n"),
        ] {
            assert_eq!(
                saml(&Secret::unlisted(given.as_str())).map(|s| s.expose().to_owned()),
                Ok(want.clone()),
                "{given}"
            );
        }
        for bad in ["", "not saml", "bm90IHhtbA", "{}"] {
            assert_eq!(saml(&Secret::unlisted(bad)), Err(AssertionError::NotSaml), "{bad}");
        }
    }

    #[test]
    fn what_is_no_jwt_is_not_sent_as_one() {
        // RFC 7523, section 2.1, its example's shape
        assert_eq!(
            jwt(&Secret::unlisted(" eyJhbGciOiJFUzI1NiJ9.eyJpc3Mi.J9l-ZhwP\n")).unwrap().expose(),
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3Mi.J9l-ZhwP"
        );
        for bad in ["", "a.b", "a.b.c.d", "a b.c.d", "..", "-----BEGIN PRIVATE KEY-----"] {
            assert_eq!(jwt(&Secret::unlisted(bad)), Err(AssertionError::NotAJwt), "{bad}");
        }
    }

    // RFC 7523, section 3
    #[test]
    fn an_assertion_made_here_names_who_about_whom_for_whom_and_until_when() {
        let audience = "https://as.example/token";
        let claims = Claims { issuer: "me", subject: "alice", audience, now: 1000, jti: "once" };
        let text = Value::Object(claims.to_members()).to_string();
        assert_eq!(
            text,
            r#"{"iss":"me","sub":"alice","aud":"https://as.example/token","iat":1000,"exp":1300,"jti":"once"}"#
        );
    }
}
