//! Commands and options of other programs, and their names here: for hints about a wrong command.

use std::ffi::OsString;

use crate::provider::catalogue;
use crate::text::{for_a_shell, repeated};

/// A command, and its names in other programs. The words after it stay, unless it is an option.
const HABITS: &[(&str, &str)] = &[
    ("--help", "commands"),
    ("call", "api, curl, get, http, request"),
    ("doctor", "check, health"),
    ("init", "quickstart, setup, wizard"),
    ("list", "accounts, config ls, ls, profile ls, profiles, tokens"),
    ("login", "authenticate, authorize, auth, configure, connect, log-in, profile add"),
    ("login", "profile create, profile new, sign-in, signin"),
    ("logout", "log-out, revoke, sign-out, signout"),
    ("man", "manual"),
    ("profile default", "profile select, profile switch, switch, use"),
    ("profile remove", "delete, profile delete, profile rm, remove, rm"),
    ("profile rename", "profile mv, rename"),
    ("profile set", "config set, set"),
    ("profile unset", "config unset, unset"),
    ("provider add", "provider create, provider new"),
    ("provider edit", "provider set"),
    ("provider list", "provider ls, providers"),
    ("provider show", "provider get, provider info"),
    ("refresh", "renew"),
    ("sandbox serve", "sandbox start, serve"),
    ("status", "config get, config show, config view, config, info, profile get, profile info"),
    ("status", "profile show, show"),
    ("token", "access-token, auth print-access-token, get-token, print-access-token, print-token"),
    ("whoami", "current, me"),
];

/// Words that other programs group their commands by.
const GROUPS: [&str; 9] = ["account", "auth", "config", "oauth", "oauth2", "profile", "profiles", "provider", "user"];

/// Commands that don't exist here, and what to do instead.
const NO_COMMANDS: &[(&[&str], &str)] = &[(
    &["config dir", "config edit", "config file", "config path"],
    "`oauthctl doctor` shows the configuration folder, `oauthctl profile set` changes a profile in its `config.toml`",
)];

/// Options that are missing on purpose: every program of this machine can read the command line.
const SECRETS: &[(&str, &str)] = &[
    ("--access-token", FROM_OUTSIDE),
    ("--client-secret", "`--client-secret-file FILE` (`-`: standard input), or OAUTHCTL_CLIENT_SECRET"),
    ("--passphrase", "OAUTHCTL_STORE_PASSPHRASE_FILE"),
    ("--password", "`oauthctl login` asks for what it needs; a provider's password is never typed here"),
    ("--refresh-token", "`oauthctl login` obtains one and stores it"),
    ("--token", FROM_OUTSIDE),
];

const FROM_OUTSIDE: &str =
    "OAUTHCTL_<PROFILE>_TOKEN for a token to use, standard input for a token to read (`oauthctl inspect -`)";

/// Options of other programs, and their names here.
const OPTIONS: &[(&str, &str)] = &[("--json", "--format json"), ("--output", "--format"), ("-o", "--format")];

/// A hint for words that are no command.
pub fn command(args: &[OsString], verbs: &clap::Command) -> Option<String> {
    let joined = words(args).join(" ");
    let how = NO_COMMANDS.iter().find(|(typed, _)| typed.iter().any(|typed| begins(&joined, typed)));
    how.map(|(_, how)| (*how).to_owned()).or_else(|| line(args, verbs).map(|line| format!("did you mean `{line}`?")))
}

/// A hint for a command with one word too many.
pub fn word(args: &[OsString], verbs: &clap::Command) -> Option<String> {
    match &words(args)[..] {
        ["list", profile] => Some(format!("did you mean `oauthctl status {}`?", shown(profile))),
        ["man", rest @ ..] if of_verbs(rest, verbs) == rest.len() => {
            Some(format!("one page has all commands; for this one: `oauthctl {} --help`", rest.join(" ")))
        }
        _ => None,
    }
}

/// The commands of other programs, each with its name here.
fn habits() -> impl Iterator<Item = (&'static str, &'static str)> + Clone {
    HABITS.iter().flat_map(|(meant, all)| all.split(", ").map(|typed| (typed, *meant)))
}

