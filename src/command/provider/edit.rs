//! `provider edit`: opens a provider's file in the person's editor. A copy is edited, and replaces
//! the file once it is valid; what is refused stays in the copy, which the next `provider edit`
//! opens.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::command::{may_ask, not_run};
use crate::config;
use crate::error::{Error, Kind, unanswered};
use crate::text::{for_a_shell, safe};
use crate::world::World;

pub fn run(name: &str, dir: &Path, world: &mut World) -> Result<u8, Error> {
    let file = config::own_provider(dir, name)?;
    let editor = editor(world, &file.path)?;
    let copy = file.path.with_extension("toml.edit");
    let kept =
        || format!("your text is kept in {}: `oauthctl provider edit {}` opens it again", shown(&copy), file.name);
    let base = file.path.with_extension("toml.base");
    let drop_both = || config::remove_copy(&base).and_then(|()| config::remove_copy(&copy));
    match config::kept_copy(&copy).map_err(|e| Error::from(e).hint(format!("rm {}", for_a_shell(&shown(&copy)))))? {
        Some(_) if config::kept_copy(&base)?.is_some_and(|base| base != file.begins) => {
            let (file, copy) = (for_a_shell(&shown(&file.path)), for_a_shell(&shown(&copy)));
            return Err(Error::usage(format!("{file} was changed since your text of the last time was begun"))
                .hint(format!("compare them: diff {file} {copy}"))
                .hint(format!("then delete your text, and begin anew: rm {copy}")));
        }
        Some(_) => world.say(&format!("This is your text of the last time, which was not taken: {}", shown(&copy))),
        None => {
            config::write_copy(&base, &file.begins)?;
            config::write_copy(&copy, &file.begins)?;
        }
    }
    loop {
        let ended = world.programs.run(&argv(&editor, &copy), &[]).map_err(|e| not_run(&[editor.clone().into()], e))?;
        let same = || config::kept_copy(&copy).is_ok_and(|text| text.is_none_or(|text| text == file.begins));
        if ended != 0 && same() {
            drop_both()?;
            return Err(Error::new(Kind::Other, format!("`{}` ended with exit code {ended}", safe(&editor)))
                .hint("nothing was changed"));
        }
        if ended != 0 {
            let error = Error::new(Kind::Other, format!("`{}` ended with exit code {ended}", safe(&editor)));
            return Err(error.hint(kept()));
        }
        let text = config::kept_copy(&copy)?.unwrap_or_default();
        if text == file.begins {
            drop_both()?;
            world.say(&format!("{}: nothing was changed", file.name));
            return Ok(0);
        }
        let Err(e) = config::replace_provider(dir, &file, &text) else { break };
        let e = Error::from(e);
        if !may_ask(world) {
            return Err(e.hint(kept()));
        }
        for line in e.as_text(false).lines() {
            world.lead(line);
        }
        match world.ask_whether("Edit it again?", true) {
            Ok(true) => {}
            Ok(false) => return Err(Error::new(Kind::Other, "the file is as it was").hint(kept())),
            Err(e) => return Err(unanswered(e, "the file is as it was").hint(kept())),
        }
    }
    drop_both()?;
    world.say(&format!("{} is written. `oauthctl provider test {}` tries it.", shown(&file.path), file.name));
    Ok(0)
}

fn shown(path: &Path) -> String {
    safe(&path.display().to_string())
}

/// The person's editor; without one, the system's at a terminal.
fn editor(world: &World, path: &Path) -> Result<String, Error> {
    let usual = if cfg!(windows) { "notepad" } else { "vi" };
    let said = ["VISUAL", "EDITOR"].iter().find_map(|name| world.env.var(name));
    said.or_else(|| may_ask(world).then(|| usual.to_owned())).ok_or_else(|| {
        Error::usage("no editor is named, and there is no terminal")
            .hint(format!("set EDITOR; the file is {}", shown(path)))
    })
}

/// The command line: an editor's variable may hold arguments, and a path with blanks in quotes.
fn argv(editor: &str, copy: &PathBuf) -> Vec<OsString> {
    if cfg!(windows) {
        return editor.split_whitespace().map(OsString::from).chain([copy.into()]).collect();
    }
    let words = ["sh".to_owned(), "-c".to_owned(), format!("{editor} \"$@\""), for_a_shell(editor)];
    words.into_iter().map(OsString::from).chain([copy.into()]).collect()
}
