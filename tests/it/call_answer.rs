//! `call`: responses are filtered, shaped and saved, and some requests are never sent.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use crate::call::{api, practice};
use crate::world::serve;
use crate::world::{Person, answer};

const PEOPLE: &str = r#"{"people":[{"name":"Ann","n":1,"tags":["a"]},{"name":"Ben","n":2.50}],"total":2}"#;

fn people() -> (Person, crate::world::Odd) {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(200, "application/json", PEOPLE));
    (me, odd)
}

#[test]
fn values_are_filtered_and_shaped() {
    let (mut me, odd) = people();
    me.runs(&["call", "odd", "/x", "--jq", ".people[].name"]).is(0, "\"Ann\"\n\"Ben\"\n", "");
    me.runs(&["call", "odd", "/x", "--jq", ".people[].name", "-r"]).is(0, "Ann\nBen\n", "");
    me.runs(&["call", "odd", "/x", "--jq", ".people[] | {name, double: (.n*2)}", "--format", "tsv"]).is(
        0,
        "name\tdouble\nAnn\t2\nBen\t5\n",
        "",
    );
    me.types("call odd /x --format table").is(0, "NAME  N     TAGS\nAnn   1     [\"a\"]\nBen   2.50\n", "");
    me.types("call odd /x --format csv").is(0, "name,n,tags\r\nAnn,1,\"[\"\"a\"\"]\"\r\nBen,2.50,\r\n", "");
    me.types("call odd /x --format yaml").is(
        0,
        "people:\n  - name: Ann\n    \"n\": 1\n    tags:\n      - a\n  - name: Ben\n    \"n\": 2.50\ntotal: 2\n",
        "",
    );
    me.types("call odd /x --format json").is(0, &format!("{PEOPLE}\n"), "");
    me.types("call odd /x").is(0, PEOPLE, "");
    assert_eq!(odd.asked(), 8);
    me.runs(&["call", "odd", "/x", "--jq", ".a | | .b"]).fails(
        2,
        "
        error: the `--jq` expression can't be used
        caused by: after `.a |`: expected term
        hint: jq's manual: https://jqlang.org/manual/
    ",
    );
    // told before anything was sent
    assert_eq!(odd.asked(), 8);
    assert_eq!(me.types("call odd /x --jq .total.x").code, 1);
}

#[test]
fn on_a_screen_json_is_pretty_and_nothing_acts() {
    let mut me = Person::new();
    let odd = api(&mut me, |request| match request.path.as_str() {
        "/api/text" => answer(200, "text/plain", "\u{1b}[2Jx"),
        _ => answer(200, "application/json", "{\"a\":\"\u{9b}2J\"}"),
    });
    me.sees_stdout().types("call odd /x").is(0, "{\n  \x1b[1;34m\"a\"\x1b[0m: \x1b[32m\"\\u009b2J\"\x1b[0m\n}\n", "");
    for (variable, value) in [("TERM", "dumb"), ("NO_COLOR", "1")] {
        me.set(variable, value);
        me.sees_stdout().types("call odd /x").is(0, "{\n  \"a\": \"\\u009b2J\"\n}\n", "");
        me.set("TERM", "xterm");
    }
    me.sees_stdout().types("call odd /x --jq .a -r").is(0, "^[2J\n", "");
    me.sees_stdout().types("call odd /x --format raw").is(0, "{\"a\":\"^[2J\"}\n", "");
    me.sees_stdout().types("call odd /text").is(0, "^[[2Jx\n", "");
    // a pipe gets the bytes
    me.types("call odd /text").is(0, "\u{1b}[2Jx", "");
    assert_eq!(odd.asked(), 7);
}

#[test]
fn an_error_stays_as_it_came() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(404, "application/json", "{\"error\":{\"code\":404,\"message\":\"not here\"}}"));
    me.types("call odd /x --jq .people --format csv -o ~/x --fail-with-body").is(
        22,
        "{\"error\":{\"code\":404,\"message\":\"not here\"}}",
        "
        error: the API answered 404
        caused by: 404: not here
    ",
    );
    assert!(!me.path("x").exists());
    assert_eq!(odd.asked(), 1);
}

