//! The store on files, for machines without a keychain: one sealed file per profile
//! (XChaCha20-Poly1305).
//!
//! Argon2id derives the key from a passphrase and the folder's salt: one derivation opens all of a
//! folder's records, and `store unlock` keeps its key in the kernel. Without a passphrase the first
//! save makes a key file. It protects a record in backups, searches and logs that catch only one of
//! the two files. It gives no protection against a reader of the folder; `login` says so.
//!
//! With keys of age a file is one that `age` opens too: sealed for them, with the profile's name as
//! its label. Any other file holds: `oauthctl`, the format's number, the kind of key and (for a
//! passphrase) Argon2id's costs and salt, the profile's name (since format 2, to find records
//! outside the configuration), the nonce, the sealed record, and the first eight bytes of the
//! SHA-256 of all that. The hash tells a damaged file from a wrong key. The bytes before the nonce
//! and the profile's name are associated data, so that no file fits another profile.

mod unlocked;

use std::cell::{OnceCell, RefCell};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{LONGEST_RECORD, Store, StoreError, StoreKind};
use crate::protocol::age::{self, Identity, Recipient};
use crate::secret::{Secret, hex, sha256};
use crate::world::TokenCopy;
use crate::world::files::{self, PrivateError};
use unlocked::Unlocked;

const MAGIC: &[u8; 8] = b"oauthctl";
const FORMAT: u8 = 2;
const WITHOUT_NAME: u8 = 1;
const BY_KEY_FILE: u8 = 1;
const BY_PASSPHRASE: u8 = 2;
const NONCE: usize = 24;
const SALT: usize = 16;
const CHECK: usize = 8;
const KEY: usize = 32;
/// Three numbers and a salt.
const DERIVATION: usize = 12 + SALT;

/// The longest file: a record, its seal and the header.
const LONGEST_FILE: usize = LONGEST_RECORD + 16 * 1024;

/// The file names' endings.
const SEALED: &str = ".sealed";

/// The size of [`Store::writable`]'s test file: about one record.
const PROBE: usize = 16 * 1024;

/// What [`FileStore::outdated`] says of a record that nothing opens.
pub const DAMAGED: &str = "can't be read";

/// The same, of a record that needs the passphrase to be sealed with it.
pub const UNDER_KEY_FILE: &str = "is under the key file, not under the passphrase";

/// What [`FileStore::opened_otherwise`] says of records for keys of age.
pub const BY_AGE: &str = "a private key of age or SSH";

/// The longest passphrase file.
const LONGEST_PASSPHRASE: usize = 64 * 1024;

/// The costs of Argon2id, with an upper bound: a foreign file must not take all memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Costs {
    /// In KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

/// OWASP's password storage cheat sheet, as of 2026: 19 MiB, two passes, one lane.
const COSTS: Costs = Costs { memory: 19 * 1024, passes: 2, lanes: 1 };
const HIGHEST_COSTS: Costs = Costs { memory: 256 * 1024, passes: 16, lanes: 4 };

impl Costs {
    fn bearable(self) -> bool {
        self.memory <= HIGHEST_COSTS.memory
            && (1..=HIGHEST_COSTS.passes).contains(&self.passes)
            && (1..=HIGHEST_COSTS.lanes).contains(&self.lanes)
            && self.memory >= 8 * self.lanes
    }
}

/// How a passphrase became a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Derivation {
    costs: Costs,
    salt: [u8; SALT],
}

impl Derivation {
    fn to_bytes(self) -> Vec<u8> {
        let Costs { memory, passes, lanes } = self.costs;
        let numbers = [memory, passes, lanes].map(u32::to_le_bytes);
        [numbers.as_flattened(), &self.salt].concat()
    }

    fn take(rest: &mut &[u8]) -> Option<Derivation> {
        let mut number = || take(rest).map(|four| u32::from_le_bytes(*four));
        let costs = Costs { memory: number()?, passes: number()?, lanes: number()? };
        Some(Derivation { costs, salt: *take(rest)? })
    }
}

type SealKey = Zeroizing<[u8; KEY]>;

/// What opens sealed files, beside a key file.
#[derive(Clone, Default)]
pub struct Openers {
    pub passphrase: Option<Secret>,
    /// Where the keys of an unlocked folder are.
    pub kernel: Option<Rc<dyn TokenCopy>>,
    /// Reads the keys of age, if records are sealed with such.
    pub age: Option<ReadsKeys>,
}

type ReadsKeys = Rc<dyn Fn() -> Result<Option<AgeKeys>, StoreError>>;

/// Keys of age: what opens, and who else may open.
pub struct AgeKeys {
    pub identities: Vec<Identity>,
    pub others: Vec<Recipient>,
}

impl AgeKeys {
    fn recipients(&self) -> Vec<Recipient> {
        self.identities.iter().map(|own| &own.recipient).chain(&self.others).cloned().collect()
    }
}

