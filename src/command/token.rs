//! `token`: prints the token alone, at once, without a browser or a question.

use std::ffi::OsString;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::command::exec_credential::Caller;
use crate::command::{ErrorFormat, Global, WhoArgs, duration, known, one_line, report, sandbox_session};
use crate::error::{Error, Kind};
use crate::protocol::dpop::{Proof, SCHEME};
use crate::protocol::sender_constrained::{Binding, is_dpop};
use crate::protocol::token_exchange::short;
use crate::provider::{ApiAuth, ApiAuthPlace};
use crate::session::fresh::{FreshnessPolicy, fresh, fresh_id_token};
use crate::session::paths::Paths;
use crate::session::{Session, alias, kernel_cache};
use crate::store::environment::variable_name;
use crate::text::times;
use crate::text::{Typed, for_a_shell, safe};
use crate::token::{Freshness, TokenSet};
use crate::wire::Draw;
use crate::world::World;

type Wiped = zeroize::Zeroizing<String>;

#[derive(Args, Debug, Default)]
#[command(after_help = "Examples:
  oauthctl token work
  oauthctl token work --min-ttl 10m
  oauthctl token work --scope read
  oauthctl token work --format curl | curl -K - https://api.example/me
  oauthctl token getresponse --grant client-credentials")]
pub struct TokenArgs {
    #[command(flatten)]
    pub who: WhoArgs,
    /// The form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print the login's ID token in the access token's place, in each form but `dpop-proof`.
    #[arg(long)]
    pub id_token: bool,
    /// With `--format sasl-xoauth2`, `sasl-oauthbearer`, `pgpass`: the account's name.
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    pub user: Option<String>,
    /// With `--format pgpass` and `sasl-oauthbearer`: the server that the token is for.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = named_server)]
    pub server: Option<String>,
    /// With `--format template`: the text, in MiniJinja's language (Jinja2's), with the members of
    /// `--format json` as its variables.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub template: Option<String>,
    /// Ask for a token that is valid for at least this time: `60s`, `5m`, `2h`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub min_ttl: Option<Duration>,
    /// Refresh even a fresh token.
    #[arg(long, conflicts_with = "no_refresh")]
    pub force_refresh: bool,
    /// Print the stored token if it is still valid; never refresh it.
    #[arg(long)]
    pub no_refresh: bool,
    /// With `--format dpop-proof`: the method of the request that the proof is for [default: GET]
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,
    /// With `--format dpop-proof`: the address of that request.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// With `--format dpop-proof`: the nonce that the API requires.
    #[arg(long, value_name = "NONCE")]
    pub nonce: Option<String>,
    /// Explain each step as it happens, with the RFC's section; secrets as fingerprints.
    #[arg(long)]
    pub explain: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The token and a newline.
    #[default]
    Text,
    /// An object with the token, its type, expiry and scopes; `help scripts` names its JSON Schema.
    Json,
    /// The API's header with the token: `Authorization: Bearer …`, or the provider's own.
    Header,
    /// `Bearer` and the token: a header's value, for gRPC and for cargo.
    Bearer,
    /// `export OAUTHCTL_<PROFILE>_TOKEN=…`, for a shell's `eval "$(…)"`.
    Env,
    /// `OAUTHCTL_<PROFILE>_TOKEN=…`, for `env` and for files of variables.
    Dotenv,
    /// `set -gx OAUTHCTL_<PROFILE>_TOKEN …`, for `| source` in fish.
    Fish,
    /// `$env:OAUTHCTL_<PROFILE>_TOKEN = …`, for `| Invoke-Expression` in PowerShell.
    Powershell,
    /// A configuration for `curl -K -`.
    Curl,
    /// An entry for `.netrc`, for the provider's API host.
    Netrc,
    /// The first response of XOAUTH2 in base64, for mail servers (`--user`).
    SaslXoauth2,
    /// The first response of OAUTHBEARER (RFC 7628) in base64, for mail and Kafka (`--user`,
    /// perhaps `--server`).
    SaslOauthbearer,
    /// A line for PostgreSQL's password file (`--user`, `--server`).
    Pgpass,
    /// A text of your own (`--template`).
    Template,
    /// Kubernetes' client authentication plugin, in the version that KUBERNETES_EXEC_INFO asks for.
    ExecCredential,
    /// The `DPoP` header for one request (`--method`, `--url`) with a token that is bound to a key.
    DpopProof,
}

