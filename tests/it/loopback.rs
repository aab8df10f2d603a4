//! The redirect listener against browsers, pages and other local programs, on real sockets.
//! Comments name the rows of the list of hostile inputs.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use oauthctl::secret::Secret;
use oauthctl::world::http_server::loopback::{Address, Arrived, Host, ListenError, Loopback, Page};

use crate::world::own_port;

/// Nothing here takes so long, however busy the machine is.
const SOON: Duration = Duration::from_secs(30);

fn any_port(host: Host) -> Address {
    Address { host, ports: Vec::new(), tls: false, bind: None }
}

fn listen() -> (Loopback, Receiver<Arrived>) {
    listen_at(&any_port(Host::Literal), false)
}

fn listen_at(address: &Address, accept_post: bool) -> (Loopback, Receiver<Arrived>) {
    let (to, from) = mpsc::channel();
    (Loopback::bind(address, to, mpsc::channel().0, accept_post).expect("a listener"), from)
}

fn connect(listener: &Loopback) -> TcpStream {
    let stream = TcpStream::connect(listener.address()).expect("connected");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    stream
}

/// Everything that comes back, up to the end or a reset.
fn rest(mut stream: impl Read) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(n) = stream.read(&mut piece) {
        if n == 0 {
            break;
        }
        answer.extend_from_slice(&piece[..n]);
    }
    String::from_utf8(answer).expect("text")
}

fn send(listener: &Loopback, bytes: &[u8]) -> String {
    let mut stream = connect(listener);
    // one that is refused early may be closed before it has sent everything
    let _ = stream.write_all(bytes);
    rest(stream)
}

fn request(listener: &Loopback, line: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", listener.address().port())
}

fn get(listener: &Loopback, target: &str) -> String {
    send(listener, request(listener, &format!("GET {target}")).as_bytes())
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

/// Takes requests as a login does: the one for `/cb?code=right` ends it, everything else is turned
/// away.
fn login(requests: Receiver<Arrived>) -> thread::JoinHandle<usize> {
    thread::spawn(move || {
        let mut right = 0;
        for arrived in requests {
            if arrived.path == "/cb" && arrived.query == "code=right" {
                right += 1;
                arrived.reply.send(Page::Done);
            } else if arrived.path == "/cb" {
                arrived.reply.send(Page::Refused);
            } else {
                arrived.reply.send(Page::NotFound);
            }
        }
        right
    })
}

/// What the right redirect has to wait for its answer.
fn served(listener: &Loopback) -> Duration {
    let start = Instant::now();
    assert_eq!(status(&get(listener, "/cb?code=right")), 303);
    start.elapsed()
}

/// A bound in time on a machine that may be busy with something else, which makes everything slower
/// and nothing quicker: it is kept if one of a few tries keeps it, less what a redirect takes at
/// that moment that nothing disturbs.
fn within(limit: Duration, mut act: impl FnMut() -> Duration) {
    let mut seen = Vec::new();
    for _try in 0..6 {
        let took = act();
        let (undisturbed, requests) = listen();
        let _login = login(requests);
        let beside = served(&undisturbed);
        if took <= limit + 4 * beside {
            return;
        }
        seen.push((took, beside));
    }
    panic!("{limit:?} at most expected; seen, and beside it: {seen:?}");
}

/// Waits until nobody answers there. Another test that starts a process holds a copy of every
/// socket until its program is loaded.
fn closed(address: SocketAddr) {
    let start = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(start.elapsed() < SOON, "it is still open");
        thread::sleep(Duration::from_millis(5));
    }
}

/// In kilobytes.
#[cfg(target_os = "linux")]
fn most_memory() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = text.lines().find(|l| l.starts_with("VmHWM")).expect("the peak");
    line.split_ascii_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

