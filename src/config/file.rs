//! Reads a file of the configuration, which names programs to run and servers to send secrets to.
//! So it is refused if another user, except root, could have written it.
//!
//! The rules are those of `ssh`: file and folders belong to this user or to root, and others can't
//! write them. A link is judged by its target. A group may write if its number is the owner's, as
//! with the private group that many systems give a user. A read-only mount (a ConfigMap) is fine.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use crate::layers::tree::ReadError;

/// The longest file that is read: a hundred thousand profiles fit.
const LONGEST: u64 = 16 << 20;

/// Whether there is no folder of the configuration, for want of a home. Below an empty path the
/// working directory would be read, which may be anybody's.
pub fn is_nowhere(dir: &Path) -> bool {
    dir.as_os_str().is_empty()
}

/// The text of `<dir>/<name>`; `name` may have folders in it. `None`: there is no such file.
pub fn text(dir: &Path, name: &str) -> Result<Option<String>, ReadError> {
    if is_nowhere(dir) {
        return Ok(None);
    }
    let path = dir.join(name);
    let unreadable = |e: std::io::Error| ReadError::Unreadable { file: path.display().to_string(), why: e.to_string() };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(e)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    check(&path, &metadata)?;
    for folder in path.ancestors().skip(1) {
        check_folder(folder)?;
        if folder == dir {
            break;
        }
    }
    let too_long = || unreadable(std::io::Error::other(format!("it is longer than {} MiB", LONGEST >> 20)));
    if metadata.len() > LONGEST {
        return Err(too_long());
    }
    let mut text = String::with_capacity(metadata.len() as usize + 1);
    // `take` doesn't ask for the length again; a pipe has none
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LONGEST { Err(too_long()) } else { Ok(Some(text)) }
}

/// Refuses a folder that another user could put a file into.
pub fn check_folder(folder: &Path) -> Result<(), ReadError> {
    match fs::metadata(folder) {
        Ok(metadata) => check(folder, &metadata),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(ReadError::Unreadable { file: folder.display().to_string(), why: e.to_string() }),
    }
}

#[cfg(unix)]
fn check(path: &Path, metadata: &Metadata) -> Result<(), ReadError> {
    use std::os::unix::fs::MetadataExt as _;

    use crate::text::for_a_shell;
    use crate::world::users;

    let owner = metadata.uid();
    let place = for_a_shell(&path.display().to_string());
    let refused = |why: String, mend: String| Err(ReadError::Untrusted { path: path.display().to_string(), why, mend });
    if !users::is_own_or_root(owner) && !users::is_unnamed(owner) {
        let mend = match users::own() {
            0 => format!("run this as that user, without `sudo`; or give it to root: `chown 0 {place}`"),
            own => format!("if you wrote it, make it yours: `sudo chown {own} {place}`"),
        };
        return refused(format!("belongs to another user (user {owner})"), mend);
    }
    let by_group = metadata.mode() & 0o020 != 0 && metadata.gid() != owner;
    let by_all = metadata.mode() & 0o002 != 0;
    if (by_group || by_all) && !is_mounted_read_only(path) {
        let who = if by_all { "every user of this machine" } else { "its whole group" };
        return refused(format!("can be written by {who}"), format!("`chmod go-w {place}`"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check(_path: &Path, _metadata: &Metadata) -> Result<(), ReadError> {
    Ok(())
}

#[cfg(unix)]
fn is_mounted_read_only(path: &Path) -> bool {
    use rustix::fs::{StatVfsMountFlags, statvfs};
    statvfs(path).is_ok_and(|told| told.f_flag.contains(StatVfsMountFlags::RDONLY))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    use std::path::PathBuf;

    use super::*;
    use crate::world::users;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("providers");
        fs::create_dir(&own).unwrap();
        let file = own.join("x.toml");
        fs::write(&file, "text").unwrap();
        set_mode(&own, 0o755);
        set_mode(&file, 0o644);
        (dir, own, file)
    }

    fn read(dir: &Path) -> Result<Option<String>, ReadError> {
        text(dir, "providers/x.toml")
    }

    // B-16
    #[test]
    fn a_file_that_is_too_long_is_refused_before_it_is_read() {
        let (dir, own, _) = folder();
        let file = File::options().write(true).open(own.join("x.toml")).unwrap();
        file.set_len(LONGEST).unwrap();
        assert_eq!(read(dir.path()).unwrap().map(|text| text.len() as u64), Some(LONGEST));
        file.set_len(LONGEST + 1).unwrap();
        let why = read(dir.path()).unwrap_err().to_string();
        assert!(why.ends_with("x.toml can't be read: it is longer than 16 MiB"), "{why}");
    }

    // N-07
    #[test]
    fn what_others_can_write_is_refused_with_the_line_to_type() {
        let (dir, own, file) = folder();
        let good = Ok(Some("text".to_owned()));
        assert_eq!(read(dir.path()), good);
        assert_eq!(text(dir.path(), "providers/none.toml"), Ok(None));
        for (place, closed) in [(&file, 0o644), (&own, 0o755), (&dir.path().to_owned(), 0o700)] {
            set_mode(place, closed | 0o002);
            let Err(ReadError::Untrusted { path, mend, .. }) = read(dir.path()) else { panic!("{place:?}") };
            assert_eq!((path, mend), (place.display().to_string(), format!("`chmod go-w {}`", place.display())));
            set_mode(place, closed);
            assert_eq!(read(dir.path()), good);
        }
        // a link to what is closed is good, one to what is open is not
        let elsewhere = dir.path().join("elsewhere");
        fs::write(&elsewhere, "text").unwrap();
        fs::remove_file(&file).unwrap();
        symlink(&elsewhere, &file).unwrap();
        set_mode(&elsewhere, 0o444);
        assert_eq!(read(dir.path()), good);
        set_mode(&elsewhere, 0o646);
        assert!(matches!(read(dir.path()), Err(ReadError::Untrusted { .. })));
    }

    // N-07
    #[test]
    fn a_group_may_write_where_it_is_the_owners_own() {
        if users::own() != 0 {
            // only root can give files to any group
            return;
        }
        let (dir, own, file) = folder();
        set_mode(&file, 0o664);
        set_mode(&own, 0o775);
        assert!(read(dir.path()).is_ok(), "root's own group");
        chown(&file, None, Some(100)).unwrap();
        assert!(matches!(read(dir.path()), Err(ReadError::Untrusted { why, .. }) if why.contains("its whole group")));
    }

    // N-06
    #[test]
    fn what_belongs_to_another_user_is_refused() {
        if users::own() != 0 {
            // only root can give files away
            return;
        }
        let (dir, own, file) = folder();
        for place in [&file, &own, &dir.path().to_owned()] {
            chown(place, Some(65534), None).unwrap();
            let Err(ReadError::Untrusted { path, why, mend }) = read(dir.path()) else { panic!("{place:?}") };
            assert_eq!(path, place.display().to_string());
            assert!(why.contains("user 65534") && mend.contains("without `sudo`"), "{why}; {mend}");
            chown(place, Some(0), None).unwrap();
        }
        assert!(read(dir.path()).is_ok());
    }
}
