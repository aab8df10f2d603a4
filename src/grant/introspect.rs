//! The state of a token at the provider (RFC 7662): as a plain response, or as a signed one that
//! can be shown to a third party (RFC 9701).

use serde_json::{Map, Value};

use crate::error::{Error, Kind, check_client};
use crate::grant::jwks::{KeyRing, Unverified};
use crate::grant::{Asking, send};
use crate::protocol::id_token::{Fault, audiences, times_if_any};
use crate::protocol::jose;
use crate::protocol::jose::trust::Trust;
use crate::protocol::token_request::Target;
use crate::provider::Endpoint;
use crate::secret::Secret;
use crate::world::World;

/// The media type of a signed response, which is also its required `typ`.
const SIGNED: &str = "application/token-introspection+jwt";

/// Asks about `token`; `hint` is its kind. `signed`: only a signed response is accepted.
pub fn ask(
    world: &mut World,
    asking: &Asking,
    endpoint: &Endpoint,
    ring: &mut KeyRing,
    (token, hint): (&Secret, &'static str),
    signed: bool,
) -> Result<Map<String, Value>, Error> {
    let params = vec![("token", token.clone()), ("token_type_hint", Secret::unlisted(hint))];
    let target = Target { name: "introspection", endpoint, client: &asking.client, bearer: Some(token) };
    let mut request = target.request(params)?;
    if signed {
        request.headers.retain(|(name, _)| name != "accept");
        request = request.header("accept", SIGNED);
    }
    let response = send(world, &request)?;
    if !endpoint.ok_status.contains(&response.status) {
        let error = super::answered(&response, "the provider does not tell the state of the token");
        return Err(match response.status {
            // RFC 7662, section 2.3: the server does not accept the client
            401 => Error { kind: Kind::Usage, ..error }.hint(check_client(&asking.profile, &asking.client)),
            _ => error,
        });
    }
    let kind = response.content_type();
    let members = if kind.starts_with(SIGNED) {
        members_of(world, asking, ring, &response.body)?
    } else if signed {
        return Err(unsafe_answer(&"it is not signed, though a signed one was asked for"));
    } else {
        jose::object(&response.body, "answer").map_err(|e| unsafe_answer(&e))?
    };
    // section 2.2: the only required member
    match members.get("active") {
        Some(Value::Bool(_)) => Ok(members),
        _ => Err(unsafe_answer(&"it does not say whether the token is `active`")),
    }
}

/// The members of a signed response.
fn members_of(
    world: &mut World,
    asking: &Asking,
    ring: &mut KeyRing,
    body: &[u8],
) -> Result<Map<String, Value>, Error> {
    let text = std::str::from_utf8(body).map_err(|_| unsafe_answer(&"it is not text"))?.trim();
    let trust = Trust {
        algorithms: &asking.provider.identity.introspection_algorithms,
        typ: Some("token-introspection+jwt"),
        secret: asking.client.secret.as_ref(),
    };
    let (_, claims) = ring.verify(world, text, &trust).map_err(|e| match e {
        Unverified::Wrong(e) => unsafe_answer(&e),
        Unverified::NoKeys(e) => e,
    })?;
    // RFC 9701, section 5: the issuer and the audience
    if claims.get("iss").and_then(Value::as_str) != asking.provider.issuer.as_deref() {
        return Err(unsafe_answer(&"its `iss` is not the provider"));
    }
    if !audiences(&claims).map_err(|e| unsafe_answer(&e))?.contains(&asking.client.id.as_str()) {
        return Err(unsafe_answer(&"its `aud` is not this client"));
    }
    if !claims.contains_key("iat") {
        return Err(unsafe_answer(&Fault::Missing("iat")));
    }
    times_if_any(&claims, world.clock.now()).map_err(|e| unsafe_answer(&e))?;
    match claims.get("token_introspection") {
        Some(Value::Object(members)) => Ok(members.clone()),
        _ => Err(unsafe_answer(&"it has no `token_introspection`")),
    }
}

fn unsafe_answer(why: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Unsafe, "the provider's response about the token can't be trusted")
        .because(format!("its answer: {why}"))
}
