//! A line on a terminal that tells how far it is, drawn over itself and taken away at the end. Only where nothing else is printed there.

use std::time::Duration;

use crate::world::{Verbosity, World};

/// It is drawn no more often than this.
const PAUSE: Duration = Duration::from_millis(200);
/// What is done sooner shows no bytes.
const MOMENT: Duration = Duration::from_secs(1);

/// A line on a terminal that is drawn anew.
pub struct Progress {
    on: bool,
    last: Option<Duration>,
    drawn: bool,
}

impl Progress {
    /// `elsewhere`: what is printed goes into a file.
    pub fn new(world: &World, elsewhere: bool) -> Progress {
        let on = world.terminal.stderr_is_terminal()
            && (elsewhere || !world.terminal.stdout_is_terminal())
            && world.verbosity == Verbosity::Normal;
        Progress { on, last: None, drawn: false }
    }

    /// Draws the line, at most five times a second.
    pub fn draw(&mut self, world: &mut World, text: impl FnOnce() -> String) {
        if !self.on {
            return;
        }
        let now = world.clock.elapsed();
        if self.last.is_some_and(|last| now.saturating_sub(last) < PAUSE) {
            return;
        }
        (self.last, self.drawn) = (Some(now), true);
        let _ = write!(world.err, "\r\x1b[K{}", text());
        let _ = world.err.flush();
    }

    /// Takes the line away.
    pub fn end(&mut self, world: &mut World) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(world.err, "\r\x1b[K");
            let _ = world.err.flush();
        }
    }
}

/// The bytes of one answer, once it takes longer than a moment.
pub struct Bytes {
    line: Progress,
    began: Option<Duration>,
    count: u64,
    of: Option<u64>,
}

impl Bytes {
    /// `count`: those that were there already; `more`: those that are to come, where that is known.
    pub fn new(world: &World, elsewhere: bool, count: u64, more: Option<u64>) -> Bytes {
        let line = Progress::new(world, elsewhere);
        let began = line.on.then(|| world.clock.elapsed());
        Bytes { line, began, count, of: more.map(|more| count.saturating_add(more)) }
    }

    /// Counts bytes and draws.
    pub fn add(&mut self, world: &mut World, bytes: usize) {
        self.count += bytes as u64;
        let Some(began) = self.began else { return };
        if world.clock.elapsed().saturating_sub(began) < MOMENT {
            return;
        }
        let of = self.of.map(|of| format!(" of {}", size(of))).unwrap_or_default();
        self.line.draw(world, || format!("{}{of}", size(self.count)));
    }

    /// Takes the line away.
    pub fn end(&mut self, world: &mut World) {
        self.line.end(world);
    }
}

fn size(bytes: u64) -> String {
    match bytes as f64 {
        n if n < 1e3 => format!("{bytes} B"),
        n if n < 1e6 => format!("{:.1} kB", n / 1e3),
        n if n < 1e9 => format!("{:.1} MB", n / 1e6),
        n => format!("{:.2} GB", n / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_three_digits_or_four() {
        let told = [999, 1000, 12_345, 999_949, 5_000_000, 1 << 30].map(size);
        assert_eq!(told, ["999 B", "1.0 kB", "12.3 kB", "999.9 kB", "5.0 MB", "1.07 GB"]);
    }
}
