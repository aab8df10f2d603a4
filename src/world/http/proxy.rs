//! The proxy on the way to a server, as the client's own rules have it: for errors and for `doctor`, by name and without the
//! password that may stand in its address.

use std::fmt;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;

use crate::world::Env;

/// Each with the variables that say it, in the client's order.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NO: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A proxy, and the variable that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    variable: &'static str,
    address: url::Url,
}

impl Proxy {
    /// The one that a request to this address goes through.
    pub fn of(env: &dyn Env, url: &str) -> Option<Proxy> {
        let url = url::Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
        let host = url.host_str()?;
        // this machine's own loopback never does
        if host == "localhost" || host.starts_with("127.") || host == "[::1]" {
            return None;
        }
        Proxy::through(env, &format!("https://{host}/"), &first(env, &NO).map(|(_, value)| value).unwrap_or_default())
    }

    /// The one that is named, whatever goes through it.
    pub fn named(env: &dyn Env) -> Option<Proxy> {
        Proxy::through(env, "https://host.invalid/", "")
    }

    fn through(env: &dyn Env, url: &str, except: &str) -> Option<Proxy> {
        // the client's own precaution: a web server sets `HTTP_PROXY` from a header
        if env.var_os("REQUEST_METHOD").is_some() {
            return None;
        }
        let url = url.parse().ok()?;
        [first(env, &HTTPS), first(env, &ALL)].into_iter().flatten().find_map(|(variable, value)| {
            let found = Matcher::builder().https(value).no(except.to_owned()).build().intercept(&url)?;
            Some(Proxy { variable, address: url::Url::parse(&found.uri().to_string()).ok()? })
        })
    }

    /// Whether it takes a connection.
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

    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.address.as_str().trim_end_matches('/'), self.variable)
    }
}

/// The first variable that is set, even to nothing.
fn first(env: &dyn Env, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| Some((*name, env.var_os(name)?.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    use super::*;

    struct Set(BTreeMap<&'static str, &'static str>);

    impl Env for Set {
        fn var_os(&self, name: &str) -> Option<OsString> {
            self.0.get(name).map(Into::into)
        }

        fn names(&self) -> Vec<OsString> {
            self.0.keys().map(Into::into).collect()
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
        assert_eq!(shown([("HTTPS_PROXY", "http://a:1")], "http://127.0.0.1/"), None);
        assert_eq!(shown([("HTTP_PROXY", "http://a:1")], there), None);
        assert_eq!(shown([], there), None);
    }
}
