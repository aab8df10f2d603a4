//! The classic failures of one profile: its client, its redirect address, its refresh token.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;

use super::{Found, Report, bad, good, note};
use crate::config::{GrantKind, Profile};
use crate::error::Error;
use crate::grant::redirect_plan::{self, Plan, Target, USUAL_PORT};
use crate::grant::support::check_grant;
use crate::protocol::token_request::usable_auth;
use crate::provider::resolve::from_text;
use crate::provider::{ClientAuth, Provider, auth_name, catalogue, registered_name};
use crate::session::record::Record;
use crate::session::{Session, random_hex};
use crate::text::{pasted, safe};
use crate::world::World;
use crate::world::http_server::loopback::{Address, ListenError, Loopback};

pub(super) fn check(world: &mut World, session: &mut Session, registered: Option<&str>, report: &mut Report) {
    let loaded = session.load();
    let is_unread = loaded.is_err();
    let record = loaded.ok().flatten();
    let known = session.provider(world, record.as_ref()).or_else(|_| session.raw_provider());
    // an unknown provider was told of
    let Ok(provider) = known else { return };
    let grant = session.grant(Some(&provider), record.as_ref());
    if let Err(e) = check_grant(world, &provider, (grant, false), &session.typed) {
        report.add("grant", e.into());
    }
    let found = client(world, session, (&provider, record.as_ref())).unwrap_or_else(Found::from);
    let unknown = || note("not checked: the record, which may have it, can't be read");
    report.add("client", if is_unread && found.is_bad() { unknown() } else { found });
    if grant == GrantKind::AuthorizationCode {
        let random = random_hex(world);
        match redirect_plan::plan(&provider, &session.profile, &random) {
            Ok(plan) => {
                report.add("redirect", redirect(session, &provider, (&plan, registered)));
                report.add_if("port", port(session, plan));
            }
            Err(e) => report.add("redirect", e.into()),
        }
    }
    if let Some(record) = record.filter(|_| grant.needs_person() && provider.refresh.supported) {
        report.add_if("refresh token", refresh_token(world, session, (&provider, &record)));
    }
}

/// Whether the client can authenticate as the provider wants it, and did.
fn client(
    world: &mut World,
    session: &mut Session,
    (provider, record): (&Provider, Option<&Record>),
) -> Result<Found, Error> {
    let Some(client) = session.client(world, record)? else {
        let guided = format!("oauthctl init {}", pasted(&session.name));
        let page = provider.console_url.as_deref().map(|page| format!(": register an app at {}", safe(page)));
        return Ok(note(format!("no client id is known{}", page.unwrap_or_default())).advice(guided));
    };
    if record.is_some_and(|record| record.withholds("client_secret")) {
        return Ok(note(format!("`{}`, whose secret this job may not read", safe(&client.id))));
    }
    let refused = record.and_then(|record| record.unfinished.as_ref()).is_some_and(|kept| kept.refused);
    let at_last_login = format!("the provider refused `{}`, or its secret, at the last login", safe(&client.id));
    let auth = match usable_auth(&provider.token, &client) {
        Ok(auth) => auth,
        Err(e) if !refused => {
            return Ok(bad(format!("{e}: is the app of another type?")).advice(session.typed.login()));
        }
        Err(_) => return Ok(bad(at_last_login).advice(session.typed.login())),
    };
    let words = match refused {
        true => at_last_login,
        false => format!("`{}`, with the client authentication `{}`", safe(&client.id), auth_name(auth)),
    };
    if let Some((wanted, cure)) = other_auth(session, provider, auth) {
        let words = format!("{words}; `{}` is sent, and the file of {wanted}", auth_name(auth));
        // it is no fault where the login went well
        let works = !refused && record.is_some_and(|record| record.token.is_some());
        return Ok(if works { note(words) } else { bad(words) }.advice(cure));
    }
    if refused {
        return Ok(bad(words).advice(session.typed.login()));
    }
    let announced = provider.announced.auth_methods.as_ref();
    if let Some(announced) =
        announced.filter(|list| registered_name(auth).is_some_and(|name| !list.iter().any(|it| it == name)))
    {
        let list = safe(&announced.join(", "));
        let advice = format!("if it is refused: {}", session.typed.login_with(&[("--auth", "METHOD")]));
        return Ok(note(format!("{words}; the provider announces {list}")).advice(advice));
    }
    if auth == ClientAuth::None && client.secret.is_some() {
        return Ok(note(format!("{words}: the stored secret is not sent, as the provider's apps have none")));
    }
    Ok(good(words))
}