// L-01, L-02, L-05, L-16, L-17, L-21, L-36, L-43
#[test]
fn only_the_right_request_ends_a_login_and_then_the_port_is_closed() {
    let (listener, requests) = listen();
    let login = login(requests);
    assert_eq!(listener.origin(), format!("http://{}", listener.address()));
    for (target, expected) in [
        ("/cb?code=wrong", 400),
        ("/cb", 400),
        ("/favicon.ico", 404),
        ("/apple-touch-icon.png", 404),
        ("/robots.txt", 404),
        ("/", 404),
        ("/cb/?code=right", 404),
        ("/x/../cb?code=right", 404),
        ("//cb?code=right", 404),
        ("/%63b?code=right", 404),
        ("/cancel", 404),
        ("/shutdown", 404),
        ("/quit", 404),
        ("/done", 404),
        ("/failed", 404),
    ] {
        assert_eq!(status(&get(&listener, target)), expected, "{target}");
    }
    let answer = get(&listener, "/cb?code=right");
    assert_eq!(status(&answer), 303);
    assert_eq!(header(&answer, "location"), Some("/done"));
    let address = listener.address();
    let done = thread::spawn({
        let request = request(&listener, "GET /done");
        move || {
            let mut stream = TcpStream::connect(address).expect("connected");
            stream.write_all(request.as_bytes()).expect("sent");
            rest(stream)
        }
    });
    // the page is there until it was fetched
    let done = done.join().expect("a page");
    assert_eq!(status(&done), 200);
    assert!(done.contains("You can close this tab and go back to your terminal."));
    listener.finish();
    closed(address);
    assert_eq!(login.join().expect("a count"), 1);
}

#[test]
fn the_last_page_is_served_while_the_login_ends_which_ends_with_it() {
    within(Duration::from_millis(500), || {
        let (listener, requests) = listen();
        let _login = login(requests);
        assert_eq!(status(&get(&listener, "/cb?code=right")), 303);
        let (address, request) = (listener.address(), request(&listener, "GET /done"));
        let finishing = thread::spawn(move || {
            let start = Instant::now();
            listener.finish();
            start.elapsed()
        });
        let Ok(mut stream) = TcpStream::connect(address) else { return SOON };
        let _ = stream.write_all(request.as_bytes());
        if status(&rest(stream)) != 200 {
            return SOON;
        }
        finishing.join().expect("a time")
    });
}

