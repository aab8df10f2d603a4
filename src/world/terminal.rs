//! The person at the keyboard.
//!
//! The address a browser ended on is pasted while the listener waits. Such an address holds a code, so it isn't echoed; and it may
//! be longer than the 4,096 bytes that a terminal takes in its line mode (4,095 on Linux, 1,024 on macOS, the rest is lost
//! silently), so lines are put together here, byte by byte. Whatever way the program ends then, the terminal is put back: at exit,
//! by a signal, and before the next question.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::sync::mpsc::Sender;

use zeroize::Zeroizing;

use super::Terminal;
use crate::secret::Secret;

/// Bytes of a line past which it is dropped whole.
const LONGEST_LINE: usize = 64 << 10;

pub struct Real;

impl Terminal for Real {
    fn stdin_is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    fn stderr_is_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    fn read_stdin(&self, limit: usize) -> io::Result<Zeroizing<String>> {
        restore();
        read_all(io::stdin().lock(), limit)
    }

    fn stdin(&self) -> Box<dyn Read + Send> {
        restore();
        Box::new(io::stdin())
    }

    fn stdin_file(&self) -> Option<File> {
        #[cfg(unix)]
        let own = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
        #[cfg(windows)]
        let own = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
        Some(File::from(own.ok()?)).filter(|file| file.metadata().is_ok_and(|m| m.is_file()))
    }

    fn read_line(&self) -> io::Result<String> {
        restore();
        let mut line = Vec::new();
        let mut keyboard: Box<dyn BufRead> = if self.stdin_is_terminal() {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::new(system::keyboard()?))
        };
        keyboard.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8(line).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text"))?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn hide(&self) {
        restore();
        system::hide();
    }

    fn read_hidden(&self) -> io::Result<Zeroizing<String>> {
        // rpassword finds the echo off and leaves it so; `restore` knows how the terminal was before
        let typed = rpassword::read_password().map(Zeroizing::new);
        restore();
        typed
    }

    fn lines(&self, to: Sender<Secret>) {
        restore();
        if self.stdin_is_terminal() {
            system::typed_lines(to);
        } else {
            // a pipe or a file: a script that feeds the address
            let read = move || send_lines(io::stdin().lock(), &to);
            let _ = std::thread::Builder::new().name("lines".into()).spawn(read);
        }
    }

    fn width(&self) -> Option<usize> {
        system::width()
    }
}

/// Puts the terminal back as it was and ends the reading of lines. Async-signal-safe; does nothing where nothing was changed.
pub(super) fn restore() {
    system::restore();
}

fn read_all(from: impl Read, limit: usize) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit.min(LONGEST_LINE) + 1));
    from.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {limit} bytes")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn send_lines(mut from: impl BufRead, to: &Sender<Secret>) {
    let mut line = Line::default();
    loop {
        let mut took = 0;
        let Ok(bytes) = from.fill_buf() else { return };
        if bytes.is_empty() {
            if let Some(last) = line.end() {
                let _ = to.send(last);
            }
            return;
        }
        for byte in bytes {
            took += 1;
            if let Some(whole) = line.take(*byte)
                && to.send(whole).is_err()
            {
                return;
            }
        }
        from.consume(took);
    }
}

/// A line in the making. Blank ones don't count.
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    too_long: bool,
}

impl Default for Line {
    fn default() -> Line {
        Line { bytes: Zeroizing::new(Vec::with_capacity(LONGEST_LINE)), too_long: false }
    }
}

impl Line {
    /// One byte as it came; the line, if it ends with it.
    fn take(&mut self, byte: u8) -> Option<Secret> {
        const BACKSPACE: u8 = 0x08;
        const DELETE: u8 = 0x7f;
        const CTRL_U: u8 = 0x15;
        match byte {
            b'\n' | b'\r' => return self.end(),
            BACKSPACE | DELETE => {
                self.bytes.pop();
            }
            CTRL_U => self.bytes.clear(),
            _ if self.bytes.len() == LONGEST_LINE => self.too_long = true,
            _ => self.bytes.push(byte),
        }
        None
    }

    fn end(&mut self) -> Option<Secret> {
        let line = std::str::from_utf8(&self.bytes).ok().map(str::trim);
        let line = line.filter(|line| !line.is_empty() && !self.too_long).map(Secret::new);
        self.bytes.clear();
        self.too_long = false;
        line
    }
}

#[cfg(unix)]
mod system {
    use std::fs::File;
    use std::io::{self, Read};
    use std::mem::{ManuallyDrop, MaybeUninit};
    use std::os::fd::{FromRawFd, RawFd};
    use std::ptr;
    use std::sync::Once;
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
    use std::sync::mpsc::Sender;

