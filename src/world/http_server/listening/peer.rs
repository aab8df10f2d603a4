//! Finds the user of the process at the other end of a loopback connection. Every user of a machine
//! reaches every port of its loopback. On Linux the kernel knows the user (tables of proc(5));
//! other systems are not asked.

/// A client of another user, or of an unknown one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// A process of this user id.
    User(u32),
    /// The client has closed, so its user is unknown. A browser waits for its response.
    Gone,
}

pub use system::stranger;
#[cfg(target_os = "linux")]
pub(super) use system::{Line, sockets};

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io::{BufRead as _, BufReader};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
    use std::os::fd::AsRawFd as _;

    use super::Stranger;
    use crate::world::users;

    /// The state of an established socket.
    const ESTABLISHED: u8 = 1;

    /// A table that changes while it is read may lack a line.
    const READINGS: usize = 3;

    /// The used fields of a line of `/proc/net/tcp`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Line {
        pub user: u32,
        /// 0: no process holds the socket any more, and the kernel doesn't tell the user.
        pub inode: u64,
    }

    /// The client's user, if it is known to be none of: this process's user, root, the user who
    /// logged in and became this user (`su`, `sudo`). A client that the kernel doesn't know is
    /// accepted: the forwarder of a container or of WSL.
    pub fn stranger(socket: &TcpStream) -> Option<Stranger> {
        let (Ok(here), Ok(there)) = (socket.local_addr(), socket.peer_addr()) else { return Some(Stranger::Gone) };
        for _ in 0..READINGS {
            if let Some(line) = find(there, here) {
                return judge(&line);
            }
        }
        (state(socket) != ESTABLISHED).then_some(Stranger::Gone)
    }

    /// The first byte of the kernel's connection state.
    fn state(socket: &TcpStream) -> u8 {
        let mut state = ESTABLISHED;
        let mut length: libc::socklen_t = 1;
        // SAFETY: at most one byte is written, to a live variable
        unsafe {
            let to = (&raw mut state).cast();
            libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, to, &raw mut length)
        };
        state
    }

    fn judge(line: &Line) -> Option<Stranger> {
        let Line { user, inode } = *line;
        if inode == 0 {
            return Some(Stranger::Gone);
        }
        let may = users::is_own_or_root(user) || users::logged_in() == Some(user) || users::is_unnamed(user);
        (!may).then_some(Stranger::User(user))
    }

    /// The socket with these two ends. An IPv6 socket that speaks IPv4 is in the other table.
    fn find(local: SocketAddr, remote: SocketAddr) -> Option<Line> {
        sockets().find(|(a, b, _)| same(*a, local) && same(*b, remote)).map(|(_, _, line)| line)
    }

    /// All TCP sockets of this machine: the local end, the remote end, and more.
    pub fn sockets() -> impl Iterator<Item = (SocketAddr, SocketAddr, Line)> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter();
        let lines = tables.filter_map(|table| File::open(table).ok()).flat_map(|file| {
            // the table is ASCII: an error is its end
            BufReader::with_capacity(1 << 16, file).lines().map_while(Result::ok)
        });
        lines.filter_map(|line| read(&line))
    }

    fn same(a: SocketAddr, b: SocketAddr) -> bool {
        a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
    }

    pub(super) fn read(line: &str) -> Option<(SocketAddr, SocketAddr, Line)> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, remote) = (end(fields.next()?)?, end(fields.next()?)?);
        let user = fields.nth(4)?.parse().ok()?;
        let inode = fields.nth(1)?.parse().ok()?;
        Some((local, remote, Line { user, inode }))
    }

    /// `0100007F:1F90`: the address in 32-bit words in this machine's byte order, and the port.
    fn end(text: &str) -> Option<SocketAddr> {
        let (address, port) = text.split_once(':')?;
        let words = address.as_bytes().chunks(8).map(|word| {
            let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
            Some(word.to_ne_bytes())
        });
        let bytes = words.collect::<Option<Vec<[u8; 4]>>>()?.concat();
        let address = match <[u8; 4]>::try_from(&bytes[..]) {
            Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
            Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[..]).ok()?)),
        };
        Some(SocketAddr::new(address, u16::from_str_radix(port, 16).ok()?))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub fn stranger(_socket: &std::net::TcpStream) -> Option<super::Stranger> {
        None
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};

    use super::super::listen;
    use super::*;
    use crate::world::users;

    /// The result of a connection by another thread as that user: only root can change user.
    fn called(
        host: IpAddr,
        user: Option<u32>,
        act: impl FnOnce(TcpStream) -> Option<TcpStream> + Send + 'static,
    ) -> Option<Stranger> {
        let listener = listen(SocketAddr::new(host, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let caller = std::thread::spawn(move || {
            if let Some(user) = user {
                // SAFETY: plain system call, for this thread alone, which ends after it
                unsafe { libc::syscall(libc::SYS_setresuid, -1, user, -1) };
            }
            act(TcpStream::connect(address).expect("connected"))
        });
        let held = caller.join().expect("it called");
        let (socket, _) = listener.accept().expect("accepted");
        let found = stranger(&socket);
        drop(held);
        found
    }

    // N-03
    #[test]
    fn another_users_call_is_known_for_what_it_is() {
        let families = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        for host in families {
            assert_eq!(called(host, None, Some), None, "our own");
            assert_eq!(
                called(host, None, |s| s.shutdown(Shutdown::Write).map(|()| s).ok()),
                None,
                "it said all it has"
            );
            assert_eq!(called(host, None, |_| None), Some(Stranger::Gone), "closed");
            let resets = |socket: TcpStream| {
                rustix::net::sockopt::set_socket_linger(&socket, Some(std::time::Duration::ZERO)).expect("set");
                None
            };
            assert_eq!(called(host, None, resets), Some(Stranger::Gone), "reset");
            if users::own() == 0 {
                assert_eq!(called(host, Some(65534), Some), Some(Stranger::User(65534)));
                assert_eq!(called(host, Some(65534), |_| None), Some(Stranger::Gone));
            }
        }
    }

    #[test]
    fn both_tables_are_read() {
        let line =
            "   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100";
        let (local, remote, found) = system::read(line).expect("a line");
        assert_eq!(
            (local.to_string(), remote.to_string()),
            ("127.0.0.1:8080".to_owned(), "127.0.0.1:54321".to_owned())
        );
        assert_eq!(found, system::Line { user: 1000, inode: 4712 });
        let line =
            "   0: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000001000000:0016 06 0:0 0:0 0  7 0 0 1";
        let (local, remote, _) = system::read(line).expect("a line");
        assert_eq!(
            (local.to_string(), remote.to_string()),
            ("[::ffff:127.0.0.1]:8080".to_owned(), "[::1]:22".to_owned())
        );
        for line in [
            "",
            "  sl  local_address rem_address   st tx_queue rx_queue",
            "0: 0:1 0:1 01",
            "0: zz:1 0:1 01 0 0 0 1 0 1",
        ] {
            assert_eq!(system::read(line), None, "{line}");
        }
    }
}
