//! A structure as the dotted keys of a TOML file, in the order of its fields.

use serde::Serialize;
use toml_edit::{InlineTable, Key, Value};

/// Each key with its value. A structure under a key that starts with `*` has its fields in the
/// outer table, as [`super::de`] reads them. `None` has no key; an empty table is a value.
pub fn keys<T: Serialize>(value: &T) -> Vec<(String, Value)> {
    let whole = value.serialize(toml_edit::ser::ValueSerializer::new()).expect("a structure of the schema is TOML");
    let mut out = Vec::new();
    if let Value::InlineTable(table) = whole {
        flatten("", table, &mut out);
    }
    out
}

fn flatten(prefix: &str, table: InlineTable, out: &mut Vec<(String, Value)>) {
    for (name, value) in table {
        let key = || format!("{prefix}{}", Key::new(name.as_str()));
        match value {
            Value::InlineTable(table) if name.starts_with('*') => flatten(prefix, table, out),
            Value::InlineTable(table) if !table.is_empty() => flatten(&format!("{}.", key()), table, out),
            value => out.push((key(), value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    struct Outer {
        a: Option<bool>,
        b: BTreeMap<String, String>,
        #[serde(rename = "*inner")]
        inner: Inner,
        d: BTreeMap<String, String>,
    }

    #[derive(Serialize)]
    struct Inner {
        c: Vec<u16>,
    }

    #[test]
    fn keys_are_dotted_and_quoted_where_they_must_be() {
        let b = [("x y".to_owned(), "1".to_owned())].into();
        let outer = Outer { a: None, b, inner: Inner { c: vec![1, 2] }, d: BTreeMap::new() };
        let lines: Vec<String> = keys(&outer).into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
        assert_eq!(lines, ["b.\"x y\" = \"1\"", "c = [1, 2]", "d = {}"]);
    }
}
