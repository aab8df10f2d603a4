//! `helper google` and `helper aws`: what Google's libraries and the AWS SDKs get for an ID token.
//! `tests/real/helpers.py` runs the libraries themselves.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::helper::{signed_in, with_id_token};
use crate::world::{Output, Person, START, answer};

const KIND: &str = "urn:ietf:params:oauth:token-type:";

#[test]
fn google_gets_one_object_and_nothing_else() {
    let google = |me: &mut Person, kind: &str, words: &str| {
        me.set("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", &format!("{KIND}{kind}"));
        me.types(&format!("helper google {words}"))
    };
    let (mut me, server) = signed_in("helper-hosts = [\"iam.googleapis.com\"]");
    let id_token = with_id_token(&me);
    const POOL: &str = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";
    me.set("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", POOL).set("GOOGLE_EXTERNAL_ACCOUNT_REVOKE", "0");
    me.set("GITHUB_ACTIONS", "true");
    for (kind, words, token, expires_at) in [
        ("id_token", "", &*id_token, START + 300),
        ("id_token", "--profile work --id-token -v", &id_token, START + 300),
        ("jwt", "", &id_token, START + 300),
        ("jwt", "--access-token", "access-1", START + 600),
    ] {
        let said = json!({
            "version": 1, "success": true, "token_type": format!("{KIND}{kind}"), "id_token": token,
            "expiration_time": expires_at,
        });
        google(&mut me, kind, words).is(0, &format!("{said}\n"), "");
    }
    let refused = |done: &Output, code: u8, says: &str| {
        let said: Value = serde_json::from_str(&done.out).unwrap();
        let message = said["message"].as_str().unwrap();
        assert_eq!((done.code, &*done.err, &said["success"]), (code, "", &json!(false)), "{}", done.out);
        assert!(said["code"].is_string() && message.contains(says), "{}", done.out);
    };
    refused(&google(&mut me, "id_token", "--access-token"), 2, "an access token is no `id_token`");
    refused(&google(&mut me, "saml2", ""), 2, "saml2` is no kind of token that a login has");
    refused(&google(&mut me, "jwt", "--profile other"), 2, "no profile and no provider called `other`");
    for (audience, says) in [
        ("//iam.googleapis.com.evil.example/p", "no profile is for https://iam.googleapis.com.evil.example"),
        ("//evil.example\\@iam.googleapis.com/", "it is no host"),
        ("identitynamespace:iam.googleapis.com", "no token is given"),
    ] {
        me.set("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", audience);
        refused(&google(&mut me, "id_token", ""), 1, says);
    }
    me.set("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", POOL).set("GOOGLE_EXTERNAL_ACCOUNT_REVOKE", "1");
    refused(&google(&mut me, "id_token", ""), 2, "oauthctl logout");
    me.set("GOOGLE_EXTERNAL_ACCOUNT_REVOKE", "0");
    assert_eq!(google(&mut me, "id_token", "").code, 0, "the login should be there");
    me.tamper("work", |record| record["token"]["id_token"] = Value::Null);
    refused(&google(&mut me, "id_token", ""), 2, "no ID token");
    me.unset("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE");
    refused(&google(&mut me, "id_token", ""), 2, "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE");
    assert_eq!(server.asked(), 1);
}

const KEYS: &str = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">
  <AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>se/cret+0123</SecretAccessKey>
    <SessionToken>session-token-0123</SessionToken><Expiration>2026-11-21T23:00:00Z</Expiration>
  </Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>";

#[test]
fn aws_gets_the_keys_of_a_role() {
    let (mut me, server) = signed_in("helper-hosts = [\"sts.eu-central-1.amazonaws.com\"]");
    let id_token = with_id_token(&me);
    let (seen, says) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new((200, KEYS.to_owned()))));
    let (log, said) = (seen.clone(), says.clone());
    let sts = me.odd("sts", move |request| {
        log.lock().unwrap().push((request.path.clone(), String::from_utf8(request.body.clone()).unwrap()));
        let (status, text) = said.lock().unwrap().clone();
        answer(status, "text/xml", &text)
    });
    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
    let line = |more: &str| format!("helper aws --role-arn {ROLE} --endpoint-url {} {more}", sts.base);

    // the rule is the profile's
    let done = me.types(&line("--profile work"));
    assert!(done.code == 1 && done.out.is_empty() && done.err.contains("is no service of `work`"), "{}", done.err);
    me.types(&format!("profile set work helper-hosts {}", sts.base));
    for (line, says) in [
        ("--profile work --region eu-central-1", "is no service of `work`: no token is given"),
        ("--region evil.example/", "write it as `eu-central-1`"),
        ("--endpoint-url https://evil.example/", "no profile is for https://evil.example"),
        ("--endpoint-url smtp://evil.example:465", "no profile is for smtp://evil.example:465"),
        ("--region eu-central-1 --endpoint-url https://evil.example/", "exclude each other"),
        ("", "--region"),
    ] {
        let done = me.types(&format!("helper aws --role-arn {ROLE} {line}"));
        assert!(done.code != 0 && done.out.is_empty() && done.err.contains(says), "{line}: {}", done.err);
    }
    assert_eq!(sts.asked(), 0);

    let keys = json!({
        "Version": 1, "AccessKeyId": "ASIA1", "SecretAccessKey": "se/cret+0123", "SessionToken": "session-token-0123",
        "Expiration": "2026-11-21T23:00:00Z",
    });
    let keys = format!("{keys}\n");
    me.types(&line("--id-token")).is(0, &keys, "");
    let form = |name: &str, duration: &str, token: &str| {
        let role = "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader";
        let start = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15";
        ("/".to_owned(), format!("{start}&RoleArn={role}&RoleSessionName={name}{duration}&WebIdentityToken={token}"))
    };
    me.types(&line("--session-name ann --duration 1h --access-token")).is(0, &keys, "");
    me.set("GITHUB_ACTIONS", "true");
    let masked = format!("::add-mask::{id_token}\n::add-mask::se/cret+0123\n::add-mask::session-token-0123\n");
    me.types(&line("")).is(0, &keys, &masked);
    me.unset("GITHUB_ACTIONS");
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(
        seen,
        [
            form("oauthctl", "", &id_token),
            form("ann", "&DurationSeconds=3600", "access-1"),
            form("oauthctl", "", &id_token)
        ]
    );
    let done = me.types(&line("-v"));
    assert!(done.code == 0 && done.err.contains("Action"), "{}", done.err);
    for secret in [&*id_token, "se/cret+0123", "session-token-0123"] {
        assert!(!done.err.contains(secret), "{}", done.err);
    }

    let error = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>why</Message></Error></ErrorResponse>"
        )
    };
    for (status, text, code, why) in [
        (400, error("ExpiredTokenException"), 3, "caused by: it answered `ExpiredTokenException`: why"),
        (503, error("ServiceUnavailable"), 75, "`ServiceUnavailable`"),
        (200, KEYS.replace("SessionToken>", "Other>"), 1, "it answered status 200"),
        (200, String::new(), 1, "it answered status 200"),
        (307, KEYS.to_owned(), 7, "a redirect"),
    ] {
        *says.lock().unwrap() = (status, text);
        let done = me.types(&line(""));
        assert!(
            done.code == code && done.out.is_empty() && done.err.contains(why),
            "{status}: {} {}",
            done.code,
            done.err
        );
    }
    assert_eq!(server.asked(), 1);
}
