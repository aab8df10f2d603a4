//! `call`: a request to the provider's API with the token, the answer streamed to stdout.

use std::io::Read;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::api::{hosts, items};
use crate::command::{Global, WhoFlags, practice};
use crate::error::{Error, Kind};
use crate::protocol::api_error::{self, ApiError};
use crate::protocol::trace;
use crate::provider::{Means, Provider};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::fresh::{Want, fresh};
use crate::store::{StoreKind, environment};
use crate::text::{ForTerminal, safe};
use crate::token::TokenSet;
use crate::wire::{Request, header};
use crate::world::{Streamed, Upload, World};

#[derive(Args, Debug)]
#[command(override_usage = "oauthctl call [OPTIONS] [PROFILE] [METHOD] PATH [ITEM]...")]
#[command(after_help = "Examples:
  oauthctl call getresponse /campaigns
  oauthctl call getresponse /contacts 'query[email]==ann@example.test'
  oauthctl call cc POST /contact_lists name=Friends favorite:=true
  oauthctl call getresponse POST /contacts -d @contact.json")]
pub struct CallArgs {
    /// A path of the API, or a full URL on its hosts; before it PROFILE and METHOD (GET if none is given, POST with a body);
    /// after it items: `key=value` and `key:=json` of the body, `key==value` of the query, `Header:value`
    #[arg(value_name = "WORD", required = true)]
    pub words: Vec<String>,
    /// The request's body: a text, `@FILE`, or `-` for standard input.
    #[arg(short, long, value_name = "DATA")]
    pub data: Option<String>,
    /// Print the answer's status and headers too.
    #[arg(short, long)]
    pub include: bool,
    /// The most time until the answer begins.
    #[arg(long, value_name = "TIME", value_parser = super::duration, default_value = "60s")]
    pub timeout: Duration,
    #[command(flatten)]
    pub flags: WhoFlags,
}

/// What was typed, taken apart.
struct Typed {
    profile: Option<String>,
    method: Option<String>,
    target: String,
    items: Vec<String>,
}

pub fn run(args: CallArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let typed = take_apart(&args.words)?;
    let items = items::parse(&typed.items)?;
    if args.data.is_some() && !items.data.is_empty() {
        return Err(Error::usage("the body is given twice: by `-d` and by items"));
    }
    let mut session = practice::open(world, args.flags.choice(typed.profile.clone(), global))?;
    let record = session.load().ok().flatten();
    let provider = session.provider(world, record.as_ref())?;
    let mut url = hosts::resolve(&provider, &typed.target)?;
    for (name, value) in &items.query {
        url.query_pairs_mut().append_pair(name, value);
    }
    let has_body = args.data.is_some() || !items.data.is_empty();
    let method = typed.method.clone().unwrap_or_else(|| if has_body { "POST" } else { "GET" }.to_owned());

    let set = fresh(world, &mut session, Want::default())?;
    let mut body = Body::of(world, &args, &items)?;
    let mut request = request(&provider, &method, &url, &items, &set, args.timeout, body.kind());
    let mut answer = send(world, &mut request, &mut body)?;
    let mut early = Vec::new();
    if answer.status == 401 {
        read_early(&mut answer, &mut early)?;
        if means_expired(&provider, &answer, &early) && body.can_be_sent_again() {
            world.step(|| "the API says that the token has expired: renewing it once".to_owned());
            let set = renewed(world, &mut session, &set)?;
            request = self::request(&provider, &method, &url, &items, &set, args.timeout, body.kind());
            answer = send(world, &mut request, &mut body)?;
            early.clear();
        }
    }
    let answer = follow(world, &method, url, &mut request, answer)?;
    deliver(world, &args, &session, &provider, answer, early)
}

fn take_apart(words: &[String]) -> Result<Typed, Error> {
    let is_target = |w: &str| w.starts_with('/') || w.contains("://");
    let is_method = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_uppercase());
    let mut rest = words.iter().map(String::as_str).peekable();
    let profile = rest.next_if(|w| !is_target(w) && !is_method(w)).map(str::to_owned);
    let method = rest.next_if(|w| is_method(w)).map(str::to_owned);
    let Some(target) = rest.next() else {
        return Err(Error::usage("`call` needs a path").hint("oauthctl call PROFILE [METHOD] /PATH"));
    };
    Ok(Typed { profile, method, target: target.to_owned(), items: rest.map(str::to_owned).collect() })
}

enum Body {
    None,
    Json(Secret),
    /// From `-d TEXT` or `-d @FILE`: read when sent.
    Text(Secret),
    File(std::path::PathBuf),
    /// Standard input: once.
    Input {
        sent: bool,
    },
}

