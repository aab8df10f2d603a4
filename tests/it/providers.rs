//! Providers as data: the valid contents of a user's provider file, and the errors for others.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use oauthctl::config::{provider, provider_in_environments, provider_names, validate_all};
use oauthctl::provider::{ClientAuth, Means, Method, ParamsIn, Provider, Rotates, TokenKind, catalogue, resolve};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("providers")).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join("providers").join(format!("{name}.toml")), text).unwrap();
    }
    dir
}

fn error(dir: &Path, name: &str) -> String {
    provider(dir, name, None).unwrap_err().message
}

/// Every key of the schema, none at its default.
const EVERYTHING: &str = r#"
id = "x"
name = "Everything"
aliases = ["every-thing"]
docs = "https://docs.example"
console-url = "https://{tenant}.example/console"
practice = "client id p, client secret s"
oauth = "2.0"
issuer = "https://issuer.example/a"
client-id = "public"
notes = ["one {not.a.reference}", "two\nlines"]
sources = ["https://docs.example"]
checked = "2026-11-21"
not-verified = ["all of it"]
[vars.tenant]
prompt = "which tenant"
default = "acme"
pattern = "word"
enum = ["acme", "other"]
secret = true
[vars.realm]
from = "callback"
[environments.sandbox.token]
url = "https://sandbox.example/token"
[authorize]
url = "https://{tenant}.example/authorize"
params = { access_type = "offline", response_type = "" }
rename = { client_id = "client_key" }
send-redirect-uri = false
state = "not_returned"
params-in = "fragment"
raw = ["scope"]
[callback]
code-param = "auth_code"
token-host-from = "server"
token-host-allow = ["*.example.com", "one.example"]
[scopes]
known = ["a", "b"]
default = ["a"]
always = ["b"]
offline = "offline"
separator = ","
param = "scopes"
[pkce]
mode = "required"
method = "plain"
[token]
url = "https://{tenant}.example/token"
method = "PUT"
auth = ["basic_raw", "private_key_jwt", "basic_secret_as_user"]
params-in = "json"
params = { audience = "x" }
rename = { code = "auth_code" }
headers = { X-Token = "1" }
send-redirect-uri = false
ok-status = [200, 201]
[refresh]
url = "https://{tenant}.example/refresh"
params = {}
supported = false
grant-type = "fb_exchange_token"
token-param = "fb_token"
source = "access_token"
rotates = "no"
max-idle-s = 60
max-age-s = 600
send-redirect-uri = true
[response]
root = "authed_user"
access-token = "accessToken"
refresh-token = "refreshToken"
expires-in = "expires"
scope = "scopes"
token-type = "kind"
default-token-type = "Bearer"
expires-unit = "ms"
default-expires-s = 3600
zero-expires = "never"
claims-from-jwt = true
ok-field = "ok"
error = ["error", "code"]
error-description = ["message"]
capture = { instance_url = "instance_url" }
[device]
url = "https://{tenant}.example/device"
grant-type = "device_code"
poll-url = "https://{tenant}.example/poll"
fields = { verification_uri = "verification_url" }
[revoke]
url = "https://{tenant}.example/revoke"
method = "DELETE"
auth = ["bearer_self", "client_secret_scheme"]
params-in = "query"
token-param = "refresh_token"
tokens = ["access_token"]
kills = "access"
[client-credentials]
params-in = "query"
headers = {}
[implicit]
supported = true
[redirect]
loopback = "exact"
host = "localhost"
ports = [8080, 8081]
path = "/cb"
paste = "oob"
[api]
base-url = "{instance_url}/v1"
headers = { X-Tenant = "{tenant}" }
auth = { in = "query", name = "token", scheme = "Zoho" }
hosts = ["*.files.example", "upload.example:8443"]
[whoami]
method = "POST"
url = "{api.base_url}/me"
headers = { X-Who = "1" }
body = "{ viewer { id } }"
id = "data.id"
label = "data.email"
[[errors]]
status = 401
code = 1014
match = "expired"
means = "expired"
[[errors]]
code = "quota"
means = "throttled"
[limits]
per-second = 4
per-day = 10000
parallel = 2
[limits.headers]
limit = "X-Limit"
remaining = "X-Remaining"
reset = "X-Reset"
retry-after = "Retry-After"
"#;

