//! `man`: the whole manual as one page. What a page of each subcommand would say stands in it, since only this one is shipped;
//! what no flag says (variables, files, exit codes) stands in its tables, which tests hold against the README and the program.

use clap::{Args as _, Command};
use clap_mangen::Man;

use crate::command::{WhoFlags, definition};

type Table = [(&'static str, &'static str)];

const ENVIRONMENT: &Table = &[
    ("OAUTHCTL_PROFILE", "The profile that is meant when none is named."),
    ("OAUTHCTL_STORE", "The store: `keychain`, `file`, `environment` or `none`."),
    ("OAUTHCTL_NO_INPUT, CI", "Never ask, never open a browser; `0` and `false` are as not set."),
    (
        "OAUTHCTL_CLIENT_ID, OAUTHCTL_CLIENT_SECRET, OAUTHCTL_CLIENT_KEY_FILE, OAUTHCTL_CLIENT_CERTIFICATE, OAUTHCTL_GRANT, OAUTHCTL_SCOPE",
        "As the flags, for the profile that the command line or OAUTHCTL_PROFILE names.",
    ),
    (
        "OAUTHCTL_<PROFILE>_CLIENT_ID, …",
        "The same for one profile: its name in capitals, every other character as `_`.",
    ),
    ("OAUTHCTL_<PROFILE>_TOKEN", "A token from outside, used as it is."),
    ("OAUTHCTL_STORE_PASSPHRASE, OAUTHCTL_STORE_PASSPHRASE_FILE", "Opens the `file` store."),
    ("OAUTHCTL_CONFIG_DIR, OAUTHCTL_STATE_DIR", "Folders in the place of those below."),
    (
        "OAUTHCTL_PRACTICE",
        "Set by `sandbox run` for its command: every command then says on a terminal that it is practice.",
    ),
    ("BROWSER", "A program that gets the address as its one argument."),
    ("HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, NO_COLOR", "As usual."),
];

const FILES: &Table = &[
    (
        "$XDG_CONFIG_HOME/oauthctl/config.toml",
        "Profiles. Without XDG_CONFIG_HOME in ~/.config; on macOS in ~/Library/Application Support, on Windows in %APPDATA%.",
    ),
    ("$XDG_CONFIG_HOME/oauthctl/providers/NAME.toml", "Providers of your own."),
    (
        "$XDG_STATE_HOME/oauthctl/",
        "Locks, journals and the `file` store. Without XDG_STATE_HOME in ~/.local/state; on macOS as above, on Windows in %LOCALAPPDATA%.",
    ),
];

/// Pinned to `error::Kind` by a test.
const EXIT_STATUS: &Table = &[
    ("0", "Done."),
    ("1", "Anything that is not below."),
    ("2", "Usage or configuration, wrong client credentials: mend the call."),
    ("3", "Refused: the provider or the person said no."),
    ("4", "Log in first: there is no token, or it can't be renewed any more."),
    ("5", "The store is locked, absent or failing; nothing was spent."),
    ("6", "Nobody answered in time."),
    (
        "7",
        "Refused for safety: a wrong `state` or `iss`, a redirect, bad TLS, a malformed answer or token, a foreign host.",
    ),
    ("22", "`call`: the API answered 400 or above; its body is still on stdout."),
    ("74", "The new token could not be saved; the error says where it is kept for recovery."),
    ("75", "Try again later: no network, timeout, 429, 5xx, another process holds the lock."),
    ("130, 143", "Interrupted."),
];

