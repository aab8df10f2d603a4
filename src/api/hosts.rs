//! Sends the token only to the provider's own hosts, over TLS (A-01 to A-30, C-03, C-16). Addresses
//! are compared by parsed scheme, host and port, never as text.

use url::Url;

use crate::address::{fits_host, is_loopback};
use crate::error::{Error, Kind};
use crate::provider::Provider;
use crate::provider::expand::{open_variable, unfilled};
use crate::text::safe;

/// Returns the API's base address, to which paths are relative.
fn base(provider: &Provider) -> Result<Url, Error> {
    let base = provider.api.base_url.as_deref().ok_or_else(|| {
        Error::usage(format!("provider `{}` names no API address", provider.id))
            .hint("add `[api] base-url = …` to the provider's file")
    })?;
    // an address whose host has an open variable is no address yet
    let base = if Url::parse(base).is_err() && !unfilled(base).is_empty() { "https://open.invalid" } else { base };
    Url::parse(base)
        .map_err(|e| Error::usage(format!("the API address of provider `{}` is not a URL: {e}", provider.id)))
}

/// Resolves for `--anywhere`: allows any other address too. Returns whether the token may go there.
pub fn resolve_anywhere(provider: &Provider, target: &str) -> Result<(Url, bool), Error> {
    match resolve(provider, target) {
        Ok(url) => Ok((url, true)),
        Err(e) if !has_scheme(target) => Err(e),
        Err(e) => match Url::parse(target) {
            Ok(url)
                if matches!(url.scheme(), "http" | "https")
                    && url.username().is_empty()
                    && url.password().is_none()
                    && !target.chars().any(|c| c.is_control() || c == '\\')
                    && base(provider).is_ok()
                    && !owns(provider, &url) =>
            {
                match url.scheme() {
                    "http" if !is_loopback(&url) => {
                        Err(refused(target, "plain `http` is for this machine's own loopback alone")
                            .hint("`https://…`"))
                    }
                    _ => Ok((url, false)),
                }
            }
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                Err(refused(target, &format!("`{}:` is not spoken, only `https`", safe(url.scheme()))))
            }
            _ => Err(e),
        },
    }
}

/// Resolves a path or a full URL, if the token may go there.
pub fn resolve(provider: &Provider, target: &str) -> Result<Url, Error> {
    match open_variable(&provider.api) {
        Some(name) => Err(Error::unfilled(&name)),
        None => resolve_before(provider, target),
    }
}

/// The same for the request that brings variables of the API's address: they may be open.
pub fn resolve_before(provider: &Provider, target: &str) -> Result<Url, Error> {
    let base = base(provider)?;
    if target.chars().any(|c| c.is_control() || c == '\\') || target.trim() != target {
        return Err(refused(target, "it has characters that an address can't have"));
    }
    let url = if has_scheme(target) {
        Url::parse(target).map_err(|e| refused(target, &e.to_string()))?
    } else if target.starts_with("//") {
        return Err(refused(target, "it names another host"));
    } else {
        under(&base, target)?
    };
    if !url.username().is_empty() || url.password().is_some() {
        let mut without = url;
        // a URL accepts an empty user name
        let _ = without.set_username("");
        let _ = without.set_password(None);
        return Err(refused(without.as_str(), "it holds a user name or a password"));
    }
    if !allowed(provider, &base, &url) {
        // with the same host name, scheme or port must differ
        let own = match base.host() == url.host() {
            true => base.origin().ascii_serialization(),
            false => base.host_str().unwrap_or("").to_owned(),
        };
        let hosts: Vec<String> = std::iter::once(own).chain(provider.api.hosts.iter().cloned()).collect();
        return Err(refused(target, &format!("it is not on the hosts of `{}` ({})", provider.id, hosts.join(", ")))
            .hint("`--anywhere` sends the request there without the token"));
    }
    Ok(url)
}

/// Adds the parameters of the base address and of `api.query`, unless the request has them.
pub fn add_query(provider: &Provider, url: &mut Url) {
    let base = provider.api.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    let of_base = base.iter().flat_map(|base| base.query_pairs().into_owned());
    let usual = provider.api.query.iter().map(|(name, value)| (name.clone(), value.clone()));
    // the request that brings a variable goes without it
    for (name, value) in of_base.chain(usual).filter(|(_, value)| unfilled(value).is_empty()) {
        if !url.query_pairs().any(|(known, _)| known == name) {
            url.query_pairs_mut().append_pair(&name, &value);
        }
    }
}

/// Tells whether `url` is of the provider's API.
pub fn owns(provider: &Provider, url: &Url) -> bool {
    base(provider).is_ok_and(|base| allowed(provider, &base, url))
}

/// Tells whether this provider's token may go to `url`.
pub fn allowed(provider: &Provider, base: &Url, url: &Url) -> bool {
    if same_origin(base, url) {
        return true;
    }
    (url.scheme() == "https" || url.scheme() == "http" && is_loopback(url))
        && provider.api.hosts.iter().any(|known| fits_host(known, url))
}

