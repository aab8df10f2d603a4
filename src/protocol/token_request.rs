//! Requests to the endpoints that issue or revoke tokens (RFC 6749, sections 2.3, 4.1.3, 4.4.2 and
//! 6; RFC 7009). The provider's entry decides the place of parameters, the client authentication
//! and the omissions.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use url::form_urlencoded::byte_serialize;

use crate::protocol::client::{Client, RequestError};
use crate::protocol::client_auth::Assertion;
use crate::protocol::dpop::Proven;
use crate::protocol::earlier_secret::TwoSecrets;
use crate::protocol::form;
use crate::provider::expand::open_variable;
use crate::provider::{ClientAuth, Endpoint, ParamsIn};
use crate::secret::Secret;
use crate::wire::{Request, RequestSigner};

/// A parameter and its value; the order is kept.
pub type Param<'a> = (&'a str, Secret);

/// Exchange of a code (RFC 6749, section 4.1.3).
pub fn code<'a>(code: &Secret, redirect_uri: Option<&str>, verifier: Option<&Secret>) -> Vec<Param<'a>> {
    let mut params = vec![("grant_type", Secret::unlisted("authorization_code")), ("code", code.clone())];
    params.extend(redirect_uri.map(|uri| ("redirect_uri", Secret::unlisted(uri))));
    params.extend(verifier.map(|verifier| ("code_verifier", verifier.clone())));
    params
}

/// Whether a text can name a resource: an absolute URI of any scheme, without a fragment (RFC 8707,
/// section 2). The error says why not.
pub fn check_resource(text: &str) -> Result<(), &'static str> {
    // the parser repairs these characters; RFC 3986 allows none of them in a URI
    let stranger = |c: char| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
    if text.contains(stranger) || url::Url::parse(text).is_err() {
        return Err("must be an absolute URI, such as `https://api.example/orders`");
    }
    match text.contains('#') {
        true => Err("may not hold a fragment (`#`)"),
        false => Ok(()),
    }
}

/// The token's targets: `resource` (RFC 8707) and `audience` (RFC 8693), once for each value.
pub fn targets<'a>(resources: &[String], audiences: &[String]) -> Vec<Param<'a>> {
    let of = |name: &'a str, list: &[String]| -> Vec<Param<'a>> {
        list.iter().map(|value| (name, Secret::unlisted(value.as_str()))).collect()
    };
    [of("resource", resources), of("audience", audiences)].concat()
}

/// The first way of client authentication that the client has credentials for.
pub fn usable_auth(endpoint: &Endpoint, client: &Client) -> Result<ClientAuth, RequestError> {
    // an assertion may stand alone (RFC 7523, section 2.1), without a client to authenticate
    if client.id.is_empty() {
        return Ok(ClientAuth::None);
    }
    let secret = client.secret.is_some();
    let place = || client.secret_from.clone().unwrap_or_else(|| "the environment".to_owned());
    let needs_secret = match (client.secret_not_kept, client.secret_unread) {
        (true, true) => RequestError::SecretUnread(place()),
        (true, false) => RequestError::SecretNotKept(place()),
        (false, _) => RequestError::NeedsSecret,
    };
    let needs = |auth: &ClientAuth| match auth {
        ClientAuth::None | ClientAuth::BearerSelf => None,
        ClientAuth::PrivateKeyJwt => client.proofs.key.is_none().then_some(RequestError::NeedsKey),
        ClientAuth::TlsClientAuth | ClientAuth::SelfSignedTlsClientAuth => {
            client.proofs.identity.is_none().then_some(RequestError::NeedsCertificate)
        }
        _ => (!secret).then(|| needs_secret.clone()),
    };
    let has_secret = secret || client.secret_not_kept;
    let usable = |auth: &&ClientAuth| needs(auth).is_none() && !(**auth == ClientAuth::None && has_secret);
    match endpoint.auth.iter().find(usable) {
        // the key would go unused: say so before the server refuses the client
        Some(ClientAuth::None) if client.proofs.key.is_some() && endpoint.auth != [ClientAuth::None] => {
            Err(RequestError::KeyNotTaken)
        }
        Some(auth) => Ok(*auth),
        // a public endpoint takes the id alone, even if the client has a secret
        None if endpoint.auth == [ClientAuth::None] => Ok(ClientAuth::None),
        None => {
            let mut missing: Vec<RequestError> = endpoint.auth.iter().filter_map(needs).collect();
            // most users have a secret
            missing.sort_by_key(|e| *e != needs_secret);
            Err(missing.into_iter().next().unwrap_or(RequestError::NoUsableAuth))
        }
    }
}

