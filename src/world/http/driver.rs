//! What moves the connections on: the thread that waits for an answer or reads one, and no other. A download is decrypted where it
//! is written, without a hand-over from thread to thread for each of its pieces.

use std::future::{self, Future};
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// Runs the client's futures on this thread.
pub struct Driver {
    /// `None` only while it ends.
    runtime: Option<Runtime>,
    /// Whether the thread that keeps it going runs.
    keeper: OnceLock<bool>,
}

impl Driver {
    /// Makes its runtime.
    pub fn new() -> io::Result<Driver> {
        Ok(Driver { runtime: Some(Builder::new_current_thread().enable_all().build()?), keeper: OnceLock::new() })
    }

    /// Waits for it; meanwhile all connections go on. Of several threads one does the work for all.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.as_ref().expect("it has not ended").block_on(future)
    }

    /// From now on, and as long as the process lives, the connections go on by themselves: one that lasts is to notice between two
    /// requests that its server has closed it, or the next request is lost in it. `false`: no thread can be started for that, and
    /// no connection may serve twice.
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
            // a name that is still being looked up is not waited for
            runtime.shutdown_background();
        }
    }
}
