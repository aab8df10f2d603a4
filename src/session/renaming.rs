//! `profile rename` in steps that any later command can finish. As long as there are two records,
//! both have a note of the renaming, so that no token is refreshed under the old name.
//!
//! | cut off when | the next command that reads either record |
//! |---|---|
//! | the old one alone has the note | removes the note |
//! | both have it | renames the profile in `config.toml`, deletes the old one |
//! | the new one alone has it | removes the note |

use std::collections::BTreeSet;

use crate::config;
use crate::error::{Error, Kind};
use crate::secret::Secret;
use crate::session::record::{Record, Renaming};
use crate::session::{Who, lock};
use crate::store::{Store, StoreError};
use crate::text::{pasted, safe};

impl Renaming {
    /// The record of that name, if it says that it is part of this.
    fn part(&self, store: &dyn Store, name: &str) -> Result<Option<Record>, StoreError> {
        let record = store.load(name)?.and_then(|text| Record::from_json(&text));
        Ok(record.filter(|record| record.renaming.as_ref() == Some(self)))
    }

    /// Whether the old record has the note.
    pub fn was_begun(&self, store: &dyn Store) -> Result<bool, StoreError> {
        self.part(store, &self.from).map(|record| record.is_some())
    }

    /// Copies the record of the old name. Both locks are held. An unreadable record moves as it is.
    pub fn begin(&self, store: &dyn Store, text: &Secret) -> Result<(), StoreError> {
        let Some(record) = Record::from_json(text) else { return store.save(&self.to, text) };
        let text = Record { renaming: Some(self.clone()), ..record }.to_json();
        store.save(&self.from, &text)?;
        store.save(&self.to, &text)
    }

    /// The rest. If the configuration has another profile of the new name, all is undone.
    pub fn complete(&self, who: &Who) -> Result<(), Error> {
        let store = &*who.store;
        let dir = who.paths.require_config()?;
        // not configured: renamed before, or a login that is not finished
        let configured = config::Config::load(&dir)?.profiles.contains_key(&self.from);
        if configured && let Err(e) = config::edit(&dir, |editor| editor.rename(&self.from, &self.to)) {
            store.delete(&self.to)?;
            self.settle(store, &self.from)?;
            return Err(e.into());
        }
        store.delete(&self.from)?;
        who.forget_files(&self.from);
        Ok(self.settle(store, &self.to)?)
    }

    /// Removes the note.
    fn settle(&self, store: &dyn Store, name: &str) -> Result<(), StoreError> {
        match self.part(store, name)? {
            Some(record) => store.save(name, &Record { renaming: None, ..record }.to_json()),
            None => Ok(()),
        }
    }

    /// Finishes a renaming that was cut off, for either name. While another process does it, the
    /// record of the new name may be used, and that of the old name only read.
    pub(super) fn finish(&self, who: &Who) -> Result<(), Error> {
        let Who { paths, store, name, .. } = who;
        let names = BTreeSet::from([&self.from, &self.to]);
        let locks: Option<Vec<_>> = names.iter().map(|name| lock::also(paths, &**store, name)).collect();
        let Some(_locks) = locks else {
            return match *name == self.from && lock::is_held(paths, &**store, name) {
                true => Err(Error::new(
                    Kind::TryLater,
                    format!("another process is about to call `{}` `{}`", safe(&self.from), safe(&self.to)),
                )
                .hint("run the command again")),
                false => Ok(()),
            };
        };
        let old = self.part(&**store, &self.from)?;
        match self.part(&**store, &self.to)? {
            None => Ok(self.settle(&**store, &self.from)?),
            Some(_) if old.is_none() => Ok(self.settle(&**store, &self.to)?),
            Some(_) => self.complete(who).and_then(|()| match *name == self.from {
                true => Err(self.gone()),
                false => Ok(()),
            }),
        }
    }

    fn gone(&self) -> Error {
        Error::usage(format!("`{}` is called `{}` now: its renaming was cut off, and is finished", self.from, self.to))
            .hint(format!("oauthctl status {}", pasted(&self.to)))
    }
}