/// The methods that the provider's file names, or the built-in one of the same server, if they are
/// others than the one that is used; and the cure.
fn other_auth(session: &Session, provider: &Provider, auth: ClientAuth) -> Option<(String, String)> {
    let named = |known: &Provider| {
        let names: Vec<String> = known.token.auth.iter().map(|auth| format!("`{}`", auth_name(*auth))).collect();
        format!("`{}` names {}", safe(&known.id), names.join(", "))
    };
    let other = |known: &Provider| !known.token.auth.is_empty() && !known.token.auth.contains(&auth);
    let own = session.raw_provider().ok()?;
    if other(&own) && session.profile.proofs.auth == Some(auth) {
        return Some((named(&own), format!("{} auth", session.typed.line("profile unset"))));
    }
    let twin = twin(provider).filter(|twin| other(twin))?;
    Some((named(&twin), format!("oauthctl provider edit {}", pasted(&own.id))))
}

/// The built-in provider of the same server.
fn twin(provider: &Provider) -> Option<Provider> {
    let url = url::Url::parse(provider.authorize.url.as_deref().or(provider.token.url.as_deref())?).ok()?;
    let known = catalogue::of_host(url.host_str()?);
    let known = known.iter().find(|it| it.id == provider.id).or(known.first())?;
    from_text(known.id, known.text(), None).ok()
}

/// The redirect address that is sent, beside the registered one.
fn redirect(session: &Session, provider: &Provider, (plan, registered): (&Plan, Option<&str>)) -> Found {
    let sent = plan.to_register();
    let shown = sent.iter().map(|uri| safe(uri)).collect::<Vec<_>>().join(" or ");
    if sent.is_empty() {
        return good("none is sent: the provider uses the registered one");
    }
    if plan.random_path {
        let words = format!("{shown} is sent this time: the path is drawn anew for each login");
        return match registered {
            None => good(words),
            Some(_) => note(format!("{words}, so that no registered address is compared")),
        };
    }
    let Some(registered) = registered else {
        return good(format!("{shown} is sent"))
            .advice(format!("does the provider's page differ? {} --registered URL", session.typed.line("doctor")));
    };
    if sent.iter().any(|uri| fits(uri, registered, plan)) {
        return good(format!("{} is registered and sent", safe(registered)));
    }
    let near = sent.iter().max_by_key(|uri| same(uri, registered)).map(String::as_str).unwrap_or_default();
    let at = same(near, registered);
    let byte = |text: &str| match text.as_bytes().get(at) {
        Some(byte) => format!("`{}` (0x{byte:02x})", byte.escape_ascii()),
        None => "the end".to_owned(),
    };
    let words = format!(
        "sent:       {}\nregistered: {}\nthey differ at byte {}: {} is sent, {} is registered",
        safe(near),
        safe(registered),
        at + 1,
        byte(near),
        byte(registered)
    );
    bad(words).advice(match sends(provider, session, registered) {
        Ok(()) => session.typed.login_with(&[("--redirect-uri", &pasted(registered))]),
        Err(why) => format!("register {shown}: {why}"),
    })
}

/// Whether a login can send this address; else the reason.
fn sends(provider: &Provider, session: &Session, uri: &str) -> Result<(), String> {
    let mut profile = session.profile.clone();
    profile.overlay(&Profile { redirect_uri: Some(uri.to_owned()), ..Profile::default() });
    let plan = redirect_plan::plan(provider, &profile, "").map_err(|e| e.to_string())?;
    // this server's own port, or a reserved one
    match plan.target {
        Target::Listen { address, .. } => bound(&address).map_err(|e| e.to_string()),
        Target::Paste { .. } => Ok(()),
    }
}

/// Whether the provider takes the address: any port, where its server ignores the port.
fn fits(sent: &str, registered: &str, plan: &Plan) -> bool {
    let without_port = |text: &str| {
        let mut url = url::Url::parse(text).ok()?;
        url.set_port(None).ok()?;
        Some(url.to_string())
    };
    let any = matches!(&plan.target, Target::Listen { address, .. } if address.ports.is_empty());
    sent == registered || (any && without_port(sent).is_some_and(|sent| without_port(registered) == Some(sent)))
}

