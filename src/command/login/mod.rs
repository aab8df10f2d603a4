//! `login`: asks for missing values, signs in, and stores the tokens before it reports success.

mod browser;
mod confirm;
mod elsewhere;
mod guide;
mod prompt;
mod which;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;

use browser::{Attempt, Obtained, by_browser, make_ready};
use confirm::{confirm_account, taken_back};
use elsewhere::without_browser;
use prompt::ask_vars;

use crate::api;
use crate::api::whoami::Told;
use crate::command::status::in_time;
use crate::command::{Global, WhoArgs, may_ask, pace, patience, register, sandbox_session};
use crate::config::{GrantKind, SignIn, words};
use crate::error::{Error, Kind};
use crate::grant::refresh::spendable;
use crate::grant::signed_in_as::{self, SignedInAs};
use crate::grant::support::{self, check_authorization_request, check_grant};
use crate::protocol::authorization_details;
use crate::protocol::id_token;
use crate::provider::{Provider, VarFrom, When};
use crate::session::keep::{NewLogin, choose_store, earlier, store_login};
use crate::session::matching::{elsewhere, flags_serve, must_keep_registration, piped_inputs};
use crate::session::record::Record;
use crate::session::{Session, unfinished};
use crate::store::StoreKind;
use crate::text::times;
use crate::text::{for_a_shell, nearest, safe};
use crate::token::TokenSet;
use crate::world::http_server::loopback::Page;
use crate::world::{HttpError, World, authorities, usable_proxy_for};

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl login getresponse
  oauthctl login work --provider getresponse
  oauthctl login google --preset gmail-readonly
  oauthctl login https://issuer.example --client-id ID --scope openid
  oauthctl login vr2 --grant client-credentials")]
pub struct LoginArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// The scopes that the provider's file has under this name, beside `--scope`; may be given
    /// several times.
    #[arg(long = "preset", value_name = "PRESET", help_heading = "Profile")]
    pub presets: Vec<String>,
    /// A scope beside those of the earlier login; may be given several times.
    #[arg(long = "add-scope", value_name = "SCOPE", value_parser = words::said, conflicts_with = "scopes", help_heading = "Profile")]
    pub added_scopes: Vec<String>,
    /// The redirect address that you registered; paste it back if it isn't on this machine.
    #[arg(long, value_name = "URL", help_heading = "Profile")]
    pub redirect_uri: Option<String>,
    /// The port to listen on, or several: the first free one (`8976-8980`, `8976,9000`).
    #[arg(long, value_name = "PORTS", value_parser = words::port, help_heading = "Profile")]
    pub port: Option<String>,
    /// The address to bind, behind the forwarder of a container (`0.0.0.0`, `0.0.0.0:9000`).
    #[arg(long, value_name = "ADDRESS", value_parser = words::listens, help_heading = "Profile")]
    pub listen: Option<String>,
    /// Print the address; open no browser.
    #[arg(long)]
    pub no_browser: bool,
    /// The longest time to wait for the sign-in, and for a response: `90s`, `5m` [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = patience)]
    pub timeout: Option<Duration>,
    /// Accept, without a question, a sign-in that can't be proved yours (no `state` returned).
    #[arg(long)]
    pub yes: bool,
    /// Without a client id: register this program at the provider, without a question.
    #[arg(long, conflicts_with = "no_register")]
    pub register: bool,
    /// Never register this program.
    #[arg(long)]
    pub no_register: bool,
    /// Explain each step as it happens, with the RFC's section; secrets as fingerprints.
    #[arg(long)]
    pub explain: bool,
    #[command(flatten)]
    pub sign_in: SignIn,
}

/// The start of a sign-in.
struct Start<'a> {
    provider: &'a Provider,
    /// The record of an earlier login.
    old: Option<&'a Record>,
    grant: GrantKind,
    args: &'a LoginArgs,
    /// `init`, or a first login.
    guided: bool,
}

