//! `-o FILE`: writes a response into a file that appears whole or not at all. The bytes so far are
//! in `FILE.part`, and the server's validator of that version in `FILE.part-of`. An interrupted
//! download resumes from there (RFC 9110, section 14) and never mixes two versions. `-o FOLDER/`:
//! the server proposes the file's name, and no file is replaced. Until then the bytes are under a
//! name of the request's own, where the next run finds them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::file_name;
use crate::protocol::retry_after::http_date;
use crate::secret::hash;
use crate::wire::header;
use crate::world::{Streamed, files};

/// Where a download goes.
pub struct Place {
    /// The file, or the folder for a file that the response names.
    named: PathBuf,
    /// A hash of the request, which may hold secrets itself.
    mark: String,
}

/// A file that is being written, by this process alone.
pub struct Part {
    /// Its name once it is whole.
    pub target: PathBuf,
    /// Its name until then. `None`: written directly, since the target is a device or a pipe.
    part: Option<PathBuf>,
    file: File,
    /// Whether a later download can resume it.
    resumable: bool,
    /// The permissions of the finished file if it is new.
    usual: Option<Permissions>,
    /// Whether the response names it, so that it takes another name rather than replace a file.
    pub yields: bool,
}

/// The rest of an earlier download of the same. No other process has it.
pub struct Kept {
    pub bytes: u64,
    /// The server's validator of that version, for `If-Range`.
    validator: String,
    part: PathBuf,
    file: File,
}

/// What an answer brings to a download that goes on.
#[derive(Debug, PartialEq, Eq)]
pub enum Brings {
    /// The bytes behind those that are there, of a file of this length if that is known.
    Rest(Option<u64>),
    /// All of it, or a refusal.
    Whole,
    /// Nothing that fits.
    Nothing,
}

/// The most downloads of the same at once, and the most files of one name.
const MOST: u32 = 10_000;

fn tag(part: &Path) -> PathBuf {
    let mut name = part.file_name().unwrap_or_default().to_owned();
    name.push("-of");
    part.with_file_name(name)
}

