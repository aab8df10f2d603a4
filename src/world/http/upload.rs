//! A request's body, sent in large blocks. Files are read by the sending thread, since they never
//! block. A pipe is read by its own thread: the server may respond while the pipe is silent.

use std::future::Future;
use std::io::{self, Read};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;
use tokio::time::Sleep;

use crate::text::count;
use crate::world::Upload;

/// A smaller upload is read before anything is sent: its length is announced, and a failed
/// connection isn't mistaken for an undelivered body.
const SMALL: usize = 1 << 20;

/// Bytes read at a time: more is no faster, and the connection holds up to 16 blocks.
const BLOCK: usize = 128 << 10;

/// How much earlier the head is sent than a large body. nginx that reads the head and the beginning
/// of the body at once writes each block across disk pages, which takes a quarter longer. (curl
/// waits for `100 Continue`, up to a second.)
const HEAD_START: Duration = Duration::from_millis(3);

/// Blocks that are read ahead.
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
        return Ok(InTurn::with_reading(Files {
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
    Ok(InTurn::with_reading(Pipe { from }))
}

/// The bytes that the reader has by now; empty at the end.
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
                // written bytes are sent only when there is nothing more at the moment
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
    /// Never locked: it makes the reader `Sync`.
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
    /// An empty block is the end. Without it the reader has died, and the body is incomplete.
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

/// A body that lets the connection read before each block is sent. A server may refuse a body,
/// answer and reset the connection: where the next write fails, the client reads no answer.
pub struct InTurn<B> {
    body: B,
    turn: Turn,
    /// Ends after the runtime has looked at the sockets. The client asks for more before that.
    pause: Option<JoinHandle<()>>,
}

enum Turn {
    /// The connection sends what it has.
    Flush,
    /// The next block is read, and then what has arrived meanwhile.
    Read,
    Send(Option<io::Result<Frame<Bytes>>>),
}

impl<B: Body<Data = Bytes, Error = io::Error> + Send + Sync + Unpin + 'static> InTurn<B> {
    pub fn with_reading(body: B) -> reqwest::Body {
        reqwest::Body::wrap(InTurn { body, turn: Turn::Flush, pause: None })
    }
}

impl<B: Body<Data = Bytes, Error = io::Error> + Unpin> Body for InTurn<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                let _ = ready!(Pin::new(pause).poll(context));
                self.pause = None;
            }
            self.turn = match mem::replace(&mut self.turn, Turn::Read) {
                Turn::Flush => Turn::Read,
                Turn::Read => Turn::Send(ready!(Pin::new(&mut self.body).poll_frame(context))),
                Turn::Send(frame) => {
                    self.turn = Turn::Flush;
                    return Poll::Ready(frame);
                }
            };
            self.pause = Some(tokio::spawn(tokio::task::yield_now()));
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Since when the server has had all our bytes, so that its time runs.
pub struct Patience(Mutex<Option<Instant>>);

impl Patience {
    /// Starts the server's time now.
    pub fn from_now() -> Patience {
        Patience(Mutex::new(Some(Instant::now())))
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn begin(&self) {
        self.set(Some(Instant::now()));
    }

    /// `None`: the server took too long. While our own reader is being read, the full time is left.
    pub fn left(&self, timeout: Duration) -> Option<Duration> {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Some(timeout),
            Some(since) => timeout.checked_sub(since.elapsed()).filter(|left| !left.is_zero()),
        }
    }
}
