//! Changes to `config.toml` by commands. The file is the person's: comments and order survive, a
//! broken file is never written over, a link stays a link. Whoever edits holds the lock beside the
//! file, so that two edits at once lose nothing; whoever reads sees the old file or the new one.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::profile::{Key, all_profile_keys, is_secret};
use super::words::Word;
use super::{Config, ConfigError, FILE, Profile, check_profile_name, file, no_profile, read};
use crate::layers::de;
use crate::layers::tree::{self, ReadError};
use crate::store::StoreKind;
use crate::text::{nearest, safe};
use crate::world::files::{self, PrivateError};

/// Locked while the file is changed; stays, since removing a lock file lets two in.
const LOCK_FILE: &str = "config.toml.lock";

/// No edit takes longer than a moment: whoever holds the lock for so long is stuck.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

const TOP_KEYS: [&str; 3] = ["default-profile", "store", "cache"];

/// Edits `config.toml` in place: comments and order survive, the file is replaced whole, two edits
/// at once don't lose one. Nothing is written when `change` fails, or when what it made is no valid
/// configuration.
pub fn edit<T>(dir: &Path, change: impl FnOnce(&mut Editor) -> Result<T, ConfigError>) -> Result<T, ConfigError> {
    match dir.exists() {
        true => file::check_folder(dir)?,
        false => {
            files::make_folder(dir).map_err(|e| ConfigError::of_disk(dir, "made", &e))?;
        }
    }
    let _lock = lock(&dir.join(LOCK_FILE))?;
    let path = files::linked(&dir.join(FILE))
        .ok_or_else(|| ConfigError::new(format!("{FILE} is a link that leads back to itself")))?;
    let before = super::text(dir)?.unwrap_or_default();
    // for the error: it tells the line
    tree::parse(FILE, &before)?;
    let document: DocumentMut = before.parse().map_err(|_| ConfigError::new(format!("{FILE} is not TOML")))?;
    let mut editor = Editor { document };
    let out = change(&mut editor)?;
    let after = editor.document.to_string();
    if after != before {
        read::config(dir, &after)
            .map_err(|e| ConfigError { message: format!("nothing was changed: {}", e.message), hint: e.hint })?;
        files::replace_shared(&path, after.as_bytes()).map_err(|e| match e {
            PrivateError::Io { source, .. } => ConfigError::of_disk(&path, "written", &source),
            e => ConfigError::of_disk(&path, "written", &e),
        })?;
    }
    Ok(out)
}

/// What [`edit`] offers.
pub struct Editor {
    document: DocumentMut,
}

impl Editor {
    /// Whether there is such a profile.
    pub fn has(&self, profile: &str) -> bool {
        self.profiles().is_some_and(|p| p.contains_key(profile))
    }

