//! The README and the topics of `help` are true: their files are accepted, their marked commands
//! run.

use std::fs;
use std::path::Path;

use oauthctl::config::{self, Config};

const README: &str = include_str!("../../README.md");

/// The README, then the text of each topic.
pub fn documents() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command/topics");
    let mut topics: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    topics.sort();
    let texts = topics.iter().map(|path| fs::read_to_string(path).unwrap());
    std::iter::once(README.to_owned()).chain(texts).collect()
}

/// The blocks of this kind: the word after the three backticks.
pub fn blocks(kind: &str) -> Vec<String> {
    let mut found = Vec::new();
    let documents = documents();
    let mut lines = documents.lines();
    while let Some(line) = lines.next() {
        if let Some(this) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if this == kind {
                found.push(text.join("\n") + "\n");
            }
        }
    }
    found
}

#[test]
fn the_readme_is_read_in_the_first_hour() {
    assert!(README.lines().count() <= 250);
}

#[test]
fn the_example_files_are_accepted() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("providers")).unwrap();
    let mut providers = Vec::new();
    for text in blocks("toml") {
        let name = text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a block names its file");
        fs::write(dir.path().join(name), &text).unwrap();
        if name == "config.toml" {
            let config = Config::load(dir.path()).unwrap();
            assert!(!config.profiles.is_empty() || !config.when.is_empty());
        }
        providers
            .extend(name.strip_prefix("providers/").and_then(|name| name.strip_suffix(".toml")).map(str::to_owned));
    }
    assert_eq!(providers, ["acme", "acme-staging", "list-mail", "acme-lists"]);
    let acme = config::provider(dir.path(), "acme", None).unwrap();
    let staging = config::provider(dir.path(), "acme-staging", None).unwrap();
    assert_eq!(acme.scopes, staging.scopes);
    assert_eq!(acme.whoami.unwrap().url, "https://api.acme.example/v1/me");
    assert_eq!(staging.api.base_url.as_deref(), Some("https://api.staging.acme.example/v1"));
    assert_eq!(config::validate_all(dir.path()), []);
}

/// Blocks marked `sandbox` are run where the providers' names mean practice servers, as the README
/// says.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "the program itself, as a person's shell starts it")]
#[test]
fn the_marked_commands_run_against_the_practice_servers() {
    let program = Path::new(env!("CARGO_BIN_EXE_oauthctl"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let marked = blocks("sh sandbox");
    assert!(marked.len() >= 2);
    for script in marked {
        let home = tempfile::tempdir().unwrap();
        let run = std::process::Command::new(program)
            .args(["sandbox", "run", "--", "sh", "-ec", &script])
            .env_clear()
            .env("PATH", &path)
            .env("HOME", home.path())
            .current_dir(home.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success() && !run.stdout.is_empty(), "{script}{}{said}", run.status);
    }
}

#[test]
fn what_it_links_to_in_the_repository_is_there() {
    let targets = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own: Vec<&str> = targets.filter(|target| !target.starts_with("http")).collect();
    assert!(own.len() > 5);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in own {
        assert!(root.join(target).exists(), "{target}");
    }
}

/// Paths in backticks, or in a link, that begin with a folder of the repository.
#[test]
fn the_paths_that_the_readme_and_contributing_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, '`' | '(' | ')' | ',' | ';'));
        let paths = words.filter(|word| ["src/", "tests/", "completions/"].iter().any(|begin| word.starts_with(begin)));
        let paths: Vec<&str> = paths.map(|path| path.trim_end_matches(['.', ':'])).collect();
        assert!(paths.len() > 3, "{document}: {paths:?}");
        for path in paths {
            assert!(root.join(path).exists(), "{document}: {path}");
        }
    }
}

/// An id in a comment, `T-61`: a letter of a list and two digits or more, or `R-` of a list that is
/// gone.
#[test]
fn every_id_in_the_sources_names_a_row() {
    fn check(folder: &Path, rows: &[&str]) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                check(&entry, rows);
                continue;
            }
            let Ok(text) = fs::read_to_string(&entry) else { continue };
            for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
                let Some((list, number)) = word.split_once('-') else { continue };
                let is_id = matches!(list, "A" | "B" | "C" | "D" | "H" | "J" | "L" | "N" | "R" | "T")
                    && number.len() >= 2
                    && number.bytes().all(|b| b.is_ascii_digit());
                assert!(!is_id || rows.contains(&word), "{}: {word} is no row", entry.display());
            }
        }
    }
    let rows = include_str!("../real/rows.txt");
    let rows: Vec<&str> = rows.lines().filter_map(|line| line.split(' ').next()).collect();
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &rows);
}

#[test]
fn the_topic_names_each_key_of_the_pages() {
    let topic = include_str!("../../src/command/topics/own-provider.md");
    let table = include_str!("../../src/provider/catalogue/README.md");
    let keys: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `api.pages.")?.split('`').next()).collect();
    assert!(keys.len() >= 8, "{keys:?}");
    for key in keys {
        assert!(topic.contains(&format!("`{key}`")), "{key}");
    }
}
