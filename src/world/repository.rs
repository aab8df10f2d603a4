//! The remotes of the git repository that a folder is in, read without git: also of a worktree and
//! of a submodule, whose `.git` is a file. A repository of another user counts as none.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use url::Url;

/// Bytes of a file that are read.
const LONGEST: u64 = 1 << 20;

/// The addresses of all remotes. `git_dir`: what git tells in `GIT_DIR` to the programs that it
/// starts; a clone is another repository than the one that it is made in.
pub fn remotes(folder: &Path, git_dir: Option<OsString>) -> Vec<String> {
    let config = match git_dir.filter(|dir| !dir.is_empty()) {
        Some(dir) => Some(config_in(folder.join(dir))),
        None => folder.ancestors().find_map(config_of),
    };
    config.and_then(|config| read(&config)).map(|text| urls(&text)).unwrap_or_default()
}

/// The configuration of the repository whose work tree begins here.
fn config_of(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    let own = match fs::metadata(&git).ok()?.is_dir() {
        true => git,
        false => folder.join(read(&git)?.strip_prefix("gitdir:")?.trim()),
    };
    Some(config_in(own))
}

/// The configuration of a repository's folder; a worktree has the repository's.
fn config_in(own: PathBuf) -> PathBuf {
    let common = read(&own.join("commondir")).map(|text| own.join(text.trim()));
    common.unwrap_or(own).join("config")
}

/// The text of a plain file of this user's or of root's. A pipe is not waited for.
fn read(file: &Path) -> Option<String> {
    let file = super::files::options().read(true).open(file.canonicalize().ok()?).ok()?;
    file.metadata().ok().filter(Metadata::is_file).filter(is_own_or_roots)?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(unix)]
fn is_own_or_roots(file: &Metadata) -> bool {
    super::users::is_own_or_root(std::os::unix::fs::MetadataExt::uid(file))
}

#[cfg(not(unix))]
fn is_own_or_roots(_file: &Metadata) -> bool {
    true
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
/// `ssh://git@github.com:22/acme/app`, `git@github.com:acme/app.git`. A port that isn't the usual
/// one is part of the host. `None`: a place on this machine.
pub fn place(remote: &str) -> Option<String> {
    if remote.contains("://") {
        return place_of_url(remote);
    }
    let (host, path) = remote.split_once(':').filter(|(host, _)| !host.contains('/'))?;
    place_of_url(&format!("ssh://{host}/{path}"))
}

/// The same of a pattern, which needs no scheme.
pub fn pattern_of_place(pattern: &str) -> Option<String> {
    let plain = || place_of_url(&format!("ssh://{pattern}"));
    Some(pattern).filter(|pattern| !pattern.contains("://")).and_then(|_| plain()).or_else(|| place(pattern))
}

/// `..` in the path is resolved.
fn place_of_url(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() != "file")?;
    let host = url.host_str().filter(|host| !host.is_empty())?.to_ascii_lowercase();
    let usual = match url.scheme() {
        "git" => 9418,
        _ => 22,
    };
    let port = url.port().filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
    let path = url.path().trim_matches('/');
    Some(format!("{host}{port}/{}", path.strip_suffix(".git").unwrap_or(path)))
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
        ] {
            assert_eq!(place(remote).as_deref(), Some("github.com/acme/app"), "{remote}");
            assert_eq!(pattern_of_place(remote), place(remote), "{remote}");
        }
        for (remote, is) in [
            // the part before an `@` of the path is no user
            ("https://evil.example/x@github.com/acme", Some("evil.example/x@github.com/acme")),
            ("https://github.com/acme/../evil/%2e%2e/x", Some("github.com/x")),
            ("git@github.com:acme/../evil/x", Some("github.com/evil/x")),
            ("https://github.com:8443/acme/x", Some("github.com:8443/acme/x")),
            ("ssh://github.com:443/acme/x", Some("github.com:443/acme/x")),
            ("git://github.com:9418/acme/x", Some("github.com/acme/x")),
            ("file:///github.com/acme/x", None),
            ("file://github.com/acme/x", None),
            ("/srv/x.git", None),
            ("../other", None),
            ("github.com/acme/app", None),
            ("./github.com:acme/app", None),
        ] {
            assert_eq!(place(remote).as_deref(), is, "{remote}");
        }
        for (pattern, is) in [
            ("GitHub.com/acme/*", "github.com/acme/*"),
            ("github.com:8443/acme/**", "github.com:8443/acme/**"),
            ("git@*.example:acme/", "*.example/acme"),
            ("https://*.example/acme", "*.example/acme"),
            ("github.com", "github.com/"),
            ("**", "**/"),
        ] {
            assert_eq!(pattern_of_place(pattern).as_deref(), Some(is), "{pattern}");
        }
    }

    #[cfg(unix)]
    #[test]
    #[expect(clippy::disallowed_methods, reason = "no safe call makes a pipe on every system")]
    fn a_pipe_is_no_repository_and_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let done = std::process::Command::new("mkfifo").arg(path).status().unwrap();
            assert!(done.success());
        };
        pipe("file/.git");
        pipe("folder/.git/config");
        pipe("tree/.git/commondir");
        for name in ["file", "folder", "tree"] {
            assert!(remotes(&dir.path().join(name), None).is_empty(), "{name}");
        }
        // whoever manages many repositories links their configuration
        fs::create_dir_all(dir.path().join("linked/.git")).unwrap();
        fs::write(dir.path().join("config"), "[remote \"origin\"]\nurl = a.example:x\n").unwrap();
        std::os::unix::fs::symlink("../../config", dir.path().join("linked/.git/config")).unwrap();
        assert_eq!(remotes(&dir.path().join("linked"), None), ["a.example:x"]);
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
        let told = |name: &str| remotes(&dir.path().join(name), None);
        let of = |git_dir: &str| remotes(&dir.path().join("tree"), Some(git_dir.into()));
        let main = ["git@a.example:x/y.git", "https://b.example/x"];
        assert_eq!(told("main"), main);
        assert_eq!(told("tree"), main);
        assert_eq!(told("main/sub/deep"), ["https://c.example/sub"]);
        assert!(told("none").is_empty());
        assert_eq!(of("../main/.git/modules/sub"), ["https://c.example/sub"]);
        assert_eq!(of(&dir.path().join("main/.git/worktrees/tree").display().to_string()), main);
        assert!(of("../none").is_empty());
        assert_eq!(of(""), main);
    }
}
