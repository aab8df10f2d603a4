//! `call`: unreadable responses are reported once and requested once.

use crate::call::{api, signed_in};
use crate::world::{Person, answer, serve};

fn bytes(kind: &[(&str, &str)], body: &'static [u8]) -> crate::world::serve::Response {
    let mut response = answer(200, "application/json", "");
    response.body = body.to_vec();
    response.headers.extend(kind.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    response
}

/// `[1,2]`, as other programs compress it.
const COMPRESSED: [(&str, &[u8]); 4] = [
    ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x8b\x36\xd4\x31\x8a\x05\x00\xbf\x50\x8b\x08\x05\x00\x00\x00"),
    ("deflate", b"\x78\x9c\x8b\x36\xd4\x31\x8a\x05\x00\x03\xd5\x01\x48"),
    ("br", b"\x0b\x02\x80\x5b\x31\x2c\x32\x5d\x03"),
    ("zstd", b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00\x5b\x31\x2c\x32\x5d"),
];

#[test]
fn what_is_read_is_asked_for_compressed_and_decompressed() {
    for (coding, body) in COMPRESSED {
        let mut me = Person::new();
        let odd = api(&mut me, move |request| {
            let asked = request.header("accept-encoding").unwrap_or_default();
            if request.path.ends_with("/plain") {
                return answer(200, "application/json", &format!("\"{asked}\""));
            }
            bytes(&[("Content-Encoding", coding)], body)
        });
        me.types("call odd /x --jq .").is(0, "[1,2]\n", "");
        me.types("call odd /x --paginate").is(0, "1\n2\n", "");
        me.types("call odd /x --format csv -o ~/f").is(0, "", "");
        assert_eq!(std::fs::read(me.path("f")).unwrap(), b"1\r\n2\r\n");
        me.types(&format!("call odd /x --paginate Accept-Encoding:{coding}")).is(0, "1\n2\n", "");
        me.types("call odd /plain --jq .").is(0, "\"gzip, br, zstd\"\n", "");
        me.types("call odd /plain --jq . Accept-Encoding:").is(0, "\"identity\"\n", "");
        me.types("call odd /plain").is(0, "\"identity\"", "");
        // bytes that nobody reads here stay as they came
        let warning =
            format!("warning: the answer is compressed ({coding}), which was not asked for: it is given as it came\n");
        for line in ["call odd /x -o ~/f", "call odd /x -o ~/f --format raw"] {
            me.types(line).is(0, "", &warning);
            assert_eq!(std::fs::read(me.path("f")).unwrap(), body);
        }
        me.types("call odd /x -o ~/f Accept-Encoding:gzip").is(0, "", "");
        assert_eq!(odd.asked(), 10);
    }
}

#[test]
fn a_coding_that_is_not_known_or_not_kept_is_refused() {
    let mut me = Person::new();
    let _odd = api(&mut me, |request| match request.path.as_str() {
        "/api/unknown" => bytes(&[("Content-Encoding", "lzma")], b"xyz"),
        "/api/nothing" => bytes(&[("Content-Encoding", "gzip")], b""),
        _ => bytes(&[("Content-Encoding", "gzip")], b"[1,2,3,4,5,6,7,8,9,10]"),
    });
    me.types("call odd /unknown --jq .").fails(
        7,
        "error: the answer is compressed (lzma)\nhint: without `--jq` and `--format` it is printed as it came\n",
    );
    me.types("call odd /nothing --jq .").is(0, "", "");
    let done = me.types("call odd /false --jq .");
    assert_eq!((done.code, done.out.as_str()), (7, ""), "{}", done.err);
    assert!(done.err.starts_with("error: the answer is malformed: it can't be decompressed\n"), "{}", done.err);
}

#[test]
fn values_are_read_whatever_their_characters_and_their_number() {
    let mut me = Person::new();
    let of = |kind: &'static str, body: &'static [u8]| {
        let mut response = answer(200, kind, "");
        response.body = body.to_vec();
        response
    };
    let _odd = api(&mut me, move |request| match request.path.as_str() {
        "/api/mark" => of("application/json", b"\xef\xbb\xbf[{\"a\":1},{\"a\":2}]"),
        "/api/latin" => of("application/json; charset=ISO-8859-1", b"[{\"a\":\"\xe9\"}]"),
        "/api/wide" => of("application/json; charset=utf-16", b"\xff\xfe[\0\"\0\xe9\0\"\0]\0"),
        "/api/half" => of("application/json", b"[{\"a\":\"x\\ud83d\",\"\\udc00\":1}]"),
        "/api/lines" => of("application/x-ndjson", b"{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}"),
        "/api/seq" => of("application/json-seq", b"\x1e{\"a\":1}\n\x1e{\"a\":2}\n"),
        "/api/two" => of("text/plain", b"{\"a\":1} {\"a\":2}\n3"),
        "/api/broken" => of("application/x-ndjson", b"{\"a\":1}\n{\"a\":\n"),
        "/api/blank" => of("application/json", b"\n"),
        _ => of("application/json", b")]}',\n{\"a\":1}"),
    });
    for (line, out) in [
        ("/mark --jq .[].a", "1\n2\n"),
        ("/mark --format csv", "a\r\n1\r\n2\r\n"),
        ("/mark --paginate", "{\"a\":1}\n{\"a\":2}\n"),
        ("/latin --jq .[].a", "\"é\"\n"),
        ("/latin --paginate --jq .a -r", "é\n"),
        ("/wide --jq .[]", "\"é\"\n"),
        ("/half --jq .[0].a", "\"x\u{fffd}\"\n"),
        ("/half --format csv", "a,\u{fffd}\r\nx\u{fffd},1\r\n"),
        ("/half --paginate", "{\"a\":\"x\\ufffd\",\"\\ufffd\":1}\n"),
        ("/lines --jq .a", "1\n2\n3\n"),
        ("/lines --format csv", "a\r\n1\r\n2\r\n3\r\n"),
        ("/lines --paginate --slurp --jq length", "3\n"),
        ("/seq --jq .a", "1\n2\n"),
        ("/two --jq .", "{\"a\":1}\n{\"a\":2}\n3\n"),
        ("/two --paginate", "{\"a\":1}\n{\"a\":2}\n3\n"),
        ("/blank --jq .", ""),
        ("/lines", "{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}"),
    ] {
        me.types(&format!("call odd {line}")).is(0, out, "");
    }
    for (line, out, hint) in [
        ("/broken --jq .a", "1\n", "`--jq` and `--format`"),
        ("/broken --format csv", "a\r\n1\r\n", "`--jq` and `--format`"),
        ("/odd --jq .", "", "`--jq` and `--format`"),
    ] {
        let says = format!(
            "error: the answer is not JSON: it can't be filtered or shaped\nhint: without {hint} it is printed as it came\n"
        );
        me.types(&format!("call odd {line}")).is(7, out, &says);
    }
    assert_eq!(me.types("call odd /odd --paginate").code, 7);
    // a repeated name is seen on a terminal
    let mut me = Person::new();
    let _odd = api(&mut me, |_| answer(200, "application/json", "{\"a\":1,\"a\":2}"));
    let seen = me.sees_stdout().types("call odd /x");
    assert_eq!(seen.out.matches("\"a\"").count(), 2, "{}", seen.out);
    me.types("call odd /x --jq .a").is(0, "2\n", "");
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
fn an_errors_reason_is_read_in_each_character_set() {
    for (kind, body) in [
        ("application/json", b"\xef\xbb\xbf{\"message\":\"gr\xc3\xbcn\"}".to_vec()),
        ("application/json; charset=ISO-8859-1", b"{\"message\":\"gr\xfcn\"}".to_vec()),
        ("application/json", "\u{feff}{\"message\":\"gr\u{fc}n\"}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ] {
        let mut me = Person::new();
        let _odd = api(&mut me, move |_| serve::Response { body: body.clone(), ..answer(422, kind, "") });
        let done = me.types("call odd /x --jq .");
        assert_eq!((done.code, done.out.as_str()), (22, ""), "{kind}");
        let said = done.err.trim_start_matches('\u{feff}');
        assert_eq!(said, "{\"message\":\"gr\u{fc}n\"}\nerror: the API answered 422\ncaused by: gr\u{fc}n\n", "{kind}");
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

#[test]
fn a_challenge_names_the_login_to_type() {
    let refuses = |status: u16, challenge: &'static str| {
        move |_: &crate::world::serve::Request| {
            let mut refusal = answer(status, "application/json", "");
            refusal.headers.push(("WWW-Authenticate".into(), challenge.into()));
            refusal
        }
    };
    for (status, challenge, says) in [
        (
            403,
            "Bearer realm=\"api\", error=\"insufficient_scope\", error_description=\"needs more\", scope=\"contacts:write\"",
            "caused by: insufficient_scope: needs more\nhint: ask for more: oauthctl login odd --scope contacts:write\n",
        ),
        (
            401,
            "Bearer error=insufficient_scope, scope=\"a b\"",
            "caused by: insufficient_scope\nhint: ask for more: oauthctl login odd --scope 'a b'\n",
        ),
        (
            403,
            "DPoP algs=\"ES256\", error=\"insufficient_scope\"",
            "caused by: insufficient_scope\nhint: ask for more: oauthctl login odd --scope …\n",
        ),
        // what a server says is one word to a shell
        (
            403,
            "Bearer error=\"insufficient_scope\", scope=\"$(id)\"",
            "caused by: insufficient_scope\nhint: ask for more: oauthctl login odd --scope '$(id)'\n",
        ),
        (
            401,
            "Bearer error=\"insufficient_user_authentication\", error_description=\"a second factor is needed\", acr_values=\"phr mfa\", max_age=\"5\"",
            "caused by: insufficient_user_authentication: a second factor is needed\nhint: sign in again, as the API requires: \
             oauthctl login odd --acr-values 'phr mfa' --max-age 5\n",
        ),
        (
            401,
            "Bearer error=\"insufficient_user_authentication\"",
            "caused by: insufficient_user_authentication\nhint: sign in again, as the API requires: oauthctl login odd\n",
        ),
    ] {
        let mut me = Person::new();
        let odd = api(&mut me, refuses(status, challenge));
        me.types("call odd /x").is(22, "", &format!("error: the API answered {status}\n{says}"));
        // another token would be no better: none is asked for
        assert_eq!(odd.asked(), 1, "{challenge}");
    }
}

#[test]
fn an_apis_error_is_no_data_for_a_filter() {
    let mut me = Person::new();
    let odd = me.odd("odd", |request| match request.query.as_str() {
        "page=2" => answer(404, "application/json", "{\"message\":\"gone\"}"),
        _ if request.path.ends_with("/list") => {
            let mut list = answer(200, "application/json", "[1]");
            list.headers.push(("Link".into(), "<?page=2>; rel=next".into()));
            list
        }
        _ => answer(404, "application/json", "{\"message\":\"gone\"}"),
    });
    signed_in(&mut me, &odd);
    let (body, error) = ("{\"message\":\"gone\"}", "error: the API answered 404\ncaused by: gone\n");
    for line in ["call odd /x --jq .", "call odd /x --format csv", "call odd /x --jq . -o ~/f"] {
        me.types(line).is(22, "", &format!("{body}\n{error}"));
        me.types(&format!("{line} --fail-with-body")).is(22, body, error);
    }
    me.types("call odd /list --paginate --jq .").is(22, "1\n", &format!("{body}\n{error}"));
    me.types("call odd /list --paginate --jq . --fail-with-body").is(22, &format!("1\n{body}"), error);
    for line in ["call odd /x", "call odd /x --format raw"] {
        me.types(line).is(22, body, error);
    }
    me.types("call odd /list --paginate").is(22, &format!("1\n{body}"), error);
}

// C-10
#[test]
fn an_apis_error_is_no_command_of_a_ci_log() {
    const BODY: &str = "oops\n  ::error::pwn  x\n##[command]x\r\n\x1b[2J##vso[task]y\n";
    let mut me = Person::new();
    let odd = me.odd("odd", |_| answer(500, "text/plain", BODY));
    signed_in(&mut me, &odd);
    let error = "error: the API answered 500\n";
    let harmless = "oops\n  : :error: :pwn x\n# #[command]x\n^[[2J# #vso[task]y\n";
    for line in [
        "call odd /x --retry 0 --jq .",
        "call odd /x --retry 0 --format csv",
        "call odd /x --retry 0 --paginate --jq .",
    ] {
        me.types(line).is(22, "", &format!("{harmless}{error}"));
    }
    for line in ["call odd /x --retry 0", "call odd /x --retry 0 --jq . --fail-with-body"] {
        me.types(line).is(22, BODY, error);
    }
    for line in ["call odd /x --jq .", "call odd /x --format csv", "call odd /x --paginate --jq ."] {
        let done = me.types(&format!("{line} --retry 0 --error-format json"));
        let told: serde_json::Value = serde_json::from_str(&done.err).expect(&done.err);
        assert_eq!((done.out.as_str(), told["body"].as_str()), ("", harmless.strip_suffix('\n')), "{line}");
    }
    let done = me.types("call odd /x --retry 0 --error-format json");
    assert!(done.out == BODY && !done.err.contains("body"), "{}", done.err);
}

#[test]
fn errors_of_graphql_are_a_failure_where_one_asks_for_it() {
    let mut me = Person::new();
    let _odd = api(&mut me, |request| match request.path.as_str() {
        "/api/good" => answer(200, "application/json", "{\"data\":{\"a\":1},\"errors\":[]}"),
        _ => answer(200, "application/json", "{\"data\":{\"a\":null},\"errors\":[{\"message\":\"no field b\"}]}"),
    });
    let body = "{\"data\":{\"a\":null},\"errors\":[{\"message\":\"no field b\"}]}";
    let error = "error: the API answered 200 with errors\ncaused by: no field b\n";
    me.types("call odd POST /graphql query={b} --graphql").is(22, body, error);
    me.types("call odd POST /graphql query={b} --graphql --jq .data").is(22, "", &format!("{body}\n{error}"));
    me.types("call odd POST /graphql query={b} --graphql -o ~/f").is(22, body, error);
    me.types("call odd POST /graphql query={b}").is(0, body, "");
    me.types("call odd POST /good query={a} --graphql --jq .data.a").is(0, "1\n", "");
    assert!(!me.path("f").exists());
}

#[test]
fn errors_of_graphql_are_found_in_each_form() {
    let gzip: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x2d\x2a\xca\x2f\
        \x2a\x56\xb2\x52\xaa\x50\xaa\x05\x00\x96\xa9\xc8\x8b\x0e\x00\x00\x00";
    for (body, code) in [
        ("[{\"data\":1},{\"errors\":[{\"message\":\"m\"}]}]", 22),
        ("{\"data\":1}\n{\"errors\":[1]}", 22),
        ("{\"errors\":\"x\"}", 22),
        ("\u{feff}{\"errors\":{\"a\":[\"x\"]}}", 22),
        ("{\"errors\": [ ]}", 0),
        ("[{\"data\":1},{\"errors\":null}]", 0),
        ("<html>", 7),
        ("", 0),
    ] {
        let mut me = Person::new();
        let _odd = api(&mut me, move |_| answer(200, "application/json", body));
        let done = me.types("call odd POST /graphql query={b} --graphql");
        assert_eq!(done.code, code, "{body}: {}", done.err);
    }
    let mut me = Person::new();
    let _odd = api(&mut me, move |_| bytes(&[("Content-Encoding", "gzip")], gzip));
    let done = me.types("call odd POST /graphql query={b} --graphql");
    assert_eq!((done.code, done.out.as_str()), (22, "{\"errors\":\"x\"}"), "{}", done.err);
}

#[test]
fn a_redirect_to_nowhere_and_a_long_wait_are_told() {
    let mut me = Person::new();
    let _odd = api(&mut me, |request| match request.path.as_str() {
        "/api/busy" => {
            let mut busy = answer(503, "application/json", "{}");
            busy.headers.push(("Retry-After".into(), "3600".into()));
            busy
        }
        _ => answer(302, "application/json", "{}"),
    });
    me.types("call odd /x").is(0, "{}", "warning: the API answered 302, a redirect, but not where to\n");
    let error = "error: the API answered 503\nhint: it is not available: run the command again in 3600 s\n";
    me.types("call odd /busy").is(22, "{}", error);
}

#[test]
fn codings_on_two_lines_are_one_list_and_depth_has_a_name() {
    let mut me = Person::new();
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let _odd = api(&mut me, move |request| match request.path.as_str() {
        "/api/deep" => answer(200, "application/json", &deep),
        "/api/half" => serve::Response {
            body: b"\xff\xfe\"\0\x3d\xd8\"\0".to_vec(),
            ..answer(200, "application/json; charset=utf-16", "")
        },
        _ => bytes(&[("Content-Encoding", "identity"), ("Content-Encoding", "gzip")], COMPRESSED[0].1),
    });
    me.types("call odd /x --jq .").is(0, "[1,2]\n", "");
    me.types("call odd /half --jq .").is(0, "\"\u{fffd}\"\n", "");
    me.types("call odd /x --jq -.[1]").is(0, "-2\n", "");
    let done = me.types("call odd /deep --jq .");
    assert_eq!(done.code, 7);
    assert!(done.err.starts_with("error: the answer is nested too deep (more than 256 levels)"), "{}", done.err);
}

#[test]
fn lines_in_utf_16_are_values_of_their_own() {
    for mark in [vec![0xff, 0xfe], vec![], vec![0xfe, 0xff]] {
        let mut me = Person::new();
        let little = mark != [0xfe, 0xff];
        // the second half of a character, and one that is both halves, are no line's end
        let lines = "{\"a\":\"\u{a05}\u{50a}\"}\n{\"a\":2}\n{\"a\":3}";
        let units = lines.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
        let body: Vec<u8> = mark.iter().copied().chain(units).collect();
        let _odd = api(&mut me, move |_| serve::Response {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "application/x-ndjson".to_owned())],
            body: body.clone(),
        });
        me.types("call odd /x --jq .a -r").is(0, "\u{a05}\u{50a}\n2\n3\n", "");
    }
}

// B-17
#[test]
fn an_answer_fits_in_the_memory_that_its_tree_takes() {
    let mut me = Person::new();
    let _odd = api(&mut me, |request| {
        let lines = request.path == "/api/lines";
        let (piece, count) = match request.path.as_str() {
            "/api/numbers" => ("0", 460_000),
            "/api/objects" => ("{\"a\":1}", 100_000),
            "/api/texts" => (&*format!("\"{}\"", "x".repeat(10_000)), 1_200),
            "/api/more-objects" => ("{\"a\":1}", 120_000),
            "/api/more-texts" => (&*format!("\"{}\"", "x".repeat(10_000)), 1_300),
            _ => ("0", 500_000),
        };
        let body = format!("[{}]", vec![piece; count].join(","));
        answer(200, if lines { "application/x-ndjson" } else { "application/json" }, &body)
    });
    for line in [
        "/most --jq length",
        "/more-objects --jq length",
        "/more-texts --jq length",
        "/most --format csv",
        "/lines --jq length",
        "/most --paginate",
    ] {
        let done = me.types(&format!("call odd {line}"));
        assert_eq!(done.code, 7, "{line}: {}", done.err);
        assert!(done.err.contains("too many values for 64 MiB of memory"), "{line}: {}", done.err);
    }
    me.types("call odd /numbers --jq length").is(0, "460000\n", "");
    me.types("call odd /objects --jq length").is(0, "100000\n", "");
    me.types("call odd /texts --jq length").is(0, "1200\n", "");
}
