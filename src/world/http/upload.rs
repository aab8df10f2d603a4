//! A body on its way out: a thread reads it in large blocks, since a pipe may keep a reader waiting while the server has already
//! answered; the connection takes them.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::world::Upload;

/// Up to this size an upload is read before anything is sent: its length is told, and a connection that can't be made is seen
/// as that and not as a body that couldn't be delivered.
const SMALL: usize = 1 << 20;

/// What is read at a time: more is no faster, and the connection holds up to 16 of them.
const BLOCK: usize = 128 << 10;

/// Blocks that are read ahead of the connection.
const AHEAD: usize = 2;

pub fn body(upload: Upload, patience: &Arc<Patience>) -> io::Result<reqwest::Body> {
    let Upload { mut reader, length } = upload;
    let mut start = Vec::new();
    reader.by_ref().take(SMALL as u64 + 1).read_to_end(&mut start)?;
    if let Some(length) = length.filter(|length| start.len() <= SMALL && start.len() as u64 != *length) {
        return Err(io::Error::other(format!("it has {} bytes instead of {length}", start.len())));
    }
    patience.begin();
    if start.len() <= SMALL {
        return Ok(reqwest::Body::from(start));
    }
    let (to, from) = mpsc::channel(AHEAD);
    let patience = Arc::clone(patience);
    thread::spawn(move || {
        if to.blocking_send(Ok(start.into())).is_ok() {
            read(&mut *reader, &patience, &to);
        }
    });
    Ok(reqwest::Body::wrap(Blocks { from, length }))
}

/// Until the reader ends or fails, or nobody wants more of it.
fn read(reader: &mut dyn Read, patience: &Patience, to: &Sender<io::Result<Bytes>>) {
    loop {
        let mut block = BytesMut::zeroed(BLOCK);
        patience.set(None);
        let got = reader.read(&mut block);
        patience.begin();
        let got = match got {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            got => got.map(|n| block.split_to(n).freeze()),
        };
        let last = got.as_ref().map_or(true, Bytes::is_empty);
        if to.blocking_send(got).is_err() || last {
            return;
        }
    }
}

struct Blocks {
    /// An empty one is the end. Without it the reader has died, and what was sent is not the whole.
    from: Receiver<io::Result<Bytes>>,
    length: Option<u64>,
}

impl Body for Blocks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match ready!(self.from.poll_recv(context)) {
            Some(Ok(block)) if block.is_empty() => None,
            Some(block) => Some(block.map(Frame::data)),
            None => Some(Err(io::Error::other("its reader ended unexpectedly"))),
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Since when the server has had all that we had to give: from then on it is the server that is waited for.
pub struct Patience(Mutex<Option<Instant>>);

impl Patience {
    pub fn from_now() -> Patience {
        Patience(Mutex::new(Some(Instant::now())))
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn begin(&self) {
        self.set(Some(Instant::now()));
    }

    /// `None`: it took too long. While our own reader is being read, the full time is left.
    pub fn left(&self, timeout: Duration) -> Option<Duration> {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Some(timeout),
            Some(since) => timeout.checked_sub(since.elapsed()).filter(|left| !left.is_zero()),
        }
    }
}
