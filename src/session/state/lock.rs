//! One renewal at a time: an exclusive lock of the operating system's on a file of its own, freed
//! by the kernel when its holder dies. Its scope is the credential (user, store, profile), not the
//! configuration folder: two configurations that share a keychain share the lock too.

use std::cell::RefCell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::secret::hash;
use crate::session::paths::Paths;
use crate::store::{Store, StoreKind};
#[cfg(unix)]
use crate::world::users;
use crate::world::{World, files};

/// Longer than one exchange with the token endpoint can take.
pub const LONGEST_WAIT: Duration = Duration::from_secs(35);

thread_local! {
    /// The locks held here: who needs one of them once more has it.
    static HELD: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    path: PathBuf,
    /// Somebody else held it before us: what was stale may be renewed by now.
    pub waited: bool,
}

impl Lock {
    fn new(file: File, path: PathBuf, waited: bool) -> Lock {
        HELD.with_borrow_mut(|held| held.push(path.clone()));
        Lock { _file: file, path, waited }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|held| held.retain(|path| *path != self.path));
    }
}

/// A name for this credential that is safe in a file's name and tells nothing: hexadecimal. Sealed
/// files lie beside what has such a name, by whatever path one comes there: which store it is
/// needn't be said.
pub fn credential_name(store: &dyn Store, profile: &str) -> String {
    let scope = if store.kind() == StoreKind::File { String::new() } else { store.scope() };
    hash(format!("{}\0{scope}\0{profile}", store.kind().name()).as_bytes())
}

/// The folder for locks: beside the session bus where the keychain is reached over it, else in the
/// state folder. The bus comes first, and no variable has a say: a job that was given its address
/// alone must find the same lock as the desktop (C-29).
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

/// The system's own folder for what this user runs, whatever `XDG_RUNTIME_DIR` says.
fn runtime() -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    return Some(PathBuf::from(format!("/run/user/{}", users::own())));
    #[cfg(not(target_os = "linux"))]
    None
}

/// A folder of this user's alone: not `/tmp`.
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
    let folder = path.parent().unwrap_or(Path::new(""));
    let made = files::make_folder(folder)
        .map_err(std::io::Error::other)
        .and_then(|_| files::options().create(true).truncate(false).read(true).write(true).open(&path));
    match made {
        Ok(file) => Ok((path, file)),
        Err(e) => Err(failed(&path, e)),
    }
}

fn failed(path: &Path, e: std::io::Error) -> Error {
    Error::new(Kind::Store, format!("the lock `{}` can't be taken", path.display()))
        .cause(e)
        .hint("`oauthctl doctor` looks at every folder")
}

/// The lock, if nobody holds it and it can be had at all.
pub fn try_acquire(paths: &Paths, store: &dyn Store, profile: &str) -> Option<Lock> {
    let (path, file) = open(paths, store, profile).ok()?;
    file.try_lock().ok()?;
    Some(Lock::new(file, path, false))
}

/// Whether this thread holds it.
pub fn is_held(paths: &Paths, store: &dyn Store, profile: &str) -> bool {
    path(paths, store, profile).is_ok_and(|path| HELD.with_borrow(|held| held.contains(&path)))
}

/// The same as [`try_acquire`]; `Some(None)` where this thread holds it already.
pub fn also(paths: &Paths, store: &dyn Store, profile: &str) -> Option<Option<Lock>> {
    match is_held(paths, store, profile) {
        true => Some(None),
        false => try_acquire(paths, store, profile).map(Some),
    }
}

/// Waits for the lock; never goes on without it.
pub fn acquire(world: &mut World, paths: &Paths, store: &dyn Store, profile: &str) -> Result<Lock, Error> {
    let (path, file) = open(paths, store, profile)?;
    match file.try_lock() {
        Ok(()) => return Ok(Lock::new(file, path, false)),
        Err(std::fs::TryLockError::WouldBlock) => {}
        Err(std::fs::TryLockError::Error(e)) => return Err(failed(&path, e)),
    }
    world.step(|| "another process is renewing this token: waiting for it".to_owned());
    // the kernel's queue wakes one waiter at a time; polling would wake all of them, over and over
    let (done, waiting) = channel();
    let waiter = std::thread::spawn(move || {
        let locked = file.lock().map(|()| file);
        let _ = done.send(locked);
    });
    match waiting.recv_timeout(LONGEST_WAIT) {
        Ok(Ok(file)) => {
            // only a process with one thread can part into itself and a helper
            let _ = waiter.join();
            Ok(Lock::new(file, path, true))
        }
        Ok(Err(e)) => Err(failed(&path, e)),
        Err(_) => Err(Error::new(
            Kind::TryLater,
            format!("another process has been renewing the token of `{profile}` for {} s", LONGEST_WAIT.as_secs()),
        )
        .hint("run the command again; if a process is stopped (Ctrl-Z), continue or end it")),
    }
}