/// The fast path: `token PROFILE` without options, with a fresh copy in the kernel's keyring.
/// Otherwise the whole program runs, with the same result (a test compares the two).
pub fn quick(args: &[OsString], world: &mut World) -> Option<u8> {
    let [_, verb, profile] = args else { return None };
    let profile = profile.to_str()?;
    if verb != "token" || profile.starts_with('-') {
        return None;
    }
    let word = alias::plain_word(world, profile)?;
    let paths = Paths::find(&*world.env);
    let kernel_cache::Cached { set, .. } = kernel_cache::read(world, &paths, profile, (&[word], true))?;
    if !matches!(set.freshness(world.clock.now(), None), Freshness::Fresh | Freshness::Unknown) {
        return None;
    }
    let mut line = zeroize::Zeroizing::new(Vec::with_capacity(set.access_token.expose().len() + 1));
    line.extend_from_slice(set.access_token.expose().as_bytes());
    line.push(b'\n');
    Some(match world.out.write_all(&line).and_then(|()| world.out.flush()) {
        Ok(()) => 0,
        Err(e) => report(world, &unwritten(e), ErrorFormat::Text),
    })
}

/// Reads `token PROFILE [--no-cache]`, as scripts type it, without clap: building clap's commands
/// takes longer than all the rest. A test compares the two.
pub fn plain(args: &[OsString]) -> Option<(TokenArgs, Global)> {
    let (profile, no_cache) = match args {
        [_, verb, profile] if verb == "token" => (profile, false),
        [_, verb, profile, flag] if verb == "token" && flag == "--no-cache" => (profile, true),
        _ => return None,
    };
    let profile = profile.to_str().filter(|p| !p.starts_with('-'))?.to_owned();
    let who = WhoArgs { profile: Some(profile), ..WhoArgs::default() };
    Some((TokenArgs { who, ..TokenArgs::default() }, Global { no_cache, ..Global::default() }))
}

pub fn run(args: TokenArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let of_proof = [("--method", &args.method), ("--url", &args.url), ("--nonce", &args.nonce)];
    if let Some((flag, _)) = of_proof.iter().find(|(_, said)| said.is_some())
        && args.format != Format::DpopProof
    {
        return Err(Error::usage(format!("`{flag}` belongs to `--format dpop-proof`")));
    }
    if args.id_token && args.format == Format::DpopProof {
        return Err(Error::usage("`--format dpop-proof` is for an access token, not for an ID token"));
    }
    check_form(&args)?;
    if args.format == Format::ExecCredential {
        // before anything is sent
        Caller::read(world)?;
    }
    let mut session = sandbox_session::open(world, args.who.choice(global))?;
    let want = FreshnessPolicy {
        min_ttl: args.min_ttl.map(|t| t.as_secs() as i64),
        force: args.force_refresh,
        no_refresh: args.no_refresh,
        // a host is named beside the token: it must be the token's own
        whole: matches!(args.format, Format::Json | Format::Template | Format::Netrc),
        insists: false,
        takes_back: false,
    };
    let set = if args.id_token { fresh_id_token } else { fresh }(world, &mut session, want)?;
    warn_of_lifetime(world, &set, want.min_ttl);
    let text = formatted(world, &mut session, &set, &args)?;
    mask(world, set.access_token.expose());
    if matches!(args.format, Format::SaslXoauth2 | Format::SaslOauthbearer) {
        mask(world, text.trim_end());
    }
    if args.format == Format::Netrc {
        mask_basic(world, USER, set.access_token.expose());
    }
    match world.out.write_all(text.as_bytes()).and_then(|()| world.out.flush()) {
        Ok(()) => Ok(0),
        Err(e) => Err(unwritten(e)),
    }
}

/// Warns of a token that lives shorter than was asked, or not at all: a new one would live no
/// longer.
pub fn warn_of_lifetime(world: &mut World, set: &TokenSet, min_ttl: Option<i64>) {
    let left = set.expires_at.map_or(0, |at| at - world.clock.now());
    match set.freshness(world.clock.now(), min_ttl) {
        Freshness::Expired => world.warn("the provider issued this token with a lifetime that is over already"),
        Freshness::Stale if min_ttl.is_some() => world.warn(&format!(
            "this token expires in {}: the provider issues none with the requested lifetime",
            times::span(left)
        )),
        _ => {}
    }
}

