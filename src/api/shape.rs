//! Output formats: JSON (pretty and coloured on a screen, one value a line in a pipe), tables, CSV,
//! TSV, YAML, plain texts. On a screen no value can act on the terminal: control characters are
//! escaped as in JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::value::{Num, Val, array, text};
use super::{table, yaml};
use crate::text::{quoted, safe};

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Table,
    Csv,
    Tsv,
    Yaml,
}

/// Formats values one after the other.
pub struct Shape {
    pub format: Format,
    /// Prints texts without quotes.
    pub raw: bool,
    pub pretty: bool,
    pub color: bool,
    /// The width of the screen in columns.
    pub width: Option<usize>,
    /// Whether the values are elements of one list, though they arrive one by one.
    pub list: bool,
    /// Whether anything was printed.
    some: bool,
    /// The members that form columns, by the first batch of values.
    columns: Option<Vec<String>>,
    /// The index of the column for values without members.
    bare: Option<usize>,
    rows: Vec<Vec<String>>,
    /// Members that appeared after the columns were fixed.
    pub late: Vec<String>,
}

const MOST_COLUMNS: usize = 100;

impl Shape {
    /// Formats for a pipe: plain, without colours.
    pub fn new(format: Format) -> Shape {
        Shape {
            format,
            raw: false,
            pretty: false,
            color: false,
            width: None,
            list: false,
            some: false,
            columns: None,
            bare: None,
            rows: Vec::new(),
            late: Vec::new(),
        }
    }

    /// Returns the text for a batch of values.
    pub fn values(&mut self, values: &[Val]) -> String {
        let mut out = String::new();
        match self.format {
            Format::Json => {
                for value in values {
                    self.json(&mut out, &sound(value));
                    out.push('\n');
                }
            }
            Format::Yaml => {
                for value in values {
                    match (self.list, self.some) {
                        (true, _) => out.push_str("- "),
                        // each value is a document
                        (false, true) => out.push_str("---\n"),
                        (false, false) => {}
                    }
                    yaml::value(&mut out, &sound(value), usize::from(self.list));
                    self.some = true;
                }
            }
            Format::Table | Format::Csv | Format::Tsv => self.table(&mut out, values),
        }
        out
    }

    /// Returns the output that waited for the last value. `whole`: the list is complete.
    pub fn end(&mut self, whole: bool) -> String {
        if self.format == Format::Yaml && self.list && !self.some && whole {
            return "[]\n".to_owned();
        }
        if self.format != Format::Table {
            return String::new();
        }
        let columns = self.columns.take().unwrap_or_default();
        let mut rows = std::mem::take(&mut self.rows);
        if !columns.is_empty() {
            rows.insert(0, columns.iter().map(|c| safe(c).to_uppercase()).collect());
        }
        table::aligned(&rows, self.width)
    }

    fn json(&self, out: &mut String, value: &Val) {
        match value {
            Val::TStr(_) | Val::BStr(_) if self.raw => out.push_str(&text(value)),
            _ if self.pretty || self.color => self.pretty(out, value, 0),
            _ => {
                let _ = write!(out, "{value}");
            }
        }
    }

