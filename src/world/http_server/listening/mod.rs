//! Binds ports, on loopback or behind a forwarder, and proves that each is reached at its own
//! address. The wait for connections can be ended without the network, since loopback itself may be
//! down.

pub mod peer;
pub mod port_owner;
pub mod wake;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long a listener may take to be reached at its own address.
const REACHED_WITHIN: Duration = Duration::from_secs(1);

/// Free ports tried until one is free on both addresses of `localhost`.
const PAIR_TRIES: usize = 16;

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// `holder` is empty or begins with a space.
    #[error("port {port} is taken{holder}")]
    PortTaken { port: u16, holder: String },
    #[error("the system reserves port {0}")]
    Reserved(u16),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NoneFree(Vec<ListenError>),
    /// The port is bound, but connections to it fail: loopback is down or blocked.
    #[error("this machine can't be reached at its own address {address}: {source}")]
    Unreachable { address: IpAddr, source: io::Error },
    #[error("this machine does not have the address {0}")]
    NotHere(IpAddr),
    #[error("can't listen on loopback: {0}")]
    Failed(#[from] io::Error),
}

/// Scheme, host, port and path of the redirect address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: Host,
    /// The ports to try in turn; empty: any free port.
    pub ports: Vec<u16>,
    /// Serve TLS with a certificate made for this listener.
    pub tls: bool,
    /// Bind this address in its place: a forwarder brings the browser here. Port 0: the same ports.
    pub bind: Option<SocketAddr>,
}

/// The name of this machine in the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `127.0.0.1`, or `[::1]` where there is no IPv4.
    Literal,
    V6,
    /// The name `localhost`: both addresses are bound, on the same port.
    Localhost,
}

/// Bound and reachable ports that don't serve yet.
pub struct Bound {
    /// At least one; non-blocking.
    pub listeners: Vec<TcpListener>,
    /// The first listener's address; the forwarder's, which the browser knows.
    pub address: SocketAddr,
    /// Connections accepted already.
    pub early: Vec<TcpStream>,
}

/// Binds, and checks that each listener is reached at its own address.
pub fn bind(address: &Address) -> Result<Bound, ListenError> {
    let listeners = bind_any(address)?;
    let mut early = Vec::new();
    for listener in &listeners {
        listener.set_nonblocking(true)?;
        let mut own = listener.local_addr()?;
        if own.ip().is_unspecified() {
            own.set_ip(loopback(own.is_ipv6()));
        }
        early.extend(reached(listener, own)?);
    }
    let mut known = listeners[0].local_addr()?;
    if let Some(bind) = address.bind {
        let forwarded = address.ports.first().filter(|_| bind.port() != 0);
        known = SocketAddr::new(loopback(address.host == Host::V6), *forwarded.unwrap_or(&known.port()));
    }
    Ok(Bound { listeners, address: known, early })
}

fn loopback(v6: bool) -> IpAddr {
    if v6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() }
}

/// Binds the first free port; at least one listener.
fn bind_any(address: &Address) -> Result<Vec<TcpListener>, ListenError> {
    let only = address.bind.map(|bind| bind.port()).filter(|port| *port != 0);
    let ports = only.map_or_else(|| address.ports.clone(), |port| vec![port]);
    if ports.is_empty() {
        return bind_free(address);
    }
    let mut refused = Vec::new();
    for port in &ports {
        match bind_one(address, *port) {
            Ok(listeners) => return Ok(listeners),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                refused.push(ListenError::PortTaken { port: *port, holder: port_owner::of(*port) });
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => refused.push(ListenError::Reserved(*port)),
            Err(error) => return Err(failed(address, error)),
        }
    }
    Err(if refused.len() == 1 { refused.remove(0) } else { ListenError::NoneFree(refused) })
}

fn failed(address: &Address, error: io::Error) -> ListenError {
    match address.bind.filter(|_| error.kind() == io::ErrorKind::AddrNotAvailable) {
        Some(bind) => ListenError::NotHere(bind.ip()),
        None => error.into(),
    }
}

fn bind_free(address: &Address) -> Result<Vec<TcpListener>, ListenError> {
    let mut bound = bind_one(address, 0);
    for _ in 1..PAIR_TRIES {
        // free on one address of `localhost`, taken on the other
        if bound.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) {
            bound = bind_one(address, 0);
        }
    }
    bound.map_err(|error| failed(address, error))
}

/// Port 0: any. On Unix the standard library sets `SO_REUSEADDR`: a port in `TIME_WAIT` can be
/// bound at once. A port that another process listens on can't (Linux), or only under a wider
/// address, which then gets none of our connections (BSD).
fn bind_one(&Address { host, bind, .. }: &Address, port: u16) -> io::Result<Vec<TcpListener>> {
    if let Some(bind) = bind {
        return Ok(vec![listen(SocketAddr::new(bind.ip(), port))?]);
    }
    let v6 = |port| SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let if_possible = |address| match listen(address) {
        Err(error) if no_such_family(&error) => Ok(None),
        other => other.map(Some),
    };
    let first = if host == Host::V6 { None } else { if_possible((Ipv4Addr::LOCALHOST, port).into())? };
    let Some(first) = first else { return Ok(vec![listen(v6(port))?]) };
    let port = first.local_addr()?.port();
    let second = if host == Host::Localhost { if_possible(v6(port))? } else { None };
    Ok(std::iter::once(first).chain(second).collect())
}

fn no_such_family(error: &io::Error) -> bool {
    #[cfg(unix)]
    if matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT)) {
        return true;
    }
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
}

/// Binds one socket.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the room that listens; every address is loopback, but for `login --listen`"
)]
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// Proves that connections to the address reach this listener: connects, and looks for its own port
/// among the accepted connections. Another process that holds the port under the same or a wider
/// address would get the connection instead. The listener must not block. Other accepted
/// connections are returned, to be served.
pub fn reached(listener: &TcpListener, address: SocketAddr) -> Result<Vec<TcpStream>, ListenError> {
    let until = Instant::now() + REACHED_WITHIN;
    let unreachable = |source| ListenError::Unreachable { address: address.ip(), source };
    let probe = TcpStream::connect_timeout(&address, REACHED_WITHIN).map_err(unreachable)?;
    let own = probe.local_addr()?;
    let mut others = Vec::new();
    loop {
        match listener.accept() {
            Ok((_, from)) if from == own => return Ok(others),
            Ok((other, _)) => others.push(other),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(ListenError::PortTaken { port: address.port(), holder: port_owner::of(address.port()) });
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // L-39
    #[test]
    fn a_listener_that_is_not_the_one_reached_is_noticed() {
        let foreign = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let own = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        own.set_nonblocking(true).expect("nonblocking");
        let where_foreign = foreign.local_addr().expect("its address");
        match reached(&own, where_foreign) {
            Err(ListenError::PortTaken { port, holder }) => {
                assert_eq!(port, where_foreign.port());
                if cfg!(target_os = "linux") {
                    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
                }
            }
            other => panic!("{other:?}"),
        }
        let noise = TcpStream::connect(own.local_addr().expect("its address")).expect("connected");
        let others = reached(&own, own.local_addr().expect("its address")).expect("reached");
        assert_eq!(others.len(), 1, "what came meanwhile is kept");
        assert_eq!(others[0].peer_addr().ok(), noise.local_addr().ok());
    }
}
