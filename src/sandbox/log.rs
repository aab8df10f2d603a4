//! A practice server's request log: each parameter's location and name, with a fingerprint in place
//! of its value. Tests can check that the secret was not in the URL or that a token is the earlier
//! one, and users can paste the log in public.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use super::message::Ask;
use crate::secret::fingerprint;

/// The most requests kept.
const MOST: usize = 10_000;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    pub method: String,
    pub path: String,
    pub query: Vec<Param>,
    /// Parameters of a form body.
    pub form: Vec<Param>,
    /// Members of a JSON body.
    pub json: Vec<Param>,
    /// The client's id and secret from `Authorization: Basic`.
    pub basic: Option<Basic>,
    /// The fingerprint of the token in `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// All headers except `Authorization`, with names in lower case.
    pub headers: Vec<Param>,
    /// The status of the response.
    pub status: u16,
}

/// A parameter's name and the [`fingerprint`] of its decoded value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    pub name: String,
    pub fingerprint: String,
}

/// Fingerprints of the credentials in `Authorization: Basic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basic {
    pub id: String,
    pub secret: String,
}

impl Logged {
    /// Makes the log entry of a request, without its values.
    pub fn new(ask: &Ask<'_>, status: u16) -> Logged {
        let print = |value: &str| fingerprint(value.as_bytes());
        let params = |pairs: &[(String, String)]| {
            pairs.iter().map(|(n, v)| Param { name: n.clone(), fingerprint: print(v) }).collect()
        };
        let headers: Vec<(String, String)> =
            ask.request.headers.iter().filter(|(name, _)| name != "authorization").cloned().collect();
        Logged {
            method: ask.request.method.clone(),
            path: ask.path.to_owned(),
            query: params(&ask.query.0),
            form: params(&ask.form.0),
            json: params(&ask.json.0),
            basic: ask.basic.as_ref().map(|(id, secret)| Basic { id: print(id), secret: print(secret) }),
            bearer: ask.bearer.as_deref().map(print),
            headers: params(&headers),
            status,
        }
    }
}

/// The last requests, and the channel that receives each new one.
pub struct Log {
    kept: Mutex<VecDeque<Logged>>,
    watch: Option<Sender<Logged>>,
}

impl Log {
    /// Makes an empty log.
    pub fn new(watch: Option<Sender<Logged>>) -> Log {
        Log { kept: Mutex::new(VecDeque::new()), watch }
    }

    /// Stores a request and sends it to the channel.
    pub fn add(&self, logged: Logged) {
        if let Some(watch) = &self.watch {
            // the receiver may be gone
            let _ = watch.send(logged.clone());
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(logged);
    }

    /// Returns all stored requests, the oldest first.
    pub fn all(&self) -> Vec<Logged> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
