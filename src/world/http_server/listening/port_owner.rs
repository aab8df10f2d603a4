//! Finds the process that listens on a port, for the error that says the port is taken.

/// ` by NAME (process ID)`; of another user's process, the user. Empty on other systems.
pub fn of(port: u16) -> String {
    let user = || system::user_of(port).map(|user| format!(" by a process of the user {user}"));
    system::holder(port).map(|(name, id)| describe(&name, id)).or_else(user).unwrap_or_default()
}

/// The process name of this program in the system's tables.
const OWN_NAME: &str = "oauthctl";

fn describe(name: &str, id: u32) -> String {
    let name = crate::text::safe(name);
    if name == OWN_NAME {
        format!(" by another login that is waiting (process {id})")
    } else {
        format!(" by `{name}` (process {id})")
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::Path;

    use super::super::peer::{Line, sockets};
    use super::OWN_NAME;

    pub(super) fn holder(port: u16) -> Option<(String, u32)> {
        let inodes: Vec<String> = listening(port).map(|line| format!("socket:[{}]", line.inode)).collect();
        if inodes.is_empty() {
            return None;
        }
        let mut closed = Vec::new();
        for process in fs::read_dir("/proc").ok()?.flatten() {
            let Some(id) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            match holds(&process.path(), &inodes) {
                Some(true) => return Some((name(&process.path())?, id)),
                Some(false) => {}
                None => closed.push((process.path(), id)),
            }
        }
        // a second oauthctl hides its descriptors; if there is exactly one, it is the holder
        let mut own = closed.into_iter().filter(|(path, id)| {
            *id != std::process::id()
                && name(path).as_deref() == Some(OWN_NAME)
                && user(path) == user(Path::new("/proc/self"))
        });
        match (own.next(), own.next()) {
            (Some((_, id)), None) => Some((OWN_NAME.to_owned(), id)),
            _ => None,
        }
    }

    /// The user's number.
    pub(super) fn user_of(port: u16) -> Option<u32> {
        listening(port).next().map(|line| line.user)
    }

    fn listening(port: u16) -> impl Iterator<Item = Line> {
        // the remote port of a listening socket is 0
        sockets().filter(move |(local, remote, _)| (local.port(), remote.port()) == (port, 0)).map(|(.., line)| line)
    }

    fn name(process: &Path) -> Option<String> {
        Some(fs::read_to_string(process.join("comm")).ok()?.trim().to_owned())
    }

    /// The process's user, in the format of proc(5).
    fn user(process: &Path) -> Option<String> {
        let status = fs::read_to_string(process.join("status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("Uid:")).map(str::to_owned)
    }

    /// `None`: the process's descriptors can't be read.
    fn holds(process: &Path, inodes: &[String]) -> Option<bool> {
        let descriptors = fs::read_dir(process.join("fd")).ok()?;
        let mut sockets = descriptors.flatten().filter_map(|d| fs::read_link(d.path()).ok());
        Some(sockets.any(|target| target.to_str().is_some_and(|t| inodes.iter().any(|inode| inode == t))))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn holder(_port: u16) -> Option<(String, u32)> {
        None
    }

    pub(super) fn user_of(_port: u16) -> Option<u32> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // L-41
    #[test]
    fn names_the_holder_in_safe_text() {
        assert_eq!(describe("python3", 7), " by `python3` (process 7)");
        assert_eq!(describe("a\x1b[2J", 7), " by `a [2J` (process 7)");
        assert_eq!(describe("oauthctl", 7), " by another login that is waiting (process 7)");
    }
}
