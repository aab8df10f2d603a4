//! `call`: a request to the provider's API with the token, the answer streamed to stdout.

pub(super) mod answer;
mod output;
mod paged;
mod saved;
mod shaped;
mod words;

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::api::body::{Asked, Body};
use crate::api::cache::Cache;
use crate::api::items::{self, Items};
use crate::api::path_variable::Unfilled;
use crate::api::rate_limit::Pace;
use crate::api::request::{Draft, token_header};
use crate::api::send::{Aftermath, Caller, Obtain, Renew};
use crate::api::{dry_run, hosts, pages, path_variable};
use crate::command::token::{mask, presentable};
use crate::command::{Global, WhoFlags, pace, provider_to_call, sandbox_session};
use crate::error::{Error, Kind};
use crate::protocol::sender_constrained::is_dpop;
use crate::provider::{Limits, Provider};
use crate::secret::{Secret, redact};
use crate::session::Session;
use crate::session::fresh::{FreshnessPolicy, fresh, instead_of, provider_of_token};
use crate::session::matching::matching;
use crate::session::overrides::one_reads_stdin;
use crate::session::record::Record;
use crate::session::variant::Variant;
use crate::store::StoreKind;
use crate::text::{is_secret_var, safe};
use crate::token::TokenSet;
use crate::world::World;
use shaped::{FormatWord, Shaped};
pub(in crate::command) use words::METHODS;
use words::Typed;

#[derive(Args, Debug)]
#[command(override_usage = "oauthctl call [OPTIONS] [PROFILE] [METHOD] PATH [ITEM]...")]
#[command(after_help = "Examples:
  oauthctl call getresponse /campaigns
  oauthctl call getresponse /contacts 'query[email]==ann@example.test'
  oauthctl call cc POST /contact_lists name=Friends favorite:=true
  oauthctl call cc POST /contacts 'email_address[address]=ann@example.test'
  oauthctl call getresponse POST /contacts -d @contact.json
  oauthctl call getresponse /contacts --paginate --jq .email -r")]
