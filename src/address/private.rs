//! Addresses where a cloud gives a machine its credentials, and link-local ones. A remote server
//! that names one could make this program send a request there (server-side request forgery).

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The clouds' names for these addresses.
const NAMES: [&str; 4] = ["metadata", "metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"];

/// Whether a URL's host is one of them; an invalid URL is not.
pub fn is_own(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Ipv4(ip)) => own_v4(ip),
        Some(Host::Ipv6(ip)) => own_v6(ip),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_lowercase();
            NAMES.contains(&name.as_str())
        }
        None => false,
    }
}

/// 169.254.0.0/16 is link-local and most clouds'; 100.100.100.200 is Alibaba's, 192.0.0.192
/// Oracle's.
fn own_v4(ip: Ipv4Addr) -> bool {
    ip.is_link_local()
        || ip.is_unspecified()
        || [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)].contains(&ip)
}

/// fe80::/10 is link-local, fd00:ec2::254 Amazon's, fd20:ce::254 Google's; also IPv4 in IPv6
/// (mapped, NAT64).
fn own_v6(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    let last = || Ipv4Addr::from((u32::from(parts[6]) << 16) | u32::from(parts[7]));
    let dressed = ip.to_ipv4_mapped().is_some() || parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    ip.is_unspecified()
        || parts[0] & 0xffc0 == 0xfe80
        || [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)]
            .contains(&ip)
        || (dressed && own_v4(last()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // D-06
    #[test]
    fn metadata_services_of_clouds_are_known_in_every_dress() {
        for own in [
            "http://169.254.169.254/latest",
            "https://169.254.169.254/",
            "https://169.254.170.2/v2/credentials",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://0251.0376.0251.0376/",
            "https://[fd00:ec2::254]/",
            "https://[fd20:ce::254]/",
            "https://[fe80::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[::]/",
            "https://0.0.0.0/",
            "https://169.254.169.254./",
            "https://100.100.100.200/",
            "https://192.0.0.192/",
            "https://metadata.google.internal/computeMetadata/v1/",
            "https://Metadata.Google.Internal./",
            "https://metadata/",
        ] {
            assert!(is_own(own), "{own}");
        }
        for other in [
            "https://as.example",
            "http://127.0.0.1:9400",
            "https://[::1]/",
            "https://[2001:db8::1]/",
            "https://10.0.0.1/",
            "https://192.168.1.1/",
            "https://[::ffff:10.0.0.1]/",
            "https://metadata.example/",
            "https://169.254.169.254.example/",
            "not a url",
        ] {
            assert!(!is_own(other), "{other}");
        }
    }
}
