//! How this program came to where it lies, by the facts that installers leave.

use std::path::Path;

use super::Installed;

pub(super) fn this() -> Option<Installed> {
    let file = std::env::current_exe().ok()?;
    let by = by(&file, Path::new("/"));
    Some(Installed { file, by })
}

fn by(file: &Path, root: &Path) -> &'static str {
    let says = |record: &Path, line: &dyn Fn(&str) -> bool| {
        std::fs::read_to_string(record).is_ok_and(|text| text.lines().any(line))
    };
    let folder = file.parent().unwrap_or(file);
    // where dpkg writes down the files of this program's package
    if says(&root.join("var/lib/dpkg/info/oauthctl.list"), &|line| Path::new(line) == file) {
        "a Debian package: `dpkg -r oauthctl` removes it"
    } else if says(&folder.join("../.crates.toml"), &|line| line.starts_with("\"oauthctl ")) {
        "installed by cargo: `cargo uninstall oauthctl` removes it"
    } else if folder.join(".cargo-lock").exists() {
        "built here by cargo, not installed"
    } else if folder == root.join("usr/bin") && !root.join("bin").exists() {
        "alone in the image of a container: only another image replaces it"
    } else {
        "a file by itself, as from an archive: no installer knows of it"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_installer_is_known_by_what_it_wrote_down() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let found = |name: &str| by(&at(name), root.path()).split([':', ',']).next().unwrap();
        assert_eq!(found("usr/bin/oauthctl"), "alone in the image of a container");
        std::fs::create_dir_all(at("var/lib/dpkg/info")).unwrap();
        std::fs::create_dir(at("bin")).unwrap();
        std::fs::write(at("var/lib/dpkg/info/oauthctl.list"), format!("/.\n{}\n", at("usr/bin/oauthctl").display()))
            .unwrap();
        std::fs::write(at(".crates.toml"), "[v1]\n\"cargo-deb 3.0.0 (registry)\" = [\"cargo-deb\"]\n").unwrap();
        assert_eq!(found("usr/bin/oauthctl"), "a Debian package");
        assert_eq!(found("usr/local/bin/oauthctl"), "a file by itself");
        assert_eq!(found("bin/oauthctl"), "a file by itself", "cargo knows of another program alone");
        std::fs::write(at(".crates.toml"), "[v1]\n\"oauthctl 0.1.0 (path+file:///x)\" = [\"oauthctl\"]\n").unwrap();
        assert_eq!(found("bin/oauthctl"), "installed by cargo");
        std::fs::remove_file(at(".crates.toml")).unwrap();
        std::fs::write(at("bin/.cargo-lock"), "").unwrap();
        assert_eq!(found("bin/oauthctl"), "built here by cargo");
    }
}
