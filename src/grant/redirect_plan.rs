//! The redirect address: by the user's registration, else by the provider's known rules (RFC 8252,
//! section 7.3).

use crate::address::{Reach, is_of_app, reach, with_scheme};
use crate::error::Error;
use crate::provider::{LoopbackMode, Provider, RedirectHost};
use crate::text::safe;
use crate::world::http_server::loopback::{Address, Host};

/// The port to register if the provider compares ports and names none.
pub const USUAL_PORT: u16 = 8976;

/// How the authorization response comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub target: Target,
    /// The redirect address as the user registered it, sent unchanged.
    pub registered: Option<String>,
    /// The path is random for each login: only this login's browser knows it.
    pub random_path: bool,
    /// The browser ends on a page that shows the code.
    pub shows_code: bool,
}

/// The receiver of the authorization response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Listen {
        address: Address,
        path: String,
    },
    /// The user pastes the address that the browser ended on.
    Paste {
        why: &'static str,
    },
}

/// `redirect_uri` and `port` are the profile's.
pub fn plan(provider: &Provider, redirect_uri: Option<&str>, port: Option<u16>, random: &str) -> Result<Plan, Error> {
    let facts = &provider.redirect;
    if let Some(uri) = redirect_uri {
        return registered(uri, port, facts.loopback);
    }
    if let Some(page) = facts.paste.as_deref().filter(|_| port.is_none()) {
        let uri = if page == "oob" { OUT_OF_BAND } else { page };
        return Ok(Plan { shows_code: true, ..pasted("this provider shows the code on a page", Some(uri)) });
    }
    let random_path = facts.path.as_deref().is_some_and(|p| p.contains('*'));
    let path = facts.path.as_deref().unwrap_or("/callback").replace('*', random);
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    let fixed = |port: Option<u16>| match port {
        Some(port) => vec![port],
        None if facts.ports.is_empty() => vec![USUAL_PORT],
        None => facts.ports.clone(),
    };
    let (ports, tls) = match facts.loopback {
        LoopbackMode::AnyPort => (port.map(|p| vec![p]).unwrap_or_else(|| facts.ports.clone()), false),
        LoopbackMode::Unknown | LoopbackMode::Exact => (fixed(port), false),
        LoopbackMode::Https => (fixed(port), true),
        LoopbackMode::None => {
            if provider.authorize.send_redirect_uri && facts.alias.is_none() {
                return Err(Error::usage(format!("{} does not send the browser back to this machine", provider.name))
                    .hint("register an https address of your own and give it with `--redirect-uri`"));
            }
            return Ok(pasted("this provider refuses loopback addresses", None));
        }
    };
    let usual = if tls { RedirectHost::Localhost } else { RedirectHost::Ipv4 };
    let host = host(&facts.host.unwrap_or(usual).to_string());
    let target = Target::Listen { address: Address { host, ports, tls }, path };
    Ok(Plan { target, registered: None, random_path, shows_code: false })
}

/// Google's name for a page that shows the code; other providers took it over.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

fn pasted(why: &'static str, registered: Option<&str>) -> Plan {
    let registered = registered.map(str::to_owned);
    Plan { target: Target::Paste { why }, registered, random_path: false, shows_code: false }
}

const PLAIN_HTTP: &str = "is plain http: that is for 127.0.0.1, [::1] and localhost only";

fn registered(uri: &str, port: Option<u16>, mode: LoopbackMode) -> Result<Plan, Error> {
    let bad = |why: &str| {
        Error::usage(format!("the redirect address `{}` {why}", safe(uri)))
            .hint("`--redirect-uri URL`: the address as it is registered at the provider")
    };
    if let Some(meant) = with_scheme(uri) {
        let why = match uri.starts_with("http://") {
            true => PLAIN_HTTP,
            false => "must begin with `http://` or `https://`",
        };
        return Err(Error::usage(format!("the redirect address `{}` {why}", safe(uri)))
            .hint(format!("did you mean `{}`?", safe(&meant))));
    }
    let url = url::Url::parse(uri).map_err(|e| bad(&format!("is not a URL: {e}")))?;
    let name = url.host_str().unwrap_or("");
    let loopback = reach(&url) == Reach::Usual;
    match url.scheme() {
        "http" if loopback => {}
        "http" => return Err(bad(PLAIN_HTTP)),
        "https" => {}
        "urn" => {
            return Ok(Plan { shows_code: true, ..pasted("the provider shows the code on a page", Some(uri)) });
        }
        // an app owns it: the browser shows the address that it can't open
        _ if !is_of_app(uri) => return Err(bad("has a scheme that no redirect address has")),
        _ => return Ok(pasted("the redirect address has a scheme of its own", Some(uri))),
    }
    if !loopback {
        return Ok(pasted("the redirect address is not on this machine", Some(uri)));
    }
    if let (Some(port), Some(named)) = (port, url.port())
        && port != named
    {
        return Err(bad(&format!("names port {named}, and `--port` or the profile's `port` another: {port}")));
    }
    let tls = url.scheme() == "https";
    // RFC 8252, section 7.3: without a port any port fits, if the provider follows the rule
    let any = url.port().is_none() && port.is_none() && mode == LoopbackMode::AnyPort && !tls;
    let ports = if any { Vec::new() } else { vec![port.or(url.port_or_known_default()).unwrap_or(USUAL_PORT)] };
    let exact = (!any && port.is_none()).then(|| uri.to_owned());
    Ok(Plan {
        target: Target::Listen { address: Address { host: host(name), ports, tls }, path: url.path().to_owned() },
        registered: exact,
        random_path: false,
        shows_code: false,
    })
}

fn host(name: &str) -> Host {
    match name {
        "localhost" => Host::Localhost,
        "[::1]" | "::1" => Host::V6,
        _ => Host::Literal,
    }
}

impl Plan {
    /// The value of `redirect_uri`; `None` if none is sent (GetResponse).
    pub fn redirect_uri(&self, origin: Option<&str>, path: &str) -> Option<String> {
        self.registered.clone().or_else(|| origin.map(|origin| format!("{origin}{path}")))
    }

    /// The address to register for the app, before any port is bound.
    pub fn to_register(&self) -> Option<String> {
        if let Some(uri) = &self.registered {
            return Some(uri.clone());
        }
        let Target::Listen { address, path } = &self.target else { return None };
        let scheme = if address.tls { "https" } else { "http" };
        let host = match address.host {
            Host::Literal => "127.0.0.1",
            Host::V6 => "[::1]",
            Host::Localhost => "localhost",
        };
        let port = address.ports.first().map(|p| format!(":{p}")).unwrap_or_default();
        Some(format!("{scheme}://{host}{port}{path}"))
    }
}
