//! A progress line on a terminal, redrawn in place and removed at the end. It is shown only if
//! nothing else is printed there.

use std::time::Duration;

use crate::world::{Verbosity, World};

/// The shortest time between two drawings.
const PAUSE: Duration = Duration::from_millis(200);
/// Transfers shorter than this show no bytes.
const MOMENT: Duration = Duration::from_secs(1);

/// A line on a terminal that is redrawn in place.
pub struct Progress {
    on: bool,
    last: Option<Duration>,
    drawn: bool,
}

impl Progress {
    /// `elsewhere`: the output goes into a file.
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

    /// Removes the line.
    pub fn end(&mut self, world: &mut World) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(world.err, "\r\x1b[K");
            let _ = world.err.flush();
        }
    }
}

/// The byte count of one response, shown after the first second.
pub struct Bytes {
    line: Progress,
    began: Option<Duration>,
    count: u64,
    of: Option<u64>,
}

impl Bytes {
    /// `count`: the bytes that exist already. `more`: the bytes to come, if known.
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

    /// Removes the line.
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
