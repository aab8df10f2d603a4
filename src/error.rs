//! The one error that a user sees: what failed, its causes, and hints at what to type next; and the
//! exit code that a script sees.
//!
//! The exit codes stand in [`Kind`]. The hints for typed errors of the rooms below (stores, HTTP,
//! requests, listeners, answers of a token endpoint) stand here. A room above that makes an
//! [`Error`] itself gives the kind and the hints there.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::address::on_loopback;
use crate::config::ConfigError;
use crate::protocol;
use crate::protocol::api_error::is_wrong_client;
use crate::protocol::authorization_request::AuthorizeError;
use crate::protocol::client::{Client, RequestError};
use crate::protocol::token_response::AnswerError;
use crate::provider::expand::ExpandError;
use crate::provider::{ErrorRule, ErrorsAt, Means};
use crate::store::{StoreError, StoreKind};
use crate::text::times::again_in;
use crate::text::{Typed, pasted, safe};
use crate::world::http_server::loopback::ListenError;
use crate::world::{HttpError, Unanswered};

/// The kind of a failure, with its exit code. A test compares them with `help exit-codes`. The
/// names in `--error-format json` are the same in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Other = 1,
    Usage = 2,
    Refused = 3,
    LoginFirst = 4,
    Store = 5,
    NobodyAnswered = 6,
    Unsafe = 7,
    Api = 22,
    NotSaved = 74,
    TryLater = 75,
    /// A command of the user's own was found and can't be run.
    NotRunnable = 126,
    /// It wasn't found.
    NoCommand = 127,
    Interrupted = 130,
    Terminated = 143,
}

impl Kind {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        self as u8
    }

    /// The kind of this name in JSON, as another oauthctl says it.
    fn named(name: &str) -> Kind {
        serde_json::from_value(name.into()).unwrap_or(Kind::Other)
    }
}

/// The state of the refresh token after a failed request that sent it. Only a refresh reads it;
/// other requests set it to no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// No answer came: the token may be spent.
    Unknown,
    /// No byte of the request was sent: the token is unspent.
    NotSent,
    /// A gateway answered in the server's place (502, 504): the token may be spent.
    Gateway,
    /// The server can't answer now (another 5xx): the token is unspent.
    Unavailable,
    /// The server refused the request, not the token.
    Answered,
    /// The answer means success but can't be read: it may hold the new token.
    MayHoldTokens,
    /// The server refused the token itself (`invalid_grant`). Only then it is deleted.
    Refused,
}

/// The error of every command. [`Error::as_json`] is its JSON for scripts; the derived one goes
/// from a helper process to the process that started it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Error {
    pub kind: Kind,
    /// The message, then its causes.
    #[serde(with = "as_texts")]
    pub what: anyhow::Error,
    pub hints: Vec<String>,
    /// Seconds, if the server said when to try again.
    pub retry_after: Option<u64>,
    /// Of the refresh token.
    pub fate: Fate,
    /// The server refused the client's id or secret, or may have.
    pub wrong_client: bool,
    /// What a server answered, made safe, if it is printed nowhere else.
    pub body: Option<String>,
    /// The user refused: on the provider's page, on another device, or here.
    pub said_no: bool,
    /// Of a command on several profiles: what failed, by the profile's name.
    pub profiles: Vec<(String, Error)>,
}

