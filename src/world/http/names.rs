//! The system's name look-up, each in its own thread: it may take half a minute, but the wait is
//! limited by the exchange's deadline. If no thread can be started, that is the error.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

/// The system's resolver.
pub struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // whatever the hosts file or a resolver says, this name is this machine (RFC 6761)
            if name.as_str() == "localhost" || name.as_str().ends_with(".localhost") {
                let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
                return Ok(Box::new(loopback.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs);
            }
            let (to, found) = oneshot::channel();
            let look_up = move || {
                // the connector sets the port
                let _ = to.send((name.as_str(), 0).to_socket_addrs());
            };
            thread::Builder::new().name("names".to_owned()).spawn(look_up)?;
            let addresses =
                found.await.map_err(|_| io::Error::other("the look-up of the name ended unexpectedly"))??;
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
