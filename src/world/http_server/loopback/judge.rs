//! Decides from the request's head whether it is a browser's navigation.
//!
//! `state` is the real guard of a login. This module keeps out other ways to the right address: a
//! page under another host name (DNS rebinding), a request from an image, frame or script, a
//! prefetch.

use crate::world::http_server::reader::RawRequest;

/// Browsers request these by themselves.
const ASKED_UNASKED: [&str; 2] = ["/favicon.ico", "/robots.txt"];

/// The target's path and query, or the status that refuses it.
pub fn judge(request: &RawRequest, port: u16, tls: bool, accept_post: bool) -> Result<(&str, &str), u16> {
    let (path, query) = own_target(request, port, tls).ok_or(400u16)?;
    // RFC 9112, section 3.2: none or two is malformed; refused for HTTP/1.0 too
    if request.count("host") != 1 {
        return Err(400);
    }
    if !is_own_authority(request.header("host").unwrap_or_default(), port, tls) {
        return Err(421);
    }
    if request.count("expect") > 0 {
        return Err(417);
    }
    if request.count("upgrade") > 0 {
        return Err(400);
    }
    let post = request.method == "POST" && accept_post;
    if request.method != "GET" && !post {
        return Err(405);
    }
    if query.is_empty() && (ASKED_UNASKED.contains(&path) || path.starts_with("/apple-touch-icon")) {
        return Err(404);
    }
    // a cross-site form post names its origin; a followed redirect doesn't
    if !post && request.count("origin") > 0 {
        return Err(403);
    }
    if !is_navigation(request) {
        return Err(403);
    }
    if post && !is_form(request) {
        return Err(415);
    }
    Ok((path, query))
}

/// RFC 9112, section 3.2: `/path?query`, or the whole URL with our own authority.
fn own_target(request: &RawRequest, port: u16, tls: bool) -> Option<(&str, &str)> {
    let (path, query) = request.path_and_query();
    if path.starts_with('/') {
        return Some((path, query));
    }
    let rest = path.strip_prefix(if tls { "https://" } else { "http://" })?;
    let slash = rest.find('/')?;
    is_own_authority(&rest[..slash], port, tls).then_some((&rest[slash..], query))
}

/// The three loopback names with our port; the port may be absent if it is the scheme's default.
fn is_own_authority(authority: &str, port: u16, tls: bool) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| {
        let Some((start, rest)) = authority.split_at_checked(host.len()) else { return false };
        if !start.eq_ignore_ascii_case(host) {
            return false;
        }
        match rest.strip_prefix(':') {
            Some(digits) => digits == port.to_string(),
            None => rest.is_empty() && port == if tls { 443 } else { 80 },
        }
    })
}

/// By the Fetch metadata that browsers send since 2023. A request without them is accepted.
fn is_navigation(request: &RawRequest) -> bool {
    request.headers.iter().all(|(name, value)| match name.as_str() {
        "sec-fetch-dest" => value == "document",
        "sec-fetch-mode" => value == "navigate",
        "sec-purpose" | "purpose" | "x-purpose" | "x-moz" => {
            let value = value.to_ascii_lowercase();
            !["prefetch", "prerender", "preview"].iter().any(|p| value.contains(p))
        }
        _ => true,
    })
}

