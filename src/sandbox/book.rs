//! What a practice server has handed out: codes, access tokens, refresh tokens, and which login ("family") each belongs to.
//!
//! With a folder it outlives the process and is shared by several: every change is made under a file lock, on what the file says
//! at that moment, and replaces the file whole. Codes and tokens are kept as SHA-256 alone; they are random and long, so the
//! hash gives nothing back. It isn't synced to the disk: a power loss may cost a practice login, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Rotation;
use crate::store::private;

/// Seconds for which what has expired is remembered, so that it can be told from what never was.
const REMEMBERED: i64 = 7 * 86_400;
/// Refresh tokens are remembered for longer: reuse must be seen.
const REFRESH_REMEMBERED: i64 = 60 * 86_400;

/// What a person (or a client for itself) has allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub client: String,
    /// The account that signed in; the client's own id where nobody did.
    pub account: String,
    pub scopes: Vec<String>,
    /// One login: what is revoked together.
    pub family: String,
}

/// What must be presented with a code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeTerms {
    pub grant: Grant,
    /// Compared when there is one.
    pub redirect_uri: Option<String>,
    /// PKCE, method `S256`.
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    pub expires_at: i64,
}

/// Fresh tokens.
#[derive(Debug)]
pub struct Issued {
    pub access: String,
    pub refresh: Option<String>,
    pub grant: Grant,
    pub nonce: Option<String>,
}

/// Why a code or token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Unknown,
    Expired,
    /// Used before.
    Spent,
    Revoked,
    WrongClient,
    WrongRedirect,
    /// The PKCE verifier is missing, wrong, or there without a challenge.
    WrongVerifier,
    /// More scopes than were granted.
    WrongScope,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Records {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Refresh>,
    /// Families.
    revoked: BTreeSet<String>,
    /// The key that signs this server's JWTs (PKCS #8, base64).
    key: Option<String>,
    /// What was written through the API.
    data: Value,
}

#[derive(Serialize, Deserialize)]
struct Code {
    terms: CodeTerms,
    spent: bool,
}

#[derive(Serialize, Deserialize)]
struct Access {
    grant: Grant,
    expires_at: Option<i64>,
    revoked: bool,
}

#[derive(Serialize, Deserialize)]
struct Refresh {
    grant: Grant,
    expires_at: Option<i64>,
    spent_at: Option<i64>,
    /// The hash of the one it replaced.
    parent: Option<String>,
    /// A successor of it has been used: no grace any more.
    superseded: bool,
}

/// All logins of one practice server.
pub struct Book(Place);

enum Place {
    Memory(Mutex<Records>),
    Folder { file: PathBuf, lock: PathBuf },
}

impl Book {
    /// `folder` is made if it isn't there; `name` tells the books in it apart.
    pub fn open(folder: Option<&Path>, name: &str) -> io::Result<Book> {
        let Some(folder) = folder else { return Ok(Book(Place::Memory(Mutex::default()))) };
        private::make_folder(folder).map_err(io::Error::other)?;
        let book = Book(Place::Folder {
            file: folder.join(format!("{name}.json")),
            lock: folder.join(format!("{name}.lock")),
        });
        book.change(|_| ())?;
        Ok(book)
    }

    fn change<T>(&self, act: impl FnOnce(&mut Records) -> T) -> io::Result<T> {
        match &self.0 {
            Place::Memory(records) => Ok(act(&mut records.lock().unwrap_or_else(PoisonError::into_inner))),
            Place::Folder { file, lock } => {
                let held = private_file(lock, false)?;
                held.lock()?;
                let mut records = load(file)?;
                let result = act(&mut records);
                let new = file.with_extension("json.new");
                let mut out = private_file(&new, true)?;
                io::Write::write_all(&mut out, &serde_json::to_vec(&records)?)?;
                drop(out);
                fs::rename(&new, file)?;
                Ok(result)
            }
        }
    }

    fn read<T>(&self, look: impl FnOnce(&Records) -> T) -> io::Result<T> {
        match &self.0 {
            Place::Memory(records) => Ok(look(&records.lock().unwrap_or_else(PoisonError::into_inner))),
            // the file is replaced whole, so it can be read without the lock
            Place::Folder { file, .. } => Ok(look(&load(file)?)),
        }
    }

    /// Keeps a code that was handed out.
    pub fn put_code(&self, code: &str, terms: CodeTerms) -> io::Result<()> {
        self.change(|r| {
            r.codes.insert(hash(code), Code { terms, spent: false });
        })
    }

