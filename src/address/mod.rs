//! The addresses that a secret may go to: `https` anywhere, `http` on this machine only, never a
//! service of the local network that hands out credentials ([`private`]).

pub mod private;
mod service;

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

pub use service::Service;

/// Longer addresses are refused: no provider needs them, and programs that open them have limits.
const LONGEST_URL: usize = 4096;

/// Why a URL is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    #[error("must start with `https://`")]
    NoScheme,
    #[error("is not a URL")]
    NotUrl,
    #[error("may be plain `http` to a loopback address only")]
    PlainHttp,
    #[error("may not hold a user name or password")]
    UserInfo,
    #[error("may not hold a fragment (`#`)")]
    Fragment,
    #[error("is longer than 4096 characters")]
    TooLong,
}

/// `https` anywhere, or `http` on loopback; no user, no fragment (D-02).
pub fn check_url(text: &str) -> Result<Url, UrlFault> {
    if text.len() > LONGEST_URL {
        return Err(UrlFault::TooLong);
    }
    // the parser is as lenient as a browser: it drops tabs, newlines; mends `\` and a missing `//`
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '"' | '<' | '>' | '`')) {
        return Err(UrlFault::NotUrl);
    }
    let Some((scheme, rest)) = text.split_once("://") else { return Err(UrlFault::NoScheme) };
    if scheme != "https" && scheme != "http" {
        return Err(UrlFault::NoScheme);
    }
    if rest.starts_with('/') {
        return Err(UrlFault::NotUrl);
    }
    let url = Url::parse(text).map_err(|_| UrlFault::NotUrl)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(UrlFault::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlFault::Fragment);
    }
    if scheme == "http" && !is_loopback(&url) {
        return Err(UrlFault::PlainHttp);
    }
    Ok(url)
}

/// Why [`parse_safe`] refuses an address with a user's name.
pub const HAS_USERINFO: &str = "it has a name or a password in it";

/// Parses an address that a secret may go to, as the URL parser writes it: spaces, quotes and
/// control characters are escaped.
pub fn parse_safe(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is not a URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(HAS_USERINFO);
    }
    if url.host().is_none() {
        return Err("it has no host");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("plain `http` is for this machine's own loopback alone, use `https`"),
        _ => Err("only `https` is allowed"),
    }
}

/// Corrects a missing or wrong scheme: `http` on this machine, `https` elsewhere.
pub fn with_scheme(text: &str) -> Option<String> {
    let rest = match text.split_once("//") {
        Some((scheme, rest)) if ["", "http:", "https:"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) => rest,
        _ => text,
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let is_name = (is_host(host) && host.contains(['.', ':'])) || host == "localhost" || host.starts_with("[::1]");
    if check_url(text).is_ok() {
        return None;
    }
    let mut schemes = ["http", "https"].iter().map(|scheme| format!("{scheme}://{rest}"));
    schemes.find(|url| is_name && check_url(url).is_ok())
}

/// A host's registrable domain, roughly: the last two labels, or three if the last two look like
/// `co.uk`. An IP address is its own site.
pub fn site(host: &str) -> String {
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return host.to_owned();
    }
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let shared = matches!(labels.as_slice(), [.., second, country] if country.len() == 2 && second.len() <= 3);
    labels[labels.len().saturating_sub(if shared { 3 } else { 2 })..].join(".")
}

/// The port as an address has it: the parser drops `:80` and `:443`.
pub fn written_port(text: &str) -> Option<u16> {
    let authority = text.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let (host, port) = authority.rsplit_once(':')?;
    port.parse().ok().filter(|_| !host.starts_with('[') || host.ends_with(']'))
}

/// Whether an address has a private scheme, which belongs to an app (RFC 8252, section 7.1).
pub fn is_of_app(text: &str) -> bool {
    const OTHERS: [&str; 9] = ["http", "https", "file", "javascript", "data", "ftp", "about", "blob", "mailto"];
    let Ok(url) = Url::parse(text) else { return false };
    let strange = |c: char| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '`');
    !OTHERS.contains(&url.scheme()) && with_scheme(text).is_none() && !text.contains(strange)
}