/// The account, the server and the template are for some forms, and for no other.
fn check_form(args: &TokenArgs) -> Result<(), Error> {
    let account = matches!(args.format, Format::SaslXoauth2 | Format::SaslOauthbearer | Format::Pgpass);
    let format = args.format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let (pgpass, template) = (args.format == Format::Pgpass, args.format == Format::Template);
    for (flag, said, taken, wanted) in [
        ("--user", &args.user, account, account),
        ("--server", &args.server, pgpass || args.format == Format::SaslOauthbearer, pgpass),
        ("--template", &args.template, template, template),
    ] {
        match said {
            Some(_) if !taken => return Err(Error::usage(format!("`{flag}` is not for `--format {format}`"))),
            None if wanted => return Err(Error::usage(format!("`--format {format}` needs `{flag}`"))),
            _ => {}
        }
    }
    Ok(())
}

/// H-25: here even a closed pipe is an error, since the token was wanted.
fn unwritten(e: std::io::Error) -> Error {
    Error::new(Kind::Other, "the token could not be written to standard output").cause(e)
}

/// One proof and a newline.
fn proof(world: &mut World, session: &mut Session, set: &TokenSet, args: &TokenArgs) -> Result<Wiped, Error> {
    let Some(url) = &args.url else {
        return Err(Error::usage("a proof is for one request: name it")
            .hint(format!("{} --format dpop-proof --method GET --url URL", session.typed.line("token"))));
    };
    if !url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
        return Err(Error::usage(format!("`{}` is not an address", safe(url))));
    }
    let Some(dpop) = session.binding(world, set)?.dpop else {
        let login = session.typed.login_with(&[("--dpop", "")]);
        return Err(Error::usage(format!("the token of `{}` is not bound to a key: it needs no proof", session.name))
            .hint(format!("`{login}` binds it, if the provider supports that")));
    };
    let mut random = [0; 16];
    world.random.fill(&mut random);
    let method = args.method.as_deref().unwrap_or("GET");
    let sent = Proof { method, url, token: Some(&set.access_token), nonce: args.nonce.as_deref() };
    let proof = dpop
        .proof(&sent, Draw { now: world.clock.now(), random })
        .map_err(|e| Error::new(Kind::Other, "the proof can't be made").cause(e))?;
    Ok(Wiped::new(format!("{}\n", proof.expose())))
}

/// A token that needs a proof is of no use in some formats.
fn check_bound(world: &mut World, session: &Session, format: Format) -> Result<(), Error> {
    let name = &session.name;
    match format {
        Format::Netrc
        | Format::ExecCredential
        | Format::Bearer
        | Format::SaslXoauth2
        | Format::SaslOauthbearer
        | Format::Pgpass => {
            Err(Error::usage(format!("the token of `{name}` is bound to a key (DPoP): it is of no use in this format"))
                .hint(format!("{} PATH", session.typed.line("call"))))
        }
        Format::Text | Format::Json | Format::Template | Format::DpopProof => Ok(()),
        _ => {
            world.warn(&format!(
                "this token is bound to a key: each request needs a `DPoP` header of its own, from `{} --format dpop-proof --method METHOD --url URL`",
                session.typed.line("token")
            ));
            Ok(())
        }
    }
}

/// A token for an API, with the key that it is bound to.
pub fn presentable(world: &mut World, session: &mut Session, set: TokenSet) -> Result<(TokenSet, Binding), Error> {
    let binding = session.binding(world, &set)?;
    must_be_presentable(&session.typed, &set)?;
    Ok((set, binding))
}

/// Refuses a result of a token exchange that is no access token (RFC 8693, section 2.2.1: `N_A`).
pub fn must_be_presentable(name: &Typed, set: &TokenSet) -> Result<(), Error> {
    if !set.token_type.eq_ignore_ascii_case("N_A") {
        return Ok(());
    }
    let issued = set.extra.get("issued_token_type").and_then(Value::as_str).unwrap_or("not said");
    Err(Error::usage(format!("the token of `{name}` is no access token: it can't be sent to an API"))
        .because(format!("its type is `{}`", safe(short(issued))))
        .hint(format!("`{}` prints it", name.line("token"))))
}

