//! The remotes of the git repository that a folder is in, read without git: also of a worktree and
//! of a submodule, whose `.git` is a file. A repository of another user counts as none.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of a file that are read.
const LONGEST: u64 = 1 << 20;

/// The addresses of all remotes.
pub fn remotes(folder: &Path) -> Vec<String> {
    let Some(config) = folder.ancestors().find_map(config_of) else { return Vec::new() };
    read(&config).map(|text| urls(&text)).unwrap_or_default()
}

/// The configuration of the repository whose work tree begins here.
fn config_of(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    let own = match fs::metadata(&git).ok()?.is_dir() {
        true => git,
        false => folder.join(read(&git)?.strip_prefix("gitdir:")?.trim()),
    };
    // a worktree has the repository's
    let common = read(&own.join("commondir")).map(|text| own.join(text.trim()));
    Some(common.unwrap_or(own).join("config"))
}

/// The text of a file of this user's or of root's.
fn read(file: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if !super::users::is_own_or_root(fs::metadata(file).ok()?.uid()) {
            return None;
        }
    }
    let mut text = String::new();
    File::open(file).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The values of `url` in the sections `[remote "…"]`.
fn urls(config: &str) -> Vec<String> {
    let mut in_remote = false;
    let mut found = Vec::new();
    for line in config.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            in_remote = section.get(..6).is_some_and(|name| name.eq_ignore_ascii_case("remote"))
                && section[6..].starts_with([' ', '\t']);
        }
        if let Some((key, value)) = line.split_once('=').filter(|_| in_remote)
            && key.trim().eq_ignore_ascii_case("url")
        {
            let value = value.split([';', '#']).next().unwrap_or_default();
            found.push(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

/// `host/path` of a remote's address, whatever its form: `https://ann@github.com/acme/app.git`,
/// `ssh://git@github.com:22/acme/app`, `git@github.com:acme/app.git`.
pub fn place(remote: &str) -> String {
    let (rest, is_url) = match remote.split_once("://") {
        Some((_, rest)) => (rest, true),
        None => (remote, false),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
    let rest = &rest[start..];
    let (host, path) = match rest.split_once(['/', ':']) {
        // a port
        Some((host, path)) if is_url && rest[host.len()..].starts_with(':') => {
            (host, path.split_once('/').map_or("", |(_, path)| path))
        }
        Some(parts) => parts,
        None => (rest, ""),
    };
    let path = path.trim_matches('/');
    format!("{}/{}", host.to_ascii_lowercase(), path.strip_suffix(".git").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_address_is_one_place() {
        for remote in [
            "https://github.com/acme/app.git",
            "https://ann:x@GitHub.com/acme/app/",
            "ssh://git@github.com:22/acme/app.git",
            "git@github.com:acme/app.git",
            "github.com:acme/app",
            "git://github.com/acme/app",
            "github.com/acme/app",
        ] {
            assert_eq!(place(remote), "github.com/acme/app", "{remote}");
        }
        // the part before an `@` of the path is no user
        assert_eq!(place("https://evil.example/x@github.com/acme"), "evil.example/x@github.com/acme");
        assert_eq!(place("../other"), "../other");
        assert_eq!(place("github.com"), "github.com/");
    }

    #[test]
    fn a_repository_a_worktree_and_a_submodule_tell_their_remotes() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        put(
            "main/.git/config",
            "[core]\n\turl = no\n[remote \"origin\"]\n\turl = git@a.example:x/y.git ; mine\n[Remote \"up\"]\n  URL=\"https://b.example/x\"\n[branch \"m\"]\nurl = no\n[remotes]\nurl = no\n",
        );
        put("main/.git/worktrees/tree/commondir", "../..\n");
        put("main/.git/modules/sub/config", "[remote \"origin\"]\nurl = https://c.example/sub\n");
        put("tree/.git", &format!("gitdir: {}\n", dir.path().join("main/.git/worktrees/tree").display()));
        put("main/sub/.git", "gitdir: ../.git/modules/sub\n");
        put("main/sub/deep/file", "");
        put("none/file", "");
        let told = |name: &str| remotes(&dir.path().join(name));
        let main = ["git@a.example:x/y.git", "https://b.example/x"];
        assert_eq!(told("main"), main);
        assert_eq!(told("tree"), main);
        assert_eq!(told("main/sub/deep"), ["https://c.example/sub"]);
        assert!(told("none").is_empty());
    }
}