/// A request's endpoint and client.
pub struct Target<'a> {
    /// The endpoint's name in errors; `token` requests a token.
    pub name: &'static str,
    pub endpoint: &'a Endpoint,
    pub client: &'a Client,
    /// The token, for endpoints that take it as `Authorization` (some providers' revocation).
    pub bearer: Option<&'a Secret>,
}

/// The parts of an unfinished request.
#[derive(Default)]
struct Parts {
    params: Vec<(String, Secret)>,
    in_query: Vec<(String, Secret)>,
    authorization: Option<String>,
    at_sending: Option<Arc<dyn RequestSigner>>,
}

impl Target<'_> {
    /// A request with parameters and client authentication where the endpoint wants them.
    pub fn request(&self, params: Vec<Param<'_>>) -> Result<Request, RequestError> {
        let client = self.client;
        let mut request = self.by_present_secret(params.clone())?;
        if let Some(earlier) = client.earlier.as_ref().filter(|_| client.secret.is_some()) {
            let client = Client { secret: Some(earlier.secret.clone()), ..client.clone() };
            let by_earlier = Target { client: &client, ..*self }.by_present_secret(params)?;
            request = TwoSecrets::request(earlier, request, by_earlier);
        }
        // the only place: each request for a token requests a bound one, whatever the grant
        Ok(match client.proofs.dpop.as_ref().filter(|_| self.name == "token") {
            Some(dpop) => Proven::request(dpop, None, &request),
            None => request,
        })
    }

    fn by_present_secret(&self, params: Vec<Param<'_>>) -> Result<Request, RequestError> {
        let Target { endpoint, client, .. } = *self;
        if let Some(name) = open_variable(endpoint) {
            return Err(RequestError::Unfilled(name));
        }
        let auth = usable_auth(endpoint, client)?;
        let mut url = self.url(auth)?;
        let params = params.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        let mut parts = Parts { params, ..Parts::default() };
        self.authenticate(auth, &url, &mut parts)?;
        for (name, value) in &endpoint.params {
            parts.params.retain(|(n, _)| n != name);
            if !value.is_empty() {
                parts.params.push((name.clone(), Secret::unlisted(value.as_str())));
            }
        }
        for (name, _) in parts.params.iter_mut().chain(parts.in_query.iter_mut()) {
            if let Some(theirs) = endpoint.rename.get(name) {
                theirs.clone_into(name);
            }
        }
        let body = parts.body(endpoint.params_in);
        if !parts.in_query.is_empty() {
            form::add_to_query(&mut url, &form::encode_query(borrowed(&parts.in_query)));
        }
        let mut request = Request::new(&endpoint.method.to_string(), url).header("accept", "application/json");
        request.at_sending = parts.at_sending;
        request.identity.clone_from(&client.proofs.identity);
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind);
            request.body = Some(body);
        }
        if let Some(authorization) = parts.authorization {
            request = request.header("authorization", authorization);
        }
        for (name, value) in &endpoint.headers {
            request.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            request = request.header(&name.to_lowercase(), value.as_str());
        }
        Ok(request)
    }

    /// The endpoint's address, or its alias for clients with a certificate (RFC 8705, section 5).
    fn url(&self, auth: ClientAuth) -> Result<url::Url, RequestError> {
        let url = self.endpoint.url.as_deref().ok_or(RequestError::NoUrl(self.name))?;
        let proofs = &self.client.proofs;
        let by_certificate = matches!(auth, ClientAuth::TlsClientAuth | ClientAuth::SelfSignedTlsClientAuth)
            || proofs.announced.certificate_bound;
        let url = match proofs.announced.mtls_aliases.get(url) {
            Some(alias) if by_certificate && proofs.identity.is_some() => alias,
            _ => url,
        };
        url::Url::parse(url).map_err(|e| RequestError::BadUrl(self.name, e.to_string()))
    }

    fn authenticate(&self, auth: ClientAuth, url: &url::Url, parts: &mut Parts) -> Result<(), RequestError> {
        let Target { endpoint, client, .. } = *self;
        let secret = client.secret.clone().unwrap_or_else(|| Secret::unlisted(""));
        match auth {
            ClientAuth::Basic => parts.authorization = Some(basic(&encoded(&client.id), &encoded(secret.expose()))),
            ClientAuth::BasicRaw => parts.authorization = Some(basic(&client.id, secret.expose())),
            ClientAuth::BasicSecretAsUser => parts.authorization = Some(basic(secret.expose(), "")),
            ClientAuth::ClientSecretScheme => parts.authorization = Some(format!("Client {}", secret.expose())),
            ClientAuth::BearerSelf => {
                parts.authorization = self.bearer.map(|token| format!("Bearer {}", token.expose()));
            }
            ClientAuth::Post => {
                parts.add_id(client);
                parts.params.push(("client_secret".to_owned(), secret));
            }
            ClientAuth::Query => {
                parts.params.retain(|(name, _)| name != "client_id");
                parts.in_query.push(("client_id".to_owned(), Secret::unlisted(client.id.as_str())));
                parts.in_query.push(("client_secret".to_owned(), secret));
            }
            ClientAuth::None if client.id.is_empty() => {}
            ClientAuth::PrivateKeyJwt | ClientAuth::ClientSecretJwt => {
                let sign = if auth == ClientAuth::PrivateKeyJwt { Assertion::by_key } else { Assertion::by_secret };
                parts.at_sending = Some(Arc::new(sign(client, url.as_str(), endpoint.params_in)?));
                parts.add_id(client);
            }
            ClientAuth::None | ClientAuth::TlsClientAuth | ClientAuth::SelfSignedTlsClientAuth => parts.add_id(client),
        }
        Ok(())
    }
}

