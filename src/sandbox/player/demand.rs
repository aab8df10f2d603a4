//! Checks one request against what a provider's entry says of its endpoint: method, place and
//! names of the parameters, client authentication, headers. Nothing may be missing, and nothing
//! else may be sent.

use url::Url;

use crate::provider::{ClientAuth, Endpoint, ParamsIn};
use crate::sandbox::message::{Ask, Params, encoded};

/// The value of a parameter.
#[derive(Clone)]
pub enum Want {
    Is(String),
    /// A value that the sender chooses.
    Any,
    /// It may be there.
    Perhaps,
}

/// Parameters by the RFC's names.
pub type Wanted = Vec<(String, Want)>;

pub fn is(name: &str, value: impl Into<String>) -> (String, Want) {
    (name.to_owned(), Want::Is(value.into()))
}

pub fn any(name: &str) -> (String, Want) {
    (name.to_owned(), Want::Any)
}

/// The registered client.
pub struct Registered {
    pub id: String,
    /// `None`: it is a public client.
    pub secret: Option<String>,
}

/// The secret that a test of wrong secrets sends.
pub const WRONG_SECRET: &str = "the+wrong/secret%3D";

/// A request as an endpoint wants it.
pub struct Demand<'a> {
    pub endpoint: &'a Endpoint,
    pub wanted: Wanted,
    /// The token that stands in `Authorization` for some revocations.
    pub bearer: Option<&'a str>,
    /// The header that takes `Authorization`'s place.
    pub auth_header: &'a str,
}

/// A request that is right, but perhaps for the secret.
pub struct Met {
    pub params: Params,
    pub secret_is_right: bool,
}

impl Registered {
    /// How this client proves itself there.
    pub fn way(&self, endpoint: &Endpoint) -> ClientAuth {
        let has_secret = self.secret.is_some();
        let fits = |way: &&ClientAuth| match way {
            ClientAuth::BearerSelf => true,
            ClientAuth::None => !has_secret,
            ClientAuth::PrivateKeyJwt | ClientAuth::TlsClientAuth | ClientAuth::SelfSignedTlsClientAuth => false,
            _ => has_secret,
        };
        endpoint.auth.iter().find(fits).copied().unwrap_or(ClientAuth::None)
    }
}

