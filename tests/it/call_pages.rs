//! `call --paginate`: whole lists, in every provider's pagination.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oauthctl::sandbox::{Manners, Options, Server};
use oauthctl::world::Clock;
use serde_json::Value;

use crate::call::{api, practice, signed_in};
use crate::world::robot::decided;
use crate::world::{Odd, Person, START, answer, own_port};

/// Signed in to GetResponse's manners by client credentials, with so many contacts.
pub fn getresponse(records: u64) -> (Person, Server) {
    let mut me = Person::new();
    let server = me.practice_with(Options { records, ..Options::new(Manners::GetResponse) });
    me.answers_hidden("practice-secret").browser(|_| Vec::new()).pastes(|url| decided(url, "allow"));
    assert_eq!(me.types("login getresponse --client-id practice-client --client-secret-file -").code, 0);
    (me, server)
}

pub fn constantcontact(options: Options) -> (Person, Server) {
    let mut me = Person::new();
    let redirect = format!("http://localhost:{}", own_port());
    let server = me.practice_for(options, &redirect);
    let done = me.answers_hidden("practice-secret").browser(crate::world::robot::allows).types(&format!(
        "login constantcontact --client-id practice-client --client-secret-file - --redirect-uri {redirect}",
    ));
    assert_eq!(done.code, 0, "{}", done.err);
    (me, server)
}

pub fn verticalresponse(records: u64) -> (Person, Server) {
    let mut me = Person::new();
    let server = me.practice_with(Options { records, ..Options::new(Manners::VerticalResponse) });
    let done = me
        .answers_hidden("practice-secret")
        .browser(crate::world::robot::allows)
        .answers("y")
        .types(&format!(
            "login verticalresponse --client-id practice-client --client-secret-file - --redirect-uri http://127.0.0.1:{}/cb",
            own_port()
        ));
    assert_eq!(done.code, 0, "{}", done.err);
    (me, server)
}

#[test]
fn the_three_providers_lists_come_whole() {
    let (mut me, server) = getresponse(2345);
    let done = me.types("call getresponse /contacts --paginate --jq .contactId -r");
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let want: Vec<String> = (1..=2345).map(|n| format!("c{n}")).collect();
    assert_eq!(done.out.lines().collect::<Vec<_>>(), want);
    assert_eq!(server.log().iter().filter(|l| l.path == "/v3/contacts").count(), 3);

    let (mut me, server) = verticalresponse(123);
    let done = me.types("call verticalresponse /contacts --paginate --jq .attributes.id");
    assert_eq!((done.code, done.out.lines().count(), done.err.as_str()), (0, 123, ""));
    assert_eq!(server.log().iter().filter(|l| l.path == "/api/v1/contacts").count(), 3);

    let (mut me, server) = constantcontact(Options { records: 101, ..Options::new(Manners::ConstantContact) });
    let done = me.types("call constantcontact /contacts --paginate");
    assert_eq!((done.code, done.out.lines().count(), done.err.as_str()), (0, 101, ""));
    assert!(done.out.lines().all(|l| l.starts_with("{\"contact_id\":\"") && l.ends_with('}')));
    assert_eq!(server.log().iter().filter(|l| l.path == "/v3/contacts").count(), 3);

    // the default: a `Link` header
    let (mut me, _server) = practice();
    let done = me.types("call practice /items --paginate --jq .id");
    assert_eq!((done.code, done.out.lines().count()), (0, 120));
}

#[test]
fn one_array_or_a_record_to_a_line() {
    let (mut me, server) = getresponse(3);
    let line = "call getresponse /contacts --paginate perPage==2 fields==contactId";
    me.types(line).is(0, "{\"contactId\":\"c1\"}\n{\"contactId\":\"c2\"}\n{\"contactId\":\"c3\"}\n", "");
    me.types(&format!("{line} --slurp")).is(
        0,
        "[{\"contactId\":\"c1\"},\n{\"contactId\":\"c2\"},\n{\"contactId\":\"c3\"}]\n",
        "",
    );
    me.types(&format!("{line} --slurp --jq length")).is(0, "3\n", "");
    me.types(&format!("{line} --limit 2 --format csv")).is(0, "contactId\r\nc1\r\nc2\r\n", "");
    me.types("call getresponse /contacts query[email]==nobody --paginate --slurp").is(0, "[]\n", "");
    let before = server.log().len();
    assert_eq!(me.types("call getresponse /contacts --paginate --limit 1").out.lines().count(), 1);
    assert_eq!(server.log().len(), before + 1);
    me.types("call getresponse POST /contacts a=1 --paginate")
        .fails(2, "error: `--paginate` is for GET, and this is POST\n");
    assert_eq!(me.types("call getresponse /contacts --slurp").code, 2);
}

