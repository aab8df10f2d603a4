//! A deadline that still accepts a response that came in time, however late this process reads it.
//! A process that was stopped (a sleeping machine, a paused virtual machine) finds the response and
//! the end of its time together, and the response may hold the only successor of a refresh token.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

/// The time to read a response that has arrived: too short for a new one to come.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// The moment at which a request must have ended.
pub struct Deadline {
    until: Instant,
    /// The end of the last look, once needed.
    last: Option<Instant>,
}

impl Deadline {
    /// The deadline after this time.
    pub fn after(time: Duration) -> Deadline {
        Deadline { until: Instant::now() + time, last: None }
    }

    /// The future's result if in time, else `None`.
    pub async fn within<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        loop {
            let now = Instant::now();
            let end = match self.last {
                Some(last) if now >= last => return None,
                Some(last) => last,
                None if now < self.until => self.until,
                None => *self.last.insert(now + LAST_LOOK),
            };
            if let Ok(done) = timeout_at(end.into(), future.as_mut()).await {
                return Some(done);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // B-09
    #[test]
    fn what_came_in_time_is_read_however_late() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (far, _) = listener.accept().await.unwrap();
            // another task reads, as for a connection, and passes the bytes on
            let (hand, handed) = tokio::sync::oneshot::channel();
            tokio::spawn(async move {
                far.readable().await.unwrap();
                let _ = hand.send(far.try_read(&mut [0; 8]).unwrap());
            });
            let mut deadline = Deadline::after(Duration::from_millis(30));
            std::io::Write::write_all(&mut near, b"answer").unwrap();
            // stopped, past the deadline
            std::thread::sleep(Duration::from_millis(200));
            assert_eq!(deadline.within(handed).await.unwrap(), Ok(6));
            // a response that never comes or never ends isn't waited for
            let started = Instant::now();
            assert!(deadline.within(std::future::pending::<()>()).await.is_none());
            let mut late = Deadline::after(Duration::ZERO);
            let drops = async {
                loop {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            assert!(late.within(drops).await.is_none() && late.within(std::future::pending::<()>()).await.is_none());
            assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        });
    }
}
