//! Spaces requests to keep the provider's rate limits, across all processes of a profile, so that
//! 429 doesn't happen. The processes share a small locked file. A file that is torn or from another
//! day counts as empty, which costs at most one early request. Slots use the monotonic clock, days
//! the calendar in UTC.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::retry;
use crate::error::{Error, Kind};
use crate::provider::Limits;
use crate::world::files;
use crate::world::{Clock, World};

/// Slots are a tenth farther apart than the limit requires, since requests don't arrive as evenly
/// as they leave.
const SLACK: f64 = 1.1;

/// The longest wait for a slot. A file that demands more is from before a restart of the machine.
const LONGEST_QUEUE: Duration = Duration::from_secs(120);
/// The longest pause that processes keep for each other (GetResponse's window is ten minutes).
const LONGEST_HOLD: Duration = Duration::from_secs(900);

/// The longest wait for the lock. Holders only read and write a line, so a holder that takes longer
/// was suspended.
const LOCK_TIME: Duration = Duration::from_secs(2);

/// The limit on requests, counted across processes.
#[derive(Debug)]
pub struct Pace {
    interval: Option<Duration>,
    per_day: Option<u32>,
    file: Option<PathBuf>,
    /// The state without a file.
    own: State,
}

/// Times are values of `Clock::elapsed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// The next free slot.
    next: Duration,
    /// The server allows no request before this time.
    hold: Duration,
    /// The day, in days since 1970, and the number of requests on it.
    day: i64,
    count: u32,
}

impl Pace {
    /// `file` is shared by the processes of one profile. Without limits it is made by the first
    /// server that asks for a pause.
    pub fn new(limits: &Limits, file: Option<PathBuf>) -> Pace {
        Pace {
            interval: limits.per_second.map(|n| Duration::from_secs_f64(SLACK / f64::from(n))),
            per_day: limits.per_day,
            file,
            own: State::default(),
        }
    }

    /// Takes the next free slot, and returns the wait until it. One that is farther away than
    /// `longest` is not taken: the error says how far it is.
    pub fn take(&mut self, clock: &dyn Clock, longest: Duration) -> Result<Duration, Error> {
        let (interval, per_day) = (self.interval, self.per_day);
        self.with(clock, interval.is_some() || per_day.is_some(), |state, now, wall| {
            let day = wall.div_euclid(86_400);
            if state.day != day {
                (state.day, state.count) = (day, 0);
            }
            if let Some(limit) = per_day.filter(|limit| state.count >= *limit) {
                let left = u64::try_from((day + 1) * 86_400 - wall).unwrap_or(0);
                let mut error = Error::new(Kind::TryLater, format!("all {limit} requests of this day have been sent"))
                    .because(format!("the day ends in {} min (00:00 UTC)", left.div_ceil(60)))
                    .hint("if the account's limit is higher: `limits.per-day` in the provider's file");
                error.retry_after = Some(left);
                return Err(error);
            }
            let slot = state.next.max(state.hold).max(now);
            if slot - now > longest {
                let seconds = (slot - now).as_secs_f64().ceil() as u64;
                let mut error = Error::new(Kind::TryLater, "the provider's limit allows no request now");
                error.retry_after = Some(seconds);
                return Err(error.because(format!("the next one is free in {seconds} s")));
            }
            state.count += 1;
            if let Some(interval) = interval {
                state.next = slot + interval;
            }
            Ok(slot - now)
        })
    }

    /// Heeds a response: after a 429 all processes wait as long as the server asks, or for a
    /// second. If no requests remain, they wait for the reset.
    pub fn heed(
        &mut self,
        clock: &dyn Clock,
        limits: &Limits,
        (status, headers, body): (u16, &[(String, String)], &[u8]),
    ) {
        let none_remain = retry::remaining(headers, limits).is_some_and(|left| left < 1.0);
        if !none_remain && status != 429 {
            return;
        }
        let time = match retry::asked(headers, body, limits, clock.now()) {
            Some(time) if none_remain => Some(time),
            // after the longest wait, the next command asks again
            asked if status == 429 => Some(asked.unwrap_or(Duration::from_secs(1)).min(retry::LONGEST_WAIT)),
            _ => None,
        };
        if let Some(time) = time {
            self.hold(clock, time);
        }
    }

    /// Stops requests for this long, also in other processes.
    fn hold(&mut self, clock: &dyn Clock, time: Duration) {
        let time = time.min(LONGEST_HOLD);
        self.with(clock, true, |state, now, _| state.hold = state.hold.max(now + time));
    }

    /// `makes`: the file is made where it is missing.
    fn with<T>(&mut self, clock: &dyn Clock, makes: bool, change: impl FnOnce(&mut State, Duration, i64) -> T) -> T {
        let shared = self.file.as_deref().filter(|path| makes || path.exists()).and_then(|path| open(path, clock));
        let mut state = match &shared {
            Some(file) => read(file).unwrap_or_default(),
            None => self.own,
        };
        let (now, wall) = (clock.elapsed(), clock.now());
        if state.next > now + LONGEST_QUEUE {
            state.next = now;
        }
        if state.hold > now + LONGEST_HOLD {
            state.hold = now;
        }
        let result = change(&mut state, now, wall);
        self.own = state;
        if let Some(file) = shared {
            // a full disk costs the spacing, not the request
            let _ = write(&file, &state);
        }
        result
    }
}

