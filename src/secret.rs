//! Values that can't be printed by accident.
//!
//! A `Secret` has one way out, [`Secret::expose`]: `rg expose` lists every place where a token
//! leaves. [`redact`] knows every secret by value and removes it from any text, whichever field the
//! server puts it in. GetResponse's 401 body, for example, echoes the access token.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use serde::de::{self, Deserialize, Deserializer};
use zeroize::{Zeroize as _, Zeroizing};

/// [`redact`] ignores values shorter than this: they would remove ordinary words from messages.
const SHORTEST_REDACTED: usize = 6;

static KNOWN: Mutex<Known> = Mutex::new(Known { values: Vec::new(), published: BTreeSet::new(), index: None });

thread_local! {
    /// Whether this thread is [`passing`] secrets.
    static PASSING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a step that writes none of its secrets into a text, so they need not be redacted: a list of
/// a hundred thousand records would remember every token.
pub fn passing<T>(step: impl FnOnce() -> T) -> T {
    PASSING.set(true);
    let out = step();
    PASSING.set(false);
    out
}

struct Known {
    values: Vec<Zeroizing<String>>,
    /// Words that are public.
    published: BTreeSet<String>,
    /// Made by the first [`redact`], so `token` with a fresh token never pays for it.
    index: Option<Index>,
}

/// Finds the known values in a text in one pass, in every form, however many values are known and
/// however many begin alike. Its keys are hashes, since the bytes themselves are secret.
#[derive(Default)]
struct Index {
    hasher: RandomState,
    /// From the hash of a form's beginning to the lengths of the forms that begin so.
    lengths: HashMap<u64, Vec<usize>>,
    /// From the hash of a whole form to places in [`Known::values`].
    forms: HashMap<u64, Vec<usize>>,
    /// How many values are indexed.
    taken: usize,
}

impl Index {
    fn take_in(&mut self, values: &[Zeroizing<String>]) {
        for (at, value) in values.iter().enumerate().skip(self.taken) {
            let forms = base64_forms(value.as_bytes());
            for form in forms.iter().chain([value]).map(|form| form.as_bytes()) {
                // a form is never shorter than its value
                let lengths = self.lengths.entry(self.hasher.hash_one(&form[..SHORTEST_REDACTED])).or_default();
                if !lengths.contains(&form.len()) {
                    lengths.push(form.len());
                }
                self.forms.entry(self.hasher.hash_one(form)).or_default().push(at);
            }
        }
        self.taken = values.len();
    }

    /// Returns the places in [`Known::values`] of the values that the text contains.
    fn met(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        let lengths = |window| self.lengths.get(&self.hasher.hash_one(window)).into_iter().flatten();
        text.windows(SHORTEST_REDACTED)
            .enumerate()
            .flat_map(move |(start, window)| lengths(window).filter_map(move |length| text.get(start..start + length)))
            .filter_map(|form| self.forms.get(&self.hasher.hash_one(form)))
            .flatten()
            .copied()
    }
}

/// A text that must not be shown: a token, a code, a client secret, a passphrase. It is wiped when
/// dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Makes a secret that is redacted from all output from now on.
    pub fn new(value: impl Into<String>) -> Secret {
        let value = Zeroizing::new(value.into());
        remember(&value);
        Secret(value)
    }

    /// Makes a secret that [`redact`] doesn't look for: a public value in a secret's place
    /// (`grant_type`), or a text made of known secrets (a form body). It is shown by its
    /// fingerprint all the same.
    pub fn unlisted(value: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(value.into()))
    }

    /// Returns the value itself, only for the wire, the store and `token`'s stdout.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Tells whether the secret is an empty text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `sha256:` and eight hexadecimal digits, to show in place of the value.
    pub fn fingerprint(&self) -> String {
        fingerprint(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.fingerprint())
    }
}

/// Nothing writes a `Secret` but the functions that a record's fields name.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }
        }

        from.deserialize_string(Text)
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

/// Returns `sha256:` and the first four bytes of the hash in hexadecimal.
pub fn fingerprint(bytes: &[u8]) -> String {
    format!("sha256:{}", &hash(bytes)[..8])
}

