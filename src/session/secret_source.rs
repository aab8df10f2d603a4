//! Reads a secret: from a file, standard input or the terminal, or where the configuration says.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Profile, SecretSource};
use crate::error::Error;
use crate::secret::Secret;
use crate::session::Who;
use crate::text::safe;
use crate::world::{World, read_text};

/// Secrets that may be longer than a line.
const OF_SEVERAL_LINES: [&str; 3] = ["assertion", "client key", "subject token"];

/// The secret in a text, without the byte order mark, blanks and line ends around it. Of several
/// lines it is the first: password managers print notes below it. `None`: the text is empty.
pub(super) fn secret_in(text: &str, what: &str) -> Option<Secret> {
    let whole = text.trim_matches(is_around);
    let secret = match OF_SEVERAL_LINES.contains(&what) {
        true => whole,
        false => whole.split(['\n', '\r']).next().unwrap_or_default().trim_end_matches(is_around),
    };
    (!secret.is_empty()).then(|| Secret::new(secret))
}

fn is_around(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// Reads a secret. `what` names it. A terminal (`/dev/stdin` too) doesn't show the input.
pub fn secret_from_file(world: &mut World, file: &str, what: &str) -> Result<Secret, Error> {
    secret_and_more(world, file, what).map(|(secret, _)| secret)
}

/// The same for a secret that is stored from now on: says that the lines below it are not.
pub fn secret_to_store(world: &mut World, file: &str, what: &str) -> Result<Secret, Error> {
    let (secret, has_more) = secret_and_more(world, file, what)?;
    if has_more {
        world.say(&format!("The {what} is the first line of {}; the other lines are not stored.", in_words(file)));
    }
    Ok(secret)
}

/// The secret, and whether other lines are below it.
fn secret_and_more(world: &mut World, file: &str, what: &str) -> Result<(Secret, bool), Error> {
    const LONGEST: usize = 64 * 1024;
    let path = path_of(world, file);
    let typed = match file {
        "-" => world.terminal.stdin_is_terminal(),
        _ => std::fs::File::open(&path).is_ok_and(|file| std::io::IsTerminal::is_terminal(&file)),
    };
    if typed {
        return typed_secret(world, what).map(|secret| (secret, false));
    }
    let text = text_of_file(world, file, ("secret", LONGEST))?;
    let has_more = !OF_SEVERAL_LINES.contains(&what) && text.trim_matches(is_around).contains(['\n', '\r']);
    let empty = || Error::usage(format!("{} holds no secret: it is empty", in_words(file)));
    secret_in(&text, what).map(|secret| (secret, has_more)).ok_or_else(empty)
}

fn path_of(world: &World, file: &str) -> PathBuf {
    match file.strip_prefix("~/").zip(world.env.home()) {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(file),
    }
}

fn in_words(file: &str) -> String {
    if file == "-" { "standard input".to_owned() } else { format!("`{}`", safe(file)) }
}

/// Reads a file, or standard input for `-`: at most so many bytes. `what` names it in the error.
pub fn text_of_file(
    world: &World,
    file: &str,
    (what, longest): (&str, usize),
) -> Result<zeroize::Zeroizing<String>, Error> {
    let text = match file {
        "-" => world.terminal.read_stdin(longest),
        _ => read_at_most(&path_of(world, file), longest),
    };
    text.map_err(|e| Error::usage(format!("the {what} can't be read from {}", in_words(file))).cause(e))
}

/// Reads a source of the configuration or of a flag. `what` names it in errors. One of the
/// configuration is not read for another place.
pub fn read(world: &mut World, who: &Who, what: &str, source: &Option<SecretSource>) -> Result<Option<Secret>, Error> {
    let is_sent = |by: &Profile| by.sent().any(|(_, own)| Some(own) == source.as_ref());
    if is_sent(&who.profile) && !is_sent(&who.choice.flags) && who.in_config()?.0.is_some_and(|own| is_sent(&own)) {
        who.stays_here(what)?;
    }
    match source {
        None => Ok(None),
        Some(SecretSource::File(path)) => {
            if let Some(secret) = who.read.borrow().get(what) {
                return Ok(Some(secret.clone()));
            }
            let secret = secret_from_file(world, &path.to_string_lossy(), what)?;
            who.read.borrow_mut().insert(what.to_owned(), secret.clone());
            Ok(Some(secret))
        }
        Some(SecretSource::Env(name)) => {
            let secret = world.env.var(name).and_then(|text| secret_in(&text, what));
            secret.map(Some).ok_or_else(|| {
                let state = match world.env.var_os(name) {
                    None => "not set",
                    Some(value) if value.to_str().is_some() => "empty",
                    Some(_) => "not text in UTF-8",
                };
                let variable = safe(name);
                Error::usage(format!("the {what} of `{}` is in the variable `{variable}`, which is {state}", who.name))
            })
        }
        Some(SecretSource::Command(argv)) => {
            let shown = safe(&argv.join(" "));
            world.step(|| format!("asking `{shown}` for the {what}"));
            let failed = || Error::usage(format!("the command for the {what}, `{shown}`, failed"));
            let out = world.programs.output(argv, Duration::from_secs(60)).map_err(|e| failed().cause(e))?;
            secret_in(&out, what).map(Some).ok_or_else(|| failed().because("it printed nothing"))
        }
    }
}

fn typed_secret(world: &mut World, what: &str) -> Result<Secret, Error> {
    let mut name = what.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let typed = match OF_SEVERAL_LINES.contains(&what) {
        true => world.ask_hidden_lines(&format!("{name} (not shown; Enter and Ctrl-D end it)"))?,
        false => world.ask_hidden(&format!("{name} (not shown)"))?,
    };
    match typed.is_empty() {
        true => Err(Error::usage(format!("no {what} was entered; nothing was done"))),
        false => Ok(typed),
    }
}

/// Reads a text of at most so many bytes.
pub(super) fn read_at_most(path: &std::path::Path, limit: usize) -> std::io::Result<zeroize::Zeroizing<String>> {
    read_text(std::fs::File::open(path)?, limit)
}
