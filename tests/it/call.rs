//! `call`: a request to the provider's API with the token, and to no other server.

use std::sync::{Arc, Mutex};

use oauthctl::sandbox::Manners;
use oauthctl::secret::fingerprint;
use serde_json::{Value, json};

use crate::world::robot::decided;
use crate::world::serve;
use crate::world::{Odd, Person, START, answer};

/// Signed in to a practice server of this test's own.
pub fn practice() -> (Person, oauthctl::sandbox::Server) {
    let mut me = Person::new();
    let server = me.practice(Manners::Sandbox);
    assert_eq!(me.browser(crate::world::robot::allows).types("login practice").code, 0);
    (me, server)
}

/// What the API's `/echo` was sent.
#[track_caller]
pub fn echoed(me: &mut Person, line: &str) -> Value {
    let done = me.types(line);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{line}: {}", done.out);
    let mut seen: Value = serde_json::from_str(&done.out).unwrap();
    let headers = seen["headers"].as_object_mut().unwrap();
    headers.retain(|name, _| !["host", "user-agent", "accept-encoding", "connection"].contains(&name.as_str()));
    seen
}

#[test]
fn the_first_call_of_a_fresh_machine() {
    let mut me = Person::new();
    me.signed_in();
    let alice = "{\"sub\":\"practice-69b1145a\",\"email\":\"alice@example.test\",\"name\":\"Alice\",\"client_id\":\"oauthctl\",\"scope\":\"profile email offline_access\"}";
    me.types("call sandbox /me").is(0, alice, "");
    me.types("call /me").is(0, alice, "");
}

#[test]
fn items_make_query_headers_and_a_json_body() {
    let (mut me, _server) = practice();
    let token = fingerprint(me.kept("practice", "access_token").as_bytes());
    let accept = "application/json, */*;q=0.5";
    assert_eq!(
        echoed(&mut me, "call practice /echo q==a=b page==2 X-Domain:example.test"),
        json!({
            "method": "GET", "path": "/api/echo", "query": ["q=a%3Db", "page=2"], "body": "",
            "headers": { "accept": accept, "x-domain": "example.test", "authorization": token },
        })
    );
    assert_eq!(
        echoed(&mut me, "call practice /echo?x=1 name=Ann age:=7 tags:=[\"a\"] Content-Type:application/vnd.api+json"),
        json!({
            "method": "POST", "path": "/api/echo", "query": ["x=1"], "body": { "name": "Ann", "age": 7, "tags": ["a"] },
            "headers": { "accept": accept, "content-type": "application/vnd.api+json", "content-length": "35", "authorization": token },
        })
    );
    assert_eq!(echoed(&mut me, "call practice DELETE /echo")["method"], "DELETE");
    assert_eq!(echoed(&mut me, "call PUT /echo a=b")["method"], "PUT");
}

#[test]
fn a_body_comes_from_the_line_a_file_or_standard_input() {
    let (mut me, _server) = practice();
    assert_eq!(echoed(&mut me, "call practice /echo -d {\"a\":1}")["body"], json!({ "a": 1 }));
    std::fs::write(me.path("body.json"), "{\"from\":\"a file\"}").unwrap();
    let file = me.path("body.json");
    assert_eq!(
        echoed(&mut me, &format!("call practice PUT /echo -d @{}", file.display()))["body"],
        json!({ "from": "a file" })
    );
    assert_eq!(echoed(&mut me, "call practice /echo -d @~/body.json")["body"], json!({ "from": "a file" }));
    me.stdin("{\"from\":\"a pipe\"}");
    assert_eq!(echoed(&mut me, "call practice /echo -d -")["body"], json!({ "from": "a pipe" }));
    me.types("call practice /echo -d @/no/such/file").fails(
        2,
        "
        error: `/no/such/file` can't be read
        caused by: No such file or directory (os error 2)
    ",
    );
    me.types("call practice /echo -d {} a=b").fails(2, "error: the body is given twice: by `-d` and by items\n");
    me.types("call practice /echo nonsense").fails(
        2,
        "
        error: `nonsense` is not a request item
        hint: `key=value`, `key:=json`, `key==query`, `Header:value` or `file@path`
    ",
    );
    me.types("call practice /echo a:={").fails(
        2,
        "
        error: the value of `a:=` is not JSON
        caused by: EOF while parsing an object at line 1 column 1
        hint: text is written `key=value`
    ",
    );
    me.types("call practice").fails(
        2,
        "
        error: `call` needs a path
        hint: oauthctl call PROFILE [METHOD] /PATH
    ",
    );
}

