//! A minimal D-Bus client over the standard library: addresses, the handshake, calls and their
//! replies, and a deadline for every wait.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use zeroize::Zeroizing;

use super::super::users;
use super::values::{Body, Reader, read_u32};
use crate::secret::hex;

/// A longer message is refused.
const LONGEST_MESSAGE: usize = 8 << 20;

/// All bytes accepted from one connection, so that the bus can't flood the program.
const MOST_HEARD: usize = 2 * LONGEST_MESSAGE;

/// Unread messages; a handful of calls has no more replies.
const MOST_EARLY: usize = 64;

const RETURN: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

/// The address of a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Path(Vec<u8>),
    /// A name outside the file system (Linux).
    Abstract(Vec<u8>),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, bytes) = match self {
            Address::Path(path) => ("path", path),
            Address::Abstract(name) => ("abstract", name),
        };
        write!(f, "unix:{kind}={}", String::from_utf8_lossy(bytes))
    }
}

/// The supported addresses in a `DBUS_SESSION_BUS_ADDRESS`, in order; `runtime_dir` replaces
/// `unix:runtime=yes`. (D-Bus Specification, "Server Addresses".)
pub fn addresses(list: &[u8], runtime_dir: Option<&[u8]>) -> Vec<Address> {
    let mut found = Vec::new();
    for address in list.split(|b| *b == b';') {
        let Some(pairs) = address.strip_prefix(b"unix:") else { continue };
        for pair in pairs.split(|b| *b == b',') {
            let Some(equals) = pair.iter().position(|b| *b == b'=') else { continue };
            let Some(value) = unescape(&pair[equals + 1..]) else { continue };
            match &pair[..equals] {
                b"path" => found.push(Address::Path(value)),
                b"abstract" => found.push(Address::Abstract(value)),
                b"runtime" if value == b"yes" => {
                    found.extend(runtime_dir.map(|dir| Address::Path([dir, b"/bus"].concat())));
                }
                _ => {}
            }
        }
    }
    found
}

fn unescape(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(after.get(..2)?).ok()?;
            out.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &after[2..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    Some(out)
}

/// Why a call has no reply.
#[derive(Debug)]
pub enum Failure {
    /// No address has a listener; the last address and its error.
    NoBus(String, String),
    /// Another user listens there: the address and the user id.
    Foreign(String, u32),
    TimedOut,
    /// The reply was an error: its name and its text.
    Refused(String, String),
    /// The bus sent something invalid, or closed the connection.
    Broken(String),
}

/// A method call.
pub struct Call<'a> {
    pub destination: &'a str,
    pub path: &'a str,
    pub interface: &'a str,
    pub member: &'a str,
    /// The signature of `body`, empty for none.
    pub signature: &'a str,
    pub body: Body,
}

/// The normal wait of a process for the CPU, and a little more.
const NOTHING_UNUSUAL: Duration = Duration::from_millis(100);

/// A deadline is extended by at most twice this.
const LONGEST_UNSERVED: Duration = Duration::from_secs(5);

/// A connection to a message bus, for a handful of calls until its deadline.
pub struct Bus {
    stream: UnixStream,
    deadline: Instant,
    /// Whether the deadline has been extended. This happens at most once: see [`unserved`].
    put_off: bool,
    serial: u32,
    heard: usize,
    /// Read, but not parsed yet.
    input: Zeroizing<Vec<u8>>,
    /// Written at the next wait, so that independent calls share a round trip.
    output: Zeroizing<Vec<u8>>,
    /// Replies that came before their wait, and signals while they are listened for.
    early: Vec<Message>,
    listens: bool,
    /// The serial of the hello, which is answered first; `None` once answered.
    hello: Option<u32>,
}

#[derive(Default)]
struct Message {
    kind: u8,
    reply_to: u32,
    error: String,
    path: String,
    member: String,
    signature: String,
    little: bool,
    body: Zeroizing<Vec<u8>>,
}

