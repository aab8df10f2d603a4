//! The user of a file, a socket or a process, by Unix user ids. Windows has none: nothing is
//! checked there.

#[cfg(unix)]
use std::{io, os::fd::AsRawFd as _, os::unix::net::UnixStream};

/// The user that this process acts as.
#[cfg(unix)]
pub fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether it is this process's user or root, who can read everything anyway.
#[cfg(unix)]
pub fn is_own_or_root(user: u32) -> bool {
    user == 0 || user == own()
}

/// The user at the other end of a connected socket: the listening process's, as it began to listen.
#[cfg(target_os = "linux")]
pub fn of_peer(stream: &UnixStream) -> io::Result<u32> {
    peer(stream).map(|peer| peer.uid)
}

/// The process at the other end, where the kernel tells it: none of another namespace.
#[cfg(target_os = "linux")]
pub fn process_of_peer(stream: &UnixStream) -> Option<i32> {
    peer(stream).ok().map(|peer| peer.pid).filter(|id| *id > 0)
}

#[cfg(target_os = "linux")]
fn peer(stream: &UnixStream) -> io::Result<libc::ucred> {
    // rustix's `UCred` can't hold the process number 0, which a peer in another namespace has
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: `peer` takes the `length` bytes that the kernel is told of
    let done = unsafe {
        let to = (&raw mut peer).cast();
        libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, to, &raw mut length)
    };
    if done == 0 { Ok(peer) } else { Err(io::Error::last_os_error()) }
}

/// The user at the other end of a connected socket: the listening process's, as it began to listen.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn of_peer(stream: &UnixStream) -> io::Result<u32> {
    let (mut user, mut group) = (0, 0);
    // SAFETY: both numbers live through the call
    let done = unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut user, &raw mut group) };
    if done == 0 { Ok(user) } else { Err(io::Error::last_os_error()) }
}

/// Not told by such a system.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn process_of_peer(_stream: &UnixStream) -> Option<i32> {
    None
}

/// The user who logged in to this process's session, before any `su` or `sudo`.
#[cfg(target_os = "linux")]
pub fn logged_in() -> Option<u32> {
    let told = std::fs::read_to_string("/proc/self/loginuid").ok()?;
    told.trim().parse().ok().filter(|user| *user != u32::MAX)
}

/// Whether the number stands for all users without an id in this (container's) user namespace.
#[cfg(target_os = "linux")]
pub fn is_unnamed(user: u32) -> bool {
    let number = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let all_are_named = || number("/proc/self/uid_map").split_ascii_whitespace().eq(["0", "0", "4294967295"]);
    number("/proc/sys/kernel/overflowuid").trim().parse() == Ok(user) && !all_are_named()
}

/// Always false without such namespaces.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn is_unnamed(_user: u32) -> bool {
    false
}