/// A list of pages of two, which `next` names.
pub fn cut(me: &mut Person, pages: &str, answer: impl Fn(u64) -> (u16, String) + Send + Sync + 'static) -> Odd {
    let odd = me.odd("odd", move |request| {
        let page = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        let (status, body) = answer(page);
        crate::world::answer(status, "application/json", &body)
    });
    signed_in(me, &odd);
    me.config("providers/odd.toml", &format!("{}\n[api.pages]\n{pages}\n", odd.provider("odd")));
    odd
}

// A-02
#[test]
fn pages_never_lead_elsewhere_and_never_in_circles() {
    for (next, code, says) in [
        ("https://evil.example/x", 7, "it is on another host, which must not get the token"),
        ("//evil.example/x", 7, "it is on another host, which must not get the token"),
        ("http://", 7, "it is not a URL"),
        ("?page=1", 7, "the API names an earlier page as the next one"),
    ] {
        let mut me = Person::new();
        let odd = cut(&mut me, "by = \"url\"\nnext = [\"next\"]", move |_| {
            (200, format!("{{\"items\":[1,2],\"next\":\"{next}\"}}"))
        });
        let done = me.types("call odd /x?page=1 --paginate");
        assert_eq!((done.code, done.out.as_str()), (code, "1\n2\n"), "{next}: {}", done.err);
        assert!(done.err.contains(says), "{next}: {}", done.err);
        assert_eq!(odd.asked(), 1);
    }
}

#[test]
fn what_the_api_says_in_the_middle_is_told() {
    let mut me = Person::new();
    let odd = cut(&mut me, "by = \"page\"", |page| match page {
        1 => (200, "[1,2]".to_owned()),
        _ => (404, "{\"message\":\"no such page\"}".to_owned()),
    });
    me.types("call odd /x --paginate").is(
        22,
        "1\n2\n{\"message\":\"no such page\"}",
        "
        error: the API answered 404
        caused by: no such page
    ",
    );
    // a table is printed at the end: the rows that came are in it
    let told = "{\"message\":\"no such page\"}\nerror: the API answered 404\ncaused by: no such page\n";
    me.types("call odd /x --paginate --format csv").is(22, "1\r\n2\r\n", told);
    me.types("call odd /x --paginate --jq {n:.} --format table").is(22, "N\n1\n2\n", told);
    // a file is there whole or not at all
    let done = me.types("call odd /x --paginate -o ~/all.json");
    assert_eq!((done.code, me.path("all.json").exists(), me.path("all.json.part").exists()), (22, false, false));
    assert_eq!(odd.asked(), 8);
}

