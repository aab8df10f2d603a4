//! Lets the acceptor sleep, without polling, until a connection comes or the listener closes.

use std::io;
use std::net::{TcpListener, TcpStream};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::ioctl_fionread;
use system::Line;

/// Ends the sleep of its partner.
pub struct Waker(Line);

/// Sleeps until a connection comes or its partner wakes it.
pub struct Sleeper(Line);

/// A waker and its sleeper.
pub fn pair() -> io::Result<(Waker, Sleeper)> {
    let (waker, sleeper) = system::line()?;
    Ok((Waker(waker), Sleeper(sleeper)))
}

/// Whether the system holds unread bytes. Never blocks, whatever the socket's timeout is.
pub fn has_unread(socket: &TcpStream) -> bool {
    ioctl_fionread(socket).is_ok_and(|held| held > 0)
}

impl Waker {
    pub fn wake(&self) {
        // the other end stays readable until it is closed: one byte is enough
        let _ = system::send(&self.0, &[1]);
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

#[cfg(unix)]
mod system {
    use std::io::{self, Write};
    pub use std::os::unix::net::UnixStream as Line;

    pub fn line() -> io::Result<(Line, Line)> {
        Line::pair()
    }

    pub fn send(mut line: &Line, bytes: &[u8]) -> io::Result<usize> {
        line.write(bytes)
    }
}

/// Windows can wait for sockets of the network alone.
#[cfg(windows)]
mod system {
    use std::io;
    use std::net::Ipv4Addr;
    pub use std::net::UdpSocket as Line;

    /// One socket that sends to itself, and hears nobody else.
    pub fn line() -> io::Result<(Line, Line)> {
        let line = Line::bind((Ipv4Addr::LOCALHOST, 0))?;
        line.connect(line.local_addr()?)?;
        Ok((line.try_clone()?, line))
    }

    pub fn send(line: &Line, bytes: &[u8]) -> io::Result<usize> {
        line.send(bytes)
    }
}