    /// Exchanges a code. A second use is refused and revokes what the first one gave (RFC 6749, section 4.1.2); a request that is
    /// wrong otherwise leaves the code as it is.
    pub fn redeem(
        &self,
        shown: &Shown<'_>,
        now: i64,
        mint: impl FnOnce(&Grant) -> io::Result<Minted>,
    ) -> io::Result<Result<Issued, Refused>> {
        self.change(|r| {
            let Some(found) = r.codes.get_mut(&hash(shown.code)) else { return Ok(Err(Refused::Unknown)) };
            let terms = found.terms.clone();
            if terms.grant.client != shown.client {
                return Ok(Err(Refused::WrongClient));
            }
            if found.spent {
                r.revoked.insert(terms.grant.family);
                return Ok(Err(Refused::Spent));
            }
            if terms.expires_at <= now {
                return Ok(Err(Refused::Expired));
            }
            if terms.redirect_uri.is_some() && terms.redirect_uri.as_deref() != shown.redirect_uri {
                return Ok(Err(Refused::WrongRedirect));
            }
            let expected = shown.verifier.map(|v| URL_SAFE_NO_PAD.encode(sha256(v)));
            if terms.challenge != expected {
                return Ok(Err(Refused::WrongVerifier));
            }
            let minted = mint(&terms.grant)?;
            found.spent = true;
            Ok(Ok(r.issue(terms.grant, terms.nonce, None, now, minted)))
        })?
    }

    /// Tokens that no code stands behind (`client_credentials`).
    pub fn issue(&self, grant: Grant, now: i64, minted: Minted) -> io::Result<Issued> {
        self.change(|r| r.issue(grant, None, None, now, minted))
    }

    /// Exchanges a refresh token.
    pub fn renew(
        &self,
        shown: Renewal<'_>,
        now: i64,
        mint: impl FnOnce(&Grant) -> io::Result<Minted>,
    ) -> io::Result<Result<Issued, Refused>> {
        let Renewal { token, client, scopes, rotation } = shown;
        self.change(|r| {
            let name = hash(token);
            let Some(found) = r.refresh.get_mut(&name) else { return Ok(Err(Refused::Unknown)) };
            let mut grant = found.grant.clone();
            if grant.client != client {
                return Ok(Err(Refused::WrongClient));
            }
            if r.revoked.contains(&grant.family) {
                return Ok(Err(Refused::Revoked));
            }
            if found.expires_at.is_some_and(|at| at <= now) {
                return Ok(Err(Refused::Expired));
            }
            if let Some(spent_at) = found.spent_at {
                match rotation {
                    Rotation::Grace(seconds) if now - spent_at <= seconds && !found.superseded => {}
                    Rotation::Grace(_) | Rotation::Strict => {
                        r.revoked.insert(grant.family);
                        return Ok(Err(Refused::Spent));
                    }
                    Rotation::Once | Rotation::None => return Ok(Err(Refused::Spent)),
                }
            }
            if let Some(scopes) = scopes {
                if scopes.iter().any(|s| !grant.scopes.contains(s)) {
                    return Ok(Err(Refused::WrongScope));
                }
                grant.scopes = scopes;
            }
            let granted = found.grant.scopes.clone();
            let mut minted = mint(&grant)?;
            if rotation == Rotation::None {
                // a long-lived one stays alive by being used
                found.expires_at = minted.refresh_life.map(|life| now + life);
                minted.refresh = None;
            } else {
                found.spent_at.get_or_insert(now);
                let parent = found.parent.clone();
                if let Some(parent) = parent.and_then(|p| r.refresh.get_mut(&p)) {
                    parent.superseded = true;
                }
            }
            let issued = r.issue(grant, None, Some(name), now, minted);
            if let Some(refresh) = issued.refresh.as_ref().and_then(|t| r.refresh.get_mut(&hash(t))) {
                // narrowing holds for the access token alone (RFC 6749, section 6)
                refresh.grant.scopes = granted;
            }
            Ok(Ok(issued))
        })?
    }

    /// Forgets a token that belongs to `client`: a refresh token with its whole login, an access token alone.
    pub fn revoke(&self, token: &str, client: &str) -> io::Result<()> {
        self.change(|r| {
            let name = hash(token);
            if let Some(found) = r.refresh.get(&name).filter(|f| f.grant.client == client) {
                r.revoked.insert(found.grant.family.clone());
            } else if let Some(found) = r.access.get_mut(&name).filter(|f| f.grant.client == client) {
                found.revoked = true;
            }
        })
    }

    /// Revokes every login.
    pub fn revoke_all(&self) -> io::Result<()> {
        self.change(|r| {
            r.codes.clear();
            let families: Vec<String> = r.access.values().map(|a| a.grant.family.clone()).collect();
            let more: Vec<String> = r.refresh.values().map(|a| a.grant.family.clone()).collect();
            r.revoked.extend(families.into_iter().chain(more));
        })
    }

    /// Judges an access token. `stateless`: a revocation isn't seen until it expires (a JWT that nobody looks up).
    pub fn look(&self, access: &str, now: i64, stateless: bool) -> io::Result<Result<Grant, Refused>> {
        self.read(|r| {
            let Some(found) = r.access.get(&hash(access)) else { return Err(Refused::Unknown) };
            if !stateless && (found.revoked || r.revoked.contains(&found.grant.family)) {
                return Err(Refused::Revoked);
            }
            if found.expires_at.is_some_and(|at| at <= now) {
                return Err(Refused::Expired);
            }
            Ok(found.grant.clone())
        })
    }

