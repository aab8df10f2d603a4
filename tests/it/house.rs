//! The layers of the house: a room uses only the floors below it, never one above or a neighbour.
//! Each file states its purpose, and only `world/` reaches outside the process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub fn sources() -> Vec<(PathBuf, String)> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    below(&root, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.strip_prefix(&root).unwrap().to_owned(), text)
    };
    found.into_iter().map(read).collect()
}

/// The table at the top of `src/lib.rs`: each room's floor.
fn floors() -> BTreeMap<String, u32> {
    let (_, lib) = sources().into_iter().find(|(path, _)| path == Path::new("lib.rs")).unwrap();
    let mut floors = BTreeMap::new();
    for line in lib.lines().filter_map(|l| l.strip_prefix("//! ")) {
        let mut words = line.split_whitespace();
        if let Some(floor) = words.next().and_then(|w| w.parse().ok()) {
            floors.extend(words.map(|room| (room.to_owned(), floor)));
        }
    }
    floors
}

/// Where a file stands: its module's names from the crate's root (`world/loopback/page.rs` is
/// `world`, `loopback`, `page`).
fn module(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = path.with_extension("").iter().map(|p| p.to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|n| n == "mod") {
        names.pop();
    }
    names
}

/// The code alone: comments are blanked out, the lines stay where they are.
pub fn code(text: &str) -> String {
    let line = |l: &str| match l.find("//") {
        // an address in a string is no comment
        Some(at) if !l[..at].ends_with(':') => l[..at].to_owned(),
        _ => l.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Every path that a text begins with: `a::{b::C, d as e}` is `a::b::C` and `a::d::as::e`.
fn paths_at(text: &str) -> Vec<Vec<String>> {
    if let Some(list) = text.strip_prefix('{') {
        let mut depth = 0;
        let mut parts = vec![String::new()];
        for c in list.chars() {
            match c {
                '}' if depth == 0 => break,
                ',' if depth == 0 => parts.push(String::new()),
                _ => {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    parts.last_mut().unwrap().push(c);
                }
            }
        }
        return parts.iter().flat_map(|part| paths_at(part.trim())).collect();
    }
    let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if name.is_empty() {
        return Vec::new();
    }
    let below = text[name.len()..].strip_prefix("::").map(paths_at).unwrap_or_default();
    let with_name = |rest: Vec<String>| [vec![name.clone()], rest].concat();
    match text[name.len()..].strip_prefix(" as ").map(paths_at) {
        Some(other) => vec![[vec![name, "as".to_owned()], other.concat()].concat()],
        None if below.is_empty() => vec![vec![name]],
        None => below.into_iter().map(with_name).collect(),
    }
}

/// How many `mod name {` are open at the end of a text, told by the indentation: there `super`
/// leads to the file's own module.
fn inner_modules(text: &str) -> usize {
    let mut open: Vec<&str> = Vec::new();
    for line in text.lines() {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        if rest.trim_start_matches("pub ").starts_with("mod ") && rest.ends_with('{') {
            open.push(indent);
        } else if rest == "}" && open.last() == Some(&indent) {
            open.pop();
        }
    }
    open.len()
}

/// Every path that a file names by `crate::` or `super::`, from the crate's root, with the line.
fn used(path: &Path, text: &str) -> Vec<(usize, Vec<String>)> {
    let code = code(text);
    let here = module(path);
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    let mut used = Vec::new();
    for (at, found) in code.match_indices("crate::") {
        used.extend(paths_at(&code[at + found.len()..]).into_iter().map(|names| (line(at), names)));
    }
    let mut at = 0;
    while let Some(next) = code[at..].find("super::") {
        let begin = at + next;
        let rest = code[begin..].trim_start_matches("super::");
        let ups = (code.len() - begin - rest.len()) / "super::".len();
        let base = &here[..(here.len() + inner_modules(&code[..begin])).saturating_sub(ups).min(here.len())];
        used.extend(paths_at(rest).into_iter().map(|names| (line(begin), [base.to_vec(), names].concat())));
        at = code.len() - rest.len();
    }
    used
}

/// The names that the `use`s of a file bring, with their paths from the crate's root. The path of
/// another crate seems to begin in the file itself.
fn imported(path: &Path, code: &str) -> Vec<(String, Vec<String>)> {
    let here = module(path);
    let begins = |at: &usize| {
        let before = code[..*at].lines().last().filter(|_| !code[..*at].ends_with('\n')).unwrap_or_default().trim();
        before.is_empty() || before.starts_with("pub") && !before.contains(';')
    };
    let statements = code.match_indices("use ").map(|(at, _)| at).filter(begins);
    let paths = statements.flat_map(|at| paths_at(&code[at + "use ".len()..]));
    let named = |mut names: Vec<String>| {
        let name = names.pop().unwrap();
        match names.last().map(String::as_str) {
            Some("as") => drop(names.pop()),
            _ if name == "self" => return (names.last().cloned().unwrap_or(name), names),
            _ => names.push(name.clone()),
        }
        (name, names)
    };
    let from_root = |(name, names): (String, Vec<String>)| {
        let ups = names.iter().take_while(|it| *it == "super").count();
        match names[0].as_str() {
            "crate" => (name, names[1..].to_vec()),
            "self" => (name, [&here[..], &names[1..]].concat()),
            _ => (name, [&here[..here.len().saturating_sub(ups)], &names[ups..]].concat()),
        }
    };
    paths.map(named).map(from_root).collect()
}

/// A file's text up to its tests.
fn without_tests(text: &str) -> &str {
    let is_module = |line: &str| line.starts_with("mod ") && line.ends_with('{');
    let begins = |at: &usize| text[*at..].lines().find(|line| !line.starts_with("#[")).is_some_and(is_module);
    let end = text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(begins);
    &text[..end.unwrap_or(text.len())]
}

/// Which files a file uses, directly and by a name that a folder's own file (`mod.rs`) passes on.
/// The latter names the files of the folder, and they use its types: it is not counted.
fn files_used(sources: &[(PathBuf, String)]) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let sources: Vec<_> = sources.iter().map(|(path, text)| (path, module(path), code(without_tests(text)))).collect();
    let modules: BTreeSet<&[String]> = sources.iter().map(|(_, here, _)| &here[..]).collect();
    let is_folder = |it: &[String]| modules.iter().any(|m| m.len() > it.len() && m.starts_with(it));
    let (folders, files): (Vec<_>, Vec<_>) = sources.iter().partition(|(_, here, _)| is_folder(here));
    let passed_on: BTreeMap<Vec<String>, Vec<String>> = folders
        .iter()
        .flat_map(|(path, here, code)| {
            imported(path, code).into_iter().map(|(name, to)| ([&here[..], &[name]].concat(), to))
        })
        .collect();
    let file = |mut names: Vec<String>| {
        // a name may be passed on several times
        for _ in 0..8 {
            let Some(end) = (1..=names.len()).find(|end| !modules.contains(&names[..*end])) else { break };
            let Some(to) = passed_on.get(&names[..end]) else { break };
            names = [&to[..], &names[end..]].concat();
        }
        while !names.is_empty() && !modules.contains(&names[..]) {
            names.pop();
        }
        names
    };
    let uses_of = |(path, here, code): &(&PathBuf, Vec<String>, String)| {
        let mut named: Vec<_> = used(path, code).into_iter().map(|(_, names)| names).collect();
        for (name, to) in imported(path, code) {
            for (at, found) in code.match_indices(&format!("{name}::")) {
                if !code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || "_:".contains(c)) {
                    let rest = paths_at(&code[at + found.len()..]);
                    named.extend(rest.into_iter().map(|rest| [&to[..], &rest].concat()));
                }
            }
        }
        let others = named.into_iter().map(file).filter(|it| !it.is_empty() && it != here && !is_folder(it));
        (here.clone(), others.collect())
    };
    files.into_iter().map(uses_of).collect()
}