/// Returns the first 16 bytes of the SHA-256 hash in hexadecimal. Nobody can find another text with
/// this hash.
pub fn hash(bytes: &[u8]) -> String {
    hex(&sha256(bytes)[..16])
}

/// Returns the SHA-256 hash.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    std::array::from_fn(|at| hash.as_ref()[at])
}

/// Writes bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// JSON that may hold secrets. Its texts are wiped when it is dropped; the parser's own buffers are
/// not.
#[derive(Clone, PartialEq)]
pub struct WipedJson(pub serde_json::Value);

impl std::ops::Deref for WipedJson {
    type Target = serde_json::Value;

    fn deref(&self) -> &serde_json::Value {
        &self.0
    }
}

impl Drop for WipedJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Forgets and wipes all known values. For long runs with values that are nobody's secrets (a
/// practice server, a fuzz target), where the list would only grow.
pub fn forget_known() {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.values.clear();
    known.index = None;
}

/// Marks the words of a text as public, so that they are not redacted.
pub fn published(text: &str) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known
        .published
        .extend(text.split([' ', ',', ';']).filter(|word| word.len() >= SHORTEST_REDACTED).map(str::to_owned));
}

fn remember(value: &str) {
    if value.len() < SHORTEST_REDACTED || PASSING.get() {
        return;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.values.iter().any(|k| k.as_str() == value) {
        known.values.push(Zeroizing::new(value.to_owned()));
    }
}

/// Replaces every known secret in `text` with its fingerprint. Finds a secret as it is,
/// percent-encoded and JSON-escaped (wholly or in part, as encoders differ), and in base64
/// (standard and URL-safe, alone or inside something longer, like the `id:secret` of a `Basic`
/// header).
pub fn redact(text: &str) -> String {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let Known { values, published, index } = &mut *known;
    let index = index.get_or_insert_default();
    index.take_in(values);
    let mut met: BTreeSet<usize> = index.met(text.as_bytes()).collect();
    for decoded in [percent_decoded(text), json_unescaped(text)].into_iter().flatten() {
        met.extend(index.met(&decoded.bytes));
    }
    let mut text = text.to_owned();
    // the longest first: one secret may contain another
    let mut values: Vec<&str> =
        met.into_iter().map(|at| values[at].as_str()).filter(|value| !published.contains(*value)).collect();
    values.sort_by_key(|v| std::cmp::Reverse(v.len()));
    for value in values {
        let mut found: Vec<Range<usize>> = positions(text.as_bytes(), value.as_bytes());
        for decode in [percent_decoded, json_unescaped] {
            if let Some(decoded) = decode(&text) {
                found.extend(decoded.positions(value.as_bytes()));
            }
        }
        for form in base64_forms(value.as_bytes()) {
            found.extend(positions(text.as_bytes(), form.as_bytes()));
        }
        if !found.is_empty() {
            text = replaced(&text, found, &format!("[{}]", fingerprint(value.as_bytes())));
        }
    }
    text
}

/// Returns every place of `part` in `whole`, without overlaps.
fn positions(whole: &[u8], part: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&whole[from..], part) {
        found.push(from + at..from + at + part.len());
        from += at + part.len();
    }
    found
}

