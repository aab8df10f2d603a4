//! `inspect`: decodes a JWT, without any request, and verifies it with the stored keys of a login.
//! The signature is never printed, so that the output does not give the token away.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::command::{Global, TextOrJson as Format, WhoFlags, fitted, print};
use crate::error::{Error, Kind};
use crate::protocol::id_token;
use crate::protocol::jose::trust::{self, SignedError, Trust};
use crate::protocol::jose::{self, Header, JoseError, JwkSet};
use crate::secret::Secret;
use crate::session::record::Record;
use crate::session::{Overrides, Session, no_token, secret_from_file};
use crate::text::times;
use crate::text::{safe, unprefixed};
use crate::world::World;

/// Bytes to read from standard input.
const LONGEST: usize = 512 * 1024;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  oauthctl inspect work --id-token
  oauthctl inspect - --signed-for work")]
pub struct InspectArgs {
    /// A token, `-` for one on standard input, or a profile, for its access token.
    #[arg(value_name = "TOKEN|-|PROFILE")]
    pub what: Option<String>,
    /// The profile's ID token.
    #[arg(long)]
    pub id_token: bool,
    /// For a token from the command line or standard input: the profile with the provider's keys.
    #[arg(long, value_name = "PROFILE")]
    pub signed_for: Option<String>,
    /// The form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
}

/// The hint for an unreadable token.
const EXPECTED: &str =
    "`inspect` takes a JWT (three parts with dots between), `-` for one on standard input, or a profile";

/// The result of the verification.
enum Signature {
    Right(String),
    Wrong(String),
    NotVerified(&'static str),
}

/// Exit code 7: the signature is wrong.
pub fn run(args: InspectArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let (token, record) = token(&args, global, world)?;
    let header = jose::header(token.expose()).map_err(unreadable)?;
    let claims = jose::unverified_claims(token.expose()).map_err(unreadable)?;
    let written = jose::written_claims(token.expose()).map_err(unreadable)?;
    let written: Written = written.into_iter().map(|(name, raw)| (name, on_one_line(raw.get()))).collect();
    let signature = verified(token.expose(), &header, record.as_ref());
    let now = world.clock.now();
    let problems = problems(&claims, args.id_token, record.as_ref(), now);
    let text = match args.format {
        Format::Json => as_json(&header, &written, &signature, &problems),
        Format::Text => fitted(world, &as_text(&header, (&claims, &written), &signature, &problems, now), 21),
    };
    print(world, text.as_bytes())?;
    Ok(if matches!(signature, Signature::Wrong(_)) { Kind::Unsafe.exit_code() } else { 0 })
}

fn unreadable(why: JoseError) -> Error {
    Error::new(Kind::Unsafe, "this token can't be read").cause(why).hint(EXPECTED)
}

/// The token, and the record with the keys to verify it.
fn token(args: &InspectArgs, global: &Global, world: &mut World) -> Result<(Secret, Option<Record>), Error> {
    let token = match args.what.as_deref() {
        Some("-") if world.terminal.stdin_is_terminal() => secret_from_file(world, "-", "token")?,
        Some("-") => {
            let unread = |e| Error::usage("the token can't be read from standard input").cause(e);
            given(&world.terminal.read_stdin(LONGEST).map_err(unread)?)
        }
        // too long for a profile: it is a token, which no error may quote
        Some(text) if text.len() > 64 || (text.matches('.').count() >= 2 && text.len() > 40) => given(text),
        word => match (stored(args.what.clone(), global, world), word) {
            (Err(e), Some(word)) if e.kind == Kind::Usage && is_token(word) => given(word),
            (Err(e), Some(_)) if e.kind == Kind::Usage => return Err(no_profile(e)),
            (found, _) => return found.and_then(|(session, record)| of_profile(args, world, &session, record)),
        },
    };
    let record = match &args.signed_for {
        Some(profile) => stored(Some(profile.clone()), global, world)?.1,
        None => None,
    };
    Ok((token, record))
}

fn given(text: &str) -> Secret {
    Secret::new(unprefixed(text).unwrap_or(text).trim())
}

/// Whether a word that is no profile is read as a token.
fn is_token(word: &str) -> bool {
    word.starts_with("eyJ") || unprefixed(word).is_some() || word.matches('.').count() >= 2
}

/// The error for an unknown profile, without the hint to log in.
fn no_profile(mut e: Error) -> Error {
    e.hints.retain(|hint| !hint.contains("oauthctl login "));
    e.hint(EXPECTED)
}

fn stored(profile: Option<String>, global: &Global, world: &mut World) -> Result<(Session, Option<Record>), Error> {
    let choice: Overrides = WhoFlags::default().choice(profile, global);
    let session = Session::open(world, choice)?;
    let record = session.load_if_any(world)?;
    Ok((session, record))
}

/// The profile's access token, or its ID token.
fn of_profile(
    args: &InspectArgs,
    world: &World,
    session: &Session,
    record: Option<Record>,
) -> Result<(Secret, Option<Record>), Error> {
    let set = record.as_ref().and_then(|r| r.token.as_ref()).ok_or_else(|| no_token(world, session))?;
    let provider = session.raw_provider().ok();
    let token = match args.id_token {
        true => set.id_token.clone().ok_or_else(|| session.no_id_token())?,
        false => set.access_token.clone(),
    };
    if jose::header(token.expose()).is_err() {
        // a discovered server may announce introspection
        let asks = match provider.is_none_or(|p| p.introspect.is_some() || p.issuer.is_some()) {
            true => "introspect",
            false => "whoami",
        };
        let name = &session.name;
        return Err(Error::usage(format!("the access token of `{name}` is no JWT: only the provider can read it"))
            .hint(session.typed.line(asks)));
    }
    Ok((token, record))
}

fn verified(token: &str, header: &Header, record: Option<&Record>) -> Signature {
    if header.alg.eq_ignore_ascii_case("none") {
        return Signature::Wrong("it is not signed (`alg` is `none`)".to_owned());
    }
    let Some(record) = record else { return Signature::NotVerified("no profile names the provider with the keys") };
    let symmetric = header.algorithm().is_some_and(jose::Algorithm::is_symmetric);
    let keys = match &record.keys {
        Some(kept) => JwkSet::read(kept.set.to_string().as_bytes()).unwrap_or_default(),
        None if symmetric => JwkSet::default(),
        None => return Signature::NotVerified("the provider's keys are not known here"),
    };
    // any algorithm that fits the key, for any kind of token
    let algorithms = [header.alg.clone()];
    let typ = header.media_type().filter(|typ| typ.ends_with("+jwt"));
    let trust = Trust { algorithms: &algorithms, typ: typ.as_deref(), secret: record.client_secret.as_ref() };
    let issuer = record.metadata.as_ref().map_or("the provider", |kept| kept.issuer.as_str());
    match trust::verify(token, &keys, &trust) {
        Ok((header, _)) => Signature::Right(match &header.kid {
            Some(kid) => format!("by the key `{}` of {}", safe(kid), safe(issuer)),
            None => format!("by the key of {}", safe(issuer)),
        }),
        Err(SignedError::UnknownKey { .. }) => Signature::NotVerified("its key is not among the keys of the login"),
        Err(SignedError::NoSecret(_)) => Signature::NotVerified("it needs a client secret, and none is stored"),
        Err(e) => Signature::Wrong(e.to_string()),
    }
}

/// The problems of the claims, alone and compared with the record.
fn problems(claims: &Map<String, Value>, is_id_token: bool, record: Option<&Record>, now: i64) -> Vec<String> {
    let mut found: Vec<String> = id_token::times_if_any(claims, now).err().iter().map(ToString::to_string).collect();
    let Some(record) = record else { return found };
    if let Some(issuer) = record.metadata.as_ref().map(|kept| kept.issuer.as_str())
        && claims.get("iss").and_then(Value::as_str).is_some_and(|iss| iss != issuer)
    {
        found.push(format!("its `iss` is not {}", safe(issuer)));
    }
    if is_id_token
        && let Some(id) = &record.client_id
        && !id_token::audiences(claims).is_ok_and(|all| all.contains(&id.as_str()))
    {
        found.push("its `aud` is not this client".to_owned());
    }
    found
}

/// The claims as JSON texts from the token, each on one line: reading a number may round it.
type Written = BTreeMap<String, String>;

/// JSON without the spaces between its tokens.
fn on_one_line(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    json.chars()
        .filter(|&c| {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_text = !in_text,
                _ => {}
            }
            in_text || !c.is_ascii_whitespace()
        })
        .collect()
}

