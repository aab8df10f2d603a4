//! The system's name look-up, each in its own thread: it may take half a minute, but the wait is
//! limited by the exchange's deadline. If no thread can be started, that is the error.

use std::io;
use std::net::ToSocketAddrs as _;
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

/// The system's resolver.
pub struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
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