fn formatted(world: &mut World, session: &mut Session, set: &TokenSet, args: &TokenArgs) -> Result<Wiped, Error> {
    let bound = is_dpop(set);
    if bound {
        check_bound(world, session, args.format)?;
    }
    let token = set.access_token.expose();
    let name = variable_name(&session.name);
    // in the other forms it is printed for whatever it may be
    if !args.id_token
        && !matches!(
            args.format,
            Format::Text
                | Format::Json
                | Format::Template
                | Format::Env
                | Format::Dotenv
                | Format::Fish
                | Format::Powershell
        )
    {
        must_be_presentable(&session.typed, set)?;
    }
    Ok(Wiped::new(match args.format {
        Format::Text => format!("{token}\n"),
        Format::Env => format!("export {name}={}\n", for_a_shell(token)),
        Format::Dotenv => format!("{name}={}\n", for_a_shell(token)),
        Format::Fish => format!("set -gx {name} '{}'\n", token.replace('\\', "\\\\").replace('\'', "\\'")),
        Format::Powershell => format!("$env:{name} = '{}'\n", token.replace('\'', "''")),
        Format::Header | Format::Curl => return presented(session, set, args.format),
        Format::Netrc => {
            let provider = session.provider(world, None)?;
            let url = provider.api.base_url.as_deref().and_then(|url| url::Url::parse(url).ok());
            let host = url.as_ref().and_then(url::Url::host_str);
            let host = host.ok_or_else(|| Error::usage(format!("provider `{}` names no API host", provider.id)))?;
            format!("machine {host} login {USER} password {token}\n")
        }
        Format::Bearer => format!("Bearer {token}\n"),
        Format::SaslXoauth2 | Format::SaslOauthbearer => sasl(args, token),
        Format::Pgpass => pgpass(args, token),
        Format::Json => format!("{}\n", members(world.clock.now(), session, set, args.id_token)),
        Format::Template => {
            let members = members(world.clock.now(), session, set, args.id_token);
            return filled(args.template.as_deref().unwrap_or_default(), &members);
        }
        Format::DpopProof => return proof(world, session, set, args),
        Format::ExecCredential => return Ok(Caller::read(world)?.credential(set)),
    }))
}

/// The header or the query parameter with the token, as the API wants it: its place, name, value.
pub fn parameter(session: &Session, set: &TokenSet) -> Result<(ApiAuthPlace, String, Wiped), Error> {
    let ApiAuth { place, name, scheme } = session.raw_provider()?.api.auth;
    let scheme = if is_dpop(set) { SCHEME } else { &scheme };
    let token = set.access_token.expose();
    Ok((place, name, Wiped::new(if scheme.is_empty() { token.to_owned() } else { format!("{scheme} {token}") })))
}

/// The same in two formats.
fn presented(session: &Session, set: &TokenSet, format: Format) -> Result<Wiped, Error> {
    let (place, name, value) = parameter(session, set)?;
    let (value, quoted) = (value.as_str(), |text: &str| text.replace('\\', "\\\\").replace('"', "\\\""));
    Ok(Wiped::new(match (place, format) {
        (ApiAuthPlace::Header, Format::Curl) => format!("header = \"{}: {}\"\n", quoted(&name), quoted(value)),
        (ApiAuthPlace::Query, Format::Curl) => format!("url-query = \"{}={}\"\n", quoted(&name), quoted(value)),
        (ApiAuthPlace::Header, _) => format!("{name}: {value}\n"),
        (ApiAuthPlace::Query, _) => {
            return Err(Error::usage("the API takes its token in the query, not in a header")
                .hint(format!("{} --format curl", session.typed.line("token"))));
        }
    }))
}

/// The client's first response and a newline: Google's XOAUTH2, or RFC 7628, section 3.1.
fn sasl(args: &TokenArgs, token: &str) -> String {
    let user = args.user.as_deref().unwrap_or_default();
    let start = match args.format {
        Format::SaslXoauth2 => format!("user={user}"),
        // a name in it is a `saslname` (RFC 5801, section 4)
        _ => format!("n,a={},", user.replace('=', "=3D").replace(',', "=2C")),
    };
    let mut place = String::new();
    if let Some(server) = &args.server {
        let (host, port) = host_and_port(server);
        place = format!("\u{1}host={host}");
        place.extend(port.map(|port| format!("\u{1}port={port}")));
    }
    let response = Wiped::new(format!("{start}{place}\u{1}auth=Bearer {token}\u{1}\u{1}"));
    format!("{}\n", STANDARD.encode(&*response))
}

/// A server of `--server`: a name or an address, an IPv6 address in brackets, and perhaps a port.
fn named_server(text: &str) -> Result<String, &'static str> {
    match url::Url::parse(&format!("https://{text}/")) {
        Ok(url) if url.path() == "/" && url.username().is_empty() && !text.contains(['*', '/', '\\', '@', '?']) => {
            Ok(text.to_owned())
        }
        _ => Err("write it as `db.example.com`, `db.example.com:5433` or `[::1]:5433`"),
    }
}