#[test]
fn an_answer_is_saved_whole() {
    let (mut me, odd) = people();
    std::fs::write(me.path("old"), "old").unwrap();
    me.types("call odd /x -o ~/old").is(0, "", "");
    assert_eq!(std::fs::read_to_string(me.path("old")).unwrap(), PEOPLE);
    me.types("call odd /x -o ~/new.csv --format csv").is(0, "", "");
    assert!(std::fs::read_to_string(me.path("new.csv")).unwrap().starts_with("name,n,tags\r\n"));
    me.types("call odd /x -o -").is(0, PEOPLE, "");
    assert_eq!(odd.asked(), 3);
    // what can't be written is told before anything is sent
    for (target, code) in [("/no/such/folder/x", 1), (".", 2), ("~/no/", 2), ("", 2)] {
        for more in [&["--jq", "."][..], &["--paginate"], &["-i"], &[]] {
            let done = me.runs(&[&["call", "odd", "/x", "-o", target], more].concat());
            assert_eq!((done.code, odd.asked()), (code, 3), "{target}: {}", done.err);
        }
    }
    assert!(!me.path("old.part").exists() && !me.path("new.csv.part").exists());
}

#[test]
fn a_folder_gets_a_file_with_the_answers_name_and_none_is_replaced() {
    let mut me = Person::new();
    let odd = api(&mut me, |request| {
        let mut file = answer(200, "application/json", "[1]");
        if request.path.ends_with("/moved") {
            file = answer(302, "text/plain", "");
            file.headers.push(("Location".into(), "/api/last.json".into()));
        }
        if request.path.ends_with("/named") {
            file.headers.push((
                "Content-Disposition".into(),
                "attachment; filename*=UTF-8''../../.r%C3%A9sum%C3%A9.json".into(),
            ));
        }
        file
    });
    std::fs::create_dir(me.path("out")).unwrap();
    for (more, name) in [
        ("/named", "résumé.json"),
        ("/named", "résumé-1.json"),
        ("/list.json", "list.json"),
        ("/named --jq .[]", "résumé-2.json"),
        ("/pages --paginate", "pages"),
        ("POST /named", "résumé-3.json"),
        ("/named --paginate", "résumé-4.json"),
        // a redirect names it by its last address
        ("/moved", "last.json"),
        ("/moved --jq .", "last-1.json"),
        ("/moved --paginate", "last-2.json"),
    ] {
        let told = format!("written to `~/out/{name}`\n");
        me.types(&format!("call odd {more} -o ~/out/")).is(0, &format!("~/out/{name}\n"), &told);
    }
    me.types("call odd /named -o ~/out/ -q").is(0, "~/out/résumé-5.json\n", "");
    me.sees_stdout().types("call odd /named -o ~/out/").is(0, "", "written to `~/out/résumé-6.json`\n");
    me.sees_stdout().types("call odd /named -o ~/out/ -q").is(0, "~/out/résumé-7.json\n", "");
    assert_eq!(std::fs::read_to_string(me.path("out/résumé-2.json")).unwrap(), "1\n");
    assert_eq!(std::fs::read_dir(me.path("out")).unwrap().count(), 13);
    let shown = me.types("call odd /named -o ~/out/ --dry-run").out;
    assert!(shown.contains("out/\"\nremote-name\nremote-header-name\nno-clobber\n"), "{shown}");
    assert_eq!(odd.asked(), 16);
    // a long name is told whole
    let name = "a".repeat(250);
    let done = me.types(&format!("call odd /{name} -o ~/out/"));
    let cut = &name[..200];
    done.is(0, &format!("~/out/{cut}\n"), &format!("written to `~/out/{cut}`\n"));
}

#[test]
fn a_file_that_appears_during_a_download_stays() {
    let mut me = Person::new();
    let folder = me.path("out");
    std::fs::create_dir(&folder).unwrap();
    // the server is asked after the name was free
    let named = folder.join("x.json");
    let odd = api(&mut me, move |_| {
        std::fs::write(&named, "mine").unwrap();
        answer(200, "application/json", "[1]")
    });
    for (more, name) in [("", "x-1.json"), ("--jq .", "x-2.json"), ("--paginate", "x-3.json")] {
        me.types(&format!("call odd /x.json -o ~/out/ -q {more}")).is(0, &format!("~/out/{name}\n"), "");
        assert_eq!(std::fs::read_to_string(me.path("out/x.json")).unwrap(), "mine", "{more}");
    }
    assert_eq!((odd.asked(), std::fs::read_dir(&folder).unwrap().count()), (3, 4));
}

