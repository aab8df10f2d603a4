//! The README is true: its exit codes are the program's, its files are accepted, its marked
//! commands run.

use std::fs;
use std::path::Path;
use std::process::Command;

use oauthctl::config::{self, Config};
use oauthctl::error::Kind;

const README: &str = include_str!("../../README.md");

/// The blocks of this kind: what stands after the three backticks.
pub fn blocks(kind: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = README.lines();
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
fn the_exit_codes_are_the_programs() {
    let table = README.split("| code | when |").nth(1).expect("the table of exit codes");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let codes = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','));
    let mut told: Vec<u8> = codes.map(|code| code.trim().parse().expect("a number")).collect();
    told.sort_unstable();
    let mut real: Vec<u8> = Kind::ALL.iter().map(|kind| kind.exit_code()).chain([0]).collect();
    real.sort_unstable();
    assert_eq!(told, real);
}

#[test]
fn the_example_files_are_accepted() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("providers")).unwrap();
    let mut providers = Vec::new();
    for text in blocks("toml") {
        let name = text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a block names its file");
        fs::write(dir.path().join(name), &text).unwrap();
        providers
            .extend(name.strip_prefix("providers/").and_then(|name| name.strip_suffix(".toml")).map(str::to_owned));
    }
    assert_eq!(Config::load(dir.path()).unwrap().profiles.len(), 2);
    assert_eq!(providers, ["acme", "acme-staging"]);
    let acme = config::provider(dir.path(), "acme", None).unwrap();
    let staging = config::provider(dir.path(), "acme-staging", None).unwrap();
    assert_eq!(acme.scopes, staging.scopes);
    assert_eq!(acme.whoami.unwrap().url, "https://api.acme.example/v1/me");
    assert_eq!(staging.api.base_url.as_deref(), Some("https://api.staging.acme.example/v1"));
    assert_eq!(config::validate_all(dir.path()), []);
}

/// Blocks marked `sandbox` are run where the providers' names mean practice servers, as the README says.
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
        let run = Command::new(program)
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
