//! Fetches a server's metadata (OpenID Connect Discovery, RFC 8414). The request holds no secret.

use std::time::Duration;

use crate::address::on_loopback;
use crate::address::private;
use crate::error::{Error, Kind};
use crate::grant::send;
use crate::protocol::metadata::{self, Metadata, MetadataError};
use crate::protocol::retry_after;
use crate::text::safe;
use crate::text::times::again_in;
use crate::wire::Request;
use crate::world::World;

const AS_WRITTEN: &str = "give the issuer exactly as the provider writes it, slash or no slash at its end";
const IN_A_FILE: &str = "describe the provider in a file of your own: `[authorize] url`, `[token] url`";

/// The document, and until when (Unix seconds) it may be stored. `allow_private`: this network's
/// own services are allowed too.
pub fn fetch(world: &mut World, issuer: &str, allow_private: bool) -> Result<(Metadata, i64), Error> {
    refuse_own("the issuer", issuer, allow_private)?;
    let mut tried = Vec::new();
    let (mut later, mut led_away, mut wait) = (false, false, None);
    for place in metadata::places(issuer) {
        let mut request = Request::new("GET", place.as_str()).header("accept", "application/json");
        request.timeout = Duration::from_secs(10);
        request.max_body = metadata::LONGEST;
        let response = send(world, &request)?;
        if response.status != 200 {
            tried.push(format!("{place} answered {}", response.status));
            later |= response.is_unavailable();
            led_away |= (300..400).contains(&response.status);
            wait = wait.max(retry_after::of(&response, world.clock.now()));
            continue;
        }
        let document = metadata::read(&response.body, issuer).map_err(|e| {
            Error::new(Kind::Unsafe, format!("the metadata of `{}` can't be trusted", safe(issuer)))
                .because(format!("{}: {e}", safe(&place)))
                .hint(if matches!(e, MetadataError::Issuer { .. }) { AS_WRITTEN } else { IN_A_FILE })
        })?;
        for (name, url) in document.addresses() {
            refuse_own(&format!("the `{name}` of `{}`,", safe(issuer)), url, allow_private)?;
            refuse_home(name, issuer, url)?;
        }
        if let Some(host) = document.foreign_token_endpoint() {
            world.warn(&format!("the token endpoint of `{}` is on another site: {}", safe(issuer), safe(&host)));
        }
        let now = world.clock.now();
        return Ok((document, now + metadata::life(response.header("cache-control"))));
    }
    let name = safe(issuer);
    let told = |error: Error| tried.iter().fold(error, |error, why| error.because(safe(why)));
    if later {
        let error =
            told(Error::new(Kind::TryLater, format!("the metadata of `{name}` can't be fetched at the moment")));
        return Err(match wait {
            Some(seconds) => Error { retry_after: wait, ..error }.hint(again_in(seconds)),
            None => error.hint("run the command again later"),
        });
    }
    if led_away {
        return Err(told(Error::new(Kind::Unsafe, format!("`{name}` redirects the request for its metadata")))
            .because("a redirect is not followed: it leads to another server than the one that was asked")
            .hint(AS_WRITTEN));
    }
    Err(told(Error::usage(format!("`{name}` has no metadata: no discovery document was found"))).hint(IN_A_FILE))
}

/// Refuses addresses that serve a cloud machine's own secrets (D-06). `what` comes before the
/// address in the error.
pub(super) fn refuse_own(what: &str, url: &str, allowed: bool) -> Result<(), Error> {
    if allowed || !private::is_own(url) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Unsafe,
        format!("{what} `{}` is an address of this network's own services: no request is sent there", safe(url)),
    )
    .hint(
        "if that is really where it is: `oauthctl login PROFILE --allow-private`, or the profile's key `allow-private`",
    ))
}

/// Refuses endpoints on this machine if the issuer is elsewhere: no browser and no request goes
/// there.
fn refuse_home(name: &str, issuer: &str, url: &str) -> Result<(), Error> {
    if !on_loopback(url) || on_loopback(issuer) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Unsafe,
        format!("the `{name}` of `{}` is said to be on this machine: `{}`", safe(issuer), safe(url)),
    )
    .because("only an issuer on this machine may say that; nothing was sent there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // P-08
    #[test]
    fn only_an_issuer_on_this_machine_leads_to_it() {
        let homes = [
            "http://127.0.0.1:8080/t",
            "http://localhost/t",
            "http://[::1]:1/t",
            "https://127.9.9.9/t",
            "https://[::ffff:127.0.0.1]/t",
            "https://a.localhost./t",
            "https://0.0.0.0/t",
        ];
        for home in homes {
            let refused = refuse_home("token_endpoint", "https://as.example", home).unwrap_err();
            assert_eq!(refused.kind, Kind::Unsafe, "{home}");
            assert!(refuse_home("token_endpoint", "http://127.0.0.1:9", home).is_ok(), "{home}");
        }
        assert!(refuse_home("token_endpoint", "https://as.example", "https://localhost.example/t").is_ok());
    }
}
