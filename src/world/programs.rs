//! Runs other programs. They are found by absolute path or in absolute folders of `PATH`, never in
//! the working directory, which may be an untrusted repository. Arguments are passed one by one,
//! without a shell.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(windows)]
use windows_sys::Win32::System::Pipes::PeekNamedPipe;
use zeroize::Zeroizing;

use super::Programs;
use crate::text;

/// A client secret is short; longer output comes from a wrong program.
const MAX_OUTPUT: usize = 64 << 10;

/// The longest record, as JSON in JSON.
const MAX_ANSWER: usize = 2 << 20;

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The prefix of all our variables, some of which hold secrets.
pub(super) const OUR_PREFIX: &str = "OAUTHCTL_";

/// The programs of this machine.
pub struct Real;

impl Programs for Real {
    fn output(&self, argv: &[String], timeout: Duration) -> io::Result<Zeroizing<String>> {
        let (name, mut command) = configured(argv)?;
        // our standard input is a request body, or the list of a loop
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let ([output], status) = ended(&name, &mut child, [reader(stdout, MAX_OUTPUT)], timeout)?;
        // the output's error first: it is why a program that printed too much failed
        let output = output?;
        if !status.success() {
            return Err(io::Error::other(format!("`{name}` failed: {status}")));
        }
        Ok(output)
    }

    fn output_or_words(&self, argv: &[String], timeout: Duration) -> io::Result<Zeroizing<String>> {
        let ended = converse(argv, "", timeout)?;
        match (ended.ok, ended.err.trim()) {
            (true, _) => Ok(ended.out),
            (false, "") => Err(io::Error::other(ended.status)),
            (false, words) => Err(io::Error::other(words)),
        }
    }

    fn run(&self, argv: &[OsString], env: &[(String, OsString)]) -> io::Result<u8> {
        let mut command = typed(argv, env)?;
        let left = super::signals::leave_to_child();
        let status = left.wait(&mut command.spawn()?)?;
        Ok(exit_code(status))
    }

    #[cfg(unix)]
    fn run_instead(&self, argv: &[OsString], env: &[(String, OsString)], without: &[String]) -> io::Result<u8> {
        use std::os::unix::process::CommandExt as _;
        let mut command = typed(argv, env)?;
        for name in without {
            command.env_remove(name);
        }
        Err(command.exec())
    }

    #[cfg(unix)]
    fn offer(&self, descriptor: i32, bytes: &[u8]) -> io::Result<()> {
        offer(descriptor, bytes)
    }

    fn path_with_own(&self, folder: &Path) -> Option<OsString> {
        let (before, own) = (path()?, std::env::current_exe().ok()?);
        std::fs::create_dir(folder).ok()?;
        #[cfg(unix)]
        std::os::unix::fs::symlink(own, folder.join("oauthctl")).ok()?;
        #[cfg(not(unix))]
        std::fs::hard_link(own, folder.join("oauthctl.exe")).ok()?;
        std::env::join_paths([folder.to_owned()].into_iter().chain(std::env::split_paths(&before))).ok()
    }

    fn installed(&self) -> Option<super::Installed> {
        super::installed::this()
    }

    fn part(&self) -> super::fork::Forked {
        super::fork::part()
    }

    fn companion(&self, folder: Option<&Path>) -> super::fork::Companion {
        super::fork::companion(folder)
    }
}

/// How a program ended.
pub(super) struct Ended {
    pub ok: bool,
    /// In words.
    pub status: String,
    pub out: Zeroizing<String>,
    pub err: String,
}

/// Gives a program its input, and returns all that it prints.
pub(super) fn converse(argv: &[String], input: &str, timeout: Duration) -> io::Result<Ended> {
    let (name, mut command) = configured(argv)?;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let input = Zeroizing::new(input.to_owned());
    // in a thread: it may print before it has read all. One that reads nothing tells by its status.
    thread::spawn(move || stdin.write_all(input.as_bytes()));
    let ([out, err], status) =
        ended(&name, &mut child, [reader(stdout, MAX_ANSWER), reader(stderr, MAX_ANSWER)], timeout)?;
    let err = err.map_or_else(|_| String::new(), |text| text.to_string());
    Ok(Ended { ok: status.success(), status: status.to_string(), out: out?, err })
}

/// A program of the configuration, without our variables; and its name for messages.
fn configured(argv: &[String]) -> io::Result<(String, Command)> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let name = text::safe(program);
    let found = find(OsStr::new(program), path().as_deref()).ok_or_else(|| not_found(&name))?;
    let mut command = command(&found);
    command.args(arguments);
    for ours in own_variables() {
        command.env_remove(ours);
    }
    Ok((name, command))
}

type Output = io::Result<Zeroizing<String>>;

/// How long the pipe of a program that has ended may stay empty: a grandchild may hold it open.
#[cfg(unix)]
const GRACE: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// What a program prints, as it is read.
struct Printed {
    text: mpsc::Receiver<Output>,
    /// Whether the program has ended.
    ended: Arc<AtomicBool>,
}

