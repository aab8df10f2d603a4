//! Tells `oauthctl version` what is built: commit, target, features, compiler.
//!
//! Lays the built-in providers end to end, with an index beside them, so that one is found without reading the others.
//!
//! Links the unwinder into the program, where the C compiler at hand has it as an archive: one shared library less to load is a
//! tenth of what `oauthctl token` takes. And writes relocations in their short form (RELR), where the C library at hand reads it.
//! Without either the build is what it would be without this part.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script hears from its environment and speaks to cargo by printing"
)]

use std::env::{var, vars};
use std::fs::{self, read_to_string};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    describe();
    catalogue();
    let is = |name: &str, value: &str| var(name).as_deref() == Ok(value);
    // where the build is for another machine the compiler and the library at hand would tell the wrong things
    let here = var("HOST") == var("TARGET") && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    let is_static = var("CARGO_CFG_TARGET_FEATURE").is_ok_and(|f| f.split(',').any(|f| f == "crt-static"));
    if here && !is_static {
        link_the_unwinder();
        pack_relocations();
    }
}

fn describe() {
    let of = |name: &str| var(name).unwrap_or_default();
    let mut features: Vec<String> =
        vars().filter_map(|(name, _)| name.strip_prefix("CARGO_FEATURE_").map(str::to_lowercase)).collect();
    features.retain(|name| name != "default");
    features.sort();
    let or = |text: String, none: &str| if text.is_empty() { none.to_owned() } else { text };
    println!("cargo::rustc-env=BUILT_TARGET={}", of("TARGET"));
    println!("cargo::rustc-env=BUILT_FEATURES={}", or(features.join(", "), "none"));
    println!("cargo::rustc-env=BUILT_COMPILER={}", or(said(&of("RUSTC"), &["--version"]), "unknown"));
    // a debug build is made anew after each change, which need not be after each commit too
    let commit = if of("OPT_LEVEL") != "0" { commit() } else { String::new() };
    println!("cargo::rustc-env=BUILT_COMMIT={}", or(commit, "unknown"));
}

/// The commit of a clone, or the one that `cargo package` wrote down; empty: neither is at hand.
fn commit() -> String {
    const BUILT: [&str; 5] = ["build.rs", "Cargo.toml", "Cargo.lock", "src", "completions"];
    if !Path::new(".git").exists() {
        let packaged = read_to_string(".cargo_vcs_info.json").unwrap_or_default();
        let found = packaged.split('"').skip_while(|word| *word != "sha1").nth(2);
        return found.unwrap_or_default().to_owned();
    }
    let log = said("git", &["rev-parse", "--git-path", "logs/HEAD"]);
    for file in BUILT.into_iter().chain([log.as_str()]).filter(|file| Path::new(file).exists()) {
        println!("cargo::rerun-if-changed={file}");
    }
    let commit = said("git", &["rev-parse", "HEAD"]);
    match said("git", &[&["status", "--porcelain", "--"], &BUILT[..]].concat()).is_empty() {
        true => commit,
        false => format!("{commit}, with changes"),
    }
}

/// What a program printed; empty if it could not.
fn said(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().ok().filter(|done| done.status.success());
    done.map(|done| String::from_utf8_lossy(&done.stdout).trim().to_owned()).unwrap_or_default()
}

/// A line of the index: the file's name, the bytes where its text starts and ends, and the values of its first keys that a list of
/// providers needs. Tests compare them with the files.
fn catalogue() {
    println!("cargo::rerun-if-changed=src/provider/catalogue");
    let folder = fs::read_dir("src/provider/catalogue").expect("the folder is part of the source");
    let mut files: Vec<PathBuf> = folder.map(|file| file.expect("the folder is readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "toml"));
    files.sort_by(|one, other| one.file_stem().cmp(&other.file_stem()));
    let (mut texts, mut index) = (String::new(), String::new());
    for file in files {
        let text = fs::read_to_string(&file).expect("the file is UTF-8");
        let start = texts.len();
        texts.push_str(&text);
        let value = |key: &str| {
            let top = text.lines().take_while(|line| !line.starts_with('['));
            top.filter_map(|line| line.strip_prefix(key)?.strip_prefix(" = ")).next().unwrap_or_default()
        };
        let name = file.file_stem().expect("it has an extension").to_string_lossy();
        let [shown, addresses] = ["name", "addresses"].map(|key| value(key).trim_matches('"'));
        let aliases = value("aliases").trim_matches(['[', ']']).replace(['"', ','], "");
        index += &format!("{name}\t{start}\t{}\t{shown}\t{addresses}\t{aliases}\n", texts.len());
    }
    let out = PathBuf::from(var("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("catalogue.toml"), texts).expect("the folder is writable");
    fs::write(out.join("catalogue.index"), index).expect("the folder is writable");
}

fn link_the_unwinder() {
    println!("cargo::rerun-if-env-changed=CC");
    let cc = var("CC").unwrap_or_else(|_| "cc".to_owned());
    let archive = said(&cc, &["-print-file-name=libgcc_eh.a"]);
    // a compiler that doesn't have it repeats the bare name
    let Some(folder) = Path::new(&archive).parent().filter(|f| f.is_absolute() && f.is_dir()) else { return };
    println!("cargo::rustc-link-search=native={}", folder.display());
    println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
}

/// Since glibc 2.36.
fn pack_relocations() {
    let version = said("getconf", &["GNU_LIBC_VERSION"]);
    if version.strip_prefix("glibc 2.").and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor >= 36) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
