//! TOML with the place of every key, and a strict reader over it.
//!
//! `toml_edit` forgets where a key stood as soon as a table is changed, and a provider is read from several files laid over
//! each other. This tree keeps file and line with each value through every merge, so that whatever is wrong is said with the
//! line the person has to mend. The reader knows a key only by having been asked for it: what nobody asked for is unknown,
//! and the nearest of those asked for is what was meant.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use toml_edit::{Document, Item, TableLike};

use crate::text::{nearest, repeated, safe};

/// Where something stands: a file as the person knows it (`config.toml`, `providers/x.toml`), and a line from 1.
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

/// What is wrong with a TOML file. No message repeats a value that may be a secret.
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
    /// Another user could have written it, or has; and what to do.
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

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub at: Place,
    pub value: Value,
}

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
    /// The table that it is; `key` is its full name.
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

pub type Table = BTreeMap<String, Entry>;

/// Reads a whole file. `file` is the name shown in errors.
pub fn parse(file: &str, text: &str) -> Result<Table, ReadError> {
    let file: Arc<str> = file.into();
    let lines = Lines::of(text);
    let document = Document::parse(text).map_err(|e| ReadError::Syntax {
        at: Place { file: file.clone(), line: lines.line(e.span().map_or(0, |s| s.start)) },
        why: safe(e.message()),
    })?;
    Ok(Converter { file, lines }.table(document.as_table()))
}

struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        Lines(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|&end| end < offset) + 1
    }
}

struct Converter {
    file: Arc<str>,
    lines: Lines,
}

impl Converter {
    fn place(&self, offset: usize) -> Place {
        Place { file: self.file.clone(), line: self.lines.line(offset) }
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
            Item::ArrayOfTables(tables) => Value::List(
                tables
                    .iter()
                    .map(|t| {
                        let at = self.place(t.span().map_or(offset, |s| s.start));
                        Entry { at, value: Value::Table(self.table(t)) }
                    })
                    .collect(),
            ),
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
            toml_edit::Value::Array(list) => Value::List(
                list.iter()
                    .map(|v| {
                        let offset = v.span().map_or(offset, |s| s.start);
                        Entry { at: self.place(offset), value: self.value(v, offset) }
                    })
                    .collect(),
            ),
            toml_edit::Value::InlineTable(table) => Value::Table(self.table(table)),
        }
    }
}

/// Lays `over` upon `base`: tables grow together, everything else is replaced.
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

