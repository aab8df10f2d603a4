//! `lend`: a socket that hands out access tokens of a few profiles, and nothing else of a login.
//! `ssh -R` or a container's mount carries it to where there is no login; OAUTHCTL_SOCKET names it
//! there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::command::keeper::signal_of;
use crate::command::sandbox::ended_by;
use crate::command::token::must_be_presentable;
use crate::command::{Global, WhoFlags, may_ask, patience, print, sandbox_session};
use crate::error::{Error, Kind, unanswered};
use crate::protocol::sender_constrained::is_dpop;
use crate::session::Session;
use crate::session::bound::Bound;
use crate::session::fresh::{FreshnessPolicy, fresh};
use crate::session::record::Record;
use crate::store::lent::{self, Lent, NotLent, Request};
use crate::text::safe;
use crate::text::times::{rfc3339, span};
use crate::token::Freshness;
use crate::world::files::make_folder;
use crate::world::local_socket::{self, Asked, NotServed};
use crate::world::{Unanswered, World};

#[derive(Args, Debug)]
#[command(
    after_help = "Whoever has your user number and reaches the socket gets access tokens of these profiles, until
Ctrl-C: never a refresh token, a client secret or a key. Each one is a line on standard error. A
token that is bound to a key or a certificate is not lent, since the key stays here: `oauthctl
proxy` and `ssh -R` carry the requests themselves. Lent is each profile's main token alone: a
borrower chooses no scopes.

On the other machine `token`, `run`, `call`, `proxy`, `helper`, `status` and `whoami` ask here each
time, and store nothing. Whoever signs in, signs in here. `oauthctl help ssh` has the rest.

Examples:
  oauthctl lend work --for 8h
  oauthctl lend work mail --confirm --socket ~/.lent/socket"
)]
pub struct LendArgs {
    /// The profiles whose access tokens are lent.
    #[arg(value_name = "PROFILE", required = true)]
    profiles: Vec<String>,
    /// The socket, in a folder of your own [default: in XDG_RUNTIME_DIR, or among the state]
    #[arg(long, value_name = "FILE")]
    socket: Option<PathBuf>,
    /// Ask before each token: here, or without a terminal by the program that SSH_ASKPASS names.
    #[arg(long)]
    confirm: bool,
    /// End after this time: `30m`, `8h`.
    #[arg(long = "for", value_name = "TIME", value_parser = patience)]
    time: Option<Duration>,
}

/// How long a question waits for its answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// Seconds in which no request for a longer lifetime gets another token than the last one: whoever
/// reaches the socket can't refresh it again and again.
const BETWEEN_REFRESHES: i64 = 60;

/// How long the end of `--for` may be missed by: a clock of the machine's sleep goes on.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who agrees to each request.
enum Asks {
    Nobody,
    Terminal,
    /// As ssh-agent starts it.
    Program(String),
}

enum Event {
    Asked(Asked),
    Signal(i32),
}

struct Lender {
    /// By the word that was typed.
    sessions: Vec<(String, Session)>,
    asks: Asks,
}

