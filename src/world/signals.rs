//! SIGINT, SIGTERM and SIGHUP. A watcher gets them, so that a save in progress ends first. Without
//! one they end the program, after the terminal is restored. Handlers are installed when the
//! program watches, changes the terminal, or runs a program in the foreground.
//!
//! On Windows the console's events take their place: Ctrl-C is SIGINT, a closed window or the end
//! of the session is SIGTERM.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::Sender;

use super::Signals;

/// The signals of this process.
pub struct Real;

impl Signals for Real {
    fn watch(&self, to: Sender<i32>) {
        system::watch(to);
    }

    fn release(&self) {
        system::release();
    }

    fn ask(&self, on: bool) {
        system::ask(on);
    }
}

#[cfg(unix)]
pub(super) use system::{at_question, guard_terminal};

/// While it lives, signals belong to the program in the foreground. The terminal signals both
/// processes; a signal to this process alone is passed on.
pub(super) struct LeftToChild(());

pub(super) fn leave_to_child() -> LeftToChild {
    system::hold(true);
    LeftToChild(())
}

impl LeftToChild {
    pub(super) fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        system::hand_on(child.id());
        child.wait()
    }
}

impl Drop for LeftToChild {
    fn drop(&mut self) {
        system::hold(false);
    }
}

/// Serialises tests that use signals, which are process-wide.
#[cfg(all(test, unix))]
pub(super) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(unix)]
mod system {
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
    use std::sync::mpsc::Sender;
    use std::sync::{Mutex, Once, OnceLock, PoisonError};

    use rustix::net::{SendFlags, send as send_bytes};
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::low_level;

    const WATCHED: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