    /// What is known of a token of either kind that is good now: whose, until when, and which kind.
    pub fn about(&self, token: &str, now: i64) -> io::Result<Option<(Grant, Option<i64>, &'static str)>> {
        self.read(|r| {
            let name = hash(token);
            let access = r.access.get(&name).filter(|a| !a.revoked).map(|a| (&a.grant, a.expires_at, "Bearer"));
            let refresh = r.refresh.get(&name).filter(|f| f.spent_at.is_none());
            let found = access.or(refresh.map(|f| (&f.grant, f.expires_at, "refresh_token")))?;
            let good = r.is_live(found.0, found.1, now);
            good.then(|| (found.0.clone(), found.1, found.2))
        })
    }

    /// The logins that have a token that is good now: app and account, each once.
    pub fn connected(&self, now: i64) -> io::Result<BTreeSet<(String, String)>> {
        self.read(|r| {
            let access = r.access.values().filter(|a| !a.revoked).map(|a| (&a.grant, a.expires_at));
            let refresh = r.refresh.values().filter(|f| f.spent_at.is_none()).map(|f| (&f.grant, f.expires_at));
            let live = access.chain(refresh).filter(|(grant, until)| r.is_live(grant, *until, now));
            live.map(|(grant, _)| (grant.client.clone(), grant.account.clone())).collect()
        })
    }

    /// The signing key, made by `make` the first time.
    pub fn key(&self, make: impl FnOnce() -> Vec<u8>) -> io::Result<Vec<u8>> {
        self.change(|r| {
            let kept = r.key.as_ref().and_then(|k| STANDARD.decode(k).ok());
            kept.unwrap_or_else(|| {
                let made = make();
                r.key = Some(STANDARD.encode(&made));
                made
            })
        })
    }

    /// Reads what was written through the API.
    pub fn data<T>(&self, look: impl FnOnce(&Value) -> T) -> io::Result<T> {
        self.read(|r| look(&r.data))
    }

    /// Changes what the practice APIs keep beside the logins.
    pub fn change_data<T>(&self, act: impl FnOnce(&mut Value) -> T) -> io::Result<T> {
        self.change(|r| act(&mut r.data))
    }
}

/// A code that is to be exchanged, and what the client shows with it.
pub struct Shown<'a> {
    pub code: &'a str,
    pub client: &'a str,
    pub redirect_uri: Option<&'a str>,
    pub verifier: Option<&'a str>,
}

/// A refresh token that is to be exchanged.
pub struct Renewal<'a> {
    pub token: &'a str,
    pub client: &'a str,
    /// Narrows what the new access token may do.
    pub scopes: Option<Vec<String>>,
    pub rotation: Rotation,
}

/// Tokens ready to be handed out, for one grant.
pub struct Minted {
    pub access: String,
    pub refresh: Option<String>,
    pub access_life: Option<i64>,
    pub refresh_life: Option<i64>,
}

impl Records {
    fn issue(
        &mut self,
        grant: Grant,
        nonce: Option<String>,
        parent: Option<String>,
        now: i64,
        minted: Minted,
    ) -> Issued {
        self.forget_old(now);
        let expires_at = minted.access_life.map(|life| now + life);
        let access = Access { grant: grant.clone(), expires_at, revoked: false };
        self.access.insert(hash(&minted.access), access);
        if let Some(refresh) = &minted.refresh {
            let record = Refresh {
                grant: grant.clone(),
                expires_at: minted.refresh_life.map(|life| now + life),
                spent_at: None,
                parent,
                superseded: false,
            };
            self.refresh.insert(hash(refresh), record);
        }
        Issued { access: minted.access, refresh: minted.refresh, grant, nonce }
    }

    fn is_live(&self, grant: &Grant, expires_at: Option<i64>, now: i64) -> bool {
        !self.revoked.contains(&grant.family) && expires_at.is_none_or(|at| at > now)
    }

    fn forget_old(&mut self, now: i64) {
        self.codes.retain(|_, c| c.terms.expires_at + REMEMBERED > now);
        self.access.retain(|_, a| a.expires_at.is_none_or(|at| at + REMEMBERED > now));
        self.refresh.retain(|_, f| {
            let over = f.spent_at.or(f.expires_at);
            over.is_none_or(|at| at + REFRESH_REMEMBERED > now)
        });
        let (access, refresh) = (&self.access, &self.refresh);
        self.revoked.retain(|family| {
            access.values().any(|a| a.grant.family == *family) || refresh.values().any(|f| f.grant.family == *family)
        });
    }
}

fn sha256(text: &str) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(token))
}

/// A file that isn't a book is put aside: a practice server starts afresh rather than not at all.
fn load(file: &Path) -> io::Result<Records> {
    match fs::read(file) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(records) => Ok(records),
            Err(_) => {
                fs::rename(file, file.with_extension("json.broken"))?;
                Ok(Records::default())
            }
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Records::default()),
        Err(e) => Err(e),
    }
}

fn private_file(path: &Path, empty: bool) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(empty);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
