//! `login`: a person's act. Asks for what is missing, signs in, keeps the tokens, and only then says that it is done.

use std::time::Duration;

use clap::Args;

use crate::api;
use crate::command::{Global, WhoArgs, duration, may_ask, no_input, practice, times};
use crate::config::{self, GrantKind};
use crate::error::{Error, Kind};
use crate::grant::authorization_code::{self, Caught, Login, wants_confirmation};
use crate::grant::redirect_plan::{self, Plan, Target};
use crate::grant::{Asking, client_credentials, device};
use crate::protocol::token_request::{Client, usable_auth};
use crate::provider::{Endpoint, Provider, VarFrom};
use crate::secret::Secret;
use crate::session::fresh::keep;
use crate::session::record::Record;
use crate::session::{Choice, Session, lock, renewal};
use crate::store::keychain::KeychainStore;
use crate::store::{Store, StoreError, StoreKind, environment};
use crate::text::safe;
use crate::token::TokenSet;
use crate::world::World;

/// The wait for the browser: codes live five minutes at most providers.
const USUAL_WAIT: Duration = Duration::from_secs(300);

#[derive(Args, Debug)]
pub struct LoginArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// The redirect address as you registered it; one that isn't on this machine is pasted back.
    #[arg(long, value_name = "URL", help_heading = "Profile")]
    pub redirect_uri: Option<String>,
    /// The port to listen on.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Profile")]
    pub port: Option<u16>,
    /// Print the address, but open no browser.
    #[arg(long)]
    pub no_browser: bool,
    /// How long to wait for the sign-in: `90s`, `5m` [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
}

pub fn run(args: LoginArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let choice = Choice { redirect_uri: args.redirect_uri.clone(), port: args.port, ..args.who.choice(global) };
    let mut session = practice::open(world, choice)?;
    let variable = environment::variable_name(&session.name);
    if world.env.var(&variable).is_some() {
        return Err(Error::usage(format!(
            "the token of `{}` comes from the variable {variable}: a login would not be used",
            session.name
        ))
        .hint(format!("unset {variable}")));
    }
    // a provider that isn't known, or is broken, is told before anything else
    session.raw_provider()?;
    let store_notice = choose_store(world, &mut session)?;
    let old = match session.store.kind() {
        StoreKind::None => None,
        _ => session.load()?,
    };
    ask_vars(world, &mut session)?;
    session.signing_in = true;
    let provider = session.provider(world, old.as_ref())?;
    let grant = session.grant(Some(&provider), None);
    let obtained = match grant {
        GrantKind::ClientCredentials => {
            by_client_credentials(world, &mut session, &provider, old.as_ref(), store_notice)?
        }
        GrantKind::DeviceCode => by_device_code(world, &mut session, &provider, old.as_ref(), &args, store_notice)?,
        GrantKind::AuthorizationCode => by_browser(world, &mut session, &provider, old.as_ref(), &args, store_notice)?,
    };
    finish(world, &mut session, &provider, old, grant, obtained)
}

struct Obtained {
    set: TokenSet,
    client: Client,
    asked: Vec<String>,
    redirect_params: Vec<(String, String)>,
    caught: Option<Caught>,
    confirm: bool,
}

