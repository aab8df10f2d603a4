//! The help: `-h` shows the most needed options, `--help` all under headings, `help TOPIC` a text.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory};

use super::topics::Line;
use super::{Cli, fitted, habits, topics};
use crate::error::Error;
use crate::text::{nearest, repeated};
use crate::world::World;

/// The options in `-h`, for commands with many. Others show those without a heading.
const FIRST: [(&str, [&str; 5]); 4] = [
    ("login", ["provider", "client_id", "scopes", "grant", "no_browser"]),
    ("token", ["format", "min_ttl", "force_refresh", "no_refresh", "grant"]),
    ("call", ["data", "headers", "paginate", "jq", "output"]),
    ("register", ["redirect_uri", "initial_access_token_file", "show", "update", "delete"]),
];

/// The commands whose flags ask for another token of a login that is there.
const OF_A_LOGIN: [&str; 7] = ["token", "refresh", "call", "whoami", "introspect", "run", "proxy"];

const FURTHER_TOKENS: &str = "After a login `--scope`, `--resource` and `--audience` ask for another token of it: for fewer scopes or for another service. See `oauthctl help sign-in`.";

/// All commands, for the parser, the help, the completions and the manual.
pub fn definition() -> Command {
    let root = Cli::command();
    let after = root.get_after_help().map(ToString::to_string).unwrap_or_default();
    shortened(root.after_help(format!("{after}\n\n{}", topics::list())))
}

fn shortened(command: Command) -> Command {
    let first = FIRST.iter().find(|(name, _)| *name == command.get_name()).map(|(_, ids)| ids);
    let needed = |arg: &Arg| match first {
        _ if arg.is_positional() => true,
        Some(ids) => ids.contains(&arg.get_id().as_str()),
        None => arg.get_help_heading().is_none(),
    };
    let shorten = |arg: Arg| {
        let needed = needed(&arg);
        arg.hide_short_help(!needed)
    };
    let command = command.mut_args(shorten).mut_subcommands(shortened);
    match command.get_about() {
        Some(about) if OF_A_LOGIN.contains(&command.get_name()) => {
            let long = format!("{about}\n\n{FURTHER_TOKENS}");
            command.long_about(long)
        }
        _ => command,
    }
}

/// The text for `help TOPIC`, if that was typed; an error names the nearest topic or command.
pub fn topic(args: &[OsString], mistake: ErrorKind, world: &World) -> Option<Result<String, Error>> {
    let words = habits::words(args);
    let ["help", name, ..] = &words[..] else { return None };
    if mistake != ErrorKind::InvalidSubcommand {
        return None;
    }
    if *name == "topics" {
        return Some(Ok(topics::list() + "\n"));
    }
    if let Some(text) = topics::find(name) {
        return Some(Ok(shown(text, world)));
    }
    let commands = definition();
    // `help profile lst` asks for no topic
    if commands.find_subcommand(name).is_some() {
        return None;
    }
    let verbs = commands.get_subcommands().filter(|sub| !sub.is_hide_set()).map(clap::Command::get_name);
    let error = Error::usage(format!("there is no topic and no command `{}`", repeated(name)));
    let meant = nearest(name, topics::TOPICS.iter().map(|(known, _)| *known).chain(verbs));
    let error = error.hints(meant.map(|meant| format!("did you mean `oauthctl help {meant}`?")));
    Some(Err(error.hint("`oauthctl help topics` lists the topics, `oauthctl --help` the commands")))
}

/// The text for a terminal, with indented code.
fn shown(text: &str, world: &World) -> String {
    let mut out = String::new();
    for line in topics::lines(text) {
        match line {
            Line::Code("") => out.push('\n'),
            Line::Code(code) => out.push_str(&format!("    {code}\n")),
            Line::Text(line) => {
                let hang = if line.starts_with("- ") || line.starts_with("  ") { 2 } else { 0 };
                out.push_str(&format!("{}\n", fitted(world, line, hang)));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each command that does something, with its name in full.
    fn every_verb() -> Vec<(String, Command)> {
        fn below(command: &Command, found: &mut Vec<(String, Command)>) {
            for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
                match sub.has_subcommands() {
                    true => below(sub, found),
                    false => found.push((sub.get_bin_name().unwrap().to_owned(), sub.clone())),
                }
            }
        }
        let mut root = definition();
        root.build();
        let mut found = Vec::new();
        below(&root, &mut found);
        found
    }

    #[test]
    fn every_verb_has_an_example_that_can_be_typed() {
        use clap::Parser;
        for (name, verb) in every_verb() {
            let after = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> = after.split("Examples:\n").nth(1).unwrap_or_default().lines().collect();
            assert!(!examples.is_empty(), "{name}");
            for line in examples {
                assert!(line.starts_with("  ") && line.len() < 80, "{name}: {line}");
                let Some(at) = line.find(&name) else { panic!("{name}: {line}") };
                if line.contains("<(") {
                    continue;
                }
                let typed = line[at..].split(" | ").next().unwrap_or_default();
                let words: Vec<String> = typed.split_whitespace().map(|word| word.replace('\'', "")).collect();
                assert!(Cli::try_parse_from(&words).is_ok(), "{name}: {line}");
            }
        }
    }

    #[test]
    fn the_short_help_fits_a_screen_and_the_long_one_tells_all() {
        for (name, mut verb) in every_verb() {
            let short = verb.render_help().to_string();
            assert!(short.lines().count() < 40, "{name}:\n{short}");
            let long = verb.render_long_help().to_string();
            for arg in verb.get_arguments().filter(|arg| !arg.is_hide_set()) {
                let Some(option) = arg.get_long() else { continue };
                assert!(long.contains(&format!("--{option}")), "{name} --{option}");
            }
        }
        for (name, ids) in FIRST {
            let (_, verb) = every_verb().into_iter().find(|(full, _)| full.ends_with(name)).unwrap();
            for id in ids {
                assert!(verb.get_arguments().any(|arg| arg.get_id() == id), "{name}: {id}");
            }
        }
    }

    #[test]
    fn every_option_says_what_it_does_under_a_heading_that_is_known() {
        let known = ["Profile", "Client", "Token", "Grants", "Sign-in", "Request", "Answer", "Pages", "Everywhere"];
        for (name, verb) in every_verb() {
            for arg in verb.get_arguments() {
                assert!(arg.get_help().is_some_and(|help| !help.to_string().is_empty()), "{name}: {}", arg.get_id());
                assert!(
                    arg.get_help_heading().is_none_or(|heading| known.contains(&heading)),
                    "{name}: {}",
                    arg.get_id()
                );
            }
        }
    }
}
