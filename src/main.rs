#![cfg_attr(all(target_os = "linux", not(test)), no_main)]

use std::ffi::OsString;
use std::process::exit;

/// That of the C library maps a slab of its own for each size: 14 calls of the system and as many
/// pages again, before a fresh token is printed.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn run(words: impl IntoIterator<Item = OsString>) -> ! {
    exit(oauthctl::world::guarded(|| oauthctl::run(words, &mut oauthctl::world::real())).into())
}

#[cfg(any(not(target_os = "linux"), test))]
#[expect(clippy::disallowed_methods, reason = "the one place where the command line is read")]
fn main() {
    run(std::env::args_os())
}

#[cfg(all(target_os = "linux", not(test)))]
#[unsafe(no_mangle)]
extern "C" fn main(count: std::ffi::c_int, words: *const *const std::ffi::c_char) -> std::ffi::c_int {
    // SAFETY: this is `main`, which the system calls once.
    run(unsafe { oauthctl::world::started(count, words) })
}
