//! `call --cache`: a kept answer is served again to the login that got it, and to no other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::call::api;
use crate::world::{Person, START, answer, serve};

/// Each answer has the number of its request and the token; `conditions` are those of the requests.
fn counting(conditions: Arc<Mutex<Vec<String>>>) -> impl Fn(&serve::Request) -> serve::Response + Send + Sync {
    let count = AtomicUsize::new(0);
    move |request| {
        let n = count.fetch_add(1, Ordering::SeqCst) + 1;
        let condition = request.header("if-none-match").or(request.header("if-modified-since"));
        conditions.lock().unwrap().extend(condition.map(str::to_owned));
        if condition == Some("W/\"same\"") {
            return answer(304, "application/json", "");
        }
        let token = request.header("authorization").unwrap_or_default().replace("Bearer ", "");
        let mut said = answer(200, "application/json", &format!("[{{\"n\":{n},\"token\":\"{}\"}}]", &token[..5]));
        let (name, value) = match request.path.as_str() {
            "/api/same" => ("ETag", "W/\"same\""),
            "/api/dated" => ("Last-Modified", "Sat, 21 Nov 2026 22:00:00 GMT"),
            "/api/private" => ("Cache-Control", "private, No-Store"),
            "/api/any" => ("Vary", "Accept, *"),
            _ => ("Set-Cookie", "a=cookie"),
        };
        said.headers.push((name.into(), value.into()));
        said
    }
}

