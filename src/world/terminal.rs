//! The user's terminal.
//!
//! The user may paste the browser's final address while the listener waits. It holds a code, so it
//! isn't echoed. The terminal's line mode would cut it (at 4,095 bytes on Linux, 1,024 on macOS),
//! so lines are assembled here. The terminal is restored at exit, by a signal, and before the next
//! question.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};
#[cfg(target_os = "linux")]
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Sender;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Lines, Terminal, Unanswered};
#[cfg(target_os = "linux")]
use super::{Peer, users};
use crate::secret::Secret;

/// Longer lines are dropped whole.
const LONGEST_LINE: usize = 64 << 10;

/// The terminal of this process.
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
        read_text(io::stdin().lock(), limit)
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

    #[cfg(target_os = "linux")]
    fn stdin_peer(&self) -> Option<Peer> {
        use std::os::linux::net::SocketAddrExt as _;
        let stream = UnixStream::from(std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned().ok()?);
        let address = stream.peer_addr().ok()?;
        let name = String::from_utf8_lossy(address.as_abstract_name()?).into_owned();
        let is_own_or_root = users::is_own_or_root(users::of_peer(&stream).ok()?);
        Some(Peer { name, is_own_or_root })
    }

    fn read_line(&self, wait: Option<Duration>) -> Result<String, Unanswered> {
        system::answer(self.stdin_is_terminal(), None, wait).map(|line| line.as_str().to_owned())
    }

    fn ready(&self, hidden: bool) {
        restore();
        if hidden {
            system::hide();
        }
    }

    fn read_hidden(&self, lines: Lines, wait: Option<Duration>) -> Result<Zeroizing<String>, Unanswered> {
        let typed = system::answer(self.stdin_is_terminal(), Some(lines), wait);
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

    fn put(&self, text: &str) -> bool {
        let screen = File::options().write(true).open(system::SCREEN);
        screen.and_then(|mut screen| screen.write_all(text.as_bytes())).is_ok()
    }

    fn width(&self) -> Option<usize> {
        system::width()
    }
}

use system::restore;

/// All of a text, up to `limit` bytes. One in UTF-16 has a byte order mark (PowerShell writes it).
pub fn read_text(from: impl Read, limit: usize) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit.min(LONGEST_LINE) + 1));
    from.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {limit} bytes")));
    }
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => from_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => from_utf16(rest, u16::from_be_bytes),
        bytes => std::str::from_utf8(bytes).ok().map(str::to_owned),
    };
    let no_text = || io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8");
    text.map(Zeroizing::new).ok_or_else(no_text)
}

fn from_utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, []) = bytes.as_chunks() else { return None };
    let units: Zeroizing<Vec<u16>> = Zeroizing::new(pairs.iter().map(|pair| unit(*pair)).collect());
    String::from_utf16(&units).ok()
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

/// An unfinished line. Blank lines don't count.
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
    /// Takes one byte; returns the line that it ends.
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
            // Ctrl-\ and Ctrl-Z are no text
            0x1c | 0x1a => {}
            _ => self.push(byte),
        }
        None
    }

    fn push(&mut self, byte: u8) {
        match self.bytes.len() == LONGEST_LINE {
            true => self.too_long = true,
            false => self.bytes.push(byte),
        }
    }

    fn end(&mut self) -> Option<Secret> {
        let line = self.text().ok().map(|line| Secret::new(line.trim())).filter(|line| !line.is_empty());
        self.bytes.clear();
        self.too_long = false;
        line
    }

    /// The whole text, unless it is invalid or was cut.
    fn text(&self) -> Result<Zeroizing<String>, Unanswered> {
        if self.too_long {
            return Err(Unanswered::Failed(format!("the line is longer than {LONGEST_LINE} bytes")));
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => Ok(Zeroizing::new(text.to_owned())),
            Err(_) => Err(Unanswered::Failed("it is not text".to_owned())),
        }
    }
}

