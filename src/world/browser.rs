//! Opens the user's browser.
//!
//! Programs that open URLs have run commands found in them. So only `https` and loopback `http` is
//! opened, as the URL parser writes it, as one argument, without a shell, by a program outside the
//! working directory. `BROWSER` names a program (or several, separated by `:`, tried in turn), not
//! a command line; a profile's `browser` lists a program and its arguments.
//!
//! The browser outlives this process: it gets its own session (on Windows its own console), so that
//! Ctrl-C doesn't end it, and none of our streams. A program named in `BROWSER` gets the
//! environment without our own variables; the system's launcher gets only the variables of a
//! desktop program.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

use super::programs;
use super::{Browser, BrowserError};
use crate::address::parse_safe;
use crate::text;

/// A failure within this time is reported. A launcher that still runs then is likely the browser.
const MOMENT: Duration = Duration::from_secs(1);

/// Searched before `PATH` for the system's own launcher.
#[cfg(unix)]
const SYSTEM_FOLDERS: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/bin", "/run/current-system/sw/bin"];
#[cfg(not(unix))]
const SYSTEM_FOLDERS: [&str; 0] = [];

/// Variables that a desktop program needs, by name and by prefix.
#[cfg(unix)]
const NEEDED: &str = "\
    HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR DISPLAY XAUTHORITY DESKTOP_SESSION \
    SESSION_MANAGER SSH_AUTH_SOCK http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY \
    NO_PROXY WSLENV WSL_DISTRO_NAME WSL_INTEROP";
#[cfg(unix)]
const NEEDED_PREFIXES: &str = "\
    LC_ XDG_ WAYLAND_ DBUS_ GNOME_ KDE_ GTK_ GDK_ QT_ MOZ_ PULSE_ GIO_ FLATPAK_";

/// The user's browser.
pub struct Real;

impl Browser for Real {
    fn open(&self, url: &str, chosen: &[String], acted: &dyn Fn() -> bool) -> Result<(), BrowserError> {
        match chosen {
            [] => Surroundings::own().open(url, acted),
            [program, arguments @ ..] => {
                Surroundings::own().start((program.as_ref(), arguments), &checked(url)?, acted)
            }
        }
    }
}

struct Surroundings {
    browser: Option<OsString>,
    path: Option<OsString>,
    here: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
}

impl Surroundings {
    #[expect(clippy::disallowed_methods, reason = "the child's environment is made from our own")]
    fn own() -> Surroundings {
        Surroundings {
            browser: std::env::var_os("BROWSER").filter(|b| !b.is_empty()),
            path: programs::path(),
            here: std::env::current_dir().ok(),
            variables: std::env::vars_os().collect(),
        }
    }

    fn open(&self, url: &str, acted: &dyn Fn() -> bool) -> Result<(), BrowserError> {
        let url = checked(url)?;
        match &self.browser {
            Some(browser) => self.open_chosen(browser, &url, acted),
            None => self.open_by_system(&url, acted),
        }
    }

    /// The user's choice. If none of its programs works, that is the error; no other is tried.
    fn open_chosen(&self, browser: &OsStr, url: &Url, acted: &dyn Fn() -> bool) -> Result<(), BrowserError> {
        let mut failure = BrowserError::NotFound;
        for program in std::env::split_paths(browser).filter(|p| !p.as_os_str().is_empty()) {
            let Err(error) = self.start((program.as_os_str(), &[]), url, acted) else { return Ok(()) };
            failure = error;
        }
        Err(failure)
    }

    /// Starts a program that the user named; the address is its last argument.
    fn start(
        &self,
        (program, arguments): (&OsStr, &[String]),
        url: &Url,
        acted: &dyn Fn() -> bool,
    ) -> Result<(), BrowserError> {
        let shown = text::safe(&program.to_string_lossy());
        let Some(found) = programs::find(program, self.path.as_deref()) else {
            let why = "there is no such program (`BROWSER` names a program, not a command line; so does the first text of a profile's `browser`)";
            return Err(BrowserError::Failed { program: shown, why: why.to_owned() });
        };
        let mut command = programs::command(&found);
        command.args(arguments).arg(url.as_str());
        command.env_clear().envs(self.variables.iter().filter(|(n, _)| !is_ours(n)).cloned());
        launch(command, &shown, acted)
    }

