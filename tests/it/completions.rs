//! `completions` and `man`: the files in `completions/` equal the program's output. `UPDATE=1 cargo
//! test --test it completions` rewrites them.

use std::path::Path;

use crate::world::Person;

const FILES: [(&str, &str); 6] = [
    ("completions bash", "oauthctl.bash"),
    ("completions zsh", "_oauthctl"),
    ("completions fish", "oauthctl.fish"),
    ("completions powershell", "_oauthctl.ps1"),
    ("completions elvish", "oauthctl.elv"),
    ("man", "oauthctl.1"),
];

#[test]
fn the_files_for_packagers_are_what_the_program_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so, not the program")]
    let update = std::env::var_os("UPDATE").is_some();
    for (line, file) in FILES {
        let printed = Person::new().types(line);
        assert_eq!((printed.code, printed.err.as_str()), (0, ""), "{line}");
        let path = folder.join(file);
        if update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &printed.out).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == printed.out,
            "completions/{file} is not what `oauthctl {line}` prints: UPDATE=1 cargo test --test it completions"
        );
    }
    let known: Vec<&str> = FILES.iter().map(|(_, file)| *file).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name.as_str()), "completions/{name} is made by nobody");
    }
}

#[test]
fn an_unknown_shell_is_told_with_those_that_are_known() {
    Person::new().types("completions tcsh").fails(
        2,
        "
        error: `tcsh` is no value of `<SHELL>`
        hint: one of `bash`, `elvish`, `fish`, `powershell`, `zsh`
        hint: `oauthctl completions --help` shows the usage
    ",
    );
}

#[test]
fn the_manual_names_every_variable_that_the_documents_name() {
    let page = Person::new().types("man").out;
    let documents = crate::readme::documents();
    let is_part = |c: char| c.is_ascii_uppercase() || matches!(c, '_' | '<' | '>');
    let mut names: Vec<&str> = documents
        .match_indices("OAUTHCTL_")
        .map(|(at, _)| documents[at..].split(|c| !is_part(c)).next().unwrap())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(page.contains(name), "{name}");
    }
}

#[test]
fn the_manual_names_every_variable_that_the_program_reads() {
    let page = Person::new().types("man").out.replace('\\', "");
    let mut read = std::collections::BTreeSet::new();
    for (_, text) in crate::house::sources() {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for lookup in [" set(\"", ".var(\"", ".var_os(\""] {
            let names = code.split(lookup).skip(1).filter_map(|rest| rest.split_once('"'));
            read.extend(names.map(|(name, _)| name.to_owned()).filter(|name| name.len() > 3));
        }
    }
    read.retain(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    assert!(read.len() > 15, "{read:?}");
    let missing: Vec<&String> = read.iter().filter(|name| !page.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