/// Keeps first, tells the browser then, talks last.
fn finish(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    old: Option<Record>,
    grant: GrantKind,
    obtained: Obtained,
) -> Result<u8, Error> {
    let Obtained { set, client, asked, redirect_params, caught, confirm } = obtained;
    let done: Result<Option<String>, Error> = (|| {
        let account = account(world, session, provider, &set);
        if confirm {
            confirm_account(world, session, provider, account.as_deref(), &set)?;
        }
        store_login(world, session, provider, old, grant, &set, &client, &asked, &redirect_params, account.clone())?;
        Ok(account)
    })();
    if let Some(caught) = caught {
        caught.tell(done.is_ok());
    }
    world.signals.release();
    let account = done?;
    let name = session.name.clone();
    let who = account.map(|a| format!(" as {}", safe(&a))).unwrap_or_default();
    let now = world.clock.now();
    world.say(&format!(
        "Signed in to {}{who}. The token of `{name}` is {}.",
        safe(&provider.name),
        times::good_until(set.expires_at, now)
    ));
    if let Some(scopes) = missing_scopes(&asked, &set) {
        world.warn(&format!("not granted: {}", safe(&scopes)));
    }
    if grant == GrantKind::AuthorizationCode
        && set.refresh_token.is_none()
        && provider.refresh.supported
        && set.expires_at.is_some()
    {
        world.warn("the provider gave no refresh token: when this one expires, sign in again");
    }
    if session.store.kind() == StoreKind::None {
        world.warn("the store is `none`: nothing was kept");
    } else {
        world.say(&format!("It rests in {}.", session.store.place()));
    }
    let call =
        first_call(provider, &set).map(|path| format!("   or   oauthctl call {name} {}", for_a_shell(&safe(&path))));
    world.say(&format!("Next: oauthctl token {name}{}", call.unwrap_or_default()));
    Ok(0)
}

fn missing_scopes(asked: &[String], set: &TokenSet) -> Option<String> {
    let granted = set.scopes.as_ref()?;
    let missing: Vec<&str> = asked.iter().filter(|s| !granted.contains(s)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| missing.join(" "))
}

/// A path of the API that shows something at once: who signed in. What stands in braces is what the token's answer said.
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

/// In single quotes where a shell would read more into it.
fn for_a_shell(word: &str) -> String {
    match word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~:@%+=,".contains(&b)) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[expect(clippy::too_many_arguments, reason = "one call, and each is a fact of the login that is kept")]
fn store_login(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    old: Option<Record>,
    grant: GrantKind,
    set: &TokenSet,
    client: &Client,
    asked: &[String],
    redirect_params: &[(String, String)],
    account: Option<String>,
) -> Result<(), Error> {
    if session.store.kind() == StoreKind::None {
        return Ok(());
    }
    let lock = lock::acquire(world, &session.paths, &*session.store, &session.name)?;
    let now = session.load()?;
    let generation = [&now, &old]
        .into_iter()
        .flatten()
        .map(|r| r.generation)
        .chain([renewal::newest_seen(session)])
        .max()
        .unwrap_or(0);
    let before = now.or(old).unwrap_or_default();
    // a secret that comes from outside each time stays outside
    let kept_secret = match session.profile.client_secret.is_some() || world.env.var("OAUTHCTL_CLIENT_SECRET").is_some()
    {
        true => before.client_secret.clone(),
        false => client
            .secret
            .clone()
            .or(before.client_secret.clone().filter(|_| before.client_id.as_deref() == Some(&client.id))),
    };
    let record = Record {
        generation: generation + 1,
        provider: Some(session.provider_name().to_owned()),
        client_id: Some(client.id.clone()),
        client_secret: kept_secret,
        grant: Some(grant),
        asked: asked.to_vec(),
        login_at: Some(world.clock.now()),
        vars: learnt(provider, set, redirect_params),
        account,
        journal_key: Some(renewal::new_key(world)),
        machine: renewal::machine(world),
        token: Some(set.clone()),
        metadata: session.metadata.clone().or(before.metadata),
    };
    keep(world, session, &record)?;
    // what an earlier login left on the disk has nothing to say any more
    renewal::sweep(session);
    let left = old_store(world, session)?;
    remember_profile(world, session, client)?;
    drop(lock);
    leave(world, session, left);
    Ok(())
}

/// The store that this profile has been in until now, if it is another one.
fn old_store(world: &World, session: &Session) -> Result<Option<Box<dyn Store>>, Error> {
    let dir = session.paths.require_config()?;
    let file = config::Config::load_for(&dir, &session.name)?;
    let Some(profile) = file.profiles.get(&session.name) else { return Ok(None) };
    let old = profile.store.or(file.store).unwrap_or(StoreKind::Keychain);
    if old == session.store.kind() || world.env.var("OAUTHCTL_STORE").is_some() {
        return Ok(None);
    }
    Ok(match old {
        StoreKind::Keychain => Some(Box::new(KeychainStore::new(world.keychain.clone()))),
        StoreKind::File => Some(Box::new(crate::session::open_file_store(world, &session.paths)?)),
        StoreKind::Environment | StoreKind::None => None,
    })
}

/// One source of truth: a profile that moved to another store leaves nothing in the old one (C-30), not even what a renewal
/// there is about to save: that one is waited for.
fn leave(world: &mut World, session: &mut Session, old: Option<Box<dyn Store>>) {
    let Some(old) = old else { return };
    let new = std::mem::replace(&mut session.store, old);
    let lock = lock::acquire(world, &session.paths, &*session.store, &session.name);
    let deleted = session.store.delete(&session.name);
    crate::session::copy::forget(world, session);
    renewal::forget_all(session);
    drop(lock);
    let old = std::mem::replace(&mut session.store, new);
    match deleted {
        Ok(true) => world.say(&format!(
            "The tokens in {} were deleted: this profile's are in {} now.",
            old.place(),
            session.store.place()
        )),
        Ok(false) => {}
        // an absent keychain holds nothing that could be used
        Err(StoreError::Absent { .. }) => {}
        Err(e) => world.warn(&format!("what {} still holds of this profile could not be deleted: {e}", old.place())),
    }
}

/// Variables that the redirect or the answer taught (`from = "callback"`, `"token"`).
fn learnt(
    provider: &Provider,
    set: &TokenSet,
    redirect_params: &[(String, String)],
) -> std::collections::BTreeMap<String, String> {
    provider
        .vars
        .iter()
        .filter_map(|(name, var)| {
            let value = match var.from {
                VarFrom::Callback => redirect_params.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()),
                VarFrom::Token => set.extra.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)),
                VarFrom::User | VarFrom::Whoami => None,
            };
            value.map(|v| (name.clone(), v))
        })
        .collect()
}

