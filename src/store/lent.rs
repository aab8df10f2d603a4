//! Access tokens that `oauthctl lend` hands out, through the socket that `OAUTHCTL_SOCKET` names.
//! Nothing of them is stored here: a process remembers what it was told, and no other one.
//!
//! Each connection carries one request and one answer, a line of JSON each; `oauthctl help ssh` has
//! their members. Times are in seconds before or after now: the two clocks may differ.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::environment::judge;
use super::{LONGEST_RECORD, Store, StoreError, StoreKind};
use crate::secret::Secret;
use crate::stored;
use crate::text::{is_unsafe, pasted, quoted, safe};
use crate::token::{Freshness, TokenSet};
use crate::world::local_socket::{self, NotAnswered};
use crate::world::{Clock, Env};

/// The variable that names the socket.
pub const VARIABLE: &str = "OAUTHCTL_SOCKET";

/// Whether a lender's socket is named: it comes before every store but one of a flag.
pub fn is_named(env: &dyn Env) -> bool {
    env.var_os(VARIABLE).is_some_and(|socket| !socket.is_empty())
}

/// The version of the messages.
const VERSION: u64 = 1;

/// How long an answer may take: the lender may refresh the token, and ask its user before.
const WITHIN: Duration = Duration::from_secs(130);

/// Ten years, in seconds: a longer time is taken for this one, and a negative one for none.
const LONGEST_LIFE: i64 = 10 * 366 * 24 * 60 * 60;

#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    oauthctl: u64,
    pub profile: String,
    /// Seconds for which the token must still be valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ttl: Option<i64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    oauthctl: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<Lent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<NotLent>,
}

/// An access token, and where it may go.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lent {
    #[serde(serialize_with = "stored::expose")]
    pub access_token: Secret,
    pub token_type: String,
    /// Seconds since the lender obtained it.
    pub age: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The scopes that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The provider, its environment and variables, and the places that the token may go to.
    pub bound: Value,
}

/// Why no token is lent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotLent {
    /// As `--error-format json` names it.
    pub kind: String,
    pub message: String,
}

/// Why a borrower has no token.
#[derive(Debug)]
pub struct NotBorrowed {
    pub kind: String,
    pub message: String,
    pub cause: Option<String>,
    pub hint: String,
}

impl Request {
    /// Reads a line; an error is the answer to it.
    pub fn read(line: &[u8]) -> Result<Request, NotLent> {
        let refused = |message: String| NotLent { kind: "usage".to_owned(), message };
        let asked: Request = serde_json::from_slice(line)
            .map_err(|e| refused(format!("the request can't be read: {}", safe(&e.to_string()))))?;
        match asked.oauthctl {
            VERSION => Ok(asked),
            other => Err(refused(format!("the request is of version {other}: update oauthctl on this machine"))),
        }
    }
}

impl Lent {
    /// Why it can't be a lender's.
    fn fault(&self) -> Option<String> {
        let told = self.scopes.iter().flatten().chain(&self.asked).chain(&self.account);
        if let Err(why) = judge(self.access_token.expose()) {
            return Some(format!("its token {why}"));
        }
        if !self.token_type.eq_ignore_ascii_case("bearer") {
            return Some(format!("its token is of the type {}, not `Bearer`", quoted(&safe(&self.token_type))));
        }
        if told.into_iter().any(|text| text.chars().any(is_unsafe)) {
            return Some("its scopes or its account have characters that act on a screen".to_owned());
        }
        let is_bound = self.bound["provider"].is_string() && self.bound["places"].is_object();
        (!is_bound).then(|| "it does not say to which places the token may go (`bound`)".to_owned())
    }

    fn token(&self, now: i64) -> TokenSet {
        TokenSet {
            expires_at: self.expires_in.map(|left| now + left.clamp(0, LONGEST_LIFE)),
            scopes: self.scopes.clone(),
            ..TokenSet::new(self.access_token.clone(), self.token_type.as_str(), now - self.age.clamp(0, LONGEST_LIFE))
        }
    }
}

/// The line that answers a request.
pub fn answer(lent: Result<Lent, NotLent>) -> Zeroizing<Vec<u8>> {
    let (token, error) = lent.map_or_else(|e| (None, Some(e)), |lent| (Some(lent), None));
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_RECORD));
    let _ = serde_json::to_writer(&mut *line, &Answer { oauthctl: VERSION, token, error });
    line.push(b'\n');
    line
}

/// The members of a record that a lender fills: it can't make this machine do anything else.
#[derive(Serialize)]
struct Known<'a> {
    provider: Option<&'a str>,
    vars: Option<&'a Value>,
    asked: &'a [String],
    account: Option<&'a str>,
    bound: &'a Value,
    token: &'a TokenSet,
}

/// What this process was told, by socket and profile: the token, and the record with it.
static TOLD: Mutex<BTreeMap<(PathBuf, String), (TokenSet, Secret)>> = Mutex::new(BTreeMap::new());

pub struct LentStore {
    socket: PathBuf,
    clock: Arc<dyn Clock>,
    min_ttl: Mutex<Option<i64>>,
}

impl LentStore {
    pub fn new(env: &dyn Env, clock: &Arc<dyn Clock>) -> LentStore {
        let socket = env.var_os(VARIABLE).unwrap_or_default().into();
        LentStore { socket, clock: Arc::clone(clock), min_ttl: Mutex::default() }
    }

