//! The proxy of a request, by the HTTP client's own rules. For errors and `doctor`; without the
//! password in its address.

use std::fmt;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;

use crate::address::is_loopback;
use crate::world::Env;

/// Each with its variables, in the client's order.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NO: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The client's own precaution: no proxy if set, since web servers set `HTTP_PROXY` from a header.
const BY_A_WEB_SERVER: &str = "REQUEST_METHOD";

/// Status 407, and its like of SOCKS5.
const WANTS_A_NAME: &str = "it does not take the name and password that it was given, or wants some";

/// A variable with an unusable proxy: the client would silently go without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} names no proxy that can be used: {why}")]
pub struct NoProxy {
    variable: &'static str,
    why: &'static str,
}

impl NoProxy {
    /// The hint for the user.
    pub fn advice(&self) -> String {
        let name = if self.why == WANTS_A_NAME { "NAME:PASSWORD@" } else { "" };
        format!(
            "unset {}, or set it to `http://{name}HOST:PORT`, or `https` or `socks5` in place of `http`",
            self.variable
        )
    }
}

/// Whether the variables' proxy for this address is usable; for checks before a request is sent.
pub fn usable_for(env: &dyn Env, url: &str) -> Result<(), NoProxy> {
    let except = first(env, &NO).map(|(_, value)| value).unwrap_or_default();
    let any = Matcher::builder().https("http://proxy.invalid").no(except).build();
    if url.parse().is_ok_and(|url| any.intercept(&url).is_some()) { usable(env) } else { Ok(()) }
}

/// Checks that the variable in effect, if any, names a usable proxy.
pub fn usable(env: &dyn Env) -> Result<(), NoProxy> {
    if env.var_os(BY_A_WEB_SERVER).is_some() {
        return Ok(());
    }
    let set = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, env.var_os(name)?)));
    let Some((variable, value)) = [HTTPS, ALL].into_iter().filter_map(set).find(|(_, value)| !value.is_empty()) else {
        return Ok(());
    };
    let value = value.to_string_lossy().into_owned();
    let works = |scheme: &str| ["http", "https", "socks5", "socks5h"].contains(&&*scheme.to_ascii_lowercase());
    if value.split_once("://").is_some_and(|(scheme, _)| !works(scheme)) {
        return Err(NoProxy { variable, why: "only the schemes `http`, `https`, `socks5` and `socks5h` work" });
    }
    let found = read(&value, "https://host.invalid/", "");
    found.map(drop).ok_or(NoProxy { variable, why: "it is not the address of one" })
}

/// The proxy's address, if a request to `url` goes through it.
fn read(value: &str, url: &str, except: &str) -> Option<url::Url> {
    let found =
        Matcher::builder().https(value.to_owned()).no(except.to_owned()).build().intercept(&url.parse().ok()?)?;
    url::Url::parse(&found.uri().to_string()).ok()
}

/// A proxy, and the variable that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    variable: &'static str,
    address: url::Url,
}

impl Proxy {
    /// The proxy of a request to this address.
    pub fn of(env: &dyn Env, url: &str) -> Option<Proxy> {
        let url = url::Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
        // loopback never uses one
        let host = url.host_str().filter(|_| !is_loopback(&url))?;
        Proxy::through(env, &format!("https://{host}/"), &first(env, &NO).map(|(_, value)| value).unwrap_or_default())
    }

    /// The named proxy, whatever goes through it.
    pub fn named(env: &dyn Env) -> Option<Proxy> {
        Proxy::through(env, "https://host.invalid/", "")
    }

    fn through(env: &dyn Env, url: &str, except: &str) -> Option<Proxy> {
        if env.var_os(BY_A_WEB_SERVER).is_some() {
            return None;
        }
        [first(env, &HTTPS), first(env, &ALL)]
            .into_iter()
            .flatten()
            .find_map(|(variable, value)| Some(Proxy { variable, address: read(&value, url, except)? }))
    }

