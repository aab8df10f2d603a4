//! A body on its way out, in large blocks. Files are read where they are sent, since they never keep anybody waiting; what has no
//! known end is a pipe, and read by a thread of its own: the server may have answered while nothing comes out of it.

use std::future::Future;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::Sleep;

use crate::text::count;
use crate::world::Upload;

/// Up to this size an upload is read before anything is sent: its length is told, and a connection that can't be made is seen
/// as that and not as a body that couldn't be delivered.
const SMALL: usize = 1 << 20;

/// What is read at a time: more is no faster, and the connection holds up to 16 of them.
const BLOCK: usize = 128 << 10;

/// How much sooner the head leaves than a large body. A server that finds the beginning of the body in one read with the head is out
/// of step from there on: nginx then writes each block across the borders of a disk's pages, which takes it a quarter longer. (curl
/// waits for `100 Continue` here, for up to a second where the server says none.)
const HEAD_START: Duration = Duration::from_millis(3);

/// Blocks that are read ahead of the connection.
const AHEAD: usize = 2;

/// The body of a request, read as it is sent.
pub fn body(upload: Upload, patience: &Arc<Patience>) -> io::Result<reqwest::Body> {
    let Upload { mut reader, length } = upload;
    let mut start = Vec::new();
    reader.by_ref().take(SMALL as u64 + 1).read_to_end(&mut start)?;
    if let Some(length) = length.filter(|length| start.len() <= SMALL && start.len() as u64 != *length) {
        return Err(io::Error::other(format!("it has {} instead of {length}", count(start.len(), "byte"))));
    }
    patience.begin();
    if start.len() <= SMALL {
        return Ok(reqwest::Body::from(start));
    }
    let patience = Arc::clone(patience);
    if let Some(length) = length {
        return Ok(reqwest::Body::wrap(Files {
            head_start: HeadStart::ToBegin,
            start: Some(start.into()),
            reader: Mutex::new(reader),
            length,
            patience,
        }));
    }
    let (to, from) = mpsc::channel(AHEAD);
    let read_on = move || {
        let mut got = Ok(start.into());
        loop {
            let last = got.as_ref().map_or(true, Bytes::is_empty);
            if to.blocking_send(got).is_err() || last {
                return;
            }
            got = block(&mut *reader, &patience);
        }
    };
    let reading = thread::Builder::new().name("body".to_owned()).spawn(read_on);
    reading.map_err(|error| io::Error::other(format!("no thread can be started for it: {error}")))?;
    Ok(reqwest::Body::wrap(Pipe { from }))
}

/// What the reader has by now; an empty one is the end.
fn block(reader: &mut dyn Read, patience: &Patience) -> io::Result<Bytes> {
    let mut block = BytesMut::zeroed(BLOCK);
    patience.set(None);
    let got = loop {
        match reader.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            got => break got,
        }
    };
    patience.begin();
    got.map(|n| block.split_to(n).freeze())
}

fn frame(block: io::Result<Bytes>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
    Poll::Ready(match block {
        Ok(block) if block.is_empty() => None,
        block => Some(block.map(Frame::data)),
    })
}

enum HeadStart {
    ToBegin,
    Runs(Pin<Box<Sleep>>),
    Over,
}

impl HeadStart {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            HeadStart::ToBegin => {
                *self = HeadStart::Runs(Box::pin(tokio::time::sleep(HEAD_START)));
                // what has been written so far is sent only when there is nothing more at the moment
                context.waker().wake_by_ref();
                Poll::Pending
            }
            HeadStart::Runs(sleep) => {
                ready!(sleep.as_mut().poll(context));
                *self = HeadStart::Over;
                Poll::Ready(())
            }
            HeadStart::Over => Poll::Ready(()),
        }
    }
}

struct Files {
    head_start: HeadStart,
    start: Option<Bytes>,
    /// Never locked: it makes a reader fit to be shared.
    reader: Mutex<Box<dyn Read + Send>>,
    length: u64,
    patience: Arc<Patience>,
}

impl Body for Files {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Files { head_start, start, reader, patience, .. } = &mut *self;
        ready!(head_start.poll(context));
        frame(match start.take() {
            Some(start) => Ok(start),
            None => block(&mut **reader.get_mut().unwrap_or_else(PoisonError::into_inner), patience),
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

struct Pipe {
    /// An empty one is the end. Without it the reader has died, and what was sent is not the whole.
    from: Receiver<io::Result<Bytes>>,
}

impl Body for Pipe {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let got = ready!(self.from.poll_recv(context));
        frame(got.unwrap_or_else(|| Err(io::Error::other("its reader ended unexpectedly"))))
    }
}

/// Since when the server has had all that we had to give: from then on it is the server that is waited for.
pub struct Patience(Mutex<Option<Instant>>);

impl Patience {
    /// Begins to wait now.
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