#[test]
fn include_shows_status_and_headers() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(200, "application/json", "{\"ok\":true}"));
    me.types("call odd /x -i").is(
        0,
        "HTTP/1.1 200\r\ncontent-type: application/json\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"ok\":true}",
        "",
    );
    assert_eq!(odd.asked(), 1);
}

#[test]
fn from_400_up_the_body_is_still_printed_and_the_exit_code_is_22() {
    let (mut me, _server) = practice();
    me.types("call practice /nowhere").is(22, "{\"error\":\"not_found\",\"error_description\":\"this API has /api/me, /api/items, /api/echo and /api/status/NNN\"}", "
        error: the API answered 404
        caused by: not_found: this API has /api/me, /api/items, /api/echo and /api/status/NNN
    ");
    me.types("call practice /status/429").is(
        22,
        "{\"status\":429,\"message\":\"as asked\"}",
        "
        error: the API answered 429
        caused by: as asked
        hint: too many requests: run the command again in 1 s
    ",
    );
    me.types("call practice /status/500 -q").is(
        22,
        "{\"status\":500,\"message\":\"as asked\"}",
        "
        error: the API answered 500
        caused by: as asked
    ",
    );
    me.types("call practice /status/403 --error-format json").is(
        22,
        "{\"status\":403,\"message\":\"as asked\"}",
        "
        {\"error\":\"api\",\"exit_code\":22,\"message\":\"the API answered 403\",\"causes\":[\"as asked\"],\"hints\":[]}
    ",
    );
    me.types("call practice /status/204").is(0, "", "");
}

#[test]
fn a_token_that_has_expired_is_renewed_beforehand() {
    let (mut me, server) = practice();
    me.later(700);
    let done = me.types("call practice /me");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.sent, ["POST http://127.0.0.1:PORT/token", "GET http://127.0.0.1:PORT/api/me"]);
    drop(server);
}

// T-61
#[test]
fn an_answer_that_means_expired_renews_once_and_tries_once_more() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.answers_hidden("practice-secret").browser(|_| Vec::new()).pastes(|url| decided(url, "allow"));
    assert_eq!(me.types("login getresponse --client-id practice-client --client-secret-file -").code, 0);
    // the server's token ends before ours says so
    me.tamper("getresponse", |r| r["token"]["expires_at"] = (START + 90_000).into());
    me.later(3700);
    let before = server.log().len();
    let done = me.types("call getresponse /campaigns");
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.starts_with("[{\"campaignId\":\"k1\""), "{}", done.out);
    let asked: Vec<(String, u16)> = server.log()[before..].iter().map(|l| (l.path.clone(), l.status)).collect();
    assert_eq!(asked, [("/v3/campaigns".into(), 401), ("/v3/token".into(), 200), ("/v3/campaigns".into(), 200)]);
}

#[test]
fn an_answer_that_means_wrong_renews_nothing() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.set("OAUTHCTL_GETRESPONSE_TOKEN", "a-wrong-token-0123");
    let done = me.types("call getresponse /campaigns");
    done.is(22, "{\"httpStatus\":401,\"code\":1014,\"codeDescription\":\"Problem during authentication process, check headers!\",\"message\":\"Unable to authenticate request. Check credentials or authentication method details\",\"moreInfo\":\"https://apidocs.getresponse.com/en/v3/errors/1014\",\"context\":{\"authenticationType\":\"oauth2\"}}", "
        error: the API answered 401
        caused by: 1014: Unable to authenticate request. Check credentials or authentication method details
        hint: the token comes from the variable OAUTHCTL_GETRESPONSE_TOKEN: set another
    ");
    assert_eq!(server.log().len(), 1);
}

