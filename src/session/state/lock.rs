//! One refresh at a time: an exclusive lock on a file, freed by the kernel when its holder dies. It
//! belongs to the credential (user, store, profile): two configurations that share a keychain share
//! the lock. In a store that machines share, the lease joins it ([`super::lease`]).

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::secret::hash;
use crate::session::paths::Paths;
use crate::store::{LEASE, Store, StoreError, StoreKind};
#[cfg(unix)]
use crate::world::users;
use crate::world::{World, files};

/// Longer than one exchange with the token endpoint can take.
pub const LONGEST_WAIT: Duration = Duration::from_secs(35);

/// A holder of a lease that is gone is replaced in this time, and its successor has done its work.
pub const LEASE_WAIT: Duration = LEASE.saturating_add(LONGEST_WAIT);

thread_local! {
    /// The locks that this thread holds: it may need one of them again.
    static HELD: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

/// This machine's lock, held until dropped.
#[derive(Debug)]
pub struct LockHere {
    file: File,
    path: PathBuf,
}

/// The same, and the lease that goes with it.
pub struct Lock {
    here: LockHere,
    /// Another process held it before: the token may be fresh by now.
    pub waited: bool,
    lease: Option<Leased>,
}

struct Leased {
    store: Rc<dyn Store>,
    profile: String,
    /// How often the refresh token was sent without an answer, this holder's last try included.
    sent: Cell<u8>,
}

impl LockHere {
    fn new(file: File, path: PathBuf) -> LockHere {
        HELD.with_borrow_mut(|held| held.push(path.clone()));
        LockHere { file, path }
    }
}

impl Lock {
    fn new(here: LockHere, waited: bool) -> Lock {
        Lock { here, waited, lease: None }
    }

    /// Notes who takes the lease under this lock.
    pub(super) fn note(&mut self, holder: &str) -> Result<(), Error> {
        let file = &mut self.here.file;
        let noted = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(holder.as_bytes()));
        noted.map_err(|e| failed(&self.here.path, e))
    }

    /// Whether the lease's holder had this lock: it has ended then.
    pub(super) fn had(&mut self, holder: &str) -> bool {
        let (file, mut noted) = (&mut self.here.file, String::new());
        file.rewind().and_then(|()| file.read_to_string(&mut noted)).is_ok() && noted == holder
    }

    pub(super) fn leased(&mut self, store: &Rc<dyn Store>, profile: &str, sent: u8) {
        self.lease = Some(Leased { store: Rc::clone(store), profile: profile.to_owned(), sent: Cell::new(sent) });
    }

    /// How often holders before this one sent the refresh token without an answer.
    pub fn sent(&self) -> u8 {
        self.lease.as_ref().map_or(0, |lease| lease.sent.get())
    }

    /// Corrects that number. The end of the lease writes it.
    pub fn set_sent(&self, sent: u8) {
        if let Some(lease) = &self.lease {
            lease.sent.set(sent);
        }
    }

    /// The last step before the refresh token is sent. Fails if the lease is another's by now.
    pub fn mark(&self, sent: u8) -> Result<(), StoreError> {
        self.set_sent(sent);
        let shared = self.lease.as_ref().and_then(|lease| Some((lease.store.shared()?, &lease.profile)));
        shared.map_or(Ok(()), |(shared, profile)| shared.mark(profile, sent))
    }

    /// The helper that was forked holds it from now on.
    pub fn hand_over(mut self) {
        if let Some(lease) = self.lease.take()
            && let Some(shared) = lease.store.shared()
        {
            shared.hand_over(&lease.profile);
        }
    }

    /// Whether it locks this profile in this store.
    pub fn is_of(&self, store: &dyn Store, profile: &str) -> bool {
        self.here.path.file_stem().is_some_and(|name| *name == *credential_name(store, profile))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(lease) = &self.lease
            && let Some(shared) = lease.store.shared()
        {
            // one that can't be given back ends by itself
            let _ = shared.let_go(&lease.profile, lease.sent.get());
        }
    }
}

impl Drop for LockHere {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|held| held.retain(|path| *path != self.path));
    }
}

/// The name of the credential in names of files: hexadecimal, so that it tells nothing. Sealed
/// files are beside these files, so that their scope needn't be in it.
pub fn credential_name(store: &dyn Store, profile: &str) -> String {
    let scope = if store.kind() == StoreKind::File { String::new() } else { store.scope() };
    hash(format!("{}\0{scope}\0{profile}", store.kind().name()).as_bytes())
}