impl Body {
    fn of(world: &World, args: &CallArgs, items: &items::Items) -> Result<Body, Error> {
        Ok(match args.data.as_deref() {
            Some("-" | "@-") => Body::Input { sent: false },
            Some(text) => match text.strip_prefix('@') {
                Some(file) => {
                    let path = match file.strip_prefix("~/").zip(world.env.home()) {
                        Some((rest, home)) => home.join(rest),
                        None => file.into(),
                    };
                    std::fs::metadata(&path)
                        .map_err(|e| Error::usage(format!("`{}` can't be read", safe(file))).cause(e))?;
                    Body::File(path)
                }
                None => Body::Text(Secret::unlisted(text)),
            },
            None if items.data.is_empty() => Body::None,
            None => Body::Json(Secret::unlisted(serde_json::Value::Object(items.data.clone()).to_string())),
        })
    }

    fn kind(&self) -> Option<&'static str> {
        match self {
            Body::None => None,
            _ => Some("application/json"),
        }
    }

    fn can_be_sent_again(&self) -> bool {
        !matches!(self, Body::Input { sent: true })
    }
}

fn request(
    provider: &Provider,
    method: &str,
    url: &Url,
    items: &items::Items,
    set: &TokenSet,
    timeout: Duration,
    kind: Option<&str>,
) -> Request {
    let mut url = url.clone();
    let in_header = items::token_header(provider);
    if in_header.is_none() {
        url.query_pairs_mut().append_pair(&provider.api.auth.name, set.access_token.expose());
    }
    let mut request = Request::new(method, url.to_string());
    request.timeout = timeout;
    let mut headers: Vec<(String, String)> = vec![("accept".into(), "application/json, */*;q=0.5".into())];
    headers.extend(kind.map(|kind| ("content-type".to_owned(), kind.to_owned())));
    for (name, value) in
        provider.api.headers.iter().map(|(n, v)| (n.to_lowercase(), v.clone())).chain(items.headers.iter().cloned())
    {
        headers.retain(|(n, _)| *n != name);
        headers.push((name, value));
    }
    for (name, value) in headers {
        request = request.header(&name, value);
    }
    if let Some(name) = in_header {
        request.headers.push((name, Secret::new(items::authorization(provider, set))));
    }
    request
}

fn send(world: &mut World, request: &mut Request, body: &mut Body) -> Result<Streamed, Error> {
    let upload = match body {
        Body::None => None,
        Body::Json(text) | Body::Text(text) => {
            request.body = Some(text.clone());
            None
        }
        Body::File(path) => {
            let failed = |e| Error::usage(format!("`{}` can't be read", safe(&path.to_string_lossy()))).cause(e);
            let file = std::fs::File::open(&*path).map_err(failed)?;
            let length = file.metadata().map_err(failed)?.len();
            Some(Upload { reader: Box::new(file), length: Some(length) })
        }
        Body::Input { sent } => {
            *sent = true;
            Some(Upload { reader: world.terminal.stdin(), length: None })
        }
    };
    for line in trace::request(request) {
        world.step(|| line);
    }
    let answer = world.http.stream(request, upload)?;
    world.step(|| format!("< {} {}", answer.version, answer.status));
    Ok(answer)
}

/// The first mebibyte of an answer's body, to look into an error.
fn read_early(answer: &mut Streamed, early: &mut Vec<u8>) -> Result<(), Error> {
    (&mut answer.body).take(1 << 20).read_to_end(early).map(|_| ()).map_err(broken_off)
}

fn broken_off(e: std::io::Error) -> Error {
    Error::new(Kind::TryLater, "the answer broke off").cause(safe(&e.to_string())).hint("run the command again")
}

fn means_expired(provider: &Provider, answer: &Streamed, body: &[u8]) -> bool {
    let error = api_error::read(body);
    api_error::meaning(&provider.errors, answer.status, error.as_ref()) == Some(Means::Expired)
}

/// A newer token than the one that was refused; a sibling may have fetched it already.
fn renewed(world: &mut World, session: &mut Session, refused: &TokenSet) -> Result<TokenSet, Error> {
    crate::session::fresh::instead_of(world, session, refused)
}

