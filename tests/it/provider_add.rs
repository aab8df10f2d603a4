//! `provider add` and `provider diff`: files of one's own, made and compared.

use serde_json::json;

use crate::world::{Person, answer, robot};

fn written(me: &Person, name: &str) -> String {
    std::fs::read_to_string(me.path(&format!("config/oauthctl/providers/{name}.toml"))).unwrap_or_default()
}

#[test]
fn a_provider_is_written_from_endpoints_and_can_be_logged_in_to() {
    let mut me = Person::new();
    let server = me.odd("acme", |_| {
        answer(200, "application/json", r#"{"access_token":"issued-1","token_type":"Bearer","expires_in":600}"#)
    });
    let base = &server.base;
    let done = me.types(&format!(
        "provider add acme --authorize-url {base}/authorize --token-url {base}/token --revoke-url {base}/revoke --device-url {base}/device --api-url {base}/api --scope read --scope write"
    ));
    assert_eq!((done.code, &*done.out), (0, ""), "{}", done.err);
    assert!(done.err.contains("Next: oauthctl login acme"), "{}", done.err);
    let file = written(&me, "acme");
    for line in ["id = \"acme\"\n", "[token]\n", "[device]\n", "default = [\"read\", \"write\"]\n"] {
        assert!(file.contains(line), "{line}: {file}");
    }
    let done = me
        .browser(|url| {
            assert!(url.contains("scope=read%20write"), "{url}");
            let part = |name: &str| {
                let value = url.split(&format!("{name}=")).nth(1).unwrap().split('&').next().unwrap().to_owned();
                value.replace("%3A", ":").replace("%2F", "/")
            };
            vec![robot::go(&format!("{}?code=c&state={}", part("redirect_uri"), part("state")))]
        })
        .types("login acme --client-id app");
    assert_eq!(done.code, 0, "{}", done.err);
    me.types("token acme").is(0, "issued-1\n", "");
}

#[test]
fn nothing_is_written_over_and_nothing_wrong_is_written() {
    let mut me = Person::new();
    me.config("providers/mine.toml", "id = \"mine\"\ntoken.url = \"https://mine.example/token\"\n# by hand\n");
    let before = written(&me, "mine");
    for (line, says) in [
        ("provider add mine --issuer https://a.example", "is there already"),
        ("provider add google --issuer https://a.example", "`google` is a built-in provider"),
        ("provider add cc --issuer https://a.example", "`cc` is a built-in provider"),
        ("provider add Acme --issuer https://a.example", "can't be a provider's name"),
        ("provider add ../acme --issuer https://a.example", "can't be a provider's name"),
        ("provider add acme", "token.url"),
        ("provider add acme --issuer http://a.example", "issuer"),
        ("provider add acme --token-url https://a.example/t#x", "in the new file (`url = \"https://a.example/t#x\"`)"),
        ("provider add acme --extends nobody", "nobody"),
        ("provider add acme --openapi /nonexistent", "the document can't be read"),
    ] {
        let done = me.types(line);
        assert!(done.code == 2 && done.err.contains(says), "{line}: {}", done.err);
    }
    assert_eq!(written(&me, "mine"), before);
    assert_eq!(written(&me, "acme"), "");
    let done = me.types("provider add acme --extends keycloak --api-url https://acme.example/api");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(me.types("provider show acme").out.contains("base-url = \"https://acme.example/api\""));
    assert_eq!(me.types("provider add issuer --issuer https://login.example").code, 0);
    assert_eq!(written(&me, "issuer"), "id = \"issuer\"\nissuer = \"https://login.example\"\n");
}

#[test]
fn an_openapi_document_tells_the_endpoints() {
    let mut me = Person::new();
    let flow = json!({ "authorizationUrl": "https://a.example/auth", "tokenUrl": "https://a.example/token",
        "scopes": { "read:it": "reads", "write:it": "writes" } });
    let of = |schemes: serde_json::Value| {
        json!({ "openapi": "3.1.0", "servers": [{ "url": "/v1" }, { "url": "https://api.a.example/v1" }],
            "components": { "securitySchemes": schemes }, "paths": {} })
        .to_string()
    };
    let by_person =
        json!({ "key": { "type": "apiKey" }, "o": { "type": "oauth2", "flows": { "authorizationCode": flow } } });
    let line = |name: &str| format!("provider add {name} --openapi -");
    let done = me.stdin(&of(by_person)).types(&line("one"));
    assert_eq!(done.code, 0, "{}", done.err);
    let shown = me.types("provider show one").out;
    for text in [
        "authorize.url = \"https://a.example/auth\"",
        "token.url = \"https://a.example/token\"",
        "scopes.known = [\"read:it\", \"write:it\"]",
        "api.base-url = \"https://api.a.example/v1\"",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let alone = json!({ "o": { "type": "oauth2", "flows": { "clientCredentials": { "tokenUrl": "https://a.example/token", "scopes": {} } } } });
    let done = me.stdin(&of(alone)).types(&line("two"));
    assert_eq!(done.code, 0, "{}", done.err);
    me.types("provider show two").is(
        0,
        "id = \"two\"\ntoken.url = \"https://a.example/token\"\napi.base-url = \"https://api.a.example/v1\"\n",
        "",
    );
    let oidc = json!({ "o": { "type": "openIdConnect", "openIdConnectUrl": "https://b.example/.well-known/openid-configuration" } });
    let done = me.stdin(&of(oidc)).types(&line("three"));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(written(&me, "three").contains("issuer = \"https://b.example\""));
    for (text, says) in [
        (of(json!({ "key": { "type": "apiKey" } })), "the document has no sign-in by OAuth 2.0"),
        ("openapi: 3.1.0".to_owned(), "is no OpenAPI document in JSON"),
        (
            "openapi: 3.1.0".to_owned(),
            "hint: if it is YAML: yq -o=json FILE | oauthctl provider add four --openapi -\n",
        ),
    ] {
        let done = me.stdin(&text).types(&line("four"));
        assert!(done.code == 2 && done.err.contains(says), "{}", done.err);
    }
}

#[test]
fn an_openapi_documents_server_has_variables_and_its_addresses_are_below_it() {
    let mut me = Person::new();
    let flow = json!({ "authorizationUrl": "/auth", "tokenUrl": "../token", "scopes": {} });
    let document = json!({ "openapi": "3.1.0",
        "servers": [
            { "url": "https://{nobody}.a.example" },
            { "url": "https://{region}.a.example/{base}/", "variables": { "region": { "default": "eu" }, "base": { "default": "v2" } } },
        ],
        "components": { "securitySchemes": { "o": { "type": "oauth2", "flows": { "authorizationCode": flow } } } } });
    let done = me.stdin(&format!("\u{feff}{document}")).types("provider add acme --openapi -");
    assert_eq!(done.code, 0, "{}", done.err);
    me.types("provider show acme").is(
        0,
        "id = \"acme\"\nauthorize.url = \"https://eu.a.example/auth\"\ntoken.url = \"https://eu.a.example/token\"\n\
         api.base-url = \"https://eu.a.example/v2/\"\n",
        "",
    );
}

#[test]
fn an_address_of_the_networks_own_services_is_told_with_what_allows_it() {
    let mut me = Person::new();
    me.config("providers/acme.toml", "id = \"acme\"\nissuer = \"https://169.254.169.254\"\n");
    let hint = "`oauthctl login PROFILE --allow-private`, or the profile's key `allow-private`";
    for line in ["provider check acme", "doctor acme"] {
        let done = me.types(line);
        assert!(done.out.contains(hint), "{line}: {}{}", done.out, done.err);
    }
}

#[test]
fn ones_own_file_is_compared_with_the_built_in_provider() {
    let mut me = Person::new();
    me.types("provider diff dropbox").is(0, "", "`dropbox` is as it is built in\n");
    me.config(
        "providers/dropbox.toml",
        "extends = \"dropbox\"\ntoken.auth = [\"post\"]\napi.base-url = \"https://api.dropbox.example/3\"\nscopes.default = [\"mine\"]\n",
    );
    let done = me.types("provider diff dropbox");
    assert_eq!((done.code, &*done.err), (0, ""));
    let own: Vec<&str> = done.out.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(own.contains(&"api.base-url = \"https://api.dropbox.example/3\""), "{}", done.out);
    assert!(own.contains(&"scopes.default = [\"mine\"]"), "{}", done.out);
    assert!(done.out.contains("# built in: api.base-url = \"https://api.dropboxapi.com/2\"\n"), "{}", done.out);
    // laid over the built-in provider, the output is the file
    let shown = me.types("provider show dropbox").out;
    me.config("providers/dropbox.toml", &format!("extends = \"dropbox\"\n{}", done.out));
    assert_eq!(me.types("provider show dropbox").out, shown);
    me.config("providers/mine.toml", "id = \"mine\"\nissuer = \"https://mine.example\"\n");
    // by another name, perhaps through a third file: with the built-in provider below
    me.config("providers/mine2.toml", "extends = \"mine3\"\nclient-id = \"app\"\n");
    me.config("providers/mine3.toml", "extends = \"asana\"\n");
    me.types("provider diff mine2").is(0, "client-id = \"app\"\n", "");
    me.types("provider diff mine3").is(0, "", "`mine3` is as `asana` is built in\n");
    // an environment differs from the built-in one, or from the rest of the file
    me.config(
        "providers/getresponse.toml",
        "extends = \"getresponse\"\nclient-id = \"app\"\nenvironments.max.token.url = \"https://a.example/t\"\n\
         environments.\"our own\".token.url = \"https://b.example/t\"\n",
    );
    me.types("provider diff getresponse").is(
        0,
        "
        client-id = \"app\"
        # built in: environments.max.token.url = \"https://{api_host}/v3/token\"
        environments.max.token.url = \"https://a.example/t\"
        environments.\"our own\".token.url = \"https://b.example/t\"
    ",
        "",
    );
    let done = me.types("provider diff mine");
    assert!(done.code == 2 && done.err.contains("there is no built-in provider called `mine`"), "{}", done.err);
    assert_eq!(me.types("provider diff nobody").code, 2);
}
