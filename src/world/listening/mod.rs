//! What both listeners on loopback stand on: the one that catches a redirect ([`super::loopback`]) and the practice server
//! ([`super::serve`]). A port is bound, proved to be reached at its own address, and waited at by a sleep that ends without the
//! network: loopback itself may be down.

pub mod holder;
pub mod peer;
pub mod wake;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long a listener may take to be reached at its own address.
const REACHED_WITHIN: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// `holder` is empty or begins with a space.
    #[error("port {port} is taken{holder}")]
    PortTaken { port: u16, holder: String },
    #[error("port {0} is reserved for the system's administrator")]
    Reserved(u16),
    /// Bound, and nobody can come: loopback is down, or something forbids it.
    #[error("this machine can't be reached at its own address {address}: {why}")]
    Unreachable { address: std::net::IpAddr, why: String },
    #[error("can't listen on loopback: {0}")]
    Failed(String),
}

pub fn failed(error: io::Error) -> ListenError {
    ListenError::Failed(error.to_string())
}

#[expect(clippy::disallowed_methods, reason = "this is the room that listens; every caller's address is loopback")]
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// Proves that whoever connects to the address reaches this listener and no other: connects, and looks for that very connection,
/// by its own port, among those accepted. Another process that holds the same port under a wider or the same address would have
/// it instead. The listener must not block. Others that came meanwhile are handed back to be served.
pub fn reached(listener: &TcpListener, address: SocketAddr) -> Result<Vec<TcpStream>, ListenError> {
    let until = Instant::now() + REACHED_WITHIN;
    let unreachable = |why: io::Error| ListenError::Unreachable { address: address.ip(), why: why.to_string() };
    let probe = TcpStream::connect_timeout(&address, REACHED_WITHIN).map_err(unreachable)?;
    let own = probe.local_addr().map_err(failed)?;
    let mut others = Vec::new();
    loop {
        match listener.accept() {
            Ok((_, from)) if from == own => return Ok(others),
            Ok((other, _)) => others.push(other),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(ListenError::PortTaken { port: address.port(), holder: holder::of(address.port()) });
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

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
