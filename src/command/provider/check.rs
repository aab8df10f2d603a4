//! `provider check`: reaches each address of an entry, and compares the entry with the server's
//! metadata. The requests are plain ones without a client, a code or a token.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crate::command::doctor::{Found, Report, bad, good, note};
use crate::command::{fitted, print};
use crate::config;
use crate::error::{Error, Kind};
use crate::grant::{discover, send};
use crate::protocol::metadata::Metadata;
use crate::provider::{Provider, StringKind, registered_name};
use crate::text::{pasted, safe};
use crate::wire::Request;
use crate::world::World;

pub fn run(
    (name, environment): (&str, Option<&str>),
    vars: &[(String, String)],
    dir: &Path,
    world: &mut World,
) -> Result<u8, Error> {
    let raw = config::provider(dir, name, environment)?;
    let vars: BTreeMap<String, String> = vars.iter().cloned().collect();
    let missing: Vec<String> =
        raw.missing_vars(&vars).into_iter().map(|(name, _)| format!(" --var {name}=VALUE")).collect();
    if !missing.is_empty() {
        let environment = environment.map(|it| format!(" --environment {}", pasted(it))).unwrap_or_default();
        return Err(Error::usage(format!("the addresses of `{}` have variables", safe(&raw.id))).hint(format!(
            "oauthctl provider check {}{environment}{}",
            pasted(name),
            missing.concat()
        )));
    }
    let mut provider = raw.expand(&vars)?;
    let mut report = Report::default();
    match provider.issuer.clone() {
        None => report.add("metadata", note("no issuer is named: there is nothing to compare with")),
        Some(issuer) => match discover::fetch(world, &issuer, false) {
            Err(e) => report.add("metadata", e.into()),
            Ok((document, _)) => {
                compare(&provider, &document, &mut report);
                document.fill(&mut provider);
            }
        },
    }
    for (keys, url) in addresses(&provider) {
        let found = reached(world, &keys, &url);
        report.add("address", found);
    }
    print(world, fitted(world, &report.text, 21).as_bytes())?;
    Ok(if report.bad { Kind::Other.exit_code() } else { 0 })
}

/// Each address once, without its query, and the keys that have it.
fn addresses(provider: &Provider) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let visited = provider.clone().each_string(&mut |key, kind, text| {
        let page = text.split(['?', '#']).next().unwrap_or_default().to_owned();
        let left = page.contains('{') || ["issuer", "docs"].contains(&key) || key.starts_with("redirect.");
        if kind == StringKind::Url && !left {
            match found.iter_mut().find(|(_, known)| *known == page) {
                Some((keys, _)) => *keys += &format!(", {key}"),
                None => found.push((key.to_owned(), page)),
            }
        }
        Ok::<(), std::convert::Infallible>(())
    });
    let Ok(()) = visited;
    found
}

/// Sends a plain GET. A refusal shows that somebody is there.
fn reached(world: &mut World, keys: &str, url: &str) -> Found {
    let mut request = Request::new("GET", url);
    request.timeout = Duration::from_secs(10);
    let response = match send(world, &request) {
        Ok(response) => response,
        Err(e) => return Found::from(e).about(keys),
    };
    let words = format!("{keys}: {} answers {}", safe(url), response.status);
    let for_programs = !keys.contains("authorize.url") && !keys.contains("console-url");
    match response.status {
        404 | 410 if !keys.contains("api.base-url") => note(format!("{words}: there is no page to read; is it right?")),
        300..=399 if for_programs => {
            let to = response.header("location").map(|to| format!(" to {}", safe(to))).unwrap_or_default();
            note(format!("{words}, a redirect{to}: no request with a secret follows it"))
        }
        500.. => bad(format!("{words}: it is out of order now")).advice("try again later"),
        _ => good(words),
    }
}

/// Explicit values win over the metadata: each difference is told.
fn compare(provider: &Provider, document: &Metadata, report: &mut Report) {
    let url = |endpoint: &Option<String>| endpoint.clone();
    let pairs = [
        ("authorize.url", "authorization_endpoint", url(&provider.authorize.url)),
        ("token.url", "token_endpoint", url(&provider.token.url)),
        (
            "device.url",
            "device_authorization_endpoint",
            provider.device.as_ref().and_then(|it| it.endpoint.url.clone()),
        ),
        ("revoke.url", "revocation_endpoint", provider.revoke.as_ref().and_then(|it| it.endpoint.url.clone())),
        ("introspect.url", "introspection_endpoint", provider.introspect.as_ref().and_then(|it| it.url.clone())),
        ("userinfo.url", "userinfo_endpoint", url(&provider.userinfo.url)),
        ("id-token.jwks-uri", "jwks_uri", url(&provider.identity.jwks_uri)),
        ("registration-url", "registration_endpoint", url(&provider.registration_url)),
        ("par-url", "pushed_authorization_request_endpoint", url(&provider.par_url)),
    ];
    let mut same = BTreeSet::new();
    for (key, member, explicit) in pairs {
        match (explicit, document.text(member)) {
            (Some(own), Some(told)) if own != told => report.add(
                "metadata",
                bad(format!("`{key}` is {}, and the metadata name {}: the file's is used", safe(&own), safe(told))),
            ),
            (Some(_), Some(_)) => drop(same.insert(key)),
            (Some(own), None) => {
                report.add("metadata", note(format!("`{key}` is {}, and the metadata name none", safe(&own))));
            }
            (None, _) => {}
        }
    }
    let auth = document.list("token_endpoint_auth_methods_supported").unwrap_or_default();
    let own = provider.token.auth.iter().filter_map(|method| registered_name(*method)).collect::<Vec<_>>();
    if !auth.is_empty() && !own.is_empty() && !own.iter().any(|own| auth.iter().any(|told| told == own)) {
        let (own, told) = (own.join(", "), safe(&auth.join(", ")));
        report.add("metadata", bad(format!("`token.auth` is {own}, and the metadata name {told}")));
    }
    let words = match same.is_empty() {
        true => "read, and complete what the file leaves out".to_owned(),
        false => format!("read; the same: {}", same.into_iter().collect::<Vec<_>>().join(", ")),
    };
    report.add("metadata", good(words));
}