pub struct CallArgs {
    /// A path of the API (`{user_id}` and the like are filled from the login), or a full URL on its
    /// hosts; before it PROFILE and METHOD (GET if none is given, POST with a body); after it
    /// items: `key=value`, `key:=json` and nested `a[b][]=value` of the body (`=@FILE`, `:=@FILE`
    /// from a file), `file@PATH` to upload, `key==value` of the query, `Header:value`, `Header:` to
    /// leave one out, `Header;` to send it empty
    #[arg(value_name = "WORD", required = true)]
    pub words: Vec<String>,
    /// The request's method.
    #[arg(short = 'X', long, value_name = "METHOD", help_heading = "Request")]
    pub method: Option<String>,
    /// A header, `Name: value`; may be given several times.
    #[arg(short = 'H', long = "header", value_name = "LINE", help_heading = "Request", allow_hyphen_values = true)]
    pub headers: Vec<String>,
    /// The request's body: a text, `@FILE`, or `-` for standard input.
    #[arg(short, long, value_name = "DATA", help_heading = "Request", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// The request's body from a file, or `-` for standard input, sent as it is read.
    #[arg(long, value_name = "FILE", help_heading = "Request", conflicts_with = "data")]
    pub input: Option<String>,
    /// Make a form of the items, not JSON.
    #[arg(long, help_heading = "Request")]
    pub form: bool,
    /// Make JSON of the items (the default), `{}` where there are none.
    #[arg(long, help_heading = "Request", conflicts_with = "form")]
    pub json: bool,
    /// Send to any host; to one that isn't the provider's without the token.
    #[arg(long, help_heading = "Request")]
    pub anywhere: bool,
    /// The most time until the answer begins; 0 is no limit.
    #[arg(long, value_name = "TIME", value_parser = super::patience_or_none, default_value = "60s", help_heading = "Request")]
    pub timeout: Duration,
    /// The most time for all of it: waits, retries, pages and the whole answer.
    #[arg(long, value_name = "TIME", value_parser = super::patience_or_none, help_heading = "Request")]
    pub max_time: Option<Duration>,
    /// How often a request that may be repeated is sent again after 408, 429, 500, 502, 503, 504 or
    /// a broken connection; 0 is never.
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Request")]
    pub retry: u32,
    /// Print the answer's status and headers too.
    #[arg(short, long, help_heading = "Answer")]
    pub include: bool,
    /// Print status and headers alone, of a HEAD request unless another method is given.
    #[arg(long, help_heading = "Answer", conflicts_with_all = ["jq", "format"])]
    pub head: bool,
    /// Write the answer to a file, which is there whole or not at all; a download that broke off
    /// goes on where it stopped. `FOLDER/`: into that folder, under the name that the answer or its
    /// address gives, never over another file; standard output gets the path.
    #[arg(short, long, value_name = "FILE", help_heading = "Answer", value_hint = clap::ValueHint::FilePath)]
    pub output: Option<String>,
    /// Filter the answer with an expression of jq's; with `--paginate` each record, with `--slurp`
    /// all of them as one array.
    #[arg(long, value_name = "EXPR", help_heading = "Answer", allow_hyphen_values = true)]
    pub jq: Option<String>,
    /// Set the variable `$NAME` of the filter to a text; may be given several times.
    #[arg(long, value_names = ["NAME", "TEXT"], num_args = 2, requires = "jq", help_heading = "Answer", allow_hyphen_values = true)]
    pub arg: Vec<String>,
    /// Set the variable `$NAME` of the filter to a JSON value.
    #[arg(long, value_names = ["NAME", "JSON"], num_args = 2, requires = "jq", help_heading = "Answer", allow_hyphen_values = true)]
    pub argjson: Vec<String>,
    /// Print texts without their quotes.
    #[arg(short, long, help_heading = "Answer")]
    pub raw_output: bool,
    /// The form of the output.
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Answer")]
    pub format: Option<FormatWord>,
    /// Indent JSON in a pipe or a file too.
    #[arg(long, help_heading = "Answer")]
    pub pretty: bool,
    /// Colour JSON in a pipe or a file too, and in spite of `NO_COLOR`.
    #[arg(long, help_heading = "Answer")]
    pub color: bool,
    /// Print an API's error on standard output even with `--jq` or `--format`.
    #[arg(long, help_heading = "Answer")]
    pub fail_with_body: bool,
    /// Treat an answer with `errors` in it as a failure, whatever its status; with `--paginate` a
    /// query's `$endCursor` goes through all pages.
    #[arg(long, help_heading = "Answer")]
    pub graphql: bool,
    /// Follow the list through all its pages, a record to a line.
    #[arg(long, help_heading = "Pages", conflicts_with_all = ["include", "head"])]
    pub paginate: bool,
    /// Make one array of all records.
    #[arg(long, help_heading = "Pages")]
    pub slurp: bool,
    /// Stop after so many records.
    #[arg(long, value_name = "N", help_heading = "Pages", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Fetch so many pages at a time where their addresses are known beforehand (the provider's
    /// limit; 32 at most).
    #[arg(long, value_name = "N", help_heading = "Pages", value_parser = clap::value_parser!(u32).range(1..=32))]
    pub parallel: Option<u32>,
    /// Print a kept answer that is no older than this; ask whether an older one still holds. Kept
    /// for this login alone, until it logs out.
    #[arg(long, value_name = "TIME", value_parser = super::patience, help_heading = "Request")]
    pub cache: Option<Duration>,
    /// Send nothing; print the request as a line for curl, with the token fetched when it runs.
    #[arg(long, help_heading = "Request")]
    pub dry_run: bool,
    #[command(flatten)]
    pub flags: WhoFlags,
}

/// The request that the command line asks for.
struct Asking<'a> {
    args: &'a CallArgs,
    typed: Typed,
    items: Items,
    body: Body,
    method: String,
}

/// Where the request goes.
struct Aim {
    provider: Provider,
    record: Option<Record>,
    url: Url,
    with_token: bool,
}

pub fn run(args: CallArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let asking = Asking::of(world, &args)?;
    let choice = args.flags.choice(asking.typed.profile.clone(), global);
    if matches!(asking.body, Body::Input { .. }) {
        let own = if args.data.is_some() { "-d" } else { "--input" };
        one_reads_stdin(&[vec![own.to_owned()], choice.flags.from_stdin()].concat())?;
    }
    let of_get = [("--paginate", args.paginate && !args.graphql), ("--cache", args.cache.is_some())];
    if let Some((option, _)) = of_get.into_iter().find(|(_, given)| *given && asking.method != "GET") {
        return Err(Error::usage(format!("`{option}` is for GET, and this is {}", safe(&asking.method))));
    }
    if args.cache.is_some() && global.no_cache {
        return Err(Error::usage("`--cache` and `--no-cache` exclude each other")
            .hint("without `--cache` no answer is kept; `--no-cache` is for the kernel's copy of the token"));
    }
    let mut session = sandbox_session::open(world, choice)?;
    let aim = Aim::of(world, &asking, &mut session)?;
    if args.dry_run {
        return print(world, &asking, &aim, &session);
    }
    send(world, asking, &aim, &mut session)
}

