//! Private files and folders of one user: folders 0700, files 0600 under any umask, replaced whole
//! or not at all.
//!
//! Existing entries are not trusted. A symbolic link, a second hard link, a pipe or another user's
//! file is refused, since its maker could read or replace the content. Permissions that are too
//! open are closed.
//!
//! On Windows a new folder and all in it are its maker's alone, by an access list. Existing entries
//! are only checked for their kind.

use std::cell::RefCell;
use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::secret::hex;

/// The suffix of files that are still being written.
const UNFINISHED: &str = ".new";

/// Why a private file or folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// It exists, but isn't safe for secrets.
    #[error("`{path}` {why}")]
    Unsafe { path: String, why: &'static str },
    #[error("`{path}`: {source}")]
    Io { path: String, source: io::Error },
}

impl PrivateError {
    /// The system's reason, if the system refused.
    pub fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            PrivateError::Unsafe { .. } => None,
            PrivateError::Io { source, .. } => Some(source.kind()),
        }
    }
}

impl From<PrivateError> for io::Error {
    fn from(e: PrivateError) -> io::Error {
        io::Error::new(e.kind().unwrap_or(io::ErrorKind::Other), e)
    }
}

/// Options for a private file: a new one is 0600, no link is followed, no pipe is waited for.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    unix::make_private(&mut options);
    options
}

/// Opens a plain file of this user without a second hard link. Takes the options of [`options`].
pub fn open_own(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    match metadata.is_file() && unix::is_own(&metadata) && unix::links(&metadata) == 1 {
        true => Ok(file),
        false => Err(io::Error::other("it is not a file of this user's own")),
    }
}

/// Opens a file of this user's own, and holds it until it is closed. `None`: another process has
/// it, or has just given it another name.
pub fn hold(path: &Path, options: &OpenOptions) -> io::Result<Option<File>> {
    // Windows locks no file that is only appended to
    let file = open_own(path, options.clone().read(true))?;
    // not every file system has locks
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Ok(None);
    }
    let metadata = file.metadata()?;
    let is_there = fs::symlink_metadata(path).is_ok_and(|there| unix::is_same(&there, &metadata));
    Ok(is_there.then_some(file))
}

/// Opens a file to lock, and makes it and its folder if necessary.
pub fn lock_file(path: &Path) -> io::Result<File> {
    make_folder(path.parent().unwrap_or(Path::new(""))).map_err(io::Error::other)?;
    options().create(true).truncate(false).read(true).write(true).open(path)
}

/// Locks the file, trying again after each `pause`. Returns whether it succeeded within `time`.
pub fn lock_within(file: &File, time: Duration, pause: impl Fn(Duration)) -> io::Result<bool> {
    const STEP: Duration = Duration::from_millis(2);
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(e)) => return Err(e),
            Err(TryLockError::WouldBlock) if waited >= time => return Ok(false),
            Err(TryLockError::WouldBlock) => pause(STEP),
        }
        waited += STEP;
    }
}

/// The end of a chain of links, even if missing; `None` if the chain is a loop.
pub fn linked(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    // Linux follows as many
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => return Some(path),
        }
    }
    None
}

fn failed(path: &Path) -> impl Fn(io::Error) -> PrivateError + use<> {
    let path = path.display().to_string();
    move |source| PrivateError::Io { path: path.clone(), source }
}

fn refused(path: &Path, why: &'static str) -> PrivateError {
    PrivateError::Unsafe { path: path.display().to_string(), why }
}

