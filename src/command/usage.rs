//! A command line that can't be understood, reported like every other error: the mistake, and what
//! to type instead. The parser's own messages have neither backticks nor hints.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::command::{definition, habits};
use crate::error::Error;
use crate::text::{repeated, safe};

/// The parser's error as one of ours.
pub fn error(e: &clap::Error, args: &[OsString]) -> Error {
    let argument = one(e, ContextKind::InvalidArg);
    let valid = strings(e, ContextKind::ValidValue);
    let negative = negative(&argument, args).filter(|_| e.kind() == ErrorKind::UnknownArgument);
    let mut error = Error::usage(match &negative {
        Some((option, value)) => format!("`{value}` is no value of `{option}`"),
        None => message(e, &argument),
    });
    if let Some(why) = std::error::Error::source(e) {
        let number = why.is::<std::num::ParseIntError>();
        error = error.hint(if number { "write a whole number".to_owned() } else { why.to_string() });
    } else if !valid.is_empty() {
        error = error.hint(format!("one of {}", quoted(&valid, ", ")));
    }
    if argument == WORDS_OF_CALL {
        error = error.hint("oauthctl call PROFILE [METHOD] /PATH");
    }
    let habit = match e.kind() {
        ErrorKind::InvalidSubcommand => habits::command(args, &definition()),
        ErrorKind::UnknownArgument if negative.is_some() => Some("it can't be negative".to_owned()),
        ErrorKind::UnknownArgument if argument.starts_with('-') => habits::option(&argument, args, &definition()),
        ErrorKind::UnknownArgument => habits::word(args, &definition()),
        ErrorKind::MissingRequiredArgument => example(args),
        // an option whose value may be left out takes the word after it
        ErrorKind::ValueValidation if !one(e, ContextKind::InvalidValue).starts_with(|c: char| c.is_ascii_digit()) => {
            argument.split_once(" [<").map(|(option, _)| habits::profile_first(option, args, &definition()))
        }
        _ => None,
    };
    let suggested = || {
        let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
        let meant: Vec<String> = kinds.into_iter().flat_map(|kind| strings(e, kind)).collect();
        (!meant.is_empty()).then(|| format!("did you mean {}?", quoted(&meant, " or ")))
    };
    error.hints(habit.or_else(suggested)).hint(format!("`{} --help` shows the usage", meant(args).0))
}

/// The path and the items of `call`, as the parser names them.
const WORDS_OF_CALL: &str = "<WORD>...";

fn message(e: &clap::Error, argument: &str) -> String {
    let value = one(e, ContextKind::InvalidValue);
    match e.kind() {
        ErrorKind::InvalidSubcommand => format!("there is no command `{}`", one(e, ContextKind::InvalidSubcommand)),
        ErrorKind::UnknownArgument if argument.starts_with('-') => format!("there is no option `{argument}`"),
        ErrorKind::UnknownArgument => format!("`{argument}` is one word too many"),
        ErrorKind::InvalidValue if value.is_empty() => format!("`{argument}` needs a value"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => format!("`{value}` is no value of `{argument}`"),
        ErrorKind::MissingRequiredArgument if argument == WORDS_OF_CALL => "`call` needs a path".to_owned(),
        ErrorKind::MissingRequiredArgument => {
            format!("missing: {}", quoted(&strings(e, ContextKind::InvalidArg), ", "))
        }
        ErrorKind::ArgumentConflict if argument == one(e, ContextKind::PriorArg) => {
            format!("`{argument}` is given twice")
        }
        ErrorKind::ArgumentConflict => {
            format!("`{argument}` and {} exclude each other", quoted(&strings(e, ContextKind::PriorArg), " and "))
        }
        _ => {
            let text = e.render().to_string();
            safe(text.lines().next().unwrap_or_default().trim_start_matches("error: "))
        }
    }
}

/// An option and its negative value, which the parser takes for another option.
fn negative(argument: &str, args: &[OsString]) -> Option<(String, String)> {
    argument.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut pairs = args.windows(2).filter_map(|pair| Some((pair[0].to_str()?, pair[1].to_str()?)));
    let (option, value) = pairs.find(|(option, value)| option.starts_with("--") && value.starts_with(argument))?;
    Some((shown(option), shown(value)))
}

fn one(e: &clap::Error, kind: ContextKind) -> String {
    strings(e, kind).into_iter().next().unwrap_or_default()
}

fn strings(e: &clap::Error, kind: ContextKind) -> Vec<String> {
    match e.get(kind) {
        Some(ContextValue::String(text)) => vec![shown(text)],
        Some(ContextValue::Strings(all)) => all.iter().map(|text| shown(text)).collect(),
        _ => Vec::new(),
    }
}

/// A word that may be repeated: no token.
fn shown(text: &str) -> String {
    if text.starts_with('-') { safe(text) } else { repeated(text) }
}

fn quoted(words: &[String], between: &str) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(between)
}

/// The first of the command's examples.
fn example(args: &[OsString]) -> Option<String> {
    let examples = meant(args).1.get_after_help()?.to_string();
    let first = examples.lines().find_map(|line| line.trim().strip_prefix("oauthctl "))?;
    Some(format!("for example: `oauthctl {first}`"))
}