#[test]
fn a_server_that_always_says_expired_is_asked_twice_and_no_more() {
    let mut me = Person::new();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let odd = me.odd("odd", move |request| {
        seen.lock().unwrap().push(request.path.clone());
        match request.path.as_str() {
            "/token" => answer(200, "application/json", r#"{"access_token":"new-0123456789","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2-0123456"}"#),
            _ => answer(401, "application/json", r#"{"error":"expired","error_description":"the token new-0123456789 has expired"}"#),
        }
    });
    signed_in(&mut me, &odd);
    let done = me.types("call odd POST /x a=b");
    assert_eq!(
        (done.code, done.out.as_str()),
        (22, "{\"error\":\"expired\",\"error_description\":\"the token new-0123456789 has expired\"}")
    );
    // the server's own words hold the token: the last net takes it out
    assert_eq!(
        done.err_cleaned(),
        "error: the API answered 401\ncaused by: expired: the token [sha256:…] has expired\nhint: sign in again: oauthctl login odd\n"
    );
    assert_eq!(*asked.lock().unwrap(), ["/api/x", "/token", "/api/x"]);
    assert_eq!(me.kept("odd", "access_token"), "new-0123456789");
}

const NEW_TOKEN: &str =
    r#"{"access_token":"new-0123456789","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2-0123456"}"#;

/// An API that takes nothing but the token that its own token endpoint gives.
fn wants_a_new_token(me: &mut Person) -> (Odd, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = seen.clone();
    let odd = api(me, move |request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if request.path == "/token" {
            return answer(200, "application/json", NEW_TOKEN);
        }
        kept.lock().unwrap().push(format!("{} {body}", request.method));
        match request.header("authorization") {
            Some("Bearer new-0123456789") => answer(200, "text/plain", &body),
            _ => answer(401, "application/json", r#"{"error":"expired"}"#),
        }
    });
    (odd, seen)
}

#[test]
fn a_body_from_a_pipe_is_not_sent_twice_and_the_token_is_renewed_for_the_next_time() {
    let mut me = Person::new();
    let (odd, seen) = wants_a_new_token(&mut me);
    me.stdin("{}");
    me.types("call odd /x -d -").is(
        22,
        r#"{"error":"expired"}"#,
        "
        error: the API answered 401
        caused by: expired
        hint: the token has been refreshed since, and the body from a pipe is gone: run the command again
    ",
    );
    assert_eq!((std::mem::take(&mut *seen.lock().unwrap()), odd.asked()), (vec!["POST {}".to_owned()], 2));
    me.stdin("{\"again\":1}");
    me.types("call odd /x --input -").is(0, "{\"again\":1}", "");
    assert_eq!((seen.lock().unwrap().len(), odd.asked()), (1, 3));
}

#[test]
fn standard_input_that_is_a_file_is_sent_once_more_from_where_it_stood() {
    use std::io::{Seek, SeekFrom};
    let mut me = Person::new();
    let (_odd, seen) = wants_a_new_token(&mut me);
    std::fs::write(me.path("body"), "a line that was read\n{\"rest\":1}").unwrap();
    let mut file = std::fs::File::open(me.path("body")).unwrap();
    file.seek(SeekFrom::Start(21)).unwrap();
    let mut ours = file.try_clone().unwrap();
    me.stdin_file(file).types("call odd PUT /x --input -").is(0, "{\"rest\":1}", "");
    assert_eq!(*seen.lock().unwrap(), ["PUT {\"rest\":1}", "PUT {\"rest\":1}"]);
    // and it has been read
    assert_eq!(ours.stream_position().unwrap(), 31);
}

/// An API of a few lines, and a token for it.
#[test]
fn the_token_is_masked_in_the_log_of_a_job() {
    let mut me = Person::new();
    let odd = api(&mut me, |request| match request.path.as_str() {
        "/token" => {
            answer(200, "application/json", "{\"access_token\":\"second-0123456789\",\"token_type\":\"Bearer\"}")
        }
        _ => answer(401, "application/json", &format!("{{\"sent\":{:?}}}", request.header("authorization"))),
    });
    me.set("GITHUB_ACTIONS", "true");
    let done = me.types("call odd /x");
    assert!(done.out.contains("second-0123456789"), "{}", done.out);
    assert!(
        done.err.starts_with("::add-mask::first-0123456789\n::add-mask::second-0123456789\nerror: "),
        "{}",
        done.err
    );
    me.set("GITHUB_ACTIONS", "false");
    assert!(!me.types("call odd /x").err.contains("0123456789"));
    drop(odd);
}

#[test]
fn a_job_is_not_told_to_sign_in() {
    let mut me = Person::new();
    let odd = me.odd("odd", |request| match request.path.as_str() {
        "/token" => answer(200, "application/json", "{\"access_token\":\"job-0123456789\",\"token_type\":\"Bearer\"}"),
        "/api/scope" => {
            let mut refused = answer(403, "application/json", "{}");
            let wanted = "Bearer error=\"insufficient_scope\", scope=\"a b\"";
            refused.headers.push(("WWW-Authenticate".into(), wanted.into()));
            refused
        }
        _ => answer(401, "application/json", "{}"),
    });
    me.config("providers/odd.toml", &odd.provider("odd"));
    for (name, value) in [("GRANT", "client-credentials"), ("CLIENT_ID", "ci"), ("CLIENT_SECRET", "hush-0123456789")] {
        me.set(&format!("OAUTHCTL_ODD_{name}"), value);
    }
    let check = "hint: check the client id, the client secret and the scopes: no person signs in for this token\n";
    me.types("call odd /x").is(22, "{}", &format!("error: the API answered 401\n{check}"));
    let more = "hint: ask for more: `--scope 'a b'`, or see which ones the app is allowed\n";
    let done = me.types("call odd /scope");
    assert!(done.err.ends_with(more), "{}", done.err);
}

pub fn api(me: &mut Person, answer: impl Fn(&serve::Request) -> serve::Response + Send + Sync + 'static) -> Odd {
    let odd = me.odd("odd", answer);
    signed_in(me, &odd);
    odd
}

pub fn signed_in(me: &mut Person, odd: &Odd) {
    me.config("providers/odd.toml", &odd.provider("odd"));
    let record = json!({
        "oauthctl": 1, "generation": 1, "provider": "odd", "client_id": "an-app", "grant": "authorization-code",
        "token": {
            "access_token": "first-0123456789", "token_type": "Bearer", "refresh_token": "refresh-0123456789",
            "received_at": START, "expires_at": START + 3600,
        },
    });
    me.keychain.put("odd", &record.to_string());
}

#[test]
fn the_store_is_not_read_where_the_kernels_copy_has_the_token() {
    let (mut me, _server) = crate::call_pages::getresponse(3);
    let reads = me.keychain.reads();
    assert_eq!(me.types("call getresponse /campaigns").code, 0);
    assert_eq!(me.types("call getresponse /contacts --paginate").code, 0);
    assert_eq!(me.keychain.reads(), reads, "the kernel's copy answered");
    me.copies.clear();
    assert_eq!(me.types("call getresponse /campaigns").code, 0);
    assert_eq!(me.keychain.reads(), reads + 1, "one read of the store");
    // what a login brought fills the address: it lies in the store alone
    let (mut me, _server) = crate::call_pages::verticalresponse(1);
    let reads = me.keychain.reads();
    assert_eq!(me.types("call verticalresponse /users/{user_id}").code, 0);
    assert_eq!(me.keychain.reads(), reads + 1);
}

#[test]
fn a_token_from_outside_that_is_refused_is_the_apis_answer() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(401, "application/json", "{\"message\":\"expired\"}"));
    me.set("OAUTHCTL_ODD_TOKEN", "from-outside-0123456789");
    me.types("call odd /x").is(
        22,
        "{\"message\":\"expired\"}",
        "
        error: the API answered 401
        caused by: expired
        hint: the token comes from the variable OAUTHCTL_ODD_TOKEN: set another
    ",
    );
    assert_eq!(odd.asked(), 1);
}