// T-61
#[test]
fn a_token_that_expires_in_the_middle_is_renewed() {
    let mut me = Person::new();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = asked.clone();
    let renewed = Arc::new(AtomicUsize::new(0));
    let count = renewed.clone();
    let odd = me.odd("odd", move |request| {
        if request.path == "/token" {
            count.fetch_add(1, Ordering::SeqCst);
            return answer(200, "application/json", r#"{"access_token":"new-0123456789","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-2-0123456"}"#);
        }
        let page: u64 = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        seen.lock().unwrap().push(request.query.clone());
        if page >= 3 && request.header("authorization") != Some("Bearer new-0123456789") {
            return answer(401, "application/json", r#"{"error":"expired"}"#);
        }
        let mut list = answer(200, "application/json", &format!("[{page}]"));
        list.headers.push(("X-Pages".into(), "20".into()));
        list
    });
    signed_in(&mut me, &odd);
    me.config(
        "providers/odd.toml",
        &format!("{}\n[api.pages]\nby = \"page\"\ntotal-header = \"X-Pages\"\n", odd.provider("odd")),
    );
    let want: String = (1..=20).map(|n| format!("{n}\n")).collect();
    me.types("call odd /x --paginate --parallel 8").is(0, &want, "");
    assert_eq!(renewed.load(Ordering::SeqCst), 1);
}

#[test]
fn large_pages_side_by_side_are_all_there_and_a_part_is_no_page() {
    let mut me = Person::new();
    let odd = me.odd("odd", |request| {
        let page: usize = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        // the others are far larger than the first one, and than what may wait together
        let fill = if page == 1 { 1 } else { 3 << 20 };
        let part = request.path.ends_with("/part") && page == 3;
        let body = format!("[{{\"n\":{page},\"fill\":\"{}\"}}]", "a".repeat(fill));
        let mut list = answer(if part { 206 } else { 200 }, "application/json", &body);
        list.headers.push(("X-Pages".into(), "9".into()));
        list
    });
    signed_in(&mut me, &odd);
    let pages = "[api.pages]\nby = \"page\"\ntotal-header = \"X-Pages\"\n";
    me.config("providers/odd.toml", &format!("{}\n{pages}", odd.provider("odd")));
    let want: String = (1..=9).map(|n| format!("{n}\n")).collect();
    me.types("call odd /x --paginate --parallel 8 --jq .n").is(0, &want, "");
    let told = "
        error: the API gives a part of the content that was not asked for
        caused by: status 206 (RFC 9110, section 15.3.7)
    ";
    me.types("call odd /part --paginate --parallel 8 --jq .n").is(7, "1\n2\n", told);
}

#[test]
fn pages_side_by_side_come_in_order_and_together() {
    let mut me = Person::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (now.clone(), most.clone());
    let odd = me.odd("odd", move |request| {
        peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let page: u64 = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        // the first one tells how many there are; of the others two are held back until they have
        // met
        let start = std::time::Instant::now();
        while page > 1 && peak.load(Ordering::SeqCst) < 2 && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // later ones are done first
        std::thread::sleep(Duration::from_millis(30 - page));
        inside.fetch_sub(1, Ordering::SeqCst);
        let mut list = answer(200, "application/json", &format!("[{page}]"));
        list.headers.push(("X-Pages".into(), "25".into()));
        list
    });
    signed_in(&mut me, &odd);
    let pages = "[api.pages]\nby = \"page\"\ntotal-header = \"X-Pages\"\n[limits]\nparallel = 5\n";
    me.config("providers/odd.toml", &format!("{}\n{pages}", odd.provider("odd")));
    let want: String = (1..=25).map(|n| format!("{n}\n")).collect();
    me.types("call odd /x --paginate").is(0, &want, "");
    let most = most.load(Ordering::SeqCst);
    assert!((2..=5).contains(&most), "{most} at a time");
    assert_eq!(odd.asked(), 25);
}

#[test]
fn no_page_is_fetched_that_a_limit_leaves_out() {
    let mut me = Person::new();
    let odd = me.odd("odd", |request| {
        let page: u64 = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        // two records to a page, but for one that has been thinned out
        let body = if page == 3 { format!("[{page}]") } else { format!("[{page},{page}]") };
        let mut list = answer(200, "application/json", &body);
        list.headers.push(("X-Pages".into(), "100".into()));
        list
    });
    signed_in(&mut me, &odd);
    let pages = "[api.pages]\nby = \"page\"\ntotal-header = \"X-Pages\"\n";
    me.config("providers/odd.toml", &format!("{}\n{pages}", odd.provider("odd")));
    me.types("call odd /x --paginate --parallel 8 --limit 4").is(0, "1\n1\n2\n2\n", "");
    assert_eq!(odd.asked(), 2);
    me.types("call odd /x --paginate --parallel 8 --limit 7").is(0, "1\n1\n2\n2\n3\n4\n4\n", "");
    assert_eq!(odd.asked(), 2 + 4);
    me.types("call odd /x --paginate --parallel 8 --limit 8").is(0, "1\n1\n2\n2\n3\n4\n4\n5\n", "");
    assert_eq!(odd.asked(), 2 + 4 + 5);
}

#[test]
fn a_lists_pages_keep_the_providers_limit() {
    let (mut me, server) =
        constantcontact(Options { records: 500, per_second: Some(4), ..Options::new(Manners::ConstantContact) });
    let before = me.clock.elapsed();
    let done = me.types("call constantcontact /contacts --paginate");
    assert_eq!((done.code, done.out.lines().count(), done.err.as_str()), (0, 500, ""));
    assert!(server.log().iter().all(|l| l.status != 429));
    assert!(me.clock.elapsed() - before >= Duration::from_millis(9 * 275));
}

#[test]
fn a_limit_that_is_met_all_the_same_is_waited_for() {
    let (mut me, server) = getresponse(3000);
    drop(server);
    // others have used up the second
    let refused = Arc::new(AtomicUsize::new(0));
    let count = refused.clone();
    let odd = me.odd("odd", move |request| {
        let page: u64 = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        if page.is_multiple_of(3) && count.fetch_add(1, Ordering::SeqCst) < 2 {
            let mut refusal = answer(429, "application/json", "{}");
            refusal.headers.push(("Retry-After".into(), "2".into()));
            return refusal;
        }
        let mut list = answer(200, "application/json", &format!("[{page}]"));
        list.headers.push(("TotalPages".into(), "9".into()));
        list
    });
    signed_in(&mut me, &odd);
    let pages = "[api.pages]\nby = \"page\"\ntotal-header = \"TotalPages\"\n";
    me.config("providers/odd.toml", &format!("{}\n{pages}", odd.provider("odd")));
    let before = me.clock.elapsed();
    let want: String = (1..=9).map(|n| format!("{n}\n")).collect();
    me.types("call odd /x --paginate --parallel 3").is(0, &want, "");
    assert!(me.clock.elapsed() - before >= Duration::from_secs(2));
    assert_eq!(START, me.clock.now());
}

#[test]
fn progress_is_shown_where_nothing_else_is_printed() {
    let mut me = Person::new();
    let odd = cut(&mut me, "by = \"page\"", |page| (200, if page < 3 { "[1]" } else { "[]" }.to_owned()));
    let done = me.sees_stderr().types("call odd /x --paginate");
    assert_eq!((done.code, done.err_raw.as_str()), (0, "\r\u{1b}[Kpage 1, 1 record\r\u{1b}[K"));
    let done = me.sees_stderr().types("call odd /x --paginate -q");
    assert_eq!((done.code, done.err_raw.as_str()), (0, ""));
    assert_eq!(odd.asked(), 6);
}

#[test]
fn an_answer_that_is_no_list_is_one_record() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| answer(200, "application/json", "{\n  \"a\": 12345678901234567890.50\n}"));
    me.types("call odd /x --paginate").is(0, "{\"a\":12345678901234567890.50}\n", "");
    let page = me.types("call odd /x --paginate --slurp");
    page.is(0, "[{\"a\":12345678901234567890.50}]\n", "");
    assert_eq!(odd.asked(), 2);
    // where pages are counted, one that is no list has none behind it
    let mut me = Person::new();
    let odd = cut(&mut me, "by = \"page\"", |_| (200, "{\"id\":1}".to_owned()));
    me.types("call odd /x --paginate").is(0, "{\"id\":1}\n", "");
    assert_eq!(odd.asked(), 1);
    let mut me = Person::new();
    let _odd = api(&mut me, |_| answer(204, "application/json", ""));
    me.types("call odd /x --paginate").is(0, "", "");
    me.types("call odd /x --paginate --slurp").is(0, "[]\n", "");
}

