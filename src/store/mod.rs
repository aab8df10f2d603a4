//! Stores for tokens. A store keeps one record per profile, an opaque JSON text.
//!
//! Every store makes the same promises, and one contract test (`tests/it/store_contract.rs`) checks
//! them all: load the saved record, save all or nothing, delete, return errors, never prompt, never
//! wait past the deadline.

pub mod environment;
pub mod file;
pub mod guarded;
pub mod keychain;
pub mod lent;
pub mod none;
pub mod program;
pub mod unopened;
pub mod vault;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;
use crate::world::files::PrivateError;
use crate::world::{Env, Keychain, StoreProgram};

/// The longest record, in bytes: room for several tokens of 64 KiB (T-53), and a bound for
/// keychains.
pub const LONGEST_RECORD: usize = 512 * 1024;

/// Opens a store of this machine without touching it. `keychain`: the system's, or the program's.
/// `state_dir` holds the `file` store's folder, and that of records under way to a program.
/// `openers` are for sealed files: the passphrase is `OAUTHCTL_STORE_PASSPHRASE`, or
/// [`file::passphrase_file`]'s content; without one the first save makes a key file.
pub fn open(
    kind: StoreKind,
    keychain: &Arc<dyn Keychain>,
    env: &dyn Env,
    state_dir: &Path,
    openers: file::Openers,
) -> Box<dyn Store> {
    match kind {
        StoreKind::Keychain => Box::new(keychain::KeychainStore::new(kind, Arc::clone(keychain))),
        StoreKind::Program(_) => Box::new(guarded::Guarded::new(
            Box::new(keychain::KeychainStore::new(kind, Arc::clone(keychain))),
            Box::new(file::FileStore::new(state_dir.join("unfinished"), file::Openers::default())),
        )),
        StoreKind::File => Box::new(file::FileStore::new(file::folder(state_dir), openers)),
        StoreKind::Environment => Box::new(environment::EnvironmentStore::new(env)),
        // `session` opens these: only there is a clock
        StoreKind::None | StoreKind::Lent | StoreKind::Vault(_) => Box::new(none::NoStore),
    }
}

/// Writes, reads and deletes a record under a name that no profile has. Returns how long each took.
pub fn try_out(store: &dyn Store, name: &str, clock: &dyn Fn() -> Duration) -> Result<[Duration; 3], StoreError> {
    // as long as a usual record
    let text = Secret::unlisted(format!("{{\"oauthctl\":1,\"probe\":\"{name}{}\"}}", "-".repeat(4000)));
    let began = clock();
    store.save(name, &text)?;
    let written = clock();
    let back = store.load(name);
    let read = clock();
    store.delete(name)?;
    match back? {
        Some(back) if back == text => Ok([written - began, read - written, clock() - read]),
        _ => Err(StoreError::NotKept(store.in_words())),
    }
}

/// Where records are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreKind {
    Keychain,
    File,
    Environment,
    None,
    /// Another machine, which lends access tokens: no configuration names it.
    Lent,
    /// Another program, as the configuration describes it.
    Program(&'static StoreProgram),
    /// An engine that a team shares.
    Vault(&'static vault::Place),
}

impl StoreKind {
    /// All kinds of store that need no description.
    pub const ALL: [StoreKind; 4] = [StoreKind::Keychain, StoreKind::File, StoreKind::Environment, StoreKind::None];

    /// The name in the configuration, such as `keychain`.
    pub fn name(self) -> &'static str {
        match self {
            StoreKind::Keychain => "keychain",
            StoreKind::File => "file",
            StoreKind::Environment => "environment",
            StoreKind::None => "none",
            StoreKind::Lent => "lent",
            StoreKind::Program(program) => &program.name,
            StoreKind::Vault(_) => vault::NAME,
        }
    }

    /// Reads the name of [`StoreKind::name`]; of programs, those that need no description.
    pub fn from_name(name: &str) -> Option<StoreKind> {
        let known = StoreKind::ALL.into_iter().find(|k| k.name() == name);
        let known = known.or_else(|| program::known(name).map(StoreKind::Program));
        known.or_else(|| (name == vault::NAME).then(|| StoreKind::Vault(vault::Place::of_variables())))
    }

    /// Whether the kernel may keep a copy of its tokens: another machine ends a team's login too.
    pub fn is_copied(self) -> bool {
        !matches!(self, StoreKind::Lent | StoreKind::Vault(vault::Place { copy: false, .. }))
    }

    /// Whether it keeps records: what is stored can be loaded, and deleted.
    pub fn keeps(self) -> bool {
        matches!(self, StoreKind::Keychain | StoreKind::File | StoreKind::Program(_) | StoreKind::Vault(_))
    }
}