fn begins(joined: &str, typed: &str) -> bool {
    joined.strip_prefix(typed).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

fn shown(word: &str) -> String {
    for_a_shell(&repeated(word))
}

/// How many of the first words are names of commands.
fn of_verbs(words: &[&str], verbs: &clap::Command) -> usize {
    let mut at = verbs;
    words.iter().map_while(|word| at.find_subcommand(word).map(|next| at = next)).count()
}

/// The command line that was meant.
fn line(args: &[OsString], verbs: &clap::Command) -> Option<String> {
    let words = words(args);
    // `sandbox` is also a provider
    let is_verb = |word: &str| word != "sandbox" && verbs.find_subcommand(word).is_some();
    let joined = words.join(" ");
    let mut habits = habits().filter(|(typed, _)| begins(&joined, typed));
    let habit = habits.clone().find(|(typed, _)| typed.contains(' ')).or_else(|| match &words[..] {
        // `auth status`, `profile list`, `getresponse login`: see below
        [_, second, ..] if is_verb(second) => None,
        _ => habits.next(),
    });
    let meant: Vec<&str> = match (habit, &words[..]) {
        (Some((_, option)), _) if option.starts_with('-') => vec![option],
        (Some((typed, meant)), _) => {
            meant.split(' ').chain(words[typed.split(' ').count()..].iter().copied()).collect()
        }
        (None, [group, verb, rest @ ..]) if GROUPS.contains(group) && is_verb(verb) => {
            std::iter::once(*verb).chain(rest.iter().copied()).collect()
        }
        (None, [name, verb, rest @ ..]) if is_verb(verb) => {
            [*verb, *name].into_iter().chain(rest.iter().copied()).collect()
        }
        (None, [name]) if catalogue::find(name).is_some() => vec!["login", name],
        _ => return None,
    };
    Some(format!("oauthctl {}", meant.iter().map(|word| shown(word)).collect::<Vec<_>>().join(" ")))
}

/// The name of an option here, or the place for its value.
pub fn option(typed: &str, args: &[OsString], verbs: &clap::Command) -> Option<String> {
    if matches!(typed, "--profile" | "-p") {
        return Some(format!("the profile is written without an option: `{}`", with_profile(typed, args, verbs)));
    }
    if let Some((_, instead)) = SECRETS.iter().find(|(secret, _)| *secret == typed) {
        return Some(format!("a secret on the command line is not secret; instead: {instead}"));
    }
    let (_, here) = OPTIONS.iter().find(|(there, _)| *there == typed)?;
    Some(format!("did you mean `{here}`?"))
}

/// A hint for an option that took the profile for its value.
pub fn profile_first(option: &str, args: &[OsString], verbs: &clap::Command) -> String {
    format!("a profile stands before the option: `{} {option}`", with_profile(option, args, verbs))
}

/// The line with the profile in its place, and with the other words up to the next option.
fn with_profile(option: &str, args: &[OsString], verbs: &clap::Command) -> String {
    let before = words(args);
    let of = |arg: &str| arg.strip_prefix(option).map(|rest| rest.strip_prefix('=').map(str::to_owned));
    let mut rest = args.iter().filter_map(|arg| arg.to_str()).skip_while(|arg| of(arg).is_none());
    let joined = rest.next().and_then(of).flatten();
    let mut rest = rest.take_while(|word| !word.starts_with('-'));
    let profile = joined.or_else(|| rest.next().map(str::to_owned)).unwrap_or_else(|| "PROFILE".to_owned());
    let (verb, words) = before.split_at(of_verbs(&before, verbs));
    let verb = if verb.is_empty() { &["token"] } else { verb };
    let line = verb.iter().copied().chain([profile.as_str()]).chain(words.iter().copied()).chain(rest);
    format!("oauthctl {}", line.map(shown).collect::<Vec<_>>().join(" "))
}

/// The words before the first option. A word after an option may be a secret.
pub fn words(args: &[OsString]) -> Vec<&str> {
    let mut rest = args.iter().skip(1).filter_map(|arg| arg.to_str()).peekable();
    while let Some(option) = rest.next_if(|word| word.starts_with('-')) {
        if option == "--error-format" {
            rest.next();
        }
    }
    rest.take_while(|word| !word.starts_with('-')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::definition;

    fn meant(typed: &str) -> Option<String> {
        let args: Vec<OsString> = std::iter::once("oauthctl").chain(typed.split(' ')).map(Into::into).collect();
        line(&args, &definition())
    }

    #[test]
    fn habits_of_other_programs_lead_to_what_it_is_called_here() {
        for (typed, line) in [
            ("profile list", "oauthctl list"),
            ("profiles", "oauthctl list"),
            ("-v ls", "oauthctl list"),
            ("providers", "oauthctl provider list"),
            ("auth login work", "oauthctl login work"),
            ("auth", "oauthctl login"),
            ("auth print-access-token work", "oauthctl token work"),
            ("--error-format json profile switch work", "oauthctl profile default work"),
            ("get work /a?b=c --jq .x", "oauthctl call work '/a?b=c'"),
            ("getresponse login", "oauthctl login getresponse"),
            ("work token --format json", "oauthctl token work"),
            ("sandbox call /me", "oauthctl call sandbox /me"),
            ("cc", "oauthctl login cc"),
            ("configure --client-secret hush", "oauthctl login"),
            ("profile show work", "oauthctl status work"),
            ("profile show eyJhbGciOiJub25lIn0.e30.", "oauthctl status '…'"),
            ("sandbox start", "oauthctl sandbox serve"),
            ("config", "oauthctl status"),
            ("config show work", "oauthctl status work"),
            ("config list", "oauthctl list"),
            ("provider new mine", "oauthctl provider add mine"),
        ] {
            assert_eq!(meant(typed).as_deref(), Some(line), "{typed}");
        }
        assert_eq!(meant("frobnicate"), None);
        let args: Vec<OsString> = "oauthctl config edit x".split(' ').map(Into::into).collect();
        let hint = command(&args, &definition()).unwrap_or_default();
        assert!(hint.starts_with("`oauthctl doctor` shows "), "{hint}");
    }

    #[test]
    fn each_habit_leads_to_a_command_and_none_is_one() {
        let verbs = definition();
        let find = |words: &str| words.split(' ').try_fold(verbs.clone(), |at, word| at.find_subcommand(word).cloned());
        for (typed, meant) in habits() {
            assert!(meant.starts_with("--") || find(meant).is_some(), "{meant}");
            assert!(find(typed).is_none(), "`{typed}` is a command");
        }
        assert_eq!(habits().map(|(typed, _)| typed).collect::<std::collections::BTreeSet<_>>().len(), habits().count());
    }
}
