//! Where tokens rest. A store keeps one record per profile, an opaque JSON text; it doesn't know what a token is.
//!
//! Every store makes the same promises, and one contract test (`tests/it/store_contract.rs`) holds them all to it:
//! load what was saved, save whole or not at all, delete, say why not, never ask a person, never wait past its deadline.

pub mod environment;
pub mod file;
pub mod keychain;
pub mod none;

use std::path::Path;
use std::sync::Arc;

use crate::secret::Secret;
use crate::world::{Env, Keychain};

/// The longest record kept, in bytes: room for several tokens of 64 KiB (T-53), and an end to what a keychain is asked to take.
pub const LONGEST_RECORD: usize = 512 * 1024;

/// Opens a store; touches nothing yet. `state_dir` is where the `file` store makes its folder, `passphrase` what opens it
/// (`OAUTHCTL_STORE_PASSPHRASE`, or [`file::passphrase_file`]'s content); without one it makes a key file at its first save.
pub fn open(
    kind: StoreKind,
    keychain: &Arc<dyn Keychain>,
    env: &dyn Env,
    state_dir: &Path,
    passphrase: Option<Secret>,
) -> Box<dyn Store> {
    match kind {
        StoreKind::Keychain => Box::new(keychain::KeychainStore::new(Arc::clone(keychain))),
        StoreKind::File => Box::new(file::FileStore::new(state_dir.join("store"), passphrase)),
        StoreKind::Environment => Box::new(environment::EnvironmentStore::new(env)),
        StoreKind::None => Box::new(none::NoStore),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    Keychain,
    File,
    Environment,
    None,
}

impl StoreKind {
    pub const ALL: [StoreKind; 4] = [StoreKind::Keychain, StoreKind::File, StoreKind::Environment, StoreKind::None];

    pub fn name(self) -> &'static str {
        match self {
            StoreKind::Keychain => "keychain",
            StoreKind::File => "file",
            StoreKind::Environment => "environment",
            StoreKind::None => "none",
        }
    }

    pub fn from_name(name: &str) -> Option<StoreKind> {
        StoreKind::ALL.into_iter().find(|k| k.name() == name)
    }
}

pub trait Store {
    fn kind(&self) -> StoreKind;

    /// In words, for `status` and `doctor`: `the login keyring (Secret Service)`, a folder, …
    fn place(&self) -> String;

    /// The same in a sentence: "it rests in …".
    fn in_words(&self) -> String {
        self.place()
    }

    /// What tells this store's place from another's of the same kind: two homes, two keychains. Goes into names of locks and
    /// of the kernel's copy.
    fn scope(&self) -> String;

    /// The record saved last, or `None` when there is none. Never prompts.
    fn load(&self, profile: &str) -> Result<Option<Secret>, StoreError>;

    /// Saves whole or not at all, and reads back before it says so.
    fn save(&self, profile: &str, record: &Secret) -> Result<(), StoreError>;

    /// Forgets; says whether there was anything.
    fn delete(&self, profile: &str) -> Result<bool, StoreError>;

    /// The profiles that it keeps a record of, as far as it can tell.
    fn profiles(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Whether `save` would work now, found out without touching the profile's record: pre-flight before a refresh token is
    /// spent.
    fn writable(&self, profile: &str) -> Result<(), StoreError>;

    /// What the person has to be told once, after a save or a [`Store::writable`]: a key file was made, a folder that others
    /// could read was closed. Each is given out once.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Why a store could not do as it was asked. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the {0} is locked")]
    Locked(String),
    #[error("there is no {what}: {why}")]
    Absent { what: String, why: String },
    #[error("access to the {0} was denied")]
    Denied(String),
    #[error("the {0} did not answer within {1} seconds")]
    TimedOut(String, u64),
    #[error("the {0} was not asked: {1}")]
    Foreign(String, String),
    #[error("no space left in {0}")]
    Full(String),
    #[error("{0} can't be written: {1}")]
    NotWritable(String, String),
    #[error("{place} holds a record that can't be read: {why}")]
    Corrupt { place: String, why: String },
    #[error("{0} holds no key")]
    BadKey(String),
    #[error("what the variable {variable} holds is no token: it {why}")]
    BadVariable { variable: String, why: &'static str },
    #[error("the passphrase does not open {0}")]
    WrongPassphrase(String),
    #[error("a passphrase is needed to open {0}")]
    NeedsPassphrase(String),
    #[error("the {0} said that it saved the record, but gives back another")]
    NotKept(String),
    #[error("the record is too long for the {0}")]
    TooLong(String),
    #[error("the store `{0}` keeps nothing")]
    ReadOnly(&'static str),
    #[error("the {0} failed: {1}")]
    Failed(String, String),
}
