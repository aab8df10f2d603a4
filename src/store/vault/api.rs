//! Requests to the engine: what KV version 2 answers, and when to ask again.
//!
//! A write names the version that it replaces, so that it may be sent again after an answer that
//! was lost: either it is done once, or the engine refuses it, and what is there tells which. Nodes
//! that only read may be behind: each request names the state that this process has seen, and a
//! node that has not got it yet passes it on, or asks to be asked again.
//!
//! The engine's token goes to its own address alone. A standby sends requests on to the active node
//! by itself; where it redirects instead, the address must be the one that it tells of as its
//! leader.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::sign_in::SignIn;
use crate::address::parse_safe;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::text::safe;
use crate::wire::{ClientCertificate, Request, Response};
use crate::world::{Clock, Http, HttpError, Steps, item_name};

/// The pauses before a request is sent again: a cluster may take some seconds to choose a leader.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1500),
    Duration::from_millis(3000),
    Duration::from_millis(5000),
    Duration::from_millis(5000),
    Duration::from_millis(5000),
];

/// A server that can't be connected to is tried once more: it may be no server's address at all.
const PAUSES_UNREACHED: usize = 1;

/// A version that no record comes to.
const NO_VERSION: u64 = 2_000_000_000;

/// What rustls says where the other side refuses a handshake.
const ALERT: &str = "received fatal alert";

/// The time of one request.
const PATIENCE: Duration = Duration::from_secs(10);

/// A record as JSON in JSON, and the engine's words about it.
const LARGEST: usize = 3 << 20;

/// Where and as whom to ask.
pub struct Api {
    pub address: Url,
    pub namespace: Option<String>,
    pub mount: String,
    /// The folder of the records there.
    pub folder: String,
    pub http: Arc<dyn Http>,
    pub clock: Arc<dyn Clock>,
    pub authorities: Option<Arc<str>>,
    pub identity: Option<Arc<ClientCertificate>>,
    pub sign_in: SignIn,
    pub token: RefCell<Option<Secret>>,
    /// Whether the engine has taken the token for something.
    pub accepted: Cell<bool>,
    /// Who asks, for the engine's audit log.
    pub agent: String,
    /// Tells each request under `-v`.
    pub step: Option<Steps>,
    /// The newest state of the engine that an answer named, in words of its own.
    pub state: RefCell<Option<String>>,
}

/// What is asked of the engine.
#[derive(Clone, Copy)]
struct Ask<'a> {
    method: &'static str,
    path: &'a str,
    body: Option<&'a Secret>,
}

impl<'a> Ask<'a> {
    fn get(path: &'a str) -> Ask<'a> {
        Ask { method: "GET", path, body: None }
    }

    fn post(path: &'a str, body: &'a Secret) -> Ask<'a> {
        Ask { method: "POST", path, body: Some(body) }
    }
}

/// A part of a profile's record.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub profile: &'a str,
    pub part: &'static str,
}

/// What is kept under a path.
#[derive(Default)]
pub struct Kept {
    /// 0: nothing ever was.
    pub version: u64,
    /// The data as JSON. `None`: there is none, or it was deleted in the engine.
    pub data: Option<Secret>,
    /// Nothing brings it back.
    pub destroyed: bool,
}

/// An answer, and whether an earlier try of the same request may have been done.
struct Answer {
    response: Response,
    doubtful: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    data: Option<&'a serde_json::value::RawValue>,
    auth: Option<Auth>,
    errors: Vec<String>,
    leader_address: Option<String>,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Secret,
}

#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    data: Option<&'a serde_json::value::RawValue>,
    metadata: Version,
}

#[derive(Deserialize)]
struct Version {
    version: u64,
    #[serde(default)]
    destroyed: bool,
}

#[derive(Deserialize)]
struct Names {
    keys: Vec<String>,
}

#[derive(Serialize)]
struct Write<'a> {
    options: Cas,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

#[derive(Serialize)]
struct Cas {
    cas: u64,
}

impl Api {
    /// In words, for messages.
    pub fn name(&self) -> String {
        format!("vault at {}", safe(self.address.as_str().trim_end_matches('/')))
    }