impl Bus {
    /// Connects to the first address that answers. The handshake, the hello and the first calls are
    /// sent together; the replies to the first two are checked with the first reply.
    pub fn connect(addresses: &[Address], deadline: Instant) -> Result<Bus, Failure> {
        let mut last = ("".to_owned(), "it has no address".to_owned());
        for address in addresses {
            match open_socket(address, deadline) {
                Ok(stream) => {
                    // another user's bus would read every record, and could return forged ones
                    match users::of_peer(&stream) {
                        Ok(user) if users::is_own_or_root(user) => {}
                        Ok(user) => return Err(Failure::Foreign(address.to_string(), user)),
                        Err(e) => {
                            return Err(Failure::Broken(format!("the session bus does not say whose it is: {e}")));
                        }
                    }
                    let mut bus = Bus {
                        stream,
                        deadline,
                        put_off: false,
                        serial: 0,
                        heard: 0,
                        input: Zeroizing::default(),
                        output: Zeroizing::default(),
                        early: Vec::new(),
                        listens: false,
                        hello: None,
                    };
                    bus.greet();
                    return Ok(bus);
                }
                Err(e) if is_timeout(&e) => return Err(Failure::TimedOut),
                Err(e) => last = (address.to_string(), e.to_string()),
            }
        }
        Err(Failure::NoBus(last.0, last.1))
    }

    fn greet(&mut self) {
        let hex = hex(users::own().to_string().as_bytes());
        self.output.extend_from_slice(format!("\0AUTH EXTERNAL {hex}\r\nBEGIN\r\n").as_bytes());
        self.hello = Some(self.send_to_bus("Hello", "", Body::new()));
    }

    fn send_to_bus(&mut self, member: &str, signature: &str, body: Body) -> u32 {
        let (destination, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
        self.send(&Call { destination, path, interface: destination, member, signature, body })
    }

    /// Reads the replies to the handshake and the hello.
    fn greeted(&mut self) -> Result<(), Failure> {
        let Some(hello) = self.hello.take() else { return Ok(()) };
        let line = loop {
            if let Some(end) = self.input.windows(2).position(|w| w == b"\r\n") {
                let line = String::from_utf8_lossy(&self.input[..end]).into_owned();
                self.input.drain(..end + 2);
                break line;
            }
            if self.input.len() > 4096 {
                return Err(Failure::Broken("the session bus does not speak D-Bus".to_owned()));
            }
            self.fill()?;
        };
        if !line.starts_with("OK") {
            return Err(Failure::Broken(format!("the session bus refuses this user: {line}")));
        }
        self.wait(hello).map(drop)
    }

    /// Queues a call; [`Bus::wait`] sends it.
    pub fn send(&mut self, call: &Call<'_>) -> u32 {
        self.serial += 1;
        let mut head = Body::new();
        // little endian, method call, no flags, protocol version 1
        head.bytes(&[b'l', 1, 0, 1]);
        head.u32(call.body.written().len() as u32);
        head.u32(self.serial);
        let fields = head.open_array(8);
        for (code, kind, value) in [
            (1u8, "o", call.path),
            (2, "s", call.interface),
            (3, "s", call.member),
            (6, "s", call.destination),
            (8, "g", call.signature),
        ] {
            if value.is_empty() {
                continue;
            }
            head.align(8);
            head.bytes(&[code]);
            head.signature(kind);
            if kind == "g" { head.signature(value) } else { head.string(value) }
        }
        head.close_array(fields, 8);
        head.align(8);
        self.output.extend_from_slice(head.written());
        self.output.extend_from_slice(call.body.written());
        self.serial
    }

    /// Waits for the reply to a call.
    pub fn wait(&mut self, serial: u32) -> Result<Answer, Failure> {
        let message = self.take(|m| matches!(m.kind, RETURN | ERROR) && m.reply_to == serial)?;
        if message.kind == ERROR {
            let text = Reader::new(&message.body, message.little).string().unwrap_or_default();
            return Err(Failure::Refused(message.error, text));
        }
        Ok(Answer(message))
    }

    /// Subscribes to the signals of one object; [`Bus::wait_for_signal`] takes them.
    pub fn listen(&mut self, path: &str) -> Result<(), Failure> {
        let mut body = Body::new();
        body.string(&format!("type='signal',path='{path}'"));
        let serial = self.send_to_bus("AddMatch", "s", body);
        self.listens = true;
        self.wait(serial).map(drop)
    }

    /// Waits for a signal of an object.
    pub fn wait_for_signal(&mut self, path: &str, member: &str) -> Result<Answer, Failure> {
        self.take(|m| m.kind == SIGNAL && m.path == path && m.member == member).map(Answer)
    }

    fn take(&mut self, wanted: impl Fn(&Message) -> bool) -> Result<Message, Failure> {
        self.flush()?;
        self.greeted()?;
        loop {
            if let Some(at) = self.early.iter().position(&wanted) {
                return Ok(self.early.swap_remove(at));
            }
            let message = self.receive()?;
            // calls to us and signals such as `NameAcquired` are ignored
            if matches!(message.kind, RETURN | ERROR) || (self.listens && message.kind == SIGNAL) {
                if self.early.len() == MOST_EARLY {
                    return Err(flooded());
                }
                self.early.push(message);
            }
        }
    }

    fn receive(&mut self) -> Result<Message, Failure> {
        let broken = || Failure::Broken("the session bus sent something that is not D-Bus".to_owned());
        while self.input.len() < 16 {
            self.fill()?;
        }
        let little = match self.input[0] {
            b'l' => true,
            b'B' => false,
            _ => return Err(broken()),
        };
        let number = |at: usize| read_u32(&self.input, at, little).unwrap_or(u32::MAX) as usize;
        let (body_len, fields_len) = (number(4), number(12));
        if body_len > LONGEST_MESSAGE || fields_len > LONGEST_MESSAGE {
            return Err(broken());
        }
        let body_at = (16 + fields_len).next_multiple_of(8);
        let end = body_at + body_len;
        while self.input.len() < end {
            self.fill()?;
        }
        let mut message = Message {
            kind: self.input[1],
            little,
            body: Zeroizing::new(self.input[body_at..end].to_vec()),
            ..Message::default()
        };
        let mut fields = Reader::from(&self.input[..16 + fields_len], 16, little);
        while !fields.is_at_end() {
            header_field(&mut fields, &mut message).ok_or_else(broken)?;
        }
        self.input.drain(..end);
        Ok(message)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let mut sent = 0;
        while sent < self.output.len() {
            let left = self.left()?;
            self.stream.set_write_timeout(Some(left)).map_err(lost)?;
            match self.stream.write(&self.output[sent..]) {
                Ok(n) => sent += n,
                // `left` checks the deadline
                Err(e) if e.kind() == ErrorKind::Interrupted || is_timeout(&e) => {}
                Err(e) => return Err(lost(e)),
            }
        }
        self.output.clear();
        Ok(())
    }

    /// Sends the queued calls without waiting, even past the deadline.
    pub fn send_off(&mut self) {
        if self.stream.set_nonblocking(true).is_ok() {
            // a full socket buffer means that the bus doesn't read
            let _ = self.stream.write(&self.output);
        }
        self.output.clear();
    }

    fn fill(&mut self) -> Result<(), Failure> {
        let mut chunk = Zeroizing::new([0u8; 4096]);
        loop {
            let left = self.left()?;
            self.stream.set_read_timeout(Some(left)).map_err(lost)?;
            match self.stream.read(&mut *chunk) {
                Ok(0) => return Err(Failure::Broken("the session bus closed the connection".to_owned())),
                Ok(n) => {
                    self.heard += n;
                    if self.heard > MOST_HEARD {
                        return Err(flooded());
                    }
                    self.input.extend_from_slice(&chunk[..n]);
                    return Ok(());
                }
                Err(e) if e.kind() == ErrorKind::Interrupted || is_timeout(&e) => {}
                Err(e) => return Err(lost(e)),
            }
        }
    }

    fn left(&mut self) -> Result<Duration, Failure> {
        let mut left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() && !self.put_off {
            self.put_off = true;
            left = 2 * unserved();
            self.deadline = Instant::now() + left;
        }
        if left.is_zero() { Err(Failure::TimedOut) } else { Ok(left) }
    }
}

/// How long this thread was ready to run and waited for the CPU, up to [`LONGEST_UNSERVED`]. If a
/// thousand processes start at once, bus and keychain are as starved as this one.
fn unserved() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    unserved_in(&told).min(LONGEST_UNSERVED)
}