impl Error {
    /// An error with this message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error::of(kind, anyhow::Error::msg(message.into()))
    }

    /// Another error, whose text is the message.
    pub fn of(kind: Kind, what: impl Into<anyhow::Error>) -> Error {
        Error {
            kind,
            what: what.into(),
            hints: Vec::new(),
            retry_after: None,
            fate: Fate::Unknown,
            wrong_client: false,
            body: None,
            said_no: false,
            profiles: Vec::new(),
        }
    }

    /// An error if a command on several profiles failed for one of them. Its exit code is 75 only
    /// where to try again may help each of them.
    pub fn if_any(profiles: Vec<(String, Error)>, message: &str) -> Result<(), Error> {
        let kinds = || profiles.iter().map(|(_, e)| e.kind);
        match kinds().find(|kind| *kind != Kind::TryLater).or(kinds().next()) {
            Some(kind) => Err(Error { profiles, ..Error::new(kind, message) }),
            None => Ok(()),
        }
    }

    /// Puts a message above the present one, which becomes a cause.
    pub fn context(self, message: impl Into<String>) -> Error {
        Error { what: self.what.context(message.into()), ..self }
    }

    /// Replaces the message. The causes stay, as texts.
    pub fn reworded(self, message: impl Into<String>) -> Error {
        let what = from_texts([vec![message.into()], self.causes()].concat());
        Error { what, ..self }
    }

    /// Adds the error that was the cause. Causes added before it stay, as texts.
    pub fn cause(self, cause: impl Into<anyhow::Error>) -> Error {
        let what = self.texts().into_iter().rev().fold(cause.into(), anyhow::Error::context);
        Error { what, ..self }
    }

    /// Adds a cause that is no error value.
    pub fn because(self, cause: impl Into<String>) -> Error {
        self.cause(anyhow::Error::msg(cause.into()))
    }

    /// Adds a hint: a command to type, most often.
    pub fn hint(self, hint: impl Into<String>) -> Error {
        self.hints([hint])
    }

    /// Adds several hints.
    pub fn hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Error {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// The first hint that makes sense in the output of `doctor`.
    pub fn advice(self) -> Option<String> {
        self.hints.into_iter().find(|hint| !hint.contains("oauthctl doctor"))
    }

    /// Adds a hint if there is none.
    pub fn or_hint(self, hint: impl FnOnce() -> String) -> Error {
        if self.hints.is_empty() { self.hint(hint()) } else { self }
    }

    /// A mistake on the command line or in the configuration (exit code 2).
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(Kind::Usage, message)
    }

    /// No token is stored, or it can't be refreshed any more.
    pub fn login_first(profile: &Typed, message: impl Into<String>) -> Error {
        Error::new(Kind::LoginFirst, message).hint(profile.login())
    }

    /// The message and its causes. A cause that the text above it ends with isn't repeated.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for text in self.what.chain().map(ToString::to_string) {
            if !texts.last().is_some_and(|above| above.ends_with(&text)) {
                texts.push(text);
            }
        }
        texts
    }

    /// The causes, the nearest first.
    pub fn causes(&self) -> Vec<String> {
        self.texts().split_off(1)
    }

    /// `error: …`, `caused by: …`, `hint: …`, each a line; those of single profiles come first.
    pub fn as_text(&self, paint: bool) -> String {
        let (red, dim, plain) = if paint { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let of_one = |(name, e): &(String, Error)| format!("{}: {}", safe(name), e.as_text(paint));
        let mut text = self.profiles.iter().map(of_one).collect::<String>();
        text.push_str(&format!("{red}error:{plain} {self}\n"));
        for cause in self.causes() {
            text.push_str(&format!("{dim}caused by:{plain} {cause}\n"));
        }
        for hint in &self.hints {
            text.push_str(&format!("{dim}hint:{plain} {hint}\n"));
        }
        text
    }

    /// One JSON object on a line.
    pub fn as_json(&self) -> String {
        format!("{}\n", self.object())
    }

    fn object(&self) -> Value {
        let mut object = json!({
            "error": self.kind,
            "exit_code": self.kind.exit_code(),
            "message": self.to_string(),
            "causes": self.causes(),
            "hints": self.hints,
        });
        if let Some(seconds) = self.retry_after {
            object["retry_after"] = seconds.into();
        }
        if let Some(body) = &self.body {
            object["body"] = body.as_str().into();
        }
        let of_one = |(name, e): &(String, Error)| {
            let mut object = e.object();
            object["profile"] = name.as_str().into();
            object
        };
        if !self.profiles.is_empty() {
            object["profiles"] = self.profiles.iter().map(of_one).collect();
        }
        object
    }
}

/// A clone has the texts of the causes alone.
impl Clone for Error {
    fn clone(&self) -> Error {
        let (what, hints) = (from_texts(self.texts()), self.hints.clone());
        Error { what, hints, body: self.body.clone(), profiles: self.profiles.clone(), ..*self }
    }
}

/// The message alone.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)
    }
}

fn from_texts(texts: Vec<String>) -> anyhow::Error {
    let mut texts = texts.into_iter().rev();
    let last = anyhow::Error::msg(texts.next().unwrap_or_default());
    texts.fold(last, anyhow::Error::context)
}