/// The page, as `man -l` reads it.
pub fn page() -> std::io::Result<Vec<u8>> {
    let mut root = definition();
    root.build();
    let man = Man::new(root.clone());
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    for render in [Man::render_name_section, Man::render_synopsis_section, Man::render_description_section] {
        out.extend(section(|w| render(&man, w))?.into_bytes());
    }
    let shared = WhoFlags::augment_args(Command::new("shared"));
    let mut text = String::from(".SH OPTIONS\nThese go with every command.\n");
    text.push_str(&options(&root, |_| false)?);
    text.push_str(".SH COMMANDS\n");
    for sub in visible(&root) {
        command(&mut text, sub, &root, &shared)?;
    }
    text.push_str(
        ".SH OPTIONS THAT MAKE A PROFILE\nWith them a script needs no configuration; `login` remembers them.\n",
    );
    text.push_str(&options(&shared, |_| false)?);
    for (name, table) in [("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES), ("EXIT STATUS", EXIT_STATUS)] {
        text.push_str(&format!(".SH {name}\n"));
        for (term, meaning) in table {
            text.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", escaped(term), escaped(meaning)));
        }
    }
    out.extend(text.into_bytes());
    for render in [Man::render_extra_section, Man::render_version_section] {
        out.extend(section(|w| render(&man, w))?.into_bytes());
    }
    Ok(out)
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

/// One command, or each of those below it.
fn command(text: &mut String, command: &Command, root: &Command, shared: &Command) -> std::io::Result<()> {
    if command.has_subcommands() {
        return visible(command).try_for_each(|sub| self::command(text, sub, root, shared));
    }
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    text.push_str(&format!(".SS {}\n", escaped(name)));
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").split_whitespace().collect::<Vec<_>>().join(" ");
    text.push_str(&format!("{}\n", escaped(&usage)));
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        text.push_str(&format!(".PP\n{}\n", paragraphs(&about.to_string())));
    }
    let has = |command: &Command, id: &str| command.get_arguments().any(|arg| arg.get_id() == id);
    let makes_profile = shared.get_arguments().all(|arg| has(command, arg.get_id().as_str()));
    if makes_profile {
        text.push_str(".PP\nIt takes the options that make a profile (below), too.\n");
    }
    let elsewhere = |id: &str| has(root, id) || (makes_profile && has(shared, id));
    text.push_str(&options(command, elsewhere)?);
    if let Some(after) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        text.push_str(&format!(".PP\n{}\n", paragraphs(&after.to_string())));
    }
    Ok(())
}

/// A command's options as a list of terms, without those that stand elsewhere.
fn options(command: &Command, elsewhere: impl Fn(&str) -> bool) -> std::io::Result<String> {
    let ids: Vec<String> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    let plain = ids.into_iter().fold(command.clone(), |command, id| {
        let hidden = elsewhere(&id);
        // one list; what is left out of `-h` for its length is not left out here
        command.mut_arg(id, |arg| {
            let hidden = hidden || arg.is_hide_set();
            arg.help_heading(None::<&str>).hide_short_help(false).hide(hidden)
        })
    });
    let man = Man::new(plain);
    Ok(section(|w| man.render_options_section(w))?.replacen(".SH OPTIONS\n", "", 1))
}

/// A part of the page without the lines that stand at the beginning of each, for the first one has them.
fn section(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> std::io::Result<String> {
    let mut part = Vec::new();
    render(&mut part)?;
    let part = String::from_utf8_lossy(&part).into_owned();
    let is_preamble = |line: &&str| line.starts_with(".ie \\n(.g") || line.starts_with(".el .ds Aq");
    Ok(part.lines().filter(|line| !is_preamble(line)).map(|line| format!("{line}\n")).collect())
}

fn paragraphs(text: &str) -> String {
    let lines = text.lines().map(str::trim).map(|line| if line.is_empty() { ".PP".to_owned() } else { escaped(line) });
    lines.collect::<Vec<_>>().join("\n")
}

/// Text that is no instruction to whatever sets the page.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\(rs").replace('-', "\\-").replace('\'', "\\(aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn the_exit_codes_are_the_programs() {
        let mut told: Vec<u8> =
            EXIT_STATUS.iter().flat_map(|(codes, _)| codes.split(", ")).map(|code| code.parse().unwrap()).collect();
        told.sort_unstable();
        let mut real: Vec<u8> = Kind::ALL.iter().map(|kind| kind.exit_code()).chain([0]).collect();
        real.sort_unstable();
        assert_eq!(told, real);
    }

    #[test]
    fn every_command_and_every_option_stands_in_the_page() {
        fn all(command: &Command, names: &mut Vec<String>) {
            for sub in visible(command) {
                match sub.has_subcommands() {
                    true => all(sub, names),
                    false => names.push(format!(".SS {}", escaped(sub.get_bin_name().unwrap()))),
                }
                let long = sub.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(|arg| arg.get_long());
                names.extend(long.map(|long| format!("\\-\\-{}\\fR", escaped(long))));
            }
        }
        let mut root = definition();
        root.build();
        let mut names = Vec::new();
        all(&root, &mut names);
        assert!(names.len() > 100, "{}", names.len());
        let page = String::from_utf8(page().unwrap()).unwrap();
        for name in &names {
            assert!(page.contains(name), "{name}");
        }
        // the options that a dozen commands share stand in it once
        assert_eq!(page.matches("\\-\\-client\\-secret\\-file\\fR").count(), 1);
        assert_eq!(page.matches("\\-\\-subject\\-token\\-file\\fR").count(), 1);
        assert!(page.contains("A file with the token to exchange"), "what `-h` leaves out is told too");
        assert!(!page.contains("(1)\n"), "it names no other page");
    }
}
