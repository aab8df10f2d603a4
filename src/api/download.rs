//! `-o FILE`: writes a response into a file that appears whole or not at all. The bytes so far are
//! in `FILE.part`, and the server's validator of that version in `FILE.part-of`. An interrupted
//! download resumes from there (RFC 9110, section 14) and never mixes two versions.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use crate::wire::header;
use crate::world::files::{self, open_own};

/// A file that is being written.
pub struct Part {
    target: PathBuf,
    file: File,
    /// Written directly, since the target is a device or a pipe.
    in_place: bool,
    /// Whether a later download can resume it.
    resumable: bool,
    /// The permissions of the finished file if it is new.
    usual: Option<Permissions>,
}

/// The rest of an earlier download from the same address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub bytes: u64,
    /// The server's validator of that version, for `If-Range`.
    pub validator: String,
}

fn beside(target: &Path, end: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(end);
    target.with_file_name(name)
}

fn part(target: &Path) -> PathBuf {
    beside(target, ".part")
}

fn tag(target: &Path) -> PathBuf {
    beside(target, ".part-of")
}

/// Returns a hash of the address, which may hold secrets itself.
fn mark(url: &str) -> String {
    digest(&SHA256, url.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// Returns the part that an earlier download from this address left.
pub fn kept(target: &Path, url: &str) -> Option<Kept> {
    let mut text = String::new();
    open_own(&tag(target), files::options().read(true)).ok()?.read_to_string(&mut text).ok()?;
    let (of, validator) = text.trim_end().split_once('\n')?;
    let bytes = open_own(&part(target), files::options().read(true)).ok()?.metadata().ok()?.len();
    (of == mark(url) && bytes > 0).then(|| Kept { bytes, validator: validator.to_owned() })
}

/// Deletes the part of an earlier download.
pub fn forget(target: &Path) {
    let _ = fs::remove_file(part(target));
    let _ = fs::remove_file(tag(target));
}

/// Returns the strong validator of a response: a strong `ETag`, else `Last-Modified`.
pub fn validator(headers: &[(String, String)]) -> Option<&str> {
    header(headers, "etag").filter(|tag| tag.starts_with('"')).or_else(|| header(headers, "last-modified"))
}

/// Returns the first byte of a partial response: 100 for `bytes 100-199/200`.
pub fn begins_at(headers: &[(String, String)]) -> Option<u64> {
    header(headers, "content-range")?.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

/// Follows links to the file to write; the links stay, as with other programs. Checks before the
/// request that the file can be written: a failure afterwards would waste a request that may not be
/// repeatable.
pub fn writable(named: &Path) -> Result<PathBuf, Unwritable> {
    // opening a device or a pipe may block until it has a reader
    if fs::metadata(named).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
        return Ok(named.to_owned());
    }
    let target = files::linked(named).unwrap_or_else(|| named.to_owned());
    if target.is_dir() || target.file_name().is_none() {
        return Err(Unwritable::Folder);
    }
    let beside = part(&target);
    match OpenOptions::new().write(true).create_new(true).open(&beside) {
        Ok(_) => fs::remove_file(&beside)?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e.into()),
    }
    Ok(target)
}

/// Why a file can't be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    #[error("it is a folder")]
    Folder,
    #[error(transparent)]
    Failed(#[from] io::Error),
}

impl Part {
    /// Starts a new download. It can be resumed later only with a validator.
    pub fn begin(target: &Path, url: &str, validator: Option<&str>) -> io::Result<Part> {
        if fs::metadata(target).is_ok_and(|m| !m.is_file()) {
            let file = OpenOptions::new().write(true).open(target)?;
            return Ok(Part { target: target.to_owned(), file, in_place: true, resumable: false, usual: None });
        }
        // never follows a link that another user left here
        forget(target);
        let file = files::options().write(true).create_new(true).open(part(target))?;
        // holds no secret, so its permissions tell the default for new files
        let mut about = OpenOptions::new().write(true).create_new(true).open(tag(target))?;
        let usual = Some(about.metadata()?.permissions());
        match validator {
            Some(validator) => about.write_all(format!("{}\n{validator}\n", mark(url)).as_bytes())?,
            None => fs::remove_file(tag(target))?,
        }
        Ok(Part { target: target.to_owned(), file, in_place: false, resumable: validator.is_some(), usual })
    }

    /// Resumes at the end of the existing part.
    pub fn go_on(target: &Path) -> io::Result<Part> {
        let file = open_own(&part(target), files::options().append(true))?;
        let usual = fs::metadata(tag(target)).ok().map(|about| about.permissions());
        Ok(Part { target: target.to_owned(), file, in_place: false, resumable: true, usual })
    }

    /// Appends `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Syncs the finished file to disk and gives it its name.
    pub fn keep(self) -> io::Result<()> {
        if self.in_place {
            return Ok(());
        }
        // the new file keeps the old one's permissions
        if let Some(readers) = fs::metadata(&self.target).map(|old| old.permissions()).ok().or(self.usual) {
            self.file.set_permissions(readers)?;
        }
        self.file.sync_all()?;
        fs::rename(part(&self.target), &self.target)?;
        let _ = fs::remove_file(tag(&self.target));
        Ok(())
    }

    /// Tells whether other programs can't see the bytes yet.
    pub fn is_hidden(&self) -> bool {
        !self.in_place
    }

    /// Abandons the download. Returns whether it can be resumed.
    pub fn give_up(self) -> bool {
        if !self.in_place && !self.resumable {
            forget(&self.target);
        }
        self.resumable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x.json");
        fs::write(&target, "old").unwrap();
        let mut part = Part::begin(&target, "https://a/x", Some("\"v1\"")).unwrap();
        part.write(b"ne").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert!(part.give_up());
        assert_eq!(kept(&target, "https://a/x"), Some(Kept { bytes: 2, validator: "\"v1\"".into() }));
        assert_eq!(kept(&target, "https://a/y"), None);
        let mut part = Part::go_on(&target).unwrap();
        part.write(b"w").unwrap();
        part.keep().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let part = Part::begin(&target, "https://a/x", None).unwrap();
        assert!(!part.give_up());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_target_is_looked_at_before_anything_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        assert_eq!(writable(&at("new")).unwrap(), at("new"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        // a part that can be resumed stays
        fs::write(at("big.part"), "half").unwrap();
        assert_eq!(writable(&at("big")).unwrap(), at("big"));
        assert_eq!(fs::read(at("big.part")).unwrap(), b"half");
        assert!(matches!(writable(dir.path()), Err(Unwritable::Folder)));
        assert!(matches!(writable(Path::new("..")), Err(Unwritable::Folder)));
        assert!(matches!(writable(&at("no/x")), Err(Unwritable::Failed(_))));
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_points_to_is_written_and_its_mode_stays() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("real"), "old").unwrap();
        fs::set_permissions(at("real"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", at("one")).unwrap();
        symlink(at("one"), at("two")).unwrap();
        let target = writable(&at("two")).unwrap();
        assert_eq!(target, at("real"));
        let mut part = Part::begin(&target, "", None).unwrap();
        part.write(b"new").unwrap();
        part.keep().unwrap();
        assert_eq!(fs::read(at("two")).unwrap(), b"new");
        assert!(fs::symlink_metadata(at("one")).unwrap().is_symlink());
        assert_eq!(fs::metadata(at("real")).unwrap().permissions().mode() & 0o777, 0o640);
        // a dangling link
        symlink("later", at("dangling")).unwrap();
        assert_eq!(writable(&at("dangling")).unwrap(), at("later"));
    }

    // B-04
    #[cfg(unix)]
    #[test]
    fn what_is_not_whole_is_nobody_elses_to_read_or_to_begin() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
        fs::write(at("usual"), "").unwrap();
        let mut begun = Part::begin(&at("x"), "u", Some("\"v\"")).unwrap();
        begun.write(b"a").unwrap();
        assert_eq!(mode("x.part"), 0o600);
        drop(begun);
        assert!(kept(&at("x"), "u").is_some());
        Part::go_on(&at("x")).unwrap().keep().unwrap();
        assert_eq!(mode("x"), mode("usual"));
        // a link, a second name and a pipe are not resumed
        fs::write(at("x.part-of"), format!("{}\n\"v\"\n", mark("u"))).unwrap();
        fs::write(at("mine"), "mine").unwrap();
        symlink("mine", at("x.part")).unwrap();
        assert!(kept(&at("x"), "u").is_none() && Part::go_on(&at("x")).is_err());
        fs::remove_file(at("x.part")).unwrap();
        fs::hard_link(at("mine"), at("x.part")).unwrap();
        assert!(kept(&at("x"), "u").is_none() && Part::go_on(&at("x")).is_err());
        Part::begin(&at("x"), "u", None).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read(at("mine")).unwrap(), b"mine");
    }

    #[test]
    fn a_weak_mark_is_none() {
        let of = |name: &str, value: &str| validator(&[(name.to_owned(), value.to_owned())]).map(str::to_owned);
        assert_eq!(of("etag", "\"a\"").as_deref(), Some("\"a\""));
        assert_eq!(of("etag", "W/\"a\""), None);
        assert_eq!(begins_at(&[("content-range".into(), "bytes 100-199/200".into())]), Some(100));
        assert_eq!(begins_at(&[("content-range".into(), "items 0-1/2".into())]), None);
    }
}
