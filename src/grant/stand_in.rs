//! Practice on a machine without a browser: the user types a word at the waiting login, and this
//! presses the button of the practice server's page as a browser does. It fetches the page, sends
//! its form, and returns the address of the redirect, which gets the same checks as a pasted
//! address.
//!
//! This never works with a real provider: its page is on another machine, and its entry is not
//! marked as practice.

use std::sync::Arc;

use crate::protocol::form;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::wire::{Request, Response};
use crate::world::{Http, World};

/// Presses the buttons of one page.
pub struct StandIn {
    http: Arc<dyn Http>,
    page: Secret,
}

/// The result of a typed word.
#[derive(Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The word names no button of the page.
    NoButton,
    /// The page is done.
    Done,
    /// The server redirects the browser there.
    To(Secret),
    /// There was no button to press.
    Failed(String),
}

impl StandIn {
    /// `None`: the page is not a practice server's on this machine.
    pub fn at(world: &World, provider: &Provider, page: &Secret) -> Option<StandIn> {
        let url = url::Url::parse(page.expose()).ok()?;
        let here = url.scheme() == "http" && url.host_str() == Some("127.0.0.1");
        (provider.practice.is_some() && here).then(|| StandIn { http: Arc::clone(&world.http), page: page.clone() })
    }

    /// Presses the button that the word names.
    pub fn hears(&self, word: &str) -> Pressed {
        let word = word.trim().to_ascii_lowercase();
        if !matches!(word.as_str(), "allow" | "deny") {
            return Pressed::NoButton;
        }
        self.press(&word).unwrap_or_else(Pressed::Failed)
    }

    fn press(&self, decision: &str) -> Result<Pressed, String> {
        let page = self.ask(&Request::new("GET", self.page.expose()))?;
        if let Some(to) = page.header("location") {
            return Ok(Pressed::To(Secret::new(to)));
        }
        let html = String::from_utf8_lossy(&page.body);
        let Some((name, value)) = hidden(&html).filter(|_| page.status == 200) else { return Err(told(&html)) };
        let form = form::encode([(name, value), ("decision", decision)]);
        let action = self.page.expose().split('?').next().unwrap_or_default();
        let mut request = Request::new("POST", action).header("content-type", "application/x-www-form-urlencoded");
        request.body = Some(Secret::unlisted(form.as_str()));
        let answer = self.ask(&request)?;
        match answer.header("location") {
            Some(to) => Ok(Pressed::To(Secret::new(to))),
            None if answer.status == 200 => Ok(Pressed::Done),
            None => Err(told(&String::from_utf8_lossy(&answer.body))),
        }
    }

    fn ask(&self, request: &Request) -> Result<Response, String> {
        self.http.exchange(request).map_err(|e| e.to_string())
    }
}

/// The form's one hidden field: letters and digits, which need no decoding.
fn hidden(html: &str) -> Option<(&str, &str)> {
    let (name, rest) = html.split_once("<input type=\"hidden\" name=\"")?.1.split_once("\" value=\"")?;
    Some((name, rest.split_once('"')?.0))
}

/// The page's text if it has no form.
fn told(html: &str) -> String {
    let text = html.rsplit_once("<p>").and_then(|(_, rest)| rest.split_once("</p>")).map(|(text, _)| text);
    crate::text::safe(text.unwrap_or("the practice server's page has no button to press"))
}