#[cfg(unix)]
mod system {
    use std::fs::File;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::ptr;
    use std::sync::Once;
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
    use std::sync::mpsc::Sender;
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::{Errno, read};
    use rustix::process::{Signal, kill_current_process_group};
    use rustix::stdio::{stderr, stdin, stdout};
    use rustix::termios::{
        LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcgetpgrp,
        tcgetwinsize, tcsetattr,
    };
    use zeroize::Zeroizing;

    use super::Line;
    use crate::secret::Secret;
    use crate::world::{Lines, Unanswered, signals};

    type Fd = BorrowedFd<'static>;

    /// A terminal's settings before they were changed.
    struct Before {
        fd: Fd,
        mode: Termios,
    }

    /// The settings for [`restore`]; null: nothing was changed. They are never freed, since a
    /// signal handler may be reading them: a few bytes for each wait for lines.
    static BEFORE: AtomicPtr<Before> = AtomicPtr::new(ptr::null_mut());

    /// Incremented when lines are no longer wanted: a reader with another number stops.
    static READING: AtomicUsize = AtomicUsize::new(0);

    /// Restores the terminal and stops the reading of lines, if needed. Async-signal-safe.
    pub(super) fn restore() {
        READING.fetch_add(1, Ordering::SeqCst);
        let before = BEFORE.swap(ptr::null_mut(), Ordering::SeqCst);
        // SAFETY: the pointer is null or from a leaked box, which is never written.
        if let Some(before) = unsafe { before.as_ref() }
            && is_ours(before.fd)
        {
            // fails without harm if the descriptor is no longer a terminal
            let _ = tcsetattr(before.fd, OptionalActions::Now, &before.mode);
        }
    }

    /// Whether this program is in the terminal's foreground, or the terminal isn't the controlling
    /// one. In the background, changing it would stop the program; it belongs to the shell then.
    fn is_ours(fd: BorrowedFd<'_>) -> bool {
        match tcgetpgrp(fd) {
            Ok(foreground) => foreground == rustix::process::getpgrp(),
            // the foreground group has no number here
            Err(Errno::OPNOTSUPP) => false,
            Err(_) => true,
        }
    }

    extern "C" fn restore_at_exit() {
        restore();
    }

    fn remember(fd: Fd, mode: Termios) {
        static AT_EXIT: Once = Once::new();
        // SAFETY: the function takes and returns nothing, and may run at any time.
        AT_EXIT.call_once(|| unsafe {
            libc::atexit(restore_at_exit);
        });
        signals::guard_terminal(restore);
        BEFORE.store(Box::into_raw(Box::new(Before { fd, mode })), Ordering::SeqCst);
    }

    /// Turns off the echo, and the line mode, which loses long lines, by any stream on the
    /// terminal.
    pub fn hide() {
        let fds = [stdin(), stderr(), stdout()];
        if let Some((fd, before)) = fds.into_iter().find_map(|fd| tcgetattr(fd).ok().map(|mode| (fd, mode))) {
            remember(fd, before.clone());
            // without success nothing is read: `answer` checks
            set_raw(fd, before);
        }
    }

    fn set_raw(fd: Fd, mut mode: Termios) -> bool {
        mode.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL;
        // else Ctrl-C drops the input between `is_ready` and `read`, which then waits for more
        mode.local_modes |= LocalModes::NOFLSH;
        let keys = &mut mode.special_codes;
        keys[SpecialCodeIndex::VMIN] = 1;
        keys[SpecialCodeIndex::VTIME] = 0;
        // Ctrl-\ and Ctrl-Z would leave the shell without an echo: see `suspend`
        keys[SpecialCodeIndex::VQUIT] = libc::_POSIX_VDISABLE;
        keys[SpecialCodeIndex::VSUSP] = libc::_POSIX_VDISABLE;
        tcsetattr(fd, OptionalActions::Now, &mode).is_ok()
    }