/// Records of a server that gives at most a hundred to a page, whatever is asked for.
fn capped(query: &str, page_param: &str, size_param: &str, all: u64) -> Vec<u64> {
    let number = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.rev().find(|(n, _)| *n == name).and_then(|(_, value)| value.parse::<u64>().ok())
    };
    let size = number(size_param).unwrap_or(20).min(100);
    let from = match page_param {
        "page" => (number("page").unwrap_or(1) - 1) * size,
        _ => number(page_param).unwrap_or(0),
    };
    (from..all.min(from + size)).collect()
}

#[test]
fn a_server_that_caps_the_page_size_loses_no_record() {
    for (pages, page, size, line, asked) in [
        ("by = \"page\"\nsize-param = \"per_page\"\nsize = 1000", "page", "per_page", "/x", 5),
        ("by = \"page\"\nsize-param = \"per_page\"", "page", "per_page", "/x per_page==1000", 5),
        ("by = \"offset\"\nparam = \"skip\"\nsize-param = \"top\"\nsize = 500", "skip", "top", "/x", 5),
        ("by = \"offset\"\nsize-param = \"limit\"\nsize = 100", "offset", "limit", "/x", 5),
    ] {
        let mut me = Person::new();
        let odd = me.odd("odd", move |request| {
            let records = capped(&request.query, page, size, 350);
            answer(200, "application/json", &serde_json::to_string(&records).unwrap())
        });
        signed_in(&mut me, &odd);
        me.config("providers/odd.toml", &format!("{}\n[api.pages]\n{pages}\n", odd.provider("odd")));
        let want: String = (0..350).map(|n| format!("{n}\n")).collect();
        me.types(&format!("call odd {line} --paginate")).is(0, &want, "");
        assert_eq!(odd.asked(), asked, "{pages}");
    }
}