/// `init`: a guided login, whatever is configured.
pub fn run(args: LoginArgs, init: bool, global: &Global, world: &mut World) -> Result<u8, Error> {
    world.patience = args.timeout;
    let mut choice = args.who.choice(global);
    (choice.flags.redirect_uri, choice.flags.port) = (args.redirect_uri.clone(), args.port.clone());
    choice.flags.listen.clone_from(&args.listen);
    choice.flags.asks.sign_in = args.sign_in.clone();
    choice.signing_in = true;
    let plain = choice.options().is_empty() && args.presets.is_empty() && args.added_scopes.is_empty();
    let led = which::find(world, &mut choice, init)?;
    let mut session = sandbox_session::open(world, choice)?;
    session.may_move()?;
    if init {
        session.typed.is_guided();
    }
    let variable = session.token_variable(world);
    if world.env.var(&variable).is_some() {
        return Err(Error::usage(format!(
            "the token of `{}` comes from the variable {variable}: a login would have no effect",
            session.name
        ))
        .hint(format!("unset {variable}")));
    }
    // an unknown or broken provider is the first error
    let known = session.raw_provider()?;
    if let Some(unknown) = args.presets.iter().find(|name| !known.scopes.presets.contains_key(*name)) {
        return Err(no_preset(&known, unknown));
    }
    // people type `vr2`; the provider's own name is stored
    if session.provider_name() != known.id && !session.provider_name().contains("://") {
        session.profile.provider = Some(known.id.clone());
    }
    if guide::is_for_ci(world, init) {
        ask_more(world, &mut session, (&known, None), (&args, false))?;
        return guide::for_ci(world, &session, &known);
    }
    let store_notice = choose_store(world, &mut session)?;
    let mut attempt = Attempt { store_notice, guided: init, led: init || led, plain, ..Attempt::default() };
    if may_ask(world) {
        // the answers are stored there
        attempt.say_notice(world);
    }
    sign_in(world, &mut session, &args, &mut attempt).map_err(|e| {
        if attempt.led {
            unfinished::begun(world, &session, &e);
        }
        unfinished::after(world, &session, attempt.asked.as_ref(), e)
    })
}

fn sign_in(world: &mut World, session: &mut Session, args: &LoginArgs, attempt: &mut Attempt) -> Result<u8, Error> {
    let mut old = match session.store.kind() {
        StoreKind::None => None,
        _ => earlier(world, session)?,
    };
    must_keep_registration(session, old.as_ref())?;
    // without its variables
    let known = &session.raw_provider()?;
    guide::begin(world, session, (known, old.as_ref()), (&mut *attempt, args.no_browser))?;
    // otherwise the server's metadata decides whether a port is needed
    if known.authorize.url.is_some() && session.grant(Some(known), None) == GrantKind::AuthorizationCode {
        attempt.waiting = Some(make_ready(world, session, known)?);
    }
    guide::all_said(world, session, (known, old.as_ref()), attempt)?;
    ask_vars(world, session, old.as_ref())?;
    let mut provider = session.provider(world, old.as_ref())?;
    if let Some(url) = provider.token.url.as_deref().filter(|url| url.starts_with("https:")) {
        // reported before the sign-in, rather than at the exchange of the code
        authorities(&*world.env).map_err(HttpError::Authorities)?;
        usable_proxy_for(&*world.env, url).map_err(HttpError::Proxy)?;
    }
    let (grant, guided) = (session.grant(Some(&provider), None), attempt.guided);
    let pushes = session.profile.asks.sign_in.par == Some(When::Always) || provider.par == When::Always;
    let forgotten = |id: &str| old.as_ref().is_some_and(|old| old.is_forgotten(id));
    let registers = !args.no_register
        && provider.issuer.is_some()
        && provider.registration_url.is_none()
        && session.client(world, old.as_ref())?.is_none_or(|client| forgotten(&client.id));
    provider = session.provider_with(world, old.as_ref(), |provider| match grant {
        GrantKind::DeviceCode => provider.device.as_ref().is_some_and(|device| device.endpoint.url.is_some()),
        GrantKind::Ciba => provider.ciba.as_ref().is_some_and(|ciba| ciba.url.is_some()),
        _ => !registers && (provider.par_url.is_some() || !pushes),
    })?;
    ask_more(world, session, (&provider, old.as_ref()), (args, attempt.guided))?;
    flags_serve(session, grant)?;
    let by_name = session.profile.grant == Some(grant);
    check_grant(world, &provider, (grant, by_name), &session.typed)?;
    support::scopes(world, &provider, session.said_scopes(&provider).as_deref());
    if grant == GrantKind::AuthorizationCode {
        check_authorization_request(&provider, &session.profile.asks.sign_in)?;
        if attempt.waiting.is_none() {
            attempt.waiting = Some(make_ready(world, session, &provider)?);
        }
    }
    let start = Start { provider: &provider, old: old.as_ref(), grant, args, guided };
    if prompt::registers(world, session, &start)? {
        register::make(world, session, register::USUAL_NAME, None)?;
        old = session.load()?;
        // the server may have registered another method of client authentication
        provider = session.provider(world, old.as_ref())?;
    }
    let start = Start { provider: &provider, old: old.as_ref(), grant, args, guided };
    warn_of_mistyped(world, session, &provider);
    let obtained = match grant {
        GrantKind::AuthorizationCode => by_browser(world, session, &start, attempt)?,
        _ => without_browser(world, session, &start, attempt)?,
    };
    finish(world, session, &start, obtained)
}