thread_local! {
    /// The files of this thread's command that were open to others until now.
    static CLOSED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

/// The files that were open to others and have been closed since this was asked last.
pub fn closed() -> Vec<PathBuf> {
    CLOSED.take()
}

/// Makes the folder and its parents if missing, and closes it to others.
pub fn make_folder(path: &Path) -> Result<(), PrivateError> {
    if existing_folder(path)? {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty())
        && !parent.exists()
    {
        make_folder(parent)?;
    }
    match unix::make_folder(path) {
        Ok(()) => sync_folder(path),
        // another process was first
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => existing_folder(path).map(drop),
        Err(e) => Err(failed(path)(e)),
    }
}

/// Whether the folder exists. It is closed to others; an error: it may not be used.
pub fn existing_folder(path: &Path) -> Result<bool, PrivateError> {
    match if_there(fs::symlink_metadata(path)).map_err(failed(path))? {
        Some(metadata) if !metadata.is_dir() => Err(refused(path, "is not a folder")),
        Some(metadata) => unix::own_and_close(path, &metadata, 0o700, None).map(|_| true),
        None => Ok(false),
    }
}

fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// The file's content; `None` if there is no file. More than `limit` bytes are refused.
pub fn read(path: &Path, limit: usize) -> Result<Option<Zeroizing<Vec<u8>>>, PrivateError> {
    let mut file = match if_there(unix::open_to_read(path)) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(None),
        Err(e) if unix::is_symlink_error(&e) => return Err(refused(path, "is a symbolic link")),
        // Windows opens no folder
        Err(_) if path.is_dir() => return Err(refused(path, "is not a plain file")),
        Err(e) => return Err(failed(path)(e)),
    };
    let metadata = file.metadata().map_err(failed(path))?;
    check_file(path, &metadata, Some(&file))?;
    // a buffer that the content outgrows would be left behind unwiped
    let length = limit.min(usize::try_from(metadata.len()).unwrap_or(limit));
    let mut content = Zeroizing::new(Vec::with_capacity(length + 1));
    (&mut file).take(limit as u64 + 1).read_to_end(&mut content).map_err(failed(path))?;
    if content.len() > limit {
        return Err(refused(path, "is larger than anything that is kept there"));
    }
    Ok(Some(content))
}

fn check_file(path: &Path, metadata: &Metadata, open: Option<&File>) -> Result<(), PrivateError> {
    if metadata.is_symlink() {
        return Err(refused(path, "is a symbolic link"));
    }
    if !metadata.is_file() {
        return Err(refused(path, "is not a plain file"));
    }
    if unix::links(metadata) > 1 {
        return Err(refused(path, "has a second name (hard link)"));
    }
    if unix::own_and_close(path, metadata, 0o600, open)? {
        CLOSED.with_borrow_mut(|closed| closed.push(path.to_owned()));
    }
    Ok(())
}

/// Replaces a file whole: the content is on the disk before the rename, the rename before the
/// return.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), PrivateError> {
    if let Some(metadata) = if_there(fs::symlink_metadata(path)).map_err(failed(path))? {
        check_file(path, &metadata, None)?;
    }
    Unfinished::write(path, content, None)?.rename_to(path)?;
    sync_folder(path)
}

/// Replaces a file that others may read, whole or not at all, and keeps its permissions. First
/// removes the leftovers of killed writers.
pub fn replace_shared(path: &Path, content: &[u8]) -> Result<(), PrivateError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    sweep(path.parent().unwrap_or(Path::new("")), &format!(".{name}."));
    let permissions = fs::metadata(path).ok().map(|old| old.permissions());
    Unfinished::write(path, content, permissions)?.rename_to(path)?;
    // not every file system can do that; the file is whole anyway
    let _ = sync_folder(path);
    Ok(())
}

/// The next content of a file that others write too, by git's own protocol, which kubectl has as
/// well: who has made `FILE.lock` may read and replace `FILE`.
pub struct Claim {
    pub file: PathBuf,
    next: Unfinished,
}

impl Claim {
    /// `None`: another process has it.
    pub fn of(file: &Path) -> Result<Option<Claim>, PrivateError> {
        let path = Claim::name(file);
        match unix::create(&path) {
            Ok(lock) => Ok(Some(Claim { file: file.to_owned(), next: Unfinished { path, _file: lock } })),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(e) => Err(failed(&path)(e)),
        }
    }

    pub fn name(file: &Path) -> PathBuf {
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        PathBuf::from(name)
    }

