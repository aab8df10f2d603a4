//! The pages for the browser. They are constant bytes, so nothing from a request gets into them.
//! Their policy allows no script, no loads and no frames; the one style sheet is allowed by its
//! hash.

use std::borrow::Cow;

use super::Page;
use crate::secret::Secret;

/// The status of the redirects to a login's last page.
pub const SEE_OTHER: u16 = 303;

/// Sent with every response.
pub const HEADERS: [(&str, &str); 5] = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'sha256-vNXBTwG7llT0jZ5FuGjABte9uTlls49Dr0Nm9jiSsCg='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
];

/// A page and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    pub location: Option<Cow<'static, str>>,
    pub body: &'static str,
    /// Whether this page ends a login.
    pub is_last: bool,
}

/// The page for a sign-in that ended.
pub fn answer(page: Page) -> Answered {
    match page {
        // RFC 9110, section 15.4.4: the browser goes on with GET, whatever the method was
        Page::Done | Page::Failed | Page::Asked => {
            let location = last(page).map(|(path, _)| path.into());
            Answered { location, ..plain(SEE_OTHER, "") }
        }
        Page::NotFound => refusal(404),
        Page::Refused => plain(400, REFUSED),
    }
}

/// The page that ends the browser's part of a login, if this is one: its path and itself.
pub fn last(page: Page) -> Option<(&'static str, Answered)> {
    let (path, body) = match page {
        Page::Done => ("/done", DONE),
        Page::Failed => ("/failed", FAILED),
        Page::Asked => ("/asked", ASKED),
        Page::NotFound | Page::Refused => return None,
    };
    Some((path, Answered { is_last: true, ..plain(200, body) }))
}

/// The page for a request that is refused.
pub fn refusal(status: u16) -> Answered {
    match status {
        404 => plain(status, NOT_FOUND),
        405 => plain(status, METHOD),
        413 | 414 | 431 => plain(status, TOO_LARGE),
        _ => plain(status, NOT_FOR_US),
    }
}

/// Redirects the one-time address to the authorization server.
pub fn onward(to: &Secret) -> Answered {
    Answered { location: Some(to.expose().to_owned().into()), ..plain(302, "") }
}

/// The page for an address that was used before.
pub fn used() -> Answered {
    plain(410, USED)
}

/// The page for a request of another program or site.
pub fn stranger() -> Answered {
    plain(403, STRANGER)
}

fn plain(status: u16, body: &'static str) -> Answered {
    Answered { status, location: None, body, is_last: false }
}

macro_rules! style {
    () => {
        "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#f6f8fa;--card:#fff;--edge:#d0d7de;--good:#1a7f37;--bad:#bc4c00}\
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--paper:#0d1117;--card:#161b22;--edge:#30363d;--good:#3fb950;--bad:#f0883e}}\
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);\
font:1.05rem/1.5 system-ui,sans-serif}\
main{box-sizing:border-box;max-width:26rem;margin:1rem;padding:2.5rem 2rem;text-align:center;background:var(--card);\
border:1px solid var(--edge);border-radius:1rem}\
i{display:grid;place-items:center;width:3.5rem;height:3.5rem;margin:0 auto 1rem;border:.2rem solid;border-radius:50%;\
font:700 1.8rem/1 system-ui,sans-serif}\
.good i{color:var(--good)}\
.bad i{color:var(--bad)}\
h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.25;text-wrap:balance}\
p{margin:0;color:var(--soft);text-wrap:balance}"
    };
}

macro_rules! page {
    ($class:literal, $sign:literal, $title:literal, $text:literal) => {
        concat!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">",
            "<meta name=\"viewport\" content=\"width=device-width\"><title>",
            $title,
            "</title><style>",
            style!(),
            "</style></head><body><main class=\"",
            $class,
            "\"><i aria-hidden=\"true\">",
            $sign,
            "</i><h1>",
            $title,
            "</h1><p>",
            $text,
            "</p></main></body></html>\n"
        )
    };
}

const DONE: &str = page!(
    "good",
    "&#10003;",
    "You're signed in",
    "oauthctl has its token. You can close this tab and go back to your terminal."
);
const FAILED: &str =
    page!("bad", "!", "The sign-in did not complete", "Your terminal says why. You can close this tab.");
const ASKED: &str = page!(
    "good",
    "?",
    "Go back to your terminal now",
    "It asks whether this account is yours. Nothing is kept until you say so there. You can close this tab."
);
const REFUSED: &str = page!(
    "bad",
    "!",
    "This is not the sign-in that is being waited for",
    "Nothing was done. If you were signing in, go back to your terminal and follow the address shown there."
);
const NOT_FOUND: &str =
    page!("bad", "?", "Nothing here", "oauthctl waits here for a sign-in to come back, and serves nothing else.");
const METHOD: &str = page!("bad", "!", "Not this way", "oauthctl waits here for a sign-in to come back, by GET.");
const USED: &str = page!(
    "bad",
    "!",
    "This address has been used",
    "It was good for one visit. Your terminal shows the address to sign in at, or begin there anew."
);
const STRANGER: &str = page!(
    "bad",
    "!",
    "Another user of this machine waits here",
    "The sign-in that oauthctl waits for was begun by another user than the one whose browser this is. The terminal says how to go on."
);
const TOO_LARGE: &str = page!(
    "bad",
    "!",
    "Your browser sent too much",
    "This request was refused unread. Your terminal says how to go on."
);
const NOT_FOR_US: &str = page!("bad", "!", "Refused", "This request can't be the end of a sign-in. Nothing was done.");

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    #[test]
    fn the_policy_allows_the_one_style_sheet_there_is() {
        let hash = ring::digest::digest(&ring::digest::SHA256, style!().as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(hash);
        assert!(HEADERS[2].1.contains(&format!("style-src 'sha256-{hash}'")), "the hash is {hash}");
        for page in [DONE, FAILED, ASKED, REFUSED, NOT_FOUND, METHOD, USED, STRANGER, TOO_LARGE, NOT_FOR_US] {
            assert!(page.contains(concat!("<style>", style!(), "</style>")));
            assert!(!page.contains("style=") && !page.contains("http") && !page.contains("<script"));
        }
    }

    // L-34
    #[test]
    fn nothing_leads_anywhere_but_to_our_own_last_page() {
        for page in [Page::Done, Page::Failed, Page::Asked, Page::NotFound, Page::Refused] {
            let to = answer(page).location;
            assert_eq!(to.as_deref(), last(page).map(|(path, _)| path), "{page:?}");
            assert!(to.is_none_or(|to| to.starts_with('/') && !to.starts_with("//")));
        }
    }
}