    /// Reads an answer from standard input if that is the terminal, else from the terminal itself;
    /// `hidden`: after [`hide`].
    pub fn answer(
        at_stdin: bool,
        hidden: Option<Lines>,
        wait: Option<Duration>,
    ) -> Result<Zeroizing<String>, Unanswered> {
        let opened = match at_stdin {
            true => None,
            false => Some(File::open("/dev/tty").map_err(|e| Unanswered::Failed(e.to_string()))?),
        };
        let fd = opened.as_ref().map_or(stdin(), AsFd::as_fd);
        if hidden.is_some() && tcgetattr(fd).is_ok_and(|mode| mode.local_modes.contains(LocalModes::ECHO)) {
            return Err(Unanswered::Failed("its echo can't be turned off".to_owned()));
        }
        read_answer(fd, hidden.unwrap_or(Lines::One), wait)
    }

    /// Reads the requested lines and not a byte more: later input is for the next question. A
    /// signal or the end of `wait` ends it.
    fn read_answer(fd: BorrowedFd<'_>, lines: Lines, wait: Option<Duration>) -> Result<Zeroizing<String>, Unanswered> {
        let began = Instant::now();
        let mut line = Line::default();
        let mut byte = zeroize::Zeroizing::new([0]);
        loop {
            if let Some(signal) = signals::at_question() {
                let _ = tcflush(fd, QueueSelector::IFlush);
                return Err(Unanswered::Signal(signal));
            }
            // a signal may come between the check and the wait, so the wait is short
            if !is_ready(fd) {
                match wait.filter(|wait| began.elapsed() >= *wait) {
                    Some(wait) => return Err(Unanswered::TooLate(wait)),
                    None => continue,
                }
            }
            match read(fd, byte.as_mut_slice()) {
                Ok(0) if line.bytes.is_empty() => return Err(Unanswered::Ended),
                Ok(0) => return line.text(),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(Errno::IO) => return Err(Unanswered::Ended),
                Err(error) => return Err(Unanswered::Failed(std::io::Error::from(error).to_string())),
            }
            match byte[0] {
                b'\n' | b'\r' if lines == Lines::One => return line.text(),
                b'\n' | b'\r' => line.push(b'\n'),
                // in line mode the terminal itself handles it
                CTRL_D if line.bytes.is_empty() => return Err(Unanswered::Ended),
                CTRL_D if line.bytes.ends_with(b"\n") => return line.text(),
                CTRL_D => {}
                CTRL_Z if !BEFORE.load(Ordering::SeqCst).is_null() => suspend(fd),
                byte => drop(line.take(byte)),
            }
        }
    }

    const CTRL_D: u8 = 0x04;
    const CTRL_Z: u8 = 0x1a;

    /// Stops the job, with the terminal as it was, and hides the input again when the job goes on.
    /// Where no shell looks after jobs, nothing stops.
    fn suspend(fd: BorrowedFd<'_>) {
        const MOMENT: Duration = Duration::from_millis(50);
        restore();
        let _ = kill_current_process_group(Signal::TSTP);
        // the signal may reach another thread first; in the background the terminal is the shell's
        std::thread::sleep(MOMENT);
        while !is_ours(fd) {
            std::thread::sleep(MOMENT);
        }
        hide();
    }