/// Lowercases an address's scheme, for comparisons (RFC 3986, section 3.1).
pub fn small_scheme(text: String) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.contains(|c: char| c.is_ascii_uppercase()) => {
            format!("{}://{rest}", scheme.to_ascii_lowercase())
        }
        _ => text,
    }
}

/// The issuer, if the address of its metadata was typed. RFC 8414 puts the issuer's path behind the
/// well-known one.
pub fn issuer_meant(text: String) -> String {
    let text = small_scheme(text);
    let Some((base, rest)) = text.split_once("/.well-known/").filter(|(base, _)| base.contains("://")) else {
        return text;
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    match rest.split_once('/') {
        Some((_, path)) => format!("{base}/{path}").trim_end_matches('/').to_owned(),
        None => base.to_owned(),
    }
}

/// How certainly an address leads to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It leads elsewhere, judged by its text.
    Elsewhere,
    /// It leads here by a form that not every system knows: `0.0.0.0`, `localhost.`,
    /// `[::ffff:127.0.0.1]`.
    Here,
    /// A loopback address: `127.0.0.0/8`, `x.localhost` (RFC 6761).
    Loopback,
    /// `127.0.0.1`, `[::1]` or `localhost`: allowed in redirect addresses.
    Usual,
}

/// Judges the host of an address, not its scheme and port.
pub fn reach(url: &Url) -> Reach {
    let v4 = |ip: Ipv4Addr| match ip {
        Ipv4Addr::LOCALHOST => Reach::Usual,
        ip if ip.is_loopback() => Reach::Loopback,
        ip if ip.is_unspecified() => Reach::Here,
        _ => Reach::Elsewhere,
    };
    match url.host() {
        Some(Host::Ipv4(ip)) => v4(ip),
        Some(Host::Ipv6(Ipv6Addr::LOCALHOST)) => Reach::Usual,
        Some(Host::Ipv6(Ipv6Addr::UNSPECIFIED)) => Reach::Here,
        Some(Host::Ipv6(ip)) => ip.to_ipv4_mapped().map_or(Reach::Elsewhere, |ip| v4(ip).min(Reach::Here)),
        Some(Host::Domain("localhost")) => Reach::Usual,
        Some(Host::Domain(name)) if name.ends_with(".localhost") => Reach::Loopback,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let here = name == "localhost" || name.ends_with(".localhost");
            if here { Reach::Here } else { Reach::Elsewhere }
        }
        None => Reach::Elsewhere,
    }
}

/// Whether it is a loopback address, which plain `http` may use.
pub fn is_loopback(url: &Url) -> bool {
    reach(url) >= Reach::Loopback
}

/// Whether an address leads to this machine by any of its loopback names.
pub fn on_loopback(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| reach(&url) > Reach::Elsewhere)
}

/// A host name with an optional port, as in `api.hosts`; a leading `*.`: one label or more.
pub fn is_host_pattern(text: &str) -> bool {
    match text.strip_prefix("*.") {
        // `*.com` would match every company
        Some(rest) => rest.contains('.') && is_host(rest),
        None => is_host(text),
    }
}

/// Whether an address is on a host of such a pattern, at the pattern's port or the usual one.
pub fn fits_host(pattern: &str, url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let (name, port) = pattern.split_once(':').map_or((pattern, None), |(name, port)| (name, port.parse().ok()));
    let fits = match name.strip_prefix("*.") {
        // the labels of an IP address have no owner
        Some(_) if url.domain().is_none() => false,
        Some(parent) => host.strip_suffix(parent).is_some_and(|front| front.len() > 1 && front.ends_with('.')),
        None => host.eq_ignore_ascii_case(name),
    };
    let usual = if url.scheme() == "http" { 80 } else { 443 };
    fits && url.port_or_known_default() == Some(port.unwrap_or(usual))
}

