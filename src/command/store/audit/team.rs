//! What is amiss in a team's engine, as far as this machine's profiles tell: what others read of a
//! record, and records that a `store migrate` left there when it was cut off.

use std::rc::Rc;

use super::Finding;
use crate::command::doctor::note;
use crate::command::{Global, list};
use crate::error::Error;
use crate::session::paths::Paths;
use crate::session::record::Record;
use crate::session::standing::Standing;
use crate::session::{Who, store_of, usual_store};
use crate::store::{Store, StoreError, StoreKind, vault};
use crate::text::{pasted, safe};
use crate::world::World;

/// An engine, and the names that it has.
type Engine = (Rc<dyn Store>, Vec<String>);

/// The findings of each profile, or why its engine could not be looked at.
pub(super) fn look(world: &mut World, global: &Global, paths: &Paths) -> Vec<Result<Vec<Finding>, Error>> {
    let mut found = Vec::new();
    let migrated = of_a_migration(world, paths);
    // what is wrong with the configuration has its own command
    let _ = list::each(world, global, |_, who, standing| {
        if standing.trouble.is_some() {
            // it was told, and costs the time of a second try
            return;
        }
        found.push(amiss(who).map(Vec::from_iter));
        if let Ok(Some((engine, names))) = &migrated
            && names.contains(&who.name)
            && who.store.kind() != engine.kind()
        {
            found.push(left(&**engine, who, &standing).map(Vec::from_iter));
        }
    });
    found.extend(migrated.err().map(Err));
    found
}

/// The engine that `store migrate` knows by a word; `None` where no variable names it, or this job
/// may not list.
fn of_a_migration(world: &mut World, paths: &Paths) -> Result<Option<Engine>, Error> {
    let kind = StoreKind::Vault(vault::Place::of_variables());
    let config = paths.readable_config().map(|(config, _)| config).unwrap_or_default();
    if !vault::is_named(&*world.env) && usual_store(world, &config)?.0 != kind {
        return Ok(None);
    }
    let store = store_of(world, kind, paths)?;
    match store.profiles() {
        Ok(names) => Ok(Some((store, names))),
        Err(StoreError::NotAllowed { .. }) => {
            let place = store.in_words();
            world.say(&format!("This job may not list {place}: what a `store migrate` left there is not looked for."));
            Ok(None)
        }
        Err(e) => Err(e.into()),
    }
}

/// What readers see of a profile's record, if it is amiss.
fn amiss(who: &Who) -> Result<Option<Finding>, Error> {
    let Some(shared) = who.store.shared() else { return Ok(None) };
    let fault = shared.fault(&who.name)?;
    Ok(fault.map(|fault| {
        let words = format!("what readers of `{}` see in {} {fault}", safe(&who.name), who.store.in_words());
        ("readers", note(words).advice(format!("oauthctl refresh {}", pasted(&who.name))))
    }))
}

/// A copy of a login that lives in another store.
fn left(engine: &dyn Store, who: &Who, standing: &Standing) -> Result<Option<Finding>, Error> {
    let copy = engine.load(&who.name)?.and_then(|text| Record::from_json(&text));
    let own = standing.record.as_ref().map(Record::login);
    if own.is_none() || copy.map(|copy| copy.login()) != own {
        return Ok(None);
    }
    let name = safe(&who.name);
    let words = format!("the login of `{name}` is in {} too, and lives in {}", engine.in_words(), who.store.in_words());
    let advice = format!(
        "a `store migrate` was cut off: `oauthctl logout {} --store vault` deletes that copy",
        pasted(&who.name)
    );
    Ok(Some(("leftover", note(words).advice(advice))))
}
