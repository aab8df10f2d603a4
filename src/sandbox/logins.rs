//! The records of a practice server: the codes, access tokens and refresh tokens it issued, and the
//! login ("family") of each.
//!
//! With a folder, several processes share the records. Each change takes a file lock, starts from
//! the file's current content and replaces the file whole. Codes and tokens are long and random,
//! and stored as SHA-256 hashes only. The file isn't synced: a power loss may cost a practice
//! login.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Rotation;
use crate::protocol::jose::sha256;
use crate::world::files;

/// How long expired codes and tokens are remembered, in seconds, to tell them from unknown ones.
const REMEMBERED: i64 = 7 * 86_400;
/// Spent refresh tokens are remembered for longer, in seconds, to detect their reuse.
const REFRESH_REMEMBERED: i64 = 60 * 86_400;

/// An authorization that a user gave, or that a client has for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub client: String,
    /// The account that signed in; without one, the client's own id.
    pub account: String,
    pub scopes: Vec<String>,
    /// The login. All tokens of one login are revoked together.
    pub family: String,
}

/// The terms that the exchange of a code must meet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeTerms {
    pub grant: Grant,
    /// `Some`: must equal the one of the token request.
    pub redirect_uri: Option<String>,
    /// The PKCE challenge, method `S256`.
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    pub expires_at: i64,
}

/// Newly issued tokens.
#[derive(Debug)]
pub struct Issued {
    pub access: String,
    pub refresh: Option<String>,
    pub grant: Grant,
    pub nonce: Option<String>,
}

/// The reason why a code or token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Unknown,
    Expired,
    /// Already used.
    Spent,
    Revoked,
    WrongClient,
    WrongRedirect,
    /// The PKCE verifier is missing, wrong, or sent without a challenge.
    WrongVerifier,
    /// The request asks for more scopes than were granted.
    WrongScope,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Records {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Refresh>,
    /// The revoked families.
    revoked: BTreeSet<String>,
    /// The key that signs this server's JWTs (PKCS #8, base64).
    key: Option<String>,
    /// Data written through the API.
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
    /// The hash of the token that this one replaced.
    parent: Option<String>,
    /// A successor has been used, so the grace period is over.
    superseded: bool,
}

/// All logins of one practice server.
pub struct Book(Place);

enum Place {
    Memory(Mutex<Records>),
    Folder { file: PathBuf, lock: PathBuf },
}

