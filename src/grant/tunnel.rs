//! The `ssh -L` command for the user's own machine, so that a browser there reaches the listener
//! here. It works as pasted.

use std::net::{IpAddr, SocketAddr};

use crate::text::for_a_shell;
use crate::world::Env;

/// The user's SSH connection, by `SSH_CONNECTION`: their address and port, this machine's address
/// and port. `SSH_CLIENT` and `SSH_TTY`, which outlive it in some shells and multiplexers, hold
/// less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// `ann@192.0.2.7`, or the address alone if the name is not known.
    host: String,
    /// The port of sshd, if it is not the usual one.
    port: Option<u16>,
    /// This machine's name for the address's network (`eth0` of `fe80::1%eth0`).
    zone: Option<String>,
}

const USUAL_PORT: u16 = 22;

impl Ssh {
    /// `None`: the user works on this machine.
    pub fn of(env: &dyn Env) -> Option<Ssh> {
        let connection = env.var("SSH_CONNECTION").or_else(|| {
            let client = env.var("SSH_CLIENT").or_else(|| env.var("SSH_TTY"))?;
            // their address and port, this machine's port
            let port = client.split_whitespace().nth(2).unwrap_or_default().to_owned();
            Some(format!("- - - {port}"))
        })?;
        // as root the user logged in under another name
        let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| env.var(name));
        Some(Ssh::read(&connection, user.as_deref()))
    }

    fn read(connection: &str, user: Option<&str>) -> Ssh {
        let mut words = connection.split_whitespace().skip(2);
        let address = words.next().and_then(address);
        let port = words.next().and_then(|port| port.parse().ok()).filter(|port| *port != USUAL_PORT && *port != 0);
        let (host, zone) = address.unwrap_or_else(|| ("THIS-MACHINE".to_owned(), None));
        let host = match user.filter(|user| is_user(user)) {
            Some(user) => format!("{user}@{host}"),
            None => host,
        };
        Ssh { host, port, zone }
    }

    /// Forwards these ports of the user's machine to the same ports here.
    pub fn line(&self, ends: &[(String, u16)]) -> String {
        let forwards: String =
            ends.iter().map(|(host, port)| format!(" -L {}", for_a_shell(&format!("{port}:{host}:{port}")))).collect();
        let port = self.port.map(|port| format!(" -p {port}")).unwrap_or_default();
        format!("ssh -N{port}{forwards} {}", for_a_shell(&self.host))
    }

    /// The part that the user has to change.
    pub fn but(&self) -> Option<String> {
        let zone = self.zone.as_deref()?;
        Some(format!("Replace `%{zone}` with your own machine's name for that network."))
    }
}

/// An address as ssh takes it, and its zone. An IPv4 address from an IPv6 socket becomes IPv4.
fn address(text: &str) -> Option<(String, Option<String>)> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let ip: IpAddr = address.parse().ok()?;
    let is_zone = |zone: &&str| {
        !zone.is_empty() && zone.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    match zone.filter(is_zone) {
        Some(zone) => Some((format!("{ip}%{zone}"), Some(zone.to_owned()))),
        None => Some((ip.to_canonical().to_string(), None)),
    }
}

fn is_user(name: &str) -> bool {
    !name.starts_with('-') && !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// A listener's host and port as `-L` takes them: an IPv6 address in brackets.
pub fn end(address: SocketAddr) -> (String, u16) {
    let host = match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    (host, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(connection: &str, user: Option<&str>) -> String {
        Ssh::read(connection, user).line(&[end("127.0.0.1:8976".parse().unwrap())])
    }

    #[test]
    fn the_line_works_as_it_is_pasted() {
        const L: &str = "-L 8976:127.0.0.1:8976";
        for (connection, user, expected) in [
            ("203.0.113.9 51000 192.0.2.7 22", None, format!("ssh -N {L} 192.0.2.7")),
            ("203.0.113.9 51000 192.0.2.7 2222", Some("ann"), format!("ssh -N -p 2222 {L} ann@192.0.2.7")),
            ("fd00::5 51000 fd00::9 2222", None, format!("ssh -N -p 2222 {L} fd00::9")),
            ("::1 51000 ::1 22", Some("ann"), format!("ssh -N {L} ann@::1")),
            ("::ffff:203.0.113.9 5 ::ffff:192.0.2.7 22", None, format!("ssh -N {L} 192.0.2.7")),
            ("fe80::5%eth0 51000 fe80::9%eth0 22", None, format!("ssh -N {L} fe80::9%eth0")),
            // nothing that is not an address, a port or a name reaches the line
            ("a b $(reboot) ;", Some("x;y"), format!("ssh -N {L} THIS-MACHINE")),
            ("a b -oProxyCommand=x 22", Some("-x"), format!("ssh -N {L} THIS-MACHINE")),
            ("", None, format!("ssh -N {L} THIS-MACHINE")),
        ] {
            assert_eq!(line(connection, user), expected, "{connection}");
        }
    }

    #[test]
    fn a_listener_at_ipv6_is_in_brackets_and_in_quotes() {
        let ssh = Ssh::read("fd00::5 51000 fd00::9 22", None);
        assert_eq!(ssh.line(&[end("[::1]:8976".parse().unwrap())]), "ssh -N -L '8976:[::1]:8976' fd00::9");
    }

    #[test]
    fn a_zone_is_this_machines_own_word() {
        assert!(Ssh::read("a b fe80::9%eth0 22", None).but().is_some_and(|but| but.contains("`%eth0`")));
        assert_eq!(Ssh::read("a b fd00::9 22", None).but(), None);
    }
}
