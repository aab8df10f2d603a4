//! Accepts connections and gives each its own thread. Noise must never end or delay a wait, so the
//! connections are bounded: when there are too many, the oldest with an incomplete request is
//! closed, never the new one.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::listening::{Bound, wake};

/// A new connection's time for the first bytes of its request, so that many real ones at once don't
/// close each other. Behind a thousand idle ones, a request waits for `1000 / most` times this.
const GRACE: Duration = Duration::from_millis(5);

/// Enough for a TLS handshake in a debug build; untouched pages of it cost nothing.
const STACK: usize = 512 << 10;

/// Answers a connection, on that connection's thread.
type Handler = dyn Fn(&Visit) + Send + Sync;

/// Accepts as soon as it exists. Dropping it closes its ports, then its connections.
pub struct Acceptor {
    connections: Arc<Connections>,
    wake: wake::Waker,
    thread: Option<thread::JoinHandle<()>>,
    last_words: Duration,
}

/// A connection. Dropping it removes it from the table.
pub struct Visit {
    pub id: u64,
    pub socket: Arc<TcpStream>,
    connections: Arc<Connections>,
}

struct Connections {
    capacity: usize,
    closing: AtomicBool,
    table: Mutex<Table>,
    /// Signals that a connection has left the table or is no longer busy.
    changed: Condvar,
}

#[derive(Default)]
struct Table {
    next_id: u64,
    /// The oldest first.
    open: Vec<Open>,
    /// Live threads, including those of closed connections that haven't noticed yet.
    threads: usize,
}

struct Open {
    id: u64,
    since: Instant,
    socket: Arc<TcpStream>,
    /// Its request is complete and its response isn't written yet: it is not closed to make room.
    busy: bool,
}

impl Acceptor {
    /// `most`: connections open at once. `last_words`: how long a drop waits for responses.
    pub fn start(
        bound: Bound,
        capacity: usize,
        last_words: Duration,
        handler: impl Fn(&Visit) + Send + Sync + 'static,
    ) -> io::Result<Acceptor> {
        let connections = Arc::new(Connections {
            capacity,
            closing: AtomicBool::new(false),
            table: Mutex::default(),
            changed: Condvar::new(),
        });
        let (wake, sleeper) = wake::pair()?;
        let thread = thread::Builder::new().name("acceptor".into()).spawn({
            let connections = Arc::clone(&connections);
            let handler: Arc<Handler> = Arc::new(handler);
            move || {
                bound.early.into_iter().for_each(|socket| connections.admit(socket, &handler));
                connections.accept(&bound.listeners, &sleeper, &handler);
            }
        })?;
        Ok(Acceptor { connections, wake, thread: Some(thread), last_words })
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.connections.closing.store(true, Ordering::SeqCst);
        self.wake.wake();
        self.connections.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let end = Instant::now() + self.last_words;
        let mut table = self.connections.table();
        while !table.open.is_empty() {
            let late = Instant::now() >= end;
            for open in table.open.iter().filter(|open| late || !open.busy) {
                let _ = open.socket.shutdown(Shutdown::Both);
            }
            if late {
                break;
            }
            table = self.connections.wait(table, Duration::from_millis(50));
        }
    }
}

impl Visit {
    /// Marks the request as complete and its response as not written yet.
    pub fn set_busy(&self, busy: bool) {
        if let Some(open) = self.connections.table().open.iter_mut().find(|open| open.id == self.id) {
            open.busy = busy;
        }
        self.connections.changed.notify_all();
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut table = self.connections.table();
        table.open.retain(|open| open.id != self.id);
        table.threads -= 1;
        self.connections.changed.notify_all();
    }
}

impl Connections {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, table: MutexGuard<'a, Table>, time: Duration) -> MutexGuard<'a, Table> {
        self.changed.wait_timeout(table, time).unwrap_or_else(PoisonError::into_inner).0
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    fn accept(self: &Arc<Self>, listeners: &[TcpListener], sleeper: &wake::Sleeper, handler: &Arc<Handler>) {
        while !self.is_closing() {
            sleeper.wait(listeners);
            for listener in listeners {
                if self.is_closing() {
                    return;
                }
                use io::ErrorKind as E;
                match listener.accept().map_err(|error| error.kind()) {
                    Ok((socket, _)) => self.admit(socket, handler),
                    Err(E::WouldBlock | E::Interrupted | E::ConnectionAborted | E::ConnectionReset) => {}
                    Err(_) => {
                        // No descriptor or memory is left: make room and try again. The connection
                        // is still queued.
                        self.table().cut_oldest();
                        thread::sleep(Duration::from_millis(10));
                    }
                }
            }
        }
    }

    /// Gives a new connection its thread. While all are busy, it stays in the kernel's queue.
    fn admit(self: &Arc<Self>, socket: TcpStream, handler: &Arc<Handler>) {
        if socket.set_nonblocking(false).is_err() {
            return;
        }
        // an error costs only speed
        let _ = socket.set_nodelay(true);
        let socket = Arc::new(socket);
        let mut table = self.table();
        while !self.is_closing() && (table.open.len() >= self.capacity || table.threads >= 2 * self.capacity) {
            let full = table.open.len() >= self.capacity;
            if !(full && table.cut_oldest()) {
                table = self.wait(table, GRACE);
            }
        }
        if self.is_closing() {
            return;
        }
        let id = table.next_id;
        table.next_id += 1;
        table.open.push(Open { id, since: Instant::now(), socket: Arc::clone(&socket), busy: false });
        table.threads += 1;
        drop(table);
        let visit = Visit { id, socket, connections: Arc::clone(self) };
        let handler = Arc::clone(handler);
        // if no thread can be started, this drops the visit and so closes the connection
        let _ = thread::Builder::new().name("connection".into()).stack_size(STACK).spawn(move || {
            // moves the whole visit here: it leaves the table however this thread ends
            let visit = visit;
            handler(&visit);
        });
    }
}

impl Table {
    /// Closes the oldest incomplete connection that has had its [`GRACE`] and has no unread bytes.
    fn cut_oldest(&mut self) -> bool {
        let now = Instant::now();
        let idle = |o: &Open| !o.busy && now.duration_since(o.since) >= GRACE && !wake::has_unread(&o.socket);
        let Some(at) = self.open.iter().position(idle) else { return false };
        let _ = self.open.remove(at).socket.shutdown(Shutdown::Both);
        true
    }
}
