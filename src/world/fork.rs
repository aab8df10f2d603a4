//! A helper process that finishes its work even if its starter is killed. It is this program,
//! forked, in its own session. Only Linux has one: elsewhere the process itself does the work, and
//! a signal waits for its end (`crate::world::signals`). The journal covers a process that is
//! killed.

use std::io::Read;

/// The result of [`super::Programs::part`].
pub enum Forked {
    /// There is no helper: do the work here.
    Unsupported,
    /// The original process. The helper's final message can be read; it is empty if the helper
    /// died.
    Parent(Box<dyn Read>),
    /// This is the helper.
    Child(Helper),
}

/// Reports the helper's result and exits.
pub struct Helper(Finish);

type Finish = Box<dyn FnOnce(&[u8])>;

impl Helper {
    /// `finish` sends the message and ends the process.
    pub fn new(finish: impl FnOnce(&[u8]) + 'static) -> Helper {
        Helper(Box::new(finish))
    }

    /// Sends the message to the starter and ends this process. Returns only in tests.
    pub fn finish(self, words: &[u8]) {
        (self.0)(words);
    }
}

/// Forks a helper that outlives the process that the user started.
#[cfg(target_os = "linux")]
pub fn part() -> Forked {
    use std::fs::File;
    use std::io::Write;

    use rustix::pipe::{PipeFlags, pipe_with};
    use rustix::process::Pid;

    // a fork copies only the calling thread: locks of other threads would stay held forever
    if !is_alone() {
        return Forked::Unsupported;
    }
    let Ok((from, to)) = pipe_with(PipeFlags::CLOEXEC) else { return Forked::Unsupported };
    // SAFETY: this process has one thread, so the child is whole.
    match unsafe { libc::fork() } {
        -1 => Forked::Unsupported,
        0 => {
            drop(from);
            leave_the_starter();
            Forked::Child(Helper::new(move |words| {
                // a dead starter reads nothing; the work is done anyway
                let _ = File::from(to).write_all(words);
                // at once: the starter's destructors must not run a second time
                signal_hook::low_level::exit(0)
            }))
        }
        child => Forked::Parent(Box::new(Answer { pipe: File::from(from), child: Pid::from_raw(child) })),
    }
}

/// Whether this is the only thread. A joined thread may be listed until it gets the CPU once more.
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

#[cfg(not(target_os = "linux"))]
pub fn part() -> Forked {
    Forked::Unsupported
}

/// Leaves the terminal (Ctrl-C, hang-up), and the pipes that a `$(…)` waits for.
#[cfg(target_os = "linux")]
fn leave_the_starter() {
    let _ = rustix::process::setsid();
    if let Ok(null) = std::fs::File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
    }
}

/// Reads the helper's message and waits for its end.
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
        // an interrupted wait only leaves a zombie for `init`
        let _ = rustix::process::waitpid(self.child, rustix::process::WaitOptions::empty());
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_does_not_fork() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || ended.recv());
        assert!(matches!(part(), Forked::Unsupported));
        drop(end);
        let _ = thread.join();
    }
}
