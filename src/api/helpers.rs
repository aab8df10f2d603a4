//! Threads that fetch the pages of a list ahead of their turn. They only send and read: whatever
//! needs a clock, a judgement or another attempt stays with the thread that collects.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::send::Caller;
use crate::error::{Error, Kind};
use crate::wire::Request;
use crate::world::{Http, Streamed, World};

/// The most bytes that the pages behind it hold meanwhile, as they came.
pub const MOST_AHEAD: usize = 8 << 20;

/// Threads that fetch pages. They end when this is dropped.
pub struct Helpers {
    /// The number of threads that the system allowed.
    pub count: usize,
    asks: Sender<Ask>,
    from: Receiver<Brought>,
    ready: BTreeMap<usize, Brought>,
    /// Pages whose nonce was too old. Each is sent once more with the new nonce.
    challenged: HashSet<usize>,
}

impl Helpers {
    pub fn start(world: &World, count: usize) -> Helpers {
        let (asks, asked) = mpsc::channel();
        let (to, from) = mpsc::channel();
        let asked = Arc::new(Mutex::new(asked));
        let left = Arc::new(AtomicUsize::new(MOST_AHEAD));
        let start = |_: &usize| {
            let (http, asked, to, left) = (Arc::clone(&world.http), Arc::clone(&asked), to.clone(), Arc::clone(&left));
            let helper = thread::Builder::new().name("page".to_owned());
            helper.spawn(move || help(&*http, &asked, (&to, &left))).is_ok()
        };
        let count = (0..count).take_while(start).count();
        Helpers { count, asks, from, ready: BTreeMap::new(), challenged: HashSet::new() }
    }

    pub fn ask(&self, world: &mut World, caller: &mut Caller<'_>, at: usize, request: Request) -> Result<(), Error> {
        caller.take_slot(world)?;
        // prepared on this thread, since helpers have no clock
        let sent = crate::grant::ready(world, &request)?.into_owned();
        let _ = self.asks.send((at, request, sent));
        Ok(())
    }

    /// Waits for the result of the page at `turn`. `None`: there are no helpers.
    pub fn brought(
        &mut self,
        world: &mut World,
        caller: &mut Caller<'_>,
        turn: usize,
    ) -> Result<Option<Brought>, Error> {
        while self.count > 0 && !self.ready.contains_key(&turn) {
            let brought = self.from.recv().map_err(|_| Error::new(Kind::Other, "a page was never fetched"))?;
            if let Some((status, headers)) = &brought.answer {
                let at_sending = brought.request.at_sending.as_ref();
                let wants_nonce =
                    at_sending.is_some_and(|at| at.learn_from(&brought.request, *status, headers, &[]).is_some());
                if wants_nonce && self.challenged.insert(brought.at) {
                    self.ask(world, caller, brought.at, brought.request)?;
                    continue;
                }
                caller.heed(world, (*status, headers, b""));
            }
            self.ready.insert(brought.at, brought);
        }
        Ok(self.ready.remove(&turn))
    }
}

/// A helper's result. If it isn't a page, the main thread sends the request again and handles the
/// failure.
pub struct Brought {
    at: usize,
    /// The request before it was prepared for sending.
    request: Request,
    /// `None`: there was no response.
    answer: Option<(u16, Vec<(String, String)>)>,
    body: Option<Held>,
}

impl Brought {
    /// The response. `None`: it isn't whole.
    pub fn response(self) -> Option<Streamed> {
        let (Some((status, headers)), Some(body)) = (self.answer, self.body) else { return None };
        Some(Streamed { status, version: String::new(), headers, body: Box::new(body) })
    }
}

/// The bytes of a page that waits for an earlier one.
struct Held {
    bytes: Vec<u8>,
    read: usize,
    /// The bytes that all of them may still take.
    left: Arc<AtomicUsize>,
}

impl Held {
    /// Reads a response to its end. `None`: that failed, or all together hold too much.
    fn of(body: &mut dyn Read, left: &Arc<AtomicUsize>) -> Option<Held> {
        const STEP: usize = 32 << 10;
        let mut held = Held { bytes: Vec::new(), read: 0, left: Arc::clone(left) };
        loop {
            if held.bytes.capacity() - held.bytes.len() < STEP {
                let more = held.bytes.capacity().max(STEP);
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(more)).ok()?;
                held.bytes.reserve_exact(held.bytes.capacity() + more - held.bytes.len());
            }
            if (&mut *body).take(STEP as u64).read_to_end(&mut held.bytes).ok()? == 0 {
                return Some(held);
            }
        }
    }
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = (&self.bytes[self.read..]).read(buffer)?;
        self.read += n;
        Ok(n)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.left.fetch_add(self.bytes.capacity(), Ordering::SeqCst);
    }
}

/// A task for a helper: the page's place, its request, and the same request prepared for sending.
type Ask = (usize, Request, Request);

fn help(http: &dyn Http, asked: &Mutex<Receiver<Ask>>, (to, left): (&Sender<Brought>, &Arc<AtomicUsize>)) {
    loop {
        let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((at, request, sent)) = next else { return };
        let (answer, body) = match http.stream(&sent, None) {
            Ok(mut answer) => {
                let is_whole = (200..300).contains(&answer.status) && answer.status != 206;
                let body = if is_whole { Held::of(&mut answer.body, left) } else { None };
                (Some((answer.status, answer.headers)), body)
            }
            Err(_) => (None, None),
        };
        if to.send(Brought { at, request, answer, body }).is_err() {
            return;
        }
    }
}
