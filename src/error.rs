//! The one error a person sees: what failed, why, and what to type next; and the exit code a script
//! sees. This is the only room that knows every typed error below it, so that all hints and exit
//! codes stand in one file.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::address::on_loopback;
use crate::config::ConfigError;
use crate::protocol;
use crate::protocol::answer::AnswerError;
use crate::protocol::authorize::AuthorizeError;
use crate::protocol::client::{Client, RequestError};
use crate::store::StoreError;
use crate::text::{Typed, safe};
use crate::world::http_server::loopback::ListenError;
use crate::world::{HttpError, Unanswered};

/// What kind of failure it is; each has its exit code, pinned by a test against `help exit-codes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Other,
    Usage,
    Refused,
    LoginFirst,
    Store,
    NobodyAnswered,
    Unsafe,
    Api,
    NotSaved,
    TryLater,
    Interrupted,
    Terminated,
}

impl Kind {
    /// All kinds, in the order of the table of exit codes.
    pub const ALL: [Kind; 12] = [
        Kind::Other,
        Kind::Usage,
        Kind::Refused,
        Kind::LoginFirst,
        Kind::Store,
        Kind::NobodyAnswered,
        Kind::Unsafe,
        Kind::Api,
        Kind::NotSaved,
        Kind::TryLater,
        Kind::Interrupted,
        Kind::Terminated,
    ];

    /// The exit code, from the table in `oauthctl help exit-codes`.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Other => 1,
            Kind::Usage => 2,
            Kind::Refused => 3,
            Kind::LoginFirst => 4,
            Kind::Store => 5,
            Kind::NobodyAnswered => 6,
            Kind::Unsafe => 7,
            Kind::Api => 22,
            Kind::NotSaved => 74,
            Kind::TryLater => 75,
            Kind::Interrupted => 130,
            Kind::Terminated => 143,
        }
    }

    /// The name in `--error-format json`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Other => "other",
            Kind::Usage => "usage",
            Kind::Refused => "refused",
            Kind::LoginFirst => "login_first",
            Kind::Store => "store",
            Kind::NobodyAnswered => "nobody_answered",
            Kind::Unsafe => "unsafe",
            Kind::Api => "api",
            Kind::NotSaved => "not_saved",
            Kind::TryLater => "try_later",
            Kind::Interrupted => "interrupted",
            Kind::Terminated => "terminated",
        }
    }
}

/// What a failed request did to the refresh token that it was to spend. The renewal reads it; other
/// requests set it too, to no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// No answer came: the server may have spent the token.
    Unknown,
    /// No byte of the request left: the token is unspent.
    NotSent,
    /// A gateway answered in the server's place (502, 504): the server behind it may have spent the
    /// token.
    Gateway,
    /// The server can't answer now (another 5xx): the token is unspent.
    Unavailable,
    /// The server refused the request, not the token.
    Answered,
    /// The answer says yes but can't be read: it may hold the successor.
    MayHoldTokens,
    /// The server refused the token itself (`invalid_grant`): the one case in which it is
    /// forgotten.
    Refused,
}

/// The error of every command. Its form as JSON for scripts is [`Error::as_json`]; the derived one
/// is for the process that started a helper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    pub causes: Vec<String>,
    pub hints: Vec<String>,
    /// Seconds, where the server said when to come back.
    pub retry_after: Option<u64>,
    /// Of the refresh token.
    pub fate: Fate,
    /// The server said that the client's id or its secret is wrong, or may have meant it.
    pub wrong_client: bool,
    /// The person said no: on the provider's page, on another device, or here.
    pub said_no: bool,
}