    use super::Line;
    use crate::secret::Secret;
    use crate::world::signals;

    /// How a terminal was before it was changed.
    struct Before {
        fd: RawFd,
        mode: libc::termios,
    }

    /// What [`restore`] puts back; null: nothing was changed. What it points to is never freed, since a signal handler may be
    /// reading it: a few bytes for each time that lines are waited for.
    static BEFORE: AtomicPtr<Before> = AtomicPtr::new(ptr::null_mut());

    /// Counts up whenever lines are no longer wanted: a reader that began under another number stops.
    static READING: AtomicUsize = AtomicUsize::new(0);

    pub fn restore() {
        READING.fetch_add(1, Ordering::SeqCst);
        let before = BEFORE.swap(ptr::null_mut(), Ordering::SeqCst);
        // SAFETY: the pointer is null or came from a leaked box, and nobody writes to that.
        if let Some(before) = unsafe { before.as_ref() }
            && is_ours(before.fd)
        {
            // SAFETY: the mode was read from this terminal. A descriptor that isn't one any more makes this an error, no harm.
            unsafe { libc::tcsetattr(before.fd, libc::TCSANOW, &raw const before.mode) };
        }
    }

    /// Whether this program is in the foreground of the terminal, or the terminal isn't the controlling one. From the background,
    /// changing it would stop the program, and it is the shell's then.
    fn is_ours(fd: RawFd) -> bool {
        // SAFETY: both only ask, and may be called in a signal handler; -1 for a terminal that isn't the controlling one.
        let (foreground, own) = unsafe { (libc::tcgetpgrp(fd), libc::getpgrp()) };
        foreground < 0 || foreground == own
    }

    extern "C" fn restore_at_exit() {
        restore();
    }

    fn mode(fd: RawFd) -> Option<libc::termios> {
        let mut mode = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: writes to a live `termios`, zeroed before, and says whether it did.
        unsafe { (libc::tcgetattr(fd, mode.as_mut_ptr()) == 0).then(|| mode.assume_init()) }
    }

    fn remember(fd: RawFd, mode: libc::termios) {
        static AT_EXIT: Once = Once::new();
        // SAFETY: the function takes and gives nothing, and may run at any time.
        AT_EXIT.call_once(|| unsafe {
            libc::atexit(restore_at_exit);
        });
        signals::guard_terminal();
        BEFORE.store(Box::into_raw(Box::new(Before { fd, mode })), Ordering::SeqCst);
    }

    /// Turns the echo off, by whichever of our streams the terminal is there.
    pub fn hide() {
        let fds = [libc::STDIN_FILENO, libc::STDERR_FILENO, libc::STDOUT_FILENO];
        if let Some((fd, before)) = fds.into_iter().find_map(|fd| mode(fd).map(|mode| (fd, mode))) {
            remember(fd, before);
            let mut hidden = before;
            hidden.c_lflag &= !libc::ECHO;
            // SAFETY: a mode read from this terminal, with one flag off. If it fails, rpassword tries again, and says so.
            unsafe { libc::tcsetattr(fd, libc::TCSANOW, &raw const hidden) };
        }
    }

    pub fn typed_lines(to: Sender<Secret>) {
        read_lines(libc::STDIN_FILENO, to);
    }

