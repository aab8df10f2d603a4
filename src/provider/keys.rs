//! The keys of a provider's file. What each means and defaults to is in `catalogue/README.md`; the words of closed lists are
//! here, once, for reading and for showing.

use std::collections::BTreeMap;

use super::expand::{check_url, is_pattern, unfilled};
use super::read::{IDENTITY, is_provider_name};
use super::{
    Api, ApiAuth, ApiAuthPlace, Authorize, AuthorizeParamsIn, Callback, ClientAuth, Device, Endpoint, ErrorRule,
    ExpiresUnit, Kills, Limits, LoopbackMode, Means, PageBy, Pages, ParamsIn, Pkce, PkceMethod, PkceMode, Provider,
    Redirect, Refresh, RefreshSource, ResponseShape, Revoke, Rotates, Scopes, StateEcho, Var, VarFrom, Wanted, Whoami,
    ZeroExpires,
};
use crate::layers::tree::{Entry, ReadError, Reader, Table, Value};
use crate::text::safe;

pub(super) type Words<T> = [(&'static str, T)];

pub(super) const VAR_FROM: &Words<VarFrom> =
    &[("user", VarFrom::User), ("callback", VarFrom::Callback), ("token", VarFrom::Token), ("whoami", VarFrom::Whoami)];
pub(super) const STATE: &Words<StateEcho> =
    &[("required", StateEcho::Required), ("not_returned", StateEcho::NotReturned)];
pub(super) const AUTHORIZE_PARAMS_IN: &Words<AuthorizeParamsIn> =
    &[("query", AuthorizeParamsIn::Query), ("fragment", AuthorizeParamsIn::Fragment)];
pub(super) const PKCE_MODE: &Words<PkceMode> = &[
    ("supported", PkceMode::Supported),
    ("required", PkceMode::Required),
    ("off", PkceMode::Off),
    ("public_only", PkceMode::PublicOnly),
];
pub(super) const PKCE_METHOD: &Words<PkceMethod> = &[("S256", PkceMethod::S256), ("plain", PkceMethod::Plain)];
pub(super) const METHOD: &Words<&str> =
    &[("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE")];
/// The last two are `revoke`'s alone.
pub(super) const CLIENT_AUTH: &Words<ClientAuth> = &[
    ("basic", ClientAuth::Basic),
    ("basic_raw", ClientAuth::BasicRaw),
    ("post", ClientAuth::Post),
    ("query", ClientAuth::Query),
    ("none", ClientAuth::None),
    ("private_key_jwt", ClientAuth::PrivateKeyJwt),
    ("client_secret_jwt", ClientAuth::ClientSecretJwt),
    ("tls_client_auth", ClientAuth::TlsClientAuth),
    ("self_signed_tls_client_auth", ClientAuth::SelfSignedTlsClientAuth),
    ("basic_secret_as_user", ClientAuth::BasicSecretAsUser),
    ("bearer_self", ClientAuth::BearerSelf),
    ("client_secret_scheme", ClientAuth::ClientSecretScheme),
];
pub(super) const CLIENT_AUTH_ANYWHERE: usize = 10;
pub(super) const PARAMS_IN: &Words<ParamsIn> =
    &[("form", ParamsIn::Form), ("json", ParamsIn::Json), ("query", ParamsIn::Query)];
pub(super) const REFRESH_SOURCE: &Words<RefreshSource> =
    &[("refresh_token", RefreshSource::RefreshToken), ("access_token", RefreshSource::AccessToken)];
pub(super) const ROTATES: &Words<Rotates> = &[("yes", Rotates::Yes), ("no", Rotates::No), ("maybe", Rotates::Maybe)];
pub(super) const EXPIRES_UNIT: &Words<ExpiresUnit> = &[
    ("s", ExpiresUnit::Seconds),
    ("ms", ExpiresUnit::Milliseconds),
    ("epoch", ExpiresUnit::Epoch),
    ("iso8601", ExpiresUnit::Iso8601),
];
pub(super) const ZERO_EXPIRES: &Words<ZeroExpires> = &[("never", ZeroExpires::Never), ("now", ZeroExpires::Now)];
pub(super) const TOKENS: &Words<&str> = &[("refresh_token", "refresh_token"), ("access_token", "access_token")];
pub(super) const KILLS: &Words<Kills> = &[("all", Kills::All), ("refresh", Kills::Refresh), ("access", Kills::Access)];
pub(super) const LOOPBACK: &Words<LoopbackMode> = &[
    ("any_port", LoopbackMode::AnyPort),
    ("exact", LoopbackMode::Exact),
    ("https", LoopbackMode::Https),
    ("none", LoopbackMode::None),
    ("unknown", LoopbackMode::Unknown),
];
const REDIRECT_HOST: &Words<&str> = &[("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("[::1]", "[::1]")];
pub(super) const API_AUTH_PLACE: &Words<ApiAuthPlace> =
    &[("header", ApiAuthPlace::Header), ("query", ApiAuthPlace::Query)];
pub(super) const MEANS: &Words<Means> = &[
    ("expired", Means::Expired),
    ("revoked", Means::Revoked),
    ("wrong_client", Means::WrongClient),
    ("scope", Means::Scope),
    ("throttled", Means::Throttled),
];
pub(super) const PAGE_BY: &Words<PageBy> = &[
    ("link", PageBy::Link),
    ("page", PageBy::Page),
    ("offset", PageBy::Offset),
    ("url", PageBy::Url),
    ("cursor", PageBy::Cursor),
    ("none", PageBy::None),
];
const LIMIT_HEADERS: [&str; 4] = ["limit", "remaining", "reset", "retry-after"];

/// Reads the merged table; `file` is named where a key is missing.
pub(super) fn read(id: &str, table: &Table, file: &str) -> Result<Provider, ReadError> {
    let mut r = Reader::new(table);
    let mut p = Provider::bare(id);
    // gone before, asked for so that a misspelt one is recognized
    for key in IDENTITY.iter().take(2) {
        r.get(key);
    }
    r.get("environments");
    match r.text("oauth")?.as_deref() {
        None | Some("2.0") => {}
        Some(other) => {
            let entry = r.get("oauth").expect("it was just read");
            return r.refuse("oauth", entry, format!("is `{}`: this program speaks OAuth 2.0 only", safe(other)));
        }
    }
    p.name = r.text("name")?.unwrap_or(p.name);
    p.docs = r.text("docs")?;
    p.console_url = r.text("console-url")?;
    p.practice = r.text("practice")?;
    p.aliases = r.list("aliases")?.unwrap_or_default();
    if let Some(bad) = p.aliases.iter().find(|a| !is_provider_name(a))
        && let Some(entry) = r.get("aliases")
    {
        return r.refuse("aliases", entry, format!("holds `{}`: lower-case letters, digits, `-`, `_`, `.`", safe(bad)));
    }
    p.issuer = r.text("issuer")?;
    if let Some(issuer) = &p.issuer
        && check_url(issuer).is_ok_and(|url| url.query().is_some())
        && let Some(entry) = r.get("issuer")
    {
        // RFC 8414, section 2
        return r.refuse("issuer", entry, "may not hold a query (`?`)");
    }
    p.client_id = r.text("client-id")?;
    p.vars = vars(&mut r)?;
    p.authorize = authorize(r.section("authorize")?, p.authorize)?;
    p.callback = callback(r.section("callback")?, p.callback)?;
    p.scopes = scopes(r.section("scopes")?, p.scopes)?;
    p.pkce = pkce(r.section("pkce")?, p.pkce)?;
    let mut token = r.section("token")?;
    p.token = endpoint(&mut token, &p.token, CLIENT_AUTH_ANYWHERE)?;
    p.token.send_redirect_uri = token.flag("send-redirect-uri")?.unwrap_or(true);
    token.finish()?;
    p.complete_from_token();
    p.refresh = refresh(r.section("refresh")?, p.refresh)?;
    p.response = response(r.section("response")?, p.response)?;
    p.device = device(r.section("device")?, &p, file)?;
    p.revoke = revoke(r.section("revoke")?, &p, file)?;
    let mut cc = r.section("client-credentials")?;
    let endpoint = endpoint(&mut cc, &p.like_token(), CLIENT_AUTH_ANYWHERE)?;
    p.client_credentials = cc.flag("supported")?.unwrap_or(true).then_some(endpoint);
    p.own_account = cc.flag("own-account")?.unwrap_or(false) && p.client_credentials.is_some();
    cc.finish()?;
    p.introspect = introspect(r.section("introspect")?, &p, file)?;
    let mut id_token = r.section("id-token")?;
    p.identity.jwks_uri = id_token.text("jwks-uri")?;
    p.identity.algorithms = id_token.list("algorithms")?.unwrap_or_default();
    p.identity.audiences = id_token.list("audiences")?.unwrap_or_default();
    id_token.finish()?;
    let mut userinfo = r.section("userinfo")?;
    p.identity.userinfo_url = userinfo.text("url")?;
    userinfo.finish()?;
    let mut implicit = r.section("implicit")?;
    p.implicit = implicit.flag("supported")?.unwrap_or(false);
    implicit.finish()?;
    p.redirect = redirect(r.section("redirect")?, p.redirect)?;
    p.api = api(r.section("api")?, p.api)?;
    p.whoami = whoami(r.section("whoami")?, &p, file)?;
    p.errors = errors(&mut r)?;
    p.limits = limits(r.section("limits")?)?;
    p.notes = r.list("notes")?.unwrap_or_default();
    p.sources = r.list("sources")?.unwrap_or_default();
    p.checked = r.text("checked")?;
    if let Some(day) = &p.checked
        && !is_day(day)
        && let Some(entry) = r.get("checked")
    {
        return r.refuse("checked", entry, "must be a day, `YYYY-MM-DD`");
    }
    p.not_verified = r.list("not-verified")?.unwrap_or_default();
    p.grant_types = r.list("grant-types")?;
    p.par = Wanted::read(&mut r, "par")?.unwrap_or_default();
    p.par_url = r.text("par-url")?;
    p.request_object = Wanted::read(&mut r, "request-object")?.unwrap_or_default();
    p.ciba = ciba(r.section("ciba")?, &p, file)?;
    p.registration_url = r.text("registration-url")?;
    r.finish()?;
    if p.token.url.is_none() && p.issuer.is_none() {
        return Err(ReadError::Missing { file: file.to_owned(), key: "token.url` or `issuer".to_owned() });
    }
    Ok(p)
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |text: &str, length: usize, range: std::ops::RangeInclusive<u16>| {
        text.len() == length
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse().is_ok_and(|n| range.contains(&n))
    };
    number(year, 4, 2000..=9999) && number(month, 2, 1..=12) && number(day, 2, 1..=31)
}

fn vars(r: &mut Reader<'_>) -> Result<BTreeMap<String, Var>, ReadError> {
    let mut out = BTreeMap::new();
    for (name, entry) in r.entries("vars")? {
        let path = format!("vars.{name}");
        let mut v = Reader::of_entry(&path, entry)?;
        if name.contains('.') || unfilled(&format!("{{{name}}}")) != [name] {
            return r.refuse(&path, entry, "is no name for a variable: letters, digits, `_`, `-`");
        }
        let var = Var {
            prompt: v.text("prompt")?,
            default: v.text("default")?,
            pattern: v.text("pattern")?,
            one_of: v.list("enum")?.unwrap_or_default(),
            secret: v.flag("secret")?.unwrap_or(false),
            from: v.choice("from", VAR_FROM)?.unwrap_or_default(),
        };
        v.refuse_unknown()?;
        if let Some(pattern) = &var.pattern
            && !is_pattern(pattern)
            && let Some(entry) = v.get("pattern")
        {
            return v.refuse("pattern", entry, "must be `host`, `digits`, `word`, or a text with one `*`");
        }
        if let Some(default) = &var.default
            && let Err(why) = var.accepts(default)
            && let Some(entry) = v.get("default")
        {
            return v.refuse("default", entry, why);
        }
        out.insert(name.to_owned(), var);
    }
    Ok(out)
}

fn authorize(mut r: Reader<'_>, d: Authorize) -> Result<Authorize, ReadError> {
    let out = Authorize {
        url: r.text("url")?,
        params: r.texts("params")?.unwrap_or_default(),
        rename: r.texts("rename")?.unwrap_or_default(),
        send_redirect_uri: r.flag("send-redirect-uri")?.unwrap_or(d.send_redirect_uri),
        state: r.choice("state", STATE)?.unwrap_or(d.state),
        params_in: r.choice("params-in", AUTHORIZE_PARAMS_IN)?.unwrap_or(d.params_in),
        raw: r.list("raw")?.unwrap_or_default(),
    };
    r.finish().map(|()| out)
}

fn callback(mut r: Reader<'_>, d: Callback) -> Result<Callback, ReadError> {
    let out = Callback {
        code_param: r.text("code-param")?.unwrap_or(d.code_param),
        token_host_from: r.text("token-host-from")?,
        token_host_allow: r.list("token-host-allow")?.unwrap_or_default(),
    };
    r.refuse_unknown()?;
    if out.token_host_from.is_some()
        && out.token_host_allow.is_empty()
        && let Some(entry) = r.get("token-host-from")
    {
        return r.refuse("token-host-from", entry, "needs `callback.token-host-allow`, or secrets go to any host");
    }
    Ok(out)
}

fn scopes(mut r: Reader<'_>, d: Scopes) -> Result<Scopes, ReadError> {
    let out = Scopes {
        known: r.list("known")?.unwrap_or_default(),
        default: r.list("default")?.unwrap_or_default(),
        always: r.list("always")?.unwrap_or_default(),
        offline: r.text("offline")?,
        separator: r.text("separator")?.unwrap_or(d.separator),
        param: r.text("param")?.unwrap_or(d.param),
    };
    r.finish().map(|()| out)
}

fn pkce(mut r: Reader<'_>, d: Pkce) -> Result<Pkce, ReadError> {
    let out = Pkce {
        mode: r.choice("mode", PKCE_MODE)?.unwrap_or(d.mode),
        method: r.choice("method", PKCE_METHOD)?.unwrap_or(d.method),
    };
    r.finish().map(|()| out)
}

/// The keys that every endpoint has; `d` says what the missing ones are.
fn endpoint(r: &mut Reader<'_>, d: &Endpoint, auths: usize) -> Result<Endpoint, ReadError> {
    let out = Endpoint {
        url: r.text("url")?.or_else(|| d.url.clone()),
        method: r.choice("method", METHOD)?.map_or_else(|| d.method.clone(), str::to_owned),
        auth: r.choices("auth", &CLIENT_AUTH[..auths])?.unwrap_or_else(|| d.auth.clone()),
        params_in: r.choice("params-in", PARAMS_IN)?.unwrap_or(d.params_in),
        params: r.texts("params")?.unwrap_or_else(|| d.params.clone()),
        rename: r.texts("rename")?.unwrap_or_else(|| d.rename.clone()),
        headers: r.texts("headers")?.unwrap_or_else(|| d.headers.clone()),
        send_redirect_uri: d.send_redirect_uri,
        ok_status: r.numbers("ok-status", 100..=599)?.unwrap_or_else(|| d.ok_status.clone()),
    };
    if out.auth.is_empty()
        && let Some(entry) = r.get("auth")
    {
        return r.refuse("auth", entry, "may not be empty; `[\"none\"]` sends the client id alone");
    }
    Ok(out)
}

fn refresh(mut r: Reader<'_>, d: Refresh) -> Result<Refresh, ReadError> {
    let mut endpoint = endpoint(&mut r, &d.endpoint, CLIENT_AUTH_ANYWHERE)?;
    endpoint.send_redirect_uri = r.flag("send-redirect-uri")?.unwrap_or(d.endpoint.send_redirect_uri);
    let out = Refresh {
        endpoint,
        supported: r.flag("supported")?.unwrap_or(d.supported),
        grant_type: r.text("grant-type")?.unwrap_or(d.grant_type),
        token_param: r.text("token-param")?.unwrap_or(d.token_param),
        source: r.choice("source", REFRESH_SOURCE)?.unwrap_or(d.source),
        rotates: r.choice("rotates", ROTATES)?.unwrap_or(d.rotates),
        max_idle_s: r.number("max-idle-s", 1..=i64::MAX)?,
        max_age_s: r.number("max-age-s", 1..=i64::MAX)?,
    };
    r.finish().map(|()| out)
}

fn response(mut r: Reader<'_>, d: ResponseShape) -> Result<ResponseShape, ReadError> {
    let out = ResponseShape {
        root: r.text("root")?,
        access_token: r.text("access-token")?.unwrap_or(d.access_token),
        refresh_token: r.text("refresh-token")?.unwrap_or(d.refresh_token),
        expires_in: r.text("expires-in")?.unwrap_or(d.expires_in),
        scope: r.text("scope")?.unwrap_or(d.scope),
        token_type: r.text("token-type")?.unwrap_or(d.token_type),
        default_token_type: r.text("default-token-type")?,
        expires_unit: r.choice("expires-unit", EXPIRES_UNIT)?.unwrap_or(d.expires_unit),
        default_expires_s: r.number("default-expires-s", 0..=i64::MAX)?,
        zero_expires: r.choice("zero-expires", ZERO_EXPIRES)?.unwrap_or(d.zero_expires),
        claims_from_jwt: r.flag("claims-from-jwt")?.unwrap_or(d.claims_from_jwt),
        ok_field: r.text("ok-field")?,
        error: r.list("error")?.unwrap_or(d.error),
        error_description: r.list("error-description")?.unwrap_or(d.error_description),
        capture: r.texts("capture")?.unwrap_or_default(),
    };
    r.finish().map(|()| out)
}

fn device(mut r: Reader<'_>, p: &Provider, file: &str) -> Result<Option<Device>, ReadError> {
    let there = r.is_there();
    let out = Device {
        endpoint: endpoint(&mut r, &p.beside_token(), CLIENT_AUTH_ANYWHERE)?,
        grant_type: r.text("grant-type")?.unwrap_or_else(|| "urn:ietf:params:oauth:grant-type:device_code".to_owned()),
        poll_url: r.text("poll-url")?,
        fields: r.texts("fields")?.unwrap_or_default(),
    };
    r.finish()?;
    needs_url(there, &out.endpoint, p, file, "device.url")?;
    Ok(there.then_some(out))
}

fn ciba(mut r: Reader<'_>, p: &Provider, file: &str) -> Result<Option<Endpoint>, ReadError> {
    let there = r.is_there();
    let out = endpoint(&mut r, &p.beside_token(), CLIENT_AUTH_ANYWHERE)?;
    r.finish()?;
    needs_url(there, &out, p, file, "ciba.url")?;
    Ok(there.then_some(out))
}

fn revoke(mut r: Reader<'_>, p: &Provider, file: &str) -> Result<Option<Revoke>, ReadError> {
    let there = r.is_there();
    let out = Revoke {
        endpoint: endpoint(&mut r, &p.beside_token(), CLIENT_AUTH.len())?,
        token_param: r.text("token-param")?.unwrap_or_else(|| "token".to_owned()),
        tokens: r
            .choices("tokens", TOKENS)?
            .map_or_else(default_revoke_tokens, |t| t.into_iter().map(str::to_owned).collect()),
        // RFC 7009, section 2.1: with the refresh token its access tokens should go too
        kills: r.choice("kills", KILLS)?.unwrap_or(Kills::All),
        token_in_path: r.flag("token-in-path")?.unwrap_or(false),
        send_client_id: r.flag("send-client-id")?.unwrap_or(false),
        auth_header: r.text("auth-header")?,
    };
    if let Some(name) = &out.auth_header
        && (name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        && let Some(entry) = r.get("auth-header")
    {
        return r.refuse("auth-header", entry, "must be a header's name: letters, digits, `-`");
    }
    r.finish()?;
    needs_url(there, &out.endpoint, p, file, "revoke.url")?;
    Ok(there.then_some(out))
}

fn introspect(mut r: Reader<'_>, p: &Provider, file: &str) -> Result<Option<Endpoint>, ReadError> {
    let there = r.is_there();
    let out = endpoint(&mut r, &p.beside_token(), CLIENT_AUTH_ANYWHERE)?;
    r.finish()?;
    needs_url(there, &out, p, file, "introspect.url")?;
    Ok(there.then_some(out))
}

pub(super) fn default_revoke_tokens() -> Vec<String> {
    vec!["refresh_token".to_owned(), "access_token".to_owned()]
}

fn needs_url(there: bool, endpoint: &Endpoint, p: &Provider, file: &str, key: &str) -> Result<(), ReadError> {
    if there && endpoint.url.is_none() && p.issuer.is_none() {
        return Err(ReadError::Missing { file: file.to_owned(), key: key.to_owned() });
    }
    Ok(())
}

fn redirect(mut r: Reader<'_>, d: Redirect) -> Result<Redirect, ReadError> {
    let out = Redirect {
        loopback: r.choice("loopback", LOOPBACK)?.unwrap_or(d.loopback),
        host: r.choice("host", REDIRECT_HOST)?.map(str::to_owned),
        ports: r.numbers("ports", 1..=65535)?.unwrap_or_default(),
        path: r.text("path")?,
        paste: r.text("paste")?,
    };
    if let Some(path) = &out.path
        && (!path.starts_with('/') || path.contains(['?', '#', ' ']))
        && let Some(entry) = r.get("path")
    {
        return r.refuse("path", entry, "must start with `/` and hold no `?` and no `#`");
    }
    r.finish().map(|()| out)
}

fn api(mut r: Reader<'_>, d: Api) -> Result<Api, ReadError> {
    let mut auth = r.section("auth")?;
    let place = auth.choice("in", API_AUTH_PLACE)?.unwrap_or(d.auth.place);
    let (name, scheme) = default_api_auth(place);
    let auth_out = ApiAuth {
        place,
        name: auth.text("name")?.unwrap_or_else(|| name.to_owned()),
        scheme: auth.text("scheme")?.unwrap_or_else(|| scheme.to_owned()),
    };
    auth.finish()?;
    let out = Api {
        base_url: r.text("base-url")?,
        headers: r.texts("headers")?.unwrap_or_default(),
        auth: auth_out,
        hosts: r.list("hosts")?.unwrap_or_default(),
        pages: pages(r.section("pages")?)?,
    };
    r.finish().map(|()| out)
}

fn pages(mut r: Reader<'_>) -> Result<Pages, ReadError> {
    let out = Pages {
        by: r.choice("by", PAGE_BY)?.unwrap_or_default(),
        items: r.text("items")?,
        next: r.list("next")?.unwrap_or_default(),
        param: r.text("param")?,
        size_param: r.text("size-param")?,
        size: r.number("size", 1..=i64::from(u32::MAX))?,
        start: r.number("start", 0..=i64::from(u32::MAX))?,
        total_header: r.text("total-header")?,
    };
    r.refuse_unknown()?;
    if matches!(out.by, PageBy::Url | PageBy::Cursor)
        && out.next.is_empty()
        && let Some(entry) = r.get("by")
    {
        return r.refuse("by", entry, "needs `api.pages.next`: where the next page's address or cursor stands");
    }
    Ok(out)
}

/// RFC 6750: the header's name and scheme, or the parameter's name.
pub(super) fn default_api_auth(place: ApiAuthPlace) -> (&'static str, &'static str) {
    match place {
        ApiAuthPlace::Header => ("Authorization", "Bearer"),
        ApiAuthPlace::Query => ("access_token", ""),
    }
}

fn whoami(mut r: Reader<'_>, p: &Provider, file: &str) -> Result<Option<Whoami>, ReadError> {
    if !r.is_there() {
        return Ok(None);
    }
    let url = r.text("url")?;
    let mut out = Whoami {
        method: r.choice("method", METHOD)?.unwrap_or("GET").to_owned(),
        url: String::new(),
        headers: r.texts("headers")?.unwrap_or_default(),
        body: r.text("body")?,
        id: r.text("id")?,
        label: r.text("label")?,
    };
    r.finish()?;
    out.url = url.ok_or_else(|| ReadError::Missing { file: file.to_owned(), key: "whoami.url".to_owned() })?;
    if out.url.starts_with('/') {
        let Some(base) = &p.api.base_url else {
            return Err(ReadError::Missing { file: file.to_owned(), key: "api.base-url".to_owned() });
        };
        out.url.insert_str(0, base.trim_end_matches('/'));
    }
    Ok(Some(out))
}

fn errors(r: &mut Reader<'_>) -> Result<Vec<ErrorRule>, ReadError> {
    let mut out = Vec::new();
    for (mut rule, entry) in r.tables("errors")?.unwrap_or_default() {
        // GetResponse's codes are numbers
        let code = match rule.get("code") {
            Some(Entry { value: Value::Integer(n), .. }) => Some(n.to_string()),
            _ => rule.text("code")?,
        };
        let status = rule.number("status", 100..=599)?;
        let matches = rule.text("match")?;
        let means = rule.choice("means", MEANS)?;
        rule.refuse_unknown()?;
        let Some(means) = means else {
            return rule.refuse("means", entry, "is missing");
        };
        if status.is_none() && code.is_none() && matches.is_none() {
            return rule.refuse("means", entry, "needs a `status`, a `code` or a `match` beside it");
        }
        out.push(ErrorRule { status, code, matches, means });
    }
    Ok(out)
}

fn limits(mut r: Reader<'_>) -> Result<Limits, ReadError> {
    let mut headers = r.section("headers")?;
    let mut names = BTreeMap::new();
    for key in LIMIT_HEADERS {
        if let Some(name) = headers.text(key)? {
            names.insert(key.to_owned(), name);
        }
    }
    headers.finish()?;
    let out = Limits {
        headers: names,
        per_second: r.number("per-second", 1..=i64::from(u32::MAX))?,
        per_day: r.number("per-day", 1..=i64::from(u32::MAX))?,
        parallel: r.number("parallel", 1..=i64::from(u32::MAX))?,
    };
    r.finish().map(|()| out)
}