fn redirect(to: &str) -> serve::Response {
    let mut back = answer(302, "text/plain", "moved");
    back.headers.push(("Location".into(), to.into()));
    back
}

// T-24
#[test]
fn a_redirect_to_another_host_ends_there() {
    for to in [
        "https://evil.example/x",
        "//evil.example/x",
        "http://127.0.0.1:9/x",
        "https://127.0.0.1/x",
        "/\\evil.example/x",
    ] {
        let mut me = Person::new();
        let at = to.to_owned();
        let odd = api(&mut me, move |_| redirect(&at));
        let done = me.types("call odd /x");
        assert_eq!((done.code, done.out.as_str(), odd.asked()), (7, "moved", 1), "{to}: {}", done.err);
        assert!(
            done.err.starts_with("error: the API redirects to another host, which must not get the token\n"),
            "{}",
            done.err
        );
    }
}

#[test]
fn a_redirect_on_the_same_host_is_followed_for_reading_alone() {
    let mut me = Person::new();
    let odd = api(&mut me, |request| match request.path.as_str() {
        "/api/old" => redirect("/api/new"),
        "/api/circle" => redirect("circle"),
        _ => answer(
            200,
            "text/plain",
            &format!("{} {}", request.method, request.header("authorization").unwrap_or("no token")),
        ),
    });
    me.types("call odd /old").is(0, "GET Bearer first-0123456789", "");
    for (line, hint) in [
        ("POST /old a=b", "POST http://127.0.0.1:PORT/api/new …"),
        ("DELETE /old", "DELETE http://127.0.0.1:PORT/api/new …"),
        ("PUT /old a=b -o ~/f", "PUT http://127.0.0.1:PORT/api/new …"),
    ] {
        let method = line.split(' ').next().unwrap();
        me.types(&format!("call odd {line}")).is(
            7,
            "moved",
            &format!(
                "
        error: the API redirects, and a {method} to that address is not sent by itself
        caused by: status 302, to http://127.0.0.1:PORT/api/new
        hint: send it there: `oauthctl call odd {hint}`
    "
            ),
        );
    }
    assert!(!me.path("f").exists() && !me.path("f.part").exists());
    let asked = odd.asked();
    assert_eq!(me.types("call odd /circle").code, 7);
    assert!(odd.asked() - asked <= 11);
}

