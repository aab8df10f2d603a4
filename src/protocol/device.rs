//! The device authorization grant's responses (RFC 8628, sections 3.2 and 3.5), in both spellings
//! that servers use.

use serde_json::Value;

use crate::address::check_url;
use crate::protocol::api_error;
use crate::protocol::token_response::{is_opaque, stated_error, states_refusal, whole_number};
use crate::provider::{Device, ResponseShape};
use crate::secret::Secret;
use crate::text::safe;
use crate::wire::Response;

/// The polling interval if the server names none, in seconds.
pub const USUAL_INTERVAL: u64 = 5;

/// The user's instructions, and how long they are valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    pub device_code: Secret,
    /// Shown to the user; safe to show.
    pub user_code: String,
    pub verification_uri: String,
    /// The same URL with the code in it.
    pub complete_uri: Option<String>,
    /// Seconds.
    pub expires_in: u64,
    pub interval: u64,
}

/// Why a device authorization can't go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    #[error("the server answered {status}{}", .said.as_deref().map(|s| format!(": {}", safe(s))).unwrap_or_default())]
    Refused { status: u16, code: Option<String>, said: Option<String> },
    #[error("the answer has no usable `{0}`")]
    Missing(&'static str),
    #[error("the answer's `{0}` is not an address for a browser: {1}")]
    Address(&'static str, String),
}

impl StartError {
    /// The server's own words, if any.
    pub fn refused(response: &Response, body: &Value) -> StartError {
        let error = api_error::read_value(body).unwrap_or_default();
        StartError::Refused { status: response.status, said: error.text(), code: error.code }
    }
}

/// Reads the response of the device authorization endpoint (RFC 8628, section 3.2).
pub fn read_start(response: &Response, facts: &Device, shape: &ResponseShape) -> Result<Started, StartError> {
    let body = response.json();
    if !facts.endpoint.ok_status.contains(&response.status) || states_refusal(&body, shape) {
        return Err(StartError::refused(response, &body));
    }
    let member = |name: &str| body.get(facts.fields.get(name).map_or(name, String::as_str)).filter(|v| !v.is_null());
    let text = |name: &str| member(name).and_then(Value::as_str).filter(|s| !s.is_empty());
    let number = |name: &str| member(name).and_then(whole_number);
    let device_code =
        text("device_code").filter(|code| is_opaque(code, 4096)).ok_or(StartError::Missing("device_code"))?;
    let user_code = text("user_code").filter(|c| c.chars().count() <= 64).ok_or(StartError::Missing("user_code"))?;
    // Google's spelling, from before the RFC
    let uri =
        text("verification_uri").or_else(|| text("verification_url")).ok_or(StartError::Missing("verification_uri"))?;
    let complete = text("verification_uri_complete").or_else(|| text("verification_url_complete"));
    // the user is asked to open it
    let checked =
        |name, uri: &str| check_url(uri).map(|u| u.to_string()).map_err(|e| StartError::Address(name, e.to_string()));
    Ok(Started {
        device_code: Secret::new(device_code),
        user_code: safe(user_code),
        verification_uri: checked("verification_uri", uri)?,
        complete_uri: complete.map(|uri| checked("verification_uri_complete", uri)).transpose()?,
        expires_in: number("expires_in").unwrap_or(600).min(3600),
        interval: number("interval").unwrap_or(USUAL_INTERVAL).clamp(1, 120),
    })
}

/// The meaning of a token endpoint's response during polling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// A token response.
    Given,
    Pending,
    /// Five seconds more between polls, from now on.
    SlowDown,
    /// The user or the server refused.
    Denied,
    Expired,
    /// Any other error ends the grant.
    Other,
}

