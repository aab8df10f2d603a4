//! Changes to `config.toml` by commands. The file is the user's: comments and order survive, a
//! broken file is never written over, a link stays a link. An edit holds the lock beside the file,
//! so that two edits at once lose nothing. A reader sees the old file or the new one.

use std::fs::{File, OpenOptions};
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml_edit::{Array, Decor, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value};

use super::profile::{Key, all_profile_keys, is_secret};
use super::{Config, ConfigError, FILE, Profile, check_profile_name, file, no_profile, read};
use crate::layers::de;
use crate::layers::tree::{self, ReadError};
use crate::text::{nearest, safe};
use crate::world::files::{self, PrivateError};

/// Locked while the file is changed. It is never removed: that would let two processes in.
const LOCK_FILE: &str = "config.toml.lock";

/// An edit takes a moment: a process that holds the lock for longer is stuck.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Edits `config.toml`. Nothing is written if `change` fails or the result is not valid.
pub fn edit<T>(dir: &Path, change: impl FnOnce(&mut Editor) -> Result<T, ConfigError>) -> Result<T, ConfigError> {
    if dir.exists() {
        file::check_folder(dir)?;
    } else {
        files::make_folder(dir).map_err(|e| ConfigError::of_disk(dir, "made", &e))?;
    }
    let _lock = lock(&dir.join(LOCK_FILE))?;
    let path = real_file(dir)?;
    let before = super::text(dir)?.unwrap_or_default();
    // its error names the line
    tree::parse(FILE, &before)?;
    let document: DocumentMut = before.parse().map_err(|_| ConfigError::new(format!("{FILE} is not TOML")))?;
    let mut editor = Editor { document };
    let out = change(&mut editor)?;
    let after = editor.document.to_string();
    if after != before {
        read::config(dir, &after)
            .map_err(|e| ConfigError { message: format!("nothing was changed: {}", e.message), hint: e.hint })?;
        files::replace_shared(&path, after.as_bytes()).map_err(|e| not_written(&path, e))?;
    }
    Ok(out)
}

/// Fails where [`edit`] would fail: before anything is done that can't be undone.
pub fn try_edit(dir: &Path) -> Result<(), ConfigError> {
    let length = edit(dir, |editor| Ok(editor.document.to_string().len()))?;
    let path = real_file(dir)?;
    files::try_replace(&path, length.max(1)).map_err(|e| not_written(&path, e))
}

/// The file that `config.toml` is, or that it links to.
fn real_file(dir: &Path) -> Result<PathBuf, ConfigError> {
    files::linked(&dir.join(FILE))
        .ok_or_else(|| ConfigError::new(format!("{FILE} is a link that leads back to itself")))
}

fn not_written(path: &Path, e: PrivateError) -> ConfigError {
    match e {
        PrivateError::Io { source, .. } => ConfigError::of_disk(path, "written", &source),
        e => ConfigError::of_disk(path, "written", &e),
    }
}

/// A profile as the file has it, for [`Editor::put_back`].
pub fn written(dir: &Path, profile: &str) -> Result<Option<Item>, ConfigError> {
    let text = super::text(dir)?.unwrap_or_default();
    let document: DocumentMut = text.parse().map_err(|_| ConfigError::new(format!("{FILE} is not TOML")))?;
    let profiles = document.get("profiles").and_then(Item::as_table_like);
    Ok(profiles.and_then(|all| all.get(profile)).cloned())
}

/// The lines of `config.toml` that such changes are, if there are any.
pub fn lines(profile: &str, changes: Vec<(String, Value)>) -> Option<String> {
    let mut editor = Editor { document: DocumentMut::new() };
    editor.set_all(profile, changes).ok()?;
    Some(editor.document.to_string()).filter(|text| !text.is_empty())
}

/// The changes that [`edit`] can make.
pub struct Editor {
    document: DocumentMut,
}