impl Parts {
    /// Adds `client_id` unless the parameters have it: some endpoints want it with any client
    /// authentication.
    fn add_id(&mut self, client: &Client) {
        if !self.params.iter().any(|(name, _)| name == "client_id") {
            self.params.push(("client_id".to_owned(), Secret::unlisted(client.id.as_str())));
        }
    }

    /// The body and its media type; parameters of the query move there.
    fn body(&mut self, params_in: ParamsIn) -> Option<(&'static str, Secret)> {
        match params_in {
            ParamsIn::Query => {
                self.in_query.append(&mut self.params);
                None
            }
            ParamsIn::Form => {
                let form = form::encode(borrowed(&self.params));
                Some(("application/x-www-form-urlencoded", Secret::unlisted(form.as_str())))
            }
            ParamsIn::Json => {
                let mut object: Map<String, Value> = Map::new();
                for (name, value) in &self.params {
                    let value = Value::from(value.expose());
                    match object.get_mut(name) {
                        None => drop(object.insert(name.clone(), value)),
                        // several resources (RFC 8707): a form repeats the name, JSON has lists
                        Some(Value::Array(list)) => list.push(value),
                        Some(first) => *first = Value::Array(vec![first.take(), value]),
                    }
                }
                Some(("application/json", Secret::unlisted(Value::Object(object).to_string())))
            }
        }
    }
}

fn borrowed(params: &[(String, Secret)]) -> impl Iterator<Item = (&str, &str)> {
    params.iter().map(|(n, v)| (n.as_str(), v.expose()))
}