/// The second of `schedstat`'s three numbers, in nanoseconds; a millisecond or two is normal.
fn unserved_in(told: &str) -> Duration {
    let nanoseconds = told.split_ascii_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    Some(Duration::from_nanos(nanoseconds)).filter(|time| *time >= NOTHING_UNUSUAL).unwrap_or_default()
}

fn is_timeout(e: &std::io::Error) -> bool {
    // a blocking connect to a full backlog ends with EAGAIN when its time is over
    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn lost(e: std::io::Error) -> Failure {
    if is_timeout(&e) { Failure::TimedOut } else { Failure::Broken(format!("the session bus went away: {e}")) }
}

fn flooded() -> Failure {
    Failure::Broken("the session bus says more than anybody asked for".to_owned())
}

/// Connects with a timeout: the standard library waits forever if a frozen bus's backlog is full.
fn open_socket(address: &Address, deadline: Instant) -> std::io::Result<UnixStream> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    let to = match address {
        Address::Path(name) | Address::Abstract(name) if name.is_empty() || name.contains(&0) => Err(Errno::INVAL),
        Address::Path(path) => SocketAddrUnix::new(path.as_slice()),
        #[cfg(target_os = "linux")]
        Address::Abstract(name) => SocketAddrUnix::new_abstract_name(name),
        #[cfg(not(target_os = "linux"))]
        Address::Abstract(_) => Err(Errno::INVAL),
    }?;
    let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let stream = UnixStream::from(socket);
    stream.set_write_timeout(Some(left))?;
    net::connect(&stream, &to)?;
    Ok(stream)
}