fn kept(me: &Person) -> usize {
    let folders = std::fs::read_dir(me.path("state/oauthctl/answers")).into_iter().flatten();
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

#[test]
fn a_kept_answer_is_served_without_a_request_and_asked_about_later() {
    let mut me = Person::new();
    let conditions: Arc<Mutex<Vec<String>>> = Arc::default();
    let odd = api(&mut me, counting(conditions.clone()));
    let one = "[{\"n\":1,\"token\":\"first\"}]";
    me.types("call odd /same --cache 5m").is(0, one, "");
    me.later(299);
    me.types("call odd /same --cache 5m").is(0, one, "");
    me.types("call odd /same --cache 5m -o ~/f").is(0, "", "");
    assert_eq!(std::fs::read_to_string(me.path("f")).unwrap(), one);
    let whole = me.types("call odd /same --cache 5m -i").out;
    assert!(whole.contains("etag: W/\"same\"\r\n") && whole.ends_with(one), "{whole}");
    assert_eq!(odd.asked(), 1);
    // a filter and a format read the same one
    me.types("call odd /same --cache 5m --jq .[].n").is(0, "1\n", "");
    me.types("call odd /same --cache 5m --pretty --format json --jq .[].token").is(0, "\"first\"\n", "");
    me.types("call odd /same --cache 5m --paginate").is(0, "{\"n\":1,\"token\":\"first\"}\n", "");
    assert_eq!(odd.asked(), 1);
    // older: 304 keeps it for another time
    me.later(1);
    me.types("call odd /same --cache 5m").is(0, one, "");
    me.later(200);
    me.types("call odd /same --cache 5m").is(0, one, "");
    assert_eq!((odd.asked(), conditions.lock().unwrap().len()), (2, 1));
    me.types("call odd /same").is(0, "[{\"n\":3,\"token\":\"first\"}]", "");
    me.types("call odd /dated --cache 1m").is(0, "[{\"n\":4,\"token\":\"first\"}]", "");
    me.later(61);
    me.types("call odd /dated --cache 1m").is(0, "[{\"n\":5,\"token\":\"first\"}]", "");
    me.types("call odd /dated --cache 1m").is(0, "[{\"n\":5,\"token\":\"first\"}]", "");
    assert_eq!(*conditions.lock().unwrap(), ["W/\"same\"", "Sat, 21 Nov 2026 22:00:00 GMT"]);
    // neither the API nor the token endpoint is asked
    me.later(3600);
    me.types("call odd /dated --cache 2h").is(0, "[{\"n\":5,\"token\":\"first\"}]", "");
    assert_eq!(odd.asked(), 5);
}

#[test]
fn one_entry_serves_whoever_reads_it_and_whoever_prints_it() {
    use std::io::Write as _;
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zipped.write_all(b"[7]").unwrap();
    let zipped = zipped.finish().unwrap();
    for lines in [["--jq .[]", "", "--paginate"], ["", "--paginate", "--jq .[]"]] {
        let mut me = Person::new();
        let zipped = zipped.clone();
        let odd = api(&mut me, move |request| {
            let mut said = answer(200, "application/json", "[7]");
            if request.header("accept-encoding").is_some_and(|asked| asked.contains("gzip")) {
                said.body = zipped.clone();
                said.headers.push(("Content-Encoding".into(), "gzip".into()));
            }
            said
        });
        for line in lines {
            let want = if line.is_empty() { "[7]" } else { "7\n" };
            me.types(&format!("call odd /x --cache 5m {line}")).is(0, want, "");
        }
        assert_eq!(odd.asked(), 1, "{lines:?}");
        // who asks for a coding gets that
        let coded = me.types("call odd /x Accept-Encoding:gzip --cache 5m -o ~/f");
        assert_eq!((coded.code, odd.asked()), (0, 2));
        assert!(std::fs::read(me.path("f")).unwrap().starts_with(b"\x1f\x8b"));
    }
}

#[test]
fn what_was_changed_is_not_served() {
    let mut me = Person::new();
    let odd = api(&mut me, counting(Arc::default()));
    let files = |me: &Person| -> Vec<std::path::PathBuf> {
        let folder = std::fs::read_dir(me.path("state/oauthctl/answers")).unwrap().next().unwrap().unwrap().path();
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect()
    };
    let ask = |me: &mut Person, n: usize| {
        me.types("call odd /x --cache 5m").is(0, &format!("[{{\"n\":{n},\"token\":\"first\"}}]"), "");
    };
    ask(&mut me, 1);
    let file = &files(&me).remove(0);
    let whole = std::fs::read(file).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let changes = [vec![], b"\n".to_vec(), whole[..whole.len() - 1].to_vec(), flipped, whole[..10].to_vec()];
    for (n, change) in changes.iter().enumerate() {
        std::fs::write(file, change).unwrap();
        ask(&mut me, n + 2);
        ask(&mut me, n + 2);
    }
    // neither a folder in its place nor one that is missing ends the call
    std::fs::remove_file(file).unwrap();
    std::fs::create_dir(file).unwrap();
    ask(&mut me, 7);
    std::fs::remove_dir_all(me.path("state/oauthctl/answers")).unwrap();
    std::fs::write(me.path("state/oauthctl/answers"), "").unwrap();
    ask(&mut me, 8);
    assert_eq!(odd.asked(), 8);
}

#[test]
fn a_new_login_begins_with_nothing_kept() {
    let mut me = Person::new();
    let count = AtomicUsize::new(0);
    let odd = me.odd("odd", move |request| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        let token =
            json!({ "access_token": format!("token-{n}-0123456789"), "token_type": "Bearer", "expires_in": 3600 });
        match request.path.as_str() {
            "/token" => answer(200, "application/json", &token.to_string()),
            _ => answer(200, "text/plain", &request.header("authorization").unwrap()[..14]),
        }
    });
    me.config("providers/odd.toml", &odd.provider("odd"));
    me.set("OAUTHCTL_ODD_CLIENT_SECRET", "env-secret");
    for (before, want) in [("", "Bearer token-0"), ("", "Bearer token-2"), ("logout odd", "Bearer token-4")] {
        if !before.is_empty() {
            assert_eq!((me.types(before).code, kept(&me)), (0, 0));
        }
        me.later(1);
        assert_eq!(me.types("login odd --grant client-credentials").code, 0);
        for _ in 0..2 {
            assert_eq!(me.types("call odd /x --cache 5m").out, want);
        }
    }
    assert_eq!(odd.asked(), 6);
}

