//! The kernel's copy of a fresh access token: `token` looks there first.
//!
//! There are two kinds of entries. The *copy* belongs to the credential (user, store, its place,
//! profile). It holds the access token and its times. A *link* belongs to a request: a profile's
//! name with the folders, the store variable, the bus, and the variables that decide which token is
//! meant. It is written once the record was compared with that request, and has the copy's name and
//! hash: the copy of a later token needs a new link. It is valid until `config.toml`, a file of the
//! provider or the profile's sealed file changes: so the fast path reads none of them, and never
//! serves a token against the configuration, nor one whose record is gone. The kernel forgets both
//! when the token expires.

use std::path::PathBuf;
use std::time::Duration;

use crate::config;
use crate::secret::hash;
use crate::session::Who;
use crate::session::bound::Bound;
use crate::session::matching::differs;
use crate::session::overrides::variable;
use crate::session::paths::Paths;
use crate::session::record::Record;
use crate::store::{Store, file};
use crate::token::{Freshness, TokenSet};
use crate::world::World;

/// How long a copy without a known expiry is kept, in seconds.
const UNKNOWN_EXPIRY: i64 = 86_400;

/// In place of the fingerprint if an older version made the record.
const UNBOUND: &str = "-";

/// Variables that decide which token is meant.
const DECIDING: [&str; 3] = ["CLIENT_ID", "GRANT", "SCOPE"];

/// The content of a copy.
pub struct Cached {
    pub set: TokenSet,
    /// [`Bound::fingerprint`] of the token's places.
    pub bound: String,
}

/// The copy for a profile. `said`: its words in variables, and whether it was named.
pub fn read(world: &World, paths: &Paths, profile: &str, said: (&[String], bool)) -> Option<Cached> {
    let link = world.token_copy.read(&link_name(world, paths, profile, said))?;
    let (copy, rest) = std::str::from_utf8(&link).ok()?.split_once(' ')?;
    let (files, valid_for) = rest.split_once(' ')?;
    let text = world.token_copy.read(copy)?;
    (valid_for == validity(paths, (profile, files), &text)).then(|| parse(&text)).flatten()
}

/// The copy for what this command means.
pub fn of(world: &World, who: &Who) -> Option<Cached> {
    read(world, &who.paths, &who.name, (&who.words, who.named))
}

/// Writes the copy of a fresh token and its link, unless they are there. If this command asks for
/// another token than the usual one, those of the usual one stay.
pub fn write(world: &World, who: &Who, record: &Record) {
    let Some(set) = record.token.as_ref().filter(|_| who.cache && is_usual(world, who, record)) else { return };
    let now = world.clock.now();
    if matches!(set.freshness(now, None), Freshness::Expired | Freshness::Stale) {
        return;
    }
    let left = set.expires_at.map_or(UNKNOWN_EXPIRY, |at| at - now);
    let expires = set.expires_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let text = zeroize::Zeroizing::new(format!(
        "2 {} {expires} {} {} {}",
        set.received_at,
        record.bound.as_ref().map_or_else(|| UNBOUND.to_owned(), Bound::fingerprint),
        set.token_type,
        set.access_token.expose()
    ));
    let put = |name: &str, value: &[u8]| {
        let is_there = world.token_copy.read(name).is_some_and(|there| **there == *value);
        is_there || world.token_copy.write(name, value, Duration::from_secs(left as u64))
    };
    let copy = copy_name(&*who.store, &who.name);
    // not by an alias: a link doesn't know the files that define it
    let link = link_name(world, &who.paths, &who.name, (&who.words, who.named));
    if put(&copy, text.as_bytes()) {
        let files = config::provider_files(who.config_dir(), who.provider_name()).join(":");
        let valid_for = validity(&who.paths, (&who.name, &files), text.as_bytes());
        put(&link, format!("{copy} {files} {valid_for}").as_bytes());
    }
}

/// Whether the profile's name and the variables alone give every later command this token: no flag
/// asked for another, and it depends on no input that is read each time.
fn is_usual(world: &World, who: &Who, record: &Record) -> bool {
    let asks = &who.profile.asks;
    let inputs = asks.assertion.is_some()
        || asks.subject_token.is_some()
        || asks.subject_profile.is_some()
        || asks.actor_token.is_some();
    // later commands have a login's flags from `config.toml`, where variables override them
    let plain = || DECIDING.iter().all(|what| variable(world, &who.words, who.named, what).is_none());
    let flags_stay = !who.chose_identity() || who.choice.signing_in && plain();
    !inputs && flags_stay && differs(who, record, None).is_none()
}

/// Forgets the copy and the link: the name may mean another profile from now on.
pub fn forget(world: &World, who: &Who) {
    world.token_copy.forget(&link_name(world, &who.paths, &who.name, (&who.words, who.named)));
    forget_copy(world, &*who.store, &who.name);
}

/// Forgets the copy alone: no link is good without it.
pub fn forget_copy(world: &World, store: &dyn Store, profile: &str) {
    world.token_copy.forget(&copy_name(store, profile));
}

fn copy_name(store: &dyn Store, profile: &str) -> String {
    let text = format!("{}\0{}\0{profile}", store.kind().name(), store.scope());
    format!("copy:{}", hash(text.as_bytes()))
}

fn link_name(world: &World, paths: &Paths, profile: &str, (words, named): (&[String], bool)) -> String {
    let mut text = Vec::new();
    let mut add = |part: &std::ffi::OsStr| {
        text.extend_from_slice(part.as_encoded_bytes());
        text.push(0);
    };
    add(paths.config.as_deref().unwrap_or(std::path::Path::new("")).as_os_str());
    add(paths.state.as_deref().unwrap_or(std::path::Path::new("")).as_os_str());
    for name in ["OAUTHCTL_STORE", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
        add(&world.env.var_os(name).unwrap_or_default());
    }
    add(profile.as_ref());
    for what in DECIDING {
        if let Some((value, _)) = variable(world, words, named, what) {
            add(what.as_ref());
            add(value.as_ref());
        }
    }
    format!("link:{}", hash(&text))
}

/// What a link holds for: this content of the copy, `config.toml`, the provider's files and the
/// sealed file as they are. A keychain's record has no file: its copy is as good as [`forget`].
fn validity(paths: &Paths, (profile, files): (&str, &str), copy: &[u8]) -> String {
    let config = |file: &str| signature(paths.config.as_ref().map(|dir| dir.join(file)));
    let provider: Vec<String> = files.split(':').map(config).collect();
    let record = paths.state.as_ref().map(|state| file::path(state, profile));
    format!("{} {} {} {}", config("config.toml"), provider.join(" "), signature(record), hash(copy))
}

/// Changes whenever the file does: size and time of change, to the nanosecond.
fn signature(file: Option<PathBuf>) -> String {
    let Some(meta) = file.and_then(|file| std::fs::metadata(file).ok()) else { return "none".to_owned() };
    let changed = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let inode = 0;
    format!("{}-{}-{inode}", changed.as_nanos(), meta.len())
}

fn parse(bytes: &[u8]) -> Option<Cached> {
    let mut parts = std::str::from_utf8(bytes).ok()?.splitn(6, ' ');
    if parts.next()? != "2" {
        return None;
    }
    let received_at = parts.next()?.parse().ok()?;
    let expires_at = match parts.next()? {
        "-" => None,
        at => Some(at.parse().ok()?),
    };
    let bound = parts.next()?.to_owned();
    let token_type = parts.next()?;
    let set = TokenSet { expires_at, ..TokenSet::new(parts.next()?.into(), token_type, received_at) };
    Some(Cached { set, bound })
}