/// What the file beside a part tells: the mark of its request, and the validator if there is one.
/// `None`: the part is not the program's.
fn about(part: &Path) -> Option<(String, Option<String>)> {
    let mut text = String::new();
    let file = files::open_own(&tag(part), files::options().read(true)).ok()?;
    file.take(LONGEST_TAG).read_to_string(&mut text).ok()?;
    let mut lines = text.lines().map(str::to_owned);
    let mark = lines.next().filter(|mark| mark.len() >= 32 && mark.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some((mark, lines.next().filter(|validator| !validator.is_empty())))
}

/// Tells whether nobody else has a file under the names of a part.
fn is_free(part: &Path) -> bool {
    let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
    about(part).is_some() || !is_there(part) && !is_there(&tag(part))
}

/// Deletes a part.
fn forget(part: &Path) {
    let _ = fs::remove_file(part);
    let _ = fs::remove_file(tag(part));
}

impl Place {
    /// `asked`: what tells the request from others. A path that ends in `/` is a folder's.
    pub fn new(named: &Path, asked: &str) -> Place {
        Place { named: named.to_owned(), mark: hash(asked.as_bytes()) }
    }

    /// The names of the parts: the second is for another process that downloads the same.
    fn parts(&self, resumable: bool) -> impl Iterator<Item = PathBuf> {
        let stem = match (is_folder(&self.named), resumable) {
            (false, _) => self.named.clone(),
            (true, true) => self.named.join(format!("oauthctl-{}", self.mark)),
            // the next such download replaces what a killed one left
            (true, false) => self.named.join("oauthctl"),
        };
        let part = move |n| {
            let mut name = stem.file_name().unwrap_or_default().to_owned();
            name.push(if n == 0 { ".part".to_owned() } else { format!(".{n}.part") });
            stem.with_file_name(name)
        };
        (0..MOST).map(part)
    }

    /// Returns the part that an earlier download left.
    pub fn kept(&self) -> Option<Kept> {
        for part in self.parts(true) {
            let file = match files::hold(&part, files::options().read(true).append(true)) {
                Ok(file) => file,
                Err(_) if is_free(&part) => return None,
                Err(_) => continue,
            };
            let (Some(file), Some((of, validator))) = (file, about(&part)) else { continue };
            let bytes = file.metadata().ok()?.len();
            let fits = of == self.mark && bytes > 0;
            return validator.filter(|_| fits).map(|validator| Kept { bytes, validator, part, file });
        }
        None
    }

    /// Starts a new download. `name`: what the response names it, for a folder. It can be resumed
    /// later only with a validator.
    pub fn begin(&self, name: &str, validator: Option<&str>) -> io::Result<Part> {
        if !is_folder(&self.named) && fs::metadata(&self.named).is_ok_and(|m| !m.is_file()) {
            let file = OpenOptions::new().write(true).open(&self.named)?;
            let target = self.named.clone();
            return Ok(Part { target, part: None, file, resumable: false, usual: None, yields: false });
        }
        for part in self.parts(validator.is_some()) {
            if matches!(files::hold(&part, files::options().read(true)), Ok(None)) || !is_free(&part) {
                continue;
            }
            forget(&part);
            let file = match files::hold(&part, files::options().append(true).create_new(true)) {
                Ok(Some(file)) => file,
                Ok(None) => continue,
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(e),
            };
            // holds no secret, so its permissions tell the default for new files
            let mut about = OpenOptions::new().write(true).create_new(true).open(tag(&part))?;
            let usual = about.metadata()?.permissions();
            about.write_all(format!("{}\n{}\n", self.mark, validator.unwrap_or_default()).as_bytes())?;
            return Ok(self.part(name, (part, file), (validator.is_some(), Some(usual))));
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Resumes at the end of the existing part.
    pub fn go_on(&self, name: &str, kept: Kept) -> Part {
        let usual = fs::metadata(tag(&kept.part)).ok().map(|about| about.permissions());
        self.part(name, (kept.part, kept.file), (true, usual))
    }

    fn part(&self, name: &str, (part, file): (PathBuf, File), (resumable, usual): (bool, Option<Permissions>)) -> Part {
        let yields = is_folder(&self.named);
        let target = if yields { self.named.join(name) } else { self.named.clone() };
        Part { target, part: Some(part), file, resumable, usual, yields }
    }
}

/// The longest validator that is read, in bytes: servers send a few dozen.
const LONGEST_TAG: u64 = 16 << 10;

impl Kept {
    /// Returns the headers that ask for the rest.
    pub fn conditions(&self) -> [(String, String); 2] {
        let range = format!("bytes={}-", self.bytes);
        [("range".to_owned(), range), ("if-range".to_owned(), self.validator.clone())]
    }

    /// Tells what an answer to a request for the rest brings.
    pub fn judge(&self, answer: &Streamed) -> Brings {
        let headers = &answer.headers;
        match answer.status {
            206 => match range(headers) {
                // not every server heeds `If-Range`
                Some((begin, _, whole)) if begin == self.bytes && self.is_version(headers) => Brings::Rest(whole),
                _ => Brings::Nothing,
            },
            416 => Brings::Nothing,
            // a part under a status that says nothing of parts
            200 if range(headers).is_some_and(|(begin, end, whole)| begin > 0 || whole != end.checked_add(1)) => {
                Brings::Nothing
            }
            _ => Brings::Whole,
        }
    }

    /// Tells whether nothing says that the answer is of another version.
    fn is_version(&self, headers: &[(String, String)]) -> bool {
        let name = if self.validator.starts_with('"') { "etag" } else { "last-modified" };
        header(headers, name).is_none_or(|now| now == self.validator)
    }

    /// Deletes it.
    pub fn forget(self) {
        forget(&self.part);
    }
}

/// How long before its response a content has changed last, in seconds, for the date to be its
/// alone: in one second it may change twice, and two clocks of a server may differ.
const SETTLED: i64 = 60;

/// Returns the strong validator of a response: a strong `ETag`, else the `Last-Modified` of a
/// content that has settled (RFC 9110, section 8.8.2.2).
pub fn validator(headers: &[(String, String)]) -> Option<&str> {
    let at = |name| header(headers, name).and_then(http_date);
    let settled = at("last-modified").zip(at("date")).is_some_and(|(changed, sent)| sent - changed >= SETTLED);
    let tag = header(headers, "etag").filter(|tag| tag.starts_with('"'));
    tag.or_else(|| header(headers, "last-modified").filter(|_| settled))
}

/// Returns first byte, last byte and length of the whole from a `Content-Range`: 100, 199 and 200
/// for `bytes 100-199/200`.
fn range(headers: &[(String, String)]) -> Option<(u64, u64, Option<u64>)> {
    let (unit, range) = header(headers, "content-range")?.trim().split_once(' ')?;
    let (part, whole) = range.split_once('/')?;
    let (begin, end) = part.split_once('-')?;
    let number = |text: &str| text.trim().parse().ok();
    unit.eq_ignore_ascii_case("bytes").then_some((number(begin)?, number(end)?, number(whole)))
}

/// Tells whether a part of the content (status 206) is one that the request asked for.
pub fn is_asked(request: &[(String, String)], answer: &[(String, String)]) -> bool {
    let Some(asked) = header(request, "range") else { return false };
    let begin = asked.strip_prefix("bytes=").and_then(|ranges| ranges.split_once('-')?.0.trim().parse::<u64>().ok());
    // a download that goes on judges by itself; several ranges come as `multipart/byteranges`
    match (begin, range(answer)) {
        _ if header(request, "if-range").is_some() || asked.contains(',') => true,
        (Some(asked), got) => got.is_some_and(|(begin, ..)| begin == asked),
        (None, _) => true,
    }
}

/// Tells whether a path names a folder for a file that the response names.
pub fn is_folder(path: &Path) -> bool {
    path.to_string_lossy().ends_with(std::path::is_separator)
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
    for part in Place::new(&target, "").parts(true).take(1) {
        match files::hold(&part, files::options().append(true).create_new(true)) {
            Ok(Some(_held)) => fs::remove_file(&part)?,
            Ok(None) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e.into()),
        }
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
    /// Appends `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// The bytes so far.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Syncs the finished file to disk and gives it its name, which is returned.
    pub fn keep(self) -> io::Result<PathBuf> {
        let Some(part) = &self.part else { return Ok(self.target) };
        // the new file keeps the old one's permissions
        let old = fs::metadata(&self.target).map(|old| old.permissions()).ok().filter(|_| !self.yields);
        if let Some(readers) = old.or(self.usual) {
            self.file.set_permissions(readers)?;
        }
        self.file.sync_all()?;
        let target = match self.yields {
            true => rename_beside_others(part, &self.target)?,
            false => files::rename(part, &self.target).map(|()| self.target)?,
        };
        let _ = fs::remove_file(tag(part));
        Ok(target)
    }

    /// Tells whether other programs can't see the bytes yet.
    pub fn is_hidden(&self) -> bool {
        self.part.is_some()
    }

    /// Abandons the download. Returns whether it can be resumed.
    pub fn give_up(self) -> bool {
        if let Some(part) = self.part.filter(|_| !self.resumable) {
            forget(&part);
        }
        self.resumable
    }
}

/// Gives a file this name, or the next free one with a number. Whatever has a name keeps it.
fn rename_beside_others(part: &Path, target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let (stem, end) = file_name::split(&name);
    for n in 0..MOST {
        let number = if n == 0 { String::new() } else { format!("-{n}") };
        let free = target.with_file_name(format!("{stem}{number}{end}"));
        match files::rename_if_free(part, &free) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| free),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(target: &Path, asked: &str, validator: Option<&str>) -> Part {
        Place::new(target, asked).begin("", validator).unwrap()
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x.json");
        fs::write(&target, "old").unwrap();
        let place = Place::new(&target, "https://a/x");
        let mut part = place.begin("", Some("\"v1\"")).unwrap();
        part.write(b"ne").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert!(part.give_up());
        assert!(Place::new(&target, "https://a/y").kept().is_none());
        let kept = place.kept().unwrap();
        assert_eq!((kept.bytes, &*kept.validator), (2, "\"v1\""));
        // a second download of the same has a part of its own
        assert!(place.kept().is_none());
        let second = place.begin("", Some("\"v2\"")).unwrap();
        let mut part = place.go_on("", kept);
        part.write(b"w").unwrap();
        part.keep().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        second.keep().unwrap();
        assert_eq!((fs::read(&target).unwrap(), fs::read_dir(dir.path()).unwrap().count()), (vec![], 1));
        assert!(!begun(&target, "https://a/x", None).give_up());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_part_in_a_folder_is_found_by_its_request_and_takes_no_name_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("");
        let names = || {
            let entries = fs::read_dir(dir.path()).unwrap();
            let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let place = Place::new(&folder, "https://a/x");
        let mut part = place.begin("x.csv", Some("\"v1\"")).unwrap();
        part.write(b"ab").unwrap();
        drop(part);
        // what was killed and can't be resumed goes when the next such download begins
        drop(Place::new(&folder, "https://a/y").begin("x.csv", None).unwrap());
        let other = Place::new(&folder, "https://a/z").begin("x.csv", None).unwrap();
        assert_eq!(other.keep().unwrap(), folder.join("x.csv"));
        let part = place.go_on("x.csv", place.kept().unwrap());
        // a file that appears meanwhile stays
        fs::write(folder.join("x-1.csv"), "mine").unwrap();
        assert_eq!(part.keep().unwrap(), folder.join("x-2.csv"));
        assert_eq!(names(), ["x-1.csv", "x-2.csv", "x.csv"]);
        assert_eq!(fs::read(folder.join("x-1.csv")).unwrap(), b"mine");
        assert_eq!(fs::read(folder.join("x-2.csv")).unwrap(), b"ab");
    }

    #[test]
    fn a_file_of_the_user_that_is_called_like_a_part_stays() {
        for named in ["x.part", "x.part-of"] {
            for validator in [None, Some("\"v1\"")] {
                let dir = tempfile::tempdir().unwrap();
                fs::write(dir.path().join(named), "my notes").unwrap();
                let place = Place::new(&dir.path().join("x"), "u");
                assert!(place.kept().is_none());
                let mut part = place.begin("", validator).unwrap();
                part.write(b"01").unwrap();
                // killed: the next one goes on with it, or replaces it
                drop(part);
                let kept = place.kept();
                assert_eq!(kept.is_some(), validator.is_some(), "{named}");
                match kept {
                    Some(kept) => place.go_on("", kept),
                    None => place.begin("", validator).unwrap(),
                }
                .keep()
                .unwrap();
                assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "{named} {validator:?}");
                assert_eq!(fs::read(dir.path().join(named)).unwrap(), b"my notes");
            }
        }
    }

    #[test]
    fn a_part_is_taken_only_where_it_belongs() {
        let dir = tempfile::tempdir().unwrap();
        let mut part = begun(&dir.path().join("x"), "u", Some("\"v1\""));
        part.write(b"0123").unwrap();
        drop(part);
        let kept = Place::new(&dir.path().join("x"), "u").kept().unwrap();
        let judged = |status, headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            kept.judge(&Streamed { status, version: String::new(), headers, body: Box::new(io::empty()) })
        };
        let range = "content-range";
        for (status, headers, want) in [
            (206, &[(range, "bytes 4-9/10")][..], Brings::Rest(Some(10))),
            (206, &[(range, "Bytes 4-6/*")], Brings::Rest(None)),
            (206, &[(range, "bytes 4-9/10"), ("etag", "\"v1\"")], Brings::Rest(Some(10))),
            (206, &[(range, "bytes 4-9/10"), ("etag", "\"v2\"")], Brings::Nothing),
            (206, &[(range, "bytes 3-9/10")], Brings::Nothing),
            (206, &[(range, "items 4-9/10")], Brings::Nothing),
            (206, &[("content-type", "multipart/byteranges; boundary=x")], Brings::Nothing),
            (416, &[], Brings::Nothing),
            (200, &[(range, "bytes 4-9/10")], Brings::Nothing),
            (200, &[(range, "bytes 0-9/10")], Brings::Whole),
            (200, &[(range, "items 4-9/10")], Brings::Whole),
            (404, &[(range, "bytes 4-9/10")], Brings::Whole),
        ] {
            assert_eq!(judged(status, headers), want, "{status} {headers:?}");
        }
    }

    #[test]
    fn a_name_that_the_server_proposes_replaces_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let part = || Place::new(&dir.path().join(""), "").begin("x.csv", None).unwrap();
        let made = |part: Part, name: &str| assert_eq!(part.keep().unwrap().file_name().unwrap(), name);
        let other = part();
        made(part(), "x.csv");
        // a link to nowhere has its name too
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", dir.path().join("x-1.csv")).unwrap();
        #[cfg(not(unix))]
        fs::write(dir.path().join("x-1.csv"), "").unwrap();
        made(part(), "x-2.csv");
        made(other, "x-3.csv");
        assert!(!dir.path().join("nowhere").exists());
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
        let mut part = begun(&target, "", None);
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
        let mut part = begun(&at("x"), "u", Some("\"v\""));
        part.write(b"a").unwrap();
        assert_eq!(mode("x.part"), 0o600);
        drop(part);
        let place = Place::new(&at("x"), "u");
        place.go_on("", place.kept().unwrap()).keep().unwrap();
        assert_eq!(mode("x"), mode("usual"));
        // a link, a second name and a pipe are not resumed
        fs::write(at("x.part-of"), format!("{}\n\"v\"\n", place.mark)).unwrap();
        fs::write(at("mine"), "mine").unwrap();
        symlink("mine", at("x.part")).unwrap();
        assert!(place.kept().is_none());
        fs::remove_file(at("x.part")).unwrap();
        fs::hard_link(at("mine"), at("x.part")).unwrap();
        assert!(place.kept().is_none());
        begun(&at("x"), "u", None).write(b"new").unwrap();
        assert_eq!(fs::read(at("mine")).unwrap(), b"mine");
    }

    #[test]
    fn a_weak_mark_is_none() {
        let of = |name: &str, value: &str| validator(&[(name.to_owned(), value.to_owned())]).map(str::to_owned);
        assert_eq!(of("etag", "\"a\"").as_deref(), Some("\"a\""));
        assert_eq!(of("etag", "W/\"a\""), None);
        let changed = "Sat, 21 Nov 2026 22:00:00 GMT";
        for (tag, sent, strong) in [
            ("", "Sat, 21 Nov 2026 22:01:00 GMT", Some(changed)),
            ("W/\"a\"", "Sun, 22 Nov 2026 06:00:00 GMT", Some(changed)),
            ("\"a\"", "Sun, 22 Nov 2026 06:00:00 GMT", Some("\"a\"")),
            // it may have changed again within its second
            ("", "Sat, 21 Nov 2026 22:00:59 GMT", None),
            ("", changed, None),
            ("", "Sat, 21 Nov 2026 21:00:00 GMT", None),
            ("", "now", None),
        ] {
            let headers = [("etag", tag), ("last-modified", changed), ("date", sent)];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(validator(&headers), strong, "{tag} {sent}");
        }
        assert_eq!(of("last-modified", changed), None, "a server without a clock");
    }

    #[test]
    fn a_part_that_nobody_asked_for_is_none() {
        let is_asked = |range: &str, begins: &str| {
            let headers = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
            is_asked(&headers("range", range), &headers("content-range", begins))
        };
        assert!(!super::is_asked(&[], &[]) && is_asked("bytes=5-9", "bytes 5-9/10"));
        assert!(!is_asked("bytes=5-9", "bytes 0-9/10") && !is_asked("bytes=5-", "items 5-9/10"));
        assert!(is_asked("bytes=-5", "bytes 5-9/10") && is_asked("bytes=0-1,5-6", ""));
    }
}
