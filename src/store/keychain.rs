//! The store on the system's keychain: one item per profile, whose value is the record.
//!
//! Where items are short (Windows), a longer record is cut into parts. Their set has a random name,
//! so that a reader can't mix two. The parts are written first, then the main item becomes a header
//! with the set, the number of parts and the record's hash. Before the header is written the old
//! record is whole, after it the new one. A missing or wrong part makes the record unreadable,
//! never shorter.
//!
//! A killed writer leaves parts that no header names. So that the next writer and `delete` find
//! them, an item lists the sets before their first part is written. Writers take turns (the
//! session's lock); readers need no lock.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{LONGEST_RECORD, Store, StoreError, StoreKind};
use crate::secret::{Secret, hex, sha256};
use crate::text::safe;
use crate::world::{Keychain, KeychainError, random};

/// What a header begins with. A record is JSON and can't; one that does is stored in parts whatever
/// its length.
const MARK: &str = "oauthctl-parts 1 ";

/// How often a record is read again that was replaced while its parts were read: a bound for a
/// writer that never rests.
const TRIES: usize = 1000;

/// The store in the system's keychain.
pub struct KeychainStore {
    kind: StoreKind,
    keychain: Arc<dyn Keychain>,
}

/// Names a set of parts: `MARK SET COUNT HASH`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    set: String,
    count: usize,
    /// SHA-256 of the record, in hexadecimal.
    hash: String,
}

impl Header {
    /// `None`: the item holds a record. `Some(Err)`: a header that isn't one of ours.
    fn parse(value: &str) -> Option<Result<Header, ()>> {
        let rest = value.strip_prefix(MARK)?;
        let words: Vec<&str> = rest.split(' ').collect();
        Some(match words[..] {
            [set, count, hash] if is_hex(set) && is_hex(hash) => match count.parse() {
                // each part holds at least one byte
                Ok(count) if (1..=LONGEST_RECORD).contains(&count) => {
                    Ok(Header { set: set.to_owned(), count, hash: hash.to_owned() })
                }
                _ => Err(()),
            },
            _ => Err(()),
        })
    }

