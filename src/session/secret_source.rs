//! Reads a secret from a file, from standard input or from the terminal.

use std::path::PathBuf;

use crate::error::Error;
use crate::secret::Secret;
use crate::text::safe;
use crate::world::World;

/// Secrets that may be longer than a line.
const OF_SEVERAL_LINES: [&str; 3] = ["assertion", "client key", "subject token"];

/// Reads a secret without the line end that editors add. `what` names it. A terminal (`/dev/stdin`
/// too) doesn't show the input.
pub fn secret_from_file(world: &mut World, file: &str, what: &str) -> Result<Secret, Error> {
    const LONGEST: usize = 64 * 1024;
    let path = match file.strip_prefix("~/").zip(world.env.home()) {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(file),
    };
    let typed = match file {
        "-" => world.terminal.stdin_is_terminal(),
        _ => std::fs::File::open(&path).is_ok_and(|file| std::io::IsTerminal::is_terminal(&file)),
    };
    if typed {
        return typed_secret(world, what);
    }
    let text = if file == "-" { world.terminal.read_stdin(LONGEST) } else { read_at_most(&path, LONGEST) };
    let what = if file == "-" { "standard input".to_owned() } else { format!("`{}`", safe(file)) };
    let text = text.map_err(|e| Error::usage(format!("the secret can't be read from {what}")).cause(e))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err(Error::usage(format!("{what} holds no secret: it is empty")));
    }
    Ok(Secret::new(secret))
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

pub(super) fn read_at_most(path: &std::path::Path, limit: usize) -> std::io::Result<zeroize::Zeroizing<String>> {
    use std::io::Read;
    let mut text = zeroize::Zeroizing::new(String::new());
    std::fs::File::open(path)?.take(limit as u64).read_to_string(&mut text)?;
    Ok(text)
}
