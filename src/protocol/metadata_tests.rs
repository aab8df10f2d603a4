//! What a document must hold to be believed, and what it may fill.

use super::*;
use serde_json::json;

fn document(extra: Value) -> Vec<u8> {
    let mut document = json!({
        "issuer": "https://as.example/tenant",
        "authorization_endpoint": "https://as.example/tenant/authorize",
        "token_endpoint": "https://as.example/tenant/token",
    });
    for (name, value) in extra.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.to_string().into_bytes()
}

// RFC 8414, section 3.1
#[test]
fn the_document_may_lie_in_three_places() {
    assert_eq!(
        places("https://as.example/tenant"),
        [
            "https://as.example/tenant/.well-known/openid-configuration",
            "https://as.example/.well-known/oauth-authorization-server/tenant",
            "https://as.example/tenant/.well-known/oauth-authorization-server",
        ]
    );
    assert_eq!(
        places("https://as.example/"),
        [
            "https://as.example/.well-known/openid-configuration",
            "https://as.example/.well-known/oauth-authorization-server"
        ]
    );
}

// D-01
#[test]
fn only_the_issuer_that_was_asked_for_is_believed() {
    assert!(read(&document(json!({})), "https://as.example/tenant").is_ok());
    for other in
        ["https://as.example/tenant/", "https://AS.example/tenant", "https://as.example", "https://evil.example"]
    {
        assert!(matches!(read(&document(json!({})), other), Err(MetadataError::Issuer { .. })), "{other}");
    }
}

// D-02, D-03, D-06
#[test]
fn an_endpoint_must_be_an_address_that_a_secret_may_go_to() {
    for bad in [
        json!("http://as.example/token"),
        json!("javascript:alert(1)"),
        json!("file:///etc/passwd"),
        json!("vscode://x"),
        json!("-flag"),
        json!("https://user@as.example/token"),
        json!("https://as.example/token#x"),
        json!("https:///token"),
        json!(" https://as.example/token"),
        json!("https://as.example/to\nken"),
        json!(7),
        json!({}),
    ] {
        assert!(read(&document(json!({ "token_endpoint": bad })), "https://as.example/tenant").is_err(), "{bad}");
    }
    for body in ["", "[]", "null", "{", &"[".repeat(100_000)] {
        assert_eq!(read(body.as_bytes(), "https://as.example"), Err(MetadataError::NotJson));
    }
}

#[test]
fn explicit_values_win_over_the_document() {
    let metadata = read(
        &document(json!({
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
            "device_authorization_endpoint": "https://as.example/device",
            "authorization_response_iss_parameter_supported": true,
        })),
        "https://as.example/tenant",
    )
    .unwrap();
    let mut provider = Provider::of_issuer("https://as.example/tenant");
    provider.authorize.url = Some("https://mine.example/authorize".into());
    metadata.fill(&mut provider);
    assert_eq!(provider.authorize.url.as_deref(), Some("https://mine.example/authorize"));
    assert_eq!(provider.token.url.as_deref(), Some("https://as.example/tenant/token"));
    assert_eq!(provider.refresh.endpoint.url, provider.token.url);
    assert_eq!(provider.token.auth, [ClientAuth::PrivateKeyJwt, ClientAuth::Post, ClientAuth::None]);
    assert_eq!(provider.device.unwrap().endpoint.url.as_deref(), Some("https://as.example/device"));
    assert!(metadata.sends_iss());
}

#[test]
fn a_token_endpoint_elsewhere_is_noticed_and_lives_are_bounded() {
    let there = |url: &str| {
        read(&document(json!({ "token_endpoint": url })), "https://as.example/tenant").unwrap().foreign_token_endpoint()
    };
    assert_eq!(there("https://tokens.as.example/x"), None);
    assert_eq!(there("https://evil.test/x"), Some("evil.test".into()));
    let site = |url: &str| site(url::Url::parse(url).unwrap().host_str().unwrap());
    assert_eq!(site("https://as.one.co.uk/"), site("https://one.co.uk./"));
    assert_ne!(site("https://one.co.uk/"), site("https://two.co.uk/"));
    assert_ne!(site("https://10.0.0.1/"), site("https://192.168.0.1/"));
    assert_eq!(
        [life(None), life(Some("no-cache, max-age=600")), life(Some("max-age=0")), life(Some("max-age=99999999"))],
        [86_400, 600, 60, 604_800]
    );
}

// Microsoft's `common`
#[test]
fn a_document_for_many_tenants_is_believed_for_each_of_them() {
    let read = |found: &str, asked: &str| read(&document(json!({ "issuer": found })), asked).is_ok();
    for (found, asked, good) in [
        ("https://as.example/{tenantid}/v2.0", "https://as.example/common/v2.0", true),
        ("https://as.example/{tenantid}", "https://as.example/organizations", true),
        ("https://as.example/x/{tenantid}/y", "https://as.example/x/a-b/y", true),
        ("https://as.example/{tenantid}/v2.0", "https://as.example/a/b/v2.0", false),
        ("https://as.example/{tenantid}/v2.0", "https://evil.example/common/v2.0", false),
        ("https://{tenantid}/v2.0", "https://evil.example/v2.0", false),
        ("https://as.example{tenantid}/v2.0", "https://as.example.evil.example/v2.0", false),
        ("https://as.example/{tenantid}", "https://as.example/", false),
    ] {
        assert_eq!(read(found, asked), good, "{found} {asked}");
    }
}
