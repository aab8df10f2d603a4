//! `store migrate`: the records of profiles move from one store to another, all of them or none.
//!
//! | cut off when | the profiles are in | the same command once more |
//! |---|---|---|
//! | records are being copied | the store of before | copies all anew |
//! | `config.toml` names the new store | the new one | deletes what is left in the other |
//!
//! Both locks of each profile are held from its copy to the end, so that no refresh token is spent
//! meanwhile. A record that is in both stores is one login: `logout` there revokes nothing.

use std::rc::Rc;

use crate::config::{self, Config, Profile};
use crate::error::{Error, Kind};
use crate::session::keep::old_store;
use crate::session::paths::Paths;
use crate::session::state::StateFiles;
use crate::session::{Lock, Overrides, Record, Session, kernel_cache, lease, renewal, store_of};
use crate::store::{Store, StoreError, StoreKind};
use crate::text::{for_a_shell, safe};
use crate::world::World;

/// A profile on its way.
struct Move {
    /// Opened in the store of before.
    session: Session,
    new: Rc<dyn Store>,
    record: Option<Record>,
    /// Whether the copy was made now.
    copied: bool,
    _locks: (Lock, Lock),
}

/// Moves every profile whose store is the first one to the second one. Returns their names.
pub fn migrate(world: &mut World, base: &Overrides, (from, to): (StoreKind, StoreKind)) -> Result<Vec<String>, Error> {
    let dir = Paths::find(&*world.env).require_config()?;
    let config = Config::load(&dir)?;
    let usual = config.store.unwrap_or(StoreKind::Keychain);
    let mut moves = Vec::new();
    for (name, store) in config.stores() {
        let store = store.unwrap_or(usual);
        if store == from || store == to {
            moves.extend(Move::begin(world, &name, base, (from, to, store == to))?);
        }
    }
    for at in 0..moves.len() {
        if let Err(e) = moves[at].copy() {
            moves.iter().for_each(Move::undo);
            return Err(e);
        }
    }
    let key = Profile { store: Some(to), ..Profile::default() }.changes(&Profile::default());
    let named =
        config::edit(&dir, |editor| moves.iter().try_for_each(|one| editor.set_all(&one.session.name, key.clone())));
    if let Err(e) = named {
        moves.iter().for_each(Move::undo);
        return Err(e.into());
    }
    let mut left = None;
    for one in &moves {
        left = one.end(world).err().or(left);
    }
    match left {
        None => Ok(moves.iter().map(|one| one.session.name.clone()).collect()),
        Some(e) => Err(e
            .context("the profiles have moved, and a record could not be deleted in the store of before")
            .hint("the same command once more deletes it")),
    }
}

/// The place, in words, where this login is kept as well: that of its profile, when a migration was
/// cut off.
pub fn lives_in(world: &World, session: &Session, record: &Record) -> Result<Option<String>, Error> {
    let Some(own) = old_store(world, session)? else { return Ok(None) };
    let there = match own.load(&session.name) {
        // this machine has no such store, and so no login in it
        Err(StoreError::Absent { .. }) => None,
        there => there?.and_then(|text| Record::from_json(&text)),
    };
    Ok(there.filter(|there| there.login() == record.login()).map(|_| own.in_words()))
}

impl Move {
    /// `None`: there is nothing to move. `here`: the profile names the new store already.
    fn begin(
        world: &mut World,
        name: &str,
        base: &Overrides,
        (from, to, here): (StoreKind, StoreKind, bool),
    ) -> Result<Option<Move>, Error> {
        let mut choice = Overrides { profile: Some(name.to_owned()), ..base.clone() };
        choice.flags.store = Some(from);
        let mut session = Session::open(world, choice)?;
        let new = store_of(world, to, &session.paths)?;
        let first = session.lock(world)?;
        let locks = (first, lease::acquire(world, &session.paths, &new, name)?);
        let record = renewal::settled(world, &mut session, &locks.0)?;
        if here && record.is_none() {
            return Ok(None);
        }
        Ok(Some(Move { session, new, record, copied: false, _locks: locks }))
    }

    /// Refuses another login under this name.
    fn copy(&mut self) -> Result<(), Error> {
        let (Some(record), name) = (&self.record, &self.session.name) else { return Ok(()) };
        self.new.writable(name)?;
        let there = self.new.load(name)?.map(|text| Record::from_json(&text).unwrap_or_default());
        match there {
            Some(there) if there.login() != record.login() => {
                let (place, shown) = (self.new.in_words(), safe(name));
                let end = format!("oauthctl logout {} --store {}", for_a_shell(&shown), self.new.kind().name());
                return Err(Error::new(Kind::Store, format!("{place} has another login under the name `{shown}`"))
                    .hint(format!("`{end}` ends that one")));
            }
            Some(there) if there.generation >= record.generation => return Ok(()),
            _ => {}
        }
        self.new.save(name, &record.to_json())?;
        self.copied = true;
        StateFiles::of(&self.session.paths, &*self.new, name)?.seen.note(record.generation);
        Ok(())
    }

    /// Best effort: a copy that stays is no login of its own.
    fn undo(&self) {
        if self.copied {
            let _ = self.new.delete(&self.session.name);
        }
    }

    /// Deletes the record in the store of before.
    fn end(&self, world: &World) -> Result<(), Error> {
        kernel_cache::forget(world, &self.session);
        self.session.store.delete(&self.session.name)?;
        self.session.forget_files(&self.session.name);
        Ok(())
    }
}
