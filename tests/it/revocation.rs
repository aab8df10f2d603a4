//! Revocation in ten providers' variants of RFC 7009: each is a few keys of a provider's file, and
//! is sent as the provider documents it.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::world::{Person, START, answer};

const ACCESS: &str = "access-0123456789";
const REFRESH: &str = "refresh+0123456789";

struct Shape {
    provider: &'static str,
    /// Keys of `[revoke]`; `BASE` is the server.
    keys: &'static str,
    /// Each request: method and target, the headers that say who asks, the body.
    sent: &'static [(&'static str, &'static str, &'static str)],
}

const BASIC: &str = "authorization: Basic YW4tYXBwOmh1c2gtaHVzaC1odXNo";

const SHAPES: [Shape; 12] = [
    Shape {
        provider: "most: a form with `token` (RFC 7009)",
        keys: "url = \"BASE/revoke\"\nauth = [\"basic\"]",
        sent: &[
            ("POST /revoke", BASIC, "token=refresh%2B0123456789&token_type_hint=refresh_token"),
            ("POST /revoke", BASIC, "token=access-0123456789&token_type_hint=access_token"),
        ],
    },
    Shape {
        provider: "Intuit, FreshBooks, Supabase: JSON",
        keys: "url = \"BASE/revoke\"\nauth = [\"basic\"]\nparams-in = \"json\"\nparams = { token_type_hint = \"\" }\ntokens = [\"refresh_token\"]",
        sent: &[("POST /revoke", BASIC, "{\"token\":\"refresh+0123456789\"}")],
    },
    Shape {
        provider: "DigitalOcean, Dropbox, Slack, Linear: the token itself is who asks",
        keys: "url = \"BASE/revoke\"\nauth = [\"bearer_self\"]\nparams = { token = \"\", token_type_hint = \"\" }\ntokens = [\"access_token\"]",
        sent: &[("POST /revoke", "authorization: Bearer access-0123456789", "")],
    },
    Shape {
        provider: "VR2: DELETE with a form",
        keys: "url = \"BASE/revoke\"\nmethod = \"DELETE\"\nauth = [\"post\"]\ntoken-param = \"refresh_token\"\ntokens = [\"refresh_token\"]",
        sent: &[(
            "DELETE /revoke",
            "",
            "refresh_token=refresh%2B0123456789&client_id=an-app&client_secret=hush-hush-hush",
        )],
    },
    Shape {
        provider: "HubSpot: DELETE on the token's own address",
        keys: "url = \"BASE/oauth/v1/refresh-tokens\"\nmethod = \"DELETE\"\nauth = [\"none\"]\nparams = { client_id = \"\" }\ntoken-in-path = true\ntokens = [\"refresh_token\"]",
        sent: &[("DELETE /oauth/v1/refresh-tokens/refresh%2B0123456789", "", "")],
    },
    Shape {
        provider: "Heroku, Facebook: DELETE on the account's address, with the token as who asks",
        keys: "url = \"BASE/{account}/permissions\"\nmethod = \"DELETE\"\nauth = [\"bearer_self\"]\nparams = { token = \"\", token_type_hint = \"\" }\ntokens = [\"access_token\"]",
        sent: &[("DELETE /acct_7/permissions", "authorization: Bearer access-0123456789", "")],
    },
    Shape {
        provider: "Square: `Authorization: Client`",
        keys: "url = \"BASE/oauth2/revoke\"\nauth = [\"client_secret_scheme\"]\nparams-in = \"json\"\ntoken-param = \"access_token\"\ntokens = [\"access_token\"]\nsend-client-id = true",
        sent: &[(
            "POST /oauth2/revoke",
            "authorization: Client hush-hush-hush",
            "{\"access_token\":\"access-0123456789\",\"client_id\":\"an-app\"}",
        )],
    },
    Shape {
        provider: "Stripe: client id and account id, and no token",
        keys: "url = \"BASE/oauth/deauthorize\"\nauth = [\"basic_secret_as_user\"]\nparams = { token = \"\", token_type_hint = \"\", stripe_user_id = \"{account}\" }\ntokens = [\"access_token\"]\nsend-client-id = true",
        sent: &[(
            "POST /oauth/deauthorize",
            "authorization: Basic aHVzaC1odXNoLWh1c2g6",
            "client_id=an-app&stripe_user_id=acct_7",
        )],
    },
    Shape {
        provider: "Supabase: the parameter is called `refresh_token`",
        keys: "url = \"BASE/revoke\"\nauth = [\"post\"]\nparams-in = \"json\"\ntoken-param = \"refresh_token\"\ntokens = [\"refresh_token\"]",
        sent: &[(
            "POST /revoke",
            "",
            "{\"refresh_token\":\"refresh+0123456789\",\"client_id\":\"an-app\",\"client_secret\":\"hush-hush-hush\"}",
        )],
    },
    Shape {
        provider: "Salesforce: nobody says who asks",
        keys: "url = \"BASE/revoke\"\nauth = [\"none\"]\nparams = { client_id = \"\", token_type_hint = \"\" }\ntokens = [\"refresh_token\"]",
        sent: &[("POST /revoke", "", "token=refresh%2B0123456789")],
    },
    Shape {
        provider: "Fillout: a header called `Authentication`",
        keys: "url = \"BASE/invalidate\"\nmethod = \"DELETE\"\nauth = [\"bearer_self\"]\nauth-header = \"Authentication\"\nparams = { token = \"\", token_type_hint = \"\" }\ntokens = [\"access_token\"]",
        sent: &[("DELETE /invalidate", "authentication: Bearer access-0123456789", "")],
    },
    Shape {
        provider: "GET with the token in the query (social-core lists four)",
        keys: "url = \"BASE/revoke\"\nmethod = \"GET\"\nauth = [\"none\"]\nparams-in = \"query\"\nparams = { client_id = \"\", token_type_hint = \"\" }\ntokens = [\"access_token\"]",
        sent: &[("GET /revoke?token=access-0123456789", "", "")],
    },
];

