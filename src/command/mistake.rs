//! What was typed and can't be understood, told in the manner of every other error: what, and what
//! to type instead. The parser's own wording knows neither backticks nor hints.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::command::{definition, habits};
use crate::error::Error;
use crate::text::{repeated, safe};

/// The parser's error as one of ours.
pub fn error(e: &clap::Error, args: &[OsString]) -> Error {
    let one = |kind| strings(e, kind).into_iter().next().unwrap_or_default();
    let argument = one(ContextKind::InvalidArg);
    let value = one(ContextKind::InvalidValue);
    let valid = strings(e, ContextKind::ValidValue);
    let error = match e.kind() {
        ErrorKind::InvalidSubcommand => {
            Error::usage(format!("there is no command `{}`", one(ContextKind::InvalidSubcommand)))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            Error::usage(format!("there is no option `{argument}`"))
        }
        ErrorKind::UnknownArgument => Error::usage(format!("`{argument}` is one word too many")),
        ErrorKind::InvalidValue if value.is_empty() => Error::usage(format!("`{argument}` needs a value")),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            Error::usage(format!("`{value}` is no value of `{argument}`"))
        }
        // what its words are in the end
        ErrorKind::MissingRequiredArgument if argument == "<WORD>..." => {
            Error::usage("`call` needs a path").hint("oauthctl call PROFILE [METHOD] /PATH")
        }
        ErrorKind::MissingRequiredArgument => {
            Error::usage(format!("missing: {}", quoted(&strings(e, ContextKind::InvalidArg), ", ")))
        }
        ErrorKind::ArgumentConflict if argument == one(ContextKind::PriorArg) => {
            Error::usage(format!("`{argument}` is given twice"))
        }
        ErrorKind::ArgumentConflict => Error::usage(format!(
            "`{argument}` and {} exclude each other",
            quoted(&strings(e, ContextKind::PriorArg), " and ")
        )),
        _ => {
            let text = e.render().to_string();
            Error::usage(safe(text.lines().next().unwrap_or_default().trim_start_matches("error: ")))
        }
    };
    let why = std::error::Error::source(e).map(|why| match why.is::<std::num::ParseIntError>() {
        true => "write a whole number".to_owned(),
        false => why.to_string(),
    });
    let error = match why {
        Some(why) => error.hint(why),
        None if !valid.is_empty() => error.hint(format!("one of {}", quoted(&valid, ", "))),
        None => error,
    };
    let habit = match e.kind() {
        ErrorKind::InvalidSubcommand => habits::command(args, &definition()),
        ErrorKind::UnknownArgument if argument.starts_with('-') => habits::option(&argument, args, &definition()),
        ErrorKind::UnknownArgument => habits::word(args, &definition()),
        ErrorKind::MissingRequiredArgument => example(args),
        _ => None,
    };
    if let Some(habit) = habit {
        return error.hint(habit).hint(format!("`{} --help` shows what can be given", command(args)));
    }
    let meant: Vec<String> = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg]
        .into_iter()
        .flat_map(|kind| strings(e, kind))
        .collect();
    let error = if meant.is_empty() { error } else { error.hint(format!("did you mean {}?", quoted(&meant, " or "))) };
    error.hint(format!("`{} --help` shows what can be given", command(args)))
}

fn strings(e: &clap::Error, kind: ContextKind) -> Vec<String> {
    match e.get(kind) {
        Some(ContextValue::String(text)) => vec![shown(text)],
        Some(ContextValue::Strings(all)) => all.iter().map(|text| shown(text)).collect(),
        _ => Vec::new(),
    }
}