impl Error {
    /// An error without causes and hints.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            retry_after: None,
            fate: Fate::Unknown,
            wrong_client: false,
            said_no: false,
        }
    }

    /// The error with one more cause.
    pub fn cause(mut self, cause: impl fmt::Display) -> Error {
        self.causes.push(cause.to_string());
        self
    }

    /// The error with one more hint: a command to type.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hints.push(hint.into());
        self
    }

    /// The error with these hints too.
    pub fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Error {
        self.hints.extend(hints);
        self
    }

    /// What to do about it, for `doctor`, which is no advice of its own.
    pub fn advice(self) -> Option<String> {
        self.hints.into_iter().find(|hint| !hint.contains("oauthctl doctor"))
    }

    /// For an error that has no next step of its own.
    pub fn or_hint(self, hint: impl FnOnce() -> String) -> Error {
        if self.hints.is_empty() { self.hint(hint()) } else { self }
    }

    /// A mistake on the command line or in the configuration (exit code 2).
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(Kind::Usage, message)
    }

    /// Nothing is stored, or it can't be renewed any more.
    pub fn login_first(profile: &Typed, message: impl Into<String>) -> Error {
        Error::new(Kind::LoginFirst, message).hint(profile.login())
    }

    /// `error: …`, `caused by: …`, `hint: …`, each a line.
    pub fn as_text(&self, paint: bool) -> String {
        let (red, dim, plain) = if paint { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let mut text = format!("{red}error:{plain} {}\n", self.message);
        for cause in &self.causes {
            text.push_str(&format!("{dim}caused by:{plain} {cause}\n"));
        }
        for hint in &self.hints {
            text.push_str(&format!("{dim}hint:{plain} {hint}\n"));
        }
        text
    }

    /// One JSON object on a line.
    pub fn as_json(&self) -> String {
        let mut object = json!({
            "error": self.kind.name(),
            "exit_code": self.kind.exit_code(),
            "message": self.message,
            "causes": self.causes,
            "hints": self.hints,
        });
        if let Some(seconds) = self.retry_after {
            object["retry_after"] = seconds.into();
        }
        format!("{object}\n")
    }
}

/// The question is named by what did not happen: `not_done` ends the sentence.
pub fn unanswered(e: Unanswered, not_done: &str) -> Error {
    match e {
        Unanswered::Ended | Unanswered::TooLate(_) => Error::new(Kind::NobodyAnswered, format!("{e}; {not_done}")),
        Unanswered::Signal(2) => Error::new(Kind::Interrupted, format!("interrupted; {not_done}")),
        Unanswered::Signal(_) => Error::new(Kind::Terminated, format!("ended by a signal; {not_done}")),
        Unanswered::Failed(_) => Error::usage(format!("{e}; {not_done}")),
        Unanswered::Unseen => Error::usage(format!("{e}; {not_done}")).hint("leave standard error on the terminal"),
    }
}

impl From<Unanswered> for Error {
    fn from(e: Unanswered) -> Error {
        unanswered(e, "nothing was done")
    }
}

