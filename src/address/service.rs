//! A service that another program signs in to, as credential helpers name it: a scheme, a host and
//! a port (`https://git.example:8443`, `smtp://mail.example:465`).

use std::fmt;

use url::Url;

use super::is_loopback;

/// Where a token is presented. Two are equal if they are the same service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    scheme: String,
    /// As a URL has it: in lower case, names in Punycode, IPv6 in brackets.
    host: String,
    /// `None`: the scheme's own.
    port: Option<u16>,
}

impl Service {
    /// Reads `SCHEME://HOST[:PORT]`; without a scheme it is `https`. The error says why no token
    /// may go there.
    pub fn parse(text: &str) -> Result<Service, &'static str> {
        let (scheme, authority) = text.split_once("://").unwrap_or(("https", text));
        match authority.strip_suffix('/').unwrap_or(authority) {
            authority if authority.contains('/') => Err("a token is for a whole host: leave the path out"),
            authority => Service::new(scheme, authority),
        }
    }

    /// The same from its parts: `authority` is `HOST[:PORT]`.
    pub fn new(scheme: &str, authority: &str) -> Result<Service, &'static str> {
        let strange = |c: char| c.is_control() || c.is_whitespace() || "/\\@?#*,".contains(c);
        if authority.is_empty() || authority.contains(strange) {
            return Err("it is no host, such as `git.example.com` or `git.example.com:8443`");
        }
        let scheme = scheme.to_ascii_lowercase();
        // the rules of `https` for names and ports serve every scheme
        let url = Url::parse(&format!("https://{authority}")).map_err(|_| "its host is no host")?;
        let own = match scheme.as_str() {
            "https" => 443,
            "http" if is_loopback(&url) => 80,
            "imaps" => 993,
            // it has two: a rule names the one that is meant
            "smtp" => 0,
            _ => return Err("a token goes over `https`, `imaps` and `smtp` alone, or over `http` on this machine"),
        };
        let port = url.port_or_known_default().filter(|_| url.port().is_some() || authority.ends_with(":443"));
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok(Service { scheme, host, port: port.filter(|port| *port != own) })
    }

    /// The service of an address.
    pub fn of(address: &str) -> Result<Service, &'static str> {
        let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
        Service::new(scheme, rest.split(['/', '?', '#']).next().unwrap_or_default())
    }

    /// Its address, where it is a web server.
    pub fn url(&self) -> Option<Url> {
        Url::parse(&self.to_string()).ok().filter(|url| matches!(url.scheme(), "https" | "http"))
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_scheme_host_and_port() {
        let read = |text: &str| Service::parse(text).map(|service| service.to_string()).ok();
        for (text, service) in [
            ("git.example", "https://git.example"),
            ("HTTPS://Git.Example:443", "https://git.example"),
            ("git.example:8443", "https://git.example:8443"),
            ("bücher.example", "https://xn--bcher-kva.example"),
            ("[::1]:8443", "https://[::1]:8443"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://localhost:443", "http://localhost:443"),
            ("https://git.example/", "https://git.example"),
            ("imaps://mail.example:993", "imaps://mail.example"),
            ("imaps://mail.example:443", "imaps://mail.example:443"),
            ("smtp://mail.example:465", "smtp://mail.example:465"),
        ] {
            assert_eq!(read(text).as_deref(), Some(service), "{text}");
        }
        for refused in [
            "",
            "https://",
            "http://git.example",
            "imap://mail.example",
            "ssh://git.example",
            "*",
            "*.git.example",
            "https://ann@git.example",
            "git.example/path",
            "git.example//",
            "a.example,b.example",
            "git.example\\@evil.example",
            "git.example#",
            "git.example evil.example",
            "git.example\nhost=evil.example",
            "git.example:99999",
        ] {
            assert_eq!(read(refused), None, "{refused:?}");
        }
        assert_eq!(Service::of("https://index.example/v1/"), Service::parse("index.example"));
        assert_eq!(Service::of("git.example:8443/x").unwrap().url().unwrap().port(), Some(8443));
        assert_eq!(Service::parse("smtp://mail.example:465").unwrap().url(), None);
    }
}
