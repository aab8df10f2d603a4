//! The journal of a refresh: it keeps the new refresh token safe until the store has it.
//!
//! A refresh is a transaction between two parties without a common log. The server spends the old
//! refresh token when it responds; the new one exists only in the response until it is durable
//! here. So the file is allocated and on the disk before the old token is sent: a full disk shows
//! while nothing is spent. The first step with the response, before it is judged, is one write of
//! it, sealed, into this file: the commit point.
//!
//! The key that seals the response is in the profile's record, so that after a crash the record
//! opens the journal. The intent holds no secret, only the hash of the token to be spent.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::secret::{Secret, hex, sha256};
use crate::session::variant::Variant;
use crate::wire::Response;
use crate::world::files;

/// Allocated at once: room for a response with two tokens of 64 KiB.
const SIZE: u64 = 256 * 1024;
/// Where the sealed response begins, after the intent.
const ANSWER_AT: u64 = 4096;
const MAGIC: &[u8; 8] = b"octljrn1";
const NONCE: usize = 24;

/// The token that the request will spend. Written before it, for a later run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Intent {
    /// The generation of the token's record; the response makes the next one.
    pub generation: u64,
    /// SHA-256 of the token, in hexadecimal.
    pub token: String,
    /// Unix seconds.
    pub at: i64,
    /// How often the token was sent: 1 after the first time, 2 after the one replay.
    pub sent: u8,
    /// The token that was asked for, if it is not the login's main one. Known of a response alone.
    #[serde(skip)]
    pub variant: Option<Variant>,
}

/// What an earlier run left in the journal.
#[derive(Debug)]
pub enum Found {
    Nothing,
    /// The request may have been sent; there is no response.
    Unanswered(Intent),
    /// The response came and is not stored yet.
    Answered(Intent, Response),
    /// Cut off or damaged.
    Torn,
}

/// The journal of one credential.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// Since [`Journal::prepare`].
    open: Option<(File, Intent)>,
}

/// SHA-256 in hexadecimal.
pub fn hash(token: &Secret) -> String {
    hex(&sha256(token.expose().as_bytes()))
}

/// The journals of all credentials.
pub fn all(state: &Path) -> Vec<PathBuf> {
    let journals = files::below(&state.join("journal"));
    journals.filter(|path| path.extension().is_some_and(|it| it == "journal")).collect()
}

/// Whether the journal is untouched for longer than a refresh takes: no process is busy with it.
pub fn is_old(path: &Path) -> bool {
    const UNDER_WAY: Duration = Duration::from_secs(60);
    let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    changed.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > UNDER_WAY)
}

