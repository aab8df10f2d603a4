//! Protects the memory of a process before it holds secrets: other processes of the same user can't
//! read it, no core file is written, and a panic tells its place, not its values.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

/// The exit code of a defect of ours.
const DEFECT: u8 = 1;

/// Runs the program protected. Takes a few system calls without a file or an allocation: `token`
/// has a millisecond or two in all.
pub fn guarded(program: impl FnOnce() -> u8) -> u8 {
    system::close();
    std::panic::set_hook(Box::new(say_where));
    catch_unwind(AssertUnwindSafe(program)).unwrap_or(DEFECT)
}

/// Shows neither a panic's message, which may quote a secret, nor a backtrace.
fn say_where(panic: &PanicHookInfo<'_>) {
    use std::io::Write as _;
    let at =
        panic.location().map(|at| format!(" at {}:{}", at.file().rsplit(['/', '\\']).next().unwrap_or(""), at.line()));
    let text = format!(
        "error: this program has a defect and stopped{}\nhint: nothing that was stored is lost; please report the line above\n",
        at.unwrap_or_default()
    );
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(target_os = "linux")]
mod system {
    /// Not dumpable: no core file, whatever pattern and limits say;
    /// `/proc/PID/{mem,environ,maps,fd}` belong to root; no ptrace by the same user. The next
    /// `exec` resets it, so children are unaffected.
    pub fn close() {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(target_os = "macos")]
mod system {
    /// No debugger attaches, and the soft limit for core files is 0; a child may raise it again.
    pub fn close() {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: a request without an address, and a live `rlimit` that is read and written.
        unsafe {
            libc::ptrace(libc::PT_DENY_ATTACH, 0, std::ptr::null_mut(), 0);
            if libc::getrlimit(libc::RLIMIT_CORE, &mut limit) == 0 {
                limit.rlim_cur = 0;
                libc::setrlimit(libc::RLIMIT_CORE, &limit);
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod system {
    /// Windows Error Reporting asks before it sends; other systems have their own limits.
    pub fn close() {}
}