// RFC 9110, section 15.3.7
#[test]
fn a_part_that_nobody_asked_for_is_no_answer() {
    let mut me = Person::new();
    let odd = api(&mut me, |request| {
        let mut part = answer(206, "application/json", "[1]");
        let said = if request.path.ends_with("/late") { "bytes 3-5/10" } else { "bytes 0-2/10" };
        part.headers.push(("Content-Range".into(), said.into()));
        part.headers.push(("ETag".into(), "\"v1\"".into()));
        part
    });
    let told = "
        error: the API gives a part of the content that was not asked for
        caused by: status 206 (RFC 9110, section 15.3.7)
    ";
    std::fs::create_dir(me.path("out")).unwrap();
    for more in ["", "-o ~/f", "-o ~/out/", "--jq .", "--format csv", "--paginate", "--cache 5m", "-i", "--graphql"] {
        me.types(&format!("call odd /x {more}")).fails(7, told);
    }
    me.types("call odd POST /x a=1").fails(7, told);
    me.types("call odd /late Range:bytes=0-2").fails(7, told);
    assert!(!me.path("f").exists() && std::fs::read_dir(me.path("out")).unwrap().count() == 0);
    // who asks for a part gets it
    me.types("call odd /x Range:bytes=0-2").is(0, "[1]", "");
    me.types("call odd /late Range:bytes=3-5 -o ~/f").is(0, "", "");
    assert_eq!(std::fs::read_to_string(me.path("f")).unwrap(), "[1]");
    assert!(odd.asked() > 0);
}

#[test]
fn a_download_goes_on_where_it_stopped() {
    let mut me = Person::new();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = asked.clone();
    let whole = "0123456789";
    let _odd = api(&mut me, move |request| {
        let range = request.header("range").unwrap_or("-").to_owned();
        let same = request.header("if-range") == Some("\"v1\"");
        seen.lock().unwrap().push(range.clone());
        let mut response: serve::Response =
            match range.strip_prefix("bytes=").and_then(|r| r.strip_suffix('-')?.parse::<usize>().ok()) {
                Some(from) if same && from < whole.len() => {
                    // a server may give less than the rest
                    let end = if request.path.ends_with("/short") { (from + 2).min(10) } else { 10 };
                    let mut part = answer(206, "text/plain", &whole[from..end]);
                    part.headers.push(("Content-Range".into(), format!("bytes {from}-{}/10", end - 1)));
                    part
                }
                Some(_) if same => answer(416, "text/plain", ""),
                _ => answer(200, "text/plain", whole),
            };
        response.headers.push(("ETag".into(), "\"v1\"".into()));
        response
    });
    let take = || std::mem::take(&mut *asked.lock().unwrap());
    let leave = |me: &mut Person, tag: &str, bytes: &str| {
        let broken = me.cuts(1).types("call odd /x -o ~/f --retry 0");
        assert!(broken.code == 75 && broken.err.ends_with("hint: what came so far is kept: it goes on there\n"));
        take();
        let about = std::fs::read_to_string(me.path("f.part-of")).unwrap();
        std::fs::write(me.path("f.part"), bytes).unwrap();
        std::fs::write(me.path("f.part-of"), format!("{}\n{tag}\n", about.lines().next().unwrap())).unwrap();
    };
    for (tag, there, ranges) in [
        ("\"v1\"", "0123", vec!["bytes=4-"]),
        // another version: all of it
        ("\"v0\"", "abcd", vec!["bytes=4-"]),
        // more than there is
        ("\"v1\"", "0123456789", vec!["bytes=10-", "-"]),
    ] {
        leave(&mut me, tag, there);
        me.types("call odd /x -o ~/f").is(0, "", "");
        assert_eq!(std::fs::read_to_string(me.path("f")).unwrap(), whole, "{tag} {there}");
        assert_eq!(take(), ranges);
        assert!(!me.path("f.part").exists() && !me.path("f.part-of").exists());
    }
    // who asks for another form of it, or for a part, gets that
    leave(&mut me, "\"v1\"", "0123");
    me.types("call odd /x Accept:text/csv -o ~/f").is(0, "", "");
    leave(&mut me, "\"v1\"", "0123");
    me.types("call odd /x Range:bytes=0-1 -o ~/f").is(0, "", "");
    assert_eq!(take(), ["bytes=0-1"]);
    // another login begins anew
    leave(&mut me, "\"v1\"", "0123");
    let mut other = me.record("odd");
    other["account"] = "b".into();
    me.keychain.put("odd", &other.to_string());
    me.copies.clear();
    me.types("call odd /x -o ~/f").is(0, "", "");
    assert_eq!(take(), ["-"]);
    assert_eq!(std::fs::read_to_string(me.path("f")).unwrap(), whole);
    // into a folder it is the same, in this run and in the next one
    std::fs::create_dir(me.path("out")).unwrap();
    for (path, ranges) in [("/x", &["bytes=3-"][..]), ("/short", &["bytes=3-", "bytes=5-", "bytes=7-", "bytes=9-"])] {
        for options in [&[""][..], &["--retry 0", ""]] {
            for (n, options) in options.iter().enumerate() {
                let line = format!("call odd {path} -o ~/out/ {options}");
                let done = if n == 0 { me.cuts(1).types(&line) } else { me.types(&line) };
                assert_eq!(done.code, if options.is_empty() { 0 } else { 75 }, "{line}: {}", done.err);
            }
            assert_eq!(take(), [&["-"][..], ranges].concat(), "{path} {options:?}");
        }
    }
    let mut files: Vec<_> = std::fs::read_dir(me.path("out")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["short", "short-1", "x", "x-1"]);
    for file in files {
        assert_eq!(std::fs::read_to_string(me.path("out").join(file)).unwrap(), whole);
    }
}