thread_local! {
    /// The keys that were derived so far (28 ms each), and of which passphrase. Records from before
    /// the folder had a salt have their own.
    static DERIVED: RefCell<Vec<(Secret, Derivation, SealKey)>> = const { RefCell::new(Vec::new()) };
}

fn derive(passphrase: &Secret, derivation: &Derivation) -> Result<SealKey, StoreError> {
    let known = |keys: &Vec<(Secret, Derivation, SealKey)>| {
        let key = keys.iter().find(|(of, how, _)| how == derivation && of == passphrase);
        key.map(|(.., key)| key.clone())
    };
    if let Some(key) = DERIVED.with_borrow(known) {
        return Ok(key);
    }
    let Costs { memory, passes, lanes } = derivation.costs;
    let mut key = Zeroizing::new([0u8; KEY]);
    let text = passphrase.expose().as_bytes();
    Params::new(memory, passes, lanes, Some(KEY))
        .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        .and_then(|argon2| argon2.hash_password_into(text, &derivation.salt, &mut *key))
        .map_err(|e| failed(anyhow::Error::msg(format!("Argon2id: {e}"))))?;
    DERIVED.with_borrow_mut(|keys| keys.push((passphrase.clone(), *derivation, key.clone())));
    Ok(key)
}

/// Sealed files in one folder, one per profile.
pub struct FileStore {
    folder: PathBuf,
    openers: Openers,
    /// The key file's key as last read: one reading serves a list. A save reads the file.
    key: RefCell<Option<SealKey>>,
    /// The kernel's keys of this folder, once they were looked for.
    unlocked: OnceCell<Option<Unlocked>>,
    age: OnceCell<Option<AgeKeys>>,
}

fn read_failed(error: PrivateError) -> StoreError {
    match error {
        PrivateError::Io { path, source } if source.kind() == ErrorKind::PermissionDenied => {
            StoreError::Denied(format!("file `{path}`"))
        }
        _ => failed(error),
    }
}

fn failed(e: impl Into<anyhow::Error>) -> StoreError {
    StoreError::Failed("file store".to_owned(), e.into())
}

/// The content of the file that `OAUTHCTL_STORE_PASSPHRASE_FILE` names, without its last newline.
pub fn passphrase_file(path: &Path) -> Result<Secret, StoreError> {
    text_file(path, "passphrase file")
}

/// The content of a small file that holds one secret, without its last newline. `what`: for errors.
pub fn text_file(path: &Path, what: &str) -> Result<Secret, StoreError> {
    let place = path.display().to_string();
    let unreadable = |source: std::io::Error| {
        StoreError::Failed(what.to_owned(), PrivateError::Io { path: place.clone(), source }.into())
    };
    // an ordinary open, since a passphrase often comes through a pipe
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = Zeroizing::new(String::new());
    std::io::Read::read_to_string(&mut std::io::Read::take(file, LONGEST_PASSPHRASE as u64 + 1), &mut text)
        .map_err(unreadable)?;
    if text.len() > LONGEST_PASSPHRASE {
        return Err(unreadable(std::io::Error::other("it is too long for a secret")));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(unreadable(std::io::Error::other("it is empty")));
    }
    Ok(Secret::new(line))
}

/// A file name that is valid and distinct on every file system: the readable part of the profile's
/// name, and a hash of the whole name.
fn file_name(profile: &str) -> String {
    let readable: String = profile
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .take(32)
        .collect();
    format!("{readable}-{}{SEALED}", hex(&sha256(profile.as_bytes())[..8]))
}

/// The folder of the records, in the state folder.
pub fn folder(state: &Path) -> PathBuf {
    state.join("store")
}

/// The file of a profile's record.
pub fn path(state: &Path, profile: &str) -> PathBuf {
    folder(state).join(file_name(profile))
}

/// A file's parts.
struct Sealed<'a> {
    /// All bytes before the nonce.
    head: &'a [u8],
    derivation: Option<Derivation>,
    profile: Option<&'a str>,
    nonce: &'a [u8; NONCE],
    body: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn parse(file: &'a [u8]) -> Result<Sealed<'a>, &'static str> {
        const CUT: &str = "it is cut off";
        let (content, check) = file.split_last_chunk::<CHECK>().ok_or(CUT)?;
        if !content.starts_with(MAGIC) {
            return Err("it is not a sealed record");
        }
        if sha256(content)[..CHECK] != check[..] {
            return Err("it is damaged");
        }
        let mut rest = &content[MAGIC.len()..];
        let [format, kind] = *take(&mut rest).ok_or(CUT)?;
        if ![WITHOUT_NAME, FORMAT].contains(&format) {
            return Err("it was written by a newer version of oauthctl");
        }
        let derivation = match kind {
            BY_KEY_FILE => None,
            BY_PASSPHRASE => {
                let derivation = Derivation::take(&mut rest).ok_or(CUT)?;
                if !derivation.costs.bearable() {
                    return Err("it asks for more memory or time than a passphrase may take");
                }
                Some(derivation)
            }
            _ => return Err("it is sealed by a kind of key that this version does not know"),
        };
        let profile = match format {
            WITHOUT_NAME => None,
            _ => {
                let length = usize::from(u16::from_le_bytes(*take(&mut rest).ok_or(CUT)?));
                let (name, after) = rest.split_at_checked(length).ok_or(CUT)?;
                rest = after;
                Some(std::str::from_utf8(name).map_err(|_| "the profile's name in it is no text")?)
            }
        };
        let head = &content[..content.len() - rest.len()];
        let nonce = take(&mut rest).ok_or(CUT)?;
        Ok(Sealed { head, derivation, profile, nonce, body: rest })
    }
}