/// Adds the scopes of presets to those that were typed, and added ones to those of the login. A
/// guided login asks.
fn ask_more(
    world: &mut World,
    session: &mut Session,
    (provider, old): (&Provider, Option<&Record>),
    (args, guided): (&LoginArgs, bool),
) -> Result<(), Error> {
    if args.presets.is_empty() && args.added_scopes.is_empty() {
        return if guided { guide::ask_scopes(world, session, (provider, old)) } else { Ok(()) };
    }
    let mut asked = session.choice.flags.target.scopes.take().unwrap_or_default();
    if !args.added_scopes.is_empty() {
        asked = login_scopes(session, provider, old);
    }
    let presets = args.presets.iter().filter_map(|name| provider.scopes.presets.get(name)).flatten();
    let added = args.added_scopes.iter().flat_map(|scopes| scopes.split_whitespace()).map(str::to_owned);
    for scope in presets.cloned().chain(added) {
        if !asked.contains(&scope) {
            asked.push(scope);
        }
    }
    session.profile.target.scopes = Some(asked.clone());
    session.choice.flags.target.scopes = Some(asked);
    Ok(())
}

/// The scopes that were granted, or else asked for; the usual ones, where there is no such login.
fn login_scopes(session: &Session, provider: &Provider, old: Option<&Record>) -> Vec<String> {
    let old = old.filter(|old| elsewhere(session, old).is_none());
    let granted = old.and_then(|old| old.token.as_ref()?.scopes.clone());
    let asked = old.map(|old| old.asked.clone());
    let known = granted.into_iter().chain(asked).find(|scopes| !scopes.is_empty());
    known.unwrap_or_else(|| session.scopes(provider, session.grant(Some(provider), None)))
}

