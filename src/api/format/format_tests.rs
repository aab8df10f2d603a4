//! Values and the text that each format makes of them.

use super::*;
use crate::api::value::read;

fn list(json: &str) -> Vec<&RawValue> {
    serde_json::from_str(json).unwrap()
}

fn shaped(format: Format, batches: &[&str]) -> String {
    let mut shape = Shape::new(format);
    let mut out = String::new();
    for batch in batches {
        out += &shape.values(&list(batch));
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
        shape.values(&[read(json).unwrap()[0]]) + &shape.end(true)
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

#[cfg(feature = "jq")]
#[test]
fn what_json_can_not_say_is_printed_as_jq_does() {
    let mut shape = Shape::new(Format::Json);
    let mut run = |code: &str| {
        let mut results = Vec::new();
        crate::api::filter::Filter::new(code, &[]).unwrap().run(RawValue::NULL, &mut results, &mut Vec::new()).unwrap();
        shape.values(&results.iter().map(|raw| &**raw).collect::<Vec<_>>())
    };
    let shown = run("[nan, {a: infinite}, -infinite], nan");
    let largest = "1.7976931348623157e+308";
    assert_eq!(shown, format!("[null,{{\"a\":{largest}}},-{largest}]\nnull\n"));
    assert!(serde_json::from_str::<serde_json::Value>(shown.lines().next().unwrap()).is_ok());
    assert_eq!(run("\"ab\" | tobytes"), "\"ab\"\n");
}

#[test]
fn columns_are_those_of_the_first_batch_and_late_ones_are_told() {
    let mut shape = Shape::new(Format::Csv);
    assert_eq!(shape.values(&list(r#"[{"a":1}]"#)), "a\r\n1\r\n");
    assert_eq!(shape.values(&list(r#"[{"a":2,"b":3}]"#)), "2\r\n");
    assert_eq!(shape.late, ["b"]);
}

// T-50
#[test]
fn on_a_screen_json_is_pretty_and_can_do_nothing() {
    let mut shape = Shape { style: Style { pretty: true, color: true }, ..Shape::new(Format::Json) };
    let shown = shape.values(&[read("{\"a\":[1,\"x\u{9b}2J\u{202e}\",null],\"b\":{}}").unwrap()[0]]);
    assert_eq!(
        shown,
        "{\n  \x1b[1;34m\"a\"\x1b[0m: [\n    \x1b[36m1\x1b[0m,\n    \x1b[32m\"x\\u009b2J\\u202e\"\x1b[0m,\n    \
         \x1b[2mnull\x1b[0m\n  ],\n  \x1b[1;34m\"b\"\x1b[0m: {}\n}\n"
    );
}

#[test]
fn a_table_that_is_too_wide_gives_where_it_is_widest() {
    let mut shape = Shape { width: Some(24), ..Shape::new(Format::Table) };
    shape.values(&list(r#"[{"id":1,"text":"a long text that doesn't fit at all"}]"#));
    assert_eq!(shape.end(true), "ID  TEXT\n1   a long text that do…\n");
}