#[test]
fn behind_a_short_page_the_end_is_told_in_many_ways() {
    for (second, out, err, asked) in [
        // nothing is there, in the API's own words
        ((404, "{\"detail\":\"Invalid page.\"}"), "1\n2\n", "", 2),
        ((400, "{\"code\":\"invalid_page_number\"}"), "1\n2\n", "", 2),
        // an API without pages gives the same again
        ((200, "{\"items\":[1,2]}"), "1\n2\n", "", 2),
        ((200, "{\"items\":[]}"), "1\n2\n", "", 2),
        ((200, "{\"items\":[3],\"has_more\":false}"), "1\n2\n3\n", "", 2),
        ((200, "{\"items\":[3],\"meta\":{\"page\":2,\"total_pages\":2}}"), "1\n2\n3\n", "", 2),
    ] {
        let mut me = Person::new();
        let odd = cut(&mut me, "by = \"page\"\nsize-param = \"n\"\nsize = 50", move |page| match page {
            1 => (200, "{\"items\":[1,2]}".to_owned()),
            _ => (second.0, second.1.to_owned()),
        });
        me.types("call odd /x --paginate").is(0, out, err);
        assert_eq!(odd.asked(), asked, "{second:?}");
    }
    // one that says that there are more
    let mut me = Person::new();
    let odd = cut(&mut me, "by = \"page\"\nsize-param = \"n\"\nsize = 50", |_| {
        (200, "{\"items\":[1],\"nextPageToken\":\"abc\"}".to_owned())
    });
    let warning = "warning: `nextPageToken` says that there are more pages, but not how to get them: \
                   `oauthctl help requests`\n";
    me.types("call odd /x --paginate").is(0, "1\n", warning);
    assert_eq!(odd.asked(), 2);
    // records that can't be told apart
    let mut me = Person::new();
    let odd = cut(&mut me, "by = \"page\"\nsize-param = \"n\"\nsize = 50", |_| (200, "[{},{}]".to_owned()));
    let warning = "warning: a page has the same records as the one before: the list is taken to end there\n";
    me.types("call odd /x --paginate").is(0, "{}\n{}\n", warning);
    assert_eq!(odd.asked(), 2);
    // what fails is no end
    let mut me = Person::new();
    let _odd = cut(&mut me, "by = \"page\"\nsize-param = \"n\"\nsize = 50", |page| match page {
        1 => (200, "[1]".to_owned()),
        _ => (500, "{}".to_owned()),
    });
    assert_eq!(me.types("call odd /x --paginate --retry 0").code, 22);
}

