//! The provider entry that points to a practice server. `sandbox run` uses it to redirect the
//! built-in providers, through the same files that users write, without variables made for tests.

use super::Manners;
use super::client::Client;

/// Returns the text of `providers/<name>.toml`: the built-in entry with all its addresses, those of
/// its environments included, replaced by addresses under `base` (`http://127.0.0.1:PORT`).
pub fn provider_overrides(base: &str, manners: Manners) -> String {
    let behaviour = manners.behaviour();
    let name = behaviour.name;
    let base = base.trim_end_matches('/');
    let mut text = format!(
        "# written by `oauthctl sandbox`: everything as in the built-in entry, at the practice server's address\n\
         id = \"{name}\"\nextends = \"{name}\"\nname = \"{}\"\npractice = \"{}\"\nconsole-url = \"{base}/\"\n{}",
        behaviour.practice_name(),
        (behaviour.clients)().iter().map(Client::in_words).collect::<Vec<_>>().join("; or "),
        (behaviour.entry)(base),
    );
    for (table, key, path) in behaviour.addresses {
        text.push_str(&format!("\n[{table}]\n{key} = \"{base}{path}\"\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// Tells whether an address is absent or leads to the practice server.
    fn is_ours(url: Option<&str>) -> bool {
        url.is_none_or(|u| u.starts_with("http://127.0.0.1:9/"))
    }

    #[test]
    fn every_address_of_every_environment_leads_to_the_practice_server() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("providers")).unwrap();
        for manners in Manners::ALL {
            let name = manners.name();
            let file = folder.path().join("providers").join(format!("{name}.toml"));
            std::fs::write(file, provider_overrides("http://127.0.0.1:9/", manners)).unwrap();
            let usual = config::provider(folder.path(), name, None).unwrap();
            let others = usual.environments.clone();
            let mut all = vec![usual];
            all.extend(others.iter().map(|e| config::provider(folder.path(), name, Some(e)).unwrap()));
            for found in all {
                let revoke = found.revoke.as_ref().and_then(|r| r.endpoint.url.as_deref());
                let device = found.device.as_ref();
                for url in [
                    found.authorize.url.as_deref(),
                    found.token.url.as_deref(),
                    found.refresh.endpoint.url.as_deref(),
                    found.client_credentials.endpoint.url.as_deref(),
                    revoke,
                    device.and_then(|d| d.endpoint.url.as_deref()),
                    device.and_then(|d| d.poll_url.as_deref()),
                    found.introspect.as_ref().and_then(|i| i.url.as_deref()),
                    found.identity.jwks_uri.as_deref(),
                    found.userinfo.url.as_deref(),
                    found.console_url.as_deref(),
                    found.api.base_url.as_deref(),
                    found.whoami.as_ref().map(|w| w.url.as_str()),
                ] {
                    assert!(is_ours(url), "{name}: {url:?}");
                }
                assert!(found.practice.is_some() && found.name.to_lowercase().contains("practice"), "{name}");
                assert!(found.token.url.is_some() && found.api.hosts.is_empty(), "{name}");
            }
        }
    }
}
