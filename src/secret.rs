//! A value that can't be printed by accident.
//!
//! A `Secret` has one way out, [`Secret::expose`]; `rg expose` lists every place where a token leaves. Every secret made is
//! also remembered by value, so that [`redact`] takes it out of any text, whatever field a server put it in: GetResponse's
//! 401 body echoes the access token.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use zeroize::{Zeroize as _, Zeroizing};

/// Values shorter than this are not looked for by [`redact`]: they would take ordinary words out of messages.
const SHORTEST_REDACTED: usize = 6;

static KNOWN: Mutex<Known> = Mutex::new(Known { values: Vec::new(), published: BTreeSet::new(), index: None });

struct Known {
    values: Vec<Zeroizing<String>>,
    /// Words that anybody may read.
    published: BTreeSet<String>,
    /// Made by the first [`redact`]: `token` with a fresh token never pays for it.
    index: Option<Index>,
}

/// Where each known value may be met, in each form: one look at a text finds the few values that stand in it, however many are
/// known (`list` with ten thousand profiles reads thirty thousand), and however many of them begin alike. Its keys are hashes:
/// the bytes themselves are a secret.
#[derive(Default)]
struct Index {
    hasher: RandomState,
    /// From the beginning of a form to the lengths of the forms that begin so.
    lengths: HashMap<u64, Vec<usize>>,
    /// From a whole form to places in [`Known::values`].
    forms: HashMap<u64, Vec<usize>>,
    /// How many values are in it.
    taken: usize,
}

impl Index {
    fn take_in(&mut self, values: &[Zeroizing<String>]) {
        for (at, value) in values.iter().enumerate().skip(self.taken) {
            let forms = base64_forms(value.as_bytes());
            for form in forms.iter().chain([value]).map(|form| form.as_bytes()) {
                // a form is no shorter than its value
                let lengths = self.lengths.entry(self.hasher.hash_one(&form[..SHORTEST_REDACTED])).or_default();
                if !lengths.contains(&form.len()) {
                    lengths.push(form.len());
                }
                self.forms.entry(self.hasher.hash_one(form)).or_default().push(at);
            }
        }
        self.taken = values.len();
    }

    /// The places of the values that stand in a text.
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

/// A text that must not be shown: a token, a code, a client secret, a passphrase. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret that is redacted from all output from now on.
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

    /// Whether the secret is an empty text.
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
    format!("sha256:{}", &hash(bytes)[..8])
}

/// The first 16 bytes of the SHA-256 hash in hexadecimal: nobody finds another text for it.
pub fn hash(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    hash.as_ref()[..16].iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// JSON that may hold secrets: its texts are wiped when it goes. What the parser itself held meanwhile isn't.
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

/// Forgets which values to look for, and wipes them: for what runs long with values that are no secrets of this machine's
/// person (a practice server, a fuzz target), where the list would only grow.
pub fn forget_known() {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.values.clear();
    known.index = None;
}

/// Takes the words of a text that anybody may read out of what is looked for: what stands there is no secret.
pub fn published(text: &str) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known
        .published
        .extend(text.split([' ', ',', ';']).filter(|word| word.len() >= SHORTEST_REDACTED).map(str::to_owned));
}

fn remember(value: &str) {
    if value.len() < SHORTEST_REDACTED {
        return;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.values.iter().any(|k| k.as_str() == value) {
        known.values.push(Zeroizing::new(value.to_owned()));
    }
}

/// `text` with every known secret replaced by its fingerprint, in the forms it may be met in: raw, percent-encoded and
/// JSON-escaped (in part or in whole, as any encoder may), base64 (standard and URL-safe, alone or inside something longer, like
/// the `id:secret` of a `Basic` header).
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
    // the longest first: one secret may hold another
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

/// Every place of `part` in `whole`, none overlapping another.
fn positions(whole: &[u8], part: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&whole[from..], part) {
        found.push(from + at..from + at + part.len());
        from += at + part.len();
    }
    found
}

/// The ranges put out of sight; those that touch or overlap as one.
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

/// A text with its escapes undone, and where each byte of it stood.
struct Decoded {
    bytes: Zeroizing<Vec<u8>>,
    /// One more than bytes: the last is the end.
    at: Vec<usize>,
}

impl Decoded {
    fn positions(&self, part: &[u8]) -> Vec<Range<usize>> {
        positions(&self.bytes, part).into_iter().map(|r| self.at[r.start]..self.at[r.end]).collect()
    }
}

/// `None`: there is no escape in it.
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

/// `None`: there is no escape in it. Secrets with characters beyond ASCII are met escaped in no answer that is known of.
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

/// `escape`: the byte that an escape at that place stands for, and the escape's length.
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

/// What of the value's base64 doesn't hang on its neighbours, for each of the three ways it may lie there, in both alphabets.
/// What is left beside it is less than a byte at either end; a value that stands alone is found whole.
fn base64_forms(value: &[u8]) -> Vec<Zeroizing<String>> {
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let mut forms = vec![Zeroizing::new(STANDARD_NO_PAD.encode(value))];
    for before in 0..3 {
        let shifted = Zeroizing::new([&[0; 2][..before], value].concat());
        let whole = Zeroizing::new(STANDARD_NO_PAD.encode(&*shifted));
        // characters that hold bits of a byte before, and the last one where it holds bits of a byte behind
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
        // a look at each value in turn took minutes here
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
                        // nothing that is left decodes to four bytes of it
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
        // another thread may have been given the place meanwhile, or the kernel taken it back: neither holds the value
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