// T-24
#[test]
fn anywhere_follows_to_another_host_without_the_token() {
    let mut me = Person::new();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = seen.clone();
    let stranger = me.odd("stranger", move |request| {
        kept.lock().unwrap().extend(request.headers.iter().map(|(n, v)| format!("{n}: {v}")));
        answer(if request.path == "/no" { 401 } else { 200 }, "text/plain", "theirs")
    });
    let base = stranger.base.clone();
    let odd = api(&mut me, move |request| redirect(&format!("{base}{}?sig=s3cret", &request.path[4..])));
    me.config("providers/odd.toml", &format!("{}headers.X-Ours = \"1\"\n", odd.provider("odd")));
    me.types("call odd /x --head").is(
        7,
        "HTTP/1.1 302\r\ncontent-type: text/plain\r\nlocation: http://127.0.0.1:PORT/x?sig=s3cret\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "
        error: the API redirects to another host, which must not get the token
        caused by: status 302, to http://127.0.0.1:PORT/x?sig=…
        hint: fetch that address without the token: `oauthctl call odd --anywhere URL`
        hint: `-i` prints the address with its query
    ",
    );
    assert_eq!(stranger.asked(), 0);
    me.types("call odd /x --anywhere X-Mine:2 Cookie:sid=h4sh X-Api-Key:h4sh").is(
        0,
        "theirs",
        "`127.0.0.1` is not a host of `odd`: sent without the token\n",
    );
    // a 401 of theirs says nothing of the token
    me.types("call odd /no --anywhere -q").is(22, "theirs", "error: the API answered 401\n");
    assert_eq!((odd.asked(), stranger.asked()), (3, 2));
    let seen = seen.lock().unwrap().join("\n");
    assert!(seen.contains("x-mine: 2") && !seen.contains("0123456789") && !seen.contains("x-ours"), "{seen}");
    // B-08: a cookie or a key was typed for the host that was typed
    assert!(!seen.contains("h4sh"), "{seen}");
}