impl Book {
    /// Opens the book `name` in `folder`, and creates the folder if necessary.
    pub fn open(folder: Option<&Path>, name: &str) -> io::Result<Book> {
        let Some(folder) = folder else { return Ok(Book(Place::Memory(Mutex::default()))) };
        files::make_folder(folder).map_err(io::Error::other)?;
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
                let held = files::options().write(true).create(true).truncate(false).open(lock)?;
                held.lock()?;
                let mut records = load(file)?;
                let result = act(&mut records);
                let new = file.with_extension("json.new");
                let mut out = files::options().write(true).create(true).truncate(true).open(&new)?;
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
            // the file is replaced atomically, so reading needs no lock
            Place::Folder { file, .. } => Ok(look(&load(file)?)),
        }
    }

    /// Stores a code that was issued.
    pub fn put_code(&self, code: &str, terms: CodeTerms) -> io::Result<()> {
        self.change(|r| {
            r.codes.insert(hash(code), Code { terms, spent: false });
        })
    }

    /// Exchanges a code. A second use is refused and revokes the first one's tokens (RFC 6749,
    /// section 4.1.2). Any other mistake in the request leaves the code valid.
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
            let expected = shown.verifier.map(hash);
            if terms.challenge != expected {
                return Ok(Err(Refused::WrongVerifier));
            }
            let minted = mint(&terms.grant)?;
            found.spent = true;
            Ok(Ok(Issued { nonce: terms.nonce, ..r.issue(terms.grant, None, now, minted) }))
        })?
    }

    /// Issues tokens without a code (`client_credentials`).
    pub fn issue(&self, grant: Grant, now: i64, minted: Minted) -> io::Result<Issued> {
        self.change(|r| r.issue(grant, None, now, minted))
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
                // a token that doesn't rotate lives longer with each use
                found.expires_at = minted.refresh_life.map(|life| now + life);
                minted.refresh = None;
            } else {
                found.spent_at.get_or_insert(now);
                let parent = found.parent.clone();
                if let Some(parent) = parent.and_then(|p| r.refresh.get_mut(&p)) {
                    parent.superseded = true;
                }
            }
            let issued = r.issue(grant, Some(name), now, minted);
            if let Some(refresh) = issued.refresh.as_ref().and_then(|t| r.refresh.get_mut(&hash(t))) {
                // narrower scopes apply to the access token only (RFC 6749, section 6)
                refresh.grant.scopes = granted;
            }
            Ok(Ok(issued))
        })?
    }

    /// Revokes a token of `client`: an access token alone, a refresh token with its whole login.
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
            r.revoked.extend(r.access.values().map(|a| a.grant.family.clone()));
            r.revoked.extend(r.refresh.values().map(|f| f.grant.family.clone()));
        })
    }

    /// Looks up an access token. `stateless`: ignores revocation until the token expires, as an API
    /// does that only verifies a JWT.
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

    /// Returns the grant, the expiry and the kind of a valid access or refresh token.
    pub fn about(&self, token: &str, now: i64) -> io::Result<Option<(Grant, Option<i64>, &'static str)>> {
        self.read(|r| {
            let name = hash(token);
            let (_, grant, until, kind) = r.live(now).find(|(hash, ..)| **hash == name)?;
            Some((grant.clone(), until, kind))
        })
    }

    /// Returns client and account of each login that has a valid token, without duplicates.
    pub fn connected(&self, now: i64) -> io::Result<BTreeSet<(String, String)>> {
        self.read(|r| r.live(now).map(|(_, grant, ..)| (grant.client.clone(), grant.account.clone())).collect())
    }

    /// Returns the signing key; `make` makes it the first time.
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

    /// Reads the data written through the API.
    pub fn data<T>(&self, look: impl FnOnce(&Value) -> T) -> io::Result<T> {
        self.read(|r| look(&r.data))
    }

    /// Changes the data of the practice APIs.
    pub fn change_data<T>(&self, act: impl FnOnce(&mut Value) -> T) -> io::Result<T> {
        self.change(|r| act(&mut r.data))
    }
}

/// The parameters of a code exchange.
pub struct Shown<'a> {
    pub code: &'a str,
    pub client: &'a str,
    pub redirect_uri: Option<&'a str>,
    pub verifier: Option<&'a str>,
}

/// The parameters of a refresh.
pub struct Renewal<'a> {
    pub token: &'a str,
    pub client: &'a str,
    /// A narrower set of scopes for the new access token.
    pub scopes: Option<Vec<String>>,
    pub rotation: Rotation,
}

/// Token values for one grant.
pub struct Minted {
    pub access: String,
    pub refresh: Option<String>,
    pub access_life: Option<i64>,
    pub refresh_life: Option<i64>,
}

impl Records {
    /// `parent`: the hash of the refresh token that was exchanged.
    fn issue(&mut self, grant: Grant, parent: Option<String>, now: i64, minted: Minted) -> Issued {
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
        Issued { access: minted.access, refresh: minted.refresh, grant, nonce: None }
    }

    /// The valid tokens: hash, grant, expiry and kind.
    fn live(&self, now: i64) -> impl Iterator<Item = (&String, &Grant, Option<i64>, &'static str)> {
        let access = self.access.iter().filter(|(_, a)| !a.revoked);
        let access = access.map(|(hash, a)| (hash, &a.grant, a.expires_at, "Bearer"));
        let refresh = self.refresh.iter().filter(|(_, f)| f.spent_at.is_none());
        let refresh = refresh.map(|(hash, f)| (hash, &f.grant, f.expires_at, "refresh_token"));
        access.chain(refresh).filter(move |(_, grant, until, _)| {
            !self.revoked.contains(&grant.family) && until.is_none_or(|at| at > now)
        })
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

fn hash(token: &str) -> String {
    sha256(token.as_bytes())
}

/// Loads the records. A damaged file is set aside, so that the server starts with an empty book.
fn load(file: &Path) -> io::Result<Records> {
    match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).or_else(|_| {
            fs::rename(file, file.with_extension("json.broken"))?;
            Ok(Records::default())
        }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Records::default()),
        Err(e) => Err(e),
    }
}
