//! A process that outlives the one a person started: what it has begun it ends, even when its starter is killed. It is the
//! same program, forked, in a session of its own.

use std::io::Read;

/// What became of [`super::Programs::part`].
pub enum Parted {
    /// There is no helper: do the work here.
    Alone,
    /// This is the process that the person started; what the helper says at its end can be read, and nothing where it died.
    Starter(Box<dyn Read>),
    /// This is the helper.
    Helper(Helper),
}

/// The helper's way to say how it went, and out.
pub struct Helper {
    finish: Finish,
}

type Finish = Box<dyn FnOnce(&[u8])>;

impl Helper {
    /// `finish` hands the words over and ends the process.
    pub fn new(finish: impl FnOnce(&[u8]) + 'static) -> Helper {
        Helper { finish: Box::new(finish) }
    }

    /// Hands the words to the starter, if it still lives, and ends this process. Returns only in tests.
    pub fn finish(self, words: &[u8]) {
        (self.finish)(words);
    }
}

/// Parts into the process that a person started and a helper that outlives it.
#[cfg(target_os = "linux")]
pub fn part() -> Parted {
    use std::fs::File;
    use std::io::Write;

    use rustix::pipe::{PipeFlags, pipe_with};
    use rustix::process::Pid;

    // a fork takes along only the thread that asks for it: whatever another one holds would stay held for ever
    if !is_alone() {
        return Parted::Alone;
    }
    let Ok((from, to)) = pipe_with(PipeFlags::CLOEXEC) else { return Parted::Alone };
    // SAFETY: this process has one thread, so the child is whole.
    match unsafe { libc::fork() } {
        -1 => Parted::Alone,
        0 => {
            drop(from);
            leave_the_starter();
            Parted::Helper(Helper::new(move |words| {
                // a starter that has gone reads nothing: the work is done all the same
                let _ = File::from(to).write_all(words);
                // at once, without running the starter's destructors a second time
                signal_hook::low_level::exit(0)
            }))
        }
        child => Parted::Starter(Box::new(Answer { pipe: File::from(from), child: Pid::from_raw(child) })),
    }
}

/// Whether this is the only thread. One that has been joined may be listed for a moment longer: on a busy machine until it has
/// had its turn once more.
#[cfg(target_os = "linux")]
fn is_alone() -> bool {
    let threads = || std::fs::read_dir("/proc/self/task").map_or(usize::MAX, Iterator::count);
    for _ in 0..250 {
        match threads() {
            1 => return true,
            2 => std::thread::sleep(std::time::Duration::from_micros(200)),
            _ => return false,
        }
    }
    false
}

/// Parts into the process that a person started and a helper that outlives it.
#[cfg(not(target_os = "linux"))]
pub fn part() -> Parted {
    Parted::Alone
}

/// Out of the terminal's reach (Ctrl-C, hang-up), and off the pipes that a `$(…)` waits for.
#[cfg(target_os = "linux")]
fn leave_the_starter() {
    let _ = rustix::process::setsid();
    if let Ok(null) = std::fs::File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
    }
}

/// The helper's words, and its end waited for.
#[cfg(target_os = "linux")]
struct Answer {
    pipe: std::fs::File,
    child: Option<rustix::process::Pid>,
}

#[cfg(target_os = "linux")]
impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.pipe.read(buffer)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Answer {
    fn drop(&mut self) {
        // an interrupted wait leaves a zombie for `init`, no more
        let _ = rustix::process::waitpid(self.child, rustix::process::WaitOptions::empty());
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_does_not_fork() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || ended.recv());
        assert!(matches!(part(), Parted::Alone));
        drop(end);
        let _ = thread.join();
    }
}