/// Reads one table, key by key; [`Reader::finish`] refuses what nobody asked for.
pub struct Reader<'a> {
    table: Option<&'a Table>,
    /// Dotted, with a dot at its end, or empty at the top.
    path: String,
    asked: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    pub fn new(table: &'a Table) -> Reader<'a> {
        Reader { table: Some(table), path: String::new(), asked: Vec::new() }
    }

    /// A table met under a name that the schema doesn't fix (`profiles.NAME`).
    pub fn of_entry(path: &str, entry: &'a Entry) -> Result<Reader<'a>, ReadError> {
        Ok(Reader { table: Some(entry.table(path)?), path: format!("{path}."), asked: Vec::new() })
    }

    /// The full name of one of this table's keys.
    pub fn key(&self, key: &str) -> String {
        safe(&format!("{}{key}", self.path))
    }

    pub fn get(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.asked.push(key);
        self.table?.get(key)
    }

    /// Whether the table stands in the file at all.
    pub fn is_there(&self) -> bool {
        self.table.is_some()
    }

    fn wrong<T>(&self, key: &str, entry: &Entry, wanted: &'static str) -> Result<T, ReadError> {
        Err(ReadError::WrongType { key: self.key(key), at: entry.at.clone(), wanted, found: entry.value.kind() })
    }

    pub fn refuse<T>(&self, key: &str, entry: &Entry, why: impl Into<String>) -> Result<T, ReadError> {
        Err(ReadError::Refused { key: self.key(key), at: entry.at.clone(), why: why.into() })
    }

    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::Text(text), .. }) => Ok(Some(text.clone())),
            Some(entry) => self.wrong(key, entry, "a text"),
        }
    }

    pub fn flag(&mut self, key: &'static str) -> Result<Option<bool>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::Boolean(flag), .. }) => Ok(Some(*flag)),
            Some(entry) => self.wrong(key, entry, "true or false"),
        }
    }

    /// A whole number within `range`.
    pub fn number<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<T>, ReadError> {
        let Some(entry) = self.get(key) else { return Ok(None) };
        self.number_of(key, entry, range).map(Some)
    }

    fn number_of<T: TryFrom<i64>>(
        &self,
        key: &str,
        entry: &Entry,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<T, ReadError> {
        let Value::Integer(number) = entry.value else { return self.wrong(key, entry, "an integer") };
        match T::try_from(number) {
            Ok(value) if range.contains(&number) => Ok(value),
            _ => self.refuse(key, entry, format!("must be from {} to {}", range.start(), range.end())),
        }
    }

    pub fn numbers<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<Vec<T>>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::List(list), .. }) => {
                list.iter().map(|e| self.number_of(key, e, range.clone())).collect::<Result<_, _>>().map(Some)
            }
            Some(entry) => self.wrong(key, entry, "a list of integers"),
        }
    }

    pub fn list(&mut self, key: &'static str) -> Result<Option<Vec<String>>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::List(list), .. }) => list
                .iter()
                .map(|e| match &e.value {
                    Value::Text(text) => Ok(text.clone()),
                    _ => self.wrong(key, e, "a list of texts"),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(entry) => self.wrong(key, entry, "a list of texts"),
        }
    }

    /// A table whose keys are free and whose values are texts.
    pub fn texts(&mut self, key: &'static str) -> Result<Option<BTreeMap<String, String>>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::Table(table), .. }) => table
                .iter()
                .map(|(name, e)| match &e.value {
                    Value::Text(text) => Ok((name.clone(), text.clone())),
                    _ => self.wrong(&format!("{key}.{name}"), e, "a text"),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(entry) => self.wrong(key, entry, "a table of texts"),
        }
    }

    /// One of a closed list. `_` and `-` are taken for the same.
    pub fn choice<T: Copy>(&mut self, key: &'static str, known: &[(&'static str, T)]) -> Result<Option<T>, ReadError> {
        let Some(entry) = self.get(key) else { return Ok(None) };
        self.choice_of(key, entry, known).map(Some)
    }

    pub fn choices<T: Copy>(
        &mut self,
        key: &'static str,
        known: &[(&'static str, T)],
    ) -> Result<Option<Vec<T>>, ReadError> {
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::List(list), .. }) => {
                list.iter().map(|e| self.choice_of(key, e, known)).collect::<Result<_, _>>().map(Some)
            }
            Some(entry) => self.wrong(key, entry, "a list of texts"),
        }
    }

    fn choice_of<T: Copy>(&self, key: &str, entry: &Entry, known: &[(&'static str, T)]) -> Result<T, ReadError> {
        let Value::Text(text) = &entry.value else { return self.wrong(key, entry, "a text") };
        if let Some((_, value)) = known.iter().find(|(name, _)| same_word(name, text)) {
            return Ok(*value);
        }
        Err(ReadError::WrongChoice {
            key: self.key(key),
            at: entry.at.clone(),
            value: safe(text),
            known: known.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            nearest: nearest(text, known.iter().map(|(name, _)| *name)).map(str::to_owned),
        })
    }

    /// A table of the schema; one that isn't there reads as empty.
    pub fn section(&mut self, key: &'static str) -> Result<Reader<'a>, ReadError> {
        let path = format!("{}{key}", self.path);
        match self.get(key) {
            None => Ok(Reader { table: None, path: format!("{path}."), asked: Vec::new() }),
            Some(entry) => Reader::of_entry(&path, entry),
        }
    }

    /// The entries of a table whose keys are free.
    pub fn entries(&mut self, key: &'static str) -> Result<Vec<(&'a str, &'a Entry)>, ReadError> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Entry { value: Value::Table(table), .. }) => Ok(table.iter().map(|(n, e)| (n.as_str(), e)).collect()),
            Some(entry) => self.wrong(key, entry, "a table"),
        }
    }

    /// A list of tables.
    pub fn tables(&mut self, key: &'static str) -> Result<Option<Vec<(Reader<'a>, &'a Entry)>>, ReadError> {
        let path = format!("{}{key}", self.path);
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::List(list), .. }) => {
                list.iter().map(|e| Ok((Reader::of_entry(&path, e)?, e))).collect::<Result<_, _>>().map(Some)
            }
            Some(entry) => self.wrong(key, entry, "a list of tables"),
        }
    }

    /// Refuses the keys that nobody asked for.
    pub fn finish(self) -> Result<(), ReadError> {
        self.refuse_unknown()
    }

    /// The same, before what has been read is judged: a key that seems to be missing may be there misspelt.
    pub fn refuse_unknown(&self) -> Result<(), ReadError> {
        let Some(table) = self.table else { return Ok(()) };
        // the first in the file, not in the alphabet
        let unknown = table.iter().filter(|(k, _)| !self.asked.contains(&k.as_str())).min_by_key(|(_, e)| e.at.line);
        let Some((key, entry)) = unknown else { return Ok(()) };
        Err(ReadError::UnknownKey {
            key: self.key(key),
            at: entry.at.clone(),
            nearest: nearest(key, self.asked.iter().copied()).map(|n| self.key(n)),
        })
    }
}

pub(super) fn same_word(a: &str, b: &str) -> bool {
    let fold = |c: u8| if c == b'-' { b'_' } else { c };
    a.bytes().map(fold).eq(b.bytes().map(fold))
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
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
        let table = parse("x.toml", "[token]\nparam-in = \"form\"\n").unwrap();
        let mut top = Reader::new(&table);
        let mut token = top.section("token").unwrap();
        assert_eq!(token.text("params-in").unwrap(), None);
        let error = token.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown key `token.param-in` in x.toml, line 2; did you mean `token.params-in`?"
        );
    }

    #[test]
    fn wrong_types_are_told_without_the_value() {
        let table = parse("x.toml", "a = \"hunter2\"\nb = 70000\nc = [1, \"x\"]\nd = { e = true }").unwrap();
        let mut r = Reader::new(&table);
        assert_eq!(r.flag("a").unwrap_err().to_string(), "`a` in x.toml, line 1 must be true or false, not a text");
        assert_eq!(
            r.number::<u16>("b", 1..=65535).unwrap_err().to_string(),
            "`b` in x.toml, line 2 must be from 1 to 65535"
        );
        assert_eq!(
            r.list("c").unwrap_err().to_string(),
            "`c` in x.toml, line 3 must be a list of texts, not an integer"
        );
        assert_eq!(r.texts("d").unwrap_err().to_string(), "`d.e` in x.toml, line 4 must be a text, not true or false");
    }

    #[test]
    fn broken_toml_is_told_with_its_line() {
        let error = parse("x.toml", "a = 1\nb = = 2\n").unwrap_err();
        assert!(error.to_string().starts_with("x.toml, line 2 is not TOML: "), "{error}");
    }
}