impl Asking<'_> {
    fn of<'a>(world: &mut World, args: &'a CallArgs) -> Result<Asking<'a>, Error> {
        let typed = words::take_apart(&args.words)?;
        typed.no_issuer(world)?;
        let paged =
            [("--slurp", args.slurp), ("--limit", args.limit.is_some()), ("--parallel", args.parallel.is_some())];
        if let Some((option, _)) = paged.into_iter().find(|(_, given)| *given && !args.paginate) {
            return Err(Error::usage(format!("`{option}` needs `--paginate`")));
        }
        let mut items = items::parse(&typed.items, world.env.home().as_deref())?;
        for line in &args.headers {
            items.headers.push(items::header_line(line)?);
        }
        // `--json` alone asks for a body too
        let empty = args.json && args.input.is_none() && items.data.is_empty() && items.files.is_empty();
        let data = args.data.clone().or_else(|| empty.then(|| "{}".to_owned()));
        let body = Body::of(world, &Asked { data, input: args.input.clone(), form: args.form }, &items)?;
        let method = method(args, &typed, &body)?;
        Ok(Asking { args, typed, items, body, method })
    }

    /// `ours`: with the provider's own headers.
    fn draft(&self, provider: &Provider, ours: bool) -> Draft {
        let mut draft = Draft::new(provider, &self.method, &self.items, self.body.kind(), ours);
        draft.timeout = self.args.timeout;
        let args = self.args;
        let reads = args.paginate || args.graphql || answer::filtered(args);
        draft.coded = reads && !args.dry_run && !answer::asks_for_coding(args);
        draft
    }
}

impl Aim {
    fn of(world: &mut World, asking: &Asking<'_>, session: &mut Session) -> Result<Aim, Error> {
        let args = asking.args;
        let whole = args.dry_run || args.cache.is_some() || asking.typed.target.contains('{');
        // a dry run sends nothing
        let of_token = if args.dry_run { provider_of_token } else { provider_to_call };
        let (provider, record) = of_token(world, session, whole)?;
        let target = filled(&asking.typed.target, session, &provider, record.as_ref())?;
        let (mut url, with_token) = match args.anywhere {
            true => hosts::resolve_anywhere(&provider, &target)?,
            false => (hosts::resolve(&provider, &target)?, true),
        };
        for (name, value) in &asking.items.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        if with_token {
            hosts::add_query(&provider, &mut url);
        }
        if let Some(name) = token_header(&provider).filter(|_| with_token)
            && asking.items.headers.iter().any(|(given, _)| *given == name)
        {
            return Err(items::reserved(&name));
        }
        Ok(Aim { provider, record, url, with_token })
    }

    fn who(&self, world: &World, session: &Session) -> answer::Who {
        let from_outside = session.store.kind() == StoreKind::Environment;
        answer::Who {
            profile: session.typed.clone(),
            token_variable: from_outside.then(|| session.token_variable(world)),
            stranger: !self.with_token,
            is_job: !session.grant(Some(&self.provider), self.record.as_ref()).needs_person(),
            scopes: Vec::new(),
            aftermath: Aftermath::default(),
        }
    }

    /// The provider's limits are not another host's.
    fn pace(&self, session: &Session) -> Pace {
        match self.with_token {
            true => pace(session, &self.provider),
            false => Pace::new(&Limits::default(), None),
        }
    }

    fn notice(&self) -> Option<String> {
        let host = safe(self.url.host_str().unwrap_or(""));
        let notice = || format!("`{host}` is not a host of `{}`: sent without the token", self.provider.id);
        (!self.with_token).then(notice)
    }
}

