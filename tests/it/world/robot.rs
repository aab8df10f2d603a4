//! The browser, as a person at it would use it: opens the page, presses a button, follows where it
//! leads.

use std::sync::OnceLock;
use std::time::Duration;

/// What stands in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    pub title: String,
    pub url: String,
    pub body: String,
    pub location: Option<String>,
}

/// One for all: to make one takes longer than to use it.
fn client() -> &'static reqwest::blocking::Client {
    static CLIENT: OnceLock<reqwest::blocking::Client> = OnceLock::new();
    CLIENT.get_or_init(new_client)
}

fn new_client() -> reqwest::blocking::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        // a certificate made on the spot: the person presses "go on"
        .tls_danger_accept_invalid_certs(true)
        .timeout(Duration::from_secs(20))
        .build()
        .expect("a client")
}

fn page(answer: reqwest::blocking::Response) -> Page {
    read(answer).expect("a body")
}

fn read(answer: reqwest::blocking::Response) -> reqwest::Result<Page> {
    let url = answer.url().to_string();
    let location = answer.headers().get("location").map(|l| l.to_str().expect("text").to_owned());
    let status = answer.status().as_u16();
    let body = answer.text()?;
    Ok(Page { status, title: title(&body), url, body, location })
}

fn title(body: &str) -> String {
    body.split("<title>").nth(1).and_then(|t| t.split("</title>").next()).unwrap_or_default().to_owned()
}

/// One address, no redirect followed.
pub fn get(url: &str) -> Page {
    page(client().get(url).send().unwrap_or_else(|e| panic!("{url}: {e:?}")))
}

/// The same, where the listener may be gone already.
pub fn get_if_there(url: &str) -> Option<Page> {
    client().get(url).send().ok().map(page)
}

/// The same from this thread: the one client for all makes its connections from a thread of its
/// own.
#[cfg(target_os = "linux")]
pub fn fresh_get(url: &str) -> Page {
    use std::io::{Read as _, Write as _};
    let at = url::Url::parse(url).expect("an address");
    let mut stream =
        std::net::TcpStream::connect((at.host_str().expect("a host"), at.port().expect("a port"))).expect("connected");
    let target = &url[url.find(at.path()).expect("a path")..];
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", at.authority()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    Page { status, title: title(&answer), url: url.to_owned(), body: answer, location: None }
}

/// A form that the page sends by itself (`form_post`).
pub fn post(to: &str, form: &[(&str, &str)]) -> Page {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let sent = client().post(to).header("content-type", "application/x-www-form-urlencoded").body(form).send();
    let mut page = page(sent.expect("an answer"));
    follow(&mut page);
    page
}

/// Goes where a page leads, to the end. Our own last page is there for a second, which a busy
/// machine may let pass: who looks at that page sees that it isn't there, and nobody else minds.
fn follow(page: &mut Page) {
    while let Some(to) = page.location.take() {
        let next = url::Url::parse(&page.url).and_then(|u| u.join(&to)).expect("an address");
        let came = client().get(next.as_str()).send().and_then(read);
        *page = match came {
            Ok(next) => next,
            Err(_) if matches!(next.path(), "/done" | "/failed") => {
                page.location = Some(to);
                return;
            }
            Err(e) => panic!("{next}: {e:?}"),
        };
    }
}

/// An address, and where it leads.
pub fn go(url: &str) -> Page {
    let mut page = get(url);
    follow(&mut page);
    page
}

/// The same with a header: the cookies of other servers.
pub fn go_with(url: &str, name: &str, value: &str) -> Page {
    let mut page = page(client().get(url).header(name, value).send().unwrap_or_else(|e| panic!("{url}: {e:?}")));
    follow(&mut page);
    page
}

/// Where the address that a browser is started with leads: the listener's own leads on, once. A
/// pasted address may have ended the login meanwhile, and its listener with it.
pub fn entered(url: &str) -> String {
    if !url.contains("/sign-in/") {
        return url.to_owned();
    }
    let Some(page) = get_if_there(url) else { return url.to_owned() };
    page.location.unwrap_or_else(|| panic!("{url} leads nowhere: {}", page.body))
}

/// What another user of this machine does: `None` where the tests don't run as root, whose threads
/// alone can become another.
#[cfg(target_os = "linux")]
pub fn as_another_user<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let thread = std::thread::spawn(move || {
        // SAFETY: plain system call, for this thread alone, which ends with its work
        let is_another = unsafe { libc::syscall(libc::SYS_setresuid, -1, 65534, -1) } == 0;
        is_another.then(act)
    });
    thread.join().expect("it did")
}

/// Opens the authorize page and presses a button: the address that the provider sends the browser
/// to.
pub fn decided(url: &str, decision: &str) -> String {
    let shown = get(url);
    if let Some(location) = shown.location {
        return location;
    }
    assert_eq!(shown.status, 200, "{}", shown.body);
    let ticket =
        shown.body.split("name=\"ticket\" value=\"").nth(1).expect("a form").split('"').next().expect("a value");
    let to = url.split('?').next().expect("an address");
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("ticket", ticket), ("account", "alice@example.test"), ("decision", decision)])
        .finish();
    let sent = client().post(to).header("content-type", "application/x-www-form-urlencoded").body(form).send();
    page(sent.expect("an answer")).location.expect("a way back")
}

/// Signs in, allows, and looks at the page that comes in the end.
pub fn allows(url: &str) -> Vec<Page> {
    vec![go(&decided(url, "allow"))]
}

/// The page of an odd server, which sends everybody back with a code.
pub fn comes_back(url: &str) -> Vec<Page> {
    let asked: std::collections::HashMap<String, String> =
        url::Url::parse(url).unwrap().query_pairs().into_owned().collect();
    vec![go(&format!("{}?code=c&state={}", asked["redirect_uri"], asked["state"]))]
}

pub fn denies(url: &str) -> Vec<Page> {
    vec![go(&decided(url, "deny"))]
}

/// An address with one parameter of its query changed, or taken away.
pub fn with(url: &str, name: &str, value: Option<&str>) -> String {
    let mut changed = url::Url::parse(url).expect("an address");
    let pairs: Vec<(String, String)> = changed.query_pairs().into_owned().filter(|(n, _)| n != name).collect();
    changed.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|v| (name, v)));
    changed.to_string()
}