    fn pretty(&self, out: &mut String, value: &Val, depth: usize) {
        let paint = |out: &mut String, color: &str, text: &str| {
            if self.color {
                let _ = write!(out, "\x1b[{color}m{text}\x1b[0m");
            } else {
                out.push_str(text);
            }
        };
        let line = |out: &mut String, depth: usize| {
            if self.pretty {
                let _ = write!(out, "\n{:1$}", "", 2 * depth);
            }
        };
        match value {
            Val::Arr(list) if list.is_empty() => out.push_str("[]"),
            Val::Obj(members) if members.is_empty() => out.push_str("{}"),
            Val::Arr(list) => {
                out.push('[');
                for (at, item) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    line(out, depth + 1);
                    self.pretty(out, item, depth + 1);
                }
                line(out, depth);
                out.push(']');
            }
            Val::Obj(members) => {
                out.push('{');
                for (at, (name, item)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    line(out, depth + 1);
                    paint(out, "1;34", &quoted(&text(name)));
                    out.push_str(if self.pretty { ": " } else { ":" });
                    self.pretty(out, item, depth + 1);
                }
                line(out, depth);
                out.push('}');
            }
            Val::TStr(_) | Val::BStr(_) => paint(out, "32", &quoted(&text(value))),
            Val::Null => paint(out, "2", "null"),
            _ => paint(out, "36", &value.to_string()),
        }
    }

    fn table(&mut self, out: &mut String, values: &[Val]) {
        let is_new = self.columns.is_none();
        let bare = &mut self.bare;
        let columns = self.columns.get_or_insert_with(|| {
            let mut columns = columns_of(values);
            if !columns.is_empty() && values.iter().any(|value| !matches!(value, Val::Obj(_))) {
                let mut name = "value".to_owned();
                while columns.contains(&name) {
                    name.insert(0, '_');
                }
                *bare = Some(columns.len());
                columns.push(name);
            }
            columns
        });
        let line = |cells: &[String], format: Format| -> String {
            let cells: Vec<String> = match format {
                Format::Csv => cells.iter().map(|c| csv(c)).collect(),
                _ => cells.iter().map(|c| tsv(c)).collect(),
            };
            cells.join(if format == Format::Csv { "," } else { "\t" })
        };
        // RFC 4180 ends lines with CRLF
        let end = if self.format == Format::Csv { "\r\n" } else { "\n" };
        if is_new && self.format != Format::Table && !columns.is_empty() {
            out.push_str(&line(columns, self.format));
            out.push_str(end);
        }
        for value in values {
            let cells: Vec<String> = match value {
                Val::Obj(members) => {
                    for name in members.keys().map(text) {
                        if !columns.contains(&name) && !self.late.contains(&name) && self.late.len() < MOST_COLUMNS {
                            self.late.push(name);
                        }
                    }
                    let key = |name: &String| Val::from(name.clone());
                    columns.iter().map(|name| members.get(&key(name)).map(cell).unwrap_or_default()).collect()
                }
                Val::Arr(list) if columns.is_empty() => list.iter().map(cell).collect(),
                other if columns.is_empty() => vec![cell(other)],
                other => {
                    let late = "value".to_owned();
                    if self.bare.is_none() && !self.late.contains(&late) {
                        self.late.push(late);
                    }
                    let at = |n| if Some(n) == self.bare { cell(other) } else { String::new() };
                    (0..columns.len()).map(at).collect()
                }
            };
            if self.format == Format::Table {
                self.rows.push(cells.iter().map(|c| safe(c)).collect());
            } else {
                out.push_str(&line(&cells, self.format));
                out.push_str(end);
            }
        }
    }
}

/// Returns the members of all objects, in order of first appearance.
fn columns_of(values: &[Val]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for value in values {
        let Val::Obj(members) = value else { continue };
        for name in members.keys().map(text) {
            if columns.len() < MOST_COLUMNS && !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    columns
}

fn cell(value: &Val) -> String {
    match &*sound(value) {
        Val::Null => String::new(),
        other => text(other),
    }
}

/// Returns the value in JSON's range. jq also has NaN (printed as `null`), infinities (printed as
/// the largest number) and byte strings.
fn sound(value: &Val) -> Cow<'_, Val> {
    let is_sound = |value: &Val| match value {
        Val::Num(Num::Float(number)) => number.is_finite(),
        Val::BStr(_) => false,
        _ => true,
    };
    fn every(value: &Val, test: &impl Fn(&Val) -> bool) -> bool {
        test(value)
            && match value {
                Val::Arr(list) => list.iter().all(|item| every(item, test)),
                Val::Obj(members) => {
                    members.iter().all(|(name, item)| matches!(name, Val::TStr(_)) && every(item, test))
                }
                _ => true,
            }
    }
    fn mended(value: &Val) -> Val {
        match value {
            Val::Num(Num::Float(number)) if number.is_nan() => Val::Null,
            Val::Num(Num::Float(number)) => Val::Num(Num::Float(number.clamp(f64::MIN, f64::MAX))),
            Val::BStr(_) => Val::from(text(value)),
            Val::Arr(list) => array(list.iter().map(mended).collect()),
            Val::Obj(members) => {
                Val::obj(members.iter().map(|(name, item)| (Val::from(text(name)), mended(item))).collect())
            }
            other => other.clone(),
        }
    }
    if every(value, &is_sound) { Cow::Borrowed(value) } else { Cow::Owned(mended(value)) }
}

fn csv(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

/// Escapes a cell like jq's `@tsv`.
fn tsv(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