/// RFC 6749, section 2.3.1: id and secret are form-encoded and joined. Characters that need no
/// encoding stay, for servers that don't decode.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(auth: &[ClientAuth]) -> Endpoint {
        let url = Some("https://as.example/token".to_owned());
        Endpoint { url, auth: auth.to_vec(), ..Endpoint::default() }
    }

    fn client() -> Client {
        Client::plain("the:id", Some("p@ss+%é".into()))
    }

    fn sent(endpoint: &Endpoint, client: &Client, params: Vec<Param<'_>>) -> (String, String, String, String) {
        let request = Target { name: "token", endpoint, client, bearer: None }.request(params).unwrap();
        let header = |name: &str| {
            request.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.expose().to_owned()).unwrap_or_default()
        };
        let body = request.body.as_ref().map(|b| b.expose().to_owned()).unwrap_or_default();
        (format!("{} {}", request.method, request.url.expose()), header("authorization"), header("content-type"), body)
    }

    #[test]
    fn basic_encodes_id_and_secret_before_joining_them() {
        let (line, authorization, kind, body) =
            sent(&endpoint(&[ClientAuth::Basic]), &client(), code(&"c/1".into(), Some("http://127.0.0.1:1/x"), None));
        assert_eq!(line, "POST https://as.example/token");
        let decoded = STANDARD.decode(authorization.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "the%3Aid:p%40ss%2B%25%C3%A9");
        assert_eq!(kind, "application/x-www-form-urlencoded");
        assert_eq!(body, "grant_type=authorization_code&code=c%2F1&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fx");
    }

    // VerticalResponse classic
    #[test]
    fn a_get_without_grant_type_puts_everything_in_the_query() {
        let mut endpoint = endpoint(&[ClientAuth::Query]);
        endpoint.method = crate::provider::Method::Get;
        endpoint.params_in = ParamsIn::Query;
        endpoint.params.insert("grant_type".into(), String::new());
        let (line, authorization, kind, body) =
            sent(&endpoint, &client(), code(&"c".into(), Some("http://localhost/"), None));
        assert_eq!(
            line,
            "GET https://as.example/token?client_id=the%3Aid&client_secret=p%40ss%2B%25%C3%A9&code=c&redirect_uri=http%3A%2F%2Flocalhost%2F"
        );
        assert_eq!((authorization.as_str(), kind.as_str(), body.as_str()), ("", "", ""));
    }

    #[test]
    fn json_post_and_renamed_parameters() {
        let mut endpoint = endpoint(&[ClientAuth::Post]);
        endpoint.params_in = ParamsIn::Json;
        endpoint.rename.insert("client_id".into(), "client_key".into());
        let (_, _, kind, body) = sent(&endpoint, &client(), vec![("grant_type", "x".into()), ("scope", "a b".into())]);
        assert_eq!(kind, "application/json");
        assert_eq!(body, r#"{"grant_type":"x","scope":"a b","client_key":"the:id","client_secret":"p@ss+%é"}"#);
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_a_fragment() {
        for good in
            ["https://a.example/x?y=z", "https://a.example", "urn:example:orders", "api://4f3c/read", "http://[::1]:8/"]
        {
            assert_eq!(check_resource(good), Ok(()), "{good}");
        }
        for bad in [
            "not a url",
            "/rel",
            "",
            "a.example/x",
            "https://",
            "https://a b.example",
            "https://a.example/{x}",
            "https://ä.example",
        ] {
            assert!(check_resource(bad).unwrap_err().contains("absolute"), "{bad}");
        }
        for bad in ["https://a.example/x#f", "https://a.example/#", "urn:a:b#"] {
            assert!(check_resource(bad).unwrap_err().contains("fragment"), "{bad}");
        }
    }

    // RFC 8707, section 2: once for each resource
    #[test]
    fn several_values_of_one_name_are_a_list_in_json() {
        let mut endpoint = endpoint(&[ClientAuth::None]);
        endpoint.params_in = ParamsIn::Json;
        let resources = ["https://a.example", "https://b.example", "https://c.example"].map(str::to_owned);
        let (_, _, _, body) = sent(&endpoint, &Client::plain("id", None), targets(&resources, &["one".to_owned()]));
        assert_eq!(
            body,
            r#"{"resource":["https://a.example","https://b.example","https://c.example"],"audience":"one","client_id":"id"}"#
        );
    }

    #[test]
    fn the_first_usable_way_to_authenticate_wins() {
        let public = Client::plain("id", None);
        use ClientAuth::{Basic, None as Public, Post, PrivateKeyJwt};
        assert_eq!(usable_auth(&endpoint(&[Basic, Public]), &client()), Ok(Basic));
        assert_eq!(usable_auth(&endpoint(&[Basic, Public]), &public), Ok(Public));
        assert_eq!(usable_auth(&endpoint(&[PrivateKeyJwt, Post]), &client()), Ok(Post));
        assert_eq!(usable_auth(&endpoint(&[Public]), &client()), Ok(Public));
        assert_eq!(usable_auth(&endpoint(&[Basic]), &public), Err(RequestError::NeedsSecret));
        assert_eq!(usable_auth(&endpoint(&[PrivateKeyJwt]), &client()), Err(RequestError::NeedsKey));
        assert_eq!(usable_auth(&endpoint(&[PrivateKeyJwt, Basic]), &public), Err(RequestError::NeedsSecret));
    }
}
