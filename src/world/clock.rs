//! The time of day, and a clock for deadlines that counts sleep too.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Clock;

/// The system's clocks.
pub struct Real;

impl Clock for Real {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> i64 {
        // a clock set before 1970 counts backwards from it
        let seconds = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
        SystemTime::now().duration_since(UNIX_EPOCH).map_or_else(|before| -seconds(before.duration()), seconds)
    }

    #[cfg(unix)]
    fn elapsed(&self) -> Duration {
        // `Instant` stops while a laptop sleeps; a login's five minutes don't
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
        // elsewhere this clock counts sleep (macOS, OpenBSD), or there is no other
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
        // rustix makes a system call or two to find the kernel's clock
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a live `timespec`, the only memory that the call writes.
        let result = unsafe { libc::clock_gettime(CLOCK, &raw mut time) };
        assert_eq!(result, 0, "the system has a clock that doesn't go back");
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    #[cfg(not(unix))]
    fn elapsed(&self) -> Duration {
        // on Windows it counts sleep too
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_measured_by_a_clock_that_advances() {
        let start = Real.elapsed();
        Real.sleep(Duration::from_millis(20));
        let passed = Real.elapsed() - start;
        assert!(passed >= Duration::from_millis(20) && passed < Duration::from_secs(5), "{passed:?}");
        assert!(Real.now() > 1_700_000_000);
    }
}
