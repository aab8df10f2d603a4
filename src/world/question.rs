//! Questions at the terminal. Each is written in one place and ends in one of three ways: with an answer, with a line that was left
//! open (Ctrl-D) or for longer than is waited, with a signal (Ctrl-C). However it ends, the echo is back and what comes next begins on a line of its own.

use std::time::Duration;

use super::World;
use crate::secret::{Secret, redact};

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Ctrl-D, or the terminal has gone.
    #[error("the input ended before the question was answered")]
    Ended,
    /// For as long as is waited ([`World::patience`]).
    #[error("nobody answered within {} s", .0.as_secs())]
    TooLate(Duration),
    /// SIGINT, SIGTERM or SIGHUP.
    #[error("a signal came at the question")]
    Signal(i32),
    #[error("the terminal could not be read: {0}")]
    Failed(String),
    /// Standard error leads elsewhere, and there is no other way to the screen.
    #[error("standard error is no terminal, so a question can't be seen")]
    Unseen,
}

/// What is read without echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    One,
    UntilCtrlD,
}

impl World {
    /// One line, without blanks around it; it may be empty.
    pub fn ask(&mut self, question: &str) -> Result<String, Unanswered> {
        // before the question is seen: Ctrl-C counts from its first byte on
        self.signals.ask(true);
        let answer = self.pose(question).and_then(|()| {
            let answer = self.terminal.read_line(self.patience);
            if answer.is_err() {
                let _ = self.on_screen("\n");
            }
            answer
        });
        self.signals.ask(false);
        answer.map(|answer| answer.trim().to_owned())
    }

    /// The same, and what is typed isn't shown.
    pub fn ask_hidden(&mut self, question: &str) -> Result<Secret, Unanswered> {
        self.hidden(question, Lines::One)
    }

    /// Several lines (a key, an assertion) that aren't shown.
    pub fn ask_hidden_lines(&mut self, question: &str) -> Result<Secret, Unanswered> {
        self.hidden(question, Lines::UntilCtrlD)
    }

    fn hidden(&mut self, question: &str, lines: Lines) -> Result<Secret, Unanswered> {
        self.signals.ask(true);
        self.terminal.hide();
        let answer = self.pose(question).and_then(|()| {
            let answer = self.terminal.read_hidden(lines, self.patience);
            let _ = self.on_screen("\n");
            answer
        });
        self.signals.ask(false);
        answer.map(|answer| Secret::new(answer.trim()))
    }

    fn pose(&mut self, question: &str) -> Result<(), Unanswered> {
        self.on_screen(&format!("{}: ", self.folded(question)))
    }

    /// A line that belongs to a question, and is seen where that is.
    pub fn lead(&mut self, line: &str) {
        let line = redact(&self.folded(line));
        let _ = self.on_screen(&format!("{line}\n"));
    }

    /// What a person has to see before an answer: on standard error, and where that leads elsewhere on the terminal itself.
    fn on_screen(&mut self, text: &str) -> Result<(), Unanswered> {
        match self.terminal.stderr_is_terminal() {
            true => drop(self.err.show(text)),
            false if !self.terminal.put(text) => return Err(Unanswered::Unseen),
            false => {}
        }
        Ok(())
    }

    /// Yes or no, asked until it is one of them; Enter alone is `usually`.
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