fn is_by_key_file(file: &[u8]) -> bool {
    Sealed::parse(file).is_ok_and(|sealed| sealed.derivation.is_none())
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(first)
}

fn head(derivation: Option<&Derivation>, profile: &str) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.push(FORMAT);
    match derivation {
        None => head.push(BY_KEY_FILE),
        Some(derivation) => {
            head.push(BY_PASSPHRASE);
            head.extend(derivation.to_bytes());
        }
    }
    // the longest name has 256 bytes
    head.extend_from_slice(&(profile.len() as u16).to_le_bytes());
    head.extend_from_slice(profile.as_bytes());
    head
}

fn associated(head: &[u8], profile: &str) -> Vec<u8> {
    [head, profile.as_bytes()].concat()
}

fn text(record: &[u8]) -> Option<Secret> {
    std::str::from_utf8(record).ok().map(Secret::new)
}

fn cipher(key: &SealKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(**key))
}

impl FileStore {
    /// The first save makes `folder`. A passphrase seals records from now on; records sealed with a
    /// key file still open.
    pub fn new(folder: PathBuf, openers: Openers) -> FileStore {
        FileStore { folder, openers, key: RefCell::default(), unlocked: OnceCell::new(), age: OnceCell::new() }
    }

    fn path(&self, profile: &str) -> PathBuf {
        self.folder.join(file_name(profile))
    }

    fn key_path(&self) -> PathBuf {
        self.folder.join("key")
    }

    fn folder_name(&self) -> String {
        format!("`{}`", self.folder.display())
    }

