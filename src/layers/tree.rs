//! TOML with the place of every key.
//!
//! `toml_edit` forgets the place of a key once its table changes, and a provider is several files
//! laid over each other. This tree keeps each value's file and line through every merge, so that an
//! error names the line to fix. [`super::de`] reads it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use toml_edit::{Document, Item, TableLike};

use crate::text::{repeated, safe};

/// A place: a file by its name for the user (`config.toml`, `providers/x.toml`), and a line from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: Arc<str>,
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

/// A fault in a TOML file. No message repeats a value that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("{at} is not TOML: {why}")]
    Syntax { at: Place, why: String },
    #[error("unknown key `{key}` in {at}{}", meant(.nearest))]
    UnknownKey { key: String, at: Place, nearest: Option<String> },
    #[error("`{key}` in {at} must be {wanted}, not {found}")]
    WrongType { key: String, at: Place, wanted: &'static str, found: &'static str },
    #[error("`{key}` in {at} can't be `{value}`; it is one of {known}{}", meant(.nearest))]
    WrongChoice { key: String, at: Place, value: String, known: String, nearest: Option<String> },
    #[error("`{key}` in {at} {why}")]
    Refused { key: String, at: Place, why: String },
    #[error("{file} has no `{key}`")]
    Missing { file: String, key: String },
    #[error("{file} can't be read: {why}")]
    Unreadable { file: String, why: String },
    /// Another user wrote the file or could have; and what to do.
    #[error("`{path}` {why}, so what the configuration says can't be trusted")]
    Untrusted { path: String, why: String, mend: String },
    #[error("there is no provider `{}`{}", repeated(.name), meant(.nearest))]
    UnknownProvider { name: String, nearest: Option<String> },
    #[error("the provider `{provider}` has no environment `{name}`{}", meant(.nearest))]
    UnknownEnvironment { provider: String, name: String, known: Vec<String>, nearest: Option<String> },
    #[error("`extends` goes round in a circle: {}", .0.join(" extends "))]
    Circle(Vec<String>),
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub at: Place,
    pub value: Value,
}

/// A value of TOML.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Date,
    List(Vec<Entry>),
    Table(Table),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a decimal number",
            Value::Boolean(_) => "true or false",
            Value::Date => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

impl Entry {
    /// The entry as a table; `key` is its full name.
    pub fn table(&self, key: &str) -> Result<&Table, ReadError> {
        match &self.value {
            Value::Table(table) => Ok(table),
            other => {
                let (key, at) = (safe(key), self.at.clone());
                Err(ReadError::WrongType { key, at, wanted: "a table", found: other.kind() })
            }
        }
    }
}

/// Keys and their entries.
pub type Table = BTreeMap<String, Entry>;

/// Reads a whole file. `file` is its name in errors.
pub fn parse(file: &str, text: &str) -> Result<Table, ReadError> {
    let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
    let converter = Converter { file: file.into(), line_ends };
    let document = Document::parse(text).map_err(|e| ReadError::Syntax {
        at: converter.place(e.span().map_or(0, |s| s.start)),
        why: safe(e.message()),
    })?;
    Ok(converter.table(document.as_table()))
}

struct Converter {
    file: Arc<str>,
    line_ends: Vec<usize>,
}

impl Converter {
    fn place(&self, offset: usize) -> Place {
        Place { file: self.file.clone(), line: self.line_ends.partition_point(|&end| end < offset) + 1 }
    }

    fn table(&self, table: &dyn TableLike) -> Table {
        let mut out = Table::new();
        for (name, item) in table.iter() {
            let offset = table.key(name).and_then(|k| k.span()).or_else(|| item.span()).map_or(0, |s| s.start);
            out.insert(name.to_owned(), self.entry(item, offset));
        }
        out
    }

