//! Registers a client without a console (RFC 7591); reads, changes and deletes it later (RFC 7592).

use serde_json::{Value, json};

use crate::address::check_url;
use crate::protocol::api_error;
use crate::protocol::jose::{Jwk, Members, members};
use crate::secret::Secret;
use crate::text::safe;
use crate::wire::{Request, Response};

/// The requested client metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientMetadata {
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub grant_types: Vec<String>,
    /// A name of RFC 7591's registry: `none`, `client_secret_basic`, …
    pub auth_method: String,
    /// The client's public key, if it authenticates with one.
    pub key: Option<Jwk>,
    pub scope: Option<String>,
}

/// The client as the server registered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    pub client_id: String,
    pub client_secret: Option<Secret>,
    /// Access to the registration, if the server offers it.
    pub management: Option<Management>,
    /// The registered authentication method; it may differ from the requested one (section 3.2.1).
    pub auth_method: Option<String>,
    /// Unix seconds; `None`: the secret doesn't expire.
    pub secret_expires_at: Option<i64>,
    /// `None` here and below: the response doesn't say, so the requested values hold.
    pub redirect_uris: Option<Vec<String>>,
    pub grant_types: Option<Vec<String>>,
    pub scopes: Option<Vec<String>>,
}

/// Where a registered client is read, changed and deleted (RFC 7592, section 3).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Management {
    pub uri: String,
    #[serde(serialize_with = "crate::stored::expose")]
    pub token: Secret,
}

/// Why a registration can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    #[error("the server answered {status}{}", .said.as_deref().map(|s| format!(": {}", safe(s))).unwrap_or_default())]
    Refused { status: u16, said: Option<String> },
    #[error("the answer has no usable `{0}`")]
    Missing(&'static str),
    #[error("the answer is about another client, `{}`; it was not stored", safe(.0))]
    OtherClient(String),
}

impl Registered {
    /// The requested values that were not registered, in words: a server may replace any of them,
    /// and the client must check (RFC 7591, section 3.2.1).
    pub fn lacks(&self, wanted: &ClientMetadata) -> Vec<String> {
        let scopes: Vec<_> = wanted.scope.iter().flat_map(|scope| scope.split(' ').map(str::to_owned)).collect();
        [
            ("redirect URI", &self.redirect_uris, &wanted.redirect_uris),
            ("grant type", &self.grant_types, &wanted.grant_types),
            ("scope", &self.scopes, &scopes),
        ]
        .into_iter()
        .filter_map(|(what, registered, asked)| Some((what, registered.as_ref()?, asked)))
        .flat_map(|(what, registered, asked)| {
            asked.iter().filter(|one| !registered.contains(one)).map(move |one| format!("the {what} `{}`", safe(one)))
        })
        .collect()
    }
}

impl ClientMetadata {
    fn members(&self) -> Members {
        let by_code = self.grant_types.iter().any(|g| g == "authorization_code");
        let mut members = members(json!({
            "client_name": self.name,
            "redirect_uris": self.redirect_uris,
            "grant_types": self.grant_types,
            "response_types": if by_code { vec!["code"] } else { vec![] },
            "token_endpoint_auth_method": self.auth_method,
            // OpenID Connect Dynamic Client Registration, section 2: loopback URIs need a native
            // client
            "application_type": "native",
        }));
        if let Some(key) = &self.key {
            members.insert("jwks".into(), json!({ "keys": [key.to_members()] }));
        }
        if let Some(scope) = &self.scope {
            members.insert("scope".into(), scope.as_str().into());
        }
        members
    }
}

/// RFC 7591, section 3.1. `initial`: the initial access token that some servers require.
pub fn request(url: &str, wanted: &ClientMetadata, initial: Option<&Secret>) -> Request {
    with_json("POST", url, &wanted.members(), initial)
}

/// RFC 7592, section 2.1.
pub fn look(management: &Management) -> Request {
    bearer(Request::new("GET", management.uri.as_str()), Some(&management.token))
}

/// RFC 7592, section 2.2: all members again, with the client's id and secret.
pub fn update(management: &Management, client_id: &str, secret: Option<&Secret>, wanted: &ClientMetadata) -> Request {
    let mut members = wanted.members();
    members.insert("client_id".into(), client_id.into());
    if let Some(secret) = secret {
        members.insert("client_secret".into(), secret.expose().into());
    }
    with_json("PUT", &management.uri, &members, Some(&management.token))
}

/// RFC 7592, section 2.3.
pub fn delete(management: &Management) -> Request {
    bearer(Request::new("DELETE", management.uri.as_str()), Some(&management.token))
}

fn with_json(method: &str, url: &str, members: &Members, token: Option<&Secret>) -> Request {
    let mut request = bearer(Request::new(method, url), token).header("content-type", "application/json");
    request.body = Some(Secret::unlisted(Value::Object(members.clone()).to_string()));
    request
}

fn bearer(request: Request, token: Option<&Secret>) -> Request {
    let request = request.header("accept", "application/json");
    match token {
        Some(token) => request.header("authorization", format!("Bearer {}", token.expose())),
        None => request,
    }
}

