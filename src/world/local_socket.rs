//! A Unix socket of this user's own, which gives one answer to one request. The kernel tells both
//! ends whose process the other one is, so neither trusts the file's place alone: another user gets
//! no answer, and no answer of another user's is read.

use std::io;
use std::path::PathBuf;

use crate::text::safe;
use crate::world::files::PrivateError;

pub use system::{Asked, ask, serve};

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum NotServed {
    #[error("another process listens at `{}`", .0.display())]
    Taken(PathBuf),
    #[error("`{}` is there already, and is no socket of yours", .0.display())]
    NoSocket(PathBuf),
    /// Whoever can write there can put another socket in its place.
    #[error("`{}` belongs to another user, or other users can write to it", .0.display())]
    OpenFolder(PathBuf),
    #[error("there is no folder `{}`", .0.display())]
    NoFolder(PathBuf),
    #[error("{0}")]
    Private(#[from] PrivateError),
    #[error("it can't be made at `{}`: {}", .0.display(), .1)]
    Failed(PathBuf, io::Error),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NotAnswered {
    #[error("{0}")]
    Nobody(io::Error),
    /// Nothing was sent.
    #[error("it is served by the user {user}, not by you{}", unnamed(*.user))]
    Foreign { user: u32 },
    #[error("no answer came within {0} seconds")]
    TooLate(u64),
    /// A carrier whose other end is gone does so.
    #[error("it was closed without an answer")]
    Closed,
    #[error("its answer is too long")]
    TooLong,
    #[error("the answer broke off: {}", safe(&.0.to_string()))]
    Broken(io::Error),
}

#[cfg(unix)]
fn unnamed(user: u32) -> &'static str {
    match crate::world::users::is_unnamed(user) {
        true => " (this container has no name for that user)",
        false => "",
    }
}

#[cfg(not(unix))]
fn unnamed(_user: u32) -> &'static str {
    ""
}

