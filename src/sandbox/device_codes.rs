//! The device codes that wait for a decision (RFC 8628).

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The device codes that were issued.
#[derive(Default)]
pub struct Devices(Mutex<VecDeque<Device>>);

/// A device code and its state.
#[derive(Clone)]
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
#[derive(Clone)]
pub enum Decision {
    Pending,
    Denied,
    /// Allowed by this account.
    Allowed(String),
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
    pub fn waiting(&self, typed: &str, now: i64) -> Option<Device> {
        self.out(now).iter().find(|device| device.waits_for(typed, now)).cloned()
    }

    /// Stores the decision. `false`: no such code is waiting.
    pub fn decide(&self, typed: &str, decision: Decision, now: i64) -> bool {
        let mut out = self.out(now);
        let Some(found) = out.iter_mut().find(|device| device.waits_for(typed, now)) else { return false };
        found.decision = decision;
        true
    }
}

impl Device {
    fn waits_for(&self, typed: &str, now: i64) -> bool {
        let letters = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric(), "").to_ascii_uppercase();
        matches!(self.decision, Decision::Pending) && self.until > now && letters(&self.user_code) == letters(typed)
    }
}
