//! stdout and stderr, unbuffered: each write is made at once and whole. A closed pipe is an error
//! to the caller, never a panic. Output to stderr passes through [`redact`] last of all.

use std::fmt::Arguments;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::secret::redact;
use crate::world::Talk;

/// Whether the data so far ends in the middle of a line.
static MID_LINE: AtomicBool = AtomicBool::new(false);

/// The requested data.
pub struct Out;

/// All messages. A secret is found within one write (a whole `write!` is one), but not across two.
pub struct Err;

fn write_out(bytes: &[u8]) -> io::Result<()> {
    if let Some(last) = bytes.last() {
        MID_LINE.store(*last != b'\n', Ordering::Relaxed);
    }
    system::write_all(system::STDOUT, bytes)
}

/// Starts a message on its own line if stdout goes to the same place and its last line has no end.
fn write_err(bytes: &[u8]) -> io::Result<()> {
    if MID_LINE.swap(false, Ordering::Relaxed) && system::is_one_place() {
        system::write_all(system::STDERR, b"\n")?;
    }
    system::write_all(system::STDERR, bytes)
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_out(bytes).map(|()| bytes.len())
    }

    fn write_fmt(&mut self, text: Arguments<'_>) -> io::Result<()> {
        let text = zeroize::Zeroizing::new(text.to_string());
        write_out(text.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Err {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_err(redact(&String::from_utf8_lossy(bytes)).as_bytes()).map(|()| bytes.len())
    }

    fn write_fmt(&mut self, text: Arguments<'_>) -> io::Result<()> {
        let text = zeroize::Zeroizing::new(text.to_string());
        write_err(redact(&text).as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Talk for Err {
    fn show(&mut self, text: &str) -> io::Result<()> {
        write_err(text.as_bytes())
    }

    fn another(&self) -> Box<dyn Talk> {
        Box::new(Err)
    }
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::os::fd::BorrowedFd;

    use rustix::fs::fstat;
    use rustix::io::{retry_on_intr, write};

    pub(super) const STDOUT: BorrowedFd<'static> = rustix::stdio::stdout();
    pub(super) const STDERR: BorrowedFd<'static> = rustix::stdio::stderr();

    /// Writes to the descriptor directly: the standard library's `Stdout` ignores a closed one.
    pub fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match retry_on_intr(|| write(to, bytes))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => bytes = &bytes[written..],
            }
        }
        Ok(())
    }

    /// Whether both streams lead to the same terminal, pipe or file.
    pub fn is_one_place() -> bool {
        let place = |fd| fstat(fd).ok().map(|told| (told.st_dev, told.st_ino));
        place(STDOUT).is_some_and(|out| place(STDERR) == Some(out))
    }
}

#[cfg(not(unix))]
mod system {
    use std::io::{self, Write};

    pub(super) const STDOUT: bool = true;
    pub(super) const STDERR: bool = false;

    /// By the standard library, which converts the text for the console.
    pub fn write_all(to_stdout: bool, bytes: &[u8]) -> io::Result<()> {
        if to_stdout {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()
        } else {
            io::stderr().lock().write_all(bytes)
        }
    }

    pub(super) fn is_one_place() -> bool {
        use std::io::IsTerminal;
        io::stdout().is_terminal() && io::stderr().is_terminal()
    }
}
