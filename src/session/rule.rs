//! The profile that a rule of the configuration chooses by the working folder, where none is named.
//! The rules are the person's own; a folder has none.

use std::path::{Path, PathBuf};

use super::Who;
use crate::config::{Config, When, expand_home};
use crate::text::pattern::{is_like, is_within};
use crate::text::safe;
use crate::world::{World, repository};

/// The first rule that fits.
pub fn chosen<'a>(world: &World, rules: impl IntoIterator<Item = &'a When>) -> Option<&'a When> {
    chosen_for(world, rules, None)
}

/// The same, where git tells which `remote` it is about.
pub fn chosen_for<'a>(
    world: &World,
    rules: impl IntoIterator<Item = &'a When>,
    remote: Option<&str>,
) -> Option<&'a When> {
    let mut rules = rules.into_iter().peekable();
    rules.peek()?;
    let folder = world.env.folder()?;
    let mut remotes = remote.map(|remote| vec![remote.to_owned()]);
    rules.find(|rule| {
        let is_here = rule.folder.as_ref().is_none_or(|pattern| is_of(world, pattern, &folder));
        is_here
            && rule.remote.as_ref().is_none_or(|pattern| {
                let remotes = remotes.get_or_insert_with(|| repository::remotes(&folder, world.env.var_os("GIT_DIR")));
                remotes.iter().any(|remote| is_at(pattern, remote))
            })
    })
}

/// The rule by which this command means the profile, in words.
pub fn of(world: &World, who: &Who) -> Option<String> {
    let config = Config::load(who.paths.config.as_deref().filter(|_| !who.named)?).ok()?;
    that_chose(world, &config, &who.name)
}

/// The rule by which no other profile than this is meant here, in words.
pub fn that_chose(world: &World, config: &Config, name: &str) -> Option<String> {
    chosen(world, &config.when).filter(|rule| rule.profile == name).map(words)
}

/// The rule in words.
pub fn words(rule: &When) -> String {
    let folder = rule.folder.iter().map(|folder| format!("folder = \"{}\"", safe(folder)));
    let remote = rule.remote.iter().map(|remote| format!("remote = \"{}\"", safe(remote)));
    format!("the rule {} in config.toml", folder.chain(remote).collect::<Vec<_>>().join(", "))
}

/// Whether the remote is at the pattern's place, or below it: a pattern that ends with `*` says how
/// far below.
fn is_at(pattern: &str, remote: &str) -> bool {
    let (Some(at), Some(place)) = (repository::pattern_of_place(pattern), repository::place(remote)) else {
        return false;
    };
    if pattern.ends_with('*') { is_like(&at, &place) } else { is_within(&at, &place) }
}

/// Whether the folder is one of the pattern's, by the names as they are or behind links.
fn is_of(world: &World, pattern: &str, folder: &Path) -> bool {
    let pattern = expand_home(Path::new(pattern), world.env.home().as_deref());
    let (folder, behind) = (written(folder), written(&behind_links(&pattern)));
    is_within(&written(&pattern), &folder) || is_within(&behind, &folder)
}

/// The pattern with the links of its fixed part resolved.
fn behind_links(pattern: &Path) -> PathBuf {
    let fixed: PathBuf =
        pattern.components().take_while(|part| !part.as_os_str().to_string_lossy().contains('*')).collect();
    match (fixed.canonicalize(), pattern.strip_prefix(&fixed)) {
        (Ok(real), Ok(rest)) => real.join(rest),
        _ => pattern.to_owned(),
    }
}

fn written(path: &Path) -> String {
    let text = path.display().to_string();
    if cfg!(windows) { text.trim_start_matches(r"\\?\").replace('\\', "/") } else { text }
}
