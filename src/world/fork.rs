//! A helper process that finishes its work even if its starter is killed. It is this program,
//! forked, in its own session. Only Linux has one: elsewhere the process itself does the work, and
//! a signal waits for its end (`crate::world::signals`). The journal covers a process that is
//! killed.
//!
//! A companion is forked likewise, and lives as long as its starter does.

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

/// The result of [`super::Programs::companion`].
pub enum Companion {
    /// The system has none, or this process has threads.
    Unsupported,
    /// The original process. The companion's message can be read; it is empty if it died.
    Starter(Box<dyn Read>),
    /// This is the companion.
    Here(Here),
}

/// A companion's ways to the process that started it.
pub struct Here {
    /// Sends the only message.
    pub tell: Finish,
    /// Returns when that process, whatever program it runs by then, has ended.
    pub ended: Box<dyn FnOnce() + Send>,
    /// Ends the companion; what the starter began is not its own.
    pub exit: Box<dyn FnOnce()>,
}

/// Forks a companion, which is no child of this process and not in its terminal's group. A second
/// one, which does nothing else, deletes the folder when this process or the companion has ended,
/// so that nothing is left if one of them is killed.
#[cfg(target_os = "linux")]
pub fn companion(folder: Option<&std::path::Path>) -> Companion {
    use std::fs::File;
    use std::io::Write;

    use rustix::pipe::{PipeFlags, pipe_with};
    use rustix::process::{PidfdFlags, WaitOptions, getpid, pidfd_open, waitpid};

    let starter = pidfd_open(getpid(), PidfdFlags::empty());
    let (Ok(starter), Ok((from, to)), true) = (starter, pipe_with(PipeFlags::CLOEXEC), is_alone()) else {
        return Companion::Unsupported;
    };
    // SAFETY: this process has one thread, so each child is whole.
    let fork = || unsafe { libc::fork() };
    match fork() {
        -1 => return Companion::Unsupported,
        0 => {}
        child => {
            // the child between the two ends at once
            let _ = waitpid(rustix::process::Pid::from_raw(child), WaitOptions::empty());
            return Companion::Starter(Box::new(File::from(from)));
        }
    }
    drop(from);
    leave_the_starter();
    if fork() != 0 {
        end();
    }
    if let Some(folder) = folder {
        let own = pidfd_open(getpid(), PidfdFlags::empty());
        if let Ok(own) = own
            && fork() == 0
        {
            drop(to);
            until_one_ends(&[&starter, &own]);
            let _ = std::fs::remove_dir_all(folder);
            end();
        }
    }
    Companion::Here(Here {
        tell: Box::new(move |words| {
            // a dead starter reads nothing
            let _ = File::from(to).write_all(words);
        }),
        ended: Box::new(move || until_one_ends(&[&starter])),
        exit: Box::new(|| end()),
    })
}

#[cfg(not(target_os = "linux"))]
pub fn companion(_folder: Option<&std::path::Path>) -> Companion {
    Companion::Unsupported
}

/// At once: the starter's destructors must not run a second time.
#[cfg(target_os = "linux")]
fn end() -> ! {
    signal_hook::low_level::exit(0)
}

#[cfg(target_os = "linux")]
fn until_one_ends(processes: &[&std::os::fd::OwnedFd]) {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut waited: Vec<PollFd<'_>> = processes.iter().map(|process| PollFd::new(process, PollFlags::IN)).collect();
    // an error other than a signal's ends the wait too
    while matches!(poll(&mut waited, None), Err(rustix::io::Errno::INTR)) {}
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
                end()
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
