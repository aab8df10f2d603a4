//! `man`: the manual page: every command and option, then the topics of `help TOPIC`.

use clap::{Arg, Args as _, Command};

use crate::command::topics::{self, Line, TOPICS};
use crate::command::{WhoFlags, definition};

/// The page, as `man -l` reads it.
pub fn page() -> String {
    let mut root = definition();
    root.build();
    let shared = WhoFlags::augment_args(Command::new("shared"));
    let about = root.get_about().map(ToString::to_string).unwrap_or_default();
    let after = root.get_after_help().map(ToString::to_string).unwrap_or_default();
    let after = after.split("\n\nTopics").next().unwrap_or_default().trim_start_matches("Examples:\n");
    let mut text = format!(
        ".TH oauthctl 1 \"\" \"oauthctl {}\" \"\"\n.nh\n.ad l
.SH NAME\noauthctl \\- OAuth 2.0 tokens for the command line
.SH SYNOPSIS\n\\fBoauthctl\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]\\&.\\|.\\|. [\\fIWORD\\fR]\\&.\\|.\\|.
.SH DESCRIPTION\n{}.\n.SH EXAMPLES\n",
        env!("CARGO_PKG_VERSION"),
        marked(&about)
    );
    set(&mut text, help_lines(after));
    text.push_str(".SH COMMANDS\n");
    for sub in visible(&root) {
        command(&mut text, sub, &root, &shared);
    }
    text.push_str(
        ".SH OPTIONS THAT MAKE A PROFILE\nA script needs no configuration with them; \\fBlogin\\fR stores them.\n",
    );
    options(&mut text, &shared, |_| true);
    text.push_str(".SH OPTIONS OF EVERY COMMAND\n");
    options(&mut text, &root, |_| true);
    TOPICS.iter().for_each(|(_, topic)| set(&mut text, topics::lines(topic)));
    text
}

/// The text after a command's options: an indented line is code.
fn help_lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().map(|line| line.strip_prefix("  ").map_or(Line::Text(line), Line::Code))
}

/// Sets paragraphs, lists, headings and code.
fn set<'a>(text: &mut String, lines: impl Iterator<Item = Line<'a>>) {
    let mut paragraph = String::new();
    let mut code = false;
    let end_paragraph = |text: &mut String, paragraph: &mut String| {
        if !paragraph.is_empty() {
            text.push_str(&format!("{}\n", marked(&std::mem::take(paragraph))));
        }
    };
    for line in lines.chain([Line::Text("")]) {
        if code != matches!(line, Line::Code(_)) {
            end_paragraph(text, &mut paragraph);
            text.push_str(if code { ".fi\n.RE\n" } else { ".RS 4\n.nf\n" });
            code = !code;
        }
        let line = match line {
            Line::Code(line) => {
                text.push_str(&format!("{}\n", escaped(line)));
                continue;
            }
            Line::Text(line) => line,
        };
        let starts = ["# ", "## ", "- "].iter().find_map(|mark| Some((*mark, line.strip_prefix(mark)?)));
        if line.is_empty() || starts.is_some() {
            end_paragraph(text, &mut paragraph);
        }
        match starts {
            Some(("# ", title)) => text.push_str(&format!(".SH {}\n", escaped(&title.to_uppercase()))),
            Some(("## ", title)) => text.push_str(&format!(".SS {}\n", escaped(title))),
            Some((_, item)) => {
                text.push_str(".IP \\(bu 2\n");
                paragraph.push_str(item);
            }
            None if line.is_empty() => {}
            None if paragraph.is_empty() => {
                text.push_str(".PP\n");
                paragraph.push_str(line);
            }
            None => paragraph.push_str(&format!(" {}", line.trim_start())),
        }
    }
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

/// A command, or the commands below it.
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
        text.push_str(".PP\nIt also takes the options that make a profile (below).\n");
    }
    if let Some(after) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        set(text, help_lines(&after.to_string()));
    }
}

/// The wanted arguments as a list of terms under the headings of `--help`: words, then options.
fn options(text: &mut String, command: &Command, wanted: impl Fn(&Arg) -> bool) {
    let shown: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set() && wanted(arg)).collect();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for heading in shown.iter().map(|arg| arg.get_help_heading()) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    // options without a heading come first
    headings.sort_by_key(Option::is_some);
    for heading in &headings {
        if let Some(name) = heading.filter(|_| headings.len() > 1) {
            text.push_str(&format!(".PP\n{}:\n", escaped(name)));
        }
        let mut below: Vec<_> = shown.iter().filter(|arg| arg.get_help_heading() == *heading).collect();
        below.sort_by_key(|arg| !arg.is_positional());
        below.into_iter().for_each(|arg| option(text, arg));
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
            (_, false) if arg.get_num_args().is_some_and(|number| number.min_values() == 0) => {
                term.push_str(&format!(" [{value}]"));
            }
            (_, false) => term.push_str(&format!(" {value}")),
        }
    }
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    text.push_str(&format!(".TP\n{term}\n{}\n", marked(&help)));
    if !arg.get_action().takes_values() {
        return;
    }
    let usual = arg.get_default_values().join(std::ffi::OsStr::new(" ")).to_string_lossy().into_owned();
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

/// Sets text in backticks bold.
fn marked(text: &str) -> String {
    let line = |line: &str| {
        let parts: Vec<String> = line.trim().split('`').map(escaped).collect();
        let bold = |(at, part)| if at % 2 == 1 { format!("\\fB{part}\\fR") } else { part };
        match parts.len() % 2 {
            1 => parts.into_iter().enumerate().map(bold).collect(),
            _ => escaped(line.trim()),
        }
    };
    let lines = text.lines().map(|each| if each.trim().is_empty() { ".PP".to_owned() } else { line(each) });
    lines.collect::<Vec<String>>().join("\n")
}

/// Text without instructions to the formatter.
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
        let title = escaped(&topics::title(TOPICS[0].1).to_uppercase());
        let commands = page.split(&format!(".SH {title}")).next().unwrap();
        assert!(commands.len() < page.len());
        assert_eq!(commands.matches("\\-\\-client\\-secret\\-file\\fR").count(), 1);
        assert_eq!(commands.matches("\\-\\-subject\\-token\\-file\\fR").count(), 1);
        assert!(page.contains("A file with the token to exchange"), "what `-h` leaves out is told too");
        assert!(!page.contains("(1)\n"), "it names no other page");
        assert!(page.contains(".nf\noauthctl login getresponse\noauthctl login work "), "an example to a line");
        assert!(page.is_ascii() && !page.contains("EXTRA"));
    }
}
