//! Token answers as servers have been seen to give them, good and bad, as tables.

use super::*;
use crate::provider::Provider;

fn shape() -> ResponseShape {
    Provider::bare("as").response
}

fn response(status: u16, kind: &str, body: &[u8]) -> Response {
    Response { status, headers: vec![("content-type".into(), kind.into())], body: body.to_vec().into() }
}

fn read(
    response: &Response,
    ok_status: &[u16],
    shape: &ResponseShape,
    separator: &str,
    now: i64,
) -> Result<Answer, AnswerError> {
    Reader { wanted: TokenType::Bearer, ok_status, shape, separator, now }.read(response)
}

fn answered(kind: &str, body: &str) -> Result<TokenSet, AnswerError> {
    read(&response(200, kind, body.as_bytes()), &[200], &shape(), " ", 1000).map(|a| a.set)
}

fn ok(body: &str) -> Result<TokenSet, AnswerError> {
    answered("application/json", body)
}

fn with(member: &str) -> Result<TokenSet, AnswerError> {
    ok(&format!(
        r#"{{"access_token":"access-1","token_type":"Bearer"{}{member}}}"#,
        if member.is_empty() { "" } else { "," }
    ))
}

#[test]
fn reads_the_answers_of_the_seeds() {
    let set = ok(
        r#"{"access_token":"03807c","expires_in":3600,"token_type":"Bearer","scope":null,"refresh_token":"170d9f"}"#,
    )
    .unwrap();
    assert_eq!(set.expires_at, Some(4600));
    assert_eq!(set.refresh_token.unwrap().expose(), "170d9f");
    assert_eq!(set.scopes, None);
    // no expiry, `user_id` stored
    let set = ok(r#"{"access_token":"a-b-c-d","token_type":"bearer","user_id":"42"}"#).unwrap();
    assert_eq!((set.expires_at, &set.extra["user_id"]), (None, &Value::from("42")));
}

#[test]
fn odd_lifetimes_do_not_lose_the_answer() {
    for (id, member, want) in [
        ("T-30", r#""expires_in":0"#, Some(1000)),
        ("T-30", r#""expires_in":-5"#, Some(1000)),
        ("T-31", r#""expires_in":"3600""#, Some(4600)),
        ("T-31", r#""expires_in":3600.0"#, Some(4600)),
        ("T-31", r#""expires_in":3.6e3"#, Some(4600)),
        ("T-31", r#""expires_in":" 3600 ""#, Some(4600)),
        ("T-32", r#""expires_in":1e300"#, None),
        ("T-32", r#""expires_in":18446744073709551616"#, None),
        ("T-32", r#""expires_in":true"#, None),
        ("T-32", r#""expires_in":{}"#, None),
        ("T-32", r#""expires_in":"soon""#, None),
        ("T-33", r#""expires_in":null"#, None),
        ("T-33", "", None),
        ("T-34", r#""expires_in":315360000"#, Some(315_361_000)),
        ("T-34", r#""expires_in":1"#, Some(1001)),
    ] {
        assert_eq!(with(member).unwrap().expires_at, want, "{id} {member}");
    }
}

#[test]
fn scopes_come_as_text_list_or_not_at_all() {
    let list = |names: &[&str]| Some(names.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
    for (member, want) in [
        (r#""scope":null"#, None),
        (r#""scope":[]"#, None),
        (r#""scope":"""#, None),
        (r#""scope":["a","b"]"#, list(&["a", "b"])),
        (r#""scope":"a  b""#, list(&["a", "b"])),
    ] {
        assert_eq!(with(member).unwrap().scopes, want, "T-40 {member}");
    }
}

#[test]
fn refuses_what_cannot_be_used() {
    let bearer = |token: &str| format!(r#"{{"access_token":{token},"token_type":"Bearer"}}"#);
    let kind = |kind: &str| format!(r#"{{"access_token":"a-token","token_type":{kind}}}"#);
    for (id, body) in [
        ("T-36", r#"{"access_token":"a-token"}"#.to_owned()),
        ("T-36", kind("null")),
        ("T-36", kind(r#""""#)),
        ("T-36", kind("42")),
        ("T-37", kind(r#""DPoP""#)),
        ("T-37", kind(r#""mac""#)),
        ("T-38", kind(r#""Bearer ""#)),
        ("T-39", r#"{"token_type":"Bearer"}"#.to_owned()),
        ("T-39", bearer("null")),
        ("T-39", bearer(r#""""#)),
        ("T-39", bearer("7")),
        ("T-39", bearer("{}")),
        ("T-39", bearer(&format!("\"{}\"", "x".repeat(10 << 20)))),
        ("T-42", bearer(r#""a\nb""#)),
        ("T-42", bearer(r#""a\u0000b""#)),
        ("T-42", bearer(r#""a\u001bb""#)),
        ("T-42", bearer(r#""a b""#)),
        ("T-42", bearer(r#""ü""#)),
        ("T-42", bearer(r#""a\u200bb""#)),
        ("T-44", r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r\r"}"#.to_owned()),
        ("T-35", r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#.to_owned()),
        ("T-35", r#"{"access_token":"a","token_type":"Bearer","refresh_token":"x","refresh_token":"y"}"#.to_owned()),
        ("T-79", r#"{"Access_Token":"a","token_type":"Bearer"}"#.to_owned()),
        ("T-09", String::new()),
        ("T-09", "null".into()),
        ("T-09", "[]".into()),
        ("T-09", "\"x\"".into()),
        ("T-09", "{}".into()),
        ("T-09", "\u{feff}{}".into()),
        ("T-09", format!("{}x", bearer("\"a\""))),
        ("T-09", "[".repeat(100_000)),
        ("T-09", format!(r#"{{"a":{}"#, "[".repeat(100_000))),
        ("T-09", r#"{"access_token":NaN}"#.into()),
    ] {
        assert!(ok(&body).is_err(), "{id} {body:.80}");
    }
}

#[test]
fn accepts_what_is_merely_unusual() {
    assert!(ok(r#"{"access_token":"a","access_token":"a","token_type":"BEARER"}"#).is_ok(), "T-35, T-38");
    // T-43
    assert_eq!(ok(r#"{"access_token":"-'$(`","token_type":"bearer"}"#).unwrap().access_token.expose(), "-'$(`");
    // T-07: JSON under a wrong content type; fifty unknown members
    let many = (0..50).map(|i| format!("\"m{i}\":{i}")).collect::<Vec<_>>().join(",");
    assert!(with(&many).is_ok());
    let body = br#"{"access_token":"a","token_type":"Bearer"}"#;
    assert!(read(&response(200, "text/plain", body), &[200], &shape(), " ", 0).is_ok());
    let form = b"access_token=a&token_type=bearer&expires_in=3600";
    let set = read(&response(200, "application/x-www-form-urlencoded", form), &[200], &shape(), " ", 0).unwrap().set;
    assert_eq!(set.expires_at, Some(3600));
}

#[test]
fn errors_are_read_in_every_shape() {
    let read = |status, body: &str| {
        read(&response(status, "application/json", body.as_bytes()), &[200], &shape(), " ", 0).unwrap_err()
    };
    let oauth = |status, error: &str, description: Option<&str>| AnswerError::OAuth {
        status,
        error: error.into(),
        description: description.map(str::to_owned),
    };
    assert_eq!(
        read(400, r#"{"error":"invalid_grant","error_description":"gone"}"#),
        oauth(400, "invalid_grant", Some("gone"))
    );
    // T-08
    assert_eq!(read(200, r#"{"error":"invalid_grant"}"#), oauth(200, "invalid_grant", None));
    // GetResponse's envelope at the token endpoint
    assert_eq!(
        read(401, r#"{"httpStatus":401,"code":1014,"message":"Unable"}"#),
        oauth(401, "invalid_client", Some("Unable"))
    );
    assert_eq!(read(400, r#"{"error":{"code":190,"message":"no"}}"#), oauth(400, "190", Some("no")));
    assert_eq!(read(400, r#"[{"error_key":"k","error_message":"m"}]"#), oauth(400, "k", Some("m")));
    // T-51
    assert_eq!(read(400, r#"{"error":7}"#), oauth(400, "7", None));
    assert_eq!(read(401, ""), oauth(401, "invalid_client", None));
    // T-10, T-20, T-55
    let set = r#"{"access_token":"a-token","token_type":"bearer"}"#;
    for (status, body) in [(201, set), (202, "<html>x"), (204, ""), (206, set)] {
        assert_eq!(read(status, body), AnswerError::NotOk(status));
    }
    assert_eq!(read(307, ""), AnswerError::Redirect(307));
    assert_eq!(read(503, "busy"), AnswerError::Unavailable { status: 503, retry_after: None });
    assert_eq!(read(429, r#"{"error":"slow_down"}"#), AnswerError::Unavailable { status: 429, retry_after: None });
    assert_eq!(read(404, "<html>x"), AnswerError::Html(404));
    assert_eq!(answered("text/html", "<!doctype html>"), Err(AnswerError::Html(200)));
}

// the token itself holds expiry and scopes
#[test]
fn expiry_and_scopes_are_read_from_the_token_where_the_answer_leaves_them_out() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let token =
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"exp":87400,"scp":["contact_data","offline_access"]}"#));
    let shape = ResponseShape { claims_from_jwt: true, ..shape() };
    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#);
    let set = read(&response(200, "application/json", body.as_bytes()), &[200], &shape, " ", 1000).unwrap().set;
    assert_eq!(set.expires_at, Some(87400));
    assert_eq!(set.scopes, Some(vec!["contact_data".into(), "offline_access".into()]));
    // what the answer says itself is stronger
    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":60,"scope":"x"}}"#);
    let set = read(&response(200, "application/json", body.as_bytes()), &[200], &shape, " ", 1000).unwrap().set;
    assert_eq!((set.expires_at, set.scopes), (Some(1060), Some(vec!["x".into()])));
}

#[test]
fn times_are_read_from_rfc_3339() {
    for (text, want) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2026-11-21T22:00:00Z", Some(1_795_298_400)),
        ("2026-11-21T23:00:00.5+01:00", Some(1_795_298_400)),
        ("2000-02-29 12:00:00Z", Some(951_825_600)),
        ("soon", None),
        ("2026-13-01T00:00:00Z", None),
        // found by fuzzing: no number is taken that a clock doesn't show
        ("1013-11-21T10:00:00+4444444444444444:00", None),
        ("9223372036854775807-01-01T00:00:00Z", None),
        ("2026-01-01T9223372036854775807:00:00Z", None),
        ("2026-01-01T-5:00:00Z", None),
        ("2026-01-01T00:00:00+00:9223372036854775807", None),
    ] {
        assert_eq!(rfc3339(text), want, "{text}");
    }
}

// T-53
#[test]
fn an_id_token_that_is_none_is_not_kept_and_the_rest_is() {
    let long = "x".repeat(jose::LONGEST + 1);
    for bad in [long.as_str(), "with a blank", "with\\u001b[31m colour", "ümlaut"] {
        let body = format!(r#"{{"access_token":"access-1","token_type":"Bearer","id_token":"{bad}"}}"#);
        let got = read(&response(200, "application/json", body.as_bytes()), &[200], &shape(), " ", 1000).unwrap();
        assert_eq!((got.set.access_token.expose(), &got.set.id_token), ("access-1", &None), "{bad:.20}");
        assert!(got.warnings[0].contains("`id_token`"), "{:?}", got.warnings);
    }
    assert_eq!(with(r#""id_token":"a.b.c""#).unwrap().id_token.unwrap().expose(), "a.b.c");
    assert_eq!(with(r#""id_token":"""#).unwrap().id_token, None);
}

// T-35, T-53: as many as a megabyte has room for, each looked at once
#[test]
fn an_answer_of_a_hundred_thousand_members_is_read_and_its_clash_found() {
    let many: String = (0..90_000).map(|n| format!("\"{n:x}\":1,")).collect();
    assert!(with(&many[..many.len() - 1]).is_ok());
    let clash = format!(r#"{many}"0":2"#);
    assert_eq!(with(&clash), Err(AnswerError::Duplicate("0".into())));
}
