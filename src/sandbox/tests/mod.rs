//! Tests each manner through a real socket with a minimal client. Requests are those of a real
//! client, and whole responses are compared with the provider's documentation.

mod constantcontact;
mod device;
mod getresponse;
mod practice;
mod rotation;
mod verticalresponse;
mod visitor;
mod vr2;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::{Manners, Options, Server};
use crate::world::{Clock, Random};

/// A clock that only the test moves.
struct Hand {
    now: AtomicI64,
    elapsed_ms: AtomicU64,
}

impl Hand {
    fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
        self.elapsed_ms.fetch_add(seconds as u64 * 1000, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst))
    }

    fn sleep(&self, time: Duration) {
        self.elapsed_ms.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }
}

/// A different seed for each server, like the real generator.
struct Seeds;

static SEEDS: AtomicU64 = AtomicU64::new(0);

impl Random for Seeds {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
        bytes[..8].copy_from_slice(&SEEDS.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    }
}

/// 21 November 2026.
const START: i64 = 1_795_219_200;

fn clock() -> Arc<Hand> {
    Arc::new(Hand { now: AtomicI64::new(START), elapsed_ms: AtomicU64::new(0) })
}

fn start(options: Options) -> (Server, Arc<Hand>) {
    let clock = clock();
    (Server::start(options, clock.clone(), &Seeds).unwrap(), clock)
}

fn usual(manners: Manners) -> (Server, Arc<Hand>) {
    start(Options::new(manners))
}
