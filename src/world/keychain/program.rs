//! Records that another program stores: one that speaks the protocol of docker's credential
//! helpers, or one that is told what to do by its arguments (`pass`).
//!
//! The protocol is that of the docker-credential-helpers' README and `credentials/credentials.go`:
//! an operation as the last argument, one line of input, JSON as the answer, an error's text on
//! stdout. The helpers read a line of at most 64 KiB, so that a longer record is cut into parts. Up
//! to version 0.6 `get` of an item that is not there succeeds, and gives one without a secret.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::programs::{self, Ended};
use super::super::{Keychain, KeychainError};
use crate::secret::{Secret, hash};
use crate::text::safe;

/// The longest time of one call: a person may have to unlock a key first.
const PATIENCE: Duration = Duration::from_secs(30);

/// Items of this program among those of others. The name exists nowhere (RFC 6761).
const SERVER: &str = "https://oauthctl.invalid/";

/// A part of a record, in bytes: as JSON in JSON at most twice as long, and below 64 KiB.
const ITEM_LIMIT: usize = 30_000;

/// How a helper says that an item is not there.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// A file's name has at most 255 bytes, and the programs add an ending.
const LONGEST_NAME: usize = 240;

/// A program that stores records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreProgram {
    pub name: String,
    pub protocol: Protocol,
}

impl StoreProgram {
    /// Whether it tells which items it has.
    pub fn has_list(&self) -> bool {
        matches!(self.protocol, Protocol::Docker(_))
    }
}

/// How to talk to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// A docker credential helper and its arguments.
    Docker(Vec<String>),
    /// A command for each operation.
    Arguments(Commands),
}

/// Programs and arguments, in which `{name}` stands for the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commands {
    /// Prints the record.
    pub get: Vec<String>,
    /// Reads the record from its stdin.
    pub put: Vec<String>,
    /// The same for a new record, if `put` can only replace one.
    pub create: Vec<String>,
    pub delete: Vec<String>,
    /// What `get` says when it fails because there is no record. Without this text such a `get`
    /// succeeds, and prints nothing.
    pub missing: Option<String>,
}

/// The items in such a program's care.
struct Cared(&'static StoreProgram);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'a> {
    #[serde(rename = "ServerURL")]
    server_url: String,
    username: String,
    secret: std::borrow::Cow<'a, str>,
}

/// The account in lower-case letters, digits and `-`, for names that tell upper case from lower or
/// don't; any other byte as `_` and its number.
fn encoded(account: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    account.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("_{b:02x}") }).collect()
}

/// The account that has this name; `None`: it is not one of [`encoded`].
pub fn decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'_' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The same, or a hash where that is too long for a file.
pub fn item_name(account: &str) -> String {
    Some(encoded(account)).filter(|name| name.len() <= LONGEST_NAME).unwrap_or_else(|| hash(account.as_bytes()))
}

fn server_url(account: &str) -> String {
    format!("{SERVER}{}", hash(account.as_bytes()))
}

fn ask(argv: &[String], input: &str) -> Result<Ended, KeychainError> {
    let program = safe(argv.first().map_or("", String::as_str));
    programs::converse(argv, input, PATIENCE).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => KeychainError::Absent(format!("the program `{program}` was not found")),
        io::ErrorKind::TimedOut => KeychainError::TimedOut(PATIENCE.as_secs()),
        _ => KeychainError::Failed(format!("`{program}`: {}", safe(&e.to_string()))),
    })
}

impl Cared {
    /// Asks a docker credential helper.
    fn docker(&self, argv: &[String], operation: &str, input: &str) -> Result<Ended, KeychainError> {
        let argv: Vec<String> = argv.iter().cloned().chain([operation.to_owned()]).collect();
        ask(&argv, input)
    }

    /// Asks by arguments.
    fn command(&self, argv: &[String], account: &str, input: &str) -> Result<Ended, KeychainError> {
        let name = item_name(account);
        let argv: Vec<String> = argv.iter().map(|argument| argument.replace("{name}", &name)).collect();
        ask(&argv, input)
    }
}

/// The output of a program that succeeded.
fn succeeded(ended: Ended) -> Result<Ended, KeychainError> {
    match ended.ok {
        true => Ok(ended),
        false => Err(failed(&ended)),
    }
}

fn failed(ended: &Ended) -> KeychainError {
    let said = [&ended.err, &*ended.out].into_iter().find_map(|text| text.trim().lines().next());
    let said = said.map(|line| format!(": {}", safe(&without_secrets(line)))).unwrap_or_default();
    KeychainError::Failed(format!("{}{said}", ended.status))
}

/// A line of a program, which may print a part of an item: `…` stands for each run of letters and
/// digits that is longer than a word.
fn without_secrets(line: &str) -> String {
    const LONGEST_WORD: usize = 24;
    let cut = |run: &str| if run.chars().count() > LONGEST_WORD { "…".to_owned() } else { run.to_owned() };
    let (mut out, mut run) = (String::new(), String::new());
    for c in line.chars() {
        match c.is_alphanumeric() {
            true => run.push(c),
            false => {
                out.push_str(&cut(&std::mem::take(&mut run)));
                out.push(c);
            }
        }
    }
    out + &cut(&run)
}