/// The command that was meant, as far as it was typed: `oauthctl profile set`.
fn meant(args: &[OsString]) -> (String, clap::Command) {
    let mut at = definition();
    let mut words = vec!["oauthctl".to_owned()];
    for arg in args.iter().skip(1).filter_map(|a| a.to_str()).filter(|a| !a.starts_with('-')) {
        let Some(next) = at.find_subcommand(arg).cloned() else { break };
        words.push(next.get_name().to_owned());
        at = next;
    }
    (words.join(" "), at)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::error;
    use crate::command::{Cli, duration};

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("1h30m", 5400), ("1d1s", 86_401), ("0", 0)] {
            assert_eq!(duration(text).map(|time| time.as_secs()), Ok(seconds), "{text}");
        }
        for text in ["", "s", "1h30", "1h-1m", "5x", "1hé", "1.5h", "1h 30m"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_what_to_type_instead() {
        for (typed, told) in [
            (
                "tokn",
                "error: there is no command `tokn`\nhint: did you mean `token`?\nhint: `oauthctl --help` shows the usage\n",
            ),
            (
                "profile list",
                "error: there is no command `list`\nhint: did you mean `oauthctl list`?\nhint: `oauthctl profile --help` shows the usage\n",
            ),
            (
                "token --profile work",
                "error: there is no option `--profile`\nhint: the profile is written without an option: `oauthctl token work`\nhint: `oauthctl token --help` shows the usage\n",
            ),
            (
                "token --fromat json",
                "error: there is no option `--fromat`\nhint: did you mean `--format`?\nhint: `oauthctl token --help` shows the usage\n",
            ),
            (
                "inspect Bearer eyJhbGciOiJub25lIn0.e30.",
                "error: `…` is one word too many\nhint: `oauthctl inspect --help` shows the usage\n",
            ),
            ("token a b", "error: `b` is one word too many\nhint: `oauthctl token --help` shows the usage\n"),
            (
                "login a --timeout 5x",
                "error: `5x` is no value of `--timeout <TIME>`\nhint: write it as `90s`, `5m`, `2h` or `1d`\nhint: `oauthctl login --help` shows the usage\n",
            ),
            (
                "login a --timeout 0",
                "error: `0` is no value of `--timeout <TIME>`\nhint: it must be longer than zero: write it as `90s`, `5m`, `2h` or `1d`\nhint: `oauthctl login --help` shows the usage\n",
            ),
            (
                "call /me --cache -1s",
                "error: `-1s` is no value of `--cache`\nhint: it can't be negative\nhint: `oauthctl call --help` shows the usage\n",
            ),
            (
                "sandbox serve --port 80x",
                "error: `80x` is no value of `--port <PORT>`\nhint: write a whole number\nhint: `oauthctl sandbox serve --help` shows the usage\n",
            ),
            (
                "call /me a=b --profile work --json",
                "error: there is no option `--profile`\nhint: the profile is written without an option: `oauthctl call work /me a=b`\nhint: `oauthctl call --help` shows the usage\n",
            ),
            (
                "profile set --profile=work client-id x",
                "error: there is no option `--profile`\nhint: the profile is written without an option: `oauthctl profile set work client-id x`\nhint: `oauthctl profile set --help` shows the usage\n",
            ),
            (
                "login --client-secret=hush",
                "error: there is no option `--client-secret`\nhint: a secret on the command line is not secret; instead: `--client-secret-file FILE` (`-`: standard input), or OAUTHCTL_CLIENT_SECRET\nhint: `oauthctl login --help` shows the usage\n",
            ),
            (
                "call --token hush /me",
                "error: there is no option `--token`\nhint: a secret on the command line is not secret; instead: OAUTHCTL_<PROFILE>_TOKEN for a token to use, standard input for a token to read (`oauthctl inspect -`)\nhint: `oauthctl call --help` shows the usage\n",
            ),
            (
                "list sandbox",
                "error: `sandbox` is one word too many\nhint: did you mean `oauthctl status sandbox`?\nhint: `oauthctl list --help` shows the usage\n",
            ),
            (
                "man profile set",
                "error: `profile` is one word too many\nhint: one page has all commands; for this one: `oauthctl profile set --help`\nhint: `oauthctl man --help` shows the usage\n",
            ),
            (
                "list --format yaml",
                "error: `yaml` is no value of `--format <FORMAT>`\nhint: one of `table`, `json`\nhint: `oauthctl list --help` shows the usage\n",
            ),
            ("login --port", "error: `--port <PORTS>` needs a value\nhint: `oauthctl login --help` shows the usage\n"),
            (
                "profile set work",
                "error: missing: `<KEY>`, `<VALUE>`\nhint: for example: `oauthctl profile set work provider getresponse`\nhint: `oauthctl profile set --help` shows the usage\n",
            ),
            (
                "list -q -v",
                "error: `--quiet` and `--verbose` exclude each other\nhint: `oauthctl list --help` shows the usage\n",
            ),
        ] {
            let args: Vec<std::ffi::OsString> =
                std::iter::once("oauthctl").chain(typed.split(' ')).map(Into::into).collect();
            let e = Cli::try_parse_from(&args).expect_err(typed);
            assert_eq!(error(&e, &args).as_text(false), told);
        }
    }
}