fn is_form(request: &RawRequest) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    request.count("content-type") == 1 && kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::http_server::reader::parse_head;

    fn judged(head: &str, accept_post: bool) -> Result<(String, String), u16> {
        let request = parse_head(format!("{head}\r\n\r\n").replace('\n', "\r\n").replace("\r\r", "\r").as_bytes());
        let request = request.unwrap_or_else(|error| panic!("{head}: {error}"));
        judge(&request, 4000, false, accept_post).map(|(p, q)| (p.to_owned(), q.to_owned()))
    }

    #[test]
    fn takes_what_a_browser_sends_when_a_person_is_redirected() {
        let ours = Ok(("/cb".to_owned(), "code=a&state=b".to_owned()));
        for head in [
            "GET /cb?code=a&state=b HTTP/1.1\nHost: 127.0.0.1:4000",
            "GET /cb?code=a&state=b HTTP/1.1\nHost: LOCALHOST:4000",
            "GET /cb?code=a&state=b HTTP/1.1\nHost: [::1]:4000",
            "GET /cb?code=a&state=b HTTP/1.0\nHost: 127.0.0.1:4000",
            "GET /cb?code=a&state=b HTTP/1.1\nHost: 127.0.0.1:4000\nUpgrade-Insecure-Requests: 1\n\
             Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-User: ?1\nSec-Fetch-Dest: document",
            // L-23
            "GET http://127.0.0.1:4000/cb?code=a&state=b HTTP/1.1\nHost: 127.0.0.1:4000",
        ] {
            assert_eq!(judged(head, false), ours, "{head}");
        }
        // L-21, L-34, L-36: the receiver judges the path, which arrives as it was sent
        for path in ["/", "/cb/", "/x/../cb", "//cb", "//evil.example/", "/%2e/cb", "/cancel", "/shutdown", "/quit"] {
            let head = format!("GET {path} HTTP/1.1\nHost: localhost:4000");
            assert_eq!(judged(&head, false), Ok((path.to_owned(), String::new())));
        }
    }

    #[test]
    fn refuses_what_a_page_or_another_name_could_send() {
        let get = |rest: &str| format!("GET /cb?code=a&state=b HTTP/1.1\nHost: 127.0.0.1:4000\n{rest}");
        let host = |host: &str| format!("GET /cb?code=a&state=b HTTP/1.1\nHost: {host}");
        let target = |target: &str| format!("{target} HTTP/1.1\nHost: 127.0.0.1:4000");
        for (head, status) in [
            // L-17
            (target("GET /favicon.ico"), 404),
            (target("GET /apple-touch-icon-precomposed.png"), 404),
            (target("GET /robots.txt"), 404),
            // L-18, L-54
            (get("Sec-Fetch-Dest: image"), 403),
            (get("Sec-Fetch-Dest: iframe\nSec-Fetch-Mode: navigate"), 403),
            (get("Sec-Fetch-Dest: empty"), 403),
            (get("Sec-Fetch-Mode: no-cors"), 403),
            (get("Sec-Fetch-Mode: cors"), 403),
            (get("Sec-Fetch-Mode: navigate\nSec-Fetch-Mode: cors"), 403),
            (get("Sec-Purpose: prefetch;prerender"), 403),
            (get("Purpose: prefetch"), 403),
            (get("X-Moz: prefetch"), 403),
            // L-19, L-25, L-26
            (target("HEAD /cb?code=a&state=b"), 405),
            (target("OPTIONS /cb"), 405),
            (target("POST /cb"), 405),
            (target("DELETE /cb"), 405),
            // L-22, L-59
            (host("evil.example:4000"), 421),
            (host("127.0.0.1:4001"), 421),
            (host("127.0.0.1"), 421),
            (host("localhost.:4000"), 421),
            (host("localhost:04000"), 421),
            (host("0:4000"), 421),
            (host("127.1:4000"), 421),
            (host("[::ffff:127.0.0.1]:4000"), 421),
            (host("[::1%25lo]:4000"), 421),
            (host("a@127.0.0.1:4000"), 421),
            (host(""), 421),
            (host("127.0.0.1:4000\nHost: 127.0.0.1:4000"), 400),
            ("GET /cb HTTP/1.1\nAccept: */*".to_owned(), 400),
            // L-27
            ("GET /cb HTTP/1.0\nAccept: */*".to_owned(), 400),
            // L-23
            (target("GET http://evil.example/cb"), 400),
            (target("GET http://127.0.0.1:4000"), 400),
            (target("GET http://a@127.0.0.1:4000/cb"), 400),
            (target("GET https://127.0.0.1:4000/cb"), 400),
            (target("CONNECT 127.0.0.1:4000"), 400),
            (target("OPTIONS *"), 400),
            // L-24
            (get("Origin: https://evil.example"), 403),
            (get("Origin: null"), 403),
            // L-55
            (get("Expect: 100-continue"), 417),
            (get("Connection: Upgrade\nUpgrade: websocket"), 400),
        ] {
            assert_eq!(judged(&head, false), Err(status), "{head}");
        }
    }

    // L-26
    #[test]
    fn takes_a_posted_form_only_where_one_is_expected() {
        let post = |kind: &str| format!("POST /cb HTTP/1.1\nHost: 127.0.0.1:4000\nOrigin: https://as.example\n{kind}");
        let form = post("Content-Type: application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(judged(&form, true), Ok(("/cb".to_owned(), String::new())));
        assert_eq!(judged(&form, false), Err(405));
        for kind in ["Content-Type: text/plain", "Content-Type: multipart/form-data; boundary=a", "Accept: */*"] {
            assert_eq!(judged(&post(kind), true), Err(415), "{kind}");
        }
    }

    // L-37
    #[test]
    fn the_port_may_be_left_out_where_it_is_the_schemes_own() {
        assert!(is_own_authority("localhost", 443, true));
        assert!(is_own_authority("localhost:443", 443, true));
        assert!(is_own_authority("127.0.0.1", 80, false));
        assert!(!is_own_authority("localhost", 443, false));
        assert!(!is_own_authority("localhost:", 443, true));
    }
}
