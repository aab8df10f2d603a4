//! `import`: takes over logins that other programs made. Each is stored first and then refreshed,
//! so that a crash loses none; a refresh shows whether it is alive.

mod profiles;
mod sources;

use std::time::Duration;

use clap::{Args, ValueEnum};

use sources::{Found, Token};

use crate::api;
use crate::api::whoami::Told;
use crate::command::{Global, WhoFlags, list, pace, sandbox_session};
use crate::config;
use crate::error::{Error, Fate, Kind};
use crate::protocol::client::Client;
use crate::provider::{Provider, catalogue};
use crate::secret::{Secret, hash};
use crate::session::Session;
use crate::session::bound::Bound;
use crate::session::fresh::{FreshnessPolicy, fresh};
use crate::session::keep::{Before, NewLogin, choose_store, earlier, store_login};
use crate::session::lock;
use crate::session::matching::must_stay;
use crate::session::paths::Paths;
use crate::session::record::Record;
use crate::session::secret_source::{secret_to_store, text_of_file};
use crate::text::{pasted, safe, times};
use crate::token::TokenSet;
use crate::world::World;

/// The longest file of another program's, in bytes.
const LONGEST: usize = 4 << 20;

/// How long the check of a token may wait for the provider's limits.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args, Debug)]
#[command(after_help = "The login moves here: most providers replace the refresh token at its first use, and the other
program's copy is spent then. A profile that has a login already is left alone.

Examples:
  oauthctl import refresh-token token.txt --provider dropbox --client-id ID
  oauthctl import rclone
  oauthctl import gcloud --profile google
  gpg -d ann.token | oauthctl import mutt-oauth2
  oauthctl import dotenv --provider dropbox
  oauthctl import gh
  oidc-gen -p egi | oauthctl import oidc-agent")]
pub struct ImportArgs {
    /// The program that has the login.
    #[arg(value_enum)]
    source: Source,
    /// Its file; `-` is standard input [default: where the program keeps it, or standard input]
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// The profile that gets the login [default: its name in the other program]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    #[command(flatten)]
    flags: WhoFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// A refresh token alone; `--provider` and `--client-id` say the rest.
    RefreshToken,
    /// rclone's remotes that have a client of their own.
    Rclone,
    /// Google's application default credentials, as gcloud writes them.
    Gcloud,
    /// An account of oidc-agent's, as `oidc-gen -p` prints it.
    OidcAgent,
    /// The token file of mutt_oauth2.py, decrypted.
    MuttOauth2,
    /// A file of `NAME=VALUE` lines: a refresh token, its client's id and secret.
    Dotenv,
    /// An environment that Postman exported: a refresh token, its client's id and secret.
    Postman,
    /// The accounts of GitHub's gh: its `hosts.yml`, or what `gh auth token` prints.
    Gh,
    /// The cache of Google's oauth2l.
    Oauth2l,
    /// An account of ortie's; its token comes from standard input.
    Ortie,
    /// A login that `oauthctl export --to` sealed, opened by age.
    Login,
    /// A profile without secrets, as `oauthctl export` prints it.
    Profile,
}

impl Source {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Where the program keeps its logins; standard input where that is sealed, or nowhere.
    fn usual_file(self, world: &World) -> String {
        let configured = |place: &str| match world.env.var("XDG_CONFIG_HOME") {
            Some(folder) => format!("{folder}/{place}"),
            None => format!("~/.config/{place}"),
        };
        match self {
            Source::Rclone => {
                world.env.var("RCLONE_CONFIG").unwrap_or_else(|| "~/.config/rclone/rclone.conf".to_owned())
            }
            Source::Gcloud => "~/.config/gcloud/application_default_credentials.json".to_owned(),
            Source::Gh => match world.env.var("GH_CONFIG_DIR") {
                Some(folder) => format!("{folder}/hosts.yml"),
                None => configured("gh/hosts.yml"),
            },
            Source::Oauth2l => "~/.oauth2l".to_owned(),
            Source::Ortie => world.env.var("ORTIE_CONFIG").unwrap_or_else(|| configured("ortie/config.toml")),
            Source::Dotenv => ".env".to_owned(),
            Source::RefreshToken
            | Source::OidcAgent
            | Source::MuttOauth2
            | Source::Postman
            | Source::Login
            | Source::Profile => "-".to_owned(),
        }
    }
}

