//! Decides about redirects. GET and HEAD follow on the same host. The user decides about all
//! others: the token is for the provider alone (T-24), and a request that changes something was
//! meant for its original address.

use url::Url;

use super::hosts;
use crate::error::{Error, Kind};
use crate::secret::Secret;
use crate::text::{Typed, for_a_shell, safe};
use crate::wire::{Request, header};
use crate::world::Streamed;

/// How to proceed after a response.
#[derive(Debug)]
pub enum Way {
    /// Not a redirect, or one without a target: show the response.
    Here,
    /// Follow on the same host.
    On(Url),
    /// Follow to a foreign host, without the token.
    Away(Url),
    Refused(Unfollowed),
}

/// A redirect that isn't followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfollowed {
    method: String,
    status: u16,
    to: Url,
    foreign: bool,
}

/// `anywhere`: the user allows any host.
pub fn judge(method: &str, from: &Url, answer: &Streamed, anywhere: bool) -> Result<Way, Error> {
    // 304 names no other address, whatever its headers say
    let (300..=303 | 305..=399, Some(target)) = (answer.status, header(&answer.headers, "location")) else {
        return Ok(Way::Here);
    };
    let to =
        from.join(target).map_err(|e| Error::new(Kind::Unsafe, "the API redirects to an invalid address").cause(e))?;
    let foreign = !hosts::same_origin(from, &to);
    let followed = matches!(answer.status, 301 | 302 | 303 | 307 | 308)
        && matches!(method, "GET" | "HEAD")
        && to.username().is_empty()
        && to.password().is_none();
    // a foreign host must not redirect to this machine's servers
    let outward = to.scheme() == "https" || from.scheme() == "http";
    Ok(match (followed, foreign) {
        (true, false) => Way::On(to),
        (true, true) if anywhere && outward => Way::Away(to),
        _ => Way::Refused(Unfollowed { method: method.to_owned(), status: answer.status, to, foreign }),
    })
}

impl Unfollowed {
    /// Returns the error, with the next command for `profile`.
    pub fn error(&self, profile: &Typed) -> Error {
        let reads = matches!(self.method.as_str(), "GET" | "HEAD");
        let message = match self.foreign {
            true => "the API redirects to another host, which must not get the token".to_owned(),
            false => format!("the API redirects, and a {} to that address is not sent by itself", safe(&self.method)),
        };
        // a query may hold a secret: a signature, a code
        let address = if self.to.query().is_none() { for_a_shell(&shown(&self.to)) } else { "URL".to_owned() };
        let anywhere = if self.foreign { " --anywhere" } else { "" };
        let method = if reads || self.status == 303 { String::new() } else { format!(" {}", safe(&self.method)) };
        let items = if method.is_empty() { "" } else { " …" };
        let line = format!("`{}{anywhere}{method} {address}{items}`", profile.line("call"));
        let hint = match (reads, self.foreign, self.status) {
            (true, true, _) => format!("fetch that address without the token: {line}"),
            (true, false, _) => format!("fetch that address: {line}"),
            (false, _, 303) => format!("the result is there: {line}"),
            (false, true, _) => format!("send it there without the token: {line}"),
            (false, false, _) => format!("send it there: {line}"),
        };
        let error = Error::new(Kind::Unsafe, message)
            .because(format!("status {}, to {}", self.status, shown(&self.to)))
            .hint(hint);
        match self.to.query() {
            None => error,
            Some(_) => error.hint("`-i` prints the address with its query"),
        }
    }
}

/// Returns the whole address, with the values of its query hidden.
pub fn shown(url: &Url) -> String {
    let place = Request { url: Secret::unlisted(url.as_str()), ..Request::new("GET", "") }.place();
    let names: Vec<String> = url.query_pairs().map(|(name, _)| format!("{name}=…")).collect();
    match names.is_empty() {
        true => safe(&place),
        false => safe(&format!("{place}?{}", names.join("&"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(method: &str, status: u16, from: &str, to: Option<&str>, anywhere: bool) -> String {
        let answer = Streamed {
            status,
            version: "HTTP/1.1".into(),
            headers: to.iter().map(|to| ("location".to_owned(), (*to).to_owned())).collect(),
            body: Box::new(std::io::empty()),
        };
        match judge(method, &Url::parse(from).unwrap(), &answer, anywhere).unwrap() {
            Way::Here => "here".to_owned(),
            Way::On(to) => format!("on {to}"),
            Way::Away(to) => format!("away {to}"),
            Way::Refused(_) => "refused".to_owned(),
        }
    }

    // T-24
    #[test]
    fn reading_follows_on_the_same_host_and_elsewhere_only_when_told() {
        let from = "https://a.example/v1/x";
        for (method, status, to, anywhere, want) in [
            ("GET", 302, Some("y"), false, "on https://a.example/v1/y"),
            ("HEAD", 308, Some("/y"), false, "on https://a.example/y"),
            ("POST", 302, Some("/y"), false, "refused"),
            ("DELETE", 307, Some("/y"), true, "refused"),
            ("GET", 302, Some("https://b.example/y"), false, "refused"),
            ("GET", 302, Some("https://b.example/y"), true, "away https://b.example/y"),
            ("GET", 302, Some("https://a.example:444/y"), false, "refused"),
            ("GET", 302, Some("http://a.example/y"), false, "refused"),
            ("GET", 302, Some("http://127.0.0.1/y"), true, "refused"),
            ("GET", 302, Some("https://u:p@b.example/y"), true, "refused"),
            ("GET", 302, Some("https://u@a.example/y"), false, "refused"),
            ("GET", 300, Some("/y"), false, "refused"),
            ("GET", 304, Some("/y"), false, "here"),
            ("GET", 201, Some("/y"), false, "here"),
            ("POST", 302, None, false, "here"),
        ] {
            assert_eq!(judged(method, status, from, to, anywhere), want, "{method} {status} {to:?}");
        }
    }

    #[test]
    fn what_is_not_followed_is_told_with_the_whole_address_and_no_value_of_its_query() {
        let told = |method: &str, status, to: &str, foreign| {
            Unfollowed { method: method.into(), status, to: Url::parse(to).unwrap(), foreign }.error(&Typed::new(
                "p",
                "p",
                Vec::new(),
            ))
        };
        let error = told("GET", 302, "https://cdn.example:8443/a/b", true);
        assert_eq!(error.causes(), ["status 302, to https://cdn.example:8443/a/b"]);
        assert_eq!(
            error.hints,
            ["fetch that address without the token: `oauthctl call p --anywhere https://cdn.example:8443/a/b`"]
        );
        let error = told("GET", 302, "https://u:p@cdn.example/a?sig=abc&x=1#f", true);
        assert_eq!(error.causes(), ["status 302, to https://cdn.example/a?sig=…&x=…"]);
        assert_eq!(
            error.hints,
            [
                "fetch that address without the token: `oauthctl call p --anywhere URL`",
                "`-i` prints the address with its query"
            ]
        );
        // B-03: a foreign address is one word to a shell
        let hint = told("GET", 302, "https://cdn.example/$(id)`id`;x&y|z", true).hints;
        assert!(hint[0].contains("--anywhere 'https://cdn.example/$(id)%60id%60;x&y|z'`"), "{hint:?}");
        let hint = |status| told("PUT", status, "https://a.example/y", false).hints;
        assert_eq!(hint(307), ["send it there: `oauthctl call p PUT https://a.example/y …`"]);
        assert_eq!(hint(303), ["the result is there: `oauthctl call p https://a.example/y`"]);
    }
}