    /// The current version, or the one that is named.
    pub fn read(&self, at: At<'_>, version: Option<u64>) -> Result<Kept, StoreError> {
        let wanted = version.map(|version| format!("?version={version}")).unwrap_or_default();
        let path = format!("{}/data/{}{wanted}", self.mount, self.path(at));
        let Answer { response, .. } = self.signed(Ask::get(&path))?;
        let told = told(&response);
        match response.status {
            // where no engine is, the answer says so
            404 if told.data.is_none() && told.errors.is_empty() => Ok(Kept::default()),
            200 | 404 => {
                let Some(data) = told.data else { return Err(self.refused(&response, Some(at))) };
                let read: Read = serde_json::from_str(data.get()).map_err(|e| self.odd(&e.to_string()))?;
                let data = read.data.filter(|data| data.get() != "null").map(|data| Secret::unlisted(data.get()));
                let Version { version, destroyed } = read.metadata;
                Ok(Kept { version, data, destroyed })
            }
            _ => Err(self.refused(&response, Some(at))),
        }
    }

    /// Writes the next version, and returns its number. `None`: another than `cas` is there.
    pub fn write(&self, at: At<'_>, data: &Secret, cas: u64) -> Result<Option<u64>, StoreError> {
        let raw = serde_json::from_str(data.expose()).map_err(|e| self.odd(&e.to_string()))?;
        let body =
            serde_json::to_string(&Write { options: Cas { cas }, data: raw }).map_err(|e| self.odd(&e.to_string()))?;
        let path = format!("{}/data/{}", self.mount, self.path(at));
        let Answer { response, doubtful } = self.signed(Ask::post(&path, &Secret::unlisted(body)))?;
        match response.status {
            200 => {
                let Some(data) = told(&response).data else { return Err(self.odd("no version")) };
                let version: Version = serde_json::from_str(data.get()).map_err(|e| self.odd(&e.to_string()))?;
                Ok(Some(version.version))
            }
            400 if told(&response).errors.iter().any(|error| error.contains("check-and-set")) => {
                // an earlier try may have been done, its answer lost
                let now = if doubtful { self.read(at, None)? } else { Kept::default() };
                let ours = now.version == cas + 1 && now.data.is_some_and(|there| same(&there, data));
                Ok(ours.then_some(cas + 1))
            }
            _ => Err(self.refused(&response, Some(at))),
        }
    }

    /// Deletes all versions, for good.
    pub fn remove(&self, at: At<'_>) -> Result<(), StoreError> {
        let path = format!("{}/metadata/{}", self.mount, self.path(at));
        let Answer { response, .. } = self.signed(Ask { method: "DELETE", ..Ask::get(&path) })?;
        match response.status {
            200 | 204 | 404 => Ok(()),
            _ => Err(self.refused(&response, Some(at))),
        }
    }

