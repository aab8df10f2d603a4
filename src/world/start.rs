//! The start of the process on Linux, in place of the standard library's. That one installs a
//! handler that tells of a stack overflow, and asks for the stack's place first (with glibc it
//! reads `/proc/self/maps`): a tenth of what a fresh token takes. What else it does is done here.

use std::ffi::{CStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;

/// The words that `main` was called with. No file gets the number of a standard stream that is
/// closed, so that what is printed never lands in it, and a closed pipe is an error, not a signal.
///
/// # Safety
///
/// To be called once, by `main`, with its own arguments.
pub unsafe fn started(count: c_int, words: *const *const c_char) -> Vec<OsString> {
    // SAFETY: none has an address of ours, and no other thread runs yet.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        // to read alone for stdout: what would be lost there is an error
        for (stream, way) in [(0, libc::O_RDWR), (1, libc::O_RDONLY), (2, libc::O_RDWR)] {
            // what is opened gets the lowest number that is free
            if libc::fcntl(stream, libc::F_GETFD) < 0 && libc::open(c"/dev/null".as_ptr(), way) < 0 {
                libc::abort();
            }
        }
    }
    // SAFETY: the system gives as many texts, each with its end.
    let word = |at| unsafe { CStr::from_ptr(*words.add(at)) };
    (0..usize::try_from(count).unwrap_or(0)).map(|at| OsString::from_vec(word(at).to_bytes().to_vec())).collect()
}