/// How many bytes two texts begin with in common.
fn same(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

/// Whether the port of the redirect address can be bound.
fn port(session: &Session, plan: Plan) -> Option<Found> {
    let Target::Listen { address, .. } = plan.target else { return None };
    let [first, ..] = address.ports[..] else { return None };
    match bound(&address) {
        Ok(()) => None,
        Err(e) => {
            let free = |port: &u16| bound(&Address { ports: vec![*port], ..address.clone() }).is_ok();
            let other = (USUAL_PORT..).take(100).filter(|port| *port != first).find(free).unwrap_or(USUAL_PORT);
            let uri = plan.registered.as_deref().and_then(|uri| url::Url::parse(uri).ok());
            let uri = uri.filter(|_| session.profile.redirect_uri.is_some()).and_then(|mut uri| {
                uri.set_port(Some(other)).ok()?;
                Some(uri.to_string())
            });
            // an address that names its port wins over `--port`
            let login = match uri {
                Some(uri) => session.typed.login_with(&[("--redirect-uri", &pasted(&uri))]),
                None => session.typed.login_with(&[("--port", &other.to_string())]),
            };
            let reserved = match cfg!(windows) {
                true => "; `netsh interface ipv4 show excludedportrange tcp` shows the ports that the system reserves",
                false => "",
            };
            Some(bad(e.to_string()).advice(format!("register another port, then: {login}{reserved}")))
        }
    }
}

fn bound(address: &Address) -> Result<(), ListenError> {
    let ((requests, _inbox), (strangers, _)) = (channel(), channel());
    Loopback::bind(address, requests, strangers, false).map(drop)
}

/// Why a login has no refresh token.
fn refresh_token(world: &mut World, session: &mut Session, (provider, record): (&Provider, &Record)) -> Option<Found> {
    let set = record.token.as_ref()?;
    if record.withholds("refresh_token") {
        return Some(note("there is one, which this job may not read: another machine renews the token"));
    }
    if set.refresh_token.is_some() {
        return None;
    }
    set.expires_at?;
    const NONE: &str = "the login has none";
    let asked = |scope: &str| record.asked.iter().any(|asked| asked == scope);
    let twin = twin(provider);
    let both = || [Some(provider), twin.as_ref()].into_iter().flatten();
    let listed = || both().flat_map(|it| &it.scopes.known).find(|scope| *scope == OFFLINE).cloned();
    let offline = both().find_map(|it| it.scopes.offline.clone()).or_else(listed);
    let offline = offline.or_else(|| announced(world, session, record));
    if let Some(scope) = offline.as_ref().filter(|scope| !asked(scope)) {
        return Some(
            bad(format!("{NONE}: the scope `{}` was not asked for", safe(scope)))
                .advice(session.typed.login_with(&[("--add-scope", &pasted(scope))])),
        );
    }
    // the parameters that another entry of the same server sends, and this one doesn't
    let sends = |name: &str| session.profile.params.get(name).or_else(|| provider.authorize.params.get(name));
    let twin = twin.map(|twin| twin.authorize.params).unwrap_or_default();
    let wanted = twin.iter().chain(&provider.authorize.params);
    let lacking: BTreeMap<&String, &String> =
        wanted.filter(|(name, value)| BRING_ONE.contains(&name.as_str()) && sends(name) != Some(*value)).collect();
    if !lacking.is_empty() {
        let named = lacking.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let params: Vec<(&str, &str)> = named.iter().map(|param| ("--param", param.as_str())).collect();
        return Some(
            bad(format!("{NONE}: the request did not say `{}`", safe(&named.join("&"))))
                .advice(session.typed.login_with(&params)),
        );
    }
    let asks =
        offline.is_some() || asked(OFFLINE) || BRING_ONE.iter().any(|name| *name != "prompt" && sends(name).is_some());
    if !asks {
        return Some(
            bad(format!("{NONE}, and nothing that is known here asks this provider for one"))
                .advice(format!("find the scope in its documents, then: {}", session.typed.login_with(ADD_SCOPE))),
        );
    }
    Some(
        bad(format!("{NONE}, though it was asked for: the app may not be allowed to"))
            .advice(format!("look at the app's settings, then: {}", session.typed.login())),
    )
}

/// The scope that brings one, if the server's own document lists it.
fn announced(world: &mut World, session: &mut Session, record: &Record) -> Option<String> {
    let _ = session.provider_with(world, Some(record), |provider| provider.announced.known);
    let document = session.metadata().or_else(|| record.metadata.clone())?.document;
    let listed = document.get("scopes_supported")?.as_array()?.iter().any(|scope| scope == OFFLINE);
    listed.then(|| OFFLINE.to_owned())
}

const ADD_SCOPE: &[(&str, &str)] = &[("--add-scope", "SCOPE")];

/// The scope that brings a refresh token (OpenID Connect Core, section 11).
const OFFLINE: &str = "offline_access";

/// Parameters of an authorization request that bring a refresh token.
const BRING_ONE: [&str; 4] = ["access_type", "prompt", "token_access_type", "duration"];
