//! Lets the acceptor sleep until a connection comes or the listener is to be closed, without looking again and again.

pub use system::{Sleeper, Waker, has_unread, pair};

#[cfg(unix)]
mod system {
    use std::io::{self, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::os::unix::net::UnixStream;

    /// Ends the sleep of its [`Sleeper`], now or the next.
    pub struct Waker(UnixStream);

    pub struct Sleeper(UnixStream);

    pub fn pair() -> io::Result<(Waker, Sleeper)> {
        let (waker, sleeper) = UnixStream::pair()?;
        Ok((Waker(waker), Sleeper(sleeper)))
    }

    /// Whether bytes wait in the kernel; asked without waiting, whatever the socket's own timeout is.
    pub fn has_unread(socket: &TcpStream) -> bool {
        let mut byte = 0u8;
        let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
        // SAFETY: at most one byte is written, to a live one.
        unsafe { libc::recv(socket.as_raw_fd(), (&raw mut byte).cast(), 1, flags) > 0 }
    }

    impl Waker {
        pub fn wake(&self) {
            // the far end stays readable until it is closed: one byte is enough
            let _ = (&self.0).write(&[1]);
        }
    }

    impl Sleeper {
        /// Returns when one of the listeners may have a connection, or when woken; also for no reason.
        pub fn wait(&self, listeners: &[TcpListener]) {
            let entry = |fd: RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            let mut entries: Vec<libc::pollfd> = listeners.iter().map(|l| entry(l.as_fd().as_raw_fd())).collect();
            entries.push(entry(self.0.as_fd().as_raw_fd()));
            // SAFETY: the pointer and the count describe one live vector; its descriptors outlive the call. An error (EINTR) only
            // ends the sleep early.
            unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, -1) };
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::net::{TcpListener, TcpStream};

    pub struct Waker;
    pub struct Sleeper;

    pub fn pair() -> io::Result<(Waker, Sleeper)> {
        Ok((Waker, Sleeper))
    }

    /// Not known here without waiting.
    pub fn has_unread(_socket: &TcpStream) -> bool {
        false
    }

    impl Waker {
        pub fn wake(&self) {}
    }

    impl Sleeper {
        /// The listeners don't block: looking every 10 ms is soon enough, and needs nothing of the system.
        pub fn wait(&self, _listeners: &[TcpListener]) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
