//! A sign-in on the user's own device, started from here (OpenID Connect Client-Initiated
//! Backchannel Authentication 1.0, poll mode): the request and the server's response (sections 7.1
//! and 7.3).

use serde_json::Value;

use crate::protocol::device::{StartError, USUAL_INTERVAL};
use crate::protocol::token_request::Param;
use crate::protocol::token_response::{is_opaque, states_refusal, whole_number};
use crate::provider::ResponseShape;
use crate::secret::Secret;
use crate::wire::Response;

/// The user to ask: exactly one of these hints (section 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    Login(String),
    IdToken(Secret),
    LoginToken(Secret),
}

/// Optional parameters of a CIBA request (section 7.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct More {
    pub binding_message: Option<String>,
    /// Seconds.
    pub requested_expiry: Option<u64>,
    pub acr_values: Option<String>,
}

/// The parameters of a CIBA request beside its scopes (section 7.1).
pub fn request<'a>(hint: &Hint, more: &More) -> Vec<Param<'a>> {
    let mut params = vec![match hint {
        // a hint is personal data: it is never shown
        Hint::Login(hint) => ("login_hint", Secret::unlisted(hint.as_str())),
        Hint::IdToken(token) => ("id_token_hint", token.clone()),
        Hint::LoginToken(token) => ("login_hint_token", token.clone()),
    }];
    let texts = [("binding_message", &more.binding_message), ("acr_values", &more.acr_values)];
    for (name, value) in texts {
        params.extend(value.as_ref().map(|v| (name, Secret::unlisted(v.as_str()))));
    }
    params.extend(more.requested_expiry.map(|s| ("requested_expiry", Secret::unlisted(s.to_string()))));
    params
}

/// The response to a CIBA request (section 7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    pub auth_req_id: Secret,
    /// Seconds.
    pub expires_in: u64,
    pub interval: u64,
}

/// Reads the response (section 7.3).
pub fn read_start(response: &Response, ok_status: &[u16], shape: &ResponseShape) -> Result<Started, StartError> {
    let body = response.json();
    if !ok_status.contains(&response.status) || states_refusal(&body, shape) {
        return Err(StartError::refused(response, &body));
    }
    let number = |name: &str| body.get(name).and_then(whole_number);
    let auth_req_id = body.get("auth_req_id").and_then(Value::as_str).filter(|id| is_opaque(id, 4096));
    let auth_req_id = auth_req_id.ok_or(StartError::Missing("auth_req_id"))?;
    Ok(Started {
        auth_req_id: Secret::new(auth_req_id),
        expires_in: number("expires_in").ok_or(StartError::Missing("expires_in"))?.min(3600),
        interval: number("interval").unwrap_or(USUAL_INTERVAL).clamp(1, 120),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn response(status: u16, body: &Value) -> Response {
        Response { status, headers: vec![], body: body.to_string().into_bytes().into() }
    }

    // section 7.3, its own example, and without `interval`
    #[test]
    fn reads_the_specifications_example() {
        let body = json!({ "auth_req_id": "1c266114-a1be-4252-8ad1-04986c5b9ac1", "expires_in": 120, "interval": 2 });
        let started = read_start(&response(200, &body), &[200], &ResponseShape::default()).unwrap();
        assert_eq!((started.expires_in, started.interval), (120, 2));
        let body = json!({ "auth_req_id": "1c266114", "expires_in": "3000000" });
        let started = read_start(&response(200, &body), &[200], &ResponseShape::default()).unwrap();
        assert_eq!((started.expires_in, started.interval), (3600, 5));
        for bad in
            [json!({}), json!({ "auth_req_id": "a b", "expires_in": 1 }), json!({ "auth_req_id": "a" }), json!(7)]
        {
            assert!(
                matches!(
                    read_start(&response(200, &bad), &[200], &ResponseShape::default()),
                    Err(StartError::Missing(_))
                ),
                "{bad}"
            );
        }
        let refused = json!({ "error": "unknown_user_id" });
        let Err(StartError::Refused { code, .. }) =
            read_start(&response(400, &refused), &[200], &ResponseShape::default())
        else {
            panic!()
        };
        assert_eq!(code.as_deref(), Some("unknown_user_id"));
    }

    #[test]
    fn one_hint_goes_along_and_what_binds_both_screens() {
        let more = More { binding_message: Some("W4SCT".into()), requested_expiry: Some(60), acr_values: None };
        let params = request(&Hint::Login("alice".into()), &more);
        let names: Vec<&str> = params.iter().map(|p| p.0).collect();
        assert_eq!(names, ["login_hint", "binding_message", "requested_expiry"]);
    }
}
