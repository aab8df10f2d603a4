//! The HTML pages: one style, no scripts, no external resources.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::data::PRACTICE_ACCOUNT;
use super::device_codes::Device;
use super::message::with_header;
use super::tickets::Asked;
use crate::secret::sha256;
use crate::world::http_server::serve::Response;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--paper:#fff;--back:#eef1f5;--line:#d5dbe3;--go:#1f6feb;--go-ink:#fff}\
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa5b4;--paper:#1a2029;--back:#11151b;--line:#323b48;--go:#4c8dff;--go-ink:#0b1220}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:flex;justify-content:center;align-items:flex-start;padding:8vh 1rem 4rem;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
main{width:100%;max-width:30rem;background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:2rem}\
main.wide{max-width:46rem}\
.badge{display:inline-block;margin:0 0 1rem;padding:.15rem .7rem;border:1px solid var(--line);border-radius:99px;color:var(--soft);font-size:.8rem}\
h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.25}\
h2{margin:1.6rem 0 .4rem;font-size:1.05rem}\
p{margin:.5rem 0}\
ul{margin:.4rem 0;padding-left:1.2rem}\
.soft{color:var(--soft);font-size:.9rem}\
form+.soft{margin-top:1.2rem}\
code{font:.88em ui-monospace,monospace;overflow-wrap:anywhere}\
label{display:block;margin:1.2rem 0 .3rem;font-size:.9rem;color:var(--soft)}\
input{width:100%;padding:.6rem .7rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:inherit;font:inherit}\
.choices{display:flex;gap:.7rem;margin-top:1.5rem}\
button{flex:1;padding:.65rem 1rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:inherit;font:inherit;font-weight:600;cursor:pointer}\
button.go{background:var(--go);border-color:var(--go);color:var(--go-ink)}\
button:focus-visible,input:focus-visible{outline:3px solid var(--go);outline-offset:2px}\
table{width:100%;border-collapse:collapse;font-size:.92rem}\
.code{font-size:1.25em;letter-spacing:.08em;white-space:nowrap}\
th{text-align:left;font-weight:inherit}\
th,td{padding:.3rem .8rem .3rem 0;vertical-align:top}\
tbody th,tbody td{border-top:1px solid var(--line)}\
th code{overflow-wrap:normal;white-space:nowrap}\
@media(max-width:34rem){main{padding:1.4rem 1.2rem}body{padding-top:1rem}\
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\
tbody th,tbody td{display:block;padding:.1rem 0;border:0}\
tbody th{border-top:1px solid var(--line);padding-top:.5rem}\
tbody td:last-child{padding-bottom:.5rem}\
td::before{content:attr(data-of) ': ';color:var(--soft)}}";

/// The line at the top of every page that looks like a provider's.
pub const BADGE: &str = "<p class=\"badge\">practice server · no real account</p>\n";

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(sha256(STYLE.as_bytes())));

/// Escapes a text for HTML.
pub fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Optional features of a page.
#[derive(Default)]
pub struct Look {
    pub wide: bool,
    /// A second origin that a form's response may redirect to.
    pub form_target: Option<String>,
}

/// Makes a whole page. `body` is HTML, `title` is text.
pub fn page(status: u16, title: &str, Look { wide, form_target }: Look, body: &str) -> Response {
    let class = if wide { " class=\"wide\"" } else { "" };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main{class}>\n{body}\n</main>\n</body>\n</html>\n",
        escape(title)
    );
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self'{}{}; frame-ancestors 'none'; base-uri 'none'",
        *STYLE_HASH,
        if form_target.is_some() { " " } else { "" },
        form_target.as_deref().unwrap_or_default(),
    );
    let headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", &policy),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    ];
    Response {
        status,
        headers: headers.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        body: html.into_bytes(),
    }
}

/// Makes a page that reports a problem.
pub fn problem(status: u16, what: &str) -> Response {
    told(status, "This didn’t work", what, "")
}

/// Makes a page that confirms an action and links to the front page.
pub fn notice(title: &str, what: &str) -> Response {
    told(200, title, what, "\n<p><a href=\"/\">Back</a></p>")
}

fn told(status: u16, title: &str, what: &str, after: &str) -> Response {
    let (heading, what) = (escape(title), escape(what));
    let body = format!("<p class=\"badge\">practice server</p>\n<h1>{heading}</h1>\n<p>{what}</p>{after}");
    page(status, title, Look::default(), &body)
}

/// Returns the source expression that lets a form's response redirect to `redirect_uri`. A policy
/// can't name an IPv6 address (CSP, section 2.3.1), so its scheme stands for it.
fn target(redirect_uri: &str) -> String {
    match url::Url::parse(redirect_uri) {
        Ok(url) if matches!(url.host(), Some(url::Host::Ipv6(_))) => format!("{}:", url.scheme()),
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => String::new(),
    }
}