#[test]
fn a_next_page_that_no_key_names_is_followed_or_told() {
    // no key, and one that this page doesn't have
    for pages in ["by = \"link\"", "by = \"url\"\nnext = [\"paging.next\"]"] {
        for next in ["{\"results\":[N],\"next\":\"/api/x?page=2\"}", "{\"value\":[N],\"@odata.nextLink\":\"?page=2\"}"]
        {
            let mut me = Person::new();
            let odd = cut(&mut me, pages, move |page| match page {
                1 => (200, next.replace('N', "1")),
                _ => (200, "{\"results\":[2],\"value\":[2],\"next\":null}".replace("\"value\":[2],", "")),
            });
            me.types("call odd /x --paginate").is(0, "1\n2\n", "");
            assert_eq!(odd.asked(), 2, "{next}");
        }
    }
    for (body, member) in [
        ("{\"items\":[1],\"nextPageToken\":\"abc\"}", "nextPageToken"),
        ("{\"data\":[1],\"has_more\":true}", "has_more"),
        ("{\"items\":[1],\"next\":\"https://other.example/x\"}", "next"),
    ] {
        let mut me = Person::new();
        let odd = cut(&mut me, "by = \"link\"", move |_| (200, body.to_owned()));
        let warning = format!(
            "warning: `{member}` says that there are more pages, but not how to get them: `oauthctl help requests`\n"
        );
        me.types("call odd /x --paginate").is(0, "1\n", &warning);
        // who wants no more than there is misses nothing
        me.types("call odd /x --paginate --limit 1").is(0, "1\n", "");
        assert_eq!(odd.asked(), 2);
    }
}

#[test]
fn a_query_with_an_end_cursor_goes_through_all_pages() {
    let mut me = Person::new();
    let _odd = api(&mut me, |request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let list = |nodes: &str, next: &str| {
            let info = format!("{{\"hasNextPage\":{},\"endCursor\":\"{next}\"}}", !next.is_empty());
            let list = format!("{{\"nodes\":[{nodes}],\"pageInfo\":{info}}}");
            answer(200, "application/json", &format!("{{\"data\":{{\"viewer\":{{\"issues\":{list}}}}}}}"))
        };
        match (asked["variables"]["owner"].as_str(), asked["variables"]["endCursor"].as_str()) {
            (Some("empty"), cursor) => list("", &format!("{}x", cursor.unwrap_or("c"))),
            (Some("circle"), _) => list("{\"n\":1}", "same"),
            (Some("bad"), Some("c2")) => {
                answer(200, "application/json", "{\"data\":null,\"errors\":[{\"message\":\"too deep\"}]}")
            }
            (_, None) => list("{\"n\":1},{\"n\":2}", "c2"),
            (_, Some("c2")) => list("{\"n\":3}", "c3"),
            (_, Some(_)) => list("", ""),
        }
    });
    let query = "query=query($endCursor:String){viewer{issues(after:$endCursor){nodes{n}}}}";
    let call = |more: &str| format!("call odd /graphql --graphql --paginate {query} {more}");
    me.types(&call("")).is(0, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", "");
    me.types(&call("--limit 3 --slurp --jq length")).is(0, "3\n", "");
    let done = me.types(&call("variables[owner]=bad"));
    assert_eq!(done.code, 22, "{}", done.err);
    assert!(done.err.starts_with("error: the API answered 200 with errors\ncaused by: too deep"), "{}", done.err);
    assert!(done.out.starts_with("{\"n\":1}\n{\"n\":2}\n{\"data\":null"), "{}", done.out);
    assert_eq!(me.types(&call("variables[owner]=circle")).code, 7);
    me.types(&call("variables[owner]=empty"))
        .fails(7, "error: the list has no end\ncaused by: 100 pages in a row are empty or the same\n");
    let done = me.types("call odd /graphql --graphql --paginate query={viewer}");
    assert!(done.code == 2 && done.err.contains("needs a query with `$endCursor`"), "{}", done.err);
}

