//! The device codes that wait for a decision (RFC 8628).

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Codes that are out.
#[derive(Default)]
pub struct Devices(Mutex<VecDeque<Device>>);

/// A device code and what became of it.
pub struct Device {
    pub code: String,
    pub user_code: String,
    pub client: String,
    pub scopes: Vec<String>,
    pub until: i64,
    pub interval: Duration,
    /// When the client asked last.
    pub asked: Option<Duration>,
    pub decision: Decision,
}

/// The person's decision about a device.
pub enum Decision {
    Pending,
    Denied,
    /// By this account.
    Allowed(String),
}

/// What a page shows of a code that waits for a decision.
pub struct Waiting {
    pub user_code: String,
    pub client: String,
    pub scopes: Vec<String>,
}

impl Devices {
    /// Locks the codes, and drops those that expired ten minutes ago.
    pub fn out(&self, now: i64) -> MutexGuard<'_, VecDeque<Device>> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // an expired one is told from one that never was, for as long again
        out.retain(|d| d.until + 600 > now);
        out
    }

    /// The code as a person types it: small letters, with or without the dash.
    pub fn waiting(&self, typed: &str, now: i64) -> Option<Waiting> {
        let out = self.out(now);
        let found = out.iter().find(|d| same(&d.user_code, typed) && d.is_pending(now))?;
        let Device { user_code, client, scopes, .. } = found;
        Some(Waiting { user_code: user_code.clone(), client: client.clone(), scopes: scopes.clone() })
    }

    /// Keeps the decision; `false`: no code like this one waits for it.
    pub fn decide(&self, typed: &str, decision: Decision, now: i64) -> bool {
        let mut out = self.out(now);
        let Some(found) = out.iter_mut().find(|d| same(&d.user_code, typed) && d.is_pending(now)) else { return false };
        found.decision = decision;
        true
    }
}

impl Device {
    fn is_pending(&self, now: i64) -> bool {
        matches!(self.decision, Decision::Pending) && self.until > now
    }
}

fn same(code: &str, typed: &str) -> bool {
    let letters = |text: &str| text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()).collect();
    let (code, typed): (Vec<u8>, Vec<u8>) = (letters(code), letters(typed));
    code == typed
}