/// Returns the form that signs in and decides. `hidden`: the name and value that it carries.
fn decision_form(action: &str, hidden: (&str, &str)) -> String {
    format!(
        "<form method=\"post\" action=\"{}\">\n<input type=\"hidden\" name=\"{}\" value=\"{}\">\n\
         <label for=\"account\">Practice account (any name will do, no password)</label>\n\
         <input id=\"account\" name=\"account\" type=\"text\" maxlength=\"100\" autocomplete=\"off\" value=\"{PRACTICE_ACCOUNT}\">\n\
         <div class=\"choices\">\n<button class=\"go\" id=\"allow\" name=\"decision\" value=\"allow\">Allow</button>\n\
         <button id=\"deny\" name=\"decision\" value=\"deny\">Deny</button>\n</div>\n</form>",
        escape(action),
        hidden.0,
        escape(hidden.1),
    )
}

/// Describes the client and the scopes it requests.
fn request(title: &str, client: &str, scopes: &[String]) -> String {
    let scopes = if scopes.is_empty() {
        "<p>It asks for access to your practice account; it named no scopes.</p>".to_owned()
    } else {
        let items: String = scopes.iter().map(|s| format!("<li><code>{}</code></li>\n", escape(s))).collect();
        format!("<p>It asks for:</p>\n<ul>\n{items}</ul>")
    };
    format!(
        "{BADGE}<h1>{}</h1>\n<p><strong>{}</strong> would like to act for you.</p>\n{scopes}\n",
        escape(title),
        escape(client)
    )
}

/// Makes the page of an authorization request.
pub fn consent(title: &str, action: &str, ticket: &str, asked: &Asked) -> Response {
    let request = request(title, &asked.client, &asked.scopes);
    let redirect = url::Url::parse(&asked.redirect_uri).ok();
    let reached = match redirect.as_ref().and_then(url::Url::host_str) {
        Some(host) if !matches!(host, "127.0.0.1" | "localhost" | "[::1]") => format!(
            "<p class=\"soft\">Afterwards the browser goes to <code>{}</code>, which need not exist: copy the whole \
             address it ends on, and paste it where the login waits.</p>",
            escape(&asked.redirect_uri)
        ),
        _ => format!(
            "<p class=\"soft\">Either way the browser then goes back to <code>{}</code>, where the program waits on this machine.</p>",
            escape(&redirect.map_or_else(String::new, |u| u.origin().ascii_serialization()))
        ),
    };
    let body = format!("{request}{}\n{reached}", decision_form(action, ("ticket", ticket)));
    page(200, title, Look { form_target: Some(target(&asked.redirect_uri)), ..Look::default() }, &body)
}

/// Makes the page that asks for a device's user code. `problem`: what was wrong with the last one.
pub fn code_form(action: &str, problem: Option<&str>) -> Response {
    let title = "Enter the code";
    let problem =
        problem.map(|p| format!("<p role=\"alert\"><strong>{}</strong></p>\n", escape(p))).unwrap_or_default();
    let body = format!(
        "{BADGE}<h1>{title}</h1>\n{problem}<p>The program that waits for you shows it.</p>\n\
         <form method=\"get\" action=\"{}\">\n<label for=\"code\">Code</label>\n\
         <input id=\"code\" name=\"user_code\" type=\"text\" maxlength=\"20\" autocomplete=\"off\" autocapitalize=\"characters\" \
         spellcheck=\"false\" placeholder=\"XXXX-XXXX\" required>\n\
         <div class=\"choices\"><button class=\"go\">Continue</button></div>\n</form>",
        escape(action)
    );
    page(if problem.is_empty() { 200 } else { 400 }, title, Look::default(), &body)
}

/// Makes the page of a device's request, with its code for the user to compare (RFC 8628, section
/// 3.3).
pub fn device(title: &str, action: &str, waiting: &Device) -> Response {
    let request = request(title, &waiting.client, &waiting.scopes);
    let body = format!(
        "{request}<p>Does the program show this code? If not, press <em>Deny</em>.</p>\n<p><code class=\"code\">{}</code></p>\n{}",
        escape(&waiting.user_code),
        decision_form(action, ("user_code", &waiting.user_code)),
    );
    page(200, title, Look::default(), &body)
}

/// Makes the last page of a device's sign-in.
pub fn decided(title: &str, what: &str) -> Response {
    let body = format!(
        "{BADGE}<h1>{}</h1>\n<p>{} You can close this page and go back to your terminal.</p>",
        escape(title),
        escape(what)
    );
    page(200, title, Look::default(), &body)
}

/// Makes the response to a wrong method on a known path.
pub fn not_allowed(allow: &str) -> Response {
    with_header(problem(405, "This address doesn't take that method."), "Allow", allow)
}