// A-01 to A-30, C-03
#[test]
fn no_token_leaves_for_another_origin() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(200, "text/plain", "ok"));
    let good = odd.base.replace("http://", "");
    let (ip, port) = good.split_once(':').unwrap();
    let other = port.parse::<u16>().unwrap() ^ 1;
    let long = format!("https://evil.example/{}", "a".repeat(64 * 1024));
    let mut table: Vec<(String, u8)> = [
        format!("http://{good}@evil.example/x"),
        format!("http://{ip}.evil.example:{port}/x"),
        format!("https://evil.example/{good}/x"),
        format!("https://evil.example#{good}"),
        format!("https://evil.example?{good}"),
        format!("http://{ip}:{other}/api/x"),
        format!("https://{good}/api/x"),
        format!("http://localhost:{port}/api/x"),
        format!("https://{ip}.:{port}/api/x"),
        format!("http://{ip}%2eevil.example:{port}/x"),
        format!("http://{good}\\@evil.example/x"),
        format!("http://[::ffff:127.0.0.1]:{port}/api/x"),
        format!("http://token:first-0123456789@{good}/api/x"),
        format!("http://{good}\t.evil.example/x"),
        format!("http://{good}\n.evil.example/x"),
        "//evil.example/x".to_owned(),
        "/\\evil.example/x".to_owned(),
        "\\\\evil.example\\x".to_owned(),
        "https:///evil.example/x".to_owned(),
        "http:evil.example/x".to_owned(),
        "https://xn--vil-9ma.example/x".to_owned(),
        "https://\u{435}vil.example/x".to_owned(),
        "https://EVIL.EXAMPLE/x".to_owned(),
        "https://evil\u{3002}example/x".to_owned(),
        "data:text/plain,x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "unix:///run/x.sock".to_owned(),
        "javascript://x".to_owned(),
        long,
        "ftp://evil.example/x".to_owned(),
        // a path that climbs out of the API
        "/../../evil.example/x".to_owned(),
        "/%2e%2e/evil.example".to_owned(),
    ]
    .into_iter()
    .map(|target| (target, 7))
    .collect();
    // what looks dangerous and is only a path of the API
    table.extend(
        ["/@evil.example/x", "/x?u=https://evil.example", "/x#@evil.example", "/.evil.example", "/:80/x"]
            .map(|path| (path.to_owned(), 0)),
    );
    for (target, code) in table {
        let before = odd.asked();
        let done = me.runs(&["call", "odd", "GET", &target]);
        let shown: String = target.chars().take(80).collect();
        assert_eq!(done.code, code, "{shown}: {}", done.err);
        assert_eq!(odd.asked() - before, usize::from(code == 0), "{shown}");
        assert_eq!(done.sent.len(), usize::from(code == 0), "{shown}");
        assert!(done.sent.iter().all(|s| s.starts_with("GET http://127.0.0.1:PORT/")), "{shown}: {:?}", done.sent);
        // a port may be `45678` by chance
        if !(0..7).any(|at| port.contains(&"0123456789"[at..at + 4])) {
            done.tells_nothing_of("first-0123456789");
        }
    }
    // the other spellings of the same origin are that origin
    for target in [
        format!("http://2130706433:{port}/api/x"),
        format!("HTTP://{good}/api/x"),
        format!("http://{ip}.:{port}/api/x"),
        format!("http://127.1:{port}/api/x"),
    ] {
        let done = me.runs(&["call", "odd", "GET", &target]);
        assert_eq!(done.sent, ["GET http://127.0.0.1:PORT/api/x"], "{target}: {}", done.err);
    }
}

#[test]
fn a_host_of_the_providers_is_compared_whole() {
    let mut me = Person::new();
    let odd = me.odd("odd", |_| answer(200, "text/plain", "ok"));
    signed_in(&mut me, &odd);
    me.config(
        "providers/odd.toml",
        &format!("{}hosts = [\"api.good.example\", \"*.good.example\"]\n", odd.provider("odd")),
    );
    for target in [
        "https://api.good.example.evil.example/x",
        "https://api.good.example./x",
        "https://api.good.example:444/x",
        "http://api.good.example/x",
        "https://someone@api.good.example/x",
        "https://evilgood.example/x",
        "https://.good.example/x",
        "https://good.example/x",
        "https://api.good.example%2eevil.example/x",
        "https://api\u{3002}good\u{3002}example\u{3002}/x",
    ] {
        let done = me.runs(&["call", "odd", target]);
        assert_eq!((done.code, done.sent.len()), (7, 0), "{target}: {}", done.err);
    }
    me.types("call odd /x").is(0, "ok", "");
}