    fn entry(&self, item: &Item, offset: usize) -> Entry {
        let value = match item {
            Item::None => Value::Table(Table::new()),
            Item::Table(table) => Value::Table(self.table(table)),
            Item::ArrayOfTables(tables) => {
                let entry = |t: &toml_edit::Table| Entry {
                    at: self.place(t.span().map_or(offset, |s| s.start)),
                    value: Value::Table(self.table(t)),
                };
                Value::List(tables.iter().map(entry).collect())
            }
            Item::Value(value) => self.value(value, offset),
        };
        Entry { at: self.place(offset), value }
    }

    fn value(&self, value: &toml_edit::Value, offset: usize) -> Value {
        match value {
            toml_edit::Value::String(text) => Value::Text(text.value().clone()),
            toml_edit::Value::Integer(n) => Value::Integer(*n.value()),
            toml_edit::Value::Float(n) => Value::Float(*n.value()),
            toml_edit::Value::Boolean(b) => Value::Boolean(*b.value()),
            toml_edit::Value::Datetime(_) => Value::Date,
            toml_edit::Value::Array(list) => {
                let entry = |v: &toml_edit::Value| {
                    let offset = v.span().map_or(offset, |s| s.start);
                    Entry { at: self.place(offset), value: self.value(v, offset) }
                };
                Value::List(list.iter().map(entry).collect())
            }
            toml_edit::Value::InlineTable(table) => Value::Table(self.table(table)),
        }
    }
}

/// Lays `over` upon `base`: tables are merged, other values replaced.
pub fn lay_over(base: &mut Table, over: Table) {
    for (key, entry) in over {
        if let Some(Entry { value: Value::Table(below), .. }) = base.get_mut(&key)
            && let Value::Table(above) = entry.value
        {
            lay_over(below, above);
            continue;
        }
        base.insert(key, entry);
    }
}

pub(super) fn same_word(a: &str, b: &str) -> bool {
    let fold = |c: u8| if c == b'-' { b'_' } else { c };
    a.bytes().map(fold).eq(b.bytes().map(fold))
}

/// The error for one entry.
pub fn refused<T>(key: &str, entry: &Entry, why: &str) -> Result<T, ReadError> {
    Err(ReadError::Refused { key: safe(key), at: entry.at.clone(), why: why.to_owned() })
}

/// The error for the entry at a dotted key. A key filled in by default has its section's place.
pub fn refused_in<T>(table: &Table, key: &str, why: &str) -> Result<T, ReadError> {
    let entry = look_up(table, key).or_else(|| key.split_once('.').and_then(|(head, _)| table.get(head)));
    match entry.or(table.values().next()) {
        Some(entry) => refused(key, entry, why),
        None => Err(ReadError::Missing { file: "the provider".to_owned(), key: safe(key) }),
    }
}

/// The entry at a dotted key; `_` and `-` are the same.
pub fn look_up<'a>(table: &'a Table, dotted: &str) -> Option<&'a Entry> {
    let (head, rest) = dotted.split_once('.').map_or((dotted, None), |(h, r)| (h, Some(r)));
    let entry = table.get(head).or_else(|| table.get(&head.replace('_', "-")))?;
    match (rest, &entry.value) {
        (None, _) => Some(entry),
        (Some(rest), Value::Table(table)) => look_up(table, rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_keeps_its_file_and_line_through_a_merge() {
        let mut base = parse("base.toml", "a = 1\n[t]\nx = \"old\"\ny = 2\n").unwrap();
        let over = parse("over.toml", "\n\n[t]\nx = \"new\"\n").unwrap();
        lay_over(&mut base, over);
        let Value::Table(t) = &base["t"].value else { panic!("a table") };
        assert_eq!(t["x"].value, Value::Text("new".into()));
        assert_eq!(t["x"].at.to_string(), "over.toml, line 4");
        assert_eq!(t["y"].at.to_string(), "base.toml, line 4");
    }

    #[test]
    fn broken_toml_is_told_with_its_line() {
        let error = parse("x.toml", "a = 1\nb = = 2\n").unwrap_err();
        assert!(error.to_string().starts_with("x.toml, line 2 is not TOML: "), "{error}");
    }
}
