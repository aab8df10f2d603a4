//! Lets the acceptor sleep, without polling, until a connection comes or the listener closes.

pub use system::{Sleeper, Waker, has_unread, pair};

#[cfg(unix)]
mod system {
    use std::io::{self, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::net::{RecvFlags, recv};

    /// Ends the sleep of its partner.
    pub struct Waker(UnixStream);

    /// Sleeps until a connection comes or its partner wakes it.
    pub struct Sleeper(UnixStream);

    /// A waker and its sleeper.
    pub fn pair() -> io::Result<(Waker, Sleeper)> {
        let (waker, sleeper) = UnixStream::pair()?;
        Ok((Waker(waker), Sleeper(sleeper)))
    }

    /// Whether the kernel holds unread bytes. Never blocks, whatever the socket's timeout is.
    pub fn has_unread(socket: &TcpStream) -> bool {
        recv(socket, &mut [0], RecvFlags::PEEK | RecvFlags::DONTWAIT).is_ok_and(|(got, _)| got > 0)
    }

    impl Waker {
        pub fn wake(&self) {
            // the socket stays readable until it is closed: one byte is enough
            let _ = (&self.0).write(&[1]);
        }
    }

    impl Sleeper {
        /// Returns when a listener may have a connection, or when woken. May return early.
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

    pub struct Waker;
    pub struct Sleeper;

    /// A waker and its sleeper.
    pub fn pair() -> io::Result<(Waker, Sleeper)> {
        Ok((Waker, Sleeper))
    }

    pub fn has_unread(_socket: &TcpStream) -> bool {
        false
    }

    impl Waker {
        pub fn wake(&self) {}
    }

    impl Sleeper {
        /// The listeners don't block: polling every 10 ms is fast enough.
        pub fn wait(&self, _listeners: &[TcpListener]) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