pub fn run(args: &ImportArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let file = args.file.clone().unwrap_or_else(|| args.source.usual_file(world));
    let text = match args.source {
        Source::RefreshToken => secret_to_store(world, &file, "refresh token")?,
        // a file has words beside its secrets, which are listed as they are read
        _ => {
            let elsewhere = || format!("if it is elsewhere: `oauthctl import {} FILE`", args.source.name());
            let text = text_of_file(world, &file, ("login", LONGEST));
            let text = text.map_err(|e| if args.file.is_none() { e.hint(elsewhere()) } else { e })?;
            // some programs of Windows' begin a file so
            Secret::unlisted(text.trim_start_matches('\u{feff}'))
        }
    };
    if args.source == Source::Profile {
        return profiles::add(world, text.expose(), args.profile.as_deref());
    }
    if text.expose().trim().is_empty() {
        let place = if file == "-" { "standard input" } else { &file };
        return Err(Error::usage(format!("{place} is empty: there is no login in it")));
    }
    let own = match Paths::find(&*world.env).config {
        Some(dir) => config::provider_names(&dir)?.into_iter().filter_map(|(name, own)| own.then_some(name)).collect(),
        None => Vec::new(),
    };
    let (found, left) = sources::read(args.source, &text, &own)?;
    for why in left {
        world.say(&why);
    }
    let mut found = named(found, args.profile.as_deref(), &file)?;
    if args.source == Source::Ortie {
        let token = printed_token(world, &found)?;
        found.iter_mut().for_each(|login| login.token = Token::Refresh(token.clone()));
    }
    let (mut failed, mut notice) = (None, None);
    for login in found {
        if let Err(e) = take_over(world, global, (args, login, &mut notice))
            && let Some(earlier) = failed.replace(e)
        {
            world.say(&earlier.to_string());
        }
    }
    failed.map_or(Ok(0), Err)
}