/// A word as it may be repeated: no token.
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
fn command(args: &[OsString]) -> String {
    meant(args).0
}

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
                "error: there is no command `tokn`\nhint: did you mean `token`?\nhint: `oauthctl --help` shows what can be given\n",
            ),
            (
                "profile list",
                "error: there is no command `list`\nhint: did you mean `oauthctl list`?\nhint: `oauthctl profile --help` shows what can be given\n",
            ),
            (
                "token --profile work",
                "error: there is no option `--profile`\nhint: the profile is a word without an option: `oauthctl token work`\nhint: `oauthctl token --help` shows what can be given\n",
            ),
            (
                "token --fromat json",
                "error: there is no option `--fromat`\nhint: did you mean `--format`?\nhint: `oauthctl token --help` shows what can be given\n",
            ),
            (
                "inspect Bearer eyJhbGciOiJub25lIn0.e30.",
                "error: `…` is one word too many\nhint: `oauthctl inspect --help` shows what can be given\n",
            ),
            ("token a b", "error: `b` is one word too many\nhint: `oauthctl token --help` shows what can be given\n"),
            (
                "login a --timeout 5x",
                "error: `5x` is no value of `--timeout <TIME>`\nhint: write it as `90s`, `5m`, `2h` or `1d`\nhint: `oauthctl login --help` shows what can be given\n",
            ),
            (
                "login a --timeout 0",
                "error: `0` is no value of `--timeout <TIME>`\nhint: nothing can be done in no time: write it as `90s`, `5m`, `2h` or `1d`\nhint: `oauthctl login --help` shows what can be given\n",
            ),
            (
                "login --port 80x",
                "error: `80x` is no value of `--port <PORT>`\nhint: write a whole number\nhint: `oauthctl login --help` shows what can be given\n",
            ),
            (
                "call /me a=b --profile work --json",
                "error: there is no option `--profile`\nhint: the profile is a word without an option: `oauthctl call work /me a=b`\nhint: `oauthctl call --help` shows what can be given\n",
            ),
            (
                "profile set --profile=work client-id x",
                "error: there is no option `--profile`\nhint: the profile is a word without an option: `oauthctl profile set work client-id x`\nhint: `oauthctl profile set --help` shows what can be given\n",
            ),
            (
                "login --client-secret=hush",
                "error: there is no option `--client-secret`\nhint: what stands on the command line is no secret any more; instead: `--client-secret-file FILE` (`-`: standard input), or OAUTHCTL_CLIENT_SECRET\nhint: `oauthctl login --help` shows what can be given\n",
            ),
            (
                "call --token hush /me",
                "error: there is no option `--token`\nhint: what stands on the command line is no secret any more; instead: OAUTHCTL_<PROFILE>_TOKEN for one to be used, standard input for one to be read (`oauthctl inspect -`)\nhint: `oauthctl call --help` shows what can be given\n",
            ),
            (
                "list sandbox",
                "error: `sandbox` is one word too many\nhint: did you mean `oauthctl status sandbox`?\nhint: `oauthctl list --help` shows what can be given\n",
            ),
            (
                "man profile set",
                "error: `profile` is one word too many\nhint: one page holds all; of this alone: `oauthctl profile set --help`\nhint: `oauthctl man --help` shows what can be given\n",
            ),
            (
                "list --format yaml",
                "error: `yaml` is no value of `--format <FORMAT>`\nhint: one of `table`, `json`\nhint: `oauthctl list --help` shows what can be given\n",
            ),
            (
                "login --port",
                "error: `--port <PORT>` needs a value\nhint: `oauthctl login --help` shows what can be given\n",
            ),
            (
                "profile set work",
                "error: missing: `<KEY>`, `<VALUE>`\nhint: for example: `oauthctl profile set work provider getresponse`\nhint: `oauthctl profile set --help` shows what can be given\n",
            ),
            (
                "list -q -v",
                "error: `--quiet` and `--verbose` exclude each other\nhint: `oauthctl list --help` shows what can be given\n",
            ),
        ] {
            let args: Vec<std::ffi::OsString> =
                std::iter::once("oauthctl").chain(typed.split(' ')).map(Into::into).collect();
            let e = Cli::try_parse_from(&args).expect_err(typed);
            assert_eq!(error(&e, &args).as_text(false), told);
        }
    }
}