    fn open_by_system(&self, url: &Url, acted: &dyn Fn() -> bool) -> Result<(), BrowserError> {
        let mut failure = BrowserError::NotFound;
        for proposed in open::commands(url.as_str()) {
            let name = proposed.get_program();
            let Some(found) = self.system_program(name) else { continue };
            let mut command = programs::command(&found);
            command.args(proposed.get_args()).env_clear().envs(self.needed_variables());
            command.envs(proposed.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let Err(error) = launch(command, &text::safe(&name.to_string_lossy()), acted) else { return Ok(()) };
            failure = error;
        }
        Err(failure)
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn system_program(&self, name: &OsStr) -> Option<PathBuf> {
        let has = |variable: &str| self.variables.iter().any(|(n, value)| n == variable && !value.is_empty());
        let from_windows = Path::new(name).extension() == Some(OsStr::new("exe"));
        // without a display the launchers start text browsers, which would be invisible
        if !from_windows && !has("DISPLAY") && !has("WAYLAND_DISPLAY") {
            return None;
        }
        let system = std::env::join_paths(SYSTEM_FOLDERS).ok();
        programs::find(name, system.as_deref()).or_else(|| programs::find(name, Some(&self.safe_path())))
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn system_program(&self, name: &OsStr) -> Option<PathBuf> {
        programs::find(name, Some(&self.safe_path()))
    }

    /// `PATH` without relative folders and the working directory: launcher scripts search it too.
    fn safe_path(&self) -> OsString {
        let path = self.path.as_deref().unwrap_or_default();
        let is_here =
            |folder: &Path| self.here.as_ref().is_some_and(|here| here.parent().is_some() && folder.starts_with(here));
        let folders = programs::absolute_folders(path).filter(|folder| !is_here(folder));
        std::env::join_paths(folders).unwrap_or_default()
    }

    fn needed_variables(&self) -> impl Iterator<Item = (OsString, OsString)> {
        let needed = self.variables.iter().filter(|(name, _)| is_needed(name)).cloned();
        needed.chain([(OsString::from("PATH"), self.launchers_path())])
    }

    /// Never empty: a shell takes that for the working directory.
    fn launchers_path(&self) -> OsString {
        let own = self.safe_path();
        if own.is_empty() { std::env::join_paths(SYSTEM_FOLDERS).unwrap_or_default() } else { own }
    }
}

pub(super) fn checked(url: &str) -> Result<Url, BrowserError> {
    parse_safe(url).map_err(|why| BrowserError::BadUrl(why.to_owned()))
}

fn is_ours(name: &OsStr) -> bool {
    name.to_string_lossy().to_ascii_uppercase().starts_with(programs::OUR_PREFIX)
}

#[cfg(unix)]
fn is_needed(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    NEEDED.split(' ').any(|needed| name == needed) || NEEDED_PREFIXES.split(' ').any(|prefix| name.starts_with(prefix))
}

/// Windows programs fail oddly without the system's variables: keeps all but ours and `PATH`.
#[cfg(not(unix))]
fn is_needed(name: &OsStr) -> bool {
    !is_ours(name) && !name.eq_ignore_ascii_case("PATH")
}

fn launch(mut command: Command, shown: &str, acted: &dyn Fn() -> bool) -> Result<(), BrowserError> {
    let failed = |why: String| BrowserError::Failed { program: shown.to_owned(), why };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    detach(&mut command);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    match programs::wait(&mut child, Instant::now() + MOMENT, acted) {
        // the status of Windows' launcher means nothing
        Ok(Some(status)) if !status.success() && !cfg!(windows) => Err(failed(status.to_string())),
        Ok(_) => Ok(()),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(not(unix))]
fn detach(command: &mut Command) {
    use std::os::windows::process::CommandExt as _;
    use windows_sys::Win32::System::Threading::{CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW};
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

#[cfg(unix)]
fn detach(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    // keeps no file system from being unmounted
    command.current_dir("/");
    // SAFETY: between fork and exec only setsid(2) is called, which is async-signal-safe. It can't
    // fail: a fresh child leads no process group.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            Ok(())
        });
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A program that writes its arguments and its environment to a file beside itself.
    fn recorder(folder: &Path, name: &str, end: &str) -> PathBuf {
        let path = folder.join(name);
        let text = format!(
            "#!/bin/sh\nfor a in \"$0\" \"$@\"; do printf '%s\\n' \"$a\"; done >'{0}.args'\nenv >'{0}.env'\n\
             ps -o pid= -o sid= -p $$ >'{0}.session' 2>/dev/null\ns=$(readlink /proc/$$/fd/1 /proc/$$/fd/2); echo \"$s\" >'{0}.streams'\n{end}\n",
            path.display()
        );
        // written under another name: another thread's fork could hold it open for writing
        let draft = folder.join("draft");
        std::fs::write(&draft, text).expect("written");
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o700)).expect("made a program");
        let copied = programs::command(Path::new("/bin/cp")).arg("-p").args([&draft, &path]).status().expect("copied");
        assert!(copied.success());
        path
    }

    fn recorded(program: &Path, what: &str) -> Option<String> {
        std::fs::read_to_string(format!("{}.{what}", program.display())).ok()
    }

    fn with_browser(browser: impl Into<OsString>) -> Surroundings {
        let variables = [("PATH", "/usr/bin:/bin"), ("OAUTHCTL_X_CLIENT_SECRET", "canary"), ("VSCODE_IPC", "v")];
        Surroundings {
            browser: Some(browser.into()),
            path: Some("/usr/bin:/bin".into()),
            here: None,
            variables: variables.map(|(n, v)| (n.into(), v.into())).to_vec(),
        }
    }

    // C-07, H-03
    #[test]
    fn the_chosen_browser_gets_one_argument_and_nothing_of_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = recorder(folder.path(), "my browser", "");
        let hostile = "https://as.example/a?x=1 2&y=$(touch${IFS}z)`id`;|'\"&z=%20\t\r\n#f";
        with_browser(&program).open(hostile, &|| false).expect("opened");
        // written last; on a busy machine it may come late
        let start = Instant::now();
        while recorded(&program, "streams").is_none_or(|streams| streams.is_empty()) {
            assert!(start.elapsed() < Duration::from_secs(60), "it ran");
            std::thread::sleep(Duration::from_millis(20));
        }
        let arguments = recorded(&program, "args").expect("it ran");
        let expected = "https://as.example/a?x=1%202&y=$(touch${IFS}z)`id`;|%27%22&z=%20#f";
        assert_eq!(arguments, format!("{}\n{expected}\n", program.display()));
        let environment = recorded(&program, "env").expect("it ran");
        assert!(environment.contains("VSCODE_IPC=v") && !environment.contains("OAUTHCTL"), "{environment}");
        assert_eq!(recorded(&program, "streams").as_deref(), Some("/dev/null\n/dev/null\n"));
        let session = recorded(&program, "session").unwrap_or_default();
        let ids: Vec<&str> = session.split_ascii_whitespace().collect();
        assert!(ids.is_empty() || ids[0] == ids[1], "a session of its own: {session}");
    }