/// A host name or IPv4 address, with an optional port.
pub fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    name.len() <= 253
        && name.split('.').all(label)
        && port.is_none_or(|p| p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok_and(|p| p > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_metadata_document_means_its_issuer() {
        for (typed, meant) in [
            ("https://as.example/.well-known/openid-configuration", "https://as.example"),
            ("HTTPS://as.example/t/.well-known/openid-configuration?v=2", "https://as.example/t"),
            ("https://as.example/.well-known/oauth-authorization-server/t/1", "https://as.example/t/1"),
            ("https://as.example/.well-known/oauth-authorization-server/", "https://as.example"),
            ("https://as.example/.well-known/", "https://as.example"),
            ("https://as.example/", "https://as.example/"),
            ("work", "work"),
        ] {
            assert_eq!(issuer_meant(typed.to_owned()), meant, "{typed}");
        }
    }

    // D-02, D-03, CVE-2025-6514: text that a browser or a shell would read differently
    #[test]
    fn takes_https_and_loopback_http_only() {
        for good in [
            "https://example.com",
            "https://example.com:8443/a?b=c",
            "http://127.0.0.1:80/x",
            "http://[::1]/x",
            "http://localhost:9190/callback",
            "http://api.localhost:8080/x",
            "http://127.0.0.2/x",
        ] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        let long = format!("https://example.com/{}", "a".repeat(65536));
        for (bad, fault) in [
            ("api.example.com/x", UrlFault::NoScheme),
            ("//api.example.com/x", UrlFault::NoScheme),
            ("https:example.com", UrlFault::NoScheme),
            ("javascript:alert(1)", UrlFault::NoScheme),
            ("javascript://x/%0aalert(1)", UrlFault::NoScheme),
            ("file:///etc/passwd", UrlFault::NoScheme),
            ("vscode://x", UrlFault::NoScheme),
            ("HTTPS://example.com", UrlFault::NoScheme),
            ("-flag", UrlFault::NoScheme),
            ("", UrlFault::NoScheme),
            ("https:///example.com", UrlFault::NotUrl),
            ("https://", UrlFault::NotUrl),
            ("https://exa mple.com", UrlFault::NotUrl),
            ("https://example.com/\nx", UrlFault::NotUrl),
            ("https://example.com\\@evil.example", UrlFault::NotUrl),
            ("https://example.com/`id`", UrlFault::NotUrl),
            ("http://example.com", UrlFault::PlainHttp),
            ("http://127.0.0.1.example.com", UrlFault::PlainHttp),
            ("http://localhost.example.com", UrlFault::PlainHttp),
            ("http://0.0.0.0", UrlFault::PlainHttp),
            ("https://a@example.com", UrlFault::UserInfo),
            ("https://@example.com", UrlFault::UserInfo),
            ("https://example.com#x", UrlFault::Fragment),
            (&long, UrlFault::TooLong),
        ] {
            assert_eq!(check_url(bad).unwrap_err(), fault, "{bad}");
        }
    }

    #[test]
    fn a_port_is_told_as_it_is_written() {
        for (text, port) in [
            ("http://127.0.0.1:80/cb", Some(80)),
            ("https://localhost:443", Some(443)),
            ("http://[::1]:8976/?x=http://a:1", Some(8976)),
            ("http://[::1]/cb", None),
            ("http://127.0.0.1/cb:80", None),
            ("http://127.0.0.1:/cb", None),
            ("com.example.app:/cb", None),
        ] {
            assert_eq!(written_port(text), port, "{text}");
        }
    }

    #[test]
    fn this_machine_is_known_by_every_name() {
        for (url, expected) in [
            ("http://127.0.0.1:1/x", Reach::Usual),
            ("http://[::1]", Reach::Usual),
            ("https://LocalHost/", Reach::Usual),
            ("http://127.8.0.1", Reach::Loopback),
            ("http://0.0.0.0", Reach::Here),
            ("http://[::]", Reach::Here),
            ("http://[::ffff:127.0.0.1]", Reach::Here),
            ("http://localhost.", Reach::Here),
            ("http://a.localhost", Reach::Loopback),
            ("http://localhost.example", Reach::Elsewhere),
            ("http://[::ffff:10.0.0.1]", Reach::Elsewhere),
            ("http://10.0.0.1", Reach::Elsewhere),
            ("mailto:a@localhost", Reach::Elsewhere),
        ] {
            assert_eq!(reach(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