impl From<ConfigError> for Error {
    fn from(e: ConfigError) -> Error {
        let error = Error::usage(e.message);
        match e.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// The variable first: not every command has the option.
const SEALED_INSTEAD: &str =
    "keep tokens in a sealed file instead: set OAUTHCTL_STORE=file, or add `--store file` where the command takes it";

impl From<StoreError> for Error {
    fn from(e: StoreError) -> Error {
        let error = Error::new(Kind::Store, e.to_string());
        match e {
            StoreError::Locked(_) => error
                .hint("unlock the keyring (log in to the desktop, or its password manager) and run the command again")
                .hint(format!("or {SEALED_INSTEAD}")),
            StoreError::Absent { .. } => error
                .hint(SEALED_INSTEAD)
                .hint("`oauthctl doctor` looks at every store"),
            StoreError::TimedOut(..) => error
                .hint("answer what it may be asking, or restart it, and run the command again")
                .hint(format!("or {SEALED_INSTEAD}")),
            StoreError::Denied(_) => error
                .hint("allow this program to use it, in its own settings, and run the command again")
                .hint(format!("or {SEALED_INSTEAD}")),
            StoreError::Foreign(..) => error
                .hint("most likely left over from another session: unset DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR, or log in to this machine anew")
                .hint(format!("or {SEALED_INSTEAD}")),
            StoreError::Full(_) => error.hint("free some space and run the command again"),
            StoreError::NotWritable(..) => {
                error.hint("mend the permissions, or name another folder with OAUTHCTL_STATE_DIR")
            }
            StoreError::WrongPassphrase(_) | StoreError::NeedsPassphrase(_) => {
                error.hint("set OAUTHCTL_STORE_PASSPHRASE, or OAUTHCTL_STORE_PASSPHRASE_FILE to a file that holds it")
            }
            StoreError::ReadOnly(_) => error.hint(
                "choose another one: unset OAUTHCTL_STORE or the variable that holds the token, or add `--store` where the command takes it",
            ),
            StoreError::Corrupt { .. } => {
                error.hint("`oauthctl logout NAME --local-only` forgets it unread; then log in again")
            }
            StoreError::BadKey(_) => error.hint(
                "put it back from a backup; or remove it and log in again: what is sealed with it can't be read any more",
            ),
            StoreError::BadVariable { variable, .. } => {
                let error = Error { kind: Kind::Unsafe, ..error };
                error.hint(format!("set {variable} to the token alone"))
            }
            StoreError::NotKept(_)
            | StoreError::TooLong(_)
            | StoreError::Failed(..) => error.hint("`oauthctl doctor` looks at every store"),
        }
    }
}

impl From<HttpError> for Error {
    fn from(e: HttpError) -> Error {
        let kind = match &e {
            HttpError::Unsent { .. } | HttpError::Ambiguous { .. } | HttpError::TimedOut { .. } => Kind::TryLater,
            HttpError::Tls { .. }
            | HttpError::TooLarge { .. }
            | HttpError::HeadTooLarge { .. }
            | HttpError::Forbidden { .. } => Kind::Unsafe,
            HttpError::Authorities(_) | HttpError::Proxy(_) => Kind::Usage,
        };
        let mut error = Error::new(kind, safe(&e.to_string()));
        error.fate = match e {
            HttpError::Unsent { .. }
            | HttpError::Tls { .. }
            | HttpError::Forbidden { .. }
            | HttpError::Authorities(_)
            | HttpError::Proxy(_) => Fate::NotSent,
            _ => Fate::Unknown,
        };
        match e {
            HttpError::Authorities(fault) => Error { message: fault.to_string(), ..error }.hint(fault.advice()),
            HttpError::Proxy(fault) => Error { message: fault.to_string(), ..error }.hint(fault.advice()),
            HttpError::Unsent { place, .. } if on_loopback(&place) => error.hint(
                "start what should answer there; if it runs, bring loopback up (Linux, as root: `ip link set lo up`)",
            ),
            HttpError::Unsent { .. } => {
                error.hint("look at the network (`oauthctl doctor`), then run the command again")
            }
            HttpError::Tls { .. } => error.hint(
                "a certificate of your organisation's own can be named with SSL_CERT_FILE; checks can't be turned off",
            ),
            HttpError::Forbidden { .. } => error.hint("`https` everywhere; `http` only to 127.0.0.1 and [::1]"),
            _ => error,
        }
    }
}

impl From<RequestError> for Error {
    fn from(e: RequestError) -> Error {
        let error = Error::usage(e.to_string());
        match e {
            RequestError::NeedsSecret => error
                .hint("give it with `--client-secret-file FILE` (`-`: standard input)")
                .hint("in CI: set OAUTHCTL_CLIENT_ID and OAUTHCTL_CLIENT_SECRET"),
            RequestError::SecretNotKept => error.hint("set the variable that held it (OAUTHCTL_CLIENT_SECRET) again"),
            RequestError::NoUrl(_) | RequestError::BadUrl(..) => {
                error.hint("`oauthctl provider show` prints what is known of it")
            }
            RequestError::Key(_) => error.hint("`--client-key-file FILE`: PEM (PKCS#8, PKCS#1, SEC1) or JWK"),
            RequestError::NeedsKey => error
                .hint("`--client-key-file FILE`: PEM (PKCS#8, PKCS#1, SEC1) or JWK")
                .hint("`--auth none` goes without a proof"),
            RequestError::NeedsCertificate => error
                .hint("`--client-certificate FILE --client-key-file FILE`, both PEM")
                .hint("`--auth none` goes without a proof"),
            RequestError::KeyNotTaken => error
                .hint("`--auth private-key-jwt` proves by it all the same")
                .hint("`--auth none` goes without a proof"),
            RequestError::Algorithm { .. } => {
                error.hint("give a key of another kind with `--client-key-file`, or set `client-key-algorithm`")
            }
            RequestError::NoUsableAuth => error.hint("`oauthctl provider show` prints `token.auth`"),
        }
    }
}

/// The same, with the command that mends this very profile.
pub fn unbuilt(e: RequestError, profile: &Typed) -> Error {
    let not_kept = e == RequestError::SecretNotKept;
    let keeps = not_kept.then(|| format!("or keep it: `{}` asks for it", profile.line("profile set-secret")));
    Error::from(e).hints(keeps)
}

impl From<AuthorizeError> for Error {
    fn from(e: AuthorizeError) -> Error {
        let error = Error::usage(e.to_string());
        match e {
            AuthorizeError::NoUrl(_) => error.hint("try `--grant client-credentials`"),
            _ => error,
        }
    }
}

impl From<ListenError> for Error {
    fn from(e: ListenError) -> Error {
        match e {
            // whoever holds it may be gone a moment later: another login, most often
            ListenError::PortTaken { .. } => Error::new(Kind::TryLater, e.to_string())
                .hint("end the program that holds it, or register another address and give it with `--redirect-uri` or `--port`"),
            ListenError::Reserved(_) => {
                Error::usage(e.to_string()).hint("a port from 1024 up, with `--redirect-uri` or `--port`")
            }
            ListenError::Unreachable { .. } => Error::new(Kind::TryLater, e.to_string())
                .hint("bring loopback up (Linux, as root: `ip link set lo up`); else look for what forbids it: a firewall, a sandbox"),
            ListenError::Failed(_) => Error::new(Kind::TryLater, e.to_string())
                .hint("`--grant device-code`, where the provider offers it, needs no listener"),
        }
    }
}

/// What was asked of the token endpoint, for the words of an error.
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

/// A refusal of the token endpoint, in words and with the next step.
/// `now` (Unix seconds) is for a `Retry-After` that names a date.
pub fn token_answer(e: AnswerError, asked: Asked, (profile, client): (&Typed, &Client), now: i64) -> Error {
    let doing = match asked {
        Asked::Code => "the code could not be exchanged",
        Asked::Refresh => "the token could not be renewed",
        Asked::ClientCredentials => "no token was given for these client credentials",
        Asked::Assertion => "no token was given for this assertion",
        Asked::Exchange => "the token was not exchanged",
        Asked::Pushed => "the provider does not take this authorize request",
        Asked::Password => "no token was given for this name and password",
    };
    let AnswerError::OAuth { status, error, .. } = &e else { return no_oauth_answer(e, doing, asked, now) };
    let login = profile.login();
    let wrong_client = check_client(profile, client);
    let (kind, hint) = match error.as_str() {
        "invalid_grant" if asked == Asked::Assertion => (
            Kind::Refused,
            "compare the assertion's `iss`, `sub`, `aud` and `exp` with what the provider expects: `aud` is its token address at most".to_owned(),
        ),
        "invalid_grant" if asked == Asked::Password => (Kind::Refused, format!("check both, then `{}`", profile.login_by("password"))),
        "invalid_grant" | "invalid_request" if asked == Asked::Exchange => (
            Kind::Refused,
            "is the subject's token still good, and its type right (`--subject-token-type`)?".to_owned(),
        ),
        "invalid_target" => (Kind::Refused, "ask for another `--resource` or `--audience`".to_owned()),
        "invalid_authorization_details" => (Kind::Refused, "compare `--authorization-details` with the provider's documents".to_owned()),
        "invalid_grant" | "expired_token" | "bad_refresh_token" | "bad_verification_code" => (Kind::LoginFirst, login),
        _ if is_wrong_client(error, *status) => (Kind::Usage, wrong_client),
        "unsupported_grant_type" | "unauthorized_client" => {
            (Kind::Usage, "this client may not use that grant: see how the app is registered".to_owned())
        }
        "access_denied" => (Kind::Refused, format!("ask whoever owns the account, then `{login}`")),
        "invalid_scope" | "consent_required" | "interaction_required" | "login_required" | "insufficient_scope" => {
            (Kind::Refused, format!("ask for other scopes: `{}`", profile.login_with(&[("--scope", "…")])))
        }
        "temporarily_unavailable" | "slow_down" | "server_error" => {
            (Kind::TryLater, "run the command again later".to_owned())
        }
        "invalid_request" | "redirect_uri_mismatch" => {
            (Kind::Usage, "compare the request (`-v`) with the provider's documents".to_owned())
        }
        _ if *status == 401 => (Kind::Usage, wrong_client),
        _ => (Kind::Other, "`-v` shows each request and answer, without secrets".to_owned()),
    };
    let mut shown = Error::new(kind, doing).cause(&e).hint(hint);
    shown.wrong_client = is_wrong_client(error, *status);
    let refused = asked == Asked::Refresh && matches!(error.as_str(), "invalid_grant" | "bad_refresh_token");
    shown.fate = if refused { Fate::Refused } else { Fate::Answered };
    shown
}

/// An answer that is no refusal by OAuth's rules.
fn no_oauth_answer(e: AnswerError, doing: &str, asked: Asked, now: i64) -> Error {
    let kind = match &e {
        AnswerError::Unavailable { .. } => Kind::TryLater,
        AnswerError::Status(_) => Kind::Other,
        _ => Kind::Unsafe,
    };
    let mut shown = Error::new(kind, doing).cause(&e);
    // VerticalResponse says no to a wrong client with a page
    shown.wrong_client = matches!(e, AnswerError::Html(400 | 401 | 403) | AnswerError::Status(400 | 401 | 403));
    shown.fate = match &e {
        AnswerError::Unavailable { status: 502 | 504, .. } => Fate::Gateway,
        AnswerError::Unavailable { status: 500.., .. } => Fate::Unavailable,
        AnswerError::Unavailable { .. } | AnswerError::Status(_) | AnswerError::Redirect(_) | AnswerError::Html(_) => {
            Fate::Answered
        }
        _ => Fate::MayHoldTokens,
    };
    if let AnswerError::Unavailable { retry_after, .. } = &e {
        shown.retry_after = retry_after.as_deref().and_then(|text| protocol::retry_after::seconds(text, now));
        shown = match shown.retry_after {
            Some(seconds) => shown.hint(format!("run the command again in {seconds} s")),
            None => shown.hint("run the command again later"),
        };
    }
    match e {
        AnswerError::Html(_) | AnswerError::Redirect(_) => {
            let key = if asked == Asked::Pushed { "par-url" } else { "token.url" };
            shown.hint(format!("is the provider's `{key}` right? `oauthctl provider show` prints it"))
        }
        AnswerError::NotOk(status) => shown.hint(format!(
            "if that means yes there: `[token] ok-status = [200, {status}]` in a provider file of your own"
        )),
        _ => shown,
    }
}

/// What to look at where a client is refused: what was sent, where it came from.
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

/// Whether an OAuth error means the client's id or secret. Some servers say of a wrong secret that
/// the client may not, with the status that is for it.
pub fn is_wrong_client(error: &str, status: u16) -> bool {
    match error {
        "invalid_client" | "incorrect_client_credentials" => true,
        "unauthorized_client" => status == 401,
        _ => false,
    }
}

/// The authorize endpoint's `error` on the redirect.
pub fn refused_at_authorize(error: &str, description: Option<&str>, profile: &Typed) -> Error {
    let kind = match error {
        "temporarily_unavailable" | "server_error" => Kind::TryLater,
        "invalid_request" | "unauthorized_client" | "unsupported_response_type" => Kind::Usage,
        _ => Kind::Refused,
    };
    let said = match description {
        Some(description) => format!("the provider answered `{}`: {}", safe(error), safe(description)),
        None => format!("the provider answered `{}`", safe(error)),
    };
    let message = match error {
        "access_denied" => "the sign-in was refused",
        _ => "the provider ended the sign-in",
    };
    let shown = Error { said_no: error == "access_denied", ..Error::new(kind, message) };
    shown.cause(said).hint(profile.login())
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
    fn an_error_reads_as_what_why_and_what_next() {
        let error = token_answer(oauth("invalid_grant"), Asked::Refresh, (&profile("work"), &client()), 0);
        assert_eq!(
            error.as_text(false),
            "error: the token could not be renewed\ncaused by: the server answered `invalid_grant`: why [2J\nhint: oauthctl login work\n"
        );
        let json: serde_json::Value = serde_json::from_str(&error.as_json()).unwrap();
        assert_eq!(json["error"], "login_first");
        assert_eq!(json["exit_code"], 4);
    }
}
