//! Lets the acceptor sleep until a connection comes or the listener is to be closed, without looking again and again.

pub use system::{Sleeper, Waker, has_unread, pair};

#[cfg(unix)]
mod system {
    use std::io::{self, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::net::{RecvFlags, recv};

    /// Ends the sleep of its [`Sleeper`], now or the next.
    pub struct Waker(UnixStream);

    /// Sleeps until a connection comes.
    pub struct Sleeper(UnixStream);

    /// A sleeper, and what wakes it.
    pub fn pair() -> io::Result<(Waker, Sleeper)> {
        let (waker, sleeper) = UnixStream::pair()?;
        Ok((Waker(waker), Sleeper(sleeper)))
    }

    /// Whether bytes wait in the kernel; asked without waiting, whatever the socket's own timeout is.
    pub fn has_unread(socket: &TcpStream) -> bool {
        recv(socket, &mut [0], RecvFlags::PEEK | RecvFlags::DONTWAIT).is_ok_and(|(got, _)| got > 0)
    }

    impl Waker {
        /// Ends the sleep.
        pub fn wake(&self) {
            // the far end stays readable until it is closed: one byte is enough
            let _ = (&self.0).write(&[1]);
        }
    }

    impl Sleeper {
        /// Returns when one of the listeners may have a connection, or when woken; also for no reason.
        pub fn wait(&self, listeners: &[TcpListener]) {
            let mut entries: Vec<_> = listeners.iter().map(|l| PollFd::new(l, PollFlags::IN)).collect();
            entries.push(PollFd::new(&self.0, PollFlags::IN));
            // an error (EINTR) only ends the sleep early
            let _ = poll(&mut entries, None);
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::net::{TcpListener, TcpStream};

    /// Ends the sleep of its [`Sleeper`].
    pub struct Waker;
    /// Sleeps until a connection comes.
    pub struct Sleeper;

    /// A sleeper, and what wakes it.
    pub fn pair() -> io::Result<(Waker, Sleeper)> {
        Ok((Waker, Sleeper))
    }

    /// Not known here without waiting.
    pub fn has_unread(_socket: &TcpStream) -> bool {
        false
    }

    impl Waker {
        /// Ends the sleep.
        pub fn wake(&self) {}
    }

    impl Sleeper {
        /// The listeners don't block: looking every 10 ms is soon enough, and needs nothing of the system.
        pub fn wait(&self, _listeners: &[TcpListener]) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