/// A pipe that ends with its program.
struct Pipe<P> {
    pipe: P,
    ended: Arc<AtomicBool>,
}

#[cfg(unix)]
impl<P: Read + std::os::fd::AsFd> Read for Pipe<P> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, poll};
        loop {
            let ended = self.ended.load(Ordering::Acquire);
            match poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&GRACE)) {
                Ok(0) if ended => return Ok(0),
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                _ => return self.pipe.read(room),
            }
        }
    }
}

#[cfg(windows)]
impl<P: Read + std::os::windows::io::AsRawHandle> Read for Pipe<P> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        use std::ptr::null_mut;
        loop {
            let ended = self.ended.load(Ordering::Acquire);
            let (pipe, mut bytes) = (self.pipe.as_raw_handle(), 0);
            // SAFETY: a query of a pipe that is open, which writes to `bytes` alone
            let known = unsafe { PeekNamedPipe(pipe, null_mut(), 0, null_mut(), &raw mut bytes, null_mut()) } != 0;
            match known && bytes == 0 {
                true if ended => return Ok(0),
                true => thread::sleep(LOOK_EVERY),
                // its end too
                false => return self.pipe.read(room),
            }
        }
    }
}

/// Reads a pipe in a thread.
fn reader<P: Send + 'static>(pipe: P, most: usize) -> Printed
where
    Pipe<P>: Read,
{
    let ((to, text), ended) = (mpsc::channel(), Arc::new(AtomicBool::new(false)));
    let mut pipe = Pipe { pipe, ended: ended.clone() };
    thread::spawn(move || to.send(read(&mut pipe, most)));
    Printed { text, ended }
}

impl Printed {
    /// The text, once the pipe or the program has ended. `None`: neither has by then.
    fn text(&self, child: &mut Child, until: Instant) -> io::Result<Option<Output>> {
        loop {
            match self.text.recv_timeout(LOOK_EVERY) {
                Ok(text) => return Ok(Some(text)),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
                Err(_) if Instant::now() >= until => return Ok(None),
                Err(_) => self.ended.store(child.try_wait()?.is_some(), Ordering::Release),
            }
        }
    }
}

/// Waits for a program's output and its end. One that takes too long is killed.
fn ended<const N: usize>(
    name: &str,
    child: &mut Child,
    readers: [Printed; N],
    timeout: Duration,
) -> io::Result<([Output; N], std::process::ExitStatus)> {
    let until = Instant::now() + timeout;
    let mut texts = Vec::with_capacity(N);
    for printed in readers {
        texts.extend(printed.text(child, until)?);
    }
    let texts: Result<[Output; N], _> = texts.try_into();
    let status = if texts.is_ok() { wait(child, until, &|| false)? } else { None };
    let (Ok(texts), Some(status)) = (texts, status) else {
        let _ = child.kill();
        let _ = child.wait();
        let why = format!("`{name}` took longer than {} seconds", timeout.as_secs());
        return Err(io::Error::new(io::ErrorKind::TimedOut, why));
    };
    Ok((texts, status))
}

/// A pipe that holds all the bytes: nobody writes to it later.
#[cfg(unix)]
fn offer(descriptor: i32, bytes: &[u8]) -> io::Result<()> {
    use std::os::fd::{AsRawFd as _, IntoRawFd as _};

    // SAFETY: a query
    if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } != -1 {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is open already"));
    }
    let (from, mut to) = io::pipe()?;
    rustix::io::ioctl_fionbio(&to, true)?;
    if to.write(bytes)? != bytes.len() {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too long for a pipe"));
    }
    drop(to);
    if from.as_raw_fd() == descriptor {
        rustix::io::fcntl_setfd(&from, rustix::io::FdFlags::empty())?;
        let _ = from.into_raw_fd();
        return Ok(());
    }
    // SAFETY: this descriptor was closed just now, and nothing of this process uses it. The copy is
    // not closed on `exec`; a reader finds the end, and so never waits.
    if unsafe { libc::dup2(from.as_raw_fd(), descriptor) } == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A command that the user typed, with variables added.
fn typed(argv: &[OsString], env: &[(String, OsString)]) -> io::Result<Command> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // typed just now, so a path may be relative to the working directory
    let is_path = Path::new(program).components().count() > 1;
    let given = env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let found = match is_path {
        true => Some(PathBuf::from(program)),
        false => find(program, given.or_else(path).as_deref()),
    };
    let mut command = command(&found.ok_or_else(|| not_found(&text::safe(&program.to_string_lossy())))?);
    command.args(arguments).envs(env.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

fn not_found(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("`{name}` was not found"))
}

#[cfg(unix)]
fn exit_code(status: std::process::ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    // a shell's exit code for a signal
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn exit_code(status: std::process::ExitStatus) -> u8 {
    status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1))
}

fn read(from: &mut impl Read, most: usize) -> Output {
    let text = super::terminal::read_text(from, most)
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("what it printed can't be used: {e}")))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Zeroizing::new(text.to_owned()))
}