#[test]
fn an_answer_that_breaks_off_unseen_is_asked_for_again() {
    for (line, cuts, asked, code, out) in [
        ("call odd /x -o ~/f", 2, 3, 0, ""),
        ("call odd /x -o ~/f -i", 2, 3, 0, ""),
        ("call odd /x -o ~/f", 4, 4, 75, ""),
        ("call odd PUT /x a=1 -o ~/f", 1, 2, 0, ""),
        ("call odd /x --jq .total", 2, 3, 0, "2\n"),
        ("call odd /x --jq .people[0].n", 3, 4, 0, "1\n"),
        ("call odd /x --jq .total --retry 0", 1, 1, 75, ""),
        // what may not be repeated, and what was shown
        ("call odd POST /x a=1 -o ~/f", 1, 1, 75, ""),
        ("call odd POST /x a=1 --jq .total", 1, 1, 75, ""),
        ("call odd /x", 1, 1, 75, "{\"p"),
        ("call odd /x --format raw", 1, 1, 75, "{\"p"),
    ] {
        let (mut me, odd) = people();
        let done = me.cuts(cuts).types(line);
        assert_eq!((done.code, done.out.as_str(), odd.asked()), (code, out, asked), "{line}: {}", done.err);
        assert_eq!(me.path("f").exists(), line.contains("~/f") && code == 0, "{line}");
        assert!(!me.path("f.part").exists(), "{line}");
        if code == 75 {
            assert!(done.err.starts_with("error: the answer broke off\n"), "{line}: {}", done.err);
            let unsure = done.err.contains("it may have been done all the same: look before you send it again");
            let again = done.err.contains("run the command again");
            assert_eq!((unsure, again), (line.contains("POST"), !line.contains("POST")), "{line}: {}", done.err);
        }
    }
}

#[test]
fn a_refusal_is_told_even_if_it_breaks_off_and_a_break_during_an_upload_is_explained() {
    let mut me = Person::new();
    let _odd = api(&mut me, |_| answer(413, "text/plain", "too large"));
    me.cuts(1).types("call odd POST /x a=1").is(22, "too", "error: the API answered 413\n");
    std::fs::write(me.path("body"), vec![b'a'; 3 << 20]).unwrap();
    let done = me.types(&format!("call odd POST http://{}/x --anywhere --input ~/body", raw(b"")));
    assert_eq!(done.code, 75, "{}", done.err);
    assert!(done.err.contains("hint: the server may have refused the body, for its size"), "{}", done.err);
    assert!(done.err.contains("hint: it may have been done all the same"), "{}", done.err);
}

