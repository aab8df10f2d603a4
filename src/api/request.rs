//! A request to the provider's API as it leaves: headers in their order of precedence, and the token presented in one place.

use std::time::Duration;

use url::Url;

use super::items::{HeaderItem, Items};
use crate::protocol::binding::Binding;
use crate::provider::{ApiAuthPlace, Provider};
use crate::secret::Secret;
use crate::token::TokenSet;
use crate::wire::Request;

/// What every request of one `call` has in common.
#[derive(Clone, Debug)]
pub struct Draft {
    pub method: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Of those that are sent by default, in lower case: these aren't.
    pub dropped: Vec<String>,
    /// Until the answer begins.
    pub timeout: Duration,
    /// More requests to the same host will follow.
    pub reuse: bool,
    /// What the token is bound to.
    pub binding: Binding,
}

impl Draft {
    /// `kind`: the body's media type. The person's headers come before the provider's, those before what is sent by default.
    /// `ours`: the provider's own headers go along.
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
            // the first of a name replaces the default, further ones are added
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
        // dropped once and set another time is set
        dropped.retain(|name| !headers.iter().any(|(n, _)| n == name));
        dropped.dedup();
        Draft {
            method: method.to_owned(),
            headers,
            dropped,
            timeout: Duration::from_secs(60),
            reuse: false,
            binding: Binding::default(),
        }
    }

    /// The request to one address; without a token set it goes without the token.
    pub fn request(&self, provider: &Provider, set: Option<&TokenSet>, url: &Url) -> Request {
        let mut request = Request::new(&self.method, url.to_string());
        request.timeout = self.timeout;
        request.reuse = self.reuse;
        request.unnamed = self.dropped.iter().any(|name| name == "user-agent");
        for (name, value) in &self.headers {
            request = request.header(name, value.as_str());
        }
        if let Some(set) = set {
            present(provider, set, &self.binding, &mut request);
        }
        request
    }
}

/// Whether a server waits for a body of such a request: none is sent as an empty one.
pub fn carries(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

/// Puts the token where the provider wants it. Every request of the API passes here, and nothing else knows how a token is shown.
pub fn present(provider: &Provider, set: &TokenSet, binding: &Binding, request: &mut Request) {
    match token_header(provider) {
        Some(name) => request.headers.push((name, Secret::new(authorization(provider, set)))),
        None => {
            if let Ok(mut url) = Url::parse(request.url.expose()) {
                url.query_pairs_mut().append_pair(&provider.api.auth.name, set.access_token.expose());
                request.url = Secret::unlisted(url.to_string());
            }
        }
    }
    binding.put_into(set, request);
}

/// The value of the header that carries the token, in the provider's scheme.
fn authorization(provider: &Provider, set: &TokenSet) -> String {
    format!("{} {}", provider.api.auth.scheme, set.access_token.expose()).trim_start().to_owned()
}

/// Where the provider wants the token: a header's name, or `None` for the query.
pub fn token_header(provider: &Provider) -> Option<String> {
    (provider.api.auth.place == ApiAuthPlace::Header).then(|| provider.api.auth.name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::items;

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
        // at a stranger's, none of the provider's
        let draft = Draft::new(&provider, "GET", &Items::default(), None, false);
        assert_eq!(draft.headers, [("accept".to_owned(), "application/json, */*;q=0.5".to_owned())]);
    }
}
