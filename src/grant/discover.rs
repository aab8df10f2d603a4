//! Asks a server what it is (OpenID Connect Discovery, RFC 8414): nothing secret goes along.

use std::time::Duration;

use crate::error::{Error, Kind};
use crate::grant::send;
use crate::protocol::metadata::{self, Metadata};
use crate::text::safe;
use crate::wire::Request;
use crate::world::World;

/// The document, and until when (Unix seconds) it may be kept.
pub fn fetch(world: &mut World, issuer: &str) -> Result<(Metadata, i64), Error> {
    refuse_private(issuer)?;
    let mut tried = Vec::new();
    for place in metadata::places(issuer) {
        let mut request = Request::new("GET", place.as_str()).header("accept", "application/json");
        request.timeout = Duration::from_secs(10);
        request.max_body = metadata::LONGEST;
        let response = send(world, &request)?;
        if response.status != 200 {
            tried.push(format!("{place} answered {}", response.status));
            continue;
        }
        let document = metadata::read(&response.body, issuer).map_err(|e| {
            Error::new(Kind::Unsafe, format!("what `{}` says of itself can't be trusted", safe(issuer)))
                .cause(format!("{}: {e}", safe(&place)))
                .hint("give the issuer exactly as the provider writes it, slash or no slash at its end")
        })?;
        if let Some(host) = document.foreign_token_endpoint() {
            world.warn(&format!("the token endpoint of `{}` is on another site: {}", safe(issuer), safe(&host)));
        }
        let now = world.clock.now();
        return Ok((document, now + metadata::life(response.header("cache-control"))));
    }
    Err(tried
        .into_iter()
        .fold(
            Error::usage(format!("`{}` does not say what it is: no discovery document was found", safe(issuer))),
            |error, why| error.cause(safe(&why)),
        )
        .hint("describe the provider in a file of your own: `[authorize] url`, `[token] url`"))
}

/// Addresses at which a cloud machine's own secrets are served are no issuers (D-06).
pub(super) fn refuse_private(issuer: &str) -> Result<(), Error> {
    let url = url::Url::parse(issuer)
        .map_err(|e| Error::usage(format!("the address `{}` is not a URL: {e}", safe(issuer))))?;
    let private = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_link_local() || ip.is_unspecified(),
        Some(url::Host::Ipv6(ip)) => {
            (ip.segments()[0] & 0xffc0) == 0xfe80
                || ip == "fd00:ec2::254".parse::<std::net::Ipv6Addr>().unwrap_or(ip)
                || ip.is_unspecified()
        }
        _ => false,
    };
    if private {
        return Err(Error::new(
            Kind::Unsafe,
            format!("`{}` is an address of this network's own services: nothing is asked there", safe(issuer)),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // D-06
    #[test]
    fn metadata_services_of_clouds_are_no_issuers() {
        for bad in
            ["http://169.254.169.254/latest", "https://[fd00:ec2::254]/", "https://[fe80::1]/", "https://0.0.0.0/"]
        {
            assert_eq!(refuse_private(bad).unwrap_err().kind, Kind::Unsafe, "{bad}");
        }
        for good in ["https://as.example", "http://127.0.0.1:9400", "https://[2001:db8::1]/", "https://10.0.0.1/"] {
            assert!(refuse_private(good).is_ok(), "{good}");
        }
    }
}
