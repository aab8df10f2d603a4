//! `provider diff`: the keys by which a provider of one's own differs from the built-in one, as a
//! file that extends it would hold them.

use std::path::Path;

use crate::command::print;
use crate::config;
use crate::error::Error;
use crate::provider::catalogue;
use crate::provider::resolve::from_text;
use crate::text::safe;
use crate::world::World;

pub fn run(name: &str, dir: &Path, world: &mut World) -> Result<u8, Error> {
    let mine = config::provider(dir, name, None)?;
    let Some((id, text)) = catalogue::find(&mine.id) else {
        return Err(Error::usage(format!("there is no built-in provider called `{}`", safe(&mine.id)))
            .hint(format!("`oauthctl provider show {}` shows it whole", safe(&mine.id))));
    };
    let built_in = from_text(id, text, None).map_err(config::ConfigError::from)?;
    let differences = mine.differences(&built_in);
    if differences.is_empty() {
        world.say(&format!("`{id}` is as it is built in"));
    }
    let lines: String = differences
        .into_iter()
        .map(|(key, mine, theirs)| match theirs {
            Some(theirs) => format!("# built in: {key} = {theirs}\n{key} = {mine}\n"),
            None => format!("{key} = {mine}\n"),
        })
        .collect();
    print(world, lines.as_bytes()).map(|()| 0)
}