#[test]
fn a_dry_run_sends_nothing_and_shows_no_token() {
    let (mut me, server) = practice();
    let token = me.kept("practice", "access_token");
    let before = server.log().len();
    let done = me.types("call practice /echo q==1 name=Ann X-A:b --dry-run --store keychain");
    done.is(
        0,
        "
        curl --fail-with-body -K - <<CURL
        url = \"http://127.0.0.1:PORT/api/echo?q=1\"
        globoff
        request = \"POST\"
        header = \"accept: application/json, */*;q=0.5\"
        header = \"content-type: application/json\"
        header = \"x-a: b\"
        header = \"authorization: Bearer $(oauthctl token practice --store keychain)\"
        data-raw = \"{\\\\\"name\\\\\":\\\\\"Ann\\\\\"}\"
        CURL
    ",
        "",
    );
    done.tells_nothing_of(&token);
    assert_eq!(server.log().len(), before);
}

#[test]
fn a_printed_request_asks_for_the_same_token() {
    let (mut me, _server) = practice();
    std::fs::write(me.path("key.pem"), "").unwrap();
    let options = "--audience https://a.example --auth private-key-jwt --client-key-file /key.pem --dpop --resource https://r.example";
    let shown = me.types(&format!("call practice /x --dry-run {options}")).out.clone();
    // Windows gives the path its drive, which is quoted then
    let shown = shown.replace("'Z:\\key.pem'", "/key.pem").replace("'C:\\key.pem'", "/key.pem");
    let token = shown.split("$(oauthctl token ").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default();
    for option in options.split(" --") {
        assert!(token.contains(option.trim_start_matches("--")), "{option}: {shown}");
    }
}

/// Gives each connection this answer, and ends it.
fn raw(answer: &'static [u8]) -> std::net::SocketAddr {
    let (listener, address) = crate::world::serve::taken();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut seen = Vec::new();
            let mut byte = [0];
            while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
                seen.push(byte[0]);
            }
            let length = String::from_utf8_lossy(&seen).to_lowercase();
            let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            let _ = stream.read_exact(&mut vec![0; length.unwrap_or(0)]);
            let _ = stream.write_all(answer);
        }
    });
    address
}

// what was sent may have been done, whatever is wrong with the answer
#[test]
fn a_malformed_answer_is_told_from_one_that_broke_off() {
    for (answer, option, code) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":1"[..], "", 75),
        (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"", "--jq .", 75),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}", "", 7),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "--jq .", 75),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 16\r\n\r\nnone of the kind", "--jq .", 7),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n", "--jq .", 75),
        (b"HTTP/1.1 xyz OK\r\n\r\n", "", 7),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "", 7),
        (b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nabcde", "", 7),
        (b"", "", 75),
    ] {
        for (method, hint) in [("GET", false), ("POST", true), ("PATCH", true), ("DELETE", false)] {
            let (mut me, _odd) = people();
            assert_eq!(me.types("call odd /x").code, 0);
            let text = String::from_utf8_lossy(answer);
            let done = me.types(&format!("call odd {method} http://{}/x --anywhere --retry 0 {option}", raw(answer)));
            assert_eq!(done.code, code, "{method} {text}: {}", done.err);
            let said = done.err.contains("it may have been done all the same: look before you send it again");
            assert_eq!(said, hint, "{method} {text}: {}", done.err);
            assert!(!hint || !done.err.contains("run the command again"), "{method} {text}: {}", done.err);
        }
    }
}

#[test]
fn a_pipe_gets_indented_and_coloured_json_where_that_is_asked_for() {
    let mut me = Person::new();
    let _odd = api(&mut me, |_| answer(200, "application/json", "{\"a\":[1]}"));
    me.set("NO_COLOR", "1");
    me.types("call odd /x").is(0, "{\"a\":[1]}", "");
    for more in ["", "--jq .", "--paginate"] {
        me.types(&format!("call odd /x --pretty {more}")).is(0, "{\n  \"a\": [\n    1\n  ]\n}\n", "");
        me.types(&format!("call odd /x --color {more}")).is(0, "{\x1b[1;34m\"a\"\x1b[0m:[\x1b[36m1\x1b[0m]}\n", "");
    }
}
