//! What people type who know other programs, and what it is called here: for the words of a mistake. Nothing is done by it.

use std::ffi::OsString;

use crate::provider::catalogue;
use crate::text::{for_a_shell, repeated, safe};

/// The first words, and what is meant by them; the names that follow are kept, unless it is an option.
const HABITS: &[(&str, &str)] = &[
    ("access-token", "token"),
    ("accounts", "list"),
    ("api", "call"),
    ("auth print-access-token", "token"),
    ("authenticate", "login"),
    ("authorize", "login"),
    ("auth", "login"),
    ("check", "doctor"),
    ("commands", "--help"),
    ("config get", "status"),
    ("config ls", "list"),
    ("config unset", "profile unset"),
    ("config set", "profile set"),
    ("config", "list"),
    ("configure", "login"),
    ("connect", "login"),
    ("curl", "call"),
    ("current", "whoami"),
    ("delete", "profile remove"),
    ("get-token", "token"),
    ("get", "call"),
    ("health", "doctor"),
    ("http", "call"),
    ("info", "status"),
    ("init", "login"),
    ("log-in", "login"),
    ("log-out", "logout"),
    ("ls", "list"),
    ("manual", "man"),
    ("me", "whoami"),
    ("print-access-token", "token"),
    ("print-token", "token"),
    ("profile add", "login"),
    ("profile create", "login"),
    ("profile delete", "profile remove"),
    ("profile get", "status"),
    ("profile info", "status"),
    ("profile ls", "list"),
    ("profile mv", "profile rename"),
    ("profile new", "login"),
    ("profile rm", "profile remove"),
    ("profile select", "profile default"),
    ("profile show", "status"),
    ("profile switch", "profile default"),
    ("profile use", "profile default"),
    ("profiles", "list"),
    ("provider get", "provider show"),
    ("provider info", "provider show"),
    ("provider ls", "provider list"),
    ("providers", "provider list"),
    ("remove", "profile remove"),
    ("rename", "profile rename"),
    ("renew", "refresh"),
    ("request", "call"),
    ("revoke", "logout"),
    ("rm", "profile remove"),
    ("run", "sandbox run"),
    ("serve", "sandbox serve"),
    ("set", "profile set"),
    ("setup", "login"),
    ("show", "status"),
    ("sign-in", "login"),
    ("sign-out", "logout"),
    ("signin", "login"),
    ("signout", "logout"),
    ("switch", "profile default"),
    ("tokens", "list"),
    ("unset", "profile unset"),
    ("use", "profile default"),
    ("version", "--version"),
];

/// Words that other programs group their commands by.
const GROUPS: [&str; 8] = ["account", "auth", "oauth", "oauth2", "profile", "profiles", "provider", "user"];

/// Options that are called otherwise here.
const OPTIONS: &[(&str, &str)] = &[("--json", "--format json"), ("--output", "--format"), ("-o", "--format")];

/// The line that was meant by words that are no command; `None`: nobody knows.
pub fn line(args: &[OsString], verbs: &clap::Command) -> Option<String> {
    let words = words(args);
    // `sandbox` is a provider's name as well
    let is_verb = |word: &str| word != "sandbox" && verbs.find_subcommand(word).is_some();
    let joined = words.join(" ");
    let begins = |typed: &str| joined.strip_prefix(typed).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let explicit = |(typed, _): &&(&str, &str)| begins(typed) && typed.contains(' ');
    let habit = HABITS.iter().find(explicit).or_else(|| match &words[..] {
        // `auth status`, `profile list`, `getresponse login`: said below
        [_, second, ..] if is_verb(second) => None,
        _ => HABITS.iter().find(|(typed, _)| begins(typed)),
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
    let shown = |word: &&str| for_a_shell(&repeated(word));
    Some(format!("oauthctl {}", meant.iter().map(shown).collect::<Vec<_>>().join(" ")))
}

/// What an option is called here, or where its value belongs.
pub fn option(typed: &str, args: &[OsString]) -> Option<String> {
    if matches!(typed, "--profile" | "-p") {
        let verb = words(args).first().map_or("token", |verb| *verb);
        return Some(format!("the profile is a word without an option: `oauthctl {} PROFILE`", safe(verb)));
    }
    let (_, here) = OPTIONS.iter().find(|(there, _)| *there == typed)?;
    Some(format!("did you mean `{here}`?"))
}

/// The words up to the first option behind them: what follows an option may be a secret.
fn words(args: &[OsString]) -> Vec<&str> {
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
            ("version", "oauthctl --version"),
            ("profile list", "oauthctl list"),
            ("profiles", "oauthctl list"),
            ("-v ls", "oauthctl list"),
            ("providers", "oauthctl provider list"),
            ("auth login work", "oauthctl login work"),
            ("auth", "oauthctl login"),
            ("auth print-access-token work", "oauthctl token work"),
            ("--error-format json profile use work", "oauthctl profile default work"),
            ("get work /a?b=c --jq .x", "oauthctl call work '/a?b=c'"),
            ("getresponse login", "oauthctl login getresponse"),
            ("work token --format json", "oauthctl token work"),
            ("sandbox call /me", "oauthctl call sandbox /me"),
            ("cc", "oauthctl login cc"),
            ("configure --client-secret hush", "oauthctl login"),
            ("profile show work", "oauthctl status work"),
        ] {
            assert_eq!(meant(typed).as_deref(), Some(line), "{typed}");
        }
        assert_eq!(meant("frobnicate"), None);
    }

    #[test]
    fn each_habit_leads_to_a_command_and_none_is_one() {
        let verbs = definition();
        let find = |words: &str| words.split(' ').try_fold(verbs.clone(), |at, word| at.find_subcommand(word).cloned());
        for (typed, meant) in HABITS {
            assert!(meant.starts_with("--") || find(meant).is_some(), "{meant}");
            assert!(find(typed).is_none(), "`{typed}` is a command");
        }
        assert!(HABITS.windows(2).all(|two| two[0].0 != two[1].0));
    }
}
