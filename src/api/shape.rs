//! The forms in which values are printed: JSON (pretty and coloured on a screen, a value to a line in a pipe), tables, CSV, TSV,
//! YAML, texts as they are. On a screen no value can do anything: what could is written as JSON writes it.

use std::fmt::Write as _;

use super::filter::Val;
use crate::text::safe;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Table,
    Csv,
    Tsv,
    Yaml,
}

/// How values are printed, one after the other.
pub struct Shape {
    pub format: Format,
    /// Texts without their quotes.
    pub raw: bool,
    pub pretty: bool,
    pub color: bool,
    /// Columns of the screen.
    pub width: Option<usize>,
    /// Members that make columns, from the first batch of values on.
    columns: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
    /// Members that came too late to have a column.
    pub late: Vec<String>,
}

/// Cells of a table on a screen are cut at this many characters where the table is too wide.
const NARROWEST: usize = 8;
const MOST_COLUMNS: usize = 100;

impl Shape {
    pub fn new(format: Format) -> Shape {
        Shape {
            format,
            raw: false,
            pretty: false,
            color: false,
            width: None,
            columns: None,
            rows: Vec::new(),
            late: Vec::new(),
        }
    }

    /// The text for values that came together.
    pub fn values(&mut self, values: &[Val]) -> String {
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
                    out.push_str("- ");
                    yaml(&mut out, value, 1);
                }
            }
            Format::Table | Format::Csv | Format::Tsv => self.table(&mut out, values),
        }
        out
    }

    /// What can be printed only when all values are known.
    pub fn end(&mut self) -> String {
        if self.format != Format::Table || self.columns.is_none() {
            return String::new();
        }
        let columns = self.columns.take().unwrap_or_default();
        let mut rows = vec![columns.iter().map(|c| safe(c).to_uppercase()).collect::<Vec<_>>()];
        rows.append(&mut self.rows);
        aligned(&rows, self.width)
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
        let columns = self.columns.get_or_insert_with(|| columns_of(values));
        let line = |cells: &[String], format: Format| -> String {
            let cells: Vec<String> = match format {
                Format::Csv => cells.iter().map(|c| csv(c)).collect(),
                _ => cells.iter().map(|c| tsv(c)).collect(),
            };
            cells.join(if format == Format::Csv { "," } else { "\t" })
        };
        // RFC 4180 ends lines so
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
                Val::Arr(list) => list.iter().map(cell).collect(),
                other => vec![cell(other)],
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

/// The members of all objects, in the order in which they come first.
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

/// A text without its quotes.
pub fn text(value: &Val) -> String {
    match value {
        Val::TStr(bytes) | Val::BStr(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => other.to_string(),
    }
}

fn cell(value: &Val) -> String {
    match value {
        Val::Null => String::new(),
        other => text(other),
    }
}

fn csv(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

/// As jq's `@tsv`.
fn tsv(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

/// JSON's quotes, and JSON's escapes for whatever could act on a screen.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let acts = |c: char| {
        c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
    };
    if !json.chars().any(acts) {
        return json;
    }
    json.chars().fold(String::new(), |mut out, c| {
        if acts(c) {
            let _ = write!(out, "\\u{:04x}", c as u32);
        } else {
            out.push(c);
        }
        out
    })
}

fn aligned(rows: &[Vec<String>], width: Option<usize>) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let longest = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|c| c.chars().count()).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..count).map(longest).collect();
    if let Some(width) = width {
        // the widest gives first
        while widths.iter().sum::<usize>() + 2 * count.saturating_sub(1) > width {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let length = cell.chars().count();
            if length > widths[at] {
                line.extend(cell.chars().take(widths[at] - 1));
                line.push('…');
            } else {
                line.push_str(cell);
            }
            if at + 1 < row.len() {
                let _ = write!(line, "{:1$}", "", widths[at].saturating_sub(length) + 2);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// One value, in block style; the cursor stands where it begins.
fn yaml(out: &mut String, value: &Val, depth: usize) {
    let indent = |out: &mut String| {
        let _ = write!(out, "{:1$}", "", 2 * depth);
    };
    match value {
        Val::Arr(list) if !list.is_empty() => {
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    indent(out);
                }
                out.push_str("- ");
                yaml(out, item, depth + 1);
            }
        }
        Val::Obj(members) if !members.is_empty() => {
            for (at, (name, item)) in members.iter().enumerate() {
                if at > 0 {
                    indent(out);
                }
                out.push_str(&plain(&text(name)));
                out.push(':');
                let nested =
                    matches!(item, Val::Arr(l) if !l.is_empty()) || matches!(item, Val::Obj(m) if !m.is_empty());
                if nested {
                    let _ = write!(out, "\n{:1$}", "", 2 * (depth + 1));
                } else {
                    out.push(' ');
                }
                yaml(out, item, depth + 1);
            }
        }
        Val::TStr(_) | Val::BStr(_) => {
            out.push_str(&plain(&text(value)));
            out.push('\n');
        }
        other => {
            let _ = writeln!(out, "{other}");
        }
    }
}

/// Without quotes only where no reader of YAML takes it for anything but this text.
fn plain(text: &str) -> String {
    let harmless = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || " _-./@+".contains(c))
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if harmless { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::filter::value;

    fn shaped(format: Format, batches: &[&str]) -> String {
        let mut shape = Shape::new(format);
        let mut out = String::new();
        for batch in batches {
            let Some(Val::Arr(list)) = value(batch.as_bytes()) else { panic!("an array") };
            out += &shape.values(&list);
        }
        out + &shape.end()
    }

    #[test]
    fn each_form_has_its_own_quotes() {
        let people = r#"[{"name":"Ann, \"A\"","n":1.50,"tags":["a","b"]},{"name":"Ben\tB\nx","n":null,"more":true}]"#;
        assert_eq!(
            shaped(Format::Csv, &[people]),
            "name,n,tags,more\r\n\"Ann, \"\"A\"\"\",1.50,\"[\"\"a\"\",\"\"b\"\"]\",\r\n\"Ben\tB\nx\",,,true\r\n"
        );
        assert_eq!(
            shaped(Format::Tsv, &[people]),
            "name\tn\ttags\tmore\nAnn, \"A\"\t1.50\t[\"a\",\"b\"]\t\nBen\\tB\\nx\t\t\ttrue\n"
        );
        assert_eq!(
            shaped(Format::Table, &[people]),
            "NAME      N     TAGS       MORE\nAnn, \"A\"  1.50  [\"a\",\"b\"]\nBen B x                    true\n"
        );
        assert_eq!(
            shaped(Format::Yaml, &[r#"[{"a":{"b":[1,"x: y"],"c":{}},"d":"plain text","e":"yes","f":null},[],"01"]"#]),
            "- a:\n    b:\n      - 1\n      - \"x: y\"\n    c: {}\n  d: plain text\n  e: \"yes\"\n  f: null\n- []\n- \"01\"\n"
        );
        assert_eq!(shaped(Format::Json, &[r#"[{"a":1},"x"]"#]), "{\"a\":1}\n\"x\"\n");
    }

    #[test]
    fn columns_are_those_of_the_first_batch_and_late_ones_are_told() {
        let mut shape = Shape::new(Format::Csv);
        let batch = |text: &str| match value(text.as_bytes()) {
            Some(Val::Arr(list)) => list.to_vec(),
            _ => panic!("an array"),
        };
        assert_eq!(shape.values(&batch(r#"[{"a":1}]"#)), "a\r\n1\r\n");
        assert_eq!(shape.values(&batch(r#"[{"a":2,"b":3}]"#)), "2\r\n");
        assert_eq!(shape.late, ["b"]);
    }

    // T-50
    #[test]
    fn on_a_screen_json_is_pretty_and_can_do_nothing() {
        let mut shape = Shape { pretty: true, color: true, ..Shape::new(Format::Json) };
        let shown = shape.values(&[value("{\"a\":[1,\"x\u{9b}2J\u{202e}\",null],\"b\":{}}".as_bytes()).unwrap()]);
        assert_eq!(
            shown,
            "{\n  \x1b[1;34m\"a\"\x1b[0m: [\n    \x1b[36m1\x1b[0m,\n    \x1b[32m\"x\\u009b2J\\u202e\"\x1b[0m,\n    \
             \x1b[2mnull\x1b[0m\n  ],\n  \x1b[1;34m\"b\"\x1b[0m: {}\n}\n"
        );
    }

    #[test]
    fn a_table_that_is_too_wide_gives_where_it_is_widest() {
        let mut shape = Shape { width: Some(24), ..Shape::new(Format::Table) };
        let Some(Val::Arr(list)) = value(br#"[{"id":1,"text":"a long text that doesn't fit at all"}]"#) else {
            panic!()
        };
        shape.values(&list);
        assert_eq!(shape.end(), "ID  TEXT\n1   a long text that do…\n");
    }
}