/// The logins that are meant. Of several `--profile` chooses one; a single one gets that name.
fn named(mut found: Vec<Found>, profile: Option<&str>, file: &str) -> Result<Vec<Found>, Error> {
    let all: Vec<String> = found.iter().filter_map(|login| login.name.clone()).collect();
    if let Some(profile) = profile {
        match &mut found[..] {
            [only] => only.name = Some(profile.to_owned()),
            _ => found.retain(|login| login.name.as_deref() == Some(profile)),
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let place = if file == "-" { "standard input" } else { file };
    Err(match profile.filter(|_| !all.is_empty()) {
        Some(profile) => Error::usage(format!("{place} has no login called `{}`", safe(profile)))
            .hint(format!("`--profile` chooses one of several: {}", safe(&all.join(", ")))),
        None => Error::usage(format!("{place} has no login that can be imported")),
    })
}

/// The token from standard input, for a single login. It runs no program of another's file.
fn printed_token(world: &mut World, found: &[Found]) -> Result<Secret, Error> {
    if found.len() == 1 && !world.terminal.stdin_is_terminal() {
        let text = text_of_file(world, "-", ("token", LONGEST))?;
        return sources::of_ortie(&Secret::unlisted(&**text));
    }
    let mut error = Error::usage("ortie's token is not in its configuration: it comes from standard input");
    for login in found {
        let (Token::Printed(command), Some(name)) = (&login.token, &login.name) else { continue };
        error = error.hint(format!("{} | oauthctl import ortie --profile {}", safe(command), pasted(name)));
    }
    Err(error)
}

/// Where the file of a provider that is not known here is.
fn printed_there(provider: &str) -> String {
    format!("its file is printed there by: oauthctl provider show {}", pasted(provider))
}

/// Stores a login, and refreshes it. `notice`: what was said of the store, which is said once.
fn take_over(
    world: &mut World,
    global: &Global,
    (args, mut found, notice): (&ImportArgs, Found, &mut Option<String>),
) -> Result<(), Error> {
    let lock = lock::of_imports(&Paths::find(&*world.env))?;
    let mut session = session_of(world, global, (args, &mut found))?;
    let told = choose_store(world, &mut session)?;
    if let Some(told) = told.filter(|told| notice.as_ref() != Some(told)) {
        world.say(&told);
        *notice = Some(told);
    }
    let old = earlier(world, &mut session)?;
    must_be_free(world, global, (&session, old.as_ref()), (args.source, &found))?;
    let provider = session.provider(world, old.as_ref())?;
    let grant = session.grant(Some(&provider), None);
    if !grant.needs_person() {
        return Err(Error::usage(format!(
            "`{}` needs no login: its grant obtains each token by itself",
            safe(&session.name)
        )));
    }
    let Some(mut client) = session.client(world, old.as_ref())? else {
        return Err(Error::usage("a refresh token belongs to a client, and none is named")
            .hint("--client-id ID, and `--client-secret-file FILE` if it has a secret"));
    };
    // as the other machine's record has them
    let old = match found.earlier_client_secret {
        None => old,
        earlier_client_secret => {
            let client_secret = found.client_secret.clone();
            Some(Record { client_secret, earlier_client_secret, ..old.unwrap_or_default() })
        }
    };
    if found.client_secret.is_some() {
        client = Client { secret: found.client_secret, secret_from: Some(args.source.name()), ..client };
    }
    let (mut set, account) = obtained(world, (&mut session, &provider), found.token)?;
    let is_whole = set.refresh_token.is_none();
    let imported = set.refresh_token.as_ref().map(|token| hash(token.expose().as_bytes()));
    let asked = session.scopes(&provider, grant);
    let (client, set, vars) = (&client, &mut set, found.vars);
    let who = account.as_ref().map(|account| format!(", of {},", safe(account))).unwrap_or_default();
    let before = Before::of(world, &mut session)?;
    let before = Some(before).filter(|_| !is_again(old.as_ref(), set.refresh_token.as_ref()));
    let marked = imported.clone();
    let login = NewLogin { provider: &provider, old, grant, set, client, asked: &asked, vars, account, imported };
    store_login(world, &mut session, login)?;
    // the next one sees it
    drop(lock);
    if is_whole {
        let place = session.store.in_words();
        world.say(&format!("Imported: the token of `{}`{who} is stored in {place}.", safe(&session.name)));
        return Ok(());
    }
    show_alive(world, &mut session, (before, marked.as_ref()))
}

/// Refreshes a login that is stored. `before`: the profile to go back to.
fn show_alive(
    world: &mut World,
    session: &mut Session,
    (before, imported): (Option<Before>, Option<&String>),
) -> Result<(), Error> {
    let want = FreshnessPolicy { force: true, insists: true, ..FreshnessPolicy::default() };
    let set = fresh(world, session, want).map_err(|e| taken_back(world, session, (before, imported), e))?;
    let until = times::good_until(set.expires_at, world.clock.now());
    world.say(&format!("Imported: the token of `{}` {until}.", safe(&session.name)));
    Ok(())
}

/// Puts the profile back where the server refused the login. One that is new keeps a login that may
/// only lack a client secret.
fn taken_back(
    world: &mut World,
    session: &mut Session,
    (before, imported): (Option<Before>, Option<&String>),
    e: Error,
) -> Error {
    let refused = |before: &Before| match e.fate {
        Fate::Refused => true,
        Fate::Answered => e.kind != Kind::TryLater && !before.is_new(),
        _ => false,
    };
    let Some(before) = before.filter(refused) else { return leading_on(e, session) };
    if let Err(why) = before.put_back(world, session, imported) {
        world.warn(&format!("the profile could not be made what it was: {why}"));
        return e;
    }
    e.because("nothing was stored: the profile is as it was")
}

/// The error of a login that is stored, with the commands that complete it.
fn leading_on(e: Error, session: &Session) -> Error {
    let [refresh, set_secret] = ["refresh", "profile set-secret"].map(|verb| session.typed.line(verb));
    match e.kind {
        Kind::TryLater => e.hint(format!("the login is stored: `{refresh}` tries it again")),
        Kind::Usage => e
            .hint(format!(
                "the login is stored: `{set_secret}` gives it a client secret, then `{refresh}` tries it again"
            ))
            .hint("if the client id is wrong: the same `import` again, with `--client-id ID`"),
        _ => e,
    }
}

/// What there is of a login, and the account of an access token.
fn obtained(
    world: &mut World,
    (session, provider): (&mut Session, &Provider),
    token: Token,
) -> Result<(TokenSet, Option<String>), Error> {
    let now = world.clock.now();
    match token {
        Token::Access(token) => {
            let set = TokenSet::new(token, "Bearer", now);
            let account = account_of(world, session, provider, &set)?;
            Ok((set, account))
        }
        Token::Printed(command) => Err(Error::usage(format!("its token is printed by `{}`", safe(&command)))),
        Token::Refresh(token) => {
            // no access token: of what was there nobody knows when it expires
            let mut set = TokenSet::new(Secret::unlisted(""), "Bearer", now);
            (set.refresh_token, set.expires_at) = (Some(token), Some(now));
            Ok((set, None))
        }
    }
}

/// The profile that gets the login: its settings there, and those of the flags over them.
fn session_of(world: &mut World, global: &Global, (args, found): (&ImportArgs, &mut Found)) -> Result<Session, Error> {
    let mut choice = args.flags.choice(found.name.take(), global);
    let mut settings = std::mem::take(&mut found.settings);
    settings.overlay(&choice.flags);
    // it is of this command alone, and `overlay` leaves it out
    settings.client_secret = choice.flags.client_secret.take();
    choice.flags = settings;
    let flags = &mut choice.flags;
    let id = |name: &String| catalogue::find(name).map_or(name.clone(), |(id, _)| id.to_owned());
    if let (Some(named), Some(own)) = (flags.provider.as_ref().map(id), &found.provider)
        && matches!(args.source, Source::Dotenv | Source::Postman)
        && named != *own
    {
        return Err(Error::usage(format!(
            "the variables are those of `{}`, and `--provider` is `{}`",
            safe(own),
            safe(&named)
        ))
        .hint("a refresh token goes to its own server alone: rename the variables if they are not"));
    }
    flags.provider = flags.provider.take().or(found.provider.take());
    flags.client_id = flags.client_id.take().or(found.client_id.take());
    flags.target.scopes = flags.target.scopes.take().or(found.scopes.take());
    choice.signing_in = true;
    let says_whose = choice.flags.provider.is_some();
    let session = sandbox_session::open(world, choice).map_err(|e| match says_whose {
        false => e.hint("`--provider NAME` says at which provider the login was made"),
        true => e,
    })?;
    // a mistake in the provider's file is told before anything is promised
    let fits = |bound: &Bound| session.takes_login_of(bound, &found.vars);
    let readable = session.raw_provider().map(drop);
    readable.and_then(|()| found.bound.as_ref().map_or(Ok(()), fits)).map_err(|e| match args.source {
        Source::Login => e.hint(printed_there(session.provider_name())),
        _ => e,
    })?;
    Ok(session)
}

/// Whether the record has this refresh token: what could not be refreshed is tried again, with
/// another client.
fn is_again(old: Option<&Record>, token: Option<&Secret>) -> bool {
    let kept = old.and_then(|record| record.token.as_ref()?.refresh_token.as_ref());
    kept.is_some() && kept == token
}

/// Refuses a profile that leads elsewhere or has another login, and a login that is another
/// profile's already: its refresh token may be spent, and a server may end a login for the second
/// use of one.
fn must_be_free(
    world: &mut World,
    global: &Global,
    (session, old): (&Session, Option<&Record>),
    (source, found): (Source, &Found),
) -> Result<(), Error> {
    let token = if let Token::Refresh(token) = &found.token { Some(token) } else { None };
    let has_it = |record: &Record| is_again(Some(record), token);
    let again = is_again(old, token);
    let another = format!("oauthctl import {} --profile ANOTHER", source.name());
    must_stay(session, old, again).map_err(|e| e.hint(format!("a profile of its own: {another}")))?;
    if !again && old.is_some_and(|record| record.token.is_some()) {
        return Err(Error::usage(format!("`{}` has a login already", safe(&session.name))).hint(another).hint(
            format!("`{}` ends it; with `--local-only` the provider isn't asked", session.typed.line("logout")),
        ));
    }
    let Some(known) = token.map(|token| hash(token.expose().as_bytes())) else { return Ok(()) };
    let became = |record: &Record| record.token.is_some() && record.imported.as_ref() == Some(&known);
    let mut holder = None;
    let known = list::each(world, global, |_, who, standing| {
        // one that went to another machine is renewed here no more
        let here = standing.record.as_ref().filter(|record| record.moved_to.is_none());
        let is_same = here.is_some_and(|record| has_it(record) || became(record));
        if is_same && who.name != session.name {
            holder.get_or_insert(standing.profile);
        }
    })?;
    // a profile that can't be read may be the holder
    known.map(|(config, _)| config.whole()).transpose()?;
    let Some(holder) = holder else { return Ok(()) };
    Err(Error::usage(format!("that login is here already, as `{}`", safe(&holder)))
        .because("a refresh token that is sent a second time may end it")
        .hint(format!("to give it another name: oauthctl profile rename {} NEW", pasted(&holder))))
}

/// The account of an access token. Nothing is stored of one that the API refuses.
fn account_of(
    world: &mut World,
    session: &mut Session,
    provider: &Provider,
    set: &TokenSet,
) -> Result<Option<String>, Error> {
    let Some(whoami) = &provider.whoami else { return Ok(None) };
    let (mut pace, binding) = (pace(session, provider), session.binding(world, set)?);
    match api::whoami::ask(world, provider, whoami, (set, &binding), &mut pace, PATIENCE)? {
        Told::Account(account, _) => Ok(account),
        Told::Refused { status, .. } => {
            Err(Error::login_first(&session.typed, format!("the API refuses the token ({status}); nothing was stored")))
        }
    }
}