/// [`read`] for a registered client: the response must name the same client (RFC 7592, section 3).
pub fn read_again(response: &Response, client_id: &str) -> Result<Registered, RegistrationError> {
    let read = read(response)?;
    match read.client_id == client_id {
        true => Ok(read),
        false => Err(RegistrationError::OtherClient(read.client_id)),
    }
}

/// RFC 7591, section 3.2.1; RFC 7592, section 3. A response to `look` or `update` may bring new
/// secrets.
pub fn read(response: &Response) -> Result<Registered, RegistrationError> {
    let body = response.json();
    if !(200..300).contains(&response.status) {
        return Err(refusal(response));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|s| !s.is_empty());
    let client_id = text("client_id")
        .filter(|id| id.len() <= 4096 && id.bytes().all(|b| (0x20..=0x7e).contains(&b)))
        .ok_or(RegistrationError::Missing("client_id"))?;
    let management = match (text("registration_client_uri"), text("registration_access_token")) {
        (Some(uri), Some(token)) => {
            check_url(uri).map_err(|_| RegistrationError::Missing("registration_client_uri"))?;
            Some(Management { uri: uri.to_owned(), token: Secret::new(token) })
        }
        _ => None,
    };
    let list = |name: &str| {
        let list = body.get(name)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    };
    Ok(Registered {
        client_id: client_id.to_owned(),
        client_secret: text("client_secret").map(Secret::from),
        management,
        auth_method: text("token_endpoint_auth_method").map(str::to_owned),
        secret_expires_at: body.get("client_secret_expires_at").and_then(Value::as_i64).filter(|at| *at > 0),
        redirect_uris: list("redirect_uris"),
        grant_types: list("grant_types"),
        scopes: text("scope").map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect()),
    })
}

/// The server's refusal (RFC 7591, section 3.2.2).
pub fn refusal(response: &Response) -> RegistrationError {
    let said = api_error::read(&response.body).and_then(|error| error.text());
    RegistrationError::Refused { status: response.status, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &Value) -> Response {
        Response { status, headers: vec![], body: body.to_string().into_bytes().into() }
    }

    // RFC 7591, section 3.2.1, its example, with RFC 7592's members
    #[test]
    fn reads_the_rfcs_example() {
        let body = json!({
            "client_id": "s6BhdRkqt3", "client_secret": "cf136dc3c1fc93f31185e5885805d", "client_secret_expires_at": 2893276800i64,
            "registration_access_token": "reg-23410913-abewfq.123483", "registration_client_uri": "https://server.example.com/register/s6BhdRkqt3",
            "redirect_uris": ["https://client.example.org/callback"], "token_endpoint_auth_method": "client_secret_basic",
        });
        let got = read(&response(201, &body)).unwrap();
        assert_eq!((got.client_id.as_str(), got.secret_expires_at), ("s6BhdRkqt3", Some(2_893_276_800)));
        let management = got.management.unwrap();
        assert_eq!(management.uri, "https://server.example.com/register/s6BhdRkqt3");
        let delete = delete(&management);
        assert_eq!(delete.method, "DELETE");
        assert_eq!(delete.headers[1].1.expose(), "Bearer reg-23410913-abewfq.123483");
    }

    #[test]
    fn a_place_that_a_secret_may_not_go_to_is_none() {
        let body = json!({ "client_id": "x", "registration_access_token": "t", "registration_client_uri": "http://elsewhere.example/" });
        assert_eq!(read(&response(201, &body)), Err(RegistrationError::Missing("registration_client_uri")));
        assert_eq!(read(&response(201, &json!({}))), Err(RegistrationError::Missing("client_id")));
        let refused = json!({ "error": "invalid_redirect_uri", "error_description": "no" });
        assert_eq!(
            read(&response(400, &refused)).unwrap_err().to_string(),
            "the server answered 400: invalid_redirect_uri: no"
        );
    }

    fn native() -> ClientMetadata {
        ClientMetadata {
            name: "oauthctl".into(),
            redirect_uris: vec!["http://127.0.0.1/callback".into()],
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            auth_method: "none".into(),
            key: None,
            scope: Some("read write".into()),
        }
    }

    #[test]
    fn what_a_server_left_out_is_told() {
        let lacks = |body: Value| read(&response(201, &body)).unwrap().lacks(&native());
        assert_eq!(lacks(json!({ "client_id": "x" })), [""; 0]);
        let all = json!({
            "client_id": "x", "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/"], "scope": "write  read more",
            "grant_types": ["refresh_token", "authorization_code"],
        });
        assert_eq!(lacks(all), [""; 0]);
        let less =
            json!({ "client_id": "x", "redirect_uris": [], "grant_types": ["authorization_code"], "scope": "read" });
        assert_eq!(
            lacks(less),
            ["the redirect URI `http://127.0.0.1/callback`", "the grant type `refresh_token`", "the scope `write`"]
        );
    }

    #[test]
    fn what_is_asked_for_is_a_native_client() {
        let request = request("https://as.example/reg", &native(), None);
        let body: Value = serde_json::from_str(request.body.unwrap().expose()).unwrap();
        assert_eq!(body["application_type"], "native");
        assert_eq!(body["response_types"], json!(["code"]));
        assert_eq!(body["token_endpoint_auth_method"], "none");
    }
}
