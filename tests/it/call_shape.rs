//! `call`: how values are printed, and the output after an error in the middle.

use crate::call::api;
use crate::call_pages::cut;
use crate::world::{Odd, Person, answer};

/// An API that answers with this.
fn says(me: &mut Person, body: &'static str) -> Odd {
    api(me, move |_| answer(200, "application/json", body))
}

const CONTACT: &str = r#"{"contact_id":"c1","first_name":"Ann","list_memberships":["l1","l2"]}"#;

#[test]
fn a_record_that_holds_an_array_is_no_list() {
    let mut me = Person::new();
    let _odd = says(&mut me, CONTACT);
    let row = "contact_id,first_name,list_memberships\r\nc1,Ann,\"[\"\"l1\"\",\"\"l2\"\"]\"\r\n";
    me.types("call odd /x --format csv").is(0, row, "");
    me.types("call odd /x --format table").is(
        0,
        "CONTACT_ID  FIRST_NAME  LIST_MEMBERSHIPS\nc1          Ann         [\"l1\",\"l2\"]\n",
        "",
    );
    me.types("call odd /x --format tsv").is(
        0,
        "contact_id\tfirst_name\tlist_memberships\nc1\tAnn\t[\"l1\",\"l2\"]\n",
        "",
    );
    me.types("call odd /x --paginate").is(0, &format!("{CONTACT}\n"), "");
    me.types("call odd /x --paginate --format csv").is(0, row, "");
    let mut me = Person::new();
    let _odd = says(&mut me, r#"{"id":1,"tags":[]}"#);
    me.types("call odd /x --format csv").is(0, "id,tags\r\n1,[]\r\n", "");
    me.types("call odd /x --paginate").is(0, "{\"id\":1,\"tags\":[]}\n", "");
}

#[test]
fn a_list_is_found_on_its_last_page_where_it_was_on_the_first() {
    let mut me = Person::new();
    // nothing but the member's name is left to go by
    let _odd = cut(&mut me, "by = \"url\"\nnext = [\"more\"]", |page| match page {
        1 => (200, "{\"as_of\":\"now\",\"things\":[1,2],\"more\":\"?page=2\"}".to_owned()),
        _ => (200, "{\"as_of\":\"now\",\"things\":[3]}".to_owned()),
    });
    me.types("call odd /x --paginate").is(0, "1\n2\n3\n", "");
}

#[test]
fn what_a_filter_gave_before_it_ended_is_written() {
    let mut me = Person::new();
    let _odd = says(&mut me, "[1,2]");
    me.runs(&["call", "odd", "/x", "--jq", ".[0],halt"]).is(0, "1\n", "");
    let named = ["call", "odd", "/x", "--arg", "a", "1", "--argjson", "b", "1.50", "--jq", "$ARGS, halt"];
    me.runs(&named).is(0, "{\"positional\":[],\"named\":{\"a\":\"1\",\"b\":1.50}}\n", "");
    me.runs(&["call", "odd", "/x", "--jq", ".[0],halt", "-o", "~/f"]).is(0, "", "");
    assert_eq!(std::fs::read_to_string(me.path("f")).unwrap(), "1\n");
    me.runs(&["call", "odd", "/x", "--jq", ".[]|., error(\"x\")"]).is(
        1,
        "1\n",
        "error: the `--jq` expression failed on the answer\ncaused by: \"x\"\n",
    );
    me.runs(&["call", "odd", "/x", "--jq", "{n: .[]}, (\"no more\" | halt_error)", "--format", "table"]).is(
        1,
        "N\n1\n2\n",
        "error: the `--jq` expression halted with an error\ncaused by: no more\n",
    );
    me.runs(&["call", "odd", "/x", "--jq", ".[0], (\"x\" | halt_error(3))", "-o", "~/g"])
        .fails(1, "error: the `--jq` expression halted with an error\ncaused by: x\n");
    assert!(!me.path("f.part").exists() && !me.path("g").exists() && !me.path("g.part").exists());
    me.runs(&["call", "odd", "/x", "--jq", "length | debug | stderr"]).is(0, "2\n", "[\"DEBUG:\",2]\n2\n");
    // with pages no further one is fetched
    let mut me = Person::new();
    let odd = cut(&mut me, "by = \"page\"", |page| (200, format!("[{page}]")));
    me.runs(&["call", "odd", "/x", "--paginate", "--jq", "., (select(. == 2) | halt)"]).is(0, "1\n2\n", "");
    me.runs(&["call", "odd", "/x", "--paginate", "--jq", "., (select(. == 2) | error(\"two\"))"]).is(
        1,
        "1\n2\n",
        "error: the `--jq` expression failed on the answer\ncaused by: \"two\"\n",
    );
    assert_eq!(odd.asked(), 4);
}

#[test]
fn yaml_keeps_the_structure() {
    for (body, alone, paged) in [
        (CONTACT, "contact_id: c1\nfirst_name: Ann\nlist_memberships:\n  - l1\n  - l2\n", None),
        ("[]", "[]\n", Some("[]\n")),
        ("null", "null\n", Some("- null\n")),
        ("[{\"a\":1},{\"a\":2}]", "- a: 1\n- a: 2\n", Some("- a: 1\n- a: 2\n")),
    ] {
        let mut me = Person::new();
        let _odd = says(&mut me, body);
        me.types("call odd /x --format yaml").is(0, alone, "");
        if let Some(paged) = paged {
            me.types("call odd /x --paginate --format yaml").is(0, paged, "");
        }
    }
    let mut me = Person::new();
    let _odd = says(&mut me, "[{\"a\":1},{\"a\":2}]");
    me.types("call odd /x --jq .[] --format yaml").is(0, "a: 1\n---\na: 2\n", "");
    me.types("call odd /x --paginate --slurp --jq length --format yaml").is(0, "2\n", "");
}

#[test]
fn rows_are_told_from_cells_whatever_a_page_holds() {
    let mut me = Person::new();
    let _odd =
        cut(&mut me, "by = \"page\"", |page| (200, ["[[1,2],[3,4]]", "[[5,6]]", "[]"][page as usize - 1].to_owned()));
    me.types("call odd /x --paginate --format csv").is(0, "1,2\r\n3,4\r\n5,6\r\n", "");
    for (body, format, shown) in [
        ("[]", "table", ""),
        ("7", "table", "7\n"),
        ("[1,2]", "table", "1\n2\n"),
        ("[{\"a\":1},2]", "csv", "a,value\r\n1,\r\n,2\r\n"),
    ] {
        let mut me = Person::new();
        let _odd = says(&mut me, body);
        me.types(&format!("call odd /x --format {format}")).is(0, shown, "");
    }
}

#[test]
fn an_array_that_was_not_finished_does_not_pretend_to_be() {
    let mut me = Person::new();
    let _odd = cut(&mut me, "by = \"page\"", |page| match page {
        1 => (200, "[1,2]".to_owned()),
        _ => (500, "{\"message\":\"broken\"}".to_owned()),
    });
    me.types("call odd /x --paginate --slurp").is(
        22,
        "[1,\n2\n{\"message\":\"broken\"}",
        "error: the API answered 500\ncaused by: broken\n",
    );
}

#[test]
fn what_takes_its_time_is_told_on_a_terminal() {
    let mut me = Person::new();
    let _odd = says(&mut me, CONTACT);
    // each look at the clock finds a second gone
    me.clock.hurry(1);
    let shown = format!("\r\u{1b}[K{0} B of {0} B\r\u{1b}[K", CONTACT.len());
    for line in ["call odd /x -o ~/f", "call odd /x"] {
        let done = me.sees_stderr().types(line);
        assert_eq!((done.code, done.err_raw.as_str()), (0, shown.as_str()), "{line}");
    }
    // with its pages in a file, whatever stdout is
    let done = me.sees_stdout().sees_stderr().types("call odd /x --paginate -o ~/f");
    assert_eq!((done.code, done.err_raw.as_str()), (0, "\r\u{1b}[Kpage 1, 1 record\r\u{1b}[K"));
    assert_eq!(me.sees_stdout().sees_stderr().types("call odd /x").err_raw, "");
    assert_eq!(me.sees_stderr().types("call odd /x -o ~/f -q").err_raw, "");
    assert_eq!(me.types("call odd /x -o ~/f").err_raw, "");
    // nothing of what is done at once
    me.clock.hurry(0);
    assert_eq!(me.sees_stderr().types("call odd /x -o ~/f").err_raw, "");
}

#[test]
fn what_an_option_or_the_line_lacks_is_named() {
    let mut me = Person::new();
    for option in ["--slurp", "--limit 5", "--parallel 2"] {
        let name = option.split(' ').next().unwrap();
        me.types(&format!("call sandbox /me {option}")).fails(2, &format!("error: `{name}` needs `--paginate`\n"));
    }
    let head = me.types("call sandbox /me --head --jq .x");
    assert!(head.code == 2 && head.err.contains("`--head`") && head.err.contains("`--jq"), "{}", head.err);
    let says = "error: `call` needs a path\nhint: oauthctl call PROFILE [METHOD] /PATH\n";
    me.types("call sandbox GET").fails(2, says);
    for line in ["call", "call --paginate"] {
        let example = "hint: for example: `oauthctl call getresponse /campaigns`\n";
        let help = "hint: `oauthctl call --help` shows the usage\n";
        me.types(line).fails(2, &format!("{says}{example}{help}"));
    }
}

#[test]
fn one_array_is_pretty_on_a_screen() {
    let mut me = Person::new();
    let _odd = says(&mut me, "[{\"a\":12345678901234567890.50}]");
    me.sees_stdout().types("call odd /x --paginate --slurp").is(
        0,
        "[\n  {\n    \x1b[1;34m\"a\"\x1b[0m: \x1b[36m12345678901234567890.50\x1b[0m\n  }\n]\n",
        "",
    );
}