/// Judges a poll's response: its `error` decides, whatever the status. `ok_status`: the statuses
/// that mean success.
pub fn judge(response: &Response, ok_status: &[u16], shape: &ResponseShape) -> Poll {
    let ok = ok_status.contains(&response.status);
    let stated = stated_error(response, shape);
    // a success may have its own `code` or `message`
    let code = stated.or_else(|| api_error::read(&response.body).filter(|_| !ok)?.code);
    match code.as_deref() {
        Some("authorization_pending") => Poll::Pending,
        Some("slow_down") => Poll::SlowDown,
        Some("access_denied" | "authorization_declined") => Poll::Denied,
        Some("expired_token" | "code_expired") => Poll::Expired,
        None if ok => Poll::Given,
        _ => Poll::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts() -> Device {
        Device { grant_type: "g".into(), ..Device::default() }
    }

    fn response(status: u16, body: Value) -> Response {
        Response { status, headers: vec![], body: body.to_string().into_bytes().into() }
    }

    // RFC 8628, section 3.2, its own example
    #[test]
    fn reads_the_rfcs_example_and_the_older_spelling() {
        let body = json!({
            "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS", "user_code": "WDJB-MJHT",
            "verification_uri": "https://example.com/device",
            "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT", "expires_in": 1800, "interval": 5
        });
        let started = read_start(&response(200, body), &facts(), &ResponseShape::default()).unwrap();
        assert_eq!((started.user_code.as_str(), started.expires_in, started.interval), ("WDJB-MJHT", 1800, 5));
        assert_eq!(started.complete_uri.as_deref(), Some("https://example.com/device?user_code=WDJB-MJHT"));
        let body = json!({ "device_code": "d", "user_code": "u", "verification_url": "https://example.com/device", "expires_in": "60" });
        let started = read_start(&response(200, body), &facts(), &ResponseShape::default()).unwrap();
        assert_eq!(
            (started.verification_uri.as_str(), started.expires_in, started.interval),
            ("https://example.com/device", 60, 5)
        );
    }

    // D-03
    #[test]
    fn an_address_that_a_browser_must_not_open_is_refused() {
        for uri in ["javascript:alert(1)", "http://example.com/", "vscode://x", "https://user@example.com/", "-x"] {
            let body = json!({ "device_code": "d", "user_code": "u", "verification_uri": uri });
            assert!(read_start(&response(200, body), &facts(), &ResponseShape::default()).is_err(), "{uri}");
        }
        let body =
            json!({ "device_code": "d", "user_code": "a\u{1b}[2Jb", "verification_uri": "https://example.com/" });
        assert_eq!(read_start(&response(200, body), &facts(), &ResponseShape::default()).unwrap().user_code, "a [2Jb");
    }

    // T-08; section 3.5: the error decides
    #[test]
    fn polling_errors_are_told_apart_whatever_the_status() {
        for status in [200, 400, 401, 429] {
            for (error, want) in [
                ("authorization_pending", Poll::Pending),
                ("slow_down", Poll::SlowDown),
                ("access_denied", Poll::Denied),
                ("expired_token", Poll::Expired),
                ("invalid_grant", Poll::Other),
            ] {
                assert_eq!(
                    judge(&response(status, json!({ "error": error })), &[200], &ResponseShape::default()),
                    want,
                    "{status} {error}"
                );
                let as_form = Response {
                    status,
                    headers: vec![],
                    body: format!("error={error}&error_description=x").into_bytes().into(),
                };
                assert_eq!(judge(&as_form, &[200], &ResponseShape::default()), want, "{status} {error}");
            }
        }
        assert_eq!(judge(&response(500, json!(null)), &[200], &ResponseShape::default()), Poll::Other);
        let given = json!({ "access_token": "x", "code": "authorization_pending", "message": "slow_down" });
        assert_eq!(judge(&response(200, given.clone()), &[200], &ResponseShape::default()), Poll::Given);
        assert_eq!(
            judge(&response(200, json!({ "access_token": "x", "error": null })), &[200], &ResponseShape::default()),
            Poll::Given
        );
        assert_eq!(
            judge(&response(201, json!({ "access_token": "x" })), &[200], &ResponseShape::default()),
            Poll::Other
        );
    }
}