#[test]
fn the_whole_schema_is_read() {
    let p = resolve::from_text("x", EVERYTHING, None).unwrap();
    assert_eq!(p.refresh.endpoint.method, Method::Put, "completed from the token endpoint");
    assert_eq!(p.refresh.endpoint.headers["X-Token"], "1");
    assert!(p.refresh.endpoint.params.is_empty(), "a key given replaces the token endpoint's whole");
    assert_eq!((p.refresh.source, p.refresh.rotates), (TokenKind::AccessToken, Rotates::No));
    let cc = &p.client_credentials.endpoint;
    assert_eq!((cc.params_in, cc.headers.len(), cc.params["audience"].as_str()), (ParamsIn::Query, 0, "x"));
    assert_eq!(p.revoke.as_ref().unwrap().endpoint.auth, [ClientAuth::BearerSelf, ClientAuth::ClientSecretScheme]);
    assert_eq!(p.errors[0].code.as_deref(), Some("1014"));
    assert_eq!(p.errors[1].means, Some(Means::Throttled));
    assert_eq!(p.whoami.as_ref().unwrap().url, "{instance_url}/v1/me");
    let sandbox = resolve::from_text("x", EVERYTHING, Some("sandbox")).unwrap();
    assert_eq!(sandbox.token.url.as_deref(), Some("https://sandbox.example/token"));
    assert_eq!(sandbox.environments, ["sandbox"]);
}

#[test]
fn a_provider_shown_reads_back_as_the_same() {
    let mut all =
        vec![resolve::from_text("x", EVERYTHING, None).unwrap(), Provider::of_issuer("https://issuer.example/a")];
    all[1].id = "issuer".to_owned();
    all[1].name = "issuer".to_owned();
    for id in catalogue::names() {
        let base = resolve::resolve(id, None, &|_| Ok(None)).unwrap();
        for environment in &base.environments {
            all.push(resolve::resolve(id, Some(environment), &|_| Ok(None)).unwrap());
        }
        all.push(base);
    }
    for p in all {
        let text = p.to_toml(&BTreeMap::new());
        assert_eq!(resolve::from_text(&p.id, &text, None).unwrap(), p, "{text}");
    }
}

/// Each way in which an environment can differ from the rest of its file without saying so key by
/// key.
const ENVIRONMENTS: &str = r#"
id = "x"
par = true
errors = [{ status = 401, means = "expired" }]
authorize = { url = "https://a.example/a", send-redirect-uri = false, raw = ["scope"] }
token = { url = "https://a.example/t", auth = ["basic"], params = { a = "1" }, headers = { X = "1" } }
refresh = { url = "https://a.example/t", params = {}, rotates = "yes" }
client-credentials.supported = false
device = { url = "https://a.example/d", auth = ["basic"] }
revoke = { url = "{api.base-url}/revoke", kills = "refresh" }
api = { base-url = "https://a.example", auth = { in = "query", name = "key" } }
whoami.url = "/me"
redirect.host = "[::1]"
vars.v = { default = "a", secret = true, enum = ["a"], from = "callback" }
vars.w.secret = true
[environments.same]
[environments.back]
name = "x"
par = "auto"
errors = []
authorize = { send-redirect-uri = true, raw = [] }
refresh.rotates = "maybe"
client-credentials.supported = true
revoke.kills = "all"
api.auth = { in = "header", name = "Authorization" }
vars.v = { secret = false, enum = [], from = "user" }
vars.w.secret = false
[environments."other one"]
token = { url = "https://b.example/t", auth = ["post"], params = { b = "{v}" }, headers = { X = "2" } }
refresh.params.c = "3"
client-credentials = { supported = true, params = { d = "4" } }
api.base-url = "https://b.example"
introspect.url = "{api.base-url}/introspect"
ciba.url = "{token.url}/ciba"
"#;