/// The same description of a store once, for the rest of the process: a configuration has few.
fn kept<T: PartialEq>(kept: &Mutex<Vec<&'static T>>, value: T) -> &'static T {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = kept.iter().find(|found| ***found == value) {
        return found;
    }
    let value: &'static T = Box::leak(Box::new(value));
    kept.push(value);
    value
}

/// One record per profile; the module's head lists each store's promises.
pub trait Store {
    fn kind(&self) -> StoreKind;

    /// In words, for `status` and `doctor`: `the login keyring (Secret Service)`, a folder, …
    fn place(&self) -> String;

    /// The same in a sentence: "it is stored in …".
    fn in_words(&self) -> String {
        self.place()
    }

    /// Distinguishes this store's place from others of the same kind (two homes, two keychains), in
    /// the names of locks and of the kernel's copy. Empty where there is only one.
    fn scope(&self) -> String {
        String::new()
    }

    /// The record saved last, or `None` when there is none. Never prompts.
    fn load(&self, profile: &str) -> Result<Option<Secret>, StoreError>;

    /// Before a load: how long the token must still be valid, in seconds, and whether a loaded one
    /// is of no use. For a store that asks somebody else.
    fn wants(&self, _profile: &str, _min_ttl: Option<i64>, _another: bool) {}

    /// Saves all or nothing, and reads the record back before it succeeds. One that keeps nothing
    /// refuses.
    fn save(&self, profile: &str, _record: &Secret) -> Result<(), StoreError> {
        self.writable(profile)
    }

    /// Deletes the record; returns whether there was one.
    fn delete(&self, profile: &str) -> Result<bool, StoreError>;

    /// The profiles with a record, as far as the store can tell.
    fn profiles(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Whether `save` would work now, checked without touching the record, before a refresh token
    /// is spent.
    fn writable(&self, _profile: &str) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly(self.kind().name()))
    }

    /// The same store, where several machines share it.
    fn shared(&self) -> Option<&dyn Shared> {
        None
    }

    /// Until when its key is kept in the kernel (Unix seconds), if it is.
    fn unlocked_until(&self) -> Option<i64> {
        None
    }

    /// The source of the key to sealed files, as a part of a sentence.
    fn opened_by(&self) -> &'static str {
        ""
    }
}

/// How long a lease holds without a step of its holder: longer than one exchange with the token
/// endpoint can take.
pub const LEASE: Duration = Duration::from_secs(40);

/// The right to be the one that changes a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub holder: String,
    /// User and machine, for people.
    pub by: String,
    /// When its last step was, by the holder's clock, in Unix seconds.
    pub at: i64,
}

/// A shared record as it was found.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Of the record and of its lease: each change makes another one.
    pub version: u64,
    pub record: Option<Secret>,
    pub lease: Option<Lease>,
    /// How often its refresh token was sent by holders that are gone.
    pub sent: u8,
}

/// A store that several machines share: the lease is their lock. Its holder writes only while it
/// holds by its own clock, and each write names the version before it: a holder that was overtaken
/// changes nothing ([`StoreError::Overtaken`]).
pub trait Shared {
    /// What readers see of the record: one request.
    fn peek(&self, profile: &str) -> Result<Option<Secret>, StoreError>;

    fn look(&self, profile: &str) -> Result<Seen, StoreError>;

    /// Takes the lease, if nothing has changed since. From then on `load` gives the record as it
    /// was seen, and `save` keeps the lease.
    fn take(&self, profile: &str, seen: Seen, lease: Lease) -> Result<bool, StoreError>;

    /// Notes that the refresh token is sent now: the holder's last step before it.
    fn mark(&self, profile: &str, sent: u8) -> Result<(), StoreError>;

    /// Saves the record and lets go of the lease in one step, then shows it to readers.
    fn commit(&self, profile: &str, record: &Secret) -> Result<(), StoreError>;

    /// Lets go without a new record.
    fn let_go(&self, profile: &str, sent: u8) -> Result<(), StoreError>;

    /// Forgets the lease here: another process holds it from now on.
    fn hand_over(&self, profile: &str);

    /// Shows readers a record whose holder was killed before it did.
    fn mend(&self, profile: &str, seen: &Seen);

    /// What is wrong with what readers see of the record, in words that follow it.
    fn fault(&self, profile: &str) -> Result<Option<&'static str>, StoreError>;
}

/// Why a store operation failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
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
    #[error("the {0} can't answer now: {1}")]
    Unavailable(String, String),
    #[error("the {0} is sealed")]
    Sealed(String),
    #[error("the {place} does not allow this with the token that was given")]
    NotAllowed { place: String, profile: Option<String> },
    /// The store knows what to do.
    #[error("{why}")]
    Advised { why: String, cures: Vec<String> },
    #[error("another machine has the lease of this record in the {0}, or has changed it meanwhile")]
    Overtaken(String),
    #[error("no space left in {0}")]
    Full(String),
    #[error("{0} can't be written: {1}")]
    NotWritable(String, #[source] PrivateError),
    #[error("{place} holds a record that can't be read: {why}")]
    Corrupt { place: String, profile: String, why: String },
    #[error("there are records that can't be read: their key file `{key}` is gone")]
    KeyGone { key: String, profiles: Vec<String> },
    #[error("{0} holds no key")]
    BadKey(String),
    #[error("what the variable {variable} holds is no token: it {why}")]
    BadVariable { variable: String, why: &'static str },
    #[error("the passphrase does not open {0}")]
    WrongPassphrase(String),
    #[error("a passphrase is needed to open {0}")]
    NeedsPassphrase(String),
    #[error("a private key of age is needed to open {0}")]
    NeedsIdentity(String),
    #[error("the private key does not open {0}, or that file is damaged")]
    WrongIdentity(String),
    #[error("the {0} said that it saved the record, but gives back another")]
    NotKept(String),
    #[error("the record is too long for the {0}")]
    TooLong(String),
    #[error("the store `{0}` keeps nothing")]
    ReadOnly(&'static str),
    #[error("{}", .0.message)]
    NotBorrowed(Box<lent::NotBorrowed>),
    #[error("the {0} failed: {1}")]
    Failed(String, #[source] anyhow::Error),
}
