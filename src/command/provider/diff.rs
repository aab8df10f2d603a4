//! `provider diff`: the keys by which a provider of one's own differs from the built-in one, as a
//! file that extends it would hold them.

use std::path::Path;

use toml_edit::Key;

use crate::command::print;
use crate::config;
use crate::error::Error;
use crate::layers::tree::ReadError;
use crate::provider::resolve::resolve;
use crate::text::safe;
use crate::world::World;

pub fn run(name: &str, dir: &Path, world: &mut World) -> Result<u8, Error> {
    let mine = config::provider(dir, name, None)?;
    let Some(id) = config::changed_built_in(dir, &mine.id)? else {
        return Err(Error::usage(format!("there is no built-in provider called `{}`", safe(&mine.id)))
            .hint(format!("`oauthctl provider show {}` shows it whole", safe(&mine.id))));
    };
    let built_in = resolve(id, None, &no_file).map_err(config::ConfigError::from)?;
    let differences = mine.differences(&built_in);
    let mut lines: String = differences.iter().map(|one| line("", one)).collect();
    for (environment, inside) in config::provider_in_environments(dir, &mine.id)? {
        let section = format!("environments.{}.", Key::new(&environment));
        lines += &match resolve(id, Some(&environment), &no_file) {
            Ok(theirs) => {
                let own = inside.differences(&theirs).into_iter().filter(|one| !differences.contains(one));
                own.map(|one| line(&section, &one)).collect::<String>()
            }
            // an environment of one's own
            Err(_) => inside
                .differences(&mine)
                .into_iter()
                .map(|(key, value, _)| line(&section, &(key, value, None)))
                .collect(),
        };
    }
    match lines.is_empty() {
        true if mine.id == id => world.say(&format!("`{id}` is as it is built in")),
        true => world.say(&format!("`{}` is as `{id}` is built in", safe(&mine.id))),
        false => {}
    }
    print(world, lines.as_bytes()).map(|()| 0)
}

fn no_file(_: &str) -> Result<Option<String>, ReadError> {
    Ok(None)
}

/// A key of a section with its value, and the built-in one above it.
fn line(section: &str, (key, mine, theirs): &(String, String, Option<String>)) -> String {
    let above = theirs.as_ref().map(|theirs| format!("# built in: {section}{key} = {theirs}\n")).unwrap_or_default();
    format!("{above}{section}{key} = {mine}\n")
}