#[test]
fn pages_side_by_side_that_come_again_end_the_list() {
    let mut me = Person::new();
    let odd = api(&mut me, |_| {
        let mut list = answer(200, "application/json", "[{\"id\":1},{\"id\":2}]");
        list.headers.push(("X-Pages".into(), "900".into()));
        list
    });
    let pages = "[api.pages]\nby = \"page\"\ntotal-header = \"X-Pages\"\n[limits]\nparallel = 3\n";
    me.config("providers/odd.toml", &format!("{}\n{pages}", odd.provider("odd")));
    me.types("call odd /x --paginate").is(
        0,
        "{\"id\":1}\n{\"id\":2}\n",
        "warning: a page has the same records as the one before: the list is taken to end there\n",
    );
    assert!(odd.asked() < 12, "{}", odd.asked());
}

#[test]
fn pages_that_come_again_end_the_list() {
    let full = "by = \"page\"\nsize-param = \"n\"\nsize = 3";
    let three = |first: u64| format!("{{\"time\":{first},\"items\":[{},{},{}]}}", first, first + 1, first + 2);
    let again = "warning: a page has the same records as the one before: the list is taken to end there\n";
    // the page's number is ignored; the last page comes for each number behind it
    for (last, out) in [(1, "10\n11\n12\n"), (2, "10\n11\n12\n20\n21\n22\n")] {
        let mut me = Person::new();
        let odd = cut(&mut me, full, move |page| (200, three(page.min(last) * 10)));
        me.types("call odd /x --paginate").is(0, out, again);
        assert_eq!(odd.asked(), usize::try_from(last).unwrap() + 1);
    }
    // the pages begin anew
    let mut me = Person::new();
    let odd = cut(&mut me, full, move |page| (200, three((page - 1) % 3)));
    let done = me.types("call odd /x --paginate");
    assert_eq!((done.code, done.out.lines().count(), odd.asked()), (7, 9, 4), "{}", done.err);
    assert_eq!(done.err, "error: the pages go in a circle\ncaused by: a page has the records of an earlier one\n");
    // values without a difference may come twice, but not for ever; nor may nothing
    for (pages, body) in [
        ("by = \"page\"", "[1]"),
        ("by = \"page\"\nsize-param = \"n\"\nsize = 2", "[1,1]"),
        ("by = \"cursor\"\nparam = \"page\"\nnext = [\"next\"]", "{\"items\":[],\"next\":NEXT}"),
    ] {
        let mut me = Person::new();
        let odd = cut(&mut me, pages, move |page| (200, body.replace("NEXT", &(page + 1).to_string())));
        let done = me.types("call odd /x --paginate");
        assert_eq!(done.code, 7, "{}", done.err);
        assert!(done.err.starts_with("error: the list has no end\n"), "{}", done.err);
        assert!((100..=101).contains(&odd.asked()), "{}", odd.asked());
    }
}