    /// Replaces the file whole, and keeps its permissions.
    pub fn replace(mut self, content: &[u8]) -> Result<(), PrivateError> {
        self.next.fill(content, fs::metadata(&self.file).ok().map(|old| old.permissions()))?;
        self.next.rename_to(&self.file)?;
        // not every file system can do that; the file is whole anyway
        let _ = sync_folder(&self.file);
        Ok(())
    }
}

/// Lets the owner run a file.
pub fn may_run(path: &Path) -> Result<(), PrivateError> {
    unix::may_run(path).map_err(failed(path))
}

/// Tries [`replace`] for content of this length: writes a file beside it, and removes that.
pub fn try_replace(path: &Path, length: usize) -> Result<(), PrivateError> {
    // not zeros: a file system that compresses would take any number of those
    let mut content = vec![0u8; length];
    random(path, &mut content)?;
    Unfinished::write(path, &content, None).map(drop)
}

/// Gives a file another name, and replaces what has that name.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    unix::patiently(|| fs::rename(from, to))
}

/// Gives a file a name that nothing has. Fails with `AlreadyExists` if something has it.
pub fn rename_if_free(from: &Path, to: &Path) -> io::Result<()> {
    unix::patiently(|| unix::rename_if_free(from, to))
}

/// Removes a file of any kind; returns whether there was one.
pub fn remove(path: &Path) -> Result<bool, PrivateError> {
    match if_there(unix::patiently(|| fs::remove_file(path))).map_err(failed(path))? {
        Some(()) => sync_folder(path).map(|()| true),
        None => Ok(false),
    }
}

/// Fills the bytes with random numbers; `path` is named in the error.
pub fn random(path: &Path, bytes: &mut [u8]) -> Result<(), PrivateError> {
    let failed = failed(path);
    crate::world::random::fill(bytes)
        .map_err(|_| failed(io::Error::other("the system's random generator gave nothing")))
}

/// A locked file that is being written, under its own name. Dropping it removes the file.
struct Unfinished {
    path: PathBuf,
    /// Open, so that [`sweep`] doesn't take it for the leftover of a killed process.
    _file: File,
}

impl Unfinished {
    fn write(target: &Path, content: &[u8], like: Option<Permissions>) -> Result<Unfinished, PrivateError> {
        let mut unfinished = Unfinished::begin(target)?;
        // a sweep may have removed it before it was locked: then it has no name
        while unfinished._file.metadata().is_ok_and(|m| unix::links(&m) == 0) {
            unfinished = Unfinished::begin(target)?;
        }
        unfinished.fill(content, like)?;
        Ok(unfinished)
    }

    fn fill(&mut self, content: &[u8], like: Option<Permissions>) -> Result<(), PrivateError> {
        let failed = failed(&self.path);
        if let Some(permissions) = like {
            self._file.set_permissions(permissions).map_err(&failed)?;
        }
        self._file.write_all(content).map_err(&failed)?;
        self._file.sync_all().map_err(&failed)
    }

    fn begin(target: &Path) -> Result<Unfinished, PrivateError> {
        let mut tag = [0u8; 8];
        random(target, &mut tag)?;
        let tag = hex(&tag);
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(format!(".{tag}{UNFINISHED}"));
        let path = target.with_file_name(name);
        let file = unix::create(&path).map_err(failed(&path))?;
        // best effort: not every file system has locks; a sweep holds one only briefly
        let _ = file.lock();
        Ok(Unfinished { path, _file: file })
    }