/// `--dry-run`: the request as a line for curl.
fn print(world: &mut World, asking: &Asking<'_>, aim: &Aim, session: &Session) -> Result<u8, Error> {
    let args = asking.args;
    let bound = aim.record.as_ref().and_then(|r| r.token.as_ref()).is_some_and(is_dpop);
    let token = aim.with_token.then(|| dry_run::Token { words: token_command(session), bound });
    let url = match args.paginate && !args.graphql {
        true => &pages::first(&aim.provider.api.pages, &aim.url, args.limit),
        false => &aim.url,
    };
    let draft = &asking.draft(&aim.provider, aim.with_token);
    let call = dry_run::Call { provider: &aim.provider, draft, url, items: &asking.items, body: &asking.body, token };
    let answer = dry_run::Answer { include: args.include, head: args.head, output: saved::named(world, args) };
    let script = call.script(&answer)?;
    let mut out = output::Output::stdout(world);
    // a variable that stands in the address may be a secret
    out.put(world, redact(&script).as_bytes())?;
    out.end(world).map(|()| 0)
}

/// The request with a fresh token, and its answer.
fn send(world: &mut World, asking: Asking<'_>, aim: &Aim, session: &mut Session) -> Result<u8, Error> {
    let args = asking.args;
    let until = args.max_time.map(|time| world.clock.elapsed() + time);
    // a mistake in it is told before anything is sent
    let screen = world.terminal.stdout_is_terminal() && args.output.as_deref().is_none_or(|path| path == "-");
    let shaped = Shaped::of(world, args, screen)?;
    let target = saved::target(world, args)?;
    let who = aim.who(world, session);
    let decompress = shaped.is_some() || args.paginate || args.graphql;
    let draft = |ours| Draft { decompress, ..asking.draft(&aim.provider, ours) };
    let (draft, abroad) = (draft(aim.with_token), args.anywhere.then(|| draft(false)));
    let pace = aim.pace(session);
    let session = RefCell::new(session);
    // an API may repeat the token in its answer
    let masked = |world: &mut World, set: &TokenSet| mask(world, set.access_token.expose());
    let obtain: Obtain<'_> = Box::new(|world| {
        let session = &mut **session.borrow_mut();
        let set = fresh(world, session, FreshnessPolicy::default()).inspect(|set| masked(world, set))?;
        presentable(world, session, set)
    });
    let renew: Renew<'_> = Box::new(|world, refused| {
        instead_of(world, &mut session.borrow_mut(), refused).inspect(|set| masked(world, set))
    });
    let mut caller = Caller {
        provider: &aim.provider,
        draft,
        body: asking.body,
        obtain: aim.with_token.then_some(obtain),
        set: None,
        cache: None,
        notice: aim.notice(),
        // a token from outside is used as it is
        renew: who.token_variable.is_none().then_some(renew),
        retries: args.retry,
        pace,
        until,
        abroad,
        aftermath: Aftermath::default(),
    };
    // a kept answer needs no token, but its login
    if args.cache.is_none() || aim.record.is_none() {
        caller.begin(world)?;
    }
    if let Some(time) = args.cache {
        caller.cache = cache(world, &mut session.borrow_mut(), aim, time)?;
    }
    let call = Call { args, who: &who, provider: &aim.provider, url: &aim.url };
    if args.paginate {
        return paged::run(world, &call, &mut caller, target.as_deref());
    }
    match target {
        Some(path) if shaped.is_none() && !args.include && !args.head && !args.graphql => {
            let record = stored(world, &mut session.borrow_mut(), aim)?;
            let client = || format!("{:?}", (&aim.provider.id, &session.borrow().profile.client_id));
            let login = record.map_or_else(client, |record| record.login());
            saved::run(world, &call, &mut caller, (path, login))
        }
        target => answered(world, &call, &mut caller, (shaped, screen, target)),
    }
}

/// The kept answers of the login. `None`: it is stored nowhere.
fn cache(world: &mut World, session: &mut Session, aim: &Aim, time: Duration) -> Result<Option<Cache>, Error> {
    let record = stored(world, session, aim)?;
    Ok(record.and_then(|record| Cache::open(session.files().ok()?.answers, record.login(), time)))
}

/// The record of the login that asks. `None`: it is stored nowhere.
fn stored(world: &mut World, session: &mut Session, aim: &Aim) -> Result<Option<Record>, Error> {
    let record = if aim.record.is_none() { session.load().ok().flatten() } else { aim.record.clone() };
    Ok(matching(world, session, record.as_ref())?.filter(|record| record.token.is_some()).cloned())
}

/// What all parts of one `call` need.
#[derive(Clone, Copy)]
pub(in crate::command) struct Call<'a> {
    pub args: &'a CallArgs,
    pub who: &'a answer::Who,
    pub provider: &'a Provider,
    pub url: &'a Url,
}

