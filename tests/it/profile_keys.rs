//! A profile's key is one field of `src/config/profile.rs`: it is documented there, no other place
//! repeats it, and something uses it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::house::{code, sources};

const PROFILE: &str = "config/profile.rs";

/// Where a key is named beside its field, and why it must be.
const BESIDE: [(&str, &str, &str); 7] = [
    ("command/complete.rs", "client-certificate", "its value is completed as a file"),
    ("session/registration.rs", "client-id", "it goes with the registration"),
    ("command/sandbox.rs", "redirect-uri", "the practice server's own key"),
    ("config/edit.rs", "subject-profile", "it follows a profile that is renamed"),
    ("config/read.rs", "client-secret", "`login` is one more place for it"),
    ("session/matching.rs", "assertion-audience", "it decides for one grant alone"),
    ("session/matching.rs", "subject-profile", "the subject's sign-in decides, not its name"),
];

/// The code of each file without its tests.
fn without_tests() -> Vec<(String, String)> {
    let own = |text: String| code(text.split("#[cfg(test)]").next().unwrap_or_default());
    let named = |path: PathBuf| path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    sources().into_iter().map(|(path, text)| (named(path), own(text))).collect()
}

/// The fields that are keys, each with its documentation.
fn fields() -> Vec<(String, String)> {
    let (_, text) = sources().into_iter().find(|(path, _)| path == Path::new(PROFILE)).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    let (mut fields, mut says) = (Vec::new(), String::new());
    for line in text.lines().skip_while(|line| *line != "layer! {").map(str::trim) {
        match (line.strip_prefix("///"), line.strip_prefix("pub ").and_then(|field| field.split_once(": "))) {
            (Some(text), _) => says.push_str(text),
            (_, Some((name, _))) if line.ends_with(',') => fields.push((name.to_owned(), std::mem::take(&mut says))),
            _ if line.starts_with("#[") => {}
            _ => says.clear(),
        }
    }
    fields.retain(|(name, _)| !["target", "proofs", "asks", "sign_in"].contains(&name.as_str()));
    fields
}

#[test]
fn a_key_is_a_documented_field() {
    let fields = fields();
    let names: BTreeSet<String> = fields.iter().map(|(name, _)| name.replace('_', "-")).collect();
    let keys = oauthctl::config::profile_keys();
    let known: BTreeSet<String> = keys.iter().map(|key| key.split('.').next().unwrap().to_owned()).collect();
    assert_eq!(names, known);
    for (name, says) in fields {
        assert!(says.len() > 10, "`{name}` has no documentation");
    }
}

#[test]
fn a_key_is_named_by_its_field_alone() {
    let mut named = BTreeSet::new();
    let keys: Vec<_> = fields().into_iter().map(|(name, _)| name.replace('_', "-")).collect();
    for (path, code) in without_tests().into_iter().filter(|(path, _)| path != PROFILE) {
        let keys = keys.iter().filter(|key| key.contains('-')).cloned();
        named.extend(keys.filter(|key| code.contains(&format!("\"{key}\""))).map(|key| (path.clone(), key)));
    }
    let beside = BESIDE.map(|(path, key, _)| (path.to_owned(), key.to_owned()));
    assert_eq!(named, BTreeSet::from(beside), "files beside {PROFILE} that name a key");
}

#[test]
fn every_key_does_something() {
    let reading = ["config/profile.rs", "config/words.rs", "config/read.rs", "config/edit.rs"];
    let closed = |text: &str| text.split_whitespace().collect::<String>();
    let mut used = String::new();
    for (path, code) in without_tests() {
        if !reading.contains(&path.as_str()) {
            used += &closed(&code);
        } else if let Some((_, rest)) = code.split_once("fn authorize_params") {
            // it makes a request's parameters
            used += &closed(rest.split("\n    }\n").next().unwrap());
        }
    }
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    for (name, _) in fields() {
        let uses = ["profile", "target", "asks", "sign_in", "proofs", "said"].map(|of| format!("{of}.{name}"));
        let is_used = uses.iter().any(|uses| used.match_indices(uses).any(|(at, _)| ends(&used[at + uses.len()..])));
        assert!(is_used, "`{name}` is read, and nothing uses it");
    }
}