/// Tells whether scheme, host and port are the same.
pub fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

fn has_scheme(target: &str) -> bool {
    let Some(colon) = target.find(':') else { return false };
    let before = &target[..colon];
    // `/path:with-colon` and `?q=a:b` are paths
    !before.is_empty()
        && before.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
        && before.as_bytes()[0].is_ascii_alphabetic()
}

/// Appends to the base's path. A path can't leave the base and can't name another host.
fn under(base: &Url, target: &str) -> Result<Url, Error> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let path = path.split('#').next().unwrap_or("");
    let mut url = base.clone();
    let joined = format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/'));
    url.set_path(&joined);
    url.set_query(query.map(|q| q.split('#').next().unwrap_or("")));
    if !same_origin(base, &url) {
        return Err(refused(target, "it leads to another host"));
    }
    // dots, also escaped ones, are resolved by now; another API may live above the base on the same
    // host
    if !url.path().starts_with(&format!("{}/", base.path().trim_end_matches('/'))) {
        return Err(refused(target, "its path leaves the provider's API"));
    }
    Ok(url)
}

fn refused(target: &str, why: &str) -> Error {
    Error::new(Kind::Unsafe, format!("no token is sent to `{}`", safe(target)))
        .because(why)
        .hint("paths are relative to the provider's API: `/campaigns`; `oauthctl provider show` prints its hosts")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> Provider {
        let mut provider = Provider::bare("p");
        provider.api.base_url = Some("https://api.good.example/v1/".to_owned());
        provider.api.hosts =
            ["*.shards.example", "other.example", "other.example:9443", "*.ports.example:9443", "192.0.2.7"]
                .map(str::to_owned)
                .to_vec();
        provider
    }

    // the token never goes elsewhere
    #[test]
    fn anywhere_is_without_the_token() {
        let to = |target: &str| resolve_anywhere(&provider(), target).map(|(url, with)| (url.to_string(), with)).ok();
        assert_eq!(to("/x"), Some(("https://api.good.example/v1/x".into(), true)));
        assert_eq!(to("https://evil.example/x"), Some(("https://evil.example/x".into(), false)));
        assert_eq!(to("https://api.good.example:444/x"), Some(("https://api.good.example:444/x".into(), false)));
        assert_eq!(to("http://127.0.0.1:1/x"), Some(("http://127.0.0.1:1/x".into(), false)));
        for (target, why) in [
            ("http://api.good.example/x", "plain `http` is for this machine's own loopback alone"),
            ("file:///etc/passwd", "`file:` is not spoken, only `https`"),
        ] {
            assert_eq!(resolve_anywhere(&provider(), target).unwrap_err().causes(), [why]);
        }
        for refused in
            ["https://u:p@evil.example/", "//evil.example", "file:///etc/passwd", "data:,x", "https://e\\@x/", "/../x"]
        {
            assert_eq!(to(refused), None, "{refused}");
        }
    }

    // C-03, C-16: names are compared whole, or behind a dot
    #[test]
    fn the_providers_hosts_are_told_from_all_others() {
        let to = |target: &str| resolve(&provider(), target).map(|url| url.to_string()).map_err(|e| e.kind);
        for (target, url) in [
            ("/x", "https://api.good.example/v1/x"),
            ("x?q=a:b#f", "https://api.good.example/v1/x?q=a:b"),
            ("/x:y", "https://api.good.example/v1/x:y"),
            ("", "https://api.good.example/v1/"),
            ("https://API.GOOD.example:443/y", "https://api.good.example/y"),
            ("https://a.shards.example/", "https://a.shards.example/"),
            ("https://a.b.shards.example/", "https://a.b.shards.example/"),
            ("https://other.example/", "https://other.example/"),
            ("https://other.example:9443/", "https://other.example:9443/"),
            ("https://a.ports.example:9443/", "https://a.ports.example:9443/"),
            ("https://192.0.2.7/", "https://192.0.2.7/"),
            //
            ("/a/../x", "https://api.good.example/v1/x"),
        ] {
            assert_eq!(to(target).as_deref(), Ok(url), "{target}");
        }
        for target in [
            //
            "https://shards.example.evil.example/",
            "https://evilshards.example/",
            "https://shards.example/",
            "https://.shards.example/",
            "https://sub.other.example/",
            "https://other.example:8443/",
            "http://other.example/",
            "https://other.example./",
            "https://127.0.0.1/",
            "https://192.0.2.7:9443/",
            "https://a.ports.example/",
            "https://ports.example:9443/",
            //
            "/../x",
            "../../x",
            "/%2e%2e/x",
            "/a/.%2E/../../x",
            "/..\\x",
            //
            "//evil.example",
            "/\\evil.example",
        ] {
            assert_eq!(to(target), Err(Kind::Unsafe), "{target}");
        }
    }
}