    fn text(&self) -> String {
        format!("{MARK}{} {} {}", self.set, self.count, self.hash)
    }
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn hash(record: &str) -> String {
    hex(&sha256(record.as_bytes()))
}

fn part_name(profile: &str, set: &str, index: usize) -> String {
    format!("{profile}:{set}.{index}")
}

fn list_name(profile: &str) -> String {
    format!("{profile}:parts")
}

/// The record in pieces of at most `limit` bytes, cut between characters since items hold text.
fn cut(record: &str, limit: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = record;
    while !rest.is_empty() {
        let mut end = limit.max(4).min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

impl KeychainStore {
    /// A store in this keychain: the system's, or one that a program stands for.
    pub fn new(kind: StoreKind, keychain: Arc<dyn Keychain>) -> KeychainStore {
        KeychainStore { kind, keychain }
    }

    fn what(&self) -> String {
        match self.kind {
            StoreKind::Program(program) => format!("store of `{}`", safe(&program.name)),
            _ => format!("keychain ({})", self.keychain.name()),
        }
    }

    fn explain(&self, error: KeychainError) -> StoreError {
        match error {
            KeychainError::Locked => StoreError::Locked(self.what()),
            KeychainError::Absent(why) => StoreError::Absent {
                what: match self.kind {
                    StoreKind::Program(_) => self.what(),
                    _ => "keychain".to_owned(),
                },
                why,
            },
            // the reason is the system's own text
            KeychainError::Denied(why) if why.is_empty() => StoreError::Denied(self.what()),
            KeychainError::Denied(why) => StoreError::Denied(format!("keychain ({}: {why})", self.keychain.name())),
            KeychainError::TimedOut(seconds) => StoreError::TimedOut(self.what(), seconds),
            KeychainError::Foreign(why) => StoreError::Foreign(self.what(), why),
            KeychainError::Failed(why) => StoreError::Failed(self.what(), anyhow::Error::msg(why)),
        }
    }

    fn get(&self, account: &str) -> Result<Option<Secret>, StoreError> {
        self.keychain.get(account).map_err(|e| self.explain(e))
    }

    fn set(&self, account: &str, value: &str) -> Result<(), StoreError> {
        self.keychain.set(account, &Secret::new(value)).map_err(|e| self.explain(e))
    }

    fn remove(&self, account: &str) -> Result<bool, StoreError> {
        self.keychain.delete(account).map_err(|e| self.explain(e))
    }

    fn corrupt(&self, profile: &str, why: &str) -> StoreError {
        StoreError::Corrupt {
            place: format!("the item `{profile}` of the {}", self.what()),
            profile: profile.to_owned(),
            why: why.to_owned(),
        }
    }

    /// Whether the parts gave the record that the header names; `None` when they did not.
    fn assemble(&self, profile: &str, header: &Header) -> Result<Option<Secret>, StoreError> {
        let mut record = Zeroizing::new(String::new());
        for index in 0..header.count {
            let Some(part) = self.get(&part_name(profile, &header.set, index))? else { return Ok(None) };
            record.push_str(part.expose());
            if record.len() > LONGEST_RECORD {
                return Ok(None);
            }
        }
        Ok((hash(&record) == header.hash).then(|| Secret::new(record.as_str())))
    }

    /// The sets that were ever begun and not yet removed, with their numbers of parts.
    fn sets(&self, profile: &str) -> Result<Vec<(String, usize)>, StoreError> {
        let Some(list) = self.get(&list_name(profile))? else { return Ok(Vec::new()) };
        let entry = |word: &str| {
            let (set, count) = word.split_once(':')?;
            let count = count.parse().ok().filter(|count| *count <= LONGEST_RECORD)?;
            is_hex(set).then(|| (set.to_owned(), count))
        };
        // a list that can't be read costs nothing but parts that stay behind
        Ok(list.expose().split(' ').filter_map(entry).collect())
    }

    fn note_sets(&self, profile: &str, sets: &[(String, usize)]) -> Result<(), StoreError> {
        if sets.is_empty() {
            return self.remove(&list_name(profile)).map(drop);
        }
        let list: Vec<String> = sets.iter().map(|(set, count)| format!("{set}:{count}")).collect();
        self.set(&list_name(profile), &list.join(" "))
    }

    fn remove_parts(&self, profile: &str, sets: &[(String, usize)]) -> Result<(), StoreError> {
        for (set, count) in sets {
            for index in 0..*count {
                self.remove(&part_name(profile, set, index))?;
            }
        }
        Ok(())
    }

    /// Writes the record in parts; the header comes last. The list keeps every set begun, so that
    /// it can be cleaned up.
    fn save_in_parts(
        &self,
        profile: &str,
        record: &str,
        limit: usize,
        sets: &mut Vec<(String, usize)>,
    ) -> Result<Header, StoreError> {
        let mut name = [0u8; 8];
        random::fill(&mut name).map_err(|_| {
            StoreError::Failed("system's random generator".to_owned(), anyhow::Error::msg("it gave nothing"))
        })?;
        let pieces = cut(record, limit);
        let header = Header { set: hex(&name), count: pieces.len(), hash: hash(record) };
        sets.push((header.set.clone(), header.count));
        self.note_sets(profile, sets)?;
        for (index, piece) in pieces.iter().enumerate() {
            self.set(&part_name(profile, &header.set, index), piece)?;
        }
        self.set(profile, &header.text())?;
        Ok(header)
    }
}

impl Store for KeychainStore {
    fn kind(&self) -> StoreKind {
        self.kind
    }

    fn place(&self) -> String {
        match self.kind {
            StoreKind::Program(program) => format!("the program `{}`", safe(&program.name)),
            _ => self.keychain.name(),
        }
    }

    fn in_words(&self) -> String {
        format!("the {}", self.what())
    }

    fn scope(&self) -> String {
        self.keychain.scope()
    }

    fn load(&self, profile: &str) -> Result<Option<Secret>, StoreError> {
        let mut last = None;
        for _ in 0..TRIES {
            let Some(value) = self.get(profile)? else { return Ok(None) };
            let header = match Header::parse(value.expose()) {
                None => return Ok(Some(value)),
                Some(Err(())) => return Err(self.corrupt(profile, "its header is damaged")),
                Some(Ok(header)) => header,
            };
            if let Some(record) = self.assemble(profile, &header)? {
                return Ok(Some(record));
            }
            // replaced while it was read: the header is another by now
            if last.as_ref() == Some(&header) {
                break;
            }
            last = Some(header);
        }
        Err(self.corrupt(profile, "a part of it is missing or is another's"))
    }

    fn save(&self, profile: &str, record: &Secret) -> Result<(), StoreError> {
        let text = record.expose();
        if text.len() > LONGEST_RECORD {
            return Err(StoreError::TooLong(self.what()));
        }
        let limit = self.keychain.item_limit();
        let in_parts = text.starts_with(MARK) || limit.is_some_and(|limit| text.len() > limit);
        // without a limit no record was ever cut, save one that looks like a header: no list to ask
        // for
        let mut sets = if limit.is_some() || in_parts { self.sets(profile)? } else { Vec::new() };
        let live = if in_parts {
            let header = self.save_in_parts(profile, text, limit.unwrap_or(LONGEST_RECORD), &mut sets)?;
            Some((header.set, header.count))
        } else {
            self.set(profile, text)?;
            None
        };
        if self.load(profile)?.as_ref() != Some(record) {
            return Err(StoreError::NotKept(self.what()));
        }
        // The record is saved, whatever becomes of the old one's parts: the list still names those
        // that stay.
        sets.retain(|set| Some(set) != live.as_ref());
        if !sets.is_empty() && self.remove_parts(profile, &sets).is_ok() {
            let _ = self.note_sets(profile, live.as_slice());
        }
        Ok(())
    }

    fn delete(&self, profile: &str) -> Result<bool, StoreError> {
        let header = match self.get(profile)?.map(|value| Header::parse(value.expose())) {
            Some(Some(Ok(header))) => Some((header.set, header.count)),
            _ => None,
        };
        let mut sets =
            if self.keychain.item_limit().is_some() || header.is_some() { self.sets(profile)? } else { Vec::new() };
        sets.extend(header.filter(|live| !sets.contains(live)));
        // the header first: killed after it, there is no record, and the list still leads to the
        // parts
        let found = self.remove(profile)?;
        if !sets.is_empty() {
            self.remove_parts(profile, &sets)?;
            self.note_sets(profile, &[])?;
        }
        Ok(found)
    }

    fn profiles(&self) -> Result<Vec<String>, StoreError> {
        let accounts = self.keychain.accounts().map_err(|e| self.explain(e))?;
        let is_part = |account: &String| {
            let Some((profile, rest)) = account.rsplit_once(':') else { return false };
            let of_set = rest.split_once('.').is_some_and(|(set, index)| is_hex(set) && index.parse::<usize>().is_ok());
            *account == list_name(profile) || of_set
        };
        Ok(accounts.into_iter().filter(|account| !is_part(account)).collect())
    }

    fn writable(&self, _profile: &str) -> Result<(), StoreError> {
        self.keychain.ready().map_err(|e| self.explain(e))
    }
}