/// Replaces the ranges of `text`. Ranges that touch or overlap count as one.
fn replaced(text: &str, mut found: Vec<Range<usize>>, with: &str) -> String {
    found.sort_by_key(|r| r.start);
    let mut out = String::new();
    let mut done = 0;
    for mut range in found {
        while !text.is_char_boundary(range.start) {
            range.start -= 1;
        }
        while !text.is_char_boundary(range.end) {
            range.end += 1;
        }
        if range.end <= done {
            continue;
        }
        if range.start > done || done == 0 {
            out.push_str(&text[done..range.start.max(done)]);
            out.push_str(with);
        }
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// A text with its escapes undone, and the place of each byte in the original.
struct Decoded {
    bytes: Zeroizing<Vec<u8>>,
    /// One more entry than bytes: the last is the end.
    at: Vec<usize>,
}

impl Decoded {
    fn positions(&self, part: &[u8]) -> Vec<Range<usize>> {
        positions(&self.bytes, part).into_iter().map(|r| self.at[r.start]..self.at[r.end]).collect()
    }
}

/// `None`: the text has no escape.
fn percent_decoded(text: &str) -> Option<Decoded> {
    if !text.contains('%') {
        return None;
    }
    let digit = |at: usize| text.as_bytes().get(at).and_then(|b| char::from(*b).to_digit(16)).map(|d| d as u8);
    Some(decoded(text, |at| match (text.as_bytes()[at], digit(at + 1), digit(at + 2)) {
        (b'%', Some(high), Some(low)) => Some((high << 4 | low, 3)),
        _ => None,
    }))
}

/// `None`: the text has no escape. Only escaped ASCII is undone: no known server escapes other
/// characters of a secret.
fn json_unescaped(text: &str) -> Option<Decoded> {
    if !text.contains('\\') {
        return None;
    }
    let bytes = text.as_bytes();
    let unicode = |at: usize| u8::from_str_radix(text.get(at..at + 4)?, 16).ok();
    Some(decoded(text, |at| match (bytes[at], bytes.get(at + 1)?) {
        (b'\\', escaped @ (b'"' | b'\\' | b'/')) => Some((*escaped, 2)),
        (b'\\', b'n') => Some((b'\n', 2)),
        (b'\\', b'r') => Some((b'\r', 2)),
        (b'\\', b't') => Some((b'\t', 2)),
        (b'\\', b'u') => unicode(at + 2).map(|byte| (byte, 6)),
        _ => None,
    }))
}

/// `escape` returns the byte that the escape at a place stands for, and the escape's length.
fn decoded(text: &str, escape: impl Fn(usize) -> Option<(u8, usize)>) -> Decoded {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut at = Vec::with_capacity(text.len() + 1);
    let mut from = 0;
    while from < text.len() {
        let (byte, length) = escape(from).unwrap_or((text.as_bytes()[from], 1));
        bytes.push(byte);
        at.push(from);
        from += length;
    }
    at.push(from);
    Decoded { bytes, at }
}

/// Returns the part of the value's base64 that its neighbours don't change, for each of the three
/// alignments and in both alphabets. Less than a byte stays visible at either end. A value that is
/// encoded alone is found whole.
fn base64_forms(value: &[u8]) -> Vec<Zeroizing<String>> {
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let mut forms = vec![Zeroizing::new(STANDARD_NO_PAD.encode(value))];
    for before in 0..3 {
        let shifted = Zeroizing::new([&[0; 2][..before], value].concat());
        let whole = Zeroizing::new(STANDARD_NO_PAD.encode(&*shifted));
        // cuts the characters that share bits with a byte before or behind the value
        let own = [0, 2, 3][before]..whole.len() - usize::from(shifted.len() % 3 != 0);
        forms.push(Zeroizing::new(whole[own].to_owned()));
    }
    let plain = forms.len();
    for at in 0..plain {
        if forms[at].contains(['+', '/']) {
            forms.push(Zeroizing::new(forms[at].replace('+', "-").replace('/', "_")));
        }
    }
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
    fn what_is_published_is_no_secret_and_what_stands_inside_a_word_of_it_is() {
        let _known = ["pub-lished-0123", "inside-0123"].map(Secret::new);
        published("client id an-inside-0123-app, client secret pub-lished-0123; or client id other");
        assert_eq!(redact("pub-lished-0123"), "pub-lished-0123");
        assert!(!redact("an-inside-0123-app").contains("inside-0123"));
    }

    // H-06, H-07, H-08, T-52: as servers and encoders write it
    #[test]
    fn redacts_a_secret_in_every_form() {
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let value = "s3cr&t/\"v\\alue\"+Xy>?";
        let secret = Secret::new(value);
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        for form in [
            value.to_owned(),
            encoded.replace("%2F", "%2f"),
            encoded.clone(),
            value.replace('&', "%26"),
            value.bytes().map(|b| format!("%{b:02x}")).collect(),
            serde_json::Value::from(value).to_string().trim_matches('"').to_owned()
                + if value.ends_with('"') { "\"" } else { "" },
            value.replace('\\', "\\\\").replace('"', "\\u0022").replace('/', "\\/").replace('&', "\\u0026"),
            STANDARD.encode(value).trim_end_matches('=').to_owned(),
            URL_SAFE_NO_PAD.encode(value),
        ] {
            let shown = redact(&format!("before {form} after"));
            assert_eq!(shown, format!("before [{}] after", secret.fingerprint()), "{form}");
        }
        let twice = redact(&format!("{value}{value} {encoded}"));
        assert_eq!(twice, format!("[{0}] [{0}]", secret.fingerprint()));
    }

    #[test]
    fn thousands_of_known_values_that_begin_alike_do_not_slow_a_text_without_them() {
        for number in 0..3000 {
            Secret::new(format!("one-of-thousands-{number:05}-and-some-more-of-it"));
        }
        let begun = std::time::Instant::now();
        for _ in 0..300 {
            let text = "the provider answered `one-of-those`";
            assert_eq!(redact(text), text);
        }
        assert_eq!(redact("one-of-thousands-01234-and-some-more-of-it").len(), "[sha256:12345678]".len());
        // a search for each value in turn took minutes here
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }

    // H-07, H-14: the secret of a `Basic` header, whatever the length of the id before it
    #[test]
    fn redacts_a_secret_inside_base64_wherever_it_lies() {
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        for secret in ["hush-hush-1", "hush-hush-22", "hush-hush-333", "hush>>hush??4"] {
            Secret::new(secret);
            for id in ["", "a", "ab", "abc", "abcd"] {
                for behind in ["", "x", "xy"] {
                    let pair = format!("{id}:{secret}{behind}");
                    for text in [STANDARD.encode(&pair), URL_SAFE_NO_PAD.encode(&pair)] {
                        let shown = redact(&text);
                        assert!(shown.contains("[sha256:"), "{pair}");
                        // no rest decodes to four bytes of the secret
                        let left: Vec<&str> = shown.split("[sha256:").collect();
                        let window = |w: &[u8]| secret.as_bytes().windows(4).any(|s| s == w);
                        for part in left.iter().flat_map(|l| (0..4).map(|skip| l.get(skip..).unwrap_or(""))) {
                            let decoded = STANDARD.decode(&part[..part.len() / 4 * 4]).unwrap_or_default();
                            assert!(!decoded.windows(4).any(window), "{shown}");
                        }
                    }
                }
            }
        }
    }

    // H-05
    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_secret_held_is_wiped_when_it_goes() {
        use std::os::unix::fs::FileExt;
        let memory = std::fs::File::open("/proc/self/mem").expect("its own memory");
        let marked = "OCTLCANARY-in-the-heap-".repeat(40);
        let secret = Secret::unlisted(marked.clone());
        let at = secret.expose().as_ptr() as u64;
        let mut seen = vec![0; marked.len()];
        memory.read_exact_at(&mut seen, at).expect("mapped");
        assert_eq!(seen, marked.as_bytes());
        drop(secret);
        // another thread or the kernel may have taken the place meanwhile: neither holds the value
        if memory.read_exact_at(&mut seen, at).is_ok() {
            assert!(!seen.windows(8).any(|w| w == b"CANARY-i"), "it is still there");
        }
    }

    // H-05
    #[test]
    fn every_text_in_json_is_wiped() {
        let mut json = serde_json::json!({"access_token": "a", "more": [{"id_token": "b"}], "n": 1});
        wipe(&mut json);
        assert_eq!(json, serde_json::json!({"access_token": "", "more": [{"id_token": ""}], "n": 1}));
    }

    #[test]
    fn leaves_ordinary_text_alone() {
        Secret::new("abc");
        for text in ["abc def", "100 % of it", "a\\b %zz %", "\\u12", ""] {
            assert_eq!(redact(text), text);
        }
    }
}