#[cfg(unix)]
mod system {
    use std::fs::{self, File, Permissions};
    use std::io::{self, Read as _, Write as _};
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::{FdFlags, fcntl_setfd};
    use rustix::net::sockopt::{Timeout, set_socket_timeout};
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};
    use zeroize::Zeroizing;

    use super::{NotAnswered, NotServed};
    use crate::world::{files, users};

    /// A request is a line.
    const LONGEST_REQUEST: usize = 4 << 10;

    /// How long a client may take for it, and to read its answer.
    const CLIENT_WITHIN: Duration = Duration::from_secs(5);

    /// How long nobody else is answered because of a client that is slow to read.
    const MOMENT: Duration = Duration::from_millis(100);

    /// One more is closed at once.
    const MOST_CONNECTIONS: usize = 512;

    /// For a thread that carries one line each way.
    const STACK: usize = 128 << 10;

    /// A request that waits for its answer.
    pub struct Asked {
        pub request: Zeroizing<Vec<u8>>,
        /// The process that asks, in words.
        pub peer: String,
        stream: Arc<UnixStream>,
        to: SyncSender<Zeroizing<Vec<u8>>>,
        /// Its sender is dropped with the connection.
        closed: Receiver<()>,
    }

    impl Asked {
        /// Whether the client is still there.
        pub fn waits(&self) -> bool {
            // the end of what it sends is not its own end
            let mut ends = [PollFd::new(&*self.stream, PollFlags::empty())];
            poll(&mut ends, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
        }

        /// Returns when the client has its answer, or is slow: the process may end then.
        pub fn answer(self, answer: Zeroizing<Vec<u8>>) {
            let _ = self.to.send(answer);
            let _ = self.closed.recv_timeout(MOMENT);
        }
    }

    /// Listens until it is dropped, which removes the socket.
    pub struct Serving {
        path: PathBuf,
        /// Held: a socket beside a lock that nobody holds was left by a killed process.
        lock: (PathBuf, File),
    }

    impl Drop for Serving {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(&self.lock.0);
        }
    }

    /// Listens; `take` gets each request of this user's processes, on a thread of its own.
    pub fn serve(path: &Path, take: impl Fn(Asked) + Send + Sync + 'static) -> Result<Serving, NotServed> {
        let failed = |e| NotServed::Failed(path.to_owned(), e);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.exists() {
            return Err(NotServed::NoFolder(folder.to_owned()));
        }
        let about = fs::metadata(folder).map_err(failed)?;
        if about.uid() != users::own() || about.mode() & 0o022 != 0 {
            return Err(NotServed::OpenFolder(folder.to_owned()));
        }
        let name = files::Claim::name(path);
        let held = files::hold(&name, files::options().append(true).create(true)).map_err(failed)?;
        let lock = (name, held.ok_or_else(|| NotServed::Taken(path.to_owned()))?);
        match fs::symlink_metadata(path) {
            Ok(old) if old.file_type().is_socket() && old.uid() == users::own() => {
                fs::remove_file(path).map_err(failed)?;
            }
            Ok(_) => return Err(NotServed::NoSocket(path.to_owned())),
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        let serving = Serving { path: path.to_owned(), lock };
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        thread::Builder::new().name("socket".to_owned()).spawn(move || accept(&listener, take)).map_err(failed)?;
        Ok(serving)
    }

    fn accept(listener: &UnixListener, take: impl Fn(Asked) + Send + Sync + 'static) {
        let (take, open) = (Arc::new(take), Arc::new(AtomicUsize::new(0)));
        loop {
            let Ok((stream, _)) = listener.accept() else {
                // too many open files: the next attempt may find one
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            let own = users::of_peer(&stream).is_ok_and(users::is_own_or_root);
            if !own || open.load(Ordering::SeqCst) >= MOST_CONNECTIONS {
                continue;
            }
            open.fetch_add(1, Ordering::SeqCst);
            let (take, closes) = (Arc::clone(&take), Closes(Arc::clone(&open)));
            // without a thread, the connection is closed
            let _ = thread::Builder::new().stack_size(STACK).spawn(move || {
                converse(stream, &*take);
                drop(closes);
            });
        }
    }

    /// Counts a connection as closed, however its thread ends.
    struct Closes(Arc<AtomicUsize>);

    impl Drop for Closes {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// A client that is slow, or sends nothing or too much, gets no answer.
    fn converse(stream: UnixStream, take: &dyn Fn(Asked)) {
        let Ok(request) = received(&stream, (LONGEST_REQUEST, Some(b'\n')), CLIENT_WITHIN) else { return };
        if request.is_empty() {
            return;
        }
        let (to, from) = sync_channel(1);
        let (_closes, closed) = sync_channel(0);
        let stream = Arc::new(stream);
        take(Asked { request, peer: process(&stream), stream: Arc::clone(&stream), to, closed });
        if let Ok(answer) = from.recv() {
            let _ = stream.set_write_timeout(Some(CLIENT_WITHIN));
            let _ = (&*stream).write_all(&answer);
        }
    }

    /// ``process 17 (`ssh`)``.
    fn process(stream: &UnixStream) -> String {
        let Some(id) = users::process_of_peer(stream) else { return "a process of yours".to_owned() };
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        match name.trim() {
            "" => format!("process {id}"),
            name => format!("process {id} (`{}`)", super::safe(name)),
        }
    }

    /// Sends a request and reads the answer to its end, if this user or root listens. `within`: for
    /// all of it.
    pub fn ask(
        path: &Path,
        request: &[u8],
        (limit, within): (usize, Duration),
    ) -> Result<Zeroizing<Vec<u8>>, NotAnswered> {
        let until = Instant::now() + within;
        let left = || until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let mut stream = connected(path, within).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock => NotAnswered::TooLate(within.as_secs()),
            _ => NotAnswered::Nobody(e),
        })?;
        let user = users::of_peer(&stream).map_err(NotAnswered::Nobody)?;
        if !users::is_own_or_root(user) {
            return Err(NotAnswered::Foreign { user });
        }
        let told = |e: io::Error| match e.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => NotAnswered::TooLate(within.as_secs()),
            io::ErrorKind::FileTooLarge => NotAnswered::TooLong,
            _ => NotAnswered::Broken(e),
        };
        stream.set_write_timeout(Some(left())).and_then(|()| stream.write_all(request)).map_err(told)?;
        let answer = received(&stream, (limit, None), left()).map_err(told)?;
        if answer.is_empty() { Err(NotAnswered::Closed) } else { Ok(answer) }
    }

    /// Connects, and waits no longer than `within` for a server that accepts nobody.
    fn connected(path: &Path, within: Duration) -> io::Result<UnixStream> {
        let stream = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        fcntl_setfd(&stream, FdFlags::CLOEXEC)?;
        set_socket_timeout(&stream, Timeout::Send, Some(within))?;
        connect(&stream, &SocketAddrUnix::new(path)?)?;
        Ok(stream.into())
    }

    /// Reads to a byte, or to the end.
    fn received(
        mut stream: &UnixStream,
        (limit, end): (usize, Option<u8>),
        within: Duration,
    ) -> io::Result<Zeroizing<Vec<u8>>> {
        let until = Instant::now() + within;
        let mut all = Zeroizing::new(Vec::new());
        let mut part = Zeroizing::new([0; 4096]);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            let got = match stream.read(&mut *part) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                got => got?,
            };
            // a longer one than its capacity would leave an unwiped copy behind
            if all.len() + got > all.capacity() {
                let mut longer = Zeroizing::new(Vec::with_capacity(2 * (all.len() + got)));
                longer.extend_from_slice(&all);
                all = longer;
            }
            all.extend_from_slice(&part[..got]);
            if got == 0 || (end.is_some() && all.last() == end.as_ref()) {
                return Ok(all);
            }
            if all.len() > limit {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    const SHORT: Duration = Duration::from_millis(300);

    /// What becomes of a request to a server that does this to it, and how long that takes.
    fn asked(serve: fn(UnixListener)) -> (Result<Vec<u8>, NotAnswered>, Duration) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || serve(listener));
        let start = Instant::now();
        (ask(&path, b"?\n", (100, SHORT)).map(|answer| answer.to_vec()), start.elapsed())
    }

    #[test]
    fn a_server_that_says_nothing_or_little_is_waited_for_once() {
        let silent: fn(UnixListener) = |listener| {
            let _held = listener.accept().unwrap();
            thread::sleep(20 * SHORT);
        };
        let slow: fn(UnixListener) = |listener| {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b" ").is_ok() {
                thread::sleep(SHORT / 5);
            }
        };
        for serve in [silent, slow] {
            let (answer, time) = asked(serve);
            assert!(matches!(answer, Err(NotAnswered::TooLate(_))), "{answer:?}");
            assert!((SHORT..10 * SHORT).contains(&time), "{time:?}");
        }
    }

    #[test]
    fn a_server_that_accepts_nobody_is_waited_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _listener = rustix_listener(&path);
        let waits = || ask(&path, b"?\n", (100, SHORT)).unwrap_err();
        let start = Instant::now();
        let all: Vec<NotAnswered> = thread::scope(|s| {
            (0..3).map(|_| s.spawn(waits)).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(all.iter().all(|e| matches!(e, NotAnswered::TooLate(_) | NotAnswered::Nobody(_))), "{all:?}");
        assert!(start.elapsed() < 10 * SHORT);
    }

    /// A socket with the shortest queue, from which nobody takes a connection.
    fn rustix_listener(path: &std::path::Path) -> impl Sized {
        use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
        listen(&socket, 0).unwrap();
        socket
    }

    #[test]
    fn a_closed_connection_and_an_endless_answer_are_told_apart() {
        let (closed, _) = asked(|listener| {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 9]);
        });
        assert!(matches!(closed, Err(NotAnswered::Closed)), "{closed:?}");
        let (endless, _) = asked(|listener| {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 9]);
            while stream.write_all(&[b'x'; 99]).is_ok() {}
        });
        assert!(matches!(endless, Err(NotAnswered::TooLong)), "{endless:?}");
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    use zeroize::Zeroizing;

    use super::{NotAnswered, NotServed};

    pub struct Asked {
        pub request: Zeroizing<Vec<u8>>,
        pub peer: String,
    }

    impl Asked {
        pub fn waits(&self) -> bool {
            false
        }

        pub fn answer(self, _answer: Zeroizing<Vec<u8>>) {}
    }

    pub struct Serving;

    pub fn serve(path: &Path, _take: impl Fn(Asked) + Send + Sync + 'static) -> Result<Serving, NotServed> {
        Err(NotServed::Failed(path.to_owned(), unsupported()))
    }

    pub fn ask(_path: &Path, _request: &[u8], _most: (usize, Duration)) -> Result<Zeroizing<Vec<u8>>, NotAnswered> {
        Err(NotAnswered::Nobody(unsupported()))
    }

    fn unsupported() -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, "on Windows no socket tells whose it is")
    }
}