/// Writes what makes the profile into `config.toml`: only what isn't there already.
fn remember_profile(world: &mut World, session: &Session, client: &Client) -> Result<(), Error> {
    let dir = session.paths.require_config()?;
    let choice = &session.choice;
    let file = config::Config::load_for(&dir, &session.name)?;
    let known = file.profiles.get(&session.name).cloned().unwrap_or_default();
    let mut changes: Vec<(String, String)> = Vec::new();
    let mut change = |key: &str, value: Option<&str>, known: Option<&str>| {
        if let Some(value) = value.filter(|v| Some(*v) != known) {
            changes.push((key.to_owned(), value.to_owned()));
        }
    };
    change("provider", session.profile.provider.as_deref(), known.provider.as_deref());
    change("environment", session.choice.environment.as_deref(), known.environment.as_deref());
    let own_client = session.raw_provider()?.client_id;
    if world.env.var("OAUTHCTL_CLIENT_ID").is_none() {
        change(
            "client-id",
            Some(client.id.as_str()).filter(|id| own_client.as_deref() != Some(id)),
            known.client_id.as_deref(),
        );
    }
    change("grant", choice.grant.map(GrantKind::name), known.grant.map(GrantKind::name));
    change("redirect-uri", choice.redirect_uri.as_deref(), known.redirect_uri.as_deref());
    let port = choice.port.map(|p| p.to_string());
    change("port", port.as_deref(), known.port.map(|p| p.to_string()).as_deref());
    let kind = session.store.kind();
    if choice.store.is_some()
        || (kind == StoreKind::File && file.store != Some(kind) && world.env.var("OAUTHCTL_STORE").is_none())
    {
        change("store", Some(kind.name()), known.store.map(StoreKind::name));
    }
    for (name, value) in &session.profile.vars {
        change(&format!("vars.{name}"), Some(value), known.vars.get(name).map(String::as_str));
    }
    for (name, value) in &choice.params {
        change(&format!("params.{name}"), Some(value), known.params.get(name).map(String::as_str));
    }
    if !choice.scopes.is_empty() && known.scopes.as_ref() != Some(&choice.scopes) {
        changes.push(("scopes".to_owned(), choice.scopes.join(" ")));
    }
    if changes.is_empty() && session.configured {
        return Ok(());
    }
    let name = session.name.clone();
    config::edit(&dir, |editor| {
        for (key, value) in &changes {
            editor.set(&name, key, value)?;
        }
        Ok(())
    })?;
    // the configuration has changed: the copy's link is made anew
    if let Ok(Some(set)) = session.load().map(|r| r.and_then(|r| r.token)) {
        crate::session::copy::write(world, session, &set);
    }
    Ok(())
}