/// The circles: files that each lead to the others.
fn circles(uses: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> BTreeSet<Vec<String>> {
    let reached = |from: &Vec<String>| {
        let mut found = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            open.extend(uses.get(next).into_iter().flatten().filter(|it| found.insert((*it).clone())));
        }
        found
    };
    let reached: BTreeMap<_, _> = uses.keys().map(|it| (it, reached(it))).collect();
    let circle = |it: &Vec<String>| -> Vec<String> {
        let back = |other: &&Vec<String>| reached.get(other).is_some_and(|from| from.contains(it));
        reached[it].iter().filter(back).map(|other| other.join("/")).collect()
    };
    uses.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

#[test]
fn a_room_uses_only_the_floors_below_it() {
    let floors = floors();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = module(&path)[0].clone();
        if room == "main" || room == "lib" {
            continue;
        }
        let Some(floor) = floors.get(&room) else {
            wrong.push(format!("{}: the room `{room}` has no floor in src/lib.rs", path.display()));
            continue;
        };
        for (line, mut names) in used(&path, &text) {
            let other = names.remove(0);
            match floors.get(&other) {
                _ if other == room => {}
                Some(below) if below < floor => {}
                Some(above) => {
                    wrong.push(format!("{}:{line}: {room} ({floor}) uses {other} ({above})", path.display()))
                }
                None => {
                    wrong.push(format!("{}:{line}: `{other}` is no room of the table in src/lib.rs", path.display()))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Circles of files that stay, each with its reason.
const CIRCLES: [(&[&str], &str); 1] =
    [(&["session/fresh", "session/grant_input"], "the subject of an exchange may be another profile's fresh token")];

#[test]
fn no_file_uses_another_that_leads_back_to_it() {
    let is_test = |path: &Path| path.with_extension("").iter().any(|part| part.to_str().unwrap().contains("test"));
    let sources: Vec<_> = sources().into_iter().filter(|(path, _)| !is_test(path)).collect();
    let named: BTreeSet<Vec<String>> =
        CIRCLES.iter().map(|(files, _)| files.iter().map(|file| (*file).to_owned()).collect()).collect();
    assert_eq!(circles(&files_used(&sources)), named);
    assert!(CIRCLES.len() <= 3 && CIRCLES.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn circles_are_found_through_the_names_that_a_folder_passes_on() {
    let found = |room: &str, a: &str, b: &str| {
        let files = [("lib.rs", "pub mod room;"), ("room/mod.rs", room), ("room/a.rs", a), ("room/b.rs", b)];
        let others =
            [("room/deep/mod.rs", "pub mod c;\npub use c::C;\n"), ("room/deep/c.rs", "use crate::room::a::A;")];
        let sources: Vec<_> =
            files.into_iter().chain(others).map(|(path, text)| (path.into(), text.to_owned())).collect();
        circles(&files_used(&sources)).into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let room = "mod a;\n#[cfg(test)]\nmod tests;\nmod b;\npub mod deep;\npub use a::{A, X as Z};\nuse b::B;\npub use deep::C;\n";
    assert_eq!(found(room, "use crate::room::B;", "use super::{Z, other};"), "room/a room/b");
    assert_eq!(found(room, "use super::B;", "fn f() -> crate::room::A {}"), "room/a room/b");
    assert_eq!(
        found(room, "use crate::room;\nfn f() { room::b::g() }", "use crate::room::{self, A};"),
        "room/a room/b"
    );
    assert_eq!(found(room, "use crate::room::C;", ""), "room/a room/deep/c", "passed on twice");
    assert_eq!(found(room, "use super::deep;\nfn f() { deep::C::new() }", ""), "room/a room/deep/c");
    assert_eq!(found(room, "use super::B;", "#[cfg(test)]\nmod tests {\n    use super::super::A;\n}"), "");
    assert_eq!(found(room, "// use super::B;\nuse serde::B;", "use super::A;"), "");
}

#[test]
fn every_room_stands_in_the_table_and_every_name_of_it_is_a_room() {
    let rooms: BTreeSet<String> =
        sources().iter().map(|(path, _)| module(path)[0].clone()).filter(|r| r != "lib" && r != "main").collect();
    assert_eq!(floors().into_keys().collect::<BTreeSet<_>>(), rooms);
}

#[test]
fn every_file_says_why_it_exists() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| path != Path::new("main.rs") && !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no module comment: {}", silent.join(", "));
}

#[test]
fn only_the_world_touches_what_lies_outside_the_process() {
    const OUTSIDE: [&str; 6] =
        ["std::env::", "SystemTime", "std::process::Command", "TcpListener::bind", "println!", "eprintln!"];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if path.starts_with("world") || path == Path::new("main.rs") {
            continue;
        }
        // a test may measure and may look at its own machine
        let code = code(&text);
        let code = code.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            for what in OUTSIDE.iter().filter(|what| line.contains(**what)) {
                wrong.push(format!("{}:{}: {what}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "only `world/` does this:\n{}", wrong.join("\n"));
}

/// The test of the test: what it must find.
#[test]
fn keys_and_certificates_are_made_and_never_committed() {
    fn look(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "node_modules" && name != "run") {
                look(&path, found);
            } else if path
                .extension()
                .is_some_and(|e| ["pem", "key", "crt", "cer", "der", "p12"].iter().any(|k| e == *k))
            {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "tests", "completions"] {
        look(&root.join(folder), &mut found);
    }
    assert_eq!(found, Vec::<PathBuf>::new());
}

#[test]
fn uses_are_found_in_every_form() {
    let rooms = |path: &str, text: &str| {
        let own = module(Path::new(path)).remove(0);
        let first = used(Path::new(path), text).into_iter().map(|(_, mut names)| names.remove(0));
        first.filter(|room| *room != own).collect::<Vec<_>>()
    };
    assert_eq!(
        rooms("token.rs", "use crate::secret::Secret;\n// use crate::command::x\nlet a = crate::text::safe();"),
        ["secret", "text"]
    );
    assert_eq!(rooms("store/file.rs", "use crate::{config::{A, B}, world};"), ["config", "config", "world"]);
    assert_eq!(rooms("token.rs", "use super::grant::x;"), ["grant"]);
    assert_eq!(rooms("store/file.rs", "use super::private;\nuse super::super::error::E;"), ["error"]);
    assert_eq!(rooms("store/mod.rs", "use super::error::E;"), ["error"]);
    assert_eq!(
        rooms("token.rs", "fn f() {}\nmod tests {\n    use super::*;\n    use super::super::api::x;\n}"),
        ["api"]
    );
    let whole = |path: &str, text: &str| {
        used(Path::new(path), text).into_iter().map(|(_, names)| names.join("::")).collect::<Vec<_>>()
    };
    assert_eq!(
        whole("store/file.rs", "use super::{a::{B, c::D}, e};\nmod tests {\n    use super::f;\n}"),
        ["store::a::B", "store::a::c::D", "store::e", "store::file::f"]
    );
}

#[test]
fn comments_wrap_at_100_columns() {
    // a table and an address can't be broken
    let breaks = |line: &str| !line.contains('|') && line.trim_start().split(' ').count() > 2;
    let mut wide = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") && line.chars().count() > 100 && breaks(line) {
                wide.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}