fn as_json(header: &Header, claims: &Written, signature: &Signature, problems: &[String]) -> String {
    let (state, why) = match signature {
        Signature::Right(by) => ("right", by.as_str()),
        Signature::Wrong(why) => ("wrong", why.as_str()),
        Signature::NotVerified(why) => ("not verified", *why),
    };
    let claims: Vec<String> =
        claims.iter().map(|(name, json)| format!("{}:{json}", Value::from(name.as_str()))).collect();
    format!(
        "{{\"claims\":{{{}}},\"header\":{},\"problems\":{},\"signature\":{}}}\n",
        claims.join(","),
        Value::from(header.members.clone()),
        Value::from(problems),
        json!({ "state": state, "why": why })
    )
}

fn as_text(
    header: &Header,
    (claims, written): (&Map<String, Value>, &Written),
    signature: &Signature,
    problems: &[String],
    now: i64,
) -> String {
    let row = |name: &str, value: &str| format!("{}\n", format!("{name:20} {value}").trim_end());
    let members = |members: &Map<String, Value>, written: Option<&Written>| -> String {
        let text = |name: &String, value| shown(name, value, written.and_then(|all| all.get(name)), now);
        members.iter().map(|(name, value)| row(&format!("  {}", safe(name)), &text(name, value))).collect()
    };
    let signature = match signature {
        Signature::Right(by) => format!("right: {by}"),
        Signature::Wrong(why) => format!("WRONG: {why}"),
        Signature::NotVerified(why) => format!("not verified: {why}"),
    };
    let problems: String = problems.iter().map(|problem| row("problem", problem)).collect();
    let (header, claims) = (members(&header.members, None), members(claims, Some(written)));
    format!("header\n{header}claims\n{claims}{}{problems}", row("signature", &signature))
}

/// A member's value, if possible as `json` from the token; a time also in words.
fn shown(name: &str, value: &Value, json: Option<&String>, now: i64) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        _ => json.cloned().unwrap_or_else(|| value.to_string()),
    };
    let time = ["exp", "iat", "nbf", "auth_time", "updated_at"].contains(&name);
    match value.as_f64().filter(|n| time && (0.0..253_402_300_800.0).contains(n)).map(|at| at as i64) {
        Some(at) if at > now => format!("{} (in {}, {})", safe(&text), times::span(at - now), times::rfc3339(at)),
        Some(at) => format!("{} ({} ago, {})", safe(&text), times::span(now - at), times::rfc3339(at)),
        None => safe(&text),
    }
}