    fn rename_to(mut self, target: &Path) -> Result<(), PrivateError> {
        rename(&self.path, target).map_err(failed(target))?;
        // the name may be another process's from now on
        self.path.clear();
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // after a rename there is no name
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes killed writers' leftovers of files with names that begin with `start`. Best effort.
pub fn sweep(folder: &Path, start: &str) {
    for (path, _held) in left_behind(folder, start) {
        let _ = fs::remove_file(path);
    }
}

/// Whether a file name is that of a file that is being written.
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(UNFINISHED)
}

/// Those leftovers, each held so that no writer takes it for its own.
pub fn left_behind(folder: &Path, start: &str) -> impl Iterator<Item = (PathBuf, File)> {
    below(folder).filter_map(move |path| {
        let name = path.file_name()?.to_string_lossy();
        let file = (name.starts_with(start) && is_unfinished(&name)).then(|| unix::open_to_read(&path).ok())??;
        file.try_lock().is_ok().then_some((path, file))
    })
}

/// What is in a folder; nothing if it can't be read.
pub fn below(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Why a file or folder is not this user's alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposed {
    /// Other users may read, write or enter it.
    Open { folder: bool },
    /// It is another user's.
    Foreign,
}

/// What is exposed at this place and below. Nothing is closed, unlike elsewhere. Windows' access
/// lists are not read.
pub fn exposed(path: &Path) -> Vec<(PathBuf, Exposed)> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Vec::new() };
    let own = unix::exposed(&metadata).map(|why| (path.to_owned(), why));
    let inner = metadata.is_dir().then(|| below(path).flat_map(|path| exposed(&path)));
    own.into_iter().chain(inner.into_iter().flatten()).collect()
}

/// Syncs the folder of a file to the disk, and so the file's new name.
pub fn sync_folder(path: &Path) -> Result<(), PrivateError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    unix::sync_folder(folder).map_err(failed(folder))
}

/// Waits for the folder's lock and holds it until dropped, for work of one process at a time.
pub fn lock(path: &Path) -> Result<File, PrivateError> {
    let file = unix::open_lock(path).map_err(failed(path))?;
    check_file(path, &file.metadata().map_err(failed(path))?, Some(&file))?;
    file.lock().map_err(failed(path))?;
    Ok(file)
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder, Metadata, Permissions};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};

    use super::{Exposed, File, OpenOptions, Path, PrivateError, failed, io, refused};
    use crate::world::users;

    pub(super) fn make_private(options: &mut OpenOptions) {
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }

    pub(super) fn is_own(metadata: &Metadata) -> bool {
        metadata.uid() == users::own()
    }

    pub(super) fn exposed(metadata: &Metadata) -> Option<Exposed> {
        match metadata.permissions().mode() & 0o077 {
            _ if metadata.is_symlink() => None,
            _ if !is_own(metadata) => Some(Exposed::Foreign),
            0 => None,
            _ => Some(Exposed::Open { folder: metadata.is_dir() }),
        }
    }

    pub(super) fn make_folder(path: &Path) -> io::Result<()> {
        not_in_anothers(path)?;
        DirBuilder::new().mode(0o700).create(path)?;
        // a umask may have removed the owner's own permissions
        fs::set_permissions(path, Permissions::from_mode(0o700))
    }

    /// Root makes nothing in another user's folder: `sudo` may keep `HOME`.
    fn not_in_anothers(path: &Path) -> io::Result<()> {
        let Some(parent) = path.parent().filter(|_| users::own() == 0) else { return Ok(()) };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        match fs::metadata(parent)?.uid() {
            0 => Ok(()),
            owner => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("`{}` belongs to user {owner}: run this as that user, without `sudo`", parent.display()),
            )),
        }
    }

    /// Refuses another user's file or folder, and removes the permissions of others. Returns
    /// whether there were any.
    pub fn own_and_close(
        path: &Path,
        metadata: &Metadata,
        mode: u32,
        open: Option<&File>,
    ) -> Result<bool, PrivateError> {
        if !is_own(metadata) {
            return Err(refused(path, "belongs to another user"));
        }
        if metadata.permissions().mode() & 0o077 == 0 {
            return Ok(false);
        }
        let closed = Permissions::from_mode(mode);
        match open {
            Some(file) => file.set_permissions(closed),
            None => fs::set_permissions(path, closed),
        }
        .map_err(failed(path))?;
        Ok(true)
    }

    /// Never waits for a pipe, never follows a link.
    pub fn open_to_read(path: &Path) -> io::Result<File> {
        super::options().read(true).open(path)
    }

    /// The error of `O_NOFOLLOW` on a symbolic link (FreeBSD has its own).
    pub fn is_symlink_error(e: &io::Error) -> bool {
        e.raw_os_error() == Some(libc::ELOOP) || (cfg!(target_os = "freebsd") && e.raw_os_error() == Some(libc::EMLINK))
    }

    pub(super) fn create(path: &Path) -> io::Result<File> {
        let file = super::options().write(true).create_new(true).open(path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    }

    pub(super) fn may_run(path: &Path) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(0o700))
    }

    pub(super) fn open_lock(path: &Path) -> io::Result<File> {
        let file = super::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let metadata = file.metadata()?;
        if is_own(&metadata) && metadata.len() == 0 && metadata.permissions().mode() & 0o600 != 0o600 {
            // just made, under a umask that removed the owner's own permissions
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }

    pub(super) fn links(metadata: &Metadata) -> u64 {
        metadata.nlink()
    }

    pub(super) fn is_same(one: &Metadata, other: &Metadata) -> bool {
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    }

    pub(super) fn patiently<T>(act: impl Fn() -> io::Result<T>) -> io::Result<T> {
        act()
    }

    pub(super) fn rename_if_free(from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            use rustix::io::Errno;
            match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                // not every kernel and file system can do that
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                done => return Ok(done?),
            }
        }
        fs::hard_link(from, to)?;
        fs::remove_file(from)
    }

    pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()
    }
}

