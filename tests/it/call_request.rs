//! `call`: requests as users type them, and how often each is sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oauthctl::world::Clock;
use serde_json::json;

use crate::call::{api, echoed, practice, signed_in};
use crate::world::serve;
use crate::world::{Person, answer};

#[test]
fn nested_keys_make_a_nested_body() {
    let (mut me, _server) = practice();
    let line = "call practice /echo email_address[address]=ann@example.test list_memberships[]=a list_memberships[]=b n[x][0]:=1";
    assert_eq!(
        echoed(&mut me, line)["body"],
        json!({ "email_address": { "address": "ann@example.test" }, "list_memberships": ["a", "b"], "n": { "x": [1] } })
    );
    assert_eq!(echoed(&mut me, "call practice /echo []:=1 []:=2")["body"], json!([1, 2]));
    me.types("call practice /echo a[b=1").fails(
        2,
        "
        error: the key `a[b` can't be read
        caused by: after `a[b`: expected `]`
        hint: `a[b]=…` nests, `a[]=…` appends, `a[0]=…` sets a place; `\\[` is a bracket of the name itself
    ",
    );
}

#[test]
fn a_form_and_an_upload_have_their_own_types() {
    let (mut me, _server) = practice();
    let form = echoed(&mut me, "call practice /echo --form a=1+1 b:=true a=2");
    assert_eq!(form["headers"]["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(form["body"], json!({ "a": "2", "b": "true" }));
    assert_eq!(form["headers"]["content-length"], "18");
    std::fs::write(me.path("people.csv"), "email\nann@example.test\n").unwrap();
    let parts = echoed(&mut me, "call practice /echo list=1 file@~/people.csv");
    let kind = parts["headers"]["content-type"].as_str().unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = parts["body"].as_str().unwrap();
    assert_eq!(body.matches(boundary).count(), 3, "{body}");
    assert!(
        body.contains("name=\"file\"; filename=\"people.csv\"\r\nContent-Type: text/csv\r\n\r\nemail\nann@"),
        "{body}"
    );
    for options in [
        ";type=text/plain;filename=a\"b.txt",
        ";filename=a\"b.txt;type=text/plain",
        ";filename=\"a\\\"b.txt\";type=text/plain",
    ] {
        let parts = echoed(&mut me, &format!("call practice /echo file@~/people.csv{options}"));
        let head = "name=\"file\"; filename=\"a%22b.txt\"\r\nContent-Type: text/plain\r\n\r\nemail\n";
        assert!(parts["body"].as_str().unwrap().contains(head), "{parts}");
    }
    me.types("call practice /echo --form a:=[1]").fails(
        2,
        "
        error: `a` can't be a field of a form
        caused by: a form holds texts, numbers and booleans
    ",
    );
}

#[test]
fn a_body_is_streamed_from_a_file_or_a_pipe() {
    let (mut me, _server) = practice();
    std::fs::write(me.path("body.json"), "{\"from\":\"a file\"}").unwrap();
    assert_eq!(echoed(&mut me, "call practice PUT /echo --input ~/body.json")["body"], json!({ "from": "a file" }));
    me.stdin("{\"from\":\"a pipe\"}");
    assert_eq!(echoed(&mut me, "call practice /echo --input -")["body"], json!({ "from": "a pipe" }));
    assert_eq!(echoed(&mut me, "call practice POST /echo --json")["body"], json!({}));
    me.types("call practice /echo --input /no/such/file").fails(
        2,
        "
        error: `/no/such/file` can't be read
        caused by: No such file or directory (os error 2)
    ",
    );
    me.types("call practice /echo --input x a=b")
        .fails(2, "error: the body is given twice: by `--input` and by items\n");
}

#[test]
fn a_value_may_begin_with_a_hyphen() {
    let (mut me, _server) = practice();
    assert_eq!(echoed(&mut me, "call practice /echo -d -5")["body"], json!(-5));
    // curl, too, takes the next word whatever it is
    assert_eq!(echoed(&mut me, "call practice /echo -d --json")["body"], "--json");
    assert_eq!(echoed(&mut me, "call practice /echo -H -x:1")["headers"]["-x"], "1");
    me.types("call practice /echo --jq [$a,$b,$c] --arg a -5 --arg b --json --argjson c -7").is(
        0,
        "[\"-5\",\"--json\",-7]\n",
        "",
    );
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_is_no_value() {
    let (mut me, server) = practice();
    let before = server.log().len();
    for item in ["k=@/dev/zero", "q==@/dev/zero", "k:=@/dev/zero"] {
        me.types(&format!("call practice POST /echo {item}")).fails(
            2,
            "
        error: `/dev/zero` is too large for a value
        caused by: it has more than 64 MiB
        hint: send it as the body: `--input FILE`
    ",
        );
    }
    assert_eq!(server.log().len(), before);
}

#[test]
fn standard_input_is_read_by_one_of_them() {
    let (mut me, server) = practice();
    let before = server.log().len();
    for (line, first, second) in [
        ("call practice POST /echo -d - --client-secret-file -", "-d", "--client-secret-file"),
        ("call practice POST /echo -d @- --assertion-file -", "-d", "--assertion-file"),
        ("call practice PUT /echo --input - --client-key-file -", "--input", "--client-key-file"),
        (
            "token practice --client-secret-file - --subject-token-file -",
            "--client-secret-file",
            "--subject-token-file",
        ),
    ] {
        me.types(line).fails(
            2,
            &format!(
                "
        error: standard input is wanted twice: by `{first} -` and by `{second} -`
        hint: give one of them as a file
    "
            ),
        );
    }
    assert_eq!(server.log().len(), before);
}

#[test]
fn headers_are_set_added_emptied_and_left_out() {
    let (mut me, _server) = practice();
    let words = [
        "call",
        "practice",
        "/echo",
        "a=1",
        "Accept:",
        "X-Empty;",
        "X-Two:1",
        "-H",
        "X-Two: 2",
        "-H",
        "Content-Type: a/b",
    ];
    let done = me.runs(&words);
    let seen: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let headers = seen["headers"].as_object().unwrap();
    // the HTTP client's own, which says nothing
    assert_eq!(headers["accept"], "*/*");
    assert_eq!(headers["user-agent"].as_str().map(|agent| agent.starts_with("oauthctl/")), Some(true));
    let done = me.types("call practice /echo User-Agent:");
    assert!(!done.out.contains("user-agent"), "{}", done.out);
    assert_eq!((headers["x-empty"].as_str(), headers["content-type"].as_str()), (Some(""), Some("a/b")));
    //
    for header in ["Host: evil.example", "Authorization: Bearer x", "X: a\r\nHost: evil.example"] {
        assert_eq!(me.runs(&["call", "practice", "/echo", "-H", header]).code, 7, "{header}");
    }
}

#[test]
fn the_method_is_a_word_or_an_option() {
    let (mut me, _server) = practice();
    assert_eq!(echoed(&mut me, "call practice -X patch /echo a=1")["method"], "PATCH");
    assert_eq!(echoed(&mut me, "call practice PUT /echo -X PUT")["method"], "PUT");
    me.types("call practice GET /echo -X PUT").fails(2, "error: the method is given twice: `-X PUT` and `GET`\n");
    assert_eq!(echoed(&mut me, "call practice put /echo a=1")["method"], "PUT");
    // what has no body says so, where a server waits for one
    for (method, length) in [("POST", Some("0")), ("PUT", Some("0")), ("DELETE", None), ("GET", None)] {
        let seen = echoed(&mut me, &format!("call practice {method} /echo"));
        assert_eq!(seen["headers"]["content-length"].as_str(), length, "{method}");
    }
    for (method, shown) in [("FOO BAR", "FOO BAR"), ("", ""), ("A\nB", "A B")] {
        me.runs(&["call", "practice", "/echo", "-X", method])
            .fails(2, &format!("error: `{shown}` is not a method\nhint: `-X PATCH`\n"));
    }
    let done = me.types("call practice /me --head");
    assert!(
        done.code == 0 && done.out.starts_with("HTTP/1.1 200\r\n") && done.out.ends_with("\r\n\r\n"),
        "{}",
        done.out
    );
    assert_eq!(done.sent, ["HEAD http://127.0.0.1:PORT/api/me"]);
}

#[test]
fn braces_are_filled_from_the_login() {
    let mut me = Person::new();
    let odd = api(&mut me, |request| answer(200, "text/plain", &request.path));
    me.tamper("odd", |r| r["token"]["extra"] = json!({ "user_id": 17, "shop": "a/../b" }));
    me.types("call odd /users/{user_id}/x").is(0, "/api/users/17/x", "");
    me.sees_stdout().types("call odd /s/{shop}").is(0, "/api/s/a%2F%2E%2E%2Fb\n", "");
    me.types("call odd /users/{user}").fails(
        2,
        "
        error: nothing is known as `{user}` of profile `odd`
        hint: known: shop, user_id; write `%7B` for a `{` of the path itself
    ",
    );
    assert_eq!(odd.asked(), 2);
}

//
#[test]
fn another_host_is_refused_or_asked_without_the_token() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(200, "text/plain", "ours"));
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = seen.clone();
    let stranger = me.odd("stranger", move |request| {
        kept.lock().unwrap().extend(request.headers.iter().map(|(n, v)| format!("{n}: {v}")));
        answer(200, "text/plain", "theirs")
    });
    for (target, why) in [
        ("http://plain.example/x", "plain `http` is for this machine's own loopback alone"),
        ("file:///etc/passwd", "`file:` is not spoken, only `https`"),
    ] {
        let done = me.types(&format!("call odd {target} --anywhere"));
        assert_eq!((done.code, done.err.contains(why)), (7, true), "{}", done.err);
    }
    let url = format!("{}/x", stranger.base);
    me.types(&format!("call odd {url}")).fails(
        7,
        "
        error: no token is sent to `http://127.0.0.1:PORT/x`
        caused by: it is not on the hosts of `odd` (http://127.0.0.1:PORT)
        hint: paths are relative to the provider's API: `/campaigns`; `oauthctl provider show` prints its hosts
        hint: `--anywhere` sends the request there without the token
    ",
    );
    me.types(&format!("call odd {url} --anywhere")).is(
        0,
        "theirs",
        "`127.0.0.1` is not a host of `odd`: sent without the token\n",
    );
    let seen = seen.lock().unwrap().join("\n");
    assert!(!seen.contains("first-0123456789") && !seen.contains("authorization"), "{seen}");
    me.types("call odd /x --anywhere").is(0, "ours", "");
    assert_eq!((odd.asked(), stranger.asked()), (1, 1));
}

/// Refuses so often, then agrees.
fn refusing(
    times: usize,
    refusal: impl Fn() -> serve::Response + Send + Sync + 'static,
) -> impl Fn(&serve::Request) -> serve::Response + Send + Sync {
    let asked = AtomicUsize::new(0);
    move |request| match asked.fetch_add(1, Ordering::SeqCst) < times {
        true => refusal(),
        false => answer(
            200,
            "application/json",
            &format!("\"{} {}\"", request.method, String::from_utf8_lossy(&request.body)),
        ),
    }
}

#[test]
fn a_passing_failure_is_met_with_another_attempt() {
    for (status, line, count) in [
        (503, "call odd /x", 3),
        (502, "call odd DELETE /x", 3),
        (504, "call odd PUT /x a=1", 3),
        (429, "call odd /x", 3),
        (408, "call odd /x", 3),
        (500, "call odd /x", 3),
        // where nothing was done, any request may be repeated
        (429, "call odd POST /x a=1", 3),
        (408, "call odd PATCH /x a=1", 3),
        // what may not be repeated isn't
        (503, "call odd POST /x a=1", 1),
        (500, "call odd PATCH /x a=1", 1),
        (501, "call odd /x", 1),
        (503, "call odd /x --retry 0", 1),
        (503, "call odd /x --retry 1", 2),
    ] {
        let mut me = Person::new();
        let odd = api(&mut me, refusing(2, move || answer(status, "application/json", "{\"message\":\"later\"}")));
        let done = me.types(line);
        assert_eq!((done.code, odd.asked()), (if count == 3 { 0 } else { 22 }, count), "{line}: {}", done.err);
    }
}

// T-54
#[test]
fn the_wait_is_as_long_as_the_server_asks() {
    for (header, value, seconds) in [
        ("Retry-After", "7", 7),
        ("Retry-After", "Sat, 21 Nov 2026 22:00:09 GMT", 9),
        ("X-RateLimit-Reset", "3 seconds", 3),
    ] {
        let mut me = Person::new();
        let odd = api(
            &mut me,
            refusing(1, move || {
                let mut refusal = answer(429, "application/json", "{}");
                refusal.headers.push((header.into(), value.into()));
                refusal
            }),
        );
        let before = me.clock.elapsed();
        me.types("call odd /x").is(0, "\"GET \"", "");
        let waited = me.clock.elapsed() - before;
        assert!(
            waited >= Duration::from_secs(seconds) && waited < Duration::from_secs(seconds + 1),
            "{value}: {waited:?}"
        );
        assert_eq!(odd.asked(), 2);
    }
    // too long for anybody to wait: it is told
    for (value, told) in [
        ("3600", "again in 3600 s"),
        ("90000", "again later (the server asks for a wait of 25 h)"),
        ("Fri, 31 Dec 2037 23:59:59 GMT", "again later (the server asks for a wait of more than a year)"),
        ("343894769", "again later (the server asks for a wait of more than a year)"),
    ] {
        for (status, why) in [(429, "too many requests"), (503, "it is not available")] {
            let mut me = Person::new();
            let odd = api(
                &mut me,
                refusing(1, move || {
                    let mut refusal = answer(status, "application/json", "{}");
                    refusal.headers.push(("Retry-After".into(), value.into()));
                    refusal
                }),
            );
            let told = format!("error: the API answered {status}\nhint: {why}: run the command {told}\n");
            me.types("call odd /x").is(22, "{}", &told);
            assert_eq!(odd.asked(), 1);
        }
    }
}

#[test]
fn on_a_terminal_a_wait_is_shown() {
    let mut me = Person::new();
    let odd = api(
        &mut me,
        refusing(1, || {
            let mut refusal = answer(503, "application/json", "{}");
            refusal.headers.push(("Retry-After".into(), "2".into()));
            refusal
        }),
    );
    let done = me.sees_stderr().types("call odd /x");
    assert_eq!((done.code, done.err.as_str()), (0, "waiting 3 s: the API answered 503 (attempt 2 of 4)\n"));
    assert_eq!(odd.asked(), 2);
}

#[test]
fn requests_of_one_profile_keep_the_providers_limit() {
    let mut me = Person::new();
    let odd = me.odd("odd", |_| answer(200, "application/json", "{}"));
    signed_in(&mut me, &odd);
    me.config("providers/odd.toml", &format!("{}\n[limits]\nper-second = 4\nper-day = 6\n", odd.provider("odd")));
    let before = me.clock.elapsed();
    for _ in 0..5 {
        assert_eq!(me.types("call odd /x").code, 0);
    }
    let waited = me.clock.elapsed() - before;
    assert!(waited >= Duration::from_millis(1100) && waited < Duration::from_millis(1200), "{waited:?}");
    assert_eq!(me.types("call odd /x").code, 0);
    me.types("call odd /x").fails(
        75,
        "
        error: all 6 requests of this day have been sent
        caused by: the day ends in 120 min (00:00 UTC)
        hint: if the account's limit is higher: `limits.per-day` in the provider's file
    ",
    );
    assert_eq!(odd.asked(), 6);
    me.tamper("odd", |r| r["token"]["expires_at"] = json!(i64::MAX));
    me.later(7200);
    assert_eq!(me.types("call odd /x").code, 0);
}

#[test]
fn the_users_own_address_is_a_template() {
    let (mut me, server) = crate::call_pages::verticalresponse(1);
    let done = me.types("call verticalresponse /users/{user_id}");
    assert!(done.code == 0 && done.out.contains("alice@example.test"), "{}{}", done.out, done.err);
    drop(server);
}

#[test]
fn the_time_for_all_of_a_call_ends_its_waits_and_its_answer() {
    let mut me = Person::new();
    let sent = Arc::new(AtomicUsize::new(0));
    let seen = sent.clone();
    let _odd = api(&mut me, move |request| {
        seen.fetch_add(1, Ordering::SeqCst);
        match request.path.as_str() {
            "/api/busy" => answer(503, "application/json", "{}"),
            _ => {
                std::thread::sleep(Duration::from_secs(3));
                answer(200, "application/json", "{}")
            }
        }
    });
    let done = me.types("call odd /slow --max-time 1s --retry 0");
    assert_eq!(done.code, 75, "{}", done.err);
    let told =
        "did not answer within 1 second\nhint: run the command again later; `oauthctl doctor` looks at the network\n";
    assert!(done.err.ends_with(&format!("{told}hint: `--max-time TIME` waits longer\n")), "{}", done.err);
    assert_eq!(sent.swap(0, Ordering::SeqCst), 1);
    // the first waits take up to half a second, a second, two
    assert_eq!(me.types("call odd /busy --retry 9 --max-time 4s").code, 22);
    assert!((2..6).contains(&sent.swap(0, Ordering::SeqCst)));
    for line in ["call odd /slow --timeout 1s --retry 0", "call odd /slow --timeout 1s --max-time 2s"] {
        let done = me.types(line);
        assert_eq!(done.code, 75, "{line}: {}", done.err);
        assert!(done.err.ends_with(&format!("{told}hint: `--timeout TIME` waits longer\n")), "{line}: {}", done.err);
    }
    // one that may have done something
    let done = me.types("call odd POST /slow --timeout 1s");
    let look = "hint: it may have been done all the same: look before you send it again\nhint: `--timeout TIME` waits longer\n";
    assert!(done.err.ends_with(&format!("1 second\n{look}")), "{}", done.err);
    me.types("call odd /slow --timeout 0").is(0, "{}", "");
}

#[test]
fn a_redirect_takes_the_cookies_of_its_own_host_along() {
    let mut me = Person::new();
    let other = serve::serve(|request| answer(200, "text/plain", &format!("{:?}", request.header("cookie"))));
    let elsewhere = format!("http://{}/x", other.address);
    let _odd = api(&mut me, move |request| {
        let to = |place: &str, cookies: &[&str]| {
            let mut answer = answer(302, "text/plain", "");
            answer.headers.push(("Location".to_owned(), place.to_owned()));
            answer.headers.extend(cookies.iter().map(|line| ("Set-Cookie".to_owned(), (*line).to_owned())));
            answer
        };
        match request.path.as_str() {
            "/api/a" => to("b", &["one=1; Path=/; HttpOnly", "two=2", "three=3"]),
            "/api/b" => to("c", &["two=; Max-Age=0", "three=4"]),
            "/api/away" => to("away2", &["one=1"]),
            "/api/away2" => to(&elsewhere, &["two=2"]),
            _ => answer(200, "text/plain", request.header("cookie").unwrap_or("none")),
        }
    });
    me.types("call odd /a").is(0, "one=1; three=4", "");
    me.types("call odd /a Cookie:mine=0").is(0, "mine=0; one=1; three=4", "");
    me.types("call odd /c").is(0, "none", "");
    assert_eq!(me.types("call odd /away --anywhere").out, "None");
}
