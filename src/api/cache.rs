//! `call --cache`: responses to GET are kept for a time, and revalidated after it (RFC 9111,
//! section 4.3). The user's time replaces the server's `max-age`; its `no-store` holds.

use std::fs;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::request::Draft;
use crate::secret::{hash, redact};
use crate::wire::header;
use crate::world::{Streamed, files};

/// The largest response that is kept, in bytes.
const LARGEST: usize = 8 << 20;
/// The most responses of a profile, and their bytes. The oldest go first.
const MOST: usize = 200;
const MOST_BYTES: u64 = 64 << 20;

/// The responses of one profile.
pub struct Cache {
    folder: PathBuf,
    /// The name of the login: no other one sees its responses.
    login: String,
    /// How long a response is served without a request.
    pub time: Duration,
}

impl Cache {
    /// Makes the folder here: a logout removes it, and a request that ends later keeps nothing.
    pub fn open(folder: PathBuf, login: String, time: Duration) -> Option<Cache> {
        files::make_folder(&folder).ok()?;
        Some(Cache { folder, login, time })
    }

    /// Returns the file for the response to a request without a body. `None`: none is kept.
    pub fn place(&self, draft: &Draft, url: &Url) -> Option<PathBuf> {
        let is_partial = |name: &str| name == "range" || name.starts_with("if-");
        if draft.method != "GET" || draft.headers.iter().any(|(name, _)| is_partial(name)) {
            return None;
        }
        // what the program decodes for a filter is the same without one
        let decoded = draft.decompress && header(&draft.headers, "accept-encoding").is_some();
        let asked = (&self.login, url.as_str(), &draft.headers, &draft.dropped, decoded);
        Some(self.folder.join(hash(format!("{asked:?}").as_bytes())))
    }
}

/// A kept response. Its file has a hash of the rest, these as one line of JSON, then the body.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    /// When it was true, in Unix seconds.
    at: i64,
    /// The address that it came from.
    url: String,
    version: String,
    headers: Vec<(String, String)>,
    #[serde(skip)]
    body: Vec<u8>,
}

impl Kept {
    pub fn read(file: &Path) -> Option<Kept> {
        let bytes = files::read(file, 2 * LARGEST).ok()??;
        let (mark, rest) = bytes.split_at_checked(hash(b"").len())?;
        // a disk or a person has changed it
        if hash(rest).as_bytes() != mark {
            return None;
        }
        let (head, body) = rest.split_at(rest.iter().position(|byte| *byte == b'\n')? + 1);
        Some(Kept { body: body.to_vec(), ..serde_json::from_slice(head).ok()? })
    }

    pub fn is_fresh(&self, now: i64, time: Duration) -> bool {
        (0..time.as_secs() as i64).contains(&(now - self.at))
    }

    /// Returns the headers that ask whether it still holds.
    pub fn conditions(&self) -> Option<(String, String)> {
        let known = |of: &str, name: &str| Some((name.to_owned(), header(&self.headers, of)?.to_owned()));
        known("etag", "if-none-match").or_else(|| known("last-modified", "if-modified-since"))
    }

    /// Keeps it anew from now on, since the server said that it still holds.
    pub fn renew(&mut self, file: &Path, now: i64) {
        self.at = now;
        write(file, &[self.head().as_bytes(), &self.body].concat());
    }

    /// Returns it as if it came from the server. `None`: the file was changed.
    pub fn answer(self) -> Option<(Url, Streamed)> {
        let Kept { url, version, headers, body, .. } = self;
        Some((Url::parse(&url).ok()?, Streamed { status: 200, version, headers, body: Box::new(Cursor::new(body)) }))
    }

    fn head(&self) -> String {
        serde_json::to_string(self).map(|text| text + "\n").unwrap_or_default()
    }
}

/// Lets a response be kept once its body has been read to the end.
pub fn keep(file: PathBuf, (url, mut answer): (&Url, Streamed), now: i64) -> Streamed {
    let says = |name: &str, word: &str| {
        let mut values =
            answer.headers.iter().filter(|(given, _)| given == name).flat_map(|(_, value)| value.split(','));
        values.any(|value| value.trim().eq_ignore_ascii_case(word))
    };
    if answer.status != 200 || says("cache-control", "no-store") || says("vary", "*") {
        return answer;
    }
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| name != "set-cookie");
    let kept = Kept { at: now, url: url.to_string(), version: answer.version.clone(), headers, body: Vec::new() };
    let head = kept.head();
    // a redirect may repeat the token of a query
    if redact(&head) == head {
        answer.body = Box::new(Copied { body: answer.body, copy: Some(head.into_bytes()), file });
    }
    answer
}

/// A body that is copied while it is read.
struct Copied {
    body: Box<dyn Read>,
    /// `None`: it is too large, or written.
    copy: Option<Vec<u8>>,
    file: PathBuf,
}

impl Read for Copied {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.body.read(buffer)?;
        if let Some(mut copy) = self.copy.take() {
            copy.extend_from_slice(&buffer[..n]);
            match n {
                0 if !buffer.is_empty() => write(&self.file, &copy),
                _ => self.copy = Some(copy).filter(|copy| copy.len() <= LARGEST),
            }
        }
        Ok(n)
    }
}

/// Writes a file, if possible: without it the next command asks the server.
fn write(file: &Path, content: &[u8]) {
    let known = |entry: fs::DirEntry| {
        let metadata = entry.metadata().ok()?;
        Some((metadata.modified().ok()?, metadata.len(), entry.path()))
    };
    let Some(entries) = file.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return };
    let mut all: Vec<_> = entries.flatten().filter_map(known).collect();
    all.sort();
    let mut bytes = content.len() as u64;
    for (n, (_, length, path)) in all.iter().rev().enumerate() {
        bytes += length;
        if n + 1 >= MOST || bytes > MOST_BYTES {
            let _ = fs::remove_file(path);
        }
    }
    let _ = files::replace(file, &[hash(content).as_bytes(), content].concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::open(root.path().join("answers"), "me".into(), Duration::from_secs(60)).unwrap();
        let url = Url::parse("https://a.example/x").unwrap();
        let passes = |name: &str, body: Vec<u8>| {
            let answer = Streamed {
                status: 200,
                version: "HTTP/1.1".into(),
                headers: Vec::new(),
                body: Box::new(Cursor::new(body)),
            };
            let url = url.join(&format!("?x={name}")).unwrap();
            let mut answer = keep(cache.folder.join(name), (&url, answer), 7);
            io::copy(&mut answer.body, &mut io::sink()).unwrap();
            Kept::read(&cache.folder.join(name))
        };
        drop(crate::secret::Secret::new("token-0123456789"));
        assert!(passes("token-0123456789", vec![b'a']).is_none());
        assert!(passes("large", vec![b'a'; LARGEST]).is_none());
        for n in 0..12 {
            assert!(passes(&format!("big{n}"), vec![b'a'; LARGEST - 200]).is_some());
        }
        let held = || fs::read_dir(&cache.folder).unwrap().count();
        assert_eq!(held(), 8);
        for n in 0..MOST + 5 {
            assert_eq!(passes(&format!("{n}"), b"a\nb".to_vec()).unwrap().body, b"a\nb");
        }
        assert_eq!(held(), MOST);
        // after a logout
        fs::remove_dir_all(&cache.folder).unwrap();
        assert!(passes("late", b"a".to_vec()).is_none() && !cache.folder.exists());
    }
}