impl Keychain for Cared {
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError> {
        let value = match &self.0.protocol {
            Protocol::Docker(argv) => {
                let ended = self.docker(argv, "get", &server_url(account))?;
                if !ended.ok && ended.out.contains(NOT_FOUND) {
                    return Ok(None);
                }
                let ended = succeeded(ended)?;
                let item: Item<'_> = serde_json::from_str(&ended.out)
                    .map_err(|_| KeychainError::Failed("`get` gave no item in JSON".to_owned()))?;
                Secret::new(item.secret)
            }
            Protocol::Arguments(commands) => {
                let ended = self.command(&commands.get, account, "")?;
                let is_missing = |text: &String| ended.err.contains(text) || ended.out.contains(text);
                if !ended.ok && commands.missing.as_ref().is_some_and(is_missing) {
                    return Ok(None);
                }
                Secret::new(succeeded(ended)?.out.trim_end_matches(['\r', '\n']))
            }
        };
        Ok(Some(value).filter(|value| !value.expose().is_empty()))
    }

    fn set(&self, account: &str, value: &Secret) -> Result<(), KeychainError> {
        match &self.0.protocol {
            Protocol::Docker(argv) => {
                let item = Item {
                    server_url: server_url(account),
                    username: item_name(account),
                    secret: value.expose().into(),
                };
                let json = serde_json::to_string(&item).map_err(|e| KeychainError::Failed(e.to_string()))?;
                self.docker(argv, "store", &zeroize::Zeroizing::new(json)).and_then(succeeded).map(drop)
            }
            Protocol::Arguments(commands) => {
                let is_new = !commands.create.is_empty() && self.get(account)?.is_none();
                let argv = if is_new { &commands.create } else { &commands.put };
                self.command(argv, account, value.expose()).and_then(succeeded).map(drop)
            }
        }
    }

    /// Looks first: the programs differ in what they say of an item that is not there.
    fn delete(&self, account: &str) -> Result<bool, KeychainError> {
        if self.get(account)?.is_none() {
            return Ok(false);
        }
        let ended = match &self.0.protocol {
            Protocol::Docker(argv) => self.docker(argv, "erase", &server_url(account)),
            Protocol::Arguments(commands) => self.command(&commands.delete, account, ""),
        };
        ended.and_then(succeeded)?;
        match self.get(account)? {
            None => Ok(true),
            Some(_) => Err(KeychainError::Failed("it says that it deleted the item, and still has it".to_owned())),
        }
    }

    /// None where the program has no list, or the name was too long for it.
    fn accounts(&self) -> Result<Vec<String>, KeychainError> {
        let Protocol::Docker(argv) = &self.0.protocol else { return Ok(Vec::new()) };
        let listed = succeeded(self.docker(argv, "list", "")?)?;
        let items: BTreeMap<String, String> = serde_json::from_str(&listed.out)
            .map_err(|_| KeychainError::Failed("`list` gave no list in JSON".to_owned()))?;
        let ours = items.iter().filter(|(server, _)| server.starts_with(SERVER));
        let named = ours.filter_map(|(server, name)| decoded(name).filter(|account| server_url(account) == *server));
        Ok(named.collect())
    }

    fn item_limit(&self) -> Option<usize> {
        matches!(self.0.protocol, Protocol::Docker(_)).then_some(ITEM_LIMIT)
    }

    /// Whether it answers: neither protocol tells whether a write would succeed.
    fn ready(&self) -> Result<(), KeychainError> {
        match &self.0.protocol {
            Protocol::Docker(_) => self.accounts().map(drop),
            Protocol::Arguments(_) => self.get("test").map(drop),
        }
    }

    fn name(&self) -> String {
        self.0.name.clone()
    }

    fn scope(&self) -> String {
        let argv = match &self.0.protocol {
            Protocol::Docker(argv) => argv,
            Protocol::Arguments(commands) => &commands.put,
        };
        argv.join("\0")
    }
}

/// The items that this program stores.
pub fn cared(program: &'static StoreProgram) -> Arc<dyn Keychain> {
    Arc::new(Cared(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_an_item_is_said() {
        let line = "gpg: can't read /tmp/x: c33c1976e37022a5b1c04f8811aa, eyJhbGciOiJSUzI1NiIsInR5cCI6Ik.x";
        assert_eq!(without_secrets(line), "gpg: can't read /tmp/x: …, ….x");
    }

    #[test]
    fn every_name_is_a_file_of_its_own_and_comes_back() {
        let long = "ż".repeat(200);
        let names = ["work", "Work", "../work", "/", "..", "wörk", "a b", "work:0", "work_3a0", "-f", "", &long];
        let files: std::collections::BTreeSet<String> = names.iter().map(|name| item_name(name)).collect();
        assert_eq!(files.len(), names.len());
        for name in names {
            assert_eq!(decoded(&encoded(name)).as_deref(), Some(name));
            let file = item_name(name);
            assert!(
                file.len() <= LONGEST_NAME && file.bytes().all(|b| b == b'-' || b == b'_' || b.is_ascii_alphanumeric())
            );
        }
        for wrong in ["_", "_4", "_zz", "_ff"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }
}
