//! The state of a profile's token, as far as the record and the configuration tell.

use super::matching::not_meant;
use super::record::End;
use super::{Record, Who};
use crate::config::GrantKind;
use crate::error::{Error, Kind};
use crate::store::StoreKind;
use crate::token::Freshness;
use crate::world::World;

/// The state where the record or the profile can't be read.
pub const UNREADABLE: &str = "unreadable";

/// A profile's state, found without asking a server.
pub struct Standing {
    pub profile: String,
    pub provider: String,
    pub grant: GrantKind,
    pub store: &'static str,
    pub place: String,
    pub record: Option<Record>,
    /// When the login ends.
    pub ends: Option<End>,
    /// Why the store could not be read.
    pub trouble: Option<Error>,
    /// The token's state in a word: `fresh`, `stale`, ….
    pub state: &'static str,
}

pub fn standing(world: &World, who: &Who) -> Standing {
    let (record, trouble) = match who.load_if_any(world) {
        Ok(record) => match record.as_ref().and_then(|record| not_meant(who, record)) {
            None => (record, None),
            other => (None, other),
        },
        Err(e) => (None, Some(e)),
    };
    let state = match (&record, &trouble) {
        (_, Some(e)) if e.kind == Kind::Unsafe => "elsewhere",
        (_, Some(e)) if e.kind == Kind::LoginFirst => "another",
        (_, Some(_)) => UNREADABLE,
        (Some(Record { token: Some(set), .. }), _) => match set.freshness(world.clock.now(), None) {
            Freshness::Fresh => "fresh",
            Freshness::Stale => "stale",
            Freshness::Expired => "expired",
            Freshness::Unknown => "no known expiry",
        },
        (Some(Record { ended: Some(_), .. }), _) => "ended",
        _ => "none",
    };
    let renewed = record.as_ref().filter(|r| r.token.is_some() && who.grant(None, Some(r)).needs_person());
    let ends = renewed.and_then(|record| record.ends(&*who.shared_provider().ok()?));
    Standing {
        ends,
        profile: who.name.clone(),
        provider: who.provider_name().to_owned(),
        grant: who.grant(None, record.as_ref()),
        store: who.store.kind().name(),
        place: match who.store.kind() {
            StoreKind::Environment => format!("the variable {}", who.token_variable(world)),
            _ => who.store.place(),
        },
        record,
        trouble,
        state,
    }
}