fn no_preset(provider: &Provider, typed: &str) -> Error {
    let known: Vec<&str> = provider.scopes.presets.keys().map(String::as_str).collect();
    let meant = nearest(typed, known.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
    let error = format!("`{}` has no preset `{}`{}", provider.id, safe(typed), meant.unwrap_or_default());
    Error::usage(error).hint(match known.is_empty() {
        true => "it has none: `--scope` names scopes".to_owned(),
        false => format!("`oauthctl provider show {}` shows its presets", provider.id),
    })
}

/// Warns of a scope that is nearly one of the provider's. The server judges it.
fn warn_of_mistyped(world: &mut World, session: &Session, provider: &Provider) {
    let facts = &provider.scopes;
    let listed = || [&facts.known, &facts.default, &facts.always].into_iter().chain(facts.presets.values());
    let known = || listed().flatten().chain(&facts.offline);
    for scope in session.said_scopes(provider).iter().flatten().filter(|scope| !known().any(|known| known == *scope)) {
        if let Some(meant) = nearest(scope, known().map(String::as_str)) {
            world.warn(&format!("the scope `{}` is not known; did you mean `{}`?", safe(scope), safe(meant)));
        }
    }
}

/// Stores the tokens, then answers the browser, then reports.
fn finish(world: &mut World, session: &mut Session, start: &Start<'_>, mut obtained: Obtained) -> Result<u8, Error> {
    let mut caught = obtained.caught.take();
    if let Some(caught) = caught.take_if(|_| obtained.confirm && !start.args.yes && may_ask(world)) {
        // the browser has done its part: the question is here
        caught.tell(Page::Asked);
    }
    let done = accept(world, session, start, &mut obtained);
    if let Some(caught) = caught {
        caught.tell(if done.is_ok() { Page::Done } else { Page::Failed });
    }
    world.signals.release();
    let Accepted { account, unverified, provider, secret_not_kept } = done?;
    let but = if unverified { " (not verified)" } else { "" };
    let who = account.map(|a| format!(" as {}{but}", safe(&a))).unwrap_or_default();
    signed_in(world, session, start, (&obtained, &who));
    say_next(world, session, (&provider, &obtained.set), (secret_not_kept, start.guided));
    Ok(0)
}

/// A login that is stored.
struct Accepted {
    account: Option<String>,
    /// The account's name is from an ID token that could not be verified.
    unverified: bool,
    provider: Provider,
    secret_not_kept: bool,
}

/// Finds out whose token it is, asks where that is wanted, and stores the login.
fn accept(
    world: &mut World,
    session: &mut Session,
    start: &Start<'_>,
    obtained: &mut Obtained,
) -> Result<Accepted, Error> {
    let mut vars = start.provider.told_by_redirect(&obtained.redirect_params);
    vars.extend(start.provider.told_by_answer(&obtained.set.extra));
    let mut provider = session.learn(VarFrom::Token, &vars, &obtained.client)?;
    // a wrong ID token ends the login before the access token is used
    let identity = identify(world, session, start, obtained)?;
    let (told, more) = account(world, session, &provider, &obtained.set).unwrap_or_default();
    if provider.vars.values().any(|var| var.from == VarFrom::Whoami) {
        vars.extend(more);
        provider = session.learn(VarFrom::Whoami, &vars, &obtained.client)?;
    }
    let unverified = told.is_none() && identity.as_ref().is_some_and(|identity| !identity.verified);
    let account = match (told, identity) {
        (None, Some(identity)) => named(world, session, obtained, &identity),
        (told, _) => told,
    };
    if obtained.confirm {
        let asking = session.asking_with(&provider, &obtained.client);
        confirm_account(world, &asking, (account.as_deref(), &obtained.set), start.args.yes)?;
    }
    let login = NewLogin {
        provider: &provider,
        old: start.old.cloned(),
        grant: start.grant,
        set: &mut obtained.set,
        client: &obtained.client,
        asked: &obtained.asked,
        vars: vars.clone(),
        account: account.clone(),
        imported: None,
    };
    let stored = store_login(world, session, login);
    let secret_not_kept = stored.map_err(|e| not_stored(world, session, (start, &provider, obtained), e))?;
    for name in provider.untaught(&vars) {
        world.warn(&format!("the sign-in did not bring `{}`: requests that need it fail", safe(name)));
    }
    Ok(Accepted { account, unverified, provider, secret_not_kept })
}

/// Revokes the tokens of a login that could not be saved: nobody could ever use or end them. Those
/// of an earlier login, which the provider may end with them, are still stored.
fn not_stored(
    world: &mut World,
    session: &Session,
    (start, provider, obtained): (&Start<'_>, &Provider, &Obtained),
    e: Error,
) -> Error {
    let set = &obtained.set;
    let is_kept = |record: Record| record.token.is_some_and(|kept| kept.access_token == set.access_token);
    let has_earlier = start.old.is_some_and(|old| old.token.is_some());
    if e.kind != Kind::NotSaved || has_earlier || session.load().ok().flatten().is_some_and(is_kept) {
        return e;
    }
    taken_back(world, &session.asking_with(provider, &obtained.client), set, e)
}

/// Shows the next commands.
fn say_next(
    world: &mut World,
    session: &Session,
    (provider, set): (&Provider, &TokenSet),
    (secret_not_kept, guided): (bool, bool),
) {
    if secret_not_kept {
        world.say(&format!(
            "The client secret is not stored: each refresh needs it in the environment (`{}` stores it).",
            session.typed.line("profile set-secret")
        ));
    }
    if session.store.kind() == StoreKind::None && session.grant(Some(provider), None).needs_person() {
        let login = session.typed.login_with(&[("--store", StoreKind::File.name())]);
        return world.say(&format!("Next: {login}   keeps the token"));
    }
    let call = first_call(provider, set).map(|path| for_a_shell(&safe(&path)));
    if guided {
        return guide::go_on(world, session, call);
    }
    let call = call.map(|path| format!("   or   {} {path}", session.typed.line("call")));
    world.say(&format!("Next: {}{}", session.typed.line("token"), call.unwrap_or_default()));
}

/// Reports the result.
fn signed_in(
    world: &mut World,
    session: &Session,
    &Start { provider, grant, .. }: &Start<'_>,
    (Obtained { set, asked, .. }, who): (&Obtained, &str),
) {
    let now = world.clock.now();
    world.say(&format!(
        "Signed in to {}{who}. The token of `{}` {}.",
        safe(&provider.name),
        session.name,
        times::good_until(set.expires_at, now)
    ));
    if let Some(scopes) = missing_scopes(asked, set) {
        world.warn(&format!("not granted: {}", safe(&scopes)));
    }
    let by_person = matches!(grant, GrantKind::AuthorizationCode | GrantKind::DeviceCode | GrantKind::Ciba);
    // CIBA always asks for it
    let for_identity = grant == GrantKind::Ciba || asked.iter().any(|scope| scope == "openid");
    if set.id_token.is_none() && by_person && for_identity {
        world.warn("the provider sent no ID token, though the scope `openid` was requested");
    }
    if let Some(granted) = set.extra.get("authorization_details").map(authorization_details::granted) {
        world.say(&format!("Granted in detail: {}", safe(&granted.join(", "))));
    } else if session.profile.asks.sign_in.authorization_details.is_some() && grant == GrantKind::AuthorizationCode {
        world.warn("the provider does not say which authorization details it granted");
    }
    if grant == GrantKind::AuthorizationCode
        && spendable(provider, set).is_none()
        && provider.refresh.supported
        && set.expires_at.is_some()
    {
        world.warn("the provider gave no refresh token: when this one expires, sign in again");
    }
    for what in piped_inputs(session).into_iter().filter(|_| set.refresh_token.is_none()) {
        world.warn(&format!("the {what} is not stored: when the token expires, log in again"));
    }
    let login = Record { token: Some(set.clone()), login_at: Some(now), ..Record::default() };
    if let Some(end) = login.ends(provider).filter(|_| by_person) {
        world.say(&format!("The login ends {}.", in_time(&end, now)));
    }
    if session.store.kind() == StoreKind::None {
        world.warn("the store is `none`: nothing was stored");
    } else {
        world.say(&format!("It is stored in {}.", session.store.in_words()));
    }
}

fn missing_scopes(asked: &[String], set: &TokenSet) -> Option<String> {
    let granted = set.scopes.as_ref()?;
    let missing: Vec<&str> = asked.iter().filter(|s| !granted.contains(s)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| missing.join(" "))
}

/// A path of the API to try: it shows who signed in. The token response fills the braces.
fn first_call(provider: &Provider, set: &TokenSet) -> Option<String> {
    let whoami = &provider.whoami.as_ref()?.url;
    let base = provider.api.base_url.as_deref().unwrap_or("");
    let mut path = whoami.strip_prefix(base).unwrap_or(whoami).to_owned();
    for (name, value) in &set.extra {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    (path.starts_with('/') && !path.contains('{')).then_some(path)
}

/// The user by the ID token, if there is one.
fn identify(
    world: &mut World,
    session: &mut Session,
    start: &Start<'_>,
    Obtained { client, set, sent, .. }: &Obtained,
) -> Result<Option<SignedInAs>, Error> {
    if set.id_token.is_none() {
        return Ok(None);
    }
    let provider = match start.provider.issuer {
        Some(_) => session.whole_provider(world, start.old)?,
        None => start.provider.clone(),
    };
    let mut ring = session.key_ring();
    let asking = session.asking_with(&provider, client);
    let identity = signed_in_as::of_login(world, &asking, &mut ring, (set, sent));
    session.keep_keys(ring.kept().cloned());
    identity
}

/// The user's name by the ID token; by the userinfo endpoint if the token has only a number.
fn named(
    world: &mut World,
    session: &mut Session,
    Obtained { client, set, .. }: &Obtained,
    identity: &SignedInAs,
) -> Option<String> {
    let by_token = id_token::account(&identity.claims);
    if !identity.verified || by_token.as_deref() != identity.claims.get("sub").and_then(|sub| sub.as_str()) {
        return by_token;
    }
    let told = session.whole_provider(world, None).and_then(|provider| {
        let mut ring = session.key_ring();
        let binding = session.binding(world, set)?;
        let typed = session.typed.clone();
        api::userinfo::ask(world, &provider, client, &mut ring, (set, &binding), Some(&identity.claims), &typed)
    });
    match told {
        Ok(claims) => id_token::account(&claims).or(by_token),
        Err(e) => {
            world.step(|| format!("the user's name is not known, only the number: {}", e));
            by_token
        }
    }
}

/// The account is not asked for if the provider's limits demand a longer wait.
const LONGEST_FOR_ACCOUNT: Duration = Duration::from_secs(5);

/// The account, and the variables that come with it, if the provider has a check for it. Its
/// failure is no failure of the login.
pub fn account(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    set: &TokenSet,
) -> Option<(Option<String>, BTreeMap<String, String>)> {
    let whoami = provider.whoami.as_ref()?;
    let mut pace = pace(session, provider);
    let asked = session
        .binding(world, set)
        .and_then(|binding| api::whoami::ask(world, provider, whoami, (set, &binding), &mut pace, LONGEST_FOR_ACCOUNT));
    let why = match asked {
        Ok(Told::Account(account, vars)) => return Some((account, vars)),
        Ok(Told::Refused { status, .. }) => format!("the check of the token answered {status}"),
        Err(e) => e.to_string(),
    };
    world.step(|| format!("the account of `{}` is not known: {why}", session.name));
    None
}