    /// Connects to the proxy, and closes again.
    pub fn reach(&self) -> io::Result<()> {
        const PATIENCE: Duration = Duration::from_secs(3);
        let none = || io::Error::other("it has no address");
        let host = self.address.host_str().ok_or_else(none)?.trim_matches(['[', ']']);
        let port = self.address.port_or_known_default().unwrap_or(1080);
        let mut last = none();
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(_) => return Ok(()),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// The mistake in the variable, if the proxy refused for this reason: a client's error has no
    /// other mark.
    pub fn refusal(&self, why: &str) -> Option<NoProxy> {
        let wants = why.ends_with("proxy authorization required")
            || why.contains("authentication")
            || why.contains("credentials");
        wants.then_some(NoProxy { variable: self.variable, why: WANTS_A_NAME })
    }

    /// The variable that names the proxy.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.address.as_str().trim_end_matches('/'), self.variable)
    }
}

/// The first variable that is set, even if empty.
fn first(env: &dyn Env, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| Some((*name, env.var_os(name)?.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    use super::*;

    struct Set(BTreeMap<&'static str, &'static str>);

    impl Env for Set {
        fn var_os(&self, name: &str) -> Option<OsString> {
            self.0.get(name).map(Into::into)
        }

        fn names(&self) -> Cow<'_, [String]> {
            self.0.keys().map(|name| (*name).to_owned()).collect()
        }
    }

    fn shown<const N: usize>(set: [(&'static str, &'static str); N], url: &str) -> Option<String> {
        Proxy::of(&Set(BTreeMap::from(set)), url).map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_proxy_on_the_way_is_named_without_its_password() {
        let there = "https://api.example/v3?a=b";
        let told = Some("`http://proxy.example:3128` (HTTPS_PROXY)".to_owned());
        assert_eq!(shown([("HTTPS_PROXY", "http://me:hush@proxy.example:3128/")], there), told);
        assert_eq!(shown([("HTTPS_PROXY", "proxy.example:3128"), ("ALL_PROXY", "http://other")], there), told);
        assert_eq!(
            shown([("https_proxy", "http://[::1]:9")], there).as_deref(),
            Some("`http://[::1]:9` (https_proxy)")
        );
        assert_eq!(
            shown([("HTTPS_PROXY", ""), ("all_proxy", "http://b:1")], there).as_deref(),
            Some("`http://b:1` (all_proxy)")
        );
        assert_eq!(shown([("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", ".example")], there), None);
        assert_eq!(shown([("HTTPS_PROXY", "http://a:1")], "https://localhost:8080/"), None);
        assert_eq!(shown([("HTTPS_PROXY", "http://a:1")], "https://api.localhost/"), None);
        assert_eq!(shown([("HTTPS_PROXY", "http://a:1")], "http://127.0.0.1/"), None);
        let socks = Some("`socks5://a:1` (ALL_PROXY)".to_owned());
        assert_eq!(shown([("ALL_PROXY", "socks5://me:hush@a:1")], there), socks);
        assert_eq!(shown([("HTTP_PROXY", "http://a:1")], there), None);
        assert_eq!(shown([], there), None);
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_a_mistake_where_it_counts() {
        let there = "https://api.example/v3";
        let fault = |set: &[(&'static str, &'static str)], url: &str| {
            usable_for(&Set(set.iter().copied().collect()), url).err().map(|e| e.to_string())
        };
        for value in ["garbage::", "ftp://x", "http://", "socks4://127.0.0.1:1080", " ", "http://a:99999", "me:hush@"] {
            for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let told = fault(&[(variable, value)], there).unwrap_or_else(|| panic!("{variable}={value}"));
                assert!(told.starts_with(variable) && !told.contains("hush"), "{told}");
            }
        }
        assert!(fault(&[("HTTPS_PROXY", "garbage::"), ("ALL_PROXY", "http://a:1")], there).is_some());
        for set in [
            ("HTTPS_PROXY", "http://a:1"),
            ("ALL_PROXY", "socks5h://me:hush@a:1"),
            ("HTTPS_PROXY", "a:1"),
            ("https_proxy", ""),
            ("HTTP_PROXY", "ftp://x"),
        ] {
            assert_eq!(fault(&[set], there), None, "{set:?}");
        }
        assert_eq!(fault(&[("HTTPS_PROXY", "ftp://x"), ("NO_PROXY", ".example")], there), None);
    }
}