impl<'a> Demand<'a> {
    pub fn of(endpoint: &'a Endpoint, wanted: Wanted) -> Demand<'a> {
        Demand { endpoint, wanted, bearer: None, auth_header: "authorization" }
    }

    /// The error says what is wrong with the request.
    pub fn check(&self, client: &Registered, ask: &Ask<'_>) -> Result<Met, String> {
        let endpoint = self.endpoint;
        let method = endpoint.method.to_string();
        if ask.request.method != method {
            return Err(format!("is a {}, not a {method}", ask.request.method));
        }
        for (name, value) in &endpoint.headers {
            match ask.request.header(&name.to_lowercase()) {
                Some(sent) if sent == value => {}
                sent => return Err(format!("has the header `{name}` as {sent:?}, not as `{value}`")),
            }
        }
        let way = client.way(endpoint);
        let (mut wanted, mut in_query) = (self.wanted.clone(), Wanted::new());
        let id_and_secret = [is("client_id", &client.id), any("client_secret")];
        match way {
            ClientAuth::Post => wanted.extend(id_and_secret),
            ClientAuth::Query => {
                wanted.retain(|(name, _)| name != "client_id");
                in_query.extend(id_and_secret);
            }
            ClientAuth::None if !wanted.iter().any(|(name, _)| name == "client_id") => {
                wanted.push(is("client_id", &client.id));
            }
            _ => {}
        }
        changed(&mut wanted, &endpoint.params);
        for (name, _) in wanted.iter_mut().chain(&mut in_query) {
            *name = theirs(name, endpoint).to_owned();
        }
        let query = without_own(&ask.query, endpoint)?;
        let (params, elsewhere) = match endpoint.params_in {
            ParamsIn::Form => (ask.form.clone(), vec![("the query", query), ("a JSON body", ask.json.clone())]),
            ParamsIn::Json => (ask.json.clone(), vec![("the query", query), ("a form", ask.form.clone())]),
            ParamsIn::Query => {
                wanted.append(&mut in_query);
                (query, vec![("a form", ask.form.clone()), ("a JSON body", ask.json.clone())])
            }
        };
        fits(&params, &wanted)?;
        for (place, found) in elsewhere {
            let wanted = if place == "the query" { &in_query[..] } else { &[] };
            fits(&found, wanted).map_err(|why| format!("{why}, in {place}"))?;
        }
        let all = ask.query.and(&params);
        let secret = match way {
            ClientAuth::Post | ClientAuth::Query => {
                if ask.request.header(self.auth_header).is_some() {
                    return Err(format!("has an `{}`, and the client proves itself by `{way}`", self.auth_header));
                }
                all.get(theirs("client_secret", endpoint)).map(str::to_owned)
            }
            _ => self.in_header(way, client, ask)?,
        };
        let right = secret == client.secret || way == ClientAuth::None || way == ClientAuth::BearerSelf;
        match right || secret.as_deref() == Some(WRONG_SECRET) {
            true => Ok(Met { params, secret_is_right: right }),
            false => Err("has another client secret than the client's".to_owned()),
        }
    }

    /// The secret that the header holds, if the way of authentication puts one there.
    fn in_header(&self, way: ClientAuth, client: &Registered, ask: &Ask<'_>) -> Result<Option<String>, String> {
        let sent = ask.request.header(self.auth_header);
        let Some(secret) = &client.secret else {
            return match (way, sent, self.bearer) {
                (ClientAuth::BearerSelf, Some(sent), Some(token)) if sent == format!("Bearer {token}") => Ok(None),
                (ClientAuth::None, None, _) => Ok(None),
                _ => Err(format!("has not the `{}` that it should", self.auth_header)),
            };
        };
        let with = |secret: &str| match way {
            ClientAuth::Basic => Some(basic(&encoded(&client.id), &encoded(secret))),
            ClientAuth::BasicRaw => Some(basic(&client.id, secret)),
            ClientAuth::BasicSecretAsUser => Some(basic(secret, "")),
            ClientAuth::ClientSecretScheme => Some(format!("Client {secret}")),
            ClientAuth::BearerSelf => self.bearer.map(|token| format!("Bearer {token}")),
            _ => None,
        };
        let known = [secret.as_str(), WRONG_SECRET];
        match known.into_iter().find(|secret| with(secret).as_deref() == sent) {
            Some(secret) => Ok(Some(secret.to_owned())),
            None if sent.is_none() => {
                Err(format!("has no `{}`: the client proves itself by `{way}`", self.auth_header))
            }
            None => Err(format!("has an `{}` that is not the client's by `{way}`", self.auth_header)),
        }
    }
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// The endpoint's own name of a parameter.
pub fn theirs<'a>(name: &'a str, endpoint: &'a Endpoint) -> &'a str {
    endpoint.rename.get(name).map_or(name, String::as_str)
}

/// Lays an entry's `params` over the usual ones; an empty one drops it.
pub fn changed(wanted: &mut Wanted, params: &std::collections::BTreeMap<String, String>) {
    for (name, value) in params {
        wanted.retain(|(known, _)| known != name);
        if !value.is_empty() {
            wanted.push(is(name, value));
        }
    }
}

/// The query without what stands in the endpoint's own address.
fn without_own(query: &Params, endpoint: &Endpoint) -> Result<Params, String> {
    let own = endpoint.url.as_deref().and_then(|url| Url::parse(url).ok());
    let mut left = query.clone();
    for (name, value) in own.iter().flat_map(Url::query_pairs) {
        let at = left.0.iter().position(|(n, v)| *n == name && *v == value);
        left.0.remove(at.ok_or(format!("lacks `{name}` of the endpoint's own address"))?);
    }
    Ok(left)
}

/// Whether these are the parameters, each once, and no others.
pub fn fits(params: &Params, wanted: &[(String, Want)]) -> Result<(), String> {
    if let Some(twice) = params.repeated() {
        return Err(format!("has `{twice}` twice"));
    }
    for (name, want) in wanted {
        let sent = params.0.iter().find(|(n, _)| n == name).map(|(_, value)| value);
        match (want, sent) {
            (Want::Is(value), Some(sent)) if sent != value => {
                return Err(format!("has `{name}` as `{sent}`, not as `{value}`"));
            }
            (Want::Is(_) | Want::Any, None) => return Err(format!("has no `{name}`")),
            _ => {}
        }
    }
    match params.0.iter().find(|(name, _)| !wanted.iter().any(|(known, _)| known == name)) {
        Some((name, _)) => Err(format!("has `{name}`, which the entry doesn't say")),
        None => Ok(()),
    }
}
