//! The redirect address: by the user's registration, else by the provider's known rules (RFC 8252,
//! section 7.3).

use std::net::SocketAddr;

use crate::address::{Reach, is_of_app, reach, with_scheme, written_port};
use crate::config::{Profile, words};
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

/// `random` fills a path that is another one for each login.
pub fn plan(provider: &Provider, profile: &Profile, random: &str) -> Result<Plan, Error> {
    let mut plan = told(provider, profile, random)?;
    let Some(bind) = profile.listen.as_deref().map(words::listen).transpose().map_err(Error::usage)? else {
        return Ok(plan);
    };
    match &mut plan.target {
        Target::Paste { why } => Err(Error::usage(format!("{why}: nothing comes to the address of `--listen`"))
            .hint("without it the address that the browser ended on is pasted")),
        Target::Listen { address, .. } => {
            address.bind = Some(bind);
            Ok(plan)
        }
    }
}

/// The redirect address that the user or the provider named.
fn told(provider: &Provider, profile: &Profile, random: &str) -> Result<Plan, Error> {
    let facts = &provider.redirect;
    let said = profile.port.as_deref().map(words::ports).transpose().map_err(Error::usage)?.unwrap_or_default();
    if let Some(uri) = &profile.redirect_uri {
        return registered(uri, said, facts.loopback);
    }
    if let Some(page) = facts.paste.as_deref().filter(|_| said.is_empty()) {
        if is_of_app(page) {
            return registered(page, said, facts.loopback);
        }
        let uri = if page == "oob" { OUT_OF_BAND } else { page };
        return Ok(Plan { shows_code: true, ..pasted("this provider shows the code on a page", Some(uri)) });
    }
    let random_path = facts.path.as_deref().is_some_and(|p| p.contains('*'));
    let path = facts.path.as_deref().unwrap_or("/callback").replace('*', random);
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    let any = if said.is_empty() { facts.ports.clone() } else { said };
    let fixed = if any.is_empty() { vec![USUAL_PORT] } else { any.clone() };
    let (ports, tls) = match facts.loopback {
        LoopbackMode::AnyPort => (any, false),
        LoopbackMode::Unknown | LoopbackMode::Exact => (fixed, false),
        LoopbackMode::Https => (fixed, true),
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
    let target = Target::Listen { address: Address { host, ports, tls, bind: None }, path };
    Ok(Plan { target, registered: None, random_path, shows_code: false })
}

/// Google's name for a page that shows the code; other providers took it over.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

fn pasted(why: &'static str, registered: Option<&str>) -> Plan {
    let registered = registered.map(str::to_owned);
    Plan { target: Target::Paste { why }, registered, random_path: false, shows_code: false }
}

const PLAIN_HTTP: &str = "is plain http: that is for 127.0.0.1, [::1] and localhost only";

fn registered(uri: &str, said: Vec<u16>, mode: LoopbackMode) -> Result<Plan, Error> {
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
    let named = written_port(uri);
    let other = said.iter().find(|port| named.is_some_and(|named| named != **port));
    if let (Some(other), Some(named)) = (other, named) {
        return Err(bad(&format!("names port {named}, and `--port` or the profile's `port` another: {other}")));
    }
    let tls = url.scheme() == "https";
    // RFC 8252, section 7.3: without a port any port fits, if the provider follows the rule
    let any = named.is_none() && said.is_empty() && mode == LoopbackMode::AnyPort && !tls;
    let exact = (!any && said.is_empty()).then(|| uri.to_owned());
    let ports = if exact.is_some() { vec![url.port_or_known_default().unwrap_or(USUAL_PORT)] } else { said };
    Ok(Plan {
        target: Target::Listen {
            address: Address { host: host(name), ports, tls, bind: None },
            path: url.path().to_owned(),
        },
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
    /// The address that the listener is bound to behind a forwarder.
    pub fn bind(&self) -> Option<SocketAddr> {
        match &self.target {
            Target::Listen { address, .. } => address.bind,
            Target::Paste { .. } => None,
        }
    }

    /// The value of `redirect_uri`; `None` if none is sent (GetResponse).
    pub fn redirect_uri(&self, origin: Option<&str>, path: &str) -> Option<String> {
        self.registered.clone().or_else(|| origin.map(|origin| format!("{origin}{path}")))
    }

    /// How the provider compares the address that is registered, in words behind it.
    pub fn compared(&self) -> &'static str {
        match &self.target {
            Target::Listen { address, .. } if address.ports.is_empty() => "   (any port may be added)",
            Target::Listen { .. } => "   (exactly so, with the port)",
            Target::Paste { .. } => "",
        }
    }

    /// The addresses to register for the app, before any port is bound: one for each port.
    pub fn to_register(&self) -> Vec<String> {
        let (Target::Listen { address, path }, None) = (&self.target, &self.registered) else {
            return self.registered.iter().cloned().collect();
        };
        let scheme = if address.tls { "https" } else { "http" };
        let host = match address.host {
            Host::Literal => "127.0.0.1",
            Host::V6 => "[::1]",
            Host::Localhost => "localhost",
        };
        match &address.ports[..] {
            [] => vec![format!("{scheme}://{host}{path}")],
            ports => ports.iter().map(|port| format!("{scheme}://{host}:{port}{path}")).collect(),
        }
    }
}