#[test]
fn each_shape_is_keys_of_a_file_and_goes_over_the_wire_as_documented() {
    for shape in SHAPES {
        let mut me = Person::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let to = seen.clone();
        let server = me.odd(shape.provider, move |request| {
            let target = match request.query.as_str() {
                "" => request.path.clone(),
                query => format!("{}?{query}", request.path),
            };
            let asks = request
                .headers
                .iter()
                .find(|(name, _)| name.starts_with("auth"))
                .map(|(name, value)| format!("{name}: {value}"))
                .unwrap_or_default();
            to.lock().unwrap().push((
                format!("{} {target}", request.method),
                asks,
                String::from_utf8(request.body.clone()).expect("text"),
            ));
            answer(200, "application/json", "{}")
        });
        let file = format!("{}[vars.account]\nfrom = \"token\"\n[revoke]\n{}\n", server.provider("odd"), shape.keys);
        me.config("providers/odd.toml", &file.replace("BASE", &server.base));
        me.config("config.toml", "[profiles.odd]\nprovider = \"odd\"\n");
        let record = json!({
            "oauthctl": 1, "generation": 1, "provider": "odd", "client_id": "an-app", "client_secret": "hush-hush-hush",
            "grant": "authorization-code", "vars": { "account": "acct_7" },
            "token": { "access_token": ACCESS, "token_type": "Bearer", "refresh_token": REFRESH, "received_at": START, "expires_at": START + 3600 },
        });
        me.keychain.put("odd", &record.to_string());
        let done = me.types("logout odd -v");
        assert_eq!(done.code, 0, "{}: {}", shape.provider, done.err);
        let sent: Vec<_> = shape.sent.iter().map(|(t, a, b)| (t.to_string(), a.to_string(), b.to_string())).collect();
        assert_eq!(*seen.lock().unwrap(), sent, "{}", shape.provider);
        // an address with a token in it is shown by no `-v`
        for secret in ["0123456789", "hush-hush"] {
            assert!(!done.err_raw.contains(secret), "{}: {}", shape.provider, done.err_raw);
        }
    }
}
