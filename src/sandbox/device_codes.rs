//! The device codes that wait for a decision (RFC 8628).

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The device codes that were issued.
#[derive(Default)]
pub struct Devices(Mutex<VecDeque<Device>>);

/// A device code and its state.
pub struct Device {
    pub code: String,
    pub user_code: String,
    pub client: String,
    pub scopes: Vec<String>,
    pub until: i64,
    pub interval: Duration,
    /// The time of the client's last poll.
    pub asked: Option<Duration>,
    pub decision: Decision,
}

/// The user's decision about a device.
pub enum Decision {
    Pending,
    Denied,
    /// Allowed by this account.
    Allowed(String),
}

/// The details of a waiting code, for a page.
pub struct Waiting {
    pub user_code: String,
    pub client: String,
    pub scopes: Vec<String>,
}

impl Devices {
    /// Locks the codes, and drops those that expired over ten minutes ago.
    pub fn out(&self, now: i64) -> MutexGuard<'_, VecDeque<Device>> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // expired codes stay for ten minutes, to tell them from unknown ones
        out.retain(|d| d.until + 600 > now);
        out
    }

    /// Finds a waiting code as users type it: in lower case too, with or without the dash.
    pub fn waiting(&self, typed: &str, now: i64) -> Option<Waiting> {
        let out = self.out(now);
        let found = out.iter().find(|d| same(&d.user_code, typed) && d.is_pending(now))?;
        let Device { user_code, client, scopes, .. } = found;
        Some(Waiting { user_code: user_code.clone(), client: client.clone(), scopes: scopes.clone() })
    }

    /// Stores the decision. `false`: no such code is waiting.
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