    fn write_failed(&self, error: PrivateError) -> StoreError {
        match error.kind() {
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) => {
                StoreError::Full(self.folder_name())
            }
            Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                StoreError::NotWritable(self.folder_name(), error)
            }
            _ => failed(error),
        }
    }

    /// The folder, where there is one.
    fn open_folder(&self) -> Result<bool, StoreError> {
        files::existing_folder(&self.folder).map_err(read_failed)
    }

    fn make_folder(&self) -> Result<(), StoreError> {
        files::make_folder(&self.folder).map_err(|e| self.write_failed(e))
    }

    fn read_key(&self) -> Result<Option<SealKey>, StoreError> {
        let path = self.key_path();
        let Some(bytes) = files::read(&path, KEY).map_err(read_failed)? else { return Ok(None) };
        match <[u8; KEY]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(self.key.borrow_mut().insert(Zeroizing::new(key)).clone().into()),
            Err(_) => Err(StoreError::BadKey(format!("the key file `{}`", path.display()))),
        }
    }

    /// The key file's key, made if missing: not beside records that a lost one sealed.
    fn make_key(&self) -> Result<SealKey, StoreError> {
        let key = self.made_once(&self.key_path(), || self.read_key(), || self.needs_no_lost_key())?;
        Ok(self.key.borrow_mut().insert(key).clone())
    }

    fn needs_no_lost_key(&self) -> Result<(), StoreError> {
        let sealed = self.files()?.filter(|(_, file)| is_by_key_file(file));
        let mut profiles: Vec<String> = sealed.map(|(profile, _)| profile).collect();
        profiles.sort();
        match profiles.is_empty() {
            true => Ok(()),
            false => Err(StoreError::KeyGone { key: self.key_path().display().to_string(), profiles }),
        }
    }

    fn salt_path(&self) -> PathBuf {
        self.folder.join("salt")
    }

    /// The folder's salt, unless it is missing or damaged.
    fn read_salt(&self) -> Result<Option<Zeroizing<[u8; SALT]>>, StoreError> {
        let salt = files::read(&self.salt_path(), SALT).map_err(read_failed)?;
        Ok(salt.and_then(|salt| salt.as_slice().try_into().ok()).map(Zeroizing::new))
    }

    /// The derivation for new files. Makes a missing salt: each record holds the one that it was
    /// sealed with.
    fn derivation(&self) -> Result<Derivation, StoreError> {
        let salt = self.made_once(&self.salt_path(), || self.read_salt(), || Ok(()))?;
        Ok(Derivation { costs: COSTS, salt: *salt })
    }

    /// The name of the kernel's entry, where there is a kernel and a salt.
    fn entry(&self) -> Option<(&dyn TokenCopy, String)> {
        let kernel = self.openers.kernel.as_deref()?;
        Some((kernel, unlocked::name(&*self.read_salt().ok()??)))
    }

    fn unlocked(&self) -> Option<&Unlocked> {
        let find = || self.entry().and_then(|(kernel, name)| Unlocked::from_bytes(&kernel.read(&name)?));
        self.unlocked.get_or_init(find).as_ref()
    }

    /// Keeps the keys of this passphrase in the kernel for this time, which ends at `until`.
    /// Returns the profiles whose records it doesn't open; if it opens none, that is an error.
    pub fn unlock(&self, passphrase: &Secret, (until, time): (i64, Duration)) -> Result<Vec<String>, StoreError> {
        self.make_folder()?;
        let openers = Openers { passphrase: Some(passphrase.clone()), ..Openers::default() };
        let (trial, mut derivations) = (FileStore::new(self.folder.clone(), openers), vec![self.derivation()?]);
        let (mut opened, mut unopened, mut wrong) = (false, Vec::new(), None);
        for (profile, derivation) in self.by_passphrase()? {
            match trial.load(&profile) {
                Ok(_) => {
                    opened = true;
                    derivations.extend((!derivations.contains(&derivation)).then_some(derivation));
                }
                Err(e @ StoreError::WrongPassphrase(_)) => {
                    unopened.push(profile);
                    wrong = Some(e);
                }
                // a damaged record says nothing of the passphrase
                Err(_) => {}
            }
        }
        if let Some(wrong) = wrong.filter(|_| !opened) {
            return Err(wrong);
        }
        let keys = derivations.into_iter().map(|how| Ok((how, derive(passphrase, &how)?)));
        let unlocked = Unlocked { until, keys: keys.collect::<Result<_, StoreError>>()? };
        match self.entry().is_some_and(|(kernel, name)| kernel.write(&name, &unlocked.to_bytes(), time)) {
            true => Ok(unopened),
            false => Err(StoreError::Full("the kernel's keyring".to_owned())),
        }
    }

    /// What opens the records, where no passphrase does: there is nothing to unlock.
    pub fn opened_otherwise(&self) -> Result<Option<&'static str>, StoreError> {
        if self.has_passphrase()? {
            return Ok(None);
        }
        let for_age = self.age()?.is_some() || self.files()?.any(|(_, file)| file.starts_with(age::MAGIC));
        Ok(match for_age {
            true => Some(BY_AGE),
            false => self.read_key()?.map(|_| "a key file"),
        })
    }

    /// Whether a record is under a passphrase.
    pub fn has_passphrase(&self) -> Result<bool, StoreError> {
        Ok(!self.by_passphrase()?.is_empty())
    }

    /// The profiles whose record is not sealed as a new one would be, and how it is.
    pub fn outdated(&self) -> Result<Vec<(String, &'static str)>, StoreError> {
        let with_age = self.age()?.is_some();
        let by_passphrase = self.openers.passphrase.is_some() || self.has_passphrase()?;
        let salt = self.read_salt()?;
        let how = |file: &[u8]| match Sealed::parse(file) {
            _ if file.starts_with(age::MAGIC) => None,
            Err(_) => Some(DAMAGED),
            Ok(_) if with_age => Some("is not sealed for the key that `store-identity` names"),
            Ok(Sealed { profile: None, .. }) => Some("is in the first format, without the profile's name"),
            Ok(Sealed { derivation: None, .. }) if by_passphrase => Some(UNDER_KEY_FILE),
            Ok(Sealed { derivation: Some(own), .. }) if salt.as_deref() != Some(&own.salt) => {
                Some("is under a key of its own, which is derived each time")
            }
            Ok(_) => None,
        };
        Ok(self.files()?.filter_map(|(profile, file)| Some((profile, how(&file)?))).collect())
    }

    /// The profiles with a record under a passphrase, and how its key is derived.
    fn by_passphrase(&self) -> Result<Vec<(String, Derivation)>, StoreError> {
        let of = |(profile, file): (_, Zeroizing<Vec<u8>>)| Some((profile, Sealed::parse(&file).ok()?.derivation?));
        Ok(self.files()?.filter_map(of).collect())
    }

    /// The profiles and their files, as far as these can be read.
    fn files(&self) -> Result<impl Iterator<Item = (String, Zeroizing<Vec<u8>>)>, StoreError> {
        let read = |profile: String| {
            let file = files::read(&self.path(&profile), LONGEST_FILE).ok()??;
            Some((profile, file))
        };
        Ok(self.profiles()?.into_iter().filter_map(read))
    }

    /// The profile whose record has this file name.
    fn profile_of(&self, name: &str) -> Option<String> {
        let readable = name.strip_suffix(SEALED)?.rsplit_once('-')?.0;
        // most names are readable whole
        if file_name(readable) == name {
            return Some(readable.to_owned());
        }
        let file = files::read(&self.folder.join(name), LONGEST_FILE).ok().flatten().unwrap_or_default();
        let label = age::Sealed::parse(&file).and_then(|sealed| sealed.label());
        let profile = label.as_deref().or_else(|| Sealed::parse(&file).ok()?.profile).unwrap_or(readable);
        // an older file holds no name, and a damaged one may hold a wrong one
        (file_name(profile) == name).then(|| profile.to_owned())
    }

    /// What is in the folder and is none of its files, and why.
    pub fn strangers(&self) -> Vec<(PathBuf, &'static str)> {
        let why = |path: &Path| {
            let about = path.symlink_metadata().ok()?.file_type();
            let name = path.file_name()?.to_string_lossy();
            match about {
                kind if kind.is_dir() => Some("is a folder, where only files belong"),
                kind if kind.is_symlink() => Some("is a symbolic link, which is never followed"),
                kind if !kind.is_file() => Some("is no plain file"),
                _ if ["key", "salt", "lock"].contains(&&*name) || files::is_unfinished(&name) => None,
                _ if !name.ends_with(SEALED) => Some("is no file of this program"),
                _ if self.profile_of(&name).is_none() => Some("is a sealed file under the name of no profile"),
                _ => None,
            }
        };
        let mut found: Vec<_> = files::below(&self.folder).filter_map(|path| Some((why(&path)?, path))).collect();
        found.sort();
        found.into_iter().map(|(why, path)| (path, why)).collect()
    }

    /// Removes the keys from the kernel. Returns whether they were there.
    pub fn lock(&self) -> bool {
        let Some((kernel, name)) = self.entry() else { return false };
        let there = kernel.read(&name).is_some();
        kernel.forget(&name);
        there
    }

    /// The random bytes of a file, made if `read` finds none and they `may` be. Only one process at
    /// a time: a second key would lock the first one's records.
    fn made_once<const N: usize>(
        &self,
        path: &Path,
        read: impl Fn() -> Result<Option<Zeroizing<[u8; N]>>, StoreError>,
        may: impl Fn() -> Result<(), StoreError>,
    ) -> Result<Zeroizing<[u8; N]>, StoreError> {
        if let Some(bytes) = read()? {
            return Ok(bytes);
        }
        let _lock = files::lock(&self.folder.join("lock")).map_err(|e| self.write_failed(e))?;
        if let Some(bytes) = read()? {
            return Ok(bytes);
        }
        may()?;
        let mut bytes = Zeroizing::new([0u8; N]);
        files::random(path, &mut *bytes).map_err(|e| self.write_failed(e))?;
        files::replace(path, &*bytes).map_err(|e| self.write_failed(e))?;
        Ok(bytes)
    }

    /// The key for the profile's next file, and its source. Where records are under a passphrase,
    /// no key file is made beside them. An unlocked key leaves a record under the key file there:
    /// only who gives the passphrase itself chose it for that record.
    fn key_to_save(&self, profile: &str) -> Result<(Option<Derivation>, SealKey), StoreError> {
        let key_file = || self.read_key().map(|key| key.is_some());
        let by_passphrase = self.openers.passphrase.is_some()
            || match self.unlocked() {
                Some(_) => !(key_file()? && self.is_under_key_file(profile)),
                None => !key_file()? && self.has_passphrase()?,
            };
        if !by_passphrase {
            return Ok((None, self.make_key()?));
        }
        let derivation = self.derivation()?;
        Ok((Some(derivation), self.key_of(&derivation, &self.folder_name())?))
    }

    fn is_under_key_file(&self, profile: &str) -> bool {
        is_by_key_file(&files::read(&self.path(profile), LONGEST_FILE).ok().flatten().unwrap_or_default())
    }

    /// The key that the passphrase gives, or the unlocked one.
    fn key_of(&self, derivation: &Derivation, place: &str) -> Result<SealKey, StoreError> {
        if let Some(passphrase) = &self.openers.passphrase {
            return derive(passphrase, derivation);
        }
        let key = self.unlocked().and_then(|unlocked| unlocked.key(derivation));
        key.ok_or_else(|| StoreError::NeedsPassphrase(place.to_owned()))
    }

    fn age(&self) -> Result<Option<&AgeKeys>, StoreError> {
        if self.age.get().is_none() {
            let found = self.openers.age.as_ref().map_or(Ok(None), |read| read())?;
            let _ = self.age.set(found);
        }
        Ok(self.age.get().and_then(Option::as_ref))
    }

    /// The file for a record.
    fn sealed(&self, profile: &str, path: &Path, record: &Secret) -> Result<Vec<u8>, StoreError> {
        let unsealed = || failed(anyhow::Error::msg("the record could not be sealed"));
        let plain = record.expose().as_bytes();
        if let Some(keys) = self.age()? {
            return age::sealed(&keys.recipients(), Some(profile), plain).map_err(|_| unsealed());
        }
        let (derivation, key) = self.key_to_save(profile)?;
        let mut file = head(derivation.as_ref(), profile);
        let aad = associated(&file, profile);
        let mut nonce = [0u8; NONCE];
        files::random(path, &mut nonce).map_err(|e| self.write_failed(e))?;
        let body =
            cipher(&key).encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }).map_err(|_| unsealed())?;
        file.extend_from_slice(&nonce);
        file.extend_from_slice(&body);
        file.extend_from_slice(&sha256(&file)[..CHECK]);
        Ok(file)
    }

    fn open_file(&self, profile: &str, path: &Path, file: &[u8]) -> Result<Secret, StoreError> {
        let place = format!("`{}`", path.display());
        let corrupt = |why: &str| {
            let (place, profile) = (place.clone(), profile.to_owned());
            StoreError::Corrupt { place, profile, why: why.to_owned() }
        };
        if file.starts_with(age::MAGIC) {
            let sealed = age::Sealed::parse(file).ok_or_else(|| corrupt("it is damaged"))?;
            let keys = self.age()?.ok_or_else(|| StoreError::NeedsIdentity(place.clone()))?;
            let record = sealed.open(&keys.identities).ok_or_else(|| StoreError::WrongIdentity(place.clone()))?;
            return match sealed.label().as_deref() == Some(profile) {
                true => text(&record).ok_or_else(|| corrupt("it holds no text")),
                false => Err(corrupt("it was sealed for another profile")),
            };
        }
        let sealed = Sealed::parse(file).map_err(corrupt)?;
        let known = self.key.borrow().clone();
        let key = match &sealed.derivation {
            None => known
                .map_or_else(|| self.read_key(), |key| Ok(Some(key)))?
                .ok_or_else(|| corrupt("its key file is gone"))?,
            Some(derivation) => self.key_of(derivation, &place)?,
        };
        let aad = associated(sealed.head, profile);
        let opened = cipher(&key).decrypt(&XNonce::from(*sealed.nonce), Payload { msg: sealed.body, aad: &aad });
        let Ok(record) = opened.map(Zeroizing::new) else {
            return Err(match sealed.derivation {
                Some(_) => StoreError::WrongPassphrase(place),
                None => corrupt("it was sealed with another key than the key file's, or for another profile"),
            });
        };
        text(&record).ok_or_else(|| corrupt("it holds no text"))
    }
}

