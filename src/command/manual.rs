//! `man`: the whole manual as one page. What a page of each subcommand would say stands in it, since only this one is shipped;
//! what no flag says (variables, files, exit codes) stands in its tables, which tests hold against the README and the program.

use clap::{Arg, Args as _, Command};

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
    (
        "BROWSER",
        "A program that gets an address as its one argument: a short one of this machine that leads to the sign-in once.",
    ),
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
pub fn page() -> String {
    let mut root = definition();
    root.build();
    let shared = WhoFlags::augment_args(Command::new("shared"));
    let about = root.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!(".TH oauthctl 1 \"\" \"oauthctl {}\" \"\"\n.nh\n.ad l\n", env!("CARGO_PKG_VERSION"));
    text.push_str(".SH NAME\noauthctl \\- OAuth 2.0 tokens for the command line\n");
    text.push_str(
        ".SH SYNOPSIS\n\\fBoauthctl\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]\\&.\\|.\\|. [\\fIWORD\\fR]\\&.\\|.\\|.\n",
    );
    text.push_str(&format!(".SH DESCRIPTION\n{}.\n", marked(&about)));
    let after = root.get_after_help().map(ToString::to_string).unwrap_or_default();
    text.push_str(&format!(".SH EXAMPLES\n{}", after_text(after.trim_start_matches("Examples:\n"))));
    text.push_str(".SH COMMANDS\n");
    for sub in visible(&root) {
        command(&mut text, sub, &root, &shared);
    }
    text.push_str(
        ".SH OPTIONS THAT MAKE A PROFILE\nWith them a script needs no configuration; \\fBlogin\\fR remembers them.\n",
    );
    options(&mut text, &shared, |_| true);
    text.push_str(".SH OPTIONS OF EVERY COMMAND\n");
    options(&mut text, &root, |_| true);
    for (name, table) in [("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES), ("EXIT STATUS", EXIT_STATUS)] {
        text.push_str(&format!(".SH {name}\n"));
        for (term, meaning) in table {
            text.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", escaped(term), marked(meaning)));
        }
    }
    text
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

/// One command, or each of those below it.
fn command(text: &mut String, command: &Command, root: &Command, shared: &Command) {
    if command.has_subcommands() {
        return visible(command).for_each(|sub| self::command(text, sub, root, shared));
    }
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    text.push_str(&format!(".SS {}\n", escaped(name)));
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").split_whitespace().collect::<Vec<_>>().join(" ");
    let rest = usage.strip_prefix(name).unwrap_or(&usage);
    text.push_str(&format!("\\fB{}\\fR{}\n", escaped(name), escaped(rest)));
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        text.push_str(&format!(".PP\n{}.\n", marked(about.to_string().trim_end_matches('.'))));
    }
    let has = |command: &Command, id: &str| command.get_arguments().any(|arg| arg.get_id() == id);
    let makes_profile = shared.get_arguments().all(|arg| has(command, arg.get_id().as_str()));
    options(text, command, |arg| {
        let id = arg.get_id().as_str();
        !(matches!(id, "help" | "version") || has(root, id) || makes_profile && has(shared, id))
    });
    if makes_profile {
        text.push_str(".PP\nIt takes the options that make a profile (below), too.\n");
    }
    if let Some(after) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        text.push_str(&after_text(&after.to_string()));
    }
}

/// The arguments that are wanted as a list of terms: words first, then options, as `--help` has them under its headings.
fn options(text: &mut String, command: &Command, wanted: impl Fn(&Arg) -> bool) {
    let shown: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set() && wanted(arg)).collect();
    let mut headings: Vec<Option<&str>> = vec![None];
    for arg in &shown {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    let several =
        headings.iter().filter(|heading| shown.iter().any(|arg| arg.get_help_heading() == **heading)).count() > 1;
    for heading in headings {
        let of = |positional| {
            shown.iter().filter(move |arg| arg.get_help_heading() == heading && arg.is_positional() == positional)
        };
        if let Some(name) = heading.filter(|_| several) {
            text.push_str(&format!(".PP\n{}:\n", escaped(name)));
        }
        of(true).chain(of(false)).for_each(|arg| option(text, arg));
    }
}

