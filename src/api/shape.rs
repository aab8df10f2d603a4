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
mod tests {
    use super::*;
    use crate::api::filter::Filter;
    use crate::api::value::read;

    fn shaped(format: Format, batches: &[&str]) -> String {
        let mut shape = Shape::new(format);
        let mut out = String::new();
        for batch in batches {
            let Some(Val::Arr(list)) = read(batch.as_bytes()) else { panic!("an array") };
            out += &shape.values(&list);
        }
        out + &shape.end(true)
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
            "a:\n  b:\n    - 1\n    - \"x: y\"\n  c: {}\nd: plain text\ne: \"yes\"\nf: null\n---\n[]\n---\n\"01\"\n"
        );
        assert_eq!(shaped(Format::Json, &[r#"[{"a":1},"x"]"#]), "{\"a\":1}\n\"x\"\n");
    }

    #[test]
    fn yaml_keeps_what_is_a_list_and_what_is_none() {
        let one = |json: &str, list: bool| {
            let mut shape = Shape { list, ..Shape::new(Format::Yaml) };
            shape.values(&[read(json.as_bytes()).unwrap()]) + &shape.end(true)
        };
        for (json, alone, in_a_list) in [
            (
                r#"{"a":1,"b":[{"c":2,"d":[]}]}"#,
                "a: 1\nb:\n  - c: 2\n    d: []\n",
                "- a: 1\n  b:\n    - c: 2\n      d: []\n",
            ),
            ("[]", "[]\n", "- []\n"),
            ("[1,[2]]", "- 1\n- - 2\n", "- - 1\n  - - 2\n"),
            ("null", "null\n", "- null\n"),
            ("\"a: b\"", "\"a: b\"\n", "- \"a: b\"\n"),
        ] {
            assert_eq!((one(json, false).as_str(), one(json, true).as_str()), (alone, in_a_list), "{json}");
        }
        let mut none = Shape { list: true, ..Shape::new(Format::Yaml) };
        assert_eq!((none.end(false), none.end(true)), (String::new(), "[]\n".to_owned()));
    }

    #[test]
    fn values_without_members_have_a_column_of_their_own() {
        assert_eq!(shaped(Format::Csv, &[r#"[{"a":1},2,["x"]]"#]), "a,value\r\n1,\r\n,2\r\n,\"[\"\"x\"\"]\"\r\n");
        assert_eq!(shaped(Format::Csv, &[r#"[{"value":1},2]"#]), "value,_value\r\n1,\r\n,2\r\n");
        assert_eq!(shaped(Format::Csv, &[r#"[{"a":1}]"#, "[2]"]), "a\r\n1\r\n\r\n");
        assert_eq!(shaped(Format::Table, &[r#"[[1,2],"x"]"#]), "1  2\nx\n");
        assert_eq!(shaped(Format::Table, &["[]"]), "");
    }

    #[test]
    fn what_json_can_not_say_is_printed_as_jq_does() {
        let mut shape = Shape::new(Format::Json);
        let run = |code: &str| {
            let mut out = Vec::new();
            let each = &mut |v| {
                out.push(v);
                Ok(true)
            };
            Filter::new(code).unwrap().run(Val::Null, each).unwrap();
            out
        };
        let shown = shape.values(&run("[nan, {a: infinite}, -infinite], nan"));
        let largest = format!("{}", Val::Num(Num::Float(f64::MAX)));
        assert_eq!(shown, format!("[null,{{\"a\":{largest}}},-{largest}]\nnull\n"));
        assert!(serde_json::from_str::<serde_json::Value>(shown.lines().next().unwrap()).is_ok());
        assert_eq!(shape.values(&run("\"ab\" | tobytes")), "\"ab\"\n");
    }

    #[test]
    fn columns_are_those_of_the_first_batch_and_late_ones_are_told() {
        let mut shape = Shape::new(Format::Csv);
        let batch = |text: &str| match read(text.as_bytes()) {
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
        let shown = shape.values(&[read("{\"a\":[1,\"x\u{9b}2J\u{202e}\",null],\"b\":{}}".as_bytes()).unwrap()]);
        assert_eq!(
            shown,
            "{\n  \x1b[1;34m\"a\"\x1b[0m: [\n    \x1b[36m1\x1b[0m,\n    \x1b[32m\"x\\u009b2J\\u202e\"\x1b[0m,\n    \
             \x1b[2mnull\x1b[0m\n  ],\n  \x1b[1;34m\"b\"\x1b[0m: {}\n}\n"
        );
    }

    #[test]
    fn a_table_that_is_too_wide_gives_where_it_is_widest() {
        let mut shape = Shape { width: Some(24), ..Shape::new(Format::Table) };
        let Some(Val::Arr(list)) = read(br#"[{"id":1,"text":"a long text that doesn't fit at all"}]"#) else {
            panic!()
        };
        shape.values(&list);
        assert_eq!(shape.end(true), "ID  TEXT\n1   a long text that do…\n");
    }
}