    static INSTALLED: Once = Once::new();
    static HELD: AtomicBool = AtomicBool::new(false);
    /// The foreground program's process id, if any. It can't be reused before it is waited for.
    static CHILD: AtomicI32 = AtomicI32::new(0);
    /// Signals that came before the program started.
    static EARLY: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];
    /// Whether there is a watcher. Without one, signals act by default.
    static SENT: AtomicBool = AtomicBool::new(false);
    /// Whether a question is open, and the signal that ended it.
    static ASKING: AtomicBool = AtomicBool::new(false);
    static AT_QUESTION: AtomicI32 = AtomicI32::new(0);
    static PENDING: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];
    /// The handler writes a byte to it. Made once, since a handler may use it at any time.
    static PIPE: OnceLock<Option<UnixStream>> = OnceLock::new();
    /// Restores the terminal; set once it has been changed.
    static RESTORE: OnceLock<fn()> = OnceLock::new();
    static TO: Mutex<Option<Sender<i32>>> = Mutex::new(None);

    /// From now on a signal that ends the program first calls `restore`, which puts the terminal
    /// back and must be async-signal-safe.
    pub fn guard_terminal(restore: fn()) {
        let _ = RESTORE.set(restore);
        install();
    }

    fn install() {
        INSTALLED.call_once(|| {
            for (at, signal) in WATCHED.into_iter().enumerate() {
                if is_ignored(signal) {
                    // `nohup`: it was ignored before and stays so
                    continue;
                }
                // SAFETY: `on_signal` calls only async-signal-safe functions: atomics, write(2),
                // kill(2), tcsetattr(3), signal-hook's own emulation of the default. Each of these
                // signals has a sender number.
                let _ = unsafe {
                    signal_hook_registry::register_sigaction(signal, move |info| on_signal(signal, at, info.si_pid()))
                };
            }
        });
    }

    /// `sender`: 0 for the kernel, which sends typed signals to all processes in the foreground.
    fn on_signal(signal: i32, at: usize, sender: i32) {
        if HELD.load(Ordering::SeqCst) {
            match CHILD.load(Ordering::SeqCst) {
                _ if sender == 0 && signal != SIGTERM => {}
                0 => EARLY[at].store(true, Ordering::SeqCst),
                // the child hasn't been waited for, so its process id is still valid
                child => kill(child, signal),
            }
            return;
        }
        if ASKING.load(Ordering::SeqCst) {
            return AT_QUESTION.store(signal, Ordering::SeqCst);
        }
        if SENT.load(Ordering::SeqCst) {
            PENDING[at].store(true, Ordering::SeqCst);
            if let Some(Some(bell)) = PIPE.get() {
                // a full socket holds enough bytes
                let _ = send_bytes(bell, &[1], SendFlags::DONTWAIT);
            }
            return;
        }
        end_by(signal);
    }

    /// Restores the terminal and performs the signal's default action.
    fn end_by(signal: i32) {
        if let Some(restore) = RESTORE.get() {
            restore();
        }
        let _ = low_level::emulate_default_handler(signal);
    }

    fn kill(child: i32, signal: i32) {
        if let (Some(child), Some(signal)) = (Pid::from_raw(child), Signal::from_named_raw(signal)) {
            let _ = kill_process(child, signal);
        }
    }

    fn is_ignored(signal: i32) -> bool {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: a query: no new action is given, and the old one is written to a live, zeroed
        // `sigaction`.
        let action = unsafe {
            if libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) != 0 {
                return false;
            }
            action.assume_init()
        };
        action.sa_sigaction == libc::SIG_IGN
    }

    pub(super) fn watch(to: Sender<i32>) {
        *TO.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
        if PIPE.get_or_init(start).is_some() {
            install();
            SENT.store(true, Ordering::SeqCst);
        }
    }

    /// The thread that passes signals from the handler to the watcher.
    fn start() -> Option<UnixStream> {
        let (write, mut read) = UnixStream::pair().ok()?;
        let carry = move || {
            let mut byte = [0];
            while read.read_exact(&mut byte).is_ok() {
                for (at, signal) in WATCHED.into_iter().enumerate() {
                    if PENDING[at].swap(false, Ordering::SeqCst) {
                        send(signal);
                    }
                }
            }
        };
        std::thread::Builder::new().name("signals".into()).stack_size(128 << 10).spawn(carry).ok()?;
        Some(write)
    }

    fn send(signal: i32) {
        let to = TO.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if to.is_none_or(|to| to.send(signal).is_err()) {
            // the watcher is gone: the signal must not be lost
            release();
            end_by(signal);
        }
    }

    pub(super) fn release() {
        SENT.store(false, Ordering::SeqCst);
        *TO.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn ask(on: bool) {
        if on {
            install();
        }
        AT_QUESTION.store(0, Ordering::SeqCst);
        ASKING.store(on, Ordering::SeqCst);
    }

    /// The signal that ended the current question, if any.
    pub fn at_question() -> Option<i32> {
        Some(AT_QUESTION.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }

    pub(super) fn hold(on: bool) {
        if on {
            install();
            EARLY.iter().for_each(|early| early.store(false, Ordering::SeqCst));
        }
        HELD.store(on, Ordering::SeqCst);
    }

    /// Passes signals on until this child has ended; the caller still has to wait for it.
    pub(super) fn hand_on(child: u32) {
        let Ok(child) = i32::try_from(child) else { return };
        CHILD.store(child, Ordering::SeqCst);
        for (at, signal) in WATCHED.into_iter().enumerate() {
            if EARLY[at].swap(false, Ordering::SeqCst) {
                kill(child, signal);
            }
        }
        if let Some(child) = Pid::from_raw(child) {
            // the caller waits for the child
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let _ = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(child), options));
        }
        CHILD.store(0, Ordering::SeqCst);
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::time::Duration;

        // L-46
        #[test]
        fn a_watched_signal_is_sent_and_does_not_end_the_program() {
            let _alone = crate::world::signals::alone();
            for _again in 0..2 {
                let (to, from) = std::sync::mpsc::channel();
                watch(to);
                // the tests may run under `nohup`
                for signal in [SIGHUP, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal)) {
                    low_level::raise(signal).expect("raised");
                    assert_eq!(from.recv_timeout(Duration::from_secs(60)), Ok(signal));
                }
                release();
            }
        }

        #[test]
        fn a_signal_for_this_process_alone_is_handed_on_to_the_program_in_the_foreground() {
            let _alone = crate::world::signals::alone();
            for (name, signal) in [("HUP", SIGHUP), ("INT", SIGINT), ("TERM", SIGTERM)] {
                if is_ignored(signal) {
                    continue;
                }
                let folder = tempfile::tempdir().expect("a folder");
                let ready = folder.path().join("ready");
                let script =
                    format!("trap 'exit 9' {name}; : > '{}'; while :; do sleep 1 & wait $!; done", ready.display());
                let sends = std::thread::spawn(move || {
                    while !ready.exists() {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    low_level::raise(signal).expect("raised");
                });
                let argv = ["/bin/sh", "-c", &script].map(std::ffi::OsString::from);
                let code = crate::world::real().programs.run(&argv, &[]).expect("run");
                sends.join().expect("sent");
                assert_eq!(code, 9, "{name}");
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::Sender;
    use std::sync::{Mutex, Once, PoisonError};

    use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
    use windows_sys::core::BOOL;

    static INSTALLED: Once = Once::new();
    static HELD: AtomicBool = AtomicBool::new(false);
    /// A question at the console can't be ended: an event then ends the program.
    static ASKING: AtomicBool = AtomicBool::new(false);
    static TO: Mutex<Option<Sender<i32>>> = Mutex::new(None);

    /// Runs in a thread of its own. Returns whether the event has been dealt with.
    unsafe extern "system" fn on_event(event: u32) -> BOOL {
        let typed = matches!(event, CTRL_C_EVENT | CTRL_BREAK_EVENT);
        let signal = if typed { 2 } else { 15 };
        if typed && HELD.load(Ordering::SeqCst) {
            return 1;
        }
        let to = TO.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if ASKING.load(Ordering::SeqCst) || to.is_none_or(|to| to.send(signal).is_err()) {
            std::process::exit(128 + signal);
        }
        if typed {
            return 1;
        }
        loop {
            // the system ends the program when this returns, or a few seconds later
            std::thread::park();
        }
    }

    fn install() {
        INSTALLED.call_once(|| {
            // SAFETY: the handler lives as long as the program, and may run in any thread.
            unsafe { SetConsoleCtrlHandler(Some(on_event), 1) };
        });
    }

    pub(super) fn watch(to: Sender<i32>) {
        *TO.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
        install();
    }

    pub(super) fn release() {
        *TO.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn hold(on: bool) {
        install();
        HELD.store(on, Ordering::SeqCst);
    }

    pub(super) fn ask(on: bool) {
        install();
        ASKING.store(on, Ordering::SeqCst);
    }

    /// The console tells the program in the foreground itself.
    pub(super) fn hand_on(_child: u32) {}
}
