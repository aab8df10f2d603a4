//! `call`: unreadable responses are reported once and requested once.

use crate::call::{api, signed_in};
use crate::world::{Person, answer};

fn bytes(kind: &[(&str, &str)], body: &'static [u8]) -> crate::world::serve::Response {
    let mut response = answer(200, "application/json", "");
    response.body = body.to_vec();
    response.headers.extend(kind.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    response
}

/// `[1,2]`, as `gzip` writes it.
const ZIPPED: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x8b\x36\xd4\x31\x8a\x05\x00\x2d\x25\x1d\x3c\x05\x00\x00\x00";

#[test]
fn a_compressed_answer_is_named_as_that() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| bytes(&[("Content-Encoding", "gzip")], ZIPPED));
    let says = |option: &str| {
        format!(
            "error: the answer is compressed (gzip), which was not asked for\nhint: without {option} it is printed as it came\n"
        )
    };
    me.types("call odd /x --jq .").fails(7, &says("`--jq` and `--format`"));
    me.types("call odd /x --format csv -o ~/f").fails(7, &says("`--jq` and `--format`"));
    me.types("call odd /x --paginate").fails(7, &says("`--paginate`"));
    // who asked for it gets it, and can't have it read
    me.types("call odd /x --paginate Accept-Encoding:gzip")
        .fails(1, "error: the answer is compressed (gzip)\nhint: without `--paginate` it is printed as it came\n");
    assert!(!me.path("f").exists() && !me.path("f.part").exists());
    let warning = "warning: the answer is compressed (gzip), which was not asked for: it is given as it came\n";
    for line in ["call odd /x -o ~/f", "call odd /x -o ~/f --format raw"] {
        me.types(line).is(0, "", warning);
        assert_eq!(std::fs::read(me.path("f")).unwrap(), ZIPPED);
    }
    me.types("call odd /x -o ~/f Accept-Encoding:gzip").is(0, "", "");
    assert_eq!(odd.asked(), 7);
}

#[test]
fn bytes_that_are_no_text_are_refused_everywhere_alike() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| bytes(&[], b"[{\"a\":\"\xff\"}]"));
    let says = |option: &str| {
        format!(
            "error: the answer is malformed: it is not text in UTF-8, as JSON has to be\ncaused by: after 7 bytes\n\
             hint: without {option} it is printed as it came\n"
        )
    };
    me.types("call odd /x --jq .[].a").fails(7, &says("`--jq` and `--format`"));
    me.types("call odd /x --format table").fails(7, &says("`--jq` and `--format`"));
    me.types("call odd /x --paginate").fails(7, &says("`--paginate`"));
    me.types("call odd /x --paginate --slurp --jq .").fails(7, &says("`--paginate`"));
    me.types("call odd /x -o ~/f").is(0, "", "");
    assert_eq!(std::fs::read(me.path("f")).unwrap(), b"[{\"a\":\"\xff\"}]");
    assert_eq!(odd.asked(), 5);
}

#[test]
fn a_page_that_can_not_be_read_is_asked_for_once_though_others_are_fetched_beside_it() {
    let mut me = Person::new();
    let odd = me.odd("odd", |request| {
        let page: usize = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        let mut list = bytes(&[("X-Pages", "3")], if page == 3 { b"[\"\xff\"]" } else { b"[1]" });
        list.headers.push(("X-Page".into(), page.to_string()));
        list
    });
    signed_in(&mut me, &odd);
    me.config(
        "providers/odd.toml",
        &format!("{}\n[api.pages]\nby = \"page\"\ntotal-header = \"X-Pages\"\n", odd.provider("odd")),
    );
    let done = me.types("call odd /x --paginate --parallel 3");
    assert_eq!((done.code, done.out.as_str()), (7, "1\n1\n"), "{}", done.err);
    assert_eq!(odd.asked(), 3);
}

#[test]
fn the_line_of_an_error_says_what_is_wrong_with_which_field() {
    for (body, says) in [
        (
            r#"{"httpStatus":400,"code":1000,"message":"Validation","context":[{"fieldName":"email","errorDescription":"is \u001b[2Jmissing"}]}"#,
            "1000: Validation; email: is [2Jmissing",
        ),
        (
            r#"{"error":{"code":400,"message":"can't be saved"},"failures":{"email":["is taken"]}}"#,
            "400: can't be saved; email: is taken",
        ),
        (r#"[{"error_key":"a","error_message":"one"},{"error_key":"b","error_message":"two"}]"#, "a: one; b: two"),
    ] {
        let mut me = Person::new();
        let _odd = api(&mut me, move |_| answer(400, "application/json", body));
        me.types("call odd /x").is(22, body, &format!("error: the API answered 400\ncaused by: {says}\n"));
    }
}

#[test]
fn verbose_shows_no_word_of_a_body_that_is_no_form() {
    let mut me = Person::new();
    let _odd = api(&mut me, |_| answer(200, "application/json", "{}"));
    let done = me.types("call odd /x -v -d hunter2secret");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("body: 13 bytes [sha256:"), "{}", done.err);
    done.tells_nothing_of("hunter2secret");
}