// H-16
#[test]
fn every_answer_is_under_the_strict_policy() {
    let (listener, requests) = listen();
    let _login = login(requests);
    for target in ["/cb?code=right", "/cb?code=wrong", "/done", "/nothing", "/favicon.ico"] {
        let answer = get(&listener, target);
        for (name, start) in [
            ("content-type", "text/html; charset=utf-8"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; style-src 'sha256-"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("connection", "close"),
        ] {
            assert!(header(&answer, name).is_some_and(|v| v.starts_with(start)), "{target}: {name}");
        }
        let head = answer.to_ascii_lowercase();
        assert!(!head.contains("access-control") && !head.contains("set-cookie"), "{target}");
    }
}

// L-13, L-14, L-34, C-10
#[test]
fn nothing_of_a_request_is_in_a_page() {
    let (listener, requests) = listen();
    let _login = login(requests);
    for query in [
        "error=access_denied&error_description=CANARY%3Cscript%3E&error_uri=javascript:CANARY",
        "redirect=https://CANARY.example&next=//CANARY.example/",
        "code=CANARY\"><img/onerror=x>",
    ] {
        for path in ["/cb", "/CANARY", "//CANARY.example/"] {
            let answer = get(&listener, &format!("{path}?{query}"));
            assert!(!answer.contains("CANARY"), "{answer}");
            assert_eq!(header(&answer, "location"), None);
        }
    }
    assert_eq!(header(&get(&listener, "/cb?code=right"), "location"), Some("/done"));
    assert!(!get(&listener, "/done?CANARY").contains("CANARY"));
}

// N-05, L-54
#[test]
fn a_browsers_address_leads_on_once_and_holds_nothing() {
    let (listener, requests) = listen();
    let login = login(requests);
    let to = "https://as.example/authorize?state=SECRET&x=a%20b";
    let address = listener.entrance("drawn", &Secret::new(to)).expect("an address");
    assert_eq!(address, format!("http://{}/sign-in/drawn", listener.address()));
    // what doesn't lead a person there uses nothing up
    for (line, headers, expected) in [
        ("HEAD /sign-in/drawn", "", 405),
        ("GET /sign-in/drawn", "Sec-Purpose: prefetch\r\n", 403),
        ("GET /sign-in/drawn", "Origin: https://evil.example\r\n", 403),
        ("GET /sign-in/other", "", 404),
        ("GET /sign-in/", "", 404),
    ] {
        let head = request(&listener, line).replace("\r\n\r\n", &format!("\r\n{headers}\r\n"));
        let answer = send(&listener, head.as_bytes());
        assert_eq!((status(&answer), header(&answer, "location")), (expected, None), "{line} {headers}");
    }
    let answer = get(&listener, "/sign-in/drawn");
    assert_eq!((status(&answer), header(&answer, "location")), (302, Some(to)));
    assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"));
    let again = get(&listener, "/sign-in/drawn");
    assert_eq!((status(&again), header(&again, "location")), (410, None));
    assert!(again.contains("This address has been used"), "{again}");
    // no scheme of another program's, no plain http to elsewhere
    for to in ["file:///etc/passwd", "http://as.example/authorize", "https://name:word@as.example/"] {
        assert!(listener.entrance("drawn", &Secret::new(to)).is_err(), "{to}");
    }
    assert_eq!(status(&get(&listener, "/cb?code=right")), 303);
    drop(listener);
    assert_eq!(login.join().expect("a count"), 1);
}

// N-03
#[cfg(target_os = "linux")]
#[test]
fn another_user_of_the_machine_reaches_nothing() {
    another_user_reaches_nothing(&any_port(Host::Localhost));
    // behind a forwarder too
    another_user_reaches_nothing(&Address {
        bind: Some((Ipv6Addr::UNSPECIFIED, 0).into()),
        ..any_port(Host::Localhost)
    });
}

#[cfg(target_os = "linux")]
fn another_user_reaches_nothing(at: &Address) {
    use std::net::IpAddr;

    use oauthctl::world::http_server::loopback::{Stranger, Unheard};

    use crate::world::robot::as_another_user;

    let (requests, arrived) = mpsc::channel();
    let (strangers, seen) = mpsc::channel();
    let listener = Loopback::bind(at, requests, strangers, true).expect("a listener");
    let login = login(arrived);
    let address = listener.entrance("drawn", &Secret::new("https://as.example/")).expect("an address");
    let port = listener.address().port();
    assert!(address.contains(&port.to_string()));
    for (host, head) in [
        (IpAddr::from(Ipv4Addr::LOCALHOST), "GET /cb?code=right"),
        (IpAddr::from(Ipv6Addr::LOCALHOST), "GET /cb?code=right"),
        (IpAddr::from(Ipv4Addr::LOCALHOST), "GET /sign-in/drawn"),
    ] {
        let head = request(&listener, head);
        let Some(answer) = as_another_user(move || {
            let mut stream = TcpStream::connect((host, port)).expect("connected");
            stream.write_all(head.as_bytes()).expect("sent");
            rest(stream)
        }) else {
            return;
        };
        assert_eq!((status(&answer), header(&answer, "location")), (403, None), "{answer}");
        assert_eq!(seen.recv().ok(), Some(Unheard::Stranger(Stranger::User(65534))));
    }
    // who doesn't wait is no browser, and can't be told from one that is another's
    as_another_user(move || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connected");
        let head = format!("GET /cb?code=right HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
    });
    let unheard = seen.recv();
    assert!(matches!(unheard, Ok(Unheard::Stranger(Stranger::Gone | Stranger::User(65534)))), "{unheard:?}");
    assert_eq!(status(&get(&listener, "/sign-in/drawn")), 302, "nothing was used up");
    drop(listener);
    assert_eq!(login.join().expect("a count"), 0);
}

// L-18, L-19, L-22, L-24, L-25, L-26, L-27, L-55, L-59, C-22
#[test]
fn what_a_page_could_send_never_reaches_the_login() {
    let (listener, requests) = listen();
    let port = listener.address().port();
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    for (line, headers, expected) in [
        ("GET /cb?code=right HTTP/1.1", format!("{own}Sec-Fetch-Dest: image\r\n"), 403),
        ("GET /cb?code=right HTTP/1.1", format!("{own}Sec-Fetch-Mode: cors\r\n"), 403),
        ("GET /cb?code=right HTTP/1.1", format!("{own}Sec-Purpose: prefetch\r\n"), 403),
        ("HEAD /cb?code=right HTTP/1.1", own.clone(), 405),
        ("GET /cb?code=right HTTP/1.1", format!("Host: evil.example:{port}\r\n"), 421),
        ("GET /cb?code=right HTTP/1.1", "Host: [::1%25lo]\r\n".to_owned(), 421),
        ("GET /cb?code=right HTTP/1.1", String::new(), 400),
        ("GET /cb?code=right HTTP/1.0", String::new(), 400),
        ("GET /cb?code=right", own.clone(), 400),
        ("PRI * HTTP/2.0", String::new(), 400),
        ("GET /cb?code=right HTTP/1.1", format!("{own}Origin: https://evil.example\r\n"), 403),
        ("OPTIONS /cb HTTP/1.1", format!("{own}Access-Control-Request-Private-Network: true\r\n"), 405),
        ("POST /cb HTTP/1.1", format!("{own}Content-Length: 0\r\n"), 405),
        ("GET /cb?code=right HTTP/1.1", format!("{own}Expect: 100-continue\r\n"), 417),
        ("GET /cb?code=right HTTP/1.1", format!("{own}Connection: Upgrade\r\nUpgrade: websocket\r\n"), 400),
    ] {
        let answer = send(&listener, format!("{line}\r\n{headers}\r\n").as_bytes());
        assert_eq!(status(&answer), expected, "{line} {headers}");
        assert!(!answer.to_ascii_lowercase().contains("access-control"), "{answer}");
        if line.starts_with("HEAD") {
            assert!(answer.ends_with("\r\n\r\n"), "no body for HEAD");
        }
    }
    assert!(requests.try_recv().is_err());
}

// L-26
#[test]
fn a_posted_form_is_taken_where_one_is_expected() {
    let (listener, requests) = listen_at(&any_port(Host::Literal), true);
    let reader = thread::spawn(move || {
        let arrived = requests.recv().expect("a form");
        arrived.reply.send(Page::Done);
        (arrived.path, arrived.query, arrived.form)
    });
    let port = listener.address().port();
    let post = |kind: &str, length: usize, body: &str| {
        let head = format!(
            "POST /cb HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: https://as.example\r\nContent-Type: {kind}\r\n"
        );
        send(&listener, format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes())
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(status(&post("text/plain", 1, "a")), 415);
    assert_eq!(status(&post("multipart/form-data; boundary=a", 1, "a")), 415);
    assert_eq!(status(&post(form, 16_385, &"a".repeat(16_385))), 413);
    let large = format!("code={}", "c".repeat(16_379));
    assert_eq!(status(&post(form, large.len(), &large)), 303);
    let arrived = reader.join().expect("a form");
    assert_eq!(arrived, ("/cb".to_owned(), String::new(), Some(large)));
}

// L-28
#[test]
fn a_tls_greeting_on_a_plain_port_is_cut_off() {
    let (listener, _requests) = listen();
    assert_eq!(send(&listener, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "");
}

/// This very test once more, in a process of its own under a limit of the shell's `ulimit`, where
/// nothing else disturbs what is measured. `None`: this is that process.
#[expect(clippy::disallowed_methods, reason = "a process of its own, told by its environment what it is")]
#[cfg(target_os = "linux")]
fn alone(test: &str, limit: &str) -> Option<std::process::Child> {
    const MARK: &str = "TEST_RUNS_ALONE";
    if std::env::var_os(MARK).is_some() {
        return None;
    }
    let child = std::process::Command::new("/bin/sh")
        .args(["-c", &format!("{limit} exec \"$0\" \"$@\"")])
        .arg(crate::world::itself())
        .args(["--exact", "--nocapture", &format!("loopback::{test}")])
        .env(MARK, "1")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .spawn();
    Some(child.expect("run"))
}

#[cfg(target_os = "linux")]
fn passed(child: std::process::Child) {
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

// L-29
#[cfg(target_os = "linux")]
#[test]
fn endless_requests_cost_no_memory() {
    if let Some(child) = alone("endless_requests_cost_no_memory", "") {
        return passed(child);
    }
    let (listener, requests) = listen();
    let login = login(requests);
    // the pages of this program's own file count too, and how many depends on how it was written
    let before = most_memory();
    let hundred_megabytes = |start: &[u8]| {
        let mut stream = connect(&listener);
        let piece = vec![b'a'; 1 << 16];
        let _ = stream.write_all(start);
        for _piece in 0..1600 {
            if stream.write_all(&piece).is_err() {
                break;
            }
        }
    };
    hundred_megabytes(b"");
    hundred_megabytes(b"GET /");
    hundred_megabytes(format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nA: ", listener.address().port()).as_bytes());
    let grown = most_memory() - before;
    assert!(grown < 16 << 10, "{grown} kB");
    within(Duration::from_millis(100), || served(&listener));
    drop(listener);
    assert!(login.join().expect("a count") >= 1);
}

// L-30, C-25
#[test]
fn one_idle_connection_does_not_delay_the_redirect() {
    within(Duration::from_millis(100), || {
        let (listener, requests) = listen();
        let _login = login(requests);
        let _idle = connect(&listener);
        thread::sleep(Duration::from_millis(20));
        served(&listener)
    });
}

// L-31, L-32
#[test]
fn a_thousand_slow_connections_do_not_delay_the_redirect() {
    within(Duration::from_millis(500), || {
        let (listener, requests) = listen();
        let _login = login(requests);
        let mut slow = Vec::new();
        for at in 0..1000 {
            let mut stream = connect(&listener);
            if at % 2 == 0 {
                let _ = stream.write_all(b"G");
            }
            slow.push(stream);
        }
        let first = served(&listener);
        #[cfg(target_os = "linux")]
        {
            let threads = std::fs::read_dir("/proc/self/task").expect("proc").flatten();
            let of_a_connection = |comm| std::fs::read_to_string(comm).is_ok_and(|name| name.trim() == "connection");
            let connections = threads.filter(|t| of_a_connection(t.path().join("comm"))).count();
            // other tests of this process serve connections too
            assert!(connections <= 400, "{connections}");
        }
        for stream in slow.iter_mut().filter(|s| s.set_nonblocking(true).is_ok()) {
            let _ = stream.write_all(b"E");
        }
        first.max(served(&listener))
    });
}

// L-32
#[test]
fn a_request_that_trickles_is_cut_after_five_seconds() {
    let (listener, requests) = listen();
    let start = Instant::now();
    let mut stream = connect(&listener);
    while start.elapsed() < SOON && stream.write_all(b"G").is_ok() {
        thread::sleep(Duration::from_millis(100));
    }
    assert!(start.elapsed() >= Duration::from_millis(4500), "{:?}", start.elapsed());
    assert!(start.elapsed() < SOON, "it is never cut");
    assert!(requests.try_recv().is_err());
}

// L-33
#[test]
fn a_reset_after_the_request_harms_nobody_else() {
    let (listener, requests) = listen();
    let login = login(requests);
    for _again in 0..200 {
        let mut stream = connect(&listener);
        stream.write_all(request(&listener, "GET /cb?code=right").as_bytes()).expect("sent");
        reset(&stream);
    }
    // half-closed: nothing more is sent, the answer is still read
    let mut half = connect(&listener);
    half.write_all(request(&listener, "GET /cb?code=right").as_bytes()).expect("sent");
    half.shutdown(Shutdown::Write).expect("half-closed");
    assert_eq!(status(&rest(half)), 303);
    // byte by byte
    let mut slow = connect(&listener);
    slow.set_nodelay(true).expect("no delay");
    for byte in request(&listener, "GET /cb?code=right").bytes() {
        slow.write_all(&[byte]).expect("sent");
    }
    assert_eq!(status(&rest(slow)), 303);
    drop(listener);
    // of those that were reset nobody can say whose they were (where that is asked)
    assert!(login.join().expect("a count") >= 2, "requests that were whole arrived");
}

/// So that closing sends RST instead of FIN.
fn reset(stream: &TcpStream) {
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd as _;
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        // SAFETY: the option's value is a live `linger` of the size told.
        let set = unsafe {
            libc::setsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_LINGER,
                (&raw const linger).cast(),
                size_of::<libc::linger>() as libc::socklen_t,
            )
        };
        assert_eq!(set, 0);
    }
    #[cfg(not(unix))]
    let _ = stream;
}

// L-35
#[test]
fn what_follows_a_request_on_its_connection_is_ignored() {
    let (listener, requests) = listen();
    let login = login(requests);
    let one = request(&listener, "GET /cb?code=right");
    let answer = send(&listener, format!("{one}{one}{one}").as_bytes());
    assert_eq!(answer.matches("HTTP/1.1").count(), 1);
    let host = format!("Host: 127.0.0.1:{}", listener.address().port());
    let body =
        send(&listener, format!("GET /cb?code=wrong HTTP/1.1\r\n{host}\r\nContent-Length: 5\r\n\r\nhello").as_bytes());
    assert_eq!(status(&body), 400);
    drop(listener);
    assert_eq!(login.join().expect("a count"), 1);
}

// L-20
#[test]
fn fifty_of_the_same_redirect_get_the_same_page() {
    let (listener, requests) = listen();
    let listener = Arc::new(listener);
    let tabs: Vec<_> = (0..50)
        .map(|_| {
            let listener = Arc::clone(&listener);
            // more than may be open at once: one whose request is late makes room, and a browser
            // asks again
            thread::spawn(move || (0..20).map(|_| status(&get(&listener, "/cb?code=right"))).find(|s| *s != 0))
        })
        .collect();
    // an exchange takes its time, and meanwhile they all wait
    let first = requests.recv().expect("the first");
    thread::sleep(Duration::from_millis(200));
    first.reply.send(Page::Done);
    let others = login(requests);
    for tab in tabs {
        assert_eq!(tab.join().expect("an answer"), Some(303));
    }
    drop(listener);
    assert!(others.join().expect("a count") >= 49);
}

// L-20
#[test]
fn a_reload_while_the_login_ends_gets_the_page_of_the_first() {
    // who comes later than a second after the end comes too late, as they may on a busy machine
    let seen = std::iter::repeat_with(reload_while_the_login_ends).take(6).find(|seen| seen.iter().all(|s| *s != 0));
    assert_eq!(seen, Some([303, 404, 200]));
}

/// What a reload, another code, and the page of the end are answered; 0: nothing.
fn reload_while_the_login_ends() -> [u16; 3] {
    let (listener, requests) = listen();
    let address = listener.address();
    let again = request(&listener, "GET /cb?code=right");
    let other = request(&listener, "GET /cb?code=other");
    let first = thread::spawn({
        let again = again.clone();
        move || {
            let mut stream = TcpStream::connect(address).expect("connected");
            stream.write_all(again.as_bytes()).expect("sent");
            rest(stream)
        }
    });
    requests.recv().expect("the redirect").reply.send(Page::Failed);
    assert_eq!(header(&first.join().expect("an answer"), "location"), Some("/failed"));
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        [again, other, format!("GET /failed HTTP/1.1\r\nHost: {address}\r\n\r\n")].map(|request| {
            let Ok(mut stream) = TcpStream::connect(address) else { return 0 };
            let _ = stream.write_all(request.as_bytes());
            status(&rest(stream))
        })
    });
    // nobody looks at `requests` any more, though it is still there
    listener.finish();
    let answers = late.join().expect("answers");
    drop(requests);
    answers
}

#[test]
fn a_page_that_nobody_fetches_is_waited_for_a_second_at_most() {
    within(Duration::from_millis(1300), || {
        let (listener, requests) = listen();
        let address = listener.address();
        let login = login(requests);
        assert_eq!(status(&get(&listener, "/cb?code=right")), 303);
        let start = Instant::now();
        listener.finish();
        let took = start.elapsed();
        closed(address);
        login.join().expect("a count");
        took
    });
    // and where no page is owed, not at all
    within(Duration::from_millis(100), || {
        let (unused, _requests) = listen();
        let start = Instant::now();
        unused.finish();
        start.elapsed()
    });
}

// L-43, L-46
#[test]
fn dropping_it_closes_the_port_at_once_whoever_is_connected() {
    within(Duration::from_millis(100), || {
        let (listener, _requests) = listen();
        let address = listener.address();
        let idle: Vec<TcpStream> = (0..10).map(|_| connect(&listener)).collect();
        let mut waiting = connect(&listener);
        waiting.write_all(request(&listener, "GET /cb?code=right").as_bytes()).expect("sent");
        let start = Instant::now();
        drop(listener);
        let took = start.elapsed();
        closed(address);
        for stream in idle {
            assert_eq!(rest(stream), "");
        }
        // and can be had again
        let (again, _requests) = listen_once_free(&[address.port()]);
        assert_eq!(again.address(), address);
        took
    });
}

/// At the first of the ports that is free, once one is: see [`closed`].
fn listen_once_free(ports: &[u16]) -> (Loopback, Receiver<Arrived>) {
    let address = Address { host: Host::Literal, ports: ports.to_vec(), tls: false, bind: None };
    let start = Instant::now();
    loop {
        let (to, from) = mpsc::channel();
        match Loopback::bind(&address, to, mpsc::channel().0, false) {
            Ok(listener) => return (listener, from),
            Err(error) => assert!(start.elapsed() < SOON, "{error}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_reply_that_is_dropped_is_a_plain_404() {
    let (listener, requests) = listen();
    let dropper = thread::spawn(move || drop(requests.recv().expect("a request")));
    assert_eq!(status(&get(&listener, "/cb")), 404);
    dropper.join().expect("dropped");
    assert_eq!(status(&get(&listener, "/cb")), 404, "nobody receives any more");
}

#[expect(clippy::disallowed_methods, reason = "another process's listener, played by the test")]
fn try_occupy(address: impl Into<SocketAddr>) -> io::Result<TcpListener> {
    TcpListener::bind(address.into())
}

fn occupy(address: impl Into<SocketAddr>) -> TcpListener {
    try_occupy(address).expect("a port")
}

// L-38, L-39, L-41, C-27
#[test]
fn a_taken_port_is_named_with_its_holder_and_nothing_is_sent_to_it() {
    for wide in [
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        (Ipv4Addr::UNSPECIFIED, 0).into(),
        (Ipv6Addr::UNSPECIFIED, 0).into(),
    ] {
        // who listens there on Windows has the addresses of IPv6 alone
        if cfg!(windows) && wide.is_ipv6() {
            continue;
        }
        let holder = occupy(wide);
        holder.set_nonblocking(true).expect("nonblocking");
        let port = holder.local_addr().expect("its address").port();
        let (to, _from) = mpsc::channel();
        let address = Address { host: Host::Literal, ports: vec![port], tls: false, bind: None };
        match Loopback::bind(&address, to, mpsc::channel().0, false) {
            Err(ListenError::PortTaken { port: told, holder: who }) => {
                assert_eq!(told, port);
                if cfg!(target_os = "linux") {
                    assert!(who.contains(&format!("process {}", std::process::id())), "{who}");
                }
            }
            Err(other) => panic!("{wide}: {other}"),
            Ok(_) => panic!("{wide}: bound"),
        }
        assert_eq!(holder.accept().expect_err("nobody came").kind(), io::ErrorKind::WouldBlock);
    }
}

// L-41
#[test]
fn the_next_port_is_tried_and_two_logins_have_different_ones() {
    let holder = occupy((Ipv4Addr::LOCALHOST, 0));
    let taken = holder.local_addr().expect("its address").port();
    let free = occupy((Ipv4Addr::LOCALHOST, 0)).local_addr().expect("its address").port();
    let (first, _a) = listen_once_free(&[taken, free]);
    assert_eq!(first.address().port(), free);
    let (second, _b) = listen();
    let (third, _c) = listen();
    assert_ne!(second.address().port(), third.address().port());
}

// L-40
#[test]
fn localhost_is_served_on_both_addresses_and_not_shared_with_anybody() {
    if try_occupy((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return;
    }
    let (listener, requests) = listen_at(&any_port(Host::Localhost), false);
    let _login = login(requests);
    let port = listener.address().port();
    assert_eq!(listener.origin(), format!("http://localhost:{port}"));
    for address in [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), (Ipv6Addr::LOCALHOST, port).into()] {
        let mut stream = TcpStream::connect(address).expect("connected");
        stream
            .write_all(format!("GET /cb?code=right HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").as_bytes())
            .expect("sent");
        assert_eq!(status(&rest(stream)), 303, "{address}");
    }
    let other = occupy((Ipv6Addr::LOCALHOST, 0));
    let taken = other.local_addr().expect("its address").port();
    let (to, _from) = mpsc::channel();
    let address = Address { host: Host::Localhost, ports: vec![taken], tls: false, bind: None };
    assert!(
        matches!(Loopback::bind(&address, to, mpsc::channel().0, false), Err(ListenError::PortTaken { port, .. }) if port == taken)
    );
}

#[test]
fn v6_is_served_where_it_is_asked_for() {
    if try_occupy((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return;
    }
    let (listener, requests) = listen_at(&any_port(Host::V6), false);
    let _login = login(requests);
    let port = listener.address().port();
    assert_eq!(listener.origin(), format!("http://[::1]:{port}"));
    let answer = send(&listener, format!("GET /cb?code=right HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n").as_bytes());
    assert_eq!(status(&answer), 303);
}

// databricks/cli#569
#[test]
fn behind_a_forwarder_the_browser_knows_the_forwarders_port_alone() {
    let (front, back) = (own_port(), own_port());
    let bind = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, back)));
    let (listener, requests) = listen_at(&Address { ports: vec![front], bind, ..any_port(Host::Literal) }, false);
    let _login = login(requests);
    assert_eq!(listener.origin(), format!("http://127.0.0.1:{front}"));
    for (port, expected) in [(front, 303), (back, 421)] {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, back)).expect("connected");
        let head = format!("GET /cb?code=right HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        assert_eq!(status(&rest(stream)), expected, "{port}");
    }
}

#[test]
fn nobody_reaches_it_from_another_machine() {
    let (listener, _requests) = listen();
    // the address that packets to the world would leave from; none are sent
    let outward =
        std::net::UdpSocket::bind("0.0.0.0:0").and_then(|s| s.connect("192.0.2.1:9").and_then(|()| s.local_addr()));
    let Ok(outward) = outward.map(|address| address.ip()) else { return };
    if !outward.is_loopback() {
        let address = SocketAddr::new(outward, listener.address().port());
        assert!(TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err());
    }
}

// L-50
#[cfg(target_os = "linux")]
#[test]
fn few_descriptors_are_enough_and_none_is_a_clean_error() {
    use std::io::{BufRead as _, BufReader};

    let Some(mut child) = alone("few_descriptors_are_enough_and_none_is_a_clean_error", "ulimit -n 16;") else {
        let (listener, requests) = listen();
        let address = listener.address();
        let login = thread::spawn(move || {
            let arrived = requests.recv().expect("the redirect");
            arrived.reply.send(Page::Done);
        });
        // the test's own way to say where it listens: its standard output is a pipe
        io::stdout().write_all(format!("\nlistening at {address}\n").as_bytes()).expect("told");
        login.join().expect("a login");
        listener.finish();
        let mut files = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            files.push(file);
        }
        let (to, _from) = mpsc::channel();
        let Err(ListenError::Failed(why)) = Loopback::bind(&any_port(Host::Literal), to, mpsc::channel().0, false)
        else {
            panic!("no descriptor was left")
        };
        assert!(why.to_string().to_lowercase().contains("too many open files"), "{why}");
        return;
    };
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let address = lines.find_map(|l| l.strip_prefix("listening at ").map(str::to_owned)).expect("its address");
    let idle: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(&address).expect("connected")).collect();
    let mut right = TcpStream::connect(&address).expect("connected");
    right.set_read_timeout(Some(SOON)).expect("a timeout");
    right.write_all(format!("GET /cb HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).expect("sent");
    let start = Instant::now();
    assert_eq!(status(&rest(right)), 303);
    // idle ones are cut after five seconds anyway: they are not what it waited for
    assert!(start.elapsed() < Duration::from_millis(4500), "{:?}", start.elapsed());
    drop(idle);
    let shown: Vec<String> = lines.collect();
    assert!(child.wait().is_ok_and(|status| status.success()), "{shown:?}");
}

/// Takes any certificate, as a person does who clicks through the browser's warning.
#[derive(Debug)]
struct ClickedThrough(rustls::crypto::CryptoProvider);

mod clicked_through {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme, crypto};

    impl ServerCertVerifier for super::ClickedThrough {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
}

fn send_in_tls(listener: &Loopback, bytes: &[u8]) -> String {
    let provider = rustls::crypto::ring::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider.clone()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ClickedThrough(provider)))
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let tls = rustls::ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut stream = rustls::StreamOwned::new(tls, connect(listener));
    stream.write_all(bytes).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("ended as TLS ends");
    answer
}