/// Where no keychain answers, sealed files do, and the profile keeps to them. What is to be said of it is said once nothing
/// is missing any more, never silently.
fn choose_store(world: &mut World, session: &mut Session) -> Result<Option<String>, Error> {
    let name = session.name.clone();
    if session.store.kind() == StoreKind::None {
        return Ok(None);
    }
    match session.store.writable(&name) {
        Ok(()) => key_file_notice(world, session),
        Err(StoreError::Absent { why, .. })
            if session.store.kind() == StoreKind::Keychain
                && session.choice.store.is_none()
                && world.env.var("OAUTHCTL_STORE").is_none()
                && session.profile.store.is_none() =>
        {
            let file = crate::session::open_file_store(world, &session.paths)?;
            let how = file.opened_by();
            session.store = Box::new(file);
            session.store.writable(&name)?;
            Ok(Some(format!(
                "No keychain answers here ({why}): the tokens go into sealed files in {}, {how}.",
                session.store.place()
            )))
        }
        Err(e) => Err(e.into()),
    }
}

/// Of a key file beside the sealed files: it keeps nothing from whoever reads the folder.
fn key_file_notice(world: &World, session: &Session) -> Result<Option<String>, Error> {
    if session.store.kind() != StoreKind::File || session.load()?.is_some() {
        return Ok(None);
    }
    let how = crate::session::open_file_store(world, &session.paths)?.opened_by();
    Ok(Some(format!("The tokens go into sealed files in {}, {how}.", session.store.place())))
}

/// The provider's variables that only the person knows.
fn ask_vars(world: &mut World, session: &mut Session) -> Result<(), Error> {
    let raw = session.raw_provider()?;
    let missing: Vec<(String, String)> = raw
        .missing_vars(&session.profile.vars)
        .into_iter()
        .filter(|(name, _)| *name != "base")
        .map(|(name, var)| {
            let prompt = var.prompt.clone().unwrap_or_else(|| name.to_owned());
            let allowed = if var.one_of.is_empty() { String::new() } else { format!(" [{}]", var.one_of.join(", ")) };
            (name.to_owned(), format!("{prompt}{allowed}"))
        })
        .collect();
    for (name, prompt) in missing {
        if !may_ask(world) {
            return Err(Error::usage(format!("provider `{}` needs `{name}`: {}", raw.id, safe(&prompt)))
                .hint(format!("oauthctl profile set {} vars.{name} VALUE", session.name)));
        }
        let value = ask(world, &safe(&prompt))?;
        session.profile.vars.insert(name, value);
    }
    Ok(())
}

fn by_client_credentials(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    old: Option<&Record>,
    store_notice: Option<String>,
) -> Result<Obtained, Error> {
    let client = complete_client(
        world,
        session,
        provider,
        old,
        provider.client_credentials.as_ref().unwrap_or(&provider.token),
        None,
    )?;
    say_if(world, store_notice);
    let asked = session.scopes(provider, GrantKind::ClientCredentials);
    let name = session.name.clone();
    let asking = Asking { profile: &name, provider, client: &client };
    let set = client_credentials::obtain(world, &asking, &asked, &mut |_| ())?.set;
    Ok(Obtained { set, client, asked, redirect_params: Vec::new(), caught: None, confirm: false })
}

fn say_if(world: &mut World, notice: Option<String>) {
    if let Some(notice) = notice {
        world.say(&notice);
    }
}

