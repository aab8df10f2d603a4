//! Output formats: JSON (pretty and coloured on a screen, one value a line in a pipe), tables, CSV,
//! TSV, YAML, plain texts. On a screen no value can act on the terminal: control characters are
//! escaped as in JSON.

use serde_json::value::RawValue;

use super::value::{Style, View, text, view, write};
pub mod table;
mod yaml;

use crate::text::safe;

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
    pub style: Style,
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
            style: Style::default(),
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
    pub fn values(&mut self, values: &[&RawValue]) -> String {
        let mut out = String::new();
        match self.format {
            Format::Json => {
                for value in values {
                    self.json(&mut out, value);
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
                    yaml::value(&mut out, value, usize::from(self.list));
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

    fn json(&self, out: &mut String, value: &RawValue) {
        match view(value) {
            View::Text(text) if self.raw => out.push_str(&text),
            _ => write(out, value, self.style, 0),
        }
    }

    fn table(&mut self, out: &mut String, values: &[&RawValue]) {
        let is_new = self.columns.is_none();
        let bare = &mut self.bare;
        let columns = self.columns.get_or_insert_with(|| {
            let mut columns = columns_of(values);
            if !columns.is_empty() && values.iter().any(|value| !matches!(view(value), View::Members(_))) {
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
            let cells: Vec<String> = match view(value) {
                View::Members(members) => {
                    for (name, _) in &members {
                        if !columns.contains(name) && !self.late.contains(name) && self.late.len() < MOST_COLUMNS {
                            self.late.push(name.clone());
                        }
                    }
                    let of = |column: &String| members.iter().rfind(|(name, _)| name == column);
                    columns.iter().map(|column| of(column).map(|(_, item)| cell(item)).unwrap_or_default()).collect()
                }
                View::List(list) if columns.is_empty() => list.into_iter().map(cell).collect(),
                _ if columns.is_empty() => vec![cell(value)],
                _ => {
                    let late = "value".to_owned();
                    if self.bare.is_none() && !self.late.contains(&late) {
                        self.late.push(late);
                    }
                    let at = |n| if Some(n) == self.bare { cell(value) } else { String::new() };
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
fn columns_of(values: &[&RawValue]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for value in values {
        let View::Members(members) = view(value) else { continue };
        for (name, _) in members {
            if columns.len() < MOST_COLUMNS && !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    columns
}

fn cell(value: &RawValue) -> String {
    match view(value) {
        View::Null => String::new(),
        _ => text(value),
    }
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
#[path = "format_tests.rs"]
mod tests;