/// The values of a reply or a signal.
pub struct Answer(Message);

impl Answer {
    /// Its values, if they have these types.
    pub fn read(&self, signature: &str) -> Result<Reader<'_>, Failure> {
        if self.0.signature == signature { Ok(Reader::new(&self.0.body, self.0.little)) } else { Err(odd()) }
    }

    /// Its only value, a variant, if the variant holds this type.
    pub fn variant(&self, kind: &str) -> Result<Reader<'_>, Failure> {
        let mut values = self.read("v")?;
        if values.signature().as_deref() == Some(kind) { Ok(values) } else { Err(odd()) }
    }
}

/// The failure for a reply with unexpected values.
pub fn odd() -> Failure {
    Failure::Broken("the answer is not what the Secret Service's description says".to_owned())
}

/// Parses one field of a message's head, and notes the ones used here.
fn header_field(values: &mut Reader<'_>, message: &mut Message) -> Option<()> {
    values.align(8);
    let code = values.take(1)?[0];
    let kind = values.signature()?;
    let (mut text, mut number) = (String::new(), 0);
    match kind.as_str() {
        "s" | "o" => text = values.string()?,
        "g" => text = values.signature()?,
        "u" => number = values.u32()?,
        _ => return None,
    }
    match code {
        1 => message.path = text,
        3 => message.member = text,
        4 => message.error = text,
        5 => message.reply_to = number,
        8 => message.signature = text,
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_unix_addresses_out_of_a_list() {
        let path = |p: &str| Address::Path(p.into());
        for (list, expected) in [
            ("unix:path=/run/user/1/bus", vec![path("/run/user/1/bus")]),
            (
                "unix:path=/a%20b,guid=1234;unix:abstract=/tmp/dbus-x,guid=1",
                vec![path("/a b"), Address::Abstract("/tmp/dbus-x".into())],
            ),
            ("tcp:host=localhost,port=1;autolaunch:;unix:runtime=yes", vec![path("/run/user/7/bus")]),
            ("unix:tmpdir=/tmp", vec![]),
            ("unix:path=%zz;unix:path=%2;;unix:;nonsense", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(addresses(list.as_bytes(), Some(b"/run/user/7")), expected, "{list}");
        }
    }

    /// A minimal bus: reads the handshake, sends `answer`, then waits for the end.
    fn bus_that_says(answer: Vec<u8>) -> (tempfile::TempDir, Address) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bus");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
            let _ = stream.read(&mut [0; 4096]);
        });
        let path = path.to_str().unwrap().into();
        (dir, Address::Path(path))
    }

    fn connect(address: Address, time: Duration) -> Result<Answer, Failure> {
        let mut bus = Bus::connect(&[address], Instant::now() + time)?;
        let call =
            Call { destination: "a.b", path: "/", interface: "a.b", member: "C", signature: "", body: Body::new() };
        let serial = bus.send(&call);
        bus.wait(serial)
    }

    /// A listener of another user; `None` unless root, which alone can change user.
    #[cfg(target_os = "linux")]
    fn foreign_bus(name: &[u8]) -> Option<std::os::unix::net::UnixListener> {
        use std::os::linux::net::SocketAddrExt as _;
        let name = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
        let listens = std::thread::spawn(move || {
            // SAFETY: plain system call, for this thread alone, which ends after it
            unsafe { libc::syscall(libc::SYS_setresuid, -1, 65534, -1) };
            (users::own() == 65534).then(|| std::os::unix::net::UnixListener::bind_addr(&name).unwrap())
        });
        listens.join().unwrap()
    }

    // N-01
    #[cfg(target_os = "linux")]
    #[test]
    fn a_bus_of_another_user_hears_nothing() {
        let name = format!("oauthctl-test-{}", std::process::id());
        let Some(listener) = foreign_bus(name.as_bytes()) else { return };
        let address = Address::Abstract(name.into());
        // a right bus may follow in the list; the error must still name the wrong one
        let nowhere = Address::Path(b"/nonexistent/bus".to_vec());
        let addresses = [nowhere.clone(), address, nowhere];
        let got = Bus::connect(&addresses, Instant::now() + Duration::from_secs(60)).err();
        assert!(matches!(got, Some(Failure::Foreign(_, 65534))), "{got:?}");
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"");
    }

    // N-02
    #[test]
    fn a_bus_that_floods_is_left() {
        let answer = |serial: u8, body: usize| {
            let [a, b, c, d] = (body as u32).to_le_bytes();
            let head = [b'l', RETURN, 0, 1, a, b, c, d, 1, 0, 0, 0, 8, 0, 0, 0, 5, 1, b'u', 0, serial, 0, 0, 0];
            [&head[..], &vec![0; body]].concat()
        };
        let signal = [b'l', SIGNAL, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        for (name, flood) in [
            ("answers to nothing", answer(99, 0).repeat(2 * MOST_EARLY)),
            ("long answers to nothing", answer(99, LONGEST_MESSAGE / 4).repeat(9)),
            ("signals", signal.repeat(MOST_HEARD / signal.len() + 1000)),
        ] {
            let (_dir, address) = bus_that_says([b"OK 1234\r\n", &flood[..]].concat());
            let got = connect(address, Duration::from_secs(60)).err();
            assert!(matches!(&got, Some(Failure::Broken(why)) if why.contains("more than")), "{name}: {got:?}");
        }
    }

    #[test]
    fn a_bus_that_says_nothing_ends_at_the_deadline() {
        let (_dir, address) = bus_that_says(Vec::new());
        let begun = Instant::now();
        assert!(matches!(connect(address, Duration::from_millis(80)), Err(Failure::TimedOut)));
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn time_without_a_turn_is_not_the_keychains_silence() {
        for (told, milliseconds) in
            [("31000000 1234000000 7\n", 1234), ("31000000 900000 7\n", 0), ("0 0 0\n", 0), ("", 0), ("a b c", 0)]
        {
            assert_eq!(unserved_in(told), Duration::from_millis(milliseconds), "{told:?}");
        }
        assert!(unserved() <= LONGEST_UNSERVED);
    }

    #[test]
    fn a_bus_whose_queue_is_full_ends_at_the_deadline() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bus");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let address = Address::Path(path.to_str().unwrap().into());
        let mut held = Vec::new();
        let ended = (0..10_000).find_map(|_| match open_socket(&address, Instant::now() + Duration::from_millis(80)) {
            Ok(stream) => {
                held.push(stream);
                None
            }
            Err(e) => Some(e),
        });
        assert!(is_timeout(&ended.unwrap()));
    }

    #[test]
    fn what_is_not_d_bus_is_refused() {
        let said = |head: &[u8]| [b"OK 1234\r\n", head].concat();
        for (name, answer) in [
            ("another protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            ("an endless line", vec![b'x'; 5000]),
            ("a wrong first byte", said(&[b'x'; 16])),
            ("a length without end", said(&[b'l', 2, 0, 1, 255, 255, 255, 255, 1, 0, 0, 0, 255, 255, 255, 255])),
            (
                "fields that run out",
                said(&[b'l', 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 5, 1, b's', 0, 0, 0, 0, 0]),
            ),
            (
                "a type that no field has",
                said(&[b'l', 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 5, 1, b'v', 0, 0, 0, 0, 0]),
            ),
        ] {
            let (_dir, address) = bus_that_says(answer);
            let got = connect(address, Duration::from_secs(60)).err();
            assert!(matches!(got, Some(Failure::Broken(_))), "{name}: {got:?}");
        }
    }

    #[test]
    fn nobody_at_any_address_is_told_from_silence() {
        let gone = Address::Path(b"/nonexistent/bus".to_vec());
        assert!(matches!(connect(gone, Duration::from_secs(1)), Err(Failure::NoBus(_, _))));
        let long = Address::Path(vec![b'x'; 200]);
        assert!(matches!(connect(long, Duration::from_secs(1)), Err(Failure::NoBus(_, _))));
        assert!(matches!(Bus::connect(&[], Instant::now() + Duration::from_secs(1)), Err(Failure::NoBus(_, _))));
    }

    #[test]
    fn values_that_run_over_the_end_are_none() {
        let mut reader = Reader::new(&[255, 255, 255, 255, 1], true);
        assert_eq!(reader.string(), None);
        let mut reader = Reader::new(&[255, 255, 255, 127, 1, 0, 0, 0, b'/', 0], true);
        assert_eq!(reader.paths(), None);
        let mut reader = Reader::new(&[200], true);
        assert_eq!(reader.signature(), None);
    }
}
