//! `-o FILE`: writes a response into a file that appears whole or not at all. The bytes so far are
//! in `FILE.part`, and the server's validator of that version in `FILE.part-of`. An interrupted
//! download resumes from there (RFC 9110, section 14) and never mixes two versions. `-o FOLDER/`:
//! the server proposes the file's name, so it is made harmless, and no file is replaced.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use url::{Url, form_urlencoded};

use crate::protocol::api_error::parameter;
use crate::secret::redact;
use crate::text::is_unsafe;
use crate::wire::header;
use crate::world::files::{self, open_own};

/// A file that is being written.
pub struct Part {
    pub target: PathBuf,
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

/// Tells whether a path names a folder for a file that the response names.
pub fn is_folder(path: &Path) -> bool {
    path.to_string_lossy().ends_with(std::path::is_separator)
}

/// Returns a harmless file name for a response: the name that it proposes (RFC 6266), else the last
/// segment of its address.
pub fn name_for(headers: &[(String, String)], url: &Url) -> String {
    let said = header(headers, "content-disposition").unwrap_or_default();
    let extended = parameter(said, "filename*").and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        charset.eq_ignore_ascii_case("utf-8").then_some(percent_decoded(rest.split_once('\'')?.1))
    });
    let segment = url.path_segments().and_then(|mut all| all.rfind(|segment| !segment.is_empty())).map(percent_decoded);
    let proposed = [extended, parameter(said, "filename"), segment];
    proposed.into_iter().flatten().find_map(|name| harmless(&name)).unwrap_or_else(|| "response".to_owned())
}

fn percent_decoded(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26");
    form_urlencoded::parse(format!("={text}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// The longest name that a server chooses, in bytes: file systems take 255.
const LONGEST_NAME: usize = 200;

/// Returns the last part of a path as a plain file name of any system. `None`: nothing is left of
/// it.
fn harmless(path: &str) -> Option<String> {
    let name = redact(path.rsplit(['/', '\\']).next()?);
    let name: String =
        name.chars().filter(|c| !is_unsafe(*c)).map(|c| if "<>:\"|?*".contains(c) { '_' } else { c }).collect();
    // not hidden, no option of a command, and as Windows keeps it
    let name = name.trim_start_matches(['.', ' ', '-', '~']).trim_end_matches(['.', ' ']);
    let (stem, end) = split(name);
    let room = LONGEST_NAME - end.len();
    let cut = (0..=room.min(stem.len())).rev().find(|at| stem.is_char_boundary(*at));
    let name = format!("{}{end}", &stem[..cut.unwrap_or(0)]);
    // devices of Windows, whatever follows a point
    let word = name.split('.').next()?.trim_end().to_ascii_uppercase();
    let port = (word.starts_with("COM") || word.starts_with("LPT")) && word.chars().count() == 4;
    let device = port || matches!(&*word, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$");
    (!name.is_empty()).then(|| if device { format!("_{name}") } else { name })
}

/// Splits a name before its extension.
fn split(name: &str) -> (&str, &str) {
    let at = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= 20);
    name.split_at(at.unwrap_or(name.len()))
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
        Part::create(target, url, validator)
    }

    /// Starts a download under this name in a folder, or under the next free one with a number.
    pub fn beside_others(folder: &Path, name: &str) -> io::Result<Part> {
        let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
        let (stem, end) = split(name);
        for n in 0..10_000 {
            let number = if n == 0 { String::new() } else { format!("-{n}") };
            let target = folder.join(format!("{stem}{number}{end}"));
            if is_there(&target) || is_there(&tag(&target)) {
                continue;
            }
            // the process that makes the part has the name
            match Part::create(&target, "", None) {
                Ok(part) if is_there(&target) => drop(part.give_up()),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made,
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn create(target: &Path, url: &str, validator: Option<&str>) -> io::Result<Part> {
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
        files::rename(&part(&self.target), &self.target)?;
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

    // curl -J and wget took paths and dot files from servers (CVE-2010-3842, CVE-2020-8177)
    #[test]
    fn a_name_of_the_servers_is_a_plain_file_that_is_not_there_yet() {
        let url = Url::parse("https://a.example/v1/reports/q%203.csv?x=/y").unwrap();
        let of = |said: &str| name_for(&[("content-disposition".into(), said.into())], &url);
        for (said, want) in [
            ("", "q 3.csv"),
            ("attachment", "q 3.csv"),
            ("attachment; filename=\"a b.pdf\"", "a b.pdf"),
            ("attachment; FileName=a.pdf; size=3", "a.pdf"),
            ("attachment; filename=a.pdf; filename*=UTF-8''%e2%82%ac+&.pdf", "€+&.pdf"),
            ("attachment; filename*=KOI8-R''%e2; filename=\"a.pdf\"", "a.pdf"),
            ("attachment; filename=\"../../.ssh/authorized_keys\"", "authorized_keys"),
            ("attachment; filename=\"C:\\\\x\\\\y.txt\"", "y.txt"),
            ("attachment; filename*=UTF-8''..%2f..%5c.bashrc", "bashrc"),
            ("attachment; filename=\"..\"", "q 3.csv"),
            ("attachment; filename=\"/\"", "q 3.csv"),
            ("attachment; filename=\"-rf \"", "rf"),
            ("attachment; filename*=UTF-8''a%00%0a%1b%e2%80%ae.txt", "a.txt"),
            ("attachment; filename=\"a:b|c?.txt\"", "a_b_c_.txt"),
            ("attachment; filename=\"nul.txt\"", "_nul.txt"),
            ("attachment; filename=\"Com1 .x\"", "_Com1 .x"),
            ("attachment; filename=\"x. . \"", "x"),
        ] {
            assert_eq!(of(said), want, "{said}");
        }
        let long = of(&format!("attachment; filename=\"{}.csv\"", "ä".repeat(300)));
        assert!(long.len() <= 200 && long.ends_with("ä.csv"), "{long}");
        assert_eq!(name_for(&[], &Url::parse("https://a.example/").unwrap()), "response");

        let dir = tempfile::tempdir().unwrap();
        let made = |name: &str| {
            let part = Part::beside_others(dir.path(), "x.csv").unwrap();
            assert_eq!(part.target.file_name().unwrap(), name);
            part.keep().unwrap();
        };
        made("x.csv");
        // a link to nowhere and an unfinished download of another process have their names too
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", dir.path().join("x-1.csv")).unwrap();
        #[cfg(not(unix))]
        fs::write(dir.path().join("x-1.csv"), "").unwrap();
        let other = Part::beside_others(dir.path(), "x.csv").unwrap();
        made("x-3.csv");
        other.keep().unwrap();
        assert!(dir.path().join("x-2.csv").exists() && !dir.path().join("nowhere").exists());
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
