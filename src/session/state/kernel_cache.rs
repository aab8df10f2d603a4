//! The kernel's copy of a fresh access token: `token` looks there first.
//!
//! There are two entries. The *copy* belongs to the credential (user, store, its place, profile).
//! It holds the access token and its times; the kernel forgets it when it expires. The *link*
//! belongs to a profile's name with the folders, the store variable and the bus. It names the copy,
//! and is valid until `config.toml` changes: so the fast path reads no configuration and never
//! serves a token against it.

use std::time::Duration;

use crate::secret::hash;
use crate::session::Who;
use crate::session::bound::Bound;
use crate::session::paths::Paths;
use crate::session::record::Record;
use crate::token::{Freshness, TokenSet};
use crate::world::World;

/// How long a copy without a known expiry is kept, in seconds.
const UNKNOWN_EXPIRY: i64 = 86_400;
/// How long a link is kept, in seconds: the kernel's own ring lasts three days.
const LINK_KEPT: u64 = 3 * 86_400;

/// In place of the fingerprint if an older version made the record.
const UNBOUND: &str = "-";

/// Variables that change a profile: with one of them set the configuration is read.
const DECIDING: [&str; 3] = ["CLIENT_ID", "GRANT", "SCOPE"];

/// The content of a copy.
pub struct Cached {
    pub set: TokenSet,
    /// [`Bound::fingerprint`] of the token's places.
    pub bound: String,
}

pub fn read(world: &World, paths: &Paths, profile: &str) -> Option<Cached> {
    let link = world.token_copy.read(&link_name(world, paths, profile))?;
    let (signature, copy) = std::str::from_utf8(&link).ok()?.split_once(' ')?;
    if signature != config_signature(paths) {
        return None;
    }
    parse(&world.token_copy.read(copy)?)
}

/// Whether a copy may serve a profile: no variable changes it. `words`: its names in variables.
pub fn may_answer(world: &World, words: &[String]) -> bool {
    let set = |name: &str| world.env.var_os(name).is_some_and(|v| !v.is_empty());
    let says = |word: &String| {
        set(&format!("OAUTHCTL_{word}_TOKEN")) || DECIDING.iter().any(|what| set(&format!("OAUTHCTL_{word}_{what}")))
    };
    !set("GITHUB_ACTIONS") && !DECIDING.iter().any(|what| set(&format!("OAUTHCTL_{what}"))) && !words.iter().any(says)
}

/// Writes the copy of a fresh token; forgets it otherwise.
pub fn write(world: &World, who: &Who, record: &Record) {
    let Some(set) = record.token.as_ref().filter(|_| who.cache && is_usual(world, who)) else {
        return forget(world, who);
    };
    let now = world.clock.now();
    let copy = copy_name(who);
    let left = set.expires_at.map_or(UNKNOWN_EXPIRY, |at| at - now);
    if left <= 0 || matches!(set.freshness(now, None), Freshness::Expired | Freshness::Stale) {
        return world.token_copy.forget(&copy);
    }
    let expires = set.expires_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let text = zeroize::Zeroizing::new(format!(
        "2 {} {expires} {} {} {}",
        set.received_at,
        record.bound.as_ref().map_or_else(|| UNBOUND.to_owned(), Bound::fingerprint),
        set.token_type,
        set.access_token.expose()
    ));
    if !world.token_copy.write(&copy, text.as_bytes(), Duration::from_secs(left as u64)) {
        world.token_copy.forget(&copy);
        return;
    }
    let link = format!("{} {copy}", config_signature(&who.paths));
    // not by an alias: a link doesn't know the files that define it
    let name = link_name(world, &who.paths, &who.name);
    world.token_copy.write(&name, link.as_bytes(), Duration::from_secs(LINK_KEPT));
}

/// Whether the profile's name alone gives every later command this token: no flag or variable asked
/// for another, and it depends on no input that is read each time.
fn is_usual(world: &World, who: &Who) -> bool {
    let asks = &who.profile.asks;
    let inputs = asks.assertion.is_some()
        || asks.subject_token.is_some()
        || asks.subject_profile.is_some()
        || asks.actor_token.is_some();
    !inputs && (who.choice.signing_in || !who.chose_identity() && may_answer(world, &who.words))
}

/// Forgets the copy and the link: the name may mean another profile from now on.
pub fn forget(world: &World, who: &Who) {
    world.token_copy.forget(&link_name(world, &who.paths, &who.name));
    world.token_copy.forget(&copy_name(who));
}

fn copy_name(who: &Who) -> String {
    let text = format!("{}\0{}\0{}", who.store.kind().name(), who.store.scope(), who.name);
    format!("copy:{}", hash(text.as_bytes()))
}

fn link_name(world: &World, paths: &Paths, profile: &str) -> String {
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
    format!("link:{}", hash(&text))
}

/// Changes whenever `config.toml` does: size and time of change, to the nanosecond.
fn config_signature(paths: &Paths) -> String {
    let Some(meta) = paths.config.as_ref().and_then(|dir| std::fs::metadata(dir.join("config.toml")).ok()) else {
        return "none".to_owned();
    };
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