/// The folder for locks: beside the session bus if that leads to the keychain, else in the state
/// folder. No variable moves it: a job that has only the bus's address must find the desktop's lock
/// (C-29).
fn folder(paths: &Paths, store: &dyn Store) -> Result<PathBuf, Error> {
    if store.kind() == StoreKind::Keychain {
        let beside_bus =
            store.scope().strip_prefix("unix:path=").and_then(|path| Some(Path::new(path).parent()?.to_owned()));
        if let Some(found) = beside_bus.into_iter().chain(runtime()).find(|folder| is_own(folder)) {
            return Ok(found.join("oauthctl"));
        }
    }
    Ok(paths.require_state()?.join("locks"))
}

/// The system's runtime folder of this user, whatever `XDG_RUNTIME_DIR` says.
fn runtime() -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    return Some(PathBuf::from(format!("/run/user/{}", users::own())));
    #[cfg(not(target_os = "linux"))]
    None
}

/// Whether only this user can write to the folder: not `/tmp`.
fn is_own(folder: &Path) -> bool {
    let Some(metadata) = std::fs::metadata(folder).ok().filter(|m| m.is_dir() && folder.is_absolute()) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        metadata.uid() == users::own() && metadata.mode() & 0o022 == 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        true
    }
}

fn path(paths: &Paths, store: &dyn Store, profile: &str) -> Result<PathBuf, Error> {
    Ok(folder(paths, store)?.join(format!("{}.lock", credential_name(store, profile))))
}

/// The lock's file, open but not locked.
fn open(paths: &Paths, store: &dyn Store, profile: &str) -> Result<(PathBuf, File), Error> {
    let path = path(paths, store, profile)?;
    let file = files::lock_file(&path).map_err(|e| failed(&path, e))?;
    Ok((path, file))
}

/// Waits until no other process imports: who looks whether a login is here already, and then stores
/// it, must be alone, whatever its name and its store.
pub fn of_imports(paths: &Paths) -> Result<File, Error> {
    let path = paths.require_state()?.join("locks").join("imports.lock");
    let file = files::lock_file(&path).map_err(|e| failed(&path, e))?;
    match files::lock_within(&file, LONGEST_WAIT, std::thread::sleep) {
        Ok(true) => Ok(file),
        Ok(false) => Err(Error::new(
            Kind::TryLater,
            format!("another process has been importing a login for {} s", LONGEST_WAIT.as_secs()),
        )
        .hint("run the command again; if a process is stopped (Ctrl-Z), continue or end it")),
        Err(e) => Err(failed(&path, e)),
    }
}

fn failed(path: &Path, e: std::io::Error) -> Error {
    Error::new(Kind::Store, format!("the lock `{}` can't be taken", path.display()))
        .cause(e)
        .hint("`oauthctl doctor` looks at every folder")
}

/// The lock, if it is free.
pub fn try_acquire(paths: &Paths, store: &dyn Store, profile: &str) -> Option<LockHere> {
    let (path, file) = open(paths, store, profile).ok()?;
    file.try_lock().ok()?;
    Some(LockHere::new(file, path))
}

/// Whether this thread holds it.
pub fn is_held(paths: &Paths, store: &dyn Store, profile: &str) -> bool {
    path(paths, store, profile).is_ok_and(|path| HELD.with_borrow(|held| held.contains(&path)))
}

/// Like [`try_acquire`]; `Some(None)`: this thread holds it already.
pub fn also(paths: &Paths, store: &dyn Store, profile: &str) -> Option<Option<LockHere>> {
    match is_held(paths, store, profile) {
        true => Some(None),
        false => try_acquire(paths, store, profile).map(Some),
    }
}

/// Waits for the lock of this machine; never goes on without it.
pub fn acquire(world: &mut World, paths: &Paths, store: &dyn Store, profile: &str) -> Result<Lock, Error> {
    let (path, file) = open(paths, store, profile)?;
    match file.try_lock() {
        Ok(()) => return Ok(Lock::new(LockHere::new(file, path), false)),
        Err(std::fs::TryLockError::WouldBlock) => {}
        Err(std::fs::TryLockError::Error(e)) => return Err(failed(&path, e)),
    }
    world.step(|| "another process is refreshing this token: waiting for it".to_owned());
    // the kernel's queue wakes one waiter at a time; polling would wake all of them, over and over
    let (done, waiting) = channel();
    let waiter = std::thread::spawn(move || {
        let locked = file.lock().map(|()| file);
        let _ = done.send(locked);
    });
    let longest = LONGEST_WAIT + store.shared().map_or(Duration::ZERO, |_| LEASE_WAIT);
    match waiting.recv_timeout(longest) {
        Ok(Ok(file)) => {
            // only a process with one thread can fork a helper
            let _ = waiter.join();
            Ok(Lock::new(LockHere::new(file, path), true))
        }
        Ok(Err(e)) => Err(failed(&path, e)),
        Err(_) => Err(Error::new(
            Kind::TryLater,
            format!("another process has been refreshing the token of `{profile}` for {} s", longest.as_secs()),
        )
        .hint("run the command again; if a process is stopped (Ctrl-Z), continue or end it")),
    }
}