pub fn run(args: LendArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let mut lender = Lender { asks: Asks::of(world, args.confirm)?, sessions: Vec::new() };
    for word in args.profiles {
        if lender.sessions.iter().any(|(known, _)| *known == word) {
            continue;
        }
        let mut session = sandbox_session::open(world, WhoFlags::default().choice(Some(word.clone()), global))?;
        // what is wrong with a login is told at once
        lend(world, &mut session, None)?;
        lender.sessions.push((word, session));
    }
    let path = match &args.socket {
        Some(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        None => usual_socket(world, &lender.sessions[0].1)?,
    };
    let (to, events) = channel();
    let take = Mutex::new(to.clone());
    let take = move |asked| drop(take.lock().unwrap_or_else(PoisonError::into_inner).send(Event::Asked(asked)));
    let signal = {
        let _serving = local_socket::serve(&path, take).map_err(not_served)?;
        let end =
            args.time.map_or_else(|| "until Ctrl-C".to_owned(), |time| format!("for {}", span(time.as_secs() as i64)));
        world.say(&format!("access tokens of {} are lent {end}, through this socket:", lender.names()));
        print(world, format!("{}\n", path.display()).as_bytes())?;
        lender.until_end(world, (&to, &events), args.time)
    };
    match signal {
        Some(signal) => Ok(ended_by(signal)),
        None => {
            world.say("the time is over: nothing is lent any more");
            Ok(0)
        }
    }
}

impl Lender {
    fn names(&self) -> String {
        let mut names: Vec<String> =
            self.sessions.iter().map(|(_, session)| format!("`{}`", safe(&session.name))).collect();
        names.dedup();
        names.join(", ")
    }

    /// Answers the requests, one after the other; returns the signal that ends it, `None`: the time
    /// does.
    fn until_end(
        &mut self,
        world: &mut World,
        (to, events): (&Sender<Event>, &Receiver<Event>),
        time: Option<Duration>,
    ) -> Option<i32> {
        let end = time.map(|time| world.clock.elapsed() + time);
        let (signals, waiting) = channel();
        let to = to.clone();
        thread::spawn(move || waiting.into_iter().map(Event::Signal).all(|event| to.send(event).is_ok()));
        while end.is_none_or(|end| world.clock.elapsed() < end) {
            // a refresh and a question watch them themselves
            world.signals.watch(signals.clone());
            let signal = match events.recv_timeout(LOOK_EVERY) {
                Ok(Event::Asked(asked)) => self.answer(world, asked),
                Ok(Event::Signal(signal)) => Some(signal),
                Err(_) => None,
            };
            if signal.is_some() {
                world.signals.release();
                return signal;
            }
        }
        None
    }

    /// Answers one request; returns the signal that came meanwhile.
    fn answer(&mut self, world: &mut World, asked: Asked) -> Option<i32> {
        // nobody is asked for a client that has gone
        if !asked.waits() {
            return None;
        }
        let mut name = "-".to_owned();
        let outcome = Request::read(&asked.request).map_err(Error::from).and_then(|request| {
            name = safe(&request.profile);
            let sought =
                |(word, session): &&mut (String, Session)| *word == request.profile || session.name == request.profile;
            let Some((_, session)) = self.sessions.iter_mut().find(sought) else {
                return Err(Error::usage(format!("`{name}` is not lent, but {}", self.names())));
            };
            self.asks.agreed(world, &name, &asked.peer)?;
            lend(world, session, request.min_ttl)
        });
        let now = rfc3339(world.clock.now());
        let signal = outcome.as_ref().err().and_then(signal_of);
        match &outcome {
            Ok(_) => world.say(&format!("{now} {name}: lent to {}", asked.peer)),
            Err(e) => world.say(&format!("{now} {name}: not lent to {}: {e}", asked.peer)),
        }
        asked.answer(lent::answer(outcome.map_err(NotLent::from)));
        signal
    }
}

impl Asks {
    fn of(world: &mut World, confirm: bool) -> Result<Asks, Error> {
        let program = world.env.var("SSH_ASKPASS");
        world.patience = Some(ANSWERED_WITHIN);
        match program {
            _ if !confirm => Ok(Asks::Nobody),
            _ if may_ask(world) => Ok(Asks::Terminal),
            Some(program) => Ok(Asks::Program(program)),
            None => Err(Error::usage("`--confirm` asks, and there is no terminal")
                .hint("set SSH_ASKPASS to a program that asks, as ssh-agent does")),
        }
    }

    /// An error: no.
    fn agreed(&self, world: &mut World, name: &str, peer: &str) -> Result<(), Error> {
        let question = format!("Lend an access token of `{name}` to {peer}?");
        let yes = match self {
            Asks::Nobody => true,
            Asks::Terminal => match world.ask_whether(&question, false) {
                // an unfinished line is no yes
                Err(Unanswered::Ended) => false,
                answer => answer.map_err(|e| unanswered(e, "nothing is lent"))?,
            },
            Asks::Program(program) => {
                // its exit code is the answer
                let argv = ["env", "SSH_ASKPASS_PROMPT=confirm", program, &question].map(str::to_owned);
                world.programs.output(&argv, ANSWERED_WITHIN).is_ok()
            }
        };
        if yes { Ok(()) } else { Err(Error::new(Kind::Refused, "the lender's user said no")) }
    }
}

/// A fresh access token, and the places that it may go to.
fn lend(world: &mut World, session: &mut Session, min_ttl: Option<i64>) -> Result<Lent, Error> {
    let want = FreshnessPolicy { whole: true, ..FreshnessPolicy::default() };
    let mut set = fresh(world, session, want)?;
    let now = world.clock.now();
    if set.freshness(now, min_ttl) == Freshness::Stale && now - set.received_at >= BETWEEN_REFRESHES {
        set = fresh(world, session, FreshnessPolicy { min_ttl, ..want })?;
    }
    must_be_presentable(&session.typed, &set)?;
    if is_dpop(&set) || session.profile.proofs.client_certificate.is_some() {
        return Err(Error::usage(format!(
            "the token of `{}` is bound to a key, which stays here: it is not lent",
            session.name
        ))
        .hint(format!("`{}` adds it to requests, and `ssh -R` carries those", session.typed.line("proxy"))));
    }
    let of_token = |record: &Record| record.token.as_ref().is_some_and(|kept| kept.access_token == set.access_token);
    let record = session.load()?.filter(of_token);
    let bound = match record.as_ref().and_then(|record| session.bound_of(record)) {
        Some(bound) => bound,
        None => {
            let provider = session.provider(world, None)?;
            session.bound(&provider, &BTreeMap::new())
        }
    };
    // the other machine compares the places with its own file's
    let bound = json!(Bound { described: None, ..bound });
    let Record { asked, account, .. } = record.unwrap_or_default();
    Ok(Lent {
        access_token: set.access_token,
        token_type: set.token_type,
        age: now - set.received_at,
        expires_in: set.expires_at.map(|at| at - now),
        scopes: set.scopes,
        asked,
        account,
        bound,
    })
}

impl From<NotLent> for Error {
    fn from(not: NotLent) -> Error {
        Error::usage(not.message)
    }
}

impl From<Error> for NotLent {
    fn from(e: Error) -> NotLent {
        let kind = serde_json::to_value(e.kind).ok().and_then(|kind| Some(kind.as_str()?.to_owned()));
        let message = safe(&e.texts().join(": "));
        NotLent { kind: kind.unwrap_or_default(), message }
    }
}

/// A folder that goes with the user's sessions, else one among the state.
fn usual_socket(world: &World, session: &Session) -> Result<PathBuf, Error> {
    let runtime = world.env.runtime_dir();
    let folder = runtime.map_or_else(|| session.paths.require_state(), |folder| Ok(folder.join("oauthctl")))?;
    make_folder(&folder).map_err(|e| not_served(e.into()))?;
    Ok(folder.join(format!("lent-{}.sock", session.name)))
}

fn not_served(e: NotServed) -> Error {
    const OWN_FOLDER: &str = "`mkdir -m 700 ~/.lent` makes a folder of your own: --socket ~/.lent/socket";
    let (kind, hint) = match &e {
        NotServed::Taken(_) => (Kind::TryLater, "choose another socket with `--socket`, or end that process"),
        NotServed::NoSocket(_) => (Kind::Usage, "remove it, or choose another socket with `--socket`"),
        NotServed::NoFolder(_) => (Kind::Usage, OWN_FOLDER),
        NotServed::OpenFolder(_) | NotServed::Private(_) => (Kind::Unsafe, OWN_FOLDER),
        NotServed::Failed(..) if cfg!(windows) => (Kind::Usage, "`lend` needs Linux, macOS or another Unix"),
        NotServed::Failed(..) => (Kind::Store, "choose another socket with `--socket`; its path has at most 100 bytes"),
    };
    Error::of(kind, e).context("the socket can't be served").hint(hint)
}