/// The same for Windows.
#[cfg(not(unix))]
mod unix {
    use std::fs::{self, Metadata};
    use std::os::windows::ffi::OsStrExt as _;
    use std::time::Duration;

    use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, HANDLE};
    use windows_sys::Win32::Security::{
        ACL_REVISION, AddAccessAllowedAceEx, CONTAINER_INHERIT_ACE, GetTokenInformation, InitializeAcl,
        InitializeSecurityDescriptor, OBJECT_INHERIT_ACE, SE_DACL_PROTECTED, SECURITY_ATTRIBUTES, SECURITY_DESCRIPTOR,
        SetSecurityDescriptorControl, SetSecurityDescriptorDacl, TOKEN_USER, TokenUser,
    };
    use windows_sys::Win32::Storage::FileSystem::{CreateDirectoryW, FILE_ALL_ACCESS, MoveFileExW};
    use windows_sys::Win32::System::SystemServices::SECURITY_DESCRIPTOR_REVISION;

    use super::{Exposed, File, OpenOptions, Path, PrivateError, io};

    pub(super) fn make_private(_options: &mut OpenOptions) {}

    pub(super) fn is_own(_metadata: &Metadata) -> bool {
        true
    }

    pub(super) fn exposed(_metadata: &Metadata) -> Option<Exposed> {
        None
    }

    /// Only this user has access to it, and to whatever is made in it.
    pub(super) fn make_folder(path: &Path) -> io::Result<()> {
        /// `GetCurrentProcessToken()` of the system's headers.
        const OWN_TOKEN: HANDLE = -4_isize as HANDLE;
        let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        // aligned, and larger than a user's number and a list with one entry can be
        let (mut user, mut list, mut length) = ([0_u64; 32], [0_u64; 32], 0);
        let size = size_of_val(&list) as u32;
        let (user, list) = (user.as_mut_ptr(), list.as_mut_ptr().cast());
        let mut descriptor = SECURITY_DESCRIPTOR::default();
        let about = (&raw mut descriptor).cast();
        let inherited = OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE;
        let attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: about,
            bInheritHandle: 0,
        };
        // SAFETY: every pointer is to a live local of the size told; `TokenUser` writes a
        // `TOKEN_USER`, whose `Sid` points into the same buffer.
        let made = unsafe {
            GetTokenInformation(OWN_TOKEN, TokenUser, user.cast(), size, &raw mut length) != 0
                && InitializeAcl(list, size, ACL_REVISION) != 0
                && AddAccessAllowedAceEx(
                    list,
                    ACL_REVISION,
                    inherited,
                    FILE_ALL_ACCESS,
                    (*user.cast::<TOKEN_USER>()).User.Sid,
                ) != 0
                && InitializeSecurityDescriptor(about, SECURITY_DESCRIPTOR_REVISION) != 0
                && SetSecurityDescriptorDacl(about, 1, list, 0) != 0
                && SetSecurityDescriptorControl(about, SE_DACL_PROTECTED, SE_DACL_PROTECTED) != 0
                && CreateDirectoryW(name.as_ptr(), &raw const attributes) != 0
        };
        if made { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Tries again for a while: virus scanners and indexers hold new files open.
    pub(super) fn patiently<T>(act: impl Fn() -> io::Result<T>) -> io::Result<T> {
        for _ in 0..100 {
            match act().map_err(|e| (e.raw_os_error().map(i32::cast_unsigned), e)) {
                Err((Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION), _)) => {}
                done => return done.map_err(|(_, e)| e),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        act()
    }

    pub(super) fn own_and_close(
        _path: &Path,
        _metadata: &Metadata,
        _mode: u32,
        _open: Option<&File>,
    ) -> Result<bool, PrivateError> {
        Ok(false)
    }

    pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
        if fs::symlink_metadata(path)?.is_symlink() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        File::open(path)
    }

    pub(super) fn is_symlink_error(e: &io::Error) -> bool {
        e.kind() == io::ErrorKind::InvalidInput
    }

    pub(super) fn create(path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    pub(super) fn may_run(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn open_lock(path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    }

    pub(super) fn links(_metadata: &Metadata) -> u64 {
        1
    }

    pub(super) fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
        true
    }

    pub(super) fn rename_if_free(from: &Path, to: &Path) -> io::Result<()> {
        let wide = |path: &Path| path.as_os_str().encode_wide().chain([0]).collect::<Vec<u16>>();
        let (from, to) = (wide(from), wide(to));
        // SAFETY: both are texts that end in a zero.
        let moved = unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), 0) };
        if moved != 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Windows can't open a folder as a file; the file system's journal orders renames.
    pub fn sync_folder(_folder: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;
    use crate::world::users;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    // C-18, H-11
    #[test]
    fn what_is_open_to_others_is_closed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("store");
        make_folder(&folder).unwrap();
        let file = folder.join("record");
        replace(&file, b"one").unwrap();
        set_mode(&folder, 0o777);
        set_mode(&file, 0o644);
        make_folder(&folder).unwrap();
        read(&file, 10).unwrap().unwrap();
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert_eq!((closed(), closed()), (vec![file], vec![]));
    }

    // C-18, H-11
    #[test]
    #[expect(clippy::disallowed_methods, reason = "no safe call makes a pipe on every system")]
    fn links_pipes_and_folders_are_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("store");
        make_folder(&folder).unwrap();
        let victim = root.path().join("victim");
        fs::write(&victim, b"victim").unwrap();
        let file = folder.join("record");
        let traps: [(&str, &dyn Fn()); 5] = [
            ("symbolic link", &|| symlink(&victim, &file).unwrap()),
            ("dangling link", &|| symlink(root.path().join("nothing"), &file).unwrap()),
            ("hard link", &|| fs::hard_link(&victim, &file).unwrap()),
            ("pipe", &|| assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success())),
            ("folder", &|| fs::create_dir(&file).unwrap()),
        ];
        for (name, lay) in traps {
            lay();
            let read = read(&file, 100);
            assert!(matches!(read, Err(PrivateError::Unsafe { .. })), "{name}: {read:?}");
            let replaced = replace(&file, b"new");
            assert!(matches!(replaced, Err(PrivateError::Unsafe { .. })), "{name}: {replaced:?}");
            assert!(lock(&file).is_err(), "{name}");
            assert_eq!(fs::read(&victim).unwrap(), b"victim", "{name}");
            if name == "folder" { fs::remove_dir(&file).unwrap() } else { fs::remove_file(&file).unwrap() }
        }
        let linked = root.path().join("linked");
        symlink(&folder, &linked).unwrap();
        assert!(matches!(make_folder(&linked), Err(PrivateError::Unsafe { .. })));
        assert!(matches!(existing_folder(&linked), Err(PrivateError::Unsafe { .. })));
        assert!(matches!(make_folder(&victim), Err(PrivateError::Unsafe { .. })));
    }

    // C-18
    #[test]
    fn another_users_file_is_refused() {
        if users::own() != 0 {
            // only root can give files away
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("store");
        make_folder(&folder).unwrap();
        let file = folder.join("record");
        replace(&file, b"one").unwrap();
        std::os::unix::fs::chown(&file, Some(65534), None).unwrap();
        assert!(matches!(read(&file, 10), Err(PrivateError::Unsafe { .. })));
        assert!(matches!(replace(&file, b"two"), Err(PrivateError::Unsafe { .. })));
        std::os::unix::fs::chown(&folder, Some(65534), None).unwrap();
        assert!(matches!(make_folder(&folder), Err(PrivateError::Unsafe { .. })));
    }

    // N-08
    #[test]
    fn the_administrator_makes_no_folder_in_another_users() {
        if users::own() != 0 {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home");
        fs::create_dir(&home).unwrap();
        std::os::unix::fs::chown(&home, Some(65534), None).unwrap();
        let refused = make_folder(&home.join(".local/state/oauthctl")).unwrap_err().to_string();
        assert!(refused.contains("belongs to user 65534: run this as that user"), "{refused}");
        assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
        std::os::unix::fs::chown(&home, Some(0), None).unwrap();
        make_folder(&home.join(".local/state/oauthctl")).unwrap();
    }

    #[test]
    fn what_a_killed_writer_left_is_swept_up_and_what_is_being_written_is_not() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("record");
        replace(&file, b"one").unwrap();
        let writing = Unfinished::write(&file, b"two", None).unwrap();
        fs::write(root.path().join(".record.00.new"), b"left behind").unwrap();
        sweep(root.path(), "");
        assert!(!root.path().join(".record.00.new").exists());
        writing.rename_to(&file).unwrap();
        assert_eq!(read(&file, 10).unwrap().unwrap().as_slice(), b"two");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn trying_to_write_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("record");
        try_replace(&file, 1000).unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        assert!(try_replace(&root.path().join("none/record"), 1000).is_err());
    }

    #[test]
    fn a_file_takes_a_name_only_if_nothing_has_it() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("new"), "new").unwrap();
        fs::write(at("file"), "old").unwrap();
        fs::create_dir(at("folder")).unwrap();
        let taken = |name: &str| rename_if_free(&at("new"), &at(name)).unwrap_err().kind();
        assert_eq!((taken("file"), taken("folder")), (io::ErrorKind::AlreadyExists, io::ErrorKind::AlreadyExists));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
            assert_eq!(taken("link"), io::ErrorKind::AlreadyExists);
        }
        rename_if_free(&at("new"), &at("free")).unwrap();
        assert!(!at("new").exists() && !at("nowhere").exists());
        assert_eq!((fs::read(at("free")).unwrap(), fs::read(at("file")).unwrap()), (b"new".to_vec(), b"old".to_vec()));
    }

    #[test]
    fn a_file_is_held_by_one_alone() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("x");
        let new = || hold(&file, options().append(true).create_new(true));
        let held = new().unwrap().unwrap();
        assert_eq!(new().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(hold(&file, options().append(true)).unwrap().is_none());
        drop(held);
        assert!(hold(&file, options().append(true)).unwrap().is_some());
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("record");
        replace(&file, &[0; 11]).unwrap();
        assert!(read(&file, 10).is_err());
        assert_eq!(read(&file, 11).unwrap().unwrap().len(), 11);
        assert!(remove(&file).unwrap());
        assert!(!remove(&file).unwrap());
    }
}
