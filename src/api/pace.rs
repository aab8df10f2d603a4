//! Requests are spaced so that the provider's limits are kept and 429 doesn't happen, by all processes of one profile together: they
//! share a small file with a lock. It may be torn by a kill or be of another day; then it counts as empty, which costs one early
//! request at most. Slots are reckoned by the clock that never goes back, days by the calendar in UTC.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::provider::Limits;
use crate::store::private;
use crate::world::{Clock, World};

/// Slots lie a tenth farther apart than the limit says: what leaves evenly doesn't arrive evenly.
const SLACK: f64 = 1.1;

/// Nobody waits so long for a slot: a file that says so is from before the machine was started anew.
const LONGEST_QUEUE: Duration = Duration::from_secs(120);
/// The longest rest that is kept to across processes (GetResponse's frame is ten minutes).
const LONGEST_HOLD: Duration = Duration::from_secs(900);

/// A holder does nothing but read and write a line; one that was stopped in the middle isn't waited for.
const LOCK_TIME: Duration = Duration::from_secs(2);

/// The limit on requests, counted across processes.
#[derive(Debug)]
pub struct Pace {
    interval: Option<Duration>,
    per_day: Option<u32>,
    file: Option<PathBuf>,
    /// Where there is no file.
    own: State,
}

/// Times by `Clock::elapsed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// The next free slot.
    next: Duration,
    /// Nobody asks before this: the server said so.
    hold: Duration,
    /// Days since 1970, and how many requests left on it.
    day: i64,
    count: u32,
}

impl Pace {
    /// `file`: what the processes of one profile share; without limits there is none.
    pub fn new(limits: &Limits, file: Option<PathBuf>) -> Pace {
        let limited = limits.per_second.is_some() || limits.per_day.is_some();
        Pace {
            interval: limits.per_second.map(|n| Duration::from_secs_f64(SLACK / f64::from(n))),
            per_day: limits.per_day,
            file: file.filter(|_| limited),
            own: State::default(),
        }
    }

    /// Takes the next free slot: how long to wait for it.
    pub fn take(&mut self, clock: &dyn Clock) -> Result<Duration, Error> {
        self.take_within(clock, Duration::MAX)
    }

    /// The same; a slot that is farther away than `longest` is left to others, and the error tells how far.
    pub fn take_within(&mut self, clock: &dyn Clock, longest: Duration) -> Result<Duration, Error> {
        let (interval, per_day) = (self.interval, self.per_day);
        self.with(clock, |state, now, wall| {
            let day = wall.div_euclid(86_400);
            if state.day != day {
                (state.day, state.count) = (day, 0);
            }
            if let Some(limit) = per_day.filter(|limit| state.count >= *limit) {
                let left = u64::try_from((day + 1) * 86_400 - wall).unwrap_or(0);
                let mut error = Error::new(Kind::TryLater, format!("all {limit} requests of this day have been sent"))
                    .cause(format!("the day ends in {} min (00:00 UTC)", left.div_ceil(60)))
                    .hint("if the account may do more: `limits.per-day` in the provider's file");
                error.retry_after = Some(left);
                return Err(error);
            }
            let slot = state.next.max(state.hold).max(now);
            if slot - now > longest {
                let seconds = (slot - now).as_secs_f64().ceil() as u64;
                let mut error = Error::new(Kind::TryLater, "the provider's limit leaves no request at the moment");
                error.retry_after = Some(seconds);
                return Err(error.cause(format!("the next one is free in {seconds} s")));
            }
            state.count += 1;
            if let Some(interval) = interval {
                state.next = slot + interval;
            }
            Ok(slot - now)
        })
    }

    /// The server wants to be left alone for so long, by the siblings too.
    pub fn hold(&mut self, clock: &dyn Clock, time: Duration) {
        let time = time.min(LONGEST_HOLD);
        self.with(clock, |state, now, _| state.hold = state.hold.max(now + time));
    }

    fn with<T>(&mut self, clock: &dyn Clock, change: impl FnOnce(&mut State, Duration, i64) -> T) -> T {
        let shared = self.file.as_deref().and_then(|path| open(path, clock));
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
            // a disk that is full costs the spacing, not the request
            let _ = write(&file, &state);
        }
        result
    }
}

/// The file, locked until it is closed; `None`: this process goes by itself.
fn open(path: &Path, clock: &dyn Clock) -> Option<File> {
    private::make_folder(path.parent()?).ok()?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
    }
    let file = options.open(path).ok()?;
    let mut waited = Duration::ZERO;
    while file.try_lock().is_err() {
        if waited >= LOCK_TIME {
            return None;
        }
        let step = Duration::from_millis(2);
        clock.sleep(step);
        waited += step;
    }
    Some(file)
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
    // one write of a fixed length: whoever is killed leaves the old line or the new one
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

/// Waits, and on a terminal says why where it takes longer than a moment.
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

    /// Elapsed, wall.
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
        let waits: Vec<u128> = (0..4).map(|n| ms(both[n % 2].take(&clock).unwrap())).collect();
        assert_eq!(waits, [0, 275, 550, 825]);
        clock.sleep(Duration::from_secs(10));
        assert_eq!(ms(both[0].take(&clock).unwrap()), 0);
        both[0].hold(&clock, Duration::from_secs(3));
        assert_eq!(ms(both[1].take(&clock).unwrap()), 3000);
        // torn, of another boot, not ours: as if it were empty
        clock.sleep(Duration::from_secs(10));
        for text in ["", "9", "a b c d\n", "-1 0 0 0\n", "99999999999999 99999999999999 0 0\n", "0 0 0 0"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(ms(both[0].take(&clock).unwrap()), 0, "{text:?}");
            assert_eq!(ms(both[1].take(&clock).unwrap()), 275, "{text:?}");
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
        assert_eq!(ms(pace.take(&clock).unwrap()), 0);
        assert!(clock.elapsed() < Duration::from_secs(1003));
        assert!(pace.take(&clock).unwrap() <= Duration::from_millis(275));
    }

    #[test]
    fn a_day_has_its_end_and_begins_anew() {
        let (clock, dir) = (hand(), tempfile::tempdir().unwrap());
        let mut pace = Pace::new(&limits(1000, Some(2)), Some(dir.path().join("p")));
        assert!(pace.take(&clock).is_ok() && pace.take(&clock).is_ok());
        let error = pace.take(&clock).unwrap_err();
        assert_eq!((error.kind, error.retry_after), (Kind::TryLater, Some(7200)));
        clock.0.lock().unwrap().1 += 7200;
        assert!(pace.take(&clock).is_ok());
    }
}
