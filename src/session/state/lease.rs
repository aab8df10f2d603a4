//! The lock of a shared store: a lease in the record, under this machine's own lock.
//!
//! Clocks of different machines may be a minute apart. So a waiter takes a lease over once it has
//! itself seen the same version for the lease's whole time, by its own monotonic clock; or at once,
//! where the lease is older than that and a minute by the clocks of both. The holder stops by its
//! own monotonic clock, which it read before it asked for the lease: it never acts after that time.
//! A holder on this machine that held the same lock's file is gone for certain: its lease is free.

use std::rc::Rc;
use std::time::Duration;

use super::lock::{self, LEASE_WAIT, Lock};
use super::paths::Paths;
use crate::error::{Error, Kind};
use crate::session::{Who, random_hex};
use crate::store::{LEASE, Lease, Seen, Store};
use crate::text::safe;
use crate::world::World;

/// How far apart the clocks of two machines may be, in seconds.
pub const SKEW: i64 = 60;

/// The pauses between two looks: each is half as long again as the one before, up to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(60), Duration::from_secs(1));

/// Waits for the lock, and for the lease where the store is shared; never goes on without them.
pub fn acquire(world: &mut World, paths: &Paths, store: &Rc<dyn Store>, profile: &str) -> Result<Lock, Error> {
    let mut lock = lock::acquire(world, paths, &**store, profile)?;
    take(world, (store, profile), &mut lock, |_, _| Ok(None::<()>))?;
    Ok(lock)
}

/// Looks again and again, with pauses that grow, until there is an answer or the time is over.
pub fn poll<T>(
    world: &mut World,
    time: Duration,
    mut look: impl FnMut(&mut World) -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let began = world.clock.elapsed();
    let mut pause = PAUSES.0;
    loop {
        if let Some(found) = look(world)? {
            return Ok(Some(found));
        }
        if world.clock.elapsed().saturating_sub(began) > time {
            return Ok(None);
        }
        let mut drawn = [0];
        world.random.fill(&mut drawn);
        // not all waiters at once
        world.clock.sleep(pause.mul_f64(0.75 + f64::from(drawn[0]) / 512.0));
        pause = (pause * 3 / 2).min(PAUSES.1);
    }
}

/// Takes the lease for the lock's profile, unless `judge` finds what is wanted in the record as it
/// is. In a store of one machine the lock is enough.
pub fn take<T>(
    world: &mut World,
    (store, profile): (&Rc<dyn Store>, &str),
    lock: &mut Lock,
    mut judge: impl FnMut(&mut World, &Seen) -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let Some(shared) = store.shared() else { return Ok(None) };
    let mut watched = None;
    let mut by = String::new();
    let turn = poll(world, LEASE_WAIT, |world| {
        let seen = shared.look(profile)?;
        if let Some(found) = judge(world, &seen)? {
            return Ok(Some(Some(found)));
        }
        let now = world.clock.elapsed();
        let (_, since) =
            *watched.insert(watched.filter(|(version, _)| *version == seen.version).unwrap_or((seen.version, now)));
        if let Some(lease) = &seen.lease {
            let old = world.clock.now() >= lease.at.saturating_add(LEASE.as_secs() as i64 + SKEW);
            if !old && now.saturating_sub(since) < LEASE && !lock.had(&lease.holder) {
                if by.is_empty() {
                    world.step(|| format!("{} renews this token: waiting for it", safe(&lease.by)));
                }
                by.clone_from(&lease.by);
                lock.waited = true;
                return Ok(None);
            }
            world.step(|| format!("the lease of {} is over", safe(&lease.by)));
        }
        let lease = Lease { holder: random_hex(world), by: user_and_host(world), at: world.clock.now() };
        lock.note(&lease.holder)?;
        let sent = seen.sent;
        let taken = shared.take(profile, seen, lease)?;
        if taken {
            lock.leased(store, profile, sent);
        }
        Ok(taken.then_some(None))
    })?;
    turn.ok_or_else(|| {
        let why = format!("{} has been renewing the token of `{profile}` for {} s", safe(&by), LEASE_WAIT.as_secs());
        Error::new(Kind::TryLater, why).hint("run the command again")
    })
}

/// Who gets a token now, for the record of a shared login.
pub fn renewer(world: &World, who: &Who) -> Option<String> {
    who.store.shared().map(|_| user_and_host(world))
}

/// `ci@builder-7`.
pub fn user_and_host(world: &World) -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| world.env.var(name));
    format!("{}@{}", user.as_deref().unwrap_or("someone"), world.env.host().as_deref().unwrap_or("a machine"))
}
