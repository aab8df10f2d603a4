//! One refresh at a time: an exclusive lock on a file, freed by the kernel when its holder dies. It
//! belongs to the credential (user, store, profile): two configurations that share a keychain share
//! the lock.

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
    /// The locks that this thread holds: it may need one of them again.
    static HELD: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    path: PathBuf,
    /// Another process held it before: the token may be fresh by now.
    pub waited: bool,
}

impl Lock {
    fn new(file: File, path: PathBuf, waited: bool) -> Lock {
        HELD.with_borrow_mut(|held| held.push(path.clone()));
        Lock { _file: file, path, waited }
    }

    /// Whether it locks this profile in this store.
    pub fn is_of(&self, store: &dyn Store, profile: &str) -> bool {
        self.path.file_stem().is_some_and(|name| *name == *credential_name(store, profile))
    }
}

impl Drop for Lock {
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

/// The lock, if it is free.
pub fn try_acquire(paths: &Paths, store: &dyn Store, profile: &str) -> Option<Lock> {
    let (path, file) = open(paths, store, profile).ok()?;
    file.try_lock().ok()?;
    Some(Lock::new(file, path, false))
}

/// Whether this thread holds it.
pub fn is_held(paths: &Paths, store: &dyn Store, profile: &str) -> bool {
    path(paths, store, profile).is_ok_and(|path| HELD.with_borrow(|held| held.contains(&path)))
}

/// Like [`try_acquire`]; `Some(None)`: this thread holds it already.
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
    world.step(|| "another process is refreshing this token: waiting for it".to_owned());
    // the kernel's queue wakes one waiter at a time; polling would wake all of them, over and over
    let (done, waiting) = channel();
    let waiter = std::thread::spawn(move || {
        let locked = file.lock().map(|()| file);
        let _ = done.send(locked);
    });
    match waiting.recv_timeout(LONGEST_WAIT) {
        Ok(Ok(file)) => {
            // only a process with one thread can fork a helper
            let _ = waiter.join();
            Ok(Lock::new(file, path, true))
        }
        Ok(Err(e)) => Err(failed(&path, e)),
        Err(_) => Err(Error::new(
            Kind::TryLater,
            format!("another process has been refreshing the token of `{profile}` for {} s", LONGEST_WAIT.as_secs()),
        )
        .hint("run the command again; if a process is stopped (Ctrl-Z), continue or end it")),
    }
}