#[test]
fn a_provider_shown_reads_back_as_the_same_in_each_of_its_environments() {
    let mut texts = vec![("x", EVERYTHING.to_owned()), ("x", ENVIRONMENTS.to_owned())];
    texts.extend(catalogue::names().map(|id| (id, format!("extends = \"{id}\"\n"))));
    for (id, text) in texts {
        let dir = folder(&[(id, &text)]);
        let base = provider(dir.path(), id, None).unwrap();
        let inside = provider_in_environments(dir.path(), id).unwrap();
        let shown = base.to_toml(&inside);
        let copy = folder(&[(id, &shown)]);
        assert_eq!(provider(copy.path(), id, None).unwrap(), base, "{shown}");
        for (name, expected) in inside {
            assert_eq!(provider(copy.path(), id, Some(&name)).unwrap(), expected, "{name}\n{shown}");
        }
    }
}

#[test]
fn nothing_but_a_token_address_is_needed_and_the_rest_is_the_rfcs() {
    let p = resolve::from_text("x", "id = \"x\"\ntoken.url = \"https://x.example/t\"\n", None).unwrap();
    let mut expected = Provider::bare("x");
    let client_credentials = &mut expected.client_credentials.endpoint;
    for endpoint in [&mut expected.token.endpoint, &mut expected.refresh.endpoint, client_credentials] {
        endpoint.url = Some("https://x.example/t".to_owned());
    }
    assert_eq!(p, expected);
}