/// Opens and locks the file until it is closed. `None`: this process paces itself alone.
fn open(path: &Path, clock: &dyn Clock) -> Option<File> {
    let file = files::lock_file(path).ok()?;
    files::lock_within(&file, LOCK_TIME, |time| clock.sleep(time)).ok()?.then_some(file)
}

fn read(mut file: &File) -> Option<State> {
    let mut text = String::new();
    file.take(256).read_to_string(&mut text).ok()?;
    file.rewind().ok()?;
    let line = text.strip_suffix('\n')?;
    let numbers: Vec<i64> = line.split(' ').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let [next, hold, day, count] = numbers.as_slice() else { return None };
    let micros = |n: i64| u64::try_from(n).ok().map(Duration::from_micros);
    Some(State { next: micros(*next)?, hold: micros(*hold)?, day: *day, count: u32::try_from(*count).ok()? })
}

fn write(mut file: &File, state: &State) -> std::io::Result<()> {
    // one write of fixed length: a killed process leaves the old line or the new one
    let line = format!(
        "{:020} {:020} {:020} {:010}\n",
        state.next.as_micros(),
        state.hold.as_micros(),
        state.day,
        state.count
    );
    file.rewind()?;
    file.write_all(line.as_bytes())?;
    file.set_len(line.len() as u64)
}

/// Waits. On a terminal, a longer wait shows its reason.
pub fn wait(world: &mut World, time: Duration, why: &str) {
    if time.is_zero() {
        return;
    }
    if time >= Duration::from_secs(1) && world.terminal.stderr_is_terminal() {
        world.say(&format!("waiting {} s: {why}", time.as_secs_f64().ceil()));
    } else {
        world.step(|| format!("waiting {} ms: {why}", time.as_millis()));
    }
    world.clock.sleep(time);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Elapsed time and wall-clock time.
    struct Hand(Mutex<(Duration, i64)>);

    impl Clock for Hand {
        fn now(&self) -> i64 {
            self.0.lock().unwrap().1
        }
        fn elapsed(&self) -> Duration {
            self.0.lock().unwrap().0
        }
        fn sleep(&self, time: Duration) {
            self.0.lock().unwrap().0 += time;
        }
    }

    fn limits(per_second: u32, per_day: Option<u32>) -> Limits {
        Limits { per_second: Some(per_second), per_day, ..Limits::default() }
    }

    fn hand() -> Hand {
        Hand(Mutex::new((Duration::from_secs(1000), 1_795_298_400)))
    }

    fn ms(time: Duration) -> u128 {
        time.as_millis()
    }

    #[test]
    fn siblings_take_slots_one_after_the_other() {
        let (clock, dir) = (hand(), tempfile::tempdir().unwrap());
        let file = dir.path().join("limits/p");
        let mut both =
            [Pace::new(&limits(4, None), Some(file.clone())), Pace::new(&limits(4, None), Some(file.clone()))];
        let waits: Vec<u128> = (0..4).map(|n| ms(both[n % 2].take(&clock, Duration::MAX).unwrap())).collect();
        assert_eq!(waits, [0, 275, 550, 825]);
        clock.sleep(Duration::from_secs(10));
        assert_eq!(ms(both[0].take(&clock, Duration::MAX).unwrap()), 0);
        both[0].hold(&clock, Duration::from_secs(3));
        assert_eq!(ms(both[1].take(&clock, Duration::MAX).unwrap()), 3000);
        // torn, from another boot or foreign: counts as empty
        clock.sleep(Duration::from_secs(10));
        for text in ["", "9", "a b c d\n", "-1 0 0 0\n", "99999999999999 99999999999999 0 0\n", "0 0 0 0"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(ms(both[0].take(&clock, Duration::MAX).unwrap()), 0, "{text:?}");
            assert_eq!(ms(both[1].take(&clock, Duration::MAX).unwrap()), 275, "{text:?}");
            clock.sleep(Duration::from_secs(10));
        }
    }

    #[test]
    fn a_lock_that_is_never_freed_is_not_waited_for_long() {
        let (clock, dir) = (hand(), tempfile::tempdir().unwrap());
        let path = dir.path().join("p");
        let held = File::create(&path).unwrap();
        held.lock().unwrap();
        let mut pace = Pace::new(&limits(4, None), Some(path));
        assert_eq!(ms(pace.take(&clock, Duration::MAX).unwrap()), 0);
        assert!(clock.elapsed() < Duration::from_secs(1003));
        assert!(pace.take(&clock, Duration::MAX).unwrap() <= Duration::from_millis(275));
    }

    #[test]
    fn a_day_has_its_end_and_begins_anew() {
        let (clock, dir) = (hand(), tempfile::tempdir().unwrap());
        let mut pace = Pace::new(&limits(1000, Some(2)), Some(dir.path().join("p")));
        assert!(pace.take(&clock, Duration::MAX).is_ok() && pace.take(&clock, Duration::MAX).is_ok());
        let error = pace.take(&clock, Duration::MAX).unwrap_err();
        assert_eq!((error.kind, error.retry_after), (Kind::TryLater, Some(7200)));
        clock.0.lock().unwrap().1 += 7200;
        assert!(pace.take(&clock, Duration::MAX).is_ok());
    }
}
