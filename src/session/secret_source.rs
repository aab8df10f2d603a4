//! Reads a secret: from a file, standard input or the terminal, or where the configuration says.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Profile, SecretSource};
use crate::error::Error;
use crate::secret::Secret;
use crate::session::Who;
use crate::text::safe;
use crate::world::World;

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
    const LONGEST: usize = 64 * 1024;
    let path = path_of(world, file);
    let typed = match file {
        "-" => world.terminal.stdin_is_terminal(),
        _ => std::fs::File::open(&path).is_ok_and(|file| std::io::IsTerminal::is_terminal(&file)),
    };
    if typed {
        return typed_secret(world, what);
    }
    let text = text_of_file(world, file, ("secret", LONGEST))?;
    secret_in(&text, what).ok_or_else(|| Error::usage(format!("{} holds no secret: it is empty", in_words(file))))
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
    if is_sent(&who.profile) && !is_sent(&who.choice.flags) {
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
                let state = if world.env.var_os(name).is_some() { "empty" } else { "not set" };
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

/// Reads a text. One in UTF-16 has a byte order mark (PowerShell writes it).
pub(super) fn read_at_most(path: &std::path::Path, limit: usize) -> std::io::Result<zeroize::Zeroizing<String>> {
    use std::io::Read;
    use zeroize::Zeroizing;
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(path)?.take(limit as u64).read_to_end(&mut bytes)?;
    if let [0xff, 0xfe, rest @ ..] = bytes.as_slice() {
        let units: Zeroizing<Vec<u16>> =
            Zeroizing::new(rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect());
        return String::from_utf16(&units).map(Zeroizing::new).map_err(std::io::Error::other);
    }
    let mut text = Zeroizing::new(String::new());
    bytes.as_slice().read_to_string(&mut text)?;
    Ok(text)
}
