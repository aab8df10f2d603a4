//! The authorization request pushed from client to server, so that the browser carries only a
//! reference to it (RFC 9126).

use serde_json::Value;

use crate::protocol::token_response::{AnswerError, is_opaque, refusal, states_refusal, whole_number};
use crate::provider::{Endpoint, Provider, ResponseShape};
use crate::secret::Secret;
use crate::wire::Response;

/// The browser's reference to the request. Valid once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    pub request_uri: Secret,
    /// Seconds.
    pub expires_in: Option<u64>,
}

/// The endpoint, with the token endpoint's client authentication (section 2).
pub fn endpoint(provider: &Provider) -> Option<Endpoint> {
    let url = provider.par_url.as_deref()?;
    Some(Endpoint { ok_status: vec![201, 200], ..provider.token.beside(url) })
}

/// Reads the response (sections 2.2 and 2.3).
pub fn read(response: &Response, ok_status: &[u16], shape: &ResponseShape) -> Result<Pushed, AnswerError> {
    let body = response.json();
    if (300..400).contains(&response.status) {
        return Err(AnswerError::Redirect(response.status));
    }
    if !ok_status.contains(&response.status) || states_refusal(&body, shape) {
        return Err(refusal(response, shape, Some(&body)));
    }
    let request_uri = body.get("request_uri").and_then(Value::as_str).filter(|uri| is_opaque(uri, 4096));
    let request_uri = request_uri.ok_or_else(|| AnswerError::Missing("request_uri".to_owned()))?;
    Ok(Pushed { request_uri: Secret::new(request_uri), expires_in: body.get("expires_in").and_then(whole_number) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn response(status: u16, body: &Value) -> Response {
        Response { status, headers: vec![], body: body.to_string().into_bytes().into() }
    }

    // RFC 9126, section 2.2, its example
    #[test]
    fn reads_the_rfcs_example_and_its_refusals() {
        let uri = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c";
        let pushed = read(
            &response(201, &json!({ "request_uri": uri, "expires_in": 60 })),
            &[201, 200],
            &ResponseShape::default(),
        )
        .unwrap();
        assert_eq!((pushed.request_uri.expose(), pushed.expires_in), (uri, Some(60)));
        let refused = json!({ "error": "invalid_request", "error_description": "The redirect_uri is not valid" });
        assert!(
            matches!(read(&response(400, &refused), &[201], &ResponseShape::default()), Err(AnswerError::OAuth { error, .. }) if error == "invalid_request")
        );
        assert!(
            matches!(read(&response(401, &json!({})), &[201], &ResponseShape::default()), Err(AnswerError::OAuth { error, .. }) if error == "invalid_client")
        );
        assert!(matches!(
            read(&response(413, &json!({})), &[201], &ResponseShape::default()),
            Err(AnswerError::Status(413))
        ));
        assert!(matches!(
            read(&response(503, &json!(null)), &[201], &ResponseShape::default()),
            Err(AnswerError::Unavailable { status: 503, .. })
        ));
        for bad in [json!({}), json!({ "request_uri": "a b" }), json!({ "request_uri": 7 }), json!([])] {
            assert!(
                matches!(read(&response(201, &bad), &[201], &ResponseShape::default()), Err(AnswerError::Missing(_))),
                "{bad}"
            );
        }
    }
}