/// One answer, to standard output or shaped into a file.
fn answered(
    world: &mut World,
    call: &Call<'_>,
    caller: &mut Caller<'_>,
    (shaped, screen, target): (Option<Shaped>, bool, Option<PathBuf>),
) -> Result<u8, Error> {
    let args = call.args;
    let filtered = shaped.is_some() && (args.jq.is_some() || args.format.is_some());
    let (mut attempts, mut made) = (0, Some(shaped));
    loop {
        let (from, mut answered) = caller.send(world, call.url)?;
        let mut who = call.who.after(caller);
        who.aftermath.errors = args.graphql && answer::has_errors(&mut answered)?;
        let refused = who.is_refused(answered.status);
        let out = match &target {
            Some(path) if !refused => saved::open(world, Some(path), &answered.headers, &from)?,
            _ => output::Output::stdout(world),
        };
        // what is read whole before any of it is shown can be read from the beginning
        let unseen = !refused && (out.is_hidden() || filtered && !args.include && !args.head);
        // one that has begun holds what it was given
        let shaped = match made.take() {
            Some(shaped) => shaped,
            None => Shaped::of(world, args, screen)?,
        };
        let call = Call { who: &who, ..*call };
        match answer::deliver(world, &call, answered, (out, shaped)) {
            Err(e) if unseen && e.kind == Kind::TryLater && caller.is_repeatable() => {
                if !caller.wait_after_break(world, &mut attempts) {
                    return Err(e);
                }
            }
            done => return done,
        }
    }
}

/// What prints the token that this command would have used.
fn token_command(session: &Session) -> Vec<String> {
    let further = session.variant.iter().flat_map(Variant::options);
    let options =
        session.choice.options().into_iter().filter(|(name, value)| !is_secret_var(name, value)).chain(further);
    let options = options.flat_map(|(name, value)| [name, value]);
    let words = ["oauthctl", "token", session.name.as_str()].map(str::to_owned).into_iter().chain(options);
    words.filter(|word| !word.is_empty()).collect()
}

fn method(args: &CallArgs, typed: &Typed, body: &Body) -> Result<String, Error> {
    let usual = if args.head {
        "HEAD"
    } else if body.is_none() {
        "GET"
    } else {
        "POST"
    };
    match (&args.method, &typed.method) {
        (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b) => {
            Err(Error::usage(format!("the method is given twice: `-X {}` and `{}`", safe(a), safe(b))))
        }
        // RFC 9110, section 9.1: a token
        (Some(method), _)
            if method.is_empty()
                || !method.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) =>
        {
            Err(Error::usage(format!("`{}` is not a method", safe(method))).hint("`-X PATCH`"))
        }
        (Some(method), _) => Ok(method.to_ascii_uppercase()),
        (None, method) => Ok(method.clone().unwrap_or_else(|| usual.to_owned())),
    }
}

/// `{user_id}` in the path, from what is known of the login.
fn filled(target: &str, session: &Session, provider: &Provider, record: Option<&Record>) -> Result<String, Error> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let extra = record.and_then(|r| r.token.as_ref()).map(|t| &t.extra);
    let secrets = session.secret_vars(provider, record);
    let secret = |name: &str| Some(secrets.get(name)?.expose().to_owned());
    let vars = |name: &str| session.profile.vars.get(name).or_else(|| record?.vars.get(name)).cloned();
    let known =
        |name: &str| vars(name).or_else(|| secret(name)).or_else(|| text(extra?.get(name)?)).map(Secret::unlisted);
    path_variable::fill(target, &known).map_err(|why| {
        let Unfilled::Unknown(name) = why else {
            return Error::new(Kind::Unsafe, format!("`{}` would lead elsewhere", safe(target)))
                .because("what a brace stands for is `.` or `..`");
        };
        let mut names: Vec<String> = session.profile.vars.keys().cloned().collect();
        names.extend(record.iter().flat_map(|r| r.vars.keys().cloned()));
        names.extend(
            extra.into_iter().flat_map(|e| e.iter().filter(|(_, v)| text(v).is_some()).map(|(n, _)| n.clone())),
        );
        names.sort();
        names.dedup();
        let error = Error::usage(format!("nothing is known as `{{{}}}` of profile `{}`", safe(&name), session.name));
        match names.is_empty() {
            true => {
                error.hint("braces are filled from what the login brought; write `%7B` for a `{` of the path itself")
            }
            false => {
                error.hint(format!("known: {}; write `%7B` for a `{{` of the path itself", safe(&names.join(", "))))
            }
        }
    })
}