    fn key(&self, profile: &str) -> (PathBuf, String) {
        (self.socket.clone(), profile.to_owned())
    }

    fn told(&self, profile: &str, min_ttl: Option<i64>) -> Option<Secret> {
        let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, record) = told.get(&self.key(profile))?;
        let serves = matches!(set.freshness(self.clock.now(), min_ttl), Freshness::Fresh | Freshness::Unknown);
        serves.then(|| record.clone())
    }

    fn failed(&self, kind: &str, why: String, hint: &str) -> StoreError {
        StoreError::NotBorrowed(Box::new(NotBorrowed {
            kind: kind.to_owned(),
            message: format!("no token is lent through `{}`: {why}", safe(&self.socket.to_string_lossy())),
            cause: None,
            hint: hint.to_owned(),
        }))
    }

    fn no_lender(&self, why: &str) -> StoreError {
        self.failed("unsafe", format!("what answers there is no lender's: {why}"), "check OAUTHCTL_SOCKET")
    }

    fn unanswered(&self, e: &NotAnswered) -> StoreError {
        const CARRY: &str = "`oauthctl lend PROFILE` listens on the machine with the login, and `ssh -R` carries its socket here: `oauthctl help ssh`";
        const ITS_USER: &str = "run this as the user who serves it, or unset OAUTHCTL_SOCKET";
        let (kind, hint) = match e {
            NotAnswered::Nobody(_) => ("store", CARRY),
            NotAnswered::Foreign { .. } => ("unsafe", ITS_USER),
            NotAnswered::TooLate(_) => {
                ("try_later", "answer the lender's question, if it asks one, and run this again")
            }
            NotAnswered::Closed => ("try_later", "is `oauthctl lend` still running on the machine with the login?"),
            NotAnswered::TooLong => return self.no_lender(&e.to_string()),
            NotAnswered::Broken(_) => ("try_later", "run this again; the lender's terminal may say more"),
        };
        self.failed(kind, e.to_string(), hint)
    }

    /// Asks the lender.
    fn ask(&self, profile: &str, min_ttl: Option<i64>) -> Result<Lent, StoreError> {
        let mut request = serde_json::to_vec(&Request { oauthctl: VERSION, profile: profile.to_owned(), min_ttl })
            .unwrap_or_default();
        request.push(b'\n');
        let line =
            local_socket::ask(&self.socket, &request, (LONGEST_RECORD, WITHIN)).map_err(|e| self.unanswered(&e))?;
        // the reader's own words might quote the answer
        let Ok(answer) = serde_json::from_slice::<Answer>(&line) else {
            return Err(self.no_lender("it can't be read"));
        };
        match answer {
            Answer { oauthctl, .. } if oauthctl != VERSION => {
                Err(self.no_lender(&format!("it is of version {oauthctl}")))
            }
            Answer { error: Some(e), .. } => Err(refused(profile, e)),
            Answer { token: Some(lent), .. } => match lent.fault() {
                None => Ok(lent),
                Some(why) => Err(self.no_lender(&why)),
            },
            Answer { .. } => Err(self.no_lender("it has no token")),
        }
    }
}

/// The lender's own words are shown as such, and none of them as something to type.
fn refused(profile: &str, NotLent { kind, message }: NotLent) -> StoreError {
    let name = safe(profile);
    let hint = match kind.as_str() {
        "login_first" => format!("on the machine that lends it: `oauthctl login {}`", pasted(profile)),
        "try_later" => "run this again later".to_owned(),
        _ => "the lender's terminal may say more".to_owned(),
    };
    StoreError::NotBorrowed(Box::new(NotBorrowed {
        kind,
        message: format!("no token is lent for `{name}`"),
        cause: Some(format!("the lender answered {}", quoted(&safe(&message)))),
        hint,
    }))
}

impl Store for LentStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Lent
    }

    fn place(&self) -> String {
        format!("through {}", safe(&self.socket.to_string_lossy()))
    }

    fn scope(&self) -> String {
        self.socket.to_string_lossy().into_owned()
    }

    /// Asks the lender, unless this process was told a token that is still fresh.
    fn load(&self, profile: &str) -> Result<Option<Secret>, StoreError> {
        let min_ttl = *self.min_ttl.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = self.told(profile, min_ttl) {
            return Ok(Some(told));
        }
        let lent = self.ask(profile, min_ttl)?;
        let set = lent.token(self.clock.now());
        let known = Known {
            provider: lent.bound["provider"].as_str(),
            vars: lent.bound.get("vars"),
            asked: &lent.asked,
            account: lent.account.as_deref(),
            bound: &lent.bound,
            token: &set,
        };
        let record = Secret::unlisted(serde_json::to_string(&known).expect("every key is a text"));
        TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(self.key(profile), (set, record.clone()));
        Ok(Some(record))
    }

    fn wants(&self, profile: &str, min_ttl: Option<i64>, another: bool) {
        *self.min_ttl.lock().unwrap_or_else(PoisonError::into_inner) = min_ttl;
        if another {
            TOLD.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key(profile));
        }
    }

    fn delete(&self, _profile: &str) -> Result<bool, StoreError> {
        Err(StoreError::ReadOnly(StoreKind::Lent.name()))
    }
}
