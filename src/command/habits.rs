//! What people type who know other programs, and what it is called here: for the words of a
//! mistake. Nothing is done by it.

use std::ffi::OsString;

use crate::provider::catalogue;
use crate::text::{for_a_shell, repeated};

/// The first words, and what is meant by them; the names that follow are kept, unless it is an
/// option.
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
    ("config show", "status"),
    ("config unset", "profile unset"),
    ("config set", "profile set"),
    ("config view", "status"),
    ("config", "status"),
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
    ("sandbox start", "sandbox serve"),
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
const GROUPS: [&str; 9] = ["account", "auth", "config", "oauth", "oauth2", "profile", "profiles", "provider", "user"];

/// Words for what is done with no command, and how it is done.
const NO_COMMANDS: &[(&[&str], &str)] = &[
    (
        &["config dir", "config edit", "config file", "config path"],
        "`oauthctl doctor` names the configuration's folder, `oauthctl profile set` changes a profile in its `config.toml`",
    ),
    (
        &["provider add", "provider create", "provider edit", "provider new", "provider set"],
        "a provider of your own is a file: begin `providers/NAME.toml` in the configuration's folder with what `oauthctl provider show getresponse` prints; where OpenID discovery is, `oauthctl login https://ISSUER` needs none",
    ),
];

/// Options that are missing on purpose: a secret on the command line can be read by every program
/// of this machine.
const SECRETS: &[(&str, &str)] = &[
    ("--access-token", FROM_OUTSIDE),
    ("--client-secret", "`--client-secret-file FILE` (`-`: standard input), or OAUTHCTL_CLIENT_SECRET"),
    ("--passphrase", "OAUTHCTL_STORE_PASSPHRASE_FILE"),
    ("--password", "`oauthctl login` asks for what it needs, and no provider's password is typed here"),
    ("--refresh-token", "`oauthctl login` obtains one and keeps it"),
    ("--token", FROM_OUTSIDE),
];

const FROM_OUTSIDE: &str =
    "OAUTHCTL_<PROFILE>_TOKEN for one to be used, standard input for one to be read (`oauthctl inspect -`)";

/// Options that are called otherwise here.
const OPTIONS: &[(&str, &str)] = &[("--json", "--format json"), ("--output", "--format"), ("-o", "--format")];

/// What was meant by words that are no command; `None`: nobody knows.
pub fn command(args: &[OsString], verbs: &clap::Command) -> Option<String> {
    let joined = words(args).join(" ");
    let how = NO_COMMANDS.iter().find(|(typed, _)| typed.iter().any(|typed| begins(&joined, typed)));
    how.map(|(_, how)| (*how).to_owned()).or_else(|| line(args, verbs).map(|line| format!("did you mean `{line}`?")))
}

/// What was meant by a command with a word that it doesn't take.
pub fn word(args: &[OsString], verbs: &clap::Command) -> Option<String> {
    match &words(args)[..] {
        ["list", profile] => Some(format!("did you mean `oauthctl status {}`?", shown(profile))),
        ["man", rest @ ..] if of_verbs(rest, verbs) == rest.len() => {
            Some(format!("one page holds all; of this alone: `oauthctl {} --help`", rest.join(" ")))
        }
        _ => None,
    }
}

fn begins(joined: &str, typed: &str) -> bool {
    joined.strip_prefix(typed).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

fn shown(word: &str) -> String {
    for_a_shell(&repeated(word))
}

/// How many of the first words are a command's.
fn of_verbs(words: &[&str], verbs: &clap::Command) -> usize {
    let mut at = verbs;
    words.iter().map_while(|word| at.find_subcommand(word).map(|next| at = next)).count()
}

fn line(args: &[OsString], verbs: &clap::Command) -> Option<String> {
    let words = words(args);
    // `sandbox` is a provider's name as well
    let is_verb = |word: &str| word != "sandbox" && verbs.find_subcommand(word).is_some();
    let joined = words.join(" ");
    let explicit = |(typed, _): &&(&str, &str)| begins(&joined, typed) && typed.contains(' ');
    let habit = HABITS.iter().find(explicit).or_else(|| match &words[..] {
        // `auth status`, `profile list`, `getresponse login`: said below
        [_, second, ..] if is_verb(second) => None,
        _ => HABITS.iter().find(|(typed, _)| begins(&joined, typed)),
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

/// What an option is called here, or where its value belongs.
pub fn option(typed: &str, args: &[OsString], verbs: &clap::Command) -> Option<String> {
    if matches!(typed, "--profile" | "-p") {
        return Some(format!("the profile is a word without an option: `{}`", with_profile(typed, args, verbs)));
    }
    if let Some((_, instead)) = SECRETS.iter().find(|(secret, _)| *secret == typed) {
        return Some(format!("what stands on the command line is no secret any more; instead: {instead}"));
    }
    let (_, here) = OPTIONS.iter().find(|(there, _)| *there == typed)?;
    Some(format!("did you mean `{here}`?"))
}

/// The line with the profile in its place, and the words around it up to the next option.
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

/// The words up to the first option behind them: what follows an option may be a secret.
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
            ("profile show eyJhbGciOiJub25lIn0.e30.", "oauthctl status '…'"),
            ("sandbox start", "oauthctl sandbox serve"),
            ("config", "oauthctl status"),
            ("config show work", "oauthctl status work"),
            ("config list", "oauthctl list"),
        ] {
            assert_eq!(meant(typed).as_deref(), Some(line), "{typed}");
        }
        assert_eq!(meant("frobnicate"), None);
        for (typed, how) in
            [("provider add", "a provider of your own is a file: "), ("config edit", "`oauthctl doctor` names ")]
        {
            let args: Vec<OsString> = format!("oauthctl {typed} x").split(' ').map(Into::into).collect();
            assert!(command(&args, &definition()).is_some_and(|hint| hint.starts_with(how)), "{typed}");
        }
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
