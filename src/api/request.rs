//! The request to the provider's API: headers in their order of precedence, and the only place that
//! presents the token.

use std::time::Duration;

use url::Url;

use super::content_coding;
use super::items::{HeaderItem, Items};
use crate::protocol::form;
use crate::protocol::sender_constrained::Binding;
use crate::provider::{ApiAuthPlace, Provider};
use crate::secret::Secret;
use crate::token::TokenSet;
use crate::wire::Request;

/// The parts that all requests of one `call` share.
#[derive(Clone, Debug)]
pub struct Draft {
    pub method: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Names of default headers that are not sent, in lower case.
    pub dropped: Vec<String>,
    /// The longest wait for the beginning of a response.
    pub timeout: Duration,
    /// Whether a compressed response is asked for, beside what the user asks for.
    pub coded: bool,
    /// Whether a compressed response is decompressed.
    pub decompress: bool,
    /// Whether more requests to the same host will follow.
    pub reuse: bool,
    /// The key or certificate that the token is bound to.
    pub binding: Binding,
}

impl Draft {
    /// `kind`: the body's media type. The user's headers override the provider's, and those
    /// override the defaults. `ours`: send the provider's own headers.
    pub fn new(provider: &Provider, method: &str, items: &Items, kind: Option<String>, ours: bool) -> Draft {
        let mut headers: Vec<(String, String)> = vec![("accept".into(), "application/json, */*;q=0.5".into())];
        headers.extend(kind.map(|kind| ("content-type".to_owned(), kind)));
        if ours {
            for (name, value) in &provider.api.headers {
                let name = name.to_lowercase();
                headers.retain(|(n, _)| *n != name);
                headers.push((name, value.clone()));
            }
        }
        let (mut given, mut dropped): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
        for (name, item) in &items.headers {
            // the first header of a name replaces the default, others are added
            if !given.contains(&name.as_str()) {
                headers.retain(|(n, _)| n != name);
                given.push(name);
            }
            match item {
                HeaderItem::Set(value) => headers.push((name.clone(), value.clone())),
                HeaderItem::Drop => {
                    headers.retain(|(n, _)| n != name);
                    dropped.push(name.clone());
                }
            }
        }
        // a header that is both dropped and set is set
        dropped.retain(|name| !headers.iter().any(|(n, _)| n == name));
        dropped.dedup();
        Draft {
            method: method.to_owned(),
            headers,
            dropped,
            timeout: Duration::from_secs(60),
            coded: false,
            decompress: false,
            reuse: false,
            binding: Binding::default(),
        }
    }

    /// Makes the request to one address. `set: None`: it carries no token.
    pub fn request(&self, provider: &Provider, set: Option<&TokenSet>, url: &Url) -> Request {
        let mut request = Request::new(&self.method, url.to_string());
        request.timeout = self.timeout;
        request.reuse = self.reuse;
        request.unnamed = self.dropped.iter().any(|name| name == "user-agent");
        for (name, value) in &self.headers {
            request = request.header(name, value.as_str());
        }
        if self.coded {
            request = request.header("accept-encoding", content_coding::CODINGS);
        }
        if let Some(set) = set {
            present(provider, set, &self.binding, &mut request);
        }
        request
    }
}

/// Tells whether a server expects a body with this method; if there is none, an empty one is sent.
pub fn carries(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

/// Puts the token where the provider expects it. Every API request passes here; no other code
/// presents a token.
pub fn present(provider: &Provider, set: &TokenSet, binding: &Binding, request: &mut Request) {
    match token_header(provider) {
        Some(name) => request.headers.push((name, Secret::new(authorization(provider, set)))),
        None => {
            if let Ok(mut url) = Url::parse(request.url.expose()) {
                // the address of a list's next page may repeat the token
                form::leave_out(&mut url, |name| *name == provider.api.auth.name);
                url.query_pairs_mut().append_pair(&provider.api.auth.name, set.access_token.expose());
                request.url = Secret::unlisted(url.to_string());
            }
        }
    }
    binding.put_into(set, request);
}

/// Returns the value of the token's header, in the provider's scheme.
fn authorization(provider: &Provider, set: &TokenSet) -> String {
    format!("{} {}", provider.api.auth.scheme, set.access_token.expose()).trim_start().to_owned()
}

/// Returns the name of the token's header. `None`: the token goes into the query.
pub fn token_header(provider: &Provider) -> Option<String> {
    (provider.api.auth.place == ApiAuthPlace::Header).then(|| provider.api.auth.name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::items;

    #[test]
    fn a_token_in_the_address_stands_there_once() {
        let mut provider = Provider::bare("p");
        (provider.api.auth.place, provider.api.auth.name) = (ApiAuthPlace::Query, "key".to_owned());
        let set = TokenSet::new("new".into(), "Bearer".to_owned(), 0);
        let sent = |url: &str| {
            let mut request = Request::new("GET", url);
            present(&provider, &set, &Binding::default(), &mut request);
            request.url.expose().to_owned()
        };
        assert_eq!(sent("https://a.example/x"), "https://a.example/x?key=new");
        // an API that repeats the query in the address of the next page
        assert_eq!(sent("https://a.example/x?key=old&q=a%20b&at=2"), "https://a.example/x?q=a%20b&at=2&key=new");
    }

    #[test]
    fn what_is_typed_comes_before_the_provider_and_that_before_the_default() {
        let mut provider = Provider::bare("p");
        provider.api.headers.insert("X-Domain".into(), "provider.example".into());
        provider.api.headers.insert("Accept".into(), "application/vnd.p+json".into());
        let typed = ["X-Two:1", "X-Two:2", "X-Domain:mine.example", "Content-Type:", "X-Empty;", "User-Agent:"];
        let items = items::parse(&typed.map(str::to_owned), None).unwrap();
        let draft = Draft::new(&provider, "POST", &items, Some("application/json".into()), true);
        let headers: Vec<String> = draft.headers.iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(
            headers,
            ["accept=application/vnd.p+json", "x-two=1", "x-two=2", "x-domain=mine.example", "x-empty="]
        );
        assert_eq!(draft.dropped, ["content-type", "user-agent"]);
        let url = Url::parse("https://a.example/").unwrap();
        assert!(draft.request(&provider, None, &url).unnamed);
        // a foreign host gets none of the provider's headers
        let draft = Draft::new(&provider, "GET", &Items::default(), None, false);
        assert_eq!(draft.headers, [("accept".to_owned(), "application/json, */*;q=0.5".to_owned())]);
    }
}