#[test]
fn a_header_can_not_be_used_to_lead_the_token_away() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(200, "text/plain", "ok"));
    for item in [
        "Host:evil.example",
        "host:evil.example",
        "Authorization:Bearer other",
        "AUTHORIZATION:x",
        "Proxy-Authorization:x",
        "Content-Length:0",
        "Transfer-Encoding:chunked",
        "Connection:close",
        "TE:trailers",
        "Upgrade:h2c",
        "X-A:b\r\nHost: evil.example",
        "X-A:b\nc",
        "X A:b",
        "X-\u{e9}:b",
    ] {
        let done = me.runs(&["call", "odd", "/x", item]);
        assert_eq!((done.code, odd.asked()), (7, 0), "{item:?}: {}", done.err);
    }
    assert_eq!(me.types("call odd /x X-Other:fine").code, 0);
}

#[test]
fn a_method_that_is_none_is_not_sent() {
    let mut me = Person::new();
    let _odd = api(&mut me, |request| answer(200, "text/plain", &request.method));
    me.types("call odd REPORT /x").is(0, "REPORT", "");
}

#[test]
fn without_a_token_nothing_is_asked() {
    let mut me = Person::new();
    let server = me.practice(Manners::GetResponse);
    me.types("call getresponse /campaigns").fails(
        4,
        "
        error: no token is stored for `getresponse`
        hint: oauthctl login getresponse
    ",
    );
    me.types("call https://evil.example/x").fails(
        2,
        "
        error: no profile was named, and there is none yet
        hint: oauthctl login sandbox
        hint: `oauthctl provider list` names the providers
    ",
    );
    assert!(server.log().is_empty());
}

#[test]
fn a_reader_that_has_gone_ends_it_quietly() {
    let (mut me, _server) = practice();
    me.closed_pipe().types("call practice /items").is(0, "", "");
    me.full_disk().types("call practice /items").fails(
        1,
        "
        error: standard output can't be written
        caused by: no storage space
    ",
    );
}

#[test]
fn verbose_shows_the_request_and_no_secret() {
    let (mut me, server) = practice();
    let token = me.kept("practice", "access_token");
    let mut done = me.types("call practice /echo a=b -v");
    let out = done.out.replace(server.base().trim_start_matches("http://"), "127.0.0.1:PORT");
    // the port is in the body
    let lines = done.err.lines().map(|line| match line.split_once("content-length: ") {
        Some((start, _)) => format!("{start}content-length: LENGTH\n"),
        None => format!("{line}\n"),
    });
    done.err = lines.collect();
    done.is(
        0,
        &out,
        "
        * > POST http://127.0.0.1:PORT/api/echo
        * >   accept: application/json, */*;q=0.5
        * >   content-type: application/json
        * >   authorization: Bearer [sha256:…]
        * >   body: { a: [sha256:…] }
        * < HTTP/1.1 200
        * <   content-type: application/json;charset=utf-8
        * <   content-length: LENGTH
    ",
    );
    done.tells_nothing_of(&token);
}

#[test]
fn the_token_goes_where_the_provider_wants_it() {
    let mut me = Person::new();
    let odd = me.odd("odd", |request| {
        answer(200, "text/plain", &format!("{} {}", request.query, request.header("authorization").unwrap_or("-")))
    });
    signed_in(&mut me, &odd);
    me.config(
        "providers/odd.toml",
        &format!("{}auth.in = \"query\"\nauth.name = \"oauth_token\"\n", odd.provider("odd")),
    );
    me.types("call odd /x a==1").is(0, "a=1&oauth_token=first-0123456789 -", "");
    // A-27: and nobody else sets that header, whatever it is called
    me.config("providers/odd.toml", &format!("{}auth.name = \"X-Token\"\n", odd.provider("odd")));
    me.types("call odd /x x-token:mine").fails(
        7,
        "
        error: the header `x-token` is set by the program alone
        caused by: it could lead the token elsewhere, or send another one
    ",
    );
    assert_eq!(odd.asked(), 1);
}
