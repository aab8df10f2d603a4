//! Where an answer goes: stdout, made harmless where that is a screen, or a file that is there
//! whole or not at all.

use std::path::Path;

use crate::api::download::Part;
use crate::api::progress::Bytes;
use crate::command::print;
use crate::error::{Error, Kind};
use crate::text::{ForTerminal, safe_whole};
use crate::wire::header;
use crate::world::{Verbosity, World};

pub struct Output {
    screen: Option<ForTerminal>,
    file: Option<Part>,
    last: Option<u8>,
    progress: Option<Bytes>,
}

impl Output {
    pub fn stdout(world: &World) -> Output {
        Output {
            screen: world.terminal.stdout_is_terminal().then(ForTerminal::default),
            file: None,
            last: None,
            progress: None,
        }
    }

    /// A file that is written anew; what goes wrong leaves the old one.
    pub fn file(part: Part) -> Output {
        Output { screen: None, file: Some(part), last: None, progress: None }
    }

    /// Tells on a terminal how much has come of an answer with these headers. `there`: bytes that
    /// had come before it.
    pub fn show_progress(&mut self, world: &World, headers: &[(String, String)], there: u64) {
        let more = header(headers, "content-length").and_then(|n| n.parse().ok());
        self.progress = Some(Bytes::new(world, self.file.is_some(), there, more));
    }

    pub fn is_screen(&self) -> bool {
        self.screen.is_some()
    }

    /// Whether nobody sees anything of it before it is whole.
    pub fn is_hidden(&self) -> bool {
        self.file.as_ref().is_some_and(Part::is_hidden)
    }

    /// The length of the file so far.
    pub fn length(&self) -> u64 {
        self.file.as_ref().and_then(|part| part.length().ok()).unwrap_or(0)
    }

    /// Whether the reader still wants more. On a screen a stranger's bytes are shown, and do
    /// nothing.
    pub fn put(&mut self, world: &mut World, bytes: &[u8]) -> Result<bool, Error> {
        let cleaned = self.screen.as_mut().map(|s| s.clean(bytes));
        self.write(world, cleaned.as_deref().unwrap_or(bytes))
    }

    /// The same for a text of our own making, colours and all.
    pub fn put_painted(&mut self, world: &mut World, bytes: &[u8]) -> Result<bool, Error> {
        let cleaned = self.screen.as_mut().map(|s| s.clean_painted(bytes));
        self.write(world, cleaned.as_deref().unwrap_or(bytes))
    }

    fn write(&mut self, world: &mut World, bytes: &[u8]) -> Result<bool, Error> {
        if let Some(&last) = bytes.last() {
            self.last = Some(last);
        }
        if let Some(progress) = &mut self.progress {
            progress.add(world, bytes.len());
        }
        if let Some(part) = &mut self.file {
            return part.write(bytes).map(|()| true).map_err(|e| unwritten(&part.target, e));
        }
        match world.out.write_all(bytes) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            Err(e) => Err(Error::new(Kind::Other, "standard output can't be written").cause(e)),
        }
    }

    /// All is there.
    pub fn end(mut self, world: &mut World) -> Result<(), Error> {
        self.hide_progress(world);
        // on a screen the prompt begins on a line of its own; a pipe gets what the API sent, to the
        // byte
        if self.is_screen() && self.last.is_some_and(|b| b != b'\n') {
            let _ = self.put_painted(world, b"\n");
        }
        let _ = world.out.flush();
        let Some(part) = self.file else { return Ok(()) };
        let (named, is_named_by_answer) = (part.target.clone(), part.yields);
        let path = part.keep().map_err(|e| unwritten(&named, e))?;
        if is_named_by_answer {
            tell(world, &path)?;
        }
        Ok(())
    }

    /// It ends in the middle; whether it can be gone on with.
    pub fn give_up(mut self, world: &mut World) -> bool {
        self.hide_progress(world);
        let _ = world.out.flush();
        self.file.is_some_and(Part::give_up)
    }

    fn hide_progress(&mut self, world: &mut World) {
        if let Some(progress) = &mut self.progress {
            progress.end(world);
        }
    }
}

/// Tells the name that a file has got: a script takes it from standard output.
fn tell(world: &mut World, path: &Path) -> Result<(), Error> {
    world.say(&format!("written to `{}`", safe_whole(&path.to_string_lossy())));
    match !world.terminal.stdout_is_terminal() || world.verbosity == Verbosity::Quiet {
        true => print(world, format!("{}\n", path.display()).as_bytes()),
        false => Ok(()),
    }
}

pub fn unwritten(path: &Path, e: std::io::Error) -> Error {
    Error::new(Kind::Other, format!("`{}` can't be written", safe_whole(&path.to_string_lossy()))).cause(e)
}
