//! How this program came to where it lies, by the facts that installers leave.

use std::path::Path;

use super::Installed;

/// Where dpkg writes down the files of this program's package.
const DPKG: &str = "/var/lib/dpkg/info/oauthctl.list";

pub(super) fn this() -> Option<Installed> {
    let file = std::env::current_exe().ok()?;
    let by = by(&file, Path::new(DPKG));
    Some(Installed { file, by })
}

fn by(file: &Path, dpkg: &Path) -> &'static str {
    let says = |record: &Path, line: &dyn Fn(&str) -> bool| {
        std::fs::read_to_string(record).is_ok_and(|text| text.lines().any(line))
    };
    let folder = file.parent().unwrap_or(file);
    if says(dpkg, &|line| Path::new(line) == file) {
        "a Debian package: `dpkg -r oauthctl` removes it"
    } else if says(&folder.join("../.crates.toml"), &|line| line.starts_with("\"oauthctl ")) {
        "installed by cargo: `cargo uninstall oauthctl` removes it"
    } else if folder.join(".cargo-lock").exists() {
        "built here by cargo, not installed"
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
        let found = |name: &str| by(&at(name), &at("list")).split([':', ',']).next().unwrap();
        std::fs::create_dir(at("bin")).unwrap();
        std::fs::write(at("list"), format!("/.\n{}\n", at("usr/bin/oauthctl").display())).unwrap();
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
