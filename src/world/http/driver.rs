//! Drives the connections on the thread that waits for a response or reads one. A download is
//! decrypted on the thread that writes it, without passing each piece between threads.

use std::future::{self, Future};
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// Runs the client's futures on this thread.
pub struct Driver {
    /// `None` only during the drop.
    runtime: Option<Runtime>,
    /// Whether the keeper thread runs.
    keeper: OnceLock<bool>,
}

impl Driver {
    /// A thread that runs requests.
    pub fn new() -> io::Result<Driver> {
        Ok(Driver { runtime: Some(Builder::new_current_thread().enable_all().build()?), keeper: OnceLock::new() })
    }

    /// Runs the future; meanwhile all connections proceed. Of several threads one works for all.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.as_ref().expect("it has not ended").block_on(future)
    }

    /// Drives the connections from now on, in a thread: a lasting connection must notice between
    /// two requests that its server has closed it, or the next request is lost. `false`: no thread
    /// can be started, so no connection may be reused.
    pub fn keeps_going(self: &Arc<Driver>) -> bool {
        *self.keeper.get_or_init(|| {
            let driver = Arc::clone(self);
            let keeper = thread::Builder::new().name("connections".to_owned());
            keeper.spawn(move || driver.run(future::pending::<()>())).is_ok()
        })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // doesn't wait for a pending name look-up
            runtime.shutdown_background();
        }
    }
}