    /// Reads lines from a terminal in a thread of its own. In the background it does nothing.
    pub fn read_lines(fd: RawFd, to: Sender<Secret>) {
        if !is_ours(fd) {
            return;
        }
        let Some(before) = mode(fd) else { return };
        let mut raw = before;
        raw.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ECHONL);
        raw.c_cc[libc::VMIN] = 1;
        raw.c_cc[libc::VTIME] = 0;
        remember(fd, before);
        // SAFETY: a mode read from this terminal, with three flags off.
        if unsafe { libc::tcsetattr(fd, libc::TCSANOW, &raw const raw) } != 0 {
            restore();
            return;
        }
        let turn = READING.load(Ordering::SeqCst);
        let read = move || {
            follow(fd, turn, &to);
            if READING.load(Ordering::SeqCst) == turn {
                restore();
            }
        };
        if std::thread::Builder::new().name("lines".into()).spawn(read).is_err() {
            restore();
        }
    }

    fn follow(fd: RawFd, turn: usize, to: &Sender<Secret>) {
        const CTRL_D: u8 = 0x04;
        // SAFETY: the descriptor is only borrowed: `ManuallyDrop` keeps it open.
        let mut keyboard = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        let mut line = Line::default();
        let mut bytes = zeroize::Zeroizing::new([0; 1024]);
        loop {
            // wakes up to see whether it is still wanted, so that it never takes what is typed at the next question
            let mut entry = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            // SAFETY: one live entry.
            let ready = unsafe { libc::poll(&raw mut entry, 1, 50) };
            if READING.load(Ordering::SeqCst) != turn {
                return;
            }
            if ready <= 0 {
                continue;
            }
            let got = match keyboard.read(bytes.as_mut_slice()) {
                Ok(0) => return,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            for byte in &bytes[..got] {
                if *byte == CTRL_D {
                    return;
                }
                if let Some(whole) = line.take(*byte)
                    && to.send(whole).is_err()
                {
                    return;
                }
            }
        }
    }

    pub fn keyboard() -> io::Result<File> {
        File::open("/dev/tty")
    }

    pub fn width() -> Option<usize> {
        [libc::STDERR_FILENO, libc::STDOUT_FILENO].into_iter().find_map(|fd| {
            let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
            // SAFETY: writes to a live `winsize`, and says whether it did.
            let known = unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) } == 0;
            (known && size.ws_col > 0).then_some(usize::from(size.ws_col))
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::io::Write;
        use std::os::fd::{AsRawFd, OwnedFd};
        use std::sync::mpsc;
        use std::time::Duration;

        fn terminal() -> (File, OwnedFd) {
            let (mut main, mut other) = (-1, -1);
            // SAFETY: two live integers to write to; name, mode and size are left to the system.
            let made = unsafe {
                libc::openpty(&raw mut main, &raw mut other, ptr::null_mut(), ptr::null_mut(), ptr::null_mut())
            };
            assert_eq!(made, 0);
            // SAFETY: both were just opened and belong to nobody else.
            unsafe { (File::from_raw_fd(main), OwnedFd::from_raw_fd(other)) }
        }

        #[test]
        fn a_long_pasted_line_survives_is_not_echoed_and_the_terminal_is_put_back() {
            let (mut keyboard, screen) = terminal();
            let before = mode(screen.as_raw_fd()).expect("its mode").c_lflag;
            let (to, from) = mpsc::channel();
            read_lines(screen.as_raw_fd(), to);
            let address = format!("http://127.0.0.1:1/cb?code={}&state=x", "c".repeat(20_000));
            let mut paste = keyboard.try_clone().expect("a second handle");
            let pasted = format!("\n  wrong\x15{address}yy\x7f\x7f\r");
            let typing = std::thread::spawn(move || paste.write_all(pasted.as_bytes()));
            let line = from.recv_timeout(Duration::from_secs(60)).expect("a line");
            assert_eq!(line.expose(), address);
            typing.join().expect("typed").expect("written");
            restore();
            assert_eq!(mode(screen.as_raw_fd()).expect("its mode").c_lflag, before);
            // wait until the reader has noticed: what is typed now is not for it
            assert_eq!(from.recv_timeout(Duration::from_secs(60)).err(), Some(mpsc::RecvTimeoutError::Disconnected));
            keyboard.write_all(b"seen\n").expect("typed");
            let mut shown = [0; 4];
            keyboard.read_exact(&mut shown).expect("the echo");
            assert_eq!(&shown, b"seen", "nothing was echoed before");
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::File;
    use std::io;
    use std::sync::mpsc::Sender;

    use crate::secret::Secret;

    pub fn restore() {}

    pub fn hide() {}

    /// The console's own line mode, with its echo.
    pub fn typed_lines(to: Sender<Secret>) {
        let read = move || super::send_lines(io::stdin().lock(), &to);
        let _ = std::thread::Builder::new().name("lines".into()).spawn(read);
    }

    pub fn keyboard() -> io::Result<File> {
        File::open("CONIN$")
    }

    pub fn width() -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn lines_come_from_a_pipe_one_by_one() {
        let (to, from) = mpsc::channel();
        let long = "x".repeat(LONGEST_LINE + 1);
        send_lines(format!("first line\r\n\n  \n{long}\nsecond line\n\nthird line").as_bytes(), &to);
        drop(to);
        let lines: Vec<Secret> = from.iter().collect();
        assert_eq!(lines, ["first line", "second line", "third line"].map(Secret::from));
    }

    #[test]
    fn standard_input_is_read_up_to_a_limit() {
        assert_eq!(*read_all("abc".as_bytes(), 3).expect("read"), "abc");
        assert_eq!(read_all("abcd".as_bytes(), 3).expect_err("too long").kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read_all(&b"\xff"[..], 3).expect_err("not text").kind(), io::ErrorKind::InvalidData);
    }
}
