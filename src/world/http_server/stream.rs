//! A connection with a deadline over all reads and writes, and the reasons for a missing request.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Closed or reset before the request was complete, or opened on suspicion and never used.
    #[error("the connection ended before a whole request came")]
    Ended,
    #[error("no whole request came in time")]
    TooSlow,
    /// A TLS greeting on a plain port: a browser that tries `https` first.
    #[error("a TLS greeting came")]
    TlsGreeting,
    #[error("the request line is too long")]
    LineTooLong,
    #[error("the headers are too many or too long")]
    HeadTooLarge,
    #[error("not an HTTP/1.1 request: {0}")]
    Malformed(&'static str),
    /// A body without a length, or with an unsupported encoding.
    #[error("a body needs a `Content-Length`")]
    LengthRequired,
    #[error("the body is too large")]
    BodyTooLarge,
    #[error("can't read: {0}")]
    Failed(io::Error),
}

impl Refusal {
    /// The status of the response; `None`: the client wouldn't understand one, close.
    pub fn status(&self) -> Option<u16> {
        match self {
            Refusal::Ended | Refusal::TlsGreeting | Refusal::Failed(_) => None,
            Refusal::TooSlow => Some(408),
            Refusal::LineTooLong => Some(414),
            Refusal::HeadTooLarge => Some(431),
            Refusal::Malformed(_) => Some(400),
            Refusal::LengthRequired => Some(411),
            Refusal::BodyTooLarge => Some(413),
        }
    }
}

/// A connection whose reads and writes all end by a given moment.
pub trait Stream: Read + Write {
    /// Sets the moment. A later read or write fails with `TimedOut` or `WouldBlock`.
    fn end_by(&mut self, moment: Instant);

    /// Ends the writing. [`hang_up`] reads the rest.
    fn end_writing(&mut self) -> io::Result<()>;
}

/// A TCP connection with a deadline over all reads and writes, however the bytes trickle. The
/// socket is shared, so that another thread can shut it down.
#[derive(Debug)]
pub struct TimedStream {
    socket: Arc<TcpStream>,
    deadline: Instant,
}

/// How long a read waits before it looks up. On Windows a shutdown by another thread stops the next
/// read, and not surely the one that waits (under Wine it doesn't): a thousand idle connections,
/// each with its thread until its time is over, would hold up everybody.
const LOOK_UP: Duration = if cfg!(windows) { Duration::from_millis(20) } else { Duration::MAX };

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

impl TimedStream {
    /// `time`: until the first [`Stream::end_by`].
    pub fn new(socket: Arc<TcpStream>, time: Duration) -> TimedStream {
        TimedStream { socket, deadline: Instant::now() + time }
    }

    fn left(&self) -> io::Result<Duration> {
        match self.deadline.checked_duration_since(Instant::now()) {
            // a timeout of zero would mean none
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for TimedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.left()?;
            let wait = left.min(LOOK_UP);
            self.socket.set_read_timeout(Some(wait))?;
            match (&*self.socket).read(buffer) {
                Err(error) if wait < left && is_late(&error) => {}
                read => return read,
            }
        }
    }
}

impl Write for TimedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        (&*self.socket).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for TimedStream {
    fn end_by(&mut self, moment: Instant) {
        self.deadline = moment;
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }
}

impl Stream for rustls::StreamOwned<rustls::ServerConnection, TimedStream> {
    fn end_by(&mut self, moment: Instant) {
        self.sock.end_by(moment);
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()?;
        self.sock.end_writing()
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        use io::ErrorKind as E;
        match error.kind() {
            E::TimedOut | E::WouldBlock => Refusal::TooSlow,
            E::ConnectionReset | E::ConnectionAborted | E::UnexpectedEof => Refusal::Ended,
            _ => Refusal::Failed(error),
        }
    }
}

/// Reads once, at least one byte.
pub fn read_some(stream: &mut impl Stream, buffer: &mut [u8]) -> Result<usize, Refusal> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) => return Err(Refusal::Ended),
            got => return Ok(got?),
        }
    }
}