/// Follows redirects of the provider's own for reading; one to another host ends here: the token stays (T-24).
fn follow(
    world: &mut World,
    method: &str,
    mut url: Url,
    request: &mut Request,
    mut answer: Streamed,
) -> Result<Streamed, Error> {
    for _ in 0..10 {
        let target = match (answer.status, header(&answer.headers, "location")) {
            (301 | 302 | 303 | 307 | 308, Some(target)) if matches!(method, "GET" | "HEAD") => target.to_owned(),
            _ => return Ok(answer),
        };
        let next = url
            .join(&target)
            .map_err(|e| Error::new(Kind::Unsafe, "the API redirects to what is no address").cause(e))?;
        if !hosts::same_origin(&url, &next) || !next.username().is_empty() {
            return Err(Error::new(Kind::Unsafe, "the API redirects to another host, which must not have the token")
                .cause(format!(
                    "status {}, to {}",
                    answer.status,
                    safe(&format!("{}://{}", next.scheme(), next.host_str().unwrap_or("")))
                ))
                .hint("fetch that address without the token, with `curl`"));
        }
        world.step(|| "following a redirect on the same host".to_owned());
        url = next;
        request.url = Secret::unlisted(url.to_string());
        answer = send(world, request, &mut Body::None)?;
    }
    Err(Error::new(Kind::Unsafe, "the API redirects in a circle"))
}

/// Status and headers where asked for, then the body as it comes; from 400 up the API's own words on stderr.
fn deliver(
    world: &mut World,
    args: &CallArgs,
    session: &Session,
    provider: &Provider,
    mut answer: Streamed,
    mut early: Vec<u8>,
) -> Result<u8, Error> {
    let failed = answer.status >= 400;
    if failed && early.is_empty() {
        read_early(&mut answer, &mut early)?;
    }
    let mut screen = world.terminal.stdout_is_terminal().then(ForTerminal::default);
    let mut wanted = true;
    let mut last = early.last().copied();
    if args.include {
        let mut head = format!("{} {}\r\n", answer.version, answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        wanted = put(world, &mut screen, head.as_bytes())?;
    }
    wanted = wanted && put(world, &mut screen, &early)?;
    let mut buffer = vec![0; 64 * 1024];
    while wanted {
        match answer.body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                last = buffer[..n].last().copied();
                wanted = put(world, &mut screen, &buffer[..n])?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(broken_off(e)),
        }
    }
    // on a screen the prompt begins on a line of its own; a pipe gets what the API sent, to the byte
    if world.terminal.stdout_is_terminal() && last.is_some_and(|b| b != b'\n') {
        let _ = put(world, &mut screen, b"\n");
    }
    let _ = world.out.flush();
    if !failed {
        return Ok(0);
    }
    Err(api_refused(session, provider, answer.status, api_error::read(&early)))
}

fn api_refused(session: &Session, provider: &Provider, status: u16, said: Option<ApiError>) -> Error {
    let means = api_error::meaning(&provider.errors, status, said.as_ref());
    let mut error = Error::new(Kind::Api, format!("the API answered {status}"));
    if let Some(said) = said {
        let words = [said.code, said.message].into_iter().flatten().collect::<Vec<_>>().join(": ");
        error = error.cause(safe(&words));
    }
    let name = &session.name;
    match (means, status) {
        (Some(Means::Expired | Means::Revoked), _) | (None, 401) if session.store.kind() == StoreKind::Environment => {
            error.hint(format!("the token comes from the variable {}: set another", environment::variable_name(name)))
        }
        (Some(Means::Expired | Means::Revoked), _) => error.hint(format!("sign in again: oauthctl login {name}")),
        (Some(Means::WrongClient), _) => error.hint("check the client id and the client secret"),
        (Some(Means::Scope), _) => error.hint(format!("ask for more: oauthctl login {name} --scope …")),
        (Some(Means::Throttled), _) | (None, 429) => error.hint("too many requests: wait, then run the command again"),
        _ => error,
    }
}

/// Whether the reader still wants more. `screen`: on a terminal the API's bytes are shown, and do nothing.
fn put(world: &mut World, screen: &mut Option<ForTerminal>, bytes: &[u8]) -> Result<bool, Error> {
    let cleaned = screen.as_mut().map(|s| s.clean(bytes));
    match world.out.write_all(cleaned.as_deref().unwrap_or(bytes)) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(Error::new(Kind::Other, "standard output can't be written").cause(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_by_what_they_look_like() {
        let apart = |words: &[&str]| {
            let t = take_apart(&words.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).unwrap();
            (t.profile, t.method, t.target, t.items)
        };
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(apart(&["/me"]), (None, None, "/me".into(), vec![]));
        assert_eq!(apart(&["gr", "/me"]), (some("gr"), None, "/me".into(), vec![]));
        assert_eq!(apart(&["POST", "/x", "a=b"]), (None, some("POST"), "/x".into(), vec!["a=b".into()]));
        assert_eq!(
            apart(&["gr", "GET", "https://api.example/x"]),
            (some("gr"), some("GET"), "https://api.example/x".into(), vec![])
        );
        assert_eq!(apart(&["gr", "campaigns", "q==1"]), (some("gr"), None, "campaigns".into(), vec!["q==1".into()]));
        assert!(take_apart(&["gr".to_owned()]).is_err());
    }
}
