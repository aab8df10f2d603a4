//! Finds the authorization server of an address, a domain or an e-mail address: by the metadata of
//! a protected resource (RFC 9728), a server's own metadata, WebFinger (OpenID Connect Discovery,
//! section 2), and the automatic configuration of mail programs. Only the named domain is asked,
//! and the requests hold no secret.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::address::check_url;
use crate::error::Error;
use crate::grant::discover::refuse_own;
use crate::grant::send;
use crate::protocol::metadata;
use crate::wire::Request;
use crate::world::World;

/// What a person typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The address, or the domain's.
    pub url: Url,
    /// The e-mail address.
    pub mail: Option<String>,
}

/// An authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub issuer: String,
    /// The protected resource that names the server.
    pub resource: Option<String>,
}

impl Place {
    /// `https://example.com/mcp`, `example.com`, `ann@example.com`; `None`: it is a name.
    pub fn of(typed: &str) -> Option<Place> {
        let (mail, rest) = match typed.rsplit_once('@') {
            Some((name, domain)) if !name.is_empty() && !typed.contains("://") => (Some(typed.to_owned()), domain),
            _ => (None, typed),
        };
        let whole = match rest.contains("://") {
            true => rest.to_owned(),
            false => format!("https://{rest}"),
        };
        let is_address = rest.contains("://") || rest.split('/').next().is_some_and(|host| host.contains('.'));
        check_url(&whole).ok().filter(|_| is_address).map(|url| Place { url, mail })
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn below(&self, path: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(None);
        url.set_fragment(None);
        url.to_string()
    }
}

/// Asks the domain. `None`: it names no authorization server.
pub fn server(world: &mut World, place: &Place) -> Result<Option<Found>, Error> {
    refuse_own("the address", place.url.as_str(), false)?;
    let alone = |issuer| Found { issuer, resource: None };
    let found = match &place.mail {
        None => of_resource(world, place),
        Some(mail) => by_webfinger(world, place, mail).or_else(|| by_autoconfig(world, place)).map(alone),
    };
    Ok(found.or_else(|| by_metadata(world, place).map(alone)))
}

/// RFC 9728, section 3: the document must name the resource that was asked for.
fn of_resource(world: &mut World, place: &Place) -> Option<Found> {
    const NAME: &str = "/.well-known/oauth-protected-resource";
    let path = place.url.path().trim_end_matches('/');
    let mut asked = vec![(place.below(&format!("{NAME}{path}")), place.url.to_string())];
    if !path.is_empty() {
        asked.push((place.below(NAME), place.below("")));
    }
    for (address, resource) in asked {
        let Some(document) = json(world, &address) else { continue };
        let same = |named: &str| named.trim_end_matches('/') == resource.trim_end_matches('/');
        let Some(named) = document["resource"].as_str().filter(|named| same(named)) else { continue };
        if let Some(issuer) = document["authorization_servers"][0].as_str().filter(|url| Url::parse(url).is_ok()) {
            return Some(Found { issuer: issuer.to_owned(), resource: Some(named.to_owned()) });
        }
    }
    None
}

/// The issuer that the host's own metadata names, if it is on that host.
fn by_metadata(world: &mut World, place: &Place) -> Option<String> {
    let mut bases = vec![place.below(place.url.path())];
    if place.url.path() != "/" {
        bases.push(place.below(""));
    }
    for address in bases.iter().flat_map(|base| metadata::places(base)) {
        let document = json(world, &address);
        let issuer = document.as_ref().and_then(|document| document["issuer"].as_str());
        let is_there = |issuer: &&str| Url::parse(issuer).is_ok_and(|url| url.host() == place.url.host());
        if let Some(issuer) = issuer.filter(is_there) {
            return Some(issuer.to_owned());
        }
    }
    None
}

fn by_webfinger(world: &mut World, place: &Place, mail: &str) -> Option<String> {
    const ISSUER: &str = "http://openid.net/specs/connect/1.0/issuer";
    let mut url = place.url.clone();
    url.set_path("/.well-known/webfinger");
    url.query_pairs_mut().append_pair("resource", &format!("acct:{mail}")).append_pair("rel", ISSUER);
    let document = json(world, url.as_str())?;
    let link = document["links"].as_array()?.iter().find(|link| link["rel"] == ISSUER)?;
    link["href"].as_str().filter(|url| Url::parse(url).is_ok()).map(str::to_owned)
}

/// The `<issuer>` of `<oAuth2>`: a host's name.
fn by_autoconfig(world: &mut World, place: &Place) -> Option<String> {
    let own = place.below("/.well-known/autoconfig/mail/config-v1.1.xml");
    for address in [own, format!("https://autoconfig.{}/mail/config-v1.1.xml", place.host())] {
        let Some(text) = body(world, &address) else { continue };
        let text = String::from_utf8_lossy(&text);
        let issuer = text.split_once("<issuer>").and_then(|(_, rest)| rest.split_once("</issuer>"));
        let issuer = issuer.map(|(issuer, _)| issuer.trim()).filter(|issuer| !issuer.is_empty());
        if let Some(place) = issuer.and_then(Place::of) {
            return Some(place.url.as_str().trim_end_matches('/').to_owned());
        }
    }
    None
}

fn json(world: &mut World, address: &str) -> Option<Value> {
    serde_json::from_slice(&body(world, address)?).ok().filter(Value::is_object)
}

/// The body of a successful answer. A host that can't be reached has none.
fn body(world: &mut World, address: &str) -> Option<Vec<u8>> {
    let mut request = Request::new("GET", address);
    request.timeout = Duration::from_secs(5);
    request.max_body = metadata::LONGEST;
    match send(world, &request) {
        Ok(response) => Some(response).filter(|it| it.status == 200).map(|it| it.body.to_vec()),
        Err(e) => {
            world.step(|| e.to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_domains_and_mail_addresses_are_told_from_names() {
        for (typed, host, mail) in [
            ("https://mcp.example/mcp", "mcp.example", false),
            ("http://127.0.0.1:9", "127.0.0.1", false),
            ("app.example.com", "app.example.com", false),
            ("example.com/path", "example.com", false),
            ("ann@example.com", "example.com", true),
        ] {
            let place = Place::of(typed).expect(typed);
            assert_eq!((place.host(), place.mail.is_some()), (host, mail), "{typed}");
        }
        for name in ["getresponse", "", "@", "a@b", "two words.de", "http://example.com", "1", "ü", "🦀.🦀 "] {
            assert_eq!(Place::of(name), None, "{name}");
        }
    }
}
