//! Questions at the terminal. A question ends with an answer, without one (Ctrl-D, or the time is
//! over), or with a signal (Ctrl-C). In each case the echo is restored and the next output begins
//! on a new line.

use std::time::Duration;

use zeroize::Zeroizing;

use super::World;
use crate::secret::{Secret, redact};

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Ctrl-D, or the terminal has gone.
    #[error("the input ended before the question was answered")]
    Ended,
    /// The time is over ([`World::patience`]).
    #[error("nobody answered within {} s", .0.as_secs())]
    TooLate(Duration),
    /// SIGINT, SIGTERM or SIGHUP.
    #[error("a signal came at the question")]
    Signal(i32),
    #[error("the terminal could not be read: {0}")]
    Failed(String),
    /// Standard error is redirected, and there is no other way to the screen.
    #[error("standard error is no terminal, so a question can't be seen")]
    Unseen,
}

/// What the user types without echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    One,
    UntilCtrlD,
}

impl World {
    /// Asks for one line and trims it; it may be empty.
    pub fn ask(&mut self, question: &str) -> Result<String, Unanswered> {
        let answer = self.posed(question, None)?;
        Ok(answer.trim().to_owned())
    }

    /// Asks without echo.
    pub fn ask_hidden(&mut self, question: &str) -> Result<Secret, Unanswered> {
        self.posed(question, Some(Lines::One)).map(|answer| Secret::new(answer.trim()))
    }

    /// Asks for several lines (a key, an assertion) without echo.
    pub fn ask_hidden_lines(&mut self, question: &str) -> Result<Secret, Unanswered> {
        self.posed(question, Some(Lines::UntilCtrlD)).map(|answer| Secret::new(answer.trim()))
    }

    fn posed(&mut self, question: &str, hidden: Option<Lines>) -> Result<Zeroizing<String>, Unanswered> {
        // before the question is visible: Ctrl-C counts from its first byte
        self.signals.ask(true);
        self.terminal.ready(hidden.is_some());
        let answer = self.on_screen(&format!("{}: ", self.folded(question))).and_then(|()| {
            let answer = match hidden {
                Some(lines) => self.terminal.read_hidden(lines, self.patience),
                None => self.terminal.read_line(self.patience).map(Zeroizing::new),
            };
            // the user's Enter isn't shown without an echo, and wasn't typed without an answer
            if hidden.is_some() || answer.is_err() {
                let _ = self.on_screen("\n");
            }
            answer
        });
        self.signals.ask(false);
        answer
    }

    /// Writes a line that belongs to a question, to the same place.
    pub fn lead(&mut self, line: &str) {
        let line = redact(&self.folded(line));
        let _ = self.on_screen(&format!("{line}\n"));
    }

    /// Writes a text that the user must see: on standard error, or else on the terminal.
    fn on_screen(&mut self, text: &str) -> Result<(), Unanswered> {
        match self.terminal.stderr_is_terminal() {
            true => drop(self.err.show(text)),
            false if !self.terminal.put(text) => return Err(Unanswered::Unseen),
            false => {}
        }
        Ok(())
    }

    /// Asks until the answer is yes or no; Enter alone is `usually`.
    pub fn ask_whether(&mut self, question: &str, usually: bool) -> Result<bool, Unanswered> {
        let choices = if usually { "[Y/n]" } else { "[y/N]" };
        loop {
            match self.ask(&format!("{question} {choices}"))?.to_lowercase().as_str() {
                "" => return Ok(usually),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.lead("Answer `y` or `n`."),
            }
        }
    }
}