fn option(text: &mut String, arg: &Arg) {
    let value = arg.get_value_names().and_then(|names| names.first()).map(|name| format!("\\fI{}\\fR", escaped(name)));
    let value = value.filter(|_| arg.is_positional() || arg.get_action().takes_values());
    let short = arg.get_short().map(|short| format!("\\fB\\-{short}\\fR"));
    let long = arg.get_long().map(|long| format!("\\fB\\-\\-{}\\fR", escaped(long)));
    let mut term = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if let Some(value) = value {
        match (arg.is_positional(), arg.is_require_equals_set()) {
            (true, _) => term.push_str(&value),
            (_, true) => term.push_str(&format!("[={value}]")),
            (_, false) => term.push_str(&format!(" {value}")),
        }
    }
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    text.push_str(&format!(".TP\n{term}\n{}\n", marked(&help)));
    if !arg.get_action().takes_values() {
        return;
    }
    let usual: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let usual = usual.join(" ");
    if !usual.is_empty() {
        text.push_str(&format!("[default: {}]\n", escaped(&usual)));
    }
    let known = arg.get_possible_values();
    if known.is_empty() {
        return;
    }
    if known.iter().all(|value| value.get_help().is_none()) {
        let names: Vec<String> = known.iter().map(|value| format!("\\fB{}\\fR", escaped(value.get_name()))).collect();
        return text.push_str(&format!("[one of: {}]\n", names.join(", ")));
    }
    text.push_str(".RS\n.PD 0\n");
    for value in known {
        let about = value.get_help().map(|help| format!(": {}", marked(&help.to_string()))).unwrap_or_default();
        text.push_str(&format!(".IP \\(bu 2\n\\fB{}\\fR{about}\n", escaped(value.get_name())));
    }
    text.push_str(".PD\n.RE\n");
}

/// What stands after a command's options: indented lines are typed, and stay as they are.
fn after_text(after: &str) -> String {
    let mut text = String::new();
    let mut typed = false;
    for line in after.lines() {
        let indented = line.starts_with("  ");
        text.push_str(match (typed, indented) {
            (false, true) => ".RS 4\n.nf\n",
            (true, false) => ".fi\n.RE\n",
            _ => "",
        });
        typed = indented;
        match line {
            "" => {}
            _ if indented => text.push_str(&format!("{}\n", escaped(line.strip_prefix("  ").unwrap_or(line)))),
            _ => text.push_str(&format!(".PP\n{}\n", marked(line))),
        }
    }
    if typed {
        text.push_str(".fi\n.RE\n");
    }
    text
}

/// Text in which what stands in backticks is set apart.
fn marked(text: &str) -> String {
    let line = |line: &str| {
        let parts: Vec<String> = line.trim().split('`').map(escaped).collect();
        match parts.len() % 2 {
            1 => parts
                .iter()
                .enumerate()
                .map(|(at, part)| if at % 2 == 1 { format!("\\fB{part}\\fR") } else { part.clone() })
                .collect(),
            _ => escaped(line.trim()),
        }
    };
    text.lines()
        .map(|each| if each.trim().is_empty() { ".PP".to_owned() } else { line(each) })
        .collect::<Vec<String>>()
        .join("\n")
}

/// Text that is no instruction to whatever sets the page.
fn escaped(text: &str) -> String {
    let one = |c: char| match c {
        '\\' => "\\(rs".to_owned(),
        '-' => "\\-".to_owned(),
        '\'' => "\\(aq".to_owned(),
        c if c.is_ascii() => c.to_string(),
        c => format!("\\[u{:04X}]", u32::from(c)),
    };
    let text: String = text.chars().map(one).collect();
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
        let page = page();
        for name in &names {
            assert!(page.contains(name), "{name}");
        }
        // the options that a dozen commands share stand in it once
        assert_eq!(page.matches("\\-\\-client\\-secret\\-file\\fR").count(), 1);
        assert_eq!(page.matches("\\-\\-subject\\-token\\-file\\fR").count(), 1);
        assert!(page.contains("A file with the token to exchange"), "what `-h` leaves out is told too");
        assert!(!page.contains("(1)\n"), "it names no other page");
        assert!(page.contains(".nf\noauthctl login getresponse\noauthctl login work "), "an example to a line");
        assert!(page.is_ascii() && !page.contains("EXTRA"));
    }
}