impl Editor {
    /// Sets one key (`client-id`, `vars.domain`, …) of a profile, and makes the profile if needed.
    /// A list is words with spaces between them, or a TOML list (`["a", "b"]`).
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
        let profiles = child(root, "profiles", true)?;
        let table = child(profiles, profile, false)?;
        match name {
            None => put(table, key, value),
            Some(name) if is_secret(key) => {
                // one source replaces another, even one in a section of its own
                if table.get(key).is_some_and(|old| old.is_table()) {
                    table.remove(key);
                }
                let mut source = InlineTable::new();
                source.insert(name, value);
                put(table, key, source.into());
            }
            Some(name) => put(child(table, key, false)?, name, value),
        }
        Ok(())
    }

    /// Removes a key or a whole table (`vars`, `client-secret`); `false`: it was not set.
    pub fn unset(&mut self, profile: &str, key: &str) -> Result<bool, ConfigError> {
        let table = self.profiles_mut().and_then(|all| all.get_mut(profile)?.as_table_like_mut());
        let table = table.ok_or_else(|| no_profile(profile))?;
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
        known_profile_key(key).map(|()| false)
    }

    /// Removes a profile, and the `default-profile` and the rules that name it; `false`: there was
    /// none. The comments above it stay, up to the last empty line: they are not its own.
    pub fn remove(&mut self, profile: &str) -> Result<bool, ConfigError> {
        let Some(Some(removed)) = self.profiles_mut().map(|profiles| profiles.remove(profile)) else {
            return Ok(false);
        };
        let mut others: Vec<_> = removed.as_table().and_then(comments_of_others).into_iter().collect();
        let other = |rule: &dyn TableLike| rule.get("profile").and_then(Item::as_str) != Some(profile);
        match self.document.get_mut("when") {
            Some(Item::ArrayOfTables(rules)) => {
                others.extend(rules.iter().filter(|rule| !other(*rule)).filter_map(comments_of_others));
                rules.retain(|rule| other(rule));
            }
            Some(Item::Value(Value::Array(rules))) => {
                rules.retain(|rule| rule.as_inline_table().is_none_or(|rule| other(rule)));
            }
            _ => {}
        }
        if self.default_profile() == Some(profile)
            && let Some((key, _)) = self.document.remove_entry("default-profile")
        {
            others.extend(of_others(key.leaf_decor()).map(|comments| (isize::MIN, comments)));
        }
        // the first one in the file goes on top of those that follow
        others.sort();
        for (position, comments) in others.into_iter().rev() {
            self.put_above(position, &comments);
        }
        Ok(true)
    }

    /// Puts comments above what stands behind this position.
    fn put_above(&mut self, position: isize, comments: &str) {
        let mut values = self.document.iter_mut().filter(|(_, item)| item.is_value() && position == isize::MIN);
        if let Some((mut key, _)) = values.next() {
            return put_before(key.leaf_decor_mut(), comments);
        }
        drop(values);
        let (mut next, mut put) = (None::<isize>, false);
        let mut below = |table: &mut Table| {
            let at = table.position().filter(|at| *at > position && has_header(table));
            next = at.into_iter().chain(next).min();
        };
        each_table(self.document.as_table_mut(), &mut below);
        each_table(self.document.as_table_mut(), &mut |table| {
            if next.is_some() && table.position() == next && has_header(table) && !put {
                put_before(table.decor_mut(), comments);
                put = true;
            }
        });
        if !put {
            let trailing = self.document.trailing().as_str().unwrap_or_default();
            self.document.set_trailing(format!("{comments}{trailing}"));
        }
    }

    /// Makes a profile what [`written`] said before.
    pub fn put_back(&mut self, profile: &str, written: Option<Item>) -> Result<(), ConfigError> {
        let profiles = child(self.document.as_table_mut(), "profiles", true)?;
        match written {
            Some(item) => profiles.insert(profile, item),
            None => profiles.remove(profile),
        };
        Ok(())
    }

    fn has(&self, profile: &str) -> bool {
        self.document.get("profiles").and_then(Item::as_table_like).is_some_and(|all| all.contains_key(profile))
    }

    /// Refuses a name that a profile has.
    pub fn vacant(&self, name: &str) -> Result<(), ConfigError> {
        match self.has(name) {
            true => Err(ConfigError::new(format!("there is a profile `{}` already", safe(name)))),
            false => Ok(()),
        }
    }

    /// Renames a profile and its references (`default-profile`, `subject-profile`, `when`);
    /// comments stay.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), ConfigError> {
        check_profile_name(to)?;
        if !self.has(from) {
            return Err(no_profile(from));
        }
        if from == to {
            return Err(ConfigError::new(format!("`{}` is its name already", safe(to))));
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
            self.set_default(to)?;
        }
        let rename = |rule: &mut dyn TableLike| {
            if rule.get("profile").and_then(Item::as_str) == Some(from) {
                put(rule, "profile", to.into());
            }
        };
        match self.document.get_mut("when") {
            Some(Item::ArrayOfTables(rules)) => rules.iter_mut().for_each(|rule| rename(rule)),
            Some(Item::Value(Value::Array(rules))) => {
                rules.iter_mut().filter_map(Value::as_inline_table_mut).for_each(|rule| rename(rule));
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes a profile the default.
    pub fn set_default(&mut self, profile: &str) -> Result<(), ConfigError> {
        check_profile_name(profile)?;
        put(self.document.as_table_mut(), "default-profile", profile.into());
        Ok(())
    }

    /// The configuration as it would be read after the changes so far.
    pub fn config(&self, dir: &Path) -> Result<Config, ConfigError> {
        read::config(dir, &self.document.to_string())
    }

    fn default_profile(&self) -> Option<&str> {
        self.document.get("default-profile").and_then(Item::as_str)
    }

    fn profiles_mut(&mut self) -> Option<&mut dyn TableLike> {
        self.document.get_mut("profiles").and_then(Item::as_table_like_mut)
    }
}

fn has_header(table: &Table) -> bool {
    !table.is_implicit() && !table.is_dotted()
}

fn each_table(parent: &mut Table, act: &mut impl FnMut(&mut Table)) {
    for (_, item) in parent.iter_mut() {
        let tables: Vec<&mut Table> = match item {
            Item::Table(table) => vec![table],
            Item::ArrayOfTables(tables) => tables.iter_mut().collect(),
            _ => Vec::new(),
        };
        for table in tables {
            act(table);
            each_table(table, act);
        }
    }
}

/// The comments above a table that are not its own, and where they are.
fn comments_of_others(table: &Table) -> Option<(isize, String)> {
    Some((table.position()?, of_others(table.decor())?))
}

/// The comments up to the last empty line.
fn of_others(above: &Decor) -> Option<String> {
    let lines: Vec<&str> = above.prefix()?.as_str()?.split_inclusive('\n').collect();
    let end = lines.iter().rposition(|line| line.trim().is_empty())?;
    let comments: String = lines[..=end].concat();
    comments.contains('#').then_some(comments)
}

fn put_before(above: &mut Decor, comments: &str) {
    let own = above.prefix().and_then(RawString::as_str).unwrap_or_default();
    // one empty line between them
    let own = own.strip_prefix("\r\n").or(own.strip_prefix('\n')).unwrap_or(own);
    above.set_prefix(format!("{comments}{own}"));
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
    // the nearest name is enough: the list has fifty
    let hint = nearest(key, known.iter().copied()).is_none().then(all_profile_keys);
    Err(ConfigError { hint, ..unknown_key(key, &known) })
}

/// Every key of a profile, as [`Editor::set`] takes them; `NAME` stands for any name.
pub fn profile_keys() -> Vec<String> {
    let whole = |key: Key| match key.parts {
        [] => vec![key.name],
        parts => parts.iter().map(|part| format!("{}{part}", key.name)).collect(),
    };
    Profile::keys().into_iter().flat_map(whole).collect()
}

/// The value that the text means: of the readings in TOML, the first that the key's type takes.
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
        text.parse::<Value>().ok().filter(Value::is_inline_table),
    ];
    let mut refused = None;
    for meaning in meanings.into_iter().flatten() {
        let table = tree::parse(FILE, &format!("{path} = {meaning}"))?;
        match de::read::<Profile>(&table, FILE) {
            // as the key's type writes it: `device` becomes `device-code`
            Ok(profile) => return Ok(profile.values().pop().map_or(meaning, |(_, value)| value)),
            // the text's own fault says more than that of another reading
            Err(fault @ ReadError::WrongType { .. }) => refused = refused.or(Some(fault)),
            Err(fault) => {
                refused = refused.filter(|first| !matches!(first, ReadError::WrongType { .. })).or(Some(fault))
            }
        }
    }
    Err(match refused {
        Some(ReadError::WrongType { wanted: "a table", .. }) => ConfigError::with_hint(
            format!("`{key}` is a secret, which never belongs in the configuration"),
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
    if !value.trim_start().starts_with('[') || starts_with_ipv6(value) {
        return Ok(value.split_whitespace().collect());
    }
    match value.trim().parse::<Value>() {
        Ok(Value::Array(array)) if array.iter().all(Value::is_str) => Ok(array),
        _ => Err(ConfigError::new(format!("`{key}` must be words, or a list as TOML writes it: [\"a\", \"b\"]"))),
    }
}

/// Whether a text begins with an address such as `[::1]`, which is no list.
fn starts_with_ipv6(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inner.is_some_and(|(inner, _)| inner.parse::<Ipv6Addr>().is_ok())
}

/// The table below `parent`, made if needed. A hidden one has no header of its own.
fn child<'a>(parent: &'a mut dyn TableLike, key: &str, hidden: bool) -> Result<&'a mut dyn TableLike, ConfigError> {
    if !parent.contains_key(key) {
        let mut table = Table::new();
        table.set_implicit(hidden);
        // an inline parent makes it an inline table
        parent.insert(key, Item::Table(table));
    }
    parent
        .get_mut(key)
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| ConfigError::new(format!("`{}` in {FILE} is no table", safe(key))))
}

/// Sets a value, and keeps the old value's comments.
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
    // a link is followed: the user may keep the folder elsewhere
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