// L-37, S7
#[test]
fn https_on_loopback_is_served_with_a_certificate_made_on_the_spot() {
    let address = Address { host: Host::Localhost, ports: Vec::new(), tls: true, bind: None };
    let (listener, requests) = listen_at(&address, false);
    let login = login(requests);
    let port = listener.address().port();
    assert_eq!(listener.origin(), format!("https://localhost:{port}"));
    // neither plain HTTP nor silence on the same port disturbs it
    let _idle = connect(&listener);
    assert_eq!(status(&get(&listener, "/cb?code=right")), 0);
    let request = format!("GET /cb?code=right HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
    let answer = send_in_tls(&listener, request.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(answer.contains("Location: /done"), "{answer}");
    drop(listener);
    assert_eq!(login.join().expect("a count"), 1);
}

// L-53
#[test]
fn noise_of_all_kinds_is_survived() {
    let (listener, requests) = listen();
    let login = login(requests);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..500 {
        let noise: Vec<u8> = (0..round % 97)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                seed as u8
            })
            .collect();
        let mut stream = connect(&listener);
        let _ = stream.write_all(&noise);
        let _ = stream.write_all(b"\r\n\r\n");
        if round % 3 == 0 {
            reset(&stream);
        }
    }
    within(Duration::from_millis(500), || served(&listener));
    drop(listener);
    assert!(login.join().expect("a count") >= 1);
}