    /// Names of the profiles, in the file's order.
    pub fn names(&self) -> Vec<String> {
        self.profiles().map(|p| p.iter().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default()
    }

    /// Sets one key (`client-id`, `vars.domain`, `client-secret.file`, …) of a profile, made if it
    /// isn't there. The value is parsed by the key's type: lists are words with blanks between, or
    /// written as TOML does (`["a", "b"]`).
    pub fn set(&mut self, profile: &str, key: &str, value: &str) -> Result<(), ConfigError> {
        check_profile_name(profile)?;
        let value = profile_value(key, value)?;
        self.put(profile, key.split_once('.').map_or((key, None), |(key, name)| (key, Some(name))), value)
    }

    /// Sets keys as [`Profile::changes`] names them.
    pub fn set_all(&mut self, profile: &str, changes: Vec<(String, Value)>) -> Result<(), ConfigError> {
        for (key, value) in changes {
            let path = toml_edit::Key::parse(&key).unwrap_or_default();
            if let [key, name @ ..] = &path[..] {
                self.put(profile, (key.get(), name.first().map(toml_edit::Key::get)), value)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, profile: &str, (key, name): (&str, Option<&str>), value: Value) -> Result<(), ConfigError> {
        let root = self.document.as_table_mut() as &mut dyn TableLike;
        let profiles = child(root, "profiles", Shape::Hidden)?;
        let table = child(profiles, profile, Shape::Section)?;
        match name {
            None => put(table, key, value),
            Some(name) if is_secret(key) => {
                // one source replaces another, and a section of its own makes room
                if table.get(key).is_some_and(|old| old.is_table()) {
                    table.remove(key);
                }
                let mut source = InlineTable::new();
                source.insert(name, value);
                put(table, key, source.into());
            }
            Some(name) => put(child(table, key, Shape::Section)?, name, value),
        }
        Ok(())
    }

    /// Whether the key was there. A whole table goes by its name (`vars`, `client-secret`).
    pub fn unset(&mut self, profile: &str, key: &str) -> Result<bool, ConfigError> {
        let Some(table) = self.profile_mut(profile) else { return Err(no_profile(profile)) };
        if table.contains_key(key) {
            return Ok(table.remove(key).is_some());
        }
        if let Some((section, name)) = key.split_once('.')
            && let Some(inner) = table.get_mut(section).and_then(Item::as_table_like_mut)
        {
            let removed = inner.remove(name).is_some();
            if removed && inner.is_empty() {
                table.remove(section);
            }
            return Ok(removed);
        }
        // not there: well and good if there could be one
        known_profile_key(key).map(|()| false)
    }

    /// Whether the profile was there. `default-profile` goes with the profile it names.
    pub fn remove(&mut self, profile: &str) -> Result<bool, ConfigError> {
        let Some(profiles) = self.profiles_mut() else { return Ok(false) };
        let removed = profiles.remove(profile).is_some();
        if removed && self.default_profile() == Some(profile) {
            self.document.remove("default-profile");
        }
        Ok(removed)
    }

    /// Whether a profile can have this name.
    pub fn vacant(&self, name: &str) -> Result<(), ConfigError> {
        match self.has(name) {
            true => Err(ConfigError::new(format!("there is a profile `{}` already", safe(name)))),
            false => Ok(()),
        }
    }

    /// Keeps the profile's place in the file and its comments; `default-profile` follows, and each
    /// `subject-profile` that names it.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), ConfigError> {
        check_profile_name(to)?;
        if !self.has(from) {
            return Err(no_profile(from));
        }
        if from == to {
            return Ok(());
        }
        self.vacant(to)?;
        if let Some(profiles) = self.profiles_mut()
            && let Some(item) = profiles.remove(from)
        {
            profiles.insert(to, item);
            for (_, other) in profiles.iter_mut() {
                if let Some(table) = other.as_table_like_mut()
                    && table.get("subject-profile").and_then(Item::as_str) == Some(from)
                {
                    put(table, "subject-profile", to.into());
                }
            }
        }
        if self.default_profile() == Some(from) {
            self.set_top("default-profile", to)?;
        }
        Ok(())
    }

    /// A top-level key: `default-profile`, `store`, `cache`.
    pub fn set_top(&mut self, key: &str, value: &str) -> Result<(), ConfigError> {
        let value: Value = match key {
            "default-profile" => {
                check_profile_name(value)?;
                value.into()
            }
            "store" => StoreKind::read(value).map_err(|why| ConfigError::new(format!("`store` {why}")))?.name().into(),
            "cache" => match value {
                "true" => true.into(),
                "false" => false.into(),
                _ => return Err(ConfigError::new("`cache` must be `true` or `false`")),
            },
            _ => return Err(unknown_key(key, &TOP_KEYS)),
        };
        put(self.document.as_table_mut(), key, value);
        Ok(())
    }

    /// Whether the top-level key was there.
    pub fn unset_top(&mut self, key: &str) -> Result<bool, ConfigError> {
        if !TOP_KEYS.contains(&key) {
            return Err(unknown_key(key, &TOP_KEYS));
        }
        Ok(self.document.remove(key).is_some())
    }

    /// The configuration as it would be read after the changes so far.
    pub fn config(&self, dir: &Path) -> Result<Config, ConfigError> {
        read::config(dir, &self.document.to_string())
    }

    fn default_profile(&self) -> Option<&str> {
        self.document.get("default-profile").and_then(Item::as_str)
    }

    fn profiles(&self) -> Option<&dyn TableLike> {
        self.document.get("profiles").and_then(Item::as_table_like)
    }

    fn profiles_mut(&mut self) -> Option<&mut dyn TableLike> {
        self.document.get_mut("profiles").and_then(Item::as_table_like_mut)
    }

    fn profile_mut(&mut self, name: &str) -> Option<&mut dyn TableLike> {
        self.profiles_mut()?.get_mut(name)?.as_table_like_mut()
    }
}

fn unknown_key(key: &str, known: &[&str]) -> ConfigError {
    let meant = nearest(key, known.iter().copied()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    let hint = format!("the keys are {}", known.join(", "));
    ConfigError::with_hint(format!("unknown key `{}`{meant}", safe(key)), hint)
}

fn known_profile_key(key: &str) -> Result<(), ConfigError> {
    let is_part = |part: &str, given: &str| part == given || (part == ".NAME" && given.len() > 1);
    let known = Profile::keys().iter().any(|known| match key.strip_prefix(known.name.as_str()) {
        Some("") => true,
        Some(rest) => rest.starts_with('.') && known.parts.iter().any(|part| is_part(part, rest)),
        None => false,
    });
    if known {
        return Ok(());
    }
    let known = profile_keys();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    // fifty names help nobody who has the right one already
    let hint = nearest(key, known.iter().copied()).is_none().then(all_profile_keys);
    Err(ConfigError { hint, ..unknown_key(key, &known) })
}

/// Every key of a profile, as [`Editor::set`] takes them; `NAME` in one stands for any.
pub fn profile_keys() -> Vec<String> {
    let whole = |key: Key| match key.parts {
        [] => vec![key.name],
        parts => parts.iter().map(|part| format!("{}{part}", key.name)).collect(),
    };
    Profile::keys().into_iter().flat_map(whole).collect()
}

/// A value as a command writes it: of what the text can mean in TOML, what the key takes.
fn profile_value(key: &str, text: &str) -> Result<Value, ConfigError> {
    known_profile_key(key)?;
    let path = match key.split_once('.') {
        Some((section, name)) => format!("{section}.{}", toml_edit::Key::new(name)),
        None => key.to_owned(),
    };
    let list = list(key, text);
    let meanings = [
        Some(Value::from(text)),
        text.parse::<bool>().ok().map(Value::from),
        text.parse::<i64>().ok().map(Value::from),
        list.clone().ok().map(Value::from),
    ];
    let mut refused = None;
    for meaning in meanings.into_iter().flatten() {
        let table = tree::parse(FILE, &format!("{path} = {meaning}"))?;
        match de::read::<Profile>(&table, FILE) {
            // as the key's type writes it: `device` is `device-code`
            Ok(profile) => return Ok(profile.values().pop().map_or(meaning, |(_, value)| value)),
            Err(fault @ ReadError::WrongType { .. }) => refused = refused.or(Some(fault)),
            Err(fault) => refused = Some(fault),
        }
    }
    Err(match refused {
        Some(ReadError::WrongType { wanted: "a table", .. }) => ConfigError::with_hint(
            format!("`{key}` is a secret, which never stands in the configuration"),
            format!("set `{key}.command`, `{key}.file` or `{key}.env`{}", read::or_at_login(key)),
        ),
        Some(ReadError::WrongType { wanted: "a table of texts", .. }) => {
            ConfigError::new(format!("`{key}` is a table: set `{key}.NAME`"))
        }
        Some(ReadError::WrongType { wanted: "a list of texts", .. }) if list.is_err() => return list.map(Value::from),
        Some(ReadError::WrongType { wanted, .. }) => ConfigError::new(format!("`{key}` must be {wanted}")),
        Some(ReadError::Refused { why, .. }) => ConfigError::of_lines(format!("`{key}` {why}")),
        other => other.map_or_else(|| unknown_key(key, &[]), ConfigError::from),
    })
}

fn list(key: &str, value: &str) -> Result<Array, ConfigError> {
    if !value.trim_start().starts_with('[') {
        return Ok(value.split_whitespace().collect());
    }
    match value.trim().parse::<Value>() {
        Ok(Value::Array(array)) if array.iter().all(Value::is_str) => Ok(array),
        _ => Err(ConfigError::new(format!("`{key}` must be words, or a list as TOML writes it: [\"a\", \"b\"]"))),
    }
}

#[derive(Clone, Copy)]
enum Shape {
    /// With a header of its own.
    Section,
    /// Without: only what is in it shows.
    Hidden,
}

/// The table below `parent`, made if it isn't there, in the manner of its parent.
fn child<'a>(parent: &'a mut dyn TableLike, key: &str, shape: Shape) -> Result<&'a mut dyn TableLike, ConfigError> {
    if !parent.contains_key(key) {
        let mut table = Table::new();
        table.set_implicit(matches!(shape, Shape::Hidden));
        // an inline table turns it into one of its own kind
        parent.insert(key, Item::Table(table));
    }
    parent
        .get_mut(key)
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| ConfigError::new(format!("`{}` in {FILE} is no table", safe(key))))
}

/// Sets a value and keeps the comments above and behind the old one.
fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    let Some(item) = table.get_mut(key) else {
        table.insert(key, Item::Value(value));
        return;
    };
    if let Some(old) = item.as_value() {
        *value.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(value);
}

/// Held until it is dropped.
fn lock(path: &Path) -> Result<File, ConfigError> {
    let failed = |e: std::io::Error| ConfigError::of_disk(path, "locked", &e);
    // a link is followed: the person may keep the whole folder elsewhere
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    match files::lock_within(&file, LOCK_PATIENCE, std::thread::sleep).map_err(failed)? {
        true => Ok(file),
        false => Err(ConfigError::with_hint(
            format!("another process has been changing {FILE} for {} seconds", LOCK_PATIENCE.as_secs()),
            "end it, or wait for it, and try again",
        )),
    }
}