    /// Whether input is there, or comes within a moment.
    fn is_ready(fd: BorrowedFd<'_>) -> bool {
        let moment = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&moment)).is_ok_and(|ready| ready > 0)
    }

    pub(super) fn typed_lines(to: Sender<Secret>) {
        read_lines(stdin(), to);
    }

    /// Reads lines from a terminal in a thread. In the background it does nothing.
    pub fn read_lines(fd: Fd, to: Sender<Secret>) {
        if !is_ours(fd) {
            return;
        }
        let Ok(before) = tcgetattr(fd) else { return };
        remember(fd, before.clone());
        if !set_raw(fd, before) {
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

    fn follow(fd: Fd, turn: usize, to: &Sender<Secret>) {
        let mut line = Line::default();
        let mut bytes = zeroize::Zeroizing::new([0; 1024]);
        loop {
            // wakes up to check whether it is still wanted: later input is the next question's
            let ready = is_ready(fd);
            if READING.load(Ordering::SeqCst) != turn {
                return;
            }
            if !ready {
                continue;
            }
            let got = match read(fd, bytes.as_mut_slice()) {
                Ok(0) => return,
                Ok(n) => n,
                Err(Errno::INTR) => continue,
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

    pub(super) const SCREEN: &str = "/dev/tty";

    pub(super) fn width() -> Option<usize> {
        let columns = |fd| tcgetwinsize(fd).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
        [stderr(), stdout()].into_iter().find_map(columns)
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::world::Signals;
        use std::io::{Read, Write};
        use std::os::fd::{FromRawFd, OwnedFd};
        use std::sync::mpsc;

        /// The keyboard's end, and the program's end, which stays open as standard input does.
        fn terminal() -> (File, Fd) {
            let (mut main, mut other) = (-1, -1);
            // SAFETY: two live integers to write to; name, mode and size are null.
            let made = unsafe {
                libc::openpty(&raw mut main, &raw mut other, ptr::null_mut(), ptr::null_mut(), ptr::null_mut())
            };
            assert_eq!(made, 0);
            // SAFETY: both were just opened, and only this function has them.
            let (main, other) = unsafe { (File::from_raw_fd(main), OwnedFd::from_raw_fd(other)) };
            let other: &'static OwnedFd = Box::leak(Box::new(other));
            (main, other.as_fd())
        }

        #[test]
        fn an_answer_is_one_line_and_the_rest_is_for_the_next_question() {
            let _alone = signals::alone();
            let (mut keyboard, fd) = terminal();
            keyboard.write_all(b"typed \xc3\xbc\n\nx\x04\x04\x04").expect("typed");
            let answer = || read_answer(fd, Lines::One, None).map(|line| line.as_str().to_owned());
            assert_eq!(answer(), Ok("typed \u{fc}".to_owned()));
            assert_eq!(answer(), Ok(String::new()), "Enter alone is an answer");
            assert_eq!(answer(), Ok("x".to_owned()));
            assert_eq!(answer(), Err(Unanswered::Ended));
            // without the line mode: longer than its buffer, and assembled here
            assert!(set_raw(fd, tcgetattr(fd).expect("its mode")));
            let long = "s".repeat(9000);
            let mut other = keyboard.try_clone().expect("a second handle");
            let typed = format!("{long}x\x7f\rnext\n\x04");
            let typing = std::thread::spawn(move || other.write_all(typed.as_bytes()));
            assert_eq!(answer(), Ok(long));
            assert_eq!(answer(), Ok("next".to_owned()));
            assert_eq!(answer(), Err(Unanswered::Ended));
            typing.join().expect("typed").expect("written");
            keyboard.write_all(b"a\n\nb\n\x04").expect("typed");
            let lines = read_answer(fd, Lines::UntilCtrlD, None).map(|text| text.as_str().to_owned());
            assert_eq!(lines, Ok("a\n\nb\n".to_owned()));
            drop(keyboard);
            assert_eq!(answer(), Err(Unanswered::Ended), "the terminal has gone");
        }

        #[test]
        fn a_question_that_is_waited_for_so_long_ends_then_and_not_before() {
            let _alone = signals::alone();
            let (mut keyboard, screen) = terminal();
            let wait = Duration::from_millis(300);
            let began = Instant::now();
            assert_eq!(read_answer(screen, Lines::One, Some(wait)), Err(Unanswered::TooLate(wait)));
            assert!(began.elapsed() >= wait);
            keyboard.write_all(b"in time\n").expect("typed");
            let answer = read_answer(screen, Lines::One, Some(Duration::from_secs(60)));
            assert_eq!(answer.map(|line| line.as_str().to_owned()), Ok("in time".to_owned()));
        }

        #[test]
        fn a_signal_ends_the_question_and_not_the_program() {
            let _alone = signals::alone();
            let (keyboard, fd) = terminal();
            let signals = signals::Real;
            signals.ask(true);
            let asked = std::thread::spawn(move || read_answer(fd, Lines::One, None));
            signal_hook::low_level::raise(libc::SIGTERM).expect("raised");
            assert_eq!(asked.join().expect("asked"), Err(Unanswered::Signal(libc::SIGTERM)));
            signals.ask(false);
            drop(keyboard);
        }

        #[test]
        fn a_long_pasted_line_survives_is_not_echoed_and_the_terminal_is_put_back() {
            let (mut keyboard, screen) = terminal();
            let before = tcgetattr(screen).expect("its mode").local_modes;
            let (to, from) = mpsc::channel();
            read_lines(screen, to);
            let address = format!("http://127.0.0.1:1/cb?code={}&state=x", "c".repeat(20_000));
            let mut paste = keyboard.try_clone().expect("a second handle");
            let pasted = format!("\n  wrong\x15{address}yy\x7f\x7f\r");
            let typing = std::thread::spawn(move || paste.write_all(pasted.as_bytes()));
            let line = from.recv_timeout(Duration::from_secs(60)).expect("a line");
            assert_eq!(line.expose(), address);
            typing.join().expect("typed").expect("written");
            restore();
            assert_eq!(tcgetattr(screen).expect("its mode").local_modes, before);
            // wait until the reader has stopped: later input isn't for it
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
    use std::io::{self, BufRead, BufReader, Read};
    use std::sync::mpsc::Sender;
    use std::time::Duration;

    use zeroize::Zeroizing;

    use super::LONGEST_LINE;
    use crate::secret::Secret;
    use crate::world::{Lines, Unanswered};

    pub(super) fn restore() {}

    pub(super) fn hide() {}

    /// The console's own line mode, with its echo.
    pub fn typed_lines(to: Sender<Secret>) {
        let read = move || super::send_lines(io::stdin().lock(), &to);
        let _ = std::thread::Builder::new().name("lines".into()).spawn(read);
    }

    /// In the console's line mode, which waits forever; Ctrl-C ends the program.
    pub fn answer(
        at_stdin: bool,
        hidden: Option<Lines>,
        _wait: Option<Duration>,
    ) -> Result<Zeroizing<String>, Unanswered> {
        let failed = |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => Unanswered::Ended,
            _ => Unanswered::Failed(e.to_string()),
        };
        match hidden {
            Some(Lines::One) => return rpassword::read_password().map(Zeroizing::new).map_err(failed),
            Some(Lines::UntilCtrlD) => {
                let why = "several lines can't be typed without echo here: give a file";
                return Err(Unanswered::Failed(why.to_owned()));
            }
            None => {}
        }
        let mut line = Zeroizing::new(String::new());
        let keyboard: Box<dyn BufRead> = match at_stdin {
            true => Box::new(io::stdin().lock()),
            false => Box::new(BufReader::new(File::open("CONIN$").map_err(failed)?)),
        };
        match keyboard.take(LONGEST_LINE as u64).read_line(&mut line).map_err(failed)? {
            0 => Err(Unanswered::Ended),
            _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned().into()),
        }
    }

    pub(super) const SCREEN: &str = "CONOUT$";

    pub(super) fn width() -> Option<usize> {
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
        assert_eq!(*read_text("abc".as_bytes(), 3).expect("read"), "abc");
        assert_eq!(read_text("abcd".as_bytes(), 3).expect_err("too long").kind(), io::ErrorKind::FileTooLarge);
        for (bytes, text) in
            [(&b"\xff\xfea\0b\0"[..], "ab"), (b"\xfe\xff\0a\0b", "ab"), (b"\xef\xbb\xbfa", "\u{feff}a")]
        {
            assert_eq!(*read_text(bytes, 9).expect("read"), text);
        }
        for bytes in [&b"\xff"[..], b"\xff\xfea", b"\xfe\xff\xdc\0"] {
            assert_eq!(read_text(bytes, 9).expect_err("not text").kind(), io::ErrorKind::InvalidData);
        }
    }
}
