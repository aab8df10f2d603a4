//! Records without a profile in the configuration: of a login that was not finished or was killed
//! between two files, or of another configuration. They hold secrets, so every command finds them
//! by their name; `logout --all`, `list` and `doctor` look for them.

use std::collections::BTreeSet;

use super::overrides::{NOBODY, Overrides};
use super::paths::Stores;
use super::stores::{store_kind, store_of};
use super::{Paths, Record, Who};
use crate::config::{Config, Profile};
use crate::error::Error;
use crate::store::{Store, StoreError, StoreKind};
use crate::text::{for_a_shell, safe};
use crate::world::World;

/// The stores with records: those of this machine, and the `usual` one. Where tokens are lent, no
/// other one.
fn keeping(usual: StoreKind) -> impl Iterator<Item = StoreKind> {
    let own = [StoreKind::Keychain, StoreKind::File];
    let lent = usual == StoreKind::Lent;
    let also = Some(usual).filter(|usual| lent || usual.keeps() && !own.contains(usual));
    own.into_iter().filter(move |_| !lent).chain(also)
}

/// A record without a profile.
#[derive(Clone, Debug)]
pub struct Orphan {
    pub name: String,
    /// The store in words: `the keychain (Secret Service)`.
    pub place: String,
    pub kind: StoreKind,
    /// Whether another store is the usual one for its name.
    aside: bool,
    /// Whether it has more than tokens, which a logout leaves.
    outlives: bool,
    /// Whether it is a login that was left at a question.
    pub begun: bool,
    provider: String,
    environment: Option<String>,
}

impl Orphan {
    /// The choice that opens it.
    pub fn choice(self, base: Overrides) -> Overrides {
        Overrides {
            profile: Some(self.name),
            flags: Profile {
                provider: base.flags.provider.or(Some(self.provider)),
                environment: base.flags.environment.or(self.environment),
                store: base.flags.store.or(self.aside.then_some(self.kind)),
                ..base.flags
            },
            ..base
        }
    }

    /// What it is, and what can be done with it.
    pub fn told(&self) -> (String, String) {
        let (place, name) = (&self.place, safe(&self.name));
        let deletes = format!("`{}` deletes it", self.logout());
        match self.begun {
            true => (
                format!("{place} has the record `{name}`, of a login that is not finished"),
                format!("`oauthctl init {}` goes on with it; {deletes}", for_a_shell(&name)),
            ),
            false => (format!("{place} has the record `{name}`, which belongs to no profile in config.toml"), deletes),
        }
    }

    /// The command that deletes it.
    pub fn logout(&self) -> String {
        let name = for_a_shell(&safe(&self.name));
        match (self.aside, self.outlives) {
            (true, _) => format!("oauthctl logout {name} --store {}", self.kind.name()),
            (false, true) => format!("oauthctl profile remove {name}"),
            (false, false) => format!("oauthctl logout {name}"),
        }
    }

    fn of(store: &dyn Store, name: &str, usual: StoreKind) -> Result<Option<Orphan>, Error> {
        let record = match store.load(name) {
            Ok(None) | Err(StoreError::Absent { .. }) => return Ok(None),
            Ok(Some(text)) => Record::from_json(&text).unwrap_or_default(),
            Err(
                StoreError::Corrupt { .. }
                | StoreError::NeedsPassphrase(_)
                | StoreError::WrongPassphrase(_)
                | StoreError::NeedsIdentity(_)
                | StoreError::WrongIdentity(_),
            ) => Record::default(),
            Err(e) => return Err(e.into()),
        };
        let bound = record.bound.as_ref().or(record.secret_bound.as_ref());
        let unfinished = record.unfinished.as_ref();
        let environment = bound.map(|b| b.environment.clone()).or(unfinished.map(|u| u.environment.clone()));
        let provider = record.provider.clone().or(unfinished.map(|u| u.provider.clone()));
        Ok(Some(Orphan {
            name: name.to_owned(),
            place: store.in_words(),
            kind: store.kind(),
            aside: store.kind() != usual,
            outlives: record.outlives_its_tokens(),
            begun: unfinished.is_some() && record.token.is_none(),
            provider: provider.unwrap_or_else(|| NOBODY.to_owned()),
            environment: environment.flatten(),
        }))
    }
}

/// The record of this name, the usual store first. An error: none has it, and one can't be read.
pub fn called(world: &World, paths: &Paths, usual: StoreKind, name: &str) -> Result<Option<Orphan>, Error> {
    let mut trouble = None;
    let mut kinds: Vec<StoreKind> = keeping(usual).collect();
    kinds.sort_by_key(|kind| *kind != usual);
    for kind in kinds {
        match store_of(world, kind, paths).and_then(|store| Orphan::of(&*store, name, usual)) {
            Ok(Some(orphan)) => return Ok(Some(orphan)),
            Ok(None) => {}
            Err(e) => trouble = trouble.or(Some(e)),
        }
    }
    trouble.map_or(Ok(None), Err)
}

/// The records of other stores under the name of an open profile, as far as they can be read.
pub fn aside(world: &World, who: &Who) -> Vec<Orphan> {
    let usual = who.store.kind();
    let others = keeping(usual).filter(|kind| *kind != usual && who.choice.flags.store.is_none());
    let stores = others.filter_map(|kind| store_of(world, kind, &who.paths).ok());
    stores.filter_map(|store| Orphan::of(&*store, &who.name, usual).ok().flatten()).collect()
}

/// All orphans, and why a store could not be read. Without a configuration, none is known as one.
/// `only`: in this store.
pub fn all(
    world: &World,
    paths: &Paths,
    known: Option<&(Config, Stores)>,
    only: Option<StoreKind>,
) -> (Vec<Orphan>, Vec<Error>) {
    let Some((config, stores)) = known else { return (Vec::new(), Vec::new()) };
    let (mut orphans, mut troubles) = (Vec::new(), Vec::new());
    let mut kinds: BTreeSet<StoreKind> =
        stores.values().copied().flatten().chain(config.store).flat_map(keeping).collect();
    kinds.extend(keeping(StoreKind::Keychain));
    // what a team's store holds is another machine's
    kinds.retain(|kind| !matches!(kind, StoreKind::Vault(_)));
    for kind in kinds.into_iter().filter(|kind| only.is_none_or(|only| only == *kind)) {
        let mut unread: Vec<Error> = Vec::new();
        let mut look = || -> Result<(), Error> {
            let store = store_of(world, kind, paths)?;
            let names = match store.profiles() {
                Err(StoreError::Absent { .. }) => Vec::new(),
                names => names?,
            };
            // the store of a profile with a fault is not known
            for name in names.iter().filter(|name| !config.faults.contains_key(*name)) {
                let named = stores.get(name).copied();
                let own = named.map(|store| store.or(config.store).unwrap_or(StoreKind::Keychain));
                let profile = Profile { store: named.flatten(), ..Profile::default() };
                let usual = store_kind(world, &Overrides::default(), &profile, config)?;
                if own.is_none_or(|own| own != kind && usual != kind) {
                    match Orphan::of(&*store, name, usual) {
                        Ok(orphan) => orphans.extend(orphan),
                        // the others can be read, perhaps
                        Err(e) => unread.push(e),
                    }
                }
            }
            Ok(())
        };
        let failed = look().err();
        // a store that is locked says so for each record
        unread.dedup_by_key(|e| e.to_string());
        troubles.extend(failed.into_iter().chain(unread));
    }
    orphans.sort_by(|one, other| one.name.cmp(&other.name));
    (orphans, troubles)
}