    #[test]
    fn a_profiles_browser_gets_its_own_arguments_and_then_the_address() {
        let folder = tempfile::tempdir().expect("a folder");
        for (at, arguments) in
            [&["-P", "work"][..], &["--profile-directory=Profile 1"], &["$(id)", "", "*"], &[]].iter().enumerate()
        {
            let program = recorder(folder.path(), &format!("my browser {at}"), "");
            let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
            let url = checked("https://as.example/a").expect("a URL");
            with_browser("/bin/false").start((program.as_os_str(), &arguments), &url, &|| false).expect("opened");
            let start = Instant::now();
            while recorded(&program, "streams").is_none_or(|streams| streams.is_empty()) {
                assert!(start.elapsed() < Duration::from_secs(60), "it ran");
                std::thread::sleep(Duration::from_millis(20));
            }
            let lines = [vec![program.display().to_string()], arguments, vec![url.to_string()]].concat();
            assert_eq!(recorded(&program, "args"), Some(lines.join("\n") + "\n"));
            assert!(!recorded(&program, "env").expect("it ran").contains("OAUTHCTL"));
        }
    }

    // L-48
    #[test]
    fn a_browser_that_cannot_be_started_is_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let works = recorder(folder.path(), "works", "sleep 30");
        let fails = recorder(folder.path(), "fails", "exit 3");
        let open = |browser: &OsStr| with_browser(browser).open("https://as.example/", &|| false);
        // on a busy machine it may fail late
        let failure = (0..20).find_map(|_| open(fails.as_os_str()).err());
        let Some(BrowserError::Failed { why, .. }) = failure else { panic!("it failed: {failure:?}") };
        assert!(why.contains("exit status: 3"), "{why}");
        for browser in ["garbage-browser", "sh -c 'touch x' %s", "./fails", "fails %s"] {
            assert!(matches!(open(OsStr::new(browser)), Err(BrowserError::Failed { .. })), "{browser}");
        }
        let list = std::env::join_paths([Path::new("garbage-browser"), &fails, &works]).expect("a list");
        let start = Instant::now();
        while recorded(&works, "args").is_none() {
            assert_eq!(open(&list), Ok(()));
            assert!(
                start.elapsed() < Duration::from_secs(25),
                "it ran, and one that goes on running is not waited for"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_browser_that_is_back_already_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let stays = recorder(folder.path(), "stays", "sleep 30");
        let looked = std::cell::Cell::new(0);
        let acted = || looked.replace(looked.get() + 1) == 1;
        assert_eq!(with_browser(&stays).open("https://as.example/", &acted), Ok(()));
        assert_eq!(looked.get(), 2, "it was asked until it said so");
    }

    #[test]
    fn only_addresses_for_a_browser_are_opened() {
        let nobody = with_browser("/bin/true");
        for url in [
            "file:///etc/passwd",
            "vscode://x/y",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://as.example/authorize",
            "https://id@as.example/",
            "ms-settings:",
            "-https://as.example/",
            "as.example",
            "",
        ] {
            assert!(matches!(nobody.open(url, &|| false), Err(BrowserError::BadUrl(_))), "{url}");
        }
        assert_eq!(nobody.open("http://127.0.0.1:4000/authorize", &|| false), Ok(()));
    }

    // L-49
    #[test]
    fn the_address_is_written_anew_and_escaped_once() {
        assert_eq!(
            checked("https://AS.example/a b?c=d%20e f").expect("a URL").as_str(),
            "https://as.example/a%20b?c=d%20e%20f"
        );
    }

    // C-08
    #[cfg(not(target_os = "macos"))]
    #[test]
    fn a_launcher_in_the_working_directory_is_not_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path().to_owned();
        recorder(&here, "gnome-open-of-the-test", "");
        let surroundings = |path: &OsStr, here: &Path| Surroundings {
            browser: None,
            path: Some(path.to_owned()),
            here: Some(here.to_owned()),
            variables: vec![("DISPLAY".into(), ":0".into())],
        };
        let name = OsStr::new("gnome-open-of-the-test");
        for path in [OsStr::new("."), OsStr::new(""), here.as_os_str()] {
            let around = surroundings(path, &here);
            assert_eq!(around.system_program(name), None, "{path:?}");
            assert_eq!(around.safe_path(), "", "nor is it handed on");
            let handed_on = around.needed_variables().find(|(name, _)| name == "PATH").map(|(_, value)| value);
            assert_eq!(handed_on, std::env::join_paths(SYSTEM_FOLDERS).ok(), "nor an empty one, which means: here");
        }
        assert!(surroundings(here.as_os_str(), Path::new("/nowhere")).system_program(name).is_some());
        let mut headless = surroundings(here.as_os_str(), Path::new("/nowhere"));
        headless.variables.clear();
        assert_eq!(headless.system_program(name), None);
    }

    // H-03
    #[test]
    fn the_systems_launcher_gets_what_a_desktop_program_needs() {
        for (name, needed) in [
            ("DISPLAY", true),
            ("XDG_RUNTIME_DIR", true),
            ("LC_ALL", true),
            ("AWS_SECRET_ACCESS_KEY", false),
            ("PATH", false),
        ] {
            assert_eq!(is_needed(OsStr::new(name)), needed, "{name}");
        }
    }
}