/// Its parts; an IPv6 address without brackets, as libpq has it.
fn host_and_port(server: &str) -> (&str, Option<&str>) {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let split = server.rsplit_once(':').filter(|(_, port)| is_port(port));
    let (host, port) = split.map_or((server, None), |(host, port)| (host, Some(port)));
    (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
}

/// A line of PostgreSQL's password file, for each database of the server.
fn pgpass(args: &TokenArgs, token: &str) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
    let (host, port) = host_and_port(args.server.as_deref().unwrap_or_default());
    let port = port.unwrap_or("5432");
    let user = args.user.as_deref().unwrap_or_default();
    format!("{}:{port}:*:{}:{}\n", escaped(host), escaped(user), escaped(token))
}

/// The members of the JSON object.
fn members(now: i64, session: &Session, set: &TokenSet, is_id_token: bool) -> Value {
    let mut object = known(json!({
        "profile": session.name,
        (if is_id_token { "id_token" } else { "access_token" }): set.access_token.expose(),
        "token_type": Some(&set.token_type).filter(|_| !is_id_token),
        "expires_at": set.expires_at.map(times::rfc3339),
        "expires_in": set.expires_at.map(|at| (at - now).max(0)),
        "scope": set.scopes.as_ref().map(|scopes| scopes.join(" ")),
    }));
    // a member of ours has one meaning, also where it is missing
    const OURS: [&str; 4] = ["profile", "expires_at", "expires_in", "scope"];
    for (name, value) in &set.extra {
        if !OURS.contains(&name.as_str()) && (!name.contains("token") || name == "issued_token_type") {
            object[name.as_str()] = value.clone();
        }
    }
    object
}

/// A template and a newline. A member that isn't there is an error: a gap in a file would be found
/// late.
fn filled(template: &str, members: &Value) -> Result<Wiped, Error> {
    let mut environment = minijinja::Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    let text = environment.render_str(template, minijinja::value::Serde(members)).map_err(|e| {
        let names: Vec<&str> = members.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let place = e.line().map(|line| format!(" (line {line})")).unwrap_or_default();
        Error::usage("the template can't be filled")
            .because(format!("{}{place}", safe(e.detail().unwrap_or(&e.kind().to_string()))))
            .hint(format!("its variables are {}", safe(&names.join(", "))))
    })?;
    Ok(Wiped::new(format!("{text}\n")))
}

/// The user name beside a token that is the password, where the server wants none.
pub const USER: &str = "oauth2";

/// Masks what a tool sends with this user name and this password (RFC 7617).
pub fn mask_basic(world: &mut World, user: &str, token: &str) {
    let pair = Wiped::new(format!("{user}:{token}"));
    mask(world, &Wiped::new(STANDARD.encode(&*pair)));
}

/// Masks a secret in the log of GitHub Actions, whose runner reads commands from stderr too.
pub fn mask(world: &mut World, secret: &str) {
    if world.env.var("GITHUB_ACTIONS").as_deref() != Some("true") {
        return;
    }
    let escaped = secret.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let _ = world.err.show(&format!("::add-mask::{escaped}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Cli, Verb};
    use clap::Parser;

    #[test]
    fn what_scripts_type_is_read_as_clap_reads_it() {
        let read = |words: &[&str]| plain(&words.iter().map(OsString::from).collect::<Vec<_>>());
        for words in [
            &["oauthctl", "token", "work"][..],
            &["oauthctl", "token", "help"],
            &["oauthctl", "token", "a b", "--no-cache"],
        ] {
            let (args, global) = read(words).unwrap();
            let clap = Cli::try_parse_from(words).unwrap();
            let Verb::Token(mut clap_args) = clap.verb else { panic!("{words:?}") };
            assert_eq!(args.who.choice(&global), clap_args.who.choice(&clap.global), "{words:?}");
            // `false` of a switch that is not there makes no difference
            clap_args.who.flags.profile = args.who.flags.profile.clone();
            assert_eq!(format!("{args:?} {global:?}"), format!("{clap_args:?} {:?}", clap.global), "{words:?}");
        }
        for words in [
            &["oauthctl", "token"][..],
            &["oauthctl", "token", "-h"],
            &["oauthctl", "token", "--no-cache"],
            &["oauthctl", "token", "--no-cache", "work"],
            &["oauthctl", "token", "work", "--quiet"],
            &["oauthctl", "refresh", "work"],
        ] {
            assert!(read(words).is_none(), "{words:?}");
        }
    }
}
