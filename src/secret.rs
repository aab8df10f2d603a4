//! A value that can't be printed by accident.
//!
//! A `Secret` has one way out, [`Secret::expose`]; `rg expose` lists every place where a token leaves. Every secret made is
//! also remembered by value, so that [`redact`] takes it out of any text, whatever field a server put it in: GetResponse's
//! 401 body echoes the access token.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use zeroize::Zeroizing;

/// Values shorter than this are not looked for by [`redact`]: they would take ordinary words out of messages.
const SHORTEST_REDACTED: usize = 6;

static KNOWN: Mutex<Vec<Zeroizing<String>>> = Mutex::new(Vec::new());

/// A text that must not be shown: a token, a code, a client secret, a passphrase. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(value: impl Into<String>) -> Secret {
        let value = Zeroizing::new(value.into());
        remember(&value);
        Secret(value)
    }

    /// A value that stands where a secret may stand and is none (`grant_type`), or is made of secrets that are known already (a
    /// form body): shown by fingerprint like any other, but not looked for in texts.
    pub fn unlisted(value: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(value.into()))
    }

    /// The value itself, for the wire, the store and `token`'s stdout, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What may be shown instead: `sha256:` and eight hexadecimal digits. No part of the value is in it.
    pub fn fingerprint(&self) -> String {
        fingerprint(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.fingerprint())
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Secret {
        Secret::new(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Secret {
        Secret::new(value)
    }
}

/// `sha256:` and the first four bytes of the hash in hexadecimal.
pub fn fingerprint(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut text = String::from("sha256:");
    for byte in &hash.as_ref()[..4] {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn remember(value: &str) {
    if value.len() < SHORTEST_REDACTED {
        return;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.iter().any(|k| k.as_str() == value) {
        known.push(Zeroizing::new(value.to_owned()));
    }
}

/// `text` with every known secret replaced by its fingerprint, in the forms it may be met in: raw, percent-encoded,
/// JSON-escaped, base64 (standard and URL-safe, as it stands alone).
pub fn redact(text: &str) -> String {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = text.to_owned();
    // the longest first: one secret may hold another
    let mut values: Vec<&str> = known.iter().map(|k| k.as_str()).collect();
    values.sort_by_key(|v| std::cmp::Reverse(v.len()));
    for value in values {
        for form in forms(value) {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), &format!("[{}]", fingerprint(value.as_bytes())));
            }
        }
    }
    text
}

fn forms(value: &str) -> Vec<Zeroizing<String>> {
    let mut forms = vec![Zeroizing::new(value.to_owned())];
    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    if encoded != value {
        forms.push(Zeroizing::new(encoded.to_lowercase()));
        forms.push(Zeroizing::new(encoded));
    }
    let json = serde_json::Value::from(value).to_string();
    if json.len() != value.len() + 2 {
        forms.push(Zeroizing::new(json[1..json.len() - 1].to_owned()));
    }
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    forms.push(Zeroizing::new(STANDARD_NO_PAD.encode(value)));
    forms.push(Zeroizing::new(URL_SAFE_NO_PAD.encode(value)));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_a_fingerprint_and_no_part_of_the_value() {
        let shown = format!("{:?}", Secret::new("an-access-token"));
        assert_eq!(shown, format!("[{}]", fingerprint(b"an-access-token")));
        assert!(!shown.contains("access"));
    }

    #[test]
    fn redacts_a_secret_in_every_form() {
        let secret = Secret::new("s3cr&t/\"value\"+x");
        for form in forms(secret.expose()) {
            let shown = redact(&format!("before {} after", form.as_str()));
            assert_eq!(shown, format!("before [{}] after", secret.fingerprint()), "{}", form.as_str());
        }
    }

    #[test]
    fn leaves_ordinary_text_alone() {
        Secret::new("abc");
        assert_eq!(redact("abc def"), "abc def");
    }
}