/// On a machine without a browser: the code is entered anywhere.
fn by_device_code(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    old: Option<&Record>,
    args: &LoginArgs,
    store_notice: Option<String>,
) -> Result<Obtained, Error> {
    let endpoint = provider.device.as_ref().map_or(&provider.token, |device| &device.endpoint);
    let client = complete_client(world, session, provider, old, endpoint, None)?;
    say_if(world, store_notice);
    let asked = session.scopes(provider, GrantKind::DeviceCode);
    let name = session.name.clone();
    let asking = Asking { profile: &name, provider, client: &client };
    // the server says how long the code is good; `--timeout` can only shorten it
    let timeout = args.timeout.unwrap_or(Duration::from_secs(3600));
    let set = device::obtain(world, &asking, &asked, timeout, &mut |_| ())?.set;
    Ok(Obtained { set, client, asked, redirect_params: Vec::new(), caught: None, confirm: false })
}

fn by_browser(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    old: Option<&Record>,
    args: &LoginArgs,
    store_notice: Option<String>,
) -> Result<Obtained, Error> {
    let random = crate::session::random_hex(world);
    let plan = redirect_plan::plan(provider, session.profile.redirect_uri.as_deref(), session.profile.port, &random)?;
    let client = complete_client(world, session, provider, old, &provider.token, Some(&plan))?;
    let quiet = no_input(world);
    let take_paste = !quiet;
    if let (Target::Paste { why }, false) = (&plan.target, take_paste) {
        return Err(Error::usage(format!("{why}, and questions are off here: the address can't be pasted"))
            .hint("`--grant client-credentials`, where the provider offers it, needs no browser"));
    }
    say_if(world, store_notice);
    let ssh = world.env.var("SSH_CONNECTION");
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].iter().any(|name| world.env.var(name).is_some());
    let name = session.name.clone();
    let asked = session.scopes(provider, GrantKind::AuthorizationCode);
    let params: Vec<(String, String)> = session.profile.params.clone().into_iter().collect();
    let confirm = wants_confirmation(provider.authorize.state, &plan);
    let login = Login {
        asking: Asking { profile: &name, provider, client: &client },
        scopes: &asked,
        plan,
        params: &params,
        timeout: args.timeout.unwrap_or(USUAL_WAIT),
        open_browser: !args.no_browser && !quiet && (ssh.is_none() || has_display),
        take_paste,
        ssh,
        iss_required: session.iss_required,
    };
    let obtained = authorization_code::obtain(world, &login, &mut |_| ())?;
    Ok(Obtained {
        set: obtained.answer.set,
        client,
        asked,
        redirect_params: obtained.redirect_params,
        caught: Some(obtained.caught),
        confirm,
    })
}

/// Client id and secret, asked for at the terminal where they are missing.
fn complete_client(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    old: Option<&Record>,
    endpoint: &Endpoint,
    plan: Option<&Plan>,
) -> Result<Client, Error> {
    let known = session.client(world, provider, old)?;
    if let Some(client) = &known
        && (client.secret.is_some() || usable_auth(endpoint, client).is_ok())
    {
        return Ok(client.clone());
    }
    if !may_ask(world) {
        return match known {
            None => Err(unregistered(session, provider, plan)),
            Some(client) => usable_auth(endpoint, &client).map(|_| client.clone()).map_err(Error::from),
        };
    }
    introduce(world, provider, plan);
    let id = match known {
        Some(client) => client.id,
        None => ask(world, "Client id")?,
    };
    let public_too = usable_auth(endpoint, &Client { id: id.clone(), secret: None }).is_ok();
    let question =
        if public_too { "Client secret (not shown; Enter if the app has none)" } else { "Client secret (not shown)" };
    let secret = ask_hidden(world, question)?;
    let secret = (!secret.is_empty()).then_some(secret);
    if secret.is_none() && !public_too {
        return Err(
            Error::usage("this provider wants a client secret").hint(format!("oauthctl login {}", session.name))
        );
    }
    if let Some(secret) = &secret {
        session.set_secret(secret.clone());
    }
    session.profile.client_id = Some(id.clone());
    Ok(Client { id, secret })
}