#[test]
fn a_wrong_file_is_told_with_line_key_and_what_was_meant() {
    let at = |line: usize| format!("in providers/x.toml, line {line}");
    for (text, message) in [
        (
            "id = \"x\"\n[token]\nurl = \"https://x.example\"\nparam-in = \"form\"\n",
            format!("unknown key `token.param-in` {}; did you mean `token.params-in`?", at(4)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\ntoken.params_in = \"form\"\n",
            format!("unknown key `token.params_in` {}; did you mean `token.params-in`?", at(3)),
        ),
        (
            "id = \"x\"\ntokn.url = \"https://x.example\"\n",
            format!("unknown key `tokn` {}; did you mean `token`?", at(2)),
        ),
        ("id = \"x\"\ntoken.url = 1\n", format!("`token.url` {} must be a text, not an integer", at(2))),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\npkce.mode = \"requred\"\n",
            format!(
                "`pkce.mode` {} can't be `requred`; it is one of `supported`, `required`, `off`, `public_only`; did you mean `required`?",
                at(3)
            ),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\ntoken.auth = [\"bearer_self\"]\n",
            format!(
                "`token.auth` {} can't be `bearer_self`; it is one of `basic`, `basic_raw`, `post`, `query`, `none`, \
                 `private_key_jwt`, `client_secret_jwt`, `tls_client_auth`, `self_signed_tls_client_auth`, `basic_secret_as_user`",
                at(3)
            ),
        ),
        (
            "id = \"x\"\ntoken.url = \"http://x.example\"\n",
            format!("`token.url` {} may be plain `http` to a loopback address only", at(2)),
        ),
        ("id = \"x\"\ntoken.url = \"x.example/t\"\n", format!("`token.url` {} must start with `https://`", at(2))),
        (
            "id = \"x\"\ntoken.url = \"https://{dmain}/t\"\nvars.domain.prompt = \"?\"\n",
            format!(
                "`token.url` {} holds `{{dmain}}`, which `vars` does not declare; did you mean `{{domain}}`?",
                at(2)
            ),
        ),
        (
            "id = \"x\"\ntoken.url = \"{api.base-ur}/t\"\n",
            format!("`token.url` {} refers to `{{api.base-ur}}`, which is no text of this provider", at(2)),
        ),
        (
            "id = \"x\"\ntoken.url = \"{authorize.url}\"\nauthorize.url = \"{token.url}\"\n",
            format!("`authorize` {} holds a reference that leads back to itself", at(3)),
        ),
        // found by fuzzing: each round squares its length
        (
            "id = \"x\"\ntoken.url = \"https://x.example/{token.url}/{token.url}\"\n",
            format!("`token.url` {} holds references that make it grow without end", at(2)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\noauth = \"1.0a\"\n",
            format!("`oauth` {} is `1.0a`: this program speaks OAuth 2.0 only", at(3)),
        ),
        ("token.url = \"https://x.example\"\n", "providers/x.toml has no `id`".to_owned()),
        (
            "id = \"y\"\ntoken.url = \"https://x.example\"\n",
            format!("`id` {} must be `x`, as the file is called", at(1)),
        ),
        ("id = \"x\"\nname = \"X\"\n", "providers/x.toml has no `token.url` or `issuer`".to_owned()),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\napi.hosts = [\"*.com\"]\n",
            format!("`api.hosts` {} must be host names, without `https://` and without a path", at(3)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\nissuer = \"https://x.example?a=b\"\n",
            format!("`issuer` {} may not hold a query (`?`)", at(3)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\ntoken.headers.X = \"a\\r\\nb\"\n",
            format!("`token.headers.X` {} may not hold control characters", at(3)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\ncallback.token-host-from = \"h\"\n",
            format!(
                "`callback.token-host-from` {} needs `callback.token-host-allow`, or secrets go to any host",
                at(3)
            ),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[environments.e]\nid = \"y\"\n",
            format!("`environments.e.id` {} can't differ between environments", at(4)),
        ),
        // an environment is read with its file, and what is wrong with it named as it stands there
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[environments.sb.tokn]\nurl = \"https://y.example\"\n",
            format!("unknown key `environments.sb.tokn` {}; did you mean `environments.sb.token`?", at(3)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[environments.sb]\ntoken.url = 1\n",
            format!("`environments.sb.token.url` {} must be a text, not an integer", at(4)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[environments.sb]\npkce.mode = \"of\"\n",
            format!(
                "`environments.sb.pkce.mode` {} can't be `of`; it is one of `supported`, `required`, `off`, `public_only`; did you mean `off`?",
                at(4)
            ),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[environments.sb]\ntoken.url = \"http://y.example\"\n",
            format!("`environments.sb.token.url` {} may be plain `http` to a loopback address only", at(4)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[[environments.sb.errors]]\nstatu = 401\nmeans = \"scope\"\n",
            format!(
                "unknown key `environments.sb.errors.statu` {}; did you mean `environments.sb.errors.status`?",
                at(4)
            ),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[environments.sb]\nwhoami.label = \"x\"\n",
            "providers/x.toml has no `environments.sb.whoami.url`".to_owned(),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\napi.pages = { by = \"url\", next = [\"n\"] }\n[environments.sb]\napi.pages.next = []\n",
            format!(
                "`api.pages.by` {} needs `api.pages.next`: where the next page's address or cursor stands (in the environment `sb`)",
                at(3)
            ),
        ),
        // a misspelt key is named before what is missing without it
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[[errors]]\nstatu = 401\nmeans = \"scope\"\n",
            format!("unknown key `errors.statu` {}; did you mean `errors.status`?", at(4)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[[errors]]\nstatus = 401\nmean = \"scope\"\n",
            format!("unknown key `errors.mean` {}; did you mean `errors.means`?", at(5)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\nwhoami.lable = \"x\"\n",
            format!("unknown key `whoami.lable` {}; did you mean `whoami.label`?", at(3)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[callback]\ntoken-host-from = \"h\"\ntoken-host-alow = [\"x.example\"]\n",
            format!("unknown key `callback.token-host-alow` {}; did you mean `callback.token-host-allow`?", at(5)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[api.pages]\nby = \"url\"\nnxt = [\"n\"]\n",
            format!("unknown key `api.pages.nxt` {}; did you mean `api.pages.next`?", at(5)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[vars.shop]\nprompt = \"?\"\npattern = \"digits\"\ndefault = \"a\"\n",
            format!("`vars.shop.default` {} must be digits", at(6)),
        ),
        (
            "id = \"x\"\ntoken.url = \"https://x.example\"\n[vars.shop]\nprompt = \"?\"\npattern = \"digit\"\n",
            format!("`vars.shop.pattern` {} must be `host`, `digits`, `word`, or a text with one `*`", at(5)),
        ),
        (
            "extends = \"getrespose\"\n",
            format!("`extends` {} names no provider: `getrespose`; did you mean `getresponse`?", at(1)),
        ),
    ] {
        let dir = folder(&[("x", text)]);
        assert_eq!(error(dir.path(), "x"), message, "{text}");
    }
    let dir = folder(&[("x", "id = \"x\"\n= 3\n")]);
    assert!(error(dir.path(), "x").starts_with("providers/x.toml, line 2 is not TOML: "));
}

#[test]
fn extends_changes_single_keys_and_what_is_completed_from_them() {
    let dir = folder(&[
        ("mine", "extends = \"constantcontact\"\ntoken.params-in = \"query\"\n"),
        ("yours", "id = \"yours\"\nextends = \"mine\"\ntoken.url = \"https://yours.example/t\"\naliases = [\"y\"]\n"),
    ]);
    let p = provider(dir.path(), "yours", None).unwrap();
    assert_eq!(p.id, "yours");
    assert_eq!(p.name, "Constant Contact");
    assert_eq!(p.token.params_in, ParamsIn::Query);
    assert_eq!(p.refresh.endpoint.params_in, ParamsIn::Query);
    assert_eq!(p.refresh.endpoint.url.as_deref(), Some("https://yours.example/t"));
    assert_eq!(p.refresh.max_idle_s, Some(15_552_000));
    assert_eq!(p.aliases, ["y"]);
    assert!(provider(dir.path(), "mine", None).unwrap().aliases.is_empty());
    assert_eq!(provider(dir.path(), "y", None).unwrap().id, "yours");
}

#[test]
fn a_file_of_ones_own_comes_before_the_catalogue_by_name_and_by_alias() {
    let dir = folder(&[("getresponse", "extends = \"getresponse\"\nredirect.loopback = \"exact\"\n")]);
    for name in ["getresponse", "gr"] {
        let p = provider(dir.path(), name, None).unwrap();
        assert_eq!(p.redirect.loopback, oauthctl::provider::LoopbackMode::Exact, "{name}");
        assert_eq!(p.token.url.as_deref(), Some("https://api.getresponse.com/v3/token"));
    }
    let names = provider_names(dir.path()).unwrap();
    assert_eq!(names.len(), catalogue::names().count());
    assert!(names.contains(&("getresponse".to_owned(), true)));
    assert!(names.contains(&("sandbox".to_owned(), false)));
}

#[test]
fn a_built_in_name_as_an_alias_is_no_fault_but_in_two_files() {
    let own = |name: &str| format!("id = \"{name}\"\ntoken.url = \"https://{name}.example\"\naliases = [\"slack\"]\n");
    let (one, other) = (own("one"), own("other"));
    let faults = |files: &[(&str, &str)]| {
        let dir = folder(files);
        let found = provider(dir.path(), "slack", None).map(|found| found.id);
        let faults: Vec<String> = validate_all(dir.path()).into_iter().map(|fault| fault.message).collect();
        (found.map_err(|e| e.message), faults)
    };
    assert_eq!(faults(&[("one", &one)]), (Ok("one".to_owned()), vec![]));
    let twice = "`slack` means the providers `one` and `other`".to_owned();
    assert_eq!(faults(&[("one", &one), ("other", &other)]), (Err(twice.clone()), vec![twice]));
    let file = "extends = \"slack\"\nname = \"Mine\"\n";
    let twice = "`slack` means the providers `slack` and `one`".to_owned();
    assert_eq!(faults(&[("one", &one), ("slack", file)]), (Ok("slack".to_owned()), vec![twice]));
}

#[test]
fn extends_in_a_circle_is_an_error() {
    let dir = folder(&[("a", "extends = \"b\"\n"), ("b", "extends = \"a\"\n"), ("c", "extends = \"c\"\n")]);
    assert_eq!(error(dir.path(), "a"), "`extends` goes round in a circle: a extends b extends a");
    assert_eq!(error(dir.path(), "c"), "`extends` goes round in a circle: c extends c");
}

#[test]
fn an_unknown_provider_is_told_with_the_nearest_name() {
    let dir = folder(&[("company", "id = \"company\"\ntoken.url = \"https://c.example\"\n")]);
    assert_eq!(error(dir.path(), "getrespnse"), "there is no provider `getrespnse`; did you mean `getresponse`?");
    assert_eq!(error(dir.path(), "compny"), "there is no provider `compny`; did you mean `company`?");
    assert_eq!(error(dir.path(), "../config"), "there is no provider `../config`");
    let e = provider(dir.path(), "getresponse-max", None).unwrap_err();
    assert_eq!(e.hint.unwrap(), "`max` is an environment of `getresponse`: set `environment = \"max\"` in the profile");
    let e = provider(dir.path(), "gr", Some("mx")).unwrap_err();
    assert_eq!(e.message, "the provider `getresponse` has no environment `mx`; did you mean `max`?");
}

#[test]
fn an_address_is_an_issuer() {
    let dir = folder(&[]);
    let p = provider(dir.path(), "https://login.example.com/tenant", None).unwrap();
    assert_eq!(p.issuer.as_deref(), Some("https://login.example.com/tenant"));
    assert_eq!(p.id, "login.example.com/tenant");
    for bad in ["http://login.example.com", "ftp://x", "https://a@b.example", "https://a.example?x"] {
        assert!(provider(dir.path(), bad, None).is_err(), "{bad}");
    }
}

#[test]
fn two_providers_with_one_issuer_are_a_fault_of_the_configuration() {
    let dir = folder(&[
        ("a", "id = \"a\"\nissuer = \"https://i.example\"\n"),
        ("b", "id = \"b\"\nissuer = \"https://i.example\"\n"),
        ("c", "id = \"c\"\nissuer = \"https://j.example\"\naliases = [\"a\", \"vr\"]\n"),
        ("d", "id = \"d\"\ntoken.url = \"https://d.example\"\n[environments.e.token]\nurll = \"x\"\n"),
        ("Bad Name", ""),
    ]);
    fs::write(
        dir.path().join("config.toml"),
        "default-profile = \"gone\"\n[profiles.p]\nprovider = \"nowhere\"\n[profiles.gr]\n",
    )
    .unwrap();
    let mut messages: Vec<String> = validate_all(dir.path()).into_iter().map(|e| e.message).collect();
    messages.sort();
    assert_eq!(
        messages,
        [
            "`a` means the providers `a` and `c`",
            "`default-profile` in config.toml names no profile: `gone`",
            "`providers/Bad Name.toml` is never read: a provider's name is lower-case letters, digits, `-`, `_`, `.`",
            "profile `p`: there is no provider `nowhere`",
            "the providers `a` and `b` have the same issuer `https://i.example`",
            "unknown key `environments.e.token.urll` in providers/d.toml, line 4; did you mean `environments.e.token.url`?",
        ]
    );
    assert_eq!(validate_all(folder(&[]).path()), []);
}

#[test]
fn values_of_variables_decide_where_secrets_go_and_are_judged() {
    let p = resolve::from_text("x", EVERYTHING, None).unwrap();
    let vars =
        |v: &[(&str, &str)]| v.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
    let filled = p.expand(&vars(&[("tenant", "other"), ("instance_url", "https://na1.example")])).unwrap();
    assert_eq!(filled.token.url.as_deref(), Some("https://other.example/token"));
    assert_eq!(filled.api.base_url.as_deref(), Some("https://na1.example/v1"));
    assert_eq!(filled.whoami.unwrap().body.as_deref(), Some("{ viewer { id } }"));
    for bad in [("tenant", "evil"), ("instance_url", "http://evil.example"), ("instance_url", "javascript:x")] {
        assert!(p.expand(&vars(&[bad])).is_err(), "{bad:?}");
    }
}