/// `None`: it hasn't ended by then.
pub(super) fn wait(
    child: &mut Child,
    until: Instant,
    enough: &dyn Fn() -> bool,
) -> io::Result<Option<std::process::ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until || enough() {
            return Ok(None);
        }
        thread::sleep(LOOK_EVERY);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where programs are started")]
pub(super) fn command(program: &Path) -> Command {
    Command::new(program)
}

#[expect(clippy::disallowed_methods, reason = "programs are looked for where the person's own environment says")]
pub(super) fn path() -> Option<OsString> {
    std::env::var_os("PATH")
}

#[expect(clippy::disallowed_methods, reason = "a child gets the person's own environment without what is ours in it")]
fn own_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with(OUR_PREFIX))
}

/// An absolute path as it is; a bare name from the absolute folders of `path`; no relative path.
pub(super) fn find(program: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    let named = Path::new(program);
    if named.is_absolute() {
        return is_program(named).then(|| named.to_owned());
    }
    if named.components().count() != 1 || named.file_name() != Some(program) {
        return None;
    }
    absolute_folders(path?).find_map(|folder| with_extension(folder.join(named)))
}

/// The absolute folders of a `PATH`.
pub(super) fn absolute_folders(path: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(path).filter(|folder| folder.is_absolute())
}

#[cfg(unix)]
fn with_extension(candidate: PathBuf) -> Option<PathBuf> {
    is_program(&candidate).then_some(candidate)
}

#[cfg(not(unix))]
fn with_extension(candidate: PathBuf) -> Option<PathBuf> {
    // scripts (`.cmd`, `.bat`) are left out: a shell would read their arguments
    [candidate.clone(), candidate.with_extension("exe")].into_iter().find(|c| is_program(c))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn plant(folder: &Path, name: &str) {
        let path = folder.join(name);
        std::fs::write(&path, "#!/bin/sh\n").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("made a program");
    }

    // C-08
    #[test]
    fn a_program_in_the_working_directory_is_not_found() {
        let planted = tempfile::tempdir_in(".").expect("a folder");
        plant(planted.path(), "helper");
        let relative = planted.path().file_name().expect("a name");
        let here = Path::new(relative);
        for path in [relative.to_owned(), ".".into(), "".into(), ":".into(), "./".into()] {
            assert_eq!(find(OsStr::new("helper"), Some(&path)), None, "{path:?}");
        }
        for program in [here.join("helper"), Path::new("./helper").into(), "../x/helper".into(), "".into(), "..".into()]
        {
            assert_eq!(find(program.as_os_str(), Some(relative)), None, "{program:?}");
        }
        let absolute = std::path::absolute(planted.path()).expect("absolute");
        let mixed = std::env::join_paths([Path::new("."), &absolute]).expect("a path");
        assert_eq!(find(OsStr::new("helper"), Some(&mixed)), Some(absolute.join("helper")));
    }

    #[test]
    fn gives_what_a_program_prints_or_says_what_went_wrong() {
        let output = |text: &str, arguments: &[&str]| {
            let mut argv = ["/bin/sh", "-c", text, "sh"].map(str::to_owned).to_vec();
            argv.extend(arguments.iter().map(|a| (*a).to_owned()));
            let slow = text.starts_with("sleep");
            Real.output(&argv, Duration::from_secs(if slow { 1 } else { 60 }))
        };
        // no shell reads the arguments
        assert_eq!(*output("printf '%s\\n' \"$1\"", &["$(id) `id` ; x"]).expect("printed"), "$(id) `id` ; x");
        assert_eq!(*output("printf 'a\\n\\n'", &[]).expect("printed"), "a\n");
        let failed = output("echo not-the-secret; exit 3", &[]).expect_err("failed").to_string();
        assert!(failed.contains("exit status: 3") && !failed.contains("not-the-secret"), "{failed}");
        assert_eq!(output("head -c 100000 /dev/zero", &[]).expect_err("too much").kind(), io::ErrorKind::InvalidData);
        // a child that stays with the pipe
        let began = Instant::now();
        assert_eq!(*output("sleep 40 & printf kept", &[]).expect("printed"), "kept");
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        assert_eq!(output("sleep 90", &[]).expect_err("slow").kind(), io::ErrorKind::TimedOut);
        assert_eq!(Real.output(&[], Duration::ZERO).expect_err("nothing").kind(), io::ErrorKind::InvalidInput);
        let missing = Real.output(&["no-such-program-here".to_owned()], Duration::ZERO);
        assert_eq!(missing.expect_err("not there").kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_foreground_program_gets_its_variables_and_gives_its_exit_code() {
        let _alone = crate::world::signals::alone();
        let run = |text: &str| {
            let argv = ["sh", "-c", text].map(OsString::from);
            Real.run(&argv, &[("OAUTHCTL_TEST_VALUE".to_owned(), "v w".into())]).expect("run")
        };
        assert_eq!(run("test \"$OAUTHCTL_TEST_VALUE\" = 'v w'"), 0);
        assert_eq!(run("exit 42"), 42);
        assert_eq!(run("kill -9 $$"), 137);
    }
}