#[test]
fn pages_of_lines_go_on_until_one_is_empty() {
    for (size, lines) in [(2, 2), (3, 2)] {
        let mut me = Person::new();
        let odd = me.odd("odd", move |request| {
            let page: u64 = request.query.split('&').find_map(|p| p.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
            let body: String = (0..lines).map(|n| format!("{{\"p\":{page},\"n\":{n}}}\n")).collect();
            answer(200, "application/x-ndjson", if page < 3 { &body } else { "" })
        });
        signed_in(&mut me, &odd);
        let pages = format!("[api.pages]\nby = \"page\"\nsize-param = \"n\"\nsize = {size}\n");
        me.config("providers/odd.toml", &format!("{}\n{pages}", odd.provider("odd")));
        me.types("call odd /x --paginate --jq .p").is(0, "1\n1\n2\n2\n", "");
        assert_eq!(odd.asked(), 3);
    }
}

#[test]
fn an_empty_last_page_is_written_in_many_ways() {
    for (first, last) in [
        ("{\"items\":[1,2],\"total\":2}", "{\"items\":null,\"total\":2}"),
        ("{\"rows\":[1,2],\"total\":2}", "{\"rows\":null,\"total\":2}"),
        ("[1,2]", "null"),
        ("[1,2]", " {}\n"),
    ] {
        let mut me = Person::new();
        let odd = cut(&mut me, "by = \"page\"", move |page| (200, if page == 1 { first } else { last }.to_owned()));
        me.types("call odd /x --paginate").is(0, "1\n2\n", "");
        assert_eq!(odd.asked(), 2);
    }
    // the first page alone
    for (pages, body, out) in [
        ("by = \"page\"", "{\"items\":null,\"total\":0}", ""),
        ("by = \"page\"\nitems = \"a.b\"", "{\"a\":{\"b\":null}}", ""),
        ("by = \"page\"", "{\"id\":1,\"value\":null}", "{\"id\":1,\"value\":null}\n"),
        ("by = \"page\"", "null", "null\n"),
    ] {
        let mut me = Person::new();
        let _odd = cut(&mut me, pages, move |_| (200, body.to_owned()));
        me.types("call odd /x --paginate").is(0, out, "");
    }
}

#[test]
fn no_sign_of_a_next_page_is_dropped() {
    let url = "by = \"link\"";
    let cursor = "by = \"cursor\"\nparam = \"page\"\nnext = [\"next\"]";
    for (pages, body, member) in [
        (url, "{\"items\":[1],\"next\":true}", "next"),
        (url, "{\"data\":[1],\"continuationToken\":\"zz\"}", "continuationToken"),
        (url, "{\"data\":[1],\"total\":5}", "total: 5"),
        (url, "{\"data\":[1],\"meta\":{\"total_count\":\"x\",\"totalItems\":2}}", "meta.totalItems: 2"),
        (cursor, "{\"items\":[1],\"next\":{\"token\":\"x\"}}", "next"),
        (cursor, "{\"items\":[1],\"next\":[\"x\"]}", "next"),
        (cursor, "{\"items\":[1],\"next\":true}", "next"),
    ] {
        let mut me = Person::new();
        let _odd = cut(&mut me, pages, move |_| (200, body.to_owned()));
        let warning = format!(
            "warning: `{member}` says that there are more pages, but not how to get them: `oauthctl help requests`\n"
        );
        me.types("call odd /x --paginate").is(0, "1\n", &warning);
    }
    for (pages, body) in [
        (url, "{\"items\":[1],\"next\":false}"),
        (url, "{\"items\":[1],\"total\":1}"),
        (cursor, "{\"items\":[1],\"next\":{}}"),
        (cursor, "{\"items\":[1],\"next\":false}"),
    ] {
        let mut me = Person::new();
        let _odd = cut(&mut me, pages, move |_| (200, body.to_owned()));
        me.types("call odd /x --paginate").is(0, "1\n", "");
    }
    let mut me = Person::new();
    let odd = cut(&mut me, url, |page| match page {
        1 => (200, "{\"items\":[1],\"next\":{\"url\":\"/api/x?page=2\"},\"total\":2}".to_owned()),
        _ => (200, "{\"items\":[2],\"total\":2}".to_owned()),
    });
    me.types("call odd /x --paginate").is(0, "1\n2\n", "");
    assert_eq!(odd.asked(), 2);
}

#[test]
fn a_number_of_pages_counts_from_the_first() {
    for (start, line) in [(0, ""), (0, "--parallel 3"), (1, ""), (1, "--parallel 3")] {
        let mut me = Person::new();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = asked.clone();
        let odd = me.odd("odd", move |request| {
            let page = request.query.strip_prefix("page=").unwrap_or("none").to_owned();
            let mut list = answer(200, "application/json", &format!("[\"{page}\"]"));
            list.headers.push(("T".into(), "3".into()));
            seen.lock().unwrap().push(page);
            list
        });
        signed_in(&mut me, &odd);
        let pages = format!("[api.pages]\nby = \"page\"\nstart = {start}\ntotal-header = \"T\"\n");
        me.config("providers/odd.toml", &format!("{}\n{pages}", odd.provider("odd")));
        me.types(&format!("call odd /x --paginate -r {line}")).is(
            0,
            &format!("none\n{}\n{}\n", start + 1, start + 2),
            "",
        );
        assert_eq!(asked.lock().unwrap().len(), 3);
    }
}