    /// The names in the folder; those of folders end in `/`.
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        let path = format!("{}/metadata/{}?list=true", self.mount, self.folder);
        let Answer { response, .. } = self.signed(Ask::get(&path))?;
        match (response.status, told(&response).data) {
            (404, _) => Ok(Vec::new()),
            (200, Some(data)) => {
                serde_json::from_str(data.get()).map(|names: Names| names.keys).map_err(|e| self.odd(&e.to_string()))
            }
            _ => Err(self.refused(&response, None)),
        }
    }

    /// Fails unless the mount has an engine that keeps versions.
    pub fn has_versions(&self) -> Result<(), StoreError> {
        let Answer { response, .. } = self.signed(Ask::get(&format!("sys/internal/ui/mounts/{}", self.mount)))?;
        let version = |data: &serde_json::value::RawValue| {
            let about: serde_json::Value = serde_json::from_str(data.get()).ok()?;
            Some(about.pointer("/options/version")?.as_str()? == "2")
        };
        match (response.status, told(&response).data) {
            (200, Some(data)) if version(data) == Some(true) => Ok(()),
            (200, Some(_)) => Err(self.odd(&format!(
                "`{0}` is no KV engine of version 2, which `bao kv enable-versioning {0}` makes of one of version 1",
                self.mount
            ))),
            (403, _) if self.is_refused(&response) => Err(self.refused(&response, None)),
            (400 | 403 | 404, _) => {
                Err(self.odd(&format!("there is no engine at `{}`, or this token may not use it", self.mount)))
            }
            _ => Err(self.refused(&response, None)),
        }
    }

    /// Whether this token may write there.
    pub fn may_write(&self, at: At<'_>) -> Result<bool, StoreError> {
        let asked = serde_json::json!({ "paths": [format!("{}/data/{}", self.mount, self.path(at))] }).to_string();
        let Answer { response, .. } = self.signed(Ask::post("sys/capabilities-self", &Secret::unlisted(asked)))?;
        match response.status {
            200 => {
                let told = String::from_utf8_lossy(&response.body);
                Ok(told.contains("\"update\"") || told.contains("\"root\""))
            }
            // a token that may not ask: a write over a version that will never be there tells
            403 => match self.write(at, &Secret::unlisted("{}"), NO_VERSION) {
                Ok(_) => Ok(true),
                Err(StoreError::NotAllowed { .. }) => Ok(false),
                Err(e) => Err(e),
            },
            _ => Err(self.refused(&response, Some(at))),
        }
    }

    /// Below the mount.
    pub fn path(&self, At { profile, part }: At<'_>) -> String {
        format!("{}/{}{part}", self.folder, item_name(profile))
    }

    /// Sends a request as whoever this is.
    fn signed(&self, ask: Ask<'_>) -> Result<Answer, StoreError> {
        let known = self.token.borrow().clone();
        let token = known.map_or_else(|| self.sign_in.token(|path, body| self.login(path, body)), Ok)?;
        self.token.replace(Some(token.clone()));
        let answer = self.send(ask, Some(&token))?;
        if matches!(answer.response.status, 200 | 204) {
            self.accepted.set(true);
        }
        Ok(answer)
    }

    fn login(&self, path: &str, body: &Secret) -> Result<Secret, StoreError> {
        let Answer { response, .. } = self.send(Ask::post(path, body), None)?;
        match told(&response).auth {
            Some(auth) if response.status == 200 => Ok(auth.client_token),
            _ if is_for_later(&response) => Err(self.refused(&response, None)),
            _ => {
                let why = format!("{} did not let this job sign in at `{path}`: {}", self.name(), said(&response));
                Err(StoreError::Advised { why: format!("the {why}"), cures: vec![self.sign_in.advice()] })
            }
        }
    }

    /// Whether the engine does not know the token at all. To one without the right it answers 403
    /// too, in other words.
    fn is_refused(&self, response: &Response) -> bool {
        let errors = told(response).errors;
        let about_right = errors.iter().any(|error| error.contains("error occurred"));
        let about_token = errors.iter().any(|error| error.contains("invalid token"));
        let may_be = response.status == 403 && (about_token || !about_right) && !self.accepted.get();
        may_be && !matches!(self.signed(Ask::get("auth/token/lookup-self")), Ok(it) if it.response.status == 200)
    }

    /// Sends a request until it is answered, or the pauses are over.
    fn send(&self, ask: Ask<'_>, token: Option<&Secret>) -> Result<Answer, StoreError> {
        let mut doubtful = false;
        for tried in 0.. {
            let why = match self.once(ask, token) {
                Ok(response) if !is_for_later(&response) => {
                    return Ok(Answer { response, doubtful });
                }
                Ok(response) if told(&response).errors.iter().any(|error| error.to_lowercase().contains("sealed")) => {
                    return Err(StoreError::Sealed(self.name()));
                }
                Ok(response) => {
                    doubtful |= response.status >= 500;
                    if tried == PAUSES.len() {
                        return Err(self.refused(&response, None));
                    }
                    String::new()
                }
                Err(HttpError::Unsent { why, .. }) if tried >= PAUSES_UNREACHED => {
                    return Err(StoreError::Unavailable(self.name(), why));
                }
                Err(HttpError::Unsent { why, .. }) => why,
                // the request was not read
                Err(HttpError::Ambiguous { why, .. }) if why.contains(ALERT) => return Err(self.no_handshake(&why)),
                Err(e @ (HttpError::Ambiguous { .. } | HttpError::TimedOut { .. })) => {
                    doubtful = true;
                    e.to_string()
                }
                Err(e) => return Err(StoreError::Failed(self.name(), e.into())),
            };
            match PAUSES.get(tried) {
                Some(pause) => self.clock.sleep(*pause),
                None => return Err(StoreError::Unavailable(self.name(), why)),
            }
        }
        unreachable!("the pauses end")
    }

    /// The error for an engine that takes no such client certificate, or wants one.
    fn no_handshake(&self, why: &str) -> StoreError {
        let cure = "its listener may ask for a client certificate: BAO_CLIENT_CERT and BAO_CLIENT_KEY name the files of one that it accepts";
        StoreError::Advised {
            why: format!("the {} ended the connection: {}", self.name(), safe(why)),
            cures: vec![cure.to_owned()],
        }
    }

    fn once(&self, Ask { method, path, body }: Ask<'_>, token: Option<&Secret>) -> Result<Response, HttpError> {
        let request = |base: &Url| {
            let mut request = Request::new(method, format!("{}/v1/{path}", base.as_str().trim_end_matches('/')));
            request = request.header("X-Vault-Request", "true").header("User-Agent", &self.agent);
            request.headers.extend(token.map(|token| ("X-Vault-Token".to_owned(), token.clone())));
            if let Some(namespace) = &self.namespace {
                request = request.header("X-Vault-Namespace", namespace);
            }
            if let Some(state) = &*self.state.borrow() {
                request = request.header("X-Vault-Index", state).header("X-Vault-Inconsistent", "forward-active-node");
            }
            if body.is_some() {
                request = request.header("Content-Type", "application/json");
            }
            (request.timeout, request.max_body) = (PATIENCE, LARGEST);
            (request.authorities, request.identity) = (self.authorities.clone(), self.identity.clone());
            request.body = body.cloned();
            request
        };
        let mut response = self.exchange(&request(&self.address))?;
        if let Some(to) =
            response.header("location").filter(|_| response.status == 307).and_then(|to| parse_safe(to).ok())
            && self.leader()?.is_some_and(|leader| leader.origin() == to.origin())
        {
            // a leader that has just ended is no place to go to
            response = self.exchange(&request(&origin(to))).unwrap_or(response);
        }
        if let Some(state) = response.header("x-vault-index") {
            self.state.replace(Some(state.to_owned()));
        }
        Ok(response)
    }

    /// Sends it, and tells it: no header, no body, no query but a version's number.
    fn exchange(&self, request: &Request) -> Result<Response, HttpError> {
        let answered = self.http.exchange(request);
        if let Some(step) = &self.step {
            let end = match &answered {
                Ok(response) => response.status.to_string(),
                Err(e) => e.to_string(),
            };
            step(&format!("vault: {} {}: {}", request.method, safe(request.url.expose()), safe(&end)));
        }
        answered
    }

    /// The active node, by this one's own words. No token is needed to ask.
    fn leader(&self) -> Result<Option<Url>, HttpError> {
        let mut request = Request::new("GET", format!("{}/v1/sys/leader", self.address.as_str().trim_end_matches('/')));
        (request.authorities, request.identity) = (self.authorities.clone(), self.identity.clone());
        request.timeout = PATIENCE;
        let response = self.exchange(&request)?;
        let leader = told(&response).leader_address.and_then(|url| parse_safe(&url).ok());
        Ok(leader.filter(|leader| leader.scheme() == self.address.scheme()))
    }

    /// The error for an answer; `at`: what was asked for, if it is a record's.
    fn refused(&self, response: &Response, at: Option<At<'_>>) -> StoreError {
        match response.status {
            403 if self.is_refused(response) => StoreError::Advised {
                why: format!(
                    "the {} does not know the token from {}: it is wrong, was revoked, or has expired",
                    self.name(),
                    self.sign_in.source()
                ),
                cures: vec![self.sign_in.advice()],
            },
            403 => StoreError::NotAllowed { place: self.name(), profile: at.map(|at| at.profile.to_owned()) },
            _ if is_for_later(response) => StoreError::Unavailable(self.name(), said(response)),
            _ => self.odd(&said(response)),
        }
    }

    fn odd(&self, why: &str) -> StoreError {
        StoreError::Failed(self.name(), anyhow::Error::msg(safe(why.trim())))
    }
}

/// No leader, no capacity, or a state that has not arrived at this node yet.
fn is_for_later(response: &Response) -> bool {
    matches!(response.status, 307 | 412 | 429 | 500..)
}

/// An answer in words.
fn said(response: &Response) -> String {
    let status = format!("HTTP status {}", response.status);
    match (told(response).errors.join("; ").trim(), response.header("location")) {
        ("", Some(to)) => format!("{status}, a redirect to {}, which it does not name as its leader", safe(to)),
        ("", None) => status,
        (why, _) => format!("{status}: {}", safe(why)),
    }
}

fn origin(mut url: Url) -> Url {
    url.set_path("");
    url.set_query(None);
    url
}

fn told(response: &Response) -> Told<'_> {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

/// The engine writes JSON in its own order.
fn same(one: &Secret, other: &Secret) -> bool {
    let value = |text: &Secret| serde_json::from_str::<serde_json::Value>(text.expose()).ok();
    value(one) == value(other)
}