/// No client id, and nobody to ask for one.
fn unregistered(session: &Session, provider: &Provider, plan: Option<&Plan>) -> Error {
    let name = &session.name;
    let register = provider.console_url.as_deref().map(|console| {
        let redirect = plan.and_then(Plan::to_register).map(|uri| format!(", with the redirect URL {}", safe(&uri)));
        format!("register an app at {}{}", safe(console), redirect.unwrap_or_default())
    });
    let mut error = Error::usage(format!("no client id is known for `{name}`, and there is no terminal to ask at"));
    error.hints.extend(register);
    error
        .hint(format!("oauthctl login {name} --client-id ID --client-secret-file FILE"))
        .hint("in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET")
}

/// Where to register, and what to enter there.
fn introduce(world: &mut World, provider: &Provider, plan: Option<&Plan>) {
    world.say(&format!(
        "To sign in to {} you need an app of your own there (its client id and client secret).",
        safe(&provider.name)
    ));
    if let Some(console) = &provider.console_url {
        world.say(&format!("  Register it at: {}", safe(console)));
    } else if let Some(note) = provider.notes.first() {
        world.say(&format!("  {}", safe(note)));
    }
    if let Some(plan) = plan {
        match plan.to_register() {
            Some(uri) => world.say(&format!("  Redirect URL to enter there: {}", safe(&uri))),
            None => world.say(
                "  Redirect URL to enter there: any https address of your own; you paste back where the browser ends",
            ),
        }
    }
    world.say("");
}

fn ask(world: &mut World, question: &str) -> Result<String, Error> {
    let _ = world.err.show(&format!("{question}: "));
    let answer =
        world.terminal.read_line().map_err(|e| Error::new(Kind::Usage, "the terminal could not be read").cause(e))?;
    let answer = answer.trim().to_owned();
    if answer.is_empty() { Err(Error::usage(format!("{question}: nothing was entered"))) } else { Ok(answer) }
}

fn ask_hidden(world: &mut World, question: &str) -> Result<Secret, Error> {
    world.terminal.hide();
    let _ = world.err.show(&format!("{question}: "));
    let answer =
        world.terminal.read_hidden().map_err(|e| Error::new(Kind::Usage, "the terminal could not be read").cause(e))?;
    Ok(Secret::new(answer.trim()))
}

/// Who signed in, if that can be had cheaply. A login is no failure because this is.
fn account(world: &mut World, session: &mut Session, provider: &Provider, set: &TokenSet) -> Option<String> {
    let whoami = provider.whoami.as_ref()?;
    match api::whoami::ask(world, provider, whoami, set) {
        Ok(account) => account,
        Err(e) => {
            let name = session.name.clone();
            world.step(|| format!("who signed in to `{name}` is not known: {}", e.message));
            None
        }
    }
}

/// Nothing ties this redirect to this login (the provider returns no `state`): the person looks at who it is.
fn confirm_account(
    world: &mut World,
    session: &Session,
    provider: &Provider,
    account: Option<&str>,
    set: &TokenSet,
) -> Result<(), Error> {
    let id = account
        .map(str::to_owned)
        .or_else(|| set.extra.get("user_id").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)));
    let who = id.map_or_else(|| "an account that is not named".to_owned(), |id| format!("user {}", safe(&id)));
    if !may_ask(world) {
        world.warn(&format!("{} can't prove that this sign-in is yours: it is {who}", safe(&provider.name)));
        return Ok(());
    }
    let _ = world.err.show(&format!(
        "{} can't prove that this sign-in is yours. It is {who}. Keep it? [Y/n]: ",
        safe(&provider.name)
    ));
    let answer = world.terminal.read_line().unwrap_or_default();
    match answer.trim().to_lowercase().as_str() {
        "" | "y" | "yes" => Ok(()),
        _ => {
            Err(Error::new(Kind::Refused, "the sign-in was not kept").hint(format!("oauthctl login {}", session.name)))
        }
    }
}