impl Journal {
    /// `name`: of the credential, for files.
    pub fn new(state: &Path, name: &str) -> Journal {
        Journal { path: state.join("journal").join(format!("{name}.journal")), open: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes and allocates the file, writes the intent, and syncs file and folder. An error costs
    /// nothing: the token is unspent.
    pub fn prepare(&mut self, intent: &Intent) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        files::make_folder(folder)?;
        let _ = std::fs::remove_file(&self.path);
        let file = files::options().read(true).write(true).create_new(true).open(&self.path)?;
        let made = allocate(&file)
            .and_then(|()| write_at(&file, &intent_bytes(intent), 0))
            .and_then(|()| file.sync_all())
            .and_then(|()| Ok(files::sync_folder(&self.path)?));
        if let Err(e) = made {
            let _ = std::fs::remove_file(&self.path);
            return Err(e);
        }
        self.open = Some((file, intent.clone()));
        Ok(())
    }

    /// Notes that the token is sent now. The page cache survives a kill; the allocated block needs
    /// no space.
    pub fn sending(&mut self) -> io::Result<()> {
        let Some((file, intent)) = &mut self.open else { return Err(ErrorKind::NotFound.into()) };
        intent.sent += 1;
        write_at(file, &intent_bytes(intent), 0)
    }

    /// How often the token was sent.
    pub fn sent(&self) -> u8 {
        self.open.as_ref().map_or(0, |(_, intent)| intent.sent)
    }

    /// Corrects that number after a request that was not sent, and drops the committed response.
    pub fn set_sent(&mut self, sent: u8) -> io::Result<()> {
        let Some((file, intent)) = &mut self.open else { return Ok(()) };
        intent.sent = sent;
        write_at(file, &intent_bytes(intent), 0)?;
        write_at(file, &[0; 8], ANSWER_AT)
    }

    /// The commit point: writes the whole response, sealed, at once, and syncs it.
    pub fn commit(&mut self, key: &Secret, nonce: [u8; NONCE], response: &Response) -> io::Result<()> {
        let Some((file, intent)) = &self.open else { return Err(ErrorKind::NotFound.into()) };
        let sealed = seal(key, nonce, intent, response)?;
        write_at(file, &sealed, ANSWER_AT)?;
        file.sync_data()
    }

    /// Reads what an earlier run left. The record's key opens the response.
    pub fn find(&self, key: Option<&Secret>) -> io::Result<Found> {
        let Some(bytes) = files::read(&self.path, (SIZE * 8) as usize)? else {
            return Ok(Found::Nothing);
        };
        // made, but the intent was not written yet: nothing was sent
        if bytes.iter().take(MAGIC.len()).all(|b| *b == 0) {
            return Ok(Found::Nothing);
        }
        let Some(mut intent) = parse_intent(&bytes) else { return Ok(Found::Torn) };
        Ok(match key.and_then(|key| open(key, &intent, bytes.get(ANSWER_AT as usize..)?)) {
            Some((response, variant)) => {
                intent.variant = variant;
                Found::Answered(intent, response)
            }
            None => Found::Unanswered(intent),
        })
    }

    /// In a hint, where the store can't take the response.
    pub fn keeps_answer(&self) -> String {
        format!("the answer is kept, sealed, in `{}`: the next command saves it", self.path.display())
    }

    /// Removes the file: the store has the response, or there was none.
    pub fn clear(&mut self) -> io::Result<()> {
        self.open = None;
        match std::fs::remove_file(&self.path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

fn intent_bytes(intent: &Intent) -> Vec<u8> {
    let json = json!({ "oauthctl": 1, "generation": intent.generation, "token": intent.token, "at": intent.at, "sent": intent.sent });
    format!("{json}\n").into_bytes()
}

fn parse_intent(bytes: &[u8]) -> Option<Intent> {
    let line = bytes.iter().take(ANSWER_AT as usize).position(|b| *b == b'\n')?;
    serde_json::from_slice(&bytes[..line]).ok()
}

fn cipher(key: &Secret) -> Option<XChaCha20Poly1305> {
    use base64::Engine as _;
    let bytes = Zeroizing::new(base64::engine::general_purpose::STANDARD.decode(key.expose()).ok()?);
    Some(XChaCha20Poly1305::new(&Key::from(<[u8; 32]>::try_from(bytes.as_slice()).ok()?)))
}

/// Ties a response to the token that was sent.
fn associated(intent: &Intent) -> Vec<u8> {
    format!("{}:{}", intent.generation, intent.token).into_bytes()
}

fn seal(key: &Secret, nonce: [u8; NONCE], intent: &Intent, response: &Response) -> io::Result<Vec<u8>> {
    let head = json!({ "status": response.status, "headers": response.headers, "variant": intent.variant }).to_string();
    let mut plain = Zeroizing::new(Vec::with_capacity(4 + head.len() + response.body.len()));
    plain.extend_from_slice(&(head.len() as u32).to_le_bytes());
    plain.extend_from_slice(head.as_bytes());
    plain.extend_from_slice(&response.body);
    let cipher = cipher(key).ok_or_else(|| io::Error::other("the record's journal key is damaged"))?;
    let payload = Payload { msg: &plain, aad: &associated(intent) };
    let sealed =
        cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| io::Error::other("the answer can't be sealed"))?;
    Ok([MAGIC.as_slice(), &(sealed.len() as u32).to_le_bytes(), &nonce, &sealed].concat())
}

/// The beginning of a sealed response; the body follows.
#[derive(Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    #[serde(default)]
    variant: Option<Variant>,
}

fn open(key: &Secret, intent: &Intent, bytes: &[u8]) -> Option<(Response, Option<Variant>)> {
    let rest = bytes.strip_prefix(MAGIC.as_slice())?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
    let sealed = rest.get(..u32::from_le_bytes(*length) as usize)?;
    let payload = Payload { msg: sealed, aad: &associated(intent) };
    let plain = Zeroizing::new(cipher(key)?.decrypt(&XNonce::from(*nonce), payload).ok()?);
    let (length, rest) = plain.split_first_chunk::<4>()?;
    let (head, body) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let Head { status, headers, variant } = serde_json::from_slice(head).ok()?;
    Some((Response { status, headers, body: body.to_vec().into() }, variant))
}

#[cfg(target_os = "linux")]
fn allocate(file: &File) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    match fallocate(file, FallocateFlags::empty(), 0, SIZE) {
        // a file system that can't allocate, or a kernel that can't
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => write_at(file, &vec![0; SIZE as usize], 0),
        done => Ok(done?),
    }
}

/// By writing: a length alone takes no space.
#[cfg(not(target_os = "linux"))]
fn allocate(file: &File) -> io::Result<()> {
    let mut file = file;
    file.write_all(&vec![0; SIZE as usize])
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    let mut file = file;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// Writes a small private file whose loss costs nothing.
pub fn note(path: &Path, text: &str) -> io::Result<()> {
    files::make_folder(path.parent().unwrap_or(Path::new("")))?;
    files::options().write(true).create(true).truncate(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent() -> Intent {
        Intent { generation: 4, token: hash(&"refresh-4".into()), at: 1000, sent: 0, variant: None }
    }

    fn key() -> Secret {
        use base64::Engine as _;
        Secret::new(base64::engine::general_purpose::STANDARD.encode([7; 32]))
    }

    fn response() -> Response {
        Response {
            status: 200,
            headers: vec![("date".into(), "now".into())],
            body: b"{\"access_token\":\"new-access\"}".to_vec().into(),
        }
    }

    fn journal() -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path(), "x");
        (dir, journal)
    }

    #[test]
    fn an_answer_is_found_by_the_next_run_and_only_with_the_key() {
        let (dir, mut journal) = journal();
        journal.prepare(&intent()).unwrap();
        journal.sending().unwrap();
        journal.commit(&key(), [1; 24], &response()).unwrap();
        let later = Journal::new(dir.path(), "x");
        let Found::Answered(found, answer) = later.find(Some(&key())).unwrap() else { panic!() };
        assert_eq!((found.generation, found.sent), (4, 1));
        assert_eq!(
            (answer.status, answer.headers, answer.body.as_slice()),
            (200, response().headers, response().body.as_slice())
        );
        assert!(matches!(later.find(None).unwrap(), Found::Unanswered(_)));
        let bytes = std::fs::read(journal.path()).unwrap();
        assert!(!bytes.windows(10).any(|w| w == b"new-access"), "no token lies there in plain text");
        journal.clear().unwrap();
        assert!(matches!(later.find(Some(&key())).unwrap(), Found::Nothing));
    }

    #[test]
    fn an_answer_for_another_token_or_torn_is_no_answer() {
        let (dir, mut journal) = journal();
        journal.prepare(&intent()).unwrap();
        journal.commit(&key(), [1; 24], &response()).unwrap();
        // the same sealed bytes under another intent
        write_at(&journal.open.as_ref().unwrap().0, &intent_bytes(&Intent { generation: 5, ..intent() }), 0).unwrap();
        let later = Journal::new(dir.path(), "x");
        assert!(matches!(later.find(Some(&key())).unwrap(), Found::Unanswered(i) if i.generation == 5));
        write_at(&journal.open.as_ref().unwrap().0, b"garbage without end", 0).unwrap();
        assert!(matches!(later.find(Some(&key())).unwrap(), Found::Torn));
        // killed between the making of the file and the intent: nothing was sent
        std::fs::write(journal.path(), [0; 8192]).unwrap();
        assert!(matches!(later.find(Some(&key())).unwrap(), Found::Nothing));
        std::fs::write(journal.path(), b"").unwrap();
        assert!(matches!(later.find(Some(&key())).unwrap(), Found::Nothing));
    }

    #[test]
    fn the_file_is_allocated_and_private_before_anything_is_sent() {
        let (_dir, mut journal) = journal();
        journal.prepare(&intent()).unwrap();
        let meta = std::fs::metadata(journal.path()).unwrap();
        assert_eq!(meta.len(), SIZE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, PermissionsExt};
            assert_eq!(meta.permissions().mode() & 0o777, 0o600);
            assert!(meta.blocks() * 512 >= SIZE, "space is taken, not promised");
        }
    }
}