#[test]
fn a_hit_says_nothing_of_a_request_and_the_two_caches_are_told_apart() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(200, "application/json", "[1]"));
    let elsewhere = odd.base.replace("127.0.0.1", "localhost");
    let line = format!("call odd {elsewhere}/x --anywhere --cache 5m");
    me.types(&line).is(0, "[1]", "`localhost` is not a host of `odd`: sent without the token\n");
    me.types(&line).is(0, "[1]", "");
    assert_eq!(odd.asked(), 1);
    me.types("call odd /x --cache 5m --no-cache").fails(
        2,
        "
        error: `--cache` and `--no-cache` exclude each other
        hint: without `--cache` no answer is kept; `--no-cache` is for the kernel's copy of the token
    ",
    );
}

#[test]
fn what_must_not_be_kept_is_not() {
    let mut me = Person::new();
    let odd = api(&mut me, counting(Arc::default()));
    for path in ["/private", "/any", "/same Range:bytes=0-1", "/same If-Match:x"] {
        for _ in 0..2 {
            assert_eq!(me.types(&format!("call odd {path} --cache 5m")).code, 0);
        }
    }
    assert_eq!((odd.asked(), kept(&me)), (8, 0));
    me.types("call odd POST /x --cache 5m").fails(2, "error: `--cache` is for GET, and this is POST\n");
    // all that may change the answer tells kept ones apart
    for more in ["/x", "/x q==1", "/x X-A:1", "/x Accept:", "/y"] {
        let first = me.types(&format!("call odd {more} --cache 5m")).out;
        assert_eq!(me.types(&format!("call odd {more} --cache 5m")).out, first);
    }
    assert_eq!((odd.asked(), kept(&me)), (13, 5));
    for entry in std::fs::read_dir(me.path("state/oauthctl/answers")).unwrap() {
        for file in std::fs::read_dir(entry.unwrap().path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains("cookie") && !text.contains("first-0"), "{text}");
        }
    }
}

#[test]
fn another_login_never_sees_it_and_a_logout_removes_it() {
    let mut me = Person::new();
    let odd = api(&mut me, counting(Arc::default()));
    me.types("call odd /x --cache 5m").is(0, "[{\"n\":1,\"token\":\"first\"}]", "");
    let mine = me.record("odd");
    // another account in the same profile
    let mut other = mine.clone();
    other["token"]["access_token"] = json!("other-0123456789");
    me.keychain.put("odd", &other.to_string());
    me.copies.clear();
    me.types("call odd /x --cache 5m").is(0, "[{\"n\":2,\"token\":\"other\"}]", "");
    // the same by the time of the login, and by its key
    for (name, value) in [("login_at", json!(START)), ("journal_key", json!("a2V5")), ("account", json!("b"))] {
        other[name] = value;
        me.keychain.put("odd", &other.to_string());
        me.copies.clear();
        let asked = odd.asked();
        assert_eq!(me.types("call odd /x --cache 5m").code, 0);
        assert_eq!(odd.asked(), asked + 1, "{name}");
    }
    // a refresh keeps the login, and what it got
    let asked = odd.asked();
    other["token"]["access_token"] = json!("later-0123456789");
    me.keychain.put("odd", &other.to_string());
    assert!(me.types("call odd /x --cache 5m").out.contains("other"));
    assert_eq!(odd.asked(), asked);
    assert_eq!(kept(&me), 5);
    assert_eq!(me.types("logout odd").code, 0);
    assert_eq!(kept(&me), 0);
    assert_eq!(me.types("call odd /x --cache 5m").code, 4);
    // a variable's token is a login of its own
    me.set("OAUTHCTL_STORE", "environment").set("OAUTHCTL_ODD_TOKEN", "third-0123456789");
    assert!(me.types("call odd /x --cache 5m").out.contains("third"));
    me.set("OAUTHCTL_ODD_TOKEN", "fourth-0123456789");
    assert!(me.types("call odd /x --cache 5m").out.contains("fourt"));
}

#[cfg(unix)]
#[test]
fn kept_answers_are_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let mut me = Person::new();
    let _odd = api(&mut me, counting(Arc::default()));
    assert_eq!(me.types("call odd /x --cache 5m").code, 0);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = std::fs::read_dir(me.path("state/oauthctl/answers")).unwrap().next().unwrap().unwrap().path();
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    // what others may read by now is closed
    for path in [&folder, &file] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    assert_eq!(me.types("call odd /x --cache 5m").code, 0);
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
}