/// A chain of errors as the list of their texts.
mod as_texts {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(what: &anyhow::Error, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(what.chain().map(ToString::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<anyhow::Error, D::Error> {
        Vec::deserialize(from).map(super::from_texts)
    }
}

/// The error for a question without an answer. `not_done` ends the message: "nothing was done".
pub fn unanswered(e: Unanswered, not_done: &str) -> Error {
    match e {
        Unanswered::Ended | Unanswered::TooLate(_) => Error::new(Kind::NobodyAnswered, format!("{e}; {not_done}")),
        Unanswered::Signal(signal) => ended_by(signal, not_done),
        Unanswered::Failed(_) => Error::usage(format!("{e}; {not_done}")),
        Unanswered::Unseen => Error::usage(format!("{e}; {not_done}")).hint("leave standard error on the terminal"),
    }
}

/// The error for a command that a signal ended. `rest`: what was done or not.
pub fn ended_by(signal: i32, rest: &str) -> Error {
    match signal {
        2 => Error::new(Kind::Interrupted, format!("interrupted; {rest}")),
        _ => Error::new(Kind::Terminated, format!("ended by a signal; {rest}")),
    }
}

impl From<Unanswered> for Error {
    fn from(e: Unanswered) -> Error {
        unanswered(e, "nothing was done")
    }
}

impl From<ConfigError> for Error {
    fn from(e: ConfigError) -> Error {
        Error::usage(e.message).hints(e.hint)
    }
}

/// The variable comes first: not every command has the option.
const OR_SEALED: &str = "or keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it";

/// A Mac says of a keychain that is open, too, that nobody can be asked: for a program that it
/// doesn't know.
const UNLOCK: &str = match cfg!(target_os = "macos") {
    true => {
        "type `security unlock-keychain`, or run the command once in a terminal at the Mac itself and choose `Always Allow`"
    }
    false => "unlock the keyring (log in to the desktop, or its password manager) and run the command again",
};

impl From<StoreError> for Error {
    fn from(e: StoreError) -> Error {
        if let StoreError::NotBorrowed(e) = e {
            let error = Error::new(Kind::named(&e.kind), e.message).hint(e.hint);
            return e.cause.into_iter().fold(error, Error::because);
        }
        let kind = match e {
            StoreError::BadVariable { .. } => Kind::Unsafe,
            StoreError::Unavailable(..) | StoreError::Overtaken(_) => Kind::TryLater,
            _ => Kind::Store,
        };
        let hints = store_hints(&e);
        Error::of(kind, e).hints(hints)
    }
}

fn store_hints(e: &StoreError) -> Vec<String> {
    const ASK_DOCTOR: &str = "`oauthctl doctor` looks at every store";
    let hints: &[&str] = match e {
        StoreError::Advised { cures, .. } => return cures.clone(),
        StoreError::Locked(_) => &[UNLOCK, OR_SEALED],
        StoreError::Absent { .. } => &[OR_SEALED.trim_start_matches("or "), ASK_DOCTOR],
        StoreError::TimedOut(..) => {
            &["answer it if it asks something, or restart it, and run the command again", OR_SEALED]
        }
        StoreError::Denied(_) => {
            &["allow this program to use it, in its own settings, and run the command again", OR_SEALED]
        }
        StoreError::Foreign(..) => &[
            "it is probably left over from another session: unset DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR, or log in to this machine anew",
            OR_SEALED,
        ],
        StoreError::Unavailable(..) => &["run the command again; with `-v` it shows each request to the engine"],
        StoreError::Sealed(_) => &["its operators unseal it; nothing was changed"],
        StoreError::NotAllowed { profile, .. } => {
            let of = profile.iter().map(|name| format!(" {}", pasted(name))).collect::<String>();
            &[&format!("`oauthctl store policy{of}` prints what a reader and a renewer must be allowed")]
        }
        StoreError::Overtaken(_) => &["run the command again"],
        StoreError::Full(_) => &["free some space and run the command again"],
        StoreError::NotWritable(..) => &["fix the permissions, or name another folder with OAUTHCTL_STATE_DIR"],
        StoreError::WrongPassphrase(_) => &[
            "OAUTHCTL_STORE_PASSPHRASE, or the file that OAUTHCTL_STORE_PASSPHRASE_FILE names, if one is set, holds another one: correct or unset it",
            "`oauthctl store unlock` asks for the right one, and keeps its key for a while (Linux)",
        ],
        StoreError::NeedsPassphrase(_) => &[
            "`oauthctl store unlock` asks for it, and keeps its key for a while (Linux)",
            "or set OAUTHCTL_STORE_PASSPHRASE, or OAUTHCTL_STORE_PASSPHRASE_FILE to a file that holds it",
        ],
        StoreError::NeedsIdentity(_) | StoreError::WrongIdentity(_) => {
            &["`store-identity` in config.toml names the file of the key (`oauthctl help storage`)"]
        }
        StoreError::ReadOnly(name) if *name == StoreKind::Lent.name() => {
            &["for a login of this machine, unset OAUTHCTL_SOCKET"]
        }
        StoreError::ReadOnly(_) => &[
            "choose another one: unset OAUTHCTL_STORE or the variable that holds the token, or add `--store` where the command takes it",
        ],
        StoreError::Corrupt { profile, .. } => {
            &[&format!("`oauthctl logout {} --local-only` forgets it unread; then log in again", pasted(profile))]
        }
        StoreError::KeyGone { profiles, .. } => {
            let forget = |name: &String| format!("`oauthctl logout {} --local-only`", pasted(name));
            let each = profiles.iter().map(forget).collect::<Vec<_>>().join(", ");
            &["bring it back, from a backup; nothing was changed", &format!("or forget each of them unread: {each}")]
        }
        StoreError::BadKey(_) => {
            &["restore it from a backup, or remove it: then `login` names the records that can't be read any more"]
        }
        StoreError::BadVariable { variable, .. } => &[&format!("set {variable} to the token alone")],
        StoreError::NotKept(_) | StoreError::TooLong(_) | StoreError::Failed(..) => &[ASK_DOCTOR],
        StoreError::NotBorrowed(_) => &[],
    };
    hints.iter().map(|hint| (*hint).to_owned()).collect()
}

impl From<HttpError> for Error {
    fn from(e: HttpError) -> Error {
        let (kind, fate) = match &e {
            HttpError::Unsent { .. } => (Kind::TryLater, Fate::NotSent),
            HttpError::Ambiguous { .. } | HttpError::TimedOut { .. } => (Kind::TryLater, Fate::Unknown),
            HttpError::Tls { .. } | HttpError::Forbidden { .. } => (Kind::Unsafe, Fate::NotSent),
            HttpError::TooLarge { .. }
            | HttpError::TooDense { .. }
            | HttpError::HeadTooLarge { .. }
            | HttpError::Malformed { .. } => (Kind::Unsafe, Fate::Unknown),
            HttpError::Authorities(_) | HttpError::Proxy(_) => (Kind::Usage, Fate::NotSent),
        };
        let hint: Option<&str> = match &e {
            HttpError::Authorities(fault) => Some(&fault.advice()),
            HttpError::Proxy(fault) => Some(&fault.advice()),
            HttpError::Unsent { place, .. } if on_loopback(place) => {
                Some("start the server there; if it runs, bring loopback up (Linux, as root: `ip link set lo up`)")
            }
            HttpError::Unsent { .. } => Some("check the network (`oauthctl doctor`), then run the command again"),
            HttpError::Ambiguous { .. } => Some("run the command again"),
            HttpError::TimedOut { .. } => Some("run the command again later; `oauthctl doctor` looks at the network"),
            HttpError::Tls { .. } => {
                Some("name your organisation's own certificate with SSL_CERT_FILE; checks can't be turned off")
            }
            HttpError::Forbidden { .. } => Some("`https` everywhere; `http` only to 127.0.0.1 and [::1]"),
            _ => None,
        };
        // the others name an address and quote libraries: their text is cleaned
        let ours = matches!(e, HttpError::Authorities(_) | HttpError::Proxy(_));
        let message = if ours { e.to_string() } else { safe(&e.to_string()) };
        Error { fate, ..Error::new(kind, message).hints(hint) }
    }
}

impl Error {
    /// For a variable of the provider's file that no login has filled: it is sent nowhere.
    pub fn unfilled(name: &str) -> Error {
        let why = format!("the provider's `{{{}}}` is not known: only a sign-in brings it", safe(name));
        Error { fate: Fate::NotSent, ..Error::new(Kind::LoginFirst, why) }
    }
}

impl From<ExpandError> for Error {
    /// For the values that a sign-in brought for the provider's variables.
    fn from(e: ExpandError) -> Error {
        Error::of(Kind::Unsafe, e).context("the values of the sign-in can't be used")
    }
}

impl From<RequestError> for Error {
    fn from(e: RequestError) -> Error {
        const NO_PROOF: &str = "`--auth none` sends the client id alone";
        const KEY_FILE: &str = "`--client-key-file FILE`: PEM (PKCS#8, PKCS#1, SEC1) or JWK";
        let hints: &[&str] = match e {
            RequestError::Unfilled(name) => return Error::unfilled(&name),
            RequestError::NeedsSecret => &[
                "give it with `--client-secret-file FILE` (`-`: standard input)",
                "in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET",
            ],
            RequestError::SecretNotKept(_) => &["put it there again, or set OAUTHCTL_CLIENT_SECRET"],
            RequestError::SecretUnread(_) => &["type the profile's name, or set OAUTHCTL_PROFILE"],
            RequestError::NoUrl(_) | RequestError::BadUrl(..) => {
                &["`oauthctl provider show` prints the provider's entry"]
            }
            RequestError::Key(_) => &[KEY_FILE],
            RequestError::NeedsKey => &[KEY_FILE, NO_PROOF],
            RequestError::NeedsCertificate => {
                &["`--client-certificate FILE --client-key-file FILE`, both PEM", NO_PROOF]
            }
            RequestError::KeyNotTaken => &["`--auth private-key-jwt` uses it all the same", NO_PROOF],
            RequestError::Algorithm { .. } => {
                &["give a key of another kind with `--client-key-file`, or set `client-key-algorithm`"]
            }
            RequestError::NoUsableAuth => &["`oauthctl provider show` prints `token.auth`"],
        };
        Error::of(Kind::Usage, e).hints(hints.iter().copied())
    }
}

/// The same, with the command that sets this profile's secret.
pub fn unbuilt(e: RequestError, profile: &Typed) -> Error {
    let not_kept = matches!(e, RequestError::SecretNotKept(_) | RequestError::SecretUnread(_));
    let keeps = not_kept.then(|| format!("or keep it: `{}` asks for it", profile.line("profile set-secret")));
    Error::from(e).hints(keeps)
}

impl From<AuthorizeError> for Error {
    fn from(e: AuthorizeError) -> Error {
        let hint = matches!(e, AuthorizeError::NoUrl(_)).then_some("try `--grant client-credentials`");
        Error::of(Kind::Usage, e).hints(hint)
    }
}

impl From<ListenError> for Error {
    fn from(e: ListenError) -> Error {
        let hint = match &e {
            ListenError::PortTaken { .. } | ListenError::NoneFree(_) => {
                "stop the program that uses it, or register another address and give it with `--redirect-uri` or `--port`"
            }
            ListenError::NotHere(_) => "`--listen 0.0.0.0` or `--listen [::]` listens at all of its addresses",
            ListenError::Reserved(_) => "a port from 1024 up, with `--redirect-uri` or `--port`",
            ListenError::Unreachable { .. } => {
                "bring loopback up (Linux, as root: `ip link set lo up`); if it is up, a firewall or a sandbox blocks it"
            }
            ListenError::Failed(_) => "`--grant device-code`, where the provider offers it, needs no listener",
        };
        // a taken port may be free a moment later: most often another login holds it
        let kind =
            if matches!(e, ListenError::Reserved(_) | ListenError::NotHere(_)) { Kind::Usage } else { Kind::TryLater };
        Error::of(kind, e).hint(hint)
    }
}

/// The request that a token endpoint answered, for its error's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Code,
    Refresh,
    ClientCredentials,
    Assertion,
    Exchange,
    Password,
    Pushed,
}

impl Asked {
    /// Whether a person signs in for it, and may do so again.
    fn is_by_person(self) -> bool {
        !matches!(self, Asked::ClientCredentials | Asked::Assertion | Asked::Exchange)
    }
}

/// The error for a token endpoint's answer, with the next step as a hint. `now` (Unix seconds) is
/// for a `Retry-After` that names a date.
pub fn token_answer(e: AnswerError, asked: Asked, (profile, client): (&Typed, &Client), now: i64) -> Error {
    let doing = failed(asked);
    let AnswerError::OAuth { status, error, .. } = &e else { return no_oauth_answer(e, doing, asked, now) };
    let login = profile.login();
    let wrong_client = check_client(profile, client);
    let (kind, hint): (Kind, &str) = match error.as_str() {
        "invalid_grant" if asked == Asked::ClientCredentials => (Kind::LoginFirst, &wrong_client),
        "access_denied" if !asked.is_by_person() => {
            (Kind::Refused, &format!("{wrong_client}, and the scopes that are asked for"))
        }
        "invalid_grant" if asked == Asked::Assertion => (
            Kind::Refused,
            "compare the assertion's `iss`, `sub`, `aud` and `exp` with what the provider expects: `aud` is its token address at most",
        ),
        "invalid_grant" if asked == Asked::Password => {
            (Kind::Refused, &format!("check both, then `{}`", profile.login_by("password")))
        }
        "invalid_grant" | "invalid_request" if asked == Asked::Exchange => {
            (Kind::Refused, "is the subject's token still good, and its type right (`--subject-token-type`)?")
        }
        "invalid_target" => (Kind::Refused, "ask for another `--resource` or `--audience`"),
        "invalid_authorization_details" => {
            (Kind::Refused, "compare `--authorization-details` with the provider's documents")
        }
        "invalid_grant" | "expired_token" | "bad_refresh_token" | "bad_verification_code" => (Kind::LoginFirst, &login),
        _ if is_wrong_client(error, *status) => (Kind::Usage, &wrong_client),
        "unsupported_grant_type" | "unauthorized_client" => {
            (Kind::Usage, "this client may not use that grant: see how the app is registered")
        }
        "access_denied" => (Kind::Refused, &format!("ask the account's owner, then `{login}`")),
        _ if asked == Asked::Refresh && needs_a_person(error) => (Kind::LoginFirst, &login),
        _ if needs_a_person(error) => (Kind::Refused, &format!("sign in with a browser: `{login}`")),
        "invalid_scope" | "insufficient_scope" => (Kind::Refused, &other_scopes(asked, profile)),
        "temporarily_unavailable" | "slow_down" | "server_error" => (Kind::TryLater, "run the command again later"),
        "invalid_request" | "redirect_uri_mismatch" => {
            (Kind::Usage, "compare the request (`-v`) with the provider's documents")
        }
        _ if *status == 401 => (Kind::Usage, &wrong_client),
        _ => (Kind::Other, "`-v` shows each request and answer, without secrets"),
    };
    let wrong_client = is_wrong_client(error, *status);
    let refused = asked == Asked::Refresh && matches!(error.as_str(), "invalid_grant" | "bad_refresh_token");
    let fate = if refused { Fate::Refused } else { Fate::Answered };
    Error { wrong_client, fate, ..Error::of(kind, e).context(doing).hint(hint) }
}

fn failed(asked: Asked) -> &'static str {
    match asked {
        Asked::Code => "the code could not be exchanged",
        Asked::Refresh => "the token could not be refreshed",
        Asked::ClientCredentials => "no token was issued for these client credentials",
        Asked::Assertion => "no token was issued for this assertion",
        Asked::Exchange => "the token was not exchanged",
        Asked::Pushed => "the provider refused the authorization request",
        Asked::Password => "no token was issued for this name and password",
    }
}

/// The error for a refusal in the provider's own words, which a rule of its file explains.
pub fn told_by_rule(
    e: AnswerError,
    ((rule, means), status): ((&ErrorRule, Means), u16),
    asked: Asked,
    (profile, client): (&Typed, &Client),
) -> Error {
    let by_login = matches!(asked, Asked::Code | Asked::Refresh);
    let (kind, hint) = match means {
        Means::Expired | Means::Revoked if by_login => (Kind::LoginFirst, profile.login()),
        Means::Expired | Means::Revoked => (Kind::Refused, "the credentials that were sent are not valid".to_owned()),
        Means::WrongClient => (Kind::Usage, check_client(profile, client)),
        Means::Scope => (Kind::Refused, other_scopes(asked, profile)),
        Means::Throttled => (Kind::TryLater, "run the command again later".to_owned()),
    };
    // a 401 may be about the client: no token is forgotten, unless the rule is the token endpoint's
    let about_token = status != 401 || rule.at == ErrorsAt::Token;
    let fate = match kind {
        Kind::LoginFirst if asked == Asked::Refresh && about_token => Fate::Refused,
        _ => Fate::Answered,
    };
    let wrong_client = means == Means::WrongClient;
    Error { wrong_client, fate, ..Error::of(kind, e).context(failed(asked)).hint(hint) }
}

/// The hint for scopes that are refused.
fn other_scopes(asked: Asked, profile: &Typed) -> String {
    match asked.is_by_person() {
        true => format!("ask for other scopes: `{}`", profile.login_with(&[("--scope", "…")])),
        false => "ask for other scopes with `--scope`, or see which ones the app is allowed".to_owned(),
    }
}

/// The error for an answer that holds no OAuth error.
fn no_oauth_answer(e: AnswerError, doing: &str, asked: Asked, now: i64) -> Error {
    let (kind, fate) = match &e {
        AnswerError::Unavailable { status: 502 | 504, .. } => (Kind::TryLater, Fate::Gateway),
        AnswerError::Unavailable { status: 500.., .. } => (Kind::TryLater, Fate::Unavailable),
        AnswerError::Unavailable { .. } => (Kind::TryLater, Fate::Answered),
        AnswerError::Status(_) => (Kind::Other, Fate::Answered),
        AnswerError::Redirect(_) | AnswerError::Html(_) => (Kind::Unsafe, Fate::Answered),
        _ => (Kind::Unsafe, Fate::MayHoldTokens),
    };
    // VerticalResponse refuses a wrong client with a page
    let wrong_client = matches!(e, AnswerError::Html(400 | 401 | 403) | AnswerError::Status(400 | 401 | 403));
    let retry_after = match &e {
        // 0 asks for no wait
        AnswerError::Unavailable { retry_after: Some(text), .. } => {
            protocol::retry_after::seconds(text, now).filter(|seconds| *seconds > 0)
        }
        _ => None,
    };
    let hint = match &e {
        AnswerError::Unavailable { .. } => Some(match retry_after {
            Some(seconds) => again_in(seconds),
            None => "run the command again later".to_owned(),
        }),
        AnswerError::Html(_) | AnswerError::Redirect(_) => {
            let key = if asked == Asked::Pushed { "par-url" } else { "token.url" };
            Some(format!("is the provider's `{key}` right? `oauthctl provider show` prints it"))
        }
        AnswerError::NotOk(status) => Some(format!(
            "if that status means success there: `ok-status` of `[token]` in a provider file of your own must name {status} too"
        )),
        _ => None,
    };
    Error { wrong_client, fate, retry_after, ..Error::of(kind, e).context(doing).hints(hint) }
}

/// The hint for a refused client: check the id and the secret, where they came from.
pub fn check_client(profile: &Typed, client: &Client) -> String {
    match (&client.secret, &client.secret_from) {
        (Some(_), Some(from)) => format!("check the client id, and the client secret from {from}"),
        (Some(_), None) => format!(
            "check the client id and the client secret (`{} FILE` replaces one that is kept)",
            profile.line("profile set-secret")
        ),
        (None, _) => {
            "check the client id, and whether the app has a client secret (`--client-secret-file FILE`)".to_owned()
        }
    }
}

/// Whether an OAuth error means that the account's owner must act in a browser (OpenID Connect
/// Core, section 3.1.2.6; RFC 9470; Unmet Authentication Requirements; Auth0).
fn needs_a_person(error: &str) -> bool {
    matches!(
        error,
        "interaction_required"
            | "login_required"
            | "consent_required"
            | "account_selection_required"
            | "insufficient_user_authentication"
            | "unmet_authentication_requirements"
            | "mfa_required"
    )
}

/// The error for the authorization endpoint's `error` in the redirect.
pub fn refused_at_authorize(error: &str, description: Option<&str>, profile: &Typed) -> Error {
    let kind = match error {
        "temporarily_unavailable" | "server_error" => Kind::TryLater,
        "invalid_request" | "unauthorized_client" | "unsupported_response_type" => Kind::Usage,
        _ => Kind::Refused,
    };
    let said_no = error == "access_denied";
    let message = if said_no { "the sign-in was refused" } else { "the provider ended the sign-in" };
    let description = description.map(|text| format!(": {}", safe(text))).unwrap_or_default();
    let cause = format!("the provider answered `{}`{description}", safe(error));
    Error { said_no, ..Error::new(kind, message).because(cause).hint(profile.login()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str) -> Typed {
        Typed::new(name, name, Vec::new())
    }

    fn client() -> Client {
        Client::plain("id", Some("a-secret-of-the-app".into()))
    }

    fn oauth(error: &str) -> AnswerError {
        AnswerError::OAuth { status: 400, error: error.into(), description: Some("why\x1b[2J".into()) }
    }

    // C-09
    #[test]
    fn every_oauth_error_has_its_exit_code() {
        for (error, code) in [
            ("invalid_grant", 4),
            ("invalid_client", 2),
            ("unauthorized_client", 2),
            ("unsupported_grant_type", 2),
            ("invalid_scope", 3),
            ("access_denied", 3),
            ("temporarily_unavailable", 75),
            ("slow_down", 75),
            ("whatever", 1),
        ] {
            assert_eq!(
                token_answer(oauth(error), Asked::Refresh, (&profile("p"), &client()), 0).kind.exit_code(),
                code,
                "{error}"
            );
        }
        let code = |e| token_answer(e, Asked::Code, (&profile("p"), &client()), 0).kind.exit_code();
        assert_eq!(code(AnswerError::Html(200)), 7);
        assert_eq!(code(AnswerError::Redirect(307)), 7);
        assert_eq!(code(AnswerError::NotJson("x".into())), 7);
        assert_eq!(code(AnswerError::Unavailable { status: 503, retry_after: None }), 75);
    }

    #[test]
    fn only_a_refused_refresh_token_is_dead() {
        let fate = |error, asked| token_answer(oauth(error), asked, (&profile("p"), &client()), 0).fate;
        assert_eq!(fate("invalid_grant", Asked::Refresh), Fate::Refused);
        assert_eq!(fate("invalid_grant", Asked::Code), Fate::Answered);
        assert_eq!(fate("invalid_client", Asked::Refresh), Fate::Answered);
        assert_eq!(fate("invalid_scope", Asked::Refresh), Fate::Answered);
    }

    #[test]
    fn a_grant_that_the_app_may_not_use_is_no_matter_of_its_secret() {
        let hint = |status| {
            let e = AnswerError::OAuth { status, error: "unauthorized_client".into(), description: None };
            token_answer(e, Asked::ClientCredentials, (&profile("p"), &client()), 0).hints.remove(0)
        };
        assert!(hint(400).contains("how the app is registered"), "{}", hint(400));
        assert!(hint(401).contains("client secret"), "{}", hint(401));
    }

    #[test]
    fn nobody_is_told_to_sign_in_where_no_person_does() {
        for (error, code, hint) in [
            ("invalid_grant", 4, "check the client id and the client secret"),
            ("access_denied", 3, "and the scopes that are asked for"),
            ("invalid_scope", 3, "ask for other scopes with `--scope`"),
        ] {
            let e = token_answer(oauth(error), Asked::ClientCredentials, (&profile("p"), &client()), 0);
            assert_eq!(e.kind.exit_code(), code, "{error}");
            assert!(e.hints[0].contains(hint) && !e.hints[0].contains("login"), "{error}: {:?}", e.hints);
        }
    }

    #[test]
    fn what_was_not_answered_says_what_to_type_next() {
        let place = || "`a.example`".to_owned();
        for e in [
            HttpError::Unsent { place: place(), why: String::new() },
            HttpError::Ambiguous { place: place(), why: String::new() },
            HttpError::TimedOut { place: place(), seconds: 30 },
        ] {
            let e = Error::from(e);
            assert!(e.kind == Kind::TryLater && e.hints[0].contains("run the command again"), "{:?}", e.hints);
        }
    }

    #[test]
    fn an_error_reads_as_what_why_and_what_next() {
        let error = token_answer(oauth("invalid_grant"), Asked::Refresh, (&profile("work"), &client()), 0);
        assert_eq!(
            error.as_text(false),
            "error: the token could not be refreshed\ncaused by: the server answered `invalid_grant`: why [2J\nhint: oauthctl login work\n"
        );
        let json: serde_json::Value = serde_json::from_str(&error.as_json()).unwrap();
        assert_eq!(json["error"], "login_first");
        assert_eq!(json["exit_code"], 4);
    }

    #[test]
    fn a_cause_stays_an_error_value_and_a_helper_sends_its_text() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let error = Error::usage("`x` can't be read").cause(denied).context("nothing is sent");
        let kind = error.what.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        assert_eq!(kind, Some(std::io::ErrorKind::PermissionDenied));
        assert_eq!(error.causes(), ["`x` can't be read", "permission denied"]);
        let sent: Error = serde_json::from_value(json!(error)).unwrap();
        assert_eq!((sent.as_json(), sent.fate), (error.as_json(), error.fate));
    }

    #[test]
    fn a_quoted_source_is_shown_once_and_a_second_cause_follows_the_first() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let error = Error::of(Kind::Store, denied).context("the store: permission denied").because("it is full");
        assert_eq!(error.texts(), ["the store: permission denied", "it is full"]);
        assert_eq!(error.reworded("no store").texts(), ["no store", "it is full"]);
    }
}
