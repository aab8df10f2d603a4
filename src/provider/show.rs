//! A resolved provider as TOML, for `provider show` and to copy into a file. It has only the
//! differences from the RFCs' defaults, one dotted key per line. Reading it gives the same
//! provider, in each of its environments.

use std::collections::BTreeMap;

use toml_edit::{Key, Value};

use super::Provider;
use super::checks::BESIDE_TOKEN;
use super::resolve::{IDENTITY, complete};
use crate::layers::tree::{self, Entry, Table, look_up};
use crate::layers::{de, ser};

/// A longer line holds a list: each of its values gets its own line.
const LONG: usize = 100;

type Keys = Vec<(String, String)>;

fn laid_out(key: &str, value: String) -> String {
    match value.parse() {
        Ok(Value::Array(list)) if key.len() + value.len() > LONG => {
            let lines = list.iter().map(|item| format!("    {},\n", item.clone().decorated("", "")));
            format!("[\n{}]", lines.collect::<String>())
        }
        _ => value,
    }
}

impl Provider {
    /// The entry as a TOML file. `inside`: the provider in each environment, by name; a missing
    /// environment is written as one that changes nothing.
    pub fn to_toml(&self, inside: &BTreeMap<String, Provider>) -> String {
        let said = self.unusual();
        let mut out = self.keys();
        out.retain(|(key, _)| key == "id" || key == "aliases" && !self.aliases.is_empty());
        out.extend(said.iter().cloned());
        for name in &self.environments {
            let section = format!("environments.{}", Key::new(name));
            let changed = inside.get(name).map(|it| it.beyond(&said)).unwrap_or_default();
            if changed.is_empty() {
                out.push((section.clone(), "{}".to_owned()));
            }
            out.extend(changed.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
        }
        out.into_iter().map(|(key, value)| format!("{key} = {}\n", laid_out(&key, value))).collect()
    }

    /// The keys to lay over a file of the keys `base` to get this provider. A default is written if
    /// the base differs; other missing keys follow from the rest.
    fn beyond(&self, base: &Keys) -> Keys {
        let base: BTreeMap<&str, &str> = base.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let said = self.unusual();
        let mut all = self.keys();
        all.retain(|(key, _)| is_changeable(key));
        all.extend(
            said.iter().filter(|(key, _)| !all.iter().any(|(known, _)| known == key)).cloned().collect::<Keys>(),
        );
        let is_said = |key: &str| said.iter().any(|(known, _)| known == key);
        let differs = |key: &str, value: &str| base.get(key).map_or_else(|| is_said(key), |was| *was != value);
        all.retain(|(key, value)| differs(key, value));
        let parts = all.clone();
        all.retain(|(key, value)| value != "{}" || !parts.iter().any(|(part, _)| part != key && is_of(part, key)));
        all
    }

    /// The keys to lay over another provider to get this one, each with its value here and there.
    pub fn differences(&self, other: &Provider) -> Vec<(String, String, Option<String>)> {
        let there = other.keys();
        let value = |key: &str| there.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        let changed = self.beyond(&other.unusual()).into_iter().filter(|(key, mine)| value(key).as_ref() != Some(mine));
        changed.map(|(key, mine)| (key.clone(), mine, value(&key))).collect()
    }

    /// Every key with a value, in the order of the schema.
    fn keys(&self) -> Keys {
        ser::keys(self).into_iter().map(|(key, value)| (key, value.to_string().trim().to_owned())).collect()
    }

    /// The keys that a file must have to keep its meaning. A table of free keys counts as one.
    fn unusual(&self) -> Keys {
        let keys = self.keys();
        let lines: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let all = tree::parse(&self.id, &lines).expect("a provider is written as TOML");
        let read =
            |table: &Table| de::read::<Provider>(table, &self.id).expect("what was read once is read again").keys();

        // first the sections alone, then with the values that set others' defaults
        let mut table: Table =
            all.iter().filter_map(|(key, entry)| Some((key.clone(), emptied(key, entry)?))).collect();
        let blank = read(&table);
        let free: Vec<&String> = blank.iter().filter(|(_, value)| value == "{}").map(|(key, _)| key).collect();
        table.insert("token".to_owned(), all["token"].clone());
        if let Some(place) = look_up(&all, "api.auth.in") {
            let below = |key: &str, entry: Entry| {
                let at = entry.at.clone();
                Entry { at, value: tree::Value::Table([(key.to_owned(), entry)].into()) }
            };
            table.insert("api".to_owned(), below("auth", below("in", place.clone())));
        }
        complete(&mut table, &self.id);
        let usual = read(&table);

        let whole = |key: &'_ str| free.iter().find(|free| is_of(key, free)).map(|free| free.as_str());
        let group = |keys: &Keys, (key, value): &(String, String)| match whole(key) {
            Some(free) => keys.iter().filter(|(key, _)| is_of(key, free)).cloned().collect(),
            None => vec![(key.clone(), value.clone())],
        };
        let is_usual = |it: &(String, String)| {
            let usual = if is_of(&it.0, "token") || it.0 == "api.auth.in" { &blank } else { &usual };
            match whole(&it.0) {
                Some(_) => group(&keys, it) == group(usual, it),
                None => usual.contains(it),
            }
        };
        let mut out: Keys = keys.iter().filter(|it| is_changeable(&it.0) && !is_usual(it)).cloned().collect();
        let vars = self.vars.keys().map(|name| format!("vars.{}", Key::new(name)));
        let optional = BESIDE_TOKEN.into_iter().filter(|key| all.contains_key(*key));
        for section in optional.map(str::to_owned).chain(vars) {
            if !out.iter().any(|(key, _)| is_of(key, &section)) {
                out.push((section, "{}".to_owned()));
            }
        }
        out
    }
}

/// A section without its keys; each variable is a section.
fn emptied(key: &str, entry: &Entry) -> Option<Entry> {
    let tree::Value::Table(table) = &entry.value else { return None };
    let inner =
        table.iter().filter(|_| key == "vars").filter_map(|(name, entry)| Some((name.clone(), emptied("", entry)?)));
    Some(Entry { at: entry.at.clone(), value: tree::Value::Table(inner.collect()) })
}

fn is_changeable(key: &str) -> bool {
    !IDENTITY.contains(&key)
}

/// Whether a key is `whole` or below it.
fn is_of(key: &str, whole: &str) -> bool {
    key.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