impl Store for FileStore {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }

    fn scope(&self) -> String {
        #[cfg(unix)]
        if let Ok(folder) = std::fs::metadata(&self.folder) {
            use std::os::unix::fs::MetadataExt;
            return format!("{}:{}", folder.dev(), folder.ino());
        }
        let folder = std::fs::canonicalize(&self.folder).or_else(|_| std::path::absolute(&self.folder));
        folder.unwrap_or_else(|_| self.folder.clone()).display().to_string()
    }

    fn load(&self, profile: &str) -> Result<Option<Secret>, StoreError> {
        if !self.open_folder()? {
            return Ok(None);
        }
        let path = self.path(profile);
        match files::read(&path, LONGEST_FILE).map_err(read_failed)? {
            None => Ok(None),
            Some(file) => self.open_file(profile, &path, &file).map(Some),
        }
    }

    fn save(&self, profile: &str, record: &Secret) -> Result<(), StoreError> {
        if record.expose().len() > LONGEST_RECORD {
            return Err(StoreError::TooLong("file store".to_owned()));
        }
        self.make_folder()?;
        let path = self.path(profile);
        let file = self.sealed(profile, &path, record)?;
        files::replace(&path, &file).map_err(|e| self.write_failed(e))?;
        files::sweep(&self.folder, "");
        match self.load(profile) {
            Ok(Some(kept)) if kept == *record => Ok(()),
            _ => Err(StoreError::NotKept("file store".to_owned())),
        }
    }

    fn delete(&self, profile: &str) -> Result<bool, StoreError> {
        if !self.open_folder()? {
            return Ok(false);
        }
        let found = files::remove(&self.path(profile)).map_err(|e| self.write_failed(e))?;
        files::sweep(&self.folder, "");
        Ok(found)
    }

    fn profiles(&self) -> Result<Vec<String>, StoreError> {
        if !self.open_folder()? {
            return Ok(Vec::new());
        }
        let mut profiles = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            profiles.extend(self.profile_of(&entry.map_err(failed)?.file_name().to_string_lossy()));
        }
        Ok(profiles)
    }

    fn writable(&self, profile: &str) -> Result<(), StoreError> {
        self.make_folder()?;
        if self.age()?.is_none() {
            self.key_to_save(profile)?;
        }
        files::try_replace(&self.path(profile), PROBE).map_err(|e| self.write_failed(e))
    }

    fn opened_by(&self) -> &'static str {
        if let Ok(Some(_)) = self.age() {
            return "opened by the key that `store-identity` names";
        }
        match self.openers.passphrase.is_some() || self.unlocked().is_some() {
            true => "opened by your passphrase",
            false => "their key beside them: whoever can read that folder can read them",
        }
    }

    fn unlocked_until(&self) -> Option<i64> {
        self.unlocked().map(|unlocked| unlocked.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened_with<'a>(passphrase: impl Into<Option<&'a str>>) -> Openers {
        Openers { passphrase: passphrase.into().map(Secret::from), ..Openers::default() }
    }

    /// Cheap costs, so that a test doesn't derive for a second; the real ones are used by the
    /// contract test.
    const CHEAP: Costs = Costs { memory: 8, passes: 1, lanes: 1 };

    fn seal(profile: &str, passphrase: &str, costs: Costs) -> Vec<u8> {
        let derivation = Derivation { costs, salt: [7; SALT] };
        let mut file = head(Some(&derivation), profile);
        let aad = associated(&file, profile);
        let key = derive(&passphrase.into(), &derivation).unwrap();
        let body = cipher(&key).encrypt(&XNonce::from([9; NONCE]), Payload { msg: b"{\"a\":1}", aad: &aad }).unwrap();
        file.extend_from_slice(&[9; NONCE]);
        file.extend_from_slice(&body);
        with_check(file)
    }

    fn with_check(mut content: Vec<u8>) -> Vec<u8> {
        content.extend_from_slice(&sha256(&content)[..CHECK]);
        content
    }

    fn open(file: &[u8], profile: &str, passphrase: Option<&str>) -> Result<Secret, StoreError> {
        let store = FileStore::new(PathBuf::from("/nonexistent"), opened_with(passphrase));
        store.open_file(profile, Path::new("work.sealed"), file)
    }

    #[test]
    fn opens_with_the_passphrase_and_with_no_other() {
        let file = seal("work", "correct horse", CHEAP);
        assert_eq!(open(&file, "work", Some("correct horse")).unwrap().expose(), "{\"a\":1}");
        assert!(matches!(open(&file, "work", Some("battery staple")), Err(StoreError::WrongPassphrase(_))));
        assert!(matches!(open(&file, "work", None), Err(StoreError::NeedsPassphrase(_))));
        // renamed by hand: one profile's record is no other's
        assert!(matches!(open(&file, "other", Some("correct horse")), Err(StoreError::WrongPassphrase(_))));
    }

    #[test]
    fn a_damaged_file_is_told_from_a_wrong_passphrase() {
        let file = seal("work", "correct horse", CHEAP);
        for length in 0..file.len() {
            let torn = open(&file[..length], "work", Some("correct horse"));
            assert!(matches!(torn, Err(StoreError::Corrupt { .. })), "{length}: {torn:?}");
        }
        for at in 0..file.len() {
            let mut flipped = file.clone();
            flipped[at] ^= 0x10;
            let opened = open(&flipped, "work", Some("correct horse"));
            assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{at}: {opened:?}");
        }
    }

    #[test]
    fn a_hostile_file_cannot_take_all_memory_or_time() {
        for (memory, passes, lanes) in [
            (u32::MAX, 1, 1),
            (300 * 1024, 1, 1),
            (1024, 17, 1),
            (1024, 0, 1),
            (1024, 1, 0),
            (1024, 1, 5),
            (31, 1, 4),
            (0, 1, 1),
        ] {
            let mut file = head(Some(&Derivation { costs: Costs { memory, passes, lanes }, salt: [7; SALT] }), "work");
            file.extend_from_slice(&[0; NONCE + 40]);
            let opened = open(&with_check(file), "work", Some("correct horse"));
            assert!(
                matches!(&opened, Err(StoreError::Corrupt { why, .. }) if why.contains("memory")),
                "{memory} {passes} {lanes}: {opened:?}"
            );
        }
    }

    #[test]
    fn files_of_other_formats_and_keys_are_told() {
        for (content, told) in [
            (b"oauthctl\x03\x01".to_vec(), "newer"),
            (b"oauthctl\x01\x03".to_vec(), "kind of key"),
            (b"oauthctl\x01\x01".to_vec(), "cut off"),
            (b"oauthctl\x02\x01\x09\x00work".to_vec(), "cut off"),
            (b"oauthctl\x01\x02\x00".to_vec(), "cut off"),
            ([b"oauthctl\x01\x01".as_slice(), &[0; 60]].concat(), "key file is gone"),
        ] {
            let opened = open(&with_check(content), "work", Some("correct horse"));
            assert!(
                matches!(&opened, Err(StoreError::Corrupt { why, .. }) if why.contains(told)),
                "{told}: {opened:?}"
            );
        }
    }

    #[test]
    fn what_the_system_says_becomes_what_to_do_about_it() {
        let store = FileStore::new(PathBuf::from("/state/store"), Openers::default());
        let error = |kind: ErrorKind| PrivateError::Io { path: "/state/store/x".to_owned(), source: kind.into() };
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            assert!(matches!(store.write_failed(error(kind)), StoreError::Full(_)));
        }
        for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
            assert!(matches!(store.write_failed(error(kind)), StoreError::NotWritable(_, _)));
        }
        assert!(matches!(store.write_failed(error(ErrorKind::Other)), StoreError::Failed(_, _)));
        assert!(matches!(read_failed(error(ErrorKind::PermissionDenied)), StoreError::Denied(_)));
    }

    #[test]
    fn a_passphrase_takes_over_from_a_key_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = FileStore::new(path.clone(), Openers::default());
        store.save("work", &"sealed-by-key".into()).unwrap();
        assert!(store.opened_by().contains("beside them"));

        let store = FileStore::new(path.clone(), opened_with("correct horse"));
        assert_eq!(store.load("work").unwrap().unwrap().expose(), "sealed-by-key");
        store.save("work", &"sealed-by-passphrase".into()).unwrap();
        assert!(matches!(
            FileStore::new(path.clone(), Openers::default()).load("work"),
            Err(StoreError::NeedsPassphrase(_))
        ));

        // another key in the key file's place is not mistaken for damage
        FileStore::new(path.clone(), Openers::default()).save("other", &"sealed-by-key".into()).unwrap();
        std::fs::write(path.join("key"), [1; KEY]).unwrap();
        let opened = FileStore::new(path.clone(), Openers::default()).load("other");
        assert!(matches!(&opened, Err(StoreError::Corrupt { why, .. }) if why.contains("another key")), "{opened:?}");
        std::fs::write(path.join("key"), [1; 5]).unwrap();
        assert!(matches!(FileStore::new(path, Openers::default()).load("other"), Err(StoreError::BadKey(_))));
    }

    #[test]
    fn several_first_saves_at_once_make_one_key() {
        for passphrase in [None, Some("correct horse")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("store");
            let store = || FileStore::new(path.clone(), opened_with(passphrase));
            std::thread::scope(|scope| {
                for n in 0..8 {
                    let store = &store;
                    scope.spawn(move || store().save(&format!("work-{n}"), &"record-1".into()).unwrap());
                }
            });
            let later = store();
            for n in 0..8 {
                assert_eq!(later.load(&format!("work-{n}")).unwrap().unwrap().expose(), "record-1");
            }
            assert_eq!(DERIVED.take().len(), usize::from(passphrase.is_some()));
        }
    }

    #[test]
    fn one_derivation_opens_all_of_a_folders_records() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = || FileStore::new(path.clone(), opened_with("correct horse"));
        let derivations = |profiles: &[&str]| {
            DERIVED.take();
            profiles.iter().for_each(|profile| assert!(store().load(profile).unwrap().is_some(), "{profile}"));
            DERIVED.take().len()
        };
        store().save("work", &"record-1".into()).unwrap();
        store().save("office", &"record-1".into()).unwrap();
        assert_eq!(derivations(&["work", "office"]), 1);

        // from before the folder had a salt; the next save takes it over
        std::fs::write(path.join(file_name("old")), seal("old", "correct horse", CHEAP)).unwrap();
        assert_eq!(derivations(&["work", "old", "office"]), 2);
        store().save("old", &"record-1".into()).unwrap();
        assert_eq!(derivations(&["work", "old", "office"]), 1);

        // the records need no other file
        let salt = path.join("salt");
        let damages: [&dyn Fn() -> std::io::Result<()>; 2] =
            [&|| std::fs::remove_file(&salt), &|| std::fs::write(&salt, "short")];
        for damage in damages {
            damage().unwrap();
            assert_eq!(derivations(&["work", "old", "office"]), 1);
            store().save("office", &"record-2".into()).unwrap();
            assert_eq!(derivations(&["work", "old", "office"]), 2);
            ["work", "old"].into_iter().for_each(|profile| store().save(profile, &"record-2".into()).unwrap());
            assert_eq!(derivations(&["work", "old", "office"]), 1);
        }
    }

    #[test]
    fn nothing_of_the_record_lies_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("store"), Openers::default());
        store.save("work", &"CANARY-access-token".into()).unwrap();
        for entry in std::fs::read_dir(folder.path().join("store")).unwrap() {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!content.windows(6).any(|w| w == b"CANARY"));
        }
    }

    #[test]
    fn a_passphrase_file_is_read_without_its_last_newline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        for (content, passphrase) in
            [("a b\n", Some("a b")), ("a b", Some("a b")), (" a\r\n", Some(" a")), ("\n", None), ("", None)]
        {
            std::fs::write(&path, content).unwrap();
            assert_eq!(passphrase_file(&path).ok(), passphrase.map(Secret::from), "{content:?}");
        }
        std::fs::write(&path, "x".repeat(LONGEST_PASSPHRASE + 1)).unwrap();
        assert!(passphrase_file(&path).is_err());
        assert!(passphrase_file(&folder.path().join("none")).is_err());
    }
}
